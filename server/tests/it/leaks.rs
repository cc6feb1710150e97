use crate::harness::{Answer, App, on_both, request};
use axum::http::StatusCode;
use contract::{AuditFilter, CreatedKey, Environment, KeyKind, LeakFilter, PageQuery, Slug};
use domain::{Who, audit, keys, leaks, tenants, testing::On};
use serde_json::{Value, json};
use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

async fn made(app: &App, name: &str, scopes: &str) -> (CreatedKey, String) {
    let mut made = keys::create_from_form(&app.t.owner(), &app.t.form(name, scopes)).await.unwrap();
    let key = made.key.take().unwrap();
    (made, key)
}

fn unknown(app: &App) -> String {
    let core = &app.t.core;
    let slug = Slug::from_name("x");
    keys::secret::generate(core.entropy(), &core.keys, KeyKind::Secret, Environment::Live, &slug).token.expose().clone()
}

/// Sends a text to the public endpoint; the clock moves on, so that no limit is met.
async fn report(app: &App, text: &str) -> Answer {
    app.t.clock.advance(Duration::from_secs(60));
    app.t.core.cache.sync(&app.t.core).await.unwrap();
    app.post("/v1/leaks", &[], &json!({"text": text})).await
}

async fn works(app: &App, key: &str) -> bool {
    app.get("/v1/auth/test", &[("x-api-key", key)]).await.status == StatusCode::OK
}

