//! `/settings/policies`: what the tenant demands of its keys and people. Who and what would not meet it is shown before
//! anything is saved.

use super::{Tabs, crumbs};
use crate::{
    components::{AreaField, Banner, ErrorSummary, FieldError, InTenant, PageTitle, SelectField, TextField, Tone, described_by},
    icon::{Icon, IconName},
    numbers::counted,
    returned::{Returned, returned},
    ssr::ReviewedPolicies,
    url::{app_href, key_href},
    visit::{Shown, framed},
};
use contract::{
    AppViolation, ErrorForm, KeyPolicy, Perm, Policies, PoliciesForm, PolicyReview, TenantSettings, Unenrolled, Violation, Violations,
};
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
        let form = if visit.chrome.may(Perm::PoliciesWrite) {
            view! { <Form now=PoliciesForm::from(&policies) review=review.clone() back/> }.into_any()
        } else {
            view! { <Plain policies/> }.into_any()
        };
        let standing = review.is_none().then(|| view! { <Standing violations/> }.into_any());
        let body = view! {
            <div class="page__head"><PageTitle>"Policies"</PageTitle></div>
            <Tabs here="/settings/policies"/>
            <div class="stack narrow">
                {saved.then(|| view! { <p class="row small ok" role="status"><Icon name=IconName::CircleCheck/>"Saved. It holds for people at once, and for every key that is made or changed from now on."</p> }.into_any())}
                <p class="small soft">"Keys and apps that exist go on as they are; what is asked of people holds at once. Who and what does not meet a policy is listed."</p>
                {form}
                {standing}
            </div>
        };
        Ok(Shown::new(crumbs("Policies"), body))
    })
}

