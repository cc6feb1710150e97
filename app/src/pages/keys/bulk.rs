//! The page that revokes several keys at once: what that would break in sum, and a phrase typed as consent.

use super::{callers::callers_in, query::Query};
use crate::{
    components::{Banner, ConfirmFields, Crumbs, ErrorSummary, Glyph, InTenant, PageTitle, StateBadge, Time, Tone},
    icon::{Icon, IconName},
    numbers::{counted, thousands},
    returned::{Returned, returned},
    url::key_href,
    visit::{Shown, Visit, framed},
};
use contract::{ApiKey, BulkRevokeForm, CallerSeen, Change, Impact, KeyKind, KeyState, Perm, UnixMs};
use domain::{Ctx, keys};
use leptos::prelude::*;

/// A key of the choice, and what revoking it would break.
type Weighed = (ApiKey, Impact);

/// `/keys/revoke`
#[component]
pub fn KeyBulkRevoke() -> impl IntoView {
    framed(|visit| async move {
        visit.ctx.require(Perm::KeysRevoke)?;
        let back = returned::<BulkRevokeForm>();
        let (chosen, more) = match &back {
            Some(back) => (by_id(&visit.ctx, back.form.key.iter().map(String::as_str)).await?, false),
            None if visit.query.get_str("all").is_some() => matching(&visit).await?,
            None => {
                let asked = visit.query.get_all("key").unwrap_or_default();
                (by_id(&visit.ctx, asked.iter().map(String::as_str)).await?, false)
            }
        };
        let mut weighed = Vec::with_capacity(chosen.len());
        for key in chosen.into_iter().filter(|k| k.state != KeyState::Revoked) {
            let impact = keys::impact_of(&visit.ctx, key.id, &Change::Revoke).await?;
            weighed.push((key, impact));
        }
        let crumbs = Crumbs::keys("Revoke");
        if weighed.is_empty() {
            return Ok(Shown::new(crumbs.titled("Revoke keys".to_owned()), view! { <NoneChosen/> }));
        }
        let title = format!("Revoke {}", keys_in(weighed.len()));
        Ok(Shown::new(crumbs.titled(title), view! { <Consent weighed more back=back.unwrap_or_default()/> }))
    })
}

fn keys_in(n: usize) -> String {
    counted(i64::try_from(n).unwrap_or(i64::MAX), "key")
}

/// The keys that the address or the form names, once each; one that is not the reader's is not found.
async fn by_id(ctx: &Ctx, ids: impl Iterator<Item = &str>) -> domain::Result<Vec<ApiKey>> {
    let mut ids = ids.map(|id| id.parse().map_err(|_| domain::Error::NotFound)).collect::<domain::Result<Vec<contract::KeyId>>>()?;
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    let mut all = Vec::new();
    for id in ids.into_iter().take(BulkRevokeForm::MOST) {
        all.push(keys::get_for(ctx, Perm::KeysRevoke, id).await?);
    }
    Ok(all)
}

/// What the filters of the list match and is not revoked, as far as one form holds it; and whether there is more.
async fn matching(visit: &Visit) -> domain::Result<(Vec<ApiKey>, bool)> {
    let query = Query::read(&visit.query);
    let mut search = query.search(visit.chrome.prefs.environment, 200);
    let mut all: Vec<ApiKey> = Vec::new();
    loop {
        let page = keys::search(&visit.ctx, &search).await?;
        all.extend(page.data.into_iter().filter(|k| k.state != KeyState::Revoked));
        let full = all.len() > BulkRevokeForm::MOST;
        if full || page.next_cursor.is_none() {
            all.truncate(BulkRevokeForm::MOST);
            return Ok((all, full));
        }
        search.cursor = page.next_cursor;
    }
}

#[component]
fn Consent(weighed: Vec<Weighed>, more: bool, back: Returned<BulkRevokeForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let n = weighed.len();
    let gateways = weighed.iter().any(|(key, _)| key.kind == KeyKind::Gateway);
    let phrase = BulkRevokeForm::phrase(n);
    let rows = weighed.iter().map(|(key, impact)| view! { <Row key=key.clone() impact=impact.clone()/> }.into_any()).collect_view();
    let fields =
        weighed.iter().map(|(key, _)| view! { <input type="hidden" name="key" value=key.id.to_string()/> }.into_any()).collect_view();
    view! {
        <form class="card dialog dialog--page dialog--wide" method="post" action="/keys/revoke" novalidate=true><InTenant/>
            <div class="dialog__head"><PageTitle>{format!("Revoke {}?", keys_in(n))}</PageTitle></div>
            <div class="dialog__body">
                <ErrorSummary errors=errors.clone() message/>
                <p class="soft">"Every request with these keys is refused from now on, within a second. This cannot be undone."</p>
                {gateways.then(|| view! { <Gateways weighed=weighed.clone()/> }.into_any())}
                <Sum weighed/>
                {more.then(|| {
                    let text = format!("More keys match than one step can revoke: these are the first {n}. Come back for the rest.");
                    view! { <p class="row row--top small soft"><Icon name=IconName::Info/><span>{text}</span></p> }.into_any()
                })}
                <div class="tablebox chosen">
                    <table class="tbl tbl--bare tbl--stack" role="table">
                        <caption class="sr">"Keys to revoke"</caption>
                        <colgroup><col/><col class="c-104 p2"/><col class="c-96"/><col class="c-112 p2"/></colgroup>
                        <thead role="rowgroup">
                            <tr role="row">
                                <th scope="col" role="columnheader">"Key"</th>
                                <th scope="col" role="columnheader" class="p2">"State"</th>
                                <th scope="col" role="columnheader" class="num">"Requests"</th>
                                <th scope="col" role="columnheader" class="num p2">"Last"</th>
                            </tr>
                        </thead>
                        <tbody role="rowgroup">{rows}</tbody>
                    </table>
                </div>
                {fields}
                <ConfirmFields reason=form.reason phrase=phrase confirm=form.confirm errors main=true/>
            </div>
            <div class="dialog__foot">
                <a class="btn btn--quiet" href="/keys">"Cancel"</a>
                <button class="btn btn--destroy" type="submit">{format!("Revoke {}", keys_in(n))}</button>
            </div>
        </form>
    }
    .into_any()
}

