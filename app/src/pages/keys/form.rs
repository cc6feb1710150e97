//! The form of a key, to create and to edit it: who and what, permissions, limits, and the sentence that says it in
//! plain words.

use super::{kind_title, permissions::Permissions};
use crate::{
    components::{AreaField, ErrorSummary, FieldError, InTenant, RadioOption, TextArea, TextField, UnitInput, described_by},
    icon::{Icon, IconName},
    islands::KeySummary,
    numbers::counted,
    returned::Returned,
    url::key_href,
};
use contract::{ApiKey, Chrome, Environment, Expiry, FieldErrors, KeyForm, KeyKind, KeyRules, ScopeDef};
use leptos::prelude::*;

/// The form with its summary.
#[component]
pub fn KeyFields(
    /// The frame's contents.
    chrome: Chrome,
    /// The permissions that the tenant knows.
    catalogue: Vec<ScopeDef>,
    /// What the tenant demands of keys.
    rules: KeyRules,
    /// What was typed before, and what was wrong with it.
    back: Returned<KeyForm>,
    /// The key that is edited; none creates one.
    #[prop(optional_no_strip)]
    editing: Option<ApiKey>,
    /// What stands above the summary.
    #[prop(optional_no_strip)]
    aside: Option<AnyView>,
) -> impl IntoView {
    let Returned { mut form, errors, message } = back;
    // The islands of the form need what was typed, not the id that makes posting it twice act once.
    let (form_id, seen) = (std::mem::take(&mut form.form_id), form.seen.take());
    let action = editing.as_ref().map_or_else(|| "/keys/new".to_owned(), |key| format!("{}/edit", key_href(key.id)));
    let first = editing.is_none() && errors.is_empty() || errors.get("name").is_some();
    let all = chrome.role.acts_on_all_keys();
    // A form that nobody has filled in says nothing yet, and without script it stays that way.
    let blank = editing.is_none() && errors.is_empty() && message.is_none();
    let hidden = if editing.is_some() {
        // What stays is not posted as a choice, but the sentence is about it.
        view! {
            <input type="hidden" name="environment" value=form.environment.clone()/>
            <input type="hidden" name="kind" value=form.kind.clone()/>
            <input type="hidden" name="seen" value=seen/>
        }
        .into_any()
    } else {
        view! { <input type="hidden" name="form_id" value=form_id/> }.into_any()
    };
    let send = match &editing {
        None => view! {
            <button class="btn btn--primary" type="submit">"Create key"</button>
            <a class="btn btn--quiet" href="/keys">"Cancel"</a>
            <span class="meta push hide-sm">"The secret is shown once, on the next page."</span>
        }
        .into_any(),
        Some(key) => view! {
            <button class="btn btn--primary" type="submit" name="do" value="save">"Save changes"</button>
            <button class="btn" type="submit" name="do" value="preview">"Preview impact"</button>
            <a class="btn btn--quiet" href=key_href(key.id)>"Cancel"</a>
        }
        .into_any(),
    };
    view! {
        <ErrorSummary errors=errors.clone() message/>
        <form class="cols cols--form" method="post" action=action novalidate=true data-once=""><InTenant/>
            <div>
                {hidden}
                <WhoAndWhat form=form.clone() errors=errors.clone() sandbox=chrome.sandbox fixed=editing.as_ref().map(|k| k.kind) autofocus=first all/>
                <Permissions form=form.clone() errors=errors.clone() catalogue role=chrome.role/>
                <Limits form=form.clone() errors address=chrome.address rules/>
            </div>
            <aside class="stick stack" aria-label="Summary">
                {aside}
                <section class="card">
                    <div class="card__head"><h2>"In plain words"</h2></div>
                    <div class="card__body">
                        <div data-js=blank.then_some("")><KeySummary form/></div>
                        {blank.then(|| view! { <noscript><p class="small soft">"What the key may do stands here in words once the form was sent and something needs a change."</p></noscript> }.into_any())}
                    </div>
                </section>
            </aside>
            <div class="group group--send">
                <div class="row row--wrap full-sm">{send}</div>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn WhoAndWhat(form: KeyForm, errors: FieldErrors, sandbox: bool, fixed: Option<KeyKind>, autofocus: bool, all: bool) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let what = match fixed {
        Some(kind) => view! {
            <p class="small soft">{format!("A {}, {}. Its kind and environment stay; the secret stays too.", kind_title(kind).to_lowercase(), form.environment)}</p>
        }
        .into_any(),
        None => view! { <Choices form=form.clone() errors=errors.clone() sandbox/> }.into_any(),
    };
    let hint = if fixed.is_some() {
        "An address of a member. Asked before the key expires; a key without an owner waits in a queue."
    } else {
        "An address of a member; empty means you. Asked before the key expires."
    };
    view! {
        <section class="group" aria-labelledby="who">
            <div class="group__head"><h2 id="who">"Who and what"</h2></div>
            <TextField
                name="name"
                label=|| "Name"
                value=form.name.clone()
                hint="The service that will call with it. Shown in lists, logs and audit."
                error=error("name")
                autofocus
            />
            {what}
            {all.then(|| {
                view! {
                    <TextField
                        name="owner"
                        label=|| view! { "Owner "<span class="muted">"optional"</span> }
                        value=form.owner.clone().unwrap_or_default()
                        hint
                        error=error("owner")
                        required=false
                    />
                }.into_any()
            })}
        </section>
    }
    .into_any()
}

#[component]
fn Choices(form: KeyForm, errors: FieldErrors, sandbox: bool) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
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
            let (value, (title, what)) = (kind.as_str(), kind_words(*kind));
            view! { <RadioOption name="kind" value checked=form.kind == value title what/> }.into_any()
        })
        .collect_view();
    view! {
        <fieldset class="field" id="environment" tabindex="-1" aria-describedby=described_by("environment", false, errors.get("environment").is_some())>
            <legend class="label">"Environment"</legend>
            <div class="seg full-sm">{environments}</div>
            <FieldError name="environment" message=error("environment")/>
            <p class="only-gateway row row--top small soft">
                <Icon name=IconName::Info/>
                <span>"A gateway key decides about live and test keys alike. The environment only says in which of your lists it stands."</span>
            </p>
        </fieldset>
        <fieldset class="field" id="kind" tabindex="-1" aria-describedby=described_by("kind", false, errors.get("kind").is_some())>
            <legend class="label">"Kind"</legend>
            <div class="kinds">{kinds}</div>
            <FieldError name="kind" message=error("kind")/>
        </fieldset>
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
fn Limits(form: KeyForm, errors: FieldErrors, address: Option<String>, rules: KeyRules) -> impl IntoView {
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
    let limit = rules
        .max_lifetime_days
        .map(|days| format!("A policy of the tenant: keys expire within {}. Gateway keys are not bound by it.", counted(days, "day")));
    let (asked, listed) = match (rules.require_allowlist, rules.tenant_list) {
        (false, _) => ("optional", "Empty means from anywhere."),
        (true, false) => ("required by a policy", "A policy of the tenant asks for at least one, but for gateway keys."),
        (true, true) => (
            "required by a policy",
            "A policy of the tenant asks for at least one; for live keys its own list is enough, and gateway keys need none.",
        ),
    };
    let limited = limit.is_some();
    let bad_date = errors.get("expires_at").is_some();
    let bad_ips = errors.get("allowed_ips").is_some();
    view! {
        <section class="group" aria-labelledby="limits">
            <div class="group__head"><h2 id="limits">"Limits"</h2></div>
            <fieldset class="field" id="expires" tabindex="-1" aria-describedby=described_by("expires", limited, errors.get("expires").is_some())>
                <legend class="label">"Expires"</legend>
                <div class="seg seg--scroll">{choices.into_iter().collect_view()}</div>
                <FieldError name="expires" message=error("expires")/>
                {limit.map(|limit| view! { <p class="hint" id="expires-hint">{limit}</p> }.into_any())}
                <p class="only-gateway not-never row row--top small warn">
                    <Icon name=IconName::TriangleAlert/>
                    <span>"When a gateway’s key expires, every request behind the gateway is refused. Choose Never, or replace it in time."</span>
                </p>
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
                    <label class="label" for="allowed_ips">"Allowed addresses "<span class="muted">{asked}</span></label>
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
                <p class="hint" id="allowed_ips-hint">"One address or network a line, such as 203.0.113.0/24. "{listed}</p>
            </div>
            <Rate form=form.clone() errors=errors.clone()/>
            <Further form errors/>
        </section>
    }
    .into_any()
}

#[component]
fn Rate(form: KeyForm, errors: FieldErrors) -> impl IntoView {
    let fields = [("per_hour", "Requests per hour", "per hour", form.per_hour), ("per_second", "Burst", "per second", form.per_second)];
    let fields = fields
        .into_iter()
        .map(|(name, label, unit, value)| {
            let message = errors.get(name).map(str::to_owned);
            let bad = message.is_some();
            let described = if bad { format!("{name}-error rate-hint") } else { "rate-hint".to_owned() };
            view! {
                <div class="field">
                    <label class="label" for=name>{label}" "<span class="muted">"optional"</span></label>
                    <UnitInput name unit value=value.unwrap_or_default() described=Some(described) invalid=bad/>
                    <FieldError name message/>
                </div>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <div class="field">
            <div class="pair">{fields}</div>
            <p class="hint" id="rate-hint">"Both or none: empty means the limit of your plan. More is refused until the hour or second has passed."</p>
        </div>
    }
    .into_any()
}

/// What few keys need.
#[component]
fn Further(form: KeyForm, errors: FieldErrors) -> impl IntoView {
    let (not_before, metadata) = (form.not_before.unwrap_or_default(), form.metadata.unwrap_or_default());
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let bad_date = errors.get("not_before").is_some();
    let open = bad_date || errors.get("metadata").is_some() || !not_before.is_empty() || !metadata.is_empty();
    view! {
        <details class="further" open=open>
            <summary class="small soft"><Icon name=IconName::ChevronRight turns=true/>"Start date, metadata"</summary>
            <div class="stack further__body">
                <div class="field">
                    <label class="label" for="not_before">"Valid from, UTC "<span class="muted">"optional"</span></label>
                    <input
                        class="input"
                        type="datetime-local"
                        id="not_before"
                        name="not_before"
                        value=not_before
                        autocomplete="off"
                        aria-invalid=bad_date.then_some("true")
                        aria-describedby=described_by("not_before", true, bad_date)
                    />
                    <FieldError name="not_before" message=error("not_before")/>
                    <p class="hint" id="not_before-hint">"Requests before that are refused. Empty means at once."</p>
                </div>
                <AreaField
                    name="metadata"
                    label=|| view! { "Metadata "<span class="muted">"optional"</span> }
                    value=metadata
                    hint="A JSON object of at most 16 kB, such as {\"cost_centre\": \"4100\"}. Services that verify the key receive it."
                    error=error("metadata")
                />
            </div>
        </details>
    }
    .into_any()
}
