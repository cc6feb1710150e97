use contract::{Code, CredentialKind, Environment, KeyFilter, KeyKind, KeyState, PageQuery, Requirement, RevokeForm, Role, Scope, UserId};
use domain::{Error, Who, keys, on_both, tenants, verify};
use std::time::Duration;

on_both! {
    async fn a_created_key_is_accepted_and_shown_once(t) {
        let made = keys::create_from_form(&t.owner(), &t.form("nightly-export", "users:read")).await.unwrap();
        let secret = made.key.unwrap();
        assert!(secret.starts_with("sk_live_"));
        let need = Requirement { scopes: vec![Scope::parse("read:users").unwrap()], ..Requirement::default() };
        let decision = verify::check(&t.core, &secret, None, &need, None, false).unwrap();
        assert_eq!(decision.code, Code::Valid);
        let listed = keys::list(&t.owner(), &KeyFilter::default(), PageQuery::default()).await.unwrap();
        let key = listed.data.iter().find(|k| k.id == made.api_key.id).unwrap();
        assert_eq!(key.display(), format!("{}…{}", &secret[..12], &secret[secret.len() - 4..]));
        assert!(!serde_json::to_string(&listed).unwrap().contains(&secret));
    }
}

on_both! {
    async fn posting_the_same_form_twice_makes_one_key(t) {
        let form = t.form("nightly-export", "read");
        let first = keys::create_from_form(&t.owner(), &form).await.unwrap();
        let again = keys::create_from_form(&t.owner(), &form).await.unwrap();
        assert_eq!((again.api_key.id, again.key), (first.api_key.id, None));
        let (a, b) = (t.form("twice", "read"), t.owner());
        let (one, two) = tokio::join!(keys::create_from_form(&b, &a), keys::create_from_form(&b, &a));
        let secrets = [one.unwrap().key, two.unwrap().key];
        assert_eq!(secrets.iter().flatten().count(), 1, "in parallel, too");
        let filter = KeyFilter { q: Some("twice".into()), ..KeyFilter::default() };
        assert_eq!(keys::list(&t.owner(), &filter, PageQuery::default()).await.unwrap().data.len(), 1);
    }
}

on_both! {
    async fn a_revoked_key_is_refused_by_the_very_next_decision(t) {
        let made = keys::create_from_form(&t.owner(), &t.form("old", "read")).await.unwrap();
        let secret = made.key.unwrap();
        let wrong = RevokeForm { confirm: "something else".into(), ..RevokeForm::default() };
        assert!(matches!(keys::revoke_confirmed(&t.owner(), made.api_key.id, &wrong).await, Err(Error::Invalid(f)) if f.get("confirm").is_some()));
        let form = RevokeForm { confirm: " old ".into(), reason: "leaked in a log".into() };
        let revoked = keys::revoke_confirmed(&t.owner(), made.api_key.id, &form).await.unwrap();
        assert_eq!(revoked.state, KeyState::Revoked);
        assert_eq!(verify::check(&t.core, &secret, None, &Requirement::default(), None, false).unwrap().code, Code::Revoked);
        assert!(matches!(keys::revoke(&t.owner(), made.api_key.id, None).await, Err(Error::Conflict(_))));
    }
}

on_both! {
    async fn s34_another_process_revokes_and_this_one_follows(t) {
        let made = keys::create_from_form(&t.owner(), &t.form("shared", "read")).await.unwrap();
        let secret = made.key.unwrap();
        let other = t.second_process().await;
        let code = |core: &domain::Core| verify::check(core, &secret, None, &Requirement::default(), None, false).unwrap().code;
        assert_eq!(code(&other), Code::Valid);
        let there = domain::Ctx::new(other.clone(), Who::CommandLine(t.first.tenant_id), domain::RequestInfo::default());
        keys::revoke(&there, made.api_key.id, Some("from the command line")).await.unwrap();
        assert_eq!((code(&other), code(&t.core)), (Code::Revoked, Code::Valid));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(code(&t.core), Code::Revoked);
        other.stop().await;
    }
}

on_both! {
    async fn s34_without_its_database_a_process_stops_deciding_after_the_staleness_bound(t) {
        let secret = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap().key.unwrap();
        let check = || verify::check(&t.core, &secret, None, &Requirement::default(), None, false);
        t.clock.advance(Duration::from_secs(30));
        assert_eq!(check().unwrap().code, Code::Valid);
        t.clock.advance(Duration::from_millis(1));
        assert!(matches!(check(), Err(Error::Unavailable(_))));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(check().unwrap().code, Code::Valid);
    }
}

on_both! {
    async fn s35_nobody_grants_more_than_they_hold(t) {
        let developer = t.member(t.first.user_id, t.first.tenant_id, Role::Developer);
        for (scopes, allowed) in [("users:read", false), ("read", true), ("admin", false), ("keystead.audit:read", false), ("keystead.keys:read", false)] {
            let made = keys::create_from_form(&developer, &t.form("dev", scopes)).await;
            assert_eq!(made.is_ok(), allowed, "{scopes}: {made:?}");
        }
        for role in [Role::Security, Role::Support] {
            let made = keys::create_from_form(&t.member(t.first.user_id, t.first.tenant_id, role), &t.form("x", "read")).await;
            assert!(matches!(made, Err(Error::Denied(_))), "{role}");
        }
        let mut gateway = t.form("gw", "");
        gateway.kind = KeyKind::Gateway.to_string();
        assert!(matches!(keys::create_from_form(&developer, &gateway).await, Err(Error::CannotGrant(_))));
        assert!(keys::create_from_form(&t.owner(), &gateway).await.unwrap().api_key.platform);
    }
}

