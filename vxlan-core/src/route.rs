//! What the underlay says about the way to a remote, and what it tells about a received packet.

use core::net::IpAddr;

use crate::IfIndex;

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

/// What the underlay tells about a received datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Underlay {
    /// The outer source address.
    pub source: IpAddr,
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
            tos: 0,
            ifindex: None,
        }
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
}
