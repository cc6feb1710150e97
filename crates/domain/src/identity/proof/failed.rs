//! Tries that failed, and right passwords that led nowhere, stand in the audit logs of the account's tenants (s78). They are written after the answer, and for an
//! account that does not exist as much is written to no effect: no time tells the one from the other (s8). What was typed
//! is not kept, and the log grows with the logarithm of the tries.

use super::{HalfSignedIn, sql, throttle::Subject};
use crate::{
    Ctx, Grant, Result,
    db::{Event, Tx, commit_with},
};
use contract::{Target, UserId, normalise};
use serde_json::{Value, json};

/// Notes a try that was wrong, or was not looked at: the first in a row, the second, the fourth, and so on, and the one
/// that closes the way in.
pub(super) fn note(ctx: &Ctx, subject: &Subject, user: Option<UserId>, tries: i64, throttled: bool) {
    match (subject.by(), throttled) {
        // No sign-in.
        ("invitation", _) => {}
        (by @ "mail", _) | (by, false) => log(ctx, by),
        (_, true) => log(ctx, "throttled"),
    }
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
    let after = json!({"by": subject.by(), "tries": tries, "throttled": throttled});
    everywhere(ctx, tx, user, "session.failed", &after).await
}

/// Notes that somebody proved who they are and was refused all the same: `why` in one word, as the log has it.
pub(crate) fn refused(ctx: &Ctx, user: UserId, why: &'static str) {
    log(ctx, why);
    let ctx = ctx.clone();
    ctx.core().clone().afterwards(async move {
        let written = async {
            let tx = ctx.db().begin_all().await?;
            everywhere(&ctx, tx, user, "session.refused", &json!({"why": why})).await
        };
        if let Err(e) = written.await {
            tracing::error!(request_id = %ctx.request().id, error = %e, "a refused sign-in was not recorded");
        }
    });
}

/// The event in each tenant of the account, in use or not.
async fn everywhere(ctx: &Ctx, mut tx: Tx, user: UserId, action: &'static str, after: &Value) -> Result<()> {
    let target = Target { kind: "user".to_owned(), id: user.to_string(), name: sql::email_unscoped(&mut tx, user).await? };
    let mut events = Vec::new();
    for tenant in sql::tenants_of_account_unscoped(&mut tx, user).await? {
        let event = Event { action, target: target.clone(), reason: None, before: None, after: Some(after.clone()) };
        events.push((Grant::of_attempt(tenant, ctx.actor()), event));
    }
    commit_with(tx, ctx, events).await
}

/// Records that the password was right and the second factor is still to come: whoever never gets further knows the password.
pub(super) async fn asked_for_code(ctx: &Ctx, half: HalfSignedIn) -> Result<()> {
    let grant = Grant::of_attempt(half.tenant_id, ctx.actor());
    let mut tx = ctx.write(&grant).await?;
    let name = sql::email_unscoped(tx.tx(), half.user_id).await?;
    let target = Target { kind: "user".to_owned(), id: half.user_id.to_string(), name };
    tx.commit(Event { action: "session.second_factor_asked", target, reason: None, before: None, after: None }).await
}

/// One line of the server's log for each refusal, which programs such as fail2ban read: README, “Refused sign-ins”.
pub(crate) fn log(ctx: &Ctx, why: &'static str) {
    let client = ctx.request().ip.map_or_else(|| "unknown".to_owned(), |ip| normalise(ip).to_string());
    tracing::warn!(request_id = %ctx.request().id, %client, why, "sign-in refused");
}
