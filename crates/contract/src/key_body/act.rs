//! The small bodies: replacing and ending keys.

use crate::{FieldErrors, KeyId};
use serde::Deserialize;

/// `POST /v1/api-keys/{id}/rotate`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RotateBody {
    /// How long the old secret goes on working; none means not at all.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 604_800))]
    pub grace_seconds: Option<i64>,
}

impl RotateBody {
    /// The longest overlap: 7 days.
    pub const MAX_GRACE: i64 = 604_800;

    /// The overlap in seconds.
    pub fn grace(&self) -> Result<i64, FieldErrors> {
        let seconds = self.grace_seconds.unwrap_or(0);
        if (0..=Self::MAX_GRACE).contains(&seconds) {
            Ok(seconds)
        } else {
            Err(FieldErrors::one("grace_seconds", "invalid", format!("0 to {} seconds (7 days).", Self::MAX_GRACE)))
        }
    }
}

/// `{reason}` of a revocation.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ReasonBody {
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// `{}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

/// `POST /v1/api-keys/bulk-revoke`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BulkRevokeBody {
    /// Which keys.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Vec<KeyId>, min_items = 1, max_items = 1000))]
    pub ids: Vec<String>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

impl BulkRevokeBody {
    /// Most keys of one call.
    pub const MAX: usize = 1_000;

    /// The ids. What is no id of a key names no key of this tenant either: that is `None`, and answered as such.
    pub fn ids(&self) -> Result<Option<Vec<KeyId>>, FieldErrors> {
        match self.ids.len() {
            0 => Err(FieldErrors::one("ids", "required", "Name at least one key.")),
            n if n > Self::MAX => Err(FieldErrors::one("ids", "too_long", format!("At most {} keys.", Self::MAX))),
            _ => Ok(self.ids.iter().map(|id| id.parse().ok()).collect()),
        }
    }
}

/// The words of a revocation: at most 500 characters, nothing that a terminal or a database would trip over.
pub fn read_reason(reason: Option<&str>) -> Result<Option<String>, FieldErrors> {
    let reason = reason.unwrap_or_default().trim();
    if reason.chars().count() > 500 {
        return Err(FieldErrors::one("reason", "too_long", "At most 500 characters."));
    }
    if reason.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
        return Err(FieldErrors::one("reason", "invalid", "Control characters are not allowed."));
    }
    Ok(Some(reason.to_owned()).filter(|r| !r.is_empty()))
}
