//! People: first run, sign-in, sign-out, their sessions.

mod password;
mod proof;
pub mod sessions;
mod setup;
mod sql;

pub use password::Hasher;
pub(crate) use password::judge as judge_password;
pub use proof::{
    Account, Closed, HalfSignedIn, ResetLink, Step, address_is_proved, answer_forgotten, ask_for_reset, begin_two_factor, change_email,
    change_password, confirm, confirm_email, confirm_wants_code, disable_two_factor, keep_email, list_accounts_unscoped,
    look_at_email_link, new_recovery_codes, new_reset_link, pending_email_change, pending_two_factor, refuse_email, remember_device,
    reset_link_is_open, reset_password, second_step, sign_in, sweep as sweep_proof, turn_off_two_factor, turn_on_two_factor,
    two_factor_state, wants_code,
};
pub(crate) use proof::{
    Proved, admit_invitation, close_links, find as find_account, half_signed_in, has_second_factor, log_refusal, make_link, prove,
    prove_address, prove_code, refused, take_second_factor,
};
pub(crate) use setup::{NewOwner, fresh_token, insert_owner, new_owner, token_digest};
pub use setup::{SetupLink, SetupState, new_setup_link, set_up, setup_state};
pub(crate) use sql::hold_unscoped as hold;

use crate::{
    Ctx, Error, Grant, Result,
    ctx::Person,
    db::{Event, Tx},
    tokens,
};
use contract::{Chrome, Email, ErrorCode, Prefs, Target, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Who signed in, and the tenant they work on: what a session remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub user_id: UserId,
    /// On which tenant.
    pub tenant_id: TenantId,
}

/// Who may open a session, or a login over the API: as long as nothing has ended their sign-ins since (s14, s22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Who, and where they work.
    pub who: SignedIn,
    pub(crate) epoch: i64,
    /// The sign-in whose second step this was.
    pub(crate) second_step: Option<Uuid>,
}

impl Admitted {
    /// Whom this transaction lets in.
    pub(crate) async fn by(tx: &mut Tx, who: SignedIn) -> Result<Self> {
        Ok(Self { who, epoch: sql::epoch_unscoped(tx, who.user_id).await?, second_step: None })
    }

    /// What a new session of theirs begins with.
    pub const fn ground(self) -> sessions::Ground {
        sessions::Ground::Admitted { epoch: self.epoch, second_step: self.second_step }
    }

    /// Holds their account until the commit, and answers who they are now.
    pub(crate) async fn enter(self, tx: &mut Tx, now: UnixMs) -> Result<Person> {
        if !sql::admit_unscoped(tx, self.who.user_id, self.epoch, self.second_step, now).await? {
            return Err(Error::Unauthenticated);
        }
        let member = sql::membership_unscoped(tx, self.who, now).await?;
        member.ok_or(Error::Unauthenticated)?.person()
    }
}

/// The person as a member of the tenant that they name; who belongs to several must name one.
pub(crate) async fn member(ctx: &Ctx, user: UserId, tenant: Option<TenantId>) -> Result<Person> {
    let mut tx = ctx.db().read_all().await?;
    let mut all = sql::people_unscoped(&mut tx, user).await?;
    if all.is_empty() {
        return Err(no_tenant(ctx, &mut tx, user).await?);
    }
    if let Some(tenant) = tenant {
        all.retain(|m| m.tenant_id() == tenant);
    }
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => one.person(),
        (Some(one), false) => {
            refused(ctx, user, "tenant_required");
            // Where somebody works is told to nobody who knows their password only.
            let known = one.has_second_factor();
            let choice = if known { Vec::new() } else { sql::memberships_unscoped(&mut tx, user, ctx.now()).await? };
            Err(Error::WhichTenant(choice.into_iter().filter(|t| t.until.is_none()).map(|t| (t.id, t.name)).collect()))
        }
        (None, _) => {
            refused(ctx, user, "not_a_member");
            let why = "This account does not belong to that tenant. Leave `tenant_id` out, or name a tenant that has invited it.";
            Err(Error::Refused(ErrorCode::Forbidden, why.to_owned()))
        }
    }
}