on_both! {
    async fn an_unknown_scope_is_refused_by_name_and_a_new_resource_is_added_for_an_owner(t) {
        let refused = keys::create_from_form(&t.owner(), &t.form("x", "exports:run")).await;
        assert!(matches!(refused, Err(Error::Invalid(f)) if f.get("scopes").is_some_and(|m| m.contains("exports:run"))));
        let refused = keys::create_from_form(&t.owner(), &t.form("x", "keystead.nothing:read")).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
        keys::create_from_form(&t.owner(), &t.form("x", "read:users")).await.unwrap();
        let names: Vec<String> = keys::catalogue(&t.owner()).await.unwrap().into_iter().map(|d| d.name.to_string()).collect();
        assert!(names.contains(&"read:users".to_owned()), "{names:?}");
        assert_eq!(names.len(), 5);
        let other = keys::create_from_form(&t.owner(), &t.form("y", "users:read admin:all openid")).await.unwrap();
        assert_eq!(other.api_key.scopes.joined(), "read:users admin openid", "in the catalogue's spelling");
    }
}

on_both! {
    async fn s66_a_key_of_another_tenant_does_not_exist(t) {
        let made = keys::create_from_form(&t.owner(), &t.form("mine", "read")).await.unwrap();
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        let other = tenants::create(&line, &contract::TenantName::parse("Other").unwrap(), None).await.unwrap();
        let stranger = t.member(UserId::from_uuid(t.core.new_uuid()), other.id, Role::Owner);
        let id = made.api_key.id;
        assert!(matches!(keys::get(&stranger, id).await, Err(Error::NotFound)));
        assert!(matches!(keys::impact(&stranger, id).await, Err(Error::NotFound)));
        assert!(matches!(keys::revoke(&stranger, id, None).await, Err(Error::NotFound)));
        assert_eq!(keys::list(&stranger, &KeyFilter::default(), PageQuery::default()).await.unwrap().data, []);
        let foreign = verify::check(&t.core, &made.key.unwrap(), None, &Requirement::default(), Some(other.id), false).unwrap();
        assert_eq!((foreign.code, foreign.entry), (Code::NotFound, None));
    }
}

on_both! {
    async fn a_developer_sees_and_revokes_their_own_keys_only(t) {
        let owners = keys::create_from_form(&t.owner(), &t.form("owners", "read")).await.unwrap();
        let developer = t.member(UserId::from_uuid(t.core.new_uuid()), t.first.tenant_id, Role::Developer);
        assert!(matches!(keys::get(&developer, owners.api_key.id).await, Err(Error::NotFound)));
        assert!(matches!(keys::revoke(&developer, owners.api_key.id, None).await, Err(Error::NotFound)));
    }
}

on_both! {
    async fn the_list_searches_filters_and_pages_without_gaps(t) {
        for n in 0..7 {
            t.clock.advance(Duration::from_millis(5));
            keys::create_from_form(&t.owner(), &t.form(&format!("job_{n}"), "read")).await.unwrap();
        }
        let mut test_key = t.form("job_test", "read");
        test_key.environment = "test".into();
        keys::create_from_form(&t.owner(), &test_key).await.unwrap();
        let filter = KeyFilter { q: Some("JOB_".into()), environment: Some(Environment::Live), state: Some(KeyState::Active), kind: None };
        let mut names = Vec::new();
        let mut page = PageQuery { limit: 3, cursor: None };
        loop {
            let got = keys::list(&t.owner(), &filter, page).await.unwrap();
            names.extend(got.data.into_iter().map(|k| k.name));
            match got.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(names, ["job_6", "job_5", "job_4", "job_3", "job_2", "job_1", "job_0"]);
        let wildcard = KeyFilter { q: Some("%".into()), ..KeyFilter::default() };
        assert_eq!(keys::list(&t.owner(), &wildcard, page).await.unwrap().data, [], "% is a letter");
        let none = KeyFilter { state: Some(KeyState::Revoked), ..KeyFilter::default() };
        assert_eq!(keys::list(&t.owner(), &none, PageQuery::default()).await.unwrap().data, []);
    }
}

on_both! {
    async fn s33_the_database_holds_no_working_credential(t) {
        let made = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap();
        let secret = made.key.unwrap();
        let random = &secret[12..40];
        let dump = t.dump().await;
        assert!(dump.contains("owner@acme.test"), "the dump is real");
        assert!(!dump.contains(random) && !dump.contains(domain::testing::PASSWORD));
        assert_eq!(made.api_key.kind, KeyKind::Secret);
        assert_eq!(CredentialKind::ApiKey.as_str(), "api_key");
    }
}
