//! Keystead's own API under `/v1`: one file a noun. Each handler names the domain call that it is an address of.
//!
//! What every handler finds done: the caller is authenticated, charged and logged (`guard`). What every handler does,
//! in this order: ask the domain for the right, look the object up (a foreign id is 404), judge the body.

mod audit;
mod extract;
mod guard;
mod ip_allowlist;
mod keys;
mod leaks;
pub mod logs;
mod scopes;
mod usage;

pub use extract::{Body, Caller, Query};

use super::{AppState, health, verify};
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};

/// Every route that takes a credential, except those that pages and gateways have of their own.
pub fn routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/v1/auth/test", get(health::test))
        .route("/v2/auth/test", get(health::test))
        .route("/v1/verify", post(verify::one))
        .route("/v1/verify/batch", post(verify::batch))
        .merge(keys::routes("/v1/api-keys"))
        // Guide 001 knows them under this address.
        .merge(keys::routes("/api-keys"))
        .merge(leaks::lookup_routes("/v1/api-keys"))
        .merge(leaks::lookup_routes("/api-keys"))
        .merge(scopes::routes())
        .merge(ip_allowlist::routes())
        .merge(usage::key_routes("/v1/api-keys"))
        .merge(usage::key_routes("/api-keys"))
        .merge(usage::routes())
        .merge(audit::routes())
        .route_layer(from_fn_with_state(state.clone(), guard::guard))
        .merge(leaks::public_routes().route_layer(from_fn_with_state(state.clone(), guard::open)))
}
