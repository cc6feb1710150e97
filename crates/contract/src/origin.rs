//! Browser origins: where the scripts come from that may call the API with a tenant's credentials.

use crate::FieldErrors;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    borrow::Borrow,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Most origins of a tenant.
const MOST: usize = 20;

/// Scheme, host and port as browsers write them in `Origin`: lower case, no default port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Why a line is no origin; the message holds the corrected form where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not of the form at all.
    #[error("“{0}” is no origin such as https://app.example.com or http://localhost:5173")]
    Malformed(String),
    /// `*` or `null`.
    #[error("“{0}” would be everybody: name each origin")]
    Everybody(String),
    /// More than an origin.
    #[error("an origin has no path: {0}")]
    Path(String),
    /// Anybody on the way could be this origin.
    #[error("an origin is https; plain http is for this machine only, such as http://localhost:5173")]
    Plain,
}

impl Origin {
    /// Reads `https://app.example.com:8443`, or plain http on a loopback host. A name stands in its ASCII form.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        let malformed = || OriginError::Malformed(text.chars().take(100).collect());
        if text == "*" || text.eq_ignore_ascii_case("null") {
            return Err(OriginError::Everybody(text.to_owned()));
        }
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = lower.split_once("://").ok_or_else(malformed)?;
        let default = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err(malformed()),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let (host, port) = split_port(authority).ok_or_else(malformed)?;
        let host = Host::parse(host).ok_or_else(malformed)?;
        if scheme == "http" && !host.is_loopback() {
            return Err(OriginError::Plain);
        }
        let port = port.filter(|port| *port != default).map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{scheme}://{host}{port}");
        if path.is_empty() { Ok(Self(origin)) } else { Err(OriginError::Path(origin)) }
    }
}

/// Host and port; an IPv6 address keeps its brackets.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let host = match authority.find(']') {
        Some(end) => end + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host);
    match port.strip_prefix(':') {
        // Digits only: `parse` would take a sign.
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().ok().filter(|port| *port > 0).map(|port| (host, Some(port))),
        Some(_) => None,
        None => port.is_empty().then_some((host, None)),
    }
}

/// A host as a browser writes it.
enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> Host<'a> {
    fn parse(host: &'a str) -> Option<Self> {
        if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            let address: Ipv6Addr = address.parse().ok()?;
            // Browsers and this program write these two ways.
            return address.to_ipv4_mapped().is_none().then_some(Self::Address(address.into()));
        }
        let labels_fit = host.split('.').all(|label| {
            let inside = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
            inside && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
        });
        if host.len() > 253 || !labels_fit {
            return None;
        }
        // What ends in a number browsers read as an address, however it is written.
        let last = host.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") {
            return host.parse::<Ipv4Addr>().ok().map(|ip| Self::Address(ip.into()));
        }
        Some(Self::Name(host))
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => *name == "localhost" || name.ends_with(".localhost"),
            Self::Address(ip) => ip.is_loopback(),
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// Reads a tenant's list; each error names the entry.
pub(crate) fn read_origins<'a>(lines: impl IntoIterator<Item = &'a str>, errors: &mut FieldErrors) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::new();
    for line in lines {
        match Origin::parse(line) {
            Ok(origin) if origins.contains(&origin) => {}
            Ok(_) if origins.len() == MOST => errors.add("allowed_origins", "too_long", format!("At most {MOST} origins.")),
            Ok(origin) => origins.push(origin),
            Err(e) => errors.add("allowed_origins", "invalid", capitalised(&e.to_string())),
        }
    }
    origins
}

fn capitalised(said: &str) -> String {
    let mut chars = said.chars();
    chars.next().map(|first| format!("{}{}.", first.to_uppercase(), chars.as_str())).unwrap_or_default()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Looked up by what a browser sent.
impl Borrow<str> for Origin {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s30_an_origin_is_scheme_host_and_port_as_browsers_write_it() {
        for (typed, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            (" HTTPS://App.Example.COM:443 ", "https://app.example.com"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("https://203.0.113.9", "https://203.0.113.9"),
            ("https://[2001:DB8:0::1]:444", "https://[2001:db8::1]:444"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://app.localhost:80", "http://app.localhost"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(Origin::parse(typed).map(|o| o.to_string()), Ok(origin.to_owned()), "{typed}");
        }
    }

    #[test]
    fn s30_neither_everybody_nor_plain_http_nor_more_than_an_origin_is_one() {
        for everybody in ["*", "null", "NULL"] {
            assert!(matches!(Origin::parse(everybody), Err(OriginError::Everybody(_))), "{everybody}");
        }
        for plain in ["http://app.example.com", "http://localhost.example.com", "http://128.0.0.1", "http://0.0.0.0"] {
            assert_eq!(Origin::parse(plain), Err(OriginError::Plain), "{plain}");
        }
        for path in ["https://app.example.com/", "https://app.example.com/x", "https://app.example.com?x", "https://app.example.com#x"] {
            assert_eq!(Origin::parse(path), Err(OriginError::Path("https://app.example.com".into())), "{path}");
        }
        for bad in [
            "",
            "app.example.com",
            "//app.example.com",
            "https://",
            "https://:443",
            "https://*.example.com",
            "https://user@app.example.com",
            "https://app.example.com:",
            "https://app.example.com:0",
            "https://app.example.com:65536",
            "https://app.example.com:+1",
            "https://app..com",
            "https://app.example.com.",
            "https://bücher.example",
            "https://1.2.3",
            "https://127.1",
            "https://0x7f.0x1",
            "https://[::ffff:127.0.0.1]",
            "https://[::1",
            "https://[::1]x",
            "ftp://app.example.com",
            "javascript:alert(1)",
            "https://a.test, https://b.test",
            "https://a.test https://b.test",
            "file://",
        ] {
            assert!(matches!(Origin::parse(bad), Err(OriginError::Malformed(_))), "{bad}: {:?}", Origin::parse(bad));
        }
    }

    #[test]
    fn a_list_holds_each_origin_once_and_twenty_at_most() {
        let read = |lines: &[String]| {
            let mut errors = FieldErrors::default();
            let list = read_origins(lines.iter().map(String::as_str), &mut errors);
            (list.len(), errors.get("allowed_origins").map(str::to_owned))
        };
        let many = |n: usize| (0..n).map(|n| format!("https://a{n}.test")).collect::<Vec<_>>();
        assert_eq!(read(&["https://a.test".into(), "https://A.test:443".into()]), (1, None));
        assert_eq!(read(&many(20)), (20, None));
        assert_eq!(read(&many(21)), (20, Some("At most 20 origins.".into())));
        assert_eq!(read(&["https://a.test/x".into()]).1, Some("An origin has no path: https://a.test.".into()));
    }
}
