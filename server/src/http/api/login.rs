//! `/v1/auth/login`, `/refresh`, `/logout`, `/me`: people over the API.

use super::{Body, Caller, Routes};
use crate::http::error::{ApiError, Whose};
use axum::{Extension, Json};
use contract::{LoginBody, LogoutBody, Me, MfaBody, RefreshBody, TokenAnswer};
use domain::{Ctx, tokens};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// What comes without a credential, or brings its own in the body.
pub fn open_routes() -> Routes {
    vec![routes!(login), routes!(mfa), routes!(refresh)]
}

/// What an access token is sent with.
pub fn routes() -> Routes {
    vec![routes!(logout), routes!(me)]
}

/// The answer belongs to the tenant that was signed in to.
type SignedIn = (Extension<Whose>, Json<TokenAnswer>);

fn signed_in(done: domain::Result<TokenAnswer>, ctx: &Ctx) -> Result<SignedIn, ApiError> {
    let answer = done.map_err(|e| ctx.problem(e))?;
    Ok((Extension(Whose::from(answer.user.tenant_id)), Json(answer)))
}

/// Signs a person in, for an hour and for as long as they refresh.
#[utoipa::path(
    post,
    path = "/v1/auth/login",
    tag = "Sign-in",
    operation_id = "login",
    request_body(content = LoginBody, content_type = "application/json"),
    security(()),
    responses(
        (status = 200, description = "Signed in.", body = TokenAnswer),
        (status = 401, description = "Address or password is wrong; or `MFA_REQUIRED`: send `error.mfa_token` with a code to `/v1/auth/mfa`."),
        (status = 403, description = "The account does not belong to that tenant, or to none that is in use."),
        (status = 409, description = "The account belongs to several tenants: name one. `error.tenants` has their ids and names, unless the account has a second factor."),
        (status = 429, description = "Too many attempts failed."),
    )
)]
async fn login(Extension(ctx): Extension<Ctx>, body: Body) -> Result<SignedIn, ApiError> {
    let body: LoginBody = body.read()?;
    signed_in(tokens::login(&ctx, &body).await, &ctx)
}

/// Takes the second step: a code of the authenticator app, or a recovery code.
#[utoipa::path(
    post,
    path = "/v1/auth/mfa",
    tag = "Sign-in",
    operation_id = "loginSecondStep",
    request_body(content = MfaBody, content_type = "application/json"),
    security(()),
    responses(
        (status = 200, description = "Signed in.", body = TokenAnswer),
        (status = 401, description = "The `mfa_token` is unknown or older than ten minutes."),
        (status = 429, description = "Too many attempts failed."),
    )
)]
async fn mfa(Extension(ctx): Extension<Ctx>, body: Body) -> Result<SignedIn, ApiError> {
    let body: MfaBody = body.read()?;
    signed_in(tokens::mfa(&ctx, &body).await, &ctx)
}

/// Replaces a refresh token, with a fresh access token beside it.
///
/// A refresh token is good once; one that comes again ends the sign-in. For ten seconds an answer that was lost is given again.
#[utoipa::path(
    post,
    path = "/v1/auth/refresh",
    tag = "Sign-in",
    operation_id = "refreshLogin",
    request_body(content = RefreshBody, content_type = "application/json"),
    security(()),
    responses(
        (status = 200, description = "Still signed in.", body = TokenAnswer),
        (status = 401, description = "The token is unknown, was used, has expired, or its sign-in ended."),
        (status = 429, description = "Too many attempts failed."),
    )
)]
async fn refresh(Extension(ctx): Extension<Ctx>, body: Body) -> Result<SignedIn, ApiError> {
    let body: RefreshBody = body.read()?;
    signed_in(tokens::refresh(&ctx, &body).await, &ctx)
}

/// How many sign-ins ended.
#[derive(Serialize, ToSchema)]
struct LoggedOut {
    ended: usize,
}

/// Ends the sign-in of the access token that was sent, or of the refresh token in the body.
#[utoipa::path(
    post,
    path = "/v1/auth/logout",
    tag = "Sign-in",
    operation_id = "logout",
    request_body(content = Option<LogoutBody>, content_type = "application/json"),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "Signed out: none of its tokens works any more.", body = LoggedOut),
        (status = 401, description = "Neither token works."),
        (status = 403, description = "An API key was sent: nobody signed in with it."),
        (status = 429, description = "Too many requests."),
    )
)]
async fn logout(Extension(ctx): Extension<Ctx>, body: Body) -> Result<Json<LoggedOut>, ApiError> {
    let body: LogoutBody = body.read_or_default()?;
    tokens::logout(&ctx, &body).await.map(|ended| Json(LoggedOut { ended })).map_err(|e| ctx.problem(e).into())
}

/// Says who signed in.
#[utoipa::path(
    get,
    path = "/v1/auth/me",
    tag = "Sign-in",
    operation_id = "whoAmI",
    responses(
        (status = 200, description = "Whose credential it is.", body = Me),
    )
)]
async fn me(Caller(ctx): Caller) -> Result<Json<Me>, ApiError> {
    tokens::me(&ctx).map(Json).map_err(|e| ctx.problem(e).into())
}
