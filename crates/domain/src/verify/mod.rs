//! May this credential do this, from here, now?

mod cache;
mod decide;
pub mod limit;
mod policy;
mod sql;

pub use cache::KeyCache;
pub use decide::{Entry, Facts, Standing, decide, decide_token};
pub use policy::{PolicyOnce, StoredPolicy};

use self::limit::{Charge, OAUTH, PERSON, Subject};
use crate::{
    Core, Ctx, Error, RequestInfo, Result, Versions, Who,
    identity::{self, SignedIn},
    keys::secret,
    tenants,
    tokens::{self, Bearer, Token},
    usage::NewEvent,
};
use contract::{
    AllowedIp, Code, CredentialKind, Environment, ErrorCode, KeyId, KeyKind, LimitFacts, Outcome, Perm, RateLimit, Requirement, Scope,
    ScopeSet, TenantId, UsageSource, VerifyRequest, VerifyResponse,
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
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
    /// What kind of credential it had the form of.
    pub kind: CredentialKind,
    /// The key; none for tokens, and for `MALFORMED` and `NOT_FOUND`.
    pub entry: Option<Arc<Entry>>,
    /// The token, likewise.
    pub token: Option<Arc<Token>>,
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
        Self { code, kind: CredentialKind::ApiKey, entry: None, token: None, missing: None, charge: None, cost: 1 }
    }

    /// Whose credential it is; none where nobody's.
    pub fn tenant_id(&self) -> Option<TenantId> {
        self.entry.as_ref().map(|e| e.tenant_id).or(self.token.as_ref().map(|t| t.tenant_id))
    }

    /// The environment that the credential belongs to.
    pub fn environment(&self) -> Option<Environment> {
        self.entry.as_ref().map(|e| e.environment).or(self.token.as_ref().map(|t| t.environment))
    }

    /// Its id: a key's, or the `jti` of a token; of one without that its app's.
    pub fn credential_id(&self) -> Option<String> {
        let of_token = |t: &Arc<Token>| t.id.map_or_else(|| t.bearer.client_id(), |id| id.to_string());
        self.entry.as_ref().map(|e| e.key_id.to_string()).or_else(|| self.token.as_ref().map(of_token))
    }

    /// What it holds.
    pub fn scopes(&self) -> Option<&ScopeSet> {
        self.entry.as_ref().map(|e| &e.scopes).or(self.token.as_ref().map(|t| &t.scopes))
    }

    /// Whom it acts for: a token's subject, or the one who answers for a key.
    pub fn subject(&self) -> Option<String> {
        match &self.entry {
            Some(entry) => entry.owner.map(|id| id.to_string()),
            None => self.token.as_ref().map(|t| t.bearer.subject()),
        }
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
    let parsed = secret::parse(credential);
    let foreign = core.cache.holds_foreign();
    let (mut refusal, jwt) = (Decision::refused(Code::Malformed), tokens::is_jwt(credential));
    if parsed.is_none() && !foreign && !jwt {
        return Ok(refusal);
    }
    core.cache.check_fresh(core)?;
    let environment = if any_environment { None } else { Some(need.environment.unwrap_or(core.settings.environment)) };
    let facts = Facts { ip, environment, scopes: &need.scopes, only_tenant, now: core.now() };
    if jwt {
        match tokens::read(core, credential) {
            Ok(token) => {
                let list = allowlist(core, &token);
                return Ok(check_token(core, token, need, list.as_deref().unwrap_or_default(), &facts));
            }
            Err(code) => refusal = Decision { code, kind: CredentialKind::AccessToken, ..refusal },
        }
    }
    let own = parsed.and_then(|parsed| core.cache.get(&parsed.digest(&core.keys)));
    // Keys of other systems have any form: they are looked for only where some were imported.
    let imported = || secret::foreign_digest(&core.keys, credential).filter(|_| foreign).and_then(|digest| core.cache.get(&digest));
    let Some(entry) = own.or_else(imported) else {
        return Ok(if parsed.is_some() { Decision::refused(Code::NotFound) } else { refusal });
    };
    let code = decide(&entry, &facts);
    if code == Code::NotFound {
        return Ok(Decision::refused(code));
    }
    // The key of a gateway asks for decisions; nothing is decided in its favour.
    let nobodys = entry.kind == KeyKind::Gateway && !any_environment && code == Code::Valid;
    let code = if nobodys { Code::InsufficientScope } else { code };
    let missing = entry.missing(&need.scopes).filter(|_| code == Code::InsufficientScope).cloned();
    Ok(Decision { entry: Some(entry), missing, ..Decision::refused(code) })
}

