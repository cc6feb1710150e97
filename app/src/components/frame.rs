//! The frame around every signed-in page, fed by one answer of the server.

use super::{
    Icon, IconName, Logo, Toasts,
    page::Landing,
    wait::{nothing, wait},
};
use crate::{
    actions,
    ask::{Asked, ask_once},
    error::AppError,
    url::href,
};
use contract::{Chrome, Environment, Perm, Problem, Theme};
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_query_map},
};

/// Where the frame's contents come from.
#[derive(Clone)]
pub enum ChromeSource {
    /// The server rendered a static page and had them at hand; nothing of them travels to the browser as data.
    Given(Box<Chrome>),
    /// Asked for once, shared by the frame and the pages in it.
    Fetched(Asked<Chrome>),
}

impl ChromeSource {
    fn new() -> Self {
        #[cfg(feature = "ssr")]
        if let (Some(crate::ssr::Boot::Static), Some(chrome)) = (use_context(), use_context::<Chrome>()) {
            return Self::Given(Box::new(chrome));
        }
        Self::Fetched(ask_once(actions::chrome))
    }

    /// The environment that the console shows.
    pub async fn environment(self) -> Result<Environment, AppError> {
        Ok(self.load().await?.prefs.environment)
    }

    /// Nothing, if the role holds the permission; else what the server would say.
    pub async fn permit(self, perm: Perm) -> Result<(), AppError> {
        let held = self.load().await?.role.holds(perm);
        held.then_some(()).ok_or_else(|| AppError(Problem::missing_scope(&perm.scope())))
    }

    /// The contents, once they are there.
    pub async fn load(self) -> Result<Chrome, AppError> {
        match self {
            Self::Given(chrome) => Ok(*chrome),
            Self::Fetched(resource) => resource.await,
        }
    }
}

/// The frame's contents, for the pages inside it.
pub fn use_chrome() -> ChromeSource {
    expect_context()
}

/// Shows what depends on the frame's contents; nothing while or where they are not there.
pub fn with_chrome(show: impl FnOnce(Chrome) -> AnyView + Send + 'static) -> AnyView {
    let source = use_chrome();
    wait(nothing, async move { source.load().await.map_or_else(|_| nothing(), show) })
}

/// Sidebar, banners and the place of the page. It stays while pages change.
#[component]
pub fn Frame() -> impl IntoView {
    provide_context(ChromeSource::new());
    provide_context(Landing::new());
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        {with_chrome(|c| view! { <Bands chrome=c/> }.into_any())}
        <div class="shell">
            <aside class="side" id="side" popover="auto" aria-label="Sidebar">
                <a class="side__brand" href="/keys"><Logo/>"Keystead"</a>
                <button class="btn btn--quiet btn--icon side__close" type="button" aria-label="Close menu" popovertarget="side" popovertargetaction="hide">
                    <Icon name=IconName::X/>
                </button>
                {with_chrome(|c| view! { <Sidebar chrome=c/> }.into_any())}
            </aside>
            <div class="main">
                <Outlet/>
            </div>
        </div>
        <ShortcutSheet/>
        <Toasts/>
    }
}

/// What must not be overlooked: test mode, and a connection that anybody can read.
#[component]
fn Bands(chrome: Chrome) -> impl IntoView {
    let test = (chrome.prefs.environment == Environment::Test).then(|| {
        let (text, switch) = if chrome.sandbox {
            ("Sandbox. Only test keys exist on this installation.", None)
        } else {
            ("Test mode. Keys made here are refused on live resources.", Some(view! { <SwitchToLive/> }.into_any()))
        };
        view! {
            <div class="testband" role="status">
                <Icon name=IconName::TriangleAlert small=true/>
                <span class="clip">{text}</span>
                {switch}
            </div>
        }
        .into_any()
    });
    let insecure = chrome.insecure.then(|| {
        view! {
            <div class="banner banner--warn banner--bar">
                <Icon name=IconName::TriangleAlert/>
                <p>
                    "This server speaks plain http. Keys and passwords can be read on the way; set "
                    <code>"KEYSTEAD_PUBLIC_URL"</code>" to an https address."
                </p>
            </div>
        }
        .into_any()
    });
    view! {
        {test}
        {insecure}
    }
}

#[component]
fn SwitchToLive() -> impl IntoView {
    view! {
        <form method="post" action="/preferences">
            <Back/>
            <button type="submit" name="environment" value="live">"Switch to live"</button>
        </form>
    }
}

