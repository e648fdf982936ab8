//! What a world asks of its host.

use super::{DeviceId, SocketId, SocketKey};
use crate::IfIndex;
use crate::device::Group;

/// One thing that the host has to do now, and only the host can do.
///
/// A [`Task`](super::Task) hands them out one by one; each is answered before the next comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Set a service up that outlives all devices.
    Start(Service),
    /// Take a service down.
    End(Service),
    /// Make the network interface of a device, down (`register_netdevice()`): its MAC address, its
    /// MTU and what [`Setup`](super::Setup) says.
    Register(DeviceId),
    /// Take the interface away (`unregister_netdevice()`).
    Unregister(DeviceId),
    /// Note which interface the device is above (`netdev_upper_dev_link()`,
    /// `netdev_adjacent_change_prepare()`). `None`: none.
    Relink {
        /// The device.
        device: DeviceId,
        /// The interface that it was above.
        from: Option<IfIndex>,
        /// The interface that it now is above.
        to: Option<IfIndex>,
    },
    /// Create a UDP socket as [`SocketKey`] describes it (`udp_sock_create()`).
    Open {
        /// What to call it.
        socket: SocketId,
        /// What it is.
        key: SocketKey,
    },
    /// Bind it to its port on the wildcard address, and to its interface if it has one.
    Bind {
        /// The socket.
        socket: SocketId,
        /// Port and interface.
        key: SocketKey,
    },
    /// Tell network cards which UDP port carries what (`udp_tunnel_notify_add_rx_port()`).
    Announce {
        /// The socket.
        socket: SocketId,
        /// The port.
        port: TunnelPort,
        /// Only this card; `None` for all.
        to: Option<IfIndex>,
    },
    /// Take that back (`udp_tunnel_notify_del_rx_port()`).
    Withdraw {
        /// The socket.
        socket: SocketId,
        /// The port.
        port: TunnelPort,
        /// Only this card; `None` for all.
        to: Option<IfIndex>,
    },
    /// Close the socket; datagrams that still come are for nobody (`udp_tunnel_sock_release()`).
    Close(SocketId),
    /// Join a group (`ip_mc_join_group()`). That it is joined already is no error.
    Join {
        /// The socket.
        socket: SocketId,
        /// The group and the interface.
        group: Group,
    },
    /// Leave a group (`ip_mc_leave_group()`).
    Leave {
        /// The socket.
        socket: SocketId,
        /// The group and the interface.
        group: Group,
    },
    /// Nothing. Entries of the device are left to flush, and packets of others may be waiting: have
    /// them carried, then report (`cond_resched()`).
    Pause(DeviceId),
}

/// What a host sets up before the first device (`vxlan_init_module()`).
///
/// A host without such services answers `Ok` and does nothing, or never calls
/// [`World::start`](super::World::start).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// What closes sockets later (`alloc_workqueue()`); only the old driver.
    Workqueue,
    /// Whatever belongs to one namespace (`register_pernet_subsys()`).
    Namespace,
    /// Who tells that a lower interface goes (`register_netdevice_notifier()`).
    LowerEvents,
    /// Who tells that a switch chip carries entries (`register_switchdev_notifier()`).
    SwitchEvents,
    /// Where requests for devices come in (`rtnl_link_register()`).
    Links,
    /// Where requests for VNI filters come in (`vxlan_vnifilter_init()`).
    VniFilters,
}

impl Service {
    /// All of Linux 6.18, in the order in which they start.
    pub const LINUX_6: &'static [Self] = &[
        Self::Namespace,
        Self::LowerEvents,
        Self::SwitchEvents,
        Self::Links,
        Self::VniFilters,
    ];
    /// All of the old driver.
    pub const LINUX_4_3: &'static [Self] = &[
        Self::Workqueue,
        Self::Namespace,
        Self::LowerEvents,
        Self::Links,
    ];
}

/// A UDP port as network cards are told of it (`struct udp_tunnel_info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TunnelPort {
    /// Over IPv6.
    pub ipv6: bool,
    /// The port.
    pub port: u16,
    /// The generic protocol extension instead of plain VXLAN.
    pub gpe: bool,
}

impl TunnelPort {
    /// The kernel's number for the kind: 1 for VXLAN (`UDP_TUNNEL_TYPE_VXLAN`), 4 for its generic
    /// protocol extension (`UDP_TUNNEL_TYPE_VXLAN_GPE`).
    #[must_use]
    pub const fn kind(self) -> u16 {
        if self.gpe { 4 } else { 1 }
    }
}
