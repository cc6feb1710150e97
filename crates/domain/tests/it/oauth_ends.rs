//! What ends tokens of apps, and what an app cannot do with them.

use crate::oauth::{
    allowed, anonymous, ask, browser, challenge, claims, client, decided, join, query, register, token, with_code, with_refresh, word,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{
    AuditFilter, Code, CreatedApp, LogoutBody, MemberBody, PageQuery, Perm, Role, RotateBody, Scope, TenantName, TokenId, UserId,
};
use domain::{
    Ctx, Error, InSession, Who, audit, keys, leaks, members,
    oauth::{self, Next, Presented, TokenRequest},
    on_both, scopes, tenants,
    testing::{PASSWORD, TestInstallation},
    tokens, verify,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A tenant beside the first, as its command line.
async fn globex(t: &TestInstallation) -> Ctx {
    let line = t.as_who(Who::CommandLine(t.first.tenant_id));
    let made = tenants::create(&line, &TenantName::parse("Globex").unwrap(), None).await.unwrap();
    t.as_who(Who::CommandLine(made.id))
}

fn changes(body: Value) -> contract::UpdateAppBody {
    serde_json::from_value(body).unwrap()
}

/// An app that acts for itself.
async fn machine(ctx: &Ctx, name: &str) -> CreatedApp {
    register(ctx, json!({"name": name, "kind": "machine", "redirect_uris": [], "scopes": ["users:read"], "allow_client_jwts": true})).await
}

/// A token that it gets for itself, and one that it signs.
async fn own_tokens(t: &TestInstallation, app: &CreatedApp) -> [String; 2] {
    let asked = TokenRequest { grant_type: Some("client_credentials".into()), ..TokenRequest::default() };
    let now = t.core.now().0 / 1_000;
    let claims = json!({"iss": app.app.id, "sub": "x", "aud": "http://localhost", "iat": now, "exp": now + 600});
    [token(t, app, &asked).await.unwrap().access_token, signed(&claims, app.client_secret.as_deref().unwrap())]
}

fn proof(app: &CreatedApp) -> Presented {
    let secret = app.client_secret.clone().map(contract::Secret::new);
    Presented { id: Some(app.app.id.to_string()), secret, ..Presented::default() }
}

fn id(ctx: &Ctx) -> UserId {
    ctx.person().unwrap().user_id
}

/// Developers in sessions of their own.
async fn developers(t: &TestInstallation, how_many: u8) -> Vec<Ctx> {
    let mut all = Vec::new();
    for n in 0..how_many {
        let dev = t.join(&format!("dev{n}@acme.test"), Role::Developer).await;
        all.push(dev.in_session(InSession { digest: vec![n; 32], proven_at: t.core.now() }));
    }
    all
}

/// Signs with a secret of an app (guide 002).
fn signed(claims: &Value, secret: &str) -> String {
    use aws_lc_rs::hmac;
    let message = [&json!({"alg": "HS256", "typ": "JWT"}), claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()).as_ref()))
}

on_both! {
    async fn s57_what_an_app_signs_itself_ends_no_token_whatever_it_names(t) {
        let (app, thief) = (register(&t.owner(), json!({})).await, register(&t.owner(), json!({"name": "Thief"})).await);
        let answer = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap();
        let stolen = claims(&answer.access_token);
        let now = t.core.now().0 / 1_000;
        let login = stolen["sid"].as_str().unwrap().replace("lgn_", "tok_");
        for id in [stolen["jti"].as_str().unwrap(), &login] {
            assert!(id.parse::<TokenId>().is_ok(), "{id}");
            let claims = json!({"iss": thief.app.id, "sub": "x", "aud": "http://localhost", "iat": now, "exp": now + 60, "jti": id});
            let own = signed(&claims, thief.client_secret.as_deref().unwrap());
            assert_eq!(decided(&t.core, &own), Code::Valid);
            assert_eq!(word(oauth::revoke(&anonymous(&t.core), &client(&t, &thief), &own).await), "unsupported_token_type");
        }
        assert_eq!(decided(&t.core, &answer.access_token), Code::Valid);
    }
}

