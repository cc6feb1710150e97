//! What becomes of tenants: renamed, suspended, deleted, removed. For those who operate the installation; an owner may
//! delete their own.

use super::{act_in, insert, plans, policies, sql};
use crate::{
    Core, Ctx, Error, Grant, RequestInfo, Result, Who,
    db::{Event, Tx, commit_with},
    error::OrGoOn,
    identity,
    keys::{self, scan::refuse_keys},
    members, oauth,
};
use contract::{
    ChangeTenantBody, CreatedInvitation, DEFAULT_PLAN, ErrorCode, InviteBody, Page, PageQuery, Perm, Role, Slug, Target, Tenant,
    TenantBody, TenantId, TenantName, TenantState, read_reason,
};
use std::sync::Arc;

/// One page of tenants, newest first: all of them for those who operate the installation, for others their own.
pub async fn list(ctx: &Ctx, page: PageQuery) -> Result<Page<Tenant>> {
    let own = reach(ctx)?;
    let mut tx = ctx.db().read_all().await?;
    let rows = sql::page_unscoped(&mut tx, own, page).await?;
    Ok(Page::cut(rows, page.bounded(), |t| t.id.uuid()))
}

/// One tenant; a foreign one does not exist.
pub async fn get(ctx: &Ctx, id: TenantId) -> Result<Tenant> {
    let own = reach(ctx)?;
    let mut tx = ctx.db().read_all().await?;
    sql::find_unscoped(&mut tx, id).await?.filter(|_| own.is_none_or(|own| own == id)).ok_or(Error::NotFound)
}

/// The only tenant that the caller sees; none means every one.
fn reach(ctx: &Ctx) -> Result<Option<TenantId>> {
    let own = ctx.tenant_id().ok_or(Error::Unauthenticated)?;
    ctx.enrolled()?;
    if ctx.sandboxed().is_some() {
        return Err(Error::Refused(ErrorCode::EnvironmentMismatch, ErrorCode::EnvironmentMismatch.message().to_owned()));
    }
    Ok(if ctx.operates() { None } else { Some(own) })
}

/// May the caller manage the tenants of the installation?
pub fn require_platform(ctx: &Ctx) -> Result<()> {
    if matches!(ctx.who(), Who::Anonymous) {
        return Err(Error::Unauthenticated);
    }
    ctx.enrolled()?;
    if ctx.sandboxed().is_some() {
        return Err(Error::Refused(ErrorCode::EnvironmentMismatch, ErrorCode::EnvironmentMismatch.message().to_owned()));
    }
    if ctx.operates() {
        // No scope makes a platform key; what such a key may do, its scopes say.
        return if matches!(ctx.who(), Who::Key(_)) { ctx.require(Perm::SettingsWrite).map(drop) } else { Ok(()) };
    }
    // The person is one, and the token does not say that it may act as such.
    Err(if ctx.is_platform() && ctx.token().is_some() { Error::Denied(Perm::SettingsWrite) } else { Error::platform_only() })
}

/// Makes a tenant without people.
pub async fn create(ctx: &Ctx, name: &TenantName, slug: Option<Slug>) -> Result<Tenant> {
    require_platform(ctx)?;
    refuse_keys("name", name.as_str())?;
    let slug = slug.unwrap_or_else(|| Slug::from_name(name.as_str()));
    let mut tx = ctx.db().begin_all().await?;
    require_platform(&identity::again(ctx, &mut tx).await?)?;
    if sql::slug_taken_unscoped(&mut tx, &slug).await? {
        return Err(Error::field("slug", "taken", format!("The slug {slug} is taken.")));
    }
    let (grant, made) = insert(ctx, &mut tx, name, &slug, false).await?;
    let id = grant.tenant_id();
    commit_with(tx, ctx, in_both(ctx, grant, made)?).await?;
    let (name, slug) = (name.to_string(), slug.to_string());
    Ok(Tenant {
        id,
        name,
        slug,
        state: TenantState::Active,
        plan: DEFAULT_PLAN.to_owned(),
        created_at: ctx.now(),
        removed_at: None,
        reason: None,
    })
}

