//! Pages rely on the indexes `usage_events_by_environment`, `_by_credential`, `_by_client`, `_by_outcome`, `_by_ip` and `_by_request`:
//! each statement below is a range of one of them, newest first. Ids are UUIDv7, so a time is a place among them; the
//! first page is the page before the largest UUID. The filters that are not the range's own drop rows inside it.

use super::NewEvent;
use crate::{
    Error, Grant, Result, Versions,
    db::{Inner, Tx, on},
    verify::StoredPolicy,
};
use contract::{
    AppId, CredentialKind, Environment, KeyId, LimitFacts, Outcome, Policy, Scope, SecretId, TenantId, UnixMs, UsageEvent, UsageId,
    UsageQuery, UserId, sortable,
};
use sqlx::{FromRow, QueryBuilder, types::Json};
use std::sync::Arc;
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    at: i64,
    request_id: String,
    credential_id: Option<Uuid>,
    credential_name: Option<String>,
    client_id: Option<Uuid>,
    client_name: Option<String>,
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
            client_id: self.client_id.map(AppId::from_uuid),
            client_name: self.client_name,
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

/// One event with everything that its trace tells.
#[derive(FromRow)]
pub(super) struct TraceRow {
    #[sqlx(flatten)]
    row: Row,
    secret_id: Option<Uuid>,
    api_version: Option<String>,
    client_version: Option<String>,
    required_environment: Option<String>,
    audience: Option<String>,
    cost: i64,
    rate_limit: Option<Json<LimitFacts>>,
    policy: Option<Json<Policy>>,
}

impl TraceRow {
    pub fn read(self) -> Result<(UsageEvent, super::Moment)> {
        let damaged = |()| Error::internal("a stored usage event cannot be read");
        let moment = super::Moment {
            secret_id: self.secret_id.map(SecretId::from_uuid),
            versions: Versions { api: self.api_version, client: self.client_version },
            required_environment: self.required_environment.map(|e| e.parse().map_err(damaged)).transpose()?,
            audience: self.audience,
            cost: u32::try_from(self.cost).unwrap_or(u32::MAX),
            rate_limit: self.rate_limit.map(|l| l.0),
            policy: self.policy.map(|p| p.0),
        };
        Ok((self.row.event()?, moment))
    }
}

/// The ids from `$4` on and before `$3`, and every filter that may be set. `$16` is the person who sees their own only.
macro_rules! chosen {
    () => {
        "FROM usage_events e LEFT JOIN api_keys k ON k.tenant_id = e.tenant_id AND k.id = e.credential_id \
         LEFT JOIN users u ON u.id = e.subject LEFT JOIN apps a ON a.tenant_id = e.tenant_id AND a.id = e.client_id \
         WHERE e.tenant_id = $1 AND e.environment = $2 AND e.id < $3 AND e.id >= $4 \
         AND ($6 IS NULL OR e.credential_id = $6) AND ($7 IS NULL OR e.outcome = $7) AND ($8 IS NULL OR e.request_id = $8) \
         AND ($9 IS NULL OR (e.ip_key >= $9 AND e.ip_key <= $10)) AND ($11 IS NULL OR e.code = $11) \
         AND ($12 IS NULL OR e.method = $12) AND ($13 IS NULL OR substr(e.path, 1, length($13)) = $13) \
         AND ($14 IS NULL OR e.kind = $14) AND ($15 IS NULL OR e.source = $15) \
         AND ($16 IS NULL OR k.owner_id = $16 OR e.subject = $16 OR a.owner_id = $16) AND ($17 IS NULL OR e.client_id = $17) "
    };
}
pub(super) use chosen;

macro_rules! page {
    ($tail:literal) => {
        concat!(
            "SELECT e.id, e.at, e.request_id, e.credential_id, COALESCE(k.name, u.email, a.name) AS credential_name, \
             e.client_id, a.name AS client_name, e.kind, e.outcome, e.code, e.method, e.path, \
             e.ip, e.user_agent, e.environment, e.required_scopes, e.source, e.latency_us ",
            chosen!(),
            $tail
        )
    };
}

macro_rules! trace {
    ($tail:literal) => {
        concat!(
            "SELECT e.id, e.at, e.request_id, e.credential_id, COALESCE(k.name, u.email, a.name) AS credential_name, \
             e.client_id, a.name AS client_name, e.kind, e.outcome, e.code, e.method, e.path, \
             e.ip, e.user_agent, e.environment, e.required_scopes, e.source, e.latency_us, e.secret_id, e.api_version, \
             e.client_version, e.required_environment, e.audience, e.cost, e.rate_limit, p.policy \
             FROM usage_events e LEFT JOIN api_keys k ON k.tenant_id = e.tenant_id AND k.id = e.credential_id \
             LEFT JOIN users u ON u.id = e.subject LEFT JOIN apps a ON a.tenant_id = e.tenant_id AND a.id = e.client_id \
             LEFT JOIN usage_policies p ON p.tenant_id = e.tenant_id AND p.hash = e.policy_hash ",
            $tail
        )
    };
}

