//! How often: two sliding windows for each subject, a second and an hour.
//!
//! A window is two cells: the count of the current one, and the one before it, which fades out as the current one
//! passes. The first request starts the first cell, so a fresh subject is admitted exactly `per_second` times within a
//! second and `per_hour` times within an hour, however many ask at once: a shard's lock makes check and count one step.

use contract::{AppId, KeyId, RateLimit, RateLimitState, TenantId, UnixMs, UserId, normalise};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

/// What callers without a credential may do, by their address.
pub const ANONYMOUS: RateLimit = RateLimit { per_hour: 100, per_second: 5 };

/// What a person may do by tokens, whichever they hold.
pub const PERSON: RateLimit = RateLimit { per_hour: 10_000, per_second: 100 };

/// What an app may do for one person, or for itself.
pub const OAUTH: RateLimit = RateLimit { per_hour: 5_000, per_second: 50 };

/// What an app that proves who it is may write at the authorization server's endpoints: more than one that keeps its tokens
/// until they expire ever asks for, and a bound for one in a loop.
pub const CLIENT: RateLimit = RateLimit { per_hour: 360_000, per_second: 100 };

/// How often apps may be answered about a person without asking them: a browser that is sent around in a loop stops.
pub const ANSWERED: RateLimit = RateLimit { per_hour: 1_000, per_second: 20 };

/// Credentials that are none or nobody's, by the address that sends them: room for a service that was misconfigured,
/// none for guessing or for filling the log.
pub const FAILED: RateLimit = RateLimit { per_hour: 1_000, per_second: 20 };

/// Locks, so that busy subjects do not wait for each other.
const SHARDS: usize = 64;
/// Subjects of one shard before those that rest are forgotten early: 1 M in all, about 80 MB.
const CROWDED: usize = 16_384;

/// Whose requests are counted together (s68: tenants never share a count).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An API key, with whichever of its secrets.
    Key(TenantId, KeyId),
    /// A person in a tenant, with whichever of their tokens.
    Person(TenantId, UserId),
    /// A person by way of an app, with whichever of its tokens.
    PersonBy(TenantId, UserId, AppId),
    /// An app for itself.
    App(TenantId, AppId),
    /// An app that proved who it is at the authorization server's endpoints, by what it writes there.
    Client(TenantId, AppId),
    /// A person about whom apps are answered without asking.
    Answered(TenantId, UserId),
    /// Somebody whom an app names in what it signs; the hash of the name.
    Named(TenantId, AppId, u64),
    /// Whoever comes from an address without a credential; an IPv6 client owns its /64 (s41).
    Address(IpAddr),
    /// Whoever sends credentials that nobody has, from an address.
    Failed(IpAddr),
}

impl Subject {
    /// The subject behind an address.
    pub fn address(ip: IpAddr) -> Self {
        Self::Address(client(ip))
    }

    /// The same for credentials that nobody has.
    pub fn failed(ip: IpAddr) -> Self {
        Self::Failed(client(ip))
    }
}

fn client(ip: IpAddr) -> IpAddr {
    match normalise(ip) {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// An hour.
    Hour,
    /// A second.
    Second,
}

impl Span {
    /// In milliseconds.
    pub const fn ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Second => 1_000,
        }
    }

    /// Its name in `RateLimit-Policy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Second => "second",
        }
    }

    const fn limit(self, of: RateLimit) -> u32 {
        match self {
            Self::Hour => of.per_hour,
            Self::Second => of.per_second,
        }
    }
}

/// What a request was charged, or why it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The limits that applied.
    pub policy: RateLimit,
    /// The window the state speaks of: the hour, or the one that refused.
    pub span: Span,
    /// What is left of it.
    pub state: RateLimitState,
    /// Seconds until the same request would pass; none if it passed.
    pub retry_after: Option<u32>,
}

impl Charge {
    /// Did the request pass?
    pub const fn admitted(&self) -> bool {
        self.retry_after.is_none()
    }
}

/// The counts of this process.
#[derive(Debug)]
pub struct Limiter {
    shards: Vec<Mutex<HashMap<Subject, Windows>>>,
    hasher: RandomState,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl Limiter {
    /// Counts `cost` requests if both windows have room for all of them, else none (a cost of 0 always passes).
    pub fn charge(&self, subject: Subject, policy: RateLimit, cost: u32, now: UnixMs) -> Charge {
        let shard = usize::try_from(self.hasher.hash_one(subject) % SHARDS as u64).unwrap_or(0);
        let mut shard = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= CROWDED && !shard.contains_key(&subject) {
            // Strangers crowd each other out, never keys, people and apps.
            let known = |s: &Subject| !matches!(s, Subject::Named(..) | Subject::Address(_) | Subject::Failed(_));
            shard.retain(|s, w| known(s) || w.second.is_live(Span::Second, now));
        }
        shard.entry(subject).or_insert_with(|| Windows::starting(now)).charge(policy, cost, now)
    }

    /// Forgets subjects that were not counted for two hours: their windows are empty.
    pub fn sweep(&self, now: UnixMs) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, w| w.hour.is_live(Span::Hour, now));
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Windows {
    hour: Cells,
    second: Cells,
}

impl Windows {
    const fn starting(now: UnixMs) -> Self {
        let cells = Cells { start: now.0, before: 0, current: 0 };
        Self { hour: cells, second: cells }
    }

