//! Sign-ins and sessions that are on their way while something ends them (s14, s19, s22).

use contract::{ConfirmForm, ErrorCode, LoginBody, MfaBody, RefreshBody, ResetForm, Role, SignInForm, TokenAnswer};
use domain::{
    Ctx, Error, InSession, Who,
    identity::{
        self, Admitted, HalfSignedIn, Step,
        sessions::{self, Ground},
    },
    keys, members, on_both, tenants,
    testing::{PASSWORD, TestInstallation, one_time_code},
    tokens,
};
use serde_json::json;
use std::time::Duration;

const DEV: &str = "dev@acme.test";
const STEP: Duration = Duration::from_secs(30);

async fn sign_in(t: &TestInstallation) -> Step {
    let form = SignInForm { email: DEV.into(), password: PASSWORD.into(), next: String::new() };
    identity::sign_in(&t.as_who(Who::Anonymous), &form, None).await.unwrap()
}

async fn admitted(t: &TestInstallation) -> Admitted {
    match sign_in(t).await {
        Step::SignedIn(admitted) => admitted,
        Step::SecondFactor(half) => panic!("{half:?}"),
    }
}

async fn half(t: &TestInstallation) -> HalfSignedIn {
    match sign_in(t).await {
        Step::SecondFactor(half) => half,
        Step::SignedIn(admitted) => panic!("{admitted:?}"),
    }
}

/// Opens a session as the console does.
async fn open(t: &TestInstallation, id: &str, admitted: Admitted) -> Result<bool, Error> {
    sessions::insert(&t.core, id, "{}", Some((admitted.who, admitted.ground())), None).await
}

async fn login(t: &TestInstallation) -> Result<TokenAnswer, Error> {
    let body: LoginBody = serde_json::from_value(json!({"email": DEV, "password": PASSWORD})).unwrap();
    tokens::login(&t.as_who(Who::Anonymous), &body).await
}

async fn mfa_token(t: &TestInstallation) -> String {
    match login(t).await {
        Err(Error::SecondFactor(token)) => token.expose().clone(),
        other => panic!("{other:?}"),
    }
}

async fn mfa(t: &TestInstallation, mfa_token: &str, code: &str) -> Result<TokenAnswer, Error> {
    let body: MfaBody = serde_json::from_value(json!({"mfa_token": mfa_token, "code": code})).unwrap();
    tokens::mfa(&t.as_who(Who::Anonymous), &body).await
}

async fn lives(t: &TestInstallation, id: &str) -> bool {
    sessions::load(&t.core, id).await.unwrap().is_some()
}

fn is_unauthenticated<T>(done: &Result<T, Error>) -> bool {
    matches!(done, Err(Error::Unauthenticated | Error::Refused(ErrorCode::Unauthorized, _)))
}

async fn reset(t: &TestInstallation) {
    let link = identity::new_reset_link(&t.as_who(Who::CommandLine(t.first.tenant_id)), DEV).await.unwrap();
    let form = ResetForm { token: link.0.expose().clone(), new_password: "another gravel orbit lantern".into() };
    identity::reset_password(&t.as_who(Who::Anonymous), &form).await.unwrap();
}

on_both! {
    async fn s22_a_sign_in_that_began_before_its_end_opens_no_session(t) {
        let dev = t.join(DEV, Role::Developer).await;
        let id = dev.person().unwrap().user_id;
        let others = dev.clone().in_session(InSession { digest: sessions::hash("elsewhere"), proven_at: t.core.now() });
        let before = admitted(&t).await;
        assert!(open(&t, "early", before).await.unwrap(), "nothing has ended it");
        sessions::end_others(&others).await.unwrap();
        assert!(!lives(&t, "early").await);
        assert!(is_unauthenticated(&open(&t, "late", before).await), "signed out everywhere else meanwhile");
        let before = admitted(&t).await;
        members::disable_account(&t.owner(), id).await.unwrap();
        assert!(is_unauthenticated(&open(&t, "late", before).await), "disabled meanwhile");
        members::enable_account(&t.owner(), id).await.unwrap();
        assert!(is_unauthenticated(&open(&t, "late", before).await), "and what was begun before stays ended");
        let before = admitted(&t).await;
        members::end_sessions(&t.owner(), id, None).await.unwrap();
        assert!(is_unauthenticated(&open(&t, "late", before).await), "an owner ended their sessions meanwhile");
        let before = admitted(&t).await;
        let everywhere = contract::LogoutBody { everywhere: true, ..Default::default() };
        tokens::logout(&dev.clone().with_token(t.by_token(&login(&t).await.unwrap().access_token).await.unwrap().token().unwrap().clone().into()), &everywhere).await.unwrap();
        assert!(is_unauthenticated(&open(&t, "late", before).await), "out of everything over the API");
        let before = admitted(&t).await;
        reset(&t).await;
        assert!(is_unauthenticated(&open(&t, "late", before).await), "the password is another one");
        assert!(!lives(&t, "late").await);
    }
}

