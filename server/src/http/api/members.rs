//! `/v1/members` and `/v1/invitations`

use super::{Body, Caller, Paged, Query, Routes};
use crate::http::error::ApiError;
use axum::{Json, extract::Path, http::StatusCode};
use contract::{
    CreatedInvitation, Cursor, ErrorCode, Invitation, InvitationId, InvitationState, InviteBody, Member, MemberBody, Page, PageQuery, Perm,
    UserId,
};
use domain::members;
use serde::Deserialize;
use utoipa_axum::routes;

/// The routes of people.
pub fn routes() -> Routes {
    vec![routes!(list), routes!(one, change_role, remove), routes!(invitations, invite), routes!(invitation, withdraw)]
}

/// Lists the people of the tenant, those with the newest accounts first.
#[utoipa::path(
    get,
    path = "/v1/members",
    tag = "Members",
    operation_id = "listMembers",
    params(Paged),
    extensions(("x-keystead-permission" = json!("keystead.members:read"))),
    responses(
        (status = 200, description = "One page.", body = Page<Member>),
    )
)]
async fn list(Caller(ctx): Caller, Query(query): Query<Paged>) -> Result<Json<Page<Member>>, ApiError> {
    members::list(&ctx, query.page()).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Shows a member.
#[utoipa::path(
    get,
    path = "/v1/members/{id}",
    tag = "Members",
    operation_id = "getMember",
    params(("id" = UserId, Path, description = "The member.")),
    extensions(("x-keystead-permission" = json!("keystead.members:read"))),
    responses(
        (status = 200, description = "The member.", body = Member),
    )
)]
async fn one(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<Member>, ApiError> {
    members::get(&ctx, Perm::MembersRead, user(&id)?).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Changes what a member may do.
///
/// Owners are made and changed by owners, in the console. A key gives no role that may do what the key may not.
#[utoipa::path(
    patch,
    path = "/v1/members/{id}",
    tag = "Members",
    operation_id = "changeRole",
    params(("id" = UserId, Path, description = "The member.")),
    request_body(content = MemberBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.members:write"))),
    responses(
        (status = 200, description = "The member as they are now.", body = Member),
        (status = 409, description = "They are the last owner."),
    )
)]
async fn change_role(Caller(ctx): Caller, Path(id): Path<String>, body: Body) -> Result<Json<Member>, ApiError> {
    let id = user(&id)?;
    members::get(&ctx, Perm::MembersWrite, id).await.map_err(|e| ctx.problem(e))?;
    let body: MemberBody = body.read()?;
    members::change_role(&ctx, id, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Takes a member out of the tenant; the keys that they answer for go on working and wait for another owner.
#[utoipa::path(
    delete,
    path = "/v1/members/{id}",
    tag = "Members",
    operation_id = "removeMember",
    params(("id" = UserId, Path, description = "The member.")),
    extensions(("x-keystead-permission" = json!("keystead.members:write"))),
    responses(
        (status = 200, description = "The member as they were.", body = Member),
        (status = 409, description = "They are the last owner."),
    )
)]
async fn remove(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<Member>, ApiError> {
    members::remove(&ctx, user(&id)?).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Which invitations.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `open` leaves out those that were accepted or withdrawn.
    state: Option<InvitationState>,
    /// Rows a page; none means 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<Cursor>,
}

/// Lists invitations, the newest first.
#[utoipa::path(
    get,
    path = "/v1/invitations",
    tag = "Members",
    operation_id = "listInvitations",
    params(Asked),
    extensions(("x-keystead-permission" = json!("keystead.members:read"))),
    responses(
        (status = 200, description = "One page.", body = Page<Invitation>),
    )
)]
async fn invitations(Caller(ctx): Caller, Query(query): Query<Asked>) -> Result<Json<Page<Invitation>>, ApiError> {
    let page = PageQuery { limit: query.limit.unwrap_or(50), cursor: query.cursor };
    let open = query.state == Some(InvitationState::Open);
    members::invitations(&ctx, open, page).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Invites somebody by address.
///
/// The answer has the link, once. An earlier link for the address works no more.
#[utoipa::path(
    post,
    path = "/v1/invitations",
    tag = "Members",
    operation_id = "invite",
    request_body(content = InviteBody, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.members:write"))),
    responses(
        (status = 201, description = "The invitation with its link.", body = CreatedInvitation),
    )
)]
async fn invite(Caller(ctx): Caller, body: Body) -> Result<(StatusCode, Json<CreatedInvitation>), ApiError> {
    ctx.require_tenant_level(Perm::MembersWrite).map_err(|e| ctx.problem(e))?;
    let body: InviteBody = body.read()?;
    let made = members::invite_from_body(&ctx, &body).await;
    made.map(|made| (StatusCode::CREATED, Json(made))).map_err(|e| ctx.problem(e).into())
}

/// Shows an invitation, without its link.
#[utoipa::path(
    get,
    path = "/v1/invitations/{id}",
    tag = "Members",
    operation_id = "getInvitation",
    params(("id" = InvitationId, Path, description = "The invitation.")),
    extensions(("x-keystead-permission" = json!("keystead.members:read"))),
    responses(
        (status = 200, description = "The invitation.", body = Invitation),
    )
)]
async fn invitation(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<Invitation>, ApiError> {
    let id = id.parse().map_err(|_| ErrorCode::NotFound)?;
    members::invitation(&ctx, Perm::MembersRead, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// Takes an invitation back: its link works no more.
#[utoipa::path(
    delete,
    path = "/v1/invitations/{id}",
    tag = "Members",
    operation_id = "withdrawInvitation",
    params(("id" = InvitationId, Path, description = "The invitation.")),
    extensions(("x-keystead-permission" = json!("keystead.members:write"))),
    responses(
        (status = 200, description = "The invitation as it is now.", body = Invitation),
        (status = 409, description = "It was accepted or withdrawn before."),
    )
)]
async fn withdraw(Caller(ctx): Caller, Path(id): Path<String>) -> Result<Json<Invitation>, ApiError> {
    let id = id.parse().map_err(|_| ErrorCode::NotFound)?;
    members::withdraw(&ctx, id).await.map(Json).map_err(|e| ctx.problem(e).into())
}

fn user(id: &str) -> Result<UserId, ApiError> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}
