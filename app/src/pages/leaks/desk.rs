//! `/leaks`: paste, match, report; and the list of reports.

use super::{ReportBadge, SecretBadge, app::AppMatch, display, found::Found, source_title};
use crate::{
    actions::DeskForm,
    components::{Banner, Crumbs, ErrorSummary, FieldError, Glyph, InTenant, PageTitle, Pager, Time, Tone, described_by},
    icon::{Icon, IconName},
    numbers::counted,
    returned::{Returned, returned},
    url::{href, key_href},
    visit::{Shown, Visit, framed},
};
use contract::{Cursor, KeyState, LeakFilter, LeakLookup, LeakMatch, LeakReport, LeakState, Page, PageQuery, Perm, Role, TenantId};
use domain::leaks;
use leptos::prelude::*;

/// `/leaks`
#[component]
pub fn LeakDesk() -> impl IntoView {
    framed(|visit| async move {
        let (state, cursor) = (state_of(&visit), visit.query.get_str("cursor").and_then(|c| c.parse::<Cursor>().ok()));
        let reports = leaks::list(&visit.ctx, LeakFilter { state, key_id: None }, PageQuery::at(cursor)).await?;
        let role = visit.chrome.role;
        let home = visit.ctx.tenant_id();
        let looks = role.holds(Perm::KeysLookup);
        let found = use_context::<LeakLookup>();
        let back = returned::<DeskForm>();
        let done = visit.query.get_str("done").filter(|_| found.is_none() && back.is_none()).and_then(done_words);
        let done = done.map(|said| view! { <Banner tone=Tone::Info><p role="status">{said}</p></Banner> }.into_any());
        let body = view! {
            <div class="page__head"><PageTitle>"Leak desk"</PageTitle></div>
            <div class="cols">
                <div class="stack">
                    {looks.then(|| view! { <Paste again=found.is_some() back=back.clone()/> }.into_any())}
                    {done}
                    {found.map(|found| view! { <Matches found role home/> }.into_any())}
                    <Reports reports state cursor/>
                </div>
                <Earlier/>
            </div>
        };
        Ok(Shown::new(Crumbs::section("Leak desk"), body))
    })
}

/// What was just done about an app.
fn done_words(done: &str) -> Option<&'static str> {
    match done {
        "ended" => Some("The secret is ended: it is refused from now on. Whoever registered the app was told."),
        "suspended" => Some("The app is suspended: nothing of it works until it is resumed."),
        _ => None,
    }
}

/// Open reports are what the desk is for; `all` shows the others too.
fn state_of(visit: &Visit) -> Option<LeakState> {
    match visit.query.get_str("state") {
        Some("all") => None,
        Some(other) => other.parse().ok().or(Some(LeakState::Open)),
        None => Some(LeakState::Open),
    }
}

