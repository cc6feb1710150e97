//! What clients can look up (RFC 8414; OpenID Connect Discovery). It lists what works, and nothing else (s59, s60).

use super::super::AppState;
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use contract::{AuthMethod, BUILT_IN_SCOPES, GrantType, IdTokenAlg};
use serde_json::{Value, json};

/// How a client signs who it is; the list must be there where `private_key_jwt` is (RFC 8414, section 2).
const ASSERTIONS: [&str; 4] = ["EdDSA", "ES256", "RS256", "PS256"];

fn metadata(state: &AppState) -> Value {
    let issuer = &state.core.settings.public_url;
    let at = |path: &str| format!("{issuer}{path}");
    let methods: Vec<&str> = AuthMethod::ALL.iter().map(|m| m.as_str()).collect();
    let secret: Vec<&str> = AuthMethod::ALL.iter().filter(|m| **m != AuthMethod::None).map(|m| m.as_str()).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "scopes_supported": BUILT_IN_SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GrantType::ALL,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": IdTokenAlg::ALL,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": secret,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTIONS,
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTIONS,
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTIONS,
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "azp", "tenant_id", "email", "email_verified", "preferred_username"],
        "prompt_values_supported": ["none", "login", "consent"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "claims_parameter_supported": false,
        "service_documentation": at("/docs"),
    })
}

fn public(state: &AppState) -> Response {
    let headers = [(header::CACHE_CONTROL, "public, max-age=300"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, Json(metadata(state))).into_response()
}

/// Where the authorization server's endpoints are, and what they know (RFC 8414).
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "Well-known files",
    operation_id = "oauthMetadata",
    security(()),
    responses((status = 200, description = "The metadata.", body = serde_json::Value))
)]
pub async fn oauth(State(state): State<AppState>) -> Response {
    public(&state)
}

/// The same for OpenID Connect.
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    tag = "Well-known files",
    operation_id = "openidConfiguration",
    security(()),
    responses((status = 200, description = "The metadata.", body = serde_json::Value))
)]
pub async fn openid(State(state): State<AppState>) -> Response {
    public(&state)
}
