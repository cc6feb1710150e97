use crate::harness::{Installation, binary, on_both};
use std::{
    io::BufRead,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

on_both! {
    async fn bootstrap_prints_working_keys_and_refuses_a_used_installation(on) {
        let i = Installation::new(on).await;
        for which in ["tenant_id", "user_id", "api_key", "gateway_key"] {
            assert!(!i.key(which).is_empty());
        }
        let server = i.serve(&[]);
        assert_eq!(server.curl("/v1/auth/test", &["-H", &format!("X-API-Key: {}", i.key("api_key"))]).0, 200);
        let again = i.run(&["bootstrap", "--tenant", "B", "--email", "b@b.test", "--password-stdin", "--json"], "gravel orbit lantern eight\n");
        assert_eq!(again.status.code(), Some(3));
        assert!(again.stdout.is_empty());
        let tenants = i.run(&["tenants", "list", "--json"], "");
        let tenants: serde_json::Value = serde_json::from_slice(&tenants.stdout).unwrap();
        assert_eq!(tenants.as_array().unwrap().len(), 1, "nothing was changed");
    }
}

on_both! {
    async fn s34_a_revocation_by_a_second_process_takes_effect_within_a_second(on) {
        let i = Installation::new(on).await;
        let server = i.serve(&[]);
        let listed = i.run(&["keys", "list", "--json"], "");
        let listed: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
        let key = listed.iter().find(|k| k["name"] == "bootstrap").unwrap();
        let auth = format!("X-API-Key: {}", i.key("api_key"));
        assert_eq!(server.curl("/v1/auth/test", &["-H", &auth]).0, 200);
        let out = i.run(&["keys", "revoke", key["id"].as_str().unwrap(), "--reason", "leaked"], "");
        let revoked = Instant::now();
        assert!(out.status.success(), "{out:?}");
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(said.starts_with("Revoked bootstrap (sk_live_") && said.trim_end().ends_with("), live, of acme."), "{said}");
        while server.curl("/v1/auth/test", &["-H", &auth]).0 == 200 {
            assert!(revoked.elapsed() < Duration::from_secs(1), "still accepted after a second");
        }
        let twice = i.run(&["keys", "revoke", key["id"].as_str().unwrap()], "");
        assert!(!twice.status.success() && String::from_utf8_lossy(&twice.stderr).contains("revoked already"));
    }
}

on_both! {
    async fn on_a_terminal_a_revocation_asks_first_and_a_list_has_a_head(on) {
        let i = Installation::new(on).await;
        let listed = i.run_on_a_terminal(&["keys", "list"], "");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.lines().any(|l| l.starts_with("Id ") && l.trim_end().ends_with("Name")), "{listed}");
        let row = listed.lines().find(|l| l.trim_end().ends_with("bootstrap")).unwrap();
        let id = row.split_whitespace().next().unwrap();
        let revoke = ["keys", "revoke", id, "--reason", "drill"];
        let no = i.run_on_a_terminal(&revoke, "no\n");
        let said = String::from_utf8_lossy(&no.stdout).into_owned();
        assert!(!no.status.success() && said.contains("Revoke bootstrap (sk_live_") && said.contains("nothing was revoked"), "{said}");
        let yes = i.run_on_a_terminal(&[&revoke[..], &["--yes"]].concat(), "");
        let said = String::from_utf8_lossy(&yes.stdout).into_owned();
        assert!(yes.status.success() && said.contains("Revoked bootstrap (sk_live_") && !said.contains("Type yes"), "{said}");
    }
}

