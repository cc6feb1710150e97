//! The part of an entry that decides, as it is kept beside decided requests: a later change of the key changes neither
//! the stored policy nor the traces that tell of it.

use super::decide::Entry;
use aws_lc_rs::digest::{SHA256, digest};
use contract::{KeyId, Policy, SecretId, TenantId};
use std::sync::{Arc, OnceLock};

/// A policy and the hash under which it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPolicy {
    /// SHA-256 of its text.
    pub hash: [u8; 32],
    /// The policy.
    pub policy: Policy,
}

/// An entry's policy, hashed when the entry is first used and never again: entries are replaced, not changed.
#[derive(Debug, Default)]
pub struct PolicyOnce(OnceLock<Arc<StoredPolicy>>);

/// A copy may be changed before it is used: it computes its own.
impl Clone for PolicyOnce {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// It follows from the rest of the entry.
impl PartialEq for PolicyOnce {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Entry {
    /// What of it decides.
    pub fn policy(&self) -> Policy {
        Policy {
            kind: self.kind,
            environment: self.environment,
            scopes: self.scopes.clone(),
            allowed_ips: self.allowed_ips.clone(),
            tenant_allowed_ips: self.tenant_allowed_ips.clone(),
            rate_limit: self.rate_limit,
            not_before: self.not_before,
            expires_at: self.expires_at,
            disabled_at: self.disabled_at,
            revoked_at: self.revoked_at,
            secret_valid_until: self.secret_valid_until,
            verbs: self.verbs.to_vec(),
        }
    }

    /// The same, with its hash.
    pub fn stored_policy(&self) -> Arc<StoredPolicy> {
        let make = || {
            let policy = self.policy();
            // A policy has no map with other than text for keys: it always has a text.
            let text = serde_json::to_vec(&policy).unwrap_or_default();
            let mut hash = [0; 32];
            hash.copy_from_slice(digest(&SHA256, &text).as_ref());
            Arc::new(StoredPolicy { hash, policy })
        };
        Arc::clone(self.policy_once.0.get_or_init(make))
    }

    /// An entry that decides as the policy did; what does not decide is empty.
    pub fn of_policy(tenant_id: TenantId, key_id: KeyId, secret_id: SecretId, policy: Policy) -> Self {
        Self {
            key_id,
            secret_id,
            tenant_id,
            name: String::new(),
            kind: policy.kind,
            environment: policy.environment,
            scopes: policy.scopes,
            allowed_ips: policy.allowed_ips,
            tenant_allowed_ips: policy.tenant_allowed_ips,
            rate_limit: policy.rate_limit,
            not_before: policy.not_before,
            expires_at: policy.expires_at,
            disabled_at: policy.disabled_at,
            revoked_at: policy.revoked_at,
            secret_valid_until: policy.secret_valid_until,
            metadata: serde_json::Value::Null,
            platform: false,
            owner: None,
            policy_once: PolicyOnce::default(),
            verbs: policy.verbs.into(),
        }
    }
}
