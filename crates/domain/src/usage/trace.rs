//! Why was it decided so? A pure function over what was stored: the event, and the policy of that moment.

use crate::Versions;
use contract::{
    AllowedIp, Check, CheckName, CheckOutcome, Code, CredentialKind, Environment, KeyKind, LimitFacts, Policy, Scope, SecretId, Trace,
    UnixMs, UsageEvent,
};
use serde_json::{Value, json};

/// What a trace tells beside the event itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Which secret of the key was used.
    pub secret_id: Option<SecretId>,
    /// What the caller said of its versions.
    pub versions: Versions,
    /// The environment that was needed; none accepted both.
    pub required_environment: Option<Environment>,
    /// The audience that a token had to name.
    pub audience: Option<String>,
    /// How much of the limits was asked for.
    pub cost: u32,
    /// What was left of the limit that was charged.
    pub rate_limit: Option<LimitFacts>,
    /// What the key was allowed; none for unknown credentials, and for events from before it was kept.
    pub policy: Option<Policy>,
}

/// The event with its checks.
pub(super) fn trace(event: UsageEvent, moment: &Moment) -> Trace {
    let checks = checks(&event, moment);
    let Versions { api, client } = moment.versions.clone();
    Trace { event, secret_id: moment.secret_id, api_version: api, client_version: client, cost: moment.cost, checks }
}

/// The checks in their order. The code that was recorded says which one failed; the policy says what each one saw.
pub fn checks(event: &UsageEvent, moment: &Moment) -> Vec<Check> {
    let failed = failing(event.code).map_or(usize::MAX, |name| CheckName::ALL.iter().position(|n| *n == name).unwrap_or(usize::MAX));
    let one = |(place, name): (usize, &CheckName)| {
        let outcome = match place.cmp(&failed) {
            std::cmp::Ordering::Less => CheckOutcome::Passed,
            std::cmp::Ordering::Equal => CheckOutcome::Failed,
            std::cmp::Ordering::Greater => CheckOutcome::Skipped,
        };
        let (message, facts) = match outcome {
            CheckOutcome::Skipped => ("Not reached: an earlier check failed.".to_owned(), json!({})),
            _ => told(*name, outcome == CheckOutcome::Passed, event, moment),
        };
        Check { name: *name, outcome, message, facts }
    };
    CheckName::ALL.iter().enumerate().map(one).collect()
}

/// The check that a code is the failure of.
const fn failing(code: Code) -> Option<CheckName> {
    Some(match code {
        Code::Valid => return None,
        Code::Unauthorized | Code::ConflictingCredentials | Code::Malformed => CheckName::Format,
        Code::NotFound => CheckName::Known,
        Code::Revoked => CheckName::Revoked,
        Code::Disabled => CheckName::Disabled,
        Code::NotYetValid => CheckName::NotBefore,
        Code::Expired => CheckName::Expiry,
        Code::EnvironmentMismatch => CheckName::Environment,
        Code::AudienceMismatch => CheckName::Audience,
        Code::IpNotAllowed => CheckName::Ip,
        Code::InsufficientScope => CheckName::Scope,
        Code::RateLimited => CheckName::Limit,
    })
}

