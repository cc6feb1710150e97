//! Access tokens: `at+jwt` (RFC 9068), signed with `EdDSA`. What is read here was issued here: the algorithm belongs to the
//! key, the key to its id, and every claim is there with its type, or the token is nobody's.

use super::{CONSOLE_CLIENT, LIFETIME, login::Login};
use crate::{Core, Error, Result, ctx::Person};
use contract::{Code, Environment, LoginId, Scope, ScopeSet, TenantId, TokenId, UnixMs, UserId};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

/// How far the clocks of issuer and verifier may be apart, milliseconds.
pub const LEEWAY: i64 = 30_000;
/// `typ` of an access token: no other token of ours has it (s63).
const TYPE: &str = "at+jwt";
/// Longest token that is read; one with every permission is far shorter.
const LONGEST: usize = 8_192;

/// The claims. Times are whole seconds, as numbers.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    aud: String,
    client_id: String,
    /// The same permissions twice: as RFC 9068 has them, and as a list.
    scope: String,
    scopes: Vec<Scope>,
    tenant_id: TenantId,
    /// The tenant under the name of guide 000.
    org_id: TenantId,
    sid: LoginId,
    /// When the person proved who they are (RFC 9068, section 2.2.1).
    auth_time: i64,
    jti: TokenId,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
}

/// A token that this installation issued.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its `jti`.
    pub id: TokenId,
    /// The login that it belongs to.
    pub login: LoginId,
    /// The tenant that it acts in.
    pub tenant_id: TenantId,
    /// Whom it acts for.
    pub subject: UserId,
    /// Whom it was issued to.
    pub client_id: String,
    /// When they proved who they are.
    pub auth_time: UnixMs,
    /// For which API.
    pub audience: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// The installation's.
    pub environment: Environment,
    /// From when.
    pub not_before: UnixMs,
    /// Until when.
    pub expires_at: UnixMs,
}

impl Token {
    /// Was it, or its login, ended before its time?
    pub fn is_ended(&self, core: &Core) -> bool {
        core.tokens.is_ended([self.id.uuid(), self.login.uuid()], core.now())
    }
}

/// Does a credential have the form of a token? Whether it is one, only [`read`] says.
pub fn is_jwt(credential: &str) -> bool {
    let parts: Vec<&str> = credential.split('.').collect();
    let base64url = |part: &&str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    matches!(parts.as_slice(), [head, body, _] if !head.is_empty() && !body.is_empty()) && parts.iter().all(base64url)
}

/// Issues a token to a person who signed in, for so many seconds.
pub(super) fn issue(core: &Core, person: &Person, login: Login, seconds: i64) -> Result<String> {
    let now = core.now();
    let ring = core.tokens.ring();
    let (kid, key) = ring.signer(now).ok_or_else(|| Error::internal("there is no signing key"))?;
    let scopes = person.role.scopes();
    let iat = now.0.div_euclid(1_000);
    let url = &core.settings.public_url;
    let claims = Claims {
        iss: url.clone(),
        sub: person.user_id,
        aud: url.clone(),
        client_id: CONSOLE_CLIENT.to_owned(),
        scope: scopes.joined(),
        scopes: scopes.0,
        tenant_id: person.tenant_id,
        org_id: person.tenant_id,
        sid: login.id,
        auth_time: login.began.0.div_euclid(1_000),
        jti: TokenId::from_uuid(core.new_uuid()),
        iat,
        nbf: None,
        exp: iat + seconds,
    };
    let header = Header { typ: Some(TYPE.to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
    encode(&header, &claims, key).map_err(Error::internal)
}

/// Reads a token: `MALFORMED` if it is none, `NOT_FOUND` if this installation did not issue it as an access token. Times
/// are for the decision: the library would ask a clock of its own.
pub fn read(core: &Core, jwt: &str) -> Result<Token, Code> {
    if jwt.len() > LONGEST {
        return Err(Code::Malformed);
    }
    let header = decode_header(jwt).map_err(|_| Code::Malformed)?;
    // Nothing that a header brings along is ever used as a key; a token that tries is not ours.
    let brings = header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some() || header.crit.is_some();
    let kid = header.kid.filter(|_| !brings && header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TYPE));
    let ring = core.tokens.ring();
    let key = kid.and_then(|kid| ring.verifier(&kid, core.now())).ok_or(Code::NotFound)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    validation.set_issuer(&[&core.settings.public_url]);
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    let claims: Claims = decode(jwt, key, &validation).map_err(|_| Code::NotFound)?.claims;
    claims.token(core.settings.environment).ok_or(Code::NotFound)
}

/// Signs any header and claims with the key that signs now: what must be refused although its signature is good.
#[cfg(feature = "testing")]
pub fn sign_anything(core: &Core, header: &serde_json::Value, claims: &serde_json::Value) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let ring = core.tokens.ring();
    let (_, key) = ring.signer(core.now()).expect("a key");
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).expect("signs");
    format!("{message}.{signature}")
}

impl Claims {
    /// None where the claims contradict each other.
    fn token(self, environment: Environment) -> Option<Token> {
        let ms = |seconds: i64| seconds.checked_mul(1_000).filter(|ms| ms.unsigned_abs() < 1 << 52).map(UnixMs);
        let (issued_at, expires_at) = (ms(self.iat)?, ms(self.exp)?);
        let auth_time = ms(self.auth_time)?;
        let not_before = self.nbf.map_or(Some(issued_at), ms)?.max(issued_at);
        let scopes = ScopeSet(self.scopes);
        let coherent = self.org_id == self.tenant_id && self.scope == scopes.joined() && expires_at.0 - issued_at.0 <= LIFETIME;
        coherent.then_some(Token {
            id: self.jti,
            login: self.sid,
            tenant_id: self.tenant_id,
            subject: self.sub,
            client_id: self.client_id,
            auth_time,
            audience: self.aud,
            scopes,
            environment,
            not_before,
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_jwt;

    #[test]
    fn what_has_three_parts_of_base64url_is_taken_for_a_token() {
        for jwt in ["eyJh.eyJz.c2ln", "ewog.eyJz.", "a-_.b.c"] {
            assert!(is_jwt(jwt), "{jwt}");
        }
        for other in ["", ".", "..", "a..", ".b.c", "a.b", "a.b.c.d", "sk_live_abc", "a.b.c=", "a. b.c"] {
            assert!(!is_jwt(other), "{other}");
        }
    }
}
