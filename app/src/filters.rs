//! The filters of a list, as they stand in the query of its address.

use crate::url::href;
use contract::Cursor;
use leptos_router::params::ParamsMap;

/// What is set, as typed, in the order of the address; and which page of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    path: &'static str,
    set: Vec<(String, String)>,
    /// Where the page starts.
    pub cursor: Option<Cursor>,
}

impl Filters {
    /// Nothing is set.
    pub const fn none(path: &'static str) -> Self {
        Self { path, set: Vec::new(), cursor: None }
    }

    /// Reads the query of an address. What is named in `apart` is no filter.
    pub fn read(path: &'static str, map: &ParamsMap, apart: &[&str]) -> Self {
        let all = map.latest_values().map(|(name, value)| (name.as_ref(), value.trim()));
        let set = all.filter(|(name, value)| !value.is_empty() && *name != "cursor" && !apart.contains(name));
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { path, set, cursor: map.get_str("cursor").and_then(|c| c.parse().ok()) }
    }

    /// Is nothing set?
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// What is set, for a parser.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// One filter, as typed.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The same, for a field.
    pub fn typed(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The first page with these filters.
    pub fn link(&self) -> String {
        self.at(None)
    }

    /// A page with these filters.
    pub fn at(&self, cursor: Option<Cursor>) -> String {
        let cursor = cursor.map(|c| c.to_string());
        let set = self.pairs().map(|(name, value)| (name, Some(value)));
        href(self.path, &set.chain([("cursor", cursor.as_deref())]).collect::<Vec<_>>())
    }

    /// The same filters of another page, with more in the query.
    pub fn of(&self, path: &str, more: &[(&str, Option<&str>)]) -> String {
        let set = self.pairs().filter(|(name, _)| !more.iter().any(|(m, _)| m == name)).map(|(name, value)| (name, Some(value)));
        href(path, &set.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// The first page with these filters and one more, which replaces its own kind.
    pub fn with(&self, name: &str, value: &str) -> String {
        self.of(self.path, &[(name, Some(value))])
    }

    /// The first page with all of them but one.
    pub fn without(&self, name: &str) -> String {
        self.of(self.path, &[(name, None)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_every_filter_but_the_one_that_changes() {
        let map: ParamsMap = [("outcome", "denied"), ("path", " /v2/ "), ("ip", ""), ("cursor", "x")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into_iter()
            .collect();
        let filters = Filters::read("/usage", &map, &[]);
        assert_eq!(filters.link(), "/usage?outcome=denied&path=%2Fv2%2F");
        assert_eq!(filters.with("outcome", "allowed"), "/usage?path=%2Fv2%2F&outcome=allowed");
        assert_eq!(filters.without("path"), "/usage?outcome=denied");
        assert_eq!(filters.get("ip"), None);
        assert!(Filters::read("/usage", &map, &["outcome", "path"]).is_empty());
    }
}
