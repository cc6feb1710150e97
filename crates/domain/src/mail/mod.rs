//! Mails: queued in the transaction of the change that they tell of, and sent by a job beside the requests, so that
//! nobody waits for a mail server and none is sent about what did not happen. Without a mail server they wait.

mod render;
mod sql;

pub use render::{Letter, Message};

use crate::{Core, Ctx, Grant, Result, db::Tx};
use contract::{MailId, UnixMs};

/// Mails of one turn.
const TURN: i64 = 20;
/// After the first attempt; after the n-th, n² times that. Longer than an attempt may take.
const PAUSE: i64 = 60_000;
/// Attempts in all, over three days.
const LAST: i64 = 23;
/// How long a mail that was sent can still be looked at.
const KEPT: i64 = 30 * UnixMs::DAY;

/// A mail on its way out.
#[derive(Debug)]
pub struct Due {
    /// What is sent, and to whom.
    pub letter: Letter,
    row: sql::Row,
}

/// Queues a mail to each of the recipients.
pub(crate) async fn queue(tx: &mut Tx, ctx: &Ctx, grant: &Grant, to: &[String], message: &Message) -> Result<()> {
    for recipient in to {
        sql::insert(tx, grant, MailId::from_uuid(ctx.new_uuid()), recipient, message, ctx.now()).await?;
    }
    Ok(())
}

/// Takes the mails that are due, for this process: no other one tries them before their next attempt is due.
pub async fn due(core: &Core) -> Result<Vec<Due>> {
    let now = core.now();
    let mut tx = core.db.begin_all().await?;
    let rows = sql::due_unscoped(&mut tx, now, TURN, PAUSE).await?;
    sql::sweep_unscoped(&mut tx, now.plus(-KEPT)).await?;
    tx.commit_quiet().await?;
    // Links lead to where the operator said that this server is, whatever a request said (s18).
    let url = &core.settings.public_url;
    Ok(rows.into_iter().map(|row| Due { letter: Letter::of(row.id, &row.recipient, &row.message.0, url), row }).collect())
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
