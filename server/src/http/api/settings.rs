//! `/v1/settings`

use super::{Body, Caller, Routes};
use crate::http::error::ApiError;
use axum::Json;
use contract::{Perm, PoliciesBody, TenantSettings};
use domain::tenants;
use utoipa_axum::routes;

/// The tenant's policies.
pub fn routes() -> Routes {
    vec![routes!(read, change)]
}

/// Shows the policies, and which keys do not meet them.
#[utoipa::path(
    get,
    path = "/v1/settings",
    tag = "Settings",
    operation_id = "getSettings",
    extensions(("x-keystead-permission" = json!("keystead.settings:read"))),
    responses(
        (status = 200, description = "The policies.", body = TenantSettings),
    )
)]
async fn read(Caller(ctx): Caller) -> Result<Json<TenantSettings>, ApiError> {
    tenants::settings(&ctx).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Changes policies: what is absent stays, `null` clears.
///
/// They hold for what is made or changed from then on; keys that do not meet them go on, and are listed.
#[utoipa::path(
    patch,
    path = "/v1/settings",
    tag = "Settings",
    operation_id = "changeSettings",
    request_body(content = PoliciesBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.policies:write"))),
    responses(
        (status = 200, description = "The policies as they are now.", body = TenantSettings),
    )
)]
async fn change(Caller(ctx): Caller, body: Body) -> Result<Json<TenantSettings>, ApiError> {
    ctx.require_tenant_level(Perm::PoliciesWrite).map_err(|e| ctx.problem(e))?;
    let body: PoliciesBody = body.read()?;
    tenants::set_policies(&ctx, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}
