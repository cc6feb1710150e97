//! What a tenant demands of its keys and people, how its errors look, and how long it keeps its log.

use crate::{AppId, FieldErrors, KeyId, Origin, UnixMs, UserId, credential::words, key_body::named, origin::read_origins};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The policies of a tenant. They hold for what is made or changed from then on; what exists goes on, and is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Policies {
    /// The longest that a key may work from the day on which its expiry is set; none means for ever.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3650))]
    pub max_key_lifetime_days: Option<i64>,
    /// Whether a key may only be used from named addresses: its own, or the tenant's.
    pub require_allowlist: bool,
    /// Whether a member has to answer for each key.
    pub require_owner: bool,
    /// How long decided requests are kept; none means for ever.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3650))]
    pub retention_days: Option<i64>,
    /// Whether members need a second factor: who has none can only set one up.
    pub require_second_factor: bool,
    /// How long a session of the console goes on without a request; none means 12 hours.
    #[cfg_attr(feature = "openapi", schema(minimum = 15, maximum = 720))]
    pub session_idle_minutes: Option<i64>,
    /// How long whoever signed in stays so at most, in the console and over the API; none means 7 days.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 168))]
    pub session_lifetime_hours: Option<i64>,
    /// The form of errors for requests with a credential of the tenant; none means the installation's.
    pub error_form: Option<ErrorForm>,
    /// Origins whose scripts may call `/v1` from a browser and read what a credential of the tenant is answered.
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub allowed_origins: Vec<Origin>,
    /// What the tenant's API calls itself in the `aud` of JWTs that apps sign: they are taken as meant for this installation.
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub token_audiences: Vec<String>,
}

words! {
    /// The two forms of an error body.
    ErrorForm {
        /// RFC 9457 and the shapes of the guides in one object.
        Standard = "standard",
        /// `{"error","message","request_id"}`.
        Flat = "flat",
    }
}

/// How long people stay signed in, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Without a request.
    pub idle: i64,
    /// In any case.
    pub absolute: i64,
}

impl Lifetime {
    /// The longest that there is, and what holds where no policy says otherwise.
    pub const LONGEST: Self = Self { idle: 12 * HOUR, absolute: 7 * UnixMs::DAY };

    /// When what began then and was used then ends.
    pub fn ends(self, began: UnixMs, used: UnixMs) -> UnixMs {
        used.plus(self.idle).min(began.plus(self.absolute))
    }
}

const HOUR: i64 = 3_600_000;

impl Policies {
    /// How long people stay signed in.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            idle: self.session_idle_minutes.map_or(Lifetime::LONGEST.idle, |n| n * 60_000),
            absolute: self.session_lifetime_hours.map_or(Lifetime::LONGEST.absolute, |n| n * HOUR),
        }
    }
}

impl Policies {
    /// When a key expires at the latest whose expiry is set now.
    pub fn latest_expiry(&self, now: UnixMs) -> Option<UnixMs> {
        self.max_key_lifetime_days.map(|days| now.plus(days * UnixMs::DAY))
    }

    /// How many days an app may go on without its person: not longer than a key works.
    pub fn refresh_days(&self, asked: i64) -> i64 {
        asked.min(self.max_key_lifetime_days.unwrap_or(asked))
    }
}

/// What a tenant demands of the keys that are made in it, for whoever makes one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRules {
    /// Days within which they expire.
    pub max_lifetime_days: Option<i64>,
    /// Whether they name the addresses from which they are used.
    pub require_allowlist: bool,
    /// Whether the tenant's own list does that for live keys.
    pub tenant_list: bool,
}

/// The bounds of what is counted: the member, from, to, and in which unit.
const BOUNDS: [(&str, i64, i64, &str); 4] = [
    ("max_key_lifetime_days", 1, 3650, "days"),
    ("retention_days", 1, 3650, "days"),
    ("session_idle_minutes", 15, 720, "minutes"),
    ("session_lifetime_hours", 1, 168, "hours"),
];

