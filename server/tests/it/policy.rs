//! What a tenant demands of its people, over HTTP: pages and forms without script, server functions, the API.

use crate::harness::{Answer, App, Setup, on_both, request};
use axum::http::StatusCode;
use contract::Role;
use domain::{
    tenants,
    testing::{On, PASSWORD, one_time_code},
};
use serde_json::{Value, json};

async fn page(app: &App, cookie: &str, path: &str) -> Answer {
    app.get(path, &[("cookie", cookie), ("accept", "text/html")]).await
}

async fn sign_in(app: &App, email: &str) -> Answer {
    app.form("/login", "", &format!("email={}&password={}", email.replace('@', "%40"), PASSWORD.replace(' ', "+"))).await
}

async fn set(app: &App, members: Value) {
    tenants::set_policies(&app.t.owner(), &serde_json::from_value(members).unwrap()).await.unwrap();
}

/// Which policies a review showed, as the form sends it back.
pub fn mark(review: &Answer) -> String {
    let mark = review.text.split("name=\"reviewed\" value=\"").nth(1).unwrap_or_else(|| panic!("{}", review.text));
    mark.split('"').next().unwrap().replace("&quot;", "%22")
}

fn secret_in(answer: &Answer) -> String {
    crate::proof::text_of(answer, "totp-secret").replace(' ', "")
}

on_both! {
    async fn s14_where_a_second_factor_is_required_every_page_leads_to_setting_one_up(on) {
        let app = App::new(on).await;
        let dev = app.t.join("dev@acme.test", Role::Admin).await.person().unwrap().user_id;
        let before = sign_in(&app, "dev@acme.test").await.cookie();
        let owner = app.sign_in().await;
        let asked = "require_second_factor=1&session_idle_minutes=&session_lifetime_hours=&error_form=";
        let alone = app.form("/settings/policies", &owner, &format!("act=review&{asked}")).await;
        assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(alone.text.contains("Set up a second factor of your own first"), "{}", alone.text);
        app.t.enrol(&app.t.owner()).await;
        let review = app.form("/settings/policies", &owner, &format!("act=review&{asked}")).await;
        assert_eq!(review.status, StatusCode::OK, "{}", review.text);
        assert!(review.text.contains("1 member has to set up a second factor") && review.text.contains(&format!("/members/{dev}")), "{}", review.text);
        let mark = mark(&review);
        let saved = app.form("/settings/policies", &owner, &format!("act=save&{asked}&reviewed={mark}")).await;
        assert_eq!(saved.header("location"), "/settings/policies?saved=1", "{}", saved.text);

        for cookie in [before, sign_in(&app, "dev@acme.test").await.cookie()] {
            for path in ["/", "/keys", "/keys/new", "/usage", "/audit", "/leaks", "/members", "/settings/policies", "/platform/tenants", "/usage/export"] {
                let led = page(&app, &cookie, path).await;
                assert_eq!((led.status.as_u16(), led.header("location")), (303, "/account/two-factor"), "{path}");
            }
            // The way to another tenant stays open, and the way out.
            let tenants = page(&app, &cookie, "/tenants").await;
            assert!(tenants.status == StatusCode::OK && !tenants.text.contains("value=\"leave\""), "{}", tenants.text);
            let posted = app.form("/keys/new", &cookie, &crate::console::create_form(&app, "x")).await;
            assert_eq!((posted.status.as_u16(), posted.header("location")), (303, "/account/two-factor"));
            let why = page(&app, &cookie, "/account/two-factor").await;
            assert!(why.status == StatusCode::OK && why.text.contains("Acme requires a second factor"), "{}", why.text);
        }
        let cookie = sign_in(&app, "dev@acme.test").await.cookie();
        let fetch = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"), ("sec-fetch-site", "same-origin"), ("cookie", &cookie)];
        let key = "key_00000000000000000000000000000001";
        for (path, body) in [
            ("/api/keys/rotate", format!("id={key}&form[grace]=0")),
            ("/api/members/invite", "email=a@b.test&role=admin".into()),
            ("/api/settings/set-policies", "form[retention_days]=".into()),
            ("/api/scopes/add", "name=x:read&description=".into()),
            ("/api/tenants/leave", "confirm=Acme".into()),
            ("/api/platform/create-tenant", "form[name]=X".into()),
        ] {
            let refused = app.send(request("POST", path, &fetch, &body)).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {}", refused.text);
            assert!(refused.text.contains("MFA_ENROLLMENT_REQUIRED"), "{path}: {}", refused.text);
        }
        let begun = app.form("/account/two-factor", &cookie, "act=begin").await;
        let code = one_time_code(&secret_in(&begun), app.t.core.now());
        let on = app.form("/account/two-factor", &cookie, &format!("act=on&code={code}")).await;
        assert!(on.status == StatusCode::OK && !on.text.contains("requires a second factor"), "{}", on.text);
        assert_eq!(page(&app, &cookie, "/keys").await.status, StatusCode::OK, "they go on");
    }
}

