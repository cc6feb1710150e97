//! `/forgot`: a link to a new password, by mail.

use crate::{
    components::{AuthPage, Banner, Fault, TextField, Tone},
    returned::{Returned, returned},
    ssr::ctx,
};
use contract::ForgotForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/forgot`
#[component]
pub fn ForgotPage() -> impl IntoView {
    let asked = use_query_map().get_untracked().get_str("done").is_some();
    match ctx() {
        Err(e) => view! { <Fault problem=e.0/> }.into_any(),
        Ok(ctx) if !ctx.core().settings.sends_mail => view! { <NoMail/> }.into_any(),
        Ok(_) if asked => view! { <Asked/> }.into_any(),
        Ok(_) => view! { <Ask/> }.into_any(),
    }
}

#[component]
fn NoMail() -> impl IntoView {
    view! {
        <AuthPage title="Forgot your password?">
            <p class="soft">"This server sends no mail. Ask whoever operates it for a link to a new password: "<code>"keystead users reset-link"</code>" makes one."</p>
            <BackToSignIn/>
        </AuthPage>
    }
}

/// The same whatever the address (s8).
#[component]
fn Asked() -> impl IntoView {
    view! {
        <AuthPage title="Look into your mail">
            <p class="soft" role="status">"If an account has this address, a link to a new password is on its way. It works once, for an hour. Look among the unwanted mails, too."</p>
            <BackToSignIn/>
        </AuthPage>
    }
}

#[component]
fn Ask() -> impl IntoView {
    let Returned { form, errors, message } = returned::<ForgotForm>().unwrap_or_default();
    let error = errors.get("email").map(str::to_owned);
    view! {
        <AuthPage title="Forgot your password?">
            <p class="soft">"A link to a new password is mailed to the address that you sign in with."</p>
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            <form class="stack" method="post" action="/forgot" novalidate=true>
                <TextField name="email" label=|| "Email" kind="email" value=form.email autocomplete="username" error autofocus=true/>
                <button class="btn btn--primary btn--full" type="submit">"Mail me a link"</button>
            </form>
            <a class="small" href="/login">"Sign in"</a>
        </AuthPage>
    }
}

#[component]
fn BackToSignIn() -> impl IntoView {
    view! { <a class="btn btn--primary btn--full" href="/login">"Sign in"</a> }
}
