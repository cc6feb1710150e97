//! `/platform/tenants`: every tenant of the installation, for those who operate it.

use crate::{
    actions::PlatformForm,
    components::{CopyId, Crumbs, ErrorSummary, PageTitle, Pager, SelectField, TextField, Time, TimeForm},
    icon::{Icon, IconName},
    numbers::{counted, thousands},
    pages::{members::Link, settings::reason_words},
    returned::{Returned, returned},
    url::href,
    visit::{Shown, framed},
};
use contract::{
    CreatedInvitation, FieldErrors, Membership, Page, PageQuery, Plan, SUPPORT_HOURS, SUPPORT_ROLES, SupportReason, Tenant, TenantState,
};
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
            <Tabs here="/platform/tenants"/>
            <div class="stack">
            {made}
            <div class="cols">
                <List all first=cursor.map(|_| "/platform/tenants".to_owned())/>
                <div class="stack">
                    <Create back/>
                    <p class="small"><a href="/platform/recovery">"Somebody lost their password or second factor?"</a></p>
                </div>
            </div>
            </div>
        };
        Ok(Shown::new(Crumbs::section("Tenants"), body))
    })
}

/// The pages of the installation.
#[component]
pub fn Tabs(
    /// The path of this page.
    here: &'static str,
) -> impl IntoView {
    let tabs = [("/platform/tenants", "Tenants"), ("/platform/plans", "Plans")]
        .map(|(path, label)| view! { <a href=path aria-current=(path == here).then_some("page")>{label}</a> }.into_any());
    view! { <nav class="tabs tabs--gap" aria-label="Installation">{tabs.into_iter().collect_view()}</nav> }
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
                <TextField name="email" label=|| "Its owner's email" kind="email" value=form.email hint="You get a link to pass on; where a mail server is set, they are mailed one, too." error=error("email") required=false/>
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
        let plans = tenants::plans(&visit.ctx).await?;
        let member = visit.chrome.tenants.iter().find(|t| t.id == tenant.id).cloned();
        let mailed = visit.ctx.core().settings.sends_mail;
        let made = use_context::<CreatedInvitation>().map(|made| view! { <Link made mailed/> }.into_any());
        let Returned { form, errors, message } = returned::<PlatformForm>().unwrap_or_default();
        let crumbs = Crumbs { above: vec![("Tenants".to_owned(), "/platform/tenants".to_owned())], ..Crumbs::section(&tenant.name) };
        let removed = tenant.removed_at.map(|at| view! { <dt>"Removed"</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any());
        let closed = tenant.reason.clone().map(|reason| view! { <dt>"Because"</dt><dd class="anywhere">{reason}</dd> }.into_any());
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
                            {closed}
                            {removed}
                            <dt>"Id"</dt><dd><CopyId text=tenant.id.to_string() what="tenant id"/></dd>
                            <dt>"In keys"</dt><dd class="mono">{tenant.slug.clone()}</dd>
                            <dt>"Plan"</dt><dd class="mono">{tenant.plan.clone()}</dd>
                            <dt>"Made"</dt><dd><Time at=tenant.created_at form=TimeForm::Full/></dd>
                        </dl>
                    </div>
                </section>
                <SupportHere here=member tenant=tenant.clone() form=form.clone() errors=errors.clone()/>
                <Acts tenant plans form errors/>
            </div>
        };
        Ok(Shown::new(crumbs, body))
    })
}

/// The reader's own way into the tenant: as its member, or as support for some hours.
#[component]
fn SupportHere(here: Option<Membership>, tenant: Tenant, form: PlatformForm, errors: FieldErrors) -> impl IntoView {
    if tenant.state != TenantState::Active {
        return ().into_any();
    }
    let action = format!("/platform/tenants/{}", tenant.id);
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let go = || {
        view! {
            <form method="post" action="/tenants">
                <button class="btn" type="submit" name="tenant" value=tenant.id.to_string()>"Go there"</button>
            </form>
        }
        .into_any()
    };
    let body = match here {
        Some(Membership { until: None, .. }) => view! {
            <div class="card__body stack stack--3"><p class="small soft">"You are a member of it."</p><div class="row">{go()}</div></div>
        }
        .into_any(),
        Some(Membership { until: Some(at), role, .. }) => view! {
            <div class="card__body stack stack--3">
                <p class="small soft">"You can work in it as "{role.title().to_lowercase()}" until "<Time at form=TimeForm::Full/>"."</p>
                <div class="row row--wrap">
                    {go()}
                    <form method="post" action=action><button class="btn btn--danger" type="submit" name="act" value="end-support">"End access"</button></form>
                </div>
            </div>
        }
        .into_any(),
        None => {
            let roles = SUPPORT_ROLES.iter().map(|r| (r.to_string(), r.title().to_owned())).collect();
            let hours = SUPPORT_HOURS.iter().map(|h| (h.to_string(), counted(*h, "hour"))).collect();
            let reasons = SupportReason::ALL.iter().map(|r| (r.to_string(), reason_words(*r).to_owned())).collect();
            view! {
                <form class="card__body stack" method="post" action=action novalidate=true>
                    <p class="small soft">"You enter it for some hours. Its people see who, why and until when, and can end it; what you do stands in their audit log."</p>
                    <SelectField name="why" label="Reason" options=reasons chosen=form.why.clone() error=error("why")/>
                    <TextField name="note" label=|| "What for" value=form.note.clone() hint="The tenant reads it: the number of their ticket, say." error=error("note")/>
                    <SelectField name="role" label="As" options=roles chosen=form.role.clone() error=error("role")/>
                    <SelectField name="hours" label="For" options=hours chosen=form.hours.clone() error=error("hours")/>
                    <div class="row"><button class="btn" type="submit" name="act" value="support"><Icon name=IconName::Eye/>"Open support access"</button></div>
                </form>
            }
            .into_any()
        }
    };
    view! { <section class="card"><div class="card__head"><h2>"Support access"</h2></div>{body}</section> }.into_any()
}

#[component]
fn Acts(tenant: Tenant, plans: Vec<Plan>, form: PlatformForm, errors: FieldErrors) -> impl IntoView {
    let action = format!("/platform/tenants/{}", tenant.id);
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let (name, plan) =
        if form.act == "change" { (form.name.clone(), form.plan.clone()) } else { (tenant.name.clone(), tenant.plan.clone()) };
    let options =
        plans.into_iter().map(|p| (p.name.clone(), format!("{}: {} an hour", p.name, thousands(p.rate_limit.per_hour.into())))).collect();
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
                        label=|| view! { "Reason "<span class="muted">"its people read it when they sign in; needed to suspend"</span> }
                        value=form.reason.clone()
                        error=error("reason")
                        required=false
                    />
                    <TextField
                        name="confirm"
                        label=|| view! { "Its name "<span class="muted">"to delete it"</span> }
                        error=error("confirm")
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
            <div class="card__head"><h2>"Name and plan"</h2></div>
            <form class="card__body stack" method="post" action=action.clone() novalidate=true>
                <TextField name="name" label=|| "Name" value=name error=error("name")/>
                <SelectField name="plan" label="Plan" options chosen=plan error=error("plan")/>
                <div class="row"><button class="btn" type="submit" name="act" value="change">"Save"</button></div>
            </form>
        </section>
        {invite}
        {resume}
        {end}
    }
    .into_any()
}
