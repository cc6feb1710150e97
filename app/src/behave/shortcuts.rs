//! Keyboard shortcuts: `data-key="g k"` is followed, or focused if it is a field, when these keys are typed.

use super::{open_dialog, target};
use crate::browser::{find_all, listen};
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, HtmlInputElement, KeyboardEvent};

/// Where the choice about shortcuts is kept.
const KEPT: &str = "keystead.shortcuts";
/// How long a second key may be in coming.
const CHORD_MS: f64 = 1500.0;

/// Starts listening.
pub fn install() {
    let mut typed = Typed::default();
    listen(&document(), "keydown", move |e: KeyboardEvent| pressed(&e, &mut typed));
    listen(&document(), "change", |e: Event| changed(&e));
}

/// Whether the person has left them on.
pub fn on() -> bool {
    let stored = window().local_storage().ok().flatten().and_then(|s| s.get_item(KEPT).ok().flatten());
    stored.as_deref() != Some("off")
}

fn changed(e: &Event) {
    if let Some(switch) = target(e, "[data-shortcuts]").and_then(|e| e.dyn_into::<HtmlInputElement>().ok())
        && let Ok(Some(storage)) = window().local_storage()
    {
        _ = storage.set_item(KEPT, if switch.checked() { "on" } else { "off" });
    }
}

/// The first key of a chord, and when it came.
#[derive(Default)]
struct Typed {
    key: String,
    at: f64,
}

fn pressed(e: &KeyboardEvent, typed: &mut Typed) {
    let writing = target(e, "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog").is_some();
    if writing || e.ctrl_key() || e.meta_key() || e.alt_key() || e.is_composing() || e.default_prevented() || !on() {
        return;
    }
    let key = e.key();
    if key == "?" {
        e.prevent_default();
        open_dialog("#shortcuts");
        return;
    }
    if key.chars().count() != 1 {
        return;
    }
    let chord = if e.time_stamp() - typed.at < CHORD_MS && !typed.key.is_empty() { format!("{} {key}", typed.key) } else { key.clone() };
    *typed = Typed { key, at: e.time_stamp() };
    let found = follow(&chord) || (chord.len() > 1 && follow(&typed.key));
    if found {
        e.prevent_default();
        *typed = Typed::default();
    }
}

/// Follows the link, or focuses the field, that the keys name.
fn follow(keys: &str) -> bool {
    // The attribute is compared, not put into a selector: any key may have been typed.
    let found = find_all::<HtmlElement>("[data-key]").into_iter().find(|e| e.get_attribute("data-key").as_deref() == Some(keys));
    match found {
        Some(field) if field.is_instance_of::<HtmlInputElement>() => field.focus().is_ok(),
        Some(link) => {
            link.click();
            true
        }
        None => false,
    }
}
