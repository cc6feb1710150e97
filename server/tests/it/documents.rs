//! `/openapi.json`, `/docs`, `keystead openapi`.

use crate::harness::{App, binary};
use axum::http::StatusCode;
use domain::testing::On;
use std::process::Command;

#[tokio::test]
async fn the_document_is_served_as_it_is_printed_and_not_sent_twice() {
    let app = App::new(On::Sqlite).await;
    let got = app.get("/openapi.json", &[]).await;
    assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, "application/json"));
    let out = Command::new(binary()).arg("openapi").output().unwrap();
    assert!(out.status.success());
    let printed: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(got.json(), printed);
    assert_eq!((&printed["openapi"], &printed["info"]["title"]), (&"3.1.0".into(), &"Keystead".into()));
    let again = app.get("/openapi.json", &[("if-none-match", got.header("etag"))]).await;
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (StatusCode::NOT_MODIFIED, "", got.header("etag")));
    assert_eq!(app.get("/openapi.json", &[("if-none-match", "\"other\"")]).await.status, StatusCode::OK);
}

#[test]
fn the_copy_in_docs_is_what_the_code_says() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let now = keystead::http::openapi::printed() + "\n";
    assert!(kept == now, "docs/openapi.json is out of date: cargo run -p keystead -- openapi > docs/openapi.json");
}

#[tokio::test]
async fn s27_s28_the_page_of_the_api_has_no_script_and_the_headers_of_every_page() {
    let app = App::new(On::Sqlite).await;
    let page = app.get("/docs", &[("accept", "text/html")]).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"),
        "{policy}"
    );
    assert!(!page.text.contains("<script") && !page.text.contains(" style="), "nothing that would run");
    for said in ["<h1>API</h1>", "keystead.keys:write", "/v1/api-keys/{id}/rotate", "curl", "Last-Event-ID"] {
        assert!(page.text.contains(said), "{said}");
    }
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}
