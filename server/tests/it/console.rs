use crate::harness::{Answer, App, Setup, on_both, request};
use axum::http::StatusCode;
use contract::{AuditFilter, KeyFilter, PageQuery, Role};
use domain::{
    audit, keys,
    testing::{On, PASSWORD},
};

pub fn secret_in(answer: &Answer) -> Option<String> {
    let whole = |at: usize| answer.text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    answer.text.match_indices("sk_live_").map(|(at, _)| whole(at)).find(|token| token.len() == 46)
}

pub fn create_form(app: &App, name: &str) -> String {
    let form_id = contract::FormId::from_uuid(app.t.core.new_uuid());
    format!("form_id={form_id}&name={name}&environment=live&kind=secret&scopes=read&more_scopes=users%3Awrite&expires=90&allowed_ips=")
}

on_both! {
    async fn the_whole_journey_works_without_javascript(on) {
        let app = App::new(on).await;
        assert_eq!(app.get("/keys", &[("accept", "text/html")]).await.header("location"), "/login?next=/keys");
        let cookie = app.sign_in().await;
        let form = create_form(&app, "nightly-export");
        let revealed = app.form("/keys/new", &cookie, &form).await;
        assert_eq!(revealed.status, StatusCode::OK, "{}", revealed.text);
        let secret = secret_in(&revealed).unwrap();
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.status, StatusCode::OK);
        let again = app.form("/keys/new", &cookie, &form).await;
        assert_eq!((again.status, secret_in(&again)), (StatusCode::OK, None), "posting the same form twice makes one key");
        let filter = KeyFilter { q: Some("nightly".into()), ..KeyFilter::default() };
        let key = keys::list(&app.t.owner(), &filter, PageQuery::default()).await.unwrap().data.remove(0);
        for page in ["/keys".to_owned(), format!("/keys/{}", key.id), "/usage".into(), "/audit".into()] {
            let answer = app.get(&page, &[("accept", "text/html"), ("cookie", &cookie)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{page}");
            assert!(answer.text.contains("nightly-export") || page == "/usage", "{page}");
            assert!(!answer.text.contains(&secret), "{page} shows the secret (s31)");
        }
        let revoke = format!("/keys/{}/revoke", key.id);
        let refused = app.form(&revoke, &cookie, "confirm=wrong&reason=leaked+in+a+log").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("leaked in a log"), "what was typed is kept");
        let done = app.form(&revoke, &cookie, "confirm=nightly-export&reason=leaked+in+a+log").await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, format!("/keys/{}", key.id).as_str()));
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.code(), "INVALID_API_KEY", "the very next request");
        let log = audit::list(&app.t.owner(), &AuditFilter { target_id: Some(key.id.to_string()) }, PageQuery::default()).await.unwrap().data;
        assert_eq!((log[0].action.as_str(), log[0].actor.name.as_str(), log[0].reason.as_deref()), ("api_key.revoked", "owner@acme.test", Some("leaked in a log")));
        assert!(log[0].request_id.as_deref().is_some_and(|id| id.starts_with("req_")));
    }
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_names_the_fields() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let form_id = contract::FormId::from_uuid(app.t.core.new_uuid());
    let form = format!(
        "form_id={form_id}&name=&environment=live&kind=restricted&scopes=admin&expires=custom&expires_at=&allowed_ips=198.51.100.0%2F33"
    );
    let answer = app.form("/keys/new", &cookie, &form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in ["198.51.100.0/33", "Did you mean 198.51.100.0/24?", "aria-invalid=\"true\"", "never holds admin"] {
        assert!(answer.text.contains(part), "{part}");
    }
}

