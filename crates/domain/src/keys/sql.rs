//! Lists rely on `api_keys_by_environment` and the primary key; a key's newest secret on `api_key_secrets_by_key`.

use super::secret::Digest;
use crate::{
    Error, Grant, Result,
    db::{Tx, on, tell},
};
use contract::{
    AllowedIp, ApiKey, FormId, KeyFilter, KeyId, KeyState, PageQuery, RateLimit, Scope, ScopeDef, ScopeSet, SecretId, Slug, TenantId,
    UnixMs, UserId,
};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    name: String,
    kind: String,
    environment: String,
    prefix: String,
    last_four: String,
    scopes: Json<ScopeSet>,
    allowed_ips: Json<Vec<AllowedIp>>,
    not_before: Option<i64>,
    expires_at: Option<i64>,
    rate_limit: Option<Json<RateLimit>>,
    metadata: Json<serde_json::Value>,
    owner: Option<String>,
    platform: bool,
    created_at: i64,
    created_by: String,
    disabled_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl Row {
    pub fn key(self, now: UnixMs) -> Result<ApiKey> {
        let damaged = |()| Error::internal("a stored key cannot be read");
        let state = if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.disabled_at.is_some() {
            KeyState::Disabled
        } else if self.expires_at.is_some_and(|t| t <= now.0) {
            KeyState::Expired
        } else if self.not_before.is_some_and(|t| t > now.0) {
            KeyState::Pending
        } else {
            KeyState::Active
        };
        Ok(ApiKey {
            id: KeyId::from_uuid(self.id),
            name: self.name,
            kind: self.kind.parse().map_err(damaged)?,
            environment: self.environment.parse().map_err(damaged)?,
            prefix: self.prefix,
            last_four: self.last_four,
            state,
            scopes: self.scopes.0,
            allowed_ips: self.allowed_ips.0,
            not_before: self.not_before.map(UnixMs),
            expires_at: self.expires_at.map(UnixMs),
            rate_limit: self.rate_limit.map(|r| r.0),
            metadata: self.metadata.0,
            owner: self.owner,
            platform: self.platform,
            created_at: UnixMs(self.created_at),
            created_by: self.created_by,
            last_used_at: self.last_used_at.map(UnixMs),
            revoked_at: self.revoked_at.map(UnixMs),
        })
    }
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT k.id, k.name, k.kind, k.environment, s.prefix, s.last_four, k.scopes, k.allowed_ips, k.not_before, k.expires_at, \
             k.rate_limit, k.metadata, u.email AS owner, k.platform, k.created_at, k.created_by, k.disabled_at, k.revoked_at, k.last_used_at \
             FROM api_keys k \
             JOIN api_key_secrets s ON s.tenant_id = k.tenant_id AND s.key_id = k.id AND s.valid_until IS NULL \
             LEFT JOIN users u ON u.id = k.owner_id ",
            $tail
        )
    };
}

pub(super) async fn list(
    tx: &mut Tx,
    grant: &Grant,
    filter: &KeyFilter,
    own_only: Option<UserId>,
    now: UnixMs,
    page: PageQuery,
) -> Result<Vec<Row>> {
    // The states of `Row::key`, in the same order.
    const SQL: &str = select!(
        "WHERE k.tenant_id = $1 AND k.id < $2 \
         AND ($4 IS NULL OR k.environment = $4) \
         AND ($5 IS NULL OR k.owner_id = $5) \
         AND ($6 IS NULL OR lower(k.name) LIKE $6 ESCAPE '!' OR lower(s.prefix) LIKE $7 ESCAPE '!' OR lower(s.last_four) = $8) \
         AND ($9 IS NULL OR k.id = $9) \
         AND ($10 IS NULL OR $10 = CASE \
              WHEN k.revoked_at IS NOT NULL THEN 'revoked' \
              WHEN k.disabled_at IS NOT NULL THEN 'disabled' \
              WHEN k.expires_at <= $11 THEN 'expired' \
              WHEN k.not_before > $11 THEN 'pending' \
              ELSE 'active' END) \
         ORDER BY k.id DESC LIMIT $3"
    );
    let q = filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty()).map(str::to_lowercase);
    // A whole id is looked up as one; anything else is searched for in what people see of a key.
    let id = q.as_deref().and_then(|q| q.parse::<KeyId>().ok());
    let q = if id.is_some() { None } else { q };
    let like = q.as_deref().map(escape_like);
    on!(tx, c => sqlx::query_as(SQL)
        .bind(grant.tenant_id().uuid())
        .bind(page.before())
        .bind(i64::from(page.bounded()) + 1)
        .bind(filter.environment.map(contract::Environment::as_str))
        .bind(own_only.map(UserId::uuid))
        .bind(like.as_ref().map(|q| format!("%{q}%")))
        .bind(like.as_ref().map(|q| format!("{q}%")))
        .bind(q)
        .bind(id.map(KeyId::uuid))
        .bind(filter.state.map(KeyState::as_str))
        .bind(now.0)
        .fetch_all(c).await)
    .map_err(Into::into)
}

/// `%` and `_` are letters here, not patterns.
fn escape_like(s: &str) -> String {
    s.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

pub(super) async fn find(tx: &mut Tx, grant: &Grant, id: KeyId, own_only: Option<UserId>) -> Result<Option<Row>> {
    const SQL: &str = select!("WHERE k.tenant_id = $1 AND k.id = $2 AND ($3 IS NULL OR k.owner_id = $3)");
    Ok(
        on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(own_only.map(UserId::uuid)).fetch_optional(c).await)?,
    )
}

