//! People: invitations, roles, leaving, accounts that are switched off.

use contract::{
    AcceptForm, Code, CreatedInvitation, Email, ErrorCode, Invite, InviteBody, KeyQueue, MemberBody, PageQuery, Perm, Role, UserId,
    VerifyRequest,
};
use domain::{
    Ctx, Error, Who, audit, identity, keys, members, on_both, tenants,
    testing::{PASSWORD, TestInstallation},
    verify,
};
use serde_json::json;
use std::time::Duration;

fn id(ctx: &Ctx) -> UserId {
    ctx.person().unwrap().user_id
}

fn role(role: Role) -> MemberBody {
    MemberBody { role: Some(role.to_string()) }
}

async fn invite(by: &Ctx, email: &str, role: Role) -> domain::Result<CreatedInvitation> {
    members::invite(by, Invite { email: Email::parse(email).unwrap(), role, days: 7 }).await
}

fn form(made: &CreatedInvitation) -> AcceptForm {
    let token = made.accept_url.as_ref().unwrap().split("token=").nth(1).unwrap().to_owned();
    AcceptForm { token, password: PASSWORD.into() }
}

fn forbidden<T: std::fmt::Debug>(done: domain::Result<T>) {
    assert!(matches!(done, Err(Error::Refused(ErrorCode::Forbidden, _))), "{done:?}");
}

fn conflict<T: std::fmt::Debug>(done: domain::Result<T>) {
    assert!(matches!(done, Err(Error::Conflict(_))), "{done:?}");
}

/// What a decision about the key says.
async fn code(t: &TestInstallation, secret: &str) -> Code {
    let asked: VerifyRequest = serde_json::from_value(json!({"credential": secret, "cost": 0})).unwrap();
    verify::verify(&t.gateway(), &asked).await.unwrap().code
}

/// A person as their session finds them now.
async fn again(t: &TestInstallation, ctx: &Ctx) -> Option<Ctx> {
    let person = ctx.person().unwrap();
    let session = identity::SignedIn { user_id: person.user_id, tenant_id: person.tenant_id };
    identity::resume(&t.core, session).await.unwrap().map(|p| t.as_who(Who::Person(p)))
}

on_both! {
    async fn an_invitation_makes_an_account_once_and_says_who_joined(t) {
        let owner = t.owner();
        let made = invite(&owner, "Dev@Acme.test", Role::Developer).await.unwrap();
        let anonymous = t.as_who(Who::Anonymous);
        let seen = members::look(&anonymous, &form(&made).token).await.unwrap().unwrap();
        assert_eq!((seen.tenant.as_str(), seen.email.as_str(), seen.role), ("Acme", "dev@acme.test", Role::Developer));
        let weak = AcceptForm { password: "short".into(), ..form(&made) };
        assert!(matches!(members::accept(&anonymous, &weak).await, Err(Error::Invalid(f)) if f.get("password").is_some()));
        let (one, two) = (form(&made), form(&made));
        let (one, two) = tokio::join!(members::accept(&anonymous, &one), members::accept(&anonymous, &two));
        assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1, "in parallel, too: {one:?} {two:?}");
        forbidden(members::accept(&anonymous, &form(&made)).await);
        assert!(members::look(&anonymous, &form(&made).token).await.unwrap().is_none());
        let signed_in = identity::sign_in(&anonymous, &contract::SignInForm {
            email: "dev@acme.test".into(), password: PASSWORD.into(), next: String::new(),
        }, None).await.unwrap();
        let identity::Step::SignedIn(signed_in) = signed_in else { panic!("{signed_in:?}") };
        assert_eq!(identity::resume(&t.core, signed_in.who).await.unwrap().unwrap().role, Role::Developer);
        let log = audit::list(&owner, &contract::AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        let added = log.iter().find(|e| e.action == "member.added" && e.actor.name == "dev@acme.test").unwrap();
        assert_eq!(added.after, Some(json!({"role": "developer", "invited_by": "owner@acme.test"})));
        assert!(log.iter().any(|e| e.action == "invitation.created" && e.target.name == "dev@acme.test"));
    }
}

