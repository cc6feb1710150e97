//! Time and randomness as inputs (rule 5). This is the only file that asks the system for either.

use contract::UnixMs;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, UTC, in whole milliseconds.
    fn now(&self) -> UnixMs;
}

/// Gives random bytes fit for secrets.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buf: &mut [u8]);
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The system's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buf: &mut [u8]) {
        // Without randomness no secret is safe: better no answer than a guessable one.
        aws_lc_rs::rand::fill(buf).expect("the system's random generator works");
    }
}

/// A UUIDv7 of the given time, with everything behind the time at random.
pub fn uuid_v7(now: UnixMs, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(millis(now), &random).into_uuid()
}

/// Makes ids (UUIDv7) that only grow, also within a millisecond: the 12 bits behind the time count (RFC 9562, 6.2, method 1).
/// Lists that are ordered by id are then in the order in which this process made their rows.
#[derive(Debug, Default)]
pub struct UuidSequence(AtomicU64);

impl UuidSequence {
    /// The next id; 62 of its bits are random.
    pub fn next(&self, now: UnixMs, entropy: &dyn Entropy) -> Uuid {
        let at_least = millis(now) << 12;
        let step = |last: u64| Some(at_least.max(last + 1));
        let last = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, step).unwrap_or_default();
        let count = at_least.max(last + 1);
        let mut random = [0; 10];
        entropy.fill(&mut random);
        random[..2].copy_from_slice(&u16::try_from(count & 0xfff).unwrap_or_default().to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(count >> 12, &random).into_uuid()
    }
}

fn millis(t: UnixMs) -> u64 {
    u64::try_from(t.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_stands_or_goes_back() {
        let ids = UuidSequence::default();
        let times = std::iter::repeat_n(1_790_000_000_000, 10_000).chain([1_780_000_000_000, 1_790_000_000_001, 1_790_000_000_500]);
        let made: Vec<Uuid> = times.map(|t| ids.next(UnixMs(t), &SystemEntropy)).collect();
        assert!(made.windows(2).all(|w| w[0] < w[1]));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
        let last = made.last().and_then(Uuid::get_timestamp).map(|t| t.to_unix().0);
        assert_eq!(last, Some(1_790_000_000), "and they keep to the clock");
    }
}
