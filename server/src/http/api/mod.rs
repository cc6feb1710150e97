//! Keystead's own API under `/v1`: one file a noun. Each handler names the domain call that it is an address of.
//!
//! What every handler finds done: the caller is authenticated, charged and logged (`guard`). What every handler does,
//! in this order: ask the domain for the right, look the object up (a foreign id is 404), judge the body.

mod apps;
mod audit;
mod extract;
mod guard;
mod idempotency;
mod ip_allowlist;
mod keys;
mod leaks;
mod login;
pub mod logs;
mod members;
mod scopes;
mod settings;
mod tenants;
mod usage;

pub use extract::{Body, Caller, Paged, Query};

use super::{AppState, health, openapi, verify};
use axum::{Router, middleware::from_fn_with_state};
use utoipa::openapi::OpenApi;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

/// Routes together with their description.
pub type Routes = Vec<UtoipaMethodRouter<AppState>>;

/// Where the guides know a noun or a route under another address.
const ALSO_AT: [(&str, &str); 3] =
    [("/v1/api-keys", "/api-keys"), ("/v1/oauth/applications", "/oauth/applications"), ("/v1/auth/test", "/v2/auth/test")];

/// Every route that takes a credential, except those that pages and gateways have of their own.
pub fn routes(state: &AppState) -> Router<AppState> {
    let (guarded, _) = guarded().split_for_parts();
    let (open, _) = open().split_for_parts();
    let (sign_in, _) = sign_in().split_for_parts();
    guarded
        .route_layer(from_fn_with_state(state.clone(), guard::guard))
        .merge(open.route_layer(from_fn_with_state(state.clone(), guard::open)))
        .merge(sign_in.route_layer(from_fn_with_state(state.clone(), guard::sign_in)))
}

/// What the document says of them.
pub fn described() -> OpenApi {
    let mut all = guarded();
    all = all.merge(open()).merge(sign_in());
    all.into_openapi()
}

fn guarded() -> OpenApiRouter<AppState> {
    let mut all = vec![routes!(health::test), routes!(verify::one), routes!(verify::batch)];
    for more in [
        keys::routes(),
        apps::routes(),
        leaks::lookup_routes(),
        usage::key_routes(),
        scopes::routes(),
        ip_allowlist::routes(),
        login::routes(),
        members::routes(),
        tenants::routes(),
        settings::routes(),
        usage::routes(),
        audit::routes(),
    ] {
        all.extend(more);
    }
    all.into_iter().fold(OpenApiRouter::new(), |router, mut route| {
        let Some(path) = route.1.paths.keys().next().cloned() else { return router };
        let other = ALSO_AT.iter().find_map(|(at, other)| path.strip_prefix(at).map(|rest| format!("{other}{rest}")));
        let Some(other) = other else { return router.routes(route) };
        openapi::also_at(&mut route, &other);
        router.route(&other, route.2.clone()).routes(route)
    })
}

fn open() -> OpenApiRouter<AppState> {
    leaks::public_routes().into_iter().fold(OpenApiRouter::new(), OpenApiRouter::routes)
}

fn sign_in() -> OpenApiRouter<AppState> {
    login::open_routes().into_iter().fold(OpenApiRouter::new(), OpenApiRouter::routes)
}
