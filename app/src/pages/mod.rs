//! One file for each route.

pub mod audit;
mod keys;
mod login;
mod not_found;
mod setup;
mod usage;

pub use audit::Audit;
pub use keys::{KeyBulkRevoke, KeyDetail, KeyEdit, KeyList, KeyRetire, KeyRevoke, KeyRotate, NewKey, PreviewOfEdit};
pub use login::Login;
pub use not_found::NotFound;
pub use setup::Setup;
pub use usage::Usage;
