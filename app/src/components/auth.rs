//! The pages outside the frame: one column, one job.

use super::{Logo, PageTitle, Tally, Toasts};
use crate::icon::{Icon, IconName};
use leptos::prelude::*;
use leptos_meta::Title;

/// The card of setup and sign-in.
#[component]
pub fn AuthPage(
    /// The heading, and the document's title.
    #[prop(into)]
    title: String,
    /// Whether there is much to read.
    #[prop(optional)]
    wide: bool,
    /// The form.
    children: Children,
) -> impl IntoView {
    // The host stands on the page so that people see whom they give their password.
    let host = host();
    view! {
        <Title text=format!("{title} · Keystead")/>
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="auth">
            <main class="auth__box" class:auth__box--wide=wide id="main" tabindex="-1">
                <Tally/>
                <div class="auth__in">
                    <div class="stack stack--3">
                        <Logo large=true/>
                        <PageTitle>{title}</PageTitle>
                    </div>
                    {children()}
                </div>
            </main>
            <footer class="auth__foot">
                <span class="row"><Icon name=IconName::Lock small=true/>{host}</span>
            </footer>
        </div>
        <Toasts/>
    }
}

fn host() -> String {
    let from = |p: http::request::Parts| {
        let header = p.headers.get(http::header::HOST).and_then(|h| h.to_str().ok()).map(str::to_owned);
        header.or_else(|| p.uri.authority().map(ToString::to_string))
    };
    use_context::<http::request::Parts>().and_then(from).unwrap_or_default()
}
