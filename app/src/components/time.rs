//! Instants. The server prints them absolute, in UTC; once mounted, the browser may say how long ago that is.

use contract::UnixMs;
use leptos::prelude::*;

/// The browser's clock: nothing while the server renders and while the page hydrates, so that both print the same.
#[derive(Clone, Copy)]
pub struct Now(RwSignal<Option<UnixMs>>);

impl Now {
    /// Provides the clock and starts it after the page has mounted.
    pub fn provide() {
        let now = RwSignal::new(None);
        provide_context(Self(now));
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            now.set(Some(crate::browser::now()));
            set_interval(move || now.set(Some(crate::browser::now())), std::time::Duration::from_secs(15));
        });
    }

    /// The clock of this app; none before the page has mounted.
    pub fn get() -> Option<UnixMs> {
        use_context::<Self>().and_then(|n| n.0.get())
    }
}

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
    let text = move || match form {
        TimeForm::Relative => Now::get().map_or_else(|| at.human_date(), |now| at.relative(now)),
        TimeForm::Date => at.human_date(),
        TimeForm::Full => at.human(),
        TimeForm::Log => at.to_utc().format("%-d %b %H:%M:%S").to_string(),
    };
    view! { <time datetime=at.to_string() title=at.human()>{text}</time> }
}

/// When something ends: its date, or `in 5 days` as a warning once that is near.
#[component]
pub fn Ends(
    /// When.
    at: UnixMs,
) -> impl IntoView {
    let near = move || Now::get().filter(|now| at > *now && at.0 - now.0 < 14 * UnixMs::DAY);
    view! {
        <time class:warn=move || near().is_some() datetime=at.to_string() title=at.human()>
            {move || near().map_or_else(|| at.human_date(), |now| at.relative(now))}
        </time>
    }
}
