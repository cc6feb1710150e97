//! The five authentication guides: their requests as printed, in bash, JavaScript and Python, only with base URL,
//! credentials and ids substituted; their resources behind the documented nginx; the answers as they document them.

use crate::{
    gateway::{Console, Gateway, Seen, Upstream, bearer, free_port, launch, limited_key},
    guides_oauth,
    guides_plan::{ANSWERS, DECIDED, EXAMPLES, Fate, NO_REQUESTS, OF_PEOPLE, PLAN, REFUSALS, To},
    harness::{Installation, Server, curl, on_both},
    nginx::NGINX,
};
use clap::Parser;
use domain::testing::{On, PASSWORD};
use keystead::{cli::Cli, open};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf, process::Command};

const GUIDES: [&str; 5] = [
    include_str!("../guides/000_46eb619a76f57df4.txt"),
    include_str!("../guides/001_a9edaeab4ec4dfd0.txt"),
    include_str!("../guides/002_0a95edcd2dc4b42d.txt"),
    include_str!("../guides/003_38f355440390bfd0.txt"),
    include_str!("../guides/004_d7dfb6dacf7a09a2.txt"),
];

/// A fenced block, or one of the requests in it.
#[derive(Clone, Debug)]
pub struct Block {
    /// `guide.number`, and `.part` where a block of shell holds several requests.
    id: String,
    language: String,
    /// Without the indentation of its fence.
    pub text: String,
}

impl Block {
    fn guide(&self) -> &str {
        &self.id[..3]
    }

    fn fate(&self) -> Fate {
        PLAN.iter().find(|(id, ..)| *id == self.id).unwrap_or_else(|| panic!("{} is not in the plan", self.id)).2
    }
}

fn blocks() -> Vec<Block> {
    let mut found = Vec::new();
    for (guide, text) in GUIDES.iter().enumerate() {
        let mut number = 0;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(language) = line.trim_start().strip_prefix("```") else { continue };
            let indent = line.len() - line.trim_start().len();
            let inside = lines.by_ref().take_while(|l| l.trim() != "```").map(|l| l.get(indent..).unwrap_or_default());
            let text = inside.collect::<Vec<_>>().join("\n");
            number += 1;
            let id = format!("{guide:03}.{number}");
            let parts: Vec<_> = text.split("\n\n").filter(|p| p.contains("curl ")).map(ToOwned::to_owned).collect();
            let language = language.trim().to_owned();
            if language == "bash" && parts.len() > 1 {
                let part = |(n, text): (usize, String)| Block { id: format!("{id}.{}", n + 1), language: language.clone(), text };
                found.extend(parts.into_iter().enumerate().map(part));
            } else {
                found.push(Block { id, language, text });
            }
        }
    }
    found
}

pub fn block(id: &str) -> Block {
    blocks().into_iter().find(|b| b.id == id).unwrap_or_else(|| panic!("no block {id}"))
}

/// A documented answer: the JSON of the block, below a status line and headers where it has them.
pub fn documented(id: &str) -> Value {
    let text = block(id).text;
    serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap_or_else(|e| panic!("{id}: {e}"))
}

/// Everything that the documented answer says stands in the real one.
fn compare(id: &str, status: u16, got: &Value) {
    let mut wanted = documented(id);
    for (_, _, member, ours) in DECIDED.iter().filter(|(of, on, ..)| *of == id && *on == status) {
        let (parent, name) = member.rsplit_once('/').unwrap();
        let parent = wanted.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
        assert!(parent.remove(name).is_some_and(|documented| documented != *ours), "{id}{member}: the guide says so anyway");
        if !ours.is_empty() {
            parent.insert(name.to_owned(), (*ours).into());
        }
    }
    says(id, "", &wanted, got);
}

fn says(id: &str, at: &str, wanted: &Value, got: &Value) {
    if let Value::Object(members) = wanted {
        for (name, value) in members {
            says(id, &format!("{at}/{name}"), value, got.get(name).unwrap_or(&Value::Null));
        }
    } else if EXAMPLES.contains(&(id, at)) {
        assert_eq!(std::mem::discriminant(wanted), std::mem::discriminant(got), "{id}{at}: {wanted} and {got}");
    } else {
        assert_eq!(wanted, got, "{id}{at}");
    }
}

