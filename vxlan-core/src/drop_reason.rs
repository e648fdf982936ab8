//! The ways a packet can end.

use core::fmt;

/// Why a packet was not carried further.
///
/// Each variant names its twin in the kernel's `enum skb_drop_reason`, where there is one. Every
/// way to lose a packet has a variant of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum DropReason {
    /// Received: less than a VXLAN header behind the UDP header (`PKT_TOO_SMALL`).
    PacketTooSmall,
    /// Received: the I flag is clear (`VXLAN_INVALID_HDR`).
    InvalidHeader,
    /// Received: no device for the VNI (`VXLAN_VNI_NOT_FOUND`).
    VniNotFound,
    /// Received: a reserved bit is set (`VXLAN_INVALID_HDR`, counted as frame error).
    ReservedBits,
    /// Received: the header of the generic protocol extension names no known protocol
    /// (`NOT_SPECIFIED`).
    NextProtocol,
    /// Received: less than an Ethernet header behind the VXLAN header (`NOMEM` in Linux).
    InnerTooShort,
    /// Received: the checksum to be filled in lies beyond the packet (`PKT_TOO_SMALL`).
    RemoteChecksum,
    /// Received: the inner source is the device's own MAC address (`LOCAL_MAC`).
    LocalMac,
    /// Received with learning: the inner source is a group or all zeros (`MAC_INVALID_SOURCE`).
    InvalidSourceMac,
    /// Received with learning: the inner source is pinned to another remote
    /// (`VXLAN_ENTRY_EXISTS`).
    EntryExists,
    /// The inner IP header is cut off: received `PKT_TOO_SMALL` (a length error), transmitted
    /// `PKT_TOO_SMALL` as well.
    InnerHeaderTruncated,
    /// Received: the outer header says "congestion experienced", the inner one cannot
    /// (`IP_TUNNEL_ECN`).
    TunnelEcn,
    /// The device is not up (`DEV_READY`).
    DeviceDown,
    /// Transmitted: no FDB entry and no default entry (`NO_TX_TARGET`, formerly
    /// `VXLAN_NO_REMOTE`).
    NoRemote,
    /// Transmitted: the remote's address is unspecified.
    AnyRemote,
    /// Transmitted: the nexthop object of the entry has no usable path.
    NoNexthopPath,
    /// Transmitted to a group: every remote that the multicast database has for it is blocked or
    /// takes other sources (`NO_TX_TARGET`, without a counter in Linux).
    NoGroupRemote,
    /// Transmitted: no route to the remote (`IP_OUTNOROUTES`, `ENETUNREACH`).
    NoRoute,
    /// Transmitted: the route to the remote leads back into the device (`IP_OUTNOROUTES`,
    /// `ELOOP`).
    RouteLoop,
    /// Transmitted: no socket of the address family (`DEV_READY`).
    NoSocket,
    /// Transmitted: the remote is this host, and no device here has its VNI
    /// (`VXLAN_VNI_NOT_FOUND`, counted as transmit error).
    LocalVniNotFound,
    /// Transmitted: the frame stands for several, but cannot be cut into them (`SKB_GSO_SEG`).
    Unsegmentable,
    /// Transmitted: longer than the path allows and not to be fragmented (`PKT_TOO_BIG`).
    PacketTooBig,
    /// Transmitted: less headroom than the outer headers need (`NOMEM` in Linux).
    NoHeadroom,
    /// Transmitted: the route's source and the remote are of different address families.
    AddressFamily,
    /// Transmitted in external mode: the frame came without tunnel metadata (`TUNNEL_TXINFO`).
    NoTunnelInfo,
    /// Transmitted: the generic protocol extension has no number for the protocol (`NOMEM` in
    /// Linux).
    UnknownProtocol,
    /// Transmitted: a truncated ARP request that the proxy should answer.
    ArpTruncated,
    /// Received with learning: there are as many learned entries behind the remote as
    /// [`Config::learn_quota`](crate::Config::learn_quota) allows. Not in Linux.
    LearnQuota,
    /// Received with learning: as many were learned of late as
    /// [`Config::learn_rate`](crate::Config::learn_rate) allows. Not in Linux.
    LearnRate,
    /// Received with learning: the inner source has moved too often, and is held at another remote
    /// ([`Config::move_damping`](crate::Config::move_damping)). Not in Linux.
    MoveDamped,
}

impl DropReason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 31] = [
        Self::PacketTooSmall,
        Self::InvalidHeader,
        Self::VniNotFound,
        Self::ReservedBits,
        Self::NextProtocol,
        Self::InnerTooShort,
        Self::RemoteChecksum,
        Self::LocalMac,
        Self::InvalidSourceMac,
        Self::EntryExists,
        Self::InnerHeaderTruncated,
        Self::TunnelEcn,
        Self::DeviceDown,
        Self::NoRemote,
        Self::AnyRemote,
        Self::NoNexthopPath,
        Self::NoGroupRemote,
        Self::NoRoute,
        Self::RouteLoop,
        Self::NoSocket,
        Self::LocalVniNotFound,
        Self::Unsegmentable,
        Self::PacketTooBig,
        Self::NoHeadroom,
        Self::AddressFamily,
        Self::NoTunnelInfo,
        Self::UnknownProtocol,
        Self::ArpTruncated,
        Self::LearnQuota,
        Self::LearnRate,
        Self::MoveDamped,
    ];

    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The reason's number, below [`Self::COUNT`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A short name in lower case, fit for a counter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PacketTooSmall => "packet-too-small",
            Self::InvalidHeader => "invalid-header",
            Self::VniNotFound => "vni-not-found",
            Self::ReservedBits => "reserved-bits",
            Self::NextProtocol => "next-protocol",
            Self::InnerTooShort => "inner-too-short",
            Self::RemoteChecksum => "remote-checksum",
            Self::LocalMac => "local-mac",
            Self::InvalidSourceMac => "invalid-source-mac",
            Self::EntryExists => "entry-exists",
            Self::InnerHeaderTruncated => "inner-header-truncated",
            Self::TunnelEcn => "tunnel-ecn",
            Self::DeviceDown => "device-down",
            Self::NoRemote => "no-remote",
            Self::AnyRemote => "any-remote",
            Self::NoNexthopPath => "no-nexthop-path",
            Self::NoGroupRemote => "no-group-remote",
            Self::NoRoute => "no-route",
            Self::RouteLoop => "route-loop",
            Self::NoSocket => "no-socket",
            Self::LocalVniNotFound => "local-vni-not-found",
            Self::Unsegmentable => "unsegmentable",
            Self::PacketTooBig => "packet-too-big",
            Self::NoHeadroom => "no-headroom",
            Self::AddressFamily => "address-family",
            Self::NoTunnelInfo => "no-tunnel-info",
            Self::UnknownProtocol => "unknown-protocol",
            Self::ArpTruncated => "arp-truncated",
            Self::LearnQuota => "learn-quota",
            Self::LearnRate => "learn-rate",
            Self::MoveDamped => "move-damped",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_list_and_names_differ() {
        for (index, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), index, "{reason}");
            for other in &DropReason::ALL[..index] {
                assert_ne!(reason.as_str(), other.as_str());
            }
        }
    }
}
