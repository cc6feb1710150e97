//! Links with a query.

use std::fmt::Write as _;

/// A path with those parts of the query that are set.
pub fn href(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut out = path.to_owned();
    let set = query.iter().filter_map(|(k, v)| v.filter(|v| !v.is_empty()).map(|v| (k, v)));
    for (n, (key, value)) in set.enumerate() {
        out.push(if n == 0 { '?' } else { '&' });
        out.push_str(key);
        out.push('=');
        encode(&mut out, value);
    }
    out
}

fn encode(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Where a member starts: who sees no keys, at the leak desk.
pub fn home(role: contract::Role) -> &'static str {
    if role.holds(contract::Perm::KeysRead) { "/keys" } else { "/leaks" }
}

/// The page of a key.
pub fn key_href(id: contract::KeyId) -> String {
    format!("/keys/{id}")
}

/// The page of an app.
pub fn app_href(id: contract::AppId) -> String {
    format!("/apps/{id}")
}

/// The page where an app is tried.
pub fn try_href(id: contract::AppId) -> String {
    format!("/apps/{id}/try")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_stands_in_the_query() {
        assert_eq!(href("/keys", &[("q", None), ("state", Some(""))]), "/keys");
        assert_eq!(href("/keys", &[("q", Some("a b&c")), ("state", Some("active"))]), "/keys?q=a%20b%26c&state=active");
    }
}
