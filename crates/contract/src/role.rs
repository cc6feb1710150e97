//! Roles of people, and the one table from role to Keystead's own scopes (contract, section 8).

use crate::{Scope, ScopeSet, credential::words};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// What a person may do in a tenant.
    Role {
        /// Everything, other owners and deletion included.
        Owner = "owner",
        /// Everything but owners and deletion.
        Admin = "admin",
        /// Their own keys and apps, and the usage of those.
        Developer = "developer",
        /// Reads everything, exports, revokes.
        Security = "security",
        /// Looks up and revokes a leaked key.
        Support = "support",
    }
}

words! {
    /// One thing that a route or a server function asks for; each is a scope of Keystead's own API.
    Perm {
        /// See API keys.
        KeysRead = "keystead.keys:read",
        /// Create and change API keys.
        KeysWrite = "keystead.keys:write",
        /// Revoke API keys; part of `keystead.keys:write`.
        KeysRevoke = "keystead.keys:revoke",
        /// Find a key by what a customer sent.
        KeysLookup = "keystead.keys:lookup",
        /// Ask for decisions.
        KeysVerify = "keystead.keys:verify",
        /// See OAuth apps.
        AppsRead = "keystead.apps:read",
        /// Create and change OAuth apps.
        AppsWrite = "keystead.apps:write",
        /// Suspend OAuth apps and end what people allowed them; part of `keystead.apps:write`.
        AppsRevoke = "keystead.apps:revoke",
        /// See webhooks.
        WebhooksRead = "keystead.webhooks:read",
        /// Create and change webhooks.
        WebhooksWrite = "keystead.webhooks:write",
        /// See the usage log.
        UsageRead = "keystead.usage:read",
        /// See the audit log.
        AuditRead = "keystead.audit:read",
        /// See members.
        MembersRead = "keystead.members:read",
        /// Invite, change and remove members.
        MembersWrite = "keystead.members:write",
        /// See settings.
        SettingsRead = "keystead.settings:read",
        /// Change settings and the catalogue.
        SettingsWrite = "keystead.settings:write",
        /// Change security policies.
        PoliciesWrite = "keystead.policies:write",
    }
}

impl Perm {
    /// The scope that a credential must hold for it.
    pub fn scope(self) -> Scope {
        Scope::parse(self.as_str()).expect("every permission is spelled as a scope; a test reads them all")
    }

    /// The broader permission that includes this one.
    const fn included_in(self) -> Option<Self> {
        match self {
            Self::KeysRevoke | Self::KeysLookup => Some(Self::KeysWrite),
            Self::AppsRevoke => Some(Self::AppsWrite),
            Self::PoliciesWrite => Some(Self::SettingsWrite),
            _ => None,
        }
    }

    /// Do these scopes permit it?
    pub fn held_by(self, scopes: &ScopeSet) -> bool {
        scopes.covers(&self.scope()) || self.included_in().is_some_and(|p| scopes.covers(&p.scope()))
    }

    /// The roles that hold it, for messages that say whom to ask.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |r| r.holds(self))
    }
}