on_both! {
    async fn s57_a_token_that_is_over_is_ended_once_and_written_down_once(t) {
        let app = register(&t.owner(), json!({})).await;
        let answer = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap();
        let written = async || {
            let all = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
            all.into_iter().filter(|e| e.action == "oauth_token.revoked").count()
        };
        for _ in 0..3 {
            oauth::revoke(&anonymous(&t.core), &client(&t, &app), &answer.access_token).await.unwrap();
        }
        assert_eq!(written().await, 1);
        let next = token(&t, &app, &with_refresh(answer.refresh_token.as_deref().unwrap())).await.unwrap();
        t.clock.advance(Duration::from_secs(3_631));
        t.core.cache.sync(&t.core).await.unwrap();
        oauth::revoke(&anonymous(&t.core), &client(&t, &app), &next.access_token).await.unwrap();
        assert_eq!(written().await, 1, "it had expired");
    }
}

on_both! {
    async fn an_app_is_told_who_its_person_is_where_they_allowed_it_and_signs_nobody_out(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let one = token(&t, &app, &with_code(&allowed(&me, &app, &[("scope", "users:read")]).await)).await.unwrap();
        let by = t.by_token(&one.access_token).await.unwrap();
        assert!(tokens::me(&by).unwrap().user.is_none());
        let everywhere = LogoutBody { refresh_token: None, everywhere: true };
        assert!(matches!(tokens::logout(&by, &everywhere).await, Err(Error::Refused(..))));
        let two = token(&t, &app, &with_code(&allowed(&me, &app, &[("scope", "email")]).await)).await.unwrap();
        let by = t.by_token(&two.access_token).await.unwrap();
        assert_eq!(tokens::me(&by).unwrap().user.unwrap().email, "owner@acme.test");
        assert_eq!(tokens::logout(&by, &LogoutBody { refresh_token: None, everywhere: false }).await.unwrap(), 1);
        assert_eq!((decided(&t.core, &two.access_token), decided(&t.core, &one.access_token)), (Code::Revoked, Code::Valid), "its own only");
    }
}

on_both! {
    async fn s22_s34_what_goes_on_by_a_token_ends_with_its_app_and_does_no_more_than_the_app_may_by_now(t) {
        let there = globex(&t).await;
        let terms = json!({"any_tenant": true, "scopes": ["users:read", "keystead.usage:read"]});
        let (own, foreign) = (register(&t.owner(), terms.clone()).await, register(&there, terms).await);
        let begins = async |token: String| t.by_token(&token).await.unwrap();
        let asked = TokenRequest { grant_type: Some("client_credentials".into()), ..TokenRequest::default() };
        let itself = begins(token(&t, &own, &asked).await.unwrap().access_token).await;
        let me = browser(&t);
        let by = begins(token(&t, &own, &with_code(&allowed(&me, &own, &[]).await)).await.unwrap().access_token).await;
        let guest = begins(token(&t, &foreign, &with_code(&allowed(&me, &foreign, &[]).await)).await.unwrap().access_token).await;
        let reads = |ctx: &Ctx| verify::refreshed(ctx).map(|now| now.require(Perm::UsageRead).is_ok());
        let all = || [&itself, &by, &guest].map(reads);
        assert_eq!(all(), [Some(true); 3]);

        oauth::suspend(&t.owner(), own.app.id, None).await.unwrap();
        assert_eq!(all(), [None, None, Some(true)], "suspended");
        oauth::resume(&t.owner(), own.app.id).await.unwrap();
        assert_eq!(all(), [Some(true); 3]);

        oauth::update(&there, foreign.app.id, &changes(json!({"any_tenant": false}))).await.unwrap();
        assert_eq!(all(), [Some(true), Some(true), None], "it acts at home only");

        let elsewhere = contract::AllowlistBody { allowed_ips: vec!["198.51.100.0/24".into()] };
        tenants::set_allowlist(&t.owner(), &elsewhere).await.unwrap();
        assert_eq!(all(), [None; 3], "an unknown address is on no list");
        tenants::set_allowlist(&t.owner(), &contract::AllowlistBody { allowed_ips: vec![] }).await.unwrap();
        assert_eq!(all(), [Some(true), Some(true), None]);

        oauth::update(&t.owner(), own.app.id, &changes(json!({"scopes": ["users:read"]}))).await.unwrap();
        assert_eq!(all(), [Some(false), Some(false), None], "narrowed");
        oauth::delete(&t.owner(), own.app.id).await.unwrap();
        assert_eq!(all(), [None; 3], "deleted");
    }
}

