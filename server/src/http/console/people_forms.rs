//! The forms of members and invitations.

use super::{
    super::AppState,
    forms::{read, refused, run},
    render,
};
use app::{
    actions::{self, InviteForm, MemberForm},
    error::AppError,
    home,
    ssr::unknown_act,
};
use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use contract::{AcceptForm, ErrorCode, Problem, RecoverForm, Recovery, UserId};
use leptos::prelude::provide_context;

/// `POST /members`: invites, which is answered by the page with the link, once; or takes an invitation back.
pub async fn members(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<InviteForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    if !matches!(form.act.as_str(), "invite" | "withdraw") {
        return refused(&state, &parts, form, unknown_act()).await;
    }
    if form.act == "withdraw" {
        let Ok(id) = form.id.parse() else { return refused(&state, &parts, form, AppError(Problem::new(ErrorCode::NotFound))).await };
        return match run(&parts, actions::withdraw_invitation(id)).await {
            Ok(_) => Redirect::to("/members").into_response(),
            Err(e) => refused(&state, &parts, form, e).await,
        };
    }
    match run(&parts, actions::invite(form.email.clone(), form.role.clone())).await {
        Ok(made) => render::page(&state, &parts, StatusCode::OK, move || provide_context(made.clone())).await,
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /members/{id}`: the forms on the page of a member.
pub async fn member(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, form) = match read::<MemberForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Ok(id) = id.parse::<UserId>() else { return render::page(&state, &parts, StatusCode::NOT_FOUND, || {}).await };
    let here = |done: &str| format!("/members/{id}?done={done}");
    if form.act.parse::<Recovery>().is_ok() {
        let asked = RecoverForm { act: form.act.clone(), email: String::new(), reason: form.reason.clone() };
        return match run(&parts, actions::recover_member(id, asked)).await {
            Ok(Some(link)) => render::page(&state, &parts, StatusCode::OK, move || provide_context(link.clone())).await,
            Ok(None) => Redirect::to(&here("two-factor")).into_response(),
            Err(e) => refused(&state, &parts, form, e).await,
        };
    }
    let done = match form.act.as_str() {
        "role" => run(&parts, actions::change_role(id, form.role.clone())).await.map(|_| here("role")),
        "transfer" => run(&parts, actions::transfer_ownership(id, form.hand_over.clone())).await.map(|_| here("transfer")),
        "remove" => run(&parts, actions::remove_member(id, form.confirm.clone())).await.map(|_| "/members".to_owned()),
        "disable" => run(&parts, actions::set_account(id, true)).await.map(|_| here("disabled")),
        "enable" => run(&parts, actions::set_account(id, false)).await.map(|_| here("enabled")),
        "end_session" => run(&parts, actions::end_member_sessions(id, Some(form.session.clone()))).await.map(|()| here("session")),
        "end_sessions" => run(&parts, actions::end_member_sessions(id, None)).await.map(|()| here("session")),
        _ => Err(unknown_act()),
    };
    match done {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /invitations/accept`: joins, and signs a new account in.
pub async fn accept(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<AcceptForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::accept_invitation(form.clone())).await {
        Ok(role) => Redirect::to(role.map_or("/login", home)).into_response(),
        Err(e) => refused(&state, &parts, AcceptForm { password: String::new(), ..form }, e).await,
    }
}
