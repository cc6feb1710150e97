//! Apps that are tried in the console, proofs that they want anew, and “Not you?”, over plain HTTP.

use crate::{
    app_pages::{page, registered, sign_in_as},
    harness::{Answer, App, on_both, request},
};
use axum::http::StatusCode;
use contract::{AppId, Perm, Role};
use domain::{
    oauth,
    testing::{On, PASSWORD, one_time_code},
};
use serde_json::json;
use std::time::Duration;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const BEGIN: &str = "act=begin&scopes=users%3Aread&scopes=openid";

/// Where an answer leads.
fn to(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.header("location").to_owned()
}

/// The person presses “Try it”, and comes to the page that asks.
async fn asked(app: &App, cookie: &str, id: AppId) -> String {
    let request = to(&app.form(&format!("/apps/{id}/try"), cookie, BEGIN).await);
    let consent = to(&page(app, cookie, &request).await);
    assert!(consent.starts_with("/oauth/consent/con_"), "{consent}");
    consent
}

fn allow(app: &App) -> String {
    format!("decision=allow&tenant_id={}", app.t.first.tenant_id)
}

/// The path of an address of this server.
fn local(url: &str) -> String {
    url.strip_prefix("http://localhost").unwrap_or_else(|| panic!("{url}")).to_owned()
}

on_both! {
    async fn s55_an_app_is_tried_without_javascript_and_each_step_is_told(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let made = registered(&app.t.owner(), json!({})).await;
        let here = format!("/apps/{}/try", made.app.id);
        let detail = page(&app, &cookie, &format!("/apps/{}", made.app.id)).await.text;
        assert!(detail.contains(&format!("href=\"{here}\"")));
        let before = page(&app, &cookie, &here).await;
        assert!(before.text.contains("The app sends the browser here") && !before.text.contains(">Done<"), "{}", before.text);
        let consent = asked(&app, &cookie, made.app.id).await;
        let waiting = page(&app, &cookie, &here).await.text;
        assert!(waiting.contains("A trial is waiting for your answer.") && waiting.contains("href=\"/oauth/authorize?response_type=code"), "{waiting}");
        let shown = page(&app, &cookie, &consent).await;
        assert!(shown.text.contains("Trial") && shown.text.contains("not to the app") && !shown.text.contains("Not you?"), "{}", shown.text);
        let callback = local(&to(&app.form(&consent, &cookie, &allow(&app)).await));
        assert!(callback.starts_with("/oauth/try/callback?code=ksc_"), "{callback}");
        let done = page(&app, &cookie, &callback).await;
        assert_eq!((to(&done), done.header("referrer-policy")), (here.clone(), "no-referrer"));
        let told = page(&app, &cookie, &here).await;
        assert_eq!(told.header("cache-control"), "no-store");
        for said in ["It works.", "ksc_", "kss_••••", "&quot;active&quot;: true", "&quot;code&quot;: &quot;VALID&quot;", "REVOKED", "at+jwt", "Try it again"] {
            assert!(told.text.contains(said) || told.text.contains(&said.replace("&quot;", "\"")), "{said}: {}", told.text);
        }
        assert_eq!(told.text.matches(">Done<").count(), 6, "{}", told.text);
        let secret = made.client_secret.unwrap();
        let code = callback.split("code=").nth(1).unwrap().split('&').next().unwrap();
        assert!(!told.text.contains(&secret) && !told.text.contains(code), "s77");
        let again = page(&app, &cookie, &callback).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "its answer counts once");
        assert!(again.text.contains("No trial in this browser waits for this answer"), "{}", again.text);
        assert!(page(&app, &cookie, &here).await.text.contains("It works."), "and what was told stays");
    }
}

