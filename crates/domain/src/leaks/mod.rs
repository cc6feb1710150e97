//! The leak desk: keys in pasted text are found by prefix and checksum and matched by hash; who may, acts on them.
//!
//! The text is searched and forgotten: it is in no log, no event and no table, and neither is a key out of it.

mod apps;
mod gitleaks;
mod lookup;
mod public;
mod sql;

pub use apps::end_app_secret;
pub use gitleaks::gitleaks_rule;
pub use lookup::{LOOKUP_BYTES, LOOKUP_KEYS, lookup};
pub use public::{PUBLIC_BYTES, PUBLIC_KEYS, report_publicly};

use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, Tx},
    keys::{
        scan::{refuse_keys, scan},
        secret::{self, Digest},
    },
    mail::{self, Message},
    verify::Entry,
};
use contract::{
    KeyKind, LeakDetail, LeakEffect, LeakFilter, LeakId, LeakMatch, LeakReport, LeakSource, LeakState, Page, PageQuery, Perm, SecretId,
    SecretState, Target,
};
use std::{collections::HashMap, sync::Arc};

/// One page of the tenant's leak reports, newest first. A test credential knows those of test keys only (s36), here and below.
pub async fn list(ctx: &Ctx, filter: LeakFilter, page: PageQuery) -> Result<Page<LeakReport>> {
    let grant = reader(ctx)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let rows = sql::list(&mut tx, &grant, ctx.sandboxed(), filter, page).await?;
    let rows = rows.into_iter().map(|r| r.report(ctx.now())).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(rows, page.bounded(), |r| r.id.uuid()))
}

/// One report: the key, what it did lately, and what happened to it since it was made.
pub async fn get(ctx: &Ctx, id: LeakId) -> Result<LeakDetail> {
    let grant = reader(ctx)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let report = find(ctx, &mut tx, &grant, id).await?;
    let found = sql::secret(&mut tx, &grant, ctx.sandboxed(), report.secret_id).await?.ok_or(Error::NotFound)?.found(ctx.now())?;
    let found = with_usage(ctx, &mut tx, &grant, found).await?;
    let timeline = sql::timeline(&mut tx, &grant, report.key_id).await?;
    Ok(LeakDetail { report, found, timeline })
}

/// Reports a secret that the desk found. Where it is reported already, that report is the answer.
pub async fn report(ctx: &Ctx, secret: SecretId, note: &str) -> Result<LeakReport> {
    let grant = ctx.require(Perm::KeysLookup)?;
    let note = words("note", note)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let found = sql::secret(tx.tx(), &grant, ctx.sandboxed(), secret).await?.ok_or(Error::NotFound)?.found(now)?;
    if let Some(open) = found.report {
        return find(ctx, tx.tx(), &grant, open).await;
    }
    let effect = if found.secret.state == SecretState::Dead { LeakEffect::AlreadyDead } else { LeakEffect::Recorded };
    let new = NewReport { id: LeakId::from_uuid(ctx.new_uuid()), source: LeakSource::Desk, effect, note: note.clone() };
    // None: somebody else reported it in this moment.
    let Some(id) = sql::upsert(tx.tx(), &grant, &found, &new, now).await? else {
        return Err(Error::Conflict("This secret was reported just now. Look at that report.".to_owned()));
    };
    let made = find(ctx, tx.tx(), &grant, id).await?;
    tx.commit(leaked(&found, &new, id)).await?;
    Ok(made)
}

/// Tells the person who answers for the key, or the tenant's owners where nobody does, by mail.
pub async fn notify(ctx: &Ctx, id: LeakId) -> Result<LeakReport> {
    let grant = ctx.require(Perm::KeysLookup)?;
    let mut tx = ctx.write(&grant).await?;
    let report = find(ctx, tx.tx(), &grant, id).await?;
    if report.state == LeakState::Closed {
        return Err(Error::Conflict("This report is closed.".to_owned()));
    }
    if !sql::set_notified(tx.tx(), &grant, id, ctx.now()).await? {
        return Err(Error::Conflict("The owner was told already.".to_owned()));
    }
    let message = Message::LeakFound {
        key: report.key_name.clone(),
        prefix: report.prefix.clone(),
        last_four: report.last_four.clone(),
        works: report.secret_state != SecretState::Dead,
        report: id,
    };
    let to = mail::to_who_answers(tx.tx(), ctx, &grant, report.key_id, &message).await?;
    let after = serde_json::json!({"leak_id": id, "to": to, "prefix": report.prefix, "last_four": report.last_four,
        "secret": report.secret_state});
    tx.commit(Event { action: "leak.notified", target: target(&report), reason: None, before: None, after: Some(after) }).await?;
    Ok(LeakReport { notified_at: Some(ctx.now()), ..report })
}

/// Closes a report. Who leaves a secret alive says why.
pub async fn close(ctx: &Ctx, id: LeakId, reason: &str) -> Result<LeakReport> {
    let grant = ctx.require(Perm::KeysLookup)?;
    let mut tx = ctx.write(&grant).await?;
    let report = find(ctx, tx.tx(), &grant, id).await?;
    let reason = words("reason", reason)?;
    if reason.is_none() && report.secret_state != SecretState::Dead {
        return Err(Error::field("reason", "required", "The reported secret still works. Say why it may, or revoke it first."));
    }
    let (now, by) = (ctx.now(), ctx.actor().name);
    if !sql::close(tx.tx(), &grant, id, now, &by).await? {
        return Err(Error::Conflict("This report is closed already.".to_owned()));
    }
    let after = serde_json::json!({"leak_id": id, "secret": report.secret_state});
    tx.commit(Event { action: "leak.closed", target: target(&report), reason, before: None, after: Some(after) }).await?;
    Ok(LeakReport { state: LeakState::Closed, closed_at: Some(now), closed_by: Some(by), ..report })
}

