//! Platform admins act in other tenants; both tenants are told (s67).

use super::{manage::target, sql};
use crate::{
    Ctx, Error, Grant, Result, Who,
    db::{Event, commit_with},
};
use contract::{ErrorCode, Tenant, TenantId, TenantState};

/// What everybody else is told.
pub const ELSEWHERE: &str = "`X-Tenant-ID` names another tenant than the credential’s: only platform admins act elsewhere. Leave it out, or send a credential of that tenant.";

/// The caller in the tenant that `X-Tenant-ID` names. Their own is nothing new; any other one is for platform admins,
/// and the logs of both tenants say that they came. Forbidden to everybody else, whether the tenant exists or not.
pub async fn act_in(ctx: &Ctx, wanted: &str) -> Result<Ctx> {
    enter(ctx, wanted, |_| true).await
}

/// The same for what lies behind a gateway: nobody enters a tenant that is out of use (s22).
pub(crate) async fn act_in_use(ctx: &Ctx, wanted: &str) -> Result<Ctx> {
    enter(ctx, wanted, |tenant| tenant.state == TenantState::Active).await
}

async fn enter(ctx: &Ctx, wanted: &str, open: fn(&Tenant) -> bool) -> Result<Ctx> {
    if ctx.tenant_id().is_some_and(|own| own.to_string() == wanted) {
        return Ok(ctx.clone());
    }
    ctx.enrolled()?;
    // A gateway asks about its clients, whose tenants it enters for them.
    let may = if matches!(ctx.who(), Who::Key(_)) { ctx.is_platform() } else { ctx.operates() };
    if !may {
        return Err(Error::Refused(ErrorCode::Forbidden, ELSEWHERE.to_owned()));
    }
    let id: TenantId = wanted.parse().map_err(|_| Error::NotFound)?;
    let mut tx = ctx.db().begin_all().await?;
    let tenant = sql::find_unscoped(&mut tx, id).await?.filter(open).ok_or(Error::NotFound)?;
    let there = ctx.acting_in(id);
    let entered = || Event { action: "tenant.entered", target: target(&tenant), reason: None, before: None, after: None };
    commit_with(tx, ctx, vec![(Grant::of_caller(ctx)?, entered()), (Grant::of_caller(&there)?, entered())]).await?;
    Ok(there)
}