    fn charge(&mut self, policy: RateLimit, cost: u32, now: UnixMs) -> Charge {
        self.hour.roll(Span::Hour, now);
        self.second.roll(Span::Second, now);
        // The hour is named first: while it refuses, waiting a second does not help.
        for (cells, span) in [(&self.hour, Span::Hour), (&self.second, Span::Second)] {
            let limit = span.limit(policy);
            if cost > 0 && cells.used(span, now).saturating_add(cost) > limit {
                let wait = cells.wait(span, limit, cost, now);
                let retry_after = u32::try_from(wait.div_euclid(1_000) + 1).unwrap_or(u32::MAX);
                let state = RateLimitState { limit, remaining: 0, reset: now.0.div_euclid(1_000) + i64::from(retry_after) };
                return Charge { policy, span, state, retry_after: Some(retry_after) };
            }
        }
        self.hour.current = self.hour.current.saturating_add(cost);
        self.second.current = self.second.current.saturating_add(cost);
        let remaining = policy.per_hour.saturating_sub(self.hour.used(Span::Hour, now));
        let reset = (self.hour.start + Span::Hour.ms() + 999).div_euclid(1_000);
        Charge { policy, span: Span::Hour, state: RateLimitState { limit: policy.per_hour, remaining, reset }, retry_after: None }
    }
}

#[derive(Clone, Copy, Debug)]
struct Cells {
    start: i64,
    before: u32,
    current: u32,
}

impl Cells {
    /// Moves on to the cell that `now` lies in. A clock that went back a little stays in the cell it was in; one that
    /// was set back starts anew, so that nobody waits until it has caught up.
    fn roll(&mut self, span: Span, now: UnixMs) {
        match (now.0 - self.start).div_euclid(span.ms()) {
            -1 | 0 => {}
            1 => *self = Self { start: self.start + span.ms(), before: self.current, current: 0 },
            _ => *self = Self { start: now.0, before: 0, current: 0 },
        }
    }

    /// What counts now: the current cell, and what has not yet faded of the one before, rounded up.
    fn used(&self, span: Span, now: UnixMs) -> u32 {
        let left = (span.ms() - (now.0 - self.start).max(0)).max(0);
        let faded = (i64::from(self.before) * left + span.ms() - 1) / span.ms();
        self.current.saturating_add(u32::try_from(faded).unwrap_or(u32::MAX))
    }

    /// Milliseconds until `cost` more would pass.
    fn wait(&self, span: Span, limit: u32, cost: u32, now: UnixMs) -> i64 {
        let passed = (now.0 - self.start).max(0);
        let room = i64::from(limit) - i64::from(cost);
        // When so much of `count` has faded that `room` holds the rest.
        let faded = |count: u32, room: i64| if count == 0 { 0 } else { span.ms() - (room.max(0) * span.ms()) / i64::from(count) };
        if i64::from(self.current) <= room {
            (faded(self.before, room - i64::from(self.current)) - passed).max(0)
        } else {
            span.ms() - passed + faded(self.current, room).max(0)
        }
    }

