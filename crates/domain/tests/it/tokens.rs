//! Tokens: what verifies and what does not, how logins go on and end.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{
    Code, CredentialKind, ErrorCode, LoginBody, LogoutBody, RefreshBody, Requirement, Role, Scope, TenantName, TokenAnswer, VerifyRequest,
};
use domain::{
    Core, Ctx, Error, RequestInfo, Result, Who, on_both, tenants,
    testing::{PASSWORD, TestInstallation},
    tokens,
    verify::{self, Decision},
};
use serde_json::{Value, json};
use std::{collections::HashSet, sync::Arc, time::Duration};

fn credentials(value: Value) -> LoginBody {
    serde_json::from_value(value).unwrap()
}

async fn login(t: &TestInstallation) -> TokenAnswer {
    tokens::login(&t.as_who(Who::Anonymous), &credentials(json!({"email": "owner@acme.test", "password": PASSWORD}))).await.unwrap()
}

async fn refresh(core: &Arc<Core>, token: &str) -> Result<TokenAnswer> {
    let ctx = Ctx::new(core.clone(), Who::Anonymous, RequestInfo::default());
    tokens::refresh(&ctx, &RefreshBody { refresh_token: token.to_owned() }).await
}

fn decided(core: &Core, credential: &str, need: &Requirement) -> Decision {
    verify::check(core, credential, None, need, None, false).unwrap()
}

fn code(core: &Core, credential: &str) -> Code {
    decided(core, credential, &Requirement::default()).code
}

fn is_refused<T>(answer: Result<T>) -> bool {
    matches!(answer, Err(Error::Refused(ErrorCode::InvalidToken, _)))
}

/// Header and claims of a token.
fn opened(jwt: &str) -> (Value, Value) {
    let part = |n: usize| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(n).unwrap()).unwrap()).unwrap();
    (part(0), part(1))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

on_both! {
    async fn a_login_issues_what_the_contract_says_and_a_token_is_decided_about_like_a_key(t) {
        let answer = login(&t).await;
        let (header, claims) = opened(&answer.access_token);
        let kid = &serde_json::to_value(tokens::jwks(&t.core)).unwrap()["keys"][0]["kid"];
        assert_eq!((&header["alg"], &header["typ"], &header["kid"]), (&json!("EdDSA"), &json!("at+jwt"), kid));
        let now = t.core.now().0 / 1_000;
        for (name, value) in [
            ("iss", json!("http://localhost")),
            ("aud", json!("http://localhost")),
            ("sub", json!(t.first.user_id)),
            ("client_id", json!("keystead-console")),
            ("scope", json!("admin")),
            ("scopes", json!(["admin"])),
            ("tenant_id", json!(t.first.tenant_id)),
            ("org_id", json!(t.first.tenant_id)),
            ("iat", json!(now)),
            ("exp", json!(now + 3_600)),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        assert_eq!((answer.token_type.as_str(), answer.expires_in, answer.user.role), ("Bearer", 3_600, Role::Owner));
        let asked: VerifyRequest = serde_json::from_value(json!({"credential": answer.access_token, "scopes": ["users:read"]})).unwrap();
        let told = verify::verify(&t.gateway(), &asked).await.unwrap();
        assert_eq!((told.valid, told.kind, told.code), (true, Some(CredentialKind::AccessToken), Code::Valid));
        assert_eq!(json!(told.credential_id), claims["jti"]);
        assert_eq!((told.subject, told.client_id), (Some(t.first.user_id.to_string()), Some("keystead-console".to_owned())));
        assert_eq!(told.rate_limit.map(|r| (r.limit, r.remaining)), Some((10_000, 9_999)));
        assert!(!t.dump().await.contains(&answer.refresh_token), "stored hashed");
    }
}

on_both! {
    async fn s61_only_the_keys_own_algorithm_verifies_and_nothing_in_a_header_becomes_a_key(t) {
        let good = login(&t).await.access_token;
        let (header, claims) = opened(&good);
        let signature = good.rsplit('.').next().unwrap();
        let set = serde_json::to_value(tokens::jwks(&t.core)).unwrap();
        let public = URL_SAFE_NO_PAD.decode(set["keys"][0]["x"].as_str().unwrap()).unwrap();
        let with = |changes: Value| {
            let mut header = header.clone();
            header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            header
        };
        let signed = |header: Value, secret: &[u8]| {
            let message = format!("{}.{}", encoded(&header), encoded(&claims));
            let key = jsonwebtoken::EncodingKey::from_secret(secret);
            format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap())
        };
        let mut bad = vec![
            format!("{}.{}.", good.split('.').next().unwrap(), encoded(&claims)),
            format!("{}.{}.{signature}", encoded(&header), encoded(&json!({"sub": "usr_1"}))),
            format!("{}x", &good[..good.len() - 1]),
            good[..good.len() - 4].to_owned(),
        ];
        for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "PS256", "ed25519", "EdDSA "] {
            let header = with(json!({"alg": alg}));
            bad.push(format!("{}.{}.", encoded(&header), encoded(&claims)));
            bad.push(format!("{}.{}.{signature}", encoded(&header), encoded(&claims)));
        }
        for secret in [public.as_slice(), set["keys"][0]["x"].as_str().unwrap().as_bytes(), set.to_string().as_bytes(), b""] {
            bad.push(signed(with(json!({"alg": "HS256"})), secret));
        }
        // Good signatures, and headers that bring a key or ask for one that is not ours.
        let own = &set["keys"][0];
        for changes in [
            json!({"jwk": own}),
            json!({"jku": "http://localhost/.well-known/jwks.json"}),
            json!({"x5u": "https://evil.test"}),
            json!({"x5c": ["AAAA"]}),
            json!({"crit": ["exp"]}),
            json!({"kid": null}),
            json!({"kid": ""}),
            json!({"kid": "../../dev/null"}),
            json!({"kid": "' OR 1=1 --"}),
            json!({"kid": [own["kid"]]}),
        ] {
            bad.push(tokens::sign_anything(&t.core, &with(changes), &claims));
        }
        for jwt in &bad {
            assert!(matches!(code(&t.core, jwt), Code::NotFound | Code::Malformed), "{jwt}: {:?}", code(&t.core, jwt));
        }
        assert_eq!(code(&t.core, &good), Code::Valid);
        assert_eq!(code(&t.core, &tokens::sign_anything(&t.core, &header, &claims)), Code::Valid, "what was forged, was forged well");
    }
}

