//! Create, edit, disable, rotate, revoke, import: what each promises.

use contract::{
    AuditFilter, Code, CreateKeyBody, CreatedKey, Environment, ErrorCode, ImportKeyBody, KeyFilter, KeyForm, KeyId, KeyState, PageQuery,
    Perm, Requirement, Role, RotateBody, UpdateKeyBody, UserId,
};
use domain::{Ctx, Error, Who, audit, keys, leaks, on_both, tenants, testing::TestInstallation, verify};
use serde_json::{Value, json};
use std::time::Duration;

fn sent(extra: Value) -> CreateKeyBody {
    let mut all = json!({"name": "jobs", "scopes": ["read"]});
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

async fn made(ctx: &Ctx, extra: Value) -> CreatedKey {
    keys::create_from_body(ctx, &sent(extra)).await.unwrap()
}

/// A key of the owner's making, as a caller.
async fn maker(t: &TestInstallation, extra: Value) -> Ctx {
    let secret = made(&t.owner(), extra).await.key.unwrap();
    t.with_key(&secret)
}

fn patch(change: Value) -> UpdateKeyBody {
    serde_json::from_value(change).unwrap()
}

fn code(t: &TestInstallation, secret: &str) -> Code {
    verify::check(&t.core, secret, None, &Requirement::default(), None, true).unwrap().code
}

fn field(refused: Result<impl std::fmt::Debug, Error>) -> String {
    match refused {
        Err(Error::Invalid(fields)) => fields.0[0].field.clone(),
        other => panic!("no field error: {other:?}"),
    }
}

fn grace(seconds: i64) -> RotateBody {
    RotateBody { grace_seconds: Some(seconds) }
}

async fn stranger(t: &TestInstallation) -> Ctx {
    let line = t.as_who(Who::CommandLine(t.first.tenant_id));
    let other = tenants::create(&line, &contract::TenantName::parse("Other").unwrap(), None).await.unwrap();
    t.member(UserId::from_uuid(t.core.new_uuid()), other.id, Role::Owner)
}

on_both! {
    async fn a_key_of_a_body_has_everything_that_the_body_says(t) {
        let made = made(&t.owner(), json!({"kind": "restricted", "environment": "test", "expires_in_days": 30, "allowed_ips": ["203.0.113.0/24"],
            "rate_limit": {"per_hour": 60, "per_second": 2}, "metadata": {"team": "core"}, "owner": "OWNER@acme.test"})).await;
        assert!(made.key.unwrap().starts_with("rk_test_"));
        let key = keys::get(&t.owner(), made.api_key.id).await.unwrap();
        assert_eq!(key, made.api_key);
        assert_eq!((key.state, key.environment, key.expires_at), (KeyState::Active, Environment::Test, Some(t.core.now().plus(30 * 86_400_000))));
        assert_eq!((key.metadata, key.rate_limit.map(|l| l.per_hour), key.owner.as_deref()), (json!({"team": "core"}), Some(60), Some("owner@acme.test")));
        assert_eq!(field(keys::create_from_body(&t.owner(), &sent(json!({"owner": "nobody@acme.test"}))).await), "owner");
        let by_id = keys::create_from_body(&t.owner(), &sent(json!({"owner": t.first.user_id}))).await.unwrap();
        assert_eq!(by_id.api_key.owner.as_deref(), Some("owner@acme.test"));
    }
}

on_both! {
    async fn a_key_that_begins_later_is_active_and_not_yet_valid(t) {
        let from = t.core.now().plus(5_000);
        let made = made(&t.owner(), json!({"not_before": from.to_string()})).await;
        let secret = made.key.unwrap();
        assert_eq!((made.api_key.state, made.api_key.not_before), (KeyState::Active, Some(from)));
        assert_eq!(keys::get(&t.owner(), made.api_key.id).await.unwrap().state, KeyState::Active);
        assert_eq!(code(&t, &secret), Code::NotYetValid);
        t.clock.advance(Duration::from_millis(5_000));
        assert_eq!(code(&t, &secret), Code::Valid);
        assert!(!KeyState::ALL.iter().any(|s| s.as_str() == "pending"));
    }
}

on_both! {
    async fn an_edit_holds_for_the_next_decision_and_the_log_names_what_changed(t) {
        let made = made(&t.owner(), json!({"expires_in_days": 1, "metadata": {"a": 1}})).await;
        let (id, secret) = (made.api_key.id, made.key.unwrap());
        let changed = keys::update_from_body(&t.owner(), id, &patch(json!({"name": "Exports", "scopes": ["users:write"], "expires_at": null,
            "allowed_ips": ["203.0.113.9"], "rate_limit": {"per_hour": 9, "per_second": 3}, "metadata": {"b": 2}, "owner": null}))).await.unwrap();
        assert_eq!(keys::get(&t.owner(), id).await.unwrap(), changed);
        assert_eq!((changed.name.as_str(), changed.expires_at, changed.owner.clone()), ("Exports", None, None));
        assert_eq!(code(&t, &secret), Code::IpNotAllowed);
        let found = keys::list(&t.owner(), &KeyFilter { q: Some("exports".into()), ..KeyFilter::default() }, PageQuery::default()).await.unwrap();
        assert_eq!(found.data.len(), 1, "the search knows the new name");
        let event = audit::list(&t.owner(), &AuditFilter { target_id: Some(id.to_string()) }, PageQuery::default()).await.unwrap().data.remove(0);
        assert_eq!(event.action, "api_key.updated");
        let mut members: Vec<String> = event.after.unwrap().as_object().unwrap().keys().cloned().collect();
        members.sort();
        assert_eq!(members, ["allowed_ips", "expires_at", "metadata", "name", "owner", "rate_limit", "scopes"]);
        // Nothing changes, nothing is written.
        let before = audit::list(&t.owner(), &AuditFilter { target_id: Some(id.to_string()) }, PageQuery::default()).await.unwrap().data.len();
        keys::update_from_body(&t.owner(), id, &patch(json!({"name": "Exports"}))).await.unwrap();
        let after = audit::list(&t.owner(), &AuditFilter { target_id: Some(id.to_string()) }, PageQuery::default()).await.unwrap().data.len();
        assert_eq!(before, after);
        assert_eq!(field(keys::update_from_body(&t.owner(), id, &patch(json!({"expires_at": "2001-01-01T00:00:00Z"}))).await), "expires_at");
        keys::revoke(&t.owner(), id, None).await.unwrap();
        assert!(matches!(keys::update_from_body(&t.owner(), id, &patch(json!({"name": "x"}))).await, Err(Error::Conflict(_))));
    }
}

on_both! {
    async fn an_expired_key_lives_again_with_a_later_expiry(t) {
        let made = made(&t.owner(), json!({"expires_in_days": 1})).await;
        let (id, secret) = (made.api_key.id, made.key.unwrap());
        t.clock.advance(Duration::from_millis(86_400_000 - 1));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(code(&t, &secret), Code::Valid);
        t.clock.advance(Duration::from_millis(1));
        assert_eq!((code(&t, &secret), keys::get(&t.owner(), id).await.unwrap().state), (Code::Expired, KeyState::Expired));
        assert!(matches!(keys::rotate(&t.owner(), id, &grace(0)).await, Err(Error::Conflict(_))));
        let renamed = keys::update_from_body(&t.owner(), id, &patch(json!({"name": "still"}))).await.unwrap();
        assert_eq!(renamed.state, KeyState::Expired);
        let later = t.core.now().plus(1_000).to_string();
        let alive = keys::update_from_body(&t.owner(), id, &patch(json!({"expires_at": later}))).await.unwrap();
        assert_eq!((alive.state, code(&t, &secret)), (KeyState::Active, Code::Valid));
    }
}

on_both! {
    async fn the_edit_form_changes_what_it_shows_and_keeps_the_rest(t) {
        let made = made(&t.owner(), json!({"kind": "restricted", "rate_limit": {"per_hour": 9, "per_second": 3}, "metadata": {"a": 1}})).await;
        let form = KeyForm { name: "new".into(), more_scopes: "write".into(), expires: "never".into(), ..KeyForm::default() };
        let changed = keys::update_from_form(&t.owner(), made.api_key.id, &form).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.scopes.joined().as_str(), changed.kind), ("new", "write", made.api_key.kind));
        assert_eq!((changed.rate_limit, changed.metadata, changed.owner), (made.api_key.rate_limit, json!({"a": 1}), made.api_key.owner));
        let form = KeyForm { per_hour: Some(String::new()), metadata: Some("{\"b\": 2}".into()), owner: Some(" ".into()), ..form };
        let changed = keys::update_from_form(&t.owner(), made.api_key.id, &form).await.unwrap();
        assert_eq!((changed.rate_limit, changed.metadata, changed.owner), (None, json!({"b": 2}), None));
        let form = KeyForm { metadata: Some("{".into()), per_hour: Some("5".into()), ..form };
        assert_eq!(field(keys::update_from_form(&t.owner(), made.api_key.id, &form).await), "per_second");
    }
}

