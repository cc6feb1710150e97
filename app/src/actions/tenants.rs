//! Tenants: the one to work on, and those of the installation.

use crate::{
    error::AppError,
    ssr::{Browser, ctx, fail},
};
use contract::{CreatedInvitation, ErrorCode, MailId, Member, Problem, RenameTenantBody, Role, Tenant, TenantBody, TenantId};
use domain::{Error, identity, mail, members, tenants};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The forms of `/tenants`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantsForm {
    /// The tenant to go on in.
    pub tenant: String,
    /// `leave`, or nothing.
    pub act: String,
    /// The name of the tenant, typed to leave it.
    pub confirm: String,
}

/// The forms of `/settings/tenant`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnTenantForm {
    /// `rename` or `delete`.
    pub act: String,
    /// The new name.
    pub name: String,
    /// The name, typed to delete the tenant.
    pub confirm: String,
}

/// The forms of `/platform/tenants` and of the page of a tenant there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlatformForm {
    /// `create`, `rename`, `suspend`, `resume`, `delete` or `invite`.
    pub act: String,
    /// Its name.
    pub name: String,
    /// Its name in keys.
    pub slug: String,
    /// Whom to invite as owner.
    pub email: String,
    /// Why, for the audit log.
    pub reason: String,
}

/// Goes on in another tenant of the person; the answer is their role there.
#[server(endpoint = "tenants/switch")]
pub async fn switch_tenant(tenant: TenantId) -> Result<Role, AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let person = identity::switch(&ctx, tenant).await.map_err(|e| fail(&ctx, e))?;
    browser.move_session(&ctx, &person).await?;
    let member = identity::resume(ctx.core(), person).await.map_err(|e| fail(&ctx, e))?;
    member.map(|m| m.role).ok_or_else(|| fail(&ctx, Error::Unauthenticated))
}

/// The person leaves the tenant that they work on.
#[server(endpoint = "tenants/leave")]
pub async fn leave_tenant(confirm: String) -> Result<Member, AppError> {
    let ctx = ctx()?;
    members::leave(&ctx, &confirm).await.map_err(|e| fail(&ctx, e))
}

/// Renames the tenant that is worked on.
#[server(endpoint = "settings/rename-tenant")]
pub async fn rename_tenant(name: String) -> Result<Tenant, AppError> {
    let ctx = ctx()?;
    tenants::rename_own(&ctx, &RenameTenantBody { name: Some(name) }).await.map_err(|e| fail(&ctx, e))
}

/// Deletes the tenant that is worked on.
#[server(endpoint = "settings/delete-tenant")]
pub async fn delete_tenant(confirm: String) -> Result<Tenant, AppError> {
    let ctx = ctx()?;
    tenants::delete_own(&ctx, &confirm).await.map_err(|e| fail(&ctx, e))
}

/// Makes a tenant and invites its first owner, if an address is given.
#[server(endpoint = "platform/create-tenant")]
pub async fn create_tenant(form: PlatformForm) -> Result<(Tenant, Option<CreatedInvitation>), AppError> {
    let ctx = ctx()?;
    let body = TenantBody { name: Some(form.name), slug: Some(form.slug) };
    tenants::create_with_owner(&ctx, &body, &form.email).await.map_err(|e| fail(&ctx, e))
}

/// Tries a mail once more that was given up.
#[server(endpoint = "platform/retry-mail")]
pub async fn retry_mail(id: MailId) -> Result<(), AppError> {
    let ctx = ctx()?;
    mail::retry(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Renames, suspends, resumes or deletes a tenant, or invites an owner to it.
#[server(endpoint = "platform/act-on-tenant")]
pub async fn act_on_tenant(id: TenantId, form: PlatformForm) -> Result<Option<CreatedInvitation>, AppError> {
    let ctx = ctx()?;
    let done = match form.act.as_str() {
        "rename" => tenants::rename(&ctx, id, &RenameTenantBody { name: Some(form.name) }).await.map(|_| None),
        "suspend" => tenants::suspend(&ctx, id, Some(&form.reason)).await.map(|_| None),
        "resume" => tenants::resume(&ctx, id).await.map(|_| None),
        "delete" => tenants::delete(&ctx, id, Some(&form.reason)).await.map(|_| None),
        "invite" => tenants::invite_owner(&ctx, id, &form.email).await.map(Some),
        _ => Err(Error::Refused(ErrorCode::BadRequest, Problem::new(ErrorCode::BadRequest).message)),
    };
    done.map_err(|e| fail(&ctx, e))
}
