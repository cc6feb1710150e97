//! The page that gives an app another secret.

use super::reveal::rotated;
use crate::{
    components::{Crumbs, PageTitle, Replaced, RotateDialog, Time, TimeForm},
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
            return Ok(rotated(made, visit.chrome, &Replaced::posted(visit.ctx.now())));
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
    let title = format!("Rotate the secret of {}", app.name);
    view! {
        <RotateDialog
            id=app.id
            page=app_href(app.id)
            title
            back
            secret
            overlapping
            hint="For this long both secrets work, so that the app’s servers can change over one by one."
            send="Rotate secret"
        >
            {replaced}
        </RotateDialog>
    }
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
