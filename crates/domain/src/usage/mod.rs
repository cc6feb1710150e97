//! The usage log: what was decided, for whom, from where.

mod meter;
mod sql;

pub use meter::{Meter, NewEvent};

use crate::{Ctx, Grant, Result, db::Tx};
use contract::{Environment, KeyId, KeyImpact, Page, PageQuery, Perm, UnixMs, UsageEvent, UsageFilter};

/// One page of one environment's events, newest first.
pub async fn list(ctx: &Ctx, filter: &UsageFilter, environment: Environment, page: PageQuery) -> Result<Page<UsageEvent>> {
    let grant = ctx.require(Perm::UsageRead)?;
    let mut tx = ctx.db().read().await?;
    let own_only = crate::keys::only_own(ctx);
    let rows = sql::list(&mut tx, &grant, filter, environment, own_only, page).await?;
    let rows = rows.into_iter().map(sql::Row::event).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(rows, page.bounded(), |e| e.id.uuid()))
}

/// What a key did lately.
pub(crate) async fn impact(tx: &mut Tx, grant: &Grant, environment: Environment, key: KeyId, now: UnixMs) -> Result<KeyImpact> {
    sql::impact(tx, grant, environment, key, now).await
}

/// How many events are stored; the test of a clean shutdown compares it with the answers given.
#[cfg(feature = "testing")]
pub async fn count_unscoped(db: &crate::db::Db) -> Result<i64> {
    let mut tx = db.read().await?;
    sql::count_unscoped(&mut tx).await
}

/// The statements behind the pages of the log, for the test that compares their query plans.
#[cfg(feature = "testing")]
pub use sql::LIST_STATEMENTS;
