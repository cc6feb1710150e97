//! The pages of usage, audit, leak desk, settings and overview, and their forms, as members of each role ask for them.

use crate::harness::{Answer, App, on_both};
use axum::http::StatusCode;
use contract::{AllowlistBody, KeyFilter, LeakFilter, PageQuery, Role, UsageQuery};
use domain::{keys, leaks, scopes, tenants, testing::On, usage};
use serde_json::json;
use std::time::Duration;

async fn page(app: &App, cookie: &str, path: &str) -> Answer {
    app.get(path, &[("cookie", cookie), ("accept", "text/html")]).await
}

/// A key with one allowed and one denied request, stored.
async fn used_key(app: &App, name: &str) -> (contract::ApiKey, String) {
    let mut made = keys::create_from_form(&app.t.owner(), &app.t.form(name, "orders:read")).await.unwrap();
    let secret = made.key.take().unwrap();
    let stored = || usage::count_unscoped(&app.t.core.db);
    let before = stored().await.unwrap();
    for scope in ["orders:read", "orders:write"] {
        let asked = json!({"credential": secret, "scopes": [scope], "method": "GET", "path": "/v2/orders", "ip": "198.51.100.7",
            "user_agent": "curl/8 '; rm -rf ~ #"});
        assert_eq!(app.verify(&asked).await.status, StatusCode::OK);
    }
    while stored().await.unwrap() < before + 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (made.api_key, secret)
}

#[tokio::test]
async fn s36_every_page_of_the_logs_the_desk_and_the_settings_follows_the_role() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let pages = ["/", "/usage", "/usage/export", "/audit", "/audit/export", "/leaks", "/settings/scopes", "/settings/allowlist"];
    for (role, answers) in [
        (Role::Owner, [200, 200, 200, 200, 200, 200, 200, 200]),
        (Role::Admin, [200, 200, 200, 200, 200, 200, 200, 200]),
        (Role::Security, [200, 200, 200, 200, 200, 200, 200, 200]),
        (Role::Developer, [200, 200, 403, 403, 403, 403, 403, 403]),
        (Role::Support, [303, 403, 403, 403, 403, 200, 403, 403]),
    ] {
        app.t.set_role(role).await;
        for (path, status) in pages.into_iter().zip(answers) {
            let answer = page(&app, &cookie, path).await;
            assert_eq!(answer.status.as_u16(), status, "{role} {path}");
            if status == 403 {
                assert!(answer.text.contains("You need") && answer.text.contains("keystead."), "{role} {path}: names what is missing");
            }
        }
    }
    for path in pages {
        assert_eq!(page(&app, "", path).await.status, StatusCode::SEE_OTHER, "a stranger is led to the sign-in: {path}");
    }
}