#[component]
fn Paste(again: bool, back: Option<Returned<DeskForm>>) -> impl IntoView {
    // A report that was refused comes back as a form of its own: the text is gone.
    if let Some(back) = back.clone().filter(|b| !b.form.secret_id.is_empty()) {
        return view! { <ReportAgain back/> }.into_any();
    }
    let Returned { errors, message, .. } = back.unwrap_or_default();
    let error = errors.get("text").map(str::to_owned);
    view! {
        <form class="stack stack--3" method="post" action="/leaks" novalidate=true><InTenant/>
            <ErrorSummary errors=errors.clone() message/>
            <div class="field">
                <label class="label" for="text">"Text that may hold a key"</label>
                <textarea
                    class="textarea textarea--tall"
                    id="text"
                    name="text"
                    spellcheck="false"
                    autocapitalize="none"
                    autocomplete="off"
                    aria-invalid=error.is_some().then_some("true")
                    aria-describedby=described_by("text", true, error.is_some())
                ></textarea>
                <FieldError name="text" message=error/>
            </div>
            <div class="row row--wrap">
                <p class="hint grow" id="text-hint">
                    "A key, a log, a diff, up to 1 MB. The text is not stored and not shown again; keys are recognised by prefix and checksum and compared by hash."
                </p>
                <button class=if again { "btn" } else { "btn btn--primary" } type="submit"><Icon name=IconName::Search/>{if again { "Check another text" } else { "Check text" }}</button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn ReportAgain(back: Returned<DeskForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let error = errors.get("note").map(str::to_owned);
    view! {
        <section class="card">
            <div class="card__head"><h2>"Report the leak"</h2></div>
            <form class="card__body stack" method="post" action="/leaks" novalidate=true><InTenant/>
                <ErrorSummary errors=errors.clone() message/>
                <ReportFields secret=form.secret_id.clone() note=form.note.clone() notify=form.notify.is_some() error id="note".to_owned()/>
                <div class="row row--wrap"><button class="btn btn--primary" type="submit">"Report leak"</button><a class="btn btn--quiet" href="/leaks">"Cancel"</a></div>
            </form>
        </section>
    }
    .into_any()
}

/// The fields of a report: several may stand on one page, each with an id of its own.
#[component]
fn ReportFields(secret: String, note: String, notify: bool, error: Option<String>, id: String) -> impl IntoView {
    let bad = error.is_some();
    view! {
        <input type="hidden" name="secret_id" value=secret/>
        <div class="field">
            <label class="label" for=id.clone()>"Where it was found "<span class="muted">"kept in the audit log; leave the key itself out"</span></label>
            <input
                class="input"
                id=id
                name="note"
                value=note
                maxlength="500"
                autocomplete="off"
                aria-invalid=bad.then_some("true")
                aria-describedby=described_by("note", false, bad)
            />
            <FieldError name="note" message=error/>
        </div>
        <label class="opt"><input class="check" type="checkbox" name="notify" value="1" checked=notify/>"Tell the owner by mail"</label>
    }
    .into_any()
}

#[component]
fn Matches(found: LeakLookup, role: Role, home: Option<TenantId>) -> impl IntoView {
    let LeakLookup { matches, apps, unknown, truncated } = found;
    let nothing = matches.is_empty() && apps.is_empty();
    let many = |n: usize, noun| (n > 0).then(|| counted(i64::try_from(n).unwrap_or(i64::MAX), noun));
    let named = [many(matches.len(), "key"), many(apps.len(), "app secret")].into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let said = if nothing { "No key of yours is in the text".to_owned() } else { format!("{named} in the text") };
    let app_cards = apps.into_iter().enumerate().map(|(n, found)| view! { <AppMatch found n role home/> }.into_any()).collect_view();
    let cards = matches.into_iter().enumerate().map(|(n, found)| view! { <Match found n role home/> }.into_any()).collect_view();
    let others = (unknown > 0).then(|| {
        let words = if unknown == 1 { "1 well-formed key is" } else { "Further well-formed keys are" };
        let many = if unknown == 1 { String::new() } else { format!(" ({unknown})") };
        view! { <li><Icon name=IconName::Info/><span>{format!("{words} not one of yours{many}. They may belong to another tenant or installation.")}</span></li> }.into_any()
    });
    let more = truncated.then(|| {
        view! { <li><Icon name=IconName::TriangleAlert/><span>"The text holds more keys than one search answers. Check the rest apart."</span></li> }.into_any()
    });
    let none = nothing.then(|| {
        view! { <li><Icon name=IconName::CircleCheck/><span>"What looks like a key but fails its checksum was never one: it was cut or typed wrong."</span></li> }.into_any()
    });
    let also = (nothing || unknown > 0 || truncated).then(|| {
        let title = if nothing { "Nothing found" } else { "Also in the text" };
        view! { <section class="card"><div class="card__head"><h2>{title}</h2></div><ul class="rows">{none}{others}{more}</ul></section> }
            .into_any()
    });
    view! {
        <div class="stack" id="found">
            <p class="lead" role="status">{said}</p>
            {cards}
            {app_cards}
            {also}
        </div>
    }
    .into_any()
}

#[component]
fn Match(found: LeakMatch, n: usize, role: Role, home: Option<TenantId>) -> impl IntoView {
    let ours = home == Some(found.tenant.id);
    let (key, secret, report) = (found.key.clone(), found.secret.id, found.report);
    let opens = ours && role.holds(Perm::KeysRead);
    let (heading, id) = (format!("match-{n}"), format!("match-{n}"));
    let foot = if ours {
        let report = match report {
            Some(id) => view! { <div class="card__body card__line"><a class="btn" href=format!("/leaks/{id}")>"Open its report"</a></div> }.into_any(),
            None => view! {
                <form class="card__body card__line stack stack--3" method="post" action="/leaks"><InTenant/>
                    <ReportFields secret=secret.to_string() note=String::new() notify=true error=None id=format!("note-{n}")/>
                    <div class="row row--wrap"><button class="btn" type="submit"><Icon name=IconName::ShieldAlert/>"Report leak"</button></div>
                </form>
            }
            .into_any(),
        };
        let alive = key.state != KeyState::Revoked;
        let acts = (opens && alive).then(|| view! { <Acts id=key.id role/> }.into_any());
        view! { {report}{acts} }.into_any()
    } else {
        view! { <p class="card__foot small soft">"This key belongs to another tenant: its own people report and revoke it."</p> }.into_any()
    };
    view! {
        <section class="card card--bad" aria-labelledby=heading>
            <Found found opens id/>
            {foot}
        </section>
    }
    .into_any()
}

/// What ends the danger, for those who open the key's page.
#[component]
pub fn Acts(
    /// The key.
    id: contract::KeyId,
    /// Who reads.
    role: Role,
) -> impl IntoView {
    let rotate = role.holds(Perm::KeysWrite).then(|| {
        view! { <a class="btn" href=format!("{}/rotate", key_href(id))><Icon name=IconName::RefreshCw/>"Rotate key"</a> }.into_any()
    });
    let revoke = role.holds(Perm::KeysRevoke).then(|| {
        view! { <a class="btn btn--destroy" href=format!("{}/revoke", key_href(id))><Icon name=IconName::Ban/>"Revoke key"</a> }.into_any()
    });
    view! {
        <div class="card__foot row--wrap">
            <p class="meta grow">"Revoking reaches every process within a second."</p>
            {rotate}
            {revoke}
        </div>
    }
    .into_any()
}

#[component]
fn Reports(reports: Page<LeakReport>, state: Option<LeakState>, cursor: Option<Cursor>) -> impl IntoView {
    let count = reports.data.len();
    let word = |state: Option<LeakState>| state.map_or("all", LeakState::as_str);
    let at = |cursor: Option<Cursor>| href("/leaks", &[("state", Some(word(state))), ("cursor", cursor.map(|c| c.to_string()).as_deref())]);
    let newest = cursor.is_some().then(|| at(None));
    let older = reports.next_cursor.map(|c| at(Some(c)));
    let tabs = [(Some(LeakState::Open), "Open"), (Some(LeakState::Closed), "Closed"), (None, "All")].map(|(tab, label)| {
        let to = if tab == Some(LeakState::Open) { "/leaks".to_owned() } else { href("/leaks", &[("state", Some(word(tab)))]) };
        view! { <a href=to aria-current=(tab == state).then_some("page")>{label}</a> }.into_any()
    });
    let body = if reports.data.is_empty() {
        let said = match state {
            Some(LeakState::Open) => "No report waits for anybody",
            Some(LeakState::Closed) => "No report was closed yet",
            None => "No leak was reported yet",
        };
        view! {
            <tr role="row"><td role="cell" colspan="5" class="state-cell">
                <p><b>{said}</b></p>
                <p class="small soft">"Reports come from this desk and from whoever sends a key to the public address."</p>
            </td></tr>
        }
        .into_any()
    } else {
        reports.data.into_iter().map(|report| view! { <ReportRow report/> }.into_any()).collect_view().into_any()
    };
    view! {
        <section class="stack stack--3" aria-labelledby="reports">
            <h2 id="reports">"Reports"</h2>
            <nav class="tabs" aria-label="Reports by state">{tabs.into_iter().collect_view()}</nav>
            <div class="tablebox">
                <table class="tbl tbl--stack" role="table">
                    <caption class="sr">"Leak reports, newest first"</caption>
                    <colgroup><col/><col class="c-176 p2"/><col class="c-96"/><col class="c-128 p2"/><col class="c-112 p2"/></colgroup>
                    <thead role="rowgroup">
                        <tr role="row">
                            <th scope="col" role="columnheader">"Key"</th>
                            <th scope="col" role="columnheader" class="p2">"Secret"</th>
                            <th scope="col" role="columnheader">"Report"</th>
                            <th scope="col" role="columnheader" class="p2">"Came from"</th>
                            <th scope="col" role="columnheader" class="num p2">"Found"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{body}</tbody>
                </table>
                <Pager count noun="report" newest older/>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn ReportRow(report: LeakReport) -> impl IntoView {
    let secret = display(&report);
    view! {
        <tr role="row">
            <td role="cell" class="m-main">
                <a class="name cover" href=format!("/leaks/{}", report.id) title=secret.clone()><Glyph id=report.key_id/><span>{report.key_name}</span></a>
                <span class="sub"><span class="mono">{secret}</span></span>
            </td>
            <td role="cell" class="p2"><SecretBadge state=report.secret_state/></td>
            <td role="cell" class="m-side"><ReportBadge state=report.state/><span class="sub"><Time at=report.found_at/></span></td>
            <td role="cell" class="soft p2">{source_title(report.source)}</td>
            <td role="cell" class="num soft p2"><Time at=report.found_at/></td>
        </tr>
    }
}

#[component]
fn Earlier() -> impl IntoView {
    view! {
        <section class="card">
            <div class="card__head"><h2>"Find leaks earlier"</h2></div>
            <ul class="rows rows--links">
                <li><Icon name=IconName::Download/><span>"gitleaks rule for your prefixes"</span><a class="push" href="/.well-known/gitleaks.toml">"Open"</a></li>
            </ul>
            <div class="card__body card__line">
                <p class="small soft">"Whoever finds a key can end it without an account: "<code>"POST /v1/leaks"</code>" with "<code>"{\"text\": \"…\"}"</code>"."</p>
            </div>
        </section>
    }
    .into_any()
}
