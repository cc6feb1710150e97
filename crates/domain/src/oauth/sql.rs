//! Apps and their logos are found by their primary keys and apps by their unique id and `apps_by_owner`, secrets by `app_secrets_by_app`, grants by `grants_standing`,
//! `grants_by_app` and `grants_by_user`, requests by their id, codes by their unique digest. Unscoped where nobody is known
//! yet: the snapshot holds the apps of every tenant, a code names no tenant, and people see their grants in all of theirs.

use super::{Asked, Client, logo, policies::Judged, snapshot::ClientSecret};
use crate::{
    Error, Grant, Result,
    db::{Tx, on},
    tokens,
};
use contract::{
    App, AppId, AppSecret, AppSecretId, AppState, AppTerms, ConsentId, GrantId, GrantSeen, LoginId, PageQuery, Scope, TenantId, UnixMs,
    UserId,
};
use sqlx::{FromRow, types::Json};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(FromRow)]
struct AppRow {
    id: Uuid,
    name: String,
    kind: String,
    terms: Json<AppTerms>,
    created_at: i64,
    created_by: String,
    suspended_at: Option<i64>,
    last_used_at: Option<i64>,
    logo: Option<String>,
}

impl AppRow {
    fn app(self, secrets: Vec<AppSecret>) -> Result<App> {
        let id = AppId::from_uuid(self.id);
        Ok(App {
            id,
            client_id: id,
            name: self.name,
            kind: self.kind.parse().map_err(|()| damaged())?,
            state: if self.suspended_at.is_some() { AppState::Suspended } else { AppState::Active },
            terms: self.terms.0,
            secrets,
            created_at: UnixMs(self.created_at),
            created_by: self.created_by,
            last_used_at: self.last_used_at.map(UnixMs),
            logo_url: self.logo.map(|hash| logo::path(id, &hash)),
        })
    }
}

fn damaged() -> Error {
    Error::internal("a stored app cannot be read")
}

/// Which apps.
pub(super) struct Which {
    pub one: Option<AppId>,
    pub own: Option<UserId>,
    pub before: Uuid,
    pub most: i64,
}

impl Which {
    pub const fn one(id: AppId) -> Self {
        Self { one: Some(id), own: None, before: Uuid::max(), most: 1 }
    }

    /// A row more than the page holds.
    pub fn page(page: PageQuery) -> Self {
        Self { one: None, own: None, before: page.before(), most: i64::from(page.bounded()) + 1 }
    }
}

/// Apps with their secrets that work, the newest first.
pub(super) async fn apps(tx: &mut Tx, grant: &Grant, which: &Which, now: UnixMs) -> Result<Vec<App>> {
    const APPS: &str = "SELECT id, name, kind, terms, created_at, created_by, suspended_at, last_used_at, \
        (SELECT l.hash FROM app_logos l WHERE l.tenant_id = apps.tenant_id AND l.app_id = apps.id) AS logo FROM apps \
        WHERE tenant_id = $1 AND ($2 IS NULL OR id = $2) AND ($3 IS NULL OR owner_id = $3) AND deleted_at IS NULL AND id < $4 \
        ORDER BY id DESC LIMIT $5";
    const SECRETS: &str = "SELECT app_id, id, last_four, created_at, valid_until FROM app_secrets \
        WHERE tenant_id = $1 AND ($2 IS NULL OR app_id = $2) AND (valid_until IS NULL OR valid_until > $3) ORDER BY id DESC";
    let (tenant, id) = (grant.tenant_id().uuid(), which.one.map(AppId::uuid));
    let rows: Vec<AppRow> = on!(tx, c => sqlx::query_as(APPS).bind(tenant).bind(id).bind(which.own.map(UserId::uuid)).bind(which.before).bind(which.most)
        .fetch_all(c).await)?;
    let secrets: Vec<(Uuid, Uuid, String, i64, Option<i64>)> =
        on!(tx, c => sqlx::query_as(SECRETS).bind(tenant).bind(id).bind(now.0).fetch_all(c).await)?;
    let mut by_app: HashMap<Uuid, Vec<AppSecret>> = HashMap::new();
    for (app, id, last_four, created_at, valid_until) in secrets {
        let id = AppSecretId::from_uuid(id);
        let secret = AppSecret { id, last_four, created_at: UnixMs(created_at), expires_at: valid_until.map(UnixMs) };
        by_app.entry(app).or_default().push(secret);
    }
    rows.into_iter()
        .map(|row| {
            let secrets = by_app.remove(&row.id).unwrap_or_default();
            row.app(secrets)
        })
        .collect()
}

