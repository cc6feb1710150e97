//! Ways back in for who has lost something: what the command line does for them, and the link that it prints.

use super::{address, confirm, device, hash, sql, target, throttle};
use crate::{
    Core, Ctx, Error, Grant, Result, Who,
    db::{Event, Tx, commit_with},
    identity::{self, own_grant, password},
    mail::{self, Link},
};
use contract::{Email, ErrorCode, ResetForm, Secret, UnixMs, UserId};
use serde::Serialize;
use throttle::Subject;

/// How long a link works.
const OPEN_FOR: i64 = UnixMs::DAY;

/// A person, as the command line lists them.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Whether they operate the installation.
    pub platform_admin: bool,
    /// Whether a second factor is asked for.
    pub two_factor: bool,
    /// Whether they may sign in no more.
    pub disabled: bool,
    /// Since when.
    pub created_at: UnixMs,
}

/// Everybody of the installation, oldest first; for the command line.
pub async fn list_accounts_unscoped(core: &Core) -> Result<Vec<Account>> {
    let mut tx = core.db.read().await?;
    Ok(sql::accounts_unscoped(&mut tx).await?.into_iter().map(sql::AccountRow::account).collect())
}

/// The secret of a link that sets a new password, to be printed once.
#[derive(Debug)]
pub struct ResetLink(pub Secret<String>);

/// A link that sets a new password, once, within a day; older ones that were made by hand stop working. For the command line.
pub async fn new_reset_link(ctx: &Ctx, email: &str) -> Result<ResetLink> {
    let core = ctx.core();
    let user = find(core, email).await?;
    let mut tx = core.db.begin_all().await?;
    let link = make_link(core, &mut tx, user).await?;
    let events = noted(ctx, &mut tx, user, "user.reset_link_made").await?;
    commit_with(tx, ctx, events).await?;
    Ok(link)
}

/// The same in the transaction of whoever makes it and records that.
pub(crate) async fn make_link(core: &Core, tx: &mut Tx, user: UserId) -> Result<ResetLink> {
    let (secret, now) = (device::random(core), core.now());
    sql::replace_reset_link_unscoped(tx, &hash(&secret), user, false, now, now.plus(OPEN_FOR)).await?;
    Ok(ResetLink(Secret::new(secret)))
}

/// Links that were made for a person and not used stop working.
pub(crate) async fn close_links(tx: &mut Tx, user: UserId, now: UnixMs) -> Result<()> {
    mail::drop_links(tx, user, Link::Reset).await?;
    sql::close_reset_links_unscoped(tx, user, now).await
}

/// Takes the second factor from a person, in the transaction of whoever records that; false if there is none.
pub(crate) async fn take_second_factor(tx: &mut Tx, user: UserId) -> Result<bool> {
    sql::remove_factor_unscoped(tx, user).await
}

/// Does the link work?
pub async fn reset_link_is_open(core: &Core, token: &str) -> Result<bool> {
    let mut tx = core.db.read().await?;
    Ok(sql::reset_link_unscoped(&mut tx, &hash(token), core.now()).await?.is_some())
}

/// Sets a new password by a link. Every session ends, no device is known any more; the second factor stays. But where
/// nothing showed before that the address is theirs, the first mailed link does, and takes off what may be somebody else's.
pub async fn reset_password(ctx: &Ctx, form: &ResetForm) -> Result<()> {
    let gone = || Error::Refused(ErrorCode::Forbidden, "This link has expired, was used or was replaced. Ask for a new one.".to_owned());
    let core = ctx.core();
    let link = hash(&form.token);
    let mut tx = core.db.read().await?;
    let found = sql::reset_link_unscoped(&mut tx, &link, ctx.now()).await?.ok_or_else(gone)?;
    let user = found.user();
    let email = sql::email_unscoped(&mut tx, user).await?;
    let before = sql::password_hash_unscoped(&mut tx, user).await?;
    drop(tx);
    let new = confirm::judged(ctx, user, &email, &form.new_password).await?;
    // Only what is good enough is compared, so whoever holds a link guesses once: what differs uses it up.
    if core.hasher.verify(&Secret::new(form.new_password.clone()), Some(before)).await? {
        return Err(confirm::same_as_before());
    }
    if found.proves {
        // It stands alone from here on (s1).
        password::judge(&form.new_password, &[], false).map_err(|why| Error::field("new_password", "invalid", why))?;
    }
    let mut tx = core.db.begin_all().await?;
    // An account is held before what belongs to it, wherever both are.
    if !identity::hold(&mut tx, user).await?.is_some_and(|a| a.in_use) || !sql::use_reset_link_unscoped(&mut tx, &link, ctx.now()).await? {
        return Err(gone());
    }
    sql::set_password_unscoped(&mut tx, user, &new).await?;
    close_links(&mut tx, user, ctx.now()).await?;
    sql::forget_devices_unscoped(&mut tx, user).await?;
    // Whoever held the account meanwhile may have asked for it.
    address::forget(&mut tx, user).await?;
    identity::sign_out_everywhere(&mut tx, user, ctx.now()).await?;
    let mut events = noted(ctx, &mut tx, user, "user.password_reset").await?;
    if found.proves && address::prove_address(&mut tx, user).await? && sql::remove_factor_unscoped(&mut tx, user).await? {
        events.extend(noted(ctx, &mut tx, user, "user.two_factor_disabled").await?);
    }
    commit_with(tx, ctx, events).await?;
    core.cache.sync(core).await?;
    for closed in [Subject::password(&email, None), Subject::code(user, None), Subject::confirm(user)] {
        throttle::forgive(core, &closed).await?;
    }
    Ok(())
}

/// Takes the second factor from somebody who has lost it; they sign in with their password alone. For the command line.
pub async fn disable_two_factor(ctx: &Ctx, email: &str) -> Result<()> {
    let core = ctx.core();
    let user = find(core, email).await?;
    let mut tx = core.db.begin_all().await?;
    identity::raise_epoch(&mut tx, user).await?;
    if !sql::remove_factor_unscoped(&mut tx, user).await? {
        return Err(Error::Conflict(format!("{email} has no second factor")));
    }
    identity::sign_out_everywhere(&mut tx, user, ctx.now()).await?;
    let events = noted(ctx, &mut tx, user, "user.two_factor_disabled").await?;
    commit_with(tx, ctx, events).await?;
    core.cache.sync(core).await
}

/// The account of an address.
pub(crate) async fn find(core: &Core, email: &str) -> Result<UserId> {
    let email = Email::parse(email).map_err(|e| Error::field("email", "invalid", e.to_string()))?;
    let mut tx = core.db.read().await?;
    let user = identity::sql::find_user_unscoped(&mut tx, &email).await?.ok_or(Error::NotFound)?;
    Ok(UserId::from_uuid(user.id))
}

/// The event in every tenant that the person belongs to: done by the command line, or by themselves with a link.
pub(super) async fn noted(ctx: &Ctx, tx: &mut Tx, user: UserId, action: &'static str) -> Result<Vec<(Grant, Event)>> {
    let mut events = Vec::new();
    for member in identity::sql::people_unscoped(tx, user).await? {
        let person = member.person()?;
        let target = target(&person);
        let who = match ctx.who() {
            Who::CommandLine(_) => Who::CommandLine(person.tenant_id),
            _ => Who::Person(person),
        };
        let grant = own_grant(&Ctx::new(ctx.core().clone(), who, ctx.request().clone()))?;
        events.push((grant, Event { action, target, reason: None, before: None, after: None }));
    }
    Ok(events)
}
