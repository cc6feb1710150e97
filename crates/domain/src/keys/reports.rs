//! What the log says of a key before it is changed: what a change would break, what the key does not need, who still
//! uses its old secret.

use super::{reach, sql};
use crate::{
    Ctx, Error, Grant, Result,
    db::Tx,
    scopes::{self, Catalogue},
    usage::reports::sql::{self as log, Alike, Whose},
    verify::{Entry, Facts, decide},
};
use contract::{
    Advice, AllowedIp, ApiKey, CallerSeen, Change, Cockpit, Code, GrantUse, Impact, KeyForm, KeyId, KeyImpact, KeyKind, KeyState, Perm,
    Policy, RateLimit, Scope, ScopeSet, SecretId, SecretUse, UnixMs,
};
use std::collections::{BTreeMap, HashSet};

/// How far back the reports look.
const WINDOW: i64 = 30 * UnixMs::DAY;
/// Callers that a report names.
const CALLERS: usize = 100;
/// How long nobody may have used an old secret before it is called safe to retire: what runs once a day has run.
pub const QUIET_HOURS: u32 = 24;

/// What revoking the key would break, in four numbers.
pub async fn impact(ctx: &Ctx, id: KeyId) -> Result<KeyImpact> {
    ctx.require(Perm::KeysRevoke)?;
    let all = impact_of(ctx, id, &Change::Revoke).await?;
    Ok(KeyImpact { allowed_30d: all.lost, allowed_24h: all.lost_24h, addresses_30d: all.addresses, last_allowed_at: all.last_lost_at })
}

/// The allowed requests of the last 30 days that the change would have refused, and who sent them. A request counts
/// if the key's permissions and addresses of today let it pass and those after the change do not; state and dates of
/// today play no part, nor do limits.
pub async fn impact_of(ctx: &Ctx, id: KeyId, change: &Change) -> Result<Impact> {
    let grant = may_weigh(ctx)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let key = find(ctx, &mut tx, &grant, id).await?;
    let tenant_list = log::tenant_allowed_ips(&mut tx, &grant).await?;
    let before = weighed(&grant, &key, tenant_list, scopes::verbs(&mut tx, &grant).await?);
    let after = match change {
        // What is revoked already loses nothing by it.
        Change::Revoke if key.state == KeyState::Revoked => before.clone(),
        Change::Revoke => Entry { revoked_at: Some(UnixMs(0)), ..before.clone() },
        Change::Scopes(scopes) => Entry { scopes: scopes.clone(), ..before.clone() },
        Change::AllowedIps(list) => Entry { allowed_ips: list.clone(), ..before.clone() },
    };
    weigh(ctx, &mut tx, &grant, Whose::Key(id), &before, &after).await
}

/// What an edit of a key would break: by its permissions, by its addresses. Only what changes is looked at.
#[derive(Clone, Debug)]
pub struct EditImpact(pub Vec<(Change, Impact)>);

impl EditImpact {
    /// Would it have refused requests?
    pub fn refuses(&self) -> bool {
        self.0.iter().any(|(_, impact)| impact.lost > 0)
    }

    /// A text of one line that is the same for the same change only: forms carry it, and browsers write lines their way.
    pub fn mark(&self) -> String {
        self.0.iter().map(|(change, _)| change.to_string()).collect::<Vec<_>>().join("; ")
    }
}

/// The same as [`impact_of`], of the form of an edit.
pub async fn impact_of_edit(ctx: &Ctx, key: &ApiKey, form: &KeyForm) -> Result<EditImpact> {
    let new = form.for_edit_of(key).parse_update(ctx.now())?;
    let scopes = new.scopes.map(ScopeSet).filter(|s| *s != key.scopes).map(Change::Scopes);
    let addresses = new.allowed_ips.filter(|ips| *ips != key.allowed_ips).map(Change::AllowedIps);
    let mut all = Vec::new();
    for change in [scopes, addresses].into_iter().flatten() {
        let impact = impact_of(ctx, key.id, &change).await?;
        all.push((change, impact));
    }
    Ok(EditImpact(all))
}

