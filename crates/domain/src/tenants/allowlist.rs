//! From where the live keys of a tenant may be used.

use super::sql;
use crate::{Ctx, Result, db::Event, keys};
use contract::{AllowedIp, AllowlistBody, FieldErrors, IpAllowlist, Perm, Target, read_ips};

/// The tenant's allowlist.
pub async fn allowlist(ctx: &Ctx) -> Result<IpAllowlist> {
    let grant = ctx.require_tenant_level(Perm::SettingsRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let allowed_ips = sql::allowlist(&mut tx, &grant).await?;
    Ok(IpAllowlist { warnings: warnings(ctx, &allowed_ips), allowed_ips })
}

/// Replaces it. A list that shuts out whoever sends it is taken, with a warning: it can be undone in the console and by
/// the command line.
pub async fn set_allowlist(ctx: &Ctx, body: &AllowlistBody) -> Result<IpAllowlist> {
    let grant = ctx.require_tenant_level(Perm::PoliciesWrite)?;
    let mut errors = FieldErrors::default();
    let allowed_ips = read_ips(&body.allowed_ips, &mut errors);
    let allowed_ips = errors.into_result(Some(allowed_ips))?;
    let mut tx = ctx.write(&grant).await?;
    let (name, before) = sql::lock_allowlist(tx.tx(), &grant).await?;
    if before != allowed_ips {
        sql::set_allowlist(tx.tx(), &grant, &allowed_ips).await?;
        keys::tell_tenant_changed(tx.tx(), &grant, ctx.now()).await?;
        // Tokens of apps know no list of their own: it is looked up by their tenant.
        sql::tell_policy_changed_unscoped(tx.tx()).await?;
        let target = Target { kind: "tenant".to_owned(), id: grant.tenant_id().to_string(), name };
        let was = Some(serde_json::json!({"allowed_ips": before}));
        let is = Some(serde_json::json!({"allowed_ips": allowed_ips}));
        tx.commit(Event { action: "policy.changed", target, reason: None, before: was, after: is }).await?;
        ctx.core().cache.sync(ctx.core()).await?;
    }
    Ok(IpAllowlist { warnings: warnings(ctx, &allowed_ips), allowed_ips })
}

fn warnings(ctx: &Ctx, list: &[AllowedIp]) -> Vec<String> {
    let mut warnings = Vec::new();
    if list.is_empty() {
        return warnings;
    }
    match ctx.request().ip {
        Some(ip) if !list.iter().any(|net| net.contains(ip)) => warnings.push(format!(
            "The address that you are calling from, {ip}, is not on the list: live keys are refused from there. The owner can \
             undo this in the console, or on the server with `keystead tenants allowlist {} --clear`.",
            ctx.tenant_id().map(|t| t.to_string()).unwrap_or_default()
        )),
        None if ctx.person().is_some() || !ctx.scopes().0.is_empty() => {
            warnings.push("The address that you are calling from is unknown: whether it is on the list cannot be told.".to_owned());
        }
        _ => {}
    }
    for net in list.iter().filter(|net| net.net().prefix_len() == 0) {
        warnings.push(format!("{net} is every address of its family."));
    }
    warnings
}
