//! IPv6 extension headers (RFC 8200 section 4), as far as to step over them.

/// Hop-by-hop options.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
/// Authentication (RFC 4302), whose length counts in words of 4 bytes.
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;

/// Where a fragment's 13-bit offset is, and where not.
const FRAGMENT_OFFSET: u16 = 0xfff8;

/// Steps over the extension headers that begin `at` bytes into `bytes`, the first being of type
/// `next_header`. Returns protocol and place of what follows them (`ipv6_skip_exthdr()`).
///
/// `None` if a header is cut off, if there is no next header, or behind the header of any but the
/// first fragment, where nothing more is known. The place may lie beyond the bytes.
///
/// ```
/// use vxlan_core::wire::extension;
///
/// let options = [17, 0, 5, 2, 0, 0, 1, 0]; // a router alert, then UDP
/// assert_eq!(extension::skip(&options, 0, 0), Some((17, 8)));
/// assert_eq!(extension::skip(&options, 17, 0), Some((17, 0)));
/// assert_eq!(extension::skip(&options[..1], 0, 0), None);
/// ```
#[must_use]
pub fn skip(bytes: &[u8], mut next_header: u8, mut at: usize) -> Option<(u8, usize)> {
    // Every header takes at least 8 bytes, so this ends.
    loop {
        let length = match next_header {
            NO_NEXT_HEADER => return None,
            HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION_OPTIONS => {
                let &[next, length] = bytes.get(at..)?.first_chunk()?;
                let kind = core::mem::replace(&mut next_header, next);
                match kind {
                    FRAGMENT => {
                        let field = bytes.get(at.checked_add(2)?..)?.first_chunk()?;
                        if u16::from_be_bytes(*field) & FRAGMENT_OFFSET != 0 {
                            return None;
                        }
                        8
                    }
                    AUTHENTICATION => (usize::from(length) + 2) * 4,
                    _ => (usize::from(length) + 1) * 8,
                }
            }
            _ => return Some((next_header, at)),
        };
        at = at.checked_add(length)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn t28_each_header_has_its_own_step() {
        let zero = [0; 8];
        for (name, bytes, first, want) in [
            ("none", &[][..], 6, Some((6, 0))),
            ("no next header", &[17, 0, 0, 0], 59, None),
            ("hop-by-hop", &[17, 0], 0, Some((17, 8))),
            ("routing", &[17, 2], 43, Some((17, 24))),
            ("options", &[17, 255], 60, Some((17, 2048))),
            ("authentication", &[17, 4], 51, Some((17, 24))),
            ("shortest authentication", &[17, 0], 51, Some((17, 8))),
            ("first fragment", &[17, 99, 0, 7], 44, Some((17, 8))),
            ("second fragment", &[17, 99, 0, 8], 44, None),
            ("last fragment", &[17, 99, 0x80, 0], 44, None),
            ("fragment without an offset", &[17, 0, 0], 44, None),
            ("one byte", &[17], 0, None),
            ("no byte", &[], 60, None),
            (
                "a second one cut off",
                &[60, 0, 0, 0, 0, 0, 0, 0, 6],
                0,
                None,
            ),
            ("no byte behind", &zero, 60, None),
            ("then none", &[59, 0, 0, 0, 0, 0, 0, 0, 6], 0, None),
            (
                "two",
                &[44, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 1],
                0,
                Some((58, 16)),
            ),
            ("encrypted", &[17, 0], 50, Some((50, 0))),
        ] {
            assert_eq!(skip(bytes, first, 0), want, "{name}");
            let moved = [&zero[..3], bytes].concat();
            let want = want.map(|(protocol, at)| (protocol, at + 3));
            assert_eq!(skip(&moved, first, 3), want, "{name}, further back");
        }
        assert_eq!(skip(&zero, 0, usize::MAX), None);
        assert_eq!(skip(&zero, 17, usize::MAX), Some((17, usize::MAX)));
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in vec(any::<u8>(), 0..300), first: u8, at in 0_usize..310) {
            if let Some((_, end)) = skip(&bytes, first, at) {
                prop_assert!(end >= at && end <= bytes.len().max(at) + 2048);
            }
        }

        #[test]
        fn a_chain_of_options_is_walked_to_its_end(count in 0_usize..40) {
            let mut bytes = [60, 0, 0, 0, 0, 0, 0, 0].repeat(count);
            let first = if count == 0 { 17 } else { 60 };
            if let Some(last) = count.checked_sub(1) {
                bytes[last * 8] = 17;
            }
            prop_assert_eq!(skip(&bytes, first, 0), Some((17, count * 8)));
        }
    }
}
