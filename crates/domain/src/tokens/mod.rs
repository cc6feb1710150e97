//! Tokens: signing keys, access tokens (RFC 9068), and the logins over the API that they belong to.
//!
//! An access token is judged without I/O: its signature by the keys in memory, and whether it was ended before its time
//! by what every process follows of `token_changes` (s34). A refresh token is a random text, stored hashed, and good once.

mod access;
mod login;
pub(crate) mod refresh;
mod signing;
pub(crate) mod sql;

#[cfg(feature = "testing")]
pub use access::sign_anything;
pub use access::{Bearer, LEEWAY, Token, is_jwt, read};
pub(crate) use access::{LONGEST, NewToken, issue, ms};
pub use login::{login, logout, me, mfa};
pub use refresh::refresh;
pub use signing::{jwks, rotate};
pub(crate) use signing::{make_id_key, read_id_token, sign_id_token};

use self::signing::Ring;
use crate::{
    Core, Grant, Result,
    db::{Tx, tell},
    oauth,
};
use contract::{AppId, GrantId, IdTokenAlg, Lifetime, LoginId, SessionSeen, TokenId, UnixMs, UserId};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::sync::Mutex;
use uuid::Uuid;

/// How long an access token is good.
pub const LIFETIME: i64 = 3_600_000;
/// How long it is remembered that something was ended: no token that could carry it is alive after that.
const REMEMBERED: i64 = 2 * LIFETIME;
/// Who issues tokens to people who sign in over the API.
pub const CONSOLE_CLIENT: &str = "keystead-console";

/// What a process knows of tokens.
#[derive(Debug)]
pub struct Tokens {
    ring: RwLock<Arc<Ring>>,
    /// Keys of ID tokens in RS256.
    id_ring: RwLock<Arc<Ring>>,
    /// The first of them is being made.
    making: Mutex<()>,
    /// Tokens and logins that were ended, and when; a policy may end a login in a while.
    ended: RwLock<HashMap<Uuid, UnixMs>>,
    /// The last change that was applied; none before the first load.
    followed: AtomicI64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            ring: RwLock::default(),
            id_ring: RwLock::default(),
            making: Mutex::default(),
            ended: RwLock::default(),
            followed: AtomicI64::new(-1),
        }
    }
}

impl Tokens {
    fn ring(&self, algorithm: IdTokenAlg) -> Arc<Ring> {
        Arc::clone(&self.ring_of(algorithm).read().unwrap_or_else(PoisonError::into_inner))
    }

    const fn ring_of(&self, algorithm: IdTokenAlg) -> &RwLock<Arc<Ring>> {
        match algorithm {
            IdTokenAlg::EdDsa => &self.ring,
            IdTokenAlg::Rs256 => &self.id_ring,
        }
    }

    /// Was one of these ended?
    fn is_ended(&self, ids: impl IntoIterator<Item = Uuid>, now: UnixMs) -> bool {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        ids.into_iter().filter_map(|id| ended.get(&id)).any(|at| *at <= now)
    }

    /// Follows the changes to their end; the first call loads the keys. The snapshot of API keys calls it in its own
    /// transaction, one follower at a time, so that one bound of staleness holds for both.
    pub(crate) async fn follow(&self, core: &Core, tx: &mut Tx) -> Result<()> {
        let last = self.followed.load(Ordering::Acquire);
        let changes = sql::token_changes_unscoped(tx, last).await?;
        if last < 0 || changes.iter().any(sql::Change::is_signing_key) {
            for algorithm in IdTokenAlg::ALL {
                let rows = sql::signing_keys_unscoped(tx, algorithm.as_str()).await?;
                *self.ring_of(*algorithm).write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Ring::open(core, *algorithm, rows)?);
            }
        }
        let apps: Option<Vec<Uuid>> = (last >= 0).then(|| changes.iter().filter(|c| c.is_app()).map(|c| c.id).collect());
        core.apps.follow(tx, apps, core.now()).await?;
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.extend(changes.iter().filter(|c| c.is_ended()).map(|c| (c.id, UnixMs(c.at))));
        drop(ended);
        self.followed.store(changes.last().map_or(last.max(0), |c| c.seq), Ordering::Release);
        Ok(())
    }
}

/// Sees to it that a key signs, and that no key signs for too long; forgets what is over.
pub async fn tend(core: &Core) -> Result<()> {
    let now = core.now();
    if core.tokens.ring(IdTokenAlg::EdDsa).is_old(now) {
        rotate(core, IdTokenAlg::EdDsa).await?;
    }
    let id_ring = core.tokens.ring(IdTokenAlg::Rs256);
    if !id_ring.is_empty() && id_ring.is_old(now) {
        rotate(core, IdTokenAlg::Rs256).await?;
    }
    let over = now.plus(-REMEMBERED);
    core.tokens.ended.write().unwrap_or_else(PoisonError::into_inner).retain(|_, at| *at > over);
    let mut tx = core.db.begin_all().await?;
    let before = sql::Before { over, answered: now.plus(-refresh::GRACE), tried: now.plus(-oauth::TRIAL_PATIENCE) };
    sql::sweep_unscoped(&mut tx, now, &before).await?;
    tx.commit_quiet().await
}

