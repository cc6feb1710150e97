//! Errors on the wire: a [`Problem`] travels as an extension of the response; `finish` writes its body.

use super::{AppState, oauth::ENDPOINTS, openapi::ProblemBody};
use crate::config::ErrorFormat;
use axum::{
    Json,
    body::Body,
    extract::{Path, Query, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{AppId, Code, ErrorCode, ErrorForm, Problem, Scope, TenantId};
use std::{any::Any, collections::BTreeMap};

/// An error that a handler answers.
#[derive(Debug)]
pub struct ApiError(pub Problem);

impl From<Problem> for ApiError {
    fn from(p: Problem) -> Self {
        Self(p)
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self(Problem::new(code))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = status(self.0.code).into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

/// A body that was not read to its end.
impl From<BytesRejection> for ApiError {
    fn from(e: BytesRejection) -> Self {
        if e.status() == StatusCode::PAYLOAD_TOO_LARGE { ErrorCode::PayloadTooLarge.into() } else { ErrorCode::BadRequest.into() }
    }
}

/// Whose credential a request came with, on its way out: errors have the form that this tenant chose, and the origins that
/// it lists may read the answer.
#[derive(Clone, Copy)]
pub struct Whose {
    /// The tenant.
    pub tenant: TenantId,
    /// The app that holds the credential, if one does: the origins that it lists may read the answer, too.
    pub app: Option<AppId>,
}

impl From<TenantId> for Whose {
    fn from(tenant: TenantId) -> Self {
        Self { tenant, app: None }
    }
}

/// The form of an error: the tenant's choice from memory, else the installation's.
fn form(state: &AppState, base: &Response) -> ErrorForm {
    let chosen = base.extensions().get::<Whose>().and_then(|whose| state.core.cache.error_form(whose.tenant));
    chosen.unwrap_or(match state.error_format {
        ErrorFormat::Standard => ErrorForm::Standard,
        ErrorFormat::Flat => ErrorForm::Flat,
    })
}

fn status(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The response with the problem as its body, in the form that clients of the path read; headers that the handler set stay.
pub fn rendered(state: &AppState, path: &str, problem: &Problem, base: Response) -> Response {
    let oauth = ENDPOINTS.contains(&path);
    let form = form(state, &base);
    let body = match form {
        _ if oauth => problem.oauth_body(),
        ErrorForm::Standard => problem.body(&state.core.settings.public_url),
        ErrorForm::Flat => problem.flat_body(),
    };
    let mut response = (base.status(), Json(body)).into_response();
    let (mut kept, _) = base.into_parts();
    kept.headers.remove(header::CONTENT_LENGTH);
    kept.headers.remove(header::CONTENT_TYPE);
    response.headers_mut().extend(kept.headers);
    if form == ErrorForm::Standard && !oauth {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    }
    if let Some(seconds) = problem.extra.get("retry_after").and_then(serde_json::Value::as_i64) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(challenge) = challenge(problem) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// What a client would have to bring (RFC 6750, and RFC 9470 where the first of two steps was taken).
const fn challenge(problem: &Problem) -> Option<HeaderValue> {
    Some(HeaderValue::from_static(match problem.code {
        ErrorCode::Unauthorized => "Bearer realm=\"keystead\"",
        ErrorCode::MfaRequired => "Bearer realm=\"keystead\", error=\"insufficient_user_authentication\"",
        code if code.status() == 401 => "Bearer realm=\"keystead\", error=\"invalid_token\"",
        _ => return None,
    }))
}

/// What a bare status of the router or of a layer means.
pub fn of_status(status: StatusCode) -> Option<Problem> {
    let code = match status.as_u16() {
        400 => ErrorCode::BadRequest,
        403 => ErrorCode::Forbidden,
        404 => ErrorCode::NotFound,
        405 => ErrorCode::MethodNotAllowed,
        406 => ErrorCode::NotAcceptable,
        408 => ErrorCode::Timeout,
        413 => ErrorCode::PayloadTooLarge,
        415 => ErrorCode::UnsupportedMediaType,
        422 => ErrorCode::ValidationFailed,
        500 => ErrorCode::Internal,
        503 => ErrorCode::Unavailable,
        _ => return None,
    };
    Some(Problem::new(code))
}

/// A panic is answered like any other fault; what it said goes to the log only.
pub fn on_panic(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let said = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
    tracing::error!(panic = said.unwrap_or_default(), "a handler panicked");
    ApiError::from(ErrorCode::Internal).into_response()
}

/// Renders status and body of an error code, for gateways that drop the body of a denial (`error_page`).
///
/// Takes the codes of errors and of decisions; an unknown one is 404. What else the denial said the gateway repeats in
/// the query; what cannot be read is left out.
#[utoipa::path(
    get,
    path = "/v1/errors/{code}",
    tag = "Decisions",
    operation_id = "renderError",
    params(("code" = String, Path, description = "The code of an error or of a decision."),
        ("required_scope" = Option<String>, Query, description = "The permission that was missing."),
        ("retry_after" = Option<u32>, Query, description = "Seconds to wait.")),
    security(()),
    responses(
        (status = "4XX", description = "The error of this code, under its status.", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", description = "The error of this code, under its status.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn page(Path(code): Path<String>, Query(said): Query<BTreeMap<String, String>>) -> Response {
    let of_decision = || code.parse::<Code>().ok().and_then(Code::public);
    let problem = Problem::new(code.parse::<ErrorCode>().ok().or_else(of_decision).unwrap_or(ErrorCode::NotFound));
    let scope = said.get("required_scope").and_then(|s| Scope::parse(s).ok());
    let seconds = said.get("retry_after").and_then(|s| s.parse::<u32>().ok());
    match (problem.code, scope, seconds) {
        (ErrorCode::InsufficientPermissions, Some(scope), _) => ApiError(Problem::missing_scope(&scope)).into_response(),
        (ErrorCode::RateLimitExceeded, _, Some(seconds)) => {
            let mut response = ApiError(problem.with("retry_after", seconds)).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        _ => ApiError(problem).into_response(),
    }
}
