//! The authorization server: apps, consent, codes, tokens, and how they end.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{
    Code, ConsentId, CreatedApp, CreatedInvitation, Email, GrantSeen, Invite, PageQuery, Requirement, Role, Scope, Secret, TenantName,
};
use domain::{
    Core, Ctx, Error, InSession, RequestInfo, Who, identity, members,
    oauth::{self, Client, Next, OauthError, Presented, Refused, TokenRequest, TokenResponse},
    on_both, tenants,
    testing::TestInstallation,
    tokens, verify,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub const CALLBACK: &str = "https://ledger.test/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()).as_ref())
}

/// The owner in a session of the console that was proved just now.
pub fn browser(t: &TestInstallation) -> Ctx {
    in_session(t, t.owner())
}

pub fn in_session(t: &TestInstallation, ctx: Ctx) -> Ctx {
    ctx.in_session(InSession { digest: vec![7; 32], proven_at: t.core.now() })
}

pub async fn register(ctx: &Ctx, extra: Value) -> CreatedApp {
    let mut body =
        json!({"name": "Ledger Sync", "redirect_uris": [CALLBACK], "scopes": ["users:read", "openid", "email", "offline_access"]});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    oauth::create(ctx, &serde_json::from_value(body).unwrap()).await.unwrap()
}

pub fn client(t: &TestInstallation, app: &CreatedApp) -> Arc<Client> {
    t.core.apps.get(app.app.id).unwrap()
}

pub fn anonymous(core: &Arc<Core>) -> Ctx {
    Ctx::new(core.clone(), Who::Anonymous, RequestInfo::default())
}

pub fn query(app: &CreatedApp, extra: &[(&str, &str)]) -> Vec<(String, String)> {
    let id = app.app.id.to_string();
    let mut all = vec![("client_id", id.as_str()), ("redirect_uri", CALLBACK), ("response_type", "code"), ("state", "xyz")];
    all.retain(|(name, _)| !extra.iter().any(|(n, _)| n == name));
    all.extend(extra.iter().filter(|(_, value)| !value.is_empty()));
    all.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// What of the answer's address.
pub fn param(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    form(query).into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
}

pub fn form(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter_map(|p| p.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.replace('+', " ").replace("%3A", ":").replace("%2F", "/")))
        .collect()
}

pub async fn ask(ctx: &Ctx, app: &CreatedApp, extra: &[(&str, &str)]) -> Next {
    let (client, asked) = oauth::check(ctx.core(), &query(app, extra)).unwrap();
    oauth::begin(ctx, &client, &asked).await.unwrap()
}

/// Lets the app in, and takes the code from the answer.
pub async fn allowed(ctx: &Ctx, app: &CreatedApp, extra: &[(&str, &str)]) -> String {
    let url = match ask(ctx, app, extra).await {
        Next::Ask(id) => oauth::decide(ctx, id, ctx.tenant_id()).await.unwrap(),
        Next::Answer(url) => url,
        other => panic!("{other:?}"),
    };
    param(&url, "code").unwrap_or_else(|| panic!("{url}"))
}

pub fn with_code(code: &str) -> TokenRequest {
    TokenRequest {
        grant_type: Some("authorization_code".into()),
        code: Some(code.into()),
        redirect_uri: Some(CALLBACK.into()),
        ..TokenRequest::default()
    }
}

pub fn with_refresh(token: &str) -> TokenRequest {
    TokenRequest { grant_type: Some("refresh_token".into()), refresh_token: Some(token.into()), ..TokenRequest::default() }
}

pub async fn token(t: &TestInstallation, app: &CreatedApp, asked: &TokenRequest) -> Result<TokenResponse, OauthError> {
    oauth::token(&anonymous(&t.core), &client(t, app), asked).await
}

pub fn word<T>(answer: Result<T, OauthError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(e) => e.code.as_str(),
    }
}

pub fn decided(core: &Core, credential: &str) -> Code {
    verify::check(core, credential, None, &Requirement::default(), None, false).unwrap().code
}

pub fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Somebody who joins in that role, in a session of the console.
pub async fn join(t: &TestInstallation, email: &str, role: Role) -> Ctx {
    let asked = Invite { email: Email::parse(email).unwrap(), role, days: 7 };
    let made: CreatedInvitation = members::invite(&t.owner(), asked).await.unwrap();
    let token = made.accept_url.unwrap().split("token=").nth(1).unwrap().to_owned();
    let form = contract::AcceptForm { token, password: "a quiet harbour of lanterns".into() };
    let joined = members::accept(&t.as_who(Who::Anonymous), &form).await.unwrap().unwrap();
    let person = identity::resume(&t.core, joined.who).await.unwrap().unwrap();
    in_session(t, t.as_who(Who::Person(person)))
}

