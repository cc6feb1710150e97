//! The list of decided requests.

use super::{PATH, asked, event_href, request_line, source_title};
use crate::{
    components::{
        Banner, Choice, Crumbs, ErrorSummary, ExportLinks, FilterField, FilterForm, Glyph, Moment, OutcomeBadge, OutcomeChart, PageTitle,
        Pager, SearchField, TestCurl, Time, TimeForm, Tokens, Tone,
    },
    filters::Filters,
    icon::{Icon, IconName},
    numbers::latency,
    url::{app_href, key_href},
    visit::{Shown, Visit, framed},
};
use contract::{
    ApiKey, AppId, Chrome, Code, ErrorCode, FieldErrors, KeyFilter, KeyId, Outcome, Page, PageQuery, Perm, Problem, UnixMs, UsageEvent,
    UsageQuery, UsageSummary,
};
use domain::{Error, keys, oauth, usage};
use leptos::prelude::*;

/// Methods to choose from while typing.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// `/usage`
#[component]
pub fn Usage() -> impl IntoView {
    framed(|visit| async move {
        let (filters, query) = asked(&visit);
        visit.ctx.require(Perm::UsageRead)?;
        let wanted = visit.query.get_str("key").map(str::trim).filter(|k| !k.is_empty()).map(str::to_owned);
        let searched = match &wanted {
            Some(wanted) => Some(named(&visit, wanted).await?),
            None => None,
        };
        if let Some(Ok(id)) = &searched {
            leptos_axum::redirect(&filters.with("credential_id", id));
        }
        let several = searched.and_then(Result::err);
        let (log, errors, chosen) = match query {
            Ok(query) => {
                let events = usage::search(&visit.ctx, &query, PageQuery::at(filters.cursor)).await?;
                // Who searches for one request and finds it wants to know why.
                if let ([event], Some(_), None) = (&events.data[..], &query.request_id, filters.cursor) {
                    leptos_axum::redirect(&event_href(&Filters::none(PATH), event.id));
                }
                let first_use = events.data.is_empty() && filters.cursor.is_none() && filters.is_empty();
                let log = if first_use {
                    view! { <FirstUse chrome=visit.chrome.clone()/> }.into_any()
                } else {
                    // A page further down is read row by row: the chart stays at the first.
                    let chart = if filters.cursor.is_none() { Some(charted(&visit, &query).await?) } else { None };
                    view! { <Log events chart filters=filters.clone() query=query.clone()/> }.into_any()
                };
                (log, FieldErrors::default(), (query.credential_id, query.client_id))
            }
            Err(errors) => {
                crate::ssr::answer_with(&Problem::new(ErrorCode::ValidationFailed));
                (().into_any(), errors, (None, None))
            }
        };
        let keys = choosable(&visit, chosen.0).await?;
        let apps = choosable_apps(&visit, chosen.1).await?;
        let exports = visit.chrome.role.exports_logs();
        let environment = visit.chrome.prefs.environment.to_string();
        let body = view! {
            <div class="page__head">
                <PageTitle>"Usage"</PageTitle>
                <div class="acts">
                    {exports.then(|| view! { <ExportLinks path="/usage/export" filters=filters.clone() environment=Some(environment)/> }.into_any())}
                    <a class="btn" href=filters.link()><Icon name=IconName::RefreshCw/>"Refresh"</a>
                </div>
            </div>
            <ErrorSummary errors=errors.clone() message=None/>
            {several.map(|found| view! { <WhichKey found filters=filters.clone()/> }.into_any())}
            <Filter filters keys apps errors wanted/>
            {log}
        };
        Ok(Shown::new(Crumbs::section("Usage"), body))
    })
}

/// The summary of the same filter: of its range, else of the last day. A range that is too long for one is said.
async fn charted(visit: &Visit, query: &UsageQuery) -> domain::Result<Result<UsageSummary, String>> {
    match usage::summary(&visit.ctx, query, None).await {
        Ok(summary) => Ok(Ok(summary)),
        Err(Error::Invalid(errors)) => Ok(Err(errors.0.into_iter().map(|e| e.message).collect::<Vec<_>>().join(" "))),
        Err(e) => Err(e),
    }
}

