//! The page that gives an app another secret.

use super::reveal::rotated;
use crate::{
    components::{Banner, Crumbs, ErrorSummary, FieldError, Glyph, InTenant, PageTitle, Time, TimeForm, Tone, described_by},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    url::app_href,
    visit::{Shown, framed},
};
use contract::{App, CreatedApp, Perm, RotateForm};
use domain::oauth;
use leptos::prelude::*;

/// `/apps/:id/rotate`
#[component]
pub fn AppRotate() -> impl IntoView {
    framed(|visit| async move {
        if let Some(made) = use_context::<CreatedApp>() {
            let overlap = use_context::<RotateForm>().and_then(|f| f.overlap()).unwrap_or(0);
            return Ok(rotated(made, visit.chrome, visit.ctx.now().plus(overlap * 1000), overlap > 0));
        }
        let app = oauth::get(&visit.ctx, Perm::AppsRead, visit.id()?).await?;
        visit.ctx.require_tenant_level(Perm::AppsWrite)?;
        let crumbs = Crumbs::of_app(&app, "Rotate secret").titled(format!("Rotate the secret of {}", app.name));
        if !app.kind.has_secret() {
            return Ok(Shown::new(crumbs, view! { <NoSecret app/> }));
        }
        let back = returned::<RotateForm>().unwrap_or_default();
        Ok(Shown::new(crumbs, view! { <Rotate app back/> }))
    })
}

#[component]
fn Rotate(app: App, back: Returned<RotateForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let chosen = form.overlap().unwrap_or(86_400);
    let bad = errors.get("grace").is_some();
    let overlaps = RotateForm::OVERLAPS.map(|(seconds, label)| {
        view! {
            <label>
                <input type="radio" name="grace" value=seconds.to_string() checked=seconds == chosen autofocus=seconds == chosen/>
                {label}
            </label>
        }
        .into_any()
    });
    let current = app.secrets.iter().find(|s| s.expires_at.is_none());
    let overlapping = app.secrets.iter().any(|s| s.expires_at.is_some());
    let replaced = current.map(|s| {
        let (ends, at) = (format!("…{}", s.last_four), s.created_at);
        view! { "A new secret replaces "<code>{ends}</code>", made "<Time at form=TimeForm::Date/>". Client id and grants stay." }
            .into_any()
    });
    let replaced =
        replaced.unwrap_or_else(|| "None of its secrets is current: the last one was ended. Client id and grants stay.".into_any());
    let secret = current.map(|s| s.id.to_string()).unwrap_or_default();
    view! {
        <form class="card dialog dialog--page" method="post" action=format!("{}/rotate", app_href(app.id)) novalidate=true data-once=""><InTenant/>
            <div class="dialog__head">
                <Glyph id=app.id large=true/>
                <PageTitle>{format!("Rotate the secret of {}", app.name)}</PageTitle>
            </div>
            <div class="dialog__body">
                <ErrorSummary errors=errors.clone() message/>
                <p class="soft">{replaced}</p>
                {overlapping.then(|| {
                    view! {
                        <Banner tone=Tone::Warn>
                            <p><b>"An earlier rotation is still under way."</b></p>
                            <p class="soft">"Its old secret keeps its own end, or gets the new one if that comes sooner."</p>
                        </Banner>
                    }.into_any()
                })}
                <input type="hidden" name="secret" value=secret/>
                <fieldset class="field" id="grace" tabindex="-1" aria-describedby=described_by("grace", true, bad)>
                    <legend class="label">"Overlap"</legend>
                    <div class="seg seg--scroll full-sm">{overlaps.into_iter().collect_view()}</div>
                    <FieldError name="grace" message=errors.get("grace").map(str::to_owned)/>
                    <p class="hint" id="grace-hint">"For this long both secrets work, so that the app’s servers can change over one by one."</p>
                </fieldset>
                <p class="only-no-overlap row row--top small warn">
                    <Icon name=IconName::TriangleAlert/>
                    <span>"The old secret is refused at once, within a second. Choose this when it has leaked."</span>
                </p>
            </div>
            <div class="dialog__foot">
                <a class="btn btn--quiet" href=app_href(app.id)>"Cancel"</a>
                <button class="btn btn--primary" type="submit">"Rotate secret"</button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn NoSecret(app: App) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <PageTitle>{format!("{} has no secret", app.name)}</PageTitle>
                <p class="lead soft">"It is a public app: PKCE takes the secret’s place, and there is nothing to rotate."</p>
            </div>
            <div class="row"><a class="btn btn--primary" href=app_href(app.id)>"Go to the app"</a></div>
        </div>
    }
}
