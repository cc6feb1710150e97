//! The small forms of a key's pages.

use crate::counted;
use serde::{Deserialize, Serialize};

/// A button on the page of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAct {
    /// `disable`, `enable` or `narrow`.
    #[serde(default, rename = "do")]
    pub act: String,
    /// The permissions that a narrowed key keeps, separated by spaces, as the page offered them.
    #[serde(default)]
    pub scopes: String,
}

/// The form that replaces a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotateForm {
    /// How long the old secret goes on working, in seconds.
    #[serde(default)]
    pub grace: String,
    /// The secret that is current while the form is filled in: sent again, the form names one that is not any more.
    #[serde(default)]
    pub secret: String,
}

impl RotateForm {
    /// The choices of the overlap, in seconds and in words.
    pub const OVERLAPS: [(i64, &'static str); 4] = [(0, "None"), (3_600, "1 hour"), (86_400, "1 day"), (604_800, "7 days")];

    /// The chosen overlap, if it is one.
    pub fn overlap(&self) -> Option<i64> {
        self.grace.parse().ok().filter(|s| Self::OVERLAPS.iter().any(|(known, _)| known == s))
    }
}

/// The form that revokes several keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRevokeForm {
    /// The ids of the keys.
    #[serde(default)]
    pub key: Vec<String>,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: String,
    /// The phrase that the page asks for.
    #[serde(default)]
    pub confirm: String,
}

impl BulkRevokeForm {
    /// Most keys of one form.
    pub const MOST: usize = 100;

    /// What a person types to say that they mean it.
    pub fn phrase(keys: usize) -> String {
        format!("revoke {}", counted(i64::try_from(keys).unwrap_or(i64::MAX), "key"))
    }
}