on_both! {
    async fn over_the_api_who_has_no_second_factor_is_told_where_to_set_one_up(on) {
        let app = App::new(on).await;
        app.t.join("dev@acme.test", Role::Admin).await;
        let body = json!({"email": "dev@acme.test", "password": PASSWORD});
        let signed_in = app.post("/v1/auth/login", &[], &body).await.json();
        let bearer = format!("Bearer {}", signed_in["access_token"].as_str().unwrap());
        app.t.enrol(&app.t.owner()).await;
        let key = app.t.first.api_key.clone();
        let patch = |body: &'static str| request("PATCH", "/v1/settings", &[("x-api-key", key.as_str()), ("content-type", "application/json")], body);
        let set = app.send(patch("{\"require_second_factor\":true}")).await;
        assert_eq!((set.status.as_u16(), &set.json()["violations"]["unenrolled"][0]["email"]), (200, &json!("dev@acme.test")), "{}", set.text);
        let ended = app.get("/v1/api-keys", &[("authorization", &bearer)]).await;
        assert_eq!((ended.status, ended.code().as_str()), (StatusCode::UNAUTHORIZED, "INVALID_TOKEN"));
        let refused = app.post("/v1/auth/login", &[], &body).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "MFA_ENROLLMENT_REQUIRED"));
        assert!(refused.text.contains("Sign in to the console at http://localhost"), "{}", refused.text);
        assert_eq!(app.get("/v1/api-keys", &[("x-api-key", &key)]).await.status, StatusCode::OK, "keys go on");
        let bad = app.send(patch("{\"session_idle_minutes\":5,\"error_form\":\"loud\"}")).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", bad.text);
    }
}

on_both! {
    async fn errors_have_the_form_that_the_tenant_of_the_credential_chose(on) {
        let app = App::new(on).await;
        let key = app.t.first.api_key.clone();
        let gateway = app.t.first.gateway_key.clone();
        let narrow = app.post("/v1/api-keys", &[("x-api-key", &key)], &json!({"name": "n", "scopes": ["thing:read"]})).await.json();
        let narrow = narrow["key"].as_str().unwrap().to_owned();
        let token = app.post("/v1/auth/login", &[], &json!({"email": "owner@acme.test", "password": PASSWORD})).await.json();
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        let flat = |answer: &Answer| answer.json()["error"].is_string() && answer.header("content-type") == "application/json";
        let asked = async || {
            let missing = app.get("/v1/api-keys", &[("x-api-key", &narrow)]).await;
            let nothing = app.get("/v1/api-keys/key_00000000000000000000000000000001", &[("authorization", &bearer)]).await;
            let denied = app.get("/v1/forward-auth?scopes=thing:write", &[("x-keystead-gateway", &gateway), ("x-api-key", &narrow)]).await;
            assert_eq!([&missing, &nothing, &denied].map(|a| a.status.as_u16()), [403, 404, 403]);
            [&missing, &nothing, &denied].map(flat)
        };
        assert_eq!(asked().await, [false; 3]);
        set(&app, json!({"error_form": "flat"})).await;
        assert_eq!(asked().await, [true; 3]);
        let wrong = app.post("/v1/api-keys", &[("x-api-key", &key)], &json!({"name": "", "scopes": []})).await;
        assert_eq!((wrong.status, flat(&wrong), wrong.json().as_object().unwrap().len()), (StatusCode::UNPROCESSABLE_ENTITY, true, 3));
        let said = wrong.json()["message"].as_str().unwrap().to_owned();
        assert!(said.contains("name: ") && said.contains("scopes: "), "three members, so the message names the fields: {said}");
        // Nobody's key and a revoked one of the tenant are one answer (s37): the installation's form.
        let id = app.get("/v1/api-keys?q=n", &[("x-api-key", &key)]).await.json();
        let id = id["data"].as_array().unwrap().iter().find(|k| k["name"] == "n").unwrap()["id"].as_str().unwrap().to_owned();
        app.post(&format!("/v1/api-keys/{id}/revoke"), &[("x-api-key", &key)], &json!({})).await;
        let same = [("x-request-id", "req_same")];
        let revoked = app.get("/v1/auth/test", &[&same[..], &[("x-api-key", &narrow)]].concat()).await;
        let unknown = app.get("/v1/auth/test", &[&same[..], &[("x-api-key", "sk_live_nonsense")]].concat()).await;
        assert_eq!((revoked.text.as_str(), revoked.status), (unknown.text.as_str(), StatusCode::UNAUTHORIZED));
        assert!(!flat(&unknown));
    }
}

