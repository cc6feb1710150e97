//! The leak desk: pasted text, the keys that were found in it, and the reports that follow.

use crate::{
    AppId, AppKind, AppSecretId, AppState, Environment, KeyId, KeyKind, KeyState, LeakId, ScopeSet, SecretId, TenantId, UnixMs,
    credential::words,
};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// What somebody pasted: at the desk up to 1 MiB, from the public up to 64 KiB. It is searched and forgotten, never
/// stored or logged.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LeakText {
    /// Anything: a log, a repository's diff, a mail.
    pub text: String,
}

words! {
    /// What a secret of a key is right now.
    SecretState {
        /// The newest one; works if its key does.
        Current = "current",
        /// Replaced, and valid until its grace ends.
        Grace = "grace",
        /// Works no more: its grace has ended, it was reported, or its key is revoked.
        Dead = "dead",
    }
}

words! {
    /// How a leak became known.
    LeakSource {
        /// A member of the tenant reported it at the leak desk.
        Desk = "desk",
        /// Somebody sent the key to the public endpoint.
        Public = "public",
    }
}

words! {
    /// What a report did by itself.
    LeakEffect {
        /// Nothing yet: the desk decides.
        Recorded = "recorded",
        /// The presented secret was ended.
        Revoked = "revoked",
        /// Gateway and platform keys never die by a report: people were alerted.
        Alerted = "alerted",
        /// The secret did not work any more.
        AlreadyDead = "already_dead",
    }
}

words! {
    /// Is somebody still to look at it?
    LeakState {
        /// Yes.
        Open = "open",
        /// No.
        Closed = "closed",
    }
}

/// What the desk shows of a key that was found; its restrictions and metadata are not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundKey {
    /// The key.
    pub id: KeyId,
    /// What calls with it.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Live or test.
    pub environment: Environment,
    /// What it is right now.
    pub state: KeyState,
    /// What it may do: how bad the leak is.
    pub scopes: ScopeSet,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether it acts for the whole installation.
    pub platform: bool,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was last used, to the minute.
    pub last_used_at: Option<UnixMs>,
    /// When it was revoked.
    pub revoked_at: Option<UnixMs>,
}

/// The secret of it that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundSecret {
    /// The secret.
    pub id: SecretId,
    /// The displayable start of it, as `sk_live_Ab12`.
    pub prefix: String,
    /// Its last four characters.
    pub last_four: String,
    /// Does it still work?
    pub state: SecretState,
    /// When it was made.
    pub created_at: UnixMs,
    /// Until when it works while it is being replaced.
    pub valid_until: Option<UnixMs>,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundTenant {
    /// The tenant.
    pub id: TenantId,
    /// Its name.
    pub name: String,
}

/// Somebody who used the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeakCaller {
    /// From where.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub ip: Option<IpAddr>,
    /// With what.
    pub user_agent: Option<String>,
    /// Requests in the last 30 days, refused ones too.
    pub requests: i64,
    /// Those of them that were refused.
    pub denied: i64,
    /// The last one.
    pub last_at: UnixMs,
}

/// What the key did in the last 30 days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundUsage {
    /// Requests that it was allowed in the last 24 hours.
    pub allowed_24h: i64,
    /// Requests that it was allowed in the last 30 days.
    pub allowed_30d: i64,
    /// Distinct addresses behind those of the last 30 days.
    pub addresses_30d: i64,
    /// The last allowed request.
    pub last_allowed_at: Option<UnixMs>,
    /// Who called with it, the busiest first, ten at most.
    pub callers: Vec<LeakCaller>,
}

/// A key that was found in a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeakMatch {
    /// Which key.
    pub key: FoundKey,
    /// Which of its secrets.
    pub secret: FoundSecret,
    /// Whose.
    pub tenant: FoundTenant,
    /// What it did lately.
    pub usage: FoundUsage,
    /// The open report on this secret, if there is one.
    pub report: Option<LeakId>,
    /// The line of the text where it stood first, from 1; 0 where no text is at hand.
    pub line: u32,
    /// How often it stood there.
    pub times: u32,
}

