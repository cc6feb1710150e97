//! A secret is found by the unique index on its digest or by its key; reports by `leak_reports_open`, `_by_secret` and
//! `_by_key`, pages by the primary key; callers are a range of `usage_events_by_credential`, the timeline of
//! `audit_events_by_target`. Secrets of apps are found by `app_secrets_by_digest` and by their primary key; unscoped where the
//! secret alone tells whose it is.

use super::NewReport;
use crate::{
    Error, Grant, Result,
    db::{Tx, on},
    keys::secret::Digest,
    usage::first_id,
};
use contract::{
    AppId, AppSecretId, AppState, AppTerms, Environment, FoundApp, FoundAppSecret, FoundKey, FoundSecret, FoundTenant, FoundUsage, KeyId,
    KeyState, LeakCaller, LeakEvent, LeakFilter, LeakId, LeakMatch, LeakReport, LeakState, LeakedApp, PageQuery, ScopeSet, SecretId,
    SecretState, TenantId, UnixMs, UserId,
};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

fn damaged(_: ()) -> Error {
    Error::internal("a stored key or report cannot be read")
}

fn secret_state(key_revoked: Option<i64>, revoked: Option<i64>, valid_until: Option<i64>, now: UnixMs) -> SecretState {
    match valid_until {
        _ if key_revoked.is_some() || revoked.is_some() => SecretState::Dead,
        Some(until) if until <= now.0 => SecretState::Dead,
        Some(_) => SecretState::Grace,
        None => SecretState::Current,
    }
}

#[derive(FromRow)]
pub(super) struct SecretRow {
    secret_id: Uuid,
    prefix: String,
    last_four: String,
    secret_created_at: i64,
    valid_until: Option<i64>,
    secret_revoked_at: Option<i64>,
    key_id: Uuid,
    name: String,
    kind: String,
    environment: String,
    scopes: Json<ScopeSet>,
    expires_at: Option<i64>,
    owner: Option<String>,
    platform: bool,
    created_at: i64,
    disabled_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
    tenant_id: Uuid,
    tenant_name: String,
    report_id: Option<Uuid>,
}

impl SecretRow {
    /// Without usage and without a place in a text.
    pub fn found(self, now: UnixMs) -> Result<LeakMatch> {
        let state = KeyState::of(self.revoked_at.map(UnixMs), self.disabled_at.map(UnixMs), self.expires_at.map(UnixMs), now);
        let secret = FoundSecret {
            id: SecretId::from_uuid(self.secret_id),
            prefix: self.prefix,
            last_four: self.last_four,
            state: secret_state(self.revoked_at, self.secret_revoked_at, self.valid_until, now),
            created_at: UnixMs(self.secret_created_at),
            valid_until: self.valid_until.map(UnixMs),
        };
        let key = FoundKey {
            id: KeyId::from_uuid(self.key_id),
            name: self.name,
            kind: self.kind.parse().map_err(damaged)?,
            environment: self.environment.parse().map_err(damaged)?,
            state,
            scopes: self.scopes.0,
            owner: self.owner,
            platform: self.platform,
            created_at: UnixMs(self.created_at),
            last_used_at: self.last_used_at.map(UnixMs),
            revoked_at: self.revoked_at.map(UnixMs),
        };
        let tenant = FoundTenant { id: TenantId::from_uuid(self.tenant_id), name: self.tenant_name };
        let report = self.report_id.map(LeakId::from_uuid);
        Ok(LeakMatch { key, secret, tenant, usage: FoundUsage::default(), report, line: 0, times: 0 })
    }
}

macro_rules! secret {
    ($tail:literal) => {
        concat!(
            "SELECT s.id AS secret_id, s.prefix, s.last_four, s.created_at AS secret_created_at, s.valid_until, \
             s.revoked_at AS secret_revoked_at, k.id AS key_id, k.name, k.kind, k.environment, k.scopes, k.expires_at, \
             u.email AS owner, k.platform, k.created_at, k.disabled_at, k.revoked_at, k.last_used_at, t.id AS tenant_id, \
             t.name AS tenant_name, r.id AS report_id \
             FROM api_key_secrets s \
             JOIN api_keys k ON k.tenant_id = s.tenant_id AND k.id = s.key_id \
             JOIN tenants t ON t.id = s.tenant_id \
             LEFT JOIN users u ON u.id = k.owner_id \
             LEFT JOIN leak_reports r ON r.tenant_id = s.tenant_id AND r.secret_id = s.id AND r.closed_at IS NULL ",
            $tail
        )
    };
}

