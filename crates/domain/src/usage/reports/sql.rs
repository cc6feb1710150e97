//! Counts rely on the indexes of the pages (`usage/sql.rs`). What is told of one key is a range of
//! `usage_events_by_credential`, of one app one of `usage_events_by_client`, what is told of a tenant's allowed requests a range of `usage_events_by_outcome`; its
//! secrets are found by `api_key_secrets_by_key`.

use crate::{
    Error, Grant, Result,
    db::{Tx, on},
    usage::{
        first_id,
        sql::{Range, anchored, bound, chosen},
    },
};
use contract::{AllowedIp, AppId, Bucket, CallerSeen, Code, Environment, KeyCount, KeyId, Outcome, Scope, SecretId, UnixMs};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

macro_rules! by_code {
    ($($part:literal),*) => { concat!("SELECT e.code, COUNT(*) AS n ", chosen!(), $($part,)*) };
}

macro_rules! by_key {
    ($($part:literal),*) => {
        concat!(
            "SELECT e.credential_id, k.name, COUNT(CASE WHEN e.outcome = 'allowed' THEN 1 END) AS allowed, \
             COUNT(CASE WHEN e.outcome = 'denied' THEN 1 END) AS denied, MAX(e.at) AS last_at ",
            chosen!(),
            $($part,)*
        )
    };
}

macro_rules! by_time {
    ($($part:literal),*) => { concat!("SELECT e.at / $5 AS bucket, e.outcome, COUNT(*) AS n ", chosen!(), $($part,)*) };
}

fn damaged(_: ()) -> Error {
    Error::internal("a stored usage event cannot be read")
}

pub(super) async fn codes(tx: &mut Tx, grant: &Grant, range: &Range<'_>) -> Result<Vec<(Code, i64)>> {
    let sql = anchored!(range.anchor(), by_code, "GROUP BY e.code LIMIT $5");
    let rows: Vec<(String, i64)> = on!(tx, c => bound!(sqlx::query_as(sql), grant, range, 100_i64).fetch_all(c).await)?;
    rows.into_iter().map(|(code, n)| Ok((code.parse().map_err(damaged)?, n))).collect()
}

#[derive(FromRow)]
struct KeyRow {
    credential_id: Option<Uuid>,
    name: Option<String>,
    allowed: i64,
    denied: i64,
    last_at: i64,
}

pub(super) async fn keys(tx: &mut Tx, grant: &Grant, range: &Range<'_>, limit: usize) -> Result<Vec<KeyCount>> {
    // Tokens of apps and of people are no keys that nobody knows.
    let sql = anchored!(
        range.anchor(),
        by_key,
        "AND (e.credential_id IS NOT NULL OR (e.client_id IS NULL AND e.subject IS NULL)) \
         GROUP BY e.credential_id, k.name ORDER BY COUNT(*) DESC LIMIT $5"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<KeyRow> = on!(tx, c => bound!(sqlx::query_as(sql), grant, range, limit).fetch_all(c).await)?;
    let key = |r: KeyRow| KeyCount {
        credential_id: r.credential_id.map(KeyId::from_uuid),
        name: r.name,
        allowed: r.allowed,
        denied: r.denied,
        last_at: UnixMs(r.last_at),
    };
    Ok(rows.into_iter().map(key).collect())
}

pub(super) async fn series(tx: &mut Tx, grant: &Grant, range: &Range<'_>, bucket: Bucket) -> Result<Vec<(i64, Outcome, i64)>> {
    let sql = anchored!(range.anchor(), by_time, "GROUP BY 1, e.outcome");
    let rows: Vec<(i64, String, i64)> = on!(tx, c => bound!(sqlx::query_as(sql), grant, range, bucket.ms()).fetch_all(c).await)?;
    rows.into_iter().map(|(at, outcome, n)| Ok((at * bucket.ms(), outcome.parse().map_err(damaged)?, n))).collect()
}

/// Allowed requests that are alike for the decision, and perhaps for people.
#[derive(FromRow)]
pub(crate) struct Alike {
    ip: Option<String>,
    pub user_agent: Option<String>,
    pub path: Option<String>,
    required_scopes: Json<Vec<Scope>>,
    required_environment: Option<String>,
    pub n: i64,
    pub day: i64,
    pub last: i64,
}

impl Alike {
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        self.ip.as_deref().and_then(|ip| ip.parse().ok())
    }

    pub fn scopes(&self) -> &[Scope] {
        &self.required_scopes.0
    }

    pub fn environment(&self) -> Result<Option<Environment>> {
        self.required_environment.as_deref().map(|e| e.parse().map_err(damaged)).transpose()
    }

    pub fn caller(&self) -> CallerSeen {
        CallerSeen {
            ip: self.ip(),
            user_agent: self.user_agent.clone(),
            path: self.path.clone(),
            count: self.n,
            last_seen_at: UnixMs(self.last),
        }
    }
}

/// Caller groups that are looked at; the totals do not depend on it.
const GROUPS: i64 = 10_000;

/// Which requests: one key's, or all of the tenant's live keys but for gateways'.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    Key(KeyId),
    LiveKeys,
}

