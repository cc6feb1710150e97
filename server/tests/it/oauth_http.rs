//! The authorization server on the wire: what browsers and clients send, and what they are answered.

use crate::harness::{Answer, App, request};
use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{on_both, verify::limit};
use serde_json::{Value, json};
use std::time::Duration;

const CALLBACK: &str = "https://ledger.test/cb";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// An app as guide 001 registers it; its id and its secret.
async fn register(app: &App, extra: Value) -> (String, String) {
    let mut body = json!({"name": "Ledger Sync", "redirect_uris": [CALLBACK], "scopes": ["users:read", "openid", "email"]});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = app.post("/oauth/applications", &[("x-api-key", &app.t.first.api_key)], &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    (text("client_id"), text("client_secret"))
}

fn authorize(id: &str, more: &str) -> String {
    format!(
        "/oauth/authorize?client_id={id}&redirect_uri={}&response_type=code&state=a%20b{more}",
        CALLBACK.replace(':', "%3A").replace('/', "%2F")
    )
}

fn page(cookie: &str) -> [(&str, &str); 2] {
    [("accept", "text/html"), ("cookie", cookie)]
}

/// The code in the answer's address.
fn code(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let to = answer.header("location");
    let code = to.split("code=").nth(1).unwrap_or_else(|| panic!("{to}"));
    code.split('&').next().unwrap().to_owned()
}

/// The owner allows it; the code.
async fn allow(app: &App, cookie: &str, id: &str, more: &str) -> String {
    let asked = app.get(&authorize(id, more), &page(cookie)).await;
    let to = asked.header("location").to_owned();
    if to.starts_with(CALLBACK) {
        return code(&asked);
    }
    code(&app.form(&to, cookie, &format!("decision=allow&tenant_id={}", app.t.first.tenant_id)).await)
}

async fn token(app: &App, headers: &[(&str, &str)], body: &str) -> Answer {
    app.send(request("POST", "/oauth/token", &[headers, &[FORM]].concat(), body)).await
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

on_both! {
    async fn a_browser_is_led_from_the_app_over_sign_in_and_consent_back_to_it(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let (id, secret) = register(&app, json!({})).await;
        let stranger = app.get(&authorize(&id, ""), &page("")).await;
        assert_eq!(stranger.status, StatusCode::SEE_OTHER);
        let login = stranger.header("location").to_owned();
        assert!(login.starts_with("/login?next=/oauth/authorize?client_id=app_"), "{login}");
        let form = app.get(&login, &page("")).await;
        assert!(form.header("content-security-policy").contains("form-action 'self' https://ledger.test;"), "the last redirect leads there");
        assert_eq!(form.header("cross-origin-opener-policy"), "unsafe-none");
        assert_eq!(app.get("/login", &page("")).await.header("cross-origin-opener-policy"), "same-origin");
        let cookie = app.sign_in().await;
        let asked = app.get(&authorize(&id, "&scope=openid%20users%3Aread&nonce=n1"), &page(&cookie)).await;
        let consent = asked.header("location").to_owned();
        assert!(consent.starts_with("/oauth/consent/con_"), "{consent}");
        let shown = app.get(&consent, &page(&cookie)).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
        for said in ["Allow Ledger Sync to act for you in Acme?", "Verified host", "ledger.test", "Know who you are", "users:read", "owner@acme.test", CALLBACK] {
            assert!(shown.text.contains(said), "{said}");
        }
        let policy = shown.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://ledger.test;") && policy.contains("frame-ancestors 'none'"), "s54: {policy}");
        let decided = app.form(&consent, &cookie, &format!("decision=allow&tenant_id={}", app.t.first.tenant_id)).await;
        let to = decided.header("location");
        assert!(to.starts_with("https://ledger.test/cb?code=ksc_") && to.contains("&state=a+b&iss=http%3A%2F%2Flocalhost"), "{to}");
        assert_eq!(decided.header("referrer-policy"), "no-referrer", "nobody learns it by what follows");
        let body = format!("grant_type=authorization_code&code={}&redirect_uri={CALLBACK}", code(&decided));
        let answer = token(&app, &[("authorization", &basic(&id, &secret))], &body).await;
        assert_eq!((answer.status, answer.header("cache-control"), answer.header("access-control-allow-origin")), (StatusCode::OK, "no-store", "*"), "{}", answer.text);
        let answer = answer.json();
        assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!("openid users:read")));
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
        let userinfo = app.get("/oauth/userinfo", &[("authorization", &bearer)]).await;
        assert_eq!((userinfo.status, &userinfo.json()["sub"]), (StatusCode::OK, &json!(app.t.first.user_id)));
        let test = app.get("/v2/auth/test", &[("authorization", &bearer)]).await.json();
        assert_eq!((&test["kind"], &test["user"]), (&json!("access_token"), &json!(app.t.first.user_id)));
    }
}

