//! Tries that failed: where they stand, how often, and that their time tells nothing.

use contract::{ActorKind, AuditEvent, AuditFilter, ConfirmForm, LoginBody, MfaBody, PageQuery, Role, SignInForm, TenantId};
use domain::{
    Ctx, Error, RequestInfo, Who, audit,
    identity::{self, Step},
    on_both, tenants,
    testing::{On, PASSWORD, TestInstallation},
    tokens,
};
use serde_json::json;
use std::time::{Duration, Instant};

const OWNER: &str = "owner@acme.test";

fn stranger(t: &TestInstallation) -> Ctx {
    let request = RequestInfo { id: "req_try".into(), ip: Some([203, 0, 113, 9].into()), ..RequestInfo::default() };
    Ctx::new(t.core.clone(), Who::Anonymous, request)
}

async fn sign_in(t: &TestInstallation, email: &str, password: &str) -> Result<Step, Error> {
    let form = SignInForm { email: email.into(), password: password.into(), next: String::new() };
    identity::sign_in(&stranger(t), &form, None).await
}

/// What the log of a tenant says of failed tries, the newest first.
async fn failed(t: &TestInstallation, tenant: TenantId) -> Vec<AuditEvent> {
    logged(t, tenant, "session.failed").await
}

async fn logged(t: &TestInstallation, tenant: TenantId, action: &str) -> Vec<AuditEvent> {
    t.core.settle().await;
    let line = t.as_who(Who::CommandLine(tenant));
    let log = audit::list(&line, &AuditFilter::default(), PageQuery { limit: 200, cursor: None }).await.unwrap().data;
    log.into_iter().filter(|e| e.action == action).collect()
}

/// Why right passwords led nowhere, the newest first.
async fn refused(t: &TestInstallation, tenant: TenantId) -> Vec<String> {
    let why = |e: AuditEvent| e.after.unwrap()["why"].as_str().unwrap().to_owned();
    logged(t, tenant, "session.refused").await.into_iter().map(why).collect()
}

async fn login(t: &TestInstallation, body: serde_json::Value) -> Result<contract::TokenAnswer, Error> {
    tokens::login(&stranger(t), &serde_json::from_value(body).unwrap()).await
}

fn told(events: &[AuditEvent]) -> Vec<(String, i64, bool)> {
    let told = |e: &AuditEvent| {
        let after = e.after.as_ref().unwrap();
        (after["by"].as_str().unwrap().to_owned(), after["tries"].as_i64().unwrap(), after["throttled"].as_bool().unwrap())
    };
    events.iter().map(told).collect()
}

fn said(by: &str, tries: i64, throttled: bool) -> (String, i64, bool) {
    (by.to_owned(), tries, throttled)
}

on_both! {
    async fn s78_failed_sign_ins_stand_in_the_log_of_each_tenant_of_the_account_and_do_not_flood_it(t) {
        let globex = tenants::create_from_body(&t.owner(), &contract::TenantBody { name: Some("Globex".into()), slug: None }).await.unwrap();
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'admin', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex'").await;
        let secret = "a password that somebody typed";
        for _ in 0..5 {
            assert!(matches!(sign_in(&t, OWNER, secret).await, Err(Error::Refused(..))));
        }
        for _ in 0..20 {
            assert!(matches!(sign_in(&t, OWNER, secret).await, Err(Error::TooMany(_))));
        }
        for tenant in [t.first.tenant_id, globex.id] {
            let log = failed(&t, tenant).await;
            let mut all = told(&log);
            all.sort();
            let wrong = [1, 2, 4].map(|n| said("password", n, false));
            let waited = [1, 2, 4, 8, 16].map(|n| said("password", n, true));
            let mut wanted = [wrong.as_slice(), waited.as_slice()].concat();
            wanted.sort();
            assert_eq!(all, wanted);
            let one = &log[0];
            assert_eq!((one.actor.kind, one.actor.name.as_str(), one.ip), (ActorKind::System, "anonymous", Some([203, 0, 113, 9].into())));
            assert_eq!((one.target.id.clone(), one.target.name.as_str()), (t.first.user_id.to_string(), OWNER));
            assert_eq!(one.request_id.as_deref(), Some("req_try"));
        }
        let before = t.count("SELECT COUNT(*) FROM audit_events").await;
        assert!(sign_in(&t, "nobody@acme.test", secret).await.is_err());
        t.core.settle().await;
        assert_eq!(t.count("SELECT COUNT(*) FROM audit_events").await, before, "nobody's tries are nobody's");
        let dump = t.dump().await;
        assert!(!dump.contains(secret) && !dump.contains("nobody@acme.test"), "what was typed is not kept");
        assert!(matches!(audit::verify_chain(&t.owner()).await.unwrap(), audit::Chain::Whole(_)));
    }
}

