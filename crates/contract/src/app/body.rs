//! The JSON bodies of `/v1/oauth/applications`, and their parsers. Whatever is no member here is refused (s35).

use super::{AppKind, AuthMethod, GrantType, IdTokenAlg, RedirectUri};
use crate::{
    AppName, FieldErrors, Origin, Scope,
    key_body::{
        named,
        read::{read_name, read_scopes},
    },
    origin::read_origins,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt::Display, str::FromStr};

/// Most redirect URIs of an app.
const REDIRECTS: usize = 50;
/// How long access tokens may work, seconds, and how long they do if nobody says.
pub(super) const ACCESS: (i64, i64, i64) = (60, 3_600, 3_600);
/// The same of refresh tokens, days.
pub(super) const REFRESH: (i64, i64, i64) = (1, 365, 90);

/// `POST /v1/oauth/applications`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CreateAppBody {
    /// What people are asked to allow.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = AppName))]
    pub name: Option<String>,
    /// Where answers may go; needed but by `machine` apps.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<RedirectUri>>, max_items = 50))]
    pub redirect_uris: Option<Vec<String>>,
    /// What it may ask for.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Scope>>, max_items = 100))]
    pub scopes: Option<Vec<String>>,
    /// What runs it; none means `confidential`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<AppKind>))]
    pub kind: Option<String>,
    /// Where people read about it.
    pub home_page: Option<String>,
    /// How it gets tokens; none means every way that its kind has.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<GrantType>>))]
    pub grant_types: Option<Vec<String>>,
    /// How it proves who it is; none means `client_secret_basic`, or `none` for public apps.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<AuthMethod>))]
    pub token_endpoint_auth_method: Option<String>,
    /// Whether it must bind each code to a challenge.
    pub require_pkce: Option<bool>,
    /// Whether each refresh token is good once.
    pub rotate_refresh_tokens: Option<bool>,
    /// Whether it gets refresh tokens without asking for `offline_access`; none means yes for confidential apps.
    pub always_refresh: Option<bool>,
    /// How long its access tokens work.
    #[cfg_attr(feature = "openapi", schema(minimum = 60, maximum = 3600))]
    pub access_token_seconds: Option<i64>,
    /// How long it may go on without the person.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 365))]
    pub refresh_token_days: Option<i64>,
    /// How its ID tokens are signed; none means `RS256`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<IdTokenAlg>))]
    pub id_token_signed_response_alg: Option<String>,
    /// Its public keys, as a JWK set.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub jwks: Option<Value>,
    /// Whether JWTs that it signs with its secret are credentials; none means yes for confidential apps.
    pub allow_client_jwts: Option<bool>,
    /// Whether members of other tenants may allow it to act in theirs.
    pub any_tenant: Option<bool>,
    /// Origins whose scripts may ask for tokens as this app: https, or http on a loopback host, and no path. None means all.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Origin>>, max_items = 20))]
    pub allowed_origins: Option<Vec<String>>,
}

