//! One key: what it is, what it did lately, what was done to it.

use super::kind_title;
use crate::{
    components::{CopyId, Crumbs, Ends, Glyph, OutcomeBadge, PageTitle, StateBadge, Time, TimeForm},
    icon::{Icon, IconName},
    url::{href, key_href},
    visit::{Shown, framed},
};
use contract::{ApiKey, AuditEvent, AuditFilter, KeyId, KeyState, Page, PageQuery, Perm, UsageEvent, UsageFilter};
use domain::{audit, keys, usage};
use leptos::prelude::*;

/// How much of a log a card of this page shows.
const SHOWN: usize = 8;

/// `/keys/:id`
#[component]
pub fn KeyDetail() -> impl IntoView {
    framed(|visit| async move {
        let key = keys::get(&visit.ctx, visit.id()?).await?;
        let role = visit.chrome.role;
        // What the role may not see is not asked for, and has no card.
        let usage = if role.holds(Perm::UsageRead) {
            let filter = UsageFilter { credential_id: Some(key.id), ..UsageFilter::default() };
            Some(usage::list(&visit.ctx, &filter, key.environment, PageQuery::default()).await?)
        } else {
            None
        };
        let history = if role.holds(Perm::AuditRead) {
            let filter = AuditFilter { target_id: Some(key.id.to_string()) };
            Some(audit::list(&visit.ctx, &filter, PageQuery::default()).await?)
        } else {
            None
        };
        let crumbs = Crumbs::keys(&key.name);
        Ok(Shown::new(crumbs, view! { <Detail key may_revoke=role.holds(Perm::KeysRevoke) usage history/> }))
    })
}

