//! A client that proves itself by a JWT that it signed with its key (RFC 7523, sections 2.2 and 3; OpenID Connect Core,
//! section 9).

use super::{Client, OauthError, client, sql};
use crate::{
    Ctx, Grant,
    tokens::{LEEWAY, ms, refresh::hash},
};
use contract::{Actor, ActorKind};
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, dangerous, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm},
};
use serde::Deserialize;

/// `client_assertion_type`.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far ahead one may expire.
const LONGEST: i64 = 3_600_000;
/// The longest `jti`.
const JTI: usize = 256;

/// Types matter: a claim that is none of this type makes the assertion nobody's (s62).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    jti: String,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Who it says sent it; nothing is believed before its signature was verified by a key of just that client.
pub(super) fn subject(jwt: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    dangerous::insecure_decode::<Subject>(jwt).ok().map(|data| data.claims.sub)
}

/// The algorithms that a key is for: the one that it names, else those of its kind (s61).
fn algorithms(key: &Jwk) -> &'static [Algorithm] {
    let kind: &[Algorithm] = match &key.algorithm {
        AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
        AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
        _ => &[],
    };
    match key.common.key_algorithm {
        None => kind,
        Some(KeyAlgorithm::EdDSA) if kind == [Algorithm::EdDSA] => &[Algorithm::EdDSA],
        Some(KeyAlgorithm::ES256) if kind == [Algorithm::ES256] => &[Algorithm::ES256],
        Some(KeyAlgorithm::RS256) if kind.contains(&Algorithm::RS256) => &[Algorithm::RS256],
        Some(KeyAlgorithm::PS256) if kind.contains(&Algorithm::PS256) => &[Algorithm::PS256],
        Some(_) => &[],
    }
}

/// Did the client sign it, for this server, now, and for the first time?
pub(super) async fn proves(ctx: &Ctx, client: &Client, jwt: &str) -> Result<bool, OauthError> {
    let core = ctx.core();
    let now = ctx.now();
    let Some(claims) = verified(client, jwt) else { return Ok(false) };
    let id = client.id.to_string();
    let url = &core.settings.public_url;
    let ours = |aud: &String| aud == url || *aud == format!("{url}/oauth/token");
    let meant = match &claims.aud {
        Audience::One(one) => ours(one),
        Audience::Several(all) => !all.is_empty() && all.iter().all(ours),
    };
    let (Some(expires_at), Some(from)) = (ms(claims.exp), ms(claims.nbf.or(claims.iat).unwrap_or_default())) else { return Ok(false) };
    let timely = expires_at.plus(LEEWAY) > now && expires_at <= now.plus(LONGEST + LEEWAY) && from <= now.plus(LEEWAY);
    if claims.iss != id || claims.sub != id || !meant || !timely || !(1..=JTI).contains(&claims.jti.len()) {
        return Ok(false);
    }
    // Each is noted for as long as it could come again: only the client itself gets here.
    client::count_write(ctx, client)?;
    let actor = Actor { kind: ActorKind::App, id: Some(id), name: client.name.clone() };
    let grant = Grant::of_authorization(client.tenant_id, actor);
    let mut tx = ctx.db().begin_in(&grant).await?;
    let first = sql::use_assertion(&mut tx, &grant, client.id, &hash(&claims.jti), expires_at.plus(LEEWAY)).await?;
    tx.commit_quiet().await?;
    Ok(first)
}

/// The claims, if a key of the client signed them.
fn verified(client: &Client, jwt: &str) -> Option<Claims> {
    let header: Header = decode_header(jwt).ok()?;
    let brings = header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some() || header.crit.is_some();
    if brings || header.typ.as_deref().is_some_and(|typ| !matches!(typ.to_ascii_lowercase().as_str(), "jwt" | "client-authentication+jwt"))
    {
        return None;
    }
    let keys: JwkSet = serde_json::from_value(client.terms.jwks.clone()?).ok()?;
    let mut validation = Validation::new(header.alg);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    let named = |key: &&Jwk| header.kid.is_none() || key.common.key_id == header.kid;
    let fits = |key: &&Jwk| algorithms(key).contains(&header.alg);
    let read = |key: &Jwk| decode::<Claims>(jwt, &DecodingKey::from_jwk(key).ok()?, &validation).ok();
    keys.keys.iter().filter(named).filter(fits).find_map(read).map(|data| data.claims)
}