on_both! {
    async fn a_disabled_key_is_refused_until_it_is_enabled(t) {
        let made = made(&t.owner(), json!({})).await;
        let (id, secret) = (made.api_key.id, made.key.unwrap());
        assert!(matches!(keys::enable(&t.owner(), id).await, Err(Error::Conflict(_))));
        assert_eq!(keys::disable(&t.owner(), id).await.unwrap().state, KeyState::Disabled);
        assert_eq!((code(&t, &secret), keys::get(&t.owner(), id).await.unwrap().state), (Code::Disabled, KeyState::Disabled));
        assert!(matches!(keys::disable(&t.owner(), id).await, Err(Error::Conflict(_))));
        assert_eq!(keys::enable(&t.owner(), id).await.unwrap().state, KeyState::Active);
        assert_eq!(code(&t, &secret), Code::Valid);
        keys::revoke(&t.owner(), id, None).await.unwrap();
        assert!(matches!(keys::disable(&t.owner(), id).await, Err(Error::Conflict(_))));
        assert!(matches!(keys::enable(&t.owner(), id).await, Err(Error::Conflict(_))));
    }
}

on_both! {
    async fn an_old_secret_works_to_the_millisecond_at_which_its_grace_ends(t) {
        let first = made(&t.owner(), json!({})).await;
        let (id, old) = (first.api_key.id, first.key.unwrap());
        let rotated = keys::rotate(&t.owner(), id, &grace(60)).await.unwrap();
        let new = rotated.key.unwrap();
        assert_eq!((rotated.api_key.id, rotated.api_key.display() == first.api_key.display()), (id, false));
        assert_eq!(keys::get(&t.owner(), id).await.unwrap(), rotated.api_key);
        assert_eq!((code(&t, &old), code(&t, &new)), (Code::Valid, Code::Valid));
        t.clock.advance(Duration::from_millis(59_999));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!((code(&t, &old), code(&t, &new)), (Code::Valid, Code::Valid));
        t.clock.advance(Duration::from_millis(1));
        assert_eq!((code(&t, &old), code(&t, &new)), (Code::Revoked, Code::Valid));
        let again = keys::rotate(&t.owner(), id, &grace(0)).await.unwrap().key.unwrap();
        assert_eq!((code(&t, &new), code(&t, &again)), (Code::Revoked, Code::Valid), "without grace at once");
        for bad in [-1, 604_801] {
            assert_eq!(field(keys::rotate(&t.owner(), id, &grace(bad)).await), "grace_seconds");
        }
        keys::rotate(&t.owner(), id, &grace(604_800)).await.unwrap();
        assert_eq!(keys::secrets(&t.owner(), id).await.unwrap().len(), 4);
        let found = keys::list(&t.owner(), &KeyFilter { q: Some(again[..12].to_owned()), ..KeyFilter::default() }, PageQuery::default()).await.unwrap();
        assert_eq!(found.data, [], "the list shows the current secret");
    }
}