/// The same from a JSON body or a form.
pub async fn create_from_body(ctx: &Ctx, body: &TenantBody) -> Result<Tenant> {
    require_platform(ctx)?;
    let (name, slug) = body.parse()?;
    create(ctx, &name, slug).await
}

/// The same, and invites its first owner if an address is given.
pub async fn create_with_owner(ctx: &Ctx, body: &TenantBody, owner: &str) -> Result<(Tenant, Option<CreatedInvitation>)> {
    require_platform(ctx)?;
    let invite = InviteBody { email: Some(owner.to_owned()), role: Some(Role::Owner.to_string()), expires_in_days: None };
    let (asked, invite) = match (body.parse(), (!owner.trim().is_empty()).then(|| invite.parse()).transpose()) {
        (Ok(asked), Ok(invite)) => (asked, invite),
        (asked, invite) => {
            let mut errors = asked.err().unwrap_or_default();
            errors.0.extend(invite.err().unwrap_or_default().0);
            return Err(errors.into());
        }
    };
    if invite.is_some() {
        // The invitation wants it: nothing is made before.
        ctx.fresh()?;
    }
    let made = create(ctx, &asked.0, asked.1).await?;
    let invited = match invite {
        Some(invite) => Some(members::invite(&ctx.acting_in(made.id), invite).await?),
        None => None,
    };
    Ok((made, invited))
}

/// Invites an owner to any tenant, which may have lost its own.
pub async fn invite_owner(ctx: &Ctx, id: TenantId, email: &str) -> Result<CreatedInvitation> {
    require_platform(ctx)?;
    let invite = InviteBody { email: Some(email.to_owned()), role: Some(Role::Owner.to_string()), expires_in_days: None }.parse()?;
    if get(ctx, id).await?.state != TenantState::Active {
        return Err(Error::Conflict("The tenant is out of use: resume it first".to_owned()));
    }
    members::invite(&act_in(ctx, &id.to_string()).await?, invite).await
}

/// Changes the name or the plan of any tenant.
pub async fn change(ctx: &Ctx, id: TenantId, body: &ChangeTenantBody) -> Result<Tenant> {
    changed(ctx, |by| of_platform(by, id), body).await
}

/// Renames the tenant that is worked in.
pub async fn rename_own(ctx: &Ctx, name: &str) -> Result<Tenant> {
    let body = ChangeTenantBody { name: Some(name.to_owned()), plan: None };
    changed(ctx, |by| by.require_tenant_level(Perm::SettingsWrite), &body).await
}

async fn changed(ctx: &Ctx, may: impl Fn(&Ctx) -> Result<Grant>, body: &ChangeTenantBody) -> Result<Tenant> {
    let grant = may(ctx)?;
    let mut tx = ctx.db().begin_all().await?;
    let before = lock(ctx, &mut tx, &grant, may).await?;
    let mut after = before.clone();
    if let Some(name) = body.parse()? {
        refuse_keys("name", name.as_str())?;
        after.name = name.to_string();
    }
    if let Some(plan) = &body.plan {
        plans::check(&mut tx, plan).await?;
        after.plan.clone_from(plan);
    }
    let mut events = Vec::new();
    if after.name != before.name {
        events.push(("tenant.renamed", serde_json::json!({"name": before.name}), serde_json::json!({"name": after.name})));
    }
    if after.plan != before.plan {
        keys::tell_tenant_changed(&mut tx, &grant, ctx.now()).await?;
        events.push(("tenant.plan_changed", serde_json::json!({"plan": before.plan}), serde_json::json!({"plan": after.plan})));
    }
    if events.is_empty() {
        return Ok(after);
    }
    sql::change(&mut tx, &grant, &after).await?;
    let mut told = Vec::new();
    for (action, was, is) in events {
        let event = Event { action, target: target(&after), reason: None, before: Some(was), after: Some(is) };
        told.extend(in_both(ctx, grant.clone(), event)?);
    }
    commit_with(tx, ctx, told).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(after)
}

