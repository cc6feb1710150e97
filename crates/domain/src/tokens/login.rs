//! `/v1/auth`: sign in, leave, and who is it?

use super::{
    CONSOLE_CLIENT,
    access::{self, Bearer, NewToken, Token},
    end, end_person, refresh, sql,
};
use crate::{
    Ctx, Error, Grant, Result, Who,
    ctx::Person,
    db::Event,
    identity::{self, Admitted, HalfSignedIn, Proved, SignedIn},
    tenants,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{CredentialKind, ErrorCode, LoginBody, LoginId, LogoutBody, Me, MfaBody, Secret, Target, TokenAnswer, TokenUser, UnixMs};
use uuid::Uuid;

/// Signs a person in who knows their password; who has a second factor is told to give a code with what the error holds.
pub async fn login(ctx: &Ctx, body: &LoginBody) -> Result<TokenAnswer> {
    let Proved { user_id, epoch, .. } = identity::prove(ctx, &body.email, &body.password, None).await?;
    let person = identity::member(ctx, user_id, body.tenant_id).await?;
    let proved = Admitted { who: SignedIn { user_id, tenant_id: person.tenant_id }, epoch, second_step: None };
    match identity::half_signed_in(ctx, proved, &body.password).await? {
        Some(half) => Err(Error::SecondFactor(hand_over(ctx, half)?)),
        None => open(ctx, proved, person).await,
    }
}

/// The second step: a code of the authenticator app, or a recovery code.
pub async fn mfa(ctx: &Ctx, body: &MfaBody) -> Result<TokenAnswer> {
    let half = take_back(ctx, &body.mfa_token).filter(|half| half.is_open(ctx.now())).ok_or_else(again)?;
    let proved = identity::prove_code(ctx, half, &body.code).await?;
    let Some(person) = identity::resume(ctx.core(), proved.who).await? else {
        identity::refused(ctx, proved.who.user_id, "no_tenant_in_use");
        return Err(again());
    };
    open(ctx, proved, person).await
}

fn again() -> Error {
    Error::Refused(ErrorCode::Unauthorized, "This sign-in is too old, was used, or was ended meanwhile. Sign in again.".to_owned())
}

/// What an `mfa_token` is sealed for: nothing else that is sealed opens as one, and it opens as nothing else (s63).
const MFA_TOKEN: Uuid = Uuid::from_u128(0x6d66_615f_746f_6b65_6e00_0000_0000_0001);
const MFA_PREFIX: &str = "mfa_";

/// Who gave the right password, sealed: the client brings it back with the code.
fn hand_over(ctx: &Ctx, half: HalfSignedIn) -> Result<Secret<String>> {
    let core = ctx.core();
    let plain = Secret::new(serde_json::to_string(&half).map_err(Error::internal)?);
    let sealed = core.keys.seal.seal(Uuid::nil(), MFA_TOKEN, &plain, core.entropy())?;
    Ok(Secret::new(format!("{MFA_PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed))))
}

fn take_back(ctx: &Ctx, token: &str) -> Option<HalfSignedIn> {
    let sealed = URL_SAFE_NO_PAD.decode(token.strip_prefix(MFA_PREFIX)?).ok()?;
    let plain = ctx.core().keys.seal.open(Uuid::nil(), MFA_TOKEN, &sealed).ok()?;
    serde_json::from_str(plain.expose()).ok()
}

/// Opens a login for a person who has proved who they are.
async fn open(ctx: &Ctx, proved: Admitted, person: Person) -> Result<TokenAnswer> {
    let core = ctx.core();
    let ctx = Ctx::new(core.clone(), Who::Person(person), ctx.request().clone());
    let grant = Grant::of_caller(&ctx)?;
    let (now, id) = (ctx.now(), LoginId::from_uuid(ctx.new_uuid()));
    let mut tx = ctx.write_all(&grant).await?;
    // They stay as they are until this login stands where a change of them finds it.
    let policies = tenants::locked_policies(tx.tx(), &grant).await?;
    // A tenant is locked before its people, wherever both are.
    let person = proved.enter(tx.tx(), now).await.map_err(|e| {
        if matches!(e, Error::Unauthenticated) {
            identity::refused(&ctx, proved.who.user_id, "ended_meanwhile");
            again()
        } else {
            e
        }
    })?;
    if policies.require_second_factor && !identity::has_second_factor(tx.tx(), person.user_id).await? {
        identity::refused(&ctx, person.user_id, "second_factor_required");
        return Err(Error::must_enrol(&core.settings.public_url));
    }
    let expires_at = now.plus(policies.lifetime().absolute);
    let user_agent: Option<String> = ctx.request().user_agent.as_ref().map(|ua| ua.chars().filter(|c| !c.is_control()).take(256).collect());
    let row = sql::NewLogin {
        id,
        user: person.user_id,
        client: CONSOLE_CLIENT,
        ip: ctx.request().ip.map(|ip| ip.to_string()),
        user_agent: user_agent.as_deref(),
        expires_at,
        app: None,
    };
    let new_device = !sql::has_used_unscoped(tx.tx(), person.user_id, user_agent.as_deref()).await?;
    sql::insert_login(tx.tx(), &grant, &row, now).await?;
    let refresh_token = refresh::make(core, tx.tx(), &grant, id, None, refresh::idle(now, expires_at)).await?;
    let login = Login { id, began: now, ends: expires_at };
    let answer = answer(&ctx, &person, login, refresh_token)?;
    let after = serde_json::json!({"login": id, "client_id": CONSOLE_CLIENT, "new_device": new_device});
    tx.commit(event("session.created", &person, Some(after))).await?;
    Ok(answer)
}

/// A sign-in over the API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login {
    pub id: LoginId,
    /// When its person proved who they are.
    pub began: UnixMs,
    pub ends: UnixMs,
}

/// What login and refresh answer.
pub(super) fn answer(ctx: &Ctx, person: &Person, login: Login, refresh_token: String) -> Result<TokenAnswer> {
    // No token outlives its login.
    let expires_in = super::LIFETIME.min(login.ends.0 - ctx.now().0) / 1_000;
    Ok(TokenAnswer {
        access_token: access::issue(ctx.core(), console_token(ctx, person, login, expires_in))?,
        refresh_token,
        token_type: "Bearer".to_owned(),
        expires_in,
        user: user(person),
    })
}

/// A token for this installation's own API, with all that the person's role holds.
fn console_token(ctx: &Ctx, person: &Person, login: Login, seconds: i64) -> NewToken {
    NewToken {
        tenant_id: person.tenant_id,
        bearer: Bearer::Person(person.user_id),
        login: Some(login.id),
        auth_time: Some(login.began),
        audience: ctx.core().settings.public_url.clone(),
        scopes: person.role.scopes(),
        seconds,
    }
}

fn user(person: &Person) -> TokenUser {
    TokenUser { id: person.user_id, email: person.email.clone(), role: person.role, tenant_id: person.tenant_id }
}

/// An event of a person's login.
pub(super) fn event(action: &'static str, person: &Person, after: Option<serde_json::Value>) -> Event {
    let target = Target { kind: "user".to_owned(), id: person.user_id.to_string(), name: person.email.clone() };
    Event { action, target, reason: None, before: None, after }
}

/// Ends the login of the token that was sent, or of the refresh token in the body; or every login of that person. How
/// many ended.
pub async fn logout(ctx: &Ctx, body: &LogoutBody) -> Result<usize> {
    let (ctx, login) = match (ctx.token(), &body.refresh_token) {
        // The login is in the person's own tenant, wherever they act.
        (Some(Token { login: Some(login), tenant_id, .. }), _) => (ctx.acting_in(*tenant_id), *login),
        (_, Some(text)) => {
            let held = refresh::find(ctx, text).await?;
            (held.ctx, held.login.id)
        }
        (_, None) => {
            return Err(match ctx.who() {
                Who::Anonymous => Error::Unauthenticated,
                _ => Error::Refused(ErrorCode::Forbidden, "Only who signed in can sign out: a key is revoked instead.".to_owned()),
            });
        }
    };
    let Some(person) = ctx.person() else { return Err(Error::Unauthenticated) };
    if body.everywhere && ctx.token().is_some_and(|t| t.bearer.app().is_some()) {
        return Err(Error::Refused(ErrorCode::Forbidden, "An app ends what it was given, and nobody else's sign-ins.".to_owned()));
    }
    let grant = Grant::of_caller(&ctx)?;
    let now = ctx.now();
    let mut tx = if body.everywhere { ctx.write_all(&grant).await? } else { ctx.write(&grant).await? };
    let ended = if body.everywhere {
        identity::raise_epoch(tx.tx(), person.user_id).await?;
        end_person(tx.tx(), person.user_id, now).await?
    } else {
        usize::from(end(tx.tx(), &grant, login, now).await?)
    };
    if ended > 0 {
        let after = serde_json::json!({"login": login, "everywhere": body.everywhere, "ended": ended});
        tx.commit(event("session.ended", person, Some(after))).await?;
        ctx.core().cache.sync(ctx.core()).await?;
    }
    Ok(ended)
}

/// Whose credential it is. An app is told who its person is where they allowed it `email`.
pub fn me(ctx: &Ctx) -> Result<Me> {
    let tenant_id = ctx.tenant_id().ok_or(Error::Unauthenticated)?;
    match (ctx.who(), ctx.token()) {
        (Who::Person(person), Some(token)) => Ok(Me {
            kind: CredentialKind::AccessToken,
            user: (token.bearer.app().is_none() || token.scopes.0.iter().any(|s| s.as_str() == "email")).then(|| user(person)),
            tenant_id,
            scopes: token.scopes.0.clone(),
            expires_at: Some(token.expires_at),
        }),
        (Who::Key(key), _) => {
            Ok(Me { kind: CredentialKind::ApiKey, user: None, tenant_id, scopes: key.scopes.0.clone(), expires_at: key.expires_at })
        }
        (Who::App(client), Some(token)) => Ok(Me {
            kind: token.kind(),
            user: None,
            tenant_id: client.tenant_id,
            scopes: token.scopes.0.clone(),
            expires_at: Some(token.expires_at),
        }),
        _ => Err(Error::Unauthenticated),
    }
}
