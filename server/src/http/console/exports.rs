//! The logs as files, for members: what the lists show, all of it, streamed page by page. Who may is the domain's to say.

use super::super::{
    api::logs::{self, Form},
    error::ApiError,
};
use axum::{extract::Request, http::Uri, response::Response};
use contract::{AuditQuery, ErrorCode, FieldErrors, Perm, Problem, UsageQuery};
use domain::{Ctx, audit as changes, usage as requests};

/// `GET /usage/export`: the filter of the list, and `format`.
pub async fn usage(req: Request) -> Result<Response, ApiError> {
    let ctx = member(&req, Perm::UsageRead)?;
    let Asked { form, pairs } = Asked::read(req.uri())?;
    let query = UsageQuery::parse(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))).map_err(Problem::invalid)?;
    let next = move |cursor| {
        let (ctx, query) = (ctx.clone(), query.clone());
        async move { requests::export(&ctx, &query, cursor).await.map_err(|e| ctx.problem(e)) }
    };
    logs::export(form, None, None, next).await
}

/// `GET /audit/export`: the filter of the list, and `format`.
pub async fn audit(req: Request) -> Result<Response, ApiError> {
    let ctx = member(&req, Perm::AuditRead)?;
    let Asked { form, pairs } = Asked::read(req.uri())?;
    let query = AuditQuery::parse(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))).map_err(Problem::invalid)?;
    let next = move |cursor| {
        let (ctx, query) = (ctx.clone(), query.clone());
        async move { changes::export(&ctx, &query, cursor).await.map_err(|e| ctx.problem(e)) }
    };
    logs::export(form, None, None, next).await
}

/// The signed-in member; who lacks the permission is told before the filter is judged.
fn member(req: &Request, perm: Perm) -> Result<Ctx, ApiError> {
    let ctx = req.extensions().get::<Ctx>().filter(|c| c.person().is_some()).ok_or(ErrorCode::Unauthorized)?;
    ctx.require(perm).map_err(|e| ctx.problem(e))?;
    Ok(ctx.clone())
}

struct Asked {
    form: Form,
    pairs: Vec<(String, String)>,
}

impl Asked {
    /// Reads the query. The page that a list is at plays no part: an export is all of it.
    fn read(uri: &Uri) -> Result<Self, ApiError> {
        let mut asked = Self { form: Form::Csv, pairs: Vec::new() };
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match (&*name, &*value) {
                ("format", "csv") => asked.form = Form::Csv,
                ("format", "ndjson") => asked.form = Form::Ndjson,
                ("format", _) => return Err(Problem::invalid(FieldErrors::one("format", "invalid", "csv or ndjson.")).into()),
                ("cursor", _) => {}
                _ => asked.pairs.push((name.into_owned(), value.into_owned())),
            }
        }
        Ok(asked)
    }
}
