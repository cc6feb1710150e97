//! `/errors/{code}`: where the `type` of every error leads. Written by the server, without script, from the one table
//! of codes.

use super::{
    AppState,
    docs::{LOGO, POLICY, escape, row, words_inline},
};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use contract::ErrorCode;

/// The page of each code.
pub fn routes() -> Router<AppState> {
    Router::new().route("/errors/{code}", get(page))
}

async fn page(State(state): State<AppState>, Path(slug): Path<String>) -> Response {
    let (status, title, body) = match ErrorCode::of_slug(&slug) {
        Some(code) => (StatusCode::OK, code.as_str(), told(code)),
        None => (StatusCode::NOT_FOUND, "No such error", "<p class=\"lead soft\">No error has this name.</p>".to_owned()),
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (status, headers, document(title, &body, &state.assets.css)).into_response()
}

fn told(code: ErrorCode) -> String {
    let rows = [
        row("Status", &format!("<code>{}</code> {}", code.status(), escape(code.title()))),
        row("Code", &format!("<code>{code}</code>, in <code>error.code</code>")),
        row("Meaning", &format!("{}.", escape(code.message()))),
        row("What to do", &words_inline(code.advice())),
    ];
    format!("<div class=\"card\"><div class=\"card__body\"><dl class=\"dl\">{}</dl></div></div>", rows.concat())
}

fn document(title: &str, body: &str, css: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · Keystead</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" type=\"image/svg+xml\" href=\"/pkg/assets/favicon.svg\"><link rel=\"stylesheet\" href=\"{css}\"></head>\
         <body><main class=\"page stack\" id=\"main\"><a class=\"side__brand\" href=\"/\">{LOGO}Keystead</a><h1>{title}</h1>{body}\
         <p class=\"small\"><a href=\"/docs#errors\">Every error of the API</a></p></main></body></html>",
        title = escape(title),
        css = escape(css),
    )
}
