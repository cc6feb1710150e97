//! What mails say, as text and as HTML of the same words.

use super::notices::Notice;
use contract::{AppId, KeyId, LeakId, MailId, Role, Secret, UnixMs, counted};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// What a mail is about; kept until it is sent, without the token of its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// A key was found where it does not belong.
    LeakFound {
        /// Its name.
        key: String,
        /// How its secret starts.
        prefix: String,
        /// How it ends.
        last_four: String,
        /// The secret still works.
        works: bool,
        /// The report.
        report: LeakId,
    },
    /// A secret of an app was found where it does not belong, and ended.
    AppSecretLeaked {
        /// Which.
        app: AppId,
        /// Its name.
        name: String,
        /// How the secret ends.
        last_four: String,
    },
    /// A key expires, or has.
    KeyExpiring {
        /// Which.
        id: KeyId,
        /// Its name.
        key: String,
        /// How its secret starts.
        prefix: String,
        /// When.
        expires_at: UnixMs,
        /// How many days before this is told; none once it is over.
        days: i64,
    },
    /// Somebody is asked to join a tenant.
    Invitation {
        /// The tenant.
        tenant: String,
        /// Who asks.
        by: String,
        /// As what.
        role: Role,
        /// Until when the link works.
        until: UnixMs,
    },
    /// Somebody asked for a new password.
    PasswordReset {
        /// Until when the link works.
        until: UnixMs,
    },
    /// An account is to have another address.
    EmailChange {
        /// The one that it has.
        from: String,
        /// The one that it is to have.
        to: String,
        /// This goes to the one that it is to have.
        at_new: bool,
        /// Until when the link works.
        until: UnixMs,
    },
    /// An account was to have this address, which another one has already.
    EmailTaken,
    /// Somebody from outside changed who has a say in a tenant that the recipient owns.
    Outsider {
        /// The event.
        event: String,
        /// Who.
        by: String,
        /// Whom or what it is about.
        about: String,
        /// Why, in their words.
        reason: Option<String>,
        /// When.
        at: UnixMs,
    },
    /// The recipient let an app act for them.
    AppAllowed {
        /// The app.
        app: String,
        /// Where its answers go; none of an app on a device.
        host: Option<String>,
        /// Where it acts.
        tenant: String,
        /// What it may do, in words.
        scopes: Vec<String>,
        /// When.
        at: UnixMs,
        /// From which address.
        ip: Option<String>,
        /// With what.
        user_agent: Option<String>,
    },
    /// Something happened to the recipient's account.
    Notice {
        /// The event.
        event: String,
        /// When.
        at: UnixMs,
        /// From which address.
        ip: Option<String>,
        /// With what.
        user_agent: Option<String>,
    },
}

/// Sorts of links that hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Joins a tenant.
    Invitation,
    /// Sets a password.
    Reset,
    /// Confirms an address.
    Email,
}

impl Link {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::Email => "email",
        }
    }
}

impl Message {
    /// The sort of link that it has, if that holds a token.
    pub const fn link(&self) -> Option<Link> {
        match self {
            Self::Invitation { .. } => Some(Link::Invitation),
            Self::PasswordReset { .. } => Some(Link::Reset),
            Self::EmailChange { .. } => Some(Link::Email),
            Self::LeakFound { .. }
            | Self::AppSecretLeaked { .. }
            | Self::KeyExpiring { .. }
            | Self::EmailTaken
            | Self::Outsider { .. }
            | Self::AppAllowed { .. }
            | Self::Notice { .. } => None,
        }
    }

    /// What stands above it.
    pub fn subject(&self) -> String {
        match self {
            Self::LeakFound { key, .. } => format!("The API key {key} leaked"),
            Self::AppSecretLeaked { name, .. } => format!("A secret of the app {name} leaked and was ended"),
            Self::KeyExpiring { key, days: 0, .. } => format!("The API key {key} has expired"),
            Self::KeyExpiring { key, days, .. } => format!("The API key {key} expires within {}", counted(*days, "day")),
            Self::Invitation { tenant, .. } => format!("You are invited to {tenant}"),
            Self::PasswordReset { .. } => "Set a new password".to_owned(),
            Self::EmailChange { .. } => "Confirm the change of your address".to_owned(),
            Self::EmailTaken => "This address has an account already".to_owned(),
            Self::Outsider { event, about, .. } => match event.as_str() {
                "support.opened" => format!("Support access to {about} was opened"),
                "invitation.created" => "Somebody from outside invited an owner to your tenant".to_owned(),
                _ => "Somebody from outside changed the owners of your tenant".to_owned(),
            },
            Self::AppAllowed { app, tenant, .. } => format!("You let {app} act for you in {tenant}"),
            Self::Notice { event, .. } => Notice::of(event).map_or("News of your account", |n| n.subject).to_owned(),
        }
    }

