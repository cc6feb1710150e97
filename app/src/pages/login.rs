//! Sign-in. One column, one job.

use crate::{
    components::{AuthPage, Banner, TextField, Tone},
    returned::returned,
};
use contract::SignInForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/login`
#[component]
pub fn Login() -> impl IntoView {
    let back = returned::<SignInForm>().unwrap_or_default();
    let next = use_query_map().with_untracked(|q| q.get("next"));
    let next = next.filter(|_| back.form.next.is_empty()).unwrap_or(back.form.next);
    let error = |name: &str| back.errors.get(name).map(str::to_owned);
    let known = !back.form.email.is_empty();
    view! {
        <AuthPage title="Sign in to Keystead">
            {back.message.clone().map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> })}
            <form class="stack" method="post" action="/login" novalidate=true>
                <input type="hidden" name="next" value=next/>
                <TextField
                    name="email"
                    label=|| "Email"
                    kind="email"
                    value=back.form.email.clone()
                    autocomplete="username"
                    error=error("email")
                    autofocus=!known
                />
                <TextField name="password" label=|| "Password" kind="password" autocomplete="current-password" error=error("password") autofocus=known/>
                <button class="btn btn--primary btn--full" type="submit">"Sign in"</button>
            </form>
        </AuthPage>
    }
}