on_both! {
    async fn s62_every_claim_is_there_with_its_type_and_times_hold_to_half_a_minute(t) {
        let (header, claims) = opened(&login(&t).await.access_token);
        let now = t.core.now().0 / 1_000;
        let of = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            code(&t.core, &tokens::sign_anything(&t.core, &header, &claims))
        };
        for name in ["iss", "sub", "aud", "client_id", "scope", "scopes", "tenant_id", "org_id", "sid", "jti", "iat", "exp"] {
            let mut without = claims.clone();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(code(&t.core, &tokens::sign_anything(&t.core, &header, &without)), Code::NotFound, "without {name}");
            for wrong in [json!(null), json!(true), json!({}), json!([])] {
                if name != "scopes" || wrong != json!([]) {
                    assert_eq!(of(name, wrong.clone()), Code::NotFound, "{name}: {wrong}");
                }
            }
        }
        for (name, value) in [
            ("exp", json!((now + 3_600).to_string())),
            ("exp", json!(1e300)),
            ("exp", json!(i64::MAX)),
            ("exp", json!(now + 3_601)),
            ("iat", json!(now.to_string())),
            ("iat", json!(i64::MIN)),
            ("nbf", json!("0")),
            ("iss", json!("http://localhost/")),
            ("iss", json!("https://evil.test")),
            ("sub", json!("ten_00000000000000000000000000000007")),
            ("jti", json!("7")),
            ("scope", json!("admin read")),
            ("org_id", json!("ten_00000000000000000000000000000007")),
        ] {
            assert_eq!(of(name, value.clone()), Code::NotFound, "{name}: {value}");
        }
        for (name, value, told) in [
            ("aud", json!("https://elsewhere.test"), Code::AudienceMismatch),
            ("nbf", json!(now + 30), Code::Valid),
            ("nbf", json!(now + 31), Code::NotYetValid),
            ("iat", json!(now + 31), Code::NotYetValid),
            ("exp", json!(now - 29), Code::Valid),
            ("exp", json!(now - 30), Code::Expired),
        ] {
            assert_eq!(of(name, value.clone()), told, "{name}: {value}");
        }
        let elsewhere = Requirement { audience: Some("https://elsewhere.test".into()), ..Requirement::default() };
        let good = tokens::sign_anything(&t.core, &header, &claims);
        assert_eq!(decided(&t.core, &good, &elsewhere).code, Code::AudienceMismatch);
        let test = Requirement { environment: Some(contract::Environment::Test), ..Requirement::default() };
        assert_eq!(decided(&t.core, &good, &test).code, Code::EnvironmentMismatch);
    }
}

