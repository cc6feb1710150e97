//! People and invitations of a tenant: relies on the primary keys, on `members_by_user`, `api_keys_by_owner`, `apps_by_owner`,
//! `invitations_open` and the unique `invitations.digest` and `invitations_by_mail`. Unscoped where a link, or an account, is all that is known.

use crate::{
    Error, Grant, Result,
    db::{Tx, on},
};
use contract::{Email, Invitation, InvitationId, InvitationState, Member, PageQuery, Role, TenantId, UnixMs, UserId};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
struct MemberRow {
    id: Uuid,
    email: String,
    role: String,
    created_at: i64,
    disabled_at: Option<i64>,
    email_unproved: bool,
    keys: i64,
}

impl MemberRow {
    fn member(self) -> Result<Member> {
        Ok(Member {
            id: UserId::from_uuid(self.id),
            email: self.email,
            email_proved: !self.email_unproved,
            role: role(&self.role)?,
            joined_at: UnixMs(self.created_at),
            disabled: self.disabled_at.is_some(),
            keys: self.keys,
        })
    }
}

fn role(text: &str) -> Result<Role> {
    text.parse().map_err(|()| Error::internal("unknown role"))
}

macro_rules! member {
    ($tail:literal) => {
        concat!(
            "SELECT m.user_id AS id, u.email, u.email_unproved, m.role, m.created_at, u.disabled_at, \
             (SELECT COUNT(*) FROM api_keys k WHERE k.tenant_id = m.tenant_id AND k.owner_id = m.user_id AND k.revoked_at IS NULL) AS keys \
             FROM members m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1 AND ",
            $tail
        )
    };
}

/// One row more than a page.
pub(super) async fn list(tx: &mut Tx, grant: &Grant, page: PageQuery) -> Result<Vec<Member>> {
    const SQL: &str = member!("m.user_id < $2 ORDER BY m.user_id DESC LIMIT $3");
    let rows: Vec<MemberRow> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(page.before())
        .bind(i64::from(page.bounded()) + 1).fetch_all(c).await)?;
    rows.into_iter().map(MemberRow::member).collect()
}

pub(super) async fn find(tx: &mut Tx, grant: &Grant, id: UserId) -> Result<Option<Member>> {
    const SQL: &str = member!("m.user_id = $2");
    let row: Option<MemberRow> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).fetch_optional(c).await)?;
    row.map(MemberRow::member).transpose()
}

pub(super) async fn is_member(tx: &mut Tx, grant: &Grant, email: &Email) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1 AND u.email = $2";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(email.as_str()).fetch_one(c).await)?;
    Ok(n > 0)
}

pub(super) async fn tenant_name(tx: &mut Tx, grant: &Grant) -> Result<String> {
    const SQL: &str = "SELECT name FROM tenants WHERE id = $1";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

/// Who belongs to the tenant changes for one writer at a time: who was counted stays counted until the commit.
pub(super) async fn lock(tx: &mut Tx, grant: &Grant) -> Result<()> {
    const SQL: &str = "UPDATE tenants SET name = name WHERE id = $1";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).execute(c).await.map(drop))?;
    Ok(())
}

