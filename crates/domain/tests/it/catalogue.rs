//! The catalogue of permissions, and a tenant's own verbs.

use contract::{Code, CreateKeyBody, DescribeScopeBody, ErrorCode, Perm, Requirement, Role, Scope, ScopeBody, UserId};
use domain::{Ctx, Error, Who, keys, on_both, scopes, tenants, testing::TestInstallation, verify};
use serde_json::json;

async fn add(ctx: &Ctx, name: &str) -> Result<contract::ScopeDef, Error> {
    scopes::create(ctx, &ScopeBody { name: Some(name.into()), description: Some(format!("May {name}")) }).await
}

async fn key(ctx: &Ctx, scopes: &[&str]) -> Result<contract::CreatedKey, Error> {
    let body: CreateKeyBody = serde_json::from_value(json!({"name": "k", "scopes": scopes})).unwrap();
    keys::create_from_body(ctx, &body).await
}

fn may(t: &TestInstallation, secret: &str, scope: &str) -> bool {
    let need = Requirement { scopes: vec![Scope::parse(scope).unwrap()], ..Requirement::default() };
    let decision = verify::check(&t.core, secret, None, &need, None, false).unwrap();
    assert!(matches!(decision.code, Code::Valid | Code::InsufficientScope));
    assert_eq!(decision.missing.is_some(), decision.code == Code::InsufficientScope);
    decision.code == Code::Valid
}

on_both! {
    async fn an_entry_is_added_described_and_removed_when_nothing_holds_it(t) {
        let owner = t.owner();
        assert_eq!(add(&owner, "exports:read").await.unwrap().description, "May exports:read");
        for taken in ["exports:read", "read:exports", "read", "read:all", "openid"] {
            assert!(matches!(add(&owner, taken).await, Err(Error::Conflict(_))), "{taken}");
        }
        for (name, code) in [("", "required"), ("A b", "invalid"), ("keystead.keys:read", "not_permitted")] {
            assert!(matches!(add(&owner, name).await, Err(Error::Invalid(f)) if f.0[0].field == "name" && f.0[0].code == code), "{name}");
        }
        let described = scopes::describe(&owner, "read:exports", &DescribeScopeBody { description: "Reads exports".into() }).await.unwrap();
        assert_eq!((described.name.as_str(), described.description.as_str()), ("exports:read", "Reads exports"));
        let made = key(&owner, &["read:exports"]).await.unwrap().api_key;
        assert_eq!(made.scopes.joined(), "exports:read", "in the catalogue's spelling");
        assert!(matches!(scopes::delete(&owner, "exports:read").await, Err(Error::Conflict(m)) if m.contains("1 key")));
        keys::revoke(&owner, made.id, None).await.unwrap();
        scopes::delete(&owner, "exports:read").await.unwrap();
        assert!(matches!(scopes::delete(&owner, "exports:read").await, Err(Error::NotFound)));
        let first = scopes::list(&owner, 3, None).await.unwrap();
        let rest = scopes::list(&owner, 3, first.next_cursor.as_ref()).await.unwrap();
        let names: Vec<String> = first.data.into_iter().chain(rest.data).map(|d| d.name.to_string()).collect();
        assert_eq!((names.as_slice(), rest.next_cursor), (["admin", "delete", "read", "write"].map(String::from).as_slice(), None));
    }
}

on_both! {
    async fn a_bare_entry_is_a_verb_of_the_tenants_own(t) {
        let owner = t.owner();
        assert!(matches!(key(&owner, &["exports:run"]).await, Err(Error::Invalid(_))), "not a verb yet");
        add(&owner, "run").await.unwrap();
        let one = key(&owner, &["exports:run"]).await.unwrap();
        let secret = one.key.unwrap();
        assert!(may(&t, &secret, "exports:run") && may(&t, &secret, "run:exports"));
        assert!(!may(&t, &secret, "run") && !may(&t, &secret, "imports:run"));
        let other = key(&owner, &["run:exports"]).await.unwrap();
        assert_eq!(other.api_key.scopes.joined(), "exports:run");
        let all = key(&owner, &["run"]).await.unwrap().key.unwrap();
        assert!(may(&t, &all, "run:imports") && may(&t, &all, "exports:run") && !may(&t, &all, "exports:read"));
        // Another process reads it, and another tenant has no such verb.
        let there = t.second_process().await;
        let need = Requirement { scopes: vec![Scope::parse("run:exports").unwrap()], ..Requirement::default() };
        assert_eq!(verify::check(&there, &secret, None, &need, None, false).unwrap().code, Code::Valid);
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        let tenant = tenants::create(&line, &contract::TenantName::parse("Other").unwrap(), None).await.unwrap();
        let stranger = t.member(UserId::from_uuid(t.core.new_uuid()), tenant.id, Role::Owner);
        assert!(!scopes::list(&stranger, 200, None).await.unwrap().data.iter().any(|d| d.name.as_str() == "run"));
        assert!(matches!(scopes::describe(&stranger, "run", &DescribeScopeBody { description: String::new() }).await, Err(Error::NotFound)), "s66");
        assert!(matches!(scopes::delete(&stranger, "run").await, Err(Error::NotFound)));
        assert!(matches!(scopes::delete(&owner, "run").await, Err(Error::Conflict(_))));
        there.stop().await;
    }
}

on_both! {
    async fn a_new_verb_reads_what_stands_in_the_catalogue_and_never_makes_two_entries_one(t) {
        let owner = t.owner();
        add(&owner, "run:exports").await.unwrap();
        let secret = key(&owner, &["run:exports"]).await.unwrap().key.unwrap();
        assert!(!may(&t, &secret, "exports:run"));
        add(&owner, "run").await.unwrap();
        assert!(may(&t, &secret, "exports:run"), "the running server reads the new verb");
        assert!(matches!(add(&owner, "exports:run").await, Err(Error::Conflict(_))));
        assert!(matches!(scopes::delete(&owner, "run").await, Err(Error::Conflict(m)) if m.contains("run:exports")));
        add(&owner, "call:jobs").await.unwrap();
        add(&owner, "jobs:call").await.unwrap();
        assert!(matches!(add(&owner, "call").await, Err(Error::Conflict(m)) if m.contains("same permission")));
    }
}

on_both! {
    async fn s36_the_catalogue_follows_role_and_environment(t) {
        for (role, reads, writes) in [
            (Role::Admin, true, true),
            (Role::Developer, true, false),
            (Role::Security, true, false),
            (Role::Support, false, false),
        ] {
            let ctx = t.member(t.first.user_id, t.first.tenant_id, role);
            assert_eq!(scopes::list(&ctx, 50, None).await.is_ok(), reads, "{role}");
            assert_eq!(add(&ctx, "role:read").await.is_ok(), writes, "{role}");
        }
        let body: CreateKeyBody = serde_json::from_value(json!({"name": "k", "scopes": ["admin"], "environment": "test"})).unwrap();
        let test = t.with_key(&keys::create_from_body(&t.owner(), &body).await.unwrap().key.unwrap());
        for refused in [add(&test, "x:read").await.err(), scopes::list(&test, 50, None).await.err(), scopes::get(&test, Perm::SettingsWrite, "read").await.err()] {
            assert!(matches!(refused, Some(Error::Refused(ErrorCode::EnvironmentMismatch, _))), "{refused:?}");
        }
    }
}
