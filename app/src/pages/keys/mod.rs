//! API keys: list, create and reveal, one key, revoke.

mod advisor;
mod bulk;
mod callers;
mod cockpit;
mod detail;
mod edit;
mod facts;
mod form;
mod list;
mod new;
mod permissions;
mod query;
mod queue;
mod reveal;
mod revoke;
mod rotate;
mod used;

use contract::KeyKind;

pub use bulk::KeyBulkRevoke;
pub use callers::CallersCard;
pub use detail::KeyDetail;
pub use edit::{KeyEdit, PreviewOfEdit};
pub use facts::History;
pub use list::{KeyList, Scopes};
pub use new::NewKey;
pub use permissions::{Permissions, Picks};
pub use query::key_search_href;
pub use revoke::KeyRevoke;
pub use rotate::{KeyRetire, KeyRotate};
pub use used::{UsageCard, since};

/// How much of a log a card of a key's page shows.
const SHOWN: usize = 8;

/// `Secret key`, for people.
const fn kind_title(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Secret => "Secret key",
        KeyKind::Restricted => "Restricted key",
        KeyKind::Tenant => "Tenant key",
        KeyKind::Gateway => "Gateway key",
    }
}
