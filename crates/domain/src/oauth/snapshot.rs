//! Every app in memory, as requests of it are judged. It follows `token_changes`, as ended tokens do.

use super::sql;
use crate::{Core, Result, db::Tx};
use contract::{AppId, AppKind, AppTerms, GrantType, Origin, Secret, TenantId, UnixMs};
use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};
use uuid::Uuid;

/// An app, as requests of it are judged.
#[derive(Debug)]
pub struct Client {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its `client_id`.
    pub id: AppId,
    /// What people are asked to allow.
    pub name: String,
    /// What runs it.
    pub kind: AppKind,
    /// What it may do, and how.
    pub terms: AppTerms,
    /// Is it in use, and its tenant, and the account that answers for it?
    pub in_use: bool,
    /// From when what it got for itself counts.
    pub(super) tokens_from: UnixMs,
    /// What its logo is called, if it has one.
    pub(super) logo: Option<String>,
    pub(super) secrets: Vec<ClientSecret>,
    /// When it was last noted that it got a token.
    noted_at: AtomicI64,
    /// How often somebody asked as it in vain.
    pub(super) refused: AtomicU32,
}

/// One secret of a client.
#[derive(Debug)]
pub(super) struct ClientSecret {
    id: Uuid,
    pub digest: Vec<u8>,
    sealed: Vec<u8>,
    valid_until: Option<UnixMs>,
}

impl ClientSecret {
    pub const fn new(id: Uuid, digest: Vec<u8>, sealed: Vec<u8>, valid_until: Option<UnixMs>) -> Self {
        Self { id, digest, sealed, valid_until }
    }
}

impl Client {
    pub(super) fn new(tenant_id: TenantId, id: AppId, name: String, kind: AppKind, terms: AppTerms, in_use: bool) -> Self {
        Self {
            tenant_id,
            id,
            name,
            kind,
            terms,
            in_use,
            tokens_from: UnixMs(0),
            logo: None,
            secrets: Vec::new(),
            noted_at: AtomicI64::new(0),
            refused: AtomicU32::new(0),
        }
    }

    /// May it get tokens this way (s52)?
    pub fn may(&self, grant_type: GrantType) -> bool {
        self.terms.grant_types.contains(&grant_type)
    }

    /// Was what it got for itself ended, if it began then? A token says no more than its second, and one that was got right
    /// after the end has to work: so one of the same second from right before it goes on until it expires, and so does one of
    /// a process that heard of the end in a later second. Ending once more, a second on, ends those too.
    pub(crate) const fn ended_own(&self, began: UnixMs) -> bool {
        began.0 < self.tokens_from.0 - self.tokens_from.0.rem_euclid(1_000)
    }

    /// May it act in that tenant at all?
    pub fn acts_in(&self, tenant: TenantId) -> bool {
        self.tenant_id == tenant || self.terms.any_tenant
    }

    /// May scripts of that origin ask as it? A request that names none comes from no browser.
    pub fn admits(&self, origin: Option<&str>) -> bool {
        let listed = &self.terms.allowed_origins;
        listed.is_empty() || origin.is_none_or(|origin| lists(listed, origin))
    }

    /// The path of its logo; nobody is shown one of an app that is out of use.
    pub fn logo_path(&self) -> Option<String> {
        self.logo.as_ref().filter(|_| self.in_use).map(|hash| super::logo::path(self.id, hash))
    }

    /// The secrets that work at `now`.
    pub(super) fn working(&self, now: UnixMs) -> impl Iterator<Item = &ClientSecret> {
        self.secrets.iter().filter(move |s| s.valid_until.is_none_or(|until| until > now))
    }

    /// The secrets that work at `now`, themselves: for what was signed with them.
    pub(super) fn open(&self, core: &Core, now: UnixMs) -> Vec<Secret<String>> {
        self.working(now).filter_map(|s| core.keys.seal.open(self.tenant_id.uuid(), s.id, &s.sealed).ok()).collect()
    }

    /// True once a minute: it is noted no more often that an app is used.
    pub(super) fn is_to_be_noted(&self, now: UnixMs) -> bool {
        let last = self.noted_at.load(Ordering::Relaxed);
        now.0 - last >= 60_000 && self.noted_at.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn lists(listed: &[Origin], origin: &str) -> bool {
    listed.iter().any(|own| Borrow::<str>::borrow(own) == origin)
}

/// Every app of the installation.
#[derive(Debug, Default)]
pub struct Apps(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    clients: HashMap<AppId, Arc<Client>>,
    /// What any of them that is in use lists.
    origins: HashSet<Origin>,
}

impl Known {
    fn note_origins(&mut self) {
        let in_use = self.clients.values().filter(|c| c.in_use);
        self.origins = in_use.flat_map(|c| c.terms.allowed_origins.iter().cloned()).collect();
    }
}

impl Apps {
    /// The app behind a `client_id`; deleted ones are none.
    pub fn get(&self, id: AppId) -> Option<Arc<Client>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clients.get(&id).cloned()
    }

    /// Does the app list the origin, as a browser sent it? Without an app: does any that is in use?
    pub fn lists_origin(&self, origin: &str, app: Option<AppId>) -> bool {
        match app {
            Some(id) => self.get(id).is_some_and(|client| lists(&client.terms.allowed_origins, origin)),
            None => self.0.read().unwrap_or_else(PoisonError::into_inner).origins.contains(origin),
        }
    }

    /// Reads those apps again, or all.
    pub(crate) async fn follow(&self, tx: &mut Tx, changed: Option<Vec<Uuid>>, now: UnixMs) -> Result<()> {
        match changed {
            None => {
                let all = sql::clients_unscoped(tx, None, now).await?;
                let mut known = Known { clients: all.into_iter().map(|c| (c.id, Arc::new(c))).collect(), ..Known::default() };
                known.note_origins();
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
            }
            Some(mut ids) => {
                ids.sort_unstable();
                ids.dedup();
                for id in ids {
                    let found = sql::clients_unscoped(tx, Some(id), now).await?.pop();
                    let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
                    match found {
                        Some(client) => known.clients.insert(client.id, Arc::new(client)),
                        None => known.clients.remove(&AppId::from_uuid(id)),
                    };
                    known.note_origins();
                }
            }
        }
        Ok(())
    }
}