on_both! {
    async fn s33_s77_a_link_stands_in_no_table_and_no_log(t) {
        let made = invite(&t.owner(), "dev@acme.test", Role::Developer).await.unwrap();
        let token = form(&made).token;
        assert_eq!(token.len(), 48);
        assert!(!t.dump().await.contains(&token));
        assert!(!format!("{made:?}").contains(&token));
    }
}

on_both! {
    async fn a_link_ends_when_its_time_is_over_when_it_is_withdrawn_and_when_another_replaces_it(t) {
        let (owner, anonymous) = (t.owner(), t.as_who(Who::Anonymous));
        let first = invite(&owner, "dev@acme.test", Role::Admin).await.unwrap();
        let second = invite(&owner, "dev@acme.test", Role::Developer).await.unwrap();
        forbidden(members::accept(&anonymous, &form(&first)).await);
        members::withdraw(&owner, second.invitation.id).await.unwrap();
        conflict(members::withdraw(&owner, second.invitation.id).await);
        forbidden(members::accept(&anonymous, &form(&second)).await);
        let third = invite(&owner, "dev@acme.test", Role::Developer).await.unwrap();
        t.clock.advance(Duration::from_secs(7 * 86_400));
        forbidden(members::accept(&anonymous, &form(&third)).await);
        assert_eq!(members::list(&owner, PageQuery::default()).await.unwrap().data.len(), 1);
        let taken = invite(&owner, "owner@acme.test", Role::Admin).await;
        assert!(matches!(taken, Err(Error::Invalid(f)) if f.get("email").is_some()));
    }
}

on_both! {
    async fn a_link_never_signs_in_to_an_account_that_exists(t) {
        let platform = t.owner();
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let body = contract::TenantBody { name: Some("Globex".into()), slug: None };
        let (globex, made) = tenants::create_with_owner(&platform, &body, "dev@acme.test").await.unwrap();
        let made = made.unwrap();
        forbidden(members::accept(&t.as_who(Who::Anonymous), &form(&made)).await);
        forbidden(members::accept(&platform, &form(&made)).await);
        let joined = members::accept(&dev, &form(&made)).await.unwrap().unwrap();
        assert_eq!((joined.who.user_id, joined.who.tenant_id), (id(&dev), globex.id));
        // Who works nowhere cannot sign in to say so: the link adds the tenant, and they sign in afterwards.
        members::remove(&platform, id(&dev)).await.unwrap();
        tenants::suspend(&platform, globex.id, Some("unpaid")).await.unwrap();
        let back = invite(&platform, "dev@acme.test", Role::Support).await.unwrap();
        // Whoever invited holds the link, too: it takes the password of the account, and wrong ones are counted (s7).
        let wrong = AcceptForm { password: "not the password of dev".into(), ..form(&back) };
        for _ in 0..5 {
            let refused = members::accept(&t.as_who(Who::Anonymous), &wrong).await;
            assert!(matches!(refused, Err(Error::Invalid(f)) if f.get("password").is_some()));
        }
        assert!(matches!(members::accept(&t.as_who(Who::Anonymous), &form(&back)).await, Err(Error::TooMany(_))));
        t.clock.advance(Duration::from_secs(60));
        assert_eq!(members::accept(&t.as_who(Who::Anonymous), &form(&back)).await.unwrap(), None);
        assert_eq!(again(&t, &dev).await.unwrap().person().unwrap().role, Role::Support);
    }
}

on_both! {
    async fn the_last_owner_stays_whatever_is_tried_and_in_parallel_too(t) {
        let owner = t.owner();
        conflict(members::leave(&owner, "Acme").await);
        conflict(members::remove(&owner, id(&owner)).await);
        conflict(members::change_role(&owner, id(&owner), &role(Role::Admin)).await);
        let other = t.join("second@acme.test", Role::Owner).await;
        let (own, others) = (role(Role::Admin), role(Role::Admin));
        let (a, b) = tokio::join!(members::change_role(&owner, id(&owner), &own), members::change_role(&other, id(&other), &others));
        assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1, "{a:?} {b:?}");
        assert_eq!(t.count("SELECT COUNT(*) FROM members WHERE role = 'owner'").await, 1);
    }
}

on_both! {
    async fn a_disabled_owner_does_not_count_as_the_one_who_stays(t) {
        let owner = t.owner();
        let other = t.join("second@acme.test", Role::Owner).await;
        members::disable_account(&owner, id(&other)).await.unwrap();
        conflict(members::leave(&owner, "Acme").await);
    }
}