/// Callers of the last 30 days that the addresses of today, the key's or its tenant's, refuse.
pub async fn shut_out(ctx: &Ctx, id: KeyId) -> Result<Vec<CallerSeen>> {
    let grant = may_weigh(ctx)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let key = find(ctx, &mut tx, &grant, id).await?;
    let tenant_list = log::tenant_allowed_ips(&mut tx, &grant).await?;
    if key.allowed_ips.is_empty() && tenant_list.is_empty() {
        return Ok(Vec::new());
    }
    let now = weighed(&grant, &key, tenant_list, scopes::verbs(&mut tx, &grant).await?);
    let from_anywhere = Entry { allowed_ips: Vec::new(), tenant_allowed_ips: Vec::new(), ..now.clone() };
    Ok(weigh(ctx, &mut tx, &grant, Whose::Key(id), &from_anywhere, &now).await?.callers)
}

/// May the caller ask what a change of this key would break?
pub async fn check_impact(ctx: &Ctx, id: KeyId) -> Result<()> {
    let grant = may_weigh(ctx)?;
    exists(ctx, &grant, id).await
}

/// The same for the tenant's own allowlist, over all its live keys but for gateways'.
pub async fn impact_of_allowlist(ctx: &Ctx, list: &[AllowedIp]) -> Result<Impact> {
    let grant = ctx.require(Perm::SettingsRead)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let tenant_list = log::tenant_allowed_ips(&mut tx, &grant).await?;
    // A key that has no bounds of its own: whatever is lost is lost by the tenant's list.
    let anything = Policy {
        kind: KeyKind::Secret,
        environment: contract::Environment::Live,
        scopes: ScopeSet(Scope::parse("admin").into_iter().collect()),
        allowed_ips: Vec::new(),
        tenant_allowed_ips: tenant_list,
        ..unlimited()
    };
    let nobody = KeyId::from_uuid(uuid::Uuid::nil());
    let before = Entry::of_policy(grant.tenant_id(), nobody, SecretId::from_uuid(nobody.uuid()), anything);
    let after = Entry { tenant_allowed_ips: list.to_vec(), ..before.clone() };
    weigh(ctx, &mut tx, &grant, Whose::LiveKeys, &before, &after).await
}

/// Is a request of this kind lost by the change? The decision itself, asked twice.
pub fn is_lost(before: &Entry, after: &Entry, facts: &Facts<'_>) -> bool {
    decide(before, facts) == Code::Valid && decide(after, facts) != Code::Valid
}

/// The key as it is weighed: what it may do, without state and dates.
fn weighed(grant: &Grant, key: &ApiKey, tenant_allowed_ips: Vec<AllowedIp>, verbs: Vec<String>) -> Entry {
    let policy = Policy {
        kind: key.kind,
        environment: key.environment,
        scopes: key.scopes.clone(),
        allowed_ips: key.allowed_ips.clone(),
        tenant_allowed_ips,
        verbs,
        ..unlimited()
    };
    Entry::of_policy(grant.tenant_id(), key.id, SecretId::from_uuid(key.id.uuid()), policy)
}

/// A policy that refuses nothing but what its lists refuse.
fn unlimited() -> Policy {
    Policy {
        kind: KeyKind::Secret,
        environment: contract::Environment::Live,
        scopes: ScopeSet::default(),
        allowed_ips: Vec::new(),
        tenant_allowed_ips: Vec::new(),
        rate_limit: RateLimit { per_hour: u32::MAX, per_second: u32::MAX },
        not_before: None,
        expires_at: None,
        disabled_at: None,
        revoked_at: None,
        secret_valid_until: None,
        verbs: Vec::new(),
    }
}

/// Requests that are alike are decided once: what differs between them plays no part in a decision without dates.
async fn weigh(ctx: &Ctx, tx: &mut Tx, grant: &Grant, whose: Whose, before: &Entry, after: &Entry) -> Result<Impact> {
    let now = ctx.now();
    let since = now.plus(-WINDOW);
    let lost = |group: &Alike| -> Result<bool> {
        let facts = Facts { ip: group.ip(), environment: group.environment()?, scopes: group.scopes(), only_tenant: None, now };
        Ok(is_lost(before, after, &facts))
    };
    let mut impact =
        Impact { since, allowed: 0, lost: 0, lost_24h: 0, addresses: 0, last_lost_at: None, callers: Vec::new(), callers_total: 0 };
    let mut addresses = HashSet::new();
    for group in log::alike(tx, grant, whose, false, since, now).await? {
        impact.allowed += group.n;
        if lost(&group)? {
            impact.lost += group.n;
            impact.lost_24h += group.day;
            impact.last_lost_at = impact.last_lost_at.max(Some(UnixMs(group.last)));
            addresses.extend(group.ip());
        }
    }
    impact.addresses = i64::try_from(addresses.len()).unwrap_or(i64::MAX);
    if impact.lost == 0 {
        return Ok(impact);
    }
    let mut callers: BTreeMap<_, CallerSeen> = BTreeMap::new();
    for group in log::alike(tx, grant, whose, true, since, now).await? {
        if lost(&group)? {
            let seen = group.caller();
            let slot = callers.entry((seen.ip, seen.user_agent.clone(), seen.path.clone()));
            let slot = slot.or_insert_with(|| CallerSeen { count: 0, ..seen.clone() });
            slot.count += seen.count;
            slot.last_seen_at = slot.last_seen_at.max(seen.last_seen_at);
        }
    }
    impact.callers_total = i64::try_from(callers.len()).unwrap_or(i64::MAX);
    impact.callers = callers.into_values().collect();
    impact.callers.sort_by_key(|c| std::cmp::Reverse((c.count, c.last_seen_at)));
    impact.callers.truncate(CALLERS);
    Ok(impact)
}

