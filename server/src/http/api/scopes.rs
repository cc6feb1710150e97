//! `/v1/scopes`

use super::{Body, Caller, Query};
use crate::http::{AppState, error::ApiError};
use axum::{Json, Router, extract::Path, http::StatusCode, routing::get};
use contract::{DescribeScopeBody, Perm, Scope, ScopeBody, ScopeDef, ScopePage};
use domain::scopes;
use serde::Deserialize;

/// The routes of the catalogue.
pub fn routes() -> Router<AppState> {
    Router::new().route("/v1/scopes", get(list).post(create)).route("/v1/scopes/{name}", get(one).patch(describe).delete(delete))
}

/// Which page.
#[derive(Deserialize)]
struct List {
    limit: Option<u16>,
    cursor: Option<Scope>,
}

async fn list(Caller(ctx): Caller, Query(query): Query<List>) -> Result<Json<ScopePage>, ApiError> {
    scopes::list(&ctx, query.limit.unwrap_or(50), query.cursor.as_ref()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn create(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<ScopeDef>), ApiError> {
    ctx.require_tenant_level(Perm::SettingsWrite).map_err(|e| ctx.problem(e))?;
    let body: ScopeBody = body.read()?;
    scopes::create(&ctx, &body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

async fn one(Caller(ctx): Caller, Path(name): Path<String>) -> Result<Json<ScopeDef>, ApiError> {
    scopes::get(&ctx, Perm::SettingsRead, &name).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn describe(Caller(ctx): Caller, Path(name): Path<String>, body: Body) -> Result<Json<ScopeDef>, ApiError> {
    scopes::get(&ctx, Perm::SettingsWrite, &name).await.map_err(|e| ctx.problem(e))?;
    let body: DescribeScopeBody = body.read()?;
    scopes::describe(&ctx, &name, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn delete(Caller(ctx): Caller, Path(name): Path<String>) -> Result<Json<ScopeDef>, ApiError> {
    scopes::delete(&ctx, &name).await.map(Json).map_err(|e| ctx.problem(e).into())
}
