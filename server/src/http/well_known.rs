//! `/.well-known/`: what scanners, researchers and password managers look for. Open to everybody, without a limit.

use super::{AppState, api::Routes, error::ApiError};
use axum::{
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{ErrorCode, UnixMs};
use domain::{leaks::gitleaks_rule, tokens};
use utoipa_axum::routes;

/// Where people change their password.
const CHANGE_PASSWORD: &str = "/account";
/// How long a security.txt is good for; RFC 9116 recommends less than a year.
const GOOD_FOR_DAYS: i64 = 180;

/// The routes.
pub fn routes() -> Routes {
    vec![routes!(gitleaks), routes!(security), routes!(change_password), routes!(jwks)]
}

/// A rule for gitleaks that finds this installation's keys in repositories.
#[utoipa::path(
    get,
    path = "/.well-known/gitleaks.toml",
    tag = "Well-known files",
    operation_id = "gitleaksRule",
    security(()),
    responses(
        (status = 200, description = "The rule.", body = String, content_type = "text/plain"),
    )
)]
async fn gitleaks(State(state): State<AppState>) -> Response {
    text(gitleaks_rule(&state.core.settings))
}

/// Whom to write to about security (RFC 9116); absent until the operator says so.
#[utoipa::path(
    get,
    path = "/.well-known/security.txt",
    tag = "Well-known files",
    operation_id = "securityContact",
    security(()),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/plain"),
        (status = 404, description = "No contact is set."),
    )
)]
async fn security(State(state): State<AppState>) -> Result<Response, ApiError> {
    let contact = state.security_contact.as_deref().ok_or(ErrorCode::NotFound)?;
    // Counted from the start of the day, so that the file stays the same for one.
    let today = state.core.now().0.div_euclid(UnixMs::DAY) * UnixMs::DAY;
    let expires = UnixMs(today).plus(GOOD_FOR_DAYS * UnixMs::DAY).to_utc().format("%Y-%m-%dT%H:%M:%SZ");
    let url = &state.core.settings.public_url;
    Ok(text(format!(
        "# A key that leaked needs no mail: POST {{\"text\": \"...\"}} to {url}/v1/leaks revokes it.\n\
         Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en\nCanonical: {url}/.well-known/security.txt\n"
    )))
}

/// The keys that access tokens are verified by (RFC 7517).
///
/// A new key stands here for a quarter of an hour before it signs, and an old one until its last token is over.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "Well-known files",
    operation_id = "jsonWebKeySet",
    security(()),
    responses(
        (status = 200, description = "The key set.", body = serde_json::Value, content_type = "application/jwk-set+json"),
    )
)]
async fn jwks(State(state): State<AppState>) -> Result<Response, ApiError> {
    let keys = serde_json::to_string(&tokens::jwks(&state.core)).map_err(|_| ErrorCode::Internal)?;
    let headers = [
        (header::CONTENT_TYPE, "application/jwk-set+json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        // Public keys, for verifiers anywhere.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((headers, keys).into_response())
}

/// Leads to where people change their password (W3C, A Well-Known URL for Changing Passwords).
#[utoipa::path(
    get,
    path = "/.well-known/change-password",
    tag = "Well-known files",
    operation_id = "changePassword",
    security(()),
    responses(
        (status = 302, description = "The page.", headers(("Location" = String, description = "Where it is."))),
    )
)]
async fn change_password() -> (StatusCode, [(HeaderName, &'static str); 1]) {
    (StatusCode::FOUND, [(header::LOCATION, CHANGE_PASSWORD)])
}

fn text(body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, body).into_response()
}
