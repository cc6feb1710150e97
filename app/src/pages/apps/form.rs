//! The form of an app, to register and to edit it: who and what, permissions, sign-in and tokens. What a kind has no use
//! for leaves with the choice of it, by style alone; on an edit the kind stays, and only what fits it is there.

use super::{Endpoints, further::Further, kind_title};
use crate::{
    components::{AreaField, ErrorSummary, FieldError, InTenant, RadioOption, TextField, UnitInput, described_by},
    icon::{Icon, IconName},
    pages::keys::{Permissions, Picks},
    returned::Returned,
    url::app_href,
};
use contract::{App, AppForm, AppKind, Chrome, FieldErrors, ScopeDef};
use leptos::prelude::*;

/// The form, with the addresses that its app will ask.
#[component]
pub fn AppFields(
    /// The frame's contents.
    chrome: Chrome,
    /// The permissions that the tenant knows.
    catalogue: Vec<ScopeDef>,
    /// What was typed before, and what was wrong with it.
    back: Returned<AppForm>,
    /// The most days that a policy of the tenant lets an app go on.
    longest: Option<i64>,
    /// The app that is edited; none registers one.
    #[prop(optional_no_strip)]
    editing: Option<App>,
) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let fixed = editing.as_ref().map(|app| app.kind);
    let action = editing.as_ref().map_or_else(|| "/apps/new".to_owned(), |app| format!("{}/edit", app_href(app.id)));
    let first = fixed.is_none() && errors.is_empty() && message.is_none();
    let form_id = fixed.is_none().then(|| view! { <input type="hidden" name="form_id" value=form.form_id.clone()/> }.into_any());
    let seen = form.seen.clone().map(|seen| view! { <input type="hidden" name="seen" value=seen/> }.into_any());
    let picks = if fixed == Some(AppKind::Machine) { Picks::Machine } else { Picks::App };
    let send = match &editing {
        None => view! {
            <button class="btn btn--primary" type="submit">"Register app"</button>
            <a class="btn btn--quiet" href="/apps">"Cancel"</a>
            <span class="meta push hide-sm not-public">"The secret is shown once, on the next page."</span>
        }
        .into_any(),
        Some(app) => view! {
            <button class="btn btn--primary" type="submit">"Save changes"</button>
            <a class="btn btn--quiet" href=app_href(app.id)>"Cancel"</a>
        }
        .into_any(),
    };
    view! {
        <ErrorSummary errors=errors.clone() message/>
        <form class="cols cols--form" method="post" action=action novalidate=true data-once=""><InTenant/>
            <div>
                {form_id}
                {seen}
                <WhoAndWhat form=form.clone() errors=errors.clone() fixed autofocus=first/>
                <Permissions form=form.picked() errors=errors.clone() catalogue role=chrome.role picks/>
                <SignInAndTokens form errors fixed longest/>
            </div>
            <div class="group group--send">
                <div class="row row--wrap full-sm">{send}</div>
            </div>
            <aside class="stick stack" aria-label="For whoever writes the app">
                <Endpoints public_url=chrome.public_url redirects=fixed.is_none_or(AppKind::redirects)/>
            </aside>
        </form>
    }
    .into_any()
}

/// The class of a part that not every kind has; none where the app that is edited has it not.
pub(super) fn part(fixed: Option<AppKind>, leaves: &'static str, has: impl Fn(AppKind) -> bool) -> Option<&'static str> {
    match fixed {
        None => Some(leaves),
        Some(kind) => has(kind).then_some(""),
    }
}

/// Only what keeps a secret and is allowed things by people.
fn confidential(kind: AppKind) -> bool {
    kind == AppKind::Confidential
}

#[component]
fn WhoAndWhat(form: AppForm, errors: FieldErrors, fixed: Option<AppKind>, autofocus: bool) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let kind = match fixed {
        Some(kind) => view! {
            <p class="small soft">{format!("A {} app. Its kind and its client id stay.", kind_title(kind).to_lowercase())}</p>
        }
        .into_any(),
        None => view! { <Kinds chosen=form.kind.clone() error=error("kind")/> }.into_any(),
    };
    let redirects = part(fixed, "field not-machine", AppKind::redirects).map(|class| {
        view! {
            <AreaField
                class=if class.is_empty() { "field" } else { class }
                name="redirect_uris"
                label=|| "Redirect URIs"
                value=form.redirect_uris.clone()
                hint="One a line, compared to the letter, such as https://app.example.com/callback. On a device: http://127.0.0.1/…, or a scheme of the app’s own for public apps."
                error=error("redirect_uris")
            />
        }
        .into_any()
    });
    view! {
        <section class="group" aria-labelledby="who">
            <div class="group__head"><h2 id="who">"Who and what"</h2></div>
            <TextField
                name="name"
                label=|| "Name"
                value=form.name.clone()
                hint="People see it when they are asked to allow the app."
                error=error("name")
                autofocus
            />
            {kind}
            {redirects}
            <TextField
                name="home_page"
                label=|| view! { "Home page "<span class="muted">"optional"</span> }
                value=form.home_page.clone()
                kind="url"
                hint="Where people can read about it before they allow it."
                error=error("home_page")
                required=false
            />
        </section>
    }
    .into_any()
}