on_both! {
    async fn s22_a_sign_in_that_was_under_way_when_its_tenant_was_suspended_opens_nothing_afterwards(t) {
        let globex = tenants::create_from_body(&t.owner(), &serde_json::from_value(json!({"name": "Globex"})).unwrap()).await.unwrap();
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'owner', 1 FROM tenants t, users u WHERE t.slug = 'globex'").await;
        let form = SignInForm { email: "owner@acme.test".into(), password: PASSWORD.into(), next: String::new() };
        let Step::SignedIn(before) = identity::sign_in(&t.as_who(Who::Anonymous), &form, None).await.unwrap() else { panic!("no second factor") };
        assert_eq!(before.who.tenant_id, globex.id, "the first one");
        tenants::suspend(&t.owner(), globex.id, Some("unpaid")).await.unwrap();
        tenants::resume(&t.owner(), globex.id).await.unwrap();
        assert!(is_unauthenticated(&open(&t, "late", before).await));
    }
}

on_both! {
    async fn s14_a_second_step_that_waited_for_a_reset_opens_nothing(t) {
        let dev = t.join(DEV, Role::Developer).await;
        let secret = t.enrol(&dev).await;
        let code = |t: &TestInstallation| one_time_code(&secret, t.core.now());
        let (waits, token) = (half(&t).await, mfa_token(&t).await);
        reset(&t).await;
        let stranger = t.as_who(Who::Anonymous);
        assert!(is_unauthenticated(&identity::second_step(&stranger, waits, &code(&t), None).await), "the password is another one");
        t.clock.advance(STEP);
        assert!(is_unauthenticated(&mfa(&t, &token, &code(&t)).await), "over the API too");
    }
}

on_both! {
    async fn s63_an_mfa_token_opens_one_login_and_nothing_else(t) {
        let dev = t.join(DEV, Role::Developer).await;
        let secret = t.enrol(&dev).await;
        let token = mfa_token(&t).await;
        for other in ["refresh", "access"] {
            assert!(t.by_token(&token).await.is_none(), "it is no {other} token");
        }
        assert!(tokens::refresh(&t.as_who(Who::Anonymous), &RefreshBody { refresh_token: token.clone() }).await.is_err());
        let answer = mfa(&t, &token, &one_time_code(&secret, t.core.now())).await.unwrap();
        t.clock.advance(STEP);
        assert!(is_unauthenticated(&mfa(&t, &token, &one_time_code(&secret, t.core.now())).await), "once");
        for other in [answer.access_token.as_str(), answer.refresh_token.as_str(), token.trim_start_matches("mfa_")] {
            assert!(is_unauthenticated(&mfa(&t, other, &one_time_code(&secret, t.core.now())).await), "{other} is no mfa_token");
        }
        assert_eq!(t.count("SELECT COUNT(*) FROM logins").await, 1);
    }
}

on_both! {
    async fn s19_a_session_that_is_ended_while_its_id_changes_does_not_come_back(t) {
        let dev = t.join(DEV, Role::Developer).await;
        let who = admitted(&t).await.who;
        t.open_session("old", who).await;
        // The console takes the old one away, and stores it under its new id.
        let go_on = |from: &'static str, to: &'static str| {
            let core = t.core.clone();
            async move {
                sessions::delete(&core, from).await.unwrap();
                sessions::insert(&core, to, "{}", Some((who, Ground::goes_on(from))), None).await
            }
        };
        assert!(go_on("old", "new").await.unwrap());
        assert!(lives(&t, "new").await && !lives(&t, "old").await);
        assert!(is_unauthenticated(&go_on("old", "twice").await), "it went on once");
        // Signing out in between, in another window, ends what is on its way to its new id.
        t.open_session("left", who).await;
        sessions::delete(&t.core, "left").await.unwrap();
        let window = dev.clone().in_session(InSession { digest: sessions::hash("left"), proven_at: t.core.now() });
        identity::sign_out(&window).await.unwrap();
        assert!(is_unauthenticated(&go_on("left", "back").await), "signed out in between");
        sessions::delete(&t.core, "new").await.unwrap();
        members::end_sessions(&t.owner(), dev.person().unwrap().user_id, None).await.unwrap();
        let late = sessions::insert(&t.core, "newer", "{}", Some((who, Ground::goes_on("new"))), None).await;
        assert!(is_unauthenticated(&late), "ended in between");
        assert!(is_unauthenticated(&sessions::insert(&t.core, "made up", "{}", Some((who, Ground::goes_on("never was"))), None).await));
        // Nor does somebody else's go on as theirs.
        let owner = identity::SignedIn { user_id: t.first.user_id, tenant_id: t.first.tenant_id };
        t.open_session("owners", owner).await;
        assert!(is_unauthenticated(&sessions::insert(&t.core, "stolen", "{}", Some((who, Ground::goes_on("owners"))), None).await));
        assert!(lives(&t, "owners").await);
    }
}

