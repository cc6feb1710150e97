//! The pages of OAuth apps and of grants, over plain HTTP: what a role sees and may do, and that every action works
//! without script.

use crate::{
    harness::{Answer, App, on_both, request},
    key_pages::field,
};
use axum::http::StatusCode;
use contract::{AppId, AppState, AuditFilter, CreatedApp, PageQuery, Perm, Role, TenantName};
use domain::{
    Ctx, Who, audit, oauth, tenants,
    testing::{On, PASSWORD},
};
use serde_json::{Value, json};
use std::time::Duration;

pub const CALLBACK: &str = "https://ledger.test/cb";

pub async fn page(app: &App, cookie: &str, path: &str) -> Answer {
    app.get(path, &[("accept", "text/html"), ("cookie", cookie)]).await
}

/// The register form of a confidential app, as a browser sends it.
fn form(app: &App, name: &str) -> String {
    let form_id = contract::FormId::from_uuid(app.t.core.new_uuid());
    format!(
        "form_id={form_id}&name={name}&kind=confidential&redirect_uris=https%3A%2F%2Fledger.test%2Fcb%0D%0A&scopes=openid&scopes=email\
         &more_scopes=users%3Aread&home_page=https%3A%2F%2Fledger.test%2Fabout&require_pkce=true&always_refresh=true&allow_client_jwts=true\
         &access_token_seconds=600&refresh_token_days=30"
    )
}

/// Registers an app beside the pages.
pub async fn registered(by: &Ctx, extra: Value) -> CreatedApp {
    let mut body = json!({"name": "Ledger Sync", "redirect_uris": [CALLBACK], "scopes": ["users:read", "openid"]});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    oauth::create(by, &serde_json::from_value(body).unwrap()).await.unwrap()
}

/// The secret of an app that stands in a page.
fn secret_in(answer: &Answer) -> Option<String> {
    let whole =
        |at: usize| answer.text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect::<String>();
    answer.text.match_indices("kss_").map(|(at, _)| whole(at)).find(|token| token.len() == 53)
}

/// Does the app get a token for itself?
async fn works(app: &App, id: AppId, secret: &str) -> bool {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app.send(request("POST", "/oauth/token", &headers, &body)).await;
    assert!(matches!(answer.status.as_u16(), 200 | 401), "{}", answer.text);
    answer.status == StatusCode::OK
}

