//! The audit log: who changed what.

use crate::{
    AuditId, FieldErrors, TenantId, UnixMs,
    credential::words,
    usage::{INSTANT, instant},
};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

words! {
    /// What acted.
    ActorKind {
        /// A person in the console.
        User = "user",
        /// An API key.
        ApiKey = "api_key",
        /// An OAuth app.
        App = "app",
        /// The command line on the server.
        CommandLine = "command_line",
        /// Keystead itself.
        System = "system",
    }
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    /// A person, a key, the command line.
    pub kind: ActorKind,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// What it was called then.
    pub name: String,
}

/// What was acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// `api_key`, `tenant`, `user`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What it was called then.
    pub name: String,
}

/// One recorded change. `hash` covers every other member and the hash before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEvent {
    /// The event.
    pub id: AuditId,
    /// Its place in the tenant's chain, from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: UnixMs,
    /// Who.
    pub actor: Actor,
    /// What was done, as `api_key.created`.
    pub action: String,
    /// To what.
    pub target: Target,
    /// From where.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub ip: Option<IpAddr>,
    /// In which request.
    pub request_id: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What stood before.
    pub before: Option<serde_json::Value>,
    /// What stands after.
    pub after: Option<serde_json::Value>,
    /// Hex SHA-256 of the event and of the one before it.
    pub hash: String,
}

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Events on this object.
    pub target_id: Option<String>,
}

/// Which events, in full; every part that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AuditQuery {
    /// Recorded then or later.
    pub from: Option<UnixMs>,
    /// Recorded before.
    pub to: Option<UnixMs>,
    /// Who: an id, or a name as it was then.
    pub actor: Option<String>,
    /// What was done, as `api_key.created`.
    pub action: Option<String>,
    /// The id of what it was done to.
    pub target: Option<String>,
    /// One request.
    pub request_id: Option<String>,
}

impl AuditQuery {
    /// Reads the members of a query string. Empty ones are left out; an unknown one is an error.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::default();
        for (name, value) in pairs {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let some = Some(value.to_owned());
            match name {
                _ if value.contains(char::is_control) => errors.add(name, "invalid", "Control characters are not allowed."),
                "from" if !instant(&mut query.from, value) => errors.add(name, "invalid", format!("“{value}” is not {INSTANT}.")),
                "to" if !instant(&mut query.to, value) => errors.add(name, "invalid", format!("“{value}” is not {INSTANT}.")),
                "from" | "to" => {}
                "actor" => query.actor = some,
                "action" => query.action = some,
                "target" | "target_id" => query.target = some,
                "request_id" => query.request_id = some,
                _ => errors.add(name, "unknown", "There is no such filter."),
            }
        }
        errors.into_result(Some(query))
    }

    /// Does the actor look like an id, or like a name?
    pub fn actor_is_id(&self) -> bool {
        let id = |a: &str| ["usr_", "key_"].iter().any(|p| a.strip_prefix(p).is_some_and(|h| h.len() == 32));
        self.actor.as_deref().is_some_and(id)
    }
}

impl From<&AuditFilter> for AuditQuery {
    fn from(f: &AuditFilter) -> Self {
        Self { target: f.target_id.clone(), ..Self::default() }
    }
}

/// The end of a tenant's chain, signed by the installation. Kept elsewhere, it shows that the chain up to it was
/// neither cut nor rewritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditHead {
    /// Whose chain.
    pub tenant_id: TenantId,
    /// The number of its last event.
    pub seq: i64,
    /// Hex hash of its last event.
    pub hash: String,
    /// When it was signed: at that event.
    pub signed_at: UnixMs,
    /// Base64 Ed25519 key of the installation.
    pub public_key: String,
    /// Base64 signature over [`AuditHead::signed_text`].
    pub signature: String,
}

impl AuditHead {
    /// What is signed.
    pub fn signed_text(tenant: TenantId, seq: i64, hash: &str, signed_at: UnixMs) -> String {
        format!("keystead audit head v1\n{tenant}\n{seq}\n{hash}\n{}", signed_at.0)
    }
}