/// `PATCH /v1/oauth/applications/{id}`: what is absent stays. The kind stays always: tokens depend on it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateAppBody {
    /// What people are asked to allow.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<AppName>))]
    pub name: Option<String>,
    /// Where answers may go.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<RedirectUri>>, max_items = 50))]
    pub redirect_uris: Option<Vec<String>>,
    /// What it may ask for. Grants that hold more go on with what is left.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Scope>>, max_items = 100))]
    pub scopes: Option<Vec<String>>,
    /// Where people read about it; `null` clears.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(deserialize_with = "named")]
    pub home_page: Option<Option<String>>,
    /// How it gets tokens.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<GrantType>>))]
    pub grant_types: Option<Vec<String>>,
    /// How it proves who it is.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<AuthMethod>))]
    pub token_endpoint_auth_method: Option<String>,
    /// Whether it must bind each code to a challenge.
    pub require_pkce: Option<bool>,
    /// Whether each refresh token is good once.
    pub rotate_refresh_tokens: Option<bool>,
    /// Whether it gets refresh tokens without asking for `offline_access`.
    pub always_refresh: Option<bool>,
    /// How long its access tokens work.
    #[cfg_attr(feature = "openapi", schema(minimum = 60, maximum = 3600))]
    pub access_token_seconds: Option<i64>,
    /// How long it may go on without the person.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 365))]
    pub refresh_token_days: Option<i64>,
    /// How its ID tokens are signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<IdTokenAlg>))]
    pub id_token_signed_response_alg: Option<String>,
    /// Its public keys, as a JWK set; `null` clears.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    #[serde(deserialize_with = "named")]
    pub jwks: Option<Option<Value>>,
    /// Whether JWTs that it signs with its secret are credentials.
    pub allow_client_jwts: Option<bool>,
    /// Whether members of other tenants may allow it to act in theirs.
    pub any_tenant: Option<bool>,
    /// Origins whose scripts may ask for tokens as this app; an empty list means all.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Origin>>, max_items = 20))]
    pub allowed_origins: Option<Vec<String>>,
}

/// What an app shall be; every part is valid by itself, and they fit each other.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateApp {
    /// What people are asked to allow.
    pub name: AppName,
    /// What runs it.
    pub kind: AppKind,
    /// Everything else.
    pub terms: AppTerms,
}

/// The parts of an app that can change.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, named as the API names it")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppTerms {
    /// Where people read about it.
    pub home_page: Option<String>,
    /// Where answers may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for.
    pub scopes: Vec<Scope>,
    /// How it gets tokens.
    pub grant_types: Vec<GrantType>,
    /// How it proves who it is. Of the two ways to send a secret both are taken.
    #[serde(rename = "token_endpoint_auth_method")]
    pub auth_method: AuthMethod,
    /// Whether it must bind each code to a challenge (RFC 7636); public apps always do.
    pub require_pkce: bool,
    /// Whether each refresh token is good once; those of public apps always are.
    pub rotate_refresh_tokens: bool,
    /// Whether it gets refresh tokens without asking for `offline_access`.
    pub always_refresh: bool,
    /// How long its access tokens work, seconds.
    pub access_token_seconds: i64,
    /// How long it may go on without the person, days.
    pub refresh_token_days: i64,
    /// How its ID tokens are signed.
    #[serde(rename = "id_token_signed_response_alg")]
    pub id_token_alg: IdTokenAlg,
    /// Its public keys, as a JWK set; for `private_key_jwt`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub jwks: Option<Value>,
    /// Whether JWTs that it signs with its secret are credentials.
    pub allow_client_jwts: bool,
    /// Whether members of other tenants may allow it to act in theirs.
    pub any_tenant: bool,
    /// Origins whose scripts may ask for tokens as this app, and read what its tokens are answered; an empty list means that
    /// all may ask.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 20, required = true))]
    pub allowed_origins: Vec<Origin>,
}

/// A list of words, each read by its type; what is none is named.
fn words<T: FromStr + PartialEq>(field: &str, words: &[String], errors: &mut FieldErrors, known: &str) -> Vec<T> {
    let mut read: Vec<T> = Vec::new();
    for word in words {
        match word.parse() {
            Ok(one) if read.contains(&one) => {}
            Ok(one) => read.push(one),
            Err(_) => errors.add(field, "invalid", format!("One of {known}.")),
        }
    }
    read
}

fn known<T: Copy + Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn word<T: FromStr + Copy + Display>(field: &str, asked: Option<&str>, none: T, all: &[T], errors: &mut FieldErrors) -> T {
    let Some(text) = asked else { return none };
    text.parse().unwrap_or_else(|_| {
        errors.add(field, "invalid", format!("One of {}.", known(all)));
        none
    })
}

fn within(field: &str, asked: Option<i64>, (from, to, none): (i64, i64, i64), errors: &mut FieldErrors) -> i64 {
    let n = asked.unwrap_or(none);
    if !(from..=to).contains(&n) {
        errors.add(field, "invalid", format!("{from} to {to}."));
    }
    n
}

