//! Apps of other tenants that members let act here: who manages this tenant sees them, and can end it.

use super::{Allowed, Since};
use crate::{
    components::{AppMark, InTenant, Pager},
    url::href,
};
use contract::{GrantSeen, Page};
use leptos::prelude::*;

/// What members of this tenant allowed apps of others; nothing where they allowed none.
#[component]
pub fn Others(
    /// One page of them.
    grants: Page<GrantSeen>,
    /// Whether they are the newest.
    first: bool,
    /// Whether the role ends them.
    may: bool,
) -> impl IntoView {
    if grants.data.is_empty() && first {
        return ().into_any();
    }
    let count = grants.data.len();
    let older = grants.next_cursor.map(|c| href("/apps", &[("others", Some(&c.to_string()))]));
    let newest = (!first).then(|| "/apps".to_owned());
    let pager = (older.is_some() || newest.is_some()).then(|| view! { <Pager count noun="grant" newest older/> }.into_any());
    let rows = grants.data.into_iter().map(|grant| view! { <Other grant may/> }.into_any()).collect_view();
    view! {
        <section class="card" aria-labelledby="others">
            <div class="card__head"><h2 id="others">"Apps of other tenants"</h2><span class="meta">"what members of this tenant allowed them"</span></div>
            <ul class="rows rows--two">{rows}</ul>
            {pager}
        </section>
    }
    .into_any()
}

#[component]
fn Other(grant: GrantSeen, may: bool) -> impl IntoView {
    let (app, who) = (grant.app.clone(), grant.user.clone());
    let revoke = may.then(|| {
        view! {
            <form class="push" method="post" action="/apps" data-once=""><InTenant/>
                <input type="hidden" name="grant" value=grant.id.to_string()/>
                <button class="btn btn--sm" type="submit" name="act" value="revoke" aria-label=format!("Revoke what {who} allowed {app}")>"Revoke"</button>
            </form>
        }
        .into_any()
    });
    view! {
        <li>
            <span class="row"><AppMark name=app.clone() logo=grant.logo_url.clone()/><b class="anywhere">{app.clone()}</b></span>
            <span class="soft anywhere">"for "{who.clone()}</span>
            {revoke}
            <Allowed grant=grant.clone()/>
            <Since grant/>
        </li>
    }
    .into_any()
}