/// What a check saw, in words and for programs.
fn told(name: CheckName, passed: bool, event: &UsageEvent, moment: &Moment) -> (String, Value) {
    let plain = |yes: &str, no: &str| (if passed { yes } else { no }.to_owned(), json!({}));
    if event.kind != CredentialKind::ApiKey {
        return told_of_token(name, passed, event, moment);
    }
    match name {
        CheckName::Format => {
            let wrong = match event.code {
                Code::Unauthorized => "No credential was sent.",
                Code::ConflictingCredentials => "Two different credentials were sent: neither was looked at.",
                _ => "It is no key: prefix, length or checksum is wrong.",
            };
            return plain("Prefix, length and checksum are right.", wrong);
        }
        CheckName::Known if !passed => {
            return plain("", "Nobody's key, or one of a tenant that the caller may not ask about.");
        }
        CheckName::Known => {
            let name = event.credential_name.as_deref().unwrap_or("a known key");
            return (format!("It is {name}."), json!({"credential_id": event.credential_id, "secret_id": moment.secret_id}));
        }
        CheckName::Audience => {
            let facts = json!({"required": moment.audience, "credential": null});
            let said = match (&moment.audience, passed) {
                (Some(wanted), false) => format!("The token is not for {wanted}."),
                (Some(wanted), true) => format!("API keys have no audience; {wanted} was asked for."),
                (None, _) => "No audience was asked for.".to_owned(),
            };
            return (said, facts);
        }
        _ => {}
    }
    let Some(policy) = &moment.policy else {
        let said =
            if passed { "It held; the policy of that moment was not kept." } else { "It failed; the policy of that moment was not kept." };
        return (said.to_owned(), json!({}));
    };
    match name {
        CheckName::Revoked => revoked(policy, event.at),
        CheckName::Disabled => match policy.disabled_at {
            Some(at) => (format!("It was disabled on {}.", at.human()), json!({"disabled_at": at})),
            None => ("It was not disabled.".to_owned(), json!({"disabled_at": null})),
        },
        CheckName::NotBefore => dated("valid from", "No start was set.", "not_before", policy.not_before),
        CheckName::Expiry => dated("valid until", "No expiry was set.", "expires_at", policy.expires_at),
        CheckName::Environment => {
            let facts = json!({"required": moment.required_environment, "credential": policy.environment});
            let said = match moment.required_environment {
                Some(wanted) => format!("A {} key; {wanted} was required.", policy.environment),
                None if passed => format!("A {} key; either environment was accepted.", policy.environment),
                None => format!("A {} key; what belongs to the whole tenant takes a live one.", policy.environment),
            };
            (said, facts)
        }
        CheckName::Ip => address(policy, event),
        CheckName::Scope => scopes(policy, event, passed),
        _ => limit(policy, moment, passed),
    }
}

/// The same for a token, of which nothing is kept beside the event.
fn told_of_token(name: CheckName, passed: bool, event: &UsageEvent, moment: &Moment) -> (String, Value) {
    let person = event.credential_name.as_deref().unwrap_or("somebody");
    let app = event.client_name.as_deref().or(event.client_id.map(|_| "an app of another tenant"));
    let whose = match app {
        // Its own: nobody allowed it anything.
        Some(app) if event.credential_name.as_deref().is_none_or(|name| name == app) => format!("It is a token of {app}."),
        Some(app) => format!("It is a token of {person}, who allowed {app} to act."),
        None => format!("It is a token of {person}."),
    };
    let (yes, no, facts) = match name {
        CheckName::Format => ("It has the form of a token.".to_owned(), "It has the form of a token, but cannot be read.", json!({})),
        CheckName::Known => {
            let no = "Not issued here: its signature, its kind or its claims are wrong; or of a tenant that the caller may not ask about.";
            (whose, no, json!({"client_id": event.client_id}))
        }
        CheckName::Revoked if app.is_some() => (
            "It was not ended before its time.".to_owned(),
            "It was ended: revoked, or its grant, its person or its app is gone.",
            json!({}),
        ),
        CheckName::Revoked => ("It was not ended before its time.".to_owned(), "It was ended: signed out, or its person left.", json!({})),
        CheckName::Disabled if app.is_some() => ("Its app was in use.".to_owned(), "Its app is suspended.", json!({})),
        CheckName::Disabled => ("Tokens are not switched off.".to_owned(), "", json!({})),
        CheckName::NotBefore => ("Its time had come.".to_owned(), "Its time had not come.", json!({})),
        CheckName::Expiry => ("It had not expired.".to_owned(), "It had expired.", json!({})),
        CheckName::Environment => {
            let facts = json!({"required": moment.required_environment, "credential": event.environment});
            (format!("A {} token.", event.environment), "It belongs to the other environment.", facts)
        }
        CheckName::Audience => {
            let facts = json!({"required": moment.audience});
            ("It is for this API.".to_owned(), "It is for another API.", facts)
        }
        CheckName::Ip => (
            "People's tokens are good from anywhere; the tenant's allowlist binds those of apps.".to_owned(),
            "It is a token of an app, and its address is not on the tenant's allowlist, or unknown.",
            json!({"ip": event.ip}),
        ),
        CheckName::Scope => {
            let facts = json!({"required": event.required_scopes});
            ("It holds what was needed.".to_owned(), "It lacks a permission that was needed, or belongs to another tenant.", facts)
        }
        CheckName::Limit if app.is_some() => (
            "The limit was not reached.".to_owned(),
            "The app had used up the limit of its tokens.",
            json!({"rate_limit": moment.rate_limit}),
        ),
        CheckName::Limit => (
            "Its person was within their limits.".to_owned(),
            "Its person had used up their limit.",
            json!({"rate_limit": moment.rate_limit}),
        ),
    };
    (if passed { yes } else { no.to_owned() }, facts)
}

