//! `/members`: the tenant's people, and those who were asked to join.

mod accept;
mod detail;

pub use accept::AcceptPage;
pub use detail::MemberPage;

use crate::{
    actions::InviteForm,
    components::{
        Banner, Code, Crumbs, ErrorSummary, FieldError, InTenant, PageTitle, Pager, RadioOption, TextField, Time, TimeForm, Tone,
    },
    icon::{Icon, IconName},
    numbers::counted,
    returned::{Returned, returned},
    url::href,
    visit::{Shown, framed},
};
use contract::{CreatedInvitation, Invitation, InvitationState, Member, Page, PageQuery, Perm, Role};
use domain::members;
use leptos::prelude::*;

/// Invitations that are shown.
const INVITATIONS: u16 = 200;

/// `/members`
#[component]
pub fn MembersPage() -> impl IntoView {
    framed(|visit| async move {
        let cursor = visit.query.get_str("cursor").and_then(|c| c.parse().ok());
        let people = members::list(&visit.ctx, PageQuery::at(cursor)).await?;
        let asked = members::invitations(&visit.ctx, true, PageQuery { limit: INVITATIONS, cursor: None }).await?.data;
        let changes = visit.chrome.role.holds(Perm::MembersWrite);
        let owners = visit.chrome.role == Role::Owner || visit.chrome.platform_admin;
        let mailed = visit.ctx.core().settings.sends_mail;
        let made = use_context::<CreatedInvitation>().map(|made| view! { <Link made mailed/> }.into_any());
        let back = returned::<InviteForm>().unwrap_or_default();
        let form = changes.then(|| view! { <Invite back owners mailed/> }.into_any());
        let me = visit.chrome.email.clone();
        let body = view! {
            <div class="page__head"><PageTitle>"Members"</PageTitle></div>
            <div class="stack">
            {made}
            <div class="cols">
                <div class="stack">
                    <People people me first=cursor.map(|_| "/members".to_owned())/>
                    {(!asked.is_empty()).then(|| view! { <Asked asked changes/> }.into_any())}
                </div>
                {form}
            </div>
            </div>
        };
        Ok(Shown::new(Crumbs::section("Members"), body))
    })
}

