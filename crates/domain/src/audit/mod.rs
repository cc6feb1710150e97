//! The audit log: one chain of hashes a tenant, filled in the transaction of each change (s78).

mod sql;

use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, Tx},
};
use aws_lc_rs::digest::{SHA256, digest};
use contract::{AuditEvent, AuditFilter, AuditId, Page, PageQuery, Perm, TenantId};
use serde::Serialize;

/// One page of the tenant's audit events, newest first.
pub async fn list(ctx: &Ctx, filter: &AuditFilter, page: PageQuery) -> Result<Page<AuditEvent>> {
    let grant = ctx.require(Perm::AuditRead)?;
    let mut tx = ctx.db().read().await?;
    let rows = sql::list(&mut tx, &grant, filter, page).await?;
    let rows = rows.into_iter().map(sql::Row::event).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(rows, page.bounded(), |e| e.id.uuid()))
}

/// Recomputes the tenant's chain from its first event; answers how many events hold, or the first that does not.
pub async fn verify_chain(ctx: &Ctx) -> Result<Chain> {
    let grant = ctx.require(Perm::AuditRead)?;
    let mut tx = ctx.db().read().await?;
    let head = sql::head(&mut tx, &grant).await?;
    let mut prev = vec![0; 32];
    let mut seq = 0;
    loop {
        let rows = sql::chain(&mut tx, &grant, seq).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.seq != seq + 1 || row.prev_hash != prev || row.hash != row.digest(grant.tenant_id())? {
                return Ok(Chain::BrokenAt(seq + 1));
            }
            seq = row.seq;
            prev = row.hash;
        }
    }
    // A cut end shows against the head, which every append moves.
    if head == (seq, prev) { Ok(Chain::Whole(seq)) } else { Ok(Chain::BrokenAt(seq + 1)) }
}

/// What a recomputation of the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// So many events, all in place and unedited.
    Whole(i64),
    /// The first event that is edited, missing or out of place.
    BrokenAt(i64),
}

/// The first link of a new tenant's chain.
pub(crate) async fn open_chain(tx: &mut Tx, grant: &Grant) -> Result<()> {
    sql::insert_head(tx, grant).await
}

/// Appends an event to the chain of the grant's tenant.
pub(crate) async fn append(tx: &mut Tx, ctx: &Ctx, grant: &Grant, event: Event) -> Result<()> {
    let (seq, prev_hash) = sql::advance_head(tx, grant).await?;
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
        prev_hash,
        hash: Vec::new(),
    };
    row.hash = row.digest(grant.tenant_id())?;
    sql::insert(tx, grant, &row).await?;
    sql::set_head_hash(tx, grant, &row.hash).await
}

/// What the hash covers, in this order; `before` and `after` are the stored texts, so no JSON is ever re-written.
#[derive(Serialize)]
struct Hashed<'a> {
    tenant_id: TenantId,
    id: AuditId,
    seq: i64,
    at: i64,
    actor: (&'a str, Option<&'a str>, &'a str),
    action: &'a str,
    target: (&'a str, &'a str, &'a str),
    ip: Option<&'a str>,
    request_id: Option<&'a str>,
    reason: Option<&'a str>,
    before: Option<&'a str>,
    after: Option<&'a str>,
    prev_hash: &'a [u8],
}

impl sql::Row {
    /// The SHA-256 of this event and of the one before it.
    fn digest(&self, tenant_id: TenantId) -> Result<Vec<u8>> {
        let hashed = Hashed {
            tenant_id,
            id: AuditId::from_uuid(self.id),
            seq: self.seq,
            at: self.at,
            actor: (&self.actor_kind, self.actor_id.as_deref(), &self.actor_name),
            action: &self.action,
            target: (&self.target_kind, &self.target_id, &self.target_name),
            ip: self.ip.as_deref(),
            request_id: self.request_id.as_deref(),
            reason: self.reason.as_deref(),
            before: self.before.as_deref(),
            after: self.after.as_deref(),
            prev_hash: &self.prev_hash,
        };
        let text = serde_json::to_vec(&hashed).map_err(Error::internal)?;
        Ok(digest(&SHA256, &text).as_ref().to_vec())
    }
}
