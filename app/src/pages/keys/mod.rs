//! API keys: list, create and reveal, one key, revoke.

mod detail;
mod form;
mod list;
mod new;
mod permissions;
#[cfg(feature = "ssr")]
mod reveal;
mod revoke;
mod summary;

use crate::{
    actions,
    ask::{Asked, ask},
    error::AppError,
};
use contract::{ApiKey, ErrorCode, KeyId, KeyKind, Problem};
use leptos::prelude::With;
use leptos_router::hooks::use_params_map;

pub use detail::KeyDetail;
pub use list::KeyList;
pub use new::NewKey;
pub use revoke::KeyRevoke;

/// The id that the path names; a path that names none is answered like a key that is not there.
fn key_id(segment: &str) -> Result<KeyId, AppError> {
    segment.parse().map_err(|_| AppError(Problem::new(ErrorCode::NotFound)))
}

/// The path's segment that names a key.
fn use_segment() -> impl Fn() -> String + Copy + Send + Sync + 'static {
    let params = use_params_map();
    move || params.with(|p| p.get("id").unwrap_or_default())
}

/// The key that the path names.
fn use_key() -> Asked<ApiKey> {
    ask(use_segment(), |id| async move { actions::get_key(key_id(&id)?).await })
}

/// `Secret key`, for people.
const fn kind_title(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Secret => "Secret key",
        KeyKind::Restricted => "Restricted key",
        KeyKind::Tenant => "Tenant key",
        KeyKind::Gateway => "Gateway key",
    }
}
