//! The usage log: one event for each decided request.

use crate::{Code, CredentialKind, Environment, KeyId, Scope, UnixMs, UsageId, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

words! {
    /// Whether the request passed.
    Outcome {
        /// It did.
        Allowed = "allowed",
        /// It did not.
        Denied = "denied",
    }
}

words! {
    /// Who asked for the decision.
    UsageSource {
        /// Keystead's own API.
        Api = "api",
        /// `POST /v1/verify`.
        Verify = "verify",
        /// A gateway.
        ForwardAuth = "forward_auth",
    }
}

/// One decided request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageEvent {
    /// The event.
    pub id: UsageId,
    /// When it was decided.
    pub at: UnixMs,
    /// The id that the client was given.
    pub request_id: String,
    /// The key, if the credential was known.
    pub credential_id: Option<KeyId>,
    /// Its name now, for people; none for unknown credentials.
    pub credential_name: Option<String>,
    /// What kind of credential it was.
    pub kind: CredentialKind,
    /// Passed or not.
    pub outcome: Outcome,
    /// Why.
    pub code: Code,
    /// Method of the client's request.
    pub method: Option<String>,
    /// Path of the client's request, without its query.
    pub path: Option<String>,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// The credential's environment, or the required one where the credential is unknown.
    pub environment: Environment,
    /// What the request needed.
    pub required_scopes: Vec<Scope>,
    /// Who asked.
    pub source: UsageSource,
    /// How long the decision took, in microseconds.
    pub latency_us: u32,
}

/// Which events; every part that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageFilter {
    /// One key.
    pub credential_id: Option<KeyId>,
    /// Passed or not.
    pub outcome: Option<Outcome>,
    /// One request.
    pub request_id: Option<String>,
}

impl UsageFilter {
    /// Does it let everything through?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