#[component]
fn Kinds(chosen: String, error: Option<String>) -> impl IntoView {
    let kinds = AppKind::ALL
        .iter()
        .map(|kind| {
            let (value, title, what) = (kind.as_str(), kind_title(*kind), kind_words(*kind));
            view! { <RadioOption name="kind" value checked=chosen == value title what/> }.into_any()
        })
        .collect_view();
    let described = described_by("kind", false, error.is_some());
    view! {
        <fieldset class="field" id="kind" tabindex="-1" aria-describedby=described>
            <legend class="label">"Kind"</legend>
            <div class="kinds kinds--one">{kinds}</div>
            <FieldError name="kind" message=error/>
        </fieldset>
    }
    .into_any()
}

const fn kind_words(kind: AppKind) -> &'static str {
    match kind {
        AppKind::Confidential => "Runs on a server that keeps a secret. People allow it what it does.",
        AppKind::Public => "Runs in a browser or on a device, where nothing is secret. PKCE takes the secret’s place.",
        AppKind::Machine => "Acts for itself, without a person: client credentials only.",
    }
}

#[component]
fn SignInAndTokens(form: AppForm, errors: FieldErrors, fixed: Option<AppKind>, longest: Option<i64>) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let pkce = part(fixed, "not-machine not-public", confidential).map(|class| {
        view! {
            <Tick class name="require_pkce" on=form.require_pkce label="Require PKCE" error=error("require_pkce")
                what="Each sign-in is bound to the client that began it. Turn it off only for a client that does not know PKCE."/>
        }
        .into_any()
    });
    let always = part(fixed, "not-machine not-public", AppKind::redirects).map(|class| {
        view! {
            <Tick class name="always_refresh" on=form.always_refresh label="Always issue a refresh token" error=error("always_refresh")
                what="Otherwise only when it asks for offline_access."/>
        }
        .into_any()
    });
    let rotate = part(fixed, "not-machine not-public", confidential).map(|class| {
        view! {
            <Tick class name="rotate_refresh_tokens" on=form.rotate_refresh_tokens label="Each refresh token works once" error=error("rotate_refresh_tokens")
                what="Every use brings the next one, and a second use of the same ends the sign-in."/>
        }
        .into_any()
    });
    let public = part(fixed, "only-public", |kind| kind == AppKind::Public).map(|class| {
        let class = if class.is_empty() { "row row--top small soft" } else { "only-public row row--top small soft" };
        view! {
            <p class=class>
                <Icon name=IconName::Info/>
                <span>"Public apps always use PKCE, and each of their refresh tokens works once."</span>
            </p>
        }
        .into_any()
    });
    view! {
        <section class="group" aria-labelledby="tokens">
            <div class="group__head"><h2 id="tokens">"Sign-in and tokens"</h2></div>
            {public}
            {pkce}
            {always}
            {rotate}
            <Lifetimes form=form.clone() errors=errors.clone() fixed longest/>
            <Further form errors fixed/>
        </section>
    }
    .into_any()
}

/// How long its tokens work.
#[component]
fn Lifetimes(form: AppForm, errors: FieldErrors, fixed: Option<AppKind>, longest: Option<i64>) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let days = part(fixed, "not-machine", AppKind::redirects).map(|class| {
        let hint = match longest.filter(|days| *days < 365) {
            Some(days) => format!("1 to {days}, by a policy of the tenant: how long it goes on without the person."),
            None => "1 to 365: how long it goes on without the person.".to_owned(),
        };
        view! {
            <div class=class>
                <Lifetime name="refresh_token_days" label="Refresh tokens work" unit="days" value=form.refresh_token_days.clone() error=error("refresh_token_days") hint/>
            </div>
        }
        .into_any()
    });
    view! {
        <div class="pair">
            <Lifetime name="access_token_seconds" label="Access tokens work" unit="seconds" value=form.access_token_seconds.clone() error=error("access_token_seconds") hint="60 to 3600.".to_owned()/>
            {days}
        </div>
    }
    .into_any()
}

#[component]
fn Lifetime(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    value: String,
    error: Option<String>,
    hint: String,
) -> impl IntoView {
    let bad = error.is_some();
    view! {
        <div class="field">
            <label class="label" for=name>{label}</label>
            <UnitInput name unit value described=described_by(name, true, bad) invalid=bad/>
            <FieldError name message=error/>
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
        </div>
    }
    .into_any()
}

/// A choice between yes and no.
#[component]
pub(super) fn Tick(
    /// When it is there.
    class: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// Whether it is ticked.
    on: bool,
    /// What is chosen.
    label: &'static str,
    /// What that means.
    what: &'static str,
    /// What is wrong.
    error: Option<String>,
) -> impl IntoView {
    let bad = error.is_some();
    view! {
        <div class=class>
            <label class="opt">
                <input class="check" type="checkbox" id=name name=name value="true" checked=on aria-invalid=bad.then_some("true") aria-describedby=described_by(name, true, bad)/>
                <span class="opt__t"><span>{label}</span></span>
            </label>
            <p class="hint hint--tick" id=format!("{name}-hint")>{what}</p>
            <FieldError name message=error/>
        </div>
    }
    .into_any()
}
