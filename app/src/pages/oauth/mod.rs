//! What people see of the authorization server.

mod anew;
mod consent;

pub use anew::ProveAnewPage;
pub use consent::ConsentPage;

use leptos::prelude::*;

/// Who is signed in, and the way for somebody else: signed out, and back to the same request.
#[component]
fn NotYou(
    /// Their address.
    email: String,
    /// The address of the request.
    again: String,
) -> impl IntoView {
    view! {
        <div class="row row--wrap small whoami">
            <span class="soft anywhere">{format!("Signed in as {email}")}</span>
            <form class="push" method="post" action="/logout">
                <input type="hidden" name="next" value=again/>
                <button class="link" type="submit">"Not you?"</button>
            </form>
        </div>
    }
}
