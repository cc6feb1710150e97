//! `/v1/api-keys`

use super::{Body, Caller, Query, Routes};
use crate::http::error::ApiError;
use axum::{Json, extract::Path, http::StatusCode};
use contract::{
    ApiKey, BulkRevokeBody, CreateKeyBody, CreatedKey, EmptyBody, Environment, ErrorCode, ImportKeyBody, KeyCursor, KeyFilter, KeyId,
    KeyPage, KeySearch, KeySort, KeyState, Perm, ReasonBody, RotateBody, UpdateKeyBody,
};
use domain::{Ctx, keys};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of API keys.
pub fn routes() -> Routes {
    vec![
        routes!(list, create),
        routes!(import),
        routes!(bulk_revoke),
        routes!(one, update, delete),
        routes!(disable),
        routes!(enable),
        routes!(rotate),
        routes!(retire),
        routes!(revoke),
    ]
}

/// What a list may be asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct List {
    /// Part of the name, or the start of a prefix or id.
    q: Option<String>,
    /// Only this state.
    state: Option<KeyState>,
    /// Only this environment.
    environment: Option<Environment>,
    /// Only those of this owner: an address or an id.
    owner: Option<String>,
    /// Only those that hold this permission by name.
    scope: Option<String>,
    /// In which order; none means the newest first.
    sort: Option<KeySort>,
    /// Rows a page; none means 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<KeyCursor>,
}

/// Lists keys, the newest first.
///
/// Keyset paging: a page stays what it is while keys are made.
#[utoipa::path(
    get,
    path = "/v1/api-keys",
    tag = "API keys",
    operation_id = "listApiKeys",
    params(List),
    extensions(("x-keystead-permission" = json!("keystead.keys:read"))),
    responses(
        (status = 200, description = "One page.", body = KeyPage),
    )
)]
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

