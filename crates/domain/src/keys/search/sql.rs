//! Each order has its index (`api_keys_by_creation`, `_by_name`, `_by_use`, `_by_expiry`), which also holds what a plain
//! search asks about: the inner query walks it and stops after a page, and only the keys of that page are read whole.
//! Other filters read the rows on the way. Queues walk `api_keys_by_creation` or `_by_expiry`.

use super::super::sql::{Reach, Row};
use crate::{
    Grant, Result,
    db::{Tx, on},
};
use contract::{Environment, KeyCursor, KeyKind, KeySearch, KeyState, OwnerRef, UnixMs, UserId};
use uuid::Uuid;

/// What [`Row`] reads: a key with its current secret and its owner.
macro_rules! key {
    () => {
        "k.id, k.name, k.kind, k.environment, s.prefix, s.last_four, k.scopes, k.allowed_ips, k.not_before, k.expires_at, \
         k.rate_limit, k.metadata, k.owner_id, u.email AS owner, k.platform, k.created_at, k.created_by, k.disabled_at, \
         k.revoked_at, k.last_used_at, k.search \
         FROM api_keys k \
         JOIN api_key_secrets s ON s.tenant_id = k.tenant_id AND s.key_id = k.id AND s.valid_until IS NULL \
         LEFT JOIN users u ON u.id = k.owner_id \
         WHERE k.tenant_id = $1 AND k.id IN (SELECT k.id FROM api_keys k WHERE k.tenant_id = $1 AND ($3 IS NULL OR k.environment = $3) AND "
    };
}

/// What a plain search asks about: environment and text.
macro_rules! text {
    () => {
        "($4 IS NULL OR (k.search LIKE $4 ESCAPE '!' \
         AND (k.search LIKE $5 ESCAPE '!' OR k.search LIKE $6 ESCAPE '!' OR k.search LIKE $7 ESCAPE '!'))) AND "
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", key!(), text!(), $tail, " LIMIT $2)")
    };
}

/// Newest first.
pub const BY_CREATION: &str = select!("k.id < $8 ORDER BY k.id DESC");
/// By name.
pub const BY_NAME: &str = select!("(k.search, k.id) > ($9, $8) ORDER BY k.search, k.id");
/// Lately used first.
pub const BY_USE: &str = select!(
    "COALESCE(k.last_used_at, 0) <= $9 AND (COALESCE(k.last_used_at, 0) < $9 OR k.id < $8) \
     ORDER BY COALESCE(k.last_used_at, 0) DESC, k.id DESC"
);
/// Next to expire first.
pub const BY_EXPIRY: &str = select!(
    "COALESCE(k.expires_at, 9223372036854775807) >= $9 AND (COALESCE(k.expires_at, 9223372036854775807) > $9 OR k.id > $8) \
     ORDER BY COALESCE(k.expires_at, 9223372036854775807), k.id"
);

/// Every other filter. The states are those of `KeyState::of`, in the same order.
macro_rules! filters {
    () => {
        "($9 IS NULL OR k.owner_id = $9) AND ($10 IS NULL OR k.id = $10) AND ($11 IS NULL OR k.scope_names LIKE $11 ESCAPE '!') \
         AND ($12 IS NULL OR k.owner_id = $12) AND ($13 IS NULL OR k.owner_id = (SELECT u.id FROM users u WHERE u.email = $13)) \
         AND ($14 IS NULL OR k.kind = $14) \
         AND ($15 IS NULL OR $15 = CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.disabled_at IS NOT NULL THEN 'disabled' \
             WHEN k.expires_at <= $16 THEN 'expired' ELSE 'active' END) AND "
    };
}

macro_rules! narrow {
    ($tail:literal) => {
        concat!("SELECT ", key!(), text!(), filters!(), $tail, " LIMIT $2)")
    };
}

const NARROW_BY_CREATION: &str = narrow!("k.id < $8 ORDER BY k.id DESC");
const NARROW_BY_NAME: &str = narrow!("(k.search, k.id) > ($17, $8) ORDER BY k.search, k.id");
const NARROW_BY_USE: &str = narrow!(
    "COALESCE(k.last_used_at, 0) <= $17 AND (COALESCE(k.last_used_at, 0) < $17 OR k.id < $8) \
     ORDER BY COALESCE(k.last_used_at, 0) DESC, k.id DESC"
);
const NARROW_BY_EXPIRY: &str = narrow!(
    "COALESCE(k.expires_at, 9223372036854775807) >= $17 AND (COALESCE(k.expires_at, 9223372036854775807) > $17 OR k.id > $8) \
     ORDER BY COALESCE(k.expires_at, 9223372036854775807), k.id"
);

