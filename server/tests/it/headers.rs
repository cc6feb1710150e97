use crate::harness::{App, Setup};
use axum::http::StatusCode;
use domain::{keys, testing::On};

#[tokio::test]
async fn s27_s28_every_response_carries_the_security_headers() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    for path in ["/login", "/keys", "/keys/new", "/usage", "/audit", "/nothing", "/v1/auth/test", "/livez", "/pkg/nothing.js"] {
        let answer = app.get(path, &[("accept", "text/html"), ("cookie", &cookie)]).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ("x-api-version", "1"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        assert!(answer.header("x-request-id").starts_with("req_"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "no HSTS on plain http");
    }
}

#[tokio::test]
async fn s27_each_page_has_a_nonce_of_its_own_and_every_script_carries_it() {
    let app = App::new(On::Sqlite).await;
    let nonce = |answer: &crate::harness::Answer| {
        answer.header("content-security-policy").split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned()
    };
    let (one, two) = (app.get("/login", &[("accept", "text/html")]).await, app.get("/login", &[("accept", "text/html")]).await);
    assert_ne!(nonce(&one), nonce(&two));
    for script in one.text.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains(&format!("nonce=\"{}\"", nonce(&one))), "{tag}");
    }
    assert!(!one.text.contains(" style="), "no inline style");
}

#[tokio::test]
async fn s29_signed_in_pages_and_api_answers_are_not_stored() {
    let app = App::new(On::Sqlite).await;
    let cookie = app.sign_in().await;
    for path in ["/keys", "/keys/new", "/usage", "/audit", "/v1/auth/test", "/health"] {
        assert_eq!(app.get(path, &[("accept", "text/html"), ("cookie", &cookie)]).await.header("cache-control"), "no-store", "{path}");
    }
    let form = format!("form_id=form_{:032x}&name=k&kind=secret&environment=live&more_scopes=read&expires=never&allowed_ips=", 1);
    let reveal = app.form("/keys/new", &cookie, &form).await;
    assert!(reveal.text.contains("sk_live_"), "{}", reveal.text);
    assert_eq!(reveal.header("cache-control"), "no-store", "the page that shows a secret");
}

#[tokio::test]
async fn s70_the_callers_request_id_is_echoed_only_if_it_is_plain() {
    let app = App::new(On::Sqlite).await;
    assert_eq!(app.get("/livez", &[("x-request-id", "mine-1")]).await.header("x-request-id"), "mine-1");
    let long = "x".repeat(129);
    for bad in ["a b", "<script>", &long] {
        assert!(app.get("/livez", &[("x-request-id", bad)]).await.header("x-request-id").starts_with("req_"), "{bad}");
    }
}

#[tokio::test]
async fn s28_on_https_plain_requests_are_refused_and_hsts_is_set() {
    let setup = || Setup { trusted: vec!["10.0.0.0/8"], https: true, peer: "10.0.0.2:443", ..Setup::default() };
    let app = App::with(On::Sqlite, setup()).await;
    let key = app.t.first.api_key.clone();
    let secure = app.get("/v1/auth/test", &[("x-api-key", &key), ("x-forwarded-proto", "https"), ("x-forwarded-for", "203.0.113.9")]).await;
    assert_eq!(secure.status, StatusCode::OK);
    assert!(secure.header("strict-transport-security").starts_with("max-age=63072000"));
    let plain = app.get("/v1/auth/test", &[("x-api-key", &key), ("x-forwarded-proto", "http")]).await;
    assert_eq!((plain.status.as_u16(), plain.code().as_str()), (403, "HTTPS_REQUIRED"));
    assert_eq!(app.get("/livez", &[]).await.status, StatusCode::OK);
    let forged = App::with(On::Sqlite, Setup { peer: "203.0.113.9:1", ..setup() }).await;
    let answer = forged.get("/login", &[("x-forwarded-proto", "https"), ("accept", "text/html")]).await;
    assert_eq!(answer.code(), "HTTPS_REQUIRED", "a stranger's word about the scheme is not believed");
    // A gateway on the same machine asks over loopback, also when it is a trusted proxy that passes its client on.
    let local = App::with(On::Sqlite, Setup { trusted: vec!["127.0.0.1/32"], peer: "127.0.0.1:1", ..setup() }).await;
    let gateway = local.t.first.gateway_key.clone();
    let asked = local.get("/v1/forward-auth", &[("x-keystead-gateway", &gateway), ("x-forwarded-for", "203.0.113.9")]).await;
    assert_eq!(asked.code(), "UNAUTHORIZED");
    assert_eq!(local.get("/v1/errors/IP_NOT_ALLOWED", &[]).await.code(), "IP_NOT_ALLOWED");
    assert_eq!(local.get("/v1/auth/test", &[]).await.code(), "HTTPS_REQUIRED");
}

#[tokio::test]
async fn s39_a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let app = App::with(On::Sqlite, Setup { trusted: vec!["10.0.0.0/8"], peer: "10.0.0.2:1", ..Setup::default() }).await;
    let mut form = app.t.form("narrow", "read");
    form.allowed_ips = "203.0.113.0/24".into();
    let key = keys::create_from_form(&app.t.owner(), &form).await.unwrap().key.unwrap();
    let ask =
        async |forwarded: &str| app.get("/v1/auth/test", &[("x-api-key", &key), ("x-forwarded-for", forwarded)]).await.status.as_u16();
    assert_eq!(ask("203.0.113.9").await, 200);
    assert_eq!(ask("203.0.113.9, 198.51.100.1").await, 403, "right to left: what the proxy saw counts");
    assert_eq!(ask("nonsense").await, 403, "unreadable: unknown");
    let direct = App::with(On::Sqlite, Setup { peer: "198.51.100.1:1", ..Setup::default() }).await;
    let mut form = direct.t.form("narrow", "read");
    form.allowed_ips = "203.0.113.0/24".into();
    let key = keys::create_from_form(&direct.t.owner(), &form).await.unwrap().key.unwrap();
    let answer = direct.get("/v1/auth/test", &[("x-api-key", &key), ("x-forwarded-for", "203.0.113.9")]).await;
    assert_eq!(answer.code(), "IP_NOT_ALLOWED", "no proxy is trusted: the header means nothing");
}