/// The credentials that the guides' placeholders stand for.
pub struct Credentials {
    key: String,
    tenant: String,
    admin: String,
    /// Of the owner, who signed in over the API.
    token: String,
    refresh: String,
    password: String,
    tenant_id: String,
    /// The id of another tenant.
    elsewhere: String,
}

impl Credentials {
    /// The same with one character wrong in each.
    fn mistyped(&self) -> Self {
        let wrong = |key: &str| format!("{}{}", &key[..key.len() - 1], if key.ends_with('A') { 'B' } else { 'A' });
        Self {
            key: wrong(&self.key),
            tenant: wrong(&self.tenant),
            admin: wrong(&self.admin),
            token: wrong(&self.token),
            refresh: wrong(&self.refresh),
            password: wrong(&self.password),
            tenant_id: self.tenant_id.clone(),
            elsewhere: self.elsewhere.clone(),
        }
    }

    fn substitute(&self, text: &str) -> String {
        let text = text.replace(&format!("\"refresh_token\": \"{EXAMPLE_JWT}\""), &format!("\"refresh_token\": \"{}\"", self.refresh));
        let owner = "owner@acme.test".to_owned();
        let places = [
            ("user@company.com", &owner),
            ("secure_password", &self.password),
            (EXAMPLE_JWT, &self.token),
            ("your-jwt-token-here", &self.token),
            ("tk_tenant_123_abc123", &self.tenant),
            ("tenant_123", &self.tenant_id),
            ("sk_live_admin_key", &self.admin),
            ("tenant_456", &self.elsewhere),
            ("sk_live_1234567890abcdef", &self.key),
            ("your-api-key-here", &self.key),
            ("[YOUR_API_KEY]", &self.key),
            ("YOUR_API_KEY", &self.key),
            ("YOUR_TOKEN", &self.key),
        ];
        places.iter().fold(text, |text, (place, key)| text.replace(place, key))
    }
}

/// How the guides print a token.
const EXAMPLE_JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...";

/// Signs the owner in over the API, as guide 004 does.
fn sign_in(i: &Installation, server: &Server) -> Value {
    let body = json!({"email": "owner@acme.test", "password": PASSWORD, "tenant_id": i.key("tenant_id")}).to_string();
    let (status, text) = server.curl("/v1/auth/login", &["-d", &body, "-H", "Content-Type: application/json"]);
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Where the requests of a guide go.
pub struct Base<'a> {
    pub https: &'a str,
    pub http: &'a str,
}

impl Base<'_> {
    pub fn substitute(&self, text: &str) -> String {
        let hosts = ["api.sdragent.com", "api.example.com", "api.audimodal.ai"];
        let text = text.replace("[API_URL]", self.https).replace("[resource]", "files");
        hosts
            .iter()
            .fold(text, |text, host| text.replace(&format!("https://{host}"), self.https).replace(&format!("http://{host}"), self.http))
    }
}

/// Keystead in its standard and its flat form, each with an nginx in front of the API, and one behind https.
pub struct Bench {
    pub i: Installation,
    pub upstream: Upstream,
    standard: (Server, Gateway),
    flat: (Server, Gateway),
    secure: (Server, Gateway, String),
    pub good: Credentials,
    narrow: String,
    /// Keys that may call 1,000 times an hour, and once.
    limited: [String; 2],
    /// The owner's token as it will be when it has expired.
    expired: String,
}

impl Bench {
    async fn new(on: On) -> Self {
        let i = Installation::new(on).await;
        let upstream = Upstream::start().await;
        let limited = [limited_key(&i, 1_000).await, limited_key(&i, 1).await];
        let mut bench = tokio::task::block_in_place(|| {
            let behind = |args: &[&str]| {
                let server = i.serve(args);
                let gateway = NGINX.start(&i, &server, upstream.port);
                (server, gateway)
            };
            let (standard, flat) = (behind(&[]), behind(&["--error-format", "flat"]));
            let secure = Self::secure(&i);
            let console = Console::sign_in(&standard.0);
            let form = |scope: &str| format!("environment=live&more_scopes={scope}&expires=never&allowed_ips=");
            let tenant = console.create_kind("tenant", "tk_", &form("users%3Aread"));
            let other = i.run(&["tenants", "create", "--name", "Other", "--json"], "");
            let other: Value = serde_json::from_slice(&other.stdout).unwrap();
            let signed_in = sign_in(&i, &standard.0);
            let good = Credentials {
                key: console.create(&form("users%3Aread")),
                tenant,
                admin: i.key("api_key").to_owned(),
                token: signed_in["access_token"].as_str().unwrap().to_owned(),
                refresh: signed_in["refresh_token"].as_str().unwrap().to_owned(),
                password: PASSWORD.to_owned(),
                tenant_id: i.key("tenant_id").to_owned(),
                elsewhere: other["id"].as_str().unwrap().to_owned(),
            };
            let narrow = console.create(&form("users%3Awrite"));
            // The other two servers read the log of key changes four times a second.
            std::thread::sleep(std::time::Duration::from_secs(1));
            Self { i, upstream, standard, flat, secure, good, narrow, limited, expired: String::new() }
        });
        bench.expired = expired(&bench.i, &bench.good.token).await;
        bench
    }

