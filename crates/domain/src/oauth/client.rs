//! Who asks at the token endpoint (RFC 6749, section 2.3; RFC 7523).

use super::{Client, OauthCode, OauthError, apps::target, assertion};
use crate::{
    Core, Ctx, Grant,
    db::Event,
    verify::limit::{CLIENT, Subject},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use contract::{AppId, AuthMethod, Secret};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};

/// How a request says who sends it.
#[derive(Debug, Default)]
pub struct Presented {
    /// Id and secret from the `Authorization` header, decoded.
    pub basic: Option<(String, Secret<String>)>,
    /// `client_id` of the body.
    pub id: Option<String>,
    /// `client_secret` of the body.
    pub secret: Option<Secret<String>>,
    /// `client_assertion` of the body, with its type.
    pub assertion: Option<(String, String)>,
    /// The origin whose script asks; none where no browser does, and empty where that cannot be told.
    pub origin: Option<String>,
}

impl Presented {
    /// Does it prove anything?
    pub fn proves(&self) -> bool {
        let secret = self.basic.as_ref().map(|(_, secret)| secret).or(self.secret.as_ref());
        secret.is_some_and(|s| !s.expose().is_empty()) || self.assertion.is_some()
    }
}

/// What is stored of a client's secret: a keyed hash under the pepper (s33).
pub(super) fn digest(core: &Core, secret: &str) -> [u8; 32] {
    *blake3::keyed_hash(core.keys.pepper.expose(), secret.as_bytes()).as_bytes()
}

/// One way to prove who the client is, where there is one.
enum Proof<'a> {
    None,
    Secret(&'a Secret<String>),
    Assertion(&'a str),
}

/// The app that sent the request, once it has proved it. Of unknown apps, wrong secrets and suspended apps one thing is told.
pub async fn authenticate(ctx: &Ctx, presented: &Presented) -> Result<Arc<Client>, OauthError> {
    let core = ctx.core();
    core.cache.check_fresh(core)?;
    let (id, proof) = one_way(presented)?;
    let unknown = || {
        let id: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
        tracing::warn!(request_id = %ctx.request().id, client_id = %id, "an OAuth client was refused");
        OauthError::new(OauthCode::InvalidClient, "The client is unknown or out of use, or did not prove who it is.")
    };
    let client = id.parse::<AppId>().ok().and_then(|id| core.apps.get(id)).ok_or_else(unknown)?;
    if !client.in_use {
        note_refusal(ctx, &client);
        return Err(unknown());
    }
    let proved = match (client.terms.auth_method, proof) {
        (AuthMethod::None, Proof::None) => true,
        (AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost, Proof::Secret(secret)) => {
            let digest = digest(ctx.core(), secret.expose());
            client.working(ctx.now()).any(|s| verify_slices_are_equal(&s.digest, &digest).is_ok())
        }
        (AuthMethod::PrivateKeyJwt, Proof::Assertion(jwt)) => assertion::proves(ctx, &client, jwt).await?,
        _ => false,
    };
    if !proved {
        note_refusal(ctx, &client);
        return Err(unknown());
    }
    // Before anything is done with what it sent: a code or a refresh token stays what it is.
    if !client.admits(presented.origin.as_deref()) {
        return Err(OauthError::request("The app lists the origins whose scripts may ask as it, and this is none of them."));
    }
    Ok(client)
}

/// Counts a request that writes, of a client that has proved who it is. An assertion was counted when it was used, and who
/// proves nothing is counted by their address: anybody can name a public client.
pub fn charge(ctx: &Ctx, client: &Client) -> Result<(), OauthError> {
    match client.terms.auth_method {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => count_write(ctx, client),
        AuthMethod::None | AuthMethod::PrivateKeyJwt => Ok(()),
    }
}

/// One more of the app's; refused before anything is written.
pub(super) fn count_write(ctx: &Ctx, client: &Client) -> Result<(), OauthError> {
    let subject = Subject::Client(client.tenant_id, client.id);
    let charge = ctx.core().limits.charge(subject, CLIENT, 1, ctx.now());
    if charge.admitted() { Ok(()) } else { Err(OauthError::too_many(charge)) }
}

/// Writes down, after the answer, that somebody asked as the app and is not it, or that it is suspended: the first time, the
/// second, the fourth, and so on, so that nobody fills the log (s78).
fn note_refusal(ctx: &Ctx, client: &Client) {
    let times = client.refused.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    if !times.is_power_of_two() {
        return;
    }
    let grant = Grant::of_attempt(client.tenant_id, ctx.actor());
    let after = Some(json!({"times": times, "suspended": !client.in_use}));
    let event = Event { action: "oauth_app.refused", target: target(client.id, &client.name), reason: None, before: None, after };
    let ctx = ctx.clone();
    ctx.core().clone().afterwards(async move {
        let written = async { ctx.write(&grant).await?.commit(event).await };
        if let Err(e) = written.await {
            tracing::error!(request_id = %ctx.request().id, error = %e, "a refused OAuth client was not recorded");
        }
    });
}

/// The client that is named, and its one proof; several are refused (RFC 6749, section 2.3).
fn one_way(presented: &Presented) -> Result<(String, Proof<'_>), OauthError> {
    let named = presented.id.as_deref();
    let same = |id: &str| named.is_none_or(|named| named == id);
    let several = || OauthError::request("Two ways to prove who the client is, or two ids: send one.");
    match (&presented.basic, &presented.secret, &presented.assertion) {
        (Some((id, secret)), None, None) if same(id) => {
            Ok((id.clone(), if secret.expose().is_empty() { Proof::None } else { Proof::Secret(secret) }))
        }
        (None, secret, None) => {
            let id = named.ok_or_else(|| OauthError::new(OauthCode::InvalidClient, "The client is not named: send client_id."))?;
            Ok((id.to_owned(), secret.as_ref().map_or(Proof::None, Proof::Secret)))
        }
        (None, None, Some((kind, jwt))) if kind == assertion::TYPE => {
            let subject = assertion::subject(jwt).ok_or_else(|| OauthError::request("client_assertion is no JWT with a sub."))?;
            if same(&subject) { Ok((subject, Proof::Assertion(jwt))) } else { Err(several()) }
        }
        (None, None, Some(_)) => Err(OauthError::request(format!("client_assertion_type is {}.", assertion::TYPE))),
        _ => Err(several()),
    }
}
