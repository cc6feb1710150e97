//! Orphaned keys are found by the partial index `api_keys_orphaned`, those of a member by `api_keys_by_owner`.

use crate::{
    Grant, Result,
    db::{Tx, on},
};
use contract::{KeyId, TenantId, UnixMs, UserId};
use uuid::Uuid;

/// Every key whose owner left, and since when.
pub(super) async fn orphaned(tx: &mut Tx, grant: &Grant) -> Result<Vec<(KeyId, UnixMs)>> {
    const SQL: &str = "SELECT id, orphaned_at FROM api_keys WHERE tenant_id = $1 AND orphaned_at IS NOT NULL";
    let rows: Vec<(Uuid, i64)> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id, at)| (KeyId::from_uuid(id), UnixMs(at))).collect())
}

pub(super) async fn mark(tx: &mut Tx, grant: &Grant, owner: UserId, at: Option<UnixMs>) -> Result<()> {
    const SQL: &str = "UPDATE api_keys SET orphaned_at = $3 WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(owner.uuid()).bind(at.map(|t| t.0)).execute(c).await.map(drop))?;
    Ok(())
}

/// What was left then or before and still works, of tenants that demand an owner.
pub(super) async fn due_unscoped(tx: &mut Tx, until: UnixMs) -> Result<Vec<(TenantId, KeyId, String)>> {
    const SQL: &str = "SELECT k.tenant_id, k.id, k.name, t.policies FROM api_keys k JOIN tenants t ON t.id = k.tenant_id \
        WHERE k.orphaned_at <= $1 AND k.disabled_at IS NULL AND k.revoked_at IS NULL AND t.deleted_at IS NULL ORDER BY k.tenant_id, k.id";
    type Due = (Uuid, Uuid, String, sqlx::types::Json<contract::Policies>);
    let rows: Vec<Due> = on!(tx, c => sqlx::query_as(SQL).bind(until.0).fetch_all(c).await)?;
    let demanded = rows.into_iter().filter(|(.., policies)| policies.require_owner);
    Ok(demanded.map(|(tenant, id, name, _)| (TenantId::from_uuid(tenant), KeyId::from_uuid(id), name)).collect())
}

/// False when it is orphaned no more, or works no more.
pub(super) async fn disable(tx: &mut Tx, grant: &Grant, id: KeyId, until: UnixMs, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE api_keys SET disabled_at = $4 WHERE tenant_id = $1 AND id = $2 AND orphaned_at <= $3 \
        AND disabled_at IS NULL AND revoked_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(until.0).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}
