//! Overlay to underlay, second half: the outer headers for one remote.

use core::net::IpAddr;

use zerocopy::{Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::fdb::{Remote, Storage};
use crate::packet::OutOfRoom;
use crate::wire::ethernet::EtherType;
use crate::wire::{Addresses, ethernet, ipv4, ipv6, protocol, udp, vxlan};
use crate::{
    ChecksumState, Device, Df, DropReason, Flags, FlowLabel, IfIndex, Mac, Packet, Route,
    RouteError, RouteKind, Vni, Worker, checksum, ecn, flow,
};

use super::config::TOS_INHERIT;
use super::inner::Inner;

/// UDP and VXLAN header together.
const TUNNEL_LEN: usize = udp::Header::LEN + vxlan::Header::LEN;

/// What became of a frame that was to be encapsulated.
#[derive(Debug)]
#[non_exhaustive]
pub enum Encapsulated<'p> {
    /// The outer packet, ready to be sent. Already counted as transmitted.
    Send(Outer<'p>),
    /// The remote is this host and local bypass is on: hand the frame to the device that
    /// [`Bypass`] describes. Nothing is counted yet.
    Local(Bypass),
    /// It ends here; already counted.
    Drop(DropReason),
}

/// Which device of this host a frame goes to without encapsulation (`encap_bypass_if_local()`).
///
/// Find it among the open devices ([`Vtep::find`](crate::Vtep::find)) whose socket has this
/// family, port and interface, with receive flags like those of the sender. Found: call
/// [`Device::receive_local`] on it, then [`Device::bypassed`] on the sender if it took the frame.
/// Not found: call [`Device::drop_local`] on the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bypass {
    /// The VNI the frame is for.
    pub vni: Vni,
    /// The UDP port it would have gone to.
    pub port: u16,
    /// The interface it was bound to.
    pub ifindex: Option<IfIndex>,
    /// Whether it would have gone over IPv6.
    pub ipv6: bool,
}

/// What the underlay has to be asked about one remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteQuery {
    /// Where the packet goes.
    pub destination: IpAddr,
    /// The source address to use; unspecified if the route decides.
    pub source: IpAddr,
    /// The interface it must leave by.
    pub ifindex: Option<IfIndex>,
    /// The TOS byte before ECN.
    pub tos: u8,
    /// The packet mark.
    pub mark: u32,
    /// The outer UDP source port.
    pub source_port: u16,
    /// The outer UDP destination port.
    pub destination_port: u16,
}

/// An encapsulated frame, lent from the caller's buffer: IP, UDP and VXLAN header, then the frame.
///
/// As long as it lives the buffer is borrowed; afterwards the headroom is free for the next remote
/// and the frame is unchanged.
#[derive(Debug)]
pub struct Outer<'p> {
    /// All the headroom, then the frame.
    buffer: &'p mut [u8],
    start: usize,
    ip_len: usize,
    destination: IpAddr,
    destination_port: u16,
    source_port: u16,
    tos: u8,
    ttl: u8,
    label: u32,
    dont_fragment: bool,
    ifindex: Option<IfIndex>,
    fragment: Option<u32>,
}

impl<S: Storage> Device<S> {
    /// What to ask the routing table before [`encapsulate`](Self::encapsulate).
    #[must_use]
    pub fn route_query(&self, frame: &Packet<'_>, remote: &Remote) -> RouteQuery {
        let inner_tos = || Inner::parse(frame.bytes()).map_or(0, |inner| inner.tos);
        RouteQuery {
            destination: remote.addr,
            source: self.config.local(),
            ifindex: remote.ifindex,
            tos: match self.config.tos() {
                TOS_INHERIT => inner_tos(),
                tos => tos,
            },
            mark: frame.mark,
            source_port: self.source_port(frame),
            destination_port: self.destination_port(remote),
        }
    }

