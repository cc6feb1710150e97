//! What handlers take from a request: its caller, its body, its query.

use super::super::{AppState, error::ApiError};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use contract::{Cursor, ErrorCode, FieldErrors, PageQuery, Problem};
use domain::{Ctx, Who};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

/// The authenticated caller; a stranger is answered 401.
pub struct Caller(pub Ctx);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        match parts.extensions.get::<Ctx>() {
            Some(ctx) if !matches!(ctx.who(), Who::Anonymous) => Ok(Self(ctx.clone())),
            _ => Err(ErrorCode::Unauthorized.into()),
        }
    }
}

/// A JSON body that was received but not judged yet: a foreign object is 404 whatever was sent for it.
pub struct Body {
    bytes: Bytes,
    is_json: bool,
}

impl FromRequest<AppState> for Body {
    type Rejection = ApiError;

    async fn from_request(req: Request, state: &AppState) -> Result<Self, ApiError> {
        let is_json = is_json(req.headers());
        let bytes = Bytes::from_request(req, state).await?;
        Ok(Self { bytes, is_json })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

impl Body {
    /// Reads it; what does not fit is named by the path of its member.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        if !self.is_json {
            return Err(ErrorCode::UnsupportedMediaType.into());
        }
        // serde would read an array as the members of an object in their order.
        if self.bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') && serde_json::from_slice::<IgnoredAny>(&self.bytes).is_ok()
        {
            return Err(Problem::invalid(FieldErrors::one("", "invalid", "The body is a JSON object.")).into());
        }
        let mut json = serde_json::Deserializer::from_slice(&self.bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|e| misread(&e))?;
        json.end().map_err(|_| not_json())?;
        Ok(value)
    }

    /// The same where `{}` may also be left out.
    pub fn read_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, ApiError> {
        if self.bytes.is_empty() { Ok(T::default()) } else { self.read() }
    }
}

fn misread(e: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    if !e.inner().is_data() {
        return not_json();
    }
    // serde_json appends where in the text it was; the member says that better.
    let said = e.inner().to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let path = e.path().to_string();
    let (field, code) = match said.split('`').nth(1) {
        Some(member) if said.starts_with("unknown field") => (joined(&path, member), "unknown"),
        Some(member) if said.starts_with("missing field") => (joined(&path, member), "required"),
        _ => (path, "invalid"),
    };
    Problem::invalid(FieldErrors::one(&field, code, format!("{}.", capitalised(said)))).into()
}

fn not_json() -> ApiError {
    Problem::new(ErrorCode::BadRequest).message("The body is not valid JSON").into()
}

/// serde names an unknown member by the path to it, a missing one by the path to its object.
fn joined(path: &str, member: &str) -> String {
    match path {
        "." | "" => member.to_owned(),
        _ if path == member || path.ends_with(&format!(".{member}")) => path.to_owned(),
        _ => format!("{path}.{member}"),
    }
}

fn capitalised(s: &str) -> String {
    let mut chars = s.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// The query of a request; unknown parameters are ignored, and one that cannot be read is named.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let read = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes())));
        read.map(Self).map_err(|e| {
            let said = format!("{}.", capitalised(&e.inner().to_string()));
            Problem::invalid(FieldErrors::one(&e.path().to_string(), "invalid", said)).into()
        })
    }
}

/// Which page of a list that has no filter.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paged {
    /// Rows a page; none means 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<Cursor>,
}

impl Paged {
    /// The page.
    pub fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit.unwrap_or(50), cursor: self.cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[expect(dead_code, reason = "read to be refused")]
        name: String,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "read to be refused")]
        per_hour: u32,
    }

    fn refused(body: &str) -> (ErrorCode, String) {
        let body = Body { bytes: Bytes::copy_from_slice(body.as_bytes()), is_json: true };
        let problem = body.read::<Thing>().map(|t| t.inner.is_some()).expect_err("refused").0;
        (problem.code, problem.fields.0.first().map(|f| format!("{} {}", f.field, f.code)).unwrap_or_default())
    }

    #[test]
    fn what_is_wrong_with_a_body_is_named_by_its_member() {
        for (body, field) in [
            ("{}", "name required"),
            (r#"{"name":1}"#, "name invalid"),
            (r#"{"name":"x","id":"y"}"#, "id unknown"),
            (r#"{"name":"x","inner":{"per_hour":-1}}"#, "inner.per_hour invalid"),
            (r#"{"name":"x","inner":{"per_hour":1,"x":1}}"#, "inner.x unknown"),
            (r#"{"name":"x","inner":{}}"#, "inner.per_hour required"),
            (r#" ["x"]"#, " invalid"),
            ("null", " invalid"),
        ] {
            assert_eq!(refused(body), (ErrorCode::ValidationFailed, field.to_owned()), "{body}");
        }
    }

    #[test]
    fn s73_what_is_no_json_or_too_deep_is_a_bad_request() {
        for body in ["", "{", "{\"name\":\"x\"} x"] {
            assert_eq!(refused(body).0, ErrorCode::BadRequest, "{body}");
        }
        let deep = Body { bytes: Bytes::from("[".repeat(10_000)), is_json: true };
        assert_eq!(deep.read::<serde_json::Value>().expect_err("too deep").0.code, ErrorCode::BadRequest);
    }
}
