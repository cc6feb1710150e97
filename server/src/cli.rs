//! The command line.

use crate::{config::Config, http, jobs, listen, mail::Mailer, open, telemetry, verify_audit};
use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use contract::{AllowlistBody, KeyFilter, KeyId, PageQuery, Secret, Slug, TenantId, TenantName};
use domain::{Core, Ctx, Error, RequestInfo, Who, identity, keys, tenants};
use std::{
    io::{IsTerminal, Read, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// A self-hosted console and authorization server for API credentials.
#[derive(Parser, Debug)]
#[command(name = "keystead", version)]
pub struct Cli {
    /// Settings.
    #[command(flatten)]
    pub config: Config,
    /// What to do; serve if nothing is named.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the binary does.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Answer requests (the default).
    Serve,
    /// Bring the database schema up to date and exit.
    Migrate,
    /// Make the first tenant, its owner and two keys on an empty installation; exit 3 and change nothing on a used one.
    Bootstrap {
        /// Name of the first tenant.
        #[arg(long)]
        tenant: String,
        /// Its owner's address.
        #[arg(long)]
        email: String,
        /// Read the owner's password from standard input; one newline at its end is dropped.
        #[arg(long, required = true)]
        password_stdin: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tenants.
    Tenants {
        /// What to do.
        #[command(subcommand)]
        command: Tenants,
    },
    /// Print the OpenAPI document of the API.
    Openapi,
    /// Verify the audit log: every chain of the database, or an exported one, offline. Exit 4 when one is broken.
    VerifyAudit {
        /// One tenant's id or slug; every tenant if left out.
        #[arg(long, conflicts_with = "export")]
        tenant: Option<String>,
        /// A file of `GET /v1/audit/events` as application/x-ndjson; nothing else is opened then.
        #[arg(long, requires = "head")]
        export: Option<PathBuf>,
        /// A file of `GET /v1/audit/heads`, fetched earlier or with the export.
        #[arg(long)]
        head: Option<PathBuf>,
        /// The installation's public key, noted down when it could be trusted; without it, the one that the head names.
        #[arg(long, requires = "head")]
        public_key: Option<String>,
    },
    /// API keys.
    Keys {
        /// What to do.
        #[command(subcommand)]
        command: Keys,
    },
    /// People, and ways back in for who has lost a password or a second factor.
    Users {
        /// What to do.
        #[command(subcommand)]
        command: Users,
    },
}

/// `keystead users …`
#[derive(Subcommand, Debug)]
pub enum Users {
    /// List everybody.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a link that sets a new password, once, within a day. Their sessions end when it is used.
    ResetLink {
        /// Their address.
        email: String,
    },
    /// Take the second factor from somebody who has lost it; their sessions end.
    #[command(name = "disable-2fa")]
    DisableTwoFactor {
        /// Their address.
        email: String,
    },
}

/// `keystead tenants …`
#[derive(Subcommand, Debug)]
pub enum Tenants {
    /// List every tenant.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a tenant.
    Create {
        /// Its name.
        #[arg(long)]
        name: TenantName,
        /// Its name in `tk_…` keys; made from the name if left out.
        #[arg(long)]
        slug: Option<Slug>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a tenant out of use: everybody is signed out, and running servers refuse its keys within a second.
    Suspend {
        /// The tenant's id or slug.
        tenant: String,
        /// Why: its people read it, and it stands in the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Bring back a tenant that was suspended, or deleted and not removed yet.
    Resume {
        /// The tenant's id or slug.
        tenant: String,
    },
    /// Delete a tenant: it goes out of use at once and is removed after 30 days.
    Delete {
        /// The tenant's id or slug.
        tenant: String,
        /// Why, for the audit log.
        #[arg(long)]
        reason: Option<String>,
        /// Do not ask first; needed where no terminal is attached.
        #[arg(long)]
        yes: bool,
    },
    /// Show from where a tenant's live keys may be used, or undo a list that shuts its people out.
    Allowlist {
        /// The tenant's id or slug.
        tenant: String,
        /// Empty the list: keys may be used from anywhere again.
        #[arg(long)]
        clear: bool,
    },
}

/// `keystead keys …`
#[derive(Subcommand, Debug)]
pub enum Keys {
    /// List a tenant's keys.
    List {
        /// The tenant's id or slug; may be left out where there is only one.
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key for good; running servers refuse it within a second.
    Revoke {
        /// The key's id.
        id: KeyId,
        /// Why, for the audit log.
        #[arg(long)]
        reason: Option<String>,
        /// Do not ask first; where no terminal is attached, nothing is asked anyway.
        #[arg(long)]
        yes: bool,
    },
}

/// Exit code for a bootstrap of a used installation.
const IN_USE: u8 = 3;

/// Exit code for an audit chain that does not hold.
const BROKEN: u8 = 4;

/// Runs the command line.
pub async fn run(cli: Cli) -> ExitCode {
    let config = cli.config;
    telemetry::start(config.log_format);
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&config).await,
        Command::Migrate => open::database(&config).await.map(|_| out!("The schema is up to date.")),
        Command::Bootstrap { tenant, email, json, .. } => match bootstrap(&config, &tenant, &email, json).await {
            Err(e) if matches!(e.downcast_ref::<Error>(), Some(Error::Conflict(_))) => {
                eprintln!("keystead: {}", plain(&e));
                return ExitCode::from(IN_USE);
            }
            other => other,
        },
        Command::Tenants { command } => run_tenants(&config, command).await,
        Command::Keys { command } => run_keys(&config, command).await,
        Command::Users { command } => run_users(&config, command).await,
        Command::Openapi => {
            out!("{}", http::openapi::printed());
            Ok(())
        }
        Command::VerifyAudit { tenant, export, head, public_key } => {
            let verified = match export {
                Some(export) => verify_audit::exported(&export, head.as_deref(), public_key.as_deref()),
                None => verify_audit::stored(&config, tenant.as_deref(), head.as_deref(), public_key.as_deref()).await,
            };
            match verified {
                Ok(false) => return ExitCode::from(BROKEN),
                other => other.map(drop),
            }
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("keystead: {}", plain(&e));
            ExitCode::FAILURE
        }
    }
}

/// The words of an error for a terminal; a person at the server's own console may see causes.
fn plain(e: &anyhow::Error) -> String {
    match e.downcast_ref::<Error>() {
        Some(Error::Invalid(fields)) => fields.0.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join("\n"),
        Some(Error::Conflict(message)) => message.clone(),
        _ => e.chain().map(cause).collect::<Vec<_>>().join(": "),
    }
}

/// One cause; of the domain's faults what they say, without their sort.
fn cause(e: &(dyn std::error::Error + 'static)) -> String {
    match e.downcast_ref::<Error>() {
        Some(Error::Internal(said) | Error::Unavailable(said)) => said.clone(),
        _ => e.to_string(),
    }
}

/// Answers requests until SIGTERM or Ctrl-C, then drains.
async fn serve(config: &Config) -> Result<()> {
    // Heard from the first moment on: a stop during the start is a stop, not a kill.
    let stop = StopSignal::listen()?;
    // Bound before anything is opened: the public URL may need the real port, and two servers never share one.
    let listener = TcpListener::bind(config.bind).await.with_context(|| format!("cannot listen on {} (KEYSTEAD_BIND)", config.bind))?;
    let address = listener.local_addr()?;
    let public = config.public_url(address.port())?;
    let core = open::core(config, &public.url, public.insecure).await?;
    let running = jobs::start(&core, Mailer::new(config, &public.url)?);
    let state = http::AppState::new(core.clone(), &config.trusted_proxies, public.https, config.error_format)
        .with_security_contact(config.security_contact.clone());
    let app = http::router(state);
    if public.insecure {
        tracing::warn!("the public URL {} is plain http: secrets travel in the clear", public.url);
    }
    out!("Keystead listens on http://{address}  (public URL {})", public.url);
    if let Some(link) = identity::new_setup_link(&core).await? {
        out!("Set it up once, within a day: {}/setup?token={}", public.url, link.0.expose());
    }
    std::io::stdout().flush()?;
    let (drained, draining) = oneshot::channel::<()>();
    let told = core.clone();
    let server = listen::answer(listener, app, listen::HEADERS, async move {
        stop.received().await;
        told.announce_stop();
        tracing::info!("stopping: requests under way are answered");
        // Whoever waits for the drain starts the clock now.
        drop(drained);
    });
    let deadline = async {
        let _signalled = draining.await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        () = server => {}
        () = deadline => tracing::warn!("some connections did not end in time"),
    }
    drop(running);
    core.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// How long requests under way may take after SIGTERM; the log of usage is written out after that.
const DRAIN: Duration = Duration::from_secs(6);

/// SIGTERM or Ctrl-C.
struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    fn listen() -> Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn received(mut self) {
        tokio::select! { _ = self.terminate.recv() => {} _ = self.interrupt.recv() => {} }
    }
}

/// The installation for a command that works on it: no listener, so the public URL is only what was set.
pub(crate) async fn installation(config: &Config) -> Result<Arc<Core>> {
    let public = config.public_url(config.bind.port())?;
    open::existing_core(config, &public.url, public.insecure).await
}

async fn bootstrap(config: &Config, tenant: &str, email: &str, json: bool) -> Result<()> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("cannot read the password from standard input")?;
    let typed = Secret::new(password);
    let password = Secret::new(typed.expose().strip_suffix('\n').unwrap_or(typed.expose()).to_owned());
    let public = config.public_url(config.bind.port())?;
    let core = open::core(config, &public.url, public.insecure).await?;
    let ctx = Ctx::new(core.clone(), Who::Anonymous, RequestInfo::default());
    let made = tenants::bootstrap(&ctx, tenant, email, password).await;
    core.stop().await;
    let made = made?;
    if json {
        out!("{}", serde_json::to_string(&made)?);
    } else {
        out!(
            "Tenant      {}\nOwner       {}\nAPI key     {}\nGateway key {}",
            made.tenant_id,
            made.user_id,
            made.api_key,
            made.gateway_key
        );
        out!("The keys are shown once: store them now.");
    }
    Ok(())
}

async fn run_tenants(config: &Config, command: Tenants) -> Result<()> {
    let core = installation(config).await?;
    match command {
        Tenants::List { json } => {
            let all = tenants::list_unscoped(&core).await?;
            if json {
                out!("{}", serde_json::to_string(&all)?);
            } else {
                // For people; what reads lines from a pipe gets tenants only.
                if std::io::stdout().is_terminal() {
                    out!("{:<36}  {:<26}  {:<24}  Name", "Id", "State", "Slug");
                }
                for t in all {
                    let state = t.removed_at.map_or_else(|| t.state.to_string(), |at| format!("deleted until {}", at.human_date()));
                    out!("{}  {state:<26}  {:<24}  {}", t.id, t.slug, t.name);
                }
            }
        }
        Tenants::Create { name, slug, json } => {
            let made = tenants::create(&of_no_tenant(&core), &name, slug).await?;
            if json { out!("{}", serde_json::to_string(&made)?) } else { out!("{}  {}", made.id, made.slug) }
        }
        Tenants::Suspend { tenant, reason } => {
            let (ctx, id) = on_tenant(&core, &tenant).await?;
            println!("{} is suspended.", tenants::suspend(&ctx, id, Some(&reason)).await?.name);
        }
        Tenants::Resume { tenant } => {
            let (ctx, id) = on_tenant(&core, &tenant).await?;
            println!("{} is in use.", tenants::resume(&ctx, id).await?.name);
        }
        Tenants::Delete { tenant, reason, yes } => {
            let (ctx, id) = on_tenant(&core, &tenant).await?;
            let name = tenants::get(&ctx, id).await?.name;
            if !yes && !std::io::stdin().is_terminal() {
                bail!("{name} would be deleted, and nobody can be asked: say --yes");
            }
            let question =
                format!("Delete {name} ({tenant})? Everybody is signed out, every key refused, and after 30 days it is removed.");
            if !yes && !confirmed(&question)? {
                bail!("nothing was deleted");
            }
            println!("{} is deleted, and removed after 30 days.", tenants::delete(&ctx, id, reason.as_deref()).await?.name);
        }
        Tenants::Allowlist { tenant, clear } => {
            let ctx = in_tenant(&core, Some(&tenant)).await?;
            if clear {
                tenants::set_allowlist(&ctx, &AllowlistBody { allowed_ips: Vec::new() }).await?;
            }
            let list = tenants::allowlist(&ctx).await?.allowed_ips;
            if list.is_empty() {
                out!("Live keys may be used from anywhere.");
            }
            for net in list {
                out!("{net}");
            }
        }
    }
    core.stop().await;
    Ok(())
}

async fn run_keys(config: &Config, command: Keys) -> Result<()> {
    let core = installation(config).await?;
    match command {
        Keys::List { tenant, json } => list_keys(&in_tenant(&core, tenant.as_deref()).await?, json).await?,
        Keys::Revoke { id, reason, yes } => {
            let tenant = keys::tenant_of_unscoped(&core, id).await.with_context(|| format!("no key {id}"))?;
            let ctx = in_tenant(&core, Some(&tenant.to_string())).await?;
            let key = keys::get(&ctx, id).await?;
            let slugs = tenants::list_unscoped(&core).await?;
            let slug = slugs.iter().find(|t| t.id == tenant).map_or("", |t| t.slug.as_str());
            let which = format!("{} ({}), {}, of {slug}", key.name, key.display(), key.environment);
            // Whoever types must mean it; a script has said what it means.
            if !yes && std::io::stdin().is_terminal() && !confirmed(&format!("Revoke {which}? This cannot be undone."))? {
                bail!("nothing was revoked");
            }
            keys::revoke(&ctx, id, reason.as_deref()).await?;
            out!("Revoked {which}.");
        }
    }
    core.stop().await;
    Ok(())
}

async fn run_users(config: &Config, command: Users) -> Result<()> {
    let core = installation(config).await?;
    let ctx = of_no_tenant(&core);
    let known = |e: Error, email: &str| match e {
        Error::NotFound => anyhow::anyhow!("nobody has the address {email}"),
        e => e.into(),
    };
    match command {
        Users::List { json } => {
            let all = identity::list_accounts_unscoped(&core).await?;
            if json {
                out!("{}", serde_json::to_string(&all)?);
            } else {
                for a in all {
                    let marks = [(a.platform_admin, "platform admin"), (a.two_factor, "two-factor"), (a.disabled, "disabled")];
                    let marks: Vec<_> = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
                    out!("{}  {:<32}  {}", a.id, a.email, marks.join(", "));
                }
            }
        }
        Users::ResetLink { email } => {
            let link = identity::new_reset_link(&ctx, &email).await.map_err(|e| known(e, &email))?;
            out!("{}/reset?token={}", core.settings.public_url, link.0.expose());
            // What reads the output gets the link and nothing else.
            let whence = if config.public_url.is_some() { "as KEYSTEAD_PUBLIC_URL says" } else { "because KEYSTEAD_PUBLIC_URL is not set" };
            eprintln!("The link leads to {}, {whence}: that must be where this installation is reached.", core.settings.public_url);
        }
        Users::DisableTwoFactor { email } => {
            identity::disable_two_factor(&ctx, &email).await.map_err(|e| known(e, &email))?;
            out!("{email} signs in without a second factor now.");
            out!(
                "A password that was chosen beside it may have fewer than 15 characters: `keystead users reset-link {email}` asks for another."
            );
        }
    }
    core.stop().await;
    Ok(())
}

/// The command line for the whole installation, in no tenant that exists.
fn of_no_tenant(core: &Arc<Core>) -> Ctx {
    let nobody = TenantId::from_uuid(core.new_uuid());
    Ctx::new(core.clone(), Who::CommandLine(nobody), RequestInfo::default())
}

/// The command line in the tenant of this id or slug, or in the only one.
async fn in_tenant(core: &Arc<Core>, named: Option<&str>) -> Result<Ctx> {
    let all = tenants::list_unscoped(core).await?;
    let slugs = || all.iter().map(|t| t.slug.as_str()).collect::<Vec<_>>().join(", ");
    let id = match (named, all.as_slice()) {
        (_, []) => bail!("there is no tenant yet"),
        (Some(named), _) => match tenants::find_unscoped(core, named).await {
            Ok(id) => id,
            Err(Error::NotFound) => bail!("no tenant {named}: there is {}", slugs()),
            Err(e) => return Err(e.into()),
        },
        (None, [one]) => one.id,
        (None, _) => bail!("there are several tenants: name one with --tenant ({})", slugs()),
    };
    Ok(Ctx::new(core.clone(), Who::CommandLine(id), RequestInfo::default()))
}

/// The same, with the tenant's id.
async fn on_tenant(core: &Arc<Core>, named: &str) -> Result<(Ctx, TenantId)> {
    let ctx = in_tenant(core, Some(named)).await?;
    let id = ctx.tenant_id().context("the command line works in a tenant")?;
    Ok((ctx, id))
}

/// Asks on the terminal whether that is meant.
fn confirmed(question: &str) -> Result<bool> {
    print!("{question} Type yes: ");
    std::io::stdout().flush()?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    Ok(typed.trim() == "yes")
}

async fn list_keys(ctx: &Ctx, json: bool) -> Result<()> {
    let mut page = PageQuery { limit: 200, cursor: None };
    let mut all = Vec::new();
    loop {
        let got = keys::list(ctx, &KeyFilter::default(), page).await?;
        all.extend(got.data);
        match got.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    if json {
        out!("{}", serde_json::to_string(&all)?);
    } else {
        // For people; what reads lines from a pipe gets keys only.
        if std::io::stdout().is_terminal() {
            out!("{:<36}  {:<8}  {:<22}  Name", "Id", "State", "Secret");
        }
        for key in all {
            out!("{}  {:<8}  {:<22}  {}", key.id, key.state, key.display(), key.name);
        }
    }
    Ok(())
}
