//! Finds keys, and secrets of apps, in any text, by prefix and checksum. Pure, linear, and without an allocation: the keys are slices of the
//! text, and none of them prints.
//!
//! Every form ends its prefix with `_`, and the 38 characters behind it hold none. So each underscore of the text starts
//! at most one random part, no character is looked at for more than one of them, and the checksum says which of the
//! prefixes that could stand before it is meant. What is glued to a key on either side does not hide it.

use super::secret::{self, CHECKSUM, OF_APP, OF_APP_RANDOM, PREFIXES, Parsed, RANDOM};
use contract::FieldErrors;

/// A slug of 24 behind `tk_`.
const SLUG: usize = 24;

/// A well-formed key in a text.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The key.
    pub key: Parsed<'a>,
    /// It is a secret of an app.
    pub of_app: bool,
    /// Where it starts, in bytes.
    pub at: usize,
}

/// The keys in a text, in order; one that stands there twice is found twice.
pub struct Scan<'a> {
    text: &'a str,
    next: usize,
}

/// Looks for keys.
pub const fn scan(text: &str) -> Scan<'_> {
    Scan { text, next: 0 }
}

/// Refuses text with a key in it: names, notes and reasons are kept and shown, in the audit log for good (s77).
pub fn refuse_keys(field: &str, text: &str) -> Result<(), FieldErrors> {
    match scan(text).next() {
        None => Ok(()),
        Some(_) => Err(FieldErrors::one(field, "contains_credential", "Leave the key itself out: this text is kept.")),
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        let bytes = self.text.as_bytes();
        while let Some(ahead) = bytes.get(self.next..)?.iter().position(|b| *b == b'_') {
            let underscore = self.next + ahead;
            self.next = underscore + 1;
            if let Some((found, end)) = of_app(self.text, underscore) {
                self.next = end;
                return Some(found);
            }
            let end = self.next + RANDOM + CHECKSUM;
            let random = bytes.get(self.next..end)?;
            if let Some(not) = random.iter().position(|b| !b.is_ascii_alphanumeric()) {
                // The next underscore is this one or lies behind it.
                self.next += not;
            } else if let Some(found) = before(self.text, underscore, end) {
                self.next = end;
                return Some(found);
            }
        }
        None
    }
}

impl std::fmt::Debug for Scan<'_> {
    /// Without the text (s77).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").finish_non_exhaustive()
    }
}

/// The secret of an app whose prefix ends at this underscore, and where it ends itself.
fn of_app(text: &str, underscore: usize) -> Option<(Found<'_>, usize)> {
    let at = (underscore + 1).checked_sub(OF_APP.len())?;
    let end = underscore + 1 + OF_APP_RANDOM + CHECKSUM;
    secret::parse_of_app(text.get(at..end)?).map(|key| (Found { key, of_app: true, at }, end))
}

