//! First run, sign-in, sign-out.

use crate::{
    error::AppError,
    ssr::{Browser, ctx, fail},
};
use contract::{Role, SetupForm, SignInForm};
use domain::{Error, identity};
use leptos::prelude::*;

/// Makes the first tenant and its owner, once, and signs the owner in.
#[server(endpoint = "account/set-up")]
pub async fn set_up(form: SetupForm) -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let person = identity::set_up(&ctx, &form).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.open_session(&ctx, &person).await?)
}

/// Signs a person in; the answer is their role, which says where they start.
#[server(endpoint = "account/sign-in")]
pub async fn sign_in(form: SignInForm) -> Result<Role, AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let person = identity::sign_in(&ctx, &form).await.map_err(|e| fail(&ctx, e))?;
    browser.open_session(&ctx, &person).await?;
    let member = identity::resume(ctx.core(), person).await.map_err(|e| fail(&ctx, e))?;
    member.map(|m| m.role).ok_or_else(|| fail(&ctx, Error::Unauthenticated))
}

/// Ends the session, here and on the server.
#[server(endpoint = "account/sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    identity::sign_out(&ctx).await.map_err(|e| fail(&ctx, e))?;
    Ok(browser.close_session(&ctx).await?)
}
