//! What people allowed apps: theirs to see and to end, and an admin's for the apps of the tenant.

use super::{apps, logo, sql};
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, Tx},
    keys::only_own,
    tokens,
};
use contract::{AppId, GrantId, GrantSeen, Page, PageQuery, Perm, UnixMs, UserId};
use serde_json::json;

/// What the caller allowed, in whichever of their tenants.
pub async fn mine(ctx: &Ctx) -> Result<Vec<GrantSeen>> {
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read_all().await?;
    Ok(told(ctx, sql::grants_of_unscoped(&mut tx, person.user_id).await?))
}

/// With logos as other programs find them.
fn told(ctx: &Ctx, mut grants: Vec<GrantSeen>) -> Vec<GrantSeen> {
    for seen in &mut grants {
        logo::make_absolute(ctx.core(), &mut seen.logo_url);
    }
    grants
}

/// What members of the tenant allowed one of its apps.
pub async fn of_app(ctx: &Ctx, app: AppId, page: PageQuery) -> Result<Page<GrantSeen>> {
    apps::get(ctx, Perm::AppsRead, app).await?;
    let grant = ctx.require_tenant_level(Perm::AppsRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let rows = told(ctx, sql::grants_of_app(&mut tx, &grant, app, page).await?);
    Ok(Page::cut(rows, page.bounded(), |g| g.id.uuid()))
}

/// What members of the tenant allowed apps of other tenants.
pub async fn elsewhere(ctx: &Ctx, page: PageQuery) -> Result<Page<GrantSeen>> {
    let grant = ctx.require_tenant_level(Perm::AppsRead)?;
    if only_own(ctx).is_some() {
        return Ok(Page::cut(Vec::new(), page.bounded(), |g: &GrantSeen| g.id.uuid()));
    }
    let mut tx = ctx.db().read_all().await?;
    let rows = told(ctx, sql::grants_elsewhere(&mut tx, &grant, page).await?);
    Ok(Page::cut(rows, page.bounded(), |g| g.id.uuid()))
}

/// Ends a grant and every token of it: one's own, wherever; or, as who may stop apps, any of the tenant. An app does so
/// for nobody.
pub async fn revoke(ctx: &Ctx, id: GrantId) -> Result<GrantSeen> {
    let mut tx = ctx.db().read_all().await?;
    let found = sql::grant_unscoped(&mut tx, id).await?;
    drop(tx);
    let themselves = ctx.person().filter(|_| ctx.token().is_none_or(|t| t.bearer.app().is_none()));
    let own = found.as_ref().filter(|(seen, _)| themselves.is_some_and(|p| p.user_id == seen.user_id));
    let grant = match own {
        Some((seen, _)) => Grant::of_authorization(seen.tenant_id, ctx.actor()),
        None => ctx.require_tenant_level(Perm::AppsRevoke)?,
    };
    let (mut seen, elsewhere) = found.as_ref().filter(|(seen, _)| seen.tenant_id == grant.tenant_id()).cloned().ok_or(Error::NotFound)?;
    if own.is_none() {
        if elsewhere && only_own(ctx).is_some() {
            return Err(Error::NotFound);
        }
        if !elsewhere {
            // A developer manages the apps that are theirs.
            apps::get(ctx, Perm::AppsRevoke, seen.app_id).await?;
        }
    }
    let mut tx = ctx.write(&grant).await?;
    if !sql::revoke_grant(tx.tx(), &grant, id, ctx.now()).await? {
        return Err(Error::NotFound);
    }
    let ended = tokens::end_of_grant(tx.tx(), &grant, id, ctx.now()).await?;
    tx.commit(Event {
        action: "oauth_grant.revoked",
        target: apps::target(seen.app_id, &seen.app),
        reason: None,
        before: Some(json!({"grant": id, "user": seen.user, "scopes": seen.scopes})),
        after: Some(json!({"ended": ended})),
    })
    .await?;
    ctx.core().cache.sync(ctx.core()).await?;
    logo::make_absolute(ctx.core(), &mut seen.logo_url);
    Ok(seen)
}

/// Whoever leaves a tenant leaves nothing there that an app could go on with. Their logins end beside this.
pub(crate) async fn end_of_member(tx: &mut Tx, grant: &Grant, user: UserId, now: UnixMs) -> Result<()> {
    for id in sql::standing_of(tx, grant, user).await? {
        sql::revoke_grant(tx, grant, id, now).await?;
    }
    Ok(())
}
