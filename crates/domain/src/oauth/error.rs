//! Errors in the form of RFC 6749, section 5.2.

use crate::{Error, verify::limit::Charge};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What an app is told went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum OauthCode { $($(#[$doc])* $variant,)* }

        impl OauthCode {
            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

codes! {
    /// A parameter is missing, twice there, or wrong.
    InvalidRequest = "invalid_request",
    /// Who asks is not known, or did not prove it.
    InvalidClient = "invalid_client",
    /// A code or a refresh token is not, or no longer, good for this client.
    InvalidGrant = "invalid_grant",
    /// The client may not get tokens this way.
    UnauthorizedClient = "unauthorized_client",
    /// There is no such way.
    UnsupportedGrantType = "unsupported_grant_type",
    /// Tokens that an app signs itself are not ended one by one (RFC 7009, section 2.2.1).
    UnsupportedTokenType = "unsupported_token_type",
    /// Only codes are answered.
    UnsupportedResponseType = "unsupported_response_type",
    /// A scope is unknown, or not for this client.
    InvalidScope = "invalid_scope",
    /// No token is issued for that resource (RFC 8707).
    InvalidTarget = "invalid_target",
    /// The person, or their tenant, said no.
    AccessDenied = "access_denied",
    /// `prompt=none`, and nobody is signed in (OpenID Connect Core, 3.1.2.6).
    LoginRequired = "login_required",
    /// `prompt=none`, and the person was not asked yet.
    ConsentRequired = "consent_required",
    /// `prompt=none`, and the person has to do something else first.
    InteractionRequired = "interaction_required",
    /// Request objects are not read.
    RequestNotSupported = "request_not_supported",
    /// Nor fetched.
    RequestUriNotSupported = "request_uri_not_supported",
    /// For a while.
    TemporarilyUnavailable = "temporarily_unavailable",
    /// Our fault.
    ServerError = "server_error",
}

/// Why an OAuth request is refused.
#[derive(Debug, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OauthError {
    /// For the client's code.
    pub code: OauthCode,
    /// For its developer.
    pub description: String,
    /// What went wrong here, for the log; none where the client is wrong.
    pub fault: Option<Error>,
    /// The limit that was met; none where it is refused for another reason.
    pub limit: Option<Box<Charge>>,
}

impl OauthError {
    /// The client is wrong.
    pub fn new(code: OauthCode, description: impl fmt::Display) -> Self {
        Self { code, description: description.to_string(), fault: None, limit: None }
    }

    /// A parameter is wrong.
    pub fn request(description: impl fmt::Display) -> Self {
        Self::new(OauthCode::InvalidRequest, description)
    }

    /// Over a limit.
    pub fn too_many(charge: Charge) -> Self {
        let limit = Some(Box::new(charge));
        Self { limit, ..Self::new(OauthCode::TemporarilyUnavailable, "Too many requests: wait for Retry-After.") }
    }

    /// A code or a refresh token is worth nothing to this client: one answer for every reason.
    pub(super) fn grant(what: &str) -> Self {
        Self::new(OauthCode::InvalidGrant, format!("The {what} is unknown, expired, used, revoked, or another client's."))
    }
}

impl From<Error> for OauthError {
    fn from(e: Error) -> Self {
        let code = if matches!(e, Error::Unavailable(_)) { OauthCode::TemporarilyUnavailable } else { OauthCode::ServerError };
        Self { code, description: "Try again in a while.".to_owned(), fault: Some(e), limit: None }
    }
}
