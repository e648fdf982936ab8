//! The IPv4 header (RFC 791 section 3.1; `struct iphdr` in Linux).
//!
//! ```text
//!   0                     1     2              4
//!  | version 4 | words 4 | TOS | total length |
//!   4                6
//!  | identification | 0 | DF | MF | fragment offset 13 |
//!   8     9          10         12       16            20
//!  | TTL | protocol | checksum | source | destination | options: 0 to 40 bytes |
//! ```
//!
//! The header length is counted in 32-bit words, the fragment offset in units of 8 bytes.

mod fragment;

pub use fragment::{Fragment, FragmentError, Fragments, fragments};

use super::{Addresses, Error, Layer};
use crate::checksum::Sum;
use core::net::Ipv4Addr;
use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Version 4 and a header of five words: no options.
const VERSION_4_PLAIN: u8 = 0x45;
const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// What an IPv4 header says, for [`Header::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Type of service: DSCP in the upper six bits, ECN in the lower two.
    pub tos: u8,
    /// The length of header and payload, in bytes.
    pub total_length: u16,
    /// Shared by the fragments of one packet.
    pub identification: u16,
    /// Whether routers must not fragment the packet.
    pub dont_fragment: bool,
    /// The time to live, in hops.
    pub ttl: u8,
    /// The protocol of the payload, such as [`UDP`](super::protocol::UDP).
    pub protocol: u8,
    /// The sender.
    pub source: Ipv4Addr,
    /// The receiver.
    pub destination: Ipv4Addr,
}

/// An IPv4 header without its options.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    version_words: u8,
    tos: u8,
    total_length: U16,
    identification: U16,
    flags_offset: U16,
    ttl: u8,
    protocol: u8,
    checksum: U16,
    source: [u8; 4],
    destination: [u8; 4],
}

impl Header {
    /// The length of the header without options: 20 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// The header with these fields: no options, no fragment, the checksum filled in.
    #[must_use]
    #[inline]
    pub fn new(fields: &Fields) -> Self {
        let mut header = Self {
            version_words: VERSION_4_PLAIN,
            tos: fields.tos,
            total_length: U16::new(fields.total_length),
            identification: U16::new(fields.identification),
            flags_offset: U16::new(if fields.dont_fragment {
                DONT_FRAGMENT
            } else {
                0
            }),
            ttl: fields.ttl,
            protocol: fields.protocol,
            checksum: U16::new(0),
            source: fields.source.octets(),
            destination: fields.destination.octets(),
        };
        header.fill_checksum(&[]);
        header
    }