on_both! {
    async fn lookup_answers_which_key_whose_and_what_it_did(on) {
        let app = App::new(on).await;
        let (key, secret) = made(&app, "checkout", "read").await;
        let admin = [("x-api-key", app.t.first.api_key.as_str())];
        let text = format!("deploy log\nexport KEY={secret}\n{}", unknown(&app));
        let answer = app.post("/v1/api-keys/lookup", &admin, &json!({"text": text})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let body = answer.json();
        assert_eq!((&body["unknown"], &body["truncated"], body["matches"].as_array().unwrap().len()), (&json!(1), &json!(false), 1));
        let found = &body["matches"][0];
        assert_eq!((&found["key"]["id"], &found["key"]["state"], &found["key"]["owner"]), (&json!(key.api_key.id), &json!("active"), &json!("owner@acme.test")));
        assert_eq!((&found["secret"]["state"], &found["secret"]["last_four"]), (&json!("current"), &json!(key.api_key.last_four)));
        assert_eq!((&found["tenant"]["name"], &found["line"], &found["times"], &found["report"]), (&json!("Acme"), &json!(2), &json!(1), &Value::Null));
        assert_eq!(found["usage"], json!({"allowed_24h":0,"allowed_30d":0,"addresses_30d":0,"last_allowed_at":null,"callers":[]}));
        assert!(!answer.text.contains(&secret[12..40]), "never the secret itself");
    }
}

#[tokio::test]
async fn s73_a_megabyte_is_searched_and_more_is_refused() {
    let app = App::new(On::Sqlite).await;
    let (_, secret) = made(&app, "checkout", "read").await;
    let admin = [("x-api-key", app.t.first.api_key.as_str())];
    // Every character of it is two in JSON.
    let text = format!("{}{secret}", "\n".repeat(leaks::LOOKUP_BYTES - secret.len()));
    let answer = app.post("/v1/api-keys/lookup", &admin, &json!({"text": text})).await;
    assert_eq!((answer.status, &answer.json()["matches"][0]["line"]), (StatusCode::OK, &json!(text.lines().count())));
    let more = app.post("/v1/api-keys/lookup", &admin, &json!({"text": format!("{text}x")})).await;
    assert_eq!((more.status.as_u16(), more.code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
}

on_both! {
    async fn s36_lookup_takes_its_scope_and_knows_the_callers_tenant_only(on) {
        let app = App::new(on).await;
        let (_, plain) = made(&app, "plain", "read keystead.keys:read").await;
        let (_, desk) = made(&app, "desk", "keystead.keys:lookup").await;
        let there = tenants::create(&app.t.owner(), &contract::TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let foreign = keys::create_from_form(&app.t.as_who(Who::CommandLine(there.id)), &app.t.form("theirs", "read")).await.unwrap().key.unwrap();
        let body = json!({"text": format!("{plain} {foreign}")});
        let ask = |key: Option<&str>| {
            let headers: Vec<(String, String)> = key.iter().map(|k| ("x-api-key".to_owned(), (*k).to_owned())).collect();
            let (app, body) = (&app, &body);
            async move {
                let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                app.post("/v1/api-keys/lookup", &headers, body).await
            }
        };
        assert_eq!(ask(None).await.code(), "UNAUTHORIZED");
        let refused = ask(Some(&plain)).await;
        assert_eq!((refused.status.as_u16(), refused.json()["error"]["required_scope"].as_str()), (403, Some("keystead.keys:lookup")));
        let own = ask(Some(&desk)).await.json();
        assert_eq!((own["matches"].as_array().unwrap().len(), &own["unknown"]), (1, &json!(1)));
        assert!(!own.to_string().contains("theirs") && !own.to_string().contains("Globex"));
        let platform = ask(Some(&app.t.first.api_key)).await.json();
        assert_eq!((platform["matches"].as_array().unwrap().len(), &platform["matches"][1]["tenant"]["name"]), (2, &json!("Globex")));
    }
}

/// A key with what the support role holds: it may look up and revoke, and no other route opens.
#[tokio::test]
async fn s36_what_support_holds_opens_lookup_and_revoke_only() {
    let app = App::new(On::Sqlite).await;
    let (key, secret) = made(&app, "checkout", "read").await;
    let (_, desk) = made(&app, "desk", "keystead.keys:lookup keystead.keys:revoke").await;
    let id = key.api_key.id;
    let headers = [("x-api-key", desk.as_str()), ("content-type", "application/json")];
    for (method, path, body) in [
        ("GET", "/v1/api-keys".to_owned(), ""),
        ("GET", format!("/v1/api-keys/{id}"), ""),
        ("GET", "/api-keys".to_owned(), ""),
        ("POST", "/v1/verify".to_owned(), "{}"),
        ("POST", "/v1/verify/batch".to_owned(), "{}"),
    ] {
        let answer = app.send(request(method, &path, &headers, body)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "INSUFFICIENT_PERMISSIONS"), "{method} {path}");
    }
    assert_eq!(app.post("/v1/api-keys/lookup", &headers[..1], &json!({"text": secret})).await.status, StatusCode::OK);
}

on_both! {
    async fn a_public_report_revokes_at_once_and_needs_no_credential(on) {
        let app = App::new(on).await;
        let (key, secret) = made(&app, "checkout", "read").await;
        assert!(works(&app, &secret).await);
        let answer = report(&app, &format!("https://x.test/?k={secret}")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.code(), "INVALID_API_KEY");
        let events = audit::list(&app.t.owner(), &AuditFilter { target_id: Some(key.api_key.id.to_string()) }, PageQuery::default()).await.unwrap().data;
        let seen: Vec<_> = events.iter().map(|e| (e.action.as_str(), e.ip.map(|ip| ip.to_string()), e.actor.name.as_str())).collect();
        let reporter = || Some("203.0.113.24".to_owned());
        assert_eq!(seen[..2], [("api_key.revoked", reporter(), "anonymous"), ("api_key.leaked", reporter(), "anonymous")]);
        // A credential that is sent along is not looked at, good or bad: it may be the leaked one.
        app.t.clock.advance(Duration::from_secs(60));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        let along = app.post("/v1/leaks", &[("x-api-key", &secret), ("cookie", "keystead=x")], &json!({"text": secret})).await;
        assert_eq!((along.status, along.text), (StatusCode::ACCEPTED, answer.text));
    }
}

on_both! {
    async fn a_public_report_tells_nothing_of_what_it_found(on) {
        let app = App::new(on).await;
        let (_, secret) = made(&app, "checkout", "read").await;
        let (gone, dead) = made(&app, "gone", "read").await;
        keys::revoke(&app.t.owner(), gone.api_key.id, None).await.unwrap();
        let texts = [secret.clone(), secret, dead, unknown(&app), app.t.first.api_key.clone(), app.t.first.gateway_key.clone(), "nothing".into(), String::new()];
        let mut said = Vec::new();
        for text in texts {
            let started = Instant::now();
            let answer = report(&app, &text).await;
            assert!(started.elapsed() >= Duration::from_millis(100), "answered at a full step");
            let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            said.push((answer.status, answer.text, names));
        }
        assert!(said.windows(2).all(|w| w[0] == w[1]), "{said:#?}");
        assert_eq!(said[0].0, StatusCode::ACCEPTED);
    }
}

on_both! {
    async fn gateway_and_platform_keys_outlive_a_public_report(on) {
        let app = App::new(on).await;
        let text = format!("{} {}", app.t.first.api_key, app.t.first.gateway_key);
        assert_eq!(report(&app, &text).await.status, StatusCode::ACCEPTED);
        assert!(works(&app, &app.t.first.api_key).await && works(&app, &app.t.first.gateway_key).await);
        assert_eq!(leaks::list(&app.t.owner(), LeakFilter::default(), PageQuery::default()).await.unwrap().data.len(), 2);
        assert_eq!(app.t.outbox().await.iter().filter(|(topic, _)| topic == "api_key.leaked").count(), 2);
    }
}

#[tokio::test]
async fn s73_a_public_report_is_bounded_in_size_keys_and_rate() {
    let app = App::new(On::Sqlite).await;
    let full = "x".repeat(leaks::PUBLIC_BYTES);
    assert_eq!(report(&app, &full).await.status, StatusCode::ACCEPTED);
    for text in [format!("{full}x"), "x".repeat(1 << 20)] {
        let more = report(&app, &text).await;
        assert_eq!((more.status.as_u16(), more.code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    }
    let mut secrets = Vec::new();
    for n in 0..11 {
        secrets.push(made(&app, &format!("k{n}"), "read").await.1);
    }
    assert_eq!(report(&app, &secrets.join("\n")).await.status, StatusCode::ACCEPTED);
    assert!(!works(&app, &secrets[9]).await && works(&app, &secrets[10]).await);
    // The anonymous limit of an address: five a second, while the clock stands.
    app.t.clock.advance(Duration::from_secs(60));
    app.t.core.cache.sync(&app.t.core).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(app.post("/v1/leaks", &[], &json!({"text": ""})).await.status.as_u16());
    }
    assert_eq!(statuses, [202, 202, 202, 202, 202, 429, 429]);
}

#[tokio::test]
async fn s34_without_its_database_a_public_report_fails_for_every_key_alike() {
    let app = App::new(On::Sqlite).await;
    let (_, secret) = made(&app, "checkout", "read").await;
    app.t.core.db.close().await;
    for text in [secret, unknown(&app), String::new()] {
        let answer = app.post("/v1/leaks", &[], &json!({"text": text})).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "UNAVAILABLE"));
    }
}

/// Everything that is logged, from the finest level on.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Catches what this process logs, the threads of SQLite's driver included; where another test of it does so already,
    /// what this thread logs while the guard lives.
    pub fn taken(&self) -> Option<tracing::subscriber::DefaultGuard> {
        let subscriber = || {
            let writer = self.clone();
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish()
        };
        let all = tracing::subscriber::set_global_default(subscriber());
        let guard = all.is_err().then(|| tracing::subscriber::set_default(subscriber()));
        tracing::trace!("this log is real");
        guard
    }

    /// What was logged.
    pub fn text(&self) -> String {
        let logged = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        assert!(logged.contains("this log is real"));
        logged
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn s77_pasted_text_is_in_no_answer_log_or_table(on: On) {
    let log = Log::default();
    let _guard = log.taken();
    let app = App::new(on).await;
    let (_, secret) = made(&app, "checkout", "read").await;
    let (_, reported) = made(&app, "reported", "read").await;
    let stranger = unknown(&app);
    let text = |key: &str| format!("canary-1 {key} canary-2 {stranger}");
    let admin = [("x-api-key", app.t.first.api_key.as_str()), ("content-type", "application/json")];
    let mut said = String::new();
    for body in [
        json!({"text": text(&secret)}),
        json!(text(&secret)),
        json!([text(&secret)]),
        json!({"text": [text(&secret)]}),
        json!({"text": "", text(&secret): 1}),
        json!({text(&secret): text(&secret)}),
        json!({"text": format!("{}{}", text(&secret), "x".repeat(leaks::LOOKUP_BYTES))}),
    ] {
        for (path, body) in [
            ("/v1/api-keys/lookup", body.clone()),
            ("/v1/leaks", serde_json::from_str(&body.to_string().replace(&secret, &reported)).unwrap()),
        ] {
            app.t.clock.advance(Duration::from_secs(60));
            app.t.core.cache.sync(&app.t.core).await.unwrap();
            said.push_str(&app.send(request("POST", path, &admin, &body.to_string())).await.text);
        }
    }
    for broken in [format!("{{\"text\": \"{}", text(&secret)), format!("{{\"text\": {}}}", text(&secret)), text(&secret)] {
        for path in ["/v1/api-keys/lookup", "/v1/leaks"] {
            app.t.clock.advance(Duration::from_secs(60));
            app.t.core.cache.sync(&app.t.core).await.unwrap();
            let answer = app.send(request("POST", path, &admin, &broken)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
            said.push_str(&answer.text);
        }
    }
    assert!(!works(&app, &reported).await, "it was real");
    app.t.core.meter.stop().await;
    let everything = [said, log.text(), format!("{:?}", app.t.outbox().await), app.t.dump().await].concat();
    assert!(everything.contains("leak.looked_up") && everything.contains("api_key.leaked"));
    for canary in ["canary-", &secret[12..40], &reported[12..40], &stranger[12..40]] {
        assert!(!everything.contains(canary), "{canary}");
    }
}

/// One thread for each, so that the log of everything it does is caught.
mod pasted_text {
    use super::*;

    #[tokio::test]
    async fn sqlite() {
        s77_pasted_text_is_in_no_answer_log_or_table(On::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        s77_pasted_text_is_in_no_answer_log_or_table(On::Postgres).await;
    }
}
