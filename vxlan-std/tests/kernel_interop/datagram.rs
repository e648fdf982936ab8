//! What was on the wire, read independently of the code under test.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One unfragmented UDP datagram and the headers around it.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    /// Which host sent it, from 0.
    pub(crate) sender: usize,
    pub(crate) destination_mac: [u8; 6],
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// The hop limit in IPv6.
    pub(crate) ttl: u8,
    /// The traffic class in IPv6.
    pub(crate) tos: u8,
    /// Always false in IPv6.
    pub(crate) dont_fragment: bool,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) checksum: Checksum,
    pub(crate) payload: Vec<u8>,
}

/// The state of a UDP checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Absent,
    Valid,
    Wrong,
}

impl Datagram {
    /// Reads an Ethernet frame; none if it is not an unfragmented UDP datagram.
    pub(crate) fn parse(sender: usize, frame: &[u8]) -> Option<Self> {
        const UDP: u8 = 17;
        let (ethernet, packet) = frame.split_at_checked(14)?;
        let (source, destination, ttl, tos, dont_fragment, udp): (IpAddr, IpAddr, _, _, _, _);
        match u16_at(ethernet, 12)? {
            0x0800 if *packet.get(9)? == UDP && u16_at(packet, 6)? & 0x3fff == 0 => {
                source = Ipv4Addr::from(*packet.get(12..)?.first_chunk::<4>()?).into();
                destination = Ipv4Addr::from(*packet.get(16..)?.first_chunk::<4>()?).into();
                (tos, ttl) = (packet[1], packet[8]);
                dont_fragment = packet[6] & 0x40 != 0;
                let header = usize::from(packet[0] & 0xf) * 4;
                udp = packet.get(header..usize::from(u16_at(packet, 2)?))?;
            }
            0x86dd if *packet.get(6)? == UDP => {
                source = Ipv6Addr::from(*packet.get(8..)?.first_chunk::<16>()?).into();
                destination = Ipv6Addr::from(*packet.get(24..)?.first_chunk::<16>()?).into();
                (tos, ttl) = ((u16_at(packet, 0)? >> 4) as u8, packet[7]);
                dont_fragment = false;
                udp = packet.get(40..40 + usize::from(u16_at(packet, 4)?))?;
            }
            _ => return None,
        }
        let (header, payload) = udp.split_at_checked(8)?;
        Some(Self {
            sender,
            destination_mac: *ethernet.first_chunk()?,
            source,
            destination,
            ttl,
            tos,
            dont_fragment,
            source_port: u16_at(header, 0)?,
            destination_port: u16_at(header, 2)?,
            checksum: match u16_at(header, 6)? {
                0 => Checksum::Absent,
                _ if sums_up(source, destination, udp) => Checksum::Valid,
                _ => Checksum::Wrong,
            },
            payload: payload.to_vec(),
        })
    }

    /// The VNI, if the payload has the eight bytes of a plain VXLAN header.
    pub(crate) fn vni(&self) -> Option<u32> {
        match self.payload.get(..8)? {
            [0x08, 0, 0, 0, high, middle, low, 0] => {
                Some(u32::from_be_bytes([0, *high, *middle, *low]))
            }
            _ => None,
        }
    }

    /// The frame inside VXLAN.
    pub(crate) fn inner(&self) -> &[u8] {
        self.payload.get(8..).unwrap_or_default()
    }

    /// The EtherType of the frame inside.
    pub(crate) fn inner_ethertype(&self) -> Option<u16> {
        u16_at(self.inner(), 12)
    }

    /// Whether the frame inside is for one station.
    pub(crate) fn inner_is_unicast(&self) -> bool {
        self.inner().first().is_some_and(|first| first & 1 == 0)
    }
}

/// Whether an Ethernet frame carries a fragment of an IP packet.
pub(crate) fn is_fragment(frame: &[u8]) -> bool {
    const FRAGMENT: u8 = 44;
    match u16_at(frame, 12) {
        Some(0x0800) => u16_at(frame, 20).is_some_and(|word| word & 0x3fff != 0),
        Some(0x86dd) => frame.get(20) == Some(&FRAGMENT),
        _ => false,
    }
}

/// The 16-bit number at `offset`, in network order.
fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// Whether pseudo-header and datagram sum to all ones (RFC 768, RFC 8200 section 8.1).
fn sums_up(source: IpAddr, destination: IpAddr, udp: &[u8]) -> bool {
    let octets = |address| match address {
        IpAddr::V4(address) => Ipv4Addr::octets(&address).to_vec(),
        IpAddr::V6(address) => Ipv6Addr::octets(&address).to_vec(),
    };
    let mut bytes = [octets(source), octets(destination)].concat();
    bytes.extend((udp.len() as u32).to_be_bytes());
    bytes.extend([0, 0, 0, 17]);
    bytes.extend(udp);
    let mut sum: u64 = 0;
    for pair in bytes.chunks(2) {
        sum += u64::from(u16::from_be_bytes([
            pair[0],
            pair.get(1).copied().unwrap_or(0),
        ]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum == 0xffff
}
