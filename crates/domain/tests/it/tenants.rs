//! Tenants: made, renamed, suspended, deleted, removed; platform admins in other tenants.

use contract::{AuditFilter, ChangeTenantBody, Code, ErrorCode, KeyFilter, PageQuery, Requirement, Role, Tenant, TenantBody, TenantState};
use domain::{
    Ctx, Error, Who, audit, identity, keys, members, on_both, tenants,
    testing::TestInstallation,
    verify::{self, Logged, Sent},
};
use std::time::Duration;

fn forbidden<T: std::fmt::Debug>(done: domain::Result<T>) {
    assert!(matches!(done, Err(Error::Refused(ErrorCode::Forbidden, _))), "{done:?}");
}

fn asked(name: &str) -> TenantBody {
    TenantBody { name: Some(name.into()), slug: None }
}

/// Another tenant, and a key of it that may do everything there.
async fn globex(t: &TestInstallation) -> (Tenant, Ctx, String) {
    let made = tenants::create_from_body(&t.owner(), &asked("Globex")).await.unwrap();
    let line = t.as_who(Who::CommandLine(made.id));
    let secret = keys::create_from_form(&line, &t.form("theirs", "admin")).await.unwrap().key.unwrap();
    (made, line, secret)
}

async fn actions(ctx: &Ctx) -> Vec<String> {
    let log = audit::list(ctx, &AuditFilter::default(), PageQuery::default()).await.unwrap();
    log.data.into_iter().map(|e| e.action).collect()
}

fn code(t: &TestInstallation, secret: &str) -> Code {
    verify::check(&t.core, secret, None, &Requirement::default(), None, true).unwrap().code
}

on_both! {
    async fn tenants_are_managed_by_those_who_operate_the_installation(t) {
        let (globex, _, secret) = globex(&t).await;
        let theirs = t.with_key(&secret);
        let admin = t.member(t.first.user_id, globex.id, Role::Owner);
        forbidden(tenants::create_from_body(&t.gateway(), &asked("X")).await);
        for other in [&theirs, &admin] {
            forbidden(tenants::create_from_body(other, &asked("X")).await);
            forbidden(tenants::create_with_owner(other, &asked("X"), "").await);
            forbidden(tenants::change(other, globex.id, &ChangeTenantBody { name: Some("X".into()), plan: None }).await);
            forbidden(tenants::suspend(other, t.first.tenant_id, Some("unpaid")).await);
            forbidden(tenants::resume(other, globex.id).await);
            forbidden(tenants::delete(other, globex.id, None).await);
            forbidden(tenants::invite_owner(other, globex.id, "x@acme.test").await);
            let seen = tenants::list(other, PageQuery::default()).await.unwrap().data;
            assert_eq!(seen.iter().map(|t| t.id).collect::<Vec<_>>(), [globex.id], "their own and no other");
            assert!(matches!(tenants::get(other, t.first.tenant_id).await, Err(Error::NotFound)));
        }
        assert_eq!(tenants::list(&t.owner(), PageQuery::default()).await.unwrap().data.len(), 2);
        assert!(matches!(tenants::list(&t.as_who(Who::Anonymous), PageQuery::default()).await, Err(Error::Unauthenticated)));
    }
}

on_both! {
    async fn a_tenant_whose_owner_cannot_be_invited_yet_is_not_made(t) {
        let stale = t.owner().in_session(domain::InSession { digest: Vec::new(), proven_at: contract::UnixMs(0) });
        let body = TenantBody { name: Some("Globex".into()), slug: None };
        assert!(matches!(tenants::create_with_owner(&stale, &body, "boss@globex.test").await, Err(Error::NotFresh)));
        assert_eq!(tenants::list_unscoped(&t.core).await.unwrap().len(), 1);
        tenants::create_with_owner(&t.owner(), &body, "boss@globex.test").await.unwrap();
    }
}

on_both! {
    async fn a_new_tenant_gets_an_owner_by_a_link_and_wrong_fields_are_named_at_once(t) {
        let owner = t.owner();
        let bad = TenantBody { name: Some(" ".into()), slug: Some("A B".into()) };
        match tenants::create_with_owner(&owner, &bad, "nobody").await {
            Err(Error::Invalid(f)) => assert!(["name", "slug", "email"].iter().all(|n| f.get(n).is_some()), "{f:?}"),
            other => panic!("{other:?}"),
        }
        let (made, link) = tenants::create_with_owner(&owner, &asked("Globex"), "boss@globex.test").await.unwrap();
        assert_eq!(link.unwrap().invitation.role, Role::Owner);
        let twice = tenants::create_with_owner(&owner, &asked("Globex"), "").await;
        assert!(matches!(twice, Err(Error::Invalid(f)) if f.get("slug").is_some()));
        let there = t.as_who(Who::CommandLine(made.id));
        assert!(actions(&there).await.contains(&"invitation.created".to_owned()));
        assert_eq!(actions(&owner).await[0], "tenant.created", "and at home");
    }
}

