//! Where the headers are in what is cut or put together.

use crate::packet::GsoKind;
use crate::wire::ethernet::EtherType;
use crate::wire::{
    Addresses, Error, Layer, ethernet, gpe, ipv4, ipv6, protocol, tcp, udp, vlan, vxlan,
};

use super::SegmentError;

/// The inner headers, in bytes from the start of the inner frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The IP header.
    pub(super) network: usize,
    /// The TCP or UDP header.
    pub(super) transport: usize,
    /// What is to be cut.
    pub(super) payload: usize,
    pub(super) kind: GsoKind,
    pub(super) addresses: Addresses,
}

impl Layout {
    /// Finds the headers of what is a `protocol`: an Ethernet frame ([`EtherType::TEB`]), seen
    /// through its VLAN tags, or an IP packet. Stated lengths of IP and UDP are not looked at:
    /// those of a frame that stands for several need not fit their fields.
    pub(super) fn of(frame: &[u8], protocol: EtherType) -> Result<Self, SegmentError> {
        let (ethertype, network) = match protocol {
            EtherType::TEB => {
                let (header, behind) = ethernet::Header::parse(frame)?;
                let (ethertype, tags) =
                    vlan::walk(header.ethertype(), behind).map_err(|_| SegmentError::Protocol)?;
                (ethertype, ethernet::Header::LEN + tags)
            }
            protocol => (protocol, 0),
        };
        let packet = frame.get(network..).unwrap_or_default();
        let (protocol, header_len, addresses) = match ethertype {
            EtherType::IPV4 => ipv4_header(packet)?,
            EtherType::IPV6 => ipv6_headers(packet)?,
            _ => return Err(SegmentError::Protocol),
        };
        let transport = network + header_len;
        let datagram = frame.get(transport..).unwrap_or_default();
        let (kind, header_len) = match (protocol, addresses) {
            (protocol::TCP, Addresses::V4 { .. }) => (GsoKind::TcpV4, tcp_header_len(datagram)?),
            (protocol::TCP, Addresses::V6 { .. }) => (GsoKind::TcpV6, tcp_header_len(datagram)?),
            (protocol::UDP, _) => {
                udp::Header::split(datagram)?;
                (GsoKind::Udp, udp::Header::LEN)
            }
            _ => return Err(SegmentError::Protocol),
        };
        Ok(Self {
            network,
            transport,
            payload: transport + header_len,
            kind,
            addresses,
        })
    }

    /// Whether the inner packet is IPv4.
    pub(super) const fn is_ipv4(&self) -> bool {
        matches!(self.addresses, Addresses::V4 { .. })
    }

    /// The protocol number of what is cut.
    pub(super) const fn protocol(&self) -> u8 {
        match self.kind {
            GsoKind::TcpV4 | GsoKind::TcpV6 => protocol::TCP,
            GsoKind::Udp => protocol::UDP,
        }
    }
}

/// The outer headers, in bytes from the start of the outer IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tunnel {
    /// The UDP header; also the length of the IP header.
    pub(super) udp: usize,
    pub(super) addresses: Addresses,
    /// The UDP checksum is there.
    pub(super) checksum: bool,
    /// The inner checksum is left to the remote (`VXLAN_HF_RCO`).
    pub(super) remote_checksum: bool,
    /// What follows the VXLAN header.
    pub(super) protocol: EtherType,
    /// The VXLAN header says so itself (`VXLAN_HF_GPE`).
    pub(super) generic: bool,
}

impl Tunnel {
    /// Finds the outer headers of an IP packet.
    pub(super) fn of_packet(packet: &[u8]) -> Result<Self, SegmentError> {
        let (protocol, udp, addresses) = match packet.first().map(|first| first >> 4) {
            Some(6) => ipv6_headers(packet)?,
            _ => ipv4_header(packet)?,
        };
        if protocol != protocol::UDP {
            return Err(SegmentError::Protocol);
        }
        let (header, payload) = udp::Header::split(packet.get(udp..).unwrap_or_default())?;
        let (tunnel, _) = vxlan::Header::split(payload)?;
        let generic = tunnel.flags().contains(vxlan::Flags::NEXT_PROTOCOL);
        Ok(Self {
            udp,
            addresses,
            checksum: header.checksum() != 0,
            remote_checksum: tunnel.flags().contains(vxlan::Flags::REMOTE_CHECKSUM),
            protocol: match generic {
                true => gpe::protocol(&tunnel).ok_or(SegmentError::Protocol)?,
                false => EtherType::TEB,
            },
            generic,
        })
    }

    /// The VXLAN header.
    pub(super) const fn vxlan(&self) -> usize {
        self.udp + udp::Header::LEN
    }

    /// The inner frame.
    pub(super) const fn frame(&self) -> usize {
        self.vxlan() + vxlan::Header::LEN
    }

    /// Whether the outer packet is IPv4.
    pub(super) const fn is_ipv4(&self) -> bool {
        matches!(self.addresses, Addresses::V4 { .. })
    }
}

/// What an IP header leads to: protocol, length of the headers, addresses.
type Network = (u8, usize, Addresses);

fn ipv4_header(packet: &[u8]) -> Result<Network, SegmentError> {
    let layer = Layer::Ipv4;
    let (header, _) = ipv4::Header::split(packet)?;
    let (version, stated) = (header.version(), header.header_len());
    if version != 4 {
        return Err(Error::Version { layer, version }.into());
    }
    if stated < ipv4::Header::LEN {
        return Err(Error::Length {
            layer,
            least: ipv4::Header::LEN,
            stated,
        }
        .into());
    }
    if header.is_fragment() {
        return Err(SegmentError::Fragment);
    }
    if packet.len() < stated {
        return Err(truncated(layer, stated, packet));
    }
    Ok((header.protocol(), stated, header.addresses()))
}

/// Extension headers that take no part in the pseudo header are passed (RFC 8200 section 4).
fn ipv6_headers(packet: &[u8]) -> Result<Network, SegmentError> {
    const HOP_BY_HOP: u8 = 0;
    const FRAGMENT: u8 = 44;
    const DESTINATION_OPTIONS: u8 = 60;
    let layer = Layer::Ipv6;
    let (header, _) = ipv6::Header::split(packet)?;
    let version = header.version();
    if version != 6 {
        return Err(Error::Version { layer, version }.into());
    }
    let (mut next, mut at) = (header.next_header(), ipv6::Header::LEN);
    while matches!(next, HOP_BY_HOP | DESTINATION_OPTIONS) {
        let extension = packet.get(at..).and_then(<[u8]>::first_chunk);
        let &[following, units] = extension.ok_or(truncated(layer, at + 2, packet))?;
        next = following;
        at += (usize::from(units) + 1) * 8;
    }
    if next == FRAGMENT {
        return Err(SegmentError::Fragment);
    }
    if packet.len() < at {
        return Err(truncated(layer, at, packet));
    }
    Ok((next, at, header.addresses()))
}

fn tcp_header_len(segment: &[u8]) -> Result<usize, SegmentError> {
    let (header, ..) = tcp::Header::parse(segment)?;
    Ok(header.header_len())
}

fn truncated(layer: Layer, need: usize, bytes: &[u8]) -> SegmentError {
    let have = bytes.len();
    Error::Truncated { layer, need, have }.into()
}
