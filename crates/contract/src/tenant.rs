//! Tenants, as their people and the installation's operators see them.

use crate::{FieldErrors, Role, Slug, TenantId, TenantName, UnixMs, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// Whether a tenant is in use.
    TenantState {
        /// It is.
        Active = "active",
        /// Nobody works in it and its keys are refused, until somebody resumes it.
        Suspended = "suspended",
        /// The same, and after a while it is removed with everything in it.
        Deleted = "deleted",
    }
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tenant {
    /// The tenant.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Its name in `tk_…` keys.
    pub slug: String,
    /// Whether it is in use.
    pub state: TenantState,
    /// Its plan: the limits of keys that name none of their own.
    pub plan: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it and everything in it is removed, once it is deleted.
    pub removed_at: Option<UnixMs>,
    /// Why it is out of use, in the words of whoever took it out.
    pub reason: Option<String>,
}

impl Tenant {
    /// How long a deleted tenant can be had back.
    pub const GRACE: i64 = 30 * UnixMs::DAY;
}

/// `POST /v1/tenants`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TenantBody {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = TenantName))]
    pub name: Option<String>,
    /// Its name in `tk_…` keys; none makes one from the name.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Slug>))]
    pub slug: Option<String>,
}

impl TenantBody {
    /// Reads it; every wrong member is named at once.
    pub fn parse(&self) -> Result<(TenantName, Option<Slug>), FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = read_name(self.name.as_deref(), &mut errors);
        let slug = self.slug.as_deref().map(str::trim).filter(|s| !s.is_empty());
        let slug = slug.and_then(|s| Slug::parse(s).map_err(|e| errors.add("slug", "invalid", e.to_string())).ok());
        errors.into_result(name.map(|name| (name, slug)))
    }
}

/// `PATCH /v1/tenants/{id}`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChangeTenantBody {
    /// Its name, if that changes; the slug stays, as it stands in keys.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<TenantName>))]
    pub name: Option<String>,
    /// Its plan, if that changes.
    pub plan: Option<String>,
}

impl ChangeTenantBody {
    /// The name, where it changes.
    pub fn parse(&self) -> Result<Option<TenantName>, FieldErrors> {
        let mut errors = FieldErrors::default();
        if self.name.is_none() && self.plan.is_none() {
            errors.add("name", "required", "Say what changes.");
        }
        let name = self.name.as_deref().map(|name| read_name(Some(name), &mut errors));
        errors.into_result(Some(name.flatten()))
    }
}

fn read_name(text: Option<&str>, errors: &mut FieldErrors) -> Option<TenantName> {
    TenantName::parse(text.unwrap_or_default()).map_err(|e| errors.add("name", "invalid", e.to_string())).ok()
}

/// A tenant that a person works in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The tenant.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// What they may do there.
    pub role: Role,
    /// Until when an operator supports it; none for members.
    pub until: Option<UnixMs>,
}
