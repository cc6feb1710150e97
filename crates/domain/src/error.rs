//! The domain's errors, and the one arrow from them to what clients see (rule 7).

use contract::{ErrorCode, FieldErrors, Perm, Problem, Scope, Secret, TenantId};

/// What can go wrong. Server faults carry their cause for the log; clients never see it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in and no credential was sent.
    #[error("no credential")]
    Unauthenticated,
    /// The caller lacks a permission.
    #[error("missing permission {0}")]
    Denied(Perm),
    /// The caller would grant more than they hold.
    #[error("cannot grant {0}")]
    CannotGrant(Scope),
    /// Refused for a reason that has its own code.
    #[error("{0}: {1}")]
    Refused(ErrorCode, String),
    /// Too many tries; seconds until the next one is looked at.
    #[error("throttled for {0} s")]
    TooMany(i64),
    /// The password was right, and the account has a second factor: what the code is to be sent with.
    #[error("a second factor is required")]
    SecondFactor(Secret<String>),
    /// The person works in several tenants and named none: which they may name, by id and name, where they may be told.
    #[error("a tenant is to be named")]
    WhichTenant(Vec<(TenantId, String)>),
    /// Good enough for the rest of the console, but this act wants a proof of who is there that is fresh.
    #[error("not fresh")]
    NotFresh,
    /// No such object in the caller's tenant.
    #[error("not found")]
    NotFound,
    /// The object is in a state that forbids this.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Some fields are not valid.
    #[error("invalid: {0:?}")]
    Invalid(FieldErrors),
    /// For a while: the database is away, or all hashing threads are busy.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Our fault.
    #[error("internal: {0}")]
    Internal(String),
}

/// What a domain call answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For a while.
    pub fn unavailable(what: impl Into<String>) -> Self {
        Self::Unavailable(what.into())
    }

    /// Our fault.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }

    /// One wrong field.
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::one(field, code, message))
    }

    /// The tenant requires a second factor, and the person has none.
    pub fn must_enrol(public_url: &str) -> Self {
        let how = format!("This tenant requires a second factor. Sign in to the console at {public_url} and set one up first.");
        Self::Refused(ErrorCode::MfaEnrollmentRequired, how)
    }

    /// For those who operate the installation.
    pub fn platform_only() -> Self {
        let how = "Only platform admins do this, and keys that one of them marked `platform`. Ask whoever operates this server.";
        Self::Refused(ErrorCode::Forbidden, how.to_owned())
    }

    /// Is it the server's, and so to be logged?
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Internal(_))
    }

    /// What clients see.
    pub fn problem(self) -> Problem {
        match self {
            Self::Unauthenticated => Problem::new(ErrorCode::Unauthorized),
            Self::Denied(perm) => {
                let roles: Vec<&str> = perm.roles().map(contract::Role::as_str).collect();
                let problem = Problem::missing_scope(&perm.scope());
                match roles.first() {
                    Some(_) => problem.with("required_role", roles.join(" or ")),
                    None => problem,
                }
            }
            Self::CannotGrant(scope) => Problem::missing_scope(&scope)
                .message(format!("You cannot grant {scope}: you do not hold it. Leave it out, or ask somebody who does.")),
            Self::Refused(code, message) => Problem::new(code).message(message),
            Self::TooMany(seconds) => Problem::new(ErrorCode::RateLimitExceeded).message(wait(seconds)).with("retry_after", seconds),
            Self::SecondFactor(token) => Problem::new(ErrorCode::MfaRequired).with("mfa_token", token.expose().as_str()),
            Self::WhichTenant(choice) => which_tenant(&choice),
            Self::NotFresh => Problem::new(ErrorCode::Forbidden)
                .message("Confirm that it is you, or sign in again: the last proof of that is more than 10 minutes old.")
                .with(Problem::CONFIRM, true),
            Self::NotFound => Problem::new(ErrorCode::NotFound),
            Self::Conflict(message) => Problem::new(ErrorCode::Conflict).message(message),
            Self::Invalid(fields) => Problem::invalid(fields),
            Self::Unavailable(_) => Problem::new(ErrorCode::Unavailable),
            Self::Internal(_) => Problem::new(ErrorCode::Internal),
        }
    }
}

/// What to name, and where to find that.
fn which_tenant(choice: &[(TenantId, String)]) -> Problem {
    let problem = Problem::new(ErrorCode::TenantRequired);
    if choice.is_empty() {
        let how = "This account works in several tenants: send the `tenant_id` of one. In the console, it stands under Settings, Tenant.";
        return problem.message(how);
    }
    let tenants: Vec<_> = choice.iter().map(|(id, name)| serde_json::json!({"id": id, "name": name})).collect();
    problem
        .message("This account works in several tenants: send the `tenant_id` of one that `error.tenants` names.")
        .with("tenants", tenants)
}

/// When to come back.
fn wait(seconds: i64) -> String {
    let when = match seconds {
        ..=1 => "in a second".to_owned(),
        2..=90 => format!("in {seconds} seconds"),
        91..=7200 => format!("in {} minutes", (seconds + 59) / 60),
        _ => return "Too many wrong tries: this way in is closed. Use a browser that you have signed in with before, or reset the password by a link: by mail, or of the operator.".to_owned(),
    };
    format!("Too many tries. Try again {when}.")
}

/// For jobs that do the same for one after the other.
pub(crate) trait OrGoOn {
    /// What failed is logged, and the others have their turn; without a database there is none.
    fn or_go_on(self, what: &'static str, id: impl std::fmt::Display) -> Result<()>;
}

impl OrGoOn for Result<()> {
    fn or_go_on(self, what: &'static str, id: impl std::fmt::Display) -> Result<()> {
        match self {
            Err(e) if !matches!(e, Error::Unavailable(_)) => {
                tracing::error!(%id, error = %e, "{what}");
                Ok(())
            }
            other => other,
        }
    }
}

impl From<FieldErrors> for Error {
    fn from(fields: FieldErrors) -> Self {
        Self::Invalid(fields)
    }
}

impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                Self::Unavailable(e.to_string())
            }
            // PostgreSQL: shutting down, starting up, too many connections, lost against another transaction; SQLite: busy, disk full, I/O error.
            sqlx::Error::Database(db)
                if matches!(
                    db.code().as_deref(),
                    Some("57P01" | "57P02" | "57P03" | "53300" | "08006" | "08001" | "40001" | "40P01" | "5" | "6" | "10" | "13")
                ) =>
            {
                Self::Unavailable(e.to_string())
            }
            _ => Self::Internal(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s70_a_fault_tells_clients_nothing_of_its_cause() {
        for e in [Error::internal("SELECT secret FROM x"), Error::unavailable("connect 10.0.0.1")] {
            let body = e.problem().body("").to_string();
            assert!(!body.contains("SELECT") && !body.contains("10.0.0.1"), "{body}");
        }
    }

    #[test]
    fn a_missing_permission_names_the_scope_and_who_holds_it() {
        let p = Error::Denied(Perm::AuditRead).problem();
        assert_eq!(p.extra["required_scope"], "keystead.audit:read");
        assert_eq!(p.extra["required_role"], "owner or admin or security");
    }
}
