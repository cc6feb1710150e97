//! Mails: found by `mails_by_due`, `mails_by_sending`, `mails_by_expiry`, `mails_by_id`, and by the same of `person_mails`,
//! where `person_mails_by_user` finds a person's. Unscoped: one job sends those of every tenant and of people, who belong to
//! none, and platform admins look at all.

use super::{Link, Message};
use crate::{
    Grant, Result,
    db::{Tx, on},
};
use contract::{AppId, KeyId, MailId, PageQuery, UnixMs, UserId};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

#[derive(Debug, FromRow)]
pub(super) struct Row {
    /// None: it is a person's.
    #[sqlx(default)]
    pub tenant_id: Option<Uuid>,
    pub id: Uuid,
    pub recipient: String,
    pub message: Json<Message>,
    /// The token of its link.
    pub sealed: Option<Vec<u8>>,
    /// With the one that begins.
    pub attempts: i64,
}

/// A mail to be queued.
pub(super) struct New<'a> {
    pub id: MailId,
    pub to: &'a str,
    pub message: &'a Message,
    pub sealed: Option<Vec<u8>>,
    pub now: UnixMs,
    pub until: UnixMs,
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, new: &New<'_>) -> Result<()> {
    const SQL: &str = "INSERT INTO mails (tenant_id, id, recipient, message, link, sealed, created_at, due_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(new.id.uuid()).bind(new.to).bind(Json(new.message))
        .bind(new.message.link().map(Link::as_str)).bind(&new.sealed).bind(new.now.0).bind(new.until.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert_for_person_unscoped(tx: &mut Tx, user: UserId, new: &New<'_>) -> Result<()> {
    const SQL: &str = "INSERT INTO person_mails (user_id, id, recipient, message, link, sealed, created_at, due_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)";
    on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(new.id.uuid()).bind(new.to).bind(Json(new.message))
        .bind(new.message.link().map(Link::as_str)).bind(&new.sealed).bind(new.now.0).bind(new.until.0).execute(c).await.map(drop))?;
    Ok(())
}

/// The person who answers for the key, while they belong to the tenant.
pub(super) async fn answers_for(tx: &mut Tx, grant: &Grant, key: KeyId) -> Result<Option<String>> {
    const SQL: &str = "SELECT u.email FROM api_keys k JOIN users u ON u.id = k.owner_id \
        JOIN members m ON m.tenant_id = k.tenant_id AND m.user_id = u.id WHERE k.tenant_id = $1 AND k.id = $2 AND u.disabled_at IS NULL";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(key.uuid()).fetch_optional(c).await)?)
}

/// The person who registered the app, likewise.
pub(super) async fn registered(tx: &mut Tx, grant: &Grant, app: AppId) -> Result<Option<String>> {
    const SQL: &str = "SELECT u.email FROM apps a JOIN users u ON u.id = a.owner_id \
        JOIN members m ON m.tenant_id = a.tenant_id AND m.user_id = u.id WHERE a.tenant_id = $1 AND a.id = $2 AND u.disabled_at IS NULL";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).fetch_optional(c).await)?)
}

pub(super) async fn is_member(tx: &mut Tx, grant: &Grant, user: UserId) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM members WHERE tenant_id = $1 AND user_id = $2";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).fetch_one(c).await)?;
    Ok(n > 0)
}

/// The tenant's owners whose accounts are in use.
pub(super) async fn owners(tx: &mut Tx, grant: &Grant) -> Result<Vec<String>> {
    const SQL: &str = "SELECT u.email FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.tenant_id = $1 AND m.role = 'owner' AND u.disabled_at IS NULL ORDER BY u.email";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?)
}

/// Those that are due, and no longer for anybody else: the n-th attempt is followed by the next n² times `pause` later.
pub(super) async fn due_unscoped(tx: &mut Tx, now: UnixMs, limit: i64, pause: i64) -> Result<Vec<Row>> {
    const SQL: &str = "UPDATE mails SET attempts = attempts + 1, due_at = $1 + $3 * (attempts + 1) * (attempts + 1) \
        WHERE due_at <= $1 AND (tenant_id, id) IN \
        (SELECT m.tenant_id, m.id FROM mails m WHERE m.due_at <= $1 AND (m.expires_at IS NULL OR m.expires_at > $1) \
        ORDER BY m.due_at LIMIT $2) RETURNING tenant_id, id, recipient, message, sealed, attempts";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(now.0).bind(limit).bind(pause).fetch_all(c).await)?)
}

