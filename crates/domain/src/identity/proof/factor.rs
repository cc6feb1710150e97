//! The second factor of an account: an authenticator app, and ten recovery codes for when it is lost.

use super::{confirm::prove, failed, hash, own, recovery::noted, sql, target, throttle, totp};
use crate::{
    Core, Ctx, Error, Result,
    db::{Event, commit_with},
    identity::{self, password},
};
use contract::{ConfirmForm, Enrolment, ErrorCode, RecoveryCodes, Secret, TwoFactorState, UnixMs, UserId};
use throttle::Subject;
use uuid::Uuid;

/// Recovery codes of an account (s15).
const CODES: usize = 10;
/// Four groups of four letters and digits without those that are mistaken for others: 79 bits.
const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS: usize = 4;

/// By which second factor somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    App,
    Recovery,
}

impl Proof {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "totp",
            Self::Recovery => "recovery_code",
        }
    }
}

/// Whether the caller has a second factor, and how many recovery codes are left.
pub async fn two_factor_state(ctx: &Ctx) -> Result<TwoFactorState> {
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read().await?;
    let factor = sql::factor_unscoped(&mut tx, person.user_id).await?;
    let codes_left = sql::codes_left_unscoped(&mut tx, person.user_id).await?;
    Ok(TwoFactorState { on_since: factor.and_then(|f| f.confirmed_at).map(UnixMs), codes_left })
}

/// A fresh secret for an authenticator app. It counts once the app has given a code.
pub async fn begin_two_factor(ctx: &Ctx) -> Result<Enrolment> {
    let (_, person) = own(ctx)?;
    ctx.fresh()?;
    let core = ctx.core();
    let secret = totp::generate(core.entropy());
    let sealed = core.keys.seal.seal(NOBODYS, person.user_id.uuid(), &secret, core.entropy())?;
    let mut tx = core.db.begin().await?;
    if !sql::begin_factor_unscoped(&mut tx, person.user_id, &sealed, ctx.now()).await? {
        return Err(Error::Conflict("Two-factor sign-in is on already.".to_owned()));
    }
    tx.commit_quiet().await?;
    shown(&secret, &person.email)
}

/// The same secret again, while its first code is still to come: the form that gave a wrong one comes back with it.
pub async fn pending_two_factor(ctx: &Ctx) -> Result<Option<Enrolment>> {
    let (_, person) = own(ctx)?;
    ctx.fresh()?;
    let mut tx = ctx.db().read().await?;
    match sql::factor_unscoped(&mut tx, person.user_id).await?.filter(|f| f.confirmed_at.is_none()) {
        Some(factor) => shown(&open(ctx.core(), person.user_id, &factor.secret)?, &person.email).map(Some),
        None => Ok(None),
    }
}

