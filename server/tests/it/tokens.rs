//! Signing in over the API, and tokens as credentials of every route that takes keys.

use crate::{
    harness::{Answer, App, Setup, on_both, request},
    leaks::Log,
};
use axum::http::StatusCode;
use domain::{
    tenants,
    testing::{On, PASSWORD},
};
use serde_json::{Value, json};
use std::time::Duration;

async fn login(app: &App) -> Value {
    let answer = app.post("/v1/auth/login", &[], &json!({"email": "owner@acme.test", "password": PASSWORD})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn bearer(signed_in: &Value) -> String {
    format!("Bearer {}", signed_in["access_token"].as_str().unwrap())
}

async fn get(app: &App, path: &str, signed_in: &Value) -> Answer {
    app.get(path, &[("authorization", &bearer(signed_in))]).await
}

async fn later(app: &App, seconds: u64) {
    app.t.clock.advance(Duration::from_secs(seconds));
    app.t.core.cache.sync(&app.t.core).await.unwrap();
}

on_both! {
    async fn a_person_signs_in_calls_refreshes_and_leaves(on) {
        let app = App::new(on).await;
        let first = login(&app).await;
        let user = json!({"id": app.t.first.user_id, "email": "owner@acme.test", "role": "owner", "tenant_id": app.t.first.tenant_id});
        assert_eq!((&first["token_type"], &first["expires_in"], &first["user"]), (&json!("Bearer"), &json!(3_600), &user));
        let me = get(&app, "/v1/auth/me", &first).await.json();
        assert_eq!((&me["kind"], &me["user"], &me["scopes"]), (&json!("access_token"), &user, &json!(["admin"])));
        let test = get(&app, "/v1/auth/test", &first).await.json();
        assert_eq!((&test["kind"], &test["user"], &test["environment"]), (&json!("access_token"), &user["id"], &json!("live")));
        let health = get(&app, "/health", &first).await.json();
        assert_eq!((&health["authenticated"], &health["user"]["id"]), (&json!(true), &user["id"]));
        let listed = get(&app, "/v1/api-keys", &first).await;
        assert_eq!((listed.status, listed.header("x-ratelimit-limit")), (StatusCode::OK, "10000"));
        let second = app.post("/v1/auth/refresh", &[], &json!({"refresh_token": first["refresh_token"]})).await;
        assert_eq!((second.status, second.header("cache-control")), (StatusCode::OK, "no-store"), "s29");
        let second = second.json();
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        let left = app.post("/v1/auth/logout", &[("authorization", &bearer(&second))], &json!({})).await;
        assert_eq!((left.status, left.json()), (StatusCode::OK, json!({"ended": 1})));
        for token in [&first, &second] {
            let refused = get(&app, "/v1/auth/me", token).await;
            assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, "INVALID_TOKEN"));
            let refused = app.post("/v1/auth/refresh", &[], &json!({"refresh_token": token["refresh_token"]})).await;
            assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, "INVALID_TOKEN"));
        }
        assert_eq!(app.t.count("SELECT COUNT(*) FROM audit_events WHERE action IN ('session.created', 'session.ended')").await, 2);
    }
}

on_both! {
    async fn what_does_not_sign_in_is_told_so_in_the_contracts_words(on) {
        let app = App::new(on).await;
        let tenant = "ten_00000000000000000000000000000007";
        for (body, status, code) in [
            (json!({"email": "owner@acme.test", "password": "wrong"}), 401, "UNAUTHORIZED"),
            (json!({"email": "nobody@acme.test", "password": PASSWORD}), 401, "UNAUTHORIZED"),
            (json!({"email": "owner@acme.test", "password": PASSWORD, "tenant_id": tenant}), 403, "FORBIDDEN"),
            (json!({"email": "owner@acme.test", "password": PASSWORD, "tenant_id": "acme"}), 422, "VALIDATION_FAILED"),
            (json!({"email": "owner@acme.test", "password": PASSWORD, "role": "owner"}), 422, "VALIDATION_FAILED"),
            (json!({"email": "owner@acme.test"}), 422, "VALIDATION_FAILED"),
        ] {
            let answer = app.post("/v1/auth/login", &[], &body).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{body}");
        }
        let key = app.t.first.api_key.clone();
        let answer = app.post("/v1/auth/logout", &[("x-api-key", &key)], &json!({})).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
        assert_eq!(app.send(request("POST", "/v1/auth/logout", &[], "")).await.code(), "UNAUTHORIZED");
        assert_eq!(app.get("/v1/auth/me", &[("x-api-key", &key)]).await.json()["user"], Value::Null);
    }
}

