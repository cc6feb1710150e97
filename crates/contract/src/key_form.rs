//! The create form: everything as typed, and its one parser for browser and server.

use crate::{AllowedIp, CreateKey, Environment, FieldErrors, FormId, KeyKind, KeyName, RateLimit, Scope, UnixMs};
use serde::{Deserialize, Serialize};

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
    /// Reads the form. `now` is the server's time; a browser passes its own to show the summary.
    pub fn parse(&self, now: UnixMs) -> Result<CreateKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = KeyName::parse(&self.name).map_err(|e| errors.add("name", "invalid", e.to_string())).ok();
        let environment = self.environment.parse().map_err(|()| errors.add("environment", "invalid", "Choose live or test.")).ok();
        let kind: Option<KeyKind> = self.kind.parse().map_err(|()| errors.add("kind", "invalid", "Choose a kind.")).ok();
        let scopes = self.read_scopes(kind, &mut errors);
        let expires_at = self.read_expiry(now, &mut errors);
        let allowed_ips = self.read_ips(&mut errors);
        let req = (|| {
            Some(CreateKey {
                name: name?,
                environment: environment?,
                kind: kind?,
                scopes,
                allowed_ips,
                not_before: None,
                expires_at,
                rate_limit: None::<RateLimit>,
                metadata: serde_json::json!({}),
                owner: None,
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
    fn a_gateway_key_asks_for_decisions_and_nothing_else() {
        let key = KeyForm { kind: "gateway".into(), scopes: vec!["admin".into()], ..form() }.parse(NOW).expect("valid");
        assert_eq!(key.scopes, [crate::Perm::KeysVerify.scope()]);
    }
}
