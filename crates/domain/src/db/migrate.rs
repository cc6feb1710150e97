//! Schema migrations, embedded. Both databases have the same file names.

use super::{Db, Pools};
use crate::{Error, Result};

/// Brings the schema up to date; safe to run from several processes at once.
pub async fn migrate(db: &Db) -> Result<()> {
    match &db.pools {
        Pools::Sqlite { writer, .. } => sqlx::migrate!("../../migrations/sqlite").run(writer).await,
        Pools::Postgres { pool, .. } => sqlx::migrate!("../../migrations/postgres").run(pool).await,
    }
    .map_err(Error::internal)
}
