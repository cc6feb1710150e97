use crate::harness::on_both;
use domain::{
    Ctx, RequestInfo, Who, keys,
    testing::{On, TestInstallation},
    verify,
};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn s34_on_postgresql_another_node_hears_of_a_revocation_without_polling() {
    let t = TestInstallation::new(On::Postgres).await;
    let made = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap();
    let other = t.second_process().await;
    let mut wake = other.db.wake().await.unwrap();
    let here = Ctx::new(t.core.clone(), Who::CommandLine(t.first.tenant_id), RequestInfo::default());
    keys::revoke(&here, made.api_key.id, None).await.unwrap();
    timeout(Duration::from_secs(1), wake.heard()).await.expect("heard within a second");
    drop(wake);
    other.stop().await;
}

on_both! {
    async fn s34_the_follower_hears_of_a_revocation_while_requests_hold_every_connection(on) {
        let t = TestInstallation::new(on).await;
        let made = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap();
        let secret = made.key.unwrap();
        let other = t.second_process().await;
        let mut held = Vec::new();
        while let Ok(tx) = timeout(Duration::from_millis(500), other.db.read()).await {
            held.push(tx.unwrap());
        }
        let jobs = keystead::jobs::start(&other, None);
        keys::revoke(&t.owner(), made.api_key.id, None).await.unwrap();
        let started = std::time::Instant::now();
        let code = || verify::check(&other, &secret, None, &contract::Requirement::default(), None, true).unwrap().code;
        while code() != contract::Code::Revoked {
            assert!(started.elapsed() < Duration::from_secs(1), "it still works");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop((jobs, held));
        other.stop().await;
    }
}

#[tokio::test]
async fn on_sqlite_nobody_tells_and_the_follower_polls() {
    let t = TestInstallation::new(On::Sqlite).await;
    let mut wake = t.core.db.wake().await.unwrap();
    keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap();
    assert!(timeout(Duration::from_millis(100), wake.heard()).await.is_err());
}
