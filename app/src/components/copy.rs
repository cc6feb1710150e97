//! Copying: buttons that `behave` wires up, absent where no script runs.

use crate::icon::{Icon, IconName};
use leptos::prelude::*;

/// An id in full or in part, with a button that copies all of it.
#[component]
pub fn CopyId(
    /// What is shown.
    #[prop(into)]
    text: String,
    /// What is copied, where that is more than is shown.
    #[prop(optional, into)]
    value: Option<String>,
    /// What it is, for the button's name: `key id`.
    what: &'static str,
) -> impl IntoView {
    let value = value.unwrap_or_else(|| text.clone());
    view! {
        <span class="copyid">
            <span class="anywhere">{text}</span>
            <button type="button" aria-label=format!("Copy {what}") data-js="" data-copy=value>
                <Icon name=IconName::Copy small=true/>
            </button>
        </span>
    }
}

/// A block of code with a button that copies it.
#[component]
pub fn Code(
    /// The id of the text that is copied.
    id: &'static str,
    /// What it is.
    #[prop(into)]
    title: String,
    /// What the button's name says beside `Copy`.
    what: &'static str,
    /// The code.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="code">
            <div class="code__head">
                <span>{title}</span>
                <button class="btn btn--quiet btn--sm" type="button" aria-label=format!("Copy {what}") data-js="" data-copy=format!("#{id}")>
                    <Icon name=IconName::Copy/>
                    "Copy"
                </button>
            </div>
            {children()}
        </div>
    }
}

/// A curl call against this server with a key from the environment: what works without a secret at hand.
#[component]
pub fn TestCurl(
    /// Where this server is reached.
    public_url: String,
) -> impl IntoView {
    view! {
        <Code id="curl" title="Try a key from a terminal" what="the command">
            <pre tabindex="0" id="curl" role="region" aria-label="Command">
                {format!("curl {public_url}/v1/auth/test \\\n  -H ")}<span class="k">"\"Authorization: Bearer $KEYSTEAD_KEY\""</span>
            </pre>
        </Code>
    }
}
