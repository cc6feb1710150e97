//! How often somebody may try. A try is counted before it is judged, so a hundred at once are a hundred (s9), and given
//! back when it was right. After some free ones each waits longer than the one before; after the hundredth that was
//! wrong, that way in is closed (s6). Who comes with a known device has a count of their own: nobody else's tries close
//! it, so an owner is never locked out.

use super::{failed, sql};
use crate::{Core, Ctx, Error, Result};
use aws_lc_rs::digest::{Context, SHA256};
use contract::{TenantId, UnixMs, UserId, normalise};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

/// The longest wait, but for a way in that is closed.
const LONGEST: i64 = 15 * 60_000;
/// Closed until something else opens it.
const CLOSED: i64 = 36_500 * UnixMs::DAY;
/// A count that nobody adds to is forgotten after this.
pub(super) const KEPT: i64 = 90 * UnixMs::DAY;

/// How tries of one sort are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    /// Wrong ones before the first wait.
    free: i64,
    /// Wrong ones in a row after which no more are looked at.
    closes: i64,
    /// Milliseconds of quiet after which they are forgotten.
    forgets: i64,
}

/// One account, whoever tries.
const ACCOUNT: Rule = Rule { free: 5, closes: 100, forgets: KEPT };
/// One address, whatever account: a whole office may sit behind it.
const ADDRESS: Rule = Rule { free: 50, closes: i64::MAX, forgets: 3_600_000 };

/// Mails that somebody asks to be sent to one address: then fewer and fewer.
const MAILED: Rule = Rule { free: 3, closes: i64::MAX, forgets: UnixMs::DAY };
/// The same by one client, to whatever addresses.
const MAILED_FROM: Rule = Rule { free: 20, closes: i64::MAX, forgets: 3_600_000 };

impl Rule {
    /// How long the next try waits after so many wrong ones.
    fn rest(self, failures: i64) -> i64 {
        if failures >= self.closes {
            return CLOSED;
        }
        let beyond = u32::try_from(failures - self.free).unwrap_or(0).min(20);
        if failures < self.free { 0 } else { (1_000_i64 << beyond).min(LONGEST) }
    }
}

/// What is tried, and by whom as far as that is known.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// What is proved by it, for the audit log.
    by: &'static str,
    digest: Vec<u8>,
    rule: Rule,
}

impl Subject {
    fn of(kind: &str, by: &'static str, parts: &[&[u8]], rule: Rule) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(kind.as_bytes());
        for part in parts {
            hash.update(&[0]);
            hash.update(part);
        }
        Self { by, digest: hash.finish().as_ref().to_vec(), rule }
    }

    /// What is proved by it.
    pub const fn by(&self) -> &'static str {
        self.by
    }

    /// The hash under which it is counted.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// How many wrong ones close it.
    pub const fn closes_at(&self) -> i64 {
        self.rule.closes
    }

    /// The password of an account, there or not, from any device or from a known one.
    pub fn password(email: &str, device: Option<&[u8]>) -> Self {
        Self::of("password", "password", &[email.as_bytes(), device.unwrap_or_default()], ACCOUNT)
    }

    /// The second factor of an account (s11: apart from its password).
    pub fn code(user: UserId, device: Option<&[u8]>) -> Self {
        Self::of("code", "second_factor", &[user.uuid().as_bytes(), device.unwrap_or_default()], ACCOUNT)
    }

    /// The password of who is signed in already.
    pub fn confirm(user: UserId) -> Self {
        Self::of("confirm", "confirm", &[user.uuid().as_bytes()], ACCOUNT)
    }

    /// Mails with links to an address that somebody names, whether it has an account or none.
    pub fn mailed(email: &str) -> Self {
        Self::of("mailed", "mail", &[email.as_bytes()], MAILED)
    }

    /// The same by where the request came from.
    pub fn mailed_from(ip: Option<IpAddr>) -> Self {
        Self::of("mailed-from", "mail", &[client(ip).as_bytes()], MAILED_FROM)
    }

    /// Invitations that a tenant mails to one address.
    pub fn invited(tenant: TenantId, email: &str) -> Self {
        Self::of("invited", "invitation", &[tenant.uuid().as_bytes(), email.as_bytes()], MAILED)
    }

    /// Everything from one address.
    pub fn address(ip: Option<IpAddr>) -> Self {
        Self::of("address", "password", &[client(ip).as_bytes()], ADDRESS)
    }
}

/// An IPv6 client owns its /64 (s41).
fn client(ip: Option<IpAddr>) -> String {
    match ip.map(normalise) {
        Some(IpAddr::V6(v6)) => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).to_string(),
        Some(v4) => v4.to_string(),
        None => String::new(),
    }
}

/// Ways in that were found closed a moment ago: whoever goes on trying costs no statement. Another process may have opened
/// one since, so it is looked up again soon.
#[derive(Debug, Default)]
pub struct Closed(Mutex<HashMap<Vec<u8>, Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    until: UnixMs,
    /// When it was looked up.
    at: UnixMs,
    /// Tries that were refused so far.
    refused: i64,
    /// Those of them that are written nowhere yet.
    unwritten: i64,
}

impl Closed {
    /// How long a way in is taken for closed without looking.
    const TRUSTED: i64 = 10_000;
    /// Ways in that are known at once, 2 MB; beyond, each try is looked up.
    const MOST: usize = 16_384;

