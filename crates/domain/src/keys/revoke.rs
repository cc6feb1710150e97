//! Ending keys for good.

use super::{reach, scan::refuse_keys, sql, target};
use crate::{Ctx, Error, Result, db::Event};
use contract::{ApiKey, KeyId, KeyState, Perm, RevokeForm, UnixMs, read_reason};

/// Revokes a key for good. When this returns, the next decision of this process refuses the key, and every other
/// process does so within a second.
pub async fn revoke(ctx: &Ctx, id: KeyId, reason: Option<&str>) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysRevoke)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let before = sql::lock(tx.tx(), &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(now)?;
    let reason = why(reason)?;
    if !sql::revoke(tx.tx(), &grant, id, now).await? {
        return Err(Error::Conflict(format!("{} is revoked already", before.name)));
    }
    sql::append_change(tx.tx(), &grant, id, now).await?;
    let after = ApiKey { state: KeyState::Revoked, revoked_at: Some(now), ..before.clone() };
    tx.commit(event(&before, &after, reason)).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(after)
}

/// The same from the console, where the name of the key is typed first.
pub async fn revoke_confirmed(ctx: &Ctx, id: KeyId, form: &RevokeForm) -> Result<ApiKey> {
    let key = super::get_for(ctx, Perm::KeysRevoke, id).await?;
    if form.confirm.trim() != key.name {
        return Err(Error::field("confirm", "invalid", format!("Type the name of the key, {}, to revoke it.", key.name)));
    }
    revoke(ctx, id, Some(&form.reason)).await
}

/// Revokes several keys in one transaction: all of them, or none where one is not the tenant's. Those that are revoked
/// already stay as they are; the answer holds every key that was named, once.
pub async fn bulk_revoke(ctx: &Ctx, ids: &[KeyId], reason: Option<&str>) -> Result<Vec<ApiKey>> {
    let grant = ctx.require(Perm::KeysRevoke)?;
    let now: UnixMs = ctx.now();
    // One order for everybody, so that two such calls do not wait for each other.
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut tx = ctx.write(&grant).await?;
    let mut all = Vec::with_capacity(ids.len());
    for id in &ids {
        all.push(sql::lock(tx.tx(), &grant, *id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(now)?);
    }
    let reason = why(reason)?;
    let mut events = Vec::new();
    for key in &mut all {
        if sql::revoke(tx.tx(), &grant, key.id, now).await? {
            let after = ApiKey { state: KeyState::Revoked, revoked_at: Some(now), ..key.clone() };
            events.push(event(key, &after, reason.clone()));
            *key = after;
        }
    }
    if events.is_empty() {
        return Ok(all);
    }
    for key in all.iter().filter(|k| k.revoked_at == Some(now)) {
        sql::append_change(tx.tx(), &grant, key.id, now).await?;
    }
    tx.commit_all(events).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(all)
}

/// Why, in words that hold no key.
fn why(reason: Option<&str>) -> Result<Option<String>> {
    let reason = read_reason(reason)?;
    refuse_keys("reason", reason.as_deref().unwrap_or_default())?;
    Ok(reason)
}

fn event(before: &ApiKey, after: &ApiKey, reason: Option<String>) -> Event {
    Event {
        action: "api_key.revoked",
        target: target(after),
        reason,
        before: Some(serde_json::json!({"state": before.state})),
        after: Some(serde_json::json!({"state": after.state, "revoked_at": after.revoked_at})),
    }
}
