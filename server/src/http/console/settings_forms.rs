//! The forms of the tenant's settings.

use super::{
    super::AppState,
    forms::{read, refused, run},
    render,
};
use app::{
    actions::{self, AllowlistForm, ScopeForm},
    error::AppError,
    ssr::{Reviewed, ReviewedPolicies, unknown_act},
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use contract::{AllowedIp, FieldErrors, PoliciesForm, Problem, read_ips};
use domain::{Ctx, keys, tenants};
use leptos::prelude::provide_context;

/// `POST /settings/scopes`: adds, describes or deletes a permission.
pub async fn scopes(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<ScopeForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let done = match form.act.as_str() {
        "add" => run(&parts, actions::add_scope(form.name.clone(), form.description.clone())).await,
        "describe" => run(&parts, actions::describe_scope(form.name.clone(), form.description.clone())).await,
        "delete" => run(&parts, actions::delete_scope(form.name.clone())).await,
        _ => Err(unknown_act()),
    };
    match done {
        Ok(_) => Redirect::to("/settings/scopes").into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /settings/allowlist`: shows what a list would break, then saves that list and no other.
pub async fn allowlist(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<AllowlistForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Some(ctx) = parts.extensions.get::<Ctx>().cloned() else { return StatusCode::UNAUTHORIZED.into_response() };
    if !matches!(form.act.as_str(), "review" | "save") {
        return refused(&state, &parts, form, unknown_act()).await;
    }
    let list = match list(&ctx, &form.allowed_ips) {
        Ok(list) => list,
        Err(e) => return refused(&state, &parts, form, e).await,
    };
    let reviewed = self::list(&ctx, &form.reviewed).is_ok_and(|seen| seen == list);
    let outside = shuts_out(&ctx, &list);
    let mut errors = FieldErrors::default();
    if form.act == "save" && reviewed {
        if outside && form.lockout.is_none() {
            errors.add("lockout", "required", "Your own address is not on the list. Tick the box if that is what you want.");
        } else {
            return match run(&parts, actions::set_allowlist(AllowlistForm::lines(&form.allowed_ips))).await {
                Ok(_) => Redirect::to("/settings/allowlist?saved=1").into_response(),
                Err(e) => refused(&state, &parts, form, e).await,
            };
        }
    }
    let impact = match keys::impact_of_allowlist(&ctx, &list).await {
        Ok(impact) => impact,
        Err(e) => return refused(&state, &parts, form, AppError(ctx.problem(e))).await,
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let shown = Reviewed { form, list, impact, outside, errors };
    render::page(&state, &parts, status, move || provide_context(shown.clone())).await
}

/// `POST /settings/policies`: shows what saving them would do, then saves those policies and no others.
pub async fn policies(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<PoliciesForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Some(ctx) = parts.extensions.get::<Ctx>().cloned() else { return StatusCode::UNAUTHORIZED.into_response() };
    if !matches!(form.act.as_str(), "review" | "save") {
        return refused(&state, &parts, form, unknown_act()).await;
    }
    let asked = match ctx.require(contract::Perm::PoliciesWrite).and_then(|_| Ok(form.parse()?)) {
        Ok(asked) => asked,
        Err(e) => return refused(&state, &parts, form, AppError(ctx.problem(e))).await,
    };
    if form.act == "save" && form.reviewed == ReviewedPolicies::mark(&asked) {
        return match run(&parts, actions::set_policies(form.clone())).await {
            Ok(_) => Redirect::to("/settings/policies?saved=1").into_response(),
            Err(e) => refused(&state, &parts, form, e).await,
        };
    }
    let review = match tenants::review(&ctx, &asked).await {
        Ok(review) => review,
        Err(e) => return refused(&state, &parts, form, AppError(ctx.problem(e))).await,
    };
    let shown = ReviewedPolicies { mark: ReviewedPolicies::mark(&asked), form, review };
    render::page(&state, &parts, StatusCode::OK, move || provide_context(shown.clone())).await
}

/// The list that was typed, from somebody who may set it.
fn list(ctx: &Ctx, text: &str) -> Result<Vec<AllowedIp>, AppError> {
    ctx.require(contract::Perm::PoliciesWrite).map_err(|e| AppError(ctx.problem(e)))?;
    let mut errors = FieldErrors::default();
    let list = read_ips(&AllowlistForm::lines(text), &mut errors);
    errors.into_result(Some(list)).map_err(|e| AppError(Problem::invalid(e)))
}

/// Would live keys be refused where the person sits?
fn shuts_out(ctx: &Ctx, list: &[AllowedIp]) -> bool {
    !list.is_empty() && ctx.request().ip.is_some_and(|ip| !list.iter().any(|net| net.contains(ip)))
}
