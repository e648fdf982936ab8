//! Numbers as iproute2 reads them.

/// A number up to `max`: decimal, hexadecimal with `0x` or octal with a leading zero
/// (`strtoul()` with base 0).
pub(super) fn number(text: &str, max: u64) -> Option<u64> {
    let (digits, radix) = if let Some(digits) = hex_digits(text) {
        (digits, 16)
    } else if let Some(digits) = text.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (digits, 8)
    } else {
        (text, 10)
    };
    parse(digits, radix, max)
}

/// A number up to `max`, hexadecimal with or without `0x`: how `ip` reads a TOS byte.
pub(super) fn hexadecimal(text: &str, max: u64) -> Option<u64> {
    parse(hex_digits(text).unwrap_or(text), 16, max)
}

/// A number of 32 bits or fewer, see [`number`].
pub(super) fn number32(text: &str, max: u32) -> Option<u32> {
    number(text, max.into())?.try_into().ok()
}

/// A number of 16 bits, see [`number`].
pub(super) fn number16(text: &str) -> Option<u16> {
    number(text, u16::MAX.into())?.try_into().ok()
}

fn hex_digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn parse(digits: &str, radix: u32, max: u64) -> Option<u64> {
    // from_str_radix would take a sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix)
        .ok()
        .filter(|value| *value <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, want) in [
            ("0", Some(0)),
            ("00", Some(0)),
            ("42", Some(42)),
            ("0x2a", Some(42)),
            ("0X2A", Some(42)),
            ("052", Some(42)),
            ("255", Some(255)),
            ("256", None),
            ("08", None),
            ("0x", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("0x+1", None),
            ("1 ", None),
            ("4_2", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(number(text, 255), want, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_numbers() {
        for (text, want) in [
            ("10", Some(0x10)),
            ("0x10", Some(0x10)),
            ("ff", Some(255)),
            ("100", None),
            ("g", None),
        ] {
            assert_eq!(hexadecimal(text, 255), want, "{text:?}");
        }
    }
}
