//! The usage log: what was decided, for whom, from where, and why.

mod meter;
pub(crate) mod reports;
pub(crate) mod sql;
mod trace;

pub use meter::{Meter, NewEvent};
pub use trace::{Moment, checks};

use crate::{Ctx, Error, Grant, Result, db::Tx, keys::only_own, oauth};
use contract::{
    AppId, Bucket, CallerSeen, Cursor, Environment, KeyId, Page, PageQuery, Perm, Trace, UnixMs, UsageEvent, UsageFilter, UsageId,
    UsageQuery, UsageSummary,
};
use uuid::Uuid;

/// Rows of one step of an export.
const EXPORT: u16 = 1_000;
/// How long a stream waits before it sends an event: the writers of every node have stored theirs by then, and nothing
/// is overtaken.
const SETTLED: i64 = 1_000;
/// The longest time a summary covers: a day's buckets of a year, or an hour's of a month.
const LONGEST: [(Bucket, i64); 2] = [(Bucket::Hour, 31), (Bucket::Day, 366)];

/// One page of one environment's events, newest first.
pub async fn list(ctx: &Ctx, filter: &UsageFilter, environment: Environment, page: PageQuery) -> Result<Page<UsageEvent>> {
    let query = UsageQuery { environment: Some(environment), ..UsageQuery::from(filter) };
    search(ctx, &query, page).await
}

/// One page of the events that the filter lets through, newest first.
pub async fn search(ctx: &Ctx, query: &UsageQuery, page: PageQuery) -> Result<Page<UsageEvent>> {
    let grant = ctx.require(Perm::UsageRead)?;
    read_page(ctx, ctx.db().read_in(&grant).await?, &grant, query, page.before(), page.bounded()).await
}

/// The next rows of an export: as `search`, with larger pages, for those who may carry the log away.
pub async fn export(ctx: &Ctx, query: &UsageQuery, cursor: Option<Cursor>) -> Result<Page<UsageEvent>> {
    let grant = ctx.require(Perm::UsageRead)?;
    may_export(ctx, Perm::UsageRead)?;
    read_page(ctx, ctx.db().read_much_in(&grant).await?, &grant, query, PageQuery::at(cursor).before(), EXPORT).await
}

/// Events after the given one, oldest first, once every node has had time to store its own; and the place from which
/// to ask for the next ones, which moves also where nothing was found.
pub async fn newer(ctx: &Ctx, query: &UsageQuery, after: Uuid) -> Result<(Vec<UsageEvent>, Uuid)> {
    let grant = ctx.require(Perm::UsageRead)?;
    let settled = first_id(ctx.now().plus(-SETTLED));
    let mut tx = ctx.db().read_in(&grant).await?;
    let mut found = Vec::new();
    let mut until = settled.max(after);
    for environment in visible(ctx, query.environment) {
        // Ids are after the one given: the smallest that is larger.
        let floor = Uuid::from_u128(after.as_u128().saturating_add(1));
        let range = sql::Range { query, environment, own_only: only_own(ctx), floor, before: settled };
        let rows = sql::newer(&mut tx, &grant, &range, i64::from(EXPORT)).await?;
        let rows = rows.into_iter().map(sql::Row::event).collect::<Result<Vec<_>>>()?;
        if rows.len() == usize::from(EXPORT) {
            until = until.min(rows.last().map_or(until, |e| e.id.uuid()));
        }
        found.extend(rows);
    }
    found.retain(|e| e.id.uuid() <= until);
    found.sort_unstable_by_key(|e| e.id);
    // The last place before the settled ones, so that the next question starts with them.
    Ok((found, if until == settled { Uuid::from_u128(settled.as_u128().saturating_sub(1)).max(after) } else { until }))
}

/// Where a stream that starts now begins.
pub fn stream_start(ctx: &Ctx) -> Uuid {
    first_id(ctx.now().plus(-SETTLED))
}

/// How many events of the range had which end. Without `from`, the last 24 hours; without a bucket, hours up to three
/// days and days beyond.
pub async fn summary(ctx: &Ctx, query: &UsageQuery, bucket: Option<Bucket>) -> Result<UsageSummary> {
    let grant = ctx.require(Perm::UsageRead)?;
    let to = query.to.unwrap_or_else(|| ctx.now().plus(1));
    let from = query.from.unwrap_or_else(|| to.plus(-UnixMs::DAY));
    let length = to.0.saturating_sub(from.0);
    if length <= 0 {
        return Err(Error::field("from", "invalid", "It must lie before “to”."));
    }
    let bucket = bucket.unwrap_or(if length <= 3 * UnixMs::DAY { Bucket::Hour } else { Bucket::Day });
    if let Some((_, days)) = LONGEST.iter().find(|(b, days)| *b == bucket && length > days * UnixMs::DAY) {
        return Err(Error::field("from", "invalid", format!("A summary by the {bucket} covers at most {days} days.")));
    }
    let query = UsageQuery { from: Some(from), to: Some(to), ..query.clone() };
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let mut counts = reports::Counts::default();
    for environment in visible(ctx, query.environment) {
        let range = range(ctx, &query, environment, Uuid::max());
        reports::count(&mut tx, &grant, &range, bucket, &mut counts).await?;
    }
    Ok(counts.summary(from, to, bucket))
}

