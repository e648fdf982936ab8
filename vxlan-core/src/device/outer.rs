//! An encapsulated frame, ready to be sent.

use core::net::IpAddr;

use crate::offload::{self, Segments};
use crate::packet::{Gso, OutOfRoom};
use crate::wire::ethernet::EtherType;
use crate::wire::{ethernet, udp};
use crate::{IfIndex, Mac};

/// An encapsulated frame, lent from the caller's buffer: IP, UDP and VXLAN header, then the frame.
///
/// As long as it lives the buffer is borrowed; afterwards the headroom is free for the next remote
/// and the frame is unchanged.
#[derive(Debug)]
pub struct Outer<'p> {
    /// All the headroom, then the frame.
    pub(super) buffer: &'p mut [u8],
    pub(super) start: usize,
    pub(super) ip_len: usize,
    pub(super) destination: IpAddr,
    pub(super) destination_port: u16,
    pub(super) source_port: u16,
    pub(super) tos: u8,
    pub(super) ttl: u8,
    pub(super) label: u32,
    pub(super) dont_fragment: bool,
    pub(super) ifindex: Option<IfIndex>,
    pub(super) gso: Option<Gso>,
    pub(super) checksum_offload: bool,
    pub(super) mtu: u32,
    /// What is longer than the MTU stays behind instead of being fragmented.
    pub(super) refuses: bool,
}

impl<'p> Outer<'p> {
    /// The outer IP packet.
    #[must_use]
    #[inline]
    pub fn ip_packet(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// From the UDP header on.
    #[must_use]
    pub fn udp_datagram(&self) -> &[u8] {
        self.ip_packet().get(self.ip_len..).unwrap_or_default()
    }

    /// From the VXLAN header on: what a UDP socket sends.
    #[must_use]
    #[inline]
    pub fn udp_payload(&self) -> &[u8] {
        self.ip_packet()
            .get(self.ip_len + udp::Header::LEN..)
            .unwrap_or_default()
    }

    /// Puts the underlay's Ethernet header in front of the IP packet.
    ///
    /// # Errors
    /// [`OutOfRoom`] with less than 14 bytes of headroom left.
    #[inline]
    pub fn ethernet(self, destination: Mac, source: Mac) -> Result<&'p [u8], OutOfRoom> {
        let ethertype = match self.destination {
            IpAddr::V4(_) => EtherType::IPV4,
            IpAddr::V6(_) => EtherType::IPV6,
        };
        let header = ethernet::Header::new(destination, source, ethertype).to_bytes();
        let short = OutOfRoom {
            need: header.len(),
            have: self.start,
        };
        let start = self.start.checked_sub(header.len()).ok_or(short)?;
        let frame = self.buffer.get_mut(start..).ok_or(short)?;
        *frame.first_chunk_mut().ok_or(short)? = header;
        Ok(frame)
    }

    /// The outer destination address.
    #[must_use]
    pub const fn destination(&self) -> IpAddr {
        self.destination
    }

    /// The UDP destination port.
    #[must_use]
    pub const fn destination_port(&self) -> u16 {
        self.destination_port
    }

    /// The UDP source port, which follows the inner flow.
    #[must_use]
    pub const fn source_port(&self) -> u16 {
        self.source_port
    }

    /// The TOS byte or traffic class, ECN bits included.
    #[must_use]
    pub const fn tos(&self) -> u8 {
        self.tos
    }

    /// The TTL or hop limit.
    #[must_use]
    pub const fn ttl(&self) -> u8 {
        self.ttl
    }

    /// Whether the IPv4 header forbids fragmentation.
    #[must_use]
    pub const fn dont_fragment(&self) -> bool {
        self.dont_fragment
    }

    /// The IPv6 flow label.
    #[must_use]
    pub const fn flow_label(&self) -> u32 {
        self.label
    }

    /// The interface it must leave by.
    #[must_use]
    pub const fn ifindex(&self) -> Option<IfIndex> {
        self.ifindex
    }

    /// The MTU that the IPv4 packet has to be cut to with
    /// [`wire::ipv4::fragments`](crate::wire::ipv4::fragments), if it is longer. A packet that
    /// stands for several is cut to [`segments`](Self::segments) first; these say it themselves.
    #[must_use]
    pub fn needs_fragments(&self) -> Option<u32> {
        let too_long = self.gso.is_none() && self.ip_packet().len() > self.mtu as usize;
        too_long.then_some(self.mtu)
    }

    /// Set if the packet stands for several, which have to be cut out of it before they leave.
    #[must_use]
    pub const fn gso(&self) -> Option<Gso> {
        self.gso
    }

    /// The packets that leave: the only one, or the segments of one that stands for several.
    ///
    /// Segments that are longer than the path's MTU and must not be fragmented are left out; the
    /// packet is counted as refused then, as in Linux.
    ///
    /// ```
    /// use vxlan_core::wire::ipv4;
    ///
    /// fn send(outer: &vxlan_core::Outer<'_>, put: impl Fn(&[u8])) -> Result<(), Box<dyn std::error::Error>> {
    ///     let mut packet = [0; 65_535];
    ///     let mut part = [0; 9_000];
    ///     for segment in outer.segments() {
    ///         let length = segment.write(&mut packet)?;
    ///         let Some(mtu) = segment.needs_fragments() else {
    ///             put(&packet[..length]);
    ///             continue;
    ///         };
    ///         for fragment in ipv4::fragments(&packet[..length], mtu as usize)? {
    ///             let length = fragment.write(&mut part)?;
    ///             put(&part[..length]);
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn segments(&self) -> Segments<'_> {
        let segments = match self.gso {
            None => Segments::whole(self.ip_packet()),
            // It was measured before it was encapsulated.
            Some(gso) => offload::segments(self.ip_packet(), gso).unwrap_or(Segments::NONE),
        };
        segments
            .checksum_offload(self.checksum_offload)
            .over_path(self.mtu, self.refuses)
    }
}
