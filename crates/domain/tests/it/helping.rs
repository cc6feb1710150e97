//! Help for who lost a password or second factor, and members' sessions: by whom, and what it must not open.

use contract::{
    AuditFilter, Email, ErrorCode, Invite, LoginBody, PageQuery, Recovery, ResetForm, Role, SignInForm, TenantId, TokenAnswer, UserId,
};
use domain::{
    Ctx, Error, InSession, Result, Who, audit,
    identity::{self, SignedIn, Step, sessions},
    members::{self, Whom},
    on_both, tenants,
    testing::{PASSWORD, TestInstallation},
    tokens,
};
use serde_json::json;
use std::time::Duration;

fn id(ctx: &Ctx) -> UserId {
    ctx.person().unwrap().user_id
}

fn forbidden<T: std::fmt::Debug>(done: Result<T>) {
    assert!(matches!(done, Err(Error::Refused(ErrorCode::Forbidden, _))), "{done:?}");
}

async fn help(ctx: &Ctx, whom: &Ctx, how: Recovery) -> Result<Option<contract::ResetUrl>> {
    members::recover(ctx, &Whom::Member(id(whom)), how, "lost their phone").await
}

async fn told(t: &TestInstallation, tenant: TenantId, action: &str) -> usize {
    let line = t.as_who(Who::CommandLine(tenant));
    let log = audit::list(&line, &AuditFilter::default(), PageQuery { limit: 200, cursor: None }).await.unwrap().data;
    log.iter().filter(|e| e.action == action && e.reason.as_deref() == Some("lost their phone")).count()
}

async fn login(t: &TestInstallation, email: &str) -> Result<TokenAnswer> {
    let body: LoginBody = serde_json::from_value(json!({"email": email, "password": PASSWORD})).unwrap();
    tokens::login(&t.as_who(Who::Anonymous), &body).await
}

async fn session(t: &TestInstallation, name: &str, ctx: &Ctx) {
    let p = ctx.person().unwrap();
    let signed_in = SignedIn { user_id: p.user_id, tenant_id: p.tenant_id };
    t.open_session(name, signed_in).await;
}

async fn lives(t: &TestInstallation, name: &str) -> bool {
    sessions::load(&t.core, name).await.unwrap().is_some()
}

/// Another owner of the first tenant, who operates nothing.
async fn second_owner(t: &TestInstallation) -> Ctx {
    t.join("second@acme.test", Role::Owner).await
}

/// A member joins another tenant as well.
async fn join_globex(t: &TestInstallation, who: &Ctx) -> (TenantId, Ctx) {
    let globex = tenants::create_from_body(&t.owner(), &contract::TenantBody { name: Some("Globex".into()), slug: None }).await.unwrap();
    let line = t.as_who(Who::CommandLine(globex.id));
    let asked = Invite { email: Email::parse(&who.person().unwrap().email).unwrap(), role: Role::Admin, days: 7 };
    let url = members::invite(&line, asked).await.unwrap().accept_url.unwrap();
    let form = contract::AcceptForm { token: url.split("token=").nth(1).unwrap().into(), password: String::new() };
    members::accept(who, &form).await.unwrap();
    (globex.id, line)
}

fn reset(link: &contract::ResetUrl) -> ResetForm {
    ResetForm { token: link.url.split("token=").nth(1).unwrap().into(), new_password: "another gravel orbit lantern".into() }
}

