//! The parameters of an OAuth request: a form, as RFC 6749 has it, or a JSON object, as guide 001 sends it.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::Secret;
use domain::oauth::{OauthError, Presented};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::fmt;

/// Names and values, in their order; what is neither text nor a number has no value.
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// Those of a body; none that was sent twice is lost.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, OauthError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next()).unwrap_or_default();
        if kind.trim().eq_ignore_ascii_case("application/json") {
            return serde_json::from_slice(body).map_err(|_| OauthError::request("The body is no JSON object of strings."));
        }
        if kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(Self(form_urlencoded::parse(body).map(|(n, v)| (n.into_owned(), Some(v.into_owned()))).collect()));
        }
        Err(OauthError::request("The body is a form (application/x-www-form-urlencoded), or JSON."))
    }

    /// The one value of a parameter; an error if it is there twice (s53). An empty one counts as absent.
    pub fn one(&self, name: &str) -> Result<Option<String>, OauthError> {
        let mut all = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value);
        let first = all.next();
        if all.next().is_some() {
            return Err(OauthError::request(format!("{name} is there twice.")));
        }
        match first {
            Some(None) => Err(OauthError::request(format!("{name} is a text."))),
            first => Ok(first.cloned().flatten().filter(|v| !v.is_empty())),
        }
    }

    /// How the request says who sends it.
    pub fn presented(&self, headers: &HeaderMap) -> Result<Presented, OauthError> {
        let assertion = match (self.one("client_assertion_type")?, self.one("client_assertion")?) {
            (None, None) => None,
            (Some(kind), Some(jwt)) => Some((kind, jwt)),
            _ => return Err(OauthError::request("client_assertion and client_assertion_type go together.")),
        };
        let secret = self.one("client_secret")?.map(Secret::new);
        Ok(Presented { basic: basic(headers)?, id: self.one("client_id")?, secret, assertion, origin: origin(headers) })
    }
}

/// The origin whose script asks. What cannot be read, and several at once, is none that anybody lists.
fn origin(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(header::ORIGIN).iter();
    let first = all.next()?;
    Some(first.to_str().ok().filter(|_| all.next().is_none()).unwrap_or_default().to_owned())
}

/// Id and secret of the `Authorization` header; both are form-encoded in it (RFC 6749, section 2.3.1; s56).
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret<String>)>, OauthError> {
    let wrong = || OauthError::request("The Authorization header is no Basic one, or there are several.");
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(wrong());
    }
    let (scheme, encoded) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(wrong());
    }
    let text = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let (id, secret) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Some((decoded(id), Secret::new(decoded(secret)))))
}

fn decoded(text: &str) -> String {
    // The parser of forms splits at `&` and `=`: encoded ones only are part of a value.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Params;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    match value {
                        Value::String(text) => pairs.push((name, Some(text))),
                        Value::Number(n) => pairs.push((name, Some(n.to_string()))),
                        Value::Null => {}
                        _ => pairs.push((name, None)),
                    }
                }
                Ok(Params(pairs))
            }
        }

        d.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(kind: &'static str, body: &str) -> Params {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().expect("a header"));
        Params::read(&headers, body.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn s53_a_parameter_that_is_there_twice_is_refused_in_forms_and_in_json() {
        for (kind, twice) in [
            ("application/x-www-form-urlencoded", "code=a&code=a&x=1&x=2"),
            ("application/json", r#"{"code": "a", "code": "a", "x": 1, "x": 2}"#),
        ] {
            let params = params(kind, twice);
            assert!(params.one("code").is_err(), "{kind}");
            assert!(params.one("state").is_ok_and(|v| v.is_none()), "{kind}");
        }
    }

    #[test]
    fn s53_what_is_no_text_is_refused_where_it_is_read_and_never_taken_for_absent() {
        let params = params("application/json", r#"{"scope": ["a"], "x": {}, "state": null, "max_age": 5}"#);
        assert!(params.one("scope").is_err());
        assert!(params.one("state").is_ok_and(|v| v.is_none()));
        assert!(params.one("max_age").is_ok_and(|v| v.as_deref() == Some("5")));
    }

    #[test]
    fn s56_id_and_secret_of_the_header_are_form_encoded() {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", STANDARD.encode("app%3A1:a+b%25%3D&c=d"));
        headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
        let (id, secret) = basic(&headers).ok().flatten().expect("both");
        assert_eq!((id.as_str(), secret.expose().as_str()), ("app:1", "a b%=&c=d"));
        headers.insert(header::AUTHORIZATION, "Bearer x".parse().expect("a header"));
        assert!(basic(&headers).is_err());
    }
}
