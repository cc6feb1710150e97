//! People of a tenant, and those who were asked to join it.

use crate::{Email, FieldErrors, InvitationId, Role, UnixMs, UserId, account::silent, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A person who works in the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Whether they followed a link that was mailed to it: before that, whoever invited them may have made the account.
    pub email_proved: bool,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub joined_at: UnixMs,
    /// Whether their account is switched off, everywhere.
    pub disabled: bool,
    /// The keys of the tenant that they answer for and that are not revoked.
    pub keys: i64,
}

/// `PATCH /v1/members/{id}`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MemberBody {
    /// What they may do from now on.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Role))]
    pub role: Option<String>,
}

impl MemberBody {
    /// The role.
    pub fn parse(&self) -> Result<Role, FieldErrors> {
        let mut errors = FieldErrors::default();
        let role = read_role(self.role.as_deref(), &mut errors);
        errors.into_result(role)
    }
}

words! {
    /// How somebody is helped back in.
    Recovery {
        /// Their second factor is taken away; they set up another one.
        SecondFactor = "reset_two_factor",
        /// They get a link that sets a new password.
        Link = "reset_link",
    }
}

/// The form that helps somebody back in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecoverForm {
    /// A [`Recovery`].
    pub act: String,
    /// Whom, where no member is named otherwise.
    pub email: String,
    /// Why, for the audit log.
    pub reason: String,
}

/// A link that sets a new password, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetUrl {
    /// Whose.
    pub email: String,
    /// Where.
    pub url: String,
}

words! {
    /// What became of an invitation.
    InvitationState {
        /// Its link works.
        Open = "open",
        /// Its time is over.
        Expired = "expired",
        /// Somebody joined by it.
        Accepted = "accepted",
        /// It was taken back, or another one replaced it.
        Withdrawn = "withdrawn",
    }
}

/// Somebody who was asked to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// Whom it is for.
    pub email: String,
    /// As what they join.
    pub role: Role,
    /// What became of it.
    pub state: InvitationState,
    /// When it was made.
    pub created_at: UnixMs,
    /// Who made it.
    pub created_by: String,
    /// Until when its link works.
    pub expires_at: UnixMs,
}

/// The answer to an invitation, and the only place where its link stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedInvitation {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Where it is accepted; shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_url: Option<String>,
}

/// `POST /v1/invitations`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InviteBody {
    /// Whom to ask.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Email))]
    pub email: Option<String>,
    /// As what.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Role))]
    pub role: Option<String>,
    /// How long the link works; none means 7 days.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 30))]
    pub expires_in_days: Option<i64>,
}

/// An invitation as it was asked for, each part valid by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Whom.
    pub email: Email,
    /// As what.
    pub role: Role,
    /// How long the link works, in days.
    pub days: i64,
}

impl InviteBody {
    /// Reads it; every wrong member is named at once.
    pub fn parse(&self) -> Result<Invite, FieldErrors> {
        let mut errors = FieldErrors::default();
        let email = match self.email.as_deref().map(str::trim).filter(|e| !e.is_empty()) {
            None => {
                errors.add("email", "required", "Enter the address of the person you invite.");
                None
            }
            Some(email) => Email::parse(email).map_err(|e| errors.add("email", "invalid", e.to_string())).ok(),
        };
        let role = read_role(self.role.as_deref(), &mut errors);
        let days = self.expires_in_days.unwrap_or(7);
        if !(1..=30).contains(&days) {
            errors.add("expires_in_days", "invalid", "1 to 30 days.");
        }
        let read = email.zip(role).map(|(email, role)| Invite { email, role, days });
        errors.into_result(read)
    }
}

fn read_role(text: Option<&str>, errors: &mut FieldErrors) -> Option<Role> {
    match text.map(str::trim).filter(|r| !r.is_empty()) {
        None => {
            errors.add("role", "required", "Choose a role.");
            None
        }
        Some(role) => {
            let read = role.parse().ok();
            if read.is_none() {
                errors.add("role", "invalid", "One of owner, admin, developer, security and support.");
            }
            read
        }
    }
}

/// The page that an invitation's link leads to.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptForm {
    /// The secret of the link.
    #[serde(default)]
    pub token: String,
    /// The password of a new account; never sent back.
    #[serde(default)]
    pub password: String,
}

silent!(AcceptForm, CreatedInvitation, ResetUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_member_of_an_invitation_is_named_at_once() {
        let bad = InviteBody { email: Some("x".into()), role: Some("king".into()), expires_in_days: Some(31) };
        let fields: Vec<String> = bad.parse().expect_err("refused").0.into_iter().map(|e| e.field).collect();
        assert_eq!(fields, ["email", "role", "expires_in_days"]);
        let good = InviteBody { email: Some(" A@b.test ".into()), role: Some("admin".into()), expires_in_days: None };
        let read = good.parse().expect("valid");
        assert_eq!((read.email.as_str(), read.role, read.days), ("a@b.test", Role::Admin, 7));
    }

    #[test]
    fn a_link_that_is_shown_once_does_not_print() {
        let form = AcceptForm { token: "secret-token".into(), password: "secret-word".into() };
        assert!(!format!("{form:?}").contains("secret-"));
    }
}
