//! The page that changes an app.

use super::form::AppFields;
use crate::{
    components::{Crumbs, PageTitle},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{AppForm, Perm};
use domain::{keys, oauth};
use leptos::prelude::*;

/// `/apps/:id/edit`
#[component]
pub fn AppEdit() -> impl IntoView {
    framed(|visit| async move {
        let app = oauth::get(&visit.ctx, Perm::AppsRead, visit.id()?).await?;
        visit.ctx.require_tenant_level(Perm::AppsWrite)?;
        let catalogue = keys::catalogue(&visit.ctx).await?;
        let back = returned::<AppForm>().unwrap_or_else(|| Returned {
            form: AppForm { seen: Some(oauth::fingerprint(&app)), ..AppForm::of(&app) },
            ..Returned::default()
        });
        let longest = oauth::longest_refresh(&visit.ctx).await?;
        let chrome = visit.chrome;
        let title = format!("Edit {}", app.name);
        let crumbs = Crumbs::of_app(&app, "Edit").titled(title.clone());
        let body = view! {
            <div class="page__head"><PageTitle>{title}</PageTitle></div>
            <AppFields chrome catalogue back longest editing=Some(app)/>
        };
        Ok(Shown::new(crumbs, body))
    })
}
