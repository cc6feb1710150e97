//! `/v1/usage`, and what the log says of one key.

use super::{
    Caller, Routes,
    logs::{self, Asked, Form, PageParams, Row},
};
use crate::http::error::ApiError;
use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, Uri},
    response::Response,
};
use contract::{
    Bucket, Change, ErrorCode, FieldErrors, Impact, KeyId, Page, Perm, Problem, Scope, Trace, UsageEvent, UsageId, UsageQuery, UsageSummary,
};
use domain::{Ctx, keys, usage, verify};
use utoipa_axum::routes;

/// The routes of the log.
pub fn routes() -> Routes {
    vec![routes!(events), routes!(one), routes!(summary), routes!(stream)]
}

/// What the log says of one key.
pub fn key_routes() -> Routes {
    vec![routes!(of_key), routes!(impact)]
}

/// Lists decided requests, the newest first.
///
/// `Accept: text/csv` or `application/x-ndjson` streams an export, `text/event-stream` what comes from now on.
#[utoipa::path(
    get,
    path = "/v1/usage/events",
    tag = "Usage log",
    operation_id = "listUsage",
    params(PageParams, UsageQuery),
    extensions(("x-keystead-permission" = json!("keystead.usage:read"))),
    responses(
        (status = 200, description = "One page; or, as `Accept` asks, an export of everything or a stream of what comes.", content(
            (Page<UsageEvent> = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (String = "text/event-stream"),
        )),
        (status = 406, description = "No form that the client accepts."),
    )
)]
async fn events(Caller(ctx): Caller, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    ctx.require(Perm::UsageRead).map_err(|e| ctx.problem(e))?;
    let asked = Asked::read(&uri)?;
    let query = asked.filter(|pairs| UsageQuery::parse(pairs))?;
    answer(ctx, logs::accepted(&headers)?, asked, query, &headers).await
}

/// Lists decided requests of one key.
#[utoipa::path(
    get,
    path = "/v1/api-keys/{id}/usage",
    tag = "Usage log",
    operation_id = "listUsageOfApiKey",
    params(("id" = KeyId, Path, description = "The key."), PageParams, UsageQuery),
    extensions(("x-keystead-permission" = json!("keystead.usage:read"))),
    responses(
        (status = 200, description = "One page; or, as `Accept` asks, an export of everything or a stream of what comes.", content(
            (Page<UsageEvent> = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (String = "text/event-stream"),
        )),
        (status = 406, description = "No form that the client accepts."),
    )
)]
async fn of_key(Caller(ctx): Caller, Path(id): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let id = key_id(&id)?;
    usage::check_key(&ctx, id).await.map_err(|e| ctx.problem(e))?;
    let asked = Asked::read(&uri)?;
    let query = UsageQuery { credential_id: Some(id), ..asked.filter(|pairs| UsageQuery::parse(pairs))? };
    answer(ctx, logs::accepted(&headers)?, asked, query, &headers).await
}

async fn answer(ctx: Ctx, form: Form, asked: Asked, query: UsageQuery, headers: &HeaderMap) -> Result<Response, ApiError> {
    match form {
        Form::Json => usage::search(&ctx, &query, asked.page).await.map(logs::page).map_err(|e| ctx.problem(e).into()),
        Form::Events => feed(ctx, query, headers),
        form => {
            let next = move |cursor| {
                let (ctx, query) = (ctx.clone(), query.clone());
                async move {
                    // Asked anew for each page: an export ends when its key does (s34).
                    let ctx = verify::refreshed(&ctx).ok_or_else(|| Problem::new(ErrorCode::InvalidApiKey))?;
                    usage::export(&ctx, &query, cursor).await.map_err(|e| ctx.problem(e))
                }
            };
            logs::export(form, asked.limit, asked.page.cursor, next).await
        }
    }
}

