//! Invitations: a link that works once, for one address, for some days.
//!
//! A link makes a new account, or adds a tenant to an account whose password was given. It never signs anybody in to an
//! account that exists: that takes what every sign-in takes. The mailed link is another than the one that whoever invited
//! sees: it shows that the address is theirs who join by it.

use super::{lock, may_hand_out, sql};
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, commit_with},
    identity::{self, Admitted, SignedIn},
    keys,
    mail::{self, Message},
};
use contract::{
    AcceptForm, Actor, ActorKind, CreatedInvitation, Email, ErrorCode, FieldErrors, Invitation, InvitationId, InvitationState, Invite,
    InviteBody, Page, PageQuery, Perm, Role, Secret, Target, TenantId, UnixMs, UserId,
};

/// Most open invitations of a tenant.
const MOST: i64 = 500;

/// One page of invitations, newest first; only those that wait, if so asked.
pub async fn invitations(ctx: &Ctx, open: bool, page: PageQuery) -> Result<Page<Invitation>> {
    let grant = ctx.require_tenant_level(Perm::MembersRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let rows = sql::invitations(&mut tx, &grant, open, page, ctx.now()).await?;
    Ok(Page::cut(rows, page.bounded(), |i| i.id.uuid()))
}

/// One invitation, for a caller who is about to do what `perm` permits.
pub async fn invitation(ctx: &Ctx, perm: Perm, id: InvitationId) -> Result<Invitation> {
    let grant = ctx.require_tenant_level(perm)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::invitation(&mut tx, &grant, id, ctx.now()).await?.ok_or(Error::NotFound)
}

/// Invites somebody, from a JSON body or a form.
pub async fn invite_from_body(ctx: &Ctx, body: &InviteBody) -> Result<CreatedInvitation> {
    ctx.require_tenant_level(Perm::MembersWrite)?;
    invite(ctx, body.parse()?).await
}

/// Invites somebody, by mail too where a mail server is set. The answer has the link, once; an earlier link for the address works no more.
pub async fn invite(ctx: &Ctx, asked: Invite) -> Result<CreatedInvitation> {
    let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
    // The link lets somebody in, and the answer holds it (s16).
    ctx.fresh()?;
    may_hand_out(ctx, asked.role)?;
    if ctx.core().settings.sends_mail {
        identity::admit_invitation(ctx, &grant, &asked.email).await?;
    }
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    may_hand_out(&lock(ctx, tx.tx(), &grant).await?, asked.role)?;
    if sql::is_member(tx.tx(), &grant, &asked.email).await? {
        return Err(Error::field("email", "taken", format!("{} is a member already.", asked.email)));
    }
    sql::withdraw_for(tx.tx(), &grant, &asked.email, now).await?;
    mail::drop_invitation(tx.tx(), &grant, asked.email.as_str()).await?;
    if sql::open_invitations(tx.tx(), &grant).await? >= MOST {
        return Err(Error::Conflict(format!("{MOST} invitations are open: withdraw some first")));
    }
    let (token, mailed) = (identity::fresh_token(ctx.core()), identity::fresh_token(ctx.core()));
    let invitation = Invitation {
        id: InvitationId::from_uuid(ctx.new_uuid()),
        email: asked.email.to_string(),
        role: asked.role,
        state: InvitationState::Open,
        created_at: now,
        created_by: ctx.actor().name,
        expires_at: now.plus(asked.days * UnixMs::DAY),
    };
    let by = ctx.person().map(|p| p.user_id);
    let digests = [&token, &mailed].map(|t| identity::token_digest(t.expose()));
    sql::insert_invitation(tx.tx(), &grant, &invitation, &digests, by).await?;
    let tenant = sql::tenant_name(tx.tx(), &grant).await?;
    let (by_name, until) = (invitation.created_by.clone(), invitation.expires_at);
    let message = Message::Invitation { tenant, by: by_name, role: asked.role, until };
    mail::with_link(tx.tx(), ctx, &grant, asked.email.as_str(), &message, mail::Token { secret: &mailed, until }).await?;
    let after = serde_json::to_value(&invitation).map_err(Error::internal)?;
    tx.commit(Event { action: "invitation.created", target: target(&invitation), reason: None, before: None, after: Some(after) }).await?;
    let accept_url = format!("{}/invitations/accept?token={}", ctx.core().settings.public_url, token.expose());
    Ok(CreatedInvitation { invitation, accept_url: Some(accept_url) })
}

/// Takes an invitation back: its link works no more.
pub async fn withdraw(ctx: &Ctx, id: InvitationId) -> Result<Invitation> {
    let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    lock(ctx, tx.tx(), &grant).await?;
    let before = sql::invitation(tx.tx(), &grant, id, now).await?.ok_or(Error::NotFound)?;
    if !sql::withdraw(tx.tx(), &grant, id, now).await? {
        return Err(Error::Conflict(format!("The invitation for {} is {} already", before.email, before.state)));
    }
    mail::drop_invitation(tx.tx(), &grant, &before.email).await?;
    tx.commit(Event { action: "invitation.withdrawn", target: target(&before), reason: None, before: None, after: None }).await?;
    Ok(Invitation { state: InvitationState::Withdrawn, ..before })
}

/// An invitation, as whoever holds its link sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The tenant to join.
    pub tenant: String,
    /// The invited address.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Who asks.
    pub by: String,
    /// Until when the link works.
    pub expires_at: UnixMs,
    /// What is to be done.
    pub invitee: Invitee,
}