fn revoked(policy: &Policy, at: UnixMs) -> (String, Value) {
    let facts = json!({"revoked_at": policy.revoked_at, "secret_valid_until": policy.secret_valid_until});
    let said = match (policy.revoked_at, policy.secret_valid_until) {
        (Some(t), _) => format!("It was revoked on {}.", t.human()),
        (None, Some(t)) if t <= at => format!("This secret was replaced or reported as leaked, and ended on {}.", t.human()),
        (None, Some(t)) => format!("This secret was replaced and works until {}.", t.human()),
        (None, None) => "It was not revoked.".to_owned(),
    };
    (said, facts)
}

fn dated(what: &str, none: &str, field: &str, at: Option<UnixMs>) -> (String, Value) {
    let said = at.map_or_else(|| none.to_owned(), |at| format!("It is {what} {}.", at.human()));
    (said, json!({ field: at }))
}

fn address(policy: &Policy, event: &UsageEvent) -> (String, Value) {
    // The tenant's list binds its live keys other than gateways'.
    let tenant: &[AllowedIp] =
        if policy.environment == Environment::Live && policy.kind != KeyKind::Gateway { &policy.tenant_allowed_ips } else { &[] };
    let on = |list: &[AllowedIp]| event.ip.and_then(|ip| list.iter().find(|net| net.contains(ip)).copied());
    let facts = json!({
        "ip": event.ip,
        "key": {"allowed_ips": policy.allowed_ips, "matched": on(&policy.allowed_ips)},
        "tenant": {"allowed_ips": tenant, "matched": on(tenant)},
    });
    let from = event.ip.map_or_else(|| "An unknown address".to_owned(), |ip| ip.to_string());
    let told = |whose: &str, list: &[AllowedIp]| match on(list) {
        Some(net) => format!("on {whose} allowlist ({net})"),
        None if list.is_empty() => format!("not bound by {whose} allowlist, which is empty"),
        None => format!("outside {whose} allowlist"),
    };
    (format!("{from} is {} and {}.", told("the key's", &policy.allowed_ips), told("the tenant's", tenant)), facts)
}

fn scopes(policy: &Policy, event: &UsageEvent, passed: bool) -> (String, Value) {
    let missing: Vec<&Scope> = event.required_scopes.iter().filter(|s| !policy.scopes.covers_with(s, &policy.verbs)).collect();
    let facts = json!({"required": event.required_scopes, "held": policy.scopes, "missing": missing});
    let names = |all: &[&Scope]| all.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
    let said = if !missing.is_empty() {
        format!("Missing: {}.", names(&missing))
    } else if !passed {
        "No permission is missing: the request asked to act in another tenant, or with the key of a gateway.".to_owned()
    } else if event.required_scopes.is_empty() {
        "No permission was required.".to_owned()
    } else {
        format!("Held: {}.", names(&event.required_scopes.iter().collect::<Vec<_>>()))
    };
    (said, facts)
}

fn limit(policy: &Policy, moment: &Moment, passed: bool) -> (String, Value) {
    let facts = json!({"policy": policy.rate_limit, "cost": moment.cost, "window": moment.rate_limit});
    let said = match (moment.rate_limit, passed) {
        (Some(w), true) => format!("{} of {} left after it.", w.remaining, w.limit),
        (Some(w), false) => format!("{} of {} were left for a cost of {}.", w.remaining, w.limit, moment.cost),
        (None, true) => "No limit was charged.".to_owned(),
        (None, false) => "The limit was reached.".to_owned(),
    };
    (said, facts)
}
