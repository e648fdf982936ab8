//! What a checked configuration says.

use core::net::IpAddr;
use core::num::NonZeroU32;
use core::time::Duration;

use super::{Df, Flags, FlowLabel, MTU_DEFAULT, MTU_MAX, MTU_MIN, Valid};
use crate::wire::vxlan::ReservedBits;
use crate::{Compat, IfIndex, PortRange, Salt, Vni};

impl Valid {
    /// The device's VNI.
    #[must_use]
    #[inline]
    pub const fn vni(&self) -> Vni {
        self.config.vni
    }

    /// The default remote; unspecified if there is none.
    #[must_use]
    pub const fn remote(&self) -> IpAddr {
        self.remote
    }

    /// The outer source address; unspecified if the route decides. Its family is the device's.
    #[must_use]
    #[inline]
    pub const fn local(&self) -> IpAddr {
        self.local
    }

    /// Whether the outer header is IPv6.
    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        self.local.is_ipv6()
    }

    /// The lower interface, which packets to the default remote leave by
    /// (`default_dst.remote_ifindex`).
    #[must_use]
    pub const fn lower(&self) -> Option<IfIndex> {
        self.lower
    }

    /// The only interface that packets may arrive on: that of a link-local device.
    ///
    /// It is the one that was named last (`cfg.remote_ifindex`), which a change may have taken
    /// back; [`lower`](Self::lower) then still is what it was.
    #[must_use]
    #[inline]
    pub const fn arrival(&self) -> Option<IfIndex> {
        if self.config.flags.contains(Flags::IPV6_LINKLOCAL) {
            self.config.lower
        } else {
            None
        }
    }

    /// The interface that was named last, which a remote named from now on leaves by
    /// (`cfg.remote_ifindex`).
    #[must_use]
    pub const fn named_lower(&self) -> Option<IfIndex> {
        self.config.lower
    }

    /// Whether devices with these configurations get in each other's way if they have a VNI in
    /// common: same port, same receive flags, and if this one is link-local the same interface.
    pub(in crate::device) fn shares_packets_with(&self, other: &Self) -> bool {
        let mask = Flags::RECEIVE | Flags::IPV6;
        self.port() == other.port()
            && self.flags() & mask == other.flags() & mask
            && (self.arrival().is_none() || self.config.lower == other.config.lower)
    }

    /// The UDP destination port, never zero.
    #[must_use]
    #[inline]
    pub const fn port(&self) -> u16 {
        self.config.port
    }

    /// The source-port range as configured.
    #[must_use]
    pub const fn port_range(&self) -> PortRange {
        self.config.port_range
    }

    /// The source-port range in effect.
    #[must_use]
    #[inline]
    pub const fn source_ports(&self) -> PortRange {
        self.config.port_range.or(self.config.ephemeral)
    }

    /// The outer TTL as configured, zero for automatic.
    #[must_use]
    #[inline]
    pub const fn ttl(&self) -> u8 {
        self.config.ttl
    }

    /// The outer TOS byte as configured.
    #[must_use]
    #[inline]
    pub const fn tos(&self) -> u8 {
        self.config.tos
    }

    /// When fragmentation is forbidden.
    #[must_use]
    #[inline]
    pub const fn df(&self) -> Df {
        self.config.df
    }

    /// The outer flow label.
    #[must_use]
    #[inline]
    pub const fn flow_label(&self) -> FlowLabel {
        self.config.label
    }

    /// All flags, the derived ones included.
    #[must_use]
    #[inline]
    pub const fn flags(&self) -> Flags {
        self.config.flags
    }

    /// How long an entry lives without traffic, never zero.
    #[must_use]
    pub const fn ageing(&self) -> Duration {
        Duration::from_secs(self.config.ageing as u64)
    }

    /// How many entries the FDB may have.
    #[must_use]
    pub const fn limit(&self) -> Option<NonZeroU32> {
        self.config.limit
    }

    /// The header bits that make a packet malformed.
    #[must_use]
    #[inline]
    pub const fn reserved_bits(&self) -> ReservedBits {
        self.reserved_bits
    }

    /// Whose behaviour is followed.
    #[must_use]
    #[inline]
    pub const fn compat(&self) -> &Compat {
        &self.config.compat
    }

    /// The secret.
    #[must_use]
    pub const fn salt(&self) -> Salt {
        self.config.salt
    }

    /// Bytes that the outer headers and the inner Ethernet header add to an inner IP packet: 50
    /// over IPv4, 70 over IPv6, 14 less without inner Ethernet header (`vxlan_headroom()`).
    #[must_use]
    pub const fn headroom(&self) -> u32 {
        let ip = if self.is_ipv6() { 40 } else { 20 };
        let ethernet = if self.is_raw() { 0 } else { 14 };
        ip + 8 + 8 + ethernet
    }

    /// Whether inner packets have no Ethernet header: the generic protocol extension is on.
    #[must_use]
    #[inline]
    pub const fn is_raw(&self) -> bool {
        self.config.flags.contains(Flags::GPE)
    }

    /// Whether outer headers travel beside the frame.
    #[must_use]
    #[inline]
    pub const fn is_external(&self) -> bool {
        self.config.flags.contains(Flags::COLLECT_METADATA)
    }

    /// Whether only the VNIs of a list are received.
    #[must_use]
    #[inline]
    pub const fn has_vni_filter(&self) -> bool {
        self.config.flags.contains(Flags::VNIFILTER)
    }

    /// The MTU of the device: `requested`, or what the lower interface leaves, in bytes of an
    /// inner IP packet. A request beyond what the lower interface can carry is cut
    /// (`vxlan_config_apply()`); the old driver takes it as it is.
    #[must_use]
    pub fn mtu(&self, lower: Option<u32>, requested: Option<u32>) -> u32 {
        let most = match lower {
            Some(lower) => lower.saturating_sub(self.headroom()).max(MTU_MIN),
            None => MTU_MAX,
        };
        match requested {
            Some(mtu) if !self.compat().check_mtu => mtu,
            Some(mtu) => mtu.min(most),
            None if lower.is_some() => most,
            None => MTU_DEFAULT,
        }
    }
}
