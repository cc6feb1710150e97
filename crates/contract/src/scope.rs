//! Scopes: a verb, or `resource:verb` in either order. See `docs/contract.md`, section 2.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// The verbs every tenant knows.
pub const VERBS: [&str; 4] = ["read", "write", "delete", "admin"];

/// What a new tenant's catalogue holds, with the descriptions people see.
pub const DEFAULT_CATALOGUE: [(&str, &str); 4] = [
    ("read", "Read every resource"),
    ("write", "Create and update every resource"),
    ("delete", "Delete every resource"),
    ("admin", "Full access, Keystead itself included"),
];

/// Scopes of OpenID Connect that need no catalogue entry.
pub const BUILT_IN_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The prefix of Keystead's own API.
const RESERVED: &str = "keystead.";

/// One permission, spelled as its owner wrote it; `read:users` and `users:read` are the same permission.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(String);

/// Why a string is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a permission is a verb or resource:verb, made of a-z, 0-9, dot, dash and underscore")]
pub struct ScopeError;

impl Scope {
    /// Reads one scope: `verb` or `a:b`, each part 1 to 64 of `a-z 0-9 . _ -`.
    pub fn parse(s: &str) -> Result<Self, ScopeError> {
        let part = |p: &str| {
            (1..=64).contains(&p.len())
                && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
        };
        let ok = match s.split_once(':') {
            Some((a, b)) => part(a) && part(b),
            None => part(s),
        };
        if ok { Ok(Self(s.to_owned())) } else { Err(ScopeError) }
    }

    /// The spelling it was written with.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Resource (if any) and verb. The left part is the verb if it is one and the right is not.
    pub fn parts(&self) -> (Option<&str>, &str) {
        self.parts_with(&[])
    }

    /// The same for a tenant with verbs of its own: a bare entry of its catalogue, such as `run`, is one.
    pub fn parts_with(&self, own: &[String]) -> (Option<&str>, &str) {
        let is_verb = |s: &str| is_verb(s, own);
        match self.0.split_once(':') {
            None => (None, &self.0),
            // `read:all` is `read`.
            Some((a, "all")) if is_verb(a) => (None, a),
            Some((a, b)) if is_verb(a) && !is_verb(b) => (Some(b), a),
            Some((a, b)) => (Some(a), b),
        }
    }

    /// The one spelling under which equal permissions compare equal: `resource:verb`, `read:all` as `read`.
    pub fn canonical(&self) -> String {
        self.canonical_with(&[])
    }

    /// The same for a tenant with verbs of its own.
    pub fn canonical_with(&self, own: &[String]) -> String {
        match self.normal(own) {
            (None, verb) => verb.to_owned(),
            (Some(resource), verb) => format!("{resource}:{verb}"),
        }
    }

    /// Is it a permission on Keystead itself (`keystead.…`)?
    pub fn is_reserved(&self) -> bool {
        self.0.split(':').any(|part| part.starts_with(RESERVED))
    }

    /// Is it one of OpenID Connect, which says nothing of the API?
    pub fn is_built_in(&self) -> bool {
        BUILT_IN_SCOPES.contains(&self.0.as_str())
    }

    /// Does it name something of the tenant's own API, rather than all of it, Keystead, or the person?
    pub fn is_ones_own(&self) -> bool {
        !self.is_reserved() && !self.is_built_in() && !self.is_admin() && self.parts().0.is_some()
    }

    /// What it allows, for whoever is asked to allow it and finds no description in the catalogue.
    pub fn in_words(&self) -> String {
        match self.0.as_str() {
            "openid" => return "Know who you are".to_owned(),
            "profile" => return "See the name that you go by".to_owned(),
            "email" => return "See your email address".to_owned(),
            "offline_access" => return "Go on while you are away".to_owned(),
            _ if self.is_admin() => return "Do everything, in Keystead itself, too: make keys, change members and settings".to_owned(),
            _ => {}
        }
        let (resource, verb) = self.parts();
        let what = match resource.map(|r| r.strip_prefix(RESERVED).map_or_else(|| r.to_owned(), |own| format!("Keystead’s {own}"))) {
            Some(resource) => resource.replace(['_', '-', '.'], " "),
            None => "everything".to_owned(),
        };
        match verb {
            "read" => format!("See {what}"),
            "write" => format!("Create and change {what}"),
            "delete" => format!("Delete {what}"),
            "admin" => format!("Do everything with {what}"),
            verb => format!("{verb}: {what}"),
        }
    }

    /// Is it `admin` (also spelled `admin:all`), which covers everything?
    pub fn is_admin(&self) -> bool {
        self.normal(&[]) == (None, "admin")
    }

    /// Does holding `self` permit what `wanted` names?
    ///
    /// `admin` covers everything; a bare verb covers that verb on every resource of the tenant's own API;
    /// `x:admin` covers every `x:…`. Keystead's reserved scopes are covered only by name or by `admin`.
    pub fn covers(&self, wanted: &Self) -> bool {
        self.covers_with(wanted, &[])
    }

    /// The same for a tenant with verbs of its own.
    pub fn covers_with(&self, wanted: &Self, own: &[String]) -> bool {
        let (held, want) = (self.normal(own), wanted.normal(own));
        if held == want || self.is_admin() {
            return true;
        }
        if wanted.is_reserved() {
            return false;
        }
        match (held, want) {
            ((None, verb), (Some(_), wanted_verb)) => verb == wanted_verb,
            ((Some(r), "admin"), (Some(wanted_r), _)) => r == wanted_r,
            _ => false,
        }
    }

