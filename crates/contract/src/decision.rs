//! A decision: may this credential do this, from here, now? (contract, section 4)

use crate::{Environment, ErrorCode, Scope, UnixMs};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// The outcome of a decision. The order of the variants is the order of the checks; the first failure decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// Everything passed.
    Valid,
    /// No credential was sent. In the usage log only, as is the next: a question to Keystead always holds one.
    Unauthorized,
    /// Two different credentials were sent, and neither was looked at.
    ConflictingCredentials,
    /// Not a credential at all: wrong form or checksum.
    Malformed,
    /// Well-formed, but nobody's; also one the caller may not verify for.
    NotFound,
    /// Revoked, or an old secret whose grace has ended.
    Revoked,
    /// Switched off.
    Disabled,
    /// `not_before` lies ahead.
    NotYetValid,
    /// `expires_at` has passed.
    Expired,
    /// Live against test.
    EnvironmentMismatch,
    /// A token for somebody else.
    AudienceMismatch,
    /// Outside the allowlist of the key or the tenant, or the address is unknown.
    IpNotAllowed,
    /// A required scope is not held.
    InsufficientScope,
    /// Too many requests.
    RateLimited,
}

impl Code {
    /// Every code, in the order of the checks.
    pub const ALL: [Self; 14] = [
        Self::Valid,
        Self::Unauthorized,
        Self::ConflictingCredentials,
        Self::Malformed,
        Self::NotFound,
        Self::Revoked,
        Self::Disabled,
        Self::NotYetValid,
        Self::Expired,
        Self::EnvironmentMismatch,
        Self::AudienceMismatch,
        Self::IpNotAllowed,
        Self::InsufficientScope,
        Self::RateLimited,
    ];

    /// The word in JSON and in the usage log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::ConflictingCredentials => "CONFLICTING_CREDENTIALS",
            Self::Malformed => "MALFORMED",
            Self::NotFound => "NOT_FOUND",
            Self::Revoked => "REVOKED",
            Self::Disabled => "DISABLED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::Expired => "EXPIRED",
            Self::EnvironmentMismatch => "ENVIRONMENT_MISMATCH",
            Self::AudienceMismatch => "AUDIENCE_MISMATCH",
            Self::IpNotAllowed => "IP_NOT_ALLOWED",
            Self::InsufficientScope => "INSUFFICIENT_SCOPE",
            Self::RateLimited => "RATE_LIMITED",
        }
    }

    /// A sentence for the usage log.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Valid => "Allowed",
            Self::Unauthorized => "No credential was sent",
            Self::ConflictingCredentials => "Two different credentials were sent",
            Self::Malformed => "Not a key: wrong form or checksum",
            Self::NotFound => "Unknown key",
            Self::Revoked => "The key is revoked",
            Self::Disabled => "The key is disabled",
            Self::NotYetValid => "The key is not valid yet",
            Self::Expired => "The key has expired",
            Self::EnvironmentMismatch => "Wrong environment",
            Self::AudienceMismatch => "Token for another audience",
            Self::IpNotAllowed => "Address not allowed",
            Self::InsufficientScope => "Missing permission",
            Self::RateLimited => "Rate limit exceeded",
        }
    }

    /// What the client of the protected API is told; nothing about why a key does not work.
    pub const fn public(self) -> Option<ErrorCode> {
        match self {
            Self::Valid => None,
            Self::Unauthorized => Some(ErrorCode::Unauthorized),
            Self::ConflictingCredentials => Some(ErrorCode::ConflictingCredentials),
            Self::Malformed | Self::NotFound | Self::Revoked | Self::Disabled | Self::NotYetValid | Self::Expired => {
                Some(ErrorCode::InvalidApiKey)
            }
            Self::EnvironmentMismatch => Some(ErrorCode::EnvironmentMismatch),
            Self::AudienceMismatch => Some(ErrorCode::InvalidToken),
            Self::IpNotAllowed => Some(ErrorCode::IpNotAllowed),
            Self::InsufficientScope => Some(ErrorCode::InsufficientPermissions),
            Self::RateLimited => Some(ErrorCode::RateLimitExceeded),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|c| c.as_str() == s).ok_or(())
    }
}

/// What a request needs, beside a credential that works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// All of these must be held.
    pub scopes: Vec<Scope>,
    /// The environment; none means the installation's.
    pub environment: Option<Environment>,
    /// The audience a token must name.
    pub audience: Option<String>,
}

/// Body of `POST /v1/verify`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The credential as the client sent it.
    pub credential: String,
    /// Scopes that the request needs.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// The client's address.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(default)]
    pub ip: Option<IpAddr>,
    /// The environment that the request needs; absent means the installation's.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// The audience that a token must name.
    #[serde(default)]
    pub audience: Option<String>,
    /// Method of the client's request, for the log.
    #[serde(default)]
    pub method: Option<String>,
    /// Path of the client's request, for the log; a query is cut off.
    #[serde(default)]
    pub path: Option<String>,
    /// User agent of the client, for the log.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// How much of the rate limit the request uses; 0 uses nothing.
    #[serde(default = "one")]
    pub cost: u32,
}

crate::account::silent!(VerifyRequest);

const fn one() -> u32 {
    1
}

/// What is left of the window that an answer speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RateLimitState {
    /// Requests the window admits.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
    /// When it is full again, Unix seconds.
    pub reset: i64,
}

/// Answer of `POST /v1/verify`. Identity is null for `MALFORMED` and `NOT_FOUND`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyResponse {
    /// Whether the request may pass.
    pub valid: bool,
    /// Why, or why not.
    pub code: Code,
    /// What kind of credential it is.
    pub kind: Option<crate::CredentialKind>,
    /// The key or token.
    pub credential_id: Option<String>,
    /// Whose it is.
    pub tenant_id: Option<String>,
    /// On whose behalf a token acts.
    pub subject: Option<String>,
    /// The OAuth client of a token.
    pub client_id: Option<String>,
    /// Live or test.
    pub environment: Option<Environment>,
    /// What the credential holds.
    pub scopes: Vec<Scope>,
    /// What its owner attached to it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: serde_json::Value,
    /// When it expires.
    pub expires_at: Option<UnixMs>,
    /// The hour's limit, or that of the window that refused; null for what has no limit or passed no further check.
    pub rate_limit: Option<RateLimitState>,
    /// The request it answers.
    pub request_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_words_that_read_back() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(code));
            assert_eq!(serde_json::to_value(code).expect("a word"), code.as_str());
        }
    }

    #[test]
    fn s37_what_is_wrong_with_a_key_has_one_public_answer() {
        for code in [Code::Malformed, Code::NotFound, Code::Revoked, Code::Disabled, Code::NotYetValid, Code::Expired] {
            assert_eq!(code.public(), Some(ErrorCode::InvalidApiKey), "{code}");
        }
    }
}
