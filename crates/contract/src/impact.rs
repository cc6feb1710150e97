//! What a change would break, what a key does not need, and who still uses an old secret.

use crate::{AllowedIp, Scope, ScopeSet, SecretId, UnixMs};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// A change of a key that is being considered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It goes for good.
    Revoke,
    /// It holds these permissions and no others.
    Scopes(ScopeSet),
    /// It works from these addresses and no others; none means from anywhere.
    AllowedIps(Vec<AllowedIp>),
}

impl Change {
    /// Reads `revoke`, `scopes:a,b` or `allowed_ips:a,b`; what is wrong with it is a sentence.
    pub fn parse(s: &str) -> Result<Self, String> {
        let (what, list) = s.split_once(':').unwrap_or((s, ""));
        let parts = list.split([',', ' ', '\n']).map(str::trim).filter(|p| !p.is_empty());
        match what {
            "revoke" if s == "revoke" => Ok(Self::Revoke),
            "scopes" if s != what => {
                let scopes = parts.map(|p| Scope::parse(p).map_err(|e| format!("“{p}”: {e}."))).collect::<Result<_, _>>()?;
                Ok(Self::Scopes(ScopeSet(scopes)))
            }
            "allowed_ips" if s != what => {
                Ok(Self::AllowedIps(parts.map(|p| AllowedIp::parse(p).map_err(|e| e.to_string())).collect::<Result<_, _>>()?))
            }
            _ => Err("A change is revoke, scopes:a,b or allowed_ips:a,b.".to_owned()),
        }
    }
}

impl FromStr for Change {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::parse(s)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoke => f.write_str("revoke"),
            Self::Scopes(s) => write!(f, "scopes:{}", s.0.iter().map(Scope::as_str).collect::<Vec<_>>().join(",")),
            Self::AllowedIps(ips) => write!(f, "allowed_ips:{}", ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

impl Serialize for Change {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Who sent requests: all of one address, program and path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallerSeen {
    /// From where.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub ip: Option<IpAddr>,
    /// With what.
    pub user_agent: Option<String>,
    /// For what.
    pub path: Option<String>,
    /// How many.
    pub count: i64,
    /// The last of them.
    pub last_seen_at: UnixMs,
}

/// The requests of the last 30 days that a change would have refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Impact {
    /// Looked at from then on.
    pub since: UnixMs,
    /// Requests that were allowed.
    pub allowed: i64,
    /// Those of them that the change would have refused.
    pub lost: i64,
    /// Those of the last 24 hours.
    pub lost_24h: i64,
    /// Distinct addresses behind the lost ones.
    pub addresses: i64,
    /// The last of them.
    pub last_lost_at: Option<UnixMs>,
    /// Who sent them, the busiest first; at most 100.
    pub callers: Vec<CallerSeen>,
    /// How many callers there are in all.
    pub callers_total: i64,
}

/// A permission that a key holds, and what it was good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantUse {
    /// The permission.
    pub scope: Scope,
    /// Allowed requests of the last 30 days that needed it and that no narrower one of the key covered.
    pub count: i64,
    /// The last of them.
    pub last_used_at: Option<UnixMs>,
    /// What they needed.
    pub needed: Vec<Scope>,
    /// Whether its use can be told from the log. Broad permissions of a key that called without a stated requirement
    /// cannot: they are kept.
    pub known: bool,
}

/// Granted against used permissions of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// Looked at from then on.
    pub since: UnixMs,
    /// Allowed requests.
    pub requests: i64,
    /// Those of them that stated no requirement.
    pub without_requirement: i64,
    /// What it holds, in its own order.
    pub granted: Vec<GrantUse>,
    /// What it holds and did not need.
    pub unused: Vec<Scope>,
    /// A narrower set that would have allowed the same requests; none where there is nothing to narrow or nothing to
    /// go by.
    pub suggested: Option<ScopeSet>,
}

/// One secret of a key that works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    /// Which.
    pub secret_id: SecretId,
    /// Its displayable start.
    pub prefix: String,
    /// Its last four characters.
    pub last_four: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// Until when it works; none for the one that stays.
    pub valid_until: Option<UnixMs>,
    /// Allowed requests with it since the newest secret was made.
    pub count: i64,
    /// The last allowed request with it in the last 30 days.
    pub last_seen_at: Option<UnixMs>,
    /// Who sent them, the latest first; at most 100.
    pub callers: Vec<CallerSeen>,
}

/// A key during a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cockpit {
    /// The secret that stays.
    pub current: SecretUse,
    /// The ones that end, the latest to end first; empty when the key is not being rotated.
    pub old: Vec<SecretUse>,
    /// How long nobody may have used an old secret before it is safe to retire, in hours.
    pub quiet_hours: u32,
    /// Whether no old secret was used for so long, or none is left; never of a gateway's key, whose secrets the log does
    /// not tell apart.
    pub safe_to_retire: bool,
    /// When it becomes safe if nobody uses one from now on; none when it is.
    pub safe_at: Option<UnixMs>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_word_that_reads_back() {
        for good in ["revoke", "scopes:users:read,write", "scopes:", "allowed_ips:198.51.100.0/24,2001:db8::1", "allowed_ips:"] {
            assert_eq!(Change::parse(good).expect(good).to_string(), good);
        }
        for bad in ["", "revoke:", "scopes", "allowed_ips", "rotate", "scopes:A", "allowed_ips:1.2.3.4/8"] {
            assert!(Change::parse(bad).is_err(), "{bad}");
        }
        assert!(Change::parse("allowed_ips:1.2.3.4/8").expect_err("refused").contains("1.0.0.0/8"), "s42");
    }
}
