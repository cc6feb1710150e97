//! One file for each route.

mod account;
mod apps;
pub mod audit;
mod keys;
mod leaks;
mod login;
mod mails;
mod members;
mod not_found;
mod oauth;
mod overview;
mod plans;
mod platform;
mod recovery;
mod settings;
mod setup;
mod tenants;
mod usage;

pub use account::{
    AccountPage, ConfirmPage, EmailLinkPage, EmailPage, ForgotPage, GrantsPage, ResetPage, SecondStepPage, SessionsPage, TwoFactorPage,
};
pub use apps::{AppDetail, AppEdit, AppList, AppLogo, AppRotate, NewApp, TryPage};
pub use audit::Audit;
pub use keys::{KeyBulkRevoke, KeyDetail, KeyEdit, KeyList, KeyRetire, KeyRevoke, KeyRotate, NewKey, PreviewOfEdit, key_search_href};
pub use leaks::{LeakDesk, LeakReportPage};
pub use login::Login;
pub use mails::PlatformMailsPage;
pub use members::{AcceptPage, MemberPage, MembersPage};
pub use not_found::NotFound;
pub use oauth::{ConsentPage, ProveAnewPage};
pub use overview::Overview;
pub use plans::PlansPage;
pub use platform::{PlatformTenantPage, PlatformTenantsPage};
pub use recovery::RecoveryPage;
pub use settings::{AllowlistPage, PoliciesPage, ScopesPage, TenantPage};
pub use setup::Setup;
pub use tenants::TenantsPage;
pub use usage::{Usage, UsageEventPage};
