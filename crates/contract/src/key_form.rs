//! The create form: everything as typed, and its one parser for browser and server.

use crate::{
    AllowedIp, ApiKey, CreateKey, Environment, FieldErrors, FormId, KeyKind, KeyName, RateLimit, Scope, UnixMs,
    key_body::read::{check_order, check_rate_limit, read_metadata},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The create form as a person filled it in. Nothing typed is lost when it comes back with errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyForm {
    /// Makes posting the form twice act once.
    #[serde(default)]
    pub form_id: String,
    /// Name of the service.
    #[serde(default)]
    pub name: String,
    /// `live` or `test`.
    #[serde(default)]
    pub environment: String,
    /// A [`KeyKind`].
    #[serde(default)]
    pub kind: String,
    /// Ticked scopes of the catalogue.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Further scopes, separated by spaces, commas or lines.
    #[serde(default)]
    pub more_scopes: String,
    /// An [`Expiry`].
    #[serde(default)]
    pub expires: String,
    /// The value of the `datetime-local` field for a custom expiry, UTC.
    #[serde(default)]
    pub expires_at: String,
    /// One address or network a line.
    #[serde(default)]
    pub allowed_ips: String,
    /// The value of a `datetime-local` field, UTC; empty means at once. This and what follows may be missing from a form:
    /// an edit then leaves it as it is.
    #[serde(default)]
    pub not_before: Option<String>,
    /// Requests an hour; empty (as the next) means the plan's limit.
    #[serde(default)]
    pub per_hour: Option<String>,
    /// Requests a second.
    #[serde(default)]
    pub per_second: Option<String>,
    /// A JSON object; empty means an empty one.
    #[serde(default)]
    pub metadata: Option<String>,
    /// A member's address or id; empty means the maker, on an edit nobody.
    #[serde(default)]
    pub owner: Option<String>,
    /// What the key was when the form of its edit was opened; an edit of what has changed since is refused.
    #[serde(default)]
    pub seen: Option<String>,
}

impl Default for KeyForm {
    fn default() -> Self {
        Self {
            form_id: String::new(),
            name: String::new(),
            environment: Environment::Live.to_string(),
            kind: KeyKind::Secret.to_string(),
            scopes: Vec::new(),
            more_scopes: String::new(),
            expires: Expiry::Days90.as_str().to_owned(),
            expires_at: String::new(),
            allowed_ips: String::new(),
            not_before: None,
            per_hour: None,
            per_second: None,
            metadata: None,
            owner: None,
            seen: None,
        }
    }
}

/// The choices of the expiry field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// A week.
    Days7,
    /// A month.
    Days30,
    /// A quarter.
    Days90,
    /// A date of one's own.
    Custom,
    /// Until it is revoked.
    Never,
}

impl Expiry {
    /// Every choice, in the order of the form.
    pub const ALL: [Self; 5] = [Self::Days7, Self::Days30, Self::Days90, Self::Custom, Self::Never];

    /// The value of the radio button.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Days7 => "7",
            Self::Days30 => "30",
            Self::Days90 => "90",
            Self::Custom => "custom",
            Self::Never => "never",
        }
    }

    /// What a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Days7 => "7 days",
            Self::Days30 => "30 days",
            Self::Days90 => "90 days",
            Self::Custom => "Custom",
            Self::Never => "Never",
        }
    }

    /// Reads the value of the radio button.
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == s)
    }

    /// How many days, for the presets.
    pub const fn days(self) -> Option<i64> {
        match self {
            Self::Days7 => Some(7),
            Self::Days30 => Some(30),
            Self::Days90 => Some(90),
            Self::Custom | Self::Never => None,
        }
    }
}

