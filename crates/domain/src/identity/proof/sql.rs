//! Tries, second factors, devices, links: all found by their whole primary key, but for `reset_links_by_user` and
//! `throttles_by_age`; changes of addresses are found by the digest of either link. Sweeps of devices, links and changes of
//! addresses read whole tables, which are short. People belong to no tenant, so everything here is unscoped; callers act for a person who has just
//! proved who they are, or for the command line.

use super::recovery::Account;
use crate::{
    RequestInfo, Result,
    db::{Tx, on},
};
use contract::{Email, EmailChange, TenantId, UnixMs, UserId};
use sqlx::FromRow;
use uuid::Uuid;

/// Counts a try, unless the subject must wait; how many have failed since the last one that was right.
pub(super) async fn count_try_unscoped(tx: &mut Tx, subject: &[u8], now: UnixMs, forgotten: UnixMs) -> Result<Option<i64>> {
    const SQL: &str = "INSERT INTO throttles (subject, failures, blocked_until, last_at) VALUES ($1, 1, $2, $2) \
        ON CONFLICT (subject) DO UPDATE SET last_at = $2, \
        failures = CASE WHEN throttles.last_at < $3 THEN 1 ELSE throttles.failures + 1 END \
        WHERE throttles.blocked_until <= $2 RETURNING failures";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(subject).bind(now.0).bind(forgotten.0).fetch_optional(c).await)?)
}

pub(super) async fn blocked_until_unscoped(tx: &mut Tx, subject: &[u8]) -> Result<UnixMs> {
    const SQL: &str = "SELECT blocked_until FROM throttles WHERE subject = $1";
    let until: Option<i64> = on!(tx, c => sqlx::query_scalar(SQL).bind(subject).fetch_optional(c).await)?;
    Ok(UnixMs(until.unwrap_or_default()))
}

/// Counts tries that are not looked at.
pub(super) async fn count_refused_unscoped(tx: &mut Tx, subject: &[u8], tries: i64) -> Result<i64> {
    const SQL: &str = "UPDATE throttles SET refused = refused + $2 WHERE subject = $1 RETURNING refused";
    let n: Option<i64> = on!(tx, c => sqlx::query_scalar(SQL).bind(subject).bind(tries).fetch_optional(c).await)?;
    Ok(n.unwrap_or_default())
}

/// Writes nothing new: as much work as for an account that exists.
pub(super) async fn touch_try_unscoped(tx: &mut Tx, subject: &[u8]) -> Result<()> {
    on!(tx, c => sqlx::query("UPDATE throttles SET refused = refused WHERE subject = $1").bind(subject).execute(c).await.map(drop))?;
    Ok(())
}

/// Every tenant that an account belongs to, in use or not.
pub(super) async fn tenants_of_account_unscoped(tx: &mut Tx, user: UserId) -> Result<Vec<TenantId>> {
    const SQL: &str = "SELECT tenant_id FROM members WHERE user_id = $1";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(user.uuid()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

pub(super) async fn block_until_unscoped(tx: &mut Tx, subject: &[u8], until: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE throttles SET blocked_until = $2 WHERE subject = $1";
    on!(tx, c => sqlx::query(SQL).bind(subject).bind(until.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn forget_tries_unscoped(tx: &mut Tx, subject: &[u8]) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM throttles WHERE subject = $1").bind(subject).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn give_try_back_unscoped(tx: &mut Tx, subject: &[u8]) -> Result<()> {
    const SQL: &str = "UPDATE throttles SET failures = failures - 1 WHERE subject = $1 AND failures > 0";
    on!(tx, c => sqlx::query(SQL).bind(subject).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn sweep_tries_unscoped(tx: &mut Tx, before: UnixMs) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM throttles WHERE last_at < $1").bind(before.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn sweep_devices_unscoped(tx: &mut Tx, before: UnixMs) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM known_devices WHERE last_seen_at < $1").bind(before.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn sweep_reset_links_unscoped(tx: &mut Tx, now: UnixMs) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM reset_links WHERE expires_at <= $1").bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn upgrade_hash_unscoped(tx: &mut Tx, user: UserId, old: &str, new: &str) -> Result<()> {
    const SQL: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(old).bind(new).execute(c).await.map(drop))?;
    Ok(())
}

/// A sign-in that began with the old one opens nothing any more.
pub(super) async fn set_password_unscoped(tx: &mut Tx, user: UserId, hash: &str) -> Result<()> {
    const SQL: &str = "UPDATE users SET password_hash = $2, epoch = epoch + 1 WHERE id = $1";
    on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(hash).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn password_hash_unscoped(tx: &mut Tx, user: UserId) -> Result<String> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT password_hash FROM users WHERE id = $1").bind(user.uuid()).fetch_one(c).await)?)
}

pub(super) async fn email_unscoped(tx: &mut Tx, user: UserId) -> Result<String> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT email FROM users WHERE id = $1").bind(user.uuid()).fetch_one(c).await)?)
}

pub(super) async fn tenant_names_unscoped(tx: &mut Tx, user: UserId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT t.name FROM members m JOIN tenants t ON t.id = m.tenant_id WHERE m.user_id = $1";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(user.uuid()).fetch_all(c).await)?)
}

#[derive(FromRow)]
pub(super) struct Factor {
    pub secret: Vec<u8>,
    pub confirmed_at: Option<i64>,
}

pub(super) async fn factor_unscoped(tx: &mut Tx, user: UserId) -> Result<Option<Factor>> {
    const SQL: &str = "SELECT secret, confirmed_at FROM second_factors WHERE user_id = $1";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).fetch_optional(c).await)?)
}

