//! The body that takes over a key of another system.

use super::CreateKeyBody;
use crate::{CreateKey, Environment, FieldErrors, RateLimit, UnixMs};
use serde::Deserialize;
use serde_json::Value;

/// `POST /v1/api-keys/import`: a key that another system made.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ImportKeyBody {
    /// What calls with it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = crate::KeyName))]
    pub name: Option<String>,
    /// What it may do.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Vec<crate::Scope>, max_items = 100))]
    pub scopes: Option<Vec<String>>,
    /// Live or test; none means the maker's.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Environment>))]
    pub environment: Option<String>,
    /// `secret` (if none is named) or `restricted`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::KeyKind>))]
    pub kind: Option<String>,
    /// Until when; `null` means until it is revoked. A key that expires itself hands on no more than its own time: absent
    /// means that, and `null` is refused.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    #[serde(deserialize_with = "super::named")]
    pub expires_at: Option<Option<String>>,
    /// The same, counted from now.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 36500))]
    pub expires_in_days: Option<i64>,
    /// From when.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    pub not_before: Option<String>,
    /// From where.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::AllowedIp>>, max_items = 100))]
    pub allowed_ips: Option<Vec<String>>,
    /// How often.
    pub rate_limit: Option<RateLimit>,
    /// A JSON object.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Value>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// SHA-256 of the whole key, 64 hexadecimal digits; `sha256:` may stand before it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = String, pattern = "^(sha256:)?[0-9a-fA-F]{64}$"))]
    pub digest: Option<String>,
    /// How the key begins, for people to recognise it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = String, min_length = 1, max_length = 16))]
    pub prefix: Option<String>,
    /// How it ends.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = String, min_length = 4, max_length = 4))]
    pub last_four: Option<String>,
}

/// A key of another system, ready to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportKey {
    /// What the key shall be.
    pub key: CreateKey,
    /// SHA-256 of the whole key.
    pub sha256: [u8; 32],
    /// How it begins.
    pub prefix: String,
    /// How it ends.
    pub last_four: String,
}

impl ImportKeyBody {
    /// Reads the body.
    pub fn parse(self, now: UnixMs, environment: Environment) -> Result<ImportKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let digest = self.digest.as_deref().unwrap_or_default().trim();
        let sha256 = read_hex(digest.strip_prefix("sha256:").unwrap_or(digest));
        if sha256.is_none() {
            let code = if digest.is_empty() { "required" } else { "invalid" };
            errors.add(
                "digest",
                code,
                "SHA-256 of the whole key as 64 hexadecimal digits, such as `printf %s \"$KEY\" | sha256sum` prints.",
            );
        }
        let visible = |s: &str, from: usize, to: usize| (from..=to).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_graphic());
        let prefix = self.prefix.unwrap_or_default();
        if !visible(&prefix, 1, 16) {
            errors.add("prefix", if prefix.is_empty() { "required" } else { "invalid" }, "How the key begins: 1 to 16 visible characters.");
        }
        let last_four = self.last_four.unwrap_or_default();
        if !visible(&last_four, 4, 4) {
            errors.add("last_four", if last_four.is_empty() { "required" } else { "invalid" }, "The last four characters of the key.");
        }
        if matches!(self.kind.as_deref(), Some("tenant" | "gateway")) {
            errors.add("kind", "not_permitted", "Keys of other systems are secret or restricted.");
        }
        let key = CreateKeyBody {
            name: self.name,
            scopes: self.scopes,
            environment: self.environment,
            kind: self.kind,
            expires_at: self.expires_at,
            expires_in_days: self.expires_in_days,
            not_before: self.not_before,
            allowed_ips: self.allowed_ips,
            rate_limit: self.rate_limit,
            metadata: self.metadata,
            owner: self.owner,
            platform: None,
        };
        let key =
            key.parse(now, environment).map_err(|more| more.0.into_iter().for_each(|e| errors.add(&e.field, &e.code, e.message))).ok();
        let import = key.zip(sha256).map(|(key, sha256)| ImportKey { key, sha256, prefix, last_four });
        errors.into_result(import)
    }
}

fn read_hex(s: &str) -> Option<[u8; 32]> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes: Vec<u8> = s.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Option<_>>()?;
    if s.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    #[test]
    fn an_import_brings_the_digest_of_the_whole_key() {
        let body = |digest: &str| ImportKeyBody {
            name: Some("old".into()),
            scopes: Some(vec!["read".into()]),
            digest: Some(digest.into()),
            prefix: Some("acme_".into()),
            last_four: Some("9xyz".into()),
            ..ImportKeyBody::default()
        };
        let hex = "00ff".repeat(16);
        assert_eq!(body(&format!("sha256:{}", hex.to_uppercase())).parse(NOW, Environment::Live).expect("valid").sha256[..2], [0, 255]);
        for bad in ["", "00", "zz", &hex[1..], &format!("{hex}0"), &"é".repeat(32)] {
            assert!(body(bad).parse(NOW, Environment::Live).expect_err(bad).get("digest").is_some(), "{bad}");
        }
        let gateway = ImportKeyBody { kind: Some("gateway".into()), prefix: Some("has space".into()), ..body(&hex) };
        let refused = gateway.parse(NOW, Environment::Live).expect_err("gateway");
        assert!(refused.get("kind").is_some() && refused.get("prefix").is_some());
    }
}
