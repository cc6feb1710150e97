//! The form above a list: its fields are the query of the page.

use crate::icon::{Icon, IconName};
use leptos::prelude::*;

/// A form that filters the page at `action`. Fields show the address, so browsers must not put older choices back;
/// `behave` keeps empty ones out of it.
#[component]
pub fn FilterForm(
    /// The page.
    action: &'static str,
    /// The fields.
    children: Children,
) -> impl IntoView {
    view! { <form class="bar" role="search" method="get" action=action autocomplete="off" data-filter="">{children()}</form> }
}

/// The search field of such a form; `/` leads there.
#[component]
pub fn SearchField(
    /// Its name in the query.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// What can be searched for.
    placeholder: &'static str,
    /// What is searched for.
    value: Option<String>,
) -> impl IntoView {
    view! {
        <span class="affix">
            <Icon name=IconName::Search/>
            <input class="input" type="search" name=name placeholder=placeholder aria-label=label autocomplete="off" data-key="/" value=value.unwrap_or_default()/>
            <kbd class="kbd hide-sm" data-js="">"/"</kbd>
        </span>
    }
}
