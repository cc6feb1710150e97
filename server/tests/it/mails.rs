//! Mails reach a mail server that is not ours, in two forms, once, and later where it was away.

use crate::{
    gateway::free_port,
    harness::{Answer, App, Setup, on_both, request},
    leaks::Log,
    verifiers::python,
};
use axum::http::StatusCode;
use clap::Parser;
use contract::LeakId;
use domain::{
    keys, leaks,
    testing::{On, PASSWORD, TestInstallation},
};
use keystead::{
    cli::Cli,
    mail::{self, Mailer},
};
use serde_json::Value;
use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Reads a folder of mails: headers that matter, and the text of each part by its type.
const READ: &str = r#"
import email, email.policy, json, pathlib, sys
mails = []
for file in sorted(pathlib.Path(sys.argv[1], "new").glob("*")):
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    parts = {p.get_content_type(): p.get_content() for p in mail.walk() if not p.is_multipart()}
    mails.append({"from": mail["From"], "to": mail["To"], "subject": mail["Subject"], "id": mail["Message-ID"],
        "type": mail.get_content_type(), "date": mail["Date"], "parts": parts})
print(json.dumps(mails))
"#;

/// aiosmtpd, which puts what it is given into a folder.
struct Sink {
    child: Child,
    dir: PathBuf,
    port: u16,
}

