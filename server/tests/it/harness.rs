//! Two ways to run the server: the router in this process, and the binary in one of its own.

use axum::{
    Extension, Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use domain::testing::{On, PASSWORD, TestInstallation, database_url};
use keystead::{config::ErrorFormat, http::AppState};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};
use tower::ServiceExt;

/// The router on an installation of its own.
pub struct App {
    pub t: TestInstallation,
    router: Router,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The `error.code` of a problem.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The session cookie that the answer set, as a request sends it back.
    pub fn cookie(&self) -> String {
        let set = self.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap());
        set.filter_map(|c| c.split(';').next()).find(|c| c.contains("keystead=")).unwrap_or_default().to_owned()
    }
}

/// A picture of one red pixel.
pub const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90,
    0x77, 0x53, 0xde, 0, 0, 0, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0,
    0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// How the router is set up.
pub struct Setup {
    pub trusted: Vec<&'static str>,
    pub https: bool,
    pub flat: bool,
    pub peer: &'static str,
    pub security_contact: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { trusted: vec![], https: false, flat: false, peer: "203.0.113.24:5000", security_contact: None }
    }
}

impl App {
    pub async fn new(on: On) -> Self {
        Self::with(on, Setup::default()).await
    }

    pub async fn with(on: On, setup: Setup) -> Self {
        Self::on(TestInstallation::new(on).await, setup)
    }

    pub fn on(t: TestInstallation, setup: Setup) -> Self {
        let trusted: Vec<_> = setup.trusted.iter().map(|n| n.parse().unwrap()).collect();
        let format = if setup.flat { ErrorFormat::Flat } else { ErrorFormat::Standard };
        let state = AppState::new(t.core.clone(), &trusted, setup.https, format)
            .with_security_contact(setup.security_contact.map(ToOwned::to_owned));
        let peer: SocketAddr = setup.peer.parse().unwrap();
        Self { t, router: keystead::http::router(state).layer(Extension(ConnectInfo(peer))) }
    }

    /// The answer, its body not read yet.
    pub async fn respond(&self, req: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(req).await.unwrap()
    }

    pub async fn send(&self, req: Request<Body>) -> Answer {
        let response = self.respond(req).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers, "")).await
    }

    /// POSTs JSON.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send(request("POST", path, &headers, &body.to_string())).await
    }

    /// Posts a form as a browser of this site does.
    pub async fn form(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "text/html"),
            ("sec-fetch-site", "same-origin"),
            ("cookie", cookie),
        ];
        self.send(request("POST", path, &headers, body)).await
    }

    /// Posts a form with a file as a browser of this site does.
    pub async fn upload(&self, path: &str, cookie: &str, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes());
        }
        if let Some((name, bytes)) = file {
            let head =
                format!("content-disposition: form-data; name=\"{name}\"; filename=\"a.svg\"\r\ncontent-type: image/svg+xml\r\n\r\n");
            body.extend(format!("--edge\r\n{head}").into_bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        let headers = [
            ("content-type", "multipart/form-data; boundary=edge"),
            ("accept", "text/html"),
            ("sec-fetch-site", "same-origin"),
            ("cookie", cookie),
        ];
        let mut req = request("POST", path, &headers, "");
        *req.body_mut() = Body::from(body);
        self.send(req).await
    }

    /// Signs the owner in and answers their cookie.
    pub async fn sign_in(&self) -> String {
        let body = format!("email=owner%40acme.test&password={}", PASSWORD.replace(' ', "+"));
        let answer = self.form("/login", "", &body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.cookie()
    }

    /// Asks for a decision as bootstrap's gateway.
    pub async fn verify(&self, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.t.first.gateway_key);
        self.post("/v1/verify", &[("authorization", &bearer)], body).await
    }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut req = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        req = req.header(*name, *value);
    }
    req.body(Body::from(body.to_owned())).unwrap()
}

/// The binary, in a folder and on a database of its own.
pub struct Installation {
    dir: PathBuf,
    pub url: String,
    /// What `keystead bootstrap` printed.
    pub first: Value,
}

/// The binary under test: the one that was built with the tests, or `KEYSTEAD_BIN`: the release, in `make test`.
pub fn binary() -> String {
    std::env::var("KEYSTEAD_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_keystead").to_owned())
}

impl Installation {
    /// An empty folder; nothing is set up.
    pub async fn empty(on: On) -> Self {
        let (url, file) = database_url(on).await;
        let name = url.rsplit('/').next().unwrap().trim_end_matches(".db").to_owned();
        drop(file);
        let dir = std::env::temp_dir().join(format!("{name}_dir"));
        let url = if on == On::Sqlite { format!("sqlite://{}/keystead.db", dir.display()) } else { url };
        Self { dir, url, first: Value::Null }
    }

    pub async fn new(on: On) -> Self {
        let mut made = Self::empty(on).await;
        let out = made.run(&["bootstrap", "--tenant", "Acme", "--email", "owner@acme.test", "--password-stdin", "--json"], PASSWORD);
        assert!(out.status.success(), "{out:?}");
        made.first = serde_json::from_slice(&out.stdout).unwrap();
        made
    }

    pub fn dir(&self) -> &PathBuf {
        &self.dir
    }

    pub fn key(&self, which: &str) -> &str {
        self.first[which].as_str().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(args).env("KEYSTEAD_DATA_DIR", &self.dir).env("KEYSTEAD_DATABASE_URL", &self.url).env("KEYSTEAD_BIND", "127.0.0.1:0");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The same on a terminal, which `script` makes; what is typed and what is printed stand in one output.
    pub fn run_on_a_terminal(&self, args: &[&str], input: &str) -> Output {
        let line = [&[binary().as_str()], args].concat().join(" ");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("KEYSTEAD_DATA_DIR", &self.dir).env("KEYSTEAD_DATABASE_URL", &self.url);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Starts the server; it is killed when the handle is dropped.
    pub fn serve(&self, args: &[&str]) -> Server {
        let mut child = self.command(&[&["serve"], args].concat()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address =
            line.split("http://").nth(1).and_then(|l| l.split_whitespace().next()).unwrap_or_else(|| panic!("no address in {line:?}"));
        Server { address: address.parse().unwrap(), child, stdout }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.dir);
    }
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub child: Child,
    pub stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Sends SIGTERM and answers the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap().code()
    }

    /// Runs curl and answers status and body.
    pub fn curl(&self, path: &str, args: &[&str]) -> (u16, String) {
        curl(&format!("http://{}{path}", self.address), args)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Runs curl: the last line of its output is the status.
pub fn curl(url: &str, args: &[&str]) -> (u16, String) {
    let out = Command::new("curl").args(["-sS", "-w", "\n%{http_code}"]).args(args).arg(url).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    assert_ne!(status, "000", "{}", String::from_utf8_lossy(&out.stderr));
    (status.parse().unwrap(), body.to_owned())
}

/// Makes of one async test body two tests, `sqlite` and `postgres`.
macro_rules! on_both {
    (async fn $name:ident($on:ident) $body:block) => {
        mod $name {
            use super::*;

            async fn body($on: domain::testing::On) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(domain::testing::On::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(domain::testing::On::Postgres).await;
            }
        }
    };
}
pub(crate) use on_both;