on_both! {
    async fn ownership_is_handed_over_by_owners_to_members_in_one_step(t) {
        let owner = t.owner();
        let admin = t.join("admin@acme.test", Role::Admin).await;
        forbidden(members::transfer(&admin, id(&admin)).await);
        let wrong = members::transfer_confirmed(&owner, id(&admin), "somebody").await;
        assert!(matches!(wrong, Err(Error::Invalid(f)) if f.get("hand_over").is_some()));
        members::transfer_confirmed(&owner, id(&admin), "admin@acme.test").await.unwrap();
        assert_eq!(members::get(&owner, Perm::MembersRead, id(&admin)).await.unwrap().role, Role::Owner);
        assert_eq!(members::get(&owner, Perm::MembersRead, id(&owner)).await.unwrap().role, Role::Admin);
        forbidden(members::transfer(&owner, id(&admin)).await);
    }
}

on_both! {
    async fn s35_nobody_makes_somebody_what_they_are_not_themselves(t) {
        let admin = t.join("admin@acme.test", Role::Admin).await;
        let dev = t.join("dev@acme.test", Role::Developer).await;
        forbidden(invite(&admin, "x@acme.test", Role::Owner).await);
        forbidden(members::change_role(&admin, id(&dev), &role(Role::Owner)).await);
        forbidden(members::change_role(&admin, id(&admin), &role(Role::Owner)).await);
        forbidden(members::change_role(&admin, t.first.user_id, &role(Role::Support)).await);
        forbidden(members::remove(&admin, t.first.user_id).await);
        members::change_role(&admin, id(&dev), &role(Role::Admin)).await.unwrap();
        // A key that may do more than manage people hands out no more than it holds, and no owner either way.
        let made = keys::create_from_form(&t.owner(), &t.form("hr", "keystead.members:write keystead.keys:lookup keystead.keys:revoke keystead.apps:revoke")).await.unwrap();
        let key = t.with_key(&made.key.unwrap());
        invite(&key, "support@acme.test", Role::Support).await.unwrap();
        assert!(matches!(invite(&key, "boss@acme.test", Role::Admin).await, Err(Error::CannotGrant(_))));
        assert!(matches!(members::change_role(&key, id(&dev), &role(Role::Security)).await, Err(Error::CannotGrant(_))));
        let all = keys::create_from_form(&t.member(id(&admin), t.first.tenant_id, Role::Admin), &t.form("all", "admin")).await.unwrap();
        forbidden(invite(&t.with_key(&all.key.unwrap()), "boss@acme.test", Role::Owner).await);
    }
}

on_both! {
    async fn s35_whoever_lost_their_rights_meanwhile_hands_out_and_takes_none(t) {
        // A request that began before: its rights were looked up, and its change is still to come.
        let late = t.join("late@acme.test", Role::Owner).await;
        let (owner, dev) = (t.owner(), t.join("dev@acme.test", Role::Developer).await);
        let open = invite(&owner, "open@acme.test", Role::Support).await.unwrap().invitation.id;
        let everything = async || {
            vec![
                invite(&late, "x@acme.test", Role::Owner).await.err(),
                members::change_role(&late, id(&dev), &role(Role::Owner)).await.err(),
                members::change_role(&late, id(&owner), &role(Role::Support)).await.err(),
                members::remove(&late, id(&owner)).await.err(),
                members::transfer(&late, id(&dev)).await.err(),
                members::end_sessions(&late, id(&owner), None).await.err(),
                tenants::delete_own(&late, "Acme").await.err(),
            ]
        };
        let refused = |all: Vec<Option<Error>>, when: &str| {
            for (n, e) in all.into_iter().enumerate() {
                assert!(matches!(e, Some(Error::Refused(ErrorCode::Forbidden, _) | Error::Denied(_))), "{when}, {n}: {e:?}");
            }
        };
        members::change_role(&owner, id(&late), &role(Role::Admin)).await.unwrap();
        refused(everything().await, "an admin by now");
        members::change_role(&owner, id(&late), &role(Role::Developer)).await.unwrap();
        let few = async || {
            vec![
                members::withdraw(&late, open).await.err(),
                invite(&late, "x@acme.test", Role::Support).await.err(),
                members::remove(&late, id(&dev)).await.err(),
                tenants::rename_own(&late, "Mine").await.err(),
            ]
        };
        refused([everything().await, few().await].into_iter().flatten().collect(), "a developer by now");
        members::remove(&owner, id(&late)).await.unwrap();
        refused([everything().await, few().await].into_iter().flatten().collect(), "no member by now");
        let back = invite(&owner, "late@acme.test", Role::Owner).await.unwrap();
        members::accept(&t.as_who(Who::Anonymous), &form(&back)).await.unwrap();
        members::disable_account(&owner, id(&late)).await.unwrap();
        refused([everything().await, few().await].into_iter().flatten().collect(), "disabled by now");
        assert_eq!(members::list(&owner, PageQuery::default()).await.unwrap().data.len(), 3);
        assert_eq!(members::invitation(&owner, Perm::MembersRead, open).await.unwrap().state, contract::InvitationState::Open);
    }
}

