//! “Confirm that it is you”: a form whose act wants a fresh proof is answered by a page that asks for one and holds what
//! was typed. That page is posted to the same address; with the proof the form then goes on as if nothing had happened.

use super::{super::AppState, super::error::ApiError, super::sessions, desk_forms, forms::run, render};
use app::{
    actions,
    components::IN_TENANT,
    ssr::{Browser, Confirming},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, Request, State},
    http::{Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::Form;
use contract::{ConfirmForm, ErrorCode, FieldErrors, Problem};
use domain::{Ctx, identity};
use leptos::prelude::provide_context;

/// Nothing that a page of the console posts is larger; each route has a limit of its own behind this.
const LARGEST: usize = desk_forms::PASTED;
/// The fields of the proof, beside those of the form.
const PASSWORD: &str = "confirm_password";
const CODE: &str = "confirm_code";

/// The answer of a handler whose act wants a fresh proof.
#[derive(Clone, Copy)]
struct Wanted;

/// What such a handler answers; [`ask`] makes a page of it.
pub fn wanted() -> Response {
    let mut response = StatusCode::FORBIDDEN.into_response();
    response.extensions_mut().insert(Wanted);
    response
}

/// Takes the proof that came with a form, and asks for one where it is wanted.
pub async fn ask(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let form = req.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let member = req.extensions().get::<Ctx>().is_some_and(|c| c.person().is_some());
    if req.method() != Method::POST || !form || !member || req.uri().path().starts_with("/api/") {
        return next.run(req).await;
    }
    let (mut parts, body) = req.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST).await else {
        return ApiError(Problem::new(ErrorCode::PayloadTooLarge)).into_response();
    };
    let mut fields = fields(&parts, &bytes).await;
    if let Some(elsewhere) = in_other_tenant(&parts, &fields) {
        return ApiError(elsewhere).into_response();
    }
    let proof = ConfirmForm { password: take(&mut fields, PASSWORD), code: take(&mut fields, CODE) };
    if proof != ConfirmForm::default() {
        if let Err(e) = run(&parts, actions::confirm(proof)).await {
            let status = StatusCode::from_u16(e.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return page(&state, &parts, fields, status, Some(e.0)).await;
        }
        if let Err(e) = renew(&mut parts).await {
            return ApiError(e).into_response();
        }
    }
    let response = next.run(Request::from_parts(parts.clone(), Body::from(bytes))).await;
    if response.extensions().get::<Wanted>().is_some() {
        return page(&state, &parts, fields, StatusCode::FORBIDDEN, None).await;
    }
    response
}

/// The form was made for another tenant than the one that is worked in now: a second tab switched.
pub(super) fn in_other_tenant(parts: &Parts, fields: &[(String, String)]) -> Option<Problem> {
    let here = parts.extensions.get::<Ctx>()?.tenant_id()?.to_string();
    let made_for = fields.iter().find(|(name, _)| name == IN_TENANT).map(|(_, id)| id)?;
    let said = "This form was opened in another tenant than the one you work in now, so nothing was done. Switch back to send it, \
        or open the page again to do it here.";
    (*made_for != here).then(|| Problem::new(ErrorCode::Conflict).message(said))
}

/// The fields of a form, in their order.
async fn fields(parts: &Parts, bytes: &Bytes) -> Vec<(String, String)> {
    let mut copy = Request::new(Body::from(bytes.clone()));
    *copy.method_mut() = Method::POST;
    copy.headers_mut().clone_from(&parts.headers);
    Form::<Vec<(String, String)>>::from_request(copy, &()).await.map(|form| form.0).unwrap_or_default()
}

fn take(fields: &mut Vec<(String, String)>, name: &str) -> String {
    let at = fields.iter().position(|(n, _)| n == name);
    at.map(|at| fields.remove(at).1).unwrap_or_default()
}

/// The request goes on as what it has become: in a session that was confirmed just now.
async fn renew(parts: &mut Parts) -> Result<(), Problem> {
    let (Some(ctx), Some(browser)) = (parts.extensions.get::<Ctx>().cloned(), parts.extensions.get::<Browser>().cloned()) else {
        return Err(Problem::new(ErrorCode::Internal));
    };
    let ctx = sessions::caller(&ctx, &browser).await.map_err(|e| ctx.problem(e))?;
    parts.extensions.insert(ctx);
    Ok(())
}

async fn page(state: &AppState, parts: &Parts, fields: Vec<(String, String)>, status: StatusCode, wrong: Option<Problem>) -> Response {
    let Some(ctx) = parts.extensions.get::<Ctx>() else { return ApiError(Problem::new(ErrorCode::Unauthorized)).into_response() };
    let wants_code = match identity::confirm_wants_code(ctx).await {
        Ok(wants) => wants,
        Err(e) => return ApiError(ctx.problem(e)).into_response(),
    };
    let action = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let message = wrong.as_ref().filter(|p| p.fields.is_empty()).map(|p| p.message.clone());
    let mut errors = wrong.map_or_else(FieldErrors::default, |p| p.fields);
    // The page has its own names for them, so that they do not meet fields of the form.
    for error in &mut errors.0 {
        error.field = format!("confirm_{}", error.field);
    }
    let confirming = Confirming { fields, action, wants_code, errors, message };
    let mut parts = parts.clone();
    parts.headers.remove(header::CONTENT_LENGTH);
    render::page(state, &parts, status, move || provide_context(confirming.clone())).await
}
