//! The forms of tenants: the one to work on, its settings, those of the installation.

use super::{
    super::AppState,
    forms::{read, refused, run},
    render,
};
use app::{
    actions::{self, OwnTenantForm, PlatformForm, TenantsForm},
    error::AppError,
    home,
    ssr::unknown_act,
};
use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use contract::{ErrorCode, PlanForm, Problem, RecoverForm, TenantId};
use leptos::prelude::provide_context;
use serde::Deserialize;

/// `POST /tenants`: goes on in another tenant, or leaves the one that is worked on.
pub async fn mine(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<TenantsForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let done = match (form.act.as_str(), form.tenant.parse()) {
        ("leave", _) => run(&parts, actions::leave_tenant(form.confirm.clone())).await.map(|_| "/login"),
        ("", Ok(tenant)) => run(&parts, actions::switch_tenant(tenant)).await.map(home),
        ("", Err(_)) => Err(AppError(Problem::new(ErrorCode::NotFound))),
        _ => Err(unknown_act()),
    };
    match done {
        Ok(to) => Redirect::to(to).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /settings/tenant`: renames or deletes the tenant that is worked on.
pub async fn own(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<OwnTenantForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let done = match form.act.as_str() {
        "rename" => run(&parts, actions::rename_tenant(form.name.clone())).await.map(|_| "/settings/tenant?saved=1"),
        "delete" => run(&parts, actions::delete_tenant(form.confirm.clone())).await.map(|_| "/login"),
        "end-support" => match form.id.parse() {
            Ok(id) => run(&parts, actions::end_support(id)).await.map(|()| "/settings/tenant"),
            Err(_) => Err(AppError(Problem::new(ErrorCode::NotFound))),
        },
        _ => Err(unknown_act()),
    };
    match done {
        Ok(to) => Redirect::to(to).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /platform/tenants`: makes a tenant; the link for its owner is in the answer, once.
pub async fn create(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<PlatformForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    if form.act != "create" {
        return refused(&state, &parts, form, unknown_act()).await;
    }
    match run(&parts, actions::create_tenant(form.clone())).await {
        Ok((_, Some(link))) => render::page(&state, &parts, StatusCode::OK, move || provide_context(link.clone())).await,
        Ok((made, None)) => Redirect::to(&format!("/platform/tenants/{}", made.id)).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /platform/plans`: makes, changes or deletes a plan.
pub async fn plans(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<PlanForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::save_plan(form.clone())).await {
        Ok(()) => Redirect::to("/platform/plans").into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /platform/recovery`: helps somebody back in; a link is in the answer, once.
pub async fn recover(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<RecoverForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::recover_account(form.clone())).await {
        Ok(Some(link)) => render::page(&state, &parts, StatusCode::OK, move || provide_context(link.clone())).await,
        Ok(None) => Redirect::to("/platform/recovery?done=1").into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /platform/tenants/{id}`: the forms on the page of a tenant.
pub async fn act(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, form) = match read::<PlatformForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Ok(id) = id.parse::<TenantId>() else { return render::page(&state, &parts, StatusCode::NOT_FOUND, || {}).await };
    let done = match form.act.as_str() {
        "support" => run(&parts, actions::open_support(id, form.support())).await.map(|_| None),
        "end-support" => run(&parts, actions::end_own_support(id)).await.map(|()| None),
        _ => run(&parts, actions::act_on_tenant(id, form.clone())).await,
    };
    match done {
        Ok(Some(link)) => render::page(&state, &parts, StatusCode::OK, move || provide_context(link.clone())).await,
        Ok(None) => Redirect::to(&format!("/platform/tenants/{id}")).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// The form of `/platform/mails`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct MailForm {
    id: String,
}

/// `POST /platform/mails`: tries a mail once more.
pub async fn mails(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<MailForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Ok(id) = form.id.parse() else { return refused(&state, &parts, (), AppError(Problem::new(ErrorCode::NotFound))).await };
    match run(&parts, actions::retry_mail(id)).await {
        Ok(()) => Redirect::to("/platform/mails?done=1").into_response(),
        Err(e) => refused(&state, &parts, (), e).await,
    }
}