/// Who holds the link, and so what accepting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invitee {
    /// Nobody has an account with the address: a password makes one.
    New,
    /// Signed in with the address: they only have to say so.
    Here(UserId),
    /// The account works in no tenant, so nobody can sign in to it yet: it joins with its password, and signs in afterwards.
    Alone(UserId),
    /// The account has to sign in first.
    Elsewhere,
    /// The account is switched off.
    Disabled,
}

/// What a link leads to; none if it does not work (any more).
pub async fn look(ctx: &Ctx, token: &str) -> Result<Option<Invited>> {
    let mut tx = ctx.db().read_all().await?;
    let found = sql::linked_unscoped(&mut tx, &identity::token_digest(token), ctx.now()).await?;
    let invited = |l: &sql::Linked| {
        Ok(Invited {
            tenant: l.tenant.clone(),
            email: l.email.clone(),
            role: l.role()?,
            by: l.created_by.clone(),
            expires_at: UnixMs(l.expires_at),
            invitee: invitee(ctx, l),
        })
    };
    found.as_ref().map(invited).transpose()
}

/// Joins by a link. Answers whom to sign in; none where the account has to sign in by itself.
pub async fn accept(ctx: &Ctx, form: &AcceptForm) -> Result<Option<Admitted>> {
    let core = ctx.core();
    let digest = identity::token_digest(&form.token);
    let mut tx = ctx.db().read_all().await?;
    let found = sql::linked_unscoped(&mut tx, &digest, ctx.now()).await?.ok_or_else(gone)?;
    drop(tx);
    let (tenant_id, email) = (TenantId::from_uuid(found.tenant_id), Email::parse(&found.email).map_err(Error::internal)?);
    let refused = |why: String| Err(Error::Refused(ErrorCode::Forbidden, why));
    let (user_id, hash) = match invitee(ctx, &found) {
        Invitee::Disabled => return refused(format!("The account of {email} is disabled. Ask whoever operates this server.")),
        Invitee::Elsewhere => return refused(format!("Sign in as {email} to accept this invitation.")),
        Invitee::Here(id) => (id, None),
        Invitee::Alone(id) => {
            let wrong = |e| match e {
                Error::Refused(ErrorCode::Unauthorized, _) => {
                    Error::field("password", "invalid", "This is not the password of the account.")
                }
                other => other,
            };
            identity::prove(ctx, email.as_str(), &form.password, None).await.map_err(wrong)?;
            (id, None)
        }
        Invitee::New => {
            if let Err(why) = identity::judge_password(&form.password, &[&found.tenant, email.as_str(), "keystead"], false) {
                return Err(FieldErrors::one("password", "invalid", why).into());
            }
            let hash = core.hasher.hash(&Secret::new(form.password.clone())).await?;
            (UserId::from_uuid(ctx.new_uuid()), Some(hash))
        }
    };
    let signed_in = !matches!(invitee(ctx, &found), Invitee::Alone(_));
    let actor = Actor { kind: ActorKind::User, id: Some(user_id.to_string()), name: email.to_string() };
    let grant = Grant::of_invitation(tenant_id, actor);
    let mut tx = ctx.db().begin_in(&grant).await?;
    sql::lock(&mut tx, &grant).await?;
    if !sql::accept(&mut tx, &grant, found.id, ctx.now()).await? {
        return Err(gone());
    }
    if let Some(hash) = hash {
        identity::insert_user(&mut tx, user_id, &email, &hash, found.mailed, ctx.now()).await?;
    } else {
        // Whoever could help the account back in when it belonged to fewer tenants holds no link to more of them.
        identity::hold(&mut tx, user_id).await?;
        identity::close_links(&mut tx, user_id, ctx.now()).await?;
        if found.mailed {
            identity::prove_address(&mut tx, user_id).await?;
        }
    }
    if !sql::insert(&mut tx, &grant, user_id, found.role()?, ctx.now()).await? {
        return Err(Error::Conflict(format!("{email} is a member already")));
    }
    mail::drop_invitation(&mut tx, &grant, email.as_str()).await?;
    keys::orphans::end_deadlines(&mut tx, &grant, user_id).await?;
    let target = Target { kind: "user".to_owned(), id: user_id.to_string(), name: email.to_string() };
    let after = serde_json::json!({"role": found.role()?, "invited_by": found.created_by});
    let mut events =
        vec![(grant.clone(), Event { action: "member.added", target: target.clone(), reason: None, before: None, after: Some(after) })];
    if signed_in {
        events.push((grant, Event { action: "session.created", target, reason: None, before: None, after: None }));
    }
    let admitted = Admitted::by(&mut tx, SignedIn { user_id, tenant_id }).await?;
    commit_with(tx, ctx, events).await?;
    Ok(signed_in.then_some(admitted))
}

fn invitee(ctx: &Ctx, found: &sql::Linked) -> Invitee {
    let Some(id) = found.user_id.map(UserId::from_uuid) else { return Invitee::New };
    if found.user_disabled_at.is_some() {
        Invitee::Disabled
    } else if ctx.person().is_some_and(|p| p.user_id == id) {
        Invitee::Here(id)
    } else if found.memberships == 0 {
        Invitee::Alone(id)
    } else {
        Invitee::Elsewhere
    }
}

fn gone() -> Error {
    Error::Refused(ErrorCode::Forbidden, "This invitation has expired, was used or was replaced. Ask for a new one.".to_owned())
}

fn target(invitation: &Invitation) -> Target {
    Target { kind: "invitation".to_owned(), id: invitation.id.to_string(), name: invitation.email.clone() }
}
