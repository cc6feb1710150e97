//! One key is found by its primary key, its secrets by `api_key_secrets_by_key`, the current one by
//! `api_key_secrets_current`, a digest by its unique index. Lists stand in `search/sql.rs`.

use super::secret::Digest;
use crate::{
    Error, Grant, Result,
    db::{Tx, on, tell},
};
use contract::{
    AllowedIp, ApiKey, Environment, FormId, KeyId, KeySecret, KeyState, OwnerRef, RateLimit, ScopeSet, SecretId, Slug, TenantId, UnixMs,
    UserId,
};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct Row {
    pub id: Uuid,
    name: String,
    kind: String,
    environment: String,
    prefix: String,
    last_four: String,
    scopes: Json<ScopeSet>,
    allowed_ips: Json<Vec<AllowedIp>>,
    not_before: Option<i64>,
    pub expires_at: Option<i64>,
    rate_limit: Option<Json<RateLimit>>,
    metadata: Json<serde_json::Value>,
    pub owner_id: Option<Uuid>,
    owner: Option<String>,
    platform: bool,
    created_at: i64,
    created_by: String,
    disabled_at: Option<i64>,
    revoked_at: Option<i64>,
    pub last_used_at: Option<i64>,
    pub search: String,
}

impl Row {
    pub fn key(self, now: UnixMs) -> Result<ApiKey> {
        let damaged = |()| Error::internal("a stored key cannot be read");
        let state = KeyState::of(self.revoked_at.map(UnixMs), self.disabled_at.map(UnixMs), self.expires_at.map(UnixMs), now);
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

/// The keys that a caller sees at all; any other does not exist for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub own: Option<UserId>,
    pub environment: Option<Environment>,
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT k.id, k.name, k.kind, k.environment, s.prefix, s.last_four, k.scopes, k.allowed_ips, k.not_before, k.expires_at, \
             k.rate_limit, k.metadata, k.owner_id, u.email AS owner, k.platform, k.created_at, k.created_by, k.disabled_at, \
             k.revoked_at, k.last_used_at, k.search \
             FROM api_keys k \
             JOIN api_key_secrets s ON s.tenant_id = k.tenant_id AND s.key_id = k.id AND s.valid_until IS NULL \
             LEFT JOIN users u ON u.id = k.owner_id ",
            $tail
        )
    };
}

/// What a search looks through: the name, and the secret as it is displayed.
pub(super) fn search_text(key: &ApiKey) -> String {
    format!("{}\n{} {}", key.name.to_lowercase(), key.prefix.to_lowercase(), key.last_four.to_lowercase())
}

/// The scopes between spaces.
fn scope_names(key: &ApiKey) -> String {
    format!(" {} ", key.scopes.joined())
}

pub(super) async fn find(tx: &mut Tx, grant: &Grant, id: KeyId, reach: Reach) -> Result<Option<Row>> {
    const SQL: &str =
        select!("WHERE k.tenant_id = $1 AND k.id = $2 AND ($3 IS NULL OR k.owner_id = $3) AND ($4 IS NULL OR k.environment = $4)");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(reach.own.map(UserId::uuid))
        .bind(reach.environment.map(Environment::as_str)).fetch_optional(c).await)?)
}

/// The same, with the row locked until the commit: what is judged on it cannot change meanwhile.
pub(super) async fn lock(tx: &mut Tx, grant: &Grant, id: KeyId, reach: Reach) -> Result<Option<Row>> {
    lock_row(tx, grant, id).await?;
    find(tx, grant, id, reach).await
}

pub(super) async fn lock_row(tx: &mut Tx, grant: &Grant, id: KeyId) -> Result<()> {
    const SQL: &str = "UPDATE api_keys SET name = name WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn tenant_of_unscoped(tx: &mut Tx, id: KeyId) -> Result<Option<TenantId>> {
    const SQL: &str = "SELECT tenant_id FROM api_keys WHERE id = $1";
    let found: Option<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(id.uuid()).fetch_optional(c).await)?;
    Ok(found.map(TenantId::from_uuid))
}

