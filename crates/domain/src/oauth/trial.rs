//! Trying an app in the console: the whole way of a sign-in, against a page of Keystead's own, with real tokens that end with
//! it. What a trial keeps to itself (state, nonce, verifier) lies in the session of whoever began it: its answer is worth
//! something there and nowhere else, and its code to nobody who sends it to the token endpoint.

use super::{Client, OauthError, TokenRequest, TokenResponse, apps, consent::TRIED, id_token, sql, tokens};
use crate::{
    Core, Ctx, Error, Grant, Result, Who,
    ctx::Person,
    db::Event,
    tokens::{
        end_of_grant,
        refresh::{hash, random},
    },
    verify,
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{App, AppId, AuthMethod, ErrorCode, GrantType, Perm, Scope, ScopeSet, TenantId, UnixMs, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// How long a trial waits for its answer.
pub(crate) const PATIENCE: i64 = 10 * 60_000;

/// A trial that was begun.
#[derive(Clone, Serialize, Deserialize)]
pub struct Trial {
    /// Of which app.
    pub app: AppId,
    /// Since when.
    pub begun_at: UnixMs,
    user: UserId,
    scopes: Vec<Scope>,
    state: String,
    nonce: String,
    verifier: String,
}

/// What beginning leads to.
#[derive(Debug)]
pub enum Begun {
    /// The person is asked: the trial is kept, and the browser sent to [`Trial::path`].
    Asks(Trial),
    /// The app asked for itself: that is all there is to it.
    Done(Box<Report>),
}

/// How a trial went, step by step. What stopped it has nothing behind it. No token stands in it whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of which app.
    pub app: AppId,
    /// When it was over.
    pub at: UnixMs,
    /// The authorization request; none of an app that asks for itself.
    pub sent: Option<Sent>,
    /// Its answer.
    pub answered: Option<Answered>,
    /// The token request and its answer.
    pub exchanged: Option<Exchanged>,
    /// What the token tells.
    pub looked: Option<Looked>,
    /// What a gateway asks about it, and what it is answered.
    pub decided: Option<(Value, Value)>,
    /// What it would be answered now that everything has ended.
    pub ended: Option<Value>,
}

/// An authorization request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The whole address.
    pub url: String,
    /// Its parameters.
    pub params: Vec<(String, String)>,
    /// What the challenge is the digest of: worth nothing once its code was used.
    pub verifier: String,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The code, cut off; or why there is none.
    pub result: Result<String, Failure>,
    /// What was sent along, and came back.
    pub state: String,
    /// Who says that they answer.
    pub iss: Option<String>,
}

/// An error in the words of OAuth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For the client's code.
    pub code: String,
    /// For its developer.
    pub description: String,
}

/// The token request, and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchanged {
    /// What it sends beside the proof of who the app is.
    pub params: Vec<(String, String)>,
    /// How the app proves that; here the server vouches for it.
    pub proof: AuthMethod,
    /// How the secret ends that it would send.
    pub last_four: Option<String>,
    /// What came of it.
    pub result: Result<Issued, Failure>,
}

/// Tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    /// The answer, its tokens cut off.
    pub body: Value,
    /// The access token, read.
    pub access: Jwt,
    /// The ID token, read.
    pub id_token: Option<Jwt>,
}

/// What a JWT says, without its signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jwt {
    /// By which key, and what kind of token.
    pub header: Value,
    /// What it claims.
    pub claims: Value,
}

/// What is told of a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// To the app; none to those that prove nothing.
    pub introspection: Option<Value>,
    /// With it; none where the person did not say who they are (`openid`).
    pub userinfo: Option<Value>,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("app", &self.app).finish_non_exhaustive()
    }
}

/// Where the answers of trials go.
fn callback(core: &Core) -> String {
    format!("{}/oauth/try/callback", core.settings.public_url)
}

fn value<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

