//! The usage log: one event for each decided request.

use crate::{AllowedIp, AppId, Code, CredentialKind, Environment, FieldErrors, KeyId, Scope, UnixMs, UsageId, credential::words};
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// The app that sent it: for itself, or for a person who allowed it.
    pub client_id: Option<AppId>,
    /// Its name now, for people; none for apps of other tenants.
    pub client_name: Option<String>,
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
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
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

/// Which events, in full; every part that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct UsageQuery {
    /// Decided then or later.
    pub from: Option<UnixMs>,
    /// Decided before.
    pub to: Option<UnixMs>,
    /// One key.
    pub credential_id: Option<KeyId>,
    /// One app.
    pub client_id: Option<AppId>,
    /// Passed or not.
    pub outcome: Option<Outcome>,
    /// Why.
    pub code: Option<Code>,
    /// Method of the client's request.
    pub method: Option<String>,
    /// How its path starts.
    pub path: Option<String>,
    /// The client's address, or a network it lies in.
    pub ip: Option<AllowedIp>,
    /// One request.
    pub request_id: Option<String>,
    /// Live or test; none is both.
    pub environment: Option<Environment>,
    /// What kind of credential.
    pub kind: Option<CredentialKind>,
    /// Who asked.
    pub source: Option<UsageSource>,
}

impl UsageQuery {
    /// Reads the members of a query string. Empty ones are left out; an unknown one is an error, for a misspelt filter
    /// must not become none.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::default();
        for (name, value) in pairs {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let mut word = |ok: bool, wanted: &str| {
                if !ok {
                    errors.add(name, "invalid", format!("“{value}” is not {wanted}."));
                }
            };
            match name {
                _ if value.contains(char::is_control) => errors.add(name, "invalid", "Control characters are not allowed."),
                "from" => word(instant(&mut query.from, value), INSTANT),
                "to" => word(instant(&mut query.to, value), INSTANT),
                "credential_id" => word(put(&mut query.credential_id, value), "the id of a key"),
                "client_id" => word(put(&mut query.client_id, value), "the client id of an app"),
                "outcome" => word(put(&mut query.outcome, value), "allowed or denied"),
                "code" => word(put(&mut query.code, value), "the code of a decision"),
                "method" => query.method = Some(value.to_ascii_uppercase()),
                "path" => query.path = Some(value.to_owned()),
                "ip" => match AllowedIp::parse(value) {
                    Ok(net) => query.ip = Some(net),
                    Err(e) => errors.add(name, "invalid", e.to_string()),
                },
                "request_id" => query.request_id = Some(value.to_owned()),
                "environment" => word(put(&mut query.environment, value), "live or test"),
                "kind" => word(put(&mut query.kind, value), "a kind of credential"),
                "source" => word(put(&mut query.source, value), "api, verify or forward_auth"),
                _ => errors.add(name, "unknown", "There is no such filter."),
            }
        }
        errors.into_result(Some(query))
    }
}

/// What a wrong time is told.
pub(crate) const INSTANT: &str = "a time such as 2026-03-01T12:00:00Z";

/// Reads a time into its place.
pub(crate) fn instant(slot: &mut Option<UnixMs>, value: &str) -> bool {
    // A plus that a query string turned into a blank.
    *slot = UnixMs::parse(value).or_else(|| UnixMs::parse(&value.replace(' ', "+")));
    slot.is_some()
}

fn put<T: FromStr>(slot: &mut Option<T>, value: &str) -> bool {
    *slot = value.parse().ok();
    slot.is_some()
}

impl From<&UsageFilter> for UsageQuery {
    fn from(f: &UsageFilter) -> Self {
        Self { credential_id: f.credential_id, outcome: f.outcome, request_id: f.request_id.clone(), ..Self::default() }
    }
}

words! {
    /// How a summary cuts time.
    Bucket {
        /// By the hour, UTC.
        Hour = "hour",
        /// By the day, UTC.
        Day = "day",
    }
}

impl Bucket {
    /// Its length in milliseconds.
    pub const fn ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => UnixMs::DAY,
        }
    }
}

/// How many events of a time range had which end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageSummary {
    /// From when.
    pub from: UnixMs,
    /// Until before when.
    pub to: UnixMs,
    /// All of them.
    pub total: i64,
    /// Those that passed.
    pub allowed: i64,
    /// Those that did not.
    pub denied: i64,
    /// By code, the most frequent first.
    pub codes: Vec<CodeCount>,
    /// By key, the busiest first; at most 50. Unknown credentials have no id.
    pub keys: Vec<KeyCount>,
    /// How long a bucket is.
    pub bucket: Bucket,
    /// By time, oldest first; buckets without an event are left out.
    pub series: Vec<BucketCount>,
}

/// Events of one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeCount {
    /// Why.
    pub code: Code,
    /// How many.
    pub count: i64,
}

/// Events of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyCount {
    /// The key; none for unknown credentials.
    pub credential_id: Option<KeyId>,
    /// Its name now.
    pub name: Option<String>,
    /// How many passed.
    pub allowed: i64,
    /// How many did not.
    pub denied: i64,
    /// The last one.
    pub last_at: UnixMs,
}

/// Events of one bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BucketCount {
    /// When it starts.
    pub at: UnixMs,
    /// How many passed.
    pub allowed: i64,
    /// How many did not.
    pub denied: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_every_filter_and_refuses_what_it_does_not_know() {
        let all = [
            ("from", "2026-03-01T12:00:00Z"),
            ("to", "2026-03-01T13:00:00 01:00"),
            ("credential_id", "key_00000000000000000000000000000007"),
            ("client_id", "app_00000000000000000000000000000007"),
            ("outcome", "denied"),
            ("code", "EXPIRED"),
            ("method", "get"),
            ("path", "/v2/"),
            ("ip", "198.51.100.0/24"),
            ("request_id", "req_1"),
            ("environment", "test"),
            ("kind", "api_key"),
            ("source", "verify"),
        ];
        let q = UsageQuery::parse(all).expect("reads");
        assert_eq!((q.from, q.from), (q.to, UnixMs::parse("2026-03-01T12:00:00Z")));
        assert_eq!((q.method.as_deref(), q.code, q.outcome), (Some("GET"), Some(Code::Expired), Some(Outcome::Denied)));
        assert!(q.ip.is_some() && q.environment.is_some() && q.kind.is_some() && q.source.is_some() && q.credential_id.is_some());
        assert_eq!(q.client_id.map(AppId::uuid), q.credential_id.map(KeyId::uuid));
        assert_eq!(UsageQuery::parse([("outcome", ""), ("path", " ")]), Ok(UsageQuery::default()));
        for (name, value) in [
            ("outcom", "denied"),
            ("code", "expired"),
            ("from", "yesterday"),
            ("credential_id", "ten_1"),
            ("client_id", "key_00000000000000000000000000000007"),
        ] {
            assert!(UsageQuery::parse([(name, value)]).expect_err(name).get(name).is_some());
        }
        let host_bits = UsageQuery::parse([("ip", "198.51.100.7/24")]).expect_err("refused");
        assert!(host_bits.get("ip").is_some_and(|m| m.contains("198.51.100.0/24")), "s42");
    }
}
