//! The 14-byte Ethernet header (IEEE 802.3; `struct ethhdr` in Linux).
//!
//! ```text
//!   0             6             12          14
//!  | destination | source      | ethertype |
//! ```
//!
//! An ethertype below 0x0600 is the length of an 802.3 frame.

use super::{Error, Layer};
use crate::Mac;
use core::fmt;
use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What a frame carries: an ethertype, or one of the two numbers below 0x0600 by which Linux names
/// 802.3 frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(u16);

impl EtherType {
    /// An 802.3 frame without a header of its own (`ETH_P_802_3`): its payload begins with 0xffff.
    pub const RAW_802_3: Self = Self(0x0001);
    /// An 802.3 frame with an 802.2 header (`ETH_P_802_2`).
    pub const LLC: Self = Self(0x0004);
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// An Ethernet frame inside something else: transparent Ethernet bridging.
    pub const TEB: Self = Self(0x6558);
    /// An 802.1Q tag.
    pub const VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// MPLS unicast.
    pub const MPLS: Self = Self(0x8847);
    /// An 802.1ad service tag.
    pub const QINQ: Self = Self(0x88a8);
    /// The network service header.
    pub const NSH: Self = Self(0x894f);

    /// The ethertype `value`.
    #[must_use]
    pub const fn new(value: u16) -> Self {
        Self(value)
    }

    /// The ethertype as a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether this is a length instead (`!eth_proto_is_802_3()`).
    #[must_use]
    pub const fn is_length(self) -> bool {
        self.0 < 0x0600
    }

    /// Whether a VLAN tag follows (`eth_type_vlan()`).
    #[must_use]
    pub const fn is_vlan(self) -> bool {
        matches!(self, Self::VLAN | Self::QINQ)
    }

    /// The protocol that a frame with this field and this payload has in the kernel
    /// (`eth_type_trans()`): a length becomes [`Self::RAW_802_3`] or [`Self::LLC`].
    #[must_use]
    #[inline]
    pub const fn protocol(self, payload: &[u8]) -> Self {
        match payload {
            _ if !self.is_length() => self,
            [0xff, 0xff, ..] => Self::RAW_802_3,
            _ => Self::LLC,
        }
    }
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// An Ethernet header.
///
/// ```
/// use vxlan_core::Mac;
/// use vxlan_core::wire::ethernet::{EtherType, Header};
///
/// let header = Header::new(Mac::BROADCAST, Mac::new([2, 0, 0, 0, 0, 1]), EtherType::ARP);
/// let mut frame = [0; 60];
/// header.write(&mut frame)?;
/// let (parsed, payload) = Header::parse(&frame)?;
/// assert_eq!(parsed, header);
/// assert_eq!(payload.len(), 46);
/// # Ok::<(), vxlan_core::wire::Error>(())
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    destination: [u8; 6],
    source: [u8; 6],
    ethertype: U16,
}

impl Header {
    /// The length of the header: 14 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// The header with these fields.
    #[must_use]
    pub const fn new(destination: Mac, source: Mac, ethertype: EtherType) -> Self {
        Self {
            destination: destination.octets(),
            source: source.octets(),
            ethertype: U16::new(ethertype.0),
        }
    }

    /// Takes the header off the front of a frame: every 14 bytes are one.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Ethernet, bytes)
    }

    /// Lends the header at the front of a frame, to be changed in place.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split_mut(bytes: &mut [u8]) -> Result<(&mut Self, &mut [u8]), Error> {
        super::split_mut(Layer::Ethernet, bytes)
    }

    /// Puts the header in front of `out` and returns what follows it.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::LEN`].
    #[inline]
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o mut [u8], Error> {
        super::write(Layer::Ethernet, self, out)
    }

    /// The header as it lies on the wire.
    #[must_use]
    #[inline]
    pub fn to_bytes(self) -> [u8; 14] {
        zerocopy::transmute!(self)
    }

    /// The receiver.
    #[must_use]
    pub const fn destination(&self) -> Mac {
        Mac::new(self.destination)
    }

    /// The sender.
    #[must_use]
    pub const fn source(&self) -> Mac {
        Mac::new(self.source)
    }

    /// The ethertype as it stands there; see [`EtherType::protocol`] for 802.3 frames.
    #[must_use]
    pub const fn ethertype(&self) -> EtherType {
        EtherType(self.ethertype.get())
    }

    /// Changes the receiver.
    pub const fn set_destination(&mut self, destination: Mac) {
        self.destination = destination.octets();
    }

    /// Changes the sender.
    pub const fn set_source(&mut self, source: Mac) {
        self.source = source.octets();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_lie_where_the_drawing_says() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x86, 0xdd, 99];
        let (header, payload) = Header::parse(&bytes).unwrap();
        assert_eq!(header.destination(), Mac::new([1, 2, 3, 4, 5, 6]));
        assert_eq!(header.source(), Mac::new([7, 8, 9, 10, 11, 12]));
        assert_eq!(header.ethertype(), EtherType::IPV6);
        assert_eq!(payload, [99]);
    }

    #[test]
    fn changes_in_place() {
        let mut bytes = [0; 15];
        let (header, _) = Header::split_mut(&mut bytes).unwrap();
        header.set_destination(Mac::new([1; 6]));
        header.set_source(Mac::new([2; 6]));
        assert_eq!(bytes, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0]);
    }

    #[test]
    fn short() {
        for have in 0..Header::LEN {
            let want = Error::Truncated {
                layer: Layer::Ethernet,
                need: 14,
                have,
            };
            let mut bytes = [0; 14];
            let bytes = &mut bytes[..have];
            assert_eq!(Header::parse(bytes), Err(want));
            assert_eq!(Header::split_mut(bytes), Err(want));
            let header = Header::new(Mac::ZERO, Mac::ZERO, EtherType::LLC);
            assert_eq!(header.write(bytes), Err(want));
        }
    }

    #[test]
    fn protocols_of_802_3_frames() {
        for (value, payload, want) in [
            (0x0800, &[0xff, 0xff][..], EtherType::IPV4),
            (0x0600, &[0xff, 0xff], EtherType(0x0600)),
            (0x05ff, &[0xff, 0xff], EtherType::RAW_802_3),
            (0x05ff, &[0xff, 0xfe], EtherType::LLC),
            (0x0040, &[0xff], EtherType::LLC),
            (0x0000, &[], EtherType::LLC),
        ] {
            assert_eq!(
                EtherType::new(value).protocol(payload),
                want,
                "{value:#06x}"
            );
        }
    }

    proptest! {
        #[test]
        fn round_trip(destination: [u8; 6], source: [u8; 6], ethertype: u16) {
            let header = Header::new(destination.into(), source.into(), EtherType(ethertype));
            let bytes = header.to_bytes();
            prop_assert_eq!(Header::parse(&bytes), Ok((header, &[][..])));
            prop_assert_eq!(header.destination().octets(), destination);
            prop_assert_eq!(header.source().octets(), source);
            prop_assert_eq!(header.ethertype().get(), ethertype);
        }
    }
}
