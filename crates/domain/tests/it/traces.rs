//! Why was it decided so? What would a change break? What does a key not need? Who uses the old secret?

use contract::{
    AllowedIp, Change, CheckName, CheckOutcome, Code, Environment, Impact, KeyId, Outcome, PageQuery, Requirement, Scope, ScopeSet, UnixMs,
    UsageQuery, UsageSource, VerifyRequest,
};
use domain::{
    keys, on_both,
    testing::TestInstallation,
    usage,
    usage::NewEvent,
    verify::{self, Entry, Facts, Logged, Sent, decide, forward_auth},
};
use std::{net::IpAddr, time::Duration};

fn ask(credential: &str, scopes: &[&str], ip: Option<&str>, environment: Environment) -> VerifyRequest {
    VerifyRequest {
        credential: credential.to_owned(),
        scopes: scopes.iter().map(|s| Scope::parse(s).unwrap()).collect(),
        ip: ip.map(|ip| ip.parse().unwrap()),
        environment: Some(environment),
        audience: None,
        method: Some("GET".into()),
        path: Some("/v2/users".into()),
        user_agent: Some("curl/8".into()),
        cost: 1,
    }
}

async fn stored(t: &TestInstallation, n: i64) {
    while usage::count_unscoped(&t.core.db).await.unwrap() < n {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_both! {
    async fn a_trace_tells_no_credential_and_two_of_them_from_a_wrong_one(t) {
        let gateway = t.gateway();
        for (sent, code, said) in [
            (Sent::Nothing, Code::Unauthorized, "No credential was sent."),
            (Sent::Several, Code::ConflictingCredentials, "Two different credentials were sent: neither was looked at."),
            (Sent::One("junk".into()), Code::Malformed, "It is no key: prefix, length or checksum is wrong."),
        ] {
            let before = usage::count_unscoped(&t.core.db).await.unwrap();
            let decision = forward_auth(&gateway, &sent, None, &Requirement::default(), None, Logged::default()).await.unwrap();
            assert_eq!((decision.code, decision.entry), (code, None));
            stored(&t, before + 1).await;
            let newest = usage::traces(&t.owner(), "req_test").await.unwrap().remove(0);
            assert_eq!((newest.event.code, newest.checks[0].outcome, newest.checks[0].message.as_str()), (code, CheckOutcome::Failed, said));
            assert!(newest.checks[1..].iter().all(|c| c.outcome == CheckOutcome::Skipped));
        }
    }
}

on_both! {
    async fn a_trace_tells_each_check_with_the_facts_of_that_moment(t) {
        let owner = t.owner();
        let gateway = t.gateway();
        let mut form = t.form("checkout", "users:read");
        form.allowed_ips = "198.51.100.0/24".into();
        let made = keys::create_from_form(&owner, &form).await.unwrap();
        let (id, key) = (made.api_key.id, made.key.unwrap());
        let cases = [
            ("junk", vec![], None, Environment::Live, Code::Malformed, CheckName::Format),
            (&key, vec![], Some("198.51.100.7"), Environment::Test, Code::EnvironmentMismatch, CheckName::Environment),
            (&key, vec![], Some("203.0.113.9"), Environment::Live, Code::IpNotAllowed, CheckName::Ip),
            (&key, vec!["users:read", "users:write"], Some("198.51.100.7"), Environment::Live, Code::InsufficientScope, CheckName::Scope),
        ];
        for (key, scopes, ip, environment, code, _) in &cases {
            assert_eq!(verify::verify(&gateway, &ask(key, scopes, *ip, *environment)).await.unwrap().code, *code);
        }
        assert!(verify::verify(&gateway, &ask(&key, &["users:read"], Some("198.51.100.7"), Environment::Live)).await.unwrap().valid);
        stored(&t, 5).await;
        let mut traces = usage::traces(&owner, "req_test").await.unwrap();
        traces.reverse();
        assert_eq!(traces.len(), 5);
        for (trace, (.., code, failed)) in traces.iter().zip(&cases) {
            assert_eq!(trace.event.code, *code);
            assert_eq!(trace.checks.iter().map(|c| c.name).collect::<Vec<_>>(), CheckName::ALL);
            let place = trace.checks.iter().position(|c| c.outcome == CheckOutcome::Failed).unwrap();
            assert_eq!(trace.checks[place].name, *failed);
            assert!(trace.checks[..place].iter().all(|c| c.outcome == CheckOutcome::Passed));
            assert!(trace.checks[place + 1..].iter().all(|c| c.outcome == CheckOutcome::Skipped));
            assert!(!format!("{trace:?}").contains(&key[20..]), "no secret in a trace (s77)");
        }
        let said = |trace: &contract::Trace, name| trace.checks.iter().find(|c| c.name == name).unwrap().clone();
        let ip = said(&traces[2], CheckName::Ip);
        assert_eq!((&ip.facts["ip"], &ip.facts["key"]["matched"]), (&"203.0.113.9".into(), &serde_json::Value::Null));
        assert_eq!(said(&traces[3], CheckName::Scope).facts["missing"], serde_json::json!(["users:write"]));
        let passed = &traces[4];
        assert!(passed.checks.iter().all(|c| c.outcome == CheckOutcome::Passed));
        assert_eq!(said(passed, CheckName::Ip).facts["key"]["matched"], "198.51.100.0/24");
        assert_eq!(said(passed, CheckName::Limit).facts["window"]["remaining"], 9_999);
        assert!(passed.secret_id.is_some());
        // What changes later does not change what was.
        let before: Vec<_> = passed.checks.iter().map(|c| c.message.clone()).collect();
        keys::revoke(&owner, id, None).await.unwrap();
        t.tamper("UPDATE api_keys SET allowed_ips = '[]', scopes = '[]'").await;
        let after = usage::trace(&owner, passed.event.id).await.unwrap();
        assert_eq!(after.checks.iter().map(|c| c.message.clone()).collect::<Vec<_>>(), before);
        assert_eq!(after.checks, passed.checks);
    }
}

on_both! {
    async fn a_policy_is_stored_once_for_all_the_requests_it_decided(t) {
        let gateway = t.gateway();
        let key = keys::create_from_form(&t.owner(), &t.form("k", "read")).await.unwrap().key.unwrap();
        for _ in 0..3 {
            for _ in 0..20 {
                verify::verify(&gateway, &ask(&key, &[], None, Environment::Live)).await.unwrap();
            }
            t.clock.advance(Duration::from_secs(5));
            stored(&t, 20).await;
        }
        t.core.meter.stop().await;
        let traces = usage::traces(&t.owner(), "req_test").await.unwrap();
        assert!(traces.len() == 60 && traces.iter().all(|t| t.checks.iter().all(|c| !c.message.contains("not kept"))));
        assert_eq!(t.count("SELECT COUNT(*) FROM usage_policies").await, 1);
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const SCOPES: [&str; 5] = ["users:read", "users:write", "orders:read", "read", "users:admin"];
const IPS: [&str; 4] = ["198.51.100.7", "198.51.100.250", "203.0.113.9", "2001:db8::7"];
const NETS: [&str; 4] = ["198.51.100.0/24", "198.51.100.7", "203.0.113.0/24", "2001:db8::/32"];

/// Random requests of a key over the last 40 days, decided as they would have been.
async fn past(t: &TestInstallation, key: KeyId, dice: &mut Dice, n: usize) {
    for _ in 0..n {
        t.clock.advance(Duration::from_secs(40 * 86_400 / n as u64));
        let allowed = dice.below(5) > 0;
        let ip = (dice.below(6) > 0).then(|| dice.pick(&IPS).parse::<IpAddr>().unwrap());
        let needs: Vec<Scope> = (0..dice.below(3)).map(|_| Scope::parse(dice.pick(&SCOPES)).unwrap()).collect();
        t.core
            .meter
            .record(NewEvent {
                id: t.core.new_uuid(),
                at: t.core.now(),
                tenant_id: Some(t.first.tenant_id),
                request_id: "req_past".into(),
                client_id: None,
                credential_id: Some(key),
                subject: None,
                asked_by: None,
                kind: contract::CredentialKind::ApiKey,
                outcome: if allowed { Outcome::Allowed } else { Outcome::Denied },
                code: if allowed { Code::Valid } else { Code::RateLimited },
                method: Some("GET".into()),
                path: Some(dice.pick(&["/a", "/b"]).into()),
                ip,
                user_agent: Some(dice.pick(&["curl/8", "node"]).into()),
                environment: Environment::Live,
                required_scopes: needs,
                required_environment: dice.pick(&[Some(Environment::Live), None]),
                audience: None,
                cost: 1,
                secret_id: None,
                versions: domain::Versions::default(),
                policy: None,
                rate_limit: None,
                source: UsageSource::Verify,
                latency_us: 5,
            })
            .await;
    }
    t.core.meter.stop().await;
}

/// The same question, asked of every stored event by itself.
async fn one_by_one(t: &TestInstallation, key: KeyId, before: &Entry, after: &Entry) -> Impact {
    let since = t.core.now().plus(-30 * UnixMs::DAY);
    let query = UsageQuery { credential_id: Some(key), from: Some(since), outcome: Some(Outcome::Allowed), ..UsageQuery::default() };
    let mut page = PageQuery { limit: 200, cursor: None };
    let mut events = Vec::new();
    loop {
        let got = usage::search(&t.owner(), &query, page).await.unwrap();
        events.extend(got.data);
        page.cursor = got.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    let decided = |entry: &Entry, e: &contract::UsageEvent| {
        decide(entry, &Facts { ip: e.ip, environment: Some(Environment::Live), scopes: &e.required_scopes, only_tenant: None, now: e.at })
    };
    let lost: Vec<_> = events.iter().filter(|e| decided(before, e) == Code::Valid && decided(after, e) != Code::Valid).collect();
    let n = |count: usize| i64::try_from(count).unwrap();
    let addresses: std::collections::HashSet<_> = lost.iter().filter_map(|e| e.ip).collect();
    let mut callers: std::collections::HashMap<_, (i64, UnixMs)> = std::collections::HashMap::new();
    for e in &lost {
        let slot = callers.entry((e.ip, e.user_agent.clone(), e.path.clone())).or_insert((0, e.at));
        *slot = (slot.0 + 1, slot.1.max(e.at));
    }
    let mut callers: Vec<_> = callers
        .into_iter()
        .map(|((ip, user_agent, path), (count, last_seen_at))| contract::CallerSeen { ip, user_agent, path, count, last_seen_at })
        .collect();
    callers.sort_by_key(|c| std::cmp::Reverse((c.count, c.last_seen_at)));
    Impact {
        since,
        allowed: n(events.len()),
        lost: n(lost.len()),
        lost_24h: n(lost.iter().filter(|e| e.at >= t.core.now().plus(-UnixMs::DAY)).count()),
        addresses: n(addresses.len()),
        last_lost_at: lost.iter().map(|e| e.at).max(),
        callers_total: n(callers.len()),
        callers,
    }
}

on_both! {
    async fn an_impact_equals_deciding_every_stored_event_again(t) {
        let owner = t.owner();
        let mut dice = Dice(3);
        let mut form = t.form("k", "users:read orders:read users:write");
        form.allowed_ips = "198.51.100.0/24\n203.0.113.0/24\n2001:db8::/32".into();
        let made = keys::create_from_form(&owner, &form).await.unwrap();
        let id = made.api_key.id;
        let entry = t.core.cache.get(&keys::secret::parse(made.key.as_deref().unwrap()).unwrap().digest(&t.core.keys)).unwrap();
        // Dates play no part: the key expires on the way.
        let entry = Entry { expires_at: None, ..(*entry).clone() };
        past(&t, id, &mut dice, 600).await;
        let mut lost = 0;
        for round in 0..40 {
            let change = match round % 3 {
                0 if round == 0 => Change::Revoke,
                0 | 1 => Change::Scopes(ScopeSet((0..dice.below(3)).map(|_| Scope::parse(dice.pick(&SCOPES)).unwrap()).collect())),
                _ => Change::AllowedIps((0..dice.below(3)).map(|_| AllowedIp::parse(dice.pick(&NETS)).unwrap()).collect()),
            };
            let after = match &change {
                Change::Revoke => Entry { revoked_at: Some(UnixMs(0)), ..entry.clone() },
                Change::Scopes(s) => Entry { scopes: s.clone(), ..entry.clone() },
                Change::AllowedIps(ips) => Entry { allowed_ips: ips.clone(), ..entry.clone() },
            };
            let (mut got, wanted) = (keys::impact_of(&owner, id, &change).await.unwrap(), one_by_one(&t, id, &entry, &after).await);
            got.callers.sort_by_key(|c| std::cmp::Reverse((c.count, c.last_seen_at)));
            assert_eq!(got, wanted, "{change}");
            assert!(wanted.allowed > 100, "there is something to weigh");
            lost += got.lost;
        }
        assert!(lost > 100);
        let four = keys::impact(&owner, id).await.unwrap();
        let all = keys::impact_of(&owner, id, &Change::Revoke).await.unwrap();
        assert_eq!((four.allowed_30d, four.allowed_24h, four.addresses_30d, four.last_allowed_at), (all.lost, all.lost_24h, all.addresses, all.last_lost_at));
    }
}

on_both! {
    async fn an_impact_of_the_tenants_allowlist_counts_its_live_keys(t) {
        let owner = t.owner();
        let id = keys::create_from_form(&owner, &t.form("k", "read")).await.unwrap().api_key.id;
        past(&t, id, &mut Dice(5), 200).await;
        let nets = |list: &[&str]| list.iter().map(|n| AllowedIp::parse(n).unwrap()).collect::<Vec<_>>();
        let none = keys::impact_of_allowlist(&owner, &nets(&["0.0.0.0/0", "::/0"])).await.unwrap();
        let narrow = keys::impact_of_allowlist(&owner, &nets(&["198.51.100.0/24"])).await.unwrap();
        assert!(none.lost > 0 && none.callers.iter().all(|c| c.ip.is_none()), "an unknown address is on no list (s40)");
        assert!(narrow.lost > none.lost && narrow.callers.iter().all(|c| c.ip.is_none_or(|ip| !ip.to_string().starts_with("198.51.100."))));
        assert_eq!(keys::impact_of_allowlist(&owner, &[]).await.unwrap().lost, 0);
    }
}

on_both! {
    async fn advice_names_what_was_not_needed_and_a_set_that_would_have_done(t) {
        let owner = t.owner();
        let gateway = t.gateway();
        let made = keys::create_from_form(&owner, &t.form("k", "read users:write delete")).await.unwrap();
        let (id, key) = (made.api_key.id, made.key.unwrap());
        assert_eq!(keys::advice(&owner, id).await.unwrap().suggested, None, "nothing to go by");
        for scopes in [vec!["read:users"], vec!["users:read", "orders:read"], vec!["users:write"], vec![], vec!["billing:write"]] {
            verify::verify(&gateway, &ask(&key, &scopes, None, Environment::Live)).await.unwrap();
        }
        stored(&t, 5).await;
        let advice = keys::advice(&owner, id).await.unwrap();
        assert_eq!((advice.requests, advice.without_requirement), (4, 1), "the denied one does not count");
        let said: Vec<_> = advice.granted.iter().map(|g| (g.scope.as_str(), g.count, g.needed.len(), g.known)).collect();
        assert_eq!(said, [("read", 3, 2, true), ("users:write", 1, 1, true), ("delete", 0, 0, true)]);
        assert_eq!(advice.unused, [Scope::parse("delete").unwrap()]);
        let suggested = advice.suggested.unwrap();
        assert_eq!(suggested.joined(), "users:write orders:read read:users");
        let lost = keys::impact_of(&owner, id, &Change::Scopes(suggested)).await.unwrap();
        assert_eq!((lost.allowed, lost.lost), (4, 0), "what is suggested breaks nothing");
    }
}

on_both! {
    async fn advice_reads_permissions_as_the_tenant_does_and_suggests_only_what_can_be_granted(t) {
        let owner = t.owner();
        let gateway = t.gateway();
        for name in ["run", "exports:run"] {
            domain::scopes::create(&owner, &contract::ScopeBody { name: Some(name.into()), description: None }).await.unwrap();
        }
        let made = keys::create_from_form(&owner, &t.form("k", "run exports:admin read")).await.unwrap();
        let (id, key) = (made.api_key.id, made.key.unwrap());
        // In the other spelling; `exports:admin` is nearer to it than `run`. The last one stands in no catalogue.
        for scope in ["run:exports", "run:imports", "users:read"] {
            verify::verify(&gateway, &ask(&key, &[scope], None, Environment::Live)).await.unwrap();
        }
        stored(&t, 3).await;
        let advice = keys::advice(&owner, id).await.unwrap();
        let used: Vec<_> = advice.granted.iter().map(|g| (g.scope.as_str(), g.count)).collect();
        assert_eq!(used, [("run", 1), ("exports:admin", 1), ("read", 1)]);
        assert_eq!(advice.suggested.clone().unwrap().joined(), "exports:run run:imports users:read", "who manages the catalogue may add to it");
        let developer = t.member(t.first.user_id, t.first.tenant_id, contract::Role::Developer);
        let narrower = keys::advice(&developer, id).await.unwrap().suggested.unwrap();
        assert_eq!(narrower.joined(), "run read", "what the catalogue lacks stays covered as it was");
        let change = contract::UpdateKey { scopes: Some(narrower.0), ..contract::UpdateKey::default() };
        keys::update(&owner, id, change).await.unwrap();
    }
}

on_both! {
    async fn the_cockpit_shows_who_still_uses_the_old_secret_and_when_it_is_safe(t) {
        let owner = t.owner();
        let gateway = t.gateway();
        let made = keys::create_from_form(&owner, &t.form("k", "read")).await.unwrap();
        let (id, key) = (made.api_key.id, made.key.unwrap());
        let calm = keys::cockpit(&owner, id, None).await.unwrap();
        assert!(calm.old.is_empty() && calm.safe_to_retire && calm.quiet_hours == keys::QUIET_HOURS);
        verify::verify(&gateway, &ask(&key, &[], Some("203.0.113.1"), Environment::Live)).await.unwrap();
        t.clock.advance(Duration::from_secs(3_600));
        t.core.cache.sync(&t.core).await.unwrap();
        let old = calm.current.secret_id;
        keys::rotate(&owner, id, &serde_json::from_value(serde_json::json!({"grace_seconds": 604_800})).unwrap()).await.unwrap();
        t.clock.advance(Duration::from_secs(3_600));
        t.core.cache.sync(&t.core).await.unwrap();
        for ip in ["203.0.113.9", "203.0.113.9", "198.51.100.7"] {
            verify::verify(&gateway, &ask(&key, &[], Some(ip), Environment::Live)).await.unwrap();
            t.clock.advance(Duration::from_secs(1));
        }
        stored(&t, 4).await;
        let busy = keys::cockpit(&owner, id, None).await.unwrap();
        assert!(busy.current.secret_id != old);
        assert_eq!((busy.current.count, busy.old.len()), (0, 1));
        assert_eq!((busy.old[0].secret_id, busy.old[0].count), (old, 3), "since the rotation");
        let seen: Vec<_> = busy.old[0].callers.iter().map(|c| (c.ip.unwrap().to_string(), c.count)).collect();
        assert_eq!(seen, [("198.51.100.7".to_owned(), 1), ("203.0.113.9".to_owned(), 2)], "the latest first");
        assert!(!busy.safe_to_retire);
        assert_eq!(busy.safe_at, busy.old[0].last_seen_at.map(|t| t.plus(UnixMs::DAY)));
        t.clock.advance(Duration::from_secs(2 * 3_600));
        assert!(keys::cockpit(&owner, id, Some(1)).await.unwrap().safe_to_retire, "an hour's quiet was asked for");
        assert!(!keys::cockpit(&owner, id, None).await.unwrap().safe_to_retire);
        t.clock.advance(Duration::from_secs(86_400));
        assert!(keys::cockpit(&owner, id, None).await.unwrap().safe_to_retire);
    }
}

on_both! {
    async fn callers_that_the_addresses_of_today_refuse_are_named(t) {
        let owner = t.owner();
        let made = keys::create_from_form(&owner, &t.form("job", "users:read")).await.unwrap();
        let (id, secret) = (made.api_key.id, made.key.unwrap());
        for ip in ["198.51.100.7", "203.0.113.9", "203.0.113.9"] {
            verify::verify(&t.gateway(), &ask(&secret, &["users:read"], Some(ip), Environment::Live)).await.unwrap();
        }
        stored(&t, 3).await;
        assert_eq!(keys::shut_out(&owner, id).await.unwrap(), []);
        let narrower = contract::UpdateKeyBody { allowed_ips: Some(Some(vec!["198.51.100.0/24".into()])), ..Default::default() };
        keys::update_from_body(&owner, id, &narrower).await.unwrap();
        let out = keys::shut_out(&owner, id).await.unwrap();
        assert_eq!((out.len(), out[0].count, out[0].ip), (1, 2, "203.0.113.9".parse().ok()));
        let still = keys::impact_of(&owner, id, &Change::Revoke).await.unwrap();
        assert_eq!((still.lost, still.callers[0].ip), (1, "198.51.100.7".parse().ok()));
    }
}
