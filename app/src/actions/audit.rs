//! The audit log.

use crate::error::AppError;
use contract::{AuditEvent, AuditFilter, Cursor, Page};
use leptos::prelude::*;
use server_fn::codec::GetUrl;
#[cfg(feature = "ssr")]
use {
    crate::ssr::{ctx, fail},
    contract::PageQuery,
    domain::audit,
};

/// One page of the tenant's audit events, newest first.
#[server(endpoint = "audit/list", input = GetUrl)]
pub async fn list_audit(#[server(default)] filter: AuditFilter, cursor: Option<Cursor>) -> Result<Page<AuditEvent>, AppError> {
    let ctx = ctx()?;
    audit::list(&ctx, &filter, PageQuery::at(cursor)).await.map_err(|e| fail(&ctx, e))
}
