//! Mails reach a mail server that is not ours, in two forms, once, and later where it was away.

use crate::{gateway::free_port, harness::on_both, verifiers::python};
use clap::Parser;
use contract::LeakId;
use domain::{
    keys, leaks,
    testing::{On, TestInstallation},
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
