//! `POST /v1/verify` and `/v1/verify/batch`: one question, one answer.

use super::{
    api::{Body, Caller},
    error::ApiError,
};
use axum::Json;
use contract::{FieldErrors, Perm, Problem, VerifyRequest, VerifyResponse};
use domain::verify;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most questions of one batch.
const BATCH: usize = 100;

/// Decides about one credential.
///
/// The first check that fails is the code. The limit of the decided credential is charged by a decision that passed everything else; `cost: 0` charges nothing.
#[utoipa::path(
    post,
    path = "/v1/verify",
    tag = "Decisions",
    operation_id = "verify",
    request_body(content = VerifyRequest, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:verify"))),
    responses(
        (status = 200, description = "The decision, also where it is a refusal.", body = VerifyResponse),
    )
)]
pub async fn one(Caller(ctx): Caller, body: Body) -> Result<Json<VerifyResponse>, ApiError> {
    // Strangers learn nothing from how their body is judged.
    ctx.require(Perm::KeysVerify).map_err(|e| ctx.problem(e))?;
    let body = body.read::<VerifyRequest>()?;
    verify::verify(&ctx, &body).await.map(Json).map_err(|e| ctx.problem(e).into())
}

/// The questions of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[schema(max_items = 100)]
    requests: Vec<VerifyRequest>,
}

/// Their answers, in the same order.
#[derive(Serialize, ToSchema)]
pub struct Answers {
    results: Vec<VerifyResponse>,
}

/// Decides about up to 100 credentials.
#[utoipa::path(
    post,
    path = "/v1/verify/batch",
    tag = "Decisions",
    operation_id = "verifyBatch",
    request_body(content = Batch, content_type = "application/json"),
    extensions(("x-keystead-permission" = json!("keystead.keys:verify"))),
    responses(
        (status = 200, description = "The decisions, in the order of the requests.", body = Answers),
    )
)]
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
