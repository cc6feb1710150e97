//! The audit log: who did what, to what, why.

mod diff;

use crate::{
    components::{
        Banner, Choice, CopyId, Crumbs, ErrorSummary, ExportLinks, FilterField, FilterForm, Moment, PageTitle, Pager, SearchField, Time,
        TimeForm, Tokens, Tone,
    },
    filters::Filters,
    icon::{Icon, IconName},
    numbers::{counted, thousands},
    url::href,
    visit::{Shown, Visit, framed},
};
use contract::{Actor, ActorKind, AuditEvent, AuditHead, AuditQuery, ErrorCode, FieldErrors, Page, PageQuery, Perm, Problem, Target};
use diff::Diff;
use domain::audit::{self, ACTIONS, Chain};
use leptos::prelude::*;

/// Where the filters of the log are read from.
const PATH: &str = "/audit";

/// `/audit`
#[component]
pub fn Audit() -> impl IntoView {
    framed(|visit| async move {
        let filters = Filters::read(PATH, &visit.query, &["verify"]);
        visit.ctx.require(Perm::AuditRead)?;
        let (list, errors) = match AuditQuery::parse(filters.pairs()) {
            Ok(query) => {
                let events = audit::search(&visit.ctx, &query, PageQuery::at(filters.cursor)).await?;
                let chain = chain(&visit, &filters).await?;
                let list = view! {
                    {chain}
                    <Events events filters=filters.clone()/>
                };
                (list.into_any(), FieldErrors::default())
            }
            Err(errors) => {
                crate::ssr::answer_with(&Problem::new(ErrorCode::ValidationFailed));
                (().into_any(), errors)
            }
        };
        let exports = visit.chrome.role.exports_logs();
        let body = view! {
            <div class="page__head">
                <PageTitle>"Audit log"</PageTitle>
                <div class="acts">
                    {exports.then(|| view! { <ExportLinks path="/audit/export" filters=filters.clone()/> }.into_any())}
                    <a class="btn" href=filters.link()><Icon name=IconName::RefreshCw/>"Refresh"</a>
                </div>
            </div>
            <ErrorSummary errors=errors.clone() message=None/>
            <Filter filters errors/>
            {list}
        };
        Ok(Shown::new(Crumbs::section("Audit log"), body))
    })
}

#[component]
fn Filter(filters: Filters, errors: FieldErrors) -> impl IntoView {
    let action = filters.get("action").map(str::to_owned);
    let mut actions: Vec<(String, String)> = ACTIONS.iter().map(|a| ((*a).to_owned(), action_words(a))).collect();
    if let Some(other) = action.clone().filter(|a| !ACTIONS.contains(&a.as_str())) {
        actions.push((other.clone(), other));
    }
    let target = filters.get("target").or_else(|| filters.get("target_id")).map(str::to_owned);
    let more = ["actor", "from", "to"].iter().any(|name| filters.get(name).is_some()) || target.is_some();
    view! {
        <FilterForm action=PATH>
            <Choice name="action" label="Action" all="All actions" options=actions chosen=action/>
            <SearchField name="request_id" label="Request id" placeholder="Request id" value=filters.get("request_id").map(str::to_owned)/>
            <button class="btn" type="submit">"Filter"</button>
            <details open=more>
                <summary><Icon name=IconName::ChevronRight turns=true/>"Who, to what, time"</summary>
                <div class="morefields">
                    <FilterField name="actor" label="Who: name or id" placeholder="name@company.com" filters=filters.clone() errors=errors.clone()/>
                    <div class="field">
                        <label class="label" for="target">"Id of what was changed"</label>
                        <input class="input input--mono" id="target" name="target" placeholder="key_…" value=target autocomplete="off" spellcheck="false"/>
                    </div>
                    <Moment name="from" label="From, UTC" filters=filters.clone() errors=errors.clone()/>
                    <Moment name="to" label="Before, UTC" filters errors/>
                </div>
            </details>
        </FilterForm>
    }
    .into_any()
}

