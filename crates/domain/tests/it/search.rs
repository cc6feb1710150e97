//! The list in its orders, and the queues.

use contract::{CreateKeyBody, Environment, KeyQueue, KeySearch, KeySort, KeyState, Role, RotateBody, UpdateKeyBody};
use domain::{
    Error,
    keys::{self, Pasted},
    on_both,
    testing::TestInstallation,
};
use serde_json::json;
use std::time::Duration;

async fn make(t: &TestInstallation, body: serde_json::Value) -> contract::ApiKey {
    let body: CreateKeyBody = serde_json::from_value(body).unwrap();
    keys::create_from_body(&t.owner(), &body).await.unwrap().api_key
}

/// The names of all pages of a search, `limit` at a time.
async fn names(t: &TestInstallation, mut search: KeySearch) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = keys::search(&t.owner(), &search).await.unwrap();
        assert!(page.data.len() <= usize::from(search.limit));
        names.extend(page.data.into_iter().map(|k| k.name));
        match page.next_cursor {
            // A client sends back what it was given.
            Some(cursor) => search.cursor = Some(cursor.to_string().parse().unwrap()),
            None => return names,
        }
    }
}

fn by(sort: KeySort) -> KeySearch {
    let mut search = KeySearch { sort, limit: 2, ..KeySearch::default() };
    search.filter.q = Some("job".into());
    search
}

on_both! {
    async fn each_order_pages_without_gaps_and_inserts_shift_nothing(t) {
        for (name, days) in [("job b", Some(9)), ("JOB a", None), ("job Ç", Some(3)), ("job c", None), ("job B", Some(5))] {
            t.clock.advance(Duration::from_millis(5));
            make(&t, json!({"name": name, "scopes": ["read"], "expires_in_days": days})).await;
        }
        t.tamper("UPDATE api_keys SET last_used_at = created_at + 1000 WHERE name IN ('job b', 'job Ç', 'job B')").await;
        assert_eq!(names(&t, by(KeySort::Created)).await, ["job B", "job c", "job Ç", "JOB a", "job b"]);
        let by_name = names(&t, by(KeySort::Name)).await;
        assert_eq!([by_name[0].as_str(), by_name[3].as_str(), by_name[4].as_str()], ["JOB a", "job c", "job Ç"]);
        assert_eq!(names(&t, by(KeySort::Expires)).await[..3], ["job Ç", "job B", "job b"]);
        let by_use = names(&t, by(KeySort::LastUsed)).await;
        assert_eq!(by_use, ["job B", "job Ç", "job b", "job c", "JOB a"], "never used comes last");
        for sort in KeySort::ALL {
            let search = by(*sort);
            let first = keys::search(&t.owner(), &search).await.unwrap();
            // Somebody adds keys in front and uses one of the first page between the two pages.
            make(&t, json!({"name": "job 0", "scopes": ["read"], "expires_in_days": 1})).await;
            t.tamper("UPDATE api_keys SET last_used_at = created_at + 99000 WHERE name = 'job b'").await;
            let rest = names(&t, KeySearch { cursor: first.next_cursor.clone(), limit: 50, ..search.clone() }).await;
            let mut seen: Vec<String> = first.data.into_iter().map(|k| k.name).chain(rest).filter(|n| n != "job 0").collect();
            seen.sort();
            seen.dedup();
            if *sort != KeySort::LastUsed {
                assert_eq!(seen, ["JOB a", "job B", "job b", "job c", "job Ç"], "{sort}");
            }
            let wrong = KeySearch { sort: if *sort == KeySort::Name { KeySort::Created } else { KeySort::Name }, cursor: first.next_cursor, ..search };
            assert!(matches!(keys::search(&t.owner(), &wrong).await, Err(Error::Invalid(f)) if f.get("cursor").is_some()));
        }
    }
}

