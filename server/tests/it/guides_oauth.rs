//! The OAuth and JWT steps of guides 001 and 002, as printed and in their order: each is given what the one before it got.

use crate::{
    browser::Browser,
    gateway::{Seen, bearer},
    guides::{Base, Bench, block, documented, fetch},
    guides_plan::To,
    oauth_clients::register,
};
use contract::{Secret, UnixMs};
use domain::webhooks::{self, WebhookSecret};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Around each program: how it tells what came of it, and where it keeps what a web framework would.
const AROUND: &str = "\
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const says = (status, what) => process.stdout.write(JSON.stringify([status, typeof what === 'string' ? what : JSON.stringify(what)]));
";

/// The steps that were run.
struct Steps<'a> {
    bench: &'a Bench,
    ran: BTreeSet<&'static str>,
}

/// Runs every step of both guides; which blocks that were.
pub fn steps(bench: &Bench) -> BTreeSet<&'static str> {
    let mut steps = Steps { bench, ran: BTreeSet::new() };
    steps.guide_001();
    steps.jwt_of_001();
    steps.webhook_of_001();
    steps.guide_002();
    steps.ran
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// With another last character but one: the last may hold bits that count for nothing.
fn mistyped(secret: &str) -> String {
    let at = secret.len() - 2;
    let other = if secret[at..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &secret[..at], &secret[at + 1..])
}

/// The value of a parameter of the address.
fn param(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap_or_else(|| panic!("no query: {url}")).1;
    let found = query.split('&').filter_map(|p| p.split_once('=')).find(|(n, _)| *n == name);
    found.unwrap_or_else(|| panic!("no {name}: {url}")).1.to_owned()
}