/// Shows one decided request with its checks: why was it decided so?
#[utoipa::path(
    get,
    path = "/v1/usage/events/{id}",
    tag = "Usage log",
    operation_id = "explainDecision",
    params(("id" = UsageId, Path, description = "The event.")),
    extensions(("x-keystead-permission" = json!("keystead.usage:read"))),
    responses(
        (status = 200, description = "The event and its checks.", body = Trace),
    )
)]
async fn one(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<Trace>, ApiError> {
    let id: UsageId = id.parse().map_err(|_| ApiError::from(ErrorCode::NotFound))?;
    usage::trace(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Counts decided requests by code, key and time.
#[utoipa::path(
    get,
    path = "/v1/usage/summary",
    tag = "Usage log",
    operation_id = "summarizeUsage",
    params(("bucket" = Option<Bucket>, Query, description = "How time is cut; none means what suits the range."), UsageQuery),
    extensions(("x-keystead-permission" = json!("keystead.usage:read"))),
    responses(
        (status = 200, description = "The counts.", body = UsageSummary),
    )
)]
async fn summary(Caller(ctx): Caller, uri: Uri) -> Result<Json<UsageSummary>, ApiError> {
    ctx.require(Perm::UsageRead).map_err(|e| ctx.problem(e))?;
    let mut asked = Asked::read(&uri)?;
    let wrong = |()| Problem::invalid(FieldErrors::one("bucket", "invalid", "hour or day."));
    let bucket = asked.take("bucket").map(|b| b.parse::<Bucket>().map_err(wrong)).transpose()?;
    let query = asked.filter(|pairs| UsageQuery::parse(pairs))?;
    usage::summary(&ctx, &query, bucket).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Sends decided requests as they come.
#[utoipa::path(
    get,
    path = "/v1/usage/stream",
    tag = "Usage log",
    operation_id = "streamUsage",
    params(("Last-Event-ID" = Option<String>, Header, description = "Goes on behind this event."), UsageQuery),
    extensions(("x-keystead-permission" = json!("keystead.usage:read"))),
    responses(
        (status = 200, description = "Server-sent events.", body = String, content_type = "text/event-stream"),
        (status = 406, description = "No form that the client accepts."),
    )
)]
async fn stream(Caller(ctx): Caller, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    ctx.require(Perm::UsageRead).map_err(|e| ctx.problem(e))?;
    let query = Asked::read(&uri)?.filter(|pairs| UsageQuery::parse(pairs))?;
    logs::accepts_events(&headers)?;
    feed(ctx, query, &headers)
}

fn feed(ctx: Ctx, query: UsageQuery, headers: &HeaderMap) -> Result<Response, ApiError> {
    let start = match logs::last_event_id(headers) {
        Some(id) => id.parse::<UsageId>().map_err(|_| logs::not_an_event_id())?.uuid(),
        None => usage::stream_start(&ctx),
    };
    logs::events(ctx, Perm::UsageRead, start, move |ctx, after| {
        let query = query.clone();
        async move {
            let (events, place) = usage::newer(&ctx, &query, after).await?;
            let sent = events.iter().map(|e| logs::event(&e.id.to_string(), "usage", e)).collect::<domain::Result<_>>()?;
            Ok((sent, place))
        }
    })
}

/// Says what a change of a key would break: the requests of the last 30 days that it would have refused.
///
/// Who holds both `keystead.keys:read` and `keystead.usage:read` may ask, too.
#[utoipa::path(
    get,
    path = "/v1/api-keys/{id}/impact",
    tag = "Usage log",
    operation_id = "weighChange",
    params(("id" = KeyId, Path, description = "The key."), ("change" = Change, Query, description = "`revoke`, `scopes:a,b` or `allowed_ips:a,b`.")),
    extensions(("x-keystead-permission" = json!("keystead.keys:revoke"))),
    responses(
        (status = 200, description = "The requests and who sent them.", body = Impact),
    )
)]
async fn impact(Caller(ctx): Caller, Path(id): Path<String>, uri: Uri) -> Result<Json<Impact>, ApiError> {
    let id = key_id(&id)?;
    keys::check_impact(&ctx, id).await.map_err(|e| ctx.problem(e))?;
    let wrong = |code, message: String| Problem::invalid(FieldErrors::one("change", code, message));
    let said = Asked::read(&uri)?.take("change").ok_or_else(|| wrong("required", "Name a change.".to_owned()))?;
    let change = Change::parse(&said).map_err(|e| wrong("invalid", e))?;
    keys::impact_of(&ctx, id, &change).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// What is no id of a key is nobody's key.
fn key_id(id: &str) -> Result<KeyId, ApiError> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}

impl Row for UsageEvent {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "at",
        "request_id",
        "credential_id",
        "credential_name",
        "client_id",
        "client_name",
        "kind",
        "outcome",
        "code",
        "method",
        "path",
        "ip",
        "user_agent",
        "environment",
        "required_scopes",
        "source",
        "latency_us",
    ];
    const FILE: &'static str = "usage";

    fn cells(&self) -> Vec<String> {
        let text = |s: &Option<String>| s.clone().unwrap_or_default();
        vec![
            self.id.to_string(),
            self.at.to_string(),
            self.request_id.clone(),
            self.credential_id.map(|id| id.to_string()).unwrap_or_default(),
            text(&self.credential_name),
            self.client_id.map(|id| id.to_string()).unwrap_or_default(),
            text(&self.client_name),
            self.kind.to_string(),
            self.outcome.to_string(),
            self.code.to_string(),
            text(&self.method),
            text(&self.path),
            self.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            text(&self.user_agent),
            self.environment.to_string(),
            self.required_scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" "),
            self.source.to_string(),
            self.latency_us.to_string(),
        ]
    }
}
