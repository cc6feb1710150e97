//! Trying an app: the way of a sign-in in the console, with tokens that end with it; and proofs that an app wants anew.

use crate::oauth::{CALLBACK, allowed, ask, browser, decided, form, join, param, query, register, token, with_code, word};
use contract::{AppId, AuditFilter, Code, CreatedApp, ErrorCode, PageQuery, Perm, Role};
use domain::{
    Ctx, Error, audit,
    oauth::{self, Begun, Next, Refused, Report, TokenRequest, Trial},
    on_both,
    testing::TestInstallation,
    tokens,
};
use serde_json::{Value, json};
use std::time::Duration;

const SCOPES: [&str; 2] = ["openid", "users:read"];

async fn begun(ctx: &Ctx, app: &CreatedApp) -> Trial {
    match oauth::begin_trial(ctx, app.app.id, &SCOPES.map(Into::into)).await.unwrap() {
        Begun::Asks(trial) => trial,
        Begun::Done(report) => panic!("{report:?}"),
    }
}

fn request(t: &TestInstallation, trial: &Trial) -> Vec<(String, String)> {
    form(trial.path(&t.core).split_once('?').unwrap().1)
}

/// The person answers; what the browser brings back.
async fn answered(t: &TestInstallation, ctx: &Ctx, trial: &Trial, allow: bool) -> Vec<(String, String)> {
    let (client, asked) = oauth::check_in(&t.core, &request(t, trial), Some(trial)).unwrap();
    let Next::Ask(id) = oauth::begin(ctx, &client, &asked).await.unwrap() else { panic!("asks") };
    assert!(oauth::consent(ctx, id).await.unwrap().trial);
    let to = oauth::decide(ctx, id, ctx.tenant_id().filter(|_| allow)).await.unwrap();
    assert!(to.starts_with("http://localhost/oauth/try/callback?"), "{to}");
    form(to.split_once('?').unwrap().1)
}

async fn tried(t: &TestInstallation, ctx: &Ctx, app: &CreatedApp) -> Report {
    let trial = begun(ctx, app).await;
    let answer = answered(t, ctx, &trial, true).await;
    oauth::finish_trial(ctx, &trial, &answer).await.unwrap()
}

fn refusal(report: &Report) -> String {
    let answered = report.answered.as_ref().and_then(|a| a.result.as_ref().err());
    answered.or(report.exchanged.as_ref().and_then(|e| e.result.as_ref().err())).unwrap().code.clone()
}

/// Nothing of a trial is left that could be used.
async fn nothing_stays(t: &TestInstallation) {
    assert_eq!(t.count("SELECT COUNT(*) FROM grants WHERE trial AND revoked_at IS NULL").await, 0);
    assert_eq!(t.count("SELECT COUNT(*) FROM logins l JOIN grants g ON g.id = l.grant_id WHERE g.trial AND l.ended_at IS NULL").await, 0);
}

on_both! {
    async fn a_trial_goes_the_whole_way_with_real_tokens_and_leaves_nothing_behind(t) {
        let app = register(&t.owner(), json!({"rotate_refresh_tokens": true})).await;
        let me = browser(&t);
        let report = tried(&t, &me, &app).await;
        assert!(report.is_good(), "{report:?}");
        let issued = report.exchanged.clone().unwrap().result.unwrap();
        assert_eq!((&issued.body["scope"], &issued.body["expires_in"]), (&json!("users:read openid"), &json!(300)), "for five minutes at most");
        assert_eq!((&issued.access.claims["client_id"], &issued.access.header["typ"]), (&json!(app.app.id), &json!("at+jwt")));
        let sent = report.sent.clone().unwrap();
        let nonce = sent.params.iter().find(|(n, _)| n == "nonce").unwrap().1.clone();
        assert_eq!(issued.id_token.unwrap().claims["nonce"], json!(nonce));
        let looked = report.looked.clone().unwrap();
        assert_eq!((&looked.introspection.unwrap()["active"], &looked.userinfo.unwrap()["sub"]), (&json!(true), &json!(t.first.user_id)));
        let (question, decision) = report.decided.clone().unwrap();
        assert_eq!((&question["scopes"], &decision["code"]), (&json!(["users:read"]), &json!("VALID")));
        assert_eq!(report.ended.clone().unwrap()["code"], json!("REVOKED"));
        nothing_stays(&t).await;
        assert!(oauth::mine(&me).await.unwrap().is_empty() && oauth::of_app(&me, app.app.id, PageQuery::default()).await.unwrap().data.is_empty());
        assert_eq!(oauth::get(&me, Perm::AppsRead, app.app.id).await.unwrap().last_used_at, None, "it was not the app");
        let log = audit::list(&me, &AuditFilter { target_id: Some(app.app.id.to_string()) }, PageQuery::default()).await.unwrap().data;
        assert_eq!(log.iter().map(|e| e.action.as_str()).collect::<Vec<_>>(), ["oauth_grant.revoked", "oauth_token.issued", "oauth_app.tried", "oauth_app.created"]);
        let kept = serde_json::to_string(&report).unwrap();
        assert!(!kept.split('"').any(is_whole), "s77: no token stands whole in what is kept: {kept}");
    }
}