/// The end of the chain, and what a recomputation found if one was asked for. Recomputing reads the whole log, so it
/// waits until somebody wants it.
async fn chain(visit: &Visit, filters: &Filters) -> domain::Result<AnyView> {
    let heads = audit::heads(&visit.ctx).await?;
    if visit.query.get_str("verify").is_none() {
        let again = filters.with("verify", "1");
        return Ok(view! { <ChainLine head=heads.into_iter().next() again/> }.into_any());
    }
    Ok(match audit::verify_chain(&visit.ctx).await? {
        // Of the database it is the last event; an older head comes with exports only.
        Chain::Whole(n) | Chain::SignedUpTo { signed: n, .. } => view! {
            <div class="figure" role="status">
                <Banner tone=Tone::Info>
                    <p><b>{format!("The chain is whole: {}, none edited, missing or out of place.", counted(n, "event"))}</b></p>
                    <p class="soft">"Recomputed just now, from the first event to the last; its end is signed by this installation."</p>
                </Banner>
            </div>
        }
        .into_any(),
        Chain::BrokenAt(seq) => view! {
            <div class="figure">
                <Banner tone=Tone::Danger alert=true>
                    <p><b>{format!("The chain breaks at event #{}.", thousands(seq))}</b></p>
                    <p class="soft">"That event was edited, removed or put there by somebody with access to the database. Compare it with an export or a backup."</p>
                </Banner>
            </div>
        }
        .into_any(),
        Chain::HeadNotSigned(seq) => view! {
            <div class="figure">
                <Banner tone=Tone::Danger alert=true>
                    <p><b>{format!("The links hold up to event #{}, but this installation did not sign that end.", thousands(seq))}</b></p>
                    <p class="soft">"Somebody may have rewritten the chain. Compare it with a signed head that was kept elsewhere."</p>
                </Banner>
            </div>
        }
        .into_any(),
    })
}

#[component]
fn ChainLine(head: Option<AuditHead>, again: String) -> impl IntoView {
    let said = match head {
        Some(head) => {
            let short = head.hash.chars().take(12).collect::<String>();
            view! {
                <Icon name=IconName::Link/>
                <span>{format!("Chain of {}", counted(head.seq, "event"))}", signed "<Time at=head.signed_at/>", ends in"</span>
                <CopyId text=short value=head.hash what="hash of the last event"/>
            }
            .into_any()
        }
        None => view! { <Icon name=IconName::TriangleAlert/><span>"The end of the chain is not signed"</span> }.into_any(),
    };
    view! { <div class="chainline">{said}<a href=again>"Verify the chain"</a></div> }
}

#[component]
fn Events(events: Page<AuditEvent>, filters: Filters) -> impl IntoView {
    let count = events.data.len();
    let named = ["target", "target_id"].into_iter().find(|name| filters.get(name).is_some());
    let named = named.zip(events.data.first().map(|e| e.target.name.clone()));
    let newest = filters.cursor.is_some().then(|| filters.link());
    let older = events.next_cursor.map(|c| filters.at(Some(c)));
    let body = if events.data.is_empty() {
        view! { <Nothing filtered=!filters.is_empty()/> }.into_any()
    } else {
        events.data.into_iter().map(|event| view! { <Row event filters=filters.clone()/> }.into_any()).collect_view().into_any()
    };
    view! {
        <Tokens filters clear=PATH words named/>
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <Columns/>
                <tbody role="rowgroup">{body}</tbody>
            </table>
            <Pager count noun="event" newest older/>
        </div>
    }
    .into_any()
}

fn words(name: &str) -> Option<&'static str> {
    Some(match name {
        "target_id" => "target",
        "request_id" => "request",
        "actor" => "who",
        _ => return None,
    })
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

/// Where an object that was changed has a page.
fn target_href(target: &Target) -> Option<String> {
    Some(match target.kind.as_str() {
        "api_key" => format!("/keys/{}", target.id),
        "oauth_app" => format!("/apps/{}", target.id),
        "scope" => href("/settings/scopes", &[("edit", Some(&target.id))]),
        _ => return None,
    })
}

