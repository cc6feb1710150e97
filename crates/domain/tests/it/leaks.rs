use contract::{
    ApiKey, AuditFilter, Code, Environment, ErrorCode, KeyFilter, KeyState, LeakEffect, LeakFilter, LeakSource, LeakState, PageQuery,
    Requirement, Role, SecretState, TenantName, UsageFilter, UserId,
};
use domain::{
    Ctx, Error, RequestInfo, Who, audit, keys, leaks, oauth, on_both, tenants,
    testing::TestInstallation,
    usage,
    verify::{self, Entry},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// A key of the first tenant, with its secret.
async fn key(t: &TestInstallation, name: &str) -> (ApiKey, String) {
    let made = keys::create_from_form(&t.owner(), &t.form(name, "read")).await.unwrap();
    (made.api_key, made.key.unwrap())
}

/// A key of another tenant.
async fn foreign_key(t: &TestInstallation) -> (ApiKey, String, Ctx) {
    let there = tenants::create(&t.owner(), &TenantName::parse("Globex").unwrap(), None).await.unwrap();
    let ctx = t.as_who(Who::CommandLine(there.id));
    let made = keys::create_from_form(&ctx, &t.form("globex-key", "read")).await.unwrap();
    (made.api_key, made.key.unwrap(), ctx)
}

fn support(t: &TestInstallation) -> Ctx {
    t.member(UserId::from_uuid(Uuid::from_u128(5)), t.first.tenant_id, Role::Support)
}

fn code(t: &TestInstallation, secret: &str) -> Code {
    verify::check(&t.core, secret, None, &Requirement::default(), None, true).unwrap().code
}

/// The key behind a secret, as the caller of an API request.
fn as_key(t: &TestInstallation, secret: &str) -> Ctx {
    let entry: Arc<Entry> = verify::check(&t.core, secret, None, &Requirement::default(), None, true).unwrap().entry.unwrap();
    t.as_who(Who::Key(entry))
}

/// The key `new`, whose old secret (of the key `old`) is valid for another hour.
async fn rotated(t: &TestInstallation) -> (ApiKey, String, String) {
    let (_, old) = key(t, "old").await;
    let (new, current) = key(t, "new").await;
    t.tamper(
        "UPDATE api_key_secrets SET valid_until = 1790003600000, key_id = (SELECT id FROM api_keys WHERE name = 'new') \
         WHERE key_id = (SELECT id FROM api_keys WHERE name = 'old')",
    )
    .await;
    for changed in [OLD, NEW] {
        t.tamper("UPDATE counters SET value = value + 1 WHERE name = 'key_change'").await;
        t.tamper(changed).await;
        t.core.cache.sync(&t.core).await.unwrap();
    }
    assert_eq!((code(t, &old), code(t, &current)), (Code::Valid, Code::Valid));
    (new, old, current)
}

const OLD: &str = "INSERT INTO key_changes (seq, tenant_id, key_id, at) SELECT c.value, k.tenant_id, k.id, 0 \
    FROM counters c, api_keys k WHERE c.name = 'key_change' AND k.name = 'old'";
const NEW: &str = "INSERT INTO key_changes (seq, tenant_id, key_id, at) SELECT c.value, k.tenant_id, k.id, 0 \
    FROM counters c, api_keys k WHERE c.name = 'key_change' AND k.name = 'new'";

fn unknown_key(t: &TestInstallation) -> String {
    let slug = contract::Slug::from_name("x");
    keys::secret::generate(t.core.entropy(), &t.core.keys, contract::KeyKind::Tenant, Environment::Live, &slug).token.expose().clone()
}

async fn actions(ctx: &Ctx, target: &str) -> Vec<String> {
    let filter = AuditFilter { target_id: Some(target.to_owned()) };
    audit::list(ctx, &filter, PageQuery::default()).await.unwrap().data.into_iter().rev().map(|e| e.action).collect()
}

async fn revoke(ctx: &Ctx, key: &ApiKey) {
    keys::revoke(ctx, key.id, None).await.unwrap();
}

on_both! {
    async fn keys_in_pasted_text_are_named_with_whose_they_are_and_whether_they_work(t) {
        let (live, secret) = key(&t, "checkout").await;
        let (gone, gone_secret) = key(&t, "gone").await;
        revoke(&t.owner(), &gone).await;
        let (rotated, old, current) = rotated(&t).await;
        let text = format!("a log\nGET /?api_key={secret}&x=1 200\n{gone_secret}x\n\"{secret}\" {current}\n{old} {} sk_live_nonsense", unknown_key(&t));
        let found = leaks::lookup(&support(&t), &text).await.unwrap();
        assert_eq!((found.unknown, found.truncated), (1, false));
        let seen: Vec<_> = found.matches.iter().map(|m| (m.key.id, m.key.state, m.secret.state, m.line, m.times)).collect();
        assert_eq!(seen, [
            (live.id, KeyState::Active, SecretState::Current, 2, 2),
            (gone.id, KeyState::Revoked, SecretState::Dead, 3, 1),
            (rotated.id, KeyState::Active, SecretState::Current, 4, 1),
            (rotated.id, KeyState::Active, SecretState::Grace, 5, 1),
        ]);
        let first = &found.matches[0];
        assert_eq!((first.key.name.as_str(), first.key.owner.as_deref(), first.tenant.name.as_str()), ("checkout", Some("owner@acme.test"), "Acme"));
        assert_eq!((&first.secret.prefix, &first.secret.last_four, first.report), (&live.prefix, &live.last_four, None));
        t.clock.advance(Duration::from_secs(3600));
        let later = leaks::lookup(&support(&t), &old).await.unwrap();
        assert_eq!(later.matches[0].secret.state, SecretState::Dead);
        assert_eq!(leaks::lookup(&support(&t), "nothing").await.unwrap(), contract::LeakLookup::default());
    }
}

on_both! {
    async fn a_lookup_tells_the_usage_of_what_was_looked_up(t) {
        let (_, secret) = key(&t, "busy").await;
        let ask = |ip: &str, scope: &str| {
            let body = serde_json::json!({"credential": secret, "scopes": [scope], "ip": ip, "user_agent": "curl/8"});
            (t.as_who(Who::CommandLine(t.first.tenant_id)), serde_json::from_value(body).unwrap())
        };
        for (ip, scope, n) in [("203.0.113.9", "read", 3), ("203.0.113.9", "write", 2), ("198.51.100.1", "read", 1)] {
            for _ in 0..n {
                let (ctx, req) = ask(ip, scope);
                verify::verify(&ctx, &req).await.unwrap();
            }
        }
        t.core.meter.stop().await;
        let usage = leaks::lookup(&support(&t), &secret).await.unwrap().matches.remove(0).usage;
        assert_eq!((usage.allowed_24h, usage.allowed_30d, usage.addresses_30d), (4, 4, 2));
        assert_eq!(usage.last_allowed_at, Some(t.core.now()));
        let callers: Vec<_> = usage.callers.iter().map(|c| (c.ip.unwrap().to_string(), c.user_agent.clone().unwrap(), c.requests, c.denied)).collect();
        assert_eq!(callers, [("203.0.113.9".into(), "curl/8".into(), 5, 2), ("198.51.100.1".into(), "curl/8".into(), 1, 0)]);
        t.clock.advance(Duration::from_secs(2 * 86_400));
        t.core.cache.sync(&t.core).await.unwrap();
        let usage = leaks::lookup(&support(&t), &secret).await.unwrap().matches.remove(0).usage;
        assert_eq!((usage.allowed_24h, usage.allowed_30d), (0, 4));
        t.clock.advance(Duration::from_secs(29 * 86_400));
        t.core.cache.sync(&t.core).await.unwrap();
        let usage = leaks::lookup(&support(&t), &secret).await.unwrap().matches.remove(0).usage;
        assert_eq!((usage.allowed_30d, usage.callers.len()), (0, 0));
    }
}

on_both! {
    async fn s66_a_key_of_another_tenant_is_unknown_but_to_platform_admins(t) {
        let (mine, secret) = key(&t, "mine").await;
        let (theirs, foreign, there) = foreign_key(&t).await;
        let text = format!("{secret} {foreign}");
        for role in [Role::Owner, Role::Admin, Role::Support] {
            let member = t.member(UserId::from_uuid(Uuid::from_u128(6)), t.first.tenant_id, role);
            let Who::Person(mut person) = member.who().clone() else { panic!("a person") };
            person.platform_admin = false;
            let found = leaks::lookup(&t.as_who(Who::Person(person)), &text).await.unwrap();
            assert_eq!((found.matches.len(), found.matches[0].key.id, found.unknown), (1, mine.id, 1), "{role}");
        }
        assert_eq!(actions(&there, &theirs.id.to_string()).await, ["api_key.created"], "a search that may not know it leaves no trace");
        let found = leaks::lookup(&t.owner(), &text).await.unwrap();
        let whose: Vec<_> = found.matches.iter().map(|m| (m.key.id, m.tenant.name.as_str())).collect();
        assert_eq!((whose, found.unknown), (vec![(mine.id, "Acme"), (theirs.id, "Globex")], 0));
        // Recorded in both: there with the key, here without a word of it.
        assert_eq!(actions(&there, &theirs.id.to_string()).await, ["api_key.created", "leak.looked_up"]);
        assert_eq!(actions(&t.owner(), &theirs.id.to_string()).await, Vec::<String>::new());
        let here = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        assert!(here.iter().any(|e| e.action == "leak.looked_up" && e.after.as_ref().unwrap()["other_tenants"] == 1));
        // That the tenant was made from here is no secret.
        let rest: Vec<_> = here.iter().filter(|e| e.action != "tenant.created").collect();
        assert!(!serde_json::to_string(&rest).unwrap().contains("globex"));
        // Neither its secret nor its reports exist for the other tenant.
        let secret = found.matches[1].secret.id;
        assert!(matches!(leaks::report(&t.owner(), secret, "").await, Err(Error::NotFound)));
        let report = leaks::report(&there, secret, "").await.unwrap();
        assert!(matches!(leaks::get(&t.owner(), report.id).await, Err(Error::NotFound)));
        assert!(matches!(leaks::notify(&t.owner(), report.id).await, Err(Error::NotFound)));
        assert!(matches!(leaks::close(&t.owner(), report.id, "x").await, Err(Error::NotFound)));
        assert_eq!(leaks::list(&t.owner(), LeakFilter::default(), PageQuery::default()).await.unwrap().data, []);
    }
}

on_both! {
    async fn s36_a_test_key_looks_up_test_keys_only(t) {
        let (_, live) = key(&t, "live").await;
        let mut form = t.form("test", "admin");
        form.environment = "test".into();
        let test = keys::create_from_form(&t.owner(), &form).await.unwrap().key.unwrap();
        let text = format!("{live} {test}");
        let found = leaks::lookup(&as_key(&t, &test), &text).await.unwrap();
        assert_eq!((found.matches.len(), found.matches[0].key.name.as_str(), found.unknown), (1, "test", 1));
        assert_eq!(leaks::lookup(&t.owner(), &text).await.unwrap().matches.len(), 2);
    }
}

on_both! {
    async fn s36_a_test_key_sees_and_acts_on_reports_of_test_keys_only(t) {
        let (_, live) = key(&t, "live").await;
        let mut form = t.form("test", "admin");
        form.environment = "test".into();
        let test = keys::create_from_form(&t.owner(), &form).await.unwrap().key.unwrap();
        let found = leaks::lookup(&t.owner(), &format!("{live} {test}")).await.unwrap().matches;
        let desk = as_key(&t, &test);
        assert!(matches!(leaks::report(&desk, found[0].secret.id, "").await, Err(Error::NotFound)));
        let of_live = leaks::report(&t.owner(), found[0].secret.id, "").await.unwrap().id;
        let of_test = leaks::report(&desk, found[1].secret.id, "").await.unwrap().id;
        assert!(matches!(leaks::get(&desk, of_live).await, Err(Error::NotFound)));
        assert!(matches!(leaks::notify(&desk, of_live).await, Err(Error::NotFound)));
        assert!(matches!(leaks::close(&desk, of_live, "known").await, Err(Error::NotFound)));
        let all = |ctx: Ctx| async move { leaks::list(&ctx, LeakFilter::default(), PageQuery::default()).await.unwrap().data.len() };
        assert_eq!((all(desk.clone()).await, all(t.owner()).await), (1, 2));
        assert_eq!(leaks::get(&desk, of_test).await.unwrap().found.key.name, "test");
        leaks::close(&desk, of_test, "known").await.unwrap();
    }
}

on_both! {
    async fn a_key_of_our_form_that_another_installation_made_is_found_and_ended_as_well(t) {
        use aws_lc_rs::digest::{SHA256, digest};
        let foreign = unknown_key(&t);
        assert_eq!(leaks::lookup(&support(&t), &foreign).await.unwrap().unknown, 1);
        let hex: String = digest(&SHA256, foreign.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
        let body = serde_json::json!({"name": "moved", "scopes": ["read"], "digest": hex, "prefix": &foreign[..9], "last_four": &foreign[foreign.len() - 4..]});
        let made = keys::import(&t.owner(), serde_json::from_value(body).unwrap()).await.unwrap();
        assert_eq!(code(&t, &foreign), Code::Valid);
        let found = leaks::lookup(&support(&t), &format!("KEY={foreign}")).await.unwrap();
        assert_eq!((found.matches[0].key.id, found.unknown), (made.id, 0));
        leaks::report_publicly(&t.as_who(Who::Anonymous), &foreign).await.unwrap();
        assert_eq!(code(&t, &foreign), Code::Revoked);
        assert_eq!(keys::get(&t.owner(), made.id).await.unwrap().state, KeyState::Revoked);
    }
}

on_both! {
    async fn s77_no_text_that_is_kept_takes_a_key(t) {
        let owner = t.owner();
        let (made, secret) = key(&t, "checkout").await;
        let pasted = format!("rotate {secret} soon");
        let said = |e: Error| match e {
            Error::Invalid(fields) => (fields.0[0].field.clone(), fields.0[0].code.clone()),
            other => panic!("{other:?}"),
        };
        let credential = |field: &str| (field.to_owned(), "contains_credential".to_owned());
        let body = |v: serde_json::Value| serde_json::from_value::<contract::CreateKeyBody>(v).unwrap();
        let change = |v: serde_json::Value| serde_json::from_value::<contract::UpdateKeyBody>(v).unwrap();
        let note = serde_json::json!({"note": {"was": [&pasted]}});
        let named = keys::create_from_body(&owner, &body(serde_json::json!({"name": pasted, "scopes": ["read"]}))).await;
        assert_eq!(said(named.unwrap_err()), credential("name"));
        let noted = keys::create_from_body(&owner, &body(serde_json::json!({"name": "k", "scopes": ["read"], "metadata": note}))).await;
        assert_eq!(said(noted.unwrap_err()), credential("metadata"));
        assert_eq!(said(keys::update_from_body(&owner, made.id, &change(serde_json::json!({"name": secret}))).await.unwrap_err()), credential("name"));
        assert_eq!(said(keys::update_from_body(&owner, made.id, &change(serde_json::json!({"metadata": note}))).await.unwrap_err()), credential("metadata"));
        assert_eq!(said(keys::revoke(&owner, made.id, Some(&pasted)).await.unwrap_err()), credential("reason"));
        assert_eq!(said(keys::bulk_revoke(&owner, &[made.id], Some(&pasted)).await.unwrap_err()), credential("reason"));
        let scope = contract::ScopeBody { name: Some("users:read".into()), description: Some(pasted.clone()) };
        assert_eq!(said(domain::scopes::create(&owner, &scope).await.unwrap_err()), credential("description"));
        let tenant = TenantName::parse(&pasted).unwrap();
        assert_eq!(said(tenants::create(&owner, &tenant, None).await.unwrap_err()), credential("name"));
        let found = leaks::lookup(&owner, &secret).await.unwrap().matches.remove(0);
        assert_eq!(said(leaks::report(&owner, found.secret.id, &pasted).await.unwrap_err()), credential("note"));
        assert!(!t.dump().await.contains(&secret));
    }
}

on_both! {
    async fn every_search_is_recorded_on_the_keys_it_found(t) {
        let (made, secret) = key(&t, "checkout").await;
        leaks::lookup(&support(&t), &format!("{secret} {secret} {}", unknown_key(&t))).await.unwrap();
        leaks::lookup(&support(&t), "nothing here").await.unwrap();
        assert_eq!(actions(&t.owner(), &made.id.to_string()).await, ["api_key.created", "leak.looked_up"]);
        let all = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        assert_eq!((all[0].action.as_str(), &all[0].after.as_ref().unwrap()["matches"]), ("leak.looked_up", &serde_json::json!(0)));
        assert_eq!(all[1].after.as_ref().unwrap()["last_four"], made.last_four);
        assert!(matches!(audit::verify_chain(&t.owner()).await.unwrap(), audit::Chain::Whole(_)));
    }
}

on_both! {
    async fn a_report_is_notified_acted_on_and_closed_with_a_timeline(t) {
        let (made, secret) = key(&t, "checkout").await;
        let desk = support(&t);
        let found = leaks::lookup(&desk, &secret).await.unwrap().matches.remove(0);
        let report = leaks::report(&desk, found.secret.id, " in a public repository ").await.unwrap();
        assert_eq!((report.source, report.effect, report.state), (LeakSource::Desk, LeakEffect::Recorded, LeakState::Open));
        assert_eq!((report.note.as_deref(), report.secret_state), (Some("in a public repository"), SecretState::Current));
        assert_eq!(leaks::report(&desk, found.secret.id, "again").await.unwrap().id, report.id, "one open report a secret");
        assert_eq!(leaks::lookup(&desk, &secret).await.unwrap().matches[0].report, Some(report.id));
        assert!(leaks::notify(&desk, report.id).await.unwrap().notified_at.is_some());
        assert!(matches!(leaks::notify(&desk, report.id).await, Err(Error::Conflict(_))));
        assert!(t.dump().await.contains("owner@acme.test"));
        assert!(matches!(leaks::close(&desk, report.id, "").await, Err(Error::Invalid(f)) if f.get("reason").is_some()), "the secret still works");
        keys::revoke(&desk, made.id, Some("leaked")).await.unwrap();
        let closed = leaks::close(&desk, report.id, "").await.unwrap();
        assert_eq!((closed.state, closed.secret_state), (LeakState::Closed, SecretState::Dead));
        assert!(matches!(leaks::close(&desk, report.id, "").await, Err(Error::Conflict(_))));
        assert!(matches!(leaks::notify(&desk, report.id).await, Err(Error::Conflict(_))));
        let detail = leaks::get(&desk, report.id).await.unwrap();
        let line: Vec<&str> = detail.timeline.iter().map(|e| e.action.as_str()).collect();
        assert_eq!(line, ["api_key.created", "leak.looked_up", "api_key.leaked", "leak.looked_up", "leak.notified", "api_key.revoked", "leak.closed"]);
        assert_eq!((detail.report.state, detail.found.key.state, detail.found.line), (LeakState::Closed, KeyState::Revoked, 0));
        let topics = t.outbox().await;
        for topic in ["api_key.leaked", "leak.notified"] {
            assert_eq!(topics.iter().filter(|(t, _)| t == topic).count(), 1, "{topic}");
        }
        let told = &topics.iter().find(|(t, _)| t == "leak.notified").unwrap().1;
        assert_eq!(told["after"]["to"], serde_json::json!(["owner@acme.test"]));
    }
}

on_both! {
    async fn reports_are_listed_by_page_state_and_key(t) {
        let mut made = Vec::new();
        for n in 0..5 {
            let (key, secret) = key(&t, &format!("job_{n}")).await;
            let found = leaks::lookup(&t.owner(), &secret).await.unwrap().matches.remove(0);
            made.push((key.id, leaks::report(&t.owner(), found.secret.id, "").await.unwrap()));
        }
        leaks::close(&t.owner(), made[1].1.id, "a false alarm").await.unwrap();
        let all = leaks::list(&t.owner(), LeakFilter::default(), PageQuery { limit: 3, cursor: None }).await.unwrap();
        let rest = leaks::list(&t.owner(), LeakFilter::default(), PageQuery { limit: 3, cursor: all.next_cursor }).await.unwrap();
        let names: Vec<_> = all.data.iter().chain(&rest.data).map(|r| r.key_name.as_str()).collect();
        assert_eq!((names, rest.next_cursor), (vec!["job_4", "job_3", "job_2", "job_1", "job_0"], None));
        let open = LeakFilter { state: Some(LeakState::Open), key_id: None };
        assert_eq!(leaks::list(&t.owner(), open, PageQuery::default()).await.unwrap().data.len(), 4);
        let one = LeakFilter { state: Some(LeakState::Closed), key_id: Some(made[1].0) };
        assert_eq!(leaks::list(&t.owner(), one, PageQuery::default()).await.unwrap().data[0].closed_by.as_deref(), Some("owner@acme.test"));
    }
}

on_both! {
    async fn a_key_without_an_owner_notifies_the_tenants_owners(t) {
        let made = keys::create_from_form(&t.as_who(Who::CommandLine(t.first.tenant_id)), &t.form("orphan", "read")).await.unwrap();
        assert_eq!(made.api_key.owner, None);
        let found = leaks::lookup(&t.owner(), &made.key.unwrap()).await.unwrap().matches.remove(0);
        let report = leaks::report(&t.owner(), found.secret.id, "").await.unwrap();
        leaks::notify(&t.owner(), report.id).await.unwrap();
        let told = t.outbox().await.into_iter().find(|(t, _)| t == "leak.notified").unwrap().1;
        assert_eq!(told["after"]["to"], serde_json::json!(["owner@acme.test"]));
    }
}

on_both! {
    async fn a_public_report_of_an_old_secret_never_kills_its_successor(t) {
        let (made, old, current) = rotated(&t).await;
        let anybody = t.as_who(Who::Anonymous);
        leaks::report_publicly(&anybody, &format!("found: {old}")).await.unwrap();
        assert_eq!((code(&t, &old), code(&t, &current)), (Code::Revoked, Code::Valid));
        let now = keys::get(&t.owner(), made.id).await.unwrap();
        assert_eq!(now.state, KeyState::Active);
        assert_eq!(actions(&t.owner(), &made.id.to_string()).await, ["api_key.created", "api_key.leaked"]);
        let report = leaks::list(&t.owner(), LeakFilter::default(), PageQuery::default()).await.unwrap().data.remove(0);
        assert_eq!((report.source, report.effect, report.secret_state), (LeakSource::Public, LeakEffect::Revoked, SecretState::Dead));
        assert_eq!(report.reported_by, "anonymous");
        // The current one is the last that works: now the key ends.
        leaks::report_publicly(&anybody, &current).await.unwrap();
        assert_eq!(code(&t, &current), Code::Revoked);
        assert_eq!(keys::get(&t.owner(), made.id).await.unwrap().state, KeyState::Revoked);
        let actions = actions(&t.owner(), &made.id.to_string()).await;
        assert_eq!(actions[1..], ["api_key.leaked", "api_key.leaked", "api_key.revoked"]);
        assert!(matches!(audit::verify_chain(&t.owner()).await.unwrap(), audit::Chain::Whole(_)));
    }
}

on_both! {
    async fn a_public_report_of_the_current_secret_leaves_the_old_one_its_grace(t) {
        let (made, old, current) = rotated(&t).await;
        leaks::report_publicly(&t.as_who(Who::Anonymous), &current).await.unwrap();
        assert_eq!((code(&t, &old), code(&t, &current)), (Code::Valid, Code::Revoked));
        assert_eq!(keys::get(&t.owner(), made.id).await.unwrap().state, KeyState::Active);
        let found = leaks::lookup(&t.owner(), &format!("{old} {current}")).await.unwrap().matches;
        assert_eq!((found[0].secret.state, found[1].secret.state), (SecretState::Grace, SecretState::Dead));
        t.clock.advance(Duration::from_secs(3600));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(code(&t, &old), Code::Revoked);
    }
}

on_both! {
    async fn s34_a_public_report_holds_in_every_process(t) {
        let (_, secret) = key(&t, "checkout").await;
        let other = t.second_process().await;
        leaks::report_publicly(&Ctx::new(other.clone(), Who::Anonymous, RequestInfo::default()), &secret).await.unwrap();
        let there = verify::check(&other, &secret, None, &Requirement::default(), None, true).unwrap().code;
        assert_eq!((there, code(&t, &secret)), (Code::Revoked, Code::Valid));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(code(&t, &secret), Code::Revoked);
        let fresh = t.second_process().await;
        assert_eq!(verify::check(&fresh, &secret, None, &Requirement::default(), None, true).unwrap().code, Code::Revoked, "after a restart, too");
        other.stop().await;
        fresh.stop().await;
    }
}

on_both! {
    async fn gateway_and_platform_keys_only_alert(t) {
        let anybody = t.as_who(Who::Anonymous);
        let text = format!("{} {}", t.first.api_key, t.first.gateway_key);
        for _ in 0..3 {
            leaks::report_publicly(&anybody, &text).await.unwrap();
        }
        assert_eq!((code(&t, &t.first.api_key), code(&t, &t.first.gateway_key)), (Code::Valid, Code::Valid));
        let reports = leaks::list(&t.owner(), LeakFilter::default(), PageQuery::default()).await.unwrap().data;
        assert_eq!(reports.len(), 2, "sending them again changes nothing");
        assert!(reports.iter().all(|r| r.effect == LeakEffect::Alerted && r.secret_state == SecretState::Current));
        assert_eq!(t.outbox().await.iter().filter(|(t, _)| t == "api_key.leaked").count(), 2);
        for report in &reports {
            assert_eq!(actions(&t.owner(), &report.key_id.to_string()).await, ["api_key.created", "api_key.leaked"]);
        }
        // A report that somebody closed while the key lives does not silence the next one.
        leaks::close(&t.owner(), reports[0].id, "a false alarm").await.unwrap();
        leaks::report_publicly(&anybody, &text).await.unwrap();
        assert_eq!(t.outbox().await.iter().filter(|(t, _)| t == "api_key.leaked").count(), 3);
    }
}

on_both! {
    async fn a_public_report_acts_although_the_desk_has_one_open(t) {
        let (made, secret) = key(&t, "checkout").await;
        let found = leaks::lookup(&t.owner(), &secret).await.unwrap().matches.remove(0);
        let report = leaks::report(&t.owner(), found.secret.id, "").await.unwrap();
        leaks::report_publicly(&t.as_who(Who::Anonymous), &secret).await.unwrap();
        assert_eq!(code(&t, &secret), Code::Revoked);
        let now = leaks::get(&t.owner(), report.id).await.unwrap();
        assert_eq!((now.report.effect, now.report.source, now.found.key.state), (LeakEffect::Revoked, LeakSource::Desk, KeyState::Revoked));
        assert_eq!(now.report.key_id, made.id);
    }
}

on_both! {
    async fn a_dead_secret_is_noted_once_and_raises_no_alarm(t) {
        let (made, secret) = key(&t, "gone").await;
        revoke(&t.owner(), &made).await;
        for _ in 0..3 {
            leaks::report_publicly(&t.as_who(Who::Anonymous), &secret).await.unwrap();
        }
        let reports = leaks::list(&t.owner(), LeakFilter::default(), PageQuery::default()).await.unwrap().data;
        assert_eq!((reports.len(), reports[0].effect), (1, LeakEffect::AlreadyDead));
        leaks::close(&t.owner(), reports[0].id, "").await.unwrap();
        leaks::report_publicly(&t.as_who(Who::Anonymous), &secret).await.unwrap();
        assert_eq!(actions(&t.owner(), &made.id.to_string()).await, ["api_key.created", "api_key.revoked", "leak.reported", "leak.closed"]);
        assert!(!t.outbox().await.iter().any(|(t, _)| t == "api_key.leaked"));
    }
}

on_both! {
    async fn a_disabled_or_expired_key_ends_by_a_report_too(t) {
        let mut form = t.form("expired", "read");
        form.expires = "7".into();
        let made = keys::create_from_form(&t.owner(), &form).await.unwrap();
        let secret = made.key.unwrap();
        t.clock.advance(Duration::from_secs(8 * 86_400));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(code(&t, &secret), Code::Expired);
        leaks::report_publicly(&t.as_who(Who::Anonymous), &secret).await.unwrap();
        assert_eq!(code(&t, &secret), Code::Revoked, "prolonging it would revive a leaked secret");
    }
}

on_both! {
    async fn parallel_reports_of_one_key_act_once(t) {
        let (made, secret) = key(&t, "checkout").await;
        let anybody = t.as_who(Who::Anonymous);
        let send = || leaks::report_publicly(&anybody, &secret);
        let all = tokio::join!(send(), send(), send(), send(), send(), send());
        for one in [all.0, all.1, all.2, all.3, all.4, all.5] {
            one.unwrap();
        }
        assert_eq!(actions(&t.owner(), &made.id.to_string()).await, ["api_key.created", "api_key.leaked", "api_key.revoked"]);
        assert_eq!(code(&t, &secret), Code::Revoked);
    }
}

on_both! {
    async fn texts_and_keys_of_one_report_are_bounded(t) {
        let mut secrets = Vec::new();
        for n in 0..11 {
            secrets.push(key(&t, &format!("k{n}")).await.1);
        }
        let anybody = t.as_who(Who::Anonymous);
        let too_long = |e: Error| matches!(e, Error::Refused(ErrorCode::PayloadTooLarge, _));
        assert!(too_long(leaks::report_publicly(&anybody, &"x".repeat(leaks::PUBLIC_BYTES + 1)).await.unwrap_err()));
        assert!(too_long(leaks::lookup(&t.owner(), &"x".repeat(leaks::LOOKUP_BYTES + 1)).await.unwrap_err()));
        let full = format!("{}{}", "x".repeat(leaks::LOOKUP_BYTES - secrets[0].len()), secrets[0]);
        assert_eq!(leaks::lookup(&t.owner(), &full).await.unwrap().matches.len(), 1);
        let many: Vec<String> = (0..leaks::LOOKUP_KEYS).map(|_| unknown_key(&t)).collect();
        let found = leaks::lookup(&t.owner(), &format!("{} {}", many.join(" "), secrets[0])).await.unwrap();
        assert_eq!((found.matches.len(), found.unknown, found.truncated), (0, 200, true));
        // The same key twice is one key.
        leaks::report_publicly(&anybody, &format!("{0} {0} {1}", secrets[0], secrets.join(" "))).await.unwrap();
        let codes: Vec<Code> = secrets.iter().map(|s| code(&t, s)).collect();
        assert_eq!(codes[..10], [Code::Revoked; 10]);
        assert_eq!(codes[10], Code::Valid, "the eleventh is not looked at");
    }
}

on_both! {
    async fn support_looks_up_and_revokes_and_sees_no_more(t) {
        let (made, secret) = key(&t, "checkout").await;
        let desk = support(&t);
        let denied = |e: Option<Error>, what: &str| assert!(matches!(e, Some(Error::Denied(_))), "{what}: {e:?}");
        denied(keys::list(&desk, &KeyFilter::default(), PageQuery::default()).await.err(), "keys::list");
        denied(keys::get(&desk, made.id).await.err(), "keys::get");
        denied(keys::catalogue(&desk).await.err(), "keys::catalogue");
        denied(keys::create_from_form(&desk, &t.form("mine", "read")).await.err(), "keys::create_from_form");
        denied(usage::list(&desk, &UsageFilter::default(), Environment::Live, PageQuery::default()).await.err(), "usage::list");
        denied(audit::list(&desk, &AuditFilter::default(), PageQuery::default()).await.err(), "audit::list");
        denied(audit::verify_chain(&desk).await.err(), "audit::verify_chain");
        let body = serde_json::json!({"credential": secret});
        denied(verify::verify(&desk, &serde_json::from_value(body).unwrap()).await.err(), "verify::verify");
        let logged = verify::Logged::default();
        denied(verify::forward_auth(&desk, &verify::Sent::One(secret.clone()), None, &Requirement::default(), None, logged).await.err(), "verify::forward_auth");
        let tenant = tenants::create(&desk, &TenantName::parse("X").unwrap(), None).await;
        assert!(matches!(tenant, Err(Error::Refused(ErrorCode::Forbidden, _))), "tenants::create: {tenant:?}");
        assert_eq!(leaks::lookup(&desk, &secret).await.unwrap().matches.len(), 1);
        assert_eq!(keys::impact(&desk, made.id).await.unwrap().allowed_30d, 0);
        assert_eq!(keys::revoke(&desk, made.id, Some("a customer sent it")).await.unwrap().state, KeyState::Revoked);
        // Others do not look up: a developer neither, nor security, who see the reports.
        for role in [Role::Developer, Role::Security] {
            let other = t.member(UserId::from_uuid(Uuid::from_u128(7)), t.first.tenant_id, role);
            denied(leaks::lookup(&other, &secret).await.err(), role.as_str());
            assert_eq!(leaks::list(&other, LeakFilter::default(), PageQuery::default()).await.is_ok(), role == Role::Security);
        }
        let nobody = t.as_who(Who::Anonymous);
        assert!(matches!(leaks::lookup(&nobody, &secret).await, Err(Error::Unauthenticated)));
        assert!(matches!(leaks::list(&nobody, LeakFilter::default(), PageQuery::default()).await, Err(Error::Unauthenticated)));
    }
}

/// What support holds is asked for where keys and leaks are, and nowhere else: a new call elsewhere is closed to it.
#[test]
fn what_support_holds_opens_keys_and_leaks_only() {
    let mut dirs = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut asked = 0;
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for perm in Role::Support.perms() {
                let n = text.matches(&format!("require(Perm::{perm:?})")).count();
                asked += n;
                let here = path.components().any(|c| c.as_os_str() == "keys" || c.as_os_str() == "leaks");
                assert!(n == 0 || here, "{} asks for {perm}", path.display());
            }
        }
    }
    assert!(asked >= 7, "{asked}");
}

