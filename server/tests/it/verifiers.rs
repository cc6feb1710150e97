//! Programs that are not ours verify what Keystead signs: `PyJWT`, and jose for Node, tokens through the key set;
//! standardwebhooks the headers of webhooks.

use crate::harness::{Installation, on_both};
use contract::Secret;
use domain::{
    clock::{Clock, SystemClock},
    testing::PASSWORD,
    webhooks::{self, WebhookSecret},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
};

const PYTHON: &str = r#"
import sys, jwt
url, issuer, token, audience = sys.argv[1:]
key = jwt.PyJWKClient(url + "/.well-known/jwks.json").get_signing_key_from_jwt(token)
claims = jwt.decode(token, key.key, algorithms=["EdDSA"], issuer=issuer, audience=audience,
    options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]})
assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
print(claims["sub"])
"#;

const NODE: &str = r"
import { createRemoteJWKSet, jwtVerify } from 'jose';
const [url, issuer, token, audience] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(url + '/.well-known/jwks.json'));
const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'],
  requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'] });
console.log(payload.sub);
";

/// Where `scripts/setup.sh test` puts what is written in Python.
pub fn python() -> PathBuf {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = || var("XDG_CACHE_HOME").unwrap_or_else(|| var("HOME").unwrap().join(".cache"));
    let tools = var("KEYSTEAD_TOOLS").unwrap_or_else(|| cache().join("keystead-tools"));
    tools.join("verifiers/bin/python")
}

fn verified(by: &str, url: &str, issuer: &str, token: &str, audience: &str) -> Output {
    let mut command = match by {
        "PyJWT" => Command::new(python()),
        _ => Command::new("node"),
    };
    let program: &[&str] = if by == "PyJWT" { &["-c", PYTHON] } else { &["--input-type=module", "--eval", NODE, "--"] };
    // node does not count the program among its arguments where it is given by --eval.
    let shift: &[&str] = if by == "PyJWT" { &[] } else { &["-"] };
    let ran = command.args(program).args(shift).args([url, issuer, token, audience]).output();
    ran.unwrap_or_else(|e| panic!("{by}: {e}: run scripts/setup.sh test"))
}

on_both! {
    async fn foreign_verifiers_take_our_tokens_through_the_key_set_and_nothing_else(on) {
        let i = Installation::new(on).await;
        tokio::task::block_in_place(|| {
            let server = i.serve(&[]);
            let url = format!("http://{}", server.address);
            let issuer = format!("http://localhost:{}", server.address.port());
            let body = json!({"email": "owner@acme.test", "password": PASSWORD}).to_string();
            let (status, text) = server.curl("/v1/auth/login", &["-d", &body, "-H", "Content-Type: application/json"]);
            assert_eq!(status, 200, "{text}");
            let answer: Value = serde_json::from_str(&text).unwrap();
            let token = answer["access_token"].as_str().unwrap();
            let (head, rest) = token.split_once('.').unwrap();
            let (claims, signature) = rest.split_once('.').unwrap();
            let changed = format!("{head}.{}{}.{signature}", &claims[..20], claims[20..].replacen('A', "B", 1));
            for by in ["PyJWT", "jose"] {
                let taken = verified(by, &url, &issuer, token, &issuer);
                assert!(taken.status.success(), "{by}: {taken:?}");
                assert_eq!(String::from_utf8_lossy(&taken.stdout).trim(), answer["user"]["id"].as_str().unwrap(), "{by}");
                for (token, issuer, audience) in [
                    (token, issuer.as_str(), "https://elsewhere.test"),
                    (token, "https://elsewhere.test", issuer.as_str()),
                    (&changed, &issuer, &issuer),
                ] {
                    let refused = verified(by, &url, issuer, token, audience);
                    assert!(!refused.status.success(), "{by}: {refused:?}");
                }
            }
        });
    }
}

const WEBHOOK: &str = r"
import json, sys
from standardwebhooks.webhooks import Webhook
secret, body, headers = sys.argv[1:]
Webhook(secret).verify(body, json.loads(headers))
";

#[test]
fn a_foreign_receiver_of_standard_webhooks_takes_what_is_signed_and_nothing_else() {
    let secret = |text: &str| WebhookSecret::parse(Secret::new(text.to_owned())).unwrap();
    let (old, new) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    let (body, now) = (r#"{"type":"api_key.created","data":{"name":"Zürich"}}"#, SystemClock.now());
    let taken = |text: &str, body: &str, headers: &[(&str, String)]| {
        let headers: BTreeMap<_, _> = headers.iter().cloned().collect();
        let out = Command::new(python()).args(["-c", WEBHOOK, text, body, &json!(headers).to_string()]).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success() || said.contains("WebhookVerificationError"), "{said}");
        out.status.success()
    };
    let one = webhooks::headers(&secret(new), None, "msg_1", now, body);
    assert!(taken(new, body, &one));
    assert!(!taken(old, body, &one), "of another secret");
    assert!(!taken(new, &body.replace("created", "revoked"), &one), "a changed body");
    assert!(!taken(new, body, &webhooks::headers(&secret(new), None, "msg_1", now.plus(-600_000), body)), "ten minutes old");
    let both = webhooks::headers(&secret(new), Some(&secret(old)), "msg_1", now, body);
    assert!(taken(new, body, &both) && taken(old, body, &both), "while it is rotated");
}