pub(super) async fn count(tx: &mut Tx, grant: &Grant) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM apps WHERE tenant_id = $1 AND deleted_at IS NULL";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

/// How many apps of the grant's tenant may ask for a scope by its name.
pub(crate) async fn count_holding(tx: &mut Tx, grant: &Grant, scope: &Scope) -> Result<i64> {
    const SQL: &str = "SELECT terms FROM apps WHERE tenant_id = $1 AND deleted_at IS NULL";
    let all: Vec<Json<AppTerms>> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    let holding = all.iter().filter(|terms| terms.0.scopes.iter().any(|s| s.canonical() == scope.canonical())).count();
    Ok(i64::try_from(holding).unwrap_or(i64::MAX))
}

pub(super) async fn lock(tx: &mut Tx, grant: &Grant, id: AppId) -> Result<()> {
    const SQL: &str = "UPDATE apps SET name = name WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert(tx: &mut Tx, grant: &Grant, app: &App, owner: Option<UserId>) -> Result<()> {
    const SQL: &str =
        "INSERT INTO apps (tenant_id, id, name, kind, terms, owner_id, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.id.uuid()).bind(&app.name).bind(app.kind.as_str())
        .bind(Json(&app.terms)).bind(owner.map(UserId::uuid)).bind(app.created_at.0).bind(&app.created_by).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn update(tx: &mut Tx, grant: &Grant, app: &App) -> Result<()> {
    const SQL: &str = "UPDATE apps SET name = $3, terms = $4 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.id.uuid()).bind(&app.name).bind(Json(&app.terms))
        .execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn insert_secret(tx: &mut Tx, grant: &Grant, app: AppId, secret: &AppSecret, digest: &[u8], sealed: &[u8]) -> Result<()> {
    const SQL: &str =
        "INSERT INTO app_secrets (tenant_id, id, app_id, digest, sealed, last_four, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(secret.id.uuid()).bind(app.uuid()).bind(digest).bind(sealed)
        .bind(&secret.last_four).bind(secret.created_at.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Lets no secret of the app work beyond `until`.
pub(super) async fn end_secrets(tx: &mut Tx, grant: &Grant, app: AppId, until: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE app_secrets SET valid_until = $3 \
        WHERE tenant_id = $1 AND app_id = $2 AND (valid_until IS NULL OR valid_until > $3)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(until.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends one secret; false if it worked no more.
pub(super) async fn end_secret(tx: &mut Tx, grant: &Grant, id: AppSecretId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE app_secrets SET valid_until = $3 \
        WHERE tenant_id = $1 AND id = $2 AND (valid_until IS NULL OR valid_until > $3)";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn set_suspended(tx: &mut Tx, grant: &Grant, app: AppId, at: Option<UnixMs>) -> Result<()> {
    const SQL: &str = "UPDATE apps SET suspended_at = $3 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(at.map(|t| t.0)).execute(c).await.map(drop))?;
    Ok(())
}

/// What the app got for itself before now works no more. Clocks of processes differ: it never moves back.
pub(super) async fn end_own_tokens(tx: &mut Tx, grant: &Grant, app: AppId, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE apps SET tokens_from = $3 WHERE tenant_id = $1 AND id = $2 AND tokens_from < $3";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn set_deleted(tx: &mut Tx, grant: &Grant, app: AppId, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE apps SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn note_use(tx: &mut Tx, grant: &Grant, app: AppId, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE apps SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(now.0).execute(c).await.map(drop))?;
    Ok(())
}

/// Makes every process read the apps of the grant's tenant again: it came into use, or went out of it.
pub(crate) async fn tell_tenant_changed(tx: &mut Tx, grant: &Grant, now: UnixMs) -> Result<()> {
    const SQL: &str = "SELECT id FROM apps WHERE tenant_id = $1 AND deleted_at IS NULL";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    for id in ids {
        tokens::tell_app_changed(tx, AppId::from_uuid(id), now).await?;
    }
    Ok(())
}

/// The same for the apps that an account answers for.
pub(crate) async fn tell_owner_changed(tx: &mut Tx, grant: &Grant, owner: UserId, now: UnixMs) -> Result<()> {
    const SQL: &str = "SELECT id FROM apps WHERE tenant_id = $1 AND owner_id = $2 AND deleted_at IS NULL";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(owner.uuid()).fetch_all(c).await)?;
    for id in ids {
        tokens::tell_app_changed(tx, AppId::from_uuid(id), now).await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct ClientRow {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    kind: String,
    terms: Json<AppTerms>,
    in_use: bool,
    tokens_from: i64,
    logo: Option<String>,
    secret_id: Option<Uuid>,
    digest: Option<Vec<u8>>,
    sealed: Option<Vec<u8>>,
    valid_until: Option<i64>,
}

/// One app of the installation, or all, as the snapshot keeps them: with the secrets that work. An app is out of use while
/// its tenant is, or the account that answers for it (s22), as keys are.
pub(super) async fn clients_unscoped(tx: &mut Tx, id: Option<Uuid>, now: UnixMs) -> Result<Vec<Client>> {
    const SQL: &str = "SELECT a.tenant_id, a.id, a.name, a.kind, a.terms, \
        (a.suspended_at IS NULL AND t.suspended_at IS NULL AND t.deleted_at IS NULL AND o.disabled_at IS NULL) AS in_use, a.tokens_from, \
        (SELECT l.hash FROM app_logos l WHERE l.tenant_id = a.tenant_id AND l.app_id = a.id) AS logo, s.id AS secret_id, s.digest, s.sealed, s.valid_until \
        FROM apps a JOIN tenants t ON t.id = a.tenant_id LEFT JOIN users o ON o.id = a.owner_id \
        LEFT JOIN app_secrets s ON s.tenant_id = a.tenant_id AND s.app_id = a.id AND (s.valid_until IS NULL OR s.valid_until > $2) \
        WHERE a.deleted_at IS NULL AND ($1 IS NULL OR a.id = $1) ORDER BY a.id, s.id";
    let rows: Vec<ClientRow> = on!(tx, c => sqlx::query_as(SQL).bind(id).bind(now.0).fetch_all(c).await)?;
    let mut clients: Vec<Client> = Vec::new();
    for row in rows {
        let id = AppId::from_uuid(row.id);
        if clients.last().is_none_or(|last| last.id != id) {
            let kind = row.kind.parse().map_err(|()| damaged())?;
            let mut client = Client::new(TenantId::from_uuid(row.tenant_id), id, row.name, kind, row.terms.0, row.in_use);
            client.logo = row.logo;
            client.tokens_from = UnixMs(row.tokens_from);
            clients.push(client);
        }
        if let (Some(client), Some(secret), Some(digest), Some(sealed)) = (clients.last_mut(), row.secret_id, row.digest, row.sealed) {
            client.secrets.push(ClientSecret::new(secret, digest, sealed, row.valid_until.map(UnixMs)));
        }
    }
    Ok(clients)
}

pub(super) async fn set_logo(tx: &mut Tx, grant: &Grant, app: AppId, hash: &str, png: &[u8], now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO app_logos (tenant_id, app_id, hash, png, created_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (tenant_id, app_id) DO UPDATE SET hash = excluded.hash, png = excluded.png, created_at = excluded.created_at";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(hash).bind(png).bind(now.0)
        .execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn remove_logo(tx: &mut Tx, grant: &Grant, app: AppId) -> Result<()> {
    const SQL: &str = "DELETE FROM app_logos WHERE tenant_id = $1 AND app_id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn logo(tx: &mut Tx, grant: &Grant, app: AppId, hash: &str) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "SELECT png FROM app_logos WHERE tenant_id = $1 AND app_id = $2 AND hash = $3";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(hash).fetch_optional(c).await)?)
}

type JudgedRow = (Uuid, String, Json<AppTerms>, i64, Option<i64>);

/// The apps of the tenant, newest first, as policies see them.
pub(super) async fn judged(tx: &mut Tx, grant: &Grant) -> Result<Vec<Judged>> {
    const SQL: &str = "SELECT a.id, a.name, a.terms, (SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.tenant_id = a.tenant_id AND m.user_id = a.owner_id AND u.disabled_at IS NULL) AS owners, s.created_at \
        FROM apps a LEFT JOIN app_secrets s ON s.tenant_id = a.tenant_id AND s.app_id = a.id AND s.valid_until IS NULL \
        WHERE a.tenant_id = $1 AND a.deleted_at IS NULL ORDER BY a.id DESC";
    let rows: Vec<JudgedRow> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).fetch_all(c).await)?;
    let judged = |(id, name, terms, owners, made): JudgedRow| Judged {
        id: AppId::from_uuid(id),
        name,
        terms: terms.0,
        owned: owners > 0,
        secret_at: made.map(UnixMs),
    };
    Ok(rows.into_iter().map(judged).collect())
}

/// False if the app sent the same assertion before.
pub(super) async fn use_assertion(tx: &mut Tx, grant: &Grant, app: AppId, digest: &[u8], expires_at: UnixMs) -> Result<bool> {
    const SQL: &str = "INSERT INTO client_assertions (tenant_id, app_id, digest, expires_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant_id, app_id, digest) DO NOTHING";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(digest).bind(expires_at.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// What an app asked for, until its person decides.
pub(super) struct NewRequest<'a> {
    pub id: ConsentId,
    pub session: &'a [u8],
    pub user: UserId,
    pub app_tenant: TenantId,
    pub asked: &'a Asked,
    pub expires_at: UnixMs,
}

/// Keeps what an app asked for; of a session the newest few, however often it is sent here.
pub(super) async fn insert_request(tx: &mut Tx, new: &NewRequest<'_>, now: UnixMs) -> Result<()> {
    const OLD: &str = "DELETE FROM authorization_requests WHERE session = $1 AND id NOT IN \
        (SELECT id FROM authorization_requests WHERE session = $1 ORDER BY id DESC LIMIT 20)";
    const SQL: &str = "INSERT INTO authorization_requests (id, session, user_id, app_tenant_id, app_id, asked, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on!(tx, c => sqlx::query(OLD).bind(new.session).execute(c).await.map(drop))?;
    on!(tx, c => sqlx::query(SQL).bind(new.id.uuid()).bind(new.session).bind(new.user.uuid()).bind(new.app_tenant.uuid())
        .bind(new.asked.client_id.uuid()).bind(Json(new.asked)).bind(now.0).bind(new.expires_at.0).execute(c).await.map(drop))?;
    Ok(())
}

pub(super) async fn request(tx: &mut Tx, id: ConsentId, session: &[u8], user: UserId, now: UnixMs) -> Result<Option<Asked>> {
    const SQL: &str = "SELECT asked FROM authorization_requests WHERE id = $1 AND session = $2 AND user_id = $3 AND expires_at > $4";
    let found: Option<Json<Asked>> =
        on!(tx, c => sqlx::query_scalar(SQL).bind(id.uuid()).bind(session).bind(user.uuid()).bind(now.0).fetch_optional(c).await)?;
    Ok(found.map(|asked| asked.0))
}

/// True exactly once.
pub(super) async fn take_request(tx: &mut Tx, id: ConsentId) -> Result<bool> {
    const SQL: &str = "DELETE FROM authorization_requests WHERE id = $1";
    let n = on!(tx, c => sqlx::query(SQL).bind(id.uuid()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// What an app asked this session.
pub(super) async fn forget_requests(tx: &mut Tx, session: &[u8], app: AppId) -> Result<()> {
    const SQL: &str = "DELETE FROM authorization_requests WHERE session = $1 AND app_id = $2";
    on!(tx, c => sqlx::query(SQL).bind(session).bind(app.uuid()).execute(c).await.map(drop))?;
    Ok(())
}

/// What a member allowed an app in the grant's tenant. Trials are not meant.
pub(super) async fn standing(tx: &mut Tx, grant: &Grant, user: UserId, app: AppId) -> Result<Option<(GrantId, Vec<Scope>)>> {
    const SQL: &str =
        "SELECT id, scopes FROM grants WHERE tenant_id = $1 AND user_id = $2 AND app_id = $3 AND revoked_at IS NULL AND NOT trial";
    let found: Option<(Uuid, Json<Vec<Scope>>)> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid())
        .bind(app.uuid()).fetch_optional(c).await)?;
    Ok(found.map(|(id, scopes)| (GrantId::from_uuid(id), scopes.0)))
}

/// Makes the grant, or holds the one that stands; its row is locked until the commit.
pub(super) async fn hold_grant(
    tx: &mut Tx,
    grant: &Grant,
    id: GrantId,
    user: UserId,
    app: &Client,
    now: UnixMs,
) -> Result<(GrantId, Vec<Scope>)> {
    const SQL: &str = "INSERT INTO grants (tenant_id, id, user_id, app_tenant_id, app_id, scopes, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (tenant_id, user_id, app_id) WHERE revoked_at IS NULL AND NOT trial \
        DO UPDATE SET updated_at = excluded.updated_at RETURNING id, scopes";
    let none: Vec<Scope> = Vec::new();
    let (id, scopes): (Uuid, Json<Vec<Scope>>) = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid())
        .bind(user.uuid()).bind(app.tenant_id.uuid()).bind(app.id.uuid()).bind(Json(none)).bind(now.0).fetch_one(c).await)?;
    Ok((GrantId::from_uuid(id), scopes.0))
}

/// What is allowed to try an app, beside whatever the person allowed it in earnest.
pub(super) async fn insert_trial(
    tx: &mut Tx,
    grant: &Grant,
    id: GrantId,
    user: UserId,
    app: &Client,
    scopes: &[Scope],
    now: UnixMs,
) -> Result<()> {
    const SQL: &str = "INSERT INTO grants (tenant_id, id, user_id, app_tenant_id, app_id, scopes, created_at, updated_at, trial) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(user.uuid()).bind(app.tenant_id.uuid())
        .bind(app.id.uuid()).bind(Json(scopes)).bind(now.0).bind(true).execute(c).await.map(drop))?;
    Ok(())
}

/// The trials of a member with an app that were not ended; by `grants_by_app`.
pub(super) async fn trials(tx: &mut Tx, grant: &Grant, user: UserId, app: AppId) -> Result<Vec<GrantId>> {
    const SQL: &str = "SELECT id FROM grants WHERE tenant_id = $1 AND user_id = $2 AND app_id = $3 AND revoked_at IS NULL AND trial";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).bind(app.uuid())
        .fetch_all(c).await)?;
    Ok(ids.into_iter().map(GrantId::from_uuid).collect())
}

/// Where the app acts, by name.
pub(super) async fn tenant_name(tx: &mut Tx, grant: &Grant) -> Result<String> {
    const SQL: &str = "SELECT name FROM tenants WHERE id = $1";
    Ok(on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).fetch_one(c).await)?)
}

pub(super) async fn set_scopes(tx: &mut Tx, grant: &Grant, id: GrantId, scopes: &[Scope]) -> Result<()> {
    const SQL: &str = "UPDATE grants SET scopes = $3 WHERE tenant_id = $1 AND id = $2";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(Json(scopes)).execute(c).await.map(drop))?;
    Ok(())
}

/// True exactly once.
pub(super) async fn revoke_grant(tx: &mut Tx, grant: &Grant, id: GrantId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE grants SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).bind(now.0)
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// The grants of a member who leaves.
pub(super) async fn standing_of(tx: &mut Tx, grant: &Grant, user: UserId) -> Result<Vec<GrantId>> {
    const SQL: &str = "SELECT id FROM grants WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL";
    let ids: Vec<Uuid> = on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(user.uuid()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(GrantId::from_uuid).collect())
}

#[derive(FromRow)]
struct GrantRow {
    tenant_id: Uuid,
    tenant: String,
    id: Uuid,
    user_id: Uuid,
    email: String,
    app_id: Uuid,
    app: String,
    terms: Json<AppTerms>,
    logo: Option<String>,
    scopes: Json<Vec<Scope>>,
    created_at: i64,
    updated_at: i64,
    last_used_at: Option<i64>,
}

impl GrantRow {
    fn seen(self) -> GrantSeen {
        GrantSeen {
            id: GrantId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            tenant: self.tenant,
            user_id: UserId::from_uuid(self.user_id),
            user: self.email,
            app_id: AppId::from_uuid(self.app_id),
            app: self.app,
            home_page: self.terms.0.home_page,
            logo_url: self.logo.map(|hash| logo::path(AppId::from_uuid(self.app_id), &hash)),
            scopes: self.scopes.0,
            created_at: UnixMs(self.created_at),
            updated_at: UnixMs(self.updated_at),
            last_used_at: self.last_used_at.map(UnixMs),
        }
    }
}

macro_rules! grants {
    ($tail:literal) => {
        concat!(
            "SELECT g.tenant_id, t.name AS tenant, g.id, g.user_id, u.email, g.app_id, a.name AS app, a.terms, (SELECT lo.hash FROM app_logos lo \
             WHERE lo.tenant_id = a.tenant_id AND lo.app_id = a.id AND a.suspended_at IS NULL) AS logo, g.scopes, \
             g.created_at, g.updated_at, (SELECT MAX(r.created_at) FROM refresh_tokens r JOIN logins l ON l.tenant_id = r.tenant_id \
             AND l.id = r.login_id WHERE l.tenant_id = g.tenant_id AND l.grant_id = g.id) AS last_used_at \
             FROM grants g JOIN tenants t ON t.id = g.tenant_id JOIN users u ON u.id = g.user_id \
             JOIN apps a ON a.tenant_id = g.app_tenant_id AND a.id = g.app_id WHERE g.revoked_at IS NULL AND NOT g.trial AND a.deleted_at IS NULL",
            $tail
        )
    };
}

/// What a person allowed, wherever they work.
pub(super) async fn grants_of_unscoped(tx: &mut Tx, user: UserId) -> Result<Vec<GrantSeen>> {
    const SQL: &str = grants!(" AND g.user_id = $1 ORDER BY g.id DESC");
    let rows: Vec<GrantRow> = on!(tx, c => sqlx::query_as(SQL).bind(user.uuid()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(GrantRow::seen).collect())
}

/// What people of the grant's tenant allowed one of its apps.
pub(super) async fn grants_of_app(tx: &mut Tx, grant: &Grant, app: AppId, page: PageQuery) -> Result<Vec<GrantSeen>> {
    const SQL: &str = grants!(" AND g.tenant_id = $1 AND g.app_id = $2 AND g.id < $3 ORDER BY g.id DESC LIMIT $4");
    let rows: Vec<GrantRow> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(app.uuid()).bind(page.before())
        .bind(i64::from(page.bounded()) + 1).fetch_all(c).await)?;
    Ok(rows.into_iter().map(GrantRow::seen).collect())
}

/// What people of the grant's tenant allowed apps of others. The transaction sees all tenants: the apps are theirs.
pub(super) async fn grants_elsewhere(tx: &mut Tx, grant: &Grant, page: PageQuery) -> Result<Vec<GrantSeen>> {
    const SQL: &str = grants!(" AND g.tenant_id = $1 AND g.app_tenant_id <> $1 AND g.id < $2 ORDER BY g.id DESC LIMIT $3");
    let rows: Vec<GrantRow> = on!(tx, c => sqlx::query_as(SQL).bind(grant.tenant_id().uuid()).bind(page.before())
        .bind(i64::from(page.bounded()) + 1).fetch_all(c).await)?;
    Ok(rows.into_iter().map(GrantRow::seen).collect())
}

/// One grant that stands, wherever, and whether its app is of another tenant.
pub(super) async fn grant_unscoped(tx: &mut Tx, id: GrantId) -> Result<Option<(GrantSeen, bool)>> {
    const SQL: &str = grants!(" AND g.id = $1");
    const ELSEWHERE: &str = "SELECT app_tenant_id <> tenant_id FROM grants WHERE id = $1";
    let row: Option<GrantRow> = on!(tx, c => sqlx::query_as(SQL).bind(id.uuid()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let elsewhere: bool = on!(tx, c => sqlx::query_scalar(ELSEWHERE).bind(id.uuid()).fetch_one(c).await)?;
    Ok(Some((row.seen(), elsewhere)))
}

/// A code as it is made.
pub(super) struct NewCode<'a> {
    pub digest: &'a [u8],
    pub grant: GrantId,
    pub asked: &'a Asked,
    pub auth_time: UnixMs,
    pub epoch: i64,
    pub expires_at: UnixMs,
}

pub(super) async fn insert_code(tx: &mut Tx, grant: &Grant, code: &NewCode<'_>, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO authorization_codes (tenant_id, digest, grant_id, app_id, asked, auth_time, epoch, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(code.digest).bind(code.grant.uuid()).bind(code.asked.client_id.uuid())
        .bind(Json(code.asked)).bind(code.auth_time.0).bind(code.epoch).bind(now.0).bind(code.expires_at.0).execute(c).await.map(drop))?;
    Ok(())
}

/// A code, used or not.
#[derive(FromRow)]
pub(super) struct CodeRow {
    pub tenant_id: Uuid,
    pub grant_id: Uuid,
    pub user_id: Uuid,
    pub app_id: Uuid,
    pub asked: Json<Asked>,
    pub auth_time: i64,
    pub epoch: i64,
}

pub(super) async fn code_unscoped(tx: &mut Tx, digest: &[u8]) -> Result<Option<CodeRow>> {
    const SQL: &str = "SELECT c.tenant_id, c.grant_id, g.user_id, c.app_id, c.asked, c.auth_time, c.epoch \
        FROM authorization_codes c JOIN grants g ON g.tenant_id = c.tenant_id AND g.id = c.grant_id WHERE c.digest = $1";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest).fetch_optional(c).await)?)
}

