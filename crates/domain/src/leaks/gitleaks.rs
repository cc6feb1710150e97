//! A rule for gitleaks and other scanners that read its configuration: the exact form of this installation's keys.

use crate::Settings;
use contract::Environment;

/// `/.well-known/gitleaks.toml`. The checksum is beyond a regular expression: what the rule finds, the leak desk or
/// the public endpoint judges.
pub fn gitleaks_rule(settings: &Settings) -> String {
    let (environments, words) = match settings.environment {
        // In a sandbox only test keys exist.
        Environment::Test => ("test", r#""sk_test_", "rk_test_""#),
        Environment::Live => ("(?:live|test)", r#""sk_live_", "sk_test_", "rk_live_", "rk_test_""#),
    };
    let url = &settings.public_url;
    format!(
        r#"# API keys and secrets of OAuth apps of {url}
# Use it as it is, `gitleaks dir --config keystead.toml .`, or copy the rule into your own configuration.
# What was found: POST {{"text": "…"}} to {url}/v1/leaks, without any credential; it is ended.
title = "Keystead API keys"

[[rules]]
id = "keystead-api-key"
description = "An API key of {url}"
regex = '''(?:^|[^0-9A-Za-z])((?:[sr]k_{environments}|gk|tk_[a-z0-9]+(?:-[a-z0-9]+)*)_[0-9A-Za-z]{{38}})(?:[^0-9A-Za-z]|$)'''
secretGroup = 1
entropy = 3.6
keywords = [{words}, "gk_", "tk_"]
tags = ["keystead", "api-key"]

[[rules]]
id = "keystead-app-secret"
description = "A secret of an OAuth app of {url}"
regex = '''(?:^|[^0-9A-Za-z])(kss_[0-9A-Za-z]{{49}})(?:[^0-9A-Za-z]|$)'''
secretGroup = 1
entropy = 3.6
keywords = ["kss_"]
tags = ["keystead", "client-secret"]
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SystemEntropy, keys::secret::generate, seal::DataKeys};
    use contract::{KeyKind, Slug};
    use regex::Regex;
    use std::{collections::HashMap, time::Duration};

    fn rule(environment: Environment) -> toml::Table {
        let settings = Settings {
            public_url: "https://keys.acme.test".into(),
            environment,
            max_staleness: Duration::from_secs(30),
            insecure: false,
            sends_mail: false,
        };
        gitleaks_rule(&settings).parse().expect("TOML")
    }

    fn regex(environment: Environment) -> Regex {
        Regex::new(rule(environment)["rules"][0]["regex"].as_str().expect("a text")).expect("a regular expression")
    }

    fn made(kind: KeyKind, environment: Environment, slug: &str) -> String {
        let keys = DataKeys::with_pepper([7; 32]);
        generate(&SystemEntropy, &keys, kind, environment, &Slug::parse(slug).expect("a slug")).token.expose().clone()
    }

    fn every_form() -> Vec<(Environment, KeyKind, String)> {
        let mut all = Vec::new();
        for kind in KeyKind::ALL {
            for environment in Environment::ALL {
                for slug in ["a", "acme-inc", "abcdefghijklmnopqrstuvw4", "9-to-5"] {
                    all.push((*environment, *kind, made(*kind, *environment, slug)));
                }
            }
        }
        all
    }

    /// As gitleaks computes it.
    fn entropy(s: &str) -> f64 {
        let mut counts: HashMap<char, f64> = HashMap::new();
        for c in s.chars() {
            *counts.entry(c).or_default() += 1.0;
        }
        let len = f64::from(u32::try_from(s.len()).expect("short"));
        counts.values().map(|n| -(n / len) * (n / len).log2()).sum()
    }

    #[test]
    fn the_rule_finds_every_form_in_real_surroundings() {
        let rule = regex(Environment::Live);
        for (_, _, key) in every_form() {
            for text in [
                key.clone(),
                format!("API_KEY={key}"),
                format!("  api_key: \"{key}\"\n"),
                format!("https://x.test/?key={key}&a=b"),
                format!("Bearer {key}\\n"),
                format!("x_{key}_x"),
            ] {
                assert_eq!(rule.captures(&text).and_then(|c| c.get(1)).map(|m| m.as_str()), Some(key.as_str()), "{text}");
            }
        }
    }

    #[test]
    fn the_rule_finds_no_near_misses() {
        let rule = regex(Environment::Live);
        for (_, _, key) in every_form() {
            for miss in [
                key[..key.len() - 1].to_owned(),
                format!("{key}0"),
                format!("x{key}").replace("x_", ""),
                key.replacen('_', "-", 1),
                key.to_uppercase(),
                key[key.len() - 38..].to_owned(),
                key.replace(&key[key.len() - 4..key.len() - 3], "+"),
            ] {
                assert!(!rule.is_match(&miss), "{miss} of {key}");
            }
        }
        for other in [
            "sk_live_51HxyzABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "pk_live_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl",
            "tk__ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl",
            "tk_Acme_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl",
            "sk_prod_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl",
        ] {
            assert!(!rule.is_match(other), "{other}");
        }
    }

    #[test]
    fn secrets_of_apps_have_a_rule_of_their_own() {
        let rules = rule(Environment::Test);
        let (of_keys, of_apps) = (&rules["rules"][0], &rules["rules"][1]);
        let regex = |rule: &toml::Value| Regex::new(rule["regex"].as_str().expect("a text")).expect("a regular expression");
        for _ in 0..500 {
            let made = crate::keys::secret::generate_for_app(&SystemEntropy);
            let secret = made.expose();
            let text = format!("CLIENT_SECRET={secret}\n");
            assert_eq!(regex(of_apps).captures(&text).and_then(|c| c.get(1)).map(|m| m.as_str()), Some(secret.as_str()));
            assert!(!regex(of_keys).is_match(&text), "{text}");
            assert!(entropy(secret) > of_apps["entropy"].as_float().expect("a number"), "{secret}");
            for miss in [secret[..secret.len() - 1].to_owned(), format!("{secret}0"), secret.replace("kss", "ksr")] {
                assert!(!regex(of_apps).is_match(&miss), "{miss}");
            }
        }
    }

    #[test]
    fn a_sandbox_names_its_own_prefixes_only() {
        let rule = regex(Environment::Test);
        for (environment, kind, key) in every_form() {
            let live = environment == Environment::Live && matches!(kind, KeyKind::Secret | KeyKind::Restricted);
            assert_eq!(rule.is_match(&key), !live, "{key}");
        }
    }

    #[test]
    fn real_keys_are_over_the_entropy_of_the_rule_and_placeholders_under_it() {
        let least = rule(Environment::Live)["rules"][0]["entropy"].as_float().expect("a number");
        for _ in 0..500 {
            for (_, _, key) in every_form() {
                assert!(entropy(&key) > least, "{key}: {}", entropy(&key));
            }
        }
        for placeholder in
            [format!("sk_live_{}", "x".repeat(38)), format!("sk_test_{}", "0123".repeat(10)), format!("gk_{}", "your".repeat(10))]
        {
            assert!(entropy(&placeholder[..placeholder.len().min(46)]) < least, "{placeholder}: {}", entropy(&placeholder));
        }
    }

    #[test]
    fn every_form_has_a_keyword_in_lower_case() {
        let rule = rule(Environment::Live);
        let words: Vec<&str> = rule["rules"][0]["keywords"].as_array().expect("a list").iter().filter_map(toml::Value::as_str).collect();
        for (_, _, key) in every_form() {
            assert!(words.iter().any(|w| key.starts_with(w)), "{key}");
        }
    }
}