    /// An https installation: nginx ends TLS in front of it, and passes plain http on as such.
    fn secure(i: &Installation) -> (Server, Gateway, String) {
        let server = i.serve(&["--public-url", "https://keystead.test", "--trusted-proxies", "127.0.0.1/32"]);
        let (tls, plain) = (free_port(), free_port());
        let dir = i.dir().with_extension("tls");
        fs::create_dir_all(&dir).unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&dir)
            .output()
            .expect("openssl: run scripts/setup.sh test");
        assert!(made.status.success(), "{made:?}");
        let d = dir.display();
        let config = format!(
            "{} server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; ssl_certificate {d}/cert.pem; \
             ssl_certificate_key {d}/key.pem; location / {{ proxy_pass http://{}; proxy_set_header X-Forwarded-For $remote_addr; \
             proxy_set_header X-Forwarded-Proto $scheme; }} }} }}",
            NGINX.around.0.replace("{dir}", &d.to_string()),
            server.address,
        );
        fs::write(dir.join("nginx.conf"), config).unwrap();
        let gateway = launch((NGINX.command)(&dir), dir, plain);
        (server, gateway, format!("https://127.0.0.1:{tls}"))
    }

    /// Server and gateway that speak as the guide expects errors: guide 002 has the flat form.
    pub fn of(&self, guide: &str) -> &(Server, Gateway) {
        if guide == "002" { &self.flat } else { &self.standard }
    }

    /// Runs a block as printed.
    pub fn run(&self, block: &Block, to: To, with: &Credentials) -> Seen {
        let (server, gateway) = self.of(block.guide());
        let keystead = format!("http://{}", server.address);
        let base = match to {
            _ if block.id.starts_with("004.11") => Base { https: &self.secure.2, http: &self.secure.1.url },
            To::Api => Base { https: &gateway.url, http: &gateway.url },
            To::Keystead => Base { https: &keystead, http: &keystead },
        };
        let text = with.substitute(&base.substitute(&block.text));
        match (block.language.as_str(), request_line(&text)) {
            (_, Some(_)) => Self::http(&text, &base, &with.admin),
            ("bash", None) => self.shell(&text, with),
            ("javascript", None) => self.program("node", &["--input-type=module", "-"], &format!("{text}\n{NODE}"), with),
            ("python", None) => self.program("/usr/bin/python3", &["-"], &format!("{text}\n{PYTHON}"), with),
            (language, None) => panic!("{}: {language} is not run", block.id),
        }
    }

    /// bash, where `curl` also notes what it got.
    fn shell(&self, text: &str, with: &Credentials) -> Seen {
        let out = self.i.dir().with_extension("out");
        fs::create_dir_all(&out).unwrap();
        let script =
            format!("curl() {{ command curl -sS -m 30 -D '{0}/head' -o '{0}/body' -w '%{{http_code}}' \"$@\"; }}\n{text}", out.display());
        let cert = self.i.dir().with_extension("tls").join("cert.pem");
        let ran = Command::new("bash").args(["-c", &script]).env("API_KEY", &with.key).env("CURL_CA_BUNDLE", cert).output().unwrap();
        assert!(ran.status.success(), "{text}\n{}", String::from_utf8_lossy(&ran.stderr));
        let read = |name: &str| fs::read_to_string(out.join(name)).unwrap_or_default();
        Seen::of(String::from_utf8_lossy(&ran.stdout).trim().parse().unwrap(), &read("head"), &read("body"))
    }

    /// A program that ends by printing status and body, as JSON.
    pub fn program(&self, program: &str, args: &[&str], text: &str, with: &Credentials) -> Seen {
        let file: PathBuf = self.i.dir().with_extension("program");
        fs::write(&file, text).unwrap();
        let ran = Command::new(program).args(args).env("API_KEY", &with.key).stdin(fs::File::open(&file).unwrap()).output();
        let ran = ran.unwrap_or_else(|e| panic!("{program}: {e}: run scripts/setup.sh test"));
        let _removed = fs::remove_file(&file);
        assert!(ran.status.success(), "{text}\n{}", String::from_utf8_lossy(&ran.stderr));
        let (status, body): (u16, String) = serde_json::from_slice(&ran.stdout).unwrap();
        Seen { status, headers: vec![], body }
    }

    /// A request as it goes over the wire: request line, headers, an empty line or a brace, body.
    fn http(text: &str, base: &Base<'_>, key: &str) -> Seen {
        let (method, path, rest) = request_line(text).unwrap();
        let (head, body) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        let url = format!("{}{path}", base.https);
        let mut args = vec!["-i".to_owned(), "-X".into(), method.into(), "-d".into(), body.trim().into()];
        let mut headers: Vec<String> = head.lines().filter(|l| l.contains(':')).map(ToOwned::to_owned).collect();
        // What a guide leaves out where it only shows the body.
        for (name, missing) in [("authorization:", bearer(key)), ("content-type:", "Content-Type: application/json".into())] {
            if !headers.iter().any(|h| h.to_lowercase().starts_with(name)) {
                headers.push(missing);
            }
        }
        args.extend(headers.into_iter().flat_map(|h| ["-H".to_owned(), h]));
        fetch(&url, &args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Sends the headers of a block with a GET.
    fn headers(&self, block: &Block, path: &str, with: &Credentials) -> Seen {
        let text = with.substitute(&block.text);
        let mut lines: Vec<String> = text.lines().map(|l| l.split("  #").next().unwrap().trim().to_owned()).collect();
        // Optional headers stand beside a credential.
        if !lines.iter().any(|l| l.starts_with("Authorization:") || l.starts_with("X-API-Key:")) {
            lines.push(bearer(&with.key));
        }
        let args: Vec<&str> = lines.iter().flat_map(|h| ["-H", h.as_str()]).collect();
        fetch(&format!("{}{path}", self.of(block.guide()).1.url), &args)
    }
}

/// What a token will be an hour and a minute after it was issued.
async fn expired(i: &Installation, token: &str) -> String {
    let part = |n: usize| -> Value {
        let decoded = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, token.split('.').nth(n).unwrap());
        serde_json::from_slice(&decoded.unwrap()).unwrap()
    };
    let (header, mut claims) = (part(0), part(1));
    for time in ["iat", "exp"] {
        claims[time] = (claims[time].as_i64().unwrap() - 3_660).into();
    }
    let config = Cli::parse_from(["keystead", "--data-dir", &i.dir().display().to_string(), "--database-url", &i.url]).config;
    let core = open::core(&config, "http://localhost", false).await.unwrap();
    let expired = domain::tokens::sign_anything(&core, &header, &claims);
    core.stop().await;
    expired
}

