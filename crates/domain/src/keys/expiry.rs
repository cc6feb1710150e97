//! Whoever answers for a key is told by mail that it expires: 14 days before, 3 days before, and when it has.
//!
//! Each is told once for each date at which a key expires, however many processes look: a row says that it was. A key
//! that was made for no longer than that many days is not told of then, and one that lives for a day or less never: who
//! made it knows. After a pause only the newest of the three is told, and what expired more than 3 days ago is past news.

use super::{sql, target_of};
use crate::{
    Core, Ctx, Grant, RequestInfo, Result, Who,
    db::Event,
    error::OrGoOn,
    mail::{self, Message},
};
use contract::{KeyId, TenantId, UnixMs};
use std::sync::Arc;

/// Days before, from when on (behind this many days before) and how long a key must live to be told of.
const STEPS: [Step; 3] = [Step { days: 14, ends: 3, life: 14 }, Step { days: 3, ends: 0, life: 3 }, Step { days: 0, ends: -3, life: 1 }];
/// Keys of one turn and step.
const TURN: i64 = 200;

struct Step {
    days: i64,
    ends: i64,
    life: i64,
}

/// Tells of the keys that have come to one of the days, and were not told of then.
pub async fn tell_of_expiry(core: &Arc<Core>) -> Result<()> {
    let ctx = Ctx::new(core.clone(), Who::Anonymous, RequestInfo::default());
    for step in STEPS {
        let (from, to) = (ctx.now().plus(step.ends * UnixMs::DAY), ctx.now().plus(step.days * UnixMs::DAY));
        let mut tx = ctx.db().read_all().await?;
        let due = sql::expiring_unscoped(&mut tx, from, to, step.life * UnixMs::DAY, step.days, TURN).await?;
        drop(tx);
        for key in due {
            let told = tell(&ctx, &key, step.days).await;
            told.or_go_on("nobody was told that a key expires", KeyId::from_uuid(key.id))?;
        }
    }
    Ok(())
}

async fn tell(ctx: &Ctx, key: &sql::Expiring, days: i64) -> Result<()> {
    let (id, expires_at) = (KeyId::from_uuid(key.id), UnixMs(key.expires_at));
    let grant = Grant::of_job(TenantId::from_uuid(key.tenant_id), "expiry");
    let mut tx = ctx.write(&grant).await?;
    if !sql::note_expiry(tx.tx(), &grant, id, expires_at, days, ctx.now()).await? {
        return Ok(());
    }
    let message = Message::KeyExpiring { id, key: key.name.clone(), prefix: key.prefix.clone(), expires_at, days };
    let to = mail::to_who_answers(tx.tx(), ctx, &grant, id, &message).await?;
    let after = serde_json::json!({"expires_at": expires_at, "days": days, "to": to});
    tx.commit(Event { action: "api_key.expiring", target: target_of(id, &key.name), reason: None, before: None, after: Some(after) }).await
}
