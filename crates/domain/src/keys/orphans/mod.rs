//! Keys whose owner left: they go on, wait in the queue of orphaned keys, and have a deadline. Where the tenant demands
//! that somebody answers for each key, one that nobody took over by then is disabled.

mod sql;

use super::mark_changed;
use crate::{
    Core, Ctx, Grant, RequestInfo, Result, Who,
    db::{Event, Tx, commit_with},
    error::OrGoOn,
};
use contract::{KeyId, Perm, Target, TenantId, UnixMs, UserId};
use std::{collections::HashMap, sync::Arc};

/// How long a key may be without somebody who answers for it.
pub const DEADLINE: i64 = 30 * UnixMs::DAY;

/// Until when somebody should take over each of these keys that were left.
pub async fn deadlines(ctx: &Ctx, keys: &[KeyId]) -> Result<HashMap<KeyId, UnixMs>> {
    let grant = ctx.require(Perm::KeysRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let left = sql::orphaned(&mut tx, &grant).await?;
    Ok(left.into_iter().filter(|(id, _)| keys.contains(id)).map(|(id, since)| (id, since.plus(DEADLINE))).collect())
}

/// A member leaves: the deadlines of what they answered for begin.
pub(crate) async fn begin_deadlines(tx: &mut Tx, grant: &Grant, left: UserId, now: UnixMs) -> Result<()> {
    sql::mark(tx, grant, left, Some(now)).await
}

/// They are back, and answer again.
pub(crate) async fn end_deadlines(tx: &mut Tx, grant: &Grant, back: UserId) -> Result<()> {
    sql::mark(tx, grant, back, None).await
}

/// Disables what was left for too long, in tenants that demand an owner.
pub async fn disable_due(core: &Arc<Core>) -> Result<()> {
    let ctx = Ctx::new(core.clone(), Who::Anonymous, RequestInfo::default());
    let now = core.now();
    let mut tx = core.db.read_all().await?;
    let due = sql::due_unscoped(&mut tx, now.plus(-DEADLINE)).await?;
    drop(tx);
    for (tenant, id, name) in due {
        disable(&ctx, tenant, id, name, now).await.or_go_on("an orphaned key was not disabled", id)?;
    }
    core.cache.sync(core).await
}

async fn disable(ctx: &Ctx, tenant: TenantId, id: KeyId, name: String, now: UnixMs) -> Result<()> {
    let grant = Grant::of_job(tenant, "orphans");
    let mut tx = ctx.db().begin_in(&grant).await?;
    // Somebody may have taken it over meanwhile.
    if !sql::disable(&mut tx, &grant, id, now.plus(-DEADLINE), now).await? {
        return Ok(());
    }
    mark_changed(&mut tx, &grant, id, now).await?;
    let event = Event {
        action: "api_key.disabled",
        target: Target { kind: "api_key".to_owned(), id: id.to_string(), name },
        reason: Some("Its owner left 30 days ago and nobody answers for it".to_owned()),
        before: None,
        after: Some(serde_json::json!({"state": "disabled"})),
    };
    commit_with(tx, ctx, vec![(grant, event)]).await
}