/// The same of mails to people.
pub(super) async fn due_for_people_unscoped(tx: &mut Tx, now: UnixMs, limit: i64, pause: i64) -> Result<Vec<Row>> {
    const SQL: &str = "UPDATE person_mails SET attempts = attempts + 1, due_at = $1 + $3 * (attempts + 1) * (attempts + 1) \
        WHERE due_at <= $1 AND id IN \
        (SELECT m.id FROM person_mails m WHERE m.due_at <= $1 AND m.expires_at > $1 ORDER BY m.due_at LIMIT $2) \
        RETURNING id, recipient, message, sealed, attempts";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(now.0).bind(limit).bind(pause).fetch_all(c).await)?)
}

/// Puts the next attempt off for as long again; false if it is this process's mail no more: somebody else tries it, or
/// its link was taken back. The number of the attempt tells whose it is.
pub(super) async fn hold_unscoped(tx: &mut Tx, mail: &Row, until: UnixMs) -> Result<bool> {
    const TENANTS: &str = "UPDATE mails SET due_at = $1 WHERE id = $2 AND attempts = $3 AND due_at IS NOT NULL AND tenant_id = $4";
    const PERSONS: &str = "UPDATE person_mails SET due_at = $1 WHERE id = $2 AND attempts = $3 AND due_at IS NOT NULL";
    let n = match mail.tenant_id {
        Some(tenant) => on!(tx, c => sqlx::query(TENANTS).bind(until.0).bind(mail.id).bind(mail.attempts).bind(tenant)
            .execute(c).await.map(|r| r.rows_affected()))?,
        None => on!(tx, c => sqlx::query(PERSONS).bind(until.0).bind(mail.id).bind(mail.attempts)
            .execute(c).await.map(|r| r.rows_affected()))?,
    };
    Ok(n == 1)
}

/// What became of it; what is over holds no token.
pub(super) async fn settle_unscoped(tx: &mut Tx, mail: &Row, sent_at: Option<UnixMs>, over: bool, error: Option<&str>) -> Result<()> {
    const TENANTS: &str = "UPDATE mails SET sent_at = $1, error = $2, due_at = CASE WHEN $3 THEN NULL ELSE due_at END, \
        sealed = CASE WHEN $3 THEN NULL ELSE sealed END WHERE id = $4 AND attempts = $5 AND tenant_id = $6";
    const PERSONS: &str = "UPDATE person_mails SET sent_at = $1, error = $2, due_at = CASE WHEN $3 THEN NULL ELSE due_at END, \
        sealed = CASE WHEN $3 THEN NULL ELSE sealed END WHERE id = $4 AND attempts = $5";
    let sent_at = sent_at.map(|t| t.0);
    match mail.tenant_id {
        Some(tenant) => {
            on!(tx, c => sqlx::query(TENANTS).bind(sent_at).bind(error).bind(over).bind(mail.id).bind(mail.attempts).bind(tenant)
                .execute(c).await.map(drop))?;
        }
        None => on!(tx, c => sqlx::query(PERSONS).bind(sent_at).bind(error).bind(over).bind(mail.id).bind(mail.attempts)
            .execute(c).await.map(drop))?,
    }
    Ok(())
}

/// A mail with the link of an invitation for that address is not sent.
pub(super) async fn drop_invitation(tx: &mut Tx, grant: &Grant, to: &str, why: &str) -> Result<()> {
    const SQL: &str = "UPDATE mails SET due_at = NULL, sealed = NULL, error = $3 \
        WHERE tenant_id = $1 AND recipient = $2 AND link = 'invitation' AND due_at IS NOT NULL";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(to).bind(why).execute(c).await.map(drop))?;
    Ok(())
}

/// A person's mails with links of one sort are not sent.
pub(super) async fn drop_links_unscoped(tx: &mut Tx, user: UserId, link: Link, why: &str) -> Result<()> {
    const SQL: &str =
        "UPDATE person_mails SET due_at = NULL, sealed = NULL, error = $3 WHERE user_id = $1 AND link = $2 AND due_at IS NOT NULL";
    on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(link.as_str()).bind(why).execute(c).await.map(drop))?;
    Ok(())
}

