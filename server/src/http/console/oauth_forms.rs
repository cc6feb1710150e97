//! Forms on the way of an authorization, and the trial of an app, which goes that way in the console.

use super::{
    super::{AppState, error::ApiError, oauth},
    forms::{read, read_of, refused, run},
};
use app::{
    actions::{self, TryForm},
    ssr::Browser,
    try_href,
};
use axum::{
    Extension,
    extract::{Path, Request, State},
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use contract::{AppId, ConfirmForm, ErrorCode, Problem};
use domain::{Ctx, oauth as rules};
use serde::Deserialize;

/// The form of `/oauth/confirm`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Anew {
    /// `cancel`, or nothing.
    act: String,
    password: String,
    code: String,
}

/// `POST /oauth/confirm?next=…`: the proof that an app wants, or none. It leads to the request again, or to the app.
pub async fn confirm(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<Anew>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let next = oauth::pairs(parts.uri.query().unwrap_or_default()).into_iter().find(|(name, _)| name == "next");
    let Some((asked, next)) = next.and_then(|(_, next)| Some((oauth::request(&state.core, &next)?, next))) else {
        return ApiError(Problem::new(ErrorCode::BadRequest)).into_response();
    };
    if form.act == "cancel" {
        return oauth::see_other(&rules::unproved(&state.core, &asked));
    }
    match run(&parts, actions::confirm(ConfirmForm { password: form.password, code: form.code })).await {
        Ok(()) => oauth::see_other(&next),
        Err(e) => refused(&state, &parts, ConfirmForm::default(), e).await,
    }
}

/// `POST /apps/{id}/try`
pub async fn try_app(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, id, form) = match read_of::<AppId, TryForm>(&state, id, req).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    match run(&parts, Box::pin(actions::try_app(id, form.clone()))).await {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// What is told of an answer that no trial in this browser waits for.
const NOBODYS: &str = "No trial in this browser waits for this answer: it was answered, stopped, or begun elsewhere. Nothing was \
    done with it. If you have just begun one, open the console under its public address, and try the app from there.";

/// `GET /oauth/try/callback`: the answer to a trial, where this session waits for just that one. Anything else is left alone
/// (s45). It acts on a GET, as the callback of every app does: once, behind what nobody else knows.
pub async fn tried(Extension(ctx): Extension<Ctx>, Extension(browser): Extension<Browser>, uri: Uri) -> Response {
    match answer(&ctx, &browser, &oauth::pairs(uri.query().unwrap_or_default())).await {
        Ok(app) => oauth::see_other(&try_href(app)),
        Err(problem) => ApiError(problem).into_response(),
    }
}

async fn answer(ctx: &Ctx, browser: &Browser, params: &[(String, String)]) -> Result<AppId, Problem> {
    let waiting = browser.trial(ctx).await?.filter(|trial| trial.is_answered_by(ctx, params));
    let trial = waiting.ok_or_else(|| Problem::new(ErrorCode::BadRequest).message(NOBODYS))?;
    let report = Box::pin(rules::finish_trial(ctx, &trial, params)).await;
    browser.end_trial(ctx, report.as_ref().ok()).await?;
    report.map(|report| report.app).map_err(|e| ctx.problem(e))
}
