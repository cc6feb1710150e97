//! The JSON bodies of `/v1/api-keys` as they are sent, and their parsers. Whatever is no member here is refused: what
//! the server decides (state, prefix, who made it) cannot be sent (s35).

mod act;
mod import;
pub(crate) mod read;

pub use act::{BulkRevokeBody, EmptyBody, ReasonBody, RotateBody, read_reason};
pub use import::{ImportKey, ImportKeyBody};
pub use read::read_ips;

use crate::{CreateKey, Environment, FieldErrors, KeyForm, KeyKind, Perm, RateLimit, Scope, UnixMs, key::UpdateKey};
use read::{check_order, check_rate_limit, read_expiry, read_metadata, read_name, read_owner, read_scopes, read_time};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `POST /v1/api-keys`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CreateKeyBody {
    /// What calls with it.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = crate::KeyName))]
    pub name: Option<String>,
    /// What it may do.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Scope>>, max_items = 100))]
    pub scopes: Option<Vec<String>>,
    /// Live or test; none means the maker's. The key of a gateway decides about both, whatever it is itself.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Environment>))]
    pub environment: Option<String>,
    /// What it is for; none means `secret`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<KeyKind>))]
    pub kind: Option<String>,
    /// Until when; `null` means until it is revoked. A key that expires itself hands on no more than its own time: absent
    /// means that, and `null` is refused.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    #[serde(deserialize_with = "named")]
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
    /// Who answers for it: a member's address or id.
    pub owner: Option<String>,
    /// Whether it acts for the whole installation.
    pub platform: Option<bool>,
}

/// `PATCH /v1/api-keys/{id}`: what is absent stays, `null` clears.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateKeyBody {
    /// What calls with it.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::KeyName))]
    #[serde(deserialize_with = "named")]
    pub name: Option<Option<String>>,
    /// What it may do.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Scope>, max_items = 100))]
    #[serde(deserialize_with = "named")]
    pub scopes: Option<Option<Vec<String>>>,
    /// From where; `null` means from anywhere.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::AllowedIp>>, max_items = 100))]
    #[serde(deserialize_with = "named")]
    pub allowed_ips: Option<Option<Vec<String>>>,
    /// Until when; `null` means until it is revoked.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    #[serde(deserialize_with = "named")]
    pub expires_at: Option<Option<String>>,
    /// From when; `null` means at once.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMs>))]
    #[serde(deserialize_with = "named")]
    pub not_before: Option<Option<String>>,
    /// How often; `null` means the plan's limit.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<RateLimit>))]
    #[serde(deserialize_with = "named")]
    pub rate_limit: Option<Option<RateLimit>>,
    /// A JSON object; `null` empties it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    #[serde(deserialize_with = "named")]
    pub metadata: Option<Option<Value>>,
    /// Who answers for it; `null` means nobody.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(deserialize_with = "named")]
    pub owner: Option<Option<String>>,
}

/// A member that is present, be it `null`.
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(crate) fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

