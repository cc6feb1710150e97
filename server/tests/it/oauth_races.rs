//! Fifty clients at once, and a process that is killed: what the domain's tests say of codes and refresh tokens, of the
//! binary as it is shipped (`KEYSTEAD_BIN`).

use crate::{
    browser::Browser,
    gateway::bearer,
    harness::{Installation, Server, on_both},
    oauth_clients::{issuer, register},
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Barrier,
    thread,
    time::Duration,
};

/// As many as security.md says.
const AT_ONCE: usize = 50;

/// Sends the same token request over that many connections, all of which stand before the first byte is written.
fn at_once(server: &Server, app: &Value, form: &str) -> Vec<(u16, Value)> {
    let text = |name: &str| app[name].as_str().unwrap();
    let body = format!("{form}&client_id={}&client_secret={}", text("client_id"), text("client_secret"));
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let all_stand = Barrier::new(AT_ONCE);
    thread::scope(|scope| {
        let one = || {
            let mut stream = TcpStream::connect(server.address).unwrap();
            all_stand.wait();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            (status, serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}")))
        };
        let asking: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(one)).collect();
        asking.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

/// One token request.
fn asks(server: &Server, app: &Value, form: &str) -> (u16, Value) {
    let proof = format!("{}:{}", app["client_id"].as_str().unwrap(), app["client_secret"].as_str().unwrap());
    let (status, text) = server.curl("/oauth/token", &["-u", &proof, "-d", form]);
    (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
}

/// An app that rotates its refresh tokens, and the form by which it exchanges a code that the owner gave it.
fn with_code(i: &Installation, server: &Server) -> (Value, String) {
    let app = json!({"name": "Ledger Sync", "redirect_uris": ["https://ledger.test/cb"], "scopes": ["users:read"],
        "rotate_refresh_tokens": true});
    let app = register(i, server, app);
    let id = app["client_id"].as_str().unwrap();
    let url = format!("{}/oauth/authorize?client_id={id}&redirect_uri=https://ledger.test/cb&response_type=code", issuer(server));
    let back = Browser::new(i, server).follows(&url, "allow");
    let code = back.split("code=").nth(1).unwrap_or_else(|| panic!("{back}")).split('&').next().unwrap();
    (app.clone(), format!("grant_type=authorization_code&code={code}&redirect_uri=https://ledger.test/cb"))
}

fn refresh(answer: &Value) -> String {
    format!("grant_type=refresh_token&refresh_token={}", answer["refresh_token"].as_str().unwrap())
}

fn works(server: &Server, answer: &Value) -> bool {
    let (status, text) = server.curl("/v1/auth/test", &["-H", &bearer(answer["access_token"].as_str().unwrap())]);
    assert!(matches!(status, 200 | 401), "{text}");
    status == 200
}

fn is_refused(answer: &(u16, Value)) -> bool {
    answer.0 == 400 && answer.1["error"] == "invalid_grant"
}

on_both! {
    async fn s48_of_fifty_exchanges_of_a_code_the_binary_answers_one_and_ends_its_tokens(on) {
        let i = Installation::new(on).await;
        tokio::task::block_in_place(|| {
            let server = i.serve(&[]);
            let (app, exchange) = with_code(&i, &server);
            let answers = at_once(&server, &app, &exchange);
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status == 200);
            assert_eq!((won.len(), lost.len()), (1, AT_ONCE - 1), "{lost:?}");
            assert!(lost.iter().all(is_refused), "{lost:?}");
            assert!(!works(&server, &won[0].1), "the code came twice: what it made is worth nothing");
            assert!(is_refused(&asks(&server, &app, &refresh(&won[0].1))));
        });
    }
}

on_both! {
    async fn s49_of_fifty_refreshes_the_binary_makes_one_successor_and_reuse_ends_all(on) {
        let i = Installation::new(on).await;
        tokio::task::block_in_place(|| {
            let server = i.serve(&[]);
            let (app, exchange) = with_code(&i, &server);
            let (status, first) = asks(&server, &app, &exchange);
            assert_eq!(status, 200, "{first}");
            let answers = at_once(&server, &app, &refresh(&first));
            assert!(answers.iter().all(|(status, _)| *status == 200), "a lost answer is given again: {answers:?}");
            let mut successors: Vec<_> = answers.iter().map(|(_, a)| a["refresh_token"].as_str().unwrap()).collect();
            successors.sort_unstable();
            successors.dedup();
            assert_eq!(successors.len(), 1, "one successor");
            assert!(works(&server, &answers[0].1));
            // Its use ends the grace: whoever sends the first one now has stolen it, or was stolen from.
            let (status, next) = asks(&server, &app, &refresh(&answers[0].1));
            assert_eq!(status, 200, "{next}");
            assert!(is_refused(&asks(&server, &app, &refresh(&first))));
            assert!(is_refused(&asks(&server, &app, &refresh(&next))), "the family is dead");
            assert!(!works(&server, &next) && !works(&server, &answers[0].1));
        });
    }
}

on_both! {
    async fn s50_a_binary_that_was_killed_after_a_rotation_still_refuses_the_rotated_token(on) {
        let i = Installation::new(on).await;
        tokio::task::block_in_place(|| {
            let mut server = i.serve(&[]);
            // Tokens name the address of their issuer: the second process has it again.
            let address = server.address.to_string();
            let (app, exchange) = with_code(&i, &server);
            let (_, first) = asks(&server, &app, &exchange);
            let (status, second) = asks(&server, &app, &refresh(&first));
            assert_eq!(status, 200, "{second}");
            let (status, third) = asks(&server, &app, &refresh(&second));
            assert_eq!(status, 200, "{third}");
            // SIGKILL: nothing is written on the way out.
            server.child.kill().unwrap();
            server.child.wait().unwrap();
            let server = i.serve(&["--bind", &address]);
            assert!(works(&server, &third), "the last one works across a restart");
            let (status, fourth) = asks(&server, &app, &refresh(&third));
            assert_eq!(status, 200, "the successor works: {fourth}");
            assert!(is_refused(&asks(&server, &app, &refresh(&first))), "a rotated one does not");
            thread::sleep(Duration::from_millis(50));
            assert!(!works(&server, &fourth), "and ends the family");
        });
    }
}