async fn only_app(app: &App) -> contract::App {
    let mut all = oauth::list(&app.t.owner(), PageQuery::default()).await.unwrap().data;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Somebody who joined signs in.
pub async fn sign_in_as(app: &App, email: &str) -> String {
    let body = format!("email={}&password={}", email.replace('@', "%40"), PASSWORD.replace(' ', "+"));
    let answer = app.form("/login", "", &body).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.cookie()
}

/// Lets the app in, as whoever is signed in, in the tenant that it offers.
async fn allow(app: &App, cookie: &str, id: AppId, tenant: contract::TenantId) {
    let query =
        format!("client_id={id}&redirect_uri=https%3A%2F%2Fledger.test%2Fcb&response_type=code&state=xyz&scope=users%3Aread+openid");
    let asked = page(app, cookie, &format!("/oauth/authorize?{query}")).await;
    let consent = asked.header("location").to_owned();
    assert!(consent.contains("/oauth/consent/con_"), "{} {}", asked.status, asked.text);
    let path = &consent[consent.find("/oauth/consent").unwrap()..];
    let allowed = app.form(path, cookie, &format!("decision=allow&tenant_id={tenant}")).await;
    assert!(allowed.header("location").starts_with(&format!("{CALLBACK}?")), "{} {}", allowed.status, allowed.text);
}

on_both! {
    async fn s31_an_app_goes_through_its_life_without_javascript_and_each_secret_is_shown_once(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let empty = page(&app, &cookie, "/apps").await.text;
        assert!(empty.contains("No OAuth apps yet") && empty.contains("href=\"/apps/new\""), "{empty}");
        let form = form(&app, "Ledger+Sync");
        let revealed = app.form("/apps/new", &cookie, &form).await;
        assert_eq!((revealed.status, revealed.header("cache-control")), (StatusCode::OK, "no-store"), "{}", revealed.text);
        let secret = secret_in(&revealed).unwrap();
        for (at, _) in revealed.text.match_indices(&secret) {
            let before = &revealed.text[..at];
            let tag = before.rfind('<').unwrap();
            assert!(before[tag..].contains('>') && !before[tag..].starts_with("<script"), "in text only: {}", &before[tag..]);
        }
        assert_eq!(revealed.text.matches(&secret).count(), 3, "the secret, the line for .env, the command");
        assert!(!revealed.text.contains("<leptos-island"), "nothing on this page is hydrated");
        let made = only_app(&app).await;
        let (id, terms) = (made.id, &made.terms);
        assert!(revealed.text.contains(&id.to_string()) && works(&app, id, &secret).await);
        assert!(terms.require_pkce && !terms.any_tenant && (terms.access_token_seconds, terms.refresh_token_days) == (600, 30));

        let again = app.form("/apps/new", &cookie, &form).await;
        assert_eq!((again.status, secret_in(&again)), (StatusCode::OK, None), "posting the same form twice registers one app");
        assert!(again.text.contains("This form was already used") && again.text.contains(&format!("/apps/{id}")), "{}", again.text);
        only_app(&app).await;

        let detail = format!("/apps/{id}");
        for path in ["/apps".to_owned(), detail.clone(), format!("{detail}/edit"), format!("{detail}/rotate"), "/audit".into()] {
            let shown = page(&app, &cookie, &path).await;
            assert_eq!(shown.status, StatusCode::OK, "{path}");
            assert!(shown.text.contains("Ledger Sync") && !shown.text.contains(&secret), "{path}");
        }

        let edit = "name=Ledger&redirect_uris=https%3A%2F%2Fledger.test%2Fnew&more_scopes=users%3Aread&home_page=&access_token_seconds=&refresh_token_days=";
        let saved = app.form(&format!("{detail}/edit"), &cookie, edit).await;
        assert_eq!(saved.header("location"), format!("{detail}?done=saved"), "{}", saved.text);
        let now = only_app(&app).await;
        assert_eq!((now.name.as_str(), now.terms.redirect_uris[0].as_str(), now.terms.home_page), ("Ledger", "https://ledger.test/new", None));
        assert!(!now.terms.require_pkce && !now.terms.allow_client_jwts && now.terms.access_token_seconds == 600, "ticks are what was sent");

        let rotate = format!("{detail}/rotate");
        let form = format!("grace=3600&secret={}", field(&page(&app, &cookie, &rotate).await, "secret"));
        let rotated = app.form(&rotate, &cookie, &form).await;
        let new = secret_in(&rotated).unwrap();
        assert!(new != secret && works(&app, id, &new).await && works(&app, id, &secret).await, "both work during the overlap");
        assert!(rotated.text.contains("The old secret works until") && rotated.header("cache-control") == "no-store");
        let twice = app.form(&rotate, &cookie, &form).await;
        assert_eq!((twice.status, secret_in(&twice)), (StatusCode::CONFLICT, None), "the form names a secret that is replaced");
        assert!(twice.text.contains("The secret was replaced since this form was opened") && works(&app, id, &new).await);
        let shown = page(&app, &cookie, &detail).await.text;
        assert!(shown.contains("Current") && shown.contains("works until") && shown.contains(&format!("…{}", &new[new.len() - 4..])), "{shown}");

        let leaky = app.form(&detail, &cookie, &format!("act=suspend&reason=leaked+{new}")).await;
        assert_eq!(leaky.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(leaky.text.contains("id=\"reason-error\"") && !leaky.text.contains(&new), "s77: no reason holds a secret, nor does the page");
        let off = app.form(&detail, &cookie, "act=suspend&reason=looked+odd").await;
        assert_eq!(off.header("location"), format!("{detail}?done=suspended"));
        assert!(!works(&app, id, &new).await);
        let mut log = audit::list(&app.t.owner(), &AuditFilter { target_id: Some(id.to_string()) }, PageQuery::default()).await.unwrap().data;
        // Written down after the answer, at some time or other.
        log.retain(|e| e.action != "oauth_app.refused");
        assert_eq!((log[0].action.as_str(), log[0].reason.as_deref()), ("oauth_app.suspended", Some("looked odd")));
        let shown = page(&app, &cookie, &format!("{detail}?done=suspended")).await.text;
        assert!(shown.contains("This app is suspended.") && shown.contains("value=\"resume\"") && !shown.contains("value=\"suspend\""), "{shown}");
        assert_eq!(app.form(&detail, &cookie, "act=resume").await.header("location"), format!("{detail}?done=resumed"));
        assert!(works(&app, id, &new).await);

        let wrong = app.form(&detail, &cookie, "act=delete&confirm=Other").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("value=\"Other\"") && wrong.text.contains("id=\"confirm-error\""), "{}", wrong.text);
        assert_eq!(app.form(&detail, &cookie, "act=delete&confirm=Ledger").await.header("location"), "/apps?deleted=1");
        assert!(!works(&app, id, &new).await);
        assert_eq!(page(&app, &cookie, &detail).await.status, StatusCode::NOT_FOUND);
        assert!(page(&app, &cookie, "/apps?deleted=1").await.text.contains("The app is deleted."));
    }
}

on_both! {
    async fn what_was_allowed_is_seen_and_taken_back_by_the_person_and_by_who_manages_the_app(on) {
        let app = App::new(on).await;
        let tenant = app.t.first.tenant_id;
        let id = registered(&app.t.owner(), json!({})).await.app.id;
        let owner = app.sign_in().await;
        app.t.join("support@acme.test", Role::Support).await;
        let support = sign_in_as(&app, "support@acme.test").await;
        assert!(page(&app, &support, "/grants").await.text.contains("You have allowed no app anything"));
        assert!(page(&app, &support, "/account").await.text.contains("href=\"/grants\""), "the account leads there");
        allow(&app, &support, id, tenant).await;
        allow(&app, &owner, id, tenant).await;
        let of_support = oauth::of_app(&app.t.owner(), id, PageQuery::default()).await.unwrap().data;
        let of_support = of_support.iter().find(|g| g.user == "support@acme.test").unwrap().id;

        let mine = page(&app, &support, "/grants").await;
        // Nobody allows more than they hold: support reads no users.
        for part in ["Ledger Sync", "in Acme", ">openid<", &format!("value=\"{of_support}\"")] {
            assert!(mine.text.contains(part), "{part}: {}", mine.text);
        }
        assert!(!mine.text.contains("in_tenant"), "a grant is taken back wherever one works");
        let detail = format!("/apps/{id}");
        let shown = page(&app, &owner, &detail).await.text;
        assert!(shown.contains("support@acme.test") && shown.contains("Revoke the grant of owner@acme.test") && shown.contains("2 grants"), "{shown}");

        assert!(!mine.text.contains("users:read") && page(&app, &owner, "/grants").await.text.contains(">users:read<"));
        let own = field(&page(&app, &owner, "/grants").await, "grant");
        app.t.join("dev@acme.test", Role::Developer).await;
        let dev = sign_in_as(&app, "dev@acme.test").await;
        let foreign = app.form("/grants", &dev, &format!("act=revoke&grant={own}")).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "somebody else's, to an app of somebody else");
        assert_eq!(app.form("/grants", &support, "act=revoke&grant=nonsense").await.status, StatusCode::NOT_FOUND);
        let done = app.form("/grants", &support, &format!("act=revoke&grant={of_support}")).await;
        assert_eq!(done.header("location"), "/grants?done=1", "{}", done.text);
        let twice = app.form("/grants", &support, &format!("act=revoke&grant={of_support}")).await;
        assert_eq!(twice.status, StatusCode::NOT_FOUND, "it is gone");
        assert!(twice.text.contains("it was revoked meanwhile"), "{}", twice.text);

        allow(&app, &support, id, tenant).await;
        let again = oauth::of_app(&app.t.owner(), id, PageQuery::default()).await.unwrap().data;
        let again = again.iter().find(|g| g.user == "support@acme.test").unwrap().id;
        let done = app.form(&detail, &owner, &format!("act=revoke&grant={again}")).await;
        assert_eq!(done.header("location"), format!("{detail}?done=revoked"), "{}", done.text);
        assert!(page(&app, &support, "/grants").await.text.contains("You have allowed no app anything"));
        assert_eq!(oauth::of_app(&app.t.owner(), id, PageQuery::default()).await.unwrap().data.len(), 1);
    }
}