/// What the desk shows of an app of which a secret was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundApp {
    /// The app.
    pub id: AppId,
    /// What people are asked to allow.
    pub name: String,
    /// What runs it.
    pub kind: AppKind,
    /// Whether it is in use.
    pub state: AppState,
    /// What it may ask for: how bad the leak is.
    pub scopes: ScopeSet,
    /// Who registered it, while they belong to the tenant.
    pub owner: Option<String>,
    /// When it was registered.
    pub created_at: UnixMs,
    /// When it last got a token or used one, to the minute.
    pub last_used_at: Option<UnixMs>,
}

/// The secret of it that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundAppSecret {
    /// The secret.
    pub id: AppSecretId,
    /// Its last four characters.
    pub last_four: String,
    /// Does it still work?
    pub state: SecretState,
    /// When it was made.
    pub created_at: UnixMs,
    /// Until when it works while it is being replaced, or when it ended.
    pub valid_until: Option<UnixMs>,
}

/// A secret of an app that was found in a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeakedApp {
    /// Which app.
    pub app: FoundApp,
    /// Which of its secrets.
    pub secret: FoundAppSecret,
    /// Whose.
    pub tenant: FoundTenant,
    /// What the app did lately, with whichever of its tokens.
    pub usage: FoundUsage,
    /// The line of the text where it stood first, from 1.
    pub line: u32,
    /// How often it stood there.
    pub times: u32,
}

/// What a text held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeakLookup {
    /// The keys that the caller may know of, in the order of the text.
    pub matches: Vec<LeakMatch>,
    /// The secrets of apps, likewise.
    pub apps: Vec<LeakedApp>,
    /// Distinct well-formed keys and secrets of apps that are none of theirs.
    pub unknown: u32,
    /// The text held more keys than one search answers; the rest was not looked at.
    pub truncated: bool,
}

/// A leak that was reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakReport {
    /// The report.
    pub id: LeakId,
    /// The key.
    pub key_id: KeyId,
    /// Its name now.
    pub key_name: String,
    /// Which of its secrets.
    pub secret_id: SecretId,
    /// The displayable start of that secret.
    pub prefix: String,
    /// Its last four characters.
    pub last_four: String,
    /// Does that secret still work?
    pub secret_state: SecretState,
    /// How it became known.
    pub source: LeakSource,
    /// What the report did by itself.
    pub effect: LeakEffect,
    /// Is somebody still to look at it?
    pub state: LeakState,
    /// When.
    pub found_at: UnixMs,
    /// Who reported it.
    pub reported_by: String,
    /// What they said about it.
    pub note: Option<String>,
    /// When the owner was told.
    pub notified_at: Option<UnixMs>,
    /// When it was closed.
    pub closed_at: Option<UnixMs>,
    /// Who closed it.
    pub closed_by: Option<String>,
}

/// One line of a report's timeline: what happened to the key, and who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakEvent {
    /// When.
    pub at: UnixMs,
    /// What, as `leak.notified` or `api_key.revoked`.
    pub action: String,
    /// Who.
    pub actor: String,
    /// Why, in their words.
    pub reason: Option<String>,
}

/// A report with everything that is known of its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakDetail {
    /// The report.
    pub report: LeakReport,
    /// Key, secret, tenant, usage.
    pub found: LeakMatch,
    /// What happened to the key, oldest first.
    pub timeline: Vec<LeakEvent>,
}

/// Which reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakFilter {
    /// Open or closed ones.
    pub state: Option<LeakState>,
    /// Those on one key.
    pub key_id: Option<KeyId>,
}

crate::account::silent!(LeakText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s77_pasted_text_does_not_print() {
        let text = LeakText { text: "sk_live_canary".into() };
        assert!(!format!("{text:?}").contains("canary"));
    }
}
