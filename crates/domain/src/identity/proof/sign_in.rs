//! Signing in: the password, then the second factor if there is one.

use super::{device, factor, failed, sql, throttle};
use crate::{
    Ctx, Error, Result, Who,
    identity::{self, Admitted, SignedIn, no_tenant, password},
};
use contract::{Email, ErrorCode, Secret, SignInForm, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};
use throttle::Subject;
use uuid::Uuid;

/// Whose devices are looked up where there is no account.
const NOBODY: UserId = UserId::from_uuid(Uuid::nil());
/// How long the second step may take.
const OPEN_FOR: i64 = 10 * 60_000;

/// What the right password leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// In.
    SignedIn(Admitted),
    /// To the second factor.
    SecondFactor(HalfSignedIn),
}

/// Who has given the right password and nothing else yet. It opens the second step and nothing else (s14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfSignedIn {
    pub(super) user_id: UserId,
    pub(super) tenant_id: TenantId,
    at: UnixMs,
    epoch: i64,
    id: Uuid,
}

/// Who gave the right password, and whether in a browser that they had signed in with before.
pub(crate) struct Proved {
    /// Who.
    pub user_id: UserId,
    known_device: bool,
    /// When that began.
    pub epoch: i64,
}

/// Signs in to the console, on the person's first tenant. `device` is what the browser's cookie holds.
pub async fn sign_in(ctx: &Ctx, form: &SignInForm, device: Option<&str>) -> Result<Step> {
    let Proved { user_id, known_device, epoch } = prove(ctx, &form.email, &form.password, device).await?;
    let mut tx = ctx.db().read_all().await?;
    let Some(member) = identity::sql::people_unscoped(&mut tx, user_id).await?.into_iter().next() else {
        return Err(no_tenant(ctx, &mut tx, user_id).await?);
    };
    drop(tx);
    let proved = Admitted { who: SignedIn { user_id, tenant_id: member.tenant_id() }, epoch, second_step: None };
    if let Some(half) = half_signed_in(ctx, proved, &form.password).await? {
        return Ok(Step::SecondFactor(half));
    }
    arrived(ctx, proved, "password", !known_device).await?;
    Ok(Step::SignedIn(proved))
}

/// Checks address and password. An unknown address costs the same work and gets the same answer (s8).
pub(crate) async fn prove(ctx: &Ctx, email: &str, password: &str, device: Option<&str>) -> Result<Proved> {
    let password = Secret::new(password.to_owned());
    let email = Email::parse(email).ok();
    let user = match &email {
        Some(email) => {
            let mut tx = ctx.db().read().await?;
            identity::sql::find_user_unscoped(&mut tx, email).await?
        }
        None => None,
    };
    let core = ctx.core();
    let account = user.as_ref().map(|u| UserId::from_uuid(u.id));
    // Asked for nobody, too: no time tells an account from none (s8).
    let device = device::known(core, account.unwrap_or(NOBODY), device).await?;
    let tried = Subject::password(email.as_ref().map_or("", Email::as_str), device.as_deref());
    // Behind a known device it does not matter who else sits at the address.
    let from = Some(Subject::address(ctx.request().ip)).filter(|_| device.is_none());
    throttle::pass(ctx, &tried, account)?;
    if let Some(from) = &from {
        throttle::admit(ctx, from, account).await?;
    }
    let tries = throttle::admit(ctx, &tried, account).await?;
    let hash = user.as_ref().map(|u| u.password_hash.clone());
    let good = match core.hasher.verify(&password, hash).await {
        Ok(good) => good,
        Err(e) => {
            throttle::give_back(core, &tried).await?;
            return Err(e);
        }
    };
    let Some(user) = user.filter(|u| good && u.disabled_at.is_none()) else {
        match account.filter(|_| good) {
            Some(account) => failed::refused(ctx, account, "disabled"),
            None => failed::note(ctx, &tried, account, tries, false),
        }
        return Err(Error::Refused(ErrorCode::Unauthorized, "Email or password is wrong.".to_owned()));
    };
    throttle::forgive(core, &tried).await?;
    if let Some(from) = &from {
        throttle::give_back(core, from).await?;
    }
    let user_id = UserId::from_uuid(user.id);
    if let Some(stronger) = core.hasher.upgrade(&password, &user.password_hash).await? {
        let mut tx = core.db.begin().await?;
        sql::upgrade_hash_unscoped(&mut tx, user_id, &user.password_hash, &stronger).await?;
        tx.commit_quiet().await?;
    }
    Ok(Proved { user_id, known_device: device.is_some(), epoch: user.epoch })
}