fn read_redirects(uris: &[String], errors: &mut FieldErrors) -> Vec<RedirectUri> {
    let mut read: Vec<RedirectUri> = Vec::new();
    if uris.len() > REDIRECTS {
        errors.add("redirect_uris", "too_long", format!("At most {REDIRECTS} redirect URIs."));
        return read;
    }
    for uri in uris {
        match RedirectUri::parse(uri) {
            Ok(uri) if read.contains(&uri) => {}
            Ok(uri) => read.push(uri),
            Err(e) => errors.add("redirect_uris", "invalid", format!("“{}”: {e}.", uri.chars().take(100).collect::<String>())),
        }
    }
    read
}

fn origins(asked: &[String], errors: &mut FieldErrors) -> Vec<Origin> {
    read_origins(asked.iter().map(String::as_str), errors)
}

/// An address that people may open: https, as a redirect URI that leads nowhere else.
fn read_page(field: &str, text: &str, errors: &mut FieldErrors) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let page = RedirectUri::parse(text).ok().filter(|uri| uri.host().is_some());
    if page.is_none() {
        errors.add(field, "invalid", "An address such as https://app.example.com/about.");
    }
    page.map(|uri| uri.as_str().to_owned())
}

/// A set of public keys: nothing secret, and of algorithms that are verified here.
fn read_jwks(jwks: &Value, errors: &mut FieldErrors) -> Option<Value> {
    let keys = jwks.get("keys").and_then(Value::as_array).filter(|keys| (1..=10).contains(&keys.len()));
    let public = |key: &Value| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| key.get(name).is_some());
        let known = match text("kty") {
            Some("OKP") => text("crv") == Some("Ed25519") && text("x").is_some(),
            Some("EC") => text("crv") == Some("P-256") && text("x").is_some() && text("y").is_some(),
            Some("RSA") => text("n").is_some_and(|n| (342..=683).contains(&n.len())) && text("e").is_some(),
            _ => false,
        };
        known && !secret && text("kid").is_none_or(|kid| kid.len() <= 200)
    };
    if keys.is_some_and(|keys| keys.iter().all(public)) && jwks.to_string().len() <= 16 * 1024 {
        return Some(jwks.clone());
    }
    errors.add("jwks", "invalid", "A JWK set with 1 to 10 public keys: Ed25519, P-256, or RSA of 2048 to 4096 bits.");
    None
}

impl CreateAppBody {
    /// Reads the body; every wrong member is named at once.
    pub fn parse(&self) -> Result<CreateApp, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = read_name(self.name.as_deref(), &mut errors);
        let kind = word("kind", self.kind.as_deref(), AppKind::Confidential, AppKind::ALL, &mut errors);
        let method = if kind.has_secret() { AuthMethod::ClientSecretBasic } else { AuthMethod::None };
        let terms = AppTerms {
            redirect_uris: read_redirects(self.redirect_uris.as_deref().unwrap_or_default(), &mut errors),
            scopes: read_scopes(self.scopes.as_deref().unwrap_or_default(), &mut errors),
            home_page: self.home_page.as_deref().and_then(|text| read_page("home_page", text, &mut errors)),
            grant_types: match &self.grant_types {
                Some(asked) => words("grant_types", asked, &mut errors, &known(GrantType::ALL)),
                None => kind.grant_types().to_vec(),
            },
            auth_method: word(
                "token_endpoint_auth_method",
                self.token_endpoint_auth_method.as_deref(),
                method,
                AuthMethod::ALL,
                &mut errors,
            ),
            require_pkce: self.require_pkce.unwrap_or_default() || kind == AppKind::Public,
            rotate_refresh_tokens: self.rotate_refresh_tokens.unwrap_or_default() || kind == AppKind::Public,
            always_refresh: self.always_refresh.unwrap_or(kind == AppKind::Confidential),
            access_token_seconds: within("access_token_seconds", self.access_token_seconds, ACCESS, &mut errors),
            refresh_token_days: within("refresh_token_days", self.refresh_token_days, REFRESH, &mut errors),
            id_token_alg: word(
                "id_token_signed_response_alg",
                self.id_token_signed_response_alg.as_deref(),
                IdTokenAlg::Rs256,
                IdTokenAlg::ALL,
                &mut errors,
            ),
            jwks: self.jwks.as_ref().and_then(|jwks| read_jwks(jwks, &mut errors)),
            allow_client_jwts: self.allow_client_jwts.unwrap_or(kind == AppKind::Confidential),
            any_tenant: self.any_tenant.unwrap_or_default(),
            allowed_origins: origins(self.allowed_origins.as_deref().unwrap_or_default(), &mut errors),
        };
        terms.fit(kind, &mut errors);
        errors.into_result(name.map(|name| CreateApp { name, kind, terms }))
    }
}

