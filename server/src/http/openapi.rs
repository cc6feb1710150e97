//! `/openapi.json`: the document of the API, made from the routes and their types. What all routes have in common (who
//! may call, how errors look, which ones there are) is said here once and written beside each route.

use super::AppState;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{
    AllowedIp, Bucket, Change, Code, CredentialKind, Cursor, Environment, ErrorCode, FieldError, KeyCursor, KeyId, KeySort, KeyState,
    Outcome, Perm, Scope, UnixMs, UsageId, UsageSource,
};
use serde_json::json;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};
use utoipa::{
    ToSchema,
    openapi::{
        Components, Content, ContentBuilder, HeaderBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
        ResponseBuilder, Schema,
        path::{Operation, ParameterIn},
        response::Response as Described,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
        tag::TagBuilder,
    },
};
use utoipa_axum::router::UtoipaMethodRouter;

/// The permission that a route asks for.
pub const PERMISSION: &str = "x-keystead-permission";
/// Other addresses of the same route.
pub const ALSO_AT: &str = "x-keystead-also-at";

/// The body of every error: RFC 9457, with `error` for programs. Installations set to `flat` errors answer
/// `{error, message, request_id}` as `application/json`.
#[derive(ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// An address that names the error.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened, in a sentence.
    pub detail: String,
    /// Always false.
    pub success: bool,
    /// The same for programs.
    pub error: ProblemError,
    /// The request it answers, as in `X-Request-ID`.
    pub request_id: String,
}

/// The same in the form of guide 002, where a tenant or the installation chose that.
#[derive(ToSchema)]
#[schema(as = FlatProblem)]
pub struct FlatBody {
    /// The kind of the error.
    pub error: String,
    /// What happened, in a sentence or two.
    pub message: String,
    /// The request it answers, as in `X-Request-ID`.
    pub request_id: String,
}

/// An error at the endpoints of OAuth (RFC 6749, section 5.2).
#[derive(ToSchema)]
#[schema(as = OauthProblem)]
pub struct OauthBody {
    /// The kind of the error.
    pub error: String,
    /// What happened, in a sentence or two, for the developer of the client.
    pub error_description: String,
}

/// What programs look at.
#[derive(ToSchema)]
pub struct ProblemError {
    /// Which error.
    pub code: ErrorCode,
    /// What happened, in a sentence.
    pub message: String,
    /// The permission that is missing.
    #[schema(required = false, nullable = false)]
    pub required_scope: Option<Scope>,
    /// Seconds to wait.
    #[schema(required = false, nullable = false)]
    pub retry_after: Option<u32>,
    /// What is wrong with which member.
    #[schema(required = false, nullable = false)]
    pub fields: Option<Vec<FieldError>>,
}

/// The noun of the endpoints that answer errors in the form of RFC 6749.
const OAUTH: &str = "OAuth";

/// The nouns, in the order of the page.
const TAGS: [(&str, &str); 14] = [
    ("Decisions", "May this credential do this, from here, now? Asked by APIs and gateways."),
    ("OAuth apps", "Clients of the authorization server, and what people allowed them."),
    (OAUTH, "The authorization server: tokens for apps (RFC 6749), and who a person is (OpenID Connect)."),
    ("Sign-in", "People over the API: an access token for an hour, and a refresh token for the next."),
    ("API keys", "Made, changed, rotated, revoked. A secret is shown in the answer that made it, and never again."),
    ("Leaks", "Keys that were found where they do not belong."),
    ("Permissions", "The tenant's catalogue: what keys may hold."),
    ("Address allowlist", "From where the tenant's live keys may be used."),
    ("Settings", "What the tenant demands of its keys, and how long it keeps its log."),
    ("Members", "The tenant's people, and those who were asked to join."),
    ("Tenants", "Made, suspended and deleted by those who operate the installation."),
    ("Usage log", "One event for each decided request."),
    ("Audit log", "One event for each change, in a chain of hashes."),
    ("Health", "For load balancers and people who wonder."),
];
const WELL_KNOWN: (&str, &str) =
    ("Well-known files", "What clients of the authorization server, scanners, researchers and password managers look for.");

const ABOUT: &str = "Keystead decides about API credentials and manages them.\n\n\
    A credential comes as `Authorization: Bearer …` or as `X-API-Key: …`, never in a query string. Every response carries \
    `X-Request-ID`, and `X-API-Version: 1`; answers of limited routes carry `X-RateLimit-Limit`, `X-RateLimit-Remaining`, \
    `X-RateLimit-Reset`, `RateLimit` and `RateLimit-Policy`. Lists take `limit` and `cursor` and answer `next_cursor`. \
    Unknown members of a body are refused. Objects of another tenant are not found.";

