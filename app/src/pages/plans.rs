//! `/platform/plans`: the limits of keys that name none of their own, by tenant.

use super::platform::Tabs;
use crate::{
    components::{Crumbs, ErrorSummary, PageTitle, TextField},
    icon::{Icon, IconName},
    numbers::{counted, thousands},
    returned::{Returned, returned},
    url::href,
    visit::{Shown, framed},
};
use contract::{DEFAULT_PLAN, Plan, PlanForm};
use domain::tenants;
use leptos::prelude::*;

/// `/platform/plans`
#[component]
pub fn PlansPage() -> impl IntoView {
    framed(|visit| async move {
        let all = tenants::plans(&visit.ctx).await?;
        let Returned { mut form, errors, message } = returned::<PlanForm>().unwrap_or_default();
        // A refused change comes back without the query.
        let changing = if form.act == "save" { Some(form.name.clone()) } else { visit.query.get_str("edit").map(str::to_owned) };
        let edited = changing.and_then(|name| all.iter().find(|p| p.name == name));
        if let Some(plan) = edited.filter(|_| form == PlanForm::default()) {
            form = PlanForm {
                name: plan.name.clone(),
                per_hour: plan.rate_limit.per_hour.to_string(),
                per_second: plan.rate_limit.per_second.to_string(),
                ..form
            };
        }
        let title = edited.map_or_else(|| "New plan".to_owned(), |plan| format!("Change {}", plan.name));
        let known = edited.is_some();
        let error = |name: &str| errors.get(name).map(str::to_owned);
        let rows = all.into_iter().map(|plan| view! { <Row plan/> }.into_any()).collect_view();
        let body = view! {
            <div class="page__head"><PageTitle>"Plans"</PageTitle></div>
            <Tabs here="/platform/plans"/>
            <div class="cols">
                <section class="card" aria-label="Plans"><ul class="rows rows--two">{rows}</ul></section>
                <section class="card">
                    <div class="card__head"><h2>{title}</h2></div>
                    <form class="card__body stack" method="post" action="/platform/plans" novalidate=true>
                        <ErrorSummary errors=errors.clone() message/>
                        {if known {
                            view! { <input type="hidden" name="name" value=form.name.clone()/> }.into_any()
                        } else {
                            view! { <TextField name="name" label=|| "Name" value=form.name.clone() error=error("name") mono=true/> }.into_any()
                        }}
                        <TextField name="per_hour" label=|| "Requests an hour" value=form.per_hour.clone() error=error("per_hour")/>
                        <TextField
                            name="per_second"
                            label=|| "Requests a second"
                            value=form.per_second.clone()
                            hint="For each key that names no limit of its own. It holds at once."
                            error=error("per_second")
                        />
                        <div class="row row--wrap">
                            <button class="btn btn--primary" type="submit" name="act" value=if known { "save" } else { "create" }>"Save plan"</button>
                            {known.then(|| view! { <a class="btn btn--quiet" href="/platform/plans">"Cancel"</a> }.into_any())}
                        </div>
                    </form>
                </section>
            </div>
        };
        Ok(Shown::new(Crumbs::section("Plans"), body))
    })
}

#[component]
fn Row(plan: Plan) -> impl IntoView {
    let Plan { name, rate_limit, tenants } = plan;
    let delete = (tenants == 0 && name != DEFAULT_PLAN).then(|| {
        view! {
            <form method="post" action="/platform/plans">
                <input type="hidden" name="name" value=name.clone()/>
                <button class="btn btn--sm btn--icon" type="submit" name="act" value="delete" aria-label=format!("Delete {name}") title="Delete"><Icon name=IconName::Trash2/></button>
            </form>
        }
        .into_any()
    });
    view! {
        <li>
            <b class="mono">{name.clone()}</b>
            <span class="push row">
                <a class="btn btn--sm" href=href("/platform/plans", &[("edit", Some(&name))]) aria-label=format!("Change {name}")>"Change"</a>
                {delete}
            </span>
            <span class="meta">
                {thousands(rate_limit.per_hour.into())}" requests an hour and "{thousands(rate_limit.per_second.into())}" a second for each key, "
                {counted(tenants, "tenant")}
            </span>
        </li>
    }
}