/// The policies in words, in the order of the form.
fn said(p: &Policies) -> [(&'static str, String); 10] {
    let within = |n: Option<i64>, unit: &str, none: &str| n.map_or_else(|| none.to_owned(), |n| counted(n, unit));
    let required = |on: bool| if on { "required" } else { "not required" }.to_owned();
    let origins = p.allowed_origins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    [
        ("Keys work", within(p.max_key_lifetime_days, "day", "for ever")),
        ("Addresses", required(p.require_allowlist)),
        ("Owner", required(p.require_owner)),
        ("Second factor", required(p.require_second_factor)),
        ("Signed in without a request", within(p.session_idle_minutes, "minute", "12 hours")),
        ("Signed in at most", within(p.session_lifetime_hours, "hour", "7 days")),
        ("Form of errors", p.error_form.map_or("as the installation has it", form_words).to_owned()),
        ("Origins of browsers", if origins.is_empty() { "none".to_owned() } else { origins }),
        ("Names of the API in JWTs", if p.token_audiences.is_empty() { "none".to_owned() } else { p.token_audiences.join(", ") }),
        ("Log is kept", within(p.retention_days, "day", "for ever")),
    ]
}

#[component]
fn Plain(policies: Policies) -> impl IntoView {
    let rows = said(&policies).into_iter().map(|(what, how)| view! { <dt>{what}</dt><dd>{how}</dd> }.into_any());
    view! { <section class="card"><div class="card__body"><dl class="dl">{rows.collect_view()}</dl></div></section> }.into_any()
}

#[component]
fn Form(now: PoliciesForm, review: Option<ReviewedPolicies>, back: Option<Returned<PoliciesForm>>) -> impl IntoView {
    let (errors, message) = back.as_ref().map(|b| (b.errors.clone(), b.message.clone())).unwrap_or_default();
    let form = back.map(|b| b.form).or_else(|| review.as_ref().map(|r| r.form.clone())).unwrap_or(now);
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let forms = [(String::new(), "As the installation has it".to_owned())];
    let forms = forms.into_iter().chain(ErrorForm::ALL.iter().map(|form| (form.to_string(), form_words(*form).to_owned()))).collect();
    let next = match review {
        Some(review) => view! { <Review review/> }.into_any(),
        None => view! { <div class="row"><button class="btn btn--primary" type="submit" name="act" value="review">"Review change"</button></div> }.into_any(),
    };
    view! {
        <form class="stack" method="post" action="/settings/policies" novalidate=true><InTenant/>
            <ErrorSummary errors=errors.clone() message/>
            <TextField
                name="max_key_lifetime_days"
                label=|| view! { "Keys expire within "<span class="muted">"days; empty means they need not"</span> }
                value=form.max_key_lifetime_days
                hint="Counted from the day on which the expiry is set. OAuth apps go on without their person no longer than that. Gateway keys are not bound by it."
                error=error("max_key_lifetime_days")
                required=false
            />
            <Tick name="require_allowlist" ticked=form.require_allowlist.is_some() label="Keys name the addresses from which they are used" hint="For live keys the tenant's own list is enough. Gateway keys are not bound by it." error=error("require_allowlist")/>
            <Tick name="require_owner" ticked=form.require_owner.is_some() label="A member answers for each key" hint="And for each OAuth app that is registered. When the member leaves, the key goes on and waits in the queue of orphaned keys." error=error("require_owner")/>
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
            <SelectField name="error_form" label="Form of errors, for requests with a credential of this tenant" options=forms chosen=form.error_form error=error("error_form")/>
            <AreaField
                name="allowed_origins"
                label=|| view! { "Origins whose scripts may call the API "<span class="muted">"one a line; none means no browser may"</span> }
                value=form.allowed_origins
                hint="https://app.example.com or, on this machine, http://localhost:5173. They read what credentials of this tenant are answered under /v1, never a cookie."
                error=error("allowed_origins")
            />
            <AreaField
                name="token_audiences"
                label=|| view! { "What your API calls itself in JWTs "<span class="muted">"one a line; may be empty"</span> }
                value=form.token_audiences
                hint="As in ACME_API. A JWT that one of your apps signs with its secret may have it as its audience."
                error=error("token_audiences")
            />
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

const fn form_words(form: ErrorForm) -> &'static str {
    match form {
        ErrorForm::Standard => "Standard: problem details with code and message",
        ErrorForm::Flat => "Flat: error, message and request id",
    }
}

/// What saving the policies does, and the button that saves exactly these.
#[component]
fn Review(review: ReviewedPolicies) -> impl IntoView {
    let ReviewedPolicies { review, mark, .. } = review;
    let effects = effects(&review);
    let PolicyReview { before, after, violations, .. } = review;
    let removed = (violations.outdated_events > 0).then(|| {
        let said = format!("{} are older than that and will be removed for good.", counted(violations.outdated_events, "request"));
        view! { <Banner tone=Tone::Danger><p><b>{said}</b></p></Banner> }.into_any()
    });
    let keys = if violations.none() {
        view! { <Banner tone=Tone::Info><p>"Everybody, every key and every app meets these policies."</p></Banner> }.into_any()
    } else {
        view! { <Standing violations/> }.into_any()
    };
    view! {
        <section class="stack" id="review" aria-labelledby="review-title">
            <h2 id="review-title">"What this changes"</h2>
            <Changes before after/>
            {effects}
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

/// Each policy that changes, from what to what.
#[component]
fn Changes(before: Policies, after: Policies) -> impl IntoView {
    if before == after {
        return view! { <p class="small soft">"Nothing: these are the policies as they are."</p> }.into_any();
    }
    let changed = said(&before).into_iter().zip(said(&after)).filter(|(was, is)| was != is);
    let rows = changed.map(|((what, was), (_, is))| {
        view! { <dt>{what}</dt><dd><span class="soft">{was}</span><span aria-hidden="true">" → "</span><span class="sr">" becomes "</span><b>{is}</b></dd> }.into_any()
    });
    view! { <div class="card"><div class="card__body"><dl class="dl">{rows.collect_view()}</dl></div></div> }.into_any()
}

/// What happens with the saving, beside what keys and members do not meet.
fn effects(review: &PolicyReview) -> Option<AnyView> {
    let PolicyReview { before, after, violations, sessions_ending, logins_ending } = review;
    let mut said = Vec::new();
    if after.lifetime() != before.lifetime() {
        said.push(match (*sessions_ending, *logins_ending) {
            (0, 0) => "Nobody is signed out by this now.".to_owned(),
            (sessions, logins) => {
                let ending = sessions + logins;
                let verb = if ending == 1 { "ends" } else { "end" };
                format!("{} of the console and {} over the API {verb} now.", counted(sessions, "session"), counted(logins, "sign-in"))
            }
        });
    }
    if after.require_second_factor && !before.require_second_factor && violations.unenrolled_total > 0 {
        said.push("Members without a second factor can only set one up from now on, and their sign-ins over the API end.".to_owned());
    }
    if after.error_form != before.error_form {
        said.push(match after.error_form {
            Some(ErrorForm::Standard) => {
                "From now on the API answers errors in the standard form: problem details with code and message.".to_owned()
            }
            Some(ErrorForm::Flat) => "From now on the API answers errors in the flat form: error, message and request id.".to_owned(),
            None => "From now on the API answers errors in the form of the installation.".to_owned(),
        });
    }
    if after.retention_days.is_some() && after.retention_days != before.retention_days && violations.outdated_events == 0 {
        said.push("No request is older than the log is kept: nothing is removed now.".to_owned());
    }
    let rows = said.into_iter().map(|line| view! { <li>{line}</li> }.into_any()).collect::<Vec<_>>();
    (!rows.is_empty()).then(|| view! { <div class="card"><ul class="rows">{rows}</ul></div> }.into_any())
}

/// Who and what does not meet what is demanded.
#[component]
fn Standing(violations: Violations) -> impl IntoView {
    let people = (violations.unenrolled_total > 0)
        .then(|| view! { <People total=violations.unenrolled_total first=violations.unenrolled.clone()/> }.into_any());
    let apps = (violations.apps_total > 0).then(|| view! { <Apps total=violations.apps_total first=violations.apps.clone()/> }.into_any());
    let keys = (violations.total > 0).then(|| view! { <Keys violations/> }.into_any());
    view! {
        {people}
        {keys}
        {apps}
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

/// Apps that do not meet what is demanded.
#[component]
fn Apps(total: i64, first: Vec<AppViolation>) -> impl IntoView {
    let rest = total - i64::try_from(first.len()).unwrap_or(0);
    let said =
        if total == 1 { "1 OAuth app does not meet this".to_owned() } else { format!("{} do not meet this", counted(total, "OAuth app")) };
    let rows = first.into_iter().map(|app| {
        let why = app.policies.into_iter().map(app_words).collect::<Vec<_>>().join(", ");
        view! { <li><a class="clip" href=app_href(app.id)>{app.name}</a><span class="push soft">{why}</span></li> }.into_any()
    });
    unmet("apps", said, rows.collect(), rest, "further app")
}

const fn app_words(policy: KeyPolicy) -> &'static str {
    match policy {
        KeyPolicy::MaxLifetime => "goes on for too long, or has an old secret",
        KeyPolicy::Allowlist => "works from anywhere",
        KeyPolicy::Owner => "has no owner",
    }
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
