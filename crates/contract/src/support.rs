//! Support access: an operator of the installation in somebody else's tenant, for some hours and for a reason.

use crate::{FieldErrors, Role, SupportId, UnixMs, credential::words, shows};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// Why an operator enters a tenant.
    SupportReason {
        /// Somebody of the tenant asked for help.
        Request = "request",
        /// Something is wrong, or may be: an attack, an outage.
        Incident = "incident",
        /// Plan, limits, invoices.
        Billing = "billing",
        /// What the note says.
        Other = "other",
    }
}

/// How many hours an access can be opened for.
pub const SUPPORT_HOURS: [i64; 3] = [1, 4, 24];
/// As what an operator can enter: the least comes first. None of them makes or widens what would outlive the access.
pub const SUPPORT_ROLES: [Role; 2] = [Role::Support, Role::Security];
/// Longest note.
const MAX_NOTE: usize = 200;

/// The form that opens an access.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupportForm {
    /// A [`SupportReason`].
    pub why: String,
    /// What the tenant reads beside it: the number of their ticket, say.
    pub note: String,
    /// One of [`SUPPORT_ROLES`].
    pub role: String,
    /// One of [`SUPPORT_HOURS`].
    pub hours: String,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSupport {
    /// Why.
    pub reason: SupportReason,
    /// In words.
    pub note: String,
    /// As what.
    pub role: Role,
    /// For how many hours.
    pub hours: i64,
}

impl SupportForm {
    /// Reads it; every wrong field is named at once.
    pub fn parse(&self) -> Result<OpenSupport, FieldErrors> {
        let mut errors = FieldErrors::default();
        let reason = self.why.parse().map_err(|()| errors.add("why", "invalid", "Choose a reason.")).ok();
        let note = self.note.trim();
        if note.is_empty() {
            errors.add("note", "required", "Say what for: the tenant reads it.");
        } else if note.chars().count() > MAX_NOTE || !note.chars().all(shows) {
            errors.add("note", "invalid", format!("At most {MAX_NOTE} characters that show, on one line."));
        }
        let role = self.role.parse().ok().filter(|role| SUPPORT_ROLES.contains(role));
        let role = role.ok_or_else(|| errors.add("role", "invalid", "Choose a role.")).ok();
        let hours = self.hours.parse().ok().filter(|hours| SUPPORT_HOURS.contains(hours));
        let hours = hours.ok_or_else(|| errors.add("hours", "invalid", "Choose how long.")).ok();
        let asked = reason.zip(role).zip(hours).map(|((reason, role), hours)| OpenSupport { reason, note: note.to_owned(), role, hours });
        errors.into_result(asked)
    }
}

/// An access, as the tenant sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportAccess {
    /// The access.
    pub id: SupportId,
    /// Who: an operator of the installation.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Why.
    pub reason: SupportReason,
    /// In words.
    pub note: String,
    /// When it was opened.
    pub created_at: UnixMs,
    /// When it ends at the latest.
    pub expires_at: UnixMs,
    /// When it was ended before.
    pub ended_at: Option<UnixMs>,
}

impl SupportAccess {
    /// Can it be used?
    pub fn is_open(&self, now: UnixMs) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_needs_a_reason_words_a_role_and_a_time_and_owner_is_none() {
        let form = |why: &str, note: &str, role: &str, hours: &str| {
            SupportForm { why: why.into(), note: note.into(), role: role.into(), hours: hours.into() }.parse()
        };
        let good = OpenSupport { reason: SupportReason::Request, note: "ticket 7".into(), role: Role::Support, hours: 4 };
        assert_eq!(form("request", " ticket 7 ", "support", "4").expect("good"), good);
        let named = |e: FieldErrors| e.0.into_iter().map(|e| e.field).collect::<Vec<_>>();
        assert_eq!(named(form("", " ", "owner", "5").expect_err("bad")), ["why", "note", "role", "hours"]);
        assert_eq!(named(form("other", "a\nb", "developer", "24").expect_err("bad")), ["note", "role"]);
    }
}
