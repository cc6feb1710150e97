//! Schema migrations, embedded. Both databases have the same file names.

use super::Db;
use crate::{Error, Result};

/// Brings the schema up to date; safe to run from several processes at once.
pub async fn migrate(db: &Db) -> Result<()> {
    match db {
        Db::Sqlite { writer, .. } => sqlx::migrate!("../../migrations/sqlite").run(writer).await,
        Db::Postgres(pool) => sqlx::migrate!("../../migrations/postgres").run(pool).await,
    }
    .map_err(Error::internal)
}
