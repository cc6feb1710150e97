//! The two logs over REST: filters, forms, streams, and what they say of a key.

use crate::harness::{App, Installation, on_both, request};
use axum::http::StatusCode;
use contract::KeyId;
use domain::{keys, testing::On};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

/// Some decided requests: a key's, one of it denied, one unknown. Answers the key.
async fn traffic(app: &App) -> (KeyId, String) {
    let mut form = app.t.form("=cmd()", "users:read read");
    form.allowed_ips = "198.51.100.0/24".into();
    let made = keys::create_from_form(&app.t.owner(), &form).await.unwrap();
    let key = made.key.unwrap();
    for (credential, ip, scope, agent) in [
        (key.as_str(), "198.51.100.7", "users:read", "=1+1"),
        (&key, "198.51.100.7", "users:read", "node, \"18\""),
        (&key, "203.0.113.9", "users:read", "@SUM(A1)"),
        ("junk", "203.0.113.9", "users:read", "curl"),
    ] {
        let body = json!({"credential": credential, "ip": ip, "scopes": [scope], "path": "/v2/users?token=1", "method": "GET", "user_agent": agent});
        assert_eq!(app.verify(&body).await.status, StatusCode::OK);
    }
    settle(app, 4).await;
    (made.api_key.id, key)
}

