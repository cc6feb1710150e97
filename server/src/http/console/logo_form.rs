//! The form with an app's logo: the one form of the console that carries a file. What asks for a fresh proof does not
//! apply to it, and what it was made for is checked here as `confirm` does for the others.

use super::{
    super::{AppState, error::ApiError},
    confirm::in_other_tenant,
    forms::{nowhere, refused, run},
};
use app::{
    actions::{self, LogoForm},
    error::AppError,
    ssr::unknown_act,
};
use axum::{
    extract::{FromRequest, Multipart, Path, Request, State, multipart::MultipartError},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use contract::{AppId, ErrorCode, FieldErrors, Problem};
use domain::oauth::logo::LARGEST;

/// Largest body: a picture that is somewhat too large is still answered with the page.
pub const POSTED: usize = 1024 * 1024;

/// What the form holds.
#[derive(Default)]
struct Sent {
    fields: Vec<(String, String)>,
    logo: Vec<u8>,
}

/// `POST /apps/{id}/logo`
pub async fn logo(State(state): State<AppState>, Path(id): Path<String>, req: Request) -> Response {
    let (parts, sent) = match read(req).await {
        Ok(read) => read,
        Err(code) => return ApiError::from(code).into_response(),
    };
    if let Some(elsewhere) = in_other_tenant(&parts, &sent.fields) {
        return ApiError(elsewhere).into_response();
    }
    let Ok(id) = id.parse::<AppId>() else { return nowhere(&state, &parts).await };
    let act = sent.fields.iter().find(|(name, _)| name == "act").map_or("", |(_, act)| act.as_str());
    let done = match act {
        "set" if sent.logo.len() > LARGEST => {
            // Who may not set one is told that, however large it is.
            let larger = FieldErrors::one("logo", "too_long", "The picture is larger than 256 kB.");
            run(&parts, actions::find_app(id)).await.and_then(|_| Err(AppError(Problem::invalid(larger))))
        }
        "set" => run(&parts, Box::pin(actions::set_app_logo(id, sent.logo))).await,
        "remove" => run(&parts, actions::remove_app_logo(id)).await,
        _ => Err(unknown_act()),
    };
    match done {
        Ok(_) => Redirect::to(&format!("/apps/{id}?done=logo")).into_response(),
        Err(e) => refused(&state, &parts, LogoForm {}, e).await,
    }
}

async fn read(req: Request) -> Result<(Parts, Sent), ErrorCode> {
    let (parts, body) = req.into_parts();
    let mut form = Multipart::from_request(Request::from_parts(parts.clone(), body), &()).await.map_err(|_| ErrorCode::BadRequest)?;
    let code = |e: MultipartError| {
        if e.status() == StatusCode::PAYLOAD_TOO_LARGE { ErrorCode::PayloadTooLarge } else { ErrorCode::BadRequest }
    };
    let mut sent = Sent::default();
    while let Some(field) = form.next_field().await.map_err(code)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "logo" {
            sent.logo = field.bytes().await.map_err(code)?.into();
        } else {
            sent.fields.push((name, field.text().await.map_err(code)?));
        }
    }
    Ok((parts, sent))
}
