//! `Idempotency-Key`: a request that is sent again is answered as it was the first time (contract, section 3).

use super::super::error::ApiError;
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::{ErrorCode, Problem, Secret};
use domain::{
    Ctx, Who,
    idempotency::{self, Begun, Running, Stored},
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longest key.
const LONGEST: usize = 255;
/// Largest answer that is kept, in bytes; a management call's is far smaller.
const ANSWER: usize = 1024 * 1024;
/// Largest body that is compared; what is larger is refused by the handler anyway.
const BODY: usize = 2 * 1024 * 1024;

/// Runs the handler, or answers as it did before.
pub async fn run(ctx: &Ctx, mut parts: Parts, body: Body, next: Next) -> Response {
    let key = match key(&parts.headers) {
        Ok(Some(key)) if applies(ctx, &parts) => key,
        Ok(_) => return next.run(Request::from_parts(parts, body)).await,
        Err(e) => return e.into_response(),
    };
    let Ok(bytes) = to_bytes(body, BODY).await else { return ApiError::from(ErrorCode::PayloadTooLarge).into_response() };
    let path = parts.uri.path_and_query().map_or("", PathAndQuery::as_str).to_owned();
    match idempotency::begin(ctx, &key, &[parts.method.as_str().as_bytes(), path.as_bytes(), &bytes]).await {
        Err(e) => refusal(ctx.problem(e)),
        Ok(Begun::Again(stored)) => replayed(stored),
        Ok(Begun::First(running)) => {
            parts.extensions.insert(running.ctx().clone());
            let request = Request::from_parts(parts, Body::from(bytes));
            // In a task of its own: what was begun is finished and kept although the client has gone.
            let done = tokio::spawn(async move { keep(*running, next.run(request).await).await }).await;
            done.unwrap_or_else(|_| ApiError::from(ErrorCode::Internal).into_response())
        }
    }
}

/// The key of a request; two headers that differ are refused like two credentials.
fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut found: Option<&HeaderValue> = None;
    for value in headers.get_all("idempotency-key").iter().chain(headers.get_all("x-idempotency-key")) {
        if found.is_some_and(|f| f != value) {
            return Err(bad_key());
        }
        found = Some(value);
    }
    let Some(value) = found else { return Ok(None) };
    let text = value.to_str().ok().filter(|t| (1..=LONGEST).contains(&t.len()) && t.bytes().all(|b| (0x20..0x7f).contains(&b)));
    text.map(|t| Some(t.to_owned())).ok_or_else(bad_key)
}

fn bad_key() -> ApiError {
    Problem::new(ErrorCode::BadRequest)
        .message(format!("An idempotency key is one value of 1 to {LONGEST} printable ASCII characters"))
        .into()
}

/// State-changing management calls of a credential; sign-in, decisions and public reports have rules of their own.
fn applies(ctx: &Ctx, parts: &Parts) -> bool {
    let path = parts.uri.path();
    // A lookup changes nothing, and its answer is too personal to be kept.
    let excepted = ["/v1/auth/", "/v1/verify", "/v1/leaks"].iter().any(|p| path.starts_with(p)) || path.ends_with("/lookup");
    matches!(parts.method, Method::POST | Method::PATCH | Method::DELETE)
        && matches!(ctx.who(), Who::Key(_) | Who::Person(_) | Who::App(_))
        && !excepted
}

fn refusal(problem: Problem) -> Response {
    let wait = problem.code == ErrorCode::IdempotencyInProgress;
    let mut response = ApiError(problem).into_response();
    if wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn replayed(stored: Stored) -> Response {
    let mut response = match serde_json::from_str::<Problem>(&stored.body) {
        Ok(problem) if stored.status >= 400 => ApiError(problem).into_response(),
        _ => {
            let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
            (status, [(header::CONTENT_TYPE, "application/json")], stored.body).into_response()
        }
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Keeps an answer that a repetition would not change; what depends on the moment is never kept.
async fn keep(running: Running, response: Response) -> Response {
    let status = response.status();
    if matches!(status.as_u16(), 401 | 403 | 429) || status.is_server_error() {
        return after(running.abandon().await, response);
    }
    if let Some(problem) = response.extensions().get::<Problem>() {
        let body = serde_json::to_string(problem).unwrap_or_default();
        return after(running.finish(Stored { status: status.as_u16(), body }, None).await, response);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, ANSWER).await else { return ApiError::from(ErrorCode::Internal).into_response() };
    let stored = Stored { status: status.as_u16(), body: String::from_utf8_lossy(&bytes).into_owned() };
    let kept = running.finish(stored, secret(&bytes)).await;
    after(kept, Response::from_parts(parts, Body::from(bytes)))
}

/// The answer stands although it could not be kept: what it tells has happened.
fn after(kept: domain::Result<()>, response: Response) -> Response {
    if let Err(e) = kept {
        tracing::error!(error = %e, "the answer to an idempotency key was not kept");
    }
    response
}

/// The secret that an answer shows once.
fn secret(body: &Bytes) -> Option<Secret<String>> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let shown = idempotency::SECRET_MEMBERS.iter().find_map(|name| value.get(name)?.as_str().filter(|s| !s.is_empty()));
    shown.map(|s| Secret::new(s.to_owned()))
}
