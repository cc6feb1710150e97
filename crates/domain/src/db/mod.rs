//! Two databases, one SQL text: pools, transactions, and [`on!`], which picks the connection.

mod connect;
mod migrate;
mod wake;
mod write;

pub use connect::{ConnectError, has_schema};
pub use migrate::migrate;
pub use wake::Wake;
pub(crate) use wake::tell;
pub(crate) use write::commit_with;
pub use write::{Event, WriteTx};

use crate::{Error, Grant, Result};
use contract::TenantId;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a caller waits for a connection before it is told to try again.
const ACQUIRE: Duration = Duration::from_secs(5);

/// How long a heavy read waits for its turn before its caller is told to try again.
const TURN: Duration = Duration::from_secs(2);
/// Connections that read, of an embedded database.
const READERS: u32 = 4;
/// Connections of this process to a server.
const CONNECTIONS: u32 = 16;

/// The database of an installation.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
    /// Heavy reads at once: half of the connections, so that nobody's reports keep everybody's requests waiting.
    heavy: Arc<Semaphore>,
}

/// The follower of the log of key changes has a pool of one connection to itself: however many requests wait for the
/// others, a revocation is heard of (s34). A pool, because it replaces a connection that was lost.
#[derive(Clone, Debug)]
enum Pools {
    /// Embedded. One writer, so that a write never fails because of another; several readers.
    Sqlite { writer: SqlitePool, readers: SqlitePool, follower: SqlitePool },
    /// A server, for many nodes.
    Postgres { pool: PgPool, follower: PgPool },
}

/// Which tenants' rows a transaction sees and changes. PostgreSQL holds it to that, whatever its statements ask for
/// (s69); on SQLite the statements alone do.
#[derive(Clone, Copy)]
enum Sight {
    Nothing,
    One(TenantId),
    All,
}

impl Sight {
    /// Begins a transaction with it, in the one round trip that every beginning takes. It says all of it each time: a
    /// caller that went away while it began may have left its own to this connection.
    fn begin(self) -> AssertSqlSafe<String> {
        let (tenant, scope) = match self {
            Self::Nothing => (String::new(), ""),
            Self::One(tenant) => (tenant.uuid().to_string(), ""),
            Self::All => (String::new(), "all"),
        };
        AssertSqlSafe(format!("BEGIN; SET LOCAL keystead.tenant = '{tenant}'; SET LOCAL keystead.scope = '{scope}'"))
    }
}

/// A transaction on either database.
#[derive(Debug)]
pub struct Tx {
    pub(crate) inner: Inner,
    /// The turn of a heavy read, which ends with it.
    _turn: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
pub(crate) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one expression with the connection of whichever database the transaction is on.
macro_rules! on {
    ($t:expr, $c:ident => $e:expr) => {
        match &mut $t.inner {
            crate::db::Inner::Sqlite(t) => {
                let $c = &mut **t;
                $e
            }
            crate::db::Inner::Postgres(t) => {
                let $c = &mut **t;
                $e
            }
        }
    };
}
pub(crate) use on;

impl Db {
    /// Connects to `sqlite://path` or `postgres://…`; a SQLite file is made when it is missing.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        connect::connect(url, true).await
    }

    /// The same of a database that is there already: a file that is not there is not made.
    pub async fn connect_existing(url: &str) -> Result<Self, ConnectError> {
        connect::connect(url, false).await
    }

    fn of(pools: Pools, readers: u32) -> Self {
        Self { pools, heavy: Arc::new(Semaphore::new(readers as usize / 2)) }
    }

    /// Is it a server?
    pub const fn is_postgres(&self) -> bool {
        matches!(self.pools, Pools::Postgres { .. })
    }

    /// Starts a transaction that only reads, and no tenant's rows: people, sessions, what is the installation's own.
    pub async fn read(&self) -> Result<Tx> {
        self.reader(Sight::Nothing).await
    }

    /// The same for the rows of the grant's tenant.
    pub async fn read_in(&self, grant: &Grant) -> Result<Tx> {
        self.reader(Sight::One(grant.tenant_id())).await
    }

    /// The same for the rows of every tenant; a test lists who may.
    pub async fn read_all(&self) -> Result<Tx> {
        self.reader(Sight::All).await
    }

    /// [`Self::read_in`] for what reads much: reports, exports, a whole chain. Such reads take turns; who gets none is
    /// told to try again.
    pub async fn read_much_in(&self, grant: &Grant) -> Result<Tx> {
        self.heavy_reader(Sight::One(grant.tenant_id())).await
    }

    /// [`Self::read_all`] for what reads much.
    pub async fn read_much_all(&self) -> Result<Tx> {
        self.heavy_reader(Sight::All).await
    }

    async fn heavy_reader(&self, sight: Sight) -> Result<Tx> {
        let turn = timeout(TURN, Arc::clone(&self.heavy).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Error::unavailable("too many reports and exports at once")) };
        Ok(Tx { _turn: Some(turn), ..self.reader(sight).await? })
    }

    async fn reader(&self, sight: Sight) -> Result<Tx> {
        Ok(Tx::from(match &self.pools {
            Pools::Sqlite { readers, .. } => Inner::Sqlite(readers.begin().await?),
            Pools::Postgres { pool, .. } => Inner::Postgres(pool.begin_with(sight.begin()).await?),
        }))
    }

    /// Reads the rows of every tenant for the follower of the log of key changes, on a connection that no request ever
    /// holds.
    pub(crate) async fn follow_all(&self) -> Result<Tx> {
        Ok(Tx::from(match &self.pools {
            Pools::Sqlite { follower, .. } => Inner::Sqlite(follower.begin().await?),
            Pools::Postgres { follower, .. } => Inner::Postgres(follower.begin_with(Sight::All.begin()).await?),
        }))
    }

    /// Starts a transaction that writes, and no tenant's rows.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        self.writer(Sight::Nothing).await
    }

    /// The same for the rows of the grant's tenant. Use [`crate::Ctx::write`] where something changes that a person
    /// would ask about.
    pub(crate) async fn begin_in(&self, grant: &Grant) -> Result<Tx> {
        self.writer(Sight::One(grant.tenant_id())).await
    }

    /// The same for the rows of every tenant; a test lists who may.
    pub(crate) async fn begin_all(&self) -> Result<Tx> {
        self.writer(Sight::All).await
    }

    async fn writer(&self, sight: Sight) -> Result<Tx> {
        Ok(Tx::from(match &self.pools {
            Pools::Sqlite { writer, .. } => Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres { pool, .. } => Inner::Postgres(pool.begin_with(sight.begin()).await?),
        }))
    }

    /// Does the database answer?
    pub async fn ping(&self) -> Result<()> {
        let mut tx = self.read().await?;
        let one: i64 = on!(tx, c => sqlx::query_scalar("SELECT CAST(1 AS BIGINT)").fetch_one(c).await)?;
        if one == 1 { Ok(()) } else { Err(Error::unavailable("the database answered nonsense")) }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, follower } => {
                follower.close().await;
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, follower } => {
                follower.close().await;
                pool.close().await;
            }
        }
    }
}

impl From<Inner> for Tx {
    fn from(inner: Inner) -> Self {
        Self { inner, _turn: None }
    }
}

impl Tx {
    /// Commits what has no event: what the meter and the session store write.
    pub(crate) async fn commit_quiet(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(t) => t.commit().await?,
            Inner::Postgres(t) => t.commit().await?,
        }
        Ok(())
    }
}