#[tokio::test]
async fn a_tenant_may_have_the_standard_form_where_the_installation_is_flat() {
    let app = App::with(On::Sqlite, Setup { flat: true, ..Setup::default() }).await;
    let key = app.t.first.api_key.clone();
    let missing = async || app.get("/v1/api-keys/key_00000000000000000000000000000001", &[("x-api-key", &key)]).await;
    assert_eq!(missing().await.json()["error"], "not_found");
    set(&app, json!({"error_form": "standard"})).await;
    assert_eq!((missing().await.code().as_str(), missing().await.header("content-type")), ("NOT_FOUND", "application/problem+json"));
    assert_eq!(app.get("/v1/api-keys", &[]).await.json()["error"], "unauthorized", "nobody's");
}

on_both! {
    async fn s21_the_console_signs_out_whoever_was_away_for_longer_than_the_tenant_allows(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        set(&app, json!({"session_idle_minutes": 15})).await;
        app.t.clock.advance(std::time::Duration::from_secs(14 * 60));
        assert_eq!(page(&app, &cookie, "/keys").await.status, StatusCode::OK);
        app.t.clock.advance(std::time::Duration::from_secs(15 * 60));
        assert_eq!(page(&app, &cookie, "/keys").await.header("location"), "/login?next=/keys");
        let shown = page(&app, &app.sign_in().await, "/account/sessions").await;
        assert!(shown.text.contains("after 15 minutes without a request, and after 7 days in any case"), "{}", shown.text);
    }
}

on_both! {
    async fn s31_an_owner_helps_a_member_back_in_without_javascript_and_confirms_first(on) {
        let app = App::new(on).await;
        let dev = app.t.join("dev@acme.test", Role::Developer).await;
        app.t.enrol(&dev).await;
        let at = format!("/members/{}", dev.person().unwrap().user_id);
        let owner = app.sign_in().await;
        let shown = page(&app, &owner, &at).await;
        assert!(shown.text.contains("Reset second factor") && shown.text.contains("Make a reset link"), "{}", shown.text);
        let none = app.form(&at, &owner, "act=reset_link&reason=").await;
        assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", none.text);
        app.t.clock.advance(std::time::Duration::from_secs(660));
        let asked = app.form(&at, &owner, "act=reset_two_factor&reason=lost+phone").await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        assert!(asked.text.contains("Confirm that it is you") && asked.text.contains("value=\"lost phone\""), "{}", asked.text);
        let form = format!("act=reset_two_factor&reason=lost+phone&confirm_password={}", PASSWORD.replace(' ', "+"));
        let done = app.form(&at, &owner, &form).await;
        assert_eq!(done.header("location"), format!("{at}?done=two-factor"), "{}", done.text);
        let owner = done.cookie();
        assert!(page(&app, &owner, &format!("{at}?done=two-factor")).await.text.contains("Their second factor is gone"));
        assert_eq!(sign_in(&app, "dev@acme.test").await.header("location"), "/keys", "no second step");
        let made = app.form(&at, &owner, "act=reset_link&reason=lost+password").await;
        assert_eq!((made.status, made.header("cache-control")), (StatusCode::OK, "no-store"));
        let link = made.text.split("http://localhost/reset?token=").nth(1).unwrap_or_else(|| panic!("{}", made.text));
        let token = link.split('<').next().unwrap().to_owned();
        assert!(!page(&app, &owner, &at).await.text.contains(&token), "shown once");
        let set = app.form("/reset", "", &format!("token={token}&new_password=another+gravel+orbit+lantern")).await;
        assert_eq!(set.header("location"), "/login?reset=1", "{}", set.text);
    }
}

