//! `/v1/auth/ip-allowlist`

use super::{Body, Caller, Routes};
use crate::http::error::ApiError;
use axum::Json;
use contract::{AllowlistBody, IpAllowlist, Perm};
use domain::{Ctx, tenants};
use utoipa_axum::routes;

/// The tenant's allowlist; guide 004 posts what others put.
pub fn routes() -> Routes {
    vec![routes!(read, put, post)]
}

/// Shows from where the live keys of the tenant may be used.
#[utoipa::path(
    get,
    path = "/v1/auth/ip-allowlist",
    tag = "Address allowlist",
    operation_id = "getIpAllowlist",
    extensions(("x-keystead-permission" = json!("keystead.settings:read"))),
    responses(
        (status = 200, description = "The list.", body = IpAllowlist),
    )
)]
async fn read(Caller(ctx): Caller) -> Result<Json<IpAllowlist>, ApiError> {
    tenants::allowlist(&ctx).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Replaces the list; an empty one means from anywhere.
///
/// A list that shuts out its author is taken, with a warning: the owner undoes it in the console or by command line.
#[utoipa::path(
    put,
    path = "/v1/auth/ip-allowlist",
    tag = "Address allowlist",
    operation_id = "replaceIpAllowlist",
    request_body(content = AllowlistBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.policies:write"))),
    responses(
        (status = 200, description = "The list as it is now.", body = IpAllowlist),
    )
)]
async fn put(Caller(ctx): Caller, body: Body) -> Result<Json<IpAllowlist>, ApiError> {
    replace(&ctx, &body).await
}

/// Replaces the list, as `PUT` does.
#[utoipa::path(
    post,
    path = "/v1/auth/ip-allowlist",
    tag = "Address allowlist",
    operation_id = "postIpAllowlist",
    request_body(content = AllowlistBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.policies:write"))),
    responses(
        (status = 200, description = "The list as it is now.", body = IpAllowlist),
    )
)]
async fn post(Caller(ctx): Caller, body: Body) -> Result<Json<IpAllowlist>, ApiError> {
    replace(&ctx, &body).await
}

async fn replace(ctx: &Ctx, body: &Body) -> Result<Json<IpAllowlist>, ApiError> {
    ctx.require_tenant_level(Perm::PoliciesWrite).map_err(|e| ctx.problem(e))?;
    let body: AllowlistBody = body.read()?;
    tenants::set_allowlist(ctx, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}