/// The document, made once.
pub static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(document);

/// The same as a value, whose members have one order.
pub static VALUE: LazyLock<serde_json::Value> = LazyLock::new(|| serde_json::to_value(&*DOCUMENT).unwrap_or_default());

static SERVED: LazyLock<(String, String)> = LazyLock::new(|| {
    let text = VALUE.to_string();
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    (text, format!("\"{:016x}\"", hash.finish()))
});

/// The document for people and for version control.
pub fn printed() -> String {
    serde_json::to_string_pretty(&*VALUE).unwrap_or_default()
}

/// `GET /openapi.json`
pub async fn serve(State(_): State<AppState>, headers: HeaderMap) -> Response {
    let (text, etag) = &*SERVED;
    let known = |v: &str| v.split(',').any(|t| matches!(t.trim().trim_start_matches("W/"), t if t == "*" || t == etag));
    let common = [(header::ETAG, etag.as_str()), (header::CACHE_CONTROL, "public, max-age=300")];
    if headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(known) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    // Open to everybody: generators in a browser read it from elsewhere.
    (common, [(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], text.as_str()).into_response()
}

/// Notes another address of a route.
pub fn also_at(route: &mut UtoipaMethodRouter<AppState>, path: &str) {
    for operation in route.1.paths.values_mut().flat_map(operations_mut) {
        operation.extensions.get_or_insert_default().insert(ALSO_AT.to_owned(), json!([path]));
    }
}

/// The operations of a path, each with its method.
pub fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("HEAD", &item.head),
        ("OPTIONS", &item.options),
        ("TRACE", &item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|o| (method, o)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().filter_map(Option::as_mut)
}

/// What an operation says in an extension.
pub fn extension<'a>(operation: &'a Operation, name: &str) -> Option<&'a serde_json::Value> {
    operation.extensions.as_ref()?.get(name)
}

fn document() -> OpenApi {
    let tags = TAGS.iter().chain([&WELL_KNOWN]).map(|(name, about)| TagBuilder::new().name(*name).description(Some(*about)).build());
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    let info =
        InfoBuilder::new().title("Keystead").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT)).license(Some(license)).build();
    let mut document = OpenApiBuilder::new().info(info).tags(Some(tags)).components(Some(Components::new())).build();
    document.merge(super::open().into_openapi());
    document.merge(super::api::described());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()));
    for (name, header) in [("api_key", "X-API-Key"), ("gateway", "X-Keystead-Gateway")] {
        components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header))));
    }
    let mut schemas = Vec::new();
    named::<ProblemBody>(&mut schemas);
    named::<FlatBody>(&mut schemas);
    named::<OauthBody>(&mut schemas);
    // What only parameters name is not collected with the routes.
    named::<AllowedIp>(&mut schemas);
    named::<Bucket>(&mut schemas);
    named::<Change>(&mut schemas);
    named::<Code>(&mut schemas);
    named::<CredentialKind>(&mut schemas);
    named::<Cursor>(&mut schemas);
    named::<Environment>(&mut schemas);
    named::<KeyCursor>(&mut schemas);
    named::<KeyId>(&mut schemas);
    named::<KeySort>(&mut schemas);
    named::<KeyState>(&mut schemas);
    named::<Outcome>(&mut schemas);
    named::<Scope>(&mut schemas);
    named::<UnixMs>(&mut schemas);
    named::<UsageId>(&mut schemas);
    named::<UsageSource>(&mut schemas);
    components.schemas.extend(schemas);
    components.responses.extend(ERRORS.iter().map(|(status, about)| (error_name(*status), RefOr::T(error(*status, about)))));
    for item in document.paths.paths.values_mut() {
        for operation in operations_mut(item) {
            complete(operation);
        }
    }
    document
}

fn named<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// Every status of an error that a route may answer, with what it means.
const ERRORS: [(u16, &str); 13] = [
    (400, "The request cannot be read, or carries two different credentials."),
    (401, "No credential, or one that does not work."),
    (403, "The credential may not do this; `error.required_scope` names what is missing."),
    (404, "There is no such object here."),
    (405, "The address exists, the method does not."),
    (406, "No form that the client accepts."),
    (408, "The request took too long."),
    (409, "The object is in a state that forbids this."),
    (413, "The body is too large."),
    (415, "The body is no JSON."),
    (422, "Some members are not valid; `error.fields` names them."),
    (429, "Too many requests; `Retry-After` says when to come again."),
    (503, "For a while; try again."),
];

