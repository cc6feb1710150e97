//! The page that creates a key. Its form is posted to its own address: refused, it comes back filled in; accepted,
//! the answer is the page that reveals the secret.

use super::form::CreateForm;
#[cfg(feature = "ssr")]
use super::reveal::Reveal;
use crate::{
    actions,
    ask::{ask_once, shared},
    components::{Crumbs, Here, Main, PageTitle, ProblemView, loading, use_chrome, wait},
    returned::{Returned, returned},
};
use contract::{Environment, ErrorCode, FormId, KeyForm, Perm, Problem};
use leptos::prelude::*;

/// `/keys/new`
#[component]
pub fn NewKey() -> impl IntoView {
    // Before anything is serialised: the page with a secret must carry no data for hydration.
    #[cfg(feature = "ssr")]
    if let Some(made) = use_context::<contract::CreatedKey>() {
        return view! { <Reveal made/> }.into_any();
    }
    let back = returned::<KeyForm>();
    let form_id = shared(form_id);
    let chrome = use_chrome();
    let catalogue = ask_once(actions::list_catalogue);
    let content = async move {
        let chrome = match chrome.load().await {
            Ok(chrome) if chrome.role.holds(Perm::KeysWrite) => chrome,
            Ok(_) => {
                let problem = Problem::missing_scope(&Perm::KeysWrite.scope()).message("Your role may not create keys");
                return view! { <ProblemView problem/> }.into_any();
            }
            Err(e) => return view! { <ProblemView problem=e.0/> }.into_any(),
        };
        let catalogue = match catalogue.await {
            Ok(catalogue) => catalogue,
            Err(e) if e.code() == ErrorCode::Unauthorized => return view! { <ProblemView problem=e.0/> }.into_any(),
            // Permissions can still be typed.
            Err(_) => Vec::new(),
        };
        let mut back = back.unwrap_or_else(|| Returned {
            form: KeyForm { environment: chrome.prefs.environment.to_string(), ..KeyForm::default() },
            ..Returned::default()
        });
        if chrome.sandbox {
            back.form.environment = Environment::Test.to_string();
        }
        // A form that was refused has not been used: it keeps its id.
        if back.form.form_id.is_empty() {
            back.form.form_id = form_id;
        }
        view! {
            <div class="page__head"><PageTitle>"Create key"</PageTitle></div>
            <CreateForm chrome catalogue back/>
        }
        .into_any()
    };
    view! {
        <Main crumbs=Crumbs::key(Here::Text("Create key"))>
            {wait(loading, content)}
        </Main>
    }
    .into_any()
}

/// The server's single-use id for this form; a browser that came here without a reload makes its own.
fn form_id() -> String {
    use_context::<FormId>().map_or_else(made_here, |id| id.to_string())
}

#[cfg(feature = "hydrate")]
fn made_here() -> String {
    crate::browser::form_id()
}

#[cfg(not(feature = "hydrate"))]
const fn made_here() -> String {
    String::new()
}
