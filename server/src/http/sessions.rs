//! tower-sessions over our own table (ADR 0003), and who a session's person is now.

use super::AppState;
use app::ssr::{Browser, ENDED, Proof, SESSION_GROUND, SESSION_PERSON, SESSION_PROOF};
use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::{Lifetime, Prefs, Secret, UnixMs};
use domain::{
    Core, Ctx, InSession, RequestInfo, Who,
    identity::{self, SignedIn, sessions},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// Sessions in the installation's database.
#[derive(Clone, Debug)]
pub struct Store(Arc<Core>);

fn backend(e: domain::Error) -> Error {
    Error::Backend(if matches!(e, domain::Error::Unauthenticated) { ENDED.to_owned() } else { e.to_string() })
}

fn encode(record: &Record) -> Result<(String, Option<SignedIn>)> {
    let kept: BTreeMap<_, _> = record.data.iter().filter(|(name, _)| *name != SESSION_GROUND).collect();
    let data = serde_json::to_string(&kept).map_err(|e| Error::Encode(e.to_string()))?;
    Ok((data, read(record, SESSION_PERSON)))
}

fn read<T: DeserializeOwned>(record: &Record, name: &str) -> Option<T> {
    record.data.get(name).and_then(|v| serde_json::from_value(v.clone()).ok())
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (data, person) = encode(record)?;
        let person = match (person, read(record, SESSION_GROUND)) {
            (None, _) => None,
            (Some(person), Some(ground)) => Some((person, ground)),
            (Some(_), None) => return Err(Error::Backend("somebody's session without a ground".to_owned())),
        };
        let since = read(record, SESSION_PROOF).map(|proof: Proof| proof.since);
        while !sessions::insert(&self.0, &record.id.to_string(), &data, person.clone(), since).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (data, person) = encode(record)?;
        sessions::update(&self.0, &record.id.to_string(), &data, person).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(stored) = sessions::load(&self.0, &id.to_string()).await.map_err(backend)? else { return Ok(None) };
        let mut data: HashMap<String, Value> = serde_json::from_str(&stored.data).map_err(|e| Error::Decode(e.to_string()))?;
        // Who was taken out of a tenant goes on in another: the table says in which.
        if let (Some(person), Some(tenant_id)) = (data.get_mut(SESSION_PERSON), stored.works_in()) {
            person["tenant_id"] = tenant_id.to_string().into();
        }
        let nanos = i128::from(stored.expires_at) * 1_000_000;
        let expiry_date = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|e| Error::Decode(e.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sessions::delete(&self.0, &id.to_string()).await.map_err(backend)
    }
}

/// The cookie: `__Host-keystead` on https, a plain name on plain http, where Chromium drops that prefix (s20).
pub fn layer(state: &AppState) -> SessionManagerLayer<Store> {
    SessionManagerLayer::new(Store(state.core.clone()))
        .with_name(if state.https { "__Host-keystead" } else { "keystead" })
        .with_path("/")
        .with_secure(state.https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        // The cookie is set once and lasts as long as a session can; that it ends when idle is the table's business.
        .with_expiry(Expiry::OnInactivity(time::Duration::milliseconds(Lifetime::LONGEST.absolute)))
}

/// The cookie of the environment and the theme; nothing in it is secret or trusted.
pub const PREFS_COOKIE: &str = "keystead-prefs";

/// `live.dark`, `test.system`.
pub fn write_prefs(prefs: Prefs) -> String {
    format!("{}.{}", prefs.environment, prefs.theme.map_or("system", contract::Theme::as_str))
}

fn cookie<'a>(headers: &'a HeaderMap, named: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    cookies.filter_map(|c| c.trim().split_once('=')).find(|(name, _)| *name == named).map(|(_, v)| v)
}

/// The cookie that says: somebody has signed in with this browser before. It lasts for a year.
const fn device_cookie(https: bool) -> &'static str {
    if https { "__Host-keystead-device" } else { "keystead-device" }
}

