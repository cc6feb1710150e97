//! What the server puts into the context of every render and server function.

use crate::{actions::AllowlistForm, error::AppError};
use contract::{AllowedIp, ErrorCode, FieldErrors, Impact, Policies, PoliciesForm, Prefs, Problem, Violations};
use domain::Ctx;
use domain::identity::SignedIn;
use leptos::prelude::*;
use tower_sessions::Session;

/// Names of the hashed files that Trunk built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// The JavaScript glue, as a path.
    pub js: String,
    /// The WebAssembly, as a path.
    pub wasm: String,
    /// The style sheet, as a path.
    pub css: String,
}

/// The browser behind a request: its session and what it remembers.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Its session, stored on the server.
    pub session: Session,
    /// Environment and theme, from its cookie.
    pub prefs: Prefs,
}

/// The key of a session's data under which the signed-in person stands.
pub const SESSION_PERSON: &str = "person";

impl Browser {
    /// The browser of the request being answered.
    pub fn current() -> Result<Self, AppError> {
        use_context().ok_or_else(|| AppError(Problem::new(ErrorCode::Internal)))
    }

    /// Starts a session under a new id; the old one dies (s19).
    pub async fn open_session(&self, ctx: &Ctx, person: &SignedIn) -> Result<(), Problem> {
        let unavailable = |_| ctx.problem(domain::Error::unavailable("session store"));
        self.session.cycle_id().await.map_err(unavailable)?;
        self.session.insert(SESSION_PERSON, person).await.map_err(unavailable)?;
        self.session.save().await.map_err(unavailable)
    }

    /// Ends the session on the server.
    pub async fn close_session(&self, ctx: &Ctx) -> Result<(), Problem> {
        self.session.flush().await.map_err(|_| ctx.problem(domain::Error::unavailable("session store")))
    }
}

/// A new allowlist, and what it would break, before it is saved.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// As typed.
    pub form: AllowlistForm,
    /// The list that was read from it.
    pub list: Vec<AllowedIp>,
    /// The requests of the last 30 days that it would have refused.
    pub impact: Impact,
    /// The address of whoever asks is not on it.
    pub outside: bool,
    /// What keeps it from being saved.
    pub errors: FieldErrors,
}

/// New policies, and what would not meet them, before they are saved.
#[derive(Clone, Debug)]
pub struct ReviewedPolicies {
    /// As typed.
    pub form: PoliciesForm,
    /// What would not meet them.
    pub violations: Violations,
    /// Which policies were shown.
    pub mark: String,
}

impl ReviewedPolicies {
    /// A text that is the same for the same policies only.
    pub fn mark(policies: &Policies) -> String {
        serde_json::to_string(policies).unwrap_or_default()
    }
}

/// Who asks.
pub fn ctx() -> Result<Ctx, AppError> {
    use_context().ok_or_else(|| AppError(Problem::new(ErrorCode::Internal)))
}

/// What a server function answers instead: the problem as the API would tell it, under its own status.
pub fn fail(ctx: &Ctx, e: domain::Error) -> AppError {
    let problem = ctx.problem(e);
    answer_with(&problem);
    AppError(problem)
}

/// The status of the answer is the status of the problem that it tells.
pub fn answer_with(problem: &Problem) {
    let status = http::StatusCode::from_u16(problem.code.status());
    if let (Some(response), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), status) {
        response.set_status(status);
    }
}
