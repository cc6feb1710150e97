//! Small behaviours, listened for at the document and found by `data-` attributes, so that they work alike on
//! hydrated pages and on the static page that shows a secret. Without them nothing is missing but comfort.
//!
//! - `data-copy="#id"` or `data-copy="text"` copies; `data-stored` notes that the secret was copied
//! - `data-toggle="#id"` shows and hides a password
//! - `data-append="#id" data-line="text"` adds a line to a text area
//! - `data-dialog="#id"` opens a dialog
//! - `data-key="g k"` is followed, or focused if it is a field, when these keys are typed one after another
//! - `data-once` on a form ignores a second submit while the first is under way: its answer may hold a secret
//! - `data-guard` asks before the page is left, until its secret was copied or `data-stored-box` is ticked

use leptos::prelude::{document, set_timeout, window};
use std::{cell::RefCell, time::Duration};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BeforeUnloadEvent, Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlTextAreaElement, KeyboardEvent};

/// Where the choice about shortcuts is kept.
const SHORTCUTS: &str = "keystead.shortcuts";
/// How long a form that was sent waits before it may be sent again.
const ONCE: Duration = Duration::from_secs(15);
/// How long a second key may be in coming.
const CHORD_MS: f64 = 1500.0;

/// Starts listening. Called once for each document.
pub fn install() {
    listen("click", |e: Event| clicked(&e));
    listen("change", |e: Event| changed(&e));
    listen("submit", |e: Event| sent(&e));
    let typed = RefCell::new(Typed::default());
    listen("keydown", move |e: KeyboardEvent| pressed(&e, &mut typed.borrow_mut()));
    let guard = Closure::<dyn FnMut(BeforeUnloadEvent)>::new(|e: BeforeUnloadEvent| {
        if must_ask() {
            e.prevent_default();
            e.set_return_value("unsaved");
        }
    });
    _ = window().add_event_listener_with_callback("beforeunload", guard.as_ref().unchecked_ref());
    guard.forget();
}

fn listen<E: wasm_bindgen::convert::FromWasmAbi + 'static>(event: &str, handler: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(handler);
    _ = document().add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    closure.forget();
}

fn find<T: JsCast>(selector: &str) -> Option<T> {
    document().query_selector(selector).ok().flatten().and_then(|e| e.dyn_into().ok())
}

fn target(e: &Event, selector: &str) -> Option<Element> {
    e.target()?.dyn_into::<Element>().ok()?.closest(selector).ok().flatten()
}

fn clicked(e: &Event) {
    if let Some(el) = target(e, "[data-copy]") {
        copy(&el);
    } else if let Some(el) = target(e, "[data-toggle]") {
        toggle(&el);
    } else if let Some(el) = target(e, "[data-append]") {
        append(&el);
    } else if let Some(el) = target(e, "[data-dialog]") {
        open_dialog(&el.get_attribute("data-dialog").unwrap_or_default());
    } else if target(e, "[popover] a[href]").is_some()
        && let Some(menu) = find::<HtmlElement>("[popover]:popover-open")
    {
        // A link followed without a reload leaves the menu open.
        _ = menu.hide_popover();
    }
}

fn copy(button: &Element) {
    let what = button.get_attribute("data-copy").unwrap_or_default();
    let text = if what.starts_with('#') { find::<Element>(&what).and_then(|e| e.text_content()).unwrap_or_default() } else { what };
    let is_secret = button.has_attribute("data-stored") || find::<Element>("[data-guard]").is_some_and(|g| g.contains(Some(button)));
    let done = move |copied: bool| {
        if copied
            && is_secret
            && let Some(guard) = find::<Element>("[data-guard]")
        {
            _ = guard.set_attribute("data-copied", "");
        }
        toast(match (copied, is_secret) {
            (true, true) => "Copied. Clear your clipboard when you are done.",
            (true, false) => "Copied.",
            (false, _) => "This browser did not allow copying. Select the text instead.",
        });
    };
    // Browsers offer the clipboard on https and localhost only.
    if window().is_secure_context() {
        let promise = window().navigator().clipboard().write_text(&text);
        wasm_bindgen_futures::spawn_local(async move { done(wasm_bindgen_futures::JsFuture::from(promise).await.is_ok()) });
    } else {
        done(copy_by_selection(&text));
    }
}