on_both! {
    async fn s35_who_operates_the_installation_no_more_changes_no_tenant(t) {
        let (late, dev) = (t.owner(), t.join("dev@acme.test", Role::Developer).await);
        let name = contract::TenantName::parse("Globex").unwrap();
        let globex = tenants::create(&late, &name, None).await.unwrap().id;
        let there = tenants::act_in(&late, &globex.to_string()).await.unwrap();
        t.tamper("UPDATE users SET platform_admin = FALSE").await;
        let support = contract::SupportForm { why: "request".into(), note: "4711".into(), role: "security".into(), hours: "1".into() };
        let body = contract::ChangeTenantBody { name: Some("Mine".into()), plan: None };
        forbidden(tenants::create(&late, &name, None).await);
        forbidden(tenants::change(&late, globex, &body).await);
        forbidden(tenants::suspend(&late, globex, Some("why not")).await);
        forbidden(tenants::delete(&late, globex, None).await);
        forbidden(tenants::invite_owner(&late, globex, "me@acme.test").await);
        forbidden(tenants::open_support(&late, globex, &support).await);
        forbidden(invite(&there, "me@acme.test", Role::Owner).await);
        forbidden(members::disable_account(&late, id(&dev)).await);
        let whom = members::Whom::Address("dev@acme.test".into());
        members::recover(&late, &whom, contract::Recovery::Link, "they own all of it").await.unwrap();
        t.tamper("UPDATE users SET disabled_at = 1 WHERE email = 'owner@acme.test'").await;
        forbidden(members::recover(&late, &whom, contract::Recovery::Link, "off by now").await);
    }
}

on_both! {
    async fn s36_people_are_seen_and_managed_by_those_whose_role_says_so(t) {
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let open = invite(&t.owner(), "open@acme.test", Role::Support).await.unwrap().invitation.id;
        for (who, reads, writes) in
            [(Role::Admin, true, true), (Role::Developer, false, false), (Role::Security, true, false), (Role::Support, false, false)]
        {
            let ctx = t.member(t.first.user_id, t.first.tenant_id, who);
            assert_eq!(members::list(&ctx, PageQuery::default()).await.is_ok(), reads, "{who}");
            assert_eq!(members::get(&ctx, Perm::MembersRead, id(&dev)).await.is_ok(), reads, "{who}");
            assert_eq!(members::invitations(&ctx, false, PageQuery::default()).await.is_ok(), reads, "{who}");
            assert_eq!(members::invitation(&ctx, Perm::MembersRead, open).await.is_ok(), reads, "{who}");
            if !writes {
                let denied = |e: Option<Error>| assert!(matches!(e, Some(Error::Denied(Perm::MembersWrite))), "{who}: {e:?}");
                denied(invite(&ctx, "x@acme.test", Role::Support).await.err());
                denied(members::invite_from_body(&ctx, &InviteBody::default()).await.err());
                denied(members::withdraw(&ctx, open).await.err());
                denied(members::change_role(&ctx, id(&dev), &role(Role::Support)).await.err());
                denied(members::remove(&ctx, id(&dev)).await.err());
                denied(members::transfer(&ctx, id(&dev)).await.err());
            }
        }
        assert!(matches!(members::list(&t.as_who(Who::Anonymous), PageQuery::default()).await, Err(Error::Unauthenticated)));
    }
}

