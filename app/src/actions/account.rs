//! First run, sign-in, sign-out; what people do with their own account.

use crate::{
    error::AppError,
    ssr::{Browser, ctx, fail, unknown_act},
};
use contract::{
    ChangeEmailForm, ChangePasswordForm, ConfirmForm, EmailLinkForm, Enrolment, ForgotForm, RecoveryCodes, ResetForm, Role, SetupForm,
    SignInForm, SignInStep,
};
use domain::{
    Ctx, Error,
    identity::{self, Admitted, Step, sessions},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The forms of `/account/two-factor` and `/account/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountForm {
    /// `begin`, `on`, `off`, `codes`; `end`, `others`.
    pub act: String,
    /// The session that is meant.
    pub id: String,
}

/// Makes the first tenant and its owner, once, and signs the owner in.
#[server(endpoint = "account/set-up")]
pub async fn set_up(form: SetupForm) -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let person = identity::set_up(&ctx, &form).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.open_session(&ctx, &person).await?)
}

/// Signs a person in, or takes them to the second step.
#[server(endpoint = "account/sign-in")]
pub async fn sign_in(form: SignInForm) -> Result<SignInStep, AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    match identity::sign_in(&ctx, &form, browser.device()).await.map_err(|e| fail(&ctx, e))? {
        Step::SignedIn(person) => arrive(&ctx, &browser, person).await.map(SignInStep::Done),
        Step::SecondFactor(half) => {
            browser.await_code(&ctx, &half).await?;
            Ok(SignInStep::SecondFactor)
        }
    }
}

/// The second step of signing in; the answer is the role, which says where they start.
#[server(endpoint = "account/second-step")]
pub async fn second_step(code: String) -> Result<Role, AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let half = browser.half_signed_in(&ctx).await?.ok_or_else(|| fail(&ctx, Error::Unauthenticated))?;
    let person = identity::second_step(&ctx, half, &code, browser.device()).await.map_err(|e| fail(&ctx, e))?;
    arrive(&ctx, &browser, person).await
}

async fn arrive(ctx: &Ctx, browser: &Browser, admitted: Admitted) -> Result<Role, AppError> {
    browser.open_session(ctx, &admitted).await?;
    let member = identity::resume(ctx.core(), admitted.who).await.map_err(|e| fail(ctx, e))?;
    member.map(|m| m.role).ok_or_else(|| fail(ctx, Error::Unauthenticated))
}

/// Proves once more who is there.
#[server(endpoint = "account/confirm")]
pub async fn confirm(form: ConfirmForm) -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    identity::confirm(&ctx, &form).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.confirm_session(&ctx).await?)
}

/// Sets another password, and gives the session a new id.
#[server(endpoint = "account/change-password")]
pub async fn change_password(form: ChangePasswordForm) -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    identity::change_password(&ctx, &form).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.renew_session(&ctx).await?)
}

/// Sets a new password by a link.
#[server(endpoint = "account/reset-password")]
pub async fn reset_password(form: ResetForm) -> Result<(), AppError> {
    let ctx = ctx()?;
    identity::reset_password(&ctx, &form).await.map_err(|e| fail(&ctx, e))
}

/// Asks for a link that sets a new password, whoever has the address.
#[server(endpoint = "account/forgot-password")]
pub async fn forgot_password(form: ForgotForm) -> Result<(), AppError> {
    let ctx = ctx()?;
    identity::ask_for_reset(&ctx, &form).await.map_err(|e| fail(&ctx, e))
}

/// Asks for another address, or keeps the one that the account has.
#[server(endpoint = "account/change-email")]
pub async fn change_email(form: ChangeEmailForm) -> Result<(), AppError> {
    let ctx = ctx()?;
    let done = match form.act.as_str() {
        "ask" => identity::change_email(&ctx, &form).await,
        "cancel" => identity::keep_email(&ctx).await,
        _ => return Err(unknown_act()),
    };
    done.map_err(|e| fail(&ctx, e))
}

/// Confirms or refuses another address by a link that was mailed; whether the account has it now.
#[server(endpoint = "account/answer-email-link")]
pub async fn answer_email_link(form: EmailLinkForm) -> Result<bool, AppError> {
    let ctx = ctx()?;
    let done = match form.act.as_str() {
        "confirm" => identity::confirm_email(&ctx, &form.token).await,
        "refuse" => identity::refuse_email(&ctx, &form.token).await.map(|()| false),
        _ => return Err(unknown_act()),
    };
    done.map_err(|e| fail(&ctx, e))
}

/// Makes the secret of an authenticator app.
#[server(endpoint = "account/begin-two-factor")]
pub async fn begin_two_factor() -> Result<Enrolment, AppError> {
    let ctx = ctx()?;
    identity::begin_two_factor(&ctx).await.map_err(|e| fail(&ctx, e))
}

/// Takes the app's first code.
#[server(endpoint = "account/turn-on-two-factor")]
pub async fn turn_on_two_factor(code: String, end_others: Option<String>) -> Result<RecoveryCodes, AppError> {
    let ctx = ctx()?;
    identity::turn_on_two_factor(&ctx, &code, end_others.is_some()).await.map_err(|e| fail(&ctx, e))
}

/// Turns the second factor off.
#[server(endpoint = "account/turn-off-two-factor")]
pub async fn turn_off_two_factor(form: ConfirmForm, end_others: Option<String>) -> Result<(), AppError> {
    let ctx = ctx()?;
    identity::turn_off_two_factor(&ctx, &form, end_others.is_some()).await.map_err(|e| fail(&ctx, e))
}

/// Makes ten new recovery codes.
#[server(endpoint = "account/new-recovery-codes")]
pub async fn new_recovery_codes() -> Result<RecoveryCodes, AppError> {
    let ctx = ctx()?;
    identity::new_recovery_codes(&ctx).await.map_err(|e| fail(&ctx, e))
}

/// Ends one session of the caller.
#[server(endpoint = "account/end-session")]
pub async fn end_session(id: String) -> Result<(), AppError> {
    let ctx = ctx()?;
    sessions::end(&ctx, &id).await.map_err(|e| fail(&ctx, e))
}

/// Ends every session of the caller but this one.
#[server(endpoint = "account/end-other-sessions")]
pub async fn end_other_sessions() -> Result<u64, AppError> {
    let ctx = ctx()?;
    sessions::end_others(&ctx).await.map_err(|e| fail(&ctx, e))
}

/// Ends the session, here and on the server.
#[server(endpoint = "account/sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    identity::sign_out(&ctx).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.close_session(&ctx).await?)
}
