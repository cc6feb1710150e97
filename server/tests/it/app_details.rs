//! Origins, logos and the rarer fields of OAuth apps, as clients and browsers without script meet them.

use crate::{
    app_pages::{CALLBACK, page, registered},
    harness::{Answer, App, PNG, on_both, request},
    key_pages::field,
};
use axum::{body::Body, http::StatusCode};
use contract::{AppId, PageQuery, Perm, Role, TenantName};
use domain::{Who, oauth, tenants, testing::On};
use serde_json::{Value, json};

const SPA: &str = "https://spa.test";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Where the app's request leads whoever is signed in.
async fn asked(app: &App, cookie: &str, id: AppId) -> String {
    let query = format!("client_id={id}&redirect_uri=https%3A%2F%2Fledger.test%2Fcb&response_type=code&state=x");
    page(app, cookie, &format!("/oauth/authorize?{query}")).await.header("location").to_owned()
}

/// The owner allows it; the code.
async fn code(app: &App, cookie: &str, id: AppId) -> String {
    let to = asked(app, cookie, id).await;
    let to = if to.starts_with(CALLBACK) {
        to
    } else {
        app.form(&to, cookie, &format!("decision=allow&tenant_id={}", app.t.first.tenant_id)).await.header("location").to_owned()
    };
    to.split("code=").nth(1).unwrap_or_else(|| panic!("{to}")).split('&').next().unwrap().to_owned()
}

async fn put(app: &App, headers: &[(&str, &str)], path: &str, body: Vec<u8>) -> Answer {
    let mut req = request("PUT", path, headers, "");
    *req.body_mut() = Body::from(body);
    app.send(req).await
}

/// The address of the app's logo on this server.
async fn logo_of(app: &App, id: AppId) -> String {
    let url = oauth::get(&app.t.owner(), Perm::AppsRead, id).await.unwrap().logo_url.unwrap();
    contract::logo_path(&url).unwrap().to_owned()
}

on_both! {
    async fn s30_s44_a_script_of_an_origin_that_the_app_does_not_list_gets_nothing_and_burns_nothing(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let made = registered(&app.t.owner(), json!({"allowed_origins": [SPA], "scopes": ["users:read", "keystead.keys:read"]})).await;
        let (id, secret) = (made.app.id, made.client_secret.unwrap());
        let open = registered(&app.t.owner(), json!({"name": "Open"})).await;
        let ask = async |path: &str, origin: Option<&str>, body: &str| {
            let mut headers = vec![FORM];
            headers.extend(origin.map(|origin| ("origin", origin)));
            app.send(request("POST", path, &headers, body)).await
        };
        let with = format!("client_id={id}&client_secret={secret}");
        let exchange = format!("{with}&grant_type=authorization_code&code={}&redirect_uri={CALLBACK}", code(&app, &cookie, id).await);
        for origin in ["https://evil.test", "null", "https://spa.test:8443"] {
            let refused = ask("/oauth/token", Some(origin), &exchange).await;
            assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{origin}: {}", refused.text);
            assert_eq!((refused.header("access-control-allow-origin"), refused.header("access-control-allow-credentials")), ("*", ""));
        }
        let twice = request("POST", "/oauth/token", &[FORM, ("origin", SPA), ("origin", "https://evil.test")], &exchange);
        assert_eq!(app.send(twice).await.status, StatusCode::BAD_REQUEST, "several are nobody's");
        let answer = ask("/oauth/token", Some(SPA), &exchange).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, "*"), "the code was not burnt: {}", answer.text);
        let refresh = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        let again = format!("{with}&grant_type=refresh_token&refresh_token={refresh}");
        assert_eq!(ask("/oauth/token", Some("https://evil.test"), &again).await.status, StatusCode::BAD_REQUEST);
        let revoke = format!("{with}&token={refresh}");
        assert_eq!(ask("/oauth/revoke", Some("https://evil.test"), &revoke).await.json()["error"], json!("invalid_request"));
        let answer = ask("/oauth/token", None, &again).await;
        assert_eq!(answer.status, StatusCode::OK, "a server names no origin, and nothing was revoked: {}", answer.text);
        let wrong = ask("/oauth/token", Some("https://evil.test"), &again.replace("kss_", "kss_x")).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "who the client is comes first");
        let anybody = format!("client_id={}&client_secret={}&grant_type=client_credentials", open.app.id, open.client_secret.unwrap());
        let of_open = ask("/oauth/token", Some("https://evil.test"), &anybody).await;
        assert_eq!(of_open.status, StatusCode::OK, "an app that lists none is asked for from everywhere");

        // What its tokens are answered is read by the same origins.
        let token = |answer: &Answer| format!("Bearer {}", answer.json()["access_token"].as_str().unwrap());
        let (own, others) = (token(&answer), token(&of_open));
        let read = async |bearer: &str, origin: &str| {
            let answer = app.get("/v1/auth/test", &[("authorization", bearer), ("origin", origin)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            answer.header("access-control-allow-origin").to_owned()
        };
        assert_eq!((read(&own, SPA).await.as_str(), read(&own, "https://evil.test").await.as_str(), read(&others, SPA).await.as_str()), (SPA, "", ""));
        let key = app.get("/v1/auth/test", &[("x-api-key", &app.t.first.api_key), ("origin", SPA)]).await;
        assert_eq!(key.header("access-control-allow-origin"), "", "it is the app's origin, not the tenant's");
        let preflight = async |origin: &str| {
            let headers = [("origin", origin), ("access-control-request-method", "GET")];
            app.send(request("OPTIONS", "/v1/auth/test", &headers, "")).await.header("access-control-allow-origin").to_owned()
        };
        assert_eq!((preflight(SPA).await.as_str(), preflight("https://evil.test").await.as_str()), (SPA, ""));
    }
}

