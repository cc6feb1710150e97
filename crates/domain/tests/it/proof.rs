//! Passwords and second factors as they are tried: counted, accepted once, fresh when it matters.

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
use contract::{
    AuditFilter, ChangePasswordForm, ConfirmForm, ErrorCode, PageQuery, RecoveryCodes, ResetForm, RotateBody, SignInForm, UnixMs,
};
use domain::{
    Ctx, Error, InSession, Who, audit,
    identity::{self, Admitted, HalfSignedIn, SignedIn, Step, sessions},
    keys, on_both,
    testing::{PASSWORD, TestInstallation, one_time_code},
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const OWNER: &str = "owner@acme.test";
const STEP: Duration = Duration::from_secs(30);

fn form(email: &str, password: &str) -> SignInForm {
    SignInForm { email: email.into(), password: password.into(), next: String::new() }
}

/// What became of a try.
#[derive(Debug, PartialEq, Eq)]
enum Tried {
    In,
    Half,
    Wrong,
    Wait(i64),
}

fn tried(done: Result<Step, Error>) -> Tried {
    match done {
        Ok(Step::SignedIn(_)) => Tried::In,
        Ok(Step::SecondFactor(_)) => Tried::Half,
        Err(Error::Refused(ErrorCode::Unauthorized, _)) => Tried::Wrong,
        Err(Error::TooMany(seconds)) => Tried::Wait(seconds),
        Err(e) => panic!("{e:?}"),
    }
}

async fn sign_in(t: &TestInstallation, email: &str, password: &str, device: Option<&str>) -> Tried {
    tried(identity::sign_in(&t.as_who(Who::Anonymous), &form(email, password), device).await)
}

async fn half(t: &TestInstallation) -> HalfSignedIn {
    match identity::sign_in(&t.as_who(Who::Anonymous), &form(OWNER, PASSWORD), None).await.unwrap() {
        Step::SecondFactor(half) => half,
        Step::SignedIn(_) => panic!("no second factor was asked for"),
    }
}

async fn second(t: &TestInstallation, half: HalfSignedIn, code: &str) -> Result<Admitted, Error> {
    identity::second_step(&t.as_who(Who::Anonymous), half, code, None).await
}

fn code(t: &TestInstallation, secret: &str) -> String {
    one_time_code(secret, t.core.now())
}

/// Gives the owner a second factor; the clock then stands in a step that no code has been accepted for.
async fn enrol(t: &TestInstallation) -> (String, RecoveryCodes) {
    let enrolment = identity::begin_two_factor(&t.owner()).await.unwrap();
    let codes = identity::turn_on_two_factor(&t.owner(), &code(t, &enrolment.secret), false).await.unwrap();
    t.clock.advance(STEP);
    (enrolment.secret, codes)
}

/// The owner in a session that proved who they are at this time.
fn in_session(t: &TestInstallation, id: &str, proven_at: UnixMs) -> Ctx {
    t.owner().in_session(InSession { digest: sessions::hash(id), proven_at })
}

async fn actions(t: &TestInstallation) -> Vec<String> {
    let page = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap();
    page.data.into_iter().map(|e| e.action).collect()
}

on_both! {
    async fn s4_a_weaker_hash_is_replaced_at_the_next_sign_in(t) {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let weak = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
        t.tamper(format!("UPDATE users SET password_hash = '{weak}'").leak()).await;
        assert_eq!(sign_in(&t, OWNER, "wrong", None).await, Tried::Wrong);
        assert_eq!(t.count("SELECT COUNT(*) FROM users WHERE password_hash LIKE '%m=64,%'").await, 1);
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::In);
        assert_eq!(t.count("SELECT COUNT(*) FROM users WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'").await, 1);
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::In, "the same password, hashed again");
    }
}

