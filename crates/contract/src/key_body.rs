//! The JSON bodies of `/v1/api-keys` as they are sent, and their parsers. Whatever is no member here is refused: what
//! the server decides (state, prefix, who made it) cannot be sent (s35).

use crate::{
    AllowedIp, CreateKey, Environment, FieldErrors, KeyForm, KeyId, KeyKind, KeyName, Perm, RateLimit, Scope, UnixMs, key::UpdateKey,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Most scopes of one key.
const SCOPES: usize = 100;
/// Most addresses and networks of one allowlist.
const ADDRESSES: usize = 100;
/// Largest metadata, in bytes of compact JSON.
const METADATA: usize = 16 * 1024;
/// The last instant that every client can write: the end of the year 9999.
const FAR: UnixMs = UnixMs(253_402_300_799_999);
/// A whole number beyond this does not survive JavaScript.
const SAFE: i64 = 1 << 53;

/// `POST /v1/api-keys`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CreateKeyBody {
    /// What calls with it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = KeyName))]
    pub name: Option<String>,
    /// What it may do.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Scope>>, max_items = 100))]
    pub scopes: Option<Vec<String>>,
    /// Live or test; none means the maker's.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Environment>))]
    pub environment: Option<String>,
    /// What it is for; none means `secret`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<KeyKind>))]
    pub kind: Option<String>,
    /// Until when.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    pub expires_at: Option<String>,
    /// The same, counted from now.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 36500))]
    pub expires_in_days: Option<i64>,
    /// From when.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    pub not_before: Option<String>,
    /// From where.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<AllowedIp>>, max_items = 100))]
    pub allowed_ips: Option<Vec<String>>,
    /// How often.
    pub rate_limit: Option<RateLimit>,
    /// A JSON object.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Value>,
    /// Who answers for it: a member's address or id.
    pub owner: Option<String>,
    /// Whether it acts for the whole installation.
    pub platform: Option<bool>,
}

/// `PATCH /v1/api-keys/{id}`: what is absent stays, `null` clears.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateKeyBody {
    /// What calls with it.
    #[cfg_attr(feature = "openapi", schema(value_type = KeyName))]
    #[serde(deserialize_with = "named")]
    pub name: Option<Option<String>>,
    /// What it may do.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Scope>, max_items = 100))]
    #[serde(deserialize_with = "named")]
    pub scopes: Option<Option<Vec<String>>>,
    /// From where; `null` means from anywhere.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<AllowedIp>>, max_items = 100))]
    #[serde(deserialize_with = "named")]
    pub allowed_ips: Option<Option<Vec<String>>>,
    /// Until when; `null` means until it is revoked.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    #[serde(deserialize_with = "named")]
    pub expires_at: Option<Option<String>>,
    /// From when; `null` means at once.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    #[serde(deserialize_with = "named")]
    pub not_before: Option<Option<String>>,
    /// How often; `null` means the plan's limit.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<RateLimit>))]
    #[serde(deserialize_with = "named")]
    pub rate_limit: Option<Option<RateLimit>>,
    /// A JSON object; `null` empties it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    #[serde(deserialize_with = "named")]
    pub metadata: Option<Option<Value>>,
    /// Who answers for it; `null` means nobody.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(deserialize_with = "named")]
    pub owner: Option<Option<String>>,
}

/// `POST /v1/api-keys/import`: a key that another system made.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ImportKeyBody {
    /// What calls with it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = KeyName))]
    pub name: Option<String>,
    /// What it may do.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Vec<Scope>, max_items = 100))]
    pub scopes: Option<Vec<String>>,
    /// Live or test; none means the maker's.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Environment>))]
    pub environment: Option<String>,
    /// `secret` (if none is named) or `restricted`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<KeyKind>))]
    pub kind: Option<String>,
    /// Until when.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    pub expires_at: Option<String>,
    /// The same, counted from now.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 36500))]
    pub expires_in_days: Option<i64>,
    /// From when.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    pub not_before: Option<String>,
    /// From where.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<AllowedIp>>, max_items = 100))]
    pub allowed_ips: Option<Vec<String>>,
    /// How often.
    pub rate_limit: Option<RateLimit>,
    /// A JSON object.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Value>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// SHA-256 of the whole key, 64 hexadecimal digits; `sha256:` may stand before it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = String, pattern = "^(sha256:)?[0-9a-fA-F]{64}$"))]
    pub digest: Option<String>,
    /// How the key begins, for people to recognise it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = String, min_length = 1, max_length = 16))]
    pub prefix: Option<String>,
    /// How it ends.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = String, min_length = 4, max_length = 4))]
    pub last_four: Option<String>,
}