fn read_prefs(headers: &HeaderMap) -> Prefs {
    let (environment, theme) = cookie(headers, PREFS_COOKIE).unwrap_or_default().split_once('.').unwrap_or_default();
    Prefs { environment: environment.parse().unwrap_or(Prefs::default().environment), theme: theme.parse().ok() }
}

/// Puts the [`Ctx`] of the session's person and the [`Browser`] into the request.
pub async fn resume(State(state): State<AppState>, session: Session, mut req: Request, next: Next) -> Response {
    let info = req.extensions().get::<RequestInfo>().cloned().unwrap_or_default();
    let anonymous = Ctx::new(state.core.clone(), Who::Anonymous, info);
    let mut prefs = read_prefs(req.headers());
    if state.core.settings.environment == contract::Environment::Test {
        prefs.environment = contract::Environment::Test;
    }
    let browser = Browser::new(session, prefs, cookie(req.headers(), device_cookie(state.https)));
    let ctx = match caller(&anonymous, &browser).await {
        Ok(ctx) => ctx,
        Err(e) => return super::error::ApiError(anonymous.problem(e)).into_response(),
    };
    req.extensions_mut().insert(ctx);
    req.extensions_mut().insert(browser.clone());
    let mut response = next.run(req).await;
    if let Some(token) = browser.device_to_set() {
        response.extensions_mut().insert(NewDevice(Arc::new(token)));
    }
    response
}

/// The value of the cookie of a device, on its way into the answer.
#[derive(Clone)]
struct NewDevice(Arc<Secret<String>>);

/// Sets the cookie of a device that was signed in with, behind the session's.
pub async fn keep_device(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let mut response = next.run(req).await;
    if let Some(NewDevice(token)) = response.extensions_mut().remove() {
        let secure = if state.https { "; Secure" } else { "" };
        let name = device_cookie(state.https);
        let cookie = format!("{name}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}", token.expose());
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// Who the browser's session says is there, as they are now.
pub async fn caller(request: &Ctx, browser: &Browser) -> domain::Result<Ctx> {
    let away = |e: tower_sessions::session::Error| domain::Error::unavailable(e.to_string());
    let who = match browser.session.get::<SignedIn>(SESSION_PERSON).await.map_err(away)? {
        Some(signed_in) => match identity::resume(request.core(), signed_in).await? {
            Some(person) => Who::Person(person),
            // Support access is over by itself.
            None => match identity::land(request.core(), signed_in.user_id).await? {
                Some(person) => {
                    let here = SignedIn { user_id: person.user_id, tenant_id: person.tenant_id };
                    browser.session.insert(SESSION_PERSON, here).await.map_err(away)?;
                    Who::Person(person)
                }
                None => Who::Anonymous,
            },
        },
        None => Who::Anonymous,
    };
    let ctx = Ctx::new(request.core().clone(), who, request.request().clone());
    let proven_at = browser.session.get::<Proof>(SESSION_PROOF).await.map_err(away)?.map_or(UnixMs(0), |proof| proof.at);
    Ok(match browser.session.id() {
        Some(id) => ctx.in_session(InSession { digest: sessions::hash(&id.to_string()), proven_at }),
        None => ctx,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Environment, Theme};

    #[test]
    fn preferences_survive_the_cookie() {
        for environment in Environment::ALL {
            for theme in [None, Some(Theme::Dark), Some(Theme::Light)] {
                let prefs = Prefs { environment: *environment, theme };
                let mut headers = HeaderMap::new();
                let cookie = format!("a=b; {PREFS_COOKIE}={}", write_prefs(prefs));
                headers.insert(header::COOKIE, cookie.parse().expect("a header"));
                assert_eq!(read_prefs(&headers), prefs);
            }
        }
        assert_eq!(read_prefs(&HeaderMap::new()), Prefs::default());
    }
}
