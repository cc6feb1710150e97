//! The domain on SQLite and on PostgreSQL: every test below runs on both.
#![expect(clippy::unwrap_used, reason = "tests say what they expect by failing")]

mod audit;
mod identity;
mod keys;
mod leaks;
mod schema;
mod statements;
mod usage;
mod verify;
