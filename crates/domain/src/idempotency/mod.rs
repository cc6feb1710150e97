//! Requests that may be sent again: the first is carried out, its answer is kept for a day and given to the others
//! (contract, section 3; s72). A secret in the answer is kept sealed for ten minutes, and nowhere else.
//!
//! The change itself marks its request as carried out, in one transaction. So a process that dies between the change and
//! its answer leaves no doubt: a request without the mark is carried out when it is sent again, one with it never is.

mod sql;

use crate::{
    Ctx, Error, Grant, Result, Who,
    db::{Db, Tx},
};
use contract::{ErrorCode, Perm, Secret, UnixMs};
use uuid::Uuid;

/// How long an answer is kept.
const KEPT: i64 = UnixMs::DAY;
/// How long the secret in it is.
const SECRET_KEPT: i64 = 600_000;
/// A request that has not been answered for so long died with its process. Longer than any request should take; one that
/// takes longer changes nothing any more once somebody else began it anew.
const LOST: i64 = 60_000;
/// The members of answers that hold a secret, each shown once.
pub const SECRET_MEMBERS: [&str; 3] = ["key", "client_secret", "accept_url"];
/// What stands for the secret in a stored answer; no answer contains it otherwise, as it is no JSON string's content.
const PLACEHOLDER: &str = "\u{1}secret\u{1}";

/// An answer, as it is stored and repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Begun {
    /// Carry it out, then say what came of it.
    First(Box<Running>),
    /// It was carried out before: this was the answer.
    Again(Stored),
}

/// The first request with a key, while it is being carried out.
#[derive(Debug)]
pub struct Running {
    ctx: Ctx,
    grant: Grant,
    id: Uuid,
}

/// Starts a request with an idempotency key. `request` is everything that makes it the same request. Conflicts while
/// the first is running; refused when the key was used for another request, or the caller has lost a permission that
/// the first one needed.
pub async fn begin(ctx: &Ctx, key: &str, request: &[&[u8]]) -> Result<Begun> {
    let (grant, credential) = sender(ctx)?;
    let (now, fingerprint) = (ctx.now(), fingerprint(request));
    let mut tx = ctx.db().begin_in(&grant).await?;
    if let Some(row) = sql::find(&mut tx, &grant, credential, key).await? {
        let age = now.0 - row.created_at;
        let died = row.status.is_none() && row.carried_out_at.is_none() && age >= LOST;
        if age < KEPT && !died {
            return again(ctx, &grant, row, &fingerprint, age);
        }
        let free = if age < KEPT { sql::give_up(&mut tx, &grant, row.id).await? } else { sql::delete(&mut tx, &grant, row.id).await? };
        if !free {
            return Err(in_progress());
        }
    }
    let id = ctx.new_uuid();
    if !sql::insert(&mut tx, &grant, id, credential, key, &fingerprint, now).await? {
        return Err(in_progress());
    }
    tx.commit_quiet().await?;
    Ok(Begun::First(Box::new(Running { ctx: ctx.noting(id), grant, id })))
}

fn again(ctx: &Ctx, grant: &Grant, row: sql::Row, fingerprint: &[u8], age: i64) -> Result<Begun> {
    if row.fingerprint != fingerprint {
        return Err(Error::Refused(ErrorCode::IdempotencyKeyReused, ErrorCode::IdempotencyKeyReused.message().to_owned()));
    }
    let (Some(status), Some(body)) = (row.status, row.body) else {
        return Err(if row.carried_out_at.is_some() && age >= LOST { answer_lost() } else { in_progress() });
    };
    for perm in row.perms.split_whitespace().filter_map(|p| p.parse::<Perm>().ok()) {
        ctx.require(perm)?;
    }
    let status = u16::try_from(status).map_err(Error::internal)?;
    let secret = match row.sealed.filter(|_| age < SECRET_KEPT) {
        Some(sealed) => Some(ctx.core().keys.seal.open(grant.tenant_id().uuid(), row.id, &sealed)?),
        None => None,
    };
    Ok(Begun::Again(Stored { status, body: told(body, secret.as_ref()) }))
}

