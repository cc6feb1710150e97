//! Logins are found by their primary key, `logins_by_user` and `logins_by_expiry`; refresh tokens by their unique digest,
//! `refresh_tokens_by_login`, `refresh_tokens_by_parent` and `refresh_tokens_answered`; changes by their number and
//! `token_changes_by_time`; trials by `grants_of_trials`. Unscoped where nobody is known yet: a refresh token is found by its digest, as a session is.

use super::signing::SigningRow;
use crate::{
    Grant, Result,
    db::{Tx, on},
};
use contract::{AppId, GrantId, LoginId, ScopeSet, SessionSeen, UnixMs, UserId};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

/// A token or a login is worth nothing any more.
pub(super) const ENDED: &str = "ended";
/// An app is not what it was.
pub(super) const APP: &str = "app";
/// There is a new signing key.
pub(super) const SIGNING_KEY: &str = "signing_key";

#[derive(FromRow)]
pub(super) struct Change {
    pub seq: i64,
    kind: String,
    pub id: Uuid,
    pub at: i64,
}

impl Change {
    pub fn is_signing_key(&self) -> bool {
        self.kind == SIGNING_KEY
    }

    pub fn is_app(&self) -> bool {
        self.kind == APP
    }

    pub fn is_ended(&self) -> bool {
        self.kind == ENDED
    }
}

pub(super) async fn token_changes_unscoped(tx: &mut Tx, after: i64) -> Result<Vec<Change>> {
    const SQL: &str = "SELECT seq, kind, id, at FROM token_changes WHERE seq > $1 ORDER BY seq";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(after).fetch_all(c).await)?)
}

/// The number comes from a row that stays locked until the commit.
pub(super) async fn append_change_unscoped(tx: &mut Tx, kind: &str, id: Uuid, now: UnixMs) -> Result<()> {
    const NEXT: &str = "UPDATE counters SET value = value + 1 WHERE name = 'token_change' RETURNING value";
    const SQL: &str = "INSERT INTO token_changes (seq, kind, id, at) VALUES ($1, $2, $3, $4)";
    let seq: i64 = on!(tx, c => sqlx::query_scalar(NEXT).fetch_one(c).await)?;
    on!(tx, c => sqlx::query(SQL).bind(seq).bind(kind).bind(id).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Every key of an algorithm, oldest first.
pub(super) async fn signing_keys_unscoped(tx: &mut Tx, algorithm: &str) -> Result<Vec<SigningRow>> {
    const SQL: &str = "SELECT id, generation, sealed, created_at, signs_from FROM signing_keys WHERE algorithm = $1 ORDER BY generation";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(algorithm).fetch_all(c).await)?)
}

/// False when another process made this generation first.
pub(super) async fn insert_signing_key_unscoped(tx: &mut Tx, algorithm: &str, key: &SigningRow) -> Result<bool> {
    const SQL: &str = "INSERT INTO signing_keys (id, algorithm, generation, sealed, created_at, signs_from) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (algorithm, generation) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(key.id).bind(algorithm).bind(key.generation).bind(&key.sealed).bind(key.created_at).bind(key.signs_from)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// A login as it starts.
pub(crate) struct NewLogin<'a> {
    pub id: LoginId,
    pub user: UserId,
    pub client: &'a str,
    pub ip: Option<String>,
    pub user_agent: Option<&'a str>,
    pub expires_at: UnixMs,
    pub app: Option<AppLogin<'a>>,
}

/// What an app holds for its person.
pub(crate) struct AppLogin<'a> {
    pub app: AppId,
    pub grant: GrantId,
    pub scopes: &'a ScopeSet,
    pub audience: &'a str,
    pub auth_time: UnixMs,
}

/// Has the person signed in with a program of that name before, as far back as logins are kept?
pub(super) async fn has_used_unscoped(tx: &mut Tx, user: UserId, user_agent: Option<&str>) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM logins WHERE user_id = $1 AND app_id IS NULL AND COALESCE(user_agent, '') = $2";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(user.uuid()).bind(user_agent.unwrap_or_default()).fetch_one(c).await)?;
    Ok(n > 0)
}

