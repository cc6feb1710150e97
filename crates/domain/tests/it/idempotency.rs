//! What becomes of a request whose process dies on the way.

use contract::ErrorCode;
use domain::{
    Ctx, Error, idempotency,
    idempotency::{Begun, Running},
    keys, on_both,
    testing::TestInstallation,
};
use std::time::Duration;

const REQUEST: &[&[u8]] = &[b"POST", b"/v1/api-keys", b"{}"];

async fn begin(caller: &Ctx) -> domain::Result<Begun> {
    idempotency::begin(caller, "once", REQUEST).await
}

async fn first(caller: &Ctx) -> Box<Running> {
    match begin(caller).await.unwrap() {
        Begun::First(running) => running,
        Begun::Again(stored) => panic!("{stored:?}"),
    }
}

async fn make(ctx: &Ctx) -> domain::Result<contract::CreatedKey> {
    let body = serde_json::from_value(serde_json::json!({"name": "made", "scopes": ["users:read"]})).unwrap();
    keys::create_from_body(ctx, &body).await
}

async fn later(t: &TestInstallation, seconds: u64) {
    t.clock.advance(Duration::from_secs(seconds));
    t.core.cache.sync(&t.core).await.unwrap();
}

async fn made(t: &TestInstallation) -> usize {
    let filter = contract::KeyFilter { q: Some("made".into()), ..contract::KeyFilter::default() };
    keys::list(&t.owner(), &filter, contract::PageQuery::default()).await.unwrap().data.len()
}

on_both! {
    async fn s72_what_was_carried_out_before_a_crash_is_never_carried_out_again(t) {
        let caller = t.with_key(&t.first.api_key);
        let running = first(&caller).await;
        make(running.ctx()).await.unwrap();
        // The process dies before it keeps the answer.
        drop(running);
        assert!(matches!(begin(&caller).await, Err(Error::Refused(ErrorCode::IdempotencyInProgress, _))));
        later(&t, 61).await;
        assert!(matches!(begin(&caller).await, Err(Error::Conflict(_))), "it was done, and its answer is lost");
        let other = idempotency::begin(&caller, "once", &[b"other"]).await;
        assert!(matches!(other, Err(Error::Refused(ErrorCode::IdempotencyKeyReused, _))));
        later(&t, 80_000).await;
        assert!(matches!(begin(&caller).await, Err(Error::Conflict(_))));
        assert_eq!(made(&t).await, 1);
        later(&t, 7_000).await;
        first(&caller).await;
    }
}

on_both! {
    async fn s72_what_was_not_carried_out_before_a_crash_is_when_it_is_sent_again_and_by_nobody_else(t) {
        let caller = t.with_key(&t.first.api_key);
        let stuck = first(&caller).await;
        later(&t, 61).await;
        let again = first(&caller).await;
        // The first process was only slow: what it would change now is somebody else's to change.
        assert!(matches!(make(stuck.ctx()).await, Err(Error::Refused(ErrorCode::IdempotencyInProgress, _))));
        assert_eq!(made(&t).await, 0);
        make(again.ctx()).await.unwrap();
        assert_eq!(made(&t).await, 1);
    }
}

on_both! {
    async fn s72_a_fault_after_the_change_does_not_free_the_key(t) {
        let caller = t.with_key(&t.first.api_key);
        let running = first(&caller).await;
        make(running.ctx()).await.unwrap();
        running.abandon().await.unwrap();
        later(&t, 61).await;
        assert!(matches!(begin(&caller).await, Err(Error::Conflict(_))));
        assert_eq!(made(&t).await, 1);
    }
}
