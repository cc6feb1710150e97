//! `/platform/tenants`: every tenant of the installation, for those who operate it.

use crate::{
    actions::PlatformForm,
    components::{CopyId, Crumbs, ErrorSummary, PageTitle, Pager, TextField, Time, TimeForm},
    icon::{Icon, IconName},
    pages::members::Link,
    returned::{Returned, returned},
    url::href,
    visit::{Shown, framed},
};
use contract::{CreatedInvitation, FieldErrors, Page, PageQuery, Tenant, TenantState};
use domain::tenants;
use leptos::prelude::*;

/// `/platform/tenants`
#[component]
pub fn PlatformTenantsPage() -> impl IntoView {
    framed(|visit| async move {
        tenants::require_platform(&visit.ctx)?;
        let cursor = visit.query.get_str("cursor").and_then(|c| c.parse().ok());
        let all = tenants::list(&visit.ctx, PageQuery::at(cursor)).await?;
        let mailed = visit.ctx.core().settings.sends_mail;
        let made = use_context::<CreatedInvitation>().map(|made| view! { <Link made mailed/> }.into_any());
        let back = returned::<PlatformForm>().unwrap_or_default();
        let body = view! {
            <div class="page__head"><PageTitle>"Tenants"</PageTitle></div>
            {made}
            <div class="cols">
                <List all first=cursor.map(|_| "/platform/tenants".to_owned())/>
                <Create back/>
            </div>
        };
        Ok(Shown::new(Crumbs::section("Tenants"), body))
    })
}

#[component]
fn List(all: Page<Tenant>, first: Option<String>) -> impl IntoView {
    let count = all.data.len();
    let next = all.next_cursor.map(|c| href("/platform/tenants", &[("cursor", Some(&c.to_string()))]));
    let rows = all.data.into_iter().map(|tenant| view! { <Row tenant/> }.into_any()).collect_view();
    view! {
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <caption class="sr">"Tenants, newest first"</caption>
                <colgroup><col/><col class="c-176 p2"/><col class="c-112"/><col class="c-112 p2"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Tenant"</th>
                        <th scope="col" role="columnheader" class="p2">"In keys"</th>
                        <th scope="col" role="columnheader">"State"</th>
                        <th scope="col" role="columnheader" class="num p2">"Made"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            <Pager count noun="tenant" newest=first older=next/>
        </div>
    }
    .into_any()
}

#[component]
fn Row(tenant: Tenant) -> impl IntoView {
    view! {
        <tr role="row" class:is-off=tenant.state != TenantState::Active>
            <td role="cell" class="m-main">
                <a class="name cover" href=format!("/platform/tenants/{}", tenant.id)><span>{tenant.name}</span></a>
                <span class="sub mono">{tenant.slug.clone()}</span>
            </td>
            <td role="cell" class="mono p2">{tenant.slug}</td>
            <td role="cell" class="m-side"><State state=tenant.state/></td>
            <td role="cell" class="num soft p2"><Time at=tenant.created_at/></td>
        </tr>
    }
}

#[component]
fn State(state: TenantState) -> impl IntoView {
    let (class, icon, word) = match state {
        TenantState::Active => return view! { <span class="badge badge--plain"><span class="dot"></span>"Active"</span> }.into_any(),
        TenantState::Suspended => ("badge badge--off", IconName::Pause, "Suspended"),
        TenantState::Deleted => ("badge badge--danger", IconName::Trash2, "Deleted"),
    };
    view! { <span class=class><Icon name=icon small=true/>{word}</span> }.into_any()
}

