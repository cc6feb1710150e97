//! Help for who has lost their password or second factor: by an owner of their tenant, or by a platform admin.
//!
//! Whoever gives such help could take the account over. So an owner gives it only where that opens nothing that they do not
//! own: to accounts that belong to no tenant but those that the helper owns, and that do not operate the installation.

use super::sql;
use crate::{
    Ctx, Error, Grant, Result, Who,
    db::{Event, commit_with},
    identity, keys, tenants,
};
use contract::{ErrorCode, Perm, Recovery, ResetUrl, Target, UserId, read_reason};

/// Whom to help.
#[derive(Clone, Debug)]
pub enum Whom {
    /// A member of the tenant that is worked on.
    Member(UserId),
    /// Whoever has this address; for platform admins.
    Address(String),
}

/// Helps somebody back in. Their sessions end, everywhere. The answer has the link, once, if it was a link.
pub async fn recover(ctx: &Ctx, whom: &Whom, how: Recovery, reason: &str) -> Result<Option<ResetUrl>> {
    let id = find(ctx, whom).await?;
    let me = ctx.person().ok_or_else(|| refused("Only people help people back in: a key cannot prove who is there"))?.user_id;
    if me == id {
        return Err(Error::Conflict("Your own password and second factor are under Account".to_owned()));
    }
    ctx.fresh()?;
    keys::scan::refuse_keys("reason", reason)?;
    let reason = read_reason(Some(reason))?.ok_or_else(|| Error::field("reason", "required", "Say why: it stands in the audit log."))?;
    let (core, now) = (ctx.core(), ctx.now());
    let mut tx = ctx.db().begin_all().await?;
    let by = identity::again(ctx, &mut tx).await?;
    // Until the commit the account joins no other tenant.
    let account = identity::hold(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let belongs = sql::belongs_unscoped(&mut tx, id, me).await?;
    let owns_all = by.elsewhere().is_none() && !belongs.is_empty() && belongs.iter().all(|b| b.owned);
    if !by.operates() && (account.platform_admin || !owns_all) {
        return Err(refused(
            "The account belongs to more than the tenants that you own, so only platform admins may do this. Ask whoever operates this server.",
        ));
    }
    let (action, link) = match how {
        Recovery::SecondFactor => {
            if !identity::take_second_factor(&mut tx, id).await? {
                return Err(Error::Conflict(format!("{} has no second factor", account.email)));
            }
            ("user.two_factor_reset", None)
        }
        Recovery::Link => ("user.reset_link_made", Some(identity::make_link(core, &mut tx, id).await?)),
    };
    identity::sign_out_everywhere(&mut tx, id, now).await?;
    let target = Target { kind: "user".to_owned(), id: id.to_string(), name: account.email.clone() };
    let event = Event { action, target, reason: Some(reason), before: None, after: None };
    let mut grants: Vec<Grant> = belongs.iter().map(|b| Grant::of_recovery(b.tenant_id(), ctx.actor())).collect();
    // What a platform admin does elsewhere stands at home, too.
    let home = Grant::of_caller(&ctx.at_home())?;
    if grants.iter().all(|g| g.tenant_id() != home.tenant_id()) {
        grants.push(home);
    }
    commit_with(tx, ctx, grants.into_iter().map(|grant| (grant, event.clone())).collect()).await?;
    core.cache.sync(core).await?;
    let url = |token: &str| format!("{}/reset?token={token}", core.settings.public_url);
    Ok(link.map(|link| ResetUrl { email: account.email, url: url(link.0.expose()) }))
}

/// The account, for a caller who may ask for it at all.
async fn find(ctx: &Ctx, whom: &Whom) -> Result<UserId> {
    match whom {
        Whom::Member(id) => {
            let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
            let mut tx = ctx.db().read_in(&grant).await?;
            sql::find(&mut tx, &grant, *id).await?.map(|m| m.id).ok_or(Error::NotFound)
        }
        Whom::Address(email) => {
            tenants::require_platform(ctx)?;
            if matches!(ctx.who(), Who::Key(_)) {
                return Err(refused("Only people help people back in: a key cannot prove who is there"));
            }
            let nobody = |e| if matches!(e, Error::NotFound) { Error::field("email", "unknown", "Nobody has this address.") } else { e };
            identity::find_account(ctx.core(), email).await.map_err(nobody)
        }
    }
}

fn refused(why: &str) -> Error {
    Error::Refused(ErrorCode::Forbidden, why.to_owned())
}
