//! The leak desk.

use crate::{
    error::AppError,
    ssr::{ctx, fail},
};
use contract::{ApiKey, AppSecretId, LeakId, LeakLookup, LeakReport, LeakText, LeakedApp, RevokeForm, SecretId};
use domain::{Error, keys, leaks};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The forms of `/leaks`. What was pasted is in none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeskForm {
    /// The secret that is reported.
    pub secret_id: String,
    /// Where it was found.
    pub note: String,
    /// Tell the owner at once.
    pub notify: Option<String>,
}

/// The forms of `/leaks/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportForm {
    /// `notify`, `close` or `revoke`.
    pub act: String,
    /// Why it is closed.
    pub reason: String,
    /// Why the key is revoked.
    pub why: String,
    /// The name of the key, typed.
    pub confirm: String,
}

/// Finds the keys in a text, which is then forgotten; that somebody looked is recorded.
#[server(endpoint = "leaks/look-up")]
pub async fn look_up(form: LeakText) -> Result<LeakLookup, AppError> {
    let ctx = ctx()?;
    if form.text.trim().is_empty() {
        return Err(fail(&ctx, empty(&ctx)));
    }
    leaks::lookup(&ctx, &form.text).await.map_err(|e| fail(&ctx, e))
}

/// Who may not look is told so before anything else.
fn empty(ctx: &domain::Ctx) -> Error {
    let nothing = || Error::field("text", "required", "Paste the text that may hold a key.");
    ctx.require(contract::Perm::KeysLookup).map_or_else(|denied| denied, |_| nothing())
}

/// Reports a secret that the desk found.
#[server(endpoint = "leaks/report")]
pub async fn report_leak(secret: SecretId, note: String) -> Result<LeakReport, AppError> {
    let ctx = ctx()?;
    leaks::report(&ctx, secret, &note).await.map_err(|e| fail(&ctx, e))
}

/// Ends a secret of an app that the desk found; its people are told.
#[server(endpoint = "leaks/end-app-secret")]
pub async fn end_app_secret(secret: AppSecretId) -> Result<LeakedApp, AppError> {
    let ctx = ctx()?;
    leaks::end_app_secret(&ctx, secret).await.map_err(|e| fail(&ctx, e))
}

/// Tells the owner of a reported key.
#[server(endpoint = "leaks/notify")]
pub async fn notify_leak(id: LeakId) -> Result<LeakReport, AppError> {
    let ctx = ctx()?;
    leaks::notify(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Closes a report.
#[server(endpoint = "leaks/close")]
pub async fn close_leak(id: LeakId, reason: String) -> Result<LeakReport, AppError> {
    let ctx = ctx()?;
    leaks::close(&ctx, id, &reason).await.map_err(|e| fail(&ctx, e))
}

/// Revokes the key of a report for good; `form.confirm` is its name, typed.
#[server(endpoint = "leaks/revoke")]
pub async fn revoke_leaked(id: LeakId, form: RevokeForm) -> Result<ApiKey, AppError> {
    let ctx = ctx()?;
    let key = leaks::get(&ctx, id).await.map_err(|e| fail(&ctx, e))?.report.key_id;
    keys::revoke_confirmed(&ctx, key, &form).await.map_err(|e| fail(&ctx, e))
}
