//! The page that shows a secret, once: the server's answer to the form. It has no island, and so carries no data.

use super::kind_title;
use crate::{
    components::{Crumbs, Masked, Replaced, ScopeBadges, SecretCode, SecretOnce, StoreNow, StoredGate, UsedBefore},
    url::key_href,
    visit::Shown,
};
use contract::{ApiKey, Chrome, CreatedKey, KeyKind};
use leptos::prelude::*;

/// The answer to a created key: its secret, unless the form had been used before.
pub fn revealed(made: CreatedKey, chrome: Chrome) -> Shown {
    let CreatedKey { api_key, key: secret } = made;
    let crumbs = Crumbs::keys(&api_key.name);
    if let Some(secret) = secret {
        let news = format!("{} is active", api_key.name);
        let view = view! { <Secret api_key secret chrome news old_until=None /> };
        Shown::new(crumbs.titled("Store the secret".to_owned()), view)
    } else {
        let name = &api_key.name;
        let lead =
            format!("The key {name} exists, and its secret was shown once. If it was not stored, revoke the key and create another.");
        let view = view! {
            <UsedBefore news="Nothing was created this time" lead>
                <a class="btn btn--primary" href=key_href(api_key.id)>"Go to the key"</a>
                <a class="btn" href="/keys/new">"Create another"</a>
            </UsedBefore>
        };
        Shown::new(crumbs.titled("Key created before".to_owned()), view)
    }
}

/// The answer to a rotated key: its new secret.
pub fn rotated(made: CreatedKey, chrome: Chrome, replaced: &Replaced) -> Shown {
    let CreatedKey { api_key, key: secret } = made;
    let crumbs = Crumbs::of_key(&api_key, "Rotate").titled("Store the new secret".to_owned());
    let news = format!("{} has a new secret", api_key.name);
    let old_until = replaced.in_words(" Until then, the key’s page shows who still calls with it.");
    let secret = secret.unwrap_or_default();
    Shown::new(crumbs, view! { <Secret api_key secret chrome news old_until/> })
}

#[component]
fn Secret(
    api_key: ApiKey,
    secret: String,
    chrome: Chrome,
    /// What has happened.
    news: String,
    /// What becomes of the secret that this one replaces.
    old_until: Option<String>,
) -> impl IntoView {
    let another = old_until.is_none();
    let gateway = api_key.kind == KeyKind::Gateway;
    let masked = Masked { prefix: api_key.prefix.clone(), last_four: api_key.last_four.clone() };
    let variable = if gateway { "KEYSTEAD_GATEWAY_KEY=" } else { "KEYSTEAD_KEY=" }.to_owned();
    let advice = if gateway {
        "It belongs in the gateway's configuration, where only the gateway can read it."
    } else {
        "Put it where the service reads its secrets, never into source code."
    };
    view! {
        <div class="empty reveal" data-guard="">
            <StoreNow news old_until>
                "This page is the only place it ever appears. Keystead keeps a keyed hash, so nobody can show it again, not even an owner. "{advice}
            </StoreNow>
            <SecretOnce masked=masked.clone() secret=secret.clone()/>
            <SecretCode id="env" title=".env" what="the line" label="Line for .env" before=variable masked=masked.clone() secret=secret.clone()/>
            <TryIt gateway masked secret public_url=chrome.public_url/>
            <Facts api_key=api_key.clone()/>
            <StoredGate page=key_href(api_key.id) reader="service">
                <button class="btn btn--primary" type="submit">"Go to the key"</button>
                {another.then(|| view! { <a class="btn btn--quiet" href="/keys/new">"Create another"</a> }.into_any())}
            </StoredGate>
        </div>
    }
    .into_any()
}

/// A call that works as it stands, as soon as the secret is in it.
#[component]
fn TryIt(gateway: bool, masked: Masked, secret: String, public_url: String) -> impl IntoView {
    let (title, before, after) = if gateway {
        (
            "Ask for a decision",
            format!("curl -X POST {public_url}/v1/verify \\\n  -H \"Content-Type: application/json\" \\\n  -H \"Authorization: Bearer "),
            "\" \\\n  -d '{\"credential\":\"sk_live_…\"}'".to_owned(),
        )
    } else {
        ("Try it against this server", "curl -H \"Authorization: Bearer ".to_owned(), format!("\" \\\n  {public_url}/v1/auth/test"))
    };
    view! { <SecretCode id="curl" title what="the command" label="Command" before masked secret after/> }
}

#[component]
fn Facts(api_key: ApiKey) -> impl IntoView {
    let scopes = api_key.scopes.0;
    let from = if api_key.allowed_ips.is_empty() {
        "any address".to_owned()
    } else {
        api_key.allowed_ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let end = if api_key.kind == KeyKind::Gateway { "; then every request behind the gateway is refused" } else { "" };
    let until = api_key.expires_at.map_or_else(|| "somebody revokes it".to_owned(), |at| at.human() + end);
    view! {
        <dl class="dl">
            <dt>"Kind"</dt><dd>{format!("{}, {}", kind_title(api_key.kind), api_key.environment)}</dd>
            <dt>"May"</dt><dd class="tags"><ScopeBadges scopes/></dd>
            <dt>"From"</dt><dd>{from}</dd>
            <dt>"Until"</dt><dd>{until}</dd>
        </dl>
    }
}