on_both! {
    async fn s6_a_hundred_wrong_guesses_close_the_way_in_but_not_for_a_known_device(t) {
        let device = identity::remember_device(&t.as_who(Who::Anonymous), t.first.user_id, None).await.unwrap();
        let mut judged = 0;
        let closed = loop {
            match sign_in(&t, OWNER, "wrong", None).await {
                Tried::Wrong => judged += 1,
                Tried::Wait(seconds) if seconds > 86_400 => break seconds,
                Tried::Wait(seconds) => t.clock.advance(Duration::from_secs(seconds.unsigned_abs())),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(judged, 100);
        assert!(closed > 86_400 * 365);
        t.clock.advance(Duration::from_secs(86_400));
        assert!(matches!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::Wait(_)), "not even with the right one");
        assert_eq!(sign_in(&t, OWNER, PASSWORD, Some(device.expose())).await, Tried::In, "the owner is not locked out");
        assert!(matches!(sign_in(&t, OWNER, PASSWORD, Some("planted")).await, Tried::Wait(_)));
        let link = identity::new_reset_link(&t.as_who(Who::CommandLine(t.first.tenant_id)), OWNER).await.unwrap();
        let reset = ResetForm { token: link.0.expose().clone(), new_password: "another gravel orbit lantern".into() };
        identity::reset_password(&t.as_who(Who::Anonymous), &reset).await.unwrap();
        assert_eq!(sign_in(&t, OWNER, &reset.new_password, None).await, Tried::In, "a link opens it again");
    }
}

on_both! {
    async fn s9_a_hundred_parallel_guesses_are_a_hundred_tries(t) {
        let t = Arc::new(t);
        let mut all = JoinSet::new();
        for _ in 0..100 {
            let t = Arc::clone(&t);
            all.spawn(async move { sign_in(&t, OWNER, "wrong", None).await });
        }
        let done = all.join_all().await;
        assert_eq!(done.iter().filter(|d| **d == Tried::Wrong).count(), 5, "five are judged, the others must wait: {done:?}");
        assert_eq!(t.count("SELECT MAX(failures) FROM throttles WHERE failures < 50").await, 5);
        t.clock.advance(Duration::from_secs(2));
        let one = sign_in(&t, OWNER, "wrong", None).await;
        assert!(matches!(one, Tried::Wait(_) | Tried::Wrong), "{one:?}");
    }
}

on_both! {
    async fn s8_an_unknown_account_is_throttled_like_a_known_one(t) {
        let mut said = Vec::new();
        for _ in 0..8 {
            said.push((sign_in(&t, OWNER, "wrong", None).await, sign_in(&t, "nobody@acme.test", "wrong", None).await));
        }
        assert!(said.iter().all(|(known, unknown)| known == unknown), "{said:?}");
        assert_eq!(said[5].0, Tried::Wait(1));
    }
}

on_both! {
    async fn s6_a_right_password_forgets_the_wrong_ones_before_it(t) {
        for _ in 0..5 {
            for _ in 0..4 {
                assert_eq!(sign_in(&t, OWNER, "wrong", None).await, Tried::Wrong);
            }
            assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::In);
        }
    }
}

on_both! {
    async fn s10_s12_a_code_is_accepted_once_and_never_one_before_it(t) {
        let (secret, _) = enrol(&t).await;
        let first = code(&t, &secret);
        second(&t, half(&t).await, &first).await.unwrap();
        assert!(matches!(second(&t, half(&t).await, &first).await, Err(Error::Invalid(_))), "the same again");
        t.clock.advance(STEP);
        assert!(second(&t, half(&t).await, &first).await.is_err(), "still within the window");
        let now = t.core.now();
        let (before, next) = (one_time_code(&secret, now.plus(-30_000)), one_time_code(&secret, now.plus(30_000)));
        second(&t, half(&t).await, &next).await.unwrap();
        assert!(second(&t, half(&t).await, &before).await.is_err());
        assert!(second(&t, half(&t).await, &code(&t, &secret)).await.is_err(), "older than one that was accepted");
    }
}

on_both! {
    async fn s10_of_parallel_uses_of_one_code_one_is_accepted(t) {
        let (secret, recovery) = enrol(&t).await;
        let t = Arc::new(t);
        for given in [code(&t, &secret), recovery.0[0].clone()] {
            let half = half(&t).await;
            let mut all = JoinSet::new();
            for _ in 0..20 {
                let (t, given) = (Arc::clone(&t), given.clone());
                all.spawn(async move { second(&t, half, &given).await.is_ok() });
            }
            assert_eq!(all.join_all().await.iter().filter(|ok| **ok).count(), 1, "{given}");
            t.clock.advance(Duration::from_secs(1_000));
        }
    }
}