#[tokio::test]
async fn s19_s20_s21_the_session_is_new_at_sign_in_and_dies_at_sign_out() {
    let app = App::new(On::Sqlite).await;
    let body = format!("email=owner%40acme.test&password={}", PASSWORD.replace(' ', "+"));
    let first = app.form("/login", "", &body).await;
    let set =
        first.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap().to_owned()).find(|c| c.starts_with("keystead=")).unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/") && !set.contains("Secure"), "{set}");
    let cookie = first.cookie();
    let again = app.form("/login", "keystead=AAAAAAAAAAAAAAAAAAAAAA", &body).await.cookie();
    assert!(again.len() > 30 && again != cookie && !again.contains("AAAAAAAA"), "a fixed id is not taken over: {again}");
    assert_eq!(app.get("/keys", &[("cookie", &cookie), ("accept", "text/html")]).await.status, StatusCode::OK);
    let out = app.form("/logout", &cookie, "").await;
    assert_eq!(out.header("location"), "/login");
    assert_eq!(
        app.get("/keys", &[("cookie", &cookie), ("accept", "text/html")]).await.status,
        StatusCode::SEE_OTHER,
        "the old cookie is dead"
    );
    assert_eq!(app.get("/keys", &[("cookie", &again), ("accept", "text/html")]).await.status, StatusCode::OK, "the other session lives");
}

#[tokio::test]
async fn s20_on_https_the_cookie_is_host_bound_and_secure() {
    let app = App::with(On::Sqlite, Setup { trusted: vec!["10.0.0.0/8"], https: true, peer: "10.0.0.2:1", ..Setup::default() }).await;
    let body = format!("email=owner%40acme.test&password={}", PASSWORD.replace(' ', "+"));
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin"), ("x-forwarded-proto", "https")];
    let answer = app.send(request("POST", "/login", &headers, &body)).await;
    let set = answer.header("set-cookie");
    assert!(set.starts_with("__Host-keystead=") && set.contains("Secure") && set.contains("HttpOnly") && !set.contains("Domain"), "{set}");
}

#[tokio::test]
async fn s23_another_sites_post_is_refused_on_every_form_and_server_function() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let mut posts: Vec<String> = [
        "/login",
        "/login/2fa",
        "/forgot",
        "/reset",
        "/email",
        "/account",
        "/account/email",
        "/account/two-factor",
        "/account/sessions",
        "/logout",
        "/setup",
        "/preferences",
        "/keys",
        "/keys/new",
        "/keys/revoke",
    ]
    .map(Into::into)
    .into();
    posts.extend(["", "/edit", "/rotate", "/retire", "/revoke"].map(|page| format!("/keys/key_1{page}")));
    posts.extend(
        [
            "/apps/new",
            "/apps/app_1",
            "/apps/app_1/edit",
            "/apps/app_1/rotate",
            "/apps/app_1/logo",
            "/apps/app_1/try",
            "/grants",
            "/oauth/confirm",
        ]
        .map(Into::into),
    );
    posts.extend(["/leaks", "/leaks/leak_1", "/settings/scopes", "/settings/allowlist"].map(Into::into));
    posts.extend(
        ["/members", "/members/usr_1", "/invitations/accept", "/tenants", "/settings/tenant", "/settings/policies"].map(Into::into),
    );
    posts.extend(
        ["/platform/mails", "/platform/plans", "/platform/recovery", "/platform/tenants", "/platform/tenants/ten_1"].map(Into::into),
    );
    posts.extend(server_functions().into_iter().filter(|(_, method)| method == "POST").map(|(path, _)| path));
    for path in posts {
        for attack in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.test"),
            ("origin", "null"),
            ("x-none", ""),
        ] {
            let headers = [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded"), attack];
            let answer = app.send(request("POST", &path, &headers, "name=x")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {attack:?}");
        }
    }
    assert_eq!(keys::list(&app.t.owner(), &KeyFilter::default(), PageQuery::default()).await.unwrap().data.len(), 2, "bootstrap's two");
}

