//! The catalogue of permissions that a tenant's API knows. A bare entry, such as `run`, is a verb of the tenant's own.

mod sql;

use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, Tx},
    keys::{self, scan},
    oauth,
};
use contract::{
    BUILT_IN_SCOPES, DescribeScopeBody, FieldErrors, Perm, Scope, ScopeBody, ScopeDef, ScopePage, Target, VERBS, counted, shows,
};
use std::collections::HashMap;

/// Most entries of one catalogue.
const MOST: usize = 2_000;

/// A tenant's catalogue, as keys are judged against it.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// The tenant's own verbs.
    pub verbs: Vec<String>,
    by_canonical: HashMap<String, Scope>,
}

impl Catalogue {
    /// The catalogue of the grant's tenant.
    pub(crate) async fn load(tx: &mut Tx, grant: &Grant) -> Result<Self> {
        Ok(Self::of(&sql::all(tx, grant).await?))
    }

    /// The same, and nobody changes it until the commit.
    pub(crate) async fn lock(tx: &mut Tx, grant: &Grant) -> Result<Self> {
        sql::lock(tx, grant).await?;
        Self::load(tx, grant).await
    }

    fn of(entries: &[ScopeDef]) -> Self {
        let verbs = own_verbs(entries.iter().map(|d| &d.name));
        let by_canonical = entries.iter().map(|d| (d.name.canonical_with(&verbs), d.name.clone())).collect();
        Self { verbs, by_canonical }
    }

    /// The entry that is the same permission, in its spelling; Keystead's own and the built-in ones are always there.
    pub(crate) fn find(&self, scope: &Scope) -> Option<Scope> {
        if scope.is_reserved() {
            return Perm::ALL.iter().map(|p| p.scope()).find(|p| p.canonical() == scope.canonical());
        }
        let found = self.by_canonical.get(&scope.canonical_with(&self.verbs)).cloned();
        found.or_else(|| BUILT_IN_SCOPES.contains(&scope.as_str()).then(|| scope.clone()))
    }

    /// May it be added without having been named before: `resource:verb` with a known verb?
    pub(crate) fn may_add(&self, scope: &Scope) -> bool {
        let (resource, verb) = scope.parts_with(&self.verbs);
        let known = VERBS.contains(&verb) || self.verbs.iter().any(|own| own == verb);
        resource.is_some() && known && !scope.is_reserved() && self.by_canonical.len() < MOST
    }
}

/// The bare entries that are no verbs everywhere.
pub(crate) fn own_verbs<'a>(names: impl Iterator<Item = &'a Scope>) -> Vec<String> {
    names.map(Scope::as_str).filter(|n| !n.contains(':') && !VERBS.contains(n)).map(ToOwned::to_owned).collect()
}

/// The verbs of the grant's tenant.
pub(crate) async fn verbs(tx: &mut Tx, grant: &Grant) -> Result<Vec<String>> {
    Ok(Catalogue::load(tx, grant).await?.verbs)
}

/// Adds `resource:verb` to the catalogue on the way of a change that asks for it.
pub(crate) async fn add(tx: &mut Tx, grant: &Grant, catalogue: &Catalogue, scope: &Scope, ctx: &Ctx) -> Result<()> {
    sql::insert(tx, grant, scope, &scope.canonical_with(&catalogue.verbs), "", ctx.now()).await.map(drop)
}

/// The catalogue with what people are told of it.
pub(crate) async fn described(tx: &mut Tx, grant: &Grant) -> Result<Vec<ScopeDef>> {
    sql::all(tx, grant).await
}

/// How the catalogue spells what was asked for; none when it is no permission of this tenant.
pub(crate) async fn spelling(tx: &mut Tx, grant: &Grant, asked: &str) -> Result<Option<String>> {
    let Ok(scope) = Scope::parse(asked.trim()) else { return Ok(None) };
    Ok(Catalogue::load(tx, grant).await?.find(&scope).map(|s| s.to_string()))
}

