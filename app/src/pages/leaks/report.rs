//! `/leaks/:id`: one report, what happened since, and what to do.

use super::{ReportBadge, desk::Acts, display, effect_title, found::Found, source_title};
use crate::{
    actions::ReportForm,
    components::{ConfirmFields, Crumbs, ErrorSummary, Glyph, InTenant, PageTitle, TextField, Time, TimeForm},
    icon::{Icon, IconName},
    numbers::counted,
    pages::audit::action_words,
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{FieldErrors, KeyState, LeakDetail, LeakEvent, LeakReport, LeakState, Perm, Role, SecretState};
use domain::leaks;
use leptos::prelude::*;

/// `/leaks/:id`
#[component]
pub fn LeakReportPage() -> impl IntoView {
    framed(|visit| async move {
        let detail = leaks::get(&visit.ctx, visit.id()?).await?;
        let name = detail.report.key_name.clone();
        let above = vec![("Leak desk".to_owned(), "/leaks".to_owned())];
        let crumbs = Crumbs { above, ..Crumbs::section(&name) }.titled(format!("Leak of {name}"));
        let role = visit.chrome.role;
        Ok(Shown::new(crumbs, view! { <Report detail role back=returned().unwrap_or_default()/> }))
    })
}

#[component]
fn Report(detail: LeakDetail, role: Role, back: Returned<ReportForm>) -> impl IntoView {
    let LeakDetail { report, found, timeline } = detail;
    let opens = role.holds(Perm::KeysRead);
    let alive = found.key.state != KeyState::Revoked;
    let allowed = found.usage.allowed_30d;
    let acts = role.holds(Perm::KeysLookup);
    let Returned { form, errors, message } = back;
    let revoke = if !alive || !role.holds(Perm::KeysRevoke) {
        None
    } else if opens {
        Some(view! { <Acts id=found.key.id role/> }.into_any())
    } else {
        Some(view! { <Revoke report=report.clone() allowed form=form.clone() errors=errors.clone()/> }.into_any())
    };
    let close = (acts && report.state == LeakState::Open).then(|| {
        let error = errors.get("reason").map(str::to_owned);
        view! { <Close report=report.clone() form=form.clone() error/> }.into_any()
    });
    view! {
        <div class="page__head page__head--key">
            <div class="stack stack--1">
                <div class="row row--wrap">
                    <Glyph id=report.key_id large=true/>
                    <PageTitle>{format!("Leak of {}", report.key_name)}</PageTitle>
                    <ReportBadge state=report.state/>
                </div>
                <div class="row row--wrap small soft headmeta">
                    <span class="mono">{display(&report)}</span>
                    <span>{source_title(report.source)}", "{effect_title(report.effect)}</span>
                    <span>"Found "<Time at=report.found_at/></span>
                </div>
            </div>
            <div class="acts">{acts.then(|| view! { <Notify report=report.clone()/> }.into_any())}</div>
        </div>
        <ErrorSummary errors=errors.clone() message/>
        <div class="cols">
            <div class="stack">
                <section class=if alive && report.secret_state != SecretState::Dead { "card card--bad" } else { "card" } aria-labelledby="found-key">
                    <Found found opens id="found-key".to_owned()/>
                    {revoke}
                </section>
                {close}
            </div>
            <div class="stack">
                <About report/>
                <Timeline timeline/>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Notify(report: LeakReport) -> impl IntoView {
    if report.notified_at.is_some() || report.state == LeakState::Closed {
        return ().into_any();
    }
    view! {
        <form method="post" action=format!("/leaks/{}", report.id)><InTenant/>
            <button class="btn" type="submit" name="act" value="notify"><Icon name=IconName::Mail/>"Tell the owner"</button>
        </form>
    }
    .into_any()
}

/// The form that revokes a key, for those who see no page of it.
#[component]
fn Revoke(report: LeakReport, allowed: i64, form: ReportForm, errors: FieldErrors) -> impl IntoView {
    let breaks = if allowed == 0 {
        "No request of the last 30 days would have been refused.".to_owned()
    } else {
        format!("{} of the last 30 days would have been refused.", counted(allowed, "request"))
    };
    view! {
        <form class="card__body card__line stack" method="post" action=format!("/leaks/{}", report.id) novalidate=true><InTenant/>
            <h3>"Revoke key"</h3>
            <p class="small soft">"Every request with this key is refused from now on, within a second. This cannot be undone. "{breaks}</p>
            <ConfirmFields why="why" reason=form.why phrase=report.key_name confirm=form.confirm errors/>
            <div class="row"><button class="btn btn--destroy" type="submit" name="act" value="revoke"><Icon name=IconName::Ban/>"Revoke key"</button></div>
        </form>
    }
    .into_any()
}

#[component]
fn Close(report: LeakReport, form: ReportForm, error: Option<String>) -> impl IntoView {
    let alive = report.secret_state != SecretState::Dead;
    let said = if alive {
        "The reported secret still works. Say why it may, or revoke it first."
    } else {
        "The reported secret does not work any more."
    };
    view! {
        <section class="card">
            <div class="card__head"><h2>"Close this report"</h2></div>
            <form class="card__body stack" method="post" action=format!("/leaks/{}", report.id) novalidate=true><InTenant/>
                <p class="small soft">{said}</p>
                <TextField
                    name="reason"
                    label=move || {
                        if alive {
                            view! { "Why it may stay alive "<span class="muted">"kept in the audit log"</span> }.into_any()
                        } else {
                            view! { "Note "<span class="muted">"kept in the audit log"</span> }.into_any()
                        }
                    }
                    value=form.reason
                    error=error
                    required=alive
                />
                <div class="row"><button class="btn" type="submit" name="act" value="close"><Icon name=IconName::Check/>"Close report"</button></div>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn About(report: LeakReport) -> impl IntoView {
    let told = match report.notified_at {
        Some(at) => view! { <Time at form=TimeForm::Full/> }.into_any(),
        None => "Not yet".into_any(),
    };
    let closed = report.closed_at.map(|at| view! { <dt>"Closed"</dt><dd><Time at form=TimeForm::Full/></dd> }.into_any());
    view! {
        <section class="card">
            <div class="card__head"><h2>"Report"</h2></div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Reported"</dt><dd><Time at=report.found_at form=TimeForm::Full/></dd>
                    <dt>"By"</dt><dd>{report.reported_by}</dd>
                    {report.note.map(|n| view! { <dt>"Found"</dt><dd>{n}</dd> }.into_any())}
                    <dt>"Owner told"</dt><dd>{told}</dd>
                    {closed}
                    {report.closed_by.map(|by| view! { <dt>"Closed by"</dt><dd>{by}</dd> }.into_any())}
                </dl>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Timeline(timeline: Vec<LeakEvent>) -> impl IntoView {
    // The newest first, as everywhere; the list comes oldest first.
    let events = timeline.into_iter().rev().enumerate().map(|(n, event)| {
        view! {
            <li class:is-now=n == 0>
                <div>
                    {action_words(&event.action)}
                    {event.reason.map(|r| view! { ": "{r} }.into_any())}
                    <span class="meta">{event.actor}" · "<Time at=event.at form=TimeForm::Full/></span>
                </div>
            </li>
        }
        .into_any()
    });
    view! {
        <section class="card">
            <div class="card__head"><h2>"Timeline"</h2></div>
            <div class="card__body"><ol class="tl">{events.collect_view()}</ol></div>
        </section>
    }
    .into_any()
}
