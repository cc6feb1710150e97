//! Cards of a key's page that say what it is: its bounds, secrets, details and history.

use super::{SHOWN, kind_title, list::owner};
use crate::{
    components::{CopyId, Ends, ScopeBadges, SecretRow, Time, TimeForm},
    numbers::thousands,
    url::{href, key_href},
};
use contract::{ApiKey, AuditEvent, KeySecret, Page, UnixMs};
use domain::keys;
use leptos::prelude::*;

/// What bounds the key.
#[component]
pub fn Restrictions(key: ApiKey, may_edit: bool) -> impl IntoView {
    let edit = format!("{}/edit", key_href(key.id));
    let scopes = key.scopes.0;
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
    let rate = key.rate_limit.map_or_else(
        || view! { <span class="muted">"The plan’s limit"</span> }.into_any(),
        |r| format!("{} an hour, {} a second", thousands(r.per_hour.into()), thousands(r.per_second.into())).into_any(),
    );
    let metadata = key.metadata.as_object().filter(|m| !m.is_empty()).map(|members| {
        let lines = members
            .iter()
            .map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                view! { <div class="mono">{format!("{name}: {value}")}</div> }.into_any()
            })
            .collect_view();
        view! { <dt>"Metadata"</dt><dd>{lines}</dd> }.into_any()
    });
    view! {
        <section class="card">
            <div class="card__head"><h2>"Restrictions"</h2>{may_edit.then(|| view! { <a class="push small" href=edit>"Edit"</a> }.into_any())}</div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Permissions"</dt><dd class="tags"><ScopeBadges scopes/></dd>
                    {key.not_before.map(|at| view! { <dt>"Valid from"</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any())}
                    <dt>"Expires"</dt><dd>{expires}</dd>
                    <dt>"Addresses"</dt>{addresses}
                    <dt>"Rate"</dt><dd>{rate}</dd>
                    {key.platform.then(|| view! { <dt>"Reach"</dt><dd>"The whole installation"</dd> }.into_any())}
                    {metadata}
                </dl>
            </div>
        </section>
    }
    .into_any()
}

/// The secrets of the key: the current one, and old ones as long as they work.
#[component]
pub fn Secrets(secrets: Vec<KeySecret>, now: UnixMs) -> impl IntoView {
    let rows = secrets
        .into_iter()
        .filter(|s| keys::works(s, now))
        .map(|s| {
            let shown = format!("{}…{}", s.prefix, s.last_four);
            let old = s.valid_until.map(|at| view! { "Old, ends "<Time at/> }.into_any());
            view! { <SecretRow shown made=s.created_at old/> }.into_any()
        })
        .collect_view();
    view! {
        <section class="card">
            <div class="card__head"><h2>"Secrets"</h2></div>
            <ul class="rows rows--two">{rows}</ul>
        </section>
    }
    .into_any()
}

/// What it is, and whose.
#[component]
pub fn Facts(key: ApiKey) -> impl IntoView {
    let last_used = key.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at form=TimeForm::Full/> }.into_any());
    let environment = key.environment.to_string();
    let answers = owner(&key);
    view! {
        <section class="card">
            <div class="card__head"><h2>"Details"</h2></div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Id"</dt><dd><CopyId text=key.id.to_string() what="key id"/></dd>
                    <dt>"Kind"</dt><dd>{kind_title(key.kind)}</dd>
                    <dt>"Environment"</dt><dd>{environment[..1].to_ascii_uppercase() + &environment[1..]}</dd>
                    {key.revoked_at.map(|at| view! { <dt>"Revoked"</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any())}
                    <dt>"Last used"</dt><dd>{last_used}</dd>
                    <dt>"Owner"</dt><dd>{answers}</dd>
                    <dt>"Created"</dt><dd><Time at=key.created_at form=TimeForm::Full/></dd>
                    <dt>"By"</dt><dd>{key.created_by}</dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

/// What was done to it.
#[component]
pub fn History(page: Page<AuditEvent>) -> impl IntoView {
    let all = page.data.first().map(|e| href("/audit", &[("target_id", Some(&e.target.id))]));
    let events = page.data.into_iter().take(SHOWN).enumerate().map(|(n, event)| {
        view! {
            <li class:is-now=n == 0>
                <div>
                    {crate::pages::audit::action_words(&event.action)}
                    {event.reason.map(|r| view! { ": "{r} }.into_any())}
                    <span class="meta">{crate::pages::audit::actor_words(&event.actor)}" · "<Time at=event.at form=TimeForm::Full/></span>
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
