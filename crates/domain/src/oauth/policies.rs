//! What a tenant's policies on keys mean for apps. How long a key may work bounds how long an app may go on without its
//! person; nothing ends a secret by itself, so one that grew too old is listed. A member answers for each app, where one
//! does for each key. An app has no allowlist of its own: the tenant's binds its tokens.

use super::sql;
use crate::{Ctx, Error, Grant, Result, db::Tx, tenants};
use contract::{App, AppId, AppTerms, AppViolation, FieldErrors, GrantType, KeyPolicy, Perm, Policies, UnixMs};

/// How many days an app may go on without its person, where the tenant bounds it: for whoever registers one.
pub async fn longest_refresh(ctx: &Ctx) -> Result<Option<i64>> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    Ok(tenants::policies_of(&mut tx, &grant).await?.max_key_lifetime_days)
}

fn goes_on_too_long(policies: &Policies, terms: &AppTerms) -> bool {
    terms.grant_types.contains(&GrantType::RefreshToken) && policies.refresh_days(terms.refresh_token_days) < terms.refresh_token_days
}

/// Refuses a new app, or what is changed about one, that does not meet the policies.
pub(super) async fn judge(tx: &mut Tx, grant: &Grant, before: Option<&App>, after: &App, owned: bool) -> Result<()> {
    let policies = tenants::policies_of(tx, grant).await?;
    let lasts = |terms: &AppTerms| (terms.refresh_token_days, terms.grant_types.contains(&GrantType::RefreshToken));
    let mut errors = FieldErrors::default();
    if before.is_none_or(|before| lasts(&before.terms) != lasts(&after.terms)) && goes_on_too_long(&policies, &after.terms) {
        let days = policies.max_key_lifetime_days.unwrap_or_default();
        let why = format!("A policy of the tenant: keys expire within {days} days, and so does what an app goes on with.");
        errors.add("refresh_token_days", "not_permitted", why);
    }
    if before.is_none() && policies.require_owner && !owned {
        let why = "A policy of the tenant: a member answers for each app. Register it as a member, or with a key that has an owner.";
        errors.add("owner", "not_permitted", why);
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::from(errors)) }
}

/// An app in use, as policies see it.
pub(super) struct Judged {
    pub id: AppId,
    pub name: String,
    pub terms: AppTerms,
    pub owned: bool,
    /// When its current secret was made.
    pub secret_at: Option<UnixMs>,
}

/// The apps that do not meet the policies, newest first. `listed` says whether the tenant has an allowlist.
pub(crate) async fn unmet(tx: &mut Tx, grant: &Grant, policies: &Policies, listed: bool, now: UnixMs) -> Result<Vec<AppViolation>> {
    let unmet = |app: Judged| {
        let policies = broken(policies, &app, listed, now);
        (!policies.is_empty()).then_some(AppViolation { id: app.id, name: app.name, policies })
    };
    Ok(sql::judged(tx, grant).await?.into_iter().filter_map(unmet).collect())
}

fn broken(policies: &Policies, app: &Judged, listed: bool, now: UnixMs) -> Vec<KeyPolicy> {
    let mut broken = Vec::new();
    let oldest = policies.max_key_lifetime_days.map(|days| now.plus(-days * UnixMs::DAY));
    let old = oldest.is_some_and(|oldest| app.secret_at.is_some_and(|made| made < oldest));
    if old || goes_on_too_long(policies, &app.terms) {
        broken.push(KeyPolicy::MaxLifetime);
    }
    if policies.require_allowlist && !listed {
        broken.push(KeyPolicy::Allowlist);
    }
    if policies.require_owner && !app.owned {
        broken.push(KeyPolicy::Owner);
    }
    broken
}
