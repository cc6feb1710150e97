//! `Idempotency-Key`, over the API.

use crate::harness::{App, on_both, request};
use axum::http::StatusCode;
use serde_json::json;
use std::time::Duration;

const JSON: (&str, &str) = ("content-type", "application/json");

on_both! {
    async fn s72_a_repeated_request_is_carried_out_once_and_answered_alike(on) {
        let app = App::new(on).await;
        let auth = ("x-api-key", app.t.first.api_key.as_str());
        let body = json!({"name": "orders", "scopes": ["orders:read"]}).to_string();
        let send = |key: &'static str, body: String| {
            let app = &app;
            async move { app.send(request("POST", "/v1/api-keys", &[auth, JSON, ("idempotency-key", key)], &body)).await }
        };
        let first = send("one", body.clone()).await;
        assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::CREATED, ""), "{}", first.text);
        let again = send("one", body.clone()).await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, "true"));
        assert_eq!(again.text, first.text, "byte for byte, its secret included");
        let other_name = app.send(request("POST", "/v1/api-keys", &[auth, JSON, ("x-idempotency-key", "one")], &body)).await;
        assert_eq!(other_name.header("idempotent-replayed"), "true", "both headers name one key");
        let reused = send("one", body.replace("orders", "others")).await;
        assert_eq!((reused.status.as_u16(), reused.code().as_str()), (422, "IDEMPOTENCY_KEY_REUSED"));
        let keys = app.get("/v1/api-keys?q=orders", &[auth]).await.json();
        assert_eq!(keys["data"].as_array().map(Vec::len), Some(1), "one key was made");

        let refused = send("bad", json!({"name": "", "scopes": []}).to_string()).await;
        let same = send("bad", json!({"name": "", "scopes": []}).to_string()).await;
        assert_eq!((refused.status, same.status, same.header("idempotent-replayed")), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY, "true"));
        assert_eq!(refused.json()["error"], same.json()["error"]);

        let secret = first.json()["key"].as_str().unwrap().to_owned();
        assert!(!app.t.dump().await.contains(&secret), "no copy of the secret lies in the database");
        app.t.clock.advance(Duration::from_secs(601));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        let late = send("one", body.clone()).await;
        assert_eq!((late.status, late.header("idempotent-replayed")), (StatusCode::CREATED, "true"));
        assert!(late.json().get("key").is_none() && late.json()["id"] == first.json()["id"], "{}", late.text);
        domain::idempotency::sweep(&app.t.core.db, app.t.core.now()).await.unwrap();
        app.t.clock.advance(Duration::from_secs(86_400));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        assert_eq!(send("one", body).await.header("idempotent-replayed"), "", "after a day it is a new request");
    }
}

on_both! {
    async fn s72_parallel_repetitions_make_one_key(on) {
        let app = App::new(on).await;
        let auth = ("x-api-key", app.t.first.api_key.as_str());
        let body = json!({"name": "once", "scopes": ["orders:read"]}).to_string();
        let all = (0..20).map(|_| app.send(request("POST", "/v1/api-keys", &[auth, JSON, ("idempotency-key", "race")], &body)));
        let answers = futures::future::join_all(all).await;
        for answer in &answers {
            let running = answer.code() == "IDEMPOTENCY_IN_PROGRESS" && answer.header("retry-after") == "1";
            assert!(answer.status == StatusCode::CREATED || running, "{}", answer.text);
        }
        let firsts = answers.iter().filter(|a| a.status == StatusCode::CREATED && a.header("idempotent-replayed").is_empty()).count();
        assert_eq!(firsts, 1);
        let keys = app.get("/v1/api-keys?q=once", &[auth]).await.json();
        assert_eq!(keys["data"].as_array().map(Vec::len), Some(1));
    }
}

on_both! {
    async fn s72_a_repetition_is_authorised_again_and_a_key_is_its_credentials_own(on) {
        let app = App::new(on).await;
        let admin = ("x-api-key", app.t.first.api_key.as_str());
        let make = json!({"name": "maker", "scopes": ["keystead.keys:write", "orders:read"]}).to_string();
        let maker = app.send(request("POST", "/v1/api-keys", &[admin, JSON], &make)).await.json();
        let (maker_id, maker_key) = (maker["id"].as_str().unwrap(), maker["key"].as_str().unwrap());
        let body = json!({"name": "made", "scopes": ["orders:read"]}).to_string();
        let send = |key| app.send(request("POST", "/v1/api-keys", &[("x-api-key", key), JSON, ("idempotency-key", "k")], &body));
        assert_eq!(send(maker_key).await.status, StatusCode::CREATED);
        assert_eq!(send(admin.1).await.header("idempotent-replayed"), "", "another credential's key is another key");
        let narrow = json!({"scopes": ["orders:read"]}).to_string();
        let narrowed = app.send(request("PATCH", &format!("/v1/api-keys/{maker_id}"), &[admin, JSON], &narrow)).await;
        assert_eq!(narrowed.status, StatusCode::OK, "{}", narrowed.text);
        let again = send(maker_key).await;
        assert_eq!((again.status.as_u16(), again.code().as_str()), (403, "INSUFFICIENT_PERMISSIONS"));
        let never_kept = app.send(request("POST", "/v1/api-keys", &[("x-api-key", maker_key), JSON, ("idempotency-key", "403")], &body)).await;
        assert_eq!(never_kept.status, StatusCode::FORBIDDEN);
        let widened = json!({"scopes": ["keystead.keys:write", "orders:read"]}).to_string();
        app.send(request("PATCH", &format!("/v1/api-keys/{maker_id}"), &[admin, JSON], &widened)).await;
        let after = app.send(request("POST", "/v1/api-keys", &[("x-api-key", maker_key), JSON, ("idempotency-key", "403")], &body)).await;
        assert_eq!((after.status, after.header("idempotent-replayed")), (StatusCode::CREATED, ""), "a 403 is never kept");
    }
}

on_both! {
    async fn s68_tenants_do_not_share_an_idempotency_key(on) {
        let app = App::new(on).await;
        let other = app.t.other_tenant().await;
        let body = json!({"name": "orders", "scopes": ["orders:read"]}).to_string();
        for key in [app.t.first.api_key.as_str(), other.as_str()] {
            let made = app.send(request("POST", "/v1/api-keys", &[("x-api-key", key), JSON, ("idempotency-key", "one")], &body)).await;
            assert_eq!((made.status, made.header("idempotent-replayed")), (StatusCode::CREATED, ""), "{}", made.text);
            assert!(made.json()["key"].is_string(), "its own answer");
        }
    }
}

#[tokio::test]
async fn an_idempotency_key_that_is_none_is_refused_and_decisions_ignore_it() {
    let app = App::new(domain::testing::On::Sqlite).await;
    let auth = ("x-api-key", app.t.first.api_key.as_str());
    let long = "x".repeat(256);
    for headers in [
        vec![("idempotency-key", "")],
        vec![("idempotency-key", long.as_str())],
        vec![("idempotency-key", "a"), ("x-idempotency-key", "b")],
    ] {
        let answer = app.send(request("POST", "/v1/api-keys", &[&[auth, JSON], headers.as_slice()].concat(), "{}")).await;
        assert_eq!(answer.code(), "BAD_REQUEST", "{headers:?}");
    }
    let gateway = ("x-api-key", app.t.first.gateway_key.as_str());
    for _ in 0..2 {
        let body = json!({"credential": app.t.first.api_key}).to_string();
        let answer = app.send(request("POST", "/v1/verify", &[gateway, JSON, ("idempotency-key", "v")], &body)).await;
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (StatusCode::OK, ""));
    }
}
