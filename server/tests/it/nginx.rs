//! `docs/gateways/nginx.md` as printed, on Debian's nginx in front of a real upstream.

use crate::harness::{Installation, Server, curl, on_both};
use axum::{Router, http::HeaderMap};
use domain::clock::{Clock, SystemClock};
use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

struct Nginx {
    child: Child,
    url: String,
    _dir: Dir,
}

struct Dir(PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM lets the master end its workers; a killed master would leave them.
        let _ended_already = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _reaped = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The fenced configuration of the page, with only addresses and the gateway key substituted.
fn documented(keystead: &Server, gateway_key: &str, upstream: u16, listen: u16) -> String {
    let page = include_str!("../../../docs/gateways/nginx.md");
    let snippet = page.split("```nginx\n").nth(1).unwrap().split("```").next().unwrap();
    for part in ["127.0.0.1:3000", "127.0.0.1:8080", "listen 8000;", "gk_YOUR_GATEWAY_KEY"] {
        assert!(snippet.contains(part), "{part}");
    }
    snippet
        .replace("127.0.0.1:3000", &keystead.address.to_string())
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{upstream}"))
        .replace("listen 8000;", &format!("listen 127.0.0.1:{listen};"))
        .replace("gk_YOUR_GATEWAY_KEY", gateway_key)
}

fn start(i: &Installation, keystead: &Server, upstream: u16) -> Nginx {
    let listen = free_port();
    let dir = i.dir().with_extension("nginx");
    std::fs::create_dir_all(&dir).unwrap();
    let d = dir.display();
    let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|t| format!("{t}_temp_path {d}/{t};")).join(" ");
    let site = documented(keystead, i.key("gateway_key"), upstream, listen);
    let config = format!("daemon off; pid {d}/pid; error_log {d}/error.log; events {{}} http {{ access_log off; {temp}\n{site}\n}}");
    std::fs::write(dir.join("nginx.conf"), config).unwrap();
    let log = std::fs::File::create(dir.join("start.log")).unwrap();
    let mut nginx = Command::new("/usr/sbin/nginx");
    nginx.args(["-c", &format!("{d}/nginx.conf"), "-p", &d.to_string(), "-e", &format!("{d}/error.log")]).stderr(log).stdout(Stdio::null());
    let mut child = nginx.spawn().expect("nginx: run scripts/setup.sh test");
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", listen)).is_err() {
        let log = || std::fs::read_to_string(dir.join("start.log")).unwrap_or_default();
        assert!(child.try_wait().unwrap().is_none(), "nginx ended: {}", log());
        assert!(started.elapsed() < Duration::from_secs(10), "nginx does not listen: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
    Nginx { child, url: format!("http://127.0.0.1:{listen}"), _dir: Dir(dir) }
}

/// An upstream that answers with what it was sent.
async fn upstream() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = Router::new().fallback(|headers: HeaderMap| async move {
        let mut lines: Vec<String> = headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap_or("?"))).collect();
        lines.sort();
        format!("upstream\n{}", lines.join("\n"))
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

/// A key made in the console, with curl as the browser.
struct Console<'a> {
    server: &'a Server,
    cookie: String,
}

impl<'a> Console<'a> {
    fn sign_in(server: &'a Server) -> Self {
        let form = "email=owner%40acme.test&password=gravel+orbit+lantern+seven";
        let (status, head) = server.curl("/login", &["-i", "-d", form]);
        assert_eq!(status, 303, "{head}");
        let cookie = head.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap().to_owned();
        Self { server, cookie }
    }

