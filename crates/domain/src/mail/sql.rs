//! Mails: found by `mails_by_due` and `mails_by_sending`. Unscoped: one job sends those of every tenant.

use super::Message;
use crate::{
    Grant, Result,
    db::{Tx, on},
};
use contract::{MailId, UnixMs};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

#[derive(Debug, FromRow)]
pub(super) struct Row {
    tenant_id: Uuid,
    pub id: Uuid,
    pub recipient: String,
    pub message: Json<Message>,
    /// With the one that begins.
    pub attempts: i64,
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, id: MailId, recipient: &str, message: &Message, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO mails (tenant_id, id, recipient, message, created_at, due_at) VALUES ($1, $2, $3, $4, $5, $5)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(recipient).bind(Json(message)).bind(now.0)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Those that are due, and no longer for anybody else: the n-th attempt is followed by the next n² times `pause` later.
pub(super) async fn due_unscoped(tx: &mut Tx, now: UnixMs, limit: i64, pause: i64) -> Result<Vec<Row>> {
    const SQL: &str = "UPDATE mails SET attempts = attempts + 1, due_at = $1 + $3 * (attempts + 1) * (attempts + 1) \
        WHERE due_at <= $1 AND (tenant_id, id) IN \
        (SELECT m.tenant_id, m.id FROM mails m WHERE m.due_at <= $1 ORDER BY m.due_at LIMIT $2) \
        RETURNING tenant_id, id, recipient, message, attempts";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(now.0).bind(limit).bind(pause).fetch_all(c).await)?)
}

pub(super) async fn settle_unscoped(tx: &mut Tx, mail: &Row, sent_at: Option<UnixMs>, over: bool, error: Option<&str>) -> Result<()> {
    const SQL: &str = "UPDATE mails SET sent_at = $3, error = $4, due_at = CASE WHEN $5 THEN NULL ELSE due_at END \
        WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(mail.tenant_id).bind(mail.id).bind(sent_at.map(|t| t.0)).bind(error).bind(over)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets mails that were sent before then.
pub(super) async fn sweep_unscoped(tx: &mut Tx, before: UnixMs) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM mails WHERE sent_at < $1").bind(before.0).execute(c).await.map(drop))?;
    Ok(())
}
