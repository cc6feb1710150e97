//! Mails: queued in the transaction of the change that they tell of, and sent by a job beside the requests, so that
//! nobody waits for a mail server and none is sent about what did not happen. Without a mail server they wait.
//!
//! The token of a link lies sealed beside its mail, until that is sent or given up (s77).

mod notices;
mod outbox;
mod render;
mod sql;

pub(crate) use notices::{tell, whence};
pub use outbox::{MailState, Queued, outbox, retry};
pub(crate) use render::Link;
pub use render::{Letter, Message};

use crate::{Core, Ctx, Grant, Result, db::Tx};
use contract::{AppId, KeyId, MailId, Secret, UnixMs, UserId};
use uuid::Uuid;

/// Mails of one turn.
const TURN: i64 = 20;
/// After the first attempt; after the n-th, n² times that. Longer than an attempt may take.
const PAUSE: i64 = 60_000;
/// How long an attempt may take, in milliseconds: then somebody else may try. Clocks of nodes may lie apart by the rest.
pub const HELD: u64 = 40_000;
/// Attempts in all, over three days.
const LAST: i64 = 23;
/// How long a mail waits that has no date of its own, and how long one that is over can still be looked at.
const KEPT: i64 = 30 * UnixMs::DAY;
/// People belong to no tenant; what is sealed for their mails is bound to the mail alone.
const NOBODYS: Uuid = Uuid::nil();

/// A mail on its way out.
#[derive(Debug)]
pub struct Due {
    /// What is sent, and to whom.
    pub letter: Letter,
    row: sql::Row,
}

/// The secret of a link, and until when it works.
pub(crate) struct Token<'a> {
    /// The secret.
    pub secret: &'a Secret<String>,
    /// Until when it works: later the mail is not sent any more.
    pub until: UnixMs,
}

/// Queues a mail of a tenant with a link.
pub(crate) async fn with_link(tx: &mut Tx, ctx: &Ctx, grant: &Grant, to: &str, message: &Message, token: Token<'_>) -> Result<()> {
    let core = ctx.core();
    let id = MailId::from_uuid(ctx.new_uuid());
    let sealed = core.keys.seal.seal(grant.tenant_id().uuid(), id.uuid(), token.secret, core.entropy())?;
    sql::insert(tx, grant, &sql::New { id, to, message, sealed: Some(sealed), now: ctx.now(), until: token.until }).await
}

/// Queues a mail to the person who answers for a key, or to the tenant's owners where nobody does; answers who that is.
pub(crate) async fn to_who_answers(tx: &mut Tx, ctx: &Ctx, grant: &Grant, key: KeyId, message: &Message) -> Result<Vec<String>> {
    let recipients = match sql::answers_for(tx, grant, key).await? {
        Some(owner) => vec![owner],
        None => sql::owners(tx, grant).await?,
    };
    queue(tx, ctx, grant, &recipients, message).await?;
    Ok(recipients)
}

/// The same for an app: to whoever registered it, or to the owners.
pub(crate) async fn to_who_registered(tx: &mut Tx, ctx: &Ctx, grant: &Grant, app: AppId, message: &Message) -> Result<Vec<String>> {
    let recipients = match sql::registered(tx, grant, app).await? {
        Some(owner) => vec![owner],
        None => sql::owners(tx, grant).await?,
    };
    queue(tx, ctx, grant, &recipients, message).await?;
    Ok(recipients)
}

/// Queues a mail to the tenant's owners, and to one more address if it is none of theirs.
pub(crate) async fn to_owners(tx: &mut Tx, ctx: &Ctx, grant: &Grant, and: Option<&str>, message: &Message) -> Result<()> {
    let mut recipients = sql::owners(tx, grant).await?;
    recipients.extend(and.filter(|and| !recipients.iter().any(|r| r == and)).map(ToOwned::to_owned));
    queue(tx, ctx, grant, &recipients, message).await
}

async fn queue(tx: &mut Tx, ctx: &Ctx, grant: &Grant, recipients: &[String], message: &Message) -> Result<()> {
    for to in recipients {
        let id = MailId::from_uuid(ctx.new_uuid());
        sql::insert(tx, grant, &sql::New { id, to, message, sealed: None, now: ctx.now(), until: ctx.now().plus(KEPT) }).await?;
    }
    Ok(())
}

