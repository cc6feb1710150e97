//! What tests ask of a database behind the domain's back: its schema, its plans, everything it holds.

use super::TestInstallation;
use crate::{
    Grant, Versions,
    db::{Inner, Tx, on},
    usage::NewEvent,
};
use contract::{Code, CredentialKind, Environment, KeyId, Outcome, Role, UsageSource};
use sqlx::{AssertSqlSafe, Executor, Row, SqlSafeStr, types::Json};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

async fn run(mut tx: Tx, sql: String) -> Result<u64, String> {
    on!(tx, c => sqlx::query(AssertSqlSafe(sql)).execute(c).await.map(|r| r.rows_affected())).map_err(|e| e.to_string())
}

impl TestInstallation {
    /// Is it the PostgreSQL one?
    pub fn is_postgres(&self) -> bool {
        self.core.db.is_postgres()
    }

    /// Prepares a statement without running it; what the database says against it.
    pub async fn prepare(&self, sql: &str) -> Result<(), String> {
        let mut tx = self.core.db.read_all().await.expect("reads");
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        on!(tx, c => c.prepare(sql).await.map(drop)).map_err(|e| e.to_string())
    }

    /// Table, column, and whether it takes NULL.
    pub async fn columns(&self) -> BTreeSet<(String, String, bool)> {
        const SQLITE: &str = "SELECT m.name, c.name, c.\"notnull\" = 0 FROM sqlite_master m JOIN pragma_table_info(m.name) c \
            WHERE m.type = 'table' AND m.name NOT LIKE '!_sqlx%' ESCAPE '!' AND m.name NOT LIKE 'sqlite%'";
        const POSTGRES: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), is_nullable = 'YES' \
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '!_sqlx%' ESCAPE '!'";
        let mut tx = self.core.db.read_all().await.expect("reads");
        let rows: Vec<(String, String, bool)> = match &mut tx.inner {
            Inner::Sqlite(t) => sqlx::query_as(SQLITE).fetch_all(&mut **t).await,
            Inner::Postgres(t) => sqlx::query_as(POSTGRES).fetch_all(&mut **t).await,
        }
        .expect("the schema can be read");
        rows.into_iter().collect()
    }

    /// The tables that belong to a tenant, each with the column that says to which.
    pub async fn tenant_tables(&self) -> Vec<(String, &'static str)> {
        let columns = self.columns().await;
        let mut tables: Vec<_> = columns.into_iter().filter(|c| c.1 == "tenant_id").map(|c| (c.0, "tenant_id")).collect();
        tables.push(("tenants".to_owned(), "id"));
        tables
    }

    /// Runs a statement in a transaction about the grant's tenant, or about none, and takes it back: how many rows it
    /// gave or changed, or what the database says against it.
    pub async fn within(&self, grant: Option<&Grant>, sql: String) -> Result<u64, String> {
        let tx = match grant {
            Some(grant) => self.core.db.begin_in(grant).await,
            None => self.core.db.begin().await,
        };
        run(tx.expect("begins"), sql).await
    }

    /// The same in one that reaches across tenants.
    pub async fn across(&self, sql: String) -> Result<u64, String> {
        run(self.core.db.begin_all().await.expect("begins"), sql).await
    }

    /// Begins a transaction across tenants and gives it up in the middle of that, or right after it.
    pub async fn give_up_beginning(&self, after: Duration) {
        drop(tokio::time::timeout(after, self.core.db.begin_all()).await);
    }

    /// Everything the database holds, as a thief of it would see it.
    pub async fn dump(&self) -> String {
        if let Some(file) = &self.file {
            let read = |end: &str| std::fs::read(format!("{}{end}", file.display())).unwrap_or_default();
            return String::from_utf8_lossy(&[read(""), read("-wal")].concat()).into_owned();
        }
        let tables: BTreeSet<String> = self.columns().await.into_iter().map(|c| c.0).collect();
        let mut tx = self.core.db.read_all().await.expect("reads");
        let mut out = String::new();
        for table in tables {
            let sql = AssertSqlSafe(format!("SELECT CAST(t AS TEXT) FROM {table} t"));
            let rows: Vec<String> = match &mut tx.inner {
                Inner::Postgres(t) => sqlx::query_scalar(sql).fetch_all(&mut **t).await.expect("dumps"),
                Inner::Sqlite(_) => Vec::new(),
            };
            out.extend(rows);
        }
        out
    }

    /// Topic and payload of every event that waits to be delivered, oldest first.
    pub async fn outbox(&self) -> Vec<(String, serde_json::Value)> {
        let mut tx = self.core.db.read_all().await.expect("reads");
        let rows: Vec<(String, Json<serde_json::Value>)> =
            on!(tx, c => sqlx::query_as("SELECT topic, payload FROM outbox ORDER BY id").fetch_all(c).await).expect("runs");
        rows.into_iter().map(|(topic, payload)| (topic, payload.0)).collect()
    }

    /// Asks for one number.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut tx = self.core.db.read_all().await.expect("reads");
        on!(tx, c => sqlx::query_scalar(sql).fetch_one(c).await).expect("counts")
    }

    /// Makes another tenant, and answers a key of it that may do everything there.
    pub async fn other_tenant(&self) -> String {
        let name = contract::TenantName::parse("Globex").expect("a name");
        let made = crate::tenants::create(&self.owner(), &name, None).await.expect("a tenant");
        let theirs = self.as_who(crate::Who::CommandLine(made.id));
        crate::keys::create_from_form(&theirs, &self.form("theirs", "admin")).await.expect("a key").key.expect("its secret")
    }

    /// A request by bootstrap's gateway.
    pub fn gateway(&self) -> crate::Ctx {
        let entry = crate::verify::gateway(&self.core, &self.first.gateway_key, None).expect("the gateway's key is good");
        self.as_who(crate::Who::Key(entry))
    }

    /// Somebody who was invited to the first tenant and joined it with the password of every test owner.
    pub async fn join(&self, email: &str, role: Role) -> crate::Ctx {
        let invite = contract::Invite { email: contract::Email::parse(email).expect("an address"), role, days: 7 };
        let made = crate::members::invite(&self.owner(), invite).await.expect("invites");
        let url = made.accept_url.expect("a link");
        let token = url.split("token=").nth(1).expect("a token").to_owned();
        let form = contract::AcceptForm { token, password: super::PASSWORD.into() };
        let signed_in = crate::members::accept(&self.as_who(crate::Who::Anonymous), &form).await.expect("joins").expect("a new account");
        let person = crate::identity::resume(&self.core, signed_in.who).await.expect("reads").expect("a member");
        self.as_who(crate::Who::Person(person))
    }

    /// A session of somebody who signs in a moment ago.
    pub async fn open_session(&self, id: &str, who: crate::identity::SignedIn) {
        let mut tx = self.core.db.read_all().await.expect("begins");
        let ground = crate::identity::Admitted::by(&mut tx, who).await.expect("an account").ground();
        drop(tx);
        let stored = crate::identity::sessions::insert(&self.core, id, "{}", Some((who, ground)), None).await;
        assert!(stored.expect("a member"), "the id is taken");
    }

    /// The owner lets an app of their tenant in.
    pub async fn allow(&self, app: contract::AppId) -> contract::GrantId {
        let session = crate::InSession { digest: vec![1; 32], proven_at: self.core.now() };
        let owner = self.owner().in_session(session);
        let query = [("client_id", app.to_string()), ("response_type", "code".to_owned())].map(|(n, v)| (n.to_owned(), v));
        let (client, asked) = crate::oauth::check(&self.core, &query).expect("a good request");
        let next = crate::oauth::begin(&owner, &client, &asked).await.expect("begins");
        let crate::oauth::Next::Ask(id) = next else { panic!("{next:?}") };
        crate::oauth::decide(&owner, id, owner.tenant_id()).await.expect("allows");
        crate::oauth::mine(&owner).await.expect("reads").into_iter().find(|g| g.app_id == app).expect("a grant").id
    }

    /// The caller of the installation's own API with a token, as the HTTP layer makes it; none where it refuses one.
    pub async fn by_token(&self, jwt: &str) -> Option<crate::Ctx> {
        let decision = crate::verify::check(&self.core, jwt, None, &contract::Requirement::default(), None, true).expect("decides");
        let token = decision.token.filter(|_| decision.code == Code::Valid)?;
        let who = crate::verify::bearer(&self.core, &token).await.expect("reads")?;
        Some(self.as_who(who).with_token(token))
    }

    /// Gives a person a second factor, and answers its secret; the clock then stands in a step whose code nobody has given.
    pub async fn enrol(&self, ctx: &crate::Ctx) -> String {
        let enrolment = crate::identity::begin_two_factor(ctx).await.expect("begins");
        let code = super::one_time_code(&enrolment.secret, self.core.now());
        crate::identity::turn_on_two_factor(ctx, &code, false).await.expect("the first code is right");
        self.clock.advance(Duration::from_secs(30));
        enrolment.secret
    }

    /// The same person, as a request of theirs would find them now.
    pub async fn again(&self, ctx: &crate::Ctx) -> crate::Ctx {
        let was = ctx.person().expect("a person");
        let signed_in = crate::identity::SignedIn { user_id: was.user_id, tenant_id: was.tenant_id };
        let person = crate::identity::resume(&self.core, signed_in).await.expect("reads").expect("a member");
        self.as_who(crate::Who::Person(person))
    }

    /// Gives the first tenant's owner another role.
    pub async fn set_role(&self, role: Role) {
        const SQL: &str = "UPDATE members SET role = $1 WHERE user_id = $2";
        let mut tx = self.core.db.begin_all().await.expect("begins");
        on!(tx, c => sqlx::query(SQL).bind(role.as_str()).bind(self.first.user_id.uuid()).execute(c).await.map(drop)).expect("runs");
        tx.commit_quiet().await.expect("commits");
    }

    /// Fills the live log with `n` events of one key, a millisecond apart; half as many of the test environment lie between them.
    pub async fn fill_usage(&self, key: KeyId, n: u32) {
        for n in 0..n + n / 2 {
            let environment = if n % 3 == 2 { Environment::Test } else { Environment::Live };
            self.clock.advance(Duration::from_millis(1));
            let allowed = n % 10 != 0;
            let event = NewEvent {
                client_id: None,
                id: self.core.new_uuid(),
                at: self.core.now(),
                tenant_id: Some(self.first.tenant_id),
                request_id: format!("req_{n}"),
                credential_id: Some(key),
                subject: None,
                asked_by: None,
                kind: CredentialKind::ApiKey,
                outcome: if allowed { Outcome::Allowed } else { Outcome::Denied },
                code: if allowed { Code::Valid } else { Code::InsufficientScope },
                method: Some("GET".into()),
                path: Some("/v2/users".into()),
                ip: Some(std::net::IpAddr::from([203, 0, 113, u8::try_from(n % 200).unwrap_or(0)])),
                user_agent: None,
                environment,
                required_scopes: Vec::new(),
                required_environment: Some(environment),
                audience: None,
                cost: 1,
                secret_id: None,
                versions: Versions::default(),
                policy: None,
                rate_limit: None,
                source: UsageSource::ForwardAuth,
                latency_us: 3,
            };
            self.core.meter.record(event).await;
            while self.core.meter.waiting() > 30_000 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        while self.core.meter.waiting() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.core.meter.stop().await;
        self.tamper("ANALYZE").await;
    }

    /// The plan of a page of the usage log, without the values in it.
    pub async fn explain(&self, sql: &'static str, key: KeyId, before: Uuid) -> String {
        let how = if self.is_postgres() { "EXPLAIN (COSTS OFF)" } else { "EXPLAIN QUERY PLAN" };
        let text = AssertSqlSafe(format!("{how} {sql}"));
        // Whatever the statement is a range of is given, and nothing else.
        let when = |condition: &str| sql.matches(condition).count() > 1;
        let ip = sql.contains("e.ip_key = $9").then(|| contract::sortable(std::net::IpAddr::from([203, 0, 113, 9])).to_vec());
        let none = None::<&str>;
        let mut tx = self.core.db.read_all().await.expect("reads");
        let lines: Vec<String> = on!(tx, c => {
            let query = sqlx::query(text)
                .bind(self.first.tenant_id.uuid())
                .bind("live")
                .bind(before)
                .bind(Uuid::nil())
                .bind(51_i64)
                .bind(when("e.credential_id = $6").then(|| key.uuid()))
                .bind(when("e.outcome = $7").then_some("denied"))
                .bind(when("e.request_id = $8").then_some("req_7"))
                .bind(ip.clone())
                .bind(ip)
                .bind(none)
                .bind(none)
                .bind(none)
                .bind(none)
                .bind(none)
                .bind(None::<Uuid>)
                .bind(when("e.client_id = $17").then(Uuid::nil));
            let rows = query.persistent(false).fetch_all(c).await.expect("explains");
            rows.iter().map(|r| r.get::<String, _>(r.len() - 1)).collect()
        });
        // Whether the few keys of a test are kept in memory while their names are looked up says nothing of the range.
        let of_values = ["Cond:", "Filter:", "Materialize", "Memoize", "Cache Key:", "Cache Mode:"];
        let plain: Vec<&str> = lines.iter().map(|l| l.trim()).filter(|l| !of_values.iter().any(|v| l.contains(v))).collect();
        plain.join("\n")
    }

    /// Gives the first tenant `n` keys named `service-1` and so on: most live, every tenth a test key, most used once,
    /// every third with an expiry.
    pub async fn fill_keys(&self, n: u32) {
        const COLUMNS: &str = "INSERT INTO api_keys (tenant_id, id, name, kind, environment, scopes, allowed_ips, metadata, owner_id, \
            created_at, created_by, last_used_at, expires_at, search, scope_names) \
            WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ";
        const VALUES: &str = "'service-' || i, 'secret', CASE WHEN i % 10 = 0 THEN 'test' ELSE 'live' END, '[\"read\"]', '[]', '{}', $2, \
            $3 - i * 1000, 'filled', CASE WHEN i % 4 > 0 THEN $3 - i * 777 END, CASE WHEN i % 3 = 0 THEN $3 + i * 60000 END, \
            'service-' || i || $4 || 'sk_live_' || (1000 + i % 9000) || ' ' || (1000 + i % 8999), ' read ' FROM n";
        let (keys, random) = if self.is_postgres() {
            let values = VALUES.replace("'[\"read\"]', '[]', '{}'", "'[\"read\"]'::jsonb, '[]'::jsonb, '{}'::jsonb");
            let values = values.replace("$3", "$3::bigint").replace("$2,", "$2::uuid,").replace("$4", "$4::text");
            let digest = "decode('01' || md5(random()::text) || md5(random()::text), 'hex')";
            (format!("{COLUMNS}{n}) SELECT $1::uuid, gen_random_uuid(), {values}"), ("gen_random_uuid()", digest))
        } else {
            (format!("{COLUMNS}{n}) SELECT $1, randomblob(16), {VALUES}"), ("randomblob(16)", "randomblob(33)"))
        };
        let secrets = format!(
            "INSERT INTO api_key_secrets (tenant_id, id, key_id, digest, prefix, last_four, created_at) \
             SELECT k.tenant_id, {}, k.id, {}, 'sk_live_1000', '1000', k.created_at FROM api_keys k WHERE k.created_by = 'filled'",
            random.0, random.1
        );
        let mut tx = self.core.db.begin_all().await.expect("begins");
        on!(tx, c => sqlx::query(AssertSqlSafe(keys)).bind(self.first.tenant_id.uuid()).bind(self.first.user_id.uuid())
            .bind(self.core.now().0).bind("\n").execute(c).await.map(drop))
        .expect("fills keys");
        on!(tx, c => sqlx::query(AssertSqlSafe(secrets)).execute(c).await.map(drop)).expect("fills secrets");
        tx.commit_quiet().await.expect("commits");
        self.tamper("ANALYZE").await;
    }

    /// The plan of a page of a search, without the values in it.
    pub async fn explain_search(&self, sql: &'static str) -> String {
        let how = if self.is_postgres() { "EXPLAIN (COSTS OFF)" } else { "EXPLAIN QUERY PLAN" };
        let text = AssertSqlSafe(format!("{how} {sql}"));
        let mut tx = self.core.db.read_all().await.expect("reads");
        let lines: Vec<String> = on!(tx, c => {
            let query = sqlx::query(text).bind(self.first.tenant_id.uuid()).bind(51_i64).bind("live");
            let query = (0..4).fold(query, |query, _| query.bind(None::<String>)).bind(Uuid::max());
            let query = if sql.contains("k.search, k.id) >") { query.bind("") } else if sql.contains("$9") { query.bind(0_i64) } else { query };
            let rows = query.persistent(false).fetch_all(c).await.expect("explains");
            rows.iter().map(|r| r.get::<String, _>(r.len() - 1)).collect()
        });
        let plain: Vec<&str> = lines.iter().map(|l| l.trim()).filter(|l| !l.contains("Cond:") && !l.contains("Filter:")).collect();
        plain.join("\n")
    }
}