impl CreateKeyBody {
    /// Reads the body; `environment` is what a maker who names none means.
    pub fn parse(&self, now: UnixMs, environment: Environment) -> Result<CreateKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = read_name(self.name.as_deref(), &mut errors);
        let kind = match self.kind.as_deref() {
            None => Some(KeyKind::Secret),
            Some(word) => word.parse().map_err(|()| errors.add("kind", "invalid", "One of secret, restricted, tenant and gateway.")).ok(),
        };
        let environment = match self.environment.as_deref() {
            None => Some(environment),
            Some(word) => word.parse().map_err(|()| errors.add("environment", "invalid", "live or test.")).ok(),
        };
        let scopes = if kind == Some(KeyKind::Gateway) && self.scopes.as_ref().is_none_or(Vec::is_empty) {
            vec![Perm::KeysVerify.scope()]
        } else {
            read_scopes(self.scopes.as_deref().unwrap_or_default(), &mut errors)
        };
        if kind == Some(KeyKind::Restricted) && scopes.iter().any(Scope::is_admin) {
            errors.add("scopes", "not_permitted", "A restricted key never holds admin.");
        }
        let expires_at = match (self.expires_at.as_ref().and_then(Option::as_ref), self.expires_in_days) {
            (Some(_), Some(_)) => {
                errors.add("expires_in_days", "invalid", "Give expires_at or expires_in_days, not both.");
                None
            }
            (Some(at), None) => read_expiry(at, now, &mut errors),
            (None, Some(days @ 1..=36_500)) => Some(now.plus(days * UnixMs::DAY)),
            (None, Some(_)) => {
                errors.add("expires_in_days", "invalid", "1 to 36500 days.");
                None
            }
            (None, None) => None,
        };
        let not_before = self.not_before.as_deref().and_then(|t| read_time("not_before", t, &mut errors));
        check_order(not_before, expires_at, &mut errors);
        let allowed_ips = read_ips(self.allowed_ips.as_deref().unwrap_or_default(), &mut errors);
        check_rate_limit(self.rate_limit, &mut errors);
        let metadata = read_metadata(self.metadata.as_ref(), &mut errors);
        let owner = self.owner.as_deref().and_then(|o| read_owner(o, &mut errors));
        let (rate_limit, platform) = (self.rate_limit, self.platform.unwrap_or_default());
        let req = name.zip(kind).zip(environment).map(|((name, kind), environment)| CreateKey {
            name,
            environment,
            kind,
            scopes,
            allowed_ips,
            not_before,
            expires_at,
            rate_limit,
            metadata,
            owner,
            platform,
        });
        errors.into_result(req)
    }
}

impl UpdateKeyBody {
    /// Reads the body.
    pub fn parse(&self) -> Result<UpdateKey, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = self.name.as_ref().and_then(|n| read_name(n.as_deref(), &mut errors));
        let scopes = self.scopes.as_ref().map(|s| read_scopes(s.as_deref().unwrap_or_default(), &mut errors));
        let allowed_ips = self.allowed_ips.as_ref().map(|ips| read_ips(ips.as_deref().unwrap_or_default(), &mut errors));
        let mut time =
            |field: &str, t: &Option<Option<String>>| t.as_ref().map(|t| t.as_deref().and_then(|t| read_time(field, t, &mut errors)));
        let (expires_at, not_before) = (time("expires_at", &self.expires_at), time("not_before", &self.not_before));
        check_rate_limit(self.rate_limit.flatten(), &mut errors);
        let metadata = self.metadata.as_ref().map(|m| read_metadata(m.as_ref(), &mut errors));
        let owner = self.owner.as_ref().map(|o| o.as_deref().and_then(|o| read_owner(o, &mut errors)));
        let update = UpdateKey { name, scopes, allowed_ips, expires_at, not_before, rate_limit: self.rate_limit, metadata, owner };
        errors.into_result(Some(update))
    }
}

