//! What the snapshot loads: relies on `api_keys_by_id`, `api_key_secrets_by_key` and the primary key of `key_changes`.
//! A key is as good as disabled while its tenant is out of use, or the account that answers for it (s22).
//! Unscoped on purpose: the snapshot holds the keys of every tenant, and `decide` keeps them apart.

use super::{decide::Entry, policy::PolicyOnce};
use crate::{
    Error, Result,
    db::{Tx, on},
    keys::secret::Digest,
};
use contract::{AllowedIp, KeyId, RateLimit, Scope, ScopeSet, SecretId, TenantId, UnixMs, UserId};
use sqlx::{FromRow, types::Json};
use std::sync::Arc;
use uuid::Uuid;

#[derive(FromRow)]
struct Row {
    tenant_id: Uuid,
    key_id: Uuid,
    secret_id: Uuid,
    digest: Vec<u8>,
    valid_until: Option<i64>,
    name: String,
    kind: String,
    environment: String,
    scopes: Json<ScopeSet>,
    allowed_ips: Json<Vec<AllowedIp>>,
    tenant_allowed_ips: Json<Vec<AllowedIp>>,
    rate_limit: Option<Json<RateLimit>>,
    per_hour: i64,
    per_second: i64,
    not_before: Option<i64>,
    expires_at: Option<i64>,
    disabled_at: Option<i64>,
    revoked_at: Option<i64>,
    metadata: Json<serde_json::Value>,
    platform: bool,
    owner_id: Option<Uuid>,
}

impl Row {
    fn entry(self) -> Result<(Digest, Entry)> {
        let damaged = || Error::internal("a stored key cannot be read");
        let digest = Digest::from_bytes(&self.digest).ok_or_else(damaged)?;
        let limit = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let plan = RateLimit { per_hour: limit(self.per_hour), per_second: limit(self.per_second) };
        let entry = Entry {
            key_id: KeyId::from_uuid(self.key_id),
            secret_id: SecretId::from_uuid(self.secret_id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            name: self.name,
            kind: self.kind.parse().map_err(|()| damaged())?,
            environment: self.environment.parse().map_err(|()| damaged())?,
            scopes: self.scopes.0,
            allowed_ips: self.allowed_ips.0,
            tenant_allowed_ips: self.tenant_allowed_ips.0,
            rate_limit: self.rate_limit.map_or(plan, |own| own.0),
            not_before: self.not_before.map(UnixMs),
            expires_at: self.expires_at.map(UnixMs),
            disabled_at: self.disabled_at.map(UnixMs),
            revoked_at: self.revoked_at.map(UnixMs),
            secret_valid_until: self.valid_until.map(UnixMs),
            metadata: self.metadata.0,
            platform: self.platform,
            owner: self.owner_id.map(UserId::from_uuid),
            policy_once: PolicyOnce::default(),
            // The snapshot fills them in.
            verbs: Arc::default(),
        };
        Ok((digest, entry))
    }
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT k.tenant_id, s.key_id, s.id AS secret_id, s.digest, COALESCE(s.revoked_at, s.valid_until) AS valid_until, \
             k.name, k.kind, k.environment, k.scopes, \
             k.allowed_ips, t.allowed_ips AS tenant_allowed_ips, k.rate_limit, p.per_hour, p.per_second, \
             k.not_before, k.expires_at, COALESCE(k.disabled_at, t.suspended_at, t.deleted_at, o.disabled_at) AS disabled_at, k.revoked_at, k.metadata, k.platform, k.owner_id \
             FROM api_key_secrets s JOIN api_keys k ON k.tenant_id = s.tenant_id AND k.id = s.key_id \
             JOIN tenants t ON t.id = k.tenant_id JOIN plans p ON p.name = COALESCE(t.plan, 'default') \
             LEFT JOIN users o ON o.id = k.owner_id ",
            $tail
        )
    };
}

pub(super) async fn all_entries_unscoped(tx: &mut Tx) -> Result<Vec<(Digest, Entry)>> {
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(select!("")).fetch_all(c).await)?;
    rows.into_iter().map(Row::entry).collect()
}

pub(super) async fn entries_of_unscoped(tx: &mut Tx, id: KeyId) -> Result<Vec<(Digest, Entry)>> {
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(select!("WHERE k.id = $1")).bind(id.uuid()).fetch_all(c).await)?;
    rows.into_iter().map(Row::entry).collect()
}

pub(super) async fn entries_of_tenant_unscoped(tx: &mut Tx, id: TenantId) -> Result<Vec<(Digest, Entry)>> {
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(select!("WHERE k.tenant_id = $1")).bind(id.uuid()).fetch_all(c).await)?;
    rows.into_iter().map(Row::entry).collect()
}

pub(super) async fn last_change_unscoped(tx: &mut Tx) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT value FROM counters WHERE name = 'key_change'").fetch_one(c).await)?)
}

/// What a change made stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Changed {
    Key(KeyId),
    Tenant(TenantId),
}

pub(super) async fn changes_unscoped(tx: &mut Tx, after: i64) -> Result<Vec<(i64, Changed)>> {
    const SQL: &str = "SELECT seq, tenant_id, key_id, whole_tenant FROM key_changes WHERE seq > $1 ORDER BY seq LIMIT 10000";
    let rows: Vec<(i64, Uuid, Uuid, bool)> = on!(tx, c => sqlx::query_as(SQL).bind(after).fetch_all(c).await)?;
    let changed =
        |tenant, key, whole| if whole { Changed::Tenant(TenantId::from_uuid(tenant)) } else { Changed::Key(KeyId::from_uuid(key)) };
    Ok(rows.into_iter().map(|(seq, tenant, key, whole)| (seq, changed(tenant, key, whole))).collect())
}

/// The bare entries of one tenant's catalogue, or of all.
pub(super) async fn verbs_unscoped(tx: &mut Tx, of: Option<TenantId>) -> Result<Vec<(TenantId, Scope)>> {
    const SQL: &str = "SELECT tenant_id, name FROM scopes WHERE name NOT LIKE '%:%' AND ($1 IS NULL OR tenant_id = $1)";
    let rows: Vec<(Uuid, String)> = on!(tx, c => sqlx::query_as(SQL).bind(of.map(TenantId::uuid)).fetch_all(c).await)?;
    rows.into_iter().map(|(tenant, name)| Ok((TenantId::from_uuid(tenant), Scope::parse(&name).map_err(Error::internal)?))).collect()
}
