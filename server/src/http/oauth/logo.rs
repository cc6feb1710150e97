//! The logos of apps, for whoever is asked to trust one.

use super::super::{AppState, error::ApiError};
use axum::{
    Extension,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use contract::{AppId, ErrorCode};
use domain::{Ctx, RequestInfo, Who, oauth};

/// Shows the logo of an app: 128 × 128 pixels, drawn anew from what was uploaded.
///
/// Its address stands in the app's `logo_url` and changes with the picture, which may be kept for ever. An app that is
/// suspended or deleted has none.
#[utoipa::path(
    get,
    path = "/oauth/logos/{id}/{file}",
    tag = "OAuth apps",
    operation_id = "appLogo",
    params(
        ("id" = AppId, Path, description = "The app."),
        ("file" = String, Path, description = "What the picture is called now."),
    ),
    security(()),
    responses(
        (status = 200, description = "The picture.", body = Vec<u8>, content_type = "image/png"),
        (status = 404, description = "The app has no such logo, or is out of use."),
    )
)]
pub async fn logo(
    State(state): State<AppState>,
    info: Option<Extension<RequestInfo>>,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let ctx = Ctx::new(state.core.clone(), Who::Anonymous, info.map(|i| i.0).unwrap_or_default());
    let (Ok(id), Some(hash)) = (id.parse::<AppId>(), file.strip_suffix(".png")) else { return Err(ErrorCode::NotFound.into()) };
    let png = oauth::logo::get(&ctx, id, hash).await.map_err(|e| ctx.problem(e))?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, png).into_response())
}
