use contract::{AuditFilter, AuditQuery, PageQuery, Role, TenantId};
use domain::{Error, audit, audit::Chain, keys, on_both};

on_both! {
    async fn s78_every_change_stands_in_the_chain_with_who_and_why(t) {
        let made = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap();
        keys::revoke(&t.owner(), made.api_key.id, Some("leaked")).await.unwrap();
        let filter = AuditFilter { target_id: Some(made.api_key.id.to_string()) };
        let mut events = audit::list(&t.owner(), &filter, PageQuery::default()).await.unwrap().data;
        events.sort_by_key(|e| e.seq);
        let said: Vec<_> = events.iter().map(|e| (e.action.as_str(), e.actor.name.as_str(), e.reason.as_deref())).collect();
        assert_eq!(said, [("api_key.created", "owner@acme.test", None), ("api_key.revoked", "owner@acme.test", Some("leaked"))]);
        assert!(!format!("{events:?}").contains(&made.key.unwrap()), "no secret in the log (s77)");
        // tenant.created, member.added, two bootstrap keys, and these two
        assert_eq!(audit::verify_chain(&t.owner()).await.unwrap(), Chain::Whole(6));
    }
}

on_both! {
    async fn s78_an_edit_of_the_log_breaks_the_chain(t) {
        t.tamper("UPDATE audit_events SET reason = 'nothing to see' WHERE seq = 2").await;
        assert_eq!(audit::verify_chain(&t.owner()).await.unwrap(), Chain::BrokenAt(2));
    }
}

on_both! {
    async fn s78_a_deletion_and_a_truncation_break_the_chain(t) {
        t.tamper("DELETE FROM audit_events WHERE seq = 4").await;
        assert_eq!(audit::verify_chain(&t.owner()).await.unwrap(), Chain::BrokenAt(4), "the last one cut off");
        t.tamper("DELETE FROM audit_events WHERE seq = 2").await;
        assert_eq!(audit::verify_chain(&t.owner()).await.unwrap(), Chain::BrokenAt(2), "one in the middle missing");
    }
}

on_both! {
    async fn s78_a_rewritten_chain_shows_because_its_head_is_not_signed_and_never_is_again(t) {
        let owner = t.owner();
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::Whole(4));
        let kept = audit::heads(&owner).await.unwrap().remove(0);
        // Somebody who can write to the database cuts the last event off and puts the head back by one.
        t.tamper("UPDATE audit_heads SET seq = 3, hash = (SELECT hash FROM audit_events WHERE seq = 3)").await;
        t.tamper("DELETE FROM audit_events WHERE seq = 4").await;
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::HeadNotSigned(3));
        keys::create_from_form(&owner, &t.form("k", "read")).await.unwrap();
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::HeadNotSigned(4), "the next change does not launder it");
        assert!(!audit::heads(&owner).await.unwrap().iter().any(|h| audit::head_is_signed(h, None)));
        let events = audit::export(&owner, &AuditQuery::default(), None).await.unwrap().data;
        assert_eq!(audit::verify_export(kept.tenant_id, events, Some(&kept)).unwrap(), Chain::BrokenAt(4), "nor does it agree with a head kept elsewhere");
    }
}

/// Nothing that was put back passes: an empty chain is none that anybody made.
const EMPTIED: &str =
    "UPDATE audit_heads SET seq = 0, hash = (SELECT prev_hash FROM audit_events WHERE seq = 1), signed_at = NULL, signature = NULL";

on_both! {
    async fn s78_a_head_put_back_to_the_start_vouches_for_nothing(t) {
        let owner = t.owner();
        t.tamper(EMPTIED).await;
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::BrokenAt(1), "there are events behind it");
        t.tamper("DELETE FROM audit_events").await;
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::HeadNotSigned(0), "a tenant was made: its chain is never empty");
        keys::create_from_form(&owner, &t.form("k", "read")).await.unwrap();
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::HeadNotSigned(1), "the next change does not launder it");
    }
}

