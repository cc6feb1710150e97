//! The permissions of the create form.

use crate::{
    components::{FieldError, TextField, described_by},
    icon::{Icon, IconName},
    islands::{ChosenScopes, words::perm_words},
};
use contract::{FieldErrors, KeyForm, Perm, Role, Scope, ScopeDef, VERBS};
use leptos::prelude::*;

/// What the key may do: the tenant's own permissions, Keystead's, and any that are typed.
#[component]
pub fn Permissions(
    /// What was chosen before.
    form: KeyForm,
    /// What is wrong.
    errors: FieldErrors,
    /// The permissions that the tenant knows.
    catalogue: Vec<ScopeDef>,
    /// Whose permissions bound what can be granted.
    role: Role,
) -> impl IntoView {
    let message = errors.get("scopes").map(str::to_owned);
    let bad = message.is_some();
    let known = catalogue.iter().map(|def| def.name.to_string()).chain(Perm::ALL.iter().map(ToString::to_string)).collect::<Vec<_>>();
    // What was posted but stands in no list goes on as text, so that nothing typed is lost.
    let typed: Vec<&str> = form
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|s| !known.iter().any(|k| k == s))
        .chain((!form.more_scopes.is_empty()).then_some(form.more_scopes.as_str()))
        .collect();
    let typed = typed.join(" ");
    let ticked = |scope: &str| form.scopes.iter().any(|s| s == scope);
    let mut own: Vec<ScopeDef> = catalogue.into_iter().filter(|def| !def.name.is_reserved()).collect();
    own.sort_by_key(|def| (verb_rank(&def.name), def.name.to_string()));
    let own = own.into_iter();
    let own = own
        .map(|def| view! { <ScopeBox checked=ticked(def.name.as_str()) scope=def.name.to_string() what=def.description/> }.into_any())
        .collect_view();
    let grantable = Perm::ALL.iter().filter(|p| role.grants_any() || role.holds(**p));
    let keystead = grantable
        .map(|p| view! { <ScopeBox checked=ticked(p.as_str()) scope=p.to_string() what=perm_words(*p).to_owned()/> }.into_any())
        .collect_view();
    let open = Perm::ALL.iter().any(|p| ticked(p.as_str()));
    view! {
        <section class="group" aria-labelledby="permissions">
            <div class="group__head">
                <h2 id="permissions">"Permissions"</h2>
                <p class="not-gateway">"What the key may do. You can grant only what you hold."</p>
            </div>
            <p class="only-gateway row row--top small soft">
                <Icon name=IconName::Info/>
                <span>"A gateway key asks for decisions and does nothing else, so there is nothing to choose."</span>
            </p>
            <fieldset class="field not-gateway" id="scopes" tabindex="-1" aria-labelledby="permissions" aria-describedby=described_by("scopes", false, bad)>
                <FieldError name="scopes" message/>
                <div class="perm" class:is-bad=bad>
                    <div class="perm__grid">{own}</div>
                    <details class="perm__more" open=open>
                        <summary><Icon name=IconName::ChevronRight turns=true/>"Keystead itself: keys, usage, audit and more"</summary>
                        <div class="perm__grid">{keystead}</div>
                    </details>
                    <div class="perm__type">
                        <TextField
                            name="more_scopes"
                            label=|| view! { "Other permissions "<span class="muted">"optional"</span> }
                            value=typed
                            hint="Separated by spaces, as users:read orders:write. Known verbs on new resources are added to your permissions."
                            mono=true
                            required=false
                        />
                    </div>
                </div>
            </fieldset>
            <ChosenScopes form/>
        </section>
    }
    .into_any()
}

#[component]
fn ScopeBox(scope: String, what: String, checked: bool) -> impl IntoView {
    view! {
        <label class="opt">
            <input class="check" type="checkbox" name="scopes" value=scope.clone() checked=checked/>
            <span class="opt__t"><span class="mono">{scope}</span><span class="meta">{what}</span></span>
        </label>
    }
}

/// Bare verbs come first, in the order people know; resources follow by name.
fn verb_rank(scope: &Scope) -> usize {
    VERBS.iter().position(|v| *v == scope.as_str()).unwrap_or(VERBS.len())
}