on_both! {
    async fn s22_a_code_does_not_outlive_what_ends_the_sign_ins_of_its_person(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let code = allowed(&me, &app, &[]).await;
        let login = serde_json::from_value(json!({"email": "owner@acme.test", "password": PASSWORD})).unwrap();
        let by = tokens::login(&anonymous(&t.core), &login).await.unwrap().access_token;
        tokens::logout(&t.by_token(&by).await.unwrap(), &LogoutBody { refresh_token: None, everywhere: true }).await.unwrap();
        assert_eq!(word(token(&t, &app, &with_code(&code)).await), "invalid_grant");
        assert_eq!(word(token(&t, &app, &with_code(&allowed(&me, &app, &[]).await)).await), "ok", "the next one works");
    }
}

on_both! {
    async fn s54_what_was_allowed_to_an_app_of_another_tenant_is_seen_and_ended_by_its_person_and_by_admins(t) {
        let other = globex(&t).await;
        let app = register(&other, json!({"any_tenant": true})).await;
        let dev = join(&t, "dev@acme.test", Role::Developer).await;
        let first = token(&t, &app, &with_code(&allowed(&dev, &app, &[]).await)).await.unwrap();
        let mine = oauth::mine(&dev).await.unwrap();
        // An app does not take grants back, its person's others neither.
        let by = t.by_token(&first.access_token).await.unwrap();
        assert!(oauth::revoke_grant(&by, mine[0].id).await.is_err());
        oauth::revoke_grant(&dev, mine[0].id).await.unwrap();
        assert_eq!(decided(&t.core, &first.access_token), Code::Revoked);
        let second = token(&t, &app, &with_code(&allowed(&dev, &app, &[]).await)).await.unwrap();
        let seen = oauth::elsewhere(&t.owner(), PageQuery::default()).await.unwrap().data;
        assert_eq!(seen, oauth::mine(&dev).await.unwrap());
        assert!(oauth::elsewhere(&other, PageQuery::default()).await.unwrap().data.is_empty(), "s66: it stands where the app acts");
        assert!(matches!(oauth::revoke_grant(&other, seen[0].id).await, Err(Error::NotFound)), "s66");
        let third = join(&t, "dev2@acme.test", Role::Developer).await;
        assert!(matches!(oauth::revoke_grant(&third, seen[0].id).await, Err(Error::NotFound)));
        assert!(oauth::elsewhere(&third, PageQuery::default()).await.unwrap().data.is_empty());
        oauth::revoke_grant(&t.owner(), seen[0].id).await.unwrap();
        assert_eq!(decided(&t.core, &second.access_token), Code::Revoked);
    }
}

on_both! {
    async fn s34_who_was_away_for_hours_hears_of_apps_that_changed_meanwhile(t) {
        let app = register(&t.owner(), json!({})).await;
        let away = t.second_process().await;
        oauth::rotate_secret(&t.owner(), app.app.id, &RotateBody { grace_seconds: Some(0) }).await.unwrap();
        oauth::suspend(&t.owner(), app.app.id, None).await.unwrap();
        t.clock.advance(Duration::from_hours(3));
        tokens::tend(&t.core).await.unwrap();
        away.cache.sync(&away).await.unwrap();
        assert!(!away.apps.get(app.app.id).unwrap().in_use);
        let secret = Presented { id: Some(app.app.id.to_string()), secret: app.client_secret.map(contract::Secret::new), ..Presented::default() };
        oauth::resume(&t.owner(), app.app.id).await.unwrap();
        away.cache.sync(&away).await.unwrap();
        assert_eq!(word(oauth::authenticate(&anonymous(&away), &secret).await), "invalid_client", "nor does its old secret work");
    }
}