    fn normal(&self, own: &[String]) -> (Option<&str>, &str) {
        match self.parts_with(own) {
            (Some("all"), verb) if is_verb(verb, own) => (None, verb),
            other => other,
        }
    }
}

fn is_verb(s: &str, own: &[String]) -> bool {
    VERBS.contains(&s) || own.iter().any(|verb| verb == s)
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(s: &str) -> Result<Self, ScopeError> {
        Self::parse(s)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(de::Error::custom)
    }
}

/// What a credential holds, in the order it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct ScopeSet(pub Vec<Scope>);

impl ScopeSet {
    /// Does one of the held scopes cover `wanted`?
    pub fn covers(&self, wanted: &Scope) -> bool {
        self.covers_with(wanted, &[])
    }

    /// The same for a tenant with verbs of its own.
    pub fn covers_with(&self, wanted: &Scope, own: &[String]) -> bool {
        self.0.iter().any(|s| s.covers_with(wanted, own))
    }

    /// The first of `wanted` that nothing here covers.
    pub fn missing<'a>(&self, wanted: &'a [Scope]) -> Option<&'a Scope> {
        self.missing_with(wanted, &[])
    }

    /// The same for a tenant with verbs of its own.
    pub fn missing_with<'a>(&self, wanted: &'a [Scope], own: &[String]) -> Option<&'a Scope> {
        wanted.iter().find(|w| !self.covers_with(w, own))
    }

    /// The scopes joined by single spaces, as OAuth writes them.
    pub fn joined(&self) -> String {
        self.0.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// One entry of a tenant's catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScopeDef {
    /// The scope, in the catalogue's spelling.
    pub name: Scope,
    /// What it permits, in plain words.
    pub description: String,
}

/// `POST /v1/scopes`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ScopeBody {
    /// The scope.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Scope))]
    pub name: Option<String>,
    /// What it permits, in plain words.
    pub description: Option<String>,
}

/// `PATCH /v1/scopes/{name}`: the name of a scope stands in keys and in programs, so it stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DescribeScopeBody {
    /// What it permits, in plain words.
    pub description: String,
}

/// A page of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScopePage {
    /// The entries, by name.
    pub data: Vec<ScopeDef>,
    /// Where the next page starts: after the entry of this name.
    pub next_cursor: Option<Scope>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(x: &str) -> Scope {
        Scope::parse(x).expect(x)
    }

    #[test]
    fn both_spellings_are_one_permission() {
        assert_eq!(s("read:users").canonical(), "users:read");
        assert_eq!(s("users:read").canonical(), "users:read");
        assert_eq!(s("read:all").canonical(), "read");
        assert_eq!(s("all:read").canonical(), "read");
        assert!(s("read:users").covers(&s("users:read")));
    }

    #[test]
    fn what_covers_what() {
        for (held, wanted, yes) in [
            ("admin", "users:delete", true),
            ("admin:all", "keystead.keys:write", true),
            ("read", "users:read", true),
            ("read:all", "users:read", true),
            ("read", "users:write", false),
            ("write", "users:read", false),
            ("users:admin", "users:delete", true),
            ("users:admin", "orders:delete", false),
            ("users:read", "read", false),
            ("read", "keystead.usage:read", false),
            ("keystead.usage:read", "keystead.usage:read", true),
            ("keystead.keys:admin", "keystead.keys:write", false),
            ("write:own", "own:write", true),
            ("run", "exports:run", true),
        ] {
            assert_eq!(s(held).covers(&s(wanted)), yes, "{held} covers {wanted}");
        }
    }

    #[test]
    fn a_tenants_own_verb_is_a_verb_in_either_place() {
        let own = ["run".to_owned()];
        let covers = |held: &str, wanted: &str| s(held).covers_with(&s(wanted), &own);
        assert!(covers("run:exports", "exports:run") && covers("exports:run", "run:exports"));
        assert!(covers("run", "run:exports") && covers("run:all", "exports:run") && covers("exports:admin", "run:exports"));
        assert!(!covers("run:admin", "run:exports"), "admin of a resource called run");
        assert!(!covers("run:exports", "run"));
        assert_eq!(s("run:exports").canonical_with(&own), "exports:run");
        assert_eq!(s("run:exports").canonical(), "run:exports", "elsewhere it is a resource");
        assert!(!s("run:exports").covers(&s("exports:run")));
    }

    #[test]
    fn s35_no_spelling_of_keysteads_own_permissions_is_covered_by_a_bare_verb() {
        for perm in crate::Perm::ALL {
            let (resource, verb) = perm.as_str().split_once(':').expect("resource:verb");
            for spelling in [perm.as_str().to_owned(), format!("{verb}:{resource}")] {
                assert!(s(&spelling).is_reserved(), "{spelling}");
                for held in ["read", "write", "delete", "read:all", "verify", "lookup", "revoke"] {
                    assert!(!s(held).covers(&s(&spelling)), "{held} covers {spelling}");
                }
            }
        }
    }

    #[test]
    fn a_scope_is_refused_unless_it_is_plain() {
        for bad in ["", ":", "a:", ":a", "a b", "Read", "a:b:c", "ä", "a\n"] {
            assert!(Scope::parse(bad).is_err(), "{bad:?}");
        }
    }
}
