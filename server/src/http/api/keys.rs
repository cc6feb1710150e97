//! `/v1/api-keys`

use super::{Body, Caller, Query};
use crate::http::{AppState, error::ApiError};
use axum::{Json, Router, extract::Path, routing::get};
use contract::{ApiKey, Cursor, Environment, ErrorCode, KeyFilter, KeyId, KeyState, Page, PageQuery};
use domain::{Ctx, keys};
use serde::Deserialize;

/// The routes of API keys at an address.
pub fn routes(at: &str) -> Router<AppState> {
    Router::new().route(at, get(list)).route(&format!("{at}/{{id}}"), get(one).delete(revoke))
}

/// What a list may be asked for.
#[derive(Deserialize)]
struct List {
    q: Option<String>,
    state: Option<KeyState>,
    environment: Option<Environment>,
    limit: Option<u16>,
    cursor: Option<Cursor>,
}

async fn list(Caller(ctx): Caller, Query(query): Query<List>) -> Result<Json<Page<ApiKey>>, ApiError> {
    let filter = KeyFilter { q: query.q, state: query.state, environment: query.environment };
    let page = PageQuery { limit: query.limit.unwrap_or(50), cursor: query.cursor };
    keys::list(&ctx, &filter, page).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn one(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<ApiKey>, ApiError> {
    keys::get(&ctx, key_id(&id)?).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Why a key is revoked.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: Option<String>,
}

/// `DELETE` revokes.
async fn revoke(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = key_id(&id)?;
    found(&ctx, id).await?;
    let Reason { reason } = body.read_or_default()?;
    keys::revoke(&ctx, id, reason.as_deref()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// A foreign id is 404 before the body is judged.
async fn found(ctx: &Ctx, id: KeyId) -> Result<(), ApiError> {
    keys::get(ctx, id).await.map(drop).map_err(|e| ctx.problem(e).into())
}

/// What is no id of a key is nobody's key.
fn key_id(id: &str) -> Result<KeyId, ApiError> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}
