//! `/v1/api-keys`, `/v1/scopes` and `/v1/auth/ip-allowlist` over HTTP.

use crate::harness::{Answer, App, on_both, request};
use axum::http::StatusCode;
use contract::Environment;
use domain::{Who, keys, tenants, testing::On};
use serde_json::{Value, json};

/// Sends JSON with a key; the clock moves on so that no limit is met.
async fn call(app: &App, key: &str, method: &str, path: &str, body: &Value) -> Answer {
    app.t.clock.advance(std::time::Duration::from_secs(1));
    app.t.core.cache.sync(&app.t.core).await.unwrap();
    let text = if body.is_null() { String::new() } else { body.to_string() };
    app.send(request(method, path, &[("x-api-key", key), ("content-type", "application/json")], &text)).await
}

async fn create(app: &App, body: Value) -> (String, String) {
    let made = call(app, &app.t.first.api_key, "POST", "/v1/api-keys", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

async fn works(app: &App, key: &str) -> bool {
    app.t.clock.advance(std::time::Duration::from_secs(1));
    app.t.core.cache.sync(&app.t.core).await.unwrap();
    app.get("/v1/auth/test", &[("x-api-key", key)]).await.status == StatusCode::OK
}

on_both! {
    async fn a_key_lives_its_whole_life_over_the_api(on) {
        let app = App::new(on).await;
        let admin = app.t.first.api_key.clone();
        let body = json!({"name": "jobs", "scopes": ["read:users"], "environment": "live", "kind": "secret", "expires_in_days": 30,
            "allowed_ips": ["203.0.113.0/24"], "rate_limit": {"per_hour": 600, "per_second": 5}, "metadata": {"team": "core"}, "owner": "owner@acme.test"});
        let made = call(&app, &admin, "POST", "/api-keys", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = made.json();
        let (id, secret) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
        let at = |end: &str| format!("/v1/api-keys/{id}{end}");
        let read = call(&app, &admin, "GET", &at(""), &Value::Null).await.json();
        let mut members: Vec<&str> = read.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["allowed_ips", "created_at", "created_by", "environment", "expires_at", "id", "kind", "last_four", "last_used_at",
            "metadata", "name", "not_before", "owner", "platform", "prefix", "rate_limit", "revoked_at", "scopes", "state"]);
        assert_eq!((&read["state"], &read["owner"], &read["rate_limit"]), (&json!("active"), &json!("owner@acme.test"), &json!({"per_hour": 600, "per_second": 5})));
        assert!(works(&app, secret).await);
        let listed = call(&app, &admin, "GET", "/v1/api-keys?q=jobs&state=active&environment=live&owner=owner@acme.test&scope=users:read&sort=expires&limit=1", &Value::Null).await.json();
        assert_eq!((&listed["data"][0]["id"], &listed["next_cursor"]), (&json!(id), &Value::Null));
        let changed = call(&app, &admin, "PATCH", &at(""), &json!({"name": "exports", "allowed_ips": null, "expires_at": null})).await;
        assert_eq!((changed.status, &changed.json()["name"], &changed.json()["allowed_ips"]), (StatusCode::OK, &json!("exports"), &json!([])));
        assert_eq!(call(&app, &admin, "POST", &at("/disable"), &json!({})).await.json()["state"], "disabled");
        assert!(!works(&app, secret).await);
        assert_eq!(call(&app, &admin, "POST", &at("/disable"), &json!({})).await.code(), "CONFLICT");
        assert_eq!(call(&app, &admin, "POST", &at("/enable"), &json!({})).await.json()["state"], "active");
        let rotated = call(&app, &admin, "POST", &at("/rotate"), &json!({"grace_seconds": 3600})).await;
        assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.text);
        let new = rotated.json()["key"].as_str().unwrap().to_owned();
        assert!(works(&app, secret).await && works(&app, &new).await);
        assert_eq!(call(&app, &admin, "POST", &at("/retire"), &json!({})).await.status, StatusCode::OK);
        assert!(!works(&app, secret).await && works(&app, &new).await);
        assert_eq!(call(&app, &admin, "POST", &at("/revoke"), &json!({"reason": "done"})).await.json()["state"], "revoked");
        assert!(!works(&app, &new).await);
        assert_eq!(call(&app, &admin, "DELETE", &at(""), &Value::Null).await.code(), "CONFLICT");
        let listed = call(&app, &admin, "GET", "/v1/api-keys?limit=200", &Value::Null).await.text;
        assert!(!listed.contains(secret) && !listed.contains(&new) && !listed.contains("\"key\""), "secrets are answered once");
    }
}

on_both! {
    async fn wrong_members_are_named_as_they_are_sent(on) {
        let app = App::new(on).await;
        let admin = app.t.first.api_key.clone();
        let (id, _) = create(&app, json!({"name": "k", "scopes": ["read"]})).await;
        let fields = |a: &Answer| a.json()["error"]["fields"].as_array().map(|f| f.iter().map(|f| f["field"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>());
        let mut ask = Vec::new();
        for (body, field) in [
            (json!({}), "name"),
            (json!({"name": 5, "scopes": ["read"]}), "name"),
            (json!({"name": "k", "scopes": "read"}), "scopes"),
            (json!({"name": "k", "scopes": ["read", 5]}), "scopes[1]"),
            (json!({"name": "k", "scopes": ["nothing:known:here"]}), "scopes"),
            (json!({"name": "k", "scopes": ["frobnicate"]}), "scopes"),
            (json!({"name": "k", "scopes": ["read"], "allowed_ips": ["203.0.113.9/24"]}), "allowed_ips"),
            (json!({"name": "k", "scopes": ["read"], "rate_limit": {"per_hour": 0, "per_second": 1}}), "rate_limit.per_hour"),
            (json!({"name": "k", "scopes": ["read"], "rate_limit": {"per_hour": 1}}), "rate_limit.per_second"),
            (json!({"name": "k", "scopes": ["read"], "owner": "nobody@acme.test"}), "owner"),
            (json!({"name": "k", "scopes": ["read"], "metadata": "x"}), "metadata"),
            (json!({"name": "k", "scopes": ["read"], "state": "active"}), "state"),
            (json!({"name": "k", "scopes": ["admin"], "kind": "restricted"}), "scopes"),
            (json!({"name": "k", "scopes": ["read"], "not_before": "soon"}), "not_before"),
        ] {
            ask.push(("POST", "/v1/api-keys".to_owned(), body, field));
        }
        ask.push(("PATCH", format!("/v1/api-keys/{id}"), json!({"kind": "gateway"}), "kind"));
        ask.push(("PATCH", format!("/v1/api-keys/{id}"), json!({"scopes": null}), "scopes"));
        ask.push(("POST", format!("/v1/api-keys/{id}/rotate"), json!({"grace_seconds": 604_801}), "grace_seconds"));
        ask.push(("POST", format!("/v1/api-keys/{id}/disable"), json!({"x": 1}), "x"));
        ask.push(("POST", "/v1/api-keys/bulk-revoke".to_owned(), json!({"ids": []}), "ids"));
        ask.push(("POST", "/v1/api-keys/import".to_owned(), json!({"name": "k", "scopes": ["read"], "prefix": "x_", "last_four": "1234"}), "digest"));
        ask.push(("POST", "/v1/scopes".to_owned(), json!({"name": "A B"}), "name"));
        ask.push(("PUT", "/v1/auth/ip-allowlist".to_owned(), json!({"allowed_ips": ["1.2.3.4/8"]}), "allowed_ips"));
        ask.push(("GET", "/v1/api-keys?sort=colour".to_owned(), Value::Null, "sort"));
        ask.push(("GET", "/v1/api-keys?cursor=x".to_owned(), Value::Null, "cursor"));
        for (method, path, body, field) in ask {
            let refused = call(&app, &admin, method, &path, &body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {path} {body}: {}", refused.text);
            assert_eq!(fields(&refused).and_then(|f| f.into_iter().next()).as_deref(), Some(field), "{method} {path} {body}: {}", refused.text);
        }
        let corrected = call(&app, &admin, "POST", "/v1/api-keys", &json!({"name": "k", "scopes": ["read"], "allowed_ips": ["198.51.100.7/24"]})).await;
        assert!(corrected.text.contains("Did you mean 198.51.100.0/24?"), "s42: {}", corrected.text);
    }
}

/// Every route of this file's nouns, and the least scope that opens it.
fn routes(id: &str) -> Vec<(&'static str, String, Value, &'static str)> {
    let key = |end: &str| format!("/v1/api-keys/{id}{end}");
    vec![
        ("GET", "/v1/api-keys".into(), Value::Null, "keystead.keys:read"),
        ("POST", "/v1/api-keys".into(), json!({"name": "m", "scopes": ["thing:read"]}), "keystead.keys:write"),
        ("POST", "/v1/api-keys/import".into(), json!({"name": "m"}), "keystead.settings:write"),
        ("POST", "/v1/api-keys/bulk-revoke".into(), json!({"ids": [id]}), "keystead.keys:revoke"),
        ("GET", key(""), Value::Null, "keystead.keys:read"),
        ("PATCH", key(""), json!({"name": "renamed"}), "keystead.keys:write"),
        ("POST", key("/disable"), json!({}), "keystead.keys:write"),
        ("POST", key("/enable"), json!({}), "keystead.keys:write"),
        ("POST", key("/rotate"), json!({}), "keystead.keys:write"),
        ("POST", key("/retire"), json!({}), "keystead.keys:write"),
        ("POST", key("/revoke"), json!({}), "keystead.keys:revoke"),
        ("DELETE", key(""), Value::Null, "keystead.keys:revoke"),
        ("GET", "/v1/scopes".into(), Value::Null, "keystead.settings:read"),
        ("POST", "/v1/scopes".into(), json!({"name": "fresh:read"}), "keystead.settings:write"),
        ("GET", "/v1/scopes/thing:read".into(), Value::Null, "keystead.settings:read"),
        ("PATCH", "/v1/scopes/thing:read".into(), json!({"description": "d"}), "keystead.settings:write"),
        ("DELETE", "/v1/scopes/thing:read".into(), Value::Null, "keystead.settings:write"),
        ("GET", "/v1/auth/ip-allowlist".into(), Value::Null, "keystead.settings:read"),
        ("PUT", "/v1/auth/ip-allowlist".into(), json!({"allowed_ips": []}), "keystead.policies:write"),
        ("POST", "/v1/auth/ip-allowlist".into(), json!({"allowed_ips": []}), "keystead.policies:write"),
    ]
}

on_both! {
    async fn s36_each_route_opens_to_its_scope_and_to_no_other_whatever_the_kind(on) {
        let app = App::new(on).await;
        let (id, _) = create(&app, json!({"name": "target", "scopes": ["thing:read"]})).await;
        let mut held: Vec<&str> = contract::Perm::ALL.iter().map(|p| p.as_str()).collect();
        held.extend(["read", "write", "delete", "thing:read"]);
        let mut callers = Vec::new();
        for scope in &held {
            for kind in ["secret", "restricted", "tenant"] {
                callers.push((*scope, kind, create(&app, json!({"name": "caller", "kind": kind, "scopes": [scope]})).await.1));
            }
        }
        callers.push(("keystead.keys:verify", "gateway", app.t.first.gateway_key.clone()));
        let includes = |held: &str, wanted: &str| {
            held == wanted
                || (held == "keystead.keys:write" && wanted == "keystead.keys:revoke")
                || (held == "keystead.settings:write" && wanted == "keystead.policies:write")
                // Who makes keys sees what they may hold.
                || (held == "keystead.keys:read" && wanted == "list of scopes")
        };
        for (method, path, body, scope) in routes(&id) {
            assert_eq!(app.send(request(method, &path, &[], "")).await.code(), "UNAUTHORIZED", "{method} {path}");
            app.t.clock.advance(std::time::Duration::from_secs(3_600));
            let wanted = if (method, path.as_str()) == ("GET", "/v1/scopes") { "list of scopes" } else { scope };
            for (holds, kind, key) in &callers {
                let answer = call(&app, key, method, &path, &body).await;
                let open = includes(holds, scope) || includes(holds, wanted);
                let refused = answer.status == StatusCode::FORBIDDEN && answer.json()["error"]["required_scope"] == scope;
                assert_eq!(refused, !open, "{method} {path} by a {kind} key with {holds}: {}", answer.text);
                assert!(answer.status.as_u16() < 500, "{}", answer.text);
            }
        }
    }
}

on_both! {
    async fn s36_a_test_key_sees_test_keys_only_and_nothing_of_the_tenant(on) {
        let app = App::new(on).await;
        let (live, _) = create(&app, json!({"name": "live", "scopes": ["thing:read"]})).await;
        let (own, test) = create(&app, json!({"name": "test", "scopes": ["admin"], "environment": "test"})).await;
        for (method, path, body, _) in routes(&live) {
            let answer = call(&app, &test, method, &path, &body).await;
            if path.contains(&live) || path.ends_with("bulk-revoke") {
                assert_eq!(answer.code(), "NOT_FOUND", "{method} {path}: {}", answer.text);
            } else if path.starts_with("/v1/scopes") || path.starts_with("/v1/auth/") {
                assert_eq!(answer.code(), "ENVIRONMENT_MISMATCH", "{method} {path}: {}", answer.text);
            }
        }
        let listed = call(&app, &test, "GET", "/v1/api-keys", &Value::Null).await.json();
        assert!(listed["data"].as_array().unwrap().iter().all(|k| k["environment"] == "test"));
        let made = call(&app, &test, "POST", "/v1/api-keys", &json!({"name": "x", "scopes": ["read"]})).await.json();
        assert!(made["key"].as_str().unwrap().starts_with("sk_test_"));
        let live = call(&app, &test, "POST", "/v1/api-keys", &json!({"name": "x", "scopes": ["read"], "environment": "live"})).await;
        assert_eq!((live.status, live.code().as_str()), (StatusCode::FORBIDDEN, "ENVIRONMENT_MISMATCH"));
        assert_eq!(call(&app, &test, "GET", &format!("/v1/api-keys/{own}"), &Value::Null).await.status, StatusCode::OK);
    }
}

on_both! {
    async fn s66_every_route_with_a_foreign_id_is_404_before_its_body_is_judged(on) {
        let app = App::new(on).await;
        let (id, secret) = create(&app, json!({"name": "mine", "scopes": ["thing:read"]})).await;
        let line = app.t.as_who(Who::CommandLine(app.t.first.tenant_id));
        let other = tenants::create(&line, &contract::TenantName::parse("Other").unwrap(), None).await.unwrap();
        let there = app.t.as_who(Who::CommandLine(other.id));
        let body = serde_json::from_value(json!({"name": "stranger", "scopes": ["admin"]})).unwrap();
        let stranger = keys::create_from_body(&there, &body).await.unwrap().key.unwrap();
        let before = call(&app, &app.t.first.api_key, "GET", &format!("/v1/api-keys/{id}"), &Value::Null).await.json();
        for (method, path, _, _) in routes(&id).into_iter().filter(|r| r.1.contains(&id) || r.1.contains("thing:read")) {
            for body in [Value::Null, json!({"nonsense": true}), json!([1])] {
                let answer = call(&app, &stranger, method, &path, &body).await;
                assert_eq!(answer.code(), "NOT_FOUND", "{method} {path} {body}: {}", answer.text);
            }
        }
        let bulk = call(&app, &stranger, "POST", "/v1/api-keys/bulk-revoke", &json!({"ids": [id], "reason": "x"})).await;
        assert_eq!(bulk.code(), "NOT_FOUND");
        for bad in ["x", "ten_00000000000000000000000000000001", "%00", "key_%F0%9F%92%A9"] {
            assert_eq!(call(&app, &stranger, "POST", &format!("/v1/api-keys/{bad}/rotate"), &json!({})).await.code(), "NOT_FOUND", "{bad}");
        }
        let listed = call(&app, &stranger, "GET", &format!("/v1/api-keys?q={id}"), &Value::Null).await.json();
        assert_eq!(listed["data"], json!([]));
        let now = call(&app, &app.t.first.api_key, "GET", &format!("/v1/api-keys/{id}"), &Value::Null).await.json();
        assert_eq!(now, before, "untouched");
        assert!(works(&app, &secret).await);
    }
}

on_both! {
    async fn s35_over_the_api_a_key_makes_none_beyond_itself(on) {
        let app = App::new(on).await;
        let (own, maker) = create(&app, json!({"name": "maker", "kind": "restricted", "scopes": ["thing:read", "keystead.keys:write"]})).await;
        let (admin, _) = create(&app, json!({"name": "admin", "scopes": ["admin"]})).await;
        for (method, path, body, scope) in [
            ("POST", "/v1/api-keys".to_owned(), json!({"name": "x", "scopes": ["admin"]}), "admin"),
            ("POST", "/v1/api-keys".to_owned(), json!({"name": "x", "scopes": ["thing:write"]}), "thing:write"),
            ("POST", "/v1/api-keys".to_owned(), json!({"name": "x", "kind": "gateway", "scopes": ["keystead.keys:verify"]}), "keystead.keys:verify"),
            ("PATCH", format!("/v1/api-keys/{own}"), json!({"scopes": ["thing:admin"]}), "thing:admin"),
            ("PATCH", format!("/v1/api-keys/{admin}"), json!({"allowed_ips": []}), ""),
            ("PATCH", format!("/v1/api-keys/{admin}"), json!({"metadata": {"x": 1}}), "admin"),
            ("POST", format!("/v1/api-keys/{admin}/rotate"), json!({}), "admin"),
        ] {
            let answer = call(&app, &maker, method, &path, &body).await;
            if scope.is_empty() {
                assert_eq!(answer.status, StatusCode::OK, "nothing changes: {}", answer.text);
                continue;
            }
            assert_eq!((answer.status, &answer.json()["error"]["required_scope"]), (StatusCode::FORBIDDEN, &json!(scope)), "{method} {path} {body}: {}", answer.text);
        }
        let platform = call(&app, &maker, "POST", "/v1/api-keys", &json!({"name": "x", "scopes": ["thing:read"], "platform": true})).await;
        assert_eq!(platform.code(), "FORBIDDEN");
        let fine = call(&app, &maker, "POST", "/v1/api-keys", &json!({"name": "x", "scopes": ["read:thing"]})).await;
        assert_eq!((fine.status, &fine.json()["scopes"]), (StatusCode::CREATED, &json!(["thing:read"])));
    }
}

on_both! {
    async fn an_allowlist_that_shuts_out_its_author_is_taken_with_a_warning(on) {
        let app = App::new(on).await;
        let admin = app.t.first.api_key.clone();
        assert_eq!(call(&app, &admin, "GET", "/v1/auth/ip-allowlist", &Value::Null).await.json(), json!({"allowed_ips": [], "warnings": []}));
        let kept = call(&app, &admin, "PUT", "/v1/auth/ip-allowlist", &json!({"allowed_ips": ["203.0.113.0/24"]})).await;
        assert_eq!((kept.status, kept.json()), (StatusCode::OK, json!({"allowed_ips": ["203.0.113.0/24"], "warnings": []})));
        let (_, test) = create(&app, json!({"name": "t", "scopes": ["read"], "environment": "test"})).await;
        let out = call(&app, &admin, "POST", "/v1/auth/ip-allowlist", &json!({"allowed_ips": ["198.51.100.7"]})).await;
        assert_eq!((out.status, out.json()["warnings"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)));
        assert_eq!(call(&app, &admin, "GET", "/v1/auth/ip-allowlist", &Value::Null).await.code(), "IP_NOT_ALLOWED");
        assert!(works(&app, &test).await, "test keys are not bound by it");
        tenants::set_allowlist(&app.t.as_who(Who::CommandLine(app.t.first.tenant_id)), &contract::AllowlistBody { allowed_ips: vec![] }).await.unwrap();
        assert!(works(&app, &admin).await);
    }
}

on_both! {
    async fn the_catalogue_over_the_api(on) {
        let app = App::new(on).await;
        let admin = app.t.first.api_key.clone();
        let made = call(&app, &admin, "POST", "/v1/scopes", &json!({"name": "run", "description": "Runs things"})).await;
        assert_eq!((made.status, made.json()), (StatusCode::CREATED, json!({"name": "run", "description": "Runs things"})));
        assert_eq!(call(&app, &admin, "POST", "/v1/scopes", &json!({"name": "run", "description": ""})).await.code(), "CONFLICT");
        let (_, key) = create(&app, json!({"name": "k", "scopes": ["run:exports"]})).await;
        let decided = app.verify(&json!({"credential": key, "scopes": ["exports:run"]})).await.json();
        assert_eq!((&decided["code"], &decided["scopes"]), (&json!("VALID"), &json!(["run:exports"])));
        let described = call(&app, &admin, "PATCH", "/v1/scopes/exports:run", &json!({"description": "Runs exports"})).await.json();
        assert_eq!(described, json!({"name": "run:exports", "description": "Runs exports"}));
        assert_eq!(call(&app, &admin, "DELETE", "/v1/scopes/run:exports", &Value::Null).await.code(), "CONFLICT");
        assert_eq!(call(&app, &admin, "DELETE", "/v1/scopes/delete", &Value::Null).await.status, StatusCode::OK);
        let first = call(&app, &admin, "GET", "/v1/scopes?limit=2", &Value::Null).await.json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = call(&app, &admin, "GET", &format!("/v1/scopes?cursor={cursor}"), &Value::Null).await.json();
        let names: Vec<&str> = [&first, &rest].iter().flat_map(|p| p["data"].as_array().unwrap()).map(|d| d["name"].as_str().unwrap()).collect();
        assert_eq!((names, &rest["next_cursor"]), (vec!["admin", "read", "run", "run:exports", "write"], &Value::Null));
    }
}

on_both! {
    async fn a_key_of_another_system_is_imported_and_decided(on) {
        let app = App::new(on).await;
        let foreign = "old_5f4dcc3b5aa765d61d8327deb882cf99";
        assert_eq!(app.verify(&json!({"credential": foreign})).await.json()["code"], "MALFORMED");
        // SHA-256 of the key above.
        let digest = "0193f44942fd22cc7545b6802ad0bd42c356fe4e077119fa151323ee7c204a52";
        let body = json!({"name": "old", "scopes": ["thing:read"], "digest": digest, "prefix": "old_5f4d", "last_four": "cf99"});
        let made = call(&app, &app.t.first.api_key, "POST", "/v1/api-keys/import", &body).await;
        assert_eq!((made.status, made.json().get("key")), (StatusCode::CREATED, None), "{}", made.text);
        let decided = app.verify(&json!({"credential": foreign, "scopes": ["thing:read"]})).await.json();
        assert_eq!((&decided["code"], &decided["credential_id"]), (&json!("VALID"), &made.json()["id"]));
        assert_eq!(call(&app, &app.t.first.api_key, "POST", "/v1/api-keys/import", &body).await.code(), "CONFLICT");
    }
}

#[tokio::test]
async fn in_a_sandbox_only_test_keys_exist() {
    let sandbox = domain::testing::TestInstallation::with(On::Sqlite, Environment::Test).await;
    let body = serde_json::from_value(json!({"name": "k", "scopes": ["read"]})).unwrap();
    assert!(keys::create_from_body(&sandbox.owner(), &body).await.unwrap().key.unwrap().starts_with("sk_test_"));
    let live = serde_json::from_value(json!({"name": "k", "scopes": ["read"], "environment": "live"})).unwrap();
    assert!(keys::create_from_body(&sandbox.owner(), &live).await.is_err());
    let admin = sandbox.with_key(&sandbox.first.api_key);
    assert!(domain::scopes::list(&admin, 10, None).await.is_ok(), "there a test key is at home");
}