    /// Takes 20 bytes off the front of a packet, whatever they say. What follows may begin with
    /// options.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Ipv4, bytes)
    }

    /// Lends the header at the front of a packet, to be changed in place. What follows may begin
    /// with options.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split_mut(bytes: &mut [u8]) -> Result<(&mut Self, &mut [u8]), Error> {
        super::split_mut(Layer::Ipv4, bytes)
    }

    /// Takes the header off the front of a packet and returns it with its options and the payload;
    /// bytes behind the total length are cut off (`ip_rcv_core()`). The checksum is not looked at:
    /// see [`Self::verify_checksum`].
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if header or total length go beyond the bytes, [`Error::Version`] if the
    /// version is not 4, [`Error::Length`] if the header length is below [`Self::LEN`] or the total
    /// length below the header length.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8], &[u8]), Error> {
        let layer = Layer::Ipv4;
        let (header, behind) = Self::split(bytes)?;
        if header.version() != 4 {
            let version = header.version();
            return Err(Error::Version { layer, version });
        }
        let stated = header.header_len();
        let Some(options) = stated.checked_sub(Self::LEN) else {
            let least = Self::LEN;
            return Err(Error::Length {
                layer,
                least,
                stated,
            });
        };
        let (least, stated) = (stated, usize::from(header.total_length()));
        let Some(payload) = stated.checked_sub(least) else {
            return Err(Error::Length {
                layer,
                least,
                stated,
            });
        };
        let Some((options, payload)) = behind
            .get(..options + payload)
            .and_then(|behind| behind.split_at_checked(options))
        else {
            return Err(Error::Truncated {
                layer,
                need: stated,
                have: bytes.len(),
            });
        };
        Ok((header, options, payload))
    }

    /// Puts the header in front of `out` and returns what follows it.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::LEN`].
    #[inline]
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o mut [u8], Error> {
        super::write(Layer::Ipv4, self, out)
    }

    /// The header as it lies on the wire, without options.
    #[must_use]
    #[inline]
    pub fn to_bytes(self) -> [u8; 20] {
        zerocopy::transmute!(self)
    }

    /// The version field.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version_words >> 4
    }

    /// The stated length of the header with its options, in bytes: 0 to 60.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        (self.version_words & 0x0f) as usize * 4
    }

    /// Type of service: DSCP in the upper six bits, ECN in the lower two.
    #[must_use]
    pub const fn tos(&self) -> u8 {
        self.tos
    }

    /// The stated length of header and payload, in bytes.
    #[must_use]
    pub const fn total_length(&self) -> u16 {
        self.total_length.get()
    }

    /// The number that the fragments of one packet share.
    #[must_use]
    pub const fn identification(&self) -> u16 {
        self.identification.get()
    }

    /// DF: whether the packet must not be fragmented.
    #[must_use]
    pub const fn dont_fragment(&self) -> bool {
        self.flags_offset.get() & DONT_FRAGMENT != 0
    }

    /// MF: whether more fragments of the packet follow this one.
    #[must_use]
    pub const fn more_fragments(&self) -> bool {
        self.flags_offset.get() & MORE_FRAGMENTS != 0
    }

    /// Where the payload of this fragment belongs, in bytes: 0 to 65,528, a multiple of 8.
    #[must_use]
    pub const fn fragment_offset(&self) -> usize {
        (self.flags_offset.get() & OFFSET) as usize * 8
    }

    /// Whether DF is set and nothing else: no fragment, and the reserved bit clear.
    #[must_use]
    pub const fn only_dont_fragment(&self) -> bool {
        self.flags_offset.get() == DONT_FRAGMENT
    }

    /// Whether this is a fragment of a packet (`ip_is_fragment()`).
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.flags_offset.get() & (MORE_FRAGMENTS | OFFSET) != 0
    }

    /// The time to live, in hops.
    #[must_use]
    pub const fn ttl(&self) -> u8 {
        self.ttl
    }

    /// The protocol of the payload.
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        self.protocol
    }

    /// The checksum field.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        self.checksum.get()
    }

    /// The sender.
    #[must_use]
    pub const fn source(&self) -> Ipv4Addr {
        Ipv4Addr::from_octets(self.source)
    }

    /// The receiver.
    #[must_use]
    pub const fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::from_octets(self.destination)
    }

    /// Sender and receiver.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        Addresses::V4 {
            source: self.source(),
            destination: self.destination(),
        }
    }

    /// Changes the type of service. The checksum is then out of date.
    pub const fn set_tos(&mut self, tos: u8) {
        self.tos = tos;
    }

    /// Changes the stated length of header and payload. The checksum is then out of date.
    pub const fn set_total_length(&mut self, length: u16) {
        self.total_length = U16::new(length);
    }

    /// Changes the identification. The checksum is then out of date.
    pub const fn set_identification(&mut self, identification: u16) {
        self.identification = U16::new(identification);
    }

    /// Changes the checksum field.
    pub const fn set_checksum(&mut self, checksum: u16) {
        self.checksum = U16::new(checksum);
    }

    /// Computes the checksum of the header with these options (`ip_send_check()`).
    #[inline]
    pub fn fill_checksum(&mut self, options: &[u8]) {
        self.checksum = U16::new(0);
        self.checksum = U16::new(self.sum(options).complement());
    }

    /// Whether the checksum of the header with these options is right.
    #[must_use]
    #[inline]
    pub fn verify_checksum(&self, options: &[u8]) -> bool {
        self.sum(options).complement() == 0
    }

    #[inline]
    fn sum(&self, options: &[u8]) -> Sum {
        Sum::ZERO.add_bytes(self.as_bytes()).add_bytes(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn fields() -> Fields {
        Fields {
            tos: 1,
            total_length: 0x53,
            identification: 0xf9c9,
            dont_fragment: false,
            ttl: 64,
            protocol: 17,
            source: Ipv4Addr::new(10, 9, 0, 2),
            destination: Ipv4Addr::new(10, 9, 0, 1),
        }
    }

    /// The outer headers that the specification recorded.
    #[test]
    fn builds_the_headers_of_the_kernel() {
        let plain = [
            0x45, 1, 0, 0x53, 0xf9, 0xc9, 0, 0, 64, 17, 0x6c, 0xbb, 10, 9, 0, 2, 10, 9, 0, 1,
        ];
        let df = [
            0x45, 1, 0, 0x53, 0xfa, 0x94, 0x40, 0, 64, 17, 0x2b, 0xf0, 10, 9, 0, 2, 10, 9, 0, 1,
        ];
        assert_eq!(Header::new(&fields()).to_bytes(), plain);
        let fields = Fields {
            identification: 0xfa94,
            dont_fragment: true,
            ..fields()
        };
        assert_eq!(Header::new(&fields).to_bytes(), df);
    }

    #[test]
    fn flags_and_offset() {
        for (word, df, mf, offset) in [
            (0x0000, false, false, 0),
            (0x4000, true, false, 0),
            (0x2001, false, true, 8),
            (0x1fff, false, false, 65_528),
            (0x8000, false, false, 0),
        ] {
            let mut header = Header::new(&fields());
            header.flags_offset = U16::new(word);
            assert_eq!(header.dont_fragment(), df, "{word:#06x}");
            assert_eq!(header.more_fragments(), mf, "{word:#06x}");
            assert_eq!(header.fragment_offset(), offset, "{word:#06x}");
            assert_eq!(header.is_fragment(), mf || offset != 0, "{word:#06x}");
        }
    }

    /// Header and total length are taken from the wire: neither may underflow nor overrun.
    #[test]
    fn lesson_stated_lengths_neither_underflow_nor_overrun() {
        let layer = Layer::Ipv4;
        let length = |least, stated| {
            Err(Error::Length {
                layer,
                least,
                stated,
            })
        };
        for (first, total, want) in [
            (0x45, 20, Ok((0, 0))),
            (0x45, 30, Ok((0, 10))),
            (0x46, 30, Ok((4, 6))),
            (0x47, 28, Ok((8, 0))),
            (0x44, 30, length(20, 16)),
            (0x40, 30, length(20, 0)),
            (0x45, 19, length(20, 19)),
            (0x45, 0, length(20, 0)),
            (0x47, 27, length(28, 27)),
            (
                0x45,
                31,
                Err(Error::Truncated {
                    layer,
                    need: 31,
                    have: 30,
                }),
            ),
            (
                0x4f,
                60,
                Err(Error::Truncated {
                    layer,
                    need: 60,
                    have: 30,
                }),
            ),
            (0x65, 30, Err(Error::Version { layer, version: 6 })),
        ] {
            let mut bytes = [0; 30];
            bytes[0] = first;
            bytes[2..4].copy_from_slice(&u16::to_be_bytes(total));
            let parsed = Header::parse(&bytes);
            let parsed = parsed.map(|(_, options, payload)| (options.len(), payload.len()));
            assert_eq!(parsed, want, "{first:#04x} {total}");
        }
    }

    #[test]
    fn short() {
        for have in 0..Header::LEN {
            let want = Error::Truncated {
                layer: Layer::Ipv4,
                need: 20,
                have,
            };
            let mut bytes = Header::new(&fields()).to_bytes();
            let bytes = &mut bytes[..have];
            assert_eq!(Header::parse(bytes), Err(want));
            assert_eq!(Header::split_mut(bytes), Err(want));
            assert_eq!(Header::new(&fields()).write(bytes), Err(want));
        }
    }

    #[test]
    fn changes_in_place() {
        let mut bytes = Header::new(&fields()).to_bytes();
        let (header, _) = Header::split_mut(&mut bytes).unwrap();
        header.set_tos(0xb9);
        header.set_total_length(0x1234);
        header.set_identification(0x5678);
        assert!(!header.verify_checksum(&[]));
        header.fill_checksum(&[]);
        assert!(header.verify_checksum(&[]));
        assert_eq!(bytes[..6], [0x45, 0xb9, 0x12, 0x34, 0x56, 0x78]);
    }

    proptest! {
        #[test]
        fn round_trip(
            tos: u8, identification: u16, dont_fragment: bool, ttl: u8, protocol: u8,
            source: [u8; 4], destination: [u8; 4], payload in vec(any::<u8>(), 0..64),
        ) {
            let fields = Fields {
                tos,
                total_length: 20 + payload.len() as u16,
                identification,
                dont_fragment,
                ttl,
                protocol,
                source: source.into(),
                destination: destination.into(),
            };
            let header = Header::new(&fields);
            let mut bytes = vec![0; 20 + payload.len()];
            header.write(&mut bytes).unwrap().copy_from_slice(&payload);
            prop_assert_eq!(Header::parse(&bytes), Ok((header, &[][..], &payload[..])));
            prop_assert!(header.verify_checksum(&[]));
            prop_assert_eq!(header.tos(), tos);
            prop_assert_eq!(header.identification(), identification);
            prop_assert_eq!(header.dont_fragment(), dont_fragment);
            prop_assert_eq!((header.ttl(), header.protocol()), (ttl, protocol));
            prop_assert_eq!(header.source(), fields.source);
            prop_assert_eq!(header.destination(), fields.destination);
        }

        #[test]
        fn parses_or_refuses(bytes in vec(any::<u8>(), 0..80)) {
            if let Ok((header, options, payload)) = Header::parse(&bytes) {
                let total = usize::from(header.total_length());
                prop_assert_eq!(20 + options.len() + payload.len(), total);
            }
        }
    }
}
