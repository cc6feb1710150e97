//! `/v1/auth`: sign in, leave, and who is it?

use super::{CONSOLE_CLIENT, access, end, end_person, refresh, sql};
use crate::{
    Ctx, Error, Grant, Result, Who,
    ctx::Person,
    db::Event,
    identity::{self, sessions},
};
use contract::{CredentialKind, ErrorCode, LoginBody, LoginId, LogoutBody, Me, Target, TokenAnswer, TokenUser};

/// Signs a person in who knows their password. Whatever else is to be proved is proved between the two steps.
pub async fn login(ctx: &Ctx, body: &LoginBody) -> Result<TokenAnswer> {
    let user = identity::prove(ctx, &body.email, &body.password).await?;
    let person = identity::member(ctx.core(), user, body.tenant_id).await?;
    open(ctx, person).await
}

/// Opens a login for a person who has proved who they are.
async fn open(ctx: &Ctx, person: Person) -> Result<TokenAnswer> {
    let core = ctx.core();
    let ctx = Ctx::new(core.clone(), Who::Person(person.clone()), ctx.request().clone());
    let grant = Grant::of_caller(&ctx)?;
    let (now, id) = (ctx.now(), LoginId::from_uuid(ctx.new_uuid()));
    let expires_at = now.plus(sessions::ABSOLUTE);
    let user_agent: Option<String> = ctx.request().user_agent.as_ref().map(|ua| ua.chars().filter(|c| !c.is_control()).take(256).collect());
    let login = sql::NewLogin {
        id,
        user: person.user_id,
        client: CONSOLE_CLIENT,
        ip: ctx.request().ip.map(|ip| ip.to_string()),
        user_agent: user_agent.as_deref(),
        expires_at,
    };
    let mut tx = ctx.write(&grant).await?;
    sql::insert_login(tx.tx(), &grant, &login, now).await?;
    let refresh_token = refresh::make(core, tx.tx(), &grant, id, None, expires_at).await?;
    let answer = answer(&ctx, &person, id, refresh_token)?;
    let after = serde_json::json!({"login": id, "client_id": CONSOLE_CLIENT});
    tx.commit(event("session.created", &person, Some(after))).await?;
    Ok(answer)
}

/// What login and refresh answer.
pub(super) fn answer(ctx: &Ctx, person: &Person, login: LoginId, refresh_token: String) -> Result<TokenAnswer> {
    Ok(TokenAnswer {
        access_token: access::issue(ctx.core(), person, login)?,
        refresh_token,
        token_type: "Bearer".to_owned(),
        expires_in: super::LIFETIME / 1_000,
        user: user(person),
    })
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
        (Some(token), _) => (ctx.acting_in(token.tenant_id), token.login),
        (None, Some(text)) => {
            let held = refresh::find(ctx, text).await?;
            (held.ctx, held.login)
        }
        (None, None) => {
            return Err(match ctx.who() {
                Who::Anonymous => Error::Unauthenticated,
                _ => Error::Refused(ErrorCode::Forbidden, "Only who signed in can sign out: a key is revoked instead.".to_owned()),
            });
        }
    };
    let Some(person) = ctx.person() else { return Err(Error::Unauthenticated) };
    let grant = Grant::of_caller(&ctx)?;
    let now = ctx.now();
    let mut tx = ctx.write(&grant).await?;
    let ended = if body.everywhere {
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

/// Whose credential it is.
pub fn me(ctx: &Ctx) -> Result<Me> {
    let tenant_id = ctx.tenant_id().ok_or(Error::Unauthenticated)?;
    match (ctx.who(), ctx.token()) {
        (Who::Person(person), Some(token)) => Ok(Me {
            kind: CredentialKind::AccessToken,
            user: Some(user(person)),
            tenant_id,
            scopes: token.scopes.0.clone(),
            expires_at: Some(token.expires_at),
        }),
        (Who::Key(key), _) => {
            Ok(Me { kind: CredentialKind::ApiKey, user: None, tenant_id, scopes: key.scopes.0.clone(), expires_at: key.expires_at })
        }
        _ => Err(Error::Unauthenticated),
    }
}
