//! Token, revocation, introspection, userinfo. A cookie is not read here (s23).

use super::{
    super::{AppState, authn, error::ApiError, rate_limit},
    params::Params,
    refused,
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{Code, GrantType, Requirement, Scope, UsageSource};
use domain::{
    Ctx, RequestInfo, Who,
    oauth::{self, Client, OauthCode, OauthError, TokenRequest},
    verify::{
        self,
        limit::{ANONYMOUS, FAILED, Subject},
    },
};
use serde_json::json;
use std::{sync::Arc, time::Instant};

/// Who asks, as far as the request tells; one without a secret is counted by its address, and so is one that is refused.
async fn client(ctx: &Ctx, headers: &HeaderMap, params: &Params) -> Result<Arc<Client>, Response> {
    let core = ctx.core();
    let sender = rate_limit::sender(ctx.request());
    let presented = params.presented(headers).map_err(|e| refused(ctx, &e))?;
    if !presented.proves() {
        let charge = core.limits.charge(Subject::address(sender), ANONYMOUS, 1, core.now());
        if !charge.admitted() {
            return Err(refused(ctx, &OauthError::too_many(charge)));
        }
    }
    oauth::authenticate(ctx, &presented).await.map_err(|e| {
        if e.code == OauthCode::InvalidClient {
            let charge = core.limits.charge(Subject::failed(sender), FAILED, 1, core.now());
            if !charge.admitted() {
                return refused(ctx, &OauthError::too_many(charge));
            }
        }
        refused(ctx, &e)
    })
}

fn anonymous(state: &AppState, info: Option<axum::Extension<RequestInfo>>) -> Ctx {
    Ctx::new(state.core.clone(), Who::Anonymous, info.map(|i| i.0).unwrap_or_default())
}

type Info = Option<axum::Extension<RequestInfo>>;

/// A body, or why it was not read to its end: that refusal gets the form of these endpoints on its way out.
type Received = Result<Bytes, BytesRejection>;

/// Issues tokens (RFC 6749, section 3.2).
///
/// The body is a form, or a JSON object. A client proves itself by its secret, in the header or in the body; public clients
/// name their `client_id`.
#[utoipa::path(
    post,
    path = "/oauth/token",
    tag = "OAuth",
    operation_id = "oauthToken",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens.", body = serde_json::Value),
        (status = 400, description = "`invalid_request`, `invalid_grant`, `invalid_scope`, `invalid_target`, `unauthorized_client` or `unsupported_grant_type`."),
        (status = 401, description = "`invalid_client`."),
        (status = 429, description = "Too many requests: of the app, without a secret, or with a wrong one."),
    )
)]
pub async fn token(State(state): State<AppState>, info: Info, headers: HeaderMap, body: Received) -> Response {
    let ctx = anonymous(&state, info);
    let (client, asked) = match request(&ctx, &headers, body).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    match oauth::token(&ctx, &client, &asked).await {
        Ok(answer) => ([(header::PRAGMA, "no-cache")], Json(answer)).into_response(),
        Err(e) => refused(&ctx, &e),
    }
}

/// What is asked for, and the client that asks. A client's token for itself is signed and written nowhere: it is the one
/// request that an app may send as often as the machine can answer, and is not counted.
async fn request(ctx: &Ctx, headers: &HeaderMap, body: Received) -> Result<(Arc<Client>, TokenRequest), Response> {
    let params = Params::read(headers, &body.map_err(|e| ApiError::from(e).into_response())?).map_err(|e| refused(ctx, &e))?;
    let client = client(ctx, headers, &params).await?;
    let asked = asked(&params).map_err(|e| refused(ctx, &e))?;
    if asked.grant_type.as_deref() != Some(GrantType::ClientCredentials.as_str()) {
        oauth::charge(ctx, &client).map_err(|e| refused(ctx, &e))?;
    }
    Ok((client, asked))
}

fn asked(params: &Params) -> Result<TokenRequest, OauthError> {
    Ok(TokenRequest {
        grant_type: params.one("grant_type")?,
        code: params.one("code")?,
        redirect_uri: params.one("redirect_uri")?,
        code_verifier: params.one("code_verifier")?,
        refresh_token: params.one("refresh_token")?,
        scope: params.one("scope")?,
        resource: params.one("resource")?,
    })
}

/// The token of a request, and the client that sends it.
async fn about(ctx: &Ctx, headers: &HeaderMap, body: Received) -> Result<(Arc<Client>, String), Response> {
    let params = Params::read(headers, &body.map_err(|e| ApiError::from(e).into_response())?).map_err(|e| refused(ctx, &e))?;
    let client = client(ctx, headers, &params).await?;
    match params.one("token") {
        Ok(Some(token)) => Ok((client, token)),
        Ok(None) => Err(refused(ctx, &OauthError::request("token is missing."))),
        Err(e) => Err(refused(ctx, &e)),
    }
}