pub fn fetch(url: &str, args: &[&str]) -> Seen {
    let (status, text) = curl(url, &[&["-i"], args].concat());
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Seen::of(status, head, body)
}

const NODE: &str = "console.log(JSON.stringify([response.status, await response.text()]));";
const PYTHON: &str = "import json; print(json.dumps([response.status_code, response.text]))";

/// `METHOD /path` and what follows, where a line of the block is one.
fn request_line(text: &str) -> Option<(&str, &str, &str)> {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let line = text.lines().find(|l| methods.iter().any(|m| l.strip_prefix(m).is_some_and(|rest| rest.starts_with(" /"))))?;
    let (method, path) = line.split_once(' ').unwrap();
    Some((method, path, text.split_once(line).unwrap().1))
}

on_both! {
    async fn the_requests_of_the_five_guides_get_the_documented_answers(on) {
        let bench = &Bench::new(on).await;
        tokio::task::block_in_place(|| {
            let mut compared = BTreeSet::from(["004.8", "004.9", "004.15"]);
            // nginx drops what a refusal says beside its code: since when is told by Keystead itself.
            let late = fetch(&format!("http://{}/v1/auth/me", bench.of("004").0.address), &["-H", &bearer(&bench.expired)]);
            assert_eq!(late.status, 401);
            compare("004.15", 401, &late.json());
            // What shuts its own caller out comes last.
            let (last, blocks): (Vec<Block>, Vec<Block>) = blocks().into_iter().partition(|b| b.text.contains("ip-allowlist"));
            for block in &blocks {
                compared.extend(bench.answers_as_documented(block));
            }
            let flow: BTreeSet<&str> = PLAN.iter().filter(|(.., fate)| *fate == Fate::Step).map(|(id, ..)| *id).collect();
            assert_eq!(guides_oauth::steps(bench), flow, "steps that were run, and those that are to be");
            rate_limits(bench);
            the_unwritten(bench);
            for (guide, unauthorized, forbidden) in REFUSALS {
                let url = format!("{}/v2/users", bench.of(guide).1.url);
                let seen = fetch(&url, &["-H", &bearer(&bench.narrow)]);
                assert_eq!(seen.status, 403);
                compare(forbidden, 403, &seen.json());
                compared.insert(*forbidden);
                // Without any credential guides 000 and 001 are answered in their own words.
                if ["000", "001"].contains(guide) {
                    says(unauthorized, "", &documented(unauthorized), &fetch(&url, &[]).json());
                }
            }
            for block in &last {
                compared.extend(bench.answers_as_documented(block));
            }
            let seen = fetch(&format!("{}/v2/users", bench.standard.1.url), &["-H", &bearer(&bench.good.key)]);
            assert_eq!(seen.json()["error"]["code"], "IP_NOT_ALLOWED", "the allowlist holds");
            let answers: BTreeSet<&str> = PLAN.iter().filter(|(.., fate)| *fate == Fate::Answer).map(|(id, ..)| *id).collect();
            assert_eq!(compared, answers, "documented answers that were compared, and those that are to be");
        });
    }
}

