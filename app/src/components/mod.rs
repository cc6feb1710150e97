//! The parts that pages are made of.

mod badge;
mod copy;
mod feedback;
mod field;
mod filter;
mod frame;
mod icon;
mod page;
mod problem;
mod time;
mod wait;

pub use badge::{OutcomeBadge, StateBadge};
pub use copy::{Code, CopyId, TestCurl};
pub use feedback::{Banner, ErrorSummary, Toasts, Tone};
pub use field::{FieldError, TextArea, TextField, described_by};
pub use filter::FilterForm;
pub use frame::{Frame, use_chrome, with_chrome};
pub use icon::{Glyph, Icon, IconName, Logo, Tally};
pub use page::{AuthPage, Crumbs, Here, Main, PageTitle, Pager};
pub use problem::ProblemView;
pub use time::{Ends, Now, Time, TimeForm};
pub use wait::{loading, wait, wait_each};
