//! Who am I, and does the server live?

use super::{
    AppState,
    api::Caller,
    authn,
    error::{ApiError, Whose},
};
use axum::{
    Extension, Json,
    extract::State,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use contract::{CredentialKind, Environment, ErrorCode, Requirement, ScopeSet, UnixMs, UsageSource, UserId};
use domain::{Who, tenants, verify};
use serde::Serialize;
use std::time::Instant;
use utoipa::ToSchema;

/// Answer of `/v1/auth/test`.
#[derive(Serialize, ToSchema)]
pub struct Test {
    valid: bool,
    kind: CredentialKind,
    tenant_id: String,
    environment: Environment,
    scopes: ScopeSet,
    user: Option<UserId>,
}

/// Says who the credential is.
#[utoipa::path(
    get,
    path = "/v1/auth/test",
    tag = "Decisions",
    operation_id = "testCredential",
    responses(
        (status = 200, description = "The credential works.", body = Test),
    )
)]
pub async fn test(Caller(ctx): Caller) -> Result<Json<Test>, ApiError> {
    let who = match (ctx.who(), ctx.token()) {
        (Who::Key(key), _) => (CredentialKind::ApiKey, key.environment, key.scopes.clone(), key.owner),
        (_, Some(token)) => (token.kind(), token.environment, token.scopes.clone(), token.bearer.person()),
        _ => return Err(ErrorCode::Unauthorized.into()),
    };
    let (kind, environment, scopes, user) = who;
    let tenant_id = ctx.tenant_id().map(|id| id.to_string()).unwrap_or_default();
    Ok(Json(Test { valid: true, kind, tenant_id, environment, scopes, user }))
}

/// Answer of `/health`; what a stranger may not know is absent.
#[derive(Serialize, ToSchema)]
pub struct Health {
    status: &'static str,
    service: &'static str,
    timestamp: UnixMs,
    authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
}

/// On whose behalf the credential acts, and the plan that bounds it.
#[derive(Serialize, ToSchema)]
struct User {
    id: String,
    plan: String,
}

/// Says that the server is healthy, and with a credential also who calls.
#[utoipa::path(
    get,
    path = "/health",
    tag = "Health",
    operation_id = "health",
    security((), ("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, description = "Healthy.", body = Health),
    )
)]
pub async fn health(State(state): State<AppState>, parts: Parts) -> Result<(Option<Extension<Whose>>, Json<Health>), Response> {
    let started = Instant::now();
    let (ctx, decision) = authn::caller(&state, &parts).await?;
    let whose = decision.as_ref().and_then(authn::whose);
    if let Some(decision) = decision {
        let logged = authn::logged(&parts.method, &parts.uri, ctx.request());
        verify::record(&ctx, None, ctx.request().ip, &Requirement::default(), &decision, UsageSource::Api, logged, started.elapsed()).await;
    }
    let mut health = Health {
        status: "healthy",
        service: "keystead",
        timestamp: state.core.now(),
        authenticated: false,
        version: None,
        tenant_id: None,
        user: None,
    };
    let id = match ctx.who() {
        Who::Key(key) => Some(key.owner.map_or_else(|| key.key_id.to_string(), |id| id.to_string())),
        Who::Person(person) => Some(person.user_id.to_string()),
        Who::App(client) => Some(client.id.to_string()),
        _ => None,
    };
    if let Some(id) = id {
        health.authenticated = true;
        health.version = Some(env!("CARGO_PKG_VERSION"));
        health.tenant_id = ctx.tenant_id().map(|id| id.to_string());
        let plan = tenants::plan(&ctx).await.map_err(|e| ApiError(ctx.problem(e)).into_response())?;
        health.user = Some(User { id, plan });
    }
    Ok((whose.map(Extension), Json(health)))
}

/// Says that the process answers.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "Health",
    operation_id = "live",
    security(()),
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
    )
)]
pub async fn live() -> &'static str {
    "ok"
}

/// Says that the database answers, too.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Health",
    operation_id = "ready",
    security(()),
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
        (status = 503, description = "It does not."),
    )
)]
pub async fn ready(State(state): State<AppState>) -> Result<&'static str, ApiError> {
    state.core.db.ping().await.map(|()| "ok").map_err(|_| ErrorCode::Unavailable.into())
}