#[tokio::test]
async fn a_refused_app_form_keeps_what_was_typed_and_names_the_fields() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let blank = page(&app, &cookie, "/apps/new").await.text;
    let ticked =
        |page: &str, name: &str| page.split(&format!("name=\"{name}\"")).nth(1).unwrap().split('>').next().unwrap().contains("checked");
    for (name, on) in [
        ("require_pkce", true),
        ("always_refresh", true),
        ("allow_client_jwts", true),
        ("rotate_refresh_tokens", false),
        ("any_tenant", false),
    ] {
        assert_eq!(ticked(&blank, name), on, "{name} as the form is opened");
    }
    let sent = "form_id=form_00000000000000000000000000000001&name=Ledger&kind=public&redirect_uris=http%3A%2F%2Fledger.test%2Fcb\
        &scopes=offline_access&more_scopes=two%3Amany%3Acolons&home_page=nowhere&access_token_seconds=9000&refresh_token_days=x&any_tenant=true";
    let refused = app.form("/apps/new", &cookie, sent).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        "value=\"Ledger\"",
        "http://ledger.test/cb",
        "value=\"nowhere\"",
        "two:many:colons",
        "value=\"9000\"",
        "id=\"redirect_uris-error\"",
        "id=\"scopes-error\"",
        "id=\"home_page-error\"",
        "id=\"access_token_seconds-error\"",
        "id=\"refresh_token_days-error\"",
        "href=\"#redirect_uris\"",
        "form_00000000000000000000000000000001",
    ] {
        assert!(refused.text.contains(part), "{part}: {}", refused.text);
    }
    assert!(ticked(&refused.text, "any_tenant") && !ticked(&refused.text, "require_pkce"));
    let public = refused.text.split("value=\"public\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(public.contains("checked"), "{public}");
    assert_eq!(oauth::list(&app.t.owner(), PageQuery::default()).await.unwrap().data.len(), 0);

    let good = sent
        .replace("http%3A", "https%3A")
        .replace("two%3Amany%3Acolons", "")
        .replace("nowhere", "")
        .replace("9000", "900")
        .replace("days=x", "days=9");
    let done = app.form("/apps/new", &cookie, &good).await;
    let id = only_app(&app).await.id;
    assert_eq!(done.header("location"), format!("/apps/{id}?done=registered"), "a form that was refused is not used: {}", done.text);
    let shown = page(&app, &cookie, &format!("/apps/{id}?done=registered")).await.text;
    assert!(shown.contains("The app is registered.") && !shown.contains("/rotate\"") && !shown.contains(">Secrets<"), "{shown}");
    assert!(page(&app, &cookie, &format!("/apps/{id}/rotate")).await.text.contains("has no secret"));
    assert_eq!(app.form("/apps/new", &cookie, &good).await.header("location"), format!("/apps/{id}?done=registered"), "once more");
    only_app(&app).await;
}

