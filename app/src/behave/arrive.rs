//! Arriving at a page: the field that asks for it, or else the heading, takes the focus, so that whoever hears pages
//! hears where they are.

use crate::browser::find;
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{FocusOptions, HtmlElement, NavigationType, PerformanceNavigationTiming, Url};

/// Moves the focus after a link or a form of this site led here. Reload and Back keep the browser's own place, as does
/// an address with a fragment; and whatever has taken the focus meanwhile keeps it. Browsers honour `autofocus` when
/// they first paint, which may be later than this and is left out when something else has the focus by then.
pub fn install() {
    let led_here = navigated() && from_here() && window().location().hash().is_ok_and(|h| h.is_empty());
    if led_here
        && nothing_focused()
        && let Some(place) = find::<HtmlElement>("[autofocus]").or_else(|| find("h1[tabindex]"))
    {
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        _ = place.focus_with_options(&options);
    }
}

fn navigated() -> bool {
    let Some(performance) = window().performance() else { return false };
    let entry = performance.get_entries_by_type("navigation").get(0);
    entry.dyn_into::<PerformanceNavigationTiming>().is_ok_and(|e| e.type_() == NavigationType::Navigate)
}

fn from_here() -> bool {
    let origin = Url::new(&document().referrer()).map(|url| url.origin());
    origin.ok() == window().location().origin().ok()
}

fn nothing_focused() -> bool {
    document().active_element().is_none_or(|e| e.tag_name() == "BODY")
}
