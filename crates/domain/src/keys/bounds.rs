//! Nobody makes or changes a key into more than they hold themselves (s35). Of people that concerns permissions; a key
//! that makes keys also passes on its addresses, its expiry and its rate limit.

use super::sql::{self, Reach};
use crate::{Ctx, Error, Grant, Result, Who, db::Tx};
use contract::{AllowedIp, ApiKey, Environment, ErrorCode, FieldErrors, KeyKind, Perm, RateLimit, Scope, UnixMs};

/// What a new or changed key would be allowed.
#[derive(Debug)]
pub(super) struct Power<'a> {
    pub kind: KeyKind,
    pub environment: Environment,
    pub platform: bool,
    pub scopes: &'a [Scope],
    pub allowed_ips: &'a [AllowedIp],
    pub expires_at: Option<UnixMs>,
    pub rate_limit: Option<RateLimit>,
}

impl<'a> From<&'a ApiKey> for Power<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            kind: key.kind,
            environment: key.environment,
            platform: key.platform,
            scopes: &key.scopes.0,
            allowed_ips: &key.allowed_ips,
            expires_at: key.expires_at,
            rate_limit: key.rate_limit,
        }
    }
}

/// What a key that makes keys hands on to them where nothing narrower is asked for.
#[derive(Debug, Default)]
pub(super) struct Maker {
    pub allowed_ips: Vec<AllowedIp>,
    pub expires_at: Option<UnixMs>,
    /// Its own limit; none means the plan's.
    pub rate_limit: Option<RateLimit>,
    /// The limit that it has, whoever set it. None where the caller may set any: people, and whoever may write settings.
    at_most: Option<RateLimit>,
}

impl Maker {
    /// The bounds of the caller.
    pub async fn of(ctx: &Ctx, tx: &mut Tx, grant: &Grant) -> Result<Self> {
        let Who::Key(key) = ctx.who() else { return Ok(Self::default()) };
        if ctx.require(Perm::SettingsWrite).is_ok() {
            return Ok(Self { allowed_ips: key.allowed_ips.clone(), expires_at: key.expires_at, ..Self::default() });
        }
        let own = sql::find(tx, grant, key.key_id, Reach { own: None, environment: None }).await?.map(|r| r.key(ctx.now())).transpose()?;
        Ok(Self {
            allowed_ips: key.allowed_ips.clone(),
            expires_at: key.expires_at,
            rate_limit: own.and_then(|k| k.rate_limit),
            at_most: Some(key.rate_limit),
        })
    }

    /// Is `power` within what the caller may hand out? What was asked for beyond it is named by its field.
    pub fn check(&self, ctx: &Ctx, power: &Power<'_>) -> Result<()> {
        check_permissions(ctx, power)?;
        let mut errors = FieldErrors::default();
        let inside = |net: &AllowedIp| self.allowed_ips.iter().any(|own| own.net().contains(&net.net()));
        if !self.allowed_ips.is_empty() && (power.allowed_ips.is_empty() || !power.allowed_ips.iter().all(inside)) {
            errors.add(
                "allowed_ips",
                "not_permitted",
                "The key that asks may only be used from its own addresses, and hands on no others.",
            );
        }
        if let Some(own) = self.expires_at.filter(|own| power.expires_at.is_none_or(|t| t > *own)) {
            errors.add("expires_at", "not_permitted", format!("The key that asks expires at {own}: name a time up to then."));
        }
        if let Some(most) = self.at_most {
            // Without a limit of its own the other key has the plan's, which is the asking key's too unless that has its own.
            let asked = power.rate_limit.or_else(|| self.rate_limit.map(|_| RateLimit { per_hour: u32::MAX, per_second: u32::MAX }));
            if asked.is_some_and(|l| l.per_hour > most.per_hour || l.per_second > most.per_second) {
                let RateLimit { per_hour, per_second } = most;
                let message = format!("The key that asks has {per_hour} requests an hour and {per_second} a second.");
                errors.add("rate_limit", "not_permitted", message);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
    }

    /// The same where nothing was asked for that could be named: a new secret for the key as it is.
    pub fn check_whole(&self, ctx: &Ctx, power: &Power<'_>) -> Result<()> {
        self.check(ctx, power).map_err(|e| match e {
            Error::Invalid(_) => Error::Refused(
                ErrorCode::Forbidden,
                "This key may do more than the one that asks. Use one that may do as much, or ask somebody in the console.".to_owned(),
            ),
            other => other,
        })
    }
}

fn check_permissions(ctx: &Ctx, power: &Power<'_>) -> Result<()> {
    let mismatch = || Err(Error::Refused(ErrorCode::EnvironmentMismatch, ErrorCode::EnvironmentMismatch.message().to_owned()));
    // A gateway decides about live credentials, too, whatever its own label says.
    if ctx.sandboxed().is_some() && (power.environment == Environment::Live || power.kind == KeyKind::Gateway) {
        return mismatch();
    }
    if ctx.core().settings.environment == Environment::Test && power.environment == Environment::Live {
        return Err(Error::field("environment", "not_permitted", "This is a sandbox: only test keys exist here."));
    }
    if power.platform && !ctx.operates() {
        return Err(Error::Refused(
            ErrorCode::Forbidden,
            "Only platform admins make and change platform keys. Ask whoever operates this server, or leave `platform` out.".to_owned(),
        ));
    }
    if power.kind == KeyKind::Gateway {
        let decides = Perm::KeysVerify.scope();
        if power.scopes != [decides.clone()] {
            return Err(Error::field("scopes", "not_permitted", format!("A gateway key holds {decides} and nothing else.")));
        }
        let may = ctx.person().is_some_and(|p| p.role.grants_any());
        return if may { Ok(()) } else { ctx.may_grant(&decides) };
    }
    if power.kind == KeyKind::Restricted && power.scopes.iter().any(Scope::is_admin) {
        return Err(Error::field("scopes", "not_permitted", "A restricted key never holds admin."));
    }
    if power.kind == KeyKind::Tenant && power.platform {
        return Err(Error::field("platform", "not_permitted", "A tenant key never crosses its tenant."));
    }
    power.scopes.iter().try_for_each(|scope| ctx.may_grant(scope))
}
