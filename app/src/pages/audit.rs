//! The audit log: who did what, to what, why.

use crate::{
    components::{CopyId, Crumbs, PageTitle, Pager, Time, TimeForm},
    icon::{Icon, IconName},
    url::href,
    visit::{Shown, framed},
};
use contract::{ActorKind, AuditEvent, AuditFilter, Cursor, Page, PageQuery};
use domain::audit;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

/// What the query of the page says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Query {
    filter: AuditFilter,
    cursor: Option<Cursor>,
}

impl Query {
    fn read(map: &ParamsMap) -> Self {
        Self {
            filter: AuditFilter { target_id: map.get_str("target_id").filter(|id| !id.is_empty()).map(str::to_owned) },
            cursor: map.get_str("cursor").and_then(|c| c.parse().ok()),
        }
    }

    fn at(&self, cursor: Option<Cursor>) -> String {
        let cursor = cursor.map(|c| c.to_string());
        href("/audit", &[("target_id", self.filter.target_id.as_deref()), ("cursor", cursor.as_deref())])
    }
}

/// `/audit`
#[component]
pub fn Audit() -> impl IntoView {
    framed(|visit| async move {
        let query = Query::read(&visit.query);
        let events = audit::list(&visit.ctx, &query.filter, PageQuery::at(query.cursor)).await?;
        let body = view! {
            <div class="page__head">
                <PageTitle>"Audit log"</PageTitle>
                <div class="acts">
                    <a class="btn" href=query.at(None)><Icon name=IconName::RefreshCw/>"Refresh"</a>
                </div>
            </div>
            <Events events query/>
        };
        Ok(Shown::new(Crumbs::section("Audit log"), body))
    })
}

#[component]
fn Events(events: Page<AuditEvent>, query: Query) -> impl IntoView {
    let count = events.data.len();
    let target = events.data.first().map(|e| e.target.name.clone());
    let newest = query.cursor.is_some().then(|| query.at(None));
    let older = events.next_cursor.map(|c| query.at(Some(c)));
    let token = query.filter.target_id.clone().map(|id| {
        view! {
            <div class="tokens">
                <span class="token">
                    <span>"target="<b>{target.unwrap_or(id)}</b></span>
                    <a href="/audit" aria-label="Remove the filter target"><Icon name=IconName::X small=true/></a>
                </span>
            </div>
        }
        .into_any()
    });
    let body = if events.data.is_empty() {
        view! { <Nothing filtered=query.filter.target_id.is_some()/> }.into_any()
    } else {
        events.data.into_iter().map(|event| view! { <Row event/> }.into_any()).collect_view().into_any()
    };
    view! {
        {token}
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <Columns/>
                <tbody role="rowgroup">{body}</tbody>
            </table>
            <Pager count noun="event" newest older/>
        </div>
    }
}

#[component]
fn Columns() -> impl IntoView {
    view! {
        <caption class="sr">"Changes, newest first"</caption>
        <colgroup>
            <col class="c-128"/>
            <col class="c-208 p2"/>
            <col/>
            <col class="c-208 p2"/>
            <col class="c-176 p3"/>
            <col class="c-144 pu"/>
            <col class="c-128 pk"/>
        </colgroup>
        <thead role="rowgroup">
            <tr role="row">
                <th scope="col" role="columnheader">"Time, UTC"</th>
                <th scope="col" role="columnheader" class="p2">"Who"</th>
                <th scope="col" role="columnheader">"What"</th>
                <th scope="col" role="columnheader" class="p2">"To what"</th>
                <th scope="col" role="columnheader" class="p3">"Why"</th>
                <th scope="col" role="columnheader" class="pu">"Address"</th>
                <th scope="col" role="columnheader" class="num pk">"Chain"</th>
            </tr>
        </thead>
    }
}

#[component]
fn Row(event: AuditEvent) -> impl IntoView {
    let actor = match event.actor.kind {
        ActorKind::User => None,
        kind => Some(view! { " "<span class="muted">{actor_title(kind)}</span> }.into_any()),
    };
    let who = event.actor.name.clone();
    let target = if event.target.kind == "api_key" {
        view! { <a class="name" href=format!("/keys/{}", event.target.id)><span>{event.target.name.clone()}</span></a> }.into_any()
    } else {
        event.target.name.clone().into_any()
    };
    let change = |label: &'static str, value: Option<serde_json::Value>| {
        value.map(|v| view! { <dt>{label}</dt><dd class="mono">{pretty(&v)}</dd> }.into_any())
    };
    let short = event.hash.chars().take(8).collect::<String>();
    let reason = event.reason.clone();
    view! {
        <tr role="row">
            <td role="cell" class="soft m-side"><Time at=event.at form=TimeForm::Log/></td>
            <td role="cell" class="p2">{who.clone()}{actor}</td>
            <td role="cell" class="m-main">
                <details>
                    <summary><Icon name=IconName::ChevronRight turns=true/><span>{action_words(&event.action)}</span></summary>
                    <dl class="dl">
                        <dt>"Action"</dt><dd class="mono">{event.action.clone()}</dd>
                        <dt>"Target"</dt><dd><CopyId text=event.target.id.clone() what="target id"/></dd>
                        {change("Before", event.before)}
                        {change("After", event.after)}
                        {reason.clone().map(|r| view! { <dt>"Why"</dt><dd>{r}</dd> }.into_any())}
                        {event.request_id.clone().map(|id| view! { <dt>"Request id"</dt><dd><CopyId text=id what="request id"/></dd> }.into_any())}
                        <dt>"Hash"</dt><dd><CopyId text=event.hash.clone() what="hash"/></dd>
                    </dl>
                </details>
                <span class="sub">{who}" · "{event.target.name}</span>
            </td>
            <td role="cell" class="p2">{target}</td>
            <td role="cell" class="soft p3" title=reason.clone()>{reason.clone()}</td>
            <td role="cell" class="mono soft pu">{event.ip.map(|ip| ip.to_string())}</td>
            <td role="cell" class="mono soft num pk" title=event.hash>{format!("#{} {short}", event.seq)}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Nothing(filtered: bool) -> impl IntoView {
    let (title, text) = if filtered {
        ("No change of this object is recorded", "Changes show here the moment they are made.")
    } else {
        ("Nothing has been changed yet", "Each change of keys, members and settings is recorded here, and can be checked for gaps.")
    };
    view! {
        <tr role="row">
            <td role="cell" colspan="7" class="state-cell">
                <p><b>{title}</b></p>
                <p class="small soft">{text}</p>
                {filtered.then(|| view! { <div class="acts"><a class="btn" href="/audit">"Clear filters"</a></div> }.into_any())}
            </td>
        </tr>
    }
}

const fn actor_title(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::User => "person",
        ActorKind::ApiKey => "API key",
        ActorKind::CommandLine => "command line",
        ActorKind::System => "Keystead",
    }
}

/// `api_key.created` as `API key created`.
pub fn action_words(action: &str) -> String {
    let words = action.replace(['.', '_'], " ");
    match words.strip_prefix("api key") {
        Some(rest) => format!("API key{rest}"),
        None => words.get(..1).map(str::to_ascii_uppercase).unwrap_or_default() + words.get(1..).unwrap_or_default(),
    }
}

/// A JSON value on as many lines as it has members.
fn pretty(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => members.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_reads_as_words() {
        assert_eq!(action_words("api_key.created"), "API key created");
        assert_eq!(action_words("user.signed_in"), "User signed in");
    }
}