#[tokio::test]
async fn s36_every_form_of_the_desk_and_the_settings_asks_for_its_permission() {
    let app = App::new(On::Sqlite).await;
    let (key, secret) = used_key(&app, "checkout").await;
    let found = leaks::lookup(&app.t.owner(), &secret).await.unwrap().matches.remove(0);
    let report = leaks::report(&app.t.owner(), found.secret.id, "").await.unwrap();
    let cookie = app.sign_in().await;
    let at = format!("/leaks/{}", report.id);
    for (role, path, body) in [
        (Role::Developer, "/leaks", "text=x".to_owned()),
        (Role::Security, "/leaks", "text=x".to_owned()),
        (Role::Developer, "/leaks", format!("secret_id={}", found.secret.id)),
        (Role::Developer, at.as_str(), "act=notify".to_owned()),
        (Role::Security, at.as_str(), "act=close&reason=x".to_owned()),
        (Role::Developer, at.as_str(), "act=revoke&confirm=checkout".to_owned()),
        (Role::Developer, "/settings/scopes", "act=add&name=orders%3Aship".to_owned()),
        (Role::Security, "/settings/scopes", "act=describe&name=read&description=x".to_owned()),
        (Role::Security, "/settings/scopes", "act=delete&name=delete".to_owned()),
        (Role::Support, "/settings/allowlist", "act=save&allowed_ips=203.0.113.24&reviewed=203.0.113.24".to_owned()),
        (Role::Developer, "/settings/allowlist", "act=review&allowed_ips=".to_owned()),
    ] {
        app.t.set_role(role).await;
        let answer = app.form(path, &cookie, &body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {path} {body}");
    }
    let owner = app.t.owner();
    assert!(keys::get(&owner, key.id).await.unwrap().revoked_at.is_none());
    assert_eq!(leaks::list(&owner, LeakFilter::default(), PageQuery::default()).await.unwrap().data, [report]);
    assert_eq!(scopes::catalogue(&owner).await.unwrap().len(), 5, "the four of a new tenant and the key's");
    assert!(tenants::allowlist(&owner).await.unwrap().allowed_ips.is_empty());
}

#[tokio::test]
async fn s36_support_starts_at_the_leak_desk_and_is_shown_nothing_else() {
    let app = App::new(On::Sqlite).await;
    app.t.set_role(Role::Support).await;
    let body = format!("email=owner%40acme.test&password={}", domain::testing::PASSWORD.replace(' ', "+"));
    let signed_in = app.form("/login", "", &body).await;
    assert_eq!((signed_in.status.as_u16(), signed_in.header("location")), (303, "/leaks"));
    let cookie = signed_in.cookie();
    for path in ["/", "/login"] {
        assert_eq!(page(&app, &cookie, path).await.header("location"), "/leaks", "{path}");
    }
    let desk = page(&app, &cookie, "/leaks").await;
    for hidden in ["href=\"/keys\"", "href=\"/usage\"", "href=\"/audit\"", "href=\"/settings", "href=\"/keys/new\"", "href=\"/\""] {
        assert!(!desk.text.contains(hidden), "{hidden}");
    }
    assert!(desk.text.contains("href=\"/leaks\""));
    let refused = page(&app, &cookie, "/keys").await;
    assert!(refused.text.contains("Go to the leak desk") && !refused.text.contains("Go to API keys"), "the way on leads somewhere");
}

on_both! {
    async fn s77_what_is_pasted_at_the_desk_is_searched_and_never_shown_again(on) {
        let app = App::new(on).await;
        let (key, secret) = used_key(&app, "stock-report").await;
        app.t.set_role(Role::Support).await;
        let cookie = app.sign_in().await;
        let pasted = format!("text=a+private+line%0AKEY%3D{secret}%0A");
        let found = app.form("/leaks", &cookie, &pasted).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.text);
        assert!(!found.text.contains(&secret) && !found.text.contains("a private line"), "the text is forgotten");
        for part in ["stock-report", "line 2", "Acme", "owner@acme.test", "Still works", "198.51.100.7", &key.last_four] {
            assert!(found.text.contains(part), "{part}");
        }
        assert!(!found.text.contains(&format!("/keys/{}", key.id)), "no link to a page that support does not see");
        let empty = app.form("/leaks", &cookie, "text=+").await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(empty.text.contains("Paste the text"));

        let secret_id = leaks::lookup(&app.t.owner(), &secret).await.unwrap().matches[0].secret.id;
        let with_key = app.form("/leaks", &cookie, &format!("secret_id={secret_id}&note=see+{secret}")).await;
        assert_eq!(with_key.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(with_key.text.contains("Leave the key itself out") && !with_key.text.contains(&secret), "nor a note that holds it");
        let reported = app.form("/leaks", &cookie, &format!("secret_id={secret_id}&note=in+a+public+log&notify=1")).await;
        assert_eq!(reported.status, StatusCode::SEE_OTHER, "{}", reported.text);
        let at = reported.header("location").to_owned();
        let shown = page(&app, &cookie, &at).await;
        assert!(shown.text.contains("in a public log") && shown.text.contains("Leak of stock-report") && !shown.text.contains("Tell the owner"), "{}", shown.text);

        let alive = app.form(&at, &cookie, "act=close&reason=").await;
        assert_eq!(alive.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(alive.text.contains("The reported secret still works"), "{}", alive.text);
        let wrong = app.form(&at, &cookie, "act=revoke&why=public&confirm=stock").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("value=\"public\"") && wrong.text.contains("value=\"stock\""), "what was typed is kept");
        assert_eq!(app.form(&at, &cookie, "act=revoke&why=public&confirm=stock-report").await.header("location"), at);
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.code(), "INVALID_API_KEY", "the very next request");
        assert_eq!(app.form(&at, &cookie, "act=close&reason=").await.header("location"), at, "a dead secret needs no reason");
        let closed = page(&app, &cookie, &at).await;
        for part in ["Closed", "Leak closed", "API key revoked", "public"] {
            assert!(closed.text.contains(part), "{part}");
        }
        let again = app.form(&at, &cookie, "act=notify").await;
        assert_eq!(again.status, StatusCode::CONFLICT);
    }
}