on_both! {
    async fn s78_the_try_that_closes_the_way_in_is_recorded(t) {
        loop {
            match sign_in(&t, OWNER, "wrong").await {
                // Closed for good.
                Err(Error::TooMany(seconds)) if seconds > 86_400 => break,
                Err(Error::TooMany(seconds)) => t.clock.advance(Duration::from_secs(seconds.unsigned_abs())),
                tried => assert!(tried.is_err()),
            }
        }
        let wrong: Vec<_> = told(&failed(&t, t.first.tenant_id).await).into_iter().filter(|(.., throttled)| !throttled).map(|(_, n, _)| n).collect();
        assert_eq!(wrong, [100, 64, 32, 16, 8, 4, 2, 1]);
    }
}

on_both! {
    async fn s78_wrong_codes_and_wrong_confirmations_are_recorded_over_the_api_too(t) {
        t.enrol(&t.owner()).await;
        let body: LoginBody = serde_json::from_value(json!({"email": OWNER, "password": PASSWORD})).unwrap();
        let Err(Error::SecondFactor(token)) = tokens::login(&stranger(&t), &body).await else { panic!("no second factor") };
        let body = MfaBody { mfa_token: token.expose().clone(), code: "000000".into() };
        assert!(tokens::mfa(&stranger(&t), &body).await.is_err());
        let Step::SecondFactor(half) = sign_in(&t, OWNER, PASSWORD).await.unwrap() else { panic!("no second factor") };
        assert!(identity::second_step(&stranger(&t), half, "000000", None).await.is_err());
        assert_eq!(told(&failed(&t, t.first.tenant_id).await), [said("second_factor", 2, false), said("second_factor", 1, false)]);
        let form = ConfirmForm { password: "wrong".into(), code: String::new() };
        assert!(identity::confirm(&t.owner(), &form).await.is_err());
        let log = failed(&t, t.first.tenant_id).await;
        assert_eq!((told(&log[..1]), log[0].actor.kind), (vec![said("confirm", 1, false)], ActorKind::User), "by who is signed in");
        let body: LoginBody = serde_json::from_value(json!({"email": OWNER, "password": "wrong"})).unwrap();
        assert!(tokens::login(&stranger(&t), &body).await.is_err());
        assert_eq!(told(&failed(&t, t.first.tenant_id).await[..1]), [said("password", 1, false)]);
    }
}

on_both! {
    async fn s78_a_try_at_a_disabled_account_is_recorded_although_its_password_was_right(t) {
        let dev = t.join("dev@acme.test", Role::Developer).await;
        domain::members::disable_account(&t.owner(), dev.person().unwrap().user_id).await.unwrap();
        assert!(sign_in(&t, "dev@acme.test", PASSWORD).await.is_err());
        assert_eq!(refused(&t, t.first.tenant_id).await, ["disabled"]);
        assert_eq!(logged(&t, t.first.tenant_id, "session.refused").await[0].target.name, "dev@acme.test");
        assert!(sign_in(&t, "dev@acme.test", "wrong").await.is_err());
        assert_eq!(refused(&t, t.first.tenant_id).await.len(), 1, "that one is wrong, and no more");
    }
}

on_both! {
    async fn s78_a_right_password_without_the_second_factor_is_recorded_at_each_door(t) {
        t.enrol(&t.owner()).await;
        let asked = async || logged(&t, t.first.tenant_id, "session.second_factor_asked").await;
        assert!(matches!(sign_in(&t, OWNER, PASSWORD).await, Ok(Step::SecondFactor(_))));
        let one = asked().await.remove(0);
        assert_eq!((one.target.name.as_str(), one.actor.name.as_str(), one.ip), (OWNER, "anonymous", Some([203, 0, 113, 9].into())));
        assert!(matches!(login(&t, json!({"email": OWNER, "password": PASSWORD})).await, Err(Error::SecondFactor(_))));
        assert_eq!(asked().await.len(), 2);
        assert!(sign_in(&t, OWNER, "wrong").await.is_err());
        assert_eq!(asked().await.len(), 2);
    }
}

