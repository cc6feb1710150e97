//! The create form: who and what, permissions, limits, and the sentence that says it in plain words.

use super::permissions::Permissions;
use crate::{
    components::{ErrorSummary, FieldError, TextArea, TextField, described_by},
    icon::{Icon, IconName},
    islands::KeySummary,
    returned::Returned,
};
use contract::{Chrome, Environment, Expiry, FieldErrors, KeyForm, KeyKind, ScopeDef};
use leptos::prelude::*;

/// The create form with its summary.
#[component]
pub fn CreateForm(
    /// The frame's contents.
    chrome: Chrome,
    /// The permissions that the tenant knows.
    catalogue: Vec<ScopeDef>,
    /// What was typed before, and what was wrong with it.
    back: Returned<KeyForm>,
) -> impl IntoView {
    let Returned { mut form, errors, message } = back;
    // The islands of the form need what was typed, not the id that makes posting it twice act once.
    let form_id = std::mem::take(&mut form.form_id);
    view! {
        <ErrorSummary errors=errors.clone() message/>
        <form class="cols cols--form" method="post" action="/keys/new" novalidate=true data-once="">
            <div>
                <input type="hidden" name="form_id" value=form_id/>
                <WhoAndWhat form=form.clone() errors=errors.clone() sandbox=chrome.sandbox/>
                <Permissions form=form.clone() errors=errors.clone() catalogue role=chrome.role/>
                <Limits form=form.clone() errors address=chrome.address/>
            </div>
            <aside class="stick stack" aria-label="Summary">
                <section class="card">
                    <div class="card__head"><h2>"In plain words"</h2></div>
                    <div class="card__body"><KeySummary form/></div>
                </section>
            </aside>
            <div class="group group--send">
                <div class="row row--wrap full-sm">
                    <button class="btn btn--primary" type="submit">"Create key"</button>
                    <a class="btn btn--quiet" href="/keys">"Cancel"</a>
                    <span class="meta push hide-sm">"The secret is shown once, on the next page."</span>
                </div>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn WhoAndWhat(form: KeyForm, errors: FieldErrors, sandbox: bool) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let first_is_wrong = errors.is_empty() || errors.get("name").is_some();
    let environments = Environment::ALL.iter().filter(|e| !sandbox || **e == Environment::Test);
    let environments = environments
        .map(|e| {
            let (label, checked) =
                if *e == Environment::Live { ("Live", form.environment == "live") } else { ("Test", form.environment == "test") };
            view! {
                <label class=e.as_str()>
                    <input type="radio" name="environment" value=e.as_str() checked=checked/>
                    <span class="dotsq"></span>
                    {label}
                </label>
            }
            .into_any()
        })
        .collect_view();
    let kinds = KeyKind::ALL
        .iter()
        .map(|kind| {
            let (name, what) = kind_words(*kind);
            view! {
                <label class="opt">
                    <input class="check check--radio" type="radio" name="kind" value=kind.as_str() checked=form.kind == kind.as_str()/>
                    <span class="opt__t"><b>{name}</b><span class="meta">{what}</span></span>
                </label>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <section class="group" aria-labelledby="who">
            <div class="group__head"><h2 id="who">"Who and what"</h2></div>
            <TextField
                name="name"
                label=|| "Name"
                value=form.name.clone()
                hint="The service that will call with it. Shown in lists, logs and audit."
                error=error("name")
                autofocus=first_is_wrong
            />
            <fieldset class="field" id="environment" tabindex="-1" aria-describedby=described_by("environment", false, errors.get("environment").is_some())>
                <legend class="label">"Environment"</legend>
                <div class="seg full-sm">{environments}</div>
                <FieldError name="environment" message=error("environment")/>
            </fieldset>
            <fieldset class="field" id="kind" tabindex="-1" aria-describedby=described_by("kind", false, errors.get("kind").is_some())>
                <legend class="label">"Kind"</legend>
                <div class="kinds">{kinds}</div>
                <FieldError name="kind" message=error("kind")/>
            </fieldset>
        </section>
    }
    .into_any()
}

const fn kind_words(kind: KeyKind) -> (&'static str, &'static str) {
    match kind {
        KeyKind::Secret => ("Secret", "For a server of yours. Any permission."),
        KeyKind::Restricted => ("Restricted", "Named permissions only, never admin."),
        KeyKind::Tenant => ("Tenant", "Carries your tenant's name and never leaves it."),
        KeyKind::Gateway => ("Gateway", "For a gateway that asks Keystead for decisions."),
    }
}

#[component]
fn Limits(form: KeyForm, errors: FieldErrors, address: Option<String>) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let choices = Expiry::ALL.map(|e| {
        view! {
            <label>
                <input type="radio" name="expires" value=e.as_str() checked=form.expires == e.as_str()/>
                {e.label()}
            </label>
        }
        .into_any()
    });
    let bad_date = errors.get("expires_at").is_some();
    let bad_ips = errors.get("allowed_ips").is_some();
    view! {
        <section class="group" aria-labelledby="limits">
            <div class="group__head"><h2 id="limits">"Limits"</h2></div>
            <fieldset class="field" id="expires" tabindex="-1" aria-describedby=described_by("expires", false, errors.get("expires").is_some())>
                <legend class="label">"Expires"</legend>
                <div class="seg seg--scroll">{choices.into_iter().collect_view()}</div>
                <FieldError name="expires" message=error("expires")/>
                <p class="only-never row row--top small warn">
                    <Icon name=IconName::TriangleAlert/>
                    <span>"It works until somebody revokes it. Choose a date where you can."</span>
                </p>
            </fieldset>
            <div class="field only-custom">
                <label class="label" for="expires_at">"Date and time, UTC"</label>
                <input
                    class="input"
                    type="datetime-local"
                    id="expires_at"
                    name="expires_at"
                    value=form.expires_at.clone()
                    autocomplete="off"
                    aria-invalid=bad_date.then_some("true")
                    aria-describedby=described_by("expires_at", false, bad_date)
                />
                <FieldError name="expires_at" message=error("expires_at")/>
            </div>
            <div class="field">
                <div class="row row--wrap">
                    <label class="label" for="allowed_ips">"Allowed addresses "<span class="muted">"optional"</span></label>
                    {address.map(|address| {
                        view! {
                            <button class="btn btn--quiet btn--sm push" type="button" data-js="" data-append="#allowed_ips" data-line=address.clone()>
                                <Icon name=IconName::Plus/>
                                {format!("Add mine, {address}")}
                            </button>
                        }.into_any()
                    })}
                </div>
                <TextArea name="allowed_ips" value=form.allowed_ips.clone() described=described_by("allowed_ips", true, bad_ips) invalid=bad_ips/>
                <FieldError name="allowed_ips" message=error("allowed_ips")/>
                <p class="hint" id="allowed_ips-hint">"One address or network a line, such as 203.0.113.0/24. Empty means from anywhere."</p>
            </div>
        </section>
    }
    .into_any()
}
