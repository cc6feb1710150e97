use contract::{Code, CredentialKind, Environment, KeyId, Outcome, PageQuery, UsageFilter, UsageSource};
use domain::{keys, on_both, testing::On, usage, usage::NewEvent};
use std::{collections::HashSet, time::Duration};

fn event(t: &domain::testing::TestInstallation, key: Option<KeyId>, code: Code) -> NewEvent {
    NewEvent {
        id: t.core.new_uuid(),
        at: t.core.now(),
        tenant_id: Some(t.first.tenant_id),
        request_id: "req_1".into(),
        credential_id: key,
        kind: CredentialKind::ApiKey,
        outcome: if code == Code::Valid { Outcome::Allowed } else { Outcome::Denied },
        code,
        method: Some("GET".into()),
        path: Some("/v2/users".into()),
        ip: Some("203.0.113.9".parse().unwrap()),
        user_agent: None,
        environment: Environment::Live,
        required_scopes: vec![],
        source: UsageSource::Verify,
        latency_us: 7,
    }
}

on_both! {
    async fn a_stopped_meter_has_stored_every_event(t) {
        for n in 0..12_345 {
            if n % 100 == 0 {
                t.clock.advance(Duration::from_millis(1));
            }
            t.core.meter.record(event(&t, None, Code::NotFound)).await;
        }
        t.core.meter.stop().await;
        assert_eq!((usage::count_unscoped(&t.core.db).await.unwrap(), t.core.meter.lost()), (12_345, 0));
        t.core.meter.record(event(&t, None, Code::NotFound)).await;
        assert_eq!(t.core.meter.lost(), 1, "what comes too late is counted, never silent");
    }
}

on_both! {
    async fn pages_show_every_event_once_and_inserts_do_not_shift_them(t) {
        let key = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap().api_key.id;
        for n in 0..250 {
            t.clock.advance(Duration::from_millis(1));
            t.core.meter.record(event(&t, (n % 2 == 0).then_some(key), if n % 5 == 0 { Code::Valid } else { Code::Expired })).await;
        }
        t.core.meter.stop().await;
        for (filter, wanted) in [
            (UsageFilter::default(), 250),
            (UsageFilter { credential_id: Some(key), ..UsageFilter::default() }, 125),
            (UsageFilter { outcome: Some(Outcome::Allowed), ..UsageFilter::default() }, 50),
            (UsageFilter { credential_id: Some(key), outcome: Some(Outcome::Allowed), request_id: None }, 25),
            (UsageFilter { credential_id: Some(key), outcome: Some(Outcome::Allowed), request_id: Some("req_1".into()) }, 25),
            (UsageFilter { request_id: Some("req_2".into()), ..UsageFilter::default() }, 0),
        ] {
            let mut seen = HashSet::new();
            let mut page = PageQuery { limit: 40, cursor: None };
            loop {
                let got = usage::list(&t.owner(), &filter, Environment::Live, page).await.unwrap();
                assert!(got.data.windows(2).all(|w| w[0].id > w[1].id), "newest first");
                seen.extend(got.data.iter().map(|e| e.id));
                if got.next_cursor.is_none() {
                    break;
                }
                page.cursor = got.next_cursor;
            }
            assert_eq!(seen.len(), wanted, "{filter:?}");
        }
        let shown = usage::list(&t.owner(), &UsageFilter::default(), Environment::Live, PageQuery::default()).await.unwrap();
        assert!(shown.data.iter().any(|e| e.credential_name.as_deref() == Some("k")));
        let impact = keys::impact(&t.owner(), key).await.unwrap();
        assert_eq!((impact.allowed_30d, impact.allowed_24h, impact.addresses_30d), (25, 25, 1));
        assert!(keys::get(&t.owner(), key).await.unwrap().last_used_at.is_some());
    }
}

/// The plan of each page statement, asked with the cursor of page 1 and of page 500.
async fn plans(on: On) {
    let t = domain::testing::TestInstallation::new(on).await;
    let key = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap().api_key.id;
    t.fill_usage(key, 100_000).await;
    let far = {
        let mut page = PageQuery { limit: 200, cursor: None };
        for _ in 0..499 {
            page.cursor = usage::list(&t.owner(), &UsageFilter::default(), Environment::Live, page).await.unwrap().next_cursor;
        }
        page.cursor.expect("page 500 exists")
    };
    for (name, sql) in usage::LIST_STATEMENTS {
        let first = t.explain(sql, key, PageQuery::default().before()).await;
        let last = t.explain(sql, key, far.0).await;
        assert_eq!(first, last, "{name}: page 1 and page 500 have the same plan");
        assert!(first.contains("usage_events_by_") || first.contains("usage_events_pkey"), "{name} uses an index: {first}");
        assert!(!first.contains("SCAN e") && !first.contains("Seq Scan on usage_events"), "{name}: {first}");
    }
    let last =
        usage::list(&t.owner(), &UsageFilter::default(), Environment::Live, PageQuery { limit: 200, cursor: Some(far) }).await.unwrap();
    assert_eq!((last.data.len(), last.next_cursor), (200, None));
}

#[tokio::test]
async fn page_1_and_page_500_of_100_000_events_have_the_same_plan_sqlite() {
    plans(On::Sqlite).await;
}

#[tokio::test]
async fn page_1_and_page_500_of_100_000_events_have_the_same_plan_postgres() {
    plans(On::Postgres).await;
}
