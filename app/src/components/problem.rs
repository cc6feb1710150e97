//! What stands where something could not be shown: what is missing, who can help, how to go on.

use super::{CopyId, Icon, IconName, PageTitle};
use crate::url::href;
use contract::{ErrorCode, Perm, Problem};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

/// A problem in place of a page, or of a list inside one.
#[component]
pub fn ProblemView(
    /// What went wrong.
    problem: Problem,
    /// In place of a list, under the page's own heading.
    #[prop(optional)]
    inline: bool,
) -> impl IntoView {
    answer_with(&problem);
    let at = use_location();
    let here = {
        let search = at.search.get_untracked();
        let path = at.pathname.get_untracked();
        if search.is_empty() { path } else { format!("{path}?{search}") }
    };
    if problem.code == ErrorCode::Unauthorized {
        return view! { <SessionEnded here/> }.into_any();
    }
    let Words { icon, status, headline, text } = words(&problem);
    let heading = if inline { view! { <h2>{headline}</h2> }.into_any() } else { view! { <PageTitle>{headline}</PageTitle> }.into_any() };
    let retry = (problem.code.status() >= 500 || problem.code == ErrorCode::RateLimitExceeded)
        .then(|| view! { <a class="btn btn--primary" href=here rel="external"><Icon name=IconName::RefreshCw/>"Try again"</a> }.into_any());
    let back = (!inline && retry.is_none()).then(|| view! { <a class="btn btn--primary" href="/keys">"Go to API keys"</a> }.into_any());
    view! {
        <div class="empty" role=inline.then_some("alert")>
            <div class="hero">
                <p class="row small muted"><Icon name=icon/>{status}</p>
                {heading}
                <p class="lead soft">{text}</p>
            </div>
            {grants(&problem)}
            <div class="row row--wrap">{retry}{back}</div>
            {(!problem.request_id.is_empty())
                .then(|| view! { <p class="row row--wrap meta">"Request "<CopyId text=problem.request_id.clone() what="request id"/></p> }.into_any())}
        </div>
    }
    .into_any()
}

struct Words {
    icon: IconName,
    status: String,
    headline: AnyView,
    text: String,
}

fn words(problem: &Problem) -> Words {
    let code = problem.code;
    let status = format!("{} {}", code.status(), code.title());
    let (icon, headline, text) = match code {
        ErrorCode::InsufficientPermissions | ErrorCode::Forbidden => {
            let headline = match missing(problem) {
                Some(scope) => view! { "You need "<code class="h1code">{scope}</code> }.into_any(),
                None => "You may not see this".into_any(),
            };
            (IconName::Lock, headline, format!("{}. Nothing was changed.", problem.message.trim_end_matches('.')))
        }
        ErrorCode::NotFound => {
            (IconName::Search, "There is nothing here".into_any(), "It may have been removed, or it belongs to another tenant.".to_owned())
        }
        ErrorCode::Unavailable => {
            (IconName::TriangleAlert, "The server cannot be reached".into_any(), "Nothing was changed. Try again in a moment.".to_owned())
        }
        _ => (IconName::TriangleAlert, "This did not work".into_any(), format!("{}.", problem.message.trim_end_matches('.'))),
    };
    Words { icon, status, headline, text }
}

fn missing(problem: &Problem) -> Option<String> {
    problem.extra.get("required_scope").and_then(|s| s.as_str()).map(str::to_owned)
}

/// Who holds the missing permission.
fn grants(problem: &Problem) -> Option<impl IntoView + use<>> {
    let scope = missing(problem)?;
    let perm: Perm = scope.parse().ok()?;
    let roles = perm.roles().map(contract::Role::title).collect::<Vec<_>>().join(", ");
    Some(view! {
        <section class="card">
            <ul class="rows">
                <li><Icon name=IconName::Users/><span>"Owners and admins can change your role"</span></li>
                {(!roles.is_empty())
                    .then(|| view! { <li><Icon name=IconName::KeyRound/><span>"Roles that hold "<code>{scope}</code></span><span class="push soft">{roles}</span></li> }.into_any())}
            </ul>
        </section>
    }.into_any())
}

/// Leads to sign-in and back. The server redirects before it comes to this; a browser that stayed open does not.
#[component]
fn SessionEnded(here: String) -> impl IntoView {
    let login = href("/login", &[("next", Some(&here))]);
    #[cfg(feature = "ssr")]
    leptos_axum::redirect(&login);
    let go = use_navigate();
    let to = login.clone();
    Effect::new(move |_| go(&to, NavigateOptions { replace: true, ..NavigateOptions::default() }));
    view! { <p>"Your session has ended. "<a href=login>"Sign in again"</a></p> }
}

/// The status of the page is the status of what it could not show.
#[cfg(feature = "ssr")]
fn answer_with(problem: &Problem) {
    let status = http::StatusCode::from_u16(problem.code.status());
    if let (Some(options), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), status) {
        options.set_status(status);
    }
}

#[cfg(not(feature = "ssr"))]
const fn answer_with(_: &Problem) {}
