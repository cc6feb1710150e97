//! From decided requests to rows: a bounded queue and one writer that batches.

use super::sql;
use crate::{Result, Versions, db::Db, verify::StoredPolicy};
use contract::{
    AppId, Code, CredentialKind, Environment, KeyId, LimitFacts, Outcome, Scope, SecretId, TenantId, UnixMs, UsageSource, UserId,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify, mpsc},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

/// Events that may wait: at 10,000 a second, six seconds of a database that does not answer.
const QUEUE: usize = 65_536;
/// Rows of one transaction.
const BATCH: usize = 5_000;
/// How long the first event of a batch waits for others.
const LINGER: Duration = Duration::from_millis(50);
/// How long a request waits for room in a full queue before its event is counted as lost.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the way out may take; with the drain of the requests it stays below ten seconds.
const WRITE_OUT: Duration = Duration::from_millis(3_500);

/// A decided request on its way into the log.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id, of the time it was decided.
    pub id: Uuid,
    /// When it was decided.
    pub at: UnixMs,
    /// Whose log; none means the installation's first tenant.
    pub tenant_id: Option<TenantId>,
    /// The id that the client was given.
    pub request_id: String,
    /// The key, if it was known.
    pub credential_id: Option<KeyId>,
    /// The app that sent it, by a token.
    pub client_id: Option<AppId>,
    /// The person whom a token acts for.
    pub subject: Option<UserId>,
    /// The key that asked for the decision, a gateway's mostly, and its tenant: asking is how it is used. Not stored.
    pub asked_by: Option<(TenantId, KeyId)>,
    /// What kind of credential.
    pub kind: CredentialKind,
    /// Passed or not.
    pub outcome: Outcome,
    /// Why.
    pub code: Code,
    /// Method of the client's request.
    pub method: Option<String>,
    /// Path of the client's request, without its query.
    pub path: Option<String>,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// What the caller said of its versions.
    pub versions: Versions,
    /// Live or test.
    pub environment: Environment,
    /// What the request needed.
    pub required_scopes: Vec<Scope>,
    /// The environment that it needed; none accepted both.
    pub required_environment: Option<Environment>,
    /// The audience that a token had to name.
    pub audience: Option<String>,
    /// How much of the limits it asked for.
    pub cost: u32,
    /// Which secret of the key was used.
    pub secret_id: Option<SecretId>,
    /// What the key was allowed at that moment.
    pub policy: Option<Arc<StoredPolicy>>,
    /// What was left of the limit that it was charged to.
    pub rate_limit: Option<LimitFacts>,
    /// Who asked.
    pub source: UsageSource,
    /// How long the decision took, in microseconds.
    pub latency_us: u32,
}

/// Where decided requests go.
#[derive(Debug)]
pub struct Meter {
    queue: mpsc::Sender<NewEvent>,
    lost: AtomicU64,
    closing: Arc<Notify>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Meter {
    /// Starts the writer.
    pub(crate) fn start(db: Db) -> Self {
        let (queue, events) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let writer = tokio::spawn(write_all(db, events, Arc::clone(&closing)));
        Self { queue, lost: AtomicU64::new(0), closing, writer: Mutex::new(Some(writer)) }
    }

    /// Hands an event to the writer. When the queue is full and stays so, the event is lost, counted and logged.
    pub async fn record(&self, event: NewEvent) {
        let Err(full) = self.queue.try_send(event) else { return };
        let mpsc::error::TrySendError::Full(event) = full else { return self.lose() };
        if !matches!(timeout(PATIENCE, self.queue.send(event)).await, Ok(Ok(()))) {
            self.lose();
        }
    }

    /// Events in the queue, not stored yet.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Events that could not be stored since the process started.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn lose(&self) {
        let n = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::error!(lost = n, "a usage event was lost: the database does not keep up");
    }

    /// Takes no more events, writes out those that wait, and returns when they are stored.
    pub async fn stop(&self) {
        self.closing.notify_one();
        let Some(mut writer) = self.writer.lock().await.take() else { return };
        match timeout(WRITE_OUT, &mut writer).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => tracing::error!(error = %e, "the usage writer failed"),
            Err(_) => {
                writer.abort();
                tracing::error!("usage events were lost: the database did not answer before the shutdown");
            }
        }
    }
}