    fn paragraphs(&self) -> Vec<String> {
        match self {
            Self::LeakFound { key, prefix, last_four, works, .. } => {
                let now = if *works {
                    "The secret still works. Rotate the key, so that its callers go on, or revoke it now."
                } else {
                    "The secret works no more. Look who used it before that."
                };
                vec![format!("A secret of the API key “{key}” ({prefix}…{last_four}) was found where it does not belong."), now.to_owned()]
            }
            Self::AppSecretLeaked { name, last_four, .. } => vec![
                format!("A secret of the app “{name}” (…{last_four}) was found where it does not belong. It is refused from now on."),
                "If the app still used it, rotate its secret and give it the new one. The tokens that it got for itself have ended, \
                 too. Its other secrets and what people allowed it go on: if somebody may have used the secret, look at the app’s \
                 usage, and suspend it to stop them."
                    .to_owned(),
            ],
            Self::KeyExpiring { key, prefix, expires_at, days: 0, .. } => vec![
                format!("The API key “{key}” ({prefix}…) expired on {}. Its callers are refused.", expires_at.human()),
                "If it is still needed, make a new one; else nothing is left to do.".to_owned(),
            ],
            Self::KeyExpiring { key, prefix, expires_at, .. } => vec![
                format!("The API key “{key}” ({prefix}…) expires on {}. From then on its callers are refused.", expires_at.human()),
                "If it is still needed, rotate it or give it a later date; else let it go.".to_owned(),
            ],
            Self::Invitation { tenant, by, role, until } => vec![
                format!("{by} invites you to join {tenant} on Keystead, as {}.", role.title().to_lowercase()),
                format!("The link works once, until {}. If you do not know what this is about, do nothing.", until.human()),
            ],
            Self::PasswordReset { until } => vec![
                "Somebody, most likely you, asked for a new password for this address.".to_owned(),
                format!("The link works once, until {}. If it was not you, do nothing: your password stays.", until.human()),
            ],
            Self::EmailChange { from, to, at_new: true, until } => vec![
                format!("The account {from} is to sign in with the address {to} from now on."),
                format!("It does once this link and the one that went to {from} were opened and confirmed, until {}.", until.human()),
            ],
            Self::EmailChange { to, until, .. } => vec![
                format!("Your account is to sign in with the address {to} instead of this one."),
                format!("It does once this link and the one that went to {to} were opened and confirmed, until {}.", until.human()),
                "If you did not ask for it, open the link, refuse the change, and set another password.".to_owned(),
            ],
            Self::EmailTaken => vec![
                "Somebody wanted to sign in to another account with this address. It has an account of its own, so nothing was changed."
                    .to_owned(),
                "If that was you, sign in with this address.".to_owned(),
            ],
            Self::Outsider { event, by, about, reason, at } => {
                let did = match event.as_str() {
                    "support.opened" => format!("{by}, who operates this server, can work in {about} for some hours."),
                    "invitation.created" => format!("{by} invited {about} as an owner."),
                    "member.removed" => format!("{by} removed {about}, who was an owner."),
                    _ => format!("{by} changed the role of {about}: from or to owner."),
                };
                let why = reason.as_ref().map(|r| format!("The reason given: {r}."));
                let told = format!(
                    "{}. {by} does not belong to your tenant, and everything that they do there stands in its audit log.",
                    at.human()
                );
                let remedy = "If you do not know why, end the access or take the invitation back, and ask whoever operates this server.";
                [Some(did), why, Some(told), Some(remedy.to_owned())].into_iter().flatten().collect()
            }
            Self::AppAllowed { app, host, tenant, scopes, at, ip, user_agent } => {
                let host = host.as_ref().map_or_else(|| "on a device of yours".to_owned(), |host| format!("at {host}"));
                vec![
                    format!("The app {app}, {host}, may act for you in {tenant} from now on. It is able to:"),
                    scopes.iter().map(|words| format!("- {words}")).collect::<Vec<_>>().join("\n"),
                    moment(*at, ip.as_deref(), user_agent.as_deref()),
                    "You can take that back at any time, under Account, Grants: its tokens are refused within a second.".to_owned(),
                    "If it was not you, do that now, set another password, and end the sessions that you do not know.".to_owned(),
                ]
            }
            Self::Notice { event, at, ip, user_agent } => {
                let notice = Notice::of(event);
                let said = notice.into_iter().flat_map(|n| [n.text, n.remedy]);
                let mut all: Vec<String> = said.map(ToOwned::to_owned).collect();
                all.insert(all.len().min(1), moment(*at, ip.as_deref(), user_agent.as_deref()));
                all
            }
        }
    }

