//! What runs beside the requests: following the log of key changes, sweeping ended sessions.

use domain::{Core, identity::sessions};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::interval};

/// How often the log of key changes is read: a revocation by another process works here within this and a read.
const FOLLOW: Duration = Duration::from_millis(250);
/// How often ended sessions are removed.
const SWEEP: Duration = Duration::from_secs(600);

/// Starts the jobs; they end when the set is dropped.
pub fn start(core: &Arc<Core>) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    jobs.spawn(follow(Arc::clone(core)));
    jobs.spawn(sweep(Arc::clone(core)));
    jobs
}

async fn follow(core: Arc<Core>) {
    let mut tick = interval(FOLLOW);
    let mut away = false;
    loop {
        tick.tick().await;
        match core.cache.sync(&core).await {
            Ok(()) if away => {
                away = false;
                tracing::info!("the database answers again");
            }
            Ok(()) => {}
            Err(e) if !away => {
                away = true;
                tracing::error!(error = %e, "the database does not answer: deciding from memory");
            }
            Err(_) => {}
        }
    }
}

async fn sweep(core: Arc<Core>) {
    let mut tick = interval(SWEEP);
    loop {
        tick.tick().await;
        if let Err(e) = sessions::sweep(&core.db, core.now()).await {
            tracing::warn!(error = %e, "ended sessions were not swept");
        }
    }
}