async fn settle(app: &App, n: i64) {
    while domain::usage::count_unscoped(&app.t.core.db).await.unwrap() < n {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn auth(app: &App) -> (&'static str, String) {
    ("x-api-key", app.t.first.api_key.clone())
}

async fn get(app: &App, path: &str, accept: &str) -> crate::harness::Answer {
    let (name, key) = auth(app);
    let headers = [(name, key.as_str()), ("accept", accept)];
    app.get(path, if accept.is_empty() { &headers[..1] } else { &headers }).await
}

on_both! {
    async fn usage_events_are_filtered_paged_and_told_one_by_one(on) {
        let app = App::new(on).await;
        let (id, secret) = traffic(&app).await;
        let count = async |query: &str| {
            let answer = get(&app, &format!("/v1/usage/events?source=verify&{query}"), "").await;
            assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
            answer.json()["data"].as_array().unwrap().len()
        };
        for (query, wanted) in [
            ("", 4), ("outcome=denied", 2), ("code=IP_NOT_ALLOWED", 1), ("ip=203.0.113.0/24", 2), ("ip=198.51.100.7", 2),
            ("path=/v2/", 4), ("path=/v3", 0), ("method=get", 4), ("environment=test", 0), ("outcome=", 4),
            (&format!("credential_id={id}"), 3), ("from=2000-01-01T00:00:00Z", 4), ("to=2000-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(count(query).await, wanted, "{query}");
        }
        for (query, field) in [("outcom=denied", "outcom"), ("ip=198.51.100.7/24", "ip"), ("limit=x", "limit"), ("cursor=x", "cursor"), ("from=x", "from")] {
            let refused = get(&app, &format!("/v1/usage/events?{query}"), "").await;
            assert_eq!((refused.status.as_u16(), &refused.json()["error"]["fields"][0]["field"]), (422, &json!(field)), "{query}");
        }
        let page = get(&app, &format!("/v1/api-keys/{id}/usage?limit=2"), "").await.json();
        let next = page["next_cursor"].as_str().unwrap();
        let rest = get(&app, &format!("/api-keys/{id}/usage?limit=2&cursor={next}"), "").await.json();
        assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
        let denied = &page["data"][0];
        assert_eq!((&denied["code"], &denied["path"]), (&json!("IP_NOT_ALLOWED"), &json!("/v2/users")));
        let trace = get(&app, &format!("/v1/usage/events/{}", denied["id"].as_str().unwrap()), "").await;
        let failed: Vec<_> = trace.json()["checks"].as_array().unwrap().iter().filter(|c| c["outcome"] == "failed").cloned().collect();
        assert_eq!((failed.len(), &failed[0]["name"], &failed[0]["facts"]["ip"]), (1, &json!("ip"), &json!("203.0.113.9")));
        assert!(!trace.text.contains(&secret[10..]), "s77");
        let summary = get(&app, "/v1/usage/summary?source=verify&bucket=day", "").await.json();
        assert_eq!((&summary["total"], &summary["allowed"], &summary["bucket"]), (&json!(4), &json!(2), &json!("day")));
        assert_eq!(get(&app, "/v1/usage/summary?bucket=week", "").await.json()["error"]["fields"][0]["field"], "bucket");
    }
}

on_both! {
    async fn the_impact_of_a_change_is_told_over_rest(on) {
        let app = App::new(on).await;
        let (id, _) = traffic(&app).await;
        for (change, lost) in [("revoke", 2), ("scopes:read", 0), ("scopes:users:write", 2), ("allowed_ips:203.0.113.0/24", 2), ("allowed_ips:", 0)] {
            let answer = get(&app, &format!("/v1/api-keys/{id}/impact?change={change}"), "").await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert_eq!((&answer.json()["allowed"], &answer.json()["lost"]), (&json!(2), &json!(lost)), "{change}");
        }
        let revoke = get(&app, &format!("/v1/api-keys/{id}/impact?change=revoke"), "").await.json();
        assert_eq!((revoke["callers"].as_array().unwrap().len(), &revoke["callers"][0]["ip"]), (2, &json!("198.51.100.7")));
        for bad in ["", "?change=", "?change=rotate", "?change=allowed_ips:1.2.3.4/8"] {
            let refused = get(&app, &format!("/v1/api-keys/{id}/impact{bad}"), "").await;
            assert_eq!((refused.status.as_u16(), &refused.json()["error"]["fields"][0]["field"]), (422, &json!("change")), "{bad}");
        }
    }
}

on_both! {
    async fn s66_s36_logs_show_foreign_objects_to_nobody_and_nothing_without_the_scope(on) {
        let app = App::new(on).await;
        let (id, _) = traffic(&app).await;
        let event = get(&app, "/v1/usage/events?limit=1", "").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
        for path in [
            "/v1/api-keys/key_00000000000000000000000000000001/usage?nonsense=1", "/v1/api-keys/ten_1/usage",
            "/v1/api-keys/key_00000000000000000000000000000001/impact?change=nonsense", "/v1/usage/events/evt_00000000000000000000000000000001",
            "/v1/usage/events/nonsense",
        ] {
            assert_eq!(get(&app, path, "").await.code(), "NOT_FOUND", "{path}");
        }
        // Another tenant's admin, with every id right.
        let other = app.t.other_tenant().await;
        for path in [format!("/v1/api-keys/{id}/usage"), format!("/v1/api-keys/{id}/impact?change=revoke"), format!("/v1/usage/events/{event}")] {
            assert_eq!(app.get(&path, &[("x-api-key", &other)]).await.code(), "NOT_FOUND", "{path}");
        }
        // Its own requests above are all it sees, in every form.
        for path in ["/v1/usage/events", "/v1/audit/events"] {
            for accept in ["application/json", "text/csv", "application/x-ndjson"] {
                let seen = app.get(path, &[("x-api-key", &other), ("accept", accept)]).await;
                assert_eq!(seen.status, StatusCode::OK);
                // The paths that it asked for stand in its own log.
                let text = seen.text.replace(&format!("/v1/api-keys/{id}"), "").replace(&format!("/v1/usage/events/{event}"), "");
                assert!(!text.contains(&id.to_string()) && !text.contains(&event), "{path} {accept}");
            }
        }
        let head = app.get("/v1/audit/heads", &[("x-api-key", &other)]).await.json();
        assert!(head["data"].as_array().unwrap().iter().all(|h| h["tenant_id"] != json!(app.t.first.tenant_id)));
        // Scope by scope; strangers are 401.
        let only = |scope: &'static str| {
            let form = app.t.form(scope, scope);
            let owner = app.t.owner();
            async move { keys::create_from_form(&owner, &form).await.unwrap().key.unwrap() }
        };
        let (usage, audit) = (only("keystead.usage:read").await, only("keystead.audit:read").await);
        let mine = format!("/v1/api-keys/{id}/usage");
        for path in ["/v1/usage/events", "/v1/usage/summary", &format!("/v1/usage/events/{event}"), &mine, "/v1/usage/stream?nonsense=1"] {
            assert_eq!(app.get(path, &[("x-api-key", &audit)]).await.json()["error"]["required_scope"], "keystead.usage:read", "{path}");
            if !path.contains("stream") {
                assert_eq!(app.get(path, &[("x-api-key", &usage)]).await.status, StatusCode::OK, "{path}");
            }
        }
        for path in ["/v1/audit/events", "/v1/audit/heads", "/v1/audit/stream?nonsense=1"] {
            assert_eq!(app.get(path, &[("x-api-key", &usage)]).await.json()["error"]["required_scope"], "keystead.audit:read", "{path}");
            if !path.contains("stream") {
                assert_eq!(app.get(path, &[("x-api-key", &audit)]).await.status, StatusCode::OK, "{path}");
            }
        }
        app.t.clock.advance(Duration::from_secs(3_600));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        for path in ["/v1/usage/events", "/v1/audit/events", &mine] {
            assert_eq!(app.get(path, &[]).await.code(), "UNAUTHORIZED", "{path}");
        }
    }
}

on_both! {
    async fn s36_a_test_credential_sees_test_events_only_and_no_audit_log(on) {
        let app = App::new(on).await;
        let (id, _) = traffic(&app).await;
        let mut form = app.t.form("sandbox", "admin");
        form.environment = "test".into();
        let test = keys::create_from_form(&app.t.owner(), &form).await.unwrap().key.unwrap();
        let live = get(&app, "/v1/usage/events?limit=1&environment=live", "").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
        let ask = async |path: &str| app.get(path, &[("x-api-key", &test)]).await;
        for query in ["", "?environment=live", "?ip=203.0.113.9"] {
            let seen = ask(&format!("/v1/usage/events{query}")).await.json();
            assert!(seen["data"].as_array().unwrap().iter().all(|e| e["environment"] == "test"), "{query}: {seen}");
        }
        for path in [format!("/v1/usage/events/{live}"), format!("/v1/api-keys/{id}/usage"), format!("/v1/api-keys/{id}/impact?change=revoke")] {
            assert_eq!(ask(&path).await.code(), "NOT_FOUND", "{path}");
        }
        for path in ["/v1/audit/events", "/v1/audit/heads", "/v1/audit/stream"] {
            assert_eq!(ask(path).await.code(), "ENVIRONMENT_MISMATCH", "{path}");
        }
    }
}

on_both! {
    async fn s79_exports_hold_every_row_and_no_formula(on) {
        let app = App::new(on).await;
        let (id, _) = traffic(&app).await;
        let csv = get(&app, "/v1/usage/events?source=verify", "text/csv").await;
        assert_eq!(csv.status, StatusCode::OK);
        assert!(csv.header("content-type").starts_with("text/csv") && csv.header("content-disposition").contains("keystead-usage.csv"));
        let mut table = csv::Reader::from_reader(csv.text.as_bytes());
        let head: Vec<_> = table.headers().unwrap().iter().map(str::to_owned).collect();
        let rows: Vec<_> = table.records().map(Result::unwrap).collect();
        assert_eq!((rows.len(), head[0].as_str(), head.last().unwrap().as_str()), (4, "id", "latency_us"));
        assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{}", csv.text);
        assert!(rows.iter().any(|r| r.iter().any(|c| c == "'=cmd()")) && rows.iter().any(|r| r.iter().any(|c| c == "node, \"18\"")));
        let lines = get(&app, &format!("/v1/api-keys/{id}/usage"), "application/x-ndjson").await;
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        let rows: Vec<Value> = lines.text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|r| r["credential_id"] == json!(id)));
        let audit = get(&app, "/v1/audit/events", "text/csv").await;
        assert!(audit.text.starts_with("id,seq,at,") && audit.text.contains("'=cmd()"));
        assert_eq!(get(&app, "/v1/audit/events?action=api_key.created&limit=2", "application/x-ndjson").await.text.lines().count(), 2);
        for path in ["/v1/usage/events", "/v1/audit/events", &format!("/v1/api-keys/{id}/usage"), "/v1/usage/stream"] {
            assert_eq!(get(&app, path, "application/xml").await.code(), "NOT_ACCEPTABLE", "{path}");
        }
        // More than one page of the database.
        app.t.fill_usage(id, 2_100).await;
        let all = get(&app, &format!("/v1/usage/events?source=forward_auth&credential_id={id}"), "text/csv").await;
        assert_eq!(csv::Reader::from_reader(all.text.as_bytes()).records().count(), 3_150);
        assert_eq!(all.text.matches("latency_us").count(), 1, "one head");
    }
}

