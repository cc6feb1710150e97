//! Tenants: relies on the primary key and the unique `tenants.slug`; for their people on the primary keys of `members`
//! and `second_factors`.

use super::policies::Facts;
use crate::{
    Error, Grant, Result,
    db::{Tx, on, tell},
};
use contract::{AllowedIp, KeyId, PageQuery, Policies, Scope, Slug, Tenant, TenantId, TenantName, TenantState, Unenrolled, UnixMs, UserId};
use sqlx::{FromRow, types::Json};
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

pub(super) async fn users_unscoped(tx: &mut Tx) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(c).await)?)
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    slug: String,
    plan: String,
    created_at: i64,
    suspended_at: Option<i64>,
    deleted_at: Option<i64>,
    closed_reason: Option<String>,
}

impl From<Row> for Tenant {
    fn from(row: Row) -> Self {
        let state = match (row.deleted_at, row.suspended_at) {
            (Some(_), _) => TenantState::Deleted,
            (None, Some(_)) => TenantState::Suspended,
            (None, None) => TenantState::Active,
        };
        Self {
            id: TenantId::from_uuid(row.id),
            name: row.name,
            slug: row.slug,
            state,
            plan: row.plan,
            created_at: UnixMs(row.created_at),
            removed_at: row.deleted_at.map(|at| UnixMs(at).plus(Self::GRACE)),
            reason: row.closed_reason,
        }
    }
}

macro_rules! tenant {
    ($tail:literal) => {
        concat!(
            "SELECT id, name, slug, COALESCE(plan, 'default') AS plan, created_at, suspended_at, deleted_at, closed_reason FROM tenants ",
            $tail
        )
    };
}

