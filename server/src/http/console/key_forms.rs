//! The forms on the pages of API keys.

use super::{
    super::AppState,
    forms::{nowhere, read, read_fields, read_of, refused, run},
    render,
};
use app::{actions, error::AppError, ssr::unknown_act};
use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use contract::{BulkRevokeForm, KeyAct, KeyForm, KeyId, Perm, RevokeForm, RotateForm};
use domain::{
    Ctx,
    keys::{self, Pasted},
};
use leptos::prelude::*;

/// `POST /keys`: the search. It is posted, so that a whole secret, which leads to its key, comes into no address.
pub async fn search(State(state): State<AppState>, req: Request) -> Response {
    let (parts, fields) = match read::<Vec<(String, String)>>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Some(ctx) = parts.extensions.get::<Ctx>() else { return StatusCode::UNAUTHORIZED.into_response() };
    let q = fields.iter().find(|(name, _)| name == "q").map(|(_, q)| q.as_str()).unwrap_or_default();
    match keys::pasted(ctx, q).await {
        Ok(Pasted::Text) => Redirect::to(&app::key_search_href(fields)).into_response(),
        Ok(found) => Redirect::to(&leads_to(&found)).into_response(),
        Err(e) => refused(&state, &parts, (), AppError(ctx.problem(e))).await,
    }
}

/// Where a secret in an address leads.
pub async fn found(ctx: &Ctx, query: &str) -> String {
    keys::pasted(ctx, query).await.map_or_else(|_| "/keys".to_owned(), |found| leads_to(&found))
}

fn leads_to(found: &Pasted) -> String {
    match found {
        Pasted::Key(id) => format!("/keys/{id}"),
        Pasted::Unknown => "/keys?unknown=1".to_owned(),
        Pasted::Text => "/keys".to_owned(),
    }
}

/// `POST /keys/new`: the answer is the page that shows the secret, once.
pub async fn create(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form, _) = match read_key_form(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::create_key(form.clone())).await {
        Ok(created) => render::page(&state, &parts, StatusCode::OK, move || provide_context(created.clone())).await,
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /keys/{id}/edit`: saves, or answers with the page and what the change would break. What would have refused
/// requests is saved once that was shown.
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, form, sent) = match read_key_form(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let Ok(id) = id.parse::<KeyId>() else { return nowhere(&state, &parts).await };
    if !matches!(sent.button.as_str(), "save" | "preview") {
        return refused(&state, &parts, form, unknown_act()).await;
    }
    if sent.button == "preview" || breaks(&parts, id, &form, &sent.reviewed).await {
        return render::page(&state, &parts, StatusCode::OK, move || provide_context(app::PreviewOfEdit(form.clone()))).await;
    }
    match run(&parts, Box::pin(actions::edit_key(id, form.clone()))).await {
        Ok(_) => Redirect::to(&format!("/keys/{id}?done=saved")).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// Would the change have refused requests of late, and nobody has seen which? What else is wrong with it, saving says.
async fn breaks(parts: &Parts, id: KeyId, form: &KeyForm, reviewed: &str) -> bool {
    let Some(ctx) = parts.extensions.get::<Ctx>() else { return false };
    let impact = async {
        let key = keys::get_for(ctx, Perm::KeysWrite, id).await?;
        keys::impact_of_edit(ctx, &key, form).await
    };
    impact.await.is_ok_and(|impact| impact.refuses() && impact.mark() != reviewed)
}

/// `POST /keys/{id}`: the buttons on the page of a key.
pub async fn act(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, id, form) = match read_of::<KeyId, KeyAct>(&state, id, req).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    let done = match form.act.as_str() {
        "disable" => "disabled",
        "enable" => "enabled",
        _ => "narrowed",
    };
    match run(&parts, actions::act_on_key(id, form.clone())).await {
        Ok(_) => Redirect::to(&format!("/keys/{id}?done={done}")).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /keys/{id}/rotate`: the answer is the page that shows the new secret, once.
pub async fn rotate(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, id, form) = match read_of::<KeyId, RotateForm>(&state, id, req).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    match run(&parts, actions::rotate_key(id, form.clone())).await {
        Ok(created) => {
            let more = move || {
                provide_context(created.clone());
                provide_context(form.clone());
            };
            render::page(&state, &parts, StatusCode::OK, more).await
        }
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /keys/{id}/retire`
pub async fn retire(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, _) = req.into_parts();
    let Ok(id) = id.parse::<KeyId>() else { return nowhere(&state, &parts).await };
    match run(&parts, actions::retire_key(id)).await {
        Ok(_) => Redirect::to(&format!("/keys/{id}?done=retired")).into_response(),
        Err(e) => refused(&state, &parts, (), e).await,
    }
}

/// `POST /keys/{id}/revoke`
pub async fn revoke(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, id, form) = match read_of::<KeyId, RevokeForm>(&state, id, req).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    match run(&parts, actions::revoke_key(id, form.clone())).await {
        Ok(_) => Redirect::to(&format!("/keys/{id}")).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// `POST /keys/revoke`
pub async fn revoke_many(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<BulkRevokeForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::revoke_keys(form.clone())).await {
        Ok(keys) => Redirect::to(&format!("/keys?revoked={}", keys.len())).into_response(),
        Err(e) => refused(&state, &parts, form, e).await,
    }
}

/// What a form of a key holds beside its fields.
struct Sent {
    /// The button that sent it.
    button: String,
    /// The change whose impact was shown.
    reviewed: String,
}

/// The form of a key.
async fn read_key_form(req: Request) -> Result<(Parts, KeyForm, Sent), Response> {
    let (parts, fields) = read_fields(req).await?;
    let form = KeyForm::from_fields(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()).unwrap_or_default();
    let sent = Sent { button: field("do"), reviewed: field("reviewed") };
    Ok((parts, form, sent))
}
