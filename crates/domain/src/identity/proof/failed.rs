//! Tries that failed stand in the audit logs of the account's tenants (s78). They are written after the answer, and for an
//! account that does not exist as much is written to no effect: no time tells the one from the other (s8). What was typed
//! is not kept, and the log grows with the logarithm of the tries.

use super::{sql, throttle::Subject};
use crate::{
    Ctx, Grant, Result,
    db::{Event, commit_with},
};
use contract::{Target, UserId};

/// Notes a try that was wrong, or was not looked at: the first in a row, the second, the fourth, and so on, and the one
/// that closes the way in.
pub(super) fn note(ctx: &Ctx, subject: &Subject, user: Option<UserId>, tries: i64, throttled: bool) {
    if !tries.unsigned_abs().is_power_of_two() && (throttled || tries != subject.closes_at()) {
        return;
    }
    let (ctx, subject) = (ctx.clone(), subject.clone());
    ctx.core().clone().afterwards(async move {
        if let Err(e) = write(&ctx, &subject, user, tries, throttled).await {
            tracing::error!(request_id = %ctx.request().id, error = %e, "a failed try was not recorded");
        }
    });
}

async fn write(ctx: &Ctx, subject: &Subject, user: Option<UserId>, tries: i64, throttled: bool) -> Result<()> {
    let mut tx = ctx.db().begin_all().await?;
    sql::touch_try_unscoped(&mut tx, subject.digest()).await?;
    let Some(user) = user else { return tx.commit_quiet().await };
    let target = Target { kind: "user".to_owned(), id: user.to_string(), name: sql::email_unscoped(&mut tx, user).await? };
    let after = serde_json::json!({"by": subject.by(), "tries": tries, "throttled": throttled});
    let mut events = Vec::new();
    for tenant in sql::tenants_of_account_unscoped(&mut tx, user).await? {
        let event = Event { action: "session.failed", target: target.clone(), reason: None, before: None, after: Some(after.clone()) };
        events.push((Grant::of_failure(tenant, ctx.actor()), event));
    }
    commit_with(tx, ctx, events).await
}