/// Ends a token (RFC 7009): a refresh token with everything that came of it, an access token alone.
///
/// One that nobody has, or another client, is answered alike, and stays as it is.
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    tag = "OAuth",
    operation_id = "oauthRevoke",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token does not work, or no longer."),
        (status = 400, description = "`invalid_request`."),
        (status = 401, description = "`invalid_client`."),
        (status = 429, description = "Too many requests: of the app, without a secret, or with a wrong one."),
        (status = 503, description = "`temporarily_unavailable`: it may still work; ask again.", body = serde_json::Value),
    )
)]
pub async fn revoke(State(state): State<AppState>, info: Info, headers: HeaderMap, body: Received) -> Response {
    let ctx = anonymous(&state, info);
    let (client, token) = match about(&ctx, &headers, body).await {
        Ok(about) => about,
        Err(refused) => return refused,
    };
    let revoked = match oauth::charge(&ctx, &client) {
        Ok(()) => oauth::revoke(&ctx, &client, &token).await,
        Err(e) => Err(e),
    };
    match revoked {
        Ok(()) => StatusCode::OK.into_response(),
        Err(e) => refused(&ctx, &e),
    }
}

/// Says what a token is good for (RFC 7662): to the client that holds it, and to apps of the tenant that it acts in.
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    tag = "OAuth",
    operation_id = "oauthIntrospect",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What it is good for; exactly `{\"active\":false}` if for nothing.", body = serde_json::Value),
        (status = 400, description = "`invalid_request`."),
        (status = 401, description = "`invalid_client`; public clients prove nothing, and are told nothing."),
        (status = 429, description = "Too many requests: of the app, without a secret, or with a wrong one."),
    )
)]
pub async fn introspect(State(state): State<AppState>, info: Info, headers: HeaderMap, body: Received) -> Response {
    let ctx = anonymous(&state, info);
    let (client, token) = match about(&ctx, &headers, body).await {
        Ok(about) => about,
        Err(refused) => return refused,
    };
    if !client.kind.has_secret() {
        return refused(&ctx, &OauthError::new(OauthCode::InvalidClient, "Only clients that prove who they are are told of tokens."));
    }
    match oauth::introspect(&ctx, &client, &token).await {
        Ok(answer) => Json(answer).into_response(),
        Err(e) => refused(&ctx, &e),
    }
}

/// Tells who a person is, as far as they allowed it (OpenID Connect Core, section 5.3).
#[utoipa::path(
    get,
    path = "/oauth/userinfo",
    tag = "OAuth",
    operation_id = "oauthUserinfo",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The claims.", body = serde_json::Value),
        (status = 401, description = "`invalid_token`."),
        (status = 403, description = "`insufficient_scope`: the token was not allowed `openid`."),
        (status = 400, description = "Two different credentials."),
        (status = 429, description = "Too many requests, or too many tokens that do not work."),
    )
)]
pub async fn userinfo(State(state): State<AppState>, req: Request<Body>) -> Response {
    let started = Instant::now();
    let (parts, _) = req.into_parts();
    let (ctx, decision) = match authn::caller(&state, &parts).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    // Without a credential nothing is looked up, and nobody is there to be counted or logged.
    let Some(mut decision) = decision else { return claims(&ctx).await };
    verify::charge(&state.core, &mut decision, 1);
    let took = started.elapsed();
    let mut response = match decision.charge.filter(|c| !c.admitted()) {
        None => claims(&ctx).await,
        Some(charge) => refused(&ctx, &OauthError::too_many(charge)),
    };
    if let Some(charge) = &decision.charge {
        rate_limit::write(response.headers_mut(), charge, ctx.now());
    }
    let mut need = Requirement::default();
    if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        decision.code = Code::InsufficientScope;
        need.scopes.extend(Scope::parse("openid").ok());
    }
    let logged = authn::logged(&parts.method, &parts.uri, ctx.request());
    verify::record(&ctx, None, ctx.request().ip, &need, &decision, UsageSource::Api, logged, took).await;
    response
}

/// What an app is told of its person, or why it is told nothing.
async fn claims(ctx: &Ctx) -> Response {
    match oauth::userinfo(ctx).await {
        Ok(claims) => Json(claims).into_response(),
        Err(domain::Error::Refused(..)) => bearer(StatusCode::FORBIDDEN, "insufficient_scope", "The token was not allowed openid."),
        Err(domain::Error::Unauthenticated) => bearer(StatusCode::UNAUTHORIZED, "invalid_token", "An app's access token is missing."),
        Err(e) => refused(ctx, &e.into()),
    }
}

/// The same by POST (OpenID Connect Core, section 5.3.1).
#[utoipa::path(
    post,
    path = "/oauth/userinfo",
    tag = "OAuth",
    operation_id = "oauthUserinfoByPost",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The claims.", body = serde_json::Value),
        (status = 401, description = "`invalid_token`."),
        (status = 403, description = "`insufficient_scope`: the token was not allowed `openid`."),
        (status = 400, description = "Two different credentials."),
        (status = 429, description = "Too many requests, or too many tokens that do not work."),
    )
)]
pub async fn userinfo_by_post(state: State<AppState>, req: Request<Body>) -> Response {
    userinfo(state, req).await
}

/// A refused bearer token (RFC 6750, section 3).
fn bearer(status: StatusCode, code: &'static str, description: &'static str) -> Response {
    let challenge = match code {
        "insufficient_scope" => "Bearer realm=\"keystead\", error=\"insufficient_scope\", scope=\"openid\"",
        _ => "Bearer realm=\"keystead\", error=\"invalid_token\"",
    };
    let mut response = (status, Json(json!({"error": code, "error_description": description}))).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
