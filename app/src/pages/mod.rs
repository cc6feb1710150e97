//! One file for each route.

pub mod audit;
mod keys;
mod login;
mod not_found;
mod setup;
mod usage;

pub use audit::Audit;
pub use keys::{KeyDetail, KeyList, KeyRevoke, NewKey};
pub use login::Login;
pub use not_found::NotFound;
pub use setup::Setup;
pub use usage::Usage;
