//! JWTs that an app signs with its own secret (contract, section 2; guide 002): credentials of the app, with its scopes of
//! the tenant's API and none of Keystead's own.

use crate::{
    Core,
    tokens::{Bearer, Token, ms},
};
use contract::{AppId, Code, KeyId, Scope, ScopeSet, UnixMs, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode};
use serde::Deserialize;

/// The longest life of one.
const LONGEST: i64 = 3_600_000;
/// The longest `sub`.
const SUBJECT: usize = 256;

/// Types matter: a claim that is none of this type makes the token nobody's (s62).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    iat: i64,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    scopes: Option<Vec<Scope>>,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Reads one; the header was found to say HS256. `NOT_FOUND` if no app of this installation signed it.
pub(crate) fn read(core: &Core, jwt: &str, header: &Header) -> Result<Token, Code> {
    // `typ` names other kinds of tokens; a plain JWT has `JWT`, or none (s63).
    if header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("jwt")) {
        return Err(Code::NotFound);
    }
    let now = core.now();
    let app: AppId = issuer(jwt).ok_or(Code::NotFound)?;
    let client = core.apps.get(app).filter(|c| c.terms.allow_client_jwts).ok_or(Code::NotFound)?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    let read = |secret: &str| decode::<Claims>(jwt, &DecodingKey::from_secret(secret.as_bytes()), &validation).ok();
    let claims = client.open(core, now).iter().find_map(|secret| read(secret.expose())).ok_or(Code::NotFound)?.claims;
    let (issued_at, expires_at) = (ms(claims.iat).ok_or(Code::NotFound)?, ms(claims.exp).ok_or(Code::NotFound)?);
    let not_before = claims.nbf.map_or(Some(issued_at), ms).ok_or(Code::NotFound)?.max(issued_at);
    let lifetime = expires_at.0 - issued_at.0;
    if claims.iss != app.to_string() || !names_its_own(&claims.sub) || !(1..=LONGEST).contains(&lifetime) {
        return Err(Code::NotFound);
    }
    // Keystead's own permissions are nothing that a service mints for itself.
    let own = ScopeSet(client.terms.scopes.iter().filter(|s| !s.is_reserved() && !s.is_built_in()).cloned().collect());
    let asked = claims.scopes.or_else(|| claims.scope.map(|text| text.split(' ').filter_map(|w| Scope::parse(w).ok()).collect()));
    let scopes = match asked {
        Some(asked) => ScopeSet(asked.into_iter().filter(|s| !s.is_reserved() && own.covers(s)).collect()),
        None => own,
    };
    // `admin` would cover Keystead itself.
    let scopes = ScopeSet(scopes.0.into_iter().filter(|s| !s.is_admin()).collect());
    let audience = match claims.aud {
        Audience::One(one) => one,
        Audience::Several(all) if all.contains(&core.settings.public_url) => core.settings.public_url.clone(),
        Audience::Several(all) => all.into_iter().next().ok_or(Code::NotFound)?,
    };
    Ok(Token {
        // Its `jti` is what the app says, and names no token of ours.
        id: None,
        login: None,
        tenant_id: client.tenant_id,
        bearer: Bearer::Named(app, claims.sub),
        auth_time: None,
        audience,
        scopes,
        environment: core.settings.environment,
        not_before: UnixMs(not_before.0),
        expires_at,
    })
}

/// Nobody names one of ours: whoever reads the subject would take it for them. It travels as a header, whose reader takes
/// blanks off its ends, and may not tell capitals apart.
fn names_its_own(sub: &str) -> bool {
    let read = sub.to_ascii_lowercase();
    let ours = read.parse::<UserId>().is_ok() || read.parse::<AppId>().is_ok() || read.parse::<KeyId>().is_ok();
    let travels = sub.bytes().all(|b| matches!(b, b' '..=b'~')) && sub.trim() == sub;
    !ours && travels && (1..=SUBJECT).contains(&sub.len())
}

/// Who it says signed it; nothing is believed before the signature was verified by a secret of just that app.
fn issuer(jwt: &str) -> Option<AppId> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let claims: Issuer = jsonwebtoken::dangerous::insecure_decode::<Issuer>(jwt).ok()?.claims;
    claims.iss.parse().ok()
}