pub(crate) async fn insert_login(tx: &mut Tx, grant: &Grant, login: &NewLogin<'_>, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO logins (tenant_id, id, user_id, client_id, ip, user_agent, created_at, expires_at, \
        app_id, grant_id, scopes, audience, auth_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let app = login.app.as_ref();
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(login.id.uuid()).bind(login.user.uuid()).bind(login.client)
        .bind(&login.ip).bind(login.user_agent).bind(now.0).bind(login.expires_at.0)
        .bind(app.map(|a| a.app.uuid())).bind(app.map(|a| a.grant.uuid())).bind(app.map(|a| Json(a.scopes)))
        .bind(app.map(|a| a.audience)).bind(app.map(|a| a.auth_time.0)).execute(c).await.map(drop))?;
    Ok(())
}

/// True exactly once.
pub(super) async fn end_login(tx: &mut Tx, grant: &Grant, login: LoginId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE logins SET ended_at = $3 WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(login.uuid()).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// A person's, whatever the tenant.
pub(super) async fn end_logins_unscoped(tx: &mut Tx, person: UserId, now: UnixMs) -> Result<Vec<Uuid>> {
    const SQL: &str = "UPDATE logins SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING id";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(person.uuid()).bind(now.0).fetch_all(c).await)?)
}

/// Of one member, or of everybody.
pub(super) async fn end_logins(tx: &mut Tx, grant: &Grant, person: Option<UserId>, now: UnixMs) -> Result<Vec<Uuid>> {
    const SQL: &str = "UPDATE logins SET ended_at = $3 WHERE tenant_id = $1 AND ($2 IS NULL OR user_id = $2) AND ended_at IS NULL \
        AND expires_at > $3 RETURNING id";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(person.map(UserId::uuid)).bind(now.0).fetch_all(c).await)?)
}

#[derive(FromRow)]
struct LoginRow {
    id: Uuid,
    tenant: String,
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: i64,
    last_seen_at: Option<i64>,
}

impl LoginRow {
    fn seen(self) -> SessionSeen {
        SessionSeen {
            id: LoginId::from_uuid(self.id).to_string(),
            current: false,
            api: true,
            tenant: Some(self.tenant),
            ip: self.ip,
            user_agent: self.user_agent,
            first_seen_at: UnixMs(self.created_at),
            last_seen_at: UnixMs(self.last_seen_at.unwrap_or(self.created_at)),
        }
    }
}

macro_rules! login {
    ($tail:literal) => {
        concat!(
            "SELECT l.id, t.name AS tenant, l.ip, l.user_agent, l.created_at, (SELECT MAX(r.created_at) FROM refresh_tokens r \
             WHERE r.tenant_id = l.tenant_id AND r.login_id = l.id) AS last_seen_at FROM logins l JOIN tenants t ON t.id = l.tenant_id \
             WHERE l.ended_at IS NULL AND l.app_id IS NULL AND l.expires_at > $1 AND l.user_id = $2",
            $tail
        )
    };
}

pub(super) async fn logins_of(tx: &mut Tx, grant: &Grant, person: UserId, now: UnixMs) -> Result<Vec<SessionSeen>> {
    const SQL: &str = login!(" AND l.tenant_id = $3");
    let rows: Vec<LoginRow> =
        on!(tx, c => sqlx::query_as(SQL).bind(now.0).bind(person.uuid()).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(LoginRow::seen).collect())
}

/// The same in every tenant.
pub(super) async fn logins_of_unscoped(tx: &mut Tx, person: UserId, now: UnixMs) -> Result<Vec<SessionSeen>> {
    const SQL: &str = login!("");
    let rows: Vec<LoginRow> = on!(tx, c => sqlx::query_as(SQL).bind(now.0).bind(person.uuid()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(LoginRow::seen).collect())
}

/// False if it is none of theirs, or has ended.
pub(super) async fn end_login_unscoped(tx: &mut Tx, person: UserId, login: LoginId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE logins SET ended_at = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(login.uuid()).bind(person.uuid()).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Logins that would last longer than this end earlier; which, and when.
pub(super) async fn shorten_logins(tx: &mut Tx, grant: &Grant, absolute: i64, now: UnixMs) -> Result<Vec<(Uuid, UnixMs)>> {
    const SQL: &str = "UPDATE logins SET expires_at = created_at + $2 WHERE tenant_id = $1 AND app_id IS NULL AND ended_at IS NULL \
        AND expires_at > $3 AND expires_at > created_at + $2 RETURNING id, expires_at";
    let rows: Vec<(Uuid, i64)> =
        on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(absolute).bind(now.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id, ends)| (id, UnixMs(ends))).collect())
}

