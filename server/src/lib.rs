//! The `keystead` binary as a library, so that tests run the real router and the real commands.
//!
//! Invariants:
//! - `http` turns requests into domain calls and domain answers into responses; it holds no product rule and no SQL.
//! - Every response passes `http::finish`, which adds the request id, the security headers and the body of an error.
//! - Cookies are read only on the console's routes, and there the origin check comes first.

/// Prints a line. Who reads only the first lines closes the pipe: that is no error.
macro_rules! out {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

mod assets;
pub mod cli;
pub mod config;
pub mod http;
pub mod jobs;
pub mod listen;
pub mod mail;
pub mod open;
mod telemetry;
mod verify_audit;
