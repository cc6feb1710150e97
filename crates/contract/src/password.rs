//! What can be said of a new password while it is typed, in the browser and without a list of leaked ones.

/// Least characters of a password where no second factor stands behind it (NIST SP 800-63B-4).
pub const PASSWORD_MIN: usize = 15;
/// The same with one.
pub const PASSWORD_MIN_WITH_FACTOR: usize = 8;

/// What a person is told of what they have typed. Nothing here calls a password strong: whether it is one of those that
/// are tried first is known only to the server, which judges it when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordHint {
    /// Nothing is typed yet.
    Empty,
    /// It will be refused: how many characters more are needed.
    Short(usize),
    /// Enough only for who has a second factor: how many more are needed without one.
    ShortWithoutFactor(usize),
    /// Guessed early, and why.
    Weak(&'static str),
    /// Nothing speaks against it that can be seen here.
    LongEnough,
}

impl PasswordHint {
    /// Looks at what was typed. `min` is the least number of characters, `or_min` that without a second factor where nobody
    /// knows whether there is one; `words` are names that an attacker would try first.
    pub fn of(typed: &str, min: usize, or_min: usize, words: &[&str]) -> Self {
        let chars: Vec<char> = typed.chars().flat_map(char::to_lowercase).collect();
        let n = typed.chars().count();
        if n == 0 {
            return Self::Empty;
        }
        if n < min {
            return Self::Short(min - n);
        }
        if period(&chars) < min {
            return Self::Weak("it repeats itself");
        }
        if 5 * in_a_row(&chars) >= 3 * (chars.len() - 1) {
            return Self::Weak("it is a row of letters, digits or keys");
        }
        if without(&chars, words) < PASSWORD_MIN_WITH_FACTOR {
            return Self::Weak("it is little more than a name that everybody here knows");
        }
        if n < or_min { Self::ShortWithoutFactor(or_min - n) } else { Self::LongEnough }
    }

    /// The same in words; empty where there is nothing to say.
    pub fn words(&self) -> String {
        let more = |n: usize| if n == 1 { "1 more character".to_owned() } else { format!("{n} more characters") };
        match self {
            Self::Empty => String::new(),
            Self::Short(n) => format!("Too short: {} needed.", more(*n)),
            Self::ShortWithoutFactor(n) => format!("Long enough with a second factor; without one, {} needed.", more(*n)),
            Self::Weak(why) => format!("Easily guessed: {why}. Choose several unrelated words."),
            Self::LongEnough => {
                "Long enough. Whether it is among the passwords that are guessed first is checked when you send it.".to_owned()
            }
        }
    }
}

/// The shortest part of which the whole is a repetition; the last one may be cut.
fn period(chars: &[char]) -> usize {
    (1..chars.len()).find(|p| chars.iter().skip(*p).zip(chars).all(|(a, b)| a == b)).unwrap_or(chars.len())
}

/// Rows of a keyboard, in which neighbours are typed as easily as in the alphabet.
const KEYS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// How many characters follow the one before them in the alphabet, among the digits or on a keyboard, or are the same.
fn in_a_row(chars: &[char]) -> usize {
    let beside = |a: char, b: char| {
        let place = |row: &str, c: char| row.find(c);
        KEYS.iter().any(|row| place(row, a).zip(place(row, b)).is_some_and(|(a, b)| a.abs_diff(b) == 1))
    };
    let follows = |a: char, b: char| u32::from(a).abs_diff(u32::from(b)) <= 1 || beside(a, b);
    chars.windows(2).filter(|pair| follows(pair[0], pair[1])).count()
}

/// How many characters are left once the words are taken out.
fn without(chars: &[char], words: &[&str]) -> usize {
    let mut left: String = chars.iter().collect();
    for word in words.iter().flat_map(|w| w.split(|c: char| !c.is_alphanumeric())).filter(|w| w.chars().count() >= 4) {
        left = left.replace(&word.to_lowercase(), "");
    }
    left.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(typed: &str) -> PasswordHint {
        PasswordHint::of(typed, PASSWORD_MIN, PASSWORD_MIN, &["Acme Corporation", "dev@example.test"])
    }

    #[test]
    fn what_is_too_short_repeated_in_a_row_or_a_name_is_told() {
        assert_eq!((hint(""), hint("fourteen chars")), (PasswordHint::Empty, PasswordHint::Short(1)));
        assert_eq!(hint("märz über öl zwölf"), PasswordHint::LongEnough, "characters, not bytes");
        for weak in [
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabcab",
            "passwordpassword",
            "abcdefghijklmnop",
            "qwertyuiopasdfgh",
            "123456789012345",
            "987654321098765",
        ] {
            assert!(matches!(hint(weak), PasswordHint::Weak(_)), "{weak}: {:?}", hint(weak));
        }
        assert!(matches!(hint("AcmeCorporation1!"), PasswordHint::Weak(_)));
        for good in ["gravel orbit lantern seven", "correct horse battery staple ridge", &"gravel orbit lantern seven ".repeat(3)] {
            assert_eq!(hint(good), PasswordHint::LongEnough, "{good}");
        }
    }

    #[test]
    fn where_nobody_knows_of_a_second_factor_both_lengths_are_told() {
        let hint = |typed: &str| PasswordHint::of(typed, PASSWORD_MIN_WITH_FACTOR, PASSWORD_MIN, &[]).words();
        assert_eq!(hint("vmQ7!xL"), "Too short: 1 more character needed.");
        assert_eq!(hint("vmQ7!xLr"), "Long enough with a second factor; without one, 7 more characters needed.");
    }

    #[test]
    fn nothing_is_called_strong() {
        for said in [PasswordHint::LongEnough, PasswordHint::ShortWithoutFactor(2), PasswordHint::Weak("x"), PasswordHint::Short(2)] {
            assert!(!said.words().to_lowercase().contains("strong") && !said.words().contains("good"), "{said:?}");
        }
    }
}
