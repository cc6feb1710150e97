//! Finding keys: the list in each of its orders, and the queues of keys that wait for a decision.

mod sql;

#[cfg(feature = "testing")]
pub use sql::{BY_CREATION, BY_EXPIRY, BY_NAME, BY_USE};

use super::{
    reach,
    scan::scan,
    secret,
    sql::{self as keys, Row},
};
use crate::{Ctx, Error, Result, scopes};
use contract::{
    ApiKey, Environment, KeyCursor, KeyFilter, KeyId, KeyPage, KeyQueue, KeyQueueHead, KeySearch, KeySort, Page, PageQuery, Perm, UnixMs,
};
use sql::{Asked, Waits};

/// Longest text that is searched for.
const MAX_Q: usize = 256;
/// The age of a secret at which it should be replaced.
const OLD_DAYS: i64 = 90;

/// One page of a search.
pub async fn search(ctx: &Ctx, search: &KeySearch) -> Result<KeyPage> {
    let grant = ctx.require(Perm::KeysRead)?;
    if search.cursor.as_ref().is_some_and(|c| c.sort() != search.sort) {
        return Err(Error::field("cursor", "invalid", "The cursor belongs to a list in another order."));
    }
    let mut tx = ctx.db().read_in(&grant).await?;
    let nothing = KeyPage { data: Vec::new(), next_cursor: None };
    let reach = reach(ctx);
    // Who sees test keys only has no live ones.
    if reach.environment.is_some() && search.filter.environment.is_some_and(|e| Some(e) != reach.environment) {
        return Ok(nothing);
    }
    let q = search.filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty()).map(|q| q.to_lowercase().replace('…', " "));
    if q.as_ref().is_some_and(|q| q.len() > MAX_Q || q.contains(char::is_control)) {
        return Ok(nothing);
    }
    // A whole id is looked up as one; anything else is searched for in what people see of a key.
    let id = q.as_deref().and_then(|q| q.parse::<KeyId>().ok());
    let scope = match &search.scope {
        None => None,
        // Keys hold the catalogue's spelling.
        Some(asked) => match scopes::spelling(&mut tx, &grant, asked).await? {
            None => return Ok(nothing),
            found => found,
        },
    };
    if search.owner.as_ref().is_some_and(|o| o.contains('\0')) {
        return Ok(nothing);
    }
    let q = q.filter(|_| id.is_none());
    let asked = Asked { search, reach, q, id: id.map(KeyId::uuid), scope, now: ctx.now() };
    let rows = sql::search(&mut tx, &grant, &asked).await?;
    page(rows, search.sort, search.limit.clamp(1, 200), ctx.now())
}

/// What somebody searches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pasted {
    /// Ordinary text.
    Text,
    /// The whole secret of a key that the caller sees, whatever became of that secret.
    Key(KeyId),
    /// It has the form of a secret, and is none of a key that the caller sees.
    Unknown,
}

/// Is this text, or something in it, a whole secret? It is kept nowhere.
pub async fn pasted(ctx: &Ctx, text: &str) -> Result<Pasted> {
    let grant = ctx.require(Perm::KeysRead)?;
    let core = ctx.core();
    let found = scan(text).next();
    // Keys of other systems have any form: only where some were taken over is the whole text looked for.
    let foreign = core.cache.holds_foreign();
    let digests = match &found {
        Some(found) => vec![found.key.digest(&core.keys), secret::foreign_of(&core.keys, found.key)],
        None => secret::foreign_digest(&core.keys, text.trim()).filter(|_| foreign).into_iter().collect(),
    };
    let mut tx = ctx.db().read_in(&grant).await?;
    for digest in digests {
        if let Some(id) = keys::key_of_digest(&mut tx, &grant, &digest).await?
            && keys::find(&mut tx, &grant, id, reach(ctx)).await?.is_some()
        {
            return Ok(Pasted::Key(id));
        }
    }
    Ok(if found.is_some() { Pasted::Unknown } else { Pasted::Text })
}

/// One page of the tenant's keys, newest first.
pub async fn list(ctx: &Ctx, filter: &KeyFilter, page: PageQuery) -> Result<Page<ApiKey>> {
    let cursor = page.cursor.map(|c| KeyCursor::Created(c.0));
    let found = search(ctx, &KeySearch { filter: filter.clone(), limit: page.bounded(), cursor, ..KeySearch::default() }).await?;
    let next_cursor = match found.next_cursor {
        Some(KeyCursor::Created(id)) => Some(contract::Cursor(id)),
        _ => None,
    };
    Ok(Page { data: found.data, next_cursor })
}

