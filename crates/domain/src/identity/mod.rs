//! People: first run, sign-in, sign-out, their sessions.

mod password;
pub mod sessions;
mod setup;
mod sql;

pub use password::Hasher;
pub(crate) use password::judge as judge_password;
pub(crate) use setup::{NewOwner, fresh_token, insert_owner, new_owner, token_digest};
pub use setup::{SetupLink, SetupState, new_setup_link, set_up, setup_state};

use crate::{
    Ctx, Error, Grant, Result,
    ctx::Person,
    db::{Event, Tx},
};
use contract::{Chrome, Email, ErrorCode, Prefs, Secret, SignInForm, Target, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};

/// Who signed in, and the tenant they work on: what a session remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub user_id: UserId,
    /// On which tenant.
    pub tenant_id: TenantId,
}

/// Signs in to the console, on the person's first tenant.
pub async fn sign_in(ctx: &Ctx, form: &SignInForm) -> Result<SignedIn> {
    let user_id = prove(ctx, &form.email, &form.password).await?;
    let core = ctx.core();
    let mut tx = ctx.db().read().await?;
    let Some(member) = sql::people_unscoped(&mut tx, user_id).await?.into_iter().next() else { return Err(no_tenant()) };
    drop(tx);
    let signed_in = SignedIn { user_id, tenant_id: member.tenant_id() };
    let person = member.person()?;
    record(&Ctx::new(core.clone(), crate::Who::Person(person), ctx.request().clone()), "session.created").await?;
    Ok(signed_in)
}

/// Checks address and password. An unknown address costs the same work and gets the same answer (s8).
pub(crate) async fn prove(ctx: &Ctx, email: &str, password: &str) -> Result<UserId> {
    let password = Secret::new(password.to_owned());
    let user = match Email::parse(email) {
        Ok(email) => {
            let mut tx = ctx.db().read().await?;
            sql::find_user_unscoped(&mut tx, &email).await?
        }
        Err(_) => None,
    };
    let core = ctx.core();
    let good = core.hasher.verify(&password, user.as_ref().map(|u| u.password_hash.clone())).await?;
    let Some(user) = user.filter(|u| good && u.disabled_at.is_none()) else {
        tracing::warn!(request_id = %ctx.request().id, "sign-in refused");
        return Err(Error::Refused(ErrorCode::Unauthorized, "Email or password is wrong.".to_owned()));
    };
    Ok(UserId::from_uuid(user.id))
}

/// The person as a member of the tenant that they name; who belongs to several must name one.
pub(crate) async fn member(core: &crate::Core, user: UserId, tenant: Option<TenantId>) -> Result<Person> {
    let mut tx = core.db.read().await?;
    let mut all = sql::people_unscoped(&mut tx, user).await?;
    if all.is_empty() {
        return Err(no_tenant());
    }
    if let Some(tenant) = tenant {
        all.retain(|m| m.tenant_id() == tenant);
    }
    let refused = |code: ErrorCode, why: &str| Error::Refused(code, why.to_owned());
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => one.person(),
        (Some(_), false) => Err(refused(ErrorCode::TenantRequired, ErrorCode::TenantRequired.message())),
        (None, _) => Err(refused(ErrorCode::Forbidden, "This account does not belong to that tenant.")),
    }
}

fn no_tenant() -> Error {
    Error::Refused(ErrorCode::Forbidden, "This account belongs to no tenant that is in use. Ask an owner for an invitation.".to_owned())
}

/// Notes that the signed-in person left.
pub async fn sign_out(ctx: &Ctx) -> Result<()> {
    if ctx.person().is_some() { record(ctx, "session.ended").await } else { Ok(()) }
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
    let tenants = sql::memberships_unscoped(&mut tx, person.user_id).await?;
    let tenant = tenants.iter().find(|t| t.id == person.tenant_id).map(|t| t.name.clone()).ok_or(Error::Unauthenticated)?;
    let settings = &ctx.core().settings;
    let sandbox = settings.environment == contract::Environment::Test;
    let prefs = if sandbox { Prefs { environment: contract::Environment::Test, ..prefs } } else { prefs };
    Ok(Chrome {
        tenant,
        tenant_id: person.tenant_id,
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
    record(&Ctx::new(ctx.core().clone(), crate::Who::Person(person), ctx.request().clone()), "session.switched").await?;
    Ok(signed_in)
}

/// An account for a new member.
pub(crate) async fn insert_user(tx: &mut Tx, id: UserId, email: &Email, hash: &str, now: UnixMs) -> Result<()> {
    sql::insert_user_unscoped(tx, id, email, hash, false, now).await
}

/// An event of the person's own session, in the tenant they work on. It asks for no permission: it records what they did.
async fn record(ctx: &Ctx, action: &'static str) -> Result<()> {
    let Some(person) = ctx.person() else { return Err(Error::Unauthenticated) };
    let grant = Grant::of_caller(ctx)?;
    let target = Target { kind: "user".to_owned(), id: person.user_id.to_string(), name: person.email.clone() };
    ctx.write(&grant).await?.commit(Event { action, target, reason: None, before: None, after: None }).await
}
