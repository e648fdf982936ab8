//! Overlay to underlay, second half: the outer headers for one remote.

use core::net::IpAddr;

use zerocopy::{Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::fdb::{Remote, Storage};
use crate::offload::{self, Measure, Segments};
use crate::packet::Gso;
use crate::packet::OutOfRoom;
use crate::wire::ethernet::EtherType;
use crate::wire::rco::RemoteChecksum;
use crate::wire::{Addresses, ethernet, gpe, ipv4, ipv6, protocol, udp, vxlan};
use crate::{
    ChecksumState, Device, Df, DropReason, Flags, FlowLabel, IfIndex, Mac, Packet, Route,
    RouteError, RouteKind, Vni, Worker, ecn, flow,
};

use super::config::TOS_INHERIT;
use super::inner::Inner;
use super::reply::Reply;

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
    /// The frame was on its way to a router, and its receiver is behind this very device: hand it
    /// back with [`Device::receive_local`] and this VNI, then call [`Device::bypassed`], both on
    /// this device. Nothing is counted yet. Only from a device with [route
    /// short-circuit](crate::Config::route_short_circuit).
    Own(Vni),
    /// The frame is too long for the path, and the packet now is what tells its sender so: hand it
    /// to the stack above this device. Already counted, both ways. Only from a
    /// [port of a bridge](Device::set_bridge_port).
    Reply(Reply),
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
    /// The interface it was bound to, unless the driver does not look at it.
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
    /// The outer UDP source port; zero if the driver does not ask with it.
    pub source_port: u16,
    /// The outer UDP destination port; zero if the driver does not ask with it.
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
    gso: Option<Gso>,
    checksum_offload: bool,
    mtu: u32,
    /// What is longer than the MTU stays behind instead of being fragmented.
    refuses: bool,
}

/// What the outer headers of one copy say, wherever that was decided.
#[derive(Clone, Copy, Debug)]
struct Plan {
    destination: IpAddr,
    port: u16,
    /// Its low 24 bits are sent.
    vni: u32,
    ifindex: Option<IfIndex>,
    /// Before ECN.
    tos: u8,
    /// Zero: that of the route.
    ttl: u8,
    label: u32,
    dont_fragment: bool,
    checksum: bool,
    /// Zero: no policy.
    gbp: u32,
}

impl<S: Storage> Device<S> {
    /// What to ask the routing table before [`encapsulate`](Self::encapsulate).
    #[must_use]
    pub fn route_query(&self, frame: &Packet<'_>, remote: &Remote) -> RouteQuery {
        let inner_tos = || self.inner(frame).map_or(0, |inner| inner.tos);
        let ports = self.config.compat().route_by_ports;
        RouteQuery {
            destination: remote.addr,
            source: self.config.local(),
            ifindex: remote.ifindex,
            tos: match self.config.tos() {
                TOS_INHERIT => inner_tos(),
                tos => tos,
            },
            mark: frame.mark,
            source_port: if ports { self.source_port(frame) } else { 0 },
            destination_port: if ports {
                self.destination_port(remote.port)
            } else {
                0
            },
        }
    }

    /// What to ask the routing table before [`encapsulate_by_info`](Self::encapsulate_by_info);
    /// `None` if there is no tunnel metadata beside the frame.
    #[must_use]
    pub fn route_query_by_info(&self, frame: &Packet<'_>) -> Option<RouteQuery> {
        let info = frame.tunnel.as_ref()?;
        Some(RouteQuery {
            destination: info.destination,
            source: info.source,
            ifindex: None,
            tos: info.tos,
            mark: frame.mark,
            source_port: self.source_port(frame),
            destination_port: self.destination_port(info.destination_port),
        })
    }

