//! API keys: create, find, edit, rotate, revoke.

mod bounds;
mod create;
mod edit;
mod expiry;
pub mod orphans;
mod reports;
mod revoke;
mod rotate;
pub mod scan;
mod search;
pub mod secret;
mod sql;

pub(crate) use create::{admit_scopes, default_owner};
pub use create::{create, create_from_body, create_from_form, import, may_import};
pub use edit::{disable, enable, fingerprint, update, update_from_body, update_from_form};
pub use expiry::tell_of_expiry;
pub(crate) use reports::exists;
pub use reports::{
    EditImpact, QUIET_HOURS, advice, check_impact, cockpit, impact, impact_of, impact_of_allowlist, impact_of_edit, is_lost, shut_out,
};
pub use revoke::{bulk_revoke, revoke, revoke_confirmed};
pub(crate) use rotate::{chosen, replaced_since};
pub use rotate::{retire, rotate, rotate_from_form, secrets, works};
#[cfg(feature = "testing")]
pub use search::{BY_CREATION, BY_EXPIRY, BY_NAME, BY_USE};
pub use search::{Pasted, list, pasted, queue, queues, search};

use crate::{Ctx, Error, Grant, Result, db::Tx, scopes};
use contract::{ApiKey, KeyId, Perm, ScopeDef, Target, TenantId, UnixMs, UserId};

/// One key.
pub async fn get(ctx: &Ctx, id: KeyId) -> Result<ApiKey> {
    get_for(ctx, Perm::KeysRead, id).await
}

/// One key, for a caller who is about to do what `perm` permits: before a request is judged, its object is looked up.
pub async fn get_for(ctx: &Ctx, perm: Perm, id: KeyId) -> Result<ApiKey> {
    let grant = ctx.require(perm)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::find(&mut tx, &grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(ctx.now())
}

/// The permissions that the tenant's catalogue holds.
pub async fn catalogue(ctx: &Ctx) -> Result<Vec<ScopeDef>> {
    scopes::catalogue(ctx).await
}

/// Whose key it is; for the command line, which is given an id and nothing else.
pub async fn tenant_of_unscoped(core: &crate::Core, id: KeyId) -> Result<TenantId> {
    let mut tx = core.db.read_all().await?;
    sql::tenant_of_unscoped(&mut tx, id).await?.ok_or(Error::NotFound)
}

/// Makes every process read the keys of the grant's tenant again: something that they share has changed.
pub(crate) async fn tell_tenant_changed(tx: &mut Tx, grant: &Grant, now: UnixMs) -> Result<()> {
    sql::append_tenant_change(tx, grant, now).await
}

/// Ends a key inside a transaction that records why; false when it was revoked before.
pub(crate) async fn mark_revoked(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<bool> {
    sql::revoke(tx, grant, id, now).await
}

/// Locks a key's row until the commit. Whoever changes a key or its secrets begins with it.
pub(crate) async fn lock_row(tx: &mut Tx, grant: &Grant, id: KeyId) -> Result<()> {
    sql::lock_row(tx, grant, id).await
}

/// Tells every process that a key or one of its secrets changed.
pub(crate) async fn mark_changed(tx: &mut Tx, grant: &Grant, id: KeyId, now: UnixMs) -> Result<()> {
    sql::append_change(tx, grant, id, now).await
}

/// A developer sees and changes the keys that are theirs (contract, section 8).
pub(crate) fn only_own(ctx: &Ctx) -> Option<UserId> {
    ctx.person().filter(|p| !p.role.acts_on_all_keys()).map(|p| p.user_id)
}

/// The keys that exist for the caller.
fn reach(ctx: &Ctx) -> sql::Reach {
    sql::Reach { own: only_own(ctx), environment: ctx.sandboxed() }
}

/// The key as the audit log names it.
fn target(key: &ApiKey) -> Target {
    target_of(key.id, &key.name)
}

fn target_of(id: KeyId, name: &str) -> Target {
    Target { kind: "api_key".to_owned(), id: id.to_string(), name: name.to_owned() }
}