on_both! {
    async fn s50_a_used_token_stays_used_when_its_app_rotates_no_more(t) {
        let app = register(&t.owner(), json!({"rotate_refresh_tokens": true})).await;
        let first = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap().refresh_token.unwrap();
        let second = token(&t, &app, &with_refresh(&first)).await.unwrap().refresh_token.unwrap();
        oauth::update(&t.owner(), app.app.id, &changes(json!({"rotate_refresh_tokens": false}))).await.unwrap();
        assert_eq!(word(token(&t, &app, &with_refresh(&second)).await), "ok");
        t.clock.advance(Duration::from_secs(11));
        assert_eq!(word(token(&t, &app, &with_refresh(&first)).await), "invalid_grant");
        assert_eq!(word(token(&t, &app, &with_refresh(&second)).await), "invalid_grant", "it was a theft: the family is over");
    }
}

on_both! {
    async fn s49_a_lost_answer_is_given_again_to_the_same_question_only(t) {
        let app = register(&t.owner(), json!({"rotate_refresh_tokens": true})).await;
        let first = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap().refresh_token.unwrap();
        let answer = token(&t, &app, &with_refresh(&first)).await.unwrap();
        let narrow = TokenRequest { scope: Some("users:read".into()), ..with_refresh(&first) };
        assert_eq!(word(token(&t, &app, &narrow).await), "invalid_grant");
        let again = token(&t, &app, &with_refresh(&first)).await.unwrap();
        assert_eq!(again.refresh_token, answer.refresh_token, "and the login goes on");
    }
}

on_both! {
    async fn s35_who_may_stop_apps_stops_them_and_puts_none_into_use_again(t) {
        let app = register(&t.owner(), json!({"scopes": ["openid", "admin"]})).await;
        for role in [Role::Security, Role::Support] {
            let who = join(&t, &format!("{role}@acme.test"), role).await;
            oauth::suspend(&who, app.app.id, Some("leaked".into())).await.unwrap();
            assert!(oauth::resume(&who, app.app.id).await.is_err(), "{role}");
            assert!(oauth::delete(&who, app.app.id).await.is_err(), "{role}");
            // Nor one that may do nothing which they could not hand out.
            let plain = register(&t.owner(), json!({"scopes": ["openid"]})).await.app.id;
            oauth::suspend(&who, plain, None).await.unwrap();
            assert!(oauth::resume(&who, plain).await.is_err(), "{role}");
            oauth::resume(&t.owner(), app.app.id).await.unwrap();
            let dev = join(&t, &format!("{role}-dev@acme.test"), Role::Developer).await;
            let held = token(&t, &app, &with_code(&allowed(&dev, &app, &[("scope", "openid")]).await)).await.unwrap();
            let seen = oauth::mine(&dev).await.unwrap();
            oauth::revoke_grant(&who, seen[0].id).await.unwrap();
            assert_eq!(decided(&t.core, &held.access_token), Code::Revoked, "{role}");
        }
        // A key that may change apps does not put one into use that may do more than the key.
        oauth::suspend(&t.owner(), app.app.id, None).await.unwrap();
        let key = keys::create_from_form(&t.owner(), &t.form("deploy", "keystead.apps:write")).await.unwrap();
        let by = t.with_key(&key.key.unwrap());
        assert!(matches!(oauth::resume(&by, app.app.id).await, Err(Error::CannotGrant(_))));
    }
}