/// A search as the statements want it.
pub(in crate::keys) struct Asked<'a> {
    pub search: &'a KeySearch,
    pub reach: Reach,
    /// What is looked for in name and secret, lower-cased.
    pub q: Option<String>,
    /// A whole id.
    pub id: Option<Uuid>,
    /// The scope in the catalogue's spelling.
    pub scope: Option<String>,
    pub now: UnixMs,
}

/// One row more than a page, in no particular order.
pub(in crate::keys) async fn search(tx: &mut Tx, grant: &Grant, asked: &Asked<'_>) -> Result<Vec<Row>> {
    let tenant = grant.tenant_id().uuid();
    let limit = i64::from(asked.search.limit.clamp(1, 200)) + 1;
    let environment = asked.reach.environment.or(asked.search.filter.environment).map(Environment::as_str);
    let q = asked.q.as_deref().map(escape_like);
    // Most rows are dropped by the first pattern; which part it was found in, the others tell: within the name, at the
    // start of the secret, or as its last four.
    let (anywhere, name) = (q.as_ref().map(|q| format!("%{q}%")), q.as_ref().map(|q| format!("%{q}%\n%")));
    let (start, end) = (q.as_ref().map(|q| format!("%\n{q}%")), q.as_ref().map(|q| format!("% {q}")));
    let cursor = asked.search.cursor.clone().unwrap_or_else(|| KeyCursor::start(asked.search.sort));
    let narrow = asked.reach.own.is_some()
        || asked.id.is_some()
        || asked.scope.is_some()
        || asked.search.owner.is_some()
        || asked.search.filter.state.is_some()
        || asked.search.filter.kind.is_some();
    let (owner_id, owner_email) = match asked.search.owner.as_deref().map(OwnerRef::parse) {
        Some(OwnerRef::Id(id)) => (Some(id.uuid()), None),
        Some(OwnerRef::Email(email)) => (None, Some(email)),
        None => (None, None),
    };
    let scope = asked.scope.as_deref().map(|s| format!("% {} %", escape_like(s)));
    let state = asked.search.filter.state.map(KeyState::as_str);
    let kind = asked.search.filter.kind.map(KeyKind::as_str);
    macro_rules! run {
        ($plain:ident, $narrow:ident, $id:expr $(, $place:expr)?) => {
            if narrow {
                on!(tx, c => sqlx::query_as($narrow).bind(tenant).bind(limit).bind(environment).bind(anywhere).bind(name).bind(start).bind(end).bind($id)
                    .bind(asked.reach.own.map(UserId::uuid)).bind(asked.id).bind(scope).bind(owner_id).bind(owner_email).bind(kind).bind(state)
                    .bind(asked.now.0)$(.bind($place))?.fetch_all(c).await)
            } else {
                on!(tx, c => sqlx::query_as($plain).bind(tenant).bind(limit).bind(environment).bind(anywhere).bind(name).bind(start).bind(end).bind($id)
                    $(.bind($place))?.fetch_all(c).await)
            }
        };
    }
    Ok(match cursor {
        KeyCursor::Created(id) => run!(BY_CREATION, NARROW_BY_CREATION, id),
        KeyCursor::Name(place, id) => run!(BY_NAME, NARROW_BY_NAME, id, place),
        KeyCursor::LastUsed(place, id) => run!(BY_USE, NARROW_BY_USE, id, place),
        KeyCursor::Expires(place, id) => run!(BY_EXPIRY, NARROW_BY_EXPIRY, id, place),
    }?)
}

