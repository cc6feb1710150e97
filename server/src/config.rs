//! Settings: each is a flag and an environment variable; `docs/contract.md`, section 1.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use contract::{Email, Environment, Secret};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// What the operator may set.
#[derive(Args, Debug, Clone)]
pub struct Config {
    /// Listen address; port 0 picks one and prints it.
    #[arg(long, env = "KEYSTEAD_BIND", default_value = "127.0.0.1:3000", global = true)]
    pub bind: SocketAddr,

    /// `sqlite://FILE` or `postgres://…`; default: SQLite in the data directory.
    #[arg(long, env = "KEYSTEAD_DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,

    /// A file that holds the database URL.
    #[arg(long, env = "KEYSTEAD_DATABASE_URL_FILE", global = true)]
    pub database_url_file: Option<PathBuf>,

    /// Where the database and the master key lie; made with mode 0700.
    #[arg(long, env = "KEYSTEAD_DATA_DIR", default_value = "./keystead-data", global = true)]
    pub data_dir: PathBuf,

    /// Where browsers and clients reach this server; default on a loopback bind: `http://localhost:PORT`.
    /// https turns on Secure cookies, HSTS and HTTPS-only.
    #[arg(long, env = "KEYSTEAD_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,

    /// 32 bytes of base64 that wrap the data keys; default: the file master.key in the data directory, made once.
    #[arg(long, env = "KEYSTEAD_MASTER_KEY", hide_env_values = true, global = true)]
    pub master_key: Option<String>,

    /// A file that holds the master key.
    #[arg(long, env = "KEYSTEAD_MASTER_KEY_FILE", global = true)]
    pub master_key_file: Option<PathBuf>,

    /// Networks whose X-Forwarded-For and X-Forwarded-Proto are believed, comma-separated.
    #[arg(long, env = "KEYSTEAD_TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<IpNet>,

    /// live, or test for a sandbox installation where only test credentials exist.
    #[arg(long, env = "KEYSTEAD_ENVIRONMENT", default_value = "live", value_parser = environment, global = true)]
    pub environment: Environment,

    /// Form of error bodies before a tenant is known.
    #[arg(long, env = "KEYSTEAD_ERROR_FORMAT", default_value = "standard", global = true)]
    pub error_format: ErrorFormat,

    /// Whom to write to about security, an address or a URL; published in `/.well-known/security.txt`, which is absent
    /// without it.
    #[arg(long, env = "KEYSTEAD_SECURITY_CONTACT", value_parser = contact, global = true)]
    pub security_contact: Option<String>,

    /// The mail server, as `smtp://USER:PASSWORD@HOST:PORT?tls=required` or `smtps://…`; without one, mails wait.
    #[arg(long, env = "KEYSTEAD_SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<String>,

    /// A file that holds the address of the mail server.
    #[arg(long, env = "KEYSTEAD_SMTP_URL_FILE", global = true)]
    pub smtp_url_file: Option<PathBuf>,

    /// Whom mails come from; default: keystead@ the host of the public URL.
    #[arg(long, env = "KEYSTEAD_SMTP_FROM", global = true)]
    pub smtp_from: Option<String>,

    /// Lines for people, or JSON for machines, on standard error; `RUST_LOG` chooses what is said.
    #[arg(long, env = "KEYSTEAD_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,

    /// How long known credentials are still decided from memory while the database is away.
    #[arg(long, env = "KEYSTEAD_MAX_STALENESS", default_value = "30s", value_parser = humantime::parse_duration, global = true)]
    pub max_staleness: Duration,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The two forms of an error body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// RFC 9457 and the shapes of the guides in one object.
    Standard,
    /// `{"error","message","request_id"}`.
    Flat,
}

/// A URI, as RFC 9116 wants it; a bare e-mail address becomes one.
fn contact(s: &str) -> Result<String, String> {
    let s = s.trim();
    let plain = s.chars().all(|c| c.is_ascii_graphic());
    if plain && ["https://", "mailto:", "tel:"].iter().any(|scheme| s.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
        return Ok(s.to_owned());
    }
    let email = Email::parse(s).ok().filter(|_| plain && !s.contains(':'));
    email.map(|e| format!("mailto:{e}")).ok_or_else(|| "an e-mail address, or a URL with https:, mailto: or tel:".to_owned())
}

fn environment(s: &str) -> Result<Environment, String> {
    s.parse().map_err(|()| "live or test".to_owned())
}

/// Where this server is reached, checked against how it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// Without a slash at the end.
    pub url: String,
    /// `https://…`
    pub https: bool,
    /// Plain http that is not loopback: secrets travel in the clear.
    pub insecure: bool,
}

impl Config {
    /// The database to connect to.
    pub fn database_url(&self) -> Result<String> {
        Ok(match (&self.database_url, &self.database_url_file) {
            (Some(_), Some(_)) => bail!("KEYSTEAD_DATABASE_URL and KEYSTEAD_DATABASE_URL_FILE are both set: set one"),
            (Some(url), None) => url.clone(),
            (None, Some(file)) => read_file("KEYSTEAD_DATABASE_URL_FILE", file)?.expose().trim().to_owned(),
            (None, None) => format!("sqlite://{}", self.data_dir.join("keystead.db").display()),
        })
    }