#[tokio::test]
async fn s16_registering_an_app_wants_a_fresh_proof_and_goes_on_with_what_was_typed() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    app.t.clock.advance(Duration::from_secs(660));
    app.t.core.cache.sync(&app.t.core).await.unwrap();
    let form = form(&app, "Ledger+Sync");
    let asked = app.form("/apps/new", &cookie, &form).await;
    assert_eq!((asked.status, secret_in(&asked)), (StatusCode::FORBIDDEN, None), "{}", asked.text);
    assert!(asked.text.contains("name=\"confirm_password\"") && asked.text.contains("Ledger Sync"), "{}", asked.text);
    assert_eq!(oauth::list(&app.t.owner(), PageQuery::default()).await.unwrap().data.len(), 0);
    let proof = format!("{form}&confirm_password={}", PASSWORD.replace(' ', "+"));
    let revealed = app.form("/apps/new", &cookie, &proof).await;
    assert_eq!(revealed.status, StatusCode::OK, "{}", revealed.text);
    let secret = secret_in(&revealed).unwrap();
    assert!(works(&app, only_app(&app).await.id, &secret).await);
}

#[tokio::test]
async fn s36_pages_and_buttons_of_apps_follow_the_role() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let made = registered(&app.t.owner(), json!({})).await;
    let detail = format!("/apps/{}", made.app.id);
    let (edit, rotate) = (format!("{detail}/edit"), format!("{detail}/rotate"));
    for (role, path, status) in [
        (Role::Admin, "/apps", 200),
        (Role::Admin, "/apps/new", 200),
        (Role::Admin, detail.as_str(), 200),
        (Role::Admin, &edit, 200),
        (Role::Admin, &rotate, 200),
        (Role::Security, "/apps", 200),
        (Role::Security, "/apps/new", 403),
        (Role::Security, &detail, 200),
        (Role::Security, &edit, 403),
        (Role::Security, &rotate, 403),
        (Role::Security, "/grants", 200),
        (Role::Support, "/apps", 403),
        (Role::Support, "/apps/new", 403),
        (Role::Support, &detail, 403),
        (Role::Support, &edit, 403),
        (Role::Support, &rotate, 403),
        (Role::Support, "/grants", 200),
    ] {
        app.t.set_role(role).await;
        let answer = page(&app, &cookie, path).await;
        assert_eq!(answer.status.as_u16(), status, "{role} {path}");
        assert!(status == 200 || answer.text.contains("keystead.apps:"), "{role} {path} names what is missing");
        assert_eq!(answer.text.contains("href=\"/apps\""), role != Role::Support, "{role} {path}: the navigation");
    }
    app.t.set_role(Role::Security).await;
    let (list, shown) = (page(&app, &cookie, "/apps").await.text, page(&app, &cookie, &detail).await.text);
    assert!(list.contains("Ledger Sync") && !list.contains("href=\"/apps/new\""), "{list}");
    assert!(shown.contains("value=\"suspend\""), "security stops it");
    for control in ["/edit\"", "/rotate\"", "value=\"delete\"", "value=\"resume\""] {
        assert!(!shown.contains(control), "security, {control}");
    }
    for role in [Role::Security, Role::Support] {
        app.t.set_role(role).await;
        let posts = [
            ("/apps/new", form(&app, "x")),
            (edit.as_str(), "name=x&more_scopes=users%3Aread".to_owned()),
            (rotate.as_str(), "grace=0&secret=x".to_owned()),
            (detail.as_str(), "act=resume".to_owned()),
            (detail.as_str(), "act=delete&confirm=Ledger+Sync".to_owned()),
        ];
        for (path, body) in posts {
            let answer = app.form(path, &cookie, &body).await;
            assert_eq!((answer.status, secret_in(&answer)), (StatusCode::FORBIDDEN, None), "{role} {path} {body}");
        }
    }
    for role in [Role::Security, Role::Support] {
        app.t.set_role(role).await;
        let done = app.form(&detail, &cookie, "act=suspend&reason=leaked").await;
        assert_eq!((done.status, only_app(&app).await.state), (StatusCode::SEE_OTHER, AppState::Suspended), "{role}");
        oauth::resume(&app.t.owner(), made.app.id).await.unwrap();
    }
    assert_eq!(only_app(&app).await, made.app);
}