/// A number within the bounds of its member, or what is wrong with it.
fn bounded(field: &str, n: i64, none: &str, errors: &mut FieldErrors) -> Option<i64> {
    let (_, from, to, unit) = BOUNDS.into_iter().find(|(name, ..)| *name == field)?;
    if (from..=to).contains(&n) {
        return Some(n);
    }
    let to = if to == 3650 { "3,650".to_owned() } else { to.to_string() };
    errors.add(field, "invalid", format!("{from} to {to} {unit}, or {none}."));
    None
}

/// `PATCH /v1/settings`: what is absent stays, `null` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PoliciesBody {
    /// The longest that a key may work.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1, maximum = 3650))]
    #[serde(deserialize_with = "named")]
    pub max_key_lifetime_days: Option<Option<i64>>,
    /// Whether a key may only be used from named addresses.
    pub require_allowlist: Option<bool>,
    /// Whether a member has to answer for each key.
    pub require_owner: Option<bool>,
    /// How long decided requests are kept.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1, maximum = 3650))]
    #[serde(deserialize_with = "named")]
    pub retention_days: Option<Option<i64>>,
    /// Whether members need a second factor.
    pub require_second_factor: Option<bool>,
    /// How long a session of the console goes on without a request.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 15, maximum = 720))]
    #[serde(deserialize_with = "named")]
    pub session_idle_minutes: Option<Option<i64>>,
    /// How long whoever signed in stays so at most.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1, maximum = 168))]
    #[serde(deserialize_with = "named")]
    pub session_lifetime_hours: Option<Option<i64>>,
    /// The form of errors.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<ErrorForm>))]
    #[serde(deserialize_with = "named")]
    pub error_form: Option<Option<ErrorForm>>,
    /// Origins whose scripts may call `/v1` from a browser: https, or http on a loopback host, and no path.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Origin>>, max_items = 20))]
    #[serde(deserialize_with = "named")]
    pub allowed_origins: Option<Option<Vec<String>>>,
    /// What the tenant's API calls itself in the `aud` of JWTs that apps sign.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>, max_items = 20))]
    #[serde(deserialize_with = "named")]
    pub token_audiences: Option<Option<Vec<String>>>,
}

/// Most audiences of a tenant, and the longest.
const AUDIENCES: (usize, usize) = (20, 200);

/// Names of an API: printable, without spaces.
fn read_audiences<'a>(words: impl Iterator<Item = &'a str>, errors: &mut FieldErrors) -> Vec<String> {
    let mut audiences: Vec<String> = Vec::new();
    for word in words.map(str::trim) {
        if word.is_empty() || word.len() > AUDIENCES.1 || !word.bytes().all(|b| b.is_ascii_graphic()) {
            errors.add(
                "token_audiences",
                "invalid",
                format!("A name of 1 to {} characters without spaces, such as ACME_API.", AUDIENCES.1),
            );
        } else if !audiences.iter().any(|known| known == word) {
            audiences.push(word.to_owned());
        }
    }
    if audiences.len() > AUDIENCES.0 {
        errors.add("token_audiences", "too_long", format!("At most {} audiences.", AUDIENCES.0));
    }
    audiences
}

impl PoliciesBody {
    /// The policies once this is applied to `before`.
    pub fn apply(&self, before: &Policies) -> Result<Policies, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut checked = |field: &str, asked: Option<Option<i64>>, before: Option<i64>| match asked {
            Some(asked) => asked.and_then(|n| bounded(field, n, "none", &mut errors)),
            None => before,
        };
        let after = Policies {
            max_key_lifetime_days: checked("max_key_lifetime_days", self.max_key_lifetime_days, before.max_key_lifetime_days),
            retention_days: checked("retention_days", self.retention_days, before.retention_days),
            session_idle_minutes: checked("session_idle_minutes", self.session_idle_minutes, before.session_idle_minutes),
            session_lifetime_hours: checked("session_lifetime_hours", self.session_lifetime_hours, before.session_lifetime_hours),
            require_allowlist: self.require_allowlist.unwrap_or(before.require_allowlist),
            require_owner: self.require_owner.unwrap_or(before.require_owner),
            require_second_factor: self.require_second_factor.unwrap_or(before.require_second_factor),
            error_form: self.error_form.unwrap_or(before.error_form),
            allowed_origins: match &self.allowed_origins {
                Some(asked) => read_origins(asked.iter().flatten().map(String::as_str), &mut errors),
                None => before.allowed_origins.clone(),
            },
            token_audiences: match &self.token_audiences {
                Some(asked) => read_audiences(asked.iter().flatten().map(String::as_str), &mut errors),
                None => before.token_audiences.clone(),
            },
        };
        errors.into_result(Some(after))
    }
}

