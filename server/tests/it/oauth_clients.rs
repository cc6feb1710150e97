//! Clients that are not ours get their tokens here, on the whole way that their users would go: authlib and
//! requests-oauthlib for Python, openid-client and oauth4webapi for Node, and Apache's `mod_auth_openidc`.

use crate::{
    browser::Browser,
    gateway::{Seen, Upstream, bearer, free_port, launch},
    harness::{Installation, Server, on_both},
    verifiers::python,
};
use domain::testing::On;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

/// Registers an app over the API, and notes where it wants to be answered.
pub fn register(i: &Installation, server: &Server, app: Value) -> Value {
    let (status, text) = server
        .curl("/v1/oauth/applications", &["-H", &bearer(i.key("api_key")), "-H", "Content-Type: application/json", "-d", &app.to_string()]);
    assert_eq!(status, 201, "{text}");
    let mut made: Value = serde_json::from_str(&text).unwrap();
    made["redirect_uri"] = app["redirect_uris"][0].clone();
    made
}

pub fn issuer(server: &Server) -> String {
    format!("http://localhost:{}", server.address.port())
}

/// An app of each kind.
fn apps(i: &Installation, server: &Server) -> Value {
    let scopes = json!(["openid", "email", "profile", "offline_access", "users:read", "users:write"]);
    let app = |name: &str, redirect: Option<&str>, more: Value| {
        let mut app = json!({"name": name, "scopes": scopes, "redirect_uris": Vec::from_iter(redirect)});
        app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        register(i, server, app)
    };
    json!({
        "issuer": issuer(server),
        "api_key": i.key("api_key"),
        "user_id": i.key("user_id"),
        "tenant_id": i.key("tenant_id"),
        "email": "owner@acme.test",
        "confidential": app("Ledger", Some("https://ledger.test/cb"), json!({})),
        "modern": app("Ledger, new", Some("https://new.ledger.test/cb"), json!({"id_token_signed_response_alg": "EdDSA", "require_pkce": true})),
        "public": app("Ledger for the desk", Some("http://127.0.0.1/cb"), json!({"kind": "public"})),
        "machine": app("Ledger by night", None, json!({"kind": "machine", "scopes": ["users:read"]})),
    })
}

/// Runs a program of `tests/oauth_clients` to its end. What it prints are addresses that the person opens; where that leads
/// is told to it.
async fn goes_all_the_way(on: On, program: &str) {
    let i = Installation::new(on).await;
    tokio::task::block_in_place(|| {
        let server = i.serve(&[]);
        let browser = Browser::new(&i, &server);
        let mut command = if program.rsplit('.').next() == Some("py") { Command::new(python()) } else { Command::new("node") };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oauth_clients").join(program);
        command.arg(file).arg(apps(&i, &server).to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("{program}: {e}: run scripts/setup.sh test"));
        let mut answers = child.stdin.take().unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let (says, url) = line.split_once(' ').unwrap_or_else(|| panic!("{program} says {line}"));
            writeln!(answers, "{}", browser.follows(url, says)).unwrap();
        }
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    });
}

on_both! {
    async fn authlib_gets_refreshes_reads_and_ends_its_tokens(on) {
        goes_all_the_way(on, "with_authlib.py").await;
    }
}

on_both! {
    async fn requests_oauthlib_gets_its_tokens_and_refreshes_them_by_itself(on) {
        goes_all_the_way(on, "with_requests_oauthlib.py").await;
    }
}

on_both! {
    async fn openid_client_finds_nothing_to_object_to(on) {
        goes_all_the_way(on, "with_openid_client.mjs").await;
    }
}

on_both! {
    async fn oauth4webapi_reads_every_answer_by_the_letter_of_its_rfc(on) {
        goes_all_the_way(on, "with_oauth4webapi.mjs").await;
    }
}

/// Apache as people set it up: pages for whoever signed in at Keystead, and an API that asks Keystead about tokens.
const APACHE: &str = r#"
ServerRoot "{dir}"
ServerName 127.0.0.1
Listen 127.0.0.1:{listen}
PidFile "{dir}/pid"
Mutex file:{dir}
DefaultRuntimeDir "{dir}"
ErrorLog "{dir}/error.log"
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LoadModule auth_openidc_module /usr/lib/apache2/modules/mod_auth_openidc.so

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCProviderTokenEndpointAuth {auth_method}
OIDCRedirectURI http://127.0.0.1:{listen}/signed-in
OIDCCryptoPassphrase a-passphrase-of-this-test
OIDCScope "openid email profile users:read"
OIDCPKCEMethod S256
OIDCIDTokenSignedResponseAlg RS256
OIDCRemoteUserClaim email

