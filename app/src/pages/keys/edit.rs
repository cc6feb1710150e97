//! The page that changes a key, and says before it does what the change would break.

use super::{callers::Callers, form::KeyFields};
use crate::{
    components::{Banner, Crumbs, PageTitle, Time, Tone},
    numbers::{counted, thousands},
    returned::{Returned, returned},
    ssr::answer_with,
    url::key_href,
    visit::{Shown, framed},
};
use contract::{ApiKey, Change, KeyForm, KeyState, Perm, Problem};
use domain::{
    Error,
    keys::{self, EditImpact},
    tenants,
};
use leptos::prelude::*;

/// A form that was sent to see what it would break, not to save it.
#[derive(Clone)]
pub struct PreviewOfEdit(pub KeyForm);

/// `/keys/:id/edit`
#[component]
pub fn KeyEdit() -> impl IntoView {
    framed(|visit| async move {
        let key = keys::get(&visit.ctx, visit.id()?).await?;
        visit.ctx.require(Perm::KeysWrite)?;
        let crumbs = Crumbs::of_key(&key, "Edit").titled(format!("Edit {}", key.name));
        if key.state == KeyState::Revoked {
            return Ok(Shown::new(crumbs, view! { <Gone key/> }));
        }
        let catalogue = keys::catalogue(&visit.ctx).await?;
        let rules = tenants::key_rules(&visit.ctx).await?;
        let asked = use_context::<PreviewOfEdit>().map(|p| p.0);
        let mut back = returned::<KeyForm>().unwrap_or_else(|| Returned {
            form: KeyForm { seen: Some(keys::fingerprint(&key)), ..KeyForm::of(&key) },
            ..Returned::default()
        });
        let mut aside = None;
        if let Some(form) = asked {
            match keys::impact_of_edit(&visit.ctx, &key, &form).await {
                Ok(impact) => {
                    back = Returned { form, ..Returned::default() };
                    aside = Some(view! { <WhatBreaks impact/> }.into_any());
                }
                Err(Error::Invalid(errors)) => {
                    let problem = Problem::invalid(errors);
                    answer_with(&problem);
                    back = Returned::refused(form, problem);
                }
                Err(e) => return Err(e),
            }
        }
        // They are not fields of this form.
        back.form.kind = key.kind.to_string();
        back.form.environment = key.environment.to_string();
        let chrome = visit.chrome;
        let title = format!("Edit {}", key.name);
        let body = view! {
            <div class="page__head"><PageTitle>{title}</PageTitle></div>
            <KeyFields chrome catalogue rules back editing=Some(key) aside/>
        };
        Ok(Shown::new(crumbs, body))
    })
}

#[component]
fn WhatBreaks(impact: EditImpact) -> impl IntoView {
    let (none, refuses, mark) = (impact.0.is_empty(), impact.refuses(), impact.mark());
    let parts = impact
        .0
        .into_iter()
        .enumerate()
        .map(|(n, (change, impact))| {
            let what = if matches!(change, Change::AllowedIps(_)) { "the new addresses" } else { "the new permissions" };
            let said = match impact.lost {
                0 => {
                    return view! {
                        <Banner tone=Tone::Info>
                            <p><b>{format!("None of {} requests of the last 30 days would have been refused by {what}.", thousands(impact.allowed))}</b></p>
                        </Banner>
                    }
                    .into_any();
                }
                lost => counted(lost, "request"),
            };
            let labelled = if n == 0 { "impact-1" } else { "impact-2" };
            let last = impact.last_lost_at.map(|at| view! { "; the last one came "<Time at/> }.into_any());
            view! {
                <Banner tone=Tone::Danger>
                    <p id=labelled><b>{format!("{said} of the last 30 days would have been refused by {what}.")}</b></p>
                    <p class="soft">{format!("Of {} in all", thousands(impact.allowed))}{last}"."</p>
                </Banner>
                <div class="tablebox chosen"><Callers seen=impact.callers head="Refused" labelled most=5/></div>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="impact">
            <div class="card__head"><h2 id="impact">"Impact"</h2><span class="meta">"nothing is saved yet"</span></div>
            <div class="card__body stack stack--3" role="status">
                {none.then(|| view! { <p class="small soft">"Permissions and addresses stay as they are, so no request is refused that was allowed."</p> }.into_any())}
                {parts}
                {refuses.then(|| view! { <p class="small">"If that is meant, save the changes now. Another change is shown again first."</p> }.into_any())}
                <input type="hidden" name="reviewed" value=mark/>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Gone(key: ApiKey) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <PageTitle>{format!("{} is revoked", key.name)}</PageTitle>
                <p class="lead soft">"A revoked key cannot be changed. Create another instead."</p>
            </div>
            <div class="row"><a class="btn btn--primary" href=key_href(key.id)>"Go to the key"</a></div>
        </div>
    }
}
