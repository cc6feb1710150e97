//! Which scripts of other origins may read what the API answers (s30).

use crate::harness::{Answer, App, on_both, request};
use axum::http::StatusCode;
use domain::{
    tenants,
    testing::{PASSWORD, TestInstallation},
};
use serde_json::{Value, json};

const OURS: &str = "https://app.acme.test";
const THEIRS: &str = "https://app.other.test";

/// The first tenant lists one origin, another tenant another; the other one's key.
async fn two_lists(t: &TestInstallation) -> String {
    let key = t.other_tenant().await;
    for (ctx, origin) in [(t.owner(), OURS), (t.with_key(&key), THEIRS)] {
        list(&ctx, json!([origin])).await;
    }
    key
}

async fn list(ctx: &domain::Ctx, origins: Value) {
    tenants::set_policies(ctx, &serde_json::from_value(json!({"allowed_origins": origins})).unwrap()).await.unwrap();
}

/// The origin that may read the answer; whatever it is, it never comes with cookies and always varies.
fn readable(answer: &Answer) -> String {
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let varies = answer.headers.get_all("vary").iter().any(|v| v.to_str().unwrap().eq_ignore_ascii_case("origin"));
    assert!(varies, "{:?}", answer.headers);
    answer.header("access-control-allow-origin").to_owned()
}

async fn preflight(app: &App, path: &str, origin: &str) -> Answer {
    let headers = [("origin", origin), ("access-control-request-method", "PATCH"), ("access-control-request-headers", "authorization")];
    app.send(request("OPTIONS", path, &headers, "")).await
}

on_both! {
    async fn s30_an_answer_is_read_by_the_origins_of_its_credentials_tenant_and_no_other(on) {
        let app = App::new(on).await;
        let (ours, theirs) = (app.t.first.api_key.clone(), two_lists(&app.t).await);
        let ask = async |path: &str, key: &str, origin: &str| app.get(path, &[("x-api-key", key), ("origin", origin)]).await;
        for path in ["/v1/settings", "/v1/auth/test", "/v1/health", "/v1/usage/stream"] {
            for (key, origin, read) in [(&ours, OURS, OURS), (&theirs, THEIRS, THEIRS), (&ours, THEIRS, ""), (&theirs, OURS, "")] {
                let req = request("GET", path, &[("x-api-key", key), ("origin", origin)], "");
                // A stream does not end: its headers are enough.
                let (parts, _) = app.respond(req).await.into_parts();
                let answer = Answer { status: parts.status, headers: parts.headers, text: String::new() };
                assert_eq!((answer.status, readable(&answer).as_str()), (StatusCode::OK, read), "{path} {origin}");
            }
        }
        for origin in ["null", "*", "", "https://app.acme.test.evil.test", "http://app.acme.test", "https://APP.acme.test", "https://app.acme.test:444"] {
            let answer = ask("/v1/settings", &ours, origin).await;
            assert_eq!((answer.status, readable(&answer).as_str()), (StatusCode::OK, ""), "{origin}");
        }
        assert_eq!(readable(&app.get("/v1/settings", &[("x-api-key", &ours)]).await), "", "no browser");
        assert_eq!(readable(&app.get("/v1/settings", &[("x-api-key", &ours), ("origin", OURS), ("origin", THEIRS)]).await), "");
        // Refusals are read too, and what stands in their headers.
        let missing = ask("/v1/api-keys/key_00000000000000000000000000000001", &ours, OURS).await;
        assert_eq!((missing.status, readable(&missing).as_str()), (StatusCode::NOT_FOUND, OURS));
        for header in ["X-Request-ID", "X-RateLimit-Remaining", "RateLimit", "Retry-After", "WWW-Authenticate", "Idempotent-Replayed"] {
            assert!(missing.header("access-control-expose-headers").split(", ").any(|h| h == header), "{header}");
        }
        // Nobody's key and a revoked one are one answer (s37).
        let made = app.post("/v1/api-keys", &[("x-api-key", &ours)], &json!({"name": "n", "scopes": ["read"]})).await.json();
        app.post(&format!("/v1/api-keys/{}/revoke", made["id"].as_str().unwrap()), &[("x-api-key", &ours)], &json!({})).await;
        for key in [made["key"].as_str().unwrap(), "sk_live_nonsense"] {
            let refused = ask("/v1/settings", key, OURS).await;
            assert_eq!((refused.status, readable(&refused).as_str()), (StatusCode::UNAUTHORIZED, ""), "{key}");
        }
        let signed_in = app.post("/v1/auth/login", &[("origin", OURS)], &json!({"email": "owner@acme.test", "password": PASSWORD})).await;
        assert_eq!((signed_in.status, readable(&signed_in).as_str()), (StatusCode::OK, OURS));
        // What is taken off the list reads nothing from then on.
        list(&app.t.owner(), json!([])).await;
        assert_eq!(readable(&ask("/v1/settings", &ours, OURS).await), "");
    }
}