#[component]
fn Row(event: AuditEvent, filters: Filters) -> impl IntoView {
    let who = actor_words(&event.actor);
    // The filter knows who acted by id, or by the name as it was stored.
    let actor = event.actor.id.clone().unwrap_or_else(|| event.actor.name.clone());
    let target = match target_href(&event.target) {
        Some(to) => view! { <a class="name" href=to><span>{event.target.name.clone()}</span></a> }.into_any(),
        None => event.target.name.clone().into_any(),
    };
    let changed = event.before.is_some() || event.after.is_some();
    let changed =
        changed.then(|| view! { <dt>"Change"</dt><dd><Diff before=event.before.clone() after=event.after.clone()/></dd> }.into_any());
    let short = event.hash.chars().take(8).collect::<String>();
    let reason = event.reason.clone();
    let like = |name: &str, value: &str, shown: &str| {
        let (to, shown) = (filters.with(name, value), shown.to_owned());
        view! { <a href=to title="Changes like this">{shown}</a> }.into_any()
    };
    view! {
        <tr role="row">
            <td role="cell" class="soft m-side"><Time at=event.at form=TimeForm::Log/></td>
            <td role="cell" class="p2" title=who.clone()>{who.clone()}</td>
            <td role="cell" class="m-main">
                <details>
                    <summary><Icon name=IconName::ChevronRight turns=true/><span>{action_words(&event.action)}</span></summary>
                    <dl class="dl">
                        {changed}
                        {reason.clone().map(|r| view! { <dt>"Why"</dt><dd>{r}</dd> }.into_any())}
                        <dt>"Action"</dt><dd class="mono">{like("action", &event.action, &event.action)}</dd>
                        <dt>"Who"</dt><dd>{like("actor", &actor, &who)}</dd>
                        <dt>"Target"</dt><dd class="mono">{like("target", &event.target.id, &event.target.id)}</dd>
                        {event.ip.map(|ip| view! { <dt>"Address"</dt><dd class="mono">{ip.to_string()}</dd> }.into_any())}
                        {event.request_id.clone().map(|id| view! { <dt>"Request id"</dt><dd class="mono">{like("request_id", &id, &id)}</dd> }.into_any())}
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
        ("No change matches these filters", "Changes show here the moment they are made.")
    } else {
        ("Nothing has been changed yet", "Each change of keys, members and settings is recorded here, and can be checked for gaps.")
    };
    view! {
        <tr role="row">
            <td role="cell" colspan="7" class="state-cell">
                <p><b>{title}</b></p>
                <p class="small soft">{text}</p>
                {filtered.then(|| view! { <div class="acts"><a class="btn" href=PATH>"Clear filters"</a></div> }.into_any())}
            </td>
        </tr>
    }
}

/// Who acted, in one phrase.
pub fn actor_words(actor: &Actor) -> String {
    match actor.kind {
        ActorKind::User => actor.name.clone(),
        ActorKind::ApiKey => format!("API key {}", actor.name),
        ActorKind::App => format!("app {}", actor.name),
        ActorKind::CommandLine => "the command line".to_owned(),
        ActorKind::System if actor.name == "anonymous" => "somebody not signed in".to_owned(),
        ActorKind::System => "Keystead itself".to_owned(),
    }
}

/// `api_key.created` as `API key created`.
pub fn action_words(action: &str) -> String {
    let words = action.replace(['.', '_'], " ");
    let named = [("api key", "API key"), ("oauth", "OAuth"), ("user two factor", "Second factor of a user")];
    match named.iter().find_map(|(word, name)| words.strip_prefix(word).map(|rest| format!("{name}{rest}"))) {
        Some(named) => named,
        None => words.get(..1).map(str::to_ascii_uppercase).unwrap_or_default() + words.get(1..).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_acted_is_one_phrase() {
        let said = |kind, name: &str| actor_words(&Actor { kind, id: None, name: name.to_owned() });
        assert_eq!(said(ActorKind::User, "owner@acme.test"), "owner@acme.test");
        assert_eq!(said(ActorKind::ApiKey, "bootstrap"), "API key bootstrap");
        assert_eq!(said(ActorKind::CommandLine, "command line"), "the command line");
        assert_eq!(said(ActorKind::System, "anonymous"), "somebody not signed in");
        assert_eq!(said(ActorKind::System, "keystead"), "Keystead itself");
    }

    #[test]
    fn an_action_reads_as_words() {
        assert_eq!(action_words("api_key.created"), "API key created");
        assert_eq!(action_words("user.signed_in"), "User signed in");
    }
}
