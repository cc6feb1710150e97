//! Server functions: what the console asks of the domain. Each body names the context, calls the domain, maps the
//! error. Reads are GET; writes are POST and also what the page forms run (`server/src/http/forms.rs`).
#![expect(missing_docs, reason = "the fields of the structs that `#[server]` makes are the functions' arguments")]

mod account;
mod audit;
mod keys;
mod usage;

pub use account::{Chromed, SetUp, SignIn, SignOut, chrome, set_up, sign_in, sign_out};
pub use audit::{ListAudit, list_audit};
pub use keys::{
    CreateKey, GetKey, GetKeyImpact, ListCatalogue, ListKeys, RevokeKey, create_key, get_key, get_key_impact, list_catalogue, list_keys,
    revoke_key,
};
pub use usage::{ListUsage, list_usage};