pub(super) async fn secret_of(tx: &mut Tx, grant: &Grant, digest: &Digest) -> Result<Option<SecretRow>> {
    const SQL: &str = secret!("WHERE s.tenant_id = $1 AND s.digest = $2");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(digest.bytes().as_slice()).fetch_optional(c).await)?)
}

pub(super) async fn secret(tx: &mut Tx, grant: &Grant, only: Option<Environment>, id: SecretId) -> Result<Option<SecretRow>> {
    const SQL: &str = secret!("WHERE s.tenant_id = $1 AND s.id = $2 AND ($3 IS NULL OR k.environment = $3)");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(only.map(Environment::as_str))
        .fetch_optional(c).await)?)
}

#[derive(FromRow)]
pub(super) struct ReportRow {
    id: Uuid,
    key_id: Uuid,
    key_name: String,
    secret_id: Uuid,
    prefix: String,
    last_four: String,
    valid_until: Option<i64>,
    secret_revoked_at: Option<i64>,
    key_revoked_at: Option<i64>,
    source: String,
    effect: String,
    found_at: i64,
    reported_by: String,
    note: Option<String>,
    notified_at: Option<i64>,
    closed_at: Option<i64>,
    closed_by: Option<String>,
}

impl ReportRow {
    pub fn report(self, now: UnixMs) -> Result<LeakReport> {
        Ok(LeakReport {
            id: LeakId::from_uuid(self.id),
            key_id: KeyId::from_uuid(self.key_id),
            key_name: self.key_name,
            secret_id: SecretId::from_uuid(self.secret_id),
            prefix: self.prefix,
            last_four: self.last_four,
            secret_state: secret_state(self.key_revoked_at, self.secret_revoked_at, self.valid_until, now),
            source: self.source.parse().map_err(damaged)?,
            effect: self.effect.parse().map_err(damaged)?,
            state: if self.closed_at.is_some() { LeakState::Closed } else { LeakState::Open },
            found_at: UnixMs(self.found_at),
            reported_by: self.reported_by,
            note: self.note,
            notified_at: self.notified_at.map(UnixMs),
            closed_at: self.closed_at.map(UnixMs),
            closed_by: self.closed_by,
        })
    }
}

macro_rules! report {
    ($tail:literal) => {
        concat!(
            "SELECT r.id, r.key_id, k.name AS key_name, r.secret_id, s.prefix, s.last_four, s.valid_until, \
             s.revoked_at AS secret_revoked_at, k.revoked_at AS key_revoked_at, r.source, r.effect, r.found_at, r.reported_by, r.note, \
             r.notified_at, r.closed_at, r.closed_by \
             FROM leak_reports r \
             JOIN api_keys k ON k.tenant_id = r.tenant_id AND k.id = r.key_id \
             JOIN api_key_secrets s ON s.tenant_id = r.tenant_id AND s.id = r.secret_id ",
            $tail
        )
    };
}

pub(super) async fn list(
    tx: &mut Tx,
    grant: &Grant,
    only: Option<Environment>,
    filter: LeakFilter,
    page: PageQuery,
) -> Result<Vec<ReportRow>> {
    const SQL: &str = report!(
        "WHERE r.tenant_id = $1 AND r.id < $2 AND ($4 IS NULL OR r.key_id = $4) \
         AND ($5 IS NULL OR $5 = CASE WHEN r.closed_at IS NULL THEN 'open' ELSE 'closed' END) \
         AND ($6 IS NULL OR k.environment = $6) ORDER BY r.id DESC LIMIT $3"
    );
    Ok(on!(tx, c => sqlx::query_as(SQL)
        .bind(grant.tenant_id().uuid()).bind(page.before()).bind(i64::from(page.bounded()) + 1)
        .bind(filter.key_id.map(KeyId::uuid)).bind(filter.state.map(LeakState::as_str)).bind(only.map(Environment::as_str))
        .fetch_all(c).await)?)
}

pub(super) async fn find(tx: &mut Tx, grant: &Grant, only: Option<Environment>, id: LeakId) -> Result<Option<ReportRow>> {
    const SQL: &str = report!("WHERE r.tenant_id = $1 AND r.id = $2 AND ($3 IS NULL OR k.environment = $3)");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(only.map(Environment::as_str))
        .fetch_optional(c).await)?)
}

