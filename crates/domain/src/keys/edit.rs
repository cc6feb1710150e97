//! Changing a key as it stands: what it may do, and whether it is switched on.

use super::{
    bounds::{Maker, Power},
    create::{admit_scopes, note, owner},
    reach,
    scan::refuse_keys,
    sql, target,
};
use crate::{Ctx, Error, Result, db::Event, tenants};
use contract::{ApiKey, FieldErrors, KeyForm, KeyId, KeyState, Perm, ScopeSet, UpdateKey, UpdateKeyBody, UserId};
use serde_json::{Map, Value};

/// Changes a key. The caller must hold everything that the key may do afterwards, unless only its name changes.
pub async fn update(ctx: &Ctx, id: KeyId, change: UpdateKey) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysWrite)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let row = sql::lock(tx.tx(), &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?;
    let mut owner_id = row.owner_id.map(UserId::from_uuid);
    let before = row.key(now)?;
    if before.state == KeyState::Revoked {
        return Err(Error::Conflict(format!("{} is revoked", before.name)));
    }
    // What is wrong with several fields is told at once.
    let mut errors = FieldErrors::default();
    let mut after = before.clone();
    if let Some(name) = change.name {
        refuse_keys("name", name.as_str())?;
        after.name = name.to_string();
    }
    if let Some(metadata) = change.metadata {
        refuse_keys("metadata", &metadata.to_string())?;
        after.metadata = metadata;
    }
    if let Some(asked) = change.scopes {
        after.scopes = ScopeSet(asked);
    }
    if let Some(ips) = change.allowed_ips {
        after.allowed_ips = ips;
    }
    if let Some(at) = change.expires_at {
        if at.is_some_and(|t| t <= now) && at != before.expires_at {
            errors.add("expires_at", "invalid", "This time has passed. To end the key now, revoke it.");
        }
        after.expires_at = at;
    }
    after.not_before = change.not_before.unwrap_or(after.not_before);
    after.rate_limit = change.rate_limit.unwrap_or(after.rate_limit);
    let narrower_than_nothing = after.not_before.zip(after.expires_at).is_some_and(|(from, until)| from >= until);
    if narrower_than_nothing && (after.not_before, after.expires_at) != (before.not_before, before.expires_at) {
        errors.add("not_before", "invalid", "The key would expire before it begins to work.");
    }
    match change.owner {
        Some(Some(asked)) => {
            if let Some((id, email)) = note(&mut errors, owner(ctx, tx.tx(), &grant, &asked).await)? {
                (owner_id, after.owner) = (Some(id), Some(email));
            }
        }
        Some(None) if super::only_own(ctx).is_some() => {
            errors.add("owner", "not_permitted", "You can only make and keep keys of your own.");
        }
        Some(None) => (owner_id, after.owner) = (None, None),
        None => {}
    }
    let only_renamed = after == ApiKey { name: after.name.clone(), ..before.clone() };
    if !only_renamed {
        note(&mut errors, Maker::of(ctx, tx.tx(), &grant).await?.check(ctx, &Power::from(&after)))?;
    }
    if after.scopes != before.scopes {
        let admitted = note(&mut errors, admit_scopes(ctx, &grant, &mut tx, after.scopes.0).await)?;
        after.scopes = ScopeSet(admitted.unwrap_or_default());
    }
    // An expired key lives again when its expiry is moved ahead.
    if after.state == KeyState::Expired {
        after.state = KeyState::of(None, None, after.expires_at, now);
    }
    let (was, is) = difference(&before, &after)?;
    if is.is_empty() && errors.is_empty() {
        return Ok(before);
    }
    note(&mut errors, tenants::judge(tx.tx(), &grant, Some(&before), &after, now).await)?;
    errors.into_result(Some(()))?;
    sql::update(tx.tx(), &grant, &after, owner_id).await?;
    sql::append_change(tx.tx(), &grant, id, now).await?;
    let (was, is) = (Some(Value::Object(was)), Some(Value::Object(is)));
    tx.commit(Event { action: "api_key.updated", target: target(&after), reason: None, before: was, after: is }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(after)
}

/// The same from a JSON body.
pub async fn update_from_body(ctx: &Ctx, id: KeyId, body: &UpdateKeyBody) -> Result<ApiKey> {
    ctx.require(Perm::KeysWrite)?;
    update(ctx, id, body.parse()?).await
}

/// The same from the console's form, which is read by the parser of the create form. Kind and environment stay.
pub async fn update_from_form(ctx: &Ctx, id: KeyId, form: &KeyForm) -> Result<ApiKey> {
    let key = super::get_for(ctx, Perm::KeysWrite, id).await?;
    if form.seen.as_ref().is_some_and(|seen| *seen != fingerprint(&key)) {
        return Err(Error::Conflict(
            "The key was changed since this form was opened, and nothing was saved. Open Edit again to see it as it is now.".to_owned(),
        ));
    }
    let form = KeyForm { kind: key.kind.to_string(), environment: key.environment.to_string(), ..form.clone() };
    update(ctx, id, form.parse_update(ctx.now())?).await
}

/// What the form of an edit shows of the key, in short: it differs when something of that has changed.
pub fn fingerprint(key: &ApiKey) -> String {
    let shown = serde_json::to_vec(&KeyForm::of(key)).unwrap_or_default();
    blake3::hash(&shown).to_hex().chars().take(32).collect()
}

/// Switches a key off; it can be switched on again.
pub async fn disable(ctx: &Ctx, id: KeyId) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysWrite)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let before = sql::lock(tx.tx(), &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(now)?;
    if !sql::disable(tx.tx(), &grant, id, now).await? {
        return Err(Error::Conflict(format!("{} is {} already", before.name, before.state)));
    }
    let after = ApiKey { state: KeyState::Disabled, ..before.clone() };
    switched(ctx, tx, "api_key.disabled", &before, after, &grant).await
}

/// Switches a key on again. Who does so must hold what it may do.
pub async fn enable(ctx: &Ctx, id: KeyId) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysWrite)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let before = sql::lock(tx.tx(), &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(now)?;
    Maker::of(ctx, tx.tx(), &grant).await?.check_whole(ctx, &Power::from(&before))?;
    if !sql::enable(tx.tx(), &grant, id).await? {
        return Err(Error::Conflict(format!("{} is {}, not disabled", before.name, before.state)));
    }
    let after = ApiKey { state: KeyState::of(None, None, before.expires_at, now), ..before.clone() };
    switched(ctx, tx, "api_key.enabled", &before, after, &grant).await
}

async fn switched(
    ctx: &Ctx,
    mut tx: crate::db::WriteTx,
    action: &'static str,
    before: &ApiKey,
    after: ApiKey,
    grant: &crate::Grant,
) -> Result<ApiKey> {
    sql::append_change(tx.tx(), grant, after.id, ctx.now()).await?;
    let state = |key: &ApiKey| Some(serde_json::json!({"state": key.state}));
    tx.commit(Event { action, target: target(&after), reason: None, before: state(before), after: state(&after) }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(after)
}

/// The members that differ, as they were and as they are.
fn difference(before: &ApiKey, after: &ApiKey) -> Result<(Map<String, Value>, Map<String, Value>)> {
    let members = |key: &ApiKey| match serde_json::to_value(key) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Error::internal("a key is an object")),
        Err(e) => Err(Error::internal(e)),
    };
    let (mut was, mut is) = (members(before)?, members(after)?);
    was.retain(|name, value| is.get(name) != Some(value));
    is.retain(|name, _| was.contains_key(name));
    Ok((was, is))
}