/// Is a second factor asked for?
pub(super) async fn enrolled_unscoped(tx: &mut Tx, user: UserId) -> Result<bool> {
    Ok(factor_unscoped(tx, user).await?.is_some_and(|f| f.confirmed_at.is_some()))
}

/// False where one is on already.
pub(super) async fn begin_factor_unscoped(tx: &mut Tx, user: UserId, sealed: &[u8], now: UnixMs) -> Result<bool> {
    const SQL: &str = "INSERT INTO second_factors (user_id, secret, last_step, created_at) VALUES ($1, $2, 0, $3) \
        ON CONFLICT (user_id) DO UPDATE SET secret = $2, created_at = $3 WHERE second_factors.confirmed_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(sealed).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// True exactly once, and only for the secret whose code was given.
pub(super) async fn confirm_factor_unscoped(tx: &mut Tx, user: UserId, sealed: &[u8], step: i64, now: UnixMs) -> Result<bool> {
    const SQL: &str =
        "UPDATE second_factors SET confirmed_at = $4, last_step = $3 WHERE user_id = $1 AND secret = $2 AND confirmed_at IS NULL";
    let n =
        on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(sealed).bind(step).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// True exactly once for a step, and never for one before it.
pub(super) async fn accept_step_unscoped(tx: &mut Tx, user: UserId, step: i64) -> Result<bool> {
    const SQL: &str = "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2";
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(step).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// With its recovery codes; false where there was none that counted.
pub(super) async fn remove_factor_unscoped(tx: &mut Tx, user: UserId) -> Result<bool> {
    const SQL: &str = "DELETE FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    on!(tx, c => sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user.uuid()).execute(c).await.map(drop))?;
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn replace_codes_unscoped(tx: &mut Tx, user: UserId, digests: &[Vec<u8>]) -> Result<()> {
    const SQL: &str = "INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2)";
    on!(tx, c => sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user.uuid()).execute(c).await.map(drop))?;
    for digest in digests {
        on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(digest).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// True exactly once.
pub(super) async fn use_code_unscoped(tx: &mut Tx, user: UserId, digest: &[u8], now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND digest = $2 AND used_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(digest).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn codes_left_unscoped(tx: &mut Tx, user: UserId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(user.uuid()).fetch_one(c).await)?)
}

pub(super) async fn is_known_device_unscoped(tx: &mut Tx, user: UserId, digest: &[u8], since: UnixMs) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM known_devices WHERE user_id = $1 AND digest = $2 AND last_seen_at >= $3";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(user.uuid()).bind(digest).bind(since.0).fetch_one(c).await)?;
    Ok(n == 1)
}

pub(super) async fn remember_device_unscoped(tx: &mut Tx, user: UserId, digest: &[u8], now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO known_devices (user_id, digest, created_at, last_seen_at) VALUES ($1, $2, $3, $3) \
        ON CONFLICT (user_id, digest) DO UPDATE SET last_seen_at = $3";
    on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(digest).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn forget_devices_unscoped(tx: &mut Tx, user: UserId) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM known_devices WHERE user_id = $1").bind(user.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

/// A link that is mailed, or one that is handed over; it replaces the one of its sort. Whoever asks for a mail proves
/// nothing, and so ends no link that somebody made by hand.
pub(super) async fn replace_reset_link_unscoped(
    tx: &mut Tx,
    digest: &[u8],
    user: UserId,
    mailed: bool,
    now: UnixMs,
    expires_at: UnixMs,
) -> Result<()> {
    const CLOSE: &str = "UPDATE reset_links SET used_at = $3 WHERE user_id = $1 AND mailed = $2 AND used_at IS NULL";
    const INSERT: &str = "INSERT INTO reset_links (digest, user_id, mailed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, c => sqlx::query(CLOSE).bind(user.uuid()).bind(mailed).bind(now.0).execute(c).await.map(drop))?;
    on!(tx, c => sqlx::query(INSERT).bind(digest).bind(user.uuid()).bind(mailed).bind(now.0).bind(expires_at.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Links of either sort that were not used stop working.
pub(super) async fn close_reset_links_unscoped(tx: &mut Tx, user: UserId, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE reset_links SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL";
    on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

/// What a link that sets a password opens.
#[derive(FromRow)]
pub(super) struct Reset {
    user_id: Uuid,
    /// Nothing showed before that the address is their own, and this link was mailed to it.
    pub proves: bool,
}

impl Reset {
    pub const fn user(&self) -> UserId {
        UserId::from_uuid(self.user_id)
    }
}

pub(super) async fn reset_link_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<Option<Reset>> {
    const SQL: &str = "SELECT l.user_id, l.mailed AND u.email_unproved AS proves FROM reset_links l JOIN users u ON u.id = l.user_id \
        WHERE l.digest = $1 AND l.used_at IS NULL AND l.expires_at > $2 AND u.disabled_at IS NULL";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).bind(now.0).fetch_optional(c).await)?)
}

pub(super) async fn is_unproved_unscoped(tx: &mut Tx, user: UserId) -> Result<bool> {
    const SQL: &str = "SELECT email_unproved FROM users WHERE id = $1";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(user.uuid()).fetch_one(c).await)?)
}

/// False when it was so already.
pub(super) async fn set_unproved_unscoped(tx: &mut Tx, user: UserId, unproved: bool) -> Result<bool> {
    const SQL: &str = "UPDATE users SET email_unproved = $2 WHERE id = $1 AND email_unproved <> $2";
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(unproved).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// True exactly once.
pub(super) async fn use_reset_link_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE reset_links SET used_at = $2 WHERE digest = $1 AND used_at IS NULL AND expires_at > $2";
    let n = on!(tx, c => sqlx::query(SQL).bind(digest).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

#[derive(FromRow)]
pub(super) struct AccountRow {
    id: Uuid,
    email: String,
    platform_admin: bool,
    created_at: i64,
    disabled_at: Option<i64>,
    confirmed_at: Option<i64>,
}

impl AccountRow {
    pub fn account(self) -> Account {
        Account {
            id: UserId::from_uuid(self.id),
            email: self.email,
            platform_admin: self.platform_admin,
            two_factor: self.confirmed_at.is_some(),
            disabled: self.disabled_at.is_some(),
            created_at: UnixMs(self.created_at),
        }
    }
}

pub(super) async fn accounts_unscoped(tx: &mut Tx) -> Result<Vec<AccountRow>> {
    const SQL: &str = "SELECT u.id, u.email, u.platform_admin, u.created_at, u.disabled_at, f.confirmed_at FROM users u \
        LEFT JOIN second_factors f ON f.user_id = u.id ORDER BY u.created_at, u.id";
    Ok(on!(tx, c => sqlx::query_as(SQL).fetch_all(c).await)?)
}

/// Somebody who forgot the password of an address.
#[derive(FromRow)]
pub(super) struct ResetRequest {
    pub email: String,
    pub ip: Option<String>,
    pub request_id: String,
    pub created_at: i64,
}

pub(super) async fn insert_reset_request_unscoped(tx: &mut Tx, id: Uuid, email: &Email, from: &RequestInfo, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO reset_requests (id, email, ip, request_id, created_at) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, c => sqlx::query(SQL).bind(id).bind(email.as_str()).bind(from.ip.map(|ip| ip.to_string())).bind(&from.id).bind(now.0)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Of two processes that take the oldest one, one gets it.
pub(super) async fn take_reset_request_unscoped(tx: &mut Tx) -> Result<Option<ResetRequest>> {
    const SQL: &str = "DELETE FROM reset_requests WHERE id = (SELECT r.id FROM reset_requests r ORDER BY r.id LIMIT 1) \
        RETURNING email, ip, request_id, created_at";
    Ok(on!(tx, c => sqlx::query_as(SQL).fetch_optional(c).await)?)
}

/// A change of address that waits.
#[derive(FromRow)]
pub(super) struct EmailChangeRow {
    user_id: Uuid,
    pub new_email: String,
    pub new_digest: Vec<u8>,
    expires_at: i64,
    new_confirmed_at: Option<i64>,
    old_confirmed_at: Option<i64>,
}

impl EmailChangeRow {
    pub const fn user(&self) -> UserId {
        UserId::from_uuid(self.user_id)
    }

    /// Confirmed at both addresses.
    pub const fn is_whole(&self) -> bool {
        self.new_confirmed_at.is_some() && self.old_confirmed_at.is_some()
    }

    pub fn change(self, from: &str) -> EmailChange {
        EmailChange {
            from: from.to_owned(),
            to: self.new_email,
            expires_at: UnixMs(self.expires_at),
            old_confirmed: self.old_confirmed_at.is_some(),
            new_confirmed: self.new_confirmed_at.is_some(),
        }
    }
}

/// A change of address that is asked for.
pub(super) struct NewEmailChange<'a> {
    pub new: &'a Email,
    pub new_digest: Vec<u8>,
    pub old_digest: Vec<u8>,
    pub now: UnixMs,
    pub until: UnixMs,
}

/// In place of the one that was asked for before.
pub(super) async fn upsert_email_change_unscoped(tx: &mut Tx, user: UserId, asked: &NewEmailChange<'_>) -> Result<()> {
    const SQL: &str = "INSERT INTO email_changes (user_id, new_email, new_digest, old_digest, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id) DO UPDATE SET new_email = $2, new_digest = $3, old_digest = $4, \
        created_at = $5, expires_at = $6, new_confirmed_at = NULL, old_confirmed_at = NULL";
    on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(asked.new.as_str()).bind(&asked.new_digest).bind(&asked.old_digest)
        .bind(asked.now.0).bind(asked.until.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn email_change_of_unscoped(tx: &mut Tx, user: UserId, now: UnixMs) -> Result<Option<EmailChangeRow>> {
    const SQL: &str = "SELECT user_id, new_email, new_digest, expires_at, new_confirmed_at, old_confirmed_at FROM email_changes \
        WHERE user_id = $1 AND expires_at > $2";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).bind(now.0).fetch_optional(c).await)?)
}

/// By the link at either address, while the account is in use.
pub(super) async fn email_change_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<Option<EmailChangeRow>> {
    const SQL: &str = "SELECT e.user_id, e.new_email, e.new_digest, e.expires_at, e.new_confirmed_at, e.old_confirmed_at \
        FROM email_changes e JOIN users u ON u.id = e.user_id \
        WHERE (e.new_digest = $1 OR e.old_digest = $1) AND e.expires_at > $2 AND u.disabled_at IS NULL";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).bind(now.0).fetch_optional(c).await)?)
}

/// Notes the confirmation at the address of the link; how it stands then.
pub(super) async fn confirm_email_change_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<Option<EmailChangeRow>> {
    const SQL: &str = "UPDATE email_changes SET \
        new_confirmed_at = CASE WHEN new_digest = $1 THEN COALESCE(new_confirmed_at, $2) ELSE new_confirmed_at END, \
        old_confirmed_at = CASE WHEN old_digest = $1 THEN COALESCE(old_confirmed_at, $2) ELSE old_confirmed_at END \
        WHERE (new_digest = $1 OR old_digest = $1) AND expires_at > $2 \
        AND EXISTS (SELECT u.id FROM users u WHERE u.id = email_changes.user_id AND u.disabled_at IS NULL) \
        RETURNING user_id, new_email, new_digest, expires_at, new_confirmed_at, old_confirmed_at";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).bind(now.0).fetch_optional(c).await)?)
}

/// False if none waited.
pub(super) async fn delete_email_change_unscoped(tx: &mut Tx, user: UserId) -> Result<bool> {
    const SQL: &str = "DELETE FROM email_changes WHERE user_id = $1";
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn sweep_email_changes_unscoped(tx: &mut Tx, now: UnixMs) -> Result<()> {
    on!(tx, c => sqlx::query("DELETE FROM email_changes WHERE expires_at <= $1").bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Its owner confirmed it by mail. False where another account has it.
pub(super) async fn set_email_unscoped(tx: &mut Tx, user: UserId, email: &str) -> Result<bool> {
    const SQL: &str =
        "UPDATE users SET email = $2, email_unproved = FALSE WHERE id = $1 AND NOT EXISTS (SELECT o.id FROM users o WHERE o.email = $2)";
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(email).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}