/// Owners whose accounts are in use, but for one person.
pub(super) async fn other_owners(tx: &mut Tx, grant: &Grant, but: UserId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.tenant_id = $1 AND m.role = 'owner' AND m.user_id <> $2 AND u.disabled_at IS NULL";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(but.uuid()).fetch_one(c).await)?)
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, user: UserId, role: Role, now: UnixMs) -> Result<bool> {
    const SQL: &str = "INSERT INTO members (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant_id, user_id) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(role.as_str()).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn set_role(tx: &mut Tx, grant: &Grant, user: UserId, role: Role) -> Result<()> {
    const SQL: &str = "UPDATE members SET role = $3 WHERE tenant_id = $1 AND user_id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(role.as_str()).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, grant: &Grant, user: UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM members WHERE tenant_id = $1 AND user_id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

/// Switches an account off, or on again; false when it was so already.
pub(super) async fn set_disabled_unscoped(tx: &mut Tx, user: UserId, at: Option<UnixMs>) -> Result<bool> {
    const OFF: &str = "UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    const ON: &str = "UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL";
    let n = match at {
        Some(at) => on!(tx, c => sqlx::query(OFF).bind(user.uuid()).bind(at.0).execute(c).await.map(|r| r.rows_affected()))?,
        None => on!(tx, c => sqlx::query(ON).bind(user.uuid()).execute(c).await.map(|r| r.rows_affected()))?,
    };
    Ok(n == 1)
}

/// A tenant that an account belongs to, and whether somebody else owns it.
#[derive(FromRow)]
pub(super) struct Belongs {
    tenant_id: Uuid,
    pub owned: bool,
}

impl Belongs {
    pub const fn tenant_id(&self) -> TenantId {
        TenantId::from_uuid(self.tenant_id)
    }
}

/// Every tenant that an account belongs to, in use or not, and whether `other` is an owner of it.
pub(super) async fn belongs_unscoped(tx: &mut Tx, user: UserId, other: UserId) -> Result<Vec<Belongs>> {
    const SQL: &str = "SELECT m.tenant_id, EXISTS (SELECT 1 FROM members o WHERE o.tenant_id = m.tenant_id AND o.user_id = $2 \
        AND o.role = 'owner') AS owned FROM members m WHERE m.user_id = $1 ORDER BY m.tenant_id";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).bind(other.uuid()).fetch_all(c).await)?)
}

