//! One installation in one process: database, keys, clock, the snapshot of API keys, the meter.

use crate::{
    Result,
    clock::{Clock, Entropy, UuidSequence},
    db::Db,
    identity::{Closed, Hasher},
    oauth::Apps,
    seal::DataKeys,
    streams::Streams,
    tokens::{self, Tokens},
    usage::Meter,
    verify::{KeyCache, limit::Limiter},
};
use contract::{Environment, UnixMs};
use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};
use uuid::Uuid;

/// What the operator set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where outside clients reach this server, without a slash at the end.
    pub public_url: String,
    /// `live`, or `test` for a sandbox where only test credentials exist.
    pub environment: Environment,
    /// How long known credentials are still decided from memory while the database is away.
    pub max_staleness: Duration,
    /// The public URL is plain http and not loopback.
    pub insecure: bool,
    /// A mail server is set; without one, mails wait.
    pub sends_mail: bool,
}

/// One installation in one process.
pub struct Core {
    /// The database.
    pub db: Db,
    /// What the operator set.
    pub settings: Settings,
    /// The pepper and the other data keys, unwrapped.
    pub keys: DataKeys,
    /// Every API key, as decisions need it.
    pub cache: KeyCache,
    /// Every OAuth app, as its requests are judged.
    pub apps: Apps,
    /// Signing keys, and which tokens were ended before their time.
    pub tokens: Tokens,
    /// How often credentials were used.
    pub limits: Limiter,
    /// Ways to sign in that are closed.
    pub closed: Closed,
    /// Event streams that are open.
    pub streams: Streams,
    /// Where decided requests go.
    pub meter: Meter,
    /// Hashes passwords, a few at a time.
    pub hasher: Hasher,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    ids: UuidSequence,
    stopping: watch::Sender<bool>,
    /// What goes on after its request was answered.
    afterwards: Mutex<JoinSet<()>>,
}

impl Core {
    /// Puts an installation together: loads the snapshot of keys and tokens, starts the meter.
    pub async fn start(db: Db, keys: DataKeys, settings: Settings, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Arc<Self>> {
        let cache = KeyCache::new();
        let meter = Meter::start(db.clone());
        let hasher = Hasher::new();
        let core = Arc::new(Self {
            db,
            settings,
            keys,
            cache,
            apps: Apps::default(),
            tokens: Tokens::default(),
            limits: Limiter::default(),
            closed: Closed::default(),
            streams: Streams::default(),
            meter,
            hasher,
            clock,
            entropy,
            ids: UuidSequence::default(),
            stopping: watch::Sender::new(false),
            afterwards: Mutex::default(),
        });
        core.cache.sync(&core).await?;
        tokens::tend(&core).await?;
        Ok(core)
    }

    /// Now.
    pub fn now(&self) -> UnixMs {
        self.clock.now()
    }

    /// Where secrets come from.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// A fresh UUIDv7, larger than every one before it.
    pub fn new_uuid(&self) -> Uuid {
        self.ids.next(self.now(), self.entropy())
    }

    /// Tells what would never end by itself, such as streams, to end now.
    pub fn announce_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Returns when the process is about to stop.
    pub async fn stopping(&self) {
        let mut told = self.stopping.subscribe();
        // The sender lives as long as the core that is borrowed here.
        let _told = told.wait_for(|stop| *stop).await;
    }

    /// Goes on with something after the request was answered: nobody can tell from the answer's time that it is done.
    pub(crate) fn afterwards(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut all = self.afterwards.lock().unwrap_or_else(PoisonError::into_inner);
        while all.try_join_next().is_some() {}
        all.spawn(work);
    }

    /// Waits for what goes on after its request was answered.
    pub async fn settle(&self) {
        let mut all = mem::take(&mut *self.afterwards.lock().unwrap_or_else(PoisonError::into_inner));
        while all.join_next().await.is_some() {}
    }

    /// Writes out what the meter and the requests before still hold, then closes the database.
    pub async fn stop(&self) {
        self.settle().await;
        self.meter.stop().await;
        self.db.close().await;
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("settings", &self.settings).finish_non_exhaustive()
    }
}
