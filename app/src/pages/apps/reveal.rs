//! The page that shows an app's secret, once: the server's answer to the form. It has no island, and so carries no data.

use super::kind_title;
use crate::{
    components::{CopyId, Crumbs, Masked, Replaced, SecretCode, SecretOnce, StoreNow, StoredGate, UsedBefore},
    icon::{Icon, IconName},
    url::{app_href, try_href},
    visit::Shown,
};
use contract::{App, AuthMethod, Chrome, CreatedApp, GrantType};
use leptos::prelude::*;

/// The answer to a registered app: its secret, unless the form had been used before.
pub fn revealed(made: CreatedApp, chrome: Chrome) -> Shown {
    let CreatedApp { app, client_secret } = made;
    let crumbs = Crumbs::apps(&app.name);
    if let Some(secret) = client_secret {
        let news = format!("{} is registered", app.name);
        let view = view! { <Secret app secret public_url=chrome.public_url news old_until=None another=true/> };
        Shown::new(crumbs.titled("Store the secret".to_owned()), view)
    } else {
        let lead = format!("The app {} exists, and its secret was shown once. If it was not stored, rotate the secret.", app.name);
        let view = view! {
            <UsedBefore news="Nothing was registered this time" lead>
                <a class="btn btn--primary" href=app_href(app.id)>"Go to the app"</a>
                <a class="btn" href="/apps/new">"Register another"</a>
            </UsedBefore>
        };
        Shown::new(crumbs.titled("App registered before".to_owned()), view)
    }
}

/// The answer to a rotated secret: the new one.
pub fn rotated(made: CreatedApp, chrome: Chrome, replaced: &Replaced) -> Shown {
    let CreatedApp { app, client_secret } = made;
    let crumbs = Crumbs::of_app(&app, "Rotate secret").titled("Store the new secret".to_owned());
    let news = format!("{} has a new secret", app.name);
    let old_until = replaced.in_words("");
    let secret = client_secret.unwrap_or_default();
    Shown::new(crumbs, view! { <Secret app secret public_url=chrome.public_url news old_until another=false/> })
}

#[component]
fn Secret(
    app: App,
    secret: String,
    public_url: String,
    /// What has happened.
    news: String,
    /// What becomes of the secret that this one replaces.
    old_until: Option<String>,
    /// Whether another one may be registered from here.
    another: bool,
) -> impl IntoView {
    let client_id = app.client_id.to_string();
    let masked = masked(&app, &secret);
    let env = format!("OAUTH_CLIENT_ID={client_id}\nOAUTH_CLIENT_SECRET=");
    let ask = asks_for_itself(&app).then(|| {
        let before = match app.terms.auth_method {
            AuthMethod::ClientSecretPost => format!("curl -d client_id={client_id} \\\n  -d \"client_secret="),
            _ => format!("curl -u \"{client_id}:"),
        };
        let after = format!("\" \\\n  -d grant_type=client_credentials \\\n  {public_url}/oauth/token");
        let (masked, secret) = (masked.clone(), secret.clone());
        view! { <SecretCode id="curl" title="A token for the app itself" what="the command" label="Command" before masked secret after/> }
            .into_any()
    });
    view! {
        <div class="empty reveal" data-guard="">
            <StoreNow news old_until>
                "This page is the only place it ever appears: nobody can show it again, not even an owner. Put it where the app’s server reads its secrets, never into source code or into anything that people download."
            </StoreNow>
            <dl class="dl">
                <dt>"Client id"</dt><dd><CopyId text=client_id what="client id"/></dd>
                <dt>"Kind"</dt><dd>{kind_title(app.kind)}</dd>
            </dl>
            <SecretOnce masked=masked.clone() secret=secret.clone()/>
            <SecretCode id="env" title=".env" what="the lines" label="Lines for .env" before=env masked secret/>
            {ask}
            <StoredGate page=app_href(app.id) reader="app">
                <button class="btn btn--primary" type="submit">"Go to the app"</button>
                <button class="btn" type="submit" formaction=try_href(app.id)><Icon name=IconName::Play/>"Try it"</button>
                {another.then(|| view! { <a class="btn btn--quiet" href="/apps/new">"Register another"</a> }.into_any())}
            </StoredGate>
        </div>
    }
    .into_any()
}

/// Can it get a token with its secret and nobody signed in, for something of the API?
fn asks_for_itself(app: &App) -> bool {
    app.terms.grant_types.contains(&GrantType::ClientCredentials)
        && app.terms.auth_method != AuthMethod::PrivateKeyJwt
        && app.terms.scopes.iter().any(|s| !s.is_built_in())
}

/// What of the secret may be seen: the prefix that all have, and the end that the app's page shows as well.
fn masked(app: &App, secret: &str) -> Masked {
    let prefix = secret.split_inclusive('_').next().unwrap_or_default().to_owned();
    Masked { prefix, last_four: app.secrets.first().map(|s| s.last_four.clone()).unwrap_or_default() }
}
