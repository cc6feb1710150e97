//! Permissions in words.

use contract::{Perm, Scope};

/// A permission on Keystead in words.
pub const fn perm_words(perm: Perm) -> &'static str {
    match perm {
        Perm::KeysRead => "See API keys",
        Perm::KeysWrite => "Create, change and revoke API keys",
        Perm::KeysRevoke => "Revoke API keys",
        Perm::KeysLookup => "Find a key by its text",
        Perm::KeysVerify => "Ask for decisions",
        Perm::AppsRead => "See OAuth apps",
        Perm::AppsWrite => "Create and change OAuth apps",
        Perm::AppsRevoke => "Suspend OAuth apps and end grants",
        Perm::WebhooksRead => "See webhooks",
        Perm::WebhooksWrite => "Create and change webhooks",
        Perm::UsageRead => "See the usage log",
        Perm::AuditRead => "See the audit log",
        Perm::MembersRead => "See members",
        Perm::MembersWrite => "Invite, change and remove members",
        Perm::SettingsRead => "See settings",
        Perm::SettingsWrite => "Change settings and permissions",
        Perm::PoliciesWrite => "Change security policies",
    }
}

/// A permission in words, as part of a sentence that begins with `It may`.
pub fn scope_words(scope: &Scope) -> String {
    if scope.is_admin() {
        return "do everything, Keystead itself included".to_owned();
    }
    if let Ok(perm) = scope.as_str().parse::<Perm>() {
        let words = perm_words(perm);
        return words[..1].to_ascii_lowercase() + &words[1..];
    }
    match scope.parts() {
        (None, verb) => format!("{verb} everything"),
        (Some(resource), "admin") => format!("do everything with {resource}"),
        (Some(resource), verb) => format!("{verb} {resource}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_reads_as_part_of_a_sentence() {
        let said = |s: &str| scope_words(&Scope::parse(s).expect(s));
        assert_eq!(said("read"), "read everything");
        assert_eq!(said("read:users"), "read users");
        assert_eq!(said("users:admin"), "do everything with users");
        assert_eq!(said("keystead.usage:read"), "see the usage log");
        assert_eq!(said("admin:all"), "do everything, Keystead itself included");
    }
}