on_both! {
    async fn a_request_is_found_by_its_id_and_says_why_it_was_refused(on) {
        let app = App::new(on).await;
        let (key, secret) = used_key(&app, "checkout").await;
        let cookie = app.sign_in().await;
        let owner = app.t.owner();
        let query = UsageQuery { credential_id: Some(key.id), ..UsageQuery::default() };
        let events = usage::search(&owner, &query, PageQuery::default()).await.unwrap().data;
        let denied = &events[0];
        let led = page(&app, &cookie, &format!("/usage?request_id={}", denied.request_id)).await;
        assert_eq!((led.status.as_u16(), led.header("location")), (302, format!("/usage/{}", denied.id).as_str()));
        let why = page(&app, &cookie, &format!("/usage/{}?credential_id={}", denied.id, key.id)).await;
        assert_eq!(why.status, StatusCode::OK, "{}", why.text);
        for part in ["Missing permission", "Why denied?", "Missing: orders:write.", "Not reached", "is-fail", "Older request"] {
            assert!(why.text.contains(part), "{part}: {}", why.text);
        }
        assert!(!why.text.contains("Newer request"), "it is the newest of this key");
        assert!(!why.text.contains(&secret));
        assert!(why.text.contains(r"curl/8 '\''; rm -rf ~ #"), "quoted for a shell");
        for part in ["/usage?ip=198.51.100.7", "/usage?code=INSUFFICIENT_SCOPE", "/usage?path=%2Fv2%2Forders"] {
            assert!(why.text.contains(part), "{part}");
        }
        let foreign = page(&app, &cookie, "/usage/evt_00000000000000000000000000000001").await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    }
}

