//! Proof of who is there, over HTTP: throttle, second step, confirmation, sessions, all as forms without script.

use crate::harness::{Answer, App, Installation, on_both, request};
use axum::http::StatusCode;
use contract::{KeyFilter, PageQuery};
use domain::{
    identity, keys,
    testing::{On, PASSWORD, one_time_code},
};
use std::{process::Command, time::Duration};

const STEP: Duration = Duration::from_secs(30);

fn login(password: &str) -> String {
    format!("email=owner%40acme.test&password={}", password.replace(' ', "+"))
}

/// What stands in the element of this id, without its tags.
pub fn text_of(answer: &Answer, id: &str) -> String {
    let from = answer.text.split(&format!("id=\"{id}\"")).nth(1).unwrap_or_else(|| panic!("no #{id}"));
    from.split_once('>').unwrap().1.split("</p>").next().unwrap().replace("<!>", "")
}

/// Signs in, turns the second factor on, and answers the cookie, the app's secret, and the codes.
async fn enrolled(app: &App) -> (String, String, Vec<String>) {
    let cookie = app.sign_in().await;
    let begun = app.form("/account/two-factor", &cookie, "act=begin").await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    assert_eq!(begun.header("cache-control"), "no-store");
    let secret = text_of(&begun, "totp-secret").replace(' ', "");
    let wrong = app.form("/account/two-factor", &cookie, "act=on&code=000000").await;
    assert_eq!((wrong.status, text_of(&wrong, "totp-secret").replace(' ', "")), (StatusCode::UNPROCESSABLE_ENTITY, secret.clone()));
    let on = app.form("/account/two-factor", &cookie, &format!("act=on&code={}", one_time_code(&secret, app.t.core.now()))).await;
    assert_eq!(on.status, StatusCode::OK, "{}", on.text);
    let list = on
        .text
        .split("aria-label=\"Recovery codes\"")
        .nth(1)
        .unwrap()
        .split_once('>')
        .unwrap()
        .1
        .split("</pre>")
        .next()
        .unwrap()
        .replace("<!>", "");
    let codes: Vec<String> = list.lines().map(ToOwned::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    app.t.clock.advance(STEP);
    (cookie, secret, codes)
}

on_both! {
    async fn s14_without_javascript_a_half_signed_in_session_opens_the_second_step_and_nothing_else(on) {
        let app = App::new(on).await;
        let (before, secret, codes) = enrolled(&app).await;
        for path in ["/account/two-factor", "/keys", "/audit"] {
            let page = app.get(path, &[("cookie", &before), ("accept", "text/html")]).await;
            assert!(!page.text.contains(&secret) && !page.text.contains(&codes[0]), "{path} shows what is shown once (s31)");
        }
        app.form("/logout", &before, "").await;
        assert_eq!(app.get("/login/2fa", &[("accept", "text/html")]).await.header("location"), "/login", "nothing was begun");
        let first = app.form("/login", "", &(login(PASSWORD) + "&next=%2Fusage%3Foutcome%3Ddenied")).await;
        assert_eq!((first.status.as_u16(), first.header("location")), (303, "/login/2fa?next=/usage?outcome=denied"));
        let half = first.cookie();
        for path in ["/", "/keys", "/account", "/account/sessions", "/settings/scopes"] {
            let answer = app.get(path, &[("cookie", &half), ("accept", "text/html")]).await;
            assert!(answer.header("location").starts_with("/login?next="), "{path}: {}", answer.status);
        }
        for (path, _) in leptos::server_fn::axum::server_fn_paths().filter(|(path, _)| *path != "/api/account/sign-out") {
            let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"), ("sec-fetch-site", "same-origin"), ("cookie", &half)];
            let answer = app.send(request("POST", path, &headers, "name=x")).await;
            assert!(!answer.status.is_success(), "{path}: {}", answer.text);
        }
        assert_eq!(app.get("/login/2fa", &[("cookie", &half), ("accept", "text/html")]).await.status, StatusCode::OK);
        let wrong = app.form("/login/2fa", &half, "code=000000&next=%2Fusage").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("value=\"/usage\"") && wrong.text.contains("This code is wrong"), "{}", wrong.text);
        let right = one_time_code(&secret, app.t.core.now());
        let done = app.form("/login/2fa", &half, &format!("code={right}&next=%2Fusage")).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/usage"));
        let cookie = done.cookie();
        assert!(!cookie.is_empty() && cookie != half, "a new id (s19)");
        assert_eq!(app.get("/usage", &[("cookie", &cookie), ("accept", "text/html")]).await.status, StatusCode::OK);
        assert_eq!(app.form("/login/2fa", &half, &format!("code={right}")).await.header("location"), "/login?late=1", "the old one is dead");
        let half = app.form("/login", "", &login(PASSWORD)).await.cookie();
        assert_eq!(app.form("/login/2fa", &half, &format!("code={right}")).await.status, StatusCode::UNPROCESSABLE_ENTITY, "used already (s10)");
        assert_eq!(app.form("/login/2fa", &half, &format!("code={}", codes[0])).await.status, StatusCode::SEE_OTHER, "a recovery code does as well");
        // Of two that cross, the later one ends the earlier: it opens nothing, and says so.
        let (early, late) = (app.form("/login", "", &login(PASSWORD)).await.cookie(), app.form("/login", "", &login(PASSWORD)).await.cookie());
        assert_eq!(app.form("/login/2fa", &late, &format!("code={}", codes[1])).await.status, StatusCode::SEE_OTHER);
        let refused = app.form("/login/2fa", &early, &format!("code={}", codes[2])).await;
        assert_eq!((refused.status, refused.header("location")), (StatusCode::SEE_OTHER, "/login?late=1"), "{}", refused.text);
        assert!(app.get("/keys", &[("cookie", &early), ("accept", "text/html")]).await.header("location").starts_with("/login"));
    }
}

