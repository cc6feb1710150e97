//! The usage log.

use crate::error::AppError;
use contract::{Cursor, Page, UsageEvent, UsageFilter};
use leptos::prelude::*;
use server_fn::codec::GetUrl;
#[cfg(feature = "ssr")]
use {
    crate::ssr::{ctx, fail},
    contract::PageQuery,
    domain::usage,
};

/// One page of the environment's usage events, newest first.
#[server(endpoint = "usage/list", input = GetUrl)]
pub async fn list_usage(
    #[server(default)] filter: UsageFilter,
    environment: contract::Environment,
    cursor: Option<Cursor>,
) -> Result<Page<UsageEvent>, AppError> {
    let ctx = ctx()?;
    usage::list(&ctx, &filter, environment, PageQuery::at(cursor)).await.map_err(|e| fail(&ctx, e))
}