on_both! {
    async fn s45_s54_the_page_of_trials_is_no_address_for_anybody_elses_answers(on) {
        let app = App::new(on).await;
        let (mine, victims) = (app.sign_in().await, app.sign_in().await);
        let made = registered(&app.t.owner(), json!({})).await;
        let id = made.app.id;
        let begun = to(&app.form(&format!("/apps/{id}/try"), &mine, BEGIN).await);
        for cookie in [victims.as_str(), ""] {
            let led = page(&app, cookie, &begun).await;
            assert_eq!((led.status, led.header("location")), (StatusCode::BAD_REQUEST, ""), "a link of somebody's trial");
            assert!(led.text.contains("has not registered"), "{}", led.text);
        }
        let consent = to(&page(&app, &mine, &begun).await);
        assert_eq!(app.form(&consent, &victims, &allow(&app)).await.status, StatusCode::CONFLICT);
        let callback = local(&to(&app.form(&consent, &mine, &allow(&app)).await));
        let changed = app.t.dump().await;
        for cookie in [victims.as_str(), ""] {
            let led = page(&app, cookie, &callback).await;
            assert_eq!((led.status, led.header("location")), (StatusCode::BAD_REQUEST, ""), "the answer to somebody's trial");
        }
        for path in ["/oauth/try/callback".to_owned(), "/oauth/try/callback?code=x&state=y&iss=z".to_owned(), callback.replace("state=", "state=x")] {
            assert_eq!(page(&app, &mine, &path).await.status, StatusCode::BAD_REQUEST, "{path}");
        }
        assert!(app.t.dump().await == changed, "s24: nothing was done");
        let code = callback.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let body = format!(
            "grant_type=authorization_code&client_id={id}&client_secret={}&code={code}&redirect_uri=http://localhost/oauth/try/callback",
            made.client_secret.unwrap()
        );
        let taken = app.send(request("POST", "/oauth/token", &[FORM], &body)).await;
        assert_eq!(taken.json()["error"], json!("invalid_grant"), "s47: not even the app itself");
        let headers = [FORM, ("accept", "text/html"), ("cookie", mine.as_str()), ("sec-fetch-site", "cross-site")];
        let forged = app.send(request("POST", &format!("/apps/{id}/try"), &headers, BEGIN)).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "s23: no other site begins one");
        assert_eq!(to(&page(&app, &mine, &callback).await), format!("/apps/{id}/try"));
    }
}

#[tokio::test]
async fn a_trial_that_was_denied_stopped_or_late_or_of_a_machine_is_told_as_clearly() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let id = registered(&app.t.owner(), json!({})).await.app.id;
    let here = format!("/apps/{id}/try");
    let consent = asked(&app, &cookie, id).await;
    let denied = local(&to(&app.form(&consent, &cookie, "decision=deny").await));
    to(&page(&app, &cookie, &denied).await);
    let told = page(&app, &cookie, &here).await.text;
    for said in ["You said no.", "access_denied", "The person said no.", ">Refused<"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert_eq!(told.matches(">Not reached<").count(), 4, "{told}");
    asked(&app, &cookie, id).await;
    assert!(!page(&app, &cookie, &here).await.text.contains("You said no."), "that was the one before");
    assert_eq!(to(&app.form(&here, &cookie, "act=stop").await), format!("{here}?done=stopped"));
    assert!(page(&app, &cookie, &format!("{here}?done=stopped")).await.text.contains("Stopped. Nothing was issued."));
    let consent = asked(&app, &cookie, id).await;
    app.t.clock.advance(Duration::from_secs(590));
    let late = local(&to(&app.form(&consent, &cookie, &allow(&app)).await));
    app.t.clock.advance(Duration::from_secs(11));
    assert!(!page(&app, &cookie, &here).await.text.contains("waiting for your answer"), "not for ever");
    to(&page(&app, &cookie, &late).await);
    assert!(page(&app, &cookie, &here).await.text.contains("That took too long."));
    let machine = json!({"kind": "machine", "name": "Report Runner", "redirect_uris": [], "scopes": ["exports:read"]});
    let machine = registered(&app.t.owner(), machine).await.app.id;
    let theirs = format!("/apps/{machine}/try");
    assert!(!page(&app, &cookie, &theirs).await.text.contains("That took too long."), "another app's");
    assert_eq!(to(&app.form(&theirs, &cookie, "act=begin&scopes=exports%3Aread").await), theirs);
    let told = page(&app, &cookie, &theirs).await.text;
    assert!(told.contains("It works.") && told.contains("grant_type=client_credentials"), "{told}");
    assert_eq!(told.matches(">Done<").count(), 4, "{told}");
    oauth::suspend(&app.t.owner(), machine, None).await.unwrap();
    let closed = page(&app, &cookie, &theirs).await.text;
    assert!(
        closed.contains("cannot be tried") && closed.contains("The app is suspended") && !closed.contains("value=\"begin\""),
        "{closed}"
    );
    let refused = app.form(&theirs, &cookie, "act=begin&scopes=exports%3Aread").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
}

