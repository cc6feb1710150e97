//! Members, invitations and tenants: their pages and forms without script, their API, and `X-Tenant-ID`.

use crate::harness::{Answer, App, on_both};
use axum::http::StatusCode;
use contract::{Email, Invite, Perm, Role, TenantBody, UserId};
use domain::{
    members, tenants,
    testing::{On, PASSWORD},
};
use serde_json::{Value, json};

async fn page(app: &App, cookie: &str, path: &str) -> Answer {
    app.get(path, &[("cookie", cookie), ("accept", "text/html")]).await
}

/// The path of the link that an answer shows.
fn link_in(answer: &Answer) -> String {
    let at = answer.text.find("/invitations/accept?token=").unwrap_or_else(|| panic!("no link: {}", answer.text));
    answer.text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "/?=".contains(*c)).collect()
}

fn token(link: &str) -> &str {
    link.split("token=").nth(1).unwrap()
}

fn password() -> String {
    PASSWORD.replace(' ', "+")
}

async fn sign_in(app: &App, email: &str) -> Answer {
    app.form("/login", "", &format!("email={}&password={}", email.replace('@', "%40"), password())).await
}

fn id(ctx: &domain::Ctx) -> UserId {
    ctx.person().unwrap().user_id
}

async fn tenant(app: &App, name: &str, owner: &str) -> (contract::Tenant, String) {
    let body = TenantBody { name: Some(name.into()), slug: None };
    let (made, link) = tenants::create_with_owner(&app.t.owner(), &body, owner).await.unwrap();
    let link = link.unwrap().accept_url.unwrap();
    (made, link.trim_start_matches("http://localhost").to_owned())
}

on_both! {
    async fn inviting_accepting_changing_and_removing_works_without_javascript(on) {
        let app = App::new(on).await;
        let owner = app.sign_in().await;
        let invited = app.form("/members", &owner, "act=invite&email=dev%40acme.test&role=developer").await;
        assert_eq!(invited.status, StatusCode::OK, "{}", invited.text);
        assert_eq!(invited.header("cache-control"), "no-store");
        let link = link_in(&invited);
        let list = page(&app, &owner, "/members").await;
        assert!(list.text.contains("dev@acme.test") && !list.text.contains(token(&link)), "the link is shown once");

        let shown = page(&app, "", &link).await;
        for part in ["owner@acme.test", "dev@acme.test", "Acme", "developer", "Choose a password"] {
            assert!(shown.text.contains(part), "{part}: {}", shown.text);
        }
        let weak = app.form("/invitations/accept", "", &format!("token={}&password=short", token(&link))).await;
        assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(weak.text.contains("At least 15 characters") && weak.text.contains(token(&link)), "the form comes back: {}", weak.text);
        assert!(!weak.text.contains("value=\"short\""), "without the password");
        let joined = app.form("/invitations/accept", "", &format!("token={}&password={}", token(&link), password())).await;
        assert_eq!((joined.status.as_u16(), joined.header("location")), (303, "/keys"), "{}", joined.text);
        let dev = joined.cookie();
        assert_eq!(page(&app, &dev, "/keys").await.status, StatusCode::OK);
        let used = page(&app, "", &link).await;
        assert!(used.text.contains("This invitation does not work"), "{}", used.text);
        // Used, expired, withdrawn or never made: whoever guesses sees one page, and learns of no account.
        let guessed = app.get("/invitations/accept?token=0123456789", &[("accept", "text/html")]).await;
        let main = |page: &str| page.split("<main").nth(1).unwrap().split("</main>").next().unwrap().to_owned();
        assert_eq!((used.status, main(&used.text)), (guessed.status, main(&guessed.text)));

        let who = members::list(&app.t.owner(), contract::PageQuery::default()).await.unwrap().data;
        let who = who.into_iter().find(|m| m.email == "dev@acme.test").unwrap();
        let at = format!("/members/{}", who.id);
        let changed = app.form(&at, &owner, "act=role&role=support").await;
        assert_eq!(changed.header("location"), format!("{at}?done=role"));
        assert_eq!(page(&app, &dev, "/keys").await.status, StatusCode::FORBIDDEN, "the very next request");
        let refused = app.form(&at, &owner, "act=remove&confirm=dev").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("value=\"dev\""), "what was typed is kept");
        assert_eq!(app.form(&at, &owner, "act=remove&confirm=dev%40acme.test").await.header("location"), "/members");
        assert_eq!(page(&app, &dev, "/leaks").await.status, StatusCode::SEE_OTHER, "signed out");
        assert!(!page(&app, &owner, "/members").await.text.contains("dev@acme.test"));
    }
}

