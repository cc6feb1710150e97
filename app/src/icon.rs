//! Icons of the one sprite, for pages and islands.

use leptos::prelude::*;

macro_rules! icons {
    ($($name:ident = $file:literal,)*) => {
        /// The icons in use. `scripts/icons.mjs` reads this list and builds the sprite of exactly these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are Lucide's own")]
        pub enum IconName { $($name,)* }

        impl IconName {
            const fn file(self) -> &'static str {
                match self { $(Self::$name => $file,)* }
            }
        }
    };
}

icons! {
    Activity = "activity",
    AppWindow = "app-window",
    ArrowDown = "arrow-down",
    ArrowUp = "arrow-up",
    Ban = "ban",
    Calendar = "calendar",
    Check = "check",
    ChevronDown = "chevron-down",
    ChevronRight = "chevron-right",
    CircleCheck = "circle-check",
    Clock = "clock",
    Copy = "copy",
    Download = "download",
    Eye = "eye",
    EyeOff = "eye-off",
    History = "history",
    Hourglass = "hourglass",
    Info = "info",
    KeyRound = "key-round",
    Keyboard = "keyboard",
    LayoutDashboard = "layout-dashboard",
    Link = "link",
    ListFilter = "list-filter",
    Lock = "lock",
    LogOut = "log-out",
    Mail = "mail",
    Menu = "menu",
    Minus = "minus",
    Monitor = "monitor",
    Moon = "moon",
    Network = "network",
    Pause = "pause",
    Pencil = "pencil",
    Play = "play",
    Plus = "plus",
    RefreshCw = "refresh-cw",
    Scissors = "scissors",
    ScrollText = "scroll-text",
    Search = "search",
    Settings = "settings",
    ShieldAlert = "shield-alert",
    Sun = "sun",
    Trash2 = "trash-2",
    TriangleAlert = "triangle-alert",
    UserX = "user-x",
    Users = "users",
    X = "x",
}

/// An icon beside a word, or alone in a control that carries an `aria-label`; never read out itself.
#[component]
pub fn Icon(
    /// Which one.
    name: IconName,
    /// 12 px instead of 16.
    #[prop(optional)]
    small: bool,
    /// Turns when the `<details>` it stands in opens.
    #[prop(optional)]
    turns: bool,
) -> impl IntoView {
    let class = match (small, turns) {
        (true, _) => "icon icon--sm",
        (false, true) => "icon icon--turn",
        (false, false) => "icon",
    };
    view! {
        <svg class=class aria-hidden="true">
            <use_ href=format!("/pkg/assets/icons.svg#{}", name.file())></use_>
        </svg>
    }
}
