//! The frame around every signed-in page: sidebar, top bar with the breadcrumb, banners.

use super::{Crumbs, EnvironmentSwitch, Logo, SwitchToLive, ThemeSwitch, Time, TimeForm, Toasts};
use crate::{
    icon::{Icon, IconName},
    url::home,
};
use contract::{Chrome, Environment, Perm, Role};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// The frame and the page in it.
#[component]
pub fn Frame(
    /// What it shows.
    chrome: Chrome,
    /// Where the reader stands; the document's title follows it.
    crumbs: Crumbs,
    /// The page.
    children: Children,
) -> impl IntoView {
    let (role, platform, creates) = (chrome.role, chrome.platform_admin, chrome.may(Perm::KeysWrite));
    let start = if role.holds(Perm::UsageRead) { "/" } else { home(role) };
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <Bands chrome=chrome.clone()/>
        <div class="shell">
            <aside class="side" id="side" popover="auto" aria-label="Sidebar">
                <a class="side__brand" href=start><Logo/>"Keystead"</a>
                <button class="btn btn--quiet btn--icon side__close" type="button" aria-label="Close menu" popovertarget="side" popovertargetaction="hide">
                    <Icon name=IconName::X/>
                </button>
                <Sidebar chrome=chrome.clone()/>
            </aside>
            <div class="main">
                <TopBar chrome crumbs/>
                <main class="page" id="main" tabindex="-1">{children()}</main>
            </div>
        </div>
        <ShortcutSheet role platform creates/>
        <Toasts/>
    }
}