#[component]
fn Create(back: Returned<PlatformForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let error = |name: &str| errors.get(name).map(str::to_owned);
    view! {
        <section class="card">
            <div class="card__head"><h2>"New tenant"</h2></div>
            <form class="card__body stack" method="post" action="/platform/tenants" novalidate=true>
                <ErrorSummary errors=errors.clone() message/>
                <TextField name="name" label=|| "Team or company" value=form.name error=error("name")/>
                <TextField name="slug" label=|| "Name in keys" value=form.slug hint="Made from the name if left empty. It cannot be changed." error=error("slug") mono=true required=false/>
                <TextField name="email" label=|| "Its owner's email" kind="email" value=form.email hint="You get a link to pass on; where a mail server is set, it is mailed, too." error=error("email") required=false/>
                <div class="row"><button class="btn btn--primary" type="submit" name="act" value="create"><Icon name=IconName::Plus/>"Create tenant"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// `/platform/tenants/:id`
#[component]
pub fn PlatformTenantPage() -> impl IntoView {
    framed(|visit| async move {
        tenants::require_platform(&visit.ctx)?;
        let tenant = tenants::get(&visit.ctx, visit.id()?).await?;
        let mailed = visit.ctx.core().settings.sends_mail;
        let made = use_context::<CreatedInvitation>().map(|made| view! { <Link made mailed/> }.into_any());
        let Returned { form, errors, message } = returned::<PlatformForm>().unwrap_or_default();
        let crumbs = Crumbs { above: vec![("Tenants".to_owned(), "/platform/tenants".to_owned())], ..Crumbs::section(&tenant.name) };
        let removed = tenant.removed_at.map(|at| view! { <dt>"Removed"</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any());
        let title = tenant.name.clone();
        let body = view! {
            <div class="page__head"><PageTitle>{title}</PageTitle></div>
            <div class="stack narrow">
                {made}
                <ErrorSummary errors=errors.clone() message/>
                <section class="card">
                    <div class="card__body">
                        <dl class="dl">
                            <dt>"State"</dt><dd><State state=tenant.state/></dd>
                            {removed}
                            <dt>"Id"</dt><dd><CopyId text=tenant.id.to_string() what="tenant id"/></dd>
                            <dt>"In keys"</dt><dd class="mono">{tenant.slug.clone()}</dd>
                            <dt>"Made"</dt><dd><Time at=tenant.created_at form=TimeForm::Full/></dd>
                        </dl>
                    </div>
                </section>
                <Acts tenant form errors/>
            </div>
        };
        Ok(Shown::new(crumbs, body))
    })
}

#[component]
fn Acts(tenant: Tenant, form: PlatformForm, errors: FieldErrors) -> impl IntoView {
    let action = format!("/platform/tenants/{}", tenant.id);
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let name = if form.act == "rename" { form.name.clone() } else { tenant.name.clone() };
    let active = tenant.state == TenantState::Active;
    let invite = active.then(|| {
        view! {
            <section class="card">
                <div class="card__head"><h2>"Invite an owner"</h2></div>
                <form class="card__body stack" method="post" action=action.clone() novalidate=true>
                    <TextField name="email" label=|| "Email" kind="email" value=form.email.clone() error=error("email")/>
                    <div class="row"><button class="btn" type="submit" name="act" value="invite"><Icon name=IconName::Mail/>"Invite"</button></div>
                </form>
            </section>
        }
        .into_any()
    });
    let resume = (!active).then(|| {
        view! {
            <section class="card">
                <div class="card__head"><h2>"Bring it back"</h2></div>
                <form class="card__body stack stack--3" method="post" action=action.clone()>
                    <p class="small soft">"Its people can sign in again, and its keys work as before."</p>
                    <div class="row"><button class="btn" type="submit" name="act" value="resume"><Icon name=IconName::Play/>"Resume tenant"</button></div>
                </form>
            </section>
        }
        .into_any()
    });
    let end = (tenant.state != TenantState::Deleted).then(|| {
        let suspend = active.then(|| view! { <button class="btn btn--danger" type="submit" name="act" value="suspend"><Icon name=IconName::Pause/>"Suspend tenant"</button> }.into_any());
        view! {
            <section class="card card--bad">
                <div class="card__head"><h2>"Take it out of use"</h2></div>
                <form class="card__body stack" method="post" action=action.clone() novalidate=true>
                    <p class="small soft">"Either way everybody is signed out and every key is refused, at once. A suspended tenant waits to be resumed; a deleted one is removed with everything in it after 30 days."</p>
                    <TextField
                        name="reason"
                        label=|| view! { "Reason "<span class="muted">"kept in the audit log of both tenants"</span> }
                        value=form.reason.clone()
                        error=error("reason")
                        required=false
                    />
                    <div class="row row--wrap">
                        {suspend}
                        <button class="btn btn--destroy" type="submit" name="act" value="delete"><Icon name=IconName::Trash2/>"Delete tenant"</button>
                    </div>
                </form>
            </section>
        }
        .into_any()
    });
    view! {
        <section class="card">
            <div class="card__head"><h2>"Name"</h2></div>
            <form class="card__body stack" method="post" action=action.clone() novalidate=true>
                <TextField name="name" label=|| "Name" value=name error=error("name")/>
                <div class="row"><button class="btn" type="submit" name="act" value="rename">"Save name"</button></div>
            </form>
        </section>
        {invite}
        {resume}
        {end}
    }
    .into_any()
}