on_both! {
    async fn s45_a_bad_client_or_address_is_told_the_person_and_everything_else_the_app_with_state_and_issuer(t) {
        let app = register(&t.owner(), json!({})).await;
        for bad in [("client_id", "app_00000000000000000000000000000000"), ("client_id", "nobody"), ("redirect_uri", "https://ledger.test/cb/"), ("redirect_uri", "https://evil.test/cb")] {
            assert!(matches!(oauth::check(&t.core, &query(&app, &[bad])), Err(Refused::Page(_))), "{bad:?}");
        }
        for (extra, error) in [
            (("response_type", "token"), "unsupported_response_type"),
            (("response_type", "code token"), "unsupported_response_type"),
            (("scope", "users:write"), "invalid_scope"),
            (("scope", "keystead.keys:read"), "invalid_scope"),
            (("code_challenge", "short"), "invalid_request"),
            (("code_challenge_method", "S256"), "invalid_request"),
            (("response_mode", "fragment"), "invalid_request"),
            (("prompt", "none login"), "invalid_request"),
            (("request", "eyJh"), "request_not_supported"),
            (("resource", "not-a-uri"), "invalid_target"),
            (("max_age", "soon"), "invalid_request"),
        ] {
            let Err(Refused::Redirect(url)) = oauth::check(&t.core, &query(&app, &[extra])) else { panic!("{extra:?}") };
            assert!(url.starts_with("https://ledger.test/cb?error="), "{url}");
            assert_eq!(param(&url, "error").as_deref(), Some(error), "{extra:?}");
            assert_eq!((param(&url, "state").as_deref(), param(&url, "iss").as_deref()), (Some("xyz"), Some("http://localhost")), "{extra:?}");
        }
        let plain = query(&app, &[("code_challenge", &challenge()), ("code_challenge_method", "plain")]);
        assert!(matches!(oauth::check(&t.core, &plain), Err(Refused::Redirect(_))), "s46: plain is no method");
        let mut twice = query(&app, &[]);
        twice.push(("scope".into(), "openid".into()));
        twice.push(("scope".into(), "openid".into()));
        assert!(matches!(oauth::check(&t.core, &twice), Err(Refused::Redirect(url)) if url.contains("invalid_request")), "s53");
        twice.truncate(4);
        twice.push(("nobody_knows".into(), "1".into()));
        twice.push(("nobody_knows".into(), "2".into()));
        assert!(oauth::check(&t.core, &twice).is_ok(), "s53: unknown ones are ignored");
        let mut uris = query(&app, &[]);
        uris.push(("redirect_uri".into(), CALLBACK.into()));
        assert!(matches!(oauth::check(&t.core, &uris), Err(Refused::Page(_))));
    }
}

on_both! {
    async fn a_person_allows_an_app_and_its_tokens_are_decided_about_like_keys(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let Next::Ask(id) = ask(&me, &app, &[("scope", "openid email users:read"), ("nonce", "n-1")]).await else { panic!("asked") };
        let page = oauth::consent(&me, id).await.unwrap();
        assert_eq!((page.app.as_str(), page.host.as_deref(), page.origin.as_str()), ("Ledger Sync", Some("ledger.test"), "https://ledger.test"));
        assert_eq!(page.scopes.iter().map(|s| s.words.as_str()).collect::<Vec<_>>(), ["Know who you are", "See your email address", "See users"]);
        let url = oauth::decide(&me, id, me.tenant_id()).await.unwrap();
        assert_eq!((param(&url, "state").as_deref(), param(&url, "iss").as_deref()), (Some("xyz"), Some("http://localhost")));
        assert!(oauth::decide(&me, id, me.tenant_id()).await.is_err(), "s54: once");
        let answer = token(&t, &app, &with_code(&param(&url, "code").unwrap())).await.unwrap();
        assert_eq!((answer.scope.as_str(), answer.expires_in, answer.refresh_token.is_some()), ("openid email users:read", 3_600, true));
        let access = claims(&answer.access_token);
        assert_eq!((&access["sub"], &access["client_id"], &access["tenant_id"]), (&json!(t.first.user_id), &json!(app.app.id), &json!(t.first.tenant_id)));
        let id_token = claims(answer.id_token.as_deref().unwrap());
        assert_eq!((&id_token["aud"], &id_token["nonce"], &id_token["sub"]), (&json!(app.app.id), &json!("n-1"), &json!(t.first.user_id)));
        let asked = serde_json::from_value(json!({"credential": answer.access_token, "scopes": ["users:read"]})).unwrap();
        let told = verify::verify(&t.gateway(), &asked).await.unwrap();
        assert_eq!((told.valid, told.client_id, told.rate_limit.map(|l| l.limit)), (true, Some(app.app.id.to_string()), Some(5_000)));
        assert_eq!(decided(&t.core, answer.id_token.as_deref().unwrap()), Code::NotFound, "s63: an ID token is no access token");
        let userinfo = oauth::userinfo(&t.by_token(&answer.access_token).await.unwrap()).await.unwrap();
        assert_eq!((&userinfo["sub"], &userinfo["email"]), (&json!(t.first.user_id), &json!("owner@acme.test")));
        // What was allowed is not asked again, and more is.
        assert!(matches!(ask(&me, &app, &[("scope", "openid")]).await, Next::Answer(url) if url.contains("code=")));
        assert!(matches!(ask(&me, &app, &[]).await, Next::Ask(_)), "offline_access is new");
        assert!(matches!(ask(&me, &app, &[("scope", "openid"), ("prompt", "consent")]).await, Next::Ask(_)));
    }
}