on_both! {
    async fn s78_a_signed_head_put_back_shows_against_the_events_behind_it(t) {
        let owner = t.owner();
        t.tamper("CREATE TABLE kept AS SELECT * FROM audit_heads").await;
        keys::create_from_form(&owner, &t.form("k", "read")).await.unwrap();
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::Whole(5));
        t.tamper("DELETE FROM audit_heads").await;
        t.tamper("INSERT INTO audit_heads SELECT * FROM kept").await;
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::BrokenAt(5));
    }
}

on_both! {
    async fn s78_an_older_head_vouches_for_what_lies_up_to_it_and_the_verdict_says_so(t) {
        let owner = t.owner();
        let old = audit::heads(&owner).await.unwrap().remove(0);
        for name in ["a", "b"] {
            keys::create_from_form(&owner, &t.form(name, "read")).await.unwrap();
        }
        let events = audit::export(&owner, &AuditQuery::default(), None).await.unwrap().data;
        let verdict = |keep: &dyn Fn(i64) -> bool| {
            let kept = events.iter().filter(|e| keep(e.seq)).cloned().collect();
            audit::verify_export(old.tenant_id, kept, Some(&old)).unwrap()
        };
        assert_eq!(verdict(&|_| true), Chain::SignedUpTo { signed: 4, last: 6 });
        assert_eq!(verdict(&|seq| seq <= 4), Chain::Whole(4));
        assert_eq!(verdict(&|seq| seq != 5), Chain::BrokenAt(5), "the links behind it are checked, too");
        assert_eq!(verdict(&|seq| seq > 4), Chain::HeadNotSigned(6), "of these it says nothing");
    }
}

on_both! {
    async fn s78_an_export_is_verified_offline_with_the_signed_head(t) {
        let owner = t.owner();
        let metadata = r#"{"weight": 0.1, "big": 1e300, "n": 9007199254740993, "ä": [1.5, null], "a": {"z": 1, "b": 2}}"#;
        let form = t.form("k", "read").parse(t.core.now()).unwrap();
        keys::create(&owner, contract::CreateKey { metadata: serde_json::from_str(metadata).unwrap(), ..form }).await.unwrap();
        let head = audit::heads(&owner).await.unwrap().remove(0);
        let written: Vec<String> = audit::export(&owner, &AuditQuery::default(), None).await.unwrap().data.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
        let read = || written.iter().map(|l| serde_json::from_str::<contract::AuditEvent>(l).unwrap()).collect::<Vec<_>>();
        let tenant = t.first.tenant_id;
        assert_eq!(audit::verify_export(tenant, read(), Some(&head)).unwrap(), Chain::Whole(5));
        assert_eq!(audit::verify_export(tenant, read().into_iter().filter(|e| e.seq > 2).collect(), Some(&head)).unwrap(), Chain::Whole(5), "a part of it");
        assert_eq!(audit::verify_export(tenant, read().into_iter().filter(|e| e.seq != 5).collect(), Some(&head)).unwrap(), Chain::BrokenAt(5), "truncated");
        assert_eq!(audit::verify_export(tenant, read().into_iter().filter(|e| e.seq != 3).collect(), Some(&head)).unwrap(), Chain::BrokenAt(3), "one deleted");
        let mut swapped = read();
        (swapped[1].seq, swapped[2].seq) = (swapped[2].seq, swapped[1].seq);
        assert!(matches!(audit::verify_export(tenant, swapped, Some(&head)).unwrap(), Chain::BrokenAt(_)), "reordered");
        let mut edited = read();
        edited[1].reason = Some("nothing to see".into());
        assert!(matches!(audit::verify_export(tenant, edited, Some(&head)).unwrap(), Chain::BrokenAt(_)), "edited");
        let other = TenantId::from_uuid(t.core.new_uuid());
        assert!(matches!(audit::verify_export(other, read(), None).unwrap(), Chain::BrokenAt(1)), "another tenant's");
        assert!(audit::head_is_signed(&head, Some(&head.public_key)) && !audit::head_is_signed(&head, Some("AAAA")));
        let forged = contract::AuditHead { seq: 4, ..head.clone() };
        assert!(!audit::head_is_signed(&forged, None));
    }
}