/// A key of another system, ready to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportKey {
    /// What the key shall be.
    pub key: CreateKey,
    /// SHA-256 of the whole key.
    pub sha256: [u8; 32],
    /// How it begins.
    pub prefix: String,
    /// How it ends.
    pub last_four: String,
}

/// `POST /v1/api-keys/{id}/rotate`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RotateBody {
    /// How long the old secret goes on working; none means not at all.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 604_800))]
    pub grace_seconds: Option<i64>,
}

impl RotateBody {
    /// The longest overlap: 7 days.
    pub const MAX_GRACE: i64 = 604_800;

    /// The overlap in seconds.
    pub fn grace(&self) -> Result<i64, FieldErrors> {
        let seconds = self.grace_seconds.unwrap_or(0);
        if (0..=Self::MAX_GRACE).contains(&seconds) {
            Ok(seconds)
        } else {
            Err(FieldErrors::one("grace_seconds", "invalid", format!("0 to {} seconds (7 days).", Self::MAX_GRACE)))
        }
    }
}

/// `{reason}` of a revocation.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ReasonBody {
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// `{}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

/// `POST /v1/api-keys/bulk-revoke`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BulkRevokeBody {
    /// Which keys.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Vec<KeyId>, min_items = 1, max_items = 1000))]
    pub ids: Vec<String>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

impl BulkRevokeBody {
    /// Most keys of one call.
    pub const MAX: usize = 1_000;

    /// The ids. What is no id of a key names no key of this tenant either: that is `None`, and answered as such.
    pub fn ids(&self) -> Result<Option<Vec<KeyId>>, FieldErrors> {
        match self.ids.len() {
            0 => Err(FieldErrors::one("ids", "required", "Name at least one key.")),
            n if n > Self::MAX => Err(FieldErrors::one("ids", "too_long", format!("At most {} keys.", Self::MAX))),
            _ => Ok(self.ids.iter().map(|id| id.parse().ok()).collect()),
        }
    }
}

/// A member that is present, be it `null`.
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

impl CreateKeyBody {
    /// Reads the body; `environment` is what a maker who names none means.
    pub fn parse(&self, now: UnixMs, environment: Environment) -> Result<CreateKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = read_name(self.name.as_deref(), &mut errors);
        let kind = match self.kind.as_deref() {
            None => Some(KeyKind::Secret),
            Some(word) => word.parse().map_err(|()| errors.add("kind", "invalid", "One of secret, restricted, tenant and gateway.")).ok(),
        };
        let environment = match self.environment.as_deref() {
            None => Some(environment),
            Some(word) => word.parse().map_err(|()| errors.add("environment", "invalid", "live or test.")).ok(),
        };
        let scopes = if kind == Some(KeyKind::Gateway) && self.scopes.as_ref().is_none_or(Vec::is_empty) {
            vec![Perm::KeysVerify.scope()]
        } else {
            read_scopes(self.scopes.as_deref().unwrap_or_default(), &mut errors)
        };
        if kind == Some(KeyKind::Restricted) && scopes.iter().any(Scope::is_admin) {
            errors.add("scopes", "not_permitted", "A restricted key never holds admin.");
        }
        let expires_at = match (&self.expires_at, self.expires_in_days) {
            (Some(_), Some(_)) => {
                errors.add("expires_in_days", "invalid", "Give expires_at or expires_in_days, not both.");
                None
            }
            (Some(at), None) => read_expiry(at, now, &mut errors),
            (None, Some(days @ 1..=36_500)) => Some(now.plus(days * UnixMs::DAY)),
            (None, Some(_)) => {
                errors.add("expires_in_days", "invalid", "1 to 36500 days.");
                None
            }
            (None, None) => None,
        };
        let not_before = self.not_before.as_deref().and_then(|t| read_time("not_before", t, &mut errors));
        check_order(not_before, expires_at, &mut errors);
        let allowed_ips = read_ips(self.allowed_ips.as_deref().unwrap_or_default(), &mut errors);
        check_rate_limit(self.rate_limit, &mut errors);
        let metadata = read_metadata(self.metadata.as_ref(), &mut errors);
        let owner = self.owner.as_deref().and_then(|o| read_owner(o, &mut errors));
        let (rate_limit, platform) = (self.rate_limit, self.platform.unwrap_or_default());
        let req = name.zip(kind).zip(environment).map(|((name, kind), environment)| CreateKey {
            name,
            environment,
            kind,
            scopes,
            allowed_ips,
            not_before,
            expires_at,
            rate_limit,
            metadata,
            owner,
            platform,
        });
        errors.into_result(req)
    }
}

