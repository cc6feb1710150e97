//! The choice of rows: `data-pick` boxes, and one `data-pick-all` in the head that ticks them all.
//!
//! - Shift and a click tick, or untick, everything from the last box that was clicked to this one.
//! - `data-picked` says how many are ticked.

use super::target;
use crate::browser::{find, find_all, listen};
use leptos::prelude::{document, set_timeout};
use std::{cell::Cell, time::Duration};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement, MouseEvent};

thread_local! {
    /// The place of the box that was clicked last.
    static LAST: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Starts listening, where there are rows to choose.
pub fn install() {
    if find::<Element>("[data-pick]").is_none() {
        return;
    }
    listen(&document(), "click", |e: MouseEvent| clicked(&e));
    listen(&document(), "change", |e: Event| changed(&e));
    // Boxes change after the event that resets their form.
    listen(&document(), "reset", |_: Event| set_timeout(tell, Duration::ZERO));
    // Back brings ticks along.
    tell();
}

fn boxes() -> Vec<HtmlInputElement> {
    find_all("[data-pick]")
}

fn clicked(e: &MouseEvent) {
    let Some(clicked) = target(e, "[data-pick]").and_then(|el| el.dyn_into::<HtmlInputElement>().ok()) else { return };
    let all = boxes();
    let Some(here) = all.iter().position(|b| *b == clicked) else { return };
    if let Some(last) = LAST.get().filter(|_| e.shift_key()) {
        let (from, to) = (last.min(here), last.max(here));
        for b in all.iter().take(to + 1).skip(from) {
            b.set_checked(clicked.checked());
        }
    }
    LAST.set(Some(here));
    tell();
}

fn changed(e: &Event) {
    if let Some(head) = target(e, "[data-pick-all]").and_then(|el| el.dyn_into::<HtmlInputElement>().ok()) {
        for b in boxes() {
            b.set_checked(head.checked());
        }
    }
    tell();
}

/// The head and the count follow the rows.
fn tell() {
    let all = boxes();
    let n = all.iter().filter(|b| b.checked()).count();
    if let Some(head) = find::<HtmlInputElement>("[data-pick-all]") {
        head.set_checked(n > 0 && n == all.len());
        head.set_indeterminate(n > 0 && n < all.len());
    }
    if let Some(count) = find::<Element>("[data-picked]") {
        count.set_text_content(Some(&format!("{n} selected")));
    }
}
