//! The forms on the pages of OAuth apps, and of what people allowed them.

use super::{
    super::AppState,
    forms::{nowhere, read, read_fields, read_of, refused, run},
    render,
};
use app::{
    actions::{self, AppAct, GrantForm},
    error::AppError,
    ssr::unknown_act,
};
use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use contract::{AppForm, AppId, ErrorCode, GrantId, Problem, RotateForm};
use leptos::prelude::provide_context;

/// `POST /apps/new`: the answer is the page that shows the secret, once; an app without one is shown itself.
pub async fn create(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read_app_form(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, Box::pin(actions::create_app(form.clone()))).await {
        Ok(made) if !made.app.kind.has_secret() => Redirect::to(&format!("/apps/{}?done=registered", made.app.id)).into_response(),
        Ok(made) => render::page(&state, &parts, StatusCode::OK, move || provide_context(made.clone())).await,
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /apps/{id}/edit`
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, form) = match read_app_form(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Ok(id) = id.parse::<AppId>() else { return nowhere(&state, &parts).await };
    match run(&parts, Box::pin(actions::edit_app(id, form.clone()))).await {
        Ok(_) => Redirect::to(&format!("/apps/{id}?done=saved")).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /apps/{id}/rotate`: the answer is the page that shows the new secret, once.
pub async fn rotate(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, id, form) = match read_of::<AppId, RotateForm>(&state, id, req).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    match run(&parts, actions::rotate_app_secret(id, form.clone())).await {
        Ok(made) => {
            let more = move || {
                provide_context(made.clone());
                provide_context(form.clone());
            };
            render::page(&state, &parts, StatusCode::OK, more).await
        }
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /apps/{id}`: the forms on the page of an app.
pub async fn act(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, id, form) = match read_of::<AppId, AppAct>(&state, id, req).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    let here = |done: &str| format!("/apps/{id}?done={done}");
    let done = match form.act.as_str() {
        "suspend" => run(&parts, actions::suspend_app(id, form.reason.clone())).await.map(|_| here("suspended")),
        "resume" => run(&parts, actions::resume_app(id)).await.map(|_| here("resumed")),
        "delete" => run(&parts, actions::delete_app(id, form.confirm.clone())).await.map(|_| "/apps?deleted=1".to_owned()),
        "revoke" => revoke_grant(&parts, &form.grant).await.map(|()| here("revoked")),
        _ => Err(unknown_act()),
    };
    match done {
        Ok(to) => Redirect::to(&to).into_response(),
        // A reason that was refused may hold a secret.
        Err(e) if e.0.fields.get("reason").is_some() => refused(&state, &parts, AppAct { reason: String::new(), ..form }, e).await,
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /apps`: ends what a member allowed an app of another tenant.
pub async fn others(State(state): State<AppState>, req: Request) -> Response {
    take_back(&state, req, "/apps?done=revoked").await
}

/// `POST /grants`: takes back what the person allowed, in whichever of their tenants.
pub async fn grants(State(state): State<AppState>, req: Request) -> Response {
    take_back(&state, req, "/grants?done=1").await
}

/// The form of a grant, and where it leads once that is revoked.
async fn take_back(state: &AppState, req: Request, to: &str) -> Response {
    let (parts, form) = match read::<GrantForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let done = if form.act == "revoke" { revoke_grant(&parts, &form.grant).await } else { Err(unknown_act()) };
    match done {
        Ok(()) => Redirect::to(to).into_response(),
        Err(e) => refused(state, &parts, form, e).await,
    }
}

async fn revoke_grant(parts: &Parts, id: &str) -> Result<(), AppError> {
    let id = id.parse::<GrantId>().map_err(|_| AppError(Problem::new(ErrorCode::NotFound)))?;
    run(parts, actions::revoke_grant(id)).await.map(drop).map_err(|AppError(problem)| {
        // Two people, or two windows: the page that is shown again does not have it any more.
        let gone = problem.code == ErrorCode::NotFound;
        let message = if gone { "It is not there any more: it was revoked meanwhile.".to_owned() } else { problem.message };
        AppError(Problem { message, ..problem })
    })
}

async fn read_app_form(req: Request) -> Result<(Parts, AppForm), Response> {
    let (parts, fields) = read_fields(req).await?;
    let form = AppForm::from_fields(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Ok((parts, form))
}
