//! Whose keys are in this text?

use super::{apps, hits, key_target, known, sql, with_usage};
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, commit_with},
    verify::Entry,
};
use contract::{ErrorCode, LeakLookup, Perm, Target};

/// Most bytes of one text.
pub const LOOKUP_BYTES: usize = 1 << 20;
/// Most distinct keys of one text; the rest is said to be left out.
pub const LOOKUP_KEYS: usize = 200;

/// Finds the keys in a text: which, whose, whether they still work, and what they did lately. Keys of other tenants
/// count as unknown, but for platform admins. Every key that was found, and a search that found none, is recorded.
pub async fn lookup(ctx: &Ctx, text: &str) -> Result<LeakLookup> {
    let grant = ctx.require(Perm::KeysLookup)?;
    if text.len() > LOOKUP_BYTES {
        return Err(Error::Refused(ErrorCode::PayloadTooLarge, "At most 1 MB of text.".to_owned()));
    }
    let core = ctx.core();
    // A key that was just made elsewhere is found, too.
    core.cache.sync(core).await?;
    let (hits, truncated) = hits(core, text, LOOKUP_KEYS);
    let mut answer = LeakLookup { truncated, ..LeakLookup::default() };
    let mut tx = ctx.db().read_much_all().await?;
    for hit in hits {
        if hit.of_app {
            let found = sql::app_secret_unscoped(&mut tx, hit.digest.hash()).await?.map(|row| row.found(ctx.now())).transpose()?;
            match found.filter(|found| ctx.sandboxed().is_none() && (ctx.is_platform() || found.tenant.id == grant.tenant_id())) {
                Some(mut found) => {
                    let there = Grant::of_leak(found.tenant.id, ctx.actor());
                    found.usage = sql::usage_of_app(&mut tx, &there, core.settings.environment, found.app.id, ctx.now()).await?;
                    (found.line, found.times) = (hit.line, hit.times);
                    answer.apps.push(found);
                }
                None => answer.unknown = answer.unknown.saturating_add(1),
            }
            continue;
        }
        let found = match known(core, &hit).filter(|(_, entry)| may_know(ctx, &grant, entry)) {
            Some((digest, entry)) => {
                let there = Grant::of_leak(entry.tenant_id, ctx.actor());
                let found = sql::secret_of(&mut tx, &there, &digest).await?;
                match found {
                    Some(row) => Some(with_usage(ctx, &mut tx, &there, row.found(ctx.now())?).await?),
                    None => None,
                }
            }
            None => None,
        };
        match found {
            Some(mut found) => {
                (found.line, found.times) = (hit.line, hit.times);
                answer.matches.push(found);
            }
            None => answer.unknown = answer.unknown.saturating_add(1),
        }
    }
    drop(tx);
    remember(ctx, &grant, &answer).await?;
    Ok(answer)
}

/// Platform admins know every tenant's keys; a test credential only test keys.
fn may_know(ctx: &Ctx, grant: &Grant, entry: &Entry) -> bool {
    let sees = ctx.sandboxed().is_none_or(|e| e == entry.environment);
    sees && (ctx.is_platform() || entry.tenant_id == grant.tenant_id())
}

/// Records the search on each key that it found, in the log of the tenant that owns it. A tenant's log says nothing of
/// another's keys but that they were looked at.
async fn remember(ctx: &Ctx, grant: &Grant, answer: &LeakLookup) -> Result<()> {
    let looked_up = |target, after| Event { action: "leak.looked_up", target, reason: None, before: None, after: Some(after) };
    let mut events: Vec<(Grant, Event)> = Vec::new();
    for found in &answer.matches {
        let after = serde_json::json!({"secret_id": found.secret.id, "secret": found.secret.state, "prefix": found.secret.prefix,
            "last_four": found.secret.last_four});
        events.push((Grant::of_leak(found.tenant.id, ctx.actor()), looked_up(key_target(found), after)));
    }
    for found in &answer.apps {
        let after = serde_json::json!({"secret_id": found.secret.id, "secret": found.secret.state, "last_four": found.secret.last_four});
        events.push((Grant::of_leak(found.tenant.id, ctx.actor()), looked_up(apps::target(found), after)));
    }
    let home = grant.tenant_id();
    let tenants = answer.matches.iter().map(|m| m.tenant.id).chain(answer.apps.iter().map(|a| a.tenant.id));
    let (found, foreign) = tenants.fold((0, 0), |(found, foreign), tenant| (found + 1, foreign + usize::from(tenant != home)));
    if found == 0 || foreign > 0 {
        let target = Target { kind: "tenant".to_owned(), id: home.to_string(), name: "leak desk".to_owned() };
        let after = serde_json::json!({"matches": found, "other_tenants": foreign, "unknown": answer.unknown});
        events.push((grant.clone(), looked_up(target, after)));
    }
    commit_with(ctx.db().begin_all().await?, ctx, events).await
}
