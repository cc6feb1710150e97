//! `/settings/tenant`: its name, and its end.

use super::{Tabs, crumbs};
use crate::{
    actions::OwnTenantForm,
    components::{CopyId, ErrorSummary, InTenant, PageTitle, TextField, Time, TimeForm},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{Perm, Role, SupportAccess, SupportReason, Tenant, UnixMs};
use domain::tenants;
use leptos::prelude::*;

/// `/settings/tenant`
#[component]
pub fn TenantPage() -> impl IntoView {
    framed(|visit| async move {
        visit.ctx.require(Perm::SettingsRead)?;
        let tenant = tenants::get(&visit.ctx, visit.chrome.tenant_id).await?;
        let (support, now) = (tenants::support(&visit.ctx).await?, visit.ctx.now());
        let writes = visit.chrome.role.holds(Perm::SettingsWrite);
        let Returned { form, errors, message } = returned::<OwnTenantForm>().unwrap_or_default();
        let error = |name: &str| errors.get(name).map(str::to_owned);
        let saved = visit.query.get_str("saved").is_some() && errors.is_empty() && message.is_none();
        let rename = visit.chrome.role.holds(Perm::SettingsWrite).then(|| {
            let value = if form.act == "rename" { form.name.clone() } else { tenant.name.clone() };
            view! {
                <form class="stack" method="post" action="/settings/tenant" novalidate=true><InTenant/>
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
                <Support all=support writes now/>
                {end}
            </div>
        };
        Ok(Shown::new(crumbs("Tenant"), body))
    })
}

/// Operators of the installation who work here, or did.
#[component]
fn Support(all: Vec<SupportAccess>, writes: bool, now: UnixMs) -> impl IntoView {
    let rows = all.into_iter().map(|access| view! { <Access access writes now/> }.into_any()).collect::<Vec<_>>();
    let none = rows.is_empty();
    view! {
        <section class="card" aria-labelledby="support-title">
            <div class="card__head"><h2 id="support-title">"Support access"</h2></div>
            {if none {
                view! { <p class="card__body small soft">"Nobody of those who operate this server has entered this tenant. If they do, it stands here with the reason."</p> }.into_any()
            } else {
                view! { <ul class="rows rows--two">{rows}</ul> }.into_any()
            }}
        </section>
    }
    .into_any()
}

#[component]
fn Access(access: SupportAccess, writes: bool, now: UnixMs) -> impl IntoView {
    let open = access.is_open(now);
    let end = (open && writes).then(|| {
        view! {
            <form class="push" method="post" action="/settings/tenant"><InTenant/>
                <input type="hidden" name="id" value=access.id.to_string()/>
                <button class="btn btn--sm btn--danger" type="submit" name="act" value="end-support" aria-label=format!("End the access of {}", access.email)>"End now"</button>
            </form>
        }
        .into_any()
    });
    let (word, at) = match access.ended_at {
        Some(at) => ("ended ", at),
        None if open => ("until ", access.expires_at),
        None => ("ended ", access.expires_at),
    };
    view! {
        <li>
            <span class="anywhere">{access.email.clone()}</span>
            <span class="soft">{access.role.title()}</span>
            {end}
            <span class="meta">{reason_words(access.reason)}": "{access.note.clone()}", from "<Time at=access.created_at form=TimeForm::Full/>", "{word}<Time at form=TimeForm::Full/></span>
        </li>
    }
}

/// Why an operator enters a tenant, for people.
pub const fn reason_words(reason: SupportReason) -> &'static str {
    match reason {
        SupportReason::Request => "Asked for help",
        SupportReason::Incident => "Incident",
        SupportReason::Billing => "Plan and billing",
        SupportReason::Other => "Other",
    }
}

#[component]
fn Delete(tenant: Tenant, confirm: String, error: Option<String>) -> impl IntoView {
    let name = tenant.name;
    view! {
        <section class="card card--bad">
            <div class="card__head"><h2>"Delete this tenant"</h2></div>
            <form class="card__body stack" method="post" action="/settings/tenant" novalidate=true><InTenant/>
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
