//! Prefixed ids. A `KeyId` is not an `AppId`, and parsing the wrong prefix fails (rule 2).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Why a string is no id of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id that starts with {prefix}")]
pub struct IdError {
    /// The prefix the type wants, with its underscore.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What every id of this type starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID; new ids are UUIDv7, so that they sort by the time they were made.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, as the databases store it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(s: &str) -> Result<Self, IdError> {
                let hex = s.strip_prefix($prefix).filter(|h| h.len() == 32 && !h.contains(|c: char| c.is_ascii_uppercase()));
                hex.and_then(|h| Uuid::try_parse(h).ok()).map(Self).ok_or(IdError { prefix: $prefix })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A tenant: one customer of the API, with its own keys, members and logs.
    TenantId = "ten_";
    /// A person with a sign-in.
    UserId = "usr_";
    /// An API key; it outlives its secrets.
    KeyId = "key_";
    /// One secret of an API key.
    SecretId = "sec_";
    /// One decided request.
    UsageId = "evt_";
    /// One recorded change.
    AuditId = "aud_";
    /// One event that waits to be delivered.
    OutboxId = "out_";
    /// One mail that waits to be sent.
    MailId = "mail_";
    /// A single-use form, so that posting it twice acts once.
    FormId = "form_";
    /// One report of a leaked key.
    LeakId = "leak_";
    /// One access token: its `jti`.
    TokenId = "tok_";
    /// A sign-in over the API, until it ends; its tokens carry it as `sid`.
    LoginId = "lgn_";
    /// Somebody who was asked to join a tenant.
    InvitationId = "inv_";
    /// An OAuth app: its `client_id`.
    AppId = "app_";
    /// One secret of an OAuth app.
    AppSecretId = "aps_";
    /// What a person allowed an OAuth app.
    GrantId = "grt_";
    /// What an OAuth app asks a person for.
    ConsentId = "con_";
    /// An operator in a tenant, for some hours.
    SupportId = "sup_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_mix() {
        let id = KeyId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "key_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
        assert_eq!(id.to_string().parse::<TenantId>(), Err(IdError { prefix: "ten_" }));
    }

    #[test]
    fn an_id_has_one_spelling() {
        for bad in [
            "key_",
            "key_7",
            "key_0000000000000000000000000000000A",
            "key_00000000-0000-0000-0000-000000000007",
            " key_00000000000000000000000000000007",
        ] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad}");
        }
    }
}
