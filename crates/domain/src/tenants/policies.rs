//! What a tenant demands of its keys and people, how its errors look, and how long it keeps its log. What is demanded of
//! keys holds for what is made or changed from then on; what is demanded of people holds at once. What would not meet a
//! policy is listed before it is saved.

use super::{manage::target, sql};
use crate::{
    Core, Ctx, Error, Grant, Result,
    db::{Event, Tx},
    error::OrGoOn,
    identity, oauth, tokens,
};
use contract::{
    AllowedIp, ApiKey, Environment, ErrorForm, FieldErrors, KeyKind, KeyPolicy, KeyRules, Origin, Perm, Policies, PoliciesBody,
    PoliciesForm, PolicyReview, TenantId, TenantSettings, UnixMs, UserId, Violation, Violations,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Violations that are named.
const NAMED: usize = 20;

/// The policies, and what does not meet them.
pub async fn settings(ctx: &Ctx) -> Result<TenantSettings> {
    let grant = ctx.require_tenant_level(Perm::SettingsRead)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let policies = sql::policies(&mut tx, &grant).await?;
    let violations = violations(ctx, &mut tx, &grant, &policies).await?;
    Ok(TenantSettings { policies, violations })
}

/// What is demanded of keys, for those who make them.
pub async fn key_rules(ctx: &Ctx) -> Result<KeyRules> {
    let grant = ctx.require(Perm::KeysWrite)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let policies = sql::policies(&mut tx, &grant).await?;
    let tenant_list = !sql::allowlist(&mut tx, &grant).await?.is_empty();
    Ok(KeyRules { max_lifetime_days: policies.max_key_lifetime_days, require_allowlist: policies.require_allowlist, tenant_list })
}

/// What saving these policies would do, for those who may.
pub async fn review(ctx: &Ctx, policies: &Policies) -> Result<PolicyReview> {
    let grant = ctx.require_tenant_level(Perm::PoliciesWrite)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    sets_an_example(ctx, &mut tx, policies).await?;
    let before = sql::policies(&mut tx, &grant).await?;
    let violations = violations(ctx, &mut tx, &grant, policies).await?;
    let (mut sessions_ending, mut logins_ending) = (0, 0);
    if policies.lifetime() != before.lifetime() {
        sessions_ending = identity::sessions::would_end(&mut tx, &grant, policies.lifetime(), ctx.now()).await?;
        logins_ending = tokens::would_end(&mut tx, &grant, policies.lifetime(), ctx.now()).await?;
    }
    Ok(PolicyReview { before, after: policies.clone(), violations, sessions_ending, logins_ending })
}

/// Sets the policies that are named.
pub async fn set_policies(ctx: &Ctx, body: &PoliciesBody) -> Result<TenantSettings> {
    save(ctx, |before| Ok(body.apply(before)?)).await
}

/// The same from the console's form, which names all of them.
pub async fn set_policies_from_form(ctx: &Ctx, form: &PoliciesForm) -> Result<TenantSettings> {
    save(ctx, |_| Ok(form.parse()?)).await
}

async fn save(ctx: &Ctx, change: impl FnOnce(&Policies) -> Result<Policies>) -> Result<TenantSettings> {
    let grant = ctx.require_tenant_level(Perm::PoliciesWrite)?;
    let mut tx = ctx.write(&grant).await?;
    let tenant = sql::lock(tx.tx(), &grant).await?.ok_or(Error::NotFound)?;
    let before = sql::policies(tx.tx(), &grant).await?;
    let after = change(&before)?;
    sets_an_example(ctx, tx.tx(), &after).await?;
    let violations = violations(ctx, tx.tx(), &grant, &after).await?;
    if after != before {
        sql::set_policies(tx.tx(), &grant, &after).await?;
        hold_people_to(tx.tx(), &grant, &before, &after, ctx.now()).await?;
        if Answers::differ(&before, &after) {
            sql::tell_policy_changed_unscoped(tx.tx()).await?;
        }
        let told = |p: &Policies| serde_json::to_value(p).map_err(Error::internal).map(Some);
        let (was, is) = (told(&before)?, told(&after)?);
        tx.commit(Event { action: "policy.changed", target: target(&tenant), reason: None, before: was, after: is }).await?;
        ctx.core().cache.sync(ctx.core()).await?;
    }
    Ok(TenantSettings { policies: after, violations })
}

/// Nobody demands a second factor who has none: they would shut themselves out with everybody else.
async fn sets_an_example(ctx: &Ctx, tx: &mut Tx, policies: &Policies) -> Result<()> {
    let Some(person) = ctx.person().filter(|_| policies.require_second_factor) else { return Ok(()) };
    if identity::has_second_factor(tx, person.user_id).await? {
        return Ok(());
    }
    let why = "Set up a second factor of your own first, under Account: otherwise this would shut you out, too.";
    Err(Error::field("require_second_factor", "not_permitted", why))
}

/// What is demanded of people holds at once: sessions end earlier, and who has to set up a second factor is signed in to
/// the console only, where they can. Whoever commits then calls `KeyCache::sync`.
async fn hold_people_to(tx: &mut Tx, grant: &Grant, before: &Policies, after: &Policies, now: UnixMs) -> Result<()> {
    let demanded = after.require_second_factor && !before.require_second_factor;
    // People before what is theirs.
    let unenrolled = if demanded { hold_unenrolled(tx, grant).await? } else { Vec::new() };
    if after.lifetime() != before.lifetime() {
        identity::sessions::hold_to(tx, grant, after.lifetime(), now).await?;
        tokens::hold_to(tx, grant, after.lifetime(), now).await?;
    }
    for person in unenrolled {
        tokens::end_in_tenant(tx, grant, Some(person), now).await?;
    }
    Ok(())
}

/// Members without a second factor, held until the commit: a sign-in that is under way holds its person, too, so that it is
/// over when they are asked for, or sees what is demanded. By their ids: of two that do this at once, one waits.
async fn hold_unenrolled(tx: &mut Tx, grant: &Grant) -> Result<Vec<UserId>> {
    let mut people: Vec<UserId> = sql::unenrolled(tx, grant).await?.into_iter().map(|member| member.id).collect();
    people.sort_unstable();
    for person in &people {
        identity::hold(tx, *person).await?;
    }
    Ok(people)
}

/// The policies of the tenant.
pub(crate) async fn policies_of(tx: &mut Tx, grant: &Grant) -> Result<Policies> {
    sql::policies(tx, grant).await
}

/// The policies of the tenant, which stay as they are until the commit.
pub(crate) async fn locked_policies(tx: &mut Tx, grant: &Grant) -> Result<Policies> {
    sql::lock(tx, grant).await?.ok_or(Error::NotFound)?;
    sql::policies(tx, grant).await
}

/// What tenants chose about answers, as every process keeps it in memory.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The form of errors.
    pub forms: HashMap<TenantId, ErrorForm>,
    /// Who lists an origin, while in use.
    pub origins: HashMap<Origin, HashSet<TenantId>>,
    /// What tenants' APIs call themselves.
    pub audiences: HashMap<TenantId, Vec<String>>,
    /// From where the tokens of apps may be used; none means from anywhere.
    pub allowlists: HashMap<TenantId, Arc<[AllowedIp]>>,
}

