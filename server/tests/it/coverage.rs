//! Every operation of the document and every server function, sent through the router by those who may and by those
//! who may not. One that is missing in the tables below fails, and so does a route that the document does not know.

use crate::harness::{Answer, App, PNG, request};
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{Request, StatusCode},
};
use contract::{Perm, Role};
use domain::{
    Who, identity, keys, members, oauth, tenants,
    testing::{On, PASSWORD, one_time_code},
};
use keystead::http::{
    AppState,
    openapi::{self, ALSO_AT, DOCUMENT, PERMISSION},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opens {
    /// Everybody.
    All,
    /// Everybody; a credential that is sent must work.
    AllWithGood,
    /// Any credential that works.
    Any,
    /// Who holds this.
    To(Perm),
    /// A gateway that proves itself.
    Gateway,
    /// Whoever operates the installation.
    Platform,
    /// An OAuth client that proves itself, or a token of one; `oauth_http` tests those.
    Client,
}

/// What a test credential meets on a live installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    /// The live object does not exist for it.
    Missing,
    /// What belongs to the tenant as a whole refuses it.
    Refused,
    /// An answer in which nothing live stands.
    Blind,
}

/// Method, path, who may, what a test credential meets, the body that works.
type Row = (&'static str, &'static str, Opens, Test, Value);

