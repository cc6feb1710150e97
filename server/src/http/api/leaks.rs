//! `POST /v1/api-keys/lookup` for members, and `POST /v1/leaks` for anybody.

use super::{Body, Caller, Routes};
use crate::http::error::ApiError;
use axum::{Extension, Json, extract::DefaultBodyLimit, http::StatusCode};
use contract::{ErrorCode, FieldErrors, LeakLookup, LeakText, Perm, Problem};
use domain::{
    Ctx,
    leaks::{self, LOOKUP_BYTES, PUBLIC_BYTES},
};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;
use utoipa_axum::{router::UtoipaMethodRouterExt, routes};

/// JSON writes some characters longer than they are.
const ESCAPED: usize = 4;

/// The search of the leak desk.
pub fn lookup_routes() -> Routes {
    vec![routes!(lookup).layer(DefaultBodyLimit::max(ESCAPED * LOOKUP_BYTES))]
}

/// What needs no credential.
pub fn public_routes() -> Routes {
    vec![routes!(report).layer(DefaultBodyLimit::max(ESCAPED * PUBLIC_BYTES))]
}

/// Whose keys are in this text?
///
/// Finds keys by prefix and checksum, matches them by hash, and neither stores nor logs the text. At most 1 MiB.
#[utoipa::path(
    post,
    path = "/v1/api-keys/lookup",
    tag = "Leaks",
    operation_id = "lookUpKeys",
    request_body(content = LeakText, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:lookup"))),
    responses(
        (status = 200, description = "What was found.", body = LeakLookup),
    )
)]
async fn lookup(Caller(ctx): Caller, body: Body) -> Result<Json<LeakLookup>, ApiError> {
    ctx.require(Perm::KeysLookup).map_err(|e| ctx.problem(e))?;
    let LeakText { text } = read(&body)?;
    leaks::lookup(&ctx, &text).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// What everybody is told who reports a key.
#[derive(Serialize, ToSchema)]
struct Received {
    received: bool,
    message: &'static str,
}

const RECEIVED: Received =
    Received { received: true, message: "Thank you. Keys of this installation in the text are revoked, or their owners alerted." };

/// A report is answered at the next full step of this: how long the work took does not tell what was found.
const STEP: Duration = Duration::from_millis(100);

/// Takes a leaked key in from anybody.
///
/// Keys of this installation in the text are revoked, or their owners alerted. The answer tells nothing of what was found. At most 64 KiB and 10 keys; a credential is not looked at.
#[utoipa::path(
    post,
    path = "/v1/leaks",
    tag = "Leaks",
    operation_id = "reportLeak",
    request_body(content = LeakText, content_type = "application/json"),
    security(()),
    responses(
        (status = 202, description = "The text was received.", body = Received),
    )
)]
async fn report(Extension(ctx): Extension<Ctx>, body: Body) -> Result<(StatusCode, Json<Received>), ApiError> {
    let started = Instant::now();
    let LeakText { text } = read(&body)?;
    let done = leaks::report_publicly(&ctx, &text).await.map_err(|e| ctx.problem(e));
    let mut answered = STEP;
    while answered < started.elapsed() {
        answered += STEP;
    }
    sleep_until(started + answered).await;
    done?;
    Ok((StatusCode::ACCEPTED, Json(RECEIVED)))
}

/// What is wrong with the body is said without a word of it: it may be the key itself (s77).
fn read(body: &Body) -> Result<LeakText, ApiError> {
    body.read::<LeakText>().map_err(|e| match e.0.code {
        ErrorCode::ValidationFailed => {
            Problem::invalid(FieldErrors::one("text", "invalid", "Send an object with the one member text, a string.")).into()
        }
        _ => e,
    })
}