on_both! {
    async fn deleting_a_tenant_is_confirmed_and_the_list_says_what_is_out_of_use(on) {
        let i = Installation::new(on).await;
        for name in ["Globex", "Initech", "Umbrella"] {
            assert!(i.run(&["tenants", "create", "--name", name], "").status.success());
        }
        assert!(!i.run(&["tenants", "suspend", "initech"], "").status.success(), "it takes a reason");
        assert!(i.run(&["tenants", "suspend", "initech", "--reason", "unpaid"], "").status.success());
        let silent = i.run(&["tenants", "delete", "globex"], "yes\n");
        assert!(!silent.status.success() && String::from_utf8_lossy(&silent.stderr).contains("--yes"), "{silent:?}");
        let no = i.run_on_a_terminal(&["tenants", "delete", "globex"], "no\n");
        let said = String::from_utf8_lossy(&no.stdout).into_owned();
        assert!(!no.status.success() && said.contains("Delete Globex (globex)?") && said.contains("nothing was deleted"), "{said}");
        assert!(i.run_on_a_terminal(&["tenants", "delete", "globex"], "yes\n").status.success());
        assert!(i.run(&["tenants", "delete", "umbrella", "--yes"], "").status.success());
        let listed = String::from_utf8(i.run(&["tenants", "list"], "").stdout).unwrap();
        let states = ["active", "deleted until ", "suspended", "deleted until "];
        assert!(listed.lines().count() == 4 && listed.lines().zip(states).all(|(line, state)| line.split_once("  ").unwrap().1.starts_with(state)), "{listed}");
    }
}

#[test]
fn a_command_on_an_installation_makes_none() {
    let dir = std::env::temp_dir().join(format!("keystead_nothing_{}", std::process::id()));
    let at = dir.to_str().unwrap();
    for args in [
        &["tenants", "list"][..],
        &["tenants", "create", "--name", "x"],
        &["keys", "list"],
        &["users", "list"],
        &["users", "reset-link", "a@b.test"],
        &["verify-audit"],
    ] {
        let said = refusal(args, &[("KEYSTEAD_DATA_DIR", at)]);
        assert!(said.starts_with("keystead: KEYSTEAD_DATA_DIR: ") && said.contains(at), "{args:?}: {said}");
        assert!(!dir.exists(), "{args:?}");
    }
    std::fs::create_dir(&dir).unwrap();
    let said = refusal(&["tenants", "list"], &[("KEYSTEAD_DATA_DIR", at)]);
    assert!(said.contains(&format!("{at}/keystead.db does not exist")), "{said}");
    std::fs::write(dir.join("keystead.db"), "").unwrap();
    let said = refusal(&["tenants", "list"], &[("KEYSTEAD_DATA_DIR", at)]);
    assert!(said.contains("no installation is in that database"), "{said}");
    assert!(!dir.join("master.key").exists(), "nothing was begun");
    std::fs::remove_dir_all(&dir).unwrap();
}

on_both! {
    async fn tenants_create_makes_a_tenant_and_refuses_a_taken_slug(on) {
        let i = Installation::new(on).await;
        let made = i.run(&["tenants", "create", "--name", "Globex Corp", "--json"], "");
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        assert_eq!(made["slug"], "globex-corp");
        let again = i.run(&["tenants", "create", "--name", "Globex", "--slug", "globex-corp"], "");
        assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("taken"));
        let several = i.run(&["keys", "list"], "");
        let said = String::from_utf8_lossy(&several.stderr).into_owned();
        assert!(said.contains("--tenant") && said.contains("acme, globex-corp"), "several tenants: name one of {said}");
        let stranger = i.run(&["keys", "list", "--tenant", "nobody"], "");
        assert!(!stranger.status.success() && String::from_utf8_lossy(&stranger.stderr).contains("acme, globex-corp"), "{stranger:?}");
        assert!(i.run(&["keys", "list", "--tenant", "globex-corp"], "").status.success());
        let by_id = i.run(&["keys", "list", "--tenant", i.key("tenant_id")], "");
        assert!(by_id.stdout.starts_with(b"key_"), "by its id, and without a head where nobody looks: {by_id:?}");
    }
}

