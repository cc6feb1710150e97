//! Console sessions in our own table: the id is stored hashed, so that a copy of the database opens none (s19). Found by
//! their digest, `sessions_by_user` and, for what a tenant ends, `sessions_by_tenant`.

use super::{Admitted, own_grant, sql};
use crate::{
    Core, Ctx, Error, Grant, RequestInfo, Result,
    db::{Db, Event, Tx, on},
    identity::SignedIn,
    tenants, tokens,
};
use aws_lc_rs::digest::{SHA256, digest};
use contract::{Lifetime, LoginId, Policies, SessionSeen, Target, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

/// How often `last_seen_at` is written.
const TOUCH: i64 = 60_000;
/// How long it is known of a session that it was there: another id takes over within one request.
const REMEMBERED: i64 = 60_000;

/// What is stored of a session.
#[derive(Debug, Clone, FromRow)]
pub struct Stored {
    /// What it remembers, as JSON.
    pub data: String,
    /// When it ends unless it is used, Unix milliseconds.
    pub expires_at: i64,
    last_seen_at: i64,
    created_at: i64,
    works_in: Option<Uuid>,
    /// Of the tenant that it works in.
    policies: Option<Json<Policies>>,
}

impl Stored {
    /// The tenant that it works in: another than it remembers, once its person was taken out of that.
    pub fn works_in(&self) -> Option<TenantId> {
        self.works_in.map(TenantId::from_uuid)
    }

    /// When it ends if it was used then.
    fn ends(&self, used: UnixMs) -> UnixMs {
        lifetime(self.policies.as_ref()).ends(UnixMs(self.created_at), used)
    }
}

/// A session of a tenant follows its policies; one that nobody has signed in with yet, none.
fn lifetime(policies: Option<&Json<Policies>>) -> Lifetime {
    policies.map_or(Lifetime::LONGEST, |p| p.0.lifetime())
}

/// The hash of a session's id: under it the session lies, and by it its person may name it.
pub fn hash(id: &str) -> Vec<u8> {
    digest(&SHA256, id.as_bytes()).as_ref().to_vec()
}

/// Why somebody's session may stand under an id that was not there before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Ground {
    /// They signed in.
    Admitted {
        /// When that began.
        epoch: i64,
        /// The sign-in whose second step this was.
        second_step: Option<Uuid>,
    },
    /// The session of this hash goes on under the new id, and is there no more. Nobody ended it meanwhile.
    GoesOn {
        /// In hex.
        from: String,
    },
}

impl Ground {
    /// The session of this id goes on.
    pub fn goes_on(id: &str) -> Self {
        Self::GoesOn { from: named(&hash(id)) }
    }

    async fn check(&self, tx: &mut Tx, who: SignedIn, now: UnixMs) -> Result<()> {
        const SQL: &str = "DELETE FROM sessions WHERE digest = $1 AND user_id = $2";
        let (epoch, second_step) = match self {
            Self::Admitted { epoch, second_step } => (*epoch, *second_step),
            Self::GoesOn { from } => {
                let held = sql::hold_unscoped(tx, who.user_id).await?.is_some_and(|a| a.in_use);
                let gone = on!(tx, c => sqlx::query(SQL).bind(digest_of(from)).bind(who.user_id.uuid()).execute(c).await.map(|r| r.rows_affected()))?;
                let member = sql::membership_unscoped(tx, who, now).await?;
                return (held && gone == 1 && member.is_some()).then_some(()).ok_or(Error::Unauthenticated);
            }
        };
        Admitted { who, epoch, second_step }.enter(tx, now).await.map(drop)
    }
}

