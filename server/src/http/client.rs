//! Where a request really comes from: the peer, or what a trusted proxy says of it (s39–s41).

use super::{AppState, error::ApiError, finish::RequestId};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::{ErrorCode, Problem, normalise};
use domain::{RequestInfo, Versions};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// What is known of the connection; the client's address stands in [`RequestInfo`].
#[derive(Clone, Debug)]
pub struct Client {
    /// The address at the other end of the connection.
    pub peer: IpAddr,
    /// The client's connection was https.
    pub https: bool,
}

/// Puts [`Client`] and [`RequestInfo`] into the request.
pub async fn identify(State(state): State<AppState>, mut req: Request, next: Next) -> Response {
    let Some(ConnectInfo(peer)) = req.extensions().get::<ConnectInfo<SocketAddr>>().copied() else {
        return ApiError(Problem::new(ErrorCode::Internal)).into_response();
    };
    let peer = normalise(peer.ip());
    let trusted = contains(&state.trusted_proxies, peer);
    let headers = req.headers();
    let ip = if trusted { forwarded_for(headers, &state.trusted_proxies, peer) } else { Some(peer) };
    let https = trusted && last(headers, "x-forwarded-proto").is_some_and(|p| p.eq_ignore_ascii_case("https"));
    let id = req.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let said = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).filter(|v| !v.is_empty()).map(ToOwned::to_owned);
    let user_agent = said(header::USER_AGENT.as_str());
    let versions = Versions { api: said("x-api-version"), client: said("x-client-version") };
    req.extensions_mut().insert(Client { peer, https });
    req.extensions_mut().insert(RequestInfo { id, ip, user_agent, versions });
    next.run(req).await
}

/// On an https installation a plain request is refused, not redirected: a secret in it is already lost (s28).
pub async fn https_only(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let path = req.uri().path();
    let client = req.extensions().get::<Client>();
    let plain = client.is_none_or(|c| !c.https);
    // A gateway on this machine asks over loopback, and fetches the words of its refusals there.
    let local = client.is_some_and(|c| c.peer.is_loopback());
    let asks = ["/v1/verify", "/v1/forward-auth", "/v1/errors/"].iter().any(|p| path.starts_with(p));
    let exempt = matches!(path, "/livez" | "/readyz") || (local && asks);
    if state.https && plain && !exempt {
        return ApiError(Problem::new(ErrorCode::HttpsRequired)).into_response();
    }
    next.run(req).await
}

fn contains(nets: &[IpNet], ip: IpAddr) -> bool {
    nets.iter().any(|n| n.contains(&ip))
}

/// The right-most address of `X-Forwarded-For` that no trusted proxy has. Anything unreadable on the way there
/// makes the address unknown; without the header the proxy itself is the client.
pub fn forwarded_for(headers: &HeaderMap, trusted: &[IpNet], peer: IpAddr) -> Option<IpAddr> {
    let mut values = Vec::new();
    for value in headers.get_all("x-forwarded-for") {
        values.extend(value.to_str().ok()?.split(','));
    }
    let mut client = peer;
    for entry in values.iter().rev() {
        client = normalise(parse_address(entry.trim())?);
        if !contains(trusted, client) {
            break;
        }
    }
    Some(client)
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn parse_address(s: &str) -> Option<IpAddr> {
    s.parse().ok().or_else(|| s.parse::<SocketAddr>().ok().map(|a| a.ip())).or_else(|| s.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

/// The last value of a header: the one that the nearest proxy wrote.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(header: &[&str], trusted: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for h in header {
            headers.append("x-forwarded-for", h.parse().expect("a header"));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().expect("a network")).collect();
        forwarded_for(&headers, &trusted, "10.0.0.1".parse().expect("an address")).map(|ip| ip.to_string())
    }

    #[test]
    fn s39_forwarded_addresses_are_read_right_to_left_past_trusted_proxies() {
        let trusted = ["10.0.0.0/8"];
        for (header, client) in [
            (vec!["203.0.113.9"], "203.0.113.9"),
            (vec!["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (vec!["1.1.1.1, 203.0.113.9, 10.0.0.7"], "203.0.113.9"),
            (vec!["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
            (vec!["203.0.113.9:4711"], "203.0.113.9"),
            (vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            (vec!["::ffff:203.0.113.9"], "203.0.113.9"),
            (vec!["10.0.0.3, 10.0.0.7"], "10.0.0.3"),
            (vec![], "10.0.0.1"),
        ] {
            assert_eq!(seen(&header, &trusted).as_deref(), Some(client), "{header:?}");
        }
    }

    #[test]
    fn s40_an_unreadable_address_makes_the_client_unknown() {
        for header in ["unknown", "", "203.0.113.9, ", "203.0.113.9, x", "999.1.1.1", "203.0.113.9 10.0.0.7"] {
            assert_eq!(seen(&[header], &["10.0.0.0/8"]), None, "{header:?}");
        }
    }

    #[test]
    fn what_stands_left_of_the_client_is_never_read() {
        assert_eq!(seen(&["garbage, 203.0.113.9"], &["10.0.0.0/8"]).as_deref(), Some("203.0.113.9"));
    }
}
