//! Keystead's console. Pages and components render on the server and again in the browser; server functions
//! (`actions`) are the only way from here to the domain.
//!
//! Invariants:
//! - Every page and every action works without JavaScript: links are links, writes are posted forms.
//! - Resources and shared values are made at the top of a page, never inside `Suspense`: the server runs the insides
//!   of a `Suspense` more than once, and both sides must count them alike.
//! - A secret is rendered by the server into the answer of a POST and nowhere else.

#![expect(unexpected_cfgs, reason = "erase_components is set in .cargo/config.toml, for every crate")]

#[cfg(not(erase_components))]
compile_error!("RUSTFLAGS hides .cargo/config.toml, whose flags server and browser share: add `--cfg erase_components` to it");

pub mod actions;
mod app;
mod ask;
#[cfg(feature = "hydrate")]
pub mod behave;
#[cfg(feature = "hydrate")]
mod browser;
pub mod components;
pub mod error;
mod numbers;
mod pages;
pub mod returned;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod ssr;
mod url;

pub use app::App;
