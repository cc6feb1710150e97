//! `POST /v1/api-keys/lookup` for members, and `POST /v1/leaks` for anybody.

use super::Body;
use crate::http::{AppState, api::Caller, error::ApiError};
use axum::{Extension, Json, Router, extract::DefaultBodyLimit, http::StatusCode, routing::post};
use contract::{ErrorCode, FieldErrors, LeakLookup, LeakText, Perm, Problem};
use domain::{
    Ctx,
    leaks::{self, LOOKUP_BYTES, PUBLIC_BYTES},
};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// JSON writes some characters longer than they are.
const ESCAPED: usize = 4;

/// The search of the leak desk, beside the keys of an address.
pub fn lookup_routes(at: &str) -> Router<AppState> {
    Router::new().route(&format!("{at}/lookup"), post(lookup).layer(DefaultBodyLimit::max(ESCAPED * LOOKUP_BYTES)))
}

/// What needs no credential.
pub fn public_routes() -> Router<AppState> {
    Router::new().route("/v1/leaks", post(report).layer(DefaultBodyLimit::max(ESCAPED * PUBLIC_BYTES)))
}

/// Whose keys are in this text?
async fn lookup(Caller(ctx): Caller, body: Body) -> Result<Json<LeakLookup>, ApiError> {
    ctx.require(Perm::KeysLookup).map_err(|e| ctx.problem(e))?;
    let LeakText { text } = read(&body)?;
    leaks::lookup(&ctx, &text).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// What everybody is told who reports a key.
#[derive(Serialize)]
struct Received {
    received: bool,
    message: &'static str,
}

const RECEIVED: Received =
    Received { received: true, message: "Thank you. Keys of this installation in the text are revoked, or their owners alerted." };

/// A report is answered at the next full step of this: how long the work took does not tell what was found.
const STEP: Duration = Duration::from_millis(100);

/// Takes a leaked key in from anybody; the answer tells nothing.
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
