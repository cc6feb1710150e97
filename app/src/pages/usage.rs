//! The usage log: one row for each decided request, with its reason in words.

use crate::{
    components::{CopyId, Crumbs, FilterForm, Glyph, OutcomeBadge, PageTitle, Pager, SearchField, TestCurl, Time, TimeForm},
    icon::{Icon, IconName},
    numbers::latency,
    url::{href, key_href},
    visit::{Shown, Visit, framed},
};
use contract::{Chrome, Cursor, KeyFilter, KeyId, Outcome, Page, PageQuery, Perm, UsageEvent, UsageFilter, UsageSource};
use domain::{keys, usage};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

/// What the query of the page says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Query {
    filter: UsageFilter,
    cursor: Option<Cursor>,
}

impl Query {
    fn read(map: &ParamsMap) -> Self {
        Self {
            filter: UsageFilter {
                credential_id: map.get_str("credential_id").and_then(|id| id.parse().ok()),
                outcome: map.get_str("outcome").and_then(|o| o.parse().ok()),
                request_id: map.get_str("request_id").map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned),
            },
            cursor: map.get_str("cursor").and_then(|c| c.parse().ok()),
        }
    }

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

/// `/usage`
#[component]
pub fn Usage() -> impl IntoView {
    framed(|visit| async move {
        let query = Query::read(&visit.query);
        let environment = visit.chrome.prefs.environment;
        let events = usage::list(&visit.ctx, &query.filter, environment, PageQuery::at(query.cursor)).await?;
        let keys = choosable(&visit, &query).await?;
        let first_use = events.data.is_empty() && query.cursor.is_none() && query.filter.is_empty();
        let log = if first_use {
            view! { <FirstUse chrome=visit.chrome/> }.into_any()
        } else {
            view! { <Log events query=query.clone()/> }.into_any()
        };
        let body = view! {
            <div class="page__head">
                <PageTitle>"Usage"</PageTitle>
                <div class="acts">
                    <a class="btn" href=query.at(None)><Icon name=IconName::RefreshCw/>"Refresh"</a>
                </div>
            </div>
            <Filter query keys/>
            {log}
        };
        Ok(Shown::new(Crumbs::section("Usage"), body))
    })
}

/// The keys to choose from, the newest ones; who may not see keys has none.
async fn choosable(visit: &Visit, query: &Query) -> domain::Result<Vec<(KeyId, String)>> {
    let mut choices = Vec::new();
    if visit.chrome.role.holds(Perm::KeysRead) {
        let filter = KeyFilter { environment: Some(visit.chrome.prefs.environment), ..KeyFilter::default() };
        let keys = keys::list(&visit.ctx, &filter, PageQuery::default()).await?.data;
        choices.extend(keys.into_iter().map(|k| (k.id, format!("{} …{}", k.name, k.last_four))));
    }
    // A key that is not among them is still what the list is filtered by.
    if let Some(id) = query.filter.credential_id.filter(|id| !choices.iter().any(|(known, _)| known == id)) {
        choices.insert(0, (id, id.to_string()));
    }
    Ok(choices)
}

#[component]
fn Filter(query: Query, keys: Vec<(KeyId, String)>) -> impl IntoView {
    let UsageFilter { credential_id, outcome, request_id } = query.filter;
    let keys = keys
        .into_iter()
        .map(|(id, label)| view! { <option value=id.to_string() selected=credential_id == Some(id)>{label}</option> }.into_any())
        .collect_view();
    let outcomes = [(Outcome::Allowed, "Allowed"), (Outcome::Denied, "Denied")]
        .map(|(value, label)| view! { <option value=value.as_str() selected=outcome == Some(value)>{label}</option> }.into_any());
    view! {
        <FilterForm action="/usage">
            <span class="selectbox">
                <select class="select" name="credential_id" aria-label="Key">
                    <option value="">"All keys"</option>
                    {keys}
                </select>
                <Icon name=IconName::ChevronDown/>
            </span>
            <span class="selectbox selectbox--sm">
                <select class="select" name="outcome" aria-label="Outcome">
                    <option value="">"All outcomes"</option>
                    {outcomes.into_iter().collect_view()}
                </select>
                <Icon name=IconName::ChevronDown/>
            </span>
            <SearchField name="request_id" label="Request id" placeholder="Request id" value=request_id/>
            <button class="btn" type="submit">"Filter"</button>
        </FilterForm>
    }
}

#[component]
fn Log(events: Page<UsageEvent>, query: Query) -> impl IntoView {
    let count = events.data.len();
    let name = events.data.iter().find_map(|e| e.credential_name.clone());
    let newest = query.cursor.is_some().then(|| query.at(None));
    let older = events.next_cursor.map(|c| query.at(Some(c)));
    let body = if events.data.is_empty() {
        view! { <NoMatch/> }.into_any()
    } else {
        events.data.into_iter().map(|event| view! { <Row event/> }.into_any()).collect_view().into_any()
    };
    view! {
        {tokens(&query, name)}
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <Columns/>
                <tbody role="rowgroup">{body}</tbody>
            </table>
            <Pager count noun="request" newest older/>
        </div>
    }
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
    (!f.is_empty())
        .then(|| view! { <div class="tokens">{key}{outcome}{request}<a class="small" href="/usage">"Clear filters"</a></div> }.into_any())
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
    let scopes = (!scopes.is_empty()).then(|| view! { <dt>"Needed"</dt><dd class="mono">{scopes}</dd> }.into_any());
    let client = event.user_agent.clone().map(|ua| view! { <dt>"Client"</dt><dd>{ua}</dd> }.into_any());
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
                        {ip.clone().map(|ip| view! { <dt>"Address"</dt><dd class="mono">{ip}</dd> }.into_any())}
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
            <div class="row"><a class="btn" href="/usage"><Icon name=IconName::RefreshCw/>"Refresh"</a></div>
        </div>
    }
}
