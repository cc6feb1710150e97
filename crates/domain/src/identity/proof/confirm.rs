//! Proving once more who is there, and changing the password.

use super::{factor, failed, own, sql, target, throttle};
use crate::{
    Ctx, Error, Result,
    db::Event,
    identity::{self, password},
    mail::{self, Link},
};
use contract::{ChangePasswordForm, ConfirmForm, Secret, UserId};
use throttle::Subject;

/// Password, and second factor where there is one, of who is signed in already (s16).
pub async fn confirm(ctx: &Ctx, form: &ConfirmForm) -> Result<()> {
    let (_, person) = own(ctx)?;
    check_password(ctx, person.user_id, &form.password).await?;
    check_code(ctx, person.user_id, &form.code).await?;
    identity::record(ctx, "session.confirmed", None).await
}

/// Does the caller have to give a code beside their password? Not where they have just given one.
pub async fn wants_code(ctx: &Ctx) -> Result<bool> {
    let (_, person) = own(ctx)?;
    if ctx.fresh().is_ok() {
        return Ok(false);
    }
    let mut tx = ctx.db().read().await?;
    sql::enrolled_unscoped(&mut tx, person.user_id).await
}

/// Does [`confirm`] want a code? Of everybody who has a second factor, however fresh their last proof is.
pub async fn confirm_wants_code(ctx: &Ctx) -> Result<bool> {
    let (_, person) = own(ctx)?;
    let mut tx = ctx.db().read().await?;
    sql::enrolled_unscoped(&mut tx, person.user_id).await
}

/// Sets another password, and ends the other sessions if that is wanted.
pub async fn change_password(ctx: &Ctx, form: &ChangePasswordForm) -> Result<()> {
    let (grant, person) = own(ctx)?;
    prove(ctx, person.user_id, &form.password, &form.code).await?;
    if form.new_password == form.password {
        return Err(same_as_before());
    }
    let new = judged(ctx, person.user_id, &person.email, &form.new_password).await?;
    let mut tx = ctx.write_all(&grant).await?;
    sql::set_password_unscoped(tx.tx(), person.user_id, &new).await?;
    sql::close_reset_links_unscoped(tx.tx(), person.user_id, ctx.now()).await?;
    mail::drop_links(tx.tx(), person.user_id, Link::Reset).await?;
    let ended = if form.end_others.is_some() { identity::sign_out_elsewhere(tx.tx(), ctx, person.user_id).await? } else { 0 };
    let after = serde_json::json!({"sessions_ended": ended});
    tx.commit(Event { action: "user.password_changed", target: target(person), reason: None, before: None, after: Some(after) }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    throttle::forgive(ctx.core(), &Subject::password(&person.email, None)).await
}

/// What a form that asks for the password itself proves: that, and the second factor unless it was given just now.
pub(super) async fn prove(ctx: &Ctx, user: UserId, password: &str, code: &str) -> Result<()> {
    check_password(ctx, user, password).await?;
    if ctx.fresh().is_err() { check_code(ctx, user, code).await } else { Ok(()) }
}

/// The code of who has a second factor.
async fn check_code(ctx: &Ctx, user: UserId, code: &str) -> Result<()> {
    let mut tx = ctx.db().read().await?;
    let enrolled = sql::enrolled_unscoped(&mut tx, user).await?;
    drop(tx);
    if enrolled && factor::check(ctx, user, code, None).await?.is_none() { Err(factor::wrong_code()) } else { Ok(()) }
}

/// A new password that is none.
pub(super) fn same_as_before() -> Error {
    Error::field("new_password", "invalid", "This is your password already. Choose another one.")
}

/// The hash of a new password that is good enough for this person.
pub(super) async fn judged(ctx: &Ctx, user: UserId, email: &str, new: &str) -> Result<String> {
    let mut tx = ctx.db().read_all().await?;
    let factor = sql::enrolled_unscoped(&mut tx, user).await?;
    let tenants = sql::tenant_names_unscoped(&mut tx, user).await?;
    drop(tx);
    let words: Vec<&str> = tenants.iter().map(String::as_str).chain([email, "keystead"]).collect();
    password::judge(new, &words, factor).map_err(|why| Error::field("new_password", "invalid", why))?;
    ctx.core().hasher.hash(&Secret::new(new.to_owned())).await
}

/// Is it the password of who is signed in? Tries are counted like those of a sign-in (s7).
async fn check_password(ctx: &Ctx, user: UserId, password: &str) -> Result<()> {
    let core = ctx.core();
    let tried = Subject::confirm(user);
    let tries = throttle::admit(ctx, &tried, Some(user)).await?;
    let mut tx = core.db.read().await?;
    let hash = sql::password_hash_unscoped(&mut tx, user).await?;
    drop(tx);
    match core.hasher.verify(&Secret::new(password.to_owned()), Some(hash)).await {
        Ok(true) => throttle::forgive(core, &tried).await,
        Ok(false) => {
            failed::note(ctx, &tried, Some(user), tries, false);
            Err(Error::field("password", "invalid", "This is not your password."))
        }
        Err(e) => {
            throttle::give_back(core, &tried).await?;
            Err(e)
        }
    }
}
