//! The members of the bodies, each with its reader; what is wrong is noted under the member's name.

use crate::{AllowedIp, FieldErrors, RateLimit, Scope, TextError, UnixMs};
use serde_json::Value;
use std::str::FromStr;

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

pub(crate) fn read_name<N: FromStr<Err = TextError>>(name: Option<&str>, errors: &mut FieldErrors) -> Option<N> {
    let name = name.unwrap_or_default();
    let code = if name.trim().is_empty() { "required" } else { "invalid" };
    name.parse().map_err(|e: TextError| errors.add("name", code, e.to_string())).ok()
}

pub(crate) fn read_scopes(words: &[String], errors: &mut FieldErrors) -> Vec<Scope> {
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

pub(super) fn read_expiry(at: &str, now: UnixMs, errors: &mut FieldErrors) -> Option<UnixMs> {
    let at = read_time("expires_at", at, errors)?;
    if at <= now {
        errors.add("expires_at", "invalid", "This time has passed.");
    }
    Some(at)
}

/// RFC 3339, between 1970 and 9999.
pub(super) fn read_time(field: &str, t: &str, errors: &mut FieldErrors) -> Option<UnixMs> {
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

pub(super) fn read_owner(owner: &str, errors: &mut FieldErrors) -> Option<String> {
    let owner = owner.trim();
    if owner.is_empty() || owner.len() > 254 || owner.chars().any(char::is_control) {
        errors.add("owner", "invalid", "The address or the id of a member.");
        return None;
    }
    Some(owner.to_owned())
}

/// Enough of what was sent to recognise it in a message.
fn cut(s: &str) -> String {
    if s.chars().count() <= 64 { s.to_owned() } else { s.chars().take(63).chain(['…']).collect() }
}
