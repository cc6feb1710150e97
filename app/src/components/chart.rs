//! Charts, drawn by the server: a title, a sentence, the picture, and the numbers as a table.

use crate::{
    filters::Filters,
    numbers::{compact, counted, percent, thousands},
};
use contract::{Bucket, BucketCount, UnixMs, UsageSummary};
use leptos::prelude::*;
use std::fmt::Write as _;

/// The width of the picture in its own units; the page stretches it.
const WIDTH: f64 = 960.0;
/// Its height.
const HEIGHT: f64 = 120.0;
/// Most bars whose numbers show when they are pointed at.
const NAMED: usize = 100;

/// Requests over time by outcome.
#[component]
pub fn OutcomeChart(
    /// What is drawn.
    summary: UsageSummary,
    /// What it shows.
    title: String,
    /// Of which time.
    period: String,
    /// What the rows of the table lead to, narrowed to their time.
    zoom: Filters,
) -> impl IntoView {
    let bars = bars(&summary);
    let per = if summary.bucket == Bucket::Hour { "per hour, UTC" } else { "per day, UTC" };
    let sentence = sentence(&summary);
    let table = bars
        .iter()
        .filter(|b| b.allowed + b.denied > 0)
        .rev()
        .map(|bar| view! { <Numbers bar=bar.clone() bucket=summary.bucket zoom=zoom.clone()/> }.into_any());
    view! {
        <section class="card figure" aria-labelledby="chart-title">
            <div class="card__head"><h2 id="chart-title">{title}</h2><span class="meta">{format!("{period}, {per}")}</span></div>
            <div class="card__body stack stack--3">
                <p class="small soft">{sentence.clone()}</p>
                <Plot bars=bars.clone() bucket=summary.bucket label=sentence/>
                <div class="chartfoot">
                    <ul class="legend">
                        <li><Swatch denied=false/>"Allowed "<b>{thousands(summary.allowed)}</b></li>
                        <li><Swatch denied=true/>"Denied "<b>{thousands(summary.denied)}</b></li>
                    </ul>
                    <details class="astable">
                        <summary class="small"><span>"As table"</span></summary>
                        <div class="astable__box" role="region" aria-label="Numbers of the chart" tabindex="0">
                            <table class="tbl tbl--bare">
                                <caption class="sr">"Requests by time and outcome, newest first; times without a request are left out"</caption>
                                <thead><tr><th scope="col">"From, UTC"</th><th scope="col" class="num">"Allowed"</th><th scope="col" class="num">"Denied"</th></tr></thead>
                                <tbody>{table.collect_view()}</tbody>
                            </table>
                        </div>
                    </details>
                </div>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Numbers(bar: BucketCount, bucket: Bucket, zoom: Filters) -> impl IntoView {
    let (from, to) = (minute(bar.at), minute(bar.at.plus(bucket.ms())));
    let href = zoom.of("/usage", &[("from", Some(&from)), ("to", Some(&to))]);
    view! {
        <tr>
            <td><a href=href><time datetime=bar.at.to_string()>{long(bar.at, bucket)}</time></a></td>
            <td class="num">{thousands(bar.allowed)}</td>
            <td class="num">{thousands(bar.denied)}</td>
        </tr>
    }
}

/// An instant as the field of a form holds it.
pub fn minute(at: UnixMs) -> String {
    at.to_utc().format("%Y-%m-%dT%H:%M").to_string()
}

fn long(at: UnixMs, bucket: Bucket) -> String {
    at.to_utc().format(if bucket == Bucket::Hour { "%-d %b %Y, %H:%M" } else { "%-d %b %Y" }).to_string()
}

/// The colour of a series, with its pattern.
#[component]
fn Swatch(denied: bool) -> impl IntoView {
    let class = if denied { "s-denied" } else { "s-allowed" };
    view! {
        <svg class="sw" viewBox="0 0 10 10" aria-hidden="true">
            <path class=class d="M0 0h10v10H0z"></path>
            {denied.then(|| view! { <path class="hatch" d="M0 3L3 0M0 7L7 0M0 10L10 0M3 10L10 3M7 10L10 7"></path> }.into_any())}
        </svg>
    }
}

#[component]
fn Plot(bars: Vec<BucketCount>, bucket: Bucket, label: String) -> impl IntoView {
    let most = bars.iter().map(|b| b.allowed + b.denied).max().unwrap_or(0);
    let (top, step) = scale(most);
    let ticks = (0..=top / step).rev().map(|n| view! { <span>{compact(n * step)}</span> }.into_any()).collect_view();
    let lines = (0..=top / step)
        .map(|n| {
            let y = HEIGHT - share(n * step, top) * HEIGHT;
            view! { <path class=if n == 0 { "gl gl--0" } else { "gl" } d=format!("M0 {y:.1}H{WIDTH}")></path> }.into_any()
        })
        .collect_view();
    let Drawn { allowed, denied } = drawn(&bars, top);
    let named = (bars.len() <= NAMED).then(|| named(&bars, bucket));
    view! {
        <div class="chart">
            <div class="chart__y" aria-hidden="true">{ticks}</div>
            <svg class="chart__plot" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=label>
                <defs>
                    <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                        <path class="hatch" d="M0 0V5"></path>
                    </pattern>
                </defs>
                {lines}
                <path class="s-allowed" d=allowed></path>
                <path class="s-denied" d=denied.clone()></path>
                <path fill="url(#hatch)" d=denied></path>
                {named}
            </svg>
            <ul class="chart__x" aria-hidden="true">{axis(&bars, bucket)}</ul>
        </div>
    }
    .into_any()
}

/// The numbers of a bar, where it is pointed at.
fn named(bars: &[BucketCount], bucket: Bucket) -> AnyView {
    let width = WIDTH / count(bars.len());
    bars.iter()
        .enumerate()
        .filter(|(_, b)| b.allowed + b.denied > 0)
        .map(|(n, b)| {
            let said = format!("{}: {} allowed, {} denied", long(b.at, bucket), thousands(b.allowed), thousands(b.denied));
            view! { <path class="hit" d=format!("M{:.1} 0h{width:.1}V{HEIGHT}h-{width:.1}z", count(n) * width)><title>{said}</title></path> }.into_any()
        })
        .collect_view()
        .into_any()
}

/// At most seven times below the picture.
fn axis(bars: &[BucketCount], bucket: Bucket) -> AnyView {
    let every = bars.len().saturating_sub(1).div_ceil(6).max(1);
    let form = if bucket == Bucket::Day {
        "%-d %b"
    } else if bars.len() > 26 {
        "%-d %b %H:%M"
    } else {
        "%H:%M"
    };
    bars.iter().step_by(every).map(|b| view! { <li>{b.at.to_utc().format(form).to_string()}</li> }.into_any()).collect_view().into_any()
}

struct Drawn {
    allowed: String,
    denied: String,
}

/// Both series as outlines, denied ones on top of the allowed.
fn drawn(bars: &[BucketCount], top: i64) -> Drawn {
    let slot = WIDTH / count(bars.len());
    let (gap, width) = (slot * 0.14, slot * 0.72);
    let mut out = Drawn { allowed: String::new(), denied: String::new() };
    for (n, bar) in bars.iter().enumerate() {
        let x = count(n) * slot + gap;
        let mut base = HEIGHT;
        for (path, value) in [(&mut out.allowed, bar.allowed), (&mut out.denied, bar.denied)] {
            if value > 0 {
                // What happened is seen, however rare it is.
                let height = (share(value, top) * HEIGHT).max(1.5);
                _ = write!(path, "M{x:.1} {base:.1}h{width:.1}V{:.1}h-{width:.1}z", base - height);
                base -= height;
            }
        }
    }
    out
}

/// Every bucket of the range, those without an event too.
fn bars(summary: &UsageSummary) -> Vec<BucketCount> {
    let ms = summary.bucket.ms();
    let first = summary.from.0.div_euclid(ms);
    let last = (summary.to.0 - 1).div_euclid(ms).max(first);
    let mut known = summary.series.iter().peekable();
    (first..=last)
        .map(|n| {
            let at = UnixMs(n * ms);
            known.next_if(|b| b.at == at).cloned().unwrap_or(BucketCount { at, allowed: 0, denied: 0 })
        })
        .collect()
}

/// The top of the axis and the step of its lines: 1, 2 or 5 times a power of ten, four lines or so.
fn scale(most: i64) -> (i64, i64) {
    let mut step = 1;
    while step * 4 < most {
        step = match step.to_string().as_bytes().first() {
            Some(b'2') => step / 2 * 5,
            _ => step * 2,
        };
    }
    ((most + step - 1).max(step) / step * step, step)
}

fn sentence(summary: &UsageSummary) -> String {
    if summary.total == 0 {
        return "No request.".to_owned();
    }
    let busiest = summary.series.iter().max_by_key(|b| (b.allowed + b.denied, b.at));
    let busiest = busiest.filter(|_| summary.series.len() > 1);
    let busiest =
        busiest.map(|b| format!(" Most in one {}: {}, {}.", summary.bucket, thousands(b.allowed + b.denied), long(b.at, summary.bucket)));
    let denied = if summary.denied == 0 { "none denied".to_owned() } else { format!("{}% denied", percent(summary.denied, summary.total)) };
    format!("{}, {denied}.{}", counted(summary.total, "request"), busiest.unwrap_or_default())
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a picture")]
fn share(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "at most as many as a year has days")]
const fn count(n: usize) -> f64 {
    n as f64
}

/// A share of a whole beside its number.
#[component]
pub fn Meter(
    /// How much.
    part: i64,
    /// Of how much.
    whole: i64,
    /// Drawn as what was denied.
    #[prop(optional)]
    denied: bool,
) -> impl IntoView {
    let width = format!("{:.1}", share(part, whole) * 100.0);
    view! {
        <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect width="100" height="4"></rect>
            <rect class=if denied { "s-denied" } else { "s-allowed" } width=width height="4"></rect>
        </svg>
    }
}

/// A figure: what it counts, the value, and what to compare it with.
#[component]
pub fn Fig(
    /// What it counts.
    label: &'static str,
    /// The value.
    value: String,
    /// Its unit.
    #[prop(optional)]
    unit: &'static str,
    /// The change or the period.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="fig">
            <p class="fig__l">{label}</p>
            <p class="fig__v">{value}{(!unit.is_empty()).then(|| view! { <small>{unit}</small> }.into_any())}</p>
            <p class="fig__d">{children()}</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(series: Vec<BucketCount>, from: i64, to: i64) -> UsageSummary {
        let (allowed, denied) = series.iter().fold((0, 0), |(a, d), b| (a + b.allowed, d + b.denied));
        UsageSummary {
            from: UnixMs(from),
            to: UnixMs(to),
            total: allowed + denied,
            allowed,
            denied,
            codes: vec![],
            keys: vec![],
            bucket: Bucket::Hour,
            series,
        }
    }

    #[test]
    fn every_hour_of_the_range_has_its_bar() {
        let hour = Bucket::Hour.ms();
        let one = BucketCount { at: UnixMs(2 * hour), allowed: 3, denied: 1 };
        let all = bars(&summary(vec![one.clone()], hour + 5, 4 * hour + 1));
        assert_eq!(all.iter().map(|b| b.at.0 / hour).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(all[1], one);
    }

    #[test]
    fn the_axis_ends_at_a_round_number_above_the_highest_bar() {
        for (most, top, step) in [(0, 1, 1), (1, 1, 1), (3, 3, 1), (5, 6, 2), (17, 20, 5), (312, 400, 100), (41_000, 60_000, 20_000)] {
            assert_eq!(scale(most), (top, step), "{most}");
        }
    }

    #[test]
    fn the_sentence_says_what_the_picture_shows() {
        let one = BucketCount { at: UnixMs(0), allowed: 997, denied: 13 };
        assert_eq!(sentence(&summary(vec![one], 0, 1)), "1,010 requests, 1.3% denied.");
        assert_eq!(sentence(&summary(vec![], 0, 1)), "No request.");
    }
}