on_both! {
    async fn s7_s11_codes_are_throttled_apart_from_passwords(t) {
        let (secret, _) = enrol(&t).await;
        let begun = half(&t).await;
        for _ in 0..5 {
            assert!(matches!(second(&t, begun, "000000").await, Err(Error::Invalid(_))));
        }
        assert!(matches!(second(&t, begun, &code(&t, &secret)).await, Err(Error::TooMany(_))), "not even the right one");
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::Half, "the password has a count of its own");
        t.clock.advance(Duration::from_secs(2));
        second(&t, begun, &code(&t, &secret)).await.unwrap();
    }
}

on_both! {
    async fn s14_the_second_step_is_open_for_ten_minutes(t) {
        let (secret, _) = enrol(&t).await;
        let begun = half(&t).await;
        t.clock.advance(Duration::from_secs(600));
        assert!(matches!(second(&t, begun, &code(&t, &secret)).await, Err(Error::Refused(ErrorCode::Unauthorized, _))));
    }
}

on_both! {
    async fn s15_ten_recovery_codes_work_once_each_and_new_ones_kill_them(t) {
        let (_, old) = enrol(&t).await;
        assert_eq!(old.0.len(), 10);
        let dump = t.dump().await;
        assert!(old.0.iter().all(|c| !dump.contains(c.as_str()) && !dump.contains(&c.replace('-', ""))), "stored hashed");
        second(&t, half(&t).await, &old.0[0].to_uppercase().replace('-', " ")).await.unwrap();
        assert!(second(&t, half(&t).await, &old.0[0]).await.is_err(), "single use");
        assert_eq!(identity::two_factor_state(&t.owner()).await.unwrap().codes_left, 9);
        let new = identity::new_recovery_codes(&t.owner()).await.unwrap();
        assert!(second(&t, half(&t).await, &old.0[1]).await.is_err(), "replaced");
        second(&t, half(&t).await, &new.0[1]).await.unwrap();
    }
}

on_both! {
    async fn s76_a_second_factor_lies_sealed_and_counts_after_its_first_code(t) {
        let enrolment = identity::begin_two_factor(&t.owner()).await.unwrap();
        assert!(!t.dump().await.contains(&enrolment.secret));
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::In, "not yet");
        assert!(identity::turn_on_two_factor(&t.owner(), "000000", false).await.is_err());
        assert!(identity::pending_two_factor(&t.owner()).await.unwrap().is_some_and(|again| again == enrolment));
        identity::turn_on_two_factor(&t.owner(), &code(&t, &enrolment.secret), false).await.unwrap();
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::Half);
        assert!(identity::begin_two_factor(&t.owner()).await.is_err(), "it is not replaced while it is on");
        assert!(identity::pending_two_factor(&t.owner()).await.unwrap().is_none(), "and not shown again");
        assert!(actions(&t).await.contains(&"user.two_factor_enabled".to_owned()));
    }
}

on_both! {
    async fn s1_a_short_password_needs_the_second_factor_and_so_keeps_it(t) {
        let short = "vmQ7!xLr";
        let change = |from: &str, to: &str| ChangePasswordForm { password: from.into(), new_password: to.into(), ..ChangePasswordForm::default() };
        assert!(matches!(identity::change_password(&t.owner(), &change(PASSWORD, short)).await, Err(Error::Invalid(_))));
        enrol(&t).await;
        identity::change_password(&t.owner(), &change(PASSWORD, short)).await.unwrap();
        let off = |password: &str| ConfirmForm { password: password.into(), code: String::new() };
        assert!(matches!(identity::turn_off_two_factor(&t.owner(), &off(short), false).await, Err(Error::Invalid(_))), "too short to stand alone");
        identity::change_password(&t.owner(), &change(short, PASSWORD)).await.unwrap();
        assert!(identity::turn_off_two_factor(&t.owner(), &off("wrong"), false).await.is_err());
        identity::turn_off_two_factor(&t.owner(), &off(PASSWORD), false).await.unwrap();
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::In);
    }
}

on_both! {
    async fn s3_a_new_password_is_judged_with_the_words_of_its_tenant(t) {
        let change = |to: &str| ChangePasswordForm { password: PASSWORD.into(), new_password: to.into(), ..ChangePasswordForm::default() };
        for weak in ["acmeacmeacmeacme", "keysteadkeystead", "owner@acme.test"] {
            let refused = identity::change_password(&t.owner(), &change(weak)).await;
            assert!(matches!(&refused, Err(Error::Invalid(f)) if f.get("new_password").is_some()), "{weak}: {refused:?}");
        }
    }
}