impl Trial {
    /// Where the browser is sent, on this server.
    pub fn path(&self, core: &Core) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(self.params(core)).finish();
        format!("/oauth/authorize?{query}")
    }

    fn params(&self, core: &Core) -> Vec<(String, String)> {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()).as_ref());
        let words = ScopeSet(self.scopes.clone()).joined();
        let openid = self.scopes.iter().any(|s| s.as_str() == "openid");
        let mut all = vec![
            ("response_type", "code".to_owned()),
            ("client_id", self.app.to_string()),
            ("redirect_uri", callback(core)),
            ("scope", words),
            ("state", self.state.clone()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256".to_owned()),
            ("prompt", "consent".to_owned()),
        ];
        if openid {
            all.insert(5, ("nonce", self.nonce.clone()));
        }
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Is that the request of this trial? By what nobody else knows, and every part of it.
    pub(super) fn asks(&self, core: &Core, params: &[(String, String)]) -> bool {
        let mut own = self.params(core);
        let mut asked = params.to_vec();
        own.sort_unstable();
        asked.sort_unstable();
        own == asked
    }

    /// Is that an answer to it, in the browser of whoever began it?
    pub fn is_answered_by(&self, ctx: &Ctx, params: &[(String, String)]) -> bool {
        ctx.person().is_some_and(|p| p.user_id == self.user) && value(params, "state") == Some(&self.state)
    }

    /// Has it waited for too long?
    pub const fn is_late(&self, now: UnixMs) -> bool {
        now.0 - self.begun_at.0 > PATIENCE
    }
}

/// Begins to try an app, for some of what it is registered with.
pub async fn begin(ctx: &Ctx, id: AppId, chosen: &[String]) -> Result<Begun> {
    let (app, client, person) = own(ctx, id).await?;
    if !client.in_use {
        return Err(Error::Conflict(format!("{} is suspended: nobody can sign in to it. Resume it to try it.", app.name)));
    }
    let core = ctx.core();
    let people = client.may(GrantType::AuthorizationCode);
    let offered = client.terms.scopes.iter().filter(|s| people || !s.is_built_in());
    let scopes: Vec<Scope> = offered.filter(|s| chosen.iter().any(|c| c == s.as_str())).cloned().collect();
    if scopes.is_empty() || scopes.len() < chosen.len() {
        return Err(Error::field("scopes", "invalid", "Choose what it asks for, of what it is registered with."));
    }
    if !people {
        return for_itself(ctx, &app, &client, scopes).await.map(|report| Begun::Done(Box::new(report)));
    }
    let fresh = || random(core, "").expose().clone();
    let (state, nonce, verifier) = (fresh(), fresh(), fresh());
    Ok(Begun::Asks(Trial { app: id, begun_at: ctx.now(), user: person.user_id, scopes, state, nonce, verifier }))
}

/// The app, for who may change it: they can act as it anyhow.
async fn own(ctx: &Ctx, id: AppId) -> Result<(App, Arc<Client>, Person)> {
    let app = apps::get(ctx, Perm::AppsWrite, id).await?;
    let person = ctx.person().ok_or(Error::Unauthenticated)?;
    if person.supporting {
        return Err(Error::Refused(ErrorCode::Forbidden, "Support lets no app in, not even to try it.".to_owned()));
    }
    let client = ctx.core().apps.get(id).ok_or(Error::NotFound)?;
    Ok((app, client, person.clone()))
}

/// An app asks for a token of its own.
async fn for_itself(ctx: &Ctx, app: &App, client: &Client, scopes: Vec<Scope>) -> Result<Report> {
    let grant = ctx.require_tenant_level(Perm::AppsWrite)?;
    let after = Some(json!({"scopes": scopes}));
    let event = Event { action: TRIED, target: apps::target(app.id, &app.name), reason: None, before: None, after };
    ctx.write(&grant).await?.commit(event).await?;
    let asked = TokenRequest {
        grant_type: Some(GrantType::ClientCredentials.to_string()),
        scope: Some(ScopeSet(scopes).joined()),
        ..TokenRequest::default()
    };
    let mut report = Report::new(ctx, app.id);
    let access = Box::pin(report.walk(ctx, app, client, &asked, client.tenant_id)).await?;
    if let Some(access) = &access {
        tokens::revoke(&as_app(ctx), client, access).await.map_err(fault)?;
        report.ended = Some(decision(ctx, access, &[], client.tenant_id)?);
    }
    Ok(report)
}

/// The request as the app would send it, by whom the server vouches for.
fn as_app(ctx: &Ctx) -> Ctx {
    Ctx::new(ctx.core().clone(), Who::Anonymous, ctx.request().clone())
}

/// Stops waiting for the answer: what this session was asked about the app can be answered no more, in whichever window.
pub async fn stop(ctx: &Ctx, id: AppId) -> Result<()> {
    apps::get(ctx, Perm::AppsWrite, id).await?;
    let session = ctx.session().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().begin().await?;
    sql::forget_requests(&mut tx, &session.digest, id).await?;
    tx.commit_quiet().await
}