OIDCOAuthClientID {client_id}
OIDCOAuthClientSecret {client_secret}
OIDCOAuthServerMetadataURL {issuer}/.well-known/oauth-authorization-server
OIDCOAuthTokenIntrospectionInterval -1
OIDCOAuthRemoteUserClaim sub

<Location "/">
  AuthType openid-connect
  Require valid-user
  ProxyPass "http://127.0.0.1:{upstream}/"
</Location>
<Location "/api/">
  AuthType oauth20
  Require claim client_id:{machine}
  ProxyPass "http://127.0.0.1:{upstream}/api/"
</Location>
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_behind_apaches_mod_auth_openidc_knows_who_signed_in_here() {
    let i = Installation::new(On::Sqlite).await;
    let upstream = Upstream::start().await;
    tokio::task::block_in_place(|| {
        let server = i.serve(&[]);
        let given = apps(&i, &server);
        for method in ["client_secret_basic", "client_secret_post"] {
            behind_apache(&i, &server, &upstream, &given, method);
        }
    });
}

/// Runs Apache, whose module proves itself by `method`, and goes through both of its parts.
fn behind_apache(i: &Installation, server: &Server, upstream: &Upstream, given: &Value, method: &str) {
    let listen = free_port();
    let app = json!({"name": format!("Apache, {method}"), "redirect_uris": ["http://127.0.0.1/signed-in"],
        "scopes": ["openid", "email", "profile", "users:read"], "require_pkce": true});
    let app = register(i, server, app);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (machine, secret) = (text(&given["machine"]["client_id"]), text(&given["machine"]["client_secret"]));
    let dir = i.dir().with_extension(format!("apache-{listen}"));
    fs::create_dir_all(&dir).unwrap();
    let places = [
        ("{dir}", dir.display().to_string()),
        ("{listen}", listen.to_string()),
        ("{upstream}", upstream.port.to_string()),
        ("{issuer}", issuer(server)),
        ("{client_id}", text(&app["client_id"])),
        ("{client_secret}", text(&app["client_secret"])),
        ("{auth_method}", method.to_owned()),
        ("{machine}", machine.clone()),
    ];
    let config = places.iter().fold(APACHE.to_owned(), |config, (place, value)| config.replace(place, value));
    fs::write(dir.join("apache.conf"), config).unwrap();
    let mut apache = Command::new("/usr/sbin/apache2");
    apache.arg("-DFOREGROUND").arg("-f").arg(dir.join("apache.conf"));
    let log = dir.join("error.log");
    let apache = launch(apache, dir, listen);
    let told = |seen: &Seen| format!("{method}: {}\n{}", seen.body, fs::read_to_string(&log).unwrap_or_default());
    let (desk, api) = (format!("{}/desk", apache.url), format!("{}/api/", apache.url));

    let browser = Browser::new(i, server);
    let before = upstream.count();
    let seen = browser.opens(&desk, &[]);
    assert_eq!((seen.status, upstream.count()), (302, before), "{}", told(&seen));
    let back = browser.follows(seen.header("location").unwrap(), "allow");
    assert!(back.starts_with(&format!("{}/signed-in?code=", apache.url)), "{back}");
    let seen = browser.opens(&back, &[]);
    assert_eq!(seen.header("location"), Some(desk.as_str()), "{}", told(&seen));
    let seen = browser.opens(&desk, &[]);
    assert_eq!(seen.status, 200, "{}", told(&seen));
    let page = seen.json();
    let claim = |name: &str| page["headers"][format!("oidc_claim_{name}")][0].as_str().unwrap_or_default();
    assert_eq!((claim("sub"), claim("email")), (i.key("user_id"), "owner@acme.test"), "{page}");
    assert_eq!((claim("iss"), claim("preferred_username")), (issuer(server).as_str(), "owner@acme.test"), "{page}");

    // The same Apache in front of an API: it asks Keystead about each token.
    let proof = format!("{machine}:{secret}");
    let (status, own) = server.curl("/oauth/token", &["-u", &proof, "-d", "grant_type=client_credentials"]);
    assert_eq!(status, 200, "{own}");
    let token = text(&serde_json::from_str::<Value>(&own).unwrap()["access_token"]);
    let seen = browser.opens(&api, &["-H", &bearer(&token)]);
    assert_eq!(seen.status, 200, "{}", told(&seen));
    assert_eq!(server.curl("/oauth/revoke", &["-u", &proof, "-d", &format!("token={token}")]).0, 200);
    for token in [token.as_str(), "nobody", &token[..token.len() - 9]] {
        let before = upstream.count();
        let seen = browser.opens(&api, &["-H", &bearer(token)]);
        assert_eq!((seen.status, upstream.count()), (401, before), "{}", told(&seen));
    }
}
