//! The 8-byte head of the ICMPv6 message "packet too big" (RFC 4443 section 3.2;
//! `struct icmp6hdr` in Linux).
//!
//! ```text
//!   0        1        2          4         8
//!  | type 2 | code 0 | checksum | MTU     | the packet that was too long
//! ```

use super::{Addresses, protocol};
use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const PACKET_TOO_BIG: u8 = 2;

/// The head of a "packet too big" message.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    kind: u8,
    code: u8,
    checksum: U16,
    mtu: U32,
}

impl Header {
    /// The length of the head: 8 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// "Packet too big", sent between `addresses`, about the packet that begins with `quote`,
    /// checksum included.
    #[must_use]
    pub fn packet_too_big(mtu: u32, addresses: Addresses, quote: &[u8]) -> Self {
        let mut header = Self {
            kind: PACKET_TOO_BIG,
            code: 0,
            checksum: U16::new(0),
            mtu: U32::new(mtu),
        };
        // No IPv6 packet is longer than a u32 counts.
        let length = u32::try_from(Self::LEN.saturating_add(quote.len())).unwrap_or(u32::MAX);
        let sum = addresses
            .pseudo_header_sum(protocol::ICMPV6, length)
            .add_bytes(header.as_bytes())
            .add_bytes(quote);
        header.checksum = U16::new(sum.complement());
        header
    }

    /// The head as it lies on the wire.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        zerocopy::transmute!(self)
    }
}

/// Whether an ICMPv6 message is one that Linux never answers with an error: types 1 to 4, and
/// redirects, type 137 (RFC 4443 section 2.4 e; `icmpv6_is_err()`). Other error types below 128
/// are answered. `None` without a first byte.
#[must_use]
pub const fn is_error(message: &[u8]) -> Option<bool> {
    match message {
        [] => None,
        [kind, ..] => Some(matches!(kind, 1..=4 | 137)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::net::Ipv6Addr;

    #[test]
    fn t28_the_head_says_type_2_and_the_mtu() {
        let addresses = Addresses::V6 {
            source: Ipv6Addr::from_octets([0xfd; 16]),
            destination: Ipv6Addr::from_octets([0x20; 16]),
        };
        for quote in [&b"quoted"[..], b"odd", b""] {
            let head = Header::packet_too_big(0x0001_0500, addresses, quote).to_bytes();
            assert_eq!((&head[..2], &head[4..]), (&[2, 0][..], &[0, 1, 5, 0][..]));
            let sum = addresses
                .pseudo_header_sum(58, 8 + quote.len() as u32)
                .add_bytes(&head)
                .add_bytes(quote);
            assert_eq!(sum.fold(), 0xffff);
        }
    }

    #[test]
    fn t28_errors_are_five_types() {
        let errors: Vec<u8> = (0..=255)
            .filter(|&kind| is_error(&[kind, 0]) == Some(true))
            .collect();
        assert_eq!(errors, [1, 2, 3, 4, 137]);
        assert_eq!(is_error(&[]), None);
    }
}
