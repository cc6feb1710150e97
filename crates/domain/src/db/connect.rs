//! Opening the database that the operator named. What goes wrong is said in words for them, never with the password.

use super::{ACQUIRE, CONNECTIONS, Db, Pools, READERS};
use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::PathBuf, str::FromStr, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is of another kind of database, or none.
    #[error("it must be sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Address,
    /// The folder of an SQLite file is missing.
    #[error("the directory {} does not exist: make it, or name another file", .0.display())]
    NoDirectory(PathBuf),
    /// The SQLite file is missing.
    #[error("{} does not exist: name the one of the installation, or make a new one by `keystead serve` or `keystead bootstrap`", .0.display())]
    NoFile(PathBuf),
    /// The SQLite file cannot be opened.
    #[error("{} cannot be opened as an SQLite database ({}): check that it is one, and that this user may write there", .0.display(), .1)]
    File(PathBuf, String),
    /// Nobody answers.
    #[error("PostgreSQL does not answer at {0} ({1}): check that it runs, and host and port")]
    Unreachable(String, String),
    /// The server has no such database.
    #[error("there is no database {1} on the PostgreSQL at {0}: make it (createdb {1}), or name another")]
    NoDatabase(String, String),
    /// The server does not let this user in.
    #[error("the PostgreSQL at {0} does not let {1} in: check user and password")]
    Refused(String, String),
    /// The role sees the rows of every tenant, whatever a transaction asks for.
    #[error(
        "{1} at {0} is a superuser or has BYPASSRLS, so that row-level security does not keep tenants apart: \
         connect as an ordinary role that owns the database (ALTER ROLE \"{1}\" NOSUPERUSER NOBYPASSRLS, or CREATE ROLE another)"
    )]
    Unbound(String, String),
    /// Anything else that it says.
    #[error("the PostgreSQL at {0} refuses the connection: {1}")]
    Other(String, String),
}

/// Connects to `sqlite://path` or `postgres://…`; makes a file that is not there, if so asked.
pub(super) async fn connect(url: &str, make: bool) -> Result<Db, ConnectError> {
    match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => postgres(url).await,
        Some(("sqlite", _)) => sqlite(url, make).await,
        _ => Err(ConnectError::Address),
    }
}

async fn sqlite(url: &str, make: bool) -> Result<Db, ConnectError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| ConnectError::Address)?
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit reaches the disk before it is answered: an acknowledged write survives a power loss.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    let file = options.get_filename().to_path_buf();
    let missing = !file.exists();
    if missing && !make {
        return Err(ConnectError::NoFile(file));
    }
    if let Some(dir) = file.parent().filter(|d| !d.as_os_str().is_empty() && !d.is_dir()) {
        return Err(ConnectError::NoDirectory(dir.to_path_buf()));
    }
    if missing {
        // For its owner only, as SQLite then makes the files beside it. Another process may make it at the same time.
        let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file);
        made.map_err(|e| ConnectError::File(file.clone(), e.to_string()))?;
    }
    let failed = |e: sqlx::Error| ConnectError::File(file.clone(), said(&e));
    let pool = |most| SqlitePoolOptions::new().max_connections(most).acquire_timeout(ACQUIRE).connect_with(options.clone());
    let writer = pool(1).await.map_err(failed)?;
    let readers = pool(READERS).await.map_err(failed)?;
    let follower = pool(1).await.map_err(failed)?;
    Ok(Db::of(Pools::Sqlite { writer, readers, follower }, READERS))
}

/// One connection first: a pool that gets none says only that it waited. A server that is still starting has the time
/// that a request has.
async fn postgres(url: &str) -> Result<Db, ConnectError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| ConnectError::Address)?;
    let at = format!("{}:{}", options.get_host(), options.get_port());
    let until = Instant::now() + ACQUIRE;
    loop {
        let (e, again) = match timeout_at(until, options.connect()).await {
            Ok(Ok(mut one)) => {
                let role: Option<String> =
                    sqlx::query_scalar(UNBOUND).fetch_optional(&mut one).await.map_err(|e| explain(&options, &at, &e).0)?;
                // It has done its work; how it ends does not matter.
                drop(one.close().await);
                match role {
                    Some(role) => return Err(ConnectError::Unbound(at, role)),
                    None => break,
                }
            }
            Ok(Err(e)) => explain(&options, &at, &e),
            Err(_) => (ConnectError::Unreachable(at.clone(), "no answer in time".to_owned()), false),
        };
        if !again || Instant::now() + PAUSE >= until {
            return Err(e);
        }
        sleep(PAUSE).await;
    }
    let pool = |most| PgPoolOptions::new().max_connections(most).acquire_timeout(ACQUIRE).connect_lazy_with(options.clone());
    Ok(Db::of(Pools::Postgres { pool: pool(CONNECTIONS), follower: pool(1) }, CONNECTIONS))
}

/// Has anybody made a schema here?
pub async fn has_schema(db: &Db) -> Result<bool, sqlx::Error> {
    const SQLITE: &str = "SELECT COUNT(*) FROM pragma_table_info('_sqlx_migrations')";
    const POSTGRES: &str = "SELECT COUNT(*) FROM pg_tables WHERE tablename = '_sqlx_migrations' AND schemaname = current_schema()";
    let n: i64 = match &db.pools {
        Pools::Sqlite { writer, .. } => sqlx::query_scalar(SQLITE).fetch_one(writer).await?,
        Pools::Postgres { pool, .. } => sqlx::query_scalar(POSTGRES).fetch_one(pool).await?,
    };
    Ok(n > 0)
}

/// The role, if row-level security does not bind it (s69).
const UNBOUND: &str = "SELECT CAST(rolname AS TEXT) FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)";

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// What went wrong, and whether it may pass by itself.
fn explain(options: &PgConnectOptions, at: &str, e: &sqlx::Error) -> (ConnectError, bool) {
    let at = at.to_owned();
    let code = e.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some("3D000") => {
            let database = options.get_database().unwrap_or_else(|| options.get_username()).to_owned();
            (ConnectError::NoDatabase(at, database), false)
        }
        Some("28P01" | "28000") => (ConnectError::Refused(at, options.get_username().to_owned()), false),
        Some("57P03" | "53300") => (ConnectError::Unreachable(at, said(e)), true),
        _ if matches!(e, sqlx::Error::Io(_)) => (ConnectError::Unreachable(at, said(e)), true),
        _ => (ConnectError::Other(at, said(e)), false),
    }
}

/// The cause in one line, without sqlx's own preface.
fn said(e: &sqlx::Error) -> String {
    let text = match e {
        sqlx::Error::Io(e) => e.to_string(),
        sqlx::Error::Database(e) => e.message().to_owned(),
        other => other.to_string(),
    };
    text.lines().next().unwrap_or_default().to_owned()
}