#[component]
fn TopBar(chrome: Chrome, crumbs: Crumbs) -> impl IntoView {
    let above =
        crumbs.above.into_iter().map(|(name, path)| view! { <li><a class="clip" href=path>{name}</a></li> }.into_any()).collect_view();
    let environment = if chrome.sandbox {
        view! { <span class="badge badge--warn">"Sandbox"</span> }.into_any()
    } else {
        view! { <EnvironmentSwitch chosen=chrome.prefs.environment/> }.into_any()
    };
    view! {
        <Title text=format!("{} · {} · Keystead", crumbs.title, chrome.tenant)/>
        <header class="top">
            <button class="btn btn--quiet btn--icon top__menu" type="button" aria-label="Menu" popovertarget="side">
                <Icon name=IconName::Menu/>
            </button>
            <nav aria-label="Breadcrumb">
                <ol class="crumbs">
                    <li><span class="clip">{chrome.tenant}</span></li>
                    {above}
                    <li aria-current="page"><span class="clip">{crumbs.here}</span></li>
                </ol>
            </nav>
            <div class="acts push">{environment}</div>
        </header>
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
    let supporting = chrome.supporting.map(|at| {
        let tenant = chrome.tenant.clone();
        view! {
            <div class="banner banner--warn banner--bar">
                <Icon name=IconName::Eye/>
                <p>
                    "You are here as support until "<Time at form=TimeForm::Full/>". The people of "{tenant}
                    " see that, and what you do stands in their audit log. "<a href="/tenants">"Go back"</a>
                </p>
            </div>
        }
        .into_any()
    });
    view! {
        {test}
        {insecure}
        {supporting}
    }
}

#[component]
fn Sidebar(chrome: Chrome) -> impl IntoView {
    let role = chrome.role;
    let groups = GROUPS.iter().map(|(title, entries)| {
        let seen: Vec<&Entry> = entries.iter().filter(|e| e.seen_by(role)).collect();
        (!seen.is_empty()).then(|| {
            let title = (!title.is_empty()).then(|| view! { <p class="nav__title">{*title}</p> }.into_any());
            let links = seen.into_iter().map(|entry| view! { <li><NavLink entry/></li> }.into_any()).collect_view();
            view! { {title}<ul>{links}</ul> }.into_any()
        })
    });
    let groups = groups.collect_view();
    view! {
        <TenantSwitch chrome=chrome.clone()/>
        <nav class="nav" aria-label="Main">
            {groups}
            {chrome.platform_admin.then(|| view! { <p class="nav__title">"Installation"</p><ul>{PLATFORM.iter().map(|entry| view! { <li><NavLink entry/></li> }.into_any()).collect_view()}</ul> }.into_any())}
            {chrome.may(Perm::KeysWrite).then(|| view! { <a href="/keys/new" hidden=true data-key="c">"Create key"</a> }.into_any())}
        </nav>
        <div class="side__foot">
            <div class="who">
                <span class="mark" aria-hidden="true">{initial(&chrome.email)}</span>
                <a class="who__t" href="/account" title="Account"><b class="clip">{chrome.email}</b><span>{role.title()}</span></a>
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

fn initial(s: &str) -> String {
    s.chars().next().unwrap_or('·').to_string()
}

/// The tenant that is worked on, and the way to the person's others.
#[component]
fn TenantSwitch(chrome: Chrome) -> impl IntoView {
    let here = chrome.tenant_id;
    let named = view! {
        <span class="mark mark--ink" aria-hidden="true">{initial(&chrome.tenant)}</span>
        <span class="clip">{chrome.tenant}</span>
    };
    if chrome.tenants.len() < 2 {
        return view! { <a class="tenant" href="/tenants">{named}</a> }.into_any();
    }
    let others = chrome.tenants.into_iter().filter(|t| t.id != here).map(|t| {
        view! {
            <li><button class="btn btn--quiet btn--full" type="submit" name="tenant" value=t.id.to_string()><span class="clip">{t.name}</span></button></li>
        }
        .into_any()
    });
    view! {
        <details class="tenants">
            <summary class="tenant">{named}<span class="push"><Icon name=IconName::ChevronDown/></span></summary>
            <form method="post" action="/tenants" aria-label="Switch tenant">
                <ul>{others.collect_view()}</ul>
            </form>
            <a class="small" href="/tenants">"Your tenants"</a>
        </details>
    }
    .into_any()
}

/// A page of the navigation.
struct Entry {
    /// Whoever holds one of these sees it.
    perms: &'static [Perm],
    path: &'static str,
    label: &'static str,
    icon: IconName,
    keys: &'static str,
    /// What the sheet of shortcuts says.
    goes: &'static str,
}

impl Entry {
    fn seen_by(&self, role: Role) -> bool {
        self.perms.iter().any(|p| role.holds(*p))
    }
}

/// The navigation, by group.
const GROUPS: &[(&str, &[Entry])] = &[
    (
        "",
        &[
            Entry {
                perms: &[Perm::UsageRead],
                path: "/",
                label: "Overview",
                icon: IconName::LayoutDashboard,
                keys: "g o",
                goes: "Go to the overview",
            },
            Entry {
                perms: &[Perm::KeysRead],
                path: "/keys",
                label: "API keys",
                icon: IconName::KeyRound,
                keys: "g k",
                goes: "Go to API keys",
            },
            Entry { perms: &[Perm::UsageRead], path: "/usage", label: "Usage", icon: IconName::Activity, keys: "g u", goes: "Go to usage" },
            Entry {
                perms: &[Perm::AuditRead],
                path: "/audit",
                label: "Audit log",
                icon: IconName::ScrollText,
                keys: "g a",
                goes: "Go to the audit log",
            },
        ],
    ),
    (
        "Integrations",
        &[Entry {
            perms: &[Perm::AppsRead],
            path: "/apps",
            label: "OAuth apps",
            icon: IconName::AppWindow,
            keys: "g p",
            goes: "Go to OAuth apps",
        }],
    ),
    (
        "Protection",
        &[Entry {
            perms: &[Perm::KeysLookup, Perm::AuditRead],
            path: "/leaks",
            label: "Leak desk",
            icon: IconName::ShieldAlert,
            keys: "g l",
            goes: "Go to the leak desk",
        }],
    ),
    (
        "Tenant",
        &[
            Entry {
                perms: &[Perm::MembersRead],
                path: "/members",
                label: "Members",
                icon: IconName::Users,
                keys: "g m",
                goes: "Go to members",
            },
            Entry {
                perms: &[Perm::SettingsRead],
                path: "/settings/scopes",
                label: "Settings",
                icon: IconName::Settings,
                keys: "g s",
                goes: "Go to settings",
            },
        ],
    ),
];

/// What those who operate the installation see beside it.
const PLATFORM: &[Entry] = &[
    Entry {
        perms: &[],
        path: "/platform/tenants",
        label: "Tenants",
        icon: IconName::Network,
        keys: "g t",
        goes: "Go to the tenants of this installation",
    },
    Entry {
        perms: &[],
        path: "/platform/mails",
        label: "Mails",
        icon: IconName::Mail,
        keys: "g e",
        goes: "Go to the mails of this installation",
    },
];

#[component]
fn NavLink(entry: &'static Entry) -> impl IntoView {
    let at = use_location().pathname.get_untracked();
    // Settings are several pages; the overview is above all of them and no part of any.
    let section = entry.path.strip_suffix("/scopes").unwrap_or(entry.path);
    let within = |rest: &str| rest.starts_with('/') && section != "/";
    let current = (at == section || at.strip_prefix(section).is_some_and(within)).then_some("page");
    view! {
        <a href=entry.path aria-current=current data-key=entry.keys>
            <Icon name=entry.icon/>
            {entry.label}
        </a>
    }
}

/// The keyboard shortcuts that lead somewhere for this reader; `behave` opens it at `?`.
#[component]
fn ShortcutSheet(role: Role, platform: bool, creates: bool) -> impl IntoView {
    let pages = GROUPS.iter().flat_map(|(_, entries)| entries.iter()).filter(|e| e.seen_by(role)).map(|e| (e.goes, e.keys));
    let pages = pages.chain(PLATFORM.iter().filter(|_| platform).map(|e| (e.goes, e.keys)));
    let create = creates.then_some(("Create key", "c"));
    let all = create.into_iter().chain(pages).chain([("Older, newer request", "j k"), ("Search", "/"), ("This sheet", "?")]);
    let rows = all
        .map(|(what, keys)| {
            let keys = keys.split(' ').map(|k| view! { <kbd class="kbd">{k}</kbd> }.into_any()).collect_view();
            view! { <dt>{what}</dt><dd>{keys}</dd> }.into_any()
        })
        .collect_view();
    view! {
        <dialog class="dialog" id="shortcuts" aria-labelledby="shortcuts-title">
            <form method="dialog" class="dialog__head">
                <h2 id="shortcuts-title">"Keyboard shortcuts"</h2>
                <button class="btn btn--quiet btn--icon push" type="submit" aria-label="Close"><Icon name=IconName::X/></button>
            </form>
            <div class="dialog__body">
                <dl class="keys">{rows}</dl>
                <label class="opt"><input class="check" type="checkbox" data-shortcuts=""/>"Use these shortcuts"</label>
            </div>
        </dialog>
    }
}
