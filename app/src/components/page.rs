//! What every page has: its place in the console, one h1, and the pager of a list.

use crate::url::{app_href, key_href};
use contract::{ApiKey, App};
use leptos::prelude::*;

/// Where the reader stands: the steps before the page, the page, and the document's title.
#[derive(Clone, Debug)]
pub struct Crumbs {
    /// The pages above it, with their paths.
    pub above: Vec<(String, String)>,
    /// The page itself.
    pub here: String,
    /// What stands in the title.
    pub title: String,
}

impl Crumbs {
    /// A section's own page.
    pub fn section(name: &str) -> Self {
        Self { above: Vec::new(), here: name.to_owned(), title: name.to_owned() }
    }

    /// A page under API keys.
    pub fn keys(here: &str) -> Self {
        Self { above: vec![("API keys".to_owned(), "/keys".to_owned())], ..Self::section(here) }
    }

    /// A page of a key.
    pub fn of_key(key: &ApiKey, here: &str) -> Self {
        let mut crumbs = Self::keys(here);
        crumbs.above.push((key.name.clone(), key_href(key.id)));
        crumbs
    }

    /// A page under OAuth apps.
    pub fn apps(here: &str) -> Self {
        Self { above: vec![("OAuth apps".to_owned(), "/apps".to_owned())], ..Self::section(here) }
    }

    /// A page of an app.
    pub fn of_app(app: &App, here: &str) -> Self {
        let mut crumbs = Self::apps(here);
        crumbs.above.push((app.name.clone(), app_href(app.id)));
        crumbs
    }

    /// The same under another title.
    #[must_use]
    pub fn titled(self, title: String) -> Self {
        Self { title, ..self }
    }
}

/// The one h1. A page that a link led to gets the focus there (`behave::arrive`), so that it is announced.
#[component]
pub fn PageTitle(
    /// The heading.
    children: Children,
) -> impl IntoView {
    view! { <h1 tabindex="-1">{children()}</h1> }
}

/// The foot of a list: how many rows, and the way to older and newest ones.
#[component]
pub fn Pager(
    /// How many rows this page has.
    count: usize,
    /// What a row is: `key`.
    noun: &'static str,
    /// Where the newest rows are; none on the first page.
    newest: Option<String>,
    /// Where older rows are; none on the last page.
    older: Option<String>,
) -> impl IntoView {
    let more = newest.is_some() || older.is_some();
    let s = if count == 1 { "" } else { "s" };
    let said = if more { format!("{count} {noun}{s} on this page") } else { format!("{count} {noun}{s}") };
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{said}</span>
            <span class="acts push">
                {newest.map(|href| view! { <a class="btn btn--sm" href=href>"First page"</a> }.into_any())}
                {older.map(|href| view! { <a class="btn btn--sm" href=href rel="next">"Next page"</a> }.into_any())}
            </span>
        </nav>
    }
}
