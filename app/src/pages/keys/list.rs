//! The list of API keys.

use super::kind_title;
use crate::{
    components::{Crumbs, Ends, FilterForm, Glyph, PageTitle, Pager, SearchField, StateBadge, TestCurl, Time, TimeForm},
    icon::{Icon, IconName},
    url::{href, key_href},
    visit::{Shown, framed},
};
use contract::{ApiKey, Chrome, Cursor, Environment, KeyFilter, KeyState, Page, PageQuery, Perm, ScopeSet};
use domain::keys;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

/// What the query of the page says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Query {
    q: Option<String>,
    state: Option<KeyState>,
    cursor: Option<Cursor>,
}

impl Query {
    fn read(map: &ParamsMap) -> Self {
        Self {
            q: map.get_str("q").map(str::trim).filter(|q| !q.is_empty()).map(str::to_owned),
            state: map.get_str("state").and_then(|s| s.parse().ok()),
            cursor: map.get_str("cursor").and_then(|c| c.parse().ok()),
        }
    }

    fn filter(&self, environment: Environment) -> KeyFilter {
        KeyFilter { q: self.q.clone(), state: self.state, environment: Some(environment) }
    }

    fn link(&self, state: Option<KeyState>, cursor: Option<Cursor>) -> String {
        let cursor = cursor.map(|c| c.to_string());
        href("/keys", &[("q", self.q.as_deref()), ("state", state.map(KeyState::as_str)), ("cursor", cursor.as_deref())])
    }
}

/// `/keys`
#[component]
pub fn KeyList() -> impl IntoView {
    framed(|visit| async move {
        let query = Query::read(&visit.query);
        let filter = query.filter(visit.chrome.prefs.environment);
        let keys = keys::list(&visit.ctx, &filter, PageQuery::at(query.cursor)).await?;
        let first_use = keys.data.is_empty() && query.cursor.is_none() && !filter.narrows();
        let q = query.q.clone();
        let state = query.state.map(|s| view! { <input type="hidden" name="state" value=s.as_str()/> }.into_any());
        let body = view! {
            <div class="page__head">
                <PageTitle>"API keys"</PageTitle>
                <div class="acts">{create_link(&visit.chrome, "Create key")}</div>
            </div>
            <StateTabs query=query.clone()/>
            <FilterForm action="/keys">
                <SearchField name="q" label="Search keys" placeholder="Name, prefix or id" value=q/>
                {state}
                <button class="btn" type="submit">"Search"</button>
            </FilterForm>
            {if first_use {
                view! { <FirstUse chrome=visit.chrome/> }.into_any()
            } else {
                view! { <Keys keys query/> }.into_any()
            }}
        };
        Ok(Shown::new(Crumbs::section("API keys"), body))
    })
}

fn create_link(chrome: &Chrome, label: &'static str) -> Option<AnyView> {
    chrome.role.holds(Perm::KeysWrite).then(|| {
        view! {
            <a class="btn btn--primary" href="/keys/new" data-key="c">
                <Icon name=IconName::Plus/>
                {label}
                <kbd class="kbd hide-sm" data-js="">"c"</kbd>
            </a>
        }
        .into_any()
    })
}

#[component]
fn StateTabs(query: Query) -> impl IntoView {
    let tabs = std::iter::once((None, "All")).chain(KeyState::ALL.iter().map(|s| (Some(*s), state_title(*s))));
    let tabs = tabs
        .map(|(state, label)| {
            let current = (query.state == state).then_some("page");
            view! { <a href=query.link(state, None) aria-current=current>{label}</a> }.into_any()
        })
        .collect_view();
    view! { <nav class="tabs" aria-label="Keys by state">{tabs}</nav> }
}

const fn state_title(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "Active",
        KeyState::Disabled => "Disabled",
        KeyState::Expired => "Expired",
        KeyState::Revoked => "Revoked",
    }
}

#[component]
fn Keys(keys: Page<ApiKey>, query: Query) -> impl IntoView {
    let newest = query.cursor.is_some().then(|| query.link(query.state, None));
    let older = keys.next_cursor.map(|c| query.link(query.state, Some(c)));
    let count = keys.data.len();
    let body = if keys.data.is_empty() {
        view! { <NoMatch/> }.into_any()
    } else {
        keys.data.into_iter().map(|key| view! { <Row key/> }.into_any()).collect_view().into_any()
    };
    view! {
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <Columns/>
                <tbody role="rowgroup">{body}</tbody>
            </table>
            <Pager count noun="key" newest older/>
        </div>
    }
}

