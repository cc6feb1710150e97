//! `/reset`: a new password, by a link.

use crate::{
    components::{Asked, AuthPage, Banner, Fault, NewPassword, Tone},
    returned::{Returned, returned},
    ssr::ctx,
};
use contract::{Problem, ResetForm};
use domain::identity;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/reset`
#[component]
pub fn ResetPage() -> impl IntoView {
    let back = returned::<ResetForm>().unwrap_or_default();
    let linked = use_query_map().get_untracked().get("token");
    let token = linked.filter(|_| back.form.token.is_empty()).unwrap_or_else(|| back.form.token.clone());
    Suspend::new(async move {
        match is_open(&token).await {
            Ok(true) => view! { <Choose token back/> }.into_any(),
            Ok(false) => view! { <NoLink/> }.into_any(),
            Err(problem) => view! { <Fault problem/> }.into_any(),
        }
    })
}

async fn is_open(token: &str) -> Result<bool, Problem> {
    let ctx = ctx()?;
    identity::reset_link_is_open(ctx.core(), token).await.map_err(|e| ctx.problem(e))
}

#[component]
fn NoLink() -> impl IntoView {
    view! {
        <AuthPage title="This link does not work">
            <p class="soft">"A link to a new password works once, for an hour if it was mailed, and only the one that was made last."</p>
            <a class="btn btn--primary btn--full" href="/forgot">"Ask for another"</a>
            <a class="small" href="/login">"Sign in"</a>
        </AuthPage>
    }
}

#[component]
fn Choose(token: String, back: Returned<ResetForm>) -> impl IntoView {
    let Returned { errors, message, .. } = back;
    let error = errors.get("new_password").map(str::to_owned);
    view! {
        <AuthPage title="Choose a new password">
            <p class="soft">"Every session of yours ends, and you sign in with the new password. A second factor stays."</p>
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            <form class="stack" method="post" action="/reset" novalidate=true>
                <input type="hidden" name="token" value=token/>
                <NewPassword name="new_password" label="New password" asked=Asked::Either error autofocus=true/>
                <button class="btn btn--primary btn--full" type="submit">"Set password"</button>
            </form>
        </AuthPage>
    }
}
