//! Keystead's console. The server renders pages whole and answers their forms; the browser gets code only for what
//! moves: `islands`, which are Leptos components that run in both, and `behave`, which listens at the document.
//!
//! Invariants:
//! - Every page and every action works without JavaScript: links are links, writes are posted forms.
//! - Pages call the domain; they and everything that they need are not compiled for the browser.
//! - What an island is given stands in the page as data: never a secret. A secret is rendered by the server into the
//!   answer of a POST and nowhere else.

#![expect(unexpected_cfgs, reason = "erase_components is set in .cargo/config.toml, for every crate")]

#[cfg(not(erase_components))]
compile_error!("RUSTFLAGS hides .cargo/config.toml, whose flags server and browser share: add `--cfg erase_components` to it");

// Both, and the browser's alone.
#[cfg(feature = "hydrate")]
pub mod behave;
pub mod browser;
pub mod icon;
pub mod islands;

// The server's alone.
#[cfg(feature = "ssr")]
pub mod actions;
#[cfg(feature = "ssr")]
mod app;
#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
pub mod error;
#[cfg(feature = "ssr")]
mod filters;
#[cfg(feature = "ssr")]
mod numbers;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
pub mod returned;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod ssr;
#[cfg(feature = "ssr")]
mod url;
#[cfg(feature = "ssr")]
mod visit;

#[cfg(feature = "ssr")]
pub use app::App;
#[cfg(feature = "ssr")]
pub use pages::{PreviewOfEdit, key_search_href};
#[cfg(feature = "ssr")]
pub use url::{home, try_href};
