//! Plans: the limits of keys that name none of their own. Operators make them and give them to tenants.

mod sql;

use super::{manage::require_platform, sql as tenants};
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, Tx, commit_with},
    keys::tell_tenant_changed,
};
use contract::{DEFAULT_PLAN, Plan, PlanForm, RateLimit, Target, counted};

/// Every plan, by its name.
pub async fn plans(ctx: &Ctx) -> Result<Vec<Plan>> {
    require_platform(ctx)?;
    let mut tx = ctx.db().read_all().await?;
    sql::plans_unscoped(&mut tx).await
}

/// Makes a plan; one that exists stays as it is.
pub async fn create_plan(ctx: &Ctx, form: &PlanForm) -> Result<()> {
    require_platform(ctx)?;
    let (name, limit) = form.parse()?;
    let mut tx = ctx.db().begin_all().await?;
    if !sql::insert_plan_unscoped(&mut tx, &name, limit).await? {
        return Err(Error::field("name", "taken", format!("There is a plan {name} already. Change that one, or choose another name.")));
    }
    let after = Some(told(limit));
    noted(ctx, tx, Event { action: "plan.saved", target: target(&name), reason: None, before: None, after }).await
}

/// Changes the limits of a plan: at once, for every tenant that has it.
pub async fn change_plan(ctx: &Ctx, form: &PlanForm) -> Result<()> {
    require_platform(ctx)?;
    let (name, limit) = form.parse()?;
    let mut tx = ctx.db().begin_all().await?;
    let before = sql::plans_unscoped(&mut tx).await?.into_iter().find(|p| p.name == name).ok_or(Error::NotFound)?.rate_limit;
    sql::update_plan_unscoped(&mut tx, &name, limit).await?;
    for tenant in sql::tenants_of_plan_unscoped(&mut tx, &name).await? {
        tell_tenant_changed(&mut tx, &Grant::of_platform(ctx, tenant)?, ctx.now()).await?;
    }
    let (before, after) = (Some(told(before)), Some(told(limit)));
    noted(ctx, tx, Event { action: "plan.saved", target: target(&name), reason: None, before, after }).await
}

/// Deletes a plan that no tenant has.
pub async fn delete_plan(ctx: &Ctx, name: &str) -> Result<()> {
    require_platform(ctx)?;
    let mut tx = ctx.db().begin_all().await?;
    let plan = sql::plans_unscoped(&mut tx).await?.into_iter().find(|p| p.name == name).ok_or(Error::NotFound)?;
    if name == DEFAULT_PLAN {
        return Err(Error::Conflict("Tenants without another plan are on this one: it stays".to_owned()));
    }
    if plan.tenants > 0 {
        let are = if plan.tenants == 1 { "is" } else { "are" };
        return Err(Error::Conflict(format!("{} {are} on {name}: give them another plan first", counted(plan.tenants, "tenant"))));
    }
    sql::delete_plan_unscoped(&mut tx, name).await?;
    let before = Some(told(plan.rate_limit));
    noted(ctx, tx, Event { action: "plan.deleted", target: target(name), reason: None, before, after: None }).await
}

/// The plan of the tenant that the caller works in.
pub async fn plan(ctx: &Ctx) -> Result<String> {
    let id = ctx.tenant_id().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read_all().await?;
    Ok(tenants::find_unscoped(&mut tx, id).await?.ok_or(Error::NotFound)?.plan)
}

/// Is there such a plan?
pub(super) async fn check(tx: &mut Tx, name: &str) -> Result<()> {
    if sql::plans_unscoped(tx).await?.iter().any(|p| p.name == name) {
        return Ok(());
    }
    Err(Error::field("plan", "unknown", "There is no such plan."))
}

/// Commits with the event in the log of the caller's own tenant: plans belong to none.
async fn noted(ctx: &Ctx, tx: Tx, event: Event) -> Result<()> {
    let events = if ctx.home().is_some() { vec![(Grant::of_caller(&ctx.at_home())?, event)] } else { Vec::new() };
    commit_with(tx, ctx, events).await?;
    ctx.core().cache.sync(ctx.core()).await
}

/// The limits as the audit log tells them.
fn told(limit: RateLimit) -> serde_json::Value {
    serde_json::json!({"rate_limit": limit})
}

fn target(name: &str) -> Target {
    Target { kind: "plan".to_owned(), id: name.to_owned(), name: name.to_owned() }
}
