//! PostgreSQL tells other nodes at once that the log of key changes grew. The log is the truth: a lost notification
//! costs a poll, never a change.

use super::{Db, Inner, Pools, Tx};
use crate::Result;
use sqlx::postgres::{PgListener, PgPoolOptions};

const CHANNEL: &str = "keystead_key_changes";

/// Hears of changes that other processes made; on SQLite there is nothing to hear, and everybody polls.
#[derive(Debug)]
pub struct Wake(Option<PgListener>);

impl Db {
    /// Starts to listen, on a connection that no request holds or waits for.
    pub async fn wake(&self) -> Result<Wake> {
        let Pools::Postgres { pool, .. } = &self.pools else { return Ok(Wake(None)) };
        let own = PgPoolOptions::new().max_connections(1).connect_lazy_with((*pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&own).await?;
        listener.listen(CHANNEL).await?;
        Ok(Wake(Some(listener)))
    }
}

impl Wake {
    /// Returns when somebody committed a change; never, where nobody tells. A lost connection is one more reason to look.
    pub async fn heard(&mut self) {
        match &mut self.0 {
            Some(listener) => {
                if listener.recv().await.is_err() {
                    // It reconnects by itself; the caller polls meanwhile.
                    std::future::pending::<()>().await;
                }
            }
            None => std::future::pending().await,
        }
    }
}

/// Tells everybody who listens, when the transaction commits.
pub(crate) async fn tell(tx: &mut Tx) -> Result<()> {
    if let Inner::Postgres(t) = &mut tx.inner {
        sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&mut **t).await?;
    }
    Ok(())
}