on_both! {
    async fn s73_a_logo_comes_as_a_picture_and_leaves_as_another_that_anybody_may_see(on) {
        let app = App::new(on).await;
        let id = registered(&app.t.owner(), json!({})).await.app.id;
        let (key, at) = (app.t.first.api_key.clone(), format!("/v1/oauth/applications/{id}/logo"));
        let with = [("x-api-key", key.as_str()), ("content-type", "image/png")];
        let set = put(&app, &with, &at, PNG.to_vec()).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text);
        let path = logo_of(&app, id).await;
        assert_eq!(set.json()["logo_url"], json!(format!("http://localhost{path}")));
        let shown = app.get(&path, &[]).await;
        assert_eq!((shown.status, shown.header("content-type"), shown.header("x-content-type-options")), (StatusCode::OK, "image/png", "nosniff"));
        assert_eq!(shown.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(shown.header("content-security-policy").contains("default-src 'none'") && shown.header("set-cookie").is_empty());
        for wrong in [path.replace(".png", ""), path.replace(".png", ".svg"), format!("/oauth/logos/{id}/{}.png", "0".repeat(32)), "/oauth/logos/nonsense/x.png".into()] {
            assert_eq!(app.get(&wrong, &[]).await.status, StatusCode::NOT_FOUND, "{wrong}");
        }
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
        for (kind, body, status) in [
            ("image/svg+xml", svg.clone(), 422),
            ("image/png", svg, 422),
            ("image/png", PNG[..40].to_vec(), 422),
            ("image/png", Vec::new(), 422),
            ("application/json", PNG.to_vec(), 415),
            ("", PNG.to_vec(), 415),
            ("image/png", vec![0; 256 * 1024 + 1], 413),
        ] {
            let refused = put(&app, &[("x-api-key", &key), ("content-type", kind)], &at, body).await;
            assert_eq!(refused.status.as_u16(), status, "{kind}: {}", refused.text);
            if status == 422 {
                assert_eq!(refused.json()["error"]["fields"][0]["field"], json!("logo"), "{}", refused.text);
            }
        }
        assert_eq!(logo_of(&app, id).await, path, "what is refused changes nothing");
        // Whatever it is called, what it begins with counts.
        assert_eq!(put(&app, &[("x-api-key", &key), ("content-type", "IMAGE/gif")], &at, PNG.to_vec()).await.status, StatusCode::OK);
        oauth::suspend(&app.t.owner(), id, None).await.unwrap();
        assert_eq!(app.get(&path, &[]).await.status, StatusCode::NOT_FOUND);
        oauth::resume(&app.t.owner(), id).await.unwrap();
        assert_eq!(app.get(&path, &[]).await.status, StatusCode::OK);
        let removed = app.send(request("DELETE", &at, &[("x-api-key", &key)], "")).await;
        assert_eq!((removed.status, &removed.json()["logo_url"]), (StatusCode::OK, &Value::Null));
        assert_eq!(app.get(&path, &[]).await.status, StatusCode::NOT_FOUND);
    }
}

