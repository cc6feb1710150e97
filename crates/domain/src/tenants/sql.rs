//! Tenants: relies on the primary key and the unique `tenants.slug`.

use super::Tenant;
use crate::{
    Grant, Result,
    db::{Tx, on},
};
use contract::{AllowedIp, Scope, Slug, TenantId, TenantName, UnixMs};
use sqlx::types::Json;
use uuid::Uuid;

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, name: &TenantName, slug: &Slug, home: bool, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO tenants (id, name, slug, home, created_at) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(name.as_str()).bind(slug.as_str()).bind(home).bind(now.0)
        .execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert_scope(tx: &mut Tx, grant: &Grant, scope: &Scope, description: &str, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO scopes (tenant_id, canonical, name, description, created_at) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(scope.canonical()).bind(scope.as_str()).bind(description).bind(now.0)
        .execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn allowlist(tx: &mut Tx, grant: &Grant) -> Result<Vec<AllowedIp>> {
    const SQL: &str = "SELECT allowed_ips FROM tenants WHERE id = $1";
    let list: Json<Vec<AllowedIp>> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?;
    Ok(list.0)
}

/// The tenant's name and list; the row stays locked until the commit.
pub(super) async fn lock_allowlist(tx: &mut Tx, grant: &Grant) -> Result<(String, Vec<AllowedIp>)> {
    const SQL: &str = "UPDATE tenants SET name = name WHERE id = $1 RETURNING name, allowed_ips";
    let (name, list): (String, Json<Vec<AllowedIp>>) = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?;
    Ok((name, list.0))
}

pub(super) async fn set_allowlist(tx: &mut Tx, grant: &Grant, list: &[AllowedIp]) -> Result<()> {
    const SQL: &str = "UPDATE tenants SET allowed_ips = $2 WHERE id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(Json(list)).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn slug_taken_unscoped(tx: &mut Tx, slug: &Slug) -> Result<bool> {
    let n: i64 = on!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM tenants WHERE slug = $1").bind(slug.as_str()).fetch_one(c).await)?;
    Ok(n > 0)
}

pub(super) async fn name_unscoped(tx: &mut Tx, id: TenantId) -> Result<Option<String>> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT name FROM tenants WHERE id = $1").bind(id.uuid()).fetch_optional(c).await)?)
}

pub(super) async fn users_unscoped(tx: &mut Tx) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(c).await)?)
}

pub(super) async fn list_unscoped(tx: &mut Tx) -> Result<Vec<Tenant>> {
    const SQL: &str = "SELECT id, name, slug, created_at FROM tenants ORDER BY created_at, id";
    let rows: Vec<(Uuid, String, String, i64)> = on!(tx, c => sqlx::query_as(SQL).fetch_all(c).await)?;
    let tenant = |(id, name, slug, at)| Tenant { id: TenantId::from_uuid(id), name, slug, created_at: UnixMs(at) };
    Ok(rows.into_iter().map(tenant).collect())
}
