//! One file for each route.

mod account;
pub mod audit;
mod keys;
mod leaks;
mod login;
mod not_found;
mod overview;
mod settings;
mod setup;
mod usage;

pub use account::{AccountPage, ConfirmPage, ResetPage, SecondStepPage, SessionsPage, TwoFactorPage};
pub use audit::Audit;
pub use keys::{KeyBulkRevoke, KeyDetail, KeyEdit, KeyList, KeyRetire, KeyRevoke, KeyRotate, NewKey, PreviewOfEdit};
pub use leaks::{LeakDesk, LeakReportPage};
pub use login::Login;
pub use not_found::NotFound;
pub use overview::Overview;
pub use settings::{AllowlistPage, ScopesPage};
pub use setup::Setup;
pub use usage::{Usage, UsageEventPage};
