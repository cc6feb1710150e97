//! The list of OAuth apps.

use super::{kind_title, logo::shown, others::Others};
use crate::{
    actions::GrantForm,
    components::{AppMark, AppStateBadge, Banner, CopyId, Crumbs, ErrorSummary, Glyph, PageTitle, Pager, Time, TimeForm, Tone},
    icon::{Icon, IconName},
    pages::keys::Scopes,
    returned::returned,
    url::{app_href, href},
    visit::{Shown, framed},
};
use contract::{App, AppKind, AppState, Chrome, Environment, Page, PageQuery, Perm, ScopeSet};
use domain::oauth;
use leptos::prelude::*;

/// `/apps`
#[component]
pub fn AppList() -> impl IntoView {
    framed(|visit| async move {
        let cursor = visit.query.get_str("cursor").and_then(|c| c.parse().ok());
        let apps = oauth::list(&visit.ctx, PageQuery::at(cursor)).await?;
        let others_at = visit.query.get_str("others").and_then(|c| c.parse().ok());
        let first_others = others_at.is_none();
        let others = if cursor.is_none() { Some(oauth::elsewhere(&visit.ctx, PageQuery::at(others_at)).await?) } else { None };
        let may = visit.chrome.may(Perm::AppsRevoke);
        let back = returned::<GrantForm>();
        let deleted = visit.query.get_str("deleted").is_some();
        let revoked = back.is_none() && visit.query.get_str("done") == Some("revoked");
        let in_test = visit.chrome.prefs.environment == Environment::Test && !visit.chrome.sandbox;
        let chrome = visit.chrome;
        let none = apps.data.is_empty() && cursor.is_none();
        // An empty list offers that itself.
        let register = (!none).then(|| register_link(&chrome));
        let body = if none { view! { <FirstUse chrome/> }.into_any() } else { view! { <Apps apps first=cursor.is_none()/> }.into_any() };
        let view = view! {
            <div class="page__head">
                <PageTitle>"OAuth apps"</PageTitle>
                <div class="acts">{register}</div>
            </div>
            {back.map(|b| view! { <ErrorSummary errors=b.errors message=b.message/> }.into_any())}
            {deleted.then(|| view! { <Deleted/> }.into_any())}
            {revoked.then(|| view! { <Revoked/> }.into_any())}
            {in_test.then(|| view! { <NoTest/> }.into_any())}
            {body}
            {others.map(|grants| view! { <Others grants first=first_others may/> }.into_any())}
        };
        Ok(Shown::new(Crumbs::section("OAuth apps"), view))
    })
}

fn register_link(chrome: &Chrome) -> Option<AnyView> {
    chrome
        .may(Perm::AppsWrite)
        .then(|| view! { <a class="btn btn--primary" href="/apps/new"><Icon name=IconName::Plus/>"Register an app"</a> }.into_any())
}

#[component]
fn Deleted() -> impl IntoView {
    view! {
        <div class="note">
            <Banner tone=Tone::Info>
                <p role="status"><b>"The app is deleted."</b>" Its client id, its secrets and everything that people allowed it work no more."</p>
            </Banner>
        </div>
    }
}

/// Who has switched to test is told that these apps are not of it.
#[component]
fn NoTest() -> impl IntoView {
    view! {
        <div class="note">
            <Banner tone=Tone::Info>
                <p><b>"Apps work in live only."</b>" Their tokens are refused where test keys are asked for, and their requests stand in the live log."</p>
            </Banner>
        </div>
    }
}

#[component]
fn Revoked() -> impl IntoView {
    view! {
        <div class="note">
            <Banner tone=Tone::Info>
                <p role="status"><b>"The grant is revoked."</b>" Its tokens are refused. The person can allow the app again."</p>
            </Banner>
        </div>
    }
}