impl UpdateAppBody {
    /// The name, where it changes, and everything else as it is once this is applied.
    pub fn apply(&self, kind: AppKind, before: &AppTerms) -> Result<(Option<AppName>, AppTerms), FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = self.name.as_deref().and_then(|name| read_name(Some(name), &mut errors));
        let method = self.token_endpoint_auth_method.as_deref();
        let alg = self.id_token_signed_response_alg.as_deref();
        let after = AppTerms {
            redirect_uris: match &self.redirect_uris {
                Some(uris) => read_redirects(uris, &mut errors),
                None => before.redirect_uris.clone(),
            },
            scopes: match &self.scopes {
                Some(scopes) => read_scopes(scopes, &mut errors),
                None => before.scopes.clone(),
            },
            home_page: match &self.home_page {
                Some(text) => text.as_deref().and_then(|text| read_page("home_page", text, &mut errors)),
                None => before.home_page.clone(),
            },
            grant_types: match &self.grant_types {
                Some(asked) => words("grant_types", asked, &mut errors, &known(GrantType::ALL)),
                None => before.grant_types.clone(),
            },
            auth_method: word("token_endpoint_auth_method", method, before.auth_method, AuthMethod::ALL, &mut errors),
            require_pkce: self.require_pkce.unwrap_or(before.require_pkce),
            rotate_refresh_tokens: self.rotate_refresh_tokens.unwrap_or(before.rotate_refresh_tokens),
            always_refresh: self.always_refresh.unwrap_or(before.always_refresh),
            access_token_seconds: within(
                "access_token_seconds",
                self.access_token_seconds,
                (ACCESS.0, ACCESS.1, before.access_token_seconds),
                &mut errors,
            ),
            refresh_token_days: within(
                "refresh_token_days",
                self.refresh_token_days,
                (REFRESH.0, REFRESH.1, before.refresh_token_days),
                &mut errors,
            ),
            id_token_alg: word("id_token_signed_response_alg", alg, before.id_token_alg, IdTokenAlg::ALL, &mut errors),
            jwks: match &self.jwks {
                Some(jwks) => jwks.as_ref().and_then(|jwks| read_jwks(jwks, &mut errors)),
                None => before.jwks.clone(),
            },
            allow_client_jwts: self.allow_client_jwts.unwrap_or(before.allow_client_jwts),
            any_tenant: self.any_tenant.unwrap_or(before.any_tenant),
            allowed_origins: match &self.allowed_origins {
                Some(asked) => origins(asked, &mut errors),
                None => before.allowed_origins.clone(),
            },
        };
        after.fit(kind, &mut errors);
        errors.into_result(Some((name, after)))
    }
}

