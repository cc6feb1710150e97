//! What a tenant demands of its people: a second factor, and to sign in again after a while.

use contract::{
    AuditFilter, Code, ConfirmForm, ErrorCode, ErrorForm, LoginBody, PageQuery, Perm, PoliciesBody, RefreshBody, Requirement, Role,
    TokenAnswer,
};
use domain::{
    Ctx, Error, Result, Who, audit,
    identity::{self, SignedIn, sessions},
    keys, members, on_both, tenants,
    testing::{PASSWORD, TestInstallation, one_time_code},
    tokens, verify,
};
use serde_json::json;
use std::time::Duration;

fn patch(members: serde_json::Value) -> PoliciesBody {
    serde_json::from_value(members).unwrap()
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn must_enrol<T: std::fmt::Debug>(done: Result<T>) {
    assert!(matches!(&done, Err(Error::Refused(ErrorCode::MfaEnrollmentRequired, _))), "{done:?}");
}

fn refused_for<T: std::fmt::Debug>(field: &str, done: Result<T>) {
    assert!(matches!(&done, Err(Error::Invalid(f)) if f.get(field).is_some()), "{done:?}");
}

async fn login(t: &TestInstallation, email: &str) -> Result<TokenAnswer> {
    let body: LoginBody = serde_json::from_value(json!({"email": email, "password": PASSWORD})).unwrap();
    tokens::login(&t.as_who(Who::Anonymous), &body).await
}

async fn refresh(t: &TestInstallation, answer: &TokenAnswer) -> Result<TokenAnswer> {
    tokens::refresh(&t.as_who(Who::Anonymous), &RefreshBody { refresh_token: answer.refresh_token.clone() }).await
}

fn code(t: &TestInstallation, credential: &str) -> Code {
    verify::check(&t.core, credential, None, &Requirement::default(), None, false).unwrap().code
}

async fn session(t: &TestInstallation, id: &str, ctx: &Ctx) {
    let p = ctx.person().unwrap();
    let signed_in = SignedIn { user_id: p.user_id, tenant_id: p.tenant_id };
    t.open_session(id, signed_in).await;
}

async fn lives(t: &TestInstallation, id: &str) -> bool {
    sessions::load(&t.core, id).await.unwrap().is_some()
}

on_both! {
    async fn who_demands_a_second_factor_has_one_and_sees_who_has_none(t) {
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let off = t.join("off@acme.test", Role::Developer).await;
        members::disable_account(&t.owner(), off.person().unwrap().user_id).await.unwrap();
        let on = patch(json!({"require_second_factor": true}));
        refused_for("require_second_factor", tenants::set_policies(&t.owner(), &on).await);
        refused_for("require_second_factor", tenants::review(&t.owner(), &contract::Policies { require_second_factor: true, ..Default::default() }).await);
        assert!(!tenants::settings(&t.owner()).await.unwrap().policies.require_second_factor);
        t.enrol(&t.owner()).await;
        let saved = tenants::set_policies(&t.owner(), &on).await.unwrap();
        let named: Vec<_> = saved.violations.unenrolled.iter().map(|m| m.email.as_str()).collect();
        assert_eq!((saved.violations.unenrolled_total, named), (1, vec!["dev@acme.test"]), "and nobody whose account is disabled");
        t.enrol(&dev).await;
        assert_eq!(tenants::settings(&t.owner()).await.unwrap().violations.unenrolled_total, 0);
        let other = t.join("new@acme.test", Role::Developer).await;
        assert!(other.person().unwrap().must_enrol, "who joins is asked, too");
        // A key that reads settings and no members learns how many, and not who.
        let scopes = json!({"name": "s", "scopes": ["keystead.settings:read"]});
        let key = keys::create_from_body(&t.owner(), &serde_json::from_value(scopes).unwrap()).await.unwrap().key.unwrap();
        let seen = tenants::settings(&t.with_key(&key)).await.unwrap().violations;
        assert_eq!((seen.unenrolled_total, seen.unenrolled.len()), (1, 0));
    }
}

on_both! {
    async fn s14_who_must_have_a_second_factor_can_only_set_one_up(t) {
        let dev = t.join("dev@acme.test", Role::Admin).await;
        let made = keys::create_from_form(&dev, &t.form("theirs", "thing:read")).await.unwrap().key.unwrap();
        let (theirs, mine) = (login(&t, "dev@acme.test").await.unwrap(), login(&t, "owner@acme.test").await.unwrap());
        t.enrol(&t.owner()).await;
        tenants::set_policies(&t.owner(), &patch(json!({"require_second_factor": true}))).await.unwrap();
        assert_eq!(code(&t, &theirs.access_token), Code::Revoked, "the very next decision");
        assert!(refresh(&t, &theirs).await.is_err());
        assert_eq!(code(&t, &mine.access_token), Code::Valid, "who has one stays");
        assert_eq!(code(&t, &made), Code::Valid, "and keys go on");
        must_enrol(login(&t, "dev@acme.test").await);
        let dev = t.again(&dev).await;
        for perm in Perm::ALL {
            must_enrol(dev.require(*perm));
        }
        must_enrol(tenants::list(&dev, PageQuery::default()).await);
        must_enrol(members::leave(&dev, "Acme").await);
        must_enrol(tenants::require_platform(&dev));
        must_enrol(tenants::act_in(&dev, "ten_00000000000000000000000000000001").await);
        assert!(identity::chrome(&dev, contract::Prefs::default()).await.is_ok(), "their own account is theirs");
        t.enrol(&dev).await;
        let dev = t.again(&dev).await;
        assert!(dev.require(Perm::KeysRead).is_ok());
        let form = ConfirmForm { password: PASSWORD.into(), code: String::new() };
        let kept = identity::turn_off_two_factor(&dev, &form, false).await;
        assert!(matches!(&kept, Err(Error::Conflict(why)) if why.contains("Acme")), "{kept:?}");
        tenants::set_policies(&t.owner(), &patch(json!({"require_second_factor": false}))).await.unwrap();
        identity::turn_off_two_factor(&dev, &form, false).await.unwrap();
        assert!(login(&t, "dev@acme.test").await.is_ok());
    }
}

on_both! {
    async fn a_second_factor_is_demanded_where_it_is_and_not_in_the_persons_other_tenants(t) {
        let made = tenants::create_from_body(&t.owner(), &contract::TenantBody { name: Some("Globex".into()), slug: None }).await.unwrap();
        let line = t.as_who(Who::CommandLine(made.id));
        tenants::set_policies(&line, &patch(json!({"require_second_factor": true}))).await.unwrap();
        let invite = contract::Invite { email: contract::Email::parse("owner@acme.test").unwrap(), role: Role::Admin, days: 7 };
        let url = members::invite(&line, invite).await.unwrap().accept_url.unwrap();
        let form = contract::AcceptForm { token: url.split("token=").nth(1).unwrap().into(), password: String::new() };
        members::accept(&t.owner(), &form).await.unwrap();
        assert!(t.again(&t.owner()).await.require(Perm::KeysRead).is_ok());
        let there = identity::switch(&t.owner(), made.id).await.unwrap();
        let person = identity::resume(&t.core, there).await.unwrap().unwrap();
        assert!(person.must_enrol);
        let body: LoginBody = serde_json::from_value(json!({"email": "owner@acme.test", "password": PASSWORD, "tenant_id": made.id})).unwrap();
        must_enrol(tokens::login(&t.as_who(Who::Anonymous), &body).await);
        let secret = t.enrol(&t.owner()).await;
        let form = ConfirmForm { password: PASSWORD.into(), code: one_time_code(&secret, t.core.now()) };
        assert!(matches!(identity::turn_off_two_factor(&t.owner(), &form, false).await, Err(Error::Conflict(_))), "whichever tenant asks for it");
    }
}

on_both! {
    async fn s21_a_session_follows_the_policies_of_its_tenant_at_once(t) {
        let globex = tenants::create_from_body(&t.owner(), &contract::TenantBody { name: Some("Globex".into()), slug: None }).await.unwrap();
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'owner', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex'").await;
        let there = t.member(t.first.user_id, globex.id, Role::Owner);
        for id in ["idle", "busy"] {
            session(&t, id, &t.owner()).await;
        }
        session(&t, "there", &there).await;
        t.clock.advance(Duration::from_secs(20 * MINUTE));
        assert!(lives(&t, "busy").await);
        let short = patch(json!({"session_idle_minutes": 15, "session_lifetime_hours": 1}));
        tenants::set_policies(&t.owner(), &short).await.unwrap();
        assert!(!lives(&t, "idle").await, "it has been idle for too long already");
        tenants::set_policies(&t.owner(), &patch(json!({"session_idle_minutes": null}))).await.unwrap();
        assert!(!lives(&t, "idle").await, "what has ended stays ended");
        tenants::set_policies(&t.owner(), &short).await.unwrap();
        for _ in 0..3 {
            assert!(lives(&t, "busy").await);
            t.clock.advance(Duration::from_secs(13 * MINUTE));
        }
        assert!(lives(&t, "busy").await, "59 minutes old");
        session(&t, "new", &t.owner()).await;
        t.clock.advance(Duration::from_secs(MINUTE));
        assert!(!lives(&t, "busy").await, "an hour old");
        t.clock.advance(Duration::from_secs(13 * MINUTE));
        assert!(lives(&t, "new").await);
        t.clock.advance(Duration::from_secs(15 * MINUTE));
        assert!(!lives(&t, "new").await, "a quarter of an hour without a request");
        assert!(lives(&t, "there").await, "another tenant has its own");
        let bad = patch(json!({"session_idle_minutes": 10, "session_lifetime_hours": 169}));
        refused_for("session_idle_minutes", tenants::set_policies(&t.owner(), &bad).await);
    }
}

on_both! {
    async fn s21_a_login_over_the_api_ends_when_the_policy_says_with_its_tokens(t) {
        let old = login(&t, "owner@acme.test").await.unwrap();
        t.clock.advance(Duration::from_secs(3 * HOUR));
        t.core.cache.sync(&t.core).await.unwrap();
        let young = login(&t, "owner@acme.test").await.unwrap();
        let old = refresh(&t, &old).await.unwrap();
        assert_eq!(code(&t, &old.access_token), Code::Valid);
        t.clock.advance(Duration::from_secs(30 * MINUTE));
        t.core.cache.sync(&t.core).await.unwrap();
        tenants::set_policies(&t.owner(), &patch(json!({"session_lifetime_hours": 1}))).await.unwrap();
        assert_eq!(code(&t, &old.access_token), Code::Revoked, "older than an hour: at once");
        assert!(refresh(&t, &old).await.is_err());
        let young = refresh(&t, &young).await.unwrap();
        assert_eq!(young.expires_in, 1_800, "no token outlives its login");
        assert_eq!(code(&t, &young.access_token), Code::Valid);
        let other = t.second_process().await;
        t.clock.advance(Duration::from_secs(30 * MINUTE));
        for core in [&t.core, &other] {
            core.cache.sync(core).await.unwrap();
            let found = verify::check(core, &young.access_token, None, &Requirement::default(), None, false).unwrap();
            assert_eq!(found.code, Code::Revoked, "as soon as the login is over, in every process");
        }
        assert!(refresh(&t, &young).await.is_err());
        tenants::set_policies(&t.owner(), &patch(json!({"session_lifetime_hours": null}))).await.unwrap();
        assert!(refresh(&t, &young).await.is_err(), "what has ended stays ended");
        assert_eq!(login(&t, "owner@acme.test").await.unwrap().expires_in, 3_600);
        other.stop().await;
    }
}

on_both! {
    async fn the_form_of_errors_that_a_tenant_chose_is_known_in_every_process(t) {
        let other = t.second_process().await;
        let tenant = t.first.tenant_id;
        assert_eq!(t.core.cache.error_form(tenant), None);
        tenants::set_policies(&t.owner(), &patch(json!({"error_form": "flat"}))).await.unwrap();
        assert_eq!(t.core.cache.error_form(tenant), Some(ErrorForm::Flat), "before it is answered");
        other.cache.sync(&other).await.unwrap();
        assert_eq!(other.cache.error_form(tenant), Some(ErrorForm::Flat));
        tenants::set_policies(&t.owner(), &patch(json!({"error_form": null}))).await.unwrap();
        assert_eq!(t.core.cache.error_form(tenant), None);
        let log = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        assert_eq!(log[0].action, "policy.changed");
        other.stop().await;
    }
}
