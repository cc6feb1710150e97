use contract::{ErrorCode, Secret, SetupForm, SignInForm};
use domain::{
    Core, Ctx, Error, RequestInfo, Who,
    identity::{self, SignedIn, Step},
    on_both,
    testing::{On, PASSWORD, TestInstallation, bare},
};
use std::{sync::Arc, time::Duration};

fn form(email: &str, password: &str) -> SignInForm {
    SignInForm { email: email.into(), password: password.into(), next: String::new() }
}

async fn sign_in(ctx: &Ctx, form: &SignInForm) -> Result<SignedIn, Error> {
    match identity::sign_in(ctx, form, None).await? {
        Step::SignedIn(admitted) => Ok(admitted.who),
        Step::SecondFactor(half) => panic!("{half:?}"),
    }
}

on_both! {
    async fn an_owner_signs_in_and_the_session_remembers_them(t) {
        let anonymous = t.as_who(Who::Anonymous);
        let signed_in = sign_in(&anonymous, &form(" Owner@Acme.test ", PASSWORD)).await.unwrap();
        let person = identity::resume(&t.core, signed_in).await.unwrap().unwrap();
        assert_eq!((person.email.as_str(), person.tenant_id), ("owner@acme.test", t.first.tenant_id));
    }
}

on_both! {
    async fn s8_an_unknown_user_and_a_wrong_password_get_the_same_answer(t) {
        let anonymous = t.as_who(Who::Anonymous);
        let mut said = Vec::new();
        for (email, password) in [("owner@acme.test", "wrong"), ("nobody@acme.test", PASSWORD), ("no address", PASSWORD)] {
            match sign_in(&anonymous, &form(email, password)).await {
                Err(Error::Refused(code, message)) => said.push((code, message)),
                other => panic!("{other:?}"),
            }
        }
        assert!(said.iter().all(|s| *s == (ErrorCode::Unauthorized, "Email or password is wrong.".to_owned())));
    }
}

on_both! {
    async fn s22_a_disabled_user_neither_signs_in_nor_keeps_their_session(t) {
        let anonymous = t.as_who(Who::Anonymous);
        let signed_in = sign_in(&anonymous, &form("owner@acme.test", PASSWORD)).await.unwrap();
        t.tamper("UPDATE users SET disabled_at = 1").await;
        assert!(sign_in(&anonymous, &form("owner@acme.test", PASSWORD)).await.is_err());
        assert!(identity::resume(&t.core, signed_in).await.unwrap().is_none());
    }
}

on_both! {
    async fn s21_a_session_ends_when_idle_and_absolutely_and_at_once_when_ended(t) {
        use identity::sessions::{delete, insert, load};
        assert!(insert(&t.core, "a", "{}", None, None).await.unwrap());
        assert!(!insert(&t.core, "a", "{}", None, None).await.unwrap(), "an id is given once");
        t.clock.advance(Duration::from_secs(12 * 3600));
        assert!(load(&t.core, "a").await.unwrap().is_none(), "idle for twelve hours");
        assert!(insert(&t.core, "b", "{}", None, None).await.unwrap());
        for _ in 0..15 {
            assert!(load(&t.core, "b").await.unwrap().is_some());
            t.clock.advance(Duration::from_secs(11 * 3600));
        }
        t.clock.advance(Duration::from_secs(3 * 3600));
        assert!(load(&t.core, "b").await.unwrap().is_none(), "seven days old");
        assert!(insert(&t.core, "c", "{}", None, None).await.unwrap());
        delete(&t.core, "c").await.unwrap();
        assert!(load(&t.core, "c").await.unwrap().is_none());
        assert!(!t.dump().await.contains("\"c\""), "stored hashed");
    }
}

async fn set_up_once(on: On) {
    let t: TestInstallation = bare(on).await;
    let link = identity::new_setup_link(&t.core).await.unwrap().unwrap();
    let anonymous = Ctx::new(Arc::<Core>::clone(&t.core), Who::Anonymous, RequestInfo::default());
    let form =
        |token: &str| SetupForm { token: token.into(), tenant: "Acme".into(), email: "o@acme.test".into(), password: PASSWORD.into() };
    assert!(matches!(identity::set_up(&anonymous, &form("guess")).await, Err(Error::Refused(ErrorCode::Forbidden, _))));
    let weak = SetupForm { password: "short".into(), tenant: String::new(), ..form(link.0.expose()) };
    assert!(
        matches!(identity::set_up(&anonymous, &weak).await, Err(Error::Invalid(f)) if f.get("password").is_some() && f.get("tenant").is_some())
    );
    let (good, a) = (form(link.0.expose()), anonymous.clone());
    let (one, two) = tokio::join!(identity::set_up(&anonymous, &good), identity::set_up(&a, &good));
    assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1, "in parallel, too: {one:?} {two:?}");
    assert!(identity::set_up(&anonymous, &good).await.is_err());
    assert!(identity::new_setup_link(&t.core).await.unwrap().is_none(), "no link once people exist");
}

#[tokio::test]
async fn s17_the_setup_link_works_once_sqlite() {
    set_up_once(On::Sqlite).await;
}

#[tokio::test]
async fn s17_the_setup_link_works_once_postgres() {
    set_up_once(On::Postgres).await;
}

async fn expired_link(on: On) {
    let t = bare(on).await;
    let link = identity::new_setup_link(&t.core).await.unwrap().unwrap();
    t.clock.advance(Duration::from_secs(86_400));
    let form = SetupForm { token: link.0.expose().clone(), tenant: "A".into(), email: "o@a.test".into(), password: PASSWORD.into() };
    let asked = identity::set_up(&Ctx::new(t.core.clone(), Who::Anonymous, RequestInfo::default()), &form).await;
    assert!(matches!(asked, Err(Error::Refused(ErrorCode::Forbidden, _))));
}

#[tokio::test]
async fn s17_the_setup_link_expires_after_a_day_sqlite() {
    expired_link(On::Sqlite).await;
}

#[tokio::test]
async fn s17_the_setup_link_expires_after_a_day_postgres() {
    expired_link(On::Postgres).await;
}

on_both! {
    async fn s2_a_long_password_counts_to_its_last_character(t) {
        let long = format!("{} end", "gravel orbit lantern ".repeat(8));
        let hash = t.core.hasher.hash(&Secret::new(long.clone())).await.unwrap();
        let verify = async |text: &str| t.core.hasher.verify(&Secret::new(text.to_owned()), Some(hash.clone())).await.unwrap();
        assert!(long.chars().count() > 128 && verify(&long).await);
        assert!(!verify(&long[..long.len() - 1]).await && !verify(&long.to_uppercase()).await && !verify(&format!("{long}s")).await);
    }
}
