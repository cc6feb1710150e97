//! The WebAssembly entries of the console.

use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over a page that the server rendered.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
    app::behave::install();
}

/// Adds the small behaviours to a page that stays as the server rendered it.
#[wasm_bindgen]
pub fn behave() {
    console_error_panic_hook::set_once();
    app::behave::install();
}
