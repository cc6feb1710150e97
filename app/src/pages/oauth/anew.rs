//! `/oauth/confirm?next=…`: an app wants a proof of who is there that is younger than the session's. With it the request
//! goes on; its address then asks for no other.

use super::{super::account::CodeField, NotYou};
use crate::{
    components::{AuthPage, Banner, Fault, TextField, Tone},
    returned::{Returned, returned},
    ssr::{carried, ctx, query},
    url::href,
};
use contract::{ConfirmForm, ErrorCode, Problem};
use domain::{
    Error, identity,
    oauth::{self, Refused},
};
use leptos::prelude::*;

/// `/oauth/confirm?next=…`
#[component]
pub fn ProveAnewPage() -> impl IntoView {
    let next = carried("next").unwrap_or_default();
    let back = returned::<ConfirmForm>().unwrap_or_default();
    Suspend::new(async move {
        match look(&next).await {
            Ok(seen) => view! { <Ask seen next back/> }.into_any(),
            Err(problem) => view! { <Fault problem/> }.into_any(),
        }
    })
}

/// What the page shows.
struct Seen {
    app: String,
    email: String,
    wants_code: bool,
}

async fn look(next: &str) -> Result<Seen, Problem> {
    let ctx = ctx()?;
    let uri = next.parse::<http::Uri>().unwrap_or_default();
    let (client, _) = oauth::check(ctx.core(), &query(&uri)).map_err(|e| match e {
        Refused::Page(why) => Problem::new(ErrorCode::BadRequest).message(why),
        Refused::Redirect(_) => Problem::new(ErrorCode::BadRequest),
    })?;
    let email = ctx.person().map(|p| p.email.clone()).ok_or_else(|| ctx.problem(Error::Unauthenticated))?;
    let wants_code = identity::confirm_wants_code(&ctx).await.map_err(|e| ctx.problem(e))?;
    Ok(Seen { app: client.name.clone(), email, wants_code })
}

#[component]
fn Ask(seen: Seen, next: String, back: Returned<ConfirmForm>) -> impl IntoView {
    let Seen { app, email, wants_code } = seen;
    let Returned { errors, message, .. } = back;
    let error = move |name: &str| errors.get(name).map(str::to_owned);
    let wrong_code = error("code").is_some();
    // The address carries it: the policy of the page depends on where the form leads in the end.
    let way = href("/oauth/confirm", &[("next", Some(next.as_str()))]);
    view! {
        <AuthPage title="Confirm that it is you">
            <p class="soft"><b>{app}</b>" asks who is there before it goes on. Prove it once more, and you go on from here."</p>
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            <form class="stack" method="post" action=way novalidate=true data-once="">
                <TextField
                    name="password"
                    label=|| "Password"
                    kind="password"
                    autocomplete="current-password"
                    error=error("password")
                    autofocus=!wrong_code
                />
                {wants_code.then(|| view! { <CodeField error=error("code") autofocus=wrong_code/> }.into_any())}
                <div class="stack stack--2">
                    <button class="btn btn--primary btn--full" type="submit">"Confirm and continue"</button>
                    <button class="btn btn--quiet btn--full" type="submit" name="act" value="cancel">"Cancel"</button>
                </div>
            </form>
            <NotYou email again=next/>
        </AuthPage>
    }
    .into_any()
}
