//! Numbers as people read them.

/// `184201` as `184,201`.
pub fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0 { format!("-{out}") } else { out }
}

/// A short time in the unit that fits: `175 µs`, `1.2 ms`.
pub fn latency(us: u32) -> String {
    if us < 1000 { format!("{us} µs") } else { format!("{}.{} ms", us / 1000, us % 1000 / 100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 184_201, -1_234_567].map(thousands), ["0", "999", "1,000", "184,201", "-1,234,567"]);
    }

    #[test]
    fn a_latency_has_the_unit_that_fits() {
        assert_eq!([175, 1240].map(latency), ["175 µs", "1.2 ms"]);
    }
}