/// Queues a mail to a person about their own account, which is no tenant's; `to` is one of their addresses.
pub(crate) async fn to_person(tx: &mut Tx, ctx: &Ctx, user: UserId, to: &str, message: &Message, token: Option<Token<'_>>) -> Result<()> {
    let core = ctx.core();
    let id = MailId::from_uuid(ctx.new_uuid());
    let until = token.as_ref().map_or_else(|| ctx.now().plus(KEPT), |t| t.until);
    let sealed = token.map(|t| core.keys.seal.seal(NOBODYS, id.uuid(), t.secret, core.entropy())).transpose()?;
    sql::insert_for_person_unscoped(tx, user, &sql::New { id, to, message, sealed, now: ctx.now(), until }).await
}

/// The invitation for an address works no more: a mail with its link is not sent.
pub(crate) async fn drop_invitation(tx: &mut Tx, grant: &Grant, to: &str) -> Result<()> {
    sql::drop_invitation(tx, grant, to, NO_LINK).await
}

/// The links of that sort that a person was to be mailed work no more.
pub(crate) async fn drop_links(tx: &mut Tx, user: UserId, link: Link) -> Result<()> {
    sql::drop_links_unscoped(tx, user, link, NO_LINK).await
}

/// What stands beside a mail that was not sent because of that.
const NO_LINK: &str = "its link works no more";

/// Takes the mails that are due, for this process: no other one tries them before their next attempt is due. Each is held
/// ([`hold`]) before it is sent.
pub async fn due(core: &Core) -> Result<Vec<Due>> {
    let now = core.now();
    let mut tx = core.db.begin_all().await?;
    let mut rows = sql::due_unscoped(&mut tx, now, TURN, PAUSE).await?;
    rows.extend(sql::due_for_people_unscoped(&mut tx, now, TURN, PAUSE).await?);
    tx.commit_quiet().await?;
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        match letter(core, &row) {
            Ok(letter) => due.push(Due { letter, row }),
            // It keeps nobody else's waiting.
            Err(e) => {
                tracing::error!(mail = %MailId::from_uuid(row.id), error = %e, "a mail cannot be written");
                give_up(core, &row, "its link cannot be read").await?;
            }
        }
    }
    Ok(due)
}

/// Is it still this process's turn with a mail? Asked right before it is sent: it may have waited behind slower ones. From
/// here on no other process has it for [`HELD`].
pub async fn hold(core: &Core, mail: &Due) -> Result<bool> {
    let again = PAUSE * mail.row.attempts * mail.row.attempts;
    let mut tx = core.db.begin_all().await?;
    let held = sql::hold_unscoped(&mut tx, &mail.row, core.now().plus(again)).await?;
    tx.commit_quiet().await?;
    Ok(held)
}

async fn give_up(core: &Core, row: &sql::Row, why: &str) -> Result<()> {
    let mut tx = core.db.begin_all().await?;
    sql::settle_unscoped(&mut tx, row, None, true, Some(why)).await?;
    tx.commit_quiet().await
}

fn letter(core: &Core, row: &sql::Row) -> Result<Letter> {
    let open = |sealed: &Vec<u8>| core.keys.seal.open(row.tenant_id.unwrap_or(NOBODYS), row.id, sealed);
    let token = row.sealed.as_ref().map(open).transpose()?;
    // Links lead to where the operator said that this server is, whatever a request said (s18).
    Ok(Letter::of(row.id, &row.recipient, &row.message.0, token.as_ref(), &core.settings.public_url))
}

/// Notes what became of a mail. One that failed is tried again, until it is given up.
pub async fn settle(core: &Core, mail: &Due, outcome: Result<(), String>) -> Result<()> {
    let now = core.now();
    let given_up = outcome.is_err() && mail.row.attempts >= LAST;
    let error = outcome.as_ref().err().map(|e| e.chars().filter(|c| !c.is_control()).take(500).collect::<String>());
    let mut tx = core.db.begin_all().await?;
    sql::settle_unscoped(&mut tx, &mail.row, outcome.is_ok().then_some(now), outcome.is_ok() || given_up, error.as_deref()).await?;
    tx.commit_quiet().await
}

/// Gives up what waited for too long, its token with it, and forgets what was over long ago.
pub async fn sweep(core: &Core) -> Result<()> {
    let now = core.now();
    let mut tx = core.db.begin_all().await?;
    sql::expire_unscoped(&mut tx, now, "it could not be sent in time").await?;
    sql::sweep_unscoped(&mut tx, now.plus(-KEPT)).await?;
    tx.commit_quiet().await
}
