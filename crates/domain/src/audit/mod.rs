//! The audit log: one chain of hashes a tenant, filled in the transaction of each change (s78), its head signed.

mod actions;
mod chain;
mod sql;

pub use actions::ACTIONS;
pub use chain::{Chain, head_is_signed, verify_export};

use crate::{
    Ctx, Grant, Result,
    db::{Event, Tx},
    usage::may_export,
};
use contract::{AuditEvent, AuditFilter, AuditHead, AuditQuery, Cursor, Page, PageQuery, Perm};
use uuid::Uuid;

/// Rows of one step of an export.
const EXPORT: u16 = 1_000;

/// One page of the tenant's audit events, newest first.
pub async fn list(ctx: &Ctx, filter: &AuditFilter, page: PageQuery) -> Result<Page<AuditEvent>> {
    search(ctx, &AuditQuery::from(filter), page).await
}

/// One page of the events that the filter lets through, newest first.
pub async fn search(ctx: &Ctx, query: &AuditQuery, page: PageQuery) -> Result<Page<AuditEvent>> {
    let grant = permit(ctx)?;
    read_page(ctx.db().read_in(&grant).await?, &grant, query, page.before(), page.bounded()).await
}

/// The next rows of an export: as `search`, with larger pages, for those who may carry the log away.
pub async fn export(ctx: &Ctx, query: &AuditQuery, cursor: Option<Cursor>) -> Result<Page<AuditEvent>> {
    let grant = permit(ctx)?;
    may_export(ctx, Perm::AuditRead)?;
    read_page(ctx.db().read_much_in(&grant).await?, &grant, query, PageQuery::at(cursor).before(), EXPORT).await
}

/// Events behind the given number that the filter lets through, oldest first, and the number behind which to ask next.
/// Numbers appear in the order of the commits, so nothing is overtaken.
pub async fn newer(ctx: &Ctx, query: &AuditQuery, after_seq: i64) -> Result<(Vec<AuditEvent>, i64)> {
    let grant = permit(ctx)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let rows = sql::chain(&mut tx, &grant, after_seq).await?;
    let last = rows.last().map_or(after_seq, |r| r.seq);
    let events = rows.into_iter().map(sql::Row::event).collect::<Result<Vec<_>>>()?;
    Ok((events.into_iter().filter(|e| lets_through(query, e)).collect(), last))
}

/// The number of the newest event: where a stream that starts now begins.
pub async fn last_seq(ctx: &Ctx) -> Result<i64> {
    let grant = permit(ctx)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    Ok(sql::head(&mut tx, &grant).await?.seq)
}

/// The signed ends of the chains that the caller may read: its tenant's. A head that somebody forged is handed out as
/// it lies, and fails its verification.
pub async fn heads(ctx: &Ctx) -> Result<Vec<AuditHead>> {
    let grant = permit(ctx)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let head = sql::head(&mut tx, &grant).await?;
    Ok(head.handed_out(ctx.core(), grant.tenant_id()).into_iter().collect())
}

/// Recomputes the tenant's chain from its first event and checks the signature of its end.
pub async fn verify_chain(ctx: &Ctx) -> Result<Chain> {
    let grant = permit(ctx)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let head = sql::head(&mut tx, &grant).await?;
    let mut prev = vec![0; 32];
    let mut seq = 0;
    // Only up to the head: what is appended meanwhile is the next verification's.
    'chain: loop {
        let rows = sql::chain(&mut tx, &grant, seq).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.seq > head.seq && seq == head.seq && prev == head.hash {
                // Appended meanwhile, the head has moved with it; else the head was put back.
                if sql::head(&mut tx, &grant).await?.seq >= row.seq {
                    break 'chain;
                }
                return Ok(Chain::BrokenAt(row.seq));
            }
            if row.seq != seq + 1 || row.prev_hash != prev || row.hash != row.digest(grant.tenant_id())? {
                return Ok(Chain::BrokenAt(seq + 1));
            }
            seq = row.seq;
            prev = row.hash;
        }
    }
    // A cut end shows against the head, which every append moves and signs. No chain is empty: its tenant was made.
    if (head.seq, &head.hash) != (seq, &prev) {
        return Ok(Chain::BrokenAt(seq + 1));
    }
    Ok(if head.is_signed(ctx.core(), grant.tenant_id()) { Chain::Whole(seq) } else { Chain::HeadNotSigned(seq) })
}