fn copy_by_selection(text: &str) -> bool {
    let doc = document();
    let Some(area) = doc.create_element("textarea").ok().and_then(|e| e.dyn_into::<HtmlTextAreaElement>().ok()) else { return false };
    let (Some(body), Ok(html)) = (doc.body(), doc.dyn_into::<web_sys::HtmlDocument>()) else { return false };
    area.set_class_name("sr");
    area.set_value(text);
    if body.append_child(&area).is_err() {
        return false;
    }
    area.select();
    let copied = html.exec_command("copy").unwrap_or(false);
    area.remove();
    copied
}

/// Says it in the live region, and lets it go after a while.
fn toast(text: &str) {
    let (Some(region), Ok(toast)) = (find::<Element>("#toasts"), document().create_element("p")) else { return };
    toast.set_class_name("toast");
    toast.set_text_content(Some(text));
    region.set_text_content(None);
    _ = region.append_child(&toast);
    set_timeout(move || toast.remove(), Duration::from_secs(6));
}

fn toggle(button: &Element) {
    let Some(input) = button.get_attribute("data-toggle").and_then(|id| find::<HtmlInputElement>(&id)) else { return };
    let show = input.type_() == "password";
    input.set_type(if show { "text" } else { "password" });
    _ = button.set_attribute("aria-pressed", if show { "true" } else { "false" });
}

fn append(button: &Element) {
    let (Some(id), Some(line)) = (button.get_attribute("data-append"), button.get_attribute("data-line")) else { return };
    let Some(area) = find::<HtmlTextAreaElement>(&id) else { return };
    let text = area.value();
    if text.lines().any(|l| l.trim() == line) {
        toast("Your address is in the list already.");
        return;
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    area.set_value(&format!("{text}{gap}{line}\n"));
    // The form listens for what people type; this counts as typed.
    let init = web_sys::EventInit::new();
    init.set_bubbles(true);
    if let Ok(event) = Event::new_with_event_init_dict("input", &init) {
        _ = area.dispatch_event(&event);
    }
    toast("Added your address.");
}

fn open_dialog(id: &str) {
    let Some(dialog) = find::<HtmlDialogElement>(id) else { return };
    if let Some(switch) = find::<HtmlInputElement>("[data-shortcuts]") {
        switch.set_checked(shortcuts_on());
    }
    if !dialog.open() {
        _ = dialog.show_modal();
    }
}

fn changed(e: &Event) {
    if let Some(switch) = target(e, "[data-shortcuts]").and_then(|e| e.dyn_into::<HtmlInputElement>().ok())
        && let Ok(Some(storage)) = window().local_storage()
    {
        _ = storage.set_item(SHORTCUTS, if switch.checked() { "on" } else { "off" });
    }
}

fn sent(e: &Event) {
    let Some(form) = target(e, "[data-once]") else { return };
    if form.has_attribute("data-sent") {
        e.prevent_default();
        return;
    }
    _ = form.set_attribute("data-sent", "");
    // The page stays where the answer fails to come, and when the browser is stopped.
    set_timeout(move || _ = form.remove_attribute("data-sent"), ONCE);
}

fn shortcuts_on() -> bool {
    let stored = window().local_storage().ok().flatten().and_then(|s| s.get_item(SHORTCUTS).ok().flatten());
    stored.as_deref() != Some("off")
}

/// The first key of a chord, and when it came.
#[derive(Default)]
struct Typed {
    key: String,
    at: f64,
}

fn pressed(e: &KeyboardEvent, typed: &mut Typed) {
    let writing = target(e, "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog").is_some();
    if writing || e.ctrl_key() || e.meta_key() || e.alt_key() || e.is_composing() || e.default_prevented() || !shortcuts_on() {
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
    let Ok(all) = document().query_selector_all("[data-key]") else { return false };
    let found = (0..all.length())
        .filter_map(|n| all.item(n)?.dyn_into::<HtmlElement>().ok())
        .find(|e| e.get_attribute("data-key").as_deref() == Some(keys));
    match found {
        Some(field) if field.is_instance_of::<HtmlInputElement>() => field.focus().is_ok(),
        Some(link) => {
            link.click();
            true
        }
        None => false,
    }
}

fn must_ask() -> bool {
    let Some(guard) = find::<Element>("[data-guard]") else { return false };
    let ticked = find::<HtmlInputElement>("[data-stored-box]").is_some_and(|b| b.checked());
    !guard.has_attribute("data-copied") && !ticked
}