fn table(w: &World) -> Vec<Row> {
    use Opens::{All, AllWithGood, Any, Client, Gateway, Platform, To};
    use Perm::*;
    use Test::{Blind, Missing, Refused};
    let none = Value::Null;
    let import = json!({"name": "m", "scopes": ["thing:read"], "digest": w.digest, "prefix": "old_", "last_four": "cf99"});
    let app = json!({"name": "m", "redirect_uris": ["https://m.test/cb"], "scopes": ["thing:read"]});
    vec![
        ("GET", "/oauth/logos/{id}/{file}", All, Blind, none.clone()),
        ("POST", "/oauth/introspect", Client, Blind, none.clone()),
        ("POST", "/oauth/revoke", Client, Blind, none.clone()),
        ("POST", "/oauth/token", Client, Blind, none.clone()),
        ("GET", "/oauth/userinfo", Client, Blind, none.clone()),
        ("POST", "/oauth/userinfo", Client, Blind, none.clone()),
        ("GET", "/v1/oauth/applications", To(AppsRead), Refused, none.clone()),
        ("POST", "/v1/oauth/applications", To(AppsWrite), Refused, app),
        ("DELETE", "/v1/oauth/applications/{id}", To(AppsWrite), Refused, none.clone()),
        ("GET", "/v1/oauth/applications/{id}", To(AppsRead), Refused, none.clone()),
        ("PATCH", "/v1/oauth/applications/{id}", To(AppsWrite), Refused, json!({"name": "renamed"})),
        ("GET", "/v1/oauth/applications/{id}/grants", To(AppsRead), Refused, none.clone()),
        ("DELETE", "/v1/oauth/applications/{id}/logo", To(AppsWrite), Refused, none.clone()),
        ("PUT", "/v1/oauth/applications/{id}/logo", To(AppsWrite), Refused, none.clone()),
        ("POST", "/v1/oauth/applications/{id}/resume", To(AppsWrite), Refused, json!({})),
        ("POST", "/v1/oauth/applications/{id}/rotate-secret", To(AppsWrite), Refused, json!({})),
        ("POST", "/v1/oauth/applications/{id}/suspend", To(AppsRevoke), Refused, json!({})),
        ("GET", "/v1/oauth/grants", To(AppsRead), Refused, none.clone()),
        ("DELETE", "/v1/oauth/grants/{id}", To(AppsRevoke), Refused, none.clone()),
        ("GET", "/.well-known/oauth-authorization-server", All, Blind, none.clone()),
        ("GET", "/.well-known/openid-configuration", All, Blind, none.clone()),
        ("GET", "/.well-known/change-password", All, Blind, none.clone()),
        ("GET", "/.well-known/gitleaks.toml", All, Blind, none.clone()),
        ("GET", "/.well-known/jwks.json", All, Blind, none.clone()),
        ("GET", "/.well-known/security.txt", All, Blind, none.clone()),
        ("GET", "/health", AllWithGood, Blind, none.clone()),
        ("GET", "/livez", All, Blind, none.clone()),
        ("GET", "/readyz", All, Blind, none.clone()),
        ("GET", "/v1/api-keys", To(KeysRead), Blind, none.clone()),
        ("POST", "/v1/api-keys", To(KeysWrite), Blind, json!({"name": "m", "scopes": ["thing:read"]})),
        ("POST", "/v1/api-keys/bulk-revoke", To(KeysRevoke), Missing, json!({"ids": [w.key]})),
        ("POST", "/v1/api-keys/import", To(SettingsWrite), Blind, import),
        ("POST", "/v1/api-keys/lookup", To(KeysLookup), Blind, json!({"text": w.secret})),
        ("DELETE", "/v1/api-keys/{id}", To(KeysRevoke), Missing, none.clone()),
        ("GET", "/v1/api-keys/{id}", To(KeysRead), Missing, none.clone()),
        ("PATCH", "/v1/api-keys/{id}", To(KeysWrite), Missing, json!({"name": "renamed"})),
        ("POST", "/v1/api-keys/{id}/disable", To(KeysWrite), Missing, json!({})),
        ("POST", "/v1/api-keys/{id}/enable", To(KeysWrite), Missing, json!({})),
        ("GET", "/v1/api-keys/{id}/impact", To(KeysRevoke), Missing, none.clone()),
        ("POST", "/v1/api-keys/{id}/retire", To(KeysWrite), Missing, json!({})),
        ("POST", "/v1/api-keys/{id}/revoke", To(KeysRevoke), Missing, json!({})),
        ("POST", "/v1/api-keys/{id}/rotate", To(KeysWrite), Missing, json!({})),
        ("GET", "/v1/api-keys/{id}/usage", To(UsageRead), Missing, none.clone()),
        ("GET", "/v1/audit/events", To(AuditRead), Refused, none.clone()),
        ("GET", "/v1/audit/heads", To(AuditRead), Refused, none.clone()),
        ("GET", "/v1/audit/stream", To(AuditRead), Refused, none.clone()),
        ("GET", "/v1/auth/ip-allowlist", To(SettingsRead), Refused, none.clone()),
        ("POST", "/v1/auth/ip-allowlist", To(PoliciesWrite), Refused, json!({"allowed_ips": []})),
        ("PUT", "/v1/auth/ip-allowlist", To(PoliciesWrite), Refused, json!({"allowed_ips": []})),
        ("POST", "/v1/auth/login", All, Blind, json!({"email": "owner@acme.test", "password": PASSWORD})),
        ("POST", "/v1/auth/logout", AllWithGood, Blind, json!({"refresh_token": w.refresh})),
        ("GET", "/v1/auth/me", Any, Blind, none.clone()),
        ("POST", "/v1/auth/mfa", All, Blind, json!({"mfa_token": w.mfa_token, "code": "000000"})),
        ("POST", "/v1/auth/refresh", All, Blind, json!({"refresh_token": w.refresh})),
        ("GET", "/v1/auth/test", Any, Blind, none.clone()),
        ("GET", "/v1/errors/{code}", All, Blind, none.clone()),
        ("GET", "/v1/forward-auth", Gateway, Blind, none.clone()),
        ("GET", "/v1/forward-auth/{path}", Gateway, Blind, none.clone()),
        ("GET", "/v1/invitations", To(MembersRead), Refused, none.clone()),
        ("POST", "/v1/invitations", To(MembersWrite), Refused, json!({"email": "new@acme.test", "role": "support"})),
        ("DELETE", "/v1/invitations/{id}", To(MembersWrite), Refused, none.clone()),
        ("GET", "/v1/invitations/{id}", To(MembersRead), Refused, none.clone()),
        ("POST", "/v1/leaks", All, Blind, json!({"text": "nothing"})),
        ("GET", "/v1/members", To(MembersRead), Refused, none.clone()),
        ("DELETE", "/v1/members/{id}", To(MembersWrite), Refused, none.clone()),
        ("GET", "/v1/members/{id}", To(MembersRead), Refused, none.clone()),
        ("PATCH", "/v1/members/{id}", To(MembersWrite), Refused, json!({"role": "support"})),
        ("GET", "/v1/scopes", To(SettingsRead), Refused, none.clone()),
        ("POST", "/v1/scopes", To(SettingsWrite), Refused, json!({"name": "fresh:read", "description": ""})),
        ("DELETE", "/v1/scopes/{name}", To(SettingsWrite), Refused, none.clone()),
        ("GET", "/v1/scopes/{name}", To(SettingsRead), Refused, none.clone()),
        ("PATCH", "/v1/scopes/{name}", To(SettingsWrite), Refused, json!({"description": "d"})),
        ("GET", "/v1/settings", To(SettingsRead), Refused, none.clone()),
        ("PATCH", "/v1/settings", To(PoliciesWrite), Refused, json!({"require_owner": false})),
        ("GET", "/v1/tenants", Any, Refused, none.clone()),
        ("POST", "/v1/tenants", Platform, Refused, json!({"name": "Initech"})),
        ("DELETE", "/v1/tenants/{id}", Platform, Refused, none.clone()),
        ("GET", "/v1/tenants/{id}", Any, Refused, none.clone()),
        ("PATCH", "/v1/tenants/{id}", Platform, Refused, json!({"name": "Acme"})),
        ("POST", "/v1/tenants/{id}/resume", Platform, Refused, json!({})),
        ("POST", "/v1/tenants/{id}/suspend", Platform, Refused, json!({"reason": "unpaid"})),
        ("GET", "/v1/usage/events", To(UsageRead), Blind, none.clone()),
        ("GET", "/v1/usage/events/{id}", To(UsageRead), Missing, none.clone()),
        ("GET", "/v1/usage/stream", To(UsageRead), Blind, none.clone()),
        ("GET", "/v1/usage/summary", To(UsageRead), Blind, none.clone()),
        ("POST", "/v1/verify", To(KeysVerify), Blind, json!({"credential": w.secret, "cost": 0})),
        ("POST", "/v1/verify/batch", To(KeysVerify), Blind, json!({"requests": [{"credential": w.secret, "cost": 0}]})),
    ]
}