fn error_name(status: u16) -> String {
    format!("Error{status}")
}

/// The schema of a body.
fn body(schema: &str) -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build()
}

fn error(status: u16, about: &str) -> Described {
    let header = |name: &str, about: &str| {
        let schema = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
        (name.to_owned(), HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build())
    };
    let response = ResponseBuilder::new().description(about).content("application/problem+json", body("Problem"));
    let response = response.content("application/json", body("FlatProblem"));
    let (name, header) = match status {
        401 => header("WWW-Authenticate", "How to authenticate."),
        429 => header("Retry-After", "Seconds to wait."),
        _ => header("X-Request-ID", "The id to ask about."),
    };
    response.header(name, header).build()
}

/// Adds what a route has in common with the others of its kind: credentials, permission, errors.
fn complete(operation: &mut Operation) {
    let permission = extension(operation, PERMISSION).and_then(|p| p.as_str()).and_then(|p| p.parse::<Perm>().ok());
    if let Some(permission) = permission {
        let about = operation.description.take().map(|d| format!("{d}\n\n")).unwrap_or_default();
        operation.description = Some(format!("{about}Requires `{permission}`."));
    }
    let mut statuses = vec![408, 503];
    let gateway = operation.tags.iter().flatten().any(|t| t == "Decisions") && operation.request_body.is_none() && permission.is_none();
    if operation.security.is_none() {
        operation.security = Some(["bearer", "api_key"].map(|name| SecurityRequirement::new(name, Vec::<String>::new())).into());
        statuses.extend([400, 401, 403, 429]);
    } else if gateway || operation.operation_id.as_deref() == Some("health") {
        statuses.extend([400, 401, 403, 429]);
    }
    if operation.operation_id.as_deref() == Some("reportLeak") {
        statuses.extend([403, 429]);
    }
    if operation.request_body.is_some() {
        statuses.extend([400, 413, 415, 422]);
    }
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has = |place: ParameterIn| parameters.iter().any(|p| matches!(p, RefOr::T(p) if p.parameter_in == place));
    if has(ParameterIn::Path) {
        statuses.extend([400, 404]);
    }
    if permission.is_some() && (has(ParameterIn::Query) || has(ParameterIn::Header)) {
        statuses.push(422);
    }
    let responses = &mut operation.responses.responses;
    if operation.tags.iter().flatten().any(|t| t == OAUTH) {
        for status in statuses {
            let about = ERRORS.iter().find(|(s, _)| *s == status).map_or("", |(_, about)| about);
            let response = ResponseBuilder::new().description(about).build();
            responses.entry(status.to_string()).or_insert_with(|| response.into());
        }
        for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
            if let RefOr::T(own) = response {
                own.content = [("application/json".to_owned(), body("OauthProblem").into())].into_iter().collect();
            }
        }
        return;
    }
    for status in statuses {
        responses.entry(status.to_string()).or_insert_with(|| Ref::new(format!("#/components/responses/{}", error_name(status))).into());
    }
    // What a route says of an error of its own is completed by the body that they all have.
    for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
        if let RefOr::T(own) = response
            && own.content.is_empty()
            && let Ok(status) = status.parse()
        {
            own.content = error(status, "").content;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_operation_has_an_id_of_its_own_a_noun_and_words() {
        let mut seen = HashSet::new();
        for (path, item) in &DOCUMENT.paths.paths {
            for (method, operation) in operations(item) {
                let id = operation.operation_id.clone().expect("an id");
                assert!(seen.insert(id), "{method} {path}");
                let tags = operation.tags.clone().unwrap_or_default();
                assert!(tags.len() == 1 && TAGS.iter().chain([&WELL_KNOWN]).any(|(t, _)| *t == tags[0]), "{method} {path}: {tags:?}");
                assert!(operation.summary.as_ref().is_some_and(|s| !s.is_empty()), "{method} {path}");
                if let Some(permission) = extension(operation, PERMISSION) {
                    assert!(permission.as_str().is_some_and(|p| p.parse::<Perm>().is_ok()), "{method} {path}");
                }
            }
        }
        assert!(seen.len() > 35, "{}", seen.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let whole = &*VALUE;
        let text = whole.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|r| r.split('"').next()) {
            assert!(whole.pointer(reference).is_some(), "{reference}");
        }
        assert_eq!(whole["openapi"], "3.1.0");
    }
}
