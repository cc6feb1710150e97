//! People: first run, sign-in, sign-out, their sessions.

mod password;
mod proof;
pub mod sessions;
mod setup;
mod sql;

pub use password::Hasher;
pub use proof::{
    Account, HalfSignedIn, ResetLink, Step, begin_two_factor, change_password, confirm, disable_two_factor, list_accounts_unscoped,
    new_recovery_codes, new_reset_link, pending_two_factor, remember_device, reset_link_is_open, reset_password, second_step, sign_in,
    sweep as sweep_proof, turn_off_two_factor, turn_on_two_factor, two_factor_state, wants_code,
};
pub(crate) use setup::{NewOwner, insert_owner, new_owner};
pub use setup::{SetupLink, SetupState, new_setup_link, set_up, setup_state};

use crate::{Ctx, Error, Grant, Result, ctx::Person, db::Event};
use contract::{Chrome, Prefs, Target, TenantId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who signed in, and the tenant they work on: what a session remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub user_id: UserId,
    /// On which tenant.
    pub tenant_id: TenantId,
}

/// Notes that the signed-in person left.
pub async fn sign_out(ctx: &Ctx) -> Result<()> {
    if ctx.person().is_some() { record(ctx, "session.ended", None).await } else { Ok(()) }
}

/// The member behind a session, as they are now; none when they were removed or disabled since.
pub async fn resume(core: &crate::Core, signed_in: SignedIn) -> Result<Option<Person>> {
    let mut tx = core.db.read().await?;
    sql::membership_unscoped(&mut tx, signed_in).await?.map(sql::Membership::person).transpose()
}

/// What the frame around every signed-in page shows.
pub async fn chrome(ctx: &Ctx, prefs: Prefs) -> Result<Chrome> {
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read().await?;
    let tenant = sql::tenant_name_unscoped(&mut tx, person.tenant_id).await?;
    let settings = &ctx.core().settings;
    let sandbox = settings.environment == contract::Environment::Test;
    let prefs = if sandbox { Prefs { environment: contract::Environment::Test, ..prefs } } else { prefs };
    Ok(Chrome {
        tenant,
        email: person.email.clone(),
        role: person.role,
        prefs,
        sandbox,
        public_url: settings.public_url.clone(),
        address: ctx.request().ip.map(|ip| ip.to_string()),
        insecure: settings.insecure,
    })
}

/// An event of the person's own session, in the tenant they work on.
pub(crate) async fn record(ctx: &Ctx, action: &'static str, after: Option<Value>) -> Result<()> {
    let Some(person) = ctx.person() else { return Err(Error::Unauthenticated) };
    let grant = own_grant(ctx)?;
    let target = Target { kind: "user".to_owned(), id: person.user_id.to_string(), name: person.email.clone() };
    ctx.write(&grant).await?.commit(Event { action, target, reason: None, before: None, after }).await
}

/// What people do with their own account asks for no permission; it is noted in their tenant.
fn own_grant(ctx: &Ctx) -> Result<Grant> {
    Grant::of_caller(ctx)
}
