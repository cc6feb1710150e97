//! `/members/:id`: what a member may do, and how they leave.

use super::{DoneNote, RoleField};
use crate::{
    actions::MemberForm,
    components::{ConfirmField, Crumbs, EndForm, ErrorSummary, InTenant, PageTitle, SessionTable, Time, TimeForm},
    icon::{Icon, IconName},
    numbers::counted,
    pages::recovery::{RecoverFields, ResetLink},
    returned::{Returned, returned},
    url::href,
    visit::{Shown, framed},
};
use contract::{Chrome, FieldErrors, Member, Perm, ResetUrl, Role, SessionSeen};
use domain::members;
use leptos::prelude::*;

/// `/members/:id`
#[component]
pub fn MemberPage() -> impl IntoView {
    framed(|visit| async move {
        let member = members::get(&visit.ctx, Perm::MembersRead, visit.id()?).await?;
        let Returned { form, errors, message } = returned::<MemberForm>().unwrap_or_default();
        let done = match visit.query.get_str("done").filter(|_| message.is_none() && errors.is_empty()) {
            Some("role") => Some("The role has changed. It holds from the next request on."),
            Some("transfer") => Some("The tenant has a new owner. You are an admin of it now."),
            Some("disabled") => Some("The account is disabled: its sessions have ended, and its keys and apps are refused."),
            Some("two-factor") => Some("Their second factor is gone, and they are signed out everywhere."),
            Some("session") => Some("Ended. It opens nothing any more."),
            Some("enabled") => Some("The account is in use again, and so are its keys."),
            _ => None,
        };
        let crumbs = Crumbs { above: vec![("Members".to_owned(), "/members".to_owned())], ..Crumbs::section(&member.email) };
        let acts = view! { <Acts member=member.clone() chrome=visit.chrome.clone() form errors=errors.clone()/> };
        let keys = visit.chrome.role.holds(Perm::KeysRead);
        let you = member.email == visit.chrome.email;
        let open = if !you && visit.chrome.role.holds(Perm::MembersWrite) {
            let may = visit.chrome.role == Role::Owner || visit.chrome.platform_admin || member.role != Role::Owner;
            let all = members::sessions(&visit.ctx, member.id).await?;
            view! { <Sessions all member=member.clone() may/> }.into_any()
        } else {
            ().into_any()
        };
        let link = use_context::<ResetUrl>().map(|made| view! { <ResetLink made/> }.into_any());
        let title = member.email.clone();
        let body = view! {
            <div class="page__head"><PageTitle>{title}</PageTitle></div>
            <div class="stack narrow">
                {done.map(|text| view! { <DoneNote text/> }.into_any())}
                {link}
                <ErrorSummary errors message/>
                <Facts member keys/>
                {open}
                {acts}
            </div>
        };
        Ok(Shown::new(crumbs, body))
    })
}