pub(super) async fn list_unscoped(tx: &mut Tx) -> Result<Vec<Tenant>> {
    const SQL: &str = tenant!("ORDER BY created_at, id");
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(SQL).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

/// One row more than a page; of one tenant only, if one is named.
pub(super) async fn page_unscoped(tx: &mut Tx, only: Option<TenantId>, page: PageQuery) -> Result<Vec<Tenant>> {
    const SQL: &str = tenant!("WHERE id < $1 AND ($2 IS NULL OR id = $2) ORDER BY id DESC LIMIT $3");
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(SQL).bind(page.before()).bind(only.map(TenantId::uuid))
        .bind(i64::from(page.bounded()) + 1).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

pub(super) async fn find_unscoped(tx: &mut Tx, id: TenantId) -> Result<Option<Tenant>> {
    const SQL: &str = tenant!("WHERE id = $1");
    let row: Option<Row> = on!(tx, c => sqlx::query_as(SQL).bind(id.uuid()).fetch_optional(c).await)?;
    Ok(row.map(Tenant::from))
}

/// The same with the row locked until the commit.
pub(super) async fn lock(tx: &mut Tx, grant: &Grant) -> Result<Option<Tenant>> {
    const SQL: &str = "UPDATE tenants SET name = name WHERE id = $1 RETURNING id, name, slug, COALESCE(plan, 'default') AS plan, \
        created_at, suspended_at, deleted_at, closed_reason";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_optional(c).await)?;
    Ok(row.map(Tenant::from))
}

pub(super) async fn is_home(tx: &mut Tx, grant: &Grant) -> Result<bool> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT home FROM tenants WHERE id = $1").bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

pub(super) async fn home_unscoped(tx: &mut Tx) -> Result<Option<TenantId>> {
    let id: Option<Uuid> = on!(tx, c => sqlx::query_scalar("SELECT id FROM tenants WHERE home").fetch_optional(c).await)?;
    Ok(id.map(TenantId::from_uuid))
}

/// Name and plan.
pub(super) async fn change(tx: &mut Tx, grant: &Grant, tenant: &Tenant) -> Result<()> {
    const SQL: &str = "UPDATE tenants SET name = $2, plan = $3 WHERE id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(&tenant.name).bind(&tenant.plan).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn set_state(
    tx: &mut Tx,
    grant: &Grant,
    suspended: Option<UnixMs>,
    deleted: Option<UnixMs>,
    reason: Option<&str>,
) -> Result<()> {
    const SQL: &str = "UPDATE tenants SET suspended_at = $2, deleted_at = $3, closed_reason = $4 WHERE id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(suspended.map(|t| t.0)).bind(deleted.map(|t| t.0)).bind(reason)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Tenants that were deleted then or before.
pub(super) async fn due_unscoped(tx: &mut Tx, until: UnixMs) -> Result<Vec<TenantId>> {
    const SQL: &str = "SELECT id FROM tenants WHERE deleted_at <= $1";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(until.0).fetch_all(c).await)?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

/// Removes a part of the usage log; false once nothing of it is left.
pub(super) async fn remove_some_usage(tx: &mut Tx, grant: &Grant) -> Result<bool> {
    const SQL: &str =
        "DELETE FROM usage_events WHERE tenant_id = $1 AND id IN (SELECT id FROM usage_events WHERE tenant_id = $1 LIMIT 5000)";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n > 0)
}

/// What a tenant consists of, in the order in which it can be removed.
const REMOVE: [&str; 29] = [
    "DELETE FROM usage_events WHERE tenant_id = $1",
    "DELETE FROM usage_policies WHERE tenant_id = $1",
    "DELETE FROM leak_reports WHERE tenant_id = $1",
    "DELETE FROM forms WHERE tenant_id = $1",
    "DELETE FROM idempotency_keys WHERE tenant_id = $1",
    "DELETE FROM key_changes WHERE tenant_id = $1",
    "DELETE FROM api_key_secrets WHERE tenant_id = $1",
    "DELETE FROM key_notices WHERE tenant_id = $1",
    "DELETE FROM api_keys WHERE tenant_id = $1",
    "DELETE FROM scopes WHERE tenant_id = $1",
    "DELETE FROM invitations WHERE tenant_id = $1",
    "DELETE FROM support_access WHERE tenant_id = $1",
    // What people of other tenants allowed its apps goes with them.
    "DELETE FROM authorization_codes WHERE EXISTS (SELECT 1 FROM grants g WHERE g.tenant_id = authorization_codes.tenant_id \
     AND g.id = authorization_codes.grant_id AND g.app_tenant_id = $1)",
    "DELETE FROM authorization_codes WHERE tenant_id = $1",
    "DELETE FROM grants WHERE app_tenant_id = $1",
    "DELETE FROM grants WHERE tenant_id = $1",
    "DELETE FROM authorization_requests WHERE app_tenant_id = $1",
    "DELETE FROM client_assertions WHERE tenant_id = $1",
    "DELETE FROM app_secrets WHERE tenant_id = $1",
    "DELETE FROM app_logos WHERE tenant_id = $1",
    "DELETE FROM apps WHERE tenant_id = $1",
    "DELETE FROM refresh_tokens WHERE tenant_id = $1",
    "DELETE FROM logins WHERE tenant_id = $1",
    "DELETE FROM mails WHERE tenant_id = $1",
    "DELETE FROM members WHERE tenant_id = $1",
    "DELETE FROM outbox WHERE tenant_id = $1",
    "DELETE FROM audit_events WHERE tenant_id = $1",
    "DELETE FROM audit_heads WHERE tenant_id = $1",
    "DELETE FROM tenants WHERE id = $1",
];

pub(super) async fn remove(tx: &mut Tx, grant: &Grant) -> Result<()> {
    for sql in REMOVE {
        on!(tx, c => sqlx::query(sql).bind(grant.tenant_id().uuid()).execute(c).await.map(drop))?;
    }
    Ok(())
}

pub(super) async fn policies(tx: &mut Tx, grant: &Grant) -> Result<Policies> {
    const SQL: &str = "SELECT policies FROM tenants WHERE id = $1";
    let stored: Json<Policies> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?;
    Ok(stored.0)
}

pub(super) async fn set_policies(tx: &mut Tx, grant: &Grant, policies: &Policies) -> Result<()> {
    const SQL: &str = "UPDATE tenants SET policies = $2 WHERE id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(Json(policies)).execute(c).await.map(drop))?;
    Ok(())
}

/// A key that works, as policies see it.
#[derive(FromRow)]
pub(super) struct KeyRow {
    id: Uuid,
    pub name: String,
    kind: String,
    environment: String,
    expires_at: Option<i64>,
    allowed_ips: Json<Vec<AllowedIp>>,
    owners: i64,
}

impl KeyRow {
    pub const fn id(&self) -> KeyId {
        KeyId::from_uuid(self.id)
    }

    pub fn facts(&self) -> Result<Facts<'_>> {
        let damaged = |()| Error::internal("a stored key cannot be read");
        Ok(Facts {
            kind: self.kind.parse().map_err(damaged)?,
            environment: self.environment.parse().map_err(damaged)?,
            expires_at: self.expires_at.map(UnixMs),
            allowed_ips: &self.allowed_ips.0,
            owned: self.owners > 0,
        })
    }
}

