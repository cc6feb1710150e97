//! May this credential do this, from here, now?

mod cache;
mod decide;
pub mod limit;
mod policy;
mod sql;

pub use cache::KeyCache;
pub use decide::{Entry, Facts, decide};
pub use policy::{PolicyOnce, StoredPolicy};

use self::limit::{Charge, Subject};
use crate::{Core, Ctx, Error, RequestInfo, Result, Versions, Who, keys::secret, tenants, usage::NewEvent};
use contract::{
    Code, CredentialKind, Environment, ErrorCode, KeyId, KeyKind, LimitFacts, Outcome, Perm, Requirement, Scope, TenantId, UsageSource,
    VerifyRequest, VerifyResponse,
};
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a request brought to be decided about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// No credential.
    Nothing,
    /// One, or the same several times.
    One(String),
    /// Two that differ: neither is looked at.
    Several,
}

/// What was decided, and about whom.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Why, or why not.
    pub code: Code,
    /// The key; none for `MALFORMED` and `NOT_FOUND`.
    pub entry: Option<Arc<Entry>>,
    /// The first required scope that is not held.
    pub missing: Option<Scope>,
    /// What it was charged, or why not; none for what passed no further check, and for gateways.
    pub charge: Option<Charge>,
    /// How much of the limits it asked for.
    pub cost: u32,
}

/// The client's request, for the log.
#[derive(Clone, Debug, Default)]
pub struct Logged {
    /// Its method.
    pub method: Option<String>,
    /// Its path; a query is cut off.
    pub path: Option<String>,
    /// Its user agent.
    pub user_agent: Option<String>,
}

impl Decision {
    /// A refusal that is about nobody's key.
    pub const fn refused(code: Code) -> Self {
        Self { code, entry: None, missing: None, charge: None, cost: 1 }
    }
}

/// Looks a credential up and decides. No I/O; fails only when the snapshot is too old to be trusted.
pub fn check(
    core: &Core,
    credential: &str,
    ip: Option<IpAddr>,
    need: &Requirement,
    only_tenant: Option<TenantId>,
    any_environment: bool,
) -> Result<Decision> {
    let refused = |code| Ok(Decision::refused(code));
    let parsed = secret::parse(credential);
    let foreign = core.cache.holds_foreign();
    if parsed.is_none() && !foreign {
        return refused(Code::Malformed);
    }
    core.cache.check_fresh(core)?;
    let own = parsed.and_then(|parsed| core.cache.get(&parsed.digest(&core.keys)));
    // Keys of other systems have any form: they are looked for only where some were imported.
    let imported = || secret::foreign_digest(&core.keys, credential).filter(|_| foreign).and_then(|digest| core.cache.get(&digest));
    let Some(entry) = own.or_else(imported) else {
        return refused(if parsed.is_some() { Code::NotFound } else { Code::Malformed });
    };
    let environment = if any_environment { None } else { Some(need.environment.unwrap_or(core.settings.environment)) };
    let code = decide(&entry, &Facts { ip, environment, scopes: &need.scopes, only_tenant, now: core.now() });
    if code == Code::NotFound {
        return refused(code);
    }
    // The key of a gateway asks for decisions; nothing is decided in its favour.
    let nobodys = entry.kind == KeyKind::Gateway && !any_environment && code == Code::Valid;
    let code = if nobodys { Code::InsufficientScope } else { code };
    let missing = entry.missing(&need.scopes).filter(|_| code == Code::InsufficientScope).cloned();
    Ok(Decision { code, entry: Some(entry), missing, charge: None, cost: 1 })
}

/// Charges the limits of a credential that passed everything else. A gateway has none of its own.
pub fn charge(core: &Core, decision: &mut Decision, cost: u32) {
    decision.cost = cost;
    let (Code::Valid, Some(entry)) = (decision.code, &decision.entry) else { return };
    if entry.kind == KeyKind::Gateway {
        return;
    }
    let charge = core.limits.charge(Subject::Key(entry.tenant_id, entry.key_id), entry.rate_limit, cost, core.now());
    if !charge.admitted() {
        decision.code = Code::RateLimited;
    }
    decision.charge = Some(charge);
}

