//! The snapshot of every key, so that a decision needs no database and a miss is definitive.
//!
//! The truth is the log `key_changes`: whoever changes a key appends a row in the same transaction, and every
//! process follows the log by its sequence. A writer follows it before it answers, so that its own next request
//! already sees the change.

use super::{
    decide::Entry,
    sql::{self, Changed},
};
use crate::{Core, Error, Result, db::Tx, keys::secret::Digest, scopes, tenants};
use contract::{AllowedIp, ErrorForm, KeyId, Scope, SecretId, TenantId, UnixMs};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::sync::Mutex;

/// The snapshot of this process.
#[derive(Debug)]
pub struct KeyCache {
    keys: RwLock<Keys>,
    /// One follower at a time; holds the last sequence that was applied, none before the first load.
    followed: Mutex<Option<i64>>,
    /// Verbs of the tenants that have some of their own.
    verbs: RwLock<HashMap<TenantId, Arc<[String]>>>,
    /// What tenants chose about answers, and the number of the change that it is of.
    answers: RwLock<(Option<i64>, tenants::Answers)>,
    /// When the log was last read with success, Unix milliseconds.
    synced_at: AtomicI64,
}

#[derive(Debug, Default)]
struct Keys {
    by_digest: HashMap<Digest, Arc<Entry>>,
    digests: HashMap<KeyId, Vec<Digest>>,
    /// How many of the secrets were made by other systems.
    foreign: usize,
}

impl Keys {
    /// Replaces everything known of one key.
    fn replace(&mut self, key_id: KeyId, entries: Vec<(Digest, Entry)>) {
        for digest in self.digests.remove(&key_id).unwrap_or_default() {
            if self.by_digest.remove(&digest).is_some() && digest.is_foreign() {
                self.foreign -= 1;
            }
        }
        for (digest, entry) in entries {
            self.insert(digest, entry);
        }
    }

    fn insert(&mut self, digest: Digest, entry: Entry) {
        self.digests.entry(entry.key_id).or_default().push(digest);
        if self.by_digest.insert(digest, Arc::new(entry)).is_none() && digest.is_foreign() {
            self.foreign += 1;
        }
    }
}

/// The tenants' own verbs, as far as they were read.
#[derive(Default)]
struct Verbs(HashMap<TenantId, Arc<[String]>>);

impl Verbs {
    async fn read(tx: &mut Tx, of: Option<TenantId>) -> Result<HashMap<TenantId, Arc<[String]>>> {
        let mut bare: HashMap<TenantId, Vec<Scope>> = HashMap::new();
        for (tenant, name) in sql::verbs_unscoped(tx, of).await? {
            bare.entry(tenant).or_default().push(name);
        }
        Ok(bare.into_iter().map(|(tenant, names)| (tenant, scopes::own_verbs(names.iter()).into())).collect())
    }

    async fn of(&mut self, tx: &mut Tx, tenant: TenantId) -> Result<Arc<[String]>> {
        if let Some(known) = self.0.get(&tenant) {
            return Ok(known.clone());
        }
        let verbs = Self::read(tx, Some(tenant)).await?.remove(&tenant).unwrap_or_default();
        self.0.insert(tenant, verbs.clone());
        Ok(verbs)
    }
}

impl KeyCache {
    pub(crate) fn new() -> Self {
        Self {
            keys: RwLock::default(),
            followed: Mutex::new(None),
            verbs: RwLock::default(),
            answers: RwLock::default(),
            synced_at: AtomicI64::new(0),
        }
    }