impl KeyForm {
    /// The form as its fields were sent. A permission comes as `scopes`, or as the choice of a resource, `grant.<resource>`:
    /// permissions separated by spaces, or `custom`, and then as any number of `verb.<resource>`.
    pub fn from_fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let fields: Vec<(&str, &str)> = fields.into_iter().collect();
        let choices: HashMap<&str, &str> = fields.iter().filter_map(|(n, v)| Some((n.strip_prefix("grant.")?, *v))).collect();
        let mut form = Self { environment: String::new(), kind: String::new(), expires: String::new(), ..Self::default() };
        for (name, value) in fields {
            let text = || value.to_owned();
            match name {
                "form_id" => form.form_id = text(),
                "name" => form.name = text(),
                "environment" => form.environment = text(),
                "kind" => form.kind = text(),
                "scopes" => form.scopes.push(text()),
                "more_scopes" => form.more_scopes = text(),
                "expires" => form.expires = text(),
                "expires_at" => form.expires_at = text(),
                "allowed_ips" => form.allowed_ips = text(),
                "not_before" => form.not_before = Some(text()),
                "per_hour" => form.per_hour = Some(text()),
                "per_second" => form.per_second = Some(text()),
                "metadata" => form.metadata = Some(text()),
                "owner" => form.owner = Some(text()),
                "seen" => form.seen = Some(text()),
                _ => match name.split_once('.') {
                    Some(("grant", _)) if value != CUSTOM => form.scopes.extend(value.split_whitespace().map(ToOwned::to_owned)),
                    // What was ticked before another choice was made is not meant any more.
                    Some(("verb", resource)) if choices.get(resource) == Some(&CUSTOM) => form.scopes.push(text()),
                    _ => {}
                },
            }
        }
        form
    }

    /// The form as it is preset where keys expire within so many days: the longest choice that is not too long.
    #[must_use]
    pub fn expiring_within(self, days: Option<i64>, now: UnixMs) -> Self {
        let Some(days) = days else { return self };
        let fits = |choice: &Expiry| choice.days().is_some_and(|n| n <= days);
        let (expires, expires_at) = match Expiry::ALL.into_iter().rev().find(fits) {
            Some(preset) => (preset, String::new()),
            None => (Expiry::Custom, minute(now.plus(days * UnixMs::DAY))),
        };
        Self { expires: expires.as_str().to_owned(), expires_at, ..self }
    }

    /// The form that a key would come from, to edit it.
    pub fn of(key: &ApiKey) -> Self {
        Self {
            form_id: String::new(),
            name: key.name.clone(),
            environment: key.environment.to_string(),
            kind: key.kind.to_string(),
            scopes: key.scopes.0.iter().map(ToString::to_string).collect(),
            more_scopes: String::new(),
            expires: if key.expires_at.is_some() { Expiry::Custom } else { Expiry::Never }.as_str().to_owned(),
            expires_at: key.expires_at.map(minute).unwrap_or_default(),
            allowed_ips: key.allowed_ips.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            not_before: Some(key.not_before.map(minute).unwrap_or_default()),
            per_hour: Some(key.rate_limit.map(|r| r.per_hour.to_string()).unwrap_or_default()),
            per_second: Some(key.rate_limit.map(|r| r.per_second.to_string()).unwrap_or_default()),
            metadata: Some(match &key.metadata {
                serde_json::Value::Object(members) if members.is_empty() => String::new(),
                other => serde_json::to_string_pretty(other).unwrap_or_default(),
            }),
            owner: Some(key.owner.clone().unwrap_or_default()),
            seen: None,
        }
    }

    /// The form of an edit of that key. Its kind and environment stay, and a field shows whole minutes: a time that was
    /// left alone stays exact.
    #[must_use]
    pub fn for_edit_of(&self, key: &ApiKey) -> Self {
        let exact =
            |typed: &str, kept: Option<UnixMs>| kept.filter(|t| minute(*t) == typed).map_or_else(|| typed.to_owned(), |t| t.to_string());
        Self {
            kind: key.kind.to_string(),
            environment: key.environment.to_string(),
            expires_at: exact(&self.expires_at, key.expires_at),
            not_before: self.not_before.as_deref().map(|typed| exact(typed, key.not_before)),
            ..self.clone()
        }
    }

    /// Reads the form. `now` is the server's time; a browser passes its own to show the summary.
    pub fn parse(&self, now: UnixMs) -> Result<CreateKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = KeyName::parse(&self.name).map_err(|e| errors.add("name", "invalid", e.to_string())).ok();
        let environment = self.environment.parse().map_err(|()| errors.add("environment", "invalid", "Choose live or test.")).ok();
        let kind: Option<KeyKind> = self.kind.parse().map_err(|()| errors.add("kind", "invalid", "Choose a kind.")).ok();
        let scopes = self.read_scopes(kind, &mut errors);
        let expires_at = self.read_expiry(now, &mut errors);
        let allowed_ips = self.read_ips(&mut errors);
        let not_before = self.read_not_before(expires_at, &mut errors);
        let rate_limit = self.read_rate_limit(&mut errors);
        let metadata = self.read_metadata(&mut errors);
        let owner = typed(self.owner.as_ref()).map(ToOwned::to_owned);
        let req = (|| {
            Some(CreateKey {
                name: name?,
                environment: environment?,
                kind: kind?,
                scopes,
                allowed_ips,
                not_before,
                expires_at,
                rate_limit,
                metadata,
                owner,
                platform: false,
            })
        })();
        errors.into_result(req)
    }

    /// The form's single-use id, if it is one.
    pub fn form_id(&self) -> Option<FormId> {
        self.form_id.parse().ok()
    }

    /// Everything that was ticked or typed as a permission, split but not judged.
    pub fn scope_words(&self) -> Vec<&str> {
        let typed = self.more_scopes.split(|c: char| c.is_whitespace() || c == ',').filter(|s| !s.is_empty());
        let mut words: Vec<&str> = Vec::new();
        for w in self.scopes.iter().map(String::as_str).chain(typed) {
            if !words.contains(&w) {
                words.push(w);
            }
        }
        words
    }

    fn read_scopes(&self, kind: Option<KeyKind>, errors: &mut FieldErrors) -> Vec<Scope> {
        // A gateway key asks for decisions and nothing else, whatever was ticked before the kind was changed.
        if kind == Some(KeyKind::Gateway) {
            return vec![crate::Perm::KeysVerify.scope()];
        }
        let mut scopes = Vec::new();
        for word in self.scope_words() {
            match Scope::parse(word) {
                Ok(s) => scopes.push(s),
                Err(e) => errors.add("scopes", "invalid", format!("“{word}” is not a permission: {e}.")),
            }
        }
        if scopes.is_empty() {
            errors.add("scopes", "required", "Choose at least one permission.");
        }
        if kind == Some(KeyKind::Restricted) && scopes.iter().any(Scope::is_admin) {
            errors.add("scopes", "not_permitted", "A restricted key never holds admin. Choose the kind Secret, or name the permissions.");
        }
        scopes
    }

    fn read_expiry(&self, now: UnixMs, errors: &mut FieldErrors) -> Option<UnixMs> {
        match Expiry::parse(&self.expires) {
            Some(Expiry::Never) => None,
            Some(Expiry::Custom) => match UnixMs::parse(&self.expires_at) {
                Some(t) if t > now => Some(t),
                Some(_) => {
                    errors.add("expires_at", "invalid", "This date has passed. Choose one that lies ahead.");
                    None
                }
                None => {
                    errors.add("expires_at", "required", "Choose the date and time at which the key expires, in UTC.");
                    None
                }
            },
            Some(preset) => preset.days().map(|d| now.plus(d * UnixMs::DAY)),
            None => {
                errors.add("expires", "invalid", "Choose when the key expires.");
                None
            }
        }
    }

    fn read_not_before(&self, expires_at: Option<UnixMs>, errors: &mut FieldErrors) -> Option<UnixMs> {
        let at = UnixMs::parse(typed(self.not_before.as_ref())?);
        if at.is_none() {
            errors.add("not_before", "invalid", "Choose the date and time from which the key works, in UTC.");
        }
        check_order(at, expires_at, errors);
        at
    }

    fn read_rate_limit(&self, errors: &mut FieldErrors) -> Option<RateLimit> {
        let mut number = |field: &str, given: Option<&str>| {
            let read = given.and_then(|n| n.parse::<u32>().ok()).filter(|n| *n > 0);
            if read.is_none() {
                errors.add(field, "invalid", "A whole number of requests, at least 1.");
            }
            read
        };
        let (per_hour, per_second) = (typed(self.per_hour.as_ref()), typed(self.per_second.as_ref()));
        if per_hour.is_none() && per_second.is_none() {
            return None;
        }
        let (per_hour, per_second) = (number("per_hour", per_hour), number("per_second", per_second));
        let limit = RateLimit { per_hour: per_hour?, per_second: per_second? };
        let mut found = FieldErrors::default();
        check_rate_limit(Some(limit), &mut found);
        found.0.into_iter().for_each(|e| errors.add(e.field.trim_start_matches("rate_limit."), &e.code, e.message));
        Some(limit)
    }

    fn read_metadata(&self, errors: &mut FieldErrors) -> serde_json::Value {
        let given = typed(self.metadata.as_ref()).map(serde_json::from_str::<serde_json::Value>).transpose();
        let Ok(given) = given else {
            errors.add("metadata", "invalid", "This is not valid JSON. An object is needed, such as {\"team\":\"core\"}.");
            return serde_json::json!({});
        };
        read_metadata(given.as_ref(), errors)
    }

    fn read_ips(&self, errors: &mut FieldErrors) -> Vec<AllowedIp> {
        let mut ips = Vec::new();
        for (n, line) in self.allowed_ips.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            match AllowedIp::parse(line) {
                Ok(ip) => ips.push(ip),
                Err(e) => errors.add("allowed_ips", "invalid", format!("Line {}: {e}", n + 1)),
            }
        }
        if ips.len() > 100 {
            errors.add("allowed_ips", "too_long", "At most 100 addresses and networks.");
        }
        ips
    }
}

