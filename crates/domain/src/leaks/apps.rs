//! Secrets of apps. One that was found is ended at once, with the tokens that the app got for itself; the app's others are
//! not, and it gets new tokens with those. What people allowed it stays, and ends when the app is suspended. So no report
//! waits for anybody; the event tells of it, and a mail.

use super::sql;
use crate::{
    Ctx, Error, Grant, Result,
    db::Event,
    keys::{only_own, secret::Digest},
    mail::{self, Message},
    oauth,
};
use contract::{AppSecretId, LeakSource, LeakedApp, Perm, SecretState, Target, UserId};

/// Ends a secret of an app that the desk found; ending it again changes nothing.
pub async fn end_app_secret(ctx: &Ctx, id: AppSecretId) -> Result<LeakedApp> {
    let grant = ctx.require_tenant_level(Perm::AppsRevoke)?;
    end(ctx, &grant, id, only_own(ctx), LeakSource::Desk).await
}

/// The same for anybody who has it.
pub(super) async fn take_in(ctx: &Ctx, digest: &Digest) -> Result<()> {
    let mut tx = ctx.db().read_all().await?;
    let found = sql::app_secret_unscoped(&mut tx, digest.hash()).await?;
    drop(tx);
    let Some(row) = found else { return Ok(()) };
    let found = row.found(ctx.now())?;
    if found.secret.state != SecretState::Dead {
        let grant = Grant::of_leak(found.tenant.id, ctx.actor());
        end(ctx, &grant, found.secret.id, None, LeakSource::Public).await?;
    }
    Ok(())
}

async fn end(ctx: &Ctx, grant: &Grant, id: AppSecretId, own: Option<UserId>, source: LeakSource) -> Result<LeakedApp> {
    let now = ctx.now();
    let mut tx = ctx.write(grant).await?;
    let before = sql::app_secret(tx.tx(), grant, id, own).await?.ok_or(Error::NotFound)?.found(now)?;
    if !oauth::end_secret(tx.tx(), grant, before.app.id, id, now).await? {
        return Ok(before);
    }
    let message =
        Message::AppSecretLeaked { app: before.app.id, name: before.app.name.clone(), last_four: before.secret.last_four.clone() };
    let to = mail::to_who_registered(tx.tx(), ctx, grant, before.app.id, &message).await?;
    let after = serde_json::json!({"secret_id": id, "last_four": before.secret.last_four, "was": before.secret.state,
        "source": source, "to": to});
    tx.commit(Event { action: "oauth_app.secret_leaked", target: target(&before), reason: None, before: None, after: Some(after) }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    let mut ended = before;
    (ended.secret.state, ended.secret.valid_until) = (SecretState::Dead, Some(now));
    Ok(ended)
}

/// The app as the audit log names it.
pub(super) fn target(found: &LeakedApp) -> Target {
    Target { kind: "oauth_app".to_owned(), id: found.app.id.to_string(), name: found.app.name.clone() }
}
