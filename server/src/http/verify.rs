//! `POST /v1/verify` and `/v1/verify/batch`: one question, one answer.

use super::{
    api::{Body, Caller},
    error::ApiError,
};
use axum::Json;
use contract::{FieldErrors, Perm, Problem, VerifyRequest, VerifyResponse};
use domain::verify;
use serde::{Deserialize, Serialize};

/// Most questions of one batch.
const BATCH: usize = 100;

/// Decides about one credential.
pub async fn one(Caller(ctx): Caller, body: Body) -> Result<Json<VerifyResponse>, ApiError> {
    // Strangers learn nothing from how their body is judged.
    ctx.require(Perm::KeysVerify).map_err(|e| ctx.problem(e))?;
    let body = body.read::<VerifyRequest>()?;
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
pub async fn batch(Caller(ctx): Caller, body: Body) -> Result<Json<Answers>, ApiError> {
    ctx.require(Perm::KeysVerify).map_err(|e| ctx.problem(e))?;
    let body = body.read::<Batch>()?;
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