on_both! {
    async fn a_new_account_is_made_and_signed_in_also_where_somebody_else_was(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let made = app.form("/members", &cookie, "act=invite&email=new%40acme.test&role=developer").await;
        let joined = app.form("/invitations/accept", &cookie, &format!("token={}&password={}", token(&link_in(&made)), password())).await;
        assert_eq!((joined.status.as_u16(), joined.header("location")), (303, "/keys"), "{}", joined.text);
        let there = joined.cookie();
        assert!(there != cookie && page(&app, &there, "/account").await.text.contains("new@acme.test"));
        assert!(page(&app, &cookie, "/account").await.header("location").starts_with("/login"), "one browser, one session (s19)");
    }
}

on_both! {
    async fn a_withdrawn_invitation_leads_nowhere_and_the_last_owner_stays(on) {
        let app = App::new(on).await;
        let owner = app.sign_in().await;
        let link = link_in(&app.form("/members", &owner, "act=invite&email=dev%40acme.test&role=admin").await);
        let waiting = members::invitations(&app.t.owner(), true, contract::PageQuery::default()).await.unwrap().data;
        let withdrawn = app.form("/members", &owner, &format!("act=withdraw&id={}", waiting[0].id)).await;
        assert_eq!(withdrawn.header("location"), "/members");
        let late = app.form("/invitations/accept", "", &format!("token={}&password={}", token(&link), password())).await;
        assert_eq!(late.status, StatusCode::FORBIDDEN);
        for (path, form) in [(format!("/members/{}", app.t.first.user_id), "act=role&role=admin"), ("/tenants".into(), "act=leave&confirm=Acme")] {
            let answer = app.form(&path, &owner, form).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
            assert!(answer.text.contains("the last owner"), "{}", answer.text);
        }
    }
}

on_both! {
    async fn the_switcher_leads_to_the_other_tenant_and_the_session_keeps_it(on) {
        let app = App::new(on).await;
        let (globex, link) = tenant(&app, "Globex", "owner@acme.test").await;
        let cookie = app.sign_in().await;
        let before = page(&app, &cookie, "/keys").await;
        assert!(before.text.contains("href=\"/tenants\"") && !before.text.contains("Globex"), "one tenant needs no switch");
        let joined = app.form("/invitations/accept", &cookie, &format!("token={}", token(&link))).await;
        assert_eq!(joined.header("location"), "/keys", "{}", joined.text);
        let there = joined.cookie();
        assert_ne!(there, cookie, "a new id");
        assert_eq!(page(&app, &cookie, "/keys").await.status, StatusCode::SEE_OTHER, "the old one is dead");
        let keys = page(&app, &there, "/keys").await;
        assert!(keys.text.contains("Globex · Keystead") && !keys.text.contains(">bootstrap<"), "{}", keys.text);
        let back = app.form("/tenants", &there, &format!("tenant={}", app.t.first.tenant_id)).await;
        assert_eq!(back.header("location"), "/keys");
        let home = back.cookie();
        let keys = page(&app, &home, "/keys").await;
        assert!(keys.text.contains("Acme · Keystead") && keys.text.contains(&globex.id.to_string()), "and the switch leads there");
        let foreign = app.form("/tenants", &home, "tenant=ten_00000000000000000000000000000001").await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        let left = app.form("/tenants", &app.form("/tenants", &home, &format!("tenant={}", globex.id)).await.cookie(), "act=leave&confirm=Globex").await;
        assert_eq!(left.status, StatusCode::CONFLICT, "its last owner stays: {}", left.text);
    }
}

