//! Sign-in. One column, one job.

use crate::{
    components::{AuthPage, Banner, TextField, Tone},
    returned::{Returned, returned},
    ssr::carried,
    url::href,
};
use contract::SignInForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/login`
#[component]
pub fn Login() -> impl IntoView {
    let Returned { form, errors, message } = returned::<SignInForm>().unwrap_or_default();
    let query = use_query_map().get_untracked();
    let news =
        [("reset", "Your password is set. Sign in with it."), ("late", "That took too long, or was begun elsewhere. Sign in again.")];
    let news = news.into_iter().find(|(name, _)| message.is_none() && query.get_str(name).is_some()).map(|(_, text)| text);
    let next = carried("next");
    let next = next.filter(|_| form.next.is_empty()).unwrap_or(form.next);
    // The address carries it, too: the policy of the page depends on where the form leads in the end.
    let way = href("/login", &[("next", Some(next.as_str()))]);
    let error = move |name: &str| errors.get(name).map(str::to_owned);
    let known = !form.email.is_empty();
    view! {
        <AuthPage title="Sign in to Keystead">
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            {news.map(|text| view! { <Banner tone=Tone::Info><p>{text}</p></Banner> }.into_any())}
            <form class="stack" method="post" action=way novalidate=true>
                <input type="hidden" name="next" value=next/>
                <TextField
                    name="email"
                    label=|| "Email"
                    kind="email"
                    value=form.email
                    autocomplete="username"
                    error=error("email")
                    autofocus=!known
                />
                <TextField name="password" label=|| "Password" kind="password" autocomplete="current-password" error=error("password") autofocus=known/>
                <button class="btn btn--primary btn--full" type="submit">"Sign in"</button>
            </form>
            <a class="small" href="/forgot">"Forgot your password?"</a>
        </AuthPage>
    }
}
