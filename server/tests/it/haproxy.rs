//! `docs/gateways/haproxy.md` as printed, on Debian's HAProxy in front of a real upstream.

use crate::{
    gateway::{Recipe, Site},
    harness::on_both,
};
use std::process::Command;

const HAPROXY: Recipe = Recipe {
    page: include_str!("../../../docs/gateways/haproxy.md"),
    files: &[("haproxy", "haproxy.cfg"), ("lua", "keystead.lua")],
    around: ("", ""),
    places: &[("bind *:8000", "bind 127.0.0.1:{listen}"), ("/etc/haproxy/keystead.lua", "{dir}/keystead.lua")],
    command: |dir| {
        let mut haproxy = Command::new("/usr/sbin/haproxy");
        haproxy.arg("-db").arg("-f").arg(dir.join("haproxy.cfg"));
        haproxy
    },
};

on_both! {
    async fn the_documented_haproxy_lets_good_keys_through_and_refuses_the_others_with_the_contracts_bodies(on) {
        Site::behind(on, &HAPROXY).await.keeps_what_its_page_promises();
    }
}
