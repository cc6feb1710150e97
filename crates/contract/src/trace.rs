//! Why was it decided so? The checks of one decision, with the facts of that moment.

use crate::{AllowedIp, Environment, KeyKind, RateLimit, ScopeSet, SecretId, UnixMs, UsageEvent, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a key was allowed at the moment of a decision. Stored once for each content, under its hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// What the key is for.
    pub kind: KeyKind,
    /// Live or test.
    pub environment: Environment,
    /// What it may do.
    pub scopes: ScopeSet,
    /// From where; empty means from anywhere.
    pub allowed_ips: Vec<AllowedIp>,
    /// From where the tenant's live keys may be used; empty means from anywhere.
    pub tenant_allowed_ips: Vec<AllowedIp>,
    /// How often.
    pub rate_limit: RateLimit,
    /// From when.
    pub not_before: Option<UnixMs>,
    /// Until when.
    pub expires_at: Option<UnixMs>,
    /// Since when it was switched off.
    pub disabled_at: Option<UnixMs>,
    /// Since when it was gone.
    pub revoked_at: Option<UnixMs>,
    /// Until when the secret that was used worked, while it was being replaced.
    pub secret_valid_until: Option<UnixMs>,
    /// Verbs of the tenant's own, which scopes were read with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verbs: Vec<String>,
}

/// What was left of the limit that a decision was charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitFacts {
    /// Requests that the window admits.
    pub limit: u32,
    /// What was left of it.
    pub remaining: u32,
    /// When it was full again, Unix seconds.
    pub reset: i64,
}

words! {
    /// The checks of a decision, in their order.
    CheckName {
        /// Prefix, length, checksum.
        Format = "format",
        /// Somebody's key, and one that the caller may ask about.
        Known = "known",
        /// Not revoked, and no old secret whose grace has ended.
        Revoked = "revoked",
        /// Not switched off.
        Disabled = "disabled",
        /// Valid already.
        NotBefore = "not_before",
        /// Valid still.
        Expiry = "expiry",
        /// Live or test.
        Environment = "environment",
        /// For whom a token is.
        Audience = "audience",
        /// The allowlists of the key and of the tenant.
        Ip = "ip",
        /// Permissions, and the tenant to act in.
        Scope = "scope",
        /// How often.
        Limit = "limit",
    }
}

words! {
    /// How a check ended.
    CheckOutcome {
        /// It held.
        Passed = "passed",
        /// It did not: this is the reason.
        Failed = "failed",
        /// It was not reached, for an earlier one failed.
        Skipped = "skipped",
    }
}

/// One check of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// Which.
    pub name: CheckName,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What it looked at, in one sentence.
    pub message: String,
    /// The same for programs.
    pub facts: serde_json::Value,
}

/// One decided request with its checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trace {
    /// The event.
    #[serde(flatten)]
    pub event: UsageEvent,
    /// Which secret of the key was used.
    pub secret_id: Option<SecretId>,
    /// The version of the API that the caller was written for, as it says (`X-API-Version`).
    #[serde(default)]
    pub api_version: Option<String>,
    /// The caller's own version, as it says (`X-Client-Version`).
    #[serde(default)]
    pub client_version: Option<String>,
    /// How much of the limit the request asked for.
    pub cost: u32,
    /// The checks, in their order.
    pub checks: Vec<Check>,
}