on_both! {
    async fn tokens_know_the_verbs_of_their_tenant_and_a_scope_that_an_app_holds_stays(t) {
        let def = |name: &str| serde_json::from_value(json!({"name": name, "description": ""})).unwrap();
        for name in ["run", "exports:run"] {
            scopes::create(&t.owner(), &def(name)).await.unwrap();
        }
        let app = register(&t.owner(), json!({"kind": "machine", "redirect_uris": [], "scopes": ["run"]})).await;
        let asked = TokenRequest { grant_type: Some("client_credentials".into()), scope: Some("exports:run".into()), ..TokenRequest::default() };
        let answer = token(&t, &app, &asked).await.unwrap();
        let need = contract::Requirement { scopes: vec![Scope::parse("exports:run").unwrap()], ..contract::Requirement::default() };
        assert_eq!(verify::check(&t.core, &answer.access_token, None, &need, None, false).unwrap().code, Code::Valid);
        assert!(matches!(scopes::delete(&t.owner(), "run").await, Err(Error::Conflict(why)) if why.contains("OAuth app")));
    }
}

on_both! {
    async fn a_code_gives_no_more_than_app_and_person_may_when_it_is_redeemed(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let code = allowed(&me, &app, &[]).await;
        oauth::update(&t.owner(), app.app.id, &changes(json!({"scopes": ["users:read"]}))).await.unwrap();
        let answer = token(&t, &app, &with_code(&code)).await.unwrap();
        assert_eq!((answer.scope.as_str(), answer.id_token.is_none()), ("users:read", true));
        let code = allowed(&me, &app, &[]).await;
        oauth::update(&t.owner(), app.app.id, &changes(json!({"scopes": ["other:read"]}))).await.unwrap();
        assert_eq!(word(token(&t, &app, &with_code(&code)).await), "invalid_grant", "nothing is left");
        assert!(oauth::get(&t.owner(), Perm::AppsRead, app.app.id).await.is_ok());
        assert!(oauth::check(&t.core, &query(&app, &[("code_challenge", &challenge()), ("code_challenge_method", "S256")])).is_ok());
    }
}

on_both! {
    async fn s63_what_is_shown_as_something_else_is_nothing(t) {
        use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())});
        let signs = json!({"kind": "machine", "redirect_uris": [], "scopes": ["users:read"], "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]}});
        let machine = register(&t.owner(), signs).await;
        let own = TokenRequest { grant_type: Some("client_credentials".into()), ..TokenRequest::default() };
        let access = token(&t, &machine, &own).await.unwrap().access_token;
        assert_eq!(claims(&access)["sub"], json!(machine.app.id), "it names the client as an assertion does");
        let app = register(&t.owner(), json!({"id_token_signed_response_alg": "EdDSA"})).await;
        let id_token = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap().id_token.unwrap();
        assert_eq!(decided(&t.core, &id_token), Code::NotFound, "an ID token that the ring of access tokens signed");
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned();
        for shown in [&access, &id_token] {
            let presented = Presented { id: Some(machine.app.id.to_string()), assertion: Some((kind.clone(), shown.clone())), ..Presented::default() };
            assert_ne!(word(oauth::authenticate(&anonymous(&t.core), &presented).await), "ok");
        }
        let id = machine.app.id;
        let assertion = json!({"iss": id, "sub": id, "aud": "http://localhost", "exp": t.core.now().0 / 1_000 + 60, "jti": "1"});
        let message = [&json!({"alg": "EdDSA"}), &assertion].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let assertion = format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()).as_ref()));
        let presented = Presented { assertion: Some((kind, assertion.clone())), ..Presented::default() };
        assert_eq!(word(oauth::authenticate(&anonymous(&t.core), &presented).await), "ok");
        assert_eq!(decided(&t.core, &assertion), Code::NotFound, "an assertion is no bearer token");
    }
}

on_both! {
    async fn of_what_one_session_is_asked_the_newest_stays(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let Next::Ask(first) = ask(&me, &app, &[]).await else { panic!("asked") };
        let mut last = first;
        for _ in 0..25 {
            let Next::Ask(id) = ask(&me, &app, &[]).await else { panic!("asked") };
            last = id;
        }
        assert!(t.count("SELECT COUNT(*) FROM authorization_requests").await <= 21);
        assert!(oauth::consent(&me, first).await.is_err());
        assert!(oauth::consent(&me, last).await.is_ok());
    }
}

