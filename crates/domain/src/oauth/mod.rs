//! The authorization server: apps, what people allow them, and the tokens that come of it (RFC 6749, 7009, 7636, 7662, 9068,
//! 9207, 9700; OpenID Connect Core).
//!
//! An app belongs to one tenant. Every process keeps all of them in memory, as it keeps API keys, so that the token endpoint
//! and decisions about tokens ask no database who a client is. What a person allowed is a grant in the tenant where the app
//! acts; the tokens of a grant are logins, which end within a second wherever they are shown (s22, s34).

mod apps;
mod assertion;
mod authorize;
mod client;
mod consent;
mod error;
mod grants;
mod id_token;
pub mod logo;
mod policies;
mod request;
mod signed;
mod snapshot;
mod sql;
mod tokens;
mod trial;

pub(crate) use apps::end_secret;
pub use apps::{create, delete, fingerprint, get, list, resume, rotate_secret, rotate_secret_from_form, suspend, update, update_from_form};
pub use authorize::{Next, begin, unproved};
pub use client::{Presented, authenticate, charge};
pub use consent::{consent, decide};
pub use error::{OauthCode, OauthError};
pub(crate) use grants::end_of_member;
pub use grants::{elsewhere, mine, of_app, revoke as revoke_grant};
pub use id_token::userinfo;
pub use policies::longest_refresh;
pub(crate) use policies::unmet;
pub use request::{Asked, Refused, check, check_in};
pub(crate) use signed::read as read_signed;
pub use snapshot::{Apps, Client};
pub(crate) use sql::{count_holding, tell_owner_changed, tell_tenant_changed};
pub use tokens::{Introspected, TokenRequest, TokenResponse, introspect, revoke, token};
pub(crate) use trial::PATIENCE as TRIAL_PATIENCE;
pub use trial::{
    Answered, Begun, Exchanged, Failure, Issued, Jwt, Looked, Report, Sent, Trial, begin as begin_trial, finish as finish_trial,
    stop as stop_trial,
};
