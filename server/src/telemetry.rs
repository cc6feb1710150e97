//! The log: lines on standard error, or JSON with `KEYSTEAD_LOG_FORMAT=json`; `RUST_LOG` chooses what.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts the log. A second call, as in tests, changes nothing.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::env::var("KEYSTEAD_LOG_FORMAT").is_ok_and(|f| f == "json") {
        log.json().try_init()
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    drop(started);
}