/// Makes a key.
///
/// The answer holds the secret in `key`: once, here. Nobody grants more than they hold.
#[utoipa::path(
    post,
    path = "/v1/api-keys",
    tag = "API keys",
    operation_id = "createApiKey",
    request_body(content = CreateKeyBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:write"))),
    responses(
        (status = 201, description = "The key with its secret.", body = CreatedKey),
    )
)]
async fn create(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    ctx.require(Perm::KeysWrite).map_err(|e| ctx.problem(e))?;
    let body: CreateKeyBody = body.read()?;
    keys::create_from_body(&ctx, &body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

/// Takes over a key of another system by its digest.
///
/// Its secret goes on working and is never seen here. `keystead.keys:write` is needed, too.
#[utoipa::path(
    post,
    path = "/v1/api-keys/import",
    tag = "API keys",
    operation_id = "importApiKey",
    request_body(content = ImportKeyBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.settings:write"))),
    responses(
        (status = 201, description = "The key.", body = ApiKey),
        (status = 409, description = "The digest is in use."),
    )
)]
async fn import(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<ApiKey>), ApiError> {
    keys::may_import(&ctx).map_err(|e| ctx.problem(e))?;
    let body: ImportKeyBody = body.read()?;
    keys::import(&ctx, body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

/// Shows a key.
#[utoipa::path(
    get,
    path = "/v1/api-keys/{id}",
    tag = "API keys",
    operation_id = "getApiKey",
    params(("id" = KeyId, Path, description = "The key.")),
    extensions(("x-keystead-permission" = json!("keystead.keys:read"))),
    responses(
        (status = 200, description = "The key.", body = ApiKey),
    )
)]
async fn one(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<ApiKey>, ApiError> {
    keys::get(&ctx, key_id(&id)?).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Changes a key; what is absent stays, `null` clears.
#[utoipa::path(
    patch,
    path = "/v1/api-keys/{id}",
    tag = "API keys",
    operation_id = "updateApiKey",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body(content = UpdateKeyBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:write"))),
    responses(
        (status = 200, description = "The key as it is now.", body = ApiKey),
        (status = 409, description = "The key is revoked."),
    )
)]
async fn update(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let body: UpdateKeyBody = body.read()?;
    keys::update_from_body(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Switches a key off; it can be switched on again.
#[utoipa::path(
    post,
    path = "/v1/api-keys/{id}/disable",
    tag = "API keys",
    operation_id = "disableApiKey",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body(content = Option<EmptyBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:write"))),
    responses(
        (status = 200, description = "The key, disabled.", body = ApiKey),
        (status = 409, description = "The key is not active."),
    )
)]
async fn disable(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    keys::disable(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Switches a disabled key on.
#[utoipa::path(
    post,
    path = "/v1/api-keys/{id}/enable",
    tag = "API keys",
    operation_id = "enableApiKey",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body(content = Option<EmptyBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:write"))),
    responses(
        (status = 200, description = "The key, active.", body = ApiKey),
        (status = 409, description = "The key is not disabled."),
    )
)]
async fn enable(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    keys::enable(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Gives a key a new secret.
///
/// The old one goes on working for `grace_seconds`. The answer holds the new secret in `key`: once, here.
#[utoipa::path(
    post,
    path = "/v1/api-keys/{id}/rotate",
    tag = "API keys",
    operation_id = "rotateApiKey",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body(content = Option<RotateBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:write"))),
    responses(
        (status = 200, description = "The key with its new secret.", body = CreatedKey),
        (status = 409, description = "The key is revoked."),
    )
)]
async fn rotate(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<CreatedKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let body: RotateBody = body.read_or_default()?;
    keys::rotate(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Ends the overlap of a rotation: old secrets stop working now.
#[utoipa::path(
    post,
    path = "/v1/api-keys/{id}/retire",
    tag = "API keys",
    operation_id = "retireOldSecrets",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body(content = Option<EmptyBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:write"))),
    responses(
        (status = 200, description = "The key.", body = ApiKey),
        (status = 409, description = "No old secret works any more."),
    )
)]
async fn retire(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(&ctx, Perm::KeysWrite, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    keys::retire(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Revokes a key for good.
///
/// The next request with it is refused.
#[utoipa::path(
    post,
    path = "/v1/api-keys/{id}/revoke",
    tag = "API keys",
    operation_id = "revokeApiKey",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body(content = Option<ReasonBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:revoke"))),
    responses(
        (status = 200, description = "The key, revoked.", body = ApiKey),
        (status = 409, description = "The key is revoked already."),
    )
)]
async fn revoke(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    end(&ctx, &id, &body).await
}

/// Revokes a key for good.
///
/// The same as `POST /v1/api-keys/{id}/revoke`.
#[utoipa::path(
    delete,
    path = "/v1/api-keys/{id}",
    tag = "API keys",
    operation_id = "deleteApiKey",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body(content = Option<ReasonBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:revoke"))),
    responses(
        (status = 200, description = "The key, revoked.", body = ApiKey),
        (status = 409, description = "The key is revoked already."),
    )
)]
async fn delete(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<ApiKey>, ApiError> {
    end(&ctx, &id, &body).await
}

async fn end(ctx: &Ctx, id: &str, body: &Body) -> Result<Json<ApiKey>, ApiError> {
    let id = found(ctx, Perm::KeysRevoke, id).await?;
    let ReasonBody { reason } = body.read_or_default()?;
    keys::revoke(ctx, id, reason.as_deref()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Every key that was named, in the order of their ids.
#[derive(Serialize, ToSchema)]
struct Revoked {
    data: Vec<ApiKey>,
}

/// Revokes many keys: all of them or, if one is not found, none.
///
/// Keys that are revoked already stay as they are.
#[utoipa::path(
    post,
    path = "/v1/api-keys/bulk-revoke",
    tag = "API keys",
    operation_id = "revokeApiKeys",
    request_body(content = BulkRevokeBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:revoke"))),
    responses(
        (status = 200, description = "Every key that was named.", body = Revoked),
        (status = 404, description = "A key does not exist here."),
    )
)]
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
