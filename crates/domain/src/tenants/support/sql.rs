//! Support access: relies on the primary key; there are few in a tenant.

use crate::{
    Error, Grant, Result,
    db::{Tx, on},
};
use contract::{SupportAccess, SupportId, UnixMs, UserId};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    email: String,
    role: String,
    reason: String,
    note: String,
    created_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
}

impl Row {
    fn access(self) -> Result<SupportAccess> {
        let damaged = |()| Error::internal("a stored access cannot be read");
        Ok(SupportAccess {
            id: SupportId::from_uuid(self.id),
            email: self.email,
            role: self.role.parse().map_err(damaged)?,
            reason: self.reason.parse().map_err(damaged)?,
            note: self.note,
            created_at: UnixMs(self.created_at),
            expires_at: UnixMs(self.expires_at),
            ended_at: self.ended_at.map(UnixMs),
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, access: &SupportAccess, user: UserId) -> Result<()> {
    const SQL: &str = "INSERT INTO support_access (tenant_id, id, user_id, role, reason, note, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(access.id.uuid()).bind(user.uuid()).bind(access.role.as_str())
        .bind(access.reason.as_str()).bind(&access.note).bind(access.created_at.0).bind(access.expires_at.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn list(tx: &mut Tx, grant: &Grant) -> Result<Vec<SupportAccess>> {
    const SQL: &str = "SELECT s.id, u.email, s.role, s.reason, s.note, s.created_at, s.expires_at, s.ended_at FROM support_access s \
        JOIN users u ON u.id = s.user_id WHERE s.tenant_id = $1 ORDER BY s.id DESC LIMIT 50";
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    rows.into_iter().map(Row::access).collect()
}

/// Ends what is open: one access, or those of one operator. Whose it was; none if nothing was open.
pub(super) async fn end(tx: &mut Tx, grant: &Grant, id: Option<SupportId>, user: Option<UserId>, now: UnixMs) -> Result<Option<UserId>> {
    const SQL: &str = "UPDATE support_access SET ended_at = $4 WHERE tenant_id = $1 AND ($2 IS NULL OR id = $2) \
        AND ($3 IS NULL OR user_id = $3) AND ended_at IS NULL AND expires_at > $4 RETURNING user_id";
    let users: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(id.map(SupportId::uuid))
        .bind(user.map(UserId::uuid)).bind(now.0).fetch_all(c).await)?;
    Ok(users.first().copied().map(UserId::from_uuid))
}

pub(super) async fn is_member(tx: &mut Tx, grant: &Grant, user: UserId) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM members WHERE tenant_id = $1 AND user_id = $2";
    let n: i64 = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).fetch_one(c).await)?;
    Ok(n > 0)
}