    /// The setting that names the database.
    pub const fn database_setting(&self) -> &'static str {
        match (&self.database_url, &self.database_url_file) {
            (Some(_), _) => "KEYSTEAD_DATABASE_URL",
            (None, Some(_)) => "KEYSTEAD_DATABASE_URL_FILE",
            (None, None) => "KEYSTEAD_DATA_DIR",
        }
    }

    /// The master key as it was given; none means the file in the data directory.
    pub fn given_master_key(&self) -> Result<Option<Secret<String>>> {
        Ok(match (&self.master_key, &self.master_key_file) {
            (Some(_), Some(_)) => bail!("KEYSTEAD_MASTER_KEY and KEYSTEAD_MASTER_KEY_FILE are both set: set one"),
            (Some(key), None) => Some(Secret::new(key.clone())),
            (None, Some(file)) => Some(read_file("KEYSTEAD_MASTER_KEY_FILE", file)?),
            (None, None) => None,
        })
    }

    /// The mail server, if there is one.
    pub fn smtp_url(&self) -> Result<Option<Secret<String>>> {
        Ok(match (&self.smtp_url, &self.smtp_url_file) {
            (Some(_), Some(_)) => bail!("KEYSTEAD_SMTP_URL and KEYSTEAD_SMTP_URL_FILE are both set: set one"),
            (Some(url), None) => Some(Secret::new(url.trim().to_owned())),
            (None, Some(file)) => Some(Secret::new(read_file("KEYSTEAD_SMTP_URL_FILE", file)?.expose().trim().to_owned())),
            (None, None) => None,
        })
    }

    /// Where this server is reached. `port` is the one it really listens on.
    pub fn public_url(&self, port: u16) -> Result<PublicUrl> {
        let url = match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            // 0.0.0.0 is no address that a browser could be sent to; whoever comes from elsewhere sets the URL.
            None if self.bind.ip().is_loopback() || self.bind.ip().is_unspecified() => format!("http://localhost:{port}"),
            None => format!("http://{}", SocketAddr::new(self.bind.ip(), port)),
        };
        let uri: http::Uri = url.parse().context("KEYSTEAD_PUBLIC_URL is no URL")?;
        let host = uri.host().unwrap_or_default();
        let https = uri.scheme_str() == Some("https");
        if host.is_empty() || !(https || uri.scheme_str() == Some("http")) || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            bail!("KEYSTEAD_PUBLIC_URL must be http://HOST or https://HOST, without a path: {url}");
        }
        if https && self.trusted_proxies.is_empty() {
            bail!(
                "KEYSTEAD_PUBLIC_URL is https, but this server speaks plain http: put a proxy that ends TLS in front and name its \
                 address in KEYSTEAD_TRUSTED_PROXIES"
            );
        }
        let bare = host.trim_matches(['[', ']']);
        let loopback = bare == "localhost" || bare.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let everywhere = self.public_url.is_none() && self.bind.ip().is_unspecified();
        Ok(PublicUrl { https, insecure: !https && (!loopback || everywhere), url })
    }
}

fn read_file(setting: &str, file: &Path) -> Result<Secret<String>> {
    std::fs::read_to_string(file).map(Secret::new).with_context(|| format!("{setting}: cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn config(args: &[&str]) -> Config {
        let cli = crate::cli::Cli::try_parse_from(["keystead"].iter().chain(args)).expect("valid arguments");
        cli.config
    }

    #[test]
    fn the_public_url_follows_a_loopback_bind_and_its_real_port() {
        let url = config(&["--bind", "127.0.0.1:0"]).public_url(4711).expect("valid");
        assert_eq!(url, PublicUrl { url: "http://localhost:4711".into(), https: false, insecure: false });
        let url = config(&["--bind", "0.0.0.0:0"]).public_url(4711).expect("valid");
        assert_eq!(url, PublicUrl { url: "http://localhost:4711".into(), https: false, insecure: true });
    }

    #[test]
    fn a_security_contact_is_one_uri_on_one_line() {
        for (given, uri) in [
            ("security@acme.test", "mailto:security@acme.test"),
            ("mailto:security@acme.test", "mailto:security@acme.test"),
            ("https://acme.test/security", "https://acme.test/security"),
            ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
        ] {
            assert_eq!(config(&["--security-contact", given]).security_contact.as_deref(), Some(uri));
        }
        for bad in ["", "acme", "http://acme.test", "mailto:", "a@b.test\nExpires: never", "https://a b", "javascript:x@y.test"] {
            assert!(contact(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn s28_https_without_a_trusted_proxy_refuses_to_start_and_names_the_setting() {
        let refused = config(&["--public-url", "https://keys.acme.test"]).public_url(1).expect_err("refused");
        assert!(refused.to_string().contains("KEYSTEAD_TRUSTED_PROXIES"));
        let url = config(&["--public-url", "https://keys.acme.test/", "--trusted-proxies", "10.0.0.0/8"]).public_url(1).expect("valid");
        assert_eq!(url, PublicUrl { url: "https://keys.acme.test".into(), https: true, insecure: false });
    }

    #[test]
    fn plain_http_that_is_not_loopback_is_marked_insecure() {
        for (url, insecure) in
            [("http://keys.acme.test", true), ("http://127.0.0.1:3000", false), ("http://[::1]:3000", false), ("http://10.0.0.1", true)]
        {
            assert_eq!(config(&["--public-url", url]).public_url(1).expect("valid").insecure, insecure, "{url}");
        }
        for bad in ["ftp://x", "x", "http://x/path", "http://"] {
            assert!(config(&["--public-url", bad]).public_url(1).is_err(), "{bad}");
        }
    }
}
