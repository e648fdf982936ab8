//! Overlay to underlay, second half: the outer headers for one remote.

use crate::fdb::{Remote, Storage};
use crate::wire::ethernet::EtherType;
use crate::{
    Device, Df, DropReason, Flags, FlowLabel, IfIndex, Packet, Route, RouteError, RouteKind, Vni,
    Worker, flow,
};

use super::build::Plan;
use super::config::TOS_INHERIT;
use super::inner::Inner;
use super::outer::Outer;
use super::reply::Reply;

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

impl<S: Storage> Device<S> {
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
    pub(super) fn inner(&self, frame: &Packet<'_>) -> Option<Inner> {
        if self.config.is_raw() {
            Inner::parse_raw(frame.bytes(), frame.protocol)
        } else {
            Inner::parse(frame.bytes())
        }
    }
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
    pub(super) fn destination_port(&self, stated: u16) -> u16 {
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
    pub(super) fn source_port(&self, frame: &Packet<'_>) -> u16 {
        let hash = match frame.flow_hash() {
            Some(0) => flow::fallback(frame.bytes()),
            Some(hash) => hash,
            None => self.flow_hasher.frame(frame.bytes()),
        };
        self.config.source_ports().pick(hash)
    }
}
