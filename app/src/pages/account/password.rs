//! `/account`: who one is, and another password.

use super::{CodeField, Done, EndOthers, Tabs};
use crate::{
    components::{Asked, Crumbs, ErrorSummary, NewPassword, PageTitle, TextField},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::ChangePasswordForm;
use domain::identity;
use leptos::prelude::*;

/// `/account`
#[component]
pub fn AccountPage() -> impl IntoView {
    framed(|visit| async move {
        let wants_code = identity::wants_code(&visit.ctx).await?;
        let two_factor = identity::two_factor_state(&visit.ctx).await?.on_since.is_some();
        let back = returned::<ChangePasswordForm>();
        let done = back.is_none() && visit.query.get_str("done") == Some("password");
        let names = format!("{} {}", visit.chrome.tenant, visit.chrome.email);
        let said = format!(
            "You are signed in as {}, {} of {}.",
            visit.chrome.email,
            visit.chrome.role.title().to_lowercase(),
            visit.chrome.tenant
        );
        let body = view! {
            <div class="page__head"><PageTitle>"Account"</PageTitle></div>
            <Tabs here="/account"/>
            <div class="stack narrow">
                {done.then(|| view! { <Done text="Your password is changed."/> }.into_any())}
                <p class="small soft">{said}</p>
                <Form back=back.unwrap_or_default() two_factor wants_code names/>
            </div>
        };
        Ok(Shown::new(Crumbs::section("Account"), body))
    })
}

#[component]
fn Form(back: Returned<ChangePasswordForm>, two_factor: bool, wants_code: bool, names: String) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let again = !errors.is_empty() || message.is_some();
    let ends = !again || form.end_others.is_some();
    let asked = if two_factor { Asked::WithFactor } else { Asked::Alone };
    view! {
        <section class="card">
            <div class="card__head"><h2>"Change password"</h2></div>
            <form class="card__body stack" method="post" action="/account" novalidate=true>
                <ErrorSummary errors=errors.clone() message/>
                <TextField name="password" label=|| "Current password" kind="password" autocomplete="current-password" error=error("password")/>
                {wants_code.then(|| view! { <CodeField error=error("code")/> }.into_any())}
                <NewPassword name="new_password" label="New password" asked names error=error("new_password")/>
                <EndOthers chosen=ends/>
                <div class="row"><button class="btn btn--primary" type="submit">"Change password"</button></div>
            </form>
        </section>
    }
    .into_any()
}
