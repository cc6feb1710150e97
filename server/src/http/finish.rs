//! What every response passes on its way out: the request id, the security headers, the body of an error.

use super::{AppState, error::rendered};
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use contract::Problem;
use domain::clock::{Clock, SystemClock, SystemEntropy, uuid_v7};

/// The id of a request, as the client is told.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Takes over the client's id if it is plain, else makes one; puts it on the response.
pub async fn request_id(mut req: Request, next: Next) -> Response {
    let given = req.headers().get(X_REQUEST_ID).and_then(|v| v.to_str().ok()).filter(|id| acceptable(id)).map(ToOwned::to_owned);
    let id = given.unwrap_or_else(|| format!("req_{}", uuid_v7(SystemClock.now(), &SystemEntropy).simple()));
    req.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(req).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// `[A-Za-z0-9._-]{1,128}`: nothing that could forge a log line or a header (s70).
fn acceptable(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Headers that no response lacks; a page brings its own, wider content policy.
const ALWAYS: [(HeaderName, &str); 7] = [
    (HeaderName::from_static("x-api-version"), "1"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
];

/// Gives an error its body, and every response its headers.
pub async fn finish(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let id = req.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let page = wants_page(&req);
    let path = req.uri().path().to_owned();
    let mut response = next.run(req).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id.clone_from(&id);
        response = rendered(&state, &path, &problem, response);
    } else if !page && response.status().as_u16() >= 400 && !response.headers().contains_key(header::CONTENT_TYPE) {
        // Refusals of the router and of layers carry a status and no words.
        if let Some(mut problem) = super::error::of_status(response.status()) {
            problem.request_id.clone_from(&id);
            response = rendered(&state, &path, &problem, response);
        }
    }
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if state.https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    }
    // Everything but the front end's files is for one reader at one time (s29).
    if !path.starts_with("/pkg/") {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// Pages answer their own errors; the API answers problems.
pub fn wants_page(req: &Request) -> bool {
    !req.uri().path().starts_with("/v1")
        && req.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|a| a.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s70_a_callers_request_id_is_taken_over_only_if_it_is_plain() {
        for good in ["a", "req_abc-1.2", &"x".repeat(128)] {
            assert!(acceptable(good), "{good}");
        }
        for bad in ["", "a b", "a\n", "ä", "<x>", &"x".repeat(129)] {
            assert!(!acceptable(bad), "{bad}");
        }
    }
}
