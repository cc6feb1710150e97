//! How a page comes about: it asks the domain, says what it shows, and gets the frame around it.

use crate::{
    components::{Crumbs, Fault, Frame, ProblemView},
    ssr::{Browser, ctx},
};
use contract::{Chrome, Problem};
use domain::{Ctx, identity};
use leptos::prelude::*;
use leptos_router::{
    hooks::{use_params_map, use_query_map},
    params::ParamsMap,
};

/// A member's visit to a page.
pub struct Visit {
    /// Who asks: the domain is called with it.
    pub ctx: Ctx,
    /// What the frame shows.
    pub chrome: Chrome,
    /// The query of the address.
    pub query: ParamsMap,
    params: ParamsMap,
}

impl Visit {
    /// The id that the path names; a path that names none is answered like an object that is not there.
    pub fn id<T: std::str::FromStr>(&self) -> domain::Result<T> {
        self.params.get_str("id").and_then(|id| id.parse().ok()).ok_or(domain::Error::NotFound)
    }
}

/// What a page shows inside the frame.
pub struct Shown {
    /// Where the reader stands.
    pub crumbs: Crumbs,
    /// The page itself.
    pub body: AnyView,
}

impl Shown {
    /// A page.
    pub fn new(crumbs: Crumbs, body: impl IntoView + 'static) -> Self {
        Self { crumbs, body: body.into_any() }
    }

    /// What stands there instead.
    fn problem(problem: Problem) -> Self {
        Self::new(Crumbs::section(problem.code.title()), view! { <ProblemView problem/> })
    }
}

/// A page inside the frame. The server waits until it has the page before it sends anything.
pub fn framed<P, F>(page: P) -> impl IntoView
where
    P: FnOnce(Visit) -> F + Send + 'static,
    F: Future<Output = domain::Result<Shown>> + Send + 'static,
{
    let (query, params) = (use_query_map().get_untracked(), use_params_map().get_untracked());
    Suspend::new(async move {
        let (ctx, chrome) = match arrive().await {
            Ok(arrived) => arrived,
            Err(problem) => return view! { <Fault problem/> }.into_any(),
        };
        let visit = Visit { ctx: ctx.clone(), chrome: chrome.clone(), query, params };
        let Shown { crumbs, body } = page(visit).await.unwrap_or_else(|e| Shown::problem(ctx.problem(e)));
        view! { <Frame chrome crumbs>{body}</Frame> }.into_any()
    })
}

async fn arrive() -> Result<(Ctx, Chrome), Problem> {
    let (ctx, browser) = (ctx()?, Browser::current()?);
    let chrome = identity::chrome(&ctx, browser.prefs).await.map_err(|e| ctx.problem(e))?;
    Ok((ctx, chrome))
}
