//! Event streams that are open: so many a tenant, so many in all, so that no tenant takes the places of the others.

use contract::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Streams of one tenant.
pub const OF_ONE: usize = 20;
/// Streams of this process; each asks the database once a second.
pub const OF_ALL: usize = 400;

/// The open streams.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<TenantId, usize>>>);

/// The place of an open stream; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Streams,
    tenant: TenantId,
}

impl Streams {
    /// A place for a stream of the tenant; none while all of its places are taken, or all there are.
    pub fn open(&self, tenant: TenantId) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= OF_ALL || open.get(&tenant).is_some_and(|n| *n >= OF_ONE) {
            return None;
        }
        *open.entry(tenant).or_default() += 1;
        Some(Place { streams: self.clone(), tenant })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = open.get_mut(&self.tenant) {
            *n -= 1;
            if *n == 0 {
                open.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_tenant_at_its_bound_keeps_nobody_else_waiting_and_the_process_has_a_bound_too() {
        let streams = Streams::default();
        let tenant = |n| TenantId::from_uuid(Uuid::from_u128(n));
        let mut first: Vec<_> = (0..OF_ONE).map(|_| streams.open(tenant(1)).expect("a place")).collect();
        assert!(streams.open(tenant(1)).is_none());
        let others: Vec<_> = (OF_ONE..OF_ALL).map(|n| streams.open(tenant(2 + (n / OF_ONE) as u128)).expect("a place")).collect();
        assert!(streams.open(tenant(1_000)).is_none(), "all there are");
        first.pop();
        assert!(streams.open(tenant(1)).is_some());
        drop((first, others));
        assert!(streams.0.lock().expect("not poisoned").is_empty(), "nothing is kept of those that ended");
    }
}
