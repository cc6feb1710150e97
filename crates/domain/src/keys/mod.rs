//! API keys: create, list, revoke.

mod create;
pub mod scan;
pub mod secret;
mod sql;

pub use create::{create, create_from_form};

use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, Tx},
    usage,
};
use contract::{
    ApiKey, KeyFilter, KeyId, KeyImpact, KeyState, Page, PageQuery, Perm, RevokeForm, ScopeDef, Target, TenantId, UnixMs, UserId,
};

/// One page of the tenant's keys, newest first.
pub async fn list(ctx: &Ctx, filter: &KeyFilter, page: PageQuery) -> Result<Page<ApiKey>> {
    let grant = ctx.require(Perm::KeysRead)?;
    let mut tx = ctx.db().read().await?;
    let rows = sql::list(&mut tx, &grant, filter, only_own(ctx), ctx.now(), page).await?;
    let rows = rows.into_iter().map(|r| r.key(ctx.now())).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(rows, page.bounded(), |k| k.id.uuid()))
}

/// One key.
pub async fn get(ctx: &Ctx, id: KeyId) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysRead)?;
    let mut tx = ctx.db().read().await?;
    sql::find(&mut tx, &grant, id, only_own(ctx)).await?.ok_or(Error::NotFound)?.key(ctx.now())
}

/// What revoking the key would break, counted over the last 30 days of real traffic.
pub async fn impact(ctx: &Ctx, id: KeyId) -> Result<KeyImpact> {
    let grant = ctx.require(Perm::KeysRevoke)?;
    let mut tx = ctx.db().read().await?;
    let key = sql::find(&mut tx, &grant, id, only_own(ctx)).await?.ok_or(Error::NotFound)?.key(ctx.now())?;
    usage::impact(&mut tx, &grant, key.environment, id, ctx.now()).await
}

/// The permissions that the tenant's catalogue holds.
pub async fn catalogue(ctx: &Ctx) -> Result<Vec<ScopeDef>> {
    let grant = ctx.require(Perm::KeysRead)?;
    let mut tx = ctx.db().read().await?;
    sql::catalogue(&mut tx, &grant).await
}

/// Revokes a key for good. When this returns, the next decision of this process refuses the key, and every other
/// process does so within a second.
pub async fn revoke(ctx: &Ctx, id: KeyId, reason: Option<&str>) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysRevoke)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let before = sql::find(tx.tx(), &grant, id, only_own(ctx)).await?.ok_or(Error::NotFound)?.key(now)?;
    if !sql::revoke(tx.tx(), &grant, id, now).await? {
        return Err(Error::Conflict(format!("{} is revoked already", before.name)));
    }
    sql::append_change(tx.tx(), &grant, id, now).await?;
    let after = ApiKey { state: KeyState::Revoked, revoked_at: Some(now), ..before.clone() };
    tx.commit(Event {
        action: "api_key.revoked",
        target: target(&after),
        reason: reason.map(str::trim).filter(|r| !r.is_empty()).map(ToOwned::to_owned),
        before: Some(serde_json::json!({"state": before.state})),
        after: Some(serde_json::json!({"state": after.state, "revoked_at": now})),
    })
    .await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(after)
}

/// The same from the console, where the name of the key is typed first.
pub async fn revoke_confirmed(ctx: &Ctx, id: KeyId, form: &RevokeForm) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysRevoke)?;
    let mut tx = ctx.db().read().await?;
    let key = sql::find(&mut tx, &grant, id, only_own(ctx)).await?.ok_or(Error::NotFound)?.key(ctx.now())?;
    drop(tx);
    if form.confirm.trim() != key.name {
        return Err(Error::field("confirm", "invalid", format!("Type the name of the key, {}, to revoke it.", key.name)));
    }
    if form.reason.chars().count() > 500 {
        return Err(Error::field("reason", "too_long", "At most 500 characters."));
    }
    revoke(ctx, id, Some(&form.reason)).await
}

/// Whose key it is; for the command line, which is given an id and nothing else.
pub async fn tenant_of_unscoped(core: &crate::Core, id: KeyId) -> Result<TenantId> {
    let mut tx = core.db.read().await?;
    sql::tenant_of_unscoped(&mut tx, id).await?.ok_or(Error::NotFound)
}

/// Ends a key inside a transaction that records why; false when it was revoked before.
pub(crate) async fn mark_revoked(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<bool> {
    sql::revoke(tx, grant, id, now).await
}

/// Tells every process that a key or one of its secrets changed.
pub(crate) async fn mark_changed(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<()> {
    sql::append_change(tx, grant, id, now).await
}

/// A developer sees and changes the keys that are theirs (contract, section 8).
pub(crate) fn only_own(ctx: &Ctx) -> Option<UserId> {
    ctx.person().filter(|p| !p.role.acts_on_all_keys()).map(|p| p.user_id)
}

/// The key as the audit log names it.
fn target(key: &ApiKey) -> Target {
    Target { kind: "api_key".to_owned(), id: key.id.to_string(), name: key.name.clone() }
}
