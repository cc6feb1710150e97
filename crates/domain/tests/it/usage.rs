use contract::{
    AppId, Bucket, Code, CredentialKind, Environment, KeyId, Outcome, PageQuery, Role, TenantId, UnixMs, UsageEvent, UsageFilter,
    UsageQuery, UsageSource,
};
use domain::{
    Ctx, Error, keys, oauth, on_both,
    testing::{On, TestInstallation},
    usage,
    usage::NewEvent,
};
use std::{collections::HashSet, time::Duration};

fn event(t: &TestInstallation, key: Option<KeyId>, code: Code) -> NewEvent {
    NewEvent {
        id: t.core.new_uuid(),
        at: t.core.now(),
        tenant_id: Some(t.first.tenant_id),
        request_id: "req_1".into(),
        credential_id: key,
        client_id: None,
        subject: None,
        asked_by: None,
        kind: CredentialKind::ApiKey,
        outcome: if code == Code::Valid { Outcome::Allowed } else { Outcome::Denied },
        code,
        method: Some("GET".into()),
        path: Some("/v2/users".into()),
        ip: Some("203.0.113.9".parse().unwrap()),
        user_agent: None,
        environment: Environment::Live,
        required_scopes: vec![],
        required_environment: Some(Environment::Live),
        audience: None,
        cost: 1,
        secret_id: None,
        versions: domain::Versions::default(),
        policy: None,
        rate_limit: None,
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
    async fn asking_for_decisions_is_how_a_gateways_key_is_used(t) {
        let gateway = t.gateway();
        let domain::Who::Key(entry) = gateway.who() else { panic!("a gateway") };
        let used = async || keys::get(&t.owner(), entry.key_id).await.unwrap().last_used_at;
        assert_eq!(used().await, None);
        let ask = serde_json::from_value(serde_json::json!({"credential": "junk"})).unwrap();
        let first = t.core.now();
        for n in 1..=3 {
            assert_eq!(domain::verify::verify(&gateway, &ask).await.unwrap().code, Code::Malformed);
            while usage::count_unscoped(&t.core.db).await.unwrap() < n {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            t.clock.advance(Duration::from_secs(10));
        }
        assert_eq!(used().await, Some(first), "written once a minute, whatever was decided");
        t.clock.advance(Duration::from_secs(60));
        let (last, sent) = (t.core.now(), domain::verify::Sent::Nothing);
        let logged = domain::verify::Logged::default();
        let decision = domain::verify::forward_auth(&gateway, &sent, None, &contract::Requirement::default(), None, logged).await.unwrap();
        t.core.meter.stop().await;
        assert_eq!((decision.code, used().await), (Code::Unauthorized, Some(last)));
        assert_eq!(usage::count_unscoped(&t.core.db).await.unwrap(), 4, "one event a decision, none for the question");
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

/// A log in which every filter has something to find and something to leave out; the next number is pseudo-random.
async fn varied(t: &TestInstallation, keys: &[KeyId], n: u32) {
    let mut dice = Dice(7);
    for n in 0..n {
        t.clock.advance(Duration::from_secs(20 * dice.below(3) as u64));
        let code = [Code::Valid, Code::Valid, Code::Expired, Code::InsufficientScope, Code::NotFound][dice.below(5)];
        let environment = if dice.below(4) == 0 { Environment::Test } else { Environment::Live };
        let ip = [Some("203.0.113.9"), Some("203.0.113.77"), Some("198.51.100.7"), Some("2001:db8::7"), None][dice.below(5)];
        t.core
            .meter
            .record(NewEvent {
                request_id: format!("req_{}", n / 3),
                method: Some(["GET", "POST"][dice.below(2)].into()),
                path: [Some("/v2/users"), Some("/v2/users/7"), Some("/v2/Users"), Some("/v1/%_"), None][dice.below(5)].map(Into::into),
                ip: ip.map(|ip| ip.parse().unwrap()),
                environment,
                source: [UsageSource::Verify, UsageSource::ForwardAuth][dice.below(2)],
                ..event(t, (code != Code::NotFound).then(|| keys[dice.below(keys.len())]), code)
            })
            .await;
    }
    t.core.meter.stop().await;
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n as u64).unwrap()
    }
}

async fn all(ctx: &Ctx, query: &UsageQuery, limit: u16) -> Vec<UsageEvent> {
    let mut page = PageQuery { limit, cursor: None };
    let mut found = Vec::new();
    loop {
        let got = usage::search(ctx, query, page).await.unwrap();
        assert!(got.data.len() <= usize::from(limit));
        found.extend(got.data);
        match got.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return found,
        }
    }
}

/// The filter as a person would read it.
fn lets_through(q: &UsageQuery, e: &UsageEvent) -> bool {
    q.from.is_none_or(|t| e.at >= t)
        && q.to.is_none_or(|t| e.at < t)
        && q.credential_id.is_none_or(|k| e.credential_id == Some(k))
        && q.outcome.is_none_or(|o| e.outcome == o)
        && q.code.is_none_or(|c| e.code == c)
        && q.method.as_ref().is_none_or(|m| e.method.as_ref() == Some(m))
        && q.path.as_ref().is_none_or(|p| e.path.as_ref().is_some_and(|path| path.starts_with(p.as_str())))
        && q.ip.is_none_or(|net| e.ip.is_some_and(|ip| net.contains(ip)))
        && q.request_id.as_ref().is_none_or(|id| e.request_id == *id)
        && q.environment.is_none_or(|env| e.environment == env)
        && q.kind.is_none_or(|k| e.kind == k)
        && q.source.is_none_or(|s| e.source == s)
}

on_both! {
    async fn every_combination_of_filters_finds_what_it_says_and_nothing_else(t) {
        let owner = t.owner();
        let mut made = Vec::new();
        for name in ["a", "b"] {
            made.push(keys::create_from_form(&owner, &t.form(name, "read")).await.unwrap().api_key.id);
        }
        let start = t.core.now();
        varied(&t, &made, 400).await;
        let everything = all(&owner, &UsageQuery::default(), 200).await;
        assert_eq!(everything.len(), 400);
        assert!(everything.windows(2).all(|w| w[0].id > w[1].id), "newest first, live and test together");
        let mut dice = Dice(11);
        let key = made[0].to_string();
        let (from, to) = (start.plus(1_000_000).to_string(), start.plus(5_000_000).to_string());
        let parts = [
            ("from", from.as_str()), ("to", to.as_str()), ("credential_id", key.as_str()), ("outcome", "denied"), ("outcome", "allowed"),
            ("code", "EXPIRED"), ("method", "get"), ("path", "/v2/users"), ("path", "/v1/%"), ("ip", "203.0.113.9"), ("ip", "203.0.113.0/24"),
            ("ip", "2001:db8::/32"), ("request_id", "req_17"), ("environment", "test"), ("kind", "api_key"), ("source", "verify"),
        ];
        let mut hits = 0;
        for round in 0..200 {
            let mut chosen: Vec<(&str, &str)> = Vec::new();
            for _ in 0..if round < parts.len() { 1 } else { 1 + dice.below(4) } {
                let part = parts[if round < parts.len() { round } else { dice.below(parts.len()) }];
                chosen.retain(|(name, _)| *name != part.0);
                chosen.push(part);
            }
            let query = UsageQuery::parse(chosen.iter().copied()).unwrap();
            let wanted: Vec<_> = everything.iter().filter(|e| lets_through(&query, e)).map(|e| e.id).collect();
            let found: Vec<_> = all(&owner, &query, 7).await.iter().map(|e| e.id).collect();
            assert_eq!(found, wanted, "{chosen:?}");
            hits += wanted.len();
            let sum = usage::summary(&owner, &UsageQuery { from: Some(query.from.unwrap_or(start)), ..query.clone() }, Some(Bucket::Hour)).await.unwrap();
            let denied = everything.iter().filter(|e| lets_through(&query, e) && e.outcome == Outcome::Denied).count();
            assert_eq!((sum.total, sum.denied), (i64::try_from(wanted.len()).unwrap(), i64::try_from(denied).unwrap()), "{chosen:?}");
            for parts in [sum.codes.iter().map(|c| c.count).sum::<i64>(), sum.keys.iter().map(|k| k.allowed + k.denied).sum(),
                sum.series.iter().map(|b| b.allowed + b.denied).sum()] {
                assert_eq!(parts, sum.total, "{chosen:?}");
            }
        }
        assert!(hits > 1_000, "the filters find something: {hits}");
    }
}

on_both! {
    async fn an_export_is_the_search_in_larger_steps_and_not_for_developers(t) {
        let key = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap().api_key.id;
        varied(&t, &[key], 1_200).await;
        let mut cursor = None;
        let mut exported = Vec::new();
        loop {
            let step = usage::export(&t.owner(), &UsageQuery::default(), cursor).await.unwrap();
            exported.extend(step.data.into_iter().map(|e| e.id));
            cursor = step.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(exported, all(&t.owner(), &UsageQuery::default(), 200).await.iter().map(|e| e.id).collect::<Vec<_>>());
        for (role, may) in [(Role::Admin, true), (Role::Security, true), (Role::Developer, false), (Role::Support, false)] {
            let asked = usage::export(&t.member(t.first.user_id, t.first.tenant_id, role), &UsageQuery::default(), None).await;
            assert_eq!(asked.is_ok(), may, "{role}");
        }
    }
}

on_both! {
    async fn a_stream_sends_each_event_once_in_order_and_resumes_where_it_was(t) {
        let owner = t.owner();
        let mut at = usage::stream_start(&owner);
        t.core.meter.record(event(&t, None, Code::NotFound)).await;
        t.core.meter.record(NewEvent { environment: Environment::Test, ..event(&t, None, Code::Malformed) }).await;
        while t.core.meter.waiting() > 0 || usage::count_unscoped(&t.core.db).await.unwrap() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(usage::newer(&owner, &UsageQuery::default(), at).await.unwrap().0.is_empty(), "other nodes may still be storing theirs");
        t.clock.advance(Duration::from_secs(2));
        let (sent, next) = usage::newer(&owner, &UsageQuery::default(), at).await.unwrap();
        assert_eq!(sent.iter().map(|e| e.code).collect::<Vec<_>>(), [Code::NotFound, Code::Malformed]);
        assert_eq!(usage::newer(&owner, &UsageQuery::default(), sent[0].id.uuid()).await.unwrap().0, sent[1..], "from the last one seen");
        at = next;
        assert!(usage::newer(&owner, &UsageQuery::default(), at).await.unwrap().0.is_empty(), "once");
        t.core.meter.record(event(&t, None, Code::NotFound)).await;
        t.core.meter.stop().await;
        t.clock.advance(Duration::from_secs(2));
        assert_eq!(usage::newer(&owner, &UsageQuery::default(), at).await.unwrap().0.len(), 1);
    }
}

on_both! {
    async fn s66_s36_the_log_is_the_tenants_and_a_developers_own_keys_are_all_they_see(t) {
        let owner = t.owner();
        let theirs = keys::create_from_form(&owner, &t.form("theirs", "read")).await.unwrap().api_key.id;
        t.core.meter.record(event(&t, Some(theirs), Code::Valid)).await;
        t.core.meter.record(event(&t, None, Code::NotFound)).await;
        t.core.meter.stop().await;
        let id = usage::search(&owner, &UsageQuery { credential_id: Some(theirs), ..UsageQuery::default() }, PageQuery::default()).await.unwrap().data[0].id;
        // Another tenant's owner, though the ids are right.
        let stranger = t.member(t.first.user_id, TenantId::from_uuid(t.core.new_uuid()), Role::Owner);
        assert!(all(&stranger, &UsageQuery::default(), 50).await.is_empty());
        assert!(matches!(usage::trace(&stranger, id).await, Err(Error::NotFound)));
        assert!(usage::traces(&stranger, "req_1").await.unwrap().is_empty());
        assert_eq!(usage::summary(&stranger, &UsageQuery::default(), None).await.unwrap().total, 0);
        for refused in [
            usage::check_key(&stranger, theirs).await.err(),
            keys::impact_of(&stranger, theirs, &contract::Change::Revoke).await.err(),
            keys::advice(&stranger, theirs).await.err(),
            keys::cockpit(&stranger, theirs, None).await.err(),
        ] {
            assert!(matches!(refused, Some(Error::NotFound)), "{refused:?}");
        }
        // A developer who owns it, and one who does not.
        let developer = |user| t.member(user, t.first.tenant_id, Role::Developer);
        let (own, other) = (developer(t.first.user_id), developer(contract::UserId::from_uuid(t.core.new_uuid())));
        assert_eq!(all(&own, &UsageQuery::default(), 50).await.len(), 1, "not the unknown credential");
        assert_eq!(usage::summary(&own, &UsageQuery::default(), None).await.unwrap().total, 1);
        assert!(usage::trace(&own, id).await.is_ok());
        assert!(all(&other, &UsageQuery::default(), 50).await.is_empty());
        assert!(matches!(usage::trace(&other, id).await, Err(Error::NotFound)));
        assert!(matches!(keys::advice(&other, theirs).await, Err(Error::NotFound)));
        let support = t.member(t.first.user_id, t.first.tenant_id, Role::Support);
        assert!(matches!(usage::search(&support, &UsageQuery::default(), PageQuery::default()).await, Err(Error::Denied(_))));
        assert!(keys::impact_of(&support, theirs, &contract::Change::Revoke).await.is_ok(), "who may revoke may know what it breaks");
    }
}

on_both! {
    async fn a_summary_has_its_bounds(t) {
        let now = t.core.now();
        let of = |days: i64| UsageQuery { from: Some(now.plus(-days * UnixMs::DAY)), to: Some(now), ..UsageQuery::default() };
        let owner = t.owner();
        assert_eq!(usage::summary(&owner, &of(1), None).await.unwrap().bucket, Bucket::Hour);
        assert_eq!(usage::summary(&owner, &of(30), None).await.unwrap().bucket, Bucket::Day);
        for (query, bucket) in [(of(32), Some(Bucket::Hour)), (of(367), None), (of(-1), None), (of(0), None)] {
            assert!(matches!(usage::summary(&owner, &query, bucket).await, Err(Error::Invalid(_))), "{query:?}");
        }
    }
}

on_both! {
    async fn s66_the_requests_of_an_app_are_found_by_it_and_seen_by_those_who_may_see_the_app(t) {
        let body = serde_json::json!({"name": "Ledger by night", "kind": "machine", "scopes": ["users:read"]});
        let app = oauth::create(&t.owner(), &serde_json::from_value(body).unwrap()).await.unwrap().app;
        let foreign = AppId::from_uuid(t.core.new_uuid());
        let by = |client, code, path: &str| NewEvent {
            kind: CredentialKind::AccessToken,
            client_id: Some(client),
            path: Some(path.into()),
            user_agent: Some("ledger/1".into()),
            ..event(&t, None, code)
        };
        for (client, code, path) in [(app.id, Code::Valid, "/v2/users"), (app.id, Code::Valid, "/v2/users"), (app.id, Code::Expired, "/v2/users"), (foreign, Code::Valid, "/x")] {
            t.clock.advance(Duration::from_millis(1));
            t.core.meter.record(by(client, code, path)).await;
        }
        t.core.meter.record(NewEvent { subject: Some(t.first.user_id), ..by(app.id, Code::Valid, "/me") }).await;
        t.core.meter.record(event(&t, None, Code::NotFound)).await;
        t.core.meter.stop().await;
        let of_app = UsageQuery { client_id: Some(app.id), ..UsageQuery::default() };
        let found = usage::search(&t.owner(), &of_app, PageQuery::default()).await.unwrap().data;
        let named: Vec<_> = found.iter().map(|e| (e.credential_name.as_deref(), e.client_name.as_deref())).collect();
        let own = (Some("Ledger by night"), Some("Ledger by night"));
        assert_eq!(named, [(Some("owner@acme.test"), Some("Ledger by night")), own, own, own]);
        assert!(found.iter().all(|e| e.client_id == Some(app.id) && e.credential_id.is_none()));
        let summary = usage::summary(&t.owner(), &of_app, Some(Bucket::Day)).await.unwrap();
        assert_eq!((summary.total, summary.allowed, summary.denied), (4, 3, 1));
        let others = UsageQuery { client_id: Some(foreign), ..UsageQuery::default() };
        let others = usage::search(&t.owner(), &others, PageQuery::default()).await.unwrap().data;
        assert_eq!((others.len(), others[0].client_id, others[0].client_name.as_deref()), (1, Some(foreign), None), "no name across tenants");
        let since = t.core.now().plus(-UnixMs::DAY);
        let callers = usage::callers_of_app(&t.owner(), app.id, since).await.unwrap();
        let seen: Vec<_> = callers.iter().map(|c| (c.path.as_deref().unwrap(), c.user_agent.as_deref().unwrap(), c.count)).collect();
        assert_eq!(seen, [("/v2/users", "ledger/1", 2), ("/me", "ledger/1", 1)], "those that were let in, the busiest first");
        assert!(oauth::get(&t.owner(), contract::Perm::AppsRead, app.id).await.unwrap().last_used_at.is_some());
        // What a trace says, whose the token was.
        for (event, said) in [(&found[0], "It is a token of owner@acme.test, who allowed Ledger by night to act."), (&found[1], "It is a token of Ledger by night.")] {
            let trace = usage::trace(&t.owner(), event.id).await.unwrap();
            assert!(trace.checks.iter().any(|c| c.message == said), "{:?}", trace.checks);
        }
        // Whoever registered it sees what it does, though they see their own only; another developer sees nothing of it.
        let developer = |id| t.member(id, t.first.tenant_id, Role::Developer);
        let (mine, stranger) = (developer(t.first.user_id), developer(contract::UserId::from_uuid(t.core.new_uuid())));
        assert_eq!(usage::search(&mine, &of_app, PageQuery::default()).await.unwrap().data.len(), 4);
        assert_eq!(usage::callers_of_app(&mine, app.id, since).await.unwrap().len(), 2);
        assert!(usage::search(&stranger, &of_app, PageQuery::default()).await.unwrap().data.is_empty());
        assert!(matches!(usage::trace(&stranger, found[1].id).await, Err(Error::NotFound)));
        assert!(matches!(usage::callers_of_app(&stranger, app.id, since).await, Err(Error::NotFound)));
        let role = |role| t.member(t.first.user_id, t.first.tenant_id, role);
        assert_eq!(usage::callers_of_app(&role(Role::Security), app.id, since).await.unwrap().len(), 2);
        assert!(matches!(usage::callers_of_app(&role(Role::Support), app.id, since).await, Err(Error::Denied(_))));
    }
}

/// The plan of each page statement, asked with the cursor of page 1 and of page 500.
async fn plans(on: On) {
    let t = TestInstallation::new(on).await;
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
