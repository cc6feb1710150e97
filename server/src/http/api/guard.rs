//! In front of every API route: who calls, how often, and one line in the usage log about it.

use super::{
    super::{AppState, authn, error::ApiError, rate_limit},
    idempotency,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::{Code, ErrorCode, Problem, Requirement, Scope, UsageSource};
use domain::{
    Ctx, RequestInfo, Who, tenants,
    verify::{
        self, Decision,
        limit::{ANONYMOUS, Charge, FAILED, Subject},
    },
};
use std::time::Instant;

/// Authenticates, charges, lets the request through with its [`Ctx`], and logs what came of it.
pub async fn guard(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let started = Instant::now();
    let (mut parts, body) = req.into_parts();
    let (ctx, mut decision) = match authn::caller(&state, &parts).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let whose = decision.as_ref().and_then(authn::whose);
    let charge = match &mut decision {
        Some(decision) => {
            verify::charge(&state.core, decision, 1);
            decision.charge
        }
        None => Some(anonymous(&ctx)),
    };
    let refused = charge.filter(|c| !c.admitted());
    let logged = authn::logged(&parts.method, &parts.uri, ctx.request());
    let asks = parts.uri.path().starts_with("/v1/verify");
    let took = started.elapsed();
    let mut response = match (&decision, refused) {
        (_, None) => match acting(&ctx, &parts.headers).await {
            Ok(ctx) => {
                parts.extensions.insert(ctx.clone());
                idempotency::run(&ctx, parts, body, next).await
            }
            Err(refused) => refused.into_response(),
        },
        (Some(decision), Some(_)) => ApiError(authn::denial(decision)).into_response(),
        (None, Some(c)) => rate_limit::too_many(&c, state.core.now()),
    };
    if let Some(charge) = charge {
        rate_limit::write(response.headers_mut(), &charge, state.core.now());
    }
    if let Some(whose) = whose {
        response.extensions_mut().insert(whose);
    }
    // A decision about somebody else's request is logged as that request, not as the question.
    if let Some(mut decision) = decision {
        let need = outcome(&response, &mut decision);
        if !asks || decision.code != Code::Valid {
            verify::record(&ctx, None, ctx.request().ip, &need, &decision, UsageSource::Api, logged, took).await;
        }
    }
    response
}

/// In front of what is open to everybody: a credential is not looked at, good or bad, and the address is charged.
pub async fn open(State(state): State<AppState>, mut req: Request, next: Next) -> Response {
    let info = req.extensions().get::<RequestInfo>().cloned().unwrap_or_default();
    let ctx = Ctx::new(state.core.clone(), Who::Anonymous, info);
    let charge = anonymous(&ctx);
    let mut response = if charge.admitted() {
        req.extensions_mut().insert(ctx);
        next.run(req).await
    } else {
        rate_limit::too_many(&charge, state.core.now())
    };
    rate_limit::write(response.headers_mut(), &charge, state.core.now());
    response
}

/// The caller in the tenant that the request names, if it does (contract, section 5).
async fn acting(ctx: &Ctx, headers: &HeaderMap) -> Result<Ctx, ApiError> {
    match authn::tenant(headers) {
        Some(wanted) if ctx.tenant_id().is_some() => tenants::act_in(ctx, wanted).await.map_err(|e| ApiError(ctx.problem(e))),
        _ => Ok(ctx.clone()),
    }
}

/// In front of signing in, which has a throttle of its own: a credential in a header is not looked at. What failed is
/// counted by its sender as unknown credentials are, and beyond the limit is told only that.
pub async fn sign_in(State(state): State<AppState>, mut req: Request, next: Next) -> Response {
    let info = req.extensions().get::<RequestInfo>().cloned().unwrap_or_default();
    let sender = Subject::failed(rate_limit::sender(&info));
    req.extensions_mut().insert(Ctx::new(state.core.clone(), Who::Anonymous, info));
    let response = next.run(req).await;
    if response.status() != StatusCode::UNAUTHORIZED {
        return response;
    }
    let charge = state.core.limits.charge(sender, FAILED, 1, state.core.now());
    if charge.admitted() { response } else { rate_limit::too_many(&charge, state.core.now()) }
}

/// Strangers share a count by address; one whose address is unknown is not told apart from the others.
fn anonymous(ctx: &Ctx) -> Charge {
    let core = ctx.core();
    core.limits.charge(Subject::address(rate_limit::sender(ctx.request())), ANONYMOUS, 1, core.now())
}

/// What the handler refused belongs into the log as refused, with the scope that was missing.
fn outcome(response: &Response, decision: &mut Decision) -> Requirement {
    let mut need = Requirement::default();
    if let Some(problem) = response.extensions().get::<Problem>() {
        match problem.code {
            ErrorCode::InsufficientPermissions | ErrorCode::Forbidden => {
                decision.code = Code::InsufficientScope;
                let scope = problem.extra.get("required_scope").and_then(|s| s.as_str());
                need.scopes.extend(scope.and_then(|s| Scope::parse(s).ok()));
            }
            ErrorCode::EnvironmentMismatch => decision.code = Code::EnvironmentMismatch,
            _ => {}
        }
    }
    need
}
