//! Three header families that say the same of a limit: `X-RateLimit-*` (guides), `RateLimit` and `RateLimit-Policy`
//! (IETF draft-ietf-httpapi-ratelimit-headers), `Retry-After` (RFC 9110).

use super::error::ApiError;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use contract::{ErrorCode, Problem, UnixMs};
use domain::{
    RequestInfo,
    verify::limit::{Charge, Span},
};
use std::net::{IpAddr, Ipv4Addr};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Writes what a charge left: of the hour on success, of the window that refused on 429.
pub fn write(headers: &mut HeaderMap, charge: &Charge, now: UnixMs) {
    let Charge { policy, span, state, retry_after } = charge;
    let seconds = (state.reset - now.0.div_euclid(1_000)).max(0);
    let (hour, second) = (Span::Hour, Span::Second);
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    set(LIMIT, state.limit.to_string());
    set(REMAINING, state.remaining.to_string());
    set(RESET, state.reset.to_string());
    set(RATE_LIMIT, format!("\"{}\";r={};t={seconds}", span.as_str(), state.remaining));
    let windows = [(hour, policy.per_hour), (second, policy.per_second)];
    set(POLICY, windows.map(|(span, q)| format!("\"{}\";q={q};w={}", span.as_str(), span.ms() / 1_000)).join(", "));
    if let Some(after) = retry_after {
        set(header::RETRY_AFTER, after.to_string());
    }
}

/// The refusal of a charge.
pub fn too_many(charge: &Charge, now: UnixMs) -> Response {
    let problem = Problem::new(ErrorCode::RateLimitExceeded).with("retry_after", charge.retry_after.unwrap_or(1));
    let mut response = ApiError(problem).into_response();
    write(response.headers_mut(), charge, now);
    response
}

/// Whom a request without a known credential is counted for; those whose address is unknown are not told apart.
pub fn sender(info: &RequestInfo) -> IpAddr {
    info.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{RateLimit, RateLimitState};

    #[test]
    fn s71_the_three_families_agree() {
        let policy = RateLimit { per_hour: 10_000, per_second: 100 };
        let now = UnixMs(1_640_995_200_000);
        let seen = |charge: &Charge| {
            let mut headers = HeaderMap::new();
            write(&mut headers, charge, now);
            move |name: &str| headers.get(name).map_or(String::new(), |v| v.to_str().unwrap_or_default().to_owned())
        };
        let state = RateLimitState { limit: 10_000, remaining: 9_999, reset: 1_640_998_800 };
        let ok = seen(&Charge { policy, span: Span::Hour, state, retry_after: None });
        assert_eq!(
            (ok("x-ratelimit-limit"), ok("x-ratelimit-remaining"), ok("x-ratelimit-reset")),
            ("10000".into(), "9999".into(), "1640998800".into())
        );
        assert_eq!((ok("ratelimit"), ok("retry-after")), ("\"hour\";r=9999;t=3600".into(), String::new()));
        assert_eq!(ok("ratelimit-policy"), "\"hour\";q=10000;w=3600, \"second\";q=100;w=1");
        let state = RateLimitState { limit: 100, remaining: 0, reset: 1_640_995_202 };
        let no = seen(&Charge { policy, span: Span::Second, state, retry_after: Some(2) });
        assert_eq!((no("x-ratelimit-limit"), no("ratelimit"), no("retry-after")), ("100".into(), "\"second\";r=0;t=2".into(), "2".into()));
    }
}
