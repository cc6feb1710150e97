//! Pages rely on the indexes `usage_events_by_environment`, `_by_credential`, `_by_outcome` and `_by_request`: each
//! statement below is a range of one of them, and the first page is the page before the largest UUID.

use super::NewEvent;
use crate::{
    Error, Grant, Result,
    db::{Inner, Tx, on},
};
use contract::{
    CredentialKind, Environment, KeyId, KeyImpact, PageQuery, Scope, TenantId, UnixMs, UsageEvent, UsageFilter, UsageId, UserId,
};
use sqlx::{FromRow, QueryBuilder, types::Json};
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    at: i64,
    request_id: String,
    credential_id: Option<Uuid>,
    credential_name: Option<String>,
    kind: String,
    outcome: String,
    code: String,
    method: Option<String>,
    path: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    environment: String,
    required_scopes: Json<Vec<Scope>>,
    source: String,
    latency_us: i64,
}

impl Row {
    pub fn event(self) -> Result<UsageEvent> {
        let damaged = |()| Error::internal("a stored usage event cannot be read");
        Ok(UsageEvent {
            id: UsageId::from_uuid(self.id),
            at: UnixMs(self.at),
            request_id: self.request_id,
            credential_id: self.credential_id.map(KeyId::from_uuid),
            credential_name: self.credential_name,
            kind: self.kind.parse::<CredentialKind>().map_err(damaged)?,
            outcome: self.outcome.parse().map_err(damaged)?,
            code: self.code.parse().map_err(damaged)?,
            method: self.method,
            path: self.path,
            ip: self.ip.and_then(|ip| ip.parse().ok()),
            user_agent: self.user_agent,
            environment: self.environment.parse().map_err(damaged)?,
            required_scopes: self.required_scopes.0,
            source: self.source.parse().map_err(damaged)?,
            latency_us: u32::try_from(self.latency_us).unwrap_or(u32::MAX),
        })
    }
}

macro_rules! page {
    ($($filter:literal)*) => {
        concat!(
            "SELECT e.id, e.at, e.request_id, e.credential_id, k.name AS credential_name, e.kind, e.outcome, e.code, e.method, e.path, \
             e.ip, e.user_agent, e.environment, e.required_scopes, e.source, e.latency_us \
             FROM usage_events e LEFT JOIN api_keys k ON k.tenant_id = e.tenant_id AND k.id = e.credential_id \
             WHERE e.tenant_id = $1 AND e.environment = $2 AND e.id < $3 ",
            $($filter,)*
            "ORDER BY e.id DESC LIMIT $4"
        )
    };
}

const ALL: &str = page!();
const BY_KEY: &str = page!("AND e.credential_id = $5 ");
const BY_OUTCOME: &str = page!("AND e.outcome = $5 ");
const BY_KEY_AND_OUTCOME: &str = page!("AND e.credential_id = $5 AND e.outcome = $6 ");
const BY_REQUEST: &str = page!("AND e.request_id = $5 AND ($6 IS NULL OR e.credential_id = $6) AND ($7 IS NULL OR e.outcome = $7) ");
const OWN: &str = page!(
    "AND k.owner_id = $5 AND ($6 IS NULL OR e.credential_id = $6) AND ($7 IS NULL OR e.outcome = $7) AND ($8 IS NULL OR e.request_id = $8) "
);

/// Every statement that reads a page.
#[cfg(feature = "testing")]
pub const LIST_STATEMENTS: [(&str, &str); 4] =
    [("all", ALL), ("key", BY_KEY), ("outcome", BY_OUTCOME), ("key and outcome", BY_KEY_AND_OUTCOME)];

pub(super) async fn list(
    tx: &mut Tx,
    grant: &Grant,
    filter: &UsageFilter,
    environment: Environment,
    own_only: Option<UserId>,
    page: PageQuery,
) -> Result<Vec<Row>> {
    let (tenant, env, before, limit) = (grant.tenant_id().uuid(), environment.as_str(), page.before(), i64::from(page.bounded()) + 1);
    let key = filter.credential_id.map(KeyId::uuid);
    let outcome = filter.outcome.map(contract::Outcome::as_str);
    let request = filter.request_id.as_deref();
    macro_rules! run {
        ($sql:expr $(, $arg:expr)*) => {
            on!(tx, c => sqlx::query_as($sql).bind(tenant).bind(env).bind(before).bind(limit)$(.bind($arg))*.fetch_all(c).await)?
        };
    }
    Ok(match (own_only, request, key, outcome) {
        (Some(user), ..) => run!(OWN, user.uuid(), key, outcome, request),
        (None, Some(_), ..) => run!(BY_REQUEST, request, key, outcome),
        (None, None, Some(key), Some(outcome)) => run!(BY_KEY_AND_OUTCOME, key, outcome),
        (None, None, Some(key), None) => run!(BY_KEY, key),
        (None, None, None, Some(outcome)) => run!(BY_OUTCOME, outcome),
        (None, None, None, None) => run!(ALL),
    })
}

