use crate::harness::{App, Setup, on_both};
use axum::http::StatusCode;
use domain::testing::On;

on_both! {
    async fn the_gitleaks_rule_is_served_to_anybody_as_text(on) {
        let app = App::new(on).await;
        let answer = app.get("/.well-known/gitleaks.toml", &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/plain; charset=utf-8"));
        assert!(answer.text.contains("id = \"keystead-api-key\"") && answer.text.contains("(?:live|test)"), "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    }
}

#[tokio::test]
async fn security_txt_names_the_contact_and_ends_within_a_year() {
    let app = App::new(On::Sqlite).await;
    let absent = app.get("/.well-known/security.txt", &[]).await;
    assert_eq!((absent.status, absent.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
    let setup = Setup { security_contact: Some("mailto:security@acme.test"), ..Setup::default() };
    let answer = App::with(On::Sqlite, setup).await.get("/.well-known/security.txt", &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/plain; charset=utf-8"));
    let fields: Vec<(&str, &str)> = answer.text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(": ")).collect();
    // The clock of the tests stands on 2026-09-21.
    assert_eq!(
        fields,
        [
            ("Contact", "mailto:security@acme.test"),
            ("Expires", "2027-03-20T00:00:00Z"),
            ("Preferred-Languages", "en"),
            ("Canonical", "http://localhost/.well-known/security.txt"),
        ]
    );
}

#[tokio::test]
async fn change_password_leads_to_the_page_that_changes_it() {
    let app = App::new(On::Sqlite).await;
    let answer = app.get("/.well-known/change-password", &[("accept", "text/html")]).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    let cookie = app.sign_in().await;
    let page = app.get(answer.header("location"), &[("accept", "text/html"), ("cookie", &cookie)]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("autocomplete=\"new-password\""), "{}", page.text);
}