/// `POST /v1/verify`: decides for a caller that may ask, and logs the decided request.
pub async fn verify(ctx: &Ctx, req: &VerifyRequest) -> Result<VerifyResponse> {
    let grant = ctx.require(Perm::KeysVerify)?;
    let only_tenant = if ctx.is_platform() { None } else { Some(grant.tenant_id()) };
    let need = Requirement { scopes: req.scopes.clone(), environment: req.environment, audience: req.audience.clone() };
    let logged = Logged { method: req.method.clone(), path: req.path.clone(), user_agent: req.user_agent.clone() };
    let started = Instant::now();
    let mut decision = check(ctx.core(), &req.credential, req.ip, &need, only_tenant, false)?;
    // A test credential knows nothing that is live (s36); a gateway's has no environment.
    let gateway = matches!(ctx.who(), Who::Key(key) if key.kind == KeyKind::Gateway);
    if !gateway && ctx.sandboxed().is_some_and(|e| decision.entry.as_ref().is_some_and(|entry| entry.environment != e)) {
        decision = Decision::refused(Code::NotFound);
    }
    charge(ctx.core(), &mut decision, req.cost);
    record(ctx, Some(grant.tenant_id()), req.ip, &need, &decision, UsageSource::Verify, logged, started.elapsed()).await;
    Ok(response(ctx, decision))
}

/// Forward auth: the same for a gateway that passes a client's request on. `tenant` is the one that the client asked
/// to act in: for a platform admin the answer names it; any other credential lacks the permission for it, and no scope
/// is missing. A gateway of one tenant leads into no other.
pub async fn forward_auth(
    ctx: &Ctx,
    sent: &Sent,
    ip: Option<IpAddr>,
    need: &Requirement,
    tenant: Option<&str>,
    logged: Logged,
) -> Result<Decision> {
    let grant = ctx.require(Perm::KeysVerify)?;
    let only_tenant = if ctx.is_platform() { None } else { Some(grant.tenant_id()) };
    let started = Instant::now();
    let mut decision = match sent {
        Sent::One(credential) => check(ctx.core(), credential, ip, need, only_tenant, false)?,
        Sent::Nothing => Decision::refused(Code::Unauthorized),
        Sent::Several => Decision::refused(Code::ConflictingCredentials),
    };
    let client = |entry: &Arc<Entry>| Ctx::new(ctx.core().clone(), Who::Key(entry.clone()), RequestInfo { ip, ..ctx.request().clone() });
    let elsewhere = match (&decision.entry, tenant) {
        (Some(entry), Some(t)) if decision.code == Code::Valid && entry.tenant_id.to_string() != t => Some((client(entry), t)),
        _ => None,
    };
    if elsewhere.as_ref().is_some_and(|(client, _)| only_tenant.is_some() || !client.is_platform()) {
        decision.code = Code::InsufficientScope;
    }
    charge(ctx.core(), &mut decision, 1);
    let mut entered = None;
    if let Some((client, t)) = elsewhere.filter(|_| decision.code == Code::Valid) {
        match tenants::act_in_use(&client, t).await {
            Ok(there) => entered = there.tenant_id(),
            Err(Error::NotFound) => decision.code = Code::InsufficientScope,
            Err(e) => return Err(e),
        }
    }
    record(ctx, Some(grant.tenant_id()), ip, need, &decision, UsageSource::ForwardAuth, logged, started.elapsed()).await;
    if let (Some(tenant_id), Some(entry)) = (entered, &decision.entry) {
        decision.entry = Some(Arc::new(Entry { tenant_id, ..Entry::clone(entry) }));
    }
    Ok(decision)
}

/// Is it the key of a gateway, good for asking? The gateway itself may be anywhere its own allowlist says.
pub fn gateway(core: &Core, credential: &str, ip: Option<IpAddr>) -> Result<Arc<Entry>> {
    let need = Requirement { scopes: vec![Perm::KeysVerify.scope()], ..Requirement::default() };
    let decision = check(core, credential, ip, &need, None, true)?;
    match decision.entry {
        Some(entry) if decision.code == Code::Valid && entry.kind == KeyKind::Gateway => Ok(entry),
        _ => Err(Error::Refused(ErrorCode::GatewayUnauthorized, ErrorCode::GatewayUnauthorized.message().to_owned())),
    }
}

/// The same caller a while later: a key as it is now, none if it no longer works from there. For what goes on after it
/// was authenticated; people are looked up with each of their requests.
pub fn refreshed(ctx: &Ctx) -> Option<Ctx> {
    let Who::Key(was) = ctx.who() else { return Some(ctx.clone()) };
    let core = ctx.core();
    core.cache.check_fresh(core).ok()?;
    let entry = core.cache.find(was.key_id, was.secret_id)?;
    let facts = Facts { ip: ctx.request().ip, environment: None, scopes: &[], only_tenant: None, now: core.now() };
    let still = decide(&entry, &facts) == Code::Valid;
    let now = still.then(|| Ctx::new(core.clone(), Who::Key(entry), ctx.request().clone()))?;
    match ctx.elsewhere() {
        Some(tenant_id) => now.is_platform().then(|| now.acting_in(tenant_id)),
        None => Some(now),
    }
}