impl UpdateKeyBody {
    /// Reads the body.
    pub fn parse(&self) -> Result<UpdateKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = self.name.as_ref().and_then(|n| read_name(n.as_deref(), &mut errors));
        let scopes = self.scopes.as_ref().map(|s| read_scopes(s.as_deref().unwrap_or_default(), &mut errors));
        let allowed_ips = self.allowed_ips.as_ref().map(|ips| read_ips(ips.as_deref().unwrap_or_default(), &mut errors));
        let mut time =
            |field: &str, t: &Option<Option<String>>| t.as_ref().map(|t| t.as_deref().and_then(|t| read_time(field, t, &mut errors)));
        let (expires_at, not_before) = (time("expires_at", &self.expires_at), time("not_before", &self.not_before));
        check_rate_limit(self.rate_limit.flatten(), &mut errors);
        let metadata = self.metadata.as_ref().map(|m| read_metadata(m.as_ref(), &mut errors));
        let owner = self.owner.as_ref().map(|o| o.as_deref().and_then(|o| read_owner(o, &mut errors)));
        let update = UpdateKey { name, scopes, allowed_ips, expires_at, not_before, rate_limit: self.rate_limit, metadata, owner };
        errors.into_result(Some(update))
    }
}

impl ImportKeyBody {
    /// Reads the body.
    pub fn parse(self, now: UnixMs, environment: Environment) -> Result<ImportKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let digest = self.digest.as_deref().unwrap_or_default().trim();
        let sha256 = read_hex(digest.strip_prefix("sha256:").unwrap_or(digest));
        if sha256.is_none() {
            let code = if digest.is_empty() { "required" } else { "invalid" };
            errors.add(
                "digest",
                code,
                "SHA-256 of the whole key as 64 hexadecimal digits, such as `printf %s \"$KEY\" | sha256sum` prints.",
            );
        }
        let visible = |s: &str, from: usize, to: usize| (from..=to).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_graphic());
        let prefix = self.prefix.unwrap_or_default();
        if !visible(&prefix, 1, 16) {
            errors.add("prefix", if prefix.is_empty() { "required" } else { "invalid" }, "How the key begins: 1 to 16 visible characters.");
        }
        let last_four = self.last_four.unwrap_or_default();
        if !visible(&last_four, 4, 4) {
            errors.add("last_four", if last_four.is_empty() { "required" } else { "invalid" }, "The last four characters of the key.");
        }
        if matches!(self.kind.as_deref(), Some("tenant" | "gateway")) {
            errors.add("kind", "not_permitted", "Keys of other systems are secret or restricted.");
        }
        let key = CreateKeyBody {
            name: self.name,
            scopes: self.scopes,
            environment: self.environment,
            kind: self.kind,
            expires_at: self.expires_at,
            expires_in_days: self.expires_in_days,
            not_before: self.not_before,
            allowed_ips: self.allowed_ips,
            rate_limit: self.rate_limit,
            metadata: self.metadata,
            owner: self.owner,
            platform: None,
        };
        let key =
            key.parse(now, environment).map_err(|more| more.0.into_iter().for_each(|e| errors.add(&e.field, &e.code, e.message))).ok();
        let import = key.zip(sha256).map(|(key, sha256)| ImportKey { key, sha256, prefix, last_four });
        errors.into_result(import)
    }
}

impl KeyForm {
    /// What the edit form changes: everything on it. Members that the form does not have stay as they are.
    pub fn parse_update(&self, now: UnixMs) -> Result<UpdateKey, FieldErrors> {
        let new = self.parse(now)?;
        let shown = |field: &Option<String>| field.is_some();
        Ok(UpdateKey {
            name: Some(new.name),
            scopes: Some(new.scopes),
            allowed_ips: Some(new.allowed_ips),
            expires_at: Some(new.expires_at),
            not_before: shown(&self.not_before).then_some(new.not_before),
            rate_limit: shown(&self.per_hour).then_some(new.rate_limit),
            metadata: shown(&self.metadata).then_some(new.metadata),
            owner: shown(&self.owner).then_some(new.owner),
        })
    }
}

