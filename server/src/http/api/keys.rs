//! `/v1/api-keys`

use super::{Body, Caller, Query};
use crate::http::{AppState, error::ApiError};
use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    routing::{get, post},
};
use contract::{
    ApiKey, BulkRevokeBody, CreateKeyBody, CreatedKey, EmptyBody, Environment, ErrorCode, ImportKeyBody, KeyCursor, KeyFilter, KeyId,
    KeyPage, KeySearch, KeySort, KeyState, Perm, ReasonBody, RotateBody, UpdateKeyBody,
};
use domain::{Ctx, keys};
use serde::{Deserialize, Serialize};

/// The routes of API keys at an address.
pub fn routes(at: &str) -> Router<AppState> {
    Router::new()
        .route(at, get(list).post(create))
        .route(&format!("{at}/import"), post(import))
        .route(&format!("{at}/bulk-revoke"), post(bulk_revoke))
        .route(&format!("{at}/{{id}}"), get(one).patch(update).delete(revoke))
        .route(&format!("{at}/{{id}}/disable"), post(disable))
        .route(&format!("{at}/{{id}}/enable"), post(enable))
        .route(&format!("{at}/{{id}}/rotate"), post(rotate))
        .route(&format!("{at}/{{id}}/retire"), post(retire))
        .route(&format!("{at}/{{id}}/revoke"), post(revoke))
}

/// What a list may be asked for.
#[derive(Deserialize)]
struct List {
    q: Option<String>,
    state: Option<KeyState>,
    environment: Option<Environment>,
    owner: Option<String>,
    scope: Option<String>,
    sort: Option<KeySort>,
    limit: Option<u16>,
    cursor: Option<KeyCursor>,
}

async fn list(Caller(ctx): Caller, Query(query): Query<List>) -> Result<Json<KeyPage>, ApiError> {
    let search = KeySearch {
        filter: KeyFilter { q: query.q, state: query.state, environment: query.environment, kind: None },
        owner: query.owner,
        scope: query.scope,
        sort: query.sort.unwrap_or(KeySort::Created),
        limit: query.limit.unwrap_or(50),
        cursor: query.cursor,
    };
    keys::search(&ctx, &search).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn create(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    ctx.require(Perm::KeysWrite).map_err(|e| ctx.problem(e))?;
    let body: CreateKeyBody = body.read()?;
    keys::create_from_body(&ctx, &body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

async fn import(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<ApiKey>), ApiError> {
    ctx.require(Perm::KeysWrite).map_err(|e| ctx.problem(e))?;
    let body: ImportKeyBody = body.read()?;
    keys::import(&ctx, body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

async fn one(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<ApiKey>, ApiError> {
    keys::get(&ctx, key_id(&id)?).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn update(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let body: UpdateKeyBody = body.read()?;
    keys::update_from_body(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn disable(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    keys::disable(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn enable(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    keys::enable(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn rotate(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<CreatedKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let body: RotateBody = body.read_or_default()?;
    keys::rotate(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

async fn retire(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    keys::retire(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// `DELETE` and `POST …/revoke`.
async fn revoke(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysRevoke, &id).await?;
    let ReasonBody { reason } = body.read_or_default()?;
    keys::revoke(&ctx, id, reason.as_deref()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Every key that was named, in the order of their ids.
#[derive(Serialize)]
struct Revoked {
    data: Vec<ApiKey>,
}

async fn bulk_revoke(Caller(ctx): Caller, body: Body) -> Result<Json<Revoked>, ApiError> {
    ctx.require(Perm::KeysRevoke).map_err(|e| ctx.problem(e))?;
    let body: BulkRevokeBody = body.read()?;
    let ids = body.ids().map_err(|e| ctx.problem(e.into()))?.ok_or(ErrorCode::NotFound)?;
    let data = keys::bulk_revoke(&ctx, &ids, body.reason.as_deref()).await.map_err(|e| ctx.problem(e))?;
    Ok(Json(Revoked { data }))
}

/// The id of a key that exists for the caller, who may do `perm`: a foreign one is 404 before the body is judged.
async fn found(ctx: &Ctx, perm: Perm, id: &str) -> Result<KeyId, ApiError> {
    ctx.require(perm).map_err(|e| ctx.problem(e))?;
    let id = key_id(id)?;
    keys::get_for(ctx, perm, id).await.map(|_| id).map_err(|e| ctx.problem(e).into())
}

/// What is no id of a key is nobody's key.
fn key_id(id: &str) -> Result<KeyId, ApiError> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}