#[component]
fn Facts(member: Member, keys: bool) -> impl IntoView {
    let count = counted(member.keys, "key");
    let owned = if keys && member.keys > 0 {
        view! { <a href=href("/keys", &[("owner", Some(&member.email))])>{count}</a> }.into_any()
    } else {
        count.into_any()
    };
    view! {
        <section class="card">
            <div class="card__body">
                <dl class="dl">
                    <dt>"Role"</dt><dd>{member.role.title()}</dd>
                    <dt>"Joined"</dt><dd><Time at=member.joined_at form=TimeForm::Full/></dd>
                    <dt>"Answers for"</dt><dd>{owned}</dd>
                    <dt>"Address"</dt><dd>{if member.email_proved { "Taken for theirs: proved by a mailed link, or set up with the server" } else { "Not proved: they have not followed a mailed link yet" }}</dd>
                    <dt>"Account"</dt><dd>{if member.disabled { "Disabled in every tenant" } else { "In use" }}</dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

/// Where they are signed in, in this tenant.
#[component]
fn Sessions(all: Vec<SessionSeen>, member: Member, may: bool) -> impl IntoView {
    let action = format!("/members/{}", member.id);
    if all.is_empty() {
        return view! { <p class="small soft">"They are not signed in to this tenant."</p> }.into_any();
    }
    let end_all = may.then(|| {
        view! {
            <form method="post" action=action.clone()><InTenant/>
                <button class="btn" type="submit" name="act" value="end_sessions"><Icon name=IconName::LogOut/>"End all"</button>
            </form>
        }
        .into_any()
    });
    let end = may.then_some(EndForm { action, field: "session", act: "end_session" });
    view! {
        <section class="stack stack--3" aria-labelledby="sessions">
            <h2 id="sessions">"Signed in to this tenant"</h2>
            <SessionTable all caption="Their sessions in this tenant, the one used last first" end/>
            {end_all}
        </section>
    }
    .into_any()
}

/// What the reader may do about this member, and nothing else.
#[component]
fn Acts(member: Member, chrome: Chrome, form: MemberForm, errors: FieldErrors) -> impl IntoView {
    let you = member.email == chrome.email;
    let owns = chrome.role == Role::Owner;
    let owners = owns || chrome.platform_admin;
    let may = chrome.role.holds(Perm::MembersWrite) && (owners || member.role != Role::Owner);
    let action = format!("/members/{}", member.id);
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let role = may.then(|| {
        let chosen = if form.act == "role" { form.role.parse().unwrap_or(member.role) } else { member.role };
        view! {
            <section class="card">
                <div class="card__head"><h2>"Role"</h2></div>
                <form class="card__body stack" method="post" action=action.clone() novalidate=true><InTenant/>
                    <RoleField chosen owners error=error("role")/>
                    <div class="row"><button class="btn" type="submit" name="act" value="role">"Change role"</button></div>
                </form>
            </section>
        }
        .into_any()
    });
    let transfer = (owns && !you && member.role != Role::Owner && !member.disabled).then(|| {
        view! {
            <section class="card">
                <div class="card__head"><h2>"Hand the tenant over"</h2></div>
                <form class="card__body stack" method="post" action=action.clone() novalidate=true><InTenant/>
                    <p class="small soft">"They become owner in your place, and you stay as an admin. Only they can give it back."</p>
                    <ConfirmField name="hand_over" phrase=member.email.clone() value=form.hand_over.clone() error=error("hand_over")/>
                    <div class="row"><button class="btn btn--danger" type="submit" name="act" value="transfer">"Hand over"</button></div>
                </form>
            </section>
        }
        .into_any()
    });
    let account = (chrome.platform_admin && !you).then(|| view! { <Account member=member.clone() action=action.clone()/> }.into_any());
    let recover = (may && owners && !you).then(|| {
        view! {
            <section class="card">
                <div class="card__head"><h2>"Lost password or second factor"</h2></div>
                <form class="card__body stack" method="post" action=action.clone() novalidate=true><InTenant/>
                    <p class="small soft">"Make sure that you know who asks. If the account belongs to more than the tenants that you own, a platform admin has to do this."</p>
                    <RecoverFields reason=form.reason.clone() errors=errors.clone()/>
                </form>
            </section>
        }
        .into_any()
    });
    let remove = (may && !you).then(|| {
        let keys = match member.keys {
            0 => "They answer for no key.".to_owned(),
            n => format!("{} of theirs go on working and wait in the queue of orphaned keys.", counted(n, "key")),
        };
        view! {
            <section class="card card--bad">
                <div class="card__head"><h2>"Remove from the tenant"</h2></div>
                <form class="card__body stack" method="post" action=action.clone() novalidate=true><InTenant/>
                    <p class="small soft">"They are out of it at once, and what they invited is taken back. "{keys}</p>
                    <ConfirmField phrase=member.email.clone() value=form.confirm.clone() error=error("confirm")/>
                    <div class="row"><button class="btn btn--destroy" type="submit" name="act" value="remove"><Icon name=IconName::UserX/>"Remove member"</button></div>
                </form>
            </section>
        }
        .into_any()
    });
    let leave = you
        .then(|| view! { <p class="small soft">"You can leave this tenant under "<a href="/tenants">"your tenants"</a>"."</p> }.into_any());
    view! {
        {role}
        {transfer}
        {recover}
        {account}
        {remove}
        {leave}
    }
    .into_any()
}

/// For those who operate the installation.
#[component]
fn Account(member: Member, action: String) -> impl IntoView {
    let (said, act, label) = if member.disabled {
        ("Signing in works again in every tenant, and so do the keys and apps that they answer for.", "enable", "Enable account")
    } else {
        (
            "They are signed out everywhere and cannot sign in, and every key and app that they answer for is refused, in every tenant. Give keys that must go on another owner first.",
            "disable",
            "Disable account",
        )
    };
    view! {
        <section class="card">
            <div class="card__head"><h2>"Account"</h2></div>
            <form class="card__body stack stack--3" method="post" action=action><InTenant/>
                <p class="small soft">{said}</p>
                <div class="row"><button class="btn btn--danger" type="submit" name="act" value=act>{label}</button></div>
            </form>
        </section>
    }
    .into_any()
}