/// Where an account works or answers for keys or apps.
pub(super) async fn tenants_of_unscoped(tx: &mut Tx, user: UserId) -> Result<Vec<TenantId>> {
    const SQL: &str = "SELECT tenant_id FROM members WHERE user_id = $1 UNION SELECT tenant_id FROM api_keys WHERE owner_id = $1 \
        UNION SELECT tenant_id FROM apps WHERE owner_id = $1";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(user.uuid()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

#[derive(FromRow)]
struct InvitationRow {
    id: Uuid,
    email: String,
    role: String,
    created_at: i64,
    created_by: String,
    expires_at: i64,
    accepted_at: Option<i64>,
    withdrawn_at: Option<i64>,
}

impl InvitationRow {
    fn invitation(self, now: UnixMs) -> Result<Invitation> {
        let state = match (self.accepted_at, self.withdrawn_at) {
            (Some(_), _) => InvitationState::Accepted,
            (None, Some(_)) => InvitationState::Withdrawn,
            (None, None) if self.expires_at <= now.0 => InvitationState::Expired,
            (None, None) => InvitationState::Open,
        };
        Ok(Invitation {
            id: InvitationId::from_uuid(self.id),
            email: self.email,
            role: role(&self.role)?,
            state,
            created_at: UnixMs(self.created_at),
            created_by: self.created_by,
            expires_at: UnixMs(self.expires_at),
        })
    }
}

macro_rules! invitation {
    ($tail:literal) => {
        concat!("SELECT id, email, role, created_at, created_by, expires_at, accepted_at, withdrawn_at FROM invitations WHERE ", $tail)
    };
}

/// One row more than a page; only those whose link may still work, if so asked.
pub(super) async fn invitations(tx: &mut Tx, grant: &Grant, open: bool, page: PageQuery, now: UnixMs) -> Result<Vec<Invitation>> {
    const ALL: &str = invitation!("tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    const OPEN: &str = invitation!("tenant_id = $1 AND id < $2 AND accepted_at IS NULL AND withdrawn_at IS NULL ORDER BY id DESC LIMIT $3");
    let sql = if open { OPEN } else { ALL };
    let rows: Vec<InvitationRow> = on!(tx, c => sqlx::query_as(sql).bind(grant.tenant_id().uuid()).bind(page.before())
        .bind(i64::from(page.bounded()) + 1).fetch_all(c).await)?;
    rows.into_iter().map(|row| row.invitation(now)).collect()
}

pub(super) async fn invitation(tx: &mut Tx, grant: &Grant, id: InvitationId, now: UnixMs) -> Result<Option<Invitation>> {
    const SQL: &str = invitation!("tenant_id = $1 AND id = $2");
    let row: Option<InvitationRow> =
        on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).fetch_optional(c).await)?;
    row.map(|row| row.invitation(now)).transpose()
}

pub(super) async fn open_invitations(tx: &mut Tx, grant: &Grant) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM invitations WHERE tenant_id = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

pub(super) async fn insert_invitation(
    tx: &mut Tx,
    grant: &Grant,
    invitation: &Invitation,
    [shown, mailed]: &[Vec<u8>; 2],
    by: Option<UserId>,
) -> Result<()> {
    const SQL: &str = "INSERT INTO invitations (tenant_id, id, digest, mail_digest, email, role, created_at, created_by, created_by_id, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let i = invitation;
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(i.id.uuid()).bind(shown).bind(mailed).bind(&i.email).bind(i.role.as_str())
        .bind(i.created_at.0).bind(&i.created_by).bind(by.map(UserId::uuid)).bind(i.expires_at.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes one invitation back; false when it is not open.
pub(super) async fn withdraw(tx: &mut Tx, grant: &Grant, id: InvitationId, now: UnixMs) -> Result<bool> {
    const SQL: &str =
        "UPDATE invitations SET withdrawn_at = $3 WHERE tenant_id = $1 AND id = $2 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Takes back whatever invites this address.
pub(super) async fn withdraw_for(tx: &mut Tx, grant: &Grant, email: &Email, now: UnixMs) -> Result<()> {
    const SQL: &str =
        "UPDATE invitations SET withdrawn_at = $3 WHERE tenant_id = $1 AND email = $2 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(email.as_str()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes back what a person invited.
pub(super) async fn withdraw_by(tx: &mut Tx, grant: &Grant, user: UserId, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE invitations SET withdrawn_at = $3 WHERE tenant_id = $1 AND created_by_id = $2 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

/// What a link leads to: the invitation, its tenant, and the account of its address.
#[derive(FromRow)]
pub(super) struct Linked {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub tenant: String,
    pub email: String,
    role: String,
    pub created_by: String,
    pub expires_at: i64,
    pub user_id: Option<Uuid>,
    pub user_disabled_at: Option<i64>,
    /// It is the link that was mailed, which nobody else saw.
    pub mailed: bool,
    /// In how many tenants that are in use the account works.
    pub memberships: i64,
}

impl Linked {
    pub fn role(&self) -> Result<Role> {
        role(&self.role)
    }
}

/// The open invitation behind a token's digest, of a tenant that is in use.
pub(super) async fn linked_unscoped(tx: &mut Tx, digest: &[u8], now: UnixMs) -> Result<Option<Linked>> {
    const SQL: &str = "SELECT i.tenant_id, i.id, t.name AS tenant, i.email, i.role, i.created_by, i.expires_at, u.id AS user_id, \
        u.disabled_at AS user_disabled_at, i.digest <> $1 AS mailed, (SELECT COUNT(*) FROM members m JOIN tenants o ON o.id = m.tenant_id \
        WHERE m.user_id = u.id AND o.suspended_at IS NULL AND o.deleted_at IS NULL) AS memberships \
        FROM invitations i JOIN tenants t ON t.id = i.tenant_id LEFT JOIN users u ON u.email = i.email \
        WHERE (i.digest = $1 OR i.mail_digest = $1) AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > $2 \
        AND t.suspended_at IS NULL AND t.deleted_at IS NULL";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).bind(now.0).fetch_optional(c).await)?)
}

/// True exactly once.
pub(super) async fn accept(tx: &mut Tx, grant: &Grant, id: Uuid, now: UnixMs) -> Result<bool> {
    const SQL: &str =
        "UPDATE invitations SET accepted_at = $3 WHERE tenant_id = $1 AND id = $2 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id).bind(now.0).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}
