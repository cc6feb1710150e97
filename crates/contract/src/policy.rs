//! What a tenant demands of its keys, and how long it keeps its log.

use crate::{FieldErrors, KeyId, credential::words, key_body::named};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The policies of a tenant. They hold for what is made or changed from then on; what exists goes on, and is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Policies {
    /// The longest that a key may work from the day on which its expiry is set; none means for ever.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3650))]
    pub max_key_lifetime_days: Option<i64>,
    /// Whether a key may only be used from named addresses: its own, or the tenant's.
    pub require_allowlist: bool,
    /// Whether a member has to answer for each key.
    pub require_owner: bool,
    /// How long decided requests are kept; none means for ever.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3650))]
    pub retention_days: Option<i64>,
}

/// `PATCH /v1/settings`: what is absent stays, `null` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PoliciesBody {
    /// The longest that a key may work.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1, maximum = 3650))]
    #[serde(deserialize_with = "named")]
    pub max_key_lifetime_days: Option<Option<i64>>,
    /// Whether a key may only be used from named addresses.
    pub require_allowlist: Option<bool>,
    /// Whether a member has to answer for each key.
    pub require_owner: Option<bool>,
    /// How long decided requests are kept.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1, maximum = 3650))]
    #[serde(deserialize_with = "named")]
    pub retention_days: Option<Option<i64>>,
}

impl PoliciesBody {
    /// The policies once this is applied to `before`.
    pub fn apply(&self, before: &Policies) -> Result<Policies, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut checked = |field: &str, days: Option<i64>| {
            if days.is_some_and(|n| !(1..=3650).contains(&n)) {
                errors.add(field, "invalid", "1 to 3,650 days, or none.");
            }
            days
        };
        let after = Policies {
            max_key_lifetime_days: checked("max_key_lifetime_days", self.max_key_lifetime_days.unwrap_or(before.max_key_lifetime_days)),
            retention_days: checked("retention_days", self.retention_days.unwrap_or(before.retention_days)),
            require_allowlist: self.require_allowlist.unwrap_or(before.require_allowlist),
            require_owner: self.require_owner.unwrap_or(before.require_owner),
        };
        errors.into_result(Some(after))
    }
}

/// The form of the policies, as a browser sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoliciesForm {
    /// `review` or `save`.
    pub act: String,
    /// Days, or empty.
    pub max_key_lifetime_days: String,
    /// There if it is ticked.
    pub require_allowlist: Option<String>,
    /// There if it is ticked.
    pub require_owner: Option<String>,
    /// Days, or empty.
    pub retention_days: String,
    /// The policies whose consequences were shown.
    pub reviewed: String,
}

impl PoliciesForm {
    /// What is asked for.
    pub fn parse(&self) -> Result<Policies, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut days = |field: &str, text: &str| match text.trim() {
            "" => None,
            text => {
                let read = text.parse().ok().filter(|n| (1..=3650).contains(n));
                if read.is_none() {
                    errors.add(field, "invalid", "1 to 3,650 days, or nothing.");
                }
                read
            }
        };
        let asked = Policies {
            max_key_lifetime_days: days("max_key_lifetime_days", &self.max_key_lifetime_days),
            retention_days: days("retention_days", &self.retention_days),
            require_allowlist: self.require_allowlist.is_some(),
            require_owner: self.require_owner.is_some(),
        };
        errors.into_result(Some(asked))
    }
}

impl From<&Policies> for PoliciesForm {
    fn from(p: &Policies) -> Self {
        let days = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
        let ticked = |on: bool| on.then(|| "1".to_owned());
        Self {
            max_key_lifetime_days: days(p.max_key_lifetime_days),
            require_allowlist: ticked(p.require_allowlist),
            require_owner: ticked(p.require_owner),
            retention_days: days(p.retention_days),
            ..Self::default()
        }
    }
}

words! {
    /// A demand on keys.
    KeyPolicy {
        /// It works for too long.
        MaxLifetime = "max_key_lifetime_days",
        /// It works from anywhere.
        Allowlist = "require_allowlist",
        /// Nobody answers for it.
        Owner = "require_owner",
    }
}

/// A key that does not meet what is demanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violation {
    /// The key.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// What it does not meet.
    pub policies: Vec<KeyPolicy>,
}

/// Keys that do not meet what is demanded, and what retention would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violations {
    /// How many keys.
    pub total: i64,
    /// The first of them, newest first.
    pub first: Vec<Violation>,
    /// Decided requests that are older than they are to be kept.
    pub outdated_events: i64,
}

/// `GET /v1/settings`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantSettings {
    /// What is demanded.
    #[serde(flatten)]
    pub policies: Policies,
    /// What does not meet it now.
    pub violations: Violations,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays_and_null_clears() {
        let before = Policies { max_key_lifetime_days: Some(90), require_owner: true, ..Policies::default() };
        let body: PoliciesBody = serde_json::from_str(r#"{"max_key_lifetime_days":null,"retention_days":30}"#).expect("reads");
        let after = body.apply(&before).expect("valid");
        assert_eq!(after, Policies { require_owner: true, retention_days: Some(30), ..Policies::default() });
        let bad: PoliciesBody = serde_json::from_str(r#"{"max_key_lifetime_days":0,"retention_days":4000}"#).expect("reads");
        assert_eq!(bad.apply(&before).expect_err("refused").0.len(), 2);
    }

    #[test]
    fn a_form_reads_back_what_it_shows() {
        let policies = Policies { max_key_lifetime_days: Some(90), require_allowlist: true, require_owner: false, retention_days: None };
        assert_eq!(PoliciesForm::from(&policies).parse(), Ok(policies));
        let bad = PoliciesForm { retention_days: "a year".into(), ..PoliciesForm::default() };
        assert!(bad.parse().is_err_and(|e| e.get("retention_days").is_some()));
    }
}
