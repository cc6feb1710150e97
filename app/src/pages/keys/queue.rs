//! The queues: keys that wait for somebody's decision, each row with its next step.

use super::list::{BulkBar, May, Pick, PickAll, Scopes, owner};
use crate::{
    components::{Ends, Glyph, Pager, Time, TimeForm},
    url::{href, key_href},
    visit::Visit,
};
use contract::{ApiKey, KeyId, KeyPage, KeyQueue, UnixMs};
use domain::keys;
use leptos::prelude::*;
use std::collections::HashMap;

/// A key that was not used for so long is idle.
pub const IDLE_DAYS: u16 = 30;
/// Rows of a page, and of each stage of what expires.
const ROWS: u16 = 100;

/// A tab of the list; what expires comes from the domain in three stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Less than 14 days left.
    Expiring,
    /// Not used for a while.
    Idle,
    /// The secret is old.
    Old,
    /// Nobody answers for it.
    Orphaned,
}

impl Queue {
    /// In the order of the tabs.
    pub const ALL: [Self; 4] = [Self::Expiring, Self::Idle, Self::Old, Self::Orphaned];

    /// Reads the value of the query.
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|q| q.as_str() == s)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Expiring => "expiring",
            Self::Idle => "idle",
            Self::Old => "old",
            Self::Orphaned => "orphaned",
        }
    }

    /// Its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Expiring => "Expiring",
            Self::Idle => "Idle",
            Self::Old => "Older than 90 days",
            Self::Orphaned => "No owner",
        }
    }

    /// Its page.
    pub fn href(self) -> String {
        href("/keys", &[("queue", Some(self.as_str()))])
    }

    /// Whether its count is a warning.
    pub const fn presses(self) -> bool {
        matches!(self, Self::Expiring | Self::Orphaned)
    }

    /// What it is made of, most urgent first.
    pub const fn stages(self) -> &'static [KeyQueue] {
        match self {
            Self::Expiring => &[KeyQueue::Expiring0, KeyQueue::Expiring3, KeyQueue::Expiring14],
            Self::Idle => &[KeyQueue::Idle],
            Self::Old => &[KeyQueue::Old],
            Self::Orphaned => &[KeyQueue::Orphaned],
        }
    }

    /// What it asks of the reader.
    const fn lead(self) -> &'static str {
        match self {
            Self::Expiring => "These keys stop working within 14 days. Extend the ones that are still needed; let the others go.",
            Self::Idle => "Nothing has called with these keys for 30 days. A key that nobody needs is a key that nobody misses: revoke it.",
            Self::Old => "These secrets are older than 90 days. Rotate them: the old secret can go on working while you replace it.",
            Self::Orphaned => {
                "Nobody answers for these keys, so nobody is asked before they expire or when they leak. Name an owner. Where a policy demands one, a key is disabled 30 days after its owner left."
            }
        }
    }

    /// What its time is.
    const fn when(self) -> &'static str {
        match self {
            Self::Old => "Created",
            Self::Orphaned => "Deadline",
            Self::Expiring | Self::Idle => "Expires",
        }
    }

    /// What an empty queue says.
    const fn empty(self) -> &'static str {
        match self {
            Self::Expiring => "No key expires within 14 days",
            Self::Idle => "Every key was used in the last 30 days",
            Self::Old => "No secret is older than 90 days",
            Self::Orphaned => "Every key has an owner",
        }
    }

    /// The next step for a key that waits here.
    fn step(self, key: &ApiKey, may: May) -> Option<(&'static str, String)> {
        let page = key_href(key.id);
        match self {
            Self::Expiring => may.write.then(|| ("Extend", format!("{page}/edit#expires_at"))),
            Self::Idle => may.revoke.then(|| ("Revoke", format!("{page}/revoke"))),
            Self::Old => may.write.then(|| ("Rotate", format!("{page}/rotate"))),
            Self::Orphaned => may.write.then(|| ("Set owner", format!("{page}/edit#owner"))),
        }
    }
}

/// A queue's page.
pub async fn page(visit: &Visit, queue: Queue, may: May) -> domain::Result<AnyView> {
    let environment = visit.chrome.prefs.environment;
    let cursor = visit.query.get_str("cursor").and_then(|c| c.parse().ok());
    let mut waiting = KeyPage { data: Vec::new(), next_cursor: None };
    for stage in queue.stages() {
        // A page of what expires starts within a stage and goes on with the later ones.
        let stage = keys::queue(&visit.ctx, *stage, environment, IDLE_DAYS, ROWS, cursor.clone()).await?;
        waiting.data.extend(stage.data);
        if stage.next_cursor.is_some() {
            waiting.next_cursor = stage.next_cursor;
            break;
        }
    }
    let left = match queue {
        Queue::Orphaned => keys::orphans::deadlines(&visit.ctx, &waiting.data.iter().map(|k| k.id).collect::<Vec<_>>()).await?,
        _ => HashMap::new(),
    };
    let first = cursor.is_none();
    Ok(view! { <Waiting queue waiting left may first/> }.into_any())
}

