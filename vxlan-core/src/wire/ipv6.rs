//! The 40-byte IPv6 header (RFC 8200 section 3; `struct ipv6hdr` in Linux).
//!
//! ```text
//!   0
//!  | version 4 | traffic class 8 | flow label 20 |
//!   4                6             7           8
//!  | payload length | next header | hop limit |
//!   8        24            40
//!  | source | destination |
//! ```

use super::{Addresses, Error, Layer};
use core::net::Ipv6Addr;
use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What an IPv6 header says, for [`Header::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The traffic class: DSCP in the upper six bits, ECN in the lower two.
    pub traffic_class: u8,
    /// The flow label: 20 bits, the others are dropped.
    pub flow_label: u32,
    /// The length of what follows the header, in bytes.
    pub payload_length: u16,
    /// The protocol of what follows, such as [`UDP`](super::protocol::UDP).
    pub next_header: u8,
    /// The hop limit.
    pub hop_limit: u8,
    /// The sender.
    pub source: Ipv6Addr,
    /// The receiver.
    pub destination: Ipv6Addr,
}

/// An IPv6 header without extension headers.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    version_class_label: U32,
    payload_length: U16,
    next_header: u8,
    hop_limit: u8,
    source: [u8; 16],
    destination: [u8; 16],
}

impl Header {
    /// The length of the header: 40 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// The header with these fields, version 6.
    #[must_use]
    #[inline]
    pub const fn new(fields: &Fields) -> Self {
        Self {
            version_class_label: U32::new(
                6 << 28 | (fields.traffic_class as u32) << 20 | fields.flow_label & 0x000f_ffff,
            ),
            payload_length: U16::new(fields.payload_length),
            next_header: fields.next_header,
            hop_limit: fields.hop_limit,
            source: fields.source.octets(),
            destination: fields.destination.octets(),
        }
    }

    /// Takes 40 bytes off the front of a packet, whatever they say.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Ipv6, bytes)
    }

    /// Lends the header at the front of a packet, to be changed in place.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split_mut(bytes: &mut [u8]) -> Result<(&mut Self, &mut [u8]), Error> {
        super::split_mut(Layer::Ipv6, bytes)
    }

    /// Takes the header off the front of a packet and returns it with the payload, extension
    /// headers included; bytes behind the stated length are cut off (`ip6_rcv_core()`). A stated
    /// length of zero is an empty payload: jumbograms (RFC 2675) are not known.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if header or payload go beyond the bytes, [`Error::Version`] if the
    /// version is not 6.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (header, behind) = Self::split(bytes)?;
        if header.version() != 6 {
            return Err(Error::Version {
                layer: Layer::Ipv6,
                version: header.version(),
            });
        }
        let length = usize::from(header.payload_length.get());
        match behind.get(..length) {
            Some(payload) => Ok((header, payload)),
            None => Err(Error::Truncated {
                layer: Layer::Ipv6,
                need: Self::LEN + length,
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
        super::write(Layer::Ipv6, self, out)
    }

    /// The header as it lies on the wire.
    #[must_use]
    #[inline]
    pub fn to_bytes(self) -> [u8; 40] {
        zerocopy::transmute!(self)
    }

    /// The version field.
    #[must_use]
    pub const fn version(&self) -> u8 {
        (self.version_class_label.get() >> 28) as u8
    }

    /// The traffic class: DSCP in the upper six bits, ECN in the lower two.
    #[must_use]
    pub const fn traffic_class(&self) -> u8 {
        (self.version_class_label.get() >> 20) as u8
    }

    /// The flow label, 20 bits.
    #[must_use]
    pub const fn flow_label(&self) -> u32 {
        self.version_class_label.get() & 0x000f_ffff
    }

    /// The stated length of what follows the header, in bytes.
    #[must_use]
    pub const fn payload_length(&self) -> u16 {
        self.payload_length.get()
    }

    /// The protocol of what follows the header.
    #[must_use]
    pub const fn next_header(&self) -> u8 {
        self.next_header
    }

    /// The hop limit.
    #[must_use]
    pub const fn hop_limit(&self) -> u8 {
        self.hop_limit
    }

    /// The sender.
    #[must_use]
    pub const fn source(&self) -> Ipv6Addr {
        Ipv6Addr::from_octets(self.source)
    }

    /// The receiver.
    #[must_use]
    pub const fn destination(&self) -> Ipv6Addr {
        Ipv6Addr::from_octets(self.destination)
    }

    /// Sender and receiver.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        Addresses::V6 {
            source: self.source(),
            destination: self.destination(),
        }
    }

    /// Changes the traffic class.
    pub const fn set_traffic_class(&mut self, traffic_class: u8) {
        let others = self.version_class_label.get() & !0x0ff0_0000;
        self.version_class_label = U32::new(others | (traffic_class as u32) << 20);
    }

    /// Changes the stated length of what follows the header.
    pub const fn set_payload_length(&mut self, length: u16) {
        self.payload_length = U16::new(length);
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
            traffic_class: 0xb9,
            flow_label: 0x12345,
            payload_length: 2,
            next_header: 17,
            hop_limit: 64,
            source: Ipv6Addr::new(0xfd09, 0, 0, 0, 0, 0, 0, 2),
            destination: Ipv6Addr::new(0xfd09, 0, 0, 0, 0, 0, 0, 1),
        }
    }

    #[test]
    fn fields_lie_where_the_drawing_says() {
        let bytes = Header::new(&fields()).to_bytes();
        assert_eq!(bytes[..8], [0x6b, 0x91, 0x23, 0x45, 0, 2, 17, 64]);
        assert_eq!(
            bytes[8..24],
            [0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
        );
        assert_eq!(
            bytes[24..],
            [0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        );
    }

    #[test]
    fn good_short_and_malformed() {
        let layer = Layer::Ipv6;
        let mut bytes = [0; 43];
        Header::new(&fields()).write(&mut bytes).unwrap();
        let (header, payload) = Header::parse(&bytes).unwrap();
        assert_eq!((header.next_header(), header.hop_limit()), (17, 64));
        assert_eq!(payload, [0, 0], "the third byte lies behind the packet");
        for have in 0..42 {
            let need = if have < 40 { 40 } else { 42 };
            let want = Err(Error::Truncated { layer, need, have });
            assert_eq!(Header::parse(&bytes[..have]), want);
        }
        for version in [0, 4, 5, 7, 14, 15] {
            bytes[0] = version << 4;
            let want = Err(Error::Version { layer, version });
            assert_eq!(Header::parse(&bytes), want);
        }
        assert!(Header::split(&bytes).is_ok());
    }

    #[test]
    fn changes_in_place() {
        let mut bytes = Header::new(&fields()).to_bytes();
        let (header, _) = Header::split_mut(&mut bytes).unwrap();
        header.set_traffic_class(0x03);
        header.set_payload_length(0x1234);
        assert_eq!(bytes[..8], [0x60, 0x31, 0x23, 0x45, 0x12, 0x34, 17, 64]);
    }

    proptest! {
        #[test]
        fn round_trip(
            traffic_class: u8, flow_label: u32, payload in vec(any::<u8>(), 0..64),
            next_header: u8, hop_limit: u8, source: [u8; 16], destination: [u8; 16],
        ) {
            let fields = Fields {
                traffic_class,
                flow_label,
                payload_length: payload.len() as u16,
                next_header,
                hop_limit,
                source: source.into(),
                destination: destination.into(),
            };
            let header = Header::new(&fields);
            let mut bytes = vec![0; 40 + payload.len()];
            header.write(&mut bytes).unwrap().copy_from_slice(&payload);
            prop_assert_eq!(Header::parse(&bytes), Ok((header, &payload[..])));
            prop_assert_eq!(header.traffic_class(), traffic_class);
            prop_assert_eq!(header.flow_label(), flow_label & 0xf_ffff);
            prop_assert_eq!(header.source(), fields.source);
            prop_assert_eq!(header.destination(), fields.destination);
        }

        #[test]
        fn parses_or_refuses(bytes in vec(any::<u8>(), 0..80)) {
            if let Ok((header, payload)) = Header::parse(&bytes) {
                prop_assert_eq!(payload.len(), usize::from(header.payload_length()));
            }
        }
    }
}
