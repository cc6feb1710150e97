//! Who asks, in which request: the first argument of every domain call.

use crate::{
    Core, Error, Result,
    db::{Db, WriteTx},
    oauth::Client,
    tokens::Token,
    verify::Entry,
};
use contract::{Actor, ActorKind, Environment, ErrorCode, KeyKind, Perm, Problem, Role, Scope, ScopeSet, TenantId, UnixMs, UserId};
use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// What is known of the request beside who sent it.
#[derive(Clone, Debug, Default)]
pub struct RequestInfo {
    /// The id that the client is given; also its own, if that was acceptable.
    pub id: String,
    /// The client's address, believed according to the trusted proxies; none when it cannot be known.
    pub ip: Option<IpAddr>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// What it says of its versions.
    pub versions: Versions,
}

/// What a caller says of its versions: recorded, and otherwise without effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// `X-API-Version`: the one that it was written for.
    pub api: Option<String>,
    /// `X-Client-Version`: its own.
    pub client: Option<String>,
}

/// A signed-in member of the tenant being worked on.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// The tenant being worked on.
    pub tenant_id: TenantId,
    /// What they may do in it.
    pub role: Role,
    /// Whether they operate the installation.
    pub platform_admin: bool,
    /// Whether they are there as support, for some hours.
    pub supporting: bool,
    /// Whether the tenant requires a second factor and they have none: all they can do is set one up.
    pub must_enrol: bool,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum Who {
    /// Nobody that is known.
    Anonymous,
    /// A person in the console.
    Person(Person),
    /// An API key.
    Key(Arc<Entry>),
    /// An OAuth app for itself, by a token.
    App(Arc<Client>),
    /// The command line on the server, for one tenant.
    CommandLine(TenantId),
}

/// Who asks, in which request, of which installation.
#[derive(Clone)]
pub struct Ctx {
    core: Arc<Core>,
    who: Who,
    /// The tenant that the caller acts in, where it is not their own.
    elsewhere: Option<TenantId>,
    request: RequestInfo,
    /// The token by which a person calls; none in the console.
    token: Option<Arc<Token>>,
    /// What may be sent again is noted.
    noted: Option<Arc<Noted>>,
    /// The console's session that the request came with.
    session: Option<InSession>,
}

/// The console's session behind a request.
#[derive(Clone, Debug)]
pub struct InSession {
    /// The hash of its id.
    pub digest: Vec<u8>,
    /// When the person last proved who they are.
    pub proven_at: UnixMs,
}

/// How long a proof of who is there is fresh enough for what must not be done at an open screen (s16).
const FRESH: i64 = 10 * 60_000;
/// How far the clocks of two nodes may lie apart.
const SKEW: i64 = 30_000;

/// What is remembered of a request with an idempotency key while it is carried out.
#[derive(Debug)]
struct Noted {
    /// Its row.
    request: Uuid,
    /// The permissions that it was granted: a repetition needs them still.
    asked: Mutex<Vec<Perm>>,
}

/// Evidence that the caller may act in a tenant; the only source of a tenant id for SQL (rule 1).
#[derive(Clone, Debug)]
pub struct Grant {
    tenant_id: TenantId,
    actor: Actor,
}

impl Grant {
    /// The tenant that may be acted in.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// Who acts.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Callers leave traces of their own in their tenant, such as a session's start or the answer to a request,
    /// whatever they may do there.
    pub(crate) fn of_caller(ctx: &Ctx) -> Result<Self> {
        let tenant_id = ctx.tenant_id().ok_or(Error::Unauthenticated)?;
        Ok(Self { tenant_id, actor: ctx.actor() })
    }

    /// A leaked key is looked at and ended in its own tenant, whoever found it; the event says who that was.
    pub(crate) const fn of_leak(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }

    /// Whoever holds the link of an invitation may join its tenant by it.
    pub(crate) const fn of_invitation(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }

    /// Those who operate the installation act on every tenant.
    pub(crate) fn of_platform(ctx: &Ctx, tenant_id: TenantId) -> Result<Self> {
        ctx.enrolled()?;
        let grant = ctx.operates().then(|| Self { tenant_id, actor: ctx.actor() });
        grant.ok_or_else(Error::platform_only)
    }

    /// Whoever helps somebody back in leaves a trace in each of that person's tenants.
    pub(crate) const fn of_recovery(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }

    /// A try to sign in is noted in the account's tenants.
    pub(crate) const fn of_attempt(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }

    /// An app and whoever allowed it meet in the tenant where it acts.
    pub(crate) const fn of_authorization(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }

    /// A tenant whose time is over is removed by nobody in particular, and the first one keeps a note of it.
    pub(crate) const fn of_removal(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }

    /// What the server does at its time, such as removing what is kept for a while only, is done by nobody in particular.
    pub(crate) fn of_job(tenant_id: TenantId, job: &'static str) -> Self {
        Self { tenant_id, actor: Actor { kind: ActorKind::System, id: None, name: job.to_owned() } }
    }

