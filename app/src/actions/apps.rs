//! OAuth apps, and what people allowed them.

use crate::{
    error::AppError,
    ssr::{Browser, ctx, fail, unknown_act},
    url::try_href,
};
use contract::{App, AppForm, AppId, CreatedApp, GrantId, GrantSeen, Perm, RotateForm, read_reason};
use domain::{
    Ctx, Error,
    idempotency::{self, Begun, Stored},
    oauth,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The forms of an app's page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppAct {
    /// `suspend`, `resume`, `delete` or `revoke`.
    pub act: String,
    /// Why it is suspended, for the audit log.
    pub reason: String,
    /// The name of the app, typed to delete it.
    pub confirm: String,
    /// The grant that is revoked.
    pub grant: String,
}

/// The form of an app's logo: a browser sends no file a second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogoForm {}

/// The forms of the page where an app is tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TryForm {
    /// `begin` or `stop`.
    pub act: String,
    /// What the app asks for.
    pub scopes: Vec<String>,
}

/// The form of `/grants`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantForm {
    /// `revoke`.
    pub act: String,
    /// The grant.
    pub grant: String,
}

/// Registers an app; the answer is the only place where its secret stands.
#[server(endpoint = "apps/create")]
pub async fn create_app(form: AppForm) -> Result<CreatedApp, AppError> {
    let ctx = ctx()?;
    create(&ctx, &form).await.map_err(|e| fail(&ctx, e))
}

/// Posting the same form twice registers one app, as sending a request with the same idempotency key does: its id is
/// kept for a day, and the second answer has no secret.
async fn create(ctx: &Ctx, form: &AppForm) -> domain::Result<CreatedApp> {
    ctx.require_tenant_level(Perm::AppsWrite)?;
    let form_id =
        form.form_id().ok_or_else(|| Error::Conflict("This form is incomplete. Open it again and send it once more.".to_owned()))?;
    let running = match idempotency::begin(ctx, &form_id.to_string(), &[b"/apps/new"]).await? {
        Begun::First(running) => running,
        Begun::Again(first) => {
            let id = first.body.parse::<AppId>().map_err(Error::internal)?;
            return Ok(CreatedApp { app: oauth::get(ctx, Perm::AppsWrite, id).await?, client_secret: None });
        }
    };
    match oauth::create(running.ctx(), &form.to_body()).await {
        Ok(made) => {
            // The answer stands although it could not be kept: what it tells has happened.
            _ = running.finish(Stored { status: 201, body: made.app.id.to_string() }, None).await;
            Ok(made)
        }
        Err(e) => {
            running.abandon().await?;
            Err(e)
        }
    }
}

/// Changes an app as its edit form says. Its kind stays.
#[server(endpoint = "apps/edit")]
pub async fn edit_app(id: AppId, form: AppForm) -> Result<App, AppError> {
    let ctx = ctx()?;
    oauth::update_from_form(&ctx, id, &form).await.map_err(|e| fail(&ctx, e))
}

/// Gives an app a logo, or another one.
#[server(endpoint = "apps/set-logo")]
pub async fn set_app_logo(id: AppId, logo: Vec<u8>) -> Result<App, AppError> {
    let ctx = ctx()?;
    oauth::logo::set(&ctx, id, logo).await.map_err(|e| fail(&ctx, e))
}

/// Takes the logo of an app away.
#[server(endpoint = "apps/remove-logo")]
pub async fn remove_app_logo(id: AppId) -> Result<App, AppError> {
    let ctx = ctx()?;
    oauth::logo::remove(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// The app, for who may change it: before what they sent is judged.
pub async fn find_app(id: AppId) -> Result<App, AppError> {
    let ctx = ctx()?;
    oauth::get(&ctx, Perm::AppsWrite, id).await.map_err(|e| fail(&ctx, e))
}

/// Gives an app a new secret; the answer is the only place where it stands.
#[server(endpoint = "apps/rotate")]
pub async fn rotate_app_secret(id: AppId, form: RotateForm) -> Result<CreatedApp, AppError> {
    let ctx = ctx()?;
    oauth::rotate_secret_from_form(&ctx, id, &form).await.map_err(|e| fail(&ctx, e))
}

/// Puts an app out of use.
#[server(endpoint = "apps/suspend")]
pub async fn suspend_app(id: AppId, reason: String) -> Result<App, AppError> {
    let ctx = ctx()?;
    suspend(&ctx, id, &reason).await.map_err(|e| fail(&ctx, e))
}

async fn suspend(ctx: &Ctx, id: AppId, reason: &str) -> domain::Result<App> {
    oauth::get(ctx, Perm::AppsRevoke, id).await?;
    oauth::suspend(ctx, id, read_reason(Some(reason))?).await
}

/// Puts it into use again.
#[server(endpoint = "apps/resume")]
pub async fn resume_app(id: AppId) -> Result<App, AppError> {
    let ctx = ctx()?;
    oauth::resume(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Deletes an app for good; `confirm` is its name, typed.
#[server(endpoint = "apps/delete")]
pub async fn delete_app(id: AppId, confirm: String) -> Result<App, AppError> {
    let ctx = ctx()?;
    delete(&ctx, id, &confirm).await.map_err(|e| fail(&ctx, e))
}

async fn delete(ctx: &Ctx, id: AppId, confirm: &str) -> domain::Result<App> {
    let name = oauth::get(ctx, Perm::AppsWrite, id).await?.name;
    if confirm.trim() != name {
        return Err(Error::field("confirm", "invalid", format!("Type the name of the app, {name}, to delete it.")));
    }
    oauth::delete(ctx, id).await
}

/// Begins to try an app, or stops waiting for the answer; where the browser goes next.
#[server(endpoint = "apps/try")]
pub async fn try_app(id: AppId, form: TryForm) -> Result<String, AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    match form.act.as_str() {
        "begin" => match Box::pin(oauth::begin_trial(&ctx, id, &form.scopes)).await.map_err(|e| fail(&ctx, e))? {
            oauth::Begun::Asks(trial) => {
                browser.begin_trial(&ctx, &trial).await?;
                Ok(trial.path(ctx.core()))
            }
            oauth::Begun::Done(report) => {
                browser.end_trial(&ctx, Some(&report)).await?;
                Ok(try_href(id))
            }
        },
        "stop" => {
            oauth::stop_trial(&ctx, id).await.map_err(|e| fail(&ctx, e))?;
            browser.end_trial(&ctx, None).await?;
            Ok(format!("{}?done=stopped", try_href(id)))
        }
        _ => Err(unknown_act()),
    }
}

/// Takes back what an app was allowed: by oneself, or by others to an app that one manages.
#[server(endpoint = "grants/revoke")]
pub async fn revoke_grant(id: GrantId) -> Result<GrantSeen, AppError> {
    let ctx = ctx()?;
    oauth::revoke_grant(&ctx, id).await.map_err(|e| fail(&ctx, e))
}
