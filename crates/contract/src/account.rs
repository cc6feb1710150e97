//! What the console's frame and its sign-in pages know.

use crate::{Environment, Membership, Role, TenantId, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// The colours a person chose; none chosen means the system's.
    Theme {
        /// Dark on light.
        Light = "light",
        /// Light on dark.
        Dark = "dark",
    }
}

/// What a browser remembers for a person, in one cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefs {
    /// Which environment the console shows.
    pub environment: Environment,
    /// Which colours it has.
    pub theme: Option<Theme>,
}

impl Default for Prefs {
    fn default() -> Self {
        Self { environment: Environment::Live, theme: None }
    }
}

/// What the frame around every signed-in page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chrome {
    /// The tenant being worked on.
    pub tenant: String,
    /// Its id.
    pub tenant_id: TenantId,
    /// Every tenant that the person may work on.
    pub tenants: Vec<Membership>,
    /// Whether they operate the installation.
    pub platform_admin: bool,
    /// Who is signed in.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Environment and theme.
    pub prefs: Prefs,
    /// Whether the installation is a sandbox, where only test credentials exist.
    pub sandbox: bool,
    /// Where outside clients reach this server, without a slash at the end.
    pub public_url: String,
    /// The address the browser comes from, to offer it for an allowlist.
    pub address: Option<String>,
    /// The public URL is plain http and not loopback: secrets would travel in the clear.
    pub insecure: bool,
}

/// The one-time setup form.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupForm {
    /// The secret of the setup link.
    #[serde(default)]
    pub token: String,
    /// Name of the first tenant.
    #[serde(default)]
    pub tenant: String,
    /// Its owner's address.
    #[serde(default)]
    pub email: String,
    /// Its owner's password; never sent back.
    #[serde(default)]
    pub password: String,
}

/// The sign-in form.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInForm {
    /// Address.
    #[serde(default)]
    pub email: String,
    /// Password; never sent back.
    #[serde(default)]
    pub password: String,
    /// The local path to go to afterwards.
    #[serde(default)]
    pub next: String,
}

/// A form that holds a secret says its name and nothing else (rule 4).
macro_rules! silent {
    ($($name:ty),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
pub(crate) use silent;

silent!(SetupForm, SignInForm);
