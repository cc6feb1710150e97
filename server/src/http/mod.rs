//! HTTP: routes, and the layers around them.

mod api;
mod authn;
mod client;
pub mod console;
mod cors;
mod docs;
mod error;
mod error_page;
mod finish;
mod forward_auth;
mod health;
mod oauth;
pub mod openapi;
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
use contract::ErrorCode;
use domain::Core;
use ipnet::IpNet;
use std::{ops::Deref, sync::Arc, time::Duration};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt},
    routes,
};

/// What every handler knows. Each layer of the router clones it for each request: so there is one of it.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What is in it.
#[derive(Clone)]
pub struct Shared {
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
        let assets = assets::names();
        Self(Arc::new(Shared { core, assets, trusted_proxies: trusted_proxies.into(), https, error_format, security_contact: None }))
    }

    /// The same with an address in `/.well-known/security.txt`.
    #[must_use]
    pub fn with_security_contact(mut self, contact: Option<String>) -> Self {
        Arc::make_mut(&mut self.0).security_contact = contact.map(Into::into);
        self
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What no credential of Keystead's own API opens: gateways, health, well-known files.
fn open() -> OpenApiRouter<AppState> {
    let mut health: UtoipaMethodRouter<AppState> = routes!(health::health);
    openapi::also_at(&mut health, "/v1/health");
    // The document names the method that most gateways ask by, and knows no path that holds slashes.
    let (schemas, paths, _): UtoipaMethodRouter<AppState> = routes!(forward_auth::nested);
    let mut open = OpenApiRouter::new()
        .routes(routes!(forward_auth::exact).map(|_| any(forward_auth::exact)))
        .route("/v1/forward-auth/{*path}", any(forward_auth::nested))
        .routes(routes!(error::page))
        .route("/v1/health", health.2.clone())
        .routes(health)
        .routes(routes!(health::live))
        .routes(routes!(health::ready));
    let described = open.get_openapi_mut();
    described.paths.paths.extend(paths.paths);
    described.components.get_or_insert_default().schemas.extend(schemas);
    well_known::routes().into_iter().chain(oauth::routes()).fold(open, OpenApiRouter::routes)
}

/// Everything the server answers.
pub fn router(state: AppState) -> Router {
    let compress = CompressionLayer::new().br(true).compress_when(
        SizeAbove::new(1024).and(NotForContentType::const_new("font/woff2")).and(NotForContentType::const_new("application/wasm")),
    );
    Router::new()
        .merge(open().split_for_parts().0)
        .merge(api::routes(&state))
        .merge(docs::routes().merge(error_page::routes()).layer(compress.clone()))
        .merge(console::routes(&state).layer(compress))
        .route("/pkg/{*path}", get(assets::serve))
        .method_not_allowed_fallback(|| async { error::ApiError::from(ErrorCode::MethodNotAllowed) })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIME))
        .layer(RequestBodyTimeoutLayer::new(TIME))
        .layer(from_fn_with_state(state.clone(), cors::cors))
        .layer(from_fn_with_state(state.clone(), client::https_only))
        .layer(from_fn_with_state(state.clone(), client::identify))
        .layer(CatchPanicLayer::custom(error::on_panic))
        .layer(from_fn_with_state(state.clone(), finish::finish))
        .layer(from_fn(finish::request_id))
        .with_state(state)
}
