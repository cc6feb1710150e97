//! Server functions: what the console changes. Each body names the context, calls the domain, maps the error. The
//! page forms run them (`server/src/http/console/forms.rs`), and they answer fetch at `/api/…`. Pages read from the
//! domain without one.
#![expect(missing_docs, reason = "the fields of the structs that `#[server]` makes are the functions' arguments")]

mod account;
mod keys;

pub use account::{SetUp, SignIn, SignOut, set_up, sign_in, sign_out};
pub use keys::{
    ActOnKey, CreateKey, EditKey, RetireKey, RevokeKey, RevokeKeys, RotateKey, act_on_key, create_key, edit_key, retire_key, revoke_key,
    revoke_keys, rotate_key,
};
