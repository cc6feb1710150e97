//! The page that creates a key. Its form is posted to its own address: refused, it comes back filled in; accepted,
//! the answer is the page that reveals the secret.

use super::{form::KeyFields, reveal::revealed};
use crate::{
    components::{Crumbs, PageTitle},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{CreatedKey, Environment, FormId, KeyForm, Perm};
use domain::{keys, tenants};
use leptos::prelude::*;

/// `/keys/new`
#[component]
pub fn NewKey() -> impl IntoView {
    framed(|visit| async move {
        if let Some(made) = use_context::<CreatedKey>() {
            return Ok(revealed(made, visit.chrome));
        }
        visit.ctx.require(Perm::KeysWrite)?;
        let catalogue = keys::catalogue(&visit.ctx).await?;
        let rules = tenants::key_rules(&visit.ctx).await?;
        let now = visit.ctx.now();
        let chrome = visit.chrome;
        let mut back = returned::<KeyForm>().unwrap_or_else(|| Returned {
            form: KeyForm { environment: chrome.prefs.environment.to_string(), ..KeyForm::default() }
                .expiring_within(rules.max_lifetime_days, now),
            ..Returned::default()
        });
        if chrome.sandbox {
            back.form.environment = Environment::Test.to_string();
        }
        // A form that was refused has not been used: it keeps its id.
        if back.form.form_id.is_empty() {
            back.form.form_id = use_context::<FormId>().map(|id| id.to_string()).unwrap_or_default();
        }
        let body = view! {
            <div class="page__head"><PageTitle>"Create key"</PageTitle></div>
            <KeyFields chrome catalogue rules back/>
        };
        Ok(Shown::new(Crumbs::keys("Create key"), body))
    })
}
