//! Replacing a key's secret, with or without an overlap.
//!
//! A rotation makes a new secret and lets every older one work for the grace at most. A second rotation during an overlap
//! therefore never lengthens what an earlier one promised to end, and with a grace of 0 it ends all of them: whoever lost
//! the answer of a rotation may repeat it without cutting off what still runs.

use super::{
    bounds::{Maker, Power},
    reach, secret, sql, target,
};
use crate::{Ctx, Error, Result, db::Event};
use contract::{ApiKey, CreatedKey, KeyId, KeySecret, KeyState, Perm, RotateBody, RotateForm, SecretId, UnixMs};

/// Most secrets of one key that work at the same time.
const MOST_SECRETS: i64 = 5;

/// Makes a new secret; the old ones work until the grace ends, and at its very millisecond no longer.
pub async fn rotate(ctx: &Ctx, id: KeyId, body: &RotateBody) -> Result<CreatedKey> {
    replace(ctx, id, body, None).await
}

/// The same from the console's form. It names the secret that it replaces, so that sending it twice replaces one.
pub async fn rotate_from_form(ctx: &Ctx, id: KeyId, form: &RotateForm) -> Result<CreatedKey> {
    super::get_for(ctx, Perm::KeysWrite, id).await?;
    replace(ctx, id, &chosen(form)?, Some(&form.secret)).await
}

/// How long the old secret works on.
pub(crate) fn chosen(form: &RotateForm) -> Result<RotateBody> {
    let overlap = form.overlap().ok_or_else(|| Error::field("grace", "invalid", "Choose how long the old secret works on."))?;
    Ok(RotateBody { grace_seconds: Some(overlap) })
}

/// What a form is answered whose secret is no longer the current one.
pub(crate) fn replaced_since() -> Error {
    let text = "The secret was replaced since this form was opened, and the new one was shown once. If it was not stored, rotate again.";
    Error::Conflict(text.to_owned())
}

async fn replace(ctx: &Ctx, id: KeyId, body: &RotateBody, seen: Option<&str>) -> Result<CreatedKey> {
    let grant = ctx.require(Perm::KeysWrite)?;
    let now = ctx.now();
    let core = ctx.core();
    let mut tx = ctx.write(&grant).await?;
    let before = sql::lock(tx.tx(), &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(now)?;
    let until = now.plus(body.grace()? * 1000);
    match before.state {
        KeyState::Revoked => return Err(Error::Conflict(format!("{} is revoked", before.name))),
        KeyState::Expired => return Err(Error::Conflict(format!("{} has expired: give it a later expiry first", before.name))),
        KeyState::Active | KeyState::Disabled => {}
    }
    if let Some(seen) = seen {
        let secrets = sql::secrets(tx.tx(), &grant, id).await?;
        if !secrets.iter().any(|s| s.valid_until.is_none() && s.id.to_string() == seen) {
            return Err(replaced_since());
        }
    }
    ctx.fresh()?;
    // The new secret goes to whoever asked: they must hold what it may do.
    Maker::of(ctx, tx.tx(), &grant).await?.check_whole(ctx, &Power::from(&before))?;
    sql::end_old_secrets(tx.tx(), &grant, id, until).await?;
    if sql::end_current_secret(tx.tx(), &grant, id, until).await?.is_none() {
        return Err(Error::Conflict(format!("{} is being rotated by somebody else", before.name)));
    }
    if sql::working_secrets(tx.tx(), &grant, id, now).await? >= MOST_SECRETS {
        return Err(Error::Conflict(format!("{} has {MOST_SECRETS} secrets that work: retire the old ones first", before.name)));
    }
    let tenant = sql::slug(tx.tx(), &grant).await?;
    let made = secret::generate(core.entropy(), &core.keys, before.kind, before.environment, &tenant);
    let after = ApiKey { prefix: made.prefix, last_four: made.last_four, ..before.clone() };
    sql::insert_secret(tx.tx(), &grant, SecretId::from_uuid(ctx.new_uuid()), &after, &made.digest, now).await?;
    sql::set_search(tx.tx(), &grant, &after).await?;
    sql::append_change(tx.tx(), &grant, id, now).await?;
    tx.commit(Event {
        action: "api_key.rotated",
        target: target(&after),
        reason: None,
        before: Some(serde_json::json!({"prefix": before.prefix, "last_four": before.last_four})),
        after: Some(serde_json::json!({"prefix": after.prefix, "last_four": after.last_four, "old_valid_until": until})),
    })
    .await?;
    core.cache.sync_later(core).await;
    Ok(CreatedKey { api_key: after, key: Some(made.token.expose().clone()) })
}

/// Ends the overlap now: only the current secret works from here on.
pub async fn retire(ctx: &Ctx, id: KeyId) -> Result<ApiKey> {
    let grant = ctx.require(Perm::KeysWrite)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let key = sql::lock(tx.tx(), &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(now)?;
    let ended = sql::end_old_secrets(tx.tx(), &grant, id, now).await?;
    if ended == 0 {
        return Err(Error::Conflict(format!("{} has no old secret that still works", key.name)));
    }
    sql::append_change(tx.tx(), &grant, id, now).await?;
    let after = Some(serde_json::json!({"old_valid_until": now, "secrets": ended}));
    tx.commit(Event { action: "api_key.retired", target: target(&key), reason: None, before: None, after }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(key)
}

/// The secrets of a key, newest first: the current one, then those that it replaced.
pub async fn secrets(ctx: &Ctx, id: KeyId) -> Result<Vec<KeySecret>> {
    let grant = ctx.require(Perm::KeysRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::find(&mut tx, &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?;
    sql::secrets(&mut tx, &grant, id).await
}

/// Does the secret still work at `now`, as far as rotations go?
pub const fn works(secret: &KeySecret, now: UnixMs) -> bool {
    match secret.valid_until {
        None => true,
        Some(until) => until.0 > now.0,
    }
}