on_both! {
    async fn a_second_rotation_lengthens_no_overlap_and_cuts_none_off_unless_asked(t) {
        let first = made(&t.owner(), json!({})).await;
        let (id, one) = (first.api_key.id, first.key.unwrap());
        let two = keys::rotate(&t.owner(), id, &grace(60)).await.unwrap().key.unwrap();
        let three = keys::rotate(&t.owner(), id, &grace(600)).await.unwrap().key.unwrap();
        assert_eq!([&one, &two, &three].map(|s| code(&t, s)), [Code::Valid; 3], "whoever lost an answer may repeat the rotation");
        t.clock.advance(Duration::from_secs(60));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!([&one, &two, &three].map(|s| code(&t, s)), [Code::Revoked, Code::Valid, Code::Valid]);
        let four = keys::rotate(&t.owner(), id, &grace(10)).await.unwrap().key.unwrap();
        t.clock.advance(Duration::from_secs(10));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!([&two, &three, &four].map(|s| code(&t, s)), [Code::Revoked, Code::Revoked, Code::Valid], "a shorter grace ends them all");
        for _ in 0..4 {
            keys::rotate(&t.owner(), id, &grace(600)).await.unwrap();
        }
        assert!(matches!(keys::rotate(&t.owner(), id, &grace(600)).await, Err(Error::Conflict(_))), "at most five at a time");
        assert_eq!(code(&t, &four), Code::Valid);
        let retired = keys::retire(&t.owner(), id).await.unwrap();
        assert_eq!((retired.id, code(&t, &four)), (id, Code::Revoked));
        assert!(matches!(keys::retire(&t.owner(), id).await, Err(Error::Conflict(_))));
        let working = keys::secrets(&t.owner(), id).await.unwrap();
        assert_eq!(working.iter().filter(|s| keys::works(s, t.core.now())).count(), 1);
    }
}