    fn create(&self, n: u32, form: &str) -> String {
        let body = format!("form_id=form_{n:032x}&name=k{n}&kind=secret&{form}");
        let cookie = format!("cookie: {}", self.cookie);
        let (status, page) = self.server.curl("/keys/new", &["-H", &cookie, "-H", "sec-fetch-site: same-origin", "-d", &body]);
        assert_eq!(status, 200, "{page}");
        let at = page
            .match_indices("sk_")
            .map(|(at, _)| page[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>());
        at.into_iter().find(|token| token.len() == 46).expect("the secret")
    }

    fn usage(&self, query: &str) -> String {
        self.server.curl(&format!("/usage{query}"), &["-H", &format!("cookie: {}", self.cookie), "-H", "accept: text/html"]).1
    }
}

on_both! {
    async fn the_documented_nginx_lets_good_keys_through_and_refuses_the_others_with_the_contracts_bodies(on) {
        let i = Installation::new(on).await;
        let server = i.serve(&[]);
        let upstream = upstream().await;
        let nginx = start(&i, &server, upstream);
        let api = |path: &str, args: &[&str]| curl(&format!("{}{path}", nginx.url), args);
        tokio::task::block_in_place(|| {
            let console = Console::sign_in(&server);
            let good = console.create(1, "environment=live&more_scopes=users%3Aread&expires=never&allowed_ips=127.0.0.1");
            let narrow = console.create(2, "environment=live&more_scopes=users%3Awrite&expires=never&allowed_ips=");
            let test = console.create(3, "environment=test&more_scopes=users%3Aread&expires=never&allowed_ips=");
            let expires_at = SystemClock.now().plus(5_000).to_utc().format("%Y-%m-%dT%H:%M:%S");
            let soon = console.create(4, &format!("environment=live&more_scopes=users%3Aread&expires=custom&expires_at={expires_at}&allowed_ips="));
            let bearer = |key: &str| format!("Authorization: Bearer {key}");

            let (status, body) = api("/v2/users?page=2", &["-H", &bearer(&good), "-H", "X-Keystead-Tenant: forged", "-H", "X-Request-ID: mine-1"]);
            assert_eq!(status, 200, "{body}");
            assert!(body.starts_with("upstream"), "{body}");
            assert!(body.contains(&format!("x-keystead-tenant: {}", i.key("tenant_id"))) && !body.contains("forged"), "{body}");
            assert!(body.contains("x-keystead-scopes: users:read") && body.contains("x-request-id: mine-1"), "{body}");
            assert!(!body.contains(&good), "the upstream is not given the secret: {body}");
            assert_eq!(api("/v2/users", &["-H", &bearer(&soon)]).0, 200, "not expired yet");

            let wrong = format!("{}{}", &good[..good.len() - 1], if good.ends_with('A') { 'B' } else { 'A' });
            let refused = |args: &[&str], path: &str, status: u16, code: &str| {
                let (got, body) = api(path, &[args, &["-i", "-H", "X-Request-ID: mine-2"]].concat());
                let (head, body) = body.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{body}"));
                let json: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {head}\n{body}"));
                assert_eq!((got, json["error"]["code"].as_str(), json["status"].as_u64()), (status, Some(code), Some(status.into())), "{body}");
                assert_eq!(json["request_id"], "mine-2");
                assert!(head.to_lowercase().contains("content-type: application/problem+json"), "{head}");
                assert_eq!(head.to_lowercase().contains("www-authenticate: bearer"), status == 401, "{head}");
            };
            refused(&["-H", &bearer(&wrong)], "/v2/users", 401, "INVALID_API_KEY");
            refused(&[], "/v2/users", 401, "UNAUTHORIZED");
            refused(&["-H", &bearer(&good), "--interface", "127.0.0.2", "-H", "X-Forwarded-For: 127.0.0.1"], "/v2/users", 403, "IP_NOT_ALLOWED");
            refused(&["-H", &bearer(&narrow)], "/v2/users", 403, "INSUFFICIENT_PERMISSIONS");
            refused(&["-H", &bearer(&test)], "/v2/users", 403, "ENVIRONMENT_MISMATCH");
            refused(&["-H", &bearer(&good), "-H", "X-API-Key: other"], "/v2/users", 400, "CONFLICTING_CREDENTIALS");
            refused(&["-H", &bearer(&good), "-X", "POST", "-d", "x=1", "-H", "X-Keystead-Gateway: gk_x", "-H", "X-Keystead-Require: nginx", "--interface", "127.0.0.2"], "/v2/users", 403, "IP_NOT_ALLOWED");
            assert_eq!(api("/elsewhere", &["-H", &bearer(&narrow)]).0, 200, "other paths need no scope");

            std::thread::sleep(Duration::from_secs(5));
            refused(&["-H", &bearer(&soon)], "/v2/users", 401, "INVALID_API_KEY");

            let began = Instant::now();
            loop {
                let page = console.usage("?outcome=denied");
                let reasons = ["Not a key", "Address not allowed", "Missing permission", "has expired"];
                if reasons.iter().all(|r| page.contains(r)) && page.contains("/v2/users") {
                    break;
                }
                assert!(began.elapsed() < Duration::from_secs(2), "not in the usage log within two seconds");
                std::thread::sleep(Duration::from_millis(100));
            }
        });
    }
}
