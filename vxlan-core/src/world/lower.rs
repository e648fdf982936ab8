//! What a world is told about the interfaces below its devices.

use crate::IfIndex;

/// What the host knows about an interface when it is asked. Facts of the moment, never stored.
///
/// ```
/// use vxlan_core::{IfIndex, world::Lower};
///
/// let eth0 = IfIndex::new(10).map(Lower::ethernet);
/// assert!(eth0.is_some_and(|eth0| eth0.mtu == 1500 && eth0.ipv6));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lower {
    /// Its number.
    pub index: IfIndex,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// The length of its link-layer header in bytes (`hard_header_len`).
    pub hard_header_len: u32,
    /// More bytes that it wants before each packet (`needed_headroom`).
    pub needed_headroom: u32,
    /// Bytes that it wants behind each packet (`needed_tailroom`).
    pub needed_tailroom: u32,
    /// Whether it speaks IPv6 (`disable_ipv6` is off).
    pub ipv6: bool,
    /// The routing domain that it belongs to (`l3mdev_master_ifindex()`); sockets are bound to it.
    pub l3_master: Option<IfIndex>,
}

impl Lower {
    /// An ordinary Ethernet interface: MTU 1500, IPv6, in no routing domain.
    #[must_use]
    pub const fn ethernet(index: IfIndex) -> Self {
        Self {
            index,
            mtu: 1500,
            hard_header_len: 14,
            needed_headroom: 0,
            needed_tailroom: 0,
            ipv6: true,
            l3_master: None,
        }
    }
}

/// What happened to another interface of the host (`vxlan_netdevice_event()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LowerEvent {
    /// It goes: devices that name it go with it.
    Unregister,
    /// It wants to know the ports in use (`NETDEV_UDP_TUNNEL_PUSH_INFO`).
    PushPorts,
    /// It forgets them (`NETDEV_UDP_TUNNEL_DROP_INFO`).
    DropPorts,
    /// Anything else, which no device cares about.
    Other,
}
