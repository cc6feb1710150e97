use crate::harness::{App, Setup, on_both, request};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use contract::{Environment, PageQuery, UsageFilter};
use domain::{keys, testing::On, usage};
use keystead::{
    config::ErrorFormat,
    http::{self, AppState},
    listen,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

on_both! {
    async fn auth_test_says_who_the_credential_is(on) {
        let app = App::new(on).await;
        for path in ["/v1/auth/test", "/v2/auth/test"] {
            let answer = app.get(path, &[("authorization", &bearer(&app.t.first.api_key))]).await;
            assert_eq!(answer.status, StatusCode::OK);
            let body = answer.json();
            assert_eq!(
                (&body["valid"], &body["kind"], &body["environment"], &body["scopes"], &body["tenant_id"]),
                (&json!(true), &json!("api_key"), &json!("live"), &json!(["admin"]), &json!(app.t.first.tenant_id))
            );
            assert_eq!(app.get(path, &[("x-api-key", &app.t.first.api_key)]).await.status, StatusCode::OK);
        }
        let head = request("HEAD", "/v1/auth/test", &[("x-api-key", &app.t.first.api_key)], "");
        assert_eq!(app.send(head).await.status, StatusCode::OK);
    }
}

on_both! {
    async fn s37_whatever_is_wrong_with_a_key_the_answer_is_identical(on) {
        let app = App::new(on).await;
        let owner = app.t.owner();
        let mut wrong = vec![("malformed", "sk_live_x".to_owned())];
        let revoked = keys::create_from_form(&owner, &app.t.form("revoked", "read")).await.unwrap();
        keys::revoke(&owner, revoked.api_key.id, None).await.unwrap();
        wrong.push(("revoked", revoked.key.unwrap()));
        let mut form = app.t.form("expired", "read");
        form.expires = "7".into();
        wrong.push(("expired", keys::create_from_form(&owner, &form).await.unwrap().key.unwrap()));
        let unknown = keys::secret::generate(
            app.t.core.entropy(), &app.t.core.keys, contract::KeyKind::Secret, Environment::Live, &contract::Slug::from_name("x"));
        wrong.push(("unknown", unknown.token.expose().clone()));
        let mut typo = app.t.first.api_key.clone();
        typo.replace_range(20..21, if &typo[20..21] == "a" { "b" } else { "a" });
        wrong.push(("checksum", typo));
        app.t.clock.advance(Duration::from_secs(7 * 86_400));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        let mut said = Vec::new();
        for (what, key) in wrong {
            let answer = app.get("/v1/auth/test", &[("x-api-key", &key), ("x-request-id", "same")]).await;
            let mut headers: Vec<String> = answer.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
            headers.sort();
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "INVALID_API_KEY"), "{what}");
            said.push((headers, answer.text));
        }
        assert!(said.windows(2).all(|w| w[0] == w[1]), "{said:#?}");
        assert!(said[0].0.iter().any(|h| h.starts_with("www-authenticate: Bearer")));
    }
}

#[tokio::test]
async fn s38_credentials_in_a_query_are_ignored_and_two_different_ones_refused() {
    let app = App::new(On::Sqlite).await;
    let key = app.t.first.api_key.clone();
    let answer = app.get(&format!("/v1/auth/test?api_key={key}&access_token={key}"), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "UNAUTHORIZED"));
    let both = [("authorization", bearer(&key)), ("x-api-key", app.t.first.gateway_key.clone())];
    let answer = app.get("/v1/auth/test", &both.each_ref().map(|(n, v)| (*n, v.as_str()))).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "CONFLICTING_CREDENTIALS"));
}