    /// The key behind a digest.
    pub fn get(&self, digest: &Digest) -> Option<Arc<Entry>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    /// Does it hold keys that other systems made?
    pub fn holds_foreign(&self) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).foreign > 0
    }

    /// The key with one of its secrets, as it is now.
    pub fn find(&self, key: KeyId, secret: SecretId) -> Option<Arc<Entry>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let digests = keys.digests.get(&key)?;
        digests.iter().filter_map(|d| keys.by_digest.get(d)).find(|e| e.secret_id == secret).cloned()
    }

    /// The form of errors that a tenant chose.
    pub fn error_form(&self, tenant: TenantId) -> Option<ErrorForm> {
        self.answers.read().unwrap_or_else(PoisonError::into_inner).1.forms.get(&tenant).copied()
    }

    /// Does the tenant list the origin, as a browser sent it? Without a tenant: does any that is in use?
    pub fn lists_origin(&self, origin: &str, tenant: Option<TenantId>) -> bool {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.1.origins.get(origin).is_some_and(|lists| tenant.is_none_or(|tenant| lists.contains(&tenant)))
    }

    /// From where the tokens of a tenant's apps may be used; none means from anywhere.
    pub(crate) fn allowlist(&self, tenant: TenantId) -> Option<Arc<[AllowedIp]>> {
        self.answers.read().unwrap_or_else(PoisonError::into_inner).1.allowlists.get(&tenant).cloned()
    }

    /// Does the tenant's API call itself that?
    pub(crate) fn lists_audience(&self, tenant: TenantId, audience: &str) -> bool {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.1.audiences.get(&tenant).is_some_and(|all| all.iter().any(|own| own == audience))
    }

    /// The verbs that a tenant added to the ones that everybody has.
    pub(crate) fn verbs(&self, tenant: TenantId) -> Arc<[String]> {
        self.verbs.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned().unwrap_or_default()
    }

    /// How many secrets it holds.
    pub fn len(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).by_digest.len()
    }

    /// Does it hold none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses decisions once the log could not be read for longer than the operator allows (s34).
    pub fn check_fresh(&self, core: &Core) -> Result<()> {
        let age = core.now().0 - self.synced_at.load(Ordering::Acquire);
        let max = i64::try_from(core.settings.max_staleness.as_millis()).unwrap_or(i64::MAX);
        if age <= max { Ok(()) } else { Err(Error::unavailable(format!("the key snapshot is {age} ms old"))) }
    }

    /// The same after a commit whose answer must not be lost, such as a new secret: what fails is logged, and the
    /// follower makes up for it.
    pub async fn sync_later(&self, core: &Core) {
        if let Err(e) = self.sync(core).await {
            tracing::error!(error = %e, "a change was stored, but the snapshot does not know it yet");
        }
    }

    /// Follows the log to its end. The first call loads everything.
    pub async fn sync(&self, core: &Core) -> Result<()> {
        let mut followed = self.followed.lock().await;
        let started: UnixMs = core.now();
        let mut tx = core.db.follow_all().await?;
        match *followed {
            None => {
                let seq = sql::last_change_unscoped(&mut tx).await?;
                let rows = sql::all_entries_unscoped(&mut tx).await?;
                let verbs = Verbs::read(&mut tx, None).await?;
                let mut keys = Keys::default();
                for (digest, mut entry) in rows {
                    entry.verbs = verbs.get(&entry.tenant_id).cloned().unwrap_or_default();
                    keys.insert(digest, entry);
                }
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
                *self.verbs.write().unwrap_or_else(PoisonError::into_inner) = verbs;
                *followed = Some(seq);
            }
            Some(mut last) => loop {
                let changes = sql::changes_unscoped(&mut tx, last).await?;
                let Some((newest, _)) = changes.last() else { break };
                last = *newest;
                let changed: HashSet<Changed> = changes.into_iter().map(|(_, changed)| changed).collect();
                let mut verbs = Verbs::default();
                for changed in changed {
                    let mut stale = match changed {
                        Changed::Key(id) => vec![(id, sql::entries_of_unscoped(&mut tx, id).await?)],
                        Changed::Tenant(id) => {
                            let now = verbs.of(&mut tx, id).await?;
                            self.verbs.write().unwrap_or_else(PoisonError::into_inner).insert(id, now);
                            by_key(sql::entries_of_tenant_unscoped(&mut tx, id).await?)
                        }
                    };
                    for entry in stale.iter_mut().flat_map(|(_, entries)| entries) {
                        entry.1.verbs = verbs.of(&mut tx, entry.1.tenant_id).await?;
                    }
                    let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                    for (id, entries) in stale {
                        keys.replace(id, entries);
                    }
                }
                *followed = Some(last);
            },
        }
        let known = self.answers.read().unwrap_or_else(PoisonError::into_inner).0;
        if let Some((change, answers)) = tenants::answers_unscoped(&mut tx, known).await? {
            *self.answers.write().unwrap_or_else(PoisonError::into_inner) = (Some(change), answers);
        }
        core.tokens.follow(core, &mut tx).await?;
        self.synced_at.store(started.0, Ordering::Release);
        Ok(())
    }
}

fn by_key(entries: Vec<(Digest, Entry)>) -> Vec<(KeyId, Vec<(Digest, Entry)>)> {
    let mut keys: HashMap<KeyId, Vec<(Digest, Entry)>> = HashMap::new();
    for (digest, entry) in entries {
        keys.entry(entry.key_id).or_default().push((digest, entry));
    }
    keys.into_iter().collect()
}