on_both! {
    async fn an_expired_token_is_told_when_and_any_other_bad_one_nothing(on) {
        let app = App::new(on).await;
        let held = login(&app).await;
        let mut parts: Vec<String> = held["access_token"].as_str().unwrap().split('.').map(ToOwned::to_owned).collect();
        later(&app, 3_629).await;
        assert_eq!(get(&app, "/v1/auth/me", &held).await.status, StatusCode::OK, "half a minute of leeway");
        later(&app, 1).await;
        let late = get(&app, "/v1/auth/me", &held).await;
        assert_eq!((late.status, late.code().as_str()), (StatusCode::UNAUTHORIZED, "TOKEN_EXPIRED"));
        assert_eq!(late.json()["error"]["message"], "Access token has expired");
        assert!(late.json()["error"]["expires_at"].as_str().is_some_and(|t| t.starts_with("2026-09-21T")), "{}", late.text);
        assert!(late.header("www-authenticate").contains("invalid_token"));
        parts[2] = parts[2].replace(|c: char| c.is_ascii_digit(), "x");
        for (jwt, code) in [(parts.join("."), "INVALID_TOKEN"), ("eyJ4.eyJ5.eno".to_owned(), "INVALID_TOKEN"), (held["refresh_token"].as_str().unwrap().to_owned(), "INVALID_API_KEY")] {
            let refused = app.get("/v1/auth/me", &[("authorization", &format!("Bearer {jwt}"))]).await;
            assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, code), "{jwt}");
            assert_eq!(refused.json()["error"].get("expires_at"), None, "told only when all else is right");
        }
    }
}

on_both! {
    async fn gateways_decide_about_tokens_and_the_log_names_the_person(on) {
        let app = App::new(on).await;
        let held = login(&app).await;
        let gateway = app.t.first.gateway_key.clone();
        let asked = async |extra: &[(&str, &str)]| {
            let auth = bearer(&held);
            let headers = [&[("x-keystead-gateway", gateway.as_str()), ("authorization", &auth)], extra].concat();
            app.get("/v1/forward-auth", &headers).await
        };
        let allowed = asked(&[("x-keystead-require", "scopes=users:read; environment=live")]).await;
        assert_eq!(allowed.status, StatusCode::OK, "{}", allowed.text);
        for (name, value) in [
            ("x-keystead-tenant", app.t.first.tenant_id.to_string()),
            ("x-keystead-subject", app.t.first.user_id.to_string()),
            ("x-keystead-kind", "access_token".into()),
            ("x-keystead-scopes", "admin".into()),
            ("x-keystead-environment", "live".into()),
        ] {
            assert_eq!(allowed.header(name), value, "{name}");
        }
        assert!(allowed.header("x-keystead-credential").starts_with("tok_"));
        for (demand, status, code) in [
            ("environment=test", 403, "ENVIRONMENT_MISMATCH"),
            ("audience=https://elsewhere.test", 401, "INVALID_TOKEN"),
        ] {
            let refused = asked(&[("x-keystead-require", demand)]).await;
            assert_eq!((refused.status.as_u16(), refused.header("x-keystead-code")), (status, code), "{demand}");
        }
        assert_eq!(asked(&[("x-tenant-id", "ten_00000000000000000000000000000007")]).await.status, StatusCode::FORBIDDEN);
        let own = app.t.first.tenant_id.to_string();
        assert_eq!(asked(&[("x-tenant-id", &own)]).await.status, StatusCode::OK);
        while domain::usage::count_unscoped(&app.t.core.db).await.unwrap() < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let log = get(&app, "/v1/usage/events?kind=access_token&source=forward_auth&outcome=allowed", &held).await.json();
        let events = log["data"].as_array().unwrap();
        assert_eq!(events.len(), 2, "{log}");
        assert!(events.iter().all(|e| e["credential_name"] == "owner@acme.test"), "{log}");
        let trace = get(&app, &format!("/v1/usage/events/{}", events[0]["id"].as_str().unwrap()), &held).await;
        assert!(trace.text.contains("It is a token of owner@acme.test."), "{}", trace.text);
    }
}

on_both! {
    async fn s72_a_request_of_a_person_is_repeated_by_whichever_of_their_tokens(on) {
        let app = App::new(on).await;
        let held = login(&app).await;
        let make = async |auth: &str| {
            let headers = [("authorization", auth), ("idempotency-key", "once"), ("content-type", "application/json")];
            app.send(request("POST", "/v1/api-keys", &headers, "{\"name\":\"made\",\"scopes\":[\"users:read\"]}")).await
        };
        let first = make(&bearer(&held)).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
        assert_eq!(first.json()["created_by"], "owner@acme.test");
        let refreshed = app.post("/v1/auth/refresh", &[], &json!({"refresh_token": held["refresh_token"]})).await.json();
        let again = make(&bearer(&refreshed)).await;
        assert_eq!((again.header("idempotent-replayed"), again.json()["key"].clone()), ("true", first.json()["key"].clone()));
        assert_eq!(app.t.count("SELECT COUNT(*) FROM api_keys WHERE name = 'made'").await, 1);
    }
}