    /// The makers of a tenant may act in it.
    pub(crate) const fn of_new_tenant(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }
}

impl Ctx {
    /// A context for one request.
    pub const fn new(core: Arc<Core>, who: Who, request: RequestInfo) -> Self {
        Self { core, who, elsewhere: None, request, token: None, noted: None, session: None }
    }

    /// The same for a person who calls by a token: they may do what their role and the token's scopes both hold.
    #[must_use]
    pub fn with_token(self, token: Arc<Token>) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The token by which a person calls.
    pub fn token(&self) -> Option<&Token> {
        self.token.as_deref()
    }

    /// The same in a session of the console.
    #[must_use]
    pub fn in_session(self, session: InSession) -> Self {
        Self { session: Some(session), ..self }
    }

    /// The session that the request came with.
    pub const fn session(&self) -> Option<&InSession> {
        self.session.as_ref()
    }

    /// What changes who gets in, and what makes a secret, wants a fresh proof (s16). Sessions and the tokens of people grow old: a key or
    /// the command line proves itself with every request.
    pub fn fresh(&self) -> Result<()> {
        let proven_at = self.session.as_ref().map(|s| s.proven_at).or_else(|| self.token.as_ref().and_then(|t| t.auth_time));
        match proven_at {
            // A proof of the future is none: the clock went back.
            Some(at) if !(-SKEW..FRESH).contains(&(self.now().0 - at.0)) => Err(Error::NotFresh),
            _ => Ok(()),
        }
    }

    /// The same request of the person as they are now.
    pub(crate) fn of_person(&self, person: Person) -> Self {
        Self { who: Who::Person(person), ..self.clone() }
    }