    /// Puts the outer headers for `remote` in front of a frame and counts it. Kernel:
    /// `vxlan_xmit_one()`, `vxlan_build_skb()`, `udp_tunnel_xmit_skb()`, `iptunnel_xmit()`.
    ///
    /// `route` is what the underlay says about the way there; its absence is counted here, too.
    /// The frame needs 36 bytes of headroom over IPv4 and 56 over IPv6, and 14 more for
    /// [`Outer::ethernet`]; a [reply](Encapsulated::Reply) needs 28 bytes for IPv4 and 48 for IPv6.
    /// [`HEADROOM`](crate::packet::HEADROOM) is enough for everything.
    ///
    /// A frame that stands for several ([`Packet::gso`]) gets headers for the whole and counts once;
    /// [`Outer::segments`] gives the packets that leave. Its inner checksum is left as it is.
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
        let config = &self.config;
        let flags = config.flags();
        let Some(inner) = self.inner(frame) else {
            self.count_unsent(0, DropReason::InnerHeaderTruncated);
            return Encapsulated::Drop(worker.tx_dropped(DropReason::InnerHeaderTruncated));
        };
        if remote.addr.is_unspecified() {
            return match own(frame, flags) {
                Some(vni) => Encapsulated::Own(vni),
                None => {
                    self.count_unsent(0, DropReason::AnyRemote);
                    Encapsulated::Drop(worker.tx_dropped(DropReason::AnyRemote))
                }
            };
        }
        // Metadata beside the frame takes the place of bypass and DF policy, also on a device that
        // is not in external mode.
        let info = frame.tunnel.as_ref();
        let vni = match (remote.vni, info) {
            (0, Some(info)) if config.is_external() => info.vni,
            (vni, _) => vni,
        };
        let route = match route {
            Ok(route) => route,
            Err(error) => {
                self.count_unsent(vni, error.reason());
                return no_route(worker, error);
            }
        };
        let port = self.destination_port(remote.port);
        let compat = config.compat();
        let bypasses = flags.contains(Flags::LOCALBYPASS) || !compat.bypass_optional;
        if info.is_none() && route.kind == RouteKind::Local && bypasses {
            let bypass = Bypass {
                vni: Vni::truncate(vni),
                port,
                ifindex: remote.ifindex.filter(|_| compat.bypass_by_interface),
                ipv6: config.is_ipv6(),
            };
            // Another copy of the frame may have left already.
            frame.restore_checksum();
            return Encapsulated::Local(bypass);
        }
        let plan = Plan {
            destination: remote.addr,
            port,
            vni,
            ifindex: remote.ifindex,
            tos: match config.tos() {
                TOS_INHERIT => inner.tos,
                tos => tos,
            },
            ttl: if flags.contains(Flags::TTL_INHERIT) {
                inner.ttl
            } else if config.ttl() == 0 && remote.addr.is_multicast() {
                1
            } else {
                config.ttl()
            },
            label: match config.flow_label() {
                FlowLabel::Fixed(label) => label,
                FlowLabel::Inherit(_) => inner.label,
            },
            dont_fragment: match info {
                Some(info) => info.dont_fragment,
                None => self.forbids_fragments(&inner),
            },
            checksum: !flags.contains(if remote.addr.is_ipv4() {
                Flags::UDP_ZERO_CSUM_TX
            } else {
                Flags::UDP_ZERO_CSUM6_TX
            }),
            gbp: frame.mark,
        };
        self.build(worker, frame, &plan, &route, &inner)
    }

    /// The same by the tunnel metadata beside the frame, for devices in external mode. There is no
    /// bypass, and nothing is inherited but the congestion bits.
    #[cold]
    pub fn encapsulate_by_info<'p>(
        &self,
        worker: &mut Worker,
        frame: &'p mut Packet<'_>,
        route: Result<Route, RouteError>,
    ) -> Encapsulated<'p> {
        let Some(inner) = self.inner(frame) else {
            self.count_unsent(0, DropReason::InnerHeaderTruncated);
            return Encapsulated::Drop(worker.tx_dropped(DropReason::InnerHeaderTruncated));
        };
        let Some(info) = &frame.tunnel else {
            return Encapsulated::Drop(worker.tx_dropped(DropReason::NoTunnelInfo));
        };
        let route = match route {
            Ok(route) => route,
            Err(error) => {
                self.count_unsent(info.vni, error.reason());
                return no_route(worker, error);
            }
        };
        let plan = Plan {
            destination: info.destination,
            port: self.destination_port(info.destination_port),
            vni: info.vni,
            ifindex: None,
            tos: info.tos,
            ttl: info.ttl,
            label: info.flow_label,
            dont_fragment: info.dont_fragment,
            checksum: info.checksum,
            gbp: info.gbp.unwrap_or(0),
        };
        self.build(worker, frame, &plan, &route, &inner)
    }

    #[inline]
    fn inner(&self, frame: &Packet<'_>) -> Option<Inner> {
        if self.config.is_raw() {
            Inner::parse_raw(frame.bytes(), frame.protocol)
        } else {
            Inner::parse(frame.bytes())
        }
    }

    /// The VXLAN header with all that the device's extensions put into it. A checksum that is still
    /// to be filled in is left to the remote, or filled in: the outer checksum covers the inner one
    /// as it will be on the wire.
    #[cold]
    fn extended_header(&self, frame: &mut Packet<'_>, plan: &Plan) -> Option<vxlan::Header> {
        let flags = self.config.flags();
        let mut header = vxlan::Header::new(Vni::truncate(plan.vni));
        if let ChecksumState::Partial { start, offset } = frame.checksum {
            match RemoteChecksum::new(start, offset) {
                Some(checksum) if flags.contains(Flags::REMCSUM_TX) => {
                    header = header.with_remote_checksum(checksum.low_byte());
                }
                // Segments get checksums of their own.
                _ if frame.gso.is_none() => frame.fill_checksum(),
                _ => {}
            }
        }
        if flags.contains(Flags::GBP) {
            header = header.with_gbp(plan.gbp);
        }
        if flags.contains(Flags::GPE) {
            header = header.with_next_protocol(gpe::number(frame.protocol)?);
        }
        Some(header)
    }

    #[inline]
    fn build<'p>(
        &self,
        worker: &mut Worker,
        frame: &'p mut Packet<'_>,
        plan: &Plan,
        route: &Route,
        inner: &Inner,
    ) -> Encapsulated<'p> {
        if self.is_bridge_port()
            && let Some(end) = self.answer_too_big(worker, frame, inner, plan.vni, route)
        {
            return end;
        }
        let gso = frame.gso;
        let extended = self.config.flags().intersects(Flags::GBP.union(Flags::GPE))
            || matches!(frame.checksum, ChecksumState::Partial { .. });
        let vxlan = if extended {
            match self.extended_header(frame, plan) {
                Some(header) => header,
                None => {
                    self.count_unsent(plan.vni, DropReason::UnknownProtocol);
                    return Encapsulated::Drop(worker.tx_error(DropReason::UnknownProtocol));
                }
            }
        } else {
            vxlan::Header::new(Vni::truncate(plan.vni))
        };
        let tos = ecn::encapsulate(plan.tos, inner.tos);
        let ttl = if plan.ttl == 0 {
            route.hop_limit
        } else {
            plan.ttl
        };
        let source_port = self.source_port(frame);
        let inner_len = frame.len();
        let protocol = frame.protocol;

        let is_ipv4 = plan.destination.is_ipv4();
        let ip_len = if is_ipv4 {
            ipv4::Header::LEN
        } else {
            ipv6::Header::LEN
        };
        let (room, bytes) = frame.split();
        let bytes: &[u8] = bytes;
        let Some(start) = room.len().checked_sub(ip_len + TUNNEL_LEN) else {
            self.count_unsent(plan.vni, DropReason::NoHeadroom);
            return Encapsulated::Drop(worker.tx_error(DropReason::NoHeadroom));
        };
        let total = ip_len + TUNNEL_LEN + inner_len;
        // A frame that will be cut may be longer than the fields can say: they are rewritten then.
        let stated = |len| u16::try_from(len).ok().or(gso.map(|_| 0));
        let udp_len = stated(TUNNEL_LEN + inner_len);

        let pieces = match gso {
            None => Measure::of_one(total),
            Some(gso) => {
                let protocol = if self.config.is_raw() {
                    protocol
                } else {
                    EtherType::TEB
                };
                let measured = offload::measure(bytes, protocol, gso);
                match measured.and_then(|pieces| pieces.encapsulated(ip_len + TUNNEL_LEN)) {
                    Ok(pieces) => pieces,
                    Err(_) => {
                        self.count_sent(plan.vni, inner_len);
                        self.count_unsent(plan.vni, DropReason::Unsegmentable);
                        return refuse(worker, is_ipv4, DropReason::Unsegmentable);
                    }
                }
            }
        };

        let dont_fragment = plan.dont_fragment && !route.mtu_locked && is_ipv4;
        let mtu = route.mtu as usize;
        // Each piece is judged by its own length; the whole counts as refused if any is.
        let refuses = pieces.longest > mtu && (dont_fragment || !is_ipv4);
        let leaves = !(refuses && pieces.shortest > mtu);
        let Some(addresses) = Addresses::new(route.source, plan.destination) else {
            self.count_unsent(plan.vni, DropReason::AddressFamily);
            return Encapsulated::Drop(worker.tx_error(DropReason::AddressFamily));
        };
        // Chosen also for packets that are refused, as in Linux.
        let (identification, total_length) = if is_ipv4 {
            (worker.next_identifications(pieces.count), stated(total))
        } else {
            (0, Some(0))
        };
        let (Some(udp_len), Some(total_length), true) = (udp_len, total_length, leaves) else {
            self.count_sent(plan.vni, inner_len);
            self.count_unsent(plan.vni, DropReason::PacketTooBig);
            return refuse(worker, is_ipv4, DropReason::PacketTooBig);
        };
        let mut udp = udp::Header::new(source_port, plan.port, udp_len);
        if plan.checksum {
            let pseudo = udp::pseudo_header_sum(addresses, udp_len.into());
            udp.set_checksum(if route.checksum_offload || gso.is_some() {
                pseudo.fold()
            } else {
                let headers = pseudo.add_bytes(&udp.to_bytes());
                let headers = headers.add_bytes(&vxlan.to_bytes());
                udp::never_zero(headers.add_bytes(bytes).complement())
            });
        }
        match addresses {
            Addresses::V4 {
                source,
                destination,
            } => {
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
                let ip = ipv6::Header::new(&ipv6::Fields {
                    traffic_class: if self.config.compat().ipv6_traffic_class {
                        tos
                    } else {
                        0
                    },
                    flow_label: plan.label,
                    payload_length: udp_len,
                    next_header: protocol::UDP,
                    hop_limit: ttl,
                    source,
                    destination,
                });
                if let Some(head) = room.last_chunk_mut::<{ ipv6::Header::LEN + TUNNEL_LEN }>() {
                    *head = zerocopy::transmute!(Headers { ip, udp, vxlan });
                }
            }
        }

        // The kernel counts a frame with nothing behind its Ethernet header as dropped, though it
        // leaves (`iptunnel_xmit_stats()`).
        let counted = if is_ipv4 && !self.config.compat().count_inner_length {
            TUNNEL_LEN + inner_len
        } else {
            inner_len.saturating_sub(inner.network)
        };
        match counted {
            _ if refuses => {
                self.count_unsent(plan.vni, DropReason::PacketTooBig);
                refuse(worker, is_ipv4, DropReason::PacketTooBig);
            }
            0 => worker.stats.tx_dropped += 1,
            len => {
                worker.stats.tx_packets += 1;
                worker.stats.tx_bytes += len as u64;
            }
        }
        self.count_sent(plan.vni, inner_len);
        Encapsulated::Send(Outer {
            buffer: frame.lend(),
            start,
            ip_len,
            destination: plan.destination,
            destination_port: plan.port,
            source_port,
            tos,
            ttl,
            label: plan.label,
            dont_fragment,
            ifindex: plan.ifindex,
            gso,
            checksum_offload: route.checksum_offload,
            mtu: route.mtu,
            refuses,
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

/// Counts a packet that the underlay refuses (`iptunnel_xmit_stats()`, `ip6tunnel_xmit()`).
#[cold]
fn refuse<'p>(worker: &mut Worker, is_ipv4: bool, reason: DropReason) -> Encapsulated<'p> {
    Encapsulated::Drop(if is_ipv4 {
        worker.tx_dropped(reason)
    } else {
        worker.stats.tx_aborted_errors += 1;
        worker.tx_error(reason)
    })
}

/// Counts a packet without a route.
#[cold]
fn no_route<'p>(worker: &mut Worker, error: RouteError) -> Encapsulated<'p> {
    Encapsulated::Drop(worker.tx_error(error.reason()))
}

/// An entry whose remote is unspecified is that of a station behind the local bridge. A frame that
/// was to go to a router reaches it there, in this network.
#[cold]
#[inline(never)]
fn own(frame: &mut Packet<'_>, flags: Flags) -> Option<Vni> {
    let vni = frame.short_circuited?;
    // Another copy of the frame may have left already.
    frame.restore_checksum();
    flags.contains(Flags::RSC).then_some(vni)
}

impl<S: Storage> Device<S> {
    #[inline]
    fn destination_port(&self, stated: u16) -> u16 {
        match stated {
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
