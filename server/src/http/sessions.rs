//! tower-sessions over our own table (ADR 0003), and who a session's person is now.

use super::AppState;
use app::ssr::{Browser, SESSION_PERSON};
use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::Prefs;
use domain::{
    Core, Ctx, RequestInfo, Who,
    identity::{self, SignedIn, sessions},
};
use std::sync::Arc;
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
    Error::Backend(e.to_string())
}

fn encode(record: &Record) -> Result<(String, Option<SignedIn>)> {
    let data = serde_json::to_string(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
    let person = record.data.get(SESSION_PERSON).and_then(|v| serde_json::from_value(v.clone()).ok());
    Ok((data, person))
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (data, person) = encode(record)?;
        while !sessions::insert(&self.0, &record.id.to_string(), &data, person).await.map_err(backend)? {
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
        let data = serde_json::from_str(&stored.data).map_err(|e| Error::Decode(e.to_string()))?;
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
        .with_expiry(Expiry::OnInactivity(time::Duration::milliseconds(sessions::ABSOLUTE)))
}

/// The cookie of the environment and the theme; nothing in it is secret or trusted.
pub const PREFS_COOKIE: &str = "keystead-prefs";

/// `live.dark`, `test.system`.
pub fn write_prefs(prefs: Prefs) -> String {
    format!("{}.{}", prefs.environment, prefs.theme.map_or("system", contract::Theme::as_str))
}

fn read_prefs(headers: &HeaderMap) -> Prefs {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let value = cookies.filter_map(|c| c.trim().split_once('=')).find(|(name, _)| *name == PREFS_COOKIE).map_or("", |(_, v)| v);
    let (environment, theme) = value.split_once('.').unwrap_or_default();
    Prefs { environment: environment.parse().unwrap_or(Prefs::default().environment), theme: theme.parse().ok() }
}

/// Puts the [`Ctx`] of the session's person and the [`Browser`] into the request.
pub async fn resume(State(state): State<AppState>, session: Session, mut req: Request, next: Next) -> Response {
    let info = req.extensions().get::<RequestInfo>().cloned().unwrap_or_default();
    let anonymous = Ctx::new(state.core.clone(), Who::Anonymous, info.clone());
    let who = match session.get::<SignedIn>(SESSION_PERSON).await {
        Ok(Some(signed_in)) => match identity::resume(&state.core, signed_in).await {
            Ok(Some(person)) => Who::Person(person),
            Ok(None) => Who::Anonymous,
            Err(e) => return super::error::ApiError(anonymous.problem(e)).into_response(),
        },
        Ok(None) => Who::Anonymous,
        Err(e) => {
            let e = domain::Error::unavailable(e.to_string());
            return super::error::ApiError(anonymous.problem(e)).into_response();
        }
    };
    let mut prefs = read_prefs(req.headers());
    if state.core.settings.environment == contract::Environment::Test {
        prefs.environment = contract::Environment::Test;
    }
    req.extensions_mut().insert(Ctx::new(state.core.clone(), who, info));
    req.extensions_mut().insert(Browser { session, prefs });
    next.run(req).await
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