/// Does the chain hold the event that a head kept elsewhere speaks of?
pub async fn agrees(ctx: &Ctx, kept: &AuditHead) -> Result<bool> {
    let grant = permit(ctx)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let hash = sql::hash_of(&mut tx, &grant, kept.seq).await?;
    Ok(kept.tenant_id == grant.tenant_id() && hash.is_some_and(|h| hex(&h) == kept.hash))
}

/// The first link of a new tenant's chain, signed like every other: an empty chain that nobody signed is one that
/// somebody emptied.
pub(crate) async fn open_chain(tx: &mut Tx, ctx: &Ctx, grant: &Grant) -> Result<()> {
    sql::insert_head(tx, grant, &sql::Head::signed(ctx, grant, 0, &[0; 32])).await
}

/// Appends an event to the chain of the grant's tenant, and signs its new end.
pub(crate) async fn append(tx: &mut Tx, ctx: &Ctx, grant: &Grant, event: Event) -> Result<()> {
    let taken = sql::advance_head(tx, grant).await?;
    let (seq, before) = (taken.seq, sql::Head { seq: taken.seq - 1, ..taken });
    let actor = grant.actor().clone();
    let mut row = sql::Row {
        id: ctx.new_uuid(),
        seq,
        at: ctx.now().0,
        actor_kind: actor.kind.to_string(),
        actor_id: actor.id,
        actor_name: actor.name,
        action: event.action.to_owned(),
        target_kind: event.target.kind,
        target_id: event.target.id,
        target_name: event.target.name,
        ip: ctx.request().ip.map(|ip| ip.to_string()),
        request_id: Some(ctx.request().id.clone()).filter(|id| !id.is_empty()),
        reason: event.reason,
        before: event.before.map(|v| v.to_string()),
        after: event.after.map(|v| v.to_string()),
        prev_hash: before.hash.clone(),
        hash: Vec::new(),
    };
    row.hash = row.digest(grant.tenant_id())?;
    sql::insert(tx, grant, &row).await?;
    sql::set_head(tx, grant, &before.moved(ctx, grant, seq, &row.hash)).await
}

/// May the caller read the log?
pub fn check(ctx: &Ctx) -> Result<()> {
    permit(ctx).map(drop)
}

/// The log is the tenant's, not an environment's.
fn permit(ctx: &Ctx) -> Result<Grant> {
    ctx.require_tenant_level(Perm::AuditRead)
}

async fn read_page(mut tx: Tx, grant: &Grant, query: &AuditQuery, before: Uuid, limit: u16) -> Result<Page<AuditEvent>> {
    let rows = sql::list(&mut tx, grant, query, before, i64::from(limit) + 1).await?;
    let rows = rows.into_iter().map(sql::Row::event).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(rows, limit, |e| e.id.uuid()))
}

fn lets_through(query: &AuditQuery, e: &AuditEvent) -> bool {
    let is = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|w| Some(w) == found);
    let actor = if query.actor_is_id() { e.actor.id.as_deref() } else { Some(e.actor.name.as_str()) };
    query.from.is_none_or(|t| e.at >= t)
        && query.to.is_none_or(|t| e.at < t)
        && is(&query.actor, actor)
        && is(&query.action, Some(&e.action))
        && is(&query.target, Some(&e.target.id))
        && is(&query.request_id, e.request_id.as_deref())
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
