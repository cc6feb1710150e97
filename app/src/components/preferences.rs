//! What a browser remembers for a person, each a form that any button of it posts.

use crate::{
    icon::{Icon, IconName},
    url::href,
};
use contract::{Environment, Theme};
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

/// The colours, kept in a cookie, so that the first paint is right.
#[component]
pub fn ThemeSwitch(
    /// What was chosen.
    chosen: Option<Theme>,
) -> impl IntoView {
    let choices = [
        ("system", None, "Colours of the system", IconName::Monitor),
        ("light", Some(Theme::Light), "Light colours", IconName::Sun),
        ("dark", Some(Theme::Dark), "Dark colours", IconName::Moon),
    ];
    let buttons = choices.map(|(value, theme, label, icon)| {
        view! {
            <button type="submit" name="theme" value=value aria-label=label title=label aria-pressed=(theme == chosen).to_string()>
                <Icon name=icon/>
            </button>
        }
        .into_any()
    });
    view! {
        <form method="post" action="/preferences">
            <Back/>
            <div class="seg seg--sm seg--icons" role="group" aria-label="Theme">{buttons.into_iter().collect_view()}</div>
        </form>
    }
}

/// Live or test; a sandbox has only test and needs no switch.
#[component]
pub fn EnvironmentSwitch(
    /// What the console shows.
    chosen: Environment,
) -> impl IntoView {
    let button = |env: Environment, label: &'static str, class: &'static str| {
        view! {
            <button class=class type="submit" name="environment" value=env.as_str() aria-pressed=(env == chosen).to_string()>
                <span class="dotsq"></span>
                {label}
            </button>
        }
    };
    view! {
        <form method="post" action="/preferences">
            <Back/>
            <div class="seg seg--sm seg--env" role="group" aria-label="Environment">
                {button(Environment::Live, "Live", "live")}
                {button(Environment::Test, "Test", "test")}
            </div>
        </form>
    }
}

/// Where a preference form returns to: this page with its filters, at the first page of its list.
#[component]
fn Back() -> impl IntoView {
    let (path, query) = (use_location().pathname.get_untracked(), use_query_map().get_untracked());
    let pairs: Vec<_> = query.latest_values().filter(|(k, _)| *k != "cursor").map(|(k, v)| (k.as_ref(), Some(v))).collect();
    let back = href(&path, &pairs);
    view! { <input type="hidden" name="back" value=back/> }
}

/// The way out of test mode.
#[component]
pub fn SwitchToLive() -> impl IntoView {
    view! {
        <form method="post" action="/preferences">
            <Back/>
            <button type="submit" name="environment" value="live">"Switch to live"</button>
        </form>
    }
}
