//! The catalogue: relies on its primary key, and for what is in use on `api_keys_by_creation`.

use crate::{
    Error, Grant, Result,
    db::{Tx, on},
};
use contract::{Scope, ScopeDef, UnixMs};

pub(super) async fn all(tx: &mut Tx, grant: &Grant) -> Result<Vec<ScopeDef>> {
    const SQL: &str = "SELECT name, description FROM scopes WHERE tenant_id = $1 ORDER BY created_at, canonical";
    let rows: Vec<(String, String)> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    rows.into_iter().map(|(name, description)| Ok(ScopeDef { name: Scope::parse(&name).map_err(Error::internal)?, description })).collect()
}

/// False when the permission stands there already.
pub(super) async fn insert(tx: &mut Tx, grant: &Grant, scope: &Scope, canonical: &str, description: &str, now: UnixMs) -> Result<bool> {
    const SQL: &str = "INSERT INTO scopes (tenant_id, canonical, name, description, created_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (tenant_id, canonical) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(canonical).bind(scope.as_str()).bind(description).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn set_canonical(tx: &mut Tx, grant: &Grant, name: &Scope, canonical: &str) -> Result<()> {
    const SQL: &str = "UPDATE scopes SET canonical = $3 WHERE tenant_id = $1 AND name = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(name.as_str()).bind(canonical).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn describe(tx: &mut Tx, grant: &Grant, name: &Scope, description: &str) -> Result<()> {
    const SQL: &str = "UPDATE scopes SET description = $3 WHERE tenant_id = $1 AND name = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(name.as_str()).bind(description).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, grant: &Grant, name: &Scope) -> Result<bool> {
    const SQL: &str = "DELETE FROM scopes WHERE tenant_id = $1 AND name = $2";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(name.as_str()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Keys that hold the scope by name and are not revoked.
pub(super) async fn holders(tx: &mut Tx, grant: &Grant, name: &Scope) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM api_keys WHERE tenant_id = $1 AND scope_names LIKE $2 ESCAPE '!' AND revoked_at IS NULL";
    let like = format!("% {} %", name.as_str().replace('_', "!_"));
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(like).fetch_one(c).await)?)
}

/// The catalogue changes for one writer at a time: what was judged against it stays true until the commit.
pub(super) async fn lock(tx: &mut Tx, grant: &Grant) -> Result<()> {
    const SQL: &str = "UPDATE tenants SET name = name WHERE id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).execute(c).await.map(drop))?;
    Ok(())
}