on_both! {
    async fn s78_who_asks_as_an_app_in_vain_is_written_down_and_fills_no_log(t) {
        let app = register(&t.owner(), json!({})).await;
        let wrong = Presented { id: Some(app.app.id.to_string()), secret: Some(contract::Secret::new("kss_wrong".into())), ..Presented::default() };
        for _ in 0..20 {
            assert_eq!(word(oauth::authenticate(&anonymous(&t.core), &wrong).await), "invalid_client");
        }
        t.core.settle().await;
        let filter = AuditFilter { target_id: Some(app.app.id.to_string()) };
        let all = audit::list(&t.owner(), &filter, PageQuery::default()).await.unwrap().data;
        let times: Vec<Value> = all.into_iter().filter(|e| e.action == "oauth_app.refused").map(|e| e.after.unwrap()["times"].clone()).collect();
        assert_eq!(times.len(), 5, "the 1st, 2nd, 4th, 8th and 16th: {times:?}");
    }
}

on_both! {
    async fn s22_apps_of_a_disabled_account_are_refused_at_once_in_every_process_and_tenant(t) {
        // The catalogue then knows what they ask for: developers add nothing to it.
        let (other, elsewhere) = (machine(&t.owner(), "Other").await, machine(&globex(&t).await, "Elsewhere").await);
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let app = machine(&dev, "Theirs").await;
        t.tamper("UPDATE apps SET owner_id = (SELECT id FROM users WHERE email = 'dev@acme.test') WHERE name = 'Elsewhere'").await;
        let held = [own_tokens(&t, &app).await, own_tokens(&t, &elsewhere).await].concat();
        let others = own_tokens(&t, &other).await;
        let second = t.second_process().await;
        members::disable_account(&t.owner(), id(&dev)).await.unwrap();
        second.cache.sync(&second).await.unwrap();
        for core in [&t.core, &second] {
            for one in &held {
                assert_eq!(decided(core, one), Code::Disabled);
            }
            assert_eq!(word(oauth::authenticate(&anonymous(core), &proof(&app)).await), "invalid_client");
            assert!(others.iter().all(|one| decided(core, one) == Code::Valid));
        }
        members::enable_account(&t.owner(), id(&dev)).await.unwrap();
        second.cache.sync(&second).await.unwrap();
        for core in [&t.core, &second] {
            assert!(held.iter().all(|one| decided(core, one) == Code::Valid), "as their keys");
            assert_eq!(word(oauth::authenticate(&anonymous(core), &proof(&app)).await), "ok");
        }
        second.stop().await;
    }
}

on_both! {
    async fn s34_what_an_app_got_for_itself_does_not_come_back_when_it_is_resumed(t) {
        let app = register(&t.owner(), json!({"grant_types": ["authorization_code", "refresh_token", "client_credentials"], "allow_client_jwts": true})).await;
        let persons = token(&t, &app, &with_code(&allowed(&browser(&t), &app, &[]).await)).await.unwrap().access_token;
        let stolen = own_tokens(&t, &app).await;
        t.clock.advance(Duration::from_millis(1_500));
        oauth::suspend(&t.owner(), app.app.id, None).await.unwrap();
        assert!(stolen.iter().chain([&persons]).all(|one| decided(&t.core, one) == Code::Disabled));
        t.clock.advance(Duration::from_secs(1));
        oauth::resume(&t.owner(), app.app.id).await.unwrap();
        for one in &stolen {
            assert_eq!(decided(&t.core, one), Code::Revoked);
        }
        assert_eq!(decided(&t.core, &persons), Code::Valid, "what people allowed is kept");
        let away = t.second_process().await;
        assert!(stolen.iter().all(|one| decided(&away, one) == Code::Revoked), "nor in a process that starts later");
        assert!(own_tokens(&t, &app).await.iter().all(|one| decided(&t.core, one) == Code::Valid), "it gets new ones");
        away.stop().await;
    }
}

