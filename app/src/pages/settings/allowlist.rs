//! `/settings/allowlist`: from where the tenant's live keys may be used. A list is reviewed before it is saved.

use super::{Tabs, crumbs};
use crate::{
    actions::AllowlistForm,
    components::{AreaField, Banner, ErrorSummary, FieldError, InTenant, PageTitle, Time, Tone, described_by},
    icon::{Icon, IconName},
    numbers::{counted, thousands},
    returned::{Returned, returned},
    ssr::Reviewed,
    visit::{Shown, framed},
};
use contract::{AllowedIp, CallerSeen, FieldErrors, Impact, IpAllowlist, Perm};
use domain::tenants;
use leptos::prelude::*;

/// Callers that are named.
const NAMED: usize = 10;

/// `/settings/allowlist`
#[component]
pub fn AllowlistPage() -> impl IntoView {
    framed(|visit| async move {
        let list = tenants::allowlist(&visit.ctx).await?;
        let address = visit.chrome.address.clone();
        let review = use_context::<Reviewed>();
        let back = returned::<AllowlistForm>();
        let saved = visit.query.get_str("saved").is_some() && review.is_none() && back.is_none();
        let form = if visit.chrome.role.holds(Perm::PoliciesWrite) {
            view! { <Form list=list.clone() address review back/> }.into_any()
        } else {
            view! { <Plain list=list.allowed_ips.clone()/> }.into_any()
        };
        let warnings = list.warnings.into_iter().map(|w| view! { <Banner tone=Tone::Warn><p>{w}</p></Banner> }.into_any()).collect_view();
        let body = view! {
            <div class="page__head"><PageTitle>"IP allowlist"</PageTitle></div>
            <Tabs here="/settings/allowlist"/>
            <div class="stack narrow">
                {saved.then(|| view! { <p class="row small ok" role="status"><Icon name=IconName::CircleCheck/>"Saved. It holds from the next request on."</p> }.into_any())}
                <p class="small soft">
                    "Live keys of this tenant are refused from any other address, whatever their own list says. Gateway keys and test keys are not bound by it, and neither is this console."
                </p>
                {warnings}
                {form}
            </div>
        };
        Ok(Shown::new(crumbs("IP allowlist"), body))
    })
}

#[component]
fn Plain(list: Vec<AllowedIp>) -> impl IntoView {
    if list.is_empty() {
        return view! { <p>"From anywhere: no list is set."</p> }.into_any();
    }
    let lines = list.into_iter().map(|net| view! { <li><span class="mono">{net.to_string()}</span></li> }.into_any()).collect_view();
    view! { <section class="card"><ul class="rows">{lines}</ul></section> }.into_any()
}

#[component]
fn Form(list: IpAllowlist, address: Option<String>, review: Option<Reviewed>, back: Option<Returned<AllowlistForm>>) -> impl IntoView {
    let now = list.allowed_ips.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let (errors, message) = match (&back, &review) {
        (Some(back), _) => (back.errors.clone(), back.message.clone()),
        (None, Some(review)) => (review.errors.clone(), None),
        (None, None) => (FieldErrors::default(), None),
    };
    let typed = back.map(|b| b.form).or_else(|| review.as_ref().map(|r| r.form.clone()));
    let text = typed.map_or(now, |f| f.allowed_ips);
    let error = errors.get("allowed_ips").map(str::to_owned);
    let mine = address.clone().map(|ip| {
        view! {
            <div class="row"><button class="btn btn--sm" type="button" data-js="" data-append="#allowed_ips" data-line=ip.clone()><Icon name=IconName::Plus/>{format!("Add my address, {ip}")}</button></div>
        }
        .into_any()
    });
    let next = match review {
        Some(review) => view! { <Review review address errors=errors.clone()/> }.into_any(),
        None => view! { <div class="row"><button class="btn btn--primary" type="submit" name="act" value="review">"Review change"</button></div> }.into_any(),
    };
    view! {
        <form class="stack" method="post" action="/settings/allowlist" novalidate=true><InTenant/>
            <ErrorSummary errors=errors.clone() message/>
            <AreaField
                name="allowed_ips"
                label=|| view! { "Allowed addresses and networks "<span class="muted">"one a line; none means from anywhere"</span> }
                value=text
                hint="203.0.113.9, 203.0.113.0/24 or 2001:db8::/32. What it would have refused is shown before anything is saved."
                error
            />
            {mine}
            {next}
        </form>
    }
    .into_any()
}

