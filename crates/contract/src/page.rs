//! Keyset paging: a cursor names the row where the next page starts, so inserts never shift a page.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next (older) page starts; none on the last.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts `limit + 1` fetched rows to a page; the cursor is the key of the last row kept.
    pub fn cut(mut rows: Vec<T>, limit: u16, key: impl Fn(&T) -> Uuid) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next_cursor = if more { rows.last().map(|r| Cursor(key(r))) } else { None };
        Self { data: rows, next_cursor }
    }
}

/// Where a page starts: after this row. Opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(pub Uuid);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Uuid::try_parse(s).map(Self).map_err(|_| ())
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(|()| serde::de::Error::custom("not a cursor of this list"))
    }
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageQuery {
    /// Rows a page, 1 to 200.
    pub limit: u16,
    /// Where it starts; none is the newest row.
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    /// A page of the default size.
    pub const fn at(cursor: Option<Cursor>) -> Self {
        Self { limit: 50, cursor }
    }

    /// The limit within its bounds.
    pub fn bounded(self) -> u16 {
        self.limit.clamp(1, 200)
    }

    /// The key before which rows are wanted; the first page starts before the largest UUID, so that every page
    /// runs the same statement.
    pub fn before(self) -> Uuid {
        self.cursor.map_or(Uuid::max(), |c| c.0)
    }
}

impl Default for PageQuery {
    fn default() -> Self {
        Self::at(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_the_next_only_when_there_is_one() {
        let rows: Vec<Uuid> = (0..3).map(Uuid::from_u128).collect();
        let page = Page::cut(rows.clone(), 2, |r| *r);
        assert_eq!(page.data, rows[..2]);
        assert_eq!(page.next_cursor, Some(Cursor(rows[1])));
        assert_eq!(Page::cut(rows, 3, |r| *r).next_cursor, None);
    }
}
