//! Schema migrations, embedded. Both databases have the same file names.

use super::{Db, Pools};
use crate::{Error, Result};
use sqlx::{ConnectOptions, Connection};

/// Brings the schema up to date; safe to run from several processes at once.
pub async fn migrate(db: &Db) -> Result<()> {
    match &db.pools {
        Pools::Sqlite { writer, .. } => sqlx::migrate!("../../migrations/sqlite").run(writer).await,
        Pools::Postgres { pool, .. } => {
            // A connection of its own: a migration may touch the rows of every tenant, and no request gets to see that.
            let mut own = pool.connect_options().connect().await?;
            sqlx::raw_sql("SET keystead.scope = 'all'").execute(&mut own).await?;
            let done = sqlx::migrate!("../../migrations/postgres").run(&mut own).await;
            own.close().await?;
            done
        }
    }
    .map_err(Error::internal)
}