on_both! {
    async fn s77_neither_the_text_nor_a_key_in_it_is_kept(t) {
        let (_, secret) = key(&t, "checkout").await;
        let (_, reported) = key(&t, "reported").await;
        let unknown = unknown_key(&t);
        let text = |key: &str| format!("canary-before {key} canary-after {unknown}");
        let found = leaks::lookup(&support(&t), &text(&secret)).await.unwrap();
        let report = leaks::report(&support(&t), found.matches[0].secret.id, "seen in a paste").await.unwrap();
        leaks::notify(&support(&t), report.id).await.unwrap();
        // People paste keys into notes; those are kept, so they are refused.
        for field in ["note", "reason"] {
            let refused = match field {
                "note" => leaks::report(&support(&t), found.matches[0].secret.id, &text(&secret)).await.err(),
                _ => leaks::close(&support(&t), report.id, &text(&secret)).await.err(),
            };
            let refused = refused.unwrap();
            assert!(!format!("{refused:?}{refused}").contains("canary"));
            assert!(matches!(refused, Error::Invalid(f) if f.get(field).is_some()));
        }
        leaks::close(&support(&t), report.id, "known").await.unwrap();
        leaks::report_publicly(&t.as_who(Who::Anonymous), &text(&reported)).await.unwrap();
        let said = serde_json::to_string(&(&found, leaks::get(&t.owner(), report.id).await.unwrap())).unwrap();
        let audited = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap();
        let outbox = format!("{:?}", t.outbox().await);
        let everything = [said, serde_json::to_string(&audited).unwrap(), outbox, t.dump().await].concat();
        assert!(everything.contains("leak.looked_up") && everything.contains("seen in a paste"));
        for canary in ["canary-", &secret[12..40], &reported[12..40], &unknown[9..40]] {
            assert!(!everything.contains(canary), "{canary}");
        }
    }
}

