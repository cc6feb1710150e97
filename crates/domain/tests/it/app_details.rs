//! What apps have beside their grants: origins, a logo, the policies of their tenant.

use contract::{
    AllowlistBody, App, AppForm, AppViolation, AuditFilter, AuthMethod, Code, CreatedApp, ErrorCode, KeyPolicy, PageQuery, Perm,
    Requirement, Role, Secret, TenantName,
};
use domain::{
    Core, Ctx, Error, InSession, RequestInfo, Who, audit, keys,
    oauth::{self, Client, Next, OauthError, Presented, TokenRequest, TokenResponse},
    on_both, tenants,
    testing::TestInstallation,
    verify,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const CALLBACK: &str = "https://ledger.test/cb";
/// A red PNG of one pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90,
    0x77, 0x53, 0xde, 0, 0, 0, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0,
    0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

async fn made(ctx: &Ctx, extra: Value) -> Result<CreatedApp, Error> {
    let mut body = json!({"name": "Ledger Sync", "redirect_uris": [CALLBACK], "scopes": ["users:read", "openid"]});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    oauth::create(ctx, &serde_json::from_value(body).unwrap()).await
}

async fn register(ctx: &Ctx, extra: Value) -> CreatedApp {
    made(ctx, extra).await.unwrap()
}

fn in_session(t: &TestInstallation, ctx: Ctx) -> Ctx {
    ctx.in_session(InSession { digest: vec![7; 32], proven_at: t.core.now() })
}

fn anonymous(core: &Arc<Core>) -> Ctx {
    Ctx::new(core.clone(), Who::Anonymous, RequestInfo::default())
}

fn client(t: &TestInstallation, app: &CreatedApp) -> Arc<Client> {
    t.core.apps.get(app.app.id).unwrap()
}

/// The app's code, as the person allows it.
async fn code(t: &TestInstallation, who: &Ctx, app: &CreatedApp) -> String {
    let id = app.app.id.to_string();
    let query = [("client_id", id.as_str()), ("redirect_uri", CALLBACK), ("response_type", "code")];
    let query: Vec<_> = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let (client, asked) = oauth::check(&t.core, &query).unwrap();
    let url = match oauth::begin(who, &client, &asked).await.unwrap() {
        Next::Ask(id) => oauth::decide(who, id, who.tenant_id()).await.unwrap(),
        Next::Answer(url) => url,
        other => panic!("{other:?}"),
    };
    url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

async fn exchange(t: &TestInstallation, app: &CreatedApp, code: &str) -> Result<TokenResponse, OauthError> {
    let asked = TokenRequest {
        grant_type: Some("authorization_code".into()),
        code: Some(code.into()),
        redirect_uri: Some(CALLBACK.into()),
        ..TokenRequest::default()
    };
    oauth::token(&anonymous(&t.core), &client(t, app), &asked).await
}

fn patch(members: Value) -> contract::PoliciesBody {
    serde_json::from_value(members).unwrap()
}

/// The first reason why it was refused, for that field.
fn refused<T: std::fmt::Debug>(done: Result<T, Error>, field: &str) -> String {
    match done {
        Err(Error::Invalid(wrong)) => wrong.get(field).unwrap_or_else(|| panic!("{wrong:?}")).to_owned(),
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn s30_s44_an_app_that_lists_origins_is_asked_for_by_their_scripts_and_servers_only(t) {
        let open = register(&t.owner(), json!({})).await;
        let spa = register(&t.owner(), json!({"name": "Spa", "kind": "public", "allowed_origins": ["https://Spa.test:443", "http://localhost:5173"]})).await;
        let listed: Vec<_> = spa.app.terms.allowed_origins.iter().map(ToString::to_string).collect();
        assert_eq!(listed, ["https://spa.test", "http://localhost:5173"]);
        let asks = async |app: &CreatedApp, origin: Option<&str>| {
            let secret = app.client_secret.clone().map(Secret::new);
            let presented = Presented { id: Some(app.app.id.to_string()), secret, origin: origin.map(ToOwned::to_owned), ..Presented::default() };
            oauth::authenticate(&anonymous(&t.core), &presented).await.map(drop).map_err(|e| e.code.as_str())
        };
        for origin in [None, Some("https://spa.test"), Some("http://localhost:5173")] {
            assert_eq!(asks(&spa, origin).await, Ok(()), "{origin:?}");
        }
        for origin in ["https://evil.test", "null", "", "https://spa.test:444", "https://SPA.test", "http://localhost:5174", "https://spa.test.evil.test"] {
            assert_eq!(asks(&spa, Some(origin)).await, Err("invalid_request"), "{origin}");
            assert_eq!(asks(&open, Some(origin)).await, Ok(()), "an empty list lets all ask: {origin}");
        }
        // The other process knows, and what is taken off the list is refused at once.
        let other = t.second_process().await;
        assert!(other.apps.lists_origin("https://spa.test", None) && other.apps.lists_origin("https://spa.test", Some(spa.app.id)));
        assert!(!other.apps.lists_origin("https://spa.test", Some(open.app.id)));
        let fewer = serde_json::from_value(json!({"allowed_origins": ["http://localhost:5173"]})).unwrap();
        oauth::update(&t.owner(), spa.app.id, &fewer).await.unwrap();
        assert_eq!(asks(&spa, Some("https://spa.test")).await, Err("invalid_request"));
        other.cache.sync(&other).await.unwrap();
        assert!(!other.apps.lists_origin("https://spa.test", None) && other.apps.lists_origin("http://localhost:5173", None));
        oauth::suspend(&t.owner(), spa.app.id, None).await.unwrap();
        assert!(!t.core.apps.lists_origin("http://localhost:5173", None), "of apps in use");
        other.stop().await;
    }
}

on_both! {
    async fn a_logo_is_drawn_anew_shown_to_everybody_while_the_app_is_in_use_and_gone_with_it(t) {
        let owner = t.owner();
        let app = register(&owner, json!({})).await.app;
        let stranger = anonymous(&t.core);
        let shown = async |url: &str| {
            let name = url.split('/').next_back().unwrap().trim_end_matches(".png");
            oauth::logo::get(&stranger, app.id, name).await
        };
        let set: App = oauth::logo::set(&owner, app.id, PNG.to_vec()).await.unwrap();
        let url = set.logo_url.clone().unwrap();
        assert!(url.starts_with(&format!("http://localhost/oauth/logos/{}/", app.id)), "{url}");
        let png = shown(&url).await.unwrap();
        assert!(png.starts_with(b"\x89PNG") && png != PNG && png[16..24] == [0, 0, 0, 128, 0, 0, 0, 128]);
        assert_eq!(oauth::logo::set(&owner, app.id, PNG.to_vec()).await.unwrap(), set, "the same again changes nothing");
        assert_eq!(oauth::get(&owner, Perm::AppsRead, app.id).await.unwrap().logo_url, Some(url.clone()));
        assert_eq!(oauth::list(&owner, PageQuery::default()).await.unwrap().data[0].logo_url, Some(url.clone()));
        for bad in [b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), Vec::new(), vec![0; oauth::logo::LARGEST + 1]] {
            refused(oauth::logo::set(&owner, app.id, bad).await, "logo");
        }
        // It follows the app on the page of consent and among the grants.
        let me = in_session(&t, t.owner());
        let made = CreatedApp { app: app.clone(), client_secret: None };
        exchange(&t, &made, &code(&t, &me, &made).await).await.unwrap();
        assert_eq!(oauth::mine(&me).await.unwrap()[0].logo_url, Some(url.clone()));
        assert_eq!(oauth::of_app(&owner, app.id, PageQuery::default()).await.unwrap().data[0].logo_url, Some(url.clone()));
        let other = t.second_process().await;
        let there = oauth::logo::get(&anonymous(&other), app.id, url.split('/').next_back().unwrap().trim_end_matches(".png")).await;
        assert_eq!(there.unwrap(), png);
        other.stop().await;
        oauth::suspend(&owner, app.id, None).await.unwrap();
        assert!(matches!(shown(&url).await, Err(Error::NotFound)), "of a suspended app nobody is shown it");
        assert_eq!(oauth::mine(&me).await.unwrap()[0].logo_url, None);
        oauth::resume(&owner, app.id).await.unwrap();
        assert!(shown(&url).await.is_ok());
        assert!(shown("/x.png").await.is_err());
        assert_eq!(oauth::logo::remove(&owner, app.id).await.unwrap().logo_url, None);
        assert!(matches!(shown(&url).await, Err(Error::NotFound)));
        oauth::logo::remove(&owner, app.id).await.unwrap();
        oauth::logo::set(&owner, app.id, PNG.to_vec()).await.unwrap();
        oauth::delete(&owner, app.id).await.unwrap();
        assert!(matches!(shown(&url).await, Err(Error::NotFound)));
        let log = audit::list(&owner, &AuditFilter { target_id: Some(app.id.to_string()) }, PageQuery::default()).await.unwrap().data;
        let changes: Vec<_> = log.iter().map(|e| e.action.as_str()).filter(|a| a.contains("logo")).collect();
        assert_eq!(changes, ["oauth_app.logo_set", "oauth_app.logo_removed", "oauth_app.logo_set"], "each change once");
    }
}

on_both! {
    async fn s36_s66_a_logo_is_changed_by_who_changes_the_app(t) {
        let app = register(&t.owner(), json!({})).await.app;
        for (role, may) in [(Role::Admin, true), (Role::Security, false), (Role::Support, false)] {
            let ctx = t.member(t.first.user_id, t.first.tenant_id, role);
            assert_eq!(oauth::logo::set(&ctx, app.id, PNG.to_vec()).await.is_ok(), may, "{role}");
            assert_eq!(oauth::logo::remove(&ctx, app.id).await.is_ok(), may, "{role}");
        }
        let dev = t.join("dev@acme.test", Role::Developer).await;
        assert!(matches!(oauth::logo::set(&dev, app.id, PNG.to_vec()).await, Err(Error::NotFound)), "not theirs");
        let own = register(&dev, json!({"name": "Own"})).await.app;
        oauth::logo::set(&dev, own.id, PNG.to_vec()).await.unwrap();
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        let elsewhere = t.as_who(Who::CommandLine(tenants::create(&line, &TenantName::parse("Globex").unwrap(), None).await.unwrap().id));
        assert!(matches!(oauth::logo::set(&elsewhere, app.id, b"judged after".to_vec()).await, Err(Error::NotFound)));
        assert!(matches!(oauth::logo::remove(&elsewhere, app.id).await, Err(Error::NotFound)));
    }
}

on_both! {
    async fn the_later_save_of_a_form_that_was_opened_before_another_change_is_refused(t) {
        let owner = t.owner();
        let app = register(&owner, json!({"allowed_origins": ["https://ledger.test"]})).await.app;
        let opened = AppForm { seen: Some(oauth::fingerprint(&app)), ..AppForm::of(&app) };
        let mine = AppForm { name: "Mine".into(), ..opened.clone() };
        let theirs = AppForm { home_page: "https://ledger.test/about".into(), ..opened.clone() };
        let saved = oauth::update_from_form(&owner, app.id, &mine).await.unwrap();
        assert_eq!((saved.name.as_str(), &saved.terms), ("Mine", &app.terms), "a form that was left alone changes nothing else");
        let late = oauth::update_from_form(&owner, app.id, &theirs).await;
        assert!(matches!(late, Err(Error::Conflict(said)) if said.contains("was changed since this form was opened")));
        assert_eq!(oauth::get(&owner, Perm::AppsRead, app.id).await.unwrap(), saved);
        // What the form does not show is no change of it.
        oauth::logo::set(&owner, app.id, PNG.to_vec()).await.unwrap();
        let again = AppForm { seen: Some(oauth::fingerprint(&saved)), name: "Ours".into(), ..AppForm::of(&saved) };
        assert_eq!(oauth::update_from_form(&owner, app.id, &again).await.unwrap().name, "Ours");
        // Of two at once one is saved.
        let now = oauth::get(&owner, Perm::AppsRead, app.id).await.unwrap();
        let form = |name: &str| AppForm { seen: Some(oauth::fingerprint(&now)), name: name.into(), ..AppForm::of(&now) };
        let (a, b) = (form("A"), form("B"));
        let (a, b) = tokio::join!(oauth::update_from_form(&owner, app.id, &a), oauth::update_from_form(&owner, app.id, &b));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    }
}

on_both! {
    async fn the_policies_of_a_tenant_bind_its_apps(t) {
        let owner = t.owner();
        let old = register(&owner, json!({"name": "Old"})).await;
        let machine = register(&owner, json!({"name": "Machine", "kind": "machine", "redirect_uris": [], "scopes": ["users:read"]})).await;
        let key = json!({"name": "by key", "scopes": ["keystead.apps:write", "users:read", "keystead.settings:write"]});
        let key = keys::create_from_body(&owner, &serde_json::from_value(key).unwrap()).await.unwrap();
        let ownerless = json!({"owner": null});
        assert_eq!(tenants::settings(&owner).await.unwrap().violations.apps_total, 0);
        let asked = json!({"max_key_lifetime_days": 30, "require_owner": true});
        let found = tenants::review(&owner, &patch(asked.clone()).apply(&contract::Policies::default()).unwrap()).await.unwrap().violations;
        let named = |apps: &[AppViolation]| apps.iter().map(|a| (a.name.clone(), a.policies.clone())).collect::<Vec<_>>();
        assert_eq!((found.apps_total, named(&found.apps)), (1, vec![("Old".to_owned(), vec![KeyPolicy::MaxLifetime])]), "before it is saved");
        keys::update_from_body(&owner, key.api_key.id, &serde_json::from_value(ownerless).unwrap()).await.unwrap();
        let by_key = t.with_key(&key.key.unwrap());
        let of_nobody = register(&by_key, json!({"name": "Nobody's", "refresh_token_days": 30})).await;
        tenants::set_policies(&owner, &patch(asked)).await.unwrap();
        let found = tenants::settings(&owner).await.unwrap().violations;
        assert_eq!(named(&found.apps), [("Nobody's".to_owned(), vec![KeyPolicy::Owner]), ("Old".to_owned(), vec![KeyPolicy::MaxLifetime])]);
        // Registering and changing.
        let said = refused(made(&owner, json!({"refresh_token_days": 31})).await, "refresh_token_days");
        assert!(said.starts_with("A policy of the tenant: keys expire within 30 days"), "{said}");
        assert_eq!(register(&owner, json!({})).await.app.terms.refresh_token_days, 30, "who says nothing gets what is allowed");
        assert!(refused(made(&by_key, json!({})).await, "owner").starts_with("A policy of the tenant"));
        let change = |body: Value| serde_json::from_value(body).unwrap();
        oauth::update(&owner, old.app.id, &change(json!({"name": "Older"}))).await.unwrap();
        refused(oauth::update(&owner, old.app.id, &change(json!({"refresh_token_days": 60}))).await, "refresh_token_days");
        oauth::update(&owner, of_nobody.app.id, &change(json!({"name": "Still nobody's"}))).await.unwrap();
        // What was registered before goes on no longer than the policy allows, from the next sign-in on.
        let me = in_session(&t, t.owner());
        let answer = exchange(&t, &old, &code(&t, &me, &old).await).await.unwrap();
        let refresh = TokenRequest { grant_type: Some("refresh_token".into()), refresh_token: answer.refresh_token, ..TokenRequest::default() };
        t.clock.advance(Duration::from_secs(30 * 86_400 - 60));
        t.core.cache.sync(&t.core).await.unwrap();
        assert!(oauth::token(&anonymous(&t.core), &client(&t, &old), &refresh).await.is_ok());
        t.clock.advance(Duration::from_secs(61));
        t.core.cache.sync(&t.core).await.unwrap();
        let over = oauth::token(&anonymous(&t.core), &client(&t, &old), &refresh).await;
        assert_eq!(over.map(drop).map_err(|e| e.code.as_str()), Err("invalid_grant"));
        // A secret grows old; another one meets the policy again.
        let named = named(&tenants::settings(&owner).await.unwrap().violations.apps);
        assert!(named.iter().any(|(name, why)| name == "Machine" && *why == [KeyPolicy::MaxLifetime]), "{named:?}");
        oauth::rotate_secret(&owner, machine.app.id, &contract::RotateBody { grace_seconds: Some(0) }).await.unwrap();
        let left = tenants::settings(&owner).await.unwrap().violations;
        assert!(left.apps.iter().all(|a| a.name != "Machine"), "{left:?}");
        // Who sees no apps sees how many.
        tenants::set_policies(&owner, &patch(json!({"max_key_lifetime_days": null, "require_owner": false, "require_allowlist": true}))).await.unwrap();
        let found = tenants::settings(&owner).await.unwrap().violations;
        assert!(found.apps_total >= 4 && found.apps.iter().all(|a| a.policies == [KeyPolicy::Allowlist]), "{found:?}");
        tenants::set_allowlist(&owner, &AllowlistBody { allowed_ips: vec!["203.0.113.0/24".into()] }).await.unwrap();
        assert_eq!(tenants::settings(&owner).await.unwrap().violations.apps_total, 0, "the tenant's list binds them");
    }
}

on_both! {
    async fn s40_the_tenants_allowlist_binds_the_tokens_of_apps_like_its_live_keys(t) {
        let owner = t.owner();
        let app = register(&owner, json!({})).await;
        let me = in_session(&t, t.owner());
        let of_person = exchange(&t, &app, &code(&t, &me, &app).await).await.unwrap().access_token;
        let own = TokenRequest { grant_type: Some("client_credentials".into()), ..TokenRequest::default() };
        let own = oauth::token(&anonymous(&t.core), &client(&t, &app), &own).await.unwrap().access_token;
        let from = |core: &Core, token: &str, ip: Option<&str>| {
            verify::check(core, token, ip.map(|ip| ip.parse().unwrap()), &Requirement::default(), None, false).unwrap().code
        };
        assert_eq!(from(&t.core, &own, None), Code::Valid, "without a list");
        let other = t.second_process().await;
        let list = |ips: &[&str]| AllowlistBody { allowed_ips: ips.iter().map(ToString::to_string).collect() };
        tenants::set_allowlist(&owner, &list(&["198.51.100.0/24"])).await.unwrap();
        other.cache.sync(&other).await.unwrap();
        for core in [&t.core, &other] {
            for token in [&own, &of_person] {
                assert_eq!(from(core, token, Some("198.51.100.9")), Code::Valid);
                assert_eq!((from(core, token, Some("203.0.113.9")), from(core, token, None)), (Code::IpNotAllowed, Code::IpNotAllowed));
            }
        }
        let told = serde_json::to_value(oauth::introspect(&anonymous(&t.core), &client(&t, &app), &own).await.unwrap()).unwrap();
        assert_eq!(told["active"], json!(true), "who asks what it is good for does not use it");
        let body = json!({"email": "owner@acme.test", "password": domain::testing::PASSWORD});
        let signed_in = domain::tokens::login(&anonymous(&t.core), &serde_json::from_value(body).unwrap()).await.unwrap();
        let text = serde_json::to_value(&signed_in).unwrap()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(from(&t.core, &text, Some("203.0.113.9")), Code::Valid, "people sign in anywhere");
        tenants::set_allowlist(&owner, &list(&[])).await.unwrap();
        assert_eq!(from(&t.core, &own, None), Code::Valid);
        other.stop().await;
    }
}

on_both! {
    async fn who_has_to_set_up_a_second_factor_lets_no_app_in_and_theirs_get_no_tokens(t) {
        let app = register(&t.owner(), json!({})).await;
        let dev = in_session(&t, t.join("dev@acme.test", Role::Developer).await);
        let before = code(&t, &dev, &app).await;
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        tenants::set_policies(&line, &patch(json!({"require_second_factor": true}))).await.unwrap();
        assert!(exchange(&t, &app, &before).await.is_err(), "a code from before");
        let person = domain::identity::resume(&t.core, domain::identity::SignedIn { user_id: dev.person().unwrap().user_id, tenant_id: t.first.tenant_id });
        let now = in_session(&t, t.as_who(Who::Person(person.await.unwrap().unwrap())));
        let query = [("client_id", app.app.id.to_string()), ("redirect_uri", CALLBACK.to_owned()), ("response_type", "code".to_owned())];
        let query: Vec<_> = query.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        let (client, asked) = oauth::check(&t.core, &query).unwrap();
        let stopped = oauth::begin(&now, &client, &asked).await;
        assert!(matches!(stopped, Err(Error::Refused(ErrorCode::MfaEnrollmentRequired, _))), "{stopped:?}");
        assert_eq!(app.app.terms.auth_method, AuthMethod::ClientSecretBasic);
    }
}
