//! One app: what it is, who allowed it what, and what can be done with it.

use super::{
    Allowed, Endpoints,
    facts::{Facts, Registration, Secrets},
    kind_title,
    logo::shown,
    used::{Log, Used, log},
};
use crate::{
    actions::AppAct,
    components::{
        AppMark, AppStateBadge, Banner, ConfirmField, CopyId, Crumbs, ErrorSummary, Glyph, InTenant, PageTitle, Pager, ReasonField, Time,
        TimeForm, Tone,
    },
    icon::{Icon, IconName},
    pages::keys::History,
    returned::{Returned, returned},
    url::{app_href, href, try_href},
    visit::{Shown, framed},
};
use contract::{App, AppId, AppState, AuditEvent, AuditFilter, FieldErrors, GrantSeen, Page, PageQuery, Perm};
use domain::{audit, oauth};
use leptos::prelude::*;

/// `/apps/:id`
#[component]
pub fn AppDetail() -> impl IntoView {
    framed(|visit| async move {
        let app = oauth::get(&visit.ctx, Perm::AppsRead, visit.id()?).await?;
        let may = May { write: visit.chrome.may(Perm::AppsWrite), revoke: visit.chrome.may(Perm::AppsRevoke) };
        let cursor = visit.query.get_str("cursor").and_then(|c| c.parse().ok());
        let grants = oauth::of_app(&visit.ctx, app.id, PageQuery::at(cursor)).await?;
        // What the role may not see is not asked for, and has no card.
        let history = if visit.chrome.role.holds(Perm::AuditRead) {
            let filter = AuditFilter { target_id: Some(app.id.to_string()) };
            Some(audit::list(&visit.ctx, &filter, PageQuery::default()).await?)
        } else {
            None
        };
        let log = if visit.chrome.role.holds(Perm::UsageRead) { Some(log(&visit.ctx, app.id).await?) } else { None };
        let back = returned::<AppAct>();
        let done = visit.query.get_str("done").filter(|_| back.is_none()).and_then(|done| done_words(&app, done));
        let public_url = visit.chrome.public_url;
        let crumbs = Crumbs::apps(&app.name);
        let shown = view! { <Detail app may grants first=cursor.is_none() log history done back=back.unwrap_or_default() public_url/> };
        Ok(Shown::new(crumbs, shown))
    })
}

/// What the role may do with the app.
#[derive(Clone, Copy)]
struct May {
    write: bool,
    revoke: bool,
}

/// What was just done, if the app still looks like it.
fn done_words(app: &App, done: &str) -> Option<(&'static str, &'static str)> {
    Some(match (done, app.state) {
        ("registered", _) => ("The app is registered.", "It has no secret: its client id is all that it needs."),
        ("logo", _) if app.logo_url.is_some() => ("The logo is saved.", "Who is asked to allow the app sees it from now on."),
        ("logo", _) => ("The logo is removed.", "People see the first letter of the app’s name."),
        ("saved", _) => ("The changes are saved.", "They hold from the next request on."),
        ("suspended", AppState::Suspended) => ("The app is suspended.", "Nothing of it works until it is resumed."),
        ("resumed", AppState::Active) => {
            ("The app is in use again.", "What people allowed it works again. Tokens that it got for itself have ended: it gets new ones.")
        }
        ("revoked", _) => ("The grant is revoked.", "Its tokens are refused. The person can allow the app again."),
        _ => return None,
    })
}

#[component]
fn Detail(
    app: App,
    may: May,
    grants: Page<GrantSeen>,
    first: bool,
    log: Option<Log>,
    history: Option<Page<AuditEvent>>,
    done: Option<(&'static str, &'static str)>,
    back: Returned<AppAct>,
    public_url: String,
) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let used = match app.last_used_at {
        Some(at) => view! { <span>"Used "<Time at/></span> }.into_any(),
        None => view! { <span>"Never used"</span> }.into_any(),
    };
    let (id, name, suspended, redirects) = (app.id, app.name.clone(), app.state == AppState::Suspended, app.kind.redirects());
    let has_secret = app.kind.has_secret();
    let mark = match shown(&app) {
        logo @ Some(_) => view! { <AppMark name=name.clone() logo/> }.into_any(),
        None => view! { <Glyph id large=true/> }.into_any(),
    };
    let ends = may.revoke.then(|| {
        let suspend = (!suspended).then(|| view! { <Suspend id reason=form.reason errors=errors.clone()/> }.into_any());
        let name = name.clone();
        let delete = may.write.then(|| view! { <Delete id name confirm=form.confirm errors=errors.clone()/> }.into_any());
        view! { <div class="stack">{suspend}{delete}</div> }.into_any()
    });
    view! {
        <div class="page__head page__head--key">
            <div class="stack stack--1">
                <div class="row row--wrap">
                    {mark}
                    <PageTitle>{name}</PageTitle>
                    <AppStateBadge state=app.state needs_secret=app.needs_secret()/>
                </div>
                <div class="row row--wrap small soft headmeta">
                    <CopyId text=app.client_id.to_string() what="client id"/>
                    <span>{format!("{} app", kind_title(app.kind))}</span>
                    {used}
                </div>
            </div>
            {may.write.then(|| view! { <Actions app=app.clone()/> }.into_any())}
        </div>
        <ErrorSummary errors=errors.clone() message/>
        {done.map(|(said, more)| view! { <div class="note"><Banner tone=Tone::Info><p role="status"><b>{said}</b>" "{more}</p></Banner></div> }.into_any())}
        {suspended.then(|| view! { <Suspended/> }.into_any())}
        <div class="cols cols--last">
            <div class="stack">
                <Registration app=app.clone() may_edit=may.write/>
                {log.map(|log| view! { <Used id log/> }.into_any())}
                {redirects.then(|| view! { <Grants id grants first may=may.revoke/> }.into_any())}
            </div>
            <div class="stack">
                {has_secret.then(|| view! { <Secrets secrets=app.secrets.clone()/> }.into_any())}
                <Endpoints public_url redirects/>
                {history.map(|page| view! { <History page/> }.into_any())}
                <Facts app/>
            </div>
            {ends}
        </div>
    }
    .into_any()
}

