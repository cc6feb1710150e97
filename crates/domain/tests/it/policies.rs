//! Policies: what they refuse, what they list, what retention removes.

use contract::{
    AllowlistBody, Environment, KeyFilter, KeyForm, KeyPolicy, KeyRules, PageQuery, Perm, Policies, PoliciesBody, Role, UpdateKeyBody,
    UsageFilter,
};
use domain::{Error, keys, on_both, tenants, testing::TestInstallation, usage};
use serde_json::json;
use std::time::Duration;

fn patch(members: serde_json::Value) -> PoliciesBody {
    serde_json::from_value(members).unwrap()
}

fn change(members: serde_json::Value) -> UpdateKeyBody {
    serde_json::from_value(members).unwrap()
}

async fn refused(t: &TestInstallation, form: &KeyForm, field: &str) {
    let made = keys::create_from_form(&t.owner(), form).await;
    assert!(matches!(&made, Err(Error::Invalid(f)) if f.get(field).is_some_and(|m| m.starts_with("A policy of the tenant"))), "{made:?}");
}

on_both! {
    async fn new_keys_meet_the_policies_and_old_ones_go_on(t) {
        let owner = t.owner();
        let old = keys::create_from_form(&owner, &KeyForm { expires: "never".into(), ..t.form("old", "read") }).await.unwrap().api_key;
        let asked = json!({"max_key_lifetime_days": 90, "require_allowlist": true, "require_owner": true});
        let settings = tenants::set_policies(&owner, &patch(asked)).await.unwrap();
        let named: Vec<_> = settings.violations.first.iter().map(|v| (v.name.as_str(), v.policies.as_slice())).collect();
        let both = [KeyPolicy::MaxLifetime, KeyPolicy::Allowlist];
        assert_eq!(named, [("old", both.as_slice()), ("bootstrap", both.as_slice())], "gateways need an owner only, and have one");
        let good = KeyForm { expires: "90".into(), allowed_ips: "203.0.113.0/24".into(), ..t.form("good", "read") };
        keys::create_from_form(&owner, &good).await.unwrap();
        refused(&t, &KeyForm { expires: "never".into(), ..good.clone() }.renewed(&t), "expires_at").await;
        refused(&t, &KeyForm { expires: "custom".into(), expires_at: t.core.now().plus(91 * 86_400_000).to_string(), ..good.clone() }.renewed(&t), "expires_at").await;
        refused(&t, &KeyForm { allowed_ips: String::new(), ..good.clone() }.renewed(&t), "allowed_ips").await;
        let gateway = KeyForm { kind: "gateway".into(), more_scopes: String::new(), ..t.form("edge", "") };
        keys::create_from_form(&owner, &gateway).await.unwrap();
        // What is not touched is not judged: an old key can still be renamed and narrowed.
        keys::update_from_body(&owner, old.id, &change(json!({"name": "older"}))).await.unwrap();
        let ownerless = keys::update_from_body(&owner, old.id, &change(json!({"owner": null}))).await;
        assert!(matches!(ownerless, Err(Error::Invalid(f)) if f.get("owner").is_some()));
        tenants::set_allowlist(&owner, &AllowlistBody { allowed_ips: vec!["203.0.113.0/24".into()] }).await.unwrap();
        keys::create_from_form(&owner, &KeyForm { allowed_ips: String::new(), ..good }.renewed(&t)).await.unwrap();
        let left = tenants::settings(&owner).await.unwrap().violations.first;
        assert!(left.iter().all(|v| v.policies == [KeyPolicy::MaxLifetime]), "the tenant's list is enough: {left:?}");
    }
}

/// A form can be used once.
trait Renewed {
    fn renewed(self, t: &TestInstallation) -> Self;
}

impl Renewed for KeyForm {
    fn renewed(self, t: &TestInstallation) -> Self {
        Self { form_id: t.form("", "").form_id, ..self }
    }
}