/// Stores a report, or lets it act through the one that the desk has open on the secret; none where the secret is
/// reported and that report has acted already.
pub(super) async fn upsert(tx: &mut Tx, grant: &Grant, found: &LeakMatch, new: &NewReport, now: UnixMs) -> Result<Option<LeakId>> {
    const SQL: &str = "INSERT INTO leak_reports (tenant_id, id, key_id, secret_id, source, effect, found_at, reported_by, note) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (tenant_id, secret_id) WHERE closed_at IS NULL \
        DO UPDATE SET effect = excluded.effect WHERE leak_reports.effect = 'recorded' AND excluded.effect <> 'recorded' \
        RETURNING id";
    let id: Option<Uuid> = on!(tx, c => sqlx::query_scalar(SQL)
        .bind(grant.tenant_id().uuid()).bind(new.id.uuid()).bind(found.key.id.uuid()).bind(found.secret.id.uuid())
        .bind(new.source.as_str()).bind(new.effect.as_str()).bind(now.0).bind(&grant.actor().name).bind(&new.note)
        .fetch_optional(c).await)?;
    Ok(id.map(LeakId::from_uuid))
}

pub(super) async fn was_reported(tx: &mut Tx, grant: &Grant, secret: SecretId) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM leak_reports WHERE tenant_id = $1 AND secret_id = $2";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(secret.uuid()).fetch_one(c).await)?;
    Ok(n > 0)
}

/// Ends one secret, and with it any grace it had left.
pub(super) async fn end_secret(tx: &mut Tx, grant: &Grant, id: SecretId, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE api_key_secrets SET revoked_at = $3, valid_until = CASE WHEN valid_until > $3 THEN $3 ELSE valid_until END \
        WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn has_working_secret(tx: &mut Tx, grant: &Grant, key: KeyId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM api_key_secrets \
        WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL AND (valid_until IS NULL OR valid_until > $3)";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(key.uuid()).bind(now.0).fetch_one(c).await)?;
    Ok(n > 0)
}

/// False when the owner was told before.
pub(super) async fn set_notified(tx: &mut Tx, grant: &Grant, id: LeakId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE leak_reports SET notified_at = $3 WHERE tenant_id = $1 AND id = $2 AND notified_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// False when it was closed before.
pub(super) async fn close(tx: &mut Tx, grant: &Grant, id: LeakId, now: UnixMs, by: &str) -> Result<bool> {
    const SQL: &str = "UPDATE leak_reports SET closed_at = $3, closed_by = $4 WHERE tenant_id = $1 AND id = $2 AND closed_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).bind(by)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// The last hundred events of a key, oldest first, without what changed: a report's reader may not read the audit log.
pub(super) async fn timeline(tx: &mut Tx, grant: &Grant, key: KeyId) -> Result<Vec<LeakEvent>> {
    const SQL: &str = "SELECT at, action, actor_name, reason FROM audit_events WHERE tenant_id = $1 AND target_id = $2 \
        ORDER BY seq DESC LIMIT 100";
    let rows: Vec<(i64, String, String, Option<String>)> =
        on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(key.to_string()).fetch_all(c).await)?;
    Ok(rows.into_iter().rev().map(|(at, action, actor, reason)| LeakEvent { at: UnixMs(at), action, actor, reason }).collect())
}

#[derive(FromRow)]
struct CallerRow {
    ip: Option<String>,
    user_agent: Option<String>,
    requests: i64,
    denied: i64,
    last_at: i64,
}

macro_rules! counts {
    ($whose:literal) => {
        concat!(
            "SELECT COUNT(*), COUNT(CASE WHEN at >= $5 THEN 1 END), COUNT(DISTINCT ip), MAX(at) FROM usage_events \
             WHERE tenant_id = $1 AND environment = $2 AND id >= $4 AND outcome = 'allowed' ",
            $whose
        )
    };
}

/// What a key did in the last 30 days, without its callers.
pub(super) async fn usage(tx: &mut Tx, grant: &Grant, environment: Environment, key: KeyId, now: UnixMs) -> Result<FoundUsage> {
    const SQL: &str = counts!("AND credential_id = $3");
    counted(tx, grant, SQL, environment, key.uuid(), now).await
}

/// The same of an app; relies on `usage_events_by_client`.
pub(super) async fn usage_of_app(tx: &mut Tx, grant: &Grant, environment: Environment, app: AppId, now: UnixMs) -> Result<FoundUsage> {
    const SQL: &str = counts!("AND client_id = $3");
    counted(tx, grant, SQL, environment, app.uuid(), now).await
}

async fn counted(tx: &mut Tx, grant: &Grant, sql: &'static str, environment: Environment, id: Uuid, now: UnixMs) -> Result<FoundUsage> {
    let (allowed_30d, allowed_24h, addresses_30d, last): (i64, i64, i64, Option<i64>) = on!(tx, c => sqlx::query_as(sql)
        .bind(grant.tenant_id().uuid()).bind(environment.as_str()).bind(id).bind(window_start(now))
        .bind(now.plus(-UnixMs::DAY).0).fetch_one(c).await)?;
    Ok(FoundUsage { allowed_24h, allowed_30d, addresses_30d, last_allowed_at: last.map(UnixMs), callers: Vec::new() })
}

#[derive(FromRow)]
pub(super) struct AppSecretRow {
    id: Uuid,
    last_four: String,
    secret_created_at: i64,
    valid_until: Option<i64>,
    app_id: Uuid,
    name: String,
    kind: String,
    terms: Json<AppTerms>,
    suspended_at: Option<i64>,
    created_at: i64,
    last_used_at: Option<i64>,
    owner: Option<String>,
    tenant_id: Uuid,
    tenant_name: String,
}

impl AppSecretRow {
    /// Without usage and without a place in a text.
    pub fn found(self, now: UnixMs) -> Result<LeakedApp> {
        let app = FoundApp {
            id: AppId::from_uuid(self.app_id),
            name: self.name,
            kind: self.kind.parse().map_err(damaged)?,
            state: if self.suspended_at.is_some() { AppState::Suspended } else { AppState::Active },
            scopes: ScopeSet(self.terms.0.scopes),
            owner: self.owner,
            created_at: UnixMs(self.created_at),
            last_used_at: self.last_used_at.map(UnixMs),
        };
        let secret = FoundAppSecret {
            id: AppSecretId::from_uuid(self.id),
            last_four: self.last_four,
            state: secret_state(None, None, self.valid_until, now),
            created_at: UnixMs(self.secret_created_at),
            valid_until: self.valid_until.map(UnixMs),
        };
        let tenant = FoundTenant { id: TenantId::from_uuid(self.tenant_id), name: self.tenant_name };
        Ok(LeakedApp { app, secret, tenant, usage: FoundUsage::default(), line: 0, times: 0 })
    }
}

macro_rules! app_secret {
    ($tail:literal) => {
        concat!(
            "SELECT s.id, s.last_four, s.created_at AS secret_created_at, s.valid_until, a.id AS app_id, a.name, a.kind, a.terms, \
             a.suspended_at, a.created_at, a.last_used_at, u.email AS owner, t.id AS tenant_id, t.name AS tenant_name \
             FROM app_secrets s JOIN apps a ON a.tenant_id = s.tenant_id AND a.id = s.app_id AND a.deleted_at IS NULL \
             JOIN tenants t ON t.id = s.tenant_id \
             LEFT JOIN members m ON m.tenant_id = a.tenant_id AND m.user_id = a.owner_id LEFT JOIN users u ON u.id = m.user_id ",
            $tail
        )
    };
}

/// Whose secret it is, in whichever tenant.
pub(super) async fn app_secret_unscoped(tx: &mut Tx, digest: &[u8]) -> Result<Option<AppSecretRow>> {
    const SQL: &str = app_secret!("WHERE s.digest = $1");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).fetch_optional(c).await)?)
}

