//! The permissions of the create form.

use super::form::Draft;
use crate::components::{FieldError, Icon, IconName, TextField, described_by};
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
    /// The form as it stands.
    draft: Draft,
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
            <Selected draft/>
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

/// The permissions chosen so far.
#[component]
fn Selected(draft: Draft) -> impl IntoView {
    let words = Memo::new(move |_| draft.0.with(|f| f.scope_words().into_iter().map(str::to_owned).collect::<Vec<_>>()));
    let count = move || match words.with(Vec::len) {
        0 => "No permission chosen".to_owned(),
        1 => "1 permission".to_owned(),
        n => format!("{n} permissions"),
    };
    let tokens = move || words.get().into_iter().map(|w| view! { <span class="token">{w}</span> }.into_any()).collect_view();
    view! {
        <div class="not-gateway" data-js="">
            <div class="row row--wrap selected">
                <span class="meta">{count}</span>
                <span class="tags">{tokens}</span>
            </div>
        </div>
    }
}

/// Bare verbs come first, in the order people know; resources follow by name.
fn verb_rank(scope: &Scope) -> usize {
    VERBS.iter().position(|v| *v == scope.as_str()).unwrap_or(VERBS.len())
}

/// A permission on Keystead in words.
pub const fn perm_words(perm: Perm) -> &'static str {
    match perm {
        Perm::KeysRead => "See API keys",
        Perm::KeysWrite => "Create, change and revoke API keys",
        Perm::KeysRevoke => "Revoke API keys",
        Perm::KeysLookup => "Find a key by its text",
        Perm::KeysVerify => "Ask for decisions",
        Perm::AppsRead => "See OAuth apps",
        Perm::AppsWrite => "Create and change OAuth apps",
        Perm::WebhooksRead => "See webhooks",
        Perm::WebhooksWrite => "Create and change webhooks",
        Perm::UsageRead => "See the usage log",
        Perm::AuditRead => "See the audit log",
        Perm::MembersRead => "See members",
        Perm::MembersWrite => "Invite, change and remove members",
        Perm::SettingsRead => "See settings",
        Perm::SettingsWrite => "Change settings and permissions",
        Perm::PoliciesWrite => "Change security policies",
    }
}

/// A permission in words, as part of a sentence that begins with `It may`.
pub fn scope_words(scope: &Scope) -> String {
    if scope.is_admin() {
        return "do everything, Keystead itself included".to_owned();
    }
    if let Ok(perm) = scope.as_str().parse::<Perm>() {
        let words = perm_words(perm);
        return words[..1].to_ascii_lowercase() + &words[1..];
    }
    match scope.parts() {
        (None, verb) => format!("{verb} everything"),
        (Some(resource), "admin") => format!("do everything with {resource}"),
        (Some(resource), verb) => format!("{verb} {resource}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_reads_as_part_of_a_sentence() {
        let said = |s: &str| scope_words(&Scope::parse(s).expect(s));
        assert_eq!(said("read"), "read everything");
        assert_eq!(said("read:users"), "read users");
        assert_eq!(said("users:admin"), "do everything with users");
        assert_eq!(said("keystead.usage:read"), "see the usage log");
        assert_eq!(said("admin:all"), "do everything, Keystead itself included");
    }
}
