//! The 8-byte head of the ICMP message "fragmentation needed" (RFC 792, RFC 1191 section 4;
//! `struct icmphdr` in Linux).
//!
//! ```text
//!   0        1        2          4        6         8
//!  | type 3 | code 4 | checksum | unused | MTU     | the packet that was too long
//! ```

use crate::checksum::Sum;
use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const DESTINATION_UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;

/// The head of a "fragmentation needed" message.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    kind: u8,
    code: u8,
    checksum: U16,
    unused: U16,
    mtu: U16,
}

impl Header {
    /// The length of the head: 8 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// "Fragmentation needed and DF set" about the packet that begins with `quote`, checksum
    /// included. The field ends at an `mtu` of 65,535.
    #[must_use]
    pub fn fragmentation_needed(mtu: u32, quote: &[u8]) -> Self {
        let mut header = Self {
            kind: DESTINATION_UNREACHABLE,
            code: FRAGMENTATION_NEEDED,
            checksum: U16::new(0),
            unused: U16::new(0),
            mtu: U16::new(u16::try_from(mtu).unwrap_or(u16::MAX)),
        };
        let sum = Sum::ZERO.add_bytes(header.as_bytes()).add_bytes(quote);
        header.checksum = U16::new(sum.complement());
        header
    }

    /// The head as it lies on the wire.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        zerocopy::transmute!(self)
    }
}

/// Whether an ICMP message is an error message: types 3, 4, 5, 11 and 12 (`icmp_is_err()`), which
/// nobody answers with another one (RFC 1122 section 3.2.2). `None` without a first byte.
#[must_use]
pub const fn is_error(message: &[u8]) -> Option<bool> {
    match message {
        [] => None,
        [kind, ..] => Some(matches!(kind, 3 | 4 | 5 | 11 | 12)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum;
    use alloc::vec::Vec;

    #[test]
    fn t28_the_head_says_type_3_code_4_and_the_mtu() {
        for (mtu, field) in [(576, [2, 0x40]), (65_535, [255; 2]), (65_536, [255; 2])] {
            for quote in [&b"quoted"[..], b"odd", b""] {
                let head = Header::fragmentation_needed(mtu, quote).to_bytes();
                assert_eq!((&head[..2], &head[4..6]), (&[3, 4][..], &[0, 0][..]));
                assert_eq!(head[6..], field);
                let message: Vec<u8> = [&head[..], quote].concat();
                assert_eq!(checksum::sum(&message), 0xffff);
            }
        }
    }

    #[test]
    fn t28_errors_are_five_types() {
        let errors: Vec<u8> = (0..=255)
            .filter(|&kind| is_error(&[kind, 0]) == Some(true))
            .collect();
        assert_eq!(errors, [3, 4, 5, 11, 12]);
        assert_eq!(is_error(&[]), None);
    }
}