    /// Puts the outer headers for `remote` in front of a frame and counts it. Kernel:
    /// `vxlan_xmit_one()`, `vxlan_build_skb()`, `udp_tunnel_xmit_skb()`, `iptunnel_xmit()`.
    ///
    /// `route` is what the underlay says about the way there; its absence is counted here, too.
    /// The frame needs 36 bytes of headroom over IPv4 and 56 over IPv6, and 14 more for
    /// [`Outer::ethernet`]; [`HEADROOM`](crate::packet::HEADROOM) is enough for everything.
    ///
    /// An outer IPv4 packet longer than the path's MTU is returned with
    /// [`Outer::needs_fragments`] set, or dropped if it must not be fragmented; an outer IPv6
    /// packet is always dropped then.
    #[inline]
    pub fn encapsulate<'p>(
        &self,
        worker: &mut Worker,
        frame: &'p mut Packet<'_>,
        remote: &Remote,
        route: Result<Route, RouteError>,
    ) -> Encapsulated<'p> {
        let Some(inner) = Inner::parse(frame.bytes()) else {
            return Encapsulated::Drop(worker.tx_dropped(DropReason::InnerHeaderTruncated));
        };
        if remote.addr.is_unspecified() {
            return Encapsulated::Drop(worker.tx_dropped(DropReason::AnyRemote));
        }
        let route = match route {
            Ok(route) => route,
            Err(error) => {
                return Encapsulated::Drop(worker.tx_error(match error {
                    RouteError::Unreachable => DropReason::NoRoute,
                    RouteError::Loop => DropReason::RouteLoop,
                    RouteError::NoSocket => DropReason::NoSocket,
                }));
            }
        };
        let flags = self.config.flags();
        if route.kind == RouteKind::Local && flags.contains(Flags::LOCALBYPASS) {
            return Encapsulated::Local(Bypass {
                vni: Vni::truncate(remote.vni),
                port: self.destination_port(remote),
                ifindex: remote.ifindex,
                ipv6: self.config.is_ipv6(),
            });
        }
        if let ChecksumState::Partial { start, offset } = frame.checksum {
            // The outer checksum covers the inner one as it will be on the wire. A field outside
            // of the frame cannot be filled in by anybody.
            if checksum::fill(frame.bytes_mut(), start.into(), offset.into()) {
                frame.checksum = ChecksumState::None;
            }
        }
        self.build(worker, frame, remote, &route, &inner)
    }

    #[inline]
    fn build<'p>(
        &self,
        worker: &mut Worker,
        frame: &'p mut Packet<'_>,
        remote: &Remote,
        route: &Route,
        inner: &Inner,
    ) -> Encapsulated<'p> {
        let config = &self.config;
        let flags = config.flags();
        let base = match config.tos() {
            TOS_INHERIT => inner.tos,
            tos => tos,
        };
        let tos = ecn::encapsulate(base, inner.tos);
        let ttl = if flags.contains(Flags::TTL_INHERIT) {
            inner.ttl
        } else if config.ttl() == 0 && remote.addr.is_multicast() {
            1
        } else {
            config.ttl()
        };
        let ttl = if ttl == 0 { route.hop_limit } else { ttl };
        let source_port = self.source_port(frame);
        let destination_port = self.destination_port(remote);
        let mark = frame.mark;
        let inner_len = frame.len();

        let ip_len = if remote.addr.is_ipv4() {
            ipv4::Header::LEN
        } else {
            ipv6::Header::LEN
        };
        let (room, bytes) = frame.split();
        let bytes: &[u8] = bytes;
        let Some(start) = room.len().checked_sub(ip_len + TUNNEL_LEN) else {
            return Encapsulated::Drop(worker.tx_error(DropReason::NoHeadroom));
        };
        let total = ip_len + TUNNEL_LEN + inner_len;
        let udp_len = u16::try_from(TUNNEL_LEN + inner_len).ok();

        let mut vxlan = vxlan::Header::new(Vni::truncate(remote.vni));
        if flags.contains(Flags::GBP) {
            vxlan = vxlan.with_gbp(mark);
        }
        let udp = |addresses, length, filled: bool| {
            let mut header = udp::Header::new(source_port, destination_port, length);
            if filled {
                let pseudo = udp::pseudo_header_sum(addresses, length.into());
                header.set_checksum(if route.checksum_offload {
                    pseudo.fold()
                } else {
                    let headers = pseudo
                        .add_bytes(&header.to_bytes())
                        .add_bytes(&vxlan.to_bytes());
                    udp::never_zero(headers.add_bytes(bytes).complement())
                });
            }
            header
        };

        let mut dont_fragment = false;
        let mut label = 0;
        let too_long = total > route.mtu as usize;
        let Some(addresses) = Addresses::new(route.source, remote.addr) else {
            return Encapsulated::Drop(worker.tx_error(DropReason::AddressFamily));
        };
        match addresses {
            Addresses::V4 {
                source,
                destination,
            } => {
                dont_fragment = !route.mtu_locked && self.forbids_fragments(inner);
                // Chosen also for packets that are refused, as in Linux.
                let identification = worker.next_identification();
                let (udp_len, total_length) = match (udp_len, u16::try_from(total)) {
                    (Some(len), Ok(total)) if !(too_long && dont_fragment) => (len, total),
                    _ => return Encapsulated::Drop(worker.tx_dropped(DropReason::PacketTooBig)),
                };
                let udp = udp(addresses, udp_len, !flags.contains(Flags::UDP_ZERO_CSUM_TX));
                let ip = ipv4::Header::new(&ipv4::Fields {
                    tos,
                    total_length,
                    identification,
                    dont_fragment,
                    ttl,
                    protocol: protocol::UDP,
                    source,
                    destination,
                });
                if let Some(head) = room.last_chunk_mut::<{ ipv4::Header::LEN + TUNNEL_LEN }>() {
                    *head = zerocopy::transmute!(Headers { ip, udp, vxlan });
                }
            }
            Addresses::V6 {
                source,
                destination,
            } => {
                let udp_len = match udp_len {
                    Some(len) if !too_long => len,
                    _ => {
                        worker.stats.tx_aborted_errors += 1;
                        return Encapsulated::Drop(worker.tx_error(DropReason::PacketTooBig));
                    }
                };
                label = match config.flow_label() {
                    FlowLabel::Fixed(label) => label,
                    FlowLabel::Inherit(_) => inner.label,
                };
                let udp = udp(
                    addresses,
                    udp_len,
                    !flags.contains(Flags::UDP_ZERO_CSUM6_TX),
                );
                let ip = ipv6::Header::new(&ipv6::Fields {
                    source,
                    destination,
                    traffic_class: if config.compat().ipv6_traffic_class {
                        tos
                    } else {
                        0
                    },
                    flow_label: label,
                    payload_length: udp_len,
                    next_header: protocol::UDP,
                    hop_limit: ttl,
                });
                if let Some(head) = room.last_chunk_mut::<{ ipv6::Header::LEN + TUNNEL_LEN }>() {
                    *head = zerocopy::transmute!(Headers { ip, udp, vxlan });
                }
            }
        }

        // The kernel counts a frame with nothing behind its Ethernet header as dropped, though it
        // leaves (`iptunnel_xmit_stats()`).
        match inner_len.saturating_sub(inner.network) {
            0 => worker.stats.tx_dropped += 1,
            len => {
                worker.stats.tx_packets += 1;
                worker.stats.tx_bytes += len as u64;
            }
        }
        Encapsulated::Send(Outer {
            buffer: frame.lend(),
            start,
            ip_len,
            destination: remote.addr,
            destination_port,
            source_port,
            tos,
            ttl,
            label,
            dont_fragment,
            ifindex: remote.ifindex,
            fragment: too_long.then_some(route.mtu),
        })
    }
}

