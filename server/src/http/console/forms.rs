//! Forms are posted to the address of their page (ADR 0004). Each handler runs the server function; a refusal is
//! answered by the page with everything typed, success by a redirect, a new secret by the page that reveals it.

use super::{super::AppState, super::oauth, super::sessions, render};
use app::{actions, error::AppError, home, returned::Returned, ssr::Browser};
use axum::{
    extract::{FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use contract::{ErrorCode, Prefs, Problem, SetupForm, SignInForm, SignInStep};
use domain::Ctx;
use leptos::{prelude::*, reactive::computed::ScopedFuture};
use serde::{Deserialize, de::DeserializeOwned};
use std::str::FromStr;

/// `POST /setup`
pub async fn set_up(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<SetupForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::set_up(form.clone())).await {
        Ok(()) => Redirect::to("/keys").into_response(),
        Err(e) => refused(&state, &parts, SetupForm { password: String::new(), ..form }, e).await,
    }
}

/// `POST /login`
pub async fn sign_in(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<SignInForm>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    match run(&parts, actions::sign_in(form.clone())).await {
        Ok(SignInStep::Done(role)) => Redirect::to(if is_local(&form.next) { &form.next } else { home(role) }).into_response(),
        Ok(SignInStep::SecondFactor) if form.next.is_empty() => Redirect::to("/login/2fa").into_response(),
        Ok(SignInStep::SecondFactor) => Redirect::to(&format!("/login/2fa?next={}", super::encode(&form.next))).into_response(),
        Err(e) => refused(&state, &parts, SignInForm { password: String::new(), ..form }, e).await,
    }
}

/// Who signs out on the way of an authorization, so that somebody else can sign in, comes back to it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SignOut {
    next: String,
}

/// `POST /logout`
pub async fn sign_out(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<SignOut>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let back = Some(form.next).filter(|next| oauth::request(&state.core, next).is_some());
    match run(&parts, actions::sign_out()).await {
        Ok(()) => match back {
            Some(next) => Redirect::to(&format!("/login?next={}", super::encode(&next))).into_response(),
            None => Redirect::to("/login").into_response(),
        },
        Err(e) => super::super::error::ApiError(e.0).into_response(),
    }
}

/// What a preference form changes; what it leaves out stays.
#[derive(Deserialize)]
pub struct Preference {
    environment: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    back: String,
}

/// `POST /preferences`: environment and theme, in a cookie that lasts a year.
pub async fn prefer(State(state): State<AppState>, req: Request) -> Response {
    let (parts, form) = match read::<Preference>(req).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let before = parts.extensions.get::<Browser>().map_or_else(Prefs::default, |b| b.prefs);
    let prefs = Prefs {
        environment: form.environment.and_then(|e| e.parse().ok()).unwrap_or(before.environment),
        theme: form.theme.map_or(before.theme, |t| t.parse().ok()),
    };
    let secure = if state.https { "; Secure" } else { "" };
    let cookie =
        format!("{}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}", sessions::PREFS_COOKIE, sessions::write_prefs(prefs));
    let mut response = Redirect::to(if is_local(&form.back) { &form.back } else { "/keys" }).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A path of this server: one slash at the start, and nothing that a browser would read as another host (s26).
pub fn is_local(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t'])
}

/// The form of a request, and the rest of it.
pub(super) async fn read<F: DeserializeOwned>(req: Request) -> Result<(Parts, F), Response> {
    let (parts, body) = req.into_parts();
    let mut whole = Request::new(body);
    whole.headers_mut().clone_from(&parts.headers);
    *whole.method_mut() = parts.method.clone();
    *whole.uri_mut() = parts.uri.clone();
    // The limit of the body's size lies there.
    *whole.extensions_mut() = parts.extensions.clone();
    match Form::<F>::from_request(whole, &()).await {
        Ok(Form(form)) => Ok((parts, form)),
        Err(e) => {
            let code = if e.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ErrorCode::PayloadTooLarge
            } else {
                ErrorCode::BadRequest
            };
            Err(super::super::error::ApiError(Problem::new(code)).into_response())
        }
    }
}

/// The form of a page whose path names an object, and the id of that.
pub(super) async fn read_of<I, F>(state: &AppState, id: String, req: Request) -> Result<(Parts, I, F), Response>
where
    I: FromStr,
    F: DeserializeOwned,
{
    let (parts, form) = read::<F>(req).await?;
    let Ok(id) = id.parse::<I>() else { return Err(nowhere(state, &parts).await) };
    Ok((parts, id, form))
}

/// The fields of a form in their order, where one name may stand several times.
pub(super) async fn read_fields(req: Request) -> Result<(Parts, Vec<(String, String)>), Response> {
    let (parts, fields) = read::<Vec<(String, String)>>(req).await?;
    // No form of ours is that long.
    if fields.len() > 2_000 {
        return Err(super::super::error::ApiError(Problem::new(ErrorCode::PayloadTooLarge)).into_response());
    }
    Ok((parts, fields))
}

/// The path names nothing.
pub(super) async fn nowhere(state: &AppState, parts: &Parts) -> Response {
    render::page(state, parts, StatusCode::NOT_FOUND, || {}).await
}

/// Runs a server function as the request's caller, in a context of its own.
pub(super) async fn run<T>(parts: &Parts, action: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let owner = Owner::new();
    let scoped = owner.with(|| {
        if let Some(ctx) = parts.extensions.get::<Ctx>() {
            provide_context(ctx.clone());
        }
        if let Some(browser) = parts.extensions.get::<Browser>() {
            provide_context(browser.clone());
        }
        ScopedFuture::new(action)
    });
    let done = scoped.await;
    drop(owner);
    done
}

/// The page again, with what was typed and what was wrong with it.
pub(super) async fn refused<F>(state: &AppState, parts: &Parts, form: F, e: AppError) -> Response
where
    F: Clone + Send + Sync + 'static,
{
    if e.0.extra.contains_key(Problem::CONFIRM) {
        return super::confirm::wanted();
    }
    let status = StatusCode::from_u16(e.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let wait = e.0.extra.get("retry_after").and_then(serde_json::Value::as_i64);
    let returned = Returned::refused(form, e.0);
    let mut parts = parts.clone();
    // A page that needs a member must not be rendered for a stranger: the session has ended meanwhile.
    let stranger = parts.extensions.get::<Ctx>().is_none_or(|c| c.person().is_none());
    if stranger && super::member_page(parts.uri.path()) {
        return Redirect::to(&format!("/login?next={}", super::encode(parts.uri.path()))).into_response();
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut page = render::page(state, &parts, status, move || provide_context(returned.clone())).await;
    if let Some(seconds) = wait {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s26_only_local_paths_are_followed() {
        for local in ["/", "/keys?state=active", "/keys/new#x"] {
            assert!(is_local(local), "{local}");
        }
        for foreign in
            ["", "//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "keys", "/\t/evil.test", "\\\\evil.test"]
        {
            assert!(!is_local(foreign), "{foreign}");
        }
    }
}