on_both! {
    async fn s65_the_key_set_is_open_to_everybody_and_may_be_kept_for_less_than_a_key_waits(on) {
        let setup = Setup { https: false, ..Setup::default() };
        let app = App::with(on, setup).await;
        let set = app.get("/.well-known/jwks.json", &[]).await;
        assert_eq!((set.status, set.header("content-type")), (StatusCode::OK, "application/jwk-set+json"));
        assert_eq!((set.header("access-control-allow-origin"), set.header("cache-control")), ("*", "public, max-age=300"));
        let key = &set.json()["keys"][0];
        assert_eq!((&key["kty"], &key["crv"], &key["alg"], &key["use"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig")));
        assert!(key.get("d").is_none());
    }
}

#[tokio::test]
async fn s7_failed_refreshes_are_counted_by_their_sender_and_good_ones_go_on() {
    let app = App::new(On::Sqlite).await;
    let held = login(&app).await;
    let try_one = async |token: &Value| app.post("/v1/auth/refresh", &[], &json!({"refresh_token": token})).await;
    let mut told = Vec::new();
    for _ in 0..25 {
        told.push(try_one(&json!("ksr_guess")).await.status.as_u16());
    }
    assert_eq!((told.iter().filter(|s| **s == 401).count(), told.iter().filter(|s| **s == 429).count()), (20, 5));
    assert_eq!(try_one(&held["refresh_token"]).await.status, StatusCode::OK);
}

on_both! {
    async fn what_a_sign_in_lacks_is_named_in_its_answer(on) {
        let app = App::new(on).await;
        let asked = json!({"email": "owner@acme.test", "password": PASSWORD});
        let globex = tenants::create_from_body(&app.t.owner(), &contract::TenantBody { name: Some("Globex".into()), slug: None }).await.unwrap();
        app.t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'admin', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex'").await;
        let which = app.post("/v1/auth/login", &[], &asked).await;
        let named = json!([{"id": app.t.first.tenant_id, "name": "Acme"}, {"id": globex.id, "name": "Globex"}]);
        assert_eq!((which.status.as_u16(), which.code().as_str(), &which.json()["error"]["tenants"]), (409, "TENANT_REQUIRED", &named));
        app.t.enrol(&app.t.owner()).await;
        let which = app.post("/v1/auth/login", &[], &asked).await;
        assert_eq!((which.code().as_str(), &which.json()["error"]["tenants"]), ("TENANT_REQUIRED", &Value::Null), "not by the password alone");
        let asked = json!({"email": "owner@acme.test", "password": PASSWORD, "tenant_id": globex.id});
        let half = app.post("/v1/auth/login", &[], &asked).await;
        assert_eq!((half.status.as_u16(), half.code().as_str()), (401, "MFA_REQUIRED"));
        assert_eq!(half.header("www-authenticate"), "Bearer realm=\"keystead\", error=\"insufficient_user_authentication\"");
    }
}

#[tokio::test]
async fn s77_s78_every_refused_sign_in_is_one_line_with_the_address_and_nothing_that_was_typed() {
    let log = Log::default();
    let _guard = log.taken();
    let app = App::new(On::Sqlite).await;
    let wrong = json!({"email": "owner@acme.test", "password": "what I typed\nWARN forged client=192.0.2.1"});
    app.post("/v1/auth/login", &[("x-request-id", "mine-1")], &wrong).await;
    app.form("/login", "", "email=someone%40else.test&password=other+words").await;
    app.post("/v1/auth/refresh", &[], &json!({"refresh_token": "ksr_thisoneisunknown"})).await;
    // Without the colours, which a log that is no terminal does not have.
    let logged = log.text();
    let mut parts = logged.split("\x1b[");
    let first = parts.next().unwrap_or_default();
    let text: String = std::iter::once(first).chain(parts.map(|part| part.split_once('m').unwrap().1)).collect();
    let lines: Vec<&str> = text.lines().filter(|l| l.contains("sign-in refused")).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].ends_with("request_id=mine-1 client=203.0.113.24 why=\"password\""), "{}", lines[0]);
    assert!(lines[1].ends_with("client=203.0.113.24 why=\"password\"") && lines[2].ends_with("why=\"refresh_token\""), "{lines:?}");
    for typed in ["owner@acme.test", "what I typed", "someone", "other words", "thisoneisunknown", "192.0.2.1"] {
        assert!(lines.iter().all(|l| !l.contains(typed)), "{typed}");
    }
}
