//! `/tenants`: the tenants that a person works on.

use crate::{
    actions::TenantsForm,
    components::{Crumbs, ErrorSummary, PageTitle, TextField, Time, TimeForm},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{Chrome, Membership};
use leptos::prelude::*;

/// `/tenants`
#[component]
pub fn TenantsPage() -> impl IntoView {
    framed(|visit| async move {
        let chrome = visit.chrome;
        let back = returned::<TenantsForm>().unwrap_or_default();
        let here = chrome.tenant_id;
        let rows = chrome.tenants.iter().cloned().map(|one| view! { <Row here=one.id == here one/> }.into_any()).collect_view();
        let body = view! {
            <div class="page__head"><PageTitle>"Your tenants"</PageTitle></div>
            <div class="stack narrow">
                <section class="card"><ul class="rows">{rows}</ul></section>
                {(chrome.supporting.is_none() && visit.ctx.enrolled().is_ok()).then(|| view! { <Leave chrome=chrome.clone() back/> }.into_any())}
            </div>
        };
        Ok(Shown::new(Crumbs::section("Your tenants"), body))
    })
}

#[component]
fn Row(one: Membership, here: bool) -> impl IntoView {
    let way = if here {
        view! { <span class="badge badge--plain push"><Icon name=IconName::Check small=true/>"You are here"</span> }.into_any()
    } else {
        view! {
            <form class="push" method="post" action="/tenants">
                <button class="btn btn--sm" type="submit" name="tenant" value=one.id.to_string() aria-label=format!("Go to {}", one.name)>"Go there"</button>
            </form>
        }
        .into_any()
    };
    let until = one.until.map(|at| view! { <span class="soft">"Support until "<Time at form=TimeForm::Full/></span> }.into_any());
    view! { <li><b class="clip">{one.name.clone()}</b><span class="soft">{one.role.title()}</span>{until}{way}</li> }
}

#[component]
fn Leave(chrome: Chrome, back: Returned<TenantsForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let name = chrome.tenant.clone();
    let error = errors.get("confirm").map(str::to_owned);
    view! {
        <section class="card">
            <div class="card__head"><h2>{format!("Leave {}", chrome.tenant)}</h2></div>
            <form class="card__body stack" method="post" action="/tenants" novalidate=true>
                <ErrorSummary errors message/>
                <p class="small soft">"You are signed out of it at once. Keys that you answer for go on working and wait for another owner. Coming back takes an invitation."</p>
                <TextField
                    name="confirm"
                    label=move || view! { "Type "<code>{name.clone()}</code>" to confirm" }
                    value=form.confirm
                    error=error
                />
                <div class="row"><button class="btn btn--danger" type="submit" name="act" value="leave">"Leave tenant"</button></div>
            </form>
        </section>
    }
    .into_any()
}
