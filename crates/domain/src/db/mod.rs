//! Two databases, one SQL text: pools, transactions, and [`on!`], which picks the connection.

mod connect;
mod migrate;
mod wake;
mod write;

pub use connect::ConnectError;
pub use migrate::migrate;
pub use wake::Wake;
pub(crate) use wake::tell;
pub(crate) use write::record;
pub use write::{Event, WriteTx};

use crate::{Error, Result};
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::time::Duration;

/// How long a caller waits for a connection before it is told to try again.
const ACQUIRE: Duration = Duration::from_secs(5);

/// The database of an installation.
#[derive(Clone, Debug)]
pub enum Db {
    /// Embedded. One writer, so that a write never fails because of another; several readers.
    Sqlite {
        /// The one connection that writes.
        writer: SqlitePool,
        /// Those that read.
        readers: SqlitePool,
    },
    /// A server, for many nodes.
    Postgres(PgPool),
}

/// A transaction on either database.
#[derive(Debug)]
pub struct Tx {
    pub(crate) inner: Inner,
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
        connect::connect(url).await
    }

    /// Starts a transaction that only reads.
    pub async fn read(&self) -> Result<Tx> {
        let inner = match self {
            Self::Sqlite { readers, .. } => Inner::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner })
    }

    /// Starts a transaction that writes. Use [`crate::Ctx::write`] where something changes that a person would ask about.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        let inner = match self {
            Self::Sqlite { writer, .. } => Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner })
    }

    /// Does the database answer?
    pub async fn ping(&self) -> Result<()> {
        let mut tx = self.read().await?;
        let one: i64 = on!(tx, c => sqlx::query_scalar("SELECT CAST(1 AS BIGINT)").fetch_one(c).await)?;
        if one == 1 { Ok(()) } else { Err(Error::unavailable("the database answered nonsense")) }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
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