#[tokio::test]
async fn platform_admins_help_whoever_has_an_address() {
    let app = App::new(On::Sqlite).await;
    let dev = app.t.join("dev@acme.test", Role::Owner).await;
    app.t.enrol(&dev).await;
    let owner = app.sign_in().await;
    assert!(page(&app, &owner, "/platform/tenants").await.text.contains("href=\"/platform/recovery\""));
    let unknown = app.form("/platform/recovery", &owner, "act=reset_link&email=x%40acme.test&reason=x").await;
    assert!(unknown.status == StatusCode::UNPROCESSABLE_ENTITY && unknown.text.contains("Nobody has this address"), "{}", unknown.text);
    let done = app.form("/platform/recovery", &owner, "act=reset_two_factor&email=dev%40acme.test&reason=x").await;
    assert_eq!(done.header("location"), "/platform/recovery?done=1", "{}", done.text);
    let link = app.form("/platform/recovery", &owner, "act=reset_link&email=dev%40acme.test&reason=x").await;
    assert!(link.text.contains("http://localhost/reset?token="), "{}", link.text);
    let theirs = sign_in(&app, "dev@acme.test").await.cookie();
    assert_eq!(page(&app, &theirs, "/platform/recovery").await.status, StatusCode::FORBIDDEN);
    let refused = app.form("/platform/recovery", &theirs, "act=reset_link&email=owner%40acme.test&reason=x").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

on_both! {
    async fn s21_the_sessions_of_a_member_stand_on_their_page_and_are_ended_there(on) {
        let app = App::new(on).await;
        let dev = app.t.join("dev@acme.test", Role::Developer).await.person().unwrap().user_id;
        let theirs = sign_in(&app, "dev@acme.test").await.cookie();
        let token = app.post("/v1/auth/login", &[], &json!({"email": "dev@acme.test", "password": PASSWORD})).await.json();
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        let (owner, at) = (app.sign_in().await, format!("/members/{dev}"));
        let shown = page(&app, &owner, &at).await;
        assert!(shown.text.contains("Signed in to this tenant") && shown.text.contains("203.0.113.24") && shown.text.contains("API: "), "{}", shown.text);
        let ids: Vec<&str> = shown.text.split("name=\"session\" value=\"").skip(1).map(|s| s.split('"').next().unwrap()).collect();
        let (api, console): (Vec<&str>, Vec<&str>) = ids.into_iter().partition(|id| id.starts_with("lgn_"));
        assert_eq!((api.len(), console.len()), (1, 1));
        assert_eq!(app.form(&at, &owner, &format!("act=end_session&session={}", console[0])).await.header("location"), format!("{at}?done=session"));
        assert_eq!(page(&app, &theirs, "/keys").await.status, StatusCode::SEE_OTHER, "ended at once");
        assert_eq!(app.get("/v1/auth/me", &[("authorization", &bearer)]).await.status, StatusCode::OK);
        app.form(&at, &owner, "act=end_sessions").await;
        assert_eq!(app.get("/v1/auth/me", &[("authorization", &bearer)]).await.status, StatusCode::UNAUTHORIZED);
        assert!(page(&app, &owner, &at).await.text.contains("They are not signed in to this tenant"));
        assert_eq!(app.form(&at, &owner, "act=end_session&session=ff").await.status, StatusCode::NOT_FOUND);
    }
}

on_both! {
    async fn a_review_says_what_changes_from_what_and_what_happens_with_the_saving(on) {
        let app = App::new(on).await;
        app.t.join("dev@acme.test", Role::Developer).await;
        let dev = sign_in(&app, "dev@acme.test").await.cookie();
        app.post("/v1/auth/login", &[], &json!({"email": "dev@acme.test", "password": PASSWORD})).await;
        set(&app, json!({"max_key_lifetime_days": 90})).await;
        app.t.clock.advance(std::time::Duration::from_secs(2 * 3_600));
        let cookie = app.sign_in().await;
        app.t.enrol(&app.t.owner()).await;
        let owner = app.t.owner();
        let asked = tenants::review(&owner, &contract::Policies { session_lifetime_hours: Some(1), ..contract::Policies::default() }).await.unwrap();
        assert_eq!((asked.sessions_ending, asked.logins_ending, asked.before.max_key_lifetime_days), (1, 1, Some(90)));
        let review = async |form: &str| app.form("/settings/policies", &cookie, &format!("act=review&{form}")).await;
        let shown = review("max_key_lifetime_days=30&session_lifetime_hours=1&error_form=flat&require_second_factor=1&retention_days=30").await;
        let text = text(&shown);
        for said in [
            "Keys work 90 days → becomes 30 days",
            "Second factor not required → becomes required",
            "Signed in at most 7 days → becomes 1 hour",
            "Form of errors as the installation has it → becomes Flat: error, message and request id",
            "Log is kept for ever → becomes 30 days",
            "1 session of the console and 1 sign-in over the API end now.",
            "Members without a second factor can only set one up from now on",
            "1 member has to set up a second factor",
            "From now on the API answers errors in the flat form",
            "No request is older than the log is kept",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("Addresses not required → "), "what stays is not named: {text}");
        let same = self::text(&review("max_key_lifetime_days=90").await);
        assert!(same.contains("Nothing: these are the policies as they are."), "{same}");
        assert_eq!(page(&app, &dev, "/keys").await.status, StatusCode::OK, "a review changes nothing");
    }
}

/// What stands on a page, without its markup.
fn text(answer: &Answer) -> String {
    let parts = answer.text.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text));
    parts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