fn read_name(name: Option<&str>, errors: &mut FieldErrors) -> Option<KeyName> {
    let name = name.unwrap_or_default();
    let code = if name.trim().is_empty() { "required" } else { "invalid" };
    KeyName::parse(name).map_err(|e| errors.add("name", code, e.to_string())).ok()
}

fn read_scopes(words: &[String], errors: &mut FieldErrors) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = Vec::new();
    if words.len() > 2 * SCOPES {
        errors.add("scopes", "too_long", format!("At most {SCOPES} permissions."));
        return scopes;
    }
    for word in words {
        match Scope::parse(word) {
            Ok(s) if scopes.contains(&s) => {}
            Ok(s) => scopes.push(s),
            Err(e) => errors.add("scopes", "invalid", format!("“{}” is not a permission: {e}.", cut(word))),
        }
    }
    if words.is_empty() {
        errors.add("scopes", "required", "Name at least one permission.");
    }
    if scopes.len() > SCOPES {
        errors.add("scopes", "too_long", format!("At most {SCOPES} permissions."));
    }
    scopes
}

/// Reads an allowlist; each error names the entry and, where there is one, its corrected form (s42).
pub fn read_ips(words: &[String], errors: &mut FieldErrors) -> Vec<AllowedIp> {
    let mut ips: Vec<AllowedIp> = Vec::new();
    if words.len() > 2 * ADDRESSES {
        errors.add("allowed_ips", "too_long", format!("At most {ADDRESSES} addresses and networks."));
        return ips;
    }
    for word in words {
        match AllowedIp::parse(&cut(word)) {
            Ok(ip) if ips.contains(&ip) => {}
            Ok(ip) => ips.push(ip),
            Err(e) => errors.add("allowed_ips", "invalid", e.to_string()),
        }
    }
    if ips.len() > ADDRESSES {
        errors.add("allowed_ips", "too_long", format!("At most {ADDRESSES} addresses and networks."));
    }
    ips
}

fn read_expiry(at: &str, now: UnixMs, errors: &mut FieldErrors) -> Option<UnixMs> {
    let at = read_time("expires_at", at, errors)?;
    if at <= now {
        errors.add("expires_at", "invalid", "This time has passed.");
    }
    Some(at)
}

/// RFC 3339, between 1970 and 9999.
fn read_time(field: &str, t: &str, errors: &mut FieldErrors) -> Option<UnixMs> {
    let read = UnixMs::parse(t).filter(|t| (UnixMs(0)..=FAR).contains(t));
    if read.is_none() {
        errors.add(field, "invalid", "A time such as 2027-01-31T12:00:00Z.");
    }
    read
}

/// A key must be able to work at some time.
pub(crate) fn check_order(not_before: Option<UnixMs>, expires_at: Option<UnixMs>, errors: &mut FieldErrors) {
    if let (Some(from), Some(until)) = (not_before, expires_at)
        && from >= until
    {
        errors.add("not_before", "invalid", "The key would expire before it begins to work.");
    }
}

pub(crate) fn check_rate_limit(limit: Option<RateLimit>, errors: &mut FieldErrors) {
    let Some(limit) = limit else { return };
    if !(1..=1_000_000_000).contains(&limit.per_hour) {
        errors.add("rate_limit.per_hour", "invalid", "1 to 1000000000 requests an hour.");
    }
    if !(1..=1_000_000).contains(&limit.per_second) {
        errors.add("rate_limit.per_second", "invalid", "1 to 1000000 requests a second.");
    }
}

/// An object of at most 16 kB that both databases and JavaScript keep as it is.
pub(crate) fn read_metadata(given: Option<&Value>, errors: &mut FieldErrors) -> Value {
    let empty = || Value::Object(serde_json::Map::new());
    let Some(given) = given.filter(|v| !v.is_null()) else { return empty() };
    let mut metadata = given.clone();
    if !metadata.is_object() {
        errors.add("metadata", "invalid", "A JSON object.");
    } else if let Err(why) = tidy(&mut metadata, 0) {
        errors.add("metadata", "invalid", why);
    } else if metadata.to_string().len() > METADATA {
        errors.add("metadata", "too_long", "At most 16 kB of JSON.");
    }
    metadata
}

