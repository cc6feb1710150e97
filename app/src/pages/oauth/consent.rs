//! `/oauth/consent/{id}`: an app asks, and a person decides. A plain form, so that it works without JavaScript; its answer
//! leads to the app.

use super::NotYou;
use crate::{
    components::{AppMark, AuthPage, Banner, Fault, Tone},
    icon::{Icon, IconName},
    ssr::ctx,
};
use contract::{Consent, ConsentId, ConsentScope, Problem};
use domain::{Error, oauth};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// `/oauth/consent/{id}`
#[component]
pub fn ConsentPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse::<ConsentId>().ok());
    Suspend::new(async move {
        match look(id).await {
            Ok(consent) => view! { <Ask consent/> }.into_any(),
            Err(problem) => view! { <Fault problem/> }.into_any(),
        }
    })
}

async fn look(id: Option<ConsentId>) -> Result<Consent, Problem> {
    let ctx = ctx()?;
    let id = id.ok_or_else(|| ctx.problem(Error::NotFound))?;
    oauth::consent(&ctx, id).await.map_err(|e| ctx.problem(e))
}

#[component]
fn Ask(consent: Consent) -> impl IntoView {
    let Consent { id, app, logo, home_page, host, redirect_uri, scopes, tenants, here, email, again, trial, .. } = consent;
    let title = match tenants.as_slice() {
        [(_, tenant)] => format!("Allow {app} to act for you in {tenant}?"),
        _ => format!("Allow {app} to act for you?"),
    };
    let whence = match host {
        _ if trial => view! { <span class="badge badge--accent">"Trial"</span><span>"What people see who use the app."</span> }.into_any(),
        Some(host) => view! {
            <span class="badge badge--ok"><Icon name=IconName::Check small=true/>"Verified host"</span>
            <span>{host}</span>
        }
        .into_any(),
        None => {
            view! { <span class="badge badge--warn">"An app on this device"</span><span>"Go on only if you opened it yourself."</span> }
                .into_any()
        }
    };
    let about = home_page.map(|url| view! { <a href=url rel="noreferrer noopener" target="_blank">"About it"</a> }.into_any());
    let asked = scopes.into_iter().map(|scope| view! { <Permission scope/> }.into_any()).collect_view();
    let nowhere = tenants.is_empty();
    let where_to = match tenants.as_slice() {
        [] => view! { <p class="soft">"It acts in no tenant that you work in. Ask whoever sent you here."</p> }.into_any(),
        [(only, _)] => view! { <input type="hidden" name="tenant_id" value=only.to_string()/> }.into_any(),
        several => {
            let chosen = here.unwrap_or(several[0].0);
            let options = several.iter().map(|(tenant, name)| {
                view! { <option value=tenant.to_string() selected=*tenant == chosen>{name.clone()}</option> }.into_any()
            });
            view! {
                <div class="field">
                    <label class="label" for="tenant_id">"Where it may act"</label>
                    <select class="select" id="tenant_id" name="tenant_id">{options.collect_view()}</select>
                </div>
            }
            .into_any()
        }
    };
    view! {
        <AuthPage title=title wide=true>
            <div class="row">
                <AppMark name=app logo large=true/>
                <p class="row row--wrap small soft">{whence}{about}</p>
            </div>
            <section class="stack stack--2">
                <h2 class="label">"It will be able to"</h2>
                <ul class="grants">{asked}</ul>
            </section>
            <form class="stack stack--3" method="post" action=format!("/oauth/consent/{id}") data-once="">
                {where_to}
                <div class="row consent-acts">
                    <button class="btn" type="submit" name="decision" value="deny">"Deny"</button>
                    <button class="btn btn--primary" type="submit" name="decision" value="allow" disabled=nowhere>"Allow access"</button>
                </div>
                {(!trial).then(|| view! {
                    <p class="meta">"You return to "<b class="break">{redirect_uri}</b>". Take access back at any time under Account, Grants."</p>
                }.into_any())}
            </form>
            {if trial {
                view! {
                    <Banner tone=Tone::Info>
                        <p>"The answer goes to the page of the trial, not to the app. What you allow here ends with it."</p>
                    </Banner>
                }.into_any()
            } else {
                view! { <NotYou email again/> }.into_any()
            }}
        </AuthPage>
    }
}

#[component]
fn Permission(scope: ConsentScope) -> impl IntoView {
    let icon = match scope.name.as_str() {
        "offline_access" => IconName::Clock,
        "openid" | "profile" | "email" => IconName::Users,
        _ => IconName::KeyRound,
    };
    view! {
        <li>
            <Icon name=icon/>
            <div>
                <p><b>{scope.words}</b></p>
                <p><code>{scope.name.to_string()}</code></p>
            </div>
        </li>
    }
}