impl Bench {
    /// Sends a request with a wrong credential and with the good one; which documented answers that compared.
    fn answers_as_documented(&self, block: &Block) -> Vec<&'static str> {
        let id = block.id.as_str();
        let (status, api) = match block.fate() {
            Fate::Run(to, status) => (status, to == To::Api),
            Fate::Headers(_) => (200, true),
            _ => return vec![],
        };
        let send = |with: &Credentials| match block.fate() {
            Fate::Headers(path) => self.headers(block, path, with),
            Fate::Run(to, _) => self.run(block, to, with),
            _ => unreachable!("neither is sent"),
        };
        let (mut compared, head) = (vec![], block.text.contains("curl -I"));
        // The wrong credential first: the good one may change something.
        if block.text.contains("Authorization") || block.text.contains("X-API-Key") || request_line(&block.text).is_some() {
            let before = self.upstream.count();
            let seen = send(&self.good.mistyped());
            assert_eq!((seen.status, self.upstream.count()), (401, before), "{id}: {}", seen.body);
            if let Some((_, code)) = OF_PEOPLE.iter().find(|(of, _)| *of == id) {
                assert_eq!(seen.json()["error"]["code"], *code, "{id}");
            } else if !head {
                let (_, unauthorized, _) = REFUSALS.iter().find(|(g, ..)| *g == block.guide()).unwrap();
                compare(unauthorized, 401, &seen.json());
                compared.push(*unauthorized);
            }
        }
        let before = self.upstream.count();
        let seen = send(&self.good);
        assert_eq!((seen.status, self.upstream.count() > before), (status, api), "{id}: {}", seen.body);
        if api && !head {
            assert_eq!(seen.json()["upstream"], true, "{id}");
        }
        if let Some((_, answer)) = ANSWERS.iter().find(|(of, _)| *of == id) {
            compare(answer, seen.status, &seen.json());
            compared.push(*answer);
        }
        // What a request sets stands in the answer; what a person proves does not.
        if let Some((_, _, rest)) = request_line(&block.text).filter(|_| !OF_PEOPLE.iter().any(|(of, _)| *of == id)) {
            let body: Value = serde_json::from_str(&rest[rest.find('{').unwrap()..]).unwrap();
            let answer = seen.json();
            for (name, set) in body.as_object().unwrap() {
                let got = &answer[name];
                // `read:users` is `users:read`: the catalogue's spelling comes back.
                assert!(
                    got == set || name == "scopes" && got.as_array().map(Vec::len) == set.as_array().map(Vec::len),
                    "{id}: {name}: {got}"
                );
            }
        }
        compared
    }
}

