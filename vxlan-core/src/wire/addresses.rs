//! The two addresses of an IP packet.

use crate::checksum::Sum;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Source and destination of an IP packet: always of one family.
///
/// ```
/// use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
/// use vxlan_core::wire::Addresses;
///
/// let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// assert_eq!(Addresses::new(v4, v4).map(Addresses::source), Some(v4));
/// assert_eq!(Addresses::new(v4, v6), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// IPv4 addresses.
    V4 {
        /// The sender.
        source: Ipv4Addr,
        /// The receiver.
        destination: Ipv4Addr,
    },
    /// IPv6 addresses.
    V6 {
        /// The sender.
        source: Ipv6Addr,
        /// The receiver.
        destination: Ipv6Addr,
    },
}

impl Addresses {
    /// The pair, or `None` if the families differ.
    #[must_use]
    pub const fn new(source: IpAddr, destination: IpAddr) -> Option<Self> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Some(Self::V4 {
                source,
                destination,
            }),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Some(Self::V6 {
                source,
                destination,
            }),
            _ => None,
        }
    }

    /// The sender.
    #[must_use]
    pub const fn source(self) -> IpAddr {
        match self {
            Self::V4 { source, .. } => IpAddr::V4(source),
            Self::V6 { source, .. } => IpAddr::V6(source),
        }
    }

    /// The receiver.
    #[must_use]
    pub const fn destination(self) -> IpAddr {
        match self {
            Self::V4 { destination, .. } => IpAddr::V4(destination),
            Self::V6 { destination, .. } => IpAddr::V6(destination),
        }
    }

    /// The sum of the pseudo header that UDP, TCP and ICMPv6 checksums begin with (RFC 768,
    /// RFC 8200 section 8.1; `csum_tcpudp_nofold()`, `csum_ipv6_magic()`).
    ///
    /// `length` counts the upper-layer header and its payload in bytes. Protocol number and
    /// length take other places in the two families but add the same.
    #[inline]
    pub fn pseudo_header_sum(self, protocol: u8, length: u32) -> Sum {
        let addresses = match self {
            Self::V4 {
                source,
                destination,
            } => Sum::ZERO
                .add_u32(source.to_bits())
                .add_u32(destination.to_bits()),
            Self::V6 {
                source,
                destination,
            } => Sum::ZERO
                .add_bytes(&source.octets())
                .add_bytes(&destination.octets()),
        };
        addresses.add_u16(u16::from(protocol)).add_u32(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum;

    #[test]
    fn pseudo_headers_are_those_of_the_rfcs() {
        let v4 = Addresses::V4 {
            source: Ipv4Addr::new(192, 0, 2, 1),
            destination: Ipv4Addr::new(198, 51, 100, 2),
        };
        let bytes = [192, 0, 2, 1, 198, 51, 100, 2, 0, 17, 0x12, 0x34];
        assert_eq!(
            v4.pseudo_header_sum(17, 0x1234).fold(),
            checksum::sum(&bytes)
        );

        let (source, destination) = ([0xfd; 16], [0x20; 16]);
        let v6 = Addresses::V6 {
            source: source.into(),
            destination: destination.into(),
        };
        let mut bytes = [0; 40];
        bytes[..16].copy_from_slice(&source);
        bytes[16..32].copy_from_slice(&destination);
        bytes[32..].copy_from_slice(&[0, 1, 0x12, 0x34, 0, 0, 0, 58]);
        assert_eq!(
            v6.pseudo_header_sum(58, 0x0001_1234).fold(),
            checksum::sum(&bytes)
        );
    }
}
