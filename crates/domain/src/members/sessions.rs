//! Where members are signed in, in this tenant only: seen and ended by those who manage members.

use super::{find, lock, may_touch, target};
use crate::{Ctx, Error, Result, db::Event, identity, tokens};
use contract::{LoginId, Perm, SessionSeen, UserId};

/// A member's sessions of the console and sign-ins over the API, the one used last first.
pub async fn sessions(ctx: &Ctx, id: UserId) -> Result<Vec<SessionSeen>> {
    let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    find(&mut tx, &grant, id).await?;
    let mut all = identity::sessions::of_member(&mut tx, ctx, &grant, id).await?;
    all.extend(tokens::of_member(&mut tx, &grant, id, ctx.now()).await?);
    all.sort_by_key(|s| std::cmp::Reverse(s.last_seen_at));
    Ok(all)
}

/// Ends one of them, or all.
pub async fn end_sessions(ctx: &Ctx, id: UserId, one: Option<&str>) -> Result<()> {
    let grant = ctx.require_tenant_level(Perm::MembersWrite)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let by = lock(ctx, tx.tx(), &grant).await?;
    let member = find(tx.tx(), &grant, id).await?;
    may_touch(&by, member.role)?;
    match one.map(|one| (one, one.parse::<LoginId>())) {
        None => identity::sign_out_of_tenant(tx.tx(), &grant, Some(id), now).await?,
        Some((_, Ok(login))) if tokens::end_of_member(tx.tx(), &grant, id, login, now).await? => {}
        Some((session, Err(_))) if identity::sessions::end_of_member(tx.tx(), &grant, id, session).await? => {}
        Some(_) => return Err(Error::NotFound),
    }
    let after = serde_json::json!({"all": one.is_none()});
    tx.commit(Event { action: "session.ended", target: target(&member), reason: None, before: None, after: Some(after) }).await?;
    ctx.core().cache.sync(ctx.core()).await
}