on_both! {
    async fn a_first_start_prints_the_setup_link_and_a_later_one_does_not(on) {
        let i = Installation::empty(on).await;
        assert!(i.run(&["migrate"], "").status.success());
        let mut server = i.serve(&[]);
        let mut line = String::new();
        server.stdout.read_line(&mut line).unwrap();
        assert!(line.contains(&format!("http://localhost:{}/setup?token=", server.address.port())), "{line}");
        let link = line.split("http://").nth(1).unwrap().trim().split_once('/').unwrap().1;
        let (status, page) = server.curl(&format!("/{link}"), &["-H", "accept: text/html"]);
        assert!(status == 200 && page.contains("Set up Keystead"), "{status}");
        let token = link.split("token=").nth(1).unwrap();
        let form = format!("token={token}&tenant=Acme&email=o%40acme.test&password=gravel+orbit+lantern+seven");
        assert_eq!(server.curl("/setup", &["-d", &form]).0, 303);
        assert_eq!(server.curl("/setup", &["-d", &form]).0, 403);
        assert_eq!(server.terminate(), Some(0));
        let mut server = i.serve(&[]);
        assert_eq!(server.terminate(), Some(0));
        let mut rest = String::new();
        server.stdout.read_line(&mut rest).unwrap();
        assert_eq!(rest, "", "no link once people exist");
    }
}

