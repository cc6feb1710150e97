//! Browsers that a person has signed in with: they carry a random cookie of which only the hash is kept. A known device
//! proves nothing by itself; it only has its own count of tries.

use super::{hash, sql};
use crate::{Core, Ctx, Result};
use contract::{Secret, UnixMs, UserId};

/// How long a device stays known without a sign-in.
pub(super) const KNOWN: i64 = 365 * UnixMs::DAY;

/// The hash of the device, if the person has signed in with it before.
pub(super) async fn known(core: &Core, user: UserId, device: Option<&str>) -> Result<Option<Vec<u8>>> {
    let Some(digest) = device.map(hash) else { return Ok(None) };
    let mut tx = core.db.read().await?;
    let since = core.now().plus(-KNOWN);
    Ok(sql::is_known_device_unscoped(&mut tx, user, &digest, since).await?.then_some(digest))
}

/// Notes that the person signed in with this browser, and answers what its cookie is to hold. A value that is not the
/// person's is replaced: somebody else may have put it there.
pub async fn remember_device(ctx: &Ctx, user: UserId, device: Option<&str>) -> Result<Secret<String>> {
    let core = ctx.core();
    let token = match device {
        Some(device) if known(core, user, Some(device)).await?.is_some() => device.to_owned(),
        _ => random(core),
    };
    let mut tx = core.db.begin().await?;
    sql::remember_device_unscoped(&mut tx, user, &hash(&token), core.now()).await?;
    tx.commit_quiet().await?;
    Ok(Secret::new(token))
}

/// 192 random bits in hex.
pub(super) fn random(core: &Core) -> String {
    let mut bytes = [0; 24];
    core.entropy().fill(&mut bytes);
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
