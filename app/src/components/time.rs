//! Instants. The server prints them absolute, in UTC; the browser says how long ago that is (`behave::times`).

use contract::UnixMs;
use leptos::prelude::*;

/// How an instant is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeForm {
    /// `3 s ago`; `20 Feb 2026` where no script runs. For columns.
    #[default]
    Relative,
    /// `20 Feb 2026`.
    Date,
    /// `20 Feb 2026, 14:32 UTC`.
    Full,
    /// `20 Feb 14:32:08`, for logs.
    Log,
}

/// An instant, with its exact value in `datetime` and in the tooltip.
#[component]
pub fn Time(
    /// When.
    at: UnixMs,
    /// How it is written.
    #[prop(optional)]
    form: TimeForm,
) -> impl IntoView {
    let text = match form {
        TimeForm::Relative | TimeForm::Date => at.human_date(),
        TimeForm::Full => at.human(),
        TimeForm::Log => at.to_utc().format("%-d %b %H:%M:%S").to_string(),
    };
    let ago = (form == TimeForm::Relative).then_some("");
    view! { <time datetime=at.to_string() title=at.human() data-ago=ago>{text}</time> }
}

/// When something ends: its date, or `in 5 days` as a warning once that is near.
#[component]
pub fn Ends(
    /// When.
    at: UnixMs,
) -> impl IntoView {
    view! { <time datetime=at.to_string() title=at.human() data-ends="">{at.human_date()}</time> }
}
