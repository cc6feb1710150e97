//! The console's routes: pages rendered by Leptos, forms posted to them, server functions.

mod account_forms;
mod app_forms;
mod confirm;
mod desk_forms;
mod exports;
mod forms;
mod key_forms;
mod logo_form;
mod oauth_forms;
mod people_forms;
mod render;
mod settings_forms;
mod tenant_forms;

use super::{AppState, oauth, origin, sessions};
use app::{home, ssr::Browser};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, header, uri::PathAndQuery},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use contract::Perm;
use domain::{Ctx, keys};
use leptos::prelude::LeptosOptions;
use leptos_axum::{LeptosRoutes, generate_route_list};

pub use sessions::PREFS_COOKIE;

/// Everything that reads a cookie; the origin check comes before the session.
pub fn routes(state: &AppState) -> Router<AppState> {
    let pages = generate_route_list(app::App);
    let shell = render::shell(state);
    Router::new()
        .leptos_routes_with_context(state, pages, render::context(state, Vec::new), shell)
        .route("/setup", post(forms::set_up))
        .route("/login", post(forms::sign_in))
        .route("/login/2fa", post(account_forms::second_step))
        .route("/reset", post(account_forms::reset))
        .route("/forgot", post(account_forms::forgot))
        .route("/email", post(account_forms::email_link))
        .route("/account/email", post(account_forms::email))
        .route("/account", post(account_forms::password))
        .route("/account/two-factor", post(account_forms::two_factor))
        .route("/account/sessions", post(account_forms::sessions))
        .route("/logout", post(forms::sign_out))
        .route("/preferences", post(forms::prefer))
        .route("/keys", post(key_forms::search))
        .route("/keys/new", post(key_forms::create))
        .route("/keys/revoke", post(key_forms::revoke_many))
        .route("/keys/{id}", post(key_forms::act))
        .route("/keys/{id}/edit", post(key_forms::edit))
        .route("/keys/{id}/rotate", post(key_forms::rotate))
        .route("/keys/{id}/retire", post(key_forms::retire))
        .route("/keys/{id}/revoke", post(key_forms::revoke))
        .route("/apps", post(app_forms::others))
        .route("/apps/new", post(app_forms::create))
        .route("/apps/{id}", post(app_forms::act))
        .route("/apps/{id}/edit", post(app_forms::edit))
        .route("/apps/{id}/rotate", post(app_forms::rotate))
        .route("/apps/{id}/logo", post(logo_form::logo).layer(DefaultBodyLimit::max(logo_form::POSTED)))
        .route("/apps/{id}/try", post(oauth_forms::try_app))
        .route("/grants", post(app_forms::grants))
        .route("/usage/export", get(exports::usage))
        .route("/audit/export", get(exports::audit))
        .route("/leaks", post(desk_forms::desk).layer(DefaultBodyLimit::max(desk_forms::PASTED)))
        .route("/leaks/{id}", post(desk_forms::report))
        .route("/settings/scopes", post(settings_forms::scopes))
        .route("/settings/allowlist", post(settings_forms::allowlist))
        .route("/settings/policies", post(settings_forms::policies))
        .route("/settings/tenant", post(tenant_forms::own))
        .route("/members", post(people_forms::members))
        .route("/members/{id}", post(people_forms::member))
        .route("/invitations/accept", post(people_forms::accept))
        .route("/tenants", post(tenant_forms::mine))
        .route("/platform/plans", post(tenant_forms::plans))
        .route("/platform/tenants", post(tenant_forms::create))
        .route("/platform/recovery", post(tenant_forms::recover))
        .route("/platform/tenants/{id}", post(tenant_forms::act))
        .route("/platform/mails", post(tenant_forms::mails))
        .route("/oauth/authorize", get(oauth::authorize).post(oauth::post_authorize))
        .route("/oauth/consent/{id}", post(oauth::decide))
        .route("/oauth/confirm", post(oauth_forms::confirm))
        .route("/oauth/try/callback", get(oauth_forms::tried))
        .route("/api/{*name}", any(no_function))
        .fallback(render::not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(state.clone(), flow))
        .layer(from_fn(without_referer))
        .layer(from_fn_with_state(state.clone(), confirm::ask))
        .layer(from_fn(sign_in_first))
        .layer(from_fn_with_state(state.clone(), sessions::resume))
        .layer(sessions::layer(state))
        .layer(from_fn_with_state(state.clone(), sessions::keep_device))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .layer(from_fn_with_state(state.clone(), render::problems))
}

