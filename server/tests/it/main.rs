//! The server through its real router, its real binary and a real gateway.
#![expect(clippy::unwrap_used, reason = "tests say what they expect by failing")]

mod api;
mod caddy;
mod command_line;
mod console;
mod console_desk;
mod cors;
mod coverage;
mod documents;
mod gateway;
mod guides;
mod guides_plan;
mod haproxy;
mod harness;
mod headers;
mod idempotency;
mod key_pages;
mod keys_api;
mod leaks;
mod logs;
mod mails;
mod nginx;
mod people;
mod policy;
mod proof;
mod shutdown;
mod tokens;
mod verifiers;
mod wake;
mod well_known;
