//! The create form around an island.

use crate::browser::{key_form, listen, now};
use contract::{KeyForm, UnixMs};
use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlDivElement, HtmlFormElement};

/// The create form as it stands in the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// As typed.
    pub form: KeyForm,
    /// When it was read. The page as it arrives has no time: server and browser must print the same.
    pub now: Option<UnixMs>,
}

/// Follows the form around the element that gets the reference: fields keep their own values, and the form is read as
/// a whole whenever one changes, and once on arrival, because people type before the script is there.
pub fn follow(form: KeyForm) -> (RwSignal<Draft>, NodeRef<html::Div>) {
    let (draft, node) = (RwSignal::new(Draft { form, now: None }), NodeRef::new());
    Effect::new(move |_| {
        let Some(form) = node.get().and_then(|n: HtmlDivElement| form_around(&n)) else { return };
        let read = {
            let form = form.clone();
            move || draft.set(Draft { form: key_form(&form), now: Some(now()) })
        };
        read();
        for event in ["input", "change"] {
            let read = read.clone();
            listen(&form, event, move |_: Event| read());
        }
    });
    (draft, node)
}

fn form_around(element: &Element) -> Option<HtmlFormElement> {
    element.closest("form").ok().flatten()?.dyn_into().ok()
}
