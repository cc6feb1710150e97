//! OAuth apps: clients of the authorization server (RFC 6749, section 2; names as in RFC 7591).

mod body;
mod consent;
mod form;
mod redirect;

pub use body::{AppTerms, CreateApp, CreateAppBody, UpdateAppBody};
pub use consent::{Consent, ConsentForm, ConsentScope, GrantSeen};
pub use form::AppForm;
pub use redirect::{RedirectError, RedirectUri};

use crate::{AppId, AppSecretId, UnixMs, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// What runs the app (contract, section 6).
    AppKind {
        /// On a server that keeps a secret.
        Confidential = "confidential",
        /// In a browser or on a device, where nothing is secret.
        Public = "public",
        /// For itself, without a person.
        Machine = "machine",
    }
}

words! {
    /// How an app gets tokens.
    GrantType {
        /// A person allows it.
        AuthorizationCode = "authorization_code",
        /// It goes on without them.
        RefreshToken = "refresh_token",
        /// For itself.
        ClientCredentials = "client_credentials",
    }
}

words! {
    /// How an app proves who it is at the token endpoint.
    AuthMethod {
        /// Its id and secret in the header, form-encoded.
        ClientSecretBasic = "client_secret_basic",
        /// The same in the body.
        ClientSecretPost = "client_secret_post",
        /// A JWT that it signs with its key (RFC 7523).
        PrivateKeyJwt = "private_key_jwt",
        /// Not at all: its codes are bound to it by PKCE.
        None = "none",
    }
}

words! {
    /// How an ID token is signed.
    IdTokenAlg {
        /// What every client reads.
        Rs256 = "RS256",
        /// As access tokens are.
        EdDsa = "EdDSA",
    }
}

words! {
    /// Whether an app is in use.
    AppState {
        /// It is.
        Active = "active",
        /// Its tokens, codes and sign-ins work no more, until it is resumed. Tokens that it got for itself have ended.
        Suspended = "suspended",
    }
}

impl AppKind {
    /// What an app of this kind may do to get tokens.
    pub const fn grant_types(self) -> &'static [GrantType] {
        match self {
            Self::Confidential => GrantType::ALL,
            Self::Public => &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            Self::Machine => &[GrantType::ClientCredentials],
        }
    }

    /// Has it a secret?
    pub const fn has_secret(self) -> bool {
        !matches!(self, Self::Public)
    }

    /// Does somebody allow it anything, and go back to it?
    pub const fn redirects(self) -> bool {
        !matches!(self, Self::Machine)
    }
}

/// A secret of an app, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppSecret {
    /// The secret.
    pub id: AppSecretId,
    /// Its last four characters.
    pub last_four: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// Until when it works beside its successor; none for the one that is current.
    pub expires_at: Option<UnixMs>,
}

/// An OAuth app; its secrets are not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct App {
    /// The app.
    pub id: AppId,
    /// The same, under OAuth's name for it.
    pub client_id: AppId,
    /// What people are asked to allow.
    pub name: String,
    /// What runs it.
    pub kind: AppKind,
    /// Whether it is in use.
    pub state: AppState,
    /// What it may do, and how.
    #[serde(flatten)]
    pub terms: AppTerms,
    /// Its secrets that work, the newest first.
    pub secrets: Vec<AppSecret>,
    /// When it was registered.
    pub created_at: UnixMs,
    /// Who registered it.
    pub created_by: String,
    /// When it last got a token or used one, to the minute.
    pub last_used_at: Option<UnixMs>,
    /// Its logo, 128 × 128 PNG; while the app is suspended nobody is shown it.
    pub logo_url: Option<String>,
}

impl AppSecret {
    /// What every secret of an app starts with.
    pub const PREFIX: &str = "kss_";
}

impl App {
    /// Does it prove itself with a secret, and have none that lasts? An old one may still work for a while.
    pub fn needs_secret(&self) -> bool {
        let with_secret = matches!(self.terms.auth_method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost);
        with_secret && self.secrets.iter().all(|s| s.expires_at.is_some())
    }
}

/// Where logos are served; behind it follow the app, and a name that changes with the picture.
pub const LOGOS: &str = "/oauth/logos/";

/// The path of a logo on this server, for pages of it: their policy admits no other.
pub fn logo_path(url: &str) -> Option<&str> {
    url.find(LOGOS).map(|at| &url[at..])
}

/// An app that was registered, or got a new secret: the one answer that holds it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApp {
    /// The app.
    #[serde(flatten)]
    pub app: App,
    /// Its secret, `kss_…`, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

crate::account::silent!(CreatedApp);
