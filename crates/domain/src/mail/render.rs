//! What mails say, as text and as HTML of the same words.

use contract::{LeakId, MailId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a mail is about; kept until it is sent.
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
}

/// A mail as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Which mail.
    pub id: MailId,
    /// To whom.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Paragraphs.
    pub text: String,
    /// The same.
    pub html: String,
}

impl Letter {
    /// Renders a message; `public_url` is where its links lead.
    pub(super) fn of(id: Uuid, to: &str, message: &Message, public_url: &str) -> Self {
        let (subject, paragraphs, link) = match message {
            Message::LeakFound { key, prefix, last_four, works, report } => {
                let now = if *works {
                    "The secret still works. Rotate the key, so that its callers go on, or revoke it now."
                } else {
                    "The secret works no more. Look who used it before that."
                };
                let found = format!("A secret of the API key “{key}” ({prefix}…{last_four}) was found where it does not belong.");
                let subject = format!("The API key {key} leaked");
                (subject, vec![found, now.to_owned()], ("Look at the report", format!("{public_url}/leaks/{report}")))
            }
        };
        let signed = format!("Keystead at {public_url}");
        let text = format!("{}\n\n{}: {}\n\n-- \n{signed}\n", paragraphs.join("\n\n"), link.0, link.1);
        let body: String = paragraphs.iter().map(|p| format!("<p>{}</p>", escape(p))).collect();
        let html = format!(
            "<!doctype html><html lang=\"en\"><body>{body}<p><a href=\"{}\">{}</a></p><p>{}</p></body></html>",
            escape(&link.1),
            link.0,
            escape(&signed)
        );
        Self { id: MailId::from_uuid(id), to: to.to_owned(), subject, text, html }
    }
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
        let letter = Letter::of(Uuid::from_u128(1), "o@acme.test", &message, "https://keys.acme.test");
        let link = format!("https://keys.acme.test/leaks/{report}");
        assert!(letter.text.contains(&link) && letter.html.contains(&format!("href=\"{link}\"")), "{letter:?}");
        assert!(letter.html.contains("&lt;b&gt;&quot;x&quot;&amp;") && !letter.html.contains("<b>"), "{}", letter.html);
        assert!(letter.text.contains("“<b>\"x\"&” (sk_live_ab…cd12)"), "{}", letter.text);
    }
}
