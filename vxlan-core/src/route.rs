//! What the underlay says about the way to a remote, and what it tells about a received packet.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{DropReason, IfIndex, TunnelInfo, Vni};

/// The way to a remote, as the caller's routing table gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The outer source address, of the remote's family.
    pub source: IpAddr,
    /// The path MTU in bytes of an IP packet.
    pub mtu: u32,
    /// The TTL or hop limit when nothing else is configured.
    pub hop_limit: u8,
    /// What kind of destination it is.
    pub kind: RouteKind,
    /// The MTU is fixed by the operator: the outer header never forbids fragmentation
    /// (`RTAX_LOCK`).
    pub mtu_locked: bool,
    /// The card fills in the outer UDP checksum: only the pseudo-header sum is written
    /// (`CHECKSUM_PARTIAL`).
    pub checksum_offload: bool,
}

/// The kind of destination a route leads to (`RTCF_LOCAL` and others).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteKind {
    /// Another host.
    #[default]
    Unicast,
    /// This host.
    Local,
    /// A broadcast address.
    Broadcast,
    /// A multicast group.
    Multicast,
}

impl Route {
    /// A route to another host with the usual hop limit of 64.
    #[must_use]
    pub const fn new(source: IpAddr, mtu: u32) -> Self {
        Self {
            source,
            mtu,
            hop_limit: 64,
            kind: RouteKind::Unicast,
            mtu_locked: false,
            checksum_offload: false,
        }
    }

    /// The same route with another default hop limit.
    #[must_use]
    pub const fn hop_limit(mut self, hop_limit: u8) -> Self {
        self.hop_limit = hop_limit;
        self
    }

    /// The same route to another kind of destination.
    #[must_use]
    pub const fn kind(mut self, kind: RouteKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same route with its MTU fixed or not.
    #[must_use]
    pub const fn mtu_locked(mut self, on: bool) -> Self {
        self.mtu_locked = on;
        self
    }

    /// The same route through a card that fills in UDP checksums, or not.
    #[must_use]
    pub const fn checksum_offload(mut self, on: bool) -> Self {
        self.checksum_offload = on;
        self
    }
}

/// Why there is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteError {
    /// Nothing leads there (`ENETUNREACH`).
    Unreachable,
    /// The route leads back into the device (`ELOOP`).
    Loop,
    /// There is no socket of the address family.
    NoSocket,
}

impl RouteError {
    /// The reason to drop a frame for it.
    pub(crate) const fn reason(self) -> DropReason {
        match self {
            Self::Unreachable => DropReason::NoRoute,
            Self::Loop => DropReason::RouteLoop,
            Self::NoSocket => DropReason::NoSocket,
        }
    }
}

/// What the underlay tells about a received datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Underlay {
    /// The outer source address.
    pub source: IpAddr,
    /// The outer destination address. Only external mode looks at it and at the next five.
    pub destination: IpAddr,
    /// The UDP source port.
    pub source_port: u16,
    /// The UDP destination port.
    pub destination_port: u16,
    /// The outer TTL or hop limit.
    pub ttl: u8,
    /// The outer IPv6 flow label.
    pub flow_label: u32,
    /// The outer IPv4 header forbids fragmentation.
    pub dont_fragment: bool,
    /// There is a UDP checksum.
    pub checksum: bool,
    /// The outer TOS byte or traffic class.
    pub tos: u8,
    /// The interface it arrived on, if known. Link-local remotes need it.
    pub ifindex: Option<IfIndex>,
}

impl Underlay {
    /// A datagram from `source`, TOS zero, arrival interface unknown.
    #[must_use]
    pub const fn new(source: IpAddr) -> Self {
        Self {
            source,
            destination: match source {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            },
            source_port: 0,
            destination_port: 0,
            ttl: 0,
            flow_label: 0,
            dont_fragment: false,
            checksum: false,
            tos: 0,
            ifindex: None,
        }
    }

    /// The same with the outer destination address.
    #[must_use]
    pub const fn destination(mut self, destination: IpAddr) -> Self {
        self.destination = destination;
        self
    }

    /// The same with the UDP ports, source and destination.
    #[must_use]
    pub const fn ports(mut self, source: u16, destination: u16) -> Self {
        self.source_port = source;
        self.destination_port = destination;
        self
    }

    /// The same with the outer TTL or hop limit.
    #[must_use]
    pub const fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// The same with the outer IPv6 flow label.
    #[must_use]
    pub const fn flow_label(mut self, label: u32) -> Self {
        self.flow_label = label;
        self
    }

    /// The same, with or without the don't-fragment bit.
    #[must_use]
    pub const fn dont_fragment(mut self, on: bool) -> Self {
        self.dont_fragment = on;
        self
    }

    /// The same, with or without a UDP checksum.
    #[must_use]
    pub const fn checksum(mut self, on: bool) -> Self {
        self.checksum = on;
        self
    }

    /// The same with the outer TOS byte or traffic class.
    #[must_use]
    pub const fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// The same with the interface it arrived on.
    #[must_use]
    pub const fn ifindex(mut self, ifindex: Option<IfIndex>) -> Self {
        self.ifindex = ifindex;
        self
    }

    /// The outer headers as metadata beside the frame (`vxlan_rcv()`, collect metadata).
    #[cold]
    pub(crate) fn tunnel_info(&self, vni: Vni, gbp: Option<u32>) -> TunnelInfo {
        TunnelInfo {
            source: self.source,
            source_port: self.source_port,
            destination_port: self.destination_port,
            tos: self.tos,
            ttl: self.ttl,
            flow_label: self.flow_label,
            dont_fragment: self.dont_fragment,
            checksum: self.checksum,
            gbp,
            ..TunnelInfo::new(vni.get(), self.destination)
        }
    }
}
