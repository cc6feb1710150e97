//! The product: rules and SQL of Keystead. Never axum, never leptos.
//!
//! Invariants:
//! - SQL that touches a tenant's rows takes a [`Grant`], which only [`Ctx::require`] and the making of a tenant give
//!   out. The exceptions end in `_unscoped`.
//! - A write transaction cannot commit without naming its event ([`db::WriteTx::commit`]): the audit row, the outbox
//!   row and the change are one. `commit_quiet` is for sessions, forms and what the meter writes.
//! - Time and randomness come from [`clock`]. `verify::decide` has neither and does no I/O.
//! - Secrets are [`contract::Secret`]s until their keyed hash is stored.

pub mod audit;
pub mod clock;
pub mod core;
pub mod ctx;
pub mod db;
mod error;
pub mod idempotency;
pub mod identity;
pub mod keys;
pub mod leaks;
pub mod mail;
pub mod members;
pub mod oauth;
pub mod scopes;
pub mod seal;
pub mod streams;
pub mod tenants;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tokens;
pub mod usage;
pub mod verify;
pub mod webhooks;

pub use core::{Core, Settings};
pub use ctx::{Ctx, Grant, InSession, RequestInfo, Versions, Who};
pub use error::{Error, Result};
