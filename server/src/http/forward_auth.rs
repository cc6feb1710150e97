//! Forward auth: a gateway asks about each request of its clients (contract, section 4).
//!
//! The gateway proves itself with `X-Keystead-Gateway`; only that makes the forwarding headers of this request
//! believed, whatever the peer is.

use super::{
    AppState,
    authn::{self, denial},
    client::{Client, forwarded_for},
    error::{ApiError, Whose},
    rate_limit,
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, request::Parts},
    response::{IntoResponse, Response},
};
use contract::{Code, Environment, ErrorCode, Problem, Requirement, Scope, ScopeSet};
use domain::{
    Ctx, RequestInfo, Who,
    verify::{self, Decision, Logged, limit::Charge},
};
use std::net::IpAddr;

/// What the gateway demands of this request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Demand {
    need: Requirement,
}

/// Decides about the request that a gateway holds, by any method.
///
/// The client's credential comes in its own headers, the gateway's in `X-Keystead-Gateway`. The requirement may also
/// stand in the query.
#[utoipa::path(
    get,
    path = "/v1/forward-auth",
    tag = "Decisions",
    operation_id = "forwardAuth",
    params(("X-Keystead-Require" = Option<String>, Header, description = "`scopes=a b; environment=live; audience=x; nginx`, set by the gateway."),
        ("X-Forwarded-For" = Option<String>, Header, description = "The client's address."),
        ("X-Forwarded-Method" = Option<String>, Header, description = "The method of the client's request, for the log."),
        ("X-Forwarded-Uri" = Option<String>, Header, description = "The path of the client's request, for the log."),
        ("X-Tenant-ID" = Option<String>, Header, description = "The tenant that the client asks to act in."),
        ("scopes" = Option<String>, Query, description = "Permissions, with commas between."),
        ("environment" = Option<String>, Query, description = "`live` or `test`."),
        ("nginx" = Option<String>, Query, description = "`1`: 400, 429 and 503 become 403 with `X-Keystead-Status`.")),
    security(("gateway" = []), ("gateway" = [], "bearer" = []), ("gateway" = [], "api_key" = [])),
    responses(
        (status = 200, description = "Allowed. Every header is always present; empty if there is nothing to say.", headers(
            ("X-Keystead-Tenant" = String, description = "Whose credential it is."),
            ("X-Keystead-Subject" = String, description = "On whose behalf it acts."),
            ("X-Keystead-Credential" = String, description = "The credential."),
            ("X-Keystead-Kind" = String, description = "Its kind."),
            ("X-Keystead-Scopes" = String, description = "What it holds, with blanks between."),
            ("X-Keystead-Environment" = String, description = "Live or test."),
        )),
        (status = 400, description = "The requirement cannot be read, or two credentials differ."),
    )
)]
pub async fn exact(State(state): State<AppState>, parts: Parts) -> Response {
    let query = parts.uri.query().unwrap_or_default();
    answer(&state, &parts, query).await
}

/// The same with the client's path behind it; the query is the client's and means nothing here.
#[utoipa::path(
    get,
    path = "/v1/forward-auth/{path}",
    tag = "Decisions",
    operation_id = "forwardAuthNested",
    params(("path" = String, Path, description = "The path of the client's request; it may hold slashes."),
        ("X-Keystead-Require" = Option<String>, Header, description = "`scopes=a b; environment=live; audience=x; nginx`, set by the gateway."),
        ("X-Forwarded-For" = Option<String>, Header, description = "The client's address."),
        ("X-Forwarded-Method" = Option<String>, Header, description = "The method of the client's request, for the log."),
        ("X-Forwarded-Uri" = Option<String>, Header, description = "The path of the client's request, for the log."),
        ("X-Tenant-ID" = Option<String>, Header, description = "The tenant that the client asks to act in.")),
    security(("gateway" = []), ("gateway" = [], "bearer" = []), ("gateway" = [], "api_key" = [])),
    responses(
        (status = 200, description = "Allowed. Every header is always present; empty if there is nothing to say.", headers(
            ("X-Keystead-Tenant" = String, description = "Whose credential it is."),
            ("X-Keystead-Subject" = String, description = "On whose behalf it acts."),
            ("X-Keystead-Credential" = String, description = "The credential."),
            ("X-Keystead-Kind" = String, description = "Its kind."),
            ("X-Keystead-Scopes" = String, description = "What it holds, with blanks between."),
            ("X-Keystead-Environment" = String, description = "Live or test."),
        )),
        (status = 400, description = "The requirement cannot be read, or two credentials differ."),
    )
)]
pub async fn nested(State(state): State<AppState>, parts: Parts) -> Response {
    answer(&state, &parts, "").await
}