impl Answers {
    /// Is there anything here that every process must read again?
    fn differ(a: &Policies, b: &Policies) -> bool {
        (a.error_form, &a.allowed_origins, &a.token_audiences) != (b.error_form, &b.allowed_origins, &b.token_audiences)
    }
}

/// How often any tenant chose something about answers, and all that was chosen, unless `known` is that number.
pub(crate) async fn answers_unscoped(tx: &mut Tx, known: Option<i64>) -> Result<Option<(i64, Answers)>> {
    let changes = sql::policy_changes_unscoped(tx).await?;
    if known == Some(changes) {
        return Ok(None);
    }
    let mut chosen = Answers::default();
    for sql::Chosen { tenant, policies, allowed_ips, in_use } in sql::all_policies_unscoped(tx).await? {
        if !allowed_ips.is_empty() {
            chosen.allowlists.insert(tenant, allowed_ips.into());
        }
        chosen.forms.extend(policies.error_form.map(|form| (tenant, form)));
        if !policies.token_audiences.is_empty() {
            chosen.audiences.insert(tenant, policies.token_audiences);
        }
        for origin in policies.allowed_origins.into_iter().filter(|_| in_use) {
            chosen.origins.entry(origin).or_default().insert(tenant);
        }
    }
    Ok(Some((changes, chosen)))
}

/// The tenant goes out of use or comes back, and the origins that it lists with it.
pub(super) async fn tell_in_use(tx: &mut Tx, grant: &Grant) -> Result<()> {
    if sql::policies(tx, grant).await?.allowed_origins.is_empty() { Ok(()) } else { sql::tell_policy_changed_unscoped(tx).await }
}

