//! The tenant's allowlist.

use contract::{AllowlistBody, AuditFilter, Code, ErrorCode, PageQuery, Requirement, Role};
use domain::{Ctx, Error, RequestInfo, Who, audit, keys, on_both, tenants, verify};

fn list(ips: &[&str]) -> AllowlistBody {
    AllowlistBody { allowed_ips: ips.iter().map(ToString::to_string).collect() }
}

on_both! {
    async fn the_tenants_allowlist_holds_for_its_live_keys_at_once_and_the_command_line_undoes_it(t) {
        let secret = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap().key.unwrap();
        let other = t.second_process().await;
        let code = |core: &domain::Core, ip: &str| {
            verify::check(core, &secret, Some(ip.parse().unwrap()), &Requirement::default(), None, false).unwrap().code
        };
        let from = |ip: &str| Ctx::new(t.core.clone(), t.owner().who().clone(), RequestInfo { ip: Some(ip.parse().unwrap()), ..RequestInfo::default() });
        let set = tenants::set_allowlist(&from("198.51.100.7"), &list(&["198.51.100.0/24", "198.51.100.0/24"])).await.unwrap();
        assert_eq!((set.allowed_ips.len(), set.warnings.len()), (1, 0));
        assert_eq!((code(&t.core, "198.51.100.9"), code(&t.core, "203.0.113.9")), (Code::Valid, Code::IpNotAllowed));
        other.cache.sync(&other).await.unwrap();
        assert_eq!(code(&other, "203.0.113.9"), Code::IpNotAllowed, "every process");
        let shut_out = tenants::set_allowlist(&from("198.51.100.7"), &list(&["203.0.113.9", "::/0"])).await.unwrap();
        assert_eq!(shut_out.warnings.len(), 2);
        assert!(shut_out.warnings[0].contains("198.51.100.7") && shut_out.warnings[0].contains(&t.first.tenant_id.to_string()));
        assert_eq!(tenants::allowlist(&from("203.0.113.9")).await.unwrap().warnings.len(), 1);
        let refused = tenants::set_allowlist(&t.owner(), &list(&["203.0.113.9/24"])).await;
        assert!(matches!(refused, Err(Error::Invalid(f)) if f.get("allowed_ips").is_some_and(|m| m.contains("Did you mean 203.0.113.0/24?"))), "s42");
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        assert_eq!(tenants::set_allowlist(&line, &list(&[])).await.unwrap().allowed_ips, []);
        assert_eq!(code(&t.core, "192.0.2.1"), Code::Valid);
        let events = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        assert_eq!(events.iter().filter(|e| e.action == "policy.changed").count(), 3);
        other.stop().await;
    }
}

on_both! {
    async fn s36_the_allowlist_is_a_policy_of_the_tenant(t) {
        for (role, may) in [(Role::Owner, true), (Role::Security, true), (Role::Developer, false), (Role::Support, false)] {
            let ctx = t.member(t.first.user_id, t.first.tenant_id, role);
            assert_eq!(tenants::set_allowlist(&ctx, &list(&[])).await.is_ok(), may, "{role}");
            assert_eq!(tenants::allowlist(&ctx).await.is_ok(), may, "{role}");
        }
        let mut form = t.form("k", "admin");
        form.environment = "test".into();
        let test = t.with_key(&keys::create_from_form(&t.owner(), &form).await.unwrap().key.unwrap());
        let refused = tenants::set_allowlist(&test, &list(&[])).await;
        assert!(matches!(refused, Err(Error::Refused(ErrorCode::EnvironmentMismatch, _))));
    }
}
