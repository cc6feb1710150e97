//! One-time codes of an authenticator app (RFC 6238): SHA-1, six digits, thirty seconds, as every app knows them.

use crate::{Error, Result, clock::Entropy};
use contract::{Secret, UnixMs};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;
use totp_rs::{Algorithm, Builder, Totp};

/// Random bytes of a secret: as many as SHA-1 gives out (RFC 4226, 4).
const BYTES: usize = 20;
const STEP: u64 = 30;
/// Steps either way that are accepted: clocks differ (s12).
const SKEW: u16 = 1;
/// What authenticator apps show.
const ISSUER: &str = "Keystead";
/// Light modules around a QR code.
const QUIET: i32 = 4;

/// A fresh secret, in base32.
pub(super) fn generate(entropy: &dyn Entropy) -> Secret<String> {
    let mut bytes = [0; BYTES];
    entropy.fill(&mut bytes);
    Secret::new(totp_rs::Secret::new(Box::new(bytes)).to_base32())
}

/// The step whose code this is, among those that are accepted now. Compared in constant time (s13).
pub(super) fn step_of(secret: &Secret<String>, code: &str, now: UnixMs) -> Result<Option<i64>> {
    let now = u64::try_from(now.0 / 1_000).map_err(Error::internal)?;
    let step = totp(secret)?.check(code, now);
    step.map(|step| i64::try_from(step).map_err(Error::internal)).transpose()
}

fn totp(secret: &Secret<String>) -> Result<Totp> {
    let secret = totp_rs::Secret::try_from_base32(secret.expose()).map_err(|_| Error::internal("a second factor's secret is no base32"))?;
    let built = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(SKEW).with_step_duration(STEP).with_secret(secret);
    built.build().map_err(|_| Error::internal("a second factor's secret is too short"))
}

/// What the QR code says.
pub(super) fn uri(secret: &Secret<String>, email: &str) -> String {
    let mut account = String::new();
    for byte in email.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            account.push(char::from(byte));
        } else {
            _ = write!(account, "%{byte:02X}");
        }
    }
    format!("otpauth://totp/{ISSUER}:{account}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6&period={STEP}", secret.expose())
}

/// The outline of the dark modules of a QR code, as the `d` of an SVG path, and the side of its square.
pub(super) fn qr(text: &str) -> Result<(String, i32)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(Error::internal)?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            _ = write!(path, "M{},{}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Ok((path, code.size() + 2 * QUIET))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    /// The secret of RFC 6238, appendix B.
    fn rfc() -> Secret<String> {
        Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned())
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (at, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(step_of(&rfc(), code, UnixMs(at * 1_000)).expect("reads"), Some(at / 30), "{at}");
        }
    }

    #[test]
    fn s12_a_code_is_good_in_its_step_and_one_either_way() {
        let at = |seconds: i64| step_of(&rfc(), "050471", UnixMs(seconds * 1_000)).expect("reads");
        let step = 1_111_111_111 / 30;
        for (seconds, good) in [(-31, false), (-30, true), (0, true), (29, true), (59, true), (60, false)] {
            assert_eq!(at(step * 30 + seconds).is_some(), good, "{seconds}");
        }
    }

    #[test]
    fn a_secret_has_160_bits_and_is_no_others() {
        let (a, b) = (generate(&SystemEntropy), generate(&SystemEntropy));
        assert_eq!(a.expose().len(), 32);
        assert_ne!(a.expose(), b.expose());
        assert!(uri(&a, "märz+1@acme.test").contains("Keystead:m%C3%A4rz%2B1%40acme.test?secret="));
    }

    #[test]
    fn anything_but_six_digits_is_no_code() {
        for bad in ["", "28708", "2870820", "-28708", "28708a", "٢٨٧٠٨٢"] {
            assert_eq!(step_of(&rfc(), bad, UnixMs(59_000)).expect("reads"), None, "{bad}");
        }
    }

    #[test]
    fn a_qr_code_is_a_square_with_a_margin() {
        let (path, side) = qr("otpauth://totp/Keystead:a").expect("fits");
        assert!(path.starts_with("M4,4h1v1h-1z") && side > 25 + 8 - 1, "{side}");
    }
}
