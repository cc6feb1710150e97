//! How pages are rendered: what is in their context, and their content policy.

use super::super::{
    AppState,
    finish::{RequestId, wants_page},
};
use app::ssr::Browser;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::{FormId, Problem};
use domain::Ctx;
use leptos::prelude::*;

/// One more thing that a page finds in its context.
pub type Provide = Box<dyn Fn() + Send + Sync>;

/// The document around the app.
pub fn shell(state: &AppState) -> impl Fn() -> AnyView + Clone + Send + Sync + 'static + use<> {
    let assets = state.assets.clone();
    move || app::shell::shell(assets.clone()).into_any()
}

/// The context of every render: who asks, the browser, a fresh form id, and `more`.
pub fn context(state: &AppState, more: fn() -> Vec<Provide>) -> impl Fn() + Clone + Send + Sync + 'static + use<> {
    let state = state.clone();
    move || {
        if let Some(parts) = use_context::<Parts>() {
            provide_caller(parts.extensions.get::<Ctx>(), parts.extensions.get::<Browser>());
            if let Some(origin) = parts.extensions.get::<FlowOrigin>() {
                provide_context(origin.clone());
            }
        }
        provide_context(FormId::from_uuid(state.core.new_uuid()));
        for provide in more() {
            provide();
        }
        content_policy();
    }
}

fn provide_caller(ctx: Option<&Ctx>, browser: Option<&Browser>) {
    if let Some(ctx) = ctx {
        provide_context(ctx.clone());
    }
    if let Some(browser) = browser {
        provide_context(browser.clone());
    }
}

/// Where the forms of this page may lead beside this server.
#[derive(Clone)]
pub struct FlowOrigin(pub String);

/// The policy as a header, with the nonce that Leptos puts on its own scripts (s27).
fn content_policy() {
    if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<leptos_axum::ResponseOptions>()) {
        let flow = use_context::<FlowOrigin>();
        // Whoever opened the page may be waiting for its end.
        if flow.is_some() {
            response.insert_header(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("unsafe-none"));
        }
        let app = flow.map(|origin| format!(" {}", origin.0)).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; form-action 'self'{app}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

/// Renders the page at the request's address, with more in its context: how a refused form and a reveal are answered.
pub async fn page(state: &AppState, parts: &Parts, status: StatusCode, more: impl Fn() + Clone + Send + Sync + 'static) -> Response {
    let mut req = Request::new(Body::empty());
    *req.method_mut() = Method::GET;
    *req.uri_mut() = parts.uri.clone();
    *req.headers_mut() = parts.headers.clone();
    *req.extensions_mut() = parts.extensions.clone();
    let base = context(state, Vec::new);
    let render = leptos_axum::render_app_async_with_context(
        move || {
            base();
            more();
        },
        shell(state),
    );
    let mut response = render(req).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

/// The page for an address that leads nowhere.
pub async fn not_found(State(state): State<AppState>, req: Request) -> Response {
    let (parts, _) = req.into_parts();
    let html = parts.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    if !html || parts.uri.path().starts_with("/v1/") {
        return super::super::error::ApiError::from(contract::ErrorCode::NotFound).into_response();
    }
    page(&state, &parts, StatusCode::NOT_FOUND, || {}).await
}

/// What a layer or a handler refused, as a page for people; programs get the problem itself.
pub async fn problems(State(state): State<AppState>, req: Request, next: Next) -> Response {
    if !wants_page(&req) {
        return next.run(req).await;
    }
    let (parts, body) = req.into_parts();
    let mut response = next.run(Request::from_parts(parts.clone(), body)).await;
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if let Some(RequestId(id)) = parts.extensions.get() {
        problem.request_id.clone_from(id);
    }
    let (mut kept, _) = response.into_parts();
    kept.headers.remove(header::CONTENT_LENGTH);
    kept.headers.remove(header::CONTENT_TYPE);
    let mut page = page(&state, &parts, kept.status, move || provide_context(problem.clone())).await;
    page.headers_mut().extend(kept.headers);
    page
}
