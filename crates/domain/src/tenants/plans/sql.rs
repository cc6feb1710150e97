//! Plans: a handful, found by their name. They belong to no tenant.

use crate::{
    Result,
    db::{Tx, on},
};
use contract::{Plan, RateLimit, TenantId};
use uuid::Uuid;

pub(super) async fn plans_unscoped(tx: &mut Tx) -> Result<Vec<Plan>> {
    const SQL: &str = "SELECT p.name, p.per_hour, p.per_second, COUNT(t.id) FROM plans p \
        LEFT JOIN tenants t ON COALESCE(t.plan, 'default') = p.name GROUP BY p.name, p.per_hour, p.per_second ORDER BY p.name";
    let rows: Vec<(String, i64, i64, i64)> = on!(tx, c => sqlx::query_as(SQL).fetch_all(c).await)?;
    let limit = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    let plan =
        |(name, hour, second, tenants)| Plan { name, rate_limit: RateLimit { per_hour: limit(hour), per_second: limit(second) }, tenants };
    Ok(rows.into_iter().map(plan).collect())
}

/// False if the name is taken.
pub(super) async fn insert_plan_unscoped(tx: &mut Tx, name: &str, limit: RateLimit) -> Result<bool> {
    const SQL: &str = "INSERT INTO plans (name, per_hour, per_second) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(name).bind(i64::from(limit.per_hour)).bind(i64::from(limit.per_second))
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn update_plan_unscoped(tx: &mut Tx, name: &str, limit: RateLimit) -> Result<()> {
    const SQL: &str = "UPDATE plans SET per_hour = $2, per_second = $3 WHERE name = $1";
    on!(tx, c => sqlx::query(SQL).bind(name).bind(i64::from(limit.per_hour)).bind(i64::from(limit.per_second)).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn delete_plan_unscoped(tx: &mut Tx, name: &str) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM plans WHERE name = $1").bind(name).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn tenants_of_plan_unscoped(tx: &mut Tx, name: &str) -> Result<Vec<TenantId>> {
    const SQL: &str = "SELECT id FROM tenants WHERE COALESCE(plan, 'default') = $1 ORDER BY id";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(name).fetch_all(c).await)?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}
