//! Where an authorization answer may go: compared byte for byte (RFC 6749, section 3.1.2; RFC 9700, section 4.1.3), but for
//! the port of a loopback address (RFC 8252, section 7.3).

use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// Longest redirect URI.
const LONGEST: usize = 2_000;
/// Hosts that are the device itself.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// A redirect URI as it was registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// Why a text is no redirect URI, in words for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// Too long, or with characters that no URI has.
    #[error("a URI has at most 2,000 characters, and neither spaces nor letters beyond ASCII")]
    Characters,
    /// `https`, or `http` on the device itself, or a scheme of the app's own.
    #[error(
        "https://…, or http:// on 127.0.0.1, [::1] or localhost, or a scheme of your own that contains a dot, as in com.example.app:/callback"
    )]
    Scheme,
    /// No host, or one with a name or a password before it.
    #[error("a host is missing, or something stands before it")]
    Host,
    /// Whatever stands behind `#` never reaches a server.
    #[error("a fragment (#…) is not allowed")]
    Fragment,
    /// One URI stands for one page.
    #[error("wildcards and .. are not allowed: register each URI")]
    Pattern,
}

/// What a URI consists of, as far as it matters here.
struct Parts<'a> {
    scheme: &'a str,
    /// Without its port.
    host: &'a str,
    port: Option<&'a str>,
    /// From the path on.
    rest: &'a str,
}

fn parts(uri: &str) -> Option<Parts<'_>> {
    let (scheme, after) = uri.split_once("://")?;
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (authority, rest) = after.split_at(end);
    let colon = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
    let (host, port) = colon.map_or((authority, None), |at| (&authority[..at], Some(&authority[at + 1..])));
    Some(Parts { scheme, host, port, rest })
}

impl RedirectUri {
    /// Reads a URI to be registered. It is kept as it was written.
    pub fn parse(text: &str) -> Result<Self, RedirectError> {
        let text = text.trim();
        if text.len() > LONGEST
            || !text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'))
        {
            return Err(RedirectError::Characters);
        }
        if text.contains('#') {
            return Err(RedirectError::Fragment);
        }
        if text.contains('*') || text.split(['/', '?']).any(|part| part == ".." || part == ".") {
            return Err(RedirectError::Pattern);
        }
        let (scheme, after) = text.split_once(':').ok_or(RedirectError::Scheme)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        if !scheme.starts_with(|c: char| c.is_ascii_lowercase()) || !scheme.chars().all(plain) {
            return Err(RedirectError::Scheme);
        }
        match scheme {
            "https" | "http" => {
                let parts = parts(text).ok_or(RedirectError::Host)?;
                let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
                let named = !parts.host.is_empty() && (parts.host.chars().all(label) || LOOPBACK.contains(&parts.host));
                let port = parts.port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == p));
                if !named || !port {
                    return Err(RedirectError::Host);
                }
                if scheme == "http" && !LOOPBACK.contains(&parts.host) {
                    return Err(RedirectError::Scheme);
                }
            }
            // A private-use scheme is a domain backwards (RFC 8252, section 7.1): nobody's `javascript:` has a dot.
            _ if !scheme.contains('.') || !after.starts_with('/') => return Err(RedirectError::Scheme),
            _ => {}
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host that the page of a consent names; none of an app on the device.
    pub fn host(&self) -> Option<&str> {
        parts(&self.0).filter(|p| p.scheme == "https").map(|p| p.host)
    }

    /// Does it lead to a scheme of the app's own?
    pub fn is_of_device(&self) -> bool {
        !self.0.starts_with("https://") && !self.0.starts_with("http://")
    }

    /// The scheme, host and port, for `form-action`.
    pub fn origin(&self) -> String {
        match parts(&self.0).filter(|_| !self.is_of_device()) {
            Some(p) => format!("{}://{}{}", p.scheme, p.host, p.port.map(|port| format!(":{port}")).unwrap_or_default()),
            None => self.0.split_inclusive(':').next().unwrap_or_default().to_owned(),
        }
    }