/// The form of the policies, as a browser sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoliciesForm {
    /// `review` or `save`.
    pub act: String,
    /// Days, or empty.
    pub max_key_lifetime_days: String,
    /// There if it is ticked.
    pub require_allowlist: Option<String>,
    /// There if it is ticked.
    pub require_owner: Option<String>,
    /// Days, or empty.
    pub retention_days: String,
    /// There if it is ticked.
    pub require_second_factor: Option<String>,
    /// Minutes, or empty.
    pub session_idle_minutes: String,
    /// Hours, or empty.
    pub session_lifetime_hours: String,
    /// A form, or empty.
    pub error_form: String,
    /// Origins, one a line.
    pub allowed_origins: String,
    /// Audiences, one a line.
    pub token_audiences: String,
    /// The policies whose consequences were shown.
    pub reviewed: String,
}

impl PoliciesForm {
    /// What is asked for.
    pub fn parse(&self) -> Result<Policies, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut number = |field: &str, text: &str| match text.trim() {
            "" => None,
            // What is no number is out of bounds, too.
            text => bounded(field, text.parse().unwrap_or(-1), "nothing", &mut errors),
        };
        let mut asked = Policies {
            max_key_lifetime_days: number("max_key_lifetime_days", &self.max_key_lifetime_days),
            retention_days: number("retention_days", &self.retention_days),
            session_idle_minutes: number("session_idle_minutes", &self.session_idle_minutes),
            session_lifetime_hours: number("session_lifetime_hours", &self.session_lifetime_hours),
            require_allowlist: self.require_allowlist.is_some(),
            require_owner: self.require_owner.is_some(),
            require_second_factor: self.require_second_factor.is_some(),
            error_form: None,
            allowed_origins: read_origins(self.allowed_origins.lines().filter(|line| !line.trim().is_empty()), &mut errors),
            token_audiences: read_audiences(self.token_audiences.lines().filter(|line| !line.trim().is_empty()), &mut errors),
        };
        match self.error_form.as_str() {
            "" => {}
            text => match text.parse() {
                Ok(form) => asked.error_form = Some(form),
                Err(()) => errors.add("error_form", "invalid", "Choose one of the forms."),
            },
        }
        errors.into_result(Some(asked))
    }
}

impl From<&Policies> for PoliciesForm {
    fn from(p: &Policies) -> Self {
        let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
        let ticked = |on: bool| on.then(|| "1".to_owned());
        Self {
            max_key_lifetime_days: number(p.max_key_lifetime_days),
            require_allowlist: ticked(p.require_allowlist),
            require_owner: ticked(p.require_owner),
            retention_days: number(p.retention_days),
            require_second_factor: ticked(p.require_second_factor),
            session_idle_minutes: number(p.session_idle_minutes),
            session_lifetime_hours: number(p.session_lifetime_hours),
            error_form: p.error_form.map(|f| f.to_string()).unwrap_or_default(),
            allowed_origins: p.allowed_origins.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            token_audiences: p.token_audiences.join("\n"),
            ..Self::default()
        }
    }
}

words! {
    /// A demand on keys.
    KeyPolicy {
        /// It works for too long.
        MaxLifetime = "max_key_lifetime_days",
        /// It works from anywhere.
        Allowlist = "require_allowlist",
        /// Nobody answers for it.
        Owner = "require_owner",
    }
}

