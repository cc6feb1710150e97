//! A gateway in front of a real upstream, configured by nothing but its page in `docs/gateways`, and what every such
//! page promises.

use crate::harness::{Installation, Server, curl};
use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, Method, Uri},
};
use clap::Parser;
use contract::{CreateKey, Environment, ErrorCode, KeyKind, KeyName, Problem, RateLimit, Scope, TenantId};
use domain::{
    Ctx, RequestInfo, Who,
    clock::{Clock, SystemClock},
    keys,
    testing::On,
};
use keystead::{cli::Cli, open};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How a page of the docs becomes a running program.
pub struct Recipe {
    /// The page.
    pub page: &'static str,
    /// Its fenced blocks, by language, and the files they become.
    pub files: &'static [(&'static str, &'static str)],
    /// What surrounds the first file on a machine of its own: put before and after it. `{dir}` is the gateway's folder.
    pub around: (&'static str, &'static str),
    /// What is substituted beside the addresses and the gateway key: `{listen}` is a free port, `{dir}` the folder.
    pub places: &'static [(&'static str, &'static str)],
    /// The program in the foreground, given its folder.
    pub command: fn(&Path) -> Command,
}

/// A running gateway; it ends with the handle.
pub struct Gateway {
    child: Child,
    dir: PathBuf,
    pub url: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // SIGTERM lets a master end its workers; a killed master would leave them.
        let _ended_already = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _reaped = self.child.wait();
        let _gone_already = std::fs::remove_dir_all(&self.dir);
    }
}

impl Recipe {
    /// The fenced blocks of the page with only addresses and the gateway key substituted, by file name.
    fn documented(&self, keystead: &Server, gateway_key: &str, upstream: u16, listen: u16, dir: &str) -> Vec<(&'static str, String)> {
        let fenced = |language: &str| {
            let block = self.page.split(&format!("```{language}\n")).nth(1).unwrap_or_else(|| panic!("no {language} in the page"));
            block.split("```").next().unwrap().to_owned()
        };
        let mut files: Vec<_> = self.files.iter().map(|(language, name)| (*name, fenced(language))).collect();
        let (keystead, upstream) = (keystead.address.to_string(), format!("127.0.0.1:{upstream}"));
        let common = [("127.0.0.1:3000", keystead.as_str()), ("127.0.0.1:8080", &upstream), ("gk_YOUR_GATEWAY_KEY", gateway_key)];
        for (place, value) in common.iter().chain(self.places) {
            assert!(files.iter().any(|(_, text)| text.contains(place)), "{place} is not in the page");
            for (_, text) in &mut files {
                *text = text.replace(place, &value.replace("{listen}", &listen.to_string()).replace("{dir}", dir));
            }
        }
        let (before, after) = self.around;
        files[0].1 = format!("{}\n{}\n{after}", before.replace("{dir}", dir), files[0].1);
        files
    }

    /// Starts the program and waits until it listens.
    pub fn start(&self, i: &Installation, keystead: &Server, upstream: u16) -> Gateway {
        let listen = free_port();
        let dir = i.dir().with_extension(format!("gateway-{listen}"));
        std::fs::create_dir_all(&dir).unwrap();
        for (name, text) in self.documented(keystead, i.key("gateway_key"), upstream, listen, &dir.display().to_string()) {
            std::fs::write(dir.join(name), text).unwrap();
        }
        launch((self.command)(&dir), dir, listen)
    }
}

