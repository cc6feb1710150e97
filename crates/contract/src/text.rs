//! Text that people type, parsed once at the edge (rule 3).

use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// Why a text was refused, in words for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextError(pub String);

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $parse:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Reads what was typed; spaces around it do not count.
            pub fn parse(s: &str) -> Result<Self, TextError> {
                let check: fn(&str) -> Result<String, String> = $parse;
                check(s.trim()).map(Self).map_err(TextError)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(d)?).map_err(de::Error::custom)
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;

            fn from_str(s: &str) -> Result<Self, TextError> {
                Self::parse(s)
            }
        }
    )*};
}

texts! {
    /// The name of a key, 1 to 100 characters: the service that calls with it.
    KeyName, |s| line(s, 100, "Name the service that will call with this key.");

    /// The name of an app, 1 to 100 characters: what people are asked to allow.
    AppName, |s| line(s, 100, "Name the app as people know it.");

    /// The name of a tenant, 1 to 100 characters.
    TenantName, |s| line(s, 100, "Name the team or company.");

    /// The tenant's name in `tk_<slug>_…` keys: 1 to 24 of `a-z 0-9`, with single dashes inside.
    Slug, slug;

    /// An e-mail address, lower-cased: it is compared, not only shown.
    Email, email;
}

impl Slug {
    /// A slug made from a name: `Acme, Inc.` becomes `acme-inc`.
    pub fn from_name(name: &str) -> Self {
        let mut out = String::new();
        for c in name.chars() {
            if out.len() == 24 {
                break;
            }
            if c.is_ascii_alphanumeric() {
                out.push(c.to_ascii_lowercase());
            } else if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
        }
        let out = out.trim_end_matches('-');
        Self(if out.is_empty() { "tenant".to_owned() } else { out.to_owned() })
    }
}

/// Does the character show? Controls, and what turns the direction of a text or takes no room in it, make a name look like
/// another one.
pub fn shows(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{2800}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'))
}

/// `184201` as `184,201`.
pub fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0 { format!("-{out}") } else { out }
}

/// `1 request`, `4,012 requests`, `2 addresses`.
pub fn counted(n: i64, noun: &str) -> String {
    let plural = match n {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {noun}{plural}", thousands(n))
}

fn line(s: &str, max: usize, empty: &str) -> Result<String, String> {
    match s.chars().count() {
        0 => Err(empty.to_owned()),
        n if n > max => Err(format!("At most {max} characters; these are {n}.")),
        _ if !s.chars().all(shows) => Err("Line breaks and characters that do not show are not allowed.".to_owned()),
        _ => Ok(s.to_owned()),
    }
}

fn slug(s: &str) -> Result<String, String> {
    let plain = s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if (1..=24).contains(&s.len()) && plain && !s.starts_with('-') && !s.ends_with('-') && !s.contains("--") {
        Ok(s.to_owned())
    } else {
        Err("1 to 24 of a-z and 0-9, with single dashes inside.".to_owned())
    }
}

fn email(s: &str) -> Result<String, String> {
    let ok = s.len() <= 254
        && s.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && local.len() <= 64
                && !host.is_empty()
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        })
        && !s.chars().any(|c| c.is_whitespace() || !shows(c) || matches!(c, '<' | '>' | '"' | ',' | ';'));
    if ok { Ok(s.to_lowercase()) } else { Err("Enter an address such as name@company.com.".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(KeyName::parse("  nightly-export ").map(|n| n.to_string()), Ok("nightly-export".to_owned()));
        for bad in ["", "   ", "a\nb", &"x".repeat(101)] {
            assert!(KeyName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_has_no_character_that_does_not_show() {
        for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{200d}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{3164}', '\u{2028}', '\t'] {
            let name = format!("Ac{hidden}me");
            assert!(TenantName::parse(&name).is_err() && KeyName::parse(&name).is_err(), "{hidden:?}");
            assert!(Email::parse(&format!("o{hidden}wner@acme.test")).is_err(), "{hidden:?}");
        }
        for name in ["Ünïcode & Söhne", "日本 株式会社", "شركة", "Acme ❤\u{fe0f}"] {
            assert!(TenantName::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn one_is_one_and_everything_else_is_many() {
        let said = [(1, "tenant"), (0, "key"), (4_012, "request"), (2, "address"), (1, "address")].map(|(n, noun)| counted(n, noun));
        assert_eq!(said, ["1 tenant", "0 keys", "4,012 requests", "2 addresses", "1 address"]);
        assert_eq!([0, 999, 1000, 184_201, -1_234_567].map(thousands), ["0", "999", "1,000", "184,201", "-1,234,567"]);
    }

    #[test]
    fn a_slug_is_made_from_any_name() {
        assert_eq!(Slug::from_name("Acme, Inc.").as_str(), "acme-inc");
        assert_eq!(Slug::from_name("日本").as_str(), "tenant");
        for name in ["Acme, Inc.", "日本", "--", "a very long name of a company that goes on"] {
            let made = Slug::from_name(name);
            assert_eq!(Slug::parse(made.as_str()), Ok(made.clone()), "{name}");
        }
    }

    #[test]
    fn an_email_is_lower_cased() {
        assert_eq!(Email::parse("Owner@Acme.test").map(|e| e.to_string()), Ok("owner@acme.test".to_owned()));
        for bad in ["", "a", "a@", "@b", "a b@c", "a@b@c", "a@b\r\nBcc: x"] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }
}