/// Why an account whose password was right has nowhere to go; that is recorded.
async fn no_tenant(ctx: &Ctx, tx: &mut Tx, user: UserId) -> Result<Error> {
    refused(ctx, user, "no_tenant_in_use");
    // Where somebody works is told to nobody who knows their password only.
    let closed = if has_second_factor(tx, user).await? { Vec::new() } else { sql::closed_unscoped(tx, user).await? };
    let said = closed.into_iter().map(|(name, deleted, reason)| {
        let how = if deleted { "deleted" } else { "suspended" };
        let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{name} is {how}{why}.")
    });
    let said: Vec<String> = said.collect();
    let why = if said.is_empty() {
        "This account belongs to no tenant that is in use. Ask an owner for an invitation.".to_owned()
    } else {
        format!("This account belongs to no tenant that is in use. {} Ask whoever operates this server.", said.join(" "))
    };
    Ok(Error::Refused(ErrorCode::Forbidden, why))
}

/// Ends the session, and notes that the signed-in person left.
pub async fn sign_out(ctx: &Ctx) -> Result<()> {
    // Nothing is left of it that could go on under another id.
    sessions::end_own(ctx).await?;
    if ctx.person().is_some() { record(ctx, "session.ended", None).await } else { Ok(()) }
}

/// Notes that somebody who was let in opened nothing: their sign-ins were ended meanwhile.
pub fn ended_meanwhile(ctx: &Ctx, admitted: &Admitted) {
    refused(ctx, admitted.who.user_id, "ended_meanwhile");
}

/// What is being signed in to an account opens nothing any more (s22).
/// How often a person's sign-ins were ended, for what must not outlive the next time.
pub(crate) async fn epoch(tx: &mut Tx, user: UserId) -> Result<i64> {
    sql::epoch_unscoped(tx, user).await
}

pub(crate) async fn raise_epoch(tx: &mut Tx, user: UserId) -> Result<()> {
    sql::raise_epoch_unscoped(tx, user).await
}

/// The member behind a session, as they are now; none when they were removed or disabled since.
pub async fn resume(core: &crate::Core, signed_in: SignedIn) -> Result<Option<Person>> {
    let mut tx = core.db.read_all().await?;
    sql::membership_unscoped(&mut tx, signed_in, core.now()).await?.map(sql::Membership::person).transpose()
}

/// The person behind a session whose tenant they are a member of no more, in the one that they would sign in to.
pub async fn land(core: &crate::Core, user: UserId) -> Result<Option<Person>> {
    let mut tx = core.db.read_all().await?;
    sql::people_unscoped(&mut tx, user).await?.into_iter().next().map(sql::Membership::person).transpose()
}

/// The tenants that a person is a member of, without those where they are support.
pub(crate) async fn works_in(tx: &mut Tx, user: UserId, now: UnixMs) -> Result<Vec<contract::Membership>> {
    let mut all = sql::memberships_unscoped(tx, user, now).await?;
    all.retain(|m| m.until.is_none());
    Ok(all)
}

/// The caller as they are now, asked behind the lock under which rights are handed out and taken: whoever was demoted,
/// removed or switched off since their request began is judged by that (s35). Until the commit nobody switches them off.
/// Keys and the command line are as the request found them.
pub(crate) async fn again(ctx: &Ctx, tx: &mut Tx) -> Result<Ctx> {
    let Some(person) = ctx.person() else { return Ok(ctx.clone()) };
    let gone = || Error::Refused(ErrorCode::Forbidden, "You may not do this any more: what you may do here has changed".to_owned());
    let platform_admin = sql::hold_unscoped(tx, person.user_id).await?.filter(|a| a.in_use).ok_or_else(gone)?.platform_admin;
    let now = if ctx.elsewhere().is_some() {
        // There nothing counts but that they operate the installation.
        platform_admin.then(|| person.clone())
    } else {
        let here = SignedIn { user_id: person.user_id, tenant_id: person.tenant_id };
        sql::membership_unscoped(tx, here, ctx.now()).await?.map(sql::Membership::person).transpose()?
    };
    Ok(ctx.of_person(now.ok_or_else(gone)?))
}

