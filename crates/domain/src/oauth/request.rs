//! What an app asks for at the authorization endpoint, read and checked before anybody is asked (RFC 6749, section 4.1.1;
//! RFC 7636, 8707, 9207).

use super::{Client, OauthCode, OauthError, Trial};
use crate::Core;
use contract::{AppId, AppKind, GrantType, Scope, ScopeSet};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    pub(super) none: bool,
    pub(super) login: bool,
    pub(super) consent: bool,
}

/// Why an authorization request is refused, and who is told (s45).
#[derive(Debug)]
pub enum Refused {
    /// The person, on a page: the client or its address cannot be believed.
    Page(String),
    /// The app, by this address.
    Redirect(String),
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
pub(super) fn answer(core: &Core, redirect_uri: &str, what: &[(&str, &str)], state: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(what);
    query.extend_pairs(state.map(|state| ("state", state)));
    query.append_pair("iss", &core.settings.public_url);
    let join = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{join}{}", query.finish())
}

pub(super) fn refusal(core: &Core, asked: &Asked, code: OauthCode, why: &str) -> String {
    answer(core, &asked.redirect_uri, &[("error", code.as_str()), ("error_description", why)], asked.state.as_deref())
}