/// The outer headers of one packet, as they lie on the wire.
#[derive(IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Headers<Ip> {
    ip: Ip,
    udp: udp::Header,
    vxlan: vxlan::Header,
}

impl<S: Storage> Device<S> {
    #[inline]
    fn destination_port(&self, remote: &Remote) -> u16 {
        match remote.port {
            0 => self.config.port(),
            port => port,
        }
    }

    /// Whether the outer IPv4 header forbids fragmentation.
    #[inline]
    fn forbids_fragments(&self, inner: &Inner) -> bool {
        match self.config.df() {
            Df::Unset => false,
            Df::Set => true,
            Df::Inherit => match inner.outermost {
                EtherType::IPV6 => true,
                EtherType::IPV4 => inner.dont_fragment,
                _ => false,
            },
        }
    }

    #[inline]
    fn source_port(&self, frame: &Packet<'_>) -> u16 {
        let hash = match frame.flow_hash() {
            Some(0) => flow::fallback(frame.bytes()),
            Some(hash) => hash,
            None => self.flow_hasher.frame(frame.bytes()),
        };
        self.config.source_ports().pick(hash)
    }
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
    /// [`wire::ipv4::fragments`](crate::wire::ipv4::fragments), if it is longer.
    #[must_use]
    pub const fn needs_fragments(&self) -> Option<u32> {
        self.fragment
    }
}
