//! The decision itself: pure, without I/O or time of its own (rule 9).

use super::policy::PolicyOnce;
use crate::tokens::{LEEWAY, Token};
use contract::{AllowedIp, Code, Environment, KeyId, KeyKind, RateLimit, Scope, ScopeSet, SecretId, TenantId, UnixMs, UserId};
use std::{net::IpAddr, sync::Arc};

/// A key with one of its secrets, as decisions need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key_id: KeyId,
    /// Which of its secrets.
    pub secret_id: SecretId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What calls with it.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Live or test.
    pub environment: Environment,
    /// What it may do.
    pub scopes: ScopeSet,
    /// From where; empty means from anywhere.
    pub allowed_ips: Vec<AllowedIp>,
    /// From where the live keys of the tenant may be used; empty means from anywhere.
    pub tenant_allowed_ips: Vec<AllowedIp>,
    /// How often: the key's own limit, or its plan's.
    pub rate_limit: RateLimit,
    /// From when.
    pub not_before: Option<UnixMs>,
    /// Until when.
    pub expires_at: Option<UnixMs>,
    /// Since when it is switched off.
    pub disabled_at: Option<UnixMs>,
    /// Since when it is gone.
    pub revoked_at: Option<UnixMs>,
    /// Until when this secret of it works, while it is being replaced.
    pub secret_valid_until: Option<UnixMs>,
    /// What its owner attached to it.
    pub metadata: serde_json::Value,
    /// Whether it acts for the whole installation.
    pub platform: bool,
    /// The person who answers for it, if one does.
    pub owner: Option<UserId>,
    /// What of all this decides, for the log; computed when it is first asked for.
    pub policy_once: PolicyOnce,
    /// Verbs of the tenant's own, which its scopes are read with.
    pub verbs: Arc<[String]>,
}

impl Entry {
    /// Does it hold a scope that covers `wanted`?
    pub fn covers(&self, wanted: &Scope) -> bool {
        self.scopes.covers_with(wanted, &self.verbs)
    }

    /// The first of `wanted` that it does not hold.
    pub fn missing<'a>(&self, wanted: &'a [Scope]) -> Option<&'a Scope> {
        self.scopes.missing_with(wanted, &self.verbs)
    }

    /// May it be used from there? Its own list counts, and the tenant's for live keys other than gateways'; an unknown
    /// address is on no list (s40).
    fn is_allowed_from(&self, ip: Option<IpAddr>) -> bool {
        let tenants_counts = self.environment == Environment::Live && self.kind != KeyKind::Gateway;
        is_on(&self.allowed_ips, ip) && (!tenants_counts || is_on(&self.tenant_allowed_ips, ip))
    }
}

/// Does the list admit the address? An empty one admits all, and an unknown address is on no list (s40).
fn is_on(list: &[AllowedIp], ip: Option<IpAddr>) -> bool {
    list.is_empty() || ip.is_some_and(|ip| list.iter().any(|net| net.contains(ip)))
}

/// What a request brings and needs.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The client's address, if it is known.
    pub ip: Option<IpAddr>,
    /// The environment that the request needs; none accepts both.
    pub environment: Option<Environment>,
    /// Scopes that the request needs.
    pub scopes: &'a [Scope],
    /// The caller may only ask about this tenant; none means about any.
    pub only_tenant: Option<TenantId>,
    /// When.
    pub now: UnixMs,
}

/// Checks in the order of the contract; the first failure is the answer. `MALFORMED` and an unknown key never get
/// here: there is no entry for them. Rate limits come after: they are charged only by what passed everything else.
pub fn decide(entry: &Entry, facts: &Facts<'_>) -> Code {
    let now = facts.now;
    if facts.only_tenant.is_some_and(|t| t != entry.tenant_id) {
        return Code::NotFound;
    }
    if entry.revoked_at.is_some() || entry.secret_valid_until.is_some_and(|t| t <= now) {
        return Code::Revoked;
    }
    if entry.disabled_at.is_some() {
        return Code::Disabled;
    }
    if entry.not_before.is_some_and(|t| t > now) {
        return Code::NotYetValid;
    }
    if entry.expires_at.is_some_and(|t| t <= now) {
        return Code::Expired;
    }
    if facts.environment.is_some_and(|e| e != entry.environment) {
        return Code::EnvironmentMismatch;
    }
    if !entry.is_allowed_from(facts.ip) {
        return Code::IpNotAllowed;
    }
    if entry.missing(facts.scopes).is_some() {
        return Code::InsufficientScope;
    }
    Code::Valid
}

/// What became of a token, or of its app, since it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Good,
    /// Its app is out of use for now.
    Disabled,
    /// It was ended before its time, or its app is gone.
    Ended,
}

