//! Who calls with a key.

use crate::{
    components::Time,
    icon::{Icon, IconName},
    numbers::thousands,
};
use contract::{CallerSeen, UnixMs};
use leptos::prelude::*;
use std::net::IpAddr;

/// One program at one address, with what it calls most.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Caller {
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    most: Option<String>,
    most_count: i64,
    count: i64,
    last: UnixMs,
}

/// Callers come by address, program and path; people look for address and program.
fn merged(seen: Vec<CallerSeen>) -> Vec<Caller> {
    let mut all: Vec<Caller> = Vec::new();
    for s in seen {
        match all.iter_mut().find(|c| (c.ip, &c.user_agent) == (s.ip, &s.user_agent)) {
            Some(c) => {
                c.count += s.count;
                c.last = c.last.max(s.last_seen_at);
                if s.count > c.most_count {
                    (c.most, c.most_count) = (s.path, s.count);
                }
            }
            None => all.push(Caller {
                ip: s.ip,
                user_agent: s.user_agent,
                most: s.path,
                most_count: s.count,
                count: s.count,
                last: s.last_seen_at,
            }),
        }
    }
    all.sort_by_key(|c| std::cmp::Reverse((c.count, c.last)));
    all
}

/// How many programs at how many addresses those are.
pub fn callers_in(seen: &[CallerSeen]) -> usize {
    merged(seen.to_vec()).len()
}

/// A table of callers, the busiest first.
#[component]
pub fn Callers(
    /// As the report names them.
    seen: Vec<CallerSeen>,
    /// The head of the first column.
    head: &'static str,
    /// The id of the heading that names the table.
    labelled: &'static str,
    /// Rows that are shown.
    #[prop(default = 8)]
    most: usize,
    /// Those that the addresses of today refuse.
    #[prop(optional)]
    refused: Vec<CallerSeen>,
) -> impl IntoView {
    let shut_out = merged(refused);
    let mut all = merged(seen);
    all.extend(shut_out.iter().cloned());
    all.sort_by_key(|c| std::cmp::Reverse((c.count, c.last)));
    let more = all.len().saturating_sub(most);
    let rows = all
        .into_iter()
        .take(most)
        .map(|c| {
            let now_refused = shut_out.contains(&c);
            let badge = move || {
                now_refused.then(|| {
                    view! { " "<span class="badge badge--danger"><Icon name=IconName::Ban small=true/>"Refused now"</span> }.into_any()
                })
            };
            let ip = c.ip.map_or_else(|| "Unknown address".to_owned(), |ip| ip.to_string());
            let client = c.user_agent.unwrap_or_else(|| "No user agent".to_owned());
            let path = c.most.unwrap_or_else(|| "–".to_owned());
            view! {
                <tr role="row">
                    <td role="cell" class="mono m-main">{ip}{badge()}<span class="sub">{client.clone()}</span></td>
                    <td role="cell" class="soft p2" title=client.clone()>{client.clone()}</td>
                    <td role="cell" class="mono soft p2" title=path.clone()>{path.clone()}</td>
                    <td role="cell" class="num m-side">{thousands(c.count)}<span class="sub"><Time at=c.last/></span></td>
                    <td role="cell" class="num soft p2"><Time at=c.last/></td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <table class="tbl tbl--bare tbl--stack" role="table" aria-labelledby=labelled>
            <colgroup><col class="c-192"/><col class="p2"/><col class="p2"/><col class="c-96"/><col class="c-104 p2"/></colgroup>
            <thead role="rowgroup">
                <tr role="row">
                    <th scope="col" role="columnheader">{head}</th>
                    <th scope="col" role="columnheader" class="p2">"Client"</th>
                    <th scope="col" role="columnheader" class="p2">"Most called"</th>
                    <th scope="col" role="columnheader" class="num">"Requests"</th>
                    <th scope="col" role="columnheader" class="num p2">"Last seen"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
        {(more > 0).then(|| view! { <p class="tbl__foot small soft">{format!("And {more} more.")}</p> }.into_any())}
    }
    .into_any()
}

/// The card of those who called of late; nothing where nobody did.
#[component]
pub fn CallersCard(
    /// As the report names them.
    seen: Vec<CallerSeen>,
    /// Those that the addresses of today refuse.
    #[prop(optional)]
    refused: Vec<CallerSeen>,
) -> impl IntoView {
    if seen.is_empty() && refused.is_empty() {
        return ().into_any();
    }
    view! {
        <section class="card tablebox" aria-labelledby="callers">
            <div class="card__head"><h2 id="callers">"Callers"</h2><span class="meta">"30 days, allowed requests"</span></div>
            <Callers seen refused head="Address" labelled="callers"/>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_an_address_and_a_program_with_what_it_calls_most() {
        let seen = |path: &str, count, at| CallerSeen {
            ip: "203.0.113.1".parse().ok(),
            user_agent: Some("job/1".into()),
            path: Some(path.into()),
            count,
            last_seen_at: UnixMs(at),
        };
        let one = merged(vec![seen("/a", 2, 9), seen("/b", 5, 3), seen("/c", 1, 4)]);
        assert_eq!(one.len(), 1);
        assert_eq!((one[0].most.as_deref(), one[0].count, one[0].last), (Some("/b"), 8, UnixMs(9)));
    }
}
