//! The page that shows a secret, once: the server's answer to the form. It has no island, and so carries no data.

use super::kind_title;
use crate::{
    components::{Code, Crumbs, Masked, MaskedText, PageTitle, SecretOnce},
    icon::{Icon, IconName},
    url::key_href,
    visit::Shown,
};
use contract::{ApiKey, Chrome, CreatedKey, KeyKind, UnixMs};
use leptos::prelude::*;

/// The answer to a created key: its secret, unless the form had been used before.
pub fn revealed(made: CreatedKey, chrome: Chrome) -> Shown {
    let CreatedKey { api_key, key: secret } = made;
    let crumbs = Crumbs::keys(&api_key.name);
    match secret {
        Some(secret) => {
            let news = format!("{} is active", api_key.name);
            let view = view! { <Secret api_key secret chrome news old_until=None /> };
            Shown::new(crumbs.titled("Store the secret".to_owned()), view)
        }
        None => Shown::new(crumbs.titled("Key created before".to_owned()), view! { <UsedBefore api_key/> }),
    }
}

/// The answer to a rotated key: its new secret.
pub fn rotated(made: CreatedKey, chrome: Chrome, old_until: UnixMs, overlap: bool) -> Shown {
    let CreatedKey { api_key, key: secret } = made;
    let crumbs = Crumbs::of_key(&api_key, "Rotate").titled("Store the new secret".to_owned());
    let news = format!("{} has a new secret", api_key.name);
    let old_until = Some(if overlap {
        format!("The old secret works until {}. Until then, the key’s page shows who still calls with it.", old_until.human())
    } else {
        "The old secret is refused from now on.".to_owned()
    });
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
    let (in_env, in_call) = ((masked.clone(), secret.clone()), (masked.clone(), secret.clone()));
    let variable = if gateway { "KEYSTEAD_GATEWAY_KEY" } else { "KEYSTEAD_KEY" };
    let advice = if gateway {
        "It belongs in the gateway's configuration, where only the gateway can read it."
    } else {
        "Put it where the service reads its secrets, never into source code."
    };
    view! {
        <div class="empty reveal" data-guard="">
            <div class="hero">
                <p class="row small ok"><Icon name=IconName::CircleCheck/>{news}</p>
                <PageTitle>"Store the secret now"</PageTitle>
                <p class="lead soft">
                    "This page is the only place it ever appears. Keystead keeps a keyed hash, so nobody can show it again, not even an owner. "{advice}
                </p>
                {old_until.map(|text| view! { <p class="row row--top small"><Icon name=IconName::RefreshCw/><span>{text}</span></p> }.into_any())}
            </div>
            <SecretOnce masked secret/>
            <Code id="env" title=".env" what="the line">
                <pre tabindex="0" role="region" aria-label="Line for .env">
                    <MaskedText id="env" before=format!("{variable}=") masked=in_env.0 secret=in_env.1 after=""/>
                </pre>
            </Code>
            <TryIt gateway masked=in_call.0 secret=in_call.1 public_url=chrome.public_url/>
            <Facts api_key=api_key.clone()/>
            <form class="gate" method="get" action=key_href(api_key.id)>
                <label class="opt"><input class="check" type="checkbox" required=true data-stored-box=""/>"I have stored it where the service can read it"</label>
                <div class="row row--wrap">
                    <button class="btn btn--primary" type="submit">"Go to the key"</button>
                    {another.then(|| view! { <a class="btn btn--quiet" href="/keys/new">"Create another"</a> }.into_any())}
                </div>
            </form>
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
    view! {
        <Code id="curl" title what="the command">
            <pre tabindex="0" role="region" aria-label="Command"><MaskedText id="curl" before masked secret after/></pre>
        </Code>
    }
}

#[component]
fn Facts(api_key: ApiKey) -> impl IntoView {
    let scopes =
        api_key.scopes.0.into_iter().map(|s| view! { <span class="badge badge--mono">{s.to_string()}</span> }.into_any()).collect_view();
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
            <dt>"May"</dt><dd class="tags">{scopes}</dd>
            <dt>"From"</dt><dd>{from}</dd>
            <dt>"Until"</dt><dd>{until}</dd>
        </dl>
    }
}

/// The same form was posted twice; the first answer had the secret.
#[component]
fn UsedBefore(api_key: ApiKey) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="hero">
                <p class="row small muted"><Icon name=IconName::Info/>"Nothing was created this time"</p>
                <PageTitle>"This form was already used"</PageTitle>
                <p class="lead soft">
                    {format!("The key {} exists, and its secret was shown once. If it was not stored, revoke the key and create another.", api_key.name)}
                </p>
            </div>
            <div class="row row--wrap">
                <a class="btn btn--primary" href=key_href(api_key.id)>"Go to the key"</a>
                <a class="btn" href="/keys/new">"Create another"</a>
            </div>
        </div>
    }
}