/// The equality whose index the range lies in; the narrowest that the filter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    All,
    Request,
    Key,
    App,
    Address,
    Outcome,
}

/// Picks a statement by its anchor; `$macro` makes it of the anchor's condition.
macro_rules! anchored {
    ($anchor:expr, $statement:ident, $order:literal) => {
        match $anchor {
            $crate::usage::sql::Anchor::All => $statement!($order),
            $crate::usage::sql::Anchor::Request => $statement!("AND e.request_id = $8 ", $order),
            $crate::usage::sql::Anchor::Key => $statement!("AND e.credential_id = $6 ", $order),
            $crate::usage::sql::Anchor::App => $statement!("AND e.client_id = $17 ", $order),
            $crate::usage::sql::Anchor::Address => $statement!("AND e.ip_key = $9 ", $order),
            $crate::usage::sql::Anchor::Outcome => $statement!("AND e.outcome = $7 ", $order),
        }
    };
}
pub(super) use anchored;

const ALL: &str = page!("ORDER BY e.id DESC LIMIT $5");
const BY_REQUEST: &str = page!("AND e.request_id = $8 ORDER BY e.id DESC LIMIT $5");
const BY_KEY: &str = page!("AND e.credential_id = $6 ORDER BY e.id DESC LIMIT $5");
const BY_APP: &str = page!("AND e.client_id = $17 ORDER BY e.id DESC LIMIT $5");
const BY_ADDRESS: &str = page!("AND e.ip_key = $9 ORDER BY e.id DESC LIMIT $5");
const BY_OUTCOME: &str = page!("AND e.outcome = $7 ORDER BY e.id DESC LIMIT $5");
const NEWER: &str = page!("ORDER BY e.id LIMIT $5");

/// What a list, a summary or an export is about, in one environment.
pub(super) struct Range<'a> {
    pub query: &'a UsageQuery,
    pub environment: Environment,
    pub own_only: Option<UserId>,
    /// Ids from this on.
    pub floor: Uuid,
    /// Ids before this.
    pub before: Uuid,
}

impl Range<'_> {
    pub fn anchor(&self) -> Anchor {
        let q = self.query;
        if q.request_id.is_some() {
            Anchor::Request
        } else if q.credential_id.is_some() {
            Anchor::Key
        } else if q.client_id.is_some() {
            Anchor::App
        } else if q.ip.is_some_and(|net| net.bounds().0 == net.bounds().1) {
            Anchor::Address
        } else if self.outcome().is_some() {
            Anchor::Outcome
        } else {
            Anchor::All
        }
    }

    /// A code says how the request ended.
    pub fn outcome(&self) -> Option<Outcome> {
        let of_code = |code| if code == contract::Code::Valid { Outcome::Allowed } else { Outcome::Denied };
        self.query.outcome.or(self.query.code.map(of_code))
    }
}

/// Binds what `chosen!` names; `$5` is the statement's own.
macro_rules! bound {
    ($query:expr, $grant:expr, $range:expr, $own:expr) => {{
        let q = $range.query;
        let bounds = q.ip.map(|net| net.bounds());
        $query
            .bind($grant.tenant_id().uuid())
            .bind($range.environment.as_str())
            .bind($range.before)
            .bind($range.floor)
            .bind($own)
            .bind(q.credential_id.map(contract::KeyId::uuid))
            .bind($range.outcome().map(contract::Outcome::as_str))
            .bind(q.request_id.as_deref())
            .bind(bounds.map(|b| b.0.to_vec()))
            .bind(bounds.map(|b| b.1.to_vec()))
            .bind(q.code.map(contract::Code::as_str))
            .bind(q.method.as_deref())
            .bind(q.path.as_deref())
            .bind(q.kind.map(contract::CredentialKind::as_str))
            .bind(q.source.map(contract::UsageSource::as_str))
            .bind($range.own_only.map(contract::UserId::uuid))
            .bind(q.client_id.map(contract::AppId::uuid))
    }};
}
pub(super) use bound;

/// Every statement that reads a page, with a filter that it answers.
#[cfg(feature = "testing")]
pub const LIST_STATEMENTS: [(&str, &str); 6] =
    [("all", ALL), ("request", BY_REQUEST), ("key", BY_KEY), ("app", BY_APP), ("address", BY_ADDRESS), ("outcome", BY_OUTCOME)];

