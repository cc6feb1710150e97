//! The list of API keys: search, filters, order, the choice of several, and the queues of keys that wait for somebody.

use super::{kind_title, query::Query, queue};
use crate::{
    components::{Banner, Crumbs, Ends, FilterForm, Glyph, PageTitle, Pager, SearchField, StateBadge, TestCurl, Time, TimeForm, Tone},
    icon::{Icon, IconName},
    url::key_href,
    visit::{Shown, Visit, framed},
};
use contract::{ApiKey, Chrome, Environment, KeyId, KeyKind, KeyPage, KeyQueueHead, KeySort, KeyState, Perm, ScopeDef, ScopeSet, UnixMs};
use domain::keys;
use leptos::prelude::*;
use queue::Queue;
use std::collections::HashMap;

/// `/keys`
#[component]
pub fn KeyList() -> impl IntoView {
    framed(|visit| async move {
        let environment = visit.chrome.prefs.environment;
        let heads = keys::queues(&visit.ctx, environment, queue::IDLE_DAYS).await?;
        let which = visit.query.get_str("queue").and_then(Queue::parse);
        let role = visit.chrome.role;
        let may = May { write: role.holds(Perm::KeysWrite), revoke: role.holds(Perm::KeysRevoke) };
        let unknown = visit.query.get_str("unknown").is_some();
        let revoked = visit.query.get_str("revoked").and_then(|n| n.parse::<u16>().ok());
        let body = match which {
            Some(which) => queue::page(&visit, which, may).await?,
            None => search(&visit, may).await?,
        };
        let view = view! {
            <div class="page__head">
                <PageTitle>"API keys"</PageTitle>
                <div class="acts">{create_link(&visit.chrome, "Create key")}</div>
            </div>
            {revoked.map(|n| view! { <RevokedNow n/> }.into_any())}
            {unknown.then(|| view! { <UnknownSecret/> }.into_any())}
            <QueueTabs heads which/>
            {body}
        };
        Ok(Shown::new(Crumbs::section("API keys"), view))
    })
}

/// What the reader may do with the keys of a list.
#[derive(Clone, Copy)]
pub struct May {
    /// Change them.
    pub write: bool,
    /// End them.
    pub revoke: bool,
}

async fn search(visit: &Visit, may: May) -> domain::Result<AnyView> {
    let query = Query::read(&visit.query);
    let found = keys::search(&visit.ctx, &query.search(visit.chrome.prefs.environment, 50)).await?;
    if found.data.is_empty() && query.cursor.is_none() && !query.narrows() {
        let chrome = visit.chrome.clone();
        return Ok(view! { <FirstUse chrome/> }.into_any());
    }
    let catalogue = keys::catalogue(&visit.ctx).await?;
    let left = keys::orphans::deadlines(&visit.ctx, &found.data.iter().map(|k| k.id).collect::<Vec<_>>()).await?;
    // A list without a match offers that itself.
    let clear = query.narrows() && !found.data.is_empty();
    Ok(view! {
        <Filter query=query.clone() catalogue all=visit.chrome.role.acts_on_all_keys() clear/>
        <Keys found left query may/>
    }
    .into_any())
}