/// Writes whole numbers as JavaScript does, and refuses what a database or JavaScript would change.
fn tidy(v: &mut Value, depth: usize) -> Result<(), &'static str> {
    const NUL: &str = "The character U+0000 cannot be stored.";
    if depth > 32 {
        return Err("At most 32 levels deep.");
    }
    match v {
        Value::String(s) if s.contains('\0') => Err(NUL),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(n) => {
            if let Some(whole) = n.as_i64() {
                return if whole.unsigned_abs() <= SAFE.unsigned_abs() {
                    Ok(())
                } else {
                    Err("Whole numbers beyond 2^53 do not survive JavaScript: send them as text.")
                };
            }
            match n.as_f64() {
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "whole and within 2^53")]
                Some(f) if f.fract() == 0.0 && f.abs() <= SAFE as f64 => {
                    *n = (f as i64).into();
                    Ok(())
                }
                // Between these, JavaScript and Rust write the same digits.
                Some(f) if (1e-5..1e16).contains(&f.abs()) => Ok(()),
                _ => Err("Numbers this large or small do not survive JavaScript: send them as text."),
            }
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| tidy(item, depth + 1)),
        Value::Object(members) => {
            if members.keys().any(|k| k.contains('\0')) {
                return Err(NUL);
            }
            members.values_mut().try_for_each(|item| tidy(item, depth + 1))
        }
    }
}

fn read_owner(owner: &str, errors: &mut FieldErrors) -> Option<String> {
    let owner = owner.trim();
    if owner.is_empty() || owner.len() > 254 || owner.chars().any(char::is_control) {
        errors.add("owner", "invalid", "The address or the id of a member.");
        return None;
    }
    Some(owner.to_owned())
}

fn read_hex(s: &str) -> Option<[u8; 32]> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes: Vec<u8> = s.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Option<_>>()?;
    if s.len() == 64 { bytes.try_into().ok() } else { None }
}

/// Enough of what was sent to recognise it in a message.
fn cut(s: &str) -> String {
    if s.chars().count() <= 64 { s.to_owned() } else { s.chars().take(63).chain(['…']).collect() }
}

