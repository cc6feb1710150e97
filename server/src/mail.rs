//! Sends the mails that the domain queued, by SMTP.

use crate::config::Config;
use anyhow::{Context, Result};
use domain::{
    Core, identity,
    mail::{self, Letter},
};
use http::Uri;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::Mailbox, message::MultiPart};
use std::{sync::Arc, time::Duration};
use tokio::time::{interval, timeout};

/// How often mails that are due are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How long a mail server may take for each step.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to a mail server.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// As the operator set it; none without a mail server.
    pub fn new(config: &Config, public_url: &str) -> Result<Option<Self>> {
        let Some(url) = config.smtp_url()? else { return Ok(None) };
        // The URL may hold a password: it is never printed.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose())
            .ok()
            .context(
                "KEYSTEAD_SMTP_URL must be smtp://HOST:PORT, smtps://HOST, or smtp://HOST?tls=required, with USER:PASSWORD@ where needed",
            )?
            .timeout(Some(PATIENCE))
            .build();
        let host = public_url.parse::<Uri>().ok().and_then(|u| u.host().map(ToOwned::to_owned)).unwrap_or_default();
        let from = config.smtp_from.clone().unwrap_or_else(|| format!("Keystead <keystead@{host}>"));
        let from = from.parse().with_context(|| format!("KEYSTEAD_SMTP_FROM: {from} is no address that mails can come from"))?;
        Ok(Some(Self { transport, from }))
    }

    async fn send(&self, letter: &Letter) -> Result<(), String> {
        let to = letter.to.parse().map_err(|e| format!("the recipient is no address: {e}"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .multipart(MultiPart::alternative_plain_html(letter.text.expose().clone(), letter.html.expose().clone()))
            .map_err(|e| e.to_string())?;
        match timeout(Duration::from_millis(mail::HELD), self.transport.send(message)).await {
            Ok(sent) => sent.map(drop).map_err(|e| e.to_string()),
            Err(_) => Err("the mail server took too long".to_owned()),
        }
    }
}

/// Sends what is due, again and again.
pub async fn run(core: Arc<Core>, mailer: Mailer) {
    let mut tick = interval(LOOK);
    loop {
        tick.tick().await;
        if let Err(e) = turn(&core, &mailer).await {
            tracing::warn!(error = %e, "mails wait for the database");
        }
    }
}

async fn turn(core: &Arc<Core>, mailer: &Mailer) -> domain::Result<()> {
    if let Err(e) = identity::answer_forgotten(core).await {
        tracing::warn!(error = %e, "who forgot a password waits");
    }
    for due in mail::due(core).await? {
        if !mail::hold(core, &due).await? {
            continue;
        }
        let outcome = mailer.send(&due.letter).await;
        if let Err(e) = &outcome {
            tracing::warn!(mail = %due.letter.id, error = %e, "a mail could not be sent yet");
        }
        mail::settle(core, &due, outcome).await?;
    }
    Ok(())
}
