//! API keys.

use crate::{
    error::AppError,
    ssr::{ctx, fail, unknown_act},
};
use contract::{ApiKey, BulkRevokeForm, CreatedKey, KeyAct, KeyForm, KeyId, Perm, RevokeForm, RotateForm, UpdateKey};
use domain::{Ctx, Error, keys};
use leptos::prelude::*;

/// Makes a key; the answer is the only place where its secret stands.
#[server(endpoint = "keys/create")]
pub async fn create_key(form: KeyForm) -> Result<CreatedKey, AppError> {
    let ctx = ctx()?;
    keys::create_from_form(&ctx, &form).await.map_err(|e| fail(&ctx, e))
}

/// Changes a key as its edit form says. Kind and environment stay.
#[server(endpoint = "keys/edit")]
pub async fn edit_key(id: KeyId, form: KeyForm) -> Result<ApiKey, AppError> {
    let ctx = ctx()?;
    let key = keys::get_for(&ctx, Perm::KeysWrite, id).await.map_err(|e| fail(&ctx, e))?;
    keys::update_from_form(&ctx, id, &form.for_edit_of(&key)).await.map_err(|e| fail(&ctx, e))
}

/// Switches a key off or on, or narrows it to what it used.
#[server(endpoint = "keys/act")]
pub async fn act_on_key(id: KeyId, form: KeyAct) -> Result<ApiKey, AppError> {
    let ctx = ctx()?;
    ctx.require(Perm::KeysWrite).map_err(|e| fail(&ctx, e))?;
    let done = match form.act.as_str() {
        "disable" => keys::disable(&ctx, id).await,
        "enable" => keys::enable(&ctx, id).await,
        "narrow" => narrow(&ctx, id, &form.scopes).await,
        _ => return Err(unknown_act()),
    };
    done.map_err(|e| fail(&ctx, e))
}

/// Gives the key the permissions that its page offered, if the log still says so: a request may have come meanwhile.
async fn narrow(ctx: &Ctx, id: KeyId, offered: &str) -> domain::Result<ApiKey> {
    keys::get_for(ctx, Perm::KeysWrite, id).await?;
    let suggested = keys::advice(ctx, id).await?.suggested;
    match suggested.filter(|s| s.joined() == offered) {
        Some(scopes) => keys::update(ctx, id, UpdateKey { scopes: Some(scopes.0), ..UpdateKey::default() }).await,
        None => Err(Error::Conflict("The key was used or changed meanwhile. Look again at what it used, and narrow it then.".to_owned())),
    }
}

/// Replaces a key's secret; the answer is the only place where the new one stands.
#[server(endpoint = "keys/rotate")]
pub async fn rotate_key(id: KeyId, form: RotateForm) -> Result<CreatedKey, AppError> {
    let ctx = ctx()?;
    keys::rotate_from_form(&ctx, id, &form).await.map_err(|e| fail(&ctx, e))
}

/// Ends the overlap of a rotation: only the current secret works from then on.
#[server(endpoint = "keys/retire")]
pub async fn retire_key(id: KeyId) -> Result<ApiKey, AppError> {
    let ctx = ctx()?;
    keys::retire(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Revokes a key for good; `form.confirm` is its name, typed.
#[server(endpoint = "keys/revoke")]
pub async fn revoke_key(id: KeyId, form: RevokeForm) -> Result<ApiKey, AppError> {
    let ctx = ctx()?;
    keys::revoke_confirmed(&ctx, id, &form).await.map_err(|e| fail(&ctx, e))
}

/// Revokes several keys for good, all or none; `form.confirm` is the phrase that says how many.
#[server(endpoint = "keys/revoke-many")]
pub async fn revoke_keys(form: BulkRevokeForm) -> Result<Vec<ApiKey>, AppError> {
    let ctx = ctx()?;
    revoke_many(&ctx, &form).await.map_err(|e| fail(&ctx, e))
}

async fn revoke_many(ctx: &Ctx, form: &BulkRevokeForm) -> domain::Result<Vec<ApiKey>> {
    ctx.require(Perm::KeysRevoke)?;
    let mut ids = form.key.iter().map(|id| id.parse().map_err(|_| Error::NotFound)).collect::<Result<Vec<KeyId>, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() || ids.len() > BulkRevokeForm::MOST {
        return Err(Error::field("key", "invalid", format!("Choose 1 to {} keys.", BulkRevokeForm::MOST)));
    }
    let phrase = BulkRevokeForm::phrase(ids.len());
    if form.confirm.trim() != phrase {
        return Err(Error::field("confirm", "invalid", format!("Type {phrase} to go on.")));
    }
    keys::bulk_revoke(ctx, &ids, Some(&form.reason)).await
}