on_both! {
    async fn a_search_knows_name_secret_state_owner_and_permission(t) {
        let plain = make(&t, json!({"name": "Nightly 100%_export", "scopes": ["users:read"]})).await;
        make(&t, json!({"name": "other", "scopes": ["run_x:read", "write"], "environment": "test"})).await;
        keys::update_from_body(&t.owner(), plain.id, &UpdateKeyBody { owner: Some(None), ..UpdateKeyBody::default() }).await.unwrap();
        let find = |change: &dyn Fn(&mut KeySearch)| {
            let mut search = KeySearch::default();
            change(&mut search);
            let owner = t.owner();
            async move { keys::search(&owner, &search).await.unwrap().data.into_iter().map(|k| k.name).collect::<Vec<_>>() }
        };
        let name = plain.name.as_str();
        for q in ["nightly", "100%_EXPORT", &plain.prefix, &plain.prefix.to_uppercase(), &plain.last_four, &plain.display(), &plain.id.to_string()] {
            assert_eq!(find(&|s| s.filter.q = Some(q.to_owned())).await, [name], "{q}");
        }
        for q in ["%", "100__", "live", "ive_", "\u{0}", "x\ny", &"x".repeat(300)] {
            assert!(!find(&|s| s.filter.q = Some(q.to_owned())).await.iter().any(|n| n == name) || q == "%", "{q:?}");
        }
        assert_eq!(find(&|s| s.scope = Some("read:users".into())).await, [name], "in either spelling");
        assert_eq!(find(&|s| s.scope = Some("run_x:read".into())).await, ["other"]);
        for scope in ["runyx:read", "users:write", "no scope", "%"] {
            assert_eq!(find(&|s| s.scope = Some(scope.into())).await, [""; 0], "{scope}");
        }
        for owner in ["owner@acme.test".to_owned(), "Owner@Acme.test".to_owned(), t.first.user_id.to_string()] {
            assert_eq!(find(&|s| s.owner = Some(owner.clone())).await, ["other", "gateway", "bootstrap"], "{owner}");
        }
        assert_eq!(find(&|s| s.owner = Some("nobody@acme.test".into())).await, [""; 0]);
        assert_eq!(find(&|s| s.filter.environment = Some(Environment::Test)).await, ["other"]);
        keys::disable(&t.owner(), plain.id).await.unwrap();
        for sort in KeySort::ALL {
            assert_eq!(find(&|s| { s.sort = *sort; s.filter.state = Some(KeyState::Disabled); }).await, [name], "{sort}");
            assert_eq!(find(&|s| { s.sort = *sort; s.filter.state = Some(KeyState::Active); }).await.len(), 3, "{sort}");
        }
    }
}

on_both! {
    async fn each_queue_holds_what_waits_for_a_decision_and_nothing_that_is_over(t) {
        let day = Duration::from_secs(86_400);
        let old = make(&t, json!({"name": "old", "scopes": ["read"]})).await;
        let gone = make(&t, json!({"name": "gone", "scopes": ["read"]})).await;
        keys::revoke(&t.owner(), gone.id, None).await.unwrap();
        t.clock.advance(89 * day);
        t.core.cache.sync(&t.core).await.unwrap();
        let count = |queue: KeyQueue| {
            let owner = t.owner();
            async move {
                let heads = keys::queues(&owner, Environment::Live, 30).await.unwrap();
                let head = heads.into_iter().find(|h| h.queue == queue).unwrap();
                let mut names: Vec<String> = head.first.into_iter().map(|k| k.name).collect();
                names.sort();
                assert_eq!(i64::try_from(names.len()).unwrap(), head.count, "{queue}");
                let page = keys::queue(&owner, queue, Environment::Live, 30, 200, None).await.unwrap();
                assert_eq!(page.data.len(), names.len());
                names
            }
        };
        assert_eq!(count(KeyQueue::Old).await, [""; 0]);
        assert_eq!(count(KeyQueue::Idle).await, ["bootstrap", "gateway", "old"]);
        t.clock.advance(day);
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(count(KeyQueue::Old).await, ["bootstrap", "gateway", "old"]);
        keys::rotate(&t.owner(), old.id, &RotateBody::default()).await.unwrap();
        assert_eq!(count(KeyQueue::Old).await, ["bootstrap", "gateway"], "a new secret is young");
        for (name, hours) in [("14 days", 14 * 24), ("later", 14 * 24 + 1), ("3 days", 72), ("over 3", 73), ("today", 24), ("hour", 1)] {
            let at = t.core.now().plus(hours * 3_600_000).to_string();
            make(&t, json!({"name": name, "scopes": ["read"], "expires_at": at})).await;
        }
        assert_eq!(count(KeyQueue::Expiring14).await, ["14 days", "over 3"]);
        assert_eq!(count(KeyQueue::Expiring3).await, ["3 days"]);
        assert_eq!(count(KeyQueue::Expiring0).await, ["hour", "today"]);
        let first = keys::queue(&t.owner(), KeyQueue::Expiring0, Environment::Live, 30, 1, None).await.unwrap();
        assert_eq!(first.data[0].name, "hour", "the most urgent first");
        let next = keys::queue(&t.owner(), KeyQueue::Expiring0, Environment::Live, 30, 1, first.next_cursor).await.unwrap();
        assert_eq!((next.data[0].name.as_str(), next.next_cursor), ("today", None));
        t.clock.advance(Duration::from_secs(3_600));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(count(KeyQueue::Expiring0).await, ["today"], "what has expired is over");
        assert_eq!(count(KeyQueue::Orphaned).await, [""; 0]);
        keys::update_from_body(&t.owner(), old.id, &UpdateKeyBody { owner: Some(None), ..UpdateKeyBody::default() }).await.unwrap();
        assert_eq!(count(KeyQueue::Orphaned).await, ["old"]);
        t.tamper("UPDATE users SET disabled_at = 1").await;
        assert!(count(KeyQueue::Orphaned).await.len() > 5, "their owner is disabled");
        t.tamper("UPDATE users SET disabled_at = NULL").await;
        t.tamper("DELETE FROM members").await;
        assert!(count(KeyQueue::Orphaned).await.len() > 5, "their owner has left");
        assert_eq!(keys::queues(&t.owner(), Environment::Test, 30).await.unwrap().iter().map(|h| h.count).sum::<i64>(), 0);
    }
}