/// The same for a token: `audience` is the API that it is shown to, `verbs` its tenant's own, and `list` says from where it
/// may be used. Clocks may be apart.
pub fn decide_token(token: &Token, standing: Standing, audience: &str, verbs: &[String], list: &[AllowedIp], facts: &Facts<'_>) -> Code {
    let now = facts.now;
    if facts.only_tenant.is_some_and(|t| t != token.tenant_id) {
        return Code::NotFound;
    }
    match standing {
        Standing::Good => {}
        Standing::Disabled => return Code::Disabled,
        Standing::Ended => return Code::Revoked,
    }
    if token.not_before > now.plus(LEEWAY) {
        return Code::NotYetValid;
    }
    if token.expires_at.plus(LEEWAY) <= now {
        return Code::Expired;
    }
    if facts.environment.is_some_and(|e| e != token.environment) {
        return Code::EnvironmentMismatch;
    }
    if token.audience != audience {
        return Code::AudienceMismatch;
    }
    if !is_on(list, facts.ip) {
        return Code::IpNotAllowed;
    }
    if token.scopes.missing_with(facts.scopes, verbs).is_some() {
        return Code::InsufficientScope;
    }
    Code::Valid
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: UnixMs = UnixMs(1_000_000);

    fn entry() -> Entry {
        Entry {
            key_id: KeyId::from_uuid(Uuid::from_u128(1)),
            secret_id: SecretId::from_uuid(Uuid::from_u128(3)),
            tenant_id: TenantId::from_uuid(Uuid::from_u128(2)),
            name: "checkout".into(),
            kind: KeyKind::Secret,
            environment: Environment::Live,
            scopes: ScopeSet(vec![Scope::parse("users:read").expect("valid")]),
            allowed_ips: vec![],
            tenant_allowed_ips: vec![],
            rate_limit: RateLimit { per_hour: 10_000, per_second: 100 },
            not_before: None,
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
            secret_valid_until: None,
            metadata: serde_json::json!({}),
            platform: false,
            owner: None,
            policy_once: PolicyOnce::default(),
            verbs: Arc::default(),
        }
    }

    fn facts(scopes: &[Scope]) -> Facts<'_> {
        Facts {
            ip: Some("203.0.113.9".parse().expect("an address")),
            environment: Some(Environment::Live),
            scopes,
            only_tenant: None,
            now: NOW,
        }
    }

    type Fail = fn(&mut Entry, &mut Facts<'_>);

    /// One way to fail each check, in the contract's order.
    fn failures() -> Vec<(Code, Fail)> {
        vec![
            (Code::NotFound, |_, f| f.only_tenant = Some(TenantId::from_uuid(Uuid::from_u128(9)))),
            (Code::Revoked, |e, _| e.revoked_at = Some(NOW)),
            (Code::Disabled, |e, _| e.disabled_at = Some(NOW)),
            (Code::NotYetValid, |e, _| e.not_before = Some(NOW.plus(1))),
            (Code::Expired, |e, _| e.expires_at = Some(NOW)),
            (Code::EnvironmentMismatch, |e, _| e.environment = Environment::Test),
            (Code::IpNotAllowed, |e, _| e.allowed_ips = vec![AllowedIp::parse("198.51.100.0/24").expect("valid")]),
            (Code::InsufficientScope, |e, _| e.scopes = ScopeSet::default()),
        ]
    }

    #[test]
    fn each_failure_has_its_code() {
        let wanted = [Scope::parse("users:read").expect("valid")];
        assert_eq!(decide(&entry(), &facts(&wanted)), Code::Valid);
        for (code, fail) in failures() {
            let (mut e, mut f) = (entry(), facts(&wanted));
            fail(&mut e, &mut f);
            assert_eq!(decide(&e, &f), code);
        }
    }

    #[test]
    fn the_first_failure_in_the_contracts_order_wins() {
        let wanted = [Scope::parse("users:read").expect("valid")];
        let all = failures();
        for first in 0..all.len() {
            let (mut e, mut f) = (entry(), facts(&wanted));
            all[first..].iter().for_each(|(_, fail)| fail(&mut e, &mut f));
            assert_eq!(decide(&e, &f), all[first].0);
        }
        assert!(all.windows(2).all(|w| w[0].0 < w[1].0), "the enum, too, is in this order");
    }

    #[test]
    fn an_old_secret_works_until_its_grace_ends() {
        let mut e = entry();
        e.secret_valid_until = Some(NOW.plus(1));
        assert_eq!(decide(&e, &facts(&[])), Code::Valid);
        e.secret_valid_until = Some(NOW);
        assert_eq!(decide(&e, &facts(&[])), Code::Revoked);
    }

    #[test]
    fn the_tenants_allowlist_binds_its_live_keys_but_neither_test_nor_gateway_keys() {
        let mut e = entry();
        e.tenant_allowed_ips = vec![AllowedIp::parse("198.51.100.0/24").expect("valid")];
        assert_eq!(decide(&e, &facts(&[])), Code::IpNotAllowed);
        let inside = Facts { ip: Some("198.51.100.7".parse().expect("an address")), ..facts(&[]) };
        assert_eq!(decide(&e, &inside), Code::Valid);
        e.allowed_ips = vec![AllowedIp::parse("203.0.113.9").expect("valid")];
        assert_eq!(decide(&e, &inside), Code::IpNotAllowed, "both lists count");
        let test = Entry { environment: Environment::Test, ..e.clone() };
        assert_eq!(decide(&test, &Facts { environment: None, ..facts(&[]) }), Code::Valid);
        assert_eq!(decide(&Entry { kind: KeyKind::Gateway, ..e }, &facts(&[])), Code::Valid);
    }

    #[test]
    fn s40_an_unknown_address_fails_closed_where_an_allowlist_applies() {
        let (mut e, mut f) = (entry(), facts(&[]));
        f.ip = None;
        assert_eq!(decide(&e, &f), Code::Valid);
        e.allowed_ips = vec![AllowedIp::parse("0.0.0.0/0").expect("valid"), AllowedIp::parse("::/0").expect("valid")];
        assert_eq!(decide(&e, &f), Code::IpNotAllowed);
    }
}