on_both! {
    async fn parallel_rotations_leave_one_current_secret(t) {
        let id = made(&t.owner(), json!({})).await.api_key.id;
        let owner = t.owner();
        let rotate = || { let owner = owner.clone(); async move { keys::rotate(&owner, id, &grace(0)).await } };
        let (a, b, c, d) = tokio::join!(rotate(), rotate(), rotate(), rotate());
        let secrets: Vec<String> = [a, b, c, d].into_iter().filter_map(|r| r.ok()?.key).collect();
        assert!(!secrets.is_empty());
        assert_eq!(secrets.iter().filter(|s| code(&t, s) == Code::Valid).count(), 1);
        assert_eq!(keys::secrets(&t.owner(), id).await.unwrap().iter().filter(|s| s.valid_until.is_none()).count(), 1);
    }
}

on_both! {
    async fn a_key_that_expires_is_told_when_it_asks_for_one_that_does_not(t) {
        let maker = maker(&t, json!({"scopes": ["admin"], "expires_in_days": 30})).await;
        let own = t.core.now().plus(30 * contract::UnixMs::DAY);
        let refused = keys::create_from_body(&maker, &sent(json!({"expires_at": null}))).await;
        let Err(Error::Invalid(errors)) = refused else { panic!("{refused:?}") };
        assert!(errors.get("expires_at").unwrap().contains(&own.to_string()), "{errors:?}");
        assert_eq!(made(&maker, json!({})).await.api_key.expires_at, Some(own), "left out, it is its own time");
        assert_eq!(made(&t.owner(), json!({"expires_at": null})).await.api_key.expires_at, None);
        let id = made(&maker, json!({"expires_in_days": 3})).await.api_key.id;
        let longer = keys::update_from_body(&maker, id, &patch(json!({"expires_at": null}))).await;
        assert!(matches!(longer, Err(Error::Invalid(errors)) if errors.get("expires_at").unwrap().contains(&own.to_string())));
    }
}

