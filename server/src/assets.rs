//! What Trunk built: embedded into a release binary, read from `target/site` in a debug build.

use app::ssr::Assets;
use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
#[allow_missing = true]
struct Site;

/// The hashed names that Trunk wrote into its page. Empty before the front end is built: pages then work as they do
/// without JavaScript, and unstyled.
pub fn names() -> Assets {
    let html = Site::get("index.html").map(|f| String::from_utf8_lossy(&f.data).into_owned()).unwrap_or_default();
    if html.is_empty() {
        tracing::warn!("the front end is not built: run `make build`");
    }
    let mut names = Assets::default();
    for tag in html.split('<').filter(|t| t.starts_with("link ")) {
        let (Some(rel), Some(href)) = (attribute(tag, "rel"), attribute(tag, "href")) else { continue };
        match rel {
            "modulepreload" => href.clone_into(&mut names.js),
            "preload" if has_extension(href, "wasm") => href.clone_into(&mut names.wasm),
            "stylesheet" => href.clone_into(&mut names.css),
            _ => {}
        }
    }
    names
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, e)| e == extension)
}

/// The value of an attribute in a start tag that Trunk wrote.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// `GET /pkg/{*path}`: hashed names are kept for a year, the others are asked for again.
pub async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let brotli = accepts_brotli(&headers).then(|| Site::get(&format!("{path}.br"))).flatten();
    let (file, encoding) = match (brotli, Site::get(&path)) {
        (Some(file), _) => (file, Some("br")),
        (None, Some(file)) => (file, None),
        (None, None) => return StatusCode::NOT_FOUND.into_response(),
    };
    if path == "index.html" {
        return StatusCode::NOT_FOUND.into_response();
    }
    respond(&path, file, encoding, &headers)
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(|v| v.split(',').any(|e| e.trim().starts_with("br")))
}

fn respond(path: &str, file: EmbeddedFile, encoding: Option<&'static str>, asked: &HeaderMap) -> Response {
    let hash: String = file.metadata.sha256_hash().iter().take(8).map(|b| format!("{b:02x}")).collect();
    let etag = format!("\"{hash}\"");
    let cache = if path.starts_with("assets/") { "public, max-age=3600" } else { "public, max-age=31536000, immutable" };
    let mut response = if asked.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.data.into_owned()))
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Trunk's output has these types and no other.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, e)| e) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
