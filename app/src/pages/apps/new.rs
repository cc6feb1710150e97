//! The page that registers an app. Its form is posted to its own address: refused, it comes back filled in; accepted, the
//! answer is the page that reveals the secret.

use super::{form::AppFields, reveal::revealed};
use crate::{
    components::{Crumbs, PageTitle},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{AppForm, CreatedApp, FormId, Perm};
use domain::{keys, oauth};
use leptos::prelude::*;

/// `/apps/new`
#[component]
pub fn NewApp() -> impl IntoView {
    framed(|visit| async move {
        if let Some(made) = use_context::<CreatedApp>() {
            return Ok(revealed(made, visit.chrome));
        }
        visit.ctx.require_tenant_level(Perm::AppsWrite)?;
        let catalogue = keys::catalogue(&visit.ctx).await?;
        let longest = oauth::longest_refresh(&visit.ctx).await?;
        let preset = || Returned { form: AppForm::preset().refreshing_within(longest), ..Returned::default() };
        let mut back = returned::<AppForm>().unwrap_or_else(preset);
        // A form that was refused has not been used: it keeps its id.
        if back.form.form_id.is_empty() {
            back.form.form_id = use_context::<FormId>().map(|id| id.to_string()).unwrap_or_default();
        }
        let chrome = visit.chrome;
        let body = view! {
            <div class="page__head"><PageTitle>"Register an app"</PageTitle></div>
            <AppFields chrome catalogue back longest/>
        };
        Ok(Shown::new(Crumbs::apps("Register an app"), body))
    })
}
