//! The form of an API key: prefix, 32 base62 characters (190 bits), and a checksum over both (s32).

use crate::{clock::Entropy, seal::DataKeys};
use aws_lc_rs::digest;
use contract::{AppSecret, Environment, KeyKind, Secret, Slug};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// log2(62) × 32 = 190.5 bits.
pub(super) const RANDOM: usize = 32;
/// 62⁶ > 2³²: room for a CRC32.
pub(super) const CHECKSUM: usize = 6;
/// The longest key: `tk_`, a slug of 24, `_`, and the two parts.
const MAX: usize = 3 + 24 + 1 + RANDOM + CHECKSUM;
/// What secrets of apps start with.
pub(super) const OF_APP: &str = AppSecret::PREFIX;
/// log2(62) × 43 = 256 bits: they sign, too (s64).
pub(super) const OF_APP_RANDOM: usize = 43;
/// What keys start with; behind `tk_` stands the tenant's slug and another underscore.
pub(super) const PREFIXES: [&str; 6] = ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "tk_", "gk_"];
/// How much of the random part is shown: 4 characters leave 166 bits unknown.
const SHOWN: usize = 4;

/// Says how the hash behind a stored digest was made, so that another can be added without a flag day.
const BLAKE3_KEYED: u8 = 1;
/// Of keys that other systems made only SHA-256 is known; it is stored under the pepper like the rest, so that a copy
/// of the database does not help to guess them (s33).
const BLAKE3_KEYED_SHA256: u8 = 2;
/// The longest key of another system that is looked for.
const MAX_FOREIGN: usize = 512;

/// What is stored of a secret: an algorithm byte and the hash under the pepper.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest([u8; 33]);

impl Digest {
    /// As it is stored.
    pub const fn bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// The hash alone, as secrets of apps are stored.
    pub fn hash(&self) -> &[u8] {
        &self.0[1..]
    }

    /// Does it belong to a key that another system made?
    pub const fn is_foreign(&self) -> bool {
        self.0[0] == BLAKE3_KEYED_SHA256
    }

    /// Reads a stored digest.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// A key that has the right form and checksum. Whose it is, its digest tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parsed<'a>(&'a str);

/// A fresh secret with what may be kept of it.
#[derive(Debug)]
pub struct Generated {
    /// The whole key, to be shown once.
    pub token: Secret<String>,
    /// What is stored.
    pub digest: Digest,
    /// What is displayed: everything before the random part and its first characters.
    pub prefix: String,
    /// The last four characters.
    pub last_four: String,
}

/// What stands before the random part.
fn prefix(kind: KeyKind, environment: Environment, tenant: &Slug) -> String {
    match kind {
        KeyKind::Secret => format!("sk_{environment}_"),
        KeyKind::Restricted => format!("rk_{environment}_"),
        KeyKind::Tenant => format!("tk_{tenant}_"),
        KeyKind::Gateway => "gk_".to_owned(),
    }
}

/// Makes a key.
pub fn generate(entropy: &dyn Entropy, keys: &DataKeys, kind: KeyKind, environment: Environment, tenant: &Slug) -> Generated {
    let mut token = prefix(kind, environment, tenant);
    let random_at = token.len();
    push_random(&mut token, RANDOM, entropy);
    let shown = token[..random_at + SHOWN].to_owned();
    let sum = checksum(token.as_bytes());
    token.extend(sum.map(char::from));
    let digest = own(keys, &token);
    let last_four = token[token.len() - 4..].to_owned();
    Generated { token: Secret::new(token), digest, prefix: shown, last_four }
}

/// Makes a secret of an app, in the form of a key.
pub fn generate_for_app(entropy: &dyn Entropy) -> Secret<String> {
    let mut text = OF_APP.to_owned();
    push_random(&mut text, OF_APP_RANDOM, entropy);
    let sum = checksum(text.as_bytes());
    text.extend(sum.map(char::from));
    Secret::new(text)
}

fn push_random(out: &mut String, count: usize, entropy: &dyn Entropy) {
    let end = out.len() + count;
    let mut buf = [0; RANDOM];
    while out.len() < end {
        entropy.fill(&mut buf);
        // Bytes from 248 on would make the first characters likelier than the others.
        for b in buf.iter().filter(|b| **b < 248).take(end - out.len()) {
            out.push(char::from(BASE62[usize::from(*b) % 62]));
        }
    }
}

/// CRC32 of everything before it, in base62.
fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let mut n = crc32fast::hash(body);
    let mut out = [b'0'; CHECKSUM];
    for c in out.iter_mut().rev() {
        *c = BASE62[(n % 62) as usize];
        n /= 62;
    }
    out
}

/// Checks form and checksum, without any I/O; a typo or junk dies here.
pub fn parse(s: &str) -> Option<Parsed<'_>> {
    let rest = &s[PREFIXES.iter().find(|p| s.starts_with(**p))?.len()..];
    if s.len() > MAX || !s.is_ascii() {
        return None;
    }
    let random = if s.starts_with("tk_") {
        let (slug, random) = rest.rsplit_once('_')?;
        Slug::parse(slug).ok().filter(|parsed| parsed.as_str() == slug)?;
        random
    } else {
        rest
    };
    if random.len() != RANDOM + CHECKSUM || !random.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (body, sum) = s.as_bytes().split_at(s.len() - CHECKSUM);
    (checksum(body) == sum).then_some(Parsed(s))
}