/// The first code: from here on the second factor is asked for at every sign-in. The answer has the recovery codes. The
/// other sessions, which never gave a code, end if that is wanted.
pub async fn turn_on_two_factor(ctx: &Ctx, code: &str, end_others: bool) -> Result<RecoveryCodes> {
    let (grant, person) = own(ctx)?;
    ctx.fresh()?;
    let user = person.user_id;
    let mut tx = ctx.write_all(&grant).await?;
    identity::hold(tx.tx(), user).await?;
    let pending = sql::factor_unscoped(tx.tx(), user).await?.filter(|f| f.confirmed_at.is_none());
    let Some(pending) = pending else { return Err(Error::Conflict("Begin again: there is no new secret.".to_owned())) };
    let wrong =
        || Error::field("code", "invalid", "This code does not fit the secret. Check the clock of your device and take the next code.");
    let step = totp::step_of(&open(ctx.core(), user, &pending.secret)?, &digits(code), ctx.now())?.ok_or_else(wrong)?;
    if !sql::confirm_factor_unscoped(tx.tx(), user, &pending.secret, step, ctx.now()).await? {
        return Err(Error::Conflict("Begin again: the secret was replaced a moment ago.".to_owned()));
    }
    let codes = generate_codes(ctx.core());
    sql::replace_codes_unscoped(tx.tx(), user, &digests(&codes)).await?;
    let ended = if end_others { identity::sign_out_elsewhere(tx.tx(), ctx, user).await? } else { 0 };
    let after = serde_json::json!({"sessions_ended": ended});
    tx.commit(Event { action: "user.two_factor_enabled", target: target(person), reason: None, before: None, after: Some(after) }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(codes)
}

/// Turns the second factor off. The password must be one that may stand alone. The other sessions end if that is wanted.
pub async fn turn_off_two_factor(ctx: &Ctx, form: &ConfirmForm, end_others: bool) -> Result<()> {
    let (grant, person) = own(ctx)?;
    prove(ctx, person.user_id, &form.password, &form.code).await?;
    if let Err(why) = password::judge(&form.password, &[&person.email, "keystead"], false) {
        let why = format!("This password cannot stand alone, without a second factor. Set another one first. {why}");
        return Err(Error::field("password", "too_short", why));
    }
    let mut tx = ctx.db().read_all().await?;
    let requiring = identity::sql::requiring_unscoped(&mut tx, person.user_id).await?;
    drop(tx);
    if !requiring.is_empty() {
        return Err(Error::Conflict(format!("A second factor is required by a policy of {}", requiring.join(", "))));
    }
    let mut tx = ctx.write_all(&grant).await?;
    identity::hold(tx.tx(), person.user_id).await?;
    if !sql::remove_factor_unscoped(tx.tx(), person.user_id).await? {
        return Err(Error::Conflict("Two-factor sign-in is off already.".to_owned()));
    }
    let ended = if end_others { identity::sign_out_elsewhere(tx.tx(), ctx, person.user_id).await? } else { 0 };
    let after = serde_json::json!({"sessions_ended": ended});
    tx.commit(Event { action: "user.two_factor_disabled", target: target(person), reason: None, before: None, after: Some(after) }).await?;
    ctx.core().cache.sync(ctx.core()).await
}

/// Ten new recovery codes; the old ones work no more.
pub async fn new_recovery_codes(ctx: &Ctx) -> Result<RecoveryCodes> {
    let (grant, person) = own(ctx)?;
    ctx.fresh()?;
    let mut tx = ctx.write(&grant).await?;
    if !sql::enrolled_unscoped(tx.tx(), person.user_id).await? {
        return Err(Error::Conflict("Turn two-factor sign-in on first.".to_owned()));
    }
    let codes = generate_codes(ctx.core());
    sql::replace_codes_unscoped(tx.tx(), person.user_id, &digests(&codes)).await?;
    tx.commit(Event { action: "user.recovery_codes_replaced", target: target(person), reason: None, before: None, after: None }).await?;
    Ok(codes)
}

/// Is it a code of the person's app, or one of their recovery codes? Either is accepted once, in parallel too (s10).
pub(super) async fn check(ctx: &Ctx, user: UserId, code: &str, device: Option<&[u8]>) -> Result<Option<Proof>> {
    let tried = Subject::code(user, device);
    let tries = throttle::admit(ctx, &tried, Some(user)).await?;
    let mut tx = ctx.db().begin_all().await?;
    let factor = sql::factor_unscoped(&mut tx, user).await?.filter(|f| f.confirmed_at.is_some());
    // It was turned off meanwhile: who began with it begins again.
    let Some(factor) = factor else { return Err(Error::Refused(ErrorCode::Unauthorized, "Sign in again.".to_owned())) };
    let step = totp::step_of(&open(ctx.core(), user, &factor.secret)?, &digits(code), ctx.now())?;
    let proof = match step {
        Some(step) => sql::accept_step_unscoped(&mut tx, user, step).await?.then_some(Proof::App),
        None => sql::use_code_unscoped(&mut tx, user, &hash(&letters(code)), ctx.now()).await?.then_some(Proof::Recovery),
    };
    let events = if proof == Some(Proof::Recovery) { noted(ctx, &mut tx, user, "user.recovery_code_used").await? } else { Vec::new() };
    commit_with(tx, ctx, events).await?;
    if proof.is_some() {
        throttle::forgive(ctx.core(), &tried).await?;
    } else {
        failed::note(ctx, &tried, Some(user), tries, false);
    }
    Ok(proof)
}

pub(super) fn wrong_code() -> Error {
    Error::field("code", "invalid", "This code is wrong, or was used already. Wait for the next one.")
}

/// People belong to no tenant; what is sealed for them is bound to their id.
const NOBODYS: Uuid = Uuid::nil();

fn open(core: &Core, user: UserId, sealed: &[u8]) -> Result<Secret<String>> {
    core.keys.seal.open(NOBODYS, user.uuid(), sealed)
}

fn shown(secret: &Secret<String>, email: &str) -> Result<Enrolment> {
    let uri = totp::uri(secret, email);
    let (qr, side) = totp::qr(&uri)?;
    Ok(Enrolment { secret: secret.expose().clone(), uri, qr, side })
}

fn generate_codes(core: &Core) -> RecoveryCodes {
    RecoveryCodes((0..CODES).map(|_| generate_code(core)).collect())
}

fn generate_code(core: &Core) -> String {
    let mut code = String::new();
    while code.len() < GROUPS * 5 - 1 {
        let mut byte = [0];
        core.entropy().fill(&mut byte);
        // 248 = 8 × 31: above it letters would not be equally likely.
        if byte[0] < 248 {
            if code.len() % 5 == 4 {
                code.push('-');
            }
            code.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
        }
    }
    code
}

fn digests(codes: &RecoveryCodes) -> Vec<Vec<u8>> {
    codes.0.iter().map(|code| hash(&letters(code))).collect()
}

/// As apps print it in two groups.
fn digits(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

/// However its groups were typed.
fn letters(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
