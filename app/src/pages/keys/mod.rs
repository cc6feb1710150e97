//! API keys: list, create and reveal, one key, revoke.

mod detail;
mod form;
mod list;
mod new;
mod permissions;
mod reveal;
mod revoke;

use contract::KeyKind;

pub use detail::KeyDetail;
pub use list::KeyList;
pub use new::NewKey;
pub use revoke::KeyRevoke;

/// `Secret key`, for people.
const fn kind_title(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Secret => "Secret key",
        KeyKind::Restricted => "Restricted key",
        KeyKind::Tenant => "Tenant key",
        KeyKind::Gateway => "Gateway key",
    }
}
