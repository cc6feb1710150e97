//! The usage log: one row for each decided request, with its reason in words.

use crate::{
    actions,
    components::{
        CopyId, Crumbs, Glyph, Icon, IconName, Main, OutcomeBadge, PageTitle, Pager, ProblemView, TestCurl, Time, TimeForm, use_chrome,
    },
    error::AppError,
    numbers::latency,
    url::{href, key_href},
};
use contract::{ApiKey, Chrome, Cursor, KeyFilter, KeyId, Outcome, Page, UsageEvent, UsageFilter, UsageSource};
use leptos::prelude::*;
use leptos_router::{components::Form, hooks::use_query_map};

/// What the query of the page says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Query {
    filter: UsageFilter,
    cursor: Option<Cursor>,
}

impl Query {
    fn link(&self) -> String {
        let UsageFilter { credential_id, outcome, request_id } = &self.filter;
        let (id, cursor) = (credential_id.map(|id| id.to_string()), self.cursor.map(|c| c.to_string()));
        href(
            "/usage",
            &[
                ("credential_id", id.as_deref()),
                ("outcome", outcome.map(Outcome::as_str)),
                ("request_id", request_id.as_deref()),
                ("cursor", cursor.as_deref()),
            ],
        )
    }

    fn at(&self, cursor: Option<Cursor>) -> String {
        Self { cursor, ..self.clone() }.link()
    }

    fn without(&self, part: impl FnOnce(&mut UsageFilter)) -> String {
        let mut query = Self { cursor: None, ..self.clone() };
        part(&mut query.filter);
        query.link()
    }
}

fn use_query() -> Memo<Query> {
    let map = use_query_map();
    Memo::new(move |_| {
        map.with(|m| Query {
            filter: UsageFilter {
                credential_id: m.get_str("credential_id").and_then(|id| id.parse().ok()),
                outcome: m.get_str("outcome").and_then(|o| o.parse().ok()),
                request_id: m.get_str("request_id").map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned),
            },
            cursor: m.get_str("cursor").and_then(|c| c.parse().ok()),
        })
    })
}

/// `/usage`
#[component]
pub fn Usage() -> impl IntoView {
    let (query, chrome) = (use_query(), use_chrome());
    let (for_keys, for_events) = (chrome.clone(), chrome.clone());
    let keys = Resource::new_blocking(
        || (),
        move |()| {
            let source = for_keys.clone();
            async move {
                let environment = Some(source.load().await?.prefs.environment);
                actions::list_keys(KeyFilter { environment, ..KeyFilter::default() }, None).await
            }
        },
    );
    let events = Resource::new_blocking(
        move || query.get(),
        move |query| {
            let source = for_events.clone();
            async move { actions::list_usage(query.filter, source.load().await?.prefs.environment, query.cursor).await }
        },
    );
    let rows = move || {
        let chrome = chrome.clone();
        Suspend::new(async move { show(chrome.load().await, events.await, &query.get_untracked()) })
    };
    let keys = Suspend::new(async move {
        view! { <KeyOptions keys=keys.await.map(|p| p.data).unwrap_or_default() query/> }
    });
    view! {
        <Main crumbs=Crumbs::section("Usage")>
            <div class="page__head">
                <PageTitle>"Usage"</PageTitle>
                <div class="acts">
                    <a class="btn" href=move || query.with(|q| q.at(None)) rel="external"><Icon name=IconName::RefreshCw/>"Refresh"</a>
                </div>
            </div>
            <Form method="get" action="/usage" attr:class="bar" attr:role="search">
                <span class="selectbox">
                    <select class="select" name="credential_id" aria-label="Key">
                        <Suspense fallback=|| view! { <option value="">"All keys"</option> }>{keys}</Suspense>
                    </select>
                    <Icon name=IconName::ChevronDown/>
                </span>
                <span class="selectbox selectbox--sm">
                    <select class="select" name="outcome" aria-label="Outcome">
                        <option value="">"All outcomes"</option>
                        <OutcomeOption outcome=Outcome::Allowed label="Allowed" query/>
                        <OutcomeOption outcome=Outcome::Denied label="Denied" query/>
                    </select>
                    <Icon name=IconName::ChevronDown/>
                </span>
                <span class="affix">
                    <Icon name=IconName::Search/>
                    <input
                        class="input"
                        type="search"
                        name="request_id"
                        placeholder="Request id"
                        aria-label="Request id"
                        autocomplete="off"
                        data-key="/"
                        value=move || query.with(|q| q.filter.request_id.clone())
                        prop:value=move || query.with(|q| q.filter.request_id.clone().unwrap_or_default())
                    />
                    <kbd class="kbd hide-sm" data-js="">"/"</kbd>
                </span>
                <button class="btn" type="submit">"Filter"</button>
            </Form>
            <Transition fallback=|| view! { <p class="soft" role="status">"Loading…"</p> }>{rows}</Transition>
        </Main>
    }
}