/// The words of a revocation: at most 500 characters, nothing that a terminal or a database would trip over.
pub fn read_reason(reason: Option<&str>) -> Result<Option<String>, FieldErrors> {
    let reason = reason.unwrap_or_default().trim();
    if reason.chars().count() > 500 {
        return Err(FieldErrors::one("reason", "too_long", "At most 500 characters."));
    }
    if reason.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
        return Err(FieldErrors::one("reason", "invalid", "Control characters are not allowed."));
    }
    Ok(Some(reason.to_owned()).filter(|r| !r.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    fn read(body: Value) -> Result<CreateKey, Vec<(String, String)>> {
        let body: CreateKeyBody = serde_json::from_value(body).map_err(|e| vec![("json".to_owned(), e.to_string())])?;
        body.parse(NOW, Environment::Live).map_err(|e| e.0.into_iter().map(|e| (e.field, e.code)).collect())
    }

    #[test]
    fn a_whole_body_becomes_a_key() {
        let key = read(json!({
            "name": " jobs ", "scopes": ["users:read", "users:read"], "environment": "test", "kind": "restricted", "expires_in_days": 2,
            "not_before": "2023-11-15T00:00:00Z", "allowed_ips": ["203.0.113.0/24", "::ffff:198.51.100.7"],
            "rate_limit": {"per_hour": 5, "per_second": 1}, "metadata": {"team": "core", "n": 2.0}, "owner": "a@b.test"
        }))
        .expect("valid");
        assert_eq!((key.name.as_str(), key.scopes.len(), key.environment, key.kind), ("jobs", 1, Environment::Test, KeyKind::Restricted));
        assert_eq!((key.expires_at, key.allowed_ips[1].to_string().as_str()), (Some(NOW.plus(2 * UnixMs::DAY)), "198.51.100.7"));
        assert_eq!(key.metadata.to_string(), r#"{"n":2,"team":"core"}"#);
    }

    #[test]
    fn each_wrong_member_is_named() {
        for (extra, field) in [
            (json!({"name": null}), "name"),
            (json!({"name": "a\nb"}), "name"),
            (json!({"scopes": []}), "scopes"),
            (json!({"scopes": ["A B"]}), "scopes"),
            (json!({"scopes": ["admin"], "kind": "restricted"}), "scopes"),
            (json!({"kind": "x"}), "kind"),
            (json!({"environment": "staging"}), "environment"),
            (json!({"expires_at": "yesterday"}), "expires_at"),
            (json!({"expires_at": "2001-01-01T00:00:00Z"}), "expires_at"),
            (json!({"expires_in_days": 0}), "expires_in_days"),
            (json!({"expires_in_days": 1, "expires_at": "2030-01-01T00:00:00Z"}), "expires_in_days"),
            (json!({"not_before": "2031-01-01T00:00:00Z", "expires_at": "2030-01-01T00:00:00Z"}), "not_before"),
            (json!({"allowed_ips": ["198.51.100.7/24"]}), "allowed_ips"),
            (json!({"rate_limit": {"per_hour": 0, "per_second": 1}}), "rate_limit.per_hour"),
            (json!({"metadata": [1]}), "metadata"),
            (json!({"metadata": {"a": "x\u{0}"}}), "metadata"),
            (json!({"metadata": {"a": "x".repeat(17_000)}}), "metadata"),
            (json!({"metadata": {"a": 9_007_199_254_740_993_i64}}), "metadata"),
            (json!({"owner": " "}), "owner"),
        ] {
            let mut body = json!({"name": "k", "scopes": ["read"]});
            for (k, v) in extra.as_object().expect("an object") {
                body[k] = v.clone();
            }
            let refused = read(body).expect_err(field);
            assert_eq!(refused[0].0, field, "{extra}: {refused:?}");
        }
        assert_eq!(read(json!({})).expect_err("empty").iter().map(|e| e.0.as_str()).collect::<Vec<_>>(), ["name", "scopes"]);
    }

    #[test]
    fn s35_what_the_server_decides_cannot_be_sent() {
        for member in ["id", "tenant_id", "state", "prefix", "last_four", "created_at", "created_by", "revoked_at", "key", "digest"] {
            let mut body = json!({"name": "k", "scopes": ["read"]});
            body[member] = json!("x");
            assert_eq!(read(body.clone()).expect_err(member)[0].0, "json", "{member}");
            assert!(serde_json::from_value::<UpdateKeyBody>(json!({member: "x"})).is_err(), "{member}");
        }
        for member in ["kind", "environment", "platform", "last_used_at"] {
            assert!(serde_json::from_value::<UpdateKeyBody>(json!({member: "x"})).is_err(), "{member}");
        }
    }

    #[test]
    fn in_an_update_absent_stays_and_null_clears() {
        let read = |v: Value| serde_json::from_value::<UpdateKeyBody>(v).expect("readable").parse();
        assert_eq!(read(json!({})), Ok(UpdateKey::default()));
        let cleared =
            read(json!({"allowed_ips": null, "expires_at": null, "rate_limit": null, "metadata": null, "owner": null})).expect("valid");
        assert_eq!((cleared.allowed_ips, cleared.expires_at, cleared.rate_limit), (Some(vec![]), Some(None), Some(None)));
        assert_eq!((cleared.metadata, cleared.owner), (Some(json!({})), Some(None)));
        for required in ["name", "scopes"] {
            assert_eq!(read(json!({required: null})).expect_err(required).0[0].code, "required");
        }
    }

    #[test]
    fn an_import_brings_the_digest_of_the_whole_key() {
        let body = |digest: &str| ImportKeyBody {
            name: Some("old".into()),
            scopes: Some(vec!["read".into()]),
            digest: Some(digest.into()),
            prefix: Some("acme_".into()),
            last_four: Some("9xyz".into()),
            ..ImportKeyBody::default()
        };
        let hex = "00ff".repeat(16);
        assert_eq!(body(&format!("sha256:{}", hex.to_uppercase())).parse(NOW, Environment::Live).expect("valid").sha256[..2], [0, 255]);
        for bad in ["", "00", "zz", &hex[1..], &format!("{hex}0"), &"é".repeat(32)] {
            assert!(body(bad).parse(NOW, Environment::Live).expect_err(bad).get("digest").is_some(), "{bad}");
        }
        let gateway = ImportKeyBody { kind: Some("gateway".into()), prefix: Some("has space".into()), ..body(&hex) };
        let refused = gateway.parse(NOW, Environment::Live).expect_err("gateway");
        assert!(refused.get("kind").is_some() && refused.get("prefix").is_some());
    }
}