/// What the log does not count: gateways ask with their keys about other keys.
#[component]
fn Gateways(weighed: Vec<Weighed>) -> impl IntoView {
    let asking: Vec<ApiKey> = weighed.into_iter().map(|(key, _)| key).filter(|k| k.kind == KeyKind::Gateway).collect();
    let names = asking.iter().map(|k| k.name.as_str()).collect::<Vec<_>>().join(", ");
    let last = asking.iter().filter_map(|k| k.last_used_at).max();
    view! {
        <Banner tone=Tone::Danger>
            <p><b>{format!("Every decision asked with {names} stops: its gateway refuses every request behind it.")}</b></p>
            <p class="soft">{match last {
                Some(at) => view! { "The last was asked "<Time at/>"." }.into_any(),
                None => "None has been asked yet.".into_any(),
            }}</p>
        </Banner>
    }
    .into_any()
}

/// What all of them together would break.
#[component]
fn Sum(weighed: Vec<Weighed>) -> impl IntoView {
    let lost: i64 = weighed.iter().map(|(_, i)| i.lost).sum();
    let busy = weighed.iter().filter(|(_, i)| i.lost > 0).count();
    let last: Option<UnixMs> = weighed.iter().filter_map(|(_, i)| i.last_lost_at).max();
    let gateways = weighed.iter().any(|(key, _)| key.kind == KeyKind::Gateway);
    let seen: Vec<CallerSeen> = weighed.into_iter().flat_map(|(_, i)| i.callers).collect();
    if lost == 0 {
        return view! {
            <Banner tone=Tone::Info>
                <p><b>"No request of the last 30 days would have been refused."</b></p>
                {(!gateways).then(|| view! { <p class="soft">"Nothing seems to call with these keys."</p> }.into_any())}
            </Banner>
        }
        .into_any();
    }
    let requests = counted(lost, "request");
    let callers = match callers_in(&seen) {
        1 => "1 caller".to_owned(),
        n => format!("{n} callers"),
    };
    let used = if busy == 1 { "1 of the keys is".to_owned() } else { format!("{busy} of the keys are") };
    view! {
        <Banner tone=Tone::Danger>
            <p><b>{format!("{requests} of the last 30 days would have been refused.")}</b></p>
            <p class="soft">
                {format!("{used} in use, by {callers}")}
                {last.map(|at| view! { "; the last request came "<Time at/> }.into_any())}
                "."
            </p>
        </Banner>
    }
    .into_any()
}

#[component]
fn Row(key: ApiKey, impact: Impact) -> impl IntoView {
    let used = if key.kind == KeyKind::Gateway { key.last_used_at } else { impact.last_lost_at };
    let last = used.map_or_else(|| "Never".into_any(), |at| view! { <Time at/> }.into_any());
    let last_again = used.map_or_else(|| "Never".into_any(), |at| view! { <Time at/> }.into_any());
    let owner = key.owner.clone().unwrap_or_else(|| "No owner".to_owned());
    view! {
        <tr role="row">
            <td role="cell" class="m-main">
                <a class="name" href=key_href(key.id)><Glyph id=key.id/><span>{key.name}</span></a>
                <span class="sub">{owner}</span>
            </td>
            <td role="cell" class="p2"><StateBadge state=key.state/></td>
            <td role="cell" class="num m-side">{thousands(impact.lost)}<span class="sub">{last_again}</span></td>
            <td role="cell" class="num soft p2">{last}</td>
        </tr>
    }
}

#[component]
fn NoneChosen() -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <PageTitle>"Choose the keys to revoke"</PageTitle>
                <p class="lead soft">"No key that still could be used is chosen. Tick keys in the list, then come back."</p>
            </div>
            <div class="row"><a class="btn btn--primary" href="/keys">"Go to API keys"</a></div>
        </div>
    }
}
