//! ID tokens and userinfo (OpenID Connect Core, sections 2 and 5.3).

use super::Client;
use crate::{Core, Ctx, Error, Result, ctx::Person, identity, tokens};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{ErrorCode, IdTokenAlg, Scope, UnixMs, UserId};
use serde_json::{Value, json};

/// How long an ID token is good; it tells who signed in, and is looked at once.
const LIFETIME: i64 = 600;

/// Sees to it that a key signs ID tokens of an app, as soon as it may ask for them: clients read the key set before anybody
/// signs in, and some read it once. Before a transaction, which would wait for it.
pub(super) async fn prepare(core: &Core, alg: IdTokenAlg, scopes: &[Scope]) -> Result<()> {
    let needed = alg == IdTokenAlg::Rs256 && scopes.iter().any(|s| s.as_str() == "openid");
    if needed { tokens::make_id_key(core).await } else { Ok(()) }
}

/// Tells the app who the person is.
pub(super) fn issue(
    core: &Core,
    person: &Person,
    client: &Client,
    auth_time: UnixMs,
    nonce: Option<&str>,
    access_token: &str,
) -> Result<String> {
    let iat = core.now().0.div_euclid(1_000);
    let alg = client.terms.id_token_alg;
    // The left half of the digest that goes with the signature (section 3.1.3.6); Ed25519 goes with SHA-512.
    let at_hash = match alg {
        IdTokenAlg::Rs256 => digest(&SHA256, access_token.as_bytes()),
        IdTokenAlg::EdDsa => digest(&SHA512, access_token.as_bytes()),
    };
    let half = &at_hash.as_ref()[..at_hash.as_ref().len() / 2];
    let mut claims = json!({
        "iss": core.settings.public_url,
        "sub": person.user_id,
        "aud": client.id,
        "azp": client.id,
        "tenant_id": person.tenant_id,
        "auth_time": auth_time.0.div_euclid(1_000),
        "at_hash": URL_SAFE_NO_PAD.encode(half),
        "iat": iat,
        "exp": iat + LIFETIME,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    tokens::sign_id_token(core, alg, &claims)
}

/// Whom an ID token names that the client was given once, however long ago.
pub(super) fn hinted(core: &Core, client: &Client, hint: &str) -> Option<UserId> {
    let claims = tokens::read_id_token(core, hint)?;
    let of_client = claims["aud"].as_str()?.parse() == Ok(client.id);
    claims["sub"].as_str()?.parse().ok().filter(|_| of_client)
}

/// What the token's person allowed to be told about them.
pub async fn userinfo(ctx: &Ctx) -> Result<Value> {
    let holds = |scope: &str| ctx.token().is_some_and(|t| t.scopes.0.iter().any(|s| s.as_str() == scope));
    let person = ctx.person().filter(|_| ctx.token().is_some_and(|t| t.bearer.app().is_some())).ok_or(Error::Unauthenticated)?;
    if !holds("openid") {
        let why = "The token was not allowed the scope openid.".to_owned();
        return Err(Error::Refused(ErrorCode::InsufficientPermissions, why));
    }
    let mut claims = json!({"sub": person.user_id, "tenant_id": person.tenant_id});
    if holds("email") {
        claims["email"] = person.email.clone().into();
        claims["email_verified"] = identity::address_is_proved(ctx).await?.into();
    }
    // People go by their address, which `profile` alone does not give away.
    if holds("profile") && holds("email") {
        claims["preferred_username"] = person.email.clone().into();
    }
    Ok(claims)
}
