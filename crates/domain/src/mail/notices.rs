//! What people are told of their own accounts: one table from events to words. The recipient is whom the event is about,
//! at the address that the event names. And what a tenant's owners are told of: what somebody from outside does to who
//! has a say there.

use super::{Message, sql, to_owners, to_person};
use crate::{
    Ctx, Grant, RequestInfo, Result, Who,
    db::{Event, Tx},
};
use contract::{Role, UserId};

/// The words about one sort of event.
pub(super) struct Notice {
    /// The event.
    action: &'static str,
    /// Only where this member of what stands after it is true.
    only: Option<&'static str>,
    /// One line.
    pub subject: &'static str,
    /// What happened.
    pub text: &'static str,
    /// What to do if it was somebody else.
    pub remedy: &'static str,
    /// Where, as label and path.
    pub link: (&'static str, &'static str),
}

const SESSIONS: (&str, &str) = ("Look at your sessions", "/account/sessions");
const FACTOR: (&str, &str) = ("Look at your second factor", "/account/two-factor");
const FORGOT: (&str, &str) = ("Set another password", "/forgot");
const SIGN_IN: (&str, &str) = ("Sign in", "/login");
const NOT_YOU: &str = "If it was not you, set another password now, and end the sessions that you do not know.";
const ASK: &str = "If you do not know why, ask whoever operates this server.";

static NOTICES: [Notice; 12] = [
    Notice {
        action: "session.token_reused",
        only: None,
        subject: "A sign-in of yours was ended",
        text: "A program that is signed in to your account sent a token that had been used before. Either it made a mistake, or somebody has copied the token: so that sign-in was ended.",
        remedy: "If the program cannot explain it, set another password now, and look where the program keeps its tokens.",
        link: SESSIONS,
    },
    Notice {
        action: "session.created",
        only: Some("new_device"),
        subject: "New sign-in to your account",
        text: "Somebody signed in to your account from a browser or program that had not been used for it before.",
        remedy: NOT_YOU,
        link: SESSIONS,
    },
    Notice {
        action: "user.password_changed",
        only: None,
        subject: "Your password was changed",
        text: "The password of your account was changed by somebody who was signed in and knew the old one.",
        remedy: NOT_YOU,
        link: FORGOT,
    },
    Notice {
        action: "user.password_reset",
        only: None,
        subject: "Your password was reset",
        text: "The password of your account was reset by a link. Every session ended.",
        remedy: NOT_YOU,
        link: FORGOT,
    },
    Notice {
        action: "user.reset_link_made",
        only: None,
        subject: "A link to reset your password was made",
        text: "An owner of your tenant or whoever operates this server made a link that sets a new password for your account, once, within a day.",
        remedy: ASK,
        link: SIGN_IN,
    },
    Notice {
        action: "user.two_factor_enabled",
        only: None,
        subject: "Two-factor sign-in is on",
        text: "From now on your account asks for a code of an authenticator app at every sign-in.",
        remedy: "If you did not turn it on, ask whoever operates this server to turn it off, and set another password.",
        link: FACTOR,
    },
    Notice {
        action: "user.two_factor_disabled",
        only: None,
        subject: "Two-factor sign-in is off",
        text: "Your account asks for its password alone from now on.",
        remedy: NOT_YOU,
        link: FACTOR,
    },
    Notice {
        action: "user.two_factor_reset",
        only: None,
        subject: "Your second factor was taken off",
        text: "An owner of your tenant or whoever operates this server took the second factor off your account. Every session ended.",
        remedy: ASK,
        link: FACTOR,
    },
    Notice {
        action: "user.recovery_codes_replaced",
        only: None,
        subject: "Your recovery codes were replaced",
        text: "Ten new recovery codes were made for your account. The old ones work no more.",
        remedy: NOT_YOU,
        link: FACTOR,
    },
    Notice {
        action: "user.recovery_code_used",
        only: None,
        subject: "A recovery code was used",
        text: "One of the recovery codes of your account was used in place of your authenticator app. It works no more.",
        remedy: NOT_YOU,
        link: FACTOR,
    },
    Notice {
        action: "user.email_changed",
        only: None,
        subject: "Your address for signing in was changed",
        text: "Your account has another address now, which was confirmed at both addresses. This one signs in no more.",
        remedy: ASK,
        link: SIGN_IN,
    },
    Notice {
        action: "member.disabled",
        only: None,
        subject: "Your account was disabled",
        text: "Your account was switched off: every session of yours ended, and the keys that you answer for are refused.",
        remedy: ASK,
        link: SIGN_IN,
    },
];

