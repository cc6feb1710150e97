//! Badges: a state is never told by colour alone.

use crate::icon::{Icon, IconName};
use contract::{AppState, KeyState, Outcome, Scope};
use leptos::prelude::*;

/// What a key is right now.
#[component]
pub fn StateBadge(
    /// The state.
    state: KeyState,
) -> impl IntoView {
    let (class, icon, word) = match state {
        KeyState::Active => return view! { <span class="badge badge--plain"><span class="dot"></span>"Active"</span> }.into_any(),
        KeyState::Disabled => ("badge badge--off", IconName::Pause, "Disabled"),
        KeyState::Expired => ("badge badge--warn", IconName::Clock, "Expired"),
        KeyState::Revoked => ("badge badge--danger", IconName::Ban, "Revoked"),
    };
    view! { <span class=class><Icon name=icon small=true/>{word}</span> }.into_any()
}

/// What an app is right now.
#[component]
pub fn AppStateBadge(
    /// The state.
    state: AppState,
    /// Whether it has no secret that lasts, and needs one.
    #[prop(optional)]
    needs_secret: bool,
) -> impl IntoView {
    match state {
        AppState::Active if needs_secret => {
            view! { <span class="badge badge--warn"><Icon name=IconName::TriangleAlert small=true/>"Needs a secret"</span> }.into_any()
        }
        AppState::Active => view! { <StateBadge state=KeyState::Active/> }.into_any(),
        AppState::Suspended => {
            view! { <span class="badge badge--off"><Icon name=IconName::Pause small=true/>"Suspended"</span> }.into_any()
        }
    }
}

/// Whether a request passed.
#[component]
pub fn OutcomeBadge(
    /// The outcome.
    outcome: Outcome,
) -> impl IntoView {
    let (class, icon, word) = match outcome {
        Outcome::Allowed => ("badge badge--ok", IconName::Check, "Allowed"),
        Outcome::Denied => ("badge badge--danger", IconName::X, "Denied"),
    };
    view! { <span class=class><Icon name=icon small=true/>{word}</span> }
}

/// What is permitted, a badge for each.
#[component]
pub fn ScopeBadges(
    /// The permissions.
    scopes: Vec<Scope>,
) -> impl IntoView {
    scopes.into_iter().map(|s| view! { <span class="badge badge--mono">{s.to_string()}</span> }.into_any()).collect_view()
}