on_both! {
    async fn s16_a_form_that_wants_a_fresh_proof_asks_for_it_and_goes_on_with_what_was_typed(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        app.t.clock.advance(Duration::from_secs(660));
        let form = crate::console::create_form(&app, "nightly-export");
        let asked = app.form("/keys/new", &cookie, &form).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN, "{}", asked.text);
        assert!(asked.text.contains("Confirm that it is you") && asked.text.contains("name=\"name\" value=\"nightly-export\""), "{}", asked.text);
        assert_eq!(crate::console::secret_in(&asked), None);
        let wrong = app.form("/keys/new", &cookie, &format!("{form}&confirm_password=wrong")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("nightly-export") && wrong.text.contains("This is not your password") && !wrong.text.contains("value=\"wrong\""));
        assert_eq!(keys::list(&app.t.owner(), &KeyFilter::default(), PageQuery::default()).await.unwrap().data.len(), 2, "bootstrap's two");
        let right = app.form("/keys/new", &cookie, &format!("{form}&confirm_password={}", PASSWORD.replace(' ', "+"))).await;
        assert_eq!(right.status, StatusCode::OK, "{}", right.text);
        assert!(crate::console::secret_in(&right).is_some(), "the form has gone on");
        let renewed = right.cookie();
        assert!(!renewed.is_empty() && renewed != cookie, "a new id at step-up (s19)");
        let old = app.get("/keys", &[("cookie", &cookie), ("accept", "text/html")]).await;
        assert_eq!(old.status, StatusCode::SEE_OTHER, "the old one is dead");
        assert_eq!(app.form("/keys/new", &renewed, &crate::console::create_form(&app, "second")).await.status, StatusCode::OK, "for ten minutes");
        let page = app.get("/keys", &[("cookie", &renewed), ("accept", "text/html")]).await;
        assert_eq!(page.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn s16_over_fetch_a_stale_session_is_told_to_confirm() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    app.t.clock.advance(Duration::from_secs(660));
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("sec-fetch-site", "same-origin"),
        ("cookie", cookie.as_str()),
    ];
    let refused = app.send(request("POST", "/api/account/begin-two-factor", &headers, "")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("\"confirm\":true"), "{}", refused.text);
}

