//! Scripts of other origins at `/v1` (s30). A tenant lists the origins that may read what its credentials are answered.
//!
//! A preflight brings no credential: it is answered where any tenant or app in use lists the origin, and opens nothing by
//! itself. The answer to the request is readable only where the tenant of its credential lists the origin, or the app that
//! holds the token, so that the origins of one tenant read nothing of another. No cookie counts here, so none is ever allowed. tower-http's layer decides before
//! it knows whose credential it is; hence this one.

use super::{AppState, error::Whose, oauth::FOR_ANY_ORIGIN};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// What a preflight allows; an hour would outlast a change of the list, ten minutes hardly do.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key, X-API-Version, X-Client-Version, \
         X-Idempotency-Key, X-Request-ID, X-Tenant-ID",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];
/// What a script may read beside the body.
const EXPOSED: &str = "Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-API-Version, \
    X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID";

/// Answers preflights, and lets the origins of the credential's tenant read the answer.
pub async fn cors(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let path = req.uri().path();
    if FOR_ANY_ORIGIN.contains(&path) {
        return for_anybody(req, next).await;
    }
    if !path.starts_with("/v1/") {
        return next.run(req).await;
    }
    // Forward auth holds the request of somebody else's client, origin and all.
    let origin = origin(req.headers()).filter(|_| !path.starts_with("/v1/forward-auth"));
    let preflight = *req.method() == Method::OPTIONS && req.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let lists = |origin: &HeaderValue, whose: Option<Whose>| {
        let by_app = |origin: &str| match whose {
            None => state.core.apps.lists_origin(origin, None),
            Some(Whose { app, .. }) => app.is_some_and(|app| state.core.apps.lists_origin(origin, Some(app))),
        };
        origin.to_str().is_ok_and(|origin| state.core.cache.lists_origin(origin, whose.map(|w| w.tenant)) || by_app(origin))
    };
    let (mut response, readable) = match origin {
        Some(origin) if preflight && lists(&origin, None) => (StatusCode::NO_CONTENT.into_response(), Some((origin, PREFLIGHT.as_slice()))),
        origin => {
            let response = next.run(req).await;
            let whose = response.extensions().get::<Whose>().copied();
            let exposed = const { &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)] };
            let readable = origin.filter(|origin| whose.is_some() && lists(origin, whose)).map(|origin| (origin, exposed.as_slice()));
            (response, readable)
        }
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some((origin, more)) = readable {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.extend(more.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
    }
    response
}

/// What clients in browsers call: readable by scripts of every origin, and by none with a browser's credentials.
async fn for_anybody(req: Request, next: Next) -> Response {
    let preflight = *req.method() == Method::OPTIONS && req.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight { (StatusCode::NO_CONTENT, PREFLIGHT).into_response() } else { next.run(req).await };
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The origin that a browser names; several are nobody's.
fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = headers.get_all(header::ORIGIN).iter();
    all.next().filter(|_| all.next().is_none()).cloned()
}