    /// Is that what a request named? Byte for byte, but for the port of an app on the device (s43).
    pub fn admits(&self, asked: &str) -> bool {
        if self.0 == asked {
            return true;
        }
        let (Some(own), Some(other)) = (parts(&self.0), parts(asked)) else { return false };
        let port = other.port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == p));
        own.scheme == "http"
            && other.scheme == "http"
            && LOOPBACK.contains(&own.host)
            && own.host == other.host
            && own.rest == other.rest
            && port
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn s43_a_redirect_uri_is_compared_byte_for_byte() {
        let own = uri("https://app.acme.test/callback");
        assert!(own.admits("https://app.acme.test/callback"));
        for other in [
            "https://app.acme.test/callback/",
            "https://app.acme.test/Callback",
            "https://APP.acme.test/callback",
            "HTTPS://app.acme.test/callback",
            "https://app.acme.test/callback?",
            "https://app.acme.test/callback?a=1",
            "https://app.acme.test/callback#",
            "https://app.acme.test:443/callback",
            "https://app.acme.test./callback",
            "https://app.acme.test/%63allback",
            "https://app.acme.test//callback",
            "https://app.acme.test/./callback",
            "https://app.acme.test.evil.test/callback",
            "https://app.acme.test@evil.test/callback",
            "https://evil.test/?https://app.acme.test/callback",
            "http://app.acme.test/callback",
            "https://appXacme.test/callback",
            " https://app.acme.test/callback",
            "",
        ] {
            assert!(!own.admits(other), "{other}");
        }
        assert!(!uri("https://a.test/cb?x=1").admits("https://a.test/cb?x=2"));
    }

    #[test]
    fn s43_only_the_port_of_a_loopback_address_may_vary() {
        for own in ["http://127.0.0.1/cb", "http://127.0.0.1:8080/cb"] {
            for port in ["", ":1", ":8080", ":65535"] {
                assert!(uri(own).admits(&format!("http://127.0.0.1{port}/cb")), "{own} {port}");
            }
            for other in [
                "http://127.0.0.1:0/cb",
                "http://127.0.0.1:99999/cb",
                "http://127.0.0.1:/cb",
                "http://127.0.0.1:08/cb",
                "http://127.0.0.2/cb",
                "http://127.0.0.1/cb2",
                "https://127.0.0.1/cb",
                "http://127.0.0.1@evil.test/cb",
                "http://127.0.0.1:1@evil.test/cb",
                "http://localhost/cb",
            ] {
                assert!(!uri(own).admits(other), "{own} {other}");
            }
        }
        assert!(uri("http://[::1]/cb").admits("http://[::1]:5000/cb"));
        assert!(!uri("https://app.acme.test/cb").admits("https://app.acme.test:8443/cb"));
    }

    #[test]
    fn s44_schemes_that_run_or_leak_are_no_redirect_uris() {
        for good in [
            "https://a.test",
            "https://a.test/cb?x=1",
            "http://localhost:3000/cb",
            "http://[::1]:1/",
            "com.example.app:/callback",
            "com.example.app://oauth/callback",
        ] {
            uri(good);
        }
        for (bad, why) in [
            ("javascript:alert(1)", RedirectError::Scheme),
            ("JavaScript:alert(1)", RedirectError::Scheme),
            ("data:text/html,x", RedirectError::Scheme),
            ("file:///etc/passwd", RedirectError::Scheme),
            ("http://app.acme.test/cb", RedirectError::Scheme),
            ("http://127.0.0.1.evil.test/cb", RedirectError::Scheme),
            ("myapp:/cb", RedirectError::Scheme),
            ("com.example.app:callback", RedirectError::Scheme),
            ("/callback", RedirectError::Scheme),
            ("https:///cb", RedirectError::Host),
            ("https:/a.test", RedirectError::Host),
            ("https://user@a.test/cb", RedirectError::Host),
            ("https://A.test/cb", RedirectError::Host),
            ("https://a.test:0/cb", RedirectError::Host),
            ("https://a.test/cb#x", RedirectError::Fragment),
            ("https://*.a.test/cb", RedirectError::Pattern),
            ("https://a.test/../cb", RedirectError::Pattern),
            ("https://a.test/c b", RedirectError::Characters),
            ("https://ä.test/cb", RedirectError::Characters),
            ("https://a.test\\@evil.test/", RedirectError::Characters),
        ] {
            assert_eq!(RedirectUri::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn the_consent_page_names_host_and_origin() {
        assert_eq!(
            (uri("https://a.test:8443/cb").host(), uri("https://a.test:8443/cb").origin().as_str()),
            (Some("a.test"), "https://a.test:8443")
        );
        assert_eq!((uri("http://localhost:1/cb").host(), uri("com.example.app:/cb").origin().as_str()), (None, "com.example.app:"));
    }
}
