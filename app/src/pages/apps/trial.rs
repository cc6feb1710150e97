//! `/apps/{id}/try`: the whole way of a sign-in, or of an app's own token, carried out and told step by step.

mod steps;

use self::steps::Way;
use crate::{
    actions::TryForm,
    components::{Banner, Crumbs, ErrorSummary, FieldError, Glyph, InTenant, PageTitle, Tone, described_by},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    ssr::Browser,
    url::{app_href, try_href},
    visit::{Shown, framed},
};
use contract::{App, AppState, GrantType, Perm, Scope};
use domain::{
    Error,
    oauth::{self, Report},
};
use leptos::prelude::*;

/// `/apps/:id/try`
#[component]
pub fn TryPage() -> impl IntoView {
    framed(|visit| async move {
        let app = oauth::get(&visit.ctx, Perm::AppsWrite, visit.id()?).await?;
        let browser = Browser::current().map_err(|e| Error::internal(e.0.message))?;
        let crumbs = Crumbs::of_app(&app, "Try it").titled(format!("Try {}", app.name));
        if app.state == AppState::Suspended {
            return Ok(Shown::new(crumbs, view! { <Suspended app/> }));
        }
        let away = |problem: contract::Problem| Error::unavailable(problem.message);
        let now = visit.ctx.now();
        let waiting = browser.trial(&visit.ctx).await.map_err(away)?.filter(|t| t.app == app.id && !t.is_late(now));
        let report = browser.tried(&visit.ctx).await.map_err(away)?.filter(|r| r.app == app.id && waiting.is_none());
        let next = waiting.map(|trial| trial.path(visit.ctx.core()));
        let back = returned::<TryForm>();
        let stopped = back.is_none() && report.is_none() && visit.query.get_str("done") == Some("stopped");
        let public_url = visit.chrome.public_url;
        let shown = view! { <Panel app next report stopped back=back.unwrap_or_default() public_url/> };
        Ok(Shown::new(crumbs, shown))
    })
}

#[component]
fn Suspended(app: App) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <p class="row small warn"><Icon name=IconName::Pause/>"Suspended"</p>
                <PageTitle>{format!("{} cannot be tried", app.name)}</PageTitle>
                <p class="lead soft">"The app is suspended: nobody can sign in to it, and it gets no tokens. Resume it, then try it."</p>
            </div>
            <a class="btn btn--primary" href=app_href(app.id)>"Go to the app"</a>
        </div>
    }
}

