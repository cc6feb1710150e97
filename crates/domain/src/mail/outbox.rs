//! The mails of the installation, for those who operate it: what waits, what was sent, what was given up and why.

use super::{KEPT, sql};
use crate::{Ctx, Error, Grant, Result, db::Event, tenants};
use contract::{MailId, Page, PageQuery, Target, TenantId, UnixMs};

/// What became of a mail so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It is tried then.
    Waiting(UnixMs),
    /// A mail server took it.
    Sent(UnixMs),
    /// It is tried no more.
    GivenUp,
}

/// A mail as the outbox shows it: what it is about, and never the token of its link.
#[derive(Clone, Debug)]
pub struct Queued {
    /// Which.
    pub id: MailId,
    /// To whom.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The tenant that it is about; none where it is about a person's account.
    pub tenant: Option<String>,
    /// What became of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i64,
    /// What the mail server said last.
    pub error: Option<String>,
    /// Since when.
    pub created_at: UnixMs,
    /// It holds a link, which is gone once it was given up.
    pub linked: bool,
}

impl sql::Listed {
    fn queued(self) -> Queued {
        let state = match (self.sent_at, self.due_at) {
            (Some(at), _) => MailState::Sent(UnixMs(at)),
            (None, Some(at)) => MailState::Waiting(UnixMs(at)),
            (None, None) => MailState::GivenUp,
        };
        Queued {
            id: MailId::from_uuid(self.id),
            to: self.recipient,
            subject: self.message.0.subject(),
            tenant: self.tenant,
            state,
            attempts: self.attempts,
            error: self.error,
            created_at: UnixMs(self.created_at),
            linked: self.message.0.link().is_some(),
        }
    }
}

/// One page of the mails of the installation, newest first.
pub async fn outbox(ctx: &Ctx, page: PageQuery) -> Result<Page<Queued>> {
    tenants::require_platform(ctx)?;
    let mut tx = ctx.db().read_all().await?;
    let rows = sql::page_unscoped(&mut tx, page).await?.into_iter().map(sql::Listed::queued).collect();
    Ok(Page::cut(rows, page.bounded(), |m| m.id.uuid()))
}

/// Tries a mail once more that was given up.
pub async fn retry(ctx: &Ctx, id: MailId) -> Result<()> {
    tenants::require_platform(ctx)?;
    let now = ctx.now();
    let mut tx = ctx.db().read_all().await?;
    let found = sql::find_unscoped(&mut tx, id).await?.ok_or(Error::NotFound)?;
    drop(tx);
    // Noted where the mail belongs; what is a person's, where who asks does.
    let tenant = found.tenant_id.map(TenantId::from_uuid).or_else(|| ctx.home()).ok_or(Error::Unauthenticated)?;
    let grant = Grant::of_platform(ctx, tenant)?;
    let mail = found.queued();
    if mail.linked {
        return Err(Error::Conflict("The link of this mail is gone: whoever needs it asks for a new one".to_owned()));
    }
    let mut tx = ctx.write(&grant).await?;
    if !sql::retry_unscoped(tx.tx(), id, now, now.plus(KEPT)).await? {
        return Err(Error::Conflict("Only a mail that was given up is tried again".to_owned()));
    }
    let target = Target { kind: "mail".to_owned(), id: id.to_string(), name: mail.subject };
    tx.commit(Event { action: "mail.retried", target, reason: None, before: None, after: Some(serde_json::json!({"to": mail.to})) }).await
}
