//! Instants. The server prints them absolute, in UTC; the browser says how far away they are, and keeps that current.
//!
//! - `<time data-ago>` becomes `3 s ago`
//! - `<time data-ends>` becomes `in 5 days`, as a warning, once that is near, and a date again when it has passed

use crate::browser::{find_all, now};
use contract::UnixMs;
use leptos::prelude::set_interval;
use std::time::Duration;
use web_sys::HtmlElement;

/// How near an end must be for a warning.
const NEAR: i64 = 14 * UnixMs::DAY;

/// Tells them now, and every 15 seconds.
pub fn install() {
    tell();
    set_interval(tell, Duration::from_secs(15));
}

fn tell() {
    let now = now();
    for time in find_all::<HtmlElement>("time:is([data-ago], [data-ends])") {
        let Some(at) = time.get_attribute("datetime").and_then(|t| UnixMs::parse(&t)) else { continue };
        let near = time.has_attribute("data-ends") && at > now && at.0 - now.0 < NEAR;
        let text = if near || time.has_attribute("data-ago") { at.relative(now) } else { at.human_date() };
        // Unchanged text is left alone: what is selected in it stays so.
        if time.text_content().as_deref() != Some(&*text) {
            time.set_text_content(Some(&text));
        }
        _ = time.class_list().toggle_with_force("warn", near);
    }
}