/// The key that a name, the start of a prefix, or an id means; else those that it might mean.
async fn named(visit: &Visit, wanted: &str) -> domain::Result<Result<String, Vec<ApiKey>>> {
    if let Ok(id) = wanted.parse::<KeyId>() {
        return Ok(Ok(id.to_string()));
    }
    visit.ctx.require(Perm::KeysRead)?;
    let filter = KeyFilter { q: Some(wanted.to_owned()), environment: Some(visit.chrome.prefs.environment), ..KeyFilter::default() };
    let mut found = keys::list(&visit.ctx, &filter, PageQuery { limit: 20, cursor: None }).await?.data;
    // A whole name means that key, though others begin with it.
    if found.iter().filter(|k| k.name == wanted).count() == 1 {
        found.retain(|k| k.name == wanted);
    }
    Ok(match &found[..] {
        [one] => Ok(one.id.to_string()),
        _ => Err(found),
    })
}

/// Several keys match what was typed, or none.
#[component]
fn WhichKey(found: Vec<ApiKey>, filters: Filters) -> impl IntoView {
    let said = match found.len() {
        0 => "No key matches. Its name, the start of its prefix, or its id finds it.",
        _ => "Several keys match. Choose one:",
    };
    let links = found
        .into_iter()
        .map(|key| {
            let (to, shown) = (filters.with("credential_id", &key.id.to_string()), key.display());
            view! { <li><a href=to>{key.name}</a>" "<span class="mono soft">{shown}</span></li> }.into_any()
        })
        .collect::<Vec<_>>();
    let list = (!links.is_empty()).then(|| view! { <ul class="small">{links}</ul> }.into_any());
    view! { <div class="figure"><Banner tone=Tone::Info><p role="status">{said}</p>{list}</Banner></div> }.into_any()
}

/// The keys to choose from, the newest ones; who may not see keys has none.
async fn choosable(visit: &Visit, chosen: Option<KeyId>) -> domain::Result<Vec<(String, String)>> {
    let mut choices = Vec::new();
    if visit.chrome.role.holds(Perm::KeysRead) {
        let filter = KeyFilter { environment: Some(visit.chrome.prefs.environment), ..KeyFilter::default() };
        let keys = keys::list(&visit.ctx, &filter, PageQuery::default()).await?.data;
        choices.extend(keys.into_iter().map(|k| (k.id.to_string(), format!("{} …{}", k.name, k.last_four))));
    }
    // A key that is not among them is still what the list is filtered by.
    if let Some(id) = chosen.filter(|id| !choices.iter().any(|(known, _)| *known == id.to_string())) {
        let name = match keys::get(&visit.ctx, id).await {
            Ok(key) => format!("{} …{}", key.name, key.last_four),
            Err(_) => id.to_string(),
        };
        choices.insert(0, (id.to_string(), name));
    }
    Ok(choices)
}

/// The same of apps. Those of other tenants that act here have no name here.
async fn choosable_apps(visit: &Visit, chosen: Option<AppId>) -> domain::Result<Vec<(String, String)>> {
    let mut choices = Vec::new();
    if visit.chrome.role.holds(Perm::AppsRead) {
        let apps = oauth::list(&visit.ctx, PageQuery::default()).await?.data;
        choices.extend(apps.into_iter().map(|app| (app.id.to_string(), app.name)));
    }
    if let Some(id) = chosen.filter(|id| !choices.iter().any(|(known, _)| *known == id.to_string())) {
        let name = oauth::get(&visit.ctx, Perm::AppsRead, id).await.map_or_else(|_| short(id), |app| app.name);
        choices.insert(0, (id.to_string(), name));
    }
    Ok(choices)
}

/// `app_…1a2b3c4d`: the ends tell ids apart.
fn short(id: AppId) -> String {
    let id = id.to_string();
    format!("app_…{}", &id[id.len() - 8..])
}

