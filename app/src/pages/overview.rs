//! `/`: how it goes, what needs somebody, what changed.

use crate::{
    components::{Crumbs, Fig, Glyph, Meter, OutcomeChart, PageTitle, TestCurl, Time, TimeForm},
    filters::Filters,
    icon::{Icon, IconName},
    numbers::{counted, percent, thousands},
    pages::audit::{action_words, actor_words},
    url::{href, key_href},
    visit::{Shown, Visit, framed},
};
use contract::{
    AuditEvent, AuditQuery, Bucket, Chrome, Code, CodeCount, Environment, KeyCount, KeyQueue, LeakFilter, LeakState, PageQuery, Perm,
    UnixMs, UsageQuery, UsageSummary,
};
use domain::{audit, keys, leaks, usage};
use leptos::prelude::*;

/// A key that nobody used for so long is called idle.
const IDLE_DAYS: u16 = 30;
/// Rows of a table.
const TOP: usize = 6;

/// What the page looks back at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Day,
    Month,
}

impl Range {
    fn read(visit: &Visit) -> Self {
        if visit.query.get_str("range") == Some("30d") { Self::Month } else { Self::Day }
    }

    const fn bucket(self) -> Bucket {
        match self {
            Self::Day => Bucket::Hour,
            Self::Month => Bucket::Day,
        }
    }

    const fn days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Month => 30,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Day => "last 24 hours",
            Self::Month => "last 30 days",
        }
    }

    const fn before(self) -> &'static str {
        match self {
            Self::Day => "on the day before",
            Self::Month => "on the 30 days before",
        }
    }
}

/// What the role may see of each.
struct Board {
    now: UsageSummary,
    before: UsageSummary,
    waits: Vec<Waits>,
    changes: Option<Vec<AuditEvent>>,
}

/// Something that waits for somebody.
struct Waits {
    icon: IconName,
    count: i64,
    words: &'static str,
    to: String,
}

/// `/`
#[component]
pub fn Overview() -> impl IntoView {
    framed(|visit| async move {
        let range = Range::read(&visit);
        let board = board(&visit, range).await?;
        let chrome = visit.chrome;
        let body = view! {
            <div class="page__head">
                <PageTitle>"Overview"</PageTitle>
                <div class="acts">
                    <Ranges range/>
                    {chrome.may(Perm::KeysWrite).then(|| view! { <a class="btn btn--primary" href="/keys/new" data-key="c"><Icon name=IconName::Plus/>"Create key"</a> }.into_any())}
                </div>
            </div>
            <Board board chrome range/>
        };
        Ok(Shown::new(Crumbs::section("Overview"), body))
    })
}

async fn board(visit: &Visit, range: Range) -> domain::Result<Board> {
    let (ctx, role, environment) = (&visit.ctx, visit.chrome.role, visit.chrome.prefs.environment);
    let to = ctx.now().plus(1);
    let from = to.plus(-range.days() * UnixMs::DAY);
    let between = |from, to| UsageQuery { from: Some(from), to: Some(to), environment: Some(environment), ..UsageQuery::default() };
    let now = usage::summary(ctx, &between(from, to), Some(range.bucket())).await?;
    let before = usage::summary(ctx, &between(from.plus(-range.days() * UnixMs::DAY), from), Some(range.bucket())).await?;
    let mut waits = Vec::new();
    if role.holds(Perm::KeysLookup) || role.holds(Perm::AuditRead) {
        let filter = LeakFilter { state: Some(LeakState::Open), key_id: None };
        let open = leaks::list(ctx, filter, PageQuery { limit: 200, cursor: None }).await?.data.len();
        let count = i64::try_from(open).unwrap_or(i64::MAX);
        waits.push(Waits { icon: IconName::ShieldAlert, count, words: "open leak report", to: "/leaks".to_owned() });
    }
    if role.holds(Perm::KeysRead) {
        waits.extend(queues(ctx, environment).await?);
    }
    let changes = if role.holds(Perm::AuditRead) {
        let page = PageQuery { limit: 50, cursor: None };
        let mut changes = audit::search(ctx, &AuditQuery::default(), page).await?.data;
        // Who came and went is in the log, and changed nothing.
        changes.retain(|e| !e.action.starts_with("session."));
        changes.truncate(TOP);
        Some(changes)
    } else {
        None
    };
    waits.retain(|w| w.count > 0);
    Ok(Board { now, before, waits, changes })
}