on_both! {
    async fn an_owner_takes_a_lost_second_factor_and_makes_a_link_for_a_member(t) {
        let (owner, dev) = (second_owner(&t).await, t.join("dev@acme.test", Role::Developer).await);
        let over_the_api = login(&t, "dev@acme.test").await.unwrap();
        assert!(matches!(help(&owner, &dev, Recovery::SecondFactor).await, Err(Error::Conflict(_))), "there is none");
        t.enrol(&dev).await;
        session(&t, "theirs", &dev).await;
        let none = members::recover(&owner, &Whom::Member(id(&dev)), Recovery::SecondFactor, " ").await;
        assert!(matches!(none, Err(Error::Invalid(f)) if f.get("reason").is_some()));
        assert!(lives(&t, "theirs").await);
        assert_eq!(help(&owner, &dev, Recovery::SecondFactor).await.unwrap(), None);
        assert!(!lives(&t, "theirs").await);
        let ended = tokens::refresh(&t.as_who(Who::Anonymous), &contract::RefreshBody { refresh_token: over_the_api.refresh_token }).await;
        assert!(ended.is_err(), "logins over the API, too");
        assert!(login(&t, "dev@acme.test").await.is_ok(), "the password alone does again");
        assert_eq!(told(&t, t.first.tenant_id, "user.two_factor_reset").await, 1);
        session(&t, "again", &dev).await;
        let link = help(&owner, &dev, Recovery::Link).await.unwrap().unwrap();
        assert!(link.url.starts_with("http://localhost/reset?token=") && link.email == "dev@acme.test");
        assert!(!lives(&t, "again").await);
        assert!(!t.dump().await.contains(&reset(&link).token), "stored hashed");
        identity::reset_password(&t.as_who(Who::Anonymous), &reset(&link)).await.unwrap();
        let form = SignInForm { email: "dev@acme.test".into(), password: reset(&link).new_password, next: String::new() };
        assert!(matches!(identity::sign_in(&t.as_who(Who::Anonymous), &form, None).await, Ok(Step::SignedIn(_))));
        assert_eq!(told(&t, t.first.tenant_id, "user.reset_link_made").await, 1);
        let outbox = t.outbox().await;
        assert!(["user.two_factor_reset", "user.reset_link_made"].iter().all(|topic| outbox.iter().any(|(t, _)| t == topic)));
    }
}

on_both! {
    async fn s66_an_owner_takes_over_no_account_that_opens_more_than_their_tenants(t) {
        let (owner, dev) = (second_owner(&t).await, t.join("dev@acme.test", Role::Developer).await);
        let early = help(&owner, &dev, Recovery::Link).await.unwrap().unwrap();
        let (globex, line) = join_globex(&t, &dev).await;
        t.enrol(&dev).await;
        let late = identity::reset_password(&t.as_who(Who::Anonymous), &reset(&early)).await;
        forbidden(late);
        for how in [Recovery::SecondFactor, Recovery::Link] {
            forbidden(help(&owner, &dev, how).await);
            forbidden(help(&owner, &t.owner(), how).await);
        }
        // A tenant that is out of use is one still.
        tenants::suspend(&t.owner(), globex, Some("unpaid")).await.unwrap();
        forbidden(help(&owner, &dev, Recovery::Link).await);
        tenants::resume(&t.owner(), globex).await.unwrap();
        // Who owns every one of them may.
        let asked = Invite { email: Email::parse("second@acme.test").unwrap(), role: Role::Owner, days: 7 };
        let url = members::invite(&line, asked).await.unwrap().accept_url.unwrap();
        members::accept(&owner, &contract::AcceptForm { token: url.split("token=").nth(1).unwrap().into(), password: String::new() }).await.unwrap();
        assert!(help(&owner, &dev, Recovery::Link).await.unwrap().is_some());
        for tenant in [t.first.tenant_id, globex] {
            assert_eq!(told(&t, tenant, "user.reset_link_made").await, if tenant == globex { 1 } else { 2 }, "in every tenant of theirs");
        }
        // And platform admins.
        assert!(help(&t.owner(), &dev, Recovery::SecondFactor).await.is_ok());
        assert_eq!(told(&t, globex, "user.two_factor_reset").await, 1);
    }
}

