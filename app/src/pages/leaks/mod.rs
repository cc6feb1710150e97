//! The leak desk: text in, keys out; the reports that follow.

mod app;
mod desk;
mod found;
mod report;

pub use desk::LeakDesk;
pub use report::LeakReportPage;

use crate::icon::{Icon, IconName};
use contract::{LeakEffect, LeakReport, LeakSource, LeakState, SecretState};
use leptos::prelude::*;

/// Whether a secret still works.
#[component]
fn SecretBadge(state: SecretState) -> impl IntoView {
    let (class, icon, word) = match state {
        SecretState::Current => ("badge badge--danger", IconName::ShieldAlert, "Still works"),
        SecretState::Grace => ("badge badge--warn", IconName::Hourglass, "Works until replaced"),
        SecretState::Dead => ("badge", IconName::Ban, "Does not work"),
    };
    view! { <span class=class><Icon name=icon small=true/>{word}</span> }
}

/// Whether a report waits for somebody.
#[component]
fn ReportBadge(state: LeakState) -> impl IntoView {
    let (class, icon, word) = match state {
        LeakState::Open => ("badge badge--warn", IconName::ShieldAlert, "Open"),
        LeakState::Closed => ("badge badge--ok", IconName::Check, "Closed"),
    };
    view! { <span class=class><Icon name=icon small=true/>{word}</span> }
}

const fn source_title(source: LeakSource) -> &'static str {
    match source {
        LeakSource::Desk => "Leak desk",
        LeakSource::Public => "Public report",
    }
}

const fn effect_title(effect: LeakEffect) -> &'static str {
    match effect {
        LeakEffect::Recorded => "Recorded",
        LeakEffect::Revoked => "The secret was ended",
        LeakEffect::Alerted => "People were alerted",
        LeakEffect::AlreadyDead => "The secret was dead already",
    }
}

fn display(report: &LeakReport) -> String {
    format!("{}…{}", report.prefix, report.last_four)
}
