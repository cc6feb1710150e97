//! The authorization endpoint, as far as it is no page: it checks what an app asks for, and leads the person on.

use super::super::{AppState, console::encode, error::ApiError};
use app::ssr::Browser;
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use contract::{ConsentForm, ConsentId, ErrorCode, Problem, RedirectUri};
use domain::{
    Core, Ctx,
    oauth::{self, Asked, Next, Refused},
};

/// Where it is.
const PATH: &str = "/oauth/authorize";

/// The parameters of a query.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Leads a browser away with a GET, whatever it came with (s55), and says nothing of where it was.
pub fn see_other(to: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(to) else { return ApiError::from(ErrorCode::BadRequest).into_response() };
    let headers = [
        (header::LOCATION, location),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // Whoever opened the page may be waiting for its end.
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("unsafe-none")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// `GET /oauth/authorize`
pub async fn authorize(
    State(state): State<AppState>,
    Extension(ctx): Extension<Ctx>,
    Extension(browser): Extension<Browser>,
    uri: Uri,
) -> Response {
    let trial = match browser.trial(&ctx).await {
        Ok(trial) => trial,
        Err(problem) => return ApiError(problem).into_response(),
    };
    let params = pairs(uri.query().unwrap_or_default());
    let (client, asked) = match oauth::check_in(&state.core, &params, trial.as_ref()) {
        Ok(good) => good,
        Err(Refused::Page(why)) => return ApiError(Problem::new(ErrorCode::BadRequest).message(why)).into_response(),
        Err(Refused::Redirect(to)) => return see_other(&to),
    };
    match oauth::begin(&ctx, &client, &asked).await {
        Ok(Next::Answer(to)) => see_other(&to),
        Ok(Next::Ask(id)) => see_other(&format!("/oauth/consent/{id}")),
        Ok(Next::SignIn) => see_other(&format!("/login?next={}", encode(&proved(params)))),
        Ok(Next::Confirm) => see_other(&format!("/oauth/confirm?next={}", encode(&proved(params)))),
        Err(e) => ApiError(ctx.problem(e)).into_response(),
    }
}

/// The same request as it goes on behind a proof of who is there: it asks for no other, or there would be no end to it.
/// An app that wants to be sure looks at `auth_time`; whoever sits at the browser could leave the word out, too.
fn proved(params: Vec<(String, String)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in params {
        if name == "prompt" {
            let words: Vec<&str> = value.split(' ').filter(|word| *word != "login").collect();
            query.extend_pairs(Some(words.join(" ")).filter(|w| !w.is_empty()).map(|w| (name, w)));
        } else {
            query.append_pair(&name, &value);
        }
    }
    format!("{PATH}?{}", query.finish())
}

/// `POST /oauth/authorize` carries parameters, and changes nothing: it is answered by the same as a GET.
pub async fn post(body: Bytes) -> Response {
    if body.len() > 8_192 {
        return ApiError::from(ErrorCode::PayloadTooLarge).into_response();
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(form_urlencoded::parse(&body)).finish();
    Redirect::to(&format!("{PATH}?{query}")).into_response()
}

/// `POST /oauth/consent/{id}`: what the person said.
pub async fn decide(Extension(ctx): Extension<Ctx>, Path(id): Path<String>, Form(form): Form<ConsentForm>) -> Response {
    let Ok(id) = id.parse::<ConsentId>() else { return ApiError::from(ErrorCode::NotFound).into_response() };
    let allow = match form.decision.as_str() {
        "allow" => match form.tenant_id.parse() {
            Ok(tenant) => Some(tenant),
            Err(_) => {
                return ApiError(Problem::new(ErrorCode::BadRequest).message("Choose the tenant in which the app may act."))
                    .into_response();
            }
        },
        _ => None,
    };
    match oauth::decide(&ctx, id, allow).await {
        Ok(to) => see_other(&to),
        Err(e) => ApiError(ctx.problem(e)).into_response(),
    }
}

/// The origin that the forms of a page may lead to, for pages on the way of an authorization: Chromium holds
/// `form-action` against the redirect that follows a form, too.
pub fn flow_origin(core: &Core, next: &str) -> Option<String> {
    let asked = request(core, next)?;
    RedirectUri::parse(&asked.redirect_uri).ok().map(|uri| uri.origin())
}

/// The good authorization request at an address that a page on its way carries.
pub fn request(core: &Core, next: &str) -> Option<Asked> {
    let query = next.strip_prefix(PATH)?.strip_prefix('?')?;
    oauth::check(core, &pairs(query)).ok().map(|(_, asked)| asked)
}

/// The same for the page of consent.
pub async fn consent_origin(ctx: &Ctx, id: ConsentId) -> Option<String> {
    oauth::consent(ctx, id).await.ok().map(|consent| consent.origin)
}