    const fn is_live(&self, span: Span, now: UnixMs) -> bool {
        now.0 - self.start < 2 * span.ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use uuid::Uuid;

    const T0: UnixMs = UnixMs(1_790_000_000_123);
    const POLICY: RateLimit = RateLimit { per_hour: 1_000, per_second: 10 };

    fn subject(n: u128) -> Subject {
        Subject::Key(TenantId::from_uuid(Uuid::from_u128(1)), KeyId::from_uuid(Uuid::from_u128(n)))
    }

    fn admitted(limiter: &Limiter, policy: RateLimit, tries: u32, now: UnixMs) -> u32 {
        (0..tries).map(|_| u32::from(limiter.charge(subject(1), policy, 1, now).admitted())).sum()
    }

    #[test]
    fn s71_parallel_requests_on_a_fresh_key_are_admitted_exactly_to_the_limit() {
        let (limiter, passed) = (Limiter::default(), AtomicU32::new(0));
        std::thread::scope(|s| {
            for thread in 0..8 {
                let (limiter, passed) = (&limiter, &passed);
                s.spawn(move || {
                    for n in 0..100 {
                        let now = T0.plus(thread + n);
                        passed.fetch_add(u32::from(limiter.charge(subject(1), POLICY, 1, now).admitted()), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 10);
    }

    #[test]
    fn s71_a_fresh_hour_admits_exactly_the_hours_limit() {
        let limiter = Limiter::default();
        let mut passed = 0;
        for ms in (0..3_600_000).step_by(1_000) {
            passed += admitted(&limiter, RateLimit { per_hour: 1_000, per_second: 10 }, 20, T0.plus(ms));
        }
        assert_eq!(passed, 1_000);
    }

    #[test]
    fn s71_no_sliding_second_ever_holds_twice_the_limit_and_the_rate_settles_at_it() {
        let limiter = Limiter::default();
        let policy = RateLimit { per_hour: 1_000_000, per_second: 10 };
        let mut times = Vec::new();
        for ms in 0..10_000 {
            if limiter.charge(subject(1), policy, 1, T0.plus(ms)).admitted() {
                times.push(ms);
            }
        }
        let most = times.iter().map(|t| times.iter().filter(|u| (*t..t + 1_000).contains(*u)).count()).max();
        assert!(most.is_some_and(|n| n <= 15), "{most:?}");
        assert!((85..=110).contains(&times.len()), "{}", times.len());
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_then_admits() {
        let limiter = Limiter::default();
        assert_eq!(admitted(&limiter, POLICY, 30, T0), 10);
        let refused = limiter.charge(subject(1), POLICY, 1, T0.plus(5));
        assert_eq!((refused.span, refused.state.limit, refused.state.remaining), (Span::Second, 10, 0));
        let wait = refused.retry_after.expect("refused");
        assert!((1..=2).contains(&wait), "{wait}");
        assert!(limiter.charge(subject(1), POLICY, 1, T0.plus(5 + i64::from(wait) * 1_000)).admitted());
    }

    #[test]
    fn an_exhausted_hour_is_named_and_lasts() {
        let limiter = Limiter::default();
        let policy = RateLimit { per_hour: 5, per_second: 10 };
        assert_eq!(admitted(&limiter, policy, 30, T0), 5);
        let refused = limiter.charge(subject(1), policy, 1, T0.plus(60_000));
        assert_eq!(refused.span, Span::Hour);
        let wait = i64::from(refused.retry_after.expect("refused"));
        assert!(!limiter.charge(subject(1), policy, 1, T0.plus(60_000 + (wait - 2) * 1_000)).admitted());
        assert!(limiter.charge(subject(1), policy, 1, T0.plus(60_000 + wait * 1_000)).admitted());
    }

    #[test]
    fn what_is_refused_costs_nothing_and_a_cost_of_nothing_passes() {
        let limiter = Limiter::default();
        assert!(!limiter.charge(subject(1), POLICY, 11, T0).admitted());
        let free = limiter.charge(subject(1), POLICY, 0, T0);
        assert!(free.admitted() && free.state.remaining == 1_000);
        let paid = limiter.charge(subject(1), POLICY, 10, T0);
        assert!(paid.admitted() && paid.state.remaining == 990);
    }

    #[test]
    fn s68_keys_of_two_tenants_never_share_a_count_whatever_their_ids() {
        let limiter = Limiter::default();
        let of = |tenant: u128| Subject::Key(TenantId::from_uuid(Uuid::from_u128(tenant)), KeyId::from_uuid(Uuid::from_u128(1)));
        for tenant in [1, 2] {
            assert!((0..10).all(|_| limiter.charge(of(tenant), POLICY, 1, T0).admitted()), "tenant {tenant}");
            assert!(!limiter.charge(of(tenant), POLICY, 1, T0).admitted(), "tenant {tenant}");
        }
    }

    #[test]
    fn s41_ipv6_clients_are_counted_by_their_64_and_mapped_ipv4_as_ipv4() {
        let of = |s: &str| Subject::address(s.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.9"), of("203.0.113.9"));
        assert_ne!(of("203.0.113.9"), of("203.0.113.8"));
    }

    #[test]
    fn s68_subjects_do_not_share_a_count_and_a_clock_that_goes_back_a_little_gives_nothing_away() {
        let limiter = Limiter::default();
        assert_eq!(admitted(&limiter, POLICY, 30, T0), 10);
        assert!(limiter.charge(subject(2), POLICY, 1, T0).admitted());
        assert_eq!(admitted(&limiter, POLICY, 30, T0.plus(-500)), 0);
        assert_eq!(admitted(&limiter, POLICY, 30, T0.plus(-86_400_000)), 10, "a clock that was set back locks nobody out");
        limiter.sweep(T0.plus(2 * 3_600_000));
        assert!(limiter.shards.iter().all(|s| s.lock().expect("not poisoned").is_empty()));
    }
}
