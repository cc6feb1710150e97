//! What runs beside the requests: following the logs of changes, sweeping ended sessions, replacing signing keys, telling of keys that
//! expire, sending mails.

use crate::mail::{self, Mailer};
use domain::{
    Core,
    db::Wake,
    idempotency,
    identity::{self, sessions},
    keys, mail as mails, tenants, tokens,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{interval, timeout},
};

/// How often the log of key changes is read: a revocation by another process works here within this and a read. On
/// PostgreSQL a notification wakes the follower before that.
const FOLLOW: Duration = Duration::from_millis(250);
/// How often ended sessions and rested counts are removed.
const SWEEP: Duration = Duration::from_secs(300);

/// Starts the jobs; they end when the set is dropped.
pub fn start(core: &Arc<Core>, mailer: Option<Mailer>) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    if let Some(mailer) = mailer {
        jobs.spawn(mail::run(Arc::clone(core), mailer));
    }
    jobs.spawn(follow(Arc::clone(core)));
    jobs.spawn(sweep(Arc::clone(core)));
    jobs
}

async fn follow(core: Arc<Core>) {
    let mut tick = interval(FOLLOW);
    let mut wake: Option<Wake> = None;
    let mut away = false;
    loop {
        match &mut wake {
            Some(wake) => tokio::select! { _ = tick.tick() => {} () = wake.heard() => {} },
            None => _ = tick.tick().await,
        }
        let followed = core.cache.sync(&core).await;
        if wake.is_none() && followed.is_ok() {
            // Polling goes on without it: it must not wait long for a server that takes no further connection.
            wake = timeout(FOLLOW, core.db.wake()).await.ok().and_then(Result::ok);
        }
        match (followed, away) {
            (Ok(()), true) => tracing::info!("the database answers again"),
            (Err(e), false) => tracing::error!(error = %e, "the database does not answer: deciding from memory"),
            (Ok(()), false) => continue,
            (Err(_), true) => {
                wake = None;
                continue;
            }
        }
        away = !away;
    }
}

async fn sweep(core: Arc<Core>) {
    let mut tick = interval(SWEEP);
    loop {
        tick.tick().await;
        core.limits.sweep(core.now());
        if let Err(e) = idempotency::sweep(&core.db, core.now()).await {
            tracing::warn!(error = %e, "kept answers were not swept");
        }
        if let Err(e) = tenants::remove_due(&core).await {
            tracing::warn!(error = %e, "deleted tenants were not removed");
        }
        if let Err(e) = tenants::forget_usage(&core).await {
            tracing::warn!(error = %e, "old requests were not removed");
        }
        if let Err(e) = keys::orphans::disable_due(&core).await {
            tracing::warn!(error = %e, "orphaned keys were not disabled");
        }
        if let Err(e) = sessions::sweep(&core.db, core.now()).await {
            tracing::warn!(error = %e, "ended sessions were not swept");
        }
        if let Err(e) = tokens::tend(&core).await {
            tracing::warn!(error = %e, "signing keys and ended logins were not tended");
        }
        if let Err(e) = keys::tell_of_expiry(&core).await {
            tracing::warn!(error = %e, "nobody was told of the keys that expire");
        }
        if let Err(e) = mails::sweep(&core).await {
            tracing::warn!(error = %e, "old mails were not swept");
        }
        if let Err(e) = identity::sweep_proof(&core.db, core.now()).await {
            tracing::warn!(error = %e, "old tries, devices and links were not swept");
        }
    }
}
