//! Which keys of a list, in which order, from where.

use crate::{Environment, KeyFilter, KeyState, UnixMs, UserId, credential::words};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};
use uuid::Uuid;

words! {
    /// The order of a list of keys.
    KeySort {
        /// Newest first.
        Created = "created",
        /// By name, without regard to case.
        Name = "name",
        /// Lately used first, never used last.
        LastUsed = "last_used",
        /// The next to expire first, those that never do last.
        Expires = "expires",
    }
}

/// Where a page of keys starts: after the row that had this place in the order. It holds the place itself, not only
/// the row, so that a key that is used or renamed meanwhile moves alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyCursor {
    /// In the order of creation.
    Created(Uuid),
    /// By name.
    Name(String, Uuid),
    /// By last use.
    LastUsed(i64, Uuid),
    /// By expiry.
    Expires(i64, Uuid),
}

impl KeyCursor {
    /// The order it belongs to.
    pub const fn sort(&self) -> KeySort {
        match self {
            Self::Created(_) => KeySort::Created,
            Self::Name(..) => KeySort::Name,
            Self::LastUsed(..) => KeySort::LastUsed,
            Self::Expires(..) => KeySort::Expires,
        }
    }

    /// The start of a list.
    pub const fn start(sort: KeySort) -> Self {
        match sort {
            KeySort::Created => Self::Created(Uuid::max()),
            KeySort::Name => Self::Name(String::new(), Uuid::nil()),
            KeySort::LastUsed => Self::LastUsed(i64::MAX, Uuid::max()),
            KeySort::Expires => Self::Expires(i64::MIN, Uuid::nil()),
        }
    }
}

impl fmt::Display for KeyCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(id) => write!(f, "{}", id.simple()),
            Self::Name(name, id) => {
                write!(f, "n")?;
                name.bytes().try_for_each(|b| write!(f, "{b:02x}"))?;
                write!(f, ".{}", id.simple())
            }
            Self::LastUsed(at, id) => write!(f, "u{at}.{}", id.simple()),
            Self::Expires(at, id) => write!(f, "e{at}.{}", id.simple()),
        }
    }
}

impl FromStr for KeyCursor {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        let Some((place, id)) = s.split_once('.') else { return Uuid::try_parse(s).map(Self::Created).map_err(|_| ()) };
        let id = Uuid::try_parse(id).map_err(|_| ())?;
        let number = |s: &str| s.parse::<i64>().map_err(|_| ());
        match (place.get(..1), place.get(1..)) {
            (Some("n"), Some(hex)) => Ok(Self::Name(read_text(hex).ok_or(())?, id)),
            (Some("u"), Some(at)) => Ok(Self::LastUsed(number(at)?, id)),
            (Some("e"), Some(at)) => Ok(Self::Expires(number(at)?, id)),
            _ => Err(()),
        }
    }
}

fn read_text(hex: &str) -> Option<String> {
    if !hex.len().is_multiple_of(2) || hex.len() > 2_000 || !hex.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..hex.len() / 2).map(|n| u8::from_str_radix(hex.get(2 * n..2 * n + 2)?, 16).ok()).collect();
    String::from_utf8(bytes?).ok().filter(|text| !text.contains('\0'))
}

impl Serialize for KeyCursor {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyCursor {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(|()| de::Error::custom("not a cursor of this list"))
    }
}

/// A search for keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySearch {
    /// Which keys.
    #[serde(default)]
    pub filter: KeyFilter,
    /// Only those that this person answers for: an address or an id.
    pub owner: Option<String>,
    /// Only those that hold this permission by name.
    pub scope: Option<String>,
    /// In which order.
    pub sort: KeySort,
    /// Rows a page, 1 to 200.
    pub limit: u16,
    /// Where the page starts.
    pub cursor: Option<KeyCursor>,
}

impl Default for KeySearch {
    fn default() -> Self {
        Self { filter: KeyFilter::default(), owner: None, scope: None, sort: KeySort::Created, limit: 50, cursor: None }
    }
}

/// A page of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyPage {
    /// The keys.
    pub data: Vec<crate::ApiKey>,
    /// Where the next page starts; none on the last.
    pub next_cursor: Option<KeyCursor>,
}

words! {
    /// Keys that wait for somebody's decision.
    KeyQueue {
        /// Less than 14 days left, more than 3.
        Expiring14 = "expiring_14",
        /// Less than 3 days left, more than 1.
        Expiring3 = "expiring_3",
        /// Less than a day left.
        Expiring0 = "expiring_0",
        /// Not used for n days, and older than that.
        Idle = "idle",
        /// The secret is older than 90 days.
        Old = "old",
        /// Nobody answers for it: no owner, or one who is disabled or no member any more.
        Orphaned = "orphaned",
    }
}

/// One queue: how many wait, and the first of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyQueueHead {
    /// Which.
    pub queue: KeyQueue,
    /// How many keys wait in it.
    pub count: i64,
    /// The first page, most urgent first.
    pub first: Vec<crate::ApiKey>,
}

/// One secret of a key: the current one, or an old one that still works or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySecret {
    /// The secret.
    pub id: crate::SecretId,
    /// How it begins.
    pub prefix: String,
    /// How it ends.
    pub last_four: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// Until when it works, once it is being replaced; none for the current one.
    pub valid_until: Option<UnixMs>,
}

/// Whom a filter by owner names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerRef {
    /// By id.
    Id(UserId),
    /// By address.
    Email(String),
}

impl OwnerRef {
    /// An id, or else an address.
    pub fn parse(s: &str) -> Self {
        s.trim().parse().map_or_else(|_| Self::Email(s.trim().to_lowercase()), Self::Id)
    }
}

impl KeySearch {
    /// A search in one environment.
    pub fn within(environment: Environment) -> Self {
        Self { filter: KeyFilter { environment: Some(environment), ..KeyFilter::default() }, ..Self::default() }
    }

    /// Only keys in this state.
    #[must_use]
    pub fn state(mut self, state: KeyState) -> Self {
        self.filter.state = Some(state);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_knows_its_order() {
        let id = Uuid::from_u128(7);
        for cursor in [
            KeyCursor::Created(id),
            KeyCursor::Name("äpfel.n\nsk_live_ab".into(), id),
            KeyCursor::LastUsed(0, id),
            KeyCursor::Expires(i64::MAX, id),
            KeyCursor::start(KeySort::Expires),
            KeyCursor::start(KeySort::Name),
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()), "{cursor}");
        }
        for bad in [
            "",
            "x",
            "n.1",
            "n0g.00000000000000000000000000000007",
            "u.00000000000000000000000000000007",
            "ä1.x",
            "n00.00000000000000000000000000000007",
        ] {
            assert!(bad.parse::<KeyCursor>().is_err(), "{bad}");
        }
    }
}
