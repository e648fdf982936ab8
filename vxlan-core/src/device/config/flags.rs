//! What a device does, as bits and choices.

use bitflags::bitflags;

bitflags! {
    /// What a device does, by the kernel's names and bits (`VXLAN_F_*`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u32 {
        /// Learn inner source addresses.
        const LEARN = 0x1;
        /// Answer ARP requests and neighbour solicitations in place of the neighbour.
        const PROXY = 0x2;
        /// Route short-circuit: what goes to a router goes to its next hop at once.
        const RSC = 0x4;
        /// Tell about frames whose destination is in no entry.
        const L2MISS = 0x8;
        /// Tell about IP addresses that are no neighbour's.
        const L3MISS = 0x10;
        /// The outer header is IPv6. Derived from the addresses.
        const IPV6 = 0x20;
        /// No UDP checksum over IPv4.
        const UDP_ZERO_CSUM_TX = 0x40;
        /// No UDP checksum over IPv6.
        const UDP_ZERO_CSUM6_TX = 0x80;
        /// Accept packets without UDP checksum over IPv6. For the socket to act on.
        const UDP_ZERO_CSUM6_RX = 0x100;
        /// Transmit with remote checksum offload.
        const REMCSUM_TX = 0x200;
        /// Accept remote checksum offload.
        const REMCSUM_RX = 0x400;
        /// Group-based policy: the packet mark travels in the VXLAN header.
        const GBP = 0x800;
        /// Remote checksums are computed, not passed on as still to be filled in.
        const REMCSUM_NOPARTIAL = 0x1000;
        /// External mode: outer headers travel beside the frame.
        const COLLECT_METADATA = 0x2000;
        /// The generic protocol extension: no inner Ethernet header.
        const GPE = 0x4000;
        /// The local address is IPv6 link-local. Derived from the addresses.
        const IPV6_LINKLOCAL = 0x8000;
        /// The outer TTL is the inner one.
        const TTL_INHERIT = 0x10000;
        /// Only the VNIs of a list are received.
        const VNIFILTER = 0x20000;
        /// Frames to a device of the same host are handed over without encapsulation.
        const LOCALBYPASS = 0x80000;
        /// Outer multicast goes through multicast routing. For the host to act on.
        const MC_ROUTE = 0x10_0000;
    }
}

impl Flags {
    /// The flags that devices on one socket must have in common (`VXLAN_F_RCV_FLAGS`).
    pub const RECEIVE: Self = Self::GBP
        .union(Self::GPE)
        .union(Self::UDP_ZERO_CSUM6_RX)
        .union(Self::REMCSUM_RX)
        .union(Self::REMCSUM_NOPARTIAL)
        .union(Self::COLLECT_METADATA)
        .union(Self::VNIFILTER);

    /// The flags that a device with the generic protocol extension may have
    /// (`VXLAN_F_ALLOWED_GPE`).
    pub(super) const WITH_GPE: Self = Self::GPE
        .union(Self::IPV6)
        .union(Self::IPV6_LINKLOCAL)
        .union(Self::UDP_ZERO_CSUM_TX)
        .union(Self::UDP_ZERO_CSUM6_TX)
        .union(Self::UDP_ZERO_CSUM6_RX)
        .union(Self::COLLECT_METADATA)
        .union(Self::VNIFILTER)
        .union(Self::LOCALBYPASS)
        .union(Self::MC_ROUTE);
}

/// When the outer IPv4 header forbids fragmentation (`enum ifla_vxlan_df`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Df {
    /// Never.
    #[default]
    Unset,
    /// Always.
    Set,
    /// When the inner header does; always for inner IPv6. Frames with a VLAN tag never.
    Inherit,
}

/// The flow label of outer IPv6 headers (`enum ifla_vxlan_label_policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlowLabel {
    /// Always this one, 20 bits.
    Fixed(u32),
    /// That of the inner IPv6 header; zero for anything else. The number is kept for the dump.
    Inherit(u32),
}

impl Default for FlowLabel {
    fn default() -> Self {
        Self::Fixed(0)
    }
}