fn create_link(chrome: &Chrome, label: &'static str) -> Option<AnyView> {
    chrome.may(Perm::KeysWrite).then(|| {
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

/// Whoever searched for a whole secret is told, and the secret stands nowhere.
#[component]
fn UnknownSecret() -> impl IntoView {
    view! {
        <div class="note">
            <Banner tone=Tone::Warn>
                <p role="status"><b>"No key here has this secret."</b>" It was not kept, and stands in no address. To search a whole text for keys, use the "<a href="/leaks">"leak desk"</a>"."</p>
            </Banner>
        </div>
    }
}

#[component]
fn RevokedNow(n: u16) -> impl IntoView {
    let said = if n == 1 { "1 key is revoked.".to_owned() } else { format!("{n} keys are revoked.") };
    view! {
        <div class="note">
            <Banner tone=Tone::Info>
                <p role="status"><b>{said}</b>" Their requests are refused from now on."</p>
            </Banner>
        </div>
    }
}

#[component]
fn QueueTabs(heads: Vec<KeyQueueHead>, which: Option<Queue>) -> impl IntoView {
    let tabs = Queue::ALL
        .iter()
        .map(|queue| {
            let n: i64 = heads.iter().filter(|h| queue.stages().contains(&h.queue)).map(|h| h.count).sum();
            let current = (which == Some(*queue)).then_some("page");
            let class = if n > 0 && queue.presses() { "n warn" } else { "n" };
            view! { <a href=queue.href() aria-current=current>{queue.title()}" "<span class=class>{n}</span></a> }.into_any()
        })
        .collect_view();
    view! {
        <nav class="tabs" aria-label="Keys that wait for somebody">
            <a href="/keys" aria-current=which.is_none().then_some("page")>"All"</a>
            {tabs}
        </nav>
    }
}

/// The word for a state.
pub const fn state_title(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "Active",
        KeyState::Disabled => "Disabled",
        KeyState::Expired => "Expired",
        KeyState::Revoked => "Revoked",
    }
}

#[component]
fn Filter(query: Query, catalogue: Vec<ScopeDef>, all: bool, clear: bool) -> impl IntoView {
    let states = KeyState::ALL
        .iter()
        .map(|s| view! { <option value=s.as_str() selected=query.state == Some(*s)>{state_title(*s)}</option> }.into_any())
        .collect_view();
    let kinds = KeyKind::ALL
        .iter()
        .map(|k| view! { <option value=k.as_str() selected=query.kind == Some(*k)>{kind_title(*k)}</option> }.into_any())
        .collect_view();
    let mut names: Vec<String> = catalogue.into_iter().map(|def| def.name.to_string()).collect();
    if let Some(asked) = query.scope.clone().filter(|s| !names.contains(s)) {
        names.push(asked);
    }
    let scopes = names
        .into_iter()
        .map(|name| view! { <option value=name.clone() selected=query.scope.as_ref() == Some(&name)>{name.clone()}</option> }.into_any())
        .collect_view();
    let sort = query.sort.map(|s| view! { <input type="hidden" name="sort" value=s.as_str()/> }.into_any());
    let owner = query.owner.clone().unwrap_or_default();
    view! {
        // Somebody may search for a whole secret: it must not come into the address.
        <FilterForm action="/keys" method="post">
            <SearchField name="q" label="Search keys" placeholder="Name, prefix, id or secret" value=query.q.clone()/>
            <span class="selectbox selectbox--sm">
                <select class="select" name="state" aria-label="State">
                    <option value="">"Any state"</option>
                    {states}
                </select>
                <Icon name=IconName::ChevronDown/>
            </span>
            <span class="selectbox selectbox--sm">
                <select class="select" name="kind" aria-label="Kind">
                    <option value="">"Any kind"</option>
                    {kinds}
                </select>
                <Icon name=IconName::ChevronDown/>
            </span>
            <span class="selectbox selectbox--sm">
                <select class="select" name="scope" aria-label="Permission">
                    <option value="">"Any permission"</option>
                    {scopes}
                </select>
                <Icon name=IconName::ChevronDown/>
            </span>
            {all.then(|| {
                view! { <input class="input owner" name="owner" value=owner aria-label="Owner" placeholder="Owner’s address" autocomplete="off" spellcheck="false"/> }
                    .into_any()
            })}
            {sort}
            <button class="btn" type="submit">"Search"</button>
            {clear.then(|| view! { <a class="btn btn--quiet" href="/keys">"Clear filters"</a> }.into_any())}
        </FilterForm>
    }
    .into_any()
}

#[component]
fn Keys(found: KeyPage, left: HashMap<KeyId, UnixMs>, query: Query, may: May) -> impl IntoView {
    let newest = query.cursor.is_some().then(|| query.at(None));
    let older = found.next_cursor.map(|c| query.at(Some(c)));
    let count = found.data.len();
    let columns = 8 + usize::from(may.revoke);
    let body = if found.data.is_empty() {
        view! { <NoMatch columns/> }.into_any()
    } else {
        found
            .data
            .into_iter()
            .map(|key| view! { <Row left=left.contains_key(&key.id) key pick=may.revoke/> }.into_any())
            .collect_view()
            .into_any()
    };
    let bar = (may.revoke && count > 0).then(|| view! { <BulkBar all=Some(query.all_of_it())/> }.into_any());
    view! {
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <Columns query=query.clone() pick=may.revoke/>
                <tbody role="rowgroup">{body}</tbody>
            </table>
            {bar}
            <Pager count noun="key" newest older/>
        </div>
    }
    .into_any()
}

/// What happens to the keys that are ticked. The style sheet shows it once one is; `behave` counts.
#[component]
pub fn BulkBar(
    /// Where everything that the filters match is chosen.
    all: Option<String>,
) -> impl IntoView {
    view! {
        <form class="bulk" id="bulk" method="get" action="/keys/revoke" autocomplete="off">
            <span data-picked="" role="status">"Selected keys"</span>
            {all.map(|href| view! { <a href=href>"All that match"</a> }.into_any())}
            <span class="acts push">
                <button class="btn btn--danger" type="submit"><Icon name=IconName::Ban/>"Revoke selected"</button>
                <button class="btn btn--quiet btn--icon" type="reset" aria-label="Clear the selection"><Icon name=IconName::X/></button>
            </span>
        </form>
    }
}

/// The head of the column of boxes; it ticks all rows, where script runs.
#[component]
pub fn PickAll() -> impl IntoView {
    view! {
        <th scope="col" role="columnheader" class="pick">
            <span class="sr">"Select"</span>
            <input class="check" type="checkbox" form="bulk" aria-label="Select all keys of this page" data-js="" data-pick-all=""/>
        </th>
    }
}

/// The box of a row.
#[component]
pub fn Pick(
    /// The key.
    key: ApiKey,
) -> impl IntoView {
    if key.state == KeyState::Revoked {
        return view! { <td role="cell" class="pick m-pick"></td> }.into_any();
    }
    view! {
        <td role="cell" class="pick m-pick">
            <input class="check" type="checkbox" name="key" value=key.id.to_string() form="bulk" autocomplete="off" aria-label=format!("Select {}", key.name) data-pick=""/>
        </td>
    }
    .into_any()
}

#[component]
fn Columns(query: Query, pick: bool) -> impl IntoView {
    let head = |sort: KeySort, label: &'static str, class: &'static str| {
        let on = query.order() == sort;
        let way = match sort {
            KeySort::Name | KeySort::Expires => "ascending",
            KeySort::Created | KeySort::LastUsed => "descending",
        };
        view! {
            <th scope="col" role="columnheader" class=class aria-sort=on.then_some(way)>
                <a class="sorts" href=query.sorted(sort)>{label}{on.then(|| view! { <Icon name=if way == "ascending" { IconName::ArrowUp } else { IconName::ArrowDown } small=true/> }.into_any())}</a>
            </th>
        }
        .into_any()
    };
    let order = match query.order() {
        KeySort::Created => "newest first",
        KeySort::Name => "by name",
        KeySort::LastUsed => "lately used first",
        KeySort::Expires => "next to expire first",
    };
    view! {
        <caption class="sr">{format!("API keys, {order}")}</caption>
        <colgroup>
            {pick.then(|| view! { <col class="c-40"/> }.into_any())}
            <col/>
            <col class="c-152 pk"/>
            <col class="c-104"/>
            <col class="c-152 p3"/>
            <col class="c-144 p3"/>
            <col class="c-104 p2"/>
            <col class="c-104"/>
            <col class="c-112 p3"/>
        </colgroup>
        <thead role="rowgroup">
            <tr role="row">
                {pick.then(|| view! { <PickAll/> }.into_any())}
                {head(KeySort::Name, "Name", "")}
                <th scope="col" role="columnheader" class="pk">"Key"</th>
                <th scope="col" role="columnheader">"State"</th>
                <th scope="col" role="columnheader" class="p3">"Permissions"</th>
                <th scope="col" role="columnheader" class="p3">"Owner"</th>
                {head(KeySort::LastUsed, "Last used", "num p2")}
                {head(KeySort::Expires, "Expires", "num")}
                {head(KeySort::Created, "Created", "num p3")}
            </tr>
        </thead>
    }
    .into_any()
}

#[component]
fn Row(key: ApiKey, left: bool, pick: bool) -> impl IntoView {
    let left = left && key.state != KeyState::Revoked;
    let off = key.state != KeyState::Active;
    let display = key.display();
    let used = key.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at/> }.into_any());
    let used_again = key.last_used_at.map_or_else(|| "Never used".into_any(), |at| view! { <Time at/> }.into_any());
    let expires = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => view! { <span class="muted">"–"</span> }.into_any(),
        (None, Some(at)) => view! { <Ends at/> }.into_any(),
        (None, None) => "Never".into_any(),
    };
    let owner = if left {
        let was = key.owner.clone().map(|o| format!("{o} left"));
        view! { <a class="warn" href=Queue::Orphaned.href() title=was>"Owner left"</a> }.into_any()
    } else {
        owner(&key)
    };
    view! {
        <tr role="row" class:is-off=off>
            {pick.then(|| view! { <Pick key=key.clone()/> }.into_any())}
            <td role="cell" class="m-main">
                <a class="name cover" href=key_href(key.id) title=kind_title(key.kind)><Glyph id=key.id/><span>{key.name}</span></a>
                <span class="sub"><span class="mono">{display.clone()}</span>{left.then_some(" · owner left")}</span>
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

/// Who answers for a key; that nobody does is worth a warning.
pub fn owner(key: &ApiKey) -> AnyView {
    match (&key.owner, key.state) {
        (Some(owner), _) => owner.clone().into_any(),
        (None, KeyState::Revoked) => view! { <span class="muted">"–"</span> }.into_any(),
        (None, _) => view! { <span class="warn">"No owner"</span> }.into_any(),
    }
}

/// The first permission, and how many more.
#[component]
pub fn Scopes(
    /// What a key may do.
    scopes: ScopeSet,
) -> impl IntoView {
    let all = scopes.joined();
    let more =
        scopes.0.len().checked_sub(1).filter(|n| *n > 0).map(|n| view! { " "<span class="muted">{format!("+{n}")}</span> }.into_any());
    let first = scopes.0.into_iter().next().map(|s| {
        let class = if s.is_admin() { "mono warn" } else { "mono" };
        view! { <span class=class>{s.to_string()}</span> }.into_any()
    });
    view! { <span title=all>{first}{more}</span> }
}

#[component]
fn NoMatch(columns: usize) -> impl IntoView {
    view! {
        <tr role="row">
            <td role="cell" colspan=columns.to_string() class="state-cell">
                <p><b>"No key matches these filters"</b></p>
                <p class="small soft">"Keys are found by name, by prefix such as sk_live_, by id, and by their whole secret."</p>
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