on_both! {
    async fn s78_what_is_refused_after_a_right_password_is_recorded_in_each_tenant_of_the_account(t) {
        let globex = tenants::create_from_body(&t.owner(), &contract::TenantBody { name: Some("Globex".into()), slug: None }).await.unwrap();
        let dev = "dev@acme.test";
        let person = t.join(dev, Role::Developer).await;
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'admin', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex' AND u.email = 'dev@acme.test'").await;
        let Err(Error::WhichTenant(choice)) = login(&t, json!({"email": dev, "password": PASSWORD})).await else { panic!("one was chosen") };
        let named: Vec<(TenantId, &str)> = choice.iter().map(|(id, name)| (*id, name.as_str())).collect();
        assert_eq!(named, [(t.first.tenant_id, "Acme"), (globex.id, "Globex")]);
        let nowhere = json!({"email": dev, "password": PASSWORD, "tenant_id": "ten_00000000000000000000000000000007"});
        assert!(matches!(login(&t, nowhere).await, Err(Error::Refused(..))));
        t.tamper("UPDATE tenants SET policies = '{\"require_second_factor\":true}' WHERE slug = 'globex'").await;
        assert!(matches!(login(&t, json!({"email": dev, "password": PASSWORD, "tenant_id": globex.id})).await, Err(Error::Refused(..))));
        for tenant in [t.first.tenant_id, globex.id] {
            assert_eq!(refused(&t, tenant).await, ["second_factor_required", "not_a_member", "tenant_required"]);
        }
        // Whoever knows a password and has no code is not told where it would open something.
        t.enrol(&person).await;
        assert!(matches!(login(&t, json!({"email": dev, "password": PASSWORD})).await, Err(Error::WhichTenant(choice)) if choice.is_empty()));
        t.tamper("DELETE FROM members WHERE user_id IN (SELECT id FROM users WHERE email = 'dev@acme.test') AND tenant_id NOT IN (SELECT id FROM tenants WHERE slug = 'globex')").await;
        tenants::suspend(&t.owner(), globex.id, Some("unpaid")).await.unwrap();
        assert!(sign_in(&t, dev, PASSWORD).await.is_err());
        assert_eq!(refused(&t, globex.id).await[0], "no_tenant_in_use");
    }
}

on_both! {
    async fn s78_each_refresh_is_recorded_and_a_token_that_comes_twice_mails_its_person(t) {
        let first = login(&t, json!({"email": OWNER, "password": PASSWORD})).await.unwrap();
        let refresh = async |token: &str| tokens::refresh(&stranger(&t), &contract::RefreshBody { refresh_token: token.to_owned() }).await;
        let second = refresh(&first.refresh_token).await.unwrap();
        refresh(&first.refresh_token).await.unwrap();
        let told = logged(&t, t.first.tenant_id, "session.refreshed").await;
        assert_eq!(told.iter().map(|e| e.after.as_ref().unwrap()["again"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false]);
        assert_eq!((told[0].actor.name.as_str(), told[0].ip), (OWNER, Some([203, 0, 113, 9].into())));
        let mailed = "SELECT COUNT(*) FROM person_mails WHERE CAST(message AS TEXT) LIKE '%session.token_reused%'";
        assert_eq!(t.count(mailed).await, 0);
        refresh(&second.refresh_token).await.unwrap();
        assert!(refresh(&first.refresh_token).await.is_err());
        assert_eq!((t.count(mailed).await, logged(&t, t.first.tenant_id, "session.token_reused").await.len()), (1, 1));
        let dump = t.dump().await;
        assert!(!dump.contains(&first.refresh_token) && !dump.contains(&second.refresh_token));
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// The ratio of the medians of refused sign-ins at a known and at unknown accounts.
async fn ratio(t: &TestInstallation, round: u32) -> f64 {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..16 {
        // Each of them goes first every other time.
        for turn in 0..2 {
            let is_known = (n + turn) % 2 == 0;
            let email = if is_known { OWNER.to_owned() } else { format!("nobody-{round}-{n}@acme.test") };
            // No way in is closed by then, and none has to wait.
            t.clock.advance(Duration::from_secs(2 * 3_600));
            t.core.settle().await;
            let began = Instant::now();
            assert!(matches!(sign_in(t, &email, "wrong").await, Err(Error::Refused(..))));
            if is_known { &mut known } else { &mut unknown }.push(began.elapsed());
        }
    }
    let (known, unknown) = (median(known), median(unknown));
    known.max(unknown) / known.min(unknown)
}

/// The machine is busy with other things, too; a difference that is the program's own shows in every round. On one
/// thread that hashes: what memory costs differs from thread to thread.
fn takes_as_long(on: On) {
    let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    one_thread.block_on(async {
        let t = TestInstallation::new(on).await;
        let mut ratios = Vec::new();
        for round in 0..12 {
            ratios.push(ratio(&t, round).await);
            if ratios.iter().any(|r| *r <= 1.05) {
                return;
            }
        }
        panic!("ratios of the medians: {ratios:?}");
    });
}

#[test]
fn s8_a_refused_sign_in_takes_as_long_for_an_unknown_account_as_for_a_known_one_sqlite() {
    takes_as_long(On::Sqlite);
}

#[test]
fn s8_a_refused_sign_in_takes_as_long_for_an_unknown_account_as_for_a_known_one_postgres() {
    takes_as_long(On::Postgres);
}
