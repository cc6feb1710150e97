//! Form fields: label, hint, message and their wiring for assistive technology. A field's id is its name.

use crate::icon::{Icon, IconName};
use leptos::prelude::*;

/// The ids that describe a field: its hint and its message.
pub fn described_by(name: &str, hint: bool, error: bool) -> Option<String> {
    match (hint, error) {
        (false, false) => None,
        (true, false) => Some(format!("{name}-hint")),
        (false, true) => Some(format!("{name}-error")),
        (true, true) => Some(format!("{name}-error {name}-hint")),
    }
}

/// The message beside a field.
#[component]
pub fn FieldError(
    /// The field.
    name: &'static str,
    /// What is wrong with it.
    message: Option<String>,
) -> impl IntoView {
    message.map(|m| {
        view! {
            <p class="error" id=format!("{name}-error")>
                <Icon name=IconName::TriangleAlert small=true/>
                <span>{m}</span>
            </p>
        }
        .into_any()
    })
}

/// A field of one line.
#[component]
pub fn TextField(
    /// Its name in the form.
    name: &'static str,
    /// What a person reads.
    #[prop(into)]
    label: ViewFn,
    /// What was typed before.
    #[prop(into, optional)]
    value: String,
    /// One line of help.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// What is wrong.
    #[prop(optional_no_strip)]
    error: Option<String>,
    /// The `type`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What a password manager may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Whether it has the focus when the page arrives.
    #[prop(optional)]
    autofocus: bool,
    /// For ids and addresses.
    #[prop(optional)]
    mono: bool,
    /// Whether it must be filled in.
    #[prop(default = true)]
    required: bool,
) -> impl IntoView {
    let invalid = error.is_some().then_some("true");
    let described = described_by(name, hint.is_some(), error.is_some());
    let input = view! {
        <input
            class=if mono { "input input--mono" } else { "input" }
            id=name
            name=name
            type=kind
            value=value
            autocomplete=autocomplete
            autocapitalize="none"
            spellcheck="false"
            required=required
            autofocus=autofocus
            aria-invalid=invalid
            aria-describedby=described
        />
    };
    let input = if kind == "password" {
        view! { <span class="affix">{input}<PasswordToggle target=name/></span> }.into_any()
    } else {
        input.into_any()
    };
    view! {
        <div class="field">
            <label class="label" for=name>{label.run()}</label>
            {input}
            <FieldError name message=error/>
            {hint.map(|h| view! { <p class="hint" id=format!("{name}-hint")>{h}</p> }.into_any())}
        </div>
    }
    .into_any()
}

/// Shows and hides what stands in a password field; only there once script runs.
#[component]
pub fn PasswordToggle(target: &'static str) -> impl IntoView {
    view! {
        <button
            class="btn btn--quiet btn--sm btn--icon"
            type="button"
            aria-label="Show password"
            aria-pressed="false"
            data-js=""
            data-toggle=format!("#{target}")
        >
            <Icon name=IconName::Eye/>
        </button>
    }
}

/// A field of several lines, for what is read line by line.
#[component]
pub fn TextArea(
    /// Its name in the form.
    name: &'static str,
    /// What was typed before.
    value: String,
    /// The ids that describe it.
    described: Option<String>,
    /// Whether what was typed is wrong.
    invalid: bool,
) -> impl IntoView {
    view! {
        <textarea
            class="textarea"
            id=name
            name=name
            rows="3"
            spellcheck="false"
            autocapitalize="none"
            aria-invalid=invalid.then_some("true")
            aria-describedby=described
        >
            {escape(&value)}
        </textarea>
    }
}

/// Leptos writes the text of a `<textarea>` as it is, so it is escaped here. A line break at the start is doubled,
/// because parsers drop the first.
fn escape(value: &str) -> String {
    let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if escaped.starts_with('\n') { format!("\n{escaped}") } else { escaped }
}

/// A field of several lines, with its label and its help.
#[component]
pub fn AreaField(
    /// Its name in the form.
    name: &'static str,
    /// What a person reads.
    #[prop(into)]
    label: ViewFn,
    /// What was typed before.
    value: String,
    /// Help, below it.
    hint: &'static str,
    /// What is wrong.
    error: Option<String>,
    /// Its classes: on some forms it is not always there.
    #[prop(default = "field")]
    class: &'static str,
) -> impl IntoView {
    let bad = error.is_some();
    view! {
        <div class=class>
            <label class="label" for=name>{label.run()}</label>
            <TextArea name value described=described_by(name, true, bad) invalid=bad/>
            <FieldError name message=error/>
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
        </div>
    }
    .into_any()
}

/// A number and its unit, in a field.
#[component]
pub fn UnitInput(
    /// Its name in the form.
    name: &'static str,
    /// The unit.
    unit: &'static str,
    /// What was typed before.
    value: String,
    /// The ids that describe it.
    described: Option<String>,
    /// Whether what was typed is wrong.
    invalid: bool,
) -> impl IntoView {
    view! {
        <span class="affix">
            <input
                class="input"
                id=name
                name=name
                inputmode="numeric"
                autocomplete="off"
                value=value
                aria-invalid=invalid.then_some("true")
                aria-describedby=described
            />
            <span class="unit">{unit}</span>
        </span>
    }
}

/// One of several choices, with what it means.
#[component]
pub fn RadioOption(
    /// The name of the choice in the form.
    name: &'static str,
    /// What is posted.
    value: &'static str,
    /// Whether it is chosen.
    checked: bool,
    /// The choice, in a word or two.
    title: &'static str,
    /// What that means.
    what: &'static str,
) -> impl IntoView {
    view! {
        <label class="opt">
            <input class="check check--radio" type="radio" name=name value=value checked=checked/>
            <span class="opt__t"><b>{title}</b><span class="meta">{what}</span></span>
        </label>
    }
}

/// A choice among words, with its label above it.
#[component]
pub fn SelectField(
    /// Its name in the form.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// Values and what a person reads.
    options: Vec<(String, String)>,
    /// What is chosen; the first if that is none of them.
    chosen: String,
    /// What is wrong.
    error: Option<String>,
) -> impl IntoView {
    let invalid = error.is_some();
    let options = options
        .into_iter()
        .map(|(value, text)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{text}</option> }.into_any()
        })
        .collect_view();
    view! {
        <div class="field">
            <label class="label" for=name>{label}</label>
            <span class="selectbox">
                <select class="select" id=name name=name aria-invalid=invalid.then_some("true") aria-describedby=described_by(name, false, invalid)>{options}</select>
                <Icon name=IconName::ChevronDown/>
            </span>
            <FieldError name message=error/>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_cannot_leave_its_textarea() {
        assert_eq!(escape("</textarea><script>&"), "&lt;/textarea&gt;&lt;script&gt;&amp;");
        assert_eq!(escape("\n::1"), "\n\n::1");
    }
}