#[tokio::test]
async fn s36_a_developer_sees_and_changes_their_own_apps_only() {
    let app = App::new(On::Sqlite).await;
    let made = registered(&app.t.owner(), json!({"name": "Of the owner"})).await;
    let dev = app.t.join("dev@acme.test", Role::Developer).await;
    let own = registered(&dev, json!({"name": "Of the developer"})).await;
    let cookie = sign_in_as(&app, "dev@acme.test").await;
    let list = page(&app, &cookie, "/apps").await.text;
    assert!(list.contains("Of the developer") && !list.contains("Of the owner"), "{list}");
    let (mine, theirs) = (format!("/apps/{}", own.app.id), format!("/apps/{}", made.app.id));
    for rest in ["", "/edit", "/rotate"] {
        assert_eq!(page(&app, &cookie, &format!("{mine}{rest}")).await.status, StatusCode::OK, "{rest}");
        assert_eq!(page(&app, &cookie, &format!("{theirs}{rest}")).await.status, StatusCode::NOT_FOUND, "{rest}");
    }
    let suspended = app.form(&theirs, &cookie, "act=suspend").await;
    assert_eq!(suspended.status, StatusCode::NOT_FOUND);
    let beyond = app
        .form(&format!("{mine}/edit"), &cookie, "name=x&redirect_uris=https%3A%2F%2Fledger.test%2Fcb&more_scopes=keystead.members%3Awrite")
        .await;
    assert_eq!(beyond.status, StatusCode::FORBIDDEN, "nobody grants more than they hold (s35): {}", beyond.text);
    assert!(beyond.text.contains("You cannot grant keystead.members:write") && beyond.text.contains("value=\"x\""), "{}", beyond.text);
    assert_eq!(app.form(&mine, &cookie, "act=suspend").await.header("location"), format!("{mine}?done=suspended"));
    assert_eq!(oauth::get(&app.t.owner(), Perm::AppsRead, made.app.id).await.unwrap().state, AppState::Active);
}

