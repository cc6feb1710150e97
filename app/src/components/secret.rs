//! A secret on the one page that shows it: masked until it is asked for, which `<details>` does without script. And what
//! is left of it on the pages after that.

use super::{Code, Time, TimeForm};
use crate::icon::{Icon, IconName};
use contract::UnixMs;
use leptos::prelude::*;

/// The secret's two ends; what lies between them stays out of sight until it is asked for.
#[derive(Clone)]
pub struct Masked {
    /// What it starts with.
    pub prefix: String,
    /// Its last four characters.
    pub last_four: String,
}

/// A text with the secret in it, masked and in full; the `<details>` of [`SecretOnce`] chooses which of them is seen.
#[component]
pub fn MaskedText(
    /// The id of the full text, to copy it.
    id: &'static str,
    /// What stands before the secret.
    #[prop(into)]
    before: String,
    /// Its ends.
    masked: Masked,
    /// All of it.
    secret: String,
    /// What stands behind it.
    #[prop(into)]
    after: String,
) -> impl IntoView {
    view! {
        <span class="mask">{before.clone()}{masked.prefix}<span class="dots" aria-label="hidden" role="img">"••••••••••••••••"</span>{masked.last_four}{after.clone()}</span>
        <span class="full" id=id>{format!("{before}{secret}{after}")}</span>
    }
}

/// The secret itself, with what shows and copies it.
#[component]
pub fn SecretOnce(
    /// Its ends.
    masked: Masked,
    /// All of it.
    secret: String,
) -> impl IntoView {
    view! {
        <div class="field">
            <span class="label" id="secret-label">"Secret"</span>
            <div class="secret" role="group" aria-labelledby="secret-label">
                <output><MaskedText id="secret" before="" masked secret after=""/></output>
                <details class="reveal__switch">
                    <summary class="btn btn--sm">
                        <span class="show"><Icon name=IconName::Eye/>"Show"</span>
                        <span class="hide"><Icon name=IconName::EyeOff/>"Hide"</span>
                    </summary>
                </details>
                <button class="btn btn--sm" type="button" aria-label="Copy the secret" data-js="" data-copy="#secret" data-stored="">
                    <Icon name=IconName::Copy/>
                    "Copy"
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// Code with the secret in it, and the button that copies it in full.
#[component]
pub fn SecretCode(
    /// The id of the full text, to copy it.
    id: &'static str,
    /// What it is.
    title: &'static str,
    /// What the button's name says beside `Copy`.
    what: &'static str,
    /// The name of the code, for who does not see it.
    label: &'static str,
    /// What stands before the secret.
    before: String,
    /// Its ends.
    masked: Masked,
    /// All of it.
    secret: String,
    /// What stands behind it.
    #[prop(optional)]
    after: String,
) -> impl IntoView {
    view! {
        <Code id title what>
            <pre tabindex="0" role="region" aria-label=label><MaskedText id before masked secret after/></pre>
        </Code>
    }
}

/// A secret in the list of those that work.
#[component]
pub fn SecretRow(
    /// What of it may be seen.
    shown: String,
    /// When it was made.
    made: UnixMs,
    /// What the badge of an old one says; none for the current one.
    old: Option<AnyView>,
    /// What follows the day on which it was made.
    #[prop(optional_no_strip)]
    more: Option<AnyView>,
) -> impl IntoView {
    let badge = match old {
        None => view! { <span class="badge badge--ok"><Icon name=IconName::Check small=true/>"Current"</span> }.into_any(),
        Some(old) => view! { <span class="badge badge--warn"><Icon name=IconName::Clock small=true/>{old}</span> }.into_any(),
    };
    view! {
        <li>
            <span class="mono">{shown}</span>
            <span class="push">{badge}</span>
            <span class="meta">"Made "<Time at=made form=TimeForm::Full/>{more}</span>
        </li>
    }
    .into_any()
}
