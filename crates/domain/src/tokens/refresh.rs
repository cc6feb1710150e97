//! Refresh tokens: each is good once and replaced by its use. One that comes again was stolen, from its owner or by them
//! who sent it first: the whole login ends (s49). A lost answer is no theft: for some seconds it is given again.

use super::{
    end,
    login::{self, Login},
    sql,
};
use crate::{
    Core, Ctx, Error, Grant, Result, Who,
    ctx::Person,
    db::{Event, Tx, commit_with},
    identity::{self, SignedIn},
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{ErrorCode, Lifetime, LoginId, RefreshBody, Secret, TenantId, TokenAnswer, UnixMs, UserId};
use uuid::Uuid;

/// How long a lost answer is given again, unless the token in it was used.
pub(crate) const GRACE: i64 = 10_000;
/// What every refresh token starts with, for those who find one.
const PREFIX: &str = "ksr_";

/// A refresh token that was sent, and its person as they are now.
pub(super) struct Held {
    /// The request, as theirs.
    pub ctx: Ctx,
    pub login: Login,
    person: Person,
    id: Uuid,
}

/// Makes a refresh token of a login; its text stands nowhere else.
pub(crate) async fn make(
    core: &Core,
    tx: &mut Tx,
    grant: &Grant,
    login: LoginId,
    parent: Option<Uuid>,
    expires_at: UnixMs,
) -> Result<String> {
    let text = random(core, PREFIX).expose().clone();
    let now = core.now();
    let token = sql::NewRefresh { id: core.new_uuid(), login, parent, digest: &hash(&text), expires_at };
    sql::insert_refresh(tx, grant, &token, now).await?;
    Ok(text)
}

/// A text that nobody guesses: 256 bits behind a prefix.
pub(crate) fn random(core: &Core, prefix: &str) -> Secret<String> {
    let mut bytes = [0; 32];
    core.entropy().fill(&mut bytes);
    Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(Secret::new(bytes).expose())))
}

/// Until when a person's refresh token waits for its use.
pub(super) fn idle(now: UnixMs, ends: UnixMs) -> UnixMs {
    now.plus(Lifetime::LONGEST.idle).min(ends)
}

/// It has 256 random bits, so a plain hash does.
pub(crate) fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// Unknown, expired, ended: one answer.
fn refused() -> Error {
    Error::Refused(ErrorCode::InvalidToken, "The refresh token is not valid: sign in again.".to_owned())
}

/// Looks a refresh token up, used or not, and who its person is now.
pub(super) async fn find(ctx: &Ctx, text: &str) -> Result<Held> {
    let mut tx = ctx.db().read_all().await?;
    let Some(found) = sql::find_refresh_unscoped(&mut tx, &hash(text), ctx.now()).await? else {
        identity::log_refusal(ctx, "refresh_token");
        return Err(refused());
    };
    drop(tx);
    let signed_in = SignedIn { user_id: UserId::from_uuid(found.user_id), tenant_id: TenantId::from_uuid(found.tenant_id) };
    // Who has to set up a second factor first does so in the console.
    let Some(person) = identity::resume(ctx.core(), signed_in).await?.filter(|p| !p.must_enrol) else {
        identity::refused(ctx, signed_in.user_id, "login_out_of_use");
        return Err(refused());
    };
    Ok(Held {
        ctx: Ctx::new(ctx.core().clone(), Who::Person(person.clone()), ctx.request().clone()),
        login: Login { id: LoginId::from_uuid(found.login_id), began: UnixMs(found.login_began), ends: UnixMs(found.login_expires_at) },
        person,
        id: found.id,
    })
}

/// Replaces a refresh token, and answers with a fresh access token of who its person is now.
pub async fn refresh(ctx: &Ctx, body: &RefreshBody) -> Result<TokenAnswer> {
    let Held { ctx, login, person, id } = find(ctx, &body.refresh_token).await?;
    let (core, now) = (ctx.core(), ctx.now());
    let grant = Grant::of_caller(&ctx)?;
    let mut tx = ctx.db().begin_in(&grant).await?;
    // Of many at once, the first to get here makes the successor, and the others wait for its commit.
    if sql::use_refresh(&mut tx, &grant, id, now).await? {
        let successor = make(core, &mut tx, &grant, login.id, Some(id), idle(now, login.ends)).await?;
        let answer = login::answer(&ctx, &person, login, successor)?;
        let text = Secret::new(serde_json::to_string(&answer).map_err(Error::internal)?);
        let sealed = core.keys.seal.seal(grant.tenant_id().uuid(), id, &text, core.entropy())?;
        sql::keep_answer(&mut tx, &grant, id, &sealed).await?;
        commit_with(tx, &ctx, vec![(grant, refreshed(login.id, &person, false))]).await?;
        return Ok(answer);
    }
    if let Some(sealed) = sql::answer(&mut tx, &grant, id, now.plus(-GRACE)).await? {
        let text = core.keys.seal.open(grant.tenant_id().uuid(), id, &sealed)?;
        commit_with(tx, &ctx, vec![(grant, refreshed(login.id, &person, true))]).await?;
        return serde_json::from_str(text.expose()).map_err(Error::internal);
    }
    identity::log_refusal(&ctx, "refresh_token_reused");
    if end(&mut tx, &grant, login.id, now).await? {
        let after = serde_json::json!({"login": login.id});
        commit_with(tx, &ctx, vec![(grant, login::event("session.token_reused", &person, Some(after)))]).await?;
        core.cache.sync(core).await?;
    }
    Err(refused())
}

/// A refresh token was good; `again` if its answer was given once more.
fn refreshed(login: LoginId, person: &Person, again: bool) -> Event {
    login::event("session.refreshed", person, Some(serde_json::json!({"login": login, "again": again})))
}