on_both! {
    async fn s76_a_wrong_or_missing_master_key_refuses_to_start(on) {
        let i = Installation::new(on).await;
        let file = i.dir().join("master.key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(i.dir()).unwrap().permissions().mode() & 0o777, 0o700);
        for database in std::fs::read_dir(i.dir()).unwrap().map(Result::unwrap).filter(|f| f.file_name().to_string_lossy().starts_with("keystead.db")) {
            assert_eq!(database.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", database.path().display());
        }
        let key = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let wrong = i.run(&["tenants", "list"], "");
        assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("master key does not open"), "{wrong:?}");
        std::fs::remove_file(&file).unwrap();
        let missing = i.run(&["tenants", "list"], "");
        assert!(!missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("KEYSTEAD_MASTER_KEY"), "{missing:?}");
        assert!(!file.exists(), "no new key is made for an existing database");
        std::fs::write(&file, key).unwrap();
        assert!(i.run(&["tenants", "list"], "").status.success());
    }
}

on_both! {
    async fn the_command_line_undoes_an_allowlist_that_shuts_everybody_out(on) {
        let i = Installation::new(on).await;
        let server = i.serve(&[]);
        let key = format!("x-api-key: {}", i.key("api_key"));
        let json = ["-H", &key, "-H", "content-type: application/json", "-d", r#"{"allowed_ips":["198.51.100.7"]}"#];
        let (status, answer) = server.curl("/v1/auth/ip-allowlist", &json);
        assert!(status == 200 && answer.contains("keystead tenants allowlist"), "{status} {answer}");
        assert_eq!(server.curl("/v1/auth/test", &["-H", &key]).0, 403);
        let shown = i.run(&["tenants", "allowlist", "acme"], "");
        assert_eq!(String::from_utf8_lossy(&shown.stdout).trim(), "198.51.100.7");
        assert!(i.run(&["tenants", "allowlist", i.key("tenant_id"), "--clear"], "").status.success());
        let undone = Instant::now();
        while server.curl("/v1/auth/test", &["-H", &key]).0 != 200 {
            assert!(undone.elapsed() < Duration::from_secs(1), "the running server follows within a second");
        }
        assert!(!i.run(&["tenants", "allowlist", "nobody", "--clear"], "").status.success());
    }
}

#[test]
fn the_help_documents_every_setting() {
    let out = std::process::Command::new(binary()).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(out.stdout).unwrap();
    for setting in [
        "BIND",
        "DATABASE_URL",
        "DATABASE_URL_FILE",
        "DATA_DIR",
        "PUBLIC_URL",
        "MASTER_KEY",
        "MASTER_KEY_FILE",
        "TRUSTED_PROXIES",
        "ENVIRONMENT",
        "ERROR_FORMAT",
        "LOG_FORMAT",
        "MAX_STALENESS",
    ] {
        assert!(help.contains(&format!("KEYSTEAD_{setting}")), "{setting}");
    }
}

/// What a command with these settings says when it cannot start.
fn refusal(args: &[&str], settings: &[(&str, &str)]) -> String {
    let mut command = std::process::Command::new(binary());
    command.args(args).env("KEYSTEAD_DATA_DIR", std::env::temp_dir()).envs(settings.iter().copied());
    let out = command.output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn a_setting_that_cannot_be_used_is_named_in_one_line_with_what_to_do() {
    let missing = std::env::temp_dir().join("keystead_not_there");
    let file = format!("sqlite://{}/keystead.db", missing.display());
    let server = std::env::var("KEYSTEAD_TEST_POSTGRES_URL").expect("KEYSTEAD_TEST_POSTGRES_URL: run the tests by `make test`");
    for (value, says) in [
        ("mysql://root:hunter2@db.test/keystead", "it must be sqlite://"),
        (file.as_str(), "keystead_not_there/keystead.db does not exist"),
        (&format!("{server}/keystead_not_there"), "there is no database keystead_not_there"),
        // Port 1 is nobody's.
        ("postgres://root:hunter2@127.0.0.1:1/keystead", "PostgreSQL does not answer at 127.0.0.1:1"),
    ] {
        let began = Instant::now();
        let said = refusal(&["tenants", "list"], &[("KEYSTEAD_DATABASE_URL", value)]);
        assert!(said.starts_with("keystead: KEYSTEAD_DATABASE_URL: ") && said.contains(says), "{value}: {said}");
        assert!(said.lines().count() == 1 && !said.contains("internal") && !said.contains("hunter2"), "{value}: {said}");
        assert!(began.elapsed() < Duration::from_secs(10), "{value} took {:?}", began.elapsed());
    }
    let said = refusal(&["migrate"], &[("KEYSTEAD_DATABASE_URL", &file)]);
    assert!(said.contains("keystead_not_there does not exist: make it"), "{said}");
    let dir = std::env::temp_dir().join(format!("keystead_settings_{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let said =
        refusal(&["serve", "--bind", "127.0.0.1:0"], &[("KEYSTEAD_DATA_DIR", dir.to_str().unwrap()), ("KEYSTEAD_MASTER_KEY", "hunter2")]);
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(said.starts_with("keystead: KEYSTEAD_MASTER_KEY does not hold 32 bytes of base64"), "{said}");
    assert!(said.lines().count() == 1 && !said.contains("hunter2"), "{said}");
}

/// Row-level security binds neither superusers nor roles with BYPASSRLS: nothing runs under them.
#[test]
fn s69_a_role_that_row_level_security_does_not_bind_is_refused_by_every_command() {
    let server = std::env::var("KEYSTEAD_TEST_POSTGRES_URL").expect("KEYSTEAD_TEST_POSTGRES_URL: run the tests by `make test`");
    for role in ["postgres", "keystead_bypassrls"] {
        let url = format!("{}/postgres", server.replacen("//keystead@", &format!("//{role}@"), 1));
        for command in [&["serve"][..], &["migrate"], &["tenants", "list"], &["verify-audit"]] {
            let mut run = std::process::Command::new(binary());
            let out = run.args(command).env("KEYSTEAD_DATA_DIR", std::env::temp_dir()).env("KEYSTEAD_DATABASE_URL", &url).output().unwrap();
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(1), "{command:?}: {said}");
            assert!(said.starts_with(&format!("keystead: KEYSTEAD_DATABASE_URL: {role} at 127.0.0.1:")), "{said}");
            assert!(said.contains(&format!("ALTER ROLE \"{role}\" NOSUPERUSER NOBYPASSRLS")) && said.lines().count() == 1, "{said}");
        }
    }
}