/// Three parts of a JWT, or a whole refresh token or code.
fn is_whole(text: &str) -> bool {
    text.starts_with("eyJ") && text.matches('.').count() == 2 || (text.starts_with("ks") && text.len() > 20)
}

on_both! {
    async fn a_trial_leaves_what_was_allowed_in_earnest_as_it_was(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let first = allowed(&me, &app, &[("scope", "users:read")]).await;
        let held = token(&t, &app, &with_code(&first)).await.unwrap();
        let before = oauth::mine(&me).await.unwrap();
        t.clock.advance(Duration::from_secs(5));
        assert!(tried(&t, &me, &app).await.is_good());
        assert_eq!(oauth::mine(&me).await.unwrap(), before, "neither wider nor newer");
        assert_eq!(decided(&t.core, &held.access_token), Code::Valid);
        assert!(matches!(ask(&me, &app, &[("scope", "openid")]).await, Next::Ask(_)), "what a trial was allowed is not remembered");
        // One that was allowed and never came back stands in nobody's way.
        let trial = begun(&me, &app).await;
        answered(&t, &me, &trial, true).await;
        let more = allowed(&me, &app, &[("scope", "openid")]).await;
        assert_eq!(word(token(&t, &app, &with_code(&more)).await), "ok");
        assert!(tried(&t, &me, &app).await.is_good());
        nothing_stays(&t).await;
        assert_eq!(oauth::mine(&me).await.unwrap().len(), 1);
    }
}

on_both! {
    async fn s45_only_the_request_of_a_trial_is_answered_to_its_page(t) {
        let (app, other) = (register(&t.owner(), json!({})).await, register(&t.owner(), json!({"name": "Other"})).await);
        let me = browser(&t);
        let trial = begun(&me, &app).await;
        let good = request(&t, &trial);
        assert!(matches!(oauth::check(&t.core, &good), Err(Refused::Page(_))), "in a browser where nobody tries anything");
        let others = [begun(&me, &app).await, begun(&me, &other).await];
        for foreign in &others {
            assert!(matches!(oauth::check_in(&t.core, &good, Some(foreign)), Err(Refused::Page(_))), "another trial");
        }
        for (name, value) in [("state", "mine"), ("scope", "openid"), ("code_challenge", &"x".repeat(43)), ("prompt", "none"), ("client_id", &other.app.id.to_string())] {
            let mut changed = good.clone();
            value.clone_into(&mut changed.iter_mut().find(|(n, _)| n == name).unwrap().1);
            assert!(matches!(oauth::check_in(&t.core, &changed, Some(&trial)), Err(Refused::Page(_))), "{name}");
        }
        let mut longer = good.clone();
        longer.push(("max_age".into(), "0".into()));
        assert!(matches!(oauth::check_in(&t.core, &longer, Some(&trial)), Err(Refused::Page(_))));
        // The request of the app itself is no trial.
        let (_, asked) = oauth::check_in(&t.core, &query(&app, &[]), Some(&trial)).unwrap();
        assert!(!asked.trial && asked.redirect_uri == CALLBACK);
        let answer = answered(&t, &me, &trial, true).await;
        assert!(trial.is_answered_by(&me, &answer) && !others[0].is_answered_by(&me, &answer), "by its state");
        let somebody = join(&t, "dev@acme.test", Role::Admin).await;
        assert!(!trial.is_answered_by(&somebody, &answer), "and by its person");
    }
}

