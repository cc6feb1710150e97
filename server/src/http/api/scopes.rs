//! `/v1/scopes`

use super::{Body, Caller, Query, Routes};
use crate::http::error::ApiError;
use axum::{Json, extract::Path, http::StatusCode};
use contract::{DescribeScopeBody, Perm, Scope, ScopeBody, ScopeDef, ScopePage};
use domain::scopes;
use serde::Deserialize;
use utoipa_axum::routes;

/// The routes of the catalogue.
pub fn routes() -> Routes {
    vec![routes!(list, create), routes!(one, describe, delete)]
}

/// Which page.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct List {
    /// Rows a page; none means 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<Scope>,
}

/// Lists the catalogue of permissions, by name.
///
/// Who holds `keystead.keys:read` may see it, too.
#[utoipa::path(
    get,
    path = "/v1/scopes",
    tag = "Permissions",
    operation_id = "listScopes",
    params(List),
    extensions(("x-keystead-permission" = json!("keystead.settings:read"))),
    responses(
        (status = 200, description = "One page.", body = ScopePage),
    )
)]
async fn list(Caller(ctx): Caller, Query(query): Query<List>) -> Result<Json<ScopePage>, ApiError> {
    scopes::list(&ctx, query.limit.unwrap_or(50), query.cursor.as_ref()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Adds a permission to the catalogue.
///
/// A bare word is a verb of the tenant's own.
#[utoipa::path(
    post,
    path = "/v1/scopes",
    tag = "Permissions",
    operation_id = "createScope",
    request_body(content = ScopeBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.settings:write"))),
    responses(
        (status = 201, description = "The entry.", body = ScopeDef),
        (status = 409, description = "The catalogue has it already."),
    )
)]
async fn create(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<ScopeDef>), ApiError> {
    ctx.require_tenant_level(Perm::SettingsWrite).map_err(|e| ctx.problem(e))?;
    let body: ScopeBody = body.read()?;
    scopes::create(&ctx, &body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

/// Shows a permission of the catalogue.
#[utoipa::path(
    get,
    path = "/v1/scopes/{name}",
    tag = "Permissions",
    operation_id = "getScope",
    params(("name" = Scope, Path, description = "The permission, in either spelling.")),
    extensions(("x-keystead-permission" = json!("keystead.settings:read"))),
    responses(
        (status = 200, description = "The entry.", body = ScopeDef),
    )
)]
async fn one(Caller(ctx): Caller, Path(name): Path<String>) -> Result<Json<ScopeDef>, ApiError> {
    scopes::get(&ctx, Perm::SettingsRead, &name).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Describes a permission anew; its name stays.
#[utoipa::path(
    patch,
    path = "/v1/scopes/{name}",
    tag = "Permissions",
    operation_id = "describeScope",
    params(("name" = Scope, Path, description = "The permission, in either spelling.")),
    request_body(content = DescribeScopeBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.settings:write"))),
    responses(
        (status = 200, description = "The entry as it is now.", body = ScopeDef),
    )
)]
async fn describe(Caller(ctx): Caller, Path(name): Path<String>, body: Body) -> Result<Json<ScopeDef>, ApiError> {
    scopes::get(&ctx, Perm::SettingsWrite, &name).await.map_err(|e| ctx.problem(e))?;
    let body: DescribeScopeBody = body.read()?;
    scopes::describe(&ctx, &name, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Takes a permission out of the catalogue, if no key holds it.
#[utoipa::path(
    delete,
    path = "/v1/scopes/{name}",
    tag = "Permissions",
    operation_id = "deleteScope",
    params(("name" = Scope, Path, description = "The permission, in either spelling.")),
    extensions(("x-keystead-permission" = json!("keystead.settings:write"))),
    responses(
        (status = 200, description = "The entry that was.", body = ScopeDef),
        (status = 409, description = "A key holds it."),
    )
)]
async fn delete(Caller(ctx): Caller, Path(name): Path<String>) -> Result<Json<ScopeDef>, ApiError> {
    scopes::delete(&ctx, &name).await.map(Json).map_err(|e| ctx.problem(e).into())
}
