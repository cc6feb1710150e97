//! Settings of the tenant: the catalogue of permissions, the allowlist.

use crate::{
    error::AppError,
    ssr::{ctx, fail},
};
use contract::{AllowlistBody, DescribeScopeBody, IpAllowlist, PoliciesForm, ScopeBody, ScopeDef, TenantSettings};
use domain::{scopes, tenants};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The forms of `/settings/scopes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScopeForm {
    /// `add`, `describe` or `delete`.
    pub act: String,
    /// The permission.
    pub name: String,
    /// What it permits.
    pub description: String,
}

/// The form of `/settings/allowlist`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AllowlistForm {
    /// `review` or `save`.
    pub act: String,
    /// One address or network a line.
    pub allowed_ips: String,
    /// The list whose consequences were shown.
    pub reviewed: String,
    /// “My address is not on it, and I want that.”
    pub lockout: Option<String>,
}

impl AllowlistForm {
    /// The lines that say something.
    pub fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
    }
}

/// Adds a permission to the catalogue.
#[server(endpoint = "scopes/add")]
pub async fn add_scope(name: String, description: String) -> Result<ScopeDef, AppError> {
    let ctx = ctx()?;
    let body = ScopeBody { name: Some(name), description: Some(description) };
    scopes::create(&ctx, &body).await.map_err(|e| fail(&ctx, e))
}

/// Says what a permission permits.
#[server(endpoint = "scopes/describe")]
pub async fn describe_scope(name: String, description: String) -> Result<ScopeDef, AppError> {
    let ctx = ctx()?;
    scopes::describe(&ctx, &name, &DescribeScopeBody { description }).await.map_err(|e| fail(&ctx, e))
}

/// Removes a permission that no key holds.
#[server(endpoint = "scopes/delete")]
pub async fn delete_scope(name: String) -> Result<ScopeDef, AppError> {
    let ctx = ctx()?;
    scopes::delete(&ctx, &name).await.map_err(|e| fail(&ctx, e))
}

/// Replaces the tenant's allowlist.
#[server(endpoint = "settings/set-allowlist")]
pub async fn set_allowlist(allowed_ips: Vec<String>) -> Result<IpAllowlist, AppError> {
    let ctx = ctx()?;
    tenants::set_allowlist(&ctx, &AllowlistBody { allowed_ips }).await.map_err(|e| fail(&ctx, e))
}

/// Sets the tenant's policies.
#[server(endpoint = "settings/set-policies")]
pub async fn set_policies(form: PoliciesForm) -> Result<TenantSettings, AppError> {
    let ctx = ctx()?;
    tenants::set_policies_from_form(&ctx, &form).await.map_err(|e| fail(&ctx, e))
}
