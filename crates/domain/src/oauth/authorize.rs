//! The authorization endpoint: what an app asks a person for, and what they say (RFC 6749, section 4.1; RFC 7636, 8252, 9207).

use super::{Client, OauthCode, OauthError, Trial, apps::target, id_token, sql};
use crate::{
    Core, Ctx, Error, Grant, Result,
    ctx::Person,
    db::{Event, Tx, WriteTx},
    identity::{self, SignedIn},
    mail::{self, Message},
    scopes,
    tokens::refresh,
    verify::limit::{ANSWERED, Subject},
};
use contract::{AppId, AppKind, Consent, ConsentId, ConsentScope, ErrorCode, GrantId, GrantType, RedirectUri, Scope, ScopeSet, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// How long a person may think.
const PATIENCE: i64 = 10 * 60_000;
/// How long a code waits for its client (s47).
const CODE: i64 = 60_000;
/// A proof this young counts as one that was asked for.
const JUST_NOW: i64 = 60_000;
/// Somebody let an app in to try it, or asked for its own token.
pub(super) const TRIED: &str = "oauth_app.tried";
/// Longest `state`, `nonce` and resource that are carried along.
const LONGEST: usize = 1_024;
/// Longest ID token that is taken for a hint.
const LONGEST_HINT: usize = 4_096;
/// Most scopes of a request, and of a grant: what is asked for is compared with each.
pub(super) const MOST_SCOPES: usize = 100;

/// What an app asked for; every part is checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Who asks.
    pub client_id: AppId,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Whether the request named it: then the token request must name it, too.
    pub redirect_named: bool,
    /// What for.
    pub scopes: Vec<Scope>,
    /// Carried back.
    pub state: Option<String>,
    /// The S256 challenge.
    pub challenge: Option<String>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// For which API.
    pub audience: String,
    /// What the app says of asking the person.
    pub prompt: Prompt,
    /// How old the proof of who is there may be, seconds.
    pub max_age: Option<i64>,
    /// An ID token of the person that is meant, and nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_hint: Option<String>,
    /// Whether somebody tries the app in the console: the answer goes to their trial.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
}

impl Asked {
    /// The address that asks for the same again, of somebody who signs in for it: that proof is as good as another one.
    pub fn again(&self, core: &Core) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &self.client_id.to_string()).append_pair("response_type", "code");
        let words = ScopeSet(self.scopes.clone()).joined();
        let challenge = self.challenge.as_deref();
        for (name, value) in [
            ("redirect_uri", Some(self.redirect_uri.as_str()).filter(|_| self.redirect_named)),
            ("scope", Some(words.as_str())),
            ("state", self.state.as_deref()),
            ("nonce", self.nonce.as_deref()),
            ("code_challenge", challenge),
            ("code_challenge_method", challenge.map(|_| "S256")),
            ("resource", Some(self.audience.as_str()).filter(|to| *to != core.settings.public_url)),
            ("prompt", Some("consent").filter(|_| self.prompt.consent)),
            ("max_age", self.max_age.map(|seconds| seconds.to_string()).as_deref()),
            ("id_token_hint", self.id_token_hint.as_deref()),
        ] {
            query.extend_pairs(value.map(|value| (name, value)));
        }
        format!("/oauth/authorize?{}", query.finish())
    }
}

/// `prompt` of OpenID Connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    none: bool,
    login: bool,
    consent: bool,
}

/// Why an authorization request is refused, and who is told (s45).
#[derive(Debug)]
pub enum Refused {
    /// The person, on a page: the client or its address cannot be believed.
    Page(String),
    /// The app, by this address.
    Redirect(String),
}

/// What comes after a good authorization request.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The answer to the app, by this address.
    Answer(String),
    /// The person is asked; the request's id.
    Ask(ConsentId),
    /// The person signs in first.
    SignIn,
    /// They are signed in, and prove once more who they are.
    Confirm,
}

/// The one value of a parameter; an error if it is there twice (s53). An empty one counts as absent (RFC 6749, section 3.1).
fn one<'a>(params: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, String> {
    let mut all = params.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let first = all.next();
    if all.next().is_some() { Err(format!("{name} is there twice.")) } else { Ok(first.filter(|v| !v.is_empty())) }
}

/// Reads and checks a request.
pub fn check(core: &Core, params: &[(String, String)]) -> Result<(Arc<Client>, Asked), Refused> {
    check_in(core, params, None)
}