#[component]
fn KeyOptions(keys: Vec<ApiKey>, query: Memo<Query>) -> impl IntoView {
    let chosen = query.with_untracked(|q| q.filter.credential_id);
    // A key that is not among the newest is still what the list is filtered by.
    let other = chosen.filter(|id| !keys.iter().any(|k| k.id == *id)).map(|id| option(id, id.to_string(), query));
    let options = keys.into_iter().map(|k| option(k.id, format!("{} …{}", k.name, k.last_four), query)).collect_view();
    view! {
        <option value="">"All keys"</option>
        {other}
        {options}
    }
}

fn option(id: KeyId, label: String, query: Memo<Query>) -> impl IntoView {
    let chosen = move || query.with(|q| q.filter.credential_id == Some(id));
    view! { <option value=id.to_string() selected=chosen prop:selected=chosen>{label}</option> }
}

#[component]
fn OutcomeOption(outcome: Outcome, label: &'static str, query: Memo<Query>) -> impl IntoView {
    let chosen = move || query.with(|q| q.filter.outcome == Some(outcome));
    view! { <option value=outcome.as_str() selected=chosen prop:selected=chosen>{label}</option> }
}

fn show(chrome: Result<Chrome, AppError>, events: Result<Page<UsageEvent>, AppError>, query: &Query) -> AnyView {
    let (chrome, page) = match chrome.and_then(|c| Ok((c, events?))) {
        Ok(both) => both,
        Err(e) => return view! { <ProblemView problem=e.0 inline=true/> }.into_any(),
    };
    if page.data.is_empty() && query.cursor.is_none() && query.filter.is_empty() {
        return view! { <FirstUse chrome/> }.into_any();
    }
    let count = page.data.len();
    let name = page.data.iter().find_map(|e| e.credential_name.clone());
    let newest = query.cursor.is_some().then(|| query.at(None));
    let older = page.next_cursor.map(|c| query.at(Some(c)));
    let body = if page.data.is_empty() {
        view! { <NoMatch/> }.into_any()
    } else {
        page.data.into_iter().map(|event| view! { <Row event/> }).collect_view().into_any()
    };
    view! {
        {tokens(query, name)}
        <div class="tablebox">
            <table class="table table--stack" role="table">
                <Columns/>
                <tbody role="rowgroup">{body}</tbody>
            </table>
            <Pager count noun="request" newest older/>
        </div>
    }
    .into_any()
}

/// The filters that are set, each with a link that removes it.
fn tokens(query: &Query, key_name: Option<String>) -> Option<impl IntoView + use<>> {
    let token = |name: &'static str, value: String, without: String| {
        view! {
            <span class="token">
                <span>{name}"="<b>{value}</b></span>
                <a href=without aria-label=format!("Remove the filter {name}")><Icon name=IconName::X small=true/></a>
            </span>
        }
    };
    let f = &query.filter;
    let key = f.credential_id.map(|id| token("key", key_name.unwrap_or_else(|| id.to_string()), query.without(|f| f.credential_id = None)));
    let outcome = f.outcome.map(|o| token("outcome", o.to_string(), query.without(|f| f.outcome = None)));
    let request = f.request_id.clone().map(|id| token("request", id, query.without(|f| f.request_id = None)));
    (!f.is_empty()).then(|| view! { <div class="tokens">{key}{outcome}{request}<a class="small" href="/usage">"Clear filters"</a></div> })
}

