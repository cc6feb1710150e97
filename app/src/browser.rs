//! What only a browser can say: its time, what happens in its page, what stands in its forms. Islands name these
//! functions on the server too, in effects, which run in browsers only.

use contract::{KeyForm, UnixMs};
use leptos::prelude::document;
use wasm_bindgen::{JsCast, closure::Closure, convert::FromWasmAbi};
use web_sys::{EventTarget, HtmlFormElement};

/// The browser's time.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 are a whole number far below 2^53")]
pub fn now() -> UnixMs {
    UnixMs(js_sys::Date::now() as i64)
}

/// Listens for as long as the document lives.
pub fn listen<E: FromWasmAbi + 'static>(at: &EventTarget, event: &str, handler: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(handler);
    _ = at.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// The first element that the selector finds.
pub fn find<T: JsCast>(selector: &str) -> Option<T> {
    document().query_selector(selector).ok().flatten().and_then(|e| e.dyn_into().ok())
}

/// All elements that the selector finds.
pub fn find_all<T: JsCast>(selector: &str) -> Vec<T> {
    let Ok(all) = document().query_selector_all(selector) else { return Vec::new() };
    (0..all.length()).filter_map(|n| all.item(n)?.dyn_into().ok()).collect()
}

/// The form of a key as it stands, but for its single-use id.
pub fn key_form(form: &HtmlFormElement) -> KeyForm {
    let Ok(data) = web_sys::FormData::new_with_form(form) else { return KeyForm::default() };
    let fields: Vec<(String, String)> = js_sys::Array::from(&data)
        .iter()
        .filter_map(|entry| {
            let entry = js_sys::Array::from(&entry);
            Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
        })
        .filter(|(name, _)| name != "form_id")
        .collect();
    KeyForm::from_fields(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