impl Notice {
    /// The words about an event of this name.
    pub fn of(action: &str) -> Option<&'static Self> {
        NOTICES.iter().find(|n| n.action == action)
    }

    fn tells_of(&self, event: &Event) -> bool {
        self.only.is_none_or(|flag| event.after.as_ref().and_then(|after| after.get(flag)?.as_bool()) == Some(true))
    }
}

/// Queues what people are to be told of these events: once, in however many tenants they are noted.
pub(crate) async fn tell(tx: &mut Tx, ctx: &Ctx, events: &[(Grant, Event)]) -> Result<()> {
    let mut told: Vec<(&str, &str)> = Vec::new();
    for (_, event) in events {
        let about = (event.action, event.target.id.as_str());
        let known = Notice::of(event.action).is_some_and(|notice| notice.tells_of(event)) && !told.contains(&about);
        let Some(user) = event.target.id.parse::<UserId>().ok().filter(|_| known) else { continue };
        told.push(about);
        to_person(tx, ctx, user, &event.target.name, &message(ctx, event.action, user), None).await?;
    }
    for (grant, event) in events.iter().filter(|(_, event)| changes_who_has_a_say(event)) {
        if !from_outside(tx, ctx, grant).await? {
            continue;
        }
        let message = Message::Outsider {
            event: event.action.to_owned(),
            by: ctx.actor().name,
            about: event.target.name.clone(),
            reason: event.reason.clone(),
            at: ctx.now(),
        };
        // Who was an owner until now is one of those who are told.
        let about = Some(event.target.name.as_str()).filter(|_| event.target.kind == "user");
        to_owners(tx, ctx, grant, about, &message).await?;
    }
    Ok(())
}

/// Is it done to a tenant that the caller does not belong to? The command line is everywhere at home.
async fn from_outside(tx: &mut Tx, ctx: &Ctx, grant: &Grant) -> Result<bool> {
    if ctx.home() == Some(grant.tenant_id()) {
        return Ok(false);
    }
    match ctx.who() {
        Who::Person(person) => Ok(!sql::is_member(tx, grant, person.user_id).await?),
        Who::Key(_) | Who::App(_) => Ok(true),
        Who::Anonymous | Who::CommandLine(_) => Ok(false),
    }
}

/// Support comes, or an owner comes, goes or becomes another.
fn changes_who_has_a_say(event: &Event) -> bool {
    let owner = |v: &Option<serde_json::Value>| v.as_ref().and_then(|v| v.get("role")?.as_str()) == Some(Role::Owner.as_str());
    match event.action {
        "support.opened" => true,
        "invitation.created" | "member.role_changed" | "member.removed" => owner(&event.before) || owner(&event.after),
        _ => false,
    }
}

/// Where it came from is told of what was done in the person's own name only.
fn message(ctx: &Ctx, action: &str, user: UserId) -> Message {
    let own = match ctx.who() {
        Who::Anonymous => true,
        Who::Person(person) => person.user_id == user,
        _ => false,
    };
    let (ip, user_agent) = if own { whence(ctx.request()) } else { (None, None) };
    Message::Notice { event: action.to_owned(), at: ctx.now(), ip, user_agent }
}

/// Where a request came from, as a mail tells it: the address and the program.
pub(crate) fn whence(request: &RequestInfo) -> (Option<String>, Option<String>) {
    let agent = request.user_agent.as_ref().map(|ua| ua.chars().filter(|c| !c.is_control()).take(200).collect());
    (request.ip.map(|ip| ip.to_string()), agent)
}