on_both! {
    async fn a_logo_is_uploaded_shown_and_removed_without_javascript(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let id = registered(&app.t.owner(), json!({})).await.app.id;
        let (detail, at) = (format!("/apps/{id}"), format!("/apps/{id}/logo"));
        assert!(page(&app, &cookie, &detail).await.text.contains(&format!("href=\"{at}\"")), "the app's page leads there");
        let blank = page(&app, &cookie, &at).await;
        assert!(blank.text.contains("enctype=\"multipart/form-data\"") && !blank.text.contains("value=\"remove\""), "{}", blank.text);
        let tenant = field(&blank, "in_tenant");
        let set = [("in_tenant", tenant.as_str()), ("act", "set")];
        for (file, why) in [
            (None, "Choose a picture."),
            (Some(b"<svg/>".to_vec()), "A logo is a PNG, JPEG or WebP picture."),
            (Some(PNG[..40].to_vec()), "damaged, or cut off"),
            (Some(vec![0; 300 * 1024]), "The picture is larger than 256 kB."),
        ] {
            let refused = app.upload(&at, &cookie, &set, file.as_deref().map(|bytes| ("logo", bytes))).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
            assert!(refused.text.contains(why) && refused.text.contains("id=\"logo-error\"") && refused.text.contains("href=\"#logo\""), "{why}: {}", refused.text);
        }
        let far_too_large = app.upload(&at, &cookie, &set, Some(("logo", &vec![0; 1024 * 1024]))).await;
        assert_eq!(far_too_large.status, StatusCode::PAYLOAD_TOO_LARGE);
        let elsewhere = [("in_tenant", "ten_00000000000000000000000000000001"), ("act", "set")];
        assert_eq!(app.upload(&at, &cookie, &elsewhere, Some(("logo", PNG))).await.status, StatusCode::CONFLICT);
        assert_eq!(app.upload(&at, &cookie, &[("act", "nonsense")], None).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let done = app.upload(&at, &cookie, &set, Some(("logo", PNG))).await;
        assert_eq!(done.header("location"), format!("{detail}?done=logo"), "{}", done.text);
        let img = format!("<img src=\"{}\" alt=\"\"", logo_of(&app, id).await);
        assert!(page(&app, &cookie, &format!("{detail}?done=logo")).await.text.contains("The logo is saved."));
        for path in ["/apps", detail.as_str()] {
            assert!(page(&app, &cookie, path).await.text.contains(&img), "{path}");
        }
        let consent = asked(&app, &cookie, id).await;
        let shown = page(&app, &cookie, &consent).await;
        assert!(shown.text.contains(&img) && shown.text.contains("appmark appmark--lg\""), "{}", shown.text);
        assert!(shown.header("content-security-policy").contains("img-src 'self'"), "{}", shown.header("content-security-policy"));
        code(&app, &cookie, id).await;
        assert!(page(&app, &cookie, "/grants").await.text.contains(&img));
        // Nobody is sent to a picture that is not given out.
        oauth::suspend(&app.t.owner(), id, None).await.unwrap();
        for path in ["/apps", detail.as_str(), at.as_str(), "/grants"] {
            assert!(!page(&app, &cookie, path).await.text.contains("<img"), "{path}");
        }
        oauth::resume(&app.t.owner(), id).await.unwrap();
        let removed = app.upload(&at, &cookie, &[("in_tenant", tenant.as_str()), ("act", "remove")], None).await;
        assert_eq!(removed.header("location"), format!("{detail}?done=logo"), "{}", removed.text);
        assert!(page(&app, &cookie, "/grants").await.text.contains("appmark--letter\">L<"), "the first letter");
    }
}

#[tokio::test]
async fn s36_s66_the_page_of_a_logo_follows_the_role_and_the_tenant() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let id = registered(&app.t.owner(), json!({})).await.app.id;
    let at = format!("/apps/{id}/logo");
    for (role, status) in [(Role::Admin, 200), (Role::Security, 403), (Role::Support, 403)] {
        app.t.set_role(role).await;
        assert_eq!(page(&app, &cookie, &at).await.status.as_u16(), status, "{role}");
        for act in ["set", "remove"] {
            let answer = app.upload(&at, &cookie, &[("act", act)], Some(("logo", PNG))).await;
            assert_eq!(answer.status.as_u16(), if status == 200 { 303 } else { 403 }, "{role} {act}: {}", answer.text);
        }
        let huge = app.upload(&at, &cookie, &[("act", "set")], Some(("logo", &vec![0; 300 * 1024]))).await;
        assert_eq!(huge.status.as_u16(), if status == 200 { 422 } else { 403 }, "{role}: who may comes before how large it is");
    }
    app.t.set_role(Role::Owner).await;
    let line = app.t.as_who(Who::CommandLine(app.t.first.tenant_id));
    let other = tenants::create(&line, &TenantName::parse("Other").unwrap(), None).await.unwrap();
    let theirs = registered(&app.t.as_who(Who::CommandLine(other.id)), json!({})).await.app.id;
    for id in [theirs.to_string(), "nonsense".to_owned()] {
        let at = format!("/apps/{id}/logo");
        assert_eq!(page(&app, &cookie, &at).await.status, StatusCode::NOT_FOUND);
        for act in ["set", "remove"] {
            assert_eq!(
                app.upload(&at, &cookie, &[("act", act)], Some(("logo", b"judged after"))).await.status,
                StatusCode::NOT_FOUND,
                "{id} {act}"
            );
        }
    }
    let signed_out = app.upload(&at, "", &[("act", "set")], Some(("logo", PNG))).await;
    assert_eq!((signed_out.status, signed_out.header("location").starts_with("/login")), (StatusCode::SEE_OTHER, true));
}