/// How many logins that live began then or before.
pub(super) async fn logins_before(tx: &mut Tx, grant: &Grant, began: UnixMs, now: UnixMs) -> Result<i64> {
    const SQL: &str =
        "SELECT COUNT(*) FROM logins WHERE tenant_id = $1 AND app_id IS NULL AND ended_at IS NULL AND expires_at > $3 AND created_at <= $2";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(began.0).bind(now.0).fetch_one(c).await)?)
}

/// A refresh token with its login.
#[derive(FromRow)]
pub(super) struct Refresh {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub login_id: Uuid,
    pub user_id: Uuid,
    pub login_expires_at: i64,
    pub login_began: i64,
}

/// The token behind a digest, used or not, if its time is not over and its login lives.
pub(super) async fn find_refresh_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<Option<Refresh>> {
    const SQL: &str = "SELECT r.tenant_id, r.id, r.login_id, l.user_id, l.expires_at AS login_expires_at, l.created_at AS login_began \
        FROM refresh_tokens r JOIN logins l ON l.tenant_id = r.tenant_id AND l.id = r.login_id \
        WHERE r.digest = $1 AND l.app_id IS NULL AND l.ended_at IS NULL AND l.expires_at > $2 AND (r.used_at IS NOT NULL OR r.expires_at > $2)";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).bind(now.0).fetch_optional(c).await)?)
}

/// Those that came of a grant.
pub(super) async fn end_logins_of_grant(tx: &mut Tx, grant: &Grant, allowed: GrantId, now: UnixMs) -> Result<Vec<Uuid>> {
    const SQL: &str =
        "UPDATE logins SET ended_at = $3 WHERE tenant_id = $1 AND grant_id = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING id";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(allowed.uuid()).bind(now.0).fetch_all(c).await)?)
}

/// A refresh token of an app with its login.
#[derive(FromRow)]
pub(crate) struct AppRefresh {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub login_id: Uuid,
    pub user_id: Uuid,
    pub app_id: Uuid,
    pub scopes: Json<ScopeSet>,
    pub audience: String,
    pub auth_time: i64,
    pub expires_at: i64,
    pub created_at: i64,
    pub used: bool,
}

/// The token behind a digest, used or not, if its time is not over, and its login and grant stand.
pub(crate) async fn find_app_refresh_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<Option<AppRefresh>> {
    const SQL: &str = "SELECT r.tenant_id, r.id, r.login_id, l.user_id, l.app_id, l.scopes, l.audience, l.auth_time, \
        l.expires_at, l.created_at, (r.used_at IS NOT NULL) AS used FROM refresh_tokens r JOIN logins l ON l.tenant_id = r.tenant_id AND l.id = r.login_id \
        JOIN grants g ON g.tenant_id = l.tenant_id AND g.id = l.grant_id \
        WHERE r.digest = $1 AND l.app_id IS NOT NULL AND l.ended_at IS NULL AND l.expires_at > $2 AND g.revoked_at IS NULL";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).bind(now.0).fetch_optional(c).await)?)
}

/// A refresh token as it is made.
pub(super) struct NewRefresh<'a> {
    pub id: Uuid,
    pub login: LoginId,
    pub parent: Option<Uuid>,
    pub digest: &'a [u8],
    pub expires_at: UnixMs,
}

pub(super) async fn insert_refresh(tx: &mut Tx, grant: &Grant, token: &NewRefresh<'_>, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO refresh_tokens (tenant_id, id, login_id, parent_id, digest, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(token.id).bind(token.login.uuid()).bind(token.parent)
        .bind(token.digest).bind(now.0).bind(token.expires_at.0).execute(c).await.map(drop))?;
    Ok(())
}

