//! The `openidconnect` crate as a client, on the whole way that its users go: discovery, code with PKCE and nonce, the ID
//! token, userinfo, refresh, introspection. Its HTTP client is curl, so it brings no TLS of its own.

use crate::{
    browser::Browser,
    gateway::bearer,
    harness::{Installation, Server, on_both},
    oauth_clients::{issuer, register},
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IntrospectionUrl, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, TokenIntrospectionResponse, TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims},
    http::{HeaderValue, StatusCode, header},
};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    process::{Command, Stdio},
};

/// One request by curl, which follows no redirects.
fn curl(request: HttpRequest) -> Result<HttpResponse, io::Error> {
    let mut command = Command::new("curl");
    command.args(["-sS", "-X", request.method().as_str(), "--data-binary", "@-", "-w", "\n%{content_type}\n%{http_code}"]);
    // Without a body none is announced.
    command.args(["-H", "Content-Type:", "-H", "Expect:"]);
    for (name, value) in request.headers() {
        command.arg("-H").arg(format!("{name}: {}", value.to_str().map_err(io::Error::other)?));
    }
    let mut child = command.arg(request.uri().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or_else(|| io::Error::other("no stdin"))?.write_all(request.body())?;
    let out = String::from_utf8(child.wait_with_output()?.stdout).map_err(io::Error::other)?;
    let mut parts = out.rsplitn(3, '\n');
    let (Some(status), Some(kind), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(io::Error::other(out));
    };
    let mut response = HttpResponse::new(body.as_bytes().to_vec());
    *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).map_err(io::Error::other)?;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).map_err(io::Error::other)?);
    Ok(response)
}

/// Signs the owner in through the app, and uses everything that came of it.
fn signs_in(i: &Installation, server: &Server, app: &Value) {
    let text = |name: &str| app[name].as_str().unwrap().to_owned();
    let metadata = CoreProviderMetadata::discover(&IssuerUrl::new(issuer(server)).unwrap(), &curl).unwrap();
    let introspection = IntrospectionUrl::new(format!("{}/oauth/introspect", issuer(server))).unwrap();
    let secret = app["client_secret"].as_str().map(|s| ClientSecret::new(s.to_owned()));
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(text("client_id")), secret)
        .set_redirect_uri(RedirectUrl::new(text("redirect_uri")).unwrap())
        .set_introspection_url(introspection);

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let asked = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
    let scopes = ["email", "profile", "offline_access", "users:read"].map(|s| Scope::new(s.to_owned()));
    let (url, state, nonce) = asked.add_scopes(scopes).set_pkce_challenge(challenge).url();
    let back = Browser::new(i, server).follows(url.as_str(), "allow");
    assert!(back.starts_with(&text("redirect_uri")), "{back}");
    let given: Vec<(String, String)> = serde_urlencoded::from_str(back.split_once('?').unwrap().1).unwrap();
    let param = |name: &str| given.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()).unwrap();
    assert_eq!((&param("state"), &param("iss")), (state.secret(), &issuer(server)));

    let exchange = client.exchange_code(AuthorizationCode::new(param("code"))).unwrap();
    let held = exchange.set_pkce_verifier(verifier).request(&curl).unwrap();
    let trusted = client.id_token_verifier();
    let id_token = held.id_token().expect("an ID token");
    let claims = id_token.claims(&trusted, &nonce).expect("signature, issuer, audience, nonce and times hold");
    // With an access token beside it, it says who, and userinfo the rest (OpenID Connect Core, section 5.4).
    assert_eq!((claims.subject().as_str(), claims.email()), (i.key("user_id"), None));
    let hash = AccessTokenHash::from_token(held.access_token(), id_token.signing_alg().unwrap(), id_token.signing_key(&trusted).unwrap());
    assert_eq!(Some(&hash.unwrap()), claims.access_token_hash());
    assert!(id_token.claims(&trusted, &Nonce::new("another".to_owned())).is_err(), "another sign-in's nonce");

    let told: CoreUserInfoClaims =
        client.user_info(held.access_token().clone(), Some(claims.subject().clone())).unwrap().request(&curl).unwrap();
    assert_eq!(told.email().unwrap().as_str(), "owner@acme.test");

    let refreshed = client.exchange_refresh_token(held.refresh_token().expect("a refresh token")).unwrap().request(&curl).unwrap();
    assert_ne!(refreshed.access_token().secret(), held.access_token().secret());
    let granted: Vec<&str> = refreshed.scopes().unwrap().iter().map(|s| s.as_str()).collect();
    assert!(granted.contains(&"users:read"), "{granted:?}");
    assert_eq!(server.curl("/v1/auth/test", &["-H", &bearer(refreshed.access_token().secret())]).0, 200);

    // The crate revokes at https addresses only, so this is done beside it; then it is told so.
    if app["client_secret"].is_string() {
        let active = || client.introspect(refreshed.access_token()).request(&curl).unwrap().active();
        assert!(active());
        let proof = format!("{}:{}", text("client_id"), text("client_secret"));
        let token = format!("token={}", refreshed.refresh_token().unwrap().secret());
        assert_eq!(server.curl("/oauth/revoke", &["-u", &proof, "-d", &token]).0, 200);
        assert!(!active());
    }
}

on_both! {
    async fn the_openidconnect_crate_signs_people_in_and_verifies_what_it_is_told(on) {
        let i = Installation::new(on).await;
        tokio::task::block_in_place(|| {
            let server = i.serve(&[]);
            let app = |name: &str, redirect: &str, more: Value| {
                let scopes = json!(["openid", "email", "profile", "offline_access", "users:read"]);
                let mut app = json!({"name": name, "scopes": scopes, "redirect_uris": [redirect]});
                app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                register(&i, &server, app)
            };
            signs_in(&i, &server, &app("RS256", "https://ledger.test/cb", json!({})));
            signs_in(&i, &server, &app("EdDSA", "https://new.ledger.test/cb", json!({"id_token_signed_response_alg": "EdDSA"})));
            signs_in(&i, &server, &app("Public", "http://127.0.0.1:4711/cb", json!({"kind": "public"})));
        });
    }
}
