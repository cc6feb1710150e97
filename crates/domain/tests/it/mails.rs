//! What is mailed: links whose tokens lie sealed, news of one's own account, changes of addresses, keys that expire.

use contract::{
    AcceptForm, AuditFilter, ChangeEmailForm, ChangePasswordForm, Email, ErrorCode, ForgotForm, Invite, PageQuery, ResetForm, Role, Secret,
    SignInForm, TenantBody, UnixMs,
};
use domain::{
    Core, Ctx, Error, RequestInfo, Who, audit,
    identity::{self, Step},
    keys,
    mail::{self, MailState},
    members, tenants,
    testing::{On, PASSWORD, TestInstallation, one_time_code},
    tokens,
};
use std::{sync::Arc, time::Duration};

const OWNER: &str = "owner@acme.test";
const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// Makes of one async test body two tests, `sqlite` and `postgres`, on installations that send mail.
macro_rules! with_mail {
    (async fn $name:ident($t:ident) $body:block) => {
        mod $name {
            use super::*;

            async fn body($t: TestInstallation) $body

            #[tokio::test]
            async fn sqlite() {
                body(TestInstallation::with_mail(On::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                body(TestInstallation::with_mail(On::Postgres).await).await;
            }
        }
    };
}

/// A mail as it was sent.
#[derive(Debug)]
struct Sent {
    to: String,
    subject: String,
    text: String,
}

impl Sent {
    fn token(&self) -> String {
        let after = self.text.split("?token=").nth(1).unwrap_or_else(|| panic!("no link: {}", self.text));
        after.chars().take_while(char::is_ascii_hexdigit).collect()
    }
}

/// Sends what is due.
async fn send(core: &Arc<Core>) -> Vec<Sent> {
    identity::answer_forgotten(core).await.unwrap();
    let mut sent = Vec::new();
    for due in mail::due(core).await.unwrap() {
        let letter = &due.letter;
        sent.push(Sent { to: letter.to.clone(), subject: letter.subject.clone(), text: letter.text.expose().clone() });
        mail::settle(core, &due, Ok(())).await.unwrap();
    }
    sent.sort_by(|a, b| (&a.to, &a.subject).cmp(&(&b.to, &b.subject)));
    sent
}

fn heads(sent: &[Sent]) -> Vec<(&str, &str)> {
    sent.iter().map(|m| (m.to.as_str(), m.subject.as_str())).collect()
}

fn invite(email: &str) -> Invite {
    Invite { email: Email::parse(email).unwrap(), role: Role::Developer, days: 7 }
}

fn anybody(t: &TestInstallation) -> Ctx {
    t.as_who(Who::Anonymous)
}

async fn forgot(t: &TestInstallation, email: &str) -> Result<(), Error> {
    identity::ask_for_reset(&anybody(t), &ForgotForm { email: email.into() }).await
}

async fn sign_in(t: &TestInstallation, email: &str, password: &str, device: Option<&str>) -> Result<Step, Error> {
    let form = SignInForm { email: email.into(), password: password.into(), next: String::new() };
    identity::sign_in(&anybody(t), &form, device).await
}

fn refused<T: std::fmt::Debug>(done: Result<T, Error>, code: ErrorCode) {
    let said = format!("{done:?}");
    assert!(done.is_err_and(|e| e.problem().code == code), "{said}");
}

async fn actions(ctx: &Ctx) -> Vec<String> {
    let log = audit::list(ctx, &AuditFilter::default(), PageQuery::default()).await.unwrap();
    log.data.into_iter().map(|e| e.action).collect()
}

const SEALED: &str =
    "SELECT (SELECT COUNT(*) FROM mails WHERE sealed IS NOT NULL) + (SELECT COUNT(*) FROM person_mails WHERE sealed IS NOT NULL)";

with_mail! {
    async fn s77_the_token_of_an_invitation_lies_sealed_and_is_gone_once_its_mail_was_sent(t) {
        let made = members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
        let link = made.accept_url.unwrap();
        assert_eq!(t.count(SEALED).await, 1);
        let due = mail::due(&t.core).await.unwrap();
        let text = due[0].letter.text.expose();
        assert!(!text.contains(&link), "the mailed link is another than the one that whoever invited sees");
        let token = text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        for token in [link.split("token=").nth(1).unwrap(), &token] {
            assert!(!t.dump().await.contains(token), "a thief of the database finds no token");
            assert!(!format!("{:?}", t.outbox().await).contains(token));
        }
        assert!(due[0].letter.html.expose().contains(&token));
        assert!(!format!("{due:?}").contains(&token), "and it does not print");
        mail::settle(&t.core, &due[0], Err("451 later".into())).await.unwrap();
        assert_eq!(t.count(SEALED).await, 1, "until it was sent");
        t.clock.advance(Duration::from_secs(60));
        let sent = send(&t.core).await;
        assert_eq!(heads(&sent), [("dev@acme.test", "You are invited to Acme")]);
        assert_eq!((sent[0].token(), t.count(SEALED).await), (token.clone(), 0));
        for part in [OWNER, "as developer", "http://localhost/invitations/accept?token="] {
            assert!(sent[0].text.contains(part), "{part}: {}", sent[0].text);
        }
        let form = AcceptForm { token, password: PASSWORD.into() };
        members::accept(&anybody(&t), &form).await.unwrap().unwrap();
    }
}

with_mail! {
    async fn an_invitation_that_was_replaced_or_withdrawn_is_not_mailed(t) {
        members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
        let second = members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
        let gone = members::invite(&t.owner(), invite("ops@acme.test")).await.unwrap().invitation.id;
        members::withdraw(&t.owner(), gone).await.unwrap();
        let sent = send(&t.core).await;
        assert_eq!(heads(&sent), [("dev@acme.test", "You are invited to Acme")]);
        assert!(members::look(&anybody(&t), &sent[0].token()).await.unwrap().is_some(), "the one that works");
        assert!(second.accept_url.is_some());
        // One that nobody could send in time is given up, and its token with it.
        members::invite(&t.owner(), invite("late@acme.test")).await.unwrap();
        t.clock.advance(7 * DAY);
        assert_eq!(send(&t.core).await.len(), 0, "its link works no more");
        assert_eq!(t.count(SEALED).await, 1);
        mail::sweep(&t.core).await.unwrap();
        assert_eq!(t.count(SEALED).await, 0);
        t.clock.advance(31 * DAY);
        mail::sweep(&t.core).await.unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM mails").await, 0, "forgotten after a month");
    }
}

with_mail! {
    async fn a_mail_whose_link_was_tampered_with_is_given_up_and_keeps_no_other_waiting(t) {
        for email in ["dev@acme.test", "ops@acme.test"] {
            members::invite(&t.owner(), invite(email)).await.unwrap();
        }
        t.tamper("UPDATE mails SET sealed = (SELECT m.sealed FROM mails m WHERE m.recipient = 'ops@acme.test')").await;
        assert_eq!(heads(&send(&t.core).await), [("ops@acme.test", "You are invited to Acme")]);
        let over = mail::outbox(&t.owner(), PageQuery::default()).await.unwrap().data;
        assert_eq!((over[1].state, over[1].error.as_deref()), (MailState::GivenUp, Some("its link cannot be read")));
        assert_eq!(t.count(SEALED).await, 0);
    }
}

with_mail! {
    async fn s8_a_forgotten_password_is_asked_for_alike_whoever_has_the_address(t) {
        const ROWS: &str = "SELECT (SELECT COUNT(*) FROM reset_requests) * 1000 + (SELECT COUNT(*) FROM person_mails) * 100 + (SELECT COUNT(*) FROM reset_links)";
        let events = actions(&t.owner()).await.len();
        let off = t.join("off@acme.test", Role::Developer).await.person().unwrap().user_id;
        members::disable_account(&t.owner(), off).await.unwrap();
        send(&t.core).await;
        let before = t.count(ROWS).await;
        for (n, email) in (1..).zip([OWNER, "nobody@acme.test", "off@acme.test"]) {
            forgot(&t, email).await.unwrap();
            assert_eq!(t.count(ROWS).await - before, n * 1_000, "{email}: the same was done, and nothing else");
        }
        refused(forgot(&t, "no address").await, ErrorCode::ValidationFailed);
        let sent = send(&t.core).await;
        assert_eq!(heads(&sent), [(OWNER, "Set a new password")]);
        assert_eq!(t.count("SELECT COUNT(*) FROM reset_requests").await, 0);
        assert!(!t.dump().await.contains(&sent[0].token()), "nor does the link lie anywhere (s77)");
        assert!(actions(&t.owner()).await.len() > events && actions(&t.owner()).await[0] == "user.reset_link_mailed");
    }
}

with_mail! {
    async fn s7_who_asks_for_links_again_and_again_waits_longer_and_longer_account_or_not(t) {
        for email in [OWNER, "nobody@acme.test"] {
            for n in 0..3 {
                assert!(forgot(&t, email).await.is_ok(), "{email} {n}");
            }
            let waits = [forgot(&t, email).await, forgot(&t, email).await];
            assert!(matches!(waits, [Err(Error::TooMany(1)), Err(Error::TooMany(1))]), "{email}: {waits:?}");
        }
        for n in 6..20 {
            let asked = forgot(&t, &format!("somebody-{n}@acme.test")).await;
            assert!(asked.is_ok() || n >= 10, "{n}: {asked:?}");
        }
        let client = forgot(&t, "another@acme.test").await;
        assert!(matches!(client, Err(Error::TooMany(_))), "one client asks for so many addresses only: {client:?}");
        t.clock.advance(HOUR * 2);
        assert!(forgot(&t, "another@acme.test").await.is_ok());
    }
}

with_mail! {
    async fn s6_a_mailed_link_gets_the_owner_in_where_the_way_is_closed(t) {
        for _ in 0..5 {
            assert!(sign_in(&t, OWNER, "wrong", None).await.is_err());
        }
        t.tamper("UPDATE throttles SET failures = 100, blocked_until = 9000000000000 WHERE blocked_until = (SELECT MAX(o.blocked_until) FROM throttles o)").await;
        t.clock.advance(DAY);
        assert!(matches!(sign_in(&t, OWNER, PASSWORD, None).await, Err(Error::TooMany(_))), "closed");
        forgot(&t, OWNER).await.unwrap();
        let token = send(&t.core).await[0].token();
        let reset = |password: &str| ResetForm { token: token.clone(), new_password: password.into() };
        identity::reset_password(&anybody(&t), &reset("another gravel orbit lantern")).await.unwrap();
        assert!(matches!(sign_in(&t, OWNER, "another gravel orbit lantern", None).await, Ok(Step::SignedIn(_))));
        refused(identity::reset_password(&anybody(&t), &reset("yet another gravel orbit lantern")).await, ErrorCode::Forbidden);
        // A mailed link works for an hour, and until the next one.
        forgot(&t, OWNER).await.unwrap();
        let first = send(&t.core).await.into_iter().find(|m| m.subject == "Set a new password").unwrap().token();
        forgot(&t, OWNER).await.unwrap();
        let second = send(&t.core).await[0].token();
        assert!(!identity::reset_link_is_open(&t.core, &first).await.unwrap() && identity::reset_link_is_open(&t.core, &second).await.unwrap());
        t.clock.advance(HOUR);
        assert!(!identity::reset_link_is_open(&t.core, &second).await.unwrap());
    }
}

with_mail! {
    async fn two_nodes_answer_a_request_for_a_link_once(t) {
        forgot(&t, OWNER).await.unwrap();
        let other = t.second_process().await;
        let (a, b) = tokio::join!(identity::answer_forgotten(&t.core), identity::answer_forgotten(&other));
        a.and(b).unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM person_mails").await, 1);
        other.stop().await;
    }
}

/// Everything that happens to an account is told to its person, once, and nothing else is.
mod people_are_told_what_happens_to_their_accounts {
    use super::*;

    async fn body(t: TestInstallation) {
        let told = async |subject: &str| {
            let sent = send(&t.core).await;
            assert_eq!(heads(&sent), [(OWNER, subject)]);
            sent.into_iter().next().unwrap().text
        };
        let from = RequestInfo { ip: Some([203, 0, 113, 7].into()), user_agent: Some("Lynx/2.9 <b>".into()), ..RequestInfo::default() };
        let stranger = Ctx::new(t.core.clone(), Who::Anonymous, from);
        let form = SignInForm { email: OWNER.into(), password: PASSWORD.into(), next: String::new() };
        identity::sign_in(&stranger, &form, None).await.unwrap();
        let text = told("New sign-in to your account").await;
        assert!(text.contains("from 203.0.113.7, with Lynx/2.9 <b>") && text.contains("http://localhost/account/sessions"), "{text}");
        let device = identity::remember_device(&anybody(&t), t.first.user_id, None).await.unwrap();
        sign_in(&t, OWNER, PASSWORD, Some(device.expose())).await.unwrap();
        assert_eq!(heads(&send(&t.core).await), [], "a known browser is no news");

        let login = contract::LoginBody { email: OWNER.into(), password: PASSWORD.into(), tenant_id: None };
        tokens::login(&stranger, &login).await.unwrap();
        told("New sign-in to your account").await;
        tokens::login(&stranger, &login).await.unwrap();
        assert_eq!(heads(&send(&t.core).await), [], "nor is a known program");

        let change = ChangePasswordForm {
            password: PASSWORD.into(),
            new_password: "another gravel orbit lantern".into(),
            ..ChangePasswordForm::default()
        };
        let wrong = ChangePasswordForm { password: "wrong".into(), ..change.clone() };
        assert!(identity::change_password(&t.owner(), &wrong).await.is_err());
        assert_eq!(heads(&send(&t.core).await), [], "what did not happen is not told");
        identity::change_password(&t.owner(), &change).await.unwrap();
        told("Your password was changed").await;

        let enrolment = identity::begin_two_factor(&t.owner()).await.unwrap();
        let code = one_time_code(&enrolment.secret, t.core.now());
        let codes = identity::turn_on_two_factor(&t.owner(), &code, false).await.unwrap();
        told("Two-factor sign-in is on").await;
        let Step::SecondFactor(half) = sign_in(&t, OWNER, &change.new_password, Some(device.expose())).await.unwrap() else {
            panic!("no second step")
        };
        identity::second_step(&anybody(&t), half, &codes.0[0], Some(device.expose())).await.unwrap();
        told("A recovery code was used").await;
        identity::new_recovery_codes(&t.owner()).await.unwrap();
        told("Your recovery codes were replaced").await;
        let line = t.as_who(Who::CommandLine(t.first.tenant_id));
        identity::disable_two_factor(&line, OWNER).await.unwrap();
        told("Two-factor sign-in is off").await;
        let link = identity::new_reset_link(&line, OWNER).await.unwrap();
        told("A link to reset your password was made").await;
        let reset = ResetForm { token: link.0.expose().clone(), new_password: PASSWORD.into() };
        identity::reset_password(&anybody(&t), &reset).await.unwrap();
        told("Your password was reset").await;

        // In however many tenants it is noted.
        let body = TenantBody { name: Some("Globex".into()), slug: None };
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let (_, link) = tenants::create_with_owner(&t.owner(), &body, "dev@acme.test").await.unwrap();
        let token = link.unwrap().accept_url.unwrap().split("token=").nth(1).unwrap().to_owned();
        members::accept(&dev, &AcceptForm { token, password: String::new() }).await.unwrap();
        send(&t.core).await;
        members::disable_account(&t.owner(), dev.person().unwrap().user_id).await.unwrap();
        let sent = send(&t.core).await;
        assert_eq!(heads(&sent), [("dev@acme.test", "Your account was disabled")]);
    }

    #[tokio::test]
    async fn sqlite() {
        body(TestInstallation::with_mail(On::Sqlite).await).await;
    }

    #[tokio::test]
    async fn postgres() {
        body(TestInstallation::with_mail(On::Postgres).await).await;
    }
}

fn ask(new_email: &str, password: &str) -> ChangeEmailForm {
    ChangeEmailForm { act: "ask".into(), new_email: new_email.into(), password: password.into(), code: String::new() }
}

/// Asks for another address of the owner's; the tokens of the links at the old one and at the new one.
async fn links(t: &TestInstallation, new_email: &str) -> (String, String) {
    t.clock.advance(Duration::from_secs(60));
    identity::change_email(&t.owner(), &ask(new_email, PASSWORD)).await.unwrap();
    let sent = send(&t.core).await;
    let at = |to: &str| sent.iter().find(|m| m.to == to).unwrap().token();
    (at(OWNER), at(new_email))
}

with_mail! {
    async fn s16_an_address_is_changed_with_the_password_and_by_links_at_both_addresses(t) {
        refused(identity::change_email(&t.owner(), &ask("new@acme.test", "wrong")).await, ErrorCode::ValidationFailed);
        for bad in ["", "no address", OWNER] {
            refused(identity::change_email(&t.owner(), &ask(bad, PASSWORD)).await, ErrorCode::ValidationFailed);
        }
        assert_eq!(heads(&send(&t.core).await), []);
        let (old, new) = links(&t, "new@acme.test").await;
        assert!(!t.dump().await.contains(&old) && !t.dump().await.contains(&new), "no token lies anywhere (s77)");
        let pending = identity::pending_email_change(&t.owner()).await.unwrap().unwrap();
        assert_eq!((pending.to.as_str(), pending.old_confirmed, pending.new_confirmed), ("new@acme.test", false, false));
        // Looking changes nothing (s24).
        assert_eq!(identity::look_at_email_link(&anybody(&t), &new).await.unwrap().unwrap(), (pending.clone(), true));
        assert_eq!(identity::look_at_email_link(&anybody(&t), &old).await.unwrap().unwrap(), (pending, false));
        assert!(identity::look_at_email_link(&anybody(&t), "guess").await.unwrap().is_none());
        assert!(!identity::confirm_email(&anybody(&t), &new).await.unwrap(), "one is not enough");
        assert!(!identity::confirm_email(&anybody(&t), &new).await.unwrap(), "not even twice");
        assert!(sign_in(&t, "new@acme.test", PASSWORD, None).await.is_err());
        assert!(matches!(sign_in(&t, OWNER, PASSWORD, None).await, Ok(Step::SignedIn(_))));
        // What was mailed to the old address before works no more afterwards, and sessions end.
        forgot(&t, OWNER).await.unwrap();
        let reset = send(&t.core).await.into_iter().find(|m| m.subject == "Set a new password").unwrap().token();
        let login = contract::LoginBody { email: OWNER.into(), password: PASSWORD.into(), tenant_id: None };
        tokens::login(&anybody(&t), &login).await.unwrap();
        send(&t.core).await;
        assert!(identity::confirm_email(&anybody(&t), &old).await.unwrap());
        assert!(!identity::reset_link_is_open(&t.core, &reset).await.unwrap());
        assert_eq!(t.count("SELECT COUNT(*) FROM logins WHERE ended_at IS NULL").await, 0);
        assert_eq!(heads(&send(&t.core).await), [(OWNER, "Your address for signing in was changed")]);
        assert!(sign_in(&t, OWNER, PASSWORD, None).await.is_err());
        assert!(matches!(sign_in(&t, "new@acme.test", PASSWORD, None).await, Ok(Step::SignedIn(_))));
        let log = audit::list(&t.owner(), &AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        let changed = log.iter().find(|e| e.action == "user.email_changed").unwrap();
        let member = |v: &Option<serde_json::Value>| v.as_ref().unwrap()["email"].as_str().unwrap().to_owned();
        assert_eq!((member(&changed.before).as_str(), member(&changed.after).as_str()), (OWNER, "new@acme.test"));
        refused(identity::confirm_email(&anybody(&t), &old).await, ErrorCode::Forbidden);
    }
}

with_mail! {
    async fn a_change_of_address_is_refused_at_either_address_expires_and_is_replaced(t) {
        let (old, new) = links(&t, "new@acme.test").await;
        identity::confirm_email(&anybody(&t), &new).await.unwrap();
        identity::refuse_email(&anybody(&t), &old).await.unwrap();
        for token in [&old, &new] {
            refused(identity::confirm_email(&anybody(&t), token).await, ErrorCode::Forbidden);
            refused(identity::refuse_email(&anybody(&t), token).await, ErrorCode::Forbidden);
        }
        let (old, new) = links(&t, "new@acme.test").await;
        let (_, other) = links(&t, "other@acme.test").await;
        refused(identity::confirm_email(&anybody(&t), &old).await, ErrorCode::Forbidden);
        refused(identity::confirm_email(&anybody(&t), &new).await, ErrorCode::Forbidden);
        t.clock.advance(DAY);
        refused(identity::confirm_email(&anybody(&t), &other).await, ErrorCode::Forbidden);
        identity::sweep_proof(&t.core.db, t.core.now()).await.unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM email_changes").await, 0);
        links(&t, "new@acme.test").await;
        identity::keep_email(&t.owner()).await.unwrap();
        refused(identity::keep_email(&t.owner()).await, ErrorCode::Conflict);
        // Whoever resets the password ends what was asked for before.
        let (_, new) = links(&t, "new@acme.test").await;
        let link = identity::new_reset_link(&t.as_who(Who::CommandLine(t.first.tenant_id)), OWNER).await.unwrap();
        let reset = ResetForm { token: link.0.expose().clone(), new_password: "another gravel orbit lantern".into() };
        identity::reset_password(&anybody(&t), &reset).await.unwrap();
        refused(identity::confirm_email(&anybody(&t), &new).await, ErrorCode::Forbidden);
        assert_eq!(t.count("SELECT COUNT(*) FROM users WHERE email = 'owner@acme.test'").await, 1);
    }
}

with_mail! {
    async fn s8_an_address_that_has_an_account_is_told_there_and_nowhere_else(t) {
        t.join("dev@acme.test", Role::Developer).await;
        send(&t.core).await;
        identity::change_email(&t.owner(), &ask("dev@acme.test", PASSWORD)).await.unwrap();
        let sent = send(&t.core).await;
        assert_eq!(heads(&sent), [("dev@acme.test", "This address has an account already"), (OWNER, "Confirm the change of your address")]);
        assert!(!sent[0].text.contains("token"), "{}", sent[0].text);
        // It came to have one after the links were mailed.
        let (old, new) = links(&t, "late@acme.test").await;
        t.join("late@acme.test", Role::Developer).await;
        identity::confirm_email(&anybody(&t), &old).await.unwrap();
        refused(identity::confirm_email(&anybody(&t), &new).await, ErrorCode::Conflict);
        assert_eq!(t.count("SELECT COUNT(*) FROM users WHERE email = 'owner@acme.test'").await, 1);
    }
}

with_mail! {
    async fn s7_nobody_is_flooded_with_mails_about_changes_of_addresses(t) {
        for n in 0..4 {
            let asked = identity::change_email(&t.owner(), &ask("victim@globex.test", PASSWORD)).await;
            assert!(if n < 3 { asked.is_ok() } else { matches!(asked, Err(Error::TooMany(_))) }, "{n}: {asked:?}");
        }
        assert_eq!(send(&t.core).await.len(), 2, "and only the newest links are mailed");
        assert!(matches!(forgot(&t, "victim@globex.test").await, Err(Error::TooMany(_))), "whatever the link is for");
    }
}

with_mail! {
    async fn confirming_at_both_addresses_at_once_changes_it_once(t) {
        let other = t.second_process().await;
        for n in 0..5 {
            let to = format!("o{n}@acme.test");
            identity::change_email(&t.owner(), &ask(&to, PASSWORD)).await.unwrap();
            let sent = send(&t.core).await;
            let links: Vec<_> = sent.iter().filter(|m| m.subject.starts_with("Confirm")).map(Sent::token).collect();
            assert_eq!(links.len(), 2, "{sent:?}");
            let there = Ctx::new(other.clone(), Who::Anonymous, RequestInfo::default());
            let here = anybody(&t);
            let (a, b) = tokio::join!(identity::confirm_email(&here, &links[0]), identity::confirm_email(&there, &links[1]));
            assert_eq!(u8::from(a.unwrap()) + u8::from(b.unwrap()), 1, "one of them was the second");
            assert!(matches!(sign_in(&t, &to, PASSWORD, None).await, Ok(Step::SignedIn(_))));
        }
        other.stop().await;
    }
}

#[tokio::test]
async fn without_a_mail_server_nothing_is_asked_for_by_mail_and_what_is_told_waits() {
    let t = TestInstallation::new(On::Sqlite).await;
    refused(forgot(&t, OWNER).await, ErrorCode::Conflict);
    refused(identity::change_email(&t.owner(), &ask("new@acme.test", PASSWORD)).await, ErrorCode::Conflict);
    members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
    sign_in(&t, OWNER, PASSWORD, None).await.unwrap();
    let waiting = mail::outbox(&t.owner(), PageQuery::default()).await.unwrap().data;
    assert_eq!(waiting.len(), 2, "{waiting:?}");
}

/// A key of Acme that expires so many days from now.
async fn key(t: &TestInstallation, name: &str, days: i64) -> contract::ApiKey {
    let body = serde_json::from_value(serde_json::json!({"name": name, "scopes": ["read"], "expires_in_days": days})).unwrap();
    keys::create_from_body(&t.owner(), &body).await.unwrap().api_key
}

with_mail! {
    async fn a_key_that_expires_is_told_of_fourteen_and_three_days_before_and_when_it_has_once_each(t) {
        key(&t, "long", 90).await;
        key(&t, "fortnight", 14).await;
        key(&t, "brief", 3).await;
        key(&t, "today", 1).await;
        let other = t.second_process().await;
        let mut told = Vec::new();
        for hour in 0..95 * 4 {
            // Both nodes look, at the same time.
            let (a, b) = tokio::join!(keys::tell_of_expiry(&t.core), keys::tell_of_expiry(&other));
            a.and(b).unwrap();
            told.extend(send(&t.core).await.into_iter().map(|m| (hour / 4, m.to, m.subject)));
            t.clock.advance(HOUR * 6);
        }
        let expected = [
            (3, "The API key brief has expired"),
            (11, "The API key fortnight expires within 3 days"),
            (14, "The API key fortnight has expired"),
            (76, "The API key long expires within 14 days"),
            (87, "The API key long expires within 3 days"),
            (90, "The API key long has expired"),
        ];
        assert_eq!(told, expected.map(|(day, subject)| (day, OWNER.to_owned(), subject.to_owned())));
        let events = t.outbox().await.into_iter().filter(|(topic, _)| topic == "api_key.expiring").count();
        assert_eq!(events, expected.len());
        other.stop().await;
    }
}

with_mail! {
    async fn after_a_pause_only_the_newest_news_of_a_key_is_told_and_a_later_date_is_news_again(t) {
        let long = key(&t, "long", 90).await;
        key(&t, "revoked", 90).await;
        let revoked = keys::list(&t.owner(), &contract::KeyFilter::default(), PageQuery::default()).await.unwrap().data;
        let revoked = revoked.iter().find(|k| k.name == "revoked").unwrap().id;
        keys::revoke(&t.owner(), revoked, None).await.unwrap();
        let to_days = |n: u32| DAY * n;
        t.clock.advance(to_days(88));
        keys::tell_of_expiry(&t.core).await.unwrap();
        assert_eq!(heads(&send(&t.core).await), [(OWNER, "The API key long expires within 3 days")]);
        let later = UnixMs(long.expires_at.unwrap().0 + 5 * UnixMs::DAY);
        let body = serde_json::from_value(serde_json::json!({"expires_at": later})).unwrap();
        keys::update_from_body(&t.owner(), long.id, &body).await.unwrap();
        keys::tell_of_expiry(&t.core).await.unwrap();
        assert_eq!(heads(&send(&t.core).await), [(OWNER, "The API key long expires within 14 days")], "another date, another notice");
        t.clock.advance(to_days(30));
        keys::tell_of_expiry(&t.core).await.unwrap();
        assert_eq!(heads(&send(&t.core).await), [], "what expired weeks ago is no news");
    }
}

with_mail! {
    async fn an_orphaned_key_is_told_of_to_the_owners(t) {
        let dev = t.join("dev@acme.test", Role::Admin).await;
        let body = serde_json::from_value(serde_json::json!({"name": "theirs", "scopes": ["read"], "expires_in_days": 14})).unwrap();
        keys::create_from_body(&dev, &body).await.unwrap();
        send(&t.core).await;
        t.clock.advance(DAY * 12);
        keys::tell_of_expiry(&t.core).await.unwrap();
        assert_eq!(heads(&send(&t.core).await), [("dev@acme.test", "The API key theirs expires within 3 days")]);
        members::remove(&t.owner(), dev.person().unwrap().user_id).await.unwrap();
        t.clock.advance(DAY * 2);
        keys::tell_of_expiry(&t.core).await.unwrap();
        assert_eq!(heads(&send(&t.core).await), [(OWNER, "The API key theirs has expired")]);
    }
}

with_mail! {
    async fn the_outbox_is_for_platform_admins_shows_no_token_and_tries_again_what_was_given_up(t) {
        let made = members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
        let secret = Secret::new(made.accept_url.unwrap().split("token=").nth(1).unwrap().to_owned());
        sign_in(&t, OWNER, PASSWORD, None).await.unwrap();
        let listed = async || mail::outbox(&t.owner(), PageQuery::default()).await.unwrap().data;
        let waiting = listed().await;
        let shown: Vec<_> = waiting.iter().map(|m| (m.to.as_str(), m.subject.as_str(), m.tenant.as_deref(), m.state, m.attempts)).collect();
        let due = MailState::Waiting(t.core.now());
        assert_eq!(shown, [(OWNER, "New sign-in to your account", None, due, 0), ("dev@acme.test", "You are invited to Acme", Some("Acme"), due, 0)]);
        assert!(!format!("{waiting:?}").contains(secret.expose()));
        for page in [1, 2] {
            let first = mail::outbox(&t.owner(), PageQuery { limit: page, cursor: None }).await.unwrap();
            let page = PageQuery { limit: 1, cursor: first.next_cursor };
            assert_eq!(mail::outbox(&t.owner(), page).await.unwrap().data.len(), 1);
        }
        refused(mail::retry(&t.owner(), waiting[0].id).await, ErrorCode::Conflict);
        while listed().await.iter().any(|m| m.state != MailState::GivenUp) {
            for due in mail::due(&t.core).await.unwrap() {
                mail::settle(&t.core, &due, Err("550 no such user".into())).await.unwrap();
            }
            t.clock.advance(HOUR);
        }
        assert_eq!(t.count(SEALED).await, 0, "a token is dropped with its mail");
        let over = listed().await;
        assert!(over.iter().all(|m| m.attempts == 23 && m.error.as_deref() == Some("550 no such user")), "{over:?}");
        refused(mail::retry(&t.owner(), over[1].id).await, ErrorCode::Conflict);
        mail::retry(&t.owner(), over[0].id).await.unwrap();
        assert_eq!(actions(&t.owner()).await[0], "mail.retried");
        let again = listed().await;
        assert_eq!((again[0].state, again[0].attempts, again[0].error.as_deref()), (MailState::Waiting(t.core.now()), 0, None));
        assert_eq!(heads(&send(&t.core).await), [(OWNER, "New sign-in to your account")]);
        assert_eq!(listed().await[0].state, MailState::Sent(t.core.now()));
        refused(mail::retry(&t.owner(), contract::MailId::from_uuid(t.core.new_uuid())).await, ErrorCode::NotFound);

        let dev = t.join("ops@acme.test", Role::Owner).await;
        refused(mail::outbox(&dev, PageQuery::default()).await, ErrorCode::Forbidden);
        refused(mail::retry(&dev, over[0].id).await, ErrorCode::Forbidden);
        refused(mail::outbox(&anybody(&t), PageQuery::default()).await, ErrorCode::Unauthorized);
    }
}

with_mail! {
    async fn an_address_is_proved_by_a_mailed_link_and_whoever_held_the_other_one_loses_the_account(t) {
        let owner = t.owner();
        assert!(identity::address_is_proved(&owner).await.unwrap(), "who set the server up vouches for themself");
        // Whoever invited takes the link that they saw, and everything that makes an account theirs.
        let squatter = t.join("victim@acme.test", Role::Developer).await;
        let proved = async || members::list(&owner, PageQuery::default()).await.unwrap().data.into_iter().find(|m| m.email == "victim@acme.test").unwrap().email_proved;
        assert!(!proved().await && !identity::address_is_proved(&squatter).await.unwrap());
        t.enrol(&squatter).await;
        send(&t.core).await;
        // A link that somebody else made proves nothing.
        let helped = identity::new_reset_link(&t.as_who(Who::CommandLine(t.first.tenant_id)), "victim@acme.test").await.unwrap();
        let reset = |token: String, password: &str| ResetForm { token, new_password: password.into() };
        identity::reset_password(&anybody(&t), &reset(helped.0.expose().clone(), "a squatter takes what is there")).await.unwrap();
        assert!(!proved().await && identity::two_factor_state(&squatter).await.unwrap().on_since.is_some());
        send(&t.core).await;
        // Whose address it is asks for a link by mail.
        forgot(&t, "victim@acme.test").await.unwrap();
        let token = send(&t.core).await[0].token();
        let short = identity::reset_password(&anybody(&t), &reset(token.clone(), "gravel 7 orbit")).await;
        assert!(short.is_err(), "it will stand alone (s1): {short:?}");
        identity::reset_password(&anybody(&t), &reset(token, "mine from now on, and long")).await.unwrap();
        assert!(proved().await && identity::two_factor_state(&squatter).await.unwrap().on_since.is_none());
        let said = actions(&owner).await;
        assert!(said.contains(&"user.two_factor_disabled".to_owned()) && said.contains(&"user.password_reset".to_owned()), "{said:?}");
        sign_in(&t, "victim@acme.test", "mine from now on, and long", None).await.unwrap();
        // From then on a second factor stays, whoever reads the mails.
        t.enrol(&squatter).await;
        send(&t.core).await;
        forgot(&t, "victim@acme.test").await.unwrap();
        let token = send(&t.core).await[0].token();
        identity::reset_password(&anybody(&t), &reset(token, PASSWORD)).await.unwrap();
        assert!(identity::two_factor_state(&squatter).await.unwrap().on_since.is_some());
        // The mailed link of an invitation proves at once.
        members::invite(&owner, invite("dev@acme.test")).await.unwrap();
        let token = send(&t.core).await.into_iter().find(|m| m.to == "dev@acme.test").unwrap().token();
        members::accept(&anybody(&t), &AcceptForm { token, password: PASSWORD.into() }).await.unwrap().unwrap();
        let all = members::list(&owner, PageQuery::default()).await.unwrap().data;
        assert!(all.iter().find(|m| m.email == "dev@acme.test").unwrap().email_proved);
    }
}

with_mail! {
    async fn owners_are_told_what_somebody_from_outside_does_to_who_has_a_say(t) {
        let platform = t.owner();
        let body = TenantBody { name: Some("Globex".into()), slug: None };
        let (globex, link) = tenants::create_with_owner(&platform, &body, "boss@globex.test").await.unwrap();
        let token = link.unwrap().accept_url.unwrap().split("token=").nth(1).unwrap().to_owned();
        let boss = members::accept(&anybody(&t), &AcceptForm { token, password: PASSWORD.into() }).await.unwrap().unwrap().who.user_id;
        send(&t.core).await;
        let support = contract::SupportForm { why: "request".into(), note: "ticket 4711".into(), role: "security".into(), hours: "4".into() };
        tenants::open_support(&platform, globex.id, &support).await.unwrap();
        let sent = send(&t.core).await;
        assert_eq!(heads(&sent), [("boss@globex.test", "Support access to Globex was opened")]);
        assert!(sent[0].text.contains(OWNER) && sent[0].text.contains("ticket 4711") && sent[0].text.contains("/settings/tenant"), "{}", sent[0].text);
        tenants::invite_owner(&platform, globex.id, OWNER).await.unwrap();
        let sent = send(&t.core).await;
        let told: Vec<_> = sent.iter().filter(|m| m.to == "boss@globex.test").map(|m| m.subject.as_str()).collect();
        assert_eq!(told, ["Somebody from outside invited an owner to your tenant"]);
        // Both logs say that they came.
        let theirs = t.as_who(Who::CommandLine(globex.id));
        for log in [&platform, &theirs] {
            assert!(actions(log).await.contains(&"tenant.entered".to_owned()));
        }
        assert!(actions(&theirs).await.contains(&"invitation.created".to_owned()));
        let there = tenants::act_in(&platform, &globex.id.to_string()).await.unwrap();
        members::invite(&there, Invite { role: Role::Developer, ..invite("dev@globex.test") }).await.unwrap();
        assert!(heads(&send(&t.core).await).iter().all(|(to, _)| *to != "boss@globex.test"), "who has no say is no news");
        let other = members::invite(&theirs, Invite { role: Role::Owner, ..invite("second@globex.test") }).await.unwrap();
        let token = other.accept_url.unwrap().split("token=").nth(1).unwrap().to_owned();
        members::accept(&anybody(&t), &AcceptForm { token, password: PASSWORD.into() }).await.unwrap();
        send(&t.core).await;
        members::change_role(&there, boss, &contract::MemberBody { role: Some("support".into()) }).await.unwrap();
        let sent = send(&t.core).await;
        let changed = "Somebody from outside changed the owners of your tenant";
        assert_eq!(heads(&sent), [("boss@globex.test", changed), ("second@globex.test", changed)]);
    }
}

with_mail! {
    async fn a_mail_that_waited_behind_slow_ones_is_sent_by_the_process_that_has_it_now_and_by_no_other(t) {
        for email in ["dev@acme.test", "ops@acme.test"] {
            members::invite(&t.owner(), invite(email)).await.unwrap();
        }
        let slow = mail::due(&t.core).await.unwrap();
        assert!(mail::hold(&t.core, &slow[0]).await.unwrap());
        // The first one kept it busy until the second was due again, for another process.
        t.clock.advance(Duration::from_secs(61));
        let other = t.second_process().await;
        let mut taken = mail::due(&other).await.unwrap();
        taken.retain(|due| due.letter.id == slow[1].letter.id);
        assert!(!mail::hold(&t.core, &slow[1]).await.unwrap(), "somebody else's by now");
        assert!(mail::hold(&other, &taken[0]).await.unwrap());
        // Nor does the one that lost it say what became of it.
        mail::settle(&t.core, &slow[1], Err("gone".into())).await.unwrap();
        mail::settle(&other, &taken[0], Ok(())).await.unwrap();
        assert_eq!(t.count("SELECT COUNT(*) FROM mails WHERE sent_at IS NOT NULL AND error IS NULL").await, 1);
        other.stop().await;
        // What was taken back meanwhile is not sent either.
        members::invite(&t.owner(), invite("new@acme.test")).await.unwrap();
        let due = mail::due(&t.core).await.unwrap();
        let one = due.iter().find(|due| due.letter.to == "new@acme.test").unwrap();
        let id = members::invitations(&t.owner(), true, PageQuery::default()).await.unwrap().data[0].id;
        members::withdraw(&t.owner(), id).await.unwrap();
        assert!(!mail::hold(&t.core, one).await.unwrap());
    }
}

with_mail! {
    async fn nobody_is_flooded_with_invitations(t) {
        for _ in 0..3 {
            members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
        }
        assert!(matches!(members::invite(&t.owner(), invite("dev@acme.test")).await, Err(Error::TooMany(1))));
        assert!(members::invite(&t.owner(), invite("ops@acme.test")).await.is_ok(), "each address by itself");
        t.clock.advance(Duration::from_secs(1));
        members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
        assert!(matches!(members::invite(&t.owner(), invite("dev@acme.test")).await, Err(Error::TooMany(2))));
        t.clock.advance(2 * DAY);
        members::invite(&t.owner(), invite("dev@acme.test")).await.unwrap();
    }
}

with_mail! {
    async fn s6_whoever_asks_for_a_link_by_mail_ends_none_that_was_made_by_hand_and_a_new_password_ends_both(t) {
        let hand = identity::new_reset_link(&t.as_who(Who::CommandLine(t.first.tenant_id)), OWNER).await.unwrap().0;
        forgot(&t, OWNER).await.unwrap();
        let mailed = send(&t.core).await.into_iter().find(|m| m.subject == "Set a new password").unwrap().token();
        let open = async |token: &str| identity::reset_link_is_open(&t.core, token).await.unwrap();
        assert!(open(hand.expose()).await && open(&mailed).await);
        let again = identity::new_reset_link(&t.as_who(Who::CommandLine(t.first.tenant_id)), OWNER).await.unwrap().0;
        assert!(!open(hand.expose()).await && open(again.expose()).await && open(&mailed).await, "each ends the one of its sort");
        let form = ResetForm { token: mailed.clone(), new_password: "another gravel lantern eight".into() };
        identity::reset_password(&anybody(&t), &form).await.unwrap();
        assert!(!open(again.expose()).await && !open(&mailed).await);
    }
}

with_mail! {
    async fn a_person_is_told_of_an_app_that_they_let_in_for_the_first_time_and_of_no_trial(t) {
        let body = serde_json::json!({"name": "Ledger", "redirect_uris": ["https://ledger.test/cb"], "scopes": ["users:read", "users:write", "openid"]});
        let app = domain::oauth::create(&t.owner(), &serde_json::from_value(body).unwrap()).await.unwrap().app.id;
        let seen = RequestInfo { ip: Some("203.0.113.9".parse().unwrap()), user_agent: Some("Firefox".into()), ..RequestInfo::default() };
        let me = Ctx::new(t.core.clone(), t.owner().who().clone(), seen);
        let me = me.in_session(domain::InSession { digest: vec![7; 32], proven_at: t.core.now() });
        let allow = async |scope: &str| {
            let asked = [("client_id", app.to_string()), ("response_type", "code".into()), ("scope", scope.into()), ("prompt", "consent".into())];
            let asked: Vec<(String, String)> = asked.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
            let (client, asked) = domain::oauth::check(&t.core, &asked).unwrap();
            let domain::oauth::Next::Ask(id) = domain::oauth::begin(&me, &client, &asked).await.unwrap() else { panic!("asks") };
            domain::oauth::decide(&me, id, me.tenant_id()).await.unwrap();
        };
        allow("openid users:read").await;
        let sent = send(&t.core).await;
        assert_eq!(heads(&sent), [(OWNER, "You let Ledger act for you in Acme")]);
        for part in ["Ledger, at ledger.test, may act for you in Acme", "- Know who you are", "- See users", "from 203.0.113.9, with Firefox", "under Account, Grants", "http://localhost/grants"] {
            assert!(sent[0].text.contains(part), "{part}: {}", sent[0].text);
        }
        assert!(!sent[0].text.contains("Change users"), "what was allowed, and no more: {}", sent[0].text);
        allow("users:write").await;
        assert_eq!(send(&t.core).await.len(), 0, "more for an app that was let in before is no news");
        let held = domain::oauth::mine(&me).await.unwrap().remove(0).id;
        domain::oauth::revoke_grant(&me, held).await.unwrap();
        allow("openid").await;
        assert_eq!(send(&t.core).await.len(), 1, "a new grant after the old one was taken back");
        let domain::oauth::Begun::Asks(trial) = domain::oauth::begin_trial(&me, app, &["openid".into()]).await.unwrap() else { panic!("asks") };
        let params = crate::oauth::form(trial.path(&t.core).split_once('?').unwrap().1);
        let (client, asked) = domain::oauth::check_in(&t.core, &params, Some(&trial)).unwrap();
        let domain::oauth::Next::Ask(id) = domain::oauth::begin(&me, &client, &asked).await.unwrap() else { panic!("asks") };
        domain::oauth::decide(&me, id, me.tenant_id()).await.unwrap();
        assert_eq!(send(&t.core).await.len(), 0, "a trial is no news");
    }
}
