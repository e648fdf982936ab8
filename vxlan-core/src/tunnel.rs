//! Tunnel metadata that travels beside a frame instead of in the device's configuration.

use core::net::IpAddr;

use crate::fdb::NexthopId;

/// The outer headers of one packet, as data beside the frame (`struct ip_tunnel_info`).
///
/// A device in external mode fills it in for every frame it delivers, and sends by it. Addresses
/// are those of the packet itself: transmitting, [`destination`](Self::destination) is the remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TunnelInfo {
    /// The VNI. Values of 2^24 and above lose their top byte on the wire.
    pub vni: u32,
    /// The outer source address; transmitting, unspecified if the route decides.
    pub source: IpAddr,
    /// The outer destination address.
    pub destination: IpAddr,
    /// The outer UDP source port. Not used when transmitting.
    pub source_port: u16,
    /// The outer UDP destination port; transmitting, zero for the device's own.
    pub destination_port: u16,
    /// TOS byte or traffic class; transmitting, before ECN.
    pub tos: u8,
    /// TTL or hop limit; transmitting, zero for the route's.
    pub ttl: u8,
    /// The IPv6 flow label.
    pub flow_label: u32,
    /// The outer IPv4 header forbids fragmentation (`TUNNEL_DONT_FRAGMENT`).
    pub dont_fragment: bool,
    /// There is an outer UDP checksum (`TUNNEL_CSUM`).
    pub checksum: bool,
    /// The group policy word, if there is one (`TUNNEL_VXLAN_OPT`).
    pub gbp: Option<u32>,
    /// The remote comes from the FDB; of this, only the VNI counts (`IP_TUNNEL_INFO_BRIDGE`).
    pub bridge: bool,
    /// With [`bridge`](Self::bridge): the nexthop group to send by.
    pub nexthop: Option<NexthopId>,
}

impl TunnelInfo {
    /// Metadata for a packet to `destination` in the network `vni`; all else unset.
    #[must_use]
    pub const fn new(vni: u32, destination: IpAddr) -> Self {
        Self {
            vni,
            source: match destination {
                IpAddr::V4(_) => IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(_) => IpAddr::V6(core::net::Ipv6Addr::UNSPECIFIED),
            },
            destination,
            source_port: 0,
            destination_port: 0,
            tos: 0,
            ttl: 0,
            flow_label: 0,
            dont_fragment: false,
            checksum: false,
            gbp: None,
            bridge: false,
            nexthop: None,
        }
    }
}