/// Takes a tenant out of use: its sessions end, its keys are refused (s22).
pub async fn suspend(ctx: &Ctx, id: TenantId, reason: Option<&str>) -> Result<Tenant> {
    switch(ctx, |by| of_platform(by, id), TenantState::Suspended, reason).await
}

/// Brings a tenant back that was suspended, or deleted and not removed yet.
pub async fn resume(ctx: &Ctx, id: TenantId) -> Result<Tenant> {
    switch(ctx, |by| of_platform(by, id), TenantState::Active, None).await
}

/// Deletes a tenant: it goes out of use at once, and is removed after a while.
pub async fn delete(ctx: &Ctx, id: TenantId, reason: Option<&str>) -> Result<Tenant> {
    switch(ctx, |by| of_platform(by, id), TenantState::Deleted, reason).await
}

/// The same from the console, where its name is typed first.
pub async fn delete_confirmed(ctx: &Ctx, id: TenantId, confirm: &str, reason: Option<&str>) -> Result<Tenant> {
    of_platform(ctx, id)?;
    typed(confirm, &get(ctx, id).await?.name)?;
    delete(ctx, id, reason).await
}

fn typed(confirm: &str, name: &str) -> Result<()> {
    let wrong = || Error::field("confirm", "invalid", format!("Type the name of the tenant, {name}, to delete it."));
    (confirm.trim() == name).then_some(()).ok_or_else(wrong)
}

/// The same for the tenant that is worked in, by an owner who typed its name.
pub async fn delete_own(ctx: &Ctx, confirm: &str) -> Result<Tenant> {
    let refused =
        || Error::Refused(ErrorCode::Forbidden, "Only an owner deletes the tenant, signed in to the console. Ask one.".to_owned());
    let may = |by: &Ctx| {
        let grant = by.require_tenant_level(Perm::SettingsWrite)?;
        let owns = by.person().is_some_and(|p| p.role == Role::Owner);
        if owns { Ok(grant) } else { Err(refused()) }
    };
    let name = get(ctx, may(ctx)?.tenant_id()).await?.name;
    typed(confirm, &name)?;
    switch(ctx, may, TenantState::Deleted, None).await
}

/// The tenant, which nobody else changes until the commit. What the caller `may` do is judged again behind that lock.
pub(super) async fn lock(ctx: &Ctx, tx: &mut Tx, grant: &Grant, may: impl Fn(&Ctx) -> Result<Grant>) -> Result<Tenant> {
    let tenant = sql::lock(tx, grant).await?.ok_or(Error::NotFound)?;
    may(&identity::again(ctx, tx).await?)?;
    Ok(tenant)
}

async fn switch(ctx: &Ctx, may: impl Fn(&Ctx) -> Result<Grant>, to: TenantState, reason: Option<&str>) -> Result<Tenant> {
    let (grant, now) = (may(ctx)?, ctx.now());
    let mut tx = ctx.db().begin_all().await?;
    let before = lock(ctx, &mut tx, &grant, may).await?;
    let reason = read_reason(reason)?;
    refuse_keys("reason", reason.as_deref().unwrap_or_default())?;
    if before.state == to || (before.state, to) == (TenantState::Deleted, TenantState::Suspended) {
        return Err(Error::Conflict(format!("{} is {} already", before.name, before.state)));
    }
    if to != TenantState::Active && sql::is_home(&mut tx, &grant).await? {
        return Err(Error::Conflict(format!("{} is the first tenant, from which this installation is operated: it stays", before.name)));
    }
    if to == TenantState::Suspended && reason.is_none() {
        return Err(Error::field("reason", "required", "Say why: its people read it when they sign in."));
    }
    let (suspended, deleted, action) = match to {
        TenantState::Active => (None, None, "tenant.resumed"),
        TenantState::Suspended => (Some(now), None, "tenant.suspended"),
        TenantState::Deleted => (None, Some(now), "tenant.deleted"),
    };
    sql::set_state(&mut tx, &grant, suspended, deleted, reason.as_deref()).await?;
    if to != TenantState::Active {
        identity::sign_out_of_tenant(&mut tx, &grant, None, now).await?;
    }
    oauth::tell_tenant_changed(&mut tx, &grant, now).await?;
    keys::tell_tenant_changed(&mut tx, &grant, now).await?;
    policies::tell_in_use(&mut tx, &grant).await?;
    let removed_at = deleted.map(|at| at.plus(Tenant::GRACE));
    let after = Tenant { state: to, removed_at, reason: reason.clone(), ..before.clone() };
    let told = |t: &Tenant| Some(serde_json::json!({"state": t.state, "removed_at": t.removed_at}));
    let event = Event { action, target: target(&after), reason, before: told(&before), after: told(&after) };
    commit_with(tx, ctx, in_both(ctx, grant, event)?).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(after)
}

