//! `/settings/policies`: what the tenant demands of its keys. What would not meet it is shown before anything is saved.

use super::{Tabs, crumbs};
use crate::{
    components::{Banner, ErrorSummary, PageTitle, TextField, Tone},
    icon::{Icon, IconName},
    numbers::counted,
    returned::{Returned, returned},
    ssr::ReviewedPolicies,
    url::key_href,
    visit::{Shown, framed},
};
use contract::{KeyPolicy, Perm, PoliciesForm, TenantSettings, Violation, Violations};
use domain::tenants;
use leptos::prelude::*;

/// `/settings/policies`
#[component]
pub fn PoliciesPage() -> impl IntoView {
    framed(|visit| async move {
        let TenantSettings { policies, violations } = tenants::settings(&visit.ctx).await?;
        let review = use_context::<ReviewedPolicies>();
        let back = returned::<PoliciesForm>();
        let saved = visit.query.get_str("saved").is_some() && review.is_none() && back.is_none();
        let form = if visit.chrome.role.holds(Perm::PoliciesWrite) {
            view! { <Form now=PoliciesForm::from(&policies) review=review.clone() back/> }.into_any()
        } else {
            view! { <Plain form=PoliciesForm::from(&policies)/> }.into_any()
        };
        let standing = review.is_none().then(|| view! { <Standing violations/> }.into_any());
        let body = view! {
            <div class="page__head"><PageTitle>"Policies"</PageTitle></div>
            <Tabs here="/settings/policies"/>
            <div class="stack narrow">
                {saved.then(|| view! { <p class="row small ok" role="status"><Icon name=IconName::CircleCheck/>"Saved. It holds for every key that is made or changed from now on."</p> }.into_any())}
                <p class="small soft">"Keys that exist go on as they are; those that do not meet a policy are listed."</p>
                {form}
                {standing}
            </div>
        };
        Ok(Shown::new(crumbs("Policies"), body))
    })
}

#[component]
fn Plain(form: PoliciesForm) -> impl IntoView {
    let days = |text: String| if text.is_empty() { "for ever".to_owned() } else { format!("{text} days") };
    let yes = |ticked: Option<String>| if ticked.is_some() { "required" } else { "not required" };
    view! {
        <section class="card">
            <div class="card__body">
                <dl class="dl">
                    <dt>"Keys work"</dt><dd>{days(form.max_key_lifetime_days)}</dd>
                    <dt>"Addresses"</dt><dd>{yes(form.require_allowlist)}</dd>
                    <dt>"Owner"</dt><dd>{yes(form.require_owner)}</dd>
                    <dt>"Log is kept"</dt><dd>{days(form.retention_days)}</dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Form(now: PoliciesForm, review: Option<ReviewedPolicies>, back: Option<Returned<PoliciesForm>>) -> impl IntoView {
    let (errors, message) = back.as_ref().map(|b| (b.errors.clone(), b.message.clone())).unwrap_or_default();
    let form = back.map(|b| b.form).or_else(|| review.as_ref().map(|r| r.form.clone())).unwrap_or(now);
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let next = match review {
        Some(review) => view! { <Review review/> }.into_any(),
        None => view! { <div class="row"><button class="btn btn--primary" type="submit" name="act" value="review">"Review change"</button></div> }.into_any(),
    };
    view! {
        <form class="stack" method="post" action="/settings/policies" novalidate=true>
            <ErrorSummary errors=errors.clone() message/>
            <TextField
                name="max_key_lifetime_days"
                label=|| view! { "Keys expire within "<span class="muted">"days; empty means they need not"</span> }
                value=form.max_key_lifetime_days
                hint="Counted from the day on which the expiry is set. Gateway keys are not bound by it."
                error=error("max_key_lifetime_days")
                required=false
            />
            <Tick name="require_allowlist" ticked=form.require_allowlist.is_some() label="Keys name the addresses from which they are used" hint="For live keys the tenant's own list is enough. Gateway keys are not bound by it."/>
            <Tick name="require_owner" ticked=form.require_owner.is_some() label="A member answers for each key" hint="When the member leaves, the key goes on and waits in the queue of orphaned keys."/>
            <TextField
                name="retention_days"
                label=|| view! { "Requests are kept for "<span class="muted">"days; empty means for ever"</span> }
                value=form.retention_days
                hint="Older ones are removed for good. The audit log is kept whole."
                error=error("retention_days")
                required=false
            />
            {next}
        </form>
    }
    .into_any()
}

#[component]
fn Tick(name: &'static str, ticked: bool, label: &'static str, hint: &'static str) -> impl IntoView {
    view! {
        <div class="field">
            <label class="opt" for=name>
                <input class="check" type="checkbox" id=name name=name value="1" checked=ticked aria-describedby=format!("{name}-hint")/>
                {label}
            </label>
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
        </div>
    }
}

/// What would not meet the policies, and the button that saves exactly these.
#[component]
fn Review(review: ReviewedPolicies) -> impl IntoView {
    let ReviewedPolicies { violations, mark, .. } = review;
    let removed = (violations.outdated_events > 0).then(|| {
        let said = format!("{} are older than that and will be removed for good.", counted(violations.outdated_events, "request"));
        view! { <Banner tone=Tone::Danger><p><b>{said}</b></p></Banner> }.into_any()
    });
    let keys = if violations.total == 0 {
        view! { <Banner tone=Tone::Info><p>"Every key meets these policies."</p></Banner> }.into_any()
    } else {
        view! { <Standing violations/> }.into_any()
    };
    view! {
        <section class="stack" id="review" aria-labelledby="review-title">
            <h2 id="review-title">"What this changes"</h2>
            {removed}
            {keys}
            <input type="hidden" name="reviewed" value=mark/>
            <div class="row row--wrap">
                <button class="btn btn--primary" type="submit" name="act" value="save">"Save policies"</button>
                <button class="btn" type="submit" name="act" value="review">"Review again"</button>
                <a class="btn btn--quiet" href="/settings/policies">"Cancel"</a>
            </div>
        </section>
    }
    .into_any()
}

/// Keys that do not meet what is demanded.
#[component]
fn Standing(violations: Violations) -> impl IntoView {
    if violations.total == 0 {
        return ().into_any();
    }
    let rest = violations.total - i64::try_from(violations.first.len()).unwrap_or(0);
    let said = if violations.total == 1 {
        "1 key does not meet this".to_owned()
    } else {
        format!("{} do not meet this", counted(violations.total, "key"))
    };
    let rows = violations.first.into_iter().map(|violation| view! { <Row violation/> }.into_any()).collect_view();
    view! {
        <section class="card card--flag" aria-labelledby="violations">
            <div class="card__head"><h2 id="violations">{said}</h2></div>
            <ul class="rows">
                {rows}
                {(rest > 0).then(|| view! { <li class="soft">{format!("and {}", counted(rest, "further key"))}</li> }.into_any())}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Row(violation: Violation) -> impl IntoView {
    let why = violation.policies.into_iter().map(words).collect::<Vec<_>>().join(", ");
    view! { <li><a class="clip" href=key_href(violation.id)>{violation.name}</a><span class="push soft">{why}</span></li> }
}

const fn words(policy: KeyPolicy) -> &'static str {
    match policy {
        KeyPolicy::MaxLifetime => "works for too long",
        KeyPolicy::Allowlist => "works from anywhere",
        KeyPolicy::Owner => "has no owner",
    }
}