#[component]
fn Columns() -> impl IntoView {
    view! {
        <caption class="sr">"Decided requests, newest first"</caption>
        <colgroup>
            <col class="c-128"/>
            <col class="c-96 p2"/>
            <col class="c-208"/>
            <col/>
            <col class="c-176 p2"/>
            <col class="c-144 pu"/>
            <col class="c-96 p3"/>
            <col class="c-80 pu"/>
        </colgroup>
        <thead role="rowgroup">
            <tr role="row">
                <th scope="col" role="columnheader">"Time, UTC"</th>
                <th scope="col" role="columnheader" class="p2">"Outcome"</th>
                <th scope="col" role="columnheader">"Reason"</th>
                <th scope="col" role="columnheader">"Request"</th>
                <th scope="col" role="columnheader" class="p2">"Key"</th>
                <th scope="col" role="columnheader" class="pu">"Address"</th>
                <th scope="col" role="columnheader" class="p3">"Source"</th>
                <th scope="col" role="columnheader" class="num pu">"Took"</th>
            </tr>
        </thead>
    }
}

const fn source_title(source: UsageSource) -> &'static str {
    match source {
        UsageSource::Api => "Keystead",
        UsageSource::Verify => "Verify",
        UsageSource::ForwardAuth => "Gateway",
    }
}

#[component]
fn Row(event: UsageEvent) -> impl IntoView {
    let request = match (&event.method, &event.path) {
        (None, None) => "–".to_owned(),
        (method, path) => [method.as_deref(), path.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "),
    };
    let key = match (event.credential_id, event.credential_name.clone()) {
        (Some(id), name) => {
            let name = name.unwrap_or_else(|| id.to_string());
            view! { <a class="name" href=key_href(id)><Glyph id/><span>{name}</span></a> }.into_any()
        }
        (None, _) => view! { <span class="muted">"no key matched"</span> }.into_any(),
    };
    let scopes = event.required_scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let scopes = (!scopes.is_empty()).then(|| view! { <dt>"Needed"</dt><dd class="mono">{scopes}</dd> });
    let client = event.user_agent.clone().map(|ua| view! { <dt>"Client"</dt><dd>{ua}</dd> });
    let ip = event.ip.map(|ip| ip.to_string());
    view! {
        <tr role="row">
            <td role="cell" class="soft m-side"><Time at=event.at form=TimeForm::Log/></td>
            <td role="cell" class="p2"><OutcomeBadge outcome=event.outcome/></td>
            <td role="cell" title=event.code.as_str()>{event.code.describe()}</td>
            <td role="cell" class="m-main">
                <details>
                    <summary><Icon name=IconName::ChevronRight turns=true/><span class="mono">{request}</span></summary>
                    <dl class="dl">
                        <dt>"Request id"</dt><dd><CopyId text=event.request_id.clone() what="request id"/></dd>
                        <dt>"Code"</dt><dd class="mono">{event.code.as_str()}</dd>
                        {scopes}
                        {client}
                        {ip.clone().map(|ip| view! { <dt>"Address"</dt><dd class="mono">{ip}</dd> })}
                        <dt>"Credential"</dt><dd>{format!("{}, {}", event.kind.as_str().replace('_', " "), event.environment)}</dd>
                    </dl>
                </details>
                <span class="sub">{event.code.describe()}</span>
            </td>
            <td role="cell" class="p2">{key}</td>
            <td role="cell" class="mono soft pu">{ip}</td>
            <td role="cell" class="soft p3">{source_title(event.source)}</td>
            <td role="cell" class="num soft pu">{latency(event.latency_us)}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn NoMatch() -> impl IntoView {
    view! {
        <tr role="row">
            <td role="cell" colspan="8" class="state-cell">
                <p><b>"No request matches these filters"</b></p>
                <p class="small soft">"Requests show here within seconds after they were decided."</p>
                <div class="acts"><a class="btn" href="/usage">"Clear filters"</a></div>
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
            <div class="row"><a class="btn" href="/usage" rel="external"><Icon name=IconName::RefreshCw/>"Refresh"</a></div>
        </div>
    }
}