/// `%` and `_` are letters here, not patterns.
fn escape_like(s: &str) -> String {
    s.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

macro_rules! waiting {
    ($what:literal) => {
        concat!(
            "SELECT ",
            key!(),
            "($4 IS NULL OR k.owner_id = $4) AND k.revoked_at IS NULL AND k.disabled_at IS NULL \
             AND COALESCE(k.expires_at, 9223372036854775807) > $5 AND ",
            $what,
            " LIMIT $2)"
        )
    };
}

macro_rules! counted {
    ($what:literal) => {
        concat!(
            "SELECT COUNT(*) FROM api_keys k WHERE k.tenant_id = $1 \
             AND ($2 IS NULL OR k.environment = $2) AND ($3 IS NULL OR k.owner_id = $3) AND k.revoked_at IS NULL AND k.disabled_at IS NULL \
             AND COALESCE(k.expires_at, 9223372036854775807) > $4 AND ",
            $what
        )
    };
}

const EXPIRING: &str = waiting!(
    "COALESCE(k.expires_at, 9223372036854775807) > $7 AND COALESCE(k.expires_at, 9223372036854775807) <= $8 \
     AND COALESCE(k.expires_at, 9223372036854775807) >= $9 AND (COALESCE(k.expires_at, 9223372036854775807) > $9 OR k.id > $6) \
     ORDER BY COALESCE(k.expires_at, 9223372036854775807), k.id"
);
const COUNT_EXPIRING: &str =
    counted!("COALESCE(k.expires_at, 9223372036854775807) > $5 AND COALESCE(k.expires_at, 9223372036854775807) <= $6");
const IDLE: &str = waiting!("COALESCE(k.last_used_at, 0) <= $7 AND k.created_at <= $7 AND k.id < $6 ORDER BY k.id DESC");
const COUNT_IDLE: &str = counted!("COALESCE(k.last_used_at, 0) <= $5 AND k.created_at <= $5");
const OLD: &str = waiting!(
    "k.id IN (SELECT o.key_id FROM api_key_secrets o WHERE o.tenant_id = $1 AND o.valid_until IS NULL AND o.created_at <= $7) AND k.id < $6 ORDER BY k.id DESC"
);
const COUNT_OLD: &str =
    counted!("k.id IN (SELECT o.key_id FROM api_key_secrets o WHERE o.tenant_id = $1 AND o.valid_until IS NULL AND o.created_at <= $5)");
const ORPHANED: &str = waiting!(
    "(k.owner_id IS NULL OR k.owner_id NOT IN (SELECT m.user_id FROM members m JOIN users o ON o.id = m.user_id \
     WHERE m.tenant_id = $1 AND o.disabled_at IS NULL)) AND k.id < $6 ORDER BY k.id DESC"
);
const COUNT_ORPHANED: &str = counted!(
    "(k.owner_id IS NULL OR k.owner_id NOT IN (SELECT m.user_id FROM members m JOIN users o ON o.id = m.user_id \
     WHERE m.tenant_id = $1 AND o.disabled_at IS NULL))"
);

/// What a queue waits for.
#[derive(Clone, Copy)]
pub(in crate::keys) enum Waits {
    /// Its expiry, after the first and until the second instant.
    Expires(UnixMs, UnixMs),
    /// Its last use was then or before, and so was its creation.
    Idle(UnixMs),
    /// Its secret was made then or before.
    Old(UnixMs),
    /// Nobody answers for it.
    Orphaned,
}

pub(in crate::keys) async fn count(tx: &mut Tx, grant: &Grant, reach: Reach, waits: Waits, now: UnixMs) -> Result<i64> {
    let (tenant, own) = (grant.tenant_id().uuid(), reach.own.map(UserId::uuid));
    let environment = reach.environment.map(Environment::as_str);
    macro_rules! run {
        ($sql:ident $(, $bound:expr)*) => {
            on!(tx, c => sqlx::query_scalar($sql).bind(tenant).bind(environment).bind(own).bind(now.0)$(.bind($bound.0))*.fetch_one(c).await)
        };
    }
    Ok(match waits {
        Waits::Expires(after, until) => run!(COUNT_EXPIRING, after, until),
        Waits::Idle(since) => run!(COUNT_IDLE, since),
        Waits::Old(since) => run!(COUNT_OLD, since),
        Waits::Orphaned => run!(COUNT_ORPHANED),
    }?)
}

/// One row more than a page, in no particular order.
pub(in crate::keys) async fn waiting(
    tx: &mut Tx,
    grant: &Grant,
    reach: Reach,
    waits: Waits,
    now: UnixMs,
    limit: u16,
    cursor: KeyCursor,
) -> Result<Vec<Row>> {
    let (tenant, own, limit) = (grant.tenant_id().uuid(), reach.own.map(UserId::uuid), i64::from(limit) + 1);
    let environment = reach.environment.map(Environment::as_str);
    let (place, id) = match cursor {
        KeyCursor::Created(id) | KeyCursor::Name(_, id) => (i64::MIN, id),
        KeyCursor::LastUsed(place, id) | KeyCursor::Expires(place, id) => (place, id),
    };
    macro_rules! run {
        ($sql:ident $(, $bound:expr)*) => {
            on!(tx, c => sqlx::query_as($sql).bind(tenant).bind(limit).bind(environment).bind(own).bind(now.0).bind(id)$(.bind($bound))*
                .fetch_all(c).await)
        };
    }
    Ok(match waits {
        Waits::Expires(after, until) => run!(EXPIRING, after.0, until.0, place),
        Waits::Idle(since) => run!(IDLE, since.0),
        Waits::Old(since) => run!(OLD, since.0),
        Waits::Orphaned => run!(ORPHANED),
    }?)
}