#[component]
fn Panel(
    app: App,
    /// Where the trial that waits goes on.
    next: Option<String>,
    report: Option<Report>,
    stopped: bool,
    back: Returned<TryForm>,
    public_url: String,
) -> impl IntoView {
    let people = app.terms.grant_types.contains(&GrantType::AuthorizationCode);
    let lead = if people {
        "Goes the way that people go who sign in to this app: a real request, the real page that asks, real tokens. Its answer comes back to this page instead of the app."
    } else {
        "Asks for a token of the app’s own, as its program does, and shows what it is good for."
    };
    let Returned { form, errors, message } = back;
    let chosen = |scope: &Scope| form.act.is_empty() || form.scopes.iter().any(|s| s == scope.as_str());
    let offered = app.terms.scopes.iter().filter(|s| people || !s.is_built_in());
    let boxes = offered.map(|s| view! { <Pick name=s.to_string() chosen=chosen(s)/> }.into_any()).collect_view();
    let invalid = errors.get("scopes").map(str::to_owned);
    let described = described_by("scopes", false, invalid.is_some());
    let again = report.is_some();
    let outcome = report.as_ref().map(|report| view! { <Outcome good=report.is_good() report=report.clone()/> }.into_any());
    let waiting = next.is_some();
    let first = next.map(|next| view! { <Waiting app=app.clone() next/> }.into_any());
    view! {
        <div class="page__head page__head--key">
            <div class="stack stack--1">
                <div class="row row--wrap"><Glyph id=app.id large=true/><PageTitle>{format!("Try {}", app.name)}</PageTitle></div>
                <p class="soft measure">{lead}</p>
            </div>
        </div>
        <ErrorSummary errors message/>
        {stopped.then(|| view! { <div class="note"><Banner tone=Tone::Info><p role="status">"Stopped. Nothing was issued."</p></Banner></div> }.into_any())}
        {outcome}
        {first}
        <div class="cols">
            <Way app=app.clone() people report waiting public_url/>
            <div class="stack">
                <section class="card">
                    <div class="card__head"><h2>"What it asks for"</h2></div>
                    <form class="card__body stack stack--3" method="post" action=try_href(app.id) novalidate=true data-once=""><InTenant/>
                        <fieldset class="stack stack--2" id="scopes" tabindex="-1" aria-describedby=described>
                            <legend class="sr">"Permissions"</legend>
                            {boxes}
                            <FieldError name="scopes" message=invalid/>
                        </fieldset>
                        <button class="btn btn--primary btn--full" type="submit" name="act" value="begin">
                            <Icon name=IconName::Play/>{if again { "Try it again" } else { "Try it" }}
                        </button>
                    </form>
                </section>
                <About people/>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Pick(name: String, chosen: bool) -> impl IntoView {
    view! {
        <label class="opt">
            <input class="check" type="checkbox" name="scopes" value=name.clone() checked=chosen/>
            <code class="anywhere">{name}</code>
        </label>
    }
}

/// What a trial is, and what it is not.
#[component]
fn About(people: bool) -> impl IntoView {
    let address = people.then(|| {
        view! { <li><Icon name=IconName::Link/><span>"Your redirect URIs: the answer goes to this server."</span></li> }.into_any()
    });
    let stays = if people {
        "Tokens work for five minutes at most, and end with the trial. What you allowed the app before stays as it is."
    } else {
        "The token works for five minutes at most, and ends with the trial."
    };
    view! {
        <section class="card">
            <div class="card__head"><h2>"What it does not test"</h2></div>
            <ul class="card__body stack stack--3 small soft points">
                <li><Icon name=IconName::Lock/><span>"The secret or key that your program proves itself with: this server vouches for the app."</span></li>
                {address}
            </ul>
            <p class="card__foot small soft"><span>{stays}" The audit log names who tried the app."</span></p>
        </section>
    }
}

/// A trial that was begun, and not answered yet.
#[component]
fn Waiting(app: App, next: String) -> impl IntoView {
    view! {
        <div class="note">
            <Banner tone=Tone::Info>
                <p><b>"A trial is waiting for your answer."</b>" It waits for ten minutes."</p>
                <form class="row row--wrap waiting" method="post" action=try_href(app.id)><InTenant/>
                    <a class="btn btn--sm" href=next>"Go on"</a>
                    <button class="btn btn--quiet btn--sm" type="submit" name="act" value="stop">"Stop"</button>
                </form>
            </Banner>
        </div>
    }
}

/// How it went, in one line.
#[component]
fn Outcome(good: bool, report: Report) -> impl IntoView {
    let denied = report.answered.as_ref().and_then(|a| a.result.as_ref().err()).map(|f| f.code.clone());
    let (tone, said, more) = match (good, denied.as_deref()) {
        (true, _) => (Tone::Info, "It works.", "Each step was carried out for real, and everything that came of it has ended."),
        (_, Some("access_denied")) => (Tone::Warn, "You said no.", "The app is told so, and gets nothing."),
        (_, Some("expired")) => (Tone::Warn, "That took too long.", "The answer was left unused, and what came of it has ended."),
        _ => (Tone::Danger, "It does not work.", "The step that failed says why. Whatever came of the others has ended."),
    };
    view! { <div class="note"><Banner tone><p role="status"><b>{said}</b>" "{more}</p></Banner></div> }
}
