//! What the console's frame and its sign-in pages know.

use crate::{Environment, Membership, Perm, Role, TenantId, UnixMs, credential::words};
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
    /// Until when they work there as its support; none for members.
    pub supporting: Option<UnixMs>,
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

impl Chrome {
    /// May the reader do this here? Support changes no policies, which would outlive its access.
    pub fn may(&self, perm: Perm) -> bool {
        self.role.holds(perm) && !(self.supporting.is_some() && perm == Perm::PoliciesWrite)
    }
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

/// What the right password leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    /// In, with this role.
    Done(Role),
    /// To the second factor.
    SecondFactor,
}

/// The form of the second step.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    /// Of the authenticator app, or a recovery code.
    pub code: String,
    /// The local path to go to afterwards.
    pub next: String,
}

/// The form that asks once more who is there.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfirmForm {
    /// Password.
    pub password: String,
    /// Where there is a second factor.
    pub code: String,
}

/// The form that changes the password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangePasswordForm {
    /// The one that goes.
    pub password: String,
    /// Of the second factor, where it was not given just now.
    pub code: String,
    /// The one that comes.
    pub new_password: String,
    /// Whether sessions elsewhere end.
    pub end_others: Option<String>,
}

/// The form behind a link that sets a new password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResetForm {
    /// The secret of the link.
    pub token: String,
    /// The one that comes.
    pub new_password: String,
}

/// The form of who has forgotten their password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForgotForm {
    /// The address that they sign in with.
    pub email: String,
}

/// The form that asks for another address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeEmailForm {
    /// `ask` or `cancel`.
    pub act: String,
    /// The one that comes.
    pub new_email: String,
    /// Password.
    pub password: String,
    /// Of the second factor, where it was not given just now.
    pub code: String,
}

/// The form behind a link that was mailed to either address of a change.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmailLinkForm {
    /// The secret of the link.
    pub token: String,
    /// `confirm` or `refuse`.
    pub act: String,
}

/// Another address that waits for its confirmations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailChange {
    /// The one that the account has.
    pub from: String,
    /// The one that it is to have.
    pub to: String,
    /// Until when the links work.
    pub expires_at: UnixMs,
    /// Confirmed at the one that it has.
    pub old_confirmed: bool,
    /// Confirmed at the one that it is to have.
    pub new_confirmed: bool,
}

/// Whether somebody has a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoFactorState {
    /// Since when, if they have.
    pub on_since: Option<UnixMs>,
    /// Recovery codes that were not used.
    pub codes_left: i64,
}

/// What an authenticator app is given, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// In base32, for typing.
    pub secret: String,
    /// What the QR code says.
    pub uri: String,
    /// The dark modules of the QR code, as the `d` of an SVG path.
    pub qr: String,
    /// The side of its square.
    pub side: i32,
}

/// The codes for when the second factor is lost, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes(pub Vec<String>);

/// Where somebody is signed in, as they and those who manage members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSeen {
    /// Its name for the form that ends it; opens nothing.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Whether it is a sign-in over the API.
    pub api: bool,
    /// The tenant that it works in.
    pub tenant: Option<String>,
    /// The address it began from.
    pub ip: Option<String>,
    /// What the client called itself then.
    pub user_agent: Option<String>,
    /// When it began.
    pub first_seen_at: UnixMs,
    /// When it was used last: in the console to the minute, over the API to the hour.
    pub last_seen_at: UnixMs,
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

silent!(
    SetupForm,
    SignInForm,
    CodeForm,
    ConfirmForm,
    ChangePasswordForm,
    ChangeEmailForm,
    EmailLinkForm,
    ResetForm,
    Enrolment,
    RecoveryCodes
);
