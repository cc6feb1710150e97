//! The page of consent: what a person reads before they let an app in, and what they say.

use super::{
    Asked, Client, OauthCode,
    apps::target,
    authorize::{hand_out, permitted},
    request::{MOST_SCOPES, refusal},
    sql,
};
use crate::{
    Ctx, Error, Grant, Result,
    ctx::Person,
    db::{Event, Tx},
    identity::{self, SignedIn},
    mail::{self, Message},
    scopes,
};
use contract::{Consent, ConsentId, ConsentScope, ErrorCode, GrantId, RedirectUri, Scope, TenantId};
use serde_json::json;
use std::sync::Arc;

/// Somebody let an app in to try it, or asked for its own token.
pub(super) const TRIED: &str = "oauth_app.tried";

/// The request behind a page of consent, while it is this session's and in time (s54).
async fn open(ctx: &Ctx, id: ConsentId) -> Result<(Person, Arc<Client>, Asked)> {
    let person = ctx.person().ok_or(Error::Unauthenticated)?.clone();
    ctx.enrolled()?;
    let session = ctx.session().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read().await?;
    let asked = sql::request(&mut tx, id, &session.digest, person.user_id, ctx.now()).await?.ok_or_else(over)?;
    let client = ctx.core().apps.get(asked.client_id).filter(|c| c.in_use).ok_or_else(over)?;
    // What was registered when it asked may have been taken off since.
    if !asked.trial && !client.terms.redirect_uris.iter().any(|own| own.admits(&asked.redirect_uri)) {
        return Err(over());
    }
    Ok((person, client, asked))
}

fn over() -> Error {
    Error::Conflict(
        "This request is over: it was answered, ended, or waited for more than ten minutes. Go back to the app and start again.".to_owned(),
    )
}

/// What the page of consent shows.
pub async fn consent(ctx: &Ctx, id: ConsentId) -> Result<Consent> {
    let (person, client, asked) = open(ctx, id).await?;
    let mut tx = ctx.db().read_all().await?;
    let tenants = identity::works_in(&mut tx, person.user_id, ctx.now()).await?;
    let tenants: Vec<(TenantId, String)> = tenants.into_iter().map(|m| (m.id, m.name)).filter(|(t, _)| client.acts_in(*t)).collect();
    drop(tx);
    // Whoever chooses among tenants reads words that are nobody's.
    let acts_in = match tenants.as_slice() {
        [(one, _)] => Some(*one),
        _ => None,
    };
    let scopes = in_words(ctx, acts_in, &asked.scopes).await?;
    let registered = client.terms.redirect_uris.iter().find(|own| own.admits(&asked.redirect_uri));
    Ok(Consent {
        id,
        app: client.name.clone(),
        client_id: client.id,
        logo: client.logo_path(),
        home_page: client.terms.home_page.clone(),
        host: registered.and_then(|uri| uri.host()).map(ToOwned::to_owned),
        origin: RedirectUri::parse(&asked.redirect_uri).map(|uri| uri.origin()).unwrap_or_default(),
        redirect_uri: asked.redirect_uri.clone(),
        scopes,
        here: tenants.iter().any(|(t, _)| *t == person.tenant_id).then_some(person.tenant_id),
        tenants,
        email: person.email,
        again: asked.again(ctx.core()),
        trial: asked.trial,
    })
}

/// What scopes allow, as the tenant says it in which the app will act: no other tenant words what is allowed there.
async fn in_words(ctx: &Ctx, acts_in: Option<TenantId>, scopes: &[Scope]) -> Result<Vec<ConsentScope>> {
    let catalogue = match acts_in {
        Some(tenant_id) => {
            let there = Grant::of_authorization(tenant_id, ctx.actor());
            let mut tx = ctx.db().read_in(&there).await?;
            scopes::described(&mut tx, &there).await?
        }
        None => Vec::new(),
    };
    let words = |scope: &Scope| {
        // A tenant words its own resources; what reaches further has words that nobody chooses.
        let described = catalogue
            .iter()
            .filter(|_| scope.is_ones_own())
            .find(|d| d.name.canonical() == scope.canonical())
            .map(|d| d.description.clone());
        ConsentScope { name: scope.clone(), words: described.filter(|d| !d.is_empty()).unwrap_or_else(|| scope.in_words()) }
    };
    Ok(scopes.iter().map(words).collect())
}

