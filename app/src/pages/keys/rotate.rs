//! The pages that replace a key's secret, and that end the old one before its time.

use super::{callers::Callers, reveal::rotated};
use crate::{
    components::{Banner, Crumbs, ErrorSummary, Glyph, InTenant, PageTitle, Replaced, RotateDialog, Time, TimeForm, Tone},
    numbers::counted,
    returned::{Returned, returned},
    url::key_href,
    visit::{Shown, framed},
};
use contract::{ApiKey, Cockpit, CreatedKey, KeyKind, KeySecret, KeyState, Perm, RotateForm, UnixMs};
use domain::keys;
use leptos::prelude::*;

/// `/keys/:id/rotate`
#[component]
pub fn KeyRotate() -> impl IntoView {
    framed(|visit| async move {
        if let Some(made) = use_context::<CreatedKey>() {
            return Ok(rotated(made, visit.chrome, &Replaced::posted(visit.ctx.now())));
        }
        let key = keys::get(&visit.ctx, visit.id()?).await?;
        visit.ctx.require(Perm::KeysWrite)?;
        let crumbs = Crumbs::of_key(&key, "Rotate").titled(format!("Rotate {}", key.name));
        if matches!(key.state, KeyState::Revoked | KeyState::Expired) {
            return Ok(Shown::new(crumbs, view! { <NotNow key/> }));
        }
        let now = visit.ctx.now();
        let secrets = keys::secrets(&visit.ctx, key.id).await?;
        let back = returned::<RotateForm>().unwrap_or_default();
        Ok(Shown::new(crumbs, view! { <Rotate key secrets now back/> }))
    })
}

#[component]
fn Rotate(key: ApiKey, secrets: Vec<KeySecret>, now: UnixMs, back: Returned<RotateForm>) -> impl IntoView {
    let current = secrets.iter().find(|s| s.valid_until.is_none());
    let overlapping = secrets.iter().any(|s| s.valid_until.is_some() && keys::works(s, now));
    let age = current.map(|s| view! { " It was made "<Time at=s.created_at form=TimeForm::Date/>"." }.into_any());
    let secret = current.map(|s| s.id.to_string()).unwrap_or_default();
    let (title, replaced) = (format!("Rotate {}", key.name), key.display());
    view! {
        <RotateDialog
            id=key.id
            page=key_href(key.id)
            title
            back
            secret
            overlapping
            hint="For this long both secrets work, and the key’s page shows who still calls with the old one."
            send="Rotate key"
        >
            "A new secret replaces "<code>{replaced}</code>"; everything else of the key stays."{age}
        </RotateDialog>
    }
}

#[component]
fn NotNow(key: ApiKey) -> impl IntoView {
    let (text, way) = if key.state == KeyState::Revoked {
        ("It is revoked, and a new secret would be refused as well. Create another key instead.", ("/keys/new".to_owned(), "Create key"))
    } else {
        (
            "It has expired, and a new secret would be refused as well. Give it a later expiry first.",
            (format!("{}/edit", key_href(key.id)), "Edit key"),
        )
    };
    view! {
        <div class="empty">
            <div class="hero">
                <PageTitle>{format!("{} cannot be rotated", key.name)}</PageTitle>
                <p class="lead soft">{text}</p>
            </div>
            <div class="row row--wrap">
                <a class="btn btn--primary" href=way.0>{way.1}</a>
                <a class="btn" href=key_href(key.id)>"Go to the key"</a>
            </div>
        </div>
    }
}

/// `/keys/:id/retire`
#[component]
pub fn KeyRetire() -> impl IntoView {
    framed(|visit| async move {
        let key = keys::get(&visit.ctx, visit.id()?).await?;
        visit.ctx.require(Perm::KeysWrite)?;
        let cockpit = keys::cockpit(&visit.ctx, key.id, None).await?;
        let crumbs = Crumbs::of_key(&key, "Retire").titled(format!("Retire the old secret of {}", key.name));
        if cockpit.old.is_empty() {
            return Ok(Shown::new(crumbs, view! { <NothingOld key/> }));
        }
        let back = returned::<()>().unwrap_or_default();
        Ok(Shown::new(crumbs, view! { <Retire key cockpit back/> }))
    })
}

#[component]
fn Retire(key: ApiKey, cockpit: Cockpit, back: Returned<()>) -> impl IntoView {
    let seen: Vec<_> = cockpit.old.iter().flat_map(|s| s.callers.clone()).collect();
    let requests: i64 = cockpit.old.iter().map(|s| s.count).sum();
    let last = cockpit.old.iter().filter_map(|s| s.last_seen_at).max();
    let names = cockpit.old.iter().map(|s| format!("…{}", s.last_four)).collect::<Vec<_>>().join(", ");
    let verdict = if key.kind == KeyKind::Gateway {
        view! {
            <Banner tone=Tone::Danger>
                <p><b>"A gateway that still holds the old secret refuses every request behind it."</b></p>
                <p class="soft">"The log does not tell with which of its secrets a gateway asks: make sure that each has the new one."</p>
            </Banner>
        }
        .into_any()
    } else if seen.is_empty() {
        view! {
            <Banner tone=Tone::Info>
                <p><b>"Nobody has called with it since the rotation."</b></p>
            </Banner>
        }
        .into_any()
    } else {
        let requests = format!("{} came", counted(requests, "request"));
        view! {
            <Banner tone=Tone::Danger>
                <p><b>{format!("{requests} with the old secret since the rotation.")}</b></p>
                <p class="soft">"Such requests are refused from then on"{last.map(|at| view! { "; the last one came "<Time at/> }.into_any())}"."</p>
            </Banner>
        }
        .into_any()
    };
    view! {
        <form class="card dialog dialog--page dialog--wide" method="post" action=format!("{}/retire", key_href(key.id))><InTenant/>
            <div class="dialog__head">
                <Glyph id=key.id large=true/>
                <PageTitle>"Retire the old secret now?"</PageTitle>
            </div>
            <div class="dialog__body">
                <ErrorSummary errors=back.errors message=back.message/>
                <p class="soft">{format!("The old secret {names} of {} is refused within a second. This cannot be undone; the new one goes on working.", key.name)}</p>
                {verdict}
                {(!seen.is_empty()).then(|| {
                    view! {
                        <section class="tablebox chosen">
                            <h2 class="sr" id="still">"Callers with the old secret"</h2>
                            <Callers seen head="Still on the old secret" labelled="still"/>
                        </section>
                    }.into_any()
                })}
            </div>
            <div class="dialog__foot">
                <a class="btn btn--quiet" href=key_href(key.id)>"Cancel"</a>
                <button class="btn btn--destroy" type="submit">"Retire old secret"</button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn NothingOld(key: ApiKey) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <PageTitle>"There is no old secret to retire"</PageTitle>
                <p class="lead soft">{format!("Only the current secret of {} works.", key.name)}</p>
            </div>
            <div class="row"><a class="btn btn--primary" href=key_href(key.id)>"Go to the key"</a></div>
        </div>
    }
}