on_both! {
    async fn s46_s47_a_code_is_bound_to_client_address_and_challenge_and_expires(t) {
        let (app, other) = (register(&t.owner(), json!({})).await, register(&t.owner(), json!({"name": "Other"})).await);
        let me = browser(&t);
        let pkce = [("code_challenge", challenge()), ("code_challenge_method", "S256".to_owned())];
        let pkce: Vec<(&str, &str)> = pkce.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let code = allowed(&me, &app, &pkce).await;
        let good = TokenRequest { code_verifier: Some(VERIFIER.into()), ..with_code(&code) };
        assert_eq!(word(token(&t, &other, &good).await), "invalid_grant", "another client");
        assert_eq!(word(token(&t, &app, &with_code(&code)).await), "invalid_grant", "no verifier");
        let wrong = TokenRequest { code_verifier: Some(VERIFIER.replace('d', "e")), ..with_code(&code) };
        assert_eq!(word(token(&t, &app, &wrong).await), "invalid_grant");
        assert_eq!(word(token(&t, &app, &TokenRequest { redirect_uri: None, ..good }).await), "invalid_request");
        let elsewhere = TokenRequest { redirect_uri: Some("https://ledger.test/cb2".into()), code_verifier: Some(VERIFIER.into()), ..with_code(&code) };
        assert_eq!(word(token(&t, &app, &elsewhere).await), "invalid_grant");
        let good = TokenRequest { code_verifier: Some(VERIFIER.into()), ..with_code(&code) };
        assert_eq!(word(token(&t, &app, &good).await), "ok", "none of these used it up");
        let unbound = allowed(&me, &app, &[]).await;
        let downgrade = TokenRequest { code_verifier: Some(VERIFIER.into()), ..with_code(&unbound) };
        assert_eq!(word(token(&t, &app, &downgrade).await), "invalid_grant", "a verifier without a challenge");
        let late = allowed(&me, &app, &[]).await;
        t.clock.advance(Duration::from_millis(60_001));
        assert_eq!(word(token(&t, &app, &with_code(&late)).await), "invalid_grant", "after 60 seconds");
        let public = register(&t.owner(), json!({"kind": "public", "name": "Public"})).await;
        let unbound = oauth::check(&t.core, &query(&public, &[]));
        assert!(matches!(unbound, Err(Refused::Redirect(url)) if url.contains("invalid_request")), "a public app binds its codes");
    }
}

on_both! {
    async fn s48_a_code_works_once_of_fifty_at_once_and_a_second_use_ends_what_the_first_made(t) {
        let app = register(&t.owner(), json!({})).await;
        let code = allowed(&browser(&t), &app, &[]).await;
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (core, client, asked) = (t.core.clone(), client(&t, &app), with_code(&code));
            crowd.spawn(async move { oauth::token(&anonymous(&core), &client, &asked).await });
        }
        let answers = crowd.join_all().await;
        let mut good: Vec<_> = answers.into_iter().filter_map(|a| match a {
            Ok(good) => Some(good),
            Err(e) => { assert_eq!(e.code.as_str(), "invalid_grant", "{e}"); None }
        }).collect();
        assert_eq!(good.len(), 1);
        let first = good.pop().unwrap();
        assert_eq!(decided(&t.core, &first.access_token), Code::Revoked);
        assert_eq!(word(token(&t, &app, &with_refresh(&first.refresh_token.unwrap())).await), "invalid_grant");
    }
}

on_both! {
    async fn s49_s50_rotating_clients_get_one_successor_a_lost_answer_again_and_lose_all_by_reuse(t) {
        let app = register(&t.owner(), json!({"rotate_refresh_tokens": true})).await;
        let first = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap().refresh_token.unwrap();
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (core, client, asked) = (t.core.clone(), client(&t, &app), with_refresh(&first));
            crowd.spawn(async move { oauth::token(&anonymous(&core), &client, &asked).await.unwrap().refresh_token.unwrap() });
        }
        let mut successors = crowd.join_all().await;
        successors.dedup();
        assert_eq!(successors.len(), 1, "fifty at once make one successor");
        let second = successors.pop().unwrap();
        let after = token(&t, &app, &with_refresh(&second)).await.unwrap();
        // Its successor was used: now it can only be stolen, and a process that starts anew knows it, too.
        let other = t.second_process().await;
        let client = other.apps.get(app.app.id).unwrap();
        assert_eq!(word(oauth::token(&anonymous(&other), &client, &with_refresh(&first)).await), "invalid_grant");
        assert_eq!(word(token(&t, &app, &with_refresh(after.refresh_token.as_deref().unwrap())).await), "invalid_grant", "the family is over");
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(decided(&t.core, &after.access_token), Code::Revoked);
    }
}