/// The key whose prefix ends at this underscore.
fn before(text: &str, underscore: usize, end: usize) -> Option<Found<'_>> {
    let found = |at: usize| secret::parse(text.get(at..end)?).map(|key| Found { key, of_app: false, at });
    let head = text.get(..=underscore)?;
    let fixed = PREFIXES.iter().filter(|p| **p != "tk_" && head.ends_with(**p)).find_map(|p| found(head.len() - p.len()));
    fixed.or_else(|| {
        // `tk_` stands right before the slug, and no slug has an underscore.
        let slug = head.as_bytes()[..underscore].iter().rev().take(SLUG + 1).position(|b| *b == b'_')?;
        let at = (underscore - slug).checked_sub("tk_".len())?;
        (head.get(at..underscore - slug) == Some("tk_")).then(|| found(at)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Entropy, SystemEntropy},
        keys::secret::{generate, generate_for_app},
        seal::DataKeys,
    };
    use contract::{Environment, KeyKind, Slug};

    fn made(kind: KeyKind, environment: Environment, slug: &str) -> String {
        let keys = DataKeys::with_pepper([7; 32]);
        let slug = Slug::parse(slug).expect("a slug");
        generate(&SystemEntropy, &keys, kind, environment, &slug).token.expose().clone()
    }

    fn every_form() -> Vec<String> {
        let mut all = Vec::new();
        for kind in KeyKind::ALL {
            for environment in Environment::ALL {
                for slug in ["a", "acme-inc", "sk", "gk", "abcdefghijklmnopqrstuvw4", "9-to-5"] {
                    all.push(made(*kind, *environment, slug));
                }
            }
        }
        all.push(generate_for_app(&SystemEntropy).expose().clone());
        all
    }

    fn found(text: &str) -> Vec<&str> {
        scan(text).map(|f| f.key.expose()).collect()
    }

    #[test]
    fn s32_every_form_is_found_wherever_it_stands() {
        for key in every_form() {
            for text in [
                key.clone(),
                format!("{key}\n"),
                format!("\r\n{key}\r\n"),
                format!("{{\"api_key\":\"{key}\",\"x\":1}}"),
                format!("export KEY='{key}'"),
                format!("https://api.acme.test/v1?api_key={key}&page=2"),
                format!("Authorization: Bearer {key}"),
                format!("glued{key}glued_too"),
                format!("\\n{key}\\n"),
                format!("ключ{key}ключ"),
                format!("日本語_{key}_日本語"),
                format!("<b>{key}</b>,{{}};`{key}`").replacen(&key, "", 1),
                format!("sk_live_{key}"),
                format!("tk_{key}").replace("tk_tk_", "tk_x_tk_"),
                format!("____{key}____"),
                format!("sk_live_{}\n{key}", &key[key.len() - 20..]),
            ] {
                assert_eq!(found(&text), [key.as_str()], "{}", text.replace(&key, "KEY"));
            }
        }
    }

    #[test]
    fn several_keys_are_found_in_order_even_back_to_back() {
        let keys = every_form();
        assert_eq!(found(&keys.concat()), keys);
        assert_eq!(found(&keys.join(" ")), keys);
        let twice = format!("{0}{0}", keys[0]);
        let at: Vec<usize> = scan(&twice).map(|f| f.at).collect();
        assert_eq!(at, [0, keys[0].len()]);
    }

    #[test]
    fn s32_what_is_no_key_is_not_found() {
        for key in every_form() {
            let typo = |at: usize| {
                let mut bytes = key.clone().into_bytes();
                bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
                String::from_utf8(bytes).expect("ascii")
            };
            for at in key.len() - 38..key.len() {
                assert_eq!(found(&typo(at)), Vec::<&str>::new());
            }
            assert_eq!(found(&key[..key.len() - 1]), Vec::<&str>::new());
            assert_eq!(found(&key[key.len() - 38..]), Vec::<&str>::new());
            assert_eq!(found(&key.replacen('_', "\n_", 1)), Vec::<&str>::new());
        }
        for nothing in ["", "_", "sk_live_", "tk__", "sk_live_sk_live_sk_live_", "é_é", &"_".repeat(1000), &"a".repeat(1000)] {
            assert_eq!(found(nothing), Vec::<&str>::new());
        }
    }

    /// Random texts out of the pieces that keys are made of: it never panics, finds nothing that `parse` refuses, and
    /// misses no key that was put in.
    #[test]
    fn any_text_is_searched_and_no_key_is_missed() {
        let mut seed = [0; 8];
        SystemEntropy.fill(&mut seed);
        let mut state = u64::from_le_bytes(seed) | 1;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(below).expect("small")).expect("small")
        };
        let keys = every_form();
        let pieces = [
            "sk_live_",
            "sk_test",
            "tk_",
            "gk",
            "_",
            "acme-inc_",
            "\n",
            "é",
            "🔑",
            "0aZ",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "\\n",
            " ",
        ];
        for round in 0..3_000 {
            let mut text = String::new();
            let mut put = Vec::new();
            for _ in 0..random(40) {
                if random(5) == 0 {
                    let key = &keys[random(keys.len())];
                    text.push_str(key);
                    put.push(key.clone());
                } else {
                    text.push_str(pieces[random(pieces.len())]);
                }
            }
            let got = found(&text);
            assert_eq!(got, put, "seed {seed:?}, round {round}");
            assert!(got.iter().all(|k| secret::parse(k).or(secret::parse_of_app(k)).is_some()));
        }
    }

    /// The worst texts: underscores everywhere, prefixes everywhere, random parts without a prefix.
    #[test]
    fn a_megabyte_of_anything_takes_linear_time() {
        let mega = 1 << 20;
        let near = made(KeyKind::Tenant, Environment::Live, "acme").replace("tk_acme_", "tk_acmf_");
        for piece in ["_", "sk_live_", "tk_a_", &format!("_{}", "A".repeat(38)), &format!("sk_live_{}", "A".repeat(38)), &near, "a"] {
            let text = piece.repeat(mega / piece.len());
            let started = std::time::Instant::now();
            assert_eq!(scan(&text).count(), 0);
            // A quadratic search would take minutes; an unoptimised build on a busy machine has a second.
            assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
        }
    }

    #[test]
    fn s77_a_found_key_does_not_print() {
        let key = made(KeyKind::Secret, Environment::Live, "acme");
        let printed = format!("{:?} {:?}", scan(&key).next(), scan(&key));
        assert!(!printed.contains(&key[8..20]), "{printed}");
    }
}