on_both! {
    async fn a_new_key_is_preset_within_the_policies_and_its_form_says_them(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let new = async || page(&app, &cookie, "/keys/new").await.text;
        let chosen = |text: &str, value: &str| {
            let input = text.split("<input").find(|i| i.contains("name=\"expires\"") && i.contains(&format!("value=\"{value}\""))).unwrap();
            input.split('>').next().unwrap().contains("checked")
        };
        let before = new().await;
        assert!(chosen(&before, "90") && !before.contains("A policy of the tenant"), "{before}");
        set(&app, json!({"max_key_lifetime_days": 30, "require_allowlist": true})).await;
        let after = new().await;
        assert!(chosen(&after, "30") && !chosen(&after, "90"), "{after}");
        for said in ["keys expire within 30 days", "id=\"expires-hint\"", "aria-describedby=\"expires-hint\"", "required by a policy", "asks for at least one"] {
            assert!(after.contains(said), "{said}: {after}");
        }
        set(&app, json!({"max_key_lifetime_days": 3})).await;
        let short = new().await;
        let at = crate::key_pages::field(&page(&app, &cookie, "/keys/new").await, "expires_at");
        assert!(chosen(&short, "custom") && at.len() == "2026-01-01T00:00".len(), "{at}: {short}");
        let form = crate::console::create_form(&app, "preset").replace("expires=90", &format!("expires=custom&expires_at={at}"));
        let made = app.form("/keys/new", &cookie, &(form + "&allowed_ips=203.0.113.0%2F24")).await;
        assert!(made.text.contains("sk_live_"), "{}", made.text);
    }
}

#[tokio::test]
async fn fields_of_new_passwords_say_their_rule_without_script_and_more_with_it() {
    let app = App::new(On::Sqlite).await;
    let owner = app.sign_in().await;
    let plain = page(&app, &owner, "/account").await.text;
    for said in [
        "At least 15 characters",
        "data-strength=\"#new_password-strength\"",
        "data-min=\"15\"",
        "id=\"new_password-strength\" aria-live=\"polite\"",
    ] {
        assert!(plain.contains(said), "{said}: {plain}");
    }
    assert!(plain.contains("aria-describedby=\"new_password-hint\"") && plain.contains("data-names=\"Acme owner@acme.test\""), "{plain}");
    app.t.enrol(&app.t.owner()).await;
    let factor = page(&app, &owner, "/account").await.text;
    assert!(factor.contains("At least 8 characters, since you have a second factor") && factor.contains("data-or-min=\"8\""), "{factor}");
    let invited = app.form("/members", &owner, "act=invite&email=dev%40acme.test&role=developer").await;
    let link = invited.text.split("http://localhost/").nth(1).unwrap().split(['<', '"']).next().unwrap().to_owned();
    let accept = page(&app, "", &format!("/{link}")).await.text;
    assert!(accept.contains("data-names=\"Acme dev@acme.test\"") && accept.contains("data-min=\"15\""), "{accept}");
}
