//! What an app did lately, with its own tokens and for people: requests by day, and who sent them.

use crate::pages::keys::{CallersCard, UsageCard, since};
use contract::{AppId, Bucket, CallerSeen, UsageQuery, UsageSummary};
use domain::{Ctx, usage};
use leptos::prelude::*;

/// What the log says of an app.
pub struct Log {
    summary: UsageSummary,
    callers: Vec<CallerSeen>,
}

/// Reads it; for roles that may.
pub async fn log(ctx: &Ctx, id: AppId) -> domain::Result<Log> {
    let since = since(ctx.now());
    let month = UsageQuery { client_id: Some(id), from: Some(since), ..UsageQuery::default() };
    Ok(Log { summary: usage::summary(ctx, &month, Some(Bucket::Day)).await?, callers: usage::callers_of_app(ctx, id, since).await? })
}

/// The cards of it.
#[component]
pub fn Used(
    /// The app.
    id: AppId,
    /// What the log says.
    log: Log,
) -> impl IntoView {
    let Log { summary, callers } = log;
    view! {
        <UsageCard filter="client_id" id=id.to_string() summary/>
        <CallersCard seen=callers/>
    }
    .into_any()
}
