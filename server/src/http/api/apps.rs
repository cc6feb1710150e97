//! `/v1/oauth/applications`

use super::{Body, Caller, Paged, Query, Routes};
use crate::http::error::ApiError;
use axum::{
    Json,
    body::Bytes,
    extract::{Path, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use contract::{
    App, AppId, CreateAppBody, CreatedApp, EmptyBody, ErrorCode, GrantId, GrantSeen, Page, Perm, ReasonBody, RotateBody, UpdateAppBody,
};
use domain::{Ctx, oauth};
use utoipa_axum::routes;

/// The routes of apps.
pub fn routes() -> Routes {
    vec![
        routes!(list, create),
        routes!(one, update, delete),
        routes!(rotate_secret),
        routes!(set_logo, remove_logo),
        routes!(suspend),
        routes!(resume),
        routes!(grants),
        routes!(elsewhere),
        routes!(revoke_grant),
    ]
}

/// The app of an id, for a caller who is about to do what `perm` permits: a foreign one is 404 before the body is judged.
async fn found(ctx: &Ctx, perm: Perm, id: &str) -> Result<AppId, ApiError> {
    let app = match id.parse::<AppId>() {
        Ok(id) => oauth::get(ctx, perm, id).await,
        // Who may not ask is told so, whatever they ask for.
        Err(_) => ctx.require_tenant_level(perm).and(Err(domain::Error::NotFound)),
    };
    app.map(|app| app.id).map_err(|e| ctx.problem(e).into())
}

/// Lists OAuth apps, the newest first.
#[utoipa::path(
    get,
    path = "/v1/oauth/applications",
    tag = "OAuth apps",
    operation_id = "listApps",
    params(Paged),
    extensions(("x-keystead-permission" = json!("keystead.apps:read"))),
    responses((status = 200, description = "One page.", body = Page<App>))
)]
async fn list(Caller(ctx): Caller, Query(query): Query<Paged>) -> Result<Json<Page<App>>, ApiError> {
    oauth::list(&ctx, query.page()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Registers an OAuth app. The answer holds its secret in `client_secret`, where it has one: once, here.
#[utoipa::path(
    post,
    path = "/v1/oauth/applications",
    tag = "OAuth apps",
    operation_id = "createApp",
    request_body(content = CreateAppBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.apps:write"))),
    responses((status = 201, description = "The app.", body = CreatedApp))
)]
async fn create(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<CreatedApp>), ApiError> {
    ctx.require_tenant_level(Perm::AppsWrite).map_err(|e| ctx.problem(e))?;
    let body: CreateAppBody = body.read()?;
    oauth::create(&ctx, &body).await.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

/// Shows an app.
#[utoipa::path(
    get,
    path = "/v1/oauth/applications/{id}",
    tag = "OAuth apps",
    operation_id = "getApp",
    params(("id" = AppId, Path, description = "The app.")),
    extensions(("x-keystead-permission" = json!("keystead.apps:read"))),
    responses((status = 200, description = "The app.", body = App))
)]
async fn one(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<App>, ApiError> {
    let id = found(&ctx, Perm::AppsRead, &id).await?;
    oauth::get(&ctx, Perm::AppsRead, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Changes an app; what is left out stays. Its kind stays always.
#[utoipa::path(
    patch,
    path = "/v1/oauth/applications/{id}",
    tag = "OAuth apps",
    operation_id = "updateApp",
    params(("id" = AppId, Path, description = "The app.")),
    request_body(content = UpdateAppBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.apps:write"))),
    responses((status = 200, description = "The app as it is now.", body = App))
)]
async fn update(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<App>, ApiError> {
    let id = found(&ctx, Perm::AppsWrite, &id).await?;
    let body: UpdateAppBody = body.read()?;
    oauth::update(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Deletes an app with everything that people allowed it.
#[utoipa::path(
    delete,
    path = "/v1/oauth/applications/{id}",
    tag = "OAuth apps",
    operation_id = "deleteApp",
    params(("id" = AppId, Path, description = "The app.")),
    extensions(("x-keystead-permission" = json!("keystead.apps:write"))),
    responses((status = 200, description = "The app as it was.", body = App))
)]
async fn delete(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<App>, ApiError> {
    let id = found(&ctx, Perm::AppsWrite, &id).await?;
    oauth::delete(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Gives an app a new secret.
///
/// The old one goes on working for `grace_seconds`. The answer holds the new secret in `client_secret`: once, here.
#[utoipa::path(
    post,
    path = "/v1/oauth/applications/{id}/rotate-secret",
    tag = "OAuth apps",
    operation_id = "rotateAppSecret",
    params(("id" = AppId, Path, description = "The app.")),
    request_body(content = Option<RotateBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.apps:write"))),
    responses(
        (status = 200, description = "The app with its new secret.", body = CreatedApp),
        (status = 409, description = "The app is public, or has as many secrets that work as it can."),
    )
)]
async fn rotate_secret(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<CreatedApp>, ApiError> {
    let id = found(&ctx, Perm::AppsWrite, &id).await?;
    let body: RotateBody = body.read_or_default()?;
    oauth::rotate_secret(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Gives an app a logo, or another one.
///
/// The body is the picture itself: PNG, JPEG or WebP, at most 256 kB and 4,096 × 4,096 pixels. It is drawn anew as a PNG of
/// 128 × 128 pixels, and nothing else of it is kept.
#[utoipa::path(
    put,
    path = "/v1/oauth/applications/{id}/logo",
    tag = "OAuth apps",
    operation_id = "setAppLogo",
    params(("id" = AppId, Path, description = "The app.")),
    request_body(content = Vec<u8>, content_type = "image/*"),
    extensions(("x-keystead-permission" = json!("keystead.apps:write"))),
    responses(
        (status = 200, description = "The app with its `logo_url`.", body = App),
        (status = 413, description = "The picture is larger than 256 kB."),
        (status = 415, description = "The body is no picture."),
    )
)]
async fn set_logo(
    Caller(ctx): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<App>, ApiError> {
    let id = found(&ctx, Perm::AppsWrite, &id).await?;
    if !headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"image/")) {
        return Err(ErrorCode::UnsupportedMediaType.into());
    }
    let too_large = |e: &BytesRejection| e.status() == StatusCode::PAYLOAD_TOO_LARGE;
    let body = body.map_err(|e| if too_large(&e) { ErrorCode::PayloadTooLarge } else { ErrorCode::BadRequest })?;
    oauth::logo::set(&ctx, id, body.into()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Takes the logo of an app away.
#[utoipa::path(
    delete,
    path = "/v1/oauth/applications/{id}/logo",
    tag = "OAuth apps",
    operation_id = "removeAppLogo",
    params(("id" = AppId, Path, description = "The app.")),
    extensions(("x-keystead-permission" = json!("keystead.apps:write"))),
    responses((status = 200, description = "The app as it is now.", body = App))
)]
async fn remove_logo(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<App>, ApiError> {
    let id = found(&ctx, Perm::AppsWrite, &id).await?;
    oauth::logo::remove(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Suspends an app: its tokens, codes and secrets work no more, until it is resumed. Tokens that it got for itself have ended
/// for good.
#[utoipa::path(
    post,
    path = "/v1/oauth/applications/{id}/suspend",
    tag = "OAuth apps",
    operation_id = "suspendApp",
    params(("id" = AppId, Path, description = "The app.")),
    request_body(content = Option<ReasonBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.apps:revoke"))),
    responses((status = 200, description = "The app as it is now.", body = App))
)]
async fn suspend(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<App>, ApiError> {
    let id = found(&ctx, Perm::AppsRevoke, &id).await?;
    let body: ReasonBody = body.read_or_default()?;
    let reason = contract::read_reason(body.reason.as_deref()).map_err(|e| ctx.problem(e.into()))?;
    oauth::suspend(&ctx, id, reason).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Puts a suspended app into use again.
#[utoipa::path(
    post,
    path = "/v1/oauth/applications/{id}/resume",
    tag = "OAuth apps",
    operation_id = "resumeApp",
    params(("id" = AppId, Path, description = "The app.")),
    request_body(content = Option<EmptyBody>, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.apps:write"))),
    responses((status = 200, description = "The app as it is now.", body = App))
)]
async fn resume(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<App>, ApiError> {
    let id = found(&ctx, Perm::AppsWrite, &id).await?;
    let EmptyBody {} = body.read_or_default()?;
    oauth::resume(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Lists what members of the tenant allowed an app, the newest first.
#[utoipa::path(
    get,
    path = "/v1/oauth/applications/{id}/grants",
    tag = "OAuth apps",
    operation_id = "listAppGrants",
    params(("id" = AppId, Path, description = "The app."), Paged),
    extensions(("x-keystead-permission" = json!("keystead.apps:read"))),
    responses((status = 200, description = "One page.", body = Page<GrantSeen>))
)]
async fn grants(Caller(ctx): Caller, Path(id): Path<String>, Query(query): Query<Paged>) -> Result<Json<Page<GrantSeen>>, ApiError> {
    let id = found(&ctx, Perm::AppsRead, &id).await?;
    oauth::of_app(&ctx, id, query.page()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Lists what members of the tenant allowed apps of other tenants, the newest first.
#[utoipa::path(
    get,
    path = "/v1/oauth/grants",
    tag = "OAuth apps",
    operation_id = "listGrantsElsewhere",
    params(Paged),
    extensions(("x-keystead-permission" = json!("keystead.apps:read"))),
    responses((status = 200, description = "One page.", body = Page<GrantSeen>))
)]
async fn elsewhere(Caller(ctx): Caller, Query(query): Query<Paged>) -> Result<Json<Page<GrantSeen>>, ApiError> {
    oauth::elsewhere(&ctx, query.page()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Ends what a person allowed an app, and every token of it.
#[utoipa::path(
    delete,
    path = "/v1/oauth/grants/{id}",
    tag = "OAuth apps",
    operation_id = "revokeGrant",
    params(("id" = GrantId, Path, description = "The grant.")),
    extensions(("x-keystead-permission" = json!("keystead.apps:revoke"))),
    responses((status = 200, description = "The grant as it was.", body = GrantSeen))
)]
async fn revoke_grant(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<GrantSeen>, ApiError> {
    let Ok(id) = id.parse::<GrantId>() else {
        ctx.require_tenant_level(Perm::AppsRevoke).map_err(|e| ctx.problem(e))?;
        return Err(ErrorCode::NotFound.into());
    };
    oauth::revoke_grant(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}
