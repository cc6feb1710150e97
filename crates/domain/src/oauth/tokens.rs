//! The token endpoint, introspection and revocation (RFC 6749, sections 4 to 6; RFC 7009, 7636, 7662).

use super::{
    Asked, Client, OauthCode, OauthError,
    apps::target,
    authorize::permitted,
    id_token,
    request::{read_resource, read_scopes, words},
    sql,
};
use crate::{
    Core, Ctx, Error, Grant, Result, Who,
    ctx::Person,
    db::{Event, Tx, commit_with},
    identity::{self, SignedIn},
    tenants,
    tokens::{
        self, Bearer, NewToken,
        refresh::{self, GRACE, hash},
        sql as token_sql,
    },
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{AppId, Code, GrantId, GrantType, LoginId, Scope, ScopeSet, Secret, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// How long tokens of a trial work, seconds, should nobody get to ending them.
const TRIAL: i64 = 300;

/// A token request; what it does not know is ignored (RFC 6749, section 3.2).
#[derive(Debug, Default)]
pub struct TokenRequest {
    /// How the token is asked for.
    pub grant_type: Option<String>,
    /// With `authorization_code`.
    pub code: Option<String>,
    /// Likewise: the one of the authorization request.
    pub redirect_uri: Option<String>,
    /// Likewise: what the challenge is the digest of.
    pub code_verifier: Option<String>,
    /// With `refresh_token`.
    pub refresh_token: Option<String>,
    /// Narrower than before, or than what the app may ask for.
    pub scope: Option<String>,
    /// For which API.
    pub resource: Option<String>,
}

/// The answer (RFC 6749, section 5.1).
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token, a JWT (RFC 9068).
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: i64,
    /// What it may do.
    pub scope: String,
    /// For the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who the person is, where `openid` was allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

/// What is told of a token; of one that does not work only that (RFC 7662, section 2.2).
#[derive(Debug, Default, Serialize)]
#[serde(default)]
pub struct Introspected {
    /// Whether it works.
    pub active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    of: Option<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    scope: String,
    client_id: String,
    token_type: &'static str,
    sub: String,
    aud: String,
    iss: String,
    tenant_id: TenantId,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

/// Answers a token request of a client that has proved who it is.
pub async fn token(ctx: &Ctx, client: &Client, asked: &TokenRequest) -> Result<TokenResponse, OauthError> {
    let response = answer(ctx, client, asked, false).await?;
    // What was issued stands: a client that repeated its request for this alone would be taken for a thief.
    if client.is_to_be_noted(ctx.now())
        && let Err(e) = note_use(ctx, client).await
    {
        tracing::warn!(request_id = %ctx.request().id, error = %e, "the use of an app was not noted");
    }
    Ok(response)
}

async fn note_use(ctx: &Ctx, client: &Client) -> Result<()> {
    let grant = of(ctx, client, client.tenant_id);
    let mut tx = ctx.db().begin_in(&grant).await?;
    sql::note_use(&mut tx, &grant, client.id, ctx.now()).await?;
    tx.commit_quiet().await
}

/// The answer itself. In a trial the server asks on behalf of the app: for codes of trials, which are good for nobody else,
/// and tokens that work for minutes.
pub(super) async fn answer(ctx: &Ctx, client: &Client, asked: &TokenRequest, trial: bool) -> Result<TokenResponse, OauthError> {
    let grant_type = asked.grant_type.as_deref().ok_or_else(|| OauthError::request("grant_type is missing."))?;
    let unknown =
        || OauthError::new(OauthCode::UnsupportedGrantType, "grant_type is authorization_code, refresh_token or client_credentials.");
    let grant_type: GrantType = grant_type.parse().map_err(|()| unknown())?;
    if !client.may(grant_type) {
        return Err(OauthError::new(OauthCode::UnauthorizedClient, format!("This app has no {grant_type} grant.")));
    }
    match grant_type {
        GrantType::AuthorizationCode => exchange(ctx, client, asked, trial).await,
        GrantType::RefreshToken => refresh(ctx, client, asked).await,
        GrantType::ClientCredentials => client_credentials(ctx, client, asked, trial),
    }
}

/// The client as whoever acts, where it may.
fn of(ctx: &Ctx, client: &Client, tenant: TenantId) -> Grant {
    let actor = contract::Actor { kind: contract::ActorKind::App, id: Some(client.id.to_string()), name: client.name.clone() };
    debug_assert!(matches!(ctx.who(), Who::Anonymous), "no other credential counts here");
    Grant::of_authorization(tenant, actor)
}

fn client_credentials(ctx: &Ctx, client: &Client, asked: &TokenRequest, trial: bool) -> Result<TokenResponse, OauthError> {
    let mut scopes = read_scopes(ctx.core(), client, asked.scope.as_deref())?;
    // Those of OpenID Connect are about people.
    if asked.scope.is_none() {
        scopes.retain(|s| !s.is_built_in());
    }
    if scopes.is_empty() || scopes.iter().any(Scope::is_built_in) {
        return Err(OauthError::new(OauthCode::InvalidScope, "Nobody signs in here: ask for scopes of the API."));
    }
    let scopes = ScopeSet(scopes);
    let seconds = if trial { client.terms.access_token_seconds.min(TRIAL) } else { client.terms.access_token_seconds };
    let scope = scopes.joined();
    let new = NewToken {
        tenant_id: client.tenant_id,
        bearer: Bearer::App(client.id),
        login: None,
        auth_time: None,
        audience: read_resource(ctx.core(), asked.resource.as_deref())?,
        scopes,
        seconds,
    };
    let access_token = issue(ctx.core(), new)?;
    Ok(TokenResponse { access_token, token_type: "Bearer".to_owned(), expires_in: seconds, scope, refresh_token: None, id_token: None })
}

/// An access token; one that Keystead itself would not read is not issued.
fn issue(core: &Core, new: NewToken) -> Result<String, OauthError> {
    let token = tokens::issue(core, new)?;
    if token.len() > tokens::LONGEST {
        return Err(OauthError::new(OauthCode::InvalidScope, "The token would be too long: ask for fewer scopes."));
    }
    Ok(token)
}

/// Is that what the challenge is the digest of (RFC 7636, section 4.6)?
fn verifies(challenge: &str, verifier: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(known)
        && URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref()) == challenge
}

/// The person behind a grant, in the tenant where the app acts; none if they left, or the app may act there no more.
async fn person(ctx: &Ctx, client: &Client, user: Uuid, tenant: Uuid) -> Result<Option<Ctx>> {
    if !client.acts_in(TenantId::from_uuid(tenant)) {
        return Ok(None);
    }
    let signed_in = SignedIn { user_id: UserId::from_uuid(user), tenant_id: TenantId::from_uuid(tenant) };
    let person = identity::resume(ctx.core(), signed_in).await?.filter(goes_on);
    Ok(person.map(|person| ctx.of_person(person)))
}

/// May an app act for them? Not before they set up what their tenant wants, nor for somebody who is there to support.
const fn goes_on(person: &Person) -> bool {
    !person.must_enrol && !person.supporting
}

/// The same, as they are now; they stay so until the commit.
async fn again(of_person: &Ctx, tx: &mut Tx) -> Result<Option<Ctx>> {
    match identity::again(of_person, tx).await {
        Ok(now) => Ok(Some(now).filter(|now| now.person().is_some_and(goes_on))),
        Err(Error::Refused(..)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// What the person and the app both still may; none if nothing is left.
fn both_may(of_person: &Ctx, client: &Client, asked: &[Scope]) -> Option<Vec<Scope>> {
    let app = ScopeSet(client.terms.scopes.clone());
    let verbs = of_person.core().cache.verbs(client.tenant_id);
    let mut scopes = permitted(of_person, asked);
    scopes.retain(|s| if s.is_built_in() { app.0.contains(s) } else { app.covers_with(s, &verbs) });
    (!scopes.is_empty()).then_some(scopes)
}

/// The tokens of one grant.
struct Family {
    tenant_id: TenantId,
    login: LoginId,
    /// When the person proved who they are.
    auth_time: UnixMs,
    audience: String,
    nonce: Option<String>,
    ends: UnixMs,
}

async fn exchange(ctx: &Ctx, client: &Client, asked: &TokenRequest, trial: bool) -> Result<TokenResponse, OauthError> {
    let core = ctx.core();
    let now = ctx.now();
    let text = asked.code.as_deref().ok_or_else(|| OauthError::request("code is missing."))?;
    let digest = hash(text);
    let mut tx = ctx.db().read_all().await?;
    let found = sql::code_unscoped(&mut tx, &digest).await?.filter(|c| c.app_id == client.id.uuid() && c.asked.trial == trial);
    drop(tx);
    let code = found.ok_or_else(|| OauthError::grant("code"))?;
    let of_code: &Asked = &code.asked.0;
    match &asked.redirect_uri {
        Some(named) if *named == of_code.redirect_uri => {}
        None if !of_code.redirect_named => {}
        Some(_) => return Err(OauthError::new(OauthCode::InvalidGrant, "redirect_uri is not the one of the authorization request.")),
        None => return Err(OauthError::request("redirect_uri is missing: the authorization request named one.")),
    }
    // A verifier without a challenge is as wrong as a challenge without a verifier (s46).
    let bound = match (&of_code.challenge, asked.code_verifier.as_deref().filter(|v| !v.is_empty())) {
        (Some(challenge), Some(verifier)) => verifies(challenge, verifier),
        (None, None) => true,
        _ => false,
    };
    if !bound {
        return Err(OauthError::new(
            OauthCode::InvalidGrant,
            "code_verifier does not belong to the challenge of the authorization request.",
        ));
    }
    let audience = match asked.resource.as_deref() {
        Some(_) if read_resource(core, asked.resource.as_deref())? != of_code.audience => {
            return Err(OauthError::new(OauthCode::InvalidTarget, "resource is not the one of the authorization request."));
        }
        _ => of_code.audience.clone(),
    };
    let grant = of(ctx, client, TenantId::from_uuid(code.tenant_id));
    let login = LoginId::from_uuid(ctx.new_uuid());
    id_token::prepare(core, client.terms.id_token_alg, &of_code.scopes).await?;
    let Some(of_person) = person(ctx, client, code.user_id, code.tenant_id).await? else { return Err(OauthError::grant("code")) };
    let mut tx = ctx.db().begin_in(&grant).await?;
    // Behind the tenant, like every sign-in: a role or a policy that changes ends what was made before, and binds what comes
    // after.
    let policies = tenants::locked_policies(&mut tx, &grant).await?;
    let Some(of_person) = again(&of_person, &mut tx).await? else { return Err(OauthError::grant("code")) };
    // Nobody takes the grant back until the commit.
    let stands = sql::hold_standing(&mut tx, &grant, GrantId::from_uuid(code.grant_id)).await?;
    if !stands || !sql::use_code(&mut tx, &grant, &digest, login, now).await? {
        // Whoever has it may have it from its owner: what the first use made is worth nothing any more (s48).
        if let Some(made) = sql::made_of_code(&mut tx, &grant, &digest).await? {
            end_stolen(ctx, tx, &grant, client, made, "code").await?;
        }
        return Err(OauthError::grant("code"));
    }
    // What ends the person's sign-ins ends what an app was about to be given, too (s22).
    if identity::epoch(&mut tx, UserId::from_uuid(code.user_id)).await? != code.epoch {
        return Err(OauthError::grant("code"));
    }
    let scopes = both_may(&of_person, client, &of_code.scopes).ok_or_else(|| OauthError::grant("code"))?;
    let terms = &client.terms;
    let refreshes = client.may(GrantType::RefreshToken) && (terms.always_refresh || scopes.iter().any(|s| s.as_str() == "offline_access"));
    let lasts = if trial {
        TRIAL * 1_000
    } else if refreshes {
        policies.refresh_days(client.terms.refresh_token_days) * UnixMs::DAY
    } else {
        terms.access_token_seconds * 1_000
    };
    let family = Family {
        tenant_id: grant.tenant_id(),
        login,
        auth_time: UnixMs(code.auth_time),
        audience,
        nonce: of_code.nonce.clone(),
        ends: now.plus(lasts),
    };
    let set = ScopeSet(scopes);
    let granted = GrantId::from_uuid(code.grant_id);
    let client_id = client.id.to_string();
    let row = token_sql::NewLogin {
        id: login,
        user: UserId::from_uuid(code.user_id),
        client: &client_id,
        ip: ctx.request().ip.map(|ip| ip.to_string()),
        user_agent: None,
        expires_at: family.ends,
        app: Some(token_sql::AppLogin {
            app: client.id,
            grant: granted,
            scopes: &set,
            audience: &family.audience,
            auth_time: family.auth_time,
        }),
    };
    token_sql::insert_login(&mut tx, &grant, &row, now).await?;
    let refresh_token = if refreshes { Some(refresh::make(core, &mut tx, &grant, login, None, family.ends).await?) } else { None };
    let response = respond(&of_person, client, &family, set, refresh_token)?;
    let after = json!({"grant": granted, "login": login, "scopes": response.scope});
    commit_with(tx, ctx, vec![(grant, event("oauth_token.issued", client, Some(after)))]).await?;
    Ok(response)
}

fn event(action: &'static str, client: &Client, after: Option<serde_json::Value>) -> Event {
    Event { action, target: target(client.id, &client.name), reason: None, before: None, after }
}

async fn end_stolen(ctx: &Ctx, mut tx: Tx, grant: &Grant, client: &Client, login: LoginId, what: &str) -> Result<()> {
    tracing::warn!(request_id = %ctx.request().id, client_id = %client.id, what, "an OAuth credential came twice");
    if tokens::end(&mut tx, grant, login, ctx.now()).await? {
        let after = json!({"login": login, "twice": what});
        commit_with(tx, ctx, vec![(grant.clone(), event("oauth_token.reused", client, Some(after)))]).await?;
        ctx.core().cache.sync(ctx.core()).await?;
    }
    Ok(())
}

fn respond(
    of_person: &Ctx,
    client: &Client,
    family: &Family,
    scopes: ScopeSet,
    refresh_token: Option<String>,
) -> Result<TokenResponse, OauthError> {
    let core = of_person.core();
    let person: &Person = of_person.person().ok_or(Error::Unauthenticated)?;
    // No token outlives its family.
    let expires_in = client.terms.access_token_seconds.min((family.ends.0 - core.now().0) / 1_000);
    let scope = scopes.joined();
    let openid = scopes.0.iter().any(|s| s.as_str() == "openid");
    let new = NewToken {
        tenant_id: family.tenant_id,
        bearer: Bearer::PersonBy(person.user_id, client.id),
        login: Some(family.login),
        auth_time: Some(family.auth_time),
        audience: family.audience.clone(),
        scopes,
        seconds: expires_in,
    };
    let access_token = issue(core, new)?;
    let id_token =
        if openid { Some(id_token::issue(core, person, client, family.auth_time, family.nonce.as_deref(), &access_token)?) } else { None };
    Ok(TokenResponse { access_token, token_type: "Bearer".to_owned(), expires_in, scope, refresh_token, id_token })
}

async fn refresh(ctx: &Ctx, client: &Client, asked: &TokenRequest) -> Result<TokenResponse, OauthError> {
    let core = ctx.core();
    let now = ctx.now();
    let text = asked.refresh_token.as_deref().ok_or_else(|| OauthError::request("refresh_token is missing."))?;
    let unknown = || OauthError::grant("refresh token");
    let mut tx = ctx.db().read_all().await?;
    let found = token_sql::find_app_refresh_unscoped(&mut tx, &hash(text), now).await?.filter(|r| r.app_id == client.id.uuid());
    drop(tx);
    let held = found.ok_or_else(unknown)?;
    if let Some(resource) = asked.resource.as_deref()
        && read_resource(core, Some(resource))? != held.audience
    {
        return Err(OauthError::new(OauthCode::InvalidTarget, "resource is not the one that was allowed."));
    }
    let own = &held.scopes.0;
    let wanted = match asked.scope.as_deref() {
        None => own.0.clone(),
        Some(text) => {
            let wanted: Option<Vec<Scope>> = words(text)?.into_iter().map(|w| Scope::parse(w).ok()).collect();
            let verbs = core.cache.verbs(client.tenant_id);
            let within = |wanted: &Vec<Scope>| wanted.iter().all(|s| own.0.contains(s) || !s.is_built_in() && own.covers_with(s, &verbs));
            let too_wide = || OauthError::new(OauthCode::InvalidScope, "A refresh asks for no more than was allowed.");
            wanted.filter(within).filter(|w| !w.is_empty()).ok_or_else(too_wide)?
        }
    };
    let grant = of(ctx, client, TenantId::from_uuid(held.tenant_id));
    let login = LoginId::from_uuid(held.login_id);
    id_token::prepare(core, client.terms.id_token_alg, &own.0).await?;
    let Some(of_person) = person(ctx, client, held.user_id, held.tenant_id).await? else { return Err(unknown()) };
    let mut tx = ctx.db().begin_in(&grant).await?;
    let Some(of_person) = again(&of_person, &mut tx).await? else { return Err(unknown()) };
    // What the app may ask for, and what the person holds, may be less by now.
    let scopes = both_may(&of_person, client, &wanted).ok_or_else(unknown)?;
    let family = Family {
        tenant_id: grant.tenant_id(),
        login,
        auth_time: UnixMs(held.auth_time),
        audience: held.audience,
        nonce: None,
        ends: UnixMs(held.expires_at),
    };
    // One that was used while its app rotated stays used (s50).
    if !client.terms.rotate_refresh_tokens && !held.used {
        let response = respond(&of_person, client, &family, ScopeSet(scopes), Some(text.to_owned()))?;
        tx.commit_quiet().await?;
        return Ok(response);
    }
    // Of many at once, the first to get here makes the successor, and the others wait for its commit.
    if token_sql::use_refresh(&mut tx, &grant, held.id, now).await? {
        let successor = refresh::make(core, &mut tx, &grant, login, Some(held.id), family.ends).await?;
        let response = respond(&of_person, client, &family, ScopeSet(scopes), Some(successor))?;
        let text = Secret::new(serde_json::to_string(&response).map_err(Error::internal)?);
        let sealed = core.keys.seal.seal(held.tenant_id, held.id, &text, core.entropy())?;
        token_sql::keep_answer(&mut tx, &grant, held.id, &sealed).await?;
        tx.commit_quiet().await?;
        return Ok(response);
    }
    if let Some(sealed) = token_sql::answer(&mut tx, &grant, held.id, now.plus(-GRACE)).await? {
        let text = core.keys.seal.open(held.tenant_id, held.id, &sealed)?;
        let lost: TokenResponse = serde_json::from_str(text.expose()).map_err(Error::internal)?;
        // Who asks for something else did not lose that answer.
        return if lost.scope == ScopeSet(scopes).joined() { Ok(lost) } else { Err(unknown()) };
    }
    end_stolen(ctx, tx, &grant, client, login, "refresh token").await?;
    Err(unknown())
}

/// Ends a token of the client: a refresh token with everything that came of it, an access token alone. One that is nobody's,
/// or another client's, is left as it is, and nobody is told (s57).
pub async fn revoke(ctx: &Ctx, client: &Client, text: &str) -> Result<(), OauthError> {
    let core = ctx.core();
    let now = ctx.now();
    if tokens::is_jwt(text) {
        let own = tokens::read(core, text).ok().filter(|t| t.bearer.app() == Some(client.id));
        let Some(token) = own else { return Ok(()) };
        let Some(id) = token.id else {
            return Err(OauthError::new(OauthCode::UnsupportedTokenType, "An app does not end what it signs itself: let it expire."));
        };
        if token.expires_at.plus(tokens::LEEWAY) > now && !token.is_ended(core) {
            let grant = of(ctx, client, token.tenant_id);
            let mut tx = ctx.db().begin_in(&grant).await?;
            tokens::end_token(&mut tx, id, now).await?;
            commit_with(tx, ctx, vec![(grant, event("oauth_token.revoked", client, Some(json!({"jti": id}))))]).await?;
            core.cache.sync(core).await?;
        }
        return Ok(());
    }
    let mut tx = ctx.db().read_all().await?;
    let found = token_sql::find_app_refresh_unscoped(&mut tx, &hash(text), now).await?.filter(|r| r.app_id == client.id.uuid());
    drop(tx);
    let Some(held) = found else { return Ok(()) };
    let grant = of(ctx, client, TenantId::from_uuid(held.tenant_id));
    let login = LoginId::from_uuid(held.login_id);
    let mut tx = ctx.db().begin_in(&grant).await?;
    if tokens::end(&mut tx, &grant, login, now).await? {
        commit_with(tx, ctx, vec![(grant, event("oauth_token.revoked", client, Some(json!({"login": login}))))]).await?;
        core.cache.sync(core).await?;
    }
    Ok(())
}

/// Says whether a token works: to the client that holds it, and to the apps of the tenant that it acts in (s58).
pub async fn introspect(ctx: &Ctx, client: &Client, text: &str) -> Result<Introspected, OauthError> {
    let core = ctx.core();
    let now = ctx.now();
    let tells = |app: Option<AppId>, tenant: TenantId| app == Some(client.id) || tenant == client.tenant_id;
    if tokens::is_jwt(text) {
        let decision = crate::verify::check_anywhere(core, text)?;
        let Some(token) = decision.token.filter(|t| decision.code == Code::Valid && tells(t.bearer.app(), t.tenant_id)) else {
            return Ok(Introspected::default());
        };
        let told = Told {
            scope: token.scopes.joined(),
            client_id: token.bearer.client_id(),
            token_type: "Bearer",
            sub: token.bearer.subject(),
            aud: token.audience.clone(),
            iss: core.settings.public_url.clone(),
            tenant_id: token.tenant_id,
            exp: token.expires_at.0 / 1_000,
            iat: Some(token.not_before.0 / 1_000),
            jti: token.id.map(|id| id.to_string()),
        };
        return Ok(Introspected { active: true, of: Some(told) });
    }
    let mut tx = ctx.db().read_all().await?;
    let found = token_sql::find_app_refresh_unscoped(&mut tx, &hash(text), now).await?;
    // A refresh token is nobody's business but its client's.
    let found = found.filter(|r| !r.used && r.app_id == client.id.uuid() && client.acts_in(TenantId::from_uuid(r.tenant_id)));
    let Some(held) = found else { return Ok(Introspected::default()) };
    let told = Told {
        scope: held.scopes.0.joined(),
        client_id: client.id.to_string(),
        token_type: "refresh_token",
        sub: UserId::from_uuid(held.user_id).to_string(),
        aud: held.audience,
        iss: core.settings.public_url.clone(),
        tenant_id: TenantId::from_uuid(held.tenant_id),
        exp: held.expires_at / 1_000,
        iat: Some(held.created_at / 1_000),
        jti: None,
    };
    Ok(Introspected { active: true, of: Some(told) })
}
