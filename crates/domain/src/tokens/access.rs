//! Access tokens: `at+jwt` (RFC 9068), signed with `EdDSA`. What is read here was issued here: the algorithm belongs to the
//! key, the key to its id, and every claim is there with its type, or the token is nobody's.

use super::{CONSOLE_CLIENT, LIFETIME};
use crate::{Core, Result, oauth};
use contract::{AppId, Code, CredentialKind, Environment, IdTokenAlg, LoginId, Scope, ScopeSet, TenantId, TokenId, UnixMs, UserId};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};

/// How far the clocks of issuer and verifier may be apart, milliseconds.
pub const LEEWAY: i64 = 30_000;
/// `typ` of an access token: no other token of ours has it (s63).
const TYPE: &str = "at+jwt";
/// Longest token that is read; one with every permission is far shorter.
pub(crate) const LONGEST: usize = 8_192;

/// The claims. Times are whole seconds, as numbers.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    /// The same permissions twice: as RFC 9068 has them, and as a list.
    scope: String,
    scopes: Vec<Scope>,
    tenant_id: TenantId,
    /// The tenant under the name of guide 000.
    org_id: TenantId,
    /// The login that it belongs to; an app's own token belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<LoginId>,
    /// When the person proved who they are (RFC 9068, section 2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    jti: TokenId,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
}

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// A person who signed in over the API.
    Person(UserId),
    /// A person who allowed an app to act for them.
    PersonBy(UserId, AppId),
    /// An app, for itself.
    App(AppId),
    /// An app, about somebody whom it names; nobody here knows them.
    Named(AppId, String),
}

impl Bearer {
    /// The person, if it is one of ours.
    pub const fn person(&self) -> Option<UserId> {
        match self {
            Self::Person(user) | Self::PersonBy(user, _) => Some(*user),
            Self::App(_) | Self::Named(..) => None,
        }
    }

    /// The app, if one holds the token.
    pub const fn app(&self) -> Option<AppId> {
        match self {
            Self::Person(_) => None,
            Self::PersonBy(_, app) | Self::App(app) | Self::Named(app, _) => Some(*app),
        }
    }

    /// Its `sub`.
    pub fn subject(&self) -> String {
        match self {
            Self::Person(user) | Self::PersonBy(user, _) => user.to_string(),
            Self::App(app) => app.to_string(),
            Self::Named(_, name) => name.clone(),
        }
    }

    /// Its `client_id`.
    pub fn client_id(&self) -> String {
        self.app().map_or_else(|| CONSOLE_CLIENT.to_owned(), |app| app.to_string())
    }
}

/// A token that this installation issued, or that one of its apps signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its `jti`; none where an app signed it.
    pub id: Option<TokenId>,
    /// The login that it belongs to, if it belongs to one.
    pub login: Option<LoginId>,
    /// The tenant that it acts in.
    pub tenant_id: TenantId,
    /// Whom it speaks for.
    pub bearer: Bearer,
    /// When its person proved who they are.
    pub auth_time: Option<UnixMs>,
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
    /// What kind of credential it is.
    pub const fn kind(&self) -> CredentialKind {
        if matches!(self.bearer, Bearer::Named(..)) { CredentialKind::ClientJwt } else { CredentialKind::AccessToken }
    }

    /// Was it, or its login, ended before its time?
    pub fn is_ended(&self, core: &Core) -> bool {
        let ids = [self.id.map(TokenId::uuid), self.login.map(LoginId::uuid)];
        core.tokens.is_ended(ids.into_iter().flatten(), core.now())
    }
}

/// Does a credential have the form of a token? Whether it is one, only [`read`] says.
pub fn is_jwt(credential: &str) -> bool {
    let parts: Vec<&str> = credential.split('.').collect();
    let base64url = |part: &&str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    matches!(parts.as_slice(), [head, body, _] if !head.is_empty() && !body.is_empty()) && parts.iter().all(base64url)
}

/// What a token is issued with.
#[derive(Debug)]
pub(crate) struct NewToken {
    pub tenant_id: TenantId,
    pub bearer: Bearer,
    pub login: Option<LoginId>,
    pub auth_time: Option<UnixMs>,
    pub audience: String,
    pub scopes: ScopeSet,
    /// How long it works, seconds.
    pub seconds: i64,
}

/// Issues a token.
pub(crate) fn issue(core: &Core, new: NewToken) -> Result<String> {
    let now = core.now();
    let iat = now.0.div_euclid(1_000);
    let claims = Claims {
        iss: core.settings.public_url.clone(),
        sub: new.bearer.subject(),
        aud: new.audience,
        client_id: new.bearer.client_id(),
        scope: new.scopes.joined(),
        scopes: new.scopes.0,
        tenant_id: new.tenant_id,
        org_id: new.tenant_id,
        sid: new.login,
        auth_time: new.auth_time.map(|at| at.0.div_euclid(1_000)),
        jti: TokenId::from_uuid(core.new_uuid()),
        iat,
        nbf: None,
        exp: iat + new.seconds,
    };
    core.tokens.ring(IdTokenAlg::EdDsa).token(now, TYPE, &claims)
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
    if header.alg == Algorithm::HS256 && !brings {
        return oauth::read_signed(core, jwt, &header);
    }
    let kid = header.kid.filter(|_| !brings && header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TYPE));
    let ring = core.tokens.ring(IdTokenAlg::EdDsa);
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
    core.tokens.ring(IdTokenAlg::EdDsa).signed(core.now(), header, claims).expect("signs")
}

impl Claims {
    /// None where the claims contradict each other.
    fn token(self, environment: Environment) -> Option<Token> {
        let bearer = self.bearer()?;
        let (issued_at, expires_at) = (ms(self.iat)?, ms(self.exp)?);
        let auth_time = match self.auth_time {
            Some(at) => Some(ms(at)?),
            None => None,
        };
        let not_before = self.nbf.map_or(Some(issued_at), ms)?.max(issued_at);
        let scopes = ScopeSet(self.scopes);
        let signed_in = bearer.person().is_some();
        let coherent = self.org_id == self.tenant_id
            && self.scope == scopes.joined()
            && expires_at.0 - issued_at.0 <= LIFETIME
            && signed_in == self.sid.is_some()
            && signed_in == auth_time.is_some();
        coherent.then_some(Token {
            id: Some(self.jti),
            login: self.sid,
            tenant_id: self.tenant_id,
            bearer,
            auth_time,
            audience: self.aud,
            scopes,
            environment,
            not_before,
            expires_at,
        })
    }

    fn bearer(&self) -> Option<Bearer> {
        if self.client_id == CONSOLE_CLIENT {
            return self.sub.parse().ok().map(Bearer::Person);
        }
        let app: AppId = self.client_id.parse().ok()?;
        if self.sub == self.client_id { Some(Bearer::App(app)) } else { self.sub.parse().ok().map(|user| Bearer::PersonBy(user, app)) }
    }
}

/// Whole seconds of a claim as a time; none of a year that nobody lives to see.
pub(crate) fn ms(seconds: i64) -> Option<UnixMs> {
    seconds.checked_mul(1_000).filter(|ms| ms.unsigned_abs() < 1 << 52).map(UnixMs)
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
