//! Support access: operators in other tenants, for some hours, seen by their people.

use contract::{AuditFilter, ErrorCode, PageQuery, Perm, Role, SupportForm, TenantId, TenantName};
use domain::{
    Ctx, Error, RequestInfo, Who, audit,
    identity::{self, SignedIn},
    on_both, tenants,
    testing::TestInstallation,
};

fn form(role: &str) -> SupportForm {
    SupportForm { why: "request".into(), note: "ticket 4711".into(), role: role.into(), hours: "4".into() }
}

/// Another tenant, and the command line there.
async fn other(t: &TestInstallation) -> (TenantId, Ctx) {
    let line = t.as_who(Who::CommandLine(t.first.tenant_id));
    let id = tenants::create(&line, &TenantName::parse("Other").unwrap(), None).await.unwrap().id;
    (id, t.as_who(Who::CommandLine(id)))
}

/// The operator as their session in that tenant sees them; none when they are no longer let in.
async fn inside(t: &TestInstallation, tenant_id: TenantId) -> Option<Ctx> {
    let user_id = t.owner().person().unwrap().user_id;
    let person = identity::resume(&t.core, SignedIn { user_id, tenant_id }).await.unwrap()?;
    Some(Ctx::new(t.core.clone(), Who::Person(person), RequestInfo::default()))
}

async fn actions(ctx: &Ctx) -> Vec<String> {
    audit::list(ctx, &AuditFilter::default(), PageQuery::default()).await.unwrap().data.into_iter().map(|e| e.action).collect()
}

on_both! {
    async fn an_operator_works_in_a_tenant_for_hours_and_its_people_see_it(t) {
        let (id, there) = other(&t).await;
        assert!(inside(&t, id).await.is_none(), "nobody opened anything");
        let access = tenants::open_support(&t.owner(), id, &form("support")).await.unwrap();
        let ctx = inside(&t, id).await.unwrap();
        assert_eq!((ctx.person().unwrap().role, ctx.tenant_id()), (Role::Support, Some(id)));
        assert!(ctx.require(Perm::KeysLookup).is_ok() && ctx.require(Perm::KeysWrite).is_err(), "as support, and no more");
        assert_eq!(tenants::support(&there).await.unwrap(), std::slice::from_ref(&access));
        for log in [&there, &t.owner()] {
            assert!(actions(log).await.contains(&"support.opened".to_owned()));
        }
        let chrome = identity::chrome(&ctx, contract::Prefs::default()).await.unwrap();
        assert_eq!((chrome.tenant.as_str(), chrome.supporting), ("Other", Some(access.expires_at)));
        t.clock.advance(std::time::Duration::from_secs(4 * 3_600));
        assert!(inside(&t, id).await.is_none(), "its time is over");
    }
}

on_both! {
    async fn the_tenant_ends_an_access_at_once_and_a_new_one_replaces_the_old(t) {
        let (id, there) = other(&t).await;
        let first = tenants::open_support(&t.owner(), id, &form("support")).await.unwrap();
        let second = tenants::open_support(&t.owner(), id, &form("security")).await.unwrap();
        assert_eq!(inside(&t, id).await.unwrap().person().unwrap().role, Role::Security);
        assert!(matches!(tenants::end_support(&there, first.id).await, Err(Error::NotFound)), "it was replaced");
        tenants::end_support(&there, second.id).await.unwrap();
        assert!(inside(&t, id).await.is_none());
        assert!(tenants::support(&there).await.unwrap().iter().all(|a| a.ended_at.is_some()));
        tenants::open_support(&t.owner(), id, &form("security")).await.unwrap();
        tenants::end_own_support(&t.owner(), id).await.unwrap();
        assert!(inside(&t, id).await.is_none());
        assert!(matches!(tenants::end_own_support(&t.owner(), id).await, Err(Error::NotFound)));
    }
}

on_both! {
    async fn s66_only_operators_open_support_and_only_its_own_people_end_it(t) {
        let (id, _) = other(&t).await;
        let admin = t.join("admin@acme.test", Role::Admin).await;
        assert!(matches!(tenants::open_support(&admin, id, &form("security")).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
        let access = tenants::open_support(&t.owner(), id, &form("security")).await.unwrap();
        assert!(matches!(tenants::end_support(&admin, access.id).await, Err(Error::NotFound)), "it is another tenant's");
        assert!(inside(&t, id).await.is_some());
        let own = tenants::open_support(&t.owner(), t.first.tenant_id, &form("security")).await;
        assert!(matches!(own, Err(Error::Conflict(_))), "a member needs none: {own:?}");
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        tenants::suspend(&line, id, Some("unpaid")).await.unwrap();
        assert!(inside(&t, id).await.is_none(), "out of use (s22)");
        assert!(matches!(tenants::open_support(&t.owner(), id, &form("security")).await, Err(Error::Conflict(_))));
    }
}

on_both! {
    async fn s35_support_makes_nothing_that_outlives_its_access(t) {
        let (id, there) = other(&t).await;
        let made = domain::keys::create_from_form(&there, &t.form("theirs", "read")).await.unwrap().api_key;
        let admin = tenants::open_support(&t.owner(), id, &form("admin")).await;
        assert!(matches!(admin, Err(Error::Invalid(ref f)) if f.get("role").is_some()), "{admin:?}");
        for role in contract::SUPPORT_ROLES {
            tenants::open_support(&t.owner(), id, &form(role.as_str())).await.unwrap();
            let ctx = inside(&t, id).await.unwrap();
            let denied = |e: Option<Error>| assert!(matches!(e, Some(Error::Denied(_))), "{role}: {e:?}");
            denied(domain::keys::create_from_form(&ctx, &t.form("mine", "read")).await.err());
            denied(domain::keys::rotate(&ctx, made.id, &contract::RotateBody::default()).await.err());
            denied(domain::keys::update_from_form(&ctx, made.id, &t.form("wider", "admin")).await.err());
            denied(domain::keys::enable(&ctx, made.id).await.err());
            let invite = contract::Invite { email: contract::Email::parse("me@acme.test").unwrap(), role: Role::Admin, days: 7 };
            denied(domain::members::invite(&ctx, invite).await.err());
            let body = contract::MemberBody { role: Some("admin".into()) };
            denied(domain::members::change_role(&ctx, t.first.user_id, &body).await.err());
            denied(tenants::set_policies(&ctx, &contract::PoliciesBody { require_owner: Some(true), ..Default::default() }).await.err());
            denied(tenants::set_allowlist(&ctx, &serde_json::from_value(serde_json::json!({"allowed_ips": []})).unwrap()).await.err());
            denied(domain::scopes::create(&ctx, &contract::ScopeBody { name: Some("x:read".into()), description: None }).await.err());
        }
        domain::keys::revoke(&inside(&t, id).await.unwrap(), made.id, Some("leaked")).await.unwrap();
    }
}