on_both! {
    async fn s63_one_kind_of_token_is_not_taken_for_another(t) {
        let answer = login(&t).await;
        let (mut header, claims) = opened(&answer.access_token);
        for typ in [json!("JWT"), json!("at+JWT "), json!("mfa+jwt"), json!("rt+jwt"), json!("logout+jwt"), json!(null)] {
            header["typ"] = typ.clone();
            assert_eq!(code(&t.core, &tokens::sign_anything(&t.core, &header, &claims)), Code::NotFound, "{typ}");
        }
        header.as_object_mut().unwrap().remove("typ");
        assert_eq!(code(&t.core, &tokens::sign_anything(&t.core, &header, &claims)), Code::NotFound, "without typ");
        assert_eq!(code(&t.core, &answer.refresh_token), Code::Malformed, "a refresh token calls nothing");
        assert!(is_refused(refresh(&t.core, &answer.access_token).await), "an access token refreshes nothing");
        assert!(is_refused(refresh(&t.core, &t.first.api_key).await));
    }
}

on_both! {
    async fn s65_a_new_key_is_published_before_it_signs_and_an_old_one_verifies_until_its_last_token_is_over(t) {
        let kids = || -> Vec<String> {
            let set = serde_json::to_value(tokens::jwks(&t.core)).unwrap();
            set["keys"].as_array().unwrap().iter().map(|k| k["kid"].as_str().unwrap().to_owned()).collect()
        };
        let kid_of = |jwt: &str| opened(jwt).0["kid"].as_str().unwrap().to_owned();
        let first = kids();
        tokens::rotate(&t.core, contract::IdTokenAlg::EdDsa).await.unwrap();
        let both = kids();
        assert_eq!((first.len(), both.len()), (1, 2), "published at once");
        let before = login(&t).await;
        assert_eq!(kid_of(&before.access_token), first[0], "and does not sign yet");
        t.clock.advance(Duration::from_secs(900));
        t.core.cache.sync(&t.core).await.unwrap();
        let after = login(&t).await;
        assert_eq!(kid_of(&after.access_token), both[1]);
        let (_, claims) = opened(&after.access_token);
        t.clock.advance(Duration::from_secs(2_730));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(code(&t.core, &before.access_token), Code::Expired, "known until it is over, and longer");
        assert_eq!(code(&t.core, &after.access_token), Code::Valid);
        t.clock.advance(Duration::from_secs(900));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!((kids(), code(&t.core, &before.access_token)), (vec![both[1].clone()], Code::NotFound), "then its key is gone");
        let other = t.second_process().await;
        let fresh = tokens::sign_anything(&other, &json!({"alg": "EdDSA", "typ": "at+jwt", "kid": both[1]}), &{
            let (mut claims, now) = (claims, t.core.now().0 / 1_000);
            (claims["iat"], claims["exp"]) = (json!(now), json!(now + 60));
            claims
        });
        assert_eq!(code(&t.core, &fresh), Code::Valid, "another process signs with the same key");
        other.stop().await;
        t.clock.advance(Duration::from_secs(90 * 86_400));
        tokens::tend(&t.core).await.unwrap();
        assert_eq!(kids().len(), 2, "after a quarter of a year the next one comes by itself");
    }
}

on_both! {
    async fn s76_of_a_signing_key_only_the_sealed_seed_is_stored(t) {
        let dump = t.dump().await;
        let set = serde_json::to_value(tokens::jwks(&t.core)).unwrap();
        assert!(set["keys"][0].get("d").is_none(), "{set}");
        assert_eq!(set["keys"][0]["kty"], "OKP");
        assert!(dump.contains("EdDSA") && t.count("SELECT COUNT(*) FROM signing_keys").await == 1);
        // 12 bytes of nonce, 44 of base64, 16 of tag.
        assert_eq!(t.count("SELECT CAST(length(sealed) AS BIGINT) FROM signing_keys").await, 72);
    }
}