on_both! {
    async fn s16_what_makes_a_secret_or_changes_the_sign_in_wants_a_proof_of_the_last_ten_minutes(t) {
        let proven = t.core.now();
        let made = keys::create_from_form(&in_session(&t, "a", proven), &t.form("k", "read")).await.unwrap();
        t.clock.advance(Duration::from_secs(600));
        let stale = in_session(&t, "a", proven);
        let overlap = RotateBody { grace_seconds: Some(0) };
        let refused = [
            keys::create_from_form(&stale, &t.form("l", "read")).await.err(),
            keys::rotate(&stale, made.api_key.id, &overlap).await.err(),
            identity::begin_two_factor(&stale).await.err(),
            identity::new_recovery_codes(&stale).await.err(),
        ];
        assert!(refused.iter().all(|e| matches!(e, Some(Error::NotFresh))), "{refused:?}");
        let wrong = ConfirmForm { password: "wrong".into(), code: String::new() };
        assert!(matches!(identity::confirm(&stale, &wrong).await, Err(Error::Invalid(_))));
        identity::confirm(&stale, &ConfirmForm { password: PASSWORD.into(), code: String::new() }).await.unwrap();
        keys::rotate(&in_session(&t, "b", t.core.now()), made.api_key.id, &overlap).await.unwrap();
        // Where there is a second factor, the password alone proves nothing.
        let (secret, _) = enrol(&t).await;
        assert!(identity::confirm(&stale, &ConfirmForm { password: PASSWORD.into(), code: String::new() }).await.is_err());
        let change = ChangePasswordForm { password: PASSWORD.into(), new_password: "another gravel orbit".into(), ..ChangePasswordForm::default() };
        assert!(identity::change_password(&stale, &change).await.is_err());
        identity::change_password(&stale, &ChangePasswordForm { code: code(&t, &secret), ..change }).await.unwrap();
    }
}

on_both! {
    async fn s7_the_password_of_who_is_signed_in_is_throttled_too(t) {
        let wrong = ConfirmForm { password: "wrong".into(), code: String::new() };
        for _ in 0..5 {
            assert!(matches!(identity::confirm(&t.owner(), &wrong).await, Err(Error::Invalid(_))));
        }
        assert!(matches!(identity::confirm(&t.owner(), &wrong).await, Err(Error::TooMany(_))));
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::In, "an open screen does not shut its owner out");
    }
}

on_both! {
    async fn s21_people_see_and_end_their_sign_ins_over_the_api_in_every_tenant(t) {
        let body = contract::TenantBody { name: Some("Globex".into()), slug: None };
        let (globex, link) = domain::tenants::create_with_owner(&t.owner(), &body, OWNER).await.unwrap();
        let token = link.unwrap().accept_url.unwrap().split("token=").nth(1).unwrap().to_owned();
        domain::members::accept(&t.owner(), &contract::AcceptForm { token, password: String::new() }).await.unwrap();
        let login = async |tenant| {
            let body = contract::LoginBody { email: OWNER.into(), password: PASSWORD.into(), tenant_id: Some(tenant) };
            domain::tokens::login(&t.as_who(Who::Anonymous), &body).await.unwrap().access_token
        };
        let (here, there) = (login(t.first.tenant_id).await, login(globex.id).await);
        let works = |token: &str| domain::verify::check(&t.core, token, None, &contract::Requirement::default(), None, false).unwrap().code == contract::Code::Valid;
        let owner = SignedIn { user_id: t.first.user_id, tenant_id: t.first.tenant_id };
        t.open_session("a", owner).await;
        let ctx = in_session(&t, "a", t.core.now());
        let mut seen: Vec<_> = sessions::list(&ctx).await.unwrap().into_iter().map(|s| (s.tenant.unwrap(), s.api, s.current, s.id)).collect();
        seen.sort();
        let shown: Vec<_> = seen.iter().map(|(tenant, api, current, _)| (tenant.as_str(), *api, *current)).collect();
        assert_eq!(shown, [("Acme", false, true), ("Acme", true, false), ("Globex", true, false)]);
        let other = t.member(contract::UserId::from_uuid(t.core.new_uuid()), t.first.tenant_id, contract::Role::Admin);
        assert!(matches!(sessions::end(&other, &seen[2].3).await, Err(Error::NotFound)), "somebody else's");
        sessions::end(&ctx, &seen[2].3).await.unwrap();
        assert_eq!((works(&here), works(&there)), (true, false), "that one, at once");
        assert!(matches!(sessions::end(&ctx, &seen[2].3).await, Err(Error::NotFound)));
        assert_eq!(sessions::end_others(&ctx).await.unwrap(), 1);
        assert!(!works(&here));
        assert_eq!(sessions::list(&ctx).await.unwrap().len(), 1);
    }
}