on_both! {
    async fn a_stream_sends_what_is_new_goes_on_where_it_was_and_ends_with_the_key_and_the_server(on) {
        let app = App::new(on).await;
        let reader = keys::create_from_form(&app.t.owner(), &app.t.form("reader", "keystead.usage:read keystead.audit:read")).await.unwrap();
        let key = reader.key.clone().unwrap();
        let open = async |path: &str, last: &str| {
            let headers = [("x-api-key", key.as_str()), ("accept", "text/event-stream"), ("last-event-id", last)];
            let response = app.respond(request("GET", path, if last.is_empty() { &headers[..2] } else { &headers }, "")).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
            Events { body: response.into_body().into_data_stream(), text: String::new() }
        };
        let mut usage = open("/v1/usage/stream?source=verify", "").await;
        let mut audit = open("/v1/audit/events", "").await;
        let (id, _) = traffic(&app).await;
        app.t.clock.advance(Duration::from_secs(3));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        let first = usage.next().await.unwrap();
        assert_eq!((first.name.as_str(), &first.data["credential_id"]), ("usage", &json!(id)));
        let made = audit.next().await.unwrap();
        assert_eq!((made.name.as_str(), &made.data["action"]), ("audit", &json!("api_key.created")));
        let mut codes = Vec::new();
        for _ in 0..3 {
            codes.push(usage.next().await.unwrap().data["code"].clone());
        }
        assert_eq!(codes, [json!("VALID"), json!("IP_NOT_ALLOWED"), json!("MALFORMED")]);
        let mut again = open("/v1/usage/stream?source=verify&outcome=denied", &first.id).await;
        assert_eq!(again.next().await.unwrap().data["code"], "IP_NOT_ALLOWED");
        let refused = app.get("/v1/usage/stream", &[("x-api-key", &key), ("last-event-id", "nonsense")]).await;
        assert_eq!(refused.json()["error"]["fields"][0]["field"], "Last-Event-ID");
        // The other streams end with the server, these with the key.
        let mut whole = open("/v1/audit/stream", "").await;
        drop(again);
        keys::revoke(&app.t.owner(), reader.api_key.id, None).await.unwrap();
        assert!(usage.next().await.is_none(), "a revoked key reads no more");
        app.t.core.announce_stop();
        assert!(whole.next().await.is_none() || whole.next().await.is_none());
    }
}

