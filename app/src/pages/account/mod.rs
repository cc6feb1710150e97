//! A person's own account.

mod confirm;
mod email;
mod forgot;
mod grants;
mod password;
mod reset;
mod second_step;
mod sessions;
mod two_factor;

pub use confirm::ConfirmPage;
pub use email::{EmailLinkPage, EmailPage};
pub use forgot::ForgotPage;
pub use grants::GrantsPage;
pub use password::AccountPage;
pub use reset::ResetPage;
pub use second_step::SecondStepPage;
pub use sessions::SessionsPage;
pub use two_factor::TwoFactorPage;

use crate::{
    components::{Crumbs, TextField},
    icon::{Icon, IconName},
};
use leptos::prelude::*;

fn crumbs(here: &str) -> Crumbs {
    Crumbs { above: vec![("Account".to_owned(), "/account".to_owned())], ..Crumbs::section(here) }
}

/// The pages of the account.
#[component]
fn Tabs(
    /// The path of this page.
    here: &'static str,
) -> impl IntoView {
    let tabs = [
        ("/account", "Password"),
        ("/account/email", "Email"),
        ("/account/two-factor", "Two-factor sign-in"),
        ("/account/sessions", "Sessions"),
        ("/grants", "Grants"),
    ]
    .map(|(path, label)| view! { <a href=path aria-current=(path == here).then_some("page")>{label}</a> }.into_any());
    view! { <nav class="tabs tabs--gap" aria-label="Account">{tabs.into_iter().collect_view()}</nav> }
}

/// What has just been done.
#[component]
fn Done(
    /// In words.
    text: &'static str,
) -> impl IntoView {
    view! { <p class="row small ok" role="status"><Icon name=IconName::CircleCheck/>{text}</p> }
}

/// A code of the second factor.
#[component]
pub fn CodeField(
    /// Its name in the form.
    #[prop(default = "code")]
    name: &'static str,
    /// What is wrong.
    #[prop(optional_no_strip)]
    error: Option<String>,
    /// Whether it has the focus when the page arrives.
    #[prop(optional)]
    autofocus: bool,
    /// Whether a recovery code does as well.
    #[prop(default = true)]
    or_recovery: bool,
) -> impl IntoView {
    let hint =
        if or_recovery { "Six digits of your authenticator app, or a recovery code." } else { "Six digits of your authenticator app." };
    view! { <TextField name label=|| "Code" autocomplete="one-time-code" hint=hint error autofocus mono=true/> }
}

/// Whether sessions elsewhere end with what the form does.
#[component]
fn EndOthers(
    /// Ticked.
    #[prop(default = true)]
    chosen: bool,
) -> impl IntoView {
    view! {
        <label class="opt" for="end_others">
            <input class="check" type="checkbox" id="end_others" name="end_others" value="1" checked=chosen/>
            "Sign out everywhere else"
        </label>
    }
}
