//! What becomes of each fenced block of the five guides. To switch a block on, give it another fate: nothing else.

use Fate::{Answer, Headers, NoRequest, Run, Step};
use To::{Api, Keystead};

/// Where a request goes: to the API behind the documented nginx, or to Keystead itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Api,
    Keystead,
}

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A request, run as printed: with a good credential it gets this status, with a wrong one the guide's 401.
    Run(To, u16),
    /// Headers that go with requests: sent with a GET of this path of the API.
    Headers(&'static str),
    /// A step of OAuth, of a JWT or of a webhook: run as printed, with what the steps before it got (`guides_oauth.rs`).
    Step,
    /// A documented answer: compared with a real one.
    Answer,
    /// Nothing that a server could answer: why.
    NoRequest(&'static str),
}

/// How many blocks are no request: the number only shrinks.
pub const NO_REQUESTS: usize = 13;

const SDK: &str = "an SDK of the guide's makers";
const PICTURE: &str = "a diagram";
const STORAGE: &str = "how a client stores its key";

/// Each block: `guide.number`, and `.part` where a block holds several requests; a piece of its text; its fate.
pub const PLAN: &[(&str, &str, Fate)] = &[
    ("000.1", "X-API-Key: your-api-key-here", Headers("/contacts/")),
    ("000.2", "Bearer your-jwt-token-here", Headers("/contacts/")),
    ("000.3", "contacts/", Run(Api, 200)),
    ("000.4", "eyJhbGci", Run(Api, 200)),
    ("000.5", "Invalid or missing", Answer),
    ("000.6", "You do not have permission", Answer),
    ("001.1", "/v2/resource", Run(Api, 200)),
    ("001.2", "sequenceDiagram", NoRequest(PICTURE)),
    ("001.3", "POST /oauth/applications", Run(Keystead, 201)),
    ("001.4", "/oauth/authorize", Step),
    ("001.5", "authorization_code", Step),
    ("001.6", "${access_token}", Step),
    ("001.7", "grant_type: 'refresh_token'", Step),
    ("001.8", "header.payload.signature", NoRequest("the form of a JWT")),
    ("001.9", "\"sub\": \"user_123\"", Step),
    ("001.10", "jwt.sign", Step),
    ("001.11", "jwt.verify", Step),
    ("001.12", "x-webhook-signature", Step),
    ("001.13", "X-Client-Version: 1.0.0", Headers("/v2/resource")),
    ("001.14", "POST /api-keys", Run(Keystead, 201)),
    ("001.15", "\"UNAUTHORIZED\"", Answer),
    ("001.16", "\"FORBIDDEN\"", Answer),
    ("001.17.1", "YOUR_API_KEY", Run(Keystead, 200)),
    ("001.17.2", "YOUR_ACCESS_TOKEN", Step),
    ("001.18", "APIClient", NoRequest(SDK)),
    ("002.1", "curl -X GET [API_URL]/v1/[resource]", Run(Api, 200)),
    ("002.2", "process.env.API_KEY", Run(Api, 200)),
    ("002.3", "requests.get", Run(Api, 200)),
    ("002.4", "http.NewRequest", NoRequest("the request of 002.1 in Go, without its main function")),
    ("002.5", "sequenceDiagram", NoRequest(PICTURE)),
    ("002.6", "/oauth/authorize", Step),
    ("002.7", "app.get('/callback'", Step),
    ("002.8", "refreshAccessToken", Step),
    ("002.9", "client_credentials", Step),
    ("002.10", "generateJWT", Step),
    ("002.11", "[JWT_TOKEN]", Step),
    ("002.12", "[PRODUCT]_API_KEY=sk_live_...", NoRequest(STORAGE)),
    ("002.13", "SecretsManager", NoRequest(STORAGE)),
    ("002.14", "node-vault", NoRequest(STORAGE)),
    ("002.15", "Invalid API key provided", Answer),
    ("002.16", "curl -I", Run(Api, 200)),
    ("003.1", "/execute/your-ensemble", Run(Api, 200)),
    ("003.2", "Content-Type: application/json", Headers("/execute/your-ensemble")),
    ("003.3", "X-Idempotency-Key", Headers("/execute/your-ensemble")),
    ("003.4", "\"UNAUTHORIZED\"", Answer),
    ("003.5", "\"FORBIDDEN\"", Answer),
    ("003.6", "/health", Run(Keystead, 200)),
    ("003.7", "\"authenticated\": true", Answer),
    ("003.8", "conductor-sdk", NoRequest(SDK)),
    ("004.1", "/v1/tenants", Run(Keystead, 200)),
    ("004.2", "POST /v1/auth/login", Run(Keystead, 200)),
    ("004.3", "\"expires_in\": 3600", Answer),
    ("004.4", "/v1/files", Run(Api, 200)),
    ("004.5", "POST /v1/auth/refresh", Run(Keystead, 200)),
    ("004.6", "tk_tenant_123_abc123", Run(Api, 200)),
    ("004.7", "X-Tenant-ID: tenant_456", Run(Api, 200)),
    ("004.8", "X-RateLimit-Remaining: 999", Answer),
    ("004.9", "RATE_LIMIT_EXCEEDED", Answer),
    ("004.10", "export AUDIMODAL_API_KEY", NoRequest(STORAGE)),
    ("004.11.1", "curl https://api.audimodal.ai/v1/health", Run(Keystead, 200)),
    ("004.11.2", "curl http://api.audimodal.ai/v1/health", Run(Keystead, 403)),
    ("004.12", "POST /v1/auth/ip-allowlist", Run(Keystead, 200)),
    ("004.13", "INVALID_API_KEY", Answer),
    ("004.14", "INSUFFICIENT_PERMISSIONS", Answer),
    ("004.15", "TOKEN_EXPIRED", Answer),
    ("004.16", "/v1/health", Run(Keystead, 200)),
    ("004.17", "audimodal-api", Answer),
    ("004.18", "AudiModalClient", NoRequest(SDK)),
    ("004.19", "AudiModalClient", NoRequest(SDK)),
    ("004.20", "audimodal.NewClient", NoRequest(SDK)),
];

/// The documented 401 and 403 of each guide.
pub const REFUSALS: &[(&str, &str, &str)] = &[
    ("000", "000.5", "000.6"),
    ("001", "001.15", "001.16"),
    ("002", "002.15", "002.15"),
    ("003", "003.4", "003.5"),
    ("004", "004.13", "004.14"),
];

/// The documented answer of a request.
pub const ANSWERS: &[(&str, &str)] = &[("003.6", "003.7"), ("004.2", "004.3"), ("004.16", "004.17")];

/// Requests of people: what a wrong password or token is told; the guides document refused keys only.
pub const OF_PEOPLE: &[(&str, &str)] = &[
    ("000.2", "INVALID_TOKEN"),
    ("000.4", "INVALID_TOKEN"),
    ("004.2", "UNAUTHORIZED"),
    ("004.4", "INVALID_TOKEN"),
    ("004.5", "INVALID_TOKEN"),
];

/// Where the guides disagree with each other, the contract decides: answer, for which status, member, what is said
/// instead. An empty word drops the member. `docs/guides.md` has the reasons.
pub const DECIDED: &[(&str, u16, &str, &str)] = &[
    ("000.5", 401, "/detail", "Invalid or expired API key"),
    ("000.6", 403, "/detail", "Insufficient permissions for this operation"),
    ("001.15", 401, "/error/code", "INVALID_API_KEY"),
    ("001.15", 401, "/error/message", "Invalid or expired API key"),
    ("001.16", 403, "/error/code", "INSUFFICIENT_PERMISSIONS"),
    ("002.15", 401, "/message", "Invalid or expired API key"),
    ("002.15", 403, "/error", "forbidden"),
    ("002.15", 403, "/message", "Insufficient permissions for this operation"),
    ("003.4", 401, "/error/code", "INVALID_API_KEY"),
    ("003.4", 401, "/error/message", "Invalid or expired API key"),
    ("003.5", 403, "/error/code", "INSUFFICIENT_PERMISSIONS"),
    ("003.5", 403, "/error/message", "Insufficient permissions for this operation"),
    ("004.14", 403, "/error/required_role", ""),
    ("004.17", 200, "/service", "keystead"),
];

/// Members whose printed value is an example: of the same type, and there.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("002.15", "/request_id"),
    ("004.9", "/error/retry_after"),
    ("003.7", "/user/id"),
    ("003.7", "/user/plan"),
    ("004.3", "/access_token"),
    ("004.3", "/refresh_token"),
    ("004.3", "/user/id"),
    ("004.3", "/user/email"),
    ("004.3", "/user/role"),
    ("004.3", "/user/tenant_id"),
    ("004.15", "/error/expires_at"),
    ("004.17", "/version"),
    ("004.17", "/tenant_id"),
    ("004.17", "/timestamp"),
];