#[component]
fn Filter(
    filters: Filters,
    keys: Vec<(String, String)>,
    apps: Vec<(String, String)>,
    errors: FieldErrors,
    wanted: Option<String>,
) -> impl IntoView {
    let finds = !keys.is_empty();
    let chosen = |name: &str| filters.get(name).map(str::to_owned);
    let app = (!apps.is_empty())
        .then(|| view! { <Choice name="client_id" label="App" all="All apps" options=apps chosen=chosen("client_id")/> }.into_any());
    let (key, outcome, code, request) = (chosen("credential_id"), chosen("outcome"), chosen("code"), chosen("request_id"));
    let outcomes = [(Outcome::Allowed, "Allowed"), (Outcome::Denied, "Denied")].map(|(value, label)| (value.to_string(), label.to_owned()));
    let codes = Code::ALL.into_iter().map(|code| (code.to_string(), code.describe().to_owned())).collect::<Vec<_>>();
    let more = wanted.is_some() || ["method", "path", "ip", "from", "to"].iter().any(|name| filters.get(name).is_some());
    view! {
        <FilterForm action=PATH>
            <Choice name="credential_id" label="Key" all="All keys" options=keys chosen=key/>
            {app}
            <Choice name="outcome" label="Outcome" all="All outcomes" options=outcomes.into() chosen=outcome/>
            <Choice name="code" label="Reason" all="All reasons" options=codes chosen=code/>
            <SearchField name="request_id" label="Request id" placeholder="Request id" value=request/>
            <button class="btn" type="submit">"Filter"</button>
            <details open=more>
                <summary><Icon name=IconName::ChevronRight turns=true/>"Other keys, method, path, address, time"</summary>
                <div class="morefields">
                    {finds.then(|| {
                        view! {
                            <div class="field">
                                <label class="label" for="key">"Any key"</label>
                                <input class="input" id="key" name="key" placeholder="Name, prefix or id" value=wanted autocomplete="off" spellcheck="false"/>
                            </div>
                        }.into_any()
                    })}
                    <FilterField name="method" label="Method" placeholder="GET" filters=filters.clone() errors=errors.clone() known=METHODS/>
                    <FilterField name="path" label="Path starts with" placeholder="/v2/" filters=filters.clone() errors=errors.clone()/>
                    <FilterField name="ip" label="Address or network" placeholder="203.0.113.0/24" filters=filters.clone() errors=errors.clone()/>
                    <Moment name="from" label="From, UTC" filters=filters.clone() errors=errors.clone()/>
                    <Moment name="to" label="Before, UTC" filters=filters.clone() errors/>
                </div>
            </details>
        </FilterForm>
    }
    .into_any()
}

#[component]
fn Log(events: Page<UsageEvent>, chart: Option<Result<UsageSummary, String>>, filters: Filters, query: UsageQuery) -> impl IntoView {
    let count = events.data.len();
    let name = match (query.credential_id, query.client_id) {
        (Some(_), _) => events.data.iter().find_map(|e| e.credential_name.clone()).map(|name| ("credential_id", name)),
        (None, Some(id)) => Some(("client_id", events.data.iter().find_map(|e| e.client_name.clone()).unwrap_or_else(|| short(id)))),
        (None, None) => None,
    };
    let newest = filters.cursor.is_some().then(|| filters.link());
    let older = events.next_cursor.map(|c| filters.at(Some(c)));
    let body = if events.data.is_empty() {
        view! { <NoMatch/> }.into_any()
    } else {
        events.data.into_iter().map(|event| view! { <Row event filters=filters.clone()/> }.into_any()).collect_view().into_any()
    };
    let chart = chart.map(|chart| match chart {
        Ok(summary) => {
            let (title, period) = (title(query.outcome), period(&query, &summary));
            view! { <OutcomeChart summary title period zoom=filters.clone()/> }.into_any()
        }
        Err(said) => view! { <div class="figure"><Banner tone=Tone::Info><p>"No chart. "{said}</p></Banner></div> }.into_any(),
    });
    view! {
        <Tokens filters=filters.clone() clear=PATH words named=name/>
        {chart}
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <Columns/>
                <tbody role="rowgroup">{body}</tbody>
            </table>
            <Pager count noun="request" newest older/>
        </div>
    }
    .into_any()
}

fn title(outcome: Option<Outcome>) -> String {
    match outcome {
        None => "Requests by outcome",
        Some(Outcome::Allowed) => "Allowed requests",
        Some(Outcome::Denied) => "Denied requests",
    }
    .to_owned()
}

fn period(query: &UsageQuery, summary: &UsageSummary) -> String {
    if query.from.is_none() && query.to.is_none() {
        "last 24 hours".to_owned()
    } else {
        format!("{} to {}", summary.from.human(), UnixMs(summary.to.0).human())
    }
}

fn words(name: &str) -> Option<&'static str> {
    Some(match name {
        "credential_id" => "key",
        "client_id" => "app",
        "request_id" => "request",
        "ip" => "address",
        _ => return None,
    })
}

