//! A write transaction that names its event when it commits.

use super::{Tx, on};
use crate::{Ctx, Grant, Result, audit, idempotency, mail};
use contract::{OutboxId, Target};
use serde_json::Value;
use sqlx::types::Json;

/// What a change is called, on what, and what it did. It becomes the audit row and the outbox row.
#[derive(Debug, Clone)]
pub struct Event {
    /// As `api_key.created`.
    pub action: &'static str,
    /// What was changed.
    pub target: Target,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What stood before.
    pub before: Option<Value>,
    /// What stands after.
    pub after: Option<Value>,
}

/// A transaction in which one tenant's rows change.
#[derive(Debug)]
pub struct WriteTx {
    tx: Tx,
    ctx: Ctx,
    grant: Grant,
}

impl WriteTx {
    pub(crate) async fn begin(ctx: &Ctx, grant: &Grant) -> Result<Self> {
        Ok(Self { tx: ctx.db().begin_in(grant).await?, ctx: ctx.clone(), grant: grant.clone() })
    }

    pub(crate) async fn begin_all(ctx: &Ctx, grant: &Grant) -> Result<Self> {
        Ok(Self { tx: ctx.db().begin_all().await?, ctx: ctx.clone(), grant: grant.clone() })
    }

    /// The transaction, for the statements.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Commits the change together with its audit and outbox rows.
    pub async fn commit(self, event: Event) -> Result<()> {
        self.commit_all(vec![event]).await
    }

    /// The same for several changes that stand or fall together.
    pub async fn commit_all(self, events: Vec<Event>) -> Result<()> {
        let Self { tx, ctx, grant } = self;
        commit_with(tx, &ctx, events.into_iter().map(|event| (grant.clone(), event)).collect()).await
    }
}

/// Commits a transaction with its events, each in the chain of its grant's tenant; it sees all of them. Chains are locked
/// in one order, whoever commits beside this. A request that may be sent again is marked as carried out, and people are
/// told by mail of what happened to their accounts.
pub(crate) async fn commit_with(mut tx: Tx, ctx: &Ctx, mut events: Vec<(Grant, Event)>) -> Result<()> {
    idempotency::mark(&mut tx, ctx).await?;
    mail::tell(&mut tx, ctx, &events).await?;
    events.sort_by_key(|(grant, _)| grant.tenant_id());
    for (grant, event) in events {
        record(&mut tx, ctx, &grant, event).await?;
    }
    tx.commit_quiet().await
}

/// Writes an event's outbox and audit rows. The last statement before the commit: on PostgreSQL the tenant's chain head
/// stays locked from here on.
async fn record(tx: &mut Tx, ctx: &Ctx, grant: &Grant, event: Event) -> Result<()> {
    const SQL: &str = "INSERT INTO outbox (tenant_id, id, topic, payload, created_at) VALUES ($1, $2, $3, $4, $5)";
    let id = OutboxId::from_uuid(ctx.new_uuid());
    let payload = serde_json::json!({"target": event.target, "after": event.after});
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(event.action).bind(Json(payload)).bind(ctx.now().0)
        .execute(c).await.map(drop))?;
    audit::append(tx, ctx, grant, event).await
}
