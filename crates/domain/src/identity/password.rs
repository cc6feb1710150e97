//! Passwords: what is accepted (s1–s3), and argon2id, a few at a time (s4, s5).

use crate::{Error, Result};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use contract::{PASSWORD_MIN, PASSWORD_MIN_WITH_FACTOR, Secret};
use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};
use zxcvbn::zxcvbn;

/// argon2 reads any length; this bounds what a request may make it read.
const MAX_BYTES: usize = 1024;
/// Guesses that a password must outlast, as a power of ten, and with a second factor.
const MIN_GUESSES_LOG10: f64 = 9.0;
const MIN_GUESSES_LOG10_WITH_FACTOR: f64 = 7.0;
/// How long a sign-in waits for one of the hashing threads before it is told to try again.
const PATIENCE: Duration = Duration::from_secs(3);

/// The 30,000 passwords that are found in leaks most often: the list that the zxcvbn crate (MIT) keeps to itself.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common-passwords.txt").lines().collect());

/// Is it long enough where no second factor stands behind it?
pub fn stands_alone(password: &str) -> bool {
    password.chars().count() >= PASSWORD_MIN
}

/// Is the password good enough to be set? `context` holds the words an attacker would try first: the tenant, the
/// address, the product. No rule about its composition.
pub fn judge(password: &str, context: &[&str], second_factor: bool) -> Result<(), String> {
    let (min_chars, min_guesses) =
        if second_factor { (PASSWORD_MIN_WITH_FACTOR, MIN_GUESSES_LOG10_WITH_FACTOR) } else { (PASSWORD_MIN, MIN_GUESSES_LOG10) };
    let chars = password.chars().count();
    if chars < min_chars {
        return Err(format!("At least {min_chars} characters; these are {chars}. A sentence is easiest to remember."));
    }
    if password.len() > MAX_BYTES {
        return Err(format!("At most {MAX_BYTES} bytes."));
    }
    let lower = password.to_lowercase();
    // With a year or a sign behind it, a common password is as common.
    if [lower.as_str(), lower.trim_end_matches(|c: char| !c.is_alphabetic())].iter().any(|p| COMMON.contains(p)) {
        return Err("This password stands on lists of leaked ones, which are tried first. Choose several unrelated words.".to_owned());
    }
    // The lists of the zxcvbn crate: common passwords, names, English words, and the context.
    let estimate = zxcvbn(password, context);
    if estimate.guesses_log10() >= min_guesses {
        return Ok(());
    }
    let why = estimate
        .feedback()
        .and_then(zxcvbn::feedback::Feedback::warning)
        .map_or_else(|| "it is made of common words or a pattern".to_owned(), |w| w.to_string().trim_end_matches('.').to_lowercase());
    Err(format!("This password is among the first that are guessed: {why}. Choose several unrelated words."))
}

/// Hashes and compares passwords on threads of their own, never more at once than there are cores.
#[derive(Debug)]
pub struct Hasher {
    places: Arc<Semaphore>,
    /// Compared against when the account is unknown, so that the answer takes as long.
    dummy: tokio::sync::OnceCell<String>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { places: Arc::new(Semaphore::new(cores)), dummy: tokio::sync::OnceCell::new() }
    }

    /// The PHC string to store.
    pub async fn hash(&self, password: &Secret<String>) -> Result<String> {
        let password = Secret::new(password.expose().clone());
        self.run(move || {
            argon2().and_then(|a| a.hash_password(password.expose().as_bytes()).map(|h| h.to_string()).map_err(Error::internal))
        })
        .await?
    }

    /// The hash to store instead, if the stored one is weaker than today's (s4).
    pub async fn upgrade(&self, password: &Secret<String>, hash: &str) -> Result<Option<String>> {
        if is_weak(hash)? { self.hash(password).await.map(Some) } else { Ok(None) }
    }

    /// Is it the password behind the hash? Without a hash the same work is done and the answer is no.
    pub async fn verify(&self, password: &Secret<String>, hash: Option<String>) -> Result<bool> {
        if password.expose().len() > MAX_BYTES {
            return Ok(false);
        }
        let dummy = self.dummy.get_or_try_init(|| self.hash_dummy()).await?;
        let (known, hash) = (hash.is_some(), hash.unwrap_or_else(|| dummy.clone()));
        let password = Secret::new(password.expose().clone());
        let same = self.run(move || {
            let parsed = PasswordHash::new(&hash).map_err(Error::internal)?;
            Ok::<_, Error>(argon2()?.verify_password(password.expose().as_bytes(), &parsed).is_ok())
        });
        Ok(same.await?? && known)
    }

    async fn hash_dummy(&self) -> Result<String> {
        self.hash(&Secret::new("no account has this password".to_owned())).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = timeout(PATIENCE, Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(|_| Error::unavailable("all hashing threads are busy"))?.map_err(Error::internal)?;
        let (answer, answered) = oneshot::channel();
        // A thread of its own: the runtime would take any of its 512 blocking threads, and the allocator keeps what each of
        // them ever used. A new one is given the memory of one that has ended.
        let hashing = std::thread::Builder::new().name("password".to_owned());
        hashing
            .spawn(move || {
                let done = work();
                drop(place);
                // Whoever asked may have gone.
                let _ = answer.send(done);
            })
            .map_err(|_| Error::unavailable("no thread to hash on"))?;
        answered.await.map_err(Error::internal)
    }
}

/// OWASP's first recommendation: 19 MiB, two passes, one lane.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;

