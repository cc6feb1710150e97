//! API keys.

use crate::{
    error::AppError,
    ssr::{ctx, fail},
};
use contract::{ApiKey, CreatedKey, KeyForm, KeyId, RevokeForm};
use domain::keys;
use leptos::prelude::*;

/// Makes a key; the answer is the only place where its secret stands.
#[server(endpoint = "keys/create")]
pub async fn create_key(form: KeyForm) -> Result<CreatedKey, AppError> {
    let ctx = ctx()?;
    keys::create_from_form(&ctx, &form).await.map_err(|e| fail(&ctx, e))
}

/// Revokes a key for good; `form.confirm` is its name, typed.
#[server(endpoint = "keys/revoke")]
pub async fn revoke_key(id: KeyId, form: RevokeForm) -> Result<ApiKey, AppError> {
    let ctx = ctx()?;
    keys::revoke_confirmed(&ctx, id, &form).await.map_err(|e| fail(&ctx, e))
}