on_both! {
    async fn s45_s54_s55_refusals_go_where_they_belong(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let (id, _) = register(&app, json!({})).await;
        let cookie = app.sign_in().await;
        let foreign = app.get(&authorize(&id, "").replace("ledger.test", "evil.test"), &page(&cookie)).await;
        assert_eq!((foreign.status, foreign.header("location")), (StatusCode::BAD_REQUEST, ""));
        assert!(foreign.text.contains("Ledger Sync asked to be answered at an address that it has not registered") && foreign.text.contains("<html"), "a page for people");
        let wrong = app.get(&authorize(&id, "&scope=nothing"), &page(&cookie)).await;
        assert_eq!(wrong.status, StatusCode::SEE_OTHER);
        assert!(wrong.header("location").starts_with("https://ledger.test/cb?error=invalid_scope"), "{}", wrong.header("location"));
        let quiet = app.get(&authorize(&id, "&prompt=none"), &page("")).await;
        assert!(quiet.header("location").contains("error=login_required"), "{}", quiet.header("location"));
        let quiet = app.get(&authorize(&id, "&prompt=none"), &page(&cookie)).await;
        assert!(quiet.header("location").contains("error=consent_required"), "{}", quiet.header("location"));
        let consent = app.get(&authorize(&id, ""), &page(&cookie)).await.header("location").to_owned();
        let headers = [FORM, ("accept", "text/html"), ("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
        let forged = app.send(request("POST", &consent, &headers, "decision=allow&tenant_id=x")).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "another site decides nothing");
        let other = app.sign_in().await;
        let elsewhere = app.form(&consent, &other, &format!("decision=allow&tenant_id={}", app.t.first.tenant_id)).await;
        assert_eq!(elsewhere.status, StatusCode::CONFLICT, "another session decides nothing");
        let denied = app.form(&consent, &cookie, "decision=deny").await;
        assert!(denied.header("location").contains("error=access_denied"), "{}", denied.header("location"));
        let over = app.get(&consent, &page(&cookie)).await;
        assert!(over.text.contains("This request is over"), "{}", over.text);
        // A POST carries parameters, from whichever site, and does nothing by itself.
        let query = authorize(&id, "").split_once('?').unwrap().1.to_owned();
        let headers = [FORM, ("accept", "text/html"), ("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
        let carried = app.send(request("POST", "/oauth/authorize", &headers, &query)).await;
        assert_eq!(carried.status, StatusCode::SEE_OTHER);
        assert!(carried.header("location").starts_with("/oauth/authorize?client_id=app_"), "{}", carried.header("location"));
    }
}

on_both! {
    async fn s53_s56_clients_prove_themselves_by_header_or_body_once_and_errors_are_those_of_rfc_6749(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let (id, secret) = register(&app, json!({})).await;
        let with = format!("client_id={id}&client_secret={secret}&grant_type=client_credentials");
        assert_eq!(token(&app, &[], &with).await.status, StatusCode::OK);
        let header = basic(&id, &secret);
        assert_eq!(token(&app, &[("authorization", &header)], "grant_type=client_credentials").await.status, StatusCode::OK);
        let as_json = json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret});
        assert_eq!(app.post("/oauth/token", &[], &as_json).await.status, StatusCode::OK, "guide 001 sends JSON");
        for (headers, body, status, error) in [
            (vec![], format!("{with}&unknown=1&unknown=2"), 200, ""),
            (vec![], format!("{with}&scope=users%3Aread&scope=users%3Aread"), 400, "invalid_request"),
            (vec![("authorization", header.as_str())], with.clone(), 400, "invalid_request"),
            (vec![], with.replace("kss_", "kss_x"), 401, "invalid_client"),
            (vec![], format!("client_id={id}&grant_type=client_credentials"), 401, "invalid_client"),
            (vec![], "grant_type=client_credentials".to_owned(), 401, "invalid_client"),
            (vec![("authorization", "Basic !!!")], "grant_type=client_credentials".to_owned(), 400, "invalid_request"),
            (vec![], with.replace("client_credentials", "password"), 400, "unsupported_grant_type"),
            (vec![], with.replace("client_credentials", "authorization_code"), 400, "invalid_request"),
            (vec![], with.replace("client_credentials", "authorization_code&code=x"), 400, "invalid_grant"),
            (vec![], with.replace("client_credentials", "refresh_token&refresh_token=x"), 400, "invalid_grant"),
            (vec![], format!("{with}&scope=admin"), 400, "invalid_scope"),
            (vec![], format!("{with}&resource=nonsense"), 400, "invalid_target"),
        ] {
            let answer = token(&app, &headers, &body).await;
            assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
            assert_eq!(answer.json()["error"].as_str().unwrap_or_default(), error, "{body}");
            assert_eq!(answer.header("www-authenticate").starts_with("Basic"), status == 401, "{body}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        let bare = app.send(request("POST", "/oauth/token", &[("content-type", "text/plain")], &with)).await;
        assert_eq!((bare.status, bare.json()["error"].clone()), (StatusCode::BAD_REQUEST, json!("invalid_request")));
        // A cookie counts for nothing here, and another site may ask (s23).
        let cookie = app.sign_in().await;
        let crossed = token(&app, &[("cookie", &cookie), ("sec-fetch-site", "cross-site"), ("origin", "https://spa.test")], &with).await;
        assert_eq!((crossed.status, crossed.header("access-control-allow-origin"), crossed.header("access-control-allow-credentials")), (StatusCode::OK, "*", ""), "s30");
        let preflight = request("OPTIONS", "/oauth/token", &[("origin", "https://spa.test"), ("access-control-request-method", "POST")], "");
        assert_eq!(app.send(preflight).await.header("access-control-allow-origin"), "*");
    }
}

on_both! {
    async fn s57_s58_revocation_and_introspection_on_the_wire(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let (id, secret) = register(&app, json!({})).await;
        let (public, _) = register(&app, json!({"kind": "public", "name": "Public"})).await;
        let cookie = app.sign_in().await;
        let with = format!("client_id={id}&client_secret={secret}");
        let body = format!("{with}&grant_type=authorization_code&code={}&redirect_uri={CALLBACK}", allow(&app, &cookie, &id, "").await);
        let answer = token(&app, &[], &body).await.json();
        let (access, refresh) = (answer["access_token"].as_str().unwrap().to_owned(), answer["refresh_token"].as_str().unwrap().to_owned());
        let ask = async |path: &str, body: String| app.send(request("POST", path, &[FORM], &body)).await;
        let told = ask("/oauth/introspect", format!("{with}&token={access}")).await.json();
        assert_eq!((&told["active"], &told["client_id"], &told["iss"]), (&json!(true), &json!(id), &json!("http://localhost")));
        assert_eq!(ask("/oauth/introspect", format!("client_id={public}&token={access}")).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(ask("/oauth/introspect", format!("{with}&token=nothing")).await.text, r#"{"active":false}"#);
        assert_eq!(ask("/oauth/revoke", format!("{with}&token=nothing&token_type_hint=whatever")).await.status, StatusCode::OK);
        assert_eq!(ask("/oauth/revoke", with.clone()).await.json()["error"], json!("invalid_request"));
        assert_eq!(ask("/oauth/revoke", format!("{with}&token={refresh}&token_type_hint=access_token")).await.status, StatusCode::OK, "a hint is no more than that");
        assert_eq!(ask("/oauth/introspect", format!("{with}&token={access}")).await.text, r#"{"active":false}"#, "with everything that came of it");
        let bearer = format!("Bearer {access}");
        let userinfo = app.get("/oauth/userinfo", &[("authorization", &bearer)]).await;
        assert_eq!((userinfo.status, &userinfo.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_token")));
        assert!(userinfo.header("www-authenticate").contains("invalid_token"));
        let body = format!("{with}&grant_type=authorization_code&code={}&redirect_uri={CALLBACK}", allow(&app, &cookie, &id, "&scope=users:read").await);
        let narrow = format!("Bearer {}", token(&app, &[], &body).await.json()["access_token"].as_str().unwrap());
        let userinfo = app.get("/oauth/userinfo", &[("authorization", &narrow)]).await;
        assert_eq!((userinfo.status, &userinfo.json()["error"]), (StatusCode::FORBIDDEN, &json!("insufficient_scope")));
        assert!(userinfo.header("www-authenticate").contains("scope=\"openid\""), "s56");
        // Whatever refuses at these endpoints says so in the words of RFC 6749 (contract, section 3).
        let two = app.get("/oauth/userinfo", &[("authorization", &bearer), ("x-api-key", "another")]).await;
        assert_eq!((two.status, &two.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{}", two.text);
        assert_eq!(two.json()["error_description"], "Two different credentials were sent");
        // ★ A storage error is no success.
        app.t.core.db.close().await;
        let answer = ask("/oauth/revoke", format!("{with}&token={refresh}")).await;
        assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("temporarily_unavailable")), "{}", answer.text);
    }
}

on_both! {
    async fn s59_s60_the_metadata_names_what_works_under_the_issuer_of_the_tokens(t) {
        let app = App::on(t, crate::harness::Setup::default());
        for at in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            let answer = app.get(at, &[("origin", "https://spa.test")]).await;
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            let told = answer.json();
            assert_eq!(told["issuer"], json!("http://localhost"));
            for (name, path) in [("token_endpoint", "/oauth/token"), ("jwks_uri", "/.well-known/jwks.json"), ("userinfo_endpoint", "/oauth/userinfo")] {
                assert_eq!(told[name], json!(format!("http://localhost{path}")), "{name}");
            }
            assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
            for absent in ["registration_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint", "dpop_signing_alg_values_supported"] {
                assert!(told.get(absent).is_none(), "{absent}");
            }
        }
    }
}

on_both! {
    async fn s56_wrong_secrets_and_public_clients_are_counted_by_their_sender(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let (id, secret) = register(&app, json!({})).await;
        let (public, _) = register(&app, json!({"kind": "public", "name": "Public"})).await;
        let with = format!("client_id={id}&client_secret={secret}&grant_type=client_credentials");
        let mut refused = 0;
        for _ in 0..30 {
            refused += usize::from(token(&app, &[], &with.replace("kss_", "kss_x")).await.status == StatusCode::TOO_MANY_REQUESTS);
        }
        assert_eq!(refused, 10, "20 a second");
        assert_eq!(token(&app, &[], &with).await.status, StatusCode::OK, "who knows the secret is not kept waiting");
        let mut refused = 0;
        // An empty secret in the header proves no more than none.
        let basic = format!("Basic {}", STANDARD.encode(format!("{public}:")));
        for turn in 0..8 {
            let asked = "grant_type=refresh_token&refresh_token=x";
            let answer = match turn % 2 {
                0 => token(&app, &[], &format!("client_id={public}&{asked}")).await,
                _ => token(&app, &[("authorization", &basic)], asked).await,
            };
            refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
        }
        assert_eq!(refused, 3, "5 a second without a secret");
    }
}

on_both! {
    async fn s71_an_app_in_a_loop_is_told_when_to_come_back_and_its_own_tokens_are_not_counted(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let (id, secret) = register(&app, json!({})).await;
        let (other, others) = register(&app, json!({"name": "Other"})).await;
        let cookie = app.sign_in().await;
        let with = format!("client_id={id}&client_secret={secret}");
        let second = limit::CLIENT.per_second;
        for _ in 0..=second {
            let own = token(&app, &[], &format!("{with}&grant_type=client_credentials&scope=users:read")).await;
            assert_eq!(own.status, StatusCode::OK, "{}", own.text);
        }
        for _ in 0..second {
            let answer = app.send(request("POST", "/oauth/revoke", &[FORM], &format!("{with}&token=nothing"))).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        }
        let refresh = format!("{with}&grant_type=refresh_token&refresh_token=x");
        for answer in [
            app.send(request("POST", "/oauth/revoke", &[FORM], &format!("{with}&token=nothing"))).await,
            token(&app, &[], &refresh).await,
            token(&app, &[], &format!("{with}&grant_type=authorization_code&code=x")).await,
        ] {
            assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::TOO_MANY_REQUESTS, &json!("temporarily_unavailable")), "{}", answer.text);
            assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
            assert_eq!(answer.header("x-ratelimit-limit"), second.to_string());
        }
        let own = token(&app, &[], &format!("{with}&grant_type=client_credentials&scope=users:read")).await;
        assert_eq!(own.status, StatusCode::OK, "it writes nothing");
        let theirs = format!("client_id={other}&client_secret={others}&token=nothing");
        assert_eq!(app.send(request("POST", "/oauth/revoke", &[FORM], &theirs)).await.status, StatusCode::OK);
        app.t.clock.advance(Duration::from_secs(3));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        assert_eq!(token(&app, &[], &refresh).await.json()["error"], json!("invalid_grant"), "it may go on");

        allow(&app, &cookie, &id, "").await;
        app.t.clock.advance(Duration::from_secs(3));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        for _ in 0..limit::ANSWERED.per_second {
            code(&app.get(&authorize(&id, ""), &page(&cookie)).await);
        }
        let answer = app.get(&authorize(&id, ""), &page(&cookie)).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.text);
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
    }
}

on_both! {
    async fn s71_s78_userinfo_is_counted_with_what_else_a_token_does_and_stands_in_the_usage_log(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let (id, secret) = register(&app, json!({})).await;
        let cookie = app.sign_in().await;
        let by_code = async |scope: &str| {
            let body = format!(
                "client_id={id}&client_secret={secret}&grant_type=authorization_code&code={}&redirect_uri={CALLBACK}",
                allow(&app, &cookie, &id, &format!("&scope={scope}")).await
            );
            format!("Bearer {}", token(&app, &[], &body).await.json()["access_token"].as_str().unwrap())
        };
        let (who, narrow) = (by_code("openid").await, by_code("users:read").await);
        let ask = async |bearer: &str| app.get("/oauth/userinfo", &[("authorization", bearer)]).await;
        let told = ask(&who).await;
        assert_eq!((told.status, told.header("x-ratelimit-limit")), (StatusCode::OK, limit::OAUTH.per_hour.to_string().as_str()), "{}", told.text);
        assert_eq!(ask(&narrow).await.status, StatusCode::FORBIDDEN);
        for _ in 2..limit::OAUTH.per_second {
            assert_eq!(ask(&who).await.status, StatusCode::OK);
        }
        let over = ask(&who).await;
        assert_eq!((over.status, &over.json()["error"]), (StatusCode::TOO_MANY_REQUESTS, &json!("temporarily_unavailable")), "{}", over.text);
        assert!(over.header("retry-after").parse::<u32>().unwrap() > 0);
        let elsewhere = app.get("/v1/auth/test", &[("authorization", &who)]).await;
        assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS, "one count for the person by way of the app");
        while domain::usage::count_unscoped(&app.t.core.db).await.unwrap() < i64::from(limit::OAUTH.per_second) + 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let key = app.t.first.api_key.clone();
        let seen = app.get("/v1/usage/events?path=/oauth/userinfo&limit=200", &[("x-api-key", &key)]).await.json();
        let codes: Vec<&str> = seen["data"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
        let count = |code: &str| codes.iter().filter(|c| **c == code).count();
        let whole = usize::try_from(limit::OAUTH.per_second).unwrap();
        assert_eq!((count("VALID"), count("INSUFFICIENT_SCOPE"), count("RATE_LIMITED")), (whole - 1, 1, 1), "{codes:?}");
        let refused = seen["data"].as_array().unwrap().iter().find(|e| e["code"] == "INSUFFICIENT_SCOPE").unwrap();
        assert_eq!((&refused["client_id"], &refused["required_scopes"]), (&json!(id), &json!(["openid"])));
    }
}

on_both! {
    async fn a_body_that_is_too_long_is_refused_in_the_words_of_rfc_6749(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let long = format!("grant_type=client_credentials&x={}", "x".repeat(300_000));
        for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
            let answer = app.send(request("POST", path, &[FORM], &long)).await;
            assert_eq!((answer.status, answer.header("content-type")), (StatusCode::PAYLOAD_TOO_LARGE, "application/json"), "{path}: {}", answer.text);
            let told = answer.json();
            assert_eq!((&told["error"], told["error_description"].is_string()), (&json!("invalid_request"), true), "{path}");
        }
    }
}

on_both! {
    async fn s33_s72_a_secret_that_is_asked_for_again_is_the_same_and_lies_nowhere(t) {
        let app = App::on(t, crate::harness::Setup::default());
        let body = json!({"name": "Once", "redirect_uris": [CALLBACK], "scopes": ["users:read"]});
        let headers = [("x-api-key", app.t.first.api_key.as_str()), ("idempotency-key", "k1")];
        let first = app.post("/v1/oauth/applications", &headers, &body).await.json();
        let again = app.post("/v1/oauth/applications", &headers, &body).await;
        assert_eq!((again.header("idempotent-replayed"), &again.json()["client_secret"]), ("true", &first["client_secret"]));
        assert!(!app.t.dump().await.contains(&first["client_secret"].as_str().unwrap()[4..40]));
    }
}
