//! Members and invitations.

use crate::{
    error::AppError,
    ssr::{Browser, ctx, fail, unknown_act},
};
use contract::{
    AcceptForm, CreatedInvitation, Invitation, InvitationId, InviteBody, Member, MemberBody, RecoverForm, ResetUrl, Role, UserId,
};
use domain::{
    Ctx, Error, identity,
    members::{self, Whom},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The forms of `/members`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    /// `invite` or `withdraw`.
    pub act: String,
    /// Whom to invite.
    pub email: String,
    /// As what.
    pub role: String,
    /// The invitation to take back.
    pub id: String,
}

/// The forms of a member's page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemberForm {
    /// `role`, `remove`, `transfer`, `disable`, `enable`, `end_session`, `end_sessions`, or a way to recover.
    pub act: String,
    /// The new role.
    pub role: String,
    /// Their address, typed to remove them.
    pub confirm: String,
    /// Their address, typed to make them owner.
    pub hand_over: String,
    /// Why they are helped back in.
    pub reason: String,
    /// The session that is meant.
    pub session: String,
}

/// Invites somebody; the answer has the link, once.
#[server(endpoint = "members/invite")]
pub async fn invite(email: String, role: String) -> Result<CreatedInvitation, AppError> {
    let ctx = ctx()?;
    let body = InviteBody { email: Some(email), role: Some(role), expires_in_days: None };
    members::invite_from_body(&ctx, &body).await.map_err(|e| fail(&ctx, e))
}

/// Takes an invitation back.
#[server(endpoint = "members/withdraw")]
pub async fn withdraw_invitation(id: InvitationId) -> Result<Invitation, AppError> {
    let ctx = ctx()?;
    members::withdraw(&ctx, id).await.map_err(|e| fail(&ctx, e))
}

/// Joins by the link of an invitation. The answer is the role of whoever is signed in now; none where they have to sign
/// in by themselves.
#[server(endpoint = "invitations/accept")]
pub async fn accept_invitation(form: AcceptForm) -> Result<Option<Role>, AppError> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let Some(admitted) = members::accept(&ctx, &form).await.map_err(|e| fail(&ctx, e))? else { return Ok(None) };
    // Whoever is signed in already has proved nothing anew.
    match ctx.person().filter(|p| p.user_id == admitted.who.user_id) {
        Some(_) => browser.move_session(&ctx, &admitted.who).await?,
        None => browser.open_session(&ctx, &admitted).await?,
    }
    let member = identity::resume(ctx.core(), admitted.who).await.map_err(|e| fail(&ctx, e))?;
    member.map(|m| Some(m.role)).ok_or_else(|| fail(&ctx, Error::Unauthenticated))
}

/// Changes what a member may do.
#[server(endpoint = "members/change-role")]
pub async fn change_role(id: UserId, role: String) -> Result<Member, AppError> {
    let ctx = ctx()?;
    members::change_role(&ctx, id, &MemberBody { role: Some(role) }).await.map_err(|e| fail(&ctx, e))
}

/// Takes a member out of the tenant.
#[server(endpoint = "members/remove")]
pub async fn remove_member(id: UserId, confirm: String) -> Result<Member, AppError> {
    let ctx = ctx()?;
    members::remove_confirmed(&ctx, id, &confirm).await.map_err(|e| fail(&ctx, e))
}

/// Makes a member owner in place of the one who asks.
#[server(endpoint = "members/transfer-ownership")]
pub async fn transfer_ownership(id: UserId, confirm: String) -> Result<Member, AppError> {
    let ctx = ctx()?;
    members::transfer_confirmed(&ctx, id, &confirm).await.map_err(|e| fail(&ctx, e))
}

/// Switches a member's account off or on, everywhere.
#[server(endpoint = "members/set-account")]
pub async fn set_account(id: UserId, disabled: bool) -> Result<Member, AppError> {
    let ctx = ctx()?;
    let done = if disabled { members::disable_account(&ctx, id).await } else { members::enable_account(&ctx, id).await };
    done.map_err(|e| fail(&ctx, e))
}

/// Helps a member back in who lost their second factor or password; the answer has the link, once, if it was one.
#[server(endpoint = "members/recover")]
pub async fn recover_member(id: UserId, form: RecoverForm) -> Result<Option<ResetUrl>, AppError> {
    let ctx = ctx()?;
    recover(&ctx, Whom::Member(id), form).await
}

/// The same for whoever has an address, by those who operate the installation.
#[server(endpoint = "platform/recover")]
pub async fn recover_account(form: RecoverForm) -> Result<Option<ResetUrl>, AppError> {
    let ctx = ctx()?;
    recover(&ctx, Whom::Address(form.email.clone()), form).await
}

async fn recover(ctx: &Ctx, whom: Whom, form: RecoverForm) -> Result<Option<ResetUrl>, AppError> {
    let how = form.act.parse().map_err(|()| unknown_act())?;
    members::recover(ctx, &whom, how, &form.reason).await.map_err(|e| fail(ctx, e))
}

/// Ends one session of a member in this tenant, or all of them.
#[server(endpoint = "members/end-sessions")]
pub async fn end_member_sessions(id: UserId, session: Option<String>) -> Result<(), AppError> {
    let ctx = ctx()?;
    members::end_sessions(&ctx, id, session.as_deref()).await.map_err(|e| fail(&ctx, e))
}