/// Stores a session under a new id; false when the id is taken. Somebody's wants a ground; one that only changes its id
/// goes on from `since`.
pub async fn insert(core: &Core, id: &str, data: &str, person: Option<(SignedIn, Ground)>, since: Option<UnixMs>) -> Result<bool> {
    const POLICIES: &str = "SELECT policies FROM tenants WHERE id = $1";
    const SQL: &str = "INSERT INTO sessions (digest, user_id, works_in, data, created_at, last_seen_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO NOTHING";
    let now = core.now();
    let since = since.unwrap_or(now);
    let mut tx = core.db.begin_all().await?;
    if let Some((who, ground)) = &person {
        ground.check(&mut tx, *who, now).await?;
    }
    let (user, tenant) = person.map(|(p, _)| (p.user_id.uuid(), p.tenant_id.uuid())).unzip();
    let policies: Option<Json<Policies>> = on!(tx, c => sqlx::query_scalar(POLICIES).bind(tenant).fetch_optional(c).await)?;
    let ends = lifetime(policies.as_ref()).ends(since, now);
    let n = on!(tx, c => sqlx::query(SQL).bind(hash(id)).bind(user).bind(tenant).bind(data).bind(since.0).bind(now.0).bind(ends.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    tx.commit_quiet().await?;
    Ok(n == 1)
}

/// Replaces what a session remembers. One that was ended meanwhile stays ended.
pub async fn update(core: &Core, id: &str, data: &str, person: Option<SignedIn>) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET data = $2, user_id = $3, works_in = $4, last_seen_at = $5 \
        WHERE digest = $1 AND expires_at > $5";
    let (user, tenant) = (person.map(|p| p.user_id.uuid()), person.map(|p| p.tenant_id.uuid()));
    let mut tx = core.db.begin().await?;
    on!(tx, c => sqlx::query(SQL).bind(hash(id)).bind(data).bind(user).bind(tenant).bind(core.now().0).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}

/// The session behind an id, if it still lives; using it keeps it alive up to its absolute end.
pub async fn load(core: &Core, id: &str) -> Result<Option<Stored>> {
    const SELECT: &str = "SELECT s.data, s.expires_at, s.last_seen_at, s.created_at, s.works_in, t.policies FROM sessions s \
        LEFT JOIN tenants t ON t.id = s.works_in WHERE s.digest = $1 AND s.expires_at > $2";
    const TOUCHED: &str = "UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE digest = $1 AND expires_at > $2";
    let now = core.now();
    let mut tx = core.db.read_all().await?;
    let stored: Option<Stored> = on!(tx, c => sqlx::query_as(SELECT).bind(hash(id)).bind(now.0).fetch_optional(c).await)?;
    drop(tx);
    // One that began while a policy was being saved was stored with an end that is too late.
    let stored = stored.filter(|s| s.ends(UnixMs(s.last_seen_at)) > now);
    if let Some(s) = &stored
        && now.0 - s.last_seen_at >= TOUCH
    {
        let ends = s.ends(now).0;
        let mut tx = core.db.begin().await?;
        on!(tx, c => sqlx::query(TOUCHED).bind(hash(id)).bind(now.0).bind(ends).execute(c).await.map(drop))?;
        tx.commit_quiet().await?;
    }
    Ok(stored)
}

/// How long the caller's sessions in this tenant last.
pub async fn lifetime_here(ctx: &Ctx) -> Result<Lifetime> {
    let grant = own_grant(ctx)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    Ok(tenants::policies_of(&mut tx, &grant).await?.lifetime())
}

/// Sessions of the grant's tenant end as early as this says; one that has ended stays ended.
pub(crate) async fn hold_to(tx: &mut Tx, grant: &Grant, lifetime: Lifetime, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET expires_at = \
        CASE WHEN last_seen_at + $2 < created_at + $3 THEN last_seen_at + $2 ELSE created_at + $3 END WHERE works_in = $1 AND expires_at > $4";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(lifetime.idle).bind(lifetime.absolute).bind(now.0)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// How many sessions of the grant's tenant would end at once if they were held to this.
pub(crate) async fn would_end(tx: &mut Tx, grant: &Grant, lifetime: Lifetime, now: UnixMs) -> Result<i64> {
    const SQL: &str =
        "SELECT COUNT(*) FROM sessions WHERE works_in = $1 AND expires_at > $4 AND (last_seen_at + $2 <= $4 OR created_at + $3 <= $4)";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(lifetime.idle).bind(lifetime.absolute).bind(now.0)
        .fetch_one(c).await)?)
}

/// Notes where a session began.
pub async fn describe(core: &Core, id: &str, from: &RequestInfo) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET ip = $2, user_agent = $3 WHERE digest = $1";
    let (ip, agent) = (from.ip.map(|ip| ip.to_string()), from.user_agent.as_deref());
    let mut tx = core.db.begin().await?;
    on!(tx, c => sqlx::query(SQL).bind(hash(id)).bind(ip).bind(agent).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}

#[derive(FromRow)]
struct Seen {
    digest: Vec<u8>,
    tenant: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: i64,
    last_seen_at: i64,
}

/// A session's name for the forms that end it.
fn named(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// The hash of the session that a form names.
fn digest_of(name: &str) -> Vec<u8> {
    (0..name.len() / 2).filter_map(|n| u8::from_str_radix(name.get(2 * n..2 * n + 2)?, 16).ok()).collect()
}

impl Seen {
    fn seen(self, ctx: &Ctx) -> SessionSeen {
        SessionSeen {
            id: named(&self.digest),
            current: ctx.session().is_some_and(|s| s.digest == self.digest),
            api: false,
            tenant: self.tenant,
            ip: self.ip,
            user_agent: self.user_agent,
            first_seen_at: UnixMs(self.created_at),
            last_seen_at: UnixMs(self.last_seen_at),
        }
    }
}

macro_rules! seen {
    ($tail:literal) => {
        concat!(
            "SELECT s.digest, t.name AS tenant, s.ip, s.user_agent, s.created_at, s.last_seen_at FROM sessions s \
             LEFT JOIN tenants t ON t.id = s.works_in WHERE ",
            $tail
        )
    };
}

/// The caller's sessions and their sign-ins over the API, in whichever of their tenants, the one used last first.
pub async fn list(ctx: &Ctx) -> Result<Vec<SessionSeen>> {
    const SQL: &str = seen!("s.user_id = $1 AND s.expires_at > $2 ORDER BY s.digest");
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read_all().await?;
    let rows: Vec<Seen> = on!(tx, c => sqlx::query_as(SQL).bind(person.user_id.uuid()).bind(ctx.now().0).fetch_all(c).await)?;
    let mut all: Vec<SessionSeen> = rows.into_iter().map(|row| row.seen(ctx)).collect();
    all.extend(tokens::of_person(&mut tx, person.user_id, ctx.now()).await?);
    all.sort_by_key(|s| std::cmp::Reverse(s.last_seen_at));
    Ok(all)
}

/// Ends one of the caller's sessions, or sign-ins over the API; one of somebody else's is not found.
pub async fn end(ctx: &Ctx, id: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE digest = $1 AND user_id = $2";
    let (person, grant) = (ctx.person().ok_or(Error::Unauthenticated)?, own_grant(ctx)?);
    let found = list(ctx).await?.into_iter().find(|s| s.id == id).ok_or(Error::NotFound)?;
    let mut tx = ctx.write_all(&grant).await?;
    let t = tx.tx();
    if let Ok(login) = id.parse::<LoginId>() {
        tokens::end_of_person(t, person.user_id, login, ctx.now()).await?;
    } else {
        let n = on!(t, c => sqlx::query(SQL).bind(digest_of(id)).bind(person.user_id.uuid()).execute(c).await.map(|r| r.rows_affected()))?;
        // It goes on under another id since.
        if n == 0 {
            return Err(Error::NotFound);
        }
    }
    let after = serde_json::json!({"sessions": 1, "ip": found.ip, "current": found.current, "api": found.api});
    tx.commit(ended(ctx, person.user_id, after)).await?;
    ctx.core().cache.sync(ctx.core()).await
}

/// Ends every session of the caller but this one, and their sign-ins over the API; how many that were.
pub async fn end_others(ctx: &Ctx) -> Result<u64> {
    let (person, grant) = (ctx.person().ok_or(Error::Unauthenticated)?, own_grant(ctx)?);
    let mut tx = ctx.write_all(&grant).await?;
    let n = super::sign_out_elsewhere(tx.tx(), ctx, person.user_id).await?;
    tx.commit(ended(ctx, person.user_id, serde_json::json!({"sessions": n}))).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(n)
}

fn ended(ctx: &Ctx, user: UserId, after: serde_json::Value) -> Event {
    let target = Target { kind: "user".to_owned(), id: user.to_string(), name: ctx.actor().name };
    Event { action: "session.ended", target, reason: None, before: None, after: Some(after) }
}

/// Ends a person's sessions but the caller's own.
pub(super) async fn end_all_but(tx: &mut Tx, ctx: &Ctx, user: UserId) -> Result<u64> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND digest <> $2";
    let own = ctx.session().map(|s| s.digest.clone()).unwrap_or_default();
    Ok(on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(own).execute(c).await.map(|r| r.rows_affected()))?)
}

