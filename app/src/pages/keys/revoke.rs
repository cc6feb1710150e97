//! The page that revokes a key: what it would break, in numbers, and its name typed as consent.

use super::callers::{Callers, callers_in};
use crate::{
    components::{Banner, ConfirmFields, Crumbs, ErrorSummary, Glyph, InTenant, PageTitle, Time, TimeForm, Tone},
    numbers::{counted, thousands},
    returned::{Returned, returned},
    url::key_href,
    visit::{Shown, framed},
};
use contract::{ApiKey, Change, Impact, KeyKind, KeyState, Perm, RevokeForm, UnixMs};
use domain::keys;
use leptos::prelude::*;

/// `/keys/:id/revoke`
#[component]
pub fn KeyRevoke() -> impl IntoView {
    framed(|visit| async move {
        let key = keys::get(&visit.ctx, visit.id()?).await?;
        visit.ctx.require(Perm::KeysRevoke)?;
        let crumbs = Crumbs::of_key(&key, "Revoke").titled(format!("Revoke {}", key.name));
        if key.state == KeyState::Revoked {
            return Ok(Shown::new(crumbs, view! { <RevokedBefore key/> }));
        }
        let impact = keys::impact_of(&visit.ctx, key.id, &Change::Revoke).await?;
        let may_rotate = visit.chrome.may(Perm::KeysWrite) && key.state != KeyState::Expired;
        Ok(Shown::new(crumbs, view! { <Consent key impact may_rotate back=returned().unwrap_or_default()/> }))
    })
}

#[component]
fn Consent(key: ApiKey, impact: Impact, may_rotate: bool, back: Returned<RevokeForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let name = key.name.clone();
    let broken = if key.kind == KeyKind::Gateway {
        view! {
            <p class="soft">"Every decision asked with this key stops within a second, so its gateway refuses every request behind it until it has another key. This cannot be undone."</p>
            <Asked last_used_at=key.last_used_at/>
            {(impact.lost > 0).then(|| view! { <Broken impact/> }.into_any())}
        }
        .into_any()
    } else {
        view! {
            <p class="soft">"Every request with this key is refused from now on, within a second. This cannot be undone."</p>
            <Broken impact/>
        }
        .into_any()
    };
    view! {
        <form class="card dialog dialog--page" method="post" action=format!("{}/revoke", key_href(key.id)) novalidate=true><InTenant/>
            <div class="dialog__head">
                <Glyph id=key.id large=true/>
                <PageTitle>{format!("Revoke {}?", key.name)}</PageTitle>
            </div>
            <div class="dialog__body">
                <ErrorSummary errors=errors.clone() message/>
                {broken}
                <ConfirmFields reason=form.reason phrase=name confirm=form.confirm errors main=true/>
            </div>
            <div class="dialog__foot">
                <a class="btn btn--quiet" href=key_href(key.id)>"Cancel"</a>
                {may_rotate.then(|| view! { <a class="btn" href=format!("{}/rotate", key_href(key.id))>"Rotate instead"</a> }.into_any())}
                <button class="btn btn--destroy" type="submit">"Revoke key"</button>
            </div>
        </form>
    }
    .into_any()
}

/// When a gateway last asked. What it asked about is logged under the keys that the decisions are about.
#[component]
fn Asked(last_used_at: Option<UnixMs>) -> impl IntoView {
    match last_used_at {
        Some(at) => view! {
            <Banner tone=Tone::Danger>
                <p><b>"A gateway asks with this key; the last time was "<Time at/>"."</b></p>
                <p class="soft">"Its decisions are logged under the keys that they are about, so their number does not stand here."</p>
            </Banner>
        }
        .into_any(),
        None => view! {
            <Banner tone=Tone::Info>
                <p><b>"No gateway has asked with this key yet."</b></p>
            </Banner>
        }
        .into_any(),
    }
}

/// What the revocation would break, and whom.
#[component]
fn Broken(impact: Impact) -> impl IntoView {
    let Impact { lost: allowed_30d, lost_24h: allowed_24h, addresses: addresses_30d, last_lost_at: last_allowed_at, callers, .. } = impact;
    let table = (callers_in(&callers) > 0).then(|| {
        view! {
            <section class="tablebox chosen">
                <h2 class="sr" id="refused">"Callers that would be refused"</h2>
                <Callers seen=callers head="Caller" labelled="refused" most=5/>
            </section>
        }
        .into_any()
    });
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
            {table}
        }
        .into_any();
    }
    let requests = counted(allowed_30d, "request");
    let addresses = counted(addresses_30d, "address");
    view! {
        <Banner tone=Tone::Danger>
            <p><b>{format!("{requests} of the last 30 days would have been refused.")}</b></p>
            <p class="soft">
                {format!("They came from {addresses}, {} in the last 24 hours", thousands(allowed_24h))}
                {last_allowed_at.map(|at| view! { "; the last one "<Time at/> }.into_any())}
                "."
            </p>
        </Banner>
        {table}
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
                    {key.revoked_at.map(|at| view! { " since "<Time at form=TimeForm::Full/> }.into_any())}
                    ". There is nothing left to do."
                </p>
            </div>
            <div class="row"><a class="btn btn--primary" href=key_href(key.id)>"Go to the key"</a></div>
        </div>
    }
}
