//! The form that registers an app, and changes one: everything as typed. It is read as the API's bodies are, so that the
//! rules stand there once.

use super::{
    App, AppKind, AuthMethod, CreateAppBody, GrantType, IdTokenAlg, UpdateAppBody,
    body::{ACCESS, REFRESH},
};
use crate::{BUILT_IN_SCOPES, FormId, KeyForm};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The form as a person filled it in. What the kind has no use for is not meant, whatever was typed before it was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a box of the form")]
pub struct AppForm {
    /// Makes posting the form twice act once.
    pub form_id: String,
    /// What people are asked to allow.
    pub name: String,
    /// An [`AppKind`]. It stays once the app is registered.
    pub kind: String,
    /// One URI a line.
    pub redirect_uris: String,
    /// Ticked scopes.
    pub scopes: Vec<String>,
    /// Further scopes, separated by spaces, commas or lines.
    pub more_scopes: String,
    /// Where people read about it; empty means nowhere.
    pub home_page: String,
    /// Whether it must bind each code to a challenge.
    pub require_pkce: bool,
    /// Whether each refresh token is good once.
    pub rotate_refresh_tokens: bool,
    /// Whether it gets refresh tokens without asking for `offline_access`.
    pub always_refresh: bool,
    /// How long its access tokens work, seconds; empty leaves it as it is.
    pub access_token_seconds: String,
    /// How long it may go on without the person, days; empty leaves it as it is.
    pub refresh_token_days: String,
    /// Whether JWTs that it signs with its secret are credentials.
    pub allow_client_jwts: bool,
    /// Whether members of other tenants may allow it to act in theirs.
    pub any_tenant: bool,
    /// One origin a line. This and what follows may be missing from a form: an edit then leaves it as it is.
    pub allowed_origins: Option<String>,
    /// Ticked [`GrantType`]s; an empty one stands for the field itself.
    pub grant_types: Option<Vec<String>>,
    /// An [`AuthMethod`].
    pub token_endpoint_auth_method: Option<String>,
    /// A JWK set, for `private_key_jwt`.
    pub jwks: Option<String>,
    /// An [`IdTokenAlg`].
    pub id_token_signed_response_alg: Option<String>,
    /// What the app was when the form of its edit was opened; an edit of what has changed since is refused.
    pub seen: Option<String>,
}

impl AppForm {
    /// The form as it is opened: what confidential apps mostly are, and PKCE with it.
    pub fn preset() -> Self {
        Self {
            kind: AppKind::Confidential.to_string(),
            require_pkce: true,
            always_refresh: true,
            access_token_seconds: ACCESS.2.to_string(),
            refresh_token_days: REFRESH.2.to_string(),
            allow_client_jwts: true,
            grant_types: Some(GrantType::ALL.iter().map(ToString::to_string).collect()),
            token_endpoint_auth_method: Some(AuthMethod::ClientSecretBasic.to_string()),
            id_token_signed_response_alg: Some(IdTokenAlg::Rs256.to_string()),
            ..Self::default()
        }
    }

    /// The form as it is preset where no sign-in may last for more than so many days.
    #[must_use]
    pub fn refreshing_within(self, days: Option<i64>) -> Self {
        Self { refresh_token_days: REFRESH.2.min(days.unwrap_or(REFRESH.2)).to_string(), ..self }
    }