/// One decided request with its checks.
pub async fn trace(ctx: &Ctx, id: UsageId) -> Result<Trace> {
    let grant = ctx.require(Perm::UsageRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let row = sql::trace(&mut tx, &grant, id, only_own(ctx)).await?.ok_or(Error::NotFound)?;
    let (event, moment) = row.read()?;
    if !visible(ctx, None).contains(&event.environment) {
        return Err(Error::NotFound);
    }
    Ok(trace::trace(event, &moment))
}

/// The event right after the given one among those that the filter lets through: who reads the log steps through it.
pub async fn following(ctx: &Ctx, query: &UsageQuery, id: UsageId) -> Result<Option<UsageEvent>> {
    let grant = ctx.require(Perm::UsageRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let mut found = Vec::new();
    for environment in visible(ctx, query.environment) {
        let range = range(ctx, query, environment, Uuid::max());
        // The smallest id that is larger.
        let floor = Uuid::from_u128(id.uuid().as_u128().saturating_add(1)).max(range.floor);
        found.extend(sql::newer(&mut tx, &grant, &sql::Range { floor, ..range }, 1).await?);
    }
    let events = found.into_iter().map(sql::Row::event).collect::<Result<Vec<_>>>()?;
    Ok(events.into_iter().min_by_key(|e| e.id))
}

/// Every decision under a request id, newest first: a batch makes many, and clients choose their own ids.
pub async fn traces(ctx: &Ctx, request_id: &str) -> Result<Vec<Trace>> {
    let grant = ctx.require(Perm::UsageRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let rows = sql::traces(&mut tx, &grant, request_id, only_own(ctx)).await?;
    let all = rows.into_iter().map(sql::TraceRow::read).collect::<Result<Vec<_>>>()?;
    let seen = visible(ctx, None);
    Ok(all.into_iter().filter(|(e, _)| seen.contains(&e.environment)).map(|(e, m)| trace::trace(e, &m)).collect())
}

/// May the caller see what was decided about this key? A foreign one does not exist.
pub async fn check_key(ctx: &Ctx, id: KeyId) -> Result<()> {
    let grant = ctx.require(Perm::UsageRead)?;
    crate::keys::exists(ctx, &grant, id).await
}

/// Who called with the tokens of an app and was let in, in the installation's environment, which is the one of tokens.
pub async fn callers_of_app(ctx: &Ctx, id: AppId, since: UnixMs) -> Result<Vec<CallerSeen>> {
    let app = oauth::get(ctx, Perm::UsageRead, id).await?;
    let grant = ctx.require_tenant_level(Perm::UsageRead)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    reports::sql::app_callers(&mut tx, &grant, ctx.core().settings.environment, app.id, since).await
}

/// The environments that the caller sees: a test credential sees what is test, and nothing else.
pub(crate) fn visible(ctx: &Ctx, wanted: Option<Environment>) -> Vec<Environment> {
    let only = ctx.sandboxed();
    let seen = |e: &Environment| only.is_none_or(|o| o == *e) && wanted.is_none_or(|w| w == *e);
    Environment::ALL.iter().copied().filter(seen).collect()
}

/// Those who may carry a log away: owners, admins and the security team (contract, section 8), and keys that read it.
pub(crate) fn may_export(ctx: &Ctx, perm: Perm) -> Result<()> {
    if ctx.person().is_none_or(|p| p.role.exports_logs()) { Ok(()) } else { Err(Error::Denied(perm)) }
}

/// The smallest id of a time.
pub(crate) fn first_id(at: UnixMs) -> Uuid {
    // Without version and variant: smaller than every UUIDv7 of its millisecond.
    Uuid::from_u128(u128::from(u64::try_from(at.0).unwrap_or(0) & 0xffff_ffff_ffff) << 80)
}

async fn read_page(ctx: &Ctx, mut tx: Tx, grant: &Grant, query: &UsageQuery, before: Uuid, limit: u16) -> Result<Page<UsageEvent>> {
    let mut rows = Vec::new();
    // Each environment is a range of its own; the newest of both make the page.
    for environment in visible(ctx, query.environment) {
        let range = range(ctx, query, environment, before);
        rows.extend(sql::list(&mut tx, grant, &range, i64::from(limit) + 1).await?);
    }
    let mut events = rows.into_iter().map(sql::Row::event).collect::<Result<Vec<_>>>()?;
    events.sort_unstable_by_key(|e| std::cmp::Reverse(e.id));
    Ok(Page::cut(events, limit, |e| e.id.uuid()))
}

fn range<'a>(ctx: &Ctx, query: &'a UsageQuery, environment: Environment, before: Uuid) -> sql::Range<'a> {
    let to = query.to.map_or(Uuid::max(), first_id);
    sql::Range { query, environment, own_only: only_own(ctx), floor: query.from.map_or(Uuid::nil(), first_id), before: before.min(to) }
}

/// How many events are stored; the test of a clean shutdown compares it with the answers given.
#[cfg(feature = "testing")]
pub async fn count_unscoped(db: &crate::db::Db) -> Result<i64> {
    let mut tx = db.read_all().await?;
    sql::count_unscoped(&mut tx).await
}

/// The statements behind the pages of the log, for the test that compares their query plans.
#[cfg(feature = "testing")]
pub use sql::LIST_STATEMENTS;
