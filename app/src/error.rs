//! The one error of server functions: a [`Problem`], as the REST API answers it.

use contract::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use std::fmt;

/// What a server function answers when it does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError(pub Problem);

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for AppError {}

impl From<AppError> for Problem {
    fn from(e: AppError) -> Self {
        e.0
    }
}

impl From<Problem> for AppError {
    fn from(p: Problem) -> Self {
        Self(p)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// Faults of the transport: what could not be read is the caller's, the rest is ours or the network's.
    fn from_server_fn_error(e: ServerFnErrorErr) -> Self {
        let code = match e {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => ErrorCode::BadRequest,
            ServerFnErrorErr::Request(_) => ErrorCode::Unavailable,
            _ => ErrorCode::Internal,
        };
        Self(Problem::new(code))
    }
}
