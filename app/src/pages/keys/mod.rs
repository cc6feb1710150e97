//! API keys: list, create and reveal, one key, revoke.

mod advisor;
mod bulk;
mod callers;
mod cockpit;
mod detail;
mod edit;
mod form;
mod list;
mod new;
mod permissions;
mod queue;
mod reveal;
mod revoke;
mod rotate;
mod used;

use contract::KeyKind;

pub use bulk::KeyBulkRevoke;
pub use detail::KeyDetail;
pub use edit::{KeyEdit, PreviewOfEdit};
pub use list::{KeyList, key_search_href};
pub use new::NewKey;
pub use revoke::KeyRevoke;
pub use rotate::{KeyRetire, KeyRotate};

/// `Secret key`, for people.
const fn kind_title(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Secret => "Secret key",
        KeyKind::Restricted => "Restricted key",
        KeyKind::Tenant => "Tenant key",
        KeyKind::Gateway => "Gateway key",
    }
}