    /// The installation.
    pub const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.core.db
    }

    /// Who asks.
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// The signed-in person, if one is.
    pub const fn person(&self) -> Option<&Person> {
        match &self.who {
            Who::Person(p) => Some(p),
            _ => None,
        }
    }

    /// The tenant that the caller works in, if one is known.
    pub fn tenant_id(&self) -> Option<TenantId> {
        self.elsewhere.or_else(|| self.home())
    }

    /// The tenant that the caller belongs to.
    pub(crate) fn home(&self) -> Option<TenantId> {
        match &self.who {
            Who::Anonymous => None,
            Who::Person(p) => Some(p.tenant_id),
            Who::Key(key) => Some(key.tenant_id),
            Who::App(client) => Some(client.tenant_id),
            Who::CommandLine(tenant_id) => Some(*tenant_id),
        }
    }

    /// The same caller in another tenant. Who may is asked, and written down, by `tenants::act_in`.
    pub(crate) fn acting_in(&self, tenant_id: TenantId) -> Self {
        Self { elsewhere: Some(tenant_id).filter(|t| self.home() != Some(*t)), ..self.clone() }
    }

    /// The tenant that the caller acts in, where it is not their own.
    pub(crate) const fn elsewhere(&self) -> Option<TenantId> {
        self.elsewhere
    }

    /// The same caller in the tenant that they belong to.
    pub(crate) fn at_home(&self) -> Self {
        Self { elsewhere: None, ..self.clone() }
    }

    /// The request.
    pub const fn request(&self) -> &RequestInfo {
        &self.request
    }

    /// Now.
    pub fn now(&self) -> UnixMs {
        self.core.now()
    }

    /// A fresh UUIDv7.
    pub fn new_uuid(&self) -> Uuid {
        self.core.new_uuid()
    }

    /// Refuses who has no second factor where the tenant requires one.
    pub fn enrolled(&self) -> Result<()> {
        if self.person().is_some_and(|p| p.must_enrol) { Err(Error::must_enrol(&self.core.settings.public_url)) } else { Ok(()) }
    }

    /// The right to do `perm` in the caller's tenant, or why not.
    pub fn require(&self, perm: Perm) -> Result<Grant> {
        let tenant_id = self.tenant_id().ok_or(Error::Unauthenticated)?;
        self.enrolled()?;
        let held = match &self.who {
            Who::Anonymous => false,
            // Whoever operates the installation is an admin of the tenants that they enter. Support changes no policies:
            // they would outlive its access.
            Who::Person(p) => {
                let role = if self.elsewhere.is_some() { Role::Admin } else { p.role };
                role.holds(perm) && !(p.supporting && perm == Perm::PoliciesWrite) && self.token().is_none_or(|t| perm.held_by(&t.scopes))
            }
            Who::Key(key) => perm.held_by(&key.scopes),
            Who::App(_) => self.token().is_some_and(|t| perm.held_by(&t.scopes)),
            Who::CommandLine(_) => true,
        };
        if !held {
            return Err(Error::Denied(perm));
        }
        if let Some(noted) = &self.noted {
            noted.asked.lock().unwrap_or_else(PoisonError::into_inner).push(perm);
        }
        Ok(Grant { tenant_id, actor: self.actor() })
    }

    /// The same for carrying out a request with an idempotency key: [`Ctx::asked`] knows what was required from here on,
    /// and every change marks the request as carried out. Clones share it.
    #[must_use]
    pub(crate) fn noting(&self, request: Uuid) -> Self {
        Self { noted: Some(Arc::new(Noted { request, asked: Mutex::default() })), ..self.clone() }
    }

    /// The row of the idempotency key, if the request has one.
    pub(crate) fn repeatable(&self) -> Option<Uuid> {
        self.noted.as_ref().map(|noted| noted.request)
    }

    /// The permissions that were required and held since [`Ctx::noting`].
    pub(crate) fn asked(&self) -> Vec<Perm> {
        let mut asked = self.noted.as_ref().map(|n| n.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default();
        asked.sort_unstable_by_key(|p| p.as_str());
        asked.dedup();
        asked
    }

    /// The environment that the caller is shut into: a test credential of a live installation sees test objects only (s36).
    pub fn sandboxed(&self) -> Option<Environment> {
        match &self.who {
            Who::Key(key) if key.environment == Environment::Test && self.core.settings.environment == Environment::Live => {
                Some(Environment::Test)
            }
            _ => None,
        }
    }

    /// The same as [`Self::require`] for what belongs to the tenant as a whole, which test credentials do not touch.
    pub fn require_tenant_level(&self, perm: Perm) -> Result<Grant> {
        let grant = self.require(perm)?;
        match self.sandboxed() {
            None => Ok(grant),
            Some(_) => Err(Error::Refused(ErrorCode::EnvironmentMismatch, ErrorCode::EnvironmentMismatch.message().to_owned())),
        }
    }

    /// May the caller hand `scope` to a key? Nobody grants more than they hold (s35).
    pub fn may_grant(&self, scope: &Scope) -> Result<()> {
        let held = match &self.who {
            Who::Anonymous => false,
            Who::CommandLine(_) => true,
            Who::Person(_) if self.token().is_some_and(|t| !t.scopes.covers(scope)) => false,
            Who::Person(p) if p.role.grants_any() => true,
            // Of Keystead's own permissions they hold what concerns their own keys; a key of theirs would know no such bound.
            Who::Person(p) => !scope.is_reserved() && p.role.own_api().covers(scope),
            Who::Key(key) => key.covers(scope),
            Who::App(_) => self.token().is_some_and(|t| t.scopes.covers(scope)),
        };
        if held { Ok(()) } else { Err(Error::CannotGrant(scope.clone())) }
    }

    /// May the caller act on the installation beyond one tenant?
    pub fn is_platform(&self) -> bool {
        match &self.who {
            Who::Anonymous | Who::App(_) => false,
            // Nobody lets an app operate the installation.
            Who::Person(p) => p.platform_admin && self.token().is_none_or(|t| t.bearer.app().is_none()),
            Who::Key(key) => key.platform && key.kind != KeyKind::Tenant,
            Who::CommandLine(_) => true,
        }
    }

    /// Do they operate the installation? A gateway decides for all of it, and does nothing else; a token does so only if
    /// its scopes name the permission to change settings.
    pub fn operates(&self) -> bool {
        self.is_platform()
            && match &self.who {
                Who::Key(key) => key.kind != KeyKind::Gateway,
                _ => self.token().is_none_or(|t| Perm::SettingsWrite.held_by(&t.scopes)),
            }
    }

    /// What the caller holds, for keys; people hold a role.
    pub fn scopes(&self) -> ScopeSet {
        match &self.who {
            Who::Key(key) => key.scopes.clone(),
            _ => ScopeSet::default(),
        }
    }

    /// The caller as the audit log names it.
    pub fn actor(&self) -> Actor {
        match &self.who {
            Who::Anonymous => Actor { kind: ActorKind::System, id: None, name: "anonymous".to_owned() },
            Who::Person(p) => Actor { kind: ActorKind::User, id: Some(p.user_id.to_string()), name: p.email.clone() },
            Who::Key(key) => Actor { kind: ActorKind::ApiKey, id: Some(key.key_id.to_string()), name: key.name.clone() },
            Who::App(client) => Actor { kind: ActorKind::App, id: Some(client.id.to_string()), name: client.name.clone() },
            Who::CommandLine(_) => Actor { kind: ActorKind::CommandLine, id: None, name: "command line".to_owned() },
        }
    }

    /// Starts a change in the grant's tenant.
    pub async fn write(&self, grant: &Grant) -> Result<WriteTx> {
        WriteTx::begin(self, grant).await
    }

    /// The same for a change that is noted there and reaches into other tenants; a test lists who may.
    pub(crate) async fn write_all(&self, grant: &Grant) -> Result<WriteTx> {
        WriteTx::begin_all(self, grant).await
    }

    /// What the client sees of an error; faults are logged here, once, with the request id.
    pub fn problem(&self, e: Error) -> Problem {
        if e.is_fault() {
            tracing::error!(request_id = %self.request.id, error = %e, "request failed");
        }
        let mut problem = e.problem();
        problem.request_id.clone_from(&self.request.id);
        problem
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("who", &self.who).field("request", &self.request).finish_non_exhaustive()
    }
}
