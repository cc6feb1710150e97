//! Cards of an app's page that say what it is: what it may do, its secrets, its details.

use super::kind_title;
use crate::{
    components::{CopyId, ScopeBadges, SecretRow, Time, TimeForm},
    numbers::counted,
    url::app_href,
};
use contract::{App, AppKind, AppSecret, AuthMethod, GrantType};
use leptos::prelude::*;

/// What it may ask for, and where its answers go.
#[component]
pub fn Registration(
    /// The app.
    app: App,
    /// Whether the reader changes it.
    may_edit: bool,
) -> impl IntoView {
    let edit = format!("{}/edit", app_href(app.id));
    let terms = app.terms;
    let redirects = app.kind.redirects().then(|| {
        let lines = terms.redirect_uris.iter().map(|uri| view! { <div class="mono">{uri.to_string()}</div> }.into_any()).collect_view();
        let none = terms.redirect_uris.is_empty().then_some("None");
        view! { <dt>"Redirect URIs"</dt><dd>{lines}{none}</dd> }.into_any()
    });
    let home = terms.home_page.map(|url| {
        view! { <dt>"Home page"</dt><dd><a href=url.clone() rel="noreferrer noopener" target="_blank">{url.clone()}</a></dd> }.into_any()
    });
    let origins = (!terms.allowed_origins.is_empty()).then(|| {
        let lines = terms.allowed_origins.iter().map(|o| view! { <div class="mono">{o.to_string()}</div> }.into_any()).collect_view();
        view! { <dt>"Origins"</dt><dd>{lines}</dd> }.into_any()
    });
    let logo = (may_edit || app.logo_url.is_some()).then(|| {
        let said = if app.logo_url.is_some() { "128 × 128 pixels" } else { "None" };
        let change = may_edit.then(|| view! { " "<a href=format!("{}/logo", app_href(app.id))>{if app.logo_url.is_some() { "Change logo" } else { "Add logo" }}</a> }.into_any());
        view! { <dt>"Logo"</dt><dd>{said}{change}</dd> }.into_any()
    });
    let reach = if terms.any_tenant { "Open to members of every tenant" } else { "This tenant" };
    view! {
        <section class="card">
            <div class="card__head"><h2>"Registration"</h2>{may_edit.then(|| view! { <a class="push small" href=edit>"Edit"</a> }.into_any())}</div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Permissions"</dt><dd class="tags"><ScopeBadges scopes=terms.scopes/></dd>
                    {redirects}
                    {origins}
                    {home}
                    {logo}
                    <dt>"Reach"</dt><dd>{reach}</dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

/// Its secrets that work: the current one, and old ones until they end.
#[component]
pub fn Secrets(
    /// The newest first.
    secrets: Vec<AppSecret>,
) -> impl IntoView {
    let none = secrets.is_empty();
    let rows = secrets
        .into_iter()
        .map(|s| {
            let old = s.expires_at.map(|_| "Old".into_any());
            let more = s.expires_at.map(|at| view! { ", works until "<Time at form=TimeForm::Full/> }.into_any());
            view! { <SecretRow shown=format!("…{}", s.last_four) made=s.created_at old more/> }.into_any()
        })
        .collect_view();
    view! {
        <section class="card">
            <div class="card__head"><h2>"Secrets"</h2></div>
            {none.then(|| view! { <p class="card__body small soft">"None works: the last one was ended. Rotate to get another."</p> }.into_any())}
            <ul class="rows rows--two">{rows}</ul>
        </section>
    }
    .into_any()
}

/// Seconds in the unit that fits.
fn lasting(seconds: i64) -> String {
    match seconds {
        n if n % 3_600 == 0 => counted(n / 3_600, "hour"),
        n if n % 60 == 0 => counted(n / 60, "minute"),
        n => counted(n, "second"),
    }
}

/// How it gets tokens, and who registered it.
#[component]
pub fn Facts(
    /// The app.
    app: App,
) -> impl IntoView {
    let terms = &app.terms;
    let last_used = app.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at form=TimeForm::Full/> }.into_any());
    let proves = match terms.auth_method {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => "With its secret",
        AuthMethod::PrivateKeyJwt => "With a JWT that it signs with its key",
        AuthMethod::None => "Not at all: PKCE binds its codes",
    };
    let refresh = terms.grant_types.contains(&GrantType::RefreshToken).then(|| {
        let issued = if terms.always_refresh { "with every sign-in" } else { "when it asks for offline_access" };
        let once = if terms.rotate_refresh_tokens { "each works once" } else { "each works until it ends" };
        let said = format!("{}; {issued}, {once}", counted(terms.refresh_token_days, "day"));
        view! { <dt>"Refresh tokens"</dt><dd>{said}</dd> }.into_any()
    });
    let pkce = app.kind.redirects().then(|| {
        let said = if terms.require_pkce { "Required" } else { "Not required" };
        view! { <dt>"PKCE"</dt><dd>{said}</dd> }.into_any()
    });
    let grants =
        terms.grant_types.iter().map(|g| view! { <span class="badge badge--mono">{g.to_string()}</span> }.into_any()).collect_view();
    let jwts = app.kind.has_secret().then(|| {
        let said = if terms.allow_client_jwts { "Taken as credentials" } else { "Refused" };
        view! { <dt>"Signed JWTs"</dt><dd>{said}</dd> }.into_any()
    });
    let id_tokens = (app.kind != AppKind::Machine).then(|| view! { <dt>"ID tokens"</dt><dd>{terms.id_token_alg.as_str()}</dd> }.into_any());
    view! {
        <section class="card">
            <div class="card__head"><h2>"Details"</h2></div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Client id"</dt><dd><CopyId text=app.client_id.to_string() what="client id"/></dd>
                    <dt>"Kind"</dt><dd>{kind_title(app.kind)}</dd>
                    <dt>"Proves itself"</dt><dd>{proves}</dd>
                    <dt>"Gets tokens by"</dt><dd class="tags">{grants}</dd>
                    {pkce}
                    {refresh}
                    <dt>"Access tokens"</dt><dd>{lasting(terms.access_token_seconds)}</dd>
                    {id_tokens}
                    {jwts}
                    <dt>"Last used"</dt><dd>{last_used}</dd>
                    <dt>"Created"</dt><dd><Time at=app.created_at form=TimeForm::Full/></dd>
                    <dt>"By"</dt><dd>{app.created_by.clone()}</dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_said_in_the_unit_that_fits() {
        assert_eq!([3_600, 600, 60, 90].map(lasting), ["1 hour", "10 minutes", "1 minute", "90 seconds"]);
    }
}
