//! The form above a list: its fields are the query of the page.

use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// A form that filters the page at `action`. Without script the browser submits it; with it the page stays, and
/// fields that are empty stay out of the address. Fields show the address, so browsers must not put older choices back.
#[component]
pub fn FilterForm(
    /// The page.
    action: &'static str,
    /// The fields.
    children: Children,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    let submit = {
        let go = use_navigate();
        move |e: leptos::ev::SubmitEvent| {
            e.prevent_default();
            let fields = crate::browser::fields(&e);
            let query: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
            go(&crate::url::href(action, &query), NavigateOptions { scroll: false, ..NavigateOptions::default() });
        }
    };
    #[cfg(not(feature = "hydrate"))]
    let submit = |_| ();
    view! { <form class="bar" role="search" method="get" action=action autocomplete="off" on:submit=submit>{children()}</form> }
}