on_both! {
    async fn s21_people_see_their_sessions_and_end_them(t) {
        let owner = SignedIn { user_id: t.first.user_id, tenant_id: t.first.tenant_id };
        for id in ["a", "b", "c"] {
            t.open_session(id, owner).await;
            t.clock.advance(Duration::from_secs(1));
        }
        let ctx = in_session(&t, "a", t.core.now());
        let mut from = ctx.request().clone();
        (from.ip, from.user_agent) = (Some([203, 0, 113, 9].into()), Some("Firefox".into()));
        sessions::describe(&t.core, "b", &from).await.unwrap();
        let seen = sessions::list(&ctx).await.unwrap();
        assert_eq!(seen.iter().map(|s| (s.current, s.ip.as_deref())).collect::<Vec<_>>(), [(false, None), (false, Some("203.0.113.9")), (true, None)]);
        sessions::end(&ctx, &seen[1].id).await.unwrap();
        assert!(sessions::load(&t.core, "b").await.unwrap().is_none());
        assert!(matches!(sessions::end(&ctx, &seen[1].id).await, Err(Error::NotFound)));
        let other = t.member(contract::UserId::from_uuid(t.core.new_uuid()), t.first.tenant_id, contract::Role::Admin);
        assert!(matches!(sessions::end(&other, &seen[0].id).await, Err(Error::NotFound)), "somebody else's");
        assert_eq!(sessions::end_others(&ctx).await.unwrap(), 1);
        assert!(sessions::load(&t.core, "a").await.unwrap().is_some() && sessions::load(&t.core, "c").await.unwrap().is_none());
        assert_eq!(actions(&t).await.iter().filter(|a| *a == "session.ended").count(), 2);
    }
}

on_both! {
    async fn s21_a_session_that_changes_its_id_does_not_live_longer(t) {
        let began = t.core.now();
        t.clock.advance(Duration::from_secs(7 * 86_400 - 3_600));
        assert!(sessions::insert(&t.core, "new", "{}", None, Some(began)).await.unwrap());
        t.clock.advance(Duration::from_secs(3_500));
        assert!(sessions::load(&t.core, "new").await.unwrap().is_some());
        t.clock.advance(Duration::from_secs(100));
        assert!(sessions::load(&t.core, "new").await.unwrap().is_none());
    }
}

on_both! {
    async fn s16_a_changed_password_ends_the_other_sessions_if_that_is_wanted(t) {
        let owner = SignedIn { user_id: t.first.user_id, tenant_id: t.first.tenant_id };
        let change = |from: &str, to: &str, end: bool| ChangePasswordForm {
            password: from.into(),
            new_password: to.into(),
            end_others: end.then(|| "1".to_owned()),
            ..ChangePasswordForm::default()
        };
        for id in ["a", "b"] {
            t.open_session(id, owner).await;
        }
        let ctx = in_session(&t, "a", t.core.now());
        let new = "another gravel orbit lantern";
        identity::change_password(&ctx, &change(PASSWORD, new, false)).await.unwrap();
        assert!(sessions::load(&t.core, "b").await.unwrap().is_some());
        identity::change_password(&ctx, &change(new, PASSWORD, true)).await.unwrap();
        assert!(sessions::load(&t.core, "a").await.unwrap().is_some() && sessions::load(&t.core, "b").await.unwrap().is_none());
        assert_eq!(sign_in(&t, OWNER, new, None).await, Tried::Wrong);
    }
}

