//! The domain on SQLite and on PostgreSQL: every test below runs on both.
#![expect(clippy::unwrap_used, reason = "tests say what they expect by failing")]

mod allowlist;
mod app_details;
mod audit;
mod catalogue;
mod demands;
mod failures;
mod helping;
mod idempotency;
mod identity;
mod in_flight;
mod isolation;
mod keys;
mod leaks;
mod lifecycle;
mod load;
mod mails;
mod members;
mod oauth;
mod oauth_asks;
mod oauth_ends;
mod policies;
mod proof;
mod schema;
mod search;
mod statements;
mod support;
mod tenants;
mod tokens;
mod traces;
mod trials;
mod usage;
mod verify;