impl Sink {
    fn start(port: u16) -> Self {
        let dir = std::env::temp_dir().join(format!("keystead_mails_{port}"));
        let _none_before = std::fs::remove_dir_all(&dir);
        let mut command = Command::new(python());
        command.args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Mailbox"]).arg(&dir);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("aiosmtpd: run scripts/setup.sh test");
        let sink = Self { child, dir, port };
        while TcpStream::connect(("127.0.0.1", sink.port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        sink
    }

    fn mails(&self) -> Vec<Value> {
        let out = Command::new(python()).args(["-c", READ]).arg(&self.dir).output().unwrap();
        assert!(out.status.success(), "{out:?}");
        serde_json::from_slice(&out.stdout).unwrap()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
        let _gone_already = std::fs::remove_dir_all(&self.dir);
    }
}

fn mailer(args: &[&str]) -> anyhow::Result<Option<Mailer>> {
    let config = Cli::parse_from([&["keystead"], args].concat()).config;
    Mailer::new(&config, "http://localhost")
}

/// A leak of a key of Acme, told to whoever answers for it.
async fn tell(t: &TestInstallation, name: &str) -> LeakId {
    let made = keys::create_from_form(&t.owner(), &t.form(name, "read")).await.unwrap();
    let secret = keys::secrets(&t.owner(), made.api_key.id).await.unwrap()[0].id;
    let report = leaks::report(&t.owner(), secret, "seen in a log").await.unwrap().id;
    leaks::notify(&t.owner(), report).await.unwrap();
    report
}

/// Until so many mails are in that state.
async fn settle(t: &TestInstallation, sql: &'static str, n: i64) {
    while t.count(sql).await != n {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const SENT: &str = "SELECT COUNT(*) FROM mails WHERE sent_at IS NOT NULL AND due_at IS NULL AND error IS NULL";
const FAILED: &str = "SELECT COUNT(*) FROM mails WHERE sent_at IS NULL AND error IS NOT NULL AND due_at IS NOT NULL";

on_both! {
    async fn s18_a_mail_is_sent_once_as_text_and_html_with_links_to_the_configured_address(on) {
        let t = TestInstallation::new(on).await;
        let report = tell(&t, "Prüf <Dienst>").await;
        assert_eq!(t.count("SELECT COUNT(*) FROM mails WHERE due_at IS NOT NULL").await, 1, "without a mail server it waits");
        let port = free_port();
        let mailer = mailer(&["--smtp-url", &format!("smtp://127.0.0.1:{port}")]).unwrap().unwrap();
        // Two nodes send, and the mail server is away at first.
        let other = t.second_process().await;
        let jobs = [(t.core.clone(), mailer.clone()), (other.clone(), mailer)].map(|(core, mailer)| tokio::spawn(mail::run(core, mailer)));
        settle(&t, FAILED, 1).await;
        let sink = tokio::task::block_in_place(|| Sink::start(port));
        t.clock.advance(Duration::from_secs(60));
        settle(&t, SENT, 1).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let mails = tokio::task::block_in_place(|| sink.mails());
        assert_eq!(mails.len(), 1, "{mails:?}");
        let mail = &mails[0];
        assert_eq!((&mail["from"], &mail["to"]), (&"Keystead <keystead@localhost>".into(), &"owner@acme.test".into()));
        assert_eq!((&mail["subject"], &mail["type"]), (&"The API key Prüf <Dienst> leaked".into(), &"multipart/alternative".into()));
        assert!(mail["id"].as_str().is_some_and(|id| id.starts_with("<mail_") && id.ends_with("@localhost>")), "{mail}");
        let part = |name: &str| mail["parts"][name].as_str().unwrap().to_owned();
        let link = format!("http://localhost/leaks/{report}");
        assert!(part("text/plain").contains(&link) && part("text/plain").contains("“Prüf <Dienst>”"), "{mail}");
        assert!(part("text/html").contains(&format!("href=\"{link}\"")) && part("text/html").contains("Prüf &lt;Dienst&gt;"), "{mail}");
        jobs.iter().for_each(tokio::task::JoinHandle::abort);
        other.stop().await;
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_sent_is_given_up_after_days_and_says_why() {
    let t = TestInstallation::new(On::Sqlite).await;
    tell(&t, "orphan").await;
    let mut tries = 0;
    let start = t.core.now();
    loop {
        let due = domain::mail::due(&t.core).await.unwrap();
        for mail in &due {
            tries += 1;
            domain::mail::settle(&t.core, mail, Err("550 no such\r\nuser".into())).await.unwrap();
        }
        if t.count("SELECT COUNT(*) FROM mails WHERE due_at IS NULL AND sent_at IS NULL").await == 1 {
            break;
        }
        t.clock.advance(Duration::from_secs(900));
    }
    let days = (t.core.now().0 - start.0) / contract::UnixMs::DAY;
    assert_eq!((tries, days), (23, 2), "over more than two days");
    assert_eq!(t.count("SELECT COUNT(*) FROM mails WHERE error = '550 no suchuser'").await, 1);
}

#[test]
fn a_mail_server_that_cannot_be_used_is_named_by_its_setting_and_never_printed() {
    assert!(mailer(&[]).unwrap().is_none());
    let refused = mailer(&["--smtp-url", "https://user:hunter2@mail.acme.test"]).unwrap_err();
    let said = format!("{refused:#}");
    assert!(said.contains("KEYSTEAD_SMTP_URL") && !said.contains("hunter2"), "{said}");
    let refused = mailer(&["--smtp-url", "smtp://mail.acme.test", "--smtp-from", "nobody"]).unwrap_err();
    assert!(format!("{refused:#}").contains("KEYSTEAD_SMTP_FROM"));
    let printed = format!("{:?}", mailer(&["--smtp-url", "smtp://user:hunter2@mail.acme.test"]).unwrap());
    assert!(!printed.contains("hunter2"), "{printed}");
}

/// An installation whose mails go to a sink, by the server's own job.
struct Mailed {
    app: App,
    sink: Sink,
    job: tokio::task::JoinHandle<()>,
}

impl Mailed {
    async fn new(on: On) -> Self {
        let port = free_port();
        let sink = tokio::task::block_in_place(|| Sink::start(port));
        let app = App::on(TestInstallation::with_mail(on).await, Setup::default());
        let mailer = mailer(&["--smtp-url", &format!("smtp://127.0.0.1:{port}")]).unwrap().unwrap();
        let job = tokio::spawn(mail::run(app.t.core.clone(), mailer));
        Self { app, sink, job }
    }

    /// Waits for a mail to somebody with this subject; the address that its link leads to, in text and in HTML.
    async fn link(&self, to: &str, subject: &str) -> String {
        for _ in 0..500 {
            let mails = tokio::task::block_in_place(|| self.sink.mails());
            let found = mails.iter().rev().find(|m| m["to"] == to && m["subject"] == subject);
            if let Some(mail) = found {
                let text = mail["parts"]["text/plain"].as_str().unwrap();
                let link = text.split(": http://").nth(1).unwrap_or_else(|| panic!("{text}")).split_whitespace().next().unwrap();
                assert!(mail["parts"]["text/html"].as_str().unwrap().contains(&format!("href=\"http://{link}\"")), "{mail}");
                assert!(!mail.to_string().contains("evil.test"), "{mail}");
                return link.strip_prefix("localhost").unwrap_or_else(|| panic!("a foreign link: {link}")).to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no mail to {to}: {subject}");
    }

    async fn page(&self, cookie: &str, path: &str) -> Answer {
        self.app.get(path, &[("cookie", cookie), ("accept", "text/html")]).await
    }

    /// Posts a form as a proxy would that anybody can reach under any name.
    async fn forged(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let mut req = request(
            "POST",
            path,
            &[
                ("content-type", "application/x-www-form-urlencoded"),
                ("accept", "text/html"),
                ("sec-fetch-site", "same-origin"),
                ("cookie", cookie),
                ("x-forwarded-host", "evil.test"),
                ("x-forwarded-proto", "https"),
                ("forwarded", "host=evil.test"),
            ],
            body,
        );
        req.headers_mut().insert("host", "evil.test".parse().unwrap());
        self.app.send(req).await
    }

    /// Nothing that was mailed lies anywhere that can be read.
    async fn holds_none_of(&self, links: &[&str]) {
        let dump = self.app.t.dump().await;
        let admin = self.app.sign_in().await;
        let outbox = self.page(&admin, "/platform/mails").await.text;
        let log = self.page(&admin, "/audit").await.text;
        for link in links {
            let token = link.split("token=").nth(1).unwrap_or_else(|| panic!("no token in {link}"));
            assert!(token.len() >= 32 && !dump.contains(token) && !outbox.contains(token) && !log.contains(token), "{link}");
        }
        let sealed =
            "SELECT (SELECT COUNT(*) FROM mails WHERE sealed IS NOT NULL) + (SELECT COUNT(*) FROM person_mails WHERE sealed IS NOT NULL)";
        assert_eq!(self.app.t.count(sealed).await, 0);
    }
}

impl Drop for Mailed {
    fn drop(&mut self) {
        self.job.abort();
    }
}

fn login(email: &str, password: &str) -> String {
    format!("email={}&password={}", email.replace('@', "%40"), password.replace(' ', "+"))
}

const NEW: &str = "another gravel orbit lantern";

on_both! {
    async fn s18_s77_an_invitation_is_mailed_and_its_link_joins(on) {
        let m = Mailed::new(on).await;
        let owner = m.app.sign_in().await;
        let invited = m.forged("/members", &owner, "act=invite&email=dev%40acme.test&role=developer").await;
        assert_eq!(invited.status, StatusCode::OK, "{}", invited.text);
        assert!(invited.text.contains("dev@acme.test is mailed a link"), "{}", invited.text);
        let link = m.link("dev@acme.test", "You are invited to Acme").await;
        assert!(invited.text.contains("/invitations/accept?token=") && !invited.text.contains(&link), "the inviter sees another, once");
        let token = link.split("token=").nth(1).unwrap();
        let joined = m.app.form("/invitations/accept", "", &format!("token={token}&password={}", PASSWORD.replace(' ', "+"))).await;
        assert_eq!((joined.status.as_u16(), joined.header("location")), (303, "/keys"), "{}", joined.text);
        m.holds_none_of(&[&link]).await;
    }
}

on_both! {
    async fn s6_s18_a_forgotten_password_is_reset_by_a_mailed_link_whatever_host_was_asked(on) {
        let m = Mailed::new(on).await;
        assert!(m.page("", "/login").await.text.contains("href=\"/forgot\""));
        assert!(m.page("", "/forgot").await.text.contains("Mail me a link"));
        let known = m.forged("/forgot", "", "email=owner%40acme.test").await;
        let unknown = m.forged("/forgot", "", "email=nobody%40acme.test").await;
        assert_eq!((known.status.as_u16(), known.header("location")), (303, "/forgot?done=1"));
        assert_eq!((known.status, known.header("location"), &known.text), (unknown.status, unknown.header("location"), &unknown.text), "s8");
        assert!(m.page("", "/forgot?done=1").await.text.contains("If an account has this address"));
        let link = m.link("owner@acme.test", "Set a new password").await;
        // Mail programs look at links (s24).
        for _ in 0..2 {
            assert!(m.page("", &link).await.text.contains("Choose a new password"));
        }
        let token = link.split("token=").nth(1).unwrap();
        let done = m.app.form("/reset", "", &format!("token={token}&new_password={}", NEW.replace(' ', "+"))).await;
        assert_eq!(done.header("location"), "/login?reset=1", "{}", done.text);
        assert_eq!(m.link("owner@acme.test", "Your password was reset").await, "/forgot");
        assert_eq!(m.app.form("/login", "", &login("owner@acme.test", PASSWORD)).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(m.app.form("/login", "", &login("owner@acme.test", NEW)).await.status, StatusCode::SEE_OTHER);
        let mails = tokio::task::block_in_place(|| m.sink.mails());
        assert!(mails.iter().all(|mail| mail["to"] == "owner@acme.test"), "{mails:?}");
        let dump = m.app.t.dump().await;
        assert!(!dump.contains(token), "s77");
    }
}

on_both! {
    async fn a_sign_in_from_a_new_browser_is_mailed_and_one_from_a_known_browser_is_not(on) {
        let m = Mailed::new(on).await;
        let first = m.app.form("/login", "", &login("owner@acme.test", PASSWORD)).await;
        assert_eq!(m.link("owner@acme.test", "New sign-in to your account").await, "/account/sessions");
        let set = first.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).find(|c| c.starts_with("keystead-device=")).unwrap();
        let device = set.split(';').next().unwrap();
        assert_eq!(m.app.form("/login", device, &login("owner@acme.test", PASSWORD)).await.status, StatusCode::SEE_OTHER);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(tokio::task::block_in_place(|| m.sink.mails()).len(), 1);
    }
}

on_both! {
    async fn s16_s18_s24_an_address_is_changed_by_a_button_behind_the_links_at_both_addresses(on) {
        let m = Mailed::new(on).await;
        let (here, there) = (m.app.sign_in().await, m.app.sign_in().await);
        let form = |password: &str| format!("act=ask&new_email=new%40acme.test&password={}", password.replace(' ', "+"));
        let wrong = m.app.form("/account/email", &here, &form("wrong")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("value=\"new@acme.test\"") && !wrong.text.contains("value=\"wrong\""), "{}", wrong.text);
        let asked = m.forged("/account/email", &here, &form(PASSWORD)).await;
        assert_eq!(asked.header("location"), "/account/email?done=asked", "{}", asked.text);
        let pending = m.page(&here, "/account/email").await.text;
        assert!(pending.contains("A change waits") && pending.contains("new@acme.test"), "{pending}");
        let old = m.link("owner@acme.test", "Confirm the change of your address").await;
        let new = m.link("new@acme.test", "Confirm the change of your address").await;
        for link in [&old, &new, &old, &new] {
            let page = m.page("", link).await;
            assert!(page.status == StatusCode::OK && page.text.contains("Confirm the change") && page.text.contains("Do not change it"), "{}", page.text);
        }
        assert!(m.page(&here, "/account/email").await.text.contains("You sign in with owner@acme.test"), "looking changes nothing (s24)");
        let token = |link: &str| link.split("token=").nth(1).unwrap().to_owned();
        let first = m.app.form("/email", "", &format!("act=confirm&token={}", token(&new))).await;
        assert_eq!(first.header("location"), "/email?done=confirmed", "{}", first.text);
        assert!(m.page("", &new).await.text.contains("Confirmed here"));
        let second = m.app.form("/email", &here, &format!("act=confirm&token={}", token(&old))).await;
        assert_eq!(second.header("location"), "/email?done=changed", "{}", second.text);
        assert!(m.page("", "/email?done=changed").await.text.contains("Your address is changed"));
        assert!(m.page("", &old).await.text.contains("This link does not work"));
        assert!(m.page(&here, "/account/email").await.text.contains("You sign in with new@acme.test"));
        assert_eq!(m.page(&there, "/account/email").await.status, StatusCode::SEE_OTHER, "the other session has ended");
        m.link("owner@acme.test", "Your address for signing in was changed").await;
        assert_eq!(m.app.form("/login", "", &login("owner@acme.test", PASSWORD)).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(m.app.form("/login", "", &login("new@acme.test", PASSWORD)).await.status, StatusCode::SEE_OTHER);
        let dump = m.app.t.dump().await;
        assert!(!dump.contains(&token(&old)) && !dump.contains(&token(&new)), "s77");
    }
}

/// Invitation, reset and change of an address, from asking to opening the links.
async fn s33_s77_no_token_of_a_mailed_link_is_logged_or_stored(on: On) {
    let log = Log::default();
    let _guard = log.taken();
    let app = App::on(TestInstallation::with_mail(on).await, Setup::default());
    let port = free_port();
    let sink = Sink::start(port);
    let mailer = mailer(&["--smtp-url", &format!("smtp://127.0.0.1:{port}")]).unwrap().unwrap();
    let job = tokio::spawn(mail::run(app.t.core.clone(), mailer));
    let owner = app.sign_in().await;
    let invited = app.form("/members", &owner, "act=invite&email=dev%40acme.test&role=developer").await;
    assert_eq!(invited.status, StatusCode::OK);
    assert_eq!(app.form("/forgot", "", "email=owner%40acme.test").await.status, StatusCode::SEE_OTHER);
    let change = format!("act=ask&new_email=new%40acme.test&password={}", PASSWORD.replace(' ', "+"));
    assert_eq!(app.form("/account/email", &owner, &change).await.status, StatusCode::SEE_OTHER);
    let sent =
        "SELECT (SELECT COUNT(*) FROM mails WHERE sent_at IS NOT NULL) + (SELECT COUNT(*) FROM person_mails WHERE sent_at IS NOT NULL)";
    settle(&app.t, sent, 5).await;
    let texts: Vec<String> = sink.mails().iter().map(|m| m["parts"]["text/plain"].as_str().unwrap().to_owned()).collect();
    let links: Vec<&str> = texts
        .iter()
        .filter_map(|t| t.split("http://localhost").nth(1)?.split_whitespace().next())
        .filter(|l| l.contains("token="))
        .collect();
    assert_eq!(links.len(), 4, "{texts:?}");
    for link in &links {
        assert_eq!(app.get(link, &[("accept", "text/html")]).await.status, StatusCode::OK, "{link}");
        let (path, token) = link.split_once("?token=").unwrap();
        let form = format!("act=confirm&token={token}&password=short&new_password=short");
        let answer = app.form(path, "", &form).await;
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.text);
    }
    job.abort();
    app.t.core.meter.stop().await;
    let everything = [log.text(), format!("{:?}", app.t.outbox().await), app.t.dump().await].concat();
    assert!(everything.contains("user.email_changed") && everything.contains("invitation.created"));
    for link in links {
        let token = link.split("token=").nth(1).unwrap();
        assert!(!everything.contains(token), "{link}");
    }
}

/// One thread for each, so that the log of everything it does is caught.
mod tokens_of_links {
    use super::*;

    #[tokio::test]
    async fn sqlite() {
        s33_s77_no_token_of_a_mailed_link_is_logged_or_stored(On::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        s33_s77_no_token_of_a_mailed_link_is_logged_or_stored(On::Postgres).await;
    }
}

#[tokio::test]
async fn s7_form_and_server_function_share_the_throttle_of_forgotten_passwords() {
    let app = App::on(TestInstallation::with_mail(On::Sqlite).await, Setup::default());
    let fetch = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"), ("sec-fetch-site", "same-origin")];
    for email in ["owner@acme.test", "nobody@acme.test"] {
        let ask = |n: i32| {
            let (app, body) = (&app, format!("email={}", email.replace('@', "%40")));
            async move {
                if n % 2 == 0 {
                    app.form("/forgot", "", &body).await
                } else {
                    app.send(request("POST", "/api/account/forgot-password", &fetch, &format!("form[{}", body.replacen('=', "]=", 1))))
                        .await
                }
            }
        };
        for n in 0..3 {
            let answer = ask(n).await;
            assert!(answer.status.is_success() || answer.status.is_redirection(), "{email} {n}: {}", answer.text);
        }
        let page = ask(0).await;
        assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"), "{email}");
        assert!(page.text.contains("Too many tries") && page.text.contains(email), "{}", page.text);
        let program = ask(1).await;
        assert_eq!((program.status, program.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"), "{email}");
    }
    let bad = app.form("/forgot", "", "email=nonsense").await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.text.contains("aria-invalid") && bad.text.contains("value=\"nonsense\""), "{}", bad.text);
}

on_both! {
    async fn without_a_mail_server_pages_say_so_and_the_outbox_shows_what_waits_but_no_token(on) {
        let app = App::new(on).await;
        let page = async |cookie: &str, path: &str| app.get(path, &[("cookie", cookie), ("accept", "text/html")]).await;
        let forgot = page("", "/forgot").await;
        assert!(forgot.text.contains("keystead users reset-link") && !forgot.text.contains("<form class=\"stack\""), "{}", forgot.text);
        assert_eq!(app.form("/forgot", "", "email=owner%40acme.test").await.status, StatusCode::CONFLICT);
        let owner = app.sign_in().await;
        let account = page(&owner, "/account/email").await;
        assert!(account.text.contains("KEYSTEAD_SMTP_URL") && !account.text.contains("name=\"new_email\""), "{}", account.text);
        let invited = app.form("/members", &owner, "act=invite&email=dev%40acme.test&role=developer").await;
        assert!(invited.text.contains("Send this link to dev@acme.test"), "{}", invited.text);
        let token: String = invited.text.split("accept?token=").nth(1).unwrap().chars().take_while(char::is_ascii_alphanumeric).collect();
        let outbox = page(&owner, "/platform/mails").await;
        for part in ["No mail server is set", "You are invited to Acme", "dev@acme.test", "To dev@acme.test, about Acme, queued", "New sign-in to your account", "Waiting", "not tried yet"] {
            assert!(outbox.text.contains(part), "{part}: {}", outbox.text);
        }
        assert!(!outbox.text.contains(&token) && !outbox.text.contains("Try again"), "{}", outbox.text);
        assert!(outbox.text.contains("href=\"/platform/mails\""), "and the navigation leads there");
    }
}

on_both! {
    async fn the_outbox_is_for_platform_admins_and_tries_again_what_was_given_up(on) {
        let t = TestInstallation::with_mail(on).await;
        tell(&t, "orphan").await;
        t.tamper("UPDATE mails SET due_at = NULL, attempts = 23, error = '550 no <such> user'").await;
        let app = App::on(t, Setup::default());
        let owner = app.sign_in().await;
        let page = async |cookie: &str| app.get("/platform/mails", &[("cookie", cookie), ("accept", "text/html")]).await;
        let shown = page(&owner).await;
        for part in ["The API key orphan leaked", "Given up", "tried 23 times", "550 no &lt;such&gt; user", "Try again"] {
            assert!(shown.text.contains(part), "{part}: {}", shown.text);
        }
        assert!(!shown.text.contains("No mail server is set"));
        let id = shown.text.split("name=\"id\" value=\"mail_").nth(1).unwrap().split('"').next().unwrap();
        let form = format!("id=mail_{id}");
        app.t.join("dev@acme.test", contract::Role::Owner).await;
        let stranger = app.form("/login", "", &login("dev@acme.test", PASSWORD)).await.cookie();
        assert_eq!(page(&stranger).await.status, StatusCode::FORBIDDEN);
        assert_eq!(app.form("/platform/mails", &stranger, &form).await.status, StatusCode::FORBIDDEN);
        assert!(app.form("/platform/mails", "", &form).await.header("location").starts_with("/login"), "and of no stranger");
        assert_eq!(app.form("/platform/mails", &owner, "id=mail_1").await.status, StatusCode::NOT_FOUND);
        let again = app.form("/platform/mails", &owner, &form).await;
        assert_eq!(again.header("location"), "/platform/mails?done=1", "{}", again.text);
        assert_eq!(app.t.count("SELECT COUNT(*) FROM mails WHERE due_at IS NOT NULL AND attempts = 0 AND link IS NULL").await, 1);
        assert_eq!(app.form("/platform/mails", &owner, &form).await.status, StatusCode::CONFLICT, "it waits already");
    }
}
