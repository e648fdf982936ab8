//! A configuration step by step.

use core::net::IpAddr;
use core::num::NonZeroU32;
use core::time::Duration;

use super::limits::Limits;
use super::{Config, Df, Flags, FlowLabel};
use crate::wire::vxlan::ReservedBits;
use crate::{Compat, IfIndex, PortRange, Salt, Vni};

impl Config {
    /// A device for `vni` as Linux 6.18 makes it when nothing else is said.
    #[must_use]
    pub const fn new(vni: Vni) -> Self {
        Self {
            vni,
            remote: None,
            local: None,
            lower: None,
            port: 0,
            port_range: PortRange::UNSET,
            ephemeral: PortRange::EPHEMERAL,
            ttl: 0,
            tos: 0,
            df: Df::Unset,
            label: FlowLabel::Fixed(0),
            flags: Flags::LEARN.union(Flags::LOCALBYPASS),
            rco_named: false,
            ageing: 0,
            limit: None,
            limits: Limits::OFF,
            reserved_bits: None,
            compat: Compat::LINUX_6,
            salt: Salt::new([0; 16]),
        }
    }

    /// The same configuration for another VNI (`IFLA_VXLAN_ID`).
    #[must_use]
    pub const fn vni(mut self, vni: Vni) -> Self {
        self.vni = vni;
        self
    }

    /// The default remote: where frames go that match no entry (`IFLA_VXLAN_GROUP`, `GROUP6`). May
    /// be a multicast group. An unspecified address only chooses the address family.
    #[must_use]
    pub const fn remote(mut self, remote: IpAddr) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The outer source address (`IFLA_VXLAN_LOCAL`, `LOCAL6`). Default: the route decides.
    #[must_use]
    pub const fn local(mut self, local: IpAddr) -> Self {
        self.local = Some(local);
        self
    }

    /// The lower interface (`IFLA_VXLAN_LINK`), `None` for whatever the route says.
    #[must_use]
    pub const fn lower(mut self, lower: Option<IfIndex>) -> Self {
        self.lower = lower;
        self
    }

    /// The UDP destination port (`IFLA_VXLAN_PORT`). Default, and for zero: that of the
    /// [`Compat`], 8472 for Linux.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The range of outer source ports (`IFLA_VXLAN_PORT_RANGE`). Default: the ephemeral range.
    #[must_use]
    pub const fn port_range(mut self, range: PortRange) -> Self {
        self.port_range = range;
        self
    }

    /// The host's ephemeral range (`net.ipv4.ip_local_port_range`). Default: 32768 to 60999.
    #[must_use]
    pub const fn ephemeral_ports(mut self, range: PortRange) -> Self {
        self.ephemeral = range;
        self
    }

    /// The outer TTL or hop limit (`IFLA_VXLAN_TTL`). Default, and for zero: 1 to a multicast
    /// group, else the route's.
    #[must_use]
    pub const fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// Whether the outer TTL is the inner one (`IFLA_VXLAN_TTL_INHERIT`). Default: no.
    #[must_use]
    pub const fn ttl_inherit(self, on: bool) -> Self {
        self.flag(Flags::TTL_INHERIT, on)
    }

    /// The outer TOS byte or traffic class (`IFLA_VXLAN_TOS`); [`TOS_INHERIT`](super::TOS_INHERIT) copies the inner
    /// one. The two ECN bits always follow the inner header (RFC 6040). Default: 0.
    #[must_use]
    pub const fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// When the outer IPv4 header forbids fragmentation (`IFLA_VXLAN_DF`). Default: never.
    #[must_use]
    pub const fn df(mut self, df: Df) -> Self {
        self.df = df;
        self
    }

    /// The outer IPv6 flow label (`IFLA_VXLAN_LABEL`, `LABEL_POLICY`). Default: zero. Only the low
    /// 20 bits count.
    #[must_use]
    pub const fn flow_label(mut self, label: FlowLabel) -> Self {
        self.label = match label {
            FlowLabel::Fixed(label) => FlowLabel::Fixed(label & 0x000f_ffff),
            FlowLabel::Inherit(label) => FlowLabel::Inherit(label & 0x000f_ffff),
        };
        self
    }

