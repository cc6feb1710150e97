//! API keys.

use crate::error::AppError;
use contract::{ApiKey, CreatedKey, Cursor, KeyFilter, KeyForm, KeyId, KeyImpact, Page, RevokeForm, ScopeDef};
use leptos::prelude::*;
use server_fn::codec::GetUrl;
#[cfg(feature = "ssr")]
use {
    crate::ssr::{ctx, fail},
    contract::PageQuery,
    domain::keys,
};

/// One page of the tenant's keys, newest first.
#[server(endpoint = "keys/list", input = GetUrl)]
pub async fn list_keys(#[server(default)] filter: KeyFilter, cursor: Option<Cursor>) -> Result<Page<ApiKey>, AppError> {
    let ctx = ctx()?;
    keys::list(&ctx, &filter, PageQuery::at(cursor)).await.map_err(|e| fail(&ctx, e))
}

/// One key.
#[server(endpoint = "keys/get", input = GetUrl)]
pub async fn get_key(id: KeyId) -> Result<ApiKey, AppError> {
    let ctx = ctx()?;
    keys::get(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// What revoking the key would break.
#[server(endpoint = "keys/impact", input = GetUrl)]
pub async fn get_key_impact(id: KeyId) -> Result<KeyImpact, AppError> {
    let ctx = ctx()?;
    keys::impact(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// The permissions that the tenant knows.
#[server(endpoint = "keys/catalogue", input = GetUrl)]
pub async fn list_catalogue() -> Result<Vec<ScopeDef>, AppError> {
    let ctx = ctx()?;
    keys::catalogue(&ctx).await.map_err(|e| fail(&ctx, e))
}

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
