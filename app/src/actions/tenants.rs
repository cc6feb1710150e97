//! Tenants: the one to work on, and those of the installation.

use crate::{
    error::AppError,
    ssr::{Browser, ctx, fail, unknown_act},
};
use contract::{
    ChangeTenantBody, CreatedInvitation, MailId, Member, PlanForm, Role, SupportAccess, SupportForm, SupportId, Tenant, TenantBody,
    TenantId,
};
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
    /// `rename`, `delete` or `end-support`.
    pub act: String,
    /// The access that ends.
    pub id: String,
    /// The new name.
    pub name: String,
    /// The name, typed to delete the tenant.
    pub confirm: String,
}

/// The forms of `/platform/tenants` and of the page of a tenant there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlatformForm {
    /// `create`, `change`, `suspend`, `resume`, `delete`, `invite`, `support` or `end-support`.
    pub act: String,
    /// Its name.
    pub name: String,
    /// Its name in keys.
    pub slug: String,
    /// Its plan.
    pub plan: String,
    /// Whom to invite as owner.
    pub email: String,
    /// Why, for the audit log.
    pub reason: String,
    /// Its name, typed to delete it.
    pub confirm: String,
    /// Of `support`: why.
    pub why: String,
    /// In words.
    pub note: String,
    /// As what.
    pub role: String,
    /// For how long.
    pub hours: String,
}

impl PlatformForm {
    /// What it asks of support access.
    pub fn support(&self) -> SupportForm {
        SupportForm { why: self.why.clone(), note: self.note.clone(), role: self.role.clone(), hours: self.hours.clone() }
    }
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
    tenants::rename_own(&ctx, &name).await.map_err(|e| fail(&ctx, e))
}

/// Deletes the tenant that is worked on.
#[server(endpoint = "settings/delete-tenant")]
pub async fn delete_tenant(confirm: String) -> Result<Tenant, AppError> {
    let ctx = ctx()?;
    tenants::delete_own(&ctx, &confirm).await.map_err(|e| fail(&ctx, e))
}

/// Ends an operator's access to the tenant that is worked on.
#[server(endpoint = "settings/end-support")]
pub async fn end_support(id: SupportId) -> Result<(), AppError> {
    let ctx = ctx()?;
    tenants::end_support(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Opens support access to a tenant, for the operator who asks.
#[server(endpoint = "platform/open-support")]
pub async fn open_support(id: TenantId, form: SupportForm) -> Result<SupportAccess, AppError> {
    let ctx = ctx()?;
    tenants::open_support(&ctx, id, &form).await.map_err(|e| fail(&ctx, e))
}

/// Ends it before its time.
#[server(endpoint = "platform/end-support")]
pub async fn end_own_support(id: TenantId) -> Result<(), AppError> {
    let ctx = ctx()?;
    tenants::end_own_support(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Makes a tenant and invites its first owner, if an address is given.
#[server(endpoint = "platform/create-tenant")]
pub async fn create_tenant(form: PlatformForm) -> Result<(Tenant, Option<CreatedInvitation>), AppError> {
    let ctx = ctx()?;
    let body = TenantBody { name: Some(form.name), slug: Some(form.slug) };
    tenants::create_with_owner(&ctx, &body, &form.email).await.map_err(|e| fail(&ctx, e))
}

/// Makes a plan, changes its limits, or deletes it.
#[server(endpoint = "platform/save-plan")]
pub async fn save_plan(form: PlanForm) -> Result<(), AppError> {
    let ctx = ctx()?;
    tenants::require_platform(&ctx).map_err(|e| fail(&ctx, e))?;
    let done = match form.act.as_str() {
        "create" => tenants::create_plan(&ctx, &form).await,
        "save" => tenants::change_plan(&ctx, &form).await,
        "delete" => tenants::delete_plan(&ctx, &form.name).await,
        _ => return Err(unknown_act()),
    };
    done.map_err(|e| fail(&ctx, e))
}

/// Tries a mail once more that was given up.
#[server(endpoint = "platform/retry-mail")]
pub async fn retry_mail(id: MailId) -> Result<(), AppError> {
    let ctx = ctx()?;
    mail::retry(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Changes, suspends, resumes or deletes a tenant, or invites an owner to it.
#[server(endpoint = "platform/act-on-tenant")]
pub async fn act_on_tenant(id: TenantId, form: PlatformForm) -> Result<Option<CreatedInvitation>, AppError> {
    let ctx = ctx()?;
    tenants::require_platform(&ctx).map_err(|e| fail(&ctx, e))?;
    let done = match form.act.as_str() {
        "change" => {
            let body = ChangeTenantBody { name: Some(form.name), plan: Some(form.plan) };
            tenants::change(&ctx, id, &body).await.map(|_| None)
        }
        "suspend" => tenants::suspend(&ctx, id, Some(&form.reason)).await.map(|_| None),
        "resume" => tenants::resume(&ctx, id).await.map(|_| None),
        "delete" => tenants::delete_confirmed(&ctx, id, &form.confirm, Some(&form.reason)).await.map(|_| None),
        "invite" => tenants::invite_owner(&ctx, id, &form.email).await.map(Some),
        _ => return Err(unknown_act()),
    };
    done.map_err(|e| fail(&ctx, e))
}
