//! The tenant's settings.

mod allowlist;
mod policies;
mod scopes;
mod tenant;

pub use allowlist::AllowlistPage;
pub use policies::PoliciesPage;
pub use scopes::ScopesPage;
pub use tenant::{TenantPage, reason_words};

use crate::components::Crumbs;
use leptos::prelude::*;

fn crumbs(here: &str) -> Crumbs {
    Crumbs { above: vec![("Settings".to_owned(), "/settings/scopes".to_owned())], ..Crumbs::section(here) }
}

/// The settings there are.
#[component]
fn Tabs(
    /// The path of this page.
    here: &'static str,
) -> impl IntoView {
    let tabs = [
        ("/settings/scopes", "Permissions"),
        ("/settings/allowlist", "IP allowlist"),
        ("/settings/policies", "Policies"),
        ("/settings/tenant", "Tenant"),
    ]
    .map(|(path, label)| view! { <a href=path aria-current=(path == here).then_some("page")>{label}</a> }.into_any());
    view! { <nav class="tabs tabs--gap" aria-label="Settings">{tabs.into_iter().collect_view()}</nav> }
}