/// Was the hash made with less than that, or by another algorithm?
fn is_weak(hash: &str) -> Result<bool> {
    let parsed = PasswordHash::new(hash).map_err(Error::internal)?;
    let params = Params::try_from(&parsed).map_err(Error::internal)?;
    Ok(parsed.algorithm.as_str() != "argon2id" || params.m_cost() < MEMORY || params.t_cost() < PASSES)
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_fifteen_characters_are_needed_and_counted_as_characters() {
        assert!(judge("fourteen chars", &[], false).is_err_and(|e| e.contains("these are 14")));
        assert_eq!(judge("märz über öl zwölf", &[], false), Ok(()));
    }

    #[test]
    fn s1_with_a_second_factor_eight_characters_suffice() {
        assert_eq!(judge("vmQ7!xLr", &[], true), Ok(()));
        assert!(judge("vmQ7!xL", &[], true).is_err_and(|e| e.contains("these are 7")));
        assert!(judge("vmQ7!xLr", &[], false).is_err());
    }

    #[test]
    fn s3_thirty_thousand_leaked_passwords_are_refused_whatever_their_case_and_end() {
        assert!(COMMON.len() >= 30_000, "{}", COMMON.len());
        for weak in ["trustno1", "TrustNo1", "wonderwoman", "Wonderwoman1987!", "qwertyuiop"] {
            assert!(judge(weak, &[], true).is_err_and(|e| e.contains("leaked")), "{weak}");
        }
    }

    #[test]
    fn s2_no_composition_rule_and_no_truncation() {
        assert_eq!(judge("correct horse battery staple ridge", &[], false), Ok(()));
        assert_eq!(judge(&"gravel orbit lantern seven ".repeat(10), &[], false), Ok(()));
    }

    #[test]
    fn s3_common_and_product_words_are_refused_with_the_reason() {
        for weak in ["passwordpassword", "aaaaaaaaaaaaaaaa", "123456789012345", "qwertyuiopasdfgh"] {
            assert!(judge(weak, &[], false).is_err_and(|e| e.contains("first that are guessed")), "{weak}");
        }
        assert!(judge("acmecorporation1", &["acmecorporation"], false).is_err());
    }

    #[test]
    fn s3_what_is_said_while_a_password_is_typed_promises_nothing_that_is_refused() {
        let hint = |typed: &str, min: usize| contract::PasswordHint::of(typed, min, min, &["acmecorporation"]);
        for min in [PASSWORD_MIN, PASSWORD_MIN_WITH_FACTOR] {
            for common in COMMON.iter().filter(|p| p.chars().count() >= min) {
                // Lists are too long for a browser: the most that is said of them is that they are still to be checked.
                assert!(
                    hint(common, min).words().contains("is checked when you send it")
                        || hint(common, min).words().starts_with("Easily guessed"),
                    "{common}"
                );
            }
        }
        for refused in ["passwordpassword", "aaaaaaaaaaaaaaaa", "123456789012345", "qwertyuiopasdfgh", "acmecorporation1"] {
            assert!(hint(refused, PASSWORD_MIN).words().starts_with("Easily guessed"), "{refused}");
        }
    }

    #[tokio::test]
    async fn s4_argon2id_with_owasp_parameters_tells_right_from_wrong() {
        let hasher = Hasher::new();
        let hash = hasher.hash(&Secret::new("correct horse".into())).await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify(&Secret::new("correct horse".into()), Some(hash.clone())).await.expect("runs"));
        assert!(!hasher.verify(&Secret::new("Correct horse".into()), Some(hash)).await.expect("runs"));
        assert!(!hasher.verify(&Secret::new("no account has this password".into()), None).await.expect("runs"));
    }

    #[tokio::test]
    async fn s4_a_weaker_hash_is_told_from_todays() {
        let hasher = Hasher::new();
        let password = Secret::new("correct horse".to_owned());
        let todays = hasher.hash(&password).await.expect("hashes");
        assert!(hasher.upgrade(&password, &todays).await.expect("reads").is_none());
        let weak = todays.replace("m=19456", "m=4096");
        assert!(hasher.upgrade(&password, &weak).await.expect("reads").is_some_and(|h| h.contains("m=19456")));
    }

    #[tokio::test]
    async fn s5_more_hashes_than_cores_wait_and_then_are_refused() {
        let hasher = Hasher { places: Arc::new(Semaphore::new(0)), dummy: tokio::sync::OnceCell::new() };
        tokio::time::pause();
        let refused = hasher.hash(&Secret::new("x".into())).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }

    /// The most memory that this process has held so far, in MiB.
    #[cfg(target_os = "linux")]
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).expect("a peak");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1_024
    }

    /// argon2 takes 19 MiB for each: two hundred at once would need 3.7 GiB.
    #[cfg(target_os = "linux")]
    #[tokio::test(flavor = "multi_thread")]
    async fn s5_two_hundred_sign_ins_at_once_need_the_memory_of_as_many_as_there_are_cores() {
        let hasher = Arc::new(Hasher::new());
        hasher.hash(&Secret::new("warm".into())).await.expect("hashes");
        let before = peak();
        let mut crowd = tokio::task::JoinSet::new();
        for n in 0..200 {
            let hasher = Arc::clone(&hasher);
            crowd.spawn(async move { hasher.verify(&Secret::new(format!("guess {n}")), None).await });
        }
        let answers = crowd.join_all().await;
        let refused = answers.iter().filter(|a| matches!(a, Err(Error::Unavailable(_)))).count();
        assert!(answers.iter().all(|a| matches!(a, Ok(false) | Err(Error::Unavailable(_)))), "{refused} of them told to come back");
        let cores = u64::try_from(std::thread::available_parallelism().map_or(2, std::num::NonZero::get)).expect("few");
        let grown = peak() - before;
        assert!(grown <= cores * 20 + 20, "{grown} MiB on {cores} cores");
    }
}