impl AppTerms {
    /// Do the parts fit each other, and the kind?
    fn fit(&self, kind: AppKind, errors: &mut FieldErrors) {
        if let Some(other) = self.grant_types.iter().find(|g| !kind.grant_types().contains(g)) {
            errors.add("grant_types", "invalid", format!("A {kind} app has no {other}."));
        }
        if self.grant_types.is_empty() {
            errors.add("grant_types", "required", "Name at least one.");
        }
        if self.grant_types == [GrantType::RefreshToken] {
            errors.add("grant_types", "invalid", "A refresh_token comes with an authorization_code.");
        }
        let redirects = self.grant_types.contains(&GrantType::AuthorizationCode);
        if redirects && self.redirect_uris.is_empty() {
            errors.add("redirect_uris", "required", "Name at least one redirect URI.");
        }
        if !redirects && !self.redirect_uris.is_empty() {
            errors.add("redirect_uris", "invalid", "Nobody is led back to an app without authorization_code.");
        }
        // A scheme of its own is claimed by whichever app on the device says so: only PKCE tells them apart (RFC 8252).
        if kind != AppKind::Public && self.redirect_uris.iter().any(RedirectUri::is_of_device) {
            errors.add("redirect_uris", "invalid", "Only public apps have schemes of their own.");
        }
        if (self.auth_method == AuthMethod::None) == kind.has_secret() {
            errors.add("token_endpoint_auth_method", "invalid", "none, for public apps and for them only.");
        }
        if (self.auth_method == AuthMethod::PrivateKeyJwt) && self.jwks.is_none() {
            errors.add("jwks", "required", "private_key_jwt needs the app's public keys.");
        }
        if kind == AppKind::Public && self.allow_client_jwts {
            errors.add("allow_client_jwts", "invalid", "A public app has no secret to sign with.");
        }
        if kind == AppKind::Machine && self.any_tenant {
            errors.add("any_tenant", "invalid", "A machine app acts in its own tenant.");
        }
        if kind == AppKind::Public && !(self.require_pkce && self.rotate_refresh_tokens) {
            errors.add("require_pkce", "invalid", "Public apps bind each code to a challenge, and use a refresh token once.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(extra: Value) -> Result<CreateApp, Vec<String>> {
        let mut body = json!({"name": "Ledger Sync", "redirect_uris": ["https://ledger.test/cb"], "scopes": ["contacts:read", "openid"]});
        for (name, value) in extra.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let body: CreateAppBody = serde_json::from_value(body).map_err(|_| vec!["json".to_owned()])?;
        body.parse().map_err(|e| e.0.into_iter().map(|e| e.field).collect())
    }

    #[test]
    fn an_app_as_the_guides_register_it_is_confidential_and_gets_refresh_tokens() {
        let app = read(json!({})).expect("valid");
        assert_eq!((app.kind, app.terms.auth_method), (AppKind::Confidential, AuthMethod::ClientSecretBasic));
        assert_eq!(app.terms.grant_types, GrantType::ALL);
        assert_eq!((app.terms.require_pkce, app.terms.always_refresh, app.terms.rotate_refresh_tokens), (false, true, false));
        assert_eq!((app.terms.access_token_seconds, app.terms.refresh_token_days, app.terms.id_token_alg), (3_600, 90, IdTokenAlg::Rs256));
    }

    #[test]
    fn s46_s49_a_public_app_has_no_secret_and_always_binds_and_rotates() {
        let app = read(json!({"kind": "public", "require_pkce": false, "rotate_refresh_tokens": false})).expect("valid");
        assert_eq!((app.terms.auth_method, app.terms.require_pkce, app.terms.rotate_refresh_tokens), (AuthMethod::None, true, true));
        assert_eq!(app.terms.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
        let body: UpdateAppBody = serde_json::from_value(json!({"require_pkce": false})).expect("valid");
        assert!(body.apply(AppKind::Public, &app.terms).is_err());
    }

    #[test]
    fn s52_grants_are_those_of_the_kind_and_each_wrong_member_is_named() {
        let key = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
        assert!(read(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": key})).is_ok());
        assert!(read(json!({"kind": "machine", "redirect_uris": []})).is_ok());
        for (extra, field) in [
            (json!({"name": ""}), "name"),
            (json!({"kind": "native"}), "kind"),
            (json!({"redirect_uris": []}), "redirect_uris"),
            (json!({"redirect_uris": ["javascript:alert(1)"]}), "redirect_uris"),
            (json!({"redirect_uris": ["com.example.app:/cb"]}), "redirect_uris"),
            (json!({"kind": "machine"}), "redirect_uris"),
            (json!({"scopes": []}), "scopes"),
            (json!({"grant_types": ["implicit"]}), "grant_types"),
            (json!({"grant_types": ["password"]}), "grant_types"),
            (json!({"grant_types": []}), "grant_types"),
            (json!({"grant_types": ["refresh_token"], "redirect_uris": []}), "grant_types"),
            (json!({"kind": "public", "grant_types": ["client_credentials"], "redirect_uris": []}), "grant_types"),
            (json!({"kind": "machine", "redirect_uris": [], "grant_types": ["authorization_code"]}), "grant_types"),
            (json!({"token_endpoint_auth_method": "none"}), "token_endpoint_auth_method"),
            (json!({"kind": "public", "token_endpoint_auth_method": "client_secret_basic"}), "token_endpoint_auth_method"),
            (json!({"token_endpoint_auth_method": "private_key_jwt"}), "jwks"),
            (json!({"jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "a", "d": "secret"}]}}), "jwks"),
            (json!({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}), "jwks"),
            (json!({"jwks": {"keys": [{"kty": "RSA", "n": "short", "e": "AQAB"}]}}), "jwks"),
            (json!({"access_token_seconds": 59}), "access_token_seconds"),
            (json!({"access_token_seconds": 3_601}), "access_token_seconds"),
            (json!({"refresh_token_days": 0}), "refresh_token_days"),
            (json!({"id_token_signed_response_alg": "none"}), "id_token_signed_response_alg"),
            (json!({"home_page": "http://ledger.test"}), "home_page"),
        ] {
            let refused = read(extra.clone()).expect_err(field);
            assert!(refused.iter().any(|f| f == field), "{extra}: {refused:?}");
        }
    }

    #[test]
    fn s44_origins_are_exact_and_a_wrong_one_is_named_with_its_right_form() {
        let app =
            read(json!({"allowed_origins": ["HTTPS://Ledger.test:443", "https://ledger.test", "http://localhost:5173"]})).expect("valid");
        assert_eq!(
            app.terms.allowed_origins.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["https://ledger.test", "http://localhost:5173"]
        );
        for wrong in ["*", "null", "http://ledger.test", "https://*.ledger.test", "https://ledger.test/app", "ledger.test", ""] {
            assert_eq!(read(json!({"allowed_origins": [wrong]})).expect_err(wrong), ["allowed_origins"], "{wrong}");
        }
        let many: Vec<_> = (0..21).map(|n| format!("https://a{n}.test")).collect();
        assert_eq!(read(json!({"allowed_origins": many})).expect_err("21"), ["allowed_origins"]);
        let body: CreateAppBody = serde_json::from_value(json!({"allowed_origins": ["https://ledger.test/app/"]})).expect("reads");
        let said = body.parse().expect_err("a path").get("allowed_origins").map(ToOwned::to_owned);
        assert_eq!(said.as_deref(), Some("An origin has no path: https://ledger.test."));
        // What was stored before there were any lists none.
        let mut stored = serde_json::to_value(&app.terms).expect("writes");
        stored.as_object_mut().expect("an object").remove("allowed_origins");
        let terms: AppTerms = serde_json::from_value(stored).expect("reads");
        assert!(terms.allowed_origins.is_empty());
        let body: UpdateAppBody = serde_json::from_value(json!({"name": "x"})).expect("reads");
        assert_eq!(body.apply(AppKind::Confidential, &app.terms).expect("valid").1.allowed_origins, app.terms.allowed_origins);
    }

    #[test]
    fn s35_what_the_server_decides_cannot_be_sent() {
        for member in ["id", "client_id", "client_secret", "tenant_id", "state", "secrets", "created_at", "logo", "logo_url"] {
            assert_eq!(read(json!({member: "x"})).expect_err(member), ["json"], "{member}");
        }
    }
}
