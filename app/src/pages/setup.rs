//! First run: the one-time link of an empty installation makes the first tenant and its owner.

use crate::{
    components::{Asked, AuthPage, Banner, Fault, NewPassword, TextField, Tone},
    returned::{Returned, returned},
    ssr::ctx,
};
use contract::{Problem, SetupForm};
use domain::identity::{self, SetupState};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/setup`
#[component]
pub fn Setup() -> impl IntoView {
    let back = returned::<SetupForm>().unwrap_or_default();
    let linked = use_query_map().get_untracked().get("token");
    let token = linked.filter(|_| back.form.token.is_empty()).unwrap_or_else(|| back.form.token.clone());
    Suspend::new(async move {
        match state(&token).await {
            Ok(SetupState::Open) => view! { <FirstTenant token back/> }.into_any(),
            Ok(SetupState::NoLink) => view! { <NoLink/> }.into_any(),
            Ok(SetupState::Done) => view! { <Done/> }.into_any(),
            Err(problem) => view! { <Fault problem/> }.into_any(),
        }
    })
}

async fn state(token: &str) -> Result<SetupState, Problem> {
    let ctx = ctx()?;
    identity::setup_state(ctx.core(), token).await.map_err(|e| ctx.problem(e))
}

#[component]
fn Done() -> impl IntoView {
    view! {
        <AuthPage title="Keystead is set up already">
            <p class="soft">"Its first tenant has an owner, so there is nothing to set up and no link works any more."</p>
            <a class="btn btn--primary btn--full" href="/login">"Sign in"</a>
        </AuthPage>
    }
}

#[component]
fn NoLink() -> impl IntoView {
    view! {
        <AuthPage title="This link does not work">
            <p class="soft">"A setup link works for a day, and only the one that was printed last. This one is missing its token, has expired or was replaced."</p>
            <p class="soft">"Start the server again: it prints a new link. Or run "<code>"keystead bootstrap"</code>" on the server, which needs no link."</p>
        </AuthPage>
    }
}

#[component]
fn FirstTenant(token: String, back: Returned<SetupForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
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
                <NewPassword name="password" label="Password" asked=Asked::Alone error=error("password") autofocus=first == "password"/>
                <button class="btn btn--primary btn--full" type="submit">"Set up Keystead"</button>
            </form>
        </AuthPage>
    }
}
