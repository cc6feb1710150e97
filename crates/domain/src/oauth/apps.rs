//! Registering apps, and what becomes of them.

use super::{
    client, id_token, logo, policies,
    sql::{self, Which},
};
use crate::{
    Ctx, Error, Grant, Result,
    db::{Event, Tx},
    keys::{admit_scopes, chosen, default_owner, only_own, replaced_since, scan::refuse_keys, secret::generate_for_app},
    tenants, tokens,
};
use contract::{
    App, AppForm, AppId, AppKind, AppSecret, AppSecretId, AppState, CreateAppBody, CreatedApp, Page, PageQuery, Perm, RotateBody,
    RotateForm, Secret, Target, UnixMs, UpdateAppBody,
};
use serde_json::json;

/// Most secrets of one app that work at the same time.
const MOST_SECRETS: usize = 5;
/// Most apps of one tenant.
const MOST: i64 = 1_000;

/// The app as the audit log names it.
pub(super) fn target(id: AppId, name: &str) -> Target {
    Target { kind: "oauth_app".to_owned(), id: id.to_string(), name: name.to_owned() }
}

/// The apps that exist for the caller, the newest first.
pub async fn list(ctx: &Ctx, page: PageQuery) -> Result<Page<App>> {
    let grant = ctx.require_tenant_level(Perm::AppsRead)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    let mut all = sql::apps(&mut tx, &grant, &Which { own: only_own(ctx), ..Which::page(page) }, ctx.now()).await?;
    for app in &mut all {
        logo::make_absolute(ctx.core(), &mut app.logo_url);
    }
    Ok(Page::cut(all, page.bounded(), |app| app.id.uuid()))
}

/// One app.
pub async fn get(ctx: &Ctx, perm: Perm, id: AppId) -> Result<App> {
    let grant = ctx.require_tenant_level(perm)?;
    let mut tx = ctx.db().read_in(&grant).await?;
    find(ctx, &mut tx, &grant, id).await
}

async fn find(ctx: &Ctx, tx: &mut Tx, grant: &Grant, id: AppId) -> Result<App> {
    let mut all = sql::apps(tx, grant, &Which { own: only_own(ctx), ..Which::one(id) }, ctx.now()).await?;
    let mut app = all.pop().ok_or(Error::NotFound)?;
    logo::make_absolute(ctx.core(), &mut app.logo_url);
    Ok(app)
}

/// The same, with the row locked until the commit.
pub(super) async fn lock(ctx: &Ctx, tx: &mut Tx, grant: &Grant, id: AppId) -> Result<App> {
    sql::lock(tx, grant, id).await?;
    find(ctx, tx, grant, id).await
}

/// Registers an app. Its secret, where it has one, is in this answer and nowhere else.
pub async fn create(ctx: &Ctx, body: &CreateAppBody) -> Result<CreatedApp> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    let mut new = body.parse()?;
    ctx.fresh()?;
    refuse_keys("name", new.name.as_str())?;
    id_token::prepare(ctx.core(), new.terms.id_token_alg, &new.terms.scopes).await?;
    let (now, id) = (ctx.now(), AppId::from_uuid(ctx.new_uuid()));
    let mut tx = ctx.write(&grant).await?;
    if sql::count(tx.tx(), &grant).await? >= MOST {
        return Err(Error::Conflict(format!("A tenant has at most {MOST} apps: delete one that is no longer used.")));
    }
    new.terms.scopes = scopes(ctx, &grant, &mut tx, new.terms.scopes).await?;
    let owner = default_owner(ctx, tx.tx(), &grant).await?.map(|(id, _)| id);
    if body.refresh_token_days.is_none() {
        // Nobody said how long: as long as usual, or as the tenant's policy allows.
        new.terms.refresh_token_days = tenants::policies_of(tx.tx(), &grant).await?.refresh_days(new.terms.refresh_token_days);
    }
    let mut app = App {
        id,
        client_id: id,
        name: new.name.to_string(),
        kind: new.kind,
        state: AppState::Active,
        terms: new.terms,
        secrets: Vec::new(),
        created_at: now,
        created_by: ctx.actor().name,
        last_used_at: None,
        logo_url: None,
    };
    policies::judge(tx.tx(), &grant, None, &app, owner.is_some()).await?;
    sql::insert(tx.tx(), &grant, &app, owner).await?;
    let client_secret = if app.kind == AppKind::Public { None } else { Some(add_secret(ctx, tx.tx(), &grant, &mut app).await?) };
    tokens::tell_app_changed(tx.tx(), id, now).await?;
    let after = serde_json::to_value(&app).map_err(Error::internal)?;
    tx.commit(Event { action: "oauth_app.created", target: target(id, &app.name), reason: None, before: None, after: Some(after) }).await?;
    ctx.core().cache.sync_later(ctx.core()).await;
    Ok(CreatedApp { app, client_secret: client_secret.map(|s| s.expose().clone()) })
}