    /// The form as its fields were sent. Permissions come as in the form of a key.
    pub fn from_fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let fields: Vec<(&str, &str)> = fields.into_iter().collect();
        let KeyForm { form_id, name, kind, scopes, more_scopes, .. } = KeyForm::from_fields(fields.iter().copied());
        let mut form = Self { form_id, name, kind, scopes, more_scopes, ..Self::default() };
        for (name, value) in fields {
            match name {
                "redirect_uris" => value.clone_into(&mut form.redirect_uris),
                "home_page" => value.clone_into(&mut form.home_page),
                "access_token_seconds" => value.clone_into(&mut form.access_token_seconds),
                "refresh_token_days" => value.clone_into(&mut form.refresh_token_days),
                "require_pkce" => form.require_pkce = true,
                "rotate_refresh_tokens" => form.rotate_refresh_tokens = true,
                "always_refresh" => form.always_refresh = true,
                "allow_client_jwts" => form.allow_client_jwts = true,
                "any_tenant" => form.any_tenant = true,
                "allowed_origins" => form.allowed_origins = Some(value.to_owned()),
                "grant_types" => form.grant_types.get_or_insert_default().push(value.to_owned()),
                "token_endpoint_auth_method" => form.token_endpoint_auth_method = Some(value.to_owned()),
                "jwks" => form.jwks = Some(value.to_owned()),
                "id_token_signed_response_alg" => form.id_token_signed_response_alg = Some(value.to_owned()),
                "seen" => form.seen = Some(value.to_owned()),
                _ => {}
            }
        }
        form
    }

    /// The form that an app would come from, to edit it.
    pub fn of(app: &App) -> Self {
        let terms = &app.terms;
        Self {
            form_id: String::new(),
            name: app.name.clone(),
            kind: app.kind.to_string(),
            redirect_uris: terms.redirect_uris.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            scopes: terms.scopes.iter().map(ToString::to_string).collect(),
            more_scopes: String::new(),
            home_page: terms.home_page.clone().unwrap_or_default(),
            require_pkce: terms.require_pkce,
            rotate_refresh_tokens: terms.rotate_refresh_tokens,
            always_refresh: terms.always_refresh,
            access_token_seconds: terms.access_token_seconds.to_string(),
            refresh_token_days: terms.refresh_token_days.to_string(),
            allow_client_jwts: terms.allow_client_jwts,
            any_tenant: terms.any_tenant,
            allowed_origins: Some(terms.allowed_origins.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
            grant_types: Some(terms.grant_types.iter().map(ToString::to_string).collect()),
            token_endpoint_auth_method: Some(terms.auth_method.to_string()),
            jwks: Some(terms.jwks.as_ref().and_then(|set| serde_json::to_string_pretty(set).ok()).unwrap_or_default()),
            id_token_signed_response_alg: Some(terms.id_token_alg.to_string()),
            seen: None,
        }
    }

    /// The form's single-use id, if it is one.
    pub fn form_id(&self) -> Option<FormId> {
        self.form_id.parse().ok()
    }

    /// What it asks to be registered.
    pub fn to_body(&self) -> CreateAppBody {
        // What is no kind is named when the body is read.
        let kind = self.kind.parse().unwrap_or(AppKind::Confidential);
        let (redirects, confidential) = (kind.redirects(), kind == AppKind::Confidential);
        CreateAppBody {
            name: Some(self.name.clone()),
            redirect_uris: redirects.then(|| lines(&self.redirect_uris)),
            scopes: Some(self.scope_words(kind)),
            kind: typed(&self.kind),
            home_page: typed(&self.home_page),
            require_pkce: redirects.then_some(self.require_pkce),
            rotate_refresh_tokens: redirects.then_some(self.rotate_refresh_tokens),
            always_refresh: confidential.then_some(self.always_refresh),
            access_token_seconds: number(&self.access_token_seconds),
            refresh_token_days: number(&self.refresh_token_days).filter(|_| redirects),
            allow_client_jwts: confidential.then_some(self.allow_client_jwts),
            any_tenant: redirects.then_some(self.any_tenant),
            allowed_origins: self.origins(kind),
            grant_types: self.grants(kind),
            token_endpoint_auth_method: self.method(kind),
            jwks: self.keys(kind).flatten(),
            id_token_signed_response_alg: self.alg(kind),
        }
    }

    /// What it changes of an app of that kind. What the form does not show stays.
    pub fn to_update(&self, kind: AppKind) -> UpdateAppBody {
        let (redirects, confidential) = (kind.redirects(), kind == AppKind::Confidential);
        UpdateAppBody {
            name: Some(self.name.clone()),
            redirect_uris: redirects.then(|| lines(&self.redirect_uris)),
            scopes: Some(self.scope_words(kind)),
            home_page: Some(typed(&self.home_page)),
            require_pkce: confidential.then_some(self.require_pkce),
            rotate_refresh_tokens: confidential.then_some(self.rotate_refresh_tokens),
            always_refresh: redirects.then_some(self.always_refresh),
            access_token_seconds: number(&self.access_token_seconds),
            refresh_token_days: number(&self.refresh_token_days).filter(|_| redirects),
            allow_client_jwts: kind.has_secret().then_some(self.allow_client_jwts),
            any_tenant: redirects.then_some(self.any_tenant),
            allowed_origins: self.origins(kind),
            grant_types: self.grants(kind),
            token_endpoint_auth_method: self.method(kind),
            jwks: self.keys(kind),
            id_token_signed_response_alg: self.alg(kind),
        }
    }

    /// The permissions of the form, as the picker that it shares with keys shows them.
    pub fn picked(&self) -> KeyForm {
        KeyForm { scopes: self.scopes.clone(), more_scopes: self.more_scopes.clone(), ..KeyForm::default() }
    }

    fn origins(&self, kind: AppKind) -> Option<Vec<String>> {
        self.allowed_origins.as_deref().filter(|_| kind.redirects()).map(lines)
    }

    /// Those that were ticked, of those that the kind has; a machine has one.
    fn grants(&self, kind: AppKind) -> Option<Vec<String>> {
        let ticked = self.grant_types.as_ref().filter(|_| kind.redirects())?;
        let known = |word: &&String| !word.is_empty() && word.parse::<GrantType>().map_or(true, |one| kind.grant_types().contains(&one));
        Some(ticked.iter().filter(known).cloned().collect())
    }

    fn method(&self, kind: AppKind) -> Option<String> {
        self.token_endpoint_auth_method.as_deref().filter(|_| kind.has_secret()).and_then(typed)
    }

    /// They are meant by whoever chose to prove the app with them; an empty field clears.
    #[expect(clippy::option_option, reason = "absent, empty and a value are three things")]
    fn keys(&self, kind: AppKind) -> Option<Option<Value>> {
        let meant = self.method(kind).is_some_and(|method| method == AuthMethod::PrivateKeyJwt.as_str());
        // What is no JSON is no JWK set either, and told so beside its field.
        let read = |text: &String| typed(text).map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)));
        self.jwks.as_ref().filter(|_| meant).map(read)
    }

    fn alg(&self, kind: AppKind) -> Option<String> {
        self.id_token_signed_response_alg.as_deref().filter(|_| kind.redirects()).and_then(typed)
    }

    /// Nobody signs in to a machine: the scopes of that are not meant for one.
    fn scope_words(&self, kind: AppKind) -> Vec<String> {
        let picked = self.picked();
        let meant = |word: &&str| kind.redirects() || !BUILT_IN_SCOPES.contains(word);
        picked.scope_words().into_iter().filter(meant).map(str::to_owned).collect()
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

fn typed(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

/// What was typed as a number. What is none is outside of every range, and told so beside its field.
fn number(text: &str) -> Option<i64> {
    typed(text).map(|t| t.parse().unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppTerms, AuthMethod};

    fn form() -> AppForm {
        AppForm {
            name: "Ledger Sync".into(),
            redirect_uris: "https://ledger.test/cb\n\n  https://ledger.test/other  \n".into(),
            scopes: vec!["openid".into()],
            more_scopes: "contacts:read, openid".into(),
            ..AppForm::preset()
        }
    }

    fn fields(result: Result<crate::CreateApp, crate::FieldErrors>) -> Vec<String> {
        result.expect_err("refused").0.into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn a_filled_form_becomes_an_app_with_pkce() {
        let app = form().to_body().parse().expect("valid");
        let words = |all: &[crate::Scope]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(
            (app.name.as_str(), app.kind, words(&app.terms.scopes).as_str()),
            ("Ledger Sync", AppKind::Confidential, "openid contacts:read")
        );
        assert_eq!(app.terms.redirect_uris.len(), 2, "one a line, and nothing between them");
        let AppTerms { require_pkce, always_refresh, allow_client_jwts, rotate_refresh_tokens, any_tenant, .. } = app.terms;
        assert!(require_pkce && always_refresh && allow_client_jwts && !rotate_refresh_tokens && !any_tenant);
        assert_eq!((app.terms.access_token_seconds, app.terms.refresh_token_days), (3_600, 90));
    }

    #[test]
    fn what_a_kind_has_no_use_for_is_not_meant() {
        let public = AppForm { kind: "public".into(), require_pkce: false, ..form() }.to_body().parse().expect("valid");
        assert!(
            public.terms.require_pkce
                && public.terms.rotate_refresh_tokens
                && !public.terms.allow_client_jwts
                && !public.terms.always_refresh
        );
        let machine = AppForm { kind: "machine".into(), any_tenant: true, refresh_token_days: "x".into(), ..form() };
        let machine = machine.to_body().parse().expect("valid");
        assert!(machine.terms.redirect_uris.is_empty() && !machine.terms.any_tenant && !machine.terms.allow_client_jwts);
        assert_eq!(machine.terms.auth_method, AuthMethod::ClientSecretBasic);
    }

    #[test]
    fn each_error_stands_at_its_field() {
        let wrong = AppForm {
            name: " ".into(),
            kind: "other".into(),
            redirect_uris: "http://ledger.test/cb".into(),
            scopes: vec![],
            more_scopes: "two:many:colons".into(),
            home_page: "nowhere".into(),
            access_token_seconds: "an hour".into(),
            refresh_token_days: "0".into(),
            ..form()
        };
        let names = ["name", "kind", "redirect_uris", "scopes", "home_page", "access_token_seconds", "refresh_token_days"];
        assert_eq!(fields(wrong.to_body().parse()), names);
    }

    #[test]
    fn a_form_is_read_from_its_fields_and_ticks_are_there_or_not() {
        let sent = [
            ("form_id", "form_1"),
            ("name", "Ledger Sync"),
            ("kind", "public"),
            ("redirect_uris", "com.example.app:/cb"),
            ("grant.orders", "orders:read"),
            ("scopes", "openid"),
            ("more_scopes", "x:read"),
            ("require_pkce", "true"),
            ("access_token_seconds", "600"),
        ];
        let form = AppForm::from_fields(sent);
        assert_eq!(form.scope_words(AppKind::Public), ["orders:read", "openid", "x:read"]);
        assert_eq!(form.scope_words(AppKind::Machine), ["orders:read", "x:read"], "nobody signs in to a machine");
        assert!(form.require_pkce && !form.always_refresh && !form.any_tenant);
        assert_eq!((form.kind.as_str(), form.access_token_seconds.as_str(), form.home_page.as_str()), ("public", "600", ""));
    }

    #[test]
    fn what_few_apps_need_is_read_and_its_errors_stand_at_its_fields() {
        let key = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let rare = AppForm {
            allowed_origins: Some("https://ledger.test\n\n http://localhost:5173 ".into()),
            grant_types: Some(vec![String::new(), "authorization_code".into()]),
            token_endpoint_auth_method: Some("private_key_jwt".into()),
            jwks: Some(key.into()),
            id_token_signed_response_alg: Some("EdDSA".into()),
            ..form()
        };
        let terms = rare.to_body().parse().expect("valid").terms;
        assert_eq!((terms.allowed_origins.len(), terms.grant_types.as_slice()), (2, [GrantType::AuthorizationCode].as_slice()));
        assert_eq!((terms.auth_method, terms.id_token_alg, terms.jwks.is_some()), (AuthMethod::PrivateKeyJwt, IdTokenAlg::EdDsa, true));
        let public = AppForm { kind: "public".into(), ..rare.clone() }.to_body().parse().expect("valid").terms;
        assert_eq!((public.auth_method, public.jwks), (AuthMethod::None, None), "a public app has nothing to prove itself with");
        let machine = AppForm { kind: "machine".into(), ..rare.clone() }.to_body().parse().expect("valid").terms;
        assert_eq!((machine.grant_types.as_slice(), machine.allowed_origins.len()), ([GrantType::ClientCredentials].as_slice(), 0));
        for (wrong, field) in [
            (AppForm { allowed_origins: Some("https://ledger.test/app".into()), ..rare.clone() }, "allowed_origins"),
            (AppForm { grant_types: Some(vec![String::new()]), ..rare.clone() }, "grant_types"),
            (AppForm { grant_types: Some(vec!["implicit".into()]), ..rare.clone() }, "grant_types"),
            (AppForm { token_endpoint_auth_method: Some("tls".into()), ..rare.clone() }, "token_endpoint_auth_method"),
            (AppForm { jwks: Some(String::new()), ..rare.clone() }, "jwks"),
            (AppForm { jwks: Some("{".into()), ..rare.clone() }, "jwks"),
            (AppForm { id_token_signed_response_alg: Some("none".into()), ..rare.clone() }, "id_token_signed_response_alg"),
        ] {
            assert!(fields(wrong.to_body().parse()).iter().any(|f| f == field), "{field}");
        }
    }

    #[test]
    fn an_edit_leaves_what_its_form_does_not_show() {
        let app = form().to_body().parse().expect("valid");
        let same = AppForm { redirect_uris: "https://ledger.test/cb\nhttps://ledger.test/other".into(), ..form() };
        let (_, after) = same.to_update(app.kind).apply(app.kind, &app.terms).expect("valid");
        assert_eq!(after, app.terms);
        for kind in [AppKind::Public, AppKind::Machine] {
            let app = AppForm { kind: kind.to_string(), ..form() }.to_body().parse().expect("valid");
            let blank =
                AppForm { name: "Other".into(), redirect_uris: form().redirect_uris, more_scopes: "x:read".into(), ..AppForm::default() };
            let (name, after) = blank.to_update(kind).apply(kind, &app.terms).expect("valid");
            assert_eq!(name.map(|n| n.to_string()).as_deref(), Some("Other"));
            assert_eq!(
                (after.require_pkce, after.rotate_refresh_tokens),
                (app.terms.require_pkce, app.terms.rotate_refresh_tokens),
                "{kind}"
            );
            assert_eq!(after.access_token_seconds, app.terms.access_token_seconds);
        }
    }
}
