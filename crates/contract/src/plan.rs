//! Plans: how often the credentials of a tenant may be used, unless a key says otherwise (contract, section 3).

use crate::{FieldErrors, RateLimit, key_body::read::check_rate_limit};
use serde::{Deserialize, Serialize};

/// The plan of tenants that have no other.
pub const DEFAULT_PLAN: &str = "default";
/// Longest name.
const MAX_NAME: usize = 40;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What a key may do that names no limit of its own.
    pub rate_limit: RateLimit,
    /// How many tenants have it.
    pub tenants: i64,
}

/// The form that makes or changes a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanForm {
    /// `create`, `save` or `delete`.
    pub act: String,
    /// Its name.
    pub name: String,
    /// Requests an hour.
    pub per_hour: String,
    /// Requests a second.
    pub per_second: String,
}

impl PlanForm {
    /// Reads it; every wrong field is named at once.
    pub fn parse(&self) -> Result<(String, RateLimit), FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
            errors.add("name", "invalid", format!("Lower-case letters, digits and hyphens, at most {MAX_NAME}."));
        }
        let mut number = |field: &str, text: &str| {
            let read = text.trim().replace([' ', ','], "").parse::<u32>();
            read.map_err(|_| errors.add(field, "invalid", "A whole number.")).ok()
        };
        let (per_hour, per_second) = (number("per_hour", &self.per_hour), number("per_second", &self.per_second));
        let limit = per_hour.zip(per_second).map(|(per_hour, per_second)| RateLimit { per_hour, per_second });
        let mut found = FieldErrors::default();
        check_rate_limit(limit, &mut found);
        found.0.into_iter().for_each(|e| errors.add(e.field.trim_start_matches("rate_limit."), &e.code, e.message));
        if limit.is_some_and(|limit| limit.per_second > limit.per_hour) {
            errors.add("per_second", "invalid", "More in a second than in an hour: the limit of the hour would hold already.");
        }
        errors.into_result(limit.map(|limit| (name.to_owned(), limit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_a_plain_name_and_limits_that_a_key_could_have() {
        let form = |name: &str, hour: &str, second: &str| {
            PlanForm { name: name.into(), per_hour: hour.into(), per_second: second.into(), ..PlanForm::default() }.parse()
        };
        assert_eq!(form(" big ", "50,000", "200").expect("good"), ("big".to_owned(), RateLimit { per_hour: 50_000, per_second: 200 }));
        let named = |e: FieldErrors| e.0.into_iter().map(|e| e.field).collect::<Vec<_>>();
        assert_eq!(named(form("Big Plan", "x", "").expect_err("bad")), ["name", "per_hour", "per_second"]);
        assert_eq!(named(form("zero", "0", "0").expect_err("bad")), ["per_hour", "per_second"]);
        assert_eq!(named(form("big", "1000000001", "1000001").expect_err("bad")), ["per_hour", "per_second"]);
        assert_eq!(named(form("odd", "50", "51").expect_err("bad")), ["per_second"]);
        assert!(form("even", "50", "50").is_ok());
    }
}