/// Starts a gateway and waits until it listens. `dir` is removed with it.
pub fn launch(mut command: Command, dir: PathBuf, listen: u16) -> Gateway {
    let log = std::fs::File::create(dir.join("start.log")).unwrap();
    let child = command.stderr(log).stdout(Stdio::null()).spawn().expect("the gateway: run scripts/setup.sh test");
    let mut gateway = Gateway { child, dir, url: format!("http://127.0.0.1:{listen}") };
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", listen)).is_err() {
        let log = std::fs::read_to_string(gateway.dir.join("start.log")).unwrap_or_default();
        assert!(gateway.child.try_wait().unwrap().is_none(), "the gateway ended: {log}");
        assert!(started.elapsed() < Duration::from_secs(20), "the gateway does not listen: {log}");
        std::thread::sleep(Duration::from_millis(20));
    }
    gateway
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An API that answers with what it was sent, and counts.
pub struct Upstream {
    pub port: u16,
    pub seen: Arc<AtomicUsize>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = seen.clone();
        let app = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut all = BTreeMap::<String, Vec<String>>::new();
            for (name, value) in &headers {
                all.entry(name.to_string()).or_default().push(value.to_str().unwrap_or("?").to_owned());
            }
            let body = String::from_utf8_lossy(&body).into_owned();
            Json(json!({"upstream": true, "method": method.as_str(), "path": uri.to_string(), "headers": all, "body": body}))
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, seen }
    }

    pub fn count(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// A live key with `users:read` and a rate limit of its own, made by the command line before a server starts.
pub async fn limited_key(i: &Installation, per_hour: u32) -> String {
    let config = Cli::parse_from(["keystead", "--data-dir", &i.dir().display().to_string(), "--database-url", &i.url]).config;
    let core = open::core(&config, "http://localhost", false).await.unwrap();
    let tenant: TenantId = i.key("tenant_id").parse().unwrap();
    let ctx = Ctx::new(core.clone(), Who::CommandLine(tenant), RequestInfo::default());
    let key = CreateKey {
        name: KeyName::parse("limited").unwrap(),
        environment: Environment::Live,
        kind: KeyKind::Secret,
        scopes: vec![Scope::parse("users:read").unwrap()],
        allowed_ips: vec![],
        not_before: None,
        expires_at: None,
        rate_limit: Some(RateLimit { per_hour, per_second: 100 }),
        metadata: json!({}),
        owner: None,
        platform: false,
    };
    let made = keys::create(&ctx, key).await.unwrap();
    core.stop().await;
    made.key.unwrap()
}

/// The console, with curl as the browser.
pub struct Console {
    url: String,
    cookie: String,
    made: AtomicUsize,
}

impl Console {
    pub fn sign_in(server: &Server) -> Self {
        let form = "email=owner%40acme.test&password=gravel+orbit+lantern+seven";
        let (status, head) = server.curl("/login", &["-i", "-d", form]);
        assert_eq!(status, 303, "{head}");
        let cookie = head.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap().to_owned();
        Self { url: format!("http://{}", server.address), cookie, made: AtomicUsize::new(0) }
    }

    /// Makes a key of the kind `secret`; `form` says the rest.
    pub fn create(&self, form: &str) -> String {
        self.create_kind("secret", "sk_", form)
    }

    pub fn create_kind(&self, kind: &str, prefix: &str, form: &str) -> String {
        let n = self.made.fetch_add(1, Ordering::SeqCst);
        let body = format!("form_id=form_{n:032x}&name=k{n}&kind={kind}&{form}");
        let cookie = format!("cookie: {}", self.cookie);
        let (status, page) = curl(&format!("{}/keys/new", self.url), &["-H", &cookie, "-H", "sec-fetch-site: same-origin", "-d", &body]);
        assert_eq!(status, 200, "{page}");
        let mut tokens = page
            .match_indices(prefix)
            .map(|(at, _)| page[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>());
        tokens.find(|token| token.len() >= 46).expect("the secret")
    }

    pub fn usage(&self, query: &str) -> String {
        curl(&format!("{}/usage{query}", self.url), &["-H", &format!("cookie: {}", self.cookie), "-H", "accept: text/html"]).1
    }
}

/// Everything together: Keystead, a gateway in front of an upstream, a person in the console.
pub struct Site {
    pub i: Installation,
    pub server: Server,
    pub upstream: Upstream,
    pub gateway: Gateway,
    pub console: Console,
    /// A key that may call twice an hour.
    pub limited: String,
}

/// An answer of the gateway.
pub struct Seen {
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn of(status: u16, head: &str, body: &str) -> Self {
        let headers = head.lines().skip(1).filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_lowercase(), v.trim().to_owned()));
        Self { status, headers: headers.collect(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }
}

pub fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}

impl Site {
    pub async fn behind(on: On, recipe: &Recipe) -> Self {
        let i = Installation::new(on).await;
        let upstream = Upstream::start().await;
        let limited = limited_key(&i, 2).await;
        tokio::task::block_in_place(|| {
            let server = i.serve(&[]);
            let gateway = recipe.start(&i, &server, upstream.port);
            let console = Console::sign_in(&server);
            Self { i, server, upstream, gateway, console, limited }
        })
    }

    /// A request to the gateway.
    pub fn get(&self, path: &str, args: &[&str]) -> Seen {
        let (status, text) = curl(&format!("{}{path}", self.gateway.url), &[&["-i", "--path-as-is", "-m", "30"], args].concat());
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Seen::of(status, head, body)
    }

    /// A request that must be refused with exactly the contract's words, and must not reach the API.
    pub fn refuses(&self, args: &[&str], path: &str, problem: Problem) -> Seen {
        let before = self.upstream.count();
        let seen = self.get(path, &[args, &["-H", "X-Request-ID: mine-2"]].concat());
        // How long to wait is the only member that a test cannot know beforehand; header and body agree on it.
        let problem = match seen.header("retry-after") {
            Some(wait) if problem.code == ErrorCode::RateLimitExceeded => problem.with("retry_after", wait.parse::<u32>().unwrap()),
            _ => problem,
        };
        let (code, status) = (problem.code, problem.code.status());
        let wanted = Problem { request_id: "mine-2".into(), ..problem }.body(&format!("http://localhost:{}", self.server.address.port()));
        assert_eq!((seen.status, seen.json()), (status, wanted), "{args:?}");
        assert_eq!(seen.header("content-type"), Some("application/problem+json"));
        assert_eq!(seen.header("x-request-id"), Some("mine-2"));
        let challenge = match code {
            ErrorCode::Unauthorized => Some("Bearer realm=\"keystead\""),
            _ if status == 401 => Some("Bearer realm=\"keystead\", error=\"invalid_token\""),
            _ => None,
        };
        let challenges: Vec<&str> = seen.headers.iter().filter(|(n, _)| n == "www-authenticate").map(|(_, v)| v.as_str()).collect();
        assert_eq!(challenges, Vec::from_iter(challenge), "{code}");
        assert_eq!(self.upstream.count(), before, "{code}: the API saw the request");
        seen
    }

    /// What every page promises of its gateway.
    pub fn keeps_what_its_page_promises(mut self) {
        tokio::task::block_in_place(|| {
            let made = Instant::now();
            let expires_at = SystemClock.now().plus(6_000).to_utc().format("%Y-%m-%dT%H:%M:%S");
            let key = |form: &str| self.console.create(form);
            let soon = key(&format!("environment=live&more_scopes=users%3Aread&expires=custom&expires_at={expires_at}&allowed_ips="));
            let good = key("environment=live&more_scopes=users%3Aread&expires=never&allowed_ips=127.0.0.1");
            assert_eq!(self.get("/v2/users", &["-H", &bearer(&soon)]).status, 200, "not expired yet");
            let narrow = key("environment=live&more_scopes=users%3Awrite&expires=never&allowed_ips=");
            let test = key("environment=test&more_scopes=users%3Aread&expires=never&allowed_ips=");

            self.lets_through(&good);
            self.passes_the_limit_on();
            self.refuses_what_it_must(&good, &narrow, &test);
            self.knows_a_path_however_it_is_written(&narrow);

            std::thread::sleep(Duration::from_secs(6).saturating_sub(made.elapsed()));
            self.refuses(&["-H", &bearer(&soon)], "/v2/users", Problem::new(ErrorCode::InvalidApiKey));
            self.has_logged(&["Not a key", "Address not allowed", "Missing permission", "has expired"]);
            self.fails_closed(&good);
        });
    }

    fn lets_through(&self, good: &str) {
        let forged = ["Tenant", "Subject", "Credential", "Kind", "Scopes", "Environment", "Gateway", "Require", "Code", "Status"];
        let mut headers: Vec<String> = forged.iter().map(|name| format!("X-Keystead-{name}: forged")).collect();
        headers.extend(["X_Keystead_Tenant: forged", "X-Forwarded-For: 198.51.100.7", "X-Request-ID: mine-1"].map(ToOwned::to_owned));
        headers.push(bearer(good));
        let mut args: Vec<&str> = headers.iter().flat_map(|h| ["-H", h]).collect();
        args.extend(["-d", "hello=world"]);
        let seen = self.get("/v2/users?page=2&environment=test", &args);
        assert_eq!(seen.status, 200, "{}", seen.body);
        let api = seen.json();
        assert_eq!(
            (&api["method"], &api["path"], &api["body"]),
            (&json!("POST"), &json!("/v2/users?page=2&environment=test"), &json!("hello=world"))
        );
        let got = |name: &str| api["headers"][name].clone();
        assert_eq!(got("x-keystead-tenant"), json!([self.i.key("tenant_id")]));
        assert_eq!(got("x-keystead-subject"), json!([self.i.key("user_id")]));
        assert_eq!((got("x-keystead-kind"), got("x-keystead-environment")), (json!(["api_key"]), json!(["live"])));
        assert_eq!((got("x-keystead-scopes"), got("x-request-id")), (json!(["users:read"]), json!(["mine-1"])));
        assert_eq!(got("x-forwarded-for"), json!(["127.0.0.1"]), "the API learns the client's address, not its word");
        assert!(!seen.body.contains("forged"), "the client's own X-Keystead-* reach the API: {}", seen.body);
        for secret in [good, self.i.key("gateway_key")] {
            assert!(!seen.body.contains(secret), "the API is given a secret: {}", seen.body);
        }
        let seen = self.get("/v2/users", &["-H", &format!("X-API-Key: {good}")]);
        assert_eq!(seen.status, 200, "{}", seen.body);
        assert!(!seen.body.contains(good), "the API is given a secret: {}", seen.body);
        let seen = self.get("/v2/users", &["-I", "-H", &bearer(good)]);
        assert_eq!((seen.status, seen.body.as_str()), (200, ""), "HEAD");
    }

    /// The client sees what is left, and at the end a 429 that says when to come back.
    fn passes_the_limit_on(&self) {
        let limit = |seen: &Seen| {
            let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-policy"];
            let one = |name: &str| {
                let all: Vec<&str> = seen.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
                assert_eq!(all.len(), 1, "{name}: {all:?}");
                all[0].to_owned()
            };
            names.map(one)
        };
        for left in ["1", "0"] {
            let seen = self.get("/v2/users", &["-H", &bearer(&self.limited)]);
            let [of, remaining, reset, rate, policy] = limit(&seen);
            assert_eq!((seen.status, of.as_str(), remaining.as_str()), (200, "2", left));
            assert!(reset.parse::<i64>().is_ok_and(|at| at * 1_000 > SystemClock.now().0), "{reset}");
            assert!(rate.starts_with(&format!("\"hour\";r={left};t=")), "{rate}");
            assert_eq!(policy, "\"hour\";q=2;w=3600, \"second\";q=100;w=1");
        }
        let seen = self.refuses(&["-H", &bearer(&self.limited)], "/v2/users", Problem::new(ErrorCode::RateLimitExceeded));
        let [of, remaining, ..] = limit(&seen);
        assert_eq!((of.as_str(), remaining.as_str()), ("2", "0"));
        assert!(seen.header("retry-after").is_some_and(|wait| (1..=7_200).contains(&wait.parse::<u32>().unwrap())));
    }

    fn refuses_what_it_must(&self, good: &str, narrow: &str, test: &str) {
        let problem = Problem::new;
        let wrong = format!("{}{}", &good[..good.len() - 1], if good.ends_with('A') { 'B' } else { 'A' });
        self.refuses(&["-H", &bearer(&wrong)], "/v2/users", problem(ErrorCode::InvalidApiKey));
        self.refuses(&[], "/v2/users", problem(ErrorCode::Unauthorized));
        let elsewhere = ["-H", &bearer(good), "--interface", "127.0.0.2", "-H", "X-Forwarded-For: 127.0.0.1", "-H", "X-Real-IP: 127.0.0.1"];
        self.refuses(&elsewhere, "/v2/users", problem(ErrorCode::IpNotAllowed));
        let missing = || problem(ErrorCode::InsufficientPermissions).with("required_scope", "users:read");
        self.refuses(&["-H", &bearer(narrow)], "/v2/users", missing());
        self.refuses(&["-H", &bearer(test)], "/v2/users", problem(ErrorCode::EnvironmentMismatch));
        // What the client says of itself to Keystead does not count: in the query, in headers, in a body.
        self.refuses(&["-H", &bearer(test)], "/v2/users?environment=test&nginx=1", problem(ErrorCode::EnvironmentMismatch));
        let forged = ["-H", "X-Keystead-Require: environment=test", "-H", "X-Keystead-Gateway: gk_x", "-H", "X-Original-URI: /free"];
        self.refuses(
            &[&["-H", &bearer(test), "-X", "POST", "-d", "x=1"], &forged[..]].concat(),
            "/v2/users",
            problem(ErrorCode::EnvironmentMismatch),
        );
        self.refuses(&[&["-H", &bearer(narrow)], &forged[..]].concat(), "/v2/users", missing());
        self.refuses(&["-H", &bearer(good), "-H", "X-API-Key: other"], "/v2/users", problem(ErrorCode::ConflictingCredentials));
        assert_eq!(self.get("/elsewhere", &["-H", &bearer(narrow)]).status, 200, "other paths need no scope");
        let head = self.get("/v2/users", &["-I", "-H", &bearer(narrow)]);
        assert_eq!((head.status, head.body.as_str()), (403, ""), "HEAD");
    }

    /// A path that the API may read as `/v2/users` needs what `/v2/users` needs.
    fn knows_a_path_however_it_is_written(&self, narrow: &str) {
        let before = self.upstream.count();
        for path in [
            "/v2/%75sers",
            "//v2/users",
            "/v2//users",
            "/v2/./users",
            "/x/../v2/users",
            "/x/%2e%2e/v2/users",
            "/v2%2fusers",
            "/v2/users/1",
            "/v2/users;x=1",
            "/v2/users?x",
        ] {
            let status = self.get(path, &["-H", &bearer(narrow)]).status;
            assert!(matches!(status, 400 | 403), "{path}: {status}");
        }
        assert_eq!(self.upstream.count(), before, "the API saw one of them");
    }

    fn has_logged(&self, reasons: &[&str]) {
        let began = Instant::now();
        loop {
            let page = self.console.usage("?outcome=denied");
            if reasons.iter().all(|r| page.contains(r)) && page.contains("/v2/users") {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(2), "not in the usage log within two seconds");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Keystead frozen, then gone: an error for the client, no request for the API.
    fn fails_closed(&mut self, good: &str) {
        let before = self.upstream.count();
        let signal = |name: &str| Command::new("kill").args([name, &self.server.child.id().to_string()]).status().unwrap();
        assert!(signal("-STOP").success());
        let began = Instant::now();
        let frozen = self.get("/v2/users", &["-H", &bearer(good)]).status;
        let waited = began.elapsed();
        assert!(signal("-CONT").success());
        assert!((500..600).contains(&frozen) && waited < Duration::from_secs(20), "frozen: {frozen} after {waited:?}");
        assert_eq!(self.server.terminate(), Some(0));
        let gone = self.get("/v2/users", &["-H", &bearer(good)]).status;
        assert!((500..600).contains(&gone), "gone: {gone}");
        assert_eq!(self.upstream.count(), before, "the API saw a request that nobody allowed");
    }
}