on_both! {
    async fn s66_people_and_invitations_of_another_tenant_do_not_exist(t) {
        let open = invite(&t.owner(), "open@acme.test", Role::Support).await.unwrap().invitation.id;
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let theirs = t.with_key(&t.other_tenant().await);
        let missing = |e: Option<Error>| assert!(matches!(e, Some(Error::NotFound)), "{e:?}");
        missing(members::get(&theirs, Perm::MembersRead, id(&dev)).await.err());
        missing(members::change_role(&theirs, id(&dev), &role(Role::Support)).await.err());
        missing(members::remove(&theirs, id(&dev)).await.err());
        missing(members::invitation(&theirs, Perm::MembersRead, open).await.err());
        missing(members::withdraw(&theirs, open).await.err());
        assert!(members::list(&theirs, PageQuery::default()).await.unwrap().data.is_empty());
        assert!(members::invitations(&theirs, false, PageQuery::default()).await.unwrap().data.is_empty());
    }
}

on_both! {
    async fn whoever_leaves_keeps_nothing_and_their_keys_wait_in_the_queue(t) {
        let owner = t.owner();
        let admin = t.join("admin@acme.test", Role::Admin).await;
        let secret = keys::create_from_form(&admin, &t.form("theirs", "read")).await.unwrap().key.unwrap();
        let link = invite(&admin, "friend@acme.test", Role::Admin).await.unwrap();
        let person = admin.person().unwrap();
        let signed_in = identity::SignedIn { user_id: person.user_id, tenant_id: person.tenant_id };
        t.open_session("their-session", signed_in).await;
        let gone = members::remove_confirmed(&owner, id(&admin), " Admin@acme.test ").await.unwrap();
        assert_eq!(gone.keys, 1);
        assert!(again(&t, &admin).await.is_none());
        assert!(identity::sessions::load(&t.core, "their-session").await.unwrap().is_none(), "it does not wait for them to come back");
        forbidden(members::accept(&t.as_who(Who::Anonymous), &form(&link)).await);
        assert_eq!(code(&t, &secret).await, Code::Valid, "what others depend on goes on");
        let orphaned = keys::queue(&owner, KeyQueue::Orphaned, contract::Environment::Live, 30, 50, None).await;
        assert_eq!(orphaned.unwrap().data.iter().filter(|k| k.name == "theirs").count(), 1);
    }
}

on_both! {
    async fn who_may_invite_no_more_has_invited_nobody(t) {
        let admin = t.join("admin@acme.test", Role::Admin).await;
        let link = invite(&admin, "friend@acme.test", Role::Admin).await.unwrap();
        members::change_role(&t.owner(), id(&admin), &role(Role::Developer)).await.unwrap();
        forbidden(members::accept(&t.as_who(Who::Anonymous), &form(&link)).await);
    }
}

on_both! {
    async fn s35_who_is_owner_no_more_holds_no_link_that_makes_one(t) {
        let other = t.join("other@acme.test", Role::Owner).await;
        let link = invite(&other, "second-self@acme.test", Role::Owner).await.unwrap();
        members::change_role(&t.owner(), id(&other), &role(Role::Admin)).await.unwrap();
        forbidden(members::accept(&t.as_who(Who::Anonymous), &form(&link)).await);
    }
}

on_both! {
    async fn s22_the_links_of_a_disabled_account_work_no_more(t) {
        let admin = t.join("admin@acme.test", Role::Admin).await;
        let link = invite(&admin, "second-self@acme.test", Role::Admin).await.unwrap();
        members::disable_account(&t.owner(), id(&admin)).await.unwrap();
        forbidden(members::accept(&t.as_who(Who::Anonymous), &form(&link)).await);
    }
}