on_both! {
    async fn s51_a_refresh_is_bound_to_its_client_never_wider_and_ends_for_good(t) {
        let (app, other) = (register(&t.owner(), json!({"refresh_token_days": 1})).await, register(&t.owner(), json!({"name": "Other"})).await);
        let answer = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap();
        let held = answer.refresh_token.unwrap();
        assert_eq!(word(token(&t, &other, &with_refresh(&held)).await), "invalid_grant");
        let wider = TokenRequest { scope: Some("users:read users:write".into()), ..with_refresh(&held) };
        assert_eq!(word(token(&t, &app, &wider).await), "invalid_scope");
        let narrow = TokenRequest { scope: Some("users:read".into()), ..with_refresh(&held) };
        let narrow = token(&t, &app, &narrow).await.unwrap();
        assert_eq!((narrow.scope.as_str(), narrow.refresh_token.as_deref(), narrow.id_token.is_none()), ("users:read", Some(held.as_str()), true));
        assert!(tokens::refresh(&anonymous(&t.core), &contract::RefreshBody { refresh_token: held.clone() }).await.is_err(), "s63: it is no login's");
        t.clock.advance(Duration::from_millis(24 * 3_600_000));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(word(token(&t, &app, &with_refresh(&held)).await), "invalid_grant", "however busy, it ends");
    }
}

on_both! {
    async fn s22_s52_client_credentials_are_the_apps_own_and_end_with_it(t) {
        let app = register(&t.owner(), json!({"kind": "machine", "redirect_uris": [], "scopes": ["users:read", "users:write"]})).await;
        let asked = |scope: Option<&str>| TokenRequest { grant_type: Some("client_credentials".into()), scope: scope.map(Into::into), ..TokenRequest::default() };
        assert_eq!(word(token(&t, &app, &asked(Some("users:delete"))).await), "invalid_scope");
        assert_eq!(word(token(&t, &app, &with_code("ksc_x")).await), "unauthorized_client");
        assert_eq!(word(token(&t, &app, &TokenRequest { grant_type: Some("password".into()), ..TokenRequest::default() }).await), "unsupported_grant_type");
        let answer = token(&t, &app, &asked(Some("users:read"))).await.unwrap();
        assert_eq!((answer.refresh_token.is_none(), answer.id_token.is_none(), answer.scope.as_str()), (true, true, "users:read"));
        assert_eq!(claims(&answer.access_token)["sub"], json!(app.app.id));
        assert_eq!(decided(&t.core, &answer.access_token), Code::Valid);
        oauth::suspend(&t.owner(), app.app.id, None).await.unwrap();
        assert_eq!(decided(&t.core, &answer.access_token), Code::Disabled);
        let secret = Presented { id: Some(app.app.id.to_string()), secret: app.client_secret.clone().map(Secret::new), ..Presented::default() };
        assert_eq!(word(oauth::authenticate(&anonymous(&t.core), &secret).await), "invalid_client");
        oauth::resume(&t.owner(), app.app.id).await.unwrap();
        assert_eq!(word(oauth::authenticate(&anonymous(&t.core), &secret).await), "ok");
        oauth::delete(&t.owner(), app.app.id).await.unwrap();
        assert_eq!(decided(&t.core, &answer.access_token), Code::Revoked);
    }
}

on_both! {
    async fn a_secret_is_replaced_with_an_overlap_and_wrong_ones_are_refused_alike(t) {
        let app = register(&t.owner(), json!({})).await;
        let with = |secret: Option<String>| Presented { id: Some(app.app.id.to_string()), secret: secret.map(Secret::new), ..Presented::default() };
        let tries = async |secret: Option<String>| word(oauth::authenticate(&anonymous(&t.core), &with(secret)).await);
        let first = app.client_secret.clone();
        assert_eq!((tries(first.clone()).await, tries(None).await, tries(Some("kss_wrong".into())).await), ("ok", "invalid_client", "invalid_client"));
        let body = serde_json::from_value(json!({"grace_seconds": 60})).unwrap();
        let second = oauth::rotate_secret(&t.owner(), app.app.id, &body).await.unwrap();
        assert_eq!((tries(first.clone()).await, tries(second.client_secret.clone()).await, second.app.secrets.len()), ("ok", "ok", 2));
        t.clock.advance(Duration::from_millis(60_000));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!((tries(first).await, tries(second.client_secret).await), ("invalid_client", "ok"));
        let both = Presented { basic: Some((app.app.id.to_string(), Secret::new("x".into()))), ..with(Some("x".into())) };
        assert_eq!(word(oauth::authenticate(&anonymous(&t.core), &both).await), "invalid_request");
    }
}

