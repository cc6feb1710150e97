//! `/account/email`: another address, with the password; and `/email`, where the links lead that confirm it.

use super::{CodeField, Done, Tabs, crumbs};
use crate::{
    components::{AuthPage, Banner, ErrorSummary, Fault, PageTitle, TextField, Time, TimeForm, Tone},
    returned::{Returned, returned},
    ssr::ctx,
    visit::{Shown, framed},
};
use contract::{ChangeEmailForm, EmailChange, EmailLinkForm, Problem};
use domain::identity;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `/account/email`
#[component]
pub fn EmailPage() -> impl IntoView {
    framed(|visit| async move {
        let pending = identity::pending_email_change(&visit.ctx).await?;
        let wants_code = identity::wants_code(&visit.ctx).await?;
        let proved = identity::address_is_proved(&visit.ctx).await?;
        let mails = visit.ctx.core().settings.sends_mail;
        let back = returned::<ChangeEmailForm>();
        let done = visit.query.get_str("done").filter(|_| back.is_none());
        let done = match done {
            Some("asked") => Some("Open the links that were mailed to both addresses."),
            Some("kept") => Some("Your address stays."),
            _ => None,
        };
        let form = if mails {
            view! { <Form back=back.unwrap_or_default() wants_code/> }.into_any()
        } else {
            view! {
                <Banner tone=Tone::Info>
                    <p>"An address is changed by mail, and this server sends none: whoever operates it sets "<code>"KEYSTEAD_SMTP_URL"</code>"."</p>
                </Banner>
            }
            .into_any()
        };
        let body = view! {
            <div class="page__head"><PageTitle>"Email"</PageTitle></div>
            <Tabs here="/account/email"/>
            <div class="stack narrow">
                {done.map(|text| view! { <Done text/> }.into_any())}
                <p class="small soft">{format!("You sign in with {}.", visit.chrome.email)}</p>
                {(!proved).then(|| view! { <Unproved mails/> }.into_any())}
                {pending.map(|change| view! { <Pending change/> }.into_any())}
                {form}
            </div>
        };
        Ok(Shown::new(crumbs("Email"), body))
    })
}

/// Nobody but whoever invited them can say that the address is theirs.
#[component]
fn Unproved(mails: bool) -> impl IntoView {
    let way = if mails {
        view! {
            <p>
                "To prove it, "<a href="/forgot">"ask for a link that sets a new password"</a>
                " and follow it. That takes your second factor off, once: set it up again afterwards."
            </p>
        }
        .into_any()
    } else {
        view! { <p>"A link by mail proves it, and this server sends none yet."</p> }.into_any()
    };
    view! {
        <Banner tone=Tone::Info>
            <p><b>"This address is not proved to be yours."</b>" Whoever invited you saw the link by which your account was made."</p>
            {way}
        </Banner>
    }
}

#[component]
fn Pending(change: EmailChange) -> impl IntoView {
    let state = |confirmed: bool| if confirmed { "confirmed" } else { "waits for its link to be confirmed" };
    view! {
        <section class="card" aria-labelledby="pending">
            <div class="card__head"><h2 id="pending">"A change waits"</h2></div>
            <form class="card__body stack stack--3" method="post" action="/account/email">
                <dl class="dl">
                    <dt>"Now"</dt><dd class="anywhere">{change.from}": "{state(change.old_confirmed)}</dd>
                    <dt>"Then"</dt><dd class="anywhere">{change.to}": "{state(change.new_confirmed)}</dd>
                    <dt>"Until"</dt><dd><Time at=change.expires_at form=TimeForm::Full/></dd>
                </dl>
                <div class="row"><button class="btn" type="submit" name="act" value="cancel">"Keep my address"</button></div>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Form(back: Returned<ChangeEmailForm>, wants_code: bool) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let error = |name: &str| errors.get(name).map(str::to_owned);
    view! {
        <section class="card">
            <div class="card__head"><h2>"Change email"</h2></div>
            <form class="card__body stack" method="post" action="/account/email" novalidate=true>
                <ErrorSummary errors=errors.clone() message/>
                <TextField
                    name="new_email"
                    label=|| "New email"
                    kind="email"
                    value=form.new_email
                    autocomplete="email"
                    hint="A link goes to this address and one to your present one. The change comes about when both were confirmed, within a day; everywhere else you are signed out then."
                    error=error("new_email")
                />
                <TextField name="password" label=|| "Password" kind="password" autocomplete="current-password" error=error("password")/>
                {wants_code.then(|| view! { <CodeField error=error("code")/> }.into_any())}
                <div class="row"><button class="btn btn--primary" type="submit" name="act" value="ask">"Change email"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// `/email`
#[component]
pub fn EmailLinkPage() -> impl IntoView {
    let back = returned::<EmailLinkForm>().unwrap_or_default();
    let query = use_query_map().get_untracked();
    let linked = query.get("token");
    let token = linked.filter(|_| back.form.token.is_empty()).unwrap_or_else(|| back.form.token.clone());
    let done = query.get("done");
    Suspend::new(async move {
        match (done.as_deref(), look(&token).await) {
            (Some("changed"), _) => {
                said("Your address is changed", "Sign in with the new one from now on. Everywhere else you are signed out.").into_any()
            }
            (Some("confirmed"), _) => {
                said("Confirmed", "The change comes about when the link at the other address is confirmed, too.").into_any()
            }
            (Some(_), _) => said("The address stays", "Nothing was changed, and the links work no more.").into_any(),
            (None, Ok(Some((change, at_new)))) => view! { <Answer token change at_new back/> }.into_any(),
            (None, Ok(None)) => {
                said("This link does not work", "It has expired, was used or refused, or was replaced by a later change.").into_any()
            }
            (None, Err(problem)) => view! { <Fault problem/> }.into_any(),
        }
    })
}

async fn look(token: &str) -> Result<Option<(EmailChange, bool)>, Problem> {
    let ctx = ctx()?;
    identity::look_at_email_link(&ctx, token).await.map_err(|e| ctx.problem(e))
}

fn said(title: &'static str, text: &'static str) -> impl IntoView {
    view! {
        <AuthPage title>
            <p class="soft" role="status">{text}</p>
            <a class="btn btn--primary btn--full" href="/account/email">"Your account"</a>
        </AuthPage>
    }
}

/// Opening a link changes nothing: mail programs do that by themselves (s24).
#[component]
fn Answer(token: String, change: EmailChange, at_new: bool, back: Returned<EmailLinkForm>) -> impl IntoView {
    let (confirmed, other) = if at_new { (change.new_confirmed, change.from.clone()) } else { (change.old_confirmed, change.to.clone()) };
    let confirm = if confirmed {
        view! { <p class="small soft">{format!("Confirmed here. The link that went to {other} is still to come.")}</p> }.into_any()
    } else {
        view! { <button class="btn btn--primary btn--full" type="submit" name="act" value="confirm">"Confirm the change"</button> }
            .into_any()
    };
    view! {
        <AuthPage title="Change of an address">
            <p class="soft anywhere">"The account "<b>{change.from}</b>" is to sign in as "<b>{change.to}</b>". This has to be confirmed at both addresses."</p>
            {back.message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            <form class="stack" method="post" action="/email">
                <input type="hidden" name="token" value=token/>
                {confirm}
                <button class="btn btn--full" type="submit" name="act" value="refuse">"Do not change it"</button>
            </form>
        </AuthPage>
    }
}
