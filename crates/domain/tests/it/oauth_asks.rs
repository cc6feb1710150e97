//! What an app may ask for, in whose words people read it, and who is meant.

use crate::oauth::{allowed, ask, browser, client, join, param, query, register, token, with_code, with_refresh, word};
use contract::{DescribeScopeBody, KeyId, Role, RotateForm, TenantName};
use domain::{
    Ctx, Error, InSession, Who, keys,
    oauth::{self, Next, Refused, TokenRequest},
    on_both, scopes, tenants,
    testing::TestInstallation,
};
use serde_json::json;

/// A tenant beside the first, as its command line.
async fn globex(t: &TestInstallation) -> Ctx {
    let line = t.as_who(Who::CommandLine(t.first.tenant_id));
    let made = tenants::create(&line, &TenantName::parse("Globex").unwrap(), None).await.unwrap();
    t.as_who(Who::CommandLine(made.id))
}

async fn words(ctx: &Ctx, name: &str, description: &str) {
    scopes::describe(ctx, name, &DescribeScopeBody { description: description.to_owned() }).await.unwrap();
}

/// What the page of consent says of each scope.
async fn read(me: &Ctx, app: &contract::CreatedApp) -> Vec<String> {
    let Next::Ask(id) = ask(me, app, &[("prompt", "consent")]).await else { panic!("asked") };
    oauth::consent(me, id).await.unwrap().scopes.into_iter().map(|s| s.words).collect()
}

fn refused(answer: &Next) -> String {
    let Next::Answer(url) = answer else { panic!("{answer:?}") };
    param(url, "error").unwrap_or_else(|| panic!("{url}"))
}

/// The refusal of a request, as the app reads it: the word, and the state that came along.
fn told(t: &TestInstallation, app: &contract::CreatedApp, extra: &[(&str, &str)]) -> (String, Option<String>) {
    match oauth::check(&t.core, &query(app, extra)) {
        Err(Refused::Redirect(url)) => (param(&url, "error").unwrap(), param(&url, "state")),
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn s54_nobody_words_what_a_person_allows_in_their_own_tenant(t) {
        let other = globex(&t).await;
        let app = register(&other, json!({"any_tenant": true, "scopes": ["openid", "admin", "read", "users:read", "keystead.keys:write"]})).await;
        for (name, description) in [("admin", "See the name that you go by"), ("read", "Nothing much"), ("users:read", "Know who you are")] {
            words(&other, name, description).await;
        }
        let shown = read(&browser(&t), &app).await;
        assert_eq!(shown[0], "Know who you are");
        assert!(shown[1].contains("Keystead itself"), "{shown:?}");
        assert_eq!(shown[2], "See everything");
        assert_ne!(shown[3], "Know who you are", "the tenant of the app is not the one in which it acts");
        assert!(shown[4].contains("Keystead"), "{shown:?}");
        let own = register(&t.owner(), json!({"scopes": ["users:read"]})).await;
        words(&t.owner(), "users:read", "See who works at Acme").await;
        assert_eq!(read(&browser(&t), &app).await[3], "See who works at Acme", "the one in which it acts words it");
        assert_eq!(read(&browser(&t), &own).await, ["See who works at Acme"]);
    }
}

on_both! {
    async fn who_chooses_among_tenants_reads_words_of_none_of_them(t) {
        let other = globex(&t).await;
        register(&other, json!({"scopes": ["users:read"]})).await;
        let app = register(&t.owner(), json!({"any_tenant": true, "scopes": ["users:read"]})).await;
        words(&other, "users:read", "Know who you are").await;
        words(&t.owner(), "users:read", "See who works at Acme").await;
        let me = browser(&t);
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'owner', 0 FROM tenants t, users u WHERE t.slug = 'globex' AND u.email = 'owner@acme.test'").await;
        let shown = read(&me, &app).await;
        assert!(!["Know who you are", "See who works at Acme"].contains(&shown[0].as_str()), "{shown:?}");
    }
}

on_both! {
    async fn s74_an_app_asks_for_a_hundred_scopes_at_most_and_remembers_no_more(t) {
        let app = register(&t.owner(), json!({"scopes": ["admin", "offline_access"]})).await;
        let many = |from: usize, n: usize| (from..from + n).map(|n| format!("r{n}:read")).collect::<Vec<_>>().join(" ");
        assert_eq!(told(&t, &app, &[("scope", &many(0, 101))]).0, "invalid_scope");
        let machine = register(&t.owner(), json!({"kind": "machine", "redirect_uris": [], "scopes": ["admin"]})).await;
        let own = |scope: String| TokenRequest { grant_type: Some("client_credentials".into()), scope: Some(scope), ..TokenRequest::default() };
        assert_eq!(word(token(&t, &machine, &own(many(0, 101))).await), "invalid_scope");
        let me = browser(&t);
        for round in 0..3 {
            allowed(&me, &app, &[("scope", &many(round * 50, 50))]).await;
        }
        let held = oauth::mine(&me).await.unwrap().remove(0).scopes;
        assert_eq!((held.len(), held[99].as_str()), (100, "r149:read"));
        let kept = token(&t, &app, &with_code(&allowed(&me, &app, &[("scope", "r149:read offline_access")]).await)).await.unwrap();
        let wide = TokenRequest { scope: Some(many(0, 101)), ..with_refresh(kept.refresh_token.as_deref().unwrap()) };
        assert_eq!(word(token(&t, &app, &wide).await), "invalid_scope");
        // One that would be too long to be read is not issued.
        let long = (0..90).map(|n| format!("{}{n}:read", "r".repeat(55))).collect::<Vec<_>>().join(" ");
        assert_eq!(word(token(&t, &machine, &own(long)).await), "invalid_scope");
    }
}

on_both! {
    async fn s53_what_holds_control_characters_is_refused_and_not_sent_back(t) {
        let app = register(&t.owner(), json!({})).await;
        assert_eq!(told(&t, &app, &[("state", "a\0b")]), ("invalid_request".to_owned(), None));
        assert_eq!(told(&t, &app, &[("nonce", "a\u{7f}")]), ("invalid_request".to_owned(), Some("xyz".to_owned())));
        let me = browser(&t);
        assert!(matches!(ask(&me, &app, &[("state", "Zürich ✓")]).await, Next::Ask(_)));
    }
}

on_both! {
    async fn who_is_meant_by_a_hint_and_is_not_there_is_said_to_be_away(t) {
        let app = register(&t.owner(), json!({})).await;
        let other = register(&t.owner(), json!({"name": "Other", "id_token_signed_response_alg": "EdDSA"})).await;
        let me = browser(&t);
        let id_token = async |app: &contract::CreatedApp, who: &Ctx| {
            token(&t, app, &with_code(&allowed(who, app, &[("scope", "openid")]).await)).await.unwrap().id_token.unwrap()
        };
        let mine = id_token(&app, &me).await;
        let dev = join(&t, "dev@acme.test", Role::Developer).await;
        let theirs = id_token(&app, &dev).await;
        for prompt in ["none", "consent", ""] {
            assert_eq!(refused(&ask(&me, &app, &[("id_token_hint", &theirs), ("prompt", prompt)]).await), "login_required", "{prompt}");
        }
        for wrong in [id_token(&other, &me).await.as_str(), "nonsense", &mine.replace('x', "y")] {
            assert_eq!(refused(&ask(&me, &app, &[("id_token_hint", wrong), ("prompt", "none")]).await), "login_required", "{wrong}");
        }
        // One's own counts, however old it is.
        t.clock.advance(std::time::Duration::from_hours(2));
        assert!(matches!(ask(&me, &app, &[("id_token_hint", &mine), ("scope", "openid"), ("prompt", "none")]).await, Next::Answer(url) if param(&url, "code").is_some()));
        let (_, asked) = oauth::check(&t.core, &query(&app, &[("id_token_hint", &mine)])).unwrap();
        assert!(asked.again(&t.core).contains("id_token_hint="), "somebody else who signs in is not who was meant");
    }
}

on_both! {
    async fn prompt_select_account_asks_although_it_was_allowed_before(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        allowed(&me, &app, &[]).await;
        assert!(matches!(ask(&me, &app, &[]).await, Next::Answer(_)));
        assert!(matches!(ask(&me, &app, &[("prompt", "select_account")]).await, Next::Ask(_)));
        assert_eq!(told(&t, &app, &[("prompt", "none select_account")]).0, "invalid_request");
    }
}

on_both! {
    async fn a_form_of_a_rotation_replaces_the_secret_that_it_names_and_no_other(t) {
        let app = register(&t.owner(), json!({})).await.app;
        let form = |secret: String| RotateForm { grace: "0".into(), secret };
        let (owner, first) = (t.owner(), form(app.secrets[0].id.to_string()));
        let (a, b) = tokio::join!(oauth::rotate_secret_from_form(&owner, app.id, &first), oauth::rotate_secret_from_form(&owner, app.id, &first));
        assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1, "of two at once");
        assert!(matches!(oauth::rotate_secret_from_form(&owner, app.id, &first).await, Err(Error::Conflict(_))));
        assert!(oauth::rotate_secret_from_form(&owner, app.id, &form(String::new())).await.is_err(), "one is current");
        let made = keys::create_from_form(&owner, &t.form("orders", "users:read")).await.unwrap();
        let id: KeyId = made.api_key.id;
        let first = form(keys::secrets(&owner, id).await.unwrap()[0].id.to_string());
        let (a, b) = tokio::join!(keys::rotate_from_form(&owner, id, &first), keys::rotate_from_form(&owner, id, &first));
        assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1, "of two at once");
    }
}

