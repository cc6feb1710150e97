//! People and memberships: relies on the unique `users.email` and on `members_by_user`. Unscoped where nobody is
//! known yet: a sign-in finds its person by address, a session its membership by both ids.

use super::SignedIn;
use crate::{
    Error, Grant, Result,
    ctx::Person,
    db::{Tx, on},
};
use contract::{Email, Policies, Role, TenantId, UnixMs, UserId};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

/// A second step further ahead of this clock than this was taken by one that was wrong, milliseconds.
const AHEAD: i64 = 10 * 60_000;

#[derive(FromRow)]
pub(super) struct User {
    pub id: Uuid,
    pub password_hash: String,
    pub disabled_at: Option<i64>,
    pub epoch: i64,
}

#[derive(FromRow)]
pub(super) struct Membership {
    tenant_id: Uuid,
    user_id: Uuid,
    email: String,
    role: String,
    platform_admin: bool,
    supporting: bool,
    policies: Json<Policies>,
    /// Second factors that count: one or none.
    factors: i64,
}

impl Membership {
    pub const fn tenant_id(&self) -> TenantId {
        TenantId::from_uuid(self.tenant_id)
    }

    pub const fn has_second_factor(&self) -> bool {
        self.factors > 0
    }

    pub fn person(self) -> Result<Person> {
        Ok(Person {
            user_id: UserId::from_uuid(self.user_id),
            email: self.email,
            tenant_id: TenantId::from_uuid(self.tenant_id),
            role: self.role.parse::<Role>().map_err(|()| Error::internal("unknown role"))?,
            platform_admin: self.platform_admin,
            supporting: self.supporting,
            must_enrol: self.policies.0.require_second_factor && self.factors == 0,
        })
    }
}

macro_rules! membership {
    ($tail:literal) => {
        concat!(
            "SELECT m.tenant_id, m.user_id, u.email, m.role, u.platform_admin, FALSE AS supporting, t.policies, \
             (SELECT COUNT(*) FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS factors FROM members m JOIN users u ON u.id = m.user_id \
             JOIN tenants t ON t.id = m.tenant_id \
             WHERE u.disabled_at IS NULL AND t.suspended_at IS NULL AND t.deleted_at IS NULL AND m.user_id = $1 ",
            $tail
        )
    };
}

pub(super) async fn find_user_unscoped(tx: &mut Tx, email: &Email) -> Result<Option<User>> {
    const SQL: &str = "SELECT id, password_hash, disabled_at, epoch FROM users WHERE email = $1";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(email.as_str()).fetch_optional(c).await)?)
}

pub(super) async fn epoch_unscoped(tx: &mut Tx, user: UserId) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT epoch FROM users WHERE id = $1").bind(user.uuid()).fetch_one(c).await)?)
}

/// Whatever was being signed in to an account opens nothing any more; nothing is, until the commit.
pub(super) async fn raise_epoch_unscoped(tx: &mut Tx, user: UserId) -> Result<()> {
    on!(tx, c => sqlx::query("UPDATE users SET epoch = epoch + 1 WHERE id = $1").bind(user.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

/// The same for everybody who works in the grant's tenant, by their ids: of two that do this at once, one waits.
pub(super) async fn raise_epochs(tx: &mut Tx, grant: &Grant) -> Result<()> {
    const SQL: &str = "SELECT id FROM users WHERE id IN (SELECT user_id FROM members WHERE tenant_id = $1 \
        UNION SELECT user_id FROM support_access WHERE tenant_id = $1 AND ended_at IS NULL) ORDER BY id";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    for id in ids {
        raise_epoch_unscoped(tx, UserId::from_uuid(id)).await?;
    }
    Ok(())
}

/// An account that is held.
#[derive(FromRow)]
pub(crate) struct Account {
    pub email: String,
    pub platform_admin: bool,
    /// It was not switched off.
    pub in_use: bool,
}

/// Holds an account until the commit: it is not switched off or on, joins no tenant, and its standing stays.
pub(crate) async fn hold_unscoped(tx: &mut Tx, user: UserId) -> Result<Option<Account>> {
    const SQL: &str = "UPDATE users SET epoch = epoch WHERE id = $1 RETURNING email, platform_admin, disabled_at IS NULL AS in_use";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).fetch_optional(c).await)?)
}

/// The same if nothing has ended its sign-ins since the epoch, and no second step was taken by that sign-in or a later one.
pub(super) async fn admit_unscoped(tx: &mut Tx, user: UserId, epoch: i64, second_step: Option<Uuid>, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE users SET second_step = COALESCE($3, second_step) \
        WHERE id = $1 AND epoch = $2 AND disabled_at IS NULL AND ($3 IS NULL OR second_step IS NULL OR second_step < $3 OR second_step > $4)";
    // One of a clock that was ahead keeps nobody out.
    let ahead = Uuid::from_u128(u128::from(now.plus(AHEAD).0.unsigned_abs()) << 80);
    let n = on!(tx, c => sqlx::query(SQL).bind(user.uuid()).bind(epoch).bind(second_step).bind(ahead)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// An account as a member of each of its tenants, the oldest first.
pub(super) async fn people_unscoped(tx: &mut Tx, user: UserId) -> Result<Vec<Membership>> {
    const SQL: &str = membership!("ORDER BY m.created_at, m.tenant_id");
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).fetch_all(c).await)?)
}