/// Allowed requests since then, grouped by all that decides; with `callers`, by program and path as well, the most
/// frequent first.
pub(crate) async fn alike(tx: &mut Tx, grant: &Grant, whose: Whose, callers: bool, since: UnixMs, now: UnixMs) -> Result<Vec<Alike>> {
    const DECIDING: &str = "SELECT e.ip, NULL AS user_agent, NULL AS path, e.required_scopes, e.required_environment, COUNT(*) AS n, \
        COUNT(CASE WHEN e.at >= $5 THEN 1 END) AS day, MAX(e.at) AS last FROM usage_events e \
        WHERE e.tenant_id = $1 AND e.environment = $2 AND e.credential_id = $3 AND e.id >= $4 AND e.outcome = 'allowed' \
        GROUP BY e.ip, e.required_scopes, e.required_environment";
    const CALLERS: &str = "SELECT e.ip, e.user_agent, e.path, e.required_scopes, e.required_environment, COUNT(*) AS n, \
        COUNT(CASE WHEN e.at >= $5 THEN 1 END) AS day, MAX(e.at) AS last FROM usage_events e \
        WHERE e.tenant_id = $1 AND e.environment = $2 AND e.credential_id = $3 AND e.id >= $4 AND e.outcome = 'allowed' \
        GROUP BY e.ip, e.user_agent, e.path, e.required_scopes, e.required_environment ORDER BY COUNT(*) DESC LIMIT $6";
    const DECIDING_LIVE: &str = "SELECT e.ip, NULL AS user_agent, NULL AS path, e.required_scopes, e.required_environment, COUNT(*) AS n, \
        COUNT(CASE WHEN e.at >= $5 THEN 1 END) AS day, MAX(e.at) AS last FROM usage_events e \
        JOIN api_keys k ON k.tenant_id = e.tenant_id AND k.id = e.credential_id AND k.kind <> 'gateway' \
        WHERE e.tenant_id = $1 AND e.environment = $2 AND e.outcome = $3 AND e.id >= $4 \
        GROUP BY e.ip, e.required_scopes, e.required_environment";
    const CALLERS_LIVE: &str = "SELECT e.ip, e.user_agent, e.path, e.required_scopes, e.required_environment, COUNT(*) AS n, \
        COUNT(CASE WHEN e.at >= $5 THEN 1 END) AS day, MAX(e.at) AS last FROM usage_events e \
        JOIN api_keys k ON k.tenant_id = e.tenant_id AND k.id = e.credential_id AND k.kind <> 'gateway' \
        WHERE e.tenant_id = $1 AND e.environment = $2 AND e.outcome = $3 AND e.id >= $4 \
        GROUP BY e.ip, e.user_agent, e.path, e.required_scopes, e.required_environment ORDER BY COUNT(*) DESC LIMIT $6";
    let (tenant, floor, day) = (grant.tenant_id().uuid(), first_id(since), now.plus(-UnixMs::DAY).0);
    let mut all: Vec<Alike> = Vec::new();
    for environment in Environment::ALL {
        let env = environment.as_str();
        all.extend(match (whose, callers) {
            (Whose::Key(id), false) => on!(tx, c => sqlx::query_as::<_, Alike>(DECIDING)
                .bind(tenant).bind(env).bind(id.uuid()).bind(floor).bind(day).fetch_all(c).await)?,
            (Whose::Key(id), true) => on!(tx, c => sqlx::query_as::<_, Alike>(CALLERS)
                .bind(tenant).bind(env).bind(id.uuid()).bind(floor).bind(day).bind(GROUPS).fetch_all(c).await)?,
            (Whose::LiveKeys, _) if *environment == Environment::Test => Vec::new(),
            (Whose::LiveKeys, false) => on!(tx, c => sqlx::query_as::<_, Alike>(DECIDING_LIVE)
                .bind(tenant).bind(env).bind("allowed").bind(floor).bind(day).fetch_all(c).await)?,
            (Whose::LiveKeys, true) => on!(tx, c => sqlx::query_as::<_, Alike>(CALLERS_LIVE)
                .bind(tenant).bind(env).bind("allowed").bind(floor).bind(day).bind(GROUPS).fetch_all(c).await)?,
        });
    }
    Ok(all)
}

/// What the allowed requests of a key needed: permissions, whether Keystead's own API was called, how many, the last.
pub(crate) async fn needed(tx: &mut Tx, grant: &Grant, key: KeyId, since: UnixMs) -> Result<Vec<(Vec<Scope>, bool, i64, UnixMs)>> {
    const SQL: &str = "SELECT required_scopes, source = 'api' AS own, COUNT(*) AS n, MAX(at) AS last FROM usage_events \
        WHERE tenant_id = $1 AND environment = $2 AND credential_id = $3 AND id >= $4 AND outcome = 'allowed' GROUP BY required_scopes, source";
    let mut all = Vec::new();
    for environment in Environment::ALL {
        let rows: Vec<(Json<Vec<Scope>>, bool, i64, i64)> = on!(tx, c => sqlx::query_as(SQL)
            .bind(grant.tenant_id().uuid()).bind(environment.as_str()).bind(key.uuid()).bind(first_id(since)).fetch_all(c).await)?;
        all.extend(rows.into_iter().map(|(scopes, own, n, last)| (scopes.0, own, n, UnixMs(last))));
    }
    Ok(all)
}