/// A key that does not meet what is demanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violation {
    /// The key.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// What it does not meet.
    pub policies: Vec<KeyPolicy>,
}

/// An app that does not meet what is demanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppViolation {
    /// The app.
    pub id: AppId,
    /// Its name.
    pub name: String,
    /// What it does not meet.
    pub policies: Vec<KeyPolicy>,
}

/// A member who has to set up a second factor before they go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unenrolled {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
}

/// Keys and people that do not meet what is demanded, and what retention would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violations {
    /// How many keys.
    pub total: i64,
    /// The first of them, newest first.
    pub first: Vec<Violation>,
    /// Decided requests that are older than they are to be kept.
    pub outdated_events: i64,
    /// How many members have to set up a second factor.
    pub unenrolled_total: i64,
    /// The first of them by address, for callers who may see members.
    pub unenrolled: Vec<Unenrolled>,
    /// How many apps.
    pub apps_total: i64,
    /// The first of them, newest first, for callers who may see apps.
    pub apps: Vec<AppViolation>,
}

impl Violations {
    /// Does nothing and nobody have to change?
    pub const fn none(&self) -> bool {
        self.total == 0 && self.unenrolled_total == 0 && self.apps_total == 0
    }
}

/// What saving policies would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReview {
    /// The policies as they are.
    pub before: Policies,
    /// The policies as they would be.
    pub after: Policies,
    /// Who and what would not meet them, and what would be removed.
    pub violations: Violations,
    /// Sessions of the console that would end at once.
    pub sessions_ending: i64,
    /// Sign-ins over the API that would end at once.
    pub logins_ending: i64,
}

/// `GET /v1/settings`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantSettings {
    /// What is demanded.
    #[serde(flatten)]
    pub policies: Policies,
    /// What does not meet it now.
    pub violations: Violations,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays_and_null_clears() {
        let before = Policies { max_key_lifetime_days: Some(90), require_owner: true, ..Policies::default() };
        let body: PoliciesBody = serde_json::from_str(r#"{"max_key_lifetime_days":null,"retention_days":30}"#).expect("reads");
        let after = body.apply(&before).expect("valid");
        assert_eq!(after, Policies { require_owner: true, retention_days: Some(30), ..Policies::default() });
        let bad = r#"{"max_key_lifetime_days":0,"retention_days":4000,"session_idle_minutes":14,"session_lifetime_hours":169}"#;
        let bad: PoliciesBody = serde_json::from_str(bad).expect("reads");
        assert_eq!(bad.apply(&before).expect_err("refused").0.len(), 4);
    }

    #[test]
    fn a_form_reads_back_what_it_shows() {
        let policies = Policies {
            max_key_lifetime_days: Some(90),
            require_allowlist: true,
            session_idle_minutes: Some(15),
            error_form: Some(ErrorForm::Flat),
            require_second_factor: true,
            allowed_origins: ["https://a.test", "http://localhost:5173"].map(|o| Origin::parse(o).expect("an origin")).into(),
            ..Policies::default()
        };
        assert_eq!(PoliciesForm::from(&policies).parse(), Ok(policies));
        let bad = PoliciesForm { retention_days: "a year".into(), error_form: "loud".into(), ..PoliciesForm::default() };
        assert!(bad.parse().is_err_and(|e| e.get("retention_days").is_some() && e.get("error_form").is_some()));
    }

    #[test]
    fn people_stay_signed_in_for_twelve_hours_and_a_week_unless_a_policy_says_less() {
        assert_eq!(Policies::default().lifetime(), Lifetime::LONGEST);
        let short = Policies { session_idle_minutes: Some(15), session_lifetime_hours: Some(1), ..Policies::default() }.lifetime();
        let at = |minutes: i64| UnixMs(0).plus(minutes * 60_000);
        assert_eq!((short.ends(at(0), at(10)), short.ends(at(0), at(50))), (at(25), at(60)));
    }
}