#[component]
fn Columns() -> impl IntoView {
    view! {
        <caption class="sr">"API keys, newest first"</caption>
        <colgroup>
            <col/>
            <col class="c-152 pk"/>
            <col class="c-104"/>
            <col class="c-152 p3"/>
            <col class="c-144 p3"/>
            <col class="c-96 p2"/>
            <col class="c-104"/>
            <col class="c-112 p3"/>
        </colgroup>
        <thead role="rowgroup">
            <tr role="row">
                <th scope="col" role="columnheader">"Name"</th>
                <th scope="col" role="columnheader" class="pk">"Key"</th>
                <th scope="col" role="columnheader">"State"</th>
                <th scope="col" role="columnheader" class="p3">"Permissions"</th>
                <th scope="col" role="columnheader" class="p3">"Owner"</th>
                <th scope="col" role="columnheader" class="num p2">"Last used"</th>
                <th scope="col" role="columnheader" class="num">"Expires"</th>
                <th scope="col" role="columnheader" class="num p3">"Created"</th>
            </tr>
        </thead>
    }
}

#[component]
fn Row(key: ApiKey) -> impl IntoView {
    let off = key.state != KeyState::Active;
    let display = key.display();
    let owner = key.owner.clone().unwrap_or_else(|| key.created_by.clone());
    let used = key.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at/> }.into_any());
    let used_again = key.last_used_at.map_or_else(|| "Never used".into_any(), |at| view! { <Time at/> }.into_any());
    let expires = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => view! { <span class="muted">"–"</span> }.into_any(),
        (None, Some(at)) => view! { <Ends at/> }.into_any(),
        (None, None) => "Never".into_any(),
    };
    view! {
        <tr role="row" class:is-off=off>
            <td role="cell" class="m-main">
                <a class="name cover" href=key_href(key.id) title=kind_title(key.kind)><Glyph id=key.id/><span>{key.name}</span></a>
                <span class="sub"><span class="mono">{display.clone()}</span></span>
            </td>
            <td role="cell" class="mono soft pk">{display}</td>
            <td role="cell" class="m-side"><StateBadge state=key.state/><span class="sub">{used_again}</span></td>
            <td role="cell" class="p3"><Scopes scopes=key.scopes/></td>
            <td role="cell" class="p3">{owner}</td>
            <td role="cell" class="num soft p2">{used}</td>
            <td role="cell" class="num">{expires}</td>
            <td role="cell" class="num soft p3"><Time at=key.created_at form=TimeForm::Date/></td>
        </tr>
    }
    .into_any()
}

/// The first permission, and how many more.
#[component]
fn Scopes(scopes: ScopeSet) -> impl IntoView {
    let all = scopes.joined();
    let more =
        scopes.0.len().checked_sub(1).filter(|n| *n > 0).map(|n| view! { " "<span class="muted">{format!("+{n}")}</span> }.into_any());
    let first = scopes.0.into_iter().next().map(|s| view! { <span class="mono">{s.to_string()}</span> }.into_any());
    view! { <span title=all>{first}{more}</span> }
}

#[component]
fn NoMatch() -> impl IntoView {
    view! {
        <tr role="row">
            <td role="cell" colspan="8" class="state-cell">
                <p><b>"No key matches these filters"</b></p>
                <p class="small soft">"Keys are found by name, by prefix such as sk_live_, and by id."</p>
                <div class="acts"><a class="btn" href="/keys">"Clear filters"</a></div>
            </td>
        </tr>
    }
}

#[component]
fn FirstUse(chrome: Chrome) -> impl IntoView {
    let environment = chrome.prefs.environment;
    let label = if environment == Environment::Test { "Create test key" } else { "Create key" };
    let create = create_link(&chrome, label);
    view! {
        <div class="empty first-use">
            <div class="hero">
                <h2>{format!("No {environment} keys yet")}</h2>
                <p class="lead soft">"A key lets a service of yours call the API. Give it a name, what it may do and how long; you get the secret once."</p>
            </div>
            {create.map(|c| view! { <div class="row row--wrap">{c}</div> }.into_any())}
            <TestCurl public_url=chrome.public_url/>
        </div>
    }
}