/// The same for a secret of an app, which is no key: decisions know nothing of it.
pub fn parse_of_app(s: &str) -> Option<Parsed<'_>> {
    let random = s.strip_prefix(OF_APP)?;
    if random.len() != OF_APP_RANDOM + CHECKSUM || !random.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (body, sum) = s.as_bytes().split_at(s.len() - CHECKSUM);
    (checksum(body) == sum).then_some(Parsed(s))
}

impl std::fmt::Debug for Parsed<'_> {
    /// Without the key (rule 4).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parsed(…)")
    }
}

#[cfg(test)]
impl<'a> Parsed<'a> {
    /// The key itself; greppable on purpose.
    pub(super) const fn expose(self) -> &'a str {
        self.0
    }
}

impl Parsed<'_> {
    /// The digest under which the key would be stored.
    pub fn digest(self, keys: &DataKeys) -> Digest {
        own(keys, self.0)
    }
}

fn own(keys: &DataKeys, token: &str) -> Digest {
    keyed(BLAKE3_KEYED, keys, token.as_bytes())
}

/// The digest under which a key of another system is stored, given its SHA-256.
pub fn foreign(keys: &DataKeys, sha256: &[u8; 32]) -> Digest {
    keyed(BLAKE3_KEYED_SHA256, keys, sha256)
}

/// The same, given what was sent; none when it cannot be such a key.
pub fn foreign_digest(keys: &DataKeys, credential: &str) -> Option<Digest> {
    let plausible = (1..=MAX_FOREIGN).contains(&credential.len());
    plausible.then(|| sha256(keys, credential))
}

/// The same of a key in our form, which another installation may have made.
pub fn foreign_of(keys: &DataKeys, key: Parsed<'_>) -> Digest {
    sha256(keys, key.0)
}

fn sha256(keys: &DataKeys, credential: &str) -> Digest {
    keyed(BLAKE3_KEYED_SHA256, keys, digest::digest(&digest::SHA256, credential.as_bytes()).as_ref())
}

fn keyed(algorithm: u8, keys: &DataKeys, of: &[u8]) -> Digest {
    let mut out = [algorithm; 33];
    out[1..].copy_from_slice(blake3::keyed_hash(keys.pepper.expose(), of).as_bytes());
    Digest(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    fn keys() -> DataKeys {
        DataKeys::with_pepper([7; 32])
    }

    fn made(kind: KeyKind) -> Generated {
        generate(&SystemEntropy, &keys(), kind, Environment::Live, &Slug::from_name("Acme Inc"))
    }

    #[test]
    fn s32_every_kind_has_its_form_and_reads_back() {
        for (kind, start) in
            [(KeyKind::Secret, "sk_live_"), (KeyKind::Restricted, "rk_live_"), (KeyKind::Tenant, "tk_acme-inc_"), (KeyKind::Gateway, "gk_")]
        {
            let key = made(kind);
            let token = key.token.expose();
            assert!(token.starts_with(start), "{start}");
            assert_eq!(token.len(), start.len() + RANDOM + CHECKSUM);
            assert_eq!(key.prefix, token[..start.len() + 4]);
            assert_eq!(parse(token).map(|p| p.digest(&keys())), Some(key.digest));
        }
    }

    #[test]
    fn s32_every_typo_of_one_character_is_refused() {
        let key = made(KeyKind::Secret);
        let token = key.token.expose();
        for at in 0..token.len() {
            for other in ['0', 'A', 'z', '_', 'é'] {
                let mut typo: Vec<char> = token.chars().collect();
                if typo[at] != other {
                    typo[at] = other;
                    assert_eq!(parse(&typo.iter().collect::<String>()), None, "position {at}");
                }
            }
        }
        for junk in [
            "",
            "sk_live_",
            "sk_live",
            "x",
            "tk__",
            "gk_",
            &token[1..],
            &token[..token.len() - 1],
            &format!("{token}0"),
            &format!(" {token}"),
        ] {
            assert_eq!(parse(junk), None, "{junk}");
        }
    }

    #[test]
    fn s33_a_digest_depends_on_the_pepper() {
        let key = made(KeyKind::Secret);
        let other = DataKeys::with_pepper([8; 32]);
        assert_ne!(parse(key.token.expose()).map(|p| p.digest(&other)), Some(key.digest));
    }

    #[test]
    fn s32_random_characters_are_evenly_spread() {
        let mut count = [0_u32; 62];
        for _ in 0..400 {
            let key = made(KeyKind::Gateway);
            for b in &key.token.expose().as_bytes()[3..3 + RANDOM] {
                count[BASE62.iter().position(|c| c == b).expect("base62")] += 1;
            }
        }
        // 12,800 characters over 62: 206 each; ten standard deviations either way.
        assert!(count.iter().all(|n| (60..350).contains(n)), "{count:?}");
    }
}