/// Keys that wait for somebody; the stages of expiry are one queue of the list.
async fn queues(ctx: &domain::Ctx, environment: Environment) -> domain::Result<Vec<Waits>> {
    let heads = keys::queues(ctx, environment, IDLE_DAYS).await?;
    let count = |of: &[KeyQueue]| heads.iter().filter(|h| of.contains(&h.queue)).map(|h| h.count).sum();
    let expiring = &[KeyQueue::Expiring0, KeyQueue::Expiring3, KeyQueue::Expiring14];
    Ok([
        (IconName::Clock, count(expiring), "expiring", "key expires within 14 days", "keys expire within 14 days"),
        (IconName::Moon, count(&[KeyQueue::Idle]), "idle", "key unused for 30 days", "keys unused for 30 days"),
        (IconName::UserX, count(&[KeyQueue::Orphaned]), "orphaned", "key that nobody answers for", "keys that nobody answers for"),
        (
            IconName::Calendar,
            count(&[KeyQueue::Old]),
            "old",
            "key with a secret older than 90 days",
            "keys with secrets older than 90 days",
        ),
    ]
    .into_iter()
    .map(|(icon, count, queue, one, many)| Waits {
        icon,
        count,
        words: if count == 1 { one } else { many },
        to: href("/keys", &[("queue", Some(queue))]),
    })
    .collect())
}

#[component]
fn Ranges(range: Range) -> impl IntoView {
    let link = |to: &'static str, label: &'static str, of: Range| {
        view! { <a href=to aria-current=(of == range).then_some("true")>{label}</a> }.into_any()
    };
    view! { <nav class="seg" aria-label="Period">{link("/", "24 h", Range::Day)}{link("/?range=30d", "30 d", Range::Month)}</nav> }
}

#[component]
fn Board(board: Board, chrome: Chrome, range: Range) -> impl IntoView {
    let Board { now, before, waits, changes } = board;
    let never = now.total == 0 && before.total == 0;
    let figures = view! { <Figures now=now.clone() before=before.clone() range/> };
    let chart = if never {
        view! {
            <section class="card">
                <div class="card__head"><h2>{format!("No {} request in that time", chrome.prefs.environment)}</h2></div>
                <div class="card__body stack">
                    <p class="small soft">"Each request that is decided counts here within seconds. Send one with a key of yours:"</p>
                    <TestCurl public_url=chrome.public_url.clone()/>
                </div>
            </section>
        }
        .into_any()
    } else {
        view! {
            <OutcomeChart summary=now.clone() title="Requests by outcome".to_owned() period=range.words().to_owned() zoom=Filters::none("/usage")/>
        }
        .into_any()
    };
    let tables = (now.total > 0).then(|| {
        view! {
            <div class="cols cols--half">
                <TopKeys summary=now.clone() range/>
                <Reasons summary=now.clone() range/>
            </div>
        }
        .into_any()
    });
    view! {
        <div class="stack">
            {figures}
            <div class="cols cols--fill">
                {chart}
                <Attention waits/>
            </div>
            {tables}
            {changes.map(|events| view! { <Changes events/> }.into_any())}
        </div>
    }
    .into_any()
}

#[component]
fn Figures(now: UsageSummary, before: UsageSummary, range: Range) -> impl IntoView {
    let keys = |s: &UsageSummary| s.keys.iter().filter(|k| k.credential_id.is_some()).count();
    let (used, used_before) = (keys(&now), keys(&before));
    // The summary names fifty keys at most.
    let many = |n: usize| if n >= 49 { "49+".to_owned() } else { n.to_string() };
    let unknown: i64 = now
        .codes
        .iter()
        .filter(|c| matches!(c.code, Code::Unauthorized | Code::ConflictingCredentials | Code::Malformed | Code::NotFound))
        .map(|c| c.count)
        .sum();
    let share = |s: &UsageSummary| if s.total == 0 { 0 } else { s.denied * 1000 / s.total };
    let points = share(&now) - share(&before);
    view! {
        <div class="card figs">
            <Fig label="Requests" value=thousands(now.total)>{change(now.total, before.total)}" "{range.before()}</Fig>
            <Fig label="Denied" value=percent(now.denied, now.total) unit="%">
                {if before.total == 0 {
                    counted(now.denied, "request").into_any()
                } else if points == 0 {
                    view! { "as "{range.before()} }.into_any()
                } else {
                    let icon = if points > 0 { IconName::ArrowUp } else { IconName::ArrowDown };
                    let said = format!("{}.{} points", points.abs() / 10, points.abs() % 10);
                    view! { <Icon name=icon small=true/><span class:bad=points.is_positive()>{said}</span>" "{range.before()} }.into_any()
                }}
            </Fig>
            <Fig label="Keys in use" value=many(used)>{format!("{} {}", many(used_before), range.before())}</Fig>
            <Fig label="Without a known key" value=thousands(unknown)>{format!("requests, {}", range.words())}</Fig>
        </div>
    }
    .into_any()
}

/// By how much a number changed; nothing to compare with is said.
fn change(now: i64, before: i64) -> AnyView {
    if before == 0 {
        return "none".into_any();
    }
    let icon = if now >= before { IconName::ArrowUp } else { IconName::ArrowDown };
    let said = format!("{}%", percent((now - before).abs(), before));
    view! { <Icon name=icon small=true/>{said} }.into_any()
}