on_both! {
    async fn s22_a_suspended_tenant_ends_its_sessions_and_keys_at_once_and_can_be_resumed(t) {
        let owner = t.owner();
        let (globex, _, secret) = globex(&t).await;
        let second = t.second_process().await;
        let session = identity::SignedIn { user_id: t.first.user_id, tenant_id: globex.id };
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'admin', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex'").await;
        assert!(identity::resume(&t.core, session).await.unwrap().is_some());
        t.open_session("there", session).await;
        t.open_session("home", identity::SignedIn { tenant_id: t.first.tenant_id, ..session }).await;
        let suspended = tenants::suspend(&owner, globex.id, Some("unpaid")).await.unwrap();
        assert_eq!(suspended.state, TenantState::Suspended);
        assert_eq!(code(&t, &secret), Code::Disabled, "the very next decision");
        second.cache.sync(&second).await.unwrap();
        assert_eq!(verify::check(&second, &secret, None, &Requirement::default(), None, true).unwrap().code, Code::Disabled);
        assert!(identity::resume(&t.core, session).await.unwrap().is_none());
        assert!(identity::sessions::load(&t.core, "there").await.unwrap().is_none());
        assert!(identity::sessions::load(&t.core, "home").await.unwrap().is_some(), "a session elsewhere goes on");
        assert!(matches!(tenants::suspend(&owner, globex.id, Some("unpaid")).await, Err(Error::Conflict(_))));
        assert_eq!(tenants::resume(&owner, globex.id).await.unwrap().state, TenantState::Active);
        assert_eq!(code(&t, &secret), Code::Valid);
        let told = actions(&owner).await;
        assert!(told.contains(&"tenant.suspended".to_owned()) && told.contains(&"tenant.resumed".to_owned()), "{told:?}");
        second.stop().await;
    }
}

on_both! {
    async fn the_first_tenant_stays_whoever_asks(t) {
        let owner = t.owner();
        for done in [
            tenants::suspend(&owner, t.first.tenant_id, Some("unpaid")).await,
            tenants::delete(&owner, t.first.tenant_id, None).await,
            tenants::delete_own(&owner, "Acme").await,
        ] {
            assert!(matches!(done, Err(Error::Conflict(_))), "{done:?}");
        }
    }
}

on_both! {
    async fn an_owner_deletes_their_tenant_by_its_name_and_it_is_removed_after_thirty_days(t) {
        let platform = t.owner();
        let (globex, line, secret) = globex(&t).await;
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'owner', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex'").await;
        let owner = t.member(t.first.user_id, globex.id, Role::Owner);
        forbidden(tenants::delete_own(&t.member(t.first.user_id, globex.id, Role::Admin), "Globex").await);
        assert!(matches!(tenants::delete_own(&owner, "globex").await, Err(Error::Invalid(f)) if f.get("confirm").is_some()));
        let deleted = tenants::delete_own(&owner, "Globex").await.unwrap();
        assert_eq!((deleted.state, deleted.removed_at), (TenantState::Deleted, Some(t.core.now().plus(Tenant::GRACE))));
        assert_eq!(code(&t, &secret), Code::Disabled);
        tenants::resume(&platform, globex.id).await.unwrap();
        assert_eq!(code(&t, &secret), Code::Valid, "had back in time");
        tenants::delete(&platform, globex.id, None).await.unwrap();
        t.clock.advance(Duration::from_secs(30 * 86_400 - 1));
        tenants::remove_due(&t.core).await.unwrap();
        assert_eq!(keys::list(&line, &KeyFilter::default(), PageQuery::default()).await.unwrap().data.len(), 1);
        t.clock.advance(Duration::from_secs(1));
        tenants::remove_due(&t.core).await.unwrap();
        assert!(matches!(tenants::get(&platform, globex.id).await, Err(Error::NotFound)));
        assert_eq!(t.count("SELECT COUNT(*) FROM tenants").await, 1);
        assert_eq!(t.count("SELECT COUNT(*) FROM api_keys").await, 2, "the first tenant's two");
        assert_eq!(actions(&platform).await[0], "tenant.removed");
        assert_eq!(audit::verify_chain(&platform).await.unwrap(), audit::Chain::Whole(t.count("SELECT COUNT(*) FROM audit_events").await));
    }
}

