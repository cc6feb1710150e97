//! What the server puts into the context of every render and server function.

use crate::{actions::AllowlistForm, error::AppError};
use axum::extract::Query;
use contract::{AllowedIp, ErrorCode, FieldErrors, Impact, Policies, PoliciesForm, PolicyReview, Prefs, Problem, Secret, UnixMs};
use domain::{
    Ctx,
    identity::{
        self, Admitted, HalfSignedIn, SignedIn,
        sessions::{self, Ground},
    },
    oauth::{Report, Trial},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use tower_sessions::{Session, session, session_store};

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
    /// What its device cookie holds.
    device: Option<Arc<Secret<String>>>,
    /// What the cookie is to hold from now on.
    device_to_set: Arc<Mutex<Option<Secret<String>>>>,
}

/// The key of a session's data under which the signed-in person stands.
pub const SESSION_PERSON: &str = "person";
/// The same of when they proved who they are.
pub const SESSION_PROOF: &str = "proof";
/// The same of why it may stand under its id; it is not stored.
pub const SESSION_GROUND: &str = "ground";
/// The same of who has given a password and still owes the second factor.
const SESSION_HALF: &str = "half";
/// The same of the trial of an app that waits for its answer.
const SESSION_TRIAL: &str = "trial";
/// The same of how the last one went.
const SESSION_TRIED: &str = "tried";

/// When the person of a session proved who they are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The last time.
    pub at: UnixMs,
    /// The first time: from it on the session's lifetime counts, whatever its id.
    pub since: UnixMs,
}

/// A parameter of the request's query, decoded once. The router's own map decodes its values a second time, and so changes
/// an address that is carried whole: the `state` of an app comes back as another.
pub fn carried(name: &str) -> Option<String> {
    let parts = use_context::<http::request::Parts>()?;
    query(&parts.uri).into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
}

