//! A key that was found: whose it is, whether it works, what it did lately.

use super::SecretBadge;
use crate::{
    components::{Fig, Glyph, StateBadge, Time, TimeForm},
    numbers::thousands,
    url::key_href,
};
use contract::{LeakCaller, LeakMatch};
use leptos::prelude::*;

/// Callers that are named: what is to be done stands below them.
const NAMED: usize = 5;

/// The head of a card about a key, its numbers and its callers.
#[component]
pub fn Found(
    /// The key.
    found: LeakMatch,
    /// Whether the reader may open its page.
    opens: bool,
    /// What the heading's id is.
    id: String,
) -> impl IntoView {
    let LeakMatch { key, secret, tenant, usage, .. } = found;
    let name = if opens {
        view! { <a class="name" href=key_href(key.id)>{key.name.clone()}</a> }.into_any()
    } else {
        view! { <span class="name">{key.name.clone()}</span> }.into_any()
    };
    let place = match (found.line, found.times) {
        (0, _) => None,
        (line, 1) => Some(format!("line {line}")),
        (line, n) => Some(format!("line {line}, {n} times")),
    };
    // At most ten are named.
    let callers = if usage.callers.len() == 10 { "10+".to_owned() } else { usage.callers.len().to_string() };
    let scopes = key.scopes.joined();
    let last = match usage.last_allowed_at {
        Some(at) => view! { <Time at/> }.into_any(),
        None => "no allowed request".into_any(),
    };
    let until = secret.valid_until.map(|at| view! { <dt>"Secret works until"</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any());
    view! {
        <div class="card__head">
            <SecretBadge state=secret.state/>
            <Glyph id=key.id/>
            <h2 id=id>{name}</h2>
            <span class="mono muted">{format!("{}…{}", secret.prefix, secret.last_four)}</span>
            {place.map(|p| view! { <span class="meta push">{p}</span> }.into_any())}
        </div>
        <div class="figs figs--sm figs--line">
            <Fig label="Requests" value=thousands(usage.allowed_24h)>"allowed, last 24 h"</Fig>
            <Fig label="Requests" value=thousands(usage.allowed_30d)>"allowed, last 30 days"</Fig>
            <Fig label="Addresses" value=thousands(usage.addresses_30d)>"last 30 days"</Fig>
            <Fig label="Callers" value=callers>"last: "{last}</Fig>
        </div>
        <div class="card__body">
            <dl class="dl">
                <dt>"Tenant"</dt><dd>{tenant.name}</dd>
                <dt>"Owner"</dt><dd>{key.owner.unwrap_or_else(|| "Nobody: the tenant's owners are told".to_owned())}</dd>
                <dt>"Key"</dt><dd><StateBadge state=key.state/>{format!(" {} key, {}", key.kind, key.environment)}</dd>
                {until}
                <dt>"May"</dt><dd class="mono">{scopes}</dd>
                {key.platform.then(|| view! { <dt>"Reach"</dt><dd>"The whole installation"</dd> }.into_any())}
                <dt>"Created"</dt><dd><Time at=key.created_at form=TimeForm::Full/></dd>
            </dl>
        </div>
        <Callers callers=usage.callers/>
    }
    .into_any()
}

#[component]
fn Callers(callers: Vec<LeakCaller>) -> impl IntoView {
    if callers.is_empty() {
        return view! { <p class="card__body card__line small soft">"Nobody called with it in the last 30 days."</p> }.into_any();
    }
    let rows = callers
        .into_iter()
        .take(NAMED)
        .map(|c| {
            let ip = c.ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
            let client = c.user_agent.unwrap_or_else(|| "–".to_owned());
            view! {
                <tr role="row">
                    <td role="cell" class="mono m-main">{ip}<span class="sub">{client.clone()}</span></td>
                    <td role="cell" class="p2">{client.clone()}</td>
                    <td role="cell" class="num m-side">{thousands(c.requests)}<span class="sub"><Time at=c.last_at/></span></td>
                    <td role="cell" class="num p2">{thousands(c.denied)}</td>
                    <td role="cell" class="num soft p2"><Time at=c.last_at/></td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <div class="tablebox tablebox--in">
            <table class="tbl tbl--bare tbl--stack" role="table">
                <caption class="sr">"Callers of the last 30 days, the busiest first"</caption>
                <colgroup><col/><col class="p2"/><col class="c-96"/><col class="c-96 p2"/><col class="c-128 p2"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Caller"</th>
                        <th scope="col" role="columnheader" class="p2">"Client"</th>
                        <th scope="col" role="columnheader" class="num">"Requests"</th>
                        <th scope="col" role="columnheader" class="num p2">"Denied"</th>
                        <th scope="col" role="columnheader" class="num p2">"Last"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
