//! First run: the one-time link of an empty installation makes the first tenant and its owner.

use crate::{
    components::{AuthPage, Banner, TextField, Tone},
    returned::{Returned, returned},
};
use contract::SetupForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/setup`
#[component]
pub fn Setup() -> impl IntoView {
    let Returned { form, errors, message } = returned::<SetupForm>().unwrap_or_default();
    let token = use_query_map().get_untracked().get("token");
    let token = token.filter(|_| form.token.is_empty()).unwrap_or(form.token);
    let first = ["tenant", "email", "password"].into_iter().find(|f| errors.get(f).is_some()).unwrap_or("tenant");
    let error = move |name: &str| errors.get(name).map(str::to_owned);
    view! {
        <AuthPage title="Set up Keystead">
            <p class="soft">"This makes the first tenant and signs you in as its owner. The link works once."</p>
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            <form class="stack" method="post" action="/setup" novalidate=true>
                <input type="hidden" name="token" value=token/>
                <TextField
                    name="tenant"
                    label=|| "Team or company"
                    value=form.tenant
                    autocomplete="organization"
                    error=error("tenant")
                    autofocus=first == "tenant"
                />
                <TextField
                    name="email"
                    label=|| "Your email"
                    kind="email"
                    value=form.email
                    autocomplete="username"
                    error=error("email")
                    autofocus=first == "email"
                />
                <TextField
                    name="password"
                    label=|| "Password"
                    kind="password"
                    autocomplete="new-password"
                    hint="At least 15 characters. A sentence is easiest to remember."
                    error=error("password")
                    autofocus=first == "password"
                />
                <button class="btn btn--primary btn--full" type="submit">"Set up Keystead"</button>
            </form>
        </AuthPage>
    }
}
