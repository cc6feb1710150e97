//! Help for who has lost their password or second factor: a form on a member's page, and `/platform/recovery`.

use crate::{
    components::{Banner, Code, Crumbs, ErrorSummary, PageTitle, TextField, Tone},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    visit::{Shown, framed},
};
use contract::{FieldErrors, RecoverForm, Recovery, ResetUrl};
use domain::tenants;
use leptos::prelude::*;

/// `/platform/recovery`
#[component]
pub fn RecoveryPage() -> impl IntoView {
    framed(|visit| async move {
        tenants::require_platform(&visit.ctx)?;
        let made = use_context::<ResetUrl>().map(|made| view! { <ResetLink made/> }.into_any());
        let back = returned::<RecoverForm>();
        let done = (back.is_none() && visit.query.get_str("done").is_some()).then(|| {
            view! { <Banner tone=Tone::Info><p role="status">"Their second factor is gone, and they are signed out everywhere."</p></Banner> }.into_any()
        });
        let Returned { form, errors, message } = back.unwrap_or_default();
        let crumbs = Crumbs { above: vec![("Tenants".to_owned(), "/platform/tenants".to_owned())], ..Crumbs::section("Recovery") };
        let body = view! {
            <div class="page__head"><PageTitle>"Help somebody back in"</PageTitle></div>
            <div class="stack narrow">
                {made}
                {done}
                <ErrorSummary errors=errors.clone() message/>
                <section class="card">
                    <form class="card__body stack" method="post" action="/platform/recovery" novalidate=true>
                        <p class="small soft">"For accounts of several tenants, and of other platform admins. Make sure that you know who asks."</p>
                        <TextField name="email" label=|| "Their email" kind="email" value=form.email error=errors.get("email").map(str::to_owned)/>
                        <RecoverFields reason=form.reason errors/>
                    </form>
                </section>
            </div>
        };
        Ok(Shown::new(crumbs, body))
    })
}

/// Why, and the two ways back in.
#[component]
pub fn RecoverFields(
    /// As typed.
    reason: String,
    /// What is wrong.
    errors: FieldErrors,
) -> impl IntoView {
    view! {
        <TextField
            name="reason"
            label=|| view! { "Reason "<span class="muted">"kept in the audit log of each of their tenants"</span> }
            value=reason
            error=errors.get("reason").map(str::to_owned)
        />
        <p class="small soft">"Either way they are signed out everywhere at once. A link sets a new password, once, within a day, and leaves the second factor as it is."</p>
        <div class="row row--wrap">
            <button class="btn btn--danger" type="submit" name="act" value=Recovery::SecondFactor.as_str()>"Reset second factor"</button>
            <button class="btn btn--danger" type="submit" name="act" value=Recovery::Link.as_str()><Icon name=IconName::Mail/>"Make a reset link"</button>
        </div>
    }
    .into_any()
}

/// A link that sets a new password: this answer is the only place where it stands.
#[component]
pub fn ResetLink(
    /// Whose, and where.
    made: ResetUrl,
) -> impl IntoView {
    let ResetUrl { email, url } = made;
    view! {
        <section class="card card--flag" aria-labelledby="link-title">
            <div class="card__head"><h2 id="link-title">{format!("Give this link to {email}")}</h2></div>
            <div class="card__body stack stack--3">
                <p class="small">"It is shown once and works once, within a day. Whoever holds it can set their password: give it to nobody else."</p>
                <Code id="reset-link" title="Reset link" what="the link">
                    <pre tabindex="0" id="reset-link" role="region" aria-label="Reset link">{url}</pre>
                </Code>
            </div>
        </section>
    }
    .into_any()
}