/// In the catalogue's spelling; nobody registers an app that may ask for more than they hold (s35).
async fn scopes(ctx: &Ctx, grant: &Grant, tx: &mut crate::db::WriteTx, asked: Vec<contract::Scope>) -> Result<Vec<contract::Scope>> {
    let admitted = admit_scopes(ctx, grant, tx, asked).await?;
    admitted.iter().filter(|s| !s.is_built_in()).try_for_each(|scope| ctx.may_grant(scope))?;
    Ok(admitted)
}

/// Makes the app's current secret.
async fn add_secret(ctx: &Ctx, tx: &mut Tx, grant: &Grant, app: &mut App) -> Result<Secret<String>> {
    let core = ctx.core();
    let id = AppSecretId::from_uuid(ctx.new_uuid());
    let text = generate_for_app(core.entropy());
    let made = AppSecret { id, last_four: text.expose()[text.expose().len() - 4..].to_owned(), created_at: ctx.now(), expires_at: None };
    let sealed = core.keys.seal.seal(grant.tenant_id().uuid(), id.uuid(), &text, core.entropy())?;
    sql::insert_secret(tx, grant, app.id, &made, &client::digest(core, text.expose()), &sealed).await?;
    app.secrets.insert(0, made);
    Ok(text)
}

/// Changes an app. Its kind stays.
pub async fn update(ctx: &Ctx, id: AppId, body: &UpdateAppBody) -> Result<App> {
    change(ctx, id, None, |_| body.clone()).await
}

/// The same from the console's form, unless the app was changed since the form was opened.
pub async fn update_from_form(ctx: &Ctx, id: AppId, form: &AppForm) -> Result<App> {
    change(ctx, id, form.seen.as_deref(), |kind| form.to_update(kind)).await
}

/// What the form of an edit shows of the app, in short: it differs when something of that has changed.
pub fn fingerprint(app: &App) -> String {
    let shown = serde_json::to_vec(&AppForm::of(app)).unwrap_or_default();
    blake3::hash(&shown).to_hex().chars().take(32).collect()
}

async fn change(ctx: &Ctx, id: AppId, seen: Option<&str>, body: impl FnOnce(AppKind) -> UpdateAppBody) -> Result<App> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    let mut tx = ctx.write(&grant).await?;
    let before = lock(ctx, tx.tx(), &grant, id).await?;
    if seen.is_some_and(|seen| seen != fingerprint(&before)) {
        return Err(Error::Conflict(
            "The app was changed since this form was opened, and nothing was saved. What you typed stands here; open Edit again to see the app as it is now."
                .to_owned(),
        ));
    }
    let body = body(before.kind);
    let (name, mut terms) = body.apply(before.kind, &before.terms)?;
    if let Some(name) = &name {
        refuse_keys("name", name.as_str())?;
    }
    ctx.fresh()?;
    // Whoever says where codes go, or by which key the app proves itself, can act as it: they must hold what it may do.
    terms.scopes = scopes(ctx, &grant, &mut tx, terms.scopes).await?;
    let after = App { name: name.map_or_else(|| before.name.clone(), |n| n.to_string()), terms, ..before.clone() };
    if after == before {
        return Ok(before);
    }
    policies::judge(tx.tx(), &grant, Some(&before), &after, true).await?;
    sql::update(tx.tx(), &grant, &after).await?;
    tokens::tell_app_changed(tx.tx(), id, ctx.now()).await?;
    let (was, is) = (terms_of(&before)?, terms_of(&after)?);
    tx.commit(Event { action: "oauth_app.updated", target: target(id, &after.name), reason: None, before: Some(was), after: Some(is) })
        .await?;
    ctx.core().cache.sync(ctx.core()).await?;
    // What was saved stands; the first sign-in makes up for it.
    if let Err(e) = id_token::prepare(ctx.core(), after.terms.id_token_alg, &after.terms.scopes).await {
        tracing::warn!(request_id = %ctx.request().id, error = %e, "no key for ID tokens was made yet");
    }
    Ok(after)
}

fn terms_of(app: &App) -> Result<serde_json::Value> {
    let mut terms = serde_json::to_value(&app.terms).map_err(Error::internal)?;
    terms["name"] = app.name.clone().into();
    Ok(terms)
}

/// Gives the app a new secret; the ones before it work until the grace ends, and not longer than they would have. Without a
/// grace, what the app got for itself ends with them. What people allowed it is kept.
pub async fn rotate_secret(ctx: &Ctx, id: AppId, body: &RotateBody) -> Result<CreatedApp> {
    replace_secret(ctx, id, body, None).await
}

/// The same from the console's form. It names the secret that it replaces, or none where none is current, so that sending
/// it twice replaces one.
pub async fn rotate_secret_from_form(ctx: &Ctx, id: AppId, form: &RotateForm) -> Result<CreatedApp> {
    get(ctx, Perm::AppsWrite, id).await?;
    replace_secret(ctx, id, &chosen(form)?, Some(&form.secret)).await
}