/// An app of the first tenant, with its secret.
async fn app(ctx: &Ctx, name: &str) -> (contract::AppId, String) {
    let body = serde_json::json!({"name": name, "kind": "machine", "scopes": ["users:read"]});
    let made = oauth::create(ctx, &serde_json::from_value(body).unwrap()).await.unwrap();
    (made.app.id, made.client_secret.unwrap())
}

/// Does the app get a token with it?
async fn proves(t: &TestInstallation, id: contract::AppId, secret: &str) -> bool {
    let presented =
        oauth::Presented { id: Some(id.to_string()), secret: Some(contract::Secret::new(secret.to_owned())), ..Default::default() };
    oauth::authenticate(&t.as_who(Who::Anonymous), &presented).await.is_ok()
}

on_both! {
    async fn secrets_of_apps_are_found_and_ended_alone_and_the_apps_people_are_told(t) {
        let (id, old) = app(&t.owner(), "Ledger").await;
        let body = serde_json::from_value(serde_json::json!({"grace_seconds": 3_600})).unwrap();
        let current = oauth::rotate_secret(&t.owner(), id, &body).await.unwrap().client_secret.unwrap();
        let typo = format!("{}{}", &old[..old.len() - 1], if old.ends_with('0') { '1' } else { '0' });
        let text = format!("CLIENT_SECRET={old}\n{typo}\nx{current}x {old}\n{}", unknown_key(&t));
        let found = leaks::lookup(&support(&t), &text).await.unwrap();
        assert_eq!((found.matches.len(), found.unknown, found.truncated), (0, 1, false));
        let seen: Vec<_> = found.apps.iter().map(|a| (a.app.id, a.secret.state, a.line, a.times)).collect();
        assert_eq!(seen, [(id, SecretState::Grace, 1, 2), (id, SecretState::Current, 3, 1)]);
        let first = &found.apps[0];
        assert_eq!((first.app.name.as_str(), first.app.owner.as_deref(), first.tenant.name.as_str()), ("Ledger", Some("owner@acme.test"), "Acme"));
        assert_eq!(first.secret.last_four, old[old.len() - 4..]);
        // At the desk: the one that was found, not the other.
        let ended = leaks::end_app_secret(&support(&t), first.secret.id).await.unwrap();
        assert_eq!(ended.secret.state, SecretState::Dead);
        assert_eq!((proves(&t, id, &old).await, proves(&t, id, &current).await), (false, true));
        leaks::end_app_secret(&support(&t), first.secret.id).await.unwrap();
        // By anybody who has it, in the open: at once, and once.
        for _ in 0..2 {
            leaks::report_publicly(&t.as_who(Who::Anonymous), &format!("{current} {typo}")).await.unwrap();
        }
        assert!(!proves(&t, id, &current).await);
        let mut told = actions(&t.owner(), &id.to_string()).await;
        told.retain(|action| action != "oauth_app.refused");
        assert_eq!(told, ["oauth_app.created", "oauth_app.secret_rotated", "leak.looked_up", "leak.looked_up", "oauth_app.secret_leaked", "oauth_app.secret_leaked"]);
        let mails = domain::mail::outbox(&t.owner(), PageQuery::default()).await.unwrap().data;
        assert_eq!(mails.iter().filter(|m| m.subject == "A secret of the app Ledger leaked and was ended" && m.to == "owner@acme.test").count(), 2, "{mails:?}");
        // The app gets another one and goes on; what was ended stays so.
        let next = oauth::rotate_secret(&t.owner(), id, &body).await.unwrap().client_secret.unwrap();
        assert_eq!((proves(&t, id, &next).await, proves(&t, id, &current).await), (true, false));
        assert_eq!(leaks::lookup(&support(&t), &current).await.unwrap().apps[0].secret.state, SecretState::Dead);
    }
}

