//! The part of an app's form that few apps need: origins, grants, how the app proves itself, other tenants.

use super::form::{Tick, part};
use crate::{
    components::{AreaField, FieldError, SelectField, described_by},
    icon::{Icon, IconName},
};
use contract::{AppForm, AppKind, AuthMethod, FieldErrors, GrantType, IdTokenAlg};
use leptos::prelude::*;

/// What few apps need.
#[component]
pub fn Further(
    /// As typed.
    form: AppForm,
    /// What is wrong.
    errors: FieldErrors,
    /// The kind of the app that is edited.
    fixed: Option<AppKind>,
) -> impl IntoView {
    let error = |name: &str| errors.get(name).map(str::to_owned);
    let names = [
        "allowed_origins",
        "grant_types",
        "token_endpoint_auth_method",
        "jwks",
        "id_token_signed_response_alg",
        "allow_client_jwts",
        "any_tenant",
    ];
    let usual = AppForm::preset();
    let rare = form.token_endpoint_auth_method.as_deref() == Some(AuthMethod::PrivateKeyJwt.as_str())
        || form.id_token_signed_response_alg.as_deref() == Some(IdTokenAlg::EdDsa.as_str())
        || form.allowed_origins.as_deref().is_some_and(|lines| !lines.is_empty());
    let changed = form.any_tenant || rare || fixed == Some(AppKind::Confidential) && !form.allow_client_jwts;
    let open = changed || names.iter().any(|name| errors.get(name).is_some());
    let origins = part(fixed, "field not-machine", AppKind::redirects).map(|class| {
        view! {
            <AreaField
                class=if class.is_empty() { "field" } else { class }
                name="allowed_origins"
                label=|| view! { "Origins "<span class="muted">"one a line; none means that every origin may"</span> }
                value=form.allowed_origins.clone().unwrap_or_default()
                hint="As in https://app.example.com. Scripts of these origins, and of no others, ask for tokens as this app and read what its tokens are answered under /v1. Servers name no origin and are not judged by it."
                error=error("allowed_origins")
            />
        }
        .into_any()
    });
    let grants = part(fixed, "not-machine", AppKind::redirects).map(|class| {
        let ticked = form.grant_types.clone().or(usual.grant_types).unwrap_or_default();
        view! { <div class=class><Grants ticked fixed error=error("grant_types")/></div> }.into_any()
    });
    let method = part(fixed, "stack not-public", AppKind::has_secret).map(|class| {
        let chosen = form.token_endpoint_auth_method.clone().unwrap_or_default();
        let options = AuthMethod::ALL.iter().filter(|m| **m != AuthMethod::None).map(|m| (m.to_string(), method_words(*m).to_owned()));
        view! {
            <div class=if class.is_empty() { "stack" } else { class }>
                <SelectField name="token_endpoint_auth_method" label="How it proves who it is" options=options.collect() chosen error=error("token_endpoint_auth_method")/>
                <AreaField
                    class="field only-signing"
                    name="jwks"
                    label=|| "Its public keys, as a JWK set"
                    value=form.jwks.clone().unwrap_or_default()
                    hint="1 to 10 keys: Ed25519, P-256, or RSA of 2048 to 4096 bits. Never a private one."
                    error=error("jwks")
                />
            </div>
        }
        .into_any()
    });
    let alg = part(fixed, "not-machine", AppKind::redirects).map(|class| {
        let chosen = form.id_token_signed_response_alg.clone().unwrap_or_default();
        let options = IdTokenAlg::ALL.iter().map(|a| (a.to_string(), alg_words(*a).to_owned())).collect();
        view! {
            <div class=class><SelectField name="id_token_signed_response_alg" label="ID tokens are signed with" options chosen error=error("id_token_signed_response_alg")/></div>
        }
        .into_any()
    });
    let jwts = part(fixed, "not-machine not-public", AppKind::has_secret).map(|class| {
        view! {
            <Tick class name="allow_client_jwts" on=form.allow_client_jwts label="JWTs that it signs are credentials" error=error("allow_client_jwts")
                what="It may sign HS256 tokens with its secret instead of asking for them, within its own permissions."/>
        }
        .into_any()
    });
    let tenants = part(fixed, "not-machine", AppKind::redirects).map(|class| {
        view! {
            <Tick class name="any_tenant" on=form.any_tenant label="Open to other tenants" error=error("any_tenant")
                what="Members of any tenant of this installation may allow it to act in theirs."/>
        }
        .into_any()
    });
    let what = match fixed {
        Some(AppKind::Machine) => "How it proves itself, signed JWTs",
        Some(AppKind::Public) => "Origins, grants, ID tokens, other tenants",
        _ => "Origins, grants, how it proves itself, signed JWTs, other tenants",
    };
    view! {
        <details class="further" open=open>
            <summary class="small soft"><Icon name=IconName::ChevronRight turns=true/>{what}</summary>
            <div class="stack further__body">
                {origins}
                {grants}
                {method}
                {alg}
                {jwts}
                {tenants}
            </div>
        </details>
    }
    .into_any()
}

/// How it gets tokens; those that its kind has not are not there.
#[component]
fn Grants(ticked: Vec<String>, fixed: Option<AppKind>, error: Option<String>) -> impl IntoView {
    let boxes = GrantType::ALL
        .iter()
        .filter(|grant| fixed.is_none_or(|kind| kind.grant_types().contains(grant)))
        .map(|grant| {
            let class = if *grant == GrantType::ClientCredentials { "opt not-public" } else { "opt" };
            let on = ticked.iter().any(|word| word == grant.as_str());
            view! {
                <label class=class>
                    <input class="check" type="checkbox" name="grant_types" value=grant.as_str() checked=on/>
                    <span class="opt__t"><span>{grant_words(*grant)}</span><code class="meta">{grant.as_str()}</code></span>
                </label>
            }
            .into_any()
        })
        .collect_view();
    let described = described_by("grant_types", false, error.is_some());
    view! {
        <fieldset class="field" id="grant_types" tabindex="-1" aria-describedby=described>
            <legend class="label">"How it gets tokens"</legend>
            // Says that the boxes were there, when none of them is ticked.
            <input type="hidden" name="grant_types" value=""/>
            <div class="stack stack--2">{boxes}</div>
            <FieldError name="grant_types" message=error/>
        </fieldset>
    }
    .into_any()
}

const fn grant_words(grant: GrantType) -> &'static str {
    match grant {
        GrantType::AuthorizationCode => "A person allows it",
        GrantType::RefreshToken => "It goes on without them",
        GrantType::ClientCredentials => "For itself",
    }
}

const fn method_words(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::ClientSecretBasic => "Its secret in the header (client_secret_basic)",
        AuthMethod::ClientSecretPost => "Its secret in the body (client_secret_post)",
        AuthMethod::PrivateKeyJwt => "JWTs that it signs with a key of its own (private_key_jwt)",
        AuthMethod::None => "Not at all",
    }
}

const fn alg_words(alg: IdTokenAlg) -> &'static str {
    match alg {
        IdTokenAlg::Rs256 => "RS256, which every client reads",
        IdTokenAlg::EdDsa => "EdDSA, as access tokens are",
    }
}
