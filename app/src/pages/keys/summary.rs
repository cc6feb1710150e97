//! The create form in plain words, read with the same parser as the server's.

use super::{form::Draft, permissions::scope_words};
use crate::components::{Icon, IconName, Now};
use contract::{Environment, Expiry, KeyForm, KeyKind, Scope, UnixMs};
use leptos::prelude::*;

/// A part of the sentence; what matters is set apart.
type Part = (bool, String);

/// The sentence and what to mind about it.
#[component]
pub fn Summary(
    /// The form as it stands.
    draft: Draft,
) -> impl IntoView {
    let parts = Memo::new(move |_| draft.0.with(|f| sentence(f, Now::get())));
    let notes = Memo::new(move |_| draft.0.with(notes));
    let said = move || parts.get().into_iter().map(|(strong, text)| if strong { view! { <b>{text}</b> }.into_any() } else { text.into_any() }).collect_view();
    let noted = move || {
        let notes = notes.get().into_iter().map(|text| view! { <p class="row row--top small"><Icon name=IconName::Info/><span class="soft">{text}</span></p> });
        notes.collect_view()
    };
    view! {
        <div class="stack stack--3">
            <p class="say" aria-live="polite">{said}</p>
            {noted}
        </div>
    }
}

fn sentence(form: &KeyForm, now: Option<UnixMs>) -> Vec<Part> {
    let name = form.name.trim();
    let kind = form.kind.parse().unwrap_or(KeyKind::Secret);
    let mut parts = vec![];
    let mut plain = |parts: &mut Vec<Part>, text: &str| parts.push((false, text.to_owned()));
    let strong = |parts: &mut Vec<Part>, text: &str| parts.push((true, text.to_owned()));
    if name.is_empty() { plain(&mut parts, "This key") } else { strong(&mut parts, name) }
    plain(&mut parts, " is a ");
    strong(&mut parts, &form.environment);
    plain(&mut parts, &format!(" {kind} key. "));
    may(form, kind, &mut parts);
    from(form, &mut parts);
    until(form, now, &mut parts);
    parts.push((false, ".".to_owned()));
    parts
}

fn may(form: &KeyForm, kind: KeyKind, parts: &mut Vec<Part>) {
    if kind == KeyKind::Gateway {
        parts.extend([(false, "It may ".to_owned()), (true, "ask for decisions".to_owned())]);
        return;
    }
    let scopes: Vec<String> = form.scope_words().into_iter().filter_map(|w| Scope::parse(w).ok()).map(|s| scope_words(&s)).collect();
    if scopes.is_empty() {
        parts.push((false, "It may do nothing yet".to_owned()));
        return;
    }
    parts.push((false, "It may ".to_owned()));
    let last = scopes.len() - 1;
    for (n, scope) in scopes.into_iter().enumerate() {
        match n {
            0 => {}
            n if n == last => parts.push((false, " and ".to_owned())),
            _ => parts.push((false, ", ".to_owned())),
        }
        parts.push((true, scope));
    }
}

fn from(form: &KeyForm, parts: &mut Vec<Part>) {
    let lines = form.allowed_ips.lines().filter(|l| !l.trim().is_empty()).count();
    parts.push((false, ", from ".to_owned()));
    match lines {
        0 => parts.push((false, "any address".to_owned())),
        1 => parts.extend([(true, "1 address or network".to_owned()), (false, " only".to_owned())]),
        n => parts.extend([(true, format!("{n} addresses or networks")), (false, " only".to_owned())]),
    }
}

fn until(form: &KeyForm, now: Option<UnixMs>, parts: &mut Vec<Part>) {
    let choice = Expiry::parse(&form.expires);
    let (lead, what) = match (choice, choice.and_then(Expiry::days), now) {
        (Some(Expiry::Never), ..) => (", until ", "somebody revokes it".to_owned()),
        (Some(Expiry::Custom), ..) => match UnixMs::parse(&form.expires_at) {
            Some(at) => (", until ", at.human()),
            None => (", until ", "a date to be chosen".to_owned()),
        },
        // The server and the page as it arrives know no common now: they name the span, later the date.
        (_, Some(days), Some(now)) => (", until ", now.plus(days * UnixMs::DAY).human_date()),
        (_, Some(days), None) => (", for ", format!("{days} days")),
        _ => return,
    };
    parts.extend([(false, lead.to_owned()), (true, what)]);
}

fn notes(form: &KeyForm) -> Vec<&'static str> {
    let live = form.environment == Environment::Live.as_str();
    let gateway = form.kind == KeyKind::Gateway.as_str();
    let scopes: Vec<Scope> = form.scope_words().into_iter().filter_map(|w| Scope::parse(w).ok()).collect();
    let mut notes = vec![];
    if !gateway && scopes.iter().any(Scope::is_admin) {
        notes.push("With admin it can make other keys. Named permissions are safer.");
    }
    if live && Expiry::parse(&form.expires) == Some(Expiry::Never) && form.allowed_ips.trim().is_empty() {
        notes.push("A live key without an end works from anywhere, for whoever holds it.");
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(form: &KeyForm, now: Option<UnixMs>) -> String {
        sentence(form, now).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn the_sentence_says_who_what_where_and_how_long() {
        let form = KeyForm {
            name: "nightly-export".into(),
            kind: "restricted".into(),
            scopes: vec!["contacts:read".into(), "files:write".into()],
            allowed_ips: "203.0.113.0/24\n\n::1".into(),
            ..KeyForm::default()
        };
        assert_eq!(
            said(&form, None),
            "nightly-export is a live restricted key. It may read contacts and write files, from 2 addresses or networks only, for 90 days."
        );
        assert!(said(&form, Some(UnixMs(0))).ends_with("until 1 Apr 1970."));
    }

    #[test]
    fn an_untouched_form_reads_as_a_sentence_too() {
        assert_eq!(said(&KeyForm::default(), None), "This key is a live secret key. It may do nothing yet, from any address, for 90 days.");
    }
}