on_both! {
    async fn a_form_that_was_opened_in_one_tenant_is_not_carried_out_in_another(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let (globex, _) = tenant(&app, "Globex", "boss@globex.test").await;
        app.t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'owner', 2000000000000 FROM tenants t, users u WHERE t.slug = 'globex' AND u.email = 'owner@acme.test'").await;
        let home = format!("in_tenant={}", app.t.first.tenant_id);
        for path in ["/keys/new", "/settings/tenant", "/settings/policies", "/settings/allowlist", "/settings/scopes", "/members", "/leaks"] {
            let shown = page(&app, &cookie, path).await.text;
            assert!(shown.contains(&format!("name=\"in_tenant\" value=\"{}\"", app.t.first.tenant_id)), "{path}");
        }
        // The second tab.
        let there = app.form("/tenants", &cookie, &format!("tenant={}", globex.id)).await.cookie();
        let late = app.form("/settings/tenant", &there, &format!("act=rename&name=Renamed&{home}")).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(late.text.contains("opened in another tenant") && !page(&app, &there, "/settings/tenant").await.text.contains("Renamed"), "{}", late.text);
        let create = format!("{}&{home}", crate::console::create_form(&app, "late"));
        assert_eq!(app.form("/keys/new", &there, &create).await.status, StatusCode::CONFLICT);
        let right = app.form("/settings/tenant", &there, &format!("act=rename&name=Renamed&in_tenant={}", globex.id)).await;
        assert_eq!(right.status, StatusCode::SEE_OTHER);
    }
}