/// The key behind a text's digests, as the snapshot holds it. A key in our form may have been made by another
/// installation and taken over: it is stored by its SHA-256.
fn known(core: &crate::Core, hit: &Hit) -> Option<(Digest, Arc<Entry>)> {
    [Some(hit.digest), hit.foreign].into_iter().flatten().find_map(|digest| Some((digest, core.cache.get(&digest)?)))
}

/// Those who look keys up see the reports, and so do those who read the audit log, which tells of them too.
fn reader(ctx: &Ctx) -> Result<Grant> {
    ctx.require(Perm::KeysLookup).or_else(|e| ctx.require(Perm::AuditRead).map_err(|_| e))
}

async fn find(ctx: &Ctx, tx: &mut Tx, grant: &Grant, id: LeakId) -> Result<LeakReport> {
    sql::find(tx, grant, ctx.sandboxed(), id).await?.ok_or(Error::NotFound)?.report(ctx.now())
}

/// What a person wrote. A key in it would stay in the audit log for good, so it is refused (s77).
fn words(field: &str, text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > 500 {
        return Err(Error::field(field, "too_long", "At most 500 characters."));
    }
    refuse_keys(field, text)?;
    Ok(Some(text).filter(|t| !t.is_empty()).map(ToOwned::to_owned))
}

/// A report about to be stored.
struct NewReport {
    id: LeakId,
    source: LeakSource,
    effect: LeakEffect,
    note: Option<String>,
}

/// Gateway and platform keys carry an installation: a report alerts people and leaves them alive.
fn spared(found: &LeakMatch) -> bool {
    found.key.kind == KeyKind::Gateway || found.key.platform
}

fn target(report: &LeakReport) -> Target {
    Target { kind: "api_key".to_owned(), id: report.key_id.to_string(), name: report.key_name.clone() }
}

/// The event of a report, which webhooks and mails wait for. A secret that was dead before is no alarm.
fn leaked(found: &LeakMatch, new: &NewReport, id: LeakId) -> Event {
    let after = serde_json::json!({"leak_id": id, "source": new.source, "effect": new.effect, "secret_id": found.secret.id,
        "secret": found.secret.state, "prefix": found.secret.prefix, "last_four": found.secret.last_four});
    Event {
        action: if new.effect == LeakEffect::AlreadyDead { "leak.reported" } else { "api_key.leaked" },
        target: key_target(found),
        reason: new.note.clone(),
        before: None,
        after: Some(after),
    }
}

fn key_target(found: &LeakMatch) -> Target {
    Target { kind: "api_key".to_owned(), id: found.key.id.to_string(), name: found.key.name.clone() }
}

/// The usage of a key that somebody looks up: counts, and who called.
async fn with_usage(ctx: &Ctx, tx: &mut Tx, grant: &Grant, mut found: LeakMatch) -> Result<LeakMatch> {
    let now = ctx.now();
    found.usage = sql::usage(tx, grant, found.key.environment, found.key.id, now).await?;
    found.usage.callers = sql::callers(tx, grant, found.key.environment, found.key.id, now).await?;
    Ok(found)
}

/// A distinct key of a text, as its digest, with where and how often it stood.
struct Hit {
    digest: Digest,
    /// The one of a key that was taken over; none where there are none.
    foreign: Option<Digest>,
    /// It has the form of a secret of an app.
    of_app: bool,
    line: u32,
    times: u32,
}

/// The distinct keys of a text, in order, `most` at most; whether there were more. Linear in the text.
fn hits(core: &crate::Core, text: &str, most: usize) -> (Vec<Hit>, bool) {
    let mut at_digest = HashMap::new();
    let mut hits: Vec<Hit> = Vec::new();
    let (mut line, mut counted) = (1_u32, 0);
    for found in scan(text) {
        let breaks = text.get(counted..found.at).map_or(0, |before| before.matches('\n').count());
        line = line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        counted = found.at;
        let digest = found.key.digest(&core.keys);
        if let Some(at) = at_digest.get(&digest) {
            let hit: &mut Hit = &mut hits[*at];
            hit.times = hit.times.saturating_add(1);
        } else if hits.len() == most {
            return (hits, true);
        } else {
            at_digest.insert(digest, hits.len());
            let foreign = core.cache.holds_foreign().then(|| secret::foreign_of(&core.keys, found.key));
            hits.push(Hit { digest, foreign, of_app: found.of_app, line, times: 1 });
        }
    }
    if core.cache.holds_foreign() {
        for (line, word) in (1..).zip(text.lines()).flat_map(|(n, line)| words_of(line).map(move |word| (n, word))).take(WORDS) {
            let digest = secret::foreign_digest(&core.keys, word).filter(|digest| core.cache.get(digest).is_some());
            let Some(digest) = digest.filter(|_| secret::parse(word).is_none()) else { continue };
            if let Some(at) = at_digest.get(&digest) {
                let hit: &mut Hit = &mut hits[*at];
                hit.times = hit.times.saturating_add(1);
            } else if hits.len() == most {
                return (hits, true);
            } else {
                at_digest.insert(digest, hits.len());
                hits.push(Hit { digest, foreign: None, of_app: false, line, times: 1 });
            }
        }
    }
    (hits, false)
}

/// Keys of other systems have any form, so nothing but their digest tells them: so many words are looked up, and only where
/// some were taken over.
const WORDS: usize = 2_000;

/// A line, and the words in it if there are several, without the quotes around them.
fn words_of(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim();
    let parts = line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '=' | ':'));
    std::iter::once(line).chain(parts.filter(move |part| *part != line)).filter(|word| !word.is_empty())
}
