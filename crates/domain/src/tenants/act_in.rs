//! Platform admins act in other tenants; both tenants are told (s67).

use super::sql;
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, commit_with},
};
use contract::{ErrorCode, Target, TenantId};

/// The caller in the tenant that `X-Tenant-ID` names. Their own is nothing new; any other one is for platform admins,
/// and the logs of both tenants say that they came. Forbidden to everybody else, whether the tenant exists or not.
pub async fn act_in(ctx: &Ctx, wanted: &str) -> Result<Ctx> {
    if ctx.tenant_id().is_some_and(|own| own.to_string() == wanted) {
        return Ok(ctx.clone());
    }
    if !ctx.is_platform() {
        return Err(Error::Refused(ErrorCode::Forbidden, "The credential belongs to another tenant".to_owned()));
    }
    let id: TenantId = wanted.parse().map_err(|_| Error::NotFound)?;
    let mut tx = ctx.db().begin().await?;
    let name = sql::name_unscoped(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let there = ctx.acting_in(id);
    let target = Target { kind: "tenant".to_owned(), id: id.to_string(), name };
    let entered = || Event { action: "tenant.entered", target: target.clone(), reason: None, before: None, after: None };
    commit_with(tx, ctx, vec![(Grant::of_caller(ctx)?, entered()), (Grant::of_caller(&there)?, entered())]).await?;
    Ok(there)
}
