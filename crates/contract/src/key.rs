//! API keys as clients and the console see them (contract, section 5).

use crate::{AllowedIp, Environment, KeyId, KeyKind, KeyName, KeyState, Scope, ScopeSet, UnixMs};
use serde::{Deserialize, Serialize};

/// Requests that a credential may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// In a sliding hour.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000_000))]
    pub per_hour: u32,
    /// In a second.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub per_second: u32,
}

/// An API key; its secret is not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// The key.
    pub id: KeyId,
    /// What calls with it.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Live or test.
    pub environment: Environment,
    /// The displayable start of its secret, as `sk_live_Ab12`.
    pub prefix: String,
    /// The last four characters of its secret.
    pub last_four: String,
    /// What it is right now.
    pub state: KeyState,
    /// What it may do.
    pub scopes: ScopeSet,
    /// From where; empty means from anywhere.
    pub allowed_ips: Vec<AllowedIp>,
    /// From when.
    pub not_before: Option<UnixMs>,
    /// Until when.
    pub expires_at: Option<UnixMs>,
    /// How often; none means the plan's limit.
    pub rate_limit: Option<RateLimit>,
    /// What its owner attached to it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: serde_json::Value,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether it acts for the whole installation.
    pub platform: bool,
    /// When it was made.
    pub created_at: UnixMs,
    /// Who made it.
    pub created_by: String,
    /// When it was last used, to the minute.
    pub last_used_at: Option<UnixMs>,
    /// When it was revoked.
    pub revoked_at: Option<UnixMs>,
}

impl ApiKey {
    /// `sk_live_Ab12…7Q2f`: enough to recognise a key, too little to use it.
    pub fn display(&self) -> String {
        format!("{}…{}", self.prefix, self.last_four)
    }
}

/// What a new key shall be; every part is valid by itself. What the maker may grant is judged by the domain.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateKey {
    /// What calls with it.
    pub name: KeyName,
    /// Live or test.
    pub environment: Environment,
    /// What it is for.
    pub kind: KeyKind,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From where; empty means from anywhere.
    pub allowed_ips: Vec<AllowedIp>,
    /// From when.
    pub not_before: Option<UnixMs>,
    /// Until when.
    pub expires_at: Option<UnixMs>,
    /// How often; none means the plan's limit.
    pub rate_limit: Option<RateLimit>,
    /// A JSON object of at most 16 kB.
    pub metadata: serde_json::Value,
    /// Who answers for it; none means the maker.
    pub owner: Option<String>,
    /// Whether it acts for the whole installation; only platform admins may say so.
    pub platform: bool,
}

/// What shall change of a key; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateKey {
    /// What calls with it.
    pub name: Option<KeyName>,
    /// What it may do.
    pub scopes: Option<Vec<Scope>>,
    /// From where; empty means from anywhere.
    pub allowed_ips: Option<Vec<AllowedIp>>,
    /// Until when; an inner none means until it is revoked.
    pub expires_at: Option<Option<UnixMs>>,
    /// From when; an inner none means at once.
    pub not_before: Option<Option<UnixMs>>,
    /// How often; an inner none means the plan's limit.
    pub rate_limit: Option<Option<RateLimit>>,
    /// A JSON object of at most 16 kB.
    pub metadata: Option<serde_json::Value>,
    /// Who answers for it; an inner none means nobody.
    pub owner: Option<Option<String>>,
}

/// The answer to a creation, and the only place where the secret ever stands.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedKey {
    /// The key.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// The whole secret, shown once; none when the same form was posted before.
    pub key: Option<String>,
}

/// Which keys of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFilter {
    /// Part of the name, or the start of a prefix or id.
    pub q: Option<String>,
    /// Only this state.
    pub state: Option<KeyState>,
    /// Only this environment.
    pub environment: Option<Environment>,
    /// Only this kind.
    #[serde(default)]
    pub kind: Option<KeyKind>,
}

impl KeyFilter {
    /// Does a person see less than everything of the environment?
    pub const fn narrows(&self) -> bool {
        self.q.is_some() || self.state.is_some() || self.kind.is_some()
    }
}

/// What a key did lately: the consequence of revoking it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyImpact {
    /// Requests that it was allowed in the last 30 days.
    pub allowed_30d: i64,
    /// Requests that it was allowed in the last 24 hours.
    pub allowed_24h: i64,
    /// Distinct addresses behind those of the last 30 days.
    pub addresses_30d: i64,
    /// The last allowed request.
    pub last_allowed_at: Option<UnixMs>,
}

/// The form on the revoke page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeForm {
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: String,
    /// The name of the key, typed.
    #[serde(default)]
    pub confirm: String,
}

crate::account::silent!(CreatedKey);
