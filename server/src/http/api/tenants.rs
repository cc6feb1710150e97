//! `/v1/tenants`

use super::{Body, Caller, Paged, Query, Routes};
use crate::http::error::ApiError;
use axum::{Json, extract::Path, http::StatusCode};
use contract::{ChangeTenantBody, EmptyBody, ErrorCode, Page, ReasonBody, Tenant, TenantBody, TenantId};
use domain::{Ctx, tenants};
use utoipa_axum::routes;

/// The routes of tenants.
pub fn routes() -> Routes {
    vec![routes!(list, create), routes!(one, change, delete), routes!(suspend), routes!(resume)]
}

/// Lists tenants, the newest first: platform keys see every one, others their own.
#[utoipa::path(
    get,
    path = "/v1/tenants",
    tag = "Tenants",
    operation_id = "listTenants",
    params(Paged),
    responses(
        (status = 200, description = "One page.", body = Page<Tenant>),
        (status = 422, description = "A parameter cannot be read."),
    )
)]
async fn list(Caller(ctx): Caller, Query(query): Query<Paged>) -> Result<Json<Page<Tenant>>, ApiError> {
    tenants::list(&ctx, query.page()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Makes a tenant without people. For platform admins.
#[utoipa::path(
    post,
    path = "/v1/tenants",
    tag = "Tenants",
    operation_id = "createTenant",
    request_body(content = TenantBody, content_type = "application/json"),
    responses(
        (status = 201, description = "The tenant.", body = Tenant),
    )
)]
async fn create(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<Tenant>), ApiError> {
    tenants::require_platform(&ctx).map_err(|e| ctx.problem(e))?;
    let body: TenantBody = body.read()?;
    tenants::create_from_body(&ctx, &body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

/// Shows a tenant: platform keys see every one, others their own.
#[utoipa::path(
    get,
    path = "/v1/tenants/{id}",
    tag = "Tenants",
    operation_id = "getTenant",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses(
        (status = 200, description = "The tenant.", body = Tenant),
    )
)]
async fn one(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<Tenant>, ApiError> {
    tenants::get(&ctx, tenant(&id)?).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Changes a tenant's name or plan; its slug stays, as it stands in keys. For platform admins.
#[utoipa::path(
    patch,
    path = "/v1/tenants/{id}",
    tag = "Tenants",
    operation_id = "changeTenant",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body(content = ChangeTenantBody, content_type = "application/json"),
    responses(
        (status = 200, description = "The tenant as it is now.", body = Tenant),
    )
)]
async fn change(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<Tenant>, ApiError> {
    let id = found(&ctx, &id).await?;
    let body: ChangeTenantBody = body.read()?;
    tenants::change(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Deletes a tenant: it goes out of use at once and is removed after 30 days. For platform admins.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{id}",
    tag = "Tenants",
    operation_id = "deleteTenant",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses(
        (status = 200, description = "The tenant as it is now.", body = Tenant),
        (status = 409, description = "It is deleted already, or the first tenant."),
    )
)]
async fn delete(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<Tenant>, ApiError> {
    let id = found(&ctx, &id).await?;
    tenants::delete(&ctx, id, None).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Takes a tenant out of use: its sessions end and its keys are refused. Its people read the reason, which is required,
/// when they sign in. For platform admins.
#[utoipa::path(
    post,
    path = "/v1/tenants/{id}/suspend",
    tag = "Tenants",
    operation_id = "suspendTenant",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body(content = ReasonBody, content_type = "application/json"),
    responses(
        (status = 200, description = "The tenant as it is now.", body = Tenant),
        (status = 409, description = "It is out of use already, or the first tenant."),
    )
)]
async fn suspend(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<Tenant>, ApiError> {
    let id = found(&ctx, &id).await?;
    let body: ReasonBody = body.read_or_default()?;
    tenants::suspend(&ctx, id, body.reason.as_deref()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Brings back a tenant that was suspended, or deleted and not removed yet. For platform admins.
#[utoipa::path(
    post,
    path = "/v1/tenants/{id}/resume",
    tag = "Tenants",
    operation_id = "resumeTenant",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body(content = Option<EmptyBody>, content_type = "application/json"),
    responses(
        (status = 200, description = "The tenant as it is now.", body = Tenant),
        (status = 409, description = "It is in use."),
    )
)]
async fn resume(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<Tenant>, ApiError> {
    let id = found(&ctx, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    tenants::resume(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// The tenant that a platform admin names, before the body is judged.
async fn found(ctx: &Ctx, id: &str) -> Result<TenantId, ApiError> {
    tenants::require_platform(ctx).map_err(|e| ctx.problem(e))?;
    let id = tenant(id)?;
    tenants::get(ctx, id).await.map(|t| t.id).map_err(|e| ctx.problem(e).into())
}

fn tenant(id: &str) -> Result<TenantId, ApiError> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}
