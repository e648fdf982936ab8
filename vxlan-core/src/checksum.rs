//! The Internet checksum: RFC 1071 sums and RFC 1624 updates.

/// A ones-complement sum that bytes and words can still be added to (`__wsum` in Linux).
///
/// The order of the additions does not matter. Each slice counts as big-endian 16-bit words from
/// its own start, at whatever address it lies; one of odd length is padded with a zero byte, so
/// only the last slice of a message may be odd.
///
/// ```
/// use vxlan_core::checksum::Sum;
///
/// let sum = Sum::ZERO.add_bytes(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
/// assert_eq!(sum.fold(), 0xddf2); // the example of RFC 1071 section 3
/// assert_eq!(sum.complement(), !0xddf2);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Sum {
    // In the machine's own byte order (RFC 1071 section 2B): swapped once, when folded.
    native: u64,
}

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Self = Self { native: 0 };

    /// Adds a slice (`csum_partial()`).
    #[inline]
    pub fn add_bytes(self, bytes: &[u8]) -> Self {
        // The upper half collects the carries: one `add` and one `adc` per eight bytes.
        let mut sum = u128::from(self.native);
        let (blocks, tail) = bytes.as_chunks::<8>();
        for &block in blocks {
            sum += u128::from(u64::from_ne_bytes(block));
        }
        let (words, tail) = tail.as_chunks::<2>();
        for &word in words {
            sum += u128::from(u16::from_ne_bytes(word));
        }
        if let &[last] = tail {
            sum += u128::from(u16::from_ne_bytes([last, 0]));
        }
        // Fewer than 2^62 additions were made, so the carries fit a word.
        Self {
            native: add_carry(sum as u64, (sum >> 64) as u64),
        }
    }

    /// Adds a 16-bit number.
    #[inline]
    pub const fn add_u16(self, word: u16) -> Self {
        Self {
            native: add_carry(self.native, word.to_be() as u64),
        }
    }

    /// Adds a 32-bit number.
    #[inline]
    pub const fn add_u32(self, words: u32) -> Self {
        Self {
            native: add_carry(self.native, words.to_be() as u64),
        }
    }

    /// Adds another sum (`csum_add()`).
    #[inline]
    pub const fn add(self, other: Self) -> Self {
        Self {
            native: add_carry(self.native, other.native),
        }
    }

    /// Takes another sum away (`csum_sub()`): its complement is added.
    #[inline]
    pub const fn subtract(self, other: Self) -> Self {
        self.add_u16(other.complement())
    }

    /// The sum as 16 bits, not inverted. Zero only if all that was added is zero.
    #[must_use]
    #[inline]
    pub const fn fold(self) -> u16 {
        // Adding a word to itself turned by half leaves the carry in the upper half.
        let sum = (self.native.wrapping_add(self.native.rotate_left(32)) >> 32) as u32;
        let sum = (sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16;
        u16::from_be(sum)
    }

    /// The checksum: the folded sum inverted (`csum_fold()`).
    #[must_use]
    #[inline]
    pub const fn complement(self) -> u16 {
        !self.fold()
    }
}

/// The folded sum of a slice. A message that contains its own right checksum gives 0xffff.
#[must_use]
#[inline]
pub fn sum(bytes: &[u8]) -> u16 {
    Sum::ZERO.add_bytes(bytes).fold()
}

/// The checksum after one 16-bit word of the message changed (RFC 1624 equation 3;
/// `csum_replace2()`).
///
/// Equal to the checksum computed anew as long as any other word of the message is not zero, as
/// one always is in an IPv4 header or behind a pseudo header.
///
/// ```
/// use vxlan_core::checksum;
///
/// // The example of RFC 1624 section 4.
/// assert_eq!(checksum::update(0xdd2f, 0x5555, 0x3285), 0x0000);
/// ```
#[must_use]
#[inline]
pub const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    Sum::ZERO
        .add_u16(!checksum)
        .add_u16(!old)
        .add_u16(new)
        .complement()
}

/// Fills in a transport checksum that is still to be computed (`skb_checksum_help()`).
///
/// The 16-bit field lies `offset` bytes behind `start` and holds the pseudo-header sum; it becomes
/// the checksum of everything from `start` to the end, and 0xffff where that is zero. False, and
/// nothing changed, if the field is not within the frame.
#[must_use]
pub fn fill(frame: &mut [u8], start: usize, offset: usize) -> bool {
    let Some(covered) = frame.get_mut(start..) else {
        return false;
    };
    let checksum = match sum(covered) {
        0xffff => 0xffff,
        sum => !sum,
    };
    let Some(field) = covered.get_mut(offset..).and_then(<[u8]>::first_chunk_mut) else {
        return false;
    };
    *field = checksum.to_be_bytes();
    true
}

