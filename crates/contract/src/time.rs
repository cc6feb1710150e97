//! Time as the databases keep it: whole milliseconds since 1970, UTC.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Milliseconds since the Unix epoch, UTC. Written as RFC 3339 in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// Milliseconds of a day.
    pub const DAY: i64 = 86_400_000;

    /// The instant as a chrono date; out-of-range values become the epoch.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by `ms` milliseconds, without wrapping.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Reads RFC 3339 (`2026-03-01T12:00:00Z`) or the value of an HTML `datetime-local` field, taken as UTC.
    pub fn parse(s: &str) -> Option<Self> {
        if let Ok(t) = DateTime::parse_from_rfc3339(s) {
            return Some(Self(t.timestamp_millis()));
        }
        ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|f| chrono::NaiveDateTime::parse_from_str(s, f).ok())
            .map(|t| Self(t.and_utc().timestamp_millis()))
    }

    /// `20 Feb 2026, 14:32 UTC`, for people.
    pub fn human(self) -> String {
        self.to_utc().format("%-d %b %Y, %H:%M UTC").to_string()
    }

    /// `20 Feb 2026`, for narrow columns.
    pub fn human_date(self) -> String {
        self.to_utc().format("%-d %b %Y").to_string()
    }

    /// How far this instant lies from `now`, in one unit: `3 s ago`, `in 5 days`.
    pub fn relative(self, now: Self) -> String {
        let s = (now.0 - self.0) / 1000;
        let (n, unit) = match s.abs() {
            n @ 0..60 => (n, "s"),
            n @ 60..3600 => (n / 60, "min"),
            n @ 3600..172_800 => (n / 3600, "h"),
            n => (n / 86_400, "days"),
        };
        if s < 0 { format!("in {n} {unit}") } else { format!("{n} {unit} ago") }
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<DateTime<Utc>> for UnixMs {
    fn from(t: DateTime<Utc>) -> Self {
        Self(t.timestamp_millis())
    }
}

impl Serialize for UnixMs {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnixMs {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = String::deserialize(d)?;
        DateTime::parse_from_rfc3339(&s).map(|t| Self(t.timestamp_millis())).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_time_picks_one_unit() {
        let now = UnixMs(1_000_000_000);
        assert_eq!(now.plus(-3_000).relative(now), "3 s ago");
        assert_eq!(now.plus(-22 * 60_000).relative(now), "22 min ago");
        assert_eq!(now.plus(5 * UnixMs::DAY).relative(now), "in 5 days");
    }

    #[test]
    fn a_datetime_local_value_is_read_as_utc() {
        assert_eq!(UnixMs::parse("1970-01-01T00:01"), Some(UnixMs(60_000)));
        assert_eq!(UnixMs::parse("1970-01-01T01:00:00+01:00"), Some(UnixMs(0)));
        assert_eq!(UnixMs::parse("tomorrow"), None);
    }
}