/// Everything that the tenant's catalogue holds, oldest first.
pub async fn catalogue(ctx: &Ctx) -> Result<Vec<ScopeDef>> {
    let grant = ctx.require(Perm::KeysRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    sql::all(&mut tx, &grant).await
}

/// One page of it, by name.
pub async fn list(ctx: &Ctx, limit: u16, after: Option<&Scope>) -> Result<ScopePage> {
    let grant = ctx.require_tenant_level(Perm::SettingsRead).or_else(|e| match e {
        // Who makes keys needs to know what they may hold.
        Error::Denied(perm) => ctx.require_tenant_level(Perm::KeysRead).map_err(|_| Error::Denied(perm)),
        other => Err(other),
    })?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let mut data = sql::all(&mut tx, &grant).await?;
    data.sort_by(|a, b| a.name.cmp(&b.name));
    data.retain(|d| after.is_none_or(|after| d.name > *after));
    let limit = usize::from(limit.clamp(1, 200));
    let more = data.len() > limit;
    data.truncate(limit);
    let next_cursor = data.last().filter(|_| more).map(|d| d.name.clone());
    Ok(ScopePage { data, next_cursor })
}

/// One entry.
pub async fn get(ctx: &Ctx, perm: Perm, name: &str) -> Result<ScopeDef> {
    let grant = ctx.require_tenant_level(perm)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    find(&mut tx, &grant, name).await
}

/// Adds an entry.
pub async fn create(ctx: &Ctx, body: &ScopeBody) -> Result<ScopeDef> {
    let grant = ctx.require_tenant_level(Perm::SettingsWrite)?;
    let def = read(body)?;
    let mut tx = ctx.write(&grant).await?;
    sql::lock(tx.tx(), &grant).await?;
    let mut entries = sql::all(tx.tx(), &grant).await?;
    let before = Catalogue::of(&entries);
    if before.find(&def.name).is_some() {
        return Err(Error::Conflict(format!("{} stands in the catalogue already", def.name)));
    }
    if entries.len() >= MOST {
        return Err(Error::Conflict(format!("A catalogue holds at most {MOST} permissions")));
    }
    entries.push(def.clone());
    let after = Catalogue::of(&entries);
    // A new verb may make two entries one permission: `run:exports` and `exports:run`, once `run` is a verb.
    if after.by_canonical.len() < entries.len() {
        return Err(Error::Conflict(format!("With {} as a verb, two entries of the catalogue would be the same permission", def.name)));
    }
    respell(tx.tx(), &grant, &entries[..entries.len() - 1], &before, &after).await?;
    sql::insert(tx.tx(), &grant, &def.name, &def.name.canonical_with(&after.verbs), &def.description, ctx.now()).await?;
    keys::tell_tenant_changed(tx.tx(), &grant, ctx.now()).await?;
    let value = serde_json::to_value(&def).map_err(Error::internal)?;
    tx.commit(Event { action: "scope.created", target: target(&def.name), reason: None, before: None, after: Some(value) }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(def)
}

/// Says what an entry permits; its name stays.
pub async fn describe(ctx: &Ctx, name: &str, body: &DescribeScopeBody) -> Result<ScopeDef> {
    let grant = ctx.require_tenant_level(Perm::SettingsWrite)?;
    let mut tx = ctx.write(&grant).await?;
    let before = find(tx.tx(), &grant, name).await?;
    let description = read_description(Some(&body.description))?;
    sql::describe(tx.tx(), &grant, &before.name, &description).await?;
    let after = ScopeDef { description, ..before.clone() };
    tx.commit(Event {
        action: "scope.updated",
        target: target(&after.name),
        reason: None,
        before: Some(serde_json::json!({"description": before.description})),
        after: Some(serde_json::json!({"description": after.description})),
    })
    .await?;
    Ok(after)
}

/// Removes an entry that nothing holds any more.
pub async fn delete(ctx: &Ctx, name: &str) -> Result<ScopeDef> {
    let grant = ctx.require_tenant_level(Perm::SettingsWrite)?;
    let mut tx = ctx.write(&grant).await?;
    sql::lock(tx.tx(), &grant).await?;
    let def = find(tx.tx(), &grant, name).await?;
    for (holders, what) in
        [(sql::holders(tx.tx(), &grant, &def.name).await?, "key"), (oauth::count_holding(tx.tx(), &grant, &def.name).await?, "OAuth app")]
    {
        if holders == 0 {
            continue;
        }
        let hold = if holders == 1 { "holds" } else { "hold" };
        return Err(Error::Conflict(format!("{} {hold} {}: take it from them first", counted(holders, what), def.name)));
    }
    let mut entries = sql::all(tx.tx(), &grant).await?;
    let before = Catalogue::of(&entries);
    if before.verbs.iter().any(|v| v == def.name.as_str()) {
        let uses = |d: &&ScopeDef| d.name != def.name && d.name.parts_with(&before.verbs).1 == def.name.as_str();
        if let Some(other) = entries.iter().find(uses) {
            return Err(Error::Conflict(format!("{} is the verb of {}: remove that first", def.name, other.name)));
        }
    }
    entries.retain(|d| d.name != def.name);
    sql::delete(tx.tx(), &grant, &def.name).await?;
    respell(tx.tx(), &grant, &entries, &before, &Catalogue::of(&entries)).await?;
    keys::tell_tenant_changed(tx.tx(), &grant, ctx.now()).await?;
    let value = serde_json::to_value(&def).map_err(Error::internal)?;
    tx.commit(Event { action: "scope.deleted", target: target(&def.name), reason: None, before: Some(value), after: None }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(def)
}

/// Keeps the stored canonical spelling true when the verbs change.
async fn respell(tx: &mut Tx, grant: &Grant, entries: &[ScopeDef], before: &Catalogue, after: &Catalogue) -> Result<()> {
    for def in entries {
        let canonical = def.name.canonical_with(&after.verbs);
        if canonical != def.name.canonical_with(&before.verbs) {
            sql::set_canonical(tx, grant, &def.name, &canonical).await?;
        }
    }
    Ok(())
}

async fn find(tx: &mut Tx, grant: &Grant, name: &str) -> Result<ScopeDef> {
    let entries = sql::all(tx, grant).await?;
    let catalogue = Catalogue::of(&entries);
    let scope = Scope::parse(name).map_err(|_| Error::NotFound)?;
    let spelled = catalogue.find(&scope).ok_or(Error::NotFound)?;
    entries.into_iter().find(|d| d.name == spelled).ok_or(Error::NotFound)
}

fn read(body: &ScopeBody) -> Result<ScopeDef> {
    let mut errors = FieldErrors::default();
    let name = body.name.as_deref().unwrap_or_default().trim();
    let scope = match Scope::parse(name) {
        Err(_) if name.is_empty() => {
            errors.add("name", "required", "Name the permission: a verb, or resource:verb.");
            None
        }
        Err(e) => {
            errors.add("name", "invalid", format!("Not a permission: {e}."));
            None
        }
        Ok(scope) if scope.is_reserved() => {
            errors.add("name", "not_permitted", "Names that start with keystead. are Keystead's own.");
            None
        }
        Ok(scope) => Some(scope),
    };
    let description = match read_description(body.description.as_deref()) {
        Ok(description) => Some(description),
        Err(Error::Invalid(found)) => {
            found.0.into_iter().for_each(|e| errors.add(&e.field, &e.code, e.message));
            None
        }
        Err(other) => return Err(other),
    };
    let def = scope.zip(description).map(|(name, description)| ScopeDef { name, description });
    Ok(errors.into_result(def)?)
}

fn read_description(text: Option<&str>) -> Result<String> {
    let text = text.unwrap_or_default().trim();
    if text.chars().count() > 200 {
        return Err(Error::field("description", "too_long", "At most 200 characters."));
    }
    if !text.chars().all(shows) {
        return Err(Error::field("description", "invalid", "Line breaks and characters that do not show are not allowed."));
    }
    scan::refuse_keys("description", text)?;
    Ok(text.to_owned())
}

fn target(scope: &Scope) -> Target {
    Target { kind: "scope".to_owned(), id: scope.to_string(), name: scope.to_string() }
}