/// Ones-complement addition: the carry comes back in at the low end.
#[inline]
const fn add_carry(a: u64, b: u64) -> u64 {
    let (sum, carry) = a.overflowing_add(b);
    // After a carry the sum is below 2^64 - 1.
    sum.wrapping_add(carry as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The definition, word by word.
    fn reference(bytes: &[u8]) -> u16 {
        let mut sum = 0_u64;
        for pair in bytes.chunks(2) {
            sum += u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    #[test]
    fn known_sums() {
        for (name, bytes, want) in [
            ("nothing", &[][..], 0),
            ("odd", &[0x12], 0x1200),
            ("word", &[0x12, 0x34], 0x1234),
            ("odd tail", &[0x12, 0x34, 0x56], 0x6834),
            ("carry", &[0xff, 0xff, 0x00, 0x01], 0x0001),
            ("negative zero stays", &[0xff; 34], 0xffff),
            ("zeros", &[0; 17], 0),
        ] {
            assert_eq!(sum(bytes), want, "{name}");
        }
    }

    #[test]
    fn every_carry_comes_back() {
        let bytes = [0xff; 65_535];
        for len in [8, 16, 1500, 65_534, 65_535] {
            assert_eq!(sum(&bytes[..len]), reference(&bytes[..len]), "{len}");
        }
        let full = Sum { native: u64::MAX };
        assert_eq!(full.add(full).fold(), 0xffff);
        assert_eq!(full.add_u32(1).fold(), 1);
    }

    proptest! {
        #[test]
        fn equals_the_definition(bytes in vec(any::<u8>(), 0..200), start in 0_usize..16) {
            let bytes = bytes.get(start..).unwrap_or_default();
            prop_assert_eq!(sum(bytes), reference(bytes));
        }

        #[test]
        fn may_be_cut_at_any_even_place(bytes in vec(any::<u8>(), 0..200), cut in 0_usize..100) {
            let cut = (cut * 2).min(bytes.len() & !1);
            let (head, tail) = bytes.split_at(cut);
            let (head, tail) = (Sum::ZERO.add_bytes(head), Sum::ZERO.add_bytes(tail));
            let whole = reference(&bytes);
            prop_assert_eq!(head.add(tail).fold(), whole);
            prop_assert_eq!(head.add_bytes(&bytes[cut..]).fold(), whole);
            // Zero has two forms; apart from that a subtraction undoes an addition.
            let rest = head.add(tail).subtract(head).fold();
            prop_assert_eq!(rest % 0xffff, tail.fold() % 0xffff);
        }

        #[test]
        fn words_are_their_bytes(a: u16, b: u32) {
            let [c, d] = a.to_be_bytes();
            let [e, f, g, h] = b.to_be_bytes();
            prop_assert_eq!(Sum::ZERO.add_u16(a).add_u32(b).fold(), reference(&[c, d, e, f, g, h]));
        }

        #[test]
        fn a_message_with_its_checksum_sums_to_all_ones(mut bytes in vec(any::<u8>(), 2..100)) {
            bytes[0] = 0;
            bytes[1] = 0;
            let checksum = Sum::ZERO.add_bytes(&bytes).complement();
            bytes[..2].copy_from_slice(&checksum.to_be_bytes());
            prop_assert_eq!(sum(&bytes), 0xffff);
        }

        #[test]
        fn an_update_equals_the_checksum_anew(
            mut bytes in vec(any::<u8>(), 4..60), at in 0_usize..28, new: u16,
        ) {
            let at = (at * 2).min((bytes.len() & !1) - 4) + 2;
            bytes[0] |= 1;
            let before = Sum::ZERO.add_bytes(&bytes).complement();
            let old = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
            bytes[at..at + 2].copy_from_slice(&new.to_be_bytes());
            let after = Sum::ZERO.add_bytes(&bytes).complement();
            prop_assert_eq!(update(before, old, new), after);
        }
    }

    #[test]
    fn fill_replaces_the_pseudo_header_sum() {
        // UDP from 1.1.1.1:1 to 2.2.2.2:2, "hello!", the pseudo-header sum in the field.
        let mut frame = [0; 34 + 14];
        frame[34..].copy_from_slice(b"\x00\x01\x00\x02\x00\x0e\x06\x25hello!");
        assert!(fill(&mut frame, 34, 6));
        assert_eq!(frame[40..42], [0xb5, 0xd6]);
        for (start, offset) in [(49, 0), (34, 13), (48, 0), (usize::MAX, 1), (0, usize::MAX)] {
            let before = frame;
            assert!(!fill(&mut frame, start, offset), "{start} {offset}");
            assert_eq!(frame, before);
        }
    }

    /// T-24: a computed checksum is never zero.
    #[test]
    fn t24_fill_never_gives_zero() {
        let mut frame = [0xff, 0xff, 0x00, 0x00];
        assert!(fill(&mut frame, 0, 2));
        assert_eq!(frame, [0xff, 0xff, 0xff, 0xff]);
    }
}