/// Gives up those whose time is over.
pub(super) async fn expire_unscoped(tx: &mut Tx, now: UnixMs, why: &str) -> Result<()> {
    const TENANTS: &str =
        "UPDATE mails SET due_at = NULL, sealed = NULL, error = COALESCE(error, $2) WHERE expires_at <= $1 AND due_at IS NOT NULL";
    const PEOPLES: &str =
        "UPDATE person_mails SET due_at = NULL, sealed = NULL, error = COALESCE(error, $2) WHERE expires_at <= $1 AND due_at IS NOT NULL";
    for sql in [TENANTS, PEOPLES] {
        on!(tx, c => sqlx::query(sql).bind(now.0).bind(why).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Forgets mails that were sent, or over, before then.
pub(super) async fn sweep_unscoped(tx: &mut Tx, before: UnixMs) -> Result<()> {
    const TENANTS: &str = "DELETE FROM mails WHERE sent_at < $1 OR expires_at < $1";
    const PEOPLES: &str = "DELETE FROM person_mails WHERE sent_at < $1 OR expires_at < $1";
    for sql in [TENANTS, PEOPLES] {
        on!(tx, c => sqlx::query(sql).bind(before.0).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// A mail as the outbox lists it.
#[derive(FromRow)]
pub(super) struct Listed {
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    /// The tenant's name.
    pub tenant: Option<String>,
    pub recipient: String,
    pub message: Json<Message>,
    pub created_at: i64,
    pub due_at: Option<i64>,
    pub sent_at: Option<i64>,
    pub attempts: i64,
    pub error: Option<String>,
}

/// One row more than a page, the newest first, whosever they are.
pub(super) async fn page_unscoped(tx: &mut Tx, page: PageQuery) -> Result<Vec<Listed>> {
    const SQL: &str = "SELECT m.id, m.tenant_id, t.name AS tenant, m.recipient, m.message, m.created_at, m.due_at, m.sent_at, m.attempts, m.error \
        FROM mails m JOIN tenants t ON t.id = m.tenant_id WHERE m.id < $1 \
        UNION ALL SELECT p.id, NULL, NULL, p.recipient, p.message, p.created_at, p.due_at, p.sent_at, p.attempts, p.error \
        FROM person_mails p WHERE p.id < $1 ORDER BY 1 DESC LIMIT $2";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(page.before()).bind(i64::from(page.bounded()) + 1).fetch_all(c).await)?)
}

pub(super) async fn find_unscoped(tx: &mut Tx, id: MailId) -> Result<Option<Listed>> {
    const SQL: &str = "SELECT m.id, m.tenant_id, t.name AS tenant, m.recipient, m.message, m.created_at, m.due_at, m.sent_at, m.attempts, m.error \
        FROM mails m JOIN tenants t ON t.id = m.tenant_id WHERE m.id = $1 \
        UNION ALL SELECT p.id, NULL, NULL, p.recipient, p.message, p.created_at, p.due_at, p.sent_at, p.attempts, p.error \
        FROM person_mails p WHERE p.id = $1";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(id.uuid()).fetch_optional(c).await)?)
}

/// Queues once more what was given up; false if it was not. A link that was dropped does not come back.
pub(super) async fn retry_unscoped(tx: &mut Tx, id: MailId, now: UnixMs, until: UnixMs) -> Result<bool> {
    const TENANTS: &str = "UPDATE mails SET due_at = $2, expires_at = $3, attempts = 0, error = NULL \
        WHERE id = $1 AND due_at IS NULL AND sent_at IS NULL AND link IS NULL";
    const PEOPLES: &str = "UPDATE person_mails SET due_at = $2, expires_at = $3, attempts = 0, error = NULL \
        WHERE id = $1 AND due_at IS NULL AND sent_at IS NULL AND link IS NULL";
    let mut n = 0;
    for sql in [TENANTS, PEOPLES] {
        n += on!(tx, c => sqlx::query(sql).bind(id.uuid()).bind(now.0).bind(until.0).execute(c).await.map(|r| r.rows_affected()))?;
    }
    Ok(n == 1)
}