impl KeyForm {
    /// What the edit form changes: everything on it. Members that the form does not have stay as they are.
    pub fn parse_update(&self, now: UnixMs) -> Result<UpdateKey, FieldErrors> {
        let new = self.parse(now)?;
        let shown = |field: &Option<String>| field.is_some();
        Ok(UpdateKey {
            name: Some(new.name),
            scopes: Some(new.scopes),
            allowed_ips: Some(new.allowed_ips),
            expires_at: Some(new.expires_at),
            not_before: shown(&self.not_before).then_some(new.not_before),
            rate_limit: shown(&self.per_hour).then_some(new.rate_limit),
            metadata: shown(&self.metadata).then_some(new.metadata),
            owner: shown(&self.owner).then_some(new.owner),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    fn read(body: Value) -> Result<CreateKey, Vec<(String, String)>> {
        let body: CreateKeyBody = serde_json::from_value(body).map_err(|e| vec![("json".to_owned(), e.to_string())])?;
        body.parse(NOW, Environment::Live).map_err(|e| e.0.into_iter().map(|e| (e.field, e.code)).collect())
    }

    #[test]
    fn a_whole_body_becomes_a_key() {
        let key = read(json!({
            "name": " jobs ", "scopes": ["users:read", "users:read"], "environment": "test", "kind": "restricted", "expires_in_days": 2,
            "not_before": "2023-11-15T00:00:00Z", "allowed_ips": ["203.0.113.0/24", "::ffff:198.51.100.7"],
            "rate_limit": {"per_hour": 5, "per_second": 1}, "metadata": {"team": "core", "n": 2.0}, "owner": "a@b.test"
        }))
        .expect("valid");
        assert_eq!((key.name.as_str(), key.scopes.len(), key.environment, key.kind), ("jobs", 1, Environment::Test, KeyKind::Restricted));
        assert_eq!((key.expires_at, key.allowed_ips[1].to_string().as_str()), (Some(NOW.plus(2 * UnixMs::DAY)), "198.51.100.7"));
        assert_eq!(key.metadata.to_string(), r#"{"n":2,"team":"core"}"#);
    }

    #[test]
    fn each_wrong_member_is_named() {
        for (extra, field) in [
            (json!({"name": null}), "name"),
            (json!({"name": "a\nb"}), "name"),
            (json!({"scopes": []}), "scopes"),
            (json!({"scopes": ["A B"]}), "scopes"),
            (json!({"scopes": ["admin"], "kind": "restricted"}), "scopes"),
            (json!({"kind": "x"}), "kind"),
            (json!({"environment": "staging"}), "environment"),
            (json!({"expires_at": "yesterday"}), "expires_at"),
            (json!({"expires_at": "2001-01-01T00:00:00Z"}), "expires_at"),
            (json!({"expires_in_days": 0}), "expires_in_days"),
            (json!({"expires_in_days": 1, "expires_at": "2030-01-01T00:00:00Z"}), "expires_in_days"),
            (json!({"not_before": "2031-01-01T00:00:00Z", "expires_at": "2030-01-01T00:00:00Z"}), "not_before"),
            (json!({"allowed_ips": ["198.51.100.7/24"]}), "allowed_ips"),
            (json!({"rate_limit": {"per_hour": 0, "per_second": 1}}), "rate_limit.per_hour"),
            (json!({"metadata": [1]}), "metadata"),
            (json!({"metadata": {"a": "x\u{0}"}}), "metadata"),
            (json!({"metadata": {"a": "x".repeat(17_000)}}), "metadata"),
            (json!({"metadata": {"a": 9_007_199_254_740_993_i64}}), "metadata"),
            (json!({"owner": " "}), "owner"),
        ] {
            let mut body = json!({"name": "k", "scopes": ["read"]});
            for (k, v) in extra.as_object().expect("an object") {
                body[k] = v.clone();
            }
            let refused = read(body).expect_err(field);
            assert_eq!(refused[0].0, field, "{extra}: {refused:?}");
        }
        assert_eq!(read(json!({})).expect_err("empty").iter().map(|e| e.0.as_str()).collect::<Vec<_>>(), ["name", "scopes"]);
    }

    #[test]
    fn s35_what_the_server_decides_cannot_be_sent() {
        for member in ["id", "tenant_id", "state", "prefix", "last_four", "created_at", "created_by", "revoked_at", "key", "digest"] {
            let mut body = json!({"name": "k", "scopes": ["read"]});
            body[member] = json!("x");
            assert_eq!(read(body.clone()).expect_err(member)[0].0, "json", "{member}");
            assert!(serde_json::from_value::<UpdateKeyBody>(json!({member: "x"})).is_err(), "{member}");
        }
        for member in ["kind", "environment", "platform", "last_used_at"] {
            assert!(serde_json::from_value::<UpdateKeyBody>(json!({member: "x"})).is_err(), "{member}");
        }
    }

    #[test]
    fn in_an_update_absent_stays_and_null_clears() {
        let read = |v: Value| serde_json::from_value::<UpdateKeyBody>(v).expect("readable").parse();
        assert_eq!(read(json!({})), Ok(UpdateKey::default()));
        let cleared =
            read(json!({"allowed_ips": null, "expires_at": null, "rate_limit": null, "metadata": null, "owner": null})).expect("valid");
        assert_eq!((cleared.allowed_ips, cleared.expires_at, cleared.rate_limit), (Some(vec![]), Some(None), Some(None)));
        assert_eq!((cleared.metadata, cleared.owner), (Some(json!({})), Some(None)));
        for required in ["name", "scopes"] {
            assert_eq!(read(json!({required: null})).expect_err(required).0[0].code, "required");
        }
    }
}