/// The same in a browser in which somebody tries an app: that request, and no other, may be answered to the page of the trial.
pub fn check_in(core: &Core, params: &[(String, String)], trial: Option<&Trial>) -> Result<(Arc<Client>, Asked), Refused> {
    let page = |why: &str| Refused::Page(why.to_owned());
    let id =
        one(params, "client_id").map_err(Refused::Page)?.ok_or_else(|| page("The app did not say who it is: client_id is missing."))?;
    let client = id.parse::<AppId>().ok().and_then(|id| core.apps.get(id)).ok_or_else(|| page("There is no app with this client_id."))?;
    let named = one(params, "redirect_uri").map_err(Refused::Page)?;
    let trial = trial.is_some_and(|trial| trial.asks(core, params));
    let redirect_uri = match (named, client.terms.redirect_uris.as_slice()) {
        (Some(named), _) if trial => named.to_owned(),
        (Some(named), all) if all.iter().any(|own| own.admits(named)) => named.to_owned(),
        (Some(_), _) => return Err(page(&format!("{} asked to be answered at an address that it has not registered.", client.name))),
        (None, [only]) => only.as_str().to_owned(),
        (None, _) => return Err(page(&format!("{} did not say where to go back to: redirect_uri is missing.", client.name))),
    };
    if !client.in_use {
        return Err(page(&format!("{} is suspended. Ask whoever runs it.", client.name)));
    }
    let state = one(params, "state")
        .map_err(|_| page(&format!("{} sent several states.", client.name)))?
        .filter(|s| s.len() <= LONGEST && shows(s))
        .map(ToOwned::to_owned);
    let refuse = |e: OauthError| {
        Refused::Redirect(answer(
            core,
            &redirect_uri,
            &[("error", e.code.as_str()), ("error_description", &e.description)],
            state.as_deref(),
        ))
    };
    let asked = read(core, &client, params, &redirect_uri, named.is_some(), state.clone()).map_err(refuse)?;
    Ok((client, Asked { trial, ..asked }))
}

fn read(
    core: &Core,
    client: &Client,
    params: &[(String, String)],
    redirect_uri: &str,
    redirect_named: bool,
    state: Option<String>,
) -> Result<Asked, OauthError> {
    let get = |name: &str| one(params, name).map_err(OauthError::request);
    let at_most = |name: &str, longest: usize| -> Result<Option<String>, OauthError> {
        match get(name)? {
            Some(value) if value.len() > longest => Err(OauthError::request(format!("{name} is longer than {longest} bytes."))),
            Some(value) if !shows(value) => Err(OauthError::request(format!("{name} holds control characters."))),
            value => Ok(value.map(ToOwned::to_owned)),
        }
    };
    let short = |name: &str| at_most(name, LONGEST);
    short("state")?;
    if get("request")?.is_some() {
        return Err(OauthError::new(OauthCode::RequestNotSupported, "Request objects are not read."));
    }
    if get("request_uri")?.is_some() {
        return Err(OauthError::new(OauthCode::RequestUriNotSupported, "Request objects are not fetched."));
    }
    match get("response_type")? {
        Some("code") => {}
        Some(_) => return Err(OauthError::new(OauthCode::UnsupportedResponseType, "Only response_type=code is answered.")),
        None => return Err(OauthError::request("response_type is missing.")),
    }
    if get("response_mode")?.is_some_and(|mode| mode != "query") {
        return Err(OauthError::request("Answers are sent in the query: leave response_mode out."));
    }
    if !client.may(GrantType::AuthorizationCode) {
        return Err(OauthError::new(OauthCode::UnauthorizedClient, "This app has no authorization_code grant."));
    }
    let challenge = get("code_challenge")?;
    match (challenge, get("code_challenge_method")?) {
        (None, None) if client.terms.require_pkce || client.kind == AppKind::Public => {
            return Err(OauthError::request("This app must bind its codes: send code_challenge with code_challenge_method=S256."));
        }
        (None, None) => {}
        (Some(text), Some("S256")) if is_digest(text) => {}
        (Some(_), Some("S256")) => return Err(OauthError::request("code_challenge is no base64url of a SHA-256 digest.")),
        _ => return Err(OauthError::request("code_challenge goes with code_challenge_method=S256, and no other method.")),
    }
    let prompt = read_prompt(get("prompt")?.unwrap_or_default())?;
    let max_age = match get("max_age")?.map(str::parse::<i64>) {
        None => None,
        Some(Ok(seconds)) if seconds >= 0 => Some(seconds.min(i64::from(u32::MAX))),
        Some(_) => return Err(OauthError::request("max_age is a number of seconds.")),
    };
    Ok(Asked {
        client_id: client.id,
        redirect_uri: redirect_uri.to_owned(),
        redirect_named,
        scopes: read_scopes(core, client, get("scope")?)?,
        state,
        challenge: challenge.map(ToOwned::to_owned),
        nonce: short("nonce")?,
        audience: read_resource(core, short("resource")?.as_deref())?,
        prompt,
        max_age,
        id_token_hint: at_most("id_token_hint", LONGEST_HINT)?,
        trial: false,
    })
}