on_both! {
    async fn s34_a_secret_that_is_ended_at_once_takes_the_tokens_along_that_it_was_good_for(t) {
        let rotate = async |app: &CreatedApp, grace_seconds| oauth::rotate_secret(&t.owner(), app.app.id, &RotateBody { grace_seconds: Some(grace_seconds) }).await.unwrap();
        let apps = [machine(&t.owner(), "Rotated").await, machine(&t.owner(), "At the desk").await, machine(&t.owner(), "In the open").await];
        let mut stolen = Vec::new();
        for app in &apps {
            stolen.push(own_tokens(&t, app).await[0].clone());
            t.clock.advance(Duration::from_secs(2));
        }
        let mut next = Vec::new();
        for app in &apps {
            next.push(rotate(app, 3_600).await);
        }
        assert!(stolen.iter().all(|one| decided(&t.core, one) == Code::Valid), "with an overlap nothing ends");
        let mut secrets = apps.iter().map(|app| app.client_secret.clone().unwrap());
        secrets.next();
        let found = leaks::lookup(&t.owner(), &secrets.next().unwrap()).await.unwrap().apps.remove(0);
        leaks::end_app_secret(&t.owner(), found.secret.id).await.unwrap();
        leaks::report_publicly(&anonymous(&t.core), &secrets.next().unwrap()).await.unwrap();
        next[0] = rotate(&apps[0], 0).await;
        for one in &stolen {
            assert_eq!(decided(&t.core, one), Code::Revoked);
        }
        for app in &next {
            assert!(own_tokens(&t, app).await.iter().all(|one| decided(&t.core, one) == Code::Valid), "in the same second");
        }
        // Ending it once more ends nothing new.
        let held = own_tokens(&t, &next[1]).await;
        t.clock.advance(Duration::from_secs(2));
        leaks::end_app_secret(&t.owner(), found.secret.id).await.unwrap();
        assert!(held.iter().all(|one| decided(&t.core, one) == Code::Valid));
    }
}

on_both! {
    async fn s22_whoever_leaves_while_apps_are_let_in_leaves_no_grant_and_nothing_is_given_up(t) {
        let (app, other) = (register(&t.owner(), json!({})).await, register(&t.owner(), json!({"name": "Other"})).await);
        let owner = t.owner();
        for dev in developers(&t, 30).await {
            let code = with_code(&allowed(&dev, &app, &[]).await);
            let Next::Ask(asked) = ask(&dev, &other, &[]).await else { panic!("asked") };
            let (removed, redeemed, allowed) =
                tokio::join!(members::remove(&owner, id(&dev)), token(&t, &app, &code), oauth::decide(&dev, asked, dev.tenant_id()));
            removed.unwrap();
            assert!(matches!(word(redeemed), "ok" | "invalid_grant"));
            assert!(!matches!(allowed, Err(Error::Unavailable(_) | Error::Internal(_))), "{allowed:?}");
        }
        assert_eq!(t.count("SELECT COUNT(*) FROM grants g WHERE revoked_at IS NULL AND NOT EXISTS (SELECT 1 FROM members m WHERE m.user_id = g.user_id)").await, 0);
        assert_eq!(t.count("SELECT COUNT(*) FROM logins l WHERE ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM members m WHERE m.user_id = l.user_id)").await, 0);
    }
}

on_both! {
    async fn s22_a_code_that_is_redeemed_while_a_role_changes_gives_nothing_of_the_role_before(t) {
        let app = register(&t.owner(), json!({})).await;
        let owner = t.owner();
        let role = MemberBody { role: Some(Role::Support.to_string()) };
        for dev in developers(&t, 30).await {
            let code = with_code(&allowed(&dev, &app, &[]).await);
            let (changed, redeemed) = tokio::join!(members::change_role(&owner, id(&dev), &role), token(&t, &app, &code));
            changed.unwrap();
            let Ok(answer) = redeemed else { continue };
            assert!(decided(&t.core, &answer.access_token) == Code::Revoked || !answer.scope.contains("users:read"), "{}", answer.scope);
        }
    }
}