/// Every queue: how many keys wait in it, and the first of them. Only keys that could be used are counted.
pub async fn queues(ctx: &Ctx, environment: Environment, idle_days: u16) -> Result<Vec<KeyQueueHead>> {
    let grant = ctx.require(Perm::KeysRead)?;
    let Some(reach) = within(ctx, environment) else { return Ok(Vec::new()) };
    let mut tx = ctx.db().read_in(&grant).await?;
    let mut heads = Vec::with_capacity(KeyQueue::ALL.len());
    for queue in KeyQueue::ALL.iter().copied() {
        let waits = waits_for(queue, idle_days, ctx.now());
        let count = sql::count(&mut tx, &grant, reach, waits, ctx.now()).await?;
        let sort = order_of(queue);
        let rows = sql::waiting(&mut tx, &grant, reach, waits, ctx.now(), 10, KeyCursor::start(sort)).await?;
        heads.push(KeyQueueHead { queue, count, first: page(rows, sort, 10, ctx.now())?.data });
    }
    Ok(heads)
}

/// One page of a queue.
pub async fn queue(
    ctx: &Ctx,
    queue: KeyQueue,
    environment: Environment,
    idle_days: u16,
    limit: u16,
    cursor: Option<KeyCursor>,
) -> Result<KeyPage> {
    let grant = ctx.require(Perm::KeysRead)?;
    let sort = order_of(queue);
    let cursor = cursor.unwrap_or_else(|| KeyCursor::start(sort));
    if cursor.sort() != sort {
        return Err(Error::field("cursor", "invalid", "The cursor belongs to a list in another order."));
    }
    let Some(reach) = within(ctx, environment) else { return Ok(KeyPage { data: Vec::new(), next_cursor: None }) };
    let limit = limit.clamp(1, 200);
    let mut tx = ctx.db().read_in(&grant).await?;
    let rows = sql::waiting(&mut tx, &grant, reach, waits_for(queue, idle_days, ctx.now()), ctx.now(), limit, cursor).await?;
    page(rows, sort, limit, ctx.now())
}

fn within(ctx: &Ctx, environment: Environment) -> Option<super::sql::Reach> {
    let reach = reach(ctx);
    let seen = reach.environment.is_none_or(|e| e == environment);
    seen.then_some(super::sql::Reach { environment: Some(environment), ..reach })
}

fn waits_for(queue: KeyQueue, idle_days: u16, now: UnixMs) -> Waits {
    let ahead = |days: i64| now.plus(days * UnixMs::DAY);
    match queue {
        KeyQueue::Expiring14 => Waits::Expires(ahead(3), ahead(14)),
        KeyQueue::Expiring3 => Waits::Expires(ahead(1), ahead(3)),
        KeyQueue::Expiring0 => Waits::Expires(now, ahead(1)),
        KeyQueue::Idle => Waits::Idle(ahead(-i64::from(idle_days.max(1)))),
        KeyQueue::Old => Waits::Old(ahead(-OLD_DAYS)),
        KeyQueue::Orphaned => Waits::Orphaned,
    }
}

const fn order_of(queue: KeyQueue) -> KeySort {
    match queue {
        KeyQueue::Expiring14 | KeyQueue::Expiring3 | KeyQueue::Expiring0 => KeySort::Expires,
        KeyQueue::Idle | KeyQueue::Old | KeyQueue::Orphaned => KeySort::Created,
    }
}

/// Puts `limit + 1` fetched rows into their order and cuts them to a page.
fn page(mut rows: Vec<Row>, sort: KeySort, limit: u16, now: UnixMs) -> Result<KeyPage> {
    let place = |row: &Row| match sort {
        KeySort::Created => KeyCursor::Created(row.id),
        KeySort::Name => KeyCursor::Name(row.search.clone(), row.id),
        KeySort::LastUsed => KeyCursor::LastUsed(row.last_used_at.unwrap_or(0), row.id),
        KeySort::Expires => KeyCursor::Expires(row.expires_at.unwrap_or(i64::MAX), row.id),
    };
    rows.sort_by(|a, b| match sort {
        KeySort::Created => b.id.cmp(&a.id),
        KeySort::Name => (&a.search, a.id).cmp(&(&b.search, b.id)),
        KeySort::LastUsed => (b.last_used_at.unwrap_or(0), b.id).cmp(&(a.last_used_at.unwrap_or(0), a.id)),
        KeySort::Expires => (a.expires_at.unwrap_or(i64::MAX), a.id).cmp(&(b.expires_at.unwrap_or(i64::MAX), b.id)),
    });
    let more = rows.len() > usize::from(limit);
    rows.truncate(usize::from(limit));
    let next_cursor = rows.last().filter(|_| more).map(place);
    let data = rows.into_iter().map(|r| r.key(now)).collect::<Result<_>>()?;
    Ok(KeyPage { data, next_cursor })
}