/// Ends every session of a person.
pub(super) async fn end_all(tx: &mut Tx, user: UserId) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends the caller's own session.
pub(super) async fn end_own(ctx: &Ctx) -> Result<()> {
    let Some(session) = ctx.session() else { return Ok(()) };
    let mut tx = ctx.db().begin().await?;
    on!(tx, c => sqlx::query("DELETE FROM sessions WHERE digest = $1").bind(&session.digest).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}

/// Ends a session. For a moment it is known that it was there, so that it can go on under another id ([`Ground`]).
pub async fn delete(core: &Core, id: &str) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET expires_at = $2, data = '{}' WHERE digest = $1 AND expires_at > $2";
    let mut tx = core.db.begin().await?;
    on!(tx, c => sqlx::query(SQL).bind(hash(id)).bind(core.now().0).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}

/// Ends the sessions that work in the grant's tenant: of one person, or of everybody.
pub(super) async fn end_in_tenant(tx: &mut Tx, grant: &Grant, user: Option<UserId>) -> Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE works_in = $1 AND ($2 IS NULL OR user_id = $2)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.map(UserId::uuid)).execute(c).await.map(drop))?;
    Ok(())
}

/// A person is taken out of the grant's tenant: sessions of theirs that work there go on in the one that they would sign in
/// to, and end where there is none. Takes a transaction across tenants, in which they are a member no more.
pub(super) async fn go_on_elsewhere(tx: &mut Tx, grant: &Grant, user: UserId) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET works_in = $3 WHERE works_in = $1 AND user_id = $2";
    match sql::people_unscoped(tx, user).await?.first() {
        Some(next) => {
            let next = next.tenant_id().uuid();
            on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(next).execute(c).await.map(drop))?;
            Ok(())
        }
        None => end_in_tenant(tx, grant, Some(user)).await,
    }
}

/// Sessions of a member that work in the grant's tenant.
pub(crate) async fn of_member(tx: &mut Tx, ctx: &Ctx, grant: &Grant, user: UserId) -> Result<Vec<SessionSeen>> {
    const SQL: &str = seen!("s.works_in = $1 AND s.user_id = $2 AND s.expires_at > $3");
    let rows: Vec<Seen> =
        on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(ctx.now().0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| row.seen(ctx)).collect())
}

/// Ends one of them; false if it is none of theirs.
pub(crate) async fn end_of_member(tx: &mut Tx, grant: &Grant, user: UserId, id: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM sessions WHERE works_in = $1 AND user_id = $2 AND digest = $3";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(digest_of(id))
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Removes sessions that have ended.
pub async fn sweep(db: &Db, now: UnixMs) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(tx, c => sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.plus(-REMEMBERED).0).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}