/// True exactly once, and only while the login lives.
pub(crate) async fn use_refresh(tx: &mut Tx, grant: &Grant, id: Uuid, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE refresh_tokens SET used_at = $3 WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND EXISTS \
        (SELECT 1 FROM logins l WHERE l.tenant_id = $1 AND l.id = refresh_tokens.login_id AND l.ended_at IS NULL)";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(crate) async fn keep_answer(tx: &mut Tx, grant: &Grant, id: Uuid, sealed: &[u8]) -> Result<()> {
    const SQL: &str = "UPDATE refresh_tokens SET answer = $3 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(sealed).execute(c).await.map(drop))?;
    Ok(())
}

/// The answer to a use since then, unless its successor was used or the login ended.
pub(crate) async fn answer(tx: &mut Tx, grant: &Grant, id: Uuid, since: UnixMs) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "SELECT r.answer FROM refresh_tokens r JOIN logins l ON l.tenant_id = r.tenant_id AND l.id = r.login_id \
        WHERE r.tenant_id = $1 AND r.id = $2 AND r.used_at >= $3 AND r.answer IS NOT NULL AND l.ended_at IS NULL AND NOT EXISTS \
        (SELECT 1 FROM refresh_tokens s WHERE s.tenant_id = r.tenant_id AND s.parent_id = r.id AND s.used_at IS NOT NULL)";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(since.0).fetch_optional(c).await)?)
}

/// Before when what is forgotten was made, or used.
pub(super) struct Before {
    /// Changes.
    pub over: UnixMs,
    /// Refresh tokens, whose answers were kept.
    pub answered: UnixMs,
    /// What was allowed to try apps.
    pub tried: UnixMs,
}

/// Forgets logins that are over, changes that no living token could be touched by, answers that were kept long enough, and
/// trials, finished or not: their codes and logins are over long before them.
pub(super) async fn sweep_unscoped(tx: &mut Tx, now: UnixMs, before: &Before) -> Result<()> {
    const ANSWERS: &str = "UPDATE refresh_tokens SET answer = NULL WHERE answer IS NOT NULL AND used_at < $1";
    const CODES: &str = "DELETE FROM authorization_codes WHERE expires_at <= $1 AND NOT EXISTS (SELECT 1 FROM logins l \
        WHERE l.tenant_id = authorization_codes.tenant_id AND l.id = authorization_codes.login_id AND l.expires_at > $1)";
    const ASSERTIONS: &str = "DELETE FROM client_assertions WHERE expires_at <= $1";
    const REQUESTS: &str = "DELETE FROM authorization_requests WHERE expires_at <= $1";
    const TOKENS: &str = "DELETE FROM refresh_tokens WHERE EXISTS (SELECT 1 FROM logins l \
        WHERE l.tenant_id = refresh_tokens.tenant_id AND l.id = refresh_tokens.login_id AND l.expires_at <= $1)";
    const LOGINS: &str = "DELETE FROM logins WHERE expires_at <= $1";
    const TRIALS: &str = "DELETE FROM grants WHERE trial AND created_at <= $1 AND NOT EXISTS (SELECT 1 FROM authorization_codes c \
        WHERE c.tenant_id = grants.tenant_id AND c.grant_id = grants.id) \
        AND NOT EXISTS (SELECT 1 FROM logins l WHERE l.tenant_id = grants.tenant_id AND l.grant_id = grants.id)";
    // Who was away for longer has to hear of apps and signing keys all the same.
    const CHANGES: &str = "DELETE FROM token_changes WHERE at <= $1 AND kind = 'ended'";
    let all = [
        (ANSWERS, before.answered),
        (CODES, now),
        (REQUESTS, now),
        (ASSERTIONS, now),
        (TOKENS, now),
        (LOGINS, now),
        (TRIALS, before.tried),
        (CHANGES, before.over),
    ];
    for (sql, until) in all {
        on!(tx, c => sqlx::query(sql).bind(until.0).execute(c).await.map(drop))?;
    }
    Ok(())
}