on_both! {
    async fn a_key_of_another_system_works_by_its_digest(t) {
        use aws_lc_rs::digest::{SHA256, digest};
        let foreign = "acme-prod-4f9a8c7b6d5e4f3a2b1c";
        assert_eq!(code(&t, foreign), Code::Malformed);
        let hex: String = digest(&SHA256, foreign.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
        let import = || ImportKeyBody { name: Some("old".into()), scopes: Some(vec!["users:read".into()]), digest: Some(format!("sha256:{hex}")),
            prefix: Some("acme-prod-4f9a".into()), last_four: Some("2b1c".into()), ..ImportKeyBody::default() };
        let key = keys::import(&t.owner(), import()).await.unwrap();
        assert_eq!((key.display().as_str(), key.state), ("acme-prod-4f9a…2b1c", KeyState::Active));
        assert_eq!(code(&t, foreign), Code::Valid);
        assert_eq!(keys::pasted(&t.owner(), foreign).await.unwrap(), keys::Pasted::Key(key.id));
        for text in [foreign.to_owned(), format!("KEY=\"{foreign}\"\n"), format!("# config\n  token: {foreign} # old")] {
            let found = leaks::lookup(&t.owner(), &text).await.unwrap();
            assert_eq!((found.matches.len(), found.unknown), (1, 0), "{text}");
            assert_eq!((found.matches[0].key.id, found.matches[0].times), (key.id, 1));
        }
        assert!(leaks::lookup(&t.owner(), "any other words").await.unwrap().matches.is_empty());
        assert_eq!(code(&t, "acme-prod-4f9a8c7b6d5e4f3a2b1d"), Code::Malformed, "any other junk stays what it is");
        assert!(matches!(keys::import(&t.owner(), import()).await, Err(Error::Conflict(_))));
        let dump = t.dump().await;
        assert!(dump.contains("acme-prod-4f9a") && !dump.contains(foreign) && !dump.contains(&hex));
        assert!(t.second_process().await.cache.holds_foreign());
        let new = keys::rotate(&t.owner(), key.id, &grace(0)).await.unwrap().key.unwrap();
        assert!(new.starts_with("sk_live_"));
        assert_eq!((code(&t, foreign), code(&t, &new)), (Code::Revoked, Code::Valid));
    }
}

on_both! {
    async fn s66_taking_keys_over_is_for_who_manages_the_tenant_and_tells_nobody_whose_a_digest_is(t) {
        let import = |name: &str| ImportKeyBody { name: Some(name.into()), scopes: Some(vec!["read".into()]), digest: Some("0f".repeat(32)),
            prefix: Some("old_".into()), last_four: Some("2b1c".into()), ..ImportKeyBody::default() };
        let developer = t.member(t.first.user_id, t.first.tenant_id, Role::Developer);
        assert!(matches!(keys::import(&developer, import("dev")).await, Err(Error::Denied(Perm::SettingsWrite))));
        let maker = made(&t.owner(), json!({"scopes": ["keystead.keys:write", "read"]})).await.key.unwrap();
        assert!(matches!(keys::import(&t.with_key(&maker), import("maker")).await, Err(Error::Denied(Perm::SettingsWrite))));
        let there = tenants::create(&t.owner(), &contract::TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let there = t.as_who(Who::CommandLine(there.id));
        keys::import(&t.owner(), import("first")).await.unwrap();
        let said = |r: domain::Result<contract::ApiKey>| match r {
            Err(Error::Conflict(message)) => message,
            other => panic!("{other:?}"),
        };
        let (own, foreign) = (said(keys::import(&t.owner(), import("again")).await), said(keys::import(&there, import("theirs")).await));
        assert_eq!(own, foreign, "one answer, whoever holds it");
        // Two at once: one is stored, the other is told the same, and nothing of it remains.
        let two = |name: &str| ImportKeyBody { digest: Some("1e".repeat(32)), ..import(name) };
        let (here, owner) = (there.clone(), t.owner());
        let (a, b) = tokio::join!(keys::import(&owner, two("a")), keys::import(&here, two("b")));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(said(if a.is_ok() { b } else { a }), own);
    }
}

on_both! {
    async fn several_keys_are_revoked_together_or_not_at_all(t) {
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(made(&t.owner(), json!({})).await);
        }
        let ids: Vec<KeyId> = all.iter().map(|k| k.api_key.id).collect();
        let foreign = KeyId::from_uuid(t.core.new_uuid());
        let refused = keys::bulk_revoke(&t.owner(), &[ids[0], foreign, ids[1]], Some("x")).await;
        assert!(matches!(refused, Err(Error::NotFound)));
        assert_eq!(code(&t, all[0].key.as_ref().unwrap()), Code::Valid, "nothing changed");
        keys::revoke(&t.owner(), ids[2], Some("first")).await.unwrap();
        let revoked = keys::bulk_revoke(&t.owner(), &[ids[2], ids[0], ids[1], ids[0]], Some("leaked")).await.unwrap();
        assert_eq!(revoked.iter().map(|k| k.state).collect::<Vec<_>>(), [KeyState::Revoked; 3]);
        for key in &all {
            assert_eq!(code(&t, key.key.as_ref().unwrap()), Code::Revoked);
            let events = audit::list(&t.owner(), &AuditFilter { target_id: Some(key.api_key.id.to_string()) }, PageQuery::default()).await.unwrap().data;
            assert_eq!(events.iter().filter(|e| e.action == "api_key.revoked").count(), 1, "each once");
        }
        assert!(matches!(audit::verify_chain(&t.owner()).await.unwrap(), audit::Chain::Whole(_)));
        let long = "x".repeat(501);
        assert_eq!(field(keys::bulk_revoke(&t.owner(), &ids, Some(&long)).await), "reason");
    }
}

on_both! {
    async fn s35_a_key_makes_none_beyond_itself(t) {
        let narrow = maker(&t, json!({"scopes": ["users:read", "keystead.keys:write"], "kind": "restricted", "expires_in_days": 10,
            "allowed_ips": ["203.0.113.0/24"], "rate_limit": {"per_hour": 100, "per_second": 5}})).await;
        for scope in ["admin", "read", "write", "users:write", "users:admin", "keystead.keys:read", "keystead.audit:read", "openid"] {
            let refused = keys::create_from_body(&narrow, &sent(json!({"scopes": [scope]}))).await;
            assert!(matches!(&refused, Err(Error::CannotGrant(s)) if s.as_str() == scope), "{scope}: {refused:?}");
        }
        let same = json!({"scopes": ["users:read"]});
        let with = |extra: Value| { let mut all = same.clone(); all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone()); sent(all) };
        for (extra, member) in [
            (json!({"allowed_ips": ["0.0.0.0/0"]}), "allowed_ips"),
            (json!({"allowed_ips": ["203.0.113.9", "198.51.100.1"]}), "allowed_ips"),
            (json!({"expires_in_days": 11}), "expires_at"),
            (json!({"rate_limit": {"per_hour": 101, "per_second": 1}}), "rate_limit"),
            (json!({"rate_limit": {"per_hour": 1, "per_second": 6}}), "rate_limit"),
        ] {
            assert_eq!(field(keys::create_from_body(&narrow, &with(extra)).await), member);
        }
        let platform = keys::create_from_body(&narrow, &with(json!({"platform": true}))).await;
        assert!(matches!(platform, Err(Error::Refused(ErrorCode::Forbidden, _))));
        let gateway = keys::create_from_body(&narrow, &sent(json!({"kind": "gateway", "scopes": []}))).await;
        assert!(matches!(gateway, Err(Error::CannotGrant(_))), "{gateway:?}");
        let child = keys::create_from_body(&narrow, &with(json!({"scopes": ["read:users"]}))).await.unwrap().api_key;
        let Who::Key(own) = narrow.who() else { panic!() };
        assert_eq!((&child.allowed_ips, child.expires_at, child.rate_limit), (&own.allowed_ips, own.expires_at, Some(own.rate_limit)), "it hands on its bounds");
        assert_eq!((child.owner.as_deref(), child.platform), (Some("owner@acme.test"), false));
    }
}

