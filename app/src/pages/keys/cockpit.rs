//! The rotation cockpit: while two secrets work, who still calls with the old one, and whether it can go.

use super::callers::{Callers, callers_in};
use crate::{
    components::{InTenant, Time, TimeForm},
    icon::{Icon, IconName},
    numbers::thousands,
    url::key_href,
};
use contract::{Cockpit, KeyId, UnixMs};
use leptos::prelude::*;

/// The card on the page of a key.
#[component]
pub fn RotationCockpit(
    /// The key.
    id: KeyId,
    /// Whether it is a gateway's.
    gateway: bool,
    /// What the log says.
    cockpit: Cockpit,
    /// Whether the reader may retire.
    may_write: bool,
    /// The server's time.
    now: UnixMs,
) -> impl IntoView {
    let until = cockpit.old.iter().filter_map(|s| s.valid_until).max().unwrap_or(now);
    let old: i64 = cockpit.old.iter().map(|s| s.count).sum();
    let all = old + cockpit.current.count;
    let last = cockpit.old.iter().filter_map(|s| s.last_seen_at).max();
    let seen: Vec<_> = cockpit.old.iter().flat_map(|s| s.callers.clone()).collect();
    let names = cockpit.old.iter().map(|s| format!("…{}", s.last_four)).collect::<Vec<_>>().join(", ");
    let head = match (gateway, cockpit.safe_to_retire) {
        (true, _) => "Retire it when every gateway has the new one.",
        (false, true) => "Safe to retire.",
        (false, false) => "Not safe to retire yet.",
    };
    let still = match (callers_in(&seen), cockpit.safe_to_retire) {
        _ if gateway => "The log does not tell with which of its secrets a gateway asks.".to_owned(),
        told => still(told, cockpit.quiet_hours),
    };
    let share = (all > 0).then(|| format!("{} of {} requests since the rotation, {}.", thousands(old), thousands(all), percent(old, all)));
    let page = key_href(id);
    let retire = may_write.then(|| {
        if cockpit.safe_to_retire {
            view! {
                <form method="post" action=format!("{page}/retire")><InTenant/>
                    <button class="btn btn--primary" type="submit">"Retire old secret"</button>
                </form>
            }
            .into_any()
        } else {
            view! { <a class="btn" href=format!("{page}/retire")>"Retire now"</a> }.into_any()
        }
    });
    view! {
        <section class="card card--flag tablebox" aria-labelledby="rotation">
            <div class="card__head">
                <Icon name=IconName::RefreshCw/>
                <h2 id="rotation">"Rotation: both secrets work, the old one ends "<time datetime=until.to_string() title=until.human() data-ago="">{until.human()}</time></h2>
                <span class="push meta"><Time at=until form=TimeForm::Full/></span>
            </div>
            <div class="card__body row row--top row--between wrap-sm">
                <div class="stack stack--1">
                    <p class="lead"><b>{head}</b>" "{still}</p>
                    <p class="small soft">
                        {share}" "
                        {cockpit.safe_at.map(|at| view! { "It is safe when none has called for "{cockpit.quiet_hours}" hours: "<Time at form=TimeForm::Full/>" at the earliest. " }.into_any())}
                        {last.map(|at| view! { "Last seen "<Time at/>"." }.into_any())}
                    </p>
                    <p class="meta">"Old "<span class="mono">{names}</span>", new "<span class="mono">{format!("…{}", cockpit.current.last_four)}</span></p>
                </div>
                <div class="acts full-sm">{retire}</div>
            </div>
            {(!seen.is_empty()).then(|| view! { <Callers seen head="Still on the old secret" labelled="rotation"/> }.into_any())}
        </section>
    }
    .into_any()
}

/// Whether somebody still calls with the old secret: how many do, and whether it is safe to retire.
fn still(told: (usize, bool), quiet_hours: u32) -> String {
    match told {
        (0, true) => "Nobody has called with the old secret since the rotation.".to_owned(),
        (0, false) => "The old secret was in use until the rotation, and its callers may not have called since.".to_owned(),
        (_, true) => format!("Nobody has called with the old secret for {quiet_hours} hours."),
        (1, false) => "1 caller still uses the old secret.".to_owned(),
        (n, false) => format!("{n} callers still use the old secret."),
    }
}

/// A share in words, never `0%` of something and never `100%` of less than all.
fn percent(part: i64, whole: i64) -> String {
    let tenths = (part * 1000 + whole / 2) / whole.max(1);
    match tenths {
        0 if part > 0 => "less than 0.1%".to_owned(),
        1000 if part < whole => "more than 99.9%".to_owned(),
        t if t % 10 == 0 => format!("{}%", t / 10),
        t => format!("{}.{}%", t / 10, t % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        let said = [(0, 10), (1, 100_000), (744, 181_402), (5, 10), (99_999, 100_000), (3, 3)].map(|(a, b)| percent(a, b));
        assert_eq!(said, ["0%", "less than 0.1%", "0.4%", "50%", "more than 99.9%", "100%"]);
    }
}
