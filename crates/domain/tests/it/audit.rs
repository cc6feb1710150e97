use contract::{AuditFilter, PageQuery, Role};
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