on_both! {
    async fn s35_a_key_widens_none_beyond_itself_and_takes_no_stronger_secret(t) {
        let strong = made(&t.owner(), json!({"scopes": ["admin"]})).await.api_key.id;
        let weak = maker(&t, json!({"scopes": ["users:read", "keystead.keys:write"]})).await;
        let Who::Key(own) = weak.who() else { panic!() };
        for change in [json!({"scopes": ["admin", "users:read"]}), json!({"allowed_ips": null, "expires_at": null, "metadata": {"x": 1}}), json!({"owner": null})] {
            let refused = keys::update_from_body(&weak, strong, &patch(change.clone())).await;
            assert!(matches!(refused, Err(Error::CannotGrant(_))), "{change}: {refused:?}");
        }
        let widened = keys::update_from_body(&weak, own.key_id, &patch(json!({"scopes": ["users:read", "keystead.keys:write", "users:write"]}))).await;
        assert!(matches!(widened, Err(Error::CannotGrant(_))), "nor itself");
        assert!(matches!(keys::rotate(&weak, strong, &grace(0)).await, Err(Error::CannotGrant(_))), "a rotation would hand it over");
        keys::disable(&weak, strong).await.unwrap();
        assert!(matches!(keys::enable(&weak, strong).await, Err(Error::CannotGrant(_))));
        keys::update_from_body(&weak, strong, &patch(json!({"name": "renamed"}))).await.unwrap();
        let narrowed = keys::update_from_body(&weak, strong, &patch(json!({"scopes": ["users:read"]}))).await.unwrap();
        assert_eq!(narrowed.scopes.joined(), "users:read");
        keys::enable(&weak, strong).await.unwrap();
        keys::rotate(&weak, strong, &grace(0)).await.unwrap();
        // A platform key is handled by platform admins only, and bounds hold for rotations, too.
        let platform = made(&t.owner(), json!({"platform": true})).await.api_key.id;
        let admin = maker(&t, json!({"scopes": ["admin"]})).await;
        assert!(matches!(keys::rotate(&admin, platform, &grace(0)).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
        let short = maker(&t, json!({"scopes": ["admin"], "expires_in_days": 1})).await;
        assert!(matches!(keys::rotate(&short, strong, &grace(0)).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
        let Who::Key(short_key) = short.who() else { panic!() };
        assert_eq!(field(keys::update_from_body(&short, short_key.key_id, &patch(json!({"expires_at": null}))).await), "expires_at", "it does not outlive itself");
    }
}

on_both! {
    async fn s35_a_developer_takes_no_secret_beyond_their_role(t) {
        let strong = made(&t.owner(), json!({"scopes": ["admin"]})).await.api_key.id;
        let developer = t.member(t.first.user_id, t.first.tenant_id, Role::Developer);
        assert!(matches!(keys::rotate(&developer, strong, &grace(0)).await, Err(Error::CannotGrant(_))));
        for reserved in ["keystead.keys:write", "write:keystead.keys", "keystead.usage:read", "read:keystead.audit"] {
            let body = serde_json::from_value(json!({"name": "x", "scopes": [reserved]})).unwrap();
            let minted = keys::create_from_body(&developer, &body).await;
            assert!(matches!(minted, Err(Error::CannotGrant(_))), "{reserved}: a key would know no bound of theirs");
        }
        let own = made(&developer, json!({"scopes": ["read"]})).await.api_key.id;
        keys::rotate(&developer, own, &grace(0)).await.unwrap();
        assert_eq!(field(keys::update_from_body(&developer, own, &patch(json!({"owner": null}))).await), "owner");
        for role in [Role::Security, Role::Support] {
            let ctx = t.member(t.first.user_id, t.first.tenant_id, role);
            assert!(matches!(keys::rotate(&ctx, own, &grace(0)).await, Err(Error::Denied(_))), "{role}");
            assert!(matches!(keys::disable(&ctx, own).await, Err(Error::Denied(_))), "{role}");
            assert!(matches!(keys::update_from_body(&ctx, own, &patch(json!({"name": "x"}))).await, Err(Error::Denied(_))), "{role}");
        }
        let security = t.member(t.first.user_id, t.first.tenant_id, Role::Security);
        keys::bulk_revoke(&security, &[own], None).await.unwrap();
    }
}

on_both! {
    async fn s36_a_test_credential_sees_and_makes_test_keys_only(t) {
        let live = made(&t.owner(), json!({})).await.api_key.id;
        let sandboxed = maker(&t, json!({"scopes": ["admin"], "environment": "test"})).await;
        assert!(matches!(keys::get(&sandboxed, live).await, Err(Error::NotFound)));
        assert!(matches!(keys::revoke(&sandboxed, live, None).await, Err(Error::NotFound)));
        assert!(matches!(keys::rotate(&sandboxed, live, &grace(0)).await, Err(Error::NotFound)));
        assert!(matches!(keys::bulk_revoke(&sandboxed, &[live], None).await, Err(Error::NotFound)));
        let listed = keys::list(&sandboxed, &KeyFilter::default(), PageQuery::default()).await.unwrap().data;
        assert!(!listed.is_empty() && listed.iter().all(|k| k.environment == Environment::Test));
        let asked = KeyFilter { environment: Some(Environment::Live), ..KeyFilter::default() };
        assert_eq!(keys::list(&sandboxed, &asked, PageQuery::default()).await.unwrap().data, []);
        assert_eq!(made(&sandboxed, json!({})).await.api_key.environment, Environment::Test, "whoever names none means their own");
        for refused in [json!({"environment": "live"}), json!({"kind": "gateway", "scopes": []})] {
            let refused = keys::create_from_body(&sandboxed, &sent(refused)).await;
            assert!(matches!(refused, Err(Error::Refused(ErrorCode::EnvironmentMismatch, _))), "{refused:?}");
        }
        assert_eq!(field(keys::create_from_body(&sandboxed, &sent(json!({"scopes": ["brand:read"]}))).await), "scopes", "the catalogue is the tenant's");
    }
}

on_both! {
    async fn s66_no_call_reaches_a_key_of_another_tenant(t) {
        let id = made(&t.owner(), json!({})).await.api_key.id;
        keys::rotate(&t.owner(), id, &grace(60)).await.unwrap();
        let other = stranger(&t).await;
        let before = keys::get(&t.owner(), id).await.unwrap();
        for refused in [
            keys::get(&other, id).await.err(),
            keys::get_for(&other, Perm::KeysWrite, id).await.err(),
            keys::update_from_body(&other, id, &patch(json!({"name": "x"}))).await.err(),
            keys::update_from_form(&other, id, &t.form("x", "read")).await.err(),
            keys::disable(&other, id).await.err(),
            keys::enable(&other, id).await.err(),
            keys::rotate(&other, id, &grace(-5)).await.err(),
            keys::retire(&other, id).await.err(),
            keys::secrets(&other, id).await.err(),
            keys::revoke(&other, id, Some(&"x".repeat(600))).await.err(),
            keys::bulk_revoke(&other, &[id], Some(&"x".repeat(600))).await.err(),
        ] {
            assert!(matches!(refused, Some(Error::NotFound)), "{refused:?}");
        }
        assert_eq!(keys::get(&t.owner(), id).await.unwrap(), before);
        let member_of_first = CreateKeyBody { owner: Some("owner@acme.test".into()), ..sent(json!({})) };
        assert_eq!(field(keys::create_from_body(&other, &member_of_first).await), "owner", "people of another tenant own nothing here");
    }
}