/// Keys that work or could be switched on again, newest first.
pub(super) async fn keys_in_use(tx: &mut Tx, grant: &Grant, now: UnixMs) -> Result<Vec<KeyRow>> {
    const SQL: &str = "SELECT k.id, k.name, k.kind, k.environment, k.expires_at, k.allowed_ips, \
        (SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.tenant_id = k.tenant_id AND m.user_id = k.owner_id AND u.disabled_at IS NULL) AS owners \
        FROM api_keys k WHERE k.tenant_id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) ORDER BY k.id DESC";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(now.0).fetch_all(c).await)?)
}

/// The first id that an event of this moment could have: ids grow with time.
fn id_at(at: UnixMs) -> Uuid {
    Uuid::from_u128(u128::try_from(at.0).unwrap_or(0) << 80)
}

pub(super) async fn outdated_usage(tx: &mut Tx, grant: &Grant, until: UnixMs) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM usage_events WHERE tenant_id = $1 AND id < $2";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(id_at(until)).fetch_one(c).await)?)
}

/// Removes a part of what is older; false once nothing is.
pub(super) async fn forget_some_usage(tx: &mut Tx, grant: &Grant, until: UnixMs) -> Result<bool> {
    const SQL: &str =
        "DELETE FROM usage_events WHERE tenant_id = $1 AND id IN (SELECT id FROM usage_events WHERE tenant_id = $1 AND id < $2 LIMIT 5000)";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id_at(until)).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n > 0)
}

/// Members in use who have no second factor, by address.
pub(super) async fn unenrolled(tx: &mut Tx, grant: &Grant) -> Result<Vec<Unenrolled>> {
    const SQL: &str = "SELECT u.id, u.email FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.tenant_id = $1 AND u.disabled_at IS NULL AND NOT EXISTS \
        (SELECT 1 FROM second_factors f WHERE f.user_id = m.user_id AND f.confirmed_at IS NOT NULL) ORDER BY u.email";
    let rows: Vec<(Uuid, String)> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id, email)| Unenrolled { id: UserId::from_uuid(id), email }).collect())
}

/// What a tenant demands, and from where its live credentials may be used.
pub(super) struct Chosen {
    pub tenant: TenantId,
    pub policies: Policies,
    pub allowed_ips: Vec<AllowedIp>,
    pub in_use: bool,
}

type ChosenRow = (Uuid, Json<Policies>, Json<Vec<AllowedIp>>, Option<i64>);

/// That of every tenant.
pub(super) async fn all_policies_unscoped(tx: &mut Tx) -> Result<Vec<Chosen>> {
    const SQL: &str = "SELECT id, policies, allowed_ips, COALESCE(suspended_at, deleted_at) FROM tenants";
    let rows: Vec<ChosenRow> = on!(tx, c => sqlx::query_as(SQL).fetch_all(c).await)?;
    let chosen = |(id, policies, allowed_ips, out): ChosenRow| Chosen {
        tenant: TenantId::from_uuid(id),
        policies: policies.0,
        allowed_ips: allowed_ips.0,
        in_use: out.is_none(),
    };
    Ok(rows.into_iter().map(chosen).collect())
}

/// Another change of policies that every process follows.
pub(super) async fn tell_policy_changed_unscoped(tx: &mut Tx) -> Result<()> {
    const SQL: &str = "UPDATE counters SET value = value + 1 WHERE name = 'policy_change'";
    on!(tx, c => sqlx::query(SQL).execute(c).await.map(drop))?;
    tell(tx).await
}

pub(super) async fn policy_changes_unscoped(tx: &mut Tx) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT value FROM counters WHERE name = 'policy_change'").fetch_one(c).await)?)
}
