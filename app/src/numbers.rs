//! Numbers as people read them.

pub use contract::{counted, thousands};

/// A share in percent: `1.3`, `<0.1`, `0`.
pub fn percent(part: i64, whole: i64) -> String {
    if part == 0 || whole == 0 {
        return "0".to_owned();
    }
    let tenths = (part.saturating_mul(2000) / whole + 1) / 2;
    match tenths {
        0 => "<0.1".to_owned(),
        n if n % 10 == 0 => format!("{}", n / 10),
        n => format!("{}.{}", n / 10, n % 10),
    }
}

/// A number at an axis: `50k`.
pub fn compact(n: i64) -> String {
    match n {
        1_000_000.. if n % 100_000 == 0 => short(n, 1_000_000, "M"),
        1_000.. if n % 100 == 0 => short(n, 1_000, "k"),
        _ => thousands(n),
    }
}

fn short(n: i64, unit: i64, letter: &str) -> String {
    let tenths = n * 10 / unit;
    if tenths % 10 == 0 { format!("{}{letter}", tenths / 10) } else { format!("{}.{}{letter}", tenths / 10, tenths % 10) }
}

/// A short time in the unit that fits: `175 µs`, `1.2 ms`.
pub fn latency(us: u32) -> String {
    if us < 1000 { format!("{us} µs") } else { format!("{}.{} ms", us / 1000, us % 1000 / 100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_never_rounds_what_is_there_to_nothing() {
        assert_eq!(
            [percent(0, 9), percent(13, 1000), percent(1, 100_000), percent(1, 2), percent(9, 9)],
            ["0", "1.3", "<0.1", "50", "100"]
        );
    }

    #[test]
    fn numbers_at_an_axis_are_short() {
        assert_eq!([0, 250, 1000, 1500, 50_000, 2_500_000].map(compact), ["0", "250", "1k", "1.5k", "50k", "2.5M"]);
    }

    #[test]
    fn a_latency_has_the_unit_that_fits() {
        assert_eq!([175, 1240].map(latency), ["175 µs", "1.2 ms"]);
    }
}
