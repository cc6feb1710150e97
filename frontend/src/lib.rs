//! The WebAssembly of the console: the functions of the islands, which `app` brings, and this one before them.

use wasm_bindgen::prelude::wasm_bindgen;

/// Makes ready for islands, and adds the small behaviours.
#[wasm_bindgen]
pub fn start() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    app::behave::install();
}