#[tokio::test]
async fn s36_s66_only_who_may_change_an_app_sees_the_page_where_it_is_tried() {
    let app = App::new(On::Sqlite).await;
    let id = registered(&app.t.owner(), json!({})).await.app.id;
    let here = format!("/apps/{id}/try");
    for (role, status) in [(Role::Admin, 200), (Role::Developer, 404), (Role::Security, 403), (Role::Support, 403)] {
        let email = format!("{role}@acme.test");
        app.t.join(&email, role).await;
        let cookie = sign_in_as(&app, &email).await;
        assert_eq!(page(&app, &cookie, &here).await.status.as_u16(), status, "{role}");
        let begun = app.form(&here, &cookie, BEGIN).await.status.as_u16();
        assert_eq!(begun, if status == 200 { 303 } else { status }, "{role}");
    }
    let cookie = app.sign_in().await;
    for nobodys in ["/apps/app_00000000000000000000000000000001/try", "/apps/nonsense/try"] {
        assert_eq!(page(&app, &cookie, nobodys).await.status, StatusCode::NOT_FOUND);
        assert_eq!(app.form(nobodys, &cookie, BEGIN).await.status, StatusCode::NOT_FOUND);
    }
    assert!(to(&page(&app, "", &here).await).starts_with("/login?next="));
    assert!(oauth::get(&app.t.owner(), Perm::AppsRead, id).await.is_ok());
}

fn authorize(id: AppId, more: &str) -> String {
    format!(
        "/oauth/authorize?client_id={id}&redirect_uri=https%3A%2F%2Fledger.test%2Fcb&response_type=code&state=a%26b+c&scope=openid{more}"
    )
}

fn password() -> String {
    PASSWORD.replace(' ', "+")
}

on_both! {
    async fn s54_s55_prompt_login_asks_for_a_proof_on_the_way_and_goes_on_with_a_fresh_one(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let id = registered(&app.t.owner(), json!({})).await.app.id;
        let confirm = to(&page(&app, &cookie, &authorize(id, "&prompt=login")).await);
        assert!(confirm.starts_with("/oauth/confirm?next=/oauth/authorize?") && !confirm.contains("prompt"), "{confirm}");
        let shown = page(&app, &cookie, &confirm).await;
        assert!(shown.text.contains("Confirm that it is you") && shown.text.contains("Ledger Sync") && shown.text.contains("Not you?"), "{}", shown.text);
        for page in [&shown, &app.form(&confirm, &cookie, "password=wrong").await] {
            let policy = page.header("content-security-policy");
            assert!(policy.contains("form-action 'self' https://ledger.test;") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(page.header("cross-origin-opener-policy"), "unsafe-none");
        }
        let wrong = app.form(&confirm, &cookie, "password=wrong").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("This is not your password."), "{}", wrong.text);
        assert_eq!(app.form(&confirm, &cookie, "").await.status, StatusCode::UNPROCESSABLE_ENTITY, "no proof is none");
        app.t.clock.advance(Duration::from_secs(120));
        let proved = app.form(&confirm, &cookie, &format!("password={}", password())).await;
        let (next, fresh) = (to(&proved), proved.cookie());
        assert!(next.starts_with("/oauth/authorize?") && fresh != cookie && !fresh.is_empty(), "s19: a new id: {next}");
        let consent = to(&page(&app, &fresh, &next).await);
        assert!(consent.starts_with("/oauth/consent/"), "and no end of asking: {consent}");
        let answer = to(&app.form(&consent, &fresh, &allow(&app)).await);
        assert!(answer.starts_with("https://ledger.test/cb?code=") && answer.contains("state=a%26b+c"), "{answer}");
        // Allowed by now: max_age asks once it is too old, and prompt=none never.
        let at_once = to(&page(&app, &fresh, &authorize(id, "&max_age=60")).await);
        assert!(at_once.starts_with("https://ledger.test/cb?code="), "{at_once}");
        app.t.clock.advance(Duration::from_secs(61));
        assert!(to(&page(&app, &fresh, &authorize(id, "&max_age=60")).await).starts_with("/oauth/confirm?next="));
        let quiet = to(&page(&app, &fresh, &authorize(id, "&max_age=60&prompt=none")).await);
        assert!(quiet.contains("error=login_required"), "{quiet}");
        let cancelled = to(&app.form(&confirm, &fresh, "act=cancel").await);
        assert!(cancelled.starts_with("https://ledger.test/cb?error=access_denied") && cancelled.contains("state=a%26b+c"), "{cancelled}");
        // Whoever is not signed in proves who they are by that.
        let login = to(&page(&app, "", &authorize(id, "&prompt=login+consent")).await);
        assert!(login.starts_with("/login?next=/oauth/authorize?") && login.contains("prompt=consent"), "{login}");
        for nowhere in ["/oauth/confirm", "/oauth/confirm?next=/keys", "/oauth/confirm?next=https://evil.test/", "/oauth/confirm?next=/oauth/authorize?client_id=x"] {
            assert_eq!(app.form(nowhere, &fresh, &format!("password={}", password())).await.status, StatusCode::BAD_REQUEST, "s26: {nowhere}");
            let shown = page(&app, &fresh, nowhere).await;
            assert!(!shown.text.contains("name=\"password\""), "{nowhere}");
        }
    }
}