/// Every server function with its method, as leptos registered it.
fn server_functions() -> Vec<(String, String)> {
    let mut all: Vec<_> = leptos::server_fn::axum::server_fn_paths().map(|(path, method)| (path.to_owned(), method.to_string())).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn s24_s25_every_server_function_is_listed_with_its_method_and_refuses_strangers() {
    let app = App::new(On::Sqlite).await;
    let listed = [
        ("/api/account/answer-email-link", "POST", false),
        ("/api/account/begin-two-factor", "POST", true),
        ("/api/account/change-email", "POST", true),
        ("/api/account/change-password", "POST", true),
        ("/api/account/confirm", "POST", true),
        ("/api/account/end-other-sessions", "POST", true),
        ("/api/account/end-session", "POST", true),
        ("/api/account/forgot-password", "POST", false),
        ("/api/account/new-recovery-codes", "POST", true),
        ("/api/account/reset-password", "POST", false),
        ("/api/account/second-step", "POST", true),
        ("/api/account/set-up", "POST", false),
        ("/api/account/sign-in", "POST", false),
        ("/api/account/sign-out", "POST", false),
        ("/api/account/turn-off-two-factor", "POST", true),
        ("/api/account/turn-on-two-factor", "POST", true),
        ("/api/apps/create", "POST", true),
        ("/api/apps/delete", "POST", true),
        ("/api/apps/edit", "POST", true),
        ("/api/apps/remove-logo", "POST", true),
        ("/api/apps/resume", "POST", true),
        ("/api/apps/rotate", "POST", true),
        ("/api/apps/set-logo", "POST", true),
        ("/api/apps/suspend", "POST", true),
        ("/api/apps/try", "POST", true),
        ("/api/grants/revoke", "POST", true),
        ("/api/invitations/accept", "POST", false),
        ("/api/keys/act", "POST", true),
        ("/api/keys/create", "POST", true),
        ("/api/keys/edit", "POST", true),
        ("/api/keys/retire", "POST", true),
        ("/api/keys/revoke", "POST", true),
        ("/api/keys/revoke-many", "POST", true),
        ("/api/keys/rotate", "POST", true),
        ("/api/leaks/close", "POST", true),
        ("/api/leaks/end-app-secret", "POST", true),
        ("/api/leaks/look-up", "POST", true),
        ("/api/leaks/notify", "POST", true),
        ("/api/leaks/report", "POST", true),
        ("/api/leaks/revoke", "POST", true),
        ("/api/members/change-role", "POST", true),
        ("/api/members/end-sessions", "POST", true),
        ("/api/members/invite", "POST", true),
        ("/api/members/recover", "POST", true),
        ("/api/members/remove", "POST", true),
        ("/api/members/set-account", "POST", true),
        ("/api/members/transfer-ownership", "POST", true),
        ("/api/members/withdraw", "POST", true),
        ("/api/platform/act-on-tenant", "POST", true),
        ("/api/platform/create-tenant", "POST", true),
        ("/api/platform/end-support", "POST", true),
        ("/api/platform/open-support", "POST", true),
        ("/api/platform/recover", "POST", true),
        ("/api/platform/retry-mail", "POST", true),
        ("/api/platform/save-plan", "POST", true),
        ("/api/scopes/add", "POST", true),
        ("/api/scopes/delete", "POST", true),
        ("/api/scopes/describe", "POST", true),
        ("/api/settings/delete-tenant", "POST", true),
        ("/api/settings/end-support", "POST", true),
        ("/api/settings/rename-tenant", "POST", true),
        ("/api/settings/set-allowlist", "POST", true),
        ("/api/settings/set-policies", "POST", true),
        ("/api/tenants/leave", "POST", true),
        ("/api/tenants/switch", "POST", true),
    ];
    let known = listed.map(|(path, method, _)| (path.to_owned(), method.to_owned()));
    assert_eq!(server_functions(), known, "a server function without an authorisation test");
    assert!(listed.iter().all(|(_, method, _)| *method == "POST"), "server functions change something, so no GET runs one");
    let body = "id=key_00000000000000000000000000000001&form[name]=x&form[confirm]=x&form[email]=a&form[password]=b&form[token]=c&form[do]=disable";
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
    for (path, _, members_only) in listed {
        // One body for all but these, whose id is of another kind.
        let body = &match path {
            path if path.starts_with("/api/apps/") => body.replace("key_", "app_") + "&reason=x&confirm=x&logo[0]=1&form[act]=begin",
            "/api/grants/revoke" => body.replace("key_", "grt_"),
            "/api/leaks/close" | "/api/leaks/notify" | "/api/leaks/revoke" => body.replace("key_", "leak_") + "&reason=x",
            "/api/leaks/end-app-secret" => "secret=aps_00000000000000000000000000000001".to_owned(),
            "/api/leaks/report" => "secret=sec_00000000000000000000000000000001&note=x".to_owned(),
            "/api/leaks/look-up" => "form[text]=x".to_owned(),
            "/api/scopes/add" | "/api/scopes/delete" | "/api/scopes/describe" => "name=x&description=x".to_owned(),
            "/api/members/invite" => "email=a@b.test&role=admin".to_owned(),
            "/api/members/withdraw" => "id=inv_00000000000000000000000000000001".to_owned(),
            path if path.starts_with("/api/members/") => {
                "id=usr_00000000000000000000000000000001&role=admin&confirm=x&disabled=true&form[act]=reset_link".to_owned()
            }
            "/api/platform/recover" => "form[act]=reset_link&form[email]=a@b.test&form[reason]=x".to_owned(),
            "/api/platform/retry-mail" => "id=mail_00000000000000000000000000000001".to_owned(),
            "/api/account/change-email" => "form[act]=ask&form[new_email]=a@b.test&form[password]=x".to_owned(),
            path if path.starts_with("/api/platform/") || path.starts_with("/api/tenants/") || path.ends_with("-tenant") => {
                let id = "ten_00000000000000000000000000000001";
                format!("id={id}&tenant={id}&name=x&confirm=x&form[act]=change&form[name]=x")
            }
            "/api/settings/end-support" => "id=sup_00000000000000000000000000000001".to_owned(),
            "/api/settings/set-policies" => "form[retention_days]=".to_owned(),
            "/api/settings/set-allowlist" => "allowed_ips[0]=203.0.113.9".to_owned(),
            "/api/account/second-step" | "/api/account/turn-on-two-factor" => "code=123456".to_owned(),
            _ => body.to_owned(),
        };
        let answer = app.send(request("GET", &format!("{path}?{body}"), &headers, "")).await;
        assert!(answer.status.is_client_error(), "GET {path}: {}", answer.status);
        if members_only {
            let answer = app.send(request("POST", path, &headers, body)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.text);
            assert!(answer.text.contains("UNAUTHORIZED"), "{path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn s26_sign_in_and_preferences_lead_to_local_paths_only() {
    let app = App::new(On::Sqlite).await;
    let login = format!("email=owner%40acme.test&password={}", PASSWORD.replace(' ', "+"));
    for (next, led) in [
        ("%2Fusage%3Foutcome%3Ddenied", "/usage?outcome=denied"),
        ("https%3A%2F%2Fevil.test", "/keys"),
        ("%2F%2Fevil.test", "/keys"),
        ("%2F%5Cevil.test", "/keys"),
    ] {
        assert_eq!(app.form("/login", "", &format!("{login}&next={next}")).await.header("location"), led);
        assert_eq!(app.form("/preferences", "", &format!("theme=dark&back={next}")).await.header("location"), led);
    }
}

/// Server functions send a plain form back to its `Referer`, which anybody can write.
#[tokio::test]
async fn s26_a_plain_form_that_reaches_a_server_function_is_led_nowhere_else() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    for (path, _) in server_functions().into_iter().filter(|(path, _)| !path.ends_with("sign-out")) {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "text/html"),
            ("sec-fetch-site", "same-origin"),
            ("referer", "https://evil.test/"),
            ("cookie", cookie.as_str()),
        ];
        let answer = app.send(request("POST", &path, &headers, "name=x&id=x")).await;
        assert!(!answer.header("location").contains("evil.test"), "{path}: {} {}", answer.status, answer.header("location"));
    }
}

on_both! {
    async fn s24_looking_at_a_page_changes_nothing(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let owner = app.t.owner();
        let key = keys::create_from_form(&owner, &app.t.form("plain", "read")).await.unwrap().api_key.id;
        let asked = contract::Invite { email: contract::Email::parse("asked@acme.test").unwrap(), role: Role::Support, days: 7 };
        let link = domain::members::invite(&owner, asked).await.unwrap().accept_url.unwrap();
        let (tenant, person) = (app.t.first.tenant_id, app.t.first.user_id);
        let mut pages: Vec<String> = ["/", "/keys", "/keys?queue=orphaned", "/keys/new", "/usage", "/audit", "/leaks", "/login", "/forgot"].map(Into::into).into();
        let body = serde_json::from_str(r#"{"name": "x", "redirect_uris": ["https://x.test/cb"], "scopes": ["openid"]}"#).unwrap();
        let oauth_app = domain::oauth::create(&owner, &body).await.unwrap().app.id;
        pages.extend(["/apps", "/apps/new", "/grants"].map(Into::into));
        pages.extend(["", "/edit", "/rotate", "/logo", "/try"].map(|page| format!("/apps/{oauth_app}{page}")));
        pages.extend(["scopes", "allowlist", "policies", "tenant"].map(|page| format!("/settings/{page}")));
        pages.extend(["", "/email", "/two-factor", "/sessions"].map(|page| format!("/account{page}")));
        pages.extend(["tenants", "plans", "mails", "recovery"].map(|page| format!("/platform/{page}")));
        pages.extend(["", "/edit", "/rotate", "/revoke"].map(|page| format!("/keys/{key}{page}")));
        pages.extend(["/members", "/tenants", "/reset?token=x", "/email?token=x", "/docs", "/openapi.json"].map(Into::into));
        pages.extend([format!("/members/{person}"), format!("/platform/tenants/{tenant}"), link[link.find("/invitations").unwrap()..].to_owned()]);
        let before = app.t.dump().await;
        for page in pages {
            let answer = app.get(&page, &[("cookie", &cookie), ("accept", "text/html")]).await;
            assert!(answer.status.as_u16() < 400, "{page}: {}", answer.status);
            assert!(app.t.dump().await == before, "{page} changed something");
        }
    }
}

#[tokio::test]
async fn s36_pages_and_actions_follow_the_role() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    for (role, path, status) in [
        (Role::Support, "/keys", 403),
        (Role::Support, "/usage", 403),
        (Role::Developer, "/audit", 403),
        (Role::Developer, "/keys", 200),
        (Role::Security, "/audit", 200),
    ] {
        app.t.set_role(role).await;
        let answer = app.get(path, &[("cookie", &cookie), ("accept", "text/html")]).await;
        assert_eq!(answer.status.as_u16(), status, "{role} {path}");
    }
    app.t.set_role(Role::Security).await;
    let answer = app.form("/keys/new", &cookie, &create_form(&app, "x")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(secret_in(&answer), None);
}

#[tokio::test]
async fn s17_a_setup_that_is_done_says_so_and_leads_to_the_sign_in() {
    let app = App::new(On::Sqlite).await;
    let posted = app.form("/setup", "", "token=guess&tenant=Evil&email=e%40evil.test&password=gravel+orbit+lantern+eight").await;
    assert_eq!(posted.status, StatusCode::FORBIDDEN);
    let opened = app.get("/setup?token=guess", &[("accept", "text/html")]).await;
    assert_eq!(opened.status, StatusCode::OK);
    for answer in [posted, opened] {
        assert!(answer.text.contains("set up already") && answer.text.contains("href=\"/login\""), "{}", answer.text);
        assert!(!answer.text.contains("name=\"password\"") && !answer.text.contains("gravel orbit"), "no form that leads nowhere");
    }
}

#[tokio::test]
async fn s17_a_setup_link_that_does_not_work_says_how_to_get_one_that_does() {
    let app = App::on(domain::testing::bare(On::Sqlite).await, Setup::default());
    let link = domain::identity::new_setup_link(&app.t.core).await.unwrap().unwrap();
    let token = link.0.expose();
    for bad in ["/setup", "/setup?token=guess"] {
        let page = app.get(bad, &[("accept", "text/html")]).await.text;
        assert!(page.contains("Start the server again") && page.contains("keystead bootstrap"), "{bad}: {page}");
        assert!(!page.contains("name=\"password\""), "{bad}: no form that leads nowhere");
    }
    let page = app.get(&format!("/setup?token={token}"), &[("accept", "text/html")]).await.text;
    assert!(page.contains("name=\"password\"") && page.contains(token.as_str()), "{page}");
    let weak = app.form("/setup", "", &format!("token={token}&tenant=Acme&email=e%40acme.test&password=short")).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(weak.text.contains("e@acme.test") && weak.text.contains(token.as_str()), "typed values come back");
    app.t.clock.advance(std::time::Duration::from_secs(86_400));
    let late = app.form("/setup", "", &format!("token={token}&tenant=Acme&email=e%40acme.test&password=gravel+orbit+lantern+eight")).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.text.contains("Start the server again"), "{}", late.text);
}

#[tokio::test]
async fn a_refused_form_puts_the_focus_on_what_was_wrong() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let made = keys::create_from_form(&app.t.owner(), &app.t.form("plain", "read")).await.unwrap().api_key.id;
    let edit = "environment=live&kind=secret&name=&scopes=read&expires=never&allowed_ips=&do=save";
    let body = serde_json::from_str(r#"{"name": "x", "redirect_uris": ["https://x.test/cb"], "scopes": ["openid"]}"#).unwrap();
    let oauth_app = domain::oauth::create(&app.t.owner(), &body).await.unwrap().app.id;
    for (path, form) in [
        ("/keys/new".to_owned(), create_form(&app, "") + "&metadata=x"),
        ("/apps/new".to_owned(), "form_id=form_00000000000000000000000000000001&name=".to_owned()),
        (format!("/apps/{oauth_app}/try"), "act=begin".to_owned()),
        (format!("/keys/{made}/edit"), edit.to_owned()),
        (format!("/keys/{made}/revoke"), "confirm=wrong&reason=".to_owned()),
        (format!("/keys/{made}/rotate"), "grace=never".to_owned()),
        ("/leaks".to_owned(), "text=".to_owned()),
        ("/settings/scopes".to_owned(), "name=A+B&description=x&act=add".to_owned()),
        ("/settings/allowlist".to_owned(), "allowed_ips=300&act=review".to_owned()),
        ("/members".to_owned(), "act=invite&email=x&role=admin".to_owned()),
        (format!("/members/{}", app.t.first.user_id), "act=remove&confirm=x".to_owned()),
        ("/tenants".to_owned(), "act=leave&confirm=x".to_owned()),
        ("/settings/policies".to_owned(), "act=review&max_key_lifetime_days=x".to_owned()),
        ("/settings/tenant".to_owned(), "act=delete&confirm=x".to_owned()),
        ("/platform/recovery".to_owned(), "act=reset_link&email=nobody%40acme.test&reason=x".to_owned()),
        ("/platform/tenants".to_owned(), "act=create&name=".to_owned()),
        (format!("/platform/tenants/{}", app.t.first.tenant_id), "act=change&name=&plan=default".to_owned()),
    ] {
        let refused = app.form(&path, &cookie, &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", refused.text);
        let first = refused.text.split(" autofocus").next().unwrap().rsplit('<').next().unwrap();
        assert!(first.contains("id=\"error-summary\""), "{path}: the first to take the focus is <{first}");
    }
}

#[tokio::test]
async fn without_script_the_words_about_a_new_key_wait_for_what_was_sent() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let blank = app.get("/keys/new", &[("accept", "text/html"), ("cookie", &cookie)]).await.text;
    let before =
        |page: &str| page.split("<leptos-island data-component=\"KeySummary").next().unwrap().rsplit('<').next().unwrap().to_owned();
    assert!(before(&blank).contains("data-js") && blank.contains("<noscript>"), "{}", before(&blank));
    let refused = app.form("/keys/new", &cookie, &create_form(&app, "").replace("scopes=read", "scopes=orders%3Aread")).await.text;
    assert!(refused.contains("It may ") && refused.contains("<b>write users") && refused.contains("<b>read orders"), "{refused}");
    assert!(!before(&refused).contains("data-js") && !refused.contains("<noscript>"), "{}", before(&refused));
}

#[tokio::test]
async fn the_pages_of_a_gateways_key_say_when_it_last_asked_and_what_ends_with_it() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let form = contract::KeyForm { kind: "gateway".into(), expires: "90".into(), ..app.t.form("edge", "") };
    let made = keys::create_from_form(&app.t.owner(), &form).await.unwrap();
    let (id, secret) = (made.api_key.id, made.key.unwrap());
    let page = async |path: String| app.get(&path, &[("accept", "text/html"), ("cookie", &cookie)]).await.text;
    assert!(page(format!("/keys/{id}/revoke")).await.contains("No gateway has asked with this key yet"));
    let asked = app.post("/v1/verify", &[("x-api-key", &secret)], &serde_json::json!({"credential": "junk"})).await;
    assert_eq!(asked.json()["code"], "MALFORMED");
    app.t.core.meter.stop().await;
    let revoke = page(format!("/keys/{id}/revoke")).await;
    for said in
        ["Every decision asked with this key stops", "refuses every request behind it", "A gateway asks with this key; the last time was"]
    {
        assert!(revoke.contains(said), "{said}: {revoke}");
    }
    let detail = page(format!("/keys/{id}")).await;
    assert!(!detail.contains("Never used") && !detail.contains("Not used in 30 days"), "{detail}");
    assert!(detail.contains("It last asked") && detail.contains("from then on every request behind the gateway is refused"), "{detail}");
    let several = page(format!("/keys/revoke?key={id}")).await;
    assert!(several.contains("Every decision asked with edge stops") && !several.contains("Nothing seems to call"), "{several}");
    let new = page("/keys/new".to_owned()).await;
    assert!(new.contains("When a gateway’s key expires, every request behind the gateway is refused"));
}

