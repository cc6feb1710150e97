//! `docs/gateways/caddy.md` as printed, on Debian's Caddy in front of a real upstream.

use crate::{
    gateway::{Recipe, Site},
    harness::on_both,
};
use std::process::Command;

const CADDY: Recipe = Recipe {
    page: include_str!("../../../docs/gateways/caddy.md"),
    files: &[("caddyfile", "Caddyfile")],
    // Nothing beyond this machine, and no port for its administration that parallel tests would share.
    around: ("{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}", ""),
    places: &[(":8000 {", ":{listen} {")],
    command: |dir| {
        let mut caddy = Command::new("/usr/bin/caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(dir.join("Caddyfile"));
        caddy.env("XDG_DATA_HOME", dir).env("XDG_CONFIG_HOME", dir);
        caddy
    },
};

on_both! {
    async fn the_documented_caddy_lets_good_keys_through_and_refuses_the_others_with_the_contracts_bodies(on) {
        Site::behind(on, &CADDY).await.keeps_what_its_page_promises();
    }
}