on_both! {
    async fn s16_a_second_factor_ends_sessions_that_never_gave_a_code_if_that_is_wanted(t) {
        let owner = SignedIn { user_id: t.first.user_id, tenant_id: t.first.tenant_id };
        for id in ["a", "b"] {
            t.open_session(id, owner).await;
        }
        let ctx = in_session(&t, "a", t.core.now());
        let enrolment = identity::begin_two_factor(&ctx).await.unwrap();
        identity::turn_on_two_factor(&ctx, &code(&t, &enrolment.secret), true).await.unwrap();
        assert!(sessions::load(&t.core, "a").await.unwrap().is_some() && sessions::load(&t.core, "b").await.unwrap().is_none());
    }
}

on_both! {
    async fn s77_a_reset_link_works_once_for_a_day_ends_every_session_and_keeps_the_second_factor(t) {
        enrol(&t).await;
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        let stranger = t.as_who(Who::Anonymous);
        assert!(matches!(identity::new_reset_link(&line, "nobody@acme.test").await, Err(Error::NotFound)));
        let first = identity::new_reset_link(&line, OWNER).await.unwrap();
        let link = identity::new_reset_link(&line, OWNER).await.unwrap();
        assert!(!identity::reset_link_is_open(&t.core, first.0.expose()).await.unwrap(), "replaced");
        assert!(!t.dump().await.contains(link.0.expose().as_str()), "stored hashed");
        let owner = SignedIn { user_id: t.first.user_id, tenant_id: t.first.tenant_id };
        t.open_session("a", owner).await;
        let form = |password: &str| ResetForm { token: link.0.expose().clone(), new_password: password.into() };
        assert!(matches!(identity::reset_password(&stranger, &form("short")).await, Err(Error::Invalid(_))));
        let good = form("another gravel orbit lantern");
        let (one, two) = tokio::join!(identity::reset_password(&stranger, &good), identity::reset_password(&stranger, &good));
        assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1, "{one:?} {two:?}");
        assert!(sessions::load(&t.core, "a").await.unwrap().is_none());
        assert_eq!(sign_in(&t, OWNER, &good.new_password, None).await, Tried::Half);
        let late = identity::new_reset_link(&line, OWNER).await.unwrap();
        t.clock.advance(Duration::from_secs(86_400));
        assert!(!identity::reset_link_is_open(&t.core, late.0.expose()).await.unwrap());
        let log = actions(&t).await;
        assert!(log.contains(&"user.reset_link_made".to_owned()) && log.contains(&"user.password_reset".to_owned()), "{log:?}");
    }
}

on_both! {
    async fn the_command_line_takes_a_lost_second_factor(t) {
        enrol(&t).await;
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        assert!(identity::list_accounts_unscoped(&t.core).await.unwrap()[0].two_factor);
        identity::disable_two_factor(&line, OWNER).await.unwrap();
        assert_eq!(sign_in(&t, OWNER, PASSWORD, None).await, Tried::In);
        assert!(matches!(identity::disable_two_factor(&line, OWNER).await, Err(Error::Conflict(_))));
        let log = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        assert!(log.iter().any(|e| e.action == "user.two_factor_disabled" && e.actor.name == "command line" && e.target.name == OWNER));
    }
}

on_both! {
    async fn s16_a_new_password_is_another_one_when_it_is_changed_and_by_a_link(t) {
        let same = |done: domain::Result<()>| matches!(&done, Err(Error::Invalid(f)) if f.get("new_password").is_some_and(|m| m.contains("already")));
        let change = |from: &str| ChangePasswordForm { password: from.into(), new_password: PASSWORD.into(), ..ChangePasswordForm::default() };
        assert!(same(identity::change_password(&t.owner(), &change(PASSWORD)).await));
        let guessed = identity::change_password(&t.owner(), &change("not my password at all")).await;
        assert!(matches!(&guessed, Err(Error::Invalid(f)) if f.get("password").is_some() && f.get("new_password").is_none()), "{guessed:?}");
        let link = identity::new_reset_link(&t.as_who(Who::CommandLine(t.first.tenant_id)), OWNER).await.unwrap();
        let reset = |to: &str| ResetForm { token: link.0.expose().clone(), new_password: to.into() };
        assert!(same(identity::reset_password(&t.as_who(Who::Anonymous), &reset(PASSWORD)).await));
        identity::reset_password(&t.as_who(Who::Anonymous), &reset("another gravel orbit lantern")).await.unwrap();
        assert_eq!(sign_in(&t, OWNER, "another gravel orbit lantern", None).await, Tried::In, "the link was not used up before");
    }
}