/// Granted against used permissions of the last 30 days, and a narrower set that would have done.
pub async fn advice(ctx: &Ctx, id: KeyId) -> Result<Advice> {
    ctx.require(Perm::KeysRead)?;
    let grant = ctx.require(Perm::UsageRead)?;
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let key = find(ctx, &mut tx, &grant, id).await?;
    let since = ctx.now().plus(-WINDOW);
    let needed = log::needed(&mut tx, &grant, id, since).await?;
    let catalogue = Catalogue::load(&mut tx, &grant).await?;
    // What the catalogue does not know cannot be granted, unless the caller may add it.
    let adds = ctx.require_tenant_level(Perm::SettingsWrite).is_ok();
    let spelled = |scope: &Scope| catalogue.find(scope).or_else(|| (adds && catalogue.may_add(scope)).then(|| scope.clone()));
    Ok(advise(&key.scopes, &needed, since, &catalogue.verbs, &spelled))
}

/// Each needed permission is put down to the narrowest grant that covers it. Calls to Keystead's own API state no
/// requirement in the log: what could have served them is not called unused. What is suggested can be granted as it
/// stands: `spelled` tells how, and where it cannot, the grant that covers it is kept.
fn advise(
    granted: &ScopeSet,
    needed: &[(Vec<Scope>, bool, i64, UnixMs)],
    since: UnixMs,
    verbs: &[String],
    spelled: &impl Fn(&Scope) -> Option<Scope>,
) -> Advice {
    let blind = needed.iter().any(|(scopes, own_api, ..)| *own_api && scopes.is_empty());
    let mut uses: Vec<GrantUse> = granted
        .0
        .iter()
        .map(|scope| GrantUse {
            scope: scope.clone(),
            count: 0,
            last_used_at: None,
            needed: Vec::new(),
            known: !(blind && (scope.is_reserved() || scope.is_admin())),
        })
        .collect();
    let mut wanted: BTreeMap<String, Scope> = BTreeMap::new();
    for (scopes, _, n, last) in needed {
        for scope in scopes {
            let covering = uses.iter_mut().filter(|u| u.scope.covers_with(scope, verbs)).min_by_key(|u| breadth(&u.scope, scope, verbs));
            let grantable = spelled(scope).or_else(|| covering.as_ref().map(|u| u.scope.clone())).unwrap_or_else(|| scope.clone());
            wanted.entry(grantable.canonical_with(verbs)).or_insert(grantable);
            if let Some(u) = covering {
                u.count += n;
                u.last_used_at = u.last_used_at.max(Some(*last));
                if !u.needed.iter().any(|s| s.canonical_with(verbs) == scope.canonical_with(verbs)) {
                    u.needed.push(scope.clone());
                }
            }
        }
    }
    let requests = needed.iter().map(|(_, _, n, _)| n).sum();
    let without_requirement = needed.iter().filter(|(scopes, ..)| scopes.is_empty()).map(|(_, _, n, _)| n).sum();
    let unused = uses.iter().filter(|u| u.count == 0 && u.known).map(|u| u.scope.clone()).collect();
    let suggested = suggest(&uses, wanted, verbs);
    Advice { since, requests, without_requirement, granted: uses, unused, suggested }
}