on_both! {
    async fn a_tenant_at_its_bound_of_streams_keeps_no_other_from_its_own(on) {
        let app = App::new(on).await;
        let key = app.t.first.api_key.clone();
        let there = domain::tenants::create(&app.t.owner(), &contract::TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let theirs = app.t.form("theirs", "keystead.usage:read");
        let theirs = keys::create_from_form(&app.t.as_who(domain::Who::CommandLine(there.id)), &theirs).await.unwrap().key.unwrap();
        let open = async |key: &str| {
            app.t.clock.advance(Duration::from_millis(100));
            app.respond(request("GET", "/v1/usage/stream", &[("x-api-key", key)], "")).await
        };
        let mut streams = Vec::new();
        for _ in 0..domain::streams::OF_ONE {
            let stream = open(&key).await;
            assert_eq!(stream.status(), StatusCode::OK);
            streams.push(stream);
        }
        assert_eq!(open(&key).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(open(&theirs).await.status(), StatusCode::OK);
        streams.pop();
        assert_eq!(open(&key).await.status(), StatusCode::OK, "one has ended");
    }
}

on_both! {
    async fn s34_a_stream_ends_with_its_permission_and_with_the_expiry_of_its_key(on) {
        let app = App::new(on).await;
        let mut form = app.t.form("reader", "keystead.usage:read");
        let narrowed = keys::create_from_form(&app.t.owner(), &form).await.unwrap();
        form.form_id = app.t.form("", "").form_id;
        form.expires = "7".into();
        let expiring = keys::create_from_form(&app.t.owner(), &form).await.unwrap();
        let open = async |key: &str| {
            let response = app.respond(request("GET", "/v1/usage/stream?source=verify", &[("x-api-key", key)], "")).await;
            assert_eq!(response.status(), StatusCode::OK);
            Events { body: response.into_body().into_data_stream(), text: String::new() }
        };
        let (mut by_permission, mut by_time) = (open(narrowed.key.as_deref().unwrap()).await, open(expiring.key.as_deref().unwrap()).await);
        traffic(&app).await;
        // The two that opened the streams, too.
        settle(&app, 6).await;
        app.t.clock.advance(Duration::from_secs(3));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        assert!(by_permission.next().await.is_some() && by_time.next().await.is_some());
        // Three more events wait for each: they are not sent any more.
        let less = contract::UpdateKey { scopes: Some(vec![contract::Scope::parse("read").unwrap()]), ..contract::UpdateKey::default() };
        keys::update(&app.t.owner(), narrowed.api_key.id, less).await.unwrap();
        assert!(by_permission.next().await.is_none());
        app.t.clock.advance(Duration::from_secs(7 * 86_400));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        assert!(by_time.next().await.is_none());
    }
}

on_both! {
    async fn s22_s34_a_stream_of_an_app_ends_when_the_app_is_suspended_or_may_no_more(on) {
        let app = App::new(on).await;
        let open = async |name: &str| {
            let body = json!({"name": name, "kind": "machine", "scopes": ["keystead.usage:read", "users:read"]});
            let made = app.post("/oauth/applications", &[("x-api-key", &app.t.first.api_key)], &body).await.json();
            let form = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}",
                made["client_id"].as_str().unwrap(),
                made["client_secret"].as_str().unwrap()
            );
            let kind = [("content-type", "application/x-www-form-urlencoded")];
            let token = app.send(request("POST", "/oauth/token", &kind, &form)).await.json();
            let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
            let response = app.respond(request("GET", "/v1/usage/stream?source=verify", &[("authorization", &bearer)], "")).await;
            assert_eq!(response.status(), StatusCode::OK);
            (made["id"].as_str().unwrap().to_owned(), Events { body: response.into_body().into_data_stream(), text: String::new() })
        };
        let ((suspended, mut one), (narrowed, mut two)) = (open("Suspended").await, open("Narrowed").await);
        traffic(&app).await;
        settle(&app, 8).await;
        app.t.clock.advance(Duration::from_secs(3));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        assert!(one.next().await.is_some() && two.next().await.is_some());
        // Three more events wait for each: they are not sent any more.
        let owner = app.t.owner();
        domain::oauth::suspend(&owner, suspended.parse().unwrap(), None).await.unwrap();
        assert!(one.next().await.is_none());
        let less = serde_json::from_value(json!({"scopes": ["users:read"]})).unwrap();
        domain::oauth::update(&owner, narrowed.parse().unwrap(), &less).await.unwrap();
        assert!(two.next().await.is_none());
    }
}

