//! OAuth apps: list, register and reveal, one app, edit, another secret, logo.

mod detail;
mod edit;
mod facts;
mod form;
mod further;
mod list;
mod logo;
mod new;
mod others;
mod reveal;
mod rotate;
mod trial;
mod used;

use crate::components::{CopyId, ScopeBadges};
use contract::{AppKind, GrantSeen};
use leptos::prelude::*;

pub use detail::{AppDetail, Since};
pub use edit::AppEdit;
pub use list::AppList;
pub use logo::AppLogo;
pub use new::NewApp;
pub use rotate::AppRotate;
pub use trial::TryPage;

/// `Confidential`, for people.
const fn kind_title(kind: AppKind) -> &'static str {
    match kind {
        AppKind::Confidential => "Confidential",
        AppKind::Public => "Public",
        AppKind::Machine => "Machine",
    }
}

/// What a grant permits, all of it: who takes it back must see what that is.
#[component]
pub fn Allowed(
    /// The grant.
    grant: GrantSeen,
) -> impl IntoView {
    view! { <span class="tags"><ScopeBadges scopes=grant.scopes/></span> }
}

/// Where an app asks, for whoever writes it.
#[component]
fn Endpoints(
    /// Where this server is reached.
    public_url: String,
    /// Whether people are led through it.
    redirects: bool,
) -> impl IntoView {
    let at = |path: &'static str, what| view! { <CopyId text=path value=format!("{public_url}{path}") what=what/> }.into_any();
    let authorize = redirects.then(|| view! { <dt>"Authorize"</dt><dd>{at("/oauth/authorize", "authorization endpoint")}</dd> }.into_any());
    let token = at("/oauth/token", "token endpoint");
    view! {
        <section class="card">
            <div class="card__head"><h2>"Endpoints"</h2></div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"Issuer"</dt><dd><CopyId text=public_url.clone() what="issuer"/></dd>
                    {authorize}
                    <dt>"Token"</dt><dd>{token}</dd>
                    <dt>"Discovery"</dt><dd><a href="/.well-known/openid-configuration">"Document"</a></dd>
                    <dt>"Signing keys"</dt><dd><a href="/.well-known/jwks.json">"JWK set"</a></dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}