on_both! {
    async fn who_is_out_of_a_tenant_goes_on_in_another_and_is_signed_out_when_none_is_left(on) {
        let app = App::new(on).await;
        let dev = id(&app.t.join("dev@acme.test", Role::Developer).await);
        let cookie = sign_in(&app, "dev@acme.test").await.cookie();
        for name in ["Globex", "Initech"] {
            let (made, link) = tenant(&app, name, "dev@acme.test").await;
            members::accept(&app.t.member(dev, app.t.first.tenant_id, Role::Developer), &contract::AcceptForm { token: token(&link).into(), ..Default::default() }).await.unwrap();
            // It keeps an owner when they leave.
            let second = Invite { email: Email::parse("owner@acme.test").unwrap(), role: Role::Owner, days: 1 };
            let made = members::invite(&app.t.as_who(domain::Who::CommandLine(made.id)), second).await.unwrap().accept_url.unwrap();
            members::accept(&app.t.owner(), &contract::AcceptForm { token: token(&made).into(), ..Default::default() }).await.unwrap();
        }
        let globex = tenants::list(&app.t.owner(), contract::PageQuery::default()).await.unwrap().data.into_iter().find(|t| t.name == "Globex").unwrap().id;
        let there = app.form("/tenants", &cookie, &format!("tenant={globex}")).await.cookie();
        assert!(page(&app, &there, "/tenants").await.text.contains("Globex · Keystead"));
        // One that demands a second factor leaves the way to the others open (s14).
        app.t.tamper(r#"UPDATE tenants SET policies = '{"require_second_factor":true}' WHERE slug = 'globex'"#).await;
        assert_eq!(page(&app, &there, "/keys").await.header("location"), "/account/two-factor");
        assert_eq!(page(&app, &there, "/tenants").await.status, StatusCode::OK);
        app.t.tamper("UPDATE tenants SET policies = '{}' WHERE slug = 'globex'").await;
        let left = app.form("/tenants", &there, "act=leave&confirm=Globex").await;
        assert_eq!(left.header("location"), "/login", "{}", left.text);
        assert_eq!(page(&app, &there, "/login").await.header("location"), "/keys", "signed in still");
        assert!(page(&app, &there, "/keys").await.text.contains("Acme · Keystead"), "where a sign-in leads");
        let owner = app.sign_in().await;
        app.form(&format!("/members/{dev}"), &owner, "act=remove&confirm=dev%40acme.test").await;
        assert!(page(&app, &there, "/keys").await.text.contains("Initech · Keystead"));
        let left = app.form("/tenants", &there, "act=leave&confirm=Initech").await;
        assert_eq!(left.header("location"), "/login", "{}", left.text);
        assert_eq!(page(&app, &there, "/keys").await.status, StatusCode::SEE_OTHER, "nothing is left");
    }
}

const SUPPORT: &str = "act=support&why=request&note=ticket+7&role=support&hours=1";

on_both! {
    async fn an_operator_enters_a_tenant_as_support_its_people_see_it_and_end_it(on) {
        let app = App::new(on).await;
        let (globex, link) = tenant(&app, "Globex", "boss@globex.test").await;
        let boss = app.form("/invitations/accept", "", &format!("token={}&password={}", token(&link), password())).await.cookie();
        let operator = app.sign_in().await;
        let at = format!("/platform/tenants/{}", globex.id);
        let refused = app.form(&at, &operator, "act=support&why=request&note=&role=owner&hours=1").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(app.form(&at, &operator, SUPPORT).await.header("location"), at);
        let there = app.form("/tenants", &operator, &format!("tenant={}", globex.id)).await.cookie();
        let desk = page(&app, &there, "/leaks").await;
        assert!(desk.text.contains("You are here as support until"), "{}", desk.text);
        assert_eq!(page(&app, &there, "/settings/policies").await.status, StatusCode::FORBIDDEN, "as support, no more");
        let seen = page(&app, &boss, "/settings/tenant").await.text;
        assert!(seen.contains("owner@acme.test") && seen.contains("ticket 7"), "{seen}");
        let id = seen.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(app.form("/settings/tenant", &there, &format!("act=end-support&id={id}")).await.status, StatusCode::FORBIDDEN);
        assert_eq!(app.form("/settings/tenant", &boss, &format!("act=end-support&id={id}")).await.header("location"), "/settings/tenant");
        let home = page(&app, &there, "/leaks").await;
        assert!(home.text.contains("Acme · Keystead") && !home.text.contains("You are here as support"), "out at once, and home: {}", home.text);
        // The same when its time is over.
        app.form(&at, &there, SUPPORT).await;
        let again = app.form("/tenants", &there, &format!("tenant={}", globex.id)).await.cookie();
        assert!(page(&app, &again, "/leaks").await.text.contains("You are here as support"));
        app.t.tamper("UPDATE support_access SET expires_at = 1 WHERE ended_at IS NULL").await;
        assert!(page(&app, &again, "/leaks").await.text.contains("Acme · Keystead"));
        let log = page(&app, &boss, "/audit").await.text;
        assert!(log.contains("support.opened") && log.contains("support.ended"));
    }
}

on_both! {
    async fn s22_pages_and_keys_of_a_suspended_tenant_are_closed_at_once(on) {
        let app = App::new(on).await;
        let (globex, link) = tenant(&app, "Globex", "boss@globex.test").await;
        let joined = app.form("/invitations/accept", "", &format!("token={}&password={}", token(&link), password())).await;
        let boss = joined.cookie();
        let made = app.form("/keys/new", &boss, &crate::console::create_form(&app, "theirs")).await;
        let secret = crate::console::secret_in(&made).unwrap();
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.status, StatusCode::OK);
        let platform = app.sign_in().await;
        let at = format!("/platform/tenants/{}", globex.id);
        let silent = app.form(&at, &platform, "act=suspend&reason=").await;
        assert!(silent.status == StatusCode::UNPROCESSABLE_ENTITY && silent.text.contains("Say why"), "{}", silent.text);
        let untyped = app.form(&at, &platform, "act=delete&reason=unpaid&confirm=Acme").await;
        assert!(untyped.status == StatusCode::UNPROCESSABLE_ENTITY && untyped.text.contains("Type the name of the tenant, Globex"), "{}", untyped.text);
        let done = app.form(&at, &platform, "act=suspend&reason=unpaid").await;
        assert_eq!(done.header("location"), at, "{}", done.text);
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.code(), "INVALID_API_KEY");
        assert_eq!(page(&app, &boss, "/keys").await.status, StatusCode::SEE_OTHER);
        let closed = sign_in(&app, "boss@globex.test").await;
        assert_eq!(closed.status, StatusCode::FORBIDDEN);
        assert!(closed.text.contains("Globex is suspended: unpaid."), "{}", closed.text);
        let shown = page(&app, &platform, &at).await.text;
        assert!(shown.contains("Suspended") && shown.contains("unpaid"), "{shown}");
        assert_eq!(app.form(&at, &platform, "act=resume").await.header("location"), at);
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.status, StatusCode::OK);
        assert_eq!(page(&app, &boss, "/keys").await.status, StatusCode::SEE_OTHER, "the session is gone for good");
        assert_eq!(sign_in(&app, "boss@globex.test").await.status, StatusCode::SEE_OTHER);
    }
}