async fn answer(state: &AppState, parts: &Parts, query: &str) -> Response {
    let (mut charge, mut whose) = (None, None);
    let mut response = match decide(state, parts, query, &mut charge, &mut whose).await {
        Ok(decision) => allowed(&decision),
        Err(e) => denied(e, says_nginx(&parts.headers, query)),
    };
    if let Some(charge) = charge {
        rate_limit::write(response.headers_mut(), &charge, state.core.now());
    }
    if let Some(whose) = whose {
        response.extensions_mut().insert(whose);
    }
    response
}

async fn decide(
    state: &AppState,
    parts: &Parts,
    query: &str,
    charge: &mut Option<Charge>,
    whose: &mut Option<Whose>,
) -> Result<Decision, ApiError> {
    let headers = &parts.headers;
    let info = parts.extensions.get::<RequestInfo>().cloned().unwrap_or_default();
    let client = parts.extensions.get::<Client>();
    let anonymous = Ctx::new(state.core.clone(), Who::Anonymous, info.clone());
    // The gateway's own address is its connection's; what it forwards is its client's.
    let gateway_ip = client.map(|c| c.peer);
    let gateway_key = text(headers, "x-keystead-gateway").unwrap_or_default();
    let gateway = verify::gateway(&state.core, gateway_key, gateway_ip).map_err(|e| {
        tracing::warn!(request_id = %info.id, ip = ?gateway_ip, "a gateway was refused");
        anonymous.problem(e)
    })?;
    // Whoever is behind a tenant's own gateway is answered in that tenant's form.
    *whose = Some(Whose::from(gateway.tenant_id)).filter(|_| !gateway.platform);
    // Now the gateway's word about its client is believed.
    let demand = Demand::read(headers, query)?;
    let ip = client.and_then(|c| forwarded(headers, state, c.peer));
    let uri: Option<Uri> = text(headers, "x-forwarded-uri").or_else(|| text(headers, "x-original-uri")).and_then(|u| u.parse().ok());
    let method = text(headers, "x-forwarded-method").or_else(|| text(headers, "x-original-method")).unwrap_or(parts.method.as_str());
    let logged = Logged {
        method: Some(method.to_owned()),
        path: Some(uri.as_ref().map_or("", Uri::path).to_owned()).filter(|p| !p.is_empty()),
        user_agent: info.user_agent.clone(),
    };
    let ctx = Ctx::new(state.core.clone(), Who::Key(gateway), info);
    let sent = authn::sent(headers);
    let decision = verify::forward_auth(&ctx, &sent, ip, &demand.need, authn::tenant(headers), logged).await;
    let decision = decision.map_err(|e| ctx.problem(e))?;
    *charge = decision.charge;
    *whose = whose.or_else(|| authn::whose(&decision));
    if decision.code == Code::Valid { Ok(decision) } else { Err(ApiError(denial(&decision))) }
}

/// The client's address as the gateway wrote it. Without the header it is unknown: the peer is the gateway, not the client.
fn forwarded(headers: &HeaderMap, state: &AppState, peer: IpAddr) -> Option<IpAddr> {
    if headers.contains_key("x-forwarded-for") { forwarded_for(headers, &state.trusted_proxies, peer) } else { None }
}

