//! `/v1/audit`

use super::{
    Caller,
    logs::{self, Asked, Form, Row},
};
use crate::http::{AppState, error::ApiError};
use axum::{
    Json, Router,
    http::{HeaderMap, Uri},
    response::Response,
    routing::get,
};
use contract::{AuditEvent, AuditHead, AuditQuery};
use domain::{Ctx, audit};
use serde::Serialize;

/// The routes of the log.
pub fn routes() -> Router<AppState> {
    Router::new().route("/v1/audit/events", get(events)).route("/v1/audit/heads", get(heads)).route("/v1/audit/stream", get(stream))
}

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
                async move { audit::export(&ctx, &query, cursor).await.map_err(|e| ctx.problem(e)) }
            };
            logs::export(form, asked.limit, asked.page.cursor, next).await
        }
    }
}

/// The chains' signed ends.
#[derive(Serialize)]
struct Heads {
    data: Vec<AuditHead>,
}

async fn heads(Caller(ctx): Caller) -> Result<Json<Heads>, ApiError> {
    audit::heads(&ctx).await.map(|data| Json(Heads { data })).map_err(|e| ctx.problem(e).into())
}

/// New events as they come; `Last-Event-ID`, a number of the chain, goes on behind that one.
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
    logs::events(ctx, start, move |ctx, after| {
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