on_both! {
    async fn s16_a_token_is_fresh_for_ten_minutes_after_the_password_and_no_refresh_renews_that(t) {
        t.join(DEV, Role::Developer).await;
        let answer = login(&t).await.unwrap();
        let make = async |ctx: Ctx, name: &str| keys::create_from_form(&ctx, &t.form(name, "read")).await.map(drop);
        make(t.by_token(&answer.access_token).await.unwrap(), "early").await.unwrap();
        t.clock.advance(Duration::from_secs(11 * 60));
        t.core.cache.sync(&t.core).await.unwrap();
        let stale = t.by_token(&answer.access_token).await.unwrap();
        assert!(matches!(make(stale, "late").await, Err(Error::NotFresh)));
        let next = tokens::refresh(&t.as_who(Who::Anonymous), &RefreshBody { refresh_token: answer.refresh_token }).await.unwrap();
        assert!(matches!(make(t.by_token(&next.access_token).await.unwrap(), "late").await, Err(Error::NotFresh)));
        make(t.by_token(&login(&t).await.unwrap().access_token).await.unwrap(), "late").await.unwrap();
    }
}

on_both! {
    async fn s1_a_short_password_opens_nothing_once_somebody_else_took_the_second_factor(t) {
        let dev = t.join(DEV, Role::Developer).await;
        t.enrol(&dev).await;
        let short = "gravel9orbit";
        let form = contract::ChangePasswordForm { password: PASSWORD.into(), new_password: short.into(), ..Default::default() };
        let fresh = dev.clone().in_session(InSession { digest: sessions::hash("here"), proven_at: t.core.now() });
        identity::change_password(&fresh, &form).await.unwrap();
        identity::disable_two_factor(&t.as_who(Who::CommandLine(t.first.tenant_id)), DEV).await.unwrap();
        let form = SignInForm { email: DEV.into(), password: short.into(), next: String::new() };
        let refused = identity::sign_in(&t.as_who(Who::Anonymous), &form, None).await;
        assert!(matches!(&refused, Err(Error::Refused(ErrorCode::Forbidden, why)) if why.contains("too short")), "{refused:?}");
        let body: LoginBody = serde_json::from_value(json!({"email": DEV, "password": short})).unwrap();
        assert!(matches!(tokens::login(&t.as_who(Who::Anonymous), &body).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
        reset(&t).await;
        let form = SignInForm { password: "another gravel orbit lantern".into(), ..form };
        assert!(matches!(identity::sign_in(&t.as_who(Who::Anonymous), &form, None).await, Ok(Step::SignedIn(_))));
    }
}

on_both! {
    async fn s16_turning_the_second_factor_off_ends_the_other_sessions_if_that_is_wanted(t) {
        let dev = t.join(DEV, Role::Developer).await;
        let who = admitted(&t).await.who;
        for id in ["here", "there"] {
            t.open_session(id, who).await;
        }
        t.enrol(&dev).await;
        let here = dev.clone().in_session(InSession { digest: sessions::hash("here"), proven_at: t.core.now() });
        let form = ConfirmForm { password: PASSWORD.into(), code: String::new() };
        identity::turn_off_two_factor(&here, &form, true).await.unwrap();
        assert!(lives(&t, "here").await && !lives(&t, "there").await);
    }
}

on_both! {
    async fn s7_a_way_in_that_is_closed_costs_no_write_and_every_refused_try_is_counted(t) {
        let stranger = t.as_who(Who::Anonymous);
        let form = SignInForm { email: DEV.into(), password: "wrong".into(), next: String::new() };
        t.join(DEV, Role::Developer).await;
        let guess = async || matches!(identity::sign_in(&stranger, &form, None).await, Err(Error::TooMany(_)));
        while !guess().await {}
        t.clock.advance(Duration::from_secs(1));
        while !guess().await {}
        let written = async || t.count("SELECT CAST(SUM(refused) AS BIGINT) FROM throttles").await;
        let before = written().await;
        for _ in 0..20 {
            assert!(guess().await);
        }
        assert_eq!(written().await, before, "they were counted in memory");
        // Wrong ones until the wait is longer than what is trusted without looking.
        for seconds in [2, 4, 8, 16, 32] {
            t.clock.advance(Duration::from_secs(seconds));
            while !guess().await {}
        }
        let before = written().await;
        for _ in 0..20 {
            assert!(guess().await);
        }
        t.clock.advance(Duration::from_secs(11));
        assert!(guess().await, "looked up again");
        assert_eq!(written().await, before + 21);
    }
}