    fn ways(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a try at a way in that is known to be closed.
    fn refuse(&self, digest: &[u8], now: UnixMs) -> Option<Seen> {
        let mut ways = self.ways();
        let seen = ways.get_mut(digest).filter(|s| now < s.until && (0..Self::TRUSTED).contains(&(now.0 - s.at.0)))?;
        seen.refused += 1;
        seen.unwritten += 1;
        Some(*seen)
    }

    /// How many refused tries at it are still to be written.
    fn unwritten(&self, digest: &[u8]) -> i64 {
        self.ways().remove(digest).map_or(0, |seen| seen.unwritten)
    }

    fn learn(&self, digest: &[u8], until: UnixMs, refused: i64, now: UnixMs) {
        let mut ways = self.ways();
        if ways.len() >= Self::MOST {
            ways.retain(|_, seen| now.0 - seen.at.0 < Self::TRUSTED);
        }
        if ways.len() < Self::MOST {
            ways.insert(digest.to_vec(), Seen { until, at: now, refused, unwritten: 0 });
        }
    }
}

/// Refuses a try at what is known to be closed, before anything is asked or written for it.
pub(super) fn pass(ctx: &Ctx, subject: &Subject, user: Option<UserId>) -> Result<()> {
    let Some(seen) = ctx.core().closed.refuse(&subject.digest, ctx.now()) else { return Ok(()) };
    failed::note(ctx, subject, user, seen.refused, true);
    Err(wait(seen.until, ctx.now()))
}

const fn wait(until: UnixMs, now: UnixMs) -> Error {
    let seconds = (until.0 - now.0 + 999) / 1_000;
    Error::TooMany(if seconds < 1 { 1 } else { seconds })
}

/// Counts a try at an account, if there is one; how many in a row it is, or an error if it is not to be looked at.
pub(super) async fn admit(ctx: &Ctx, subject: &Subject, user: Option<UserId>) -> Result<i64> {
    let now = ctx.now();
    let Subject { digest, rule, .. } = subject;
    let closed = &ctx.core().closed;
    pass(ctx, subject, user)?;
    let unwritten = closed.unwritten(digest);
    let mut tx = ctx.db().begin().await?;
    let Some(failures) = sql::count_try_unscoped(&mut tx, digest, now, now.plus(-rule.forgets)).await? else {
        let until = sql::blocked_until_unscoped(&mut tx, digest).await?;
        let refused = sql::count_refused_unscoped(&mut tx, digest, unwritten + 1).await?;
        tx.commit_quiet().await?;
        closed.learn(digest, until, refused, now);
        failed::note(ctx, subject, user, refused, true);
        return Err(wait(until, now));
    };
    sql::block_until_unscoped(&mut tx, digest, now.plus(rule.rest(failures))).await?;
    if unwritten > 0 {
        sql::count_refused_unscoped(&mut tx, digest, unwritten).await?;
    }
    tx.commit_quiet().await?;
    Ok(failures)
}

/// It was right: the wrong ones before it are forgotten.
pub(super) async fn forgive(core: &Core, subject: &Subject) -> Result<()> {
    let mut tx = core.db.begin().await?;
    sql::forget_tries_unscoped(&mut tx, &subject.digest).await?;
    tx.commit_quiet().await?;
    core.closed.unwritten(&subject.digest);
    Ok(())
}

/// It was not wrong; but the wrong ones before it stay.
pub(super) async fn give_back(core: &Core, subject: &Subject) -> Result<()> {
    let mut tx = core.db.begin().await?;
    sql::give_try_back_unscoped(&mut tx, &subject.digest).await?;
    tx.commit_quiet().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s6_waits_grow_and_the_hundredth_closes() {
        assert!((0..5).all(|n| ACCOUNT.rest(n) == 0));
        assert_eq!([5, 6, 7, 14, 15, 99].map(|n| ACCOUNT.rest(n)), [1_000, 2_000, 4_000, 512_000, LONGEST, LONGEST]);
        assert_eq!(ACCOUNT.rest(100), CLOSED);
        assert_eq!((ADDRESS.rest(49), ADDRESS.rest(50), ADDRESS.rest(1_000_000)), (0, 1_000, LONGEST));
    }

    #[test]
    fn s11_passwords_codes_and_devices_have_counts_of_their_own() {
        let user = UserId::from_uuid(uuid::Uuid::from_u128(7));
        let all = [
            Subject::password("a@b.test", None),
            Subject::password("a@b.test", Some(b"d")),
            Subject::code(user, None),
            Subject::confirm(user),
            Subject::address(None),
            Subject::address(Some([203, 0, 113, 9].into())),
            Subject::mailed("a@b.test"),
            Subject::mailed_from(Some([203, 0, 113, 9].into())),
            Subject::invited(TenantId::from_uuid(uuid::Uuid::from_u128(7)), "a@b.test"),
            Subject::invited(TenantId::from_uuid(uuid::Uuid::from_u128(8)), "a@b.test"),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(all.iter().skip(n + 1).all(|other| other.digest != one.digest), "{one:?}");
        }
        let v6 = |s: &str| Subject::address(s.parse().ok()).digest;
        assert_eq!(v6("2001:db8::1"), v6("2001:db8::ffff"));
    }
}