/// Guide 004 prints status and headers of a first request and of one too many.
fn rate_limits(bench: &Bench) {
    let url = format!("{}/v2/users", bench.of("004").1.url);
    let call = |key: &str| fetch(&url, &["-H", &bearer(key)]);
    let printed = |id: &str| {
        block(id)
            .text
            .lines()
            .filter_map(|l| l.split_once(": "))
            .filter(|(n, _)| n.starts_with("X-"))
            .map(|(n, v)| (n.to_lowercase(), v.to_owned()))
            .collect::<Vec<_>>()
    };
    let first = call(&bench.limited[0]);
    assert_eq!((first.status, printed("004.8").len()), (200, 3));
    for (name, value) in printed("004.8") {
        let got = first.header(&name).unwrap_or_else(|| panic!("004.8: no {name}"));
        // The moment of the reset is an example; limit and rest are as printed.
        assert!(if name.ends_with("reset") { got.parse::<u64>().is_ok() } else { got == value }, "004.8: {name}: {got}");
    }
    assert_eq!(call(&bench.limited[1]).status, 200);
    let over = call(&bench.limited[1]);
    assert_eq!((over.status, over.header("x-ratelimit-remaining"), printed("004.9").len()), (429, Some("0"), 3));
    for (name, _) in printed("004.9") {
        assert!(over.header(&name).is_some_and(|v| v.parse::<u64>().is_ok()), "004.9: {name}");
    }
    compare("004.9", 429, &over.json());
}

/// What the guides say in words beside their blocks.
fn the_unwritten(bench: &Bench) {
    let gateway = &bench.standard.1.url;
    // 003: X-Request-ID "for tracking and debugging" is answered with the refusal that it asks about.
    let seen = fetch(&format!("{gateway}/v2/users"), &["-H", "X-Request-ID: unique-request-id"]);
    assert_eq!((seen.header("x-request-id"), seen.json()["request_id"].as_str()), (Some("unique-request-id"), Some("unique-request-id")));
    // 004.11: plain http is refused with words.
    let seen = fetch(&format!("{}/v1/health", bench.secure.1.url), &[]);
    assert_eq!(seen.json()["error"]["code"], "HTTPS_REQUIRED");
}

#[test]
fn every_block_of_the_guides_is_run_compared_or_listed() {
    let found = blocks();
    let planned: Vec<&str> = PLAN.iter().map(|(id, ..)| *id).collect();
    let ids: Vec<&str> = found.iter().map(|b| b.id.as_str()).collect();
    assert_eq!(ids, planned, "the blocks of the guides, and the plan, in order");
    for (block, (id, piece, _)) in found.iter().zip(PLAN) {
        assert!(block.text.contains(piece), "{id} is another block: {}", block.text);
    }
    for id in DECIDED.iter().map(|d| d.0).chain(EXAMPLES.iter().map(|e| e.0)).chain(ANSWERS.iter().map(|a| a.1)) {
        assert_eq!(block(id).fate(), Fate::Answer, "{id}");
    }
    let no_requests = PLAN.iter().filter(|(.., fate)| matches!(fate, Fate::NoRequest(_))).count();
    assert_eq!(no_requests, NO_REQUESTS, "blocks that are no request: the number only shrinks");
}

#[test]
fn the_page_about_the_guides_names_every_block() {
    let page = include_str!("../../../docs/guides.md");
    let mut missing = String::new();
    for (id, ..) in PLAN {
        if !page.lines().any(|l| l.starts_with(&format!("| {id} |"))) {
            let _never_fails = write!(missing, "{id} ");
        }
    }
    assert!(missing.is_empty(), "not in docs/guides.md: {missing}");
}

#[test]
fn the_copies_of_the_guides_are_the_customers() {
    let seeds = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/seeds"));
    for entry in fs::read_dir(seeds).into_iter().flatten().flatten() {
        let copy = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guides")).join(entry.file_name());
        assert_eq!(fs::read(entry.path()).unwrap(), fs::read(&copy).unwrap_or_default(), "{}", copy.display());
    }
}