on_both! {
    async fn s49_fifty_refreshes_at_once_make_one_successor_and_a_reused_token_ends_the_login(t) {
        let first = login(&t).await;
        let all = (0..50).map(|_| {
            let (core, token) = (t.core.clone(), first.refresh_token.clone());
            tokio::spawn(async move { refresh(&core, &token).await.map(|a| a.refresh_token) })
        });
        let mut successors = HashSet::new();
        for one in all.collect::<Vec<_>>() {
            successors.insert(one.await.unwrap().unwrap());
        }
        assert_eq!(successors.len(), 1, "each was given the same answer");
        assert_eq!(t.count("SELECT COUNT(*) FROM refresh_tokens").await, 2);
        let second = refresh(&t.core, &first.refresh_token).await.unwrap();
        assert!(successors.contains(&second.refresh_token), "an answer that was lost is given again");
        assert!(!t.dump().await.contains(&second.refresh_token), "and kept sealed");
        let third = refresh(&t.core, &second.refresh_token).await.unwrap();
        assert_eq!(code(&t.core, &third.access_token), Code::Valid);
        assert!(is_refused(refresh(&t.core, &first.refresh_token).await), "the successor was used: the grace is over");
        for token in [&first, &second, &third] {
            assert!(is_refused(refresh(&t.core, &token.refresh_token).await), "nothing of the login is left");
            assert_eq!(code(&t.core, &token.access_token), Code::Revoked);
        }
        assert_eq!(t.count("SELECT COUNT(*) FROM audit_events WHERE action = 'session.token_reused'").await, 1);
    }
}

on_both! {
    async fn s49_s50_a_used_token_is_refused_after_ten_seconds_and_after_a_restart(t) {
        let first = login(&t).await;
        let second = refresh(&t.core, &first.refresh_token).await.unwrap();
        t.clock.advance(Duration::from_millis(10_000));
        assert_eq!(refresh(&t.core, &first.refresh_token).await.unwrap(), second, "ten seconds of grace");
        t.clock.advance(Duration::from_millis(1));
        tokens::tend(&t.core).await.unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM refresh_tokens WHERE answer IS NOT NULL").await, 0, "and no lasting copy");
        let restarted = t.second_process().await;
        assert!(is_refused(refresh(&restarted, &first.refresh_token).await));
        assert!(is_refused(refresh(&restarted, &second.refresh_token).await), "its login ended with it");
        restarted.stop().await;
    }
}

on_both! {
    async fn s51_a_login_ends_when_idle_and_absolutely(t) {
        let mut held = login(&t).await;
        t.clock.advance(Duration::from_secs(12 * 3_600));
        assert!(is_refused(refresh(&t.core, &held.refresh_token).await), "idle for twelve hours");
        held = login(&t).await;
        for _ in 0..15 {
            t.clock.advance(Duration::from_secs(11 * 3_600));
            t.core.cache.sync(&t.core).await.unwrap();
            held = refresh(&t.core, &held.refresh_token).await.unwrap();
        }
        t.clock.advance(Duration::from_secs(3 * 3_600));
        assert!(is_refused(refresh(&t.core, &held.refresh_token).await), "seven days old");
        tokens::tend(&t.core).await.unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM logins").await, 0);
        assert_eq!(t.count("SELECT COUNT(*) FROM refresh_tokens").await, 0);
    }
}

on_both! {
    async fn s22_a_token_holds_nothing_of_a_role_that_its_person_has_no_more(t) {
        let dev = t.join("dev@acme.test", Role::Admin).await;
        let body = credentials(json!({"email": "dev@acme.test", "password": PASSWORD}));
        let before = tokens::login(&t.as_who(Who::Anonymous), &body).await.unwrap();
        assert_eq!(code(&t.core, &before.access_token), Code::Valid);
        let body_of = |role: &str| contract::MemberBody { role: Some(role.into()) };
        domain::members::change_role(&t.owner(), dev.person().unwrap().user_id, &body_of("support")).await.unwrap();
        assert_eq!(code(&t.core, &before.access_token), Code::Revoked, "the very next decision");
        assert!(is_refused(refresh(&t.core, &before.refresh_token).await));
        let after = tokens::login(&t.as_who(Who::Anonymous), &body).await.unwrap();
        assert_eq!(opened(&after.access_token).1["scope"], json!(Role::Support.scopes().joined()));
    }
}

