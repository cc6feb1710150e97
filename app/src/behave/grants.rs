//! The permissions in the form of a key.
//!
//! - `data-preset="read"` makes that choice for every resource that has it; empty clears everything
//! - `data-find=".row"` hides the rows whose `data-name` does not contain what is typed
//! - `data-drop="orders:read"` takes one permission back, wherever it was chosen

use super::{target, typed};
use crate::browser::{find, find_all, listen};
use contract::CUSTOM;
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement};

/// Starts listening, where there is such a form.
pub fn install() {
    if find::<Element>("#scopes").is_none() {
        return;
    }
    listen(&document(), "click", |e: Event| {
        if let Some(button) = target(&e, "[data-preset]") {
            preset(&button.get_attribute("data-preset").unwrap_or_default());
        } else if let Some(button) = target(&e, "[data-drop]") {
            drop_scope(&button.get_attribute("data-drop").unwrap_or_default());
        }
    });
    listen(&document(), "input", |e: Event| {
        if let Some(field) = target(&e, "[data-find]").and_then(|el| el.dyn_into::<HtmlInputElement>().ok()) {
            search(&field);
        }
    });
    // Enter in the search would send the form.
    listen(&document(), "keydown", |e: web_sys::KeyboardEvent| {
        if e.key() == "Enter" && target(&e, "[data-find]").is_some() {
            e.prevent_default();
        }
    });
}

fn preset(choice: &str) {
    for row in find_all::<Element>(".perm__row") {
        let wanted = if choice.is_empty() { "none" } else { choice };
        if let Ok(Some(radio)) = row.query_selector(&format!("[data-choice=\"{wanted}\"]")) {
            check(&radio, true);
        }
    }
    if choice.is_empty() {
        for b in find_all::<Element>("#scopes input[type=checkbox]") {
            check(&b, false);
        }
        if let Some(field) = find::<HtmlInputElement>("#more_scopes") {
            field.set_value("");
        }
    }
    said();
}

fn check(input: &Element, on: bool) {
    if let Some(input) = input.dyn_ref::<HtmlInputElement>() {
        input.set_checked(on);
    }
}

fn search(field: &HtmlInputElement) {
    let wanted = field.value().trim().to_lowercase();
    for row in find_all::<HtmlElement>(&field.get_attribute("data-find").unwrap_or_default()) {
        row.set_hidden(!row.get_attribute("data-name").is_some_and(|name| name.to_lowercase().contains(&wanted)));
    }
}

fn drop_scope(scope: &str) {
    for input in find_all::<HtmlInputElement>("#scopes input[type=checkbox]") {
        if input.value() == scope {
            input.set_checked(false);
        }
    }
    for radio in find_all::<HtmlInputElement>("#scopes .perm__row input[type=radio]") {
        let value = radio.value();
        if radio.checked() && value.split_whitespace().any(|s| s == scope) {
            let Ok(Some(row)) = radio.closest(".perm__row") else { continue };
            narrow(&row, &value, scope);
        }
    }
    if let Some(field) = find::<HtmlInputElement>("#more_scopes") {
        let text = field.value();
        let kept: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty() && *w != scope).collect();
        field.set_value(&kept.join(" "));
    }
    said();
}

/// A choice of several without one of them: the choice that says the rest, or the rest one by one.
fn narrow(row: &Element, choice: &str, scope: &str) {
    let rest = choice.split_whitespace().filter(|s| *s != scope).collect::<Vec<_>>();
    let radios = inputs(row, "input[type=radio]");
    if let Some(radio) = radios.iter().find(|r| r.value() == rest.join(" ")) {
        radio.set_checked(true);
    } else if let Some(custom) = radios.iter().find(|r| r.value() == CUSTOM) {
        custom.set_checked(true);
        for b in inputs(row, "input[type=checkbox]") {
            b.set_checked(rest.contains(&&*b.value()));
        }
    }
}

fn inputs(row: &Element, selector: &str) -> Vec<HtmlInputElement> {
    let Ok(all) = row.query_selector_all(selector) else { return Vec::new() };
    (0..all.length()).filter_map(|n| all.item(n)?.dyn_into().ok()).collect()
}

/// Islands follow the form by its events.
fn said() {
    if let Some(scopes) = find::<Element>("#scopes") {
        typed(&scopes);
    }
}