on_both! {
    async fn s22_a_disabled_account_ends_its_sessions_and_keys_in_every_process_and_tenant(t) {
        let owner = t.owner();
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let secret = keys::create_from_form(&dev, &t.form("theirs", "read")).await.unwrap().key.unwrap();
        let second = t.second_process().await;
        assert_eq!(code(&t, &secret).await, Code::Valid);
        forbidden(members::disable_account(&t.join("admin@acme.test", Role::Admin).await, id(&dev)).await);
        conflict(members::disable_account(&owner, id(&owner)).await);
        assert!(members::disable_account(&owner, id(&dev)).await.unwrap().disabled);
        conflict(members::disable_account(&owner, id(&dev)).await);
        assert!(again(&t, &dev).await.is_none());
        assert_eq!(code(&t, &secret).await, Code::Disabled, "the very next decision");
        second.cache.sync(&second).await.unwrap();
        let need = contract::Requirement::default();
        assert_eq!(verify::check(&second, &secret, None, &need, None, false).unwrap().code, Code::Disabled, "in another process");
        members::enable_account(&owner, id(&dev)).await.unwrap();
        assert_eq!(code(&t, &secret).await, Code::Valid);
        assert!(again(&t, &dev).await.is_some());
        second.stop().await;
    }
}

on_both! {
    async fn a_person_goes_on_in_another_of_their_tenants_and_in_no_other(t) {
        let owner = t.owner();
        let dev = t.join("dev@acme.test", Role::Developer).await;
        let body = |name: &str| contract::TenantBody { name: Some(name.into()), slug: None };
        let (globex, link) = tenants::create_with_owner(&owner, &body("Globex"), "dev@acme.test").await.unwrap();
        let (other, _) = tenants::create_with_owner(&owner, &body("Other"), "").await.unwrap();
        members::accept(&dev, &form(&link.unwrap())).await.unwrap();
        let there = identity::switch(&dev, globex.id).await.unwrap();
        assert_eq!(identity::resume(&t.core, there).await.unwrap().unwrap().role, Role::Owner);
        for foreign in [other.id, contract::TenantId::from_uuid(t.core.new_uuid())] {
            assert!(matches!(identity::switch(&dev, foreign).await, Err(Error::NotFound)));
        }
        let chrome = identity::chrome(&dev, contract::Prefs::default()).await.unwrap();
        assert_eq!(chrome.tenants.iter().map(|m| (m.name.as_str(), m.role)).collect::<Vec<_>>(),
            [("Acme", Role::Developer), ("Globex", Role::Owner)]);
        assert!(!chrome.platform_admin);
        tenants::suspend(&owner, globex.id, Some("unpaid")).await.unwrap();
        assert!(matches!(identity::switch(&dev, globex.id).await, Err(Error::NotFound)));
    }
}

on_both! {
    async fn keys_of_who_left_have_a_deadline_that_counts_where_an_owner_is_demanded(t) {
        let owner = t.owner();
        let dev = t.join("dev@acme.test", Role::Admin).await;
        let key = keys::create_from_form(&dev, &t.form("theirs", "orders:read")).await.unwrap().api_key.id;
        let other = keys::create_from_form(&dev, &t.form("taken-over", "orders:read")).await.unwrap().api_key.id;
        let state = async |key| keys::get(&owner, key).await.unwrap().state;
        members::remove(&owner, id(&dev)).await.unwrap();
        let left = keys::orphans::deadlines(&owner, &[key, other]).await.unwrap();
        assert_eq!(left[&key], owner.now().plus(keys::orphans::DEADLINE));
        let mine = contract::UpdateKeyBody { owner: Some(Some("owner@acme.test".into())), ..Default::default() };
        keys::update_from_body(&owner, other, &mine).await.unwrap();
        assert!(!keys::orphans::deadlines(&owner, &[other]).await.unwrap().contains_key(&other), "somebody answers for it");
        t.clock.advance(Duration::from_secs(31 * 86_400));
        keys::orphans::disable_due(&t.core).await.unwrap();
        assert_eq!(state(key).await, contract::KeyState::Active, "nothing demands an owner");
        t.tamper(r#"UPDATE tenants SET policies = '{"require_owner":true}'"#).await;
        keys::orphans::disable_due(&t.core).await.unwrap();
        assert_eq!((state(key).await, state(other).await), (contract::KeyState::Disabled, contract::KeyState::Active));
        let log = audit::list(&owner, &contract::AuditFilter::default(), PageQuery::default()).await.unwrap().data;
        assert!(log.iter().any(|e| e.action == "api_key.disabled" && e.reason.as_deref().is_some_and(|r| r.contains("30 days"))));
    }
}