on_both! {
    async fn s46_s47_the_code_of_a_trial_is_worth_nothing_at_the_token_endpoint_and_no_other_one_in_it(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let trial = begun(&me, &app).await;
        let verifier = serde_json::to_value(&trial).unwrap()["verifier"].as_str().unwrap().to_owned();
        assert!(!format!("{trial:?}").contains(&verifier), "s77");
        let answer = answered(&t, &me, &trial, true).await;
        let code = answer.iter().find(|(n, _)| n == "code").unwrap().1.clone();
        let stolen = TokenRequest { redirect_uri: Some("http://localhost/oauth/try/callback".into()), code_verifier: Some(verifier), ..with_code(&code) };
        assert_eq!(word(token(&t, &app, &stolen).await), "invalid_grant", "not even with the verifier");
        assert!(oauth::finish_trial(&me, &trial, &answer).await.unwrap().is_good(), "it was not used up");
        let again = oauth::finish_trial(&me, &trial, &answer).await.unwrap();
        assert_eq!(refusal(&again), "invalid_grant", "once");
        // The code of a real sign-in is left alone.
        let real = allowed(&me, &app, &[]).await;
        let trial = begun(&me, &app).await;
        let mut answer = answered(&t, &me, &trial, true).await;
        answer.iter_mut().find(|(n, _)| n == "code").unwrap().1.clone_from(&real);
        assert_eq!(refusal(&oauth::finish_trial(&me, &trial, &answer).await.unwrap()), "invalid_grant");
        assert_eq!(word(token(&t, &app, &with_code(&real)).await), "ok");
    }
}

on_both! {
    async fn a_trial_that_is_denied_late_or_of_a_suspended_app_says_so_and_leaves_nothing(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let trial = begun(&me, &app).await;
        let denied = oauth::finish_trial(&me, &trial, &answered(&t, &me, &trial, false).await).await.unwrap();
        assert_eq!((refusal(&denied).as_str(), denied.exchanged.is_none(), denied.ended.is_none()), ("access_denied", true, true));
        let trial = begun(&me, &app).await;
        let answer = answered(&t, &me, &trial, true).await;
        t.clock.advance(Duration::from_millis(60_001));
        let slow = oauth::finish_trial(&me, &trial, &answer).await.unwrap();
        assert_eq!((refusal(&slow).as_str(), slow.answered.unwrap().result.is_ok()), ("invalid_grant", true), "s47: the code is over");
        let me = browser(&t);
        let trial = begun(&me, &app).await;
        t.clock.advance(Duration::from_millis(9 * 60_000));
        let me = browser(&t);
        let answer = answered(&t, &me, &trial, true).await;
        t.clock.advance(Duration::from_millis(60_001));
        assert_eq!(refusal(&oauth::finish_trial(&me, &trial, &answer).await.unwrap()), "expired");
        nothing_stays(&t).await;
        let me = browser(&t);
        let trial = begun(&me, &app).await;
        let answer = answered(&t, &me, &trial, true).await;
        let mut forged = answer.clone();
        forged.iter_mut().find(|(n, _)| n == "iss").unwrap().1 = "https://evil.test".into();
        assert_eq!(refusal(&oauth::finish_trial(&me, &trial, &forged).await.unwrap()), "wrong_issuer");
        nothing_stays(&t).await;
        let trial = begun(&me, &app).await;
        let answer = answered(&t, &me, &trial, true).await;
        oauth::suspend(&me, app.app.id, None).await.unwrap();
        assert_eq!(refusal(&oauth::finish_trial(&me, &trial, &answer).await.unwrap()), "invalid_client");
        nothing_stays(&t).await;
        let begun = oauth::begin_trial(&me, app.app.id, &SCOPES.map(Into::into)).await;
        assert!(matches!(&begun, Err(Error::Conflict(why)) if why.contains("suspended")), "{begun:?}");
    }
}

on_both! {
    async fn a_machine_app_tries_its_own_token(t) {
        let body = json!({"kind": "machine", "redirect_uris": [], "scopes": ["exports:read", "files:read"]});
        let app = register(&t.owner(), body).await;
        let me = browser(&t);
        let Begun::Done(report) = oauth::begin_trial(&me, app.app.id, &["exports:read".into()]).await.unwrap() else { panic!("done") };
        assert!(report.is_good() && report.sent.is_none() && report.answered.is_none(), "{report:?}");
        let issued = report.exchanged.unwrap().result.unwrap();
        assert_eq!((&issued.access.claims["sub"], &issued.body["scope"], &issued.body["expires_in"]), (&json!(app.app.id), &json!("exports:read"), &json!(300)));
        assert_eq!((report.looked.unwrap().userinfo, &report.ended.unwrap()["code"]), (None, &json!("REVOKED")));
        for bad in [vec![], vec!["admin"], vec!["exports:read", "users:read"]] {
            let bad: Vec<String> = bad.into_iter().map(Into::into).collect();
            let refused = oauth::begin_trial(&me, app.app.id, &bad).await.unwrap_err().problem();
            assert_eq!((refused.code, refused.fields.get("scopes").is_some()), (ErrorCode::ValidationFailed, true), "{bad:?}");
        }
    }
}

