//! Lists rely on `audit_events_pkey` and `audit_events_by_target`; the chain on `audit_events_by_seq`.

use crate::{
    Error, Grant, Result,
    db::{Tx, on},
};
use contract::{Actor, AuditEvent, AuditFilter, AuditId, PageQuery, Target, UnixMs};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct Row {
    pub id: Uuid,
    pub seq: i64,
    pub at: i64,
    pub actor_kind: String,
    pub actor_id: Option<String>,
    pub actor_name: String,
    pub action: String,
    pub target_kind: String,
    pub target_id: String,
    pub target_name: String,
    pub ip: Option<String>,
    pub request_id: Option<String>,
    pub reason: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

impl Row {
    pub fn event(self) -> Result<AuditEvent> {
        let json = |s: Option<String>| s.map(|s| serde_json::from_str(&s).map_err(Error::internal)).transpose();
        Ok(AuditEvent {
            id: AuditId::from_uuid(self.id),
            seq: self.seq,
            at: UnixMs(self.at),
            actor: Actor {
                kind: self.actor_kind.parse().map_err(|()| Error::internal("unknown kind of actor"))?,
                id: self.actor_id,
                name: self.actor_name,
            },
            action: self.action,
            target: Target { kind: self.target_kind, id: self.target_id, name: self.target_name },
            ip: self.ip.and_then(|ip| ip.parse().ok()),
            request_id: self.request_id,
            reason: self.reason,
            before: json(self.before)?,
            after: json(self.after)?,
            hash: self.hash.iter().map(|b| format!("{b:02x}")).collect(),
        })
    }
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, ip, request_id, \
             reason, before, after, prev_hash, hash FROM audit_events ",
            $tail
        )
    };
}

pub(super) const LIST: &str = select!("WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
pub(super) const LIST_BY_TARGET: &str = select!("WHERE tenant_id = $1 AND id < $2 AND target_id = $4 ORDER BY id DESC LIMIT $3");
pub(super) const CHAIN: &str = select!("WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT 1000");

pub(super) async fn list(tx: &mut Tx, grant: &Grant, filter: &AuditFilter, page: PageQuery) -> Result<Vec<Row>> {
    let (tenant, before, limit) = (grant.tenant_id().uuid(), page.before(), i64::from(page.bounded()) + 1);
    Ok(match &filter.target_id {
        None => on!(tx, c => sqlx::query_as(LIST).bind(tenant).bind(before).bind(limit).fetch_all(c).await)?,
        Some(id) => on!(tx, c => sqlx::query_as(LIST_BY_TARGET).bind(tenant).bind(before).bind(limit).bind(id).fetch_all(c).await)?,
    })
}

pub(super) async fn chain(tx: &mut Tx, grant: &Grant, after_seq: i64) -> Result<Vec<Row>> {
    Ok(on!(tx, c => sqlx::query_as(CHAIN).bind(grant.tenant_id().uuid()).bind(after_seq).fetch_all(c).await)?)
}

pub(super) async fn head(tx: &mut Tx, grant: &Grant) -> Result<(i64, Vec<u8>)> {
    const SQL: &str = "SELECT seq, hash FROM audit_heads WHERE tenant_id = $1";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

pub(super) async fn insert_head(tx: &mut Tx, grant: &Grant) -> Result<()> {
    const SQL: &str = "INSERT INTO audit_heads (tenant_id, seq, hash) VALUES ($1, 0, $2)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(vec![0_u8; 32]).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes the next number and answers it with the hash before it; the row stays locked until the commit.
pub(super) async fn advance_head(tx: &mut Tx, grant: &Grant) -> Result<(i64, Vec<u8>)> {
    const SQL: &str = "UPDATE audit_heads SET seq = seq + 1 WHERE tenant_id = $1 RETURNING seq, hash";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

pub(super) async fn set_head_hash(tx: &mut Tx, grant: &Grant, hash: &[u8]) -> Result<()> {
    const SQL: &str = "UPDATE audit_heads SET hash = $2 WHERE tenant_id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(hash).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, row: &Row) -> Result<()> {
    const SQL: &str = "INSERT INTO audit_events (tenant_id, id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, \
        target_id, target_name, ip, request_id, reason, before, after, prev_hash, hash) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    on!(tx, c => sqlx::query(SQL)
        .bind(grant.tenant_id().uuid()).bind(row.id).bind(row.seq).bind(row.at)
        .bind(&row.actor_kind).bind(&row.actor_id).bind(&row.actor_name)
        .bind(&row.action).bind(&row.target_kind).bind(&row.target_id).bind(&row.target_name)
        .bind(&row.ip).bind(&row.request_id).bind(&row.reason).bind(&row.before).bind(&row.after)
        .bind(&row.prev_hash).bind(&row.hash)
        .execute(c).await.map(drop))?;
    Ok(())
}