on_both! {
    async fn s54_a_request_is_decided_by_the_session_that_was_asked(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let Next::Ask(id) = ask(&me, &app, &[]).await else { panic!("asked") };
        let other_session = t.owner().in_session(InSession { digest: vec![8; 32], proven_at: t.core.now() });
        assert!(matches!(oauth::decide(&other_session, id, me.tenant_id()).await, Err(Error::Conflict(_))));
        let dev = join(&t, "dev@acme.test", Role::Developer).await;
        assert!(matches!(oauth::decide(&dev, id, me.tenant_id()).await, Err(Error::Conflict(_))), "another person in the same session");
        assert!(oauth::decide(&me, ConsentId::from_uuid(t.core.new_uuid()), me.tenant_id()).await.is_err());
        let url = oauth::decide(&me, id, None).await.unwrap();
        assert_eq!(param(&url, "error").as_deref(), Some("access_denied"));
        let Next::Ask(late) = ask(&me, &app, &[]).await else { panic!("asked") };
        t.clock.advance(Duration::from_millis(10 * 60_000));
        assert!(matches!(oauth::decide(&me, late, me.tenant_id()).await, Err(Error::Conflict(_))), "after ten minutes");
    }
}

on_both! {
    async fn people_see_and_end_their_grants_admins_those_of_their_apps_and_whoever_leaves_leaves_none(t) {
        let app = register(&t.owner(), json!({})).await;
        let dev = join(&t, "dev@acme.test", Role::Developer).await;
        let answer = token(&t, &app, &with_code(&allowed(&dev, &app, &[]).await)).await.unwrap();
        let mine: Vec<GrantSeen> = oauth::mine(&dev).await.unwrap();
        assert_eq!((mine.len(), mine[0].app.as_str(), mine[0].user.as_str()), (1, "Ledger Sync", "dev@acme.test"));
        let of_app = oauth::of_app(&t.owner(), app.app.id, PageQuery::default()).await.unwrap().data;
        assert_eq!(of_app, mine);
        let other = join(&t, "dev2@acme.test", Role::Developer).await;
        assert!(oauth::revoke_grant(&other, mine[0].id).await.is_err(), "neither theirs nor to an app of theirs");
        assert_eq!(decided(&t.core, &answer.access_token), Code::Valid);
        oauth::revoke_grant(&dev, mine[0].id).await.unwrap();
        assert_eq!(decided(&t.core, &answer.access_token), Code::Revoked);
        assert_eq!(word(token(&t, &app, &with_refresh(&answer.refresh_token.unwrap())).await), "invalid_grant");
        assert!(matches!(ask(&dev, &app, &[("scope", "openid")]).await, Next::Ask(_)), "it is asked again");
        let again = token(&t, &app, &with_code(&allowed(&dev, &app, &[]).await)).await.unwrap();
        members::remove(&t.owner(), dev.person().unwrap().user_id).await.unwrap();
        assert_eq!(decided(&t.core, &again.access_token), Code::Revoked);
        assert!(oauth::of_app(&t.owner(), app.app.id, PageQuery::default()).await.unwrap().data.is_empty());
    }
}

on_both! {
    async fn s35_nobody_lets_an_app_do_more_than_they_may(t) {
        let app = register(&t.owner(), json!({"scopes": ["openid", "admin", "keystead.keys:write", "users:read"]})).await;
        let dev = join(&t, "dev@acme.test", Role::Developer).await;
        let answer = token(&t, &app, &with_code(&allowed(&dev, &app, &[]).await)).await.unwrap();
        assert!(!answer.scope.contains("admin") && !answer.scope.contains("keystead"), "{}", answer.scope);
        let body = serde_json::from_value(json!({"name": "x", "redirect_uris": [CALLBACK], "scopes": ["admin"]})).unwrap();
        assert!(matches!(oauth::create(&dev, &body).await, Err(Error::CannotGrant(_))));
        let mine = register(&dev, json!({"name": "Mine"})).await;
        let other = join(&t, "dev2@acme.test", Role::Developer).await;
        assert!(matches!(oauth::get(&other, contract::Perm::AppsRead, mine.app.id).await, Err(Error::NotFound)), "a developer sees their own");
        // Whoever operates the installation lets no app do so.
        let whole = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap();
        let by = t.by_token(&whole.access_token).await.unwrap();
        assert!(!by.is_platform() && !by.operates());
    }
}

