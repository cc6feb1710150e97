//! What tells a person how it went: banners, the error summary, the live region, the empty list.

use crate::icon::{Icon, IconName};
use contract::FieldErrors;
use leptos::prelude::*;

/// How serious a banner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// Needs attention.
    Warn,
    /// Failed or dangerous.
    Danger,
}

/// A message about the page it stands on.
#[component]
pub fn Banner(
    /// How serious.
    tone: Tone,
    /// Read out at once; for what went wrong.
    #[prop(optional)]
    alert: bool,
    /// The message.
    children: Children,
) -> impl IntoView {
    let (class, icon) = match tone {
        Tone::Info => ("banner banner--info", IconName::Info),
        Tone::Warn => ("banner banner--warn", IconName::TriangleAlert),
        Tone::Danger => ("banner banner--danger", IconName::TriangleAlert),
    };
    view! {
        <div class=class role=alert.then_some("alert")>
            <Icon name=icon/>
            <div>{children()}</div>
        </div>
    }
}

/// Everything wrong with a form that came back, each line leading to its field. Fields have their name as id. It takes
/// the focus when the page arrives, before any field: it stands above them.
#[component]
pub fn ErrorSummary(
    /// What is wrong with which field.
    errors: FieldErrors,
    /// What is wrong with the whole.
    message: Option<String>,
) -> impl IntoView {
    if errors.is_empty() && message.is_none() {
        return ().into_any();
    }
    let title = match errors.0.len() {
        0 => "This did not work".to_owned(),
        1 => "One field needs a change".to_owned(),
        n => format!("{n} fields need a change"),
    };
    let lines = errors.0.into_iter().map(|e| view! { <li><a href=format!("#{}", e.field)>{e.message}</a></li> }.into_any()).collect_view();
    view! {
        <div class="summary" role="alert" id="error-summary" tabindex="-1" autofocus=true>
            <h2>{title}</h2>
            {message.map(|m| view! { <p>{m}</p> }.into_any())}
            <ul>{lines}</ul>
        </div>
    }
    .into_any()
}

/// Where short confirmations appear; `behave` fills it, politely.
#[component]
pub fn Toasts() -> impl IntoView {
    view! { <div class="toasts" id="toasts" role="status" aria-live="polite"></div> }
}
