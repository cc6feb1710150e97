//! The parts that pages are made of.

mod badge;
mod copy;
mod feedback;
mod field;
mod frame;
mod icon;
mod page;
mod problem;
mod time;

pub use badge::{OutcomeBadge, StateBadge};
pub use copy::{Code, CopyId, TestCurl};
pub use feedback::{Banner, ErrorSummary, Toasts, Tone};
pub use field::{FieldError, TextArea, TextField, described_by};
pub use frame::{Frame, WithChrome, use_chrome};
pub use icon::{Glyph, Icon, IconName, Logo, Tally};
pub use page::{AuthPage, Crumbs, Here, Main, PageTitle, Pager};
pub use problem::ProblemView;
pub use time::{Ends, Now, Time, TimeForm};