async fn replace_secret(ctx: &Ctx, id: AppId, body: &RotateBody, seen: Option<&str>) -> Result<CreatedApp> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let mut app = lock(ctx, tx.tx(), &grant, id).await?;
    let until = now.plus(body.grace()? * 1_000);
    if app.kind == AppKind::Public {
        return Err(Error::Conflict(format!("{} is a public app: it has no secret.", app.name)));
    }
    let current = app.secrets.iter().find(|s| s.expires_at.is_none()).map(|s| s.id.to_string());
    if seen.is_some_and(|seen| seen != current.as_deref().unwrap_or_default()) {
        return Err(replaced_since());
    }
    ctx.fresh()?;
    // The new secret goes to whoever asked: they must hold what it may do.
    app.terms.scopes.iter().filter(|s| !s.is_built_in()).try_for_each(|scope| ctx.may_grant(scope))?;
    let lasting = app.secrets.iter().filter(|s| s.expires_at.is_none_or(|at| at.min(until) > now)).count();
    if until > now && lasting >= MOST_SECRETS {
        return Err(Error::Conflict(format!(
            "{} has {MOST_SECRETS} secrets that work: rotate with grace_seconds 0 to end them.",
            app.name
        )));
    }
    sql::end_secrets(tx.tx(), &grant, id, until).await?;
    if until <= now {
        // Whoever is shut out by this keeps nothing that they got before.
        sql::end_own_tokens(tx.tx(), &grant, id, now).await?;
    }
    for secret in &mut app.secrets {
        secret.expires_at = Some(secret.expires_at.map_or(until, |at| at.min(until)));
    }
    app.secrets.retain(|s| s.expires_at.is_some_and(|at| at > now));
    let client_secret = add_secret(ctx, tx.tx(), &grant, &mut app).await?;
    tokens::tell_app_changed(tx.tx(), id, now).await?;
    let after = json!({"secret": app.secrets.first(), "old_valid_until": until});
    tx.commit(Event { action: "oauth_app.secret_rotated", target: target(id, &app.name), reason: None, before: None, after: Some(after) })
        .await?;
    ctx.core().cache.sync_later(ctx.core()).await;
    Ok(CreatedApp { app, client_secret: Some(client_secret.expose().clone()) })
}

/// Ends one secret inside a transaction that records why, and what the app got for itself: nobody knows with which secret.
/// False if it worked no more. Whoever commits calls `KeyCache::sync`.
pub(crate) async fn end_secret(tx: &mut Tx, grant: &Grant, app: AppId, secret: AppSecretId, now: UnixMs) -> Result<bool> {
    sql::lock(tx, grant, app).await?;
    let ended = sql::end_secret(tx, grant, secret, now).await?;
    if ended {
        sql::end_own_tokens(tx, grant, app, now).await?;
        tokens::tell_app_changed(tx, app, now).await?;
    }
    Ok(ended)
}

/// Puts the app out of use: its tokens, codes and secrets work no more, until it is resumed (s22). What it got for itself
/// does not then either.
pub async fn suspend(ctx: &Ctx, id: AppId, reason: Option<String>) -> Result<App> {
    refuse_keys("reason", reason.as_deref().unwrap_or_default())?;
    set_state(ctx, id, AppState::Suspended, reason).await
}

/// Puts it into use again.
pub async fn resume(ctx: &Ctx, id: AppId) -> Result<App> {
    set_state(ctx, id, AppState::Active, None).await
}

async fn set_state(ctx: &Ctx, id: AppId, state: AppState, reason: Option<String>) -> Result<App> {
    let suspended = state == AppState::Suspended;
    let grant = ctx.require_tenant_level(if suspended { Perm::AppsRevoke } else { Perm::AppsWrite })?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let before = lock(ctx, tx.tx(), &grant, id).await?;
    if before.state == state {
        return Ok(before);
    }
    if !suspended {
        // Whoever puts it into use again lets it do what they may hand out themselves (s35).
        ctx.fresh()?;
        before.terms.scopes.iter().filter(|s| !s.is_built_in()).try_for_each(|scope| ctx.may_grant(scope))?;
    }
    sql::set_suspended(tx.tx(), &grant, id, suspended.then_some(now)).await?;
    if suspended {
        sql::end_own_tokens(tx.tx(), &grant, id, now).await?;
    }
    tokens::tell_app_changed(tx.tx(), id, now).await?;
    let action = if suspended { "oauth_app.suspended" } else { "oauth_app.resumed" };
    tx.commit(Event { action, target: target(id, &before.name), reason, before: None, after: None }).await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(App { state, ..before })
}

/// Takes the app away for good, with everything that people allowed it.
pub async fn delete(ctx: &Ctx, id: AppId) -> Result<App> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    let now: UnixMs = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let app = lock(ctx, tx.tx(), &grant, id).await?;
    ctx.fresh()?;
    // Its grants stay as what was allowed once; without their app they are worth nothing.
    sql::set_deleted(tx.tx(), &grant, id, now).await?;
    sql::remove_logo(tx.tx(), &grant, id).await?;
    tokens::tell_app_changed(tx.tx(), id, now).await?;
    tx.commit(Event {
        action: "oauth_app.deleted",
        target: target(id, &app.name),
        reason: None,
        before: Some(terms_of(&app)?),
        after: None,
    })
    .await?;
    ctx.core().cache.sync(ctx.core()).await?;
    Ok(app)
}