on_both! {
    async fn an_export_holds_what_the_filter_shows_and_no_more(on) {
        let app = App::new(on).await;
        let (key, _) = used_key(&app, "=checkout").await;
        used_key(&app, "other").await;
        let cookie = app.sign_in().await;
        let csv = page(&app, &cookie, &format!("/usage/export?credential_id={}&environment=live&format=csv", key.id)).await;
        assert_eq!((csv.status.as_u16(), csv.header("content-type")), (200, "text/csv; charset=utf-8; header=present"));
        assert!(csv.header("content-disposition").contains("keystead-usage.csv"));
        let lines: Vec<&str> = csv.text.lines().collect();
        assert_eq!(lines.len(), 3, "{}", csv.text);
        assert!(lines[1].contains("'=checkout") && lines[1].contains("INSUFFICIENT_SCOPE"), "s79: {}", lines[1]);
        let ndjson = page(&app, &cookie, "/audit/export?action=api_key.created&format=ndjson").await;
        let rows: Vec<serde_json::Value> = ndjson.text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(rows.len(), 4, "bootstrap's two, and two");
        assert!(rows.iter().all(|r| r["action"] == "api_key.created"));
        for wrong in ["/usage/export?format=xml", "/usage/export?outcom=denied", "/audit/export?from=yesterday"] {
            assert_eq!(page(&app, &cookie, wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        }
    }
}

on_both! {
    async fn an_allowlist_shows_what_it_breaks_before_it_is_saved(on) {
        let app = App::new(on).await;
        used_key(&app, "checkout").await;
        let cookie = app.sign_in().await;
        let at = "/settings/allowlist";
        let typo = app.form(at, &cookie, "act=review&allowed_ips=203.0.113.7%2F24").await;
        assert_eq!(typo.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(typo.text.contains("Did you mean 203.0.113.0/24?") && typo.text.contains("203.0.113.7/24"));
        let review = app.form(at, &cookie, "act=review&allowed_ips=192.0.2.0%2F24").await;
        assert_eq!(review.status, StatusCode::OK);
        assert!(review.text.contains("1 of 1 allowed request of the last 30 days would have been refused") , "{}", review.text);
        assert!(review.text.contains("198.51.100.7") && review.text.contains("Your own address, 203.0.113.24, is not on the list"));
        let list = || async { tenants::allowlist(&app.t.owner()).await.unwrap().allowed_ips.len() };
        assert_eq!(list().await, 0, "looked at, not saved");
        let unseen = app.form(at, &cookie, "act=save&allowed_ips=192.0.2.0%2F24&reviewed=203.0.113.0%2F24&lockout=1").await;
        assert_eq!((unseen.status.as_u16(), list().await), (200, 0), "another list than the one that was shown");
        let out = app.form(at, &cookie, "act=save&allowed_ips=192.0.2.0%2F24&reviewed=192.0.2.0%2F24").await;
        assert_eq!((out.status.as_u16(), list().await), (422, 0), "s35: who shuts themselves out says so");
        let saved = app.form(at, &cookie, "act=save&allowed_ips=192.0.2.0%2F24&reviewed=192.0.2.0%2F24&lockout=1").await;
        assert_eq!((saved.status.as_u16(), saved.header("location"), list().await), (303, "/settings/allowlist?saved=1", 1));
        tenants::set_allowlist(&app.t.owner(), &AllowlistBody { allowed_ips: vec![] }).await.unwrap();
        assert_eq!(app.form(at, &cookie, "act=save&allowed_ips=203.0.113.0%2F24&reviewed=203.0.113.0%2F24").await.status, StatusCode::SEE_OTHER, "nobody is shut out");
    }
}

on_both! {
    async fn the_catalogue_is_kept_on_its_page(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let at = "/settings/scopes";
        let bad = app.form(at, &cookie, "act=add&name=Orders%3ARead&description=x").await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(bad.text.contains("value=\"Orders:Read\"") && bad.text.contains("aria-invalid=\"true\""));
        assert_eq!(app.form(at, &cookie, "act=add&name=orders%3Aread&description=Read+orders").await.header("location"), at);
        assert_eq!(app.form(at, &cookie, "act=add&name=read%3Aorders").await.status, StatusCode::CONFLICT, "the same permission");
        assert!(page(&app, &cookie, at).await.text.contains("Read orders"));
        assert_eq!(app.form(at, &cookie, "act=describe&name=orders%3Aread&description=See+orders").await.status, StatusCode::SEE_OTHER);
        assert!(page(&app, &cookie, "/settings/scopes?edit=orders%3Aread").await.text.contains("value=\"See orders\""));
        keys::create_from_form(&app.t.owner(), &app.t.form("holder", "orders:read")).await.unwrap();
        let held = app.form(at, &cookie, "act=delete&name=orders%3Aread").await;
        assert_eq!(held.status, StatusCode::CONFLICT);
        assert!(held.text.contains("1 key holds orders:read"), "{}", held.text);
        assert_eq!(app.form(at, &cookie, "act=delete&name=delete").await.status, StatusCode::SEE_OTHER);
        assert_eq!(scopes::catalogue(&app.t.owner()).await.unwrap().len(), 4);
    }
}

on_both! {
    async fn the_overview_counts_what_happened_and_names_what_changed(on) {
        let app = App::new(on).await;
        used_key(&app, "checkout").await;
        let cookie = app.sign_in().await;
        for path in ["/", "/?range=30d"] {
            let board = page(&app, &cookie, path).await;
            assert_eq!(board.status, StatusCode::OK);
            for part in ["Requests by outcome", "2 requests, 50% denied.", "checkout", "Missing permission", "Needs attention", "API key created"] {
                assert!(board.text.contains(part), "{path}: {part}: {}", board.text);
            }
        }
        app.t.set_role(Role::Developer).await;
        let own = page(&app, &cookie, "/").await;
        assert!(!own.text.contains("Recent changes") && !own.text.contains("href=\"/audit\""), "what a role does not see is not there");
    }
}

on_both! {
    async fn the_audit_log_tells_what_changed_and_whether_its_chain_holds(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let (key, _) = used_key(&app, "checkout").await;
        keys::revoke(&app.t.owner(), key.id, Some("replaced")).await.unwrap();
        let log = page(&app, &cookie, &format!("/audit?target={}&action=api_key.revoked", key.id)).await;
        for part in ["<del>active", "<ins>revoked", "Chain of", "replaced"] {
            assert!(log.text.contains(part), "{part}");
        }
        assert!(!log.text.contains("<details><summary>API key created"));
        assert!(page(&app, &cookie, "/audit?verify=1").await.text.contains("The chain is whole"), "s78");
        app.t.tamper("UPDATE audit_events SET reason = 'because' WHERE action = 'api_key.revoked'").await;
        assert!(page(&app, &cookie, "/audit?verify=1").await.text.contains("The chain breaks at event"), "s78");
        let filter = page(&app, &cookie, "/audit?from=yesterday").await;
        assert_eq!(filter.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(filter.text.contains("aria-invalid=\"true\""));
        assert_eq!(keys::list(&app.t.owner(), &KeyFilter::default(), PageQuery::default()).await.unwrap().data.len(), 3);
    }
}
