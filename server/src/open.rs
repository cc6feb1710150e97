//! Opens an installation: data directory, database, schema, master key.

use crate::config::Config;
use anyhow::{Context, Result, anyhow, bail};
use contract::Secret;
use domain::{
    Core, Settings,
    clock::{Clock, SystemClock, SystemEntropy},
    db::{self, Db},
    seal::{DataKeys, MasterKey},
};
use std::{
    fs::{DirBuilder, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

/// Connects to the database of the settings, makes it if it is not there, and brings its schema up to date.
pub async fn database(config: &Config) -> Result<Db> {
    let url = config.database_url()?;
    if !config.data_dir.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&config.data_dir)
            .with_context(|| format!("KEYSTEAD_DATA_DIR: cannot make the directory {}", config.data_dir.display()))?;
    }
    // The URL may hold a password: it is never printed.
    let db = Db::connect(&url).await.context(config.database_setting())?;
    migrate(&db).await?;
    Ok(db)
}

/// The same of a database that holds an installation, and nothing is made: a wrong setting does not begin a second one.
async fn existing(config: &Config) -> Result<Db> {
    let db = Db::connect_existing(&config.database_url()?).await.context(config.database_setting())?;
    let mut there = db::has_schema(&db).await.context(config.database_setting())?;
    if there {
        migrate(&db).await?;
        there = DataKeys::exist(&db).await?;
    }
    if !there {
        bail!(
            "{}: no installation is in that database: name another, or make one by `keystead serve` or `keystead bootstrap`",
            config.database_setting()
        );
    }
    Ok(db)
}

async fn migrate(db: &Db) -> Result<()> {
    db::migrate(db).await.context("cannot bring the schema up to date")
}

/// Opens everything, a new installation where there is none. `public_url` is where clients reach this server.
pub async fn core(config: &Config, public_url: &str, insecure: bool) -> Result<Arc<Core>> {
    start(config, database(config).await?, public_url, insecure).await
}

/// Opens an installation that is there.
pub async fn existing_core(config: &Config, public_url: &str, insecure: bool) -> Result<Arc<Core>> {
    start(config, existing(config).await?, public_url, insecure).await
}

async fn start(config: &Config, db: Db, public_url: &str, insecure: bool) -> Result<Arc<Core>> {
    let master = master_key(config, DataKeys::exist(&db).await?)?;
    let keys = DataKeys::open(&db, &master, SystemClock.now(), &SystemEntropy).await?;
    let settings = Settings {
        public_url: public_url.to_owned(),
        environment: config.environment,
        max_staleness: config.max_staleness,
        insecure,
        sends_mail: config.smtp_url()?.is_some(),
    };
    Ok(Core::start(db, keys, settings, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?)
}

/// The master key that was given, or the one in the data directory; a new database gets a new one, an existing
/// database without its key is refused.
fn master_key(config: &Config, database_has_keys: bool) -> Result<MasterKey> {
    let file = config.data_dir.join("master.key");
    let read = |text: &Secret<String>, whence: &str| {
        let key = MasterKey::from_base64(text.expose());
        key.map_err(|_| {
            anyhow!("{whence} does not hold 32 bytes of base64: put the installation’s key there; for a new one, openssl rand -base64 32")
        })
    };
    if let Some(given) = config.given_master_key()? {
        return read(&given, if config.master_key.is_some() { "KEYSTEAD_MASTER_KEY" } else { "the file of KEYSTEAD_MASTER_KEY_FILE" });
    }
    if file.exists() {
        let text = Secret::new(std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?);
        return read(&text, &file.display().to_string());
    }
    if database_has_keys {
        bail!(
            "the database has a master key, but {} is missing: put it back, or set KEYSTEAD_MASTER_KEY or KEYSTEAD_MASTER_KEY_FILE",
            file.display()
        );
    }
    let key = MasterKey::generate(&SystemEntropy);
    write_new(&file, key.to_base64().expose())?;
    tracing::info!(file = %file.display(), "made a new master key: keep a copy of it apart from the database's backups");
    Ok(key)
}

/// Another process may start on the same new database at the same time: whoever writes the file first wins, and the
/// other one fails here and is started again.
fn write_new(file: &Path, text: &str) -> Result<()> {
    let mut f = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("cannot make {}", file.display()))?;
    f.write_all(text.as_bytes()).and_then(|()| f.sync_all()).with_context(|| format!("cannot write {}", file.display()))
}