on_both! {
    async fn s36_policies_are_set_by_those_who_hold_the_permission_and_every_change_is_recorded(t) {
        let body = patch(json!({"retention_days": 30}));
        for (role, reads, writes) in
            [(Role::Admin, true, true), (Role::Security, true, true), (Role::Developer, false, false), (Role::Support, false, false)]
        {
            let ctx = t.member(t.first.user_id, t.first.tenant_id, role);
            assert_eq!(tenants::settings(&ctx).await.is_ok(), reads, "{role}");
            assert_eq!(tenants::review(&ctx, &Policies::default()).await.is_ok(), writes, "{role}");
            if !writes {
                assert!(matches!(tenants::set_policies(&ctx, &body).await, Err(Error::Denied(Perm::PoliciesWrite))), "{role}");
            }
        }
        let owner = t.owner();
        tenants::set_policies(&owner, &body).await.unwrap();
        tenants::set_policies(&owner, &body).await.unwrap();
        let log = domain::audit::list(&owner, &contract::AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        let told: Vec<_> = log.iter().filter(|e| e.action == "policy.changed").collect();
        assert_eq!(told.len(), 1, "the same again changes nothing");
        assert_eq!(told[0].after.as_ref().unwrap()["retention_days"], 30);
        let theirs = t.with_key(&t.other_tenant().await);
        assert_eq!(tenants::settings(&theirs).await.unwrap().policies, Policies::default(), "s66: each tenant has its own");
    }
}

on_both! {
    async fn what_is_older_than_the_retention_is_counted_first_and_then_removed(t) {
        let owner = t.owner();
        let key = keys::create_from_form(&owner, &t.form("busy", "read")).await.unwrap().api_key;
        t.fill_usage(key.id, 10).await;
        t.clock.advance(Duration::from_secs(31 * 86_400));
        let keep = |days: i64| Policies { retention_days: Some(days), ..Policies::default() };
        assert_eq!(tenants::review(&owner, &keep(32)).await.unwrap().violations.outdated_events, 0);
        assert_eq!(tenants::review(&owner, &keep(30)).await.unwrap().violations.outdated_events, 15, "live and test");
        let count = async || usage::list(&owner, &UsageFilter::default(), Environment::Live, PageQuery::default()).await.unwrap().data.len();
        tenants::forget_usage(&t.core).await.unwrap();
        assert_eq!(count().await, 10, "nothing is removed before it is asked for");
        for (days, left) in [(32, 10), (30, 0)] {
            tenants::set_policies(&owner, &patch(json!({"retention_days": days}))).await.unwrap();
            tenants::forget_usage(&t.core).await.unwrap();
            assert_eq!(count().await, left, "{days} days");
        }
        assert_eq!(keys::list(&owner, &KeyFilter::default(), PageQuery::default()).await.unwrap().data.len(), 3);
    }
}

on_both! {
    async fn who_makes_keys_is_told_what_is_demanded_of_them_and_everything_wrong_at_once(t) {
        let owner = t.owner();
        let dev = t.join("dev@acme.test", Role::Developer).await;
        assert_eq!(tenants::key_rules(&dev).await.unwrap(), KeyRules::default());
        tenants::set_policies(&owner, &patch(json!({"max_key_lifetime_days": 10, "require_allowlist": true}))).await.unwrap();
        assert_eq!(tenants::key_rules(&dev).await.unwrap(), KeyRules { max_lifetime_days: Some(10), require_allowlist: true, tenant_list: false });
        assert!(matches!(tenants::key_rules(&t.join("sec@acme.test", Role::Security).await).await, Err(Error::Denied(Perm::KeysWrite))));
        let body = json!({"name": "x", "scopes": ["nonsense"], "owner": "nobody@acme.test", "expires_in_days": 11});
        let refused = keys::create_from_body(&owner, &serde_json::from_value(body).unwrap()).await;
        let Err(Error::Invalid(wrong)) = refused else { panic!("{refused:?}") };
        let fields: Vec<_> = wrong.0.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["scopes", "owner", "expires_at", "allowed_ips"], "the catalogue, the members and the policies");
        assert_eq!(keys::list(&owner, &KeyFilter::default(), PageQuery::default()).await.unwrap().data.len(), 2, "nothing is made");
        let key = keys::list(&owner, &KeyFilter::default(), PageQuery::default()).await.unwrap().data.remove(0);
        let body = json!({"name": "other", "scopes": ["nonsense"], "owner": "nobody@acme.test", "expires_at": "2001-01-01T00:00:00Z"});
        let refused = keys::update_from_body(&owner, key.id, &change(body)).await;
        let Err(Error::Invalid(wrong)) = refused else { panic!("{refused:?}") };
        assert!(["expires_at", "scopes", "owner"].iter().all(|f| wrong.get(f).is_some()), "{wrong:?}");
        assert_eq!(keys::get(&owner, key.id).await.unwrap(), key, "nothing is changed");
        tenants::set_allowlist(&owner, &AllowlistBody { allowed_ips: vec!["203.0.113.0/24".into()] }).await.unwrap();
        assert!(tenants::key_rules(&dev).await.unwrap().tenant_list);
    }
}
