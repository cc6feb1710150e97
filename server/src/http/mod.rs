//! HTTP: routes, and the layers around them.

mod api;
mod authn;
mod client;
pub mod console;
mod error;
mod finish;
mod forward_auth;
mod health;
mod origin;
mod rate_limit;
mod sessions;
mod verify;
mod well_known;

use crate::{assets, config::ErrorFormat};
use app::ssr::Assets;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    routing::{any, get},
};
use domain::Core;
use ipnet::IpNet;
use std::{sync::Arc, time::Duration};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};

/// What every handler knows.
#[derive(Clone)]
pub struct AppState {
    /// The installation.
    pub core: Arc<Core>,
    /// Names of the front end's files.
    pub assets: Assets,
    /// Networks whose forwarding headers are believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// The public URL is https.
    pub https: bool,
    /// The form of error bodies.
    pub error_format: ErrorFormat,
    /// Whom to write to about security, as a URI.
    pub security_contact: Option<Arc<str>>,
}

/// Largest body of any request, in bytes; leaks and imports will have limits of their own.
const BODY: usize = 256 * 1024;
/// How long a request may take, and how long its body may pause.
const TIME: Duration = Duration::from_secs(30);

impl AppState {
    /// The state for an installation.
    pub fn new(core: Arc<Core>, trusted_proxies: &[IpNet], https: bool, error_format: ErrorFormat) -> Self {
        Self { core, assets: assets::names(), trusted_proxies: trusted_proxies.into(), https, error_format, security_contact: None }
    }

    /// The same with an address in `/.well-known/security.txt`.
    #[must_use]
    pub fn with_security_contact(mut self, contact: Option<String>) -> Self {
        self.security_contact = contact.map(Into::into);
        self
    }
}

/// Everything the server answers.
pub fn router(state: AppState) -> Router {
    let open = Router::new()
        .route("/v1/forward-auth", any(forward_auth::exact))
        .route("/v1/forward-auth/{*path}", any(forward_auth::nested))
        .route("/v1/errors/{code}", get(error::page))
        .route("/health", get(health::health))
        .route("/v1/health", get(health::health))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready));
    let compress = CompressionLayer::new().br(true).compress_when(
        SizeAbove::new(1024).and(NotForContentType::const_new("font/woff2")).and(NotForContentType::const_new("application/wasm")),
    );
    Router::new()
        .merge(open)
        .merge(api::routes(&state))
        .merge(console::routes(&state).layer(compress))
        .merge(well_known::routes())
        .route("/pkg/{*path}", get(assets::serve))
        .method_not_allowed_fallback(|| async { StatusCode::METHOD_NOT_ALLOWED })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIME))
        .layer(RequestBodyTimeoutLayer::new(TIME))
        .layer(from_fn_with_state(state.clone(), client::https_only))
        .layer(from_fn_with_state(state.clone(), client::identify))
        .layer(CatchPanicLayer::custom(error::on_panic))
        .layer(from_fn_with_state(state.clone(), finish::finish))
        .layer(from_fn(finish::request_id))
        .with_state(state)
}