on_both! {
    async fn what_callers_say_of_their_versions_is_recorded_and_every_answer_names_the_apis(on) {
        let app = App::new(on).await;
        let key = app.t.first.api_key.clone();
        let long = "9".repeat(200);
        let said = [("x-api-key", key.as_str()), ("x-api-version", "1"), ("x-client-version", &long), ("x-request-id", "req-versions")];
        let answer = app.get("/v1/api-keys", &said).await;
        assert_eq!((answer.status, answer.header("x-api-version")), (StatusCode::OK, "1"));
        settle(&app, 1).await;
        let listed = app.get("/v1/usage/events?request_id=req-versions", &said[..1]).await.json();
        let event = listed["data"][0]["id"].as_str().unwrap().to_owned();
        let trace = app.get(&format!("/v1/usage/events/{event}"), &said[..1]).await.json();
        assert_eq!((&trace["api_version"], trace["client_version"].as_str().map(str::len)), (&json!("1"), Some(64)));
        let silent = app.get("/v1/api-keys", &[said[0], ("x-request-id", "req-silent")]).await;
        assert_eq!((silent.status, silent.header("x-api-version")), (StatusCode::OK, "1"));
    }
}

on_both! {
    async fn a_stream_ends_when_the_server_stops(on) {
        let app = App::new(on).await;
        let key = app.t.first.api_key.clone();
        let response = app.respond(request("GET", "/v1/usage/stream", &[("x-api-key", &key)], "")).await;
        let mut events = Events { body: response.into_body().into_data_stream(), text: String::new() };
        let stop = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            app.t.core.announce_stop();
        };
        let started = std::time::Instant::now();
        let (ended, ()) = tokio::join!(events.next(), stop);
        assert!(ended.is_none() && started.elapsed() < Duration::from_secs(2));
    }
}