on_both! {
    async fn s22_who_was_disabled_neither_logs_in_nor_refreshes_nor_calls(t) {
        let held = login(&t).await;
        assert!(t.by_token(&held.access_token).await.is_some());
        t.tamper("UPDATE users SET disabled_at = 1").await;
        assert!(t.by_token(&held.access_token).await.is_none());
        assert!(is_refused(refresh(&t.core, &held.refresh_token).await));
        let again = credentials(json!({"email": "owner@acme.test", "password": PASSWORD}));
        assert!(tokens::login(&t.as_who(Who::Anonymous), &again).await.is_err());
    }
}

on_both! {
    async fn s34_signing_out_holds_in_every_process(t) {
        let (here, stays) = (login(&t).await, login(&t).await);
        let other = t.second_process().await;
        assert_eq!((code(&t.core, &here.access_token), code(&other, &here.access_token)), (Code::Valid, Code::Valid));
        let ctx = t.by_token(&here.access_token).await.unwrap();
        assert_eq!(tokens::logout(&ctx, &LogoutBody::default()).await.unwrap(), 1);
        assert_eq!(code(&t.core, &here.access_token), Code::Revoked, "here at once");
        other.cache.sync(&other).await.unwrap();
        assert_eq!(code(&other, &here.access_token), Code::Revoked, "there when the log is read");
        assert!(is_refused(refresh(&t.core, &here.refresh_token).await));
        assert_eq!(tokens::logout(&ctx, &LogoutBody::default()).await.unwrap(), 0, "it ended before");
        assert_eq!(code(&t.core, &stays.access_token), Code::Valid);
        let everywhere = LogoutBody { refresh_token: Some(stays.refresh_token), everywhere: true };
        let more = login(&t).await;
        assert_eq!(tokens::logout(&t.as_who(Who::Anonymous), &everywhere).await.unwrap(), 2);
        assert_eq!((code(&t.core, &stays.access_token), code(&t.core, &more.access_token)), (Code::Revoked, Code::Revoked));
        let late = t.second_process().await;
        assert_eq!(code(&late, &more.access_token), Code::Revoked, "a process that starts later knows it, too");
        other.stop().await;
        late.stop().await;
    }
}

on_both! {
    async fn a_token_may_what_role_and_scopes_both_hold(t) {
        let owner = login(&t).await;
        t.set_role(Role::Developer).await;
        let ctx = t.by_token(&owner.access_token).await.unwrap();
        assert!(ctx.require(contract::Perm::KeysRead).is_ok());
        assert!(matches!(ctx.require(contract::Perm::AuditRead), Err(Error::Denied(_))), "the role of this moment counts");
        let developer = login(&t).await;
        assert_eq!(developer.user.role, Role::Developer);
        t.set_role(Role::Owner).await;
        let ctx = t.by_token(&developer.access_token).await.unwrap();
        assert!(matches!(ctx.require(contract::Perm::AuditRead), Err(Error::Denied(_))), "and so do the scopes of the token");
        assert!(ctx.may_grant(&Scope::parse("admin").unwrap()).is_err() && ctx.may_grant(&Scope::parse("read").unwrap()).is_ok());
        let refreshed = refresh(&t.core, &developer.refresh_token).await.unwrap();
        assert!(t.by_token(&refreshed.access_token).await.unwrap().require(contract::Perm::AuditRead).is_ok());
    }
}

on_both! {
    async fn the_tokens_of_a_person_share_one_limit_of_a_hundred_a_second(t) {
        let tokens = [login(&t).await.access_token, login(&t).await.access_token];
        let mut passed = 0;
        for n in 0..150 {
            let mut decision = decided(&t.core, &tokens[n % 2], &Requirement::default());
            verify::charge(&t.core, &mut decision, 1);
            passed += i32::from(decision.code == Code::Valid);
        }
        assert_eq!(passed, 100);
    }
}

