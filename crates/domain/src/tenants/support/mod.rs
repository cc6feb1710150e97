//! Support access: an operator of the installation works in a tenant for some hours. The tenant's people see who, why
//! and until when, and can end it; everything done meanwhile stands in their audit log under the operator's name.

mod sql;

use super::manage::{in_both, lock, of_platform, target};
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, commit_with},
    identity,
    keys::scan::refuse_keys,
    members,
};
use contract::{ErrorCode, Perm, SupportAccess, SupportForm, SupportId, TenantId, TenantState};

/// One hour, in milliseconds.
const HOUR: i64 = 3_600_000;

/// Lets the operator who asks work in a tenant. An earlier access of theirs there ends.
pub async fn open_support(ctx: &Ctx, id: TenantId, form: &SupportForm) -> Result<SupportAccess> {
    let grant = of_platform(ctx, id)?;
    let only_people = || Error::Refused(ErrorCode::Forbidden, "Only people enter a tenant: a key names it in X-Tenant-ID".to_owned());
    let person = ctx.person().ok_or_else(only_people)?;
    ctx.fresh()?;
    let asked = form.parse()?;
    refuse_keys("note", &asked.note)?;
    let now = ctx.now();
    let mut tx = ctx.db().begin_all().await?;
    let tenant = lock(ctx, &mut tx, &grant, |by| of_platform(by, id)).await?;
    if tenant.state != TenantState::Active {
        return Err(Error::Conflict(format!("{} is {}: resume it first", tenant.name, tenant.state)));
    }
    if sql::is_member(&mut tx, &grant, person.user_id).await? {
        return Err(Error::Conflict(format!("You are a member of {} already: go there", tenant.name)));
    }
    sql::end(&mut tx, &grant, None, Some(person.user_id), now).await?;
    let access = SupportAccess {
        id: SupportId::from_uuid(ctx.new_uuid()),
        email: person.email.clone(),
        role: asked.role,
        reason: asked.reason,
        note: asked.note,
        created_at: now,
        expires_at: now.plus(asked.hours * HOUR),
        ended_at: None,
    };
    sql::insert(&mut tx, &grant, &access, person.user_id).await?;
    let event = Event {
        action: "support.opened",
        target: target(&tenant),
        reason: Some(format!("{}: {}", access.reason, access.note)),
        before: None,
        after: Some(serde_json::json!({"operator": access.email, "role": access.role, "expires_at": access.expires_at})),
    };
    commit_with(tx, ctx, in_both(ctx, grant, event)?).await?;
    Ok(access)
}

/// Every access to the tenant that is worked in, newest first; at most 50.
pub async fn support(ctx: &Ctx) -> Result<Vec<SupportAccess>> {
    let grant = ctx.require_tenant_level(Perm::SettingsRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::list(&mut tx, &grant).await
}

/// The same of any tenant, for operators.
pub async fn support_of(ctx: &Ctx, id: TenantId) -> Result<Vec<SupportAccess>> {
    let grant = of_platform(ctx, id)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::list(&mut tx, &grant).await
}

/// Ends an access to the tenant that is worked in.
pub async fn end_support(ctx: &Ctx, id: SupportId) -> Result<()> {
    ended(ctx, |by| by.require_tenant_level(Perm::SettingsWrite), Some(id)).await
}

/// The operator who asks is done in a tenant.
pub async fn end_own_support(ctx: &Ctx, id: TenantId) -> Result<()> {
    ended(ctx, |by| of_platform(by, id), None).await
}

async fn ended(ctx: &Ctx, may: impl Fn(&Ctx) -> Result<Grant>, id: Option<SupportId>) -> Result<()> {
    let (grant, now) = (may(ctx)?, ctx.now());
    let own = ctx.person().map(|p| p.user_id).filter(|_| id.is_none());
    let mut tx = ctx.db().begin_all().await?;
    let tenant = lock(ctx, &mut tx, &grant, may).await?;
    let Some(operator) = sql::end(&mut tx, &grant, id, own, now).await? else { return Err(Error::NotFound) };
    identity::taken_out_of_tenant(&mut tx, &grant, operator, now).await?;
    members::withdraw_invitations(&mut tx, &grant, operator, now).await?;
    let event = Event { action: "support.ended", target: target(&tenant), reason: None, before: None, after: None };
    commit_with(tx, ctx, in_both(ctx, grant, event)?).await?;
    ctx.core().cache.sync(ctx.core()).await
}
