//! The page that revokes a key: what it would break, in numbers, and its name typed as consent.

use super::{key_id, use_key, use_segment};
use crate::{
    actions,
    ask::ask,
    components::{
        Banner, Crumbs, ErrorSummary, Glyph, Here, Main, PageTitle, ProblemView, TextField, Time, Tone, loading, use_chrome, wait,
    },
    numbers::thousands,
    returned::{Returned, returned},
    url::key_href,
};
use contract::{ApiKey, KeyImpact, KeyState, Perm, Problem, RevokeForm};
use leptos::prelude::*;

/// `/keys/:id/revoke`
#[component]
pub fn KeyRevoke() -> impl IntoView {
    let back = returned::<RevokeForm>();
    let (key, chrome) = (use_key(), use_chrome());
    let impact = ask(use_segment(), |id| async move { actions::get_key_impact(key_id(&id)?).await });
    let page = async move {
        let (key, chrome) = match (key.await, chrome.load().await) {
            (Ok(key), Ok(chrome)) => (key, chrome),
            (Err(e), _) | (_, Err(e)) => return view! { <ProblemView problem=e.0/> }.into_any(),
        };
        if !chrome.role.holds(Perm::KeysRevoke) {
            let problem = Problem::missing_scope(&Perm::KeysRevoke.scope()).message("Your role may not revoke keys");
            return view! { <ProblemView problem/> }.into_any();
        }
        if key.state == KeyState::Revoked {
            return view! { <RevokedBefore key/> }.into_any();
        }
        view! { <Consent key impact=impact.await.ok() back=back.unwrap_or_default()/> }.into_any()
    };
    view! {
        <Main crumbs=Crumbs::key(Here::RevokeKey(key))>
            {wait(loading, page)}
        </Main>
    }
}

#[component]
fn Consent(key: ApiKey, impact: Option<KeyImpact>, back: Returned<RevokeForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let name = key.name.clone();
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let untouched = errors.is_empty();
    view! {
        <form class="card dialog dialog--page" method="post" action=format!("{}/revoke", key_href(key.id)) novalidate=true>
            <div class="dialog__head">
                <Glyph id=key.id large=true/>
                <PageTitle>{format!("Revoke {}?", key.name)}</PageTitle>
            </div>
            <div class="dialog__body">
                <ErrorSummary errors=errors.clone() message/>
                <p class="soft">"Every request with this key is refused from now on, within a second. This cannot be undone."</p>
                {impact.map(|impact| view! { <Impact impact/> }.into_any())}
                <TextField
                    name="reason"
                    label=|| view! { "Reason "<span class="muted">"kept in the audit log"</span> }
                    value=form.reason.clone()
                    error=error("reason")
                    autofocus=untouched
                    required=false
                />
                <TextField
                    name="confirm"
                    label=move || view! { "Type "<code>{name.clone()}</code>" to confirm" }
                    value=form.confirm.clone()
                    error=error("confirm")
                    autofocus=!untouched
                    mono=true
                />
            </div>
            <div class="dialog__foot">
                <a class="btn btn--quiet" href=key_href(key.id)>"Cancel"</a>
                <button class="btn btn--destroy" type="submit">"Revoke key"</button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Impact(impact: KeyImpact) -> impl IntoView {
    let KeyImpact { allowed_30d, allowed_24h, addresses_30d, last_allowed_at } = impact;
    if allowed_30d == 0 {
        return view! {
            <Banner tone=Tone::Info>
                <p><b>"No request of the last 30 days would have been refused."</b></p>
                <p class="soft">"Nothing seems to call with this key."</p>
            </Banner>
        }
        .into_any();
    }
    if allowed_30d == 1 {
        return view! {
            <Banner tone=Tone::Danger>
                <p><b>"1 request of the last 30 days would have been refused."</b></p>
                {last_allowed_at.map(|at| view! { <p class="soft">"It came "<Time at/>"."</p> }.into_any())}
            </Banner>
        }
        .into_any();
    }
    let requests = format!("{} requests", thousands(allowed_30d));
    let addresses = if addresses_30d == 1 { "1 address".to_owned() } else { format!("{} addresses", thousands(addresses_30d)) };
    view! {
        <Banner tone=Tone::Danger>
            <p><b>{format!("{requests} of the last 30 days would have been refused.")}</b></p>
            <p class="soft">
                {format!("They came from {addresses}, {} of them in the last 24 hours", thousands(allowed_24h))}
                {last_allowed_at.map(|at| view! { "; the last one "<Time at/> }.into_any())}
                "."
            </p>
        </Banner>
    }
    .into_any()
}

#[component]
fn RevokedBefore(key: ApiKey) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <PageTitle>{format!("{} is revoked", key.name)}</PageTitle>
                <p class="lead soft">
                    "Its requests are refused"
                    {key.revoked_at.map(|at| view! { " since "<Time at form=crate::components::TimeForm::Full/> }.into_any())}
                    ". There is nothing left to do."
                </p>
            </div>
            <div class="row"><a class="btn btn--primary" href=key_href(key.id)>"Go to the key"</a></div>
        </div>
    }
}