/// Takes the answer to a trial, goes the rest of the way, and ends whatever came of it.
pub async fn finish(ctx: &Ctx, trial: &Trial, params: &[(String, String)]) -> Result<Report> {
    let (app, client, person) = own(ctx, trial.app).await?;
    let core = ctx.core();
    let (code, iss) = (value(params, "code"), value(params, "iss"));
    let found = match code {
        Some(code) => {
            let mut tx = ctx.db().read_all().await?;
            sql::code_unscoped(&mut tx, &hash(code)).await?
        }
        None => None,
    };
    let made = found.filter(|c| c.asked.trial && c.app_id == app.id.uuid() && c.user_id == person.user_id.uuid());
    let tenant = made.map(|c| TenantId::from_uuid(c.tenant_id));
    let refused = || Failure {
        code: value(params, "error").unwrap_or("invalid_response").to_owned(),
        description: value(params, "error_description").unwrap_or("There is neither a code nor an error in the answer.").to_owned(),
    };
    let result = match (code, tenant) {
        _ if trial.is_late(ctx.now()) => {
            Err(failure("expired", "The answer came more than ten minutes after the request, so it was left unused."))
        }
        (Some(_), Some(_)) if iss != Some(&core.settings.public_url) => {
            Err(failure("wrong_issuer", "Somebody else answered: that code is theirs."))
        }
        (Some(code), Some(tenant)) => Ok((code, tenant)),
        (Some(_), None) => Err(failure("invalid_grant", "The code is none that this trial was given.")),
        (None, _) => Err(refused()),
    };
    let mut report = Report::new(ctx, app.id);
    let url = format!("{}{}", core.settings.public_url, trial.path(core));
    report.sent = Some(Sent { url, params: trial.params(core), verifier: trial.verifier.clone() });
    let told = result.as_ref().map(|(code, _)| cut(code)).map_err(Failure::clone);
    report.answered = Some(Answered { result: told, state: trial.state.clone(), iss: iss.map(ToOwned::to_owned) });
    let mut access = Ok(None);
    if let Ok((code, tenant)) = result {
        let asked = TokenRequest {
            grant_type: Some(GrantType::AuthorizationCode.to_string()),
            code: Some(code.to_owned()),
            redirect_uri: Some(callback(core)),
            code_verifier: Some(trial.verifier.clone()),
            ..TokenRequest::default()
        };
        access = Box::pin(report.walk(ctx, &app, &client, &asked, tenant)).await;
    }
    // Whatever went wrong on the way: nothing stays.
    if let Some(tenant) = tenant {
        end(ctx, &client, &person, tenant).await?;
        if let Some(access) = access? {
            report.ended = Some(decision(ctx, &access, &[], tenant)?);
        }
    }
    Ok(report)
}

/// Ends what was allowed in trials, with every token.
async fn end(ctx: &Ctx, client: &Client, person: &Person, tenant: TenantId) -> Result<()> {
    let (grant, now) = (Grant::of_authorization(tenant, ctx.actor()), ctx.now());
    let mut tx = ctx.write(&grant).await?;
    let trials = sql::trials(tx.tx(), &grant, person.user_id, client.id).await?;
    let mut ended = 0;
    for id in &trials {
        sql::revoke_grant(tx.tx(), &grant, *id, now).await?;
        ended += end_of_grant(tx.tx(), &grant, *id, now).await?;
    }
    tx.commit(Event {
        action: "oauth_grant.revoked",
        target: apps::target(client.id, &client.name),
        reason: Some("the trial is over".to_owned()),
        before: Some(json!({"trials": trials, "user": person.email})),
        after: Some(json!({"ended": ended})),
    })
    .await?;
    ctx.core().cache.sync(ctx.core()).await
}

impl Report {
    fn new(ctx: &Ctx, app: AppId) -> Self {
        Self { app, at: ctx.now(), sent: None, answered: None, exchanged: None, looked: None, decided: None, ended: None }
    }

    /// Did every step of it succeed?
    pub fn is_good(&self) -> bool {
        let valid = |v: &Value| v.get("valid").and_then(Value::as_bool);
        self.decided.as_ref().and_then(|(_, answer)| valid(answer)) == Some(true) && self.ended.as_ref().and_then(valid) == Some(false)
    }

