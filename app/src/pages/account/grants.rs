//! `/grants`: what one allowed apps, in whichever of one's tenants.

use super::{Done, Tabs, crumbs};
use crate::{
    actions::GrantForm,
    components::{AppMark, ErrorSummary, PageTitle},
    pages::apps::{Allowed, Since},
    returned::returned,
    visit::{Shown, framed},
};
use contract::GrantSeen;
use domain::oauth;
use leptos::prelude::*;

/// `/grants`
#[component]
pub fn GrantsPage() -> impl IntoView {
    framed(|visit| async move {
        let all = oauth::mine(&visit.ctx).await?;
        let back = returned::<GrantForm>();
        let done = back.is_none() && visit.query.get_str("done").is_some();
        let list = if all.is_empty() {
            view! { <Nothing/> }.into_any()
        } else {
            let rows = all.into_iter().map(|grant| view! { <Grant grant/> }.into_any()).collect_view();
            view! {
                <p class="small soft">"Apps that you let act for you. Revoke one, and its tokens are refused within a second; it can ask you again."</p>
                <section class="card" aria-label="What you allowed"><ul class="rows rows--two">{rows}</ul></section>
            }
            .into_any()
        };
        let body = view! {
            <div class="page__head"><PageTitle>"Grants"</PageTitle></div>
            <Tabs here="/grants"/>
            <div class="stack">
                {done.then(|| view! { <Done text="Revoked. The app can do nothing for you any more."/> }.into_any())}
                {back.map(|b| view! { <ErrorSummary errors=b.errors message=b.message/> }.into_any())}
                {list}
            </div>
        };
        Ok(Shown::new(crumbs("Grants"), body))
    })
}

#[component]
fn Grant(grant: GrantSeen) -> impl IntoView {
    let app = grant.app.clone();
    let name = match grant.home_page.clone() {
        Some(url) => view! { <a class="name" href=url rel="noreferrer noopener" target="_blank"><span>{app.clone()}</span></a> }.into_any(),
        None => view! { <b class="anywhere">{app.clone()}</b> }.into_any(),
    };
    // It acts for the person, not for the tenant that they happen to work in: the form names none.
    view! {
        <li>
            <span class="row"><AppMark name=app.clone() logo=grant.logo_url.clone()/>{name}</span>
            <span class="soft anywhere">"in "{grant.tenant.clone()}</span>
            <form class="push" method="post" action="/grants" data-once="">
                <input type="hidden" name="grant" value=grant.id.to_string()/>
                <button class="btn btn--sm" type="submit" name="act" value="revoke" aria-label=format!("Revoke {app} in {}", grant.tenant)>"Revoke"</button>
            </form>
            <Allowed grant=grant.clone()/>
            <Since grant/>
        </li>
    }
    .into_any()
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <h2>"You have allowed no app anything"</h2>
                <p class="lead soft">"When an app asks to act for you and you allow it, it stands here with what it may do, and you can take that back."</p>
            </div>
        </div>
    }
}