pub(super) async fn tenant_of_unscoped(tx: &mut Tx, id: KeyId) -> Result<Option<TenantId>> {
    const SQL: &str = "SELECT tenant_id FROM api_keys WHERE id = $1";
    let found: Option<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(id.uuid()).fetch_optional(c).await)?;
    Ok(found.map(TenantId::from_uuid))
}

pub(super) async fn find_by_form(tx: &mut Tx, grant: &Grant, form: FormId, user: UserId) -> Result<Option<Row>> {
    const SQL: &str =
        select!("JOIN forms f ON f.tenant_id = k.tenant_id AND f.key_id = k.id WHERE k.tenant_id = $1 AND f.id = $2 AND f.user_id = $3");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(form.uuid()).bind(user.uuid()).fetch_optional(c).await)?)
}

/// Marks a form as used; false when it was used before. Its foreign key is checked at the commit, when the key exists.
pub(super) async fn use_form(tx: &mut Tx, grant: &Grant, form: FormId, user: UserId, key: KeyId, now: UnixMs) -> Result<bool> {
    const SQL: &str =
        "INSERT INTO forms (tenant_id, id, user_id, key_id, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, id) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(form.uuid()).bind(user.uuid()).bind(key.uuid()).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, key: &ApiKey, owner: Option<UserId>) -> Result<()> {
    const SQL: &str = "INSERT INTO api_keys (tenant_id, id, name, kind, environment, scopes, allowed_ips, not_before, expires_at, rate_limit, \
        metadata, owner_id, platform, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    on!(tx, c => sqlx::query(SQL)
        .bind(grant.tenant_id().uuid()).bind(key.id.uuid()).bind(&key.name).bind(key.kind.as_str()).bind(key.environment.as_str())
        .bind(Json(&key.scopes)).bind(Json(&key.allowed_ips)).bind(key.not_before.map(|t| t.0)).bind(key.expires_at.map(|t| t.0))
        .bind(key.rate_limit.map(Json)).bind(Json(&key.metadata)).bind(owner.map(UserId::uuid)).bind(key.platform)
        .bind(key.created_at.0).bind(&key.created_by)
        .execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert_secret(tx: &mut Tx, grant: &Grant, id: SecretId, key: &ApiKey, digest: &Digest) -> Result<()> {
    const SQL: &str =
        "INSERT INTO api_key_secrets (tenant_id, id, key_id, digest, prefix, last_four, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx, c => sqlx::query(SQL)
        .bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(key.id.uuid()).bind(digest.bytes().as_slice())
        .bind(&key.prefix).bind(&key.last_four).bind(key.created_at.0)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// False when it was revoked before.
pub(super) async fn revoke(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE api_keys SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Tells every process that the key changed; the counter's row stays locked until the commit, so no number is
/// ever seen before a smaller one.
pub(super) async fn append_change(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO key_changes (seq, tenant_id, key_id, at) VALUES ($1, $2, $3, $4)";
    let seq = next_change(tx).await?;
    on!(tx, c => sqlx::query(SQL).bind(seq).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).execute(c).await.map(drop))?;
    tell(tx).await
}

/// The same for everything that the tenant's keys share; a tenant without keys has nothing to tell.
#[expect(dead_code, reason = "the tenant's allowlist and plan are about to use it")]
pub(crate) async fn append_tenant_change(tx: &mut Tx, grant: &Grant, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO key_changes (seq, tenant_id, key_id, at, whole_tenant) \
        SELECT CAST($1 AS BIGINT), tenant_id, id, CAST($3 AS BIGINT), TRUE FROM api_keys WHERE tenant_id = $2 LIMIT 1";
    let seq = next_change(tx).await?;
    on!(tx, c => sqlx::query(SQL).bind(seq).bind(grant.tenant_id().uuid()).bind(now.0).execute(c).await.map(drop))?;
    tell(tx).await
}

async fn next_change(tx: &mut Tx) -> Result<i64> {
    const SQL: &str = "UPDATE counters SET value = value + 1 WHERE name = 'key_change' RETURNING value";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
}

pub(super) async fn slug(tx: &mut Tx, grant: &Grant) -> Result<Slug> {
    let slug: String =
        on!(tx, c => sqlx::query_scalar("SELECT slug FROM tenants WHERE id = $1").bind(grant.tenant_id().uuid()).fetch_one(c).await)?;
    Slug::parse(&slug).map_err(Error::internal)
}

pub(super) async fn catalogue(tx: &mut Tx, grant: &Grant) -> Result<Vec<ScopeDef>> {
    const SQL: &str = "SELECT name, description FROM scopes WHERE tenant_id = $1 ORDER BY created_at, canonical";
    let rows: Vec<(String, String)> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    rows.into_iter().map(|(name, description)| Ok(ScopeDef { name: Scope::parse(&name).map_err(Error::internal)?, description })).collect()
}

pub(super) async fn add_scope(tx: &mut Tx, grant: &Grant, scope: &Scope, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO scopes (tenant_id, canonical, name, description, created_at) VALUES ($1, $2, $3, '', $4) \
        ON CONFLICT (tenant_id, canonical) DO NOTHING";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(scope.canonical()).bind(scope.as_str()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}
