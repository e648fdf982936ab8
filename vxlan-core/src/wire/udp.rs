//! The 8-byte UDP header (RFC 768; `struct udphdr` in Linux).
//!
//! ```text
//!   0             2                  4        6          8
//!  | source port | destination port | length | checksum |
//! ```
//!
//! The length counts header and payload. A checksum field of zero means that there is none.

use super::{Addresses, Error, Layer, protocol};
use crate::checksum::Sum;
use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A UDP header.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    source: U16,
    destination: U16,
    length: U16,
    checksum: U16,
}

impl Header {
    /// The length of the header: 8 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// The header of a datagram that is `length` bytes long, header included. Its checksum is
    /// absent until [`Self::set_checksum`].
    #[must_use]
    pub const fn new(source: u16, destination: u16, length: u16) -> Self {
        Self {
            source: U16::new(source),
            destination: U16::new(destination),
            length: U16::new(length),
            checksum: U16::new(0),
        }
    }

    /// Takes the header off the front of a datagram, whatever its length field says.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Udp, bytes)
    }

    /// Lends the header at the front of a datagram, to be changed in place.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split_mut(bytes: &mut [u8]) -> Result<(&mut Self, &mut [u8]), Error> {
        super::split_mut(Layer::Udp, bytes)
    }

    /// Takes the header off the front of a datagram and returns it with the payload; bytes behind
    /// the stated length are cut off. The checksum is not looked at: see [`verify`].
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if header or stated length go beyond the bytes, [`Error::Length`] if
    /// the stated length is below [`Self::LEN`].
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (header, behind) = Self::split(bytes)?;
        let stated = usize::from(header.length.get());
        let Some(payload) = stated.checked_sub(Self::LEN) else {
            return Err(Error::Length {
                layer: Layer::Udp,
                least: Self::LEN,
                stated,
            });
        };
        match behind.get(..payload) {
            Some(payload) => Ok((header, payload)),
            None => Err(Error::Truncated {
                layer: Layer::Udp,
                need: stated,
                have: bytes.len(),
            }),
        }
    }

    /// Puts the header in front of `out` and returns what follows it.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::LEN`].
    #[inline]
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o mut [u8], Error> {
        super::write(Layer::Udp, self, out)
    }

    /// The header as it lies on the wire.
    #[must_use]
    #[inline]
    pub fn to_bytes(self) -> [u8; 8] {
        zerocopy::transmute!(self)
    }

    /// The port of the sender.
    #[must_use]
    pub const fn source(&self) -> u16 {
        self.source.get()
    }

    /// The port of the receiver.
    #[must_use]
    pub const fn destination(&self) -> u16 {
        self.destination.get()
    }

    /// The stated length of header and payload, in bytes.
    #[must_use]
    pub const fn length(&self) -> u16 {
        self.length.get()
    }

    /// The checksum field. Zero: there is none.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        self.checksum.get()
    }

    /// Changes the port of the sender.
    pub const fn set_source(&mut self, source: u16) {
        self.source = U16::new(source);
    }

    /// Changes the stated length of header and payload.
    pub const fn set_length(&mut self, length: u16) {
        self.length = U16::new(length);
    }

    /// Changes the checksum field.
    pub const fn set_checksum(&mut self, checksum: u16) {
        self.checksum = U16::new(checksum);
    }
}

/// What the checksum field of a datagram says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The field is zero. Over IPv4 such a datagram is as good as a valid one; over IPv6 only where
    /// it was agreed on (RFC 6935 section 5).
    Absent,
    /// The checksum is right.
    Valid,
    /// The checksum is wrong.
    Invalid,
}