/// As a member, or as an operator whose access to the tenant is open: there they are what the access says, and no more.
pub(super) async fn membership_unscoped(tx: &mut Tx, who: SignedIn, now: UnixMs) -> Result<Option<Membership>> {
    const MEMBER: &str = membership!("AND m.tenant_id = $2");
    const OPERATOR: &str = "SELECT s.tenant_id, s.user_id, u.email, s.role, FALSE AS platform_admin, TRUE AS supporting, t.policies, \
        (SELECT COUNT(*) FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS factors \
        FROM support_access s JOIN users u ON u.id = s.user_id JOIN tenants t ON t.id = s.tenant_id \
        WHERE u.disabled_at IS NULL AND u.platform_admin AND t.suspended_at IS NULL AND t.deleted_at IS NULL \
        AND s.user_id = $1 AND s.tenant_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3";
    let (user, tenant) = (who.user_id.uuid(), who.tenant_id.uuid());
    let member = on!(tx, c => sqlx::query_as(MEMBER).bind(user).bind(tenant).fetch_optional(c).await)?;
    if member.is_some() {
        return Ok(member);
    }
    Ok(on!(tx, c => sqlx::query_as(OPERATOR).bind(user).bind(tenant).bind(now.0).fetch_optional(c).await)?)
}

/// Tenants that an account belongs to and that are out of use, by name: whether deleted, and why.
pub(super) async fn closed_unscoped(tx: &mut Tx, user: UserId) -> Result<Vec<(String, bool, Option<String>)>> {
    const SQL: &str = "SELECT t.name, t.deleted_at IS NOT NULL AS deleted, t.closed_reason FROM members m JOIN tenants t ON t.id = m.tenant_id \
        WHERE m.user_id = $1 AND (t.suspended_at IS NOT NULL OR t.deleted_at IS NOT NULL) ORDER BY t.name, t.id";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).fetch_all(c).await)?)
}

/// Tenants that an account belongs to and that require a second factor, by name.
pub(super) async fn requiring_unscoped(tx: &mut Tx, user: UserId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT t.name, t.policies FROM members m JOIN tenants t ON t.id = m.tenant_id \
        WHERE m.user_id = $1 AND t.deleted_at IS NULL ORDER BY t.name";
    let rows: Vec<(String, Json<Policies>)> = on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).fetch_all(c).await)?;
    Ok(rows.into_iter().filter(|(_, policies)| policies.0.require_second_factor).map(|(name, _)| name).collect())
}

/// Every tenant in use that an account works in, the first one first; then those that it supports for a while.
pub(super) async fn memberships_unscoped(tx: &mut Tx, user: UserId, now: UnixMs) -> Result<Vec<contract::Membership>> {
    const SQL: &str = "SELECT t.id, t.name, m.role, NULL AS until, m.created_at AS since FROM members m \
        JOIN tenants t ON t.id = m.tenant_id WHERE m.user_id = $1 AND t.suspended_at IS NULL AND t.deleted_at IS NULL \
        UNION ALL SELECT t.id, t.name, s.role, s.expires_at, s.created_at FROM support_access s JOIN tenants t ON t.id = s.tenant_id \
        WHERE s.user_id = $1 AND t.suspended_at IS NULL AND t.deleted_at IS NULL AND s.ended_at IS NULL AND s.expires_at > $2 \
        ORDER BY 5, 1";
    let rows: Vec<(Uuid, String, String, Option<i64>, i64)> =
        on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).bind(now.0).fetch_all(c).await)?;
    let read = |(id, name, role, until, _): (Uuid, String, String, Option<i64>, i64)| {
        let role = role.parse().map_err(|()| Error::internal("unknown role"))?;
        Ok(contract::Membership { id: TenantId::from_uuid(id), name, role, until: until.map(UnixMs) })
    };
    rows.into_iter().map(read).collect()
}

pub(super) async fn users_unscoped(tx: &mut Tx) -> Result<i64> {
    Ok(on!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(c).await)?)
}

pub(super) async fn insert_user_unscoped(
    tx: &mut Tx,
    id: UserId,
    email: &Email,
    hash: &str,
    platform_admin: bool,
    now: UnixMs,
) -> Result<()> {
    const SQL: &str = "INSERT INTO users (id, email, password_hash, platform_admin, created_at) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, c => sqlx::query(SQL).bind(id.uuid()).bind(email.as_str()).bind(hash).bind(platform_admin).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert_member(tx: &mut Tx, grant: &Grant, user: UserId, role: Role, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO members (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(role.as_str()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert_setup_link_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs, expires_at: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO setup_links (digest, created_at, expires_at) VALUES ($1, $2, $3)";
    on!(tx, c => sqlx::query("DELETE FROM setup_links WHERE used_at IS NULL").execute(c).await.map(drop))?;
    on!(tx, c => sqlx::query(SQL).bind(digest).bind(now.0).bind(expires_at.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Is the link good? Asked before the password is hashed; used up only in the transaction that makes the tenant.
pub(super) async fn setup_link_is_open_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM setup_links WHERE digest = $1 AND used_at IS NULL AND expires_at > $2";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(digest).bind(now.0).fetch_one(c).await)?;
    Ok(n == 1)
}

/// True exactly once.
pub(super) async fn use_setup_link_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE setup_links SET used_at = $2 WHERE digest = $1 AND used_at IS NULL AND expires_at > $2";
    let n = on!(tx, c => sqlx::query(SQL).bind(digest).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}