on_both! {
    async fn audit_filters_find_what_they_say(t) {
        let owner = t.owner();
        let made = keys::create_from_form(&owner, &t.form("k", "read")).await.unwrap();
        t.clock.advance(std::time::Duration::from_secs(60));
        let later = t.core.now();
        keys::revoke(&owner, made.api_key.id, None).await.unwrap();
        let id = made.api_key.id.to_string();
        let (user, later) = (t.first.user_id.to_string(), later.to_string());
        let everything = audit::search(&owner, &AuditQuery::default(), PageQuery::default()).await.unwrap().data;
        let of = |keep: &dyn Fn(&contract::AuditEvent) -> bool| everything.iter().filter(|e| keep(e)).count();
        let by_user = of(&|e| e.action == "api_key.created" && e.actor.id.as_deref() == Some(&user));
        let by_name = of(&|e| e.actor.name == "owner@acme.test");
        assert!(by_user > 0 && by_name > by_user && by_user < 4, "{by_user} {by_name}");
        for (pairs, wanted) in [
            (vec![], 6),
            (vec![("target", id.as_str())], 2),
            (vec![("action", "api_key.revoked")], 1),
            (vec![("actor", user.as_str()), ("action", "api_key.created")], by_user),
            (vec![("actor", "owner@acme.test")], by_name),
            (vec![("from", later.as_str())], 1),
            (vec![("to", later.as_str())], 5),
            (vec![("to", later.as_str()), ("target", id.as_str()), ("request_id", "req_test")], 1),
            (vec![("request_id", "req_other")], 0),
        ] {
            let query = AuditQuery::parse(pairs.iter().copied()).unwrap();
            let mut page = PageQuery { limit: 1, cursor: None };
            let mut found = Vec::new();
            loop {
                let got = audit::search(&owner, &query, page).await.unwrap();
                found.extend(got.data);
                page.cursor = got.next_cursor;
                if page.cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found.len(), wanted, "{pairs:?}: {:?}", found.iter().map(|e| (&e.actor.name, &e.action)).collect::<Vec<_>>());
            assert!(found.windows(2).all(|w| w[0].seq > w[1].seq));
            let (streamed, last) = audit::newer(&owner, &query, 0).await.unwrap();
            assert_eq!((streamed.len(), last), (wanted, 6), "{pairs:?}: a stream lets the same through");
        }
        assert!(AuditQuery::parse([("actr", "x")]).is_err() && AuditQuery::parse([("from", "x")]).is_err());
    }
}

on_both! {
    async fn parallel_changes_make_one_chain_without_gaps(t) {
        let owner = t.owner();
        let forms: Vec<_> = (0..8).map(|n| t.form(&format!("k{n}"), "read")).collect();
        let made = forms.iter().map(|f| keys::create_from_form(&owner, f));
        for one in futures_join(made).await {
            one.unwrap();
        }
        assert_eq!(audit::verify_chain(&owner).await.unwrap(), Chain::Whole(12));
    }
}

on_both! {
    async fn s36_the_log_is_for_those_whose_role_reads_it(t) {
        for role in [Role::Developer, Role::Support] {
            let asked = audit::list(&t.member(t.first.user_id, t.first.tenant_id, role), &AuditFilter::default(), PageQuery::default()).await;
            assert!(matches!(asked, Err(Error::Denied(_))), "{role}");
        }
    }
}

/// Runs the futures at once on this task.
async fn futures_join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|cx| {
        for (f, out) in &mut pending {
            if out.is_none()
                && let std::task::Poll::Ready(v) = f.as_mut().poll(cx)
            {
                *out = Some(v);
            }
        }
        if pending.iter().all(|(_, out)| out.is_some()) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, out)| out).collect()
}
