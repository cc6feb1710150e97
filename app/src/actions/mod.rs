//! Server functions: what the console changes. Each body names the context, calls the domain, maps the error. The
//! page forms run them (`server/src/http/console/forms.rs`), and they answer fetch at `/api/…`. Pages read from the
//! domain without one.
#![expect(missing_docs, reason = "the fields of the structs that `#[server]` makes are the functions' arguments")]

mod account;
mod desk;
mod keys;
mod settings;

pub use account::{SetUp, SignIn, SignOut, set_up, sign_in, sign_out};
pub use desk::{
    CloseLeak, DeskForm, LookUp, NotifyLeak, ReportForm, ReportLeak, RevokeLeaked, close_leak, look_up, notify_leak, report_leak,
    revoke_leaked,
};
pub use keys::{
    ActOnKey, CreateKey, EditKey, RetireKey, RevokeKey, RevokeKeys, RotateKey, act_on_key, create_key, edit_key, retire_key, revoke_key,
    revoke_keys, rotate_key,
};
pub use settings::{
    AddScope, AllowlistForm, DeleteScope, DescribeScope, ScopeForm, SetAllowlist, add_scope, delete_scope, describe_scope, set_allowlist,
};