on_both! {
    async fn s35_s36_who_may_change_an_app_tries_it_and_gets_no_more_than_they_hold(t) {
        let theirs = register(&t.owner(), json!({"scopes": ["users:read", "openid"]})).await;
        let dev = join(&t, "dev@acme.test", Role::Developer).await;
        let begin = async |ctx: &Ctx, app: AppId| oauth::begin_trial(ctx, app, &SCOPES.map(Into::into)).await.map(drop);
        assert!(matches!(begin(&dev, theirs.app.id).await, Err(Error::NotFound)));
        let own = register(&dev, json!({"name": "Own", "scopes": ["users:read", "openid"]})).await;
        let report = tried(&t, &dev, &own).await;
        assert!(report.is_good(), "{report:?}");
        for role in [Role::Security, Role::Support] {
            let other = join(&t, &format!("{role}@acme.test"), role).await;
            assert!(matches!(begin(&other, theirs.app.id).await, Err(Error::Denied(Perm::AppsWrite))), "{role}");
        }
        assert!(begin(&t.gateway(), theirs.app.id).await.is_err());
    }
}

on_both! {
    async fn prompt_login_and_max_age_want_a_proof_and_prompt_none_is_told_that_there_is_none(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        assert_eq!(ask(&me, &app, &[("prompt", "login")]).await, Next::Confirm, "however fresh the session is");
        assert!(matches!(ask(&me, &app, &[("max_age", "0")]).await, Next::Ask(_)), "a proof of the last minute is one");
        t.clock.advance(Duration::from_secs(61));
        assert_eq!(ask(&me, &app, &[("max_age", "0")]).await, Next::Confirm);
        assert_eq!(ask(&me, &app, &[("max_age", "60"), ("prompt", "consent")]).await, Next::Confirm);
        assert!(matches!(ask(&me, &app, &[("max_age", "62")]).await, Next::Ask(_)));
        let Next::Answer(url) = ask(&me, &app, &[("max_age", "60"), ("prompt", "none")]).await else { panic!("answers") };
        assert_eq!(param(&url, "error").as_deref(), Some("login_required"));
        let stranger = t.as_who(domain::Who::Anonymous);
        assert_eq!(ask(&stranger, &app, &[("prompt", "login")]).await, Next::SignIn);
        // A fresh proof goes on, and the ID token says when it was.
        let me = browser(&t);
        let code = allowed(&me, &app, &[("max_age", "60"), ("scope", "openid")]).await;
        let id_token = token(&t, &app, &with_code(&code)).await.unwrap().id_token.unwrap();
        let claims: Value = crate::oauth::claims(&id_token);
        assert_eq!(claims["auth_time"], json!(t.core.now().0 / 1_000));
    }
}

on_both! {
    async fn a_request_is_asked_again_for_somebody_else_as_it_was(t) {
        let app = register(&t.owner(), json!({})).await;
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let all = [
            ("scope", "openid users:read"), ("state", "a b&c=d"), ("nonce", "n"), ("code_challenge", challenge), ("code_challenge_method", "S256"),
            ("resource", "https://api.test/v1"), ("prompt", "consent"), ("max_age", "3600"),
        ];
        for extra in [&all[..], &[("redirect_uri", ""), ("state", "")]] {
            let (_, asked) = oauth::check(&t.core, &query(&app, extra)).unwrap();
            let again = asked.again(&t.core);
            let params: Vec<_> = form_urlencoded::parse(again.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
            assert_eq!(oauth::check(&t.core, &params).unwrap().1, asked, "{again}");
        }
        let (_, asked) = oauth::check(&t.core, &query(&app, &[("prompt", "login")])).unwrap();
        assert!(!asked.again(&t.core).contains("prompt"), "they sign in for it anyhow");
    }
}

on_both! {
    async fn a_trial_that_nobody_finishes_is_removed_when_its_time_is_over(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        allowed(&me, &app, &[("scope", "users:read")]).await;
        assert!(tried(&t, &me, &app).await.is_good());
        let trial = begun(&me, &app).await;
        answered(&t, &me, &trial, true).await;
        let kept = async || {
            tokens::tend(&t.core).await.unwrap();
            t.count("SELECT COUNT(*) FROM grants WHERE trial").await
        };
        t.clock.advance(Duration::from_millis(10 * 60_000 - 1));
        assert_eq!(kept().await, 2, "its answer may come yet");
        t.clock.advance(Duration::from_millis(1));
        assert_eq!(kept().await, 0);
        assert_eq!(oauth::mine(&me).await.unwrap().len(), 1, "what was allowed in earnest stays");
    }
}
