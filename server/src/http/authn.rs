//! Who calls the API: a key or a token in `Authorization: Bearer` or `X-API-Key`. Cookies are not read here.

use super::{
    AppState,
    error::{ApiError, Whose},
    rate_limit,
};
use axum::{
    http::{HeaderMap, Method, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use contract::{Code, CredentialKind, ErrorCode, KeyKind, Problem, Requirement, UsageSource};
use domain::{
    Ctx, RequestInfo, Who, tenants,
    verify::{
        self, Decision, Logged, Sent,
        limit::{FAILED, Subject},
    },
};
use serde_json::json;
use std::time::Instant;

/// The credential of a request. A query string is never read (s38).
pub fn sent(headers: &HeaderMap) -> Sent {
    let mut found = Sent::Nothing;
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|v| {
        let text = v.to_str().unwrap_or_default();
        match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim().to_owned()),
            _ => None,
        }
    });
    let api_key = headers.get_all("x-api-key").iter().map(|v| Some(v.to_str().unwrap_or_default().trim().to_owned()));
    for one in bearer.chain(api_key).flatten() {
        let one = Sent::One(one);
        if found != Sent::Nothing && found != one {
            return Sent::Several;
        }
        found = one;
    }
    found
}

/// What a request says about itself, for the usage log.
pub fn logged(method: &Method, uri: &Uri, info: &RequestInfo) -> Logged {
    Logged { method: Some(method.to_string()), path: Some(uri.path().to_owned()), user_agent: info.user_agent.clone() }
}

/// The tenant that the client asks to act in. Whoever is behind may read any of several headers: one that is not plainly
/// the same as the others wins, and is nobody's.
pub fn tenant(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all("x-tenant-id").iter().map(|v| v.to_str().unwrap_or("?"));
    let first = all.next()?;
    all.find(|t| *t != first).map_or(Some(first), |_| Some("?"))
}

/// Who calls, as far as the credential tells: a refused one is logged and answered, none at all is `Anonymous`. The
/// decision is given back for whoever charges and logs what was let in.
pub async fn caller(state: &AppState, parts: &Parts) -> Result<(Ctx, Option<Decision>), Response> {
    let started = Instant::now();
    let info = parts.extensions.get::<RequestInfo>().cloned().unwrap_or_default();
    let anonymous = Ctx::new(state.core.clone(), Who::Anonymous, info.clone());
    let need = Requirement::default();
    let decision = match sent(&parts.headers) {
        Sent::Nothing => return Ok((anonymous, None)),
        Sent::Several => Ok(Decision::refused(Code::ConflictingCredentials)),
        Sent::One(credential) => verify::check(&state.core, &credential, info.ip, &need, None, true),
    };
    let mut decision = decision.map_err(|e| ApiError(anonymous.problem(e)).into_response())?;
    if let Decision { code: Code::Valid, entry: Some(entry), .. } = &decision {
        return Ok((Ctx::new(state.core.clone(), Who::Key(entry.clone()), info), Some(decision)));
    }
    if let Decision { code: Code::Valid, token: Some(token), .. } = &decision {
        match verify::bearer(&state.core, token).await {
            Ok(Some(who)) => {
                let ctx = Ctx::new(state.core.clone(), who, info).with_token(token.clone());
                return Ok((ctx, Some(decision)));
            }
            Ok(None) => decision.code = Code::Revoked,
            Err(e) => return Err(ApiError(anonymous.problem(e)).into_response()),
        }
    }
    // What nobody owns is counted by its sender, and beyond the limit it is not even logged.
    if decision.tenant_id().is_none() {
        let charge = state.core.limits.charge(Subject::failed(rate_limit::sender(&info)), FAILED, 1, state.core.now());
        if !charge.admitted() {
            return Err(rate_limit::too_many(&charge, state.core.now()));
        }
    }
    let logged = logged(&parts.method, &parts.uri, &info);
    verify::record(&anonymous, None, info.ip, &need, &decision, UsageSource::Api, logged, started.elapsed()).await;
    let mut response = ApiError(denial(&decision)).into_response();
    if let Some(whose) = whose(&decision) {
        response.extensions_mut().insert(whose);
    }
    Err(response)
}

/// Whose credential it is, unless the answer must not tell it from one that nobody has (s37).
pub fn whose(decision: &Decision) -> Option<Whose> {
    let alike = decision.code != Code::Valid && matches!(denial(decision).code, ErrorCode::InvalidApiKey | ErrorCode::InvalidToken);
    let app = decision.token.as_ref().and_then(|t| t.bearer.app());
    decision.tenant_id().filter(|_| !alike).map(|tenant| Whose { tenant, app })
}

/// What the client of a denied request is told: nothing about why a key does not work (s37), and of a token only that it
/// was good for as long as it lasted.
pub fn denial(decision: &Decision) -> Problem {
    if matches!(decision.kind, CredentialKind::AccessToken | CredentialKind::ClientJwt)
        && decision.code.public() == Some(ErrorCode::InvalidApiKey)
    {
        return match &decision.token {
            Some(token) if decision.code == Code::Expired => {
                Problem::new(ErrorCode::TokenExpired).with("expires_at", json!(token.expires_at))
            }
            _ => Problem::new(ErrorCode::InvalidToken),
        };
    }
    match (decision.code.public(), &decision.missing) {
        (Some(ErrorCode::InsufficientPermissions), Some(scope)) => Problem::missing_scope(scope),
        (Some(ErrorCode::InsufficientPermissions), None) if decision.entry.as_ref().is_some_and(|e| e.kind == KeyKind::Gateway) => {
            Problem::new(ErrorCode::Forbidden)
                .message("The key of a gateway asks for decisions and opens nothing: send a key of another kind")
        }
        // No scope is missing: it asked to act in a tenant that is not its own.
        (Some(ErrorCode::InsufficientPermissions), None) => Problem::new(ErrorCode::Forbidden).message(tenants::ELSEWHERE),
        (Some(code @ ErrorCode::RateLimitExceeded), _) => {
            Problem::new(code).with("retry_after", decision.charge.and_then(|c| c.retry_after).unwrap_or(1))
        }
        (Some(code), _) => Problem::new(code),
        (None, _) => Problem::new(ErrorCode::Internal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &str)]) -> Sent {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        sent(&map)
    }

    #[test]
    fn s38_two_different_credentials_are_refused() {
        assert_eq!(of(&[]), Sent::Nothing);
        assert_eq!(of(&[("authorization", "Bearer a")]), Sent::One("a".into()));
        assert_eq!(of(&[("authorization", "bearer a"), ("x-api-key", "a")]), Sent::One("a".into()));
        assert_eq!(of(&[("authorization", "Bearer a"), ("x-api-key", "b")]), Sent::Several);
        assert_eq!(of(&[("x-api-key", "a"), ("x-api-key", "b")]), Sent::Several);
        assert_eq!(of(&[("authorization", "Basic a")]), Sent::Nothing);
    }
}