/// Removes what was deleted long enough ago, with everything in it.
pub async fn remove_due(core: &Arc<Core>) -> Result<()> {
    let ctx = Ctx::new(core.clone(), Who::Anonymous, RequestInfo::default());
    let mut tx = core.db.read_all().await?;
    let (due, home) = (sql::due_unscoped(&mut tx, core.now().plus(-Tenant::GRACE)).await?, sql::home_unscoped(&mut tx).await?);
    drop(tx);
    for id in due {
        remove(&ctx, id, home).await.or_go_on("a deleted tenant was not removed", id)?;
    }
    Ok(())
}

async fn remove(ctx: &Ctx, id: TenantId, home: Option<TenantId>) -> Result<()> {
    let gone = Grant::of_removal(id, ctx.actor());
    // The log may be long: step by step, so that nobody waits for it.
    loop {
        let mut tx = ctx.db().begin_in(&gone).await?;
        let more = sql::remove_some_usage(&mut tx, &gone).await?;
        tx.commit_quiet().await?;
        if !more {
            break;
        }
    }
    let mut tx = ctx.db().begin_all().await?;
    // It may have been brought back meanwhile.
    let Some(tenant) = sql::lock(&mut tx, &gone).await?.filter(|t| t.state == TenantState::Deleted) else { return Ok(()) };
    sql::remove(&mut tx, &gone).await?;
    let event = Event { action: "tenant.removed", target: target(&tenant), reason: None, before: None, after: None };
    let told = home.map(|home| (Grant::of_removal(home, ctx.actor()), event));
    commit_with(tx, ctx, told.into_iter().collect()).await?;
    tracing::info!(tenant = %id, "a deleted tenant was removed");
    Ok(())
}

pub(super) fn of_platform(ctx: &Ctx, id: TenantId) -> Result<Grant> {
    require_platform(ctx)?;
    Grant::of_platform(ctx, id)
}

/// What somebody does to a tenant from another one stands in the logs of both. The command line is at home nowhere.
pub(super) fn in_both(ctx: &Ctx, there: Grant, event: Event) -> Result<Vec<(Grant, Event)>> {
    let home = ctx.home().filter(|own| *own != there.tenant_id() && !matches!(ctx.who(), Who::CommandLine(_)));
    let mut events = Vec::new();
    if home.is_some() {
        events.push((Grant::of_caller(&ctx.at_home())?, event.clone()));
    }
    events.push((there, event));
    Ok(events)
}

/// The tenant as the audit log names it.
pub(super) fn target(tenant: &Tenant) -> Target {
    Target { kind: "tenant".to_owned(), id: tenant.id.to_string(), name: tenant.name.clone() }
}

/// Every tenant of the installation, oldest first; for the command line.
pub async fn list_unscoped(core: &Core) -> Result<Vec<Tenant>> {
    let mut tx: Tx = core.db.read_all().await?;
    sql::list_unscoped(&mut tx).await
}

/// Finds a tenant by its id or slug; for the command line.
pub async fn find_unscoped(core: &Core, id_or_slug: &str) -> Result<TenantId> {
    let all = list_unscoped(core).await?;
    all.into_iter().find(|t| t.slug == id_or_slug || t.id.to_string() == id_or_slug).map(|t| t.id).ok_or(Error::NotFound)
}