/// Without control characters (RFC 6749, appendix A.5): PostgreSQL keeps no NUL.
fn shows(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// 43 characters of base64url.
fn is_digest(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn read_prompt(text: &str) -> Result<Prompt, OauthError> {
    let mut prompt = Prompt::default();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            // Whoever is asked can say that they are somebody else.
            "consent" | "select_account" => prompt.consent = true,
            _ => return Err(OauthError::request("prompt is none, login, consent or select_account.")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(OauthError::request("prompt=none goes with nothing else."));
    }
    Ok(prompt)
}

/// The scopes of a request; without any, all that the app is registered with.
pub(super) fn read_scopes(core: &Core, client: &Client, text: Option<&str>) -> Result<Vec<Scope>, OauthError> {
    let Some(text) = text else { return Ok(client.terms.scopes.clone()) };
    let own = ScopeSet(client.terms.scopes.clone());
    let verbs = core.cache.verbs(client.tenant_id);
    let mut scopes: Vec<Scope> = Vec::new();
    for word in words(text)? {
        let known = Scope::parse(word).ok().filter(|s| if s.is_built_in() { own.0.contains(s) } else { own.covers_with(s, &verbs) });
        let Some(scope) = known else {
            let word: String = word.chars().filter(char::is_ascii_graphic).filter(|c| !matches!(c, '"' | '\\')).take(64).collect();
            return Err(OauthError::new(OauthCode::InvalidScope, format!("{} may not ask for the scope {word}.", client.id)));
        };
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() { Ok(client.terms.scopes.clone()) } else { Ok(scopes) }
}

/// The words of `scope`, not too many of them.
pub(super) fn words(text: &str) -> Result<Vec<&str>, OauthError> {
    let words: Vec<&str> = text.split(' ').filter(|w| !w.is_empty()).take(MOST_SCOPES + 1).collect();
    if words.len() > MOST_SCOPES {
        return Err(OauthError::new(OauthCode::InvalidScope, format!("At most {MOST_SCOPES} scopes.")));
    }
    Ok(words)
}

/// For which API a token is (RFC 8707); none named is this installation's.
pub(super) fn read_resource(core: &Core, text: Option<&str>) -> Result<String, OauthError> {
    let Some(text) = text else { return Ok(core.settings.public_url.clone()) };
    let absolute = text.split_once("://").is_some_and(|(scheme, rest)| matches!(scheme, "https" | "http") && !rest.is_empty());
    if !absolute || text.contains('#') || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(OauthError::new(OauthCode::InvalidTarget, "resource is an absolute http(s) URI without a fragment."));
    }
    let public_url = &core.settings.public_url;
    Ok(if text.strip_suffix('/') == Some(public_url) { public_url.clone() } else { text.to_owned() })
}

/// The address of an answer, with who answers (RFC 9207).
fn answer(core: &Core, redirect_uri: &str, what: &[(&str, &str)], state: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(what);
    query.extend_pairs(state.map(|state| ("state", state)));
    query.append_pair("iss", &core.settings.public_url);
    let join = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{join}{}", query.finish())
}

/// The answer to an app whose person would not prove once more who they are.
pub fn unproved(core: &Core, asked: &Asked) -> String {
    refusal(core, asked, OauthCode::AccessDenied, "The person did not prove who they are.")
}

fn refusal(core: &Core, asked: &Asked, code: OauthCode, why: &str) -> String {
    answer(core, &asked.redirect_uri, &[("error", code.as_str()), ("error_description", why)], asked.state.as_deref())
}

/// Goes on with a good request: answers at once what was allowed before, or asks the person.
pub async fn begin(ctx: &Ctx, client: &Client, asked: &Asked) -> Result<Next> {
    let core = ctx.core();
    let (Some(person), Some(session)) = (ctx.person(), ctx.session()) else {
        let out = || refusal(core, asked, OauthCode::LoginRequired, "Nobody is signed in.");
        return Ok(if asked.prompt.none { Next::Answer(out()) } else { Next::SignIn });
    };
    match ctx.enrolled() {
        Err(_) if asked.prompt.none => {
            let why = "The person has to set up a second factor first.";
            return Ok(Next::Answer(refusal(core, asked, OauthCode::InteractionRequired, why)));
        }
        enrolled => enrolled?,
    }
    // Whoever was meant, somebody else is there (OpenID Connect Core, 3.1.2.1).
    if asked.id_token_hint.as_deref().is_some_and(|hint| id_token::hinted(core, client, hint) != Some(person.user_id)) {
        let why = "The person of id_token_hint is not the one who is signed in.";
        return Ok(Next::Answer(refusal(core, asked, OauthCode::LoginRequired, why)));
    }
    let age = ctx.now().0 - session.proven_at.0;
    let old = asked.prompt.login || asked.max_age.is_some_and(|most| age > most.saturating_mul(1_000).max(JUST_NOW));
    if old {
        let out = || refusal(core, asked, OauthCode::LoginRequired, "The person has to prove anew who they are.");
        return Ok(if asked.prompt.none { Next::Answer(out()) } else { Next::Confirm });
    }
    // A trial goes the whole way, whatever was allowed before.
    if !asked.prompt.consent
        && !asked.trial
        && let Some(url) = remembered(ctx, person, client, asked).await?
    {
        return Ok(Next::Answer(url));
    }
    if asked.prompt.none {
        return Ok(Next::Answer(refusal(core, asked, OauthCode::ConsentRequired, "The person has not allowed this yet.")));
    }
    let now = ctx.now();
    let id = ConsentId::from_uuid(ctx.new_uuid());
    let mut tx = ctx.db().begin().await?;
    let (session, app_tenant, expires_at) = (session.digest.as_slice(), client.tenant_id, now.plus(PATIENCE));
    let new = sql::NewRequest { id, session, user: person.user_id, app_tenant, asked, expires_at };
    sql::insert_request(&mut tx, &new, now).await?;
    tx.commit_quiet().await?;
    Ok(Next::Ask(id))
}

/// The answer to what the person allowed before. Whoever claims an address on a device may not be the app: it is asked
/// again each time (RFC 8252, section 8.6).
async fn remembered(ctx: &Ctx, person: &Person, client: &Client, asked: &Asked) -> Result<Option<String>> {
    let certain = client.kind == AppKind::Confidential || asked.redirect_uri.starts_with("https://");
    if !certain || !client.acts_in(person.tenant_id) || person.supporting {
        return Ok(None);
    }
    let grant = Grant::of_caller(ctx)?;
    let mut tx = ctx.write(&grant).await?;
    let Some((id, allowed)) = sql::standing(tx.tx(), &grant, person.user_id, client.id).await? else { return Ok(None) };
    let ctx = identity::again(ctx, tx.tx()).await?;
    let scopes = permitted(&ctx, &asked.scopes);
    if scopes.is_empty() || !asked.scopes.iter().all(|s| allowed.contains(s)) {
        return Ok(None);
    }
    // Each answer is a code and an event, and nobody clicks for it.
    let charge = ctx.core().limits.charge(Subject::Answered(person.tenant_id, person.user_id), ANSWERED, 1, ctx.now());
    if let Some(seconds) = charge.retry_after {
        return Err(Error::TooMany(seconds.into()));
    }
    hand_out(&ctx, tx, &grant, client, id, asked, None).await.map(Some)
}

/// What of it the person may hand to an app (s35).
pub(super) fn permitted(ctx: &Ctx, asked: &[Scope]) -> Vec<Scope> {
    asked.iter().filter(|s| s.is_built_in() || ctx.may_grant(s).is_ok()).cloned().collect()
}

/// Makes the code of a grant, and commits.
async fn hand_out(
    ctx: &Ctx,
    mut tx: WriteTx,
    grant: &Grant,
    client: &Client,
    id: GrantId,
    asked: &Asked,
    event: Option<Event>,
) -> Result<String> {
    let core = ctx.core();
    let now = ctx.now();
    let code = refresh::random(core, "ksc_");
    let scopes = permitted(ctx, &asked.scopes);
    let asked = Asked { scopes, ..asked.clone() };
    let auth_time = ctx.session().map_or(now, |s| s.proven_at);
    let epoch = identity::epoch(tx.tx(), ctx.person().ok_or(Error::Unauthenticated)?.user_id).await?;
    let digest = refresh::hash(code.expose());
    sql::insert_code(
        tx.tx(),
        grant,
        &sql::NewCode { digest: &digest, grant: id, asked: &asked, auth_time, epoch, expires_at: now.plus(CODE) },
        now,
    )
    .await?;
    let event = event.unwrap_or_else(|| Event {
        action: "oauth_grant.used",
        target: target(client.id, &client.name),
        reason: None,
        before: None,
        after: Some(json!({"grant": id, "scopes": asked.scopes})),
    });
    tx.commit(event).await?;
    Ok(answer(core, &asked.redirect_uri, &[("code", code.expose())], asked.state.as_deref()))
}

/// The request behind a page of consent, while it is this session's and in time (s54).
async fn open(ctx: &Ctx, id: ConsentId) -> Result<(Person, Arc<Client>, Asked)> {
    let person = ctx.person().ok_or(Error::Unauthenticated)?.clone();
    ctx.enrolled()?;
    let session = ctx.session().ok_or(Error::Unauthenticated)?;
    let mut tx = ctx.db().read().await?;
    let asked = sql::request(&mut tx, id, &session.digest, person.user_id, ctx.now()).await?.ok_or_else(over)?;
    let client = ctx.core().apps.get(asked.client_id).filter(|c| c.in_use).ok_or_else(over)?;
    // What was registered when it asked may have been taken off since.
    if !asked.trial && !client.terms.redirect_uris.iter().any(|own| own.admits(&asked.redirect_uri)) {
        return Err(over());
    }
    Ok((person, client, asked))
}

fn over() -> Error {
    Error::Conflict(
        "This request is over: it was answered, ended, or waited for more than ten minutes. Go back to the app and start again.".to_owned(),
    )
}

/// What the page of consent shows.
pub async fn consent(ctx: &Ctx, id: ConsentId) -> Result<Consent> {
    let (person, client, asked) = open(ctx, id).await?;
    let mut tx = ctx.db().read_all().await?;
    let tenants = identity::works_in(&mut tx, person.user_id, ctx.now()).await?;
    let tenants: Vec<(TenantId, String)> = tenants.into_iter().map(|m| (m.id, m.name)).filter(|(t, _)| client.acts_in(*t)).collect();
    drop(tx);
    // Whoever chooses among tenants reads words that are nobody's.
    let acts_in = match tenants.as_slice() {
        [(one, _)] => Some(*one),
        _ => None,
    };
    let scopes = in_words(ctx, acts_in, &asked.scopes).await?;
    let registered = client.terms.redirect_uris.iter().find(|own| own.admits(&asked.redirect_uri));
    Ok(Consent {
        id,
        app: client.name.clone(),
        client_id: client.id,
        logo: client.logo_path(),
        home_page: client.terms.home_page.clone(),
        host: registered.and_then(|uri| uri.host()).map(ToOwned::to_owned),
        origin: RedirectUri::parse(&asked.redirect_uri).map(|uri| uri.origin()).unwrap_or_default(),
        redirect_uri: asked.redirect_uri.clone(),
        scopes,
        here: tenants.iter().any(|(t, _)| *t == person.tenant_id).then_some(person.tenant_id),
        tenants,
        email: person.email,
        again: asked.again(ctx.core()),
        trial: asked.trial,
    })
}

/// What scopes allow, as the tenant says it in which the app will act: no other tenant words what is allowed there.
async fn in_words(ctx: &Ctx, acts_in: Option<TenantId>, scopes: &[Scope]) -> Result<Vec<ConsentScope>> {
    let catalogue = match acts_in {
        Some(tenant_id) => {
            let there = Grant::of_authorization(tenant_id, ctx.actor());
            let mut tx = ctx.db().read_in(&there).await?;
            scopes::described(&mut tx, &there).await?
        }
        None => Vec::new(),
    };
    let words = |scope: &Scope| {
        // A tenant words its own resources; what reaches further has words that nobody chooses.
        let described = catalogue
            .iter()
            .filter(|_| scope.is_ones_own())
            .find(|d| d.name.canonical() == scope.canonical())
            .map(|d| d.description.clone());
        ConsentScope { name: scope.clone(), words: described.filter(|d| !d.is_empty()).unwrap_or_else(|| scope.in_words()) }
    };
    Ok(scopes.iter().map(words).collect())
}

/// What the person said: the tenant in which the app may act, or none at all. The address of the answer.
pub async fn decide(ctx: &Ctx, id: ConsentId, allow: Option<TenantId>) -> Result<String> {
    let (person, client, asked) = open(ctx, id).await?;
    let core = ctx.core();
    let now = ctx.now();
    let Some(tenant_id) = allow else {
        let mut tx = ctx.db().begin().await?;
        if !sql::take_request(&mut tx, id).await? {
            return Err(over());
        }
        tx.commit_quiet().await?;
        return Ok(refusal(core, &asked, OauthCode::AccessDenied, "The person said no."));
    };
    let not_there = || Error::field("tenant_id", "invalid", "The app cannot act there: choose another tenant.");
    let there = SignedIn { user_id: person.user_id, tenant_id };
    let person = identity::resume(core, there).await?.filter(|_| client.acts_in(tenant_id)).ok_or_else(not_there)?;
    if person.supporting {
        return Err(Error::Refused(ErrorCode::Forbidden, "Support lets no app in: it would outlive its access.".to_owned()));
    }
    let ctx = ctx.of_person(person.clone());
    ctx.enrolled()?;
    let grant = Grant::of_caller(&ctx)?;
    let told = in_words(&ctx, Some(tenant_id), &asked.scopes).await?;
    let mut tx = ctx.write(&grant).await?;
    let ctx = identity::again(&ctx, tx.tx()).await?;
    ctx.enrolled()?;
    let scopes = permitted(&ctx, &asked.scopes);
    if scopes.is_empty() {
        let why = "Your role in this tenant holds nothing of what the app asks for. Ask an owner.";
        return Err(Error::Refused(ErrorCode::Forbidden, why.to_owned()));
    }
    if !sql::take_request(tx.tx(), id).await? {
        return Err(over());
    }
    let made = GrantId::from_uuid(ctx.new_uuid());
    if asked.trial {
        sql::insert_trial(tx.tx(), &grant, made, person.user_id, &client, &scopes, now).await?;
        let after = Some(json!({"grant": made, "scopes": scopes}));
        let event = Event { action: TRIED, target: target(client.id, &client.name), reason: None, before: None, after };
        return hand_out(&ctx, tx, &grant, &client, made, &asked, Some(event)).await;
    }
    let (held, before) = sql::hold_grant(tx.tx(), &grant, made, person.user_id, &client, now).await?;
    let mut all = before.clone();
    all.extend(scopes.into_iter().filter(|s| !before.contains(s)));
    // The oldest are asked for once more.
    all.drain(..all.len().saturating_sub(MOST_SCOPES));
    sql::set_scopes(tx.tx(), &grant, held, &all).await?;
    if held == made {
        let allowed = told.into_iter().filter(|s| all.contains(&s.name)).map(|s| s.words).collect();
        tell_person(&ctx, tx.tx(), &grant, &person, &client, &asked, allowed).await?;
    }
    let event = Event {
        action: if held == made { "oauth_grant.created" } else { "oauth_grant.updated" },
        target: target(client.id, &client.name),
        reason: None,
        before: (held != made).then(|| json!({"scopes": before})),
        after: Some(json!({"grant": held, "scopes": all, "redirect_uri": asked.redirect_uri})),
    };
    hand_out(&ctx, tx, &grant, &client, held, &asked, Some(event)).await
}

/// Queues the mail that tells a person of an app that they let in for the first time.
async fn tell_person(
    ctx: &Ctx,
    tx: &mut Tx,
    grant: &Grant,
    person: &Person,
    client: &Client,
    asked: &Asked,
    scopes: Vec<String>,
) -> Result<()> {
    let tenant = sql::tenant_name(tx, grant).await?;
    let host = RedirectUri::parse(&asked.redirect_uri).ok().and_then(|uri| uri.host().map(ToOwned::to_owned));
    let (ip, user_agent) = mail::whence(ctx.request());
    let message = Message::AppAllowed { app: client.name.clone(), host, tenant, scopes, at: ctx.now(), ip, user_agent };
    mail::to_person(tx, ctx, person.user_id, &person.email, &message, None).await
}
