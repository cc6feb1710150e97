//! What the log says in sum: counts, callers, what a change would have refused.

pub(crate) mod sql;

use super::sql::Range;
use crate::{Grant, Result, db::Tx};
use contract::{Bucket, BucketCount, Code, CodeCount, KeyCount, KeyId, Outcome, UnixMs, UsageSummary};
use std::collections::{BTreeMap, HashMap};

/// Keys that a summary names.
const KEYS: usize = 50;

/// A summary in the making.
#[derive(Debug, Default)]
pub(super) struct Counts {
    codes: HashMap<Code, i64>,
    keys: HashMap<Option<KeyId>, KeyCount>,
    series: BTreeMap<i64, (i64, i64)>,
}

/// Adds what one environment's range holds.
pub(super) async fn count(tx: &mut Tx, grant: &Grant, range: &Range<'_>, bucket: Bucket, counts: &mut Counts) -> Result<()> {
    for (code, n) in sql::codes(tx, grant, range).await? {
        *counts.codes.entry(code).or_default() += n;
    }
    for key in sql::keys(tx, grant, range, KEYS).await? {
        let slot = counts.keys.entry(key.credential_id).or_insert_with(|| KeyCount { allowed: 0, denied: 0, ..key.clone() });
        slot.allowed += key.allowed;
        slot.denied += key.denied;
        slot.last_at = slot.last_at.max(key.last_at);
    }
    for (at, outcome, n) in sql::series(tx, grant, range, bucket).await? {
        let slot = counts.series.entry(at).or_default();
        match outcome {
            Outcome::Allowed => slot.0 += n,
            Outcome::Denied => slot.1 += n,
        }
    }
    Ok(())
}

impl Counts {
    pub(super) fn summary(self, from: UnixMs, to: UnixMs, bucket: Bucket) -> UsageSummary {
        let mut codes: Vec<CodeCount> = self.codes.into_iter().map(|(code, count)| CodeCount { code, count }).collect();
        codes.sort_by_key(|c| (std::cmp::Reverse(c.count), c.code));
        let mut keys: Vec<KeyCount> = self.keys.into_values().collect();
        keys.sort_by_key(|k| (std::cmp::Reverse(k.allowed + k.denied), k.credential_id));
        keys.truncate(KEYS);
        let total = codes.iter().map(|c| c.count).sum();
        let allowed = codes.iter().filter(|c| c.code == Code::Valid).map(|c| c.count).sum();
        let series = self.series.into_iter().map(|(at, (allowed, denied))| BucketCount { at: UnixMs(at), allowed, denied }).collect();
        UsageSummary { from, to, total, allowed, denied: total - allowed, codes, keys, bucket, series }
    }
}