impl Running {
    /// The context to carry it out with: it notes the permissions that are required.
    pub const fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// Keeps the answer. `secret` is the one that stands in it, if one does.
    pub async fn finish(self, mut answer: Stored, secret: Option<Secret<String>>) -> Result<()> {
        let perms = self.ctx.asked().iter().map(|p| p.as_str()).collect::<Vec<_>>().join(" ");
        let sealed = match &secret {
            Some(secret) => {
                answer.body = answer.body.replace(secret.expose(), PLACEHOLDER);
                let core = self.ctx.core();
                Some(core.keys.seal.seal(self.grant.tenant_id().uuid(), self.id, secret, core.entropy())?)
            }
            None => None,
        };
        let mut tx = self.ctx.db().begin_in(&self.grant).await?;
        sql::finish(&mut tx, &self.grant, self.id, &perms, &answer, sealed).await?;
        tx.commit_quiet().await
    }

    /// Forgets the request, unless it was carried out: its answer is one that a repetition may change.
    pub async fn abandon(self) -> Result<()> {
        let mut tx = self.ctx.db().begin_in(&self.grant).await?;
        sql::give_up(&mut tx, &self.grant, self.id).await?;
        tx.commit_quiet().await
    }
}

/// Marks the request as carried out, if it is one that may be sent again, in the transaction of what it changes. One that
/// somebody else began anew meanwhile changes nothing.
pub(crate) async fn mark(tx: &mut Tx, ctx: &Ctx) -> Result<()> {
    let Some(id) = ctx.repeatable() else { return Ok(()) };
    if sql::mark(tx, &Grant::of_caller(ctx)?, id, ctx.now()).await? { Ok(()) } else { Err(in_progress()) }
}

/// Forgets answers of yesterday, and secrets of ten minutes ago.
pub async fn sweep(db: &Db, now: UnixMs) -> Result<()> {
    let mut tx = db.begin_all().await?;
    sql::sweep_unscoped(&mut tx, now.plus(-KEPT), now.plus(-SECRET_KEPT)).await?;
    tx.commit_quiet().await
}

/// The answer with its secret, or without it where that is forgotten.
fn told(body: String, secret: Option<&Secret<String>>) -> String {
    if !body.contains(PLACEHOLDER) {
        return body;
    }
    if let Some(secret) = secret {
        return body.replace(PLACEHOLDER, secret.expose());
    }
    // The placeholder is no valid JSON: without it the member is gone, too.
    match serde_json::from_str::<serde_json::Value>(&body.replace(PLACEHOLDER, "")) {
        Ok(serde_json::Value::Object(mut members)) => {
            members.retain(|name, value| !(SECRET_MEMBERS.contains(&name.as_str()) && value == ""));
            serde_json::Value::Object(members).to_string()
        }
        _ => body.replace(PLACEHOLDER, ""),
    }
}

fn fingerprint(request: &[&[u8]]) -> Vec<u8> {
    let mut hash = blake3::Hasher::new();
    for part in request {
        hash.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hash.finalize().as_bytes().to_vec()
}

fn in_progress() -> Error {
    Error::Refused(ErrorCode::IdempotencyInProgress, ErrorCode::IdempotencyInProgress.message().to_owned())
}

fn answer_lost() -> Error {
    Error::Conflict("This request was carried out, but its answer was lost: look at what it did before you send another".to_owned())
}

/// Keys are remembered for the credential that sent them, in its tenant (s68).
fn sender(ctx: &Ctx) -> Result<(Grant, Uuid)> {
    let credential = match ctx.who() {
        Who::Key(entry) => entry.key_id.uuid(),
        // Whichever of their tokens: it may have been replaced between the two. What an app does for them is its own.
        Who::Person(person) => match ctx.token().and_then(|t| t.bearer.app()) {
            None => person.user_id.uuid(),
            Some(app) => Uuid::from_u128(person.user_id.uuid().as_u128() ^ app.uuid().as_u128()),
        },
        Who::App(client) => client.id.uuid(),
        _ => return Err(Error::Unauthenticated),
    };
    Ok((Grant::of_caller(ctx)?, credential))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s72_a_forgotten_secret_leaves_no_member_behind() {
        let body = format!("{{\"id\":\"key_1\",\"key\":\"{PLACEHOLDER}\",\"name\":\"\"}}");
        assert_eq!(told(body.clone(), Some(&Secret::new("sk_live_x".into()))), "{\"id\":\"key_1\",\"key\":\"sk_live_x\",\"name\":\"\"}");
        assert_eq!(told(body, None), "{\"id\":\"key_1\",\"name\":\"\"}");
    }

    #[test]
    fn requests_differ_by_where_their_parts_end() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
    }
}
