//! For tests: an installation on a database of its own, on SQLite and on PostgreSQL, with a clock that tests move.

mod inspect;

use crate::{
    Core, Ctx, RequestInfo, Settings, Who,
    clock::{Clock, Entropy, SystemEntropy},
    ctx::Person,
    db::{Db, migrate, on},
    seal::{DataKeys, MasterKey},
    tenants::{self, Bootstrapped},
    verify,
};
use contract::{Environment, KeyForm, Role, Secret, TenantId, UnixMs, UserId};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// The password of every test owner.
pub const PASSWORD: &str = "gravel orbit lantern seven";

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("a test's step"), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::SeqCst))
    }
}

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the server of `KEYSTEAD_TEST_POSTGRES_URL`.
    Postgres,
}

/// An installation with its first tenant.
#[derive(Debug)]
pub struct TestInstallation {
    /// The installation.
    pub core: Arc<Core>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Its first tenant, owner and keys.
    pub first: Bootstrapped,
    /// Where it lies; a second process would connect here.
    pub url: String,
    /// Opens it.
    pub master: MasterKey,
    file: Option<PathBuf>,
}

/// A fresh database on the server that the test script started; without it the test fails, it never skips.
pub async fn database_url(on: On) -> (String, Option<PathBuf>) {
    let mut random = [0; 8];
    SystemEntropy.fill(&mut random);
    let name = format!("keystead_test_{:016x}", u64::from_le_bytes(random));
    match on {
        On::Sqlite => {
            let file = std::env::temp_dir().join(format!("{name}.db"));
            (format!("sqlite://{}", file.display()), Some(file))
        }
        On::Postgres => {
            let server = std::env::var("KEYSTEAD_TEST_POSTGRES_URL").expect("KEYSTEAD_TEST_POSTGRES_URL: run the tests by `make test`");
            let pool = sqlx::PgPool::connect(&format!("{server}/postgres")).await.expect("the test PostgreSQL answers");
            sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.expect("a database of its own");
            pool.close().await;
            (format!("{server}/{name}"), None)
        }
    }
}

impl TestInstallation {
    /// A live installation with the tenant Acme.
    pub async fn new(on: On) -> Self {
        Self::with(on, Environment::Live).await
    }

    /// The same of either environment.
    pub async fn with(on: On, environment: Environment) -> Self {
        Self::bootstrapped(empty(on, environment, false).await).await
    }

    /// The same where a mail server is set; tests send the mails.
    pub async fn with_mail(on: On) -> Self {
        Self::bootstrapped(empty(on, Environment::Live, true).await).await
    }

    async fn bootstrapped(mut t: Self) -> Self {
        let ctx = t.as_who(Who::Anonymous);
        t.first = tenants::bootstrap(&ctx, "Acme", "owner@acme.test", Secret::new(PASSWORD.into())).await.expect("bootstraps");
        t
    }

    /// Another process on the same database.
    pub async fn second_process(&self) -> Arc<Core> {
        let db = Db::connect(&self.url).await.expect("connects");
        start(db, &self.master, self.clock.clone(), self.core.settings.environment, self.core.settings.sends_mail).await
    }

    /// A request by whoever.
    pub fn as_who(&self, who: Who) -> Ctx {
        Ctx::new(self.core.clone(), who, RequestInfo { id: "req_test".into(), ..RequestInfo::default() })
    }

    /// The first tenant's owner in the console.
    pub fn owner(&self) -> Ctx {
        self.member(self.first.user_id, self.first.tenant_id, Role::Owner)
    }

    /// Somebody in the console, in any role.
    pub fn member(&self, user_id: UserId, tenant_id: TenantId, role: Role) -> Ctx {
        let platform_admin = role == Role::Owner && tenant_id == self.first.tenant_id;
        self.as_who(Who::Person(Person {
            user_id,
            email: "owner@acme.test".into(),
            tenant_id,
            role,
            platform_admin,
            supporting: false,
            must_enrol: false,
        }))
    }

    /// A create form as a browser would send it.
    pub fn form(&self, name: &str, scopes: &str) -> KeyForm {
        let form_id = contract::FormId::from_uuid(self.core.new_uuid()).to_string();
        KeyForm {
            form_id,
            name: name.into(),
            more_scopes: scopes.into(),
            environment: self.core.settings.environment.to_string(),
            ..KeyForm::default()
        }
    }

    /// A request with a key.
    pub fn with_key(&self, secret: &str) -> Ctx {
        let found = verify::check(&self.core, secret, None, &contract::Requirement::default(), None, true).expect("the snapshot is fresh");
        self.as_who(Who::Key(found.entry.expect("a key of this installation")))
    }

    /// Runs one statement of a test's own, as an intruder in the database would.
    pub async fn tamper(&self, sql: &'static str) {
        let mut tx = self.core.db.begin_all().await.expect("begins");
        on!(tx, c => sqlx::query(sql).execute(c).await.map(drop)).expect("runs");
        tx.commit_quiet().await.expect("commits");
    }
}

/// An installation on which nobody has been set up yet; its `first` names nothing that exists.
pub async fn bare(on: On) -> TestInstallation {
    empty(on, Environment::Live, false).await
}

async fn empty(on: On, environment: Environment, sends_mail: bool) -> TestInstallation {
    let (url, file) = database_url(on).await;
    let db = Db::connect(&url).await.expect("connects");
    migrate(&db).await.expect("migrates");
    let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000)));
    let master = MasterKey::generate(&SystemEntropy);
    let core = start(db, &master, clock.clone(), environment, sends_mail).await;
    let nobody = Bootstrapped {
        tenant_id: TenantId::from_uuid(core.new_uuid()),
        user_id: UserId::from_uuid(core.new_uuid()),
        api_key: String::new(),
        gateway_key: String::new(),
    };
    TestInstallation { core, clock, first: nobody, url, master, file }
}

impl Drop for TestInstallation {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            for end in ["", "-wal", "-shm"] {
                let _gone_already = std::fs::remove_file(format!("{}{end}", file.display()));
            }
        }
    }
}

async fn start(db: Db, master: &MasterKey, clock: Arc<TestClock>, environment: Environment, sends_mail: bool) -> Arc<Core> {
    let keys = DataKeys::open(&db, master, clock.now(), &SystemEntropy).await.expect("opens its keys");
    let public_url = "http://localhost".into();
    let settings = Settings { public_url, environment, max_staleness: Duration::from_secs(30), insecure: false, sends_mail };
    Core::start(db, keys, settings, clock, Arc::new(SystemEntropy)).await.expect("starts")
}

/// What an authenticator app with this secret shows at a time.
pub fn one_time_code(secret: &str, at: UnixMs) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base32");
    let app = totp_rs::Builder::new().with_secret(secret).build().expect("long enough");
    app.generate(u64::try_from(at.0 / 1_000).expect("after 1970")).to_string()
}

/// Makes of one async test body two tests, `sqlite` and `postgres`.
#[macro_export]
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($t:ident) $body:block) => {
        mod $name {
            use super::*;

            async fn body($t: $crate::testing::TestInstallation) $body

            #[tokio::test]
            async fn sqlite() {
                body($crate::testing::TestInstallation::new($crate::testing::On::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                body($crate::testing::TestInstallation::new($crate::testing::On::Postgres).await).await;
            }
        }
    };
}
