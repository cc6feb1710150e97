//! `/invitations/accept`: where the link of an invitation leads.

use crate::{
    components::{Asked, AuthPage, Banner, Fault, NewPassword, TextField, Time, TimeForm, Tone},
    returned::{Returned, returned},
    ssr::ctx,
    url::href,
};
use contract::{AcceptForm, Problem};
use domain::members::{self, Invited, Invitee};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/invitations/accept`
#[component]
pub fn AcceptPage() -> impl IntoView {
    let back = returned::<AcceptForm>().unwrap_or_default();
    let linked = use_query_map().get_untracked().get("token");
    let token = linked.filter(|_| back.form.token.is_empty()).unwrap_or_else(|| back.form.token.clone());
    Suspend::new(async move {
        match look(&token).await {
            Ok((Some(invited), someone)) => view! { <Join invited token back someone/> }.into_any(),
            Ok((None, _)) => view! { <NoLink/> }.into_any(),
            Err(problem) => view! { <Fault problem/> }.into_any(),
        }
    })
}

async fn look(token: &str) -> Result<(Option<Invited>, Option<String>), Problem> {
    let ctx = ctx()?;
    let invited = members::look(&ctx, token).await.map_err(|e| ctx.problem(e))?;
    Ok((invited, ctx.person().map(|p| p.email.clone())))
}

#[component]
fn NoLink() -> impl IntoView {
    view! {
        <AuthPage title="This invitation does not work">
            <p class="soft">"A link works once, until it expires, and only the last one that was made for an address. Ask whoever invited you for a new one."</p>
            <a class="btn btn--primary btn--full" href="/login">"Sign in"</a>
        </AuthPage>
    }
}

#[component]
fn Join(invited: Invited, token: String, back: Returned<AcceptForm>, someone: Option<String>) -> impl IntoView {
    let Returned { errors, message, .. } = back;
    let Invited { tenant, email, role, by, expires_at, invitee } = invited;
    let error = errors.get("password").map(str::to_owned);
    let shown = email.clone();
    let names = format!("{tenant} {email}");
    let way = match invitee {
        Invitee::New => view! {
            <form class="stack" method="post" action="/invitations/accept" novalidate=true>
                <input type="hidden" name="token" value=token/>
                <input class="sr" type="email" name="username" value=email autocomplete="username" readonly=true tabindex="-1" aria-label="Email"/>
                <NewPassword name="password" label="Choose a password" asked=Asked::Alone names error autofocus=true/>
                <button class="btn btn--primary btn--full" type="submit">"Join"</button>
            </form>
        }
        .into_any(),
        Invitee::Alone(_) => view! {
            <form class="stack" method="post" action="/invitations/accept" novalidate=true>
                <input type="hidden" name="token" value=token/>
                <input class="sr" type="email" name="username" value=email autocomplete="username" readonly=true tabindex="-1" aria-label="Email"/>
                <p class="soft">"This address has an account, which works in no tenant at present."</p>
                <TextField name="password" label=|| "Its password" kind="password" autocomplete="current-password" error autofocus=true/>
                <button class="btn btn--primary btn--full" type="submit">"Join"</button>
                <p class="small"><a href="/forgot">"Forgot the password?"</a></p>
            </form>
        }
        .into_any(),
        Invitee::Here(_) => view! {
            <form method="post" action="/invitations/accept">
                <input type="hidden" name="token" value=token/>
                <button class="btn btn--primary btn--full" type="submit">"Join"</button>
            </form>
        }
        .into_any(),
        Invitee::Elsewhere => view! { <SignIn email token someone/> }.into_any(),
        Invitee::Disabled => view! {
            <Banner tone=Tone::Danger><p>{format!("The account of {email} is disabled. Ask whoever operates this server.")}</p></Banner>
        }
        .into_any(),
    };
    view! {
        <AuthPage title="You are invited">
            <p class="soft">
                <b>{by}</b>" invites "<b class="anywhere">{shown}</b>" to "<b>{tenant}</b>" as "{role.title().to_lowercase()}
                ". The link works until "<Time at=expires_at form=TimeForm::Full/>"."
            </p>
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            {way}
        </AuthPage>
    }
}

/// The account exists: it signs in as always, and comes back.
#[component]
fn SignIn(email: String, token: String, someone: Option<String>) -> impl IntoView {
    let here = href("/invitations/accept", &[("token", Some(&token))]);
    match someone {
        Some(other) => view! {
            <p class="soft">{format!("You are signed in as {other}. Sign out, then open the link again and sign in as {email}.")}</p>
            <form method="post" action="/logout"><button class="btn btn--primary btn--full" type="submit">"Sign out"</button></form>
        }
        .into_any(),
        None => view! {
            <p class="soft">"This address has an account. Sign in with it, and you come back here."</p>
            <a class="btn btn--primary btn--full" href=href("/login", &[("next", Some(&here))])>"Sign in"</a>
        }
        .into_any(),
    }
}
