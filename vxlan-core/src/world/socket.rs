//! The UDP sockets that devices share.

use crate::device::Valid;
use crate::vtep::Member;
use crate::{Flags, IfIndex, Vtep};

use super::{SocketId, TunnelPort};

/// What devices on one socket have in common: who agrees in all of it shares the socket.
///
/// The host opens a UDP socket of the address family, IPv6 ones for IPv6 alone, without multicast
/// loopback, and takes what arrives for VXLAN (`setup_udp_tunnel_sock()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketKey {
    /// IPv6 instead of IPv4.
    pub ipv6: bool,
    /// The UDP port.
    pub port: u16,
    /// The receive flags, [`Flags::RECEIVE`] at most.
    pub flags: Flags,
    /// The routing domain that the socket is bound to.
    pub interface: Option<IfIndex>,
}

impl SocketKey {
    /// The socket that a device with this configuration needs for one address family.
    #[must_use]
    pub const fn of(config: &Valid, ipv6: bool, interface: Option<IfIndex>) -> Self {
        Self {
            ipv6,
            port: config.port(),
            flags: config.flags().intersection(Flags::RECEIVE),
            interface,
        }
    }

    /// Whether datagrams without UDP checksum are accepted: always over IPv4, over IPv6 on request
    /// (`UDP_NO_CHECK6_RX`).
    #[must_use]
    pub const fn accepts_unchecked(&self) -> bool {
        !self.ipv6 || self.flags.contains(Flags::UDP_ZERO_CSUM6_RX)
    }

    /// Whether all packets are for one device, whatever their VNI.
    const fn is_external(&self) -> bool {
        self.flags.contains(Flags::COLLECT_METADATA) && !self.flags.contains(Flags::VNIFILTER)
    }

    /// The port as network cards are told of it.
    #[must_use]
    pub const fn tunnel_port(&self) -> TunnelPort {
        TunnelPort {
            ipv6: self.ipv6,
            port: self.port,
            gpe: self.flags.contains(Flags::GPE),
        }
    }

    /// Whether both cannot be bound at once: same family and port, and not each on an interface of
    /// its own.
    const fn collides(&self, other: &Self) -> bool {
        let apart = match (self.interface, other.interface) {
            (Some(one), Some(two)) => one.get() != two.get(),
            _ => false,
        };
        self.ipv6 == other.ipv6 && self.port == other.port && !apart
    }
}

/// How far a socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Asked for.
    New,
    Open,
    Bound,
    /// Announced; devices can be attached.
    Ready,
    /// Nobody uses it any more; network cards are to forget it.
    Withdrawing,
    /// The host is about to close it.
    Closing,
}

impl Progress {
    /// After the host's next step.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::New => Self::Open,
            Self::Open => Self::Bound,
            Self::Bound => Self::Ready,
            Self::Ready | Self::Withdrawing | Self::Closing => Self::Closing,
        }
    }
}

/// A socket that devices share (`struct vxlan_sock`).
#[derive(Debug)]
pub struct Socket<L> {
    pub(super) serial: u64,
    pub(super) key: SocketKey,
    pub(super) progress: Progress,
    pub(super) users: u32,
    pub(super) vtep: Vtep<L>,
}

impl<L: AsRef<[Member]> + AsMut<[Member]>> Socket<L> {
    pub(super) fn new(serial: u64, key: SocketKey, members: L) -> Self {
        let vtep = Vtep::new(members);
        Self {
            serial,
            key,
            progress: Progress::New,
            users: 0,
            vtep: if key.is_external() {
                vtep.external()
            } else {
                vtep
            },
        }
    }

    /// What its devices have in common.
    #[must_use]
    pub const fn key(&self) -> &SocketKey {
        &self.key
    }

    /// How many devices use it (`refcnt`).
    #[must_use]
    pub const fn users(&self) -> u32 {
        self.users
    }

    /// Its devices by VNI.
    #[must_use]
    pub const fn vtep(&self) -> &Vtep<L> {
        &self.vtep
    }

    /// Whether it is bound and announced, and not being closed.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.progress, Progress::Ready)
    }

    pub(super) const fn id(&self, place: usize) -> SocketId {
        SocketId {
            serial: self.serial,
            place,
        }
    }

    pub(super) const fn stands_in_the_way(&self, key: &SocketKey) -> bool {
        self.key.collides(key)
    }
}
