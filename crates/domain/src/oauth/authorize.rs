//! The authorization endpoint: what comes of a good request (RFC 6749, section 4.1; OpenID Connect Core, section 3.1.2).

use super::{
    Asked, Client, OauthCode,
    apps::target,
    id_token,
    request::{answer, refusal},
    sql,
};
use crate::{
    Core, Ctx, Error, Grant, Result,
    ctx::Person,
    db::{Event, WriteTx},
    identity,
    tokens::refresh,
    verify::limit::{ANSWERED, Subject},
};
use contract::{AppKind, ConsentId, GrantId, Scope};
use serde_json::json;

/// How long a person may think.
const PATIENCE: i64 = 10 * 60_000;
/// How long a code waits for its client (s47).
const CODE: i64 = 60_000;
/// A proof this young counts as one that was asked for.
const JUST_NOW: i64 = 60_000;

/// What comes after a good authorization request.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The answer to the app, by this address.
    Answer(String),
    /// The person is asked; the request's id.
    Ask(ConsentId),
    /// The person signs in first.
    SignIn,
    /// They are signed in, and prove once more who they are.
    Confirm,
}

/// The answer to an app whose person would not prove once more who they are.
pub fn unproved(core: &Core, asked: &Asked) -> String {
    refusal(core, asked, OauthCode::AccessDenied, "The person did not prove who they are.")
}

/// Goes on with a good request: answers at once what was allowed before, or asks the person.
pub async fn begin(ctx: &Ctx, client: &Client, asked: &Asked) -> Result<Next> {
    let core = ctx.core();
    let (Some(person), Some(session)) = (ctx.person(), ctx.session()) else {
        let out = || refusal(core, asked, OauthCode::LoginRequired, "Nobody is signed in.");
        return Ok(if asked.prompt.none { Next::Answer(out()) } else { Next::SignIn });
    };
    match ctx.enrolled() {
        Err(_) if asked.prompt.none => {
            let why = "The person has to set up a second factor first.";
            return Ok(Next::Answer(refusal(core, asked, OauthCode::InteractionRequired, why)));
        }
        enrolled => enrolled?,
    }
    // Whoever was meant, somebody else is there (OpenID Connect Core, 3.1.2.1).
    if asked.id_token_hint.as_deref().is_some_and(|hint| id_token::hinted(core, client, hint) != Some(person.user_id)) {
        let why = "The person of id_token_hint is not the one who is signed in.";
        return Ok(Next::Answer(refusal(core, asked, OauthCode::LoginRequired, why)));
    }
    let age = ctx.now().0 - session.proven_at.0;
    let old = asked.prompt.login || asked.max_age.is_some_and(|most| age > most.saturating_mul(1_000).max(JUST_NOW));
    if old {
        let out = || refusal(core, asked, OauthCode::LoginRequired, "The person has to prove anew who they are.");
        return Ok(if asked.prompt.none { Next::Answer(out()) } else { Next::Confirm });
    }
    // A trial goes the whole way, whatever was allowed before.
    if !asked.prompt.consent
        && !asked.trial
        && let Some(url) = remembered(ctx, person, client, asked).await?
    {
        return Ok(Next::Answer(url));
    }
    if asked.prompt.none {
        return Ok(Next::Answer(refusal(core, asked, OauthCode::ConsentRequired, "The person has not allowed this yet.")));
    }
    let now = ctx.now();
    let id = ConsentId::from_uuid(ctx.new_uuid());
    let mut tx = ctx.db().begin().await?;
    let (session, app_tenant, expires_at) = (session.digest.as_slice(), client.tenant_id, now.plus(PATIENCE));
    let new = sql::NewRequest { id, session, user: person.user_id, app_tenant, asked, expires_at };
    sql::insert_request(&mut tx, &new, now).await?;
    tx.commit_quiet().await?;
    Ok(Next::Ask(id))
}

/// The answer to what the person allowed before. Whoever claims an address on a device may not be the app: it is asked
/// again each time (RFC 8252, section 8.6).
async fn remembered(ctx: &Ctx, person: &Person, client: &Client, asked: &Asked) -> Result<Option<String>> {
    let certain = client.kind == AppKind::Confidential || asked.redirect_uri.starts_with("https://");
    if !certain || !client.acts_in(person.tenant_id) || person.supporting {
        return Ok(None);
    }
    let grant = Grant::of_caller(ctx)?;
    let mut tx = ctx.write(&grant).await?;
    let Some((id, allowed)) = sql::standing(tx.tx(), &grant, person.user_id, client.id).await? else { return Ok(None) };
    let ctx = identity::again(ctx, tx.tx()).await?;
    let scopes = permitted(&ctx, &asked.scopes);
    if scopes.is_empty() || !asked.scopes.iter().all(|s| allowed.contains(s)) {
        return Ok(None);
    }
    // Each answer is a code and an event, and nobody clicks for it.
    let charge = ctx.core().limits.charge(Subject::Answered(person.tenant_id, person.user_id), ANSWERED, 1, ctx.now());
    if let Some(seconds) = charge.retry_after {
        return Err(Error::TooMany(seconds.into()));
    }
    hand_out(&ctx, tx, &grant, client, id, asked, None).await.map(Some)
}

/// What of it the person may hand to an app (s35).
pub(super) fn permitted(ctx: &Ctx, asked: &[Scope]) -> Vec<Scope> {
    asked.iter().filter(|s| s.is_built_in() || ctx.may_grant(s).is_ok()).cloned().collect()
}

/// Makes the code of a grant, and commits.
pub(super) async fn hand_out(
    ctx: &Ctx,
    mut tx: WriteTx,
    grant: &Grant,
    client: &Client,
    id: GrantId,
    asked: &Asked,
    event: Option<Event>,
) -> Result<String> {
    let core = ctx.core();
    let now = ctx.now();
    let code = refresh::random(core, "ksc_");
    let scopes = permitted(ctx, &asked.scopes);
    let asked = Asked { scopes, ..asked.clone() };
    let auth_time = ctx.session().map_or(now, |s| s.proven_at);
    let epoch = identity::epoch(tx.tx(), ctx.person().ok_or(Error::Unauthenticated)?.user_id).await?;
    let digest = refresh::hash(code.expose());
    sql::insert_code(
        tx.tx(),
        grant,
        &sql::NewCode { digest: &digest, grant: id, asked: &asked, auth_time, epoch, expires_at: now.plus(CODE) },
        now,
    )
    .await?;
    let event = event.unwrap_or_else(|| Event {
        action: "oauth_grant.used",
        target: target(client.id, &client.name),
        reason: None,
        before: None,
        after: Some(json!({"grant": id, "scopes": asked.scopes})),
    });
    tx.commit(event).await?;
    Ok(answer(core, &asked.redirect_uri, &[("code", code.expose())], asked.state.as_deref()))
}
