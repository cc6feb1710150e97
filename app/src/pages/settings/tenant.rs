//! `/settings/tenant`: its name, and its end.

use super::{Tabs, crumbs};
use crate::{
    actions::OwnTenantForm,
    components::{CopyId, ErrorSummary, PageTitle, TextField},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{Perm, Role, Tenant};
use domain::tenants;
use leptos::prelude::*;

/// `/settings/tenant`
#[component]
pub fn TenantPage() -> impl IntoView {
    framed(|visit| async move {
        visit.ctx.require(Perm::SettingsRead)?;
        let tenant = tenants::get(&visit.ctx, visit.chrome.tenant_id).await?;
        let Returned { form, errors, message } = returned::<OwnTenantForm>().unwrap_or_default();
        let error = |name: &str| errors.get(name).map(str::to_owned);
        let saved = visit.query.get_str("saved").is_some() && errors.is_empty() && message.is_none();
        let rename = visit.chrome.role.holds(Perm::SettingsWrite).then(|| {
            let value = if form.act == "rename" { form.name.clone() } else { tenant.name.clone() };
            view! {
                <form class="stack" method="post" action="/settings/tenant" novalidate=true>
                    <TextField name="name" label=|| "Name" value error=error("name") autocomplete="organization"/>
                    <div class="row"><button class="btn btn--primary" type="submit" name="act" value="rename">"Save name"</button></div>
                </form>
            }
            .into_any()
        });
        let confirm = if form.act == "delete" { form.confirm.clone() } else { String::new() };
        let end =
            (visit.chrome.role == Role::Owner).then(|| view! { <Delete tenant=tenant.clone() confirm error=error("confirm")/> }.into_any());
        let body = view! {
            <div class="page__head"><PageTitle>"Tenant"</PageTitle></div>
            <Tabs here="/settings/tenant"/>
            <div class="stack narrow">
                {saved.then(|| view! { <p class="row small ok" role="status"><Icon name=IconName::CircleCheck/>"Saved."</p> }.into_any())}
                <ErrorSummary errors=errors.clone() message/>
                <section class="card">
                    <div class="card__body stack">
                        <dl class="dl">
                            <dt>"Id"</dt><dd><CopyId text=tenant.id.to_string() what="tenant id"/></dd>
                            <dt>"In keys"</dt><dd class="mono">{format!("tk_{}_…", tenant.slug)}</dd>
                            {rename.is_none().then(|| view! { <dt>"Name"</dt><dd>{tenant.name.clone()}</dd> }.into_any())}
                        </dl>
                        {rename}
                    </div>
                </section>
                {end}
            </div>
        };
        Ok(Shown::new(crumbs("Tenant"), body))
    })
}

#[component]
fn Delete(tenant: Tenant, confirm: String, error: Option<String>) -> impl IntoView {
    let name = tenant.name;
    view! {
        <section class="card card--bad">
            <div class="card__head"><h2>"Delete this tenant"</h2></div>
            <form class="card__body stack" method="post" action="/settings/tenant" novalidate=true>
                <p class="small soft">"Everybody is signed out and every key is refused, at once. After 30 days all of it is removed; until then whoever operates this server can bring it back."</p>
                <TextField
                    name="confirm"
                    label=move || view! { "Type "<code>{name.clone()}</code>" to confirm" }
                    value=confirm
                    error=error
                />
                <div class="row"><button class="btn btn--destroy" type="submit" name="act" value="delete"><Icon name=IconName::Trash2/>"Delete tenant"</button></div>
            </form>
        </section>
    }
    .into_any()
}
