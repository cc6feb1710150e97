//! The codes and the one body of every error (contract, section 3).

use crate::Scope;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal, $flat:literal, $title:literal, $message:literal, $advice:literal;)*) => {
        /// Every error code a client can meet, with its status and words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ErrorCode { $($(#[$doc])* $variant,)* }

        impl ErrorCode {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in `error.code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The word in `error` of the flat form.
            pub const fn flat(self) -> &'static str {
                match self { $(Self::$variant => $flat,)* }
            }

            /// The status in words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What whoever meets it can do.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }

            /// What is said where nothing more precise is known.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }
        }

        impl FromStr for ErrorCode {
            type Err = ();

            fn from_str(s: &str) -> Result<Self, ()> {
                match s { $($word => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}

codes! {
    /// The request cannot be read.
    BadRequest = "BAD_REQUEST", 400, "bad_request", "Bad Request", "The request could not be read",
        "Correct the request as `error.message` says: its syntax, or a header or parameter that cannot be read.";
    /// Two different credentials in one request.
    ConflictingCredentials = "CONFLICTING_CREDENTIALS", 400, "bad_request", "Bad Request", "Two different credentials were sent",
        "Send one credential, in `Authorization` or in `X-API-Key`. A proxy on the way may have added the other one.";
    /// No credential.
    Unauthorized = "UNAUTHORIZED", 401, "unauthorized", "Unauthorized", "Invalid or missing authentication credentials",
        "Send a credential: `Authorization: Bearer …` or `X-API-Key: …`. It is never read from the query.";
    /// Unknown, malformed, revoked, expired, disabled or not yet valid: one answer.
    InvalidApiKey = "INVALID_API_KEY", 401, "unauthorized", "Unauthorized", "Invalid or expired API key",
        "Check that the whole key was sent, and ask whoever manages it: the usage log, found by the request id, says what is wrong with it. Callers are not told.";
    /// A token that fails any check but its expiry.
    InvalidToken = "INVALID_TOKEN", 401, "unauthorized", "Unauthorized", "Invalid access token",
        "Get a new token, meant for this API.";
    /// A token that is good but for its expiry.
    TokenExpired = "TOKEN_EXPIRED", 401, "unauthorized", "Unauthorized", "Access token has expired",
        "Get a new token, and send that one.";
    /// The second factor is still to come.
    MfaRequired = "MFA_REQUIRED", 401, "unauthorized", "Unauthorized", "A second factor is required",
        "Complete the sign-in with the second factor.";
    /// Not permitted.
    Forbidden = "FORBIDDEN", 403, "forbidden", "Forbidden", "You do not have permission to access this resource",
        "Ask somebody whose role allows it, or use a credential of the tenant that the request is about.";
    /// The credential lacks a scope.
    InsufficientPermissions = "INSUFFICIENT_PERMISSIONS", 403, "forbidden", "Forbidden", "Insufficient permissions for this operation",
        "Use a credential that holds the permission in `error.required_scope`, or have it granted.";
    /// The client's address is outside the allowlist, or unknown.
    IpNotAllowed = "IP_NOT_ALLOWED", 403, "forbidden", "Forbidden", "This address is not allowed to use the credential",
        "Call from an address on the allowlist of the key and of its tenant, or have the address added. Behind a proxy, check that it passes the client’s address on.";
    /// A test credential on a live object, or the other way round.
    EnvironmentMismatch = "ENVIRONMENT_MISMATCH", 403, "forbidden", "Forbidden", "The credential belongs to another environment",
        "Use a live credential for what is live, and a test credential for what is test.";
    /// Plain http on an https installation.
    HttpsRequired = "HTTPS_REQUIRED", 403, "forbidden", "Forbidden", "HTTPS is required",
        "Repeat the request over https. If a proxy ends TLS, name it in `KEYSTEAD_TRUSTED_PROXIES`.";
    /// The tenant requires a second factor that this person has not enrolled.
    MfaEnrollmentRequired = "MFA_ENROLLMENT_REQUIRED", 403, "forbidden", "Forbidden", "A second factor must be enrolled first",
        "Set up a second factor first.";
    /// The gateway did not prove who it is.
    GatewayUnauthorized = "GATEWAY_UNAUTHORIZED", 403, "forbidden", "Forbidden", "The gateway key is missing or invalid",
        "Put a gateway key that works into the gateway’s configuration: in the console, its page says whether it has expired or was revoked.";
    /// No such object, or one of another tenant.
    NotFound = "NOT_FOUND", 404, "not_found", "Not Found", "Not found",
        "Check the address, the id and the tenant: what belongs to another tenant is not found either.";
    /// The path exists, the method does not.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, "method_not_allowed", "Method Not Allowed", "Method not allowed",
        "Use a method that the address knows; `/docs` lists them.";
    /// No representation that the client accepts.
    NotAcceptable = "NOT_ACCEPTABLE", 406, "not_acceptable", "Not Acceptable", "Not acceptable",
        "Ask for a representation that the address has, in `Accept`.";
    /// The request took too long to arrive or to answer.
    Timeout = "TIMEOUT", 408, "timeout", "Request Timeout", "The request took too long",
        "Try again; if it happens again, send less at once.";
    /// The object is in a state that forbids this.
    Conflict = "CONFLICT", 409, "conflict", "Conflict", "The request conflicts with the current state",
        "Read the object again, and decide with what has become of it.";
    /// The first request with this key is still running.
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", 409, "conflict", "Conflict", "A request with this idempotency key is still running",
        "Wait for the seconds in `Retry-After` and repeat the same request.";
    /// The person belongs to several tenants.
    TenantRequired = "TENANT_REQUIRED", 409, "conflict", "Conflict", "Name the tenant",
        "Send the `tenant_id` of one of the tenants that `error.tenants` names; whoever has a second factor finds it in the console, under Settings, Tenant.";
    /// The body is too large.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", 413, "payload_too_large", "Payload Too Large", "The request body is too large",
        "Send less at once.";
    /// The body is of a type that is not understood.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", 415, "unsupported_media_type", "Unsupported Media Type", "The content type is not supported",
        "Send JSON, with `Content-Type: application/json`.";
    /// Readable, but not valid; `fields` says where.
    ValidationFailed = "VALIDATION_FAILED", 422, "validation_failed", "Unprocessable Content", "Some fields are not valid",
        "Correct the fields that `error.fields` names.";
    /// The same idempotency key with another request.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", 422, "validation_failed", "Unprocessable Content", "This idempotency key was used for another request",
        "Use a new idempotency key for another request; repeat the first one unchanged.";
    /// Too many requests.
    RateLimitExceeded = "RATE_LIMIT_EXCEEDED", 429, "rate_limited", "Too Many Requests", "API rate limit exceeded",
        "Wait for the seconds in `Retry-After`. The limit stands in `X-RateLimit-Limit`; a higher one can be set on the key.";
    /// Our fault.
    Internal = "INTERNAL", 500, "internal", "Internal Server Error", "Something went wrong on our side",
        "Nothing that the caller could change. Give the request id to whoever runs this server: its log says more.";
    /// For a while; try again.
    Unavailable = "UNAVAILABLE", 503, "unavailable", "Service Unavailable", "The service is temporarily unavailable",
        "Try again in a moment.";
}

impl ErrorCode {
    /// The last step of `type`, where the error has a page: `invalid-api-key`.
    pub fn slug(self) -> String {
        self.as_str().to_ascii_lowercase().replace('_', "-")
    }

    /// The code of a slug.
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.slug() == slug)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The name of the field in the form or the JSON body.
    pub field: String,
    /// `required`, `invalid`, `too_long`, `taken`, `not_permitted`.
    pub code: String,
    /// A sentence for the person who filled it in.
    pub message: String,
}

/// Everything wrong with a form, at most one sentence a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// Notes one error; the first of a field stays.
    pub fn add(&mut self, field: &str, code: &str, message: impl Into<String>) {
        if self.get(field).is_none() {
            self.0.push(FieldError { field: field.to_owned(), code: code.to_owned(), message: message.into() });
        }
    }

    /// One error, ready to return.
    pub fn one(field: &str, code: &str, message: impl Into<String>) -> Self {
        let mut all = Self::default();
        all.add(field, code, message);
        all
    }

    /// The sentence beside the field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|e| e.field == field).map(|e| e.message.as_str())
    }

    /// Notes more; the first of a field stays.
    pub fn extend(&mut self, more: Self) {
        for e in more.0 {
            self.add(&e.field, &e.code, e.message);
        }
    }

    /// Nothing wrong?
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if nothing was wrong.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(v) if self.is_empty() => Ok(v),
            _ => Err(self),
        }
    }
}

/// An error as clients see it; `body` and `flat_body` are its two forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which error.
    pub code: ErrorCode,
    /// A sentence; never SQL, never a path of the server.
    pub message: String,
    /// The request it answers.
    pub request_id: String,
    /// Members of `error` beside code and message.
    pub extra: BTreeMap<String, serde_json::Value>,
    /// What is wrong with which field, for 422.
    pub fields: FieldErrors,
}

impl Problem {
    /// The member of `error` that says: prove who you are once more, then repeat the request.
    pub const CONFIRM: &str = "confirm";

    /// The error in its standard words.
    pub fn new(code: ErrorCode) -> Self {
        Self { code, message: code.message().to_owned(), request_id: String::new(), extra: BTreeMap::new(), fields: FieldErrors::default() }
    }

    /// The same with a more precise sentence.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same with one more member in `error`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// A missing permission, naming it.
    pub fn missing_scope(scope: &Scope) -> Self {
        Self::new(ErrorCode::InsufficientPermissions).with("required_scope", scope.as_str())
    }

    /// Field errors of a form or body.
    pub fn invalid(fields: FieldErrors) -> Self {
        Self { fields, ..Self::new(ErrorCode::ValidationFailed) }
    }

    /// The `standard` body: RFC 9457 and the shapes of the guides in one object.
    pub fn body(&self, public_url: &str) -> serde_json::Value {
        let mut error = serde_json::Map::new();
        error.insert("code".into(), self.code.as_str().into());
        error.insert("message".into(), self.message.clone().into());
        for (name, value) in &self.extra {
            error.insert(name.clone(), value.clone());
        }
        if !self.fields.is_empty() {
            error.insert("fields".into(), serde_json::to_value(&self.fields).unwrap_or_default());
        }
        serde_json::json!({
            "type": format!("{public_url}/errors/{}", self.code.slug()),
            "title": self.code.title(),
            "status": self.code.status(),
            "detail": self.message,
            "success": false,
            "error": error,
            "request_id": self.request_id,
        })
    }

    /// The `flat` body of guide 002. It has three members, so what is wrong with which field stands in the message.
    pub fn flat_body(&self) -> serde_json::Value {
        let fields = self.fields.0.iter().map(|e| match e.field.as_str() {
            "" => format!(". {}", e.message.trim_end_matches('.')),
            field => format!(". {field}: {}", e.message.trim_end_matches('.')),
        });
        let message = format!("{}{}", self.message, fields.collect::<String>());
        serde_json::json!({"error": self.code.flat(), "message": message, "request_id": self.request_id})
    }

    /// The body at the endpoints of OAuth (RFC 6749, section 5.2; RFC 6750, section 3.1).
    pub fn oauth_body(&self) -> serde_json::Value {
        let error = match self.code.status() {
            401 => "invalid_token",
            403 if self.code == ErrorCode::InsufficientPermissions => "insufficient_scope",
            403 => "access_denied",
            408 | 429 | 503 => "temporarily_unavailable",
            500 => "server_error",
            _ => "invalid_request",
        };
        serde_json::json!({"error": error, "error_description": self.message})
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_serves_rfc_9457_and_the_guides_at_once() {
        let mut p = Problem::new(ErrorCode::InvalidApiKey);
        p.request_id = "req_1".into();
        assert_eq!(
            p.body("https://k.test"),
            serde_json::json!({"type":"https://k.test/errors/invalid-api-key","title":"Unauthorized","status":401,
              "detail":"Invalid or expired API key","success":false,
              "error":{"code":"INVALID_API_KEY","message":"Invalid or expired API key"},"request_id":"req_1"})
        );
        assert_eq!(p.flat_body(), serde_json::json!({"error":"unauthorized","message":"Invalid or expired API key","request_id":"req_1"}));
        let mut fields = FieldErrors::one("name", "required", "Give it a name.");
        fields.add("scopes", "required", "Choose at least one permission.");
        let said = Problem::invalid(fields).flat_body();
        assert_eq!(said["message"], "Some fields are not valid. name: Give it a name. scopes: Choose at least one permission");
        assert_eq!(said.as_object().map(serde_json::Map::len), Some(3));
    }

    #[test]
    fn every_code_reads_back_and_has_an_error_status() {
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_value(code).expect("a word"), code.as_str());
            assert!((400..600).contains(&code.status()), "{code}");
        }
    }

    #[test]
    fn field_errors_and_extras_sit_inside_error() {
        let p = Problem::invalid(FieldErrors::one("name", "required", "Name it.")).with("retry_after", 3);
        let body = p.body("");
        assert_eq!(body["error"]["fields"][0]["field"], "name");
        assert_eq!(body["error"]["retry_after"], 3);
        assert_eq!(body["status"], 422);
    }
}
