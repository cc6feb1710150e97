use contract::{Code, KeyKind, Outcome, PageQuery, Scope, UsageFilter, VerifyRequest};
use domain::{Ctx, Error, Who, keys, on_both, usage, verify};

fn request(credential: &str) -> VerifyRequest {
    serde_json::from_value(serde_json::json!({"credential": credential, "path": "/v2/users?token=x", "method": "GET", "ip": "203.0.113.9"}))
        .unwrap()
}

/// The gateway of bootstrap, as the HTTP layer would make it.
fn gateway(t: &domain::testing::TestInstallation) -> Ctx {
    t.as_who(Who::Key(verify::gateway(&t.core, &t.first.gateway_key, None).unwrap()))
}

on_both! {
    async fn each_decision_has_its_code_and_is_logged_with_the_reason(t) {
        let mut form = t.form("narrow", "users:read");
        form.allowed_ips = "198.51.100.0/24".into();
        let narrow = keys::create_from_form(&t.owner(), &form).await.unwrap().key.unwrap();
        let mut form = t.form("short", "users:read");
        form.expires = "7".into();
        let short = keys::create_from_form(&t.owner(), &form).await.unwrap().key.unwrap();
        let mut form = t.form("sandbox", "users:read");
        form.environment = "test".into();
        let test = keys::create_from_form(&t.owner(), &form).await.unwrap().key.unwrap();
        let gw = gateway(&t);
        let unknown = keys::secret::generate(
            t.core.entropy(), &t.core.keys, KeyKind::Secret, contract::Environment::Live, &contract::Slug::from_name("x"));
        let mut write = request(&short);
        write.scopes = vec![Scope::parse("users:write").unwrap()];
        for (req, code) in [
            (request(&short), Code::Valid),
            (request("sk_live_junk"), Code::Malformed),
            (request(unknown.token.expose()), Code::NotFound),
            (request(&test), Code::EnvironmentMismatch),
            (request(&narrow), Code::IpNotAllowed),
            (write, Code::InsufficientScope),
        ] {
            let answer = verify::verify(&gw, &req).await.unwrap();
            assert_eq!(answer.code, code);
            assert_eq!(answer.valid, code == Code::Valid);
            assert_eq!(answer.tenant_id.is_none(), matches!(code, Code::Malformed | Code::NotFound), "{code}");
        }
        t.clock.advance(std::time::Duration::from_secs(7 * 86_400));
        t.core.cache.sync(&t.core).await.unwrap();
        assert_eq!(verify::verify(&gw, &request(&short)).await.unwrap().code, Code::Expired);

        t.core.meter.stop().await;
        let live = usage::list(&t.owner(), &UsageFilter::default(), contract::Environment::Live, PageQuery::default()).await.unwrap().data;
        let codes: Vec<Code> = live.iter().rev().map(|e| e.code).collect();
        assert_eq!(codes, [Code::Valid, Code::Malformed, Code::NotFound, Code::IpNotAllowed, Code::InsufficientScope, Code::Expired]);
        assert!(live.iter().all(|e| e.path.as_deref() == Some("/v2/users")), "no query is kept");
        let in_test = usage::list(&t.owner(), &UsageFilter::default(), contract::Environment::Test, PageQuery::default()).await.unwrap().data;
        assert_eq!(in_test.iter().map(|e| e.code).collect::<Vec<_>>(), [Code::EnvironmentMismatch]);
        let denied = UsageFilter { outcome: Some(Outcome::Denied), ..UsageFilter::default() };
        let denied = usage::list(&t.owner(), &denied, contract::Environment::Live, PageQuery::default()).await.unwrap().data;
        assert_eq!(denied.len(), 5);
    }
}

on_both! {
    async fn s36_a_key_without_the_scope_may_not_ask_for_decisions(t) {
        let plain = keys::create_from_form(&t.owner(), &t.form("plain", "read")).await.unwrap().key.unwrap();
        assert!(matches!(verify::gateway(&t.core, &plain, None), Err(Error::Refused(..))));
        let entry = verify::check(&t.core, &plain, None, &contract::Requirement::default(), None, false).unwrap().entry.unwrap();
        let asked = verify::verify(&t.as_who(Who::Key(entry)), &request(&plain)).await;
        assert!(matches!(asked, Err(Error::Denied(contract::Perm::KeysVerify))));
    }
}