    /// Whether inner source addresses are learned (`IFLA_VXLAN_LEARNING`). Default: yes.
    #[must_use]
    pub const fn learning(self, on: bool) -> Self {
        self.flag(Flags::LEARN, on)
    }

    /// Whether a frame without a match brings an [`Event::L2Miss`](crate::Event::L2Miss)
    /// (`IFLA_VXLAN_L2MISS`). Default: no.
    #[must_use]
    pub const fn l2miss(self, on: bool) -> Self {
        self.flag(Flags::L2MISS, on)
    }

    /// Whether an IP address without a neighbour brings an
    /// [`Event::L3Miss`](crate::Event::L3Miss) (`IFLA_VXLAN_L3MISS`). Only the
    /// [proxy](Self::proxy) and the [route short-circuit](Self::route_short_circuit) ask for
    /// neighbours. Default: no.
    #[must_use]
    pub const fn l3miss(self, on: bool) -> Self {
        self.flag(Flags::L3MISS, on)
    }

    /// Whether ARP requests and neighbour solicitations from the overlay are answered here, if the
    /// neighbour is known, and never forwarded (`IFLA_VXLAN_PROXY`). Default: no.
    #[must_use]
    pub const fn proxy(self, on: bool) -> Self {
        self.flag(Flags::PROXY, on)
    }

    /// Whether a frame to an entry with [`fdb::Flags::ROUTER`](crate::fdb::Flags::ROUTER) goes to
    /// the neighbour that has its IP destination at once (`IFLA_VXLAN_RSC`). Default: no.
    #[must_use]
    pub const fn route_short_circuit(self, on: bool) -> Self {
        self.flag(Flags::RSC, on)
    }

    /// How long a learned entry lives without traffic from its source (`IFLA_VXLAN_AGEING`).
    /// Whole seconds; default, and for zero: 300 s.
    #[must_use]
    pub const fn ageing(mut self, ageing: Duration) -> Self {
        let seconds = ageing.as_secs();
        self.ageing = if seconds > u32::MAX as u64 {
            u32::MAX
        } else {
            seconds as u32
        };
        self
    }

    /// How many entries the FDB may have (`IFLA_VXLAN_LIMIT`), all kinds together. Default:
    /// unlimited.
    #[must_use]
    pub const fn limit(mut self, limit: Option<NonZeroU32>) -> Self {
        self.limit = limit;
        self
    }

    /// Whether outer IPv4 packets carry a UDP checksum (`IFLA_VXLAN_UDP_CSUM`). Default: that of
    /// the [`Compat`], yes for Linux 6.
    #[must_use]
    pub const fn udp_checksum(self, on: bool) -> Self {
        self.flag(Flags::UDP_ZERO_CSUM_TX, !on)
    }

    /// Whether outer IPv6 packets go without UDP checksum (`IFLA_VXLAN_UDP_ZERO_CSUM6_TX`).
    /// Default: no.
    #[must_use]
    pub const fn udp_zero_checksum6_tx(self, on: bool) -> Self {
        self.flag(Flags::UDP_ZERO_CSUM6_TX, on)
    }

    /// Whether outer IPv6 packets without UDP checksum are accepted
    /// (`IFLA_VXLAN_UDP_ZERO_CSUM6_RX`). Default: no. The socket acts on it.
    #[must_use]
    pub const fn udp_zero_checksum6_rx(self, on: bool) -> Self {
        self.flag(Flags::UDP_ZERO_CSUM6_RX, on)
    }

    /// Whether a checksum that is still to be filled in is left to the remote
    /// (`IFLA_VXLAN_REMCSUM_TX`). Default: no.
    #[must_use]
    pub const fn remote_checksum_tx(self, on: bool) -> Self {
        self.flag(Flags::REMCSUM_TX, on)
    }

