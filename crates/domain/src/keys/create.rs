//! Making a key.

use super::{
    bounds::{Maker, Power},
    scan::refuse_keys,
    secret, sql, target,
};
use crate::{
    Ctx, Error, Grant, Result, Who,
    db::{Event, Tx, WriteTx},
    scopes::{self, Catalogue},
    tenants,
};
use contract::{
    ApiKey, CreateKey, CreateKeyBody, CreatedKey, Environment, FieldErrors, FormId, ImportKey, ImportKeyBody, KeyForm, KeyId, KeyKind,
    KeyState, OwnerRef, Perm, Scope, ScopeSet, SecretId, UserId,
};

/// Makes a key from the console's form. Posting the same form twice makes one key; the second answer has no secret.
pub async fn create_from_form(ctx: &Ctx, form: &KeyForm) -> Result<CreatedKey> {
    ctx.require(Perm::KeysWrite)?;
    let form_id =
        form.form_id().ok_or_else(|| Error::Conflict("This form is incomplete. Open it again and send it once more.".to_owned()))?;
    let req = form.parse(ctx.now())?;
    make(ctx, req, Some(form_id), None).await
}

/// Makes a key from a JSON body.
pub async fn create_from_body(ctx: &Ctx, body: &CreateKeyBody) -> Result<CreatedKey> {
    ctx.require(Perm::KeysWrite)?;
    let req = body.parse(ctx.now(), own_environment(ctx))?;
    may_last(ctx, body.expires_at == Some(None))?;
    make(ctx, req, None, None).await
}

/// A key that expires makes none that does not: whoever says so is told, rather than given another date.
fn may_last(ctx: &Ctx, for_ever: bool) -> Result<()> {
    let own = if let Who::Key(key) = ctx.who() { key.expires_at } else { None };
    match own {
        Some(own) if for_ever => {
            let how = format!("The key that asks expires at {own}. Name a time up to then, or leave this out for that one.");
            Err(Error::field("expires_at", "not_permitted", how))
        }
        _ => Ok(()),
    }
}

/// Makes a key.
pub async fn create(ctx: &Ctx, req: CreateKey) -> Result<CreatedKey> {
    make(ctx, req, None, None).await
}

/// Takes over a key that another system made: only its SHA-256 is needed, and only a keyed hash of that is kept. Whoever
/// holds a digest does not hold its key, so this is for those who manage the tenant, not for everybody who makes keys.
pub async fn import(ctx: &Ctx, body: ImportKeyBody) -> Result<ApiKey> {
    may_import(ctx)?;
    let for_ever = body.expires_at == Some(None);
    let ImportKey { key, sha256, prefix, last_four } = body.parse(ctx.now(), own_environment(ctx))?;
    may_last(ctx, for_ever)?;
    let digest = secret::foreign(&ctx.core().keys, &sha256);
    make(ctx, key, None, Some(Imported { digest, prefix, last_four })).await.map(|made| made.api_key)
}

/// May the caller take over keys?
pub fn may_import(ctx: &Ctx) -> Result<()> {
    ctx.require(Perm::SettingsWrite)?;
    ctx.require(Perm::KeysWrite).map(drop)
}

/// The environment that a caller who names none means.
fn own_environment(ctx: &Ctx) -> Environment {
    ctx.sandboxed().unwrap_or(ctx.core().settings.environment)
}

struct Imported {
    digest: secret::Digest,
    prefix: String,
    last_four: String,
}

