//! Tenants: the first one with its owner, and further ones.

mod act_in;
mod allowlist;
mod manage;
mod plans;
mod policies;
mod sql;
mod support;

pub(crate) use act_in::act_in_use;
pub use act_in::{ELSEWHERE, act_in};
pub use allowlist::{allowlist, set_allowlist};
pub use manage::{
    change, create, create_from_body, create_with_owner, delete, delete_confirmed, delete_own, find_unscoped, get, invite_owner, list,
    list_unscoped, remove_due, rename_own, require_platform, resume, suspend,
};
pub use plans::{change_plan, create_plan, delete_plan, plan, plans};
pub(crate) use policies::{Answers, answers_unscoped, judge, locked_policies, policies_of};
pub use policies::{forget_usage, key_rules, review, set_policies, set_policies_from_form, settings};
pub use support::{end_own_support, end_support, open_support, support, support_of};

use crate::{
    Ctx, Error, Grant, Result, Who, audit,
    ctx::Person,
    db::{Event, Tx, commit_with},
    identity::{Admitted, NewOwner, SignedIn, insert_owner, new_owner},
    keys,
};
use contract::{
    CreateKey, CreatedKey, DEFAULT_CATALOGUE, KeyKind, KeyName, Perm, Role, Scope, Secret, Slug, Target, TenantId, TenantName, UserId,
};
use serde::Serialize;
use std::fmt;

/// What `keystead bootstrap` prints; the two keys stand nowhere else.
#[derive(Serialize)]
pub struct Bootstrapped {
    /// The first tenant.
    pub tenant_id: TenantId,
    /// Its owner.
    pub user_id: UserId,
    /// A platform key with `admin`.
    pub api_key: String,
    /// A gateway key for the whole installation.
    pub gateway_key: String,
}

impl fmt::Debug for Bootstrapped {
    /// Without the keys (rule 4).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bootstrapped").field("tenant_id", &self.tenant_id).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// The first tenant with its owner, who is also platform admin; commits the given transaction.
pub(crate) async fn create_first(ctx: &Ctx, mut tx: Tx, owner: &NewOwner, password_hash: &str) -> Result<Admitted> {
    let (grant, made) = insert(ctx, &mut tx, &owner.tenant, &owner.slug, true).await?;
    let user_id = UserId::from_uuid(ctx.new_uuid());
    insert_owner(&mut tx, &grant, user_id, &owner.email, password_hash, ctx.now()).await?;
    let target = Target { kind: "user".to_owned(), id: user_id.to_string(), name: owner.email.to_string() };
    let after = serde_json::json!({"role": Role::Owner, "platform_admin": true});
    let added = Event { action: "member.added", target, reason: None, before: None, after: Some(after) };
    let tenant_id = grant.tenant_id();
    let admitted = Admitted::by(&mut tx, SignedIn { user_id, tenant_id }).await?;
    commit_with(tx, ctx, vec![(grant.clone(), made), (grant, added)]).await?;
    Ok(admitted)
}

/// `keystead bootstrap`: the first tenant, its owner, a platform key and a gateway key. Fails with a conflict, and
/// changes nothing, where people exist.
pub async fn bootstrap(ctx: &Ctx, tenant: &str, email: &str, password: Secret<String>) -> Result<Bootstrapped> {
    let owner = new_owner(tenant, email, password.expose())?;
    let hash = ctx.core().hasher.hash(&owner.password).await?;
    let mut tx = ctx.db().begin_all().await?;
    if sql::users_unscoped(&mut tx).await? > 0 {
        return Err(Error::Conflict("This installation is in use already: nothing was changed.".to_owned()));
    }
    let made = create_first(ctx, tx, &owner, &hash).await?.who;
    let person = Person {
        user_id: made.user_id,
        email: owner.email.to_string(),
        tenant_id: made.tenant_id,
        role: Role::Owner,
        platform_admin: true,
        supporting: false,
        must_enrol: false,
    };
    let as_owner = Ctx::new(ctx.core().clone(), Who::Person(person), ctx.request().clone());
    let admin = Scope::parse("admin").map_err(Error::internal)?;
    let api_key = keys::create(&as_owner, first_key(ctx, "bootstrap", KeyKind::Secret, admin)?).await?;
    let gateway_key = keys::create(&as_owner, first_key(ctx, "gateway", KeyKind::Gateway, Perm::KeysVerify.scope())?).await?;
    let shown = |k: CreatedKey| k.key.ok_or_else(|| Error::internal("a new key has a secret"));
    Ok(Bootstrapped { tenant_id: made.tenant_id, user_id: made.user_id, api_key: shown(api_key)?, gateway_key: shown(gateway_key)? })
}

fn first_key(ctx: &Ctx, name: &str, kind: KeyKind, scope: Scope) -> Result<CreateKey> {
    Ok(CreateKey {
        name: KeyName::parse(name).map_err(Error::internal)?,
        environment: ctx.core().settings.environment,
        kind,
        scopes: vec![scope],
        allowed_ips: Vec::new(),
        not_before: None,
        expires_at: None,
        rate_limit: None,
        metadata: serde_json::json!({}),
        owner: None,
        platform: true,
    })
}

/// The tenant's rows, its catalogue, the start of its chain; the event is the commit's.
async fn insert(ctx: &Ctx, tx: &mut Tx, name: &TenantName, slug: &Slug, home: bool) -> Result<(Grant, Event)> {
    let grant = Grant::of_new_tenant(TenantId::from_uuid(ctx.new_uuid()), ctx.actor());
    sql::insert(tx, &grant, name, slug, home, ctx.now()).await?;
    for (scope, description) in DEFAULT_CATALOGUE {
        sql::insert_scope(tx, &grant, &Scope::parse(scope).map_err(Error::internal)?, description, ctx.now()).await?;
    }
    audit::open_chain(tx, ctx, &grant).await?;
    let id = grant.tenant_id().to_string();
    let target = Target { kind: "tenant".to_owned(), id, name: name.to_string() };
    let after = serde_json::json!({"name": name, "slug": slug});
    Ok((grant, Event { action: "tenant.created", target, reason: None, before: None, after: Some(after) }))
}