#[component]
fn Waiting(queue: Queue, waiting: KeyPage, left: HashMap<KeyId, UnixMs>, may: May, first: bool) -> impl IntoView {
    let count = waiting.data.len();
    if count == 0 && first {
        return view! {
            <div class="empty done">
                <div class="hero">
                    <h2>{queue.empty()}</h2>
                    <p class="lead soft">"Nothing waits here. Keys come to this page by themselves."</p>
                </div>
                <a class="btn" href="/keys">"All keys"</a>
            </div>
        }
        .into_any();
    }
    let older = waiting.next_cursor.map(|c| href("/keys", &[("queue", Some(queue.as_str())), ("cursor", Some(&c.to_string()))]));
    let newest = (!first).then(|| queue.href());
    let rows =
        waiting.data.into_iter().map(|key| view! { <Row queue deadline=left.get(&key.id).copied() key may/> }.into_any()).collect_view();
    view! {
        <p class="lead soft queue__lead">{queue.lead()}</p>
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <caption class="sr">{format!("{}, most urgent first", queue.title())}</caption>
                <colgroup>
                    {may.revoke.then(|| view! { <col class="c-40"/> }.into_any())}
                    <col/>
                    <col class="c-152 pk"/>
                    <col class="c-152 p3"/>
                    <col class="c-176 p2"/>
                    <col class="c-104 p2"/>
                    <col class="c-104 p2"/>
                    <col class="c-112"/>
                </colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        {may.revoke.then(|| view! { <PickAll/> }.into_any())}
                        <th scope="col" role="columnheader">"Name"</th>
                        <th scope="col" role="columnheader" class="pk">"Key"</th>
                        <th scope="col" role="columnheader" class="p3">"Permissions"</th>
                        <th scope="col" role="columnheader" class="p2">"Owner"</th>
                        <th scope="col" role="columnheader" class="num p2">"Last used"</th>
                        <th scope="col" role="columnheader" class="num p2">{queue.when()}</th>
                        <th scope="col" role="columnheader" class="num">"Next step"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            {may.revoke.then(|| view! { <BulkBar all=None/> }.into_any())}
            <Pager count noun="key" newest older/>
        </div>
    }
    .into_any()
}

#[component]
fn Row(queue: Queue, deadline: Option<UnixMs>, key: ApiKey, may: May) -> impl IntoView {
    let step = queue.step(&key, may).map(|(label, to)| {
        let name = format!("{label}: {}", key.name);
        view! { <a class="btn btn--sm step" href=to aria-label=name>{label}</a> }.into_any()
    });
    let used = key.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at/> }.into_any());
    let (when, sub) = match (queue, key.expires_at) {
        (Queue::Old, _) => {
            let at = key.created_at;
            (view! { <Time at form=TimeForm::Date/> }.into_any(), view! { "Created "<Time at form=TimeForm::Date/> }.into_any())
        }
        (Queue::Orphaned, _) => match deadline {
            Some(at) => (view! { <Ends at/> }.into_any(), view! { "Deadline "<Ends at/> }.into_any()),
            None => ("None".into_any(), "No deadline".into_any()),
        },
        (_, Some(at)) => (view! { <Ends at/> }.into_any(), view! { "Expires "<Ends at/> }.into_any()),
        (_, None) => ("Never".into_any(), "Never expires".into_any()),
    };
    let display = key.display();
    let answers = owner(&key);
    view! {
        <tr role="row">
            {may.revoke.then(|| view! { <Pick key=key.clone()/> }.into_any())}
            <td role="cell" class="m-main">
                <a class="name" href=key_href(key.id)><Glyph id=key.id/><span>{key.name}</span></a>
                <span class="sub">{sub}</span>
            </td>
            <td role="cell" class="mono soft pk">{display}</td>
            <td role="cell" class="p3"><Scopes scopes=key.scopes/></td>
            <td role="cell" class="p2">{answers}</td>
            <td role="cell" class="num soft p2">{used}</td>
            <td role="cell" class="num p2">{when}</td>
            <td role="cell" class="num m-side">{step}</td>
        </tr>
    }
    .into_any()
}
