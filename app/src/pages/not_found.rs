//! What answers an address that leads nowhere.

use crate::{
    components::{Logo, PageTitle},
    icon::{Icon, IconName},
};
use leptos::prelude::*;
use leptos_meta::Title;

/// Any other path.
#[component]
pub fn NotFound() -> impl IntoView {
    if let Some(options) = use_context::<leptos_axum::ResponseOptions>() {
        options.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found · Keystead"/>
        <div class="auth">
            <main class="auth__box" id="main" tabindex="-1">
                <div class="auth__in">
                    <div class="stack stack--3">
                        <Logo large=true/>
                        <p class="row small muted"><Icon name=IconName::Search/>"404 Not Found"</p>
                        <PageTitle>"There is nothing here"</PageTitle>
                        <p class="soft">"The address may be mistyped, or what it led to was removed."</p>
                    </div>
                    <a class="btn btn--primary btn--full" href="/keys">"Go to API keys"</a>
                </div>
            </main>
        </div>
    }
}
