//! `/v1/auth/ip-allowlist`

use super::{Body, Caller};
use crate::http::{AppState, error::ApiError};
use axum::{Json, Router, routing::get};
use contract::{AllowlistBody, IpAllowlist, Perm};
use domain::tenants;

/// The tenant's allowlist; guide 004 posts what others put.
pub fn routes() -> Router<AppState> {
    Router::new().route("/v1/auth/ip-allowlist", get(read).put(replace).post(replace))
}

async fn read(Caller(ctx): Caller) -> Result<Json<IpAllowlist>, ApiError> {
    tenants::allowlist(&ctx).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn replace(Caller(ctx): Caller, body: Body) -> Result<Json<IpAllowlist>, ApiError> {
    ctx.require_tenant_level(Perm::PoliciesWrite).map_err(|e| ctx.problem(e))?;
    let body: AllowlistBody = body.read()?;
    tenants::set_allowlist(&ctx, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}