/// What the person said: the tenant in which the app may act, or none at all. The address of the answer.
pub async fn decide(ctx: &Ctx, id: ConsentId, allow: Option<TenantId>) -> Result<String> {
    let (person, client, asked) = open(ctx, id).await?;
    let core = ctx.core();
    let now = ctx.now();
    let Some(tenant_id) = allow else {
        let mut tx = ctx.db().begin().await?;
        if !sql::take_request(&mut tx, id).await? {
            return Err(over());
        }
        tx.commit_quiet().await?;
        return Ok(refusal(core, &asked, OauthCode::AccessDenied, "The person said no."));
    };
    let not_there = || Error::field("tenant_id", "invalid", "The app cannot act there: choose another tenant.");
    let there = SignedIn { user_id: person.user_id, tenant_id };
    let person = identity::resume(core, there).await?.filter(|_| client.acts_in(tenant_id)).ok_or_else(not_there)?;
    if person.supporting {
        return Err(Error::Refused(ErrorCode::Forbidden, "Support lets no app in: it would outlive its access.".to_owned()));
    }
    let ctx = ctx.of_person(person.clone());
    ctx.enrolled()?;
    let grant = Grant::of_caller(&ctx)?;
    let told = in_words(&ctx, Some(tenant_id), &asked.scopes).await?;
    let mut tx = ctx.write(&grant).await?;
    let ctx = identity::again(&ctx, tx.tx()).await?;
    ctx.enrolled()?;
    let scopes = permitted(&ctx, &asked.scopes);
    if scopes.is_empty() {
        let why = "Your role in this tenant holds nothing of what the app asks for. Ask an owner.";
        return Err(Error::Refused(ErrorCode::Forbidden, why.to_owned()));
    }
    if !sql::take_request(tx.tx(), id).await? {
        return Err(over());
    }
    let made = GrantId::from_uuid(ctx.new_uuid());
    if asked.trial {
        sql::insert_trial(tx.tx(), &grant, made, person.user_id, &client, &scopes, now).await?;
        let after = Some(json!({"grant": made, "scopes": scopes}));
        let event = Event { action: TRIED, target: target(client.id, &client.name), reason: None, before: None, after };
        return hand_out(&ctx, tx, &grant, &client, made, &asked, Some(event)).await;
    }
    let (held, before) = sql::hold_grant(tx.tx(), &grant, made, person.user_id, &client, now).await?;
    let mut all = before.clone();
    all.extend(scopes.into_iter().filter(|s| !before.contains(s)));
    // The oldest are asked for once more.
    all.drain(..all.len().saturating_sub(MOST_SCOPES));
    sql::set_scopes(tx.tx(), &grant, held, &all).await?;
    if held == made {
        let allowed = told.into_iter().filter(|s| all.contains(&s.name)).map(|s| s.words).collect();
        tell_person(&ctx, tx.tx(), &grant, &person, &client, &asked, allowed).await?;
    }
    let event = Event {
        action: if held == made { "oauth_grant.created" } else { "oauth_grant.updated" },
        target: target(client.id, &client.name),
        reason: None,
        before: (held != made).then(|| json!({"scopes": before})),
        after: Some(json!({"grant": held, "scopes": all, "redirect_uri": asked.redirect_uri})),
    };
    hand_out(&ctx, tx, &grant, &client, held, &asked, Some(event)).await
}

/// Queues the mail that tells a person of an app that they let in for the first time.
async fn tell_person(
    ctx: &Ctx,
    tx: &mut Tx,
    grant: &Grant,
    person: &Person,
    client: &Client,
    asked: &Asked,
    scopes: Vec<String>,
) -> Result<()> {
    let tenant = sql::tenant_name(tx, grant).await?;
    let host = RedirectUri::parse(&asked.redirect_uri).ok().and_then(|uri| uri.host().map(ToOwned::to_owned));
    let (ip, user_agent) = mail::whence(ctx.request());
    let message = Message::AppAllowed { app: client.name.clone(), host, tenant, scopes, at: ctx.now(), ip, user_agent };
    mail::to_person(tx, ctx, person.user_id, &person.email, &message, None).await
}