on_both! {
    async fn s57_s58_tokens_are_revoked_and_told_of_to_whom_they_concern(t) {
        let (app, other) = (register(&t.owner(), json!({})).await, register(&t.owner(), json!({"name": "Other"})).await);
        let made = tenants::create(&t.as_who(Who::CommandLine(t.first.tenant_id)), &TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let foreign = register(&t.as_who(Who::CommandLine(made.id)), json!({"name": "Foreign"})).await;
        let answer = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap();
        let (access, refresh) = (answer.access_token, answer.refresh_token.unwrap());
        let ctx = anonymous(&t.core);
        let told = async |by: &CreatedApp, text: &str| serde_json::to_value(oauth::introspect(&ctx, &client(&t, by), text).await.unwrap()).unwrap();
        let inactive = json!({"active": false});
        for text in [&access, &refresh] {
            let own = told(&app, text).await;
            assert_eq!((&own["active"], &own["sub"], &own["client_id"]), (&json!(true), &json!(t.first.user_id), &json!(app.app.id)));
            let active = *text == access;
            assert_eq!(told(&other, text).await["active"], json!(active), "an app of the tenant is told of what its API is shown");
            assert_eq!(told(&foreign, text).await, inactive, "no answer across tenants");
        }
        assert_eq!(told(&app, "nothing").await, inactive);
        for text in [access.as_str(), &refresh, "unknown", "a.b.c"] {
            oauth::revoke(&ctx, &client(&t, &other), text).await.unwrap();
        }
        assert_eq!(decided(&t.core, &access), Code::Valid, "another client ends nothing");
        oauth::revoke(&ctx, &client(&t, &app), &access).await.unwrap();
        assert_eq!((decided(&t.core, &access), told(&app, &access).await), (Code::Revoked, inactive.clone()));
        let next = token(&t, &app, &with_refresh(&refresh)).await.unwrap();
        oauth::revoke(&ctx, &client(&t, &app), &refresh).await.unwrap();
        assert_eq!((decided(&t.core, &next.access_token), told(&app, &refresh).await), (Code::Revoked, inactive));
    }
}

on_both! {
    async fn an_app_for_any_tenant_acts_where_its_person_says_and_any_other_at_home_only(t) {
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        let made = tenants::create(&line, &TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let foreign = t.as_who(Who::CommandLine(made.id));
        let (own, open) = (register(&foreign, json!({})).await, register(&foreign, json!({"any_tenant": true})).await);
        let me = browser(&t);
        let Next::Ask(id) = ask(&me, &own, &[]).await else { panic!("asked") };
        assert!(oauth::consent(&me, id).await.unwrap().tenants.is_empty());
        assert!(matches!(oauth::decide(&me, id, me.tenant_id()).await, Err(Error::Invalid(_))));
        let answer = token(&t, &open, &with_code(&allowed(&me, &open, &[]).await)).await.unwrap();
        assert_eq!(claims(&answer.access_token)["tenant_id"], json!(t.first.tenant_id));
        assert_eq!(decided(&t.core, &answer.access_token), Code::Valid);
        tenants::suspend(&t.owner(), made.id, Some("unpaid")).await.unwrap();
        assert_eq!(decided(&t.core, &answer.access_token), Code::Disabled, "s22: with the app's tenant");
        tenants::resume(&t.owner(), made.id).await.unwrap();
        assert_eq!(decided(&t.core, &answer.access_token), Code::Valid);
        let closed = serde_json::from_value(json!({"any_tenant": false})).unwrap();
        oauth::update(&foreign, open.app.id, &closed).await.unwrap();
        assert_eq!(word(token(&t, &open, &with_refresh(&answer.refresh_token.unwrap())).await), "invalid_grant");
        assert_eq!(decided(&t.core, &answer.access_token), Code::Revoked);
    }
}

on_both! {
    async fn s61_s64_an_app_signs_for_itself_with_its_secret_and_for_nothing_of_keysteads(t) {
        let app = register(&t.owner(), json!({"scopes": ["users:read", "keystead.keys:read", "admin"]})).await;
        let now = t.core.now().0 / 1_000;
        let secret = app.client_secret.clone().unwrap();
        let sign = |header: Value, claims: Value, secret: &str| {
            use aws_lc_rs::hmac;
            let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()).as_ref()))
        };
        let good = json!({"iss": app.app.id, "sub": "user_123", "aud": "http://localhost", "iat": now, "exp": now + 3_600});
        let with = |name: &str, value: Value| { let mut claims = good.clone(); claims[name] = value; claims };
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let jwt = sign(header.clone(), good.clone(), &secret);
        let asked = serde_json::from_value(json!({"credential": jwt, "scopes": ["users:read"]})).unwrap();
        let told = verify::verify(&t.gateway(), &asked).await.unwrap();
        assert_eq!((told.valid, told.kind.map(contract::CredentialKind::as_str), told.subject.as_deref()), (true, Some("client_jwt"), Some("user_123")));
        assert_eq!(told.scopes, [Scope::parse("users:read").unwrap()], "neither Keystead's own nor admin");
        for (wrong, code) in [
            (sign(header.clone(), good.clone(), "another secret"), Code::NotFound),
            (sign(header.clone(), with("exp", json!(now + 3_601)), &secret), Code::NotFound),
            (sign(header.clone(), with("exp", json!("soon")), &secret), Code::NotFound),
            (sign(header.clone(), with("iss", json!("app_00000000000000000000000000000000")), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!("")), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!(t.first.user_id)), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!(app.app.id)), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!(format!(" {}", t.first.user_id))), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!(format!("{}\t", t.first.user_id))), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!(t.first.user_id.to_string().to_uppercase())), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!("user\r\n123")), &secret), Code::NotFound),
            (sign(header.clone(), with("sub", json!("j\u{fc}rgen")), &secret), Code::NotFound),
            (sign(header.clone(), with("aud", json!("https://other.test")), &secret), Code::AudienceMismatch),
            (sign(json!({"alg": "HS256", "typ": "at+jwt"}), good.clone(), &secret), Code::NotFound),
            (sign(json!({"alg": "none", "typ": "JWT"}), good.clone(), &secret), Code::Malformed),
            (sign(json!({"alg": "HS384", "typ": "JWT"}), good.clone(), &secret), Code::NotFound),
            (sign(json!({"alg": "HS256", "typ": "JWT", "jku": "https://evil.test"}), good.clone(), &secret), Code::NotFound),
        ] {
            assert_eq!(decided(&t.core, &wrong), code, "{wrong}");
        }
        // A name that the tenant lists stands for this installation (guide 002).
        let named = sign(header.clone(), with("aud", json!("ACME_API")), &secret);
        assert_eq!(decided(&t.core, &named), Code::AudienceMismatch);
        tenants::set_policies(&t.owner(), &serde_json::from_value(json!({"token_audiences": ["ACME_API"]})).unwrap()).await.unwrap();
        assert_eq!(decided(&t.core, &named), Code::Valid);
        t.clock.advance(Duration::from_millis(3_600_000 + 30_001));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(decided(&t.core, &jwt), Code::Expired);
        let off = serde_json::from_value(json!({"allow_client_jwts": false})).unwrap();
        let fresh = sign(header, json!({"iss": app.app.id, "sub": "x", "aud": "http://localhost", "iat": now + 3_630, "exp": now + 3_640}), &secret);
        assert_eq!(decided(&t.core, &fresh), Code::Valid);
        oauth::update(&t.owner(), app.app.id, &off).await.unwrap();
        assert_eq!(decided(&t.core, &fresh), Code::NotFound);
    }
}