/// The parameters of an address, decoded once.
pub fn query(uri: &http::Uri) -> Vec<(String, String)> {
    Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

impl Browser {
    /// The browser of the request being answered.
    pub fn current() -> Result<Self, AppError> {
        use_context().ok_or_else(|| AppError(Problem::new(ErrorCode::Internal)))
    }

    /// A browser as its cookies show it.
    pub fn new(session: Session, prefs: Prefs, device: Option<&str>) -> Self {
        Self { session, prefs, device: device.map(|d| Arc::new(Secret::new(d.to_owned()))), device_to_set: Arc::default() }
    }

    /// What its device cookie holds.
    pub fn device(&self) -> Option<&str> {
        self.device.as_ref().map(|d| d.expose().as_str())
    }

    /// What the device cookie is to hold from now on, if that was decided while the request was answered.
    pub fn device_to_set(&self) -> Option<Secret<String>> {
        self.device_to_set.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Starts a session under a new id; the old one dies (s19).
    pub async fn open_session(&self, ctx: &Ctx, admitted: &Admitted) -> Result<(), Problem> {
        let now = ctx.now();
        let failed = |e| failed(ctx, &e);
        self.session.cycle_id().await.map_err(failed)?;
        self.session.remove_value(SESSION_HALF).await.map_err(failed)?;
        self.session.insert(SESSION_GROUND, admitted.ground()).await.map_err(failed)?;
        self.session.insert(SESSION_PERSON, admitted.who).await.map_err(failed)?;
        self.session.insert(SESSION_PROOF, Proof { at: now, since: now }).await.map_err(failed)?;
        if let Err(problem) = self.keep(ctx).await {
            if problem.code == ErrorCode::Unauthorized {
                identity::ended_meanwhile(ctx, admitted);
            }
            return Err(problem);
        }
        let device = identity::remember_device(ctx, admitted.who.user_id, self.device()).await.map_err(|e| ctx.problem(e))?;
        *self.device_to_set.lock().unwrap_or_else(PoisonError::into_inner) = Some(device);
        Ok(())
    }

    /// The person goes on in another of their tenants: under a new id, and no more freshly proved than before (s16).
    pub async fn move_session(&self, ctx: &Ctx, person: &SignedIn) -> Result<(), Problem> {
        self.go_on(ctx).await?;
        self.session.insert(SESSION_PERSON, person).await.map_err(|e| failed(ctx, &e))?;
        self.keep(ctx).await
    }

    /// A new id, and nothing else: the password alone is no proof of who has a second factor (s16).
    pub async fn renew_session(&self, ctx: &Ctx) -> Result<(), Problem> {
        self.go_on(ctx).await?;
        self.keep(ctx).await
    }

    /// The session gets a new id when it is saved, unless somebody ends it before.
    async fn go_on(&self, ctx: &Ctx) -> Result<(), Problem> {
        let failed = |e| failed(ctx, &e);
        if let Some(id) = self.session.id() {
            self.session.insert(SESSION_GROUND, Ground::goes_on(&id.to_string())).await.map_err(failed)?;
        }
        self.session.cycle_id().await.map_err(failed)
    }

    /// Notes that the person proved once more who they are: under a new id too (s19).
    pub async fn confirm_session(&self, ctx: &Ctx) -> Result<(), Problem> {
        let now = ctx.now();
        let failed = |e| failed(ctx, &e);
        let before = self.session.get::<Proof>(SESSION_PROOF).await.map_err(failed)?;
        let since = before.map_or(now, |proof| proof.since);
        self.go_on(ctx).await?;
        self.session.insert(SESSION_PROOF, Proof { at: now, since }).await.map_err(failed)?;
        self.keep(ctx).await
    }

    /// Remembers who has given their password, and nobody else: it opens the second step only (s14).
    pub async fn await_code(&self, ctx: &Ctx, half: &HalfSignedIn) -> Result<(), Problem> {
        let failed = |e| failed(ctx, &e);
        self.session.cycle_id().await.map_err(failed)?;
        self.session.clear().await;
        self.session.insert(SESSION_HALF, half).await.map_err(failed)?;
        self.session.save().await.map_err(failed)
    }

    /// Who still owes the second factor.
    pub async fn half_signed_in(&self, ctx: &Ctx) -> Result<Option<HalfSignedIn>, Problem> {
        let half = self.session.get::<HalfSignedIn>(SESSION_HALF).await.map_err(|e| failed(ctx, &e))?;
        Ok(half.filter(|half| half.is_open(ctx.now())))
    }

    /// The trial of an app that waits for its answer in this browser.
    pub async fn trial(&self, ctx: &Ctx) -> Result<Option<Trial>, Problem> {
        self.session.get(SESSION_TRIAL).await.map_err(|e| failed(ctx, &e))
    }

    /// How the last one went.
    pub async fn tried(&self, ctx: &Ctx) -> Result<Option<Report>, Problem> {
        self.session.get(SESSION_TRIED).await.map_err(|e| failed(ctx, &e))
    }

    /// Waits for the answer to a trial, and for no other's any more.
    pub async fn begin_trial(&self, ctx: &Ctx, trial: &Trial) -> Result<(), Problem> {
        self.end_trial(ctx, None).await?;
        self.session.insert(SESSION_TRIAL, trial).await.map_err(|e| failed(ctx, &e))
    }

    /// Waits no more. What came of it is kept until the next one.
    pub async fn end_trial(&self, ctx: &Ctx, report: Option<&Report>) -> Result<(), Problem> {
        let failed = |e| failed(ctx, &e);
        self.session.remove_value(SESSION_TRIAL).await.map_err(failed)?;
        self.session.remove_value(SESSION_TRIED).await.map_err(failed)?;
        match report {
            Some(report) => self.session.insert(SESSION_TRIED, report).await.map_err(failed),
            None => Ok(()),
        }
    }

    async fn keep(&self, ctx: &Ctx) -> Result<(), Problem> {
        if let Err(e) = self.session.save().await {
            // Nothing is left to be saved with the answer.
            self.session.clear().await;
            return Err(failed(ctx, &e));
        }
        match self.session.id() {
            Some(id) => sessions::describe(ctx.core(), &id.to_string(), ctx.request()).await.map_err(|e| ctx.problem(e)),
            None => Ok(()),
        }
    }

    /// Ends the session on the server.
    pub async fn close_session(&self, ctx: &Ctx) -> Result<(), Problem> {
        self.session.flush().await.map_err(|e| failed(ctx, &e))
    }
}

/// What the store says when a session may not begin or go on: its person was signed out meanwhile.
pub const ENDED: &str = "ended meanwhile";

fn failed(ctx: &Ctx, e: &session::Error) -> Problem {
    ctx.problem(match e {
        session::Error::Store(session_store::Error::Backend(why)) if why == ENDED => domain::Error::Unauthenticated,
        _ => domain::Error::unavailable("session store"),
    })
}

/// The form that was sent needs a fresh proof of who is there: it stands in the page that asks for one, and goes on from
/// there with everything typed.
#[derive(Clone, Debug)]
pub struct Confirming {
    /// Everything typed.
    pub fields: Vec<(String, String)>,
    /// Where it was sent.
    pub action: String,
    /// Whether a code is asked for.
    pub wants_code: bool,
    /// What was wrong with the proof.
    pub errors: FieldErrors,
    /// What was wrong with the whole.
    pub message: Option<String>,
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
    /// What saving them would do.
    pub review: PolicyReview,
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

/// What a form is answered that was sent by a button which no page of ours has.
pub fn unknown_act() -> AppError {
    let problem = Problem::new(ErrorCode::ValidationFailed).message("Choose what to do.");
    answer_with(&problem);
    AppError(problem)
}

/// The status of the answer is the status of the problem that it tells.
pub fn answer_with(problem: &Problem) {
    let status = http::StatusCode::from_u16(problem.code.status());
    if let (Some(response), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), status) {
        response.set_status(status);
        if let Some(seconds) = problem.extra.get("retry_after").and_then(serde_json::Value::as_i64) {
            response.insert_header(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
        }
    }
}