on_both! {
    async fn verify_decides_and_answers_in_the_contracts_form(on) {
        let app = App::new(on).await;
        let made = keys::create_from_form(&app.t.owner(), &app.t.form("checkout", "users:read")).await.unwrap();
        let key = made.key.unwrap();
        let answer = app.verify(&json!({"credential": key, "scopes": ["read:users"], "ip": "203.0.113.9"})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let mut body = answer.json();
        assert!(body["request_id"].as_str().unwrap().starts_with("req_"));
        assert!(body["expires_at"].as_str().unwrap().ends_with('Z'));
        body["request_id"] = json!(null);
        body["expires_at"] = json!(null);
        assert_eq!(body, json!({"valid":true,"code":"VALID","kind":"api_key","credential_id":made.api_key.id,"tenant_id":app.t.first.tenant_id,
            "subject":app.t.first.user_id,"client_id":null,"environment":"live","scopes":["users:read"],"metadata":{},"expires_at":null,
            "rate_limit":{"limit":10_000,"remaining":9_999,"reset":(app.t.core.now().0 + 3_600_000) / 1_000},"request_id":null}));
        let denied = app.verify(&json!({"credential": key, "scopes": ["users:write"]})).await.json();
        assert_eq!((&denied["valid"], &denied["code"]), (&json!(false), &json!("INSUFFICIENT_SCOPE")));
        let unknown = app.verify(&json!({"credential": "junk"})).await.json();
        assert_eq!((&unknown["code"], &unknown["tenant_id"], &unknown["kind"]), (&json!("MALFORMED"), &json!(null), &json!(null)));
    }
}

#[tokio::test]
async fn verify_refuses_strangers_before_it_judges_their_body() {
    let app = App::new(On::Sqlite).await;
    let plain = keys::create_from_form(&app.t.owner(), &app.t.form("plain", "read")).await.unwrap().key.unwrap();
    assert_eq!(app.post("/v1/verify", &[], &json!({"nonsense": 1})).await.code(), "UNAUTHORIZED");
    let answer = app.post("/v1/verify", &[("x-api-key", &plain)], &json!({"nonsense": 1})).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "INSUFFICIENT_PERMISSIONS"));
    assert_eq!(answer.json()["error"]["required_scope"], "keystead.keys:verify");
    assert_eq!(app.verify(&json!({"credential": "x", "surplus": 1})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.verify(&json!({"credential": 7})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let gateway = bearer(&app.t.first.gateway_key);
    let not_json = request("POST", "/v1/verify", &[("authorization", &gateway), ("content-type", "application/json")], "{");
    assert_eq!(app.send(not_json).await.code(), "BAD_REQUEST");
    let no_type = request("POST", "/v1/verify", &[("authorization", &gateway)], "{}");
    assert_eq!(app.send(no_type).await.code(), "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn a_batch_answers_in_order_and_has_a_limit() {
    let app = App::new(On::Sqlite).await;
    let gateway = bearer(&app.t.first.gateway_key);
    let ask = |n: usize| {
        let one = json!({"credential": app.t.first.api_key});
        json!({"requests": std::iter::once(json!({"credential": "junk"})).chain(std::iter::repeat_n(one, n - 1)).collect::<Vec<_>>()})
    };
    let answer = app.post("/v1/verify/batch", &[("authorization", &gateway)], &ask(100)).await.json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!((results.len(), &results[0]["code"], &results[99]["code"]), (100, &json!("MALFORMED"), &json!("VALID")));
    assert_eq!(app.post("/v1/verify/batch", &[("authorization", &gateway)], &ask(101)).await.code(), "VALIDATION_FAILED");
}

on_both! {
    async fn forward_auth_believes_only_a_gateway(on) {
        let app = App::new(on).await;
        let mut form = app.t.form("narrow", "users:read");
        form.allowed_ips = "198.51.100.7".into();
        let key = bearer(&keys::create_from_form(&app.t.owner(), &form).await.unwrap().key.unwrap());
        let gateway = app.t.first.gateway_key.clone();
        let ask = |gateway: &str, ip: &str, require: &str| {
            let headers = [("authorization", key.clone()), ("x-keystead-gateway", gateway.to_owned()), ("x-forwarded-for", ip.to_owned()),
                ("x-keystead-require", require.to_owned()), ("x-forwarded-method", "DELETE".into()), ("x-forwarded-uri", "/v2/users/7?x=1".into())];
            let app = &app;
            async move { app.get("/v1/forward-auth/some/path?scopes=admin", &headers.each_ref().map(|(n, v)| (*n, v.as_str()))).await }
        };
        let ok = ask(&gateway, "198.51.100.7", "scopes=users:read; environment=live").await;
        assert_eq!(ok.status, StatusCode::OK, "{}", ok.text);
        assert_eq!(ok.header("x-keystead-tenant"), app.t.first.tenant_id.to_string());
        assert_eq!((ok.header("x-keystead-scopes"), ok.header("x-keystead-kind"), ok.header("x-keystead-environment")), ("users:read", "api_key", "live"));
        for (gateway, ip, require, status, code) in [
            ("gk_wrong", "198.51.100.7", "", 403, "GATEWAY_UNAUTHORIZED"),
            ("", "198.51.100.7", "", 403, "GATEWAY_UNAUTHORIZED"),
            (&gateway, "198.51.100.8", "", 403, "IP_NOT_ALLOWED"),
            (&gateway, "198.51.100.7, 198.51.100.8", "", 403, "IP_NOT_ALLOWED"),
            (&gateway, "garbage", "", 403, "IP_NOT_ALLOWED"),
            (&gateway, "198.51.100.7", "scopes=users:write", 403, "INSUFFICIENT_PERMISSIONS"),
            (&gateway, "198.51.100.7", "environment=test", 403, "ENVIRONMENT_MISMATCH"),
            (&gateway, "198.51.100.7", "nonsense=1", 400, "BAD_REQUEST"),
        ] {
            let no = ask(gateway, ip, require).await;
            assert_eq!((no.status.as_u16(), no.code().as_str(), no.header("x-keystead-code")), (status, code, code), "{gateway} {ip} {require}");
        }
        let nginx = ask(&gateway, "198.51.100.7", "nonsense=1; nginx").await;
        assert_eq!((nginx.status.as_u16(), nginx.header("x-keystead-status"), nginx.header("x-keystead-code")), (403, "400", "BAD_REQUEST"));
        app.t.core.meter.stop().await;
        let logged = usage::list(&app.t.owner(), &UsageFilter::default(), Environment::Live, PageQuery::default()).await.unwrap().data;
        assert!(logged.iter().any(|e| e.method.as_deref() == Some("DELETE") && e.path.as_deref() == Some("/v2/users/7")), "{logged:#?}");
    }
}

#[tokio::test]
async fn forward_auth_refuses_a_request_without_a_credential() {
    let app = App::new(On::Sqlite).await;
    let answer = app.get("/v1/forward-auth?nginx=1", &[("x-keystead-gateway", &app.t.first.gateway_key)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-keystead-code")), (401, "UNAUTHORIZED"));
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
}

on_both! {
    async fn s38_what_a_request_sent_too_little_or_too_much_of_stands_in_the_log_as_such(on) {
        let app = App::new(on).await;
        let gateway = ("x-keystead-gateway", app.t.first.gateway_key.as_str());
        let two = [gateway, ("authorization", "Bearer a"), ("x-api-key", "b")];
        assert_eq!(app.get("/v1/forward-auth", &[gateway]).await.code(), "UNAUTHORIZED");
        assert_eq!(app.get("/v1/forward-auth", &two).await.code(), "CONFLICTING_CREDENTIALS");
        assert_eq!(app.post("/v1/verify", &two[1..], &json!({"credential": "x"})).await.code(), "CONFLICTING_CREDENTIALS");
        app.t.core.meter.stop().await;
        let logged = usage::list(&app.t.owner(), &UsageFilter::default(), Environment::Live, PageQuery::default()).await.unwrap().data;
        let told: Vec<_> = logged.iter().rev().map(|e| (e.source, e.code.as_str(), e.outcome, e.code.describe())).collect();
        let (denied, several) = (contract::Outcome::Denied, "Two different credentials were sent");
        assert_eq!(told, [
            (contract::UsageSource::ForwardAuth, "UNAUTHORIZED", denied, "No credential was sent"),
            (contract::UsageSource::ForwardAuth, "CONFLICTING_CREDENTIALS", denied, several),
            (contract::UsageSource::Api, "CONFLICTING_CREDENTIALS", denied, several),
        ]);
    }
}

on_both! {
    async fn s36_a_gateways_key_asks_and_nothing_is_decided_in_its_favour(on) {
        let app = App::new(on).await;
        let gateway = app.t.first.gateway_key.clone();
        let answer = app.verify(&json!({"credential": gateway})).await.json();
        assert_eq!((&answer["valid"], &answer["code"]), (&json!(false), &json!("INSUFFICIENT_SCOPE")));
        let through = app.get("/v1/forward-auth", &[("x-keystead-gateway", &gateway), ("authorization", &bearer(&gateway))]).await;
        assert_eq!((through.status, through.code().as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{}", through.text);
    }
}

/// A tenant beside the first: its id, and a key of its own with `admin`.
async fn second_tenant(app: &App) -> (String, String) {
    let key = app.t.other_tenant().await;
    let who = app.get("/v1/auth/test", &[("x-api-key", &key)]).await.json();
    (who["tenant_id"].as_str().unwrap().to_owned(), key)
}

on_both! {
    async fn s67_a_platform_key_acts_in_the_tenant_that_it_names_and_both_logs_say_so(on) {
        let app = App::new(on).await;
        let (other, theirs) = second_tenant(&app).await;
        let platform = [("x-api-key", app.t.first.api_key.as_str()), ("x-tenant-id", other.as_str()), ("content-type", "application/json")];
        assert_eq!(app.get("/v1/auth/test", &platform).await.json()["tenant_id"], json!(other));
        let made = app.send(request("POST", "/v1/api-keys", &platform, r#"{"name":"made for them","scopes":["read"]}"#)).await;
        assert_eq!((made.status, &made.json()["owner"]), (StatusCode::CREATED, &json!(null)), "its owner is no member there");
        let names = async |key: &str| {
            let list = app.get("/v1/api-keys", &[("x-api-key", key)]).await.json();
            list["data"].as_array().unwrap().iter().map(|k| k["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert!(names(&theirs).await.contains(&"made for them".to_owned()));
        assert!(!names(&app.t.first.api_key).await.contains(&"made for them".to_owned()));
        for key in [&app.t.first.api_key, &theirs] {
            let log = app.get("/v1/audit/events?action=tenant.entered", &[("x-api-key", key)]).await.json();
            let events = log["data"].as_array().unwrap();
            assert_eq!(events.len(), 2, "one for each request");
            assert_eq!((&events[0]["actor"]["name"], &events[0]["target"]["id"]), (&json!("bootstrap"), &json!(other)));
        }
        let nowhere = [platform[0], ("x-tenant-id", "ten_00000000000000000000000000000001")];
        assert_eq!(app.get("/v1/api-keys", &nowhere).await.code(), "NOT_FOUND");
        let two = [platform[0], platform[1], ("x-tenant-id", "ten_00000000000000000000000000000001")];
        assert_eq!(app.get("/v1/api-keys", &two).await.code(), "NOT_FOUND", "two tenants are none");
    }
}

on_both! {
    async fn s67_without_the_flag_no_scope_and_no_kind_of_key_leaves_its_tenant(on) {
        let app = App::new(on).await;
        let (other, _) = second_tenant(&app).await;
        let admin = ("x-api-key", app.t.first.api_key.as_str());
        for body in [
            json!({"name": "plain", "scopes": ["admin"]}),
            json!({"name": "tenant", "scopes": ["admin"], "kind": "tenant"}),
            json!({"name": "test", "scopes": ["admin"], "environment": "test"}),
        ] {
            let headers = [admin, ("content-type", "application/json")];
            let key = app.send(request("POST", "/v1/api-keys", &headers, &body.to_string())).await.json()["key"].as_str().unwrap().to_owned();
            for tenant in [other.as_str(), "ten_00000000000000000000000000000001", "?"] {
                let refused = app.get("/v1/auth/test", &[("x-api-key", &key), ("x-tenant-id", tenant)]).await;
                assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{body} {tenant}");
            }
            let home = app.t.first.tenant_id.to_string();
            assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &key), ("x-tenant-id", &home)]).await.status, StatusCode::OK);
        }
    }
}

on_both! {
    async fn s67_a_stream_stays_in_the_tenant_that_was_named(on) {
        let app = App::new(on).await;
        let (other, _) = second_tenant(&app).await;
        let key = domain::verify::check(&app.t.core, &app.t.first.api_key, None, &contract::Requirement::default(), None, true).unwrap();
        let ctx = app.t.as_who(domain::Who::Key(key.entry.unwrap()));
        let there = domain::tenants::act_in(&ctx, &other).await.unwrap();
        assert_eq!(domain::verify::refreshed(&there).unwrap().tenant_id().unwrap().to_string(), other);
        assert_eq!(domain::verify::refreshed(&ctx).unwrap().tenant_id(), Some(app.t.first.tenant_id));
    }
}

on_both! {
    async fn s67_behind_a_gateway_platform_keys_enter_other_tenants_and_the_rest_is_refused_and_logged(on) {
        let app = App::new(on).await;
        let (other, theirs) = second_tenant(&app).await;
        let (gateway, home) = (app.t.first.gateway_key.clone(), app.t.first.tenant_id.to_string());
        let ask = async |key: &str, tenant: &str| {
            app.get("/v1/forward-auth", &[("x-keystead-gateway", &gateway), ("x-api-key", key), ("x-tenant-id", tenant)]).await
        };
        let (own, entered) = (ask(&app.t.first.api_key, &home).await, ask(&app.t.first.api_key, &other).await);
        assert_eq!((own.status, own.header("x-keystead-tenant")), (StatusCode::OK, home.as_str()));
        assert_eq!((entered.status, entered.header("x-keystead-tenant")), (StatusCode::OK, other.as_str()));
        let log = app.get("/v1/audit/events?action=tenant.entered", &[("x-api-key", &theirs)]).await.json();
        assert_eq!(log["data"].as_array().unwrap().len(), 1);
        for (key, tenant) in [(&app.t.first.api_key, "ten_somebody_else"), (&theirs, home.as_str())] {
            let refused = ask(key, tenant).await;
            assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{tenant}");
        }
        app.t.core.meter.stop().await;
        let denied = UsageFilter { outcome: Some(contract::Outcome::Denied), ..UsageFilter::default() };
        let logged = usage::list(&app.t.owner(), &denied, Environment::Live, PageQuery::default()).await.unwrap().data;
        assert_eq!(logged.len(), 1, "in the log of the credential's own tenant");
    }
}

#[tokio::test]
async fn the_error_page_repeats_what_a_gateway_was_told_and_nothing_else() {
    let app = App::new(On::Sqlite).await;
    let missing = app.get("/v1/errors/INSUFFICIENT_PERMISSIONS?required_scope=users:read&retry_after=", &[]).await;
    assert_eq!((missing.status.as_u16(), missing.json()["error"]["required_scope"].as_str()), (403, Some("users:read")));
    let wait = app.get("/v1/errors/RATE_LIMITED?required_scope=&retry_after=60", &[]).await;
    assert_eq!((wait.status.as_u16(), &wait.json()["error"]["retry_after"], wait.header("retry-after")), (429, &json!(60), "60"));
    for junk in [
        "INSUFFICIENT_PERMISSIONS?required_scope=%3Cb%3E",
        "RATE_LIMITED?retry_after=soon",
        "UNAUTHORIZED?retry_after=9&required_scope=read",
    ] {
        let answer = app.get(&format!("/v1/errors/{junk}"), &[]).await;
        assert_eq!(answer.json()["error"].as_object().unwrap().len(), 2, "{junk}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), "");
    }
}

#[tokio::test]
async fn the_type_of_every_error_leads_to_a_page_about_it() {
    let app = App::new(On::Sqlite).await;
    let problem = app.get("/v1/auth/test", &[]).await.json();
    assert_eq!(problem["type"], "http://localhost/errors/unauthorized");
    for code in contract::ErrorCode::ALL {
        let problem = contract::Problem::new(*code).body("");
        let page = app.get(problem["type"].as_str().unwrap(), &[("accept", "text/html")]).await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"), "{code}");
        assert!(page.text.contains(&format!("<h1>{code}</h1>")) && page.text.contains(&code.status().to_string()), "{}", page.text);
        assert!(!code.advice().is_empty() && !page.text.contains("<script") && !page.text.contains(" style="), "{}", page.text);
    }
    let unknown = app.get("/errors/%3Cb%3E", &[]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(!unknown.text.contains("<b>"), "{}", unknown.text);
}

#[tokio::test]
async fn the_error_page_renders_every_code_with_its_status() {
    let app = App::new(On::Sqlite).await;
    for code in contract::ErrorCode::ALL {
        let answer = app.get(&format!("/v1/errors/{code}"), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (code.status(), code.to_string()));
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert_eq!(app.get("/v1/errors/EXPIRED", &[]).await.code(), "INVALID_API_KEY");
    assert_eq!(app.get("/v1/errors/nonsense", &[]).await.status, StatusCode::NOT_FOUND);
}

on_both! {
    async fn s80_health_reveals_nothing_without_a_credential(on) {
        let app = App::new(on).await;
        for path in ["/health", "/v1/health"] {
            let stranger = app.get(path, &[]).await.json();
            let mut members: Vec<_> = stranger.as_object().unwrap().keys().cloned().collect();
            members.sort();
            assert_eq!(members, ["authenticated", "service", "status", "timestamp"]);
            let known = app.get(path, &[("x-api-key", &app.t.first.api_key)]).await.json();
            assert_eq!((&known["authenticated"], &known["tenant_id"]), (&json!(true), &json!(app.t.first.tenant_id)));
            assert!(known["user"]["plan"].is_string() && known["version"].is_string());
            assert_eq!(app.get(path, &[("x-api-key", "bad")]).await.status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(app.get("/livez", &[]).await.status, StatusCode::OK);
        assert_eq!(app.get("/readyz", &[]).await.status, StatusCode::OK);
        app.t.core.db.close().await;
        assert_eq!(app.get("/readyz", &[]).await.code(), "UNAVAILABLE");
        assert_eq!(app.get("/livez", &[]).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn errors_have_the_flat_form_where_it_is_set() {
    let app = App::with(On::Sqlite, Setup { flat: true, ..Setup::default() }).await;
    let answer = app.get("/v1/auth/test", &[("x-api-key", "bad"), ("x-request-id", "req_mine")]).await;
    assert_eq!(answer.json(), json!({"error": "unauthorized", "message": "Invalid or expired API key", "request_id": "req_mine"}));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let app = App::new(On::Sqlite).await;
    for (method, path, code) in [
        ("GET", "/v1/nothing", "NOT_FOUND"),
        ("DELETE", "/v1/auth/test", "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/verify", "METHOD_NOT_ALLOWED"),
    ] {
        let answer = app.send(request(method, path, &[], "")).await;
        assert_eq!(answer.code(), code, "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn s73_a_body_over_the_limit_is_refused() {
    let app = App::new(On::Sqlite).await;
    let answer = app.verify(&json!({"credential": "x".repeat(300_000)})).await;
    assert_eq!(answer.code(), "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn s73_a_page_is_never_longer_than_the_longest() {
    let app = App::new(On::Sqlite).await;
    app.t.fill_keys(250).await;
    let auth = [("x-api-key", app.t.first.api_key.as_str())];
    for limit in ["200", "201", "60000"] {
        let page = app.get(&format!("/v1/api-keys?limit={limit}"), &auth).await;
        assert_eq!((page.status, page.json()["data"].as_array().map(Vec::len)), (StatusCode::OK, Some(200)), "{limit}");
    }
    assert_eq!(app.get("/v1/api-keys?limit=9999999", &auth).await.code(), "VALIDATION_FAILED");
}

#[tokio::test]
async fn s73_a_client_that_does_not_finish_its_headers_is_cut_off() {
    let app = App::new(On::Sqlite).await;
    let router = http::router(AppState::new(app.t.core.clone(), &[], false, ErrorFormat::Standard));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen::answer(listener, router, Duration::from_millis(300), std::future::pending()));
    let ask = async |text: &str| {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(text.as_bytes()).await.unwrap();
        let (mut answer, began) = (String::new(), Instant::now());
        tokio::time::timeout(Duration::from_secs(20), client.read_to_string(&mut answer)).await.expect("an end").unwrap();
        (answer, began.elapsed())
    };
    let (answer, _) = ask("GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (answer, took) = ask("GET /livez HTTP/1.1\r\nhost: local").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(took >= Duration::from_millis(250), "{took:?}");
}

#[tokio::test]
async fn s73_a_client_that_stops_sending_is_cut_off_after_the_time_of_a_request() {
    let app = App::new(On::Sqlite).await;
    let started = futures::stream::once(async { Ok::<_, std::io::Error>("{\"credential\":") });
    let stuck = Body::from_stream(futures::StreamExt::chain(started, futures::stream::pending()));
    let headers = [("x-api-key", app.t.first.gateway_key.as_str()), ("content-type", "application/json")];
    let (parts, _) = request("POST", "/v1/verify", &headers, "").into_parts();
    // From here on time passes as soon as everybody waits for it.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let cut = app.send(Request::from_parts(parts, stuck)).await;
    assert_eq!((cut.status.as_u16(), cut.code().as_str()), (408, "TIMEOUT"), "{}", cut.text);
    assert!((25..=31).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

on_both! {
    async fn s71_a_key_is_admitted_exactly_to_its_limit_and_every_header_family_says_so(on) {
        let app = App::new(on).await;
        let key = ("x-api-key", app.t.first.api_key.as_str());
        let asks = (0..150).map(|_| app.get("/v1/auth/test", std::slice::from_ref(&key)));
        let answers = futures::future::join_all(asks).await;
        let passed = answers.iter().filter(|a| a.status == StatusCode::OK).count();
        assert_eq!(passed, 100, "the second's limit, exactly");
        let first = &answers[0];
        assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), ("10000", "9999"));
        let refused = answers.iter().find(|a| a.status == StatusCode::TOO_MANY_REQUESTS).unwrap();
        assert_eq!(refused.code(), "RATE_LIMIT_EXCEEDED");
        let after = refused.header("retry-after");
        assert_eq!(refused.json()["error"]["retry_after"].to_string(), after);
        assert_eq!((refused.header("x-ratelimit-limit"), refused.header("x-ratelimit-remaining")), ("100", "0"));
        assert_eq!(refused.header("ratelimit"), format!("\"second\";r=0;t={after}"));
        assert_eq!(refused.header("ratelimit-policy"), "\"hour\";q=10000;w=3600, \"second\";q=100;w=1");
        app.t.clock.advance(Duration::from_secs(after.parse().unwrap()));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        assert_eq!(app.get("/v1/auth/test", &[key]).await.status, StatusCode::OK);
        app.t.core.meter.stop().await;
        let logged = usage::list(&app.t.owner(), &UsageFilter::default(), Environment::Live, PageQuery { limit: 200, cursor: None }).await.unwrap();
        assert_eq!(logged.data.iter().filter(|e| e.code == contract::Code::RateLimited).count(), 50);
    }
}

on_both! {
    async fn s71_decisions_charge_the_decided_key_and_only_what_passed_everything_else(on) {
        let app = App::new(on).await;
        let ask = |scope: &'static str, cost: u32| {
            let body = json!({"credential": app.t.first.api_key, "scopes": [scope], "cost": cost});
            async { app.verify(&{ body }).await.json() }
        };
        assert_eq!(ask("users:read", 60).await["rate_limit"]["remaining"], 9_940);
        assert_eq!(ask("users:read", 0).await["rate_limit"]["remaining"], 9_940, "a cost of nothing consumes nothing");
        let over = ask("users:read", 41).await;
        assert_eq!((&over["valid"], &over["code"], &over["rate_limit"]["limit"]), (&json!(false), &json!("RATE_LIMITED"), &json!(100)));
        assert_eq!(over["credential_id"].as_str().map(|s| s.starts_with("key_")), Some(true), "a limited key is still named");
        assert_eq!(ask("users:read", 40).await["code"], "VALID", "what was refused cost nothing");
        let gateway = app.t.first.gateway_key.clone();
        let headers = [("x-keystead-gateway", gateway.as_str()), ("x-api-key", app.t.first.api_key.as_str())];
        let refused = app.get("/v1/forward-auth", &headers).await;
        assert_eq!((refused.status.as_u16(), refused.header("x-keystead-code")), (429, "RATE_LIMIT_EXCEEDED"));
        let nginx = app.get("/v1/forward-auth?nginx=1", &headers).await;
        assert_eq!((nginx.status.as_u16(), nginx.header("x-keystead-status")), (403, "429"));
        assert!(!nginx.header("retry-after").is_empty());
    }
}

#[tokio::test]
async fn s71_strangers_share_a_limit_by_address() {
    let app = App::new(On::Sqlite).await;
    for _ in 0..5 {
        assert_eq!(app.get("/v1/auth/test", &[]).await.code(), "UNAUTHORIZED");
    }
    assert_eq!(app.get("/v1/auth/test", &[]).await.code(), "RATE_LIMIT_EXCEEDED");
    assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &app.t.first.api_key)]).await.status, StatusCode::OK);
    assert_eq!(app.get("/v1/health", &[]).await.status, StatusCode::OK, "health is exempt");
}

on_both! {
    async fn s66_keys_over_the_api_are_those_of_the_callers_tenant(on) {
        let app = App::new(on).await;
        let bearer = format!("Bearer {}", app.t.first.api_key);
        let auth = [("authorization", bearer.as_str())];
        let list = app.get("/v1/api-keys?limit=1", &auth).await.json();
        assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
        let next = list["next_cursor"].as_str().unwrap();
        let rest = app.get(&format!("/api-keys?cursor={next}"), &auth).await.json();
        assert_eq!((rest["data"].as_array().map(Vec::len), &rest["next_cursor"]), (Some(1), &serde_json::Value::Null));
        let id = list["data"][0]["id"].as_str().unwrap();
        assert_eq!(app.get(&format!("/v1/api-keys/{id}"), &auth).await.json()["id"], id);
        for foreign in ["key_00000000000000000000000000000001", "ten_1", "%00"] {
            for method in ["GET", "DELETE"] {
                let answer = app.send(request(method, &format!("/v1/api-keys/{foreign}"), &auth, "{\"nonsense\":1}")).await;
                assert_eq!(answer.code(), "NOT_FOUND", "{method} {foreign}");
            }
        }
        assert_eq!(app.get("/v1/api-keys?state=gone", &auth).await.json()["error"]["fields"][0]["field"], "state");
        let gateway = app.get("/v1/api-keys", &[("x-api-key", &app.t.first.gateway_key)]).await;
        assert_eq!((gateway.status, &gateway.json()["error"]["required_scope"]), (StatusCode::FORBIDDEN, &json!("keystead.keys:read")));
        let unknown = app.send(request("DELETE", &format!("/v1/api-keys/{id}"), &[auth[0], ("content-type", "application/json")], "{\"why\":1}")).await;
        assert_eq!((unknown.status.as_u16(), &unknown.json()["error"]["fields"][0]["field"]), (422, &json!("why")));
        let gone = app.send(request("DELETE", &format!("/v1/api-keys/{id}"), &auth, "")).await;
        assert_eq!((gone.status, &gone.json()["state"]), (StatusCode::OK, &json!("revoked")));
    }
}

#[tokio::test]
async fn s73_credentials_that_nobody_has_are_counted_by_their_sender_and_not_logged_without_end() {
    let app = App::new(On::Sqlite).await;
    let mut codes = Vec::new();
    for n in 0..25 {
        codes.push(app.get(["/v1/auth/test", "/health"][n % 2], &[("x-api-key", "junk")]).await.code());
    }
    assert_eq!(codes.iter().filter(|c| *c == "INVALID_API_KEY").count(), 20);
    let refused = app.get("/health", &[("x-api-key", "junk")]).await;
    assert_eq!(refused.code(), "RATE_LIMIT_EXCEEDED");
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(
        app.get("/v1/auth/test", &[("x-api-key", &app.t.first.api_key)]).await.status,
        StatusCode::OK,
        "a known key is not held back"
    );
    app.t.core.meter.stop().await;
    assert_eq!(usage::count_unscoped(&app.t.core.db).await.unwrap(), 21, "20 refusals and one success");
}

on_both! {
    async fn s36_a_test_key_that_decides_knows_nothing_that_is_live(on) {
        let app = App::new(on).await;
        let auth = [("x-api-key", app.t.first.api_key.as_str())];
        let make = |environment: &str| json!({"name": environment, "scopes": ["keystead.keys:verify"], "environment": environment});
        let decider = app.post("/v1/api-keys", &auth, &make("test")).await.json();
        let tested = app.post("/v1/api-keys", &auth, &make("test")).await.json();
        let decider = [("x-api-key", decider["key"].as_str().unwrap())];
        let live = app.post("/v1/verify", &decider, &json!({"credential": app.t.first.api_key, "environment": "live"})).await.json();
        assert_eq!((&live["code"], &live["tenant_id"]), (&json!("NOT_FOUND"), &serde_json::Value::Null));
        let test = app.post("/v1/verify", &decider, &json!({"credential": tested["key"], "environment": "test"})).await.json();
        assert_eq!(test["code"], "VALID", "{test}");
    }
}
