//! Console sessions in our own table: the id is stored hashed, so that a copy of the database opens none (s19).

use crate::{
    Core, Grant, Result,
    db::{Db, Tx, on},
    identity::SignedIn,
};
use aws_lc_rs::digest::{SHA256, digest};
use contract::{UnixMs, UserId};
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

fn hash(id: &str) -> Vec<u8> {
    digest(&SHA256, id.as_bytes()).as_ref().to_vec()
}

/// Stores a session under a new id; false when the id is taken.
pub async fn insert(core: &Core, id: &str, data: &str, person: Option<SignedIn>) -> Result<bool> {
    const SQL: &str = "INSERT INTO sessions (digest, user_id, data, created_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5) \
        ON CONFLICT (digest) DO NOTHING";
    let now = core.now();
    let user = person.map(|p| p.user_id).map(UserId::uuid);
    let mut tx = core.db.begin().await?;
    let n = on!(tx, c => sqlx::query(SQL).bind(hash(id)).bind(user).bind(data).bind(now.0).bind(now.plus(IDLE).0)
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

/// Ends a session.
pub async fn delete(core: &Core, id: &str) -> Result<()> {
    let mut tx = core.db.begin().await?;
    on!(tx, c => sqlx::query("DELETE FROM sessions WHERE digest = $1").bind(hash(id)).execute(c).await.map(drop))?;
    tx.commit_quiet().await
}

/// Ends the sessions of a person, wherever they work.
pub(crate) async fn end_of_person(tx: &mut Tx, user: UserId) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends the sessions that work in the grant's tenant: of one person, or of everybody. What a session remembers names
/// its tenant by an id that stands nowhere else in it.
pub(crate) async fn end_in_tenant(tx: &mut Tx, grant: &Grant, user: Option<UserId>) -> Result<()> {
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
