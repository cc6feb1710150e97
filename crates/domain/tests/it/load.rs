//! What a busy database keeps waiting, and what it does not.

use contract::Code;
use domain::{Error, audit, keys, on_both, testing::TestInstallation, verify};
use std::time::Duration;
use tokio::time::timeout;

on_both! {
    async fn s34_a_revocation_elsewhere_holds_here_although_requests_hold_every_connection(t) {
        let made = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap();
        let (id, secret) = (made.api_key.id, made.key.unwrap());
        let here = t.second_process().await;
        let code = || verify::check(&here, &secret, None, &contract::Requirement::default(), None, true).unwrap().code;
        assert_eq!(code(), Code::Valid);
        let held = every_connection(&t, &here.db).await;
        keys::revoke(&t.owner(), id, None).await.unwrap();
        timeout(Duration::from_secs(1), here.cache.sync(&here)).await.expect("within a second").unwrap();
        assert_eq!(code(), Code::Revoked);
        drop(held);
        here.stop().await;
    }
}

async fn every_connection(t: &TestInstallation, db: &domain::db::Db) -> Vec<domain::db::Tx> {
    let mut held = Vec::new();
    for _ in 0..if t.is_postgres() { 16 } else { 4 } {
        held.push(db.read().await.unwrap());
    }
    let one_more = timeout(Duration::from_millis(50), db.read()).await;
    assert!(one_more.is_err(), "there are no more");
    held
}

on_both! {
    async fn heavy_reads_take_turns_and_leave_connections_for_the_others(t) {
        let id = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap().api_key.id;
        let mut held = Vec::new();
        for _ in 0..if t.is_postgres() { 8 } else { 2 } {
            held.push(t.core.db.read_much_all().await.unwrap());
        }
        let owner = t.owner();
        let (advice, chain) = tokio::join!(keys::advice(&owner, id), audit::verify_chain(&owner));
        assert!(matches!(advice, Err(Error::Unavailable(_))), "{advice:?}");
        assert!(matches!(chain, Err(Error::Unavailable(_))), "{chain:?}");
        keys::get(&owner, id).await.unwrap();
        held.pop();
        keys::advice(&owner, id).await.unwrap();
    }
}
