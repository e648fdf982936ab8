//! ARP for IPv4 over Ethernet (RFC 826; `struct arphdr` in Linux and what follows it).
//!
//! ```text
//!   0               2               4                 5                 6
//!  | hardware type | protocol type | hardware length | protocol length | operation |
//!   8            14          18           24          28
//!  | sender MAC | sender IP | target MAC | target IP |
//! ```

use super::ethernet::{self, EtherType};
use super::{Error, Layer};
use crate::Mac;
use core::net::Ipv4Addr;
use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Hardware type 1, Ethernet (`ARPHRD_ETHER`).
const ETHERNET: u16 = 1;
/// Hardware type 6, IEEE 802 networks (`ARPHRD_IEEE802`).
const IEEE_802: u16 = 6;
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// The 28 bytes of an ARP message, whatever they say.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    hardware_type: U16,
    protocol_type: U16,
    hardware_length: u8,
    protocol_length: u8,
    operation: U16,
    sender_mac: [u8; 6],
    sender_ip: [u8; 4],
    target_mac: [u8; 6],
    target_ip: [u8; 4],
}

impl Header {
    /// The length of the message: 28 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// Takes the message off the front of what follows an Ethernet header.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Arp, bytes)
    }

    /// The request that this is, or `None` for anything but a request for an IPv4 address on
    /// Ethernet. As in Linux, hardware type 6 is as good as 1 (`arp_process()`, `arp_reduce()`).
    #[must_use]
    #[inline]
    pub const fn request(&self) -> Option<Request> {
        if matches!(self.hardware_type.get(), ETHERNET | IEEE_802)
            && self.protocol_type.get() == EtherType::IPV4.get()
            && self.hardware_length == 6
            && self.protocol_length == 4
            && self.operation.get() == REQUEST
        {
            Some(Request {
                sender_mac: Mac::new(self.sender_mac),
                sender_ip: Ipv4Addr::from_octets(self.sender_ip),
                target_ip: Ipv4Addr::from_octets(self.target_ip),
            })
        } else {
            None
        }
    }
}

/// Someone asks for the MAC address of an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Who asks: the address that the answer goes to, not the source of the Ethernet frame.
    pub sender_mac: Mac,
    /// The IPv4 address of who asks.
    pub sender_ip: Ipv4Addr,
    /// The address that is asked for.
    pub target_ip: Ipv4Addr,
}

impl Request {
    /// The length of a reply in bytes, Ethernet header included. It is not padded.
    pub const REPLY_LEN: usize = ethernet::Header::LEN + Header::LEN;

    /// Writes the reply "`target_ip` is at `mac`" to the front of `out`, Ethernet header included,
    /// and returns its length (`arp_create()`).
    ///
    /// ```
    /// use core::net::Ipv4Addr;
    /// use vxlan_core::Mac;
    /// use vxlan_core::wire::arp::Request;
    ///
    /// let request = Request {
    ///     sender_mac: Mac::new([2, 0, 0, 0, 0, 1]),
    ///     sender_ip: Ipv4Addr::new(192, 0, 2, 1),
    ///     target_ip: Ipv4Addr::new(192, 0, 2, 2),
    /// };
    /// let mut frame = [0; Request::REPLY_LEN];
    /// assert_eq!(request.write_reply(Mac::new([2, 0, 0, 0, 0, 2]), &mut frame)?, 42);
    /// # Ok::<(), vxlan_core::wire::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::REPLY_LEN`]; it may then have been
    /// written to.
    pub fn write_reply(&self, mac: Mac, out: &mut [u8]) -> Result<usize, Error> {
        let header = ethernet::Header::new(self.sender_mac, mac, EtherType::ARP);
        let reply = Header {
            hardware_type: U16::new(ETHERNET),
            protocol_type: U16::new(EtherType::IPV4.get()),
            hardware_length: 6,
            protocol_length: 4,
            operation: U16::new(REPLY),
            sender_mac: mac.octets(),
            sender_ip: self.target_ip.octets(),
            target_mac: self.sender_mac.octets(),
            target_ip: self.sender_ip.octets(),
        };
        let behind = header.write(out)?;
        super::write(Layer::Arp, &reply, behind)?;
        Ok(Self::REPLY_LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST_BYTES: [u8; 28] = [
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0x0b, 0x64, 192, 168, 7, 1, 0, 0, 0, 0, 0, 0, 192, 168,
        7, 2,
    ];

    fn request(bytes: &[u8]) -> Option<Request> {
        Header::parse(bytes).unwrap().0.request()
    }

    #[test]
    fn reads_a_request() {
        let want = Request {
            sender_mac: Mac::new([2, 0, 0, 0, 0x0b, 0x64]),
            sender_ip: Ipv4Addr::new(192, 168, 7, 1),
            target_ip: Ipv4Addr::new(192, 168, 7, 2),
        };
        assert_eq!(request(&REQUEST_BYTES), Some(want));
    }

    #[test]
    fn takes_only_requests_for_ipv4_on_ethernet() {
        for (name, at, value, taken) in [
            ("hardware type 6", 1, 6, true),
            ("hardware type 2", 1, 2, false),
            ("hardware type 0x0101", 0, 1, false),
            ("protocol type 0x0900", 2, 9, false),
            ("protocol type 0x0801", 3, 1, false),
            ("hardware length", 4, 8, false),
            ("protocol length", 5, 6, false),
            ("reply", 7, 2, false),
            ("reverse request", 7, 3, false),
            ("operation 0x0101", 6, 1, false),
            ("target MAC does not matter", 18, 0xff, true),
        ] {
            let mut bytes = REQUEST_BYTES;
            bytes[at] = value;
            assert_eq!(request(&bytes).is_some(), taken, "{name}");
        }
    }

    #[test]
    fn short() {
        for have in 0..Header::LEN {
            let want = Error::Truncated {
                layer: Layer::Arp,
                need: 28,
                have,
            };
            assert_eq!(Header::parse(&REQUEST_BYTES[..have]), Err(want));
        }
    }

    /// The recorded reply of the specification, also to a request of hardware type 6.
    #[test]
    fn writes_the_reply_of_the_kernel() {
        let want = [
            2, 0, 0, 0, 0x0b, 0x64, 2, 0, 0, 0, 0x0c, 7, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0,
            0x0c, 7, 192, 168, 7, 2, 2, 0, 0, 0, 0x0b, 0x64, 192, 168, 7, 1,
        ];
        for hardware_type in [1, 6] {
            let mut bytes = REQUEST_BYTES;
            bytes[1] = hardware_type;
            let request = request(&bytes).unwrap();
            let mut out = [0xaa; 44];
            let mac = Mac::new([2, 0, 0, 0, 0x0c, 7]);
            assert_eq!(request.write_reply(mac, &mut out), Ok(42));
            assert_eq!(out[..42], want);
            assert_eq!(out[42..], [0xaa; 2]);
            for len in 0..42 {
                assert!(request.write_reply(mac, &mut out[..len]).is_err(), "{len}");
            }
        }
    }
}
