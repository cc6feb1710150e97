//! Isolation in the database itself (s69): PostgreSQL shows a transaction the rows of its tenant, whatever it asks for.

use contract::{AcceptForm, Email, Invite, LeakFilter, LoginBody, PageQuery, Perm, Requirement, Role, TenantName};
use domain::{
    Ctx, Grant, Who, idempotency, identity, keys, leaks, members, tenants,
    testing::{On, PASSWORD, TestInstallation},
    tokens,
    verify::{self, Logged, Sent},
};
use std::time::Duration;

/// Leaves a row in every table of the caller's tenant that a tenant has at least.
async fn live(t: &TestInstallation, ctx: &Ctx) {
    let nobody = t.as_who(Who::Anonymous);
    let made = keys::create_from_form(ctx, &t.form("service", "read")).await.unwrap().key.unwrap();
    verify::forward_auth(&t.gateway(), &Sent::One(made.clone()), None, &Requirement::default(), None, Logged::default()).await.unwrap();
    leaks::report_publicly(&nobody, &made).await.unwrap();
    let report = leaks::list(ctx, LeakFilter::default(), PageQuery::default()).await.unwrap().data.remove(0);
    leaks::notify(ctx, report.id).await.unwrap();
    members::invite(ctx, Invite { email: Email::parse("guest@guest.test").unwrap(), role: Role::Developer, days: 7 }).await.unwrap();
    idempotency::begin(ctx, "once", &[b"request"]).await.unwrap();
    let email = ctx.person().unwrap().email.clone();
    tokens::login(&nobody, &LoginBody { email, password: PASSWORD.into(), tenant_id: None }).await.unwrap();
}

/// An installation on PostgreSQL with two tenants that live, and the right to read each.
async fn two_tenants() -> (TestInstallation, Grant, Grant) {
    let t = TestInstallation::new(On::Postgres).await;
    let globex = tenants::create(&t.owner(), &TenantName::parse("Globex").unwrap(), None).await.unwrap();
    let link = tenants::invite_owner(&t.owner(), globex.id, "boss@globex.test").await.unwrap().accept_url.unwrap();
    let form = AcceptForm { token: link.split("token=").nth(1).unwrap().into(), password: PASSWORD.into() };
    let joined = members::accept(&t.as_who(Who::Anonymous), &form).await.unwrap().unwrap();
    let theirs = t.as_who(Who::Person(identity::resume(&t.core, joined.who).await.unwrap().unwrap()));
    live(&t, &t.owner()).await;
    live(&t, &theirs).await;
    t.core.meter.stop().await;
    let grant = |ctx: &Ctx| ctx.require(Perm::KeysRead).unwrap();
    let (a, b) = (grant(&t.owner()), grant(&theirs));
    (t, a, b)
}

/// Each table of tenants, counted without any predicate under the role that serves.
#[tokio::test]
async fn s69_without_its_predicate_a_statement_sees_and_touches_no_row_of_another_tenant() {
    let (t, a, b) = two_tenants().await;
    let mut empty = Vec::new();
    let mut tried = 0;
    for (table, tenant) in t.tenant_tables().await {
        let rows = |of: &Grant| format!("SELECT 1 FROM {table} WHERE {tenant} = '{}'", of.tenant_id().uuid());
        let (ours, theirs) = (t.across(rows(&a)).await.unwrap(), t.across(rows(&b)).await.unwrap());
        if ours == 0 || theirs == 0 {
            empty.push(table);
            continue;
        }
        tried += 1;
        let all = format!("SELECT 1 FROM {table}");
        assert_eq!(t.within(Some(&a), all.clone()).await, Ok(ours), "{table}");
        assert_eq!(t.within(Some(&b), all.clone()).await, Ok(theirs), "{table}");
        assert_eq!(t.within(None, all).await, Ok(0), "{table}");

        let (own, foreign) = (a.tenant_id().uuid(), b.tenant_id().uuid());
        for foreigners in [format!("UPDATE {table} SET {tenant} = {tenant}"), format!("DELETE FROM {table}")] {
            let touched = t.within(Some(&a), format!("{foreigners} WHERE {tenant} <> '{own}'")).await;
            assert_eq!(touched, Ok(0), "{foreigners}");
        }
        for forbidden in [
            format!("UPDATE {table} SET {tenant} = '{foreign}'"),
            format!(
                "INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(x) || '{{\"{tenant}\": \"{foreign}\"}}')).* \
                 FROM {table} x LIMIT 1"
            ),
        ] {
            let said = t.within(Some(&a), forbidden.clone()).await.unwrap_err();
            assert!(said.contains("row-level security"), "{forbidden}: {said}");
        }
    }
    // Those of later versions may be empty here: the catalogue tells of them, below.
    assert!(tried >= 18, "without rows of both tenants: {empty:?}");
}

/// Tables of later versions, too: every one with a tenant in it.
#[tokio::test]
async fn s69_every_table_of_a_tenant_has_forced_row_level_security() {
    let t = TestInstallation::new(On::Postgres).await;
    for (table, _) in t.tenant_tables().await {
        let forced = format!(
            "SELECT 1 FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE c.oid = '{table}'::regclass AND c.relrowsecurity \
             AND c.relforcerowsecurity AND p.polpermissive AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL"
        );
        assert_eq!(t.within(None, forced).await, Ok(1), "{table}: its migration calls keystead_isolate('{table}')");
    }
}

/// Callers go away at any time. What their transaction was to see is not what the next one on the connection sees.
#[tokio::test]
async fn s69_a_transaction_that_was_given_up_leaves_its_sight_to_nobody() {
    let (t, a, _) = two_tenants().await;
    let ours = t.within(Some(&a), "SELECT 1 FROM members".to_owned()).await;
    for n in 0..500 {
        t.give_up_beginning(Duration::from_micros(n)).await;
        assert_eq!(t.within(Some(&a), "SELECT 1 FROM members".to_owned()).await, ours);
        assert_eq!(t.within(None, "SELECT 1 FROM members".to_owned()).await, Ok(0));
    }
}
