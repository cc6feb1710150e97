//! The parts that pages are made of.

mod auth;
mod badge;
mod chart;
mod copy;
mod feedback;
mod field;
mod filter;
mod frame;
mod in_tenant;
mod mark;
mod page;
mod password;
mod preferences;
mod problem;
mod secret;
mod sessions;
mod time;

pub use auth::AuthPage;
pub use badge::{AppStateBadge, OutcomeBadge, StateBadge};
pub use chart::{Fig, Meter, OutcomeChart, minute};
pub use copy::{Code, CopyId, TestCurl};
pub use feedback::{Banner, ErrorSummary, Toasts, Tone};
pub use field::{ConfirmFields, FieldError, SelectField, TextArea, TextField, described_by};
pub use filter::{Choice, ExportLinks, FilterField, FilterForm, Moment, SearchField, Tokens};
pub use frame::Frame;
pub use in_tenant::{IN_TENANT, InTenant};
pub use mark::{AppMark, Glyph, Logo, Tally};
pub use page::{Crumbs, PageTitle, Pager};
pub use password::{Asked, NewPassword};
pub use preferences::{EnvironmentSwitch, SwitchToLive, ThemeSwitch};
pub use problem::{Fault, ProblemView};
pub use secret::{Masked, MaskedText, SecretOnce};
pub use sessions::{EndForm, SessionTable};
pub use time::{Ends, Time, TimeForm};