/// The link of a new invitation: this answer is the only place where it stands.
#[component]
pub fn Link(
    /// The invitation with its link.
    made: CreatedInvitation,
    /// Whether it is mailed, too.
    mailed: bool,
) -> impl IntoView {
    let CreatedInvitation { invitation, accept_url } = made;
    let url = accept_url.unwrap_or_default();
    let title = if mailed { format!("{} is mailed a link", invitation.email) } else { format!("Send this link to {}", invitation.email) };
    let too = mailed.then_some("This one is for passing on yourself; joining by the mailed one shows that the address is theirs. ");
    view! {
        <section class="card card--flag" aria-labelledby="link-title">
            <div class="card__head"><h2 id="link-title">{title}</h2></div>
            <div class="card__body stack stack--3">
                <p class="small">
                    {too}"It is shown once and works once, until "<Time at=invitation.expires_at form=TimeForm::Full/>". Whoever holds it can join as "
                    {invitation.role.title().to_lowercase()}
                    ". To replace it, invite the address again."
                </p>
                <Code id="invitation-link" title="Invitation link" what="the link">
                    <pre tabindex="0" id="invitation-link" role="region" aria-label="Invitation link">{url}</pre>
                </Code>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn People(people: Page<Member>, me: String, first: Option<String>) -> impl IntoView {
    let count = people.data.len();
    let next = people.next_cursor.map(|c| href("/members", &[("cursor", Some(&c.to_string()))]));
    let rows = people.data.into_iter().map(|member| view! { <Person you=member.email == me member/> }.into_any()).collect_view();
    view! {
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <caption class="sr">"Members, those with the newest accounts first"</caption>
                <colgroup><col/><col class="c-112"/><col class="c-88 p2"/><col class="c-112 p2"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Member"</th>
                        <th scope="col" role="columnheader">"Role"</th>
                        <th scope="col" role="columnheader" class="num p2">"Keys"</th>
                        <th scope="col" role="columnheader" class="num p2">"Joined"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            <Pager count noun="member" newest=first older=next/>
        </div>
    }
    .into_any()
}

#[component]
fn Person(member: Member, you: bool) -> impl IntoView {
    let keys = counted(member.keys, "key");
    let state = if member.disabled {
        view! { <span class="badge badge--off"><Icon name=IconName::Pause small=true/>"Disabled"</span> }.into_any()
    } else {
        member.role.title().into_any()
    };
    view! {
        <tr role="row" class:is-off=member.disabled>
            <td role="cell" class="m-main">
                <a class="name cover" href=format!("/members/{}", member.id) title=member.email.clone()><span>{member.email.clone()}</span></a>
                {you.then_some(" (you)")}
                <span class="sub">{keys}</span>
            </td>
            <td role="cell" class="m-side">{state}</td>
            <td role="cell" class="num p2">{member.keys}</td>
            <td role="cell" class="num soft p2"><Time at=member.joined_at/></td>
        </tr>
    }
}

#[component]
fn Asked(asked: Vec<Invitation>, changes: bool) -> impl IntoView {
    let rows = asked.into_iter().map(|invitation| view! { <Waiting invitation changes/> }.into_any()).collect_view();
    view! {
        <section class="card" aria-labelledby="asked">
            <div class="card__head"><h2 id="asked">"Invitations"</h2></div>
            <ul class="rows rows--two">{rows}</ul>
        </section>
    }
    .into_any()
}

#[component]
fn Waiting(invitation: Invitation, changes: bool) -> impl IntoView {
    let until = if invitation.state == InvitationState::Expired { "expired " } else { "works until " };
    let withdraw = changes.then(|| {
        view! {
            <form class="push" method="post" action="/members"><InTenant/>
                <input type="hidden" name="id" value=invitation.id.to_string()/>
                <button class="btn btn--sm" type="submit" name="act" value="withdraw" aria-label=format!("Withdraw the invitation for {}", invitation.email)>
                    "Withdraw"
                </button>
            </form>
        }
        .into_any()
    });
    view! {
        <li>
            <Icon name=IconName::Mail/>
            <span class="anywhere">{invitation.email.clone()}</span>
            <span class="soft">{invitation.role.title()}</span>
            {withdraw}
            <span class="meta">"By "{invitation.created_by}", "{until}<Time at=invitation.expires_at form=TimeForm::Full/></span>
        </li>
    }
}

#[component]
fn Invite(back: Returned<InviteForm>, owners: bool, mailed: bool) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let how = if mailed { "They are mailed a link, and you get one to pass on." } else { "You get a link to pass on." };
    view! {
        <section class="card">
            <div class="card__head"><h2>"Invite somebody"</h2></div>
            <form class="card__body stack" method="post" action="/members" novalidate=true><InTenant/>
                <ErrorSummary errors=errors.clone() message/>
                <TextField name="email" label=|| "Email" kind="email" value=form.email error=error("email")/>
                <RoleField chosen=form.role.parse().unwrap_or(Role::Developer) owners error=error("role")/>
                <div class="row"><button class="btn btn--primary" type="submit" name="act" value="invite"><Icon name=IconName::Plus/>"Invite"</button></div>
                <p class="small soft">{how}" It works once, for 7 days."</p>
            </form>
        </section>
    }
    .into_any()
}

/// What a role may do, for those who choose one.
const fn role_words(role: Role) -> &'static str {
    match role {
        Role::Owner => "everything, other owners and deletion included",
        Role::Admin => "everything but owners and deletion",
        Role::Developer => "their own keys and their usage",
        Role::Security => "reads everything, exports, revokes, sets policies",
        Role::Support => "looks up and revokes leaked keys",
    }
}

/// A choice among the roles that the reader may give.
#[component]
pub fn RoleField(
    /// The role that is chosen.
    chosen: Role,
    /// Whether the reader makes owners.
    owners: bool,
    /// What is wrong.
    #[prop(optional_no_strip)]
    error: Option<String>,
) -> impl IntoView {
    let roles = Role::ALL.iter().filter(|role| owners || **role != Role::Owner);
    let options = roles
        .map(|role| {
            let (value, title, what) = (role.as_str(), role.title(), role_words(*role));
            view! { <RadioOption name="role" value checked=*role == chosen title what/> }.into_any()
        })
        .collect_view();
    view! {
        <fieldset class="field" id="role" tabindex="-1">
            <legend class="label">"Role"</legend>
            <div class="kinds">{options}</div>
            <FieldError name="role" message=error/>
        </fieldset>
    }
    .into_any()
}

/// What a page says after something was done.
#[component]
pub fn DoneNote(
    /// The words.
    text: &'static str,
) -> impl IntoView {
    view! { <Banner tone=Tone::Info><p role="status">{text}</p></Banner> }
}
