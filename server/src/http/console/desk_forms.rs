//! The forms of the leak desk.

use super::{
    super::AppState,
    forms::{read, refused, run},
    render,
};
use app::{
    actions::{self, DeskForm, ReportForm},
    error::AppError,
    ssr::unknown_act,
};
use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use contract::{AppId, AppSecretId, ErrorCode, LeakId, LeakText, Problem, RevokeForm, SecretId};
use domain::leaks::LOOKUP_BYTES;
use leptos::prelude::provide_context;
use serde::Deserialize;

/// Most bytes of what is posted to the desk: a form writes a byte as three.
pub const PASTED: usize = 3 * LOOKUP_BYTES + 4096;

/// What is posted to `/leaks`: a text to search, a secret to report, or what is done about an app.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Posted {
    text: String,
    secret_id: String,
    note: String,
    notify: Option<String>,
    /// `end` or `suspend`.
    act: String,
    app_secret: String,
    app: String,
}

/// Ends the secret of an app, or puts the app out of use.
async fn about_app(parts: &Parts, posted: &Posted) -> Result<&'static str, AppError> {
    let nowhere = || AppError(Problem::new(ErrorCode::NotFound));
    match posted.act.as_str() {
        "end" => {
            let secret = posted.app_secret.parse::<AppSecretId>().map_err(|_| nowhere())?;
            run(parts, actions::end_app_secret(secret)).await.map(|_| "/leaks?done=ended")
        }
        "suspend" => {
            let app = posted.app.parse::<AppId>().map_err(|_| nowhere())?;
            run(parts, actions::suspend_app(app, "A secret of it leaked.".to_owned())).await.map(|_| "/leaks?done=suspended")
        }
        _ => Err(unknown_act()),
    }
}

/// `POST /leaks`
pub async fn desk(State(state): State<AppState>, req: Request) -> Response {
    let (parts, posted) = match read::<Posted>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    if !posted.act.is_empty() {
        return match about_app(&parts, &posted).await {
            Ok(to) => Redirect::to(to).into_response(),
            Err(e) => refused(&state, &parts, DeskForm::default(), e).await,
        };
    }
    if posted.secret_id.is_empty() {
        // The page shows what was found and never what was pasted.
        return match run(&parts, actions::look_up(LeakText { text: posted.text })).await {
            Ok(found) => render::page(&state, &parts, StatusCode::OK, move || provide_context(found.clone())).await,
            Err(e) => refused(&state, &parts, DeskForm::default(), e).await,
        };
    }
    let Ok(secret) = posted.secret_id.parse::<SecretId>() else {
        return render::page(&state, &parts, StatusCode::NOT_FOUND, || provide_context(Problem::new(ErrorCode::NotFound))).await;
    };
    let report = match run(&parts, actions::report_leak(secret, posted.note.clone())).await {
        Ok(report) => report,
        Err(e) => {
            // A note that holds a key is not shown again either.
            let note = if e.0.fields.get("note").is_some() { String::new() } else { posted.note };
            return refused(&state, &parts, DeskForm { secret_id: posted.secret_id, note, notify: posted.notify }, e).await;
        }
    };
    if posted.notify.is_some() && report.notified_at.is_none() {
        // The report stands whatever comes of this; its page shows whether the owner was told, and can be asked again.
        _ = run(&parts, actions::notify_leak(report.id)).await;
    }
    Redirect::to(&format!("/leaks/{}", report.id)).into_response()
}

/// `POST /leaks/{id}`: tells the owner, revokes the key, or closes the report.
pub async fn report(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, form) = match read::<ReportForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Ok(id) = id.parse::<LeakId>() else { return render::page(&state, &parts, StatusCode::NOT_FOUND, || {}).await };
    let done = match form.act.as_str() {
        "notify" => run(&parts, actions::notify_leak(id)).await.map(drop),
        "close" => run(&parts, actions::close_leak(id, form.reason.clone())).await.map(drop),
        "revoke" => {
            let revoke = RevokeForm { reason: form.why.clone(), confirm: form.confirm.clone() };
            run(&parts, actions::revoke_leaked(id, revoke)).await.map(drop).map_err(|e| renamed(e, "reason", "why"))
        }
        _ => Err(unknown_act()),
    };
    match done {
        Ok(()) => Redirect::to(&format!("/leaks/{id}")).into_response(),
        Err(e) => refused(&state, &parts, kept(form, &e), e).await,
    }
}

/// What was typed, but for a text that was refused because it may hold a key.
fn kept(form: ReportForm, e: &AppError) -> ReportForm {
    let reason = if e.0.fields.get("reason").is_some() { String::new() } else { form.reason };
    ReportForm { reason, ..form }
}

/// Two forms of one page cannot both have a field of one name.
fn renamed(mut e: AppError, from: &str, to: &str) -> AppError {
    for field in e.0.fields.0.iter_mut().filter(|f| f.field == from) {
        to.clone_into(&mut field.field);
    }
    e
}
