//! What every page has: the top bar with its breadcrumb, the main region, one h1, and the pager of a list.

use super::{
    Icon, IconName, Logo, Tally, Toasts,
    frame::{EnvironmentSwitch, use_chrome},
    wait::{nothing, wait},
};
use crate::ask::{Asked, shared};
use contract::ApiKey;
use leptos::{html, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// Where the reader stands.
#[derive(Clone)]
pub enum Here {
    /// A page with a fixed name.
    Text(&'static str),
    /// The page of something just made: its name in the breadcrumb, and what to do in the title.
    Made(String, &'static str),
    /// The page of a key.
    Key(Asked<ApiKey>),
    /// The page that revokes a key.
    RevokeKey(Asked<ApiKey>),
}

/// The breadcrumb of a page.
#[derive(Clone)]
pub struct Crumbs {
    /// The section it belongs to, with its path; none for the section itself.
    pub section: Option<(&'static str, &'static str)>,
    /// The page itself.
    pub here: Here,
}

impl Crumbs {
    /// A section's own page.
    pub const fn section(name: &'static str) -> Self {
        Self { section: None, here: Here::Text(name) }
    }

    /// A page under API keys.
    pub const fn key(here: Here) -> Self {
        Self { section: Some(("API keys", "/keys")), here }
    }
}

/// Steps before the last, the last, and the title.
struct Trail {
    links: Vec<(String, String)>,
    here: String,
    title: String,
}

impl Trail {
    async fn of(crumbs: Crumbs) -> Self {
        let mut links: Vec<_> = crumbs.section.into_iter().map(|(name, path)| (name.to_owned(), path.to_owned())).collect();
        let (here, title) = match crumbs.here {
            Here::Text(text) => (text.to_owned(), text.to_owned()),
            Here::Made(name, title) => (name, title.to_owned()),
            Here::Key(key) => match key.await {
                Ok(key) => (key.name.clone(), key.name),
                Err(e) => (e.code().title().to_owned(), e.code().title().to_owned()),
            },
            Here::RevokeKey(key) => match key.await {
                Ok(key) => {
                    links.push((key.name.clone(), crate::url::key_href(key.id)));
                    ("Revoke".to_owned(), format!("Revoke {}", key.name))
                }
                Err(e) => (e.code().title().to_owned(), e.code().title().to_owned()),
            },
        };
        Self { links, here, title }
    }
}

/// A page inside the frame.
#[component]
pub fn Main(
    /// Its breadcrumb; the document's title follows it.
    crumbs: Crumbs,
    /// The page.
    children: Children,
) -> impl IntoView {
    let source = use_chrome();
    let bar = async move {
        let Ok(chrome) = source.load().await else { return nothing() };
        let trail = Trail::of(crumbs).await;
        let links =
            trail.links.into_iter().map(|(name, path)| view! { <li><a class="clip" href=path>{name}</a></li> }.into_any()).collect_view();
        view! {
            <Title text=format!("{} · {} · Keystead", trail.title, chrome.tenant)/>
            <nav aria-label="Breadcrumb">
                <ol class="crumbs">
                    <li><span class="clip">{chrome.tenant}</span></li>
                    {links}
                    <li aria-current="page"><span class="clip">{trail.here}</span></li>
                </ol>
            </nav>
            <div class="acts push">
                {if chrome.sandbox {
                    view! { <span class="badge badge--warn">"Sandbox"</span> }.into_any()
                } else {
                    view! { <EnvironmentSwitch chosen=chrome.prefs.environment/> }.into_any()
                }}
            </div>
        }
        .into_any()
    };
    view! {
        <header class="top">
            <button class="btn btn--quiet btn--icon top__menu" type="button" aria-label="Menu" popovertarget="side">
                <Icon name=IconName::Menu/>
            </button>
            {wait(nothing, bar)}
        </header>
        <main class="page" id="main" tabindex="-1">{children()}</main>
    }
}

/// The path whose heading has had its turn, so that only a change of page moves the focus.
#[derive(Clone, Copy)]
pub struct Landing {
    path: Memo<String>,
    seen: StoredValue<String>,
}

impl Landing {
    /// The page the browser loaded itself: its focus is the browser's business.
    pub fn new() -> Self {
        let path = use_location().pathname;
        Self { path, seen: StoredValue::new(path.get_untracked()) }
    }

    fn arrive(self) -> bool {
        let path = self.path.get_untracked();
        let arrived = self.seen.with_value(|seen| *seen != path);
        self.seen.set_value(path);
        arrived
    }
}

/// What waits for answers is built before it stands on the page, and more than once: the heading is looked at for two
/// seconds of frames, and one that never gets onto the page is let go.
fn land(h1: web_sys::HtmlHeadingElement, landing: Landing, frames: u8) {
    request_animation_frame(move || {
        if h1.is_connected() {
            if landing.arrive() {
                _ = h1.focus();
            }
        } else if frames > 0 {
            land(h1, landing, frames - 1);
        }
    });
}

/// The one h1. After a navigation without reload it takes the focus, so that the new page is announced.
#[component]
pub fn PageTitle(
    /// The heading.
    children: Children,
) -> impl IntoView {
    let h1 = NodeRef::<html::H1>::new();
    let landing = use_context::<Landing>();
    Effect::new(move |_| {
        let (Some(landing), Some(h1)) = (landing, h1.get()) else { return };
        land(h1, landing, 120);
    });
    view! { <h1 tabindex="-1" node_ref=h1>{children()}</h1> }
}

/// The foot of a list: how many rows, and the way to older and newest ones.
#[component]
pub fn Pager(
    /// How many rows this page has.
    count: usize,
    /// What a row is: `key`.
    noun: &'static str,
    /// Where the newest rows are; none on the first page.
    newest: Option<String>,
    /// Where older rows are; none on the last page.
    older: Option<String>,
) -> impl IntoView {
    let more = newest.is_some() || older.is_some();
    let s = if count == 1 { "" } else { "s" };
    let said = if more { format!("{count} {noun}{s} on this page") } else { format!("{count} {noun}{s}") };
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{said}</span>
            <span class="acts push">
                {newest.map(|href| view! { <a class="btn btn--sm" href=href>"First page"</a> }.into_any())}
                {older.map(|href| view! { <a class="btn btn--sm" href=href rel="next">"Next page"</a> }.into_any())}
            </span>
        </nav>
    }
}

/// The card of setup and sign-in.
#[component]
pub fn AuthPage(
    /// The heading, and the document's title.
    title: &'static str,
    /// The form.
    children: Children,
) -> impl IntoView {
    // The host stands on the page so that people see whom they give their password.
    let host = shared(host);
    view! {
        <Title text=format!("{title} · Keystead")/>
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <div class="auth">
            <main class="auth__box" id="main" tabindex="-1">
                <Tally/>
                <div class="auth__in">
                    <div class="stack stack--3">
                        <Logo large=true/>
                        <PageTitle>{title}</PageTitle>
                    </div>
                    {children()}
                </div>
            </main>
            <footer class="auth__foot">
                <span class="row"><Icon name=IconName::Lock small=true/>{host}</span>
            </footer>
        </div>
        <Toasts/>
    }
}

#[cfg(feature = "ssr")]
fn host() -> String {
    let from = |p: http::request::Parts| {
        let header = p.headers.get(http::header::HOST).and_then(|h| h.to_str().ok()).map(str::to_owned);
        header.or_else(|| p.uri.authority().map(ToString::to_string))
    };
    use_context::<http::request::Parts>().and_then(from).unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn host() -> String {
    window().location().host().unwrap_or_default()
}