#[component]
fn Suspended() -> impl IntoView {
    view! {
        <div class="note">
            <Banner tone=Tone::Warn>
                <p><b>"This app is suspended."</b>" Its tokens, codes and secrets are refused, and nobody can allow it anything. What people allowed it is kept."</p>
            </Banner>
        </div>
    }
}

/// What can be done with the app, by whom may do it.
#[component]
fn Actions(app: App) -> impl IntoView {
    let page = app_href(app.id);
    let rotate = app
        .kind
        .has_secret()
        .then(|| view! { <a class="btn" href=format!("{page}/rotate")><Icon name=IconName::RefreshCw/>"Rotate secret"</a> }.into_any());
    let tries = (app.state == AppState::Active)
        .then(|| view! { <a class="btn" href=try_href(app.id)><Icon name=IconName::Play/>"Try it"</a> }.into_any());
    let resume = (app.state == AppState::Suspended).then(|| {
        view! {
            <form method="post" action=page.clone()><InTenant/>
                <button class="btn btn--primary" type="submit" name="act" value="resume"><Icon name=IconName::Play/>"Resume"</button>
            </form>
        }
        .into_any()
    });
    view! {
        <div class="acts">
            {tries}
            <a class="btn" href=format!("{page}/edit")><Icon name=IconName::Pencil/>"Edit"</a>
            {rotate}
            {resume}
        </div>
    }
    .into_any()
}

/// What members of this tenant allowed it.
#[component]
fn Grants(id: AppId, grants: Page<GrantSeen>, first: bool, may: bool) -> impl IntoView {
    let count = grants.data.len();
    let body = if count == 0 && first {
        view! {
            <div class="card__body">
                <p class="small soft">"Nobody in this tenant has allowed it anything yet. Who does stands here, with what they allowed."</p>
            </div>
        }
        .into_any()
    } else {
        let page = app_href(id);
        let older = grants.next_cursor.map(|c| href(&page, &[("cursor", Some(&c.to_string()))]));
        let newest = (!first).then(|| page.clone());
        let rows = grants.data.into_iter().map(|grant| view! { <Grant action=page.clone() grant may/> }.into_any()).collect_view();
        view! {
            <ul class="rows rows--two">{rows}</ul>
            <Pager count noun="grant" newest older/>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="grants">
            <div class="card__head"><h2 id="grants">"Grants"</h2><span class="meta">"what members of this tenant allowed it"</span></div>
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn Grant(action: String, grant: GrantSeen, may: bool) -> impl IntoView {
    let who = grant.user.clone();
    let revoke = may.then(|| {
        view! {
            <form class="push" method="post" action=action><InTenant/>
                <input type="hidden" name="grant" value=grant.id.to_string()/>
                <button class="btn btn--sm" type="submit" name="act" value="revoke" aria-label=format!("Revoke the grant of {who}")>"Revoke"</button>
            </form>
        }
        .into_any()
    });
    view! {
        <li>
            <span class="anywhere">{grant.user.clone()}</span>
            {revoke}
            <Allowed grant=grant.clone()/>
            <Since grant/>
        </li>
    }
}

/// Since when it was allowed, and when the app last made use of it.
#[component]
pub fn Since(
    /// The grant.
    grant: GrantSeen,
) -> impl IntoView {
    let changed =
        (grant.updated_at != grant.created_at).then(|| view! { ", changed "<Time at=grant.updated_at form=TimeForm::Date/> }.into_any());
    let last = match grant.last_used_at {
        Some(at) => view! { ", last refreshed "<Time at/> }.into_any(),
        None => ", never refreshed".into_any(),
    };
    view! { <span class="meta">"Since "<Time at=grant.created_at form=TimeForm::Full/>{changed}{last}</span> }
}

#[component]
fn Suspend(id: AppId, reason: String, errors: FieldErrors) -> impl IntoView {
    view! {
        <section class="card">
            <div class="card__head"><h2>"Suspend"</h2></div>
            <form class="card__body stack stack--3" method="post" action=app_href(id) novalidate=true><InTenant/>
                <p class="small soft">"Its tokens, codes and secrets are refused within a second, until you resume it. What people allowed it is kept."</p>
                <ReasonField value=reason error=errors.get("reason").map(str::to_owned)/>
                <div class="row"><button class="btn btn--danger" type="submit" name="act" value="suspend"><Icon name=IconName::Pause/>"Suspend app"</button></div>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Delete(id: AppId, name: String, confirm: String, errors: FieldErrors) -> impl IntoView {
    view! {
        <section class="card card--bad">
            <div class="card__head"><h2>"Delete this app"</h2></div>
            <form class="card__body stack" method="post" action=app_href(id) novalidate=true><InTenant/>
                <p class="small soft">"Everything that people allowed it ends within a second, and its client id never works again. This cannot be undone; to stop it for a while, suspend it."</p>
                <ConfirmField phrase=name value=confirm error=errors.get("confirm").map(str::to_owned)/>
                <div class="row"><button class="btn btn--destroy" type="submit" name="act" value="delete"><Icon name=IconName::Trash2/>"Delete app"</button></div>
            </form>
        </section>
    }
    .into_any()
}