    /// Whether packets whose checksum is still to be filled in are understood
    /// (`IFLA_VXLAN_REMCSUM_RX`). Default: no.
    ///
    /// Naming the option, with whatever value, takes its header bits off the reserved ones, as in
    /// Linux.
    #[must_use]
    pub const fn remote_checksum_rx(mut self, on: bool) -> Self {
        self.rco_named = true;
        self.flag(Flags::REMCSUM_RX, on)
    }

    /// Whether a remote checksum is computed on arrival (`IFLA_VXLAN_REMCSUM_NOPARTIAL`).
    /// Default: no, it is passed on as [`ChecksumState::Partial`](crate::ChecksumState::Partial).
    #[must_use]
    pub const fn remote_checksum_nopartial(self, on: bool) -> Self {
        self.flag(Flags::REMCSUM_NOPARTIAL, on)
    }

    /// Whether the group-based policy extension is on (`IFLA_VXLAN_GBP`). Default: no.
    #[must_use]
    pub const fn gbp(self, on: bool) -> Self {
        self.flag(Flags::GBP, on)
    }

    /// Whether the generic protocol extension is on (`IFLA_VXLAN_GPE`): the VXLAN header is
    /// followed by the protocol it names, without an Ethernet header. Needs
    /// [`external`](Self::external), excludes learning. Default: no.
    #[must_use]
    pub const fn gpe(self, on: bool) -> Self {
        self.flag(Flags::GPE, on)
    }

    /// Whether outer headers travel as [`TunnelInfo`](crate::TunnelInfo) beside the frame
    /// (`IFLA_VXLAN_COLLECT_METADATA`, `external`). Default: no.
    #[must_use]
    pub const fn external(self, on: bool) -> Self {
        self.flag(Flags::COLLECT_METADATA, on)
    }

    /// Whether only the VNIs of a list are received (`IFLA_VXLAN_VNIFILTER`), which starts empty: see
    /// [`Device::add_vni`](crate::Device::add_vni). Needs [`external`](Self::external). Default: no.
    #[must_use]
    pub const fn vni_filter(self, on: bool) -> Self {
        self.flag(Flags::VNIFILTER, on)
    }

    /// Whether frames to this host bypass the encapsulation (`IFLA_VXLAN_LOCALBYPASS`). Default:
    /// yes.
    #[must_use]
    pub const fn local_bypass(self, on: bool) -> Self {
        self.flag(Flags::LOCALBYPASS, on)
    }

    /// Whether outer packets to a group go through the host's multicast routing
    /// (`IFLA_VXLAN_MC_ROUTE`); the host acts on it, and Linux does not dump it. Default: no.
    #[must_use]
    pub const fn multicast_route(self, on: bool) -> Self {
        self.flag(Flags::MC_ROUTE, on)
    }

    /// The header bits that make a received packet malformed (`IFLA_VXLAN_RESERVED_BITS`).
    /// Default: all that no enabled feature uses.
    #[must_use]
    pub const fn reserved_bits(mut self, mask: ReservedBits) -> Self {
        self.reserved_bits = Some(mask);
        self
    }

    /// Whose behaviour to follow. Default: [`Compat::LINUX_6`].
    ///
    /// Also sets whether outer IPv4 packets carry a checksum, which the old driver left off; call
    /// [`udp_checksum`](Self::udp_checksum) afterwards to choose yourself.
    #[must_use]
    pub const fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self.flag(Flags::UDP_ZERO_CSUM_TX, !compat.udp_checksum)
    }

    /// The secret for placement and source ports. Default: none, which is fit for tests alone.
    #[must_use]
    pub const fn salt(mut self, salt: Salt) -> Self {
        self.salt = salt;
        self
    }

    const fn flag(mut self, flag: Flags, on: bool) -> Self {
        self.flags = if on {
            self.flags.union(flag)
        } else {
            self.flags.difference(flag)
        };
        self
    }
}