#[tokio::test]
async fn who_has_a_second_factor_gives_a_code_to_an_app_that_wants_a_proof() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let id = registered(&app.t.owner(), json!({})).await.app.id;
    let secret = app.t.enrol(&app.t.owner()).await;
    let confirm = to(&page(&app, &cookie, &authorize(id, "&prompt=login")).await);
    assert!(page(&app, &cookie, &confirm).await.text.contains("name=\"code\""), "however fresh the session is");
    let half = app.form(&confirm, &cookie, &format!("password={}&code=000000", password())).await;
    assert_eq!(half.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(half.text.contains("name=\"code\"") && !half.text.contains(PASSWORD), "{}", half.text);
    let code = one_time_code(&secret, app.t.core.now());
    let proved = app.form(&confirm, &cookie, &format!("password={}&code={code}", password())).await;
    assert!(to(&proved).starts_with("/oauth/authorize?"));
}

#[tokio::test]
async fn s26_not_you_signs_out_and_comes_back_to_the_same_request_and_nowhere_else() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    app.t.join("dev@acme.test", Role::Admin).await;
    let id = registered(&app.t.owner(), json!({})).await.app.id;
    let consent = to(&page(&app, &cookie, &authorize(id, "&nonce=n")).await);
    let shown = page(&app, &cookie, &consent).await;
    let next = crate::key_pages::field(&shown, "next").replace("&amp;", "&");
    assert!(shown.text.contains("Not you?") && next.starts_with("/oauth/authorize?"), "{next}");
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let out = app.form("/logout", &cookie, &format!("next={}", encode(&next))).await;
    let login = to(&out);
    assert!(login.starts_with("/login?next=/oauth/authorize?"), "{login}");
    assert!(to(&page(&app, &cookie, "/keys").await).starts_with("/login"), "signed out");
    let carried = crate::key_pages::field(&page(&app, "", &login).await, "next").replace("&amp;", "&");
    assert_eq!(carried, next, "it is carried as it was");
    let body = format!("email=dev%40acme.test&password={}&next={}", password(), encode(&carried));
    let entered = app.form(&login, "", &body).await;
    let other = entered.cookie();
    let asked = to(&page(&app, &other, &to(&entered)).await);
    let shown = page(&app, &other, &asked).await.text;
    assert!(shown.contains("Signed in as dev@acme.test") && shown.contains("Ledger Sync"), "{shown}");
    let answer = to(&app.form(&asked, &other, "decision=deny").await);
    assert!(answer.contains("state=a%26b+c"), "{answer}");
    for elsewhere in ["https://evil.test/", "//evil.test", "/keys", "/oauth/authorize?client_id=x", "/\\evil.test"] {
        let cookie = app.sign_in().await;
        let out = app.form("/logout", &cookie, &format!("next={}", encode(elsewhere))).await;
        assert_eq!(to(&out), "/login", "{elsewhere}");
    }
}