#[tokio::test]
async fn s25_s66_an_app_of_another_tenant_does_not_exist_for_pages_forms_and_server_functions() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let line = app.t.as_who(Who::CommandLine(app.t.first.tenant_id));
    let other = tenants::create(&line, &TenantName::parse("Other").unwrap(), None).await.unwrap();
    let theirs = app.t.as_who(Who::CommandLine(other.id));
    let foreign = registered(&theirs, json!({"name": "Theirs"})).await.app;
    assert!(!page(&app, &cookie, "/apps").await.text.contains("Theirs"));
    let ids = [foreign.id.to_string(), "app_00000000000000000000000000000001".to_owned(), "nonsense".to_owned()];
    for id in &ids {
        for rest in ["", "/edit", "/rotate"] {
            let path = format!("/apps/{id}{rest}");
            assert_eq!(page(&app, &cookie, &path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for (rest, body) in [
            ("/edit", "name="),
            ("/rotate", "grace=nonsense"),
            ("", "act=suspend&reason=x"),
            ("", "act=resume"),
            ("", "act=delete&confirm=Theirs"),
        ] {
            let answer = app.form(&format!("/apps/{id}{rest}"), &cookie, body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "before the body is judged: {id}{rest} {body}");
        }
    }
    let call = async |path: &str, body: &str, cookie: &str| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("sec-fetch-site", "same-origin"),
            ("cookie", cookie),
        ];
        app.send(request("POST", path, &headers, body)).await
    };
    let id = foreign.id;
    for (path, body) in [
        ("/api/apps/edit", format!("id={id}&form[name]=")),
        ("/api/apps/rotate", format!("id={id}&form[grace]=x")),
        ("/api/apps/suspend", format!("id={id}&reason=x")),
        ("/api/apps/resume", format!("id={id}")),
        ("/api/apps/delete", format!("id={id}&confirm=Theirs")),
        ("/api/grants/revoke", "id=grt_00000000000000000000000000000001".to_owned()),
    ] {
        assert_eq!(call(path, &body, &cookie).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(call(path, &body, "").await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let unsigned = call("/api/apps/create", "form[name]=x", "").await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    let without_id = call("/api/apps/create", "form[name]=x", &cookie).await;
    assert_eq!(without_id.status, StatusCode::CONFLICT, "{}", without_id.text);
    assert_eq!(oauth::get(&theirs, Perm::AppsRead, id).await.unwrap(), foreign);
}

#[tokio::test]
async fn a_form_of_an_app_that_was_opened_in_another_tenant_does_nothing() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let made = registered(&app.t.owner(), json!({})).await.app;
    let detail = format!("/apps/{}", made.id);
    for path in ["/apps/new".to_owned(), detail.clone(), format!("{detail}/edit"), format!("{detail}/rotate")] {
        let shown = page(&app, &cookie, &path).await;
        let posts = shown.text.matches("method=\"post\"").count();
        // Signing out, the environment and the theme belong to no tenant.
        let own = shown.text.matches("action=\"/apps/").count();
        assert_eq!(shown.text.matches("name=\"in_tenant\"").count(), own, "{path}: each of {own} of {posts} forms says where it was made");
        assert!(own > 0, "{path}");
    }
    let elsewhere = "in_tenant=ten_00000000000000000000000000000001&act=suspend";
    assert_eq!(app.form(&detail, &cookie, elsewhere).await.status, StatusCode::CONFLICT);
    assert_eq!(only_app(&app).await, made);
}

on_both! {
    async fn what_members_allowed_apps_of_other_tenants_is_seen_and_ended_on_the_page_of_apps(on) {
        let app = App::new(on).await;
        let line = app.t.as_who(Who::CommandLine(app.t.first.tenant_id));
        let other = tenants::create(&line, &TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let theirs = app.t.as_who(Who::CommandLine(other.id));
        let id = registered(&theirs, json!({"name": "Globex Board", "any_tenant": true})).await.app.id;
        let cookie = app.sign_in().await;
        assert!(!page(&app, &cookie, "/apps").await.text.contains("Apps of other tenants"));
        allow(&app, &cookie, id, app.t.first.tenant_id).await;
        let shown = page(&app, &cookie, "/apps").await;
        for said in ["Apps of other tenants", "Globex Board", "Revoke what owner@acme.test allowed Globex Board"] {
            assert!(shown.text.contains(said), "{said}: {}", shown.text);
        }
        let grant = field(&shown, "grant");
        assert_eq!(app.form("/apps", &cookie, "act=revoke&grant=nonsense").await.status, StatusCode::NOT_FOUND);
        app.t.set_role(Role::Developer).await;
        assert!(!page(&app, &cookie, "/apps").await.text.contains("Globex Board"), "s36: a developer sees their own apps");
        app.t.set_role(Role::Security).await;
        let done = app.form("/apps", &cookie, &format!("act=revoke&grant={grant}")).await;
        assert_eq!(done.header("location"), "/apps?done=revoked", "{}", done.text);
        let shown = page(&app, &cookie, "/apps?done=revoked").await.text;
        assert!(shown.contains("The grant is revoked") && !shown.contains("Globex Board"));
    }
}

#[tokio::test]
async fn in_test_the_page_says_that_apps_are_of_live() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let said = "Apps work in live only";
    assert!(!page(&app, &cookie, "/apps").await.text.contains(said));
    assert!(page(&app, &format!("{cookie}; keystead-prefs=test."), "/apps").await.text.contains(said));
}

#[tokio::test]
async fn the_page_of_an_app_and_of_its_secret_say_how_it_gets_tokens_and_nothing_that_does_not_work() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let owner = app.t.owner();
    let signs_in = registered(&owner, json!({"grant_types": ["authorization_code"]})).await.app.id;
    let shown = page(&app, &cookie, &format!("/apps/{signs_in}")).await.text;
    assert!(shown.contains("Gets tokens by") && shown.contains(">authorization_code<"), "{shown}");
    assert!(!shown.contains("Refresh tokens") && !shown.contains(">client_credentials<"), "{shown}");
    for (scopes, command) in [(json!(["openid"]), false), (json!(["openid", "users:read"]), true)] {
        let id = registered(&owner, json!({"scopes": scopes})).await.app;
        let rotated = app.form(&format!("/apps/{}/rotate", id.id), &cookie, &format!("grace=0&secret={}", id.secrets[0].id)).await;
        assert_eq!((rotated.status, rotated.text.contains("grant_type=client_credentials")), (StatusCode::OK, command), "{scopes}");
    }
}
