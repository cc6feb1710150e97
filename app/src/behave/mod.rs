//! Small behaviours, listened for at the document and found by `data-` attributes. Without them nothing is missing but
//! comfort. What needs state of its own is an island instead.
//!
//! - `data-copy="#id"` or `data-copy="text"` copies; `data-stored` notes that the secret was copied
//! - `data-toggle="#id"` shows and hides a password
//! - `data-append="#id" data-line="text"` adds a line to a text area
//! - `data-dialog="#id"` opens a dialog
//! - `data-once` on a form ignores a second submit while the first is under way: its answer may hold a secret or a code
//! - `data-filter` on a form keeps its empty fields out of the address
//! - `data-guard` asks before the page is left, until its secret was copied or `data-stored-box` is ticked
//! - `data-pick` and `data-pick-all`: see `picks`; `data-preset`, `data-find` and `data-drop`: see `grants`
//! - `data-strength`: see `strength`; `data-key` and `data-shortcuts`: see `shortcuts`; `data-ago` and `data-ends`: see `times`; the focus: see `arrive`

mod arrive;
mod grants;
mod picks;
mod shortcuts;
mod strength;
mod times;

use crate::browser::{find, listen};
use leptos::prelude::{document, set_timeout, window};
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{BeforeUnloadEvent, Element, Event, EventTarget, FormData, HtmlDialogElement, HtmlInputElement, HtmlTextAreaElement};

/// How long a form that was sent waits before it may be sent again.
const ONCE: Duration = Duration::from_secs(15);

/// Starts listening. Called once for each document.
pub fn install() {
    listen(&document(), "click", |e: Event| clicked(&e));
    listen(&document(), "submit", |e: Event| sent(&e));
    listen(&document(), "formdata", |e: Event| collected(&e));
    listen(&window(), "beforeunload", |e: BeforeUnloadEvent| {
        if must_ask() {
            e.prevent_default();
            e.set_return_value("unsaved");
        }
    });
    picks::install();
    grants::install();
    shortcuts::install();
    strength::install();
    times::install();
    arrive::install();
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
    typed(&area);
    toast("Added your address.");
}

/// The form around it listens for what people type; this counts as typed.
fn typed(field: &EventTarget) {
    let init = web_sys::EventInit::new();
    init.set_bubbles(true);
    if let Ok(event) = Event::new_with_event_init_dict("input", &init) {
        _ = field.dispatch_event(&event);
    }
}

fn open_dialog(id: &str) {
    let Some(dialog) = find::<HtmlDialogElement>(id) else { return };
    if let Some(switch) = find::<HtmlInputElement>("[data-shortcuts]") {
        switch.set_checked(shortcuts::on());
    }
    if !dialog.open() {
        _ = dialog.show_modal();
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

/// A form's data are on their way into the address.
fn collected(e: &Event) {
    if target(e, "[data-filter]").is_none() {
        return;
    }
    let Some(data) = js_sys::Reflect::get(e, &"formData".into()).ok().and_then(|d| d.dyn_into::<FormData>().ok()) else { return };
    let names: Vec<String> = data.keys().into_iter().filter_map(|name| name.ok()?.as_string()).collect();
    for name in names.iter().filter(|name| data.get(name).as_string().is_some_and(|value| value.is_empty())) {
        data.delete(name);
    }
}

fn must_ask() -> bool {
    let Some(guard) = find::<Element>("[data-guard]") else { return false };
    let ticked = find::<HtmlInputElement>("[data-stored-box]").is_some_and(|b| b.checked());
    !guard.has_attribute("data-copied") && !ticked
}
