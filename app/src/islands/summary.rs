//! The create form in plain words, read with the same parser as the server's.

use super::{draft::follow, words::scope_words};
use crate::icon::{Icon, IconName};
use contract::{Environment, Expiry, KeyForm, KeyKind, Scope, UnixMs};
use leptos::prelude::*;

/// A sentence of parts; those that matter are set apart.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sentence(Vec<(bool, String)>);

impl Sentence {
    fn plain(&mut self, text: impl Into<String>) -> &mut Self {
        self.0.push((false, text.into()));
        self
    }

    fn strong(&mut self, text: impl Into<String>) -> &mut Self {
        self.0.push((true, text.into()));
        self
    }
}

/// The sentence and what to mind about it.
#[island]
pub fn KeySummary(
    /// The form as it arrives.
    form: KeyForm,
) -> impl IntoView {
    let (draft, node) = follow(form);
    let parts = Memo::new(move |_| draft.with(|d| sentence(&d.form, d.now)));
    let notes = Memo::new(move |_| draft.with(|d| notes(&d.form)));
    let said = move || {
        parts
            .get()
            .0
            .into_iter()
            .map(|(strong, text)| if strong { view! { <b>{text}</b> }.into_any() } else { text.into_any() })
            .collect_view()
    };
    let noted = move || {
        let notes = notes
            .get()
            .into_iter()
            .map(|text| view! { <p class="row row--top small"><Icon name=IconName::Info/><span class="soft">{text}</span></p> }.into_any());
        notes.collect_view()
    };
    view! {
        <div class="stack stack--3" node_ref=node>
            <p class="say" aria-live="polite">{said}</p>
            {noted}
        </div>
    }
}

fn sentence(form: &KeyForm, now: Option<UnixMs>) -> Sentence {
    let mut said = Sentence::default();
    let kind = form.kind.parse().unwrap_or(KeyKind::Secret);
    match form.name.trim() {
        "" => said.plain("This key"),
        name => said.strong(name),
    };
    said.plain(" is a ").strong(&form.environment).plain(format!(" {kind} key"));
    if let Some(owner) = typed(form.owner.as_ref()) {
        said.plain(" of ").strong(owner);
    }
    said.plain(". ");
    may(form, kind, &mut said);
    from(form, &mut said);
    starting(form, &mut said);
    until(form, now, &mut said);
    rate(form, &mut said);
    said.plain(".");
    said
}

fn may(form: &KeyForm, kind: KeyKind, said: &mut Sentence) {
    if kind == KeyKind::Gateway {
        said.plain("It may ").strong("ask for decisions");
        return;
    }
    let scopes: Vec<String> = form.scope_words().into_iter().filter_map(|w| Scope::parse(w).ok()).map(|s| scope_words(&s)).collect();
    if scopes.is_empty() {
        said.plain("It may do nothing yet");
        return;
    }
    said.plain("It may ");
    let last = scopes.len() - 1;
    for (n, scope) in scopes.into_iter().enumerate() {
        match n {
            0 => {}
            n if n == last => _ = said.plain(" and "),
            _ => _ = said.plain(", "),
        }
        said.strong(scope);
    }
}

fn from(form: &KeyForm, said: &mut Sentence) {
    said.plain(", from ");
    match form.allowed_ips.lines().filter(|l| !l.trim().is_empty()).count() {
        0 => said.plain("any address"),
        1 => said.strong("1 address or network").plain(" only"),
        n => said.strong(format!("{n} addresses or networks")).plain(" only"),
    };
}

fn until(form: &KeyForm, now: Option<UnixMs>, said: &mut Sentence) {
    let choice = Expiry::parse(&form.expires);
    match (choice, choice.and_then(Expiry::days), now) {
        (Some(Expiry::Never), ..) => _ = said.plain(", until ").strong("somebody revokes it"),
        (Some(Expiry::Custom), ..) => {
            let date = UnixMs::parse(&form.expires_at).map_or_else(|| "a date to be chosen".to_owned(), UnixMs::human);
            said.plain(", until ").strong(date);
        }
        // The server and the page as it arrives know no common now: they name the span, later the date.
        (_, Some(days), Some(now)) => _ = said.plain(", until ").strong(now.plus(days * UnixMs::DAY).human_date()),
        (_, Some(days), None) => _ = said.plain(", for ").strong(format!("{days} days")),
        _ => {}
    }
}

fn starting(form: &KeyForm, said: &mut Sentence) {
    if let Some(at) = typed(form.not_before.as_ref()).and_then(UnixMs::parse) {
        said.plain(", starting ").strong(at.human());
    }
}

fn rate(form: &KeyForm, said: &mut Sentence) {
    let number = |field: Option<&String>| typed(field).and_then(|n| n.parse::<u32>().ok()).filter(|n| *n > 0);
    if let Some(n) = number(form.per_hour.as_ref()) {
        said.plain(", up to ").strong(format!("{} an hour", requests(n)));
    }
    if let Some(n) = number(form.per_second.as_ref()) {
        said.plain(if number(form.per_hour.as_ref()).is_some() { " and " } else { ", up to " }).strong(format!("{n} a second"));
    }
}

/// `10,000 requests`.
fn requests(n: u32) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n == 1 { "1 request".to_owned() } else { out + " requests" }
}

fn typed(field: Option<&String>) -> Option<&str> {
    field.map(|s| s.trim()).filter(|s| !s.is_empty())
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
        sentence(form, now).0.into_iter().map(|(_, text)| text).collect()
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
    fn the_sentence_names_owner_start_and_rate_where_they_are_set() {
        let some = |s: &str| Some(s.to_owned());
        let form = KeyForm {
            name: "export".into(),
            scopes: vec!["read".into()],
            owner: some("ops@acme.test"),
            not_before: some("2026-12-01T08:00"),
            per_hour: some("10000"),
            per_second: some("100"),
            ..KeyForm::default()
        };
        assert_eq!(
            said(&form, None),
            "export is a live secret key of ops@acme.test. It may read everything, from any address, starting 1 Dec 2026, 08:00 UTC, \
             for 90 days, up to 10,000 requests an hour and 100 a second."
        );
    }

    #[test]
    fn an_untouched_form_reads_as_a_sentence_too() {
        assert_eq!(said(&KeyForm::default(), None), "This key is a live secret key. It may do nothing yet, from any address, for 90 days.");
    }
}