/// The key of the grant's tenant that has, or had, the secret.
pub(super) async fn key_of_digest(tx: &mut Tx, grant: &Grant, digest: &Digest) -> Result<Option<KeyId>> {
    const SQL: &str = "SELECT key_id FROM api_key_secrets WHERE tenant_id = $1 AND digest = $2";
    let id: Option<Uuid> =
        on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(digest.bytes().as_slice()).fetch_optional(c).await)?;
    Ok(id.map(KeyId::from_uuid))
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
        metadata, owner_id, platform, created_at, created_by, search, scope_names) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    on!(tx, c => sqlx::query(SQL)
        .bind(grant.tenant_id().uuid()).bind(key.id.uuid()).bind(&key.name).bind(key.kind.as_str()).bind(key.environment.as_str())
        .bind(Json(&key.scopes)).bind(Json(&key.allowed_ips)).bind(key.not_before.map(|t| t.0)).bind(key.expires_at.map(|t| t.0))
        .bind(key.rate_limit.map(Json)).bind(Json(&key.metadata)).bind(owner.map(UserId::uuid)).bind(key.platform)
        .bind(key.created_at.0).bind(&key.created_by).bind(search_text(key)).bind(scope_names(key))
        .execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn update(tx: &mut Tx, grant: &Grant, key: &ApiKey, owner: Option<UserId>) -> Result<()> {
    const SQL: &str = "UPDATE api_keys SET orphaned_at = CASE WHEN owner_id = $10 THEN orphaned_at END, \
        name = $3, scopes = $4, allowed_ips = $5, not_before = $6, expires_at = $7, rate_limit = $8, \
        metadata = $9, owner_id = $10, search = $11, scope_names = $12 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL)
        .bind(grant.tenant_id().uuid()).bind(key.id.uuid()).bind(&key.name)
        .bind(Json(&key.scopes)).bind(Json(&key.allowed_ips)).bind(key.not_before.map(|t| t.0)).bind(key.expires_at.map(|t| t.0))
        .bind(key.rate_limit.map(Json)).bind(Json(&key.metadata)).bind(owner.map(UserId::uuid)).bind(search_text(key)).bind(scope_names(key))
        .execute(c).await.map(drop))?;
    Ok(())
}

/// After a rotation: the secret is part of what a search looks through.
pub(super) async fn set_search(tx: &mut Tx, grant: &Grant, key: &ApiKey) -> Result<()> {
    const SQL: &str = "UPDATE api_keys SET search = $3 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(key.id.uuid()).bind(search_text(key)).execute(c).await.map(drop))?;
    Ok(())
}

/// A digest opens one key of the whole installation: a credential names no tenant. Whose key holds one that is taken, the
/// refusal does not say.
pub(super) async fn insert_secret(tx: &mut Tx, grant: &Grant, id: SecretId, key: &ApiKey, digest: &Digest, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO api_key_secrets (tenant_id, id, key_id, digest, prefix, last_four, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (digest) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL)
        .bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(key.id.uuid()).bind(digest.bytes().as_slice())
        .bind(&key.prefix).bind(&key.last_four).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    if n == 1 { Ok(()) } else { Err(Error::Conflict("This key cannot be taken over: its digest is in use".to_owned())) }
}

pub(super) async fn secrets(tx: &mut Tx, grant: &Grant, id: KeyId) -> Result<Vec<KeySecret>> {
    const SQL: &str = "SELECT id, prefix, last_four, created_at, COALESCE(revoked_at, valid_until) FROM api_key_secrets \
        WHERE tenant_id = $1 AND key_id = $2 ORDER BY id DESC LIMIT 100";
    let rows: Vec<(Uuid, String, String, i64, Option<i64>)> =
        on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).fetch_all(c).await)?;
    let secret = |(id, prefix, last_four, created_at, valid_until): (Uuid, _, _, i64, Option<i64>)| KeySecret {
        id: SecretId::from_uuid(id),
        prefix,
        last_four,
        created_at: UnixMs(created_at),
        valid_until: valid_until.map(UnixMs),
    };
    Ok(rows.into_iter().map(secret).collect())
}

/// How many secrets of the key work at `now`.
pub(super) async fn working_secrets(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM api_key_secrets WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL AND (valid_until IS NULL OR valid_until > $3)";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).fetch_one(c).await)?)
}

