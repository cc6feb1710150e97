//! What stands where something could not be shown: what is missing, who can help, how to go on.

use super::{CopyId, Logo, PageTitle};
use crate::{
    icon::{Icon, IconName},
    islands::words::perm_words,
    ssr::{answer_with, ctx},
    url::home,
};
use contract::{ErrorCode, Perm, Problem};
use leptos::prelude::*;
use leptos_meta::Title;

/// A problem in place of a page.
#[component]
pub fn ProblemView(
    /// What went wrong.
    problem: Problem,
) -> impl IntoView {
    answer_with(&problem);
    let Words { icon, status, headline, text } = words(&problem);
    let again = problem.code.status() >= 500 || problem.code == ErrorCode::RateLimitExceeded;
    let way_on = if again {
        view! { <a class="btn btn--primary" href=here()><Icon name=IconName::RefreshCw/>"Try again"</a> }.into_any()
    } else {
        // Who sees no keys is led to what they see.
        let role = ctx().ok().and_then(|c| c.person().map(|p| p.role));
        let (to, label) = match role.map(home) {
            Some("/leaks") => ("/leaks", "Go to the leak desk"),
            _ => ("/keys", "Go to API keys"),
        };
        view! { <a class="btn btn--primary" href=to>{label}</a> }.into_any()
    };
    view! {
        <div class="empty">
            <div class="hero">
                <p class="row small muted"><Icon name=icon/>{status}</p>
                <PageTitle>{headline}</PageTitle>
                <p class="lead soft">{text}</p>
            </div>
            {grants(&problem)}
            <div class="row row--wrap">{way_on}</div>
            {(!problem.request_id.is_empty())
                .then(|| view! { <p class="row row--wrap meta">"Request "<CopyId text=problem.request_id.clone() what="request id"/></p> }.into_any())}
        </div>
    }
    .into_any()
}

/// A problem that left nothing to put a frame around.
#[component]
pub fn Fault(
    /// What went wrong.
    problem: Problem,
) -> impl IntoView {
    view! {
        <Title text=format!("{} · Keystead", problem.code.title())/>
        <main class="page stack" id="main" tabindex="-1">
            <Logo large=true/>
            <ProblemView problem/>
        </main>
    }
}

/// The address that was asked for.
fn here() -> String {
    use_context::<http::request::Parts>().and_then(|p| p.uri.path_and_query().map(ToString::to_string)).unwrap_or_default()
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
            let why = match missing(problem).and_then(|scope| scope.parse::<Perm>().ok()).map(perm_words) {
                Some(words) => format!("Your role may not {}{}", words[..1].to_ascii_lowercase(), &words[1..]),
                None => problem.message.trim_end_matches('.').to_owned(),
            };
            (IconName::Lock, headline, format!("{why}. Nothing was changed."))
        }
        ErrorCode::NotFound => {
            (IconName::Search, "There is nothing here".into_any(), "It may have been removed, or it belongs to another tenant.".to_owned())
        }
        ErrorCode::Unavailable => {
            (IconName::TriangleAlert, "Not available right now".into_any(), "Nothing was changed. Try again in a moment.".to_owned())
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