#[tokio::test]
async fn an_unknown_page_is_a_styled_404_and_an_unknown_key_too() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    for path in ["/nothing", "/keys/key_00000000000000000000000000000001", "/keys/nonsense"] {
        let answer = app.get(path, &[("cookie", &cookie), ("accept", "text/html")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text.contains("<h1"), "{path}");
    }
}

#[tokio::test]
async fn s31_a_secret_stands_in_the_text_of_its_page_and_is_data_of_nothing() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let revealed = app.form("/keys/new", &cookie, &create_form(&app, "nightly-export")).await;
    assert_eq!(revealed.header("cache-control"), "no-store");
    let secret = secret_in(&revealed).unwrap();
    // Between `>` and `<` is text; a secret in a tag would be an attribute, in a script it would be data.
    let mut shown = 0;
    for (at, _) in revealed.text.match_indices(&secret) {
        let before = &revealed.text[..at];
        let tag = before.rfind('<').unwrap();
        assert!(before[tag..].contains('>'), "in an attribute: {}", &before[tag..]);
        assert!(!before[tag..].starts_with("<script"), "in a script");
        shown += 1;
    }
    assert_eq!(shown, 3, "the secret, the line for .env, the command");
    assert!(!revealed.text.contains("<leptos-island"), "nothing on this page is hydrated");
    assert!(revealed.text.contains("__RESOLVED_RESOURCES=[];"), "and nothing is handed over for it");
    for (name, value) in &revealed.headers {
        assert!(!value.to_str().unwrap_or_default().contains(&secret), "{name}");
    }
}

