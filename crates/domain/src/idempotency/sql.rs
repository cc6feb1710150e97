//! One row a key: found by `idempotency_keys_by_key`, swept along `idempotency_keys_by_time`.

use super::Stored;
use crate::{
    Grant, Result,
    db::{Tx, on},
};
use contract::UnixMs;
use sqlx::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct Row {
    pub id: Uuid,
    pub fingerprint: Vec<u8>,
    pub perms: String,
    pub created_at: i64,
    pub carried_out_at: Option<i64>,
    pub status: Option<i64>,
    pub body: Option<String>,
    pub sealed: Option<Vec<u8>>,
}

/// False when the key is taken.
pub(super) async fn insert(
    tx: &mut Tx,
    grant: &Grant,
    id: Uuid,
    credential: Uuid,
    key: &str,
    fingerprint: &[u8],
    now: UnixMs,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO idempotency_keys (tenant_id, id, credential_id, key, fingerprint, perms, created_at) \
        VALUES ($1, $2, $3, $4, $5, '', $6) ON CONFLICT (tenant_id, credential_id, key) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(credential).bind(key).bind(fingerprint)
        .bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn find(tx: &mut Tx, grant: &Grant, credential: Uuid, key: &str) -> Result<Option<Row>> {
    const SQL: &str = "SELECT id, fingerprint, perms, created_at, carried_out_at, status, body, sealed FROM idempotency_keys \
        WHERE tenant_id = $1 AND credential_id = $2 AND key = $3";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(credential).bind(key).fetch_optional(c).await)?)
}

/// Forgets a key, if it still is the one that was seen.
pub(super) async fn delete(tx: &mut Tx, grant: &Grant, id: Uuid) -> Result<bool> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND id = $2";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// The same while nothing came of it: neither a change nor an answer.
pub(super) async fn give_up(tx: &mut Tx, grant: &Grant, id: Uuid) -> Result<bool> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND id = $2 AND carried_out_at IS NULL AND status IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// False when the key was forgotten.
pub(super) async fn mark(tx: &mut Tx, grant: &Grant, id: Uuid, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE idempotency_keys SET carried_out_at = $3 WHERE tenant_id = $1 AND id = $2";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn finish(tx: &mut Tx, grant: &Grant, id: Uuid, perms: &str, answer: &Stored, sealed: Option<Vec<u8>>) -> Result<()> {
    const SQL: &str =
        "UPDATE idempotency_keys SET perms = $3, status = $4, body = $5, sealed = $6 WHERE tenant_id = $1 AND id = $2 AND status IS NULL";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(perms).bind(i64::from(answer.status)).bind(&answer.body)
        .bind(sealed).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn sweep_unscoped(tx: &mut Tx, forgotten: UnixMs, silent: UnixMs) -> Result<()> {
    const FORGET: &str = "DELETE FROM idempotency_keys WHERE created_at < $1";
    const SILENCE: &str = "UPDATE idempotency_keys SET sealed = NULL WHERE created_at < $1 AND sealed IS NOT NULL";
    on!(tx, c => sqlx::query(FORGET).bind(forgotten.0).execute(c).await.map(drop))?;
    on!(tx, c => sqlx::query(SILENCE).bind(silent.0).execute(c).await.map(drop))?;
    Ok(())
}
