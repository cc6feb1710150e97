//! `/account/two-factor`: an authenticator app as second factor, and the codes for when it is lost. Secret and codes
//! stand in the answer to a POST and nowhere else.

use super::{CodeField, EndOthers, Tabs, crumbs};
use crate::{
    actions::AccountForm,
    components::{Banner, ErrorSummary, PageTitle, TextField, Time, Tone},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{Enrolment, RecoveryCodes, TwoFactorState, UnixMs};
use domain::identity;
use leptos::prelude::*;

/// Codes that are left when new ones are advised.
const FEW: i64 = 3;

/// `/account/two-factor`
#[component]
pub fn TwoFactorPage() -> impl IntoView {
    framed(|visit| async move {
        let state = identity::two_factor_state(&visit.ctx).await?;
        let wants_code = identity::wants_code(&visit.ctx).await?;
        let back = returned::<AccountForm>().unwrap_or_default();
        let part = if let Some(codes) = use_context::<RecoveryCodes>() {
            view! { <Codes codes/> }.into_any()
        } else if let Some(enrolment) = use_context::<Enrolment>() {
            view! { <Enrol enrolment back/> }.into_any()
        } else if let TwoFactorState { on_since: Some(since), codes_left } = state {
            view! { <On since codes_left wants_code back/> }.into_any()
        } else {
            view! { <Off back/> }.into_any()
        };
        let required = (state.on_since.is_none() && visit.ctx.enrolled().is_err())
            .then(|| view! { <Required tenant=visit.chrome.tenant/> }.into_any());
        let body = view! {
            <div class="page__head"><PageTitle>"Two-factor sign-in"</PageTitle></div>
            <Tabs here="/account/two-factor"/>
            <div class="stack narrow">{required}{part}</div>
        };
        Ok(Shown::new(crumbs("Two-factor sign-in"), body))
    })
}

/// Why every other page led here.
#[component]
fn Required(tenant: String) -> impl IntoView {
    let said = format!("{tenant} requires a second factor. Set one up to go on: until then nothing else of this tenant opens for you.");
    view! { <Banner tone=Tone::Warn><p>{said}</p></Banner> }
}

#[component]
fn Off(back: Returned<AccountForm>) -> impl IntoView {
    view! {
        <ErrorSummary errors=back.errors message=back.message/>
        <p>"Your password is all that stands between anybody and this console. With a second factor they need your phone too."</p>
        <p class="small soft">"Any authenticator app does: codes of six digits, made on your device, without a network."</p>
        <form method="post" action="/account/two-factor">
            <button class="btn btn--primary" type="submit" name="act" value="begin">"Set up an authenticator app"</button>
        </form>
    }
    .into_any()
}

#[component]
fn Enrol(enrolment: Enrolment, back: Returned<AccountForm>) -> impl IntoView {
    let Enrolment { secret, uri, qr, side } = enrolment;
    let error = back.errors.get("code").map(str::to_owned);
    let grouped = secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
    view! {
        <section class="card">
            <div class="card__head"><h2>"Scan this with your app"</h2></div>
            <div class="card__body stack">
                <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label="QR code for an authenticator app; its secret stands below as text">
                    <path d=qr></path>
                </svg>
                <p class="small soft">"Or type this secret: time-based, six digits. It is shown now and never again. On this device, "<a href=uri>"open your app"</a>"."</p>
                <p class="mono anywhere" id="totp-secret">{grouped}</p>
                <form class="stack" method="post" action="/account/two-factor" novalidate=true>
                    <CodeField error autofocus=true or_recovery=false/>
                    <EndOthers/>
                    <div class="row row--wrap">
                        <button class="btn btn--primary" type="submit" name="act" value="on">"Turn on"</button>
                        <a class="btn btn--quiet" href="/account/two-factor">"Cancel"</a>
                    </div>
                </form>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Codes(codes: RecoveryCodes) -> impl IntoView {
    let text = codes.0.join("\n");
    // A file made of the page itself: nothing is fetched, and nothing is sent.
    let file = format!("data:text/plain;charset=utf-8,{}%0A", text.replace('\n', "%0A"));
    view! {
        <p class="row small ok" role="status"><Icon name=IconName::CircleCheck/>"Two-factor sign-in is on."</p>
        <section class="card" data-guard="">
            <div class="card__head"><h2>"Store your recovery codes now"</h2></div>
            <div class="card__body stack">
                <p>"Each of them replaces your app once. This page is the only place they ever appear; older ones work no more."</p>
                <pre class="codes" id="recovery-codes" tabindex="0" role="region" aria-label="Recovery codes">{text}</pre>
                <div class="row row--wrap">
                    <a class="btn" href=file download="keystead-recovery-codes.txt"><Icon name=IconName::Download/>"Download"</a>
                    <button class="btn" type="button" data-js="" data-copy="#recovery-codes" data-stored=""><Icon name=IconName::Copy/>"Copy"</button>
                </div>
                <p class="small soft">"Or print this page, and keep it where you keep papers."</p>
                <form class="gate" method="get" action="/account/two-factor">
                    <label class="opt"><input class="check" type="checkbox" required=true data-stored-box=""/>"I have stored them where I find them without my phone"</label>
                    <div class="row"><button class="btn btn--primary" type="submit">"Done"</button></div>
                </form>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn On(since: UnixMs, codes_left: i64, wants_code: bool, back: Returned<AccountForm>) -> impl IntoView {
    let error = |name: &str| back.errors.get(name).map(str::to_owned);
    let few = (codes_left <= FEW).then(|| {
        view! { <Banner tone=Tone::Warn><p>"Few recovery codes are left. Make new ones before your app is lost."</p></Banner> }.into_any()
    });
    let left = match codes_left {
        1 => "1 recovery code is left.".to_owned(),
        n => format!("{n} recovery codes are left."),
    };
    view! {
        <ErrorSummary errors=back.errors.clone() message=back.message.clone()/>
        <p class="row"><span class="badge badge--ok">"On"</span>"An authenticator app, since "<Time at=since/></p>
        {few}
        <section class="card">
            <div class="card__head"><h2>"Recovery codes"</h2></div>
            <form class="card__body stack" method="post" action="/account/two-factor">
                <p class="small soft">{left}" New ones replace them all."</p>
                <div class="row"><button class="btn" type="submit" name="act" value="codes"><Icon name=IconName::RefreshCw/>"Make new codes"</button></div>
            </form>
        </section>
        <section class="card">
            <div class="card__head"><h2>"Turn off"</h2></div>
            <form class="card__body stack" method="post" action="/account/two-factor" novalidate=true>
                <p class="small soft">"Your password alone then opens this console, so it must have at least 15 characters. The recovery codes work no more."</p>
                <TextField name="password" label=|| "Password" kind="password" autocomplete="current-password" error=error("password")/>
                {wants_code.then(|| view! { <CodeField error=error("code")/> }.into_any())}
                <EndOthers/>
                <div class="row"><button class="btn btn--danger" type="submit" name="act" value="off">"Turn off two-factor sign-in"</button></div>
            </form>
        </section>
    }
    .into_any()
}