/// The state between the steps, of an account that has a second factor. Where somebody else took that away, a password
/// that needed it is refused (s1).
pub(crate) async fn half_signed_in(ctx: &Ctx, proved: Admitted, password: &str) -> Result<Option<HalfSignedIn>> {
    let SignedIn { user_id, tenant_id } = proved.who;
    let mut tx = ctx.db().read().await?;
    let enrolled = sql::enrolled_unscoped(&mut tx, user_id).await?;
    drop(tx);
    if !enrolled && !password::stands_alone(password) {
        identity::refused(ctx, user_id, "password_too_short");
        return Err(Error::Refused(ErrorCode::Forbidden, TOO_SHORT.to_owned()));
    }
    let half = enrolled.then(|| HalfSignedIn { user_id, tenant_id, at: ctx.now(), epoch: proved.epoch, id: ctx.new_uuid() });
    if let Some(half) = half {
        failed::asked_for_code(ctx, half).await?;
    }
    Ok(half)
}

const TOO_SHORT: &str = "Without a second factor this password is too short. Set a longer one by a link: ask for it under \
    “Forgot your password?”, or ask an owner or whoever operates this server.";

/// Signs in to the console by the second step.
pub async fn second_step(ctx: &Ctx, half: HalfSignedIn, code: &str, device: Option<&str>) -> Result<Admitted> {
    let (by, known_device) = check_code(ctx, half, code, device).await?;
    arrived(ctx, half.admitted(), by.as_str(), !known_device).await?;
    Ok(half.admitted())
}

/// Checks the code of the second factor, or a recovery code, of somebody who signs in over the API.
pub(crate) async fn prove_code(ctx: &Ctx, half: HalfSignedIn, code: &str) -> Result<Admitted> {
    check_code(ctx, half, code, None).await?;
    Ok(half.admitted())
}

async fn check_code(ctx: &Ctx, half: HalfSignedIn, code: &str, device: Option<&str>) -> Result<(factor::Proof, bool)> {
    if !half.is_open(ctx.now()) {
        return Err(Error::Refused(ErrorCode::Unauthorized, "That took too long. Sign in again.".to_owned()));
    }
    let device = device::known(ctx.core(), half.user_id, device).await?;
    let Some(proof) = factor::check(ctx, half.user_id, code, device.as_deref()).await? else {
        return Err(factor::wrong_code());
    };
    throttle::forgive(ctx.core(), &Subject::confirm(half.user_id)).await?;
    Ok((proof, device.is_some()))
}

impl HalfSignedIn {
    const fn who(self) -> SignedIn {
        SignedIn { user_id: self.user_id, tenant_id: self.tenant_id }
    }

    const fn admitted(self) -> Admitted {
        Admitted { who: self.who(), epoch: self.epoch, second_step: Some(self.id) }
    }

    /// Can the second step still be taken?
    pub const fn is_open(self, now: UnixMs) -> bool {
        now.0 - self.at.0 < OPEN_FOR
    }
}

/// Notes the start of a session, by a member who is one still.
async fn arrived(ctx: &Ctx, admitted: Admitted, by: &str, new_device: bool) -> Result<()> {
    let who = admitted.who;
    let mut tx = ctx.db().read_all().await?;
    if identity::sql::epoch_unscoped(&mut tx, who.user_id).await? != admitted.epoch {
        identity::refused(ctx, who.user_id, "ended_meanwhile");
        return Err(Error::Refused(ErrorCode::Unauthorized, "This sign-in was ended meanwhile. Sign in again.".to_owned()));
    }
    let Some(person) = identity::sql::membership_unscoped(&mut tx, who, ctx.now()).await? else {
        return Err(no_tenant(ctx, &mut tx, who.user_id).await?);
    };
    let person = person.person()?;
    drop(tx);
    let there = Ctx::new(ctx.core().clone(), Who::Person(person), ctx.request().clone());
    identity::record(&there, "session.created", Some(serde_json::json!({"by": by, "new_device": new_device}))).await
}