on_both! {
    async fn two_people_who_edit_an_app_do_not_overwrite_each_other(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let made = registered(&app.t.owner(), json!({})).await.app;
        let edit = format!("/apps/{}/edit", made.id);
        let seen = field(&page(&app, &cookie, &edit).await, "seen");
        let form = |name: &str| {
            format!("seen={seen}&name={name}&redirect_uris=https%3A%2F%2Fledger.test%2Fcb&more_scopes=users%3Aread+openid&access_token_seconds=&refresh_token_days=")
        };
        assert_eq!(app.form(&edit, &cookie, &form("First")).await.status, StatusCode::SEE_OTHER);
        let late = app.form(&edit, &cookie, &form("Second")).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(late.text.contains("The app was changed since this form was opened, and nothing was saved."), "{}", late.text);
        assert!(late.text.contains("value=\"Second\"") && field(&late, "seen") == seen, "what was typed is kept");
        assert_eq!(app.form(&edit, &cookie, &form("Third")).await.status, StatusCode::CONFLICT, "sending it again helps nobody");
        assert_eq!(oauth::get(&app.t.owner(), Perm::AppsRead, made.id).await.unwrap().name, "First");
        let fresh = field(&page(&app, &cookie, &edit).await, "seen");
        assert_eq!(app.form(&edit, &cookie, &form("Fourth").replace(&seen, &fresh)).await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn the_form_reads_what_few_apps_need_and_offers_a_machine_no_sign_in() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let form_id = contract::FormId::from_uuid(app.t.core.new_uuid());
    let sent = format!(
        "form_id={form_id}&name=Ledger&kind=confidential&redirect_uris=https%3A%2F%2Fledger.test%2Fcb&scopes=openid&more_scopes=&home_page=\
         &require_pkce=true&access_token_seconds=3600&refresh_token_days=90&grant_types=&token_endpoint_auth_method=private_key_jwt\
         &jwks=%7B&id_token_signed_response_alg=none&allowed_origins=https%3A%2F%2Fledger.test%2Fapp"
    );
    let refused = app.form("/apps/new", &cookie, &sent).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        "id=\"allowed_origins-error\"",
        "An origin has no path: https://ledger.test.",
        "id=\"grant_types-error\"",
        "id=\"jwks-error\"",
        "id=\"id_token_signed_response_alg-error\"",
        "https://ledger.test/app",
        "<details open class=\"further\"",
    ] {
        assert!(refused.text.contains(part), "{part}: {}", refused.text);
    }
    let key = "%7B%22keys%22%3A%5B%7B%22kty%22%3A%22OKP%22%2C%22crv%22%3A%22Ed25519%22%2C%22x%22%3A%2211qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo%22%7D%5D%7D";
    let good = sent
        .replace("jwks=%7B", &format!("jwks={key}"))
        .replace("alg=none", "alg=EdDSA")
        .replace("%2Fapp", "")
        .replace("grant_types=", "grant_types=&grant_types=authorization_code");
    let made = app.form("/apps/new", &cookie, &good).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let stored = oauth::list(&app.t.owner(), PageQuery::default()).await.unwrap().data.remove(0);
    let terms = serde_json::to_value(&stored.terms).unwrap();
    assert_eq!(terms["allowed_origins"], json!(["https://ledger.test"]));
    assert_eq!((&terms["grant_types"], &terms["id_token_signed_response_alg"]), (&json!(["authorization_code"]), &json!("EdDSA")));
    assert_eq!(
        (&terms["token_endpoint_auth_method"], terms["jwks"]["keys"].as_array().map(Vec::len)),
        (&json!("private_key_jwt"), Some(1))
    );
    let edit = page(&app, &cookie, &format!("/apps/{}/edit", stored.id)).await.text;
    for part in ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "value=\"EdDSA\" selected", "value=\"private_key_jwt\" selected"] {
        assert!(edit.contains(part), "{part}: {edit}");
    }
    assert!(page(&app, &cookie, &format!("/apps/{}", stored.id)).await.text.contains(">Origins<"));

    let machine =
        registered(&app.t.owner(), json!({"name": "Machine", "kind": "machine", "redirect_uris": [], "scopes": ["users:read"]})).await.app;
    let edit = page(&app, &cookie, &format!("/apps/{}/edit", machine.id)).await.text;
    for absent in [
        "value=\"openid\"",
        "value=\"offline_access\"",
        "name=\"allowed_origins\"",
        "name=\"grant_types\"",
        "name=\"id_token_signed_response_alg\"",
    ] {
        assert!(!edit.contains(absent), "{absent}: {edit}");
    }
    assert!(edit.contains("name=\"token_endpoint_auth_method\"") && edit.contains("name=\"jwks\""));
    let as_machine = sent
        .replace("kind=confidential", "kind=machine")
        .replace("more_scopes=", "more_scopes=users%3Aread")
        .replace("private_key_jwt", "client_secret_basic");
    let as_machine = as_machine.replace(&form_id.to_string(), &contract::FormId::from_uuid(app.t.core.new_uuid()).to_string());
    let made = app.form("/apps/new", &cookie, &as_machine).await;
    assert_eq!(made.status, StatusCode::OK, "what it has no use for is not meant: {}", made.text);
    let stored = oauth::list(&app.t.owner(), PageQuery::default()).await.unwrap().data.remove(0);
    assert_eq!(stored.terms.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["users:read"]);
}

