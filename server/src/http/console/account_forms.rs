//! The forms of people's own accounts, and the second step of signing in.

use super::{
    super::AppState,
    forms::{is_local, read, refused, run},
    render,
};
use app::{
    actions::{self, AccountForm},
    error::AppError,
    home,
    ssr::unknown_act,
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use contract::{
    ChangeEmailForm, ChangePasswordForm, CodeForm, ConfirmForm, EmailLinkForm, Enrolment, ErrorCode, ForgotForm, RecoveryCodes, ResetForm,
};
use domain::{Ctx, identity};
use leptos::prelude::provide_context;
use serde::{Deserialize, Serialize};

/// `POST /login/2fa`
pub async fn second_step(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<CodeForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::second_step(form.code.clone())).await {
        Ok(role) => Redirect::to(if is_local(&form.next) { &form.next } else { home(role) }).into_response(),
        // The first step was too long ago, or never taken.
        Err(e) if e.0.code == ErrorCode::Unauthorized => Redirect::to("/login?late=1").into_response(),
        Err(e) => refused(&state, &parts, CodeForm { code: String::new(), ..form }, e).await,
    }
}

/// `POST /reset`
pub async fn reset(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<ResetForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::reset_password(form.clone())).await {
        Ok(()) => Redirect::to("/login?reset=1").into_response(),
        Err(e) => refused(&state, &parts, ResetForm { new_password: String::new(), ..form }, e).await,
    }
}

/// `POST /forgot`: answered alike for every address (s8).
pub async fn forgot(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<ForgotForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::forgot_password(form.clone())).await {
        Ok(()) => Redirect::to("/forgot?done=1").into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /account/email`: asks for another address, or keeps this one.
pub async fn email(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<ChangeEmailForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let done = if form.act == "cancel" { "/account/email?done=kept" } else { "/account/email?done=asked" };
    match run(&parts, actions::change_email(form.clone())).await {
        Ok(()) => Redirect::to(done).into_response(),
        Err(e) => refused(&state, &parts, ChangeEmailForm { new_email: form.new_email, ..ChangeEmailForm::default() }, e).await,
    }
}

/// `POST /email`: confirms or refuses another address by a mailed link. The token is left behind.
pub async fn email_link(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<EmailLinkForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::answer_email_link(form.clone())).await {
        Ok(true) => Redirect::to("/email?done=changed").into_response(),
        Ok(false) if form.act == "confirm" => Redirect::to("/email?done=confirmed").into_response(),
        Ok(false) => Redirect::to("/email?done=refused").into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /account`: another password.
pub async fn password(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<ChangePasswordForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::change_password(form.clone())).await {
        Ok(()) => Redirect::to("/account?done=password").into_response(),
        Err(e) => refused(&state, &parts, ChangePasswordForm { end_others: form.end_others, ..ChangePasswordForm::default() }, e).await,
    }
}

/// The form of `/account/two-factor`; each button needs its part of it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TwoFactorForm {
    act: String,
    password: String,
    code: String,
    end_others: Option<String>,
}

/// `POST /account/two-factor`: what is shown once stands in the answer.
pub async fn two_factor(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<TwoFactorForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let back = AccountForm { act: form.act.clone(), ..AccountForm::default() };
    let done = match form.act.as_str() {
        "begin" => run(&parts, actions::begin_two_factor()).await.map(Answer::Enrolment),
        "on" => run(&parts, actions::turn_on_two_factor(form.code, form.end_others)).await.map(Answer::Codes),
        "codes" => run(&parts, actions::new_recovery_codes()).await.map(Answer::Codes),
        "off" => {
            let proof = ConfirmForm { password: form.password, code: form.code };
            run(&parts, actions::turn_off_two_factor(proof, form.end_others)).await.map(Answer::Off)
        }
        _ => Err(unknown_act()),
    };
    match done {
        Ok(Answer::Enrolment(shown)) => render::page(&state, &parts, StatusCode::OK, move || provide_context(shown.clone())).await,
        Ok(Answer::Codes(codes)) => render::page(&state, &parts, StatusCode::OK, move || provide_context(codes.clone())).await,
        Ok(Answer::Off(())) => Redirect::to("/account/two-factor").into_response(),
        // A wrong first code: the secret is shown again beside it.
        Err(e) if back.act == "on" && !e.0.fields.is_empty() => wrong_first_code(&state, &parts, back, e).await,
        Err(e) => refused(&state, &parts, back, e).await,
    }
}

enum Answer {
    Enrolment(Enrolment),
    Codes(RecoveryCodes),
    Off(()),
}

async fn wrong_first_code(state: &AppState, parts: &Parts, back: AccountForm, e: AppError) -> Response {
    let Some(ctx) = parts.extensions.get::<Ctx>() else { return refused(state, parts, back, e).await };
    match identity::pending_two_factor(ctx).await {
        Ok(Some(pending)) => {
            let returned = app::returned::Returned::refused(back, e.0);
            let shown = move || {
                provide_context(pending.clone());
                provide_context(returned.clone());
            };
            render::page(state, parts, StatusCode::UNPROCESSABLE_ENTITY, shown).await
        }
        _ => refused(state, parts, back, e).await,
    }
}

/// `POST /account/sessions`: ends one or all others.
pub async fn sessions(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<AccountForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let done = match form.act.as_str() {
        "end" => run(&parts, actions::end_session(form.id.clone())).await,
        "others" => run(&parts, actions::end_other_sessions()).await.map(drop),
        _ => Err(unknown_act()),
    };
    match done {
        Ok(()) => Redirect::to("/account/sessions?done=1").into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}