async fn make(ctx: &Ctx, mut req: CreateKey, form: Option<FormId>, imported: Option<Imported>) -> Result<CreatedKey> {
    let grant = ctx.require(Perm::KeysWrite)?;
    ctx.fresh()?;
    let now = ctx.now();
    refuse_keys("name", req.name.as_str())?;
    refuse_keys("metadata", &req.metadata.to_string())?;
    // A gateway key that a platform admin makes decides for every tenant.
    if req.kind == KeyKind::Gateway {
        req.platform = ctx.operates();
    }
    let mut tx = ctx.write(&grant).await?;
    let id = KeyId::from_uuid(ctx.new_uuid());
    if let (Some(form), Some(person)) = (form, ctx.person())
        && !sql::use_form(tx.tx(), &grant, form, person.user_id, id, now).await?
    {
        let first = sql::find_by_form(tx.tx(), &grant, form, person.user_id).await?.ok_or(Error::NotFound)?;
        return Ok(CreatedKey { api_key: first.key(now)?, key: None });
    }
    let maker = Maker::of(ctx, tx.tx(), &grant).await?;
    if req.allowed_ips.is_empty() {
        req.allowed_ips.clone_from(&maker.allowed_ips);
    }
    req.expires_at = req.expires_at.or(maker.expires_at);
    req.rate_limit = req.rate_limit.or(maker.rate_limit);
    // What is wrong with several fields is told at once.
    let mut errors = FieldErrors::default();
    note(&mut errors, maker.check(ctx, &Power::from(&req)))?;
    let scopes = note(&mut errors, admit_scopes(ctx, &grant, &mut tx, req.scopes).await)?.unwrap_or_default();
    let owner = match &req.owner {
        Some(asked) => note(&mut errors, owner(ctx, tx.tx(), &grant, asked).await)?,
        None => default_owner(ctx, tx.tx(), &grant).await?,
    };
    let core = ctx.core();
    let (token, digest, prefix, last_four) = if let Some(i) = imported {
        (None, i.digest, i.prefix, i.last_four)
    } else {
        let tenant = sql::slug(tx.tx(), &grant).await?;
        let made = secret::generate(core.entropy(), &core.keys, req.kind, req.environment, &tenant);
        (Some(made.token), made.digest, made.prefix, made.last_four)
    };
    let key = ApiKey {
        id,
        name: req.name.to_string(),
        kind: req.kind,
        environment: req.environment,
        prefix,
        last_four,
        state: KeyState::Active,
        scopes: ScopeSet(scopes),
        allowed_ips: req.allowed_ips,
        not_before: req.not_before,
        expires_at: req.expires_at,
        rate_limit: req.rate_limit,
        metadata: req.metadata,
        owner: owner.as_ref().map(|(_, email)| email.clone()),
        platform: req.platform,
        created_at: now,
        created_by: ctx.actor().name,
        last_used_at: None,
        revoked_at: None,
    };
    note(&mut errors, tenants::judge(tx.tx(), &grant, None, &key, now).await)?;
    errors.into_result(Some(()))?;
    sql::insert(tx.tx(), &grant, &key, owner.map(|(id, _)| id)).await?;
    sql::insert_secret(tx.tx(), &grant, SecretId::from_uuid(ctx.new_uuid()), &key, &digest, now).await?;
    sql::append_change(tx.tx(), &grant, id, now).await?;
    let after = serde_json::to_value(&key).map_err(Error::internal)?;
    let action = if token.is_some() { "api_key.created" } else { "api_key.imported" };
    tx.commit(Event { action, target: target(&key), reason: None, before: None, after: Some(after) }).await?;
    core.cache.sync_later(core).await;
    Ok(CreatedKey { api_key: key, key: token.map(|t| t.expose().clone()) })
}

/// What was done, or nothing where fields were wrong; they are noted. Any other error ends it.
pub(super) fn note<T>(errors: &mut FieldErrors, done: Result<T>) -> Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(Error::Invalid(wrong)) => {
            errors.extend(wrong);
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

impl<'a> From<&'a CreateKey> for Power<'a> {
    fn from(req: &'a CreateKey) -> Self {
        Self {
            kind: req.kind,
            environment: req.environment,
            platform: req.platform,
            scopes: &req.scopes,
            allowed_ips: &req.allowed_ips,
            expires_at: req.expires_at,
            rate_limit: req.rate_limit,
        }
    }
}

/// The member whom a request names as owner. Who sees only their own keys answers for them themselves.
pub(super) async fn owner(ctx: &Ctx, tx: &mut Tx, grant: &Grant, asked: &str) -> Result<(UserId, String)> {
    let found = sql::member(tx, grant, &OwnerRef::parse(asked)).await?;
    let (id, email) = found.ok_or_else(|| Error::field("owner", "invalid", "No member of this tenant has this address or id."))?;
    // A key that manages no settings hands on its own owner: a subject that others believe is nobody's to choose.
    let own = match ctx.who() {
        Who::Key(key) if ctx.require(Perm::SettingsWrite).is_err() => key.owner,
        _ => super::only_own(ctx),
    };
    match own {
        Some(own) if own != id => Err(Error::field("owner", "not_permitted", "You can only make and keep keys of your own.")),
        _ => Ok((id, email)),
    }
}

/// The maker; for a key that makes keys whoever answers for it.
pub(crate) async fn default_owner(ctx: &Ctx, tx: &mut Tx, grant: &Grant) -> Result<Option<(UserId, String)>> {
    match ctx.who() {
        Who::Person(p) => Ok(Some((p.user_id, p.email.clone()))),
        Who::Key(key) => match key.owner {
            Some(owner) => sql::member(tx, grant, &OwnerRef::Id(owner)).await,
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The scopes in the catalogue's spelling. `resource:verb` with a known verb is added by whoever may write settings;
/// any other unknown scope is refused by name.
pub(crate) async fn admit_scopes(ctx: &Ctx, grant: &Grant, tx: &mut WriteTx, asked: Vec<Scope>) -> Result<Vec<Scope>> {
    let known = Catalogue::lock(tx.tx(), grant).await?;
    // The catalogue belongs to the tenant as a whole: a test credential finds it as it is.
    let may_add = ctx.require_tenant_level(Perm::SettingsWrite).is_ok();
    let mut errors = FieldErrors::default();
    let mut admitted: Vec<Scope> = Vec::new();
    for scope in asked {
        let mut admit = known.find(&scope);
        if admit.is_none() && may_add && known.may_add(&scope) {
            scopes::add(tx.tx(), grant, &known, &scope, ctx).await?;
            admit = Some(scope.clone());
        }
        match admit {
            Some(scope) if admitted.contains(&scope) => {}
            Some(scope) => admitted.push(scope),
            None => errors.add("scopes", "invalid", format!("{scope} is not in the catalogue of permissions.")),
        }
    }
    Ok(errors.into_result(Some(admitted))?)
}