/// Refuses a new key, or what is changed about one, that does not meet the policies.
pub(crate) async fn judge(tx: &mut Tx, grant: &Grant, before: Option<&ApiKey>, after: &ApiKey, now: UnixMs) -> Result<()> {
    let policies = sql::policies(tx, grant).await?;
    let tenants = sql::allowlist(tx, grant).await?;
    let facts = Facts {
        kind: after.kind,
        environment: after.environment,
        expires_at: after.expires_at,
        allowed_ips: &after.allowed_ips,
        owned: after.owner.is_some(),
    };
    let mut errors = FieldErrors::default();
    for broken in broken(&policies, &tenants, &facts, now) {
        let touched = |differs: fn(&ApiKey, &ApiKey) -> bool| before.is_none_or(|before| differs(before, after));
        match broken {
            KeyPolicy::MaxLifetime if touched(|a, b| a.expires_at != b.expires_at) => {
                let days = policies.max_key_lifetime_days.unwrap_or_default();
                errors.add("expires_at", "not_permitted", format!("A policy of the tenant: keys expire within {days} days."));
            }
            KeyPolicy::Allowlist if touched(|a, b| a.allowed_ips != b.allowed_ips) => {
                errors.add("allowed_ips", "not_permitted", "A policy of the tenant: name the addresses from which the key is used.");
            }
            KeyPolicy::Owner if touched(|a, b| a.owner != b.owner) => {
                errors.add("owner", "not_permitted", "A policy of the tenant: a member answers for each key.");
            }
            _ => {}
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// Removes what every tenant keeps no longer: a part of it at a time, so that nobody waits for it.
pub async fn forget_usage(core: &Core) -> Result<()> {
    let mut tx = core.db.read_all().await?;
    let all = sql::all_policies_unscoped(&mut tx).await?;
    drop(tx);
    for (tenant, days) in all.into_iter().filter_map(|of| Some((of.tenant, of.policies.retention_days?))) {
        let until = core.now().plus(-days * UnixMs::DAY);
        forget_until(core, tenant, until).await.or_go_on("old requests of a tenant were not removed", tenant)?;
    }
    Ok(())
}

async fn forget_until(core: &Core, tenant: TenantId, until: UnixMs) -> Result<()> {
    let grant = Grant::of_job(tenant, "retention");
    loop {
        let mut tx = core.db.begin_in(&grant).await?;
        let more = sql::forget_some_usage(&mut tx, &grant, until).await?;
        tx.commit_quiet().await?;
        if !more {
            return Ok(());
        }
    }
}

/// What a policy asks of a key.
pub(super) struct Facts<'a> {
    pub kind: KeyKind,
    pub environment: Environment,
    pub expires_at: Option<UnixMs>,
    pub allowed_ips: &'a [AllowedIp],
    pub owned: bool,
}

/// What a key does not meet. Gateways decide for others and have neither limit nor list: only somebody who answers.
fn broken(policies: &Policies, tenants: &[AllowedIp], key: &Facts<'_>, now: UnixMs) -> Vec<KeyPolicy> {
    let mut broken = Vec::new();
    let gateway = key.kind == KeyKind::Gateway;
    let latest = policies.latest_expiry(now);
    if !gateway && latest.is_some_and(|latest| key.expires_at.is_none_or(|at| at > latest)) {
        broken.push(KeyPolicy::MaxLifetime);
    }
    let listed = !key.allowed_ips.is_empty() || key.environment == Environment::Live && !tenants.is_empty();
    if policies.require_allowlist && !gateway && !listed {
        broken.push(KeyPolicy::Allowlist);
    }
    if policies.require_owner && !key.owned {
        broken.push(KeyPolicy::Owner);
    }
    broken
}

async fn violations(ctx: &Ctx, tx: &mut Tx, grant: &Grant, policies: &Policies) -> Result<Violations> {
    let now = ctx.now();
    let tenants = sql::allowlist(tx, grant).await?;
    let mut found = Violations::default();
    for key in sql::keys_in_use(tx, grant, now).await? {
        let policies = broken(policies, &tenants, &key.facts()?, now);
        if !policies.is_empty() {
            found.total += 1;
            if found.first.len() < NAMED {
                found.first.push(Violation { id: key.id(), name: key.name, policies });
            }
        }
    }
    let apps = oauth::unmet(tx, grant, policies, !tenants.is_empty(), now).await?;
    found.apps_total = i64::try_from(apps.len()).unwrap_or(i64::MAX);
    if ctx.require_tenant_level(Perm::AppsRead).is_ok() {
        found.apps = apps.into_iter().take(NAMED).collect();
    }
    if let Some(days) = policies.retention_days {
        found.outdated_events = sql::outdated_usage(tx, grant, now.plus(-days * UnixMs::DAY)).await?;
    }
    if policies.require_second_factor {
        let members = sql::unenrolled(tx, grant).await?;
        found.unenrolled_total = i64::try_from(members.len()).unwrap_or(i64::MAX);
        // Who they are is for those who may see members.
        if ctx.require_tenant_level(Perm::MembersRead).is_ok() {
            found.unenrolled = members.into_iter().take(NAMED).collect();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_names_the_keys_that_do_not_meet_it_and_gateways_only_need_an_owner() {
        let now = UnixMs(1_000_000_000_000);
        let policies = Policies { max_key_lifetime_days: Some(90), require_allowlist: true, require_owner: true, ..Policies::default() };
        let key = Facts { kind: KeyKind::Secret, environment: Environment::Live, expires_at: None, allowed_ips: &[], owned: false };
        assert_eq!(broken(&policies, &[], &key, now), KeyPolicy::ALL);
        assert_eq!(broken(&policies, &[], &Facts { kind: KeyKind::Gateway, ..key }, now), [KeyPolicy::Owner]);
        let list = [AllowedIp::parse("203.0.113.0/24").expect("a network")];
        let good = Facts { expires_at: Some(now.plus(90 * UnixMs::DAY)), owned: true, ..key };
        assert_eq!(broken(&policies, &list, &good, now), []);
        let test = Facts { environment: Environment::Test, ..good };
        assert_eq!(broken(&policies, &list, &test, now), [KeyPolicy::Allowlist], "the tenant's list is for live keys");
        assert_eq!(broken(&Policies::default(), &[], &key, now), []);
    }
}