/// What else opens an operation, beside its permission and the broader ones.
fn also_opens(method: &str, path: &str) -> &'static [Perm] {
    match (method, path) {
        // Who makes keys sees what they may hold.
        ("GET", "/v1/scopes") => &[Perm::KeysRead],
        // Who may see a key and its log could add it up.
        ("GET", "/v1/api-keys/{id}/impact") => &[Perm::KeysRead, Perm::UsageRead],
        _ => &[],
    }
}

/// What an operation asks for beside its permission.
fn beside(path: &str) -> &'static [Perm] {
    match path {
        // Who makes keys and manages the tenant takes over those of others.
        "/v1/api-keys/import" => &[Perm::KeysWrite],
        // Who makes somebody support may do what support may.
        "/v1/invitations" | "/v1/members/{id}" => &[Perm::KeysLookup, Perm::KeysRevoke, Perm::AppsRevoke],
        _ => &[],
    }
}

/// A live key of the tenant with an event, and the requests that name them.
struct World {
    app: App,
    key: String,
    secret: String,
    event: String,
    digest: String,
    /// Of somebody who signed in.
    refresh: String,
    /// Of somebody with a second factor, who gave their password.
    mfa_token: String,
    member: String,
    email: String,
    invitation: String,
    /// An OAuth app of the tenant, and what the owner allowed it.
    oauth_app: String,
    oauth_grant: String,
}

impl World {
    async fn new() -> Self {
        let app = App::new(On::Sqlite).await;
        let (key, secret, event, digest) = <(String, String, String, String)>::default();
        let (refresh, mfa_token, member, email, invitation) = <(String, String, String, String, String)>::default();
        let careful = app.t.join("careful@acme.test", Role::Support).await;
        let enrolment = identity::begin_two_factor(&careful).await.unwrap();
        let code = one_time_code(&enrolment.secret, app.t.core.now());
        identity::turn_on_two_factor(&careful, &code, false).await.unwrap();
        let (oauth_app, oauth_grant) = <(String, String)>::default();
        let mut w = Self { app, key, secret, event, digest, refresh, mfa_token, member, email, invitation, oauth_app, oauth_grant };
        w.renew().await;
        w
    }

