//! `docs/gateways/nginx.md` as printed, on Debian's nginx in front of a real upstream.

use crate::{
    gateway::{Recipe, Site},
    harness::on_both,
};
use std::process::Command;

pub const NGINX: Recipe = Recipe {
    page: include_str!("../../../docs/gateways/nginx.md"),
    files: &[("nginx", "nginx.conf")],
    around: (
        "daemon off; pid {dir}/pid; error_log {dir}/error.log; events {} http { access_log off; client_body_temp_path {dir}/body; \
         proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;",
        "}",
    ),
    places: &[("listen 8000;", "listen 127.0.0.1:{listen};")],
    command: |dir| {
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx.arg("-p").arg(dir).arg("-c").arg(dir.join("nginx.conf")).arg("-e").arg(dir.join("error.log"));
        nginx
    },
};

on_both! {
    async fn the_documented_nginx_lets_good_keys_through_and_refuses_the_others_with_the_contracts_bodies(on) {
        Site::behind(on, &NGINX).await.keeps_what_its_page_promises();
    }
}