    /// Label and path; what holds a token gets it.
    fn leads_to(&self, token: &str) -> (&'static str, String) {
        match self {
            Self::LeakFound { report, .. } => ("Look at the report", format!("/leaks/{report}")),
            Self::AppSecretLeaked { app, .. } => ("Look at the app", format!("/apps/{app}")),
            Self::KeyExpiring { id, .. } => ("Look at the key", format!("/keys/{id}")),
            Self::Invitation { .. } => ("Accept the invitation", format!("/invitations/accept?token={token}")),
            Self::PasswordReset { .. } => ("Set a new password", format!("/reset?token={token}")),
            Self::EmailChange { .. } => ("Confirm or refuse", format!("/email?token={token}")),
            Self::EmailTaken => ("Sign in", "/login".to_owned()),
            Self::Outsider { event, .. } if event == "support.opened" => ("Look at support access", "/settings/tenant".to_owned()),
            Self::Outsider { .. } => ("Look at your members", "/members".to_owned()),
            Self::AppAllowed { .. } => ("Look at what you allowed", "/grants".to_owned()),
            Self::Notice { event, .. } => Notice::of(event).map_or(("Sign in", "/login".to_owned()), |n| (n.link.0, n.link.1.to_owned())),
        }
    }
}

/// A mail as it is sent. What it says may hold a token, and does not print.
pub struct Letter {
    /// Which mail.
    pub id: MailId,
    /// To whom.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Paragraphs.
    pub text: Secret<String>,
    /// The same.
    pub html: Secret<String>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).field("to", &self.to).field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Letter {
    /// Renders a message; `public_url` is where its links lead.
    pub(super) fn of(id: Uuid, to: &str, message: &Message, token: Option<&Secret<String>>, public_url: &str) -> Self {
        let paragraphs = message.paragraphs();
        let (label, path) = message.leads_to(token.map_or("", |t| t.expose()));
        let link = format!("{public_url}{path}");
        let signed = format!("Keystead at {public_url}");
        let text = format!("{}\n\n{label}: {link}\n\n-- \n{signed}\n", paragraphs.join("\n\n"));
        let body: String = paragraphs.iter().map(|p| format!("<p>{}</p>", escape(p).replace('\n', "<br>"))).collect();
        let html = format!(
            "<!doctype html><html lang=\"en\"><body>{body}<p><a href=\"{}\">{label}</a></p><p>{}</p></body></html>",
            escape(&link),
            escape(&signed)
        );
        Self { id: MailId::from_uuid(id), to: to.to_owned(), subject: message.subject(), text: Secret::new(text), html: Secret::new(html) }
    }
}

/// When something was done, and from where.
fn moment(at: UnixMs, ip: Option<&str>, user_agent: Option<&str>) -> String {
    let from = ip.map(|ip| format!(", from {ip}")).unwrap_or_default();
    let with = user_agent.map(|ua| format!(", with {ua}")).unwrap_or_default();
    format!("{}{from}{with}", at.human())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s18_links_lead_to_the_configured_address_and_names_are_text() {
        let report = LeakId::from_uuid(Uuid::from_u128(7));
        let message =
            Message::LeakFound { key: "<b>\"x\"&".into(), prefix: "sk_live_ab".into(), last_four: "cd12".into(), works: true, report };
        let letter = Letter::of(Uuid::from_u128(1), "o@acme.test", &message, None, "https://keys.acme.test");
        let link = format!("https://keys.acme.test/leaks/{report}");
        let (text, html) = (letter.text.expose(), letter.html.expose());
        assert!(text.contains(&link) && html.contains(&format!("href=\"{link}\"")), "{text}");
        assert!(html.contains("&lt;b&gt;&quot;x&quot;&amp;") && !html.contains("<b>"), "{html}");
        assert!(text.contains("“<b>\"x\"&” (sk_live_ab…cd12)"), "{text}");
    }

    #[test]
    fn s77_a_letter_with_a_token_does_not_print() {
        let token = Secret::new("0123abcd".to_owned());
        let message = Message::PasswordReset { until: UnixMs(1_790_000_000_000) };
        let letter = Letter::of(Uuid::from_u128(1), "o@acme.test", &message, Some(&token), "https://keys.acme.test");
        assert!(letter.text.expose().contains("https://keys.acme.test/reset?token=0123abcd"));
        assert!(!format!("{letter:?}").contains("0123abcd"));
    }
}