    /// Another key with an event of its own: most operations change it.
    async fn renew(&mut self) {
        let admin = self.app.t.first.api_key.clone();
        (self.key, self.secret) = self.make(&admin, json!({"name": "target", "scopes": ["thing:read"]})).await;
        assert_eq!(self.app.verify(&json!({"credential": self.secret, "scopes": ["thing:read"]})).await.json()["code"], "VALID");
        self.event.clear();
        while self.event.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let log = self.call(&admin, "GET", &format!("/v1/api-keys/{}/usage", self.key), &Value::Null).await.json();
            log["data"][0]["id"].as_str().unwrap_or_default().clone_into(&mut self.event);
        }
        let person = json!({"email": "owner@acme.test", "password": PASSWORD});
        let signed_in = self.call("", "POST", "/v1/auth/login", &person).await.json();
        signed_in["refresh_token"].as_str().unwrap().clone_into(&mut self.refresh);
        let careful = json!({"email": "careful@acme.test", "password": PASSWORD});
        let half = self.call("", "POST", "/v1/auth/login", &careful).await;
        assert_eq!((half.status, half.code().as_str()), (StatusCode::UNAUTHORIZED, "MFA_REQUIRED"));
        half.json()["error"]["mfa_token"].as_str().unwrap().clone_into(&mut self.mfa_token);
        self.digest = format!("{:064x}", self.app.t.core.new_uuid().as_u128());
        let owner = self.app.t.owner();
        let there = match self.member.parse() {
            Ok(id) => members::get(&owner, Perm::MembersRead, id).await.is_ok(),
            Err(_) => false,
        };
        if !there {
            self.email = format!("{}@acme.test", self.app.t.core.new_uuid().simple());
            let joined = self.app.t.join(&self.email, Role::Developer).await;
            self.member = joined.person().unwrap().user_id.to_string();
        }
        let invite = contract::Invite { email: contract::Email::parse("asked@acme.test").unwrap(), role: Role::Support, days: 7 };
        self.invitation = members::invite(&owner, invite).await.unwrap().invitation.id.to_string();
        let body = json!({"name": "target", "redirect_uris": ["https://m.test/cb"], "scopes": ["thing:read"]});
        let made = oauth::create(&owner, &serde_json::from_value(body).unwrap()).await.unwrap().app.id;
        self.oauth_app = made.to_string();
        self.oauth_grant = self.app.t.allow(made).await.to_string();
    }

    /// Sends JSON with a key; the clock moves on so that no limit is met.
    async fn call(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        self.app.t.clock.advance(Duration::from_secs(if key.is_empty() { 540 } else { 1 }));
        self.app.t.core.cache.sync(&self.app.t.core).await.unwrap();
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut headers = vec![("content-type", "application/json")];
        if !key.is_empty() {
            headers.push(("x-api-key", key));
        }
        let mut req = request(method, path, &headers, &text);
        if method == "PUT" && path.ends_with("/logo") {
            // Not JSON, but a picture.
            req.headers_mut().insert("content-type", "image/png".parse().unwrap());
            *req.body_mut() = Body::from(PNG);
        }
        self.sent(req).await
    }

    /// The answer; of a stream its head only, for it has no end.
    async fn sent(&self, req: Request<Body>) -> Answer {
        let response = self.app.respond(req).await;
        let (parts, body) = response.into_parts();
        let endless = parts.headers.get("content-type").is_some_and(|t| t.as_bytes().starts_with(b"text/event-stream"));
        let bytes = if endless { Bytes::new() } else { to_bytes(body, usize::MAX).await.unwrap() };
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn make(&self, by: &str, body: Value) -> (String, String) {
        let made = self.call(by, "POST", "/v1/api-keys", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = made.json();
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    }

    /// The address of an operation on the live key.
    fn at(&self, path: &str) -> String {
        let tenant = self.app.t.first.tenant_id.to_string();
        let id = match path.split('/').nth(2) {
            Some("usage") => &self.event,
            Some("members") => &self.member,
            Some("invitations") => &self.invitation,
            Some("tenants") => &tenant,
            Some("oauth") if path.contains("/grants/") => &self.oauth_grant,
            Some("oauth") => &self.oauth_app,
            _ => &self.key,
        };
        let query = if path.ends_with("/impact") { "?change=revoke" } else { "" };
        path.replace("{id}", id)
            .replace("{name}", "thing:read")
            .replace("{code}", "NOT_FOUND")
            .replace("{path}", "v2/users")
            .replace("{file}", "x.png")
            + query
    }

    async fn stranger(&self) -> String {
        let line = self.app.t.as_who(Who::CommandLine(self.app.t.first.tenant_id));
        let other = tenants::create(&line, &contract::TenantName::parse("Other").unwrap(), None).await.unwrap();
        let there = self.app.t.as_who(Who::CommandLine(other.id));
        let body = serde_json::from_value(json!({"name": "stranger", "scopes": ["admin"]})).unwrap();
        keys::create_from_body(&there, &body).await.unwrap().key.unwrap()
    }
}

/// What an answer to the wrong one says.
fn code(answer: &Answer) -> String {
    if answer.text.starts_with('{') { answer.code() } else { String::new() }
}

#[tokio::test]
async fn the_table_names_every_operation_of_the_document_and_its_permission() {
    let w = World::new().await;
    let table = table(&w);
    let known: BTreeSet<_> = table.iter().map(|(method, path, ..)| format!("{method} {path}")).collect();
    let mut documented = BTreeSet::new();
    for (path, item) in &DOCUMENT.paths.paths {
        for (method, operation) in openapi::operations(item) {
            documented.insert(format!("{method} {path}"));
            let Some((.., opens, _, _)) = table.iter().find(|(m, p, ..)| (*m, *p) == (method, path)) else { continue };
            let said = openapi::extension(operation, PERMISSION).and_then(Value::as_str);
            let wanted = if let Opens::To(perm) = opens { Some(perm.as_str()) } else { None };
            assert_eq!(said, wanted, "{method} {path}");
        }
    }
    assert_eq!(known, documented, "operations without a test, or tests without an operation");
}

#[tokio::test]
async fn s24_s36_every_operation_refuses_strangers_and_keys_without_its_scope_and_takes_its_scope() {
    let mut w = World::new().await;
    let admin = w.app.t.first.api_key.clone();
    let gateway = w.app.t.first.gateway_key.clone();
    for n in 0..table(&w).len() {
        w.renew().await;
        let (method, path, opens, _, body) = table(&w).swap_remove(n);
        let (at, said) = (w.at(path), format!("{method} {path}"));
        let stranger = w.call("", method, &at, &body).await;
        match opens {
            Opens::All | Opens::AllWithGood => {
                assert!(!matches!(stranger.status.as_u16(), 401 | 403), "{said}: {}", stranger.text);
                let bad = w.call("sk_live_nonsense", method, &at, &body).await;
                assert_eq!(bad.status == 401, opens == Opens::AllWithGood, "{said}: {}", bad.text);
            }
            Opens::Client => {
                for answer in [stranger, w.call(&admin, method, &at, &body).await] {
                    assert!(matches!(answer.status.as_u16(), 400 | 401), "{said}: {}", answer.text);
                    assert!(answer.json()["error"].is_string(), "{said}: {}", answer.text);
                }
            }
            Opens::Gateway => {
                assert_eq!((stranger.status.as_u16(), code(&stranger).as_str()), (403, "GATEWAY_UNAUTHORIZED"), "{said}");
                for (proof, status) in [(w.secret.as_str(), 403), (admin.as_str(), 403), (gateway.as_str(), 200)] {
                    let answer = w.sent(request(method, &at, &[("x-keystead-gateway", proof), ("x-api-key", &w.secret)], "")).await;
                    assert_eq!(answer.status.as_u16(), status, "{said}: {}", answer.text);
                }
            }
            Opens::Any => {
                assert_eq!((stranger.status.as_u16(), code(&stranger).as_str()), (401, "UNAUTHORIZED"), "{said}");
                for key in [&w.secret, &gateway] {
                    assert_eq!(w.call(key, method, &at, &body).await.status, StatusCode::OK, "{said}");
                }
            }
            Opens::Platform => {
                assert_eq!((stranger.status.as_u16(), code(&stranger).as_str()), (401, "UNAUTHORIZED"), "{said}");
                let all_of_one = w.make(&admin, json!({"name": "all", "scopes": ["admin"]})).await.1;
                for key in [&all_of_one, &w.secret, &gateway] {
                    let refused = w.call(key, method, &at, &body).await;
                    assert_eq!((refused.status.as_u16(), code(&refused).as_str()), (403, "FORBIDDEN"), "{said}: {}", refused.text);
                }
                let powerless = json!({"name": "p", "scopes": ["thing:read"], "platform": true});
                let made = keys::create_from_body(&w.app.t.owner(), &serde_json::from_value(powerless).unwrap()).await.unwrap();
                let refused = w.call(&made.key.unwrap(), method, &at, &body).await;
                assert_eq!((refused.status.as_u16(), code(&refused).as_str()), (403, "INSUFFICIENT_PERMISSIONS"), "{said}");
                let taken = w.call(&admin, method, &at, &body).await;
                assert!(taken.status.is_success() || taken.status == StatusCode::CONFLICT, "{said}: {} {}", taken.status, taken.text);
            }
            Opens::To(perm) => {
                assert_eq!((stranger.status.as_u16(), code(&stranger).as_str()), (401, "UNAUTHORIZED"), "{said}");
                let broader = |p: &Perm| perm.held_by(&contract::ScopeSet(vec![p.scope()])) || also_opens(method, path).contains(p);
                let others: Vec<_> =
                    Perm::ALL.iter().filter(|p| !broader(p)).map(|p| p.as_str()).chain(["thing:read", "read", "write"]).collect();
                let without = w.make(&admin, json!({"name": "without", "scopes": others})).await.1;
                let refused = w.call(&without, method, &at, &body).await;
                assert_eq!(
                    (refused.status.as_u16(), code(&refused).as_str()),
                    (403, "INSUFFICIENT_PERMISSIONS"),
                    "{said}: {}",
                    refused.text
                );
                let missing = refused.json()["error"]["required_scope"].as_str().unwrap_or_default().to_owned();
                assert!(missing == perm.as_str() || also_opens(method, path).iter().any(|p| p.as_str() == missing), "{said}: {missing}");
                if perm != Perm::KeysVerify {
                    let refused = w.call(&gateway, method, &at, &body).await;
                    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{said} by a gateway: {}", refused.text);
                }
                // Nobody grants more than they hold: whoever makes keys holds what they shall hold.
                let scopes: Vec<&str> = beside(path).iter().chain([&perm]).map(|p| p.as_str()).chain(["thing:read"]).collect();
                let with = w.make(&admin, json!({"name": "with", "scopes": scopes})).await.1;
                let taken = w.call(&with, method, &at, &body).await;
                assert!(taken.status.is_success() || taken.status == StatusCode::CONFLICT, "{said}: {} {}", taken.status, taken.text);
            }
        }
    }
}

#[tokio::test]
async fn s66_every_operation_on_a_foreign_object_is_404_before_its_body_is_judged() {
    let w = World::new().await;
    let stranger = w.stranger().await;
    for (method, path, _, _, body) in
        table(&w).into_iter().filter(|(_, path, opens, ..)| path.contains('{') && matches!(opens, Opens::To(_)))
    {
        let bad = if path.ends_with("/impact") { w.at(path).replace("revoke", "nonsense") } else { w.at(path) };
        for (at, body) in [(w.at(path), body), (bad, json!({"nonsense": true}))] {
            let answer = w.call(&stranger, method, &at, &body).await;
            assert_eq!((answer.status.as_u16(), code(&answer).as_str()), (404, "NOT_FOUND"), "{method} {path} {body}: {}", answer.text);
        }
    }
    let untouched = w.call(&w.app.t.first.api_key, "GET", &w.at("/v1/api-keys/{id}"), &Value::Null).await.json();
    assert_eq!((&untouched["state"], &untouched["name"]), (&json!("active"), &json!("target")));
}

#[tokio::test]
async fn s36_a_test_credential_touches_and_sees_nothing_live_by_any_operation() {
    let w = World::new().await;
    let admin = w.app.t.first.api_key.clone();
    let test = w.make(&admin, json!({"name": "test", "scopes": ["admin"], "environment": "test"})).await.1;
    for (method, path, opens, expected, body) in table(&w) {
        let answer = w.call(&test, method, &w.at(path), &body).await;
        let said = format!("{method} {path}: {}", answer.text);
        if opens == Opens::Gateway {
            // It cannot be the proof of a gateway, and as a client's credential it is of the wrong environment.
            let asked = request(method, &w.at(path), &[("x-keystead-gateway", &w.app.t.first.gateway_key), ("x-api-key", &test)], "");
            assert_eq!(code(&w.sent(asked).await), "ENVIRONMENT_MISMATCH", "{said}");
            continue;
        }
        match expected {
            Test::Missing => assert_eq!(code(&answer), "NOT_FOUND", "{said}"),
            Test::Refused => assert_eq!(code(&answer), "ENVIRONMENT_MISMATCH", "{said}"),
            Test::Blind => {
                assert!(answer.status.is_success() || matches!(opens, Opens::All | Opens::Client) || path == "/v1/verify", "{said}");
                // The paths that it asked for stand in its own log, and hold the id within.
                for live in [&w.key, &w.event] {
                    assert!(!answer.text.contains(&format!("\"{live}\"")), "{said}");
                }
            }
        }
    }
    let untouched = w.call(&admin, "GET", &w.at("/v1/api-keys/{id}"), &Value::Null).await.json();
    assert_eq!((&untouched["state"], &untouched["name"]), (&json!("active"), &json!("target")));
}

/// The addresses that axum's router really has, read from what it prints of itself.
fn routed(router: &axum::Router) -> BTreeSet<String> {
    let printed = format!("{router:?}");
    let paths = printed.split("paths: {").nth(1).expect("the router prints its paths").split('}');
    // A path may hold braces itself: what stands between quotes is one.
    let whole = paths.collect::<Vec<_>>().join("}");
    whole.split('"').skip(1).step_by(2).take_while(|p| p.starts_with('/')).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn every_route_of_the_api_stands_in_the_document_with_its_methods_and_no_other() {
    let w = World::new().await;
    let all = routed(&keystead::http::router(AppState::new(w.app.t.core.clone(), &[], false, keystead::config::ErrorFormat::Standard)));
    assert!(all.contains("/keys/new") && all.contains("/v1/api-keys/{id}"), "{all:?}");
    let mut documented = BTreeMap::<String, BTreeSet<&str>>::new();
    for (path, item) in &DOCUMENT.paths.paths {
        for (method, operation) in openapi::operations(item) {
            documented.entry(path.replace("forward-auth/{path}", "forward-auth/{*path}")).or_default().insert(method);
            for also in openapi::extension(operation, ALSO_AT).and_then(Value::as_array).into_iter().flatten() {
                documented.entry(also.as_str().unwrap().to_owned()).or_default().insert(method);
            }
        }
    }
    let apis = ["/v1", "/v2", "/api-keys", "/oauth", "/health", "/livez", "/readyz", "/.well-known"];
    // These are pages: a person stands before them.
    let pages = ["/oauth/authorize", "/oauth/confirm", "/oauth/consent/{id}", "/oauth/try/callback"];
    let api: BTreeSet<_> = all.into_iter().filter(|p| apis.iter().any(|a| p.starts_with(a)) && !pages.contains(&p.as_str())).collect();
    assert_eq!(api, documented.keys().cloned().collect(), "routes without a description, or descriptions without a route");
    for (path, methods) in documented.iter().filter(|(path, _)| !path.starts_with("/v1/forward-auth")) {
        let at = path.replace(['{', '}', '*'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = w.call("", method, &at, &Value::Null).await;
            assert_eq!(answer.status != StatusCode::METHOD_NOT_ALLOWED, methods.contains(method), "{method} {path}: {}", answer.status);
        }
    }
    for (path, _) in documented.iter().filter(|(path, _)| path.starts_with("/api-keys") || path.starts_with("/v2")) {
        let method = if path.ends_with("/api-keys") || path.starts_with("/v2") { "GET" } else { continue };
        assert_eq!(w.call("", method, path, &Value::Null).await.code(), "UNAUTHORIZED", "{path}");
    }
}

/// Server functions, who may run them, and a form that works for the key of this moment. None is for everybody, or for
/// a person whatever their role: `people` tests those.
async fn server_functions(w: &World) -> Vec<(&'static str, Option<Perm>, String)> {
    use Perm::{AppsRevoke, AppsWrite, KeysLookup, KeysRevoke, KeysWrite, MembersWrite, PoliciesWrite, SettingsWrite};
    let (member, email, invitation) = (&w.member, &w.email, &w.invitation);
    let owner = w.app.t.owner();
    let (key, form_id) = (&w.key, contract::FormId::from_uuid(w.app.t.core.new_uuid()));
    let secret = keys::secrets(&owner, key.parse().unwrap()).await.unwrap()[0].id;
    let report = domain::leaks::report(&owner, secret, "seen").await.unwrap().id;
    let asked = "form[environment]=live&form[kind]=secret&form[more_scopes]=thing:read&form[expires]=never&form[allowed_ips]=";
    let app = &w.oauth_app;
    let app_secret = oauth::get(&owner, AppsWrite, app.parse().unwrap()).await.unwrap().secrets[0].id;
    let terms = "form[redirect_uris]=https://x.test/cb&form[more_scopes]=openid";
    let logo: String = PNG.iter().enumerate().map(|(n, byte)| format!("&logo[{n}]={byte}")).collect();
    let sure = "form[reason]=gone&form[confirm]=target";
    vec![
        ("/api/account/answer-email-link", None, String::new()),
        ("/api/account/begin-two-factor", None, String::new()),
        ("/api/account/change-email", None, String::new()),
        ("/api/account/change-password", None, String::new()),
        ("/api/account/confirm", None, String::new()),
        ("/api/account/end-other-sessions", None, String::new()),
        ("/api/account/end-session", None, String::new()),
        ("/api/account/forgot-password", None, String::new()),
        ("/api/account/new-recovery-codes", None, String::new()),
        ("/api/account/reset-password", None, String::new()),
        ("/api/account/second-step", None, String::new()),
        ("/api/account/set-up", None, String::new()),
        ("/api/account/sign-in", None, String::new()),
        ("/api/account/sign-out", None, String::new()),
        ("/api/account/turn-off-two-factor", None, String::new()),
        ("/api/account/turn-on-two-factor", None, String::new()),
        ("/api/apps/create", Some(AppsWrite), format!("form[form_id]={form_id}&form[name]=x&form[kind]=confidential&{terms}")),
        ("/api/apps/delete", Some(AppsWrite), format!("id={app}&confirm=target")),
        ("/api/apps/edit", Some(AppsWrite), format!("id={app}&form[name]=renamed&{terms}")),
        ("/api/apps/remove-logo", Some(AppsWrite), format!("id={app}")),
        ("/api/apps/resume", Some(AppsWrite), format!("id={app}")),
        ("/api/apps/rotate", Some(AppsWrite), format!("id={app}&form[grace]=0&form[secret]={app_secret}")),
        ("/api/apps/set-logo", Some(AppsWrite), format!("id={app}{logo}")),
        ("/api/apps/suspend", Some(AppsRevoke), format!("id={app}&reason=gone")),
        ("/api/apps/try", Some(AppsWrite), format!("id={app}&form[act]=stop")),
        // One's own without any permission: `app_pages` tests whose.
        ("/api/grants/revoke", None, String::new()),
        ("/api/invitations/accept", None, String::new()),
        ("/api/keys/act", Some(KeysWrite), format!("id={key}&form[do]=disable")),
        ("/api/keys/create", Some(KeysWrite), format!("form[form_id]={form_id}&form[name]=x&{asked}")),
        ("/api/keys/edit", Some(KeysWrite), format!("id={key}&form[form_id]={form_id}&form[name]=renamed&{asked}")),
        ("/api/keys/retire", Some(KeysWrite), format!("id={key}")),
        ("/api/keys/revoke", Some(KeysRevoke), format!("id={key}&{sure}")),
        ("/api/keys/revoke-many", Some(KeysRevoke), format!("form[key][0]={key}&form[reason]=gone&form[confirm]=revoke 1 key")),
        ("/api/keys/rotate", Some(KeysWrite), format!("id={key}&form[grace]=0&form[secret]={secret}")),
        ("/api/leaks/close", Some(KeysLookup), format!("id={report}&reason=harmless")),
        ("/api/leaks/end-app-secret", Some(AppsRevoke), format!("secret={app_secret}")),
        ("/api/leaks/look-up", Some(KeysLookup), format!("form[text]={}", w.secret)),
        ("/api/leaks/notify", Some(KeysLookup), format!("id={report}")),
        ("/api/leaks/report", Some(KeysLookup), format!("secret={secret}&note=seen")),
        ("/api/leaks/revoke", Some(KeysRevoke), format!("id={report}&{sure}")),
        ("/api/members/change-role", Some(MembersWrite), format!("id={member}&role=support")),
        ("/api/members/end-sessions", Some(MembersWrite), format!("id={member}")),
        ("/api/members/invite", Some(MembersWrite), "email=new@acme.test&role=support".into()),
        ("/api/members/recover", Some(MembersWrite), format!("id={member}&form[act]=reset_link&form[reason]=lost")),
        ("/api/members/remove", Some(MembersWrite), format!("id={member}&confirm={email}")),
        ("/api/members/set-account", Some(MembersWrite), format!("id={member}&disabled=true")),
        ("/api/members/transfer-ownership", Some(MembersWrite), format!("id={member}&confirm={email}")),
        ("/api/members/withdraw", Some(MembersWrite), format!("id={invitation}")),
        ("/api/platform/act-on-tenant", None, String::new()),
        ("/api/platform/create-tenant", None, String::new()),
        ("/api/platform/end-support", None, String::new()),
        ("/api/platform/open-support", None, String::new()),
        ("/api/platform/recover", None, String::new()),
        ("/api/platform/retry-mail", None, String::new()),
        ("/api/platform/save-plan", None, String::new()),
        ("/api/scopes/add", Some(SettingsWrite), "name=fresh:read&description=d".into()),
        ("/api/scopes/describe", Some(SettingsWrite), "name=fresh:read&description=e".into()),
        ("/api/scopes/delete", Some(SettingsWrite), "name=fresh:read".into()),
        ("/api/settings/delete-tenant", None, String::new()),
        ("/api/settings/end-support", None, String::new()),
        ("/api/settings/rename-tenant", Some(SettingsWrite), "name=Acme".into()),
        ("/api/settings/set-policies", Some(PoliciesWrite), "form[retention_days]=".into()),
        ("/api/tenants/leave", None, String::new()),
        ("/api/tenants/switch", None, String::new()),
        // The last one: no key works from the tests' address after it.
        ("/api/settings/set-allowlist", Some(PoliciesWrite), "allowed_ips[0]=203.0.113.0/24".into()),
    ]
}

#[tokio::test]
async fn s24_s36_every_server_function_refuses_strangers_and_roles_without_its_permission() {
    let mut w = World::new().await;
    let registered: BTreeSet<_> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let all = server_functions(&w).await;
    let tested: BTreeSet<_> = all.iter().map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(registered, tested, "server functions without a test, or tests without a server function");
    for n in 0..all.len() {
        w.renew().await;
        // Time passes: a session would end.
        let cookie = w.app.sign_in().await;
        let (path, perm, body) = server_functions(&w).await.swap_remove(n);
        let Some(perm) = perm else { continue };
        if path == "/api/members/transfer-ownership" {
            // The account was switched off a moment ago.
            members::enable_account(&w.app.t.owner(), w.member.parse().unwrap()).await.unwrap();
        }
        if path == "/api/keys/retire" {
            let overlap = contract::RotateBody { grace_seconds: Some(3_600) };
            keys::rotate(&w.app.t.owner(), w.key.parse().unwrap(), &overlap).await.unwrap();
        }
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("sec-fetch-site", "same-origin"),
            ("cookie", cookie.as_str()),
        ];
        let stranger = w.app.send(request("POST", path, &headers[..3], &body)).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path}: {}", stranger.text);
        for role in Role::ALL.iter().filter(|r| !r.holds(perm)) {
            w.app.t.set_role(*role).await;
            let refused = w.app.send(request("POST", path, &headers, &body)).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} by {role}: {}", refused.text);
        }
        w.app.t.set_role(Role::Owner).await;
        let taken = w.app.send(request("POST", path, &headers, &body)).await;
        assert!(taken.status.is_success(), "{path}: {} {}", taken.status, taken.text);
    }
}