impl Steps<'_> {
    fn browser(&self, guide: &str) -> Browser {
        Browser::new(&self.bench.i, &self.bench.of(guide).0)
    }

    /// Runs a block of JavaScript as printed: before it stands what its app holds, after it what tells how it went.
    fn script(&mut self, id: &'static str, before: &str, after: &str) -> Seen {
        self.ran.insert(id);
        let (server, gateway) = self.bench.of(&id[..3]);
        let keystead = format!("http://localhost:{}", server.address.port());
        let printed = block(id).text.replace("https://auth.example.com", &keystead).replace("[AUTH_URL]", &keystead);
        let printed = Base { https: &gateway.url, http: &gateway.url }.substitute(&printed);
        let program = format!("{AROUND}{before}\n{printed}\n{after}");
        self.bench.program("node", &["--input-type=module", "-"], &program, &self.bench.good)
    }

    /// A request of the guide's own API, behind the gateway: the status, and that the API saw just what was let through.
    fn at_the_api(&self, guide: &str, path: &str, token: &str) -> Seen {
        let before = self.bench.upstream.count();
        let seen = fetch(&format!("{}{path}", self.bench.of(guide).1.url), &["-H", &bearer(token)]);
        assert_eq!(self.bench.upstream.count() > before, seen.status == 200, "{}", seen.body);
        seen
    }

    /// From registering an app to the second access token.
    fn guide_001(&mut self) {
        let app = self.bench.run(&block("001.3"), To::Keystead, &self.bench.good).json();
        let (id, secret) = (text(&app["client_id"]), text(&app["client_secret"]));
        let holds = |secret: &str, more: &str| {
            format!("const CLIENT_ID = '{id}', CLIENT_SECRET = '{secret}', REDIRECT_URI = 'https://myapp.com/callback';\n{more}")
        };
        let page = "const window = { location: {} }; const generateRandomState = () => 'a-random-state';";
        let url = self.script("001.4", &holds(&secret, page), "says(200, window.location.href);").body;
        let back = self.browser("001").follows(&url, "allow");
        assert!(back.starts_with("https://myapp.com/callback?"), "{back}");
        assert_eq!(param(&back, "state"), "a-random-state");

        let code = format!("const authorizationCode = '{}';", param(&back, "code"));
        let tokens = "says(response.status, { access_token, refresh_token });";
        assert_eq!(self.script("001.5", &holds(&mistyped(&secret), &code), tokens).status, 401);
        let got = self.script("001.5", &holds(&secret, &code), tokens);
        assert_eq!(got.status, 200, "{}", got.body);
        let first = text(&got.json()["access_token"]);
        assert_eq!(self.script("001.5", &holds(&secret, &code), tokens).status, 400, "a code is good once");
        assert_eq!(self.at_the_api("001", "/v2/users", &first).status, 401, "and the second use ends what the first one got");

        // Once more, without what ended it: the person is not asked again.
        let back = self.browser("001").follows(&url, "deny");
        let code = format!("const authorizationCode = '{}';", param(&back, "code"));
        let got = self.script("001.5", &holds(&secret, &code), tokens);
        assert_eq!(got.status, 200, "{}", got.body);
        let (second, refresh) = (text(&got.json()["access_token"]), text(&got.json()["refresh_token"]));
        self.calls_the_api(&second);

        let renewed = "says(response.status, { new_token });";
        let held = |refresh: &str| format!("const refresh_token = '{refresh}';");
        assert_eq!(self.script("001.7", &holds(&mistyped(&secret), &held(&refresh)), renewed).status, 401);
        assert_eq!(self.script("001.7", &holds(&secret, &held(&mistyped(&refresh))), renewed).status, 400);
        let got = self.script("001.7", &holds(&secret, &held(&refresh)), renewed);
        assert_eq!(got.status, 200, "{}", got.body);
        let third = text(&got.json()["new_token"]);
        assert_ne!(third, second);
        self.calls_the_api(&third);

        self.ran.insert("001.17.2");
        for (token, status) in [(mistyped(&third), 401), (third, 200)] {
            let mut block = block("001.17.2");
            block.text = block.text.replace("YOUR_ACCESS_TOKEN", &token);
            let seen = self.bench.run(&block, To::Keystead, &self.bench.good);
            assert_eq!(seen.status, status, "{}", seen.body);
        }
    }

    /// 001.6, with a token that works; and with one that does not, which the API must not see.
    fn calls_the_api(&mut self, token: &str) {
        let outcome = "says(response.status, await response.text());";
        for (token, status) in [(mistyped(token), 401), (token.to_owned(), 200)] {
            let before = self.bench.upstream.count();
            let seen = self.script("001.6", &format!("const access_token = '{token}';"), outcome);
            assert_eq!((seen.status, self.bench.upstream.count() > before), (status, status == 200), "{}", seen.body);
        }
    }

    /// A JWT that names no client is nobody's here, however well it is signed; what its makers do with it works all the same.
    fn jwt_of_001(&mut self) {
        let app = self.bench.run(&block("001.3"), To::Keystead, &self.bench.good).json();
        let secret = text(&app["client_secret"]);
        let who = format!("const userId = 'user_123', userName = 'John Doe', JWT_SECRET = '{secret}';");
        let token = self.script("001.10", &who, "says(200, token);").body;
        let verified = |secret: &str| {
            format!(
                "const jwt = require('jsonwebtoken'); const token = '{token}', JWT_SECRET = '{secret}';
                 const console = {{ log: (...what) => says(200, what), error: (...what) => says(401, what) }};"
            )
        };
        assert_eq!(self.script("001.11", &verified(&mistyped(&secret)), "").status, 401);
        let seen = self.script("001.11", &verified(&secret), "");
        assert_eq!((seen.status, &seen.json()[0]), (200, &json!("Valid token:")));
        self.ran.insert("001.9");
        let (printed, got) = (documented("001.9"), seen.json()[1].clone());
        for (name, value) in printed.as_object().unwrap() {
            // When it was made is an example; how long it is good is not.
            assert!(value == &got[name] || value.is_number() && got[name].is_number(), "{name}: {got}");
        }
        let lifetime = |claims: &Value| claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime(&printed), lifetime(&got));
        assert_eq!(self.at_the_api("001", "/v2/users", &token).status, 401);
    }

    /// What receives a webhook: it takes what Keystead signs, and nothing else.
    fn webhook_of_001(&mut self) {
        let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
        let body = json!({"type": "api_key.created", "data": {"name": "Zürich \"live\" / key", "uses": 3}}).to_string();
        let framework = format!(
            "const WEBHOOK_SECRET = '{text}';
             const app = {{ post: (path, handler) => {{ app[path] = handler; }} }};
             const res = {{ status: (code) => {{ res.code = code; return res; }}, send: () => {{}} }};"
        );
        let taken = |steps: &mut Self, secret: &str, sent: &str| {
            let secret = WebhookSecret::parse(Secret::new(secret.to_owned())).unwrap();
            let signed: BTreeMap<_, _> = webhooks::headers(&secret, None, "msg_1", UnixMs(0), &body).into_iter().collect();
            let calls = format!("app['/webhook']({{ headers: {}, body: {sent} }}, res); says(res.code ?? 200, '');", json!(signed));
            steps.script("001.12", &framework, &calls).status
        };
        assert_eq!(taken(self, text, &body), 200);
        assert_eq!(taken(self, other, &body), 401);
        assert_eq!(taken(self, text, &body.replace('3', "4")), 401);
    }

    /// A web app with a callback, a service, and JWTs of its own.
    fn guide_002(&mut self) {
        let server = &self.bench.of("002").0;
        let app = json!({"name": "Your app", "redirect_uris": ["https://yourapp.com/callback"], "scopes": ["read", "write"]});
        let app = register(&self.bench.i, server, app);
        let (id, secret) = (text(&app["client_id"]), text(&app["client_secret"]));
        let holds = |secret: &str, more: &str| format!("const CLIENT_ID = '{id}', CLIENT_SECRET = '{secret}', kept = {{}};\n{more}");
        let page = "const generateRandomState = () => 'a-random-state'; const res = { redirect: (to) => says(303, to) };";
        let url = self.script("002.6", &holds(&secret, page), "").body;
        let back = self.browser("002").follows(&url, "allow");
        assert!(back.starts_with("https://yourapp.com/callback?"), "{back}");

        // The framework that the callback is written for.
        let framework = "const app = { get: (path, handler) => { app[path] = handler; } };
            const saveTokens = async (user, tokens) => { kept.tokens = tokens; };
            const res = { redirect: (to) => { kept.to = to; }, status: (code) => { kept.status = code; return res; }, send: () => {} };";
        let calls = |state: &str| {
            format!(
                "await app['/callback']({{ query: {{ code: '{}', state: '{}' }}, session: {{ oauthState: '{state}' }}, user: {{ id: 1 }} }}, res);
                 says(200, kept);",
                param(&back, "code"),
                param(&back, "state"),
            )
        };
        assert_eq!(self.script("002.7", &holds(&secret, framework), &calls("of-somebody-else")).json(), json!({"status": 400}));
        let refused = self.script("002.7", &holds(&mistyped(&secret), framework), &calls("a-random-state")).json();
        assert_eq!(refused["tokens"], json!({}), "the guide goes on without a look at the status");
        let got = self.script("002.7", &holds(&secret, framework), &calls("a-random-state")).json();
        assert_eq!((&got["to"], got["tokens"]["expires_in"].as_i64()), (&json!("/dashboard"), Some(3_600)), "{got}");
        assert_eq!(self.at_the_api("002", "/v1/files", &text(&got["tokens"]["access_token"])).status, 200);

        let stored = |refresh: &str| {
            format!("const getStoredTokens = async () => ({{ refresh_token: '{refresh}' }}); const saveTokens = async () => {{}};")
        };
        let refresh = text(&got["tokens"]["refresh_token"]);
        let renews = "says(200, { token: await refreshAccessToken(1) });";
        assert_eq!(self.script("002.8", &holds(&secret, &stored(&mistyped(&refresh))), renews).json(), json!({}));
        let renewed = self.script("002.8", &holds(&secret, &stored(&refresh)), renews).json();
        assert_eq!(self.at_the_api("002", "/v1/files", &text(&renewed["token"])).status, 200);

        let alone = "says(200, { token: await getClientCredentialsToken() });";
        assert_eq!(self.script("002.9", &holds(&mistyped(&secret), ""), alone).json(), json!({}));
        let own = self.script("002.9", &holds(&secret, ""), alone).json();
        let seen = self.at_the_api("002", "/v1/files", &text(&own["token"]));
        assert_eq!((seen.status, &seen.json()["headers"]["x-keystead-scopes"]), (200, &json!(["read write"])), "{}", seen.body);

        self.jwt_of_002(&id, &secret);
    }

    /// 002.10 signs for the audience `[PRODUCT]_API`: the tenant says that this is what its API is called.
    fn jwt_of_002(&mut self, id: &str, secret: &str) {
        let makes = |secret: &str| format!("const CLIENT_ID = '{id}', CLIENT_SECRET = '{secret}';");
        let [token, forged] =
            [secret.to_owned(), mistyped(secret)].map(|secret| self.script("002.10", &makes(&secret), "says(200, generateJWT());").body);
        assert_eq!(self.at_the_api("002", "/v1/files", &token).status, 401, "for another API");
        let (status, text) = self.bench.of("002").0.curl(
            "/v1/settings",
            &[
                &["-X", "PATCH", "-H", &bearer(self.bench.i.key("api_key")), "-H", "Content-Type: application/json"][..],
                &["-d", r#"{"token_audiences": ["[PRODUCT]_API"]}"#],
            ]
            .concat(),
        );
        assert_eq!(status, 200, "{text}");
        self.ran.insert("002.11");
        for (token, status) in [(forged, 401), (token, 200)] {
            let mut block = block("002.11");
            block.text = block.text.replace("[JWT_TOKEN]", &token);
            let before = self.bench.upstream.count();
            let seen = self.bench.run(&block, To::Api, &self.bench.good);
            assert_eq!((seen.status, self.bench.upstream.count() > before), (status, status == 200), "{}", seen.body);
            if status == 200 {
                assert_eq!(seen.json()["headers"]["x-keystead-subject"], json!(["user_123"]));
            }
        }
    }
}