on_both! {
    async fn s61_s62_a_client_that_signs_proves_itself_once_by_each_assertion_and_by_its_own_key_only(t) {
        use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())});
        let app = register(&t.owner(), json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]}})).await;
        let id = app.app.id.to_string();
        let now = t.core.now().0 / 1_000;
        let sign = |header: Value, claims: &Value, by: &Ed25519KeyPair| {
            let message = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(by.sign(message.as_bytes()).as_ref()))
        };
        let claims = |extra: Value| {
            let mut claims = json!({"iss": id, "sub": id, "aud": "http://localhost/oauth/token", "exp": now + 60, "jti": t.core.new_uuid()});
            for (name, value) in extra.as_object().unwrap() { claims[name] = value.clone(); }
            claims
        };
        let header = json!({"alg": "EdDSA", "kid": "k1"});
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let tries = async |jwt: String| {
            let presented = Presented { assertion: Some((kind.to_owned(), jwt)), ..Presented::default() };
            word(oauth::authenticate(&anonymous(&t.core), &presented).await)
        };
        let good = sign(header.clone(), &claims(json!({})), &pair);
        assert_eq!((tries(good.clone()).await, tries(good).await), ("ok", "invalid_client"), "each once");
        assert_eq!(tries(sign(header.clone(), &claims(json!({"aud": ["http://localhost", "http://localhost/oauth/token"]})), &pair)).await, "ok");
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        for (wrong, why) in [
            (sign(header.clone(), &claims(json!({})), &other), "another key"),
            (sign(json!({"alg": "EdDSA", "kid": "k2"}), &claims(json!({})), &pair), "another kid"),
            (sign(json!({"alg": "HS256", "kid": "k1"}), &claims(json!({})), &pair), "another algorithm"),
            (sign(json!({"alg": "EdDSA", "typ": "at+jwt"}), &claims(json!({})), &pair), "another kind of token (s63)"),
            (sign(json!({"alg": "EdDSA", "jku": "https://evil.test"}), &claims(json!({})), &pair), "it brings a key"),
            (sign(header.clone(), &claims(json!({"aud": "https://other.test"})), &pair), "another server"),
            (sign(header.clone(), &claims(json!({"aud": ["https://other.test", "http://localhost"]})), &pair), "another server, too"),
            (sign(header.clone(), &claims(json!({"iss": "somebody"})), &pair), "another issuer"),
            (sign(header.clone(), &claims(json!({"exp": now - 31})), &pair), "over"),
            (sign(header.clone(), &claims(json!({"exp": now + 3_700})), &pair), "too long"),
            (sign(header.clone(), &claims(json!({"nbf": now + 60})), &pair), "not yet"),
            (sign(header.clone(), &claims(json!({"jti": ""})), &pair), "no jti"),
            (sign(header.clone(), &claims(json!({"exp": "soon"})), &pair), "no number"),
        ] {
            assert_eq!(tries(wrong).await, "invalid_client", "{why}");
        }
        let secret = Presented { id: Some(id.clone()), secret: app.client_secret.clone().map(Secret::new), ..Presented::default() };
        assert_eq!(word(oauth::authenticate(&anonymous(&t.core), &secret).await), "invalid_client", "it signs, and sends no secret");
        t.clock.advance(Duration::from_secs(3));
        let mut proved = 0;
        for _ in 0..verify::limit::CLIENT.per_second + 5 {
            match tries(sign(header.clone(), &claims(json!({})), &pair)).await {
                "ok" => proved += 1,
                refused => assert_eq!(refused, "temporarily_unavailable"),
            }
        }
        assert_eq!(proved, verify::limit::CLIENT.per_second, "each of them is noted: so many a second");
    }
}