/// The newest of the range first.
pub(super) async fn list(tx: &mut Tx, grant: &Grant, range: &Range<'_>, limit: i64) -> Result<Vec<Row>> {
    let sql = match range.anchor() {
        Anchor::All => ALL,
        Anchor::Request => BY_REQUEST,
        Anchor::Key => BY_KEY,
        Anchor::App => BY_APP,
        Anchor::Address => BY_ADDRESS,
        Anchor::Outcome => BY_OUTCOME,
    };
    Ok(on!(tx, c => bound!(sqlx::query_as(sql), grant, range, limit).fetch_all(c).await)?)
}

/// The oldest of the range first: what a stream sends on. The range is short, so every filter drops rows inside it.
pub(super) async fn newer(tx: &mut Tx, grant: &Grant, range: &Range<'_>, limit: i64) -> Result<Vec<Row>> {
    Ok(on!(tx, c => bound!(sqlx::query_as(NEWER), grant, range, limit).fetch_all(c).await)?)
}

/// One event; relies on the primary key.
pub(super) async fn trace(tx: &mut Tx, grant: &Grant, id: UsageId, own_only: Option<UserId>) -> Result<Option<TraceRow>> {
    const SQL: &str =
        trace!("WHERE e.tenant_id = $1 AND e.id = $2 AND ($3 IS NULL OR k.owner_id = $3 OR e.subject = $3 OR a.owner_id = $3)");
    let (tenant, own) = (grant.tenant_id().uuid(), own_only.map(UserId::uuid));
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(tenant).bind(id.uuid()).bind(own).fetch_optional(c).await)?)
}

/// The events of one request; relies on `usage_events_by_request`.
pub(super) async fn traces(tx: &mut Tx, grant: &Grant, request_id: &str, own_only: Option<UserId>) -> Result<Vec<TraceRow>> {
    const SQL: &str = trace!(
        "WHERE e.tenant_id = $1 AND e.request_id = $2 AND ($3 IS NULL OR k.owner_id = $3 OR e.subject = $3 OR a.owner_id = $3) ORDER BY e.id DESC LIMIT 100"
    );
    let (tenant, own) = (grant.tenant_id().uuid(), own_only.map(UserId::uuid));
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(tenant).bind(request_id).bind(own).fetch_all(c).await)?)
}

/// Rows of one statement: 27 values each stay below SQLite's 32,766.
const ROWS: usize = 1_000;

macro_rules! insert_chunk {
    ($db:ty, $t:expr, $chunk:expr) => {{
        let mut query = QueryBuilder::<$db>::new(
            "INSERT INTO usage_events (tenant_id, id, at, request_id, credential_id, kind, outcome, code, method, path, ip, user_agent, \
             environment, required_scopes, source, latency_us, ip_key, secret_id, policy_hash, required_environment, audience, cost, \
             rate_limit, api_version, client_version, subject, client_id) ",
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
                .push_bind(i64::from(e.latency_us))
                .push_bind(e.ip.map(|ip| sortable(ip).to_vec()))
                .push_bind(e.secret_id.map(SecretId::uuid))
                .push_bind(e.policy.as_ref().map(|p| p.hash.to_vec()))
                .push_bind(e.required_environment.map(Environment::as_str))
                .push_bind(&e.audience)
                .push_bind(i64::from(e.cost))
                .push_bind(e.rate_limit.map(Json))
                .push_bind(&e.versions.api)
                .push_bind(&e.versions.client)
                .push_bind(e.subject.map(UserId::uuid))
                .push_bind(e.client_id.map(AppId::uuid));
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

/// Stores policies that may be there already; relies on the primary key.
pub(super) async fn insert_policies_unscoped(tx: &mut Tx, policies: &[(TenantId, Arc<StoredPolicy>)]) -> Result<()> {
    const SQL: &str = "INSERT INTO usage_policies (tenant_id, hash, policy) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, hash) DO NOTHING";
    for (tenant, stored) in policies {
        on!(tx, c => sqlx::query(SQL).bind(tenant.uuid()).bind(stored.hash.as_slice()).bind(Json(&stored.policy)).execute(c).await.map(drop))?;
    }
    Ok(())
}

pub(super) async fn touch_key_unscoped(tx: &mut Tx, tenant: TenantId, key: KeyId, at: UnixMs) -> Result<()> {
    const SQL: &str =
        "UPDATE api_keys SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
    on!(tx, c => sqlx::query(SQL).bind(tenant.uuid()).bind(key.uuid()).bind(at.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Relies on the unique index on the id.
pub(super) async fn touch_app_unscoped(tx: &mut Tx, app: AppId, at: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE apps SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    on!(tx, c => sqlx::query(SQL).bind(app.uuid()).bind(at.0).execute(c).await.map(drop))?;
    Ok(())
}

#[cfg(feature = "testing")]
pub(super) async fn count_unscoped(tx: &mut Tx) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM usage_events").fetch_one(c).await)?)
}
