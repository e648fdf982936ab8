//! Numbers as people read them.

use std::time::Duration;

/// Digits in groups of three.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes, in binary units.
pub(super) fn bytes(number: u64) -> String {
    let (unit, name) = match number {
        0..1024 => return format!("{number} B"),
        1024..1_048_576 => (1024.0, "KiB"),
        _ => (1_048_576.0, "MiB"),
    };
    let value = number as f64 / unit;
    if number.is_multiple_of(unit as u64) {
        format!("{value} {name}")
    } else {
        format!("{value:.1} {name}")
    }
}

/// Bits in a second, in decimal units, as line rates are.
pub(super) fn rate(bytes: u64, time: Duration) -> String {
    let bits = bytes as f64 * 8.0 / time.as_secs_f64().max(1e-9);
    if bits >= 1e9 {
        format!("{:.2} Gbit/s", bits / 1e9)
    } else {
        format!("{:.0} Mbit/s", bits / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_and_units() {
        for (number, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (48_102, "48,102"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), want);
        }
        for (number, want) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (64 << 20, "64 MiB"),
            ((64 << 20) + 100_000, "64.1 MiB"),
            (5 << 30, "5120 MiB"),
        ] {
            assert_eq!(bytes(number), want);
        }
        assert_eq!(rate(125_000_000, Duration::from_secs(1)), "1.00 Gbit/s");
        assert_eq!(rate(125_000, Duration::from_millis(10)), "100 Mbit/s");
    }
}