on_both! {
    async fn s22_a_disabled_account_is_signed_out_and_its_keys_are_refused_at_once(on) {
        let app = App::new(on).await;
        let dev = id(&app.t.join("dev@acme.test", Role::Admin).await);
        let cookie = sign_in(&app, "dev@acme.test").await.cookie();
        let made = app.form("/keys/new", &cookie, &crate::console::create_form(&app, "theirs")).await;
        let secret = crate::console::secret_in(&made).unwrap_or_else(|| panic!("{}", made.text));
        let owner = app.sign_in().await;
        let at = format!("/members/{dev}");
        assert_eq!(app.form(&at, &owner, "act=disable").await.header("location"), format!("{at}?done=disabled"));
        assert_eq!(page(&app, &cookie, "/keys").await.status, StatusCode::SEE_OTHER);
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.code(), "INVALID_API_KEY");
        assert_eq!(sign_in(&app, "dev@acme.test").await.status, StatusCode::UNAUTHORIZED);
        app.form(&at, &owner, "act=enable").await;
        assert_eq!(app.get("/v1/auth/test", &[("x-api-key", &secret)]).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn s36_pages_and_forms_of_people_and_tenants_follow_the_role() {
    let app = App::new(On::Sqlite).await;
    let dev = id(&app.t.join("dev@acme.test", Role::Developer).await);
    let cookie = app.sign_in().await;
    let one = format!("/members/{dev}");
    for (role, statuses) in [
        (Role::Owner, [200, 200, 200, 200]),
        (Role::Admin, [200, 200, 200, 200]),
        (Role::Security, [200, 200, 200, 200]),
        (Role::Developer, [403, 403, 403, 200]),
        (Role::Support, [403, 403, 403, 200]),
    ] {
        app.t.set_role(role).await;
        for (path, status) in ["/members", &one, "/settings/tenant", "/tenants"].into_iter().zip(statuses) {
            let answer = page(&app, &cookie, path).await;
            assert_eq!(answer.status.as_u16(), status, "{role} {path}");
            let writes = answer.text.contains("value=\"invite\"")
                || answer.text.contains("value=\"remove\"")
                || answer.text.contains("value=\"rename\"");
            assert_eq!(writes, status == 200 && path != "/tenants" && role.holds(Perm::MembersWrite), "{role} {path}: no dead control");
        }
        if !role.holds(Perm::MembersWrite) {
            for (path, form) in [
                ("/members", "act=invite&email=x%40acme.test&role=support"),
                (one.as_str(), "act=role&role=support"),
                (one.as_str(), "act=remove&confirm=dev%40acme.test"),
                (one.as_str(), "act=transfer&hand_over=dev%40acme.test"),
                ("/settings/tenant", "act=rename&name=X"),
                ("/settings/tenant", "act=delete&confirm=Acme"),
            ] {
                assert_eq!(app.form(path, &cookie, form).await.status, StatusCode::FORBIDDEN, "{role} {path} {form}");
            }
        }
    }
    for path in ["/members", &one, "/tenants", "/platform/tenants", "/settings/tenant"] {
        assert_eq!(page(&app, "", path).await.status, StatusCode::SEE_OTHER, "{path}");
    }
}

#[tokio::test]
async fn s36_the_installation_is_operated_by_platform_admins_and_nobody_else() {
    let app = App::new(On::Sqlite).await;
    app.t.join("second@acme.test", Role::Owner).await;
    let second = sign_in(&app, "second@acme.test").await.cookie();
    let first = app.sign_in().await;
    let at = format!("/platform/tenants/{}", app.t.first.tenant_id);
    for path in ["/platform/tenants", "/platform/plans", at.as_str()] {
        assert_eq!(page(&app, &second, path).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(page(&app, &first, path).await.status, StatusCode::OK, "{path}");
    }
    assert!(!page(&app, &second, "/keys").await.text.contains("/platform/"));
    assert!(page(&app, &first, "/keys").await.text.contains("href=\"/platform/tenants\""));
    for (path, form) in [
        ("/platform/tenants", "act=create&name=X"),
        (at.as_str(), "act=change&name=X"),
        (at.as_str(), "act=invite&email=a%40b.test"),
        (at.as_str(), SUPPORT),
        ("/platform/plans", "act=save&name=x&per_hour=5&per_second=5"),
    ] {
        assert_eq!(app.form(path, &second, form).await.status, StatusCode::FORBIDDEN, "{path} {form}");
    }
    let account = app.form(&format!("/members/{}", app.t.first.user_id), &second, "act=disable").await;
    assert_eq!(account.status, StatusCode::FORBIDDEN, "an owner switches no account off, for it may work elsewhere");
    let made = app.form("/platform/tenants", &first, "act=create&name=Globex&slug=&email=boss%40globex.test").await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert!(page(&app, "", &link_in(&made)).await.text.contains("Globex"));
}

on_both! {
    async fn the_api_of_people_names_what_is_wrong_and_a_repeated_invitation_has_its_link_for_a_while(on) {
        let app = App::new(on).await;
        let key = app.t.first.api_key.clone();
        let send = async |body: Value, again: &str| {
            app.post("/v1/invitations", &[("x-api-key", key.as_str()), ("idempotency-key", again)], &body).await
        };
        let bad = send(json!({"email": "x", "role": "king", "expires_in_days": 0}), "a").await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        let fields: Vec<_> = bad.json()["error"]["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
        assert_eq!(fields, ["email", "role", "expires_in_days"]);
        assert_eq!(send(json!({"email": "a@b.test", "role": "admin", "state": "accepted"}), "b").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let made = send(json!({"email": "a@b.test", "role": "admin"}), "c").await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let link = made.json()["accept_url"].as_str().unwrap().to_owned();
        let again = send(json!({"email": "a@b.test", "role": "admin"}), "c").await;
        assert_eq!((again.json(), again.header("idempotent-replayed")), (made.json(), "true"));
        assert!(!app.t.dump().await.contains(token(&link)), "kept sealed");
        app.t.clock.advance(std::time::Duration::from_secs(601));
        app.t.core.cache.sync(&app.t.core).await.unwrap();
        let late = send(json!({"email": "a@b.test", "role": "admin"}), "c").await.json();
        assert!(late.get("accept_url").is_none() && late["id"] == made.json()["id"], "{late}");
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let one = app.get(&format!("/v1/invitations/{id}"), &[("x-api-key", &key)]).await.json();
        assert!(one["state"] == "open" && one.get("accept_url").is_none(), "{one}");
        let members = app.get("/v1/members", &[("x-api-key", &key)]).await.json();
        assert_eq!((&members["data"][0]["email"], &members["data"][0]["role"], &members["next_cursor"]), (&json!("owner@acme.test"), &json!("owner"), &Value::Null));
    }
}

on_both! {
    async fn policies_are_reviewed_before_they_are_saved_and_hold_for_forms_and_api_alike(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let asked = "max_key_lifetime_days=90&require_owner=1&retention_days=";
        let review = app.form("/settings/policies", &cookie, &format!("act=save&{asked}&reviewed=")).await;
        assert_eq!(review.status, StatusCode::OK, "what was not shown is not saved: {}", review.text);
        assert!(review.text.contains("What this changes") && review.text.contains("works for too long") && review.text.contains("bootstrap"), "{}", review.text);
        let mark = review.text.split("name=\"reviewed\" value=\"").nth(1).unwrap().split('"').next().unwrap().replace("&quot;", "%22");
        let other = app.form("/settings/policies", &cookie, &format!("act=save&max_key_lifetime_days=30&reviewed={mark}")).await;
        assert_eq!(other.status, StatusCode::OK, "nor what is another policy");
        let saved = app.form("/settings/policies", &cookie, &format!("act=save&{asked}&reviewed={mark}")).await;
        assert_eq!(saved.header("location"), "/settings/policies?saved=1", "{}", saved.text);
        let key = app.t.first.api_key.clone();
        let settings = app.get("/v1/settings", &[("x-api-key", &key)]).await.json();
        assert_eq!((&settings["max_key_lifetime_days"], &settings["require_owner"], &settings["violations"]["total"]), (&json!(90), &json!(true), &json!(1)));
        let long = app.form("/keys/new", &cookie, &crate::console::create_form(&app, "long").replace("expires=90", "expires=never")).await;
        assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(long.text.contains("keys expire within 90 days"), "{}", long.text);
        let made = app.post("/v1/api-keys", &[("x-api-key", &key)], &json!({"name": "x", "scopes": ["read"]})).await;
        let fields = made.json()["error"]["fields"].clone();
        assert_eq!((made.status.as_u16(), &fields[0]["field"], &fields[0]["code"]), (422, &json!("expires_at"), &json!("not_permitted")), "{fields}");
        let cleared = app.send(crate::harness::request("PATCH", "/v1/settings", &[("x-api-key", key.as_str()), ("content-type", "application/json")],
            "{\"max_key_lifetime_days\":null}")).await;
        assert_eq!((cleared.status.as_u16(), &cleared.json()["require_owner"]), (200, &json!(true)), "what is absent stays: {}", cleared.text);
    }
}

#[tokio::test]
async fn s36_policies_are_set_by_those_who_may_and_seen_by_those_who_see_settings() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    for (role, status, writes) in
        [(Role::Admin, 200, true), (Role::Security, 200, true), (Role::Developer, 403, false), (Role::Support, 403, false)]
    {
        app.t.set_role(role).await;
        let shown = page(&app, &cookie, "/settings/policies").await;
        assert_eq!((shown.status.as_u16(), shown.text.contains("value=\"review\"")), (status, writes), "{role}");
        let posted = app.form("/settings/policies", &cookie, "act=review&retention_days=").await;
        assert_eq!(posted.status.as_u16(), status, "{role}");
    }
}

#[tokio::test]
async fn an_account_that_exists_is_led_to_its_sign_in_and_back() {
    let app = App::new(On::Sqlite).await;
    app.t.join("dev@acme.test", Role::Developer).await;
    let (_, link) = tenant(&app, "Globex", "dev@acme.test").await;
    let stranger = page(&app, "", &link).await;
    assert!(stranger.text.contains("This address has an account") && !stranger.text.contains("name=\"password\""), "{}", stranger.text);
    let way = stranger.text.split("href=\"/login?next=").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("email=dev%40acme.test&password={}&next={way}", password());
    let signed_in = app.form("/login", "", &form).await;
    assert_eq!(signed_in.header("location"), link, "back to the invitation");
    let other = page(&app, &app.sign_in().await, &link).await;
    assert!(other.text.contains("You are signed in as owner@acme.test"), "{}", other.text);
    let joined = app.form("/invitations/accept", &signed_in.cookie(), &format!("token={}", token(&link))).await;
    assert_eq!(joined.header("location"), "/keys");
}

#[tokio::test]
async fn what_was_typed_as_an_address_is_text_on_the_page() {
    let app = App::new(On::Sqlite).await;
    let owner = app.sign_in().await;
    let refused = app.form("/members", &owner, "act=invite&email=%22%3E%3Cscript%3E&role=admin").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.text.contains("\"><script>"), "{}", refused.text);
    let made =
        members::invite(&app.t.owner(), Invite { email: Email::parse("o'x&y@acme.test").unwrap(), role: Role::Admin, days: 1 }).await;
    assert!(made.is_ok());
    assert!(page(&app, &owner, "/members").await.text.contains("x&amp;y@acme.test"));
}

#[tokio::test]
async fn a_new_plan_overwrites_none_and_odd_limits_are_refused_beside_their_field() {
    let app = App::new(On::Sqlite).await;
    let owner = app.sign_in().await;
    let send = async |form: &str| app.form("/platform/plans", &owner, form).await;
    assert_eq!(send("act=create&name=big&per_hour=50000&per_second=200").await.header("location"), "/platform/plans");
    let again = send("act=create&name=big&per_hour=5&per_second=5").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text.contains("id=\"name-error\"") && again.text.contains("There is a plan big already"), "{}", again.text);
    assert!(again.text.contains("50,000") && again.text.contains("value=\"create\""), "{}", again.text);
    let odd = send("act=save&name=big&per_hour=5&per_second=6").await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        odd.text.contains("id=\"per_second-error\"") && odd.text.contains("Change big") && odd.text.contains("value=\"save\""),
        "{}",
        odd.text
    );
    assert_eq!(send("act=save&name=big&per_hour=60000&per_second=200").await.header("location"), "/platform/plans");
    assert_eq!(send("act=save&name=none&per_hour=60000&per_second=200").await.status, StatusCode::NOT_FOUND);
}