on_both! {
    async fn help_is_given_by_owners_with_a_fresh_proof_and_by_nobody_else(t) {
        let (owner, dev) = (second_owner(&t).await, t.join("dev@acme.test", Role::Developer).await);
        let admin = t.join("admin@acme.test", Role::Admin).await;
        forbidden(help(&admin, &dev, Recovery::Link).await);
        assert!(matches!(help(&t.join("sec@acme.test", Role::Security).await, &dev, Recovery::Link).await, Err(Error::Denied(_))));
        forbidden(help(&t.with_key(&t.first.api_key), &dev, Recovery::Link).await);
        assert!(matches!(help(&owner, &owner, Recovery::Link).await, Err(Error::Conflict(_))), "their own is under Account");
        let old = InSession { digest: sessions::hash("x"), proven_at: t.core.now().plus(-600_000) };
        assert!(matches!(help(&owner.clone().in_session(old), &dev, Recovery::Link).await, Err(Error::NotFresh)));
        let nobody = Whom::Member(UserId::from_uuid(t.core.new_uuid()));
        assert!(matches!(members::recover(&owner, &nobody, Recovery::Link, "x").await, Err(Error::NotFound)));
        let by_address = |email: &str| Whom::Address(email.to_owned());
        forbidden(members::recover(&owner, &by_address("dev@acme.test"), Recovery::Link, "x").await);
        forbidden(members::recover(&t.with_key(&t.first.api_key), &by_address("dev@acme.test"), Recovery::Link, "x").await);
        let unknown = members::recover(&t.owner(), &by_address("nobody@acme.test"), Recovery::Link, "x").await;
        assert!(matches!(unknown, Err(Error::Invalid(f)) if f.get("email").is_some()));
        assert!(members::recover(&t.owner(), &by_address("dev@acme.test"), Recovery::Link, "x").await.unwrap().is_some());
        assert!(matches!(help(&t.as_who(Who::Anonymous), &dev, Recovery::Link).await, Err(Error::Unauthenticated)));
    }
}

on_both! {
    async fn s21_who_manages_members_sees_and_ends_their_sessions_in_this_tenant_only(t) {
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let admin = t.join("admin@acme.test", Role::Admin).await;
        let answer = login(&t, "dev@acme.test").await.unwrap();
        let (globex, _) = join_globex(&t, &dev).await;
        let there = t.as_who(Who::Person(identity::resume(&t.core, SignedIn { user_id: id(&dev), tenant_id: globex }).await.unwrap().unwrap()));
        t.clock.advance(Duration::from_secs(60));
        for name in ["a", "b"] {
            session(&t, name, &dev).await;
            t.clock.advance(Duration::from_secs(60));
        }
        session(&t, "there", &there).await;
        session(&t, "admins", &admin).await;
        let seen = members::sessions(&admin, id(&dev)).await.unwrap();
        assert_eq!(seen.iter().map(|s| s.api).collect::<Vec<_>>(), [false, false, true], "the one used last first, and none of another tenant");
        members::end_sessions(&admin, id(&dev), Some(&seen[0].id)).await.unwrap();
        assert!(!lives(&t, "b").await && lives(&t, "a").await);
        assert!(matches!(members::end_sessions(&admin, id(&dev), Some(&seen[0].id)).await, Err(Error::NotFound)));
        members::end_sessions(&admin, id(&dev), Some(&seen[2].id)).await.unwrap();
        let refreshed = tokens::refresh(&t.as_who(Who::Anonymous), &contract::RefreshBody { refresh_token: answer.refresh_token }).await;
        assert!(refreshed.is_err());
        // Neither another tenant's nor somebody else's is reached by its name.
        let hex = |name: &str| sessions::hash(name).iter().map(|b| format!("{b:02x}")).collect::<String>();
        for other in ["there", "admins"] {
            assert!(matches!(members::end_sessions(&admin, id(&dev), Some(&hex(other))).await, Err(Error::NotFound)), "{other}");
        }
        members::end_sessions(&admin, id(&dev), None).await.unwrap();
        assert!(!lives(&t, "a").await && lives(&t, "there").await && lives(&t, "admins").await);
        assert!(members::sessions(&admin, id(&dev)).await.unwrap().is_empty());
        let log = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        assert_eq!((log[0].action.as_str(), log[0].actor.name.as_str(), log[0].target.name.as_str()), ("session.ended", "admin@acme.test", "dev@acme.test"));
        forbidden(members::end_sessions(&admin, t.first.user_id, None).await);
        assert!(matches!(members::sessions(&dev, id(&admin)).await, Err(Error::Denied(_))));
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'owner', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex' AND u.email = 'owner@acme.test'").await;
        let stranger = t.member(t.first.user_id, globex, Role::Owner);
        assert!(matches!(members::sessions(&stranger, id(&admin)).await, Err(Error::NotFound)), "s66");
        assert!(matches!(members::end_sessions(&stranger, id(&admin), None).await, Err(Error::NotFound)), "s66");
    }
}
