//! Addresses of accounts. Another one counts once a link at the old one and a link at the new one were confirmed. Whether
//! the one that an account has is its person's shows once they followed a link that was mailed to it and to nobody else.

use super::{confirm, device, hash, own, recovery::noted, sql, target, throttle};
use crate::{
    Ctx, Error, Result,
    db::{Event, Tx, commit_with},
    identity,
    mail::{self, Link, Message},
};
use contract::{ChangeEmailForm, Email, EmailChange, ErrorCode, Secret, UnixMs, UserId};
use throttle::Subject;

/// How long the links work.
const OPEN_FOR: i64 = UnixMs::DAY;

/// Has the caller shown that they read the mails to their address?
pub async fn address_is_proved(ctx: &Ctx) -> Result<bool> {
    let (_, person) = own(ctx)?;
    let mut tx = ctx.db().read().await?;
    Ok(!sql::is_unproved_unscoped(&mut tx, person.user_id).await?)
}

/// They have, now; whether that was not known before.
pub(crate) async fn prove_address(tx: &mut Tx, user: UserId) -> Result<bool> {
    sql::set_unproved_unscoped(tx, user, false).await
}

/// Somebody else may have made the account.
pub(crate) async fn doubt_address(tx: &mut Tx, user: UserId) -> Result<()> {
    sql::set_unproved_unscoped(tx, user, true).await.map(drop)
}

/// The change that the caller asked for, while it waits.
pub async fn pending_email_change(ctx: &Ctx) -> Result<Option<EmailChange>> {
    let (_, person) = own(ctx)?;
    let mut tx = ctx.db().read().await?;
    Ok(sql::email_change_of_unscoped(&mut tx, person.user_id, ctx.now()).await?.map(|row| row.change(&person.email)))
}

/// Asks for another address, with the password: a link is mailed to either. An earlier request is forgotten.
pub async fn change_email(ctx: &Ctx, form: &ChangeEmailForm) -> Result<()> {
    let core = ctx.core();
    let (grant, person) = own(ctx)?;
    if !core.settings.sends_mail {
        return Err(Error::Conflict("This server sends no mail, and an address is changed by mail only.".to_owned()));
    }
    let new = Email::parse(&form.new_email).map_err(|e| Error::field("new_email", "invalid", e.to_string()))?;
    if new.as_str() == person.email {
        return Err(Error::field("new_email", "invalid", "This is your address already."));
    }
    confirm::prove(ctx, person.user_id, &form.password, &form.code).await?;
    throttle::admit(ctx, &Subject::mailed(new.as_str()), None).await?;
    let secrets = [Secret::new(device::random(core)), Secret::new(device::random(core))];
    let [at_new, at_old] = &secrets;
    let until = ctx.now().plus(OPEN_FOR);
    let mut write = ctx.write(&grant).await?;
    let tx = write.tx();
    mail::drop_links(tx, person.user_id, Link::Email).await?;
    let asked =
        sql::NewEmailChange { new: &new, new_digest: hash(at_new.expose()), old_digest: hash(at_old.expose()), now: ctx.now(), until };
    sql::upsert_email_change_unscoped(tx, person.user_id, &asked).await?;
    let message = |at_new| Message::EmailChange { from: person.email.clone(), to: new.to_string(), at_new, until };
    let token = |secret| Some(mail::Token { secret, until });
    mail::to_person(tx, ctx, person.user_id, &person.email, &message(false), token(at_old)).await?;
    // Whether an address has an account is told at that address only.
    if identity::sql::find_user_unscoped(tx, &new).await?.is_some() {
        mail::to_person(tx, ctx, person.user_id, new.as_str(), &Message::EmailTaken, None).await?;
    } else {
        mail::to_person(tx, ctx, person.user_id, new.as_str(), &message(true), token(at_new)).await?;
    }
    let after = Some(serde_json::json!({"email": new}));
    write.commit(Event { action: "user.email_change_asked", target: target(person), reason: None, before: None, after }).await
}

/// The caller wants to keep their address.
pub async fn keep_email(ctx: &Ctx) -> Result<()> {
    let (grant, person) = own(ctx)?;
    let mut tx = ctx.write(&grant).await?;
    if !forget(tx.tx(), person.user_id).await? {
        return Err(Error::Conflict("No change of your address waits.".to_owned()));
    }
    tx.commit(Event { action: "user.email_change_refused", target: target(person), reason: None, before: None, after: None }).await
}

/// What a mailed link is about, and whether it went to the new address; none if it does not work (any more).
pub async fn look_at_email_link(ctx: &Ctx, token: &str) -> Result<Option<(EmailChange, bool)>> {
    let digest = hash(token);
    let mut tx = ctx.db().read().await?;
    let Some(row) = sql::email_change_unscoped(&mut tx, &digest, ctx.now()).await? else { return Ok(None) };
    let at_new = row.new_digest == digest;
    let from = sql::email_unscoped(&mut tx, row.user()).await?;
    Ok(Some((row.change(&from), at_new)))
}

/// Confirms a change at the address whose link this is. With the second one the account has its new address, and every
/// session but the caller's own has ended. Answers whether that is so.
pub async fn confirm_email(ctx: &Ctx, token: &str) -> Result<bool> {
    let core = ctx.core();
    let mut tx = core.db.begin_all().await?;
    // Whoever confirms at the same time at the other address waits here, and then sees this one.
    let row = sql::confirm_email_change_unscoped(&mut tx, &hash(token), ctx.now()).await?.ok_or_else(gone)?;
    let user = row.user();
    if !row.is_whole() {
        let events = noted(ctx, &mut tx, user, "user.email_confirmed").await?;
        commit_with(tx, ctx, events).await?;
        return Ok(false);
    }
    let from = sql::email_unscoped(&mut tx, user).await?;
    // Before the change: the notice of it goes to the old address.
    let mut events = noted(ctx, &mut tx, user, "user.email_changed").await?;
    if !sql::set_email_unscoped(&mut tx, user, &row.new_email).await? {
        return Err(Error::Conflict(format!("{} has an account by now", row.new_email)));
    }
    forget(&mut tx, user).await?;
    // They were mailed to an address that is the account's no more.
    sql::close_reset_links_unscoped(&mut tx, user, ctx.now()).await?;
    mail::drop_links(&mut tx, user, Link::Reset).await?;
    identity::sign_out_elsewhere(&mut tx, ctx, user).await?;
    for (_, event) in &mut events {
        event.before = Some(serde_json::json!({"email": from}));
        event.after = Some(serde_json::json!({"email": row.new_email}));
    }
    commit_with(tx, ctx, events).await?;
    core.cache.sync(core).await?;
    Ok(true)
}

/// Refuses a change, at either address.
pub async fn refuse_email(ctx: &Ctx, token: &str) -> Result<()> {
    let mut tx = ctx.db().begin_all().await?;
    let row = sql::email_change_unscoped(&mut tx, &hash(token), ctx.now()).await?.ok_or_else(gone)?;
    if !forget(&mut tx, row.user()).await? {
        return Err(gone());
    }
    let events = noted(ctx, &mut tx, row.user(), "user.email_change_refused").await?;
    commit_with(tx, ctx, events).await
}

/// A change that waited does not come about; false if none did.
pub(super) async fn forget(tx: &mut Tx, user: UserId) -> Result<bool> {
    mail::drop_links(tx, user, Link::Email).await?;
    sql::delete_email_change_unscoped(tx, user).await
}

fn gone() -> Error {
    Error::Refused(
        ErrorCode::Forbidden,
        "This link has expired, was refused, or was replaced by a later change. Ask for the change again, under Account, Email.".to_owned(),
    )
}