impl Role {
    /// The permissions of the role. What is restricted to a person's own objects is checked where the object is.
    pub const fn perms(self) -> &'static [Perm] {
        use Perm::{
            AppsRead, AppsRevoke, AppsWrite, AuditRead, KeysLookup, KeysRead, KeysRevoke, KeysWrite, MembersRead, MembersWrite,
            PoliciesWrite, SettingsRead, SettingsWrite, UsageRead, WebhooksRead, WebhooksWrite,
        };
        match self {
            Self::Owner | Self::Admin => &[
                KeysRead,
                KeysWrite,
                KeysRevoke,
                KeysLookup,
                AppsRead,
                AppsWrite,
                AppsRevoke,
                WebhooksRead,
                WebhooksWrite,
                UsageRead,
                AuditRead,
                MembersRead,
                MembersWrite,
                SettingsRead,
                SettingsWrite,
                PoliciesWrite,
            ],
            Self::Developer => &[KeysRead, KeysWrite, KeysRevoke, AppsRead, AppsWrite, AppsRevoke, WebhooksRead, WebhooksWrite, UsageRead],
            Self::Security => {
                &[KeysRead, KeysRevoke, AppsRead, AppsRevoke, WebhooksRead, UsageRead, AuditRead, MembersRead, SettingsRead, PoliciesWrite]
            }
            Self::Support => &[KeysLookup, KeysRevoke, AppsRevoke],
        }
    }

    /// Does the role hold the permission?
    pub fn holds(self, perm: Perm) -> bool {
        self.perms().contains(&perm)
    }

    /// Owner and admin may grant any scope of the tenant's own API, and `admin`; others only what they hold.
    pub const fn grants_any(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// What the role holds of the tenant's own API, which bounds what it can grant.
    pub fn own_api(self) -> ScopeSet {
        let verbs: &[&str] = match self {
            Self::Owner | Self::Admin => &["admin"],
            Self::Developer => &["read", "write", "delete"],
            Self::Security | Self::Support => &[],
        };
        ScopeSet(verbs.iter().filter_map(|v| Scope::parse(v).ok()).collect())
    }

    /// What a token of a person in this role holds: the tenant's own API, and what of Keystead's that does not cover.
    pub fn scopes(self) -> ScopeSet {
        let mut scopes = self.own_api();
        let beside: Vec<Scope> = self.perms().iter().map(|p| p.scope()).filter(|s| !scopes.covers(s)).collect();
        scopes.0.extend(beside);
        scopes
    }

    /// May the role carry the logs away, as a file (contract, section 8)?
    pub const fn exports_logs(self) -> bool {
        matches!(self, Self::Owner | Self::Admin | Self::Security)
    }

    /// May the role act on keys that others own?
    pub const fn acts_on_all_keys(self) -> bool {
        !matches!(self, Self::Developer)
    }

    /// `Owner`, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Developer => "Developer",
            Self::Security => "Security",
            Self::Support => "Support",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_a_reserved_scope() {
        for perm in Perm::ALL {
            assert!(perm.scope().is_reserved(), "{perm}");
        }
    }

    #[test]
    fn the_role_table_is_the_contracts() {
        use Perm::*;
        for (perm, roles) in [
            (SettingsWrite, vec![Role::Owner, Role::Admin]),
            (MembersWrite, vec![Role::Owner, Role::Admin]),
            (PoliciesWrite, vec![Role::Owner, Role::Admin, Role::Security]),
            (KeysWrite, vec![Role::Owner, Role::Admin, Role::Developer]),
            (KeysRevoke, vec![Role::Owner, Role::Admin, Role::Developer, Role::Security, Role::Support]),
            (AuditRead, vec![Role::Owner, Role::Admin, Role::Security]),
            (UsageRead, vec![Role::Owner, Role::Admin, Role::Developer, Role::Security]),
            (KeysVerify, vec![]),
        ] {
            assert_eq!(perm.roles().collect::<Vec<_>>(), roles, "{perm}");
        }
    }

    #[test]
    fn a_token_of_a_role_holds_what_the_role_does_and_no_more_of_keysteads_own() {
        for role in Role::ALL {
            let scopes = role.scopes();
            assert!(role.perms().iter().all(|p| p.held_by(&scopes)), "{role}: {}", scopes.joined());
            let beyond = Perm::ALL.iter().any(|p| scopes.covers(&p.scope()) && !role.holds(*p));
            assert!(!beyond || role.grants_any(), "{role}: {}", scopes.joined());
        }
        assert_eq!(Role::Owner.scopes().joined(), "admin");
    }

    #[test]
    fn a_scope_permits_by_name_or_as_part_of_a_broader_one() {
        let held = |s: &str| ScopeSet(vec![Scope::parse(s).expect("valid")]);
        assert!(Perm::KeysRevoke.held_by(&held("keystead.keys:write")));
        assert!(Perm::KeysRevoke.held_by(&held("admin")));
        assert!(!Perm::KeysWrite.held_by(&held("keystead.keys:revoke")));
        assert!(!Perm::KeysWrite.held_by(&held("write")));
    }
}