/// 200 with who the caller is. Every header is always there, so that a client's own copy never passes.
fn allowed(decision: &Decision) -> Response {
    let mut response = StatusCode::OK.into_response();
    let values = [
        ("x-keystead-tenant", decision.tenant_id().map(|id| id.to_string()).unwrap_or_default()),
        ("x-keystead-subject", decision.subject().unwrap_or_default()),
        ("x-keystead-credential", decision.credential_id().unwrap_or_default()),
        ("x-keystead-kind", decision.kind.to_string()),
        ("x-keystead-scopes", decision.scopes().map(ScopeSet::joined).unwrap_or_default()),
        ("x-keystead-environment", decision.environment().map(|e| e.to_string()).unwrap_or_default()),
    ];
    for (name, value) in values {
        let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

/// The denial with its body, and its code for gateways that cannot pass a body on.
fn denied(e: ApiError, nginx: bool) -> Response {
    let code = e.0.code;
    let missing = e.0.extra.get("required_scope").and_then(|s| HeaderValue::from_str(s.as_str()?).ok());
    let mut response = e.into_response();
    if let Some(scope) = missing {
        response.headers_mut().insert(HeaderName::from_static("x-keystead-required-scope"), scope);
    }
    response.headers_mut().insert(HeaderName::from_static("x-keystead-code"), HeaderValue::from_static(code.as_str()));
    if nginx && !matches!(code.status(), 401 | 403) {
        response.headers_mut().insert(HeaderName::from_static("x-keystead-status"), HeaderValue::from(code.status()));
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

impl Demand {
    /// Reads `X-Keystead-Require: scopes=a b; environment=live; nginx` and the query `scopes=a,b&environment=live&nginx=1`.
    /// What cannot be read refuses the request: a demand that is misspelled must not become no demand.
    fn read(headers: &HeaderMap, query: &str) -> Result<Self, ApiError> {
        let mut demand = Self::default();
        for value in headers.get_all("x-keystead-require") {
            for part in value.to_str().map_err(|_| misread("X-Keystead-Require"))?.split(';').map(str::trim).filter(|p| !p.is_empty()) {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                demand.set(name.trim(), value.trim())?;
            }
        }
        let said = headers.contains_key("x-keystead-require").then(|| demand.need.clone());
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            demand.set(name, &value.replace("%20", " ").replace('+', " ").replace("%3A", ":").replace("%3a", ":").replace("%2C", ","))?;
        }
        // Some gateways send their client's query along. Beside the header it may demand more scopes, and choose nothing.
        if let Some(said) = said
            && (said.environment, &said.audience) != (demand.need.environment, &demand.need.audience)
        {
            return Err(misread("the query says other than X-Keystead-Require"));
        }
        Ok(demand)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "scopes" => {
                for scope in value.split([' ', ',']).filter(|s| !s.is_empty()) {
                    self.need.scopes.push(Scope::parse(scope).map_err(|_| misread(scope))?);
                }
            }
            "environment" => {
                let environment = value.parse::<Environment>().map_err(|()| misread(value))?;
                // A second word of other meaning is a client's, behind a gateway that appends headers instead of setting them.
                if self.need.environment.replace(environment).is_some_and(|before| before != environment) {
                    return Err(misread(value));
                }
            }
            "audience" => {
                if self.need.audience.replace(value.to_owned()).is_some_and(|before| before != value) {
                    return Err(misread(value));
                }
            }
            // How the answer is to look, not what is demanded: see `says_nginx`.
            "nginx" => {}
            other => return Err(misread(other)),
        }
        Ok(())
    }
}

/// nginx's `auth_request` knows only 2xx, 401 and 403. Read apart from the demand, which may be unreadable.
fn says_nginx(headers: &HeaderMap, query: &str) -> bool {
    query.contains("nginx") || headers.get_all("x-keystead-require").iter().any(|v| v.as_bytes().windows(5).any(|w| w == b"nginx"))
}

fn misread(what: &str) -> ApiError {
    Problem::new(ErrorCode::BadRequest).message(format!("The gateway's requirement cannot be read: {what}")).into()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, query: &str) -> Result<Demand, ErrorCode> {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert("x-keystead-require", header.parse().expect("a header"));
        }
        Demand::read(&headers, query).map_err(|e| e.0.code)
    }

    #[test]
    fn a_demand_is_read_from_the_header_and_the_query() {
        let scopes = vec![Scope::parse("users:read").expect("valid"), Scope::parse("write").expect("valid")];
        let need = Requirement { scopes, environment: Some(Environment::Test), audience: None };
        assert_eq!(read("scopes=users:read write; environment=test; nginx", ""), Ok(Demand { need: need.clone() }));
        assert_eq!(read("", "scopes=users%3Aread,write&environment=test&nginx=1"), Ok(Demand { need }));
        assert_eq!(read("", ""), Ok(Demand::default()));
    }

    #[test]
    fn s36_what_a_client_adds_to_the_demand_cannot_choose_another_environment() {
        for (header, query) in [
            ("environment=live", "environment=test"),
            ("scopes=read", "environment=test"),
            ("scopes=read", "audience=x"),
            ("environment=live; environment=test", ""),
            ("audience=a; audience=b", ""),
        ] {
            assert_eq!(read(header, query), Err(ErrorCode::BadRequest), "{header} and {query}");
        }
        let mut headers = HeaderMap::new();
        headers.append("x-keystead-require", "environment=live".parse().expect("a header"));
        headers.append("x-keystead-require", "environment=test".parse().expect("a header"));
        assert!(Demand::read(&headers, "").is_err(), "two headers");
        let more = read("scopes=read; environment=live", "scopes=write&environment=live&nginx=1").expect("a demand");
        assert_eq!(more.need.scopes.len(), 2, "more may be demanded");
    }

    #[test]
    fn a_misspelled_demand_refuses_instead_of_demanding_nothing() {
        for header in ["scope=read", "scopes=Read", "environment=prod", "scopes=read; enviroment=live"] {
            assert_eq!(read(header, ""), Err(ErrorCode::BadRequest), "{header}");
        }
    }
}
