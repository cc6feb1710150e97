//! Apps in the log of requests, and their secrets at the leak desk: over REST and in the console, without script.

use crate::{
    app_pages::{page, sign_in_as},
    harness::{Answer, App, on_both, request},
};
use axum::http::StatusCode;
use contract::Role;
use domain::testing::On;
use serde_json::{Value, json};
use std::time::Duration;

/// A machine app; its id and its secret.
async fn machine(app: &App) -> (String, String) {
    let body = json!({"name": "Ledger by night", "kind": "machine", "scopes": ["users:read"]});
    let made = app.post("/v1/oauth/applications", &[("x-api-key", &app.t.first.api_key)], &body).await.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("client_id"), text("client_secret"))
}

/// It asks for a token.
async fn token(app: &App, id: &str, secret: &str) -> Answer {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    app.send(request("POST", "/oauth/token", &[("content-type", "application/x-www-form-urlencoded")], &body)).await
}

on_both! {
    async fn requests_of_an_app_are_found_by_its_client_id_and_stand_on_its_page(on) {
        let app = App::new(on).await;
        let (id, secret) = machine(&app).await;
        let access = token(&app, &id, &secret).await.json()["access_token"].as_str().unwrap().to_owned();
        for scope in ["users:read", "users:write"] {
            let asked = json!({"credential": access, "scopes": [scope], "path": "/v2/users", "ip": "198.51.100.7", "user_agent": "ledger/1"});
            assert_eq!(app.verify(&asked).await.status, StatusCode::OK);
        }
        while domain::usage::count_unscoped(&app.t.core.db).await.unwrap() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let admin = [("x-api-key", app.t.first.api_key.as_str())];
        let found = app.get(&format!("/v1/usage/events?client_id={id}"), &admin).await.json();
        let found = found["data"].as_array().unwrap();
        assert_eq!(found.len(), 2, "not the registration by a key: {found:?}");
        for event in found {
            assert_eq!((&event["client_id"], &event["client_name"], &event["credential_id"]), (&json!(id), &json!("Ledger by night"), &Value::Null));
        }
        let summary = app.get(&format!("/v1/usage/summary?client_id={id}"), &admin).await.json();
        assert_eq!((&summary["allowed"], &summary["denied"]), (&json!(1), &json!(1)));
        assert_eq!(app.get("/v1/usage/events?client_id=key_1", &admin).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let cookie = app.sign_in().await;
        let shown = page(&app, &cookie, &format!("/apps/{id}")).await.text;
        for said in ["2 requests", "ledger/1", "198.51.100.7", &format!("/usage?client_id={id}")] {
            assert!(shown.contains(said), "{said}");
        }
        let log = page(&app, &cookie, &format!("/usage?client_id={id}")).await.text;
        for said in ["All apps", "Ledger by night", &format!("href=\"/apps/{id}\"")] {
            assert!(log.contains(said), "{said}");
        }
    }
}

on_both! {
    async fn s36_a_secret_of_an_app_is_found_at_the_desk_and_ended_there_by_support_without_script(on) {
        let app = App::new(on).await;
        let (id, secret) = machine(&app).await;
        let cookie = app.sign_in().await;
        app.t.join("dev@acme.test", Role::Developer).await;
        let dev = sign_in_as(&app, "dev@acme.test").await;
        app.t.set_role(Role::Support).await;
        let found = app.form("/leaks", &cookie, &format!("text=CLIENT_SECRET%3D{secret}")).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.text);
        let ends = format!("kss_…{}", &secret[secret.len() - 4..]);
        for said in ["1 app secret in the text", "Ledger by night", "Still works", "End this secret", "Suspend app", &ends] {
            assert!(found.text.contains(said), "{said}");
        }
        assert!(!found.text.contains(&secret), "s77: never the secret itself");
        assert!(!found.text.contains(&format!("href=\"/apps/{id}\"")), "support opens no page of an app");
        let of_secret = found.text.split("name=\"app_secret\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let act = |act: &str| format!("act={act}&app_secret={of_secret}&app={id}");
        assert_eq!(app.form("/leaks", &dev, &act("end")).await.status, StatusCode::FORBIDDEN, "none of theirs, and no desk");
        assert_eq!(token(&app, &id, &secret).await.status, StatusCode::OK);
        let done = app.form("/leaks", &cookie, &act("end")).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/leaks?done=ended"), "{}", done.text);
        assert_eq!(token(&app, &id, &secret).await.status, StatusCode::UNAUTHORIZED);
        assert!(page(&app, &cookie, "/leaks?done=ended").await.text.contains("The secret is ended"));
        app.t.set_role(Role::Owner).await;
        for path in ["/apps", &format!("/apps/{id}")] {
            assert!(page(&app, &cookie, path).await.text.contains("Needs a secret"), "{path}");
        }
        app.t.set_role(Role::Support).await;
        let done = app.form("/leaks", &cookie, &act("suspend")).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/leaks?done=suspended"));
        assert_eq!(app.form("/leaks", &cookie, &act("burn")).await.status.as_u16() / 100, 4);
        for wrong in ["act=end&app_secret=sec_1", "act=end&app_secret=aps_00000000000000000000000000000001", "act=suspend&app=app_00000000000000000000000000000001"] {
            assert_eq!(app.form("/leaks", &cookie, wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
        }
        app.t.set_role(Role::Owner).await;
        let shown = page(&app, &cookie, &format!("/apps/{id}")).await.text;
        assert!(shown.contains("None works: the last one was ended."), "and the app's page says how to go on");
        let rotate = page(&app, &cookie, &format!("/apps/{id}/rotate")).await.text;
        assert!(rotate.contains("None of its secrets is current") && !rotate.contains("Overlap"), "with nothing to overlap with");
        let again = app.form(&format!("/apps/{id}/rotate"), &cookie, "grace=86400&secret=").await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.text);
        assert!(again.text.contains("kss_") && !again.text.contains("The old secret"), "another one, and the ended one stays ended");
    }
}

#[tokio::test]
async fn a_public_report_ends_a_secret_of_an_app_and_tells_nothing() {
    let app = App::new(On::Sqlite).await;
    let (id, secret) = machine(&app).await;
    let unknown = format!("kss_{}", "A".repeat(49));
    let mut answers = Vec::new();
    for text in [&secret, &secret, &unknown] {
        app.t.clock.advance(Duration::from_secs(60));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        let answer = app.post("/v1/leaks", &[], &json!({"text": format!("found: {text}")})).await;
        answers.push((answer.status, answer.text));
        assert_eq!(token(&app, &id, &secret).await.status, StatusCode::UNAUTHORIZED);
    }
    assert!(answers.iter().all(|a| *a == answers[0]), "one answer for all: {answers:?}");
    assert_eq!(answers[0].0, StatusCode::ACCEPTED);
    let admin = [("x-api-key", app.t.first.api_key.as_str())];
    let found = app.post("/v1/api-keys/lookup", &admin, &json!({"text": secret})).await.json();
    assert_eq!(
        (&found["apps"][0]["secret"]["state"], &found["apps"][0]["app"]["id"], &found["unknown"]),
        (&json!("dead"), &json!(id), &json!(0))
    );
    let rules = app.get("/.well-known/gitleaks.toml", &[]).await.text;
    assert!(rules.contains("keystead-app-secret") && rules.contains("kss_[0-9A-Za-z]{49}"), "{rules}");
}
