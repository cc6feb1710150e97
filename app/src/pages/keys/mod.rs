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

use crate::{actions, error::AppError};
use contract::{ApiKey, ErrorCode, KeyId, KeyKind, Problem};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

pub use detail::KeyDetail;
pub use list::KeyList;
pub use new::NewKey;
pub use revoke::KeyRevoke;

/// The key that the path names; a path that names none is answered like a key that is not there.
fn use_key_id() -> Memo<Result<KeyId, AppError>> {
    let params = use_params_map();
    Memo::new(move |_| {
        params.with(|p| p.get_str("id").and_then(|id| id.parse().ok())).ok_or_else(|| AppError(Problem::new(ErrorCode::NotFound)))
    })
}

/// The key that the path names.
fn use_key() -> Resource<Result<ApiKey, AppError>> {
    let id = use_key_id();
    Resource::new_blocking(move || id.get(), |id| async move { actions::get_key(id?).await })
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
