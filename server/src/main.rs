//! The `keystead` binary.

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    keystead::cli::run(keystead::cli::Cli::parse()).await
}
