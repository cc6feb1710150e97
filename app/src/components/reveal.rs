//! The page that shows a secret, once: what it says around the secret of a key or of an app.

use super::PageTitle;
use crate::icon::{Icon, IconName};
use leptos::prelude::*;

/// The head of the page.
#[component]
pub fn StoreNow(
    /// What has happened.
    news: String,
    /// What becomes of the secret that this one replaces.
    old_until: Option<String>,
    /// Why now, and where to.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="hero">
            <p class="row small ok"><Icon name=IconName::CircleCheck/>{news}</p>
            <PageTitle>"Store the secret now"</PageTitle>
            <p class="lead soft">{children()}</p>
            {old_until.map(|text| view! { <p class="row row--top small"><Icon name=IconName::RefreshCw/><span>{text}</span></p> }.into_any())}
        </div>
    }
    .into_any()
}

/// The way on, for who says that the secret is stored.
#[component]
pub fn StoredGate(
    /// Where it leads: the page of what the secret belongs to.
    page: String,
    /// What will read the secret: `app`.
    reader: &'static str,
    /// The buttons.
    children: Children,
) -> impl IntoView {
    view! {
        <form class="gate" method="get" action=page>
            <label class="opt"><input class="check" type="checkbox" required=true data-stored-box=""/>{format!("I have stored it where the {reader} can read it")}</label>
            <div class="row row--wrap">{children()}</div>
        </form>
    }
    .into_any()
}

/// The same form was posted twice; the first answer had the secret.
#[component]
pub fn UsedBefore(
    /// That it made nothing: `Nothing was created this time`.
    news: &'static str,
    /// What the first one made, and the way to another secret.
    lead: String,
    /// The ways on.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <p class="row small muted"><Icon name=IconName::Info/>{news}</p>
                <PageTitle>"This form was already used"</PageTitle>
                <p class="lead soft">{lead}</p>
            </div>
            <div class="row row--wrap">{children()}</div>
        </div>
    }
    .into_any()
}
