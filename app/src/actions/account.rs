//! First run, sign-in, sign-out.

use crate::{
    error::AppError,
    ssr::{Browser, ctx, fail},
};
use contract::{SetupForm, SignInForm};
use domain::identity;
use leptos::prelude::*;

/// Makes the first tenant and its owner, once, and signs the owner in.
#[server(endpoint = "account/set-up")]
pub async fn set_up(form: SetupForm) -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let person = identity::set_up(&ctx, &form).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.open_session(&ctx, &person).await?)
}

/// Signs a person in.
#[server(endpoint = "account/sign-in")]
pub async fn sign_in(form: SignInForm) -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let person = identity::sign_in(&ctx, &form).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.open_session(&ctx, &person).await?)
}

/// Ends the session, here and on the server.
#[server(endpoint = "account/sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    identity::sign_out(&ctx).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.close_session(&ctx).await?)
}
