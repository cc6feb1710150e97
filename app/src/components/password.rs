//! The field of a new password: what is asked of it, and what can be said of it while it is typed.

use super::field::{FieldError, PasswordToggle, described_by};
use contract::{PASSWORD_MIN, PASSWORD_MIN_WITH_FACTOR};
use leptos::prelude::*;

/// How long a new password has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// There is no second factor.
    Alone,
    /// There is one.
    WithFactor,
    /// Nobody knows before it is sent.
    Either,
}

impl Asked {
    /// The least number of characters, and that without a second factor.
    const fn least(self) -> (usize, usize) {
        match self {
            Self::Alone => (PASSWORD_MIN, PASSWORD_MIN),
            Self::WithFactor => (PASSWORD_MIN_WITH_FACTOR, PASSWORD_MIN_WITH_FACTOR),
            Self::Either => (PASSWORD_MIN_WITH_FACTOR, PASSWORD_MIN),
        }
    }

    /// The rule in words; without script it is all there is.
    fn rule(self) -> String {
        let rule = match self {
            Self::Alone => format!("At least {PASSWORD_MIN} characters"),
            Self::WithFactor => format!("At least {PASSWORD_MIN_WITH_FACTOR} characters, since you have a second factor"),
            Self::Either => format!("At least {PASSWORD_MIN} characters, {PASSWORD_MIN_WITH_FACTOR} with a second factor"),
        };
        format!("{rule}. A sentence is easiest to remember.")
    }
}

/// The field. `behave::strength` writes below it while somebody types.
#[component]
pub fn NewPassword(
    /// Its name in the form.
    name: &'static str,
    /// What a person reads.
    label: &'static str,
    /// How long it has to be.
    asked: Asked,
    /// Names that an attacker would try first, such as the tenant's.
    #[prop(optional)]
    names: String,
    /// What is wrong.
    error: Option<String>,
    /// Whether it has the focus when the page arrives.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let invalid = error.is_some().then_some("true");
    let described = described_by(name, true, error.is_some());
    let (min, or_min) = asked.least();
    view! {
        <div class="field">
            <label class="label" for=name>{label}</label>
            <span class="affix">
                <input
                    class="input"
                    id=name
                    name=name
                    type="password"
                    autocomplete="new-password"
                    autocapitalize="none"
                    spellcheck="false"
                    required=true
                    autofocus=autofocus
                    aria-invalid=invalid
                    aria-describedby=described
                    data-strength=format!("#{name}-strength")
                    data-min=min.to_string()
                    data-or-min=or_min.to_string()
                    data-names=names
                />
                <PasswordToggle target=name/>
            </span>
            <FieldError name message=error/>
            <p class="hint" id=format!("{name}-hint")>{asked.rule()}</p>
            <p class="hint" id=format!("{name}-strength") aria-live="polite" data-js=""></p>
        </div>
    }
    .into_any()
}