on_both! {
    async fn s22_s67_behind_a_gateway_nobody_enters_a_tenant_that_is_out_of_use(t) {
        let (globex, line, _) = globex(&t).await;
        let named = globex.id.to_string();
        let ask = async || {
            let sent = Sent::One(t.first.api_key.clone());
            verify::forward_auth(&t.gateway(), &sent, None, &Requirement::default(), Some(&named), Logged::default()).await.unwrap().code
        };
        assert_eq!(ask().await, Code::Valid);
        tenants::suspend(&t.owner(), globex.id, Some("unpaid")).await.unwrap();
        assert_eq!(ask().await, Code::InsufficientScope);
        assert_eq!(actions(&line).await.iter().filter(|a| *a == "tenant.entered").count(), 1);
        let manages = tenants::act_in(&t.with_key(&t.first.api_key), &named).await.unwrap();
        assert!(keys::list(&manages, &KeyFilter::default(), PageQuery::default()).await.is_ok(), "who manages it gets in");
    }
}

on_both! {
    async fn s67_a_platform_admin_enters_as_admin_and_not_as_owner(t) {
        let (globex, ..) = globex(&t).await;
        let there = tenants::act_in(&t.owner(), &globex.id.to_string()).await.unwrap();
        assert!(members::list(&there, PageQuery::default()).await.unwrap().data.is_empty());
        assert!(matches!(identity::switch(&there, globex.id).await, Err(Error::NotFound)), "no session of theirs begins there");
    }
}

on_both! {
    async fn a_plan_holds_at_once_for_every_tenant_that_has_it_and_only_operators_make_one(t) {
        let (owner, admin) = (t.owner(), t.join("admin@acme.test", Role::Admin).await);
        let plan = |name: &str, hour: &str| contract::PlanForm { name: name.into(), per_hour: hour.into(), per_second: "50".into(), ..Default::default() };
        assert!(matches!(tenants::create_plan(&admin, &plan("big", "500")).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
        assert!(matches!(tenants::change_plan(&owner, &plan("big", "50000")).await, Err(Error::NotFound)));
        tenants::create_plan(&owner, &plan("big", "50000")).await.unwrap();
        let made = keys::create_from_form(&owner, &t.form("checkout", "orders:read")).await.unwrap().api_key.id;
        let secret = keys::secrets(&owner, made).await.unwrap()[0].id;
        let limit = || t.core.cache.find(made, secret).unwrap().rate_limit;
        assert_eq!(limit().per_hour, 10_000);
        let to = |plan: &str| ChangeTenantBody { name: None, plan: Some(plan.into()) };
        assert!(matches!(tenants::change(&owner, t.first.tenant_id, &to("none")).await, Err(Error::Invalid(_))));
        let after = tenants::change(&owner, t.first.tenant_id, &to("big")).await.unwrap();
        assert_eq!((after.plan.as_str(), limit().per_hour, tenants::plan(&owner).await.unwrap().as_str()), ("big", 50_000, "big"));
        for name in ["big", "default"] {
            let again = tenants::create_plan(&owner, &plan(name, "60000")).await;
            assert!(matches!(&again, Err(Error::Invalid(f)) if f.get("name").is_some_and(|m| m.contains("already"))), "{again:?}");
        }
        assert_eq!(limit().per_hour, 50_000, "what exists is not overwritten");
        tenants::change_plan(&owner, &plan("big", "60000")).await.unwrap();
        assert_eq!(limit().per_hour, 60_000);
        assert!(matches!(tenants::delete_plan(&owner, "big").await, Err(Error::Conflict(_))), "a tenant has it");
        assert!(matches!(tenants::delete_plan(&owner, "default").await, Err(Error::Conflict(_))));
        tenants::change(&owner, t.first.tenant_id, &to("default")).await.unwrap();
        tenants::delete_plan(&owner, "big").await.unwrap();
        assert_eq!(tenants::plans(&owner).await.unwrap().iter().map(|p| (p.name.as_str(), p.tenants)).collect::<Vec<_>>(), [("default", 1)]);
    }
}

on_both! {
    async fn a_tenant_that_cannot_be_removed_keeps_no_other_one_waiting(t) {
        let name = |n: &str| TenantBody { name: Some(n.into()), slug: None };
        for n in ["Stuck", "Other"] {
            let made = tenants::create_from_body(&t.owner(), &name(n)).await.unwrap();
            tenants::delete(&t.owner(), made.id, None).await.unwrap();
        }
        // A table that nobody expects holds on to the first one.
        t.tamper("CREATE TABLE holds_on (tenant_id UUID REFERENCES tenants (id))").await;
        t.tamper("INSERT INTO holds_on SELECT id FROM tenants WHERE slug = 'stuck'").await;
        t.clock.advance(Duration::from_secs(31 * 86_400));
        tenants::remove_due(&t.core).await.unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM tenants WHERE slug = 'other'").await, 0);
        assert_eq!(t.count("SELECT COUNT(*) FROM tenants WHERE slug = 'stuck'").await, 1);
        t.tamper("DROP TABLE holds_on").await;
        tenants::remove_due(&t.core).await.unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM tenants WHERE slug = 'stuck'").await, 0);
    }
}
