//! `/v1/audit`

use super::{
    Caller, Routes,
    logs::{self, Asked, Form, PageParams, Row},
};
use crate::http::error::ApiError;
use axum::{
    Json,
    http::{HeaderMap, Uri},
    response::Response,
};
use contract::{AuditEvent, AuditHead, AuditQuery, ErrorCode, Page, Perm, Problem};
use domain::{Ctx, audit, verify};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of the log.
pub fn routes() -> Routes {
    vec![routes!(events), routes!(heads), routes!(stream)]
}

/// Lists recorded changes, the newest first.
///
/// `Accept: text/csv` or `application/x-ndjson` streams an export, `text/event-stream` what comes from now on.
#[utoipa::path(
    get,
    path = "/v1/audit/events",
    tag = "Audit log",
    operation_id = "listAudit",
    params(PageParams, AuditQuery),
    extensions(("x-keystead-permission" = json!("keystead.audit:read"))),
    responses(
        (status = 200, description = "One page; or, as `Accept` asks, an export of everything or a stream of what comes.", content(
            (Page<AuditEvent> = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (String = "text/event-stream"),
        )),
        (status = 406, description = "No form that the client accepts."),
    )
)]
async fn events(Caller(ctx): Caller, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    audit::check(&ctx).map_err(|e| ctx.problem(e))?;
    let asked = Asked::read(&uri)?;
    let query = asked.filter(|pairs| AuditQuery::parse(pairs))?;
    match logs::accepted(&headers)? {
        Form::Json => audit::search(&ctx, &query, asked.page).await.map(logs::page).map_err(|e| ctx.problem(e).into()),
        Form::Events => feed(ctx, query, &headers).await,
        form => {
            let next = move |cursor| {
                let (ctx, query) = (ctx.clone(), query.clone());
                async move {
                    // Asked anew for each page: an export ends when its key does (s34).
                    let ctx = verify::refreshed(&ctx).ok_or_else(|| Problem::new(ErrorCode::InvalidApiKey))?;
                    audit::export(&ctx, &query, cursor).await.map_err(|e| ctx.problem(e))
                }
            };
            logs::export(form, asked.limit, asked.page.cursor, next).await
        }
    }
}

/// The chains' signed ends.
#[derive(Serialize, ToSchema)]
struct Heads {
    data: Vec<AuditHead>,
}

/// Shows the signed end of the chain.
///
/// Kept elsewhere, it shows that the chain up to it was neither cut nor rewritten.
#[utoipa::path(
    get,
    path = "/v1/audit/heads",
    tag = "Audit log",
    operation_id = "listAuditHeads",
    extensions(("x-keystead-permission" = json!("keystead.audit:read"))),
    responses(
        (status = 200, description = "The end of each chain.", body = Heads),
    )
)]
async fn heads(Caller(ctx): Caller) -> Result<Json<Heads>, ApiError> {
    audit::heads(&ctx).await.map(|data| Json(Heads { data })).map_err(|e| ctx.problem(e).into())
}

/// Sends recorded changes as they come.
#[utoipa::path(
    get,
    path = "/v1/audit/stream",
    tag = "Audit log",
    operation_id = "streamAudit",
    params(("Last-Event-ID" = Option<String>, Header, description = "Goes on behind this event."), AuditQuery),
    extensions(("x-keystead-permission" = json!("keystead.audit:read"))),
    responses(
        (status = 200, description = "Server-sent events.", body = String, content_type = "text/event-stream"),
        (status = 406, description = "No form that the client accepts."),
    )
)]
async fn stream(Caller(ctx): Caller, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    audit::check(&ctx).map_err(|e| ctx.problem(e))?;
    let query = Asked::read(&uri)?.filter(|pairs| AuditQuery::parse(pairs))?;
    logs::accepts_events(&headers)?;
    feed(ctx, query, &headers).await
}

async fn feed(ctx: Ctx, query: AuditQuery, headers: &HeaderMap) -> Result<Response, ApiError> {
    let start = match logs::last_event_id(headers) {
        Some(id) => id.parse::<i64>().ok().filter(|n| *n >= 0).ok_or_else(logs::not_an_event_id)?,
        None => audit::last_seq(&ctx).await.map_err(|e| ctx.problem(e))?,
    };
    logs::events(ctx, Perm::AuditRead, start, move |ctx, after| {
        let query = query.clone();
        async move {
            let (events, place) = audit::newer(&ctx, &query, after).await?;
            let sent = events.iter().map(|e| logs::event(&e.seq.to_string(), "audit", e)).collect::<domain::Result<_>>()?;
            Ok((sent, place))
        }
    })
}

impl Row for AuditEvent {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "seq",
        "at",
        "actor_kind",
        "actor_id",
        "actor_name",
        "action",
        "target_kind",
        "target_id",
        "target_name",
        "ip",
        "request_id",
        "reason",
        "before",
        "after",
        "hash",
    ];
    const FILE: &'static str = "audit";

    fn cells(&self) -> Vec<String> {
        let text = |s: &Option<String>| s.clone().unwrap_or_default();
        let json = |v: &Option<serde_json::Value>| v.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![
            self.id.to_string(),
            self.seq.to_string(),
            self.at.to_string(),
            self.actor.kind.to_string(),
            text(&self.actor.id),
            self.actor.name.clone(),
            self.action.clone(),
            self.target.kind.clone(),
            self.target.id.clone(),
            self.target.name.clone(),
            self.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            text(&self.request_id),
            text(&self.reason),
            json(&self.before),
            json(&self.after),
            self.hash.clone(),
        ]
    }
}