#[component]
fn Detail(key: ApiKey, may_revoke: bool, usage: Option<Page<UsageEvent>>, history: Option<Page<AuditEvent>>) -> impl IntoView {
    let (id, name) = (key.id, key.name.clone());
    let revoke = (may_revoke && key.state != KeyState::Revoked).then(|| {
        view! { <a class="btn btn--danger" href=format!("{}/revoke", key_href(id))><Icon name=IconName::Ban/>"Revoke key"</a> }.into_any()
    });
    let used = match key.last_used_at {
        Some(at) => view! { <span>"Used "<Time at/></span> }.into_any(),
        None => view! { <span>"Never used"</span> }.into_any(),
    };
    view! {
        <div class="page__head page__head--key">
            <div class="stack stack--1">
                <div class="row row--wrap">
                    <Glyph id large=true/>
                    <PageTitle>{name}</PageTitle>
                    <StateBadge state=key.state/>
                </div>
                <div class="row row--wrap small soft headmeta">
                    <span class="mono">{key.display()}</span>
                    <span>{format!("{}, {}", kind_title(key.kind), key.environment)}</span>
                    {used}
                </div>
            </div>
            <div class="acts">{revoke}</div>
        </div>
        <div class="cols">
            <div class="stack">
                {usage.map(|page| view! { <Requests id page/> }.into_any())}
            </div>
            <div class="stack">
                <Facts key/>
                {history.map(|page| view! { <History page/> }.into_any())}
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Requests(id: KeyId, page: Page<UsageEvent>) -> impl IntoView {
    let all = href("/usage", &[("credential_id", Some(&id.to_string()))]);
    let body = if page.data.is_empty() {
        view! {
            <div class="card__body">
                <p class="small soft">"No request with this key yet. The first shows here within seconds."</p>
            </div>
        }
        .into_any()
    } else {
        let rows = page.data.into_iter().take(SHOWN).map(|event| view! { <Request event/> }.into_any()).collect_view();
        view! {
            <table class="tbl tbl--bare tbl--stack" role="table" aria-labelledby="requests">
                <colgroup><col class="c-144"/><col class="c-96 p2"/><col/><col class="p2"/><col class="c-144 pk"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Time, UTC"</th>
                        <th scope="col" role="columnheader" class="p2">"Outcome"</th>
                        <th scope="col" role="columnheader">"Request"</th>
                        <th scope="col" role="columnheader" class="p2">"Reason"</th>
                        <th scope="col" role="columnheader" class="pk">"Address"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <section class="card tablebox">
            <div class="card__head"><h2 id="requests">"Recent requests"</h2><a class="push small" href=all>"All requests of this key"</a></div>
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn Request(event: UsageEvent) -> impl IntoView {
    let request = [event.method.as_deref(), event.path.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let request = if request.is_empty() { event.source.to_string() } else { request };
    view! {
        <tr role="row">
            <td role="cell" class="soft m-side"><Time at=event.at form=TimeForm::Log/></td>
            <td role="cell" class="p2"><OutcomeBadge outcome=event.outcome/></td>
            <td role="cell" class="mono m-main" title=request.clone()>
                {request.clone()}
                <span class="sub">{event.code.describe()}</span>
            </td>
            <td role="cell" class="soft p2">{event.code.describe()}</td>
            <td role="cell" class="mono soft pk">{event.ip.map(|ip| ip.to_string())}</td>
        </tr>
    }
}

#[component]
fn Facts(key: ApiKey) -> impl IntoView {
    let scopes =
        key.scopes.0.into_iter().map(|s| view! { <span class="badge badge--mono">{s.to_string()}</span> }.into_any()).collect_view();
    let addresses = if key.allowed_ips.is_empty() {
        view! { <dd>"From anywhere"</dd> }.into_any()
    } else {
        let lines = key.allowed_ips.into_iter().map(|ip| view! { <div class="mono">{ip.to_string()}</div> }.into_any()).collect_view();
        view! { <dd>{lines}</dd> }.into_any()
    };
    let expires = match key.expires_at {
        Some(at) => view! { <Ends at/>", then refused" }.into_any(),
        None => "Never".into_any(),
    };
    let last_used = key.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at form=TimeForm::Full/> }.into_any());
    let dated = |label: &'static str, at: Option<contract::UnixMs>| {
        at.map(|at| view! { <dt>{label}</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any())
    };
    let environment = key.environment.to_string();
    view! {
        <section class="card">
            <div class="card__head"><h2>"Details"</h2></div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Id"</dt><dd><CopyId text=key.id.to_string() what="key id"/></dd>
                    <dt>"Kind"</dt><dd>{kind_title(key.kind)}</dd>
                    <dt>"Environment"</dt><dd>{environment[..1].to_ascii_uppercase() + &environment[1..]}</dd>
                    <dt>"Permissions"</dt><dd class="tags">{scopes}</dd>
                    <dt>"Addresses"</dt>{addresses}
                    {dated("Valid from", key.not_before)}
                    <dt>"Expires"</dt><dd>{expires}</dd>
                    {dated("Revoked", key.revoked_at)}
                    <dt>"Last used"</dt><dd>{last_used}</dd>
                    {key.platform.then(|| view! { <dt>"Reach"</dt><dd>"The whole installation"</dd> }.into_any())}
                    <dt>"Owner"</dt><dd>{key.owner.unwrap_or_else(|| key.created_by.clone())}</dd>
                    <dt>"Created"</dt><dd><Time at=key.created_at form=TimeForm::Full/></dd>
                    <dt>"By"</dt><dd>{key.created_by}</dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn History(page: Page<AuditEvent>) -> impl IntoView {
    let all = page.data.first().map(|e| href("/audit", &[("target_id", Some(&e.target.id))]));
    let events = page.data.into_iter().take(SHOWN).enumerate().map(|(n, event)| {
        view! {
            <li class:is-now=n == 0>
                <div>
                    {crate::pages::audit::action_words(&event.action)}
                    {event.reason.map(|r| view! { ": "{r} }.into_any())}
                    <span class="meta">{event.actor.name}" · "<Time at=event.at form=TimeForm::Full/></span>
                </div>
            </li>
        }
        .into_any()
    });
    view! {
        <section class="card">
            <div class="card__head">
                <h2>"History"</h2>
                {all.map(|href| view! { <a class="push small" href=href>"Audit log"</a> }.into_any())}
            </div>
            <div class="card__body"><ol class="tl">{events.collect_view()}</ol></div>
        </section>
    }
    .into_any()
}