/// The choice of a resource whose verbs are ticked one by one.
pub const CUSTOM: &str = "custom";

/// The value of a `datetime-local` field, UTC.
fn minute(t: UnixMs) -> String {
    t.to_utc().format("%Y-%m-%dT%H:%M").to_string()
}

/// What was typed into a field that a form may lack.
fn typed(field: Option<&String>) -> Option<&str> {
    field.map(|s| s.trim()).filter(|s| !s.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    fn form() -> KeyForm {
        KeyForm { name: "nightly-export".into(), scopes: vec!["read".into()], ..KeyForm::default() }
    }

    #[test]
    fn a_filled_form_becomes_a_key() {
        let key = KeyForm { more_scopes: "users:write, files:read\nread".into(), allowed_ips: "203.0.113.0/24\n\n::1".into(), ..form() }
            .parse(NOW)
            .expect("valid");
        assert_eq!(key.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(), ["read", "users:write", "files:read"]);
        assert_eq!(key.allowed_ips.len(), 2);
        assert_eq!(key.expires_at, Some(NOW.plus(90 * UnixMs::DAY)));
    }

    #[test]
    fn each_error_stands_at_its_field() {
        let errors = KeyForm {
            name: " ".into(),
            kind: "restricted".into(),
            scopes: vec!["admin".into()],
            expires: "custom".into(),
            expires_at: "2001-01-01T00:00".into(),
            allowed_ips: "203.0.113.0/24\n198.51.100.0/33".into(),
            ..form()
        }
        .parse(NOW)
        .expect_err("invalid");
        let fields: Vec<_> = errors.0.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["name", "scopes", "expires_at", "allowed_ips"]);
        assert!(errors.get("allowed_ips").is_some_and(|m| m.starts_with("Line 2:")));
    }

    #[test]
    fn the_choice_of_a_resource_is_a_list_of_permissions() {
        let form = KeyForm::from_fields([
            ("name", "x"),
            ("grant.orders", "orders:read orders:write"),
            ("verb.orders", "orders:delete"),
            ("grant.files", "custom"),
            ("verb.files", "files:read"),
            ("verb.files", "files:run"),
            ("grant.users", ""),
            ("verb.users", "users:read"),
            ("scopes", "read"),
        ]);
        assert_eq!(form.scopes, ["orders:read", "orders:write", "files:read", "files:run", "read"]);
        assert_eq!(form.owner, None, "a field that was not sent stays unsaid");
    }

    #[test]
    fn a_form_is_preset_with_the_longest_expiry_that_the_tenant_allows() {
        let preset = |days| KeyForm::default().expiring_within(days, NOW);
        for (days, choice) in [(None, "90"), (Some(365), "90"), (Some(90), "90"), (Some(89), "30"), (Some(7), "7"), (Some(6), "custom")] {
            assert_eq!(preset(days).expires, choice, "{days:?}");
        }
        for days in [1, 6, 7, 29, 30, 365] {
            let key = KeyForm { name: "x".into(), scopes: vec!["read".into()], ..preset(Some(days)) }.parse(NOW).expect("valid");
            let latest = crate::Policies { max_key_lifetime_days: Some(days), ..Default::default() }.latest_expiry(NOW);
            assert!(key.expires_at > Some(NOW) && key.expires_at <= latest, "{days}");
        }
    }

    #[test]
    fn a_gateway_key_asks_for_decisions_and_nothing_else() {
        let key = KeyForm { kind: "gateway".into(), scopes: vec!["admin".into()], ..form() }.parse(NOW).expect("valid");
        assert_eq!(key.scopes, [crate::Perm::KeysVerify.scope()]);
    }
}
