//! `/settings/policies`: what the tenant demands of its keys and people. Who and what would not meet it is shown before
//! anything is saved.

use super::{Tabs, crumbs};
use crate::{
    components::{Banner, ErrorSummary, FieldError, PageTitle, TextField, Tone, described_by},
    icon::{Icon, IconName},
    numbers::counted,
    returned::{Returned, returned},
    ssr::ReviewedPolicies,
    url::key_href,
    visit::{Shown, framed},
};
use contract::{ErrorForm, KeyPolicy, Perm, PoliciesForm, TenantSettings, Unenrolled, Violation, Violations};
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
                {saved.then(|| view! { <p class="row small ok" role="status"><Icon name=IconName::CircleCheck/>"Saved. It holds for people at once, and for every key that is made or changed from now on."</p> }.into_any())}
                <p class="small soft">"Keys that exist go on as they are; what is asked of people holds at once. Who and what does not meet a policy is listed."</p>
                {form}
                {standing}
            </div>
        };
        Ok(Shown::new(crumbs("Policies"), body))
    })
}

#[component]
fn Plain(form: PoliciesForm) -> impl IntoView {
    let days = |text: String| match text.as_str() {
        "" => "for ever".to_owned(),
        "1" => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let yes = |ticked: Option<String>| if ticked.is_some() { "required" } else { "not required" };
    let time = |text: String, unit: &str, none: &str| if text.is_empty() { none.to_owned() } else { format!("{text} {unit}") };
    let errors = form.error_form.parse().map_or("the installation's", form_words);
    view! {
        <section class="card">
            <div class="card__body">
                <dl class="dl">
                    <dt>"Keys work"</dt><dd>{days(form.max_key_lifetime_days)}</dd>
                    <dt>"Addresses"</dt><dd>{yes(form.require_allowlist)}</dd>
                    <dt>"Owner"</dt><dd>{yes(form.require_owner)}</dd>
                    <dt>"Second factor"</dt><dd>{yes(form.require_second_factor)}</dd>
                    <dt>"Signed in without a request"</dt><dd>{time(form.session_idle_minutes, "minutes", "12 hours")}</dd>
                    <dt>"Signed in at most"</dt><dd>{time(form.session_lifetime_hours, "hours", "7 days")}</dd>
                    <dt>"Form of errors"</dt><dd>{errors}</dd>
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
            <Tick name="require_allowlist" ticked=form.require_allowlist.is_some() label="Keys name the addresses from which they are used" hint="For live keys the tenant's own list is enough. Gateway keys are not bound by it." error=error("require_allowlist")/>
            <Tick name="require_owner" ticked=form.require_owner.is_some() label="A member answers for each key" hint="When the member leaves, the key goes on and waits in the queue of orphaned keys." error=error("require_owner")/>
            <Tick name="require_second_factor" ticked=form.require_second_factor.is_some() label="Members sign in with a second factor" hint="Who has none can only set one up, and their sign-ins over the API end. API keys go on." error=error("require_second_factor")/>
            <TextField
                name="session_idle_minutes"
                label=|| view! { "Console sessions end without a request after "<span class="muted">"minutes, 15 to 720; empty means 12 hours"</span> }
                value=form.session_idle_minutes
                error=error("session_idle_minutes")
                required=false
            />
            <TextField
                name="session_lifetime_hours"
                label=|| view! { "Who signed in signs in again after "<span class="muted">"hours, 1 to 168; empty means 7 days"</span> }
                value=form.session_lifetime_hours
                hint="In the console and over the API, and for those who are signed in now."
                error=error("session_lifetime_hours")
                required=false
            />
            <FormField chosen=form.error_form error=error("error_form")/>
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
fn Tick(name: &'static str, ticked: bool, label: &'static str, hint: &'static str, error: Option<String>) -> impl IntoView {
    let described = described_by(name, true, error.is_some());
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="field">
            <label class="opt" for=name>
                <input class="check" type="checkbox" id=name name=name value="1" checked=ticked aria-invalid=invalid aria-describedby=described/>
                {label}
            </label>
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
            <FieldError name message=error/>
        </div>
    }
}

/// The forms of errors, and the installation's.
#[component]
fn FormField(chosen: String, error: Option<String>) -> impl IntoView {
    let invalid = error.is_some();
    let options = ErrorForm::ALL
        .iter()
        .map(|form| view! { <option value=form.as_str() selected=form.as_str() == chosen>{form_words(*form)}</option> }.into_any());
    view! {
        <div class="field">
            <label class="label" for="error_form">"Form of errors "<span class="muted">"for requests with a credential of this tenant"</span></label>
            <span class="selectbox">
                <select class="select" id="error_form" name="error_form" aria-invalid=invalid.then_some("true") aria-describedby=described_by("error_form", false, invalid)>
                    <option value="">"As the installation has it"</option>
                    {options.collect_view()}
                </select>
                <Icon name=IconName::ChevronDown/>
            </span>
            <FieldError name="error_form" message=error/>
        </div>
    }
    .into_any()
}

const fn form_words(form: ErrorForm) -> &'static str {
    match form {
        ErrorForm::Standard => "Standard: problem details with code and message",
        ErrorForm::Flat => "Flat: error, message and request id",
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
    let keys = if violations.none() {
        view! { <Banner tone=Tone::Info><p>"Everybody and every key meets these policies."</p></Banner> }.into_any()
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

/// Who and what does not meet what is demanded.
#[component]
fn Standing(violations: Violations) -> impl IntoView {
    let people = (violations.unenrolled_total > 0)
        .then(|| view! { <People total=violations.unenrolled_total first=violations.unenrolled.clone()/> }.into_any());
    let keys = (violations.total > 0).then(|| view! { <Keys violations/> }.into_any());
    view! {
        {people}
        {keys}
    }
    .into_any()
}

/// Members who have to set up a second factor.
#[component]
fn People(total: i64, first: Vec<Unenrolled>) -> impl IntoView {
    let rest = total - i64::try_from(first.len()).unwrap_or(0);
    let said = if total == 1 {
        "1 member has to set up a second factor".to_owned()
    } else {
        format!("{} have to set up a second factor", counted(total, "member"))
    };
    let rows = first.into_iter().map(|member| {
        view! { <li><a class="clip" href=format!("/members/{}", member.id)>{member.email}</a><span class="push soft">"has none"</span></li> }.into_any()
    });
    unmet("unenrolled", said, rows.collect(), rest, "further member")
}

/// Keys that do not meet what is demanded.
#[component]
fn Keys(violations: Violations) -> impl IntoView {
    let rest = violations.total - i64::try_from(violations.first.len()).unwrap_or(0);
    let said = if violations.total == 1 {
        "1 key does not meet this".to_owned()
    } else {
        format!("{} do not meet this", counted(violations.total, "key"))
    };
    let rows = violations.first.into_iter().map(|violation| view! { <Row violation/> }.into_any());
    unmet("violations", said, rows.collect(), rest, "further key")
}

/// What does not meet a policy: the first of it by name, and how many more there are.
fn unmet(id: &'static str, said: String, rows: Vec<AnyView>, rest: i64, further: &str) -> AnyView {
    view! {
        <section class="card card--flag" aria-labelledby=id>
            <div class="card__head"><h2 id=id>{said}</h2></div>
            <ul class="rows">
                {rows}
                {(rest > 0).then(|| view! { <li class="soft">{format!("and {}", counted(rest, further))}</li> }.into_any())}
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
