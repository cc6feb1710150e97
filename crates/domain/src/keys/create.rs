//! Making a key.

use super::{secret, sql, target};
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, WriteTx},
};
use contract::{
    ApiKey, BUILT_IN_SCOPES, CreateKey, CreatedKey, Environment, ErrorCode, FieldErrors, FormId, KeyForm, KeyId, KeyKind, KeyState, Perm,
    Scope, ScopeSet, SecretId, VERBS,
};
use std::collections::HashMap;

/// Makes a key from the console's form. Posting the same form twice makes one key; the second answer has no secret.
pub async fn create_from_form(ctx: &Ctx, form: &KeyForm) -> Result<CreatedKey> {
    ctx.require(Perm::KeysWrite)?;
    let form_id =
        form.form_id().ok_or_else(|| Error::Conflict("This form is incomplete. Open it again and send it once more.".to_owned()))?;
    let req = form.parse(ctx.now())?;
    make(ctx, req, Some(form_id)).await
}

/// Makes a key.
pub async fn create(ctx: &Ctx, req: CreateKey) -> Result<CreatedKey> {
    make(ctx, req, None).await
}

async fn make(ctx: &Ctx, mut req: CreateKey, form: Option<FormId>) -> Result<CreatedKey> {
    let grant = ctx.require(Perm::KeysWrite)?;
    let now = ctx.now();
    judge(ctx, &mut req)?;
    let mut tx = ctx.write(&grant).await?;
    let id = KeyId::from_uuid(ctx.new_uuid());
    if let (Some(form), Some(person)) = (form, ctx.person())
        && !sql::use_form(tx.tx(), &grant, form, person.user_id, id, now).await?
    {
        let first = sql::find_by_form(tx.tx(), &grant, form, person.user_id).await?.ok_or(Error::NotFound)?;
        return Ok(CreatedKey { api_key: first.key(now)?, key: None });
    }
    let scopes = admit_scopes(ctx, &grant, &mut tx, req.scopes).await?;
    let tenant = sql::slug(tx.tx(), &grant).await?;
    let core = ctx.core();
    let made = secret::generate(core.entropy(), &core.keys, req.kind, req.environment, &tenant);
    let owner = ctx.person().map(|p| (p.user_id, p.email.clone()));
    let key = ApiKey {
        id,
        name: req.name.to_string(),
        kind: req.kind,
        environment: req.environment,
        prefix: made.prefix.clone(),
        last_four: made.last_four.clone(),
        state: if req.not_before.is_some_and(|t| t > now) { KeyState::Pending } else { KeyState::Active },
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
    sql::insert(tx.tx(), &grant, &key, owner.map(|(id, _)| id)).await?;
    sql::insert_secret(tx.tx(), &grant, SecretId::from_uuid(ctx.new_uuid()), &key, &made.digest).await?;
    sql::append_change(tx.tx(), &grant, id, now).await?;
    let after = serde_json::to_value(&key).map_err(Error::internal)?;
    tx.commit(Event { action: "api_key.created", target: target(&key), reason: None, before: None, after: Some(after) }).await?;
    core.cache.sync(core).await?;
    Ok(CreatedKey { api_key: key, key: Some(made.token.expose().clone()) })
}

/// What the caller may ask for, beside the catalogue.
fn judge(ctx: &Ctx, req: &mut CreateKey) -> Result<()> {
    if ctx.core().settings.environment == Environment::Test && req.environment == Environment::Live {
        return Err(Error::field("environment", "not_permitted", "This is a sandbox: only test keys exist here."));
    }
    if req.kind == KeyKind::Gateway {
        let decides = Perm::KeysVerify.scope();
        if req.scopes != [decides.clone()] {
            return Err(Error::field("scopes", "not_permitted", format!("A gateway key holds {decides} and nothing else.")));
        }
        // A gateway key that a platform admin makes decides for every tenant.
        req.platform = ctx.is_platform();
        let may = ctx.person().is_some_and(|p| p.role.grants_any());
        if !may {
            ctx.may_grant(&decides)?;
        }
    } else {
        for scope in &req.scopes {
            ctx.may_grant(scope)?;
        }
        if req.platform && !ctx.is_platform() {
            return Err(Error::Refused(ErrorCode::Forbidden, "Only platform admins make platform keys".to_owned()));
        }
    }
    if req.kind == KeyKind::Restricted && req.scopes.iter().any(Scope::is_admin) {
        return Err(Error::field("scopes", "not_permitted", "A restricted key never holds admin."));
    }
    Ok(())
}

/// The scopes in the catalogue's spelling. `resource:verb` with a known verb is added by whoever may write settings;
/// any other unknown scope is refused by name.
async fn admit_scopes(ctx: &Ctx, grant: &Grant, tx: &mut WriteTx, asked: Vec<Scope>) -> Result<Vec<Scope>> {
    let known: HashMap<String, Scope> = sql::catalogue(tx.tx(), grant).await?.into_iter().map(|d| (d.name.canonical(), d.name)).collect();
    let may_add = ctx.require(Perm::SettingsWrite).is_ok();
    let mut errors = FieldErrors::default();
    let mut admitted: Vec<Scope> = Vec::new();
    for scope in asked {
        let (resource, verb) = scope.parts();
        let mut admit = known.get(&scope.canonical()).cloned();
        if admit.is_none() && scope.is_reserved() {
            admit = Perm::ALL.iter().map(|p| p.scope()).find(|p| *p == scope);
        } else if admit.is_none() && BUILT_IN_SCOPES.contains(&scope.as_str()) {
            admit = Some(scope.clone());
        } else if admit.is_none() && may_add && resource.is_some() && VERBS.contains(&verb) {
            sql::add_scope(tx.tx(), grant, &scope, ctx.now()).await?;
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