#[tokio::test]
async fn s7_form_and_server_function_share_one_throttle_and_say_when_to_come_back() {
    let app = App::new(On::Sqlite).await;
    let fetch = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"), ("sec-fetch-site", "same-origin")];
    let body = "form[email]=owner@acme.test&form[password]=wrong";
    for n in 0..5 {
        let status = if n % 2 == 0 {
            app.form("/login", "", &login("wrong")).await.status
        } else {
            app.send(request("POST", "/api/account/sign-in", &fetch, body)).await.status
        };
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{n}");
    }
    let page = app.form("/login", "", &login(PASSWORD)).await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    assert!(page.text.contains("Too many tries. Try again in a second.") && page.text.contains("owner@acme.test"), "{}", page.text);
    let program = app.send(request("POST", "/api/account/sign-in", &fetch, body)).await;
    assert_eq!((program.status, program.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"), "{}", program.text);
    let api = [("content-type", "application/json")];
    let service = app.send(request("POST", "/v1/auth/login", &api, r#"{"email":"owner@acme.test","password":"wrong"}"#)).await;
    assert_eq!((service.status, service.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"), "{}", service.text);
    app.t.clock.advance(Duration::from_secs(1));
    assert_eq!(app.form("/login", "", &login(PASSWORD)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s6_a_browser_that_signed_in_before_still_gets_in() {
    let app = App::new(On::Sqlite).await;
    let first = app.form("/login", "", &login(PASSWORD)).await;
    let set = first.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).find(|c| c.starts_with("keystead-device=")).unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && !set.contains("Secure"), "{set}");
    let device = set.split(';').next().unwrap();
    for _ in 0..5 {
        app.form("/login", "", &login("wrong")).await;
    }
    assert_eq!(app.form("/login", "", &login(PASSWORD)).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(app.form("/login", device, &login(PASSWORD)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s21_sessions_stand_on_their_page_and_are_ended_there() {
    let app = App::new(On::Sqlite).await;
    let (here, there) = (app.sign_in().await, app.sign_in().await);
    let page = |cookie: String| {
        let app = &app;
        async move { app.get("/account/sessions", &[("cookie", &cookie), ("accept", "text/html")]).await }
    };
    let listed = page(here.clone()).await;
    assert!(listed.text.contains("This one") && listed.text.contains("203.0.113.24"), "{}", listed.text);
    let id = listed.text.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(app.form("/account/sessions", &here, &format!("act=end&id={id}")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(page(there).await.status, StatusCode::SEE_OTHER, "ended at once");
    assert_eq!(app.form("/account/sessions", &here, &format!("act=end&id={id}")).await.status, StatusCode::NOT_FOUND);
    let third = app.sign_in().await;
    assert_eq!(app.form("/account/sessions", &here, "act=others").await.status, StatusCode::SEE_OTHER);
    assert_eq!((page(third).await.status, page(here).await.status), (StatusCode::SEE_OTHER, StatusCode::OK));
}

#[tokio::test]
async fn s16_a_password_is_changed_and_no_page_shows_one_that_was_typed() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let new = "another gravel orbit lantern";
    let form = |old: &str, new: &str| format!("password={}&new_password={}&end_others=1", old.replace(' ', "+"), new.replace(' ', "+"));
    let weak = app.form("/account", &cookie, &form(PASSWORD, "passwordpassword")).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        !weak.text.contains("passwordpassword") && !weak.text.contains(PASSWORD) && weak.text.contains("aria-invalid"),
        "{}",
        weak.text
    );
    let done = app.form("/account", &cookie, &form(PASSWORD, new)).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/account?done=password"));
    assert_eq!(app.get("/account", &[("cookie", &done.cookie()), ("accept", "text/html")]).await.status, StatusCode::OK);
    assert_eq!(app.get("/account", &[("cookie", &cookie), ("accept", "text/html")]).await.status, StatusCode::SEE_OTHER, "a new id");
    assert_eq!(app.form("/login", "", &login(PASSWORD)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.form("/login", "", &login(new)).await.status, StatusCode::SEE_OTHER);
}

#[test]
fn codes_are_those_of_oathtool() {
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for at in [59, 1_111_111_109, 1_790_000_000] {
        let out = Command::new("oathtool").args(["--totp", "-b", secret, "--now", &format!("@{at}")]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), one_time_code(secret, contract::UnixMs(at * 1_000)), "{out:?}");
    }
}

/// The code of what our QR code says, as pyotp reads it, at a time.
fn pyotp(uri: &str, seconds: i64) -> String {
    let program = "import sys, pyotp; print(pyotp.parse_uri(sys.argv[1]).at(int(sys.argv[2])))";
    let out = Command::new(crate::verifiers::python()).args(["-c", program, uri, &seconds.to_string()]).output().unwrap();
    assert!(out.status.success(), "{out:?}: run scripts/setup.sh test");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

on_both! {
    async fn codes_are_those_of_pyotp_which_reads_our_qr_code(on) {
        let app = App::new(on).await;
        let enrolment = identity::begin_two_factor(&app.t.owner()).await.unwrap();
        for at in [59, 1_111_111_109, 1_790_000_000, 20_000_000_000] {
            assert_eq!(pyotp(&enrolment.uri, at), one_time_code(&enrolment.secret, contract::UnixMs(at * 1_000)), "{at}");
        }
        let now = app.t.core.now().secs();
        identity::turn_on_two_factor(&app.t.owner(), &pyotp(&enrolment.uri, now), false).await.unwrap();
        let half = app.form("/login", "", &login(PASSWORD)).await.cookie();
        let used = app.form("/login/2fa", &half, &format!("code={}", pyotp(&enrolment.uri, now))).await;
        assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY, "its step was used to turn it on");
        app.t.clock.advance(STEP);
        let done = app.form("/login/2fa", &half, &format!("code={}", pyotp(&enrolment.uri, now + 30))).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    }
}

on_both! {
    async fn the_command_line_lists_people_and_prints_a_link_that_sets_a_password(on) {
        let i = Installation::new(on).await;
        let listed = i.run(&["users", "list", "--json"], "");
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        assert_eq!((&listed[0]["email"], &listed[0]["platform_admin"], &listed[0]["two_factor"]), (&"owner@acme.test".into(), &true.into(), &false.into()));
        let nobody = i.run(&["users", "reset-link", "nobody@acme.test"], "");
        assert!(!nobody.status.success() && String::from_utf8_lossy(&nobody.stderr).contains("nobody has the address"), "{nobody:?}");
        let printed = i.run(&["users", "reset-link", "owner@acme.test"], "");
        let link = String::from_utf8_lossy(&printed.stdout).trim().to_owned();
        let whence = String::from_utf8_lossy(&printed.stderr).into_owned();
        assert!(whence.contains("The link leads to http") && whence.contains("KEYSTEAD_PUBLIC_URL"), "{whence}");
        let token = link.split("/reset?token=").nth(1).unwrap_or_else(|| panic!("{printed:?}")).to_owned();
        let server = i.serve(&[]);
        assert!(server.curl(&format!("/reset?token={token}"), &[]).1.contains("Choose a new password"));
        let body = format!("token={token}&new_password=another+gravel+orbit+lantern");
        assert_eq!(server.curl("/reset", &["-d", &body]).0, 303);
        assert_eq!(server.curl("/reset", &["-d", &body]).0, 403, "once");
        assert!(server.curl(&format!("/reset?token={token}"), &[]).1.contains("This link does not work"));
        assert_eq!(server.curl("/login", &["-d", &login("another gravel orbit lantern")]).0, 303);
        let none = i.run(&["users", "disable-2fa", "owner@acme.test"], "");
        assert!(!none.status.success() && String::from_utf8_lossy(&none.stderr).contains("has no second factor"), "{none:?}");
    }
}
