//! A forgotten password: whoever asks is told nothing about the address, and a link goes to it if it has an account (s8).

use super::{device, hash, sql, target, throttle};
use crate::{
    Core, Ctx, Error, Grant, RequestInfo, Result, Who,
    db::{Event, commit_with},
    identity,
    mail::{self, Link, Message},
};
use contract::{Email, ForgotForm, Secret, UnixMs, UserId};
use std::sync::Arc;
use throttle::Subject;

/// How long a mailed link works.
const OPEN_FOR: i64 = UnixMs::DAY / 24;

/// Notes that somebody has forgotten the password of an address. What is done, and how long it takes, is the same for
/// addresses that have an account and for those that have none: a job looks that up.
pub async fn ask_for_reset(ctx: &Ctx, form: &ForgotForm) -> Result<()> {
    if !ctx.core().settings.sends_mail {
        return Err(Error::Conflict("This server sends no mail. Whoever operates it makes a link for you.".to_owned()));
    }
    let email = Email::parse(&form.email).map_err(|e| Error::field("email", "invalid", e.to_string()))?;
    throttle::admit(ctx, &Subject::mailed_from(ctx.request().ip), None).await?;
    throttle::admit(ctx, &Subject::mailed(email.as_str()), None).await?;
    let mut tx = ctx.db().begin().await?;
    sql::insert_reset_request_unscoped(&mut tx, ctx.new_uuid(), &email, ctx.request(), ctx.now()).await?;
    tx.commit_quiet().await
}

/// Queues the mails of those who asked and have an account; links that were mailed before stop working. Each request is answered by one
/// process.
pub async fn answer_forgotten(core: &Arc<Core>) -> Result<()> {
    loop {
        let mut tx = core.db.begin_all().await?;
        let Some(asked) = sql::take_reset_request_unscoped(&mut tx).await? else { return Ok(()) };
        let email = Email::parse(&asked.email).map_err(Error::internal)?;
        let ip = asked.ip.as_deref().and_then(|ip| ip.parse().ok());
        let ctx = Ctx::new(core.clone(), Who::Anonymous, RequestInfo { id: asked.request_id, ip, ..RequestInfo::default() });
        let mut events = Vec::new();
        let until = UnixMs(asked.created_at).plus(OPEN_FOR);
        let found = identity::sql::find_user_unscoped(&mut tx, &email).await?.filter(|u| u.disabled_at.is_none() && until > ctx.now());
        let found = found.map(|u| UserId::from_uuid(u.id));
        // The account has this address until the commit, or it has another one already.
        let held = match found {
            Some(user) => identity::hold(&mut tx, user).await?.is_some_and(|a| a.in_use && a.email == email.as_str()),
            None => false,
        };
        if let Some(user) = found.filter(|_| held) {
            let secret = Secret::new(device::random(core));
            mail::drop_links(&mut tx, user, Link::Reset).await?;
            sql::replace_reset_link_unscoped(&mut tx, &hash(secret.expose()), user, true, ctx.now(), until).await?;
            let token = mail::Token { secret: &secret, until };
            mail::to_person(&mut tx, &ctx, user, email.as_str(), &Message::PasswordReset { until }, Some(token)).await?;
            for member in identity::sql::people_unscoped(&mut tx, user).await? {
                let person = member.person()?;
                let event = Event { action: "user.reset_link_mailed", target: target(&person), reason: None, before: None, after: None };
                events.push((Grant::of_job(person.tenant_id, "mail"), event));
            }
        }
        commit_with(tx, &ctx, events).await?;
    }
}
