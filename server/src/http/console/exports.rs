//! The logs as files, for members: what the lists show, all of it, streamed page by page.

use super::super::{
    AppState,
    api::logs::{self, Form},
    error::ApiError,
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use contract::{AuditQuery, FieldErrors, Perm, Problem, UsageQuery};
use domain::{Ctx, audit as audit_log, usage as usage_log};

/// `GET /usage/export`: the filter of the list and `format`.
pub async fn usage(State(_): State<AppState>, req: Request) -> Response {
    let answer = async {
        let ctx = member(&req, Perm::UsageRead)?;
        let (form, pairs) = asked(req.uri())?;
        let query = UsageQuery::parse(borrowed(&pairs)).map_err(Problem::invalid)?;
        let next = move |cursor| {
            let (ctx, query) = (ctx.clone(), query.clone());
            async move { usage_log::export(&ctx, &query, cursor).await.map_err(|e| ctx.problem(e)) }
        };
        logs::export(form, None, None, next).await
    };
    answer.await.unwrap_or_else(refused)
}

/// `GET /audit/export`: the filter of the list and `format`.
pub async fn audit(State(_): State<AppState>, req: Request) -> Response {
    let answer = async {
        let ctx = member(&req, Perm::AuditRead)?;
        let (form, pairs) = asked(req.uri())?;
        let query = AuditQuery::parse(borrowed(&pairs)).map_err(Problem::invalid)?;
        let next = move |cursor| {
            let (ctx, query) = (ctx.clone(), query.clone());
            async move { audit_log::export(&ctx, &query, cursor).await.map_err(|e| ctx.problem(e)) }
        };
        logs::export(form, None, None, next).await
    };
    answer.await.unwrap_or_else(refused)
}
