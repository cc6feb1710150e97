//! Kinds, environments and states of credentials.

use crate::UnixMs;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

// The word is a `tt`: utoipa reads no attribute whose value is a `literal` fragment of a macro.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:tt,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in the order people see them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in JSON, in the databases and in URLs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(s: &str) -> Result<Self, ()> {
                match s { $($word => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Live and test never touch each other.
    Environment {
        /// Production.
        Live = "live",
        /// The sandbox.
        Test = "test",
    }
}

words! {
    /// What an API key is for.
    KeyKind {
        /// `sk_…`: any permission.
        Secret = "secret",
        /// `rk_…`: named scopes, never `admin`.
        Restricted = "restricted",
        /// `tk_<tenant>_…`: one tenant, never crosses.
        Tenant = "tenant",
        /// `gk_…`: asks for decisions, nothing else.
        Gateway = "gateway",
    }
}

words! {
    /// What kind of credential a request carried.
    CredentialKind {
        /// An API key of any [`KeyKind`].
        ApiKey = "api_key",
        /// A JWT access token.
        AccessToken = "access_token",
        /// A client-signed JWT.
        ClientJwt = "client_jwt",
        /// A person's console session.
        Session = "session",
    }
}

words! {
    /// What a key is right now; derived from its dates, never stored.
    KeyState {
        /// Works, or will once its `not_before` is reached.
        Active = "active",
        /// Switched off, can be switched on again.
        Disabled = "disabled",
        /// Its `expires_at` has passed.
        Expired = "expired",
        /// Gone for good.
        Revoked = "revoked",
    }
}

impl KeyState {
    /// The state that follows from a key's dates. One whose `not_before` lies ahead is active: nobody has to do anything
    /// for it to work.
    pub fn of(revoked_at: Option<UnixMs>, disabled_at: Option<UnixMs>, expires_at: Option<UnixMs>, now: UnixMs) -> Self {
        if revoked_at.is_some() {
            Self::Revoked
        } else if disabled_at.is_some() {
            Self::Disabled
        } else if expires_at.is_some_and(|t| t <= now) {
            Self::Expired
        } else {
            Self::Active
        }
    }
}
