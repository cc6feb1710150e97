//! What a key or an app did in the last 30 days: a sentence, bars by day, and the same as a table.

use crate::{
    components::OutcomeBadge,
    icon::{Icon, IconName},
    numbers::{counted, thousands},
    url::href,
};
use contract::{BucketCount, Outcome, UnixMs, UsageSummary};
use leptos::prelude::*;

/// Days that are shown.
const DAYS: i64 = 30;
/// The drawing, in its own units.
const WIDTH: i64 = 960;
/// As tall as that.
const HEIGHT: i64 = 120;

/// The first of those days.
pub fn since(now: UnixMs) -> UnixMs {
    UnixMs((now.0.div_euclid(UnixMs::DAY) - DAYS + 1) * UnixMs::DAY)
}

/// The card on the page of a key or an app.
#[component]
pub fn UsageCard(
    /// The filter of the usage log that shows it.
    filter: &'static str,
    /// Its id.
    id: String,
    /// By day.
    summary: UsageSummary,
) -> impl IntoView {
    let denied_link = href("/usage", &[(filter, Some(&id)), ("outcome", Some("denied"))]);
    let share = if summary.total > 0 { (summary.denied * 1000 + summary.total / 2) / summary.total } else { 0 };
    let most = summary.codes.iter().find(|c| c.code != contract::Code::Valid).map(|c| c.code.describe());
    let sentence = if summary.total == 0 {
        view! { "No request in 30 days." }.into_any()
    } else {
        let total = counted(summary.total, "request");
        let denied = format!("{}.{}% denied", share / 10, share % 10);
        view! {
            {total}", "<a href=denied_link>{denied}</a>
            {most.map(|why| view! { ", mostly: "{why.trim_end_matches('.').to_owned()} }.into_any())}
            "."
        }
        .into_any()
    };
    let days = days(&summary);
    let (allowed, denied) = (summary.allowed, summary.denied);
    let body = (summary.total > 0).then(|| {
        let (first, last) = (days.first().map(|d| d.at.human_date()), days.last().map(|d| d.at.human_date()));
        let top = days.iter().map(|d| d.allowed + d.denied).max().unwrap_or(0);
        let rows = days
            .iter()
            .rev()
            .filter(|d| d.allowed + d.denied > 0)
            .map(|d| {
                view! {
                    <tr role="row">
                        <td role="cell" class="m-main">{d.at.human_date()}</td>
                        <td role="cell" class="num p2">{thousands(d.allowed)}</td>
                        <td role="cell" class="num p2">{thousands(d.denied)}</td>
                        <td role="cell" class="num m-side">{thousands(d.allowed + d.denied)}</td>
                    </tr>
                }
                .into_any()
            })
            .collect_view();
        view! {
            <figure class="bars">
                <figcaption class="bars__top meta">{format!("{} a day at most", thousands(top))}</figcaption>
                <svg class="bars__plot" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label="Requests by day and outcome">
                    <path class="bars__line" d=format!("M0 {HEIGHT}H{WIDTH}M0 0H{WIDTH}")></path>
                    <path class="bars__ok" d=bars(&days, top, false)></path>
                    <path class="bars__no" d=bars(&days, top, true)></path>
                </svg>
                <div class="bars__x meta" aria-hidden="true"><span>{first}</span><span class="push">{last}</span></div>
            </figure>
            <div class="row row--wrap small soft legend">
                <OutcomeBadge outcome=Outcome::Allowed/><b>{thousands(allowed)}</b>
                <OutcomeBadge outcome=Outcome::Denied/><b>{thousands(denied)}</b>
            </div>
            <details class="astable">
                <summary class="small"><Icon name=IconName::ChevronRight turns=true/>"As a table"</summary>
                <div class="tablebox">
                    <table class="tbl tbl--bare tbl--stack" role="table" aria-labelledby="used">
                        <colgroup><col/><col class="c-112 p2"/><col class="c-112 p2"/><col class="c-112"/></colgroup>
                        <thead role="rowgroup">
                            <tr role="row">
                                <th scope="col" role="columnheader">"Day, UTC"</th>
                                <th scope="col" role="columnheader" class="num p2">"Allowed"</th>
                                <th scope="col" role="columnheader" class="num p2">"Denied"</th>
                                <th scope="col" role="columnheader" class="num">"All"</th>
                            </tr>
                        </thead>
                        <tbody role="rowgroup">{rows}</tbody>
                    </table>
                </div>
            </details>
        }
        .into_any()
    });
    let all = href("/usage", &[(filter, Some(&id))]);
    view! {
        <section class="card" aria-labelledby="used">
            <div class="card__head"><h2 id="used">"Usage"</h2><span class="meta">"30 days, per day"</span><a class="push small" href=all>"Open in usage"</a></div>
            <div class="card__body stack stack--3">
                <p class="small soft">{sentence}</p>
                {body}
            </div>
        </section>
    }
    .into_any()
}

/// One entry for every day, the empty ones included, oldest first.
fn days(summary: &UsageSummary) -> Vec<BucketCount> {
    let day = |t: UnixMs| t.0.div_euclid(UnixMs::DAY);
    let last = day(summary.to.plus(-1));
    (last - DAYS + 1..=last)
        .map(|d| {
            let found = summary.series.iter().find(|b| day(b.at) == d);
            let at = UnixMs(d * UnixMs::DAY);
            BucketCount { at, allowed: found.map_or(0, |b| b.allowed), denied: found.map_or(0, |b| b.denied) }
        })
        .collect()
}

/// The bars of one outcome as a path; denied ones stand on the allowed ones. What there is of something can be seen.
fn bars(days: &[BucketCount], top: i64, denied: bool) -> String {
    use std::fmt::Write as _;
    let step = WIDTH / i64::try_from(days.len()).unwrap_or(1).max(1);
    let tall = |n: i64| if n == 0 { 0 } else { (n * (HEIGHT - 2) / top.max(1)).max(2) };
    let mut path = String::new();
    for (x, day) in (0..).step_by(usize::try_from(step).unwrap_or(1)).zip(days) {
        let (foot, height) = if denied { (tall(day.allowed), tall(day.denied)) } else { (0, tall(day.allowed)) };
        if height > 0 {
            _ = write!(path, "M{} {}h{}v{}h-{}z", x + 3, HEIGHT - foot, step - 6, -height, step - 6);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_stands_for_something_can_be_seen() {
        let day = |n, allowed, denied| BucketCount { at: UnixMs(n), allowed, denied };
        let days = [day(0, 0, 0), day(1, 1_000_000, 0), day(2, 500_000, 1)];
        assert_eq!(bars(&days, 1_000_000, false), "M323 120h314v-118h-314zM643 120h314v-59h-314z");
        assert_eq!(bars(&days, 1_000_000, true), "M643 61h314v-2h-314z");
    }
}