/// What the list would have refused, and the button that saves exactly this list.
#[component]
fn Review(review: Reviewed, address: Option<String>, errors: FieldErrors) -> impl IntoView {
    let Reviewed { form, list, impact, outside, .. } = review;
    let said = if list.is_empty() {
        "Live keys may then be used from anywhere.".to_owned()
    } else {
        let n = i64::try_from(list.len()).unwrap_or(i64::MAX);
        format!(
            "Live keys may then be used from {}.",
            if n == 1 { "1 address or network".to_owned() } else { format!("{} addresses and networks", thousands(n)) }
        )
    };
    let lockout = outside.then(|| {
        let error = errors.get("lockout").map(str::to_owned);
        let bad = error.is_some();
        let from = address.unwrap_or_else(|| "unknown".to_owned());
        view! {
            <Banner tone=Tone::Danger alert=true>
                <p><b>{format!("Your own address, {from}, is not on the list.")}</b></p>
                <p class="soft">"Live keys that you use from there are refused at once. You can undo this here, or on the server with "<code>"keystead tenants allowlist"</code>"."</p>
            </Banner>
            <div class="field">
                <label class="opt" for="lockout">
                    <input class="check" type="checkbox" id="lockout" name="lockout" value="1" aria-invalid=bad.then_some("true") aria-describedby=described_by("lockout", false, bad)/>
                    "Leave my address out"
                </label>
                <FieldError name="lockout" message=error/>
            </div>
        }
        .into_any()
    });
    view! {
        <section class="stack" id="review" aria-labelledby="review-title">
            <h2 id="review-title">"What this changes"</h2>
            <p class="small soft">{said}</p>
            <Lost impact/>
            {lockout}
            <input type="hidden" name="reviewed" value=form.allowed_ips/>
            <div class="row row--wrap">
                <button class="btn btn--primary" type="submit" name="act" value="save">"Save list"</button>
                <button class="btn" type="submit" name="act" value="review">"Review again"</button>
                <a class="btn btn--quiet" href="/settings/allowlist">"Cancel"</a>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Lost(impact: Impact) -> impl IntoView {
    if impact.lost == 0 {
        let said = match impact.allowed {
            0 => "Live keys made no allowed request in the last 30 days.".to_owned(),
            n => format!("None of the {} that live keys made in the last 30 days would have been refused.", counted(n, "allowed request")),
        };
        return view! { <Banner tone=Tone::Info><p>{said}</p></Banner> }.into_any();
    }
    let addresses = counted(impact.addresses, "address");
    let rest = impact.callers_total - i64::try_from(impact.callers.len().min(NAMED)).unwrap_or(0);
    let rows = impact.callers.into_iter().take(NAMED).map(|caller| view! { <Caller caller/> }.into_any()).collect_view();
    view! {
        <Banner tone=Tone::Danger>
            <p><b>{format!("{} of {} of the last 30 days would have been refused.", thousands(impact.lost), counted(impact.allowed, "allowed request"))}</b></p>
            <p class="soft">
                {format!("They came from {addresses}, {} in the last 24 hours", thousands(impact.lost_24h))}
                {impact.last_lost_at.map(|at| view! { "; the last one "<Time at/> }.into_any())}
                "."
            </p>
        </Banner>
        <div class="tablebox">
            <table class="tbl tbl--bare tbl--stack" role="table">
                <caption class="sr">"Callers that would have been refused, the busiest first"</caption>
                <colgroup><col class="c-144"/><col/><col class="c-96"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Address"</th>
                        <th scope="col" role="columnheader">"Client and path"</th>
                        <th scope="col" role="columnheader" class="num">"Requests"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            {(rest > 0).then(|| view! { <p class="pager">{format!("and {}", counted(rest, "further caller"))}</p> }.into_any())}
        </div>
    }
    .into_any()
}

#[component]
fn Caller(caller: CallerSeen) -> impl IntoView {
    let ip = caller.ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
    let with = [caller.user_agent, caller.path].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    view! {
        <tr role="row">
            <td role="cell" class="mono m-main">{ip}<span class="sub">{with.clone()}</span></td>
            <td role="cell" title=with.clone()>{with.clone()}</td>
            <td role="cell" class="num m-side">{thousands(caller.count)}</td>
        </tr>
    }
}