#[tokio::test]
async fn islands_are_given_what_was_typed_and_not_the_id_of_the_form() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let page = app.get("/keys/new", &[("cookie", &cookie), ("accept", "text/html")]).await;
    let islands: Vec<&str> = page.text.split("<leptos-island ").skip(1).map(|tag| tag.split('>').next().unwrap()).collect();
    assert_eq!(islands.len(), 2, "{islands:?}");
    let form_id = page.text.split("name=\"form_id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(form_id.starts_with("form_"), "{form_id}");
    for island in islands {
        assert!(island.contains("data-props") && !island.contains(form_id), "{island}");
    }
}

#[tokio::test]
async fn what_a_layer_refuses_is_a_page_for_people_and_a_problem_for_programs() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let post = |accept| {
        let headers = [("cookie", cookie.as_str()), ("accept", accept), ("sec-fetch-site", "cross-site"), ("x-request-id", "mine-1")];
        app.send(request("POST", "/keys/new", &headers, "name=x"))
    };
    let (page, problem) = (post("text/html").await, post("application/json").await);
    assert_eq!((page.status, problem.status), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    assert!(page.text.contains("<h1") && page.text.contains("mine-1"), "{}", page.text);
    assert_eq!(problem.json()["request_id"], "mine-1");

    app.t.core.stop().await;
    let away = app.get("/keys?q=x&state=active", &[("cookie", &cookie), ("accept", "text/html")]).await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(away.text.contains("Not available right now"), "{}", away.text);
    assert!(away.text.contains("href=\"/keys?q=x&amp;state=active\""), "and can be tried again: {}", away.text);
}

