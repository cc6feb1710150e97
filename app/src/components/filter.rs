//! The form above a list: its fields are the query of the page.

use super::{FieldError, described_by, minute};
use crate::{
    filters::Filters,
    icon::{Icon, IconName},
};
use contract::{FieldErrors, UnixMs};
use leptos::prelude::*;

/// A form that filters the page at `action`. Fields show the address, so browsers must not put older choices back;
/// `behave` keeps empty ones out of it.
#[component]
pub fn FilterForm(
    /// The page.
    action: &'static str,
    /// How it is sent: what may be a secret is posted.
    #[prop(default = "get")]
    method: &'static str,
    /// The fields.
    children: Children,
) -> impl IntoView {
    view! { <form class="bar bar--more" role="search" method=method action=action autocomplete="off" data-filter="">{children()}</form> }
}

/// The search field of such a form; `/` leads there.
#[component]
pub fn SearchField(
    /// Its name in the query.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// What can be searched for.
    placeholder: &'static str,
    /// What is searched for.
    value: Option<String>,
) -> impl IntoView {
    view! {
        <span class="affix">
            <Icon name=IconName::Search/>
            <input class="input" type="search" name=name placeholder=placeholder aria-label=label autocomplete="off" data-key="/" value=value.unwrap_or_default()/>
            <kbd class="kbd hide-sm" data-js="">"/"</kbd>
        </span>
    }
}

/// A choice among words; the first option is none of them.
#[component]
pub fn Choice(
    /// Its name in the query.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// What is chosen when nothing is: `All outcomes`.
    all: &'static str,
    /// Values and what a person reads.
    options: Vec<(String, String)>,
    /// What is chosen.
    chosen: Option<String>,
) -> impl IntoView {
    let options = options
        .into_iter()
        .map(|(value, text)| {
            let selected = chosen.as_deref() == Some(&*value);
            view! { <option value=value selected=selected>{text}</option> }.into_any()
        })
        .collect_view();
    view! {
        <span class="selectbox">
            <select class="select" id=name name=name aria-label=label>
                <option value="">{all}</option>
                {options}
            </select>
            <Icon name=IconName::ChevronDown/>
        </span>
    }
    .into_any()
}

/// A filter that is typed, with its label above it.
#[component]
pub fn FilterField(
    /// Its name in the query.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// An example.
    #[prop(optional)]
    placeholder: &'static str,
    /// What is set.
    filters: Filters,
    /// What is wrong.
    errors: FieldErrors,
    /// Known values, to choose from while typing.
    #[prop(optional)]
    known: &'static [&'static str],
) -> impl IntoView {
    let error = errors.get(name).map(str::to_owned);
    let list = (!known.is_empty()).then(|| format!("{name}-known"));
    let known = list.clone().map(|id| {
        view! { <datalist id=id>{known.iter().map(|k| view! { <option value=*k></option> }.into_any()).collect_view()}</datalist> }
            .into_any()
    });
    view! {
        <div class="field">
            <label class="label" for=name>{label}</label>
            <input
                class="input"
                id=name
                name=name
                placeholder=placeholder
                value=filters.typed(name)
                list=list
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described_by(name, false, error.is_some())
            />
            {known}
            <FieldError name message=error/>
        </div>
    }
    .into_any()
}

/// A moment that bounds a list, UTC.
#[component]
pub fn Moment(
    /// Its name in the query.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// What is set.
    filters: Filters,
    /// What is wrong.
    errors: FieldErrors,
) -> impl IntoView {
    let error = errors.get(name).map(str::to_owned);
    let value = filters.get(name).and_then(UnixMs::parse).map(minute);
    view! {
        <div class="field">
            <label class="label" for=name>{label}</label>
            <input
                class="input"
                id=name
                name=name
                type="datetime-local"
                value=value.unwrap_or_default()
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described_by(name, false, error.is_some())
            />
            <FieldError name message=error/>
        </div>
    }
    .into_any()
}

/// The filters that are set, each with a link that removes it.
#[component]
pub fn Tokens(
    /// What is set.
    filters: Filters,
    /// The page without any.
    clear: &'static str,
    /// How a filter and its value are called; none keeps both as they are.
    words: fn(&str) -> Option<&'static str>,
    /// What stands for the value of one filter.
    #[prop(optional_no_strip)]
    named: Option<(&'static str, String)>,
) -> impl IntoView {
    if filters.is_empty() {
        return ().into_any();
    }
    let tokens = filters
        .pairs()
        .map(|(name, value)| {
            let called = words(name).unwrap_or(name).to_owned();
            let value = match &named {
                Some((of, text)) if *of == name => text.clone(),
                _ => value.to_owned(),
            };
            view! {
                <span class="token">
                    <span>{called.clone()}"="<b>{value}</b></span>
                    <a href=filters.without(name) aria-label=format!("Remove the filter {called}")><Icon name=IconName::X small=true/></a>
                </span>
            }
            .into_any()
        })
        .collect_view();
    view! { <div class="tokens">{tokens}<a class="small" href=clear>"Clear filters"</a></div> }.into_any()
}

/// The same list as files.
#[component]
pub fn ExportLinks(
    /// Where exports are.
    path: &'static str,
    /// What is set.
    filters: Filters,
    /// What the filter says beside that.
    #[prop(optional_no_strip)]
    environment: Option<String>,
) -> impl IntoView {
    let link = |format| filters.of(path, &[("environment", environment.as_deref()), ("format", Some(format))]);
    view! {
        <a class="btn" href=link("csv") download=""><Icon name=IconName::Download/>"Export CSV"</a>
        <a class="btn hide-sm" href=link("ndjson") download=""><Icon name=IconName::Download/>"Export NDJSON"</a>
    }
    .into_any()
}