/// A page for members sends strangers to the sign-in, and back to it afterwards. Server functions answer for themselves.
async fn sign_in_first(req: Request, next: Next) -> Response {
    let (ctx, browser) = (req.extensions().get::<Ctx>().cloned(), req.extensions().get::<Browser>().cloned());
    let role = ctx.as_ref().and_then(Ctx::person).map(|p| p.role);
    let signed_in = role.is_some();
    let must_enrol = ctx.as_ref().and_then(Ctx::person).is_some_and(|p| p.must_enrol);
    let path = req.uri().path();
    // A whole secret that was put into an address leaves it at once, and goes along to no other.
    if let Some(query) = req.uri().query().filter(|q| keys::scan::scan(q).next().is_some())
        && matches!(*req.method(), Method::GET | Method::HEAD)
    {
        return match &ctx {
            Some(ctx) if path == "/keys" && signed_in => Redirect::to(&key_forms::found(ctx, query).await).into_response(),
            _ => Redirect::to(if forms::is_local(path) { path } else { "/" }).into_response(),
        };
    }
    // Who sees neither keys nor usage has no overview.
    if let Some(role) = role.filter(|r| matches!(path, "/login" | "/login/2fa" | "/setup") || path == "/" && !r.holds(Perm::UsageRead)) {
        Redirect::to(home(role)).into_response()
    } else if must_enrol && !opens_unenrolled(path) {
        Redirect::to("/account/two-factor").into_response()
    } else if signed_in && path == "/settings" {
        Redirect::to("/settings/scopes").into_response()
    } else if path == "/login/2fa" && req.method() == Method::GET && !half_signed_in(ctx, browser).await {
        Redirect::to("/login").into_response()
    } else if !signed_in && member_page(path) {
        let next = req.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        Redirect::to(&format!("/login?next={}", encode(next))).into_response()
    } else {
        next.run(req).await
    }
}

/// Pages on the way of an authorization may lead to the app that asked, and to no other site (contract, section 6).
async fn flow(State(state): State<AppState>, mut req: Request, next: Next) -> Response {
    let path = req.uri().path();
    let origin = match (path, path.strip_prefix("/oauth/consent/").and_then(|id| id.parse().ok()), req.extensions().get::<Ctx>()) {
        (_, Some(id), Some(ctx)) => oauth::consent_origin(ctx, id).await,
        ("/login" | "/login/2fa" | "/oauth/confirm", ..) => {
            let query = form_urlencoded::parse(req.uri().query().unwrap_or_default().as_bytes()).find(|(name, _)| name == "next");
            query.and_then(|(_, next)| oauth::flow_origin(&state.core, &next))
        }
        _ => None,
    };
    if let Some(origin) = origin {
        req.extensions_mut().insert(render::FlowOrigin(origin));
    }
    next.run(req).await
}

/// What is open to a member who has to set up a second factor first: that, the rest of their own account, and the way to
/// another tenant. Server functions ask the domain.
fn opens_unenrolled(path: &str) -> bool {
    !member_page(path) || path == "/account" || path.starts_with("/account/") || path == "/tenants"
}

/// Does the browser owe the second step of a sign-in?
async fn half_signed_in(ctx: Option<Ctx>, browser: Option<Browser>) -> bool {
    let (Some(ctx), Some(browser)) = (ctx, browser) else { return false };
    browser.half_signed_in(&ctx).await.is_ok_and(|half| half.is_some())
}

/// The pages behind the sign-in; anything else is not found, for members and strangers alike.
fn member_page(path: &str) -> bool {
    path == "/"
        || [
            "/account",
            "/apps",
            "/grants",
            "/oauth/confirm",
            "/oauth/consent",
            "/keys",
            "/usage",
            "/audit",
            "/leaks",
            "/settings",
            "/members",
            "/tenants",
            "/platform",
        ]
        .iter()
        .any(|p| path == *p || path.strip_prefix(p).is_some_and(|rest| rest.starts_with('/')))
}

/// Percent-encodes what would end a query value.
pub(super) fn encode(s: &str) -> String {
    s.replace('%', "%25").replace('&', "%26").replace('#', "%23").replace('+', "%2B").replace(' ', "%20")
}

/// Leptos leads a plain form that reaches a server function to its `Referer`, which anybody can write (s26): it sees none,
/// and leads it to the start.
async fn without_referer(mut req: Request, next: Next) -> Response {
    if req.uri().path().starts_with("/api/") {
        req.headers_mut().remove(header::REFERER);
    }
    next.run(req).await
}

/// A page or form by a method that it has not: people are shown a page of it, too.
async fn wrong_method() -> Response {
    super::error::ApiError::from(contract::ErrorCode::MethodNotAllowed).into_response()
}

/// `/api/…`: no server function has this name.
async fn no_function() -> Response {
    super::error::ApiError::from(contract::ErrorCode::NotFound).into_response()
}

/// Leptos asks the state for its options; the file names it would make are not used, Trunk's are.
impl axum::extract::FromRef<AppState> for LeptosOptions {
    fn from_ref(_: &AppState) -> Self {
        LeptosOptions::builder().output_name("frontend").build()
    }
}