pub(super) async fn impact(tx: &mut Tx, grant: &Grant, environment: Environment, key: KeyId, now: UnixMs) -> Result<KeyImpact> {
    // One range of `usage_events_by_credential`: ids are UUIDv7, so a time is the start of a range of ids.
    const SQL: &str = "SELECT COUNT(*) AS n, COUNT(CASE WHEN at >= $5 THEN 1 END) AS day, COUNT(DISTINCT ip) AS ips, MAX(at) AS last \
        FROM usage_events WHERE tenant_id = $1 AND environment = $2 AND credential_id = $3 AND id >= $4 AND outcome = 'allowed'";
    let since = now.plus(-30 * UnixMs::DAY);
    let floor = uuid::Builder::from_unix_timestamp_millis(u64::try_from(since.0).unwrap_or(0), &[0; 10]).into_uuid();
    let (allowed_30d, allowed_24h, addresses_30d, last): (i64, i64, i64, Option<i64>) = on!(tx, c => sqlx::query_as(SQL)
        .bind(grant.tenant_id().uuid()).bind(environment.as_str()).bind(key.uuid()).bind(floor).bind(now.plus(-UnixMs::DAY).0)
        .fetch_one(c).await)?;
    Ok(KeyImpact { allowed_30d, allowed_24h, addresses_30d, last_allowed_at: last.map(UnixMs) })
}

/// Rows of one statement: 16 values each stay below SQLite's 32,766.
const ROWS: usize = 1_000;

macro_rules! insert_chunk {
    ($db:ty, $t:expr, $chunk:expr) => {{
        let mut query = QueryBuilder::<$db>::new(
            "INSERT INTO usage_events (tenant_id, id, at, request_id, credential_id, kind, outcome, code, method, path, ip, user_agent, \
             environment, required_scopes, source, latency_us) ",
        );
        query.push_values($chunk, |mut row, (tenant, e)| {
            row.push_bind(*tenant)
                .push_bind(e.id)
                .push_bind(e.at.0)
                .push_bind(&e.request_id)
                .push_bind(e.credential_id.map(KeyId::uuid))
                .push_bind(e.kind.as_str())
                .push_bind(e.outcome.as_str())
                .push_bind(e.code.as_str())
                .push_bind(&e.method)
                .push_bind(&e.path)
                .push_bind(e.ip.map(|ip| ip.to_string()))
                .push_bind(&e.user_agent)
                .push_bind(e.environment.as_str())
                .push_bind(Json(&e.required_scopes))
                .push_bind(e.source.as_str())
                .push_bind(i64::from(e.latency_us));
        });
        // A batch whose commit went through although its answer was lost is stored once.
        query.push(" ON CONFLICT (tenant_id, id) DO NOTHING");
        query.build().execute(&mut **$t).await?;
    }};
}

pub(super) async fn insert_unscoped(tx: &mut Tx, batch: &[NewEvent]) -> Result<()> {
    const HOME: &str = "SELECT id FROM tenants WHERE home";
    let home: Option<Uuid> =
        if batch.iter().any(|e| e.tenant_id.is_none()) { on!(tx, c => sqlx::query_scalar(HOME).fetch_optional(c).await)? } else { None };
    // Before the first tenant exists there is no log to write to.
    let rows: Vec<(Uuid, &NewEvent)> = batch.iter().filter_map(|e| Some((e.tenant_id.map(TenantId::uuid).or(home)?, e))).collect();
    for chunk in rows.chunks(ROWS) {
        match &mut tx.inner {
            Inner::Sqlite(t) => insert_chunk!(sqlx::Sqlite, t, chunk),
            Inner::Postgres(t) => insert_chunk!(sqlx::Postgres, t, chunk),
        }
    }
    Ok(())
}

pub(super) async fn touch_key_unscoped(tx: &mut Tx, tenant: TenantId, key: KeyId, at: UnixMs) -> Result<()> {
    const SQL: &str =
        "UPDATE api_keys SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
    on!(tx, c => sqlx::query(SQL).bind(tenant.uuid()).bind(key.uuid()).bind(at.0).execute(c).await.map(drop))?;
    Ok(())
}

#[cfg(feature = "testing")]
pub(super) async fn count_unscoped(tx: &mut Tx) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM usage_events").fetch_one(c).await)?)
}
