//! What tests ask of a database behind the domain's back: its schema, its plans, everything it holds.

use super::TestInstallation;
use crate::{
    db::{Db, Inner, on},
    usage::NewEvent,
};
use contract::{Code, CredentialKind, Environment, KeyId, Outcome, Role, UsageSource};
use sqlx::{AssertSqlSafe, Executor, Row, SqlSafeStr, types::Json};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

impl TestInstallation {
    /// Is it the PostgreSQL one?
    pub fn is_postgres(&self) -> bool {
        matches!(self.core.db, Db::Postgres(_))
    }

    /// Prepares a statement without running it; what the database says against it.
    pub async fn prepare(&self, sql: &str) -> Result<(), String> {
        let mut tx = self.core.db.read().await.expect("reads");
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        on!(tx, c => c.prepare(sql).await.map(drop)).map_err(|e| e.to_string())
    }

    /// Table, column, and whether it takes NULL.
    pub async fn columns(&self) -> BTreeSet<(String, String, bool)> {
        const SQLITE: &str = "SELECT m.name, c.name, c.\"notnull\" = 0 FROM sqlite_master m JOIN pragma_table_info(m.name) c \
            WHERE m.type = 'table' AND m.name NOT LIKE '!_sqlx%' ESCAPE '!' AND m.name NOT LIKE 'sqlite%'";
        const POSTGRES: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), is_nullable = 'YES' \
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '!_sqlx%' ESCAPE '!'";
        let mut tx = self.core.db.read().await.expect("reads");
        let rows: Vec<(String, String, bool)> = match &mut tx.inner {
            Inner::Sqlite(t) => sqlx::query_as(SQLITE).fetch_all(&mut **t).await,
            Inner::Postgres(t) => sqlx::query_as(POSTGRES).fetch_all(&mut **t).await,
        }
        .expect("the schema can be read");
        rows.into_iter().collect()
    }

    /// Everything the database holds, as a thief of it would see it.
    pub async fn dump(&self) -> String {
        if let Some(file) = &self.file {
            let read = |end: &str| std::fs::read(format!("{}{end}", file.display())).unwrap_or_default();
            return String::from_utf8_lossy(&[read(""), read("-wal")].concat()).into_owned();
        }
        let tables: BTreeSet<String> = self.columns().await.into_iter().map(|c| c.0).collect();
        let mut tx = self.core.db.read().await.expect("reads");
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
        let mut tx = self.core.db.read().await.expect("reads");
        let rows: Vec<(String, Json<serde_json::Value>)> =
            on!(tx, c => sqlx::query_as("SELECT topic, payload FROM outbox ORDER BY id").fetch_all(c).await).expect("runs");
        rows.into_iter().map(|(topic, payload)| (topic, payload.0)).collect()
    }

    /// Gives the first tenant's owner another role.
    pub async fn set_role(&self, role: Role) {
        let mut tx = self.core.db.begin().await.expect("begins");
        on!(tx, c => sqlx::query("UPDATE members SET role = $1").bind(role.as_str()).execute(c).await.map(drop)).expect("runs");
        tx.commit_quiet().await.expect("commits");
    }

    /// Fills the live log with `n` events of one key, a millisecond apart; half as many of the test environment lie between them.
    pub async fn fill_usage(&self, key: KeyId, n: u32) {
        for n in 0..n + n / 2 {
            let environment = if n % 3 == 2 { Environment::Test } else { Environment::Live };
            self.clock.advance(Duration::from_millis(1));
            let allowed = n % 10 != 0;
            let event = NewEvent {
                id: self.core.new_uuid(),
                at: self.core.now(),
                tenant_id: Some(self.first.tenant_id),
                request_id: format!("req_{n}"),
                credential_id: Some(key),
                kind: CredentialKind::ApiKey,
                outcome: if allowed { Outcome::Allowed } else { Outcome::Denied },
                code: if allowed { Code::Valid } else { Code::InsufficientScope },
                method: Some("GET".into()),
                path: Some("/v2/users".into()),
                ip: None,
                user_agent: None,
                environment,
                required_scopes: Vec::new(),
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
        let how = if matches!(self.core.db, Db::Sqlite { .. }) { "EXPLAIN QUERY PLAN" } else { "EXPLAIN (COSTS OFF)" };
        let text = AssertSqlSafe(format!("{how} {sql}"));
        let (by_key, by_outcome) = (sql.contains("e.credential_id = $5"), sql.contains("e.outcome = $"));
        let (tenant, limit) = (self.first.tenant_id.uuid(), 51_i64);
        let mut tx = self.core.db.read().await.expect("reads");
        let lines: Vec<String> = on!(tx, c => {
            let query = sqlx::query(text).bind(tenant).bind("live").bind(before).bind(limit);
            let query = if by_key { query.bind(key.uuid()) } else { query };
            let query = if by_outcome { query.bind("denied") } else { query };
            let rows = query.persistent(false).fetch_all(c).await.expect("explains");
            rows.iter().map(|r| r.get::<String, _>(r.len() - 1)).collect()
        });
        let plain: Vec<&str> = lines.iter().map(|l| l.trim()).filter(|l| !l.contains("Cond:") && !l.contains("Filter:")).collect();
        plain.join("\n")
    }
}
