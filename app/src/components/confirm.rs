//! What is asked before something ends: why, and a name typed as consent.

use super::TextField;
use contract::FieldErrors;
use leptos::prelude::*;

/// Why something is ended for good, and its name typed as consent.
#[component]
pub fn ConfirmFields(
    /// The name of the field of the reason.
    #[prop(default = "reason")]
    why: &'static str,
    /// The reason as typed.
    reason: String,
    /// What has to be typed.
    phrase: String,
    /// What was typed.
    confirm: String,
    /// What is wrong.
    errors: FieldErrors,
    /// Whether the form is what its page is about, and has the focus.
    #[prop(optional)]
    main: bool,
) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let untouched = errors.is_empty();
    view! {
        <ReasonField name=why value=reason error=error(why) autofocus=main && untouched/>
        <ConfirmField phrase value=confirm error=error("confirm") autofocus=main && !untouched/>
    }
    .into_any()
}

/// Why something is done; it may stay empty.
#[component]
pub fn ReasonField(
    /// Its name in the form.
    #[prop(default = "reason")]
    name: &'static str,
    /// What was typed before.
    value: String,
    /// What is wrong.
    error: Option<String>,
    /// Whether it has the focus when the page arrives.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    view! {
        <TextField
            name
            label=|| view! { "Reason "<span class="muted">"kept in the audit log"</span> }
            value
            error
            autofocus
            required=false
        />
    }
}

/// A name or a phrase, typed as consent.
#[component]
pub fn ConfirmField(
    /// Its name in the form.
    #[prop(default = "confirm")]
    name: &'static str,
    /// What has to be typed.
    phrase: String,
    /// What was typed.
    value: String,
    /// What is wrong.
    error: Option<String>,
    /// Whether it has the focus when the page arrives.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    view! {
        <TextField
            name
            label=move || view! { "Type "<code>{phrase.clone()}</code>" to confirm" }
            value
            error
            autofocus
            mono=true
        />
    }
}
