//! `data-strength="#id"` on the field of a new password says there what can be seen of it. It never leaves the browser.

use super::target;
use crate::browser::{find, listen};
use contract::PasswordHint;
use leptos::prelude::{document, set_timeout};
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement};

/// How long typing rests before something is said: a screen reader would speak with every key otherwise.
const PAUSE: Duration = Duration::from_millis(600);

pub fn install() {
    listen(&document(), "input", |e: Event| {
        let Some(input) = target(&e, "[data-strength]").and_then(|el| el.dyn_into::<HtmlInputElement>().ok()) else { return };
        let typed = input.value();
        set_timeout(
            move || {
                if input.value() == typed {
                    say(&input, &typed);
                }
            },
            PAUSE,
        );
    });
}

fn say(input: &HtmlInputElement, typed: &str) {
    let text = |name: &str| input.get_attribute(name).unwrap_or_default();
    let number = |name: &str| text(name).parse().unwrap_or(0);
    let Some(region) = find::<Element>(&text("data-strength")) else { return };
    let said = PasswordHint::of(typed, number("data-min"), number("data-or-min"), &[&text("data-names")]).words();
    if region.text_content().as_deref() != Some(said.as_str()) {
        region.set_text_content(Some(&said));
    }
}