#[tokio::test]
async fn the_page_of_policies_lists_the_apps_that_would_not_meet_them() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let id = registered(&app.t.owner(), json!({})).await.app.id;
    let review = app.form("/settings/policies", &cookie, "act=review&max_key_lifetime_days=30").await;
    assert_eq!(review.status, StatusCode::OK, "{}", review.text);
    assert!(
        review.text.contains("1 OAuth app does not meet this") && review.text.contains(&format!("href=\"/apps/{id}\"")),
        "{}",
        review.text
    );
    let settings = app.get("/v1/settings", &[("x-api-key", &app.t.first.api_key)]).await.json();
    assert_eq!(settings["violations"]["apps_total"], json!(0));
    let body: contract::PoliciesBody = serde_json::from_value(json!({"max_key_lifetime_days": 30})).unwrap();
    tenants::set_policies(&app.t.owner(), &body).await.unwrap();
    let settings = app.get("/v1/settings", &[("x-api-key", &app.t.first.api_key)]).await.json();
    assert_eq!(settings["violations"]["apps"][0]["policies"], json!(["max_key_lifetime_days"]));
    let blank = page(&app, &cookie, "/apps/new").await;
    let days = blank.text.split("name=\"refresh_token_days\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(days.contains("value=\"30\""), "the form is preset to what is allowed: {days}");
    assert!(blank.text.contains("1 to 30, by a policy of the tenant"), "{}", blank.text);
}