/// The writer: collects a batch, stores it, until the queue is closed and empty.
async fn write_all(db: Db, mut events: mpsc::Receiver<NewEvent>, closing: Arc<Notify>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut seen = Seen::default();
    let mut open = true;
    loop {
        let n = tokio::select! {
            biased;
            () = closing.notified(), if open => { events.close(); open = false; continue }
            n = events.recv_many(&mut batch, BATCH) => n,
        };
        if n == 0 {
            return;
        }
        let until = Instant::now() + LINGER;
        while open && batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                biased;
                () = closing.notified() => { events.close(); open = false }
                () = tokio::time::sleep_until(until) => break,
                n = events.recv_many(&mut batch, room) => if n == 0 { break },
            }
        }
        store(&db, &batch, &mut seen).await;
        batch.clear();
    }
}

/// Stores a batch; while the database is away, tries again, so that nothing is lost before the queue is full.
async fn store(db: &Db, batch: &[NewEvent], seen: &mut Seen) {
    let mut wait = Duration::from_millis(50);
    while let Err(e) = try_store(db, batch, seen).await {
        tracing::warn!(error = %e, waiting = batch.len(), "usage events wait for the database");
        sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

async fn try_store(db: &Db, batch: &[NewEvent], seen: &mut Seen) -> Result<()> {
    let mut tx = db.begin_all().await?;
    let fresh = seen.policies.fresh(batch);
    sql::insert_policies_unscoped(&mut tx, &fresh).await?;
    sql::insert_unscoped(&mut tx, batch).await?;
    let due = seen.used.due(batch);
    for (used, at) in &due {
        match used {
            Used::Key(key, tenant) => sql::touch_key_unscoped(&mut tx, *tenant, *key, *at).await?,
            Used::App(app) => sql::touch_app_unscoped(&mut tx, *app, *at).await?,
        }
    }
    tx.commit_quiet().await?;
    seen.used.remember(due);
    seen.policies.remember(&fresh);
    Ok(())
}

/// What the writer knows to be stored.
#[derive(Default)]
struct Seen {
    used: LastUsed,
    policies: Policies,
}

/// Policies that are stored already. Their hashes take 48 bytes each; a full cache starts anew.
#[derive(Default)]
struct Policies(HashSet<(TenantId, [u8; 32])>);

/// Policies remembered at most.
const POLICIES: usize = 200_000;

impl Policies {
    /// Those of the batch that may not be stored yet, each once, in one order in every process: two that store the same
    /// ones do not wait for each other in a circle.
    fn fresh(&self, batch: &[NewEvent]) -> Vec<(TenantId, Arc<StoredPolicy>)> {
        let mut fresh: BTreeMap<(TenantId, [u8; 32]), &Arc<StoredPolicy>> = BTreeMap::new();
        for e in batch {
            if let (Some(tenant), Some(policy)) = (e.tenant_id, &e.policy)
                && !self.0.contains(&(tenant, policy.hash))
            {
                fresh.entry((tenant, policy.hash)).or_insert(policy);
            }
        }
        fresh.into_iter().map(|((tenant, _), policy)| (tenant, Arc::clone(policy))).collect()
    }

    fn remember(&mut self, stored: &[(TenantId, Arc<StoredPolicy>)]) {
        if self.0.len() + stored.len() > POLICIES {
            self.0.clear();
        }
        self.0.extend(stored.iter().map(|(tenant, policy)| (*tenant, policy.hash)));
    }
}

/// What is used by a request. Everybody who changes several does so in this order: nobody waits in a circle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Used {
    Key(KeyId, TenantId),
    /// In whichever tenant it acts: it is one app.
    App(AppId),
}

/// When each `last_used_at` was written; at most once a minute each.
#[derive(Default)]
struct LastUsed(HashMap<Used, UnixMs>);

impl LastUsed {
    fn due(&self, batch: &[NewEvent]) -> Vec<(Used, UnixMs)> {
        let mut latest: HashMap<Used, UnixMs> = HashMap::new();
        for e in batch {
            let allowed = e.outcome == Outcome::Allowed;
            let decided = e.tenant_id.zip(e.credential_id).filter(|_| allowed);
            let app = e.client_id.filter(|_| allowed).map(Used::App);
            // Who asks has used its key, however the decision went.
            for used in decided.into_iter().chain(e.asked_by).map(|(tenant, key)| Used::Key(key, tenant)).chain(app) {
                let slot = latest.entry(used).or_insert(e.at);
                *slot = (*slot).max(e.at);
            }
        }
        let fresh = |used: &Used, at: UnixMs| self.0.get(used).is_none_or(|before| at.0 - before.0 >= 60_000);
        let mut due: Vec<_> = latest.into_iter().filter(|(used, at)| fresh(used, *at)).collect();
        due.sort_unstable();
        due
    }

    fn remember(&mut self, written: Vec<(Used, UnixMs)>) {
        self.0.extend(written);
    }
}