#[component]
fn Sidebar(chrome: Chrome) -> impl IntoView {
    let initial = |s: &str| s.chars().next().unwrap_or('·').to_string();
    let role = chrome.role;
    let entries = [
        (Perm::KeysRead, "/keys", "API keys", IconName::KeyRound, "g k"),
        (Perm::UsageRead, "/usage", "Usage", IconName::Activity, "g u"),
        (Perm::AuditRead, "/audit", "Audit log", IconName::ScrollText, "g a"),
    ];
    let entries = entries
        .into_iter()
        .filter(|(perm, ..)| role.holds(*perm))
        .map(|(_, path, label, icon, keys)| view! { <li><NavLink path label icon keys/></li> }.into_any())
        .collect_view();
    view! {
        <div class="tenant">
            <span class="mark mark--ink" aria-hidden="true">{initial(&chrome.tenant)}</span>
            <span class="clip">{chrome.tenant}</span>
        </div>
        <nav class="nav" aria-label="Main">
            <ul>{entries}</ul>
            {role.holds(Perm::KeysWrite).then(|| view! { <a href="/keys/new" hidden=true data-key="c">"Create key"</a> }.into_any())}
        </nav>
        <div class="side__foot">
            <div class="who">
                <span class="mark" aria-hidden="true">{initial(&chrome.email)}</span>
                <span class="who__t"><b class="clip">{chrome.email}</b><span>{role.title()}</span></span>
                <form class="push" method="post" action="/logout">
                    <button class="btn btn--quiet btn--sm btn--icon" type="submit" aria-label="Sign out" title="Sign out">
                        <Icon name=IconName::LogOut/>
                    </button>
                </form>
            </div>
            <div class="row">
                <ThemeSwitch chosen=chrome.prefs.theme/>
                <button class="btn btn--quiet btn--sm btn--icon push" type="button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts" data-js="" data-dialog="#shortcuts">
                    <Icon name=IconName::Keyboard/>
                </button>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn NavLink(path: &'static str, label: &'static str, icon: IconName, keys: &'static str) -> impl IntoView {
    let at = use_location().pathname;
    let current = move || at.with(|p| p == path || p.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))).then_some("page");
    view! {
        <a href=path aria-current=current data-key=keys>
            <Icon name=icon/>
            {label}
        </a>
    }
}

/// The colours, kept in a cookie, so that the first paint is right.
#[component]
fn ThemeSwitch(chosen: Option<Theme>) -> impl IntoView {
    let choices = [
        ("system", None, "Colours of the system", IconName::Monitor),
        ("light", Some(Theme::Light), "Light colours", IconName::Sun),
        ("dark", Some(Theme::Dark), "Dark colours", IconName::Moon),
    ];
    let buttons = choices.map(|(value, theme, label, icon)| {
        view! {
            <button type="submit" name="theme" value=value aria-label=label title=label aria-pressed=(theme == chosen).to_string()>
                <Icon name=icon/>
            </button>
        }
        .into_any()
    });
    view! {
        <form method="post" action="/preferences">
            <Back/>
            <div class="seg seg--sm seg--icons" role="group" aria-label="Theme">{buttons.into_iter().collect_view()}</div>
        </form>
    }
}

/// Live or test; a sandbox has only test and needs no switch.
#[component]
pub fn EnvironmentSwitch(
    /// What the console shows.
    chosen: Environment,
) -> impl IntoView {
    let button = |env: Environment, label: &'static str, class: &'static str| {
        view! {
            <button class=class type="submit" name="environment" value=env.as_str() aria-pressed=(env == chosen).to_string()>
                <span class="dotsq"></span>
                {label}
            </button>
        }
    };
    view! {
        <form method="post" action="/preferences">
            <Back/>
            <div class="seg seg--sm seg--env" role="group" aria-label="Environment">
                {button(Environment::Live, "Live", "live")}
                {button(Environment::Test, "Test", "test")}
            </div>
        </form>
    }
}

/// Where a preference form returns to: this page with its filters, at the first page of its list.
#[component]
fn Back() -> impl IntoView {
    let (path, query) = (use_location().pathname, use_query_map());
    let back = move || {
        query.with(|q| {
            let pairs: Vec<_> = q.latest_values().filter(|(k, _)| *k != "cursor").map(|(k, v)| (k.as_ref(), Some(v))).collect();
            path.with(|p| href(p, &pairs))
        })
    };
    view! { <input type="hidden" name="back" value=back/> }
}

/// The keyboard shortcuts; `behave` opens it at `?`.
#[component]
fn ShortcutSheet() -> impl IntoView {
    let keys = [
        ("Create key", "c"),
        ("Go to API keys", "g k"),
        ("Go to usage", "g u"),
        ("Go to the audit log", "g a"),
        ("Search", "/"),
        ("This sheet", "?"),
    ];
    let rows = keys.map(|(what, keys)| {
        let keys = keys.split(' ').map(|k| view! { <kbd class="kbd">{k}</kbd> }.into_any()).collect_view();
        view! { <dt>{what}</dt><dd>{keys}</dd> }.into_any()
    });
    view! {
        <dialog class="dialog" id="shortcuts" aria-labelledby="shortcuts-title">
            <form method="dialog" class="dialog__head">
                <h2 id="shortcuts-title">"Keyboard shortcuts"</h2>
                <button class="btn btn--quiet btn--icon push" type="submit" aria-label="Close"><Icon name=IconName::X/></button>
            </form>
            <div class="dialog__body">
                <dl class="keys">{rows.into_iter().collect_view()}</dl>
                <label class="opt"><input class="check" type="checkbox" data-shortcuts=""/>"Use these shortcuts"</label>
            </div>
        </dialog>
    }
}