/// Holds a grant that stands until the commit; false if it was taken back.
pub(super) async fn hold_standing(tx: &mut Tx, grant: &Grant, id: GrantId) -> Result<bool> {
    const SQL: &str = "UPDATE grants SET updated_at = updated_at WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(id.uuid()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// True exactly once, and in time.
pub(super) async fn use_code(tx: &mut Tx, grant: &Grant, digest: &[u8], login: LoginId, now: UnixMs) -> Result<bool> {
    const SQL: &str = "UPDATE authorization_codes SET used_at = $3, login_id = $4 \
        WHERE tenant_id = $1 AND digest = $2 AND used_at IS NULL AND expires_at > $3";
    let n = on!(tx, c => sqlx::query(SQL).bind(grant.tenant_id().uuid()).bind(digest).bind(now.0).bind(login.uuid())
        .execute(c).await.map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// What the code's use made, if it was used.
pub(super) async fn made_of_code(tx: &mut Tx, grant: &Grant, digest: &[u8]) -> Result<Option<LoginId>> {
    const SQL: &str = "SELECT login_id FROM authorization_codes WHERE tenant_id = $1 AND digest = $2 AND used_at IS NOT NULL";
    let login: Option<Option<Uuid>> =
        on!(tx, c => sqlx::query_scalar(SQL).bind(grant.tenant_id().uuid()).bind(digest).fetch_optional(c).await)?;
    Ok(login.flatten().map(LoginId::from_uuid))
}
