//! What people are asked to allow, and what they allowed.

use crate::{AppId, ConsentId, GrantId, Scope, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};

/// The page that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The request.
    pub id: ConsentId,
    /// Who asks.
    pub app: String,
    /// The same, by its id.
    pub client_id: AppId,
    /// The path of its logo.
    pub logo: Option<String>,
    /// Where people read about it.
    pub home_page: Option<String>,
    /// The host that the answer goes to; none of an app on the device.
    pub host: Option<String>,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// The same, for the policy of the page.
    pub origin: String,
    /// What for.
    pub scopes: Vec<ConsentScope>,
    /// Where it may act, by id and name.
    pub tenants: Vec<(TenantId, String)>,
    /// The one of them where the person works now.
    pub here: Option<TenantId>,
    /// Who is asked.
    pub email: String,
    /// The address that asks for the same again, for somebody else.
    pub again: String,
    /// Whether this is a trial of the app, whose answer goes to the console.
    pub trial: bool,
}

/// One permission that an app asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentScope {
    /// Its name.
    pub name: Scope,
    /// What it allows.
    pub words: String,
}

/// What the person says. Whatever is not a yes is a no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentForm {
    /// `allow`.
    #[serde(default)]
    pub decision: String,
    /// Where the app may act.
    #[serde(default)]
    pub tenant_id: String,
}

/// What a person allowed an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantSeen {
    /// The grant.
    pub id: GrantId,
    /// Where the app may act.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant: String,
    /// Who allowed it.
    pub user_id: UserId,
    /// By their address.
    pub user: String,
    /// The app.
    pub app_id: AppId,
    /// Its name.
    pub app: String,
    /// Where people read about it.
    pub home_page: Option<String>,
    /// Its logo, while the app is in use.
    pub logo_url: Option<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was first allowed something.
    pub created_at: UnixMs,
    /// When it was last allowed something.
    pub updated_at: UnixMs,
    /// When it last got a refresh token.
    pub last_used_at: Option<UnixMs>,
}
