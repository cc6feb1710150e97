//! The pages of API keys, over plain HTTP: what a role sees and may do, and that every action works without script.

use crate::{
    console::{create_form, secret_in},
    harness::{Answer, App, on_both},
};
use axum::http::StatusCode;
use contract::{ApiKey, KeyFilter, KeyState, PageQuery, Role, TenantName, UpdateKey};
use domain::{Who, keys, tenants, testing::On};
use serde_json::json;
use std::time::Duration;

async fn page(app: &App, cookie: &str, path: &str) -> Answer {
    app.get(path, &[("accept", "text/html"), ("cookie", cookie)]).await
}

/// Makes a key by its form; answers it and its secret.
async fn made(app: &App, cookie: &str, name: &str) -> (ApiKey, String) {
    let revealed = app.form("/keys/new", cookie, &create_form(app, name)).await;
    let secret = secret_in(&revealed).unwrap();
    let filter = KeyFilter { q: Some(name.to_owned()), ..KeyFilter::default() };
    (keys::list(&app.t.owner(), &filter, PageQuery::default()).await.unwrap().data.remove(0), secret)
}

async fn works(app: &App, secret: &str) -> bool {
    app.get("/v1/auth/test", &[("x-api-key", secret)]).await.status == StatusCode::OK
}

/// The value of a hidden field.
pub fn field(page: &Answer, name: &str) -> String {
    page.text.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

on_both! {
    async fn s31_a_rotation_shows_the_new_secret_once_and_the_form_replaces_one_secret_only(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let (key, old) = made(&app, &cookie, "partner-sync").await;
        let path = format!("/keys/{}/rotate", key.id);
        let form = format!("grace=86400&secret={}", field(&page(&app, &cookie, &path).await, "secret"));
        let revealed = app.form(&path, &cookie, &form).await;
        assert_eq!((revealed.status, revealed.header("cache-control")), (StatusCode::OK, "no-store"), "{}", revealed.text);
        let new = secret_in(&revealed).unwrap();
        assert!(new != old && works(&app, &new).await && works(&app, &old).await, "both work during the overlap");
        assert!(revealed.text.contains("The old secret works until"), "{}", revealed.text);
        assert!(!revealed.text.contains("<leptos-island"), "nothing on this page is hydrated");

        let again = app.form(&path, &cookie, &form).await;
        assert_eq!((again.status, secret_in(&again)), (StatusCode::CONFLICT, None), "the form names a secret that is replaced");
        assert!(again.text.contains("The secret was replaced since this form was opened"), "{}", again.text);
        assert!(works(&app, &new).await, "and nothing was replaced again");

        let shown = page(&app, &cookie, &format!("/keys/{}", key.id)).await;
        assert!(shown.text.contains("Rotation: both secrets work") && shown.text.contains("Rotating"), "{}", shown.text);
        let retired = app.form(&format!("/keys/{}/retire", key.id), &cookie, "").await;
        assert_eq!(retired.header("location"), format!("/keys/{}?done=retired", key.id));
        assert!(works(&app, &new).await && !works(&app, &old).await);
        assert!(!page(&app, &cookie, &format!("/keys/{}", key.id)).await.text.contains("Rotation: both secrets work"));
    }
}

on_both! {
    async fn a_key_is_edited_switched_off_and_on_and_revoked_with_others_without_javascript(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let (key, secret) = made(&app, &cookie, "billing-service").await;
        let (other, other_secret) = made(&app, &cookie, "crm-import").await;
        let detail = format!("/keys/{}", key.id);
        let edit = format!("{detail}/edit");
        let base = "name=billing&scopes=read&expires=never&allowed_ips=&owner=owner%40acme.test&not_before=";

        let refused = app.form(&edit, &cookie, &format!("{base}&per_hour=100&per_second=&metadata=%5B1%5D&do=save")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        for part in ["id=\"per_second-error\"", "id=\"metadata-error\"", "value=\"billing\"", "[1]", "href=\"#metadata\""] {
            assert!(refused.text.contains(part), "{part}");
        }
        let preview = app.form(&edit, &cookie, &format!("{base}&do=preview")).await;
        assert_eq!(preview.status, StatusCode::OK);
        assert!(preview.text.contains("nothing is saved yet") && preview.text.contains("would have been refused by the new permissions"), "{}", preview.text);
        let owner = app.t.owner();
        assert_eq!(keys::get(&owner, key.id).await.unwrap(), key, "a preview saves nothing");

        let data = "per_hour=100&per_second=5&metadata=%7B%22team%22%3A%22core%22%7D&do=save";
        let saved = app.form(&edit, &cookie, &format!("{base}&{data}")).await;
        assert_eq!((saved.status.as_u16(), saved.header("location")), (303, format!("{detail}?done=saved").as_str()), "{}", saved.text);
        let now = keys::get(&owner, key.id).await.unwrap();
        assert_eq!((now.name.as_str(), now.scopes.joined().as_str(), now.expires_at), ("billing", "read", None));
        assert_eq!((now.rate_limit.unwrap().per_hour, now.metadata["team"].as_str()), (100, Some("core")));

        let shown = page(&app, &cookie, &edit).await.text;
        let seen = shown.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let narrower = contract::UpdateKeyBody { allowed_ips: Some(Some(vec!["203.0.113.9".into()])), ..Default::default() };
        keys::update_from_body(&owner, key.id, &narrower).await.unwrap();
        let late = app.form(&edit, &cookie, &format!("{base}&{data}&seen={seen}").replace("name=billing", "name=late")).await;
        assert_eq!(late.status, StatusCode::CONFLICT, "somebody else was faster");
        assert!(late.text.contains("changed since this form was opened") && late.text.contains("value=\"late\"") && late.text.contains(seen));
        assert_eq!(keys::get(&owner, key.id).await.unwrap().allowed_ips.len(), 1);
        let anywhere = contract::UpdateKeyBody { allowed_ips: Some(Some(Vec::new())), ..Default::default() };
        keys::update_from_body(&owner, key.id, &anywhere).await.unwrap();

        let off = app.form(&detail, &cookie, "do=disable").await;
        assert_eq!(off.header("location"), format!("{detail}?done=disabled"));
        assert!(!works(&app, &secret).await);
        let undo = page(&app, &cookie, &format!("{detail}?done=disabled")).await;
        assert!(undo.text.contains("The key is disabled.") && undo.text.contains(">Undo<"), "{}", undo.text);
        assert_eq!(app.form(&detail, &cookie, "do=disable").await.status, StatusCode::CONFLICT);
        app.form(&detail, &cookie, "do=enable").await;
        assert!(works(&app, &secret).await);

        let both = format!("key={}&key={}", key.id, other.id);
        let consent = page(&app, &cookie, &format!("/keys/revoke?{both}")).await;
        assert!(consent.text.contains("Revoke 2 keys?") && consent.text.contains("crm-import"), "{}", consent.text);
        let refused = app.form("/keys/revoke", &cookie, &format!("{both}&reason=moved&confirm=revoke+3+keys")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("value=\"moved\"") && works(&app, &other_secret).await);
        let done = app.form("/keys/revoke", &cookie, &format!("{both}&reason=moved&confirm=revoke+2+keys")).await;
        assert_eq!(done.header("location"), "/keys?revoked=2", "{}", done.text);
        assert!(!works(&app, &secret).await && !works(&app, &other_secret).await);
        assert_eq!(keys::get(&owner, other.id).await.unwrap().state, KeyState::Revoked);
    }
}

#[tokio::test]
async fn s36_s66_pages_and_buttons_of_keys_follow_the_role_and_the_tenant() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let (key, secret) = made(&app, &cookie, "partner-sync").await;
    let detail = format!("/keys/{}", key.id);
    let (edit, rotate, retire, revoke) =
        (format!("{detail}/edit"), format!("{detail}/rotate"), format!("{detail}/retire"), format!("{detail}/revoke"));
    let bulk = format!("/keys/revoke?key={}", key.id);
    for (role, path, status) in [
        (Role::Security, &edit, 403),
        (Role::Security, &rotate, 403),
        (Role::Security, &retire, 403),
        (Role::Security, &revoke, 200),
        (Role::Security, &bulk, 200),
        (Role::Support, &detail, 403),
        (Role::Support, &edit, 403),
        (Role::Admin, &edit, 200),
        (Role::Admin, &rotate, 200),
    ] {
        app.t.set_role(role).await;
        let answer = page(&app, &cookie, path).await;
        assert_eq!(answer.status.as_u16(), status, "{role} {path}");
        assert!(status == 200 || answer.text.contains("keystead.keys:"), "{role} {path} names what is missing");
    }

    app.t.set_role(Role::Security).await;
    let shown = page(&app, &cookie, &detail).await.text;
    for (control, there) in [("/edit\"", false), ("/rotate\"", false), ("value=\"disable\"", false), ("/revoke\"", true)] {
        assert_eq!(shown.contains(control), there, "security, {control}");
    }
    for (path, form) in
        [(&edit, "name=x&scopes=read&expires=never&do=save"), (&rotate, "grace=0&secret=x"), (&retire, ""), (&detail, "do=disable")]
    {
        for body in [form.to_owned(), form.replace("save", "preview")] {
            let answer = app.form(path, &cookie, &body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {body}");
            assert_eq!(secret_in(&answer), None, "{path}");
        }
    }
    app.t.set_role(Role::Support).await;
    let named = app.form("/keys/revoke", &cookie, &format!("key={}&confirm=revoke+1+key", key.id)).await;
    assert_eq!(named.header("location"), "/keys?revoked=1", "support ends keys");
    assert!(!works(&app, &secret).await);

    app.t.set_role(Role::Owner).await;
    let line = app.t.as_who(Who::CommandLine(app.t.first.tenant_id));
    let other = tenants::create(&line, &TenantName::parse("Other").unwrap(), None).await.unwrap();
    let theirs = app.t.as_who(Who::CommandLine(other.id));
    let foreign = keys::create_from_form(&theirs, &app.t.form("theirs", "read")).await.unwrap().api_key;
    let elsewhere = format!("/keys/{}", foreign.id);
    for path in ["", "/edit", "/rotate", "/retire", "/revoke"] {
        let path = format!("{elsewhere}{path}");
        let form = "do=disable&name=x&scopes=read&expires=never&grace=0&secret=x&confirm=x";
        let (get, post) = (page(&app, &cookie, &path).await, app.form(&path, &cookie, form).await);
        assert_eq!((get.status, post.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{path}");
    }
    let id = elsewhere.trim_start_matches("/keys/");
    assert_eq!(page(&app, &cookie, &format!("/keys/revoke?key={id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.form("/keys/revoke", &cookie, &format!("key={id}&confirm=revoke+1+key")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(keys::get(&theirs, foreign.id).await.unwrap(), foreign);
}

#[tokio::test]
async fn s36_a_developer_sees_and_changes_their_own_keys_only() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let (own, _) = made(&app, &cookie, "mine").await;
    let owner = app.t.owner();
    let filter = KeyFilter { q: Some("mine".into()), ..KeyFilter::default() };
    assert_eq!(keys::list(&owner, &filter, PageQuery::default()).await.unwrap().data[0].id, own.id);
    let clear = UpdateKey { owner: Some(None), ..UpdateKey::default() };
    let (theirs, _) = made(&app, &cookie, "nobodys").await;
    keys::update(&owner, theirs.id, clear).await.unwrap();

    app.t.set_role(Role::Developer).await;
    let list = page(&app, &cookie, "/keys").await.text;
    assert!(list.contains(">mine<") && !list.contains("nobodys"), "{list}");
    for path in ["", "/edit", "/rotate", "/retire", "/revoke"] {
        assert_eq!(page(&app, &cookie, &format!("/keys/{}{path}", theirs.id)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let form = page(&app, &cookie, &format!("/keys/{}/edit", own.id)).await;
    assert!(form.status == StatusCode::OK && !form.text.contains("name=\"owner\""), "who cannot give a key away is not asked");
    let answer = app.form("/keys/revoke", &cookie, &format!("key={}&key={}&confirm=revoke+2+keys", own.id, theirs.id)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(keys::get(&app.t.owner(), own.id).await.unwrap().state, KeyState::Active, "all or none");
}

#[tokio::test]
async fn the_list_is_filtered_and_ordered_by_its_address_and_queues_name_the_next_step() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let (zebra, _) = made(&app, &cookie, "zebra").await;
    made(&app, &cookie, "aardvark").await;
    let names = |answer: &Answer| {
        let rows = answer.text.split("aria-label=\"Select ").skip(2);
        rows.map(|r| r.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&page(&app, &cookie, "/keys?sort=name").await), ["aardvark", "bootstrap", "gateway", "zebra"]);
    assert_eq!(names(&page(&app, &cookie, "/keys?kind=gateway").await), ["gateway"]);
    assert_eq!(names(&page(&app, &cookie, "/keys?kind=secret&scope=users%3Awrite&owner=owner%40acme.test").await), ["aardvark", "zebra"]);
    let none = page(&app, &cookie, "/keys?kind=tenant").await;
    assert!(none.text.contains("No key matches these filters") && none.text.contains("Clear filters"));
    let odd = page(&app, &cookie, "/keys?sort=nonsense&state=what&cursor=n1.2&queue=none").await;
    assert_eq!((odd.status, names(&odd).len()), (StatusCode::OK, 4), "what is not understood is left out");

    let clear = UpdateKey { owner: Some(None), ..UpdateKey::default() };
    keys::update(&app.t.owner(), zebra.id, clear).await.unwrap();
    let queue = page(&app, &cookie, "/keys?queue=orphaned").await;
    assert_eq!(names(&queue), ["zebra"]);
    assert!(queue.text.contains(&format!("href=\"/keys/{}/edit#owner\"", zebra.id)), "{}", queue.text);
    assert!(page(&app, &cookie, "/keys?queue=old").await.text.contains("No secret is older than 90 days"));
    let all = page(&app, &cookie, "/keys/revoke?all=1&kind=secret").await;
    assert!(all.text.contains("Revoke 3 keys?") && !all.text.contains(">gateway<"), "{}", all.text);
}

/// Asks for a decision about a key, and waits for the log.
async fn called(app: &App, secret: &str, scope: &str, ip: &str) {
    let before = domain::usage::count_unscoped(&app.t.core.db).await.unwrap();
    let body = json!({"credential": secret, "scopes": [scope], "ip": ip, "path": "/v2/users", "method": "GET", "user_agent": "job/1"});
    assert!(app.verify(&body).await.json()["valid"].as_bool().unwrap());
    while domain::usage::count_unscoped(&app.t.core.db).await.unwrap() <= before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_both! {
    async fn an_edit_that_would_have_refused_requests_is_saved_once_that_was_shown(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let made = keys::create_from_form(&app.t.owner(), &app.t.form("caller", "users:read users:write")).await.unwrap();
        let (id, secret) = (made.api_key.id, made.key.unwrap());
        called(&app, &secret, "users:read", "203.0.113.9").await;
        let (edit, detail) = (format!("/keys/{id}/edit"), format!("/keys/{id}"));
        let form = |ips: &str, reviewed: &str| {
            format!("name=caller&scopes=users%3Aread&expires=never&allowed_ips={ips}&owner=owner%40acme.test&reviewed={reviewed}&do=save")
        };
        let warned = app.form(&edit, &cookie, &form("198.51.100.7", "")).await;
        assert_eq!(warned.status, StatusCode::OK);
        for part in ["1 request of the last 30 days would have been refused by the new addresses", "nothing is saved yet", "203.0.113.9", "198.51.100.7"] {
            assert!(warned.text.contains(part), "{part}: {}", warned.text);
        }
        assert!(keys::get(&app.t.owner(), id).await.unwrap().allowed_ips.is_empty(), "nothing was saved");
        let mark = warned.text.split("name=\"reviewed\" value=\"").nth(1).unwrap().split('"').next().unwrap().replace(':', "%3A").replace('/', "%2F").replace('\n', "%0A");
        let other = app.form(&edit, &cookie, &form("198.51.100.8", &mark)).await;
        assert_eq!(other.status, StatusCode::OK, "what was shown was another change");
        let saved = app.form(&edit, &cookie, &form("198.51.100.7", &mark)).await;
        assert_eq!((saved.status.as_u16(), saved.header("location")), (303, format!("{detail}?done=saved").as_str()), "{}", saved.text);
        let shown = page(&app, &cookie, &detail).await.text;
        assert!(shown.contains("203.0.113.9") && shown.contains("Refused now"), "a caller that is refused from now on is marked: {shown}");
        let wider = app.form(&edit, &cookie, &form("", "")).await;
        assert_eq!(wider.status.as_u16(), 303, "what refuses nothing is saved at once: {}", wider.text);
        assert!(!page(&app, &cookie, &detail).await.text.contains("Refused now"));
    }
}

on_both! {
    async fn s26_s77_a_whole_secret_that_is_searched_for_leads_to_its_key_and_into_no_address(on) {
        let app = App::new(on).await;
        let cookie = app.sign_in().await;
        let (key, secret) = made(&app, &cookie, "partner-sync").await;
        let search = async |q: &str| {
            let answer = app.form("/keys", &cookie, &format!("q={q}&state=active&kind=&owner=&scope=")).await;
            assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
            answer.header("location").to_owned()
        };
        assert_eq!(search(&secret).await, format!("/keys/{}", key.id));
        assert_eq!(search(&format!("+{secret}%0A")).await, format!("/keys/{}", key.id));
        let other = app.t.other_tenant().await;
        assert_eq!(search(&other).await, "/keys?unknown=1");
        assert_eq!(search("partner").await, "/keys?q=partner&state=active");
        assert_eq!(search("").await, "/keys?state=active");
        let unknown = page(&app, &cookie, "/keys?unknown=1").await;
        assert!(unknown.text.contains("No key here has this secret.") && unknown.text.contains("method=\"post\" action=\"/keys\""), "{}", unknown.text);
        for (path, cookie, leads) in [
            (format!("/keys?q={secret}"), cookie.as_str(), format!("/keys/{}", key.id)),
            (format!("/keys?q={other}&state=active"), &cookie, "/keys?unknown=1".to_owned()),
            (format!("/usage?key={secret}"), &cookie, "/usage".to_owned()),
            (format!("/keys?q={secret}"), "", "/keys".to_owned()),
            (format!("/login?next=/keys?q={secret}"), "", "/login".to_owned()),
            // Nor does it lead to somebody else's site (s26).
            (format!("//evil.test/?q={secret}"), "", "/".to_owned()),
            (format!("//evil.test/keys?q={secret}"), &cookie, "/".to_owned()),
        ] {
            let led = page(&app, cookie, &path).await;
            assert_eq!((led.status.as_u16(), led.header("location")), (303, leads.as_str()));
            assert!(!led.text.contains(&secret[12..]));
        }
    }
}

#[tokio::test]
async fn the_advisor_asks_before_it_narrows_and_tells_of_the_days_that_there_were() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let made = keys::create_from_form(&app.t.owner(), &app.t.form("caller", "users:read users:write")).await.unwrap();
    let (detail, secret) = (format!("/keys/{}", made.api_key.id), made.key.unwrap());
    app.t.clock.advance(Duration::from_secs(86_400 * 11 + 60));
    app.t.core.cache.sync(&app.t.core).await.unwrap();
    let cookie = if page(&app, &cookie, &detail).await.status == StatusCode::OK { cookie } else { app.sign_in().await };
    called(&app, &secret, "users:read", "203.0.113.9").await;
    let shown = page(&app, &cookie, &detail).await.text;
    assert!(shown.contains("granted against used, 12 days") && shown.contains("Not used in 12 days"), "{shown}");
    assert!(shown.contains(&format!("{detail}?narrow=1#narrow")) && !shown.contains("value=\"narrow\""), "{shown}");
    let asked = page(&app, &cookie, &format!("{detail}?narrow=1")).await;
    assert!(asked.text.contains("Narrow this key?") && asked.text.contains("in the last 12 days"), "{}", asked.text);
    let scopes = field(&asked, "scopes").replace(':', "%3A").replace(' ', "+");
    let done = app.form(&detail, &cookie, &format!("scopes={scopes}&do=narrow")).await;
    assert_eq!(done.header("location"), format!("{detail}?done=narrowed"), "{}", done.text);
}

#[tokio::test]
async fn a_key_whose_owner_left_says_so_on_its_page_and_in_the_list() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let dev = app.t.join("dev@acme.test", Role::Admin).await;
    let key = keys::create_from_form(&dev, &app.t.form("theirs", "read")).await.unwrap().api_key.id;
    let before = page(&app, &cookie, "/keys").await.text;
    assert!(before.contains("dev@acme.test") && !before.contains("Owner left"));
    domain::members::remove(&app.t.owner(), dev.person().unwrap().user_id).await.unwrap();
    let list = page(&app, &cookie, "/keys").await.text;
    assert!(list.contains("title=\"dev@acme.test left\"") && list.contains(">Owner left") && list.contains("owner left"), "{list}");
    let detail = page(&app, &cookie, &format!("/keys/{key}")).await.text;
    for part in ["Its owner left.", "dev@acme.test", &format!("/keys/{key}/edit#owner"), "href=\"/keys?queue=orphaned\""] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
}

#[tokio::test]
async fn the_usage_log_is_filtered_by_any_key_by_its_name() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    let (old, _) = made(&app, &cookie, "the-oldest-one").await;
    app.t.fill_keys(60).await;
    let led = page(&app, &cookie, "/usage?key=the-oldest&outcome=denied").await;
    assert_eq!(led.header("location"), format!("/usage?outcome=denied&credential_id={}", old.id), "{}", led.text);
    let shown = page(&app, &cookie, &format!("/usage?credential_id={}", old.id)).await.text;
    assert!(shown.contains(&format!("the-oldest-one …{}", old.last_four)), "it is named though it is not among the newest");
    assert!(page(&app, &cookie, "/usage?key=nothing-like-it").await.text.contains("No key matches."));
    let several = page(&app, &cookie, "/usage?key=o").await;
    assert!(several.text.contains("Several keys match."), "{}", several.text);
}