/// Gives the current secret its end; none when another rotation did so first.
pub(super) async fn end_current_secret(tx: &mut Tx, grant: &Grant, id: KeyId, until: UnixMs) -> Result<Option<SecretId>> {
    const SQL: &str =
        "UPDATE api_key_secrets SET valid_until = $3 WHERE tenant_id = $1 AND key_id = $2 AND valid_until IS NULL RETURNING id";
    let ended: Option<Uuid> =
        on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(until.0).fetch_optional(c).await)?;
    Ok(ended.map(SecretId::from_uuid))
}

/// Lets no older secret work beyond `until`; answers how many end sooner than they would have.
pub(super) async fn end_old_secrets(tx: &mut Tx, grant: &Grant, id: KeyId, until: UnixMs) -> Result<u64> {
    const SQL: &str = "UPDATE api_key_secrets SET valid_until = $3 WHERE tenant_id = $1 AND key_id = $2 AND valid_until > $3";
    Ok(
        on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(until.0).execute(c).await.map(|r| r.rows_affected()))?,
    )
}

/// False when it was revoked before.
pub(super) async fn revoke(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE api_keys SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// False when it was disabled or revoked before.
pub(super) async fn disable(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<bool> {
    const SQL: &str =
        "UPDATE api_keys SET disabled_at = $3 WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NULL AND revoked_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// False when it was not disabled, or is revoked.
pub(super) async fn enable(tx: &mut Tx, grant: &Grant, id: KeyId) -> Result<bool> {
    const SQL: &str =
        "UPDATE api_keys SET disabled_at = NULL WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NOT NULL AND revoked_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// A member of the tenant who can still sign in.
pub(super) async fn member(tx: &mut Tx, grant: &Grant, who: &OwnerRef) -> Result<Option<(UserId, String)>> {
    const SQL: &str = "SELECT u.id, u.email FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.tenant_id = $1 AND (u.id = $2 OR u.email = $3) AND u.disabled_at IS NULL";
    let (id, email) = match who {
        OwnerRef::Id(id) => (Some(id.uuid()), None),
        OwnerRef::Email(email) => (None, Some(email.as_str())),
    };
    let found: Option<(Uuid, String)> =
        on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(email).fetch_optional(c).await)?;
    Ok(found.map(|(id, email)| (UserId::from_uuid(id), email)))
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
pub(super) async fn append_tenant_change(tx: &mut Tx, grant: &Grant, now: UnixMs) -> Result<()> {
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

/// A key that has come to one of the days on which it is told of.
#[derive(FromRow)]
pub(super) struct Expiring {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub name: String,
    pub prefix: String,
    pub expires_at: i64,
}

/// Keys in use that expire in that time, live longer than `life`, and were not told of so many days before. A range of
/// `api_keys_expiring`.
pub(super) async fn expiring_unscoped(tx: &mut Tx, from: UnixMs, to: UnixMs, life: i64, days: i64, limit: i64) -> Result<Vec<Expiring>> {
    const SQL: &str = "SELECT k.tenant_id, k.id, k.name, s.prefix, k.expires_at FROM api_keys k \
        JOIN api_key_secrets s ON s.tenant_id = k.tenant_id AND s.key_id = k.id AND s.valid_until IS NULL \
        JOIN tenants t ON t.id = k.tenant_id \
        WHERE k.expires_at > $1 AND k.expires_at <= $2 AND k.revoked_at IS NULL AND k.disabled_at IS NULL \
        AND t.suspended_at IS NULL AND t.deleted_at IS NULL AND k.expires_at - k.created_at > $3 \
        AND NOT EXISTS (SELECT n.key_id FROM key_notices n WHERE n.tenant_id = k.tenant_id AND n.key_id = k.id \
            AND n.expires_at = k.expires_at AND n.days = $4) \
        ORDER BY k.expires_at LIMIT $5";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(from.0).bind(to.0).bind(life).bind(days).bind(limit).fetch_all(c).await)?)
}

/// True exactly once, and only while the key still expires then.
pub(super) async fn note_expiry(tx: &mut Tx, grant: &Grant, id: KeyId, expires_at: UnixMs, days: i64, now: UnixMs) -> Result<bool> {
    const SQL: &str = "INSERT INTO key_notices (tenant_id, key_id, expires_at, days, told_at) \
        SELECT k.tenant_id, k.id, k.expires_at, $4, $5 FROM api_keys k \
        WHERE k.tenant_id = $1 AND k.id = $2 AND k.expires_at = $3 AND k.revoked_at IS NULL ON CONFLICT DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(expires_at.0).bind(days).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}
