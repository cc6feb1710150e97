//! Lists are ranges of `audit_events_pkey`, or of `audit_events_by_request`, `_by_target_id`, `_by_actor_id`,
//! `_by_actor_name` or `_by_action`, whichever the filter names first; the chain and streams of `audit_events_by_seq`.

use crate::{
    Error, Grant, Result,
    db::{Tx, on},
    usage::first_id,
};
use contract::{Actor, AuditEvent, AuditId, AuditQuery, Target, UnixMs};
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
            hash: super::hex(&self.hash),
        })
    }
}

/// What [`Row`] reads.
macro_rules! event {
    () => {
        "id, seq, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, ip, request_id, \
         reason, before, after, prev_hash, hash FROM audit_events "
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", event!(), $tail)
    };
}

/// The ids from `$3` on and before `$2`, and every filter that may be set.
macro_rules! page {
    ($tail:literal) => {
        concat!(
            "SELECT ",
            event!(),
            "WHERE tenant_id = $1 AND id < $2 AND id >= $3 AND ($5 IS NULL OR request_id = $5) AND ($6 IS NULL OR target_id = $6) \
             AND ($7 IS NULL OR actor_id = $7) AND ($8 IS NULL OR actor_name = $8) AND ($9 IS NULL OR action = $9) ",
            $tail,
            "ORDER BY id DESC LIMIT $4"
        )
    };
}

const ALL: &str = page!("");
const BY_REQUEST: &str = page!("AND request_id = $5 ");
const BY_TARGET: &str = page!("AND target_id = $6 ");
const BY_ACTOR_ID: &str = page!("AND actor_id = $7 ");
const BY_ACTOR_NAME: &str = page!("AND actor_name = $8 ");
const BY_ACTION: &str = page!("AND action = $9 ");
const CHAIN: &str = select!("WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT 1000");

pub(super) async fn list(tx: &mut Tx, grant: &Grant, query: &AuditQuery, before: Uuid, limit: i64) -> Result<Vec<Row>> {
    let (floor, before) = (query.from.map_or(Uuid::nil(), first_id), before.min(query.to.map_or(Uuid::max(), first_id)));
    let is_id = query.actor_is_id();
    let (actor_id, actor_name) = (query.actor.as_deref().filter(|_| is_id), query.actor.as_deref().filter(|_| !is_id));
    let sql = if query.request_id.is_some() {
        BY_REQUEST
    } else if query.target.is_some() {
        BY_TARGET
    } else if actor_id.is_some() {
        BY_ACTOR_ID
    } else if actor_name.is_some() {
        BY_ACTOR_NAME
    } else if query.action.is_some() {
        BY_ACTION
    } else {
        ALL
    };
    Ok(on!(tx, c => sqlx::query_as(sql).bind(grant.tenant_id().uuid()).bind(before).bind(floor).bind(limit)
        .bind(query.request_id.as_deref()).bind(query.target.as_deref()).bind(actor_id).bind(actor_name).bind(query.action.as_deref())
        .fetch_all(c).await)?)
}

pub(super) async fn chain(tx: &mut Tx, grant: &Grant, after_seq: i64) -> Result<Vec<Row>> {
    Ok(on!(tx, c => sqlx::query_as(CHAIN).bind(grant.tenant_id().uuid()).bind(after_seq).fetch_all(c).await)?)
}

pub(super) async fn hash_of(tx: &mut Tx, grant: &Grant, seq: i64) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "SELECT hash FROM audit_events WHERE tenant_id = $1 AND seq = $2";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(seq).fetch_optional(c).await)?)
}

/// The end of a chain.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub(super) struct Head {
    pub seq: i64,
    pub hash: Vec<u8>,
    pub signed_at: Option<i64>,
    pub signature: Option<Vec<u8>>,
}

pub(super) async fn head(tx: &mut Tx, grant: &Grant) -> Result<Head> {
    const SQL: &str = "SELECT seq, hash, signed_at, signature FROM audit_heads WHERE tenant_id = $1";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

pub(super) async fn insert_head(tx: &mut Tx, grant: &Grant, head: &Head) -> Result<()> {
    const SQL: &str = "INSERT INTO audit_heads (tenant_id, seq, hash, signed_at, signature) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(head.seq).bind(&head.hash).bind(head.signed_at).bind(&head.signature)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Takes the next number and answers it with what the head was before; the row stays locked until the commit.
pub(super) async fn advance_head(tx: &mut Tx, grant: &Grant) -> Result<Head> {
    const SQL: &str = "UPDATE audit_heads SET seq = seq + 1 WHERE tenant_id = $1 RETURNING seq, hash, signed_at, signature";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

pub(super) async fn set_head(tx: &mut Tx, grant: &Grant, head: &Head) -> Result<()> {
    const SQL: &str = "UPDATE audit_heads SET hash = $2, signed_at = $3, signature = $4 WHERE tenant_id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(&head.hash).bind(head.signed_at).bind(&head.signature)
        .execute(c).await.map(drop))?;
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
