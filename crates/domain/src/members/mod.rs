//! People of a tenant: who they are, what they may do, how they leave.
//!
//! The last owner stays. Whoever leaves keeps nothing of the tenant: their sessions there go on in another tenant of
//! theirs or end, what they invited is taken back, and keys that they answered for go on working and wait in the queue of orphaned keys.

mod invitations;
mod recovery;
mod sessions;
mod sql;

pub use invitations::{Invited, Invitee, accept, invitation, invitations, invite, invite_from_body, look, withdraw};
pub use recovery::{Whom, recover};
pub use sessions::{end_sessions, sessions};

use crate::{
    Ctx, Error, Grant, Result, Who,
    db::{Event, Tx, commit_with},
    identity, keys, oauth, tenants, tokens,
};
use contract::{ErrorCode, Member, MemberBody, Page, PageQuery, Perm, Role, Target, UnixMs, UserId};

/// One page of the tenant's people, those with the newest accounts first.
pub async fn list(ctx: &Ctx, page: PageQuery) -> Result<Page<Member>> {
    let grant = ctx.require_tenant_level(Perm::MembersRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let rows = sql::list(&mut tx, &grant, page).await?;
    Ok(Page::cut(rows, page.bounded(), |m| m.id.uuid()))
}

/// One of them, for a caller who is about to do what `perm` permits.
pub async fn get(ctx: &Ctx, perm: Perm, id: UserId) -> Result<Member> {
    let grant = ctx.require_tenant_level(perm)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::find(&mut tx, &grant, id).await?.ok_or(Error::NotFound)
}

/// Changes what somebody may do. Their sign-ins over the API end, and begin anew with the role.
pub async fn change_role(ctx: &Ctx, id: UserId, body: &MemberBody) -> Result<Member> {
    let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
    let mut tx = ctx.write(&grant).await?;
    let by = lock(ctx, tx.tx(), &grant).await?;
    let before = find(tx.tx(), &grant, id).await?;
    let role = body.parse()?;
    may_touch(&by, before.role)?;
    may_hand_out(&by, role)?;
    if before.role == role {
        return Ok(before);
    }
    keep_an_owner(tx.tx(), &grant, &before).await?;
    give(ctx, tx.tx(), &grant, id, role).await?;
    tx.commit(changed("member.role_changed", &before, role)).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(Member { role, ..before })
}

/// Takes somebody out of the tenant.
pub async fn remove(ctx: &Ctx, id: UserId) -> Result<Member> {
    let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
    let mut tx = ctx.write_all(&grant).await?;
    let by = lock(ctx, tx.tx(), &grant).await?;
    let before = find(tx.tx(), &grant, id).await?;
    may_touch(&by, before.role)?;
    out(ctx, tx, &grant, before, "member.removed").await
}

/// The same from the console, where their address is typed first.
pub async fn remove_confirmed(ctx: &Ctx, id: UserId, confirm: &str) -> Result<Member> {
    let email = get(ctx, Perm::MembersWrite, id).await?.email;
    if confirm.trim().to_lowercase() != email {
        return Err(Error::field("confirm", "invalid", format!("Type the address of the member, {email}, to remove them.")));
    }
    remove(ctx, id).await
}

/// The signed-in person leaves the tenant that they work in, whatever they may do there; they typed its name first.
pub async fn leave(ctx: &Ctx, confirm: &str) -> Result<Member> {
    let id = ctx.person().ok_or(Error::Unauthenticated)?.user_id;
    ctx.enrolled()?;
    let grant = Grant::of_caller(ctx)?;
    let name = tenants::get(ctx, grant.tenant_id()).await?.name;
    if confirm.trim() != name {
        return Err(Error::field("confirm", "invalid", format!("Type the name of the tenant, {name}, to leave it.")));
    }
    let mut tx = ctx.write_all(&grant).await?;
    sql::lock(tx.tx(), &grant).await?;
    let before = find(tx.tx(), &grant, id).await?;
    out(ctx, tx, &grant, before, "member.left").await
}

/// An owner makes somebody else owner in their place, and stays as admin.
pub async fn transfer(ctx: &Ctx, id: UserId) -> Result<Member> {
    let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
    ctx.fresh()?;
    let mut tx = ctx.write(&grant).await?;
    // As it is now: two of them may hand over at the same time.
    let by = lock(ctx, tx.tx(), &grant).await?;
    let before = find(tx.tx(), &grant, id).await?;
    let me = by.person().ok_or_else(only_owners)?.user_id;
    let mine = sql::find(tx.tx(), &grant, me).await?.filter(|m| m.role == Role::Owner).ok_or_else(only_owners)?;
    if me == id || before.role == Role::Owner {
        return Err(Error::Conflict(format!("{} is an owner already", before.email)));
    }
    if before.disabled {
        return Err(Error::Conflict(format!("The account of {} is disabled", before.email)));
    }
    give(ctx, tx.tx(), &grant, id, Role::Owner).await?;
    give(ctx, tx.tx(), &grant, me, Role::Admin).await?;
    let events = vec![changed("member.ownership_transferred", &before, Role::Owner), changed("member.role_changed", &mine, Role::Admin)];
    tx.commit_all(events).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(Member { role: Role::Owner, ..before })
}

/// The same from the console, where the new owner's address is typed first.
pub async fn transfer_confirmed(ctx: &Ctx, id: UserId, confirm: &str) -> Result<Member> {
    let email = get(ctx, Perm::MembersWrite, id).await?.email;
    if confirm.trim().to_lowercase() != email {
        return Err(Error::field("hand_over", "invalid", format!("Type the address of the new owner, {email}, to hand the tenant over.")));
    }
    transfer(ctx, id).await
}

/// Switches a member's account off, in every tenant: their sessions end, and the keys and apps that they answer for are
/// refused (s22). For those who operate the installation.
pub async fn disable_account(ctx: &Ctx, id: UserId) -> Result<Member> {
    if ctx.person().is_some_and(|p| p.user_id == id) {
        return Err(Error::Conflict("You cannot disable your own account".to_owned()));
    }
    switch_account(ctx, id, true).await
}

/// Switches it on again: their keys and apps work as before.
pub async fn enable_account(ctx: &Ctx, id: UserId) -> Result<Member> {
    switch_account(ctx, id, false).await
}

async fn switch_account(ctx: &Ctx, id: UserId, off: bool) -> Result<Member> {
    let member = get(ctx, Perm::MembersWrite, id).await?;
    ctx.fresh()?;
    let (now, action) = (ctx.now(), if off { "member.disabled" } else { "member.enabled" });
    let operates = |by: &Ctx| by.operates().then_some(()).ok_or_else(Error::platform_only);
    operates(ctx)?;
    let mut tx = ctx.db().begin_all().await?;
    operates(&identity::again(ctx, &mut tx).await?)?;
    if !sql::set_disabled_unscoped(&mut tx, id, off.then_some(now)).await? {
        return Err(Error::Conflict(format!("The account of {} is {} already", member.email, if off { "disabled" } else { "in use" })));
    }
    if off {
        identity::sign_out_everywhere(&mut tx, id, now).await?;
    }
    let mut events = Vec::new();
    for tenant in sql::tenants_of_unscoped(&mut tx, id).await? {
        let grant = Grant::of_platform(ctx, tenant)?;
        if off {
            sql::withdraw_by(&mut tx, &grant, id, now).await?;
        }
        // Before the keys: changes of tokens, which ending sessions notes, and of keys are numbered by a lock each.
        oauth::tell_owner_changed(&mut tx, &grant, id, now).await?;
        keys::tell_tenant_changed(&mut tx, &grant, now).await?;
        let after = Some(serde_json::json!({"disabled": off}));
        events.push((grant, Event { action, target: target(&member), reason: None, before: None, after }));
    }
    commit_with(tx, ctx, events).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(Member { disabled: off, ..member })
}

/// What somebody invited is taken back.
pub(crate) async fn withdraw_invitations(tx: &mut Tx, grant: &Grant, by: UserId, now: UnixMs) -> Result<()> {
    sql::withdraw_by(tx, grant, by, now).await
}

/// Nobody joins, leaves or changes until the commit: the caller as they are then, who may still manage people.
async fn lock(ctx: &Ctx, tx: &mut Tx, grant: &Grant) -> Result<Ctx> {
    sql::lock(tx, grant).await?;
    let by = identity::again(ctx, tx).await?;
    by.require_tenant_level(Perm::MembersWrite)?;
    Ok(by)
}

async fn find(tx: &mut Tx, grant: &Grant, id: UserId) -> Result<Member> {
    sql::find(tx, grant, id).await?.ok_or(Error::NotFound)
}

/// A new role. Whoever is no owner (any more) has invited nobody: a link must not make more of them than they are.
async fn give(ctx: &Ctx, tx: &mut Tx, grant: &Grant, id: UserId, role: Role) -> Result<()> {
    // A sign-in that is under way holds them, too: it is over and ends here, or it sees the new role.
    identity::hold(tx, id).await?;
    sql::set_role(tx, grant, id, role).await?;
    // Their tokens hold what the role before did, for whoever asks only for a decision.
    tokens::end_in_tenant(tx, grant, Some(id), ctx.now()).await?;
    if role != Role::Owner {
        sql::withdraw_by(tx, grant, id, ctx.now()).await?;
    }
    Ok(())
}

async fn out(ctx: &Ctx, mut tx: crate::db::WriteTx, grant: &Grant, gone: Member, action: &'static str) -> Result<Member> {
    keep_an_owner(tx.tx(), grant, &gone).await?;
    // Whoever lets an app in holds them first, and then what they allowed: as it is done here, nobody waits for the other,
    // and no grant is made that this does not see.
    identity::hold(tx.tx(), gone.id).await?;
    sql::delete(tx.tx(), grant, gone.id).await?;
    sql::withdraw_by(tx.tx(), grant, gone.id, ctx.now()).await?;
    keys::orphans::begin_deadlines(tx.tx(), grant, gone.id, ctx.now()).await?;
    oauth::end_of_member(tx.tx(), grant, gone.id, ctx.now()).await?;
    identity::taken_out_of_tenant(tx.tx(), grant, gone.id, ctx.now()).await?;
    let before = Some(serde_json::json!({"role": gone.role}));
    let after = Some(serde_json::json!({"orphaned_keys": gone.keys}));
    tx.commit(Event { action, target: target(&gone), reason: None, before, after }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(gone)
}

/// A tenant that nobody owns is lost to its people: the last owner stays one.
async fn keep_an_owner(tx: &mut Tx, grant: &Grant, leaving: &Member) -> Result<()> {
    if leaving.role == Role::Owner && sql::other_owners(tx, grant, leaving.id).await? == 0 {
        return Err(Error::Conflict(format!("{} is the last owner: make somebody else owner first", leaving.email)));
    }
    Ok(())
}

/// Owners are changed and removed by owners, and by those who operate the installation.
fn may_touch(ctx: &Ctx, role: Role) -> Result<()> {
    // What they are at home counts nothing elsewhere.
    let owner = ctx.elsewhere().is_none() && ctx.person().is_some_and(|p| p.role == Role::Owner) || ctx.operates();
    if role == Role::Owner && !owner { Err(only_owners()) } else { Ok(()) }
}

/// Nobody makes somebody what they are not themselves (s35): owners are made by owners, and a key or a token gives no role
/// that may do what it may not.
fn may_hand_out(ctx: &Ctx, role: Role) -> Result<()> {
    may_touch(ctx, role)?;
    let own = match (ctx.who(), ctx.token()) {
        (Who::Key(key), _) => &key.scopes,
        (_, Some(token)) => &token.scopes,
        _ => return Ok(()),
    };
    if let Some(perm) = role.perms().iter().find(|p| !p.held_by(own)) {
        return Err(Error::CannotGrant(perm.scope()));
    }
    match role.own_api().0.into_iter().find(|scope| !own.covers(scope)) {
        Some(scope) => Err(Error::CannotGrant(scope)),
        None => Ok(()),
    }
}

fn only_owners() -> Error {
    Error::Refused(ErrorCode::Forbidden, "Only owners make and change owners. Ask one.".to_owned())
}

fn changed(action: &'static str, before: &Member, role: Role) -> Event {
    Event {
        action,
        target: target(before),
        reason: None,
        before: Some(serde_json::json!({"role": before.role})),
        after: Some(serde_json::json!({"role": role})),
    }
}

fn target(member: &Member) -> Target {
    Target { kind: "user".to_owned(), id: member.id.to_string(), name: member.email.clone() }
}