on_both! {
    async fn s36_s66_secrets_of_apps_are_unknown_to_other_tenants_test_credentials_and_other_developers(t) {
        let there = tenants::create(&t.owner(), &TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let line = t.as_who(Who::CommandLine(there.id));
        let (foreign, secret) = app(&line, "Theirs").await;
        let found = leaks::lookup(&support(&t), &secret).await.unwrap();
        assert_eq!((found.apps.len(), found.unknown), (0, 1));
        assert_eq!(actions(&line, &foreign.to_string()).await, ["oauth_app.created"], "no trace of a search that may not know it");
        let theirs = leaks::lookup(&line, &secret).await.unwrap().apps[0].secret.id;
        assert!(matches!(leaks::end_app_secret(&support(&t), theirs).await, Err(Error::NotFound)));
        let (_, own) = app(&t.owner(), "Ours").await;
        let ours = leaks::lookup(&t.owner(), &own).await.unwrap().apps[0].secret.id;
        let member = |id, role| t.member(id, t.first.tenant_id, role);
        let stranger = member(UserId::from_uuid(Uuid::from_u128(9)), Role::Developer);
        assert!(matches!(leaks::end_app_secret(&stranger, ours).await, Err(Error::NotFound)));
        let mut form = t.form("test", "admin");
        form.environment = "test".into();
        let test = keys::create_from_form(&t.owner(), &form).await.unwrap().key.unwrap();
        assert_eq!(leaks::lookup(&as_key(&t, &test), &own).await.unwrap().unknown, 1);
        assert!(matches!(leaks::end_app_secret(&as_key(&t, &test), ours).await, Err(Error::Refused(ErrorCode::EnvironmentMismatch, _))));
        leaks::end_app_secret(&member(t.first.user_id, Role::Developer), ours).await.unwrap();
        assert!(!own.is_empty() && code(&t, &own) == Code::Malformed, "a secret of an app is no credential by itself");
    }
}