#[component]
fn Attention(waits: Vec<Waits>) -> impl IntoView {
    let body = if waits.is_empty() {
        view! { <ul class="rows"><li><Icon name=IconName::CircleCheck/><span>"Nothing waits for anybody"</span></li></ul> }.into_any()
    } else {
        let rows = waits.into_iter().map(|w| {
            let words = match w.words {
                "open leak report" if w.count != 1 => "open leak reports",
                words => words,
            };
            view! { <li><Icon name=w.icon/><span><b>{thousands(w.count)}</b>" "{words}</span><a class="push" href=w.to aria-label=format!("Review: {words}")>"Review"</a></li> }.into_any()
        });
        view! { <ul class="rows rows--links">{rows.collect_view()}</ul> }.into_any()
    };
    view! { <section class="card"><div class="card__head"><h2>"Needs attention"</h2></div>{body}</section> }.into_any()
}

#[component]
fn TopKeys(summary: UsageSummary, range: Range) -> impl IntoView {
    let most = summary.keys.iter().map(|k| k.allowed + k.denied).max().unwrap_or(0);
    let rows = summary.keys.into_iter().take(TOP).map(|key| view! { <TopKey key most/> }.into_any()).collect_view();
    view! {
        <section class="card tablebox" aria-labelledby="top-keys">
            <div class="card__head"><h2 id="top-keys">"Top keys"</h2><span class="meta">{range.words()}</span><a class="push small" href="/keys">"All keys"</a></div>
            <table class="tbl tbl--bare" aria-labelledby="top-keys">
                <colgroup><col/><col class="c-96 pm"/><col class="c-88"/><col class="c-80"/></colgroup>
                <thead><tr>
                    <th scope="col">"Key"</th>
                    <th scope="col" class="pm"><span class="sr">"Share"</span></th>
                    <th scope="col" class="num">"Requests"</th>
                    <th scope="col" class="num">"Denied"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn TopKey(key: KeyCount, most: i64) -> impl IntoView {
    let all = key.allowed + key.denied;
    let name = match key.credential_id {
        Some(id) => {
            let name = key.name.unwrap_or_else(|| id.to_string());
            view! { <a class="name" href=key_href(id)><Glyph id/><span>{name}</span></a> }.into_any()
        }
        None => view! { <span class="muted">"no key matched"</span> }.into_any(),
    };
    view! {
        <tr>
            <td>{name}</td>
            <td class="pm"><Meter part=all whole=most/></td>
            <td class="num">{thousands(all)}</td>
            <td class="num soft">{percent(key.denied, all)}"%"</td>
        </tr>
    }
}

#[component]
fn Reasons(summary: UsageSummary, range: Range) -> impl IntoView {
    let codes: Vec<CodeCount> = summary.codes.into_iter().filter(|c| c.code != Code::Valid).collect();
    let most = codes.iter().map(|c| c.count).max().unwrap_or(0);
    let (from, to) = (summary.from, summary.to);
    let day = (range == Range::Month).then(|| crate::components::minute(from));
    let rows = codes
        .into_iter()
        .take(TOP)
        .map(|c| {
            let link = href("/usage", &[("code", Some(c.code.as_str())), ("from", day.as_deref())]);
            view! {
                <tr>
                    <td><a class="name" href=link title=c.code.as_str()><span>{c.code.describe()}</span></a></td>
                    <td class="pm"><Meter part=c.count whole=most denied=true/></td>
                    <td class="num">{thousands(c.count)}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let body = if most == 0 {
        view! { <p class="card__body small soft">{format!("None of the requests until {} was denied.", to.human())}</p> }.into_any()
    } else {
        view! {
            <table class="tbl tbl--bare" aria-labelledby="reasons">
                <colgroup><col/><col class="c-96 pm"/><col class="c-88"/></colgroup>
                <thead><tr>
                    <th scope="col">"Reason"</th>
                    <th scope="col" class="pm"><span class="sr">"Share"</span></th>
                    <th scope="col" class="num">"Requests"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let all = href("/usage", &[("outcome", Some("denied")), ("from", day.as_deref())]);
    view! {
        <section class="card tablebox" aria-labelledby="reasons">
            <div class="card__head"><h2 id="reasons">"Why requests were denied"</h2><span class="meta">{range.words()}</span><a class="push small" href=all>"All denials"</a></div>
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn Changes(events: Vec<AuditEvent>) -> impl IntoView {
    let rows = events.into_iter().map(|e| {
        let what = view! { <b>{e.target.name.clone()}</b> };
        view! {
            <li>
                <span class="anywhere">{action_words(&e.action)}": "{what}<span class="muted">" by "{actor_words(&e.actor)}</span></span>
                <span class="push meta"><Time at=e.at form=TimeForm::Full/></span>
            </li>
        }
        .into_any()
    });
    view! {
        <section class="card">
            <div class="card__head"><h2>"Recent changes"</h2><a class="push small" href="/audit">"Audit log"</a></div>
            <ul class="rows">{rows.collect_view()}</ul>
        </section>
    }
    .into_any()
}
