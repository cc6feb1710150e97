//! First run: the one-time setup link, and the first tenant with its owner.

use super::{Admitted, password, sql};
use crate::{Core, Ctx, Error, Grant, Result, db::Tx, keys::scan::refuse_keys, tenants};
use aws_lc_rs::digest::{SHA256, digest};
use contract::{Email, ErrorCode, FieldErrors, Role, Secret, SetupForm, Slug, TenantName, UnixMs, UserId};

/// How long a setup link works.
const OPEN_FOR: i64 = UnixMs::DAY;

/// The secret of a setup link, to be printed once on the server's console.
#[derive(Debug)]
pub struct SetupLink(pub Secret<String>);

/// A fresh setup link on an installation without people; older links stop working. None where people exist.
pub async fn new_setup_link(core: &Core) -> Result<Option<SetupLink>> {
    let secret = fresh_token(core);
    let mut tx = core.db.begin().await?;
    if sql::users_unscoped(&mut tx).await? > 0 {
        return Ok(None);
    }
    let now = core.now();
    sql::insert_setup_link_unscoped(&mut tx, &token_digest(secret.expose()), now, now.plus(OPEN_FOR)).await?;
    tx.commit_quiet().await?;
    Ok(Some(SetupLink(secret)))
}

/// What the page of the first run is for, to whoever opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupState {
    /// The link works.
    Open,
    /// There is no link, or one that was replaced, has expired, or never was.
    NoLink,
    /// People exist: there is nothing left to set up.
    Done,
}

impl SetupState {
    /// Why nothing can be set up now.
    const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::NoLink => Some("This setup link has expired or was replaced. Start the server again to print a new one."),
            Self::Done => Some("This installation is set up already: sign in."),
        }
    }
}

/// Whether the link of this token sets the installation up.
pub async fn setup_state(core: &Core, token: &str) -> Result<SetupState> {
    let mut tx = core.db.read().await?;
    Ok(if sql::users_unscoped(&mut tx).await? > 0 {
        SetupState::Done
    } else if sql::setup_link_is_open_unscoped(&mut tx, &token_digest(token), core.now()).await? {
        SetupState::Open
    } else {
        SetupState::NoLink
    })
}

/// Makes the first tenant and its owner, who is also platform admin. The link works once (s17).
pub async fn set_up(ctx: &Ctx, form: &SetupForm) -> Result<Admitted> {
    let refused = |why: &str| Error::Refused(ErrorCode::Forbidden, why.to_owned());
    let core = ctx.core();
    let link = token_digest(&form.token);
    if let Some(why) = setup_state(core, &form.token).await?.refusal() {
        return Err(refused(why));
    }
    let owner = new_owner(&form.tenant, &form.email, &form.password)?;
    let hash = core.hasher.hash(&owner.password).await?;
    let mut tx = core.db.begin_all().await?;
    if !sql::use_setup_link_unscoped(&mut tx, &link, ctx.now()).await? || sql::users_unscoped(&mut tx).await? > 0 {
        return Err(refused("This setup link was used a moment ago. Sign in instead."));
    }
    tenants::create_first(ctx, tx, &owner, &hash).await
}

/// A tenant and its owner as asked for, each part valid by itself.
#[derive(Debug)]
pub(crate) struct NewOwner {
    pub tenant: TenantName,
    pub slug: Slug,
    pub email: Email,
    pub password: Secret<String>,
}

/// Reads what was asked for; every wrong field is named at once.
pub(crate) fn new_owner(tenant: &str, email: &str, password: &str) -> Result<NewOwner> {
    let mut errors = FieldErrors::default();
    let tenant = TenantName::parse(tenant).map_err(|e| errors.add("tenant", "invalid", e.to_string())).ok();
    let email = Email::parse(email).map_err(|e| errors.add("email", "invalid", e.to_string())).ok();
    if let Err(found) = refuse_keys("tenant", tenant.as_ref().map_or("", TenantName::as_str)) {
        errors.0.extend(found.0);
    }
    let words = [tenant.as_ref().map_or("", TenantName::as_str), email.as_ref().map_or("", Email::as_str), "keystead"];
    if let Err(why) = password::judge(password, &words, false) {
        errors.add("password", "invalid", why);
    }
    let read = tenant.zip(email).map(|(tenant, email)| {
        let slug = Slug::from_name(tenant.as_str());
        NewOwner { tenant, slug, email, password: Secret::new(password.to_owned()) }
    });
    Ok(errors.into_result(read)?)
}

/// The owner of a new tenant, who is also platform admin.
pub(crate) async fn insert_owner(tx: &mut Tx, grant: &Grant, id: UserId, email: &Email, hash: &str, now: UnixMs) -> Result<()> {
    sql::insert_user_unscoped(tx, id, email, hash, true, now).await?;
    sql::insert_member(tx, grant, id, Role::Owner, now).await
}

/// The secret of a link: 192 random bits.
pub(crate) fn fresh_token(core: &Core) -> Secret<String> {
    let mut bytes = [0; 24];
    core.entropy().fill(&mut bytes);
    Secret::new(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// What is kept of it. It is random, so a plain hash does.
pub(crate) fn token_digest(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
