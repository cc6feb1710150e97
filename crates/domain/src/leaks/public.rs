//! Anybody may report a key, and learns nothing by it.

use super::{NewReport, apps, hits, key_target, known, leaked, spared, sql};
use crate::{Ctx, Error, Grant, Result, db::Event, keys, keys::secret::Digest, verify::Entry};
use contract::{ErrorCode, KeyState, LeakEffect, LeakId, LeakSource, SecretState};

/// Most bytes of one public report.
pub const PUBLIC_BYTES: usize = 64 * 1024;
/// Most distinct keys that one public report is searched for.
pub const PUBLIC_KEYS: usize = 10;

/// Takes a report in from anybody. Only the presented secret ends: an old one that is still in its grace, or the current
/// one. A key without any other working secret is revoked with it. Gateway and platform keys stay, and people are
/// alerted. Of an app, too, only the presented secret ends. The answer is the same whatever happened.
pub async fn report_publicly(ctx: &Ctx, text: &str) -> Result<()> {
    if text.len() > PUBLIC_BYTES {
        return Err(Error::Refused(ErrorCode::PayloadTooLarge, "At most 64 kB of text.".to_owned()));
    }
    let core = ctx.core();
    // Asked for every report, so that a database that is away answers for known and unknown keys alike.
    ctx.db().ping().await?;
    core.cache.check_fresh(core)?;
    let (hits, _) = hits(core, text, PUBLIC_KEYS);
    let mut changed = false;
    let mut failed = None;
    for hit in hits {
        if hit.of_app {
            failed = apps::take_in(ctx, &hit.digest).await.err().or(failed);
            continue;
        }
        let Some((digest, entry)) = known(core, &hit) else { continue };
        match take_in(ctx, &entry, &digest).await {
            Ok(ended) => changed |= ended,
            Err(e) => failed = Some(e),
        }
    }
    if changed {
        core.cache.sync(core).await?;
    }
    failed.map_or(Ok(()), Err)
}

/// Records one key; whether a secret was ended. Sending it again changes nothing.
async fn take_in(ctx: &Ctx, entry: &Entry, digest: &Digest) -> Result<bool> {
    let grant = Grant::of_leak(entry.tenant_id, ctx.actor());
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    keys::lock_row(tx.tx(), &grant, entry.key_id).await?;
    let Some(row) = sql::secret_of(tx.tx(), &grant, digest).await? else { return Ok(false) };
    let found = row.found(now)?;
    let effect = match found.secret.state {
        SecretState::Dead => LeakEffect::AlreadyDead,
        _ if spared(&found) => LeakEffect::Alerted,
        _ => LeakEffect::Revoked,
    };
    if effect == LeakEffect::AlreadyDead && sql::was_reported(tx.tx(), &grant, found.secret.id).await? {
        return Ok(false);
    }
    let new = NewReport { id: LeakId::from_uuid(ctx.new_uuid()), source: LeakSource::Public, effect, note: None };
    let Some(id) = sql::upsert(tx.tx(), &grant, &found, &new, now).await? else { return Ok(false) };
    let event = leaked(&found, &new, id);
    if effect != LeakEffect::Revoked {
        tx.commit(event).await?;
        return Ok(false);
    }
    sql::end_secret(tx.tx(), &grant, found.secret.id, now).await?;
    let key_ends = !sql::has_working_secret(tx.tx(), &grant, found.key.id, now).await?;
    if key_ends {
        keys::mark_revoked(tx.tx(), &grant, found.key.id, now).await?;
    }
    keys::mark_changed(tx.tx(), &grant, found.key.id, now).await?;
    let revoked = key_ends.then(|| Event {
        action: "api_key.revoked",
        target: key_target(&found),
        reason: Some("Its last working secret was reported as leaked.".to_owned()),
        before: Some(serde_json::json!({"state": found.key.state})),
        after: Some(serde_json::json!({"state": KeyState::Revoked, "revoked_at": now, "leak_id": id})),
    });
    tx.commit_all([Some(event), revoked].into_iter().flatten().collect()).await?;
    Ok(true)
}
