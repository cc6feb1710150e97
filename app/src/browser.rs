//! What only a browser can say: its time, its randomness, what stands in its forms.

use contract::{KeyForm, UnixMs};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};

/// The browser's time.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 are a whole number far below 2^53")]
pub fn now() -> UnixMs {
    UnixMs(js_sys::Date::now() as i64)
}

/// A single-use id for a form; unguessable, so that nobody else can have used it. Empty where there is no
/// randomness, which the server takes for a form without an id.
pub fn form_id() -> String {
    let mut bytes = [0_u8; 16];
    let filled = window().crypto().and_then(|c| c.get_random_values_with_u8_array(&mut bytes));
    if filled.is_err() {
        return String::new();
    }
    bytes.iter().fold(contract::FormId::PREFIX.to_owned(), |id, b| format!("{id}{b:02x}"))
}

/// The create form as it stands.
pub fn key_form(form: &web_sys::HtmlFormElement) -> KeyForm {
    let Ok(data) = web_sys::FormData::new_with_form(form) else { return KeyForm::default() };
    let text = |name: &str| data.get(name).as_string().unwrap_or_default();
    KeyForm {
        form_id: String::new(),
        name: text("name"),
        environment: text("environment"),
        kind: text("kind"),
        scopes: data.get_all("scopes").iter().filter_map(|v: JsValue| v.as_string()).collect(),
        more_scopes: text("more_scopes"),
        expires: text("expires"),
        expires_at: text("expires_at"),
        allowed_ips: text("allowed_ips"),
        ..KeyForm::default()
    }
}

/// The fields of a submitted form, in their order.
pub fn fields(e: &web_sys::SubmitEvent) -> Vec<(String, String)> {
    let form = e.target().and_then(|t| t.dyn_into::<web_sys::HtmlFormElement>().ok());
    let Some(data) = form.and_then(|f| web_sys::FormData::new_with_form(&f).ok()) else { return Vec::new() };
    let pairs = data.entries().into_iter().filter_map(Result::ok).map(|pair| js_sys::Array::from(&pair));
    pairs.filter_map(|pair| Some((pair.get(0).as_string()?, pair.get(1).as_string()?))).collect()
}