on_both! {
    async fn s71_a_client_in_a_loop_writes_so_much_and_no_more_and_a_person_in_one_is_answered_for_so_often(t) {
        use domain::verify::limit::{ANSWERED, CLIENT};
        let (app, other) = (register(&t.owner(), json!({})).await, register(&t.owner(), json!({"name": "Other"})).await);
        let public = register(&t.owner(), json!({"kind": "public"})).await;
        let charge = |app: &CreatedApp| oauth::charge(&anonymous(&t.core), &client(&t, app));
        let second = usize::try_from(CLIENT.per_second).unwrap();
        assert_eq!((0..second + 5).filter(|_| charge(&app).is_ok()).count(), second);
        let refused = charge(&app).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.limit.unwrap().retry_after.is_some()), ("temporarily_unavailable", true));
        assert!(charge(&other).is_ok(), "another app has a count of its own");
        assert!((0..=second).all(|_| charge(&public).is_ok()), "nobody uses up the count of an app that anybody can name");
        let me = browser(&t);
        allowed(&me, &app, &[]).await;
        t.clock.advance(Duration::from_secs(3));
        let mut answered = 0;
        for _ in 0..ANSWERED.per_second + 5 {
            let (client, asked) = oauth::check(&t.core, &query(&app, &[])).unwrap();
            match oauth::begin(&me, &client, &asked).await {
                Ok(Next::Answer(_)) => answered += 1,
                Err(Error::TooMany(seconds)) => assert!(seconds > 0),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(answered, ANSWERED.per_second);
        let them = join(&t, "them@acme.test", Role::Owner).await;
        assert!(matches!(ask(&them, &app, &[]).await, Next::Ask(_)), "another person has a count of their own");
    }
}

on_both! {
    async fn s33_the_database_holds_no_working_credential_of_an_app(t) {
        let app = register(&t.owner(), json!({"rotate_refresh_tokens": true})).await;
        let me = browser(&t);
        let waiting = allowed(&me, &app, &[]).await;
        let answer = token(&t, &app, &with_code(&allowed(&me, &app, &[]).await)).await.unwrap();
        let next = token(&t, &app, &with_refresh(answer.refresh_token.as_deref().unwrap())).await.unwrap();
        let dump = t.dump().await;
        assert!(dump.contains("Ledger Sync"), "the dump is real");
        let secret = app.client_secret.unwrap();
        let refresh = (answer.refresh_token.unwrap(), next.refresh_token.unwrap());
        for text in [&secret, &waiting, &refresh.0, &refresh.1, &answer.access_token, &answer.id_token.unwrap()] {
            assert!(!dump.contains(&text[4..40]), "{text}");
        }
    }
}

on_both! {
    async fn a_public_app_at_an_address_on_the_device_is_asked_each_time(t) {
        let device = "http://127.0.0.1/cb";
        let app = register(&t.owner(), json!({"kind": "public", "redirect_uris": [device, CALLBACK]})).await;
        let me = browser(&t);
        let pkce = challenge();
        let with = |uri: &'static str| [("redirect_uri", uri), ("code_challenge", pkce.as_str()), ("code_challenge_method", "S256")];
        for _ in 0..2 {
            let Next::Ask(id) = ask(&me, &app, &with("http://127.0.0.1:5000/cb")).await else { panic!("asked each time") };
            assert!(oauth::decide(&me, id, me.tenant_id()).await.unwrap().starts_with("http://127.0.0.1:5000/cb?code="));
        }
        assert!(matches!(ask(&me, &app, &with(CALLBACK)).await, Next::Answer(_)), "an https address belongs to the app");
    }
}

on_both! {
    async fn a_resource_becomes_the_audience_and_stays_it(t) {
        let app = register(&t.owner(), json!({})).await;
        let api = "https://api.acme.test";
        let code = allowed(&browser(&t), &app, &[("resource", api)]).await;
        let elsewhere = TokenRequest { resource: Some("https://other.test".into()), ..with_code(&code) };
        assert_eq!(word(token(&t, &app, &elsewhere).await), "invalid_target");
        let answer = token(&t, &app, &with_code(&code)).await.unwrap();
        assert_eq!(claims(&answer.access_token)["aud"], json!(api));
        assert_eq!(decided(&t.core, &answer.access_token), Code::AudienceMismatch);
        let need = Requirement { audience: Some(api.to_owned()), ..Requirement::default() };
        assert_eq!(verify::check(&t.core, &answer.access_token, None, &need, None, false).unwrap().code, Code::Valid);
        let wider = TokenRequest { resource: Some("http://localhost".into()), ..with_refresh(answer.refresh_token.as_deref().unwrap()) };
        assert_eq!(word(token(&t, &app, &wider).await), "invalid_target");
        let next = token(&t, &app, &with_refresh(answer.refresh_token.as_deref().unwrap())).await.unwrap();
        assert_eq!(claims(&next.access_token)["aud"], json!(api));
    }
}
