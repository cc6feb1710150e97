//! The audit log: who changed what.

use crate::{AuditId, UnixMs, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

words! {
    /// What acted.
    ActorKind {
        /// A person in the console.
        User = "user",
        /// An API key.
        ApiKey = "api_key",
        /// The command line on the server.
        CommandLine = "command_line",
        /// Keystead itself.
        System = "system",
    }
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