on_both! {
    async fn who_belongs_to_several_tenants_names_one_and_a_foreign_one_is_refused(t) {
        let form = |tenant: Value| credentials(json!({"email": "Owner@acme.test", "password": PASSWORD, "tenant_id": tenant}));
        let anonymous = t.as_who(Who::Anonymous);
        let other = tenants::create(&t.owner(), &TenantName::parse("Globex").unwrap(), None).await.unwrap();
        let refused = tokens::login(&anonymous, &form(json!(other.id))).await;
        assert!(matches!(refused, Err(Error::Refused(ErrorCode::Forbidden, _))), "{refused:?}");
        t.tamper("INSERT INTO members (tenant_id, user_id, role, created_at) SELECT t.id, u.id, 'support', 1 FROM tenants t, users u WHERE t.name = 'Globex'").await;
        assert!(matches!(tokens::login(&anonymous, &form(json!(null))).await, Err(Error::WhichTenant(_))));
        let there = tokens::login(&anonymous, &form(json!(other.id))).await.unwrap();
        assert_eq!((there.user.tenant_id, there.user.role), (other.id, Role::Support));
        let ctx = t.by_token(&there.access_token).await.unwrap();
        assert_eq!(ctx.tenant_id(), Some(other.id));
        let wrong = credentials(json!({"email": "owner@acme.test", "password": "wrong", "tenant_id": other.id}));
        assert!(matches!(tokens::login(&anonymous, &wrong).await, Err(Error::Refused(ErrorCode::Unauthorized, _))), "s8: the password comes first");
        assert_eq!(decided(&t.core, &there.access_token, &Requirement::default()).tenant_id(), Some(other.id));
        let only_here = verify::check(&t.core, &there.access_token, None, &Requirement::default(), Some(t.first.tenant_id), false).unwrap();
        assert_eq!((only_here.code, only_here.token), (Code::NotFound, None), "s66: of another tenant");
    }
}

/// Refused, with the permission to change settings named.
fn denied<T: std::fmt::Debug>(answer: Result<T>) {
    let why = answer.unwrap_err().problem();
    assert_eq!((why.code.status(), why.extra.get("required_scope")), (403, Some(&json!("keystead.settings:write"))), "{why:?}");
}

on_both! {
    async fn s35_a_token_that_does_not_name_settings_operates_no_installation_though_its_person_does(t) {
        let whole = t.by_token(&login(&t).await.access_token).await.unwrap();
        assert!(tenants::plans(&whole).await.is_ok(), "every scope of a platform admin's role");
        let narrowed = |scopes: &[&str]| {
            let scopes = contract::ScopeSet(scopes.iter().map(|s| Scope::parse(s).unwrap()).collect());
            t.owner().with_token(Arc::new(tokens::Token { scopes, ..whole.token().unwrap().clone() }))
        };
        let name = TenantName::parse("Globex").unwrap();
        let globex = tenants::create(&narrowed(&["keystead.settings:write"]), &name, None).await.unwrap().id;
        let members = narrowed(&["keystead.members:read", "keystead.members:write", "keystead.keys:write", "read"]);
        denied(tenants::create(&members, &name, None).await);
        denied(tenants::suspend(&members, globex, None).await);
        denied(tenants::delete(&members, globex, None).await);
        denied(tenants::plans(&members).await);
        denied(tenants::delete_plan(&members, "default").await);
        denied(tenants::support_of(&members, globex).await);
        denied(domain::mail::outbox(&members, contract::PageQuery::at(None)).await);
        let listed = tenants::list(&members, contract::PageQuery::at(None)).await.unwrap().data;
        assert_eq!(listed.iter().map(|t| t.id).collect::<Vec<_>>(), [t.first.tenant_id], "its own only");
        assert!(matches!(tenants::get(&members, globex).await, Err(Error::NotFound)));
        let dev = t.join("dev@acme.test", Role::Developer).await.person().unwrap().user_id;
        assert!(matches!(domain::members::disable_account(&members, dev).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
        // Nor does it hand out more than it holds (s35).
        let admin = contract::Invite { email: contract::Email::parse("new@acme.test").unwrap(), role: Role::Admin, days: 7 };
        assert!(matches!(domain::members::invite(&members, admin).await, Err(Error::CannotGrant(_))));
        let platform = json!({"name": "p", "scopes": ["read"], "platform": true});
        let asked: contract::CreateKeyBody = serde_json::from_value(platform).unwrap();
        assert!(matches!(domain::keys::create_from_body(&members, &asked).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
    }
}
