//! The permissions that the create form asks for.

use super::draft::follow;
use crate::icon::{Icon, IconName};
use contract::KeyForm;
use leptos::prelude::*;

/// The permissions chosen so far, ticked and typed.
#[island]
pub fn ChosenScopes(
    /// The form as it arrives.
    form: KeyForm,
) -> impl IntoView {
    let (draft, node) = follow(form);
    let words = Memo::new(move |_| draft.with(|d| d.form.scope_words().into_iter().map(str::to_owned).collect::<Vec<_>>()));
    let count = move || match words.with(Vec::len) {
        0 => "No permission chosen".to_owned(),
        1 => "1 permission".to_owned(),
        n => format!("{n} permissions"),
    };
    let token = |w: String| {
        view! {
            <span class="token">
                {w.clone()}
                <button type="button" aria-label=format!("Remove {w}") data-drop=w><Icon name=IconName::X small=true/></button>
            </span>
        }
        .into_any()
    };
    let tokens = move || words.get().into_iter().map(token).collect_view();
    view! {
        <div class="not-gateway" data-js="" node_ref=node>
            <div class="row row--wrap selected">
                <span class="meta">{count}</span>
                <span class="tags">{tokens}</span>
            </div>
        </div>
    }
}
