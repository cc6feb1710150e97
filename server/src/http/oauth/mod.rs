//! The authorization server's endpoints (contract, section 6). Cookies count at `/oauth/authorize` and the page of consent
//! only, which are the console's; everything here authenticates clients and tokens.

mod authorize;
mod logo;
mod metadata;
mod params;
mod token;

pub use authorize::{authorize, consent_origin, decide, flow_origin, pairs, post as post_authorize, request, see_other};

use crate::http::{api::Routes, rate_limit};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Ctx,
    oauth::{OauthCode, OauthError},
};
use serde_json::json;
use utoipa_axum::routes;

/// The routes that no cookie opens.
pub fn routes() -> Routes {
    vec![
        routes!(token::token),
        routes!(token::revoke),
        routes!(token::introspect),
        routes!(token::userinfo, token::userinfo_by_post),
        routes!(metadata::oauth),
        routes!(metadata::openid),
        routes!(logo::logo),
    ]
}

/// The endpoints that answer errors in the form of RFC 6749, whoever finds them.
pub const ENDPOINTS: [&str; 4] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/userinfo"];

/// Whose scripts may read the answers: anybody's, without credentials of a browser (s30).
pub const FOR_ANY_ORIGIN: [&str; 3] = ["/oauth/token", "/oauth/revoke", "/oauth/userinfo"];

/// An OAuth error on the wire (RFC 6749, section 5.2); over a limit, with the headers that say how long.
pub(super) fn refused(ctx: &Ctx, e: &OauthError) -> Response {
    if let Some(fault) = &e.fault {
        tracing::error!(request_id = %ctx.request().id, error = %fault, "an OAuth request failed");
    }
    let status = match e.code {
        _ if e.limit.is_some() => StatusCode::TOO_MANY_REQUESTS,
        OauthCode::InvalidClient => StatusCode::UNAUTHORIZED,
        OauthCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        OauthCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = (status, Json(json!({"error": e.code.as_str(), "error_description": e.description}))).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"keystead\", charset=\"UTF-8\""));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Some(charge) = &e.limit {
        rate_limit::write(response.headers_mut(), charge, ctx.now());
    }
    response
}
