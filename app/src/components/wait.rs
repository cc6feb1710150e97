//! Waiting for the server's answers. All waiting goes through two functions with one type each; a type for each
//! page would cost kilobytes of WebAssembly a piece.

use leptos::prelude::*;
use std::pin::Pin;

type View = Pin<Box<dyn Future<Output = AnyView> + Send>>;

/// Shows `view` once it is there, and `meanwhile` until then.
pub fn wait(meanwhile: fn() -> AnyView, view: impl Future<Output = AnyView> + Send + 'static) -> AnyView {
    let view: View = Box::pin(view);
    view! { <Suspense fallback=meanwhile>{Suspend::new(view)}</Suspense> }.into_any()
}

/// Shows `view`, and again whenever an answer that it awaits changes; what is shown stays until the new is there.
pub fn wait_each<F: Future<Output = AnyView> + Send + 'static>(
    meanwhile: fn() -> AnyView,
    view: impl Fn() -> F + Send + 'static,
) -> AnyView {
    let view: Box<dyn Fn() -> View + Send> = Box::new(move || Box::pin(view()));
    view! { <Transition fallback=meanwhile>{move || Suspend::new(view())}</Transition> }.into_any()
}

/// Nothing, for what may appear late.
pub fn nothing() -> AnyView {
    ().into_any()
}

/// A word, for what is worth waiting for.
pub fn loading() -> AnyView {
    view! { <p class="soft" role="status">"Loading…"</p> }.into_any()
}