    /// Asks for tokens, and what they are good for; the access token, if there is one.
    async fn walk(&mut self, ctx: &Ctx, app: &App, client: &Client, asked: &TokenRequest, tenant: TenantId) -> Result<Option<String>> {
        let as_app = as_app(ctx);
        let answer = if client.in_use {
            tokens::answer(&as_app, client, asked, true).await
        } else {
            Err(OauthError::new(super::OauthCode::InvalidClient, "The app was suspended meanwhile."))
        };
        let params = [
            ("grant_type", asked.grant_type.clone()),
            ("code", asked.code.as_deref().map(cut)),
            ("redirect_uri", asked.redirect_uri.clone()),
            ("code_verifier", asked.code_verifier.clone()),
            ("scope", asked.scope.clone()),
        ];
        let params = params.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let last_four = app.secrets.iter().find(|s| s.expires_at.is_none()).map(|s| s.last_four.clone());
        let result = match &answer {
            Ok(response) => Ok(Issued::of(response)?),
            Err(e) => Err(of_error(ctx, e)),
        };
        self.exchanged = Some(Exchanged { params, proof: client.terms.auth_method, last_four, result });
        let Ok(response) = answer else { return Ok(None) };
        let access = response.access_token;
        let introspection = if client.kind.has_secret() {
            let told = tokens::introspect(&as_app, client, &access).await.map_err(fault)?;
            Some(serde_json::to_value(told).map_err(Error::internal)?)
        } else {
            None
        };
        let userinfo = if response.id_token.is_some() { Some(userinfo(ctx, &access).await?) } else { None };
        self.looked = Some(Looked { introspection, userinfo });
        let first: Vec<Scope> =
            response.scope.split(' ').filter_map(|w| Scope::parse(w).ok()).filter(|s| !s.is_built_in()).take(1).collect();
        let mut question = json!({"credential": cut(&access), "scopes": first});
        if let Some(ip) = ctx.request().ip {
            question["ip"] = ip.to_string().into();
        }
        self.decided = Some((question, decision(ctx, &access, &first, tenant)?));
        Ok(Some(access))
    }
}

impl Issued {
    fn of(response: &TokenResponse) -> Result<Self> {
        let mut body = serde_json::to_value(response).map_err(Error::internal)?;
        for name in ["access_token", "refresh_token", "id_token"] {
            if let Some(token) = body.get(name).and_then(Value::as_str).map(cut) {
                body[name] = token.into();
            }
        }
        let id_token = response.id_token.as_deref().map(Jwt::read).transpose()?;
        Ok(Self { body, access: Jwt::read(&response.access_token)?, id_token })
    }
}

impl Jwt {
    fn read(jwt: &str) -> Result<Self> {
        let mut parts = jwt.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok().and_then(|json| serde_json::from_slice(&json).ok()));
        match (parts.next().flatten(), parts.next().flatten()) {
            (Some(header), Some(claims)) => Ok(Self { header, claims }),
            _ => Err(Error::internal("a token of our own cannot be read")),
        }
    }
}

/// The beginning of a secret: enough to know it again.
fn cut(secret: &str) -> String {
    format!("{}…", secret.chars().take(10).collect::<String>())
}

fn failure(code: &str, description: &str) -> Failure {
    Failure { code: code.to_owned(), description: description.to_owned() }
}

fn of_error(ctx: &Ctx, e: &OauthError) -> Failure {
    if let Some(fault) = &e.fault {
        tracing::error!(request_id = %ctx.request().id, error = %fault, "a trial failed");
    }
    failure(e.code.as_str(), &e.description)
}

fn fault(e: OauthError) -> Error {
    e.fault.unwrap_or_else(|| Error::internal(e.description))
}

/// What the userinfo endpoint answers with the token.
async fn userinfo(ctx: &Ctx, access: &str) -> Result<Value> {
    let core = ctx.core();
    let token = verify::check_anywhere(core, access)?.token.ok_or(Error::Unauthenticated)?;
    let who = verify::bearer(core, &token).await?.ok_or(Error::Unauthenticated)?;
    id_token::userinfo(&Ctx::new(core.clone(), who, ctx.request().clone()).with_token(token)).await
}

/// What a gateway is answered.
fn decision(ctx: &Ctx, access: &str, scopes: &[Scope], tenant: TenantId) -> Result<Value> {
    serde_json::to_value(verify::tried(ctx, access, scopes, tenant)?).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s77_of_a_token_so_much_is_shown_as_to_know_it_again() {
        assert_eq!(cut("eyJhbGciOiJFZERTQSJ9.e30.c2ln"), "eyJhbGciOi…");
        let jwt = Jwt::read("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((jwt.header, jwt.claims), (json!({"alg": "EdDSA"}), json!({"sub": "x"})));
        assert!(Jwt::read("no.token.here").is_err());
    }
}