/// What the frame around every signed-in page shows.
pub async fn chrome(ctx: &Ctx, prefs: Prefs) -> Result<Chrome> {
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read_all().await?;
    let tenants = sql::memberships_unscoped(&mut tx, person.user_id, ctx.now()).await?;
    let here = tenants.iter().find(|t| t.id == person.tenant_id).ok_or(Error::Unauthenticated)?;
    let (tenant, supporting) = (here.name.clone(), here.until);
    let settings = &ctx.core().settings;
    let sandbox = settings.environment == contract::Environment::Test;
    let prefs = if sandbox { Prefs { environment: contract::Environment::Test, ..prefs } } else { prefs };
    Ok(Chrome {
        tenant,
        tenant_id: person.tenant_id,
        supporting,
        tenants,
        platform_admin: person.platform_admin,
        email: person.email.clone(),
        role: person.role,
        prefs,
        sandbox,
        public_url: settings.public_url.clone(),
        address: ctx.request().ip.map(|ip| ip.to_string()),
        insecure: settings.insecure,
    })
}

/// The person goes on in another of their tenants.
pub async fn switch(ctx: &Ctx, tenant_id: TenantId) -> Result<SignedIn> {
    let signed_in = SignedIn { user_id: ctx.person().ok_or(Error::Unauthenticated)?.user_id, tenant_id };
    let person = resume(ctx.core(), signed_in).await?.ok_or(Error::NotFound)?;
    record(&Ctx::new(ctx.core().clone(), crate::Who::Person(person), ctx.request().clone()), "session.switched", None).await?;
    Ok(signed_in)
}

/// An account for a new member; the address is theirs for certain if they came by a link that was mailed to it.
pub(crate) async fn insert_user(tx: &mut Tx, id: UserId, email: &Email, hash: &str, proved: bool, now: UnixMs) -> Result<()> {
    sql::insert_user_unscoped(tx, id, email, hash, false, now).await?;
    if proved { Ok(()) } else { proof::doubt_address(tx, id).await }
}

/// Ends everything that a person is signed in with, wherever they work (s22); whoever commits then calls `KeyCache::sync`.
pub(crate) async fn sign_out_everywhere(tx: &mut Tx, user: UserId, now: UnixMs) -> Result<()> {
    sql::raise_epoch_unscoped(tx, user).await?;
    sessions::end_all(tx, user).await?;
    tokens::end_person(tx, user, now).await.map(drop)
}

/// Ends everything that a person is signed in with but the caller's own session; how many that were. Takes a transaction
/// across tenants; whoever commits then calls `KeyCache::sync`.
pub(crate) async fn sign_out_elsewhere(tx: &mut Tx, ctx: &Ctx, user: UserId) -> Result<u64> {
    sql::raise_epoch_unscoped(tx, user).await?;
    let logins = tokens::end_person(tx, user, ctx.now()).await?;
    Ok(sessions::end_all_but(tx, ctx, user).await? + u64::try_from(logins).unwrap_or(0))
}

/// A person is a member of the grant's tenant no more: what they are signed in with goes on in another of theirs, or ends.
/// Takes a transaction across tenants; whoever commits then calls `KeyCache::sync`.
pub(crate) async fn taken_out_of_tenant(tx: &mut Tx, grant: &Grant, user: UserId, now: UnixMs) -> Result<()> {
    sql::raise_epoch_unscoped(tx, user).await?;
    sessions::go_on_elsewhere(tx, grant, user).await?;
    tokens::end_in_tenant(tx, grant, Some(user), now).await
}

/// Ends what works in the grant's tenant: of one person, or of everybody. Whoever commits then calls `KeyCache::sync`.
pub(crate) async fn sign_out_of_tenant(tx: &mut Tx, grant: &Grant, user: Option<UserId>, now: UnixMs) -> Result<()> {
    match user {
        Some(user) => sql::raise_epoch_unscoped(tx, user).await?,
        None => sql::raise_epochs(tx, grant).await?,
    }
    sessions::end_in_tenant(tx, grant, user).await?;
    tokens::end_in_tenant(tx, grant, user, now).await
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