#[component]
fn Apps(apps: Page<App>, first: bool) -> impl IntoView {
    let count = apps.data.len();
    let older = apps.next_cursor.map(|c| href("/apps", &[("cursor", Some(&c.to_string()))]));
    let newest = (!first).then(|| "/apps".to_owned());
    let rows = apps.data.into_iter().map(|app| view! { <Row app/> }.into_any()).collect_view();
    view! {
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <caption class="sr">"OAuth apps, newest first"</caption>
                <colgroup>
                    <col/>
                    <col class="c-176 pk"/>
                    <col class="c-112 p2"/>
                    <col class="c-144"/>
                    <col class="c-160 p3"/>
                    <col class="c-112 p2"/>
                    <col class="c-112 p3"/>
                </colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Name"</th>
                        <th scope="col" role="columnheader" class="pk">"Client id"</th>
                        <th scope="col" role="columnheader" class="p2">"Kind"</th>
                        <th scope="col" role="columnheader">"State"</th>
                        <th scope="col" role="columnheader" class="p3">"Permissions"</th>
                        <th scope="col" role="columnheader" class="num p2">"Last used"</th>
                        <th scope="col" role="columnheader" class="num p3">"Created"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            <Pager count noun="app" newest older/>
        </div>
        <p class="small soft helprow">
            "For whoever writes an app: the "<a href="/.well-known/openid-configuration">"discovery document"</a>" and the "
            <a href="/.well-known/jwks.json">"signing keys"</a>" of this server."
        </p>
    }
    .into_any()
}

#[component]
fn Row(app: App) -> impl IntoView {
    let client_id = app.client_id.to_string();
    let needs_secret = app.needs_secret();
    // The ends tell ids apart: the start is the time.
    let short = format!("app_…{}", &client_id[client_id.len() - 8..]);
    let beside = match (app.kind, app.terms.redirect_uris.first()) {
        (AppKind::Machine, _) | (_, None) => kind_title(app.kind).to_owned(),
        (kind, Some(uri)) => format!("{} · {}", kind_title(kind), uri.host().unwrap_or("on the device")),
    };
    let used = |never: &'static str| app.last_used_at.map_or_else(|| never.into_any(), |at| view! { <Time at/> }.into_any());
    let (used, used_again) = (used("Never"), used("Never used"));
    let mark = match shown(&app) {
        logo @ Some(_) => view! { <AppMark name=app.name.clone() logo/> }.into_any(),
        None => view! { <Glyph id=app.id/> }.into_any(),
    };
    view! {
        <tr role="row" class:is-off=app.state == AppState::Suspended>
            <td role="cell" class="m-main">
                <a class="name cover" href=app_href(app.id) title=app.name.clone()>{mark}<span>{app.name.clone()}</span></a>
                <span class="sub">{beside}</span>
            </td>
            <td role="cell" class="pk"><CopyId text=short value=client_id what="client id"/></td>
            <td role="cell" class="soft p2">{kind_title(app.kind)}</td>
            <td role="cell" class="m-side"><AppStateBadge state=app.state needs_secret/><span class="sub">{used_again}</span></td>
            <td role="cell" class="p3"><Scopes scopes=ScopeSet(app.terms.scopes)/></td>
            <td role="cell" class="num soft p2">{used}</td>
            <td role="cell" class="num soft p3"><Time at=app.created_at form=TimeForm::Date/></td>
        </tr>
    }
    .into_any()
}

#[component]
fn FirstUse(chrome: Chrome) -> impl IntoView {
    let own = (!chrome.role.acts_on_all_keys()).then_some(" You see the apps that you register yourself.");
    let register = register_link(&chrome);
    view! {
        <div class="empty first-use">
            <div class="hero">
                <h2>"No OAuth apps yet"</h2>
                <p class="lead soft">
                    "An app is software that acts for people: they sign in here, see what it asks for, and allow it or not. It can act for itself, too. Register it to get a client id; servers get a secret with it."
                    {own}
                </p>
            </div>
            {register.map(|r| view! { <div class="row row--wrap">{r}</div> }.into_any())}
            <p class="small soft">
                "Clients that know OpenID Connect set themselves up from the "<a href="/.well-known/openid-configuration">"discovery document"</a>"."
            </p>
        </div>
    }
    .into_any()
}