on_both! {
    async fn s77_the_reason_of_a_suspension_holds_no_secret(t) {
        let made = register(&t.owner(), json!({})).await;
        let reason = format!("leaked: {}", made.client_secret.clone().unwrap());
        let Err(Error::Invalid(errors)) = oauth::suspend(&t.owner(), made.app.id, Some(reason)).await else { panic!("refused") };
        assert_eq!(errors.0[0].field, "reason");
        assert!(client(&t, &made).in_use);
        assert!(!t.dump().await.contains(made.client_secret.as_deref().unwrap()));
    }
}

on_both! {
    async fn a_trial_that_was_stopped_is_allowed_in_no_other_window(t) {
        let app = register(&t.owner(), json!({})).await;
        let me = browser(&t);
        let begun = oauth::begin_trial(&me, app.app.id, &["users:read".to_owned()]).await.unwrap();
        let oauth::Begun::Asks(trial) = begun else { panic!("asks") };
        let path = trial.path(&t.core);
        let params: Vec<_> = form_urlencoded::parse(path.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
        let (client, asked) = oauth::check_in(&t.core, &params, Some(&trial)).unwrap();
        let Next::Ask(id) = oauth::begin(&me, &client, &asked).await.unwrap() else { panic!("asked") };
        let elsewhere = t.owner().in_session(InSession { digest: vec![8; 32], proven_at: t.core.now() });
        oauth::stop_trial(&elsewhere, app.app.id).await.unwrap();
        assert!(oauth::consent(&me, id).await.is_ok(), "another browser's is left alone");
        oauth::stop_trial(&me, app.app.id).await.unwrap();
        assert!(matches!(oauth::decide(&me, id, me.tenant_id()).await, Err(Error::Conflict(_))));
        assert_eq!(t.count("SELECT COUNT(*) FROM grants").await, 0);
    }
}