pub(super) async fn app_secret(tx: &mut Tx, grant: &Grant, id: AppSecretId, own: Option<UserId>) -> Result<Option<AppSecretRow>> {
    const SQL: &str = app_secret!("WHERE s.tenant_id = $1 AND s.id = $2 AND ($3 IS NULL OR a.owner_id = $3)");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(own.map(UserId::uuid))
        .fetch_optional(c).await)?)
}

/// Ids are UUIDv7: a time is the start of a range of ids.
fn window_start(now: UnixMs) -> Uuid {
    first_id(now.plus(-30 * UnixMs::DAY))
}

/// Who used a key in the last 30 days, the busiest first.
pub(super) async fn callers(tx: &mut Tx, grant: &Grant, environment: Environment, key: KeyId, now: UnixMs) -> Result<Vec<LeakCaller>> {
    const SQL: &str = "SELECT ip, user_agent, COUNT(*) AS requests, COUNT(CASE WHEN outcome = 'denied' THEN 1 END) AS denied, \
        MAX(at) AS last_at FROM usage_events \
        WHERE tenant_id = $1 AND environment = $2 AND credential_id = $3 AND id >= $4 \
        GROUP BY ip, user_agent ORDER BY COUNT(*) DESC, MAX(at) DESC LIMIT 10";
    let rows: Vec<CallerRow> = on!(tx, c => sqlx::query_as(SQL)
        .bind(grant.tenant_id().uuid()).bind(environment.as_str()).bind(key.uuid()).bind(window_start(now)).fetch_all(c).await)?;
    let caller = |r: CallerRow| LeakCaller {
        ip: r.ip.and_then(|ip| ip.parse().ok()),
        user_agent: r.user_agent,
        requests: r.requests,
        denied: r.denied,
        last_at: UnixMs(r.last_at),
    };
    Ok(rows.into_iter().map(caller).collect())
}