/// A stored secret, as people know it.
#[derive(FromRow)]
pub(crate) struct SecretRow {
    pub id: Uuid,
    pub prefix: String,
    pub last_four: String,
    pub created_at: i64,
    pub valid_until: Option<i64>,
}

/// The secrets of a key that work, newest first.
pub(crate) async fn secrets(tx: &mut Tx, grant: &Grant, key: KeyId, now: UnixMs) -> Result<Vec<SecretRow>> {
    const SQL: &str = "SELECT id, prefix, last_four, created_at, valid_until FROM api_key_secrets \
        WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL AND (valid_until IS NULL OR valid_until > $3) ORDER BY id DESC";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(key.uuid()).bind(now.0).fetch_all(c).await)?)
}

/// Requests with a secret: how many from `counted` on, and the last since `since`. Those from before secrets were told
/// apart count as every secret's.
pub(crate) async fn secret_use(
    tx: &mut Tx,
    grant: &Grant,
    key: KeyId,
    secret: SecretId,
    since: UnixMs,
    counted: UnixMs,
) -> Result<(i64, Option<UnixMs>)> {
    const SQL: &str = "SELECT COUNT(CASE WHEN id >= $5 THEN 1 END) AS n, MAX(at) AS last FROM usage_events \
        WHERE tenant_id = $1 AND environment = $2 AND credential_id = $3 AND id >= $4 AND (secret_id = $6 OR secret_id IS NULL)";
    let (mut n, mut last) = (0, None);
    for environment in Environment::ALL {
        let row: (i64, Option<i64>) = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(environment.as_str())
            .bind(key.uuid()).bind(first_id(since)).bind(first_id(counted)).bind(secret.uuid()).fetch_one(c).await)?;
        n += row.0;
        last = last.max(row.1);
    }
    Ok((n, last.map(UnixMs)))
}

#[derive(FromRow)]
struct CallerRow {
    ip: Option<String>,
    user_agent: Option<String>,
    path: Option<String>,
    n: i64,
    last: i64,
}

impl CallerRow {
    fn seen(self) -> CallerSeen {
        CallerSeen {
            ip: self.ip.and_then(|ip| ip.parse().ok()),
            user_agent: self.user_agent,
            path: self.path,
            count: self.n,
            last_seen_at: UnixMs(self.last),
        }
    }
}

/// Who called with a secret since then, the latest first.
pub(crate) async fn secret_callers(tx: &mut Tx, grant: &Grant, key: KeyId, secret: SecretId, since: UnixMs) -> Result<Vec<CallerSeen>> {
    const SQL: &str = "SELECT ip, user_agent, path, COUNT(*) AS n, MAX(at) AS last FROM usage_events \
        WHERE tenant_id = $1 AND environment = $2 AND credential_id = $3 AND id >= $4 AND secret_id = $5 \
        GROUP BY ip, user_agent, path ORDER BY MAX(at) DESC LIMIT 100";
    let mut all = Vec::new();
    for environment in Environment::ALL {
        let rows: Vec<CallerRow> = on!(tx, c => sqlx::query_as(SQL)
            .bind(grant.tenant_id().uuid()).bind(environment.as_str()).bind(key.uuid()).bind(first_id(since)).bind(secret.uuid())
            .fetch_all(c).await)?;
        all.extend(rows.into_iter().map(CallerRow::seen));
    }
    all.sort_by_key(|c| std::cmp::Reverse(c.last_seen_at));
    all.truncate(100);
    Ok(all)
}

/// Who called with the tokens of an app since then and was let in, the busiest first.
pub(crate) async fn app_callers(
    tx: &mut Tx,
    grant: &Grant,
    environment: Environment,
    app: AppId,
    since: UnixMs,
) -> Result<Vec<CallerSeen>> {
    const SQL: &str = "SELECT ip, user_agent, path, COUNT(*) AS n, MAX(at) AS last FROM usage_events \
        WHERE tenant_id = $1 AND environment = $2 AND client_id = $3 AND id >= $4 AND outcome = 'allowed' \
        GROUP BY ip, user_agent, path ORDER BY COUNT(*) DESC LIMIT 100";
    let rows: Vec<CallerRow> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(environment.as_str())
        .bind(app.uuid()).bind(first_id(since)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(CallerRow::seen).collect())
}

/// From where the live keys of the tenant may be used.
pub(crate) async fn tenant_allowed_ips(tx: &mut Tx, grant: &Grant) -> Result<Vec<AllowedIp>> {
    let list: Json<Vec<AllowedIp>> = on!(tx, c => sqlx::query_scalar("SELECT allowed_ips FROM tenants WHERE id = $1")
        .bind(grant.tenant_id().uuid()).fetch_one(c).await)?;
    Ok(list.0)
}