#[tokio::test]
async fn a_button_that_no_page_has_is_answered_alike_everywhere() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let key = keys::create_from_form(&app.t.owner(), &app.t.form("plain", "read")).await.unwrap().api_key.id;
    let (me, tenant) = (app.t.first.user_id, app.t.first.tenant_id);
    let mut paths: Vec<String> =
        ["/settings/scopes", "/settings/allowlist", "/settings/policies", "/settings/tenant"].map(Into::into).into();
    paths.extend(["/account/two-factor", "/account/sessions", "/grants"].map(Into::into));
    let body = serde_json::from_str(r#"{"name": "x", "redirect_uris": ["https://x.test/cb"], "scopes": ["openid"]}"#).unwrap();
    let oauth_app = domain::oauth::create(&app.t.owner(), &body).await.unwrap().app.id;
    paths.extend([format!("/apps/{oauth_app}"), format!("/apps/{oauth_app}/try")]);
    paths.extend(["/members", "/tenants", "/platform/plans", "/platform/tenants", "/platform/recovery"].map(Into::into));
    paths.extend([format!("/keys/{key}"), format!("/keys/{key}/edit"), format!("/members/{me}"), format!("/platform/tenants/{tenant}")]);
    for path in paths {
        let answer = app.form(&path, &cookie, "act=nonsense&do=nonsense").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", answer.text);
        assert!(answer.text.contains("Choose what to do.") && answer.text.contains("<h1"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_method_that_an_address_has_not_is_answered_with_words() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let send = async |method: &str, path: &str, accept: &str| {
        let headers = [("accept", accept), ("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        app.send(request(method, path, &headers, "")).await
    };
    for (method, path) in [("DELETE", "/keys"), ("PUT", "/keys/new"), ("POST", "/usage"), ("GET", "/logout"), ("PATCH", "/forgot")] {
        let page = send(method, path, "text/html").await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (StatusCode::METHOD_NOT_ALLOWED, "text/html; charset=utf-8"),
            "{method} {path}"
        );
        assert!(page.text.contains("<h1") && !page.header("allow").is_empty(), "{method} {path}: {}", page.text);
        assert_eq!(send(method, path, "application/json").await.code(), "METHOD_NOT_ALLOWED", "{method} {path}");
    }
    for path in ["/v1/settings", "/api-keys", "/livez"] {
        for accept in ["text/html", "*/*"] {
            let answer = send("TRACE", path, accept).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"), "{path}");
        }
    }
}