/// Decides about a token. One for another API than the one that asks is of no use there; none named is this installation's.
fn check_token(core: &Core, mut token: Token, need: &Requirement, list: &[AllowedIp], facts: &Facts<'_>) -> Decision {
    let audience = need.audience.as_deref().unwrap_or(&core.settings.public_url);
    // What a tenant's API calls itself stands for this installation, where an app signed it.
    if need.audience.is_none() && matches!(token.bearer, Bearer::Named(..)) && core.cache.lists_audience(token.tenant_id, &token.audience) {
        audience.clone_into(&mut token.audience);
    }
    let verbs = core.cache.verbs(token.tenant_id);
    let standing = standing(core, &mut token, &verbs);
    let code = decide_token(&token, standing, audience, &verbs, list, facts);
    let refused = Decision { kind: token.kind(), ..Decision::refused(code) };
    if code == Code::NotFound {
        return refused;
    }
    let missing = token.scopes.missing_with(&need.scopes, &verbs).filter(|_| code == Code::InsufficientScope).cloned();
    Decision { token: Some(Arc::new(token)), missing, ..refused }
}

/// From where a token may be used: those of apps, like live keys, from where their tenant says; people sign in anywhere.
fn allowlist(core: &Core, token: &Token) -> Option<Arc<[AllowedIp]>> {
    token.bearer.app().filter(|_| token.environment == Environment::Live).and_then(|_| core.cache.allowlist(token.tenant_id))
}

/// What became of a token. One that an app holds does no more than the app may do by now (s22).
fn standing(core: &Core, token: &mut Token, verbs: &[String]) -> Standing {
    if token.is_ended(core) {
        return Standing::Ended;
    }
    let Some(app) = token.bearer.app() else { return Standing::Good };
    let Some(client) = core.apps.get(app).filter(|c| c.acts_in(token.tenant_id)) else { return Standing::Ended };
    token.scopes.0.retain(|s| client.terms.scopes.iter().any(|own| own == s || !s.is_built_in() && own.covers_with(s, verbs)));
    if !client.in_use {
        return Standing::Disabled;
    }
    // What people allowed it is theirs to end.
    let own = matches!(token.bearer, Bearer::App(_) | Bearer::Named(..));
    if own && client.ended_own(token.not_before) { Standing::Ended } else { Standing::Good }
}

/// Decides about a token for whichever API, without a requirement.
pub(crate) fn check_anywhere(core: &Core, jwt: &str) -> Result<Decision> {
    core.cache.check_fresh(core)?;
    let facts = Facts { ip: None, environment: None, scopes: &[], only_tenant: None, now: core.now() };
    Ok(match tokens::read(core, jwt) {
        Ok(token) => {
            let need = Requirement { audience: Some(token.audience.clone()), ..Requirement::default() };
            // Nobody uses it here: whoever asks tells no address.
            check_token(core, token, &need, &[], &facts)
        }
        Err(code) => Decision::refused(code),
    })
}

/// What `POST /v1/verify` would answer about a credential of that tenant, from where the caller is. Nothing is charged or
/// logged.
pub(crate) fn tried(ctx: &Ctx, credential: &str, scopes: &[Scope], tenant: TenantId) -> Result<VerifyResponse> {
    let need = Requirement { scopes: scopes.to_vec(), ..Requirement::default() };
    let mut decision = check(ctx.core(), credential, ctx.request().ip, &need, Some(tenant), false)?;
    charge(ctx.core(), &mut decision, 0);
    Ok(response(ctx, decision))
}

/// Charges the limits of a credential that passed everything else. A gateway has none of its own.
pub fn charge(core: &Core, decision: &mut Decision, cost: u32) {
    decision.cost = cost;
    if decision.code != Code::Valid {
        return;
    }
    let (subject, limit) = match (&decision.entry, &decision.token) {
        (Some(entry), _) if entry.kind != KeyKind::Gateway => (Subject::Key(entry.tenant_id, entry.key_id), entry.rate_limit),
        (None, Some(token)) => subject(token),
        _ => return,
    };
    let charge = core.limits.charge(subject, limit, cost, core.now());
    if !charge.admitted() {
        decision.code = Code::RateLimited;
    }
    decision.charge = Some(charge);
}