on_both! {
    async fn s30_a_preflight_is_answered_where_a_tenant_in_use_lists_the_origin(on) {
        let app = App::new(on).await;
        two_lists(&app.t).await;
        for origin in [OURS, THEIRS] {
            let answer = preflight(&app, "/v1/settings", origin).await;
            assert_eq!((answer.status, readable(&answer).as_str(), answer.text.as_str()), (StatusCode::NO_CONTENT, origin, ""));
            let allows = |name: &str, value: &str| answer.header(name).split(", ").any(|v| v == value);
            assert!(allows("access-control-allow-methods", "PATCH") && allows("access-control-allow-headers", "Authorization"));
            assert!(allows("access-control-allow-headers", "X-API-Key") && allows("access-control-allow-headers", "Idempotency-Key"));
        }
        for origin in ["null", "*", "", "https://evil.test"] {
            let answer = preflight(&app, "/v1/settings", origin).await;
            assert_eq!((answer.status, readable(&answer).as_str()), (StatusCode::METHOD_NOT_ALLOWED, ""), "{origin}");
            assert_eq!(answer.header("access-control-allow-headers"), "");
        }
        let plain = app.send(request("OPTIONS", "/v1/settings", &[("origin", OURS)], "")).await;
        assert_eq!((plain.status, readable(&plain).as_str()), (StatusCode::METHOD_NOT_ALLOWED, ""), "no preflight");
        // Whose request a gateway holds is none of a browser's here.
        assert_eq!(preflight(&app, "/v1/forward-auth", OURS).await.status, StatusCode::FORBIDDEN);
        for path in ["/api-keys", "/health", "/keys", "/login", "/api/keys/create"] {
            assert_eq!(preflight(&app, path, OURS).await.header("access-control-allow-origin"), "", "{path}");
        }
        let other = tenants::list_unscoped(&app.t.core).await.unwrap().into_iter().find(|t| t.id != app.t.first.tenant_id).unwrap();
        tenants::suspend(&app.t.owner(), other.id, Some("unpaid")).await.unwrap();
        assert_eq!(readable(&preflight(&app, "/v1/settings", THEIRS).await), "", "out of use");
        tenants::resume(&app.t.owner(), other.id).await.unwrap();
        assert_eq!(readable(&preflight(&app, "/v1/settings", THEIRS).await), THEIRS);
        // Another process knows it without being asked.
        let second = app.t.second_process().await;
        list(&app.t.owner(), json!(["https://new.acme.test"])).await;
        second.cache.sync(&second).await.unwrap();
        let of = |origin: &str| (second.cache.lists_origin(origin, None), second.cache.lists_origin(origin, Some(app.t.first.tenant_id)));
        assert_eq!((of(OURS), of("https://new.acme.test"), of(THEIRS)), ((false, false), (true, true), (true, false)));
        second.stop().await;
    }
}

on_both! {
    async fn s30_a_cookie_opens_nothing_at_the_api_whatever_the_origin(on) {
        let app = App::new(on).await;
        two_lists(&app.t).await;
        let cookie = app.sign_in().await;
        for origin in [OURS, "http://localhost", "null"] {
            let answer = app.get("/v1/settings", &[("cookie", &cookie), ("origin", origin)]).await;
            assert_eq!((answer.status, readable(&answer).as_str()), (StatusCode::UNAUTHORIZED, ""), "{origin}");
            let page = app.get("/settings/policies", &[("cookie", &cookie), ("origin", origin), ("accept", "text/html")]).await;
            assert_eq!((page.status, page.header("access-control-allow-origin")), (StatusCode::OK, ""), "{origin}");
        }
        let open = app.get("/.well-known/jwks.json", &[("origin", "https://anybody.test")]).await;
        assert_eq!((open.header("access-control-allow-origin"), open.header("access-control-allow-credentials")), ("*", ""));
    }
}

on_both! {
    async fn origins_are_set_over_the_api_and_on_the_page_and_every_change_is_recorded(on) {
        let app = App::new(on).await;
        let key = app.t.first.api_key.clone();
        let patch = async |origins: Value| {
            let headers = [("x-api-key", key.as_str()), ("content-type", "application/json")];
            app.send(request("PATCH", "/v1/settings", &headers, &json!({"allowed_origins": origins}).to_string())).await
        };
        for bad in ["*", "null", "http://app.acme.test", "https://app.acme.test/", "https://app.acme.test/x", "app.acme.test"] {
            let refused = patch(json!([bad])).await;
            assert_eq!((refused.status, &refused.json()["error"]["fields"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("allowed_origins")), "{bad}");
        }
        let set = patch(json!(["HTTPS://App.Acme.Test:443", OURS, "http://localhost:5173"])).await;
        assert_eq!((set.status, &set.json()["allowed_origins"]), (StatusCode::OK, &json!([OURS, "http://localhost:5173"])), "{}", set.text);
        let log = app.get("/v1/audit/events?action=policy.changed", &[("x-api-key", &key)]).await.json();
        assert_eq!((&log["data"][0]["before"]["allowed_origins"], &log["data"][0]["after"]["allowed_origins"][0]), (&json!([]), &json!(OURS)));
        assert_eq!(patch(json!(null)).await.json()["allowed_origins"], json!([]), "null clears");

        let owner = app.sign_in().await;
        let refused = app.form("/settings/policies", &owner, "act=review&allowed_origins=https%3A%2F%2Fapp.acme.test%2Fx").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("An origin has no path: https://app.acme.test.") && refused.text.contains("https://app.acme.test/x"), "{}", refused.text);
        let typed = "allowed_origins=https%3A%2F%2Fapp.acme.test%0D%0A%0D%0Ahttp%3A%2F%2Flocalhost%3A5173";
        let review = app.form("/settings/policies", &owner, &format!("act=review&{typed}")).await;
        assert!(review.text.contains("https://app.acme.test, http://localhost:5173"), "{}", review.text);
        let mark = crate::policy::mark(&review);
        let saved = app.form("/settings/policies", &owner, &format!("act=save&{typed}&reviewed={mark}")).await;
        assert_eq!(saved.header("location"), "/settings/policies?saved=1", "{}", saved.text);
        let settings = app.get("/v1/settings", &[("x-api-key", &key), ("origin", OURS)]).await;
        assert_eq!((readable(&settings).as_str(), &settings.json()["allowed_origins"][1]), (OURS, &json!("http://localhost:5173")));
    }
}