/// What was needed, in the key's own spelling where it holds exactly that, and what cannot be judged.
fn suggest(uses: &[GrantUse], wanted: BTreeMap<String, Scope>, verbs: &[String]) -> Option<ScopeSet> {
    if wanted.is_empty() {
        return None;
    }
    let mut kept: Vec<Scope> =
        uses.iter().filter(|u| !u.known || wanted.contains_key(&u.scope.canonical_with(verbs))).map(|u| u.scope.clone()).collect();
    let spelled: HashSet<String> = kept.iter().map(|s| s.canonical_with(verbs)).collect();
    // What a kept one covers needs no line of its own.
    let own = ScopeSet(kept.clone());
    kept.extend(wanted.into_iter().filter(|(canonical, s)| !spelled.contains(canonical) && !own.covers_with(s, verbs)).map(|(_, s)| s));
    let same = kept.len() == uses.len() && uses.iter().all(|u| kept.contains(&u.scope));
    if same { None } else { Some(ScopeSet(kept)) }
}

/// How much wider a grant is than what was wanted.
fn breadth(held: &Scope, wanted: &Scope, verbs: &[String]) -> u8 {
    if held.canonical_with(verbs) == wanted.canonical_with(verbs) {
        0
    } else if held.is_admin() {
        3
    } else if held.canonical_with(verbs).contains(':') {
        1
    } else {
        2
    }
}

/// Who still calls with the old secret of a key, and whether it can be retired. `quiet_hours`: for how long nobody may
/// have used it; none means a day. Of a gateway's key the log does not tell with which secret it asked: its old one is
/// never called safe to retire.
pub async fn cockpit(ctx: &Ctx, id: KeyId, quiet_hours: Option<u32>) -> Result<Cockpit> {
    ctx.require(Perm::KeysRead)?;
    let grant = ctx.require(Perm::UsageRead)?;
    let now = ctx.now();
    let quiet_hours = quiet_hours.unwrap_or(QUIET_HOURS).clamp(1, 24 * 30);
    let mut tx = ctx.db().read_much_in(&grant).await?;
    let asks = find(ctx, &mut tx, &grant, id).await?.kind == KeyKind::Gateway;
    let secrets = log::secrets(&mut tx, &grant, id, now).await?;
    let newest = secrets.iter().filter(|s| s.valid_until.is_none()).map(|s| s.created_at).max().ok_or(Error::NotFound)?;
    let mut uses = Vec::new();
    for s in secrets {
        let secret = SecretId::from_uuid(s.id);
        let since = now.plus(-WINDOW);
        let (count, last_seen_at) = log::secret_use(&mut tx, &grant, id, secret, since, UnixMs(newest)).await?;
        uses.push(SecretUse {
            secret_id: secret,
            prefix: s.prefix,
            last_four: s.last_four,
            created_at: UnixMs(s.created_at),
            valid_until: s.valid_until.map(UnixMs),
            count,
            last_seen_at,
            callers: log::secret_callers(&mut tx, &grant, id, secret, since.max(UnixMs(newest))).await?,
        });
    }
    let (stays, mut old): (Vec<_>, Vec<_>) = uses.into_iter().partition(|u| u.valid_until.is_none());
    old.sort_by_key(|u| std::cmp::Reverse(u.valid_until));
    let quiet = i64::from(quiet_hours) * 3_600_000;
    let safe_at = old.iter().filter_map(|u| u.last_seen_at).max().map(|last| last.plus(quiet)).filter(|t| *t > now);
    Ok(Cockpit {
        current: stays.into_iter().next().ok_or(Error::NotFound)?,
        old,
        quiet_hours,
        safe_to_retire: safe_at.is_none() && !asks,
        safe_at,
    })
}

/// Is there such a key among those that the caller sees?
pub(crate) async fn exists(ctx: &Ctx, grant: &Grant, id: KeyId) -> Result<()> {
    let mut tx = ctx.db().read_in(grant).await?;
    find(ctx, &mut tx, grant, id).await.map(drop)
}

/// Who may revoke may know what it breaks; so may who reads keys and their log.
fn may_weigh(ctx: &Ctx) -> Result<Grant> {
    ctx.require(Perm::KeysRevoke).or_else(|_| {
        ctx.require(Perm::KeysRead)?;
        ctx.require(Perm::UsageRead)
    })
}

/// The key, if the caller sees it: a developer their own, a test credential what is test.
async fn find(ctx: &Ctx, tx: &mut Tx, grant: &Grant, id: KeyId) -> Result<ApiKey> {
    sql::find(tx, grant, id, reach(ctx)).await?.ok_or(Error::NotFound)?.key(ctx.now())
}
