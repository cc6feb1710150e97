use domain::{
    audit,
    testing::{On, TestInstallation},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[tokio::test]
async fn both_schemas_have_the_same_tables_columns_and_nullability() {
    let sqlite = TestInstallation::new(On::Sqlite).await.columns().await;
    let postgres = TestInstallation::new(On::Postgres).await.columns().await;
    assert!(sqlite.len() > 100, "{} columns", sqlite.len());
    assert_eq!(sqlite, postgres);
}

/// Every table of a tenant carries the tenant in its key, and so do the references between such tables (s69).
#[test]
fn s69_tenant_tables_have_composite_keys_and_foreign_keys_that_carry_the_tenant() {
    for database in ["sqlite", "postgres"] {
        composite_keys(database);
    }
}

fn composite_keys(database: &str) {
    let mut keys: BTreeMap<&str, (bool, Vec<String>)> = BTreeMap::new();
    let mut sql = String::new();
    for file in std::fs::read_dir(format!("{}/../../migrations/{database}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        sql.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for table in sql.split("CREATE TABLE ").skip(1) {
        let (name, body) = table.split_once(" (").unwrap();
        let body = body.split("\n)").next().unwrap();
        let tenant = body.lines().any(|l| l.trim_start().starts_with("tenant_id"));
        let lines = body.lines().map(|l| l.trim().trim_end_matches(',').to_owned()).collect();
        keys.insert(name, (tenant, lines));
    }
    assert!(keys.len() >= 17, "{:?}", keys.keys());
    let of_tenant = |line: &str| {
        let referred = line.split("REFERENCES ").nth(1).and_then(|l| l.split(' ').next());
        referred.is_some_and(|table| keys.get(table).is_some_and(|(tenant, _)| *tenant))
    };
    for (name, (tenant, lines)) in &keys {
        // The log that processes follow is ordered across tenants; its key is its sequence.
        if *tenant && *name != "key_changes" {
            let composite = lines.iter().any(|l| {
                l.starts_with("PRIMARY KEY (tenant_id, ")
                    || l.starts_with("tenant_id UUID PRIMARY KEY")
                    || l.starts_with("tenant_id BLOB PRIMARY KEY")
            });
            assert!(composite, "{database}: {name} lacks a key that starts with the tenant");
        }
        for line in lines.iter().filter(|l| of_tenant(l)) {
            // An app may act in another tenant than its own: its key goes with that one.
            let carried = line.starts_with("FOREIGN KEY (tenant_id, ") || line.starts_with("FOREIGN KEY (app_tenant_id, app_id)");
            assert!(carried, "{database}: {name}: {line}");
        }
    }
    // A column that is added later refers to no such table: its key has two columns.
    assert_eq!(sql.lines().filter(|l| l.starts_with("ALTER TABLE") && of_tenant(l)).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// `_unscoped` calls reach across tenants. Each stands here with its reason; the list may shrink, never grow unseen.
#[test]
fn s69_unscoped_sql_is_listed() {
    let mut found = Vec::new();
    for (_, text) in sources().into_iter().filter(|(path, _)| path.ends_with("sql.rs")) {
        for line in text.lines() {
            if let Some(name) = line.split("async fn ").nth(1).and_then(|l| l.split('(').next())
                && name.ends_with("_unscoped")
            {
                found.push(name.to_owned());
            }
        }
    }
    found.sort_unstable();
    let listed = [
        "accept_step_unscoped",          // proof of who is there: people belong to no tenant
        "accounts_unscoped",             // the command line lists people
        "admit_unscoped",                // accounts belong to no tenant
        "all_entries_unscoped",          // the snapshot holds every tenant's keys
        "all_policies_unscoped",         // how long each tenant keeps its log, and the form of its errors
        "app_secret_unscoped",           // a secret of an app that was found tells whose it is
        "append_change_unscoped",        // what was ended holds in every tenant, and signing keys belong to none
        "begin_factor_unscoped",         // proof of who is there: people belong to no tenant
        "belongs_unscoped",              // whose help opens what? every tenant of an account
        "block_until_unscoped",          // proof of who is there: people belong to no tenant
        "blocked_until_unscoped",        // proof of who is there: people belong to no tenant
        "changes_unscoped",              // the log that keeps it true
        "clients_unscoped",              // the snapshot of every app
        "close_reset_links_unscoped",    // proof of who is there: people belong to no tenant
        "closed_unscoped",               // why nobody works in a person’s tenants
        "code_unscoped",                 // a code is found by its digest
        "codes_left_unscoped",           // proof of who is there: people belong to no tenant
        "confirm_email_change_unscoped", // proof of who is there: people belong to no tenant
        "confirm_factor_unscoped",       // proof of who is there: people belong to no tenant
        "count_refused_unscoped",        // proof of who is there: people belong to no tenant
        "count_try_unscoped",            // proof of who is there: people belong to no tenant
        "count_unscoped",                // tests only
        "delete_email_change_unscoped",  // proof of who is there: people belong to no tenant
        "delete_plan_unscoped",          // plans belong to no tenant
        "drop_links_unscoped",           // mails to people, who belong to no tenant
        "due_for_people_unscoped",       // mails to people, who belong to no tenant
        "due_unscoped",                  // mails of every tenant are sent by one job
        "due_unscoped",                  // deleted tenants whose time is over
        "due_unscoped",                  // keys whose owner left long ago
        "email_change_of_unscoped",      // proof of who is there: people belong to no tenant
        "email_change_unscoped",         // proof of who is there: people belong to no tenant
        "email_unscoped",                // proof of who is there: people belong to no tenant
        "end_login_unscoped",            // a person ends what they see of their own
        "end_logins_unscoped",           // a person leaves everywhere
        "enrolled_unscoped",             // proof of who is there: people belong to no tenant
        "entries_of_tenant_unscoped",    // what a tenant's keys share
        "entries_of_unscoped",           // one key of the snapshot
        "epoch_unscoped",                // accounts belong to no tenant
        "expire_unscoped",               // mails of every tenant grow old
        "expiring_unscoped",             // keys of every tenant expire, and one job tells of it
        "factor_unscoped",               // proof of who is there: people belong to no tenant
        "find_app_refresh_unscoped",     // a refresh token of an app, likewise
        "find_refresh_unscoped",         // a refresh token is found by its digest
        "find_unscoped",                 // a tenant, for its own people and platform admins
        "find_unscoped",                 // a mail, for platform admins
        "find_user_unscoped",            // sign-in: nobody is known yet
        "forget_devices_unscoped",       // proof of who is there: people belong to no tenant
        "forget_tries_unscoped",         // proof of who is there: people belong to no tenant
        "give_try_back_unscoped",        // proof of who is there: people belong to no tenant
        "grant_unscoped",                // what somebody allowed, in whichever tenant
        "grants_of_unscoped",            // what a person allowed, in whichever tenant
        "has_used_unscoped",             // a person signs in with the same program to every tenant
        "hold_unscoped",                 // accounts belong to no tenant
        "hold_unscoped",                 // a mail of every tenant is sent by one job
        "home_unscoped",                 // where the end of a tenant is noted
        "insert_for_person_unscoped",    // mails to people, who belong to no tenant
        "insert_plan_unscoped",          // plans belong to no tenant
        "insert_policies_unscoped",      // the meter writes the policies of every tenant's events
        "insert_reset_request_unscoped", // proof of who is there: people belong to no tenant
        "insert_setup_link_unscoped",    // before the first tenant
        "insert_signing_key_unscoped",   // signing keys belong to no tenant
        "insert_unscoped",               // the meter writes the events of every tenant at once
        "insert_user_unscoped",          // people belong to no tenant
        "is_known_device_unscoped",      // proof of who is there: people belong to no tenant
        "is_unproved_unscoped",          // proof of who is there: people belong to no tenant
        "last_change_unscoped",          // the log's end
        "linked_unscoped",               // an invitation is found by its link
        "list_unscoped",                 // the command line lists tenants
        "logins_of_unscoped",            // a person sees where they are signed in, in whichever tenant
        "membership_unscoped",           // a session finds its member by both ids
        "memberships_unscoped",          // the tenants that a person works in
        "page_unscoped",                 // tenants, for platform admins; others get their own
        "page_unscoped",                 // mails of the installation, for platform admins
        "password_hash_unscoped",        // proof of who is there: people belong to no tenant
        "people_unscoped",               // sign-in: a member of which tenants?
        "plans_unscoped",                // plans belong to no tenant
        "policy_changes_unscoped",       // a count that every process follows
        "raise_epoch_unscoped",          // accounts belong to no tenant
        "remember_device_unscoped",      // proof of who is there: people belong to no tenant
        "remove_factor_unscoped",        // proof of who is there: people belong to no tenant
        "replace_codes_unscoped",        // proof of who is there: people belong to no tenant
        "replace_reset_link_unscoped",   // proof of who is there: people belong to no tenant
        "requiring_unscoped",            // which of a person’s tenants require a second factor?
        "reset_link_unscoped",           // proof of who is there: people belong to no tenant
        "retry_unscoped",                // a mail, for platform admins
        "set_disabled_unscoped",         // accounts belong to no tenant
        "set_email_unscoped",            // proof of who is there: people belong to no tenant
        "set_password_unscoped",         // proof of who is there: people belong to no tenant
        "set_unproved_unscoped",         // proof of who is there: people belong to no tenant
        "settle_unscoped",               // what became of a mail
        "setup_link_is_open_unscoped",   // before the first tenant
        "signing_keys_unscoped",         // of the installation
        "slug_taken_unscoped",           // slugs are unique across tenants
        "sweep_devices_unscoped",        // proof of who is there
        "sweep_email_changes_unscoped",  // proof of who is there: people belong to no tenant
        "sweep_reset_links_unscoped",    // proof of who is there
        "sweep_tries_unscoped",          // proof of who is there: people belong to no tenant
        "sweep_unscoped",                // kept answers of every tenant grow old
        "sweep_unscoped",                // logins of every tenant end
        "sweep_unscoped",                // mails that were sent grow old
        "take_reset_request_unscoped",   // proof of who is there: people belong to no tenant
        "tell_policy_changed_unscoped",  // a count that every process follows
        "tenant_names_unscoped",         // words that a person’s password must not consist of
        "tenant_of_unscoped",            // the command line is given a key's id
        "tenants_of_account_unscoped",   // where a failed try at an account is noted
        "tenants_of_plan_unscoped",      // whose limits change with their plan
        "tenants_of_unscoped",           // where an account is at work, to switch it off everywhere
        "token_changes_unscoped",        // the log that every process follows
        "touch_app_unscoped",            // the same of apps, which act in several tenants
        "touch_key_unscoped",            // the meter writes the last use of every tenant's keys
        "touch_try_unscoped",            // proof of who is there: people belong to no tenant
        "update_plan_unscoped",          // plans belong to no tenant
        "upgrade_hash_unscoped",         // proof of who is there: people belong to no tenant
        "upsert_email_change_unscoped",  // proof of who is there: people belong to no tenant
        "use_code_unscoped",             // proof of who is there: people belong to no tenant
        "use_reset_link_unscoped",       // proof of who is there: people belong to no tenant
        "use_setup_link_unscoped",       // before the first tenant
        "users_unscoped",                // is this installation new? (setup)
        "users_unscoped",                // is this installation new? (bootstrap)
        "verbs_unscoped",                // of every tenant, for the snapshot
    ];
    assert_eq!(found, listed);
}

/// Transactions that see the rows of every tenant (`read_all`, `begin_all` and their like), by file and function. The
/// list may shrink, never grow unseen.
#[test]
fn s69_transactions_across_tenants_are_listed() {
    let mut found = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.starts_with("db") && !path.starts_with("testing")) {
        let mut within = String::new();
        for line in text.lines() {
            if let Some(name) = line.trim_start().split("fn ").nth(1).and_then(|l| l.split(['(', '<']).next())
                && !line.trim_start().starts_with("//")
            {
                within = name.to_owned();
            }
            let all = ["read_all()", "read_much_all()", "begin_all()", "follow_all()", "write_all(&"];
            if all.iter().any(|call| line.contains(&format!(".{call}"))) {
                found.push(format!("{} {within}", path.display()));
            }
        }
    }
    found.sort_unstable();
    let listed = [
        "idempotency/mod.rs sweep",                      // kept answers of every tenant grow old
        "identity/mod.rs chrome",                        // the tenants that a person may switch to
        "identity/mod.rs land",                          // where a person goes on who was taken out of a tenant
        "identity/mod.rs member",                        // sign-in over the API: a member of which tenants?
        "identity/mod.rs resume",                        // a session finds its member
        "identity/proof/address.rs confirm_email",       // noted in every tenant of the person; their logins end
        "identity/proof/address.rs refuse_email",        // noted in every tenant of the person
        "identity/proof/confirm.rs change_password",     // the person's logins end in every tenant
        "identity/proof/confirm.rs judged",              // words that a person's password must not consist of
        "identity/proof/factor.rs check",                // a used recovery code is noted in every tenant of the person
        "identity/proof/factor.rs turn_off_two_factor",  // does any tenant of the person require it?
        "identity/proof/factor.rs turn_off_two_factor",  // the person's logins end in every tenant
        "identity/proof/factor.rs turn_on_two_factor",   // the person's logins end in every tenant
        "identity/proof/failed.rs refused",              // refused sign-ins are noted in every tenant of the account
        "identity/proof/failed.rs write",                // failed tries are noted in every tenant of the account
        "identity/proof/forgotten.rs answer_forgotten",  // noted in every tenant of the person
        "identity/proof/recovery.rs disable_two_factor", // noted in every tenant of the person; their logins end
        "identity/proof/recovery.rs new_reset_link",     // noted in every tenant of the person
        "identity/proof/recovery.rs reset_password",     // the same; their logins end
        "identity/proof/sign_in.rs arrived",             // a member of which tenants?
        "identity/proof/sign_in.rs sign_in",             // a member of which tenants?
        "identity/sessions.rs end",                      // the person's logins, in whichever tenant
        "identity/sessions.rs end_others",               // the person's logins end in every tenant
        "identity/sessions.rs insert",                   // before anybody is known: the policies of the session's tenant
        "identity/sessions.rs list",                     // where a person is signed in, in whichever tenant
        "identity/sessions.rs load",                     // the same
        "identity/setup.rs set_up",                      // makes the first tenant
        "keys/expiry.rs tell_of_expiry",                 // one job tells of the keys of every tenant
        "keys/mod.rs tenant_of_unscoped",                // the command line is given a key's id
        "keys/orphans/mod.rs disable_due",               // one job finds those of every tenant
        "leaks/apps.rs take_in",                         // a secret of an app that was found tells whose it is
        "leaks/lookup.rs lookup",                        // platform admins find every tenant's keys
        "leaks/lookup.rs remember",                      // noted in each tenant whose key was found
        "mail/mod.rs due",                               // one job sends the mails of every tenant
        "mail/mod.rs give_up",                           // what became of mails of every tenant
        "mail/mod.rs hold",                              // one job sends the mails of every tenant
        "mail/mod.rs settle",                            // what became of them
        "mail/mod.rs sweep",                             // mails of every tenant grow old
        "mail/outbox.rs outbox",                         // the mails of the installation, for platform admins
        "mail/outbox.rs retry",                          // the same
        "members/invitations.rs accept",                 // an invitation is found by its link
        "members/invitations.rs look",                   // an invitation is found by its link
        "members/mod.rs leave",                          // sessions go on in another tenant of theirs
        "members/mod.rs remove",                         // the same
        "members/mod.rs switch_account",                 // an account is switched off in every tenant
        "members/recovery.rs recover",                   // noted in every tenant of the person
        "oauth/consent.rs consent",                      // where a person works
        "oauth/grants.rs elsewhere",                     // apps of other tenants that act here
        "oauth/grants.rs mine",                          // a person’s own, in whichever tenant
        "oauth/grants.rs revoke",                        // likewise
        "oauth/tokens.rs exchange",                      // a code is found by its digest
        "oauth/tokens.rs introspect",                    // a refresh token is found by its digest
        "oauth/tokens.rs refresh",                       // likewise
        "oauth/tokens.rs revoke",                        // likewise
        "oauth/trial.rs finish",                         // a code is found by its digest
        "tenants/act_in.rs enter",                       // noted in both tenants
        "tenants/manage.rs changed",                     // noted in both tenants
        "tenants/manage.rs create",                      // makes a tenant; noted in both
        "tenants/manage.rs get",                         // platform admins see every tenant; others get their own
        "tenants/manage.rs list",                        // platform admins see every tenant; others get their own
        "tenants/manage.rs list_unscoped",               // the command line lists tenants
        "tenants/manage.rs remove",                      // the end of a tenant is noted in the first one
        "tenants/manage.rs remove_due",                  // which tenants are over; the end is noted in the first tenant
        "tenants/manage.rs switch",                      // noted in both tenants
        "tenants/mod.rs bootstrap",                      // makes the first tenant
        "tenants/plans/mod.rs change_plan",              // every tenant that has it is told
        "tenants/plans/mod.rs create_plan",              // plans belong to no tenant
        "tenants/plans/mod.rs delete_plan",              // does any tenant have it?
        "tenants/plans/mod.rs plan",                     // what the caller's tenant has
        "tenants/plans/mod.rs plans",                    // how many tenants have a plan
        "tenants/policies.rs forget_usage",              // how long each tenant keeps its log
        "tenants/support/mod.rs ended",                  // noted in both tenants
        "tenants/support/mod.rs open_support",           // noted in both tenants
        "tokens/login.rs logout",                        // out of every tenant, if so asked
        "tokens/login.rs open",                          // has the person used this program, in whichever tenant?
        "tokens/mod.rs tend",                            // logins of every tenant end
        "tokens/refresh.rs find",                        // a refresh token is found by its digest
        "usage/meter.rs try_store",                      // the meter writes the events of every tenant at once
        "usage/mod.rs count_unscoped",                   // tests only
        "verify/cache.rs sync",                          // the snapshot holds every tenant's keys
    ];
    assert_eq!(found, listed);
}

/// A transaction that was begun about no tenant shows none: whoever has a grant begins with it.
#[test]
fn s69_a_transaction_about_no_tenant_is_given_no_grant() {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.starts_with("db") && !path.starts_with("testing")) {
        for body in text.split("fn ") {
            let nothing = ["db().read()", "db.read()", "db().begin()", "db.begin()"].iter().any(|begun| body.contains(begun));
            let granted = ["&mut tx, &grant", "&mut tx, grant", "&mut tx, &self.grant"].iter().any(|given| body.contains(given));
            if nothing && granted {
                wrong.push(format!("{} {}", path.display(), body.split('(').next().unwrap()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A grant is evidence (rule 1): whoever gives one out, or asks for one without a permission, stands here. The list may
/// shrink, never grow unseen.
#[test]
fn s69_grants_come_from_listed_places_only() {
    let sources = sources();
    let (_, ctx) = sources.iter().find(|(path, _)| path == Path::new("ctx.rs")).unwrap();
    let named = |text: &str| {
        let all =
            text.lines().filter(|l| l.contains("fn ") && (l.contains("-> Self") || l.contains("Result<Self>") || l.contains("Grant>")));
        all.filter_map(|l| l.split("fn ").nth(1)?.split('(').next().map(ToOwned::to_owned)).collect::<Vec<_>>()
    };
    let constructors = ctx.split("impl Grant {").nth(1).unwrap().split("\n}\n").next().unwrap();
    assert_eq!(
        named(constructors),
        [
            "of_caller",
            "of_leak",
            "of_invitation",
            "of_platform",
            "of_recovery",
            "of_attempt",
            "of_authorization",
            "of_removal",
            "of_job",
            "of_new_tenant"
        ]
    );
    assert_eq!(ctx.matches("Grant { tenant_id").count(), 1, "`require` makes one; its fields are private");
    let mut found = Vec::new();
    for (path, text) in &sources {
        for used in text.split("Grant::of_").skip(1) {
            let end = used.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap();
            found.push(format!("{} of_{}", path.display(), &used[..end]));
        }
    }
    found.sort_unstable();
    found.dedup();
    let listed = [
        "idempotency/mod.rs of_caller",         // answers that callers are given again
        "identity/mod.rs of_caller",            // a member's own session
        "identity/proof/failed.rs of_attempt",  // a try at an account is noted in its tenants
        "identity/proof/forgotten.rs of_job",   // whoever asked for a link has proved nothing
        "keys/expiry.rs of_job",                // keys expire by themselves
        "keys/orphans/mod.rs of_job",           // keys whose owner left long ago
        "leaks/apps.rs of_leak",                // the same of the secret of an app
        "leaks/lookup.rs of_leak",              // what platform admins look up
        "leaks/public.rs of_leak",              // what anybody reports
        "mail/outbox.rs of_platform",           // operators of the installation
        "members/invitations.rs of_invitation", // whoever holds a link
        "members/mod.rs of_caller",             // a member leaves
        "members/mod.rs of_platform",           // an account is switched off in every tenant
        "members/recovery.rs of_caller",        // what a platform admin does elsewhere stands at home, too
        "members/recovery.rs of_recovery",      // whoever helps somebody back in
        "oauth/assertion.rs of_authorization",  // an app that proves who it is
        "oauth/authorize.rs of_caller",         // a member let an app in before
        "oauth/client.rs of_attempt",           // somebody asked as an app in vain
        "oauth/consent.rs of_authorization",    // what the tenant says of scopes in which the app will act
        "oauth/consent.rs of_caller",           // a member lets an app in
        "oauth/grants.rs of_authorization",     // a person’s own grant
        "oauth/logo.rs of_authorization",       // whoever is asked to trust an app sees its logo
        "oauth/tokens.rs of_authorization",     // an app, where it was let in
        "oauth/trial.rs of_authorization",      // likewise, to try it
        "tenants/act_in.rs of_caller",          // who enters another tenant leaves a trace in both
        "tenants/manage.rs of_caller",          // what is done elsewhere stands at home, too
        "tenants/manage.rs of_platform",        // operators of the installation
        "tenants/manage.rs of_removal",         // the end of a deleted tenant
        "tenants/mod.rs of_new_tenant",         // its makers
        "tenants/plans/mod.rs of_caller",       // plans belong to no tenant: their maker notes them at home
        "tenants/plans/mod.rs of_platform",     // every tenant that has a plan
        "tenants/policies.rs of_job",           // what is kept for a time only
        "tokens/login.rs of_caller",            // a member's own login
        "tokens/refresh.rs of_caller",          // the same, by its refresh token
    ];
    assert_eq!(found, listed);
}

/// A table that is forgotten would keep a deleted tenant from being removed.
#[test]
fn whatever_belongs_to_a_tenant_is_removed_with_it() {
    let sources = sources();
    let (_, sql) = sources.iter().find(|(path, _)| path == Path::new("tenants/sql.rs")).unwrap();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for table in text.split("CREATE TABLE ").skip(1) {
            let (name, body) = table.split_once(" (").unwrap();
            let of_tenant = body.split("\n)").next().unwrap().lines().any(|l| l.trim_start().starts_with("tenant_id"));
            assert!(!of_tenant || sql.contains(&format!("DELETE FROM {name} WHERE tenant_id = $1")), "{name}");
        }
    }
}

/// The filter of the log offers whatever may stand there, and nothing else: text of the form of an action is one.
#[test]
fn s78_every_action_of_every_event_can_be_filtered_for() {
    let mut found = Vec::new();
    let wordlike = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    for (path, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap();
        if path.ends_with("sql.rs") || path.ends_with("audit/actions.rs") || path.starts_with("testing") {
            continue;
        }
        let quoted =
            code.split('"').skip(1).filter(|text| text.split_once('.').is_some_and(|(noun, verb)| wordlike(noun) && wordlike(verb)));
        found.extend(quoted.map(ToOwned::to_owned));
    }
    found.sort_unstable();
    found.dedup();
    let mut offered = audit::ACTIONS.to_vec();
    offered.sort_unstable();
    assert_eq!(found, offered);
}

/// SQL stands in files named sql.rs, in the database layer and in a few small places that have no noun of their own.
#[test]
fn sql_stands_where_the_architecture_says() {
    let may = [
        "sql.rs",
        "db/mod.rs",
        "db/connect.rs",
        "db/wake.rs",
        "db/write.rs",
        "seal.rs",
        "identity/sessions.rs",
        "testing/mod.rs",
        "testing/inspect.rs",
    ];
    for (path, text) in sources() {
        assert!(!text.contains("sqlx::query") || may.iter().any(|m| path.ends_with(m)), "{} holds SQL", path.display());
    }
}

/// Every file of the crate's sources, by its path below them.
fn sources() -> Vec<(PathBuf, String)> {
    let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut all = Vec::new();
    let mut dirs = vec![src.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                all.push((path.strip_prefix(src).unwrap().to_path_buf(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    all
}
