//! The list of keys as its address says it: search, filters, order, place.

use crate::url::href;
use contract::{Environment, KeyCursor, KeyFilter, KeyKind, KeySearch, KeySort, KeyState};
use leptos_router::params::ParamsMap;

/// What the query of the page says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub q: Option<String>,
    pub state: Option<KeyState>,
    pub kind: Option<KeyKind>,
    pub owner: Option<String>,
    pub scope: Option<String>,
    pub sort: Option<KeySort>,
    pub cursor: Option<KeyCursor>,
}

impl Query {
    /// Reads the query; what is not understood is left out.
    pub fn read(map: &ParamsMap) -> Self {
        let text = |name: &str| map.get_str(name).map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned);
        let sort = map.get_str("sort").and_then(|s| s.parse().ok());
        Self {
            q: text("q"),
            state: map.get_str("state").and_then(|s| s.parse().ok()),
            kind: map.get_str("kind").and_then(|s| s.parse().ok()),
            owner: text("owner"),
            scope: text("scope"),
            // A place in another order is no place in this one.
            cursor: map.get_str("cursor").and_then(|c| c.parse().ok()).filter(|c: &KeyCursor| c.sort() == sort.unwrap_or(KeySort::Created)),
            sort,
        }
    }

    /// The search that it asks for.
    pub fn search(&self, environment: Environment, limit: u16) -> KeySearch {
        KeySearch {
            filter: KeyFilter { q: self.q.clone(), state: self.state, environment: Some(environment), kind: self.kind },
            owner: self.owner.clone(),
            scope: self.scope.clone(),
            sort: self.order(),
            limit,
            cursor: self.cursor.clone(),
        }
    }

    /// Does it show less than everything?
    pub const fn narrows(&self) -> bool {
        self.q.is_some() || self.state.is_some() || self.kind.is_some() || self.owner.is_some() || self.scope.is_some()
    }

    /// The order of the rows.
    pub fn order(&self) -> KeySort {
        self.sort.unwrap_or(KeySort::Created)
    }

    /// A page with this query.
    fn link(&self, path: &str, more: (&str, Option<&str>)) -> String {
        let cursor = self.cursor.as_ref().map(ToString::to_string);
        href(
            path,
            &[
                more,
                ("q", self.q.as_deref()),
                ("state", self.state.map(KeyState::as_str)),
                ("kind", self.kind.map(KeyKind::as_str)),
                ("owner", self.owner.as_deref()),
                ("scope", self.scope.as_deref()),
                ("sort", self.sort.map(KeySort::as_str)),
                ("cursor", cursor.as_deref()),
            ],
        )
    }

    /// The list from there on.
    pub fn at(&self, cursor: Option<KeyCursor>) -> String {
        Self { cursor, ..self.clone() }.link("/keys", ("", None))
    }

    /// The list in another order, from its start.
    pub fn sorted(&self, sort: KeySort) -> String {
        let sort = (sort != KeySort::Created).then_some(sort);
        Self { sort, cursor: None, ..self.clone() }.link("/keys", ("", None))
    }

    /// The page that revokes everything it matches.
    pub fn all_of_it(&self) -> String {
        Self { cursor: None, ..self.clone() }.link("/keys/revoke", ("all", Some("1")))
    }
}

/// The address of a search, from the fields of its form.
pub fn key_search_href(fields: Vec<(String, String)>) -> String {
    Query::read(&fields.into_iter().collect()).at(None)
}