on_both! {
    async fn a_search_among_100_000_keys_reads_an_index_and_one_page(t) {
        t.fill_keys(100_000).await;
        let mut slowest = Duration::ZERO;
        for sort in KeySort::ALL {
            for q in [None, Some("no such key"), Some("service-99999"), Some("sk_live_1234"), Some("service")] {
                let mut search = KeySearch { sort: *sort, ..KeySearch::within(Environment::Live) };
                search.filter.q = q.map(ToOwned::to_owned);
                let started = std::time::Instant::now();
                let page = keys::search(&t.owner(), &search).await.unwrap();
                let took = started.elapsed();
                slowest = slowest.max(took);
                eprintln!("{} {sort} {q:?}: {took:?}, {} rows", if t.is_postgres() { "postgres" } else { "sqlite" }, page.data.len());
                if q == Some("service-99999") {
                    assert_eq!(page.data.len(), 1);
                }
            }
        }
        let started = std::time::Instant::now();
        keys::queues(&t.owner(), Environment::Live, 30).await.unwrap();
        eprintln!("queues: {:?}", started.elapsed());
        for (sql, index) in [
            (keys::BY_CREATION, "api_keys_by_creation"),
            (keys::BY_NAME, "api_keys_by_name"),
            (keys::BY_USE, "api_keys_by_use"),
            (keys::BY_EXPIRY, "api_keys_by_expiry"),
        ] {
            let plan = t.explain_search(sql).await;
            // Within one environment three indexes by creation are the same range; PostgreSQL may take any of them.
            let same = index == "api_keys_by_creation" && ["api_keys_by_environment", "api_keys_pkey"].iter().any(|i| plan.contains(i));
            assert!(plan.contains(index) || same, "{index}:\n{plan}");
            assert!(!plan.contains("SCAN k") && !plan.contains("Seq Scan on api_keys"), "{plan}");
        }
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    }
}

on_both! {
    async fn a_whole_secret_finds_its_key_for_those_who_see_it_whatever_became_of_it(t) {
        let owner = t.owner();
        let made = keys::create_from_form(&owner, &t.form("job", "read")).await.unwrap();
        let (id, old) = (made.api_key.id, made.key.unwrap());
        let found = async |text: &str| keys::pasted(&owner, text).await.unwrap();
        assert_eq!(found(&format!(" {old}\n")).await, Pasted::Key(id));
        assert_eq!(found(&format!("Authorization: Bearer {old}")).await, Pasted::Key(id));
        for text in ["", "job", "sk_live_", &old[..old.len() - 1]] {
            assert_eq!(found(text).await, Pasted::Text, "{text}");
        }
        let new = keys::rotate(&owner, id, &RotateBody { grace_seconds: Some(0) }).await.unwrap().key.unwrap();
        assert_eq!((found(&old).await, found(&new).await), (Pasted::Key(id), Pasted::Key(id)));
        keys::revoke(&owner, id, Some("gone")).await.unwrap();
        assert_eq!(found(&new).await, Pasted::Key(id));
        // s66: of another tenant, and what a developer does not see.
        let other = t.other_tenant().await;
        assert_eq!(found(&other).await, Pasted::Unknown);
        let developer = t.join("dev@acme.test", Role::Developer).await;
        assert_eq!(keys::pasted(&developer, &new).await.unwrap(), Pasted::Unknown);
        assert!(matches!(keys::pasted(&t.member(t.first.user_id, t.first.tenant_id, Role::Support), &new).await, Err(Error::Denied(_))));
    }
}