/// Tells every process that an app changed.
pub(crate) async fn tell_app_changed(tx: &mut Tx, app: AppId, now: UnixMs) -> Result<()> {
    sql::append_change_unscoped(tx, sql::APP, app.uuid(), now).await?;
    tell(tx).await
}

/// Ends one token before its time. Whoever commits then calls `KeyCache::sync`.
pub(crate) async fn end_token(tx: &mut Tx, token: TokenId, now: UnixMs) -> Result<()> {
    sql::append_change_unscoped(tx, sql::ENDED, token.uuid(), now).await?;
    tell(tx).await
}

/// Ends every login that came of a grant; how many there were. Whoever commits then calls `KeyCache::sync`.
pub(crate) async fn end_of_grant(tx: &mut Tx, grant: &Grant, allowed: GrantId, now: UnixMs) -> Result<usize> {
    let logins = sql::end_logins_of_grant(tx, grant, allowed, now).await?;
    for login in &logins {
        sql::append_change_unscoped(tx, sql::ENDED, *login, now).await?;
    }
    tell(tx).await?;
    Ok(logins.len())
}

/// Ends a login and every token of it; false when it had ended before. Whoever commits then calls `KeyCache::sync`.
pub(crate) async fn end(tx: &mut Tx, grant: &Grant, login: LoginId, now: UnixMs) -> Result<bool> {
    let live = sql::end_login(tx, grant, login, now).await?;
    if live {
        sql::append_change_unscoped(tx, sql::ENDED, login.uuid(), now).await?;
        tell(tx).await?;
    }
    Ok(live)
}

/// Ends every login of a person, in all tenants, and every token of those; how many there were. For whoever disables a
/// person, takes their second factor away or changes their password, in the transaction of that; then `KeyCache::sync`.
pub(crate) async fn end_person(tx: &mut Tx, person: UserId, now: UnixMs) -> Result<usize> {
    let logins = sql::end_logins_unscoped(tx, person, now).await?;
    for login in &logins {
        sql::append_change_unscoped(tx, sql::ENDED, *login, now).await?;
    }
    tell(tx).await?;
    Ok(logins.len())
}

/// The same for the grant's tenant only: of one person, or of everybody.
pub(crate) async fn end_in_tenant(tx: &mut Tx, grant: &Grant, person: Option<UserId>, now: UnixMs) -> Result<()> {
    for login in sql::end_logins(tx, grant, person, now).await? {
        sql::append_change_unscoped(tx, sql::ENDED, login, now).await?;
    }
    tell(tx).await
}

/// Logins of the grant's tenant end as early as this says, with every token that would outlive them.
pub(crate) async fn hold_to(tx: &mut Tx, grant: &Grant, lifetime: Lifetime, now: UnixMs) -> Result<()> {
    for (login, ends) in sql::shorten_logins(tx, grant, lifetime.absolute, now).await? {
        if ends < now.plus(LIFETIME) {
            sql::append_change_unscoped(tx, sql::ENDED, login, ends.max(now)).await?;
        }
    }
    tell(tx).await
}

/// How many logins of the grant's tenant would end at once if they were held to this.
pub(crate) async fn would_end(tx: &mut Tx, grant: &Grant, lifetime: Lifetime, now: UnixMs) -> Result<i64> {
    sql::logins_before(tx, grant, now.plus(-lifetime.absolute), now).await
}

/// Logins of a member in the grant's tenant.
pub(crate) async fn of_member(tx: &mut Tx, grant: &Grant, person: UserId, now: UnixMs) -> Result<Vec<SessionSeen>> {
    sql::logins_of(tx, grant, person, now).await
}

/// Logins of a person, in whichever tenant.
pub(crate) async fn of_person(tx: &mut Tx, person: UserId, now: UnixMs) -> Result<Vec<SessionSeen>> {
    sql::logins_of_unscoped(tx, person, now).await
}

/// Ends one of them, if it is theirs. Whoever commits then calls `KeyCache::sync`.
pub(crate) async fn end_of_person(tx: &mut Tx, person: UserId, login: LoginId, now: UnixMs) -> Result<()> {
    if sql::end_login_unscoped(tx, person, login, now).await? {
        sql::append_change_unscoped(tx, sql::ENDED, login.uuid(), now).await?;
        tell(tx).await?;
    }
    Ok(())
}

/// Ends one of them; false if it is none of theirs. Whoever commits then calls `KeyCache::sync`.
pub(crate) async fn end_of_member(tx: &mut Tx, grant: &Grant, person: UserId, login: LoginId, now: UnixMs) -> Result<bool> {
    let theirs = sql::logins_of(tx, grant, person, now).await?.iter().any(|l| l.id == login.to_string());
    if theirs { end(tx, grant, login, now).await } else { Ok(false) }
}
