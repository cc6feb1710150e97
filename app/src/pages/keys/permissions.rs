//! The permissions of the form of a key, or of an app.

use crate::{
    components::{FieldError, TextField, described_by},
    icon::{Icon, IconName},
    islands::{ChosenScopes, words::perm_words},
};
use contract::{BUILT_IN_SCOPES, CUSTOM, FieldErrors, KeyForm, Perm, Role, Scope, ScopeDef, VERBS};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Whose permissions are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picks {
    /// A key's.
    Key,
    /// An app's, which asks people for them: those of signing in are among them.
    App,
    /// A machine's: nobody signs in to it.
    Machine,
}

/// What the key may do: verbs on everything, a choice for each resource, Keystead's own, and any that are typed.
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
    /// For whom.
    #[prop(default = Picks::Key)]
    picks: Picks,
) -> impl IntoView {
    let app = picks != Picks::Key;
    let message = errors.get("scopes").map(str::to_owned);
    let bad = message.is_some();
    let (mut general, resources) = sorted(catalogue, role);
    let grantable: Vec<Perm> = Perm::ALL.iter().copied().filter(|p| role.grants_any() || !app && role.holds(*p)).collect();
    let known: Vec<String> = general
        .iter()
        .chain(resources.values().flatten())
        .map(|def| def.name.to_string())
        .chain(grantable.iter().map(ToString::to_string))
        .chain(BUILT_IN_SCOPES.iter().filter(|_| picks == Picks::App).map(ToString::to_string))
        .collect();
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
    general.sort_by_key(|def| (verb_rank(&def.name), def.name.to_string()));
    let general = general
        .into_iter()
        .map(|def| view! { <ScopeBox checked=ticked(def.name.as_str()) scope=def.name.to_string() what=def.description/> }.into_any())
        .collect_view();
    let keystead = grantable
        .iter()
        .map(|p| view! { <ScopeBox checked=ticked(p.as_str()) scope=p.to_string() what=perm_words(*p).to_owned()/> }.into_any())
        .collect_view();
    let signing_in = (picks == Picks::App).then(|| {
        let boxes = BUILT_IN_SCOPES.iter().filter_map(|s| Scope::parse(s).ok());
        let boxes =
            boxes.map(|s| view! { <ScopeBox checked=ticked(s.as_str()) what=s.in_words() scope=s.to_string()/> }.into_any()).collect_view();
        view! { <div class="perm__grid perm__grid--in not-machine">{boxes}</div> }.into_any()
    });
    let lead = match picks {
        Picks::App => "What the app may ask people for, and does by itself as a machine. You can grant only what you hold.",
        Picks::Machine => "What the app may do by itself. You can grant only what you hold.",
        Picks::Key => "What the key may do. You can grant only what you hold.",
    };
    let for_gateway = (!app).then(|| {
        view! {
            <p class="only-gateway row row--top small soft">
                <Icon name=IconName::Info/>
                <span>"A gateway key asks for decisions and does nothing else, so there is nothing to choose."</span>
            </p>
        }
        .into_any()
    });
    let keystead = (!grantable.is_empty()).then(|| {
        let open = grantable.iter().any(|p| ticked(p.as_str()));
        view! {
            <details class="perm__more" open=open>
                <summary><Icon name=IconName::ChevronRight turns=true/>"Keystead itself: keys, usage, audit and more"</summary>
                <div class="perm__grid">{keystead}</div>
            </details>
        }
        .into_any()
    });
    let rows = resources
        .into_iter()
        .map(|(resource, defs)| {
            let held = defs.iter().map(|def| ticked(def.name.as_str())).collect();
            view! { <Resource resource defs held/> }.into_any()
        })
        .collect::<Vec<_>>();
    let rows = (!rows.is_empty()).then(|| view! { <PermBar/>{rows} }.into_any());
    view! {
        <section class="group" aria-labelledby="permissions">
            <div class="group__head">
                <h2 id="permissions">"Permissions"</h2>
                <p class="not-gateway">{lead}</p>
            </div>
            {for_gateway}
            <fieldset class="field not-gateway" id="scopes" tabindex="-1" aria-labelledby="permissions" aria-describedby=described_by("scopes", false, bad)>
                <FieldError name="scopes" message/>
                <div class="perm" class:is-bad=bad>
                    {signing_in}
                    <div class="perm__grid">{general}</div>
                    {rows}
                    {keystead}
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

/// What the role may grant of the catalogue: verbs on everything, and by resource.
fn sorted(catalogue: Vec<ScopeDef>, role: Role) -> (Vec<ScopeDef>, BTreeMap<String, Vec<ScopeDef>>) {
    let own = role.own_api();
    let mut general = Vec::new();
    let mut resources: BTreeMap<String, Vec<ScopeDef>> = BTreeMap::new();
    for def in catalogue.into_iter().filter(|def| !def.name.is_reserved()) {
        if !role.grants_any() && !own.covers(&def.name) {
            continue;
        }
        match def.name.parts() {
            (Some(resource), _) => resources.entry(resource.to_owned()).or_default().push(def),
            (None, _) => general.push(def),
        }
    }
    for defs in resources.values_mut() {
        defs.sort_by_key(|def| {
            let verb = def.name.parts().1;
            (VERBS.iter().position(|v| *v == verb).unwrap_or(VERBS.len()), verb.to_owned())
        });
    }
    (general, resources)
}

/// Presets, and a search among the resources: comfort that needs script.
#[component]
fn PermBar() -> impl IntoView {
    view! {
        <div class="perm__bar" data-js="">
            <span class="affix">
                <Icon name=IconName::Search/>
                <input class="input" type="search" placeholder="Find a resource" aria-label="Find a resource" autocomplete="off" data-find=".perm__row"/>
            </span>
            <button class="btn" type="button" data-preset="read">"Read all"</button>
            <button class="btn" type="button" data-preset="">"Clear"</button>
        </div>
    }
}

/// The choice for one resource. Its radio buttons post the permissions that they stand for; the single verbs count only
/// under `Custom`.
#[component]
fn Resource(resource: String, defs: Vec<ScopeDef>, held: Vec<bool>) -> impl IntoView {
    let of = |verb: &str| defs.iter().position(|def| def.name.parts().1 == verb);
    let names = |of: &[usize]| of.iter().filter_map(|n| defs.get(*n)).map(|def| def.name.to_string()).collect::<Vec<_>>().join(" ");
    let mut choices: Vec<(&'static str, Vec<usize>)> = vec![("None", vec![])];
    match (of("read"), of("write")) {
        (Some(read), Some(write)) => choices.extend([("Read", vec![read]), ("Read + write", vec![read, write])]),
        (Some(read), None) => choices.push(("Read", vec![read])),
        (None, Some(write)) => choices.push(("Write", vec![write])),
        (None, None) => {}
    }
    let chosen: Vec<usize> = held.iter().enumerate().filter(|(_, held)| **held).map(|(n, _)| n).collect();
    let known = choices.iter().any(|(_, of)| *of == chosen);
    // Whatever the first choices do not say can be said one by one.
    let custom = defs.len() > 1 || choices.len() < 2;
    let name = format!("grant.{resource}");
    let radios = choices
        .iter()
        .map(|(label, of)| {
            view! {
                <label><input type="radio" name=name.clone() value=names(of) checked=known && *of == chosen data-choice=label.to_lowercase()/>{*label}</label>
            }
            .into_any()
        })
        .collect_view();
    let custom_radio = custom.then(|| {
        view! { <label class="custom"><input type="radio" name=name.clone() value=CUSTOM checked=!known/>"Custom"</label> }.into_any()
    });
    let described = defs.iter().map(|def| def.description.clone()).find(|d| !d.is_empty()).unwrap_or_default();
    let verbs = defs
        .iter()
        .zip(&held)
        .map(|(def, held)| {
            let verb = def.name.parts().1.to_owned();
            let covers = (verb == "admin").then(|| view! { " "<span class="muted">"covers every verb"</span> }.into_any());
            view! {
                <label class="opt">
                    <input class="check" type="checkbox" name=format!("verb.{resource}") value=def.name.to_string() checked=*held/>
                    <span>{verb}{covers}</span>
                </label>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <div class="perm__row" data-name=resource.clone()>
            <div class="perm__n"><b class="clip">{resource.clone()}</b><span class="clip">{described}</span></div>
            <div class="seg seg--sm" role="radiogroup" aria-label=format!("Permission on {resource}")>{radios}{custom_radio}</div>
            <div class="perm__sub" role="group" aria-label=format!("Verbs on {resource}")>{verbs}</div>
        </div>
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
