//! Signing in over the API: the requests and answers of `/v1/auth/*` (contract, section 5).

use crate::{CredentialKind, Role, Scope, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};

/// Body of `POST /v1/auth/login`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
    /// The tenant to work on; needed by who belongs to several.
    #[serde(default)]
    pub tenant_id: Option<TenantId>,
}

/// Body of `POST /v1/auth/mfa`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MfaBody {
    /// `error.mfa_token` of the answer to the login.
    pub mfa_token: String,
    /// Six digits of the authenticator app, or a recovery code.
    pub code: String,
}

/// Body of `POST /v1/auth/refresh`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    /// The refresh token of the last answer.
    pub refresh_token: String,
}

/// Body of `POST /v1/auth/logout`; it may be left out where the access token is sent.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogoutBody {
    /// The refresh token, for who has no access token that still works.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// End every sign-in of this person over the API, in all tenants.
    #[serde(default)]
    pub everywhere: bool,
}

/// Answer of login and refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    /// A JWT (RFC 9068) to call with.
    pub access_token: String,
    /// Good for one refresh.
    pub refresh_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Who signed in.
    pub user: TokenUser,
}

/// Who signed in, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenUser {
    /// The person.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// What they may do in the tenant.
    pub role: Role,
    /// The tenant.
    pub tenant_id: TenantId,
}

/// Answer of `GET /v1/auth/me`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// What kind of credential was sent.
    pub kind: CredentialKind,
    /// The person who signed in; none for keys, which act for themselves.
    pub user: Option<TokenUser>,
    /// The tenant.
    pub tenant_id: TenantId,
    /// What the credential holds.
    pub scopes: Vec<Scope>,
    /// When it expires.
    pub expires_at: Option<UnixMs>,
}

crate::account::silent!(LoginBody, MfaBody, RefreshBody, LogoutBody, TokenAnswer);