/// The value for the checksum field of `datagram`, whose own field counts as zero. Never zero: that
/// would mean "no checksum", so 0xffff stands in (RFC 768; `udp_set_csum()`).
///
/// `datagram` is header and payload, without anything behind its stated length.
///
/// ```
/// use core::net::Ipv4Addr;
/// use vxlan_core::wire::{Addresses, udp};
///
/// let addresses = Addresses::V4 {
///     source: Ipv4Addr::new(192, 0, 2, 1),
///     destination: Ipv4Addr::new(192, 0, 2, 2),
/// };
/// let mut datagram = udp::Header::new(50000, 4789, 8);
/// datagram.set_checksum(udp::checksum(addresses, &datagram.to_bytes()));
/// assert_eq!(udp::verify(addresses, &datagram.to_bytes()), udp::Verdict::Valid);
/// ```
#[must_use]
#[inline]
pub fn checksum(addresses: Addresses, datagram: &[u8]) -> u16 {
    let sum = pseudo_header_sum(addresses, datagram.len());
    let sum = match Header::split(datagram) {
        Ok((header, payload)) => sum
            .add_u16(header.source())
            .add_u16(header.destination())
            .add_u16(header.length())
            .add_bytes(payload),
        Err(_) => sum.add_bytes(datagram),
    };
    never_zero(sum.complement())
}

/// Whether the checksum of `datagram` is right. `datagram` is header and payload, without anything
/// behind its stated length; one shorter than a header has no field, so its checksum is absent.
#[must_use]
#[inline]
pub fn verify(addresses: Addresses, datagram: &[u8]) -> Verdict {
    if Header::split(datagram).map_or(0, |(header, _)| header.checksum()) == 0 {
        return Verdict::Absent;
    }
    let sum = pseudo_header_sum(addresses, datagram.len()).add_bytes(datagram);
    if sum.fold() == 0xffff {
        Verdict::Valid
    } else {
        Verdict::Invalid
    }
}

/// The sum of the pseudo header of a datagram that is `length` bytes long, header included.
#[inline]
pub fn pseudo_header_sum(addresses: Addresses, length: usize) -> Sum {
    // No slice that an IP packet can carry is longer.
    addresses.pseudo_header_sum(protocol::UDP, u32::try_from(length).unwrap_or(u32::MAX))
}

