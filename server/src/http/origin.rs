//! The origin check: no other site may act with a person's cookie (s23).

use super::{AppState, error::ApiError};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::{ErrorCode, Problem};

/// Refuses a state-changing request that another site made the browser send.
pub async fn check(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let safe = matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // A POST to the authorization endpoint only carries parameters, from whichever site (OpenID Connect Core, 3.1.2.1).
    let safe = safe || req.uri().path() == "/oauth/authorize";
    if safe || same_origin(req.headers(), &state.core.settings.public_url) {
        return next.run(req).await;
    }
    tracing::warn!(path = req.uri().path(), "a request of another site was refused");
    ApiError(
        Problem::new(ErrorCode::Forbidden)
            .message("This request comes from another site, so nothing was done. Open the page here, and send the form from it."),
    )
    .into_response()
}

/// `Sec-Fetch-Site` decides where it is sent. Else `Origin` must be this server's. With neither there is no browser
/// of our time: fine without a cookie, refused with one.
fn same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    match headers.get(header::ORIGIN) {
        Some(origin) => {
            let origin = origin.to_str().unwrap_or_default();
            let authority = origin.parse::<Uri>().ok().and_then(|u| u.authority().map(ToString::to_string));
            let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
            origin == public_url || (authority.is_some() && authority.as_deref() == host)
        }
        None => !headers.contains_key(header::COOKIE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header"));
        }
        same_origin(&map, "https://keys.acme.test")
    }

    #[test]
    fn s23_only_this_site_acts_with_a_cookie() {
        let (cookie, host) = (("cookie", "keystead=x"), ("host", "keys.acme.test"));
        assert!(passes(&[cookie, ("sec-fetch-site", "same-origin")]));
        assert!(!passes(&[cookie, ("sec-fetch-site", "cross-site")]));
        assert!(!passes(&[cookie, ("sec-fetch-site", "same-site"), ("origin", "https://keys.acme.test")]));
        assert!(passes(&[cookie, host, ("origin", "https://keys.acme.test")]));
        assert!(!passes(&[cookie, host, ("origin", "https://evil.test")]));
        assert!(!passes(&[cookie, host, ("origin", "null")]));
        assert!(!passes(&[cookie, host]), "neither header, but a cookie");
        assert!(passes(&[host]), "no cookie, nothing to abuse");
    }
}