#[component]
fn Columns() -> impl IntoView {
    view! {
        <caption class="sr">"Decided requests, newest first"</caption>
        <colgroup>
            <col class="c-128"/>
            <col class="c-96 p2"/>
            <col class="c-192"/>
            <col/>
            <col class="c-160 p2"/>
            <col class="c-128 pu"/>
            <col class="c-88 p3"/>
            <col class="c-72 pu"/>
        </colgroup>
        <thead role="rowgroup">
            <tr role="row">
                <th scope="col" role="columnheader">"Time, UTC"</th>
                <th scope="col" role="columnheader" class="p2">"Outcome"</th>
                <th scope="col" role="columnheader">"Reason"</th>
                <th scope="col" role="columnheader">"Request"</th>
                <th scope="col" role="columnheader" class="p2">"Key or app"</th>
                <th scope="col" role="columnheader" class="pu">"Address"</th>
                <th scope="col" role="columnheader" class="p3">"Source"</th>
                <th scope="col" role="columnheader" class="num pu">"Took"</th>
            </tr>
        </thead>
    }
}

#[component]
fn Row(event: UsageEvent, filters: Filters) -> impl IntoView {
    let key = match (event.credential_id, event.credential_name.clone()) {
        (None, _) if event.client_id.is_some() => view! { <App event=event.clone()/> }.into_any(),
        (Some(id), name) => {
            let name = name.unwrap_or_else(|| id.to_string());
            view! { <a class="name" href=key_href(id)><Glyph id/><span>{name}</span></a> }.into_any()
        }
        (None, Some(person)) => view! { <span>{person}</span> }.into_any(),
        (None, None) => view! { <span class="muted">"no key matched"</span> }.into_any(),
    };
    let request = request_line(&event);
    let whose = match (event.client_id, event.credential_name.clone()) {
        (Some(id), name) => {
            let app = event.client_name.clone().unwrap_or_else(|| short(id));
            name.filter(|name| *name != app).map_or_else(|| app.clone(), |person| format!("{app} for {person}"))
        }
        (None, name) => name.unwrap_or_else(|| "no key matched".to_owned()),
    };
    view! {
        <tr role="row">
            <td role="cell" class="soft m-side"><Time at=event.at form=TimeForm::Log/></td>
            <td role="cell" class="p2"><OutcomeBadge outcome=event.outcome/></td>
            <td role="cell" title=event.code.as_str()>{event.code.describe()}</td>
            <td role="cell" class="m-main">
                <a class="name cover" href=event_href(&filters, event.id) title=request.clone()><span class="mono">{request.clone()}</span></a>
                <span class="sub">{format!("{} · {whose}", event.code.describe())}</span>
            </td>
            <td role="cell" class="p2">{key}</td>
            <td role="cell" class="mono soft pu">{event.ip.map(|ip| ip.to_string())}</td>
            <td role="cell" class="soft p3">{source_title(event.source)}</td>
            <td role="cell" class="num soft pu">{latency(event.latency_us)}</td>
        </tr>
    }
    .into_any()
}

/// The app that sent it, and for whom.
#[component]
fn App(event: UsageEvent) -> impl IntoView {
    let Some(id) = event.client_id else { return ().into_any() };
    let person = event.credential_name.clone().filter(|name| Some(name) != event.client_name.as_ref());
    let title = person.map(|person| format!("For {person}"));
    match event.client_name {
        Some(name) => view! { <a class="name" href=app_href(id) title=title><Glyph id/><span>{name}</span></a> }.into_any(),
        // Of another tenant: its page is there.
        None => view! { <span class="name" title=title><Glyph id/><span>{short(id)}</span></span> }.into_any(),
    }
}

#[component]
fn NoMatch() -> impl IntoView {
    view! {
        <tr role="row">
            <td role="cell" colspan="8" class="state-cell">
                <p><b>"No request matches these filters"</b></p>
                <p class="small soft">"Requests show here within seconds after they were decided."</p>
                <div class="acts"><a class="btn" href=PATH>"Clear filters"</a></div>
            </td>
        </tr>
    }
}

#[component]
fn FirstUse(chrome: Chrome) -> impl IntoView {
    view! {
        <div class="empty first-use">
            <div class="hero">
                <h2>{format!("No {} requests yet", chrome.prefs.environment)}</h2>
                <p class="lead soft">"Each request that is decided shows here with its reason. Send one with a key of yours:"</p>
            </div>
            <TestCurl public_url=chrome.public_url/>
            <div class="row"><a class="btn" href=PATH><Icon name=IconName::RefreshCw/>"Refresh"</a></div>
        </div>
    }
}
