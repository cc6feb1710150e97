//! What a webhook carries so that its receiver knows where it comes from: the signatures of Standard Webhooks 1.0 and of
//! guide 001 (contract, section 7). Deliveries are not built yet.

use crate::{Error, Result, audit::hex};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{Secret, UnixMs};

/// How the text of a secret begins.
const PREFIX: &str = "whsec_";

/// What Keystead and the receiver of an endpoint's webhooks share: `whsec_` and 24 to 64 bytes of base64.
#[derive(Debug)]
pub struct WebhookSecret {
    text: Secret<String>,
    bytes: Secret<Vec<u8>>,
}

impl WebhookSecret {
    /// Reads the form in which it is shown.
    ///
    /// # Errors
    /// Another prefix, no base64, too short or too long.
    pub fn parse(text: Secret<String>) -> Result<Self> {
        let wrong = || Error::internal("a webhook secret is whsec_ and 24 to 64 bytes of base64");
        let encoded = text.expose().strip_prefix(PREFIX).ok_or_else(wrong)?;
        let bytes = Secret::new(STANDARD.decode(encoded).map_err(|_| wrong())?);
        if !(24..=64).contains(&bytes.expose().len()) {
            return Err(wrong());
        }
        Ok(Self { text, bytes })
    }

    /// `v1,` and the base64 of HMAC-SHA256 over id, seconds since 1970 and body, with dots between them.
    fn standard(&self, id: &str, seconds: i64, body: &str) -> String {
        let tag = sign(&Key::new(HMAC_SHA256, self.bytes.expose()), format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }

    /// The hex of HMAC-SHA256 over the body alone, keyed with the whole text (guide 001). It says nothing of when the
    /// body was sent: a receiver that can should verify the other one.
    fn of_the_body(&self, body: &str) -> String {
        hex(sign(&Key::new(HMAC_SHA256, self.text.expose().as_bytes()), body.as_bytes()).as_ref())
    }
}

/// The headers of a delivery. While a secret is being rotated both sign, the newer one first; guide 001's header has
/// room for one signature, that of the newer.
pub fn headers(newest: &WebhookSecret, older: Option<&WebhookSecret>, id: &str, at: UnixMs, body: &str) -> [(&'static str, String); 4] {
    let seconds = at.secs();
    let signatures: Vec<_> = [Some(newest), older].into_iter().flatten().map(|s| s.standard(id, seconds, body)).collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
        ("x-webhook-signature", newest.of_the_body(body)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Result<WebhookSecret> {
        WebhookSecret::parse(Secret::new(text.to_owned()))
    }

    #[test]
    fn a_secret_of_another_form_is_refused() {
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_no base64 no base64 no base64", &long] {
            assert!(secret(text).is_err(), "{text}");
        }
    }

    /// The example of the specification's reference libraries.
    #[test]
    fn the_published_example_has_the_published_signature() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("one");
        let signed = headers(&secret, None, "msg_p5jXN8AQM9LWM0D4loKWxJek", UnixMs(1_614_265_330_000), r#"{"test": 2432232314}"#);
        assert_eq!(signed[2], ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()));
    }

    #[test]
    fn during_a_rotation_both_secrets_sign() {
        let (old, new) = (
            secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("one"),
            secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").expect("another"),
        );
        let of = |s| headers(s, None, "msg_1", UnixMs(1_999), "{}");
        let both = headers(&new, Some(&old), "msg_1", UnixMs(1_999), "{}");
        assert_eq!(both[2].1, format!("{} {}", of(&new)[2].1, of(&old)[2].1));
        assert_eq!((&both[1].1, &both[3]), (&"1".to_owned(), &of(&new)[3]));
    }
}