/// Whose requests a token's are counted with, and how many they may be.
fn subject(token: &Token) -> (Subject, RateLimit) {
    let tenant = token.tenant_id;
    match &token.bearer {
        Bearer::Person(user) => (Subject::Person(tenant, *user), PERSON),
        Bearer::PersonBy(user, app) => (Subject::PersonBy(tenant, *user, *app), OAUTH),
        Bearer::App(app) => (Subject::App(tenant, *app), OAUTH),
        Bearer::Named(app, name) => {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            (Subject::Named(tenant, *app, hasher.finish()), PERSON)
        }
    }
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
    if !gateway && ctx.sandboxed().is_some_and(|e| decision.environment().is_some_and(|its| its != e)) {
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
    let own = decision.tenant_id().filter(|_| decision.code == Code::Valid).map(|id| id.to_string());
    let elsewhere = match (own, tenant) {
        (Some(own), Some(t)) if own != t => Some((client(ctx, &decision, ip).await?, t)),
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
    if let Some(tenant_id) = entered {
        decision.entry = decision.entry.map(|e| Arc::new(Entry { tenant_id, ..Entry::clone(&e) }));
        decision.token = decision.token.map(|t| Arc::new(Token { tenant_id, ..Token::clone(&t) }));
    }
    Ok(decision)
}

/// The client whose credential was let in, as a caller of their own. The person of a token who left since is nobody.
async fn client(ctx: &Ctx, decision: &Decision, ip: Option<IpAddr>) -> Result<Ctx> {
    let core = ctx.core();
    let request = RequestInfo { ip, ..ctx.request().clone() };
    let as_who = |who| Ctx::new(core.clone(), who, request);
    Ok(match (&decision.entry, &decision.token) {
        (Some(entry), _) => as_who(Who::Key(entry.clone())),
        (None, Some(token)) => as_who(bearer(core, token).await?.unwrap_or(Who::Anonymous)).with_token(token.clone()),
        (None, None) => as_who(Who::Anonymous),
    })
}

/// Who calls with a token, as they are now; none when they left the tenant or were disabled since.
pub async fn bearer(core: &Core, token: &Token) -> Result<Option<Who>> {
    match &token.bearer {
        Bearer::Person(user_id) | Bearer::PersonBy(user_id, _) => {
            let person = identity::resume(core, SignedIn { user_id: *user_id, tenant_id: token.tenant_id }).await?;
            Ok(person.map(Who::Person))
        }
        Bearer::App(app) | Bearer::Named(app, _) => Ok(core.apps.get(*app).map(Who::App)),
    }
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

/// The same caller a while later: a key or a token as it is now, none if it no longer works from there. For what goes on
/// after it was authenticated; people are looked up with each of their requests.
pub fn refreshed(ctx: &Ctx) -> Option<Ctx> {
    let core = ctx.core();
    if let Some(token) = ctx.token() {
        return refreshed_token(ctx, token);
    }
    let Who::Key(was) = ctx.who() else { return Some(ctx.clone()) };
    core.cache.check_fresh(core).ok()?;
    let entry = core.cache.find(was.key_id, was.secret_id)?;
    let facts = facts_of(ctx);
    let still = decide(&entry, &facts) == Code::Valid;
    let now = still.then(|| Ctx::new(core.clone(), Who::Key(entry), ctx.request().clone()))?;
    match ctx.elsewhere() {
        Some(tenant_id) => now.is_platform().then(|| now.acting_in(tenant_id)),
        None => Some(now),
    }
}

/// The same for a token: it ends with its app, and does no more than the app may by now (s22, s34).
fn refreshed_token(ctx: &Ctx, token: &Token) -> Option<Ctx> {
    let core = ctx.core();
    core.cache.check_fresh(core).ok()?;
    let list = allowlist(core, token);
    let need = Requirement::default();
    let decision = check_token(core, token.clone(), &need, list.as_deref().unwrap_or_default(), &facts_of(ctx));
    let token = decision.token.filter(|_| decision.code == Code::Valid)?;
    Some(ctx.clone().with_token(token))
}

/// What is known of a caller who goes on.
fn facts_of(ctx: &Ctx) -> Facts<'static> {
    Facts { ip: ctx.request().ip, environment: None, scopes: &[], only_tenant: None, now: ctx.now() }
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
        tenant_id: decision.tenant_id().or(home),
        request_id: ctx.request().id.clone(),
        credential_id: entry.map(|e| e.key_id),
        client_id: decision.token.as_ref().and_then(|t| t.bearer.app()),
        subject: decision.token.as_ref().and_then(|t| t.bearer.person()),
        asked_by: asker(ctx, source),
        kind: decision.kind,
        outcome: if decision.code == Code::Valid { Outcome::Allowed } else { Outcome::Denied },
        code: decision.code,
        method: logged.method.map(|m| clip(m, 16)),
        path: logged.path.map(|p| clip(p.split(['?', '#']).next().unwrap_or_default().to_owned(), 512)),
        ip,
        user_agent: logged.user_agent.map(|ua| clip(ua, 256)),
        versions: Versions { api: versions.api.map(|v| clip(v, 64)), client: versions.client.map(|v| clip(v, 64)) },
        environment: log_environment(decision, need, core),
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
fn log_environment(decision: &Decision, need: &Requirement, core: &Core) -> Environment {
    let gateway = decision.entry.as_ref().is_some_and(|e| e.kind == KeyKind::Gateway);
    decision.environment().filter(|_| !gateway).or(need.environment).unwrap_or(core.settings.environment)
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
    let (entry, token) = (decision.entry.as_deref(), decision.token.as_deref());
    VerifyResponse {
        valid: decision.code == Code::Valid,
        code: decision.code,
        kind: decision.tenant_id().map(|_| decision.kind),
        credential_id: decision.credential_id(),
        tenant_id: decision.tenant_id().map(|id| id.to_string()),
        subject: decision.subject(),
        client_id: token.map(|t| t.bearer.client_id()),
        environment: decision.environment(),
        scopes: decision.scopes().map(|s| s.0.clone()).unwrap_or_default(),
        metadata: entry.map_or_else(|| serde_json::json!({}), |e| e.metadata.clone()),
        expires_at: entry.map_or_else(|| token.map(|t| t.expires_at), |e| e.expires_at),
        rate_limit: decision.charge.map(|c| c.state),
        request_id: ctx.request().id.clone(),
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
