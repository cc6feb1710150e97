//! Console sessions in our own table: the id is stored hashed, so that a copy of the database opens none (s19).

use super::own_grant;
use crate::{
    Core, Ctx, Error, Grant, RequestInfo, Result,
    db::{Db, Event, Tx, on},
    identity::SignedIn,
};
use aws_lc_rs::digest::{SHA256, digest};
use contract::{SessionSeen, Target, UnixMs, UserId};
use sqlx::FromRow;

/// Without a request for this long, a session ends.
pub const IDLE: i64 = 12 * 3_600_000;
/// However busy, a session ends after this long.
pub const ABSOLUTE: i64 = 7 * UnixMs::DAY;
/// How often `last_seen_at` is written.
const TOUCH: i64 = 60_000;

/// What is stored of a session.
#[derive(Debug, Clone, FromRow)]
pub struct Stored {
    /// What it remembers, as JSON.
    pub data: String,
    /// When it ends unless it is used, Unix milliseconds.
    pub expires_at: i64,
    last_seen_at: i64,
    created_at: i64,
}

/// The hash of a session's id: under it the session lies, and by it its person may name it.
pub fn hash(id: &str) -> Vec<u8> {
    digest(&SHA256, id.as_bytes()).as_ref().to_vec()
}

/// Stores a session under a new id; false when the id is taken. A session that only changes its id goes on from `since`.
pub async fn insert(core: &Core, id: &str, data: &str, person: Option<SignedIn>, since: Option<UnixMs>) -> Result<bool> {
    const SQL: &str = "INSERT INTO sessions (digest, user_id, data, created_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (digest) DO NOTHING";
    let now = core.now();
    let since = since.unwrap_or(now);
    let ends = now.plus(IDLE).min(since.plus(ABSOLUTE));
    let user = person.map(|p| p.user_id).map(UserId::uuid);
    let mut tx = core.db.begin().await?;
    let n = on!(tx, c => sqlx::query(SQL).bind(hash(id)).bind(user).bind(data).bind(since.0).bind(now.0).bind(ends.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    tx.commit_quiet().await?;
    Ok(n == 1)
}

/// Replaces what a session remembers. One that was ended meanwhile stays ended.
pub async fn update(core: &Core, id: &str, data: &str, person: Option<SignedIn>) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET data = $2, user_id = $3, last_seen_at = $4 WHERE digest = $1";
    let mut tx = core.db.begin().await?;
    let user = person.map(|p| p.user_id).map(UserId::uuid);
    on!(tx, c => sqlx::query(SQL).bind(hash(id)).bind(data).bind(user).bind(core.now().0).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}

/// The session behind an id, if it still lives; using it keeps it alive up to its absolute end.
pub async fn load(core: &Core, id: &str) -> Result<Option<Stored>> {
    const SELECT: &str = "SELECT data, expires_at, last_seen_at, created_at FROM sessions WHERE digest = $1 AND expires_at > $2";
    const TOUCHED: &str = "UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE digest = $1";
    let now = core.now();
    let mut tx = core.db.read().await?;
    let stored: Option<Stored> = on!(tx, c => sqlx::query_as(SELECT).bind(hash(id)).bind(now.0).fetch_optional(c).await)?;
    drop(tx);
    if let Some(s) = &stored
        && now.0 - s.last_seen_at >= TOUCH
    {
        let ends = now.plus(IDLE).0.min(s.created_at + ABSOLUTE);
        let mut tx = core.db.begin().await?;
        on!(tx, c => sqlx::query(TOUCHED).bind(hash(id)).bind(now.0).bind(ends).execute(c).await.map(drop))?;
        tx.commit_quiet().await?;
    }
    Ok(stored)
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
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: i64,
    last_seen_at: i64,
}

/// The caller's sessions, the one seen last first.
pub async fn list(ctx: &Ctx) -> Result<Vec<SessionSeen>> {
    const SQL: &str = "SELECT digest, ip, user_agent, created_at, last_seen_at FROM sessions WHERE user_id = $1 AND expires_at > $2 \
        ORDER BY last_seen_at DESC, digest";
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read().await?;
    let rows: Vec<Seen> = on!(tx, c => sqlx::query_as(SQL).bind(person.user_id.uuid()).bind(ctx.now().0).fetch_all(c).await)?;
    let current = ctx.session().map(|s| s.digest.as_slice());
    let seen = |row: Seen| SessionSeen {
        id: row.digest.iter().map(|b| format!("{b:02x}")).collect(),
        current: current == Some(row.digest.as_slice()),
        ip: row.ip,
        user_agent: row.user_agent,
        first_seen_at: UnixMs(row.created_at),
        last_seen_at: UnixMs(row.last_seen_at),
    };
    Ok(rows.into_iter().map(seen).collect())
}

/// Ends one of the caller's sessions; one of somebody else's is not found.
pub async fn end(ctx: &Ctx, id: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE digest = $1 AND user_id = $2";
    let (person, grant) = (ctx.person().ok_or(Error::Unauthenticated)?, own_grant(ctx)?);
    let found = list(ctx).await?.into_iter().find(|s| s.id == id).ok_or(Error::NotFound)?;
    let digest: Vec<u8> = (0..id.len() / 2).filter_map(|n| u8::from_str_radix(id.get(2 * n..2 * n + 2)?, 16).ok()).collect();
    let mut tx = ctx.write(&grant).await?;
    let t = tx.tx();
    on!(t, c => sqlx::query(SQL).bind(digest).bind(person.user_id.uuid()).execute(c).await.map(drop))?;
    let after = serde_json::json!({"sessions": 1, "ip": found.ip, "current": found.current});
    tx.commit(ended(ctx, person.user_id, after)).await
}

/// Ends every session of the caller but this one; how many that were.
pub async fn end_others(ctx: &Ctx) -> Result<u64> {
    let (person, grant) = (ctx.person().ok_or(Error::Unauthenticated)?, own_grant(ctx)?);
    let mut tx = ctx.write(&grant).await?;
    let n = end_all_but(tx.tx(), ctx, person.user_id).await?;
    tx.commit(ended(ctx, person.user_id, serde_json::json!({"sessions": n}))).await?;
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

/// Ends a session.
pub async fn delete(core: &Core, id: &str) -> Result<()> {
    let mut tx = core.db.begin().await?;
    on!(tx, c => sqlx::query("DELETE FROM sessions WHERE digest = $1").bind(hash(id)).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}

/// Ends the sessions that work in the grant's tenant: of one person, or of everybody. What a session remembers names
/// its tenant by an id that stands nowhere else in it.
pub(super) async fn end_in_tenant(tx: &mut Tx, grant: &Grant, user: Option<UserId>) -> Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE data LIKE $1 AND ($2 IS NULL OR user_id = $2)";
    let named = format!("%{}%", grant.tenant_id());
    on!(tx, c => sqlx::query(SQL).bind(named).bind(user.map(UserId::uuid)).execute(c).await.map(drop))?;
    Ok(())
}

/// Removes sessions that have ended by themselves.
pub async fn sweep(db: &Db, now: UnixMs) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(tx, c => sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.0).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}
