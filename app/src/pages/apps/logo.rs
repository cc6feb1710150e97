//! The page that gives an app a logo, or takes it away.

use crate::{
    actions::LogoForm,
    components::{AppMark, Crumbs, ErrorSummary, FieldError, InTenant, PageTitle, described_by},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    url::app_href,
    visit::{Shown, framed},
};
use contract::{App, AppState, Perm};
use domain::oauth;
use leptos::prelude::*;

/// `/apps/:id/logo`
#[component]
pub fn AppLogo() -> impl IntoView {
    framed(|visit| async move {
        let app = oauth::get(&visit.ctx, Perm::AppsRead, visit.id()?).await?;
        visit.ctx.require_tenant_level(Perm::AppsWrite)?;
        let crumbs = Crumbs::of_app(&app, "Logo").titled(format!("Logo of {}", app.name));
        let back = returned::<LogoForm>().unwrap_or_default();
        Ok(Shown::new(crumbs, view! { <Form app back/> }))
    })
}

#[component]
fn Form(app: App, back: Returned<LogoForm>) -> impl IntoView {
    let Returned { errors, message, .. } = back;
    let (action, error) = (format!("{}/logo", app_href(app.id)), errors.get("logo").map(str::to_owned));
    let bad = error.is_some();
    let has = app.logo_url.is_some();
    let now = match (has, app.state) {
        (true, AppState::Suspended) => "It has a logo. While the app is suspended nobody is shown it.",
        (true, AppState::Active) => "This is its logo now.",
        (false, _) => "It has none: people see the first letter of its name.",
    };
    let remove = has.then(|| {
        view! {
            <form method="post" action=action.clone() enctype="multipart/form-data"><InTenant/>
                <button class="btn btn--danger" type="submit" name="act" value="remove"><Icon name=IconName::Trash2/>"Remove logo"</button>
            </form>
        }
        .into_any()
    });
    view! {
        <div class="page__head"><PageTitle>{format!("Logo of {}", app.name)}</PageTitle></div>
        <ErrorSummary errors=errors.clone() message/>
        <div class="stack narrow">
            <p class="small soft">"People see it when they are asked to allow the app, and among what they allowed."</p>
            <section class="card">
                <div class="card__body stack">
                    <div class="row row--wrap">
                        <AppMark name=app.name.clone() logo=shown(&app) large=true/>
                        <span class="small soft">{now}</span>
                        <div class="push">{remove}</div>
                    </div>
                    <form class="stack" method="post" action=action enctype="multipart/form-data" novalidate=true data-once=""><InTenant/>
                        <div class="field">
                            <label class="label" for="logo">{if has { "Another picture" } else { "Picture" }}</label>
                            <input
                                class="input input--file"
                                type="file"
                                id="logo"
                                name="logo"
                                accept="image/png,image/jpeg,image/webp"
                                aria-invalid=bad.then_some("true")
                                aria-describedby=described_by("logo", true, bad)
                            />
                            <FieldError name="logo" message=error/>
                            <p class="hint" id="logo-hint">"PNG, JPEG or WebP, at most 256 kB. It is drawn anew as a square of 128 pixels; square pictures fill it."</p>
                        </div>
                        <div class="row row--wrap">
                            <button class="btn btn--primary" type="submit" name="act" value="set">"Save logo"</button>
                            <a class="btn btn--quiet" href=app_href(app.id)>"Cancel"</a>
                        </div>
                    </form>
                </div>
            </section>
        </div>
    }
    .into_any()
}

/// The logo that pages may show: the server gives out none of an app that is suspended.
pub(super) fn shown(app: &App) -> Option<String> {
    app.logo_url.clone().filter(|_| app.state == AppState::Active)
}
