//! A secret of an app that was found, and what ends the danger.

use super::SecretBadge;
use crate::{
    components::{AppStateBadge, Fig, Glyph, InTenant, Time, TimeForm},
    icon::{Icon, IconName},
    numbers::thousands,
    url::app_href,
};
use contract::{AppSecret, AppState, LeakedApp, Perm, Role, SecretState, TenantId};
use leptos::prelude::*;

/// The card of an app.
#[component]
pub fn AppMatch(
    /// What was found.
    found: LeakedApp,
    /// Which of several.
    n: usize,
    /// Who reads.
    role: Role,
    /// Where they work.
    home: Option<TenantId>,
) -> impl IntoView {
    let LeakedApp { app, secret, tenant, usage, line, times } = found;
    let ours = home == Some(tenant.id);
    let heading = format!("app-match-{n}");
    let name = if ours && role.holds(Perm::AppsRead) {
        view! { <a class="name" href=app_href(app.id)>{app.name.clone()}</a> }.into_any()
    } else {
        view! { <span class="name">{app.name.clone()}</span> }.into_any()
    };
    let place = if times == 1 { format!("line {line}") } else { format!("line {line}, {times} times") };
    let last = usage.last_allowed_at.map_or_else(|| "no allowed request".into_any(), |at| view! { <Time at/> }.into_any());
    let until = (secret.state == SecretState::Grace)
        .then_some(secret.valid_until)
        .flatten()
        .map(|at| view! { <dt>"Secret works until"</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any());
    let foot = if !ours {
        view! { <p class="card__foot small soft">"This app belongs to another tenant: its own people end its secrets."</p> }.into_any()
    } else if role.holds(Perm::AppsRevoke) {
        let end = (secret.state != SecretState::Dead).then(|| {
            view! { <button class="btn btn--destroy" type="submit" name="act" value="end"><Icon name=IconName::Ban/>"End this secret"</button> }
                .into_any()
        });
        let suspend = (app.state == AppState::Active).then(|| {
            view! { <button class="btn btn--danger" type="submit" name="act" value="suspend"><Icon name=IconName::Pause/>"Suspend app"</button> }
                .into_any()
        });
        view! {
            <form class="card__foot row--wrap" method="post" action="/leaks"><InTenant/>
                <input type="hidden" name="app_secret" value=secret.id.to_string()/>
                <input type="hidden" name="app" value=app.id.to_string()/>
                <p class="meta grow">"Ending a secret ends the tokens that the app got for itself, too. Its other secrets and its grants go on: suspending stops all of them."</p>
                {suspend}
                {end}
            </form>
        }
        .into_any()
    } else {
        ().into_any()
    };
    let bad = secret.state != SecretState::Dead;
    view! {
        <section class=if bad { "card card--bad" } else { "card" } aria-labelledby=heading>
            <div class="card__head">
                <SecretBadge state=secret.state/>
                <Glyph id=app.id/>
                <h2 id=heading.clone()>{name}</h2>
                <span class="mono muted">{format!("{}…{}", AppSecret::PREFIX, secret.last_four)}</span>
                <span class="meta push">{place}</span>
            </div>
            <div class="figs figs--sm figs--line">
                <Fig label="Requests" value=thousands(usage.allowed_24h)>"allowed, last 24 h"</Fig>
                <Fig label="Requests" value=thousands(usage.allowed_30d)>"allowed, last 30 days"</Fig>
                <Fig label="Addresses" value=thousands(usage.addresses_30d)>"last: "{last}</Fig>
            </div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Tenant"</dt><dd>{tenant.name}</dd>
                    <dt>"Owner"</dt><dd>{app.owner.unwrap_or_else(|| "Nobody: the tenant’s owners are told".to_owned())}</dd>
                    <dt>"App"</dt><dd><AppStateBadge state=app.state/>{format!(" {} app", app.kind)}</dd>
                    {until}
                    <dt>"May"</dt><dd class="mono">{app.scopes.joined()}</dd>
                    <dt>"Secret made"</dt><dd><Time at=secret.created_at form=TimeForm::Full/></dd>
                </dl>
            </div>
            {foot}
        </section>
    }
    .into_any()
}
