//! Proof of who is there: password, second factor, devices that are known, and how often somebody may try.
//!
//! Every way to prove something counts its tries here, whichever door it was tried at (s7).

mod address;
mod confirm;
mod device;
mod factor;
mod failed;
mod forgotten;
mod recovery;
mod sign_in;
pub(super) mod sql;
mod throttle;
mod totp;

pub(super) use address::doubt_address;
pub(crate) use address::prove_address;
pub use address::{address_is_proved, change_email, confirm_email, keep_email, look_at_email_link, pending_email_change, refuse_email};
pub use confirm::{change_password, confirm, confirm_wants_code, wants_code};
pub use device::remember_device;
pub use factor::{begin_two_factor, new_recovery_codes, pending_two_factor, turn_off_two_factor, turn_on_two_factor, two_factor_state};
pub(crate) use failed::{log as log_refusal, refused};
pub use forgotten::{answer_forgotten, ask_for_reset};
pub use recovery::{Account, ResetLink, disable_two_factor, list_accounts_unscoped, new_reset_link, reset_link_is_open, reset_password};
pub(crate) use recovery::{close_links, find, make_link, take_second_factor};
pub use sign_in::{HalfSignedIn, Step, second_step, sign_in};
pub(crate) use sign_in::{Proved, half_signed_in, prove, prove_code};
pub use throttle::Closed;

use crate::{
    Ctx, Error, Grant, Result,
    ctx::Person,
    db::{Db, Tx},
};
use aws_lc_rs::digest::{SHA256, digest};
use contract::{Email, Target, UnixMs, UserId};

/// Removes tries that nobody has added to for long, devices that were forgotten, links that have expired.
pub async fn sweep(db: &Db, now: UnixMs) -> Result<()> {
    let mut tx = db.begin().await?;
    sql::sweep_tries_unscoped(&mut tx, now.plus(-throttle::KEPT)).await?;
    sql::sweep_devices_unscoped(&mut tx, now.plus(-device::KNOWN)).await?;
    sql::sweep_reset_links_unscoped(&mut tx, now).await?;
    sql::sweep_email_changes_unscoped(&mut tx, now).await?;
    tx.commit_quiet().await
}

/// The hash under which a random secret lies: it has bits enough, so a plain one does.
fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

/// May the tenant mail another invitation to that address? Nobody is flooded: three a day, then each waits longer.
pub(crate) async fn admit_invitation(ctx: &Ctx, grant: &Grant, email: &Email) -> Result<()> {
    throttle::admit(ctx, &throttle::Subject::invited(grant.tenant_id(), email.as_str()), None).await.map(drop)
}

/// The caller as a person, and the right to note what they do with their own account.
fn own(ctx: &Ctx) -> Result<(Grant, &Person)> {
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    Ok((super::own_grant(ctx)?, person))
}

/// Has the person a second factor that counts?
pub(crate) async fn has_second_factor(tx: &mut Tx, user: UserId) -> Result<bool> {
    sql::enrolled_unscoped(tx, user).await
}

fn target(person: &Person) -> Target {
    Target { kind: "user".to_owned(), id: person.user_id.to_string(), name: person.email.clone() }
}