/// A stream of events, read as a browser reads it.
struct Events {
    body: axum::body::BodyDataStream,
    text: String,
}

struct Sent {
    id: String,
    name: String,
    data: Value,
}

impl Events {
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned());
                let sent = field("data:").map(|data| Sent {
                    id: field("id:").unwrap_or_default(),
                    name: field("event:").unwrap_or_default(),
                    data: serde_json::from_str(&data).unwrap(),
                });
                let rest = rest.to_owned();
                self.text = rest;
                if sent.is_some() {
                    return sent;
                }
                continue;
            }
            let more =
                tokio::time::timeout(Duration::from_secs(10), self.body.next()).await.expect("something comes within ten seconds")?;
            self.text.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
        }
    }
}

on_both! {
    async fn s78_verify_audit_checks_the_database_and_an_export_with_its_head(on) {
        let made = Installation::new(on).await;
        let out = made.run(&["verify-audit"], "");
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success() && text.contains("acme: whole up to event 4"), "{out:?}");
        let server = made.serve(&[]);
        let key = format!("x-api-key: {}", made.key("api_key"));
        let (export, head) = (made.dir().join("audit.ndjson"), made.dir().join("head.json"));
        let (status, lines) = server.curl("/v1/audit/events", &["-H", &key, "-H", "accept: application/x-ndjson"]);
        assert_eq!(status, 200);
        std::fs::write(&export, &lines).unwrap();
        let (_, heads) = server.curl("/v1/audit/heads", &["-H", &key]);
        std::fs::write(&head, &heads).unwrap();
        drop(server);
        let heads: Value = serde_json::from_str(&heads).unwrap();
        let public = heads["data"][0]["public_key"].as_str().unwrap();
        let (export, head) = (export.to_str().unwrap(), head.to_str().unwrap());
        let args = ["verify-audit", "--export", export, "--head", head, "--public-key", public];
        let out = made.run(&args, "");
        assert!(out.status.success() && String::from_utf8_lossy(&out.stdout).contains("whole up to event 4"), "{out:?}");
        assert!(made.run(&["verify-audit", "--head", head], "").status.success(), "the database agrees with the kept head");
        assert_eq!(made.run(&["verify-audit", "--export", export, "--head", head, "--public-key", "AAAA"], "").status.code(), Some(4));
        std::fs::write(export, lines.replace("owner@acme.test", "nobody@acme.test")).unwrap();
        assert_eq!(made.run(&args, "").status.code(), Some(4), "edited");
        let mut cut: Vec<&str> = lines.lines().collect();
        cut.sort_by_key(|l| serde_json::from_str::<Value>(l).unwrap()["seq"].as_i64());
        cut.pop();
        std::fs::write(export, cut.join("\n")).unwrap();
        assert_eq!(made.run(&args, "").status.code(), Some(4), "truncated");
    }
}

#[tokio::test]
async fn s77_the_log_of_the_api_itself_holds_no_secret() {
    let app = App::new(On::Sqlite).await;
    let (_, secret) = traffic(&app).await;
    app.get("/v1/usage/events", &[("authorization", &format!("Bearer {secret}"))]).await;
    settle(&app, 5).await;
    for path in ["/v1/usage/events", "/v1/audit/events"] {
        let everything = get(&app, path, "application/x-ndjson").await.text;
        assert!(!everything.contains(&secret[9..]) && !everything.contains("token=1"), "{path}");
    }
}