/// Logs a decided request under the credential's tenant, or under `home` where nobody owns the credential; without
/// a `home`, under the installation's first tenant.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub async fn record(
    ctx: &Ctx,
    home: Option<TenantId>,
    ip: Option<IpAddr>,
    need: &Requirement,
    decision: &Decision,
    source: UsageSource,
    logged: Logged,
    took: Duration,
) {
    let core = ctx.core();
    let entry = decision.entry.as_deref();
    let versions = ctx.request().versions.clone();
    let event = NewEvent {
        id: core.new_uuid(),
        at: core.now(),
        tenant_id: entry.map(|e| e.tenant_id).or(home),
        request_id: ctx.request().id.clone(),
        credential_id: entry.map(|e| e.key_id),
        asked_by: asker(ctx, source),
        kind: CredentialKind::ApiKey,
        outcome: if decision.code == Code::Valid { Outcome::Allowed } else { Outcome::Denied },
        code: decision.code,
        method: logged.method.map(|m| clip(m, 16)),
        path: logged.path.map(|p| clip(p.split(['?', '#']).next().unwrap_or_default().to_owned(), 512)),
        ip,
        user_agent: logged.user_agent.map(|ua| clip(ua, 256)),
        versions: Versions { api: versions.api.map(|v| clip(v, 64)), client: versions.client.map(|v| clip(v, 64)) },
        environment: entry.map_or_else(|| need.environment.unwrap_or(core.settings.environment), |e| log_environment(e, need, core)),
        required_scopes: need.scopes.clone(),
        required_environment: required_environment(need, source, core),
        audience: need.audience.as_ref().map(|a| clip(a.clone(), 256)),
        cost: decision.cost,
        secret_id: entry.map(|e| e.secret_id),
        policy: entry.map(Entry::stored_policy),
        rate_limit: decision.charge.map(|c| LimitFacts { limit: c.state.limit, remaining: c.state.remaining, reset: c.state.reset }),
        source,
        latency_us: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
    };
    core.meter.record(event).await;
}

/// Whose key asked; requests to Keystead's own API are about the caller's key itself.
fn asker(ctx: &Ctx, source: UsageSource) -> Option<(TenantId, KeyId)> {
    match ctx.who() {
        Who::Key(key) if source != UsageSource::Api => Some((key.tenant_id, key.key_id)),
        _ => None,
    }
}

/// A gateway key has no environment of its own in its name; what it asked is logged where the request belongs.
fn log_environment(entry: &Entry, need: &Requirement, core: &Core) -> Environment {
    if entry.kind == KeyKind::Gateway { need.environment.unwrap_or(core.settings.environment) } else { entry.environment }
}

/// Keystead's own API accepts both environments; elsewhere none means the installation's.
fn required_environment(need: &Requirement, source: UsageSource, core: &Core) -> Option<Environment> {
    if source == UsageSource::Api { need.environment } else { Some(need.environment.unwrap_or(core.settings.environment)) }
}

/// Cuts what a client sent to what is kept, and drops control characters, so that no log line or terminal is forged.
fn clip(s: String, max: usize) -> String {
    if s.len() <= max && !s.contains(char::is_control) {
        return s;
    }
    s.chars().filter(|c| !c.is_control()).take(max).collect()
}

fn response(ctx: &Ctx, decision: Decision) -> VerifyResponse {
    let request_id = ctx.request().id.clone();
    let Some(e) = decision.entry else {
        return VerifyResponse {
            valid: false,
            code: decision.code,
            kind: None,
            credential_id: None,
            tenant_id: None,
            subject: None,
            client_id: None,
            environment: None,
            scopes: Vec::new(),
            metadata: serde_json::json!({}),
            expires_at: None,
            rate_limit: None,
            request_id,
        };
    };
    VerifyResponse {
        valid: decision.code == Code::Valid,
        code: decision.code,
        kind: Some(CredentialKind::ApiKey),
        credential_id: Some(e.key_id.to_string()),
        tenant_id: Some(e.tenant_id.to_string()),
        subject: e.owner.map(|id| id.to_string()),
        client_id: None,
        environment: Some(e.environment),
        scopes: e.scopes.0.clone(),
        metadata: e.metadata.clone(),
        expires_at: e.expires_at,
        rate_limit: decision.charge.map(|c| c.state),
        request_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s77_what_clients_send_is_cut_and_stripped_before_it_is_logged() {
        assert_eq!(clip("curl/8\r\n\u{1b}[31mx".into(), 256), "curl/8[31mx");
        assert_eq!(clip("ä".repeat(300), 256).chars().count(), 256);
    }
}