/// The checksum as it is sent: 0xffff in the place of zero (`CSUM_MANGLED_0`).
#[must_use]
#[inline]
pub const fn never_zero(checksum: u16) -> u16 {
    if checksum == 0 { 0xffff } else { checksum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use proptest::collection::vec;
    use proptest::prelude::*;

    const V4: Addresses = Addresses::V4 {
        source: Ipv4Addr::new(10, 9, 0, 2),
        destination: Ipv4Addr::new(10, 9, 0, 1),
    };
    const V6: Addresses = Addresses::V6 {
        source: Ipv6Addr::new(0xfd09, 0, 0, 0, 0, 0, 0, 2),
        destination: Ipv6Addr::new(0xfd09, 0, 0, 0, 0, 0, 0, 1),
    };

    #[test]
    fn fields_lie_where_the_drawing_says() {
        let bytes = [0xc3, 0x50, 0x12, 0xb5, 0x00, 0x0a, 0x42, 0x0e, 1, 2, 3];
        let (header, payload) = Header::parse(&bytes).unwrap();
        assert_eq!((header.source(), header.destination()), (50000, 4789));
        assert_eq!((header.length(), header.checksum()), (10, 0x420e));
        assert_eq!(payload, [1, 2], "the third byte lies behind the datagram");
    }

    /// The length field is taken from the wire: below the header it must not underflow.
    #[test]
    fn lesson_a_stated_length_neither_underflows_nor_overruns() {
        for (stated, want) in [
            (0, None),
            (7, None),
            (8, Some(0)),
            (12, Some(4)),
            (13, None),
            (0xffff, None),
        ] {
            let mut bytes = [0; 12];
            Header::new(1, 2, stated).write(&mut bytes).unwrap();
            let parsed = Header::parse(&bytes);
            assert_eq!(parsed.map(|(_, p)| p.len()).ok(), want, "{stated}");
        }
        let mut bytes = [0; 12];
        Header::new(1, 2, 7).write(&mut bytes).unwrap();
        let layer = Layer::Udp;
        let (least, stated) = (8, 7);
        let want = Error::Length {
            layer,
            least,
            stated,
        };
        assert_eq!(Header::parse(&bytes), Err(want));
        Header::new(1, 2, 13).write(&mut bytes).unwrap();
        let (need, have) = (13, 12);
        let want = Error::Truncated { layer, need, have };
        assert_eq!(Header::parse(&bytes), Err(want));
    }

    #[test]
    fn short() {
        for have in 0..Header::LEN {
            let want = Error::Truncated {
                layer: Layer::Udp,
                need: 8,
                have,
            };
            let mut bytes = [0; 8];
            let bytes = &mut bytes[..have];
            assert_eq!(Header::parse(bytes), Err(want));
            assert_eq!(Header::split_mut(bytes), Err(want));
            assert_eq!(Header::new(1, 2, 8).write(bytes), Err(want));
            assert_eq!(verify(V4, bytes), Verdict::Absent);
        }
    }

    /// A datagram whose sum is all ones: the checksum would be zero, which means "absent".
    #[test]
    fn lesson_a_computed_checksum_is_never_zero() {
        for addresses in [V4, V6] {
            let mut datagram = [0; 10];
            Header::new(50000, 4789, 10).write(&mut datagram).unwrap();
            let fill = checksum(addresses, &datagram);
            datagram[8..].copy_from_slice(&fill.to_be_bytes());
            assert_eq!(checksum(addresses, &datagram), 0xffff);
            datagram[6..8].copy_from_slice(&[0xff, 0xff]);
            assert_eq!(verify(addresses, &datagram), Verdict::Valid);
            datagram[6..8].copy_from_slice(&[0, 0]);
            assert_eq!(verify(addresses, &datagram), Verdict::Absent);
        }
        assert_eq!(never_zero(1), 1);
    }

    proptest! {
        #[test]
        fn round_trip(source: u16, destination: u16, payload in vec(any::<u8>(), 0..64), check: u16) {
            let mut header = Header::new(0, destination, 0);
            header.set_source(source);
            header.set_length(8 + payload.len() as u16);
            header.set_checksum(check);
            let mut bytes = vec![0; 8 + payload.len()];
            header.write(&mut bytes).unwrap().copy_from_slice(&payload);
            prop_assert_eq!(Header::parse(&bytes), Ok((header, &payload[..])));
            let alone = header.to_bytes();
            prop_assert_eq!(Header::split(&alone), Ok((header, &[][..])));
            prop_assert_eq!((header.source(), header.checksum()), (source, check));
        }

        #[test]
        fn a_computed_checksum_is_valid_and_a_changed_bit_makes_it_wrong(
            mut datagram in vec(any::<u8>(), 8..100), v6: bool, at: usize, bit in 0..8,
        ) {
            let addresses = if v6 { V6 } else { V4 };
            let sum = checksum(addresses, &datagram);
            prop_assert_ne!(sum, 0);
            datagram[6..8].copy_from_slice(&sum.to_be_bytes());
            prop_assert_eq!(checksum(addresses, &datagram), sum, "the field itself does not count");
            prop_assert_eq!(verify(addresses, &datagram), Verdict::Valid);
            let at = at % datagram.len();
            datagram[at] ^= 1_u8 << bit;
            let absent = datagram[6..8] == [0, 0];
            let want = if absent { Verdict::Absent } else { Verdict::Invalid };
            prop_assert_eq!(verify(addresses, &datagram), want);
        }

        #[test]
        fn parses_or_refuses(bytes in vec(any::<u8>(), 0..32)) {
            if let Ok((header, payload)) = Header::parse(&bytes) {
                prop_assert_eq!(payload.len() + 8, usize::from(header.length()));
            }
        }
    }
}
