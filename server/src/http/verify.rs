//! `POST /v1/verify` and `/v1/verify/batch`: one question, one answer.

use super::{AppState, authn, error::ApiError};
use axum::{
    Json,
    extract::{FromRequest, Request, State, rejection::JsonRejection},
};
use contract::{ErrorCode, FieldErrors, Problem, VerifyRequest, VerifyResponse};
use domain::verify;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Most questions of one batch.
const BATCH: usize = 100;

/// Decides about one credential.
pub async fn one(State(state): State<AppState>, req: Request) -> Result<Json<VerifyResponse>, ApiError> {
    let (ctx, body) = read::<VerifyRequest>(&state, req).await?;
    verify::verify(&ctx, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// The questions of a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<VerifyRequest>,
}

/// Their answers, in the same order.
#[derive(Serialize)]
pub struct Answers {
    results: Vec<VerifyResponse>,
}

/// Decides about up to 100 credentials.
pub async fn batch(State(state): State<AppState>, req: Request) -> Result<Json<Answers>, ApiError> {
    let (ctx, body) = read::<Batch>(&state, req).await?;
    if body.requests.len() > BATCH {
        let too_many = FieldErrors::one("requests", "too_long", format!("At most {BATCH} requests."));
        return Err(Problem::invalid(too_many).into());
    }
    let mut results = Vec::with_capacity(body.requests.len());
    for request in &body.requests {
        results.push(verify::verify(&ctx, request).await.map_err(|e| ctx.problem(e))?);
    }
    Ok(Json(Answers { results }))
}

/// Authenticates first, so that strangers learn nothing from how their body is judged.
async fn read<T: DeserializeOwned>(state: &AppState, req: Request) -> Result<(domain::Ctx, T), ApiError> {
    let (parts, body) = req.into_parts();
    let ctx = authn::caller(state, &parts, false).await?;
    ctx.require(contract::Perm::KeysVerify).map_err(|e| ctx.problem(e))?;
    let json = Json::<T>::from_request(Request::from_parts(parts, body), state).await.map_err(|e| bad_body(&e))?;
    Ok((ctx, json.0))
}

fn bad_body(e: &JsonRejection) -> ApiError {
    match e {
        JsonRejection::JsonDataError(e) => Problem::new(ErrorCode::ValidationFailed).message(e.body_text()).into(),
        JsonRejection::JsonSyntaxError(_) => Problem::new(ErrorCode::BadRequest).message("The body is not valid JSON").into(),
        JsonRejection::MissingJsonContentType(_) => ErrorCode::UnsupportedMediaType.into(),
        JsonRejection::BytesRejection(e) if e.status().as_u16() == 413 => ErrorCode::PayloadTooLarge.into(),
        _ => ErrorCode::BadRequest.into(),
    }
}
